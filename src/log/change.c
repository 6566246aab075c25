// The bytes of changes. Every field is written by itself, little-endian; cells follow one another without padding.
//
//   cells    u16 count, i64 source time of all cells without one of their own, then per cell:
//            u16 column, u8 kind (| OWN_TIME), [i64 source time], value: nothing, u8, i64, f64, or u32 length and bytes
//   WRITE    u32 twin, u32 type, u8 flags, cells
//            with GM_WRITE_ROWS in the flags, instead of cells: u16 columns, u16 rows, per column u16 column and u8 kind, per
//            row i64 source time, then column by column per row i64 or f64
//   TWIN_PUT u32 twin, u32 length and id, u32 length and DTMI, cells
//   others   u32 twin, u32 target, u8 flags, three times u32 length and text
#include "log/change.h"

#include "base/le.h"

#include <assert.h>

enum { OWN_TIME = 0x80, CELLS_HEADER = 2 + 8, WRITE_HEADER = 9, ROWS_HEADER = 4 };

static size_t size_of_value(const gm_value *value)
{
    switch (value->kind) {
    case GM_KIND_NONE: return 0;
    case GM_KIND_BOOL: return 1;
    case GM_KIND_INT:
    case GM_KIND_DOUBLE: return 8;
    default: return 4 + value->s.len;
    }
}

static size_t size_of_cells(const gm_cell_write *cells, size_t n)
{
    size_t size = CELLS_HEADER;
    for (size_t i = 0; i < n; i++) size += 3 + (cells[i].at != cells[0].at ? 8 : 0) + size_of_value(&cells[i].value);
    return size;
}

size_t gm_change_size_write(const gm_cell_write *cells, size_t n)
{
    return WRITE_HEADER + size_of_cells(cells, n);
}

size_t gm_change_size_twin_put(gm_str id, gm_str dtmi, const gm_cell_write *cells, size_t n)
{
    return 4 + 4 + id.len + 4 + dtmi.len + size_of_cells(cells, n);
}

size_t gm_change_size_texts(gm_str id, gm_str name, gm_str text)
{
    return 9 + 4 + id.len + 4 + name.len + 4 + text.len;
}

static uint8_t *put_text(uint8_t *out, gm_str text)
{
    gm_put_u32(out, (uint32_t)text.len);
    if (text.len > 0) memcpy(out + 4, text.ptr, text.len);
    return out + 4 + text.len;
}

static void put_cells(uint8_t *out, const gm_cell_write *cells, size_t n)
{
    assert(n <= GM_CELLS_MAX);
    gm_time_ns at = n > 0 ? cells[0].at : 0;
    gm_put_u16(out, (uint16_t)n);
    gm_put_i64(out + 2, at);
    out += CELLS_HEADER;
    for (size_t i = 0; i < n; i++) {
        const gm_cell_write *cell = &cells[i];
        bool                 own  = cell->at != at;
        gm_put_u16(out, cell->column);
        out[2] = (uint8_t)(cell->value.kind | (own ? OWN_TIME : 0));
        out += 3;
        if (own) {
            gm_put_i64(out, cell->at);
            out += 8;
        }
        switch (cell->value.kind) {
        case GM_KIND_NONE: break;
        case GM_KIND_BOOL: *out++ = cell->value.i != 0; break;
        case GM_KIND_INT: gm_put_i64(out, cell->value.i); out += 8; break;
        case GM_KIND_DOUBLE: gm_put_f64(out, cell->value.d); out += 8; break;
        default: out = put_text(out, cell->value.s);
        }
    }
}

void gm_change_encode_write(uint8_t *out, uint32_t twin, uint32_t type, uint8_t flags, const gm_cell_write *cells, size_t n)
{
    gm_put_u32(out, twin);
    gm_put_u32(out + 4, type);
    out[8] = flags;
    put_cells(out + 9, cells, n);
}

size_t gm_change_size_rows(size_t columns, size_t rows)
{
    return WRITE_HEADER + ROWS_HEADER + columns * GM_ROW_HEAD + rows * 8 + columns * rows * 8;
}

static gm_row_table lay_rows(uint8_t *at, size_t columns, size_t rows)
{
    gm_row_table r = { .columns = (uint16_t)columns, .rows = (uint16_t)rows, .heads = at };
    r.times   = r.heads + columns * GM_ROW_HEAD;
    r.values  = r.times + rows * 8;
    return r;
}

void gm_change_begin_rows(uint8_t *out, uint32_t twin, uint32_t type, uint8_t flags, const gm_row_column *columns, size_t n,
                          size_t rows, gm_row_table *out_rows)
{
    assert(n > 0 && rows > 0 && n * rows <= GM_CELLS_MAX);
    gm_put_u32(out, twin);
    gm_put_u32(out + 4, type);
    out[8] = flags | GM_WRITE_ROWS;
    gm_put_u16(out + WRITE_HEADER, (uint16_t)n);
    gm_put_u16(out + WRITE_HEADER + 2, (uint16_t)rows);
    *out_rows = lay_rows(out + WRITE_HEADER + ROWS_HEADER, n, rows);
    for (size_t i = 0; i < n; i++) {
        gm_put_u16(out_rows->heads + i * GM_ROW_HEAD, columns[i].column);
        out_rows->heads[i * GM_ROW_HEAD + 2] = columns[i].kind;
    }
}

void gm_change_encode_twin_put(uint8_t *out, uint32_t twin, gm_str id, gm_str dtmi, const gm_cell_write *cells, size_t n)
{
    gm_put_u32(out, twin);
    out = put_text(out + 4, id);
    out = put_text(out, dtmi);
    put_cells(out, cells, n);
}

void gm_change_encode_texts(uint8_t *out, uint32_t twin, uint32_t target, uint8_t flags, gm_str id, gm_str name, gm_str text)
{
    gm_put_u32(out, twin);
    gm_put_u32(out + 4, target);
    out[8] = flags;
    out    = put_text(out + 9, id);
    out    = put_text(out, name);
    put_text(out, text);
}

// ---- decoding ---------------------------------------------------------------------------------------------------

typedef struct reader { const uint8_t *at, *end; } reader;

static bool take(reader *r, size_t n, const uint8_t **out)
{
    if ((size_t)(r->end - r->at) < n) return false;
    *out = r->at;
    r->at += n;
    return true;
}

static bool take_text(reader *r, gm_str *out)
{
    const uint8_t *bytes;
    if (!take(r, 4, &bytes)) return false;
    size_t len = gm_get_u32(bytes);
    if (!take(r, len, &bytes)) return false;
    *out = (gm_str){ (const char *)bytes, len };
    return true;
}

// One cell; the value is viewed.
static bool take_cell(reader *r, gm_time_ns at, gm_cell_write *out)
{
    const uint8_t *bytes;
    if (!take(r, 3, &bytes)) return false;
    uint8_t kind = bytes[2] & 0x7f;
    *out         = (gm_cell_write){ .column = gm_get_u16(bytes), .at = at, .value.kind = (gm_kind)kind };
    if (bytes[2] & OWN_TIME) {
        const uint8_t *time;
        if (!take(r, 8, &time)) return false;
        out->at = gm_get_i64(time);
    }
    switch (kind) {
    case GM_KIND_NONE: return true;
    case GM_KIND_BOOL:
        if (!take(r, 1, &bytes)) return false;
        out->value.i = *bytes != 0;
        return true;
    case GM_KIND_INT:
        if (!take(r, 8, &bytes)) return false;
        out->value.i = gm_get_i64(bytes);
        return true;
    case GM_KIND_DOUBLE:
        if (!take(r, 8, &bytes)) return false;
        out->value.d = gm_get_f64(bytes);
        return true;
    case GM_KIND_STRING:
    case GM_KIND_JSON: return take_text(r, &out->value.s);
    default: return false;
    }
}

// Checks all cells once, so that walking them needs no errors.
static bool take_cells(reader *r, gm_change *change)
{
    const uint8_t *bytes;
    if (!take(r, CELLS_HEADER, &bytes)) return false;
    change->cell_count = gm_get_u16(bytes);
    change->cells_at   = gm_get_i64(bytes + 2);
    change->cells      = r->at;
    gm_cell_write cell;
    for (uint16_t i = 0; i < change->cell_count; i++) {
        if (!take_cell(r, change->cells_at, &cell)) return false;
    }
    change->cells_end = r->at;
    return true;
}

// The whole rest of the record is the table, so that its size says whether it is whole.
static bool take_rows(reader *r, gm_change *change)
{
    const uint8_t *bytes;
    if (!take(r, ROWS_HEADER, &bytes)) return false;
    size_t columns = gm_get_u16(bytes), rows = gm_get_u16(bytes + 2);
    size_t size    = gm_change_size_rows(columns, rows) - WRITE_HEADER - ROWS_HEADER;
    if (columns == 0 || rows == 0 || columns * rows > GM_CELLS_MAX || !take(r, size, &bytes)) return false;
    change->rows = lay_rows((uint8_t *)(uintptr_t)bytes, columns, rows);
    for (size_t i = 0; i < columns; i++) {
        uint8_t kind = change->rows.heads[i * GM_ROW_HEAD + 2];
        if (kind != GM_KIND_INT && kind != GM_KIND_DOUBLE) return false;
    }
    change->cell_count = (uint16_t)(columns * rows);
    change->cells      = change->rows.values;
    change->cells_end  = r->at;
    return true;
}

gm_status gm_change_decode(uint8_t kind, const uint8_t *payload, size_t size, gm_change *out_change, gm_error *err)
{
    reader         r = { payload, payload + size };
    const uint8_t *bytes;
    *out_change = (gm_change){ .kind = (gm_change_kind)kind };
    bool ok     = false;
    switch (kind) {
    case GM_CHANGE_WRITE:
        ok = take(&r, WRITE_HEADER, &bytes);
        if (!ok) break;
        out_change->twin  = gm_get_u32(bytes);
        out_change->type  = gm_get_u32(bytes + 4);
        out_change->flags = bytes[8];
        ok                = out_change->flags & GM_WRITE_ROWS ? take_rows(&r, out_change) : take_cells(&r, out_change);
        break;
    case GM_CHANGE_TWIN_PUT:
        ok = take(&r, 4, &bytes);
        if (!ok) break;
        out_change->twin = gm_get_u32(bytes);
        ok               = take_text(&r, &out_change->id) && take_text(&r, &out_change->name) && take_cells(&r, out_change);
        break;
    default:
        if (kind == 0 || kind >= GM_CHANGE_KIND_COUNT) {
            return gm_fail(err, GM_CORRUPT, "log.change", "unknown kind of record %u; was it written by a newer gemel?", kind);
        }
        ok = take(&r, 9, &bytes);
        if (!ok) break;
        out_change->twin   = gm_get_u32(bytes);
        out_change->target = gm_get_u32(bytes + 4);
        out_change->flags  = bytes[8];
        ok = take_text(&r, &out_change->id) && take_text(&r, &out_change->name) && take_text(&r, &out_change->text);
    }
    if (!ok || r.at != r.end) return gm_fail(err, GM_CORRUPT, "log.change", "record of kind %u with %zu bytes does not parse", kind, size);
    return GM_OK;
}

bool gm_change_peek_rows(uint8_t kind, const uint8_t *payload, size_t size, uint32_t *out_twin, uint32_t *out_type, uint32_t *out_column)
{
    if (kind != GM_CHANGE_WRITE || size < WRITE_HEADER + ROWS_HEADER + GM_ROW_HEAD || (payload[8] & GM_WRITE_ROWS) == 0) return false;
    *out_twin   = gm_get_u32(payload);
    *out_type   = gm_get_u32(payload + 4);
    *out_column = gm_get_u16(payload + WRITE_HEADER + ROWS_HEADER);
    return true;
}

// Where in the table *at stands tells column and row.
static bool next_of_rows(const gm_change *change, const uint8_t **at, gm_cell_write *out)
{
    const gm_row_table *r = &change->rows;
    size_t         i = (size_t)(*at - r->values) / 8, column = i / r->rows, row = i % r->rows;
    const uint8_t *head = r->heads + column * GM_ROW_HEAD;
    *out = (gm_cell_write){ .column = gm_get_u16(head), .at = gm_get_i64(r->times + row * 8), .value.kind = (gm_kind)head[2] };
    if (head[2] == GM_KIND_DOUBLE) out->value.d = gm_get_f64(*at);
    else out->value.i = gm_get_i64(*at);
    *at += 8;
    return true;
}

bool gm_change_next_cell(const gm_change *change, const uint8_t **at, gm_cell_write *out_cell)
{
    if (*at == change->cells_end) return false;
    if (change->flags & GM_WRITE_ROWS) return next_of_rows(change, at, out_cell);
    reader r  = { *at, change->cells_end };
    bool   ok = take_cell(&r, change->cells_at, out_cell);
    assert(ok);  // gm_change_decode walked the same bytes
    *at = r.at;
    return ok;
}
