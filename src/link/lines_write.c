// From the points of a batch to records: those of one key are chained, and go into the log together. Numbers that come in
// rows, as they nearly always do, are laid out as a table at once.
#include "link/lines_internal.h"

#include "base/le.h"

#include <stdio.h>

// Numbers for the columns of the line before?
static bool like_the_line_before(const gm_line_batch *batch, const gm_line_chain *c, uint32_t first, uint32_t n)
{
    if (n != c->width) return false;
    const gm_line_point *before = &batch->points[c->last + 1 - n], *now = &batch->points[first];
    for (uint32_t i = 0; i < n; i++) {
        if (now[i].column != before[i].column || now[i].kind != before[i].kind) return false;
    }
    return true;
}

// A column that stands twice in a line is no column of a table.
static bool is_row(const gm_line_point *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (p[i].kind != GM_KIND_DOUBLE && p[i].kind != GM_KIND_INT) return false;
        for (uint32_t j = 0; j < i; j++) {
            if (p[i].column == p[j].column) return false;
        }
    }
    return true;
}

void gm_lines_add(gm_line_batch *batch, uint32_t id, uint32_t n)
{
    gm_line_chain *c     = &batch->chains[id];
    uint32_t       first = (uint32_t)batch->count;
    gm_line_point *p     = &batch->points[first];
    for (uint32_t i = 0; i < n; i++) p[i].next = i + 1 < n ? first + i + 1 : GM_LINES_NOBODY;
    if (c->count > 0) {
        c->ragged = c->ragged || !like_the_line_before(batch, c, first, n);
        batch->points[c->last].next = first;
    } else {
        *c = (gm_line_chain){ .first = first, .next_key = GM_LINES_NOBODY, .width = (uint16_t)n, .ragged = !is_row(p, n) };
        if (batch->first_key == GM_LINES_NOBODY) batch->first_key = id;
        else batch->chains[batch->last_key].next_key = id;
        batch->last_key = id;
    }
    c->last = first + n - 1;
    c->count += n;
    batch->count += n;
    batch->result.points += n;
}

// ---- records ------------------------------------------------------------------------------------------------------
uint8_t gm_lines_flags_of(const gm_type *type, uint16_t column)
{
    return type->columns[column].is_telemetry ? 0 : GM_WRITE_PROPERTIES;
}

static gm_status write_rows(gm_line_batch *batch, const gm_line_key *k, gm_line_chain *c, gm_ask ask, gm_error *err)
{
    gm_row_column columns[GM_MAP_RULES_MAX];
    uint8_t       flags = GM_WRITE_SERIES;
    uint32_t      rows  = c->count / c->width, most = GM_LINES_RECORD_CELLS / c->width;
    gm_row_table       out;
    if (rows > most) rows = most;
    for (uint32_t i = 0; i < c->width; i++) {
        const gm_line_point *p = &batch->points[c->first + i];
        columns[i]             = (gm_row_column){ p->column, p->kind };
        flags |= gm_lines_flags_of(k->type, p->column);
    }
    bool      all = rows == c->count / c->width;
    gm_status st  = gm_engine_write_rows(batch->lines->ingest->engine, k->twin, flags, columns, c->width, rows,
                                         all ? ask : (gm_ask){ 0 }, &out, err);
    if (st != GM_OK) return st;
    uint32_t at = c->first;
    for (uint32_t r = 0; r < rows; r++) {
        const gm_line_point *p = &batch->points[at];
        gm_put_i64(out.times + r * 8, p->at);
        for (uint32_t i = 0; i < c->width; i++) gm_put_i64(out.values + (i * rows + r) * 8, p[i].i);  // a double's bits too
        at = p[c->width - 1].next;
    }
    c->first = at;
    c->count -= rows * c->width;
    return GM_OK;
}

static gm_status write_cells(gm_line_batch *batch, const gm_line_key *k, gm_line_chain *c, gm_ask ask, gm_error *err)
{
    gm_cell_write *cells = batch->lines->cells;
    uint8_t        flags = GM_WRITE_SERIES;
    uint32_t       at = c->first, n = 0;
    for (; n < GM_LINES_RECORD_CELLS && at != GM_LINES_NOBODY; n++) {
        const gm_line_point *p = &batch->points[at];
        cells[n] = (gm_cell_write){ .column = p->column, .at = p->at, .value.kind = (gm_kind)p->kind };
        if (p->kind == GM_KIND_DOUBLE) cells[n].value.d = p->d;
        else if (p->kind == GM_KIND_STRING || p->kind == GM_KIND_JSON) cells[n].value.s = *p->s;
        else cells[n].value.i = p->i;
        flags |= gm_lines_flags_of(k->type, p->column);
        at = p->next;
    }
    gm_status st = gm_engine_write(batch->lines->ingest->engine, k->twin, flags, cells, n, n == c->count ? ask : (gm_ask){ 0 }, err);
    if (st != GM_OK) return st;
    c->first = at;
    c->count -= n;
    return GM_OK;
}

void gm_lines_refuse_gone(gm_line_batch *batch, uint64_t values)
{
    gm_lines_result *result = &batch->result;
    if (result->rejected == 0) snprintf(result->first, sizeof result->first, "the twin of a line was deleted or got another model meanwhile");
    result->rejected += values;
    result->points -= values;
}

// Between two slices of a request a twin may have gone, or got another model: then its points have no place any more.
static void drop_chains_of_the_gone(gm_line_batch *batch)
{
    uint32_t *link  = &batch->first_key;
    batch->last_key = GM_LINES_NOBODY;
    while (*link != GM_LINES_NOBODY) {
        uint32_t       id = *link;
        gm_line_chain *c  = &batch->chains[id];
        if (gm_lines_key_holds(batch->lines, &batch->lines->keys[id])) {
            batch->last_key = id;
            link            = &c->next_key;
            continue;
        }
        gm_lines_refuse_gone(batch, c->count);
        c->count = 0;
        *link    = c->next_key;
    }
}

// One record of a chain's front. Keeps what it could not write.
static gm_status write_record(gm_line_batch *batch, uint32_t id, gm_ask ask, gm_error *err)
{
    gm_lines          *lines = batch->lines;
    gm_line_chain     *c     = &batch->chains[id];
    const gm_line_key *k     = &lines->keys[id];
    gm_status          st    = c->ragged ? write_cells(batch, k, c, ask, err) : write_rows(batch, k, c, ask, err);
    if (st != GM_OK) return st;
    batch->wrote = batch->wrote || ask.call == NULL;
    lines->ingest->stats.applied++;
    if (k->map != NULL) k->map->stats.applied++;
    return GM_OK;
}

gm_status gm_lines_flush(gm_line_batch *batch, gm_ask ask, bool *out_asked, gm_error *err)
{
    batch->lines->turn++;
    drop_chains_of_the_gone(batch);
    if (out_asked != NULL) *out_asked = batch->first_key != GM_LINES_NOBODY;
    while (batch->first_key != GM_LINES_NOBODY) {
        uint32_t id   = batch->first_key;
        bool     last = batch->chains[id].next_key == GM_LINES_NOBODY;
        while (batch->chains[id].count > 0) {
            gm_status st = write_record(batch, id, last ? ask : (gm_ask){ 0 }, err);
            if (st != GM_OK) return st;
        }
        batch->first_key = batch->chains[id].next_key;
    }
    batch->last_key = GM_LINES_NOBODY;
    batch->count    = 0;
    return GM_OK;
}
