// A heap of the newest facts that fit, the oldest of them on top, filled in steps along the twin's lines.
#include "thread/listing.h"

#include "base/number.h"
#include "thread/internal.h"

#include <stdlib.h>

static const char WHERE[] = "thread.listing";

// Does row a stand before row b?
static bool newer(const gm_thread *t, uint32_t a, uint32_t b)
{
    const fact_row *x = &t->rows[a], *y = &t->rows[b];
    if (x->from != y->from) return x->from > y->from;
    if (x->known != y->known) return x->known > y->known;
    return a > b;
}

static bool is_of(const gm_thread *t, uint32_t row, gm_str twin)
{
    if (row >= t->row_count || t->rows[row].line == NO_LINE) return false;
    return gm_str_eq(t->names[t->lines[t->rows[row].line].twin].text, twin);
}

gm_status gm_thread_list_begin(const gm_thread *t, gm_thread_listing *l, gm_error *err)
{
    uint32_t id = gm_index_find(&t->name_index, l->twin);
    l->line     = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE;
    l->next     = 0;
    l->count    = 0;
    l->more     = false;
    l->fits = l->said = 0;
    if (l->after != GM_LISTING_FIRST && !is_of(t, l->after, l->twin)) return gm_fail(err, GM_INVALID, WHERE, "what the page before ended with is gone; begin again");
    return GM_OK;
}

// ---- what fits ------------------------------------------------------------------------------------------------------

static bool says(const gm_fact *f, gm_str find)
{
    char         number[GM_NUMBER_TEXT];
    gm_str       digits = { number, f->value.kind == GM_FACT_NUMBER ? gm_number_write(f->value.number, number) : 0 };
    // Of a document people know the name, not the hash.
    const gm_str texts[] = { f->key, f->author, f->cause, f->value.kind == GM_FACT_DOCUMENT ? f->value.name : f->value.text, f->value.unit, f->value.position, digits };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (gm_str_has_lower(texts[i], find)) return true;
    return false;
}

static bool fits(const gm_thread_listing *l, const gm_fact *f)
{
    if (l->phases != 0 && (l->phases & (1U << f->phase)) == 0) return false;
    return l->find.len == 0 || says(f, l->find);
}

// ---- the heap: the oldest on top ------------------------------------------------------------------------------------

static void sift_down(const gm_thread *t, gm_thread_listing *l, uint32_t at)
{
    for (;;) {
        uint32_t oldest = at;
        for (uint32_t k = 2 * at + 1; k <= 2 * at + 2 && k < l->count; k++)
            if (newer(t, l->rows[oldest], l->rows[k])) oldest = k;
        if (oldest == at) return;
        uint32_t swap   = l->rows[at];
        l->rows[at]     = l->rows[oldest];
        l->rows[oldest] = swap;
        at              = oldest;
    }
}

static void keep(const gm_thread *t, gm_thread_listing *l, uint32_t row)
{
    if (l->after != GM_LISTING_FIRST && !newer(t, l->after, row)) return;
    if (l->count < l->limit) {
        uint32_t at = l->count++;
        for (; at > 0 && newer(t, l->rows[(at - 1) / 2], row); at = (at - 1) / 2) l->rows[at] = l->rows[(at - 1) / 2];
        l->rows[at] = row;
        return;
    }
    l->more = true;
    if (l->limit == 0 || !newer(t, row, l->rows[0])) return;
    l->rows[0] = row;
    sift_down(t, l, 0);
}

// ---- looking --------------------------------------------------------------------------------------------------------

static void look_at(const gm_thread *t, gm_thread_listing *l, const gm_fact *f, uint32_t row)
{
    if (!fits(l, f)) return;
    l->fits++;
    keep(t, l, row);
}

// A fact of the history, whichever is asked for: what he may see of it was said.
static void look_back(const gm_thread *t, gm_thread_listing *l, uint32_t row, bool wanted)
{
    gm_fact f;
    if (!wanted && l->shows == NULL) {
        l->said++;
        return;
    }
    gm_thread_fact(t, row, &f);
    if (l->shows != NULL && !l->shows(l->context, &f)) return;
    l->said++;
    if (wanted) look_at(t, l, &f, row);
}

static void look_now(const gm_thread *t, gm_thread_listing *l, const fact_line *line, uint32_t known)
{
    gm_fact    f;
    gm_time_ns to;
    uint32_t   row = gm_line_at(t, line, known, l->valid, &to);
    if (row == NO_ROW) return;
    gm_thread_fact(t, row, &f);
    if (f.value.kind == GM_FACT_NONE || (l->shows != NULL && !l->shows(l->context, &f))) return;
    look_at(t, l, &f, row);
}

bool gm_thread_list_some(const gm_thread *t, gm_thread_listing *l, uint32_t most)
{
    for (uint32_t looked = 0; l->line != NO_LINE;) {
        if (looked >= most) return true;
        const fact_line *line   = &t->lines[l->line];
        bool             wanted = l->key.len == 0 || gm_str_eq(t->names[line->key].text, l->key);
        uint32_t         known  = gm_line_known(t, line, l->known);
        if (l->next == 0 && !l->history && wanted && known > 0) look_now(t, l, line, known);
        for (; l->next < known && looked < most; l->next++, looked++) look_back(t, l, gm_line_row(line, l->next), wanted && l->history);
        if (l->next < known) return true;
        l->line = line->next;
        l->next = 0;
        looked++;
    }
    return false;
}

// A heap with the oldest on top, taken apart from behind, has the newest in front.
void gm_thread_list_end(const gm_thread *t, gm_thread_listing *l)
{
    uint32_t count = l->count;
    while (l->count > 1) {
        uint32_t oldest       = l->rows[0];
        l->rows[0]            = l->rows[--l->count];
        l->rows[l->count]     = oldest;
        sift_down(t, l, 0);
    }
    l->count = count;
}

bool gm_thread_list_fact(const gm_thread *t, const gm_thread_listing *l, uint32_t i, gm_fact *out, bool *out_holds)
{
    gm_time_ns to;
    uint32_t   row = l->rows[i];
    if (!is_of(t, row, l->twin)) return false;
    const fact_line *line = &t->lines[t->rows[row].line];
    gm_thread_fact(t, row, out);
    *out_holds = out->value.kind != GM_FACT_NONE && gm_line_at(t, line, gm_line_known(t, line, l->known), l->valid, &to) == row;
    return true;
}
