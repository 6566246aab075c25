#include "physics/fmi/input.h"

#include "physics/fmi/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 100000 };

typedef struct column {
    const gm_fmu_variable *variable;
    uint32_t               first, count;  // fields of a row
    uint32_t               values;        // of the variable
    bool                   whole;         // one field holds them all, separated by spaces
    bool                   continuous;
} column;

struct gm_fmu_input {
    const gm_fmu_description *d;
    gm_arena *arena;
    column   *columns;
    uint32_t  column_count, field_count;
    double   *times;
    gm_str   *fields;  // [rows][field_count], as written
    size_t    rows;
};

// One field of a line; quotes are taken off ("" inside stays doubled: no value of an FMU needs it in numbers, and texts
// are copied without). Returns false at the end of the line.
static bool next_field(gm_arena *arena, gm_str *line, gm_str *out)
{
    if (line->ptr == NULL) return false;
    if (line->len == 0 || line->ptr[0] != '"') return gm_str_next(line, ',', out);
    char  *copy = gm_arena_bytes(arena, line->len);
    size_t n = 0, i = 1;
    for (; copy != NULL && i < line->len; i++) {
        if (line->ptr[i] == '"' && (i + 1 >= line->len || line->ptr[i + 1] != '"')) break;
        i += line->ptr[i] == '"';
        copy[n++] = line->ptr[i];
    }
    *out = (gm_str){ copy, n };
    i++;
    *line = i < line->len ? gm_str_slice(*line, i + 1, line->len) : (gm_str){ NULL, 0 };
    return copy != NULL;
}

static gm_status add_column(gm_fmu_input *in, const gm_fmu_description *d, const uint32_t *counts, gm_str name, uint32_t field, gm_error *err)
{
    const gm_fmu_variable *v       = gm_fmu_find(d, name);
    size_t                 bracket = gm_str_find_char(name, '[');
    if (v == NULL && bracket != SIZE_MAX) {
        v            = gm_fmu_find(d, gm_str_slice(name, 0, bracket));
        column *last = in->column_count > 0 ? &in->columns[in->column_count - 1] : NULL;
        if (v != NULL && last != NULL && last->variable == v && last->first + last->count == field) {
            last->count++;
            last->values++;
            return GM_OK;
        }
    }
    if (v == NULL) return gm_fail_at(err, GM_INVALID, "fmi.input", 1, field, "the FMU has no variable '" GM_STR_FMT "'", GM_STR_ARG(name));
    if (v->causality != GM_FMI_INPUT && v->variability != GM_FMI_TUNABLE) {
        return gm_fail_at(err, GM_INVALID, "fmi.input", 1, field, "'" GM_STR_FMT "' is no input", GM_STR_ARG(name));
    }
    bool whole = bracket == SIZE_MAX && v->dimension_count > 0;
    in->columns[in->column_count++] = (column){ v, field, 1, whole ? counts[v - d->variables] : 1, whole, v->variability == GM_FMI_CONTINUOUS };
    return GM_OK;
}

static gm_status parse_head(gm_fmu_input *in, const uint32_t *counts, gm_str line, gm_error *err)
{
    gm_str   name;
    uint32_t field = 0;
    if (!next_field(in->arena, &line, &name) || !gm_str_is(gm_str_trim(name), "time")) {
        return gm_fail_at(err, GM_INVALID, "fmi.input", 1, 1, "the inputs' first column has to be time");
    }
    gm_status st = GM_OK;
    while (st == GM_OK && next_field(in->arena, &line, &name)) {
        if (field >= COLUMNS_MAX) return gm_fail(err, GM_LIMIT, "fmi.input", "more than %d columns", COLUMNS_MAX);
        st = add_column(in, in->d, counts, gm_str_trim(name), field++, err);
    }
    in->field_count = field;
    for (uint32_t i = 0; st == GM_OK && i < in->column_count; i++) {
        const column *c    = &in->columns[i];
        uint32_t      need = counts[c->variable - in->d->variables];
        if (c->values != need) {
            st = gm_fail_at(err, GM_INVALID, "fmi.input", 1, c->first, "" GM_STR_FMT " has %u values, but %u columns", GM_STR_ARG(c->variable->name),
                            need, c->values);
        }
    }
    return st;
}

// The text of the k-th value of the column's variable in a row.
static bool value_in(const column *c, const gm_str *row, uint32_t k, gm_str *out)
{
    gm_str rest = gm_str_trim(row[c->first]);
    *out        = row[c->first + (c->whole ? 0 : k)];
    for (uint32_t i = 0; c->whole && i <= k; i++) {
        if (rest.len == 0) return false;
        size_t end = gm_str_find_char(rest, ' ');
        *out       = gm_str_slice(rest, 0, end < rest.len ? end : rest.len);
        rest       = gm_str_trim(gm_str_slice(rest, out->len, rest.len));
    }
    return !c->whole || k + 1 < c->values || rest.len == 0;
}

static gm_status parse_row(gm_fmu_input *in, gm_str line, uint32_t number, gm_error *err)
{
    gm_str   field;
    uint32_t n = 0;
    char     text[64], *end;
    if (!next_field(in->arena, &line, &field)) return GM_OK;
    field = gm_str_trim(field);
    snprintf(text, sizeof text, GM_STR_FMT, (int)(field.len < 60 ? field.len : 60), field.ptr != NULL ? field.ptr : "");
    in->times[in->rows] = strtod(text, &end);
    if (*end != '\0' || text[0] == '\0' || !isfinite(in->times[in->rows])) {
        return gm_fail_at(err, GM_INVALID, "fmi.input", number, 1, "line %u: '%s' is no time", number, text);
    }
    if (in->rows > 0 && in->times[in->rows] < in->times[in->rows - 1]) {
        return gm_fail_at(err, GM_INVALID, "fmi.input", number, 1, "line %u: time goes back", number);
    }
    gm_str *to = in->fields + in->rows * in->field_count;
    while (n < in->field_count && next_field(in->arena, &line, &to[n])) n++;
    if (n != in->field_count || line.ptr != NULL) return gm_fail_at(err, GM_INVALID, "fmi.input", number, 1, "line %u: not %u values", number, in->field_count + 1);
    // Every value is read once now, so that a mistake is found before the run.
    gm_buf    scratch = gm_buf_init(gm_alloc_system());
    gm_status st      = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < in->column_count; i++) {
        for (uint32_t k = 0; st == GM_OK && k < in->columns[i].values; k++) {
            gm_buf_clear(&scratch);
            gm_str value;
            st = value_in(&in->columns[i], to, k, &value) ? gm_fmu_value_parse(in->d, in->columns[i].variable, value, &scratch, err)
                                                         : gm_fail_at(err, GM_INVALID, "fmi.input", number, i + 2, "line %u: " GM_STR_FMT " has %u values", number,
                                                                      GM_STR_ARG(in->columns[i].variable->name), in->columns[i].values);
        }
    }
    gm_buf_finish(&scratch);
    in->rows++;
    return st;
}

gm_status gm_fmu_input_parse(gm_arena *arena, const gm_fmu_description *d, const uint32_t *counts, gm_str csv, gm_fmu_input **out_input,
                             gm_error *err)
{
    *out_input       = NULL;
    gm_fmu_input *in = GM_ARENA_NEW(arena, gm_fmu_input, 1);
    size_t lines = 1, commas = 0;
    for (size_t i = 0; i < csv.len; i++) lines += csv.ptr[i] == '\n';
    gm_str rest = csv, line;
    if (!gm_str_next(&rest, '\n', &line)) return gm_fail(err, GM_INVALID, "fmi.input", "the inputs are empty");
    for (size_t i = 0; i < line.len; i++) commas += line.ptr[i] == ',';
    if (in != NULL) {
        in->d       = d;
        in->arena   = arena;
        in->columns = GM_ARENA_NEW(arena, column, commas + 1);
        in->times   = GM_ARENA_NEW(arena, double, lines);
        in->fields  = commas < COLUMNS_MAX && lines < SIZE_MAX / sizeof(gm_str) / (commas + 1) ? GM_ARENA_NEW(arena, gm_str, lines * (commas + 1)) : NULL;
    }
    if (in == NULL || in->columns == NULL || in->times == NULL || in->fields == NULL) return gm_fail(err, GM_NOMEM, "fmi.input", "the inputs");
    gm_status st = parse_head(in, counts, gm_str_trim(line), err);
    for (uint32_t number = 2; st == GM_OK && gm_str_next(&rest, '\n', &line); number++) {
        line = gm_str_trim(line);
        if (line.len > 0) st = parse_row(in, line, number, err);
    }
    if (st == GM_OK && in->rows == 0) st = gm_fail(err, GM_INVALID, "fmi.input", "the inputs have no rows");
    if (st == GM_OK) *out_input = in;
    return st;
}

static const gm_str *row_of(const gm_fmu_input *in, size_t row) { return in->fields + row * in->field_count; }

static bool discrete_change(const gm_fmu_input *in, size_t row)
{
    for (uint32_t i = 0; i < in->column_count; i++) {
        const column *c = &in->columns[i];
        for (uint32_t k = 0; !c->continuous && k < c->count; k++) {
            if (!gm_str_eq(row_of(in, row)[c->first + k], row_of(in, row + 1)[c->first + k])) return true;
        }
    }
    return false;
}

double gm_fmu_input_next_event(const gm_fmu_input *in, double time)
{
    for (size_t i = 0; in != NULL && i + 1 < in->rows; i++) {
        double t0 = in->times[i], t1 = in->times[i + 1];
        if (t1 > time && (t0 == t1 || discrete_change(in, i))) return t1;
    }
    return INFINITY;
}

// The last row at or before the time (after a jump), or the last one before it or the first at it (before a jump).
static size_t row_at(const gm_fmu_input *in, double time, bool after)
{
    size_t low = 0;
    for (size_t high = in->rows; low < high;) {  // the first row beyond
        size_t middle = low + (high - low) / 2;
        bool   beyond = after ? in->times[middle] > time : in->times[middle] >= time;
        if (beyond) high = middle;
        else low = middle + 1;
    }
    if (!after && low < in->rows && in->times[low] == time) return low;
    return low > 0 ? low - 1 : 0;
}

static double number_at(const gm_fmu_input *in, size_t row, const column *c, uint32_t k)
{
    char   text[64];
    gm_str given = { NULL, 0 };
    (void)value_in(c, row_of(in, row), k, &given);  // read once when it was parsed
    given = gm_str_trim(given);
    snprintf(text, sizeof text, GM_STR_FMT, (int)(given.len < 60 ? given.len : 60), given.ptr != NULL ? given.ptr : "");
    return strtod(text, NULL);
}

static double interpolate(const gm_fmu_input *in, size_t row, const column *c, uint32_t k, double time)
{
    double y0 = number_at(in, row, c, k);
    if (row + 1 >= in->rows || time <= in->times[row]) return y0;
    double t0 = in->times[row], t1 = in->times[row + 1];
    return t1 > t0 ? y0 + (number_at(in, row + 1, c, k) - y0) * ((time - t0) / (t1 - t0)) : y0;
}

gm_status gm_fmu_input_apply(const gm_fmu_input *in, gm_fmu_session *session, double time, unsigned what, gm_error *err)
{
    if (in == NULL) return GM_OK;
    size_t    row   = row_at(in, time, (what & GM_FMU_INPUT_AFTER) != 0);
    gm_buf    bytes = gm_buf_init(gm_alloc_system());
    gm_status st    = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < in->column_count; i++) {
        const column *c = &in->columns[i];
        if (!(what & (c->continuous ? GM_FMU_INPUT_CONTINUOUS : GM_FMU_INPUT_DISCRETE)) || c->variable->type == GM_FMI_CLOCK) continue;
        gm_buf_clear(&bytes);
        for (uint32_t k = 0; st == GM_OK && k < c->values; k++) {
            gm_str text = { NULL, 0 };
            if (c->continuous) gm_fmu_value_put(c->variable->type, interpolate(in, row, c, k, time), &bytes);
            else if (value_in(c, row_of(in, row), k, &text)) st = gm_fmu_value_parse(in->d, c->variable, text, &bytes, err);
        }
        if (st == GM_OK) st = gm_fmu_set(session, c->variable->type, &c->variable->reference, 1, c->values, gm_buf_view(&bytes), err);
    }
    gm_buf_finish(&bytes);
    return st;
}

double gm_fmu_input_next_row(const gm_fmu_input *in, double time)
{
    for (size_t i = 0; in != NULL && i < in->rows; i++) {
        if (in->times[i] >= time) return in->times[i];
    }
    return INFINITY;
}

bool gm_fmu_input_ticks(const gm_fmu_input *in, uint32_t reference, double time)
{
    if (in == NULL) return false;
    for (uint32_t i = 0; i < in->column_count; i++) {
        if (in->columns[i].variable->reference != reference) continue;
        size_t row = row_at(in, time, true);
        gm_str text = gm_str_trim(row_of(in, row)[in->columns[i].first]);
        return in->times[row] == time && (gm_str_is(text, "1") || gm_str_is(text, "true"));
    }
    return false;
}
