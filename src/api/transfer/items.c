#include "api/transfer/items.h"

#include "base/buf.h"

enum { CHUNK = 1 << 20 };

struct gm_items {
    const gm_alloc *alloc;
    gm_items_source source;
    gm_buf          bytes;        // what was read and not taken yet lies from `at`
    size_t          at;
    bool            ended;        // nothing more to read
    bool            begun;
    uint64_t        line;
    gm_item_section section;
    bool            in_section;   // newline JSON: a section line was seen
    json_t         *now;          // the item at hand
    json_t         *document;     // the other form
    const json_t   *arrays[3];    // its models, twins, relationships
    size_t          index;        // in arrays[section - GM_ITEM_MODEL]
};

gm_status gm_items_open(const gm_alloc *alloc, gm_items_source source, gm_items **out_items, gm_error *err)
{
    *out_items  = gm_alloc_zeroed(alloc, sizeof **out_items);
    if (*out_items == NULL) return gm_fail(err, GM_NOMEM, "api.transfer", "opening a file");
    (*out_items)->alloc  = alloc;
    (*out_items)->source = source;
    (*out_items)->bytes  = gm_buf_init(alloc);
    return GM_OK;
}

void gm_items_close(gm_items *items)
{
    if (items == NULL) return;
    json_decref(items->now);
    json_decref(items->document);
    gm_buf_finish(&items->bytes);
    gm_free(items->alloc, items);
}

static gm_status read_more(gm_items *items, gm_error *err)
{
    size_t n = 0;
    if (items->at > 0) {
        gm_buf_drop(&items->bytes, items->at);
        items->at = 0;
    }
    uint8_t *to = gm_buf_reserve(&items->bytes, CHUNK);
    if (to == NULL) return gm_fail(err, GM_NOMEM, "api.transfer", "reading a file");
    gm_status st = items->source.read(items->source.context, (char *)to, CHUNK, &n, err);
    items->bytes.len += n;
    items->ended = n == 0;
    return st;
}

// ---- newline JSON ---------------------------------------------------------------------------------------------------

// The next line without its end; ptr NULL at the end of the file.
static gm_status next_line(gm_items *items, gm_str *out_line, gm_error *err)
{
    size_t looked = 0;
    for (;;) {
        gm_str      rest = gm_str_slice(gm_buf_view(&items->bytes), items->at, items->bytes.len);
        const char *end  = rest.len > looked ? memchr(rest.ptr + looked, '\n', rest.len - looked) : NULL;
        if (end != NULL || items->ended) {
            size_t n = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
            *out_line = end == NULL && n == 0 ? (gm_str){ 0 } : gm_str_slice(rest, 0, n);
            items->at += n + (end != NULL);
            items->line++;
            return GM_OK;
        }
        looked = rest.len;
        if (looked > GM_ITEM_MAX)
            return gm_fail(err, GM_LIMIT, "api.transfer", "line %llu has more than %d bytes",
                           (unsigned long long)items->line + 1, GM_ITEM_MAX);
        gm_status st = read_more(items, err);
        if (st != GM_OK) return st;
    }
}

static gm_status bad_line(gm_item *out, const char *why)
{
    out->status = gm_fail(&out->why, GM_INVALID, "api.transfer", "line %llu: %s", (unsigned long long)out->number, why);
    return GM_OK;
}

static bool take_section(gm_items *items, const char *name)
{
    static const char *const names[] = { "Header", "Models", "Twins", "Relationships" };
    for (gm_item_section s = GM_ITEM_HEADER; s < GM_ITEM_END; s++) {
        if (strcmp(name, names[s]) != 0) continue;
        items->section    = s;
        items->in_section = true;
        return true;
    }
    return false;
}

static gm_status next_of_lines(gm_items *items, gm_item *out, gm_error *err)
{
    for (;;) {
        gm_str    line;
        gm_status st = next_line(items, &line, err);
        if (st != GM_OK) return st;
        *out = (gm_item){ .section = line.ptr == NULL ? GM_ITEM_END : items->section, .number = items->line };
        if (line.ptr == NULL) return GM_OK;
        line = gm_str_trim(line);
        if (line.len == 0) continue;
        items->now = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(items->now)) return bad_line(out, "no JSON object");
        // A section line is short; a twin may have a property of that name, but not that alone.
        const char *name = line.len < 120 && json_object_size(items->now) == 1
                               ? json_string_value(json_object_get(items->now, "Section")) : NULL;
        if (name == NULL) {
            if (!items->in_section) return bad_line(out, "in no section; put {\"Section\":\"Twins\"} before the twins");
            if (items->section != GM_ITEM_HEADER) {
                out->json = items->now;
                return GM_OK;
            }
        } else if (!take_section(items, name)) {
            return bad_line(out, "no such section; the sections are Header, Models, Twins and Relationships");
        }
        json_decref(items->now);
        items->now = NULL;
    }
}

// ---- the Explorer's graph -------------------------------------------------------------------------------------------

static gm_status load_document(gm_items *items, gm_error *err)
{
    while (!items->ended) {
        if (items->bytes.len > GM_ITEMS_DOCUMENT_MAX) {
            return gm_fail(err, GM_LIMIT, "api.transfer", "a graph of more than %d bytes; newline JSON has no bound",
                           GM_ITEMS_DOCUMENT_MAX);
        }
        gm_status st = read_more(items, err);
        if (st != GM_OK) return st;
    }
    json_error_t where;
    items->document = json_loadb((const char *)items->bytes.ptr + items->at, items->bytes.len - items->at,
                                 JSON_REJECT_DUPLICATES, &where);
    if (items->document == NULL) {
        gm_status st =
            gm_fail(err, GM_INVALID, "api.transfer", "line %d, column %d: %s", where.line, where.column, where.text);
        if (err != NULL) err->line = (uint32_t)where.line;
        return st;
    }
    const json_t *graph = json_object_get(items->document, "digitalTwinsGraph");
    items->arrays[0]    = json_object_get(items->document, "digitalTwinsModels");
    items->arrays[1]    = json_object_get(graph, "digitalTwins");
    items->arrays[2]    = json_object_get(graph, "relationships");
    items->section      = GM_ITEM_MODEL;
    gm_buf_finish(&items->bytes);
    if (items->arrays[0] != NULL || graph != NULL) return GM_OK;
    return gm_fail(err, GM_INVALID, "api.transfer",
                   "neither newline JSON with {\"Section\":...} lines nor a graph with digitalTwinsGraph");
}

static gm_status next_of_document(gm_items *items, gm_item *out)
{
    while (items->section != GM_ITEM_END &&
           items->index >= json_array_size(items->arrays[items->section - GM_ITEM_MODEL])) {
        items->section++;
        items->index = 0;
    }
    *out = (gm_item){ .section = items->section, .number = items->index + 1 };
    if (items->section == GM_ITEM_END) return GM_OK;
    items->now = json_incref(json_array_get(items->arrays[items->section - GM_ITEM_MODEL], items->index++));
    if (json_is_object(items->now)) out->json = items->now;
    else
        out->status = gm_fail(&out->why, GM_INVALID, "api.transfer", "element %llu is no JSON object",
                              (unsigned long long)out->number);
    return GM_OK;
}

// ---- both -----------------------------------------------------------------------------------------------------------

// Newline JSON begins with a whole object on its first line that names a section; everything else is one document.
static gm_status begin(gm_items *items, gm_error *err)
{
    items->begun = true;
    while (!items->ended && items->bytes.len < CHUNK) {
        gm_status st = read_more(items, err);
        if (st != GM_OK) return st;
    }
    if (gm_str_starts(gm_buf_view(&items->bytes), GM_STR("\xef\xbb\xbf"))) items->at = 3;
    gm_str all   = gm_str_trim(gm_str_slice(gm_buf_view(&items->bytes), items->at, items->bytes.len));
    gm_str first = gm_str_slice(all, 0, gm_str_find_char(all, '\n'));
    bool   lines = all.len == 0 || gm_str_find(first, GM_STR("\"Section\"")) != SIZE_MAX;
    return lines ? GM_OK : load_document(items, err);
}

gm_status gm_items_next(gm_items *items, gm_item *out, gm_error *err)
{
    json_decref(items->now);
    items->now   = NULL;
    gm_status st = items->begun ? GM_OK : begin(items, err);
    if (st != GM_OK) return st;
    return items->document != NULL ? next_of_document(items, out) : next_of_lines(items, out, err);
}
