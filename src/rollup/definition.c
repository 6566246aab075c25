// Reading rules/*.rollups.
#include "rollup/definition.h"

#include "model/json_tree.h"

#define WHERE "rollup.definition"

static const gm_dur_ns RECORD_LEAST = 100 * GM_MILLISECOND, RECORD_MOST = GM_DAY;

static const struct {
    const char *name;
    uint32_t    count;
    const char *terms[GM_ROLLUP_TERMS];
} functions[GM_ROLLUP_FUNCTIONS] = {
    [GM_ROLLUP_SUM]       = { "sum", 1, { "property" } },
    [GM_ROLLUP_MIN]       = { "min", 1, { "property" } },
    [GM_ROLLUP_MAX]       = { "max", 1, { "property" } },
    [GM_ROLLUP_MEAN]      = { "mean", 1, { "property" } },
    [GM_ROLLUP_WEIGHTED]  = { "weighted", 2, { "property", "weight" } },
    [GM_ROLLUP_K_OF_N]    = { "kOfN", 1, { "property" } },
    [GM_ROLLUP_WORST]     = { "worst", 1, { "property" } },
    [GM_ROLLUP_INTENSITY] = { "intensity", 2, { "property", "per" } },
    [GM_ROLLUP_OEE]       = { "oee", 5, { "planned", "running", "idealCycle", "count", "good" } },
};

const char *gm_rollup_function_name(gm_rollup_function function) { return functions[function].name; }
const char *gm_rollup_term_name(gm_rollup_function function, uint32_t i) { return functions[function].terms[i]; }
uint32_t    gm_rollup_term_count(gm_rollup_function function) { return functions[function].count; }

static gm_status wrong(gm_error *err, const gm_rollup_definition *d, const char *what, const char *more)
{
    return gm_fail(err, GM_INVALID, WHERE, "roll-up '" GM_STR_FMT "': %s%s", GM_STR_ARG(gm_str_slice(d->name, 0, 60)), what, more);
}

static gm_str text_of(const gm_json *object, const char *key)
{
    const gm_json *node = gm_json_get(object, gm_str_of(key));
    return gm_json_is(node, GM_JSON_STRING) ? node->text : (gm_str){ "", 0 };
}

static bool is_text(gm_str key)
{
    static const char *const keys[] = { "name", "function", "relationship", "direction", "systems", "members", "record" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (gm_str_is(key, keys[i])) return true;
    return false;
}

// Every member is known to its function and of the right kind: a word that is misspelt must not be passed over.
static gm_status check_keys(const gm_json *o, const gm_rollup_definition *d, gm_error *err)
{
    bool states = d->function == GM_ROLLUP_WORST || d->function == GM_ROLLUP_K_OF_N;
    for (const gm_json *m = o->first; m != NULL; m = m->next) {
        bool term = false;
        for (uint32_t i = 0; i < d->term_count; i++) term = term || gm_str_is(m->key, functions[d->function].terms[i]);
        bool text  = term || is_text(m->key);
        bool known = text || (states && gm_str_is(m->key, "states")) || (d->function == GM_ROLLUP_K_OF_N && gm_str_is(m->key, "k")) || gm_str_is(m->key, "disclosed");
        if (m->repeated || !known)
            return gm_fail(err, GM_INVALID, WHERE, "roll-up '" GM_STR_FMT "': \"" GM_STR_FMT "\" %s", GM_STR_ARG(gm_str_slice(d->name, 0, 60)),
                           GM_STR_ARG(gm_str_slice(m->key, 0, 60)), m->repeated ? "stands twice" : "means nothing here");
        if (text && (m->kind != GM_JSON_STRING || m->text.len == 0))
            return gm_fail(err, GM_INVALID, WHERE, "roll-up '" GM_STR_FMT "': \"" GM_STR_FMT "\" is a text", GM_STR_ARG(gm_str_slice(d->name, 0, 60)),
                           GM_STR_ARG(m->key));
    }
    return GM_OK;
}

static gm_status read_states(const gm_json *o, gm_rollup_definition *d, gm_error *err)
{
    const gm_json *list = gm_json_get(o, GM_STR("states")), *k = gm_json_get(o, GM_STR("k"));
    int64_t        least = 0;
    if (list != NULL && (list->kind != GM_JSON_ARRAY || list->count == 0 || list->count > GM_ROLLUP_STATES_MAX))
        return wrong(err, d, "\"states\" is a list of at most 32 texts", "");
    for (const gm_json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next) {
        if (s->kind != GM_JSON_STRING) return wrong(err, d, "\"states\" is a list of at most 32 texts", "");
        for (uint32_t i = 0; i < d->state_count; i++)
            if (gm_str_eq(d->states[i], s->text)) return wrong(err, d, "a state stands twice", "");
        d->states[d->state_count++] = s->text;
    }
    if (d->function == GM_ROLLUP_WORST && d->state_count == 0) return wrong(err, d, "\"states\", from the best to the worst, are missing", "");
    if (d->function != GM_ROLLUP_K_OF_N) return GM_OK;
    if (k == NULL || !gm_json_int(k, &least) || least < 1 || least > 1000000) return wrong(err, d, "\"k\", how many must work, is a whole number from 1", "");
    d->k = (uint32_t)least;
    return GM_OK;
}

static gm_status read_one(const gm_json *o, gm_rollup_definition *d, gm_error *err)
{
    *d = (gm_rollup_definition){ .name = text_of(o, "name"), .relationship = text_of(o, "relationship"), .systems = text_of(o, "systems"), .members = text_of(o, "members") };
    gm_str function = text_of(o, "function"), direction = text_of(o, "direction"), record = text_of(o, "record");
    if (!gm_json_is(o, GM_JSON_OBJECT) || d->name.len == 0) return gm_fail(err, GM_INVALID, WHERE, "each roll-up is an object with a \"name\"");
    d->function = GM_ROLLUP_SUM;
    while (d->function < GM_ROLLUP_FUNCTIONS && !gm_str_is(function, functions[d->function].name)) d->function++;
    if (d->function == GM_ROLLUP_FUNCTIONS)
        return wrong(err, d, "\"function\" is one of sum, min, max, mean, weighted, kOfN, worst, intensity, oee", "");
    d->term_count = functions[d->function].count;
    gm_status st  = check_keys(o, d, err);
    for (uint32_t i = 0; st == GM_OK && i < d->term_count; i++) {
        d->terms[i] = text_of(o, functions[d->function].terms[i]);
        if (d->terms[i].len == 0) st = wrong(err, d, "the name of a property is missing: ", functions[d->function].terms[i]);
    }
    if (st == GM_OK) st = read_states(o, d, err);
    if (st != GM_OK) return st;
    d->incoming = gm_str_is(direction, "in");
    if (direction.len > 0 && !d->incoming && !gm_str_is(direction, "out"))
        return wrong(err, d, "\"direction\" is \"out\" (from the system to its members) or \"in\"", "");
    if (d->relationship.len == 0 && (direction.len > 0 || d->systems.len > 0))
        return wrong(err, d, "without \"relationship\" there is one system, the plant, and neither \"direction\" nor \"systems\"", "");
    if (d->systems.len > 0 && !gm_dtmi_valid(d->systems)) return wrong(err, d, "\"systems\" is the DTMI of an interface", "");
    const gm_json *disclosed = gm_json_get(o, GM_STR("disclosed"));
    if (disclosed != NULL && disclosed->kind != GM_JSON_BOOL) return wrong(err, d, "\"disclosed\" is true or false", "");
    d->disclosed = disclosed != NULL && disclosed->truth;
    if (gm_str_is(record, "never")) d->record = GM_ROLLUP_NEVER;
    else if (record.len > 0 && (gm_dur_parse(record, &d->record, NULL) != GM_OK || d->record < RECORD_LEAST || d->record > RECORD_MOST))
        return wrong(err, d, "\"record\" is \"never\", or a length of time from 100ms to 1d", "");
    return GM_OK;
}

gm_status gm_rollups_parse(gm_arena *arena, gm_str bytes, gm_rollup_definition *definitions, uint32_t *count, gm_error *err)
{
    const gm_json *root = NULL;
    gm_json_lines  lines;
    uint32_t       column;
    gm_str         kept = gm_arena_str(arena, bytes);
    if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading roll-ups");
    gm_status st = gm_json_parse(arena, kept, &root, err);
    if (st == GM_OK) st = gm_json_lines_build(arena, kept, &lines, err);
    if (st != GM_OK) return st;
    const gm_json *list = gm_json_get(root, GM_STR("rollups"));
    if (!gm_json_is(list, GM_JSON_ARRAY) || root->count != 1)
        return gm_fail_at(err, GM_INVALID, WHERE, 1, 1, "an object with a list \"rollups\" and nothing else is expected");
    for (const gm_json *o = list->first; o != NULL; o = o->next) {
        gm_rollup_definition *d = &definitions[*count];
        uint32_t              line;
        gm_json_position(&lines, o->start, &line, &column);
        if (*count == GM_ROLLUPS_MAX) st = gm_fail(err, GM_LIMIT, WHERE, "more than %d roll-ups", GM_ROLLUPS_MAX);
        else st = read_one(o, d, err);
        for (uint32_t i = 0; st == GM_OK && i < *count; i++)
            if (gm_str_eq(definitions[i].name, d->name)) st = wrong(err, d, "there is another one of this name", "");
        if (st != GM_OK && err != NULL) { err->line = line; err->column = column; }
        if (st != GM_OK) return st;
        d->line = line;
        (*count)++;
    }
    return GM_OK;
}

static bool fits(const gm_rollup_definition *d, const gm_column *c)
{
    bool text = c->kind == GM_KIND_STRING, number = c->kind == GM_KIND_DOUBLE || c->kind == GM_KIND_INT || c->kind == GM_KIND_BOOL;
    if (d->function == GM_ROLLUP_WORST) return text;
    if (d->function == GM_ROLLUP_K_OF_N) return d->state_count > 0 ? text : c->kind == GM_KIND_BOOL;
    return number;
}

gm_status gm_rollup_check(const gm_rollup_definition *d, const gm_model *model, gm_error *err)
{
    if (d->systems.len > 0 && gm_model_find(model, d->systems) == NULL)
        return gm_fail(err, GM_INVALID, WHERE, "roll-up '" GM_STR_FMT "': there is no interface " GM_STR_FMT, GM_STR_ARG(gm_str_slice(d->name, 0, 60)),
                       GM_STR_ARG(gm_str_slice(d->systems, 0, 80)));
    for (uint32_t i = 0; i < d->term_count; i++) {
        bool there = false, good = false;
        for (size_t t = 0; t < gm_model_count(model); t++) {
            const gm_column *c = gm_type_column(gm_model_at(model, t), d->terms[i]);
            there = there || c != NULL;
            good  = good || (c != NULL && fits(d, c));
        }
        if (good) continue;
        return gm_fail(err, GM_INVALID, WHERE, "roll-up '" GM_STR_FMT "': %s '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(d->name, 0, 60)),
                       !there ? "no interface has a property" : d->function == GM_ROLLUP_WORST || d->state_count > 0 ? "texts are wanted, but not so is" : "numbers (for kOfN without states: booleans) are wanted, but not so is",
                       GM_STR_ARG(gm_str_slice(d->terms[i], 0, 60)));
    }
    return GM_OK;
}

gm_str gm_rollup_symbol(const gm_rollup_definition *d, const gm_model *model, uint32_t term)
{
    for (size_t t = 0; t < gm_model_count(model); t++) {
        const gm_column *c = gm_type_column(gm_model_at(model, t), d->terms[term]);
        if (c != NULL && fits(d, c)) return c->unit_symbol.len > 0 ? c->unit_symbol : c->unit;
    }
    return (gm_str){ "", 0 };
}
