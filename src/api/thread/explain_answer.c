// What was gathered becomes a regression, and the regression an answer. The lines of one twin: those that matter most to it first.
#include "api/thread/explain.h"

#include "api/context.h"
#include "api/live.h"

#include <math.h>
#include <stdlib.h>

enum { BECAUSE_MOST = 10 };
static const char WHERE[] = "api.explain";

typedef struct table {
    gm_explaining             *x;
    uint32_t                   column_of[GM_EXPLAIN_INPUTS_MAX];  // [inputs]
    uint32_t                   input_of[GM_EXPLAIN_INPUTS_MAX];   // [columns]; UINT32_MAX: not used
    gm_explain_twin          **twins;                             // [assets]
    const gm_explain_deviation **cells;                           // [assets][inputs]
    double                    *numbers, *values, *noise;
    gm_str                    *names, input_names[GM_EXPLAIN_INPUTS_MAX];
    size_t                     assets, inputs;
    gm_explain                 fit;
} table;

// ---- what goes in ---------------------------------------------------------------------------------------------------

// A deviation counts when it is known of half of the twins; twins of which it is not known are then left out, by name. Returns how many
// twins there are to choose for.
static uint32_t choose_columns(table *t)
{
    gm_explaining *x  = t->x;
    uint32_t       in = 0;
    for (uint32_t c = 0; c < x->column_count; c++) x->columns[c].known = 0;
    for (uint32_t i = 0; i < x->twin_count; i++) {
        if (x->twins[i].why != NULL) continue;
        in++;
        for (const gm_explain_deviation *d = x->twins[i].deviations; d != NULL; d = d->next) x->columns[d->column].known++;
    }
    for (uint32_t c = 0; c < x->column_count; c++) {
        t->input_of[c] = UINT32_MAX;
        if (x->columns[c].known == 0 || 2 * x->columns[c].known < in) continue;
        t->input_of[c]               = (uint32_t)t->inputs;
        t->input_names[t->inputs]    = x->columns[c].name;
        t->column_of[t->inputs++]    = c;
    }
    return in;
}

static bool make_room(table *t)
{
    gm_arena *arena = t->x->request->arena;
    size_t    n = t->x->twin_count, p = t->inputs;
    t->twins   = GM_ARENA_NEW(arena, gm_explain_twin *, n + 1);
    t->cells   = GM_ARENA_NEW(arena, const gm_explain_deviation *, n * p + 1);
    t->numbers = GM_ARENA_NEW(arena, double, n * p + 1);
    t->values  = GM_ARENA_NEW(arena, double, n + 1);
    t->noise   = GM_ARENA_NEW(arena, double, n + 1);
    t->names   = GM_ARENA_NEW(arena, gm_str, n + 1);
    return t->twins != NULL && t->cells != NULL && t->numbers != NULL && t->values != NULL && t->noise != NULL && t->names != NULL;
}

static bool fill_row(table *t, gm_explain_twin *twin)
{
    const gm_explain_deviation **row = t->cells + t->assets * t->inputs;
    for (size_t k = 0; k < t->inputs; k++) row[k] = NULL;
    for (const gm_explain_deviation *d = twin->deviations; d != NULL; d = d->next)
        if (t->input_of[d->column] != UINT32_MAX) row[t->input_of[d->column]] = d;
    for (size_t k = 0; k < t->inputs; k++) {
        if (row[k] == NULL) {
            gm_str why = gm_arena_printf(t->x->request->arena, "'" GM_STR_FMT "' is not known of it", GM_STR_ARG(gm_str_slice(t->input_names[k], 0, 100)));
            twin->why  = why.ptr != NULL ? why.ptr : "a deviation is not known of it";
            return false;
        }
        t->numbers[t->assets * t->inputs + k] = row[k]->value;
    }
    return true;
}

static gm_status make_table(table *t, gm_error *err)
{
    gm_explaining *x = t->x;
    if (x->more_columns)
        return gm_fail(err, GM_INVALID, WHERE, "there are more than %d deviations; \"keys\" names those that are meant", GM_EXPLAIN_INPUTS_MAX);
    if (choose_columns(t) == 0)
        return gm_fail(err, GM_INVALID, WHERE, "no twin is left: '" GM_STR_FMT "': %.100s", GM_STR_ARG(gm_str_slice(x->twins[0].id, 0, 60)), x->twins[0].why);
    if (t->inputs == 0)
        return gm_fail(err, GM_INVALID, WHERE, "of no deviation is enough known: it takes numbers of one key in both phases, of half of the twins or of parts installed in them "
                                               "when their rows began");
    if (!make_room(t)) return gm_fail(err, GM_NOMEM, WHERE, "explaining");
    for (uint32_t i = 0; i < x->twin_count; i++) {
        gm_explain_twin *twin = &x->twins[i];
        if (twin->why != NULL || !fill_row(t, twin)) continue;
        t->twins[t->assets]  = twin;
        t->values[t->assets] = twin->value;
        t->noise[t->assets]  = twin->noise;
        t->names[t->assets]  = twin->id;
        t->assets++;
    }
    return GM_OK;
}

// ---- writing --------------------------------------------------------------------------------------------------------

static void write_question(const gm_explaining *x, gm_buf *out)
{
    gm_buf_text(out, x->health.len > 0 ? "{\"health\":" : "{\"property\":");
    gm_buf_json_str(out, x->health.len > 0 ? x->health : x->property);
    gm_buf_printf(out, ",\"rows\":%u,\"every\":%u,\"first\":\"%s\",\"second\":\"%s\"", x->rows, x->every, gm_phase_name(x->first), gm_phase_name(x->second));
    gm_live_number(out, "level", x->options.level);
    gm_live_number(out, "penalty", x->options.penalty);
}

static void write_inputs(const table *t, gm_buf *out)
{
    size_t n = 0;
    gm_buf_text(out, ",\"deviations\":[");
    for (size_t k = 0; k < t->inputs; k++) {
        const gm_explain_input *in = &t->fit.inputs[k];
        if (in->spread == 0) continue;
        gm_buf_text(out, n++ > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, t->input_names[k]);
        gm_live_member(out, "unit", t->x->columns[t->column_of[k]].unit);
        gm_live_number(out, "mean", in->mean);
        gm_live_number(out, "spread", in->spread);
        gm_live_number(out, "effect", in->effect);
        gm_live_number(out, "low", in->low);
        gm_live_number(out, "high", in->high);
        gm_live_number(out, "share", in->share);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

static void write_dropped(const table *t, gm_buf *out)
{
    const gm_explaining *x = t->x;
    size_t               n = 0;
    gm_buf_text(out, ",\"dropped\":[");
    for (uint32_t c = 0; c < x->column_count; c++) {
        bool used = t->input_of[c] != UINT32_MAX;
        if (used && t->fit.inputs[t->input_of[c]].spread > 0) continue;
        gm_buf_text(out, n++ > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, x->columns[c].name);
        if (used) gm_buf_text(out, ",\"why\":\"it is the same for all\"}");
        else gm_buf_printf(out, ",\"why\":\"it is known of %u\"}", x->columns[c].known);
    }
    gm_buf_text(out, "],\"leftOut\":[");
    n = 0;
    for (uint32_t i = 0; i < x->twin_count; i++) {
        if (x->twins[i].why == NULL) continue;
        gm_buf_text(out, n++ > 0 ? ",{\"twin\":" : "{\"twin\":");
        gm_buf_json_str(out, x->twins[i].id);
        gm_live_member(out, "why", gm_str_of(x->twins[i].why));
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

typedef struct ranked { double size; uint32_t index; } ranked;

static int by_size(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void write_because(const table *t, size_t asset, gm_buf *out)
{
    ranked order[GM_EXPLAIN_INPUTS_MAX];
    size_t n = 0;
    for (size_t k = 0; k < t->inputs; k++)
        if (t->fit.inputs[k].spread > 0) order[n++] = (ranked){ fabs(gm_explain_part(&t->fit, asset, k)), (uint32_t)k };
    qsort(order, n, sizeof *order, by_size);
    gm_buf_text(out, ",\"because\":[");
    for (size_t i = 0; i < n && i < BECAUSE_MOST; i++) {
        size_t                      k = order[i].index;
        const gm_explain_deviation *d = t->cells[asset * t->inputs + k];
        double                      part = gm_explain_part(&t->fit, asset, k), half = gm_explain_half(&t->fit, asset, k);
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, t->input_names[k]);
        gm_live_number(out, "deviation", d->value);
        gm_live_member(out, "unit", t->x->columns[t->column_of[k]].unit);
        gm_live_member(out, "verdict", gm_str_of(gm_verdict_name(d->verdict)));
        gm_live_member(out, "part", d->part);
        gm_live_member(out, "cause", d->cause);
        gm_live_number(out, "explains", part);
        gm_live_number(out, "low", part - half);
        gm_live_number(out, "high", part + half);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

static gm_status write_items(const table *t, gm_buf *out, gm_error *err)
{
    ranked *order = GM_ARENA_NEW(t->x->request->arena, ranked, t->assets);
    if (order == NULL) return gm_fail(err, GM_NOMEM, WHERE, "explaining");
    for (size_t i = 0; i < t->assets; i++) order[i] = (ranked){ fabs(t->fit.assets[i].offset), (uint32_t)i };
    qsort(order, t->assets, sizeof *order, by_size);
    gm_buf_text(out, ",\"items\":[");
    for (size_t n = 0; n < t->assets; n++) {
        size_t                  i = order[n].index;
        const gm_explain_asset *a = &t->fit.assets[i];
        gm_buf_text(out, n > 0 ? ",{\"twin\":" : "{\"twin\":");
        gm_buf_json_str(out, t->names[i]);
        gm_live_time(out, "from", t->twins[i]->from);
        gm_live_number(out, "value", t->values[i]);
        gm_live_number(out, "offset", a->offset);
        gm_live_number(out, "sigmas", a->offset / t->fit.spread);
        gm_live_number(out, "explained", a->explained);
        write_because(t, i, out);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
    return GM_OK;
}

static gm_status write_answer(const table *t, gm_error *err)
{
    gm_buf           *out = &t->x->request->out;
    const gm_explain *e   = &t->fit;
    write_question(t->x, out);
    gm_buf_printf(out, ",\"twins\":%zu", t->assets);
    gm_live_number(out, "mean", e->mean);
    gm_live_number(out, "spread", e->spread);
    gm_live_number(out, "noise", e->noise);
    gm_live_number(out, "r2", e->r2);
    gm_live_number(out, "r2LeftOut", e->r2_left_out);
    gm_live_number(out, "chance", e->chance);
    write_inputs(t, out);
    write_dropped(t, out);
    gm_status st = write_items(t, out, err);
    gm_buf_byte(out, '}');
    return st == GM_OK && out->failed ? gm_fail(err, GM_NOMEM, WHERE, "writing the answer") : st;
}

void gm_explain_answer(gm_explaining *x)
{
    table     t   = { .x = x };
    gm_error  err = { 0 };
    gm_status st  = make_table(&t, &err);
    if (st == GM_OK) {
        gm_explain_question q = { .x = t.numbers, .y = t.values, .noise = t.noise, .asset_names = t.names, .input_names = t.input_names, .assets = t.assets, .inputs = t.inputs };
        st = gm_explain_fit(x->request->alloc, &q, &x->options, &t.fit, &err);
    }
    if (st == GM_OK) st = write_answer(&t, &err);
    gm_explain_finish(&t.fit);
    if (st == GM_OK) gm_reply_json(x->request, 200);
    else {
        gm_buf_clear(&x->request->out);
        gm_reply_failure(x->request, st, &err);
    }
}
