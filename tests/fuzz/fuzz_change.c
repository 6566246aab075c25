// Payloads of records: whatever they are, decoding reads nothing beyond them, and what it accepted can be walked to its end.
#include "log/change.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(gm_str part, const uint8_t *data, size_t size)
{
    if (part.len == 0) return;
    if ((const uint8_t *)part.ptr < data || (const uint8_t *)part.ptr + part.len > data + size) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_change change;
    gm_error  err;
    if (size == 0) return 0;
    // A copy of exactly that size, so that the sanitizer sees a step too far.
    uint8_t *payload = malloc(size > 1 ? size - 1 : 1);
    if (payload == NULL) return 0;
    memcpy(payload, data + 1, size - 1);
    if (gm_change_decode(data[0], payload, size - 1, &change, &err) == GM_OK) {
        inside(change.id, payload, size);
        inside(change.name, payload, size);
        inside(change.text, payload, size);
        gm_cell_write  cell;
        size_t         count = 0;
        const uint8_t *at    = change.cells;
        for (; change.cells != NULL && gm_change_next_cell(&change, &at, &cell); count++) {
            if (cell.value.kind == GM_KIND_STRING || cell.value.kind == GM_KIND_JSON) inside(cell.value.s, payload, size);
        }
        if (count != change.cell_count) abort();
    }
    free(payload);
    return 0;
}
