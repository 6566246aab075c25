// Reading estimate/*.json.
#include "insight/estimate/setup.h"

#include "base/number.h"
#include "base/time.h"
#include "model/json_tree.h"

#include <math.h>

static const char WHERE[] = "estimate.setup";

void gm_estimate_setup_defaults(gm_estimate_setup *out)
{
    *out = (gm_estimate_setup){ .members = 40, .lag_s = 5, .gate = 5, .alarm = 5, .hold_s = 600, .window_s = 3 * 3600, .tolerance = 1e-4,
                                .origins = { .learn_s = 86400, .search_s = 12 * 3600 } };
}

// While a file is read, err->line is 1 + the byte at which the trouble is; gm_estimate_setups_parse makes a line of it.
static gm_status at_node(gm_error *err, const gm_json *node)
{
    if (err != NULL) err->line = node->key_start + 1;
    return GM_INVALID;
}

static gm_status wrong(gm_error *err, const gm_estimate_setup *s, const gm_json *node, const char *key, const char *what)
{
    gm_str name = key != NULL ? gm_str_of(key) : node->key;
    gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': \"" GM_STR_FMT "\": %s", GM_STR_ARG(gm_str_slice(s->name, 0, 40)),
            GM_STR_ARG(gm_str_slice(name, 0, 60)), what);
    return at_node(err, node);
}

static bool is_one_of(gm_str key, const char *const *known)
{
    for (; *known != NULL; known++)
        if (gm_str_is(key, *known)) return true;
    return false;
}

static gm_status known_keys(const gm_estimate_setup *s, const gm_json *object, const char *at, const char *const *known, gm_error *err)
{
    if (!gm_json_is(object, GM_JSON_OBJECT)) return wrong(err, s, object, at, "an object is expected");
    for (const gm_json *m = object->first; m != NULL; m = m->next)
        if (!is_one_of(m->key, known) || m->repeated) return wrong(err, s, m, NULL, "there is no such member here, or it stands twice");
    return GM_OK;
}

// A member that is not there leaves *out as it is.
static gm_status number(const gm_estimate_setup *s, const gm_json *object, const char *key, double least, double most, double *out, gm_error *err)
{
    const gm_json *node = gm_json_get(object, gm_str_of(key));
    double         value;
    if (node == NULL) return GM_OK;
    bool good = gm_json_is(node, GM_JSON_NUMBER) && gm_number_read(node->text, &value) == node->text.len;
    if (good && value >= least && value <= most) {
        *out = value;
        return GM_OK;
    }
    gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': \"%s\" is a number from %g to %g", GM_STR_ARG(gm_str_slice(s->name, 0, 40)), key, least, most);
    return at_node(err, node);
}

static gm_status length(const gm_estimate_setup *s, const gm_json *object, const char *key, double *out_s, gm_error *err)
{
    const gm_json *node = gm_json_get(object, gm_str_of(key));
    gm_dur_ns      ns;
    if (node == NULL) return GM_OK;
    if (!gm_json_is(node, GM_JSON_STRING) || gm_dur_parse(node->text, &ns, NULL) != GM_OK || ns > GM_DAY)
        return wrong(err, s, node, key, "a length of time of at most a day is expected, such as \"30s\"");
    *out_s = (double)ns / 1e9;
    return GM_OK;
}

static gm_status span(const gm_estimate_setup *s, const gm_json *object, const char *key, double *out_s, gm_error *err)
{
    const gm_json *node = gm_json_get(object, gm_str_of(key));
    gm_dur_ns      ns;
    if (node == NULL) return GM_OK;
    if (!gm_json_is(node, GM_JSON_STRING) || gm_dur_parse(node->text, &ns, NULL) != GM_OK || ns <= 0)
        return wrong(err, s, node, key, "a length of time is expected, such as \"30d\"");
    *out_s = (double)ns / 1e9;
    return GM_OK;
}

static gm_status flag(const gm_estimate_setup *s, const gm_json *object, const char *key, bool *out, gm_error *err)
{
    const gm_json *node = gm_json_get(object, gm_str_of(key));
    if (node == NULL) return GM_OK;
    if (!gm_json_is(node, GM_JSON_BOOL)) return wrong(err, s, node, key, "true or false is expected");
    *out = node->truth;
    return GM_OK;
}

static gm_status read_ask(const gm_estimate_setup *s, const gm_json *o, gm_estimate_ask *a, gm_error *err)
{
    static const char *const keys[] = { "start", "deviation", "walk", "noise", "bias", "min", "max", "log", NULL };
    *a = (gm_estimate_ask){ .name = o->key, .line = o->key_start, .start = NAN, .deviation = NAN, .walk = NAN, .noise = NAN, .min = -INFINITY, .max = INFINITY };
    gm_status st = known_keys(s, o, NULL, keys, err);
    if (st == GM_OK) st = number(s, o, "start", -1e300, 1e300, &a->start, err);
    if (st == GM_OK) st = number(s, o, "deviation", 1e-300, 1e300, &a->deviation, err);
    if (st == GM_OK) st = number(s, o, "walk", 0, 1e300, &a->walk, err);
    if (st == GM_OK) st = number(s, o, "noise", 1e-300, 1e300, &a->noise, err);
    if (st == GM_OK) st = number(s, o, "bias", 0, 1e300, &a->bias, err);
    if (st == GM_OK) st = number(s, o, "min", -1e300, 1e300, &a->min, err);
    if (st == GM_OK) st = number(s, o, "max", -1e300, 1e300, &a->max, err);
    if (st == GM_OK) st = flag(s, o, "log", &a->log, err);
    if (st == GM_OK && !(a->min < a->max)) st = wrong(err, s, o, NULL, "\"min\" lies below \"max\"");
    return st;
}

static gm_status read_list(gm_arena *arena, const gm_estimate_setup *s, const gm_json *o, const char *key, gm_estimate_list *out, gm_error *err)
{
    const gm_json *list = gm_json_get(o, gm_str_of(key));
    if (list == NULL) return GM_OK;
    if (!gm_json_is(list, GM_JSON_OBJECT)) return wrong(err, s, list, key, "an object with a member for each variable is expected");
    if (list->count > GM_ESTIMATE_ASKS_MAX) return wrong(err, s, list, key, "more than 64 variables");
    out->items = GM_ARENA_NEW(arena, gm_estimate_ask, list->count + (size_t)1);
    if (out->items == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading");
    for (const gm_json *m = list->first; m != NULL; m = m->next) {
        if (m->repeated) return wrong(err, s, m, NULL, "it stands twice");
        gm_status st = read_ask(s, m, &out->items[out->count++], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status read_follow(const gm_estimate_setup *s, const gm_json *o, gm_estimate_follow *f, gm_error *err)
{
    static const char *const keys[] = { "signal", "above", "set", NULL };
    const gm_json *signal = gm_json_get(o, GM_STR("signal")), *set = gm_json_get(o, GM_STR("set"));
    gm_status      st     = known_keys(s, o, "follow", keys, err);
    if (st == GM_OK) st = number(s, o, "above", -1e300, 1e300, &f->above, err);
    if (st != GM_OK) return st;
    if (!gm_json_is(signal, GM_JSON_STRING)) return wrong(err, s, o, "signal", "the name of a measured variable is expected");
    if (!gm_json_is(set, GM_JSON_OBJECT) || set->count == 0 || set->count > GM_ESTIMATE_SETS_MAX)
        return wrong(err, s, o, "set", "an object of one to eight variables, each with [on, off], is expected");
    f->signal = signal->text;
    f->line   = o->start;
    for (const gm_json *m = set->first; m != NULL; m = m->next) {
        const gm_json *on = m->first, *off = on != NULL ? on->next : NULL;
        bool good = gm_json_is(m, GM_JSON_ARRAY) && m->count == 2 && gm_json_is(on, GM_JSON_NUMBER) && gm_json_is(off, GM_JSON_NUMBER);
        if (!good) return wrong(err, s, m, NULL, "[on, off] is expected: two numbers");
        f->names[f->count] = m->key;
        gm_number_read(on->text, &f->on[f->count]);
        gm_number_read(off->text, &f->off[f->count++]);
    }
    return GM_OK;
}

static gm_status read_follows(gm_arena *arena, gm_estimate_setup *s, const gm_json *o, gm_error *err)
{
    const gm_json *list = gm_json_get(o, GM_STR("follow"));
    if (list == NULL) return GM_OK;
    if (!gm_json_is(list, GM_JSON_ARRAY) || list->count > GM_ESTIMATE_ASKS_MAX)
        return wrong(err, s, list, "follow", "a list of at most 64 objects is expected");
    s->follow = GM_ARENA_NEW(arena, gm_estimate_follow, list->count + (size_t)1);
    if (s->follow == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading");
    for (const gm_json *m = list->first; m != NULL; m = m->next) {
        gm_status st = read_follow(s, m, &s->follow[s->follow_count++], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status read_case(const gm_estimate_setup *s, const gm_json *o, gm_estimate_case *c, gm_error *err)
{
    static const char *const keys[] = { "fault", "severity", "set", "stuck", "every", "lasts", "into", NULL };
    const gm_json *fault = gm_json_get(o, GM_STR("fault")), *set = gm_json_get(o, GM_STR("set")), *stuck = gm_json_get(o, GM_STR("stuck"));
    const gm_json *into = gm_json_get(o, GM_STR("into"));
    *c = (gm_estimate_case){ .name = o->key, .line = o->key_start, .severity = 1, .every_s = 30 * 86400.0, .lasts_s = 86400 };
    gm_status st = known_keys(s, o, NULL, keys, err);
    if (st == GM_OK) st = number(s, o, "severity", 1e-6, 1e6, &c->severity, err);
    if (st == GM_OK) st = span(s, o, "every", &c->every_s, err);
    if (st == GM_OK) st = span(s, o, "lasts", &c->lasts_s, err);
    if (st != GM_OK) return st;
    bool good = (fault == NULL || gm_json_is(fault, GM_JSON_STRING)) && (stuck == NULL || gm_json_is(stuck, GM_JSON_STRING)) &&
                (into == NULL || gm_json_is(into, GM_JSON_STRING)) && (set == NULL || (gm_json_is(set, GM_JSON_OBJECT) && set->count <= GM_ESTIMATE_SETS_MAX));
    if (!good || (fault == NULL && stuck == NULL && (set == NULL || set->count == 0)))
        return wrong(err, s, o, NULL, "one or more of \"fault\": a fault's name, \"set\": {variable: number}, \"stuck\": a measured column are expected");
    if (fault != NULL) c->fault = fault->text;
    if (stuck != NULL) c->stuck = stuck->text;
    if (into != NULL) c->into = into->text;
    for (const gm_json *m = set != NULL ? set->first : NULL; m != NULL; m = m->next) {
        if (!gm_json_is(m, GM_JSON_NUMBER)) return wrong(err, s, m, NULL, "a number is expected");
        c->names[c->count] = m->key;
        gm_number_read(m->text, &c->values[c->count++]);
    }
    return GM_OK;
}

static gm_status read_cases(gm_arena *arena, gm_estimate_setup *s, const gm_json *o, gm_error *err)
{
    const gm_json *list = gm_json_get(o, GM_STR("modes"));
    if (list == NULL) return GM_OK;
    if (!gm_json_is(list, GM_JSON_OBJECT) || list->count > GM_ESTIMATE_CASES_MAX)
        return wrong(err, s, list, "modes", "an object of at most 16 modes is expected");
    s->cases = GM_ARENA_NEW(arena, gm_estimate_case, list->count + (size_t)1);
    if (s->cases == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading");
    for (const gm_json *m = list->first; m != NULL; m = m->next) {
        if (m->repeated) return wrong(err, s, m, NULL, "it stands twice");
        gm_status st = read_case(s, m, &s->cases[s->case_count++], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_estimate_ask *find_ask(gm_estimate_setup *s, gm_str name)
{
    gm_estimate_list *const lists[] = { &s->parameters, &s->faults, &s->states, &s->measured };
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
        for (uint32_t i = 0; i < lists[l]->count; i++)
            if (gm_str_eq(lists[l]->items[i].name, name)) return &lists[l]->items[i];
    return NULL;
}

static gm_status read_into(gm_estimate_setup *s, const gm_json *o, gm_error *err)
{
    const gm_json *into = gm_json_get(o, GM_STR("into"));
    if (into == NULL) return GM_OK;
    if (!gm_json_is(into, GM_JSON_OBJECT)) return wrong(err, s, into, "into", "an object is expected");
    for (const gm_json *m = into->first; m != NULL; m = m->next) {
        gm_estimate_ask *a = find_ask(s, m->key);
        const gm_json   *x = m->first;
        if (a == NULL) return wrong(err, s, m, NULL, "it is not among the measured, parameters, faults and states");
        bool good = gm_json_is(m, GM_JSON_STRING) || (gm_json_is(m, GM_JSON_ARRAY) && m->count > 0 && m->count <= GM_ESTIMATE_INTO);
        if (gm_json_is(m, GM_JSON_STRING)) a->into[0] = m->text;
        for (uint32_t k = 0; good && gm_json_is(m, GM_JSON_ARRAY) && x != NULL; x = x->next, k++) {
            good       = gm_json_is(x, GM_JSON_STRING) && x->text.len > 0;
            a->into[k] = x->text;
        }
        if (!good) return wrong(err, s, m, NULL, "a property's name is expected, or up to three: for the estimate, its deviation, the innovation");
    }
    return GM_OK;
}

static gm_status read_options(gm_estimate_setup *s, const gm_json *o, gm_error *err)
{
    const gm_json *filter = gm_json_get(o, GM_STR("filter"));
    double         members = s->members;
    gm_status      st      = number(s, o, "members", 4, 1000, &members, err);
    if (st == GM_OK) st = length(s, o, "lag", &s->lag_s, err);
    if (st == GM_OK) st = length(s, o, "hold", &s->hold_s, err);
    if (st == GM_OK) st = length(s, o, "window", &s->window_s, err);
    if (st == GM_OK) st = length(s, o, "step", &s->step_s, err);
    if (st == GM_OK) st = number(s, o, "gate", 2, 100, &s->gate, err);
    if (st == GM_OK) st = number(s, o, "alarm", 2, 100, &s->alarm, err);
    if (st == GM_OK) st = number(s, o, "tolerance", 1e-10, 0.1, &s->tolerance, err);
    if (st == GM_OK) st = flag(s, o, "stiff", &s->stiff, err);
    s->members = (uint32_t)members;
    if (st != GM_OK || filter == NULL) return st;
    if (gm_json_is(filter, GM_JSON_STRING) && gm_str_is(filter->text, "unscented")) s->filter = GM_ESTIMATE_UNSCENTED;
    else if (gm_json_is(filter, GM_JSON_STRING) && gm_str_is(filter->text, "ensemble")) s->filter = GM_ESTIMATE_ENSEMBLE;
    else return wrong(err, s, filter, "filter", "\"unscented\" or \"ensemble\"");
    return GM_OK;
}

static gm_status read_rates(gm_arena *arena, const gm_estimate_setup *s, const gm_json *o, gm_estimate_origins *out, gm_error *err)
{
    const gm_json *rates = gm_json_get(o, GM_STR("rates"));
    gm_status      st    = GM_OK;
    if (rates == NULL) return GM_OK;
    if (!gm_json_is(rates, GM_JSON_OBJECT) || rates->count > GM_ESTIMATE_ASKS_MAX)
        return wrong(err, s, rates, "rates", "an object with up to 64 faults and how often each begins, such as \"2000d\", is expected");
    out->rates = GM_ARENA_NEW(arena, gm_estimate_rate, rates->count + (size_t)1);
    if (out->rates == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading");
    for (const gm_json *m = rates->first; st == GM_OK && m != NULL; m = m->next) {
        gm_dur_ns ns;
        if (m->repeated || !gm_json_is(m, GM_JSON_STRING) || gm_dur_parse(m->text, &ns, NULL) != GM_OK || ns <= 0)
            return wrong(err, s, m, NULL, "how often it begins is expected, such as \"2000d\"");
        out->rates[out->rate_count++] = (gm_estimate_rate){ m->key, m->key_start, (double)ns / 1e9 };
    }
    return st;
}

static gm_status read_origins(gm_arena *arena, gm_estimate_setup *s, const gm_json *o, gm_error *err)
{
    static const char *const keys[] = { "measured", "follow", "rates", "learn", "search", NULL };
    const gm_json    *node  = gm_json_get(o, GM_STR("origins"));
    gm_estimate_setup inner = { .name = s->name };
    if (node == NULL) return GM_OK;
    gm_status st = known_keys(s, node, "origins", keys, err);
    if (st == GM_OK) st = read_list(arena, s, node, "measured", &s->origins.measured, err);
    if (st == GM_OK) st = read_follows(arena, &inner, node, err);
    if (st == GM_OK) st = read_rates(arena, s, node, &s->origins, err);
    if (st == GM_OK) st = span(s, node, "learn", &s->origins.learn_s, err);
    if (st == GM_OK) st = span(s, node, "search", &s->origins.search_s, err);
    s->origins.follow       = inner.follow;
    s->origins.follow_count = inner.follow_count;
    return st;
}

static gm_status read_one(gm_arena *arena, const gm_json *o, gm_estimate_setup *s, gm_error *err)
{
    static const char *const keys[] = { "name", "root", "measured", "parameters", "faults", "states", "follow", "modes", "into", "filter", "members",
                                        "lag", "hold", "window", "step", "gate", "alarm", "tolerance", "stiff", "origins", NULL };
    const gm_json *name = gm_json_get(o, GM_STR("name")), *root = gm_json_get(o, GM_STR("root"));
    gm_estimate_setup_defaults(s);
    if (!gm_json_is(name, GM_JSON_STRING) || name->text.len == 0 || !gm_json_is(root, GM_JSON_STRING) || root->text.len == 0)
    {
        gm_fail(err, GM_INVALID, WHERE, "each entry is an object with a \"name\" and the id of a twin as \"root\"");
        return at_node(err, o);
    }
    s->name      = name->text;
    s->line      = o->start;
    s->root      = root->text;
    gm_status st = known_keys(s, o, "estimates", keys, err);
    if (st == GM_OK) st = read_list(arena, s, o, "measured", &s->measured, err);
    if (st == GM_OK) st = read_list(arena, s, o, "parameters", &s->parameters, err);
    if (st == GM_OK) st = read_list(arena, s, o, "faults", &s->faults, err);
    if (st == GM_OK) st = read_list(arena, s, o, "states", &s->states, err);
    if (st == GM_OK) st = read_follows(arena, s, o, err);
    if (st == GM_OK) st = read_cases(arena, s, o, err);
    if (st == GM_OK) st = read_into(s, o, err);
    if (st == GM_OK) st = read_options(s, o, err);
    if (st == GM_OK) st = read_origins(arena, s, o, err);
    return st;
}

// Bytes become lines.
static void place_list(const gm_json_lines *lines, gm_estimate_list *list)
{
    uint32_t column;
    for (uint32_t i = 0; i < list->count; i++) gm_json_position(lines, list->items[i].line, &list->items[i].line, &column);
}

static void place(const gm_json_lines *lines, gm_estimate_setup *s)
{
    gm_estimate_list *const lists[] = { &s->measured, &s->parameters, &s->faults, &s->states, &s->origins.measured };
    uint32_t                column;
    gm_json_position(lines, s->line, &s->line, &column);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) place_list(lines, lists[i]);
    for (uint32_t i = 0; i < s->follow_count; i++) gm_json_position(lines, s->follow[i].line, &s->follow[i].line, &column);
    for (uint32_t i = 0; i < s->origins.follow_count; i++) gm_json_position(lines, s->origins.follow[i].line, &s->origins.follow[i].line, &column);
    for (uint32_t i = 0; i < s->origins.rate_count; i++) gm_json_position(lines, s->origins.rates[i].line, &s->origins.rates[i].line, &column);
    for (uint32_t i = 0; i < s->case_count; i++) gm_json_position(lines, s->cases[i].line, &s->cases[i].line, &column);
}

static gm_status read_all(gm_arena *arena, const gm_json *root, const gm_json_lines *lines, gm_estimate_setup *setups, uint32_t *count, gm_error *err)
{
    const gm_json *list = gm_json_get(root, GM_STR("estimates"));
    if (!gm_json_is(list, GM_JSON_ARRAY) || root->count != 1) {
        gm_fail(err, GM_INVALID, WHERE, "an object with nothing but a list \"estimates\" is expected");
        return at_node(err, root);
    }
    for (const gm_json *o = list->first; o != NULL; o = o->next) {
        if (*count == GM_ESTIMATE_SETUPS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "more than %d estimates", GM_ESTIMATE_SETUPS_MAX);
        gm_status st = read_one(arena, o, &setups[*count], err);
        if (st != GM_OK) return st;
        place(lines, &setups[(*count)++]);
    }
    return GM_OK;
}

gm_status gm_estimate_setups_parse(gm_arena *arena, gm_str bytes, gm_estimate_setup *setups, uint32_t *count, gm_error *err)
{
    const gm_json *root = NULL;
    gm_json_lines  lines;
    gm_str         kept = gm_arena_str(arena, bytes);
    if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading");
    gm_status st = gm_json_lines_build(arena, kept, &lines, err);
    if (st == GM_OK) st = gm_json_parse(arena, kept, &root, err);
    if (st != GM_OK) return st;
    st = read_all(arena, root, &lines, setups, count, err);
    if (st == GM_INVALID && err != NULL && err->line > 0) gm_json_position(&lines, err->line - 1, &err->line, &err->column);
    return st;
}
