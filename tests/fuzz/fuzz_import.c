// Files to import: hostile bytes as a plant's file, handed over in pieces of any size. Whatever they are, the reader comes to an
// end, and the pieces do not matter.
#include "api/transfer/items.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct feed { const uint8_t *at; size_t left, piece; } feed;

static gm_status read_feed(void *context, char *to, size_t max, size_t *out_n, gm_error *err)
{
    (void)err;
    feed  *f = context;
    size_t n = f->left < f->piece ? f->left : f->piece;
    if (n > max) n = max;
    if (n > 0) memcpy(to, f->at, n);
    f->at += n;
    f->left -= n;
    *out_n = n;
    return GM_OK;
}

// How many items came, and a sum over what they are.
static uint64_t walk(const uint8_t *data, size_t size, size_t piece)
{
    feed      f = { data, size, piece };
    gm_items *items;
    gm_item   item;
    gm_error  err;
    uint64_t  sum = 0;
    if (gm_items_open(gm_alloc_system(), (gm_items_source){ read_feed, &f }, &items, &err) != GM_OK) abort();
    for (size_t n = 0; n <= size + 1; n++) {
        if (gm_items_next(items, &item, &err) != GM_OK || item.section == GM_ITEM_END) {
            gm_items_close(items);
            return sum;
        }
        if (item.status == GM_OK && !json_is_object(item.json)) abort();
        sum = sum * 31 + (uint64_t)item.section * 7 + item.number * 3 + (item.status == GM_OK ? json_object_size(item.json) : 1000);
    }
    abort();  // more items than bytes
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (walk(data, size, SIZE_MAX) != walk(data, size, size > 0 ? 1 + data[0] % 7 : 1)) abort();
    return 0;
}
