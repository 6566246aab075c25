// What a reader made of a text becomes records: its tables are held against keys and twins first, all of them, and only then
// written, so that a text that is not as simple as it looked can still be read with care.
#include "link/lines_internal.h"

#define WHERE "link.lines"

// Values that are not taken as they stand, by the rules of the mapping and the schema. False: not numbers any more, or refused.
static bool fit_values(const gm_line_meaning *f, uint64_t *values, size_t n)
{
    gm_error ignored;
    if (f->leaf->kind != GM_KIND_DOUBLE && f->leaf->kind != GM_KIND_INT) return false;
    for (size_t i = 0; i < n; i++) {
        gm_value value = { .kind = GM_KIND_DOUBLE }, fitted;
        memcpy(&value.d, &values[i], sizeof value.d);
        if (gm_map_fit(f->leaf, f->rule, &value, &fitted, &ignored) != GM_OK) return false;
        memcpy(&values[i], &fitted.i, sizeof fitted.i);  // a double's bits too
    }
    return true;
}

static bool find_number(gm_lines *lines, gm_line_table *t, gm_error *err)
{
    if (*t->number != GM_LINE_NO_NUMBER && gm_lines_key_holds(lines, &lines->keys[*t->number])) return true;
    uint32_t id;
    if (gm_lines_find_key(lines, t->key, &id, err) != GM_OK) return false;
    *t->number = id;
    return true;
}

// The columns that a table has values for. GM_INVALID: a name that the model does not have, or a column that stands twice.
static gm_status columns_of(gm_lines *lines, const gm_line_table *t, gm_row_column *out, const gm_line_meaning **out_meanings, size_t *out_n,
                            gm_error *err)
{
    gm_line_key *k = &lines->keys[*t->number];
    *out_n         = 0;
    for (size_t f = 0; f < t->width; f++) {
        const gm_line_meaning *m;
        gm_status              st = gm_lines_find_field(lines, k, f, t->names[f], &m, err);
        if (st != GM_OK) return st;
        out_meanings[f] = m->column != GM_NO_COLUMN ? m : NULL;
        if (m->column == GM_NO_COLUMN) continue;
        for (size_t i = 0; i < *out_n; i++) {
            if (out[i].column == m->column) return gm_fail(err, GM_INVALID, WHERE, "a field stands twice");
        }
        out[(*out_n)++] = (gm_row_column){ (uint16_t)m->column, (uint8_t)m->leaf->kind };
    }
    return *out_n > 0 ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "no field is part of the model");
}

// Can all of the table be taken as it stands? Its values are made fit for the columns.
static bool suits(gm_line_batch *batch, gm_line_table *t)
{
    gm_row_column          columns[GM_LINE_FIELDS_MAX];
    const gm_line_meaning *meanings[GM_LINE_FIELDS_MAX];
    size_t                 n;
    gm_error               ignored;
    if (t->latest > batch->latest || !find_number(batch->lines, t, &ignored)) return false;
    if (columns_of(batch->lines, t, columns, meanings, &n, &ignored) != GM_OK) return false;
    for (size_t f = 0; f < t->width; f++) {
        if (meanings[f] != NULL && !meanings[f]->plain && !fit_values(meanings[f], t->values + f * t->rows, t->rows)) return false;
    }
    t->note = batch->lines->keys[*t->number].type->number;
    batch->result.points += n * t->rows;
    return true;
}

// Rows from `first` on, as many as a record holds.
static gm_status write_part(gm_line_batch *batch, gm_line_table *t, uint32_t first, const gm_row_column *columns,
                            const gm_line_meaning *const *meanings, size_t n, uint32_t *out_rows, gm_error *err)
{
    const gm_line_key *k     = &batch->lines->keys[*t->number];
    uint32_t           rows  = t->rows - first, most = GM_LINES_RECORD_CELLS / (uint32_t)n;
    uint8_t            flags = GM_WRITE_SERIES;
    gm_row_table       out;
    if (rows > most) rows = most;
    for (size_t i = 0; i < n; i++) flags |= gm_lines_flags_of(k->type, columns[i].column);
    gm_status st = gm_engine_write_rows(batch->lines->ingest->engine, k->twin, flags, columns, n, rows, (gm_ask){ 0 }, &out, err);
    if (st != GM_OK) return st;
    memcpy(out.times, t->times + first, rows * sizeof *t->times);
    uint8_t *to = out.values;
    for (size_t f = 0; f < t->width; f++) {
        if (meanings[f] == NULL) continue;
        memcpy(to, t->values + f * t->rows + first, rows * sizeof *t->values);
        to += rows * sizeof *t->values;
    }
    *out_rows           = rows;
    batch->wrote        = true;
    batch->lines->ingest->stats.applied++;
    if (k->map != NULL) k->map->stats.applied++;
    return GM_OK;
}

// The table under way, from where it stopped. Since it was looked at its twin may have gone, or have got another model.
static gm_status write_table(gm_line_batch *batch, gm_line_table *t, gm_error *err)
{
    gm_row_column          columns[GM_LINE_FIELDS_MAX];
    const gm_line_meaning *meanings[GM_LINE_FIELDS_MAX];
    size_t                 n     = 0;
    gm_line_key           *k     = &batch->lines->keys[*t->number];
    bool                   there = gm_lines_key_holds(batch->lines, k) && k->type->number == t->note &&
                 columns_of(batch->lines, t, columns, meanings, &n, err) == GM_OK;
    if (!there) gm_lines_refuse_gone(batch, (uint64_t)(t->rows - batch->row_at) * t->width);
    while (there && batch->row_at < t->rows) {
        uint32_t  rows;
        gm_status st = write_part(batch, t, batch->row_at, columns, meanings, n, &rows, err);
        if (st != GM_OK) return st;
        batch->row_at += rows;
    }
    if (k->map != NULL) k->map->stats.messages += t->rows;
    batch->row_at = 0;
    return GM_OK;
}

gm_status gm_lines_take_tables(gm_line_batch *batch, gm_line_reader *reader, size_t taken, gm_str *rest, gm_error *err)
{
    gm_lines_begin_turn(batch);
    if (!batch->writing) {
        gm_status st = batch->count > 0 ? gm_lines_flush(batch, (gm_ask){ 0 }, NULL, err) : GM_OK;
        if (st != GM_OK) return st;
        uint64_t points = batch->result.points;
        for (size_t i = 0; i < gm_line_reader_count(reader); i++) {
            if (suits(batch, gm_line_reader_table(reader, i))) continue;
            batch->result.points = points;
            return gm_fail(err, GM_CONFLICT, WHERE, "these lines want care");
        }
        batch->writing  = true;
        batch->table_at = batch->row_at = 0;
    }
    for (; batch->table_at < gm_line_reader_count(reader); batch->table_at++) {
        gm_status st = write_table(batch, gm_line_reader_table(reader, batch->table_at), err);
        if (st != GM_OK) return st;
    }
    batch->writing = false;
    batch->before  = GM_LINES_NOBODY;
    batch->result.lines += gm_line_reader_lines(reader);
    batch->line.number += gm_line_reader_ends(reader);
    *rest = gm_str_slice(*rest, taken, rest->len);
    return GM_OK;
}
