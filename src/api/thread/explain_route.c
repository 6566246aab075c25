// POST /v1/thread/explain: what is asked, and gathering what is known of each twin.
#include "api/thread/explain.h"

#include "api/futures/fleet.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "control/json.h"
#include "insight/live/insight.h"

#include <math.h>

enum { ROWS_MOST = 1000 };
static const char      WHERE[] = "api.explain";
static const gm_dur_ns SLICE   = 5 * GM_MILLISECOND;

static double number_of(gm_value value)
{
    return value.kind == GM_KIND_DOUBLE ? value.d : value.kind == GM_KIND_INT || value.kind == GM_KIND_BOOL ? (double)value.i : NAN;
}

// ---- the quantity ---------------------------------------------------------------------------------------------------

typedef struct reading { double *values; size_t count, most; gm_time_ns from; } reading;

static bool take_sample(void *context, const gm_sample *sample)
{
    reading *r = context;
    double   x = number_of(sample->value);
    if (r->count == 0) r->from = sample->at;
    r->values[r->count++] = x;
    return r->count < r->most;
}

static gm_status read_property(const gm_explaining *x, gm_twin twin, reading *r, gm_error *err)
{
    const gm_type *type   = gm_state_type(gm_api_state(x->request), twin);
    uint32_t       column = gm_type_column_index(type, x->property);
    gm_kind        kind   = column != GM_NO_COLUMN ? type->columns[column].kind : GM_KIND_NONE;
    if (kind != GM_KIND_DOUBLE && kind != GM_KIND_INT && kind != GM_KIND_BOOL) return gm_fail(err, GM_INVALID, WHERE, "it has no number of that name");
    return gm_engine_read_history(x->request->engine, twin, column, GM_TIME_MIN, GM_TIME_MAX, take_sample, r, err);
}

// The mean over every x->every-th row, and the variance of its error as the rows' scatter has it.
static bool reduce(const gm_explaining *x, const reading *r, gm_explain_twin *t)
{
    double sum = 0, squares = 0, n = 0;
    for (size_t i = x->every - 1; i < r->count; i += x->every) {
        if (!isfinite(r->values[i])) continue;
        n++;
        double before = n > 1 ? sum / (n - 1) : r->values[i];
        sum += r->values[i];
        squares += (r->values[i] - before) * (r->values[i] - sum / n);  // B. Welford's way: no large squares are subtracted
    }
    if (n == 0) return false;
    t->value = sum / n;
    t->noise = n > 1 ? squares / (n - 1) / n : NAN;
    t->from  = r->from;
    return true;
}

// ---- deviations -----------------------------------------------------------------------------------------------------

static bool is_asked(const gm_explaining *x, gm_str name, gm_str key)
{
    bool asked = x->key_count == 0;
    for (uint32_t i = 0; i < x->key_count && !asked; i++) asked = gm_str_eq(x->keys[i], name) || gm_str_eq(x->keys[i], key);
    return asked;
}

static uint32_t column_of(gm_explaining *x, gm_str name, gm_str unit)
{
    for (uint32_t i = 0; i < x->column_count; i++)
        if (gm_str_eq(x->columns[i].name, name) && gm_str_eq(x->columns[i].unit, unit)) return i;
    x->more_columns |= x->column_count == GM_EXPLAIN_INPUTS_MAX;
    if (x->more_columns) return UINT32_MAX;
    gm_str own = gm_arena_str(x->request->arena, name), of = gm_arena_str(x->request->arena, unit);
    if (own.ptr == NULL || of.ptr == NULL) return UINT32_MAX;
    x->columns[x->column_count] = (gm_explain_column){ .name = own, .unit = of };
    return x->column_count++;
}

static bool is_number(const gm_difference *d)
{
    return d->has_first && d->has_second && d->first.value.kind == GM_FACT_NUMBER && d->second.value.kind == GM_FACT_NUMBER && isfinite(d->second_number);
}

// Two parts at one place would be two deviations of one name.
static bool has_column(const gm_explain_twin *t, uint32_t column)
{
    const gm_explain_deviation *d = t->deviations;
    while (d != NULL && d->column != column) d = d->next;
    return d != NULL;
}

static gm_status note(gm_explaining *x, gm_explain_twin *t, const gm_part_difference *p)
{
    const gm_difference *d     = &p->difference;
    gm_arena            *arena = x->request->arena;
    gm_str               name  = p->place.len > 0 ? gm_arena_printf(arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(p->place), GM_STR_ARG(d->key)) : d->key;
    if (name.ptr == NULL) return GM_NOMEM;
    if (!is_asked(x, name, d->key) || !gm_life_shows(x->request, &d->first) || !gm_life_shows(x->request, &d->second)) return GM_OK;
    uint32_t column = column_of(x, name, d->first.value.unit);
    if (column == UINT32_MAX) return x->more_columns ? GM_OK : GM_NOMEM;
    if (has_column(t, column)) {
        t->why = "two of its parts stand at one place";
        return GM_OK;
    }
    gm_explain_deviation *own = GM_ARENA_NEW(arena, gm_explain_deviation, 1);
    if (own == NULL) return GM_NOMEM;
    double value = d->second_number - d->first.value.number;
    // What conversion of units leaves is no deviation.
    if (fabs(value) < 1e-12 * fabs(d->first.value.number)) value = 0;
    *own = (gm_explain_deviation){ t->deviations, column, value, d->verdict, gm_arena_str(arena, p->part), gm_arena_str(arena, d->second.cause) };
    x->columns[column].known++;
    t->deviations = own;
    return own->part.ptr != NULL && own->cause.ptr != NULL ? GM_OK : GM_NOMEM;
}

static gm_status find_deviations(gm_explaining *x, gm_explain_twin *t, gm_error *err)
{
    gm_part_difference *list;
    size_t              count;
    gm_arena           *scratch = gm_arena_create(x->request->alloc, 0);
    if (scratch == NULL) return gm_fail(err, GM_NOMEM, WHERE, "comparing phases");
    gm_status st = gm_thread_diff_assembly(gm_life_thread(x->request), scratch, t->id, x->first, x->second, t->from, INT64_MAX, &list, &count, err);
    for (size_t i = 0; st == GM_OK && i < count; i++)
        if (is_number(&list[i].difference) && note(x, t, &list[i]) != GM_OK) st = gm_fail(err, GM_NOMEM, WHERE, "comparing phases");
    gm_arena_destroy(scratch);
    return st;
}

// ---- one twin after the other ---------------------------------------------------------------------------------------

// What one twin lacks leaves it out, and is said; what all lack is an error.
static gm_status gather_one(gm_explaining *x, gm_explain_twin *t, gm_error *err)
{
    double             values[ROWS_MOST];
    reading            r       = { .values = values, .most = x->rows };
    gm_error           why     = { 0 };
    struct gm_insight *insight = x->request->api->options.insight;
    gm_twin            twin    = gm_api_find(x->request, t->id);
    if (!gm_twin_ok(twin)) {
        t->why = "it was deleted meanwhile";
        return GM_OK;
    }
    gm_status st = x->health.len == 0 ? read_property(x, twin, &r, &why)
                 : insight != NULL    ? gm_insight_first_health(insight, x->health, twin, x->rows, values, &r.count, &r.from, &why)
                                      : gm_fail(&why, GM_NOTFOUND, WHERE, "this plant has no files in insight/");
    if (st == GM_INVALID) {
        gm_str own = gm_arena_str(x->request->arena, gm_str_of(why.text));
        t->why     = own.ptr;
        return own.ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "gathering");
    }
    if (st != GM_OK) {
        *err = why;
        return st;
    }
    if (!reduce(x, &r, t)) {
        t->why = "it has no rows yet";
        return GM_OK;
    }
    return find_deviations(x, t, err);
}

static bool on_turn(void *context, gm_dur_ns *pause)
{
    gm_explaining  *x     = context;
    const gm_clock *clock = x->request->api->options.clock;
    gm_dur_ns       until = gm_monotonic(clock) + SLICE;
    gm_error        err   = { 0 };
    (void)pause;
    while (x->at < x->twin_count) {
        gm_status st = gather_one(x, &x->twins[x->at++], &err);
        if (st != GM_OK) {
            gm_reply_failure(x->request, st, &err);
            return false;
        }
        if (gm_monotonic(clock) > until) return true;
    }
    gm_explain_answer(x);
    return false;
}

static void at_end(void *context) { (void)context; }  // all of it lies in the request's arena

// ---- the request ----------------------------------------------------------------------------------------------------

static bool refuse(gm_request *request, const char *what)
{
    gm_reply_error(request, 400, "InvalidArgument", "%s", what);
    return false;
}

static bool read_count(const json_t *body, const char *name, uint32_t most, uint32_t *io)
{
    const json_t *n = json_object_get(body, name);
    if (n == NULL) return true;
    if (!json_is_integer(n) || json_integer_value(n) < 1 || json_integer_value(n) > most) return false;
    *io = (uint32_t)json_integer_value(n);
    return true;
}

static bool read_phase(const json_t *body, const char *name, gm_phase *io)
{
    return json_object_get(body, name) == NULL || gm_phase_of(gm_json_text(body, name), io);
}

static bool read_keys(gm_explaining *x, const json_t *keys)
{
    if (keys == NULL) return true;
    if (!json_is_array(keys) || json_array_size(keys) == 0 || json_array_size(keys) > GM_EXPLAIN_INPUTS_MAX) return false;
    x->keys = GM_ARENA_NEW(x->request->arena, gm_str, json_array_size(keys));
    for (size_t i = 0; x->keys != NULL && i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        if (!json_is_string(key)) return false;
        x->keys[x->key_count++] = (gm_str){ json_string_value(key), json_string_length(key) };  // the body lives as long as the request
    }
    return x->keys != NULL;
}

static bool read_body(gm_explaining *x, const json_t *body)
{
    gm_request   *request = x->request;
    const json_t *penalty = json_object_get(body, "penalty"), *level = json_object_get(body, "level");
    x->health             = gm_json_text(body, "health");
    x->property           = gm_json_text(body, "property");
    if ((x->health.len == 0) == (x->property.len == 0))
        return refuse(request, "Expected one of \"health\" (an entry of remainingLife in insight/) and \"property\" (a number of the twins).");
    if (!read_count(body, "rows", ROWS_MOST, &x->rows)) return refuse(request, "\"rows\": expected 1 to 1000: how many of the first rows are looked at.");
    if (!read_count(body, "every", x->rows, &x->every)) return refuse(request, "\"every\": expected 1 to \"rows\": of so many rows the last is taken.");
    if (!read_phase(body, "first", &x->first) || !read_phase(body, "second", &x->second)) return refuse(request, "\"first\", \"second\": expected phases, such as as-designed and as-built.");
    if (!read_keys(x, json_object_get(body, "keys"))) return refuse(request, "\"keys\": expected a list of 1 to 64 texts, such as \"hpc/tip clearance\".");
    if (penalty != NULL) x->options.penalty = json_number_value(penalty);
    if (level != NULL) x->options.level = json_number_value(level);
    if ((penalty != NULL && !json_is_number(penalty)) || !(x->options.penalty >= 0 && x->options.penalty <= 1e6)) return refuse(request, "\"penalty\": expected a number of 0 or more.");
    if ((level != NULL && !json_is_number(level)) || !(x->options.level >= 0.5 && x->options.level <= 0.999)) return refuse(request, "\"level\": expected 0.5 to 0.999.");
    return true;
}

static bool read_twins(gm_explaining *x, const json_t *body)
{
    gm_request    *request = x->request;
    gm_fleet_roots roots;
    if (!gm_fleet_read(request, body, request->arena, &roots)) return false;
    if (roots.count > GM_EXPLAIN_ASSETS_MAX) return refuse(request, "A fleet that is to be explained has at most 2000 twins; narrow the query.");
    x->twins = GM_ARENA_NEW(request->arena, gm_explain_twin, roots.count);
    if (x->twins == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return false;
    }
    for (uint32_t i = 0; i < roots.count; i++) x->twins[i].id = roots.roots[i];
    x->twin_count = roots.count;
    return true;
}

void gm_route_thread_explain(gm_request *request)
{
    const json_t *body = gm_request_json(request);
    gm_error      err  = { 0 };
    if (body == NULL) return;
    gm_explaining *x = GM_ARENA_NEW(request->arena, gm_explaining, 1);
    if (x == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *x = (gm_explaining){ .request = request, .rows = 20, .every = 1, .first = GM_PHASE_DESIGNED, .second = GM_PHASE_BUILT, .options = gm_explain_options_defaults() };
    if (!read_body(x, body) || !read_twins(x, body)) return;
    gm_status st = gm_held_begin(&x->held, request, on_turn, at_end, x, &err);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
}
