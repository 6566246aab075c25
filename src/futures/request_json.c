#include "futures/request_json.h"

#include "base/number.h"

#include <math.h>

static const char where[] = "futures.request";

#define CUT(s) GM_STR_ARG(gm_str_slice((s), 0, 80))

typedef struct reader {
    const json_t           *body;
    const gm_futures_world *world;
    gm_arena               *arena;
    gm_futures_request     *r;
    gm_error               *err;
} reader;

static gm_status wrong(const reader *at, const char *field, const char *what)
{
    return gm_fail(at->err, GM_INVALID, where, "\"%s\": expected %s", field, what);
}

static gm_status no_memory(const reader *at) { return gm_fail(at->err, GM_NOMEM, where, "reading a request"); }

static gm_str text_of(const json_t *value) { return (gm_str){ json_string_value(value), json_string_length(value) }; }

// ---- plain fields ---------------------------------------------------------------------------------------------------

static gm_status read_seconds(const reader *at, const char *field, double *out)
{
    const json_t *value = json_object_get(at->body, field);
    if (value == NULL) return GM_OK;
    if (json_is_number(value) && json_number_value(value) >= 0) {
        *out = json_number_value(value);
        return GM_OK;
    }
    if (!json_is_string(value) || gm_seconds_read(text_of(value), out, NULL) != GM_OK)
        return wrong(at, field, "a time such as \"24h\", or seconds");
    return GM_OK;
}

static gm_status read_count(const reader *at, const char *field, uint64_t max, uint64_t *out)
{
    const json_t *value = json_object_get(at->body, field);
    if (value == NULL) return GM_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
        return wrong(at, field, "a whole number in its range");
    *out = (uint64_t)json_integer_value(value);
    return GM_OK;
}

static gm_status read_u32(const reader *at, const char *field, uint32_t max, uint32_t *out)
{
    uint64_t  n  = *out;
    gm_status st = read_count(at, field, max, &n);
    *out         = (uint32_t)n;
    return st;
}

static gm_status read_numbers(const reader *at, const char *field, const json_t *value, const double **out,
                              uint32_t *out_count)
{
    if (value == NULL) return GM_OK;
    size_t  n       = json_array_size(value);
    double *numbers = GM_ARENA_NEW(at->arena, double, n + 1);
    if (!json_is_array(value) || n > 1000000) return wrong(at, field, "a list of numbers");
    if (numbers == NULL) return no_memory(at);
    for (size_t i = 0; i < n; i++) {
        if (!json_is_number(json_array_get(value, i))) return wrong(at, field, "a list of numbers");
        numbers[i] = json_number_value(json_array_get(value, i));
    }
    *out       = numbers;
    *out_count = (uint32_t)n;
    return GM_OK;
}

static gm_status read_names(const reader *at)
{
    static const struct { const char *text; gm_futures_method method;
    } methods[]          = { { "rk4", GM_FUTURES_FIXED },
                             { "euler", GM_FUTURES_EULER },
                             { "dopri", GM_FUTURES_ADAPTIVE },
                             { "implicit", GM_FUTURES_STIFF } };
    const json_t *method = json_object_get(at->body, "method"), *design = json_object_get(at->body, "design"),
                 *sensitivity = json_object_get(at->body, "sensitivity");
    gm_futures_request *r = at->r;
    bool found = method == NULL;
    // A tolerance asks for steps of the method's own choice.
    if (method == NULL && json_object_get(at->body, "tolerance") != NULL && json_object_get(at->body, "step") == NULL)
        r->method = GM_FUTURES_ADAPTIVE;
    for (size_t i = 0; !found && i < 4; i++) {
        found = json_is_string(method) && gm_str_is(text_of(method), methods[i].text);
        if (found) r->method = methods[i].method;
    }
    if (!found) return wrong(at, "method", "rk4, euler, dopri or implicit");
    for (int kind = GM_DESIGN_RANDOM; design != NULL && kind <= GM_DESIGN_SOBOL; kind++) {
        if (json_is_string(design) && gm_str_is(text_of(design), gm_design_text((gm_design_kind)kind)))
            r->design = (gm_design_kind)kind, design = NULL;
    }
    if (design != NULL) return wrong(at, "design", "random, latin or sobol");
    if (sensitivity == NULL || json_is_null(sensitivity)) return GM_OK;
    if (!json_is_string(sensitivity)) return wrong(at, "sensitivity", "sobol or morris");
    if (gm_str_is(text_of(sensitivity), "sobol")) r->design = GM_DESIGN_SALTELLI;
    else if (gm_str_is(text_of(sensitivity), "morris")) r->design = GM_DESIGN_MORRIS;
    else return wrong(at, "sensitivity", "sobol or morris");
    return GM_OK;
}

static gm_status read_plain(const reader *at)
{
    gm_futures_request *r         = at->r;
    const json_t       *tolerance = json_object_get(at->body, "tolerance");
    gm_status           st        = read_seconds(at, "horizon", &r->horizon_s);
    if (st == GM_OK) st = read_seconds(at, "step", &r->step_s);
    if (st == GM_OK) st = read_seconds(at, "every", &r->every_s);
    if (st == GM_OK && tolerance != NULL && !json_is_number(tolerance)) st = wrong(at, "tolerance", "a number");
    if (st == GM_OK && tolerance != NULL) r->tolerance = json_number_value(tolerance);
    if (st == GM_OK) st = read_u32(at, "points", GM_FUTURES_POINTS_MAX, &r->points);
    if (st == GM_OK) st = read_u32(at, "lanes", GM_FUTURES_LANES_MAX, &r->lanes);
    if (st == GM_OK) st = read_u32(at, "threads", GM_POOL_THREADS_MAX, &r->threads_max);
    if (st == GM_OK) st = read_u32(at, "bins", 1000, &r->bins);
    if (st == GM_OK) st = read_count(at, "seed", INT64_MAX, &r->seed);
    if (st == GM_OK) st = read_names(at);
    return st == GM_OK ? read_numbers(at, "quantiles", json_object_get(at->body, "quantiles"), &r->quantiles,
                                      &r->quantile_count)
                       : st;
}

// ---- variations -----------------------------------------------------------------------------------------------------

static gm_status words_json(const json_t *value, gm_arena *arena, gm_word **out, uint32_t *out_count, gm_error *err)
{
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (n > GM_WORDING_ARGS_MAX)
        return gm_fail(err, GM_LIMIT, where, "a list of more than %d values", GM_WORDING_ARGS_MAX);
    *out = GM_ARENA_NEW(arena, gm_word, n + 1);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, where, "reading a request");
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
        gm_status     st  = GM_OK;
        if (json_is_number(one)) (*out)[i] = (gm_word){ .number = json_number_value(one) };
        else if (json_is_boolean(one)) (*out)[i] = (gm_word){ .number = json_is_true(one) };
        else if (json_is_string(one)) st = gm_word_read(text_of(one), &(*out)[i], err);
        else st = gm_fail(err, GM_INVALID, where, "a variation takes numbers, or texts such as \"2 l/s\"");
        if (st != GM_OK) return st;
    }
    *out_count = (uint32_t)n;
    return GM_OK;
}

static gm_status series_json(const json_t *value, gm_arena *arena, gm_wording *out, gm_error *err)
{
    reader    at     = { .arena = arena, .err = err };
    uint32_t  values = 0;
    gm_status st     = GM_OK;
    const json_t *hold = json_object_get(value, "hold");
    if (!json_is_object(value) || json_object_get(value, "time") == NULL || json_object_get(value, "values") == NULL ||
        (hold != NULL && !json_is_boolean(hold)))
        return wrong(&at, "series", "{\"time\":[s, ...],\"values\":[...]} and perhaps \"hold\":true");
    st = read_numbers(&at, "time", json_object_get(value, "time"), &out->times, &out->count);
    if (st == GM_OK) st = read_numbers(&at, "values", json_object_get(value, "values"), &out->values, &values);
    if (st == GM_OK && values != out->count)
        st = gm_fail(err, GM_INVALID, where, "\"series\": %u times and %u values", out->count, values);
    out->linear = !json_is_true(hold);
    return st;
}

static gm_status when_json(const json_t *value, gm_arena *arena, gm_wording *out, gm_error *err)
{
    const json_t *at = json_object_get(value, "at"), *lasts = json_object_get(value, "for");
    gm_status     st = GM_OK;
    gm_wording    when;
    if (json_is_number(at)) st = words_json(at, arena, &out->when_args, &out->when_count, err);
    else if (json_is_string(at)) {  // "1h", "uniform(0,24h)": as behind '@'
        gm_buf text = gm_buf_init(gm_alloc_system());
        gm_buf_text(&text, "x@");
        gm_buf_str(&text, text_of(at));
        gm_str kept = text.failed ? (gm_str){ 0 } : gm_arena_str(arena, gm_buf_view(&text));
        gm_buf_finish(&text);
        if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, where, "reading a request");
        st = gm_wording_parse(kept, arena, &when, err);
        out->when_function = when.when_function, out->when_args = when.when_args, out->when_count = when.when_count,
        out->lasts_s = when.lasts_s;
    } else if (at != NULL) st = gm_fail(err, GM_INVALID, where, "\"at\": expected a time such as \"1h\"");
    out->scheduled = at != NULL;
    if (st != GM_OK || lasts == NULL) return st;
    if (json_is_number(lasts)) out->lasts_s = json_number_value(lasts);
    else if (!json_is_string(lasts) || gm_seconds_read(text_of(lasts), &out->lasts_s, NULL) != GM_OK)
        return gm_fail(err, GM_INVALID, where, "\"for\": expected a time such as \"30min\"");
    return out->lasts_s > 0 ? GM_OK : gm_fail(err, GM_INVALID, where, "\"for\": it must be above 0");
}

gm_status gm_wording_read_json(const json_t *value, gm_arena *arena, gm_wording *out, gm_error *err)
{
    const char   *key;
    const json_t *member;
    uint32_t      meanings = 0;
    *out = (gm_wording){ 0 };
    if (json_is_string(value)) {
        gm_str text = gm_arena_str(arena, text_of(value));
        return text.ptr != NULL ? gm_wording_parse(text, arena, out, err)
                                : gm_fail(err, GM_NOMEM, where, "reading a request");
    }
    if (!json_is_object(value))
        return gm_fail(err, GM_INVALID, where,
                       "a variation is a text such as \"tank1.leak=uniform(0,0.02)\", or an object");
    for (void *it = json_object_iter((json_t *)(uintptr_t)value); it != NULL;
         it       = json_object_iter_next((json_t *)(uintptr_t)value, it)) {
        key          = json_object_iter_key(it);
        member       = json_object_iter_value(it);
        gm_status st = GM_OK;
        if (strcmp(key, "at") == 0 || strcmp(key, "for") == 0) continue;
        if (strcmp(key, "name") == 0 || strcmp(key, "fault") == 0) {
            out->target = gm_arena_str(arena, text_of(member));
            if (!json_is_string(member)) return gm_fail(err, GM_INVALID, where, "\"%s\": expected a text", key);
            if (key[0] == 'f') out->function = GM_STR("fault"), meanings++;
        } else if (strcmp(key, "op") == 0) {
            gm_str op = json_is_string(member) ? text_of(member) : GM_STR("");
            if (gm_str_is(op, "add")) out->how = GM_VARY_ADD;
            else if (gm_str_is(op, "scale")) out->how = GM_VARY_SCALE;
            else if (!gm_str_is(op, "set"))
                return gm_fail(err, GM_INVALID, where, "\"op\": expected set, add or scale");
        } else if (strcmp(key, "series") == 0) {
            out->function = GM_STR("series"), meanings++;
            st            = series_json(member, arena, out, err);
        } else {
            if (strcmp(key, "value") != 0) out->function = gm_arena_str(arena, gm_str_of(key));
            meanings++;
            st = words_json(member, arena, &out->args, &out->arg_count, err);
        }
        if (st != GM_OK) return st;
    }
    if (out->target.len == 0 || meanings != 1)
        return gm_fail(
            err, GM_INVALID, where,
            "a variation needs a \"name\" and one of \"value\", \"series\" or a function such as \"uniform\"");
    return when_json(value, arena, out, err);
}

static gm_status read_vary(const reader *at, const json_t *list, const char *field, const gm_vary **out,
                           uint32_t *out_count)
{
    *out_count = 0;
    if (list == NULL) return GM_OK;
    if (!json_is_array(list) || json_array_size(list) > GM_FUTURES_VARY_MAX)
        return wrong(at, field, "a list of variations");
    size_t   room = json_array_size(list) + GM_WORDING_ROOM;
    gm_vary *vary = GM_ARENA_NEW(at->arena, gm_vary, room);
    *out          = vary;
    for (size_t i = 0; i < json_array_size(list); i++) {
        gm_wording w;
        uint32_t   n;
        if (vary == NULL) return no_memory(at);
        if (*out_count + GM_WORDING_ROOM > room) {  // faults bring several changes each
            gm_vary *more = GM_ARENA_NEW(at->arena, gm_vary, 2 * room);
            if (more == NULL) return no_memory(at);
            memcpy(more, vary, *out_count * sizeof *more);
            *out = vary = more;
            room *= 2;
        }
        gm_status st = gm_wording_read_json(json_array_get(list, i), at->arena, &w, at->err);
        if (st == GM_OK) st = gm_wording_bind(&w, at->world, at->arena, vary + *out_count, &n, at->err);
        if (st != GM_OK) return st;
        *out_count += n;
    }
    return GM_OK;
}

static gm_status read_scenarios(const reader *at)
{
    const json_t *all = json_object_get(at->body, "scenarios");
    const char   *name;
    json_t       *list;
    if (all == NULL) return GM_OK;
    if (!json_is_object(all) || json_object_size(all) > GM_FUTURES_SCENARIO_MAX)
        return wrong(at, "scenarios", "an object: a list of variations for each name");
    gm_scenario *scenarios = GM_ARENA_NEW(at->arena, gm_scenario, json_object_size(all) + 1);
    if (scenarios == NULL) return no_memory(at);
    json_object_foreach((json_t *)(uintptr_t)all, name, list) {
        gm_scenario *s = &scenarios[at->r->scenario_count++];
        s->name        = gm_arena_str(at->arena, gm_str_of(name));
        gm_status st   = read_vary(at, list, name, &s->vary, &s->vary_count);
        if (st != GM_OK) return st;
    }
    at->r->scenarios = scenarios;
    return GM_OK;
}

static gm_status read_correlations(const reader *at)
{
    const json_t *all = json_object_get(at->body, "correlations");
    static const char form[] = "a list of {\"names\":[...],\"matrix\":[[...], ...]}";
    if (all == NULL) return GM_OK;
    if (!json_is_array(all) || json_array_size(all) > 64) return wrong(at, "correlations", form);
    gm_correlation *c = GM_ARENA_NEW(at->arena, gm_correlation, json_array_size(all) + 1);
    if (c == NULL) return no_memory(at);
    for (size_t k = 0; k < json_array_size(all); k++) {
        const json_t *names = json_object_get(json_array_get(all, k), "names"),
                     *rows  = json_object_get(json_array_get(all, k), "matrix");
        size_t        n = json_array_size(names);
        if (!json_is_array(names) || !json_is_array(rows) || json_array_size(rows) != n || n > 100)
            return wrong(at, "correlations", form);
        uint32_t *items  = GM_ARENA_NEW(at->arena, uint32_t, n + 1);
        double   *matrix = GM_ARENA_NEW(at->arena, double, n * n + 1);
        if (items == NULL || matrix == NULL) return no_memory(at);
        for (size_t i = 0; i < n; i++) {
            const json_t *row = json_array_get(rows, i), *name = json_array_get(names, i);
            uint32_t      found = 0;
            while (found < at->r->vary_count &&
                   !(json_is_string(name) && gm_str_eq(at->r->vary[found].name, text_of(name))))
                found++;
            if (found == at->r->vary_count || json_array_size(row) != n) return wrong(at, "correlations", form);
            items[i] = found;
            for (size_t j = 0; j < n; j++) matrix[i * n + j] = json_number_value(json_array_get(row, j));
        }
        c[k] = (gm_correlation){ items, matrix, (uint32_t)n };
    }
    at->r->correlations      = c;
    at->r->correlation_count = (uint32_t)json_array_size(all);
    return GM_OK;
}

// ---- what to look at ------------------------------------------------------------------------------------------------

typedef gm_status read_one(const reader *at, gm_str text, void *to);

static gm_status one_output(const reader *at, gm_str text, void *to)
{
    return gm_watched_read(text, at->world, to, at->err);
}
static gm_status one_condition(const reader *at, gm_str text, void *to)
{
    return gm_condition_read(text, at->world, to, at->err);
}
static gm_status one_score(const reader *at, gm_str text, void *to)
{
    return gm_score_read(text, at->world, to, at->err);
}

static gm_status one_exceedance(const reader *at, gm_str text, void *to)
{
    gm_condition   c;
    gm_exceedance *e  = to;
    gm_status      st = gm_condition_read(text, at->world, &c, at->err);
    if (st != GM_OK) return st;
    *e = (gm_exceedance){ .text = c.text, .below = c.below, .threshold = c.threshold };
    while (e->output < at->r->output_count && !gm_str_eq(at->r->outputs[e->output].name, c.of.name)) e->output++;
    if (e->output < at->r->output_count) return GM_OK;
    return gm_fail(at->err, GM_INVALID, where, "\"exceed\": " GM_STR_FMT " must be one of the outputs too",
                   CUT(c.of.name));
}

static gm_status read_list(const reader *at, const char *field, uint32_t max, size_t size, read_one *read,
                           void *out_items, uint32_t *out_count)
{
    const json_t *list = json_object_get(at->body, field);
    if (list == NULL) return GM_OK;
    if (!json_is_array(list) || json_array_size(list) > max) return wrong(at, field, "a list of texts, not too many");
    char *items = gm_arena_zeroed(at->arena, json_array_size(list) + 1, size);
    if (items == NULL) return no_memory(at);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_string(one)) return wrong(at, field, "a list of texts");
        gm_str    text = gm_arena_str(at->arena, text_of(one));
        gm_status st   = text.ptr != NULL ? read(at, text, items + i * size) : no_memory(at);
        if (st != GM_OK) return st;
    }
    *(void **)out_items = items;
    *out_count          = (uint32_t)json_array_size(list);
    return GM_OK;
}

static gm_status check_fields(const reader *at, const char *const *others)
{
    static const char *const known[] = { "horizon",   "step",         "every",   "tolerance", "method",      "points",
                                         "lanes",     "threads",      "seed",    "design",    "sensitivity", "vary",
                                         "scenarios", "correlations", "outputs", "quantiles", "exceed",      "until",
                                         "score",     "bins",         NULL };
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)at->body, key, value) {
        bool found = false;
        for (size_t i = 0; known[i] != NULL; i++) found |= strcmp(known[i], key) == 0;
        for (size_t i = 0; others != NULL && others[i] != NULL; i++) found |= strcmp(others[i], key) == 0;
        if (!found)
            return gm_fail(at->err, GM_INVALID, where, "there is no field \"%.60s\"; docs/futures.md lists them", key);
    }
    return GM_OK;
}

gm_status gm_futures_request_read(const json_t *body, const char *const *others, const gm_futures_world *world,
                                  gm_arena *arena, gm_futures_request *r, gm_error *err)
{
    reader at = { .body = body, .world = world, .arena = arena, .r = r, .err = err };
    if (!json_is_object(body)) return gm_fail(err, GM_INVALID, where, "a request is a JSON object");
    gm_status st = check_fields(&at, others);
    if (st == GM_OK) st = read_plain(&at);
    if (st == GM_OK) st = read_vary(&at, json_object_get(body, "vary"), "vary", &r->vary, &r->vary_count);
    if (st == GM_OK) st = read_scenarios(&at);
    if (st == GM_OK) st = read_correlations(&at);
    if (st == GM_OK)
        st = read_list(&at, "outputs", GM_FUTURES_OUTPUTS_MAX, sizeof(gm_watched), one_output, &r->outputs,
                       &r->output_count);
    if (st == GM_OK)
        st = read_list(&at, "until", GM_FUTURES_WATCH_MAX, sizeof(gm_condition), one_condition, &r->conditions,
                       &r->condition_count);
    if (st == GM_OK)
        st = read_list(&at, "score", GM_FUTURES_WATCH_MAX, sizeof(gm_score), one_score, &r->scores, &r->score_count);
    if (st == GM_OK)
        st = read_list(&at, "exceed", GM_FUTURES_WATCH_MAX, sizeof(gm_exceedance), one_exceedance, &r->exceedances,
                       &r->exceedance_count);
    return st;
}
