#include "control/optimise/plan_file.h"

#include "base/time.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char WHERE[] = "control.plan";

bool gm_plan_file_is(gm_str name) { return gm_str_ends(name, GM_STR(".plan")); }

static gm_status wrong(gm_error *err, const gm_plan_setup *s, const char *member, const char *what)
{
    return gm_fail(err, GM_INVALID, WHERE, "plan '" GM_STR_FMT "': \"%s\": %s", GM_STR_ARG(gm_str_slice(s->name, 0, 60)), member, what);
}

static gm_status text(gm_arena *arena, const gm_plan_setup *s, const json_t *object, const char *member, bool needed, gm_str *out, gm_error *err)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL && !needed) return GM_OK;
    if (!json_is_string(value) || json_string_length(value) == 0) return wrong(err, s, member, "a text is expected");
    *out = gm_arena_str(arena, (gm_str){ json_string_value(value), json_string_length(value) });
    return out->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "reading plans");
}

static gm_status texts(gm_arena *arena, const gm_plan_setup *s, const json_t *object, const char *member, bool needed, gm_plan_texts *out, gm_error *err)
{
    const json_t *list = json_object_get(object, member);
    size_t        count = json_array_size(list);
    if (list == NULL && !needed) return GM_OK;
    if (!json_is_array(list) || count > GM_PLAN_NAMES_MAX || (needed && count == 0)) return wrong(err, s, member, "a list of 1 to 64 texts is expected");
    out->items = GM_ARENA_NEW(arena, gm_str, count + 1);
    if (out->items == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading plans");
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item)) return wrong(err, s, member, "a list of texts is expected");
        out->items[i] = gm_arena_str(arena, (gm_str){ json_string_value(item), json_string_length(item) });
        if (out->items[i].ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading plans");
    }
    out->count = (uint32_t)count;
    return GM_OK;
}

static gm_status length(const gm_plan_setup *s, const json_t *object, const char *member, double *io_seconds, gm_error *err)
{
    const json_t *value = json_object_get(object, member);
    gm_dur_ns     ns;
    if (value == NULL) return GM_OK;
    if (!json_is_string(value) || gm_dur_parse(gm_str_of(json_string_value(value)), &ns, NULL) != GM_OK || ns <= 0)
        return wrong(err, s, member, "a length of time is expected, such as \"30min\"");
    *io_seconds = (double)ns / 1e9;
    return GM_OK;
}

static gm_status count(const gm_plan_setup *s, const json_t *object, const char *member, uint32_t least, uint32_t most, uint32_t *io_value, gm_error *err)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL) return GM_OK;
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return gm_fail(err, GM_INVALID, WHERE, "plan '" GM_STR_FMT "': \"%s\" is a whole number from %u to %u", GM_STR_ARG(gm_str_slice(s->name, 0, 60)), member, least, most);
    *io_value = (uint32_t)json_integer_value(value);
    return GM_OK;
}

static gm_status known(const gm_plan_setup *s, json_t *object, gm_error *err)
{
    static const char *const members[] = { "name", "root", "goals", "limits", "inputs", "tariff", "penalty", "horizon", "every", "step",
                                           "again", "lanes", "rounds", "method", "seed", "unknown" };
    const char *name;
    json_t     *value;
    json_object_foreach(object, name, value) {
        bool found = false;
        for (size_t i = 0; i < sizeof members / sizeof members[0] && !found; i++) found = strcmp(name, members[i]) == 0;
        if (!found) return wrong(err, s, name, "there is no such member here");
    }
    return GM_OK;
}

static gm_status read_method(gm_plan_setup *s, const json_t *object, gm_error *err)
{
    const json_t *method = json_object_get(object, "method"), *penalty = json_object_get(object, "penalty");
    const char   *name   = json_string_value(method);
    bool          mppi   = name != NULL && strcmp(name, "mppi") == 0;
    s->settings          = name != NULL && strcmp(name, "settings") == 0;
    if (method != NULL && !mppi && !s->settings && (name == NULL || strcmp(name, "cem") != 0))
        return wrong(err, s, "method", "\"cem\", \"mppi\" or \"settings\" is expected");
    s->mpc.method = mppi ? GM_MPC_MPPI : GM_MPC_CEM;
    if (penalty != NULL && !(json_number_value(penalty) > 0)) return wrong(err, s, "penalty", "a positive number is expected");
    if (penalty != NULL) s->penalty = json_number_value(penalty);
    return GM_OK;
}

static gm_status read_lengths(gm_plan_setup *s, const json_t *object, gm_error *err)
{
    double    horizon = 86400, every = 3600;
    uint32_t  seed = 1;
    gm_status st = length(s, object, "horizon", &horizon, err);
    if (st == GM_OK) st = length(s, object, "every", &every, err);
    if (st == GM_OK) st = length(s, object, "step", &s->mpc.step_s, err);
    s->again_s = every;
    if (st == GM_OK) st = length(s, object, "again", &s->again_s, err);
    if (st == GM_OK) st = count(s, object, "lanes", 16, GM_MPC_LANES_MAX, &s->mpc.lanes, err);
    if (st == GM_OK) st = count(s, object, "rounds", 1, 1000, &s->mpc.rounds, err);
    if (st == GM_OK) st = count(s, object, "seed", 0, UINT32_MAX, &seed, err);
    if (st != GM_OK) return st;
    if (s->settings && json_object_get(object, "every") != NULL) return wrong(err, s, "every", "settings hold for the whole horizon; \"again\" says how often they are looked for");
    if (s->settings) every = horizon;
    s->mpc.gradual = s->settings;
    if (horizon < every || horizon / every > GM_MPC_KNOTS_MAX) return wrong(err, s, "horizon", "no shorter than \"every\", and at most 4096 times as long");
    if (s->again_s < 1) return wrong(err, s, "again", "at least a second is expected");
    s->mpc.seed   = seed;
    s->mpc.knots  = (uint32_t)ceil(horizon / every - 1e-9);
    s->mpc.knot_s = every;
    s->mpc.look_s = fmin(every, 60);
    return GM_OK;
}

static gm_status read_plan(gm_arena *arena, json_t *object, gm_plan_setup *s, gm_error *err)
{
    *s = (gm_plan_setup){ .penalty = 1e7, .mpc = gm_mpc_options_defaults() };
    s->mpc.lanes  = 256;
    s->mpc.rounds = 2;
    if (!json_is_object(object)) return gm_fail(err, GM_INVALID, WHERE, "a plan is an object with \"name\", \"root\", \"goals\" and \"inputs\"");
    gm_status st = text(arena, s, object, "name", true, &s->name, err);
    if (st == GM_OK) st = known(s, object, err);
    if (st == GM_OK) st = text(arena, s, object, "root", true, &s->root, err);
    if (st == GM_OK) st = text(arena, s, object, "tariff", false, &s->tariff, err);
    if (st == GM_OK) st = texts(arena, s, object, "goals", true, &s->goals, err);
    if (st == GM_OK) st = texts(arena, s, object, "limits", false, &s->limits, err);
    if (st == GM_OK) st = texts(arena, s, object, "inputs", true, &s->inputs, err);
    if (st == GM_OK) st = texts(arena, s, object, "unknown", false, &s->unknown, err);
    if (st == GM_OK) st = read_method(s, object, err);
    return st == GM_OK ? read_lengths(s, object, err) : st;
}

gm_status gm_plan_file_read(gm_arena *arena, gm_str file, gm_plan_setup *out, uint32_t *io_count, gm_error *err)
{
    json_error_t  why;
    json_t       *document = json_loadb(file.ptr, file.len, JSON_REJECT_DUPLICATES, &why);
    const json_t *plans    = json_object_get(document, "plans");
    gm_status     st       = GM_OK;
    if (document == NULL) {
        st = gm_fail(err, GM_INVALID, WHERE, "%s", why.text);
        if (err != NULL) err->line = why.line > 0 ? (uint32_t)why.line : 1, err->column = why.column > 0 ? (uint32_t)why.column : 1;
    } else if (!json_is_array(plans) || json_object_size(document) != 1) {
        st = gm_fail(err, GM_INVALID, WHERE, "an object with a list \"plans\" is expected");
    }
    for (size_t i = 0; st == GM_OK && i < json_array_size(plans); i++) {
        if (*io_count == GM_PLANS_MAX) st = gm_fail(err, GM_LIMIT, WHERE, "a plant has at most %d plans", GM_PLANS_MAX);
        else st = read_plan(arena, json_array_get(plans, i), &out[*io_count], err);
        for (uint32_t k = 0; st == GM_OK && k < *io_count; k++) {
            if (gm_str_eq(out[k].name, out[*io_count].name)) st = gm_fail(err, GM_INVALID, WHERE, "two plans are called '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(out[k].name, 0, 60)));
        }
        if (st == GM_OK) ++*io_count;
    }
    json_decref(document);
    return st;
}
