// Instances and what they watch. Invariants: (1) every live instance is in its twin's list; (2) every column that it reads,
// of its twin and of related ones, has a watch in that twin's list.
#include "control/rules_parts.h"

static const char WHERE[] = "control.rules";

bool gm_rules_reserve_twins(gm_rules *rules, size_t twins)
{
    if (twins <= rules->twins) return true;
    size_t    grown = rules->twins * 2 > twins ? rules->twins * 2 : twins + 64;
    uint32_t *a     = gm_realloc_array(rules->alloc, rules->twin_watches, grown, sizeof *a);
    if (a == NULL) return false;
    rules->twin_watches = a;
    uint32_t *b         = gm_realloc_array(rules->alloc, rules->twin_instances, grown, sizeof *b);
    if (b == NULL) return false;
    rules->twin_instances = b;
    for (size_t i = rules->twins; i < grown; i++) a[i] = b[i] = GM_NONE;
    rules->twins = grown;
    return true;
}

// ---- watches ------------------------------------------------------------------------------------------------------

static void watch(gm_rules *rules, uint32_t instance, gm_twin twin, uint32_t column)
{
    gm_instance *in = &rules->instances[instance];
    for (uint32_t w = in->watches; w != GM_NONE; w = rules->watches[w].same_next) {
        if (rules->watches[w].twin == twin.v && rules->watches[w].column == column) return;
    }
    uint32_t w = rules->free_watch;
    if (w != GM_NONE) rules->free_watch = rules->watches[w].next;
    else if (gm_alloc_reserve(rules->alloc, &rules->watches, &rules->watch_capacity, rules->watch_count + 1, sizeof *rules->watches)) {
        w = (uint32_t)rules->watch_count++;
    }
    if (w == GM_NONE || !gm_rules_reserve_twins(rules, (size_t)twin.v + 1)) {
        rules->stats.refused++;
        return;
    }
    rules->watches[w] = (gm_rule_watch){ .instance = instance, .twin = twin.v, .column = column, .next = rules->twin_watches[twin.v], .same_next = in->watches };
    rules->twin_watches[twin.v] = w;
    in->watches                 = w;
    rules->stats.watched++;
}

static void unwatch(gm_rules *rules, uint32_t instance)
{
    gm_instance *in = &rules->instances[instance];
    while (in->watches != GM_NONE) {
        uint32_t    w    = in->watches;
        gm_rule_watch *at   = &rules->watches[w];
        uint32_t   *link = &rules->twin_watches[at->twin];
        in->watches      = at->same_next;
        while (*link != w) link = &rules->watches[*link].next;
        *link             = at->next;
        at->next          = rules->free_watch;
        rules->free_watch = w;
        rules->stats.watched--;
    }
}

typedef struct own { gm_rules *rules; uint32_t instance; } own;

static void watch_own(void *context, uint32_t column)
{
    own *o = context;
    watch(o->rules, o->instance, (gm_twin){ o->rules->instances[o->instance].twin }, column);
}

static void watch_related(gm_rules *rules, uint32_t instance, const gm_special *s)
{
    const gm_state *state = gm_rules_state(rules);
    gm_twin         twin  = { rules->instances[instance].twin };
    uint32_t        name  = gm_state_name_number(state, s->relationship);
    gm_edge         e     = s->incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin);
    for (size_t n = 0; gm_edge_ok(e) && n < GM_PROVISO_RELATED_MAX; e = s->incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        n++;
        gm_twin  related = s->incoming ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e);
        uint32_t column  = s->path.len > 0 ? gm_type_column_index(gm_state_type(state, related), s->path) : GM_NO_COLUMN;
        if (column != GM_NO_COLUMN) watch(rules, instance, related, column);
    }
}

static void watch_condition(gm_rules *rules, uint32_t instance, const gm_proviso *c)
{
    if (c == NULL) return;
    gm_twin twin = { rules->instances[instance].twin };
    own     o    = { rules, instance };
    if (!gm_proviso_reads(c, gm_state_type(gm_rules_state(rules), twin), watch_own, &o)) watch(rules, instance, twin, GM_ANY_COLUMN);
    for (size_t i = 0; i < c->special_count; i++) {
        if (c->specials[i].relationship.len > 0) watch_related(rules, instance, &c->specials[i]);
    }
}

void gm_rules_rewatch(gm_rules *rules, uint32_t instance)
{
    unwatch(rules, instance);
    watch_condition(rules, instance, rules->instances[instance].rule->when);
    watch_condition(rules, instance, rules->instances[instance].rule->unless);
}

// ---- windows from the past ----------------------------------------------------------------------------------------

typedef struct past { const gm_proviso *condition; gm_memory *memory; gm_str path; } past;

static bool note_sample(void *context, const gm_sample *sample)
{
    past *p = context;
    if (sample->value.kind == GM_KIND_DOUBLE) gm_proviso_note(p->condition, p->memory, p->path, sample->at, sample->value.d);
    else if (sample->value.kind == GM_KIND_INT) gm_proviso_note(p->condition, p->memory, p->path, sample->at, (double)sample->value.i);
    return true;
}

static void fill_windows(gm_rules *rules, const gm_proviso *c, gm_memory *memory, gm_twin twin)
{
    const gm_type *type = gm_state_type(gm_rules_state(rules), twin);
    for (size_t i = 0; memory != NULL && i < c->special_count; i++) {
        const gm_special *s      = &c->specials[i];
        uint32_t          column = s->path.len > 0 ? gm_type_column_index(type, s->path) : GM_NO_COLUMN;
        gm_cell           cell;
        if ((s->kind != GM_SPECIAL_RISES && s->kind != GM_SPECIAL_FALLS) || column == GM_NO_COLUMN) continue;
        gm_state_get(gm_rules_state(rules), twin, column, &cell);
        if (cell.value.kind == GM_KIND_NONE) continue;
        past p = { c, memory, s->path };
        (void)!gm_engine_read_history(gm_rules_history(rules), twin, column, cell.source - s->span, cell.source + 1, note_sample, &p, NULL);
    }
}

// ---- instances ----------------------------------------------------------------------------------------------------

gm_status gm_rules_add_instance(gm_rules *rules, uint32_t statement, gm_twin twin, gm_error *err)
{
    const gm_statement *rule = rules->book->items[statement];
    uint32_t            i    = rules->free_instance;
    if (rules->live == GM_INSTANCES_MAX || !gm_rules_reserve_twins(rules, (size_t)twin.v + 1)) {
        rules->stats.refused++;
        return GM_OK;
    }
    if (i != GM_NONE) rules->free_instance = rules->instances[i].next_of_twin;
    else {
        if (!gm_alloc_reserve(rules->alloc, &rules->instances, &rules->instance_capacity, rules->instance_count + 1, sizeof *rules->instances))
            return gm_fail(err, GM_NOMEM, WHERE, "a rule for a twin");
        i = (uint32_t)rules->instance_count++;
    }
    gm_instance *in = &rules->instances[i];
    *in = (gm_instance){ .rule = rule, .statement = statement, .twin = twin.v, .next_of_twin = rules->twin_instances[twin.v], .watches = GM_NONE,
                         .since = rules->now, .begun = rules->now, .wake = INT64_MAX, .queued = INT64_MAX };
    in->when = gm_proviso_memory(rule->when, rules->alloc, rules->now);
    if (rule->unless != NULL) in->unless = gm_proviso_memory(rule->unless, rules->alloc, rules->now);
    if (in->when == NULL || (rule->unless != NULL && in->unless == NULL)) {
        gm_free(rules->alloc, in->when);
        in->rule             = NULL;
        in->next_of_twin     = rules->free_instance;
        rules->free_instance = i;
        return gm_fail(err, GM_NOMEM, WHERE, "a rule for a twin");
    }
    rules->twin_instances[twin.v] = i;
    rules->live++;
    fill_windows(rules, rule->when, in->when, twin);
    if (rule->unless != NULL) fill_windows(rules, rule->unless, in->unless, twin);
    gm_rules_rewatch(rules, i);
    return GM_OK;
}

void gm_rules_drop_instance(gm_rules *rules, uint32_t i)
{
    gm_instance *in   = &rules->instances[i];
    uint32_t    *link = &rules->twin_instances[in->twin];
    unwatch(rules, i);
    while (*link != i) link = &rules->instances[*link].next_of_twin;
    *link = in->next_of_twin;
    gm_free(rules->alloc, in->when);
    gm_free(rules->alloc, in->unless);
    for (size_t f = 0; f < rules->firing_count; f++) {
        if (rules->firings[f].instance == i) rules->firings[f].instance = GM_NONE;
    }
    *in = (gm_instance){ .next_of_twin = rules->free_instance, .watches = GM_NONE, .queued = in->queued, .wake = INT64_MAX };
    rules->free_instance = i;
    rules->live--;
}

void gm_rules_drop_all(gm_rules *rules)
{
    for (uint32_t i = 0; i < rules->instance_count; i++) {
        if (rules->instances[i].rule != NULL) gm_rules_drop_instance(rules, i);
    }
    rules->instance_count = 0;
    rules->free_instance  = GM_NONE;
    rules->watch_count    = 0;
    rules->free_watch     = GM_NONE;
    rules->heap_count     = 0;
}

// ---- which twins --------------------------------------------------------------------------------------------------

static bool is_rule(const gm_statement *s) { return s->kind == GM_STATEMENT_RULE || s->kind == GM_STATEMENT_WATCHDOG; }

static bool is_about(gm_rules *rules, uint32_t statement, const gm_type *type)
{
    if (type->number >= rules->about_types) {
        size_t   grown = 2 * (size_t)type->number + 64;
        uint8_t *about = gm_alloc_zeroed(rules->alloc, (rules->book->count + 1) * grown);
        if (about == NULL) return gm_statement_is_about(rules->book->items[statement], type);
        gm_free(rules->alloc, rules->about);
        rules->about       = about;
        rules->about_types = grown;
    }
    uint8_t *known = &rules->about[statement * rules->about_types + type->number];
    if (*known == 0) *known = gm_statement_is_about(rules->book->items[statement], type) ? 2 : 1;
    return *known == 2;
}

static uint32_t instance_of(const gm_rules *rules, uint32_t statement, gm_twin twin)
{
    if (twin.v >= rules->twins) return GM_NONE;
    for (uint32_t i = rules->twin_instances[twin.v]; i != GM_NONE; i = rules->instances[i].next_of_twin) {
        if (rules->instances[i].statement == statement) return i;
    }
    return GM_NONE;
}

static gm_status sort_one(gm_rules *rules, uint32_t statement, gm_twin twin, gm_error *err)
{
    bool     matches = false;
    uint32_t i       = instance_of(rules, statement, twin);
    if (is_about(rules, statement, gm_state_type(gm_rules_state(rules), twin))) {
        gm_status st = gm_query_matches(rules->book->items[statement]->query, gm_rules_state(rules), twin, &matches, err);
        if (st != GM_OK) return st;
    }
    if (matches && i == GM_NONE) return gm_rules_add_instance(rules, statement, twin, err);
    if (matches) gm_rules_rewatch(rules, i);
    if (!matches && i != GM_NONE) {
        if (rules->instances[i].phase >= GM_PHASE_ON) gm_rules_fire(rules, i, GM_TURN_OFF, rules->now);
        gm_rules_drop_instance(rules, i);
    }
    return GM_OK;
}

gm_status gm_rules_sort_twin(gm_rules *rules, gm_twin twin, bool properties_only, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t s = 0; st == GM_OK && rules->book != NULL && s < rules->book->count; s++) {
        if (!is_rule(rules->book->items[s]) || (properties_only && !rules->by_property[s])) continue;
        st = sort_one(rules, s, twin, err);
    }
    return st;
}

gm_status gm_rules_scan(gm_rules *rules, gm_error *err)
{
    const gm_state *state = gm_rules_state(rules);
    gm_status       st    = GM_OK;
    for (size_t t = 0; st == GM_OK && t < gm_state_table_count(state); t++) {
        gm_table table = gm_state_table(state, t);
        bool     any   = false;
        for (uint32_t s = 0; s < rules->book->count && table.live > 0 && !any; s++) any = is_rule(rules->book->items[s]) && is_about(rules, s, table.type);
        for (uint32_t row = 0; any && st == GM_OK && row < table.rows; row++) {
            if (table.twins[row] != GM_NONE) st = gm_rules_sort_twin(rules, (gm_twin){ table.twins[row] }, false, err);
        }
    }
    return st;
}
