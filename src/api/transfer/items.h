// api/transfer/items.h: takes a file of a whole plant apart: models, twins, relationships, one after the other.
//
//   gm_items *items;
//   gm_items_open(alloc, source, &items, &err);
//   while (gm_items_next(items, &item, &err) == GM_OK && item.section != GM_ITEM_END) ...item.json...
//   gm_items_close(items);
//
// Two forms are told apart by their beginning: newline JSON with section lines (the bulk import format of Azure Digital
// Twins), which is read as a stream, and the graph export of its Explorer, one JSON document, which is read whole.
#ifndef GM_API_TRANSFER_ITEMS_H
#define GM_API_TRANSFER_ITEMS_H

#include "base/alloc.h"
#include "base/str.h"

#include <jansson.h>

typedef enum gm_item_section {
    GM_ITEM_HEADER,
    GM_ITEM_MODEL,
    GM_ITEM_TWIN,
    GM_ITEM_RELATIONSHIP,
    GM_ITEM_END
} gm_item_section;

enum { GM_ITEM_MAX = 16 << 20, GM_ITEMS_DOCUMENT_MAX = 1 << 30 };  // bytes of a line; of a whole document

// Where the bytes come from: fills up to max bytes, *out_n 0 at the end.
typedef struct gm_items_source {
    gm_status (*read)(void *context, char *to, size_t max, size_t *out_n, gm_error *err);
    void *context;
} gm_items_source;

typedef struct gm_item {
    gm_item_section section;
    json_t         *json;    // viewed until the next item
    uint64_t        number;  // line of newline JSON, else the position in its array; both from 1
    gm_status       status;  // GM_INVALID: this line is no JSON object, or in no section; why tells. json is NULL then
    gm_error        why;
} gm_item;

typedef struct gm_items gm_items;

GM_NODISCARD gm_status gm_items_open(const gm_alloc *alloc, gm_items_source source, gm_items **out_items,
                                     gm_error *err);
void                   gm_items_close(gm_items *items);  // NULL is allowed

// GM_INVALID: the file is of neither form. GM_LIMIT: a line or the document is too long. GM_IO, GM_NOMEM.
GM_NODISCARD gm_status gm_items_next(gm_items *items, gm_item *out_item, gm_error *err);

#endif
