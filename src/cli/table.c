#include "cli/table.h"

#include "base/number.h"
#include "base/utf8.h"

enum { CELL_MAX = 60 };

typedef struct row { struct row *next; gm_str cells[]; } row;

struct gm_table_text { gm_arena *arena; size_t columns; row *first, *last; bool failed; };

gm_table_text *gm_table_text_create(gm_arena *arena, size_t columns)
{
    gm_table_text *table = GM_ARENA_NEW(arena, gm_table_text, 1);
    if (table != NULL) *table = (gm_table_text){ .arena = arena, .columns = columns };
    return table;
}

void gm_table_text_add(gm_table_text *table, const gm_str *cells)
{
    if (table == NULL) return;
    row *r = gm_arena_bytes(table->arena, sizeof *r + table->columns * sizeof *cells);
    if (r == NULL) {
        table->failed = true;
        return;
    }
    r->next = NULL;
    for (size_t i = 0; i < table->columns; i++) {
        r->cells[i]   = gm_arena_str(table->arena, cells[i]);
        table->failed = table->failed || r->cells[i].ptr == NULL;
    }
    if (table->last != NULL) table->last->next = r;
    else table->first = r;
    table->last = r;
}

static bool is_number(gm_str text)
{
    double ignored;
    return text.len > 0 && gm_number_read(text, &ignored) == text.len;
}

// The text as it is shown: cut, and without characters that would move the cursor.
static size_t shown(gm_str text, gm_buf *out)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len && count < CELL_MAX; count++) {
        size_t n = gm_utf8_step(gm_str_slice(text, at, text.len));
        if (n == 0 || (n == 1 && ((unsigned char)text.ptr[at] < ' ' || text.ptr[at] == 127))) {
            if (out != NULL) gm_buf_byte(out, '?');
            at++;
            continue;
        }
        if (out != NULL) gm_buf_add(out, text.ptr + at, n);
        at += n;
    }
    return count;
}

void gm_table_text_write(const gm_table_text *table, gm_buf *out)
{
    size_t *widths = table != NULL && !table->failed ? gm_arena_zeroed(table->arena, table->columns + 1, sizeof *widths) : NULL;
    if (widths == NULL) {
        out->failed = true;
        return;
    }
    if (table->first == table->last) return;
    for (const row *r = table->first; r != NULL; r = r->next) {
        for (size_t i = 0; i < table->columns; i++) {
            size_t width = shown(r->cells[i], NULL);
            if (width > widths[i]) widths[i] = width;
        }
    }
    for (const row *r = table->first; r != NULL; r = r->next) {
        for (size_t i = 0; i < table->columns; i++) {
            bool   last  = i + 1 == table->columns, right = r != table->first && is_number(r->cells[i]);
            size_t space = widths[i] - shown(r->cells[i], NULL);
            if (right) gm_buf_printf(out, "%*s", (int)space, "");
            shown(r->cells[i], out);
            if (!last) gm_buf_printf(out, "%*s", (int)(right ? 2 : space + 2), "");
        }
        gm_buf_byte(out, '\n');
    }
}

void gm_table_text_write_csv(const gm_table_text *table, gm_buf *out)
{
    out->failed = out->failed || table == NULL || table->failed;
    for (const row *r = !out->failed ? table->first : NULL; r != NULL && !out->failed; r = r->next) {
        for (size_t i = 0; i < table->columns; i++) {
            gm_str cell  = r->cells[i];
            bool   quote = false;
            for (size_t j = 0; j < cell.len; j++) quote = quote || strchr(",\"\r\n", cell.ptr[j]) != NULL;
            if (i > 0) gm_buf_byte(out, ',');
            if (quote) gm_buf_byte(out, '"');
            for (size_t j = 0; j < cell.len; j++) {
                if (cell.ptr[j] == '"') gm_buf_byte(out, '"');
                gm_buf_byte(out, (uint8_t)cell.ptr[j]);
            }
            if (quote) gm_buf_byte(out, '"');
        }
        gm_buf_text(out, "\r\n");
    }
}
