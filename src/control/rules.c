// Rules follow the log. Invariants: (1) everything here is a fold of records and their times, at recovery as live, except
// `acted` and the timer; (2) a firing stays until each of its actions has left a decision; (3) before a record is looked at,
// everything that was due before its time has happened.
#include "control/rules_parts.h"

#include "base/bytes.h"
#include "control/json.h"

#include <assert.h>

static const char WHERE[] = "control.rules";

const char *gm_turn_name(gm_turn turn)
{
    static const char *const names[] = { "on", "off", "suppress", "unsuppress", "again" };
    return names[turn];
}

// ---- the heap of what is due --------------------------------------------------------------------------------------

static void swap(gm_due *a, gm_due *b)
{
    gm_due kept = *a;
    *a          = *b;
    *b          = kept;
}

static void push(gm_rules *rules, gm_time_ns at, uint32_t instance)
{
    if (!gm_alloc_reserve(rules->alloc, &rules->heap, &rules->heap_capacity, rules->heap_count + 1, sizeof *rules->heap)) {
        rules->stats.refused++;
        return;
    }
    size_t i = rules->heap_count++;
    rules->heap[i] = (gm_due){ at, instance };
    for (; i > 0 && rules->heap[(i - 1) / 2].at > rules->heap[i].at; i = (i - 1) / 2) swap(&rules->heap[i], &rules->heap[(i - 1) / 2]);
    rules->instances[instance].queued = at;
}

static gm_due pop(gm_rules *rules)
{
    gm_due first   = rules->heap[0];
    rules->heap[0] = rules->heap[--rules->heap_count];
    for (size_t i = 0;;) {
        size_t least = i, left = 2 * i + 1;
        for (size_t k = left; k < left + 2 && k < rules->heap_count; k++) {
            if (rules->heap[k].at < rules->heap[least].at) least = k;
        }
        if (least == i) break;
        swap(&rules->heap[i], &rules->heap[least]);
        i = least;
    }
    return first;
}

// An entry for an earlier time serves, too: it is put back when it comes up too soon.
void gm_rules_queue(gm_rules *rules, uint32_t instance)
{
    gm_instance *in = &rules->instances[instance];
    if (in->wake != INT64_MAX && in->wake < in->queued) push(rules, in->wake, instance);
}

// ---- firings ------------------------------------------------------------------------------------------------------

static uint32_t actions_of(const gm_statement *rule, gm_turn turn)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < rule->action_count; i++) {
        if (turn == GM_TURN_ON || rule->actions[i].kind == GM_DO_ALARM) mask |= 1u << i;
    }
    return mask;
}

void gm_rules_fire(gm_rules *rules, uint32_t instance, gm_turn turn, gm_time_ns at)
{
    gm_instance *in   = &rules->instances[instance];
    gm_str       twin = gm_state_id(gm_rules_state(rules), (gm_twin){ in->twin }), rule = in->rule->name;
    uint32_t     todo = turn == GM_TURN_AGAIN ? gm_rules_lacking(rules, in->rule, (gm_twin){ in->twin }) : actions_of(in->rule, turn);
    if (turn == GM_TURN_AGAIN && todo == 0) return;
    in->firings++;
    rules->stats.firings++;
    if (rules->options.state != NULL) {
        if (rules->options.fired != NULL) rules->options.fired(rules->options.context, in->rule, twin, turn, at);
        return;
    }
    if (todo == 0) return;
    char *memory = NULL;
    bool  room   = false;
    // Whoever fires can not come back later, so a refusal is not taken at its first word.
    for (int tries = 0; tries < 3 && !room; tries++) {
        if (memory == NULL) memory = gm_alloc_bytes(rules->alloc, twin.len + rule.len);
        room = memory != NULL && gm_alloc_reserve(rules->alloc, &rules->firings, &rules->firing_capacity, rules->firing_count + 1, sizeof *rules->firings);
    }
    if (!room) {
        gm_free(rules->alloc, memory);
        rules->stats.refused++;
        return;
    }
    memcpy(memory, rule.ptr, rule.len);
    memcpy(memory + rule.len, twin.ptr, twin.len);
    rules->firings[rules->firing_count++] = (gm_firing){ .instance = instance, .rule = { memory, rule.len }, .twin = { memory + rule.len, twin.len }, .memory = memory,
                                                         .number = in->firings, .sequence = rules->sequence, .at = at, .turn = turn, .todo = todo };
}

static const gm_statement *rule_named(const gm_rules *rules, gm_str name)
{
    for (size_t i = 0; rules->book != NULL && i < rules->book->count; i++) {
        const gm_statement *s = rules->book->items[i];
        bool rule = s->kind == GM_STATEMENT_RULE || s->kind == GM_STATEMENT_WATCHDOG;
        if (rule && gm_str_eq(s->name, name)) return s;
    }
    return NULL;
}

static void act_one(gm_rules *rules, const gm_firing *f, const gm_statement *rule, unsigned action)
{
    gm_buf cause = gm_buf_init(rules->alloc);
    gm_buf_text(&cause, "\"rule\":");
    gm_buf_json_str(&cause, f->rule);
    gm_json_member(&cause, "twin", f->twin);
    gm_json_member(&cause, "file", rule->file);
    gm_buf_printf(&cause, ",\"line\":%u,\"firing\":%llu,\"action\":%u,\"turn\":\"%s\",\"sequence\":%llu", rule->line, (unsigned long long)f->number, action,
                  gm_turn_name(f->turn), (unsigned long long)f->sequence);
    gm_json_time_member(&cause, "at", f->at);
    if (!cause.failed) rules->options.act(rules->options.context, rule, &rule->actions[action], f->twin, f->turn, gm_buf_view(&cause));
    gm_buf_finish(&cause);
}

// Acts on what has fired and was not acted upon in this run. Decisions may come back later only, so nothing moves here.
static void act(gm_rules *rules)
{
    if (!rules->started || rules->acting) return;
    rules->acting = true;
    for (size_t i = 0; i < rules->firing_count; i++) {
        gm_firing *f = &rules->firings[i];
        if (f->acted) continue;
        f->acted = true;
        const gm_statement *rule = rule_named(rules, f->rule);
        uint32_t            todo = f->todo;
        gm_firing           copy = *f;
        if (rule == NULL) f->todo = 0;  // the rule is gone, and so is what it wanted
        for (unsigned a = 0; rule != NULL && a < rule->action_count; a++) {
            if ((todo & 1u << a) != 0) act_one(rules, &copy, rule, a);
        }
        rules->firings[i].submitted = gm_engine_submitted(rules->options.engine);
    }
    rules->acting = false;
}

void gm_rules_retry(gm_rules *rules)
{
    enum { TRIES_MAX = 3 };  // whatever leaves no decision then never will; a restart tries again (2)
    if (!rules->started || rules->firing_count == 0 || gm_journal_waiting(rules->options.journal) > 0) return;
    uint64_t settled = gm_engine_settled(rules->options.engine);
    for (size_t i = 0; i < rules->firing_count; i++) {
        gm_firing *f = &rules->firings[i];
        if (!f->acted || settled < f->submitted || f->tries >= TRIES_MAX) continue;
        f->acted = false;
        f->tries++;
    }
    act(rules);
}

static void drop_firing(gm_rules *rules, size_t i)
{
    gm_free(rules->alloc, rules->firings[i].memory);
    memmove(&rules->firings[i], &rules->firings[i + 1], (rules->firing_count - i - 1) * sizeof *rules->firings);
    rules->firing_count--;
}

static gm_instance *instance_named(gm_rules *rules, gm_str rule, gm_str twin)
{
    gm_twin at = gm_state_find(gm_rules_state(rules), twin);
    if (!gm_twin_ok(at) || at.v >= rules->twins) return NULL;
    for (uint32_t i = rules->twin_instances[at.v]; i != GM_NONE; i = rules->instances[i].next_of_twin) {
        if (gm_str_eq(rules->instances[i].rule->name, rule)) return &rules->instances[i];
    }
    return NULL;
}

bool gm_rules_has(gm_rules *rules, gm_str rule, gm_str twin) { return instance_named(rules, rule, twin) != NULL; }

void gm_rules_forget(gm_rules *rules)
{
    gm_rules_drop_all(rules);
    while (rules->firing_count > 0) drop_firing(rules, rules->firing_count - 1);
    rules->now      = 0;
    rules->sequence = 0;
}

// A decision says what it followed from: that action is done. A firing that this fold has not come to by itself (a timer's,
// whose time only the engine that wrote it saw) is taken over from the decision.
static void seen(void *context, const gm_decision *d)
{
    gm_rules *rules = context;
    if (gm_str_find(d->text, GM_STR("\"firing\":")) == SIZE_MAX) return;
    json_t       *text  = json_loadb(d->text.ptr, d->text.len, 0, NULL);
    const json_t *cause = json_object_get(text, "cause");
    gm_str        rule = gm_json_text(cause, "rule"), twin = gm_json_text(cause, "twin"), turn = gm_json_text(cause, "turn");
    uint64_t      number = (uint64_t)json_integer_value(json_object_get(cause, "firing"));
    unsigned      action = (unsigned)json_integer_value(json_object_get(cause, "action"));
    for (size_t i = 0; i < rules->firing_count; i++) {
        gm_firing *f = &rules->firings[i];
        if (f->number != number || !gm_str_eq(f->rule, rule) || !gm_str_eq(f->twin, twin)) continue;
        f->todo &= ~(1u << (action & 31));
        if (f->todo == 0) drop_firing(rules, i--);
    }
    gm_instance *in = rule.len > 0 ? instance_named(rules, rule, twin) : NULL;
    if (in != NULL && in->firings < number) {
        in->firings = number;
        if (gm_str_is(turn, "on") || gm_str_is(turn, "again")) in->again = d->at + in->rule->again;
        if (!gm_str_is(turn, "again")) in->since = d->at;
        if (gm_str_is(turn, "on")) in->phase = GM_PHASE_ON;
        if (gm_str_is(turn, "off")) in->phase = GM_PHASE_OFF;
        if (gm_str_is(turn, "suppress") || gm_str_is(turn, "unsuppress")) in->suppressed = gm_str_is(turn, "suppress");
    }
    json_decref(text);
}

// ---- evaluating ---------------------------------------------------------------------------------------------------

static void enter(gm_instance *in, gm_phase phase, gm_time_ns now)
{
    in->phase = phase;
    in->since = now;
}

static void go_on(gm_rules *rules, uint32_t instance, gm_time_ns now)
{
    enter(&rules->instances[instance], GM_PHASE_ON, now);
    rules->instances[instance].again = now + rules->instances[instance].rule->again;
    gm_rules_fire(rules, instance, GM_TURN_ON, now);
}

static void go_off(gm_rules *rules, uint32_t instance, gm_time_ns now)
{
    enter(&rules->instances[instance], GM_PHASE_OFF, now);
    gm_rules_fire(rules, instance, GM_TURN_OFF, now);
}

// One step of the picture in rules.h. What is unknown raises nothing and clears nothing.
static void step(gm_rules *rules, uint32_t instance, gm_truth truth, gm_time_ns now)
{
    gm_instance        *in   = &rules->instances[instance];
    const gm_statement *rule = in->rule;
    switch (in->phase) {
    case GM_PHASE_OFF:
        if (truth != GM_TRUE) return;
        enter(in, GM_PHASE_RISING, now);
        if (rule->on_delay == 0) go_on(rules, instance, now);
        return;
    case GM_PHASE_RISING:
        if (truth != GM_TRUE) enter(in, GM_PHASE_OFF, now);
        else if (now - in->since >= rule->on_delay) go_on(rules, instance, now);
        return;
    case GM_PHASE_ON:
        if (truth != GM_FALSE) return;
        enter(in, GM_PHASE_FALLING, now);
        if (rule->off_delay == 0) go_off(rules, instance, now);
        return;
    case GM_PHASE_FALLING:
        if (truth == GM_TRUE) in->phase = GM_PHASE_ON;
        else if (now - in->since >= rule->off_delay) go_off(rules, instance, now);
        return;
    }
}

static void suppress(gm_rules *rules, uint32_t instance, gm_time_ns now)
{
    gm_instance *in = &rules->instances[instance];
    gm_moment    at = { .state = gm_rules_state(rules), .twin = { in->twin }, .now = now, .facts = rules->options.facts };
    gm_time_ns   wake;
    if (in->rule->unless == NULL) return;
    bool yes = gm_proviso_truth(in->rule->unless, &at, in->unless, &wake) == GM_TRUE;
    if (wake < in->wake) in->wake = wake;
    if (yes == in->suppressed) return;
    in->suppressed = yes;
    gm_rules_fire(rules, instance, yes ? GM_TURN_SUPPRESS : GM_TURN_UNSUPPRESS, now);
}

void gm_rules_evaluate(gm_rules *rules, uint32_t instance, gm_time_ns now)
{
    gm_instance *in = &rules->instances[instance];
    gm_twin      twin = { in->twin };
    gm_moment    at = { .state = gm_rules_state(rules), .twin = twin, .now = now, .held = in->phase >= GM_PHASE_ON, .facts = rules->options.facts };
    if (!gm_state_exists(at.state, twin)) return;
    rules->stats.evaluations++;
    gm_truth truth = gm_proviso_truth(in->rule->when, &at, in->when, &in->wake);
    step(rules, instance, truth, now);
    in = &rules->instances[instance];
    gm_time_ns due = in->phase == GM_PHASE_RISING ? in->since + in->rule->on_delay : in->phase == GM_PHASE_FALLING ? in->since + in->rule->off_delay : INT64_MAX;
    if (due < in->wake) in->wake = due;
    gm_rules_do_again(rules, instance, now);
    suppress(rules, instance, now);
    gm_rules_queue(rules, instance);
}

// Everything that was due up to now, in the order of its time. Keeps (3).
void gm_rules_run_due(gm_rules *rules, gm_time_ns now)
{
    rules->until = now;
    while (rules->heap_count > 0 && rules->heap[0].at <= now) {
        gm_due       due = pop(rules);
        gm_instance *in  = &rules->instances[due.instance];
        if (due.instance >= rules->instance_count || due.at != in->queued) continue;
        in->queued = INT64_MAX;
        if (in->rule == NULL) continue;
        if (in->wake > due.at) gm_rules_queue(rules, due.instance);
        else gm_rules_evaluate(rules, due.instance, due.at);
    }
}

// ---- following ----------------------------------------------------------------------------------------------------

static void note_windows(gm_rules *rules, uint32_t instance, gm_str path, const gm_cell_write *cell)
{
    const gm_instance *in = &rules->instances[instance];
    double value = cell->value.kind == GM_KIND_DOUBLE ? cell->value.d : (double)cell->value.i;
    if (cell->value.kind != GM_KIND_DOUBLE && cell->value.kind != GM_KIND_INT) return;
    if (in->when->count > 0) gm_proviso_note(in->rule->when, in->when, path, cell->at, value);
    if (in->unless != NULL && in->unless->count > 0) gm_proviso_note(in->rule->unless, in->unless, path, cell->at, value);
}

enum { TOUCHED_MAX = 256 };
typedef struct touched { uint32_t items[TOUCHED_MAX]; size_t count; } touched;

static void touch(touched *t, uint32_t instance)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i] == instance) return;
    }
    if (t->count < TOUCHED_MAX) t->items[t->count++] = instance;
}

static void on_write(gm_rules *rules, const gm_record *record, const gm_change *change)
{
    gm_twin twin = { change->twin };
    if (!gm_state_exists(gm_rules_state(rules), twin)) return;
    if ((change->flags & GM_WRITE_PROPERTIES) != 0 && rules->book != NULL && rules->book->count > 0) (void)!gm_rules_sort_twin(rules, twin, true, NULL);
    if (twin.v >= rules->twins || rules->twin_watches[twin.v] == GM_NONE) return;
    const gm_type *type = gm_state_type(gm_rules_state(rules), twin);
    touched        t    = { .count = 0 };
    gm_cell_write  cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        for (uint32_t w = rules->twin_watches[twin.v]; w != GM_NONE; w = rules->watches[w].next) {
            const gm_rule_watch *watched = &rules->watches[w];
            if ((watched->column != cell.column && watched->column != GM_ANY_COLUMN) || cell.column >= type->column_count) continue;
            if (rules->instances[watched->instance].twin == twin.v) note_windows(rules, watched->instance, type->columns[cell.column].path, &cell);
            touch(&t, watched->instance);
        }
    }
    for (size_t i = 0; i < t.count; i++) {
        if (rules->instances[t.items[i]].rule != NULL) gm_rules_evaluate(rules, t.items[i], record->ingest);
    }
}

static void evaluate_twin(gm_rules *rules, uint32_t twin, bool rewatch)
{
    if (twin >= rules->twins) return;
    for (uint32_t i = rules->twin_instances[twin]; i != GM_NONE; i = rules->instances[i].next_of_twin) {
        if (rewatch) gm_rules_rewatch(rules, i);
        gm_rules_evaluate(rules, i, rules->now);
    }
}

static bool asks(const gm_statement *rule, gm_str name)
{
    return gm_proviso_asks_rollup(rule->when, name) || (rule->unless != NULL && gm_proviso_asks_rollup(rule->unless, name));
}

// Interlocks and commands ask when they have to; what they are told should be as new as what rules are.
bool gm_rules_ask_rollup(const gm_rules *rules, gm_str name)
{
    for (size_t i = 0; rules->book != NULL && i < rules->book->count; i++) {
        const gm_statement *s      = rules->book->items[i];
        const gm_proviso   *all[] = { s->when, s->unless, s->expect };
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
            if (all[k] != NULL && gm_proviso_asks_rollup(all[k], name)) return true;
    }
    return false;
}

// A value of a roll-up has been recorded: of a twin, or of the plant, which is every twin's.
static void on_rollup(gm_rules *rules, const gm_change *change)
{
    gm_twin twin = change->id.len > 0 ? gm_state_find(gm_rules_state(rules), change->id) : (gm_twin){ GM_NONE };
    if (!gm_rules_ask_rollup(rules, change->name)) return;
    if (change->id.len == 0) {
        for (uint32_t i = 0; i < rules->instance_count; i++)
            if (rules->instances[i].rule != NULL && asks(rules->instances[i].rule, change->name)) gm_rules_evaluate(rules, i, rules->now);
        return;
    }
    for (uint32_t i = twin.v < rules->twins ? rules->twin_instances[twin.v] : GM_NONE; i != GM_NONE; i = rules->instances[i].next_of_twin)
        if (asks(rules->instances[i].rule, change->name)) gm_rules_evaluate(rules, i, rules->now);
}

// Keeps (3): what was due until now is judged by what was known then, not by the change at hand.
void gm_rules_precede(gm_rules *rules, const gm_record *record, const gm_change *change)
{
    rules->sequence = record->sequence;
    gm_rules_run_due(rules, record->ingest);
    if (change->kind != GM_CHANGE_TWIN_DELETE || change->twin >= rules->twins) return;
    rules->now = record->ingest;
    while (rules->twin_instances[change->twin] != GM_NONE) {
        uint32_t i = rules->twin_instances[change->twin];
        if (rules->instances[i].phase >= GM_PHASE_ON) gm_rules_fire(rules, i, GM_TURN_OFF, record->ingest);
        gm_rules_drop_instance(rules, i);
    }
}

void gm_rules_follow(gm_rules *rules, const gm_record *record, const gm_change *change)
{
    rules->now = record->ingest;
    if (rules->book == NULL) return;
    gm_twin twin = { change->twin };
    switch (change->kind) {
    case GM_CHANGE_WRITE: on_write(rules, record, change); break;
    case GM_CHANGE_ROLLUP: on_rollup(rules, change); break;
    case GM_CHANGE_TWIN_PUT:
        if (gm_state_exists(gm_rules_state(rules), twin)) (void)!gm_rules_sort_twin(rules, twin, false, NULL);
        evaluate_twin(rules, twin.v, true);
        break;
    case GM_CHANGE_RELATIONSHIP_PUT: case GM_CHANGE_RELATIONSHIP_DELETE:
        evaluate_twin(rules, change->twin, true);
        evaluate_twin(rules, change->target, true);
        break;
    default: break;
    }
}

static void before(void *context, const gm_record *record, const gm_change *change) { gm_rules_precede(context, record, change); }
static void after(void *context, const gm_record *record, const gm_change *change) { gm_rules_follow(context, record, change); }

// Live: acts, and sets the clock for what comes next.
static void on_timer(void *context);
static void arm(gm_rules *rules)
{
    gm_error err;
    if (!rules->started || rules->options.loop == NULL || rules->heap_count == 0) return;
    gm_time_ns next = rules->heap[0].at;
    if (rules->timer != NULL && rules->timer_at <= next) return;
    gm_loop_cancel(rules->timer);
    gm_dur_ns wait  = next - gm_now(rules->options.clock);
    rules->timer    = NULL;
    rules->timer_at = next;
    (void)!gm_loop_after(rules->options.loop, wait > 0 ? wait : 0, on_timer, rules, &rules->timer, &err);
}

static void on_timer(void *context)
{
    gm_rules *rules = context;
    rules->timer    = NULL;
    gm_rules_run_due(rules, gm_now(rules->options.clock));
    act(rules);
    arm(rules);
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_rules *rules = context;
    (void)record;
    (void)change;
    if (rules->firing_count > 0) act(rules);
    arm(rules);
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_rules_create(const gm_rules_options *options, gm_rules **out, gm_error *err)
{
    gm_rules *rules = gm_alloc_zeroed(options->alloc, sizeof *rules);
    *out            = rules;
    if (rules == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting rules");
    rules->options       = *options;
    rules->alloc         = options->alloc;
    rules->free_instance = rules->free_watch = GM_NONE;
    if (options->state != NULL) return GM_OK;
    gm_journal_watch(options->journal, seen, rules);
    gm_engine_follow(options->engine, (gm_follower){ before, after, rules });
    return GM_OK;
}

void gm_rules_destroy(gm_rules *rules)
{
    if (rules == NULL) return;
    gm_rules_drop_all(rules);
    while (rules->firing_count > 0) drop_firing(rules, rules->firing_count - 1);
    gm_rulebook_destroy(rules->book);
    gm_free(rules->alloc, rules->about);
    gm_free(rules->alloc, rules->by_property);
    gm_free(rules->alloc, rules->instances);
    gm_free(rules->alloc, rules->watches);
    gm_free(rules->alloc, rules->twin_watches);
    gm_free(rules->alloc, rules->twin_instances);
    gm_free(rules->alloc, rules->heap);
    gm_free(rules->alloc, rules->firings);
    gm_free(rules->alloc, rules);
}

void gm_rules_start(gm_rules *rules)
{
    gm_error err;
    if (rules->started) return;
    rules->started = true;
    (void)!gm_engine_observe(rules->options.engine, observe, rules, &err);
    gm_rules_run_due(rules, gm_now(rules->options.clock));
    act(rules);
    arm(rules);
}

void gm_rules_stop(gm_rules *rules)
{
    if (!rules->started) return;
    gm_engine_unobserve(rules->options.engine, observe, rules);
    gm_loop_cancel(rules->timer);
    rules->timer   = NULL;
    rules->started = false;
}

const gm_rulebook *gm_rules_book(const gm_rules *rules) { return rules->book; }

gm_rules_stats gm_rules_statistics(const gm_rules *rules)
{
    gm_rules_stats stats = rules->stats;
    stats.instances      = rules->live;
    stats.waiting        = rules->firing_count;
    return stats;
}

void gm_rules_each(const gm_rules *rules, gm_str rule, void (*each)(void *context, const gm_rule_status *status), void *context)
{
    static const char *const phases[] = { "off", "rising", "on", "falling" };
    for (size_t i = 0; i < rules->instance_count; i++) {
        const gm_instance *in = &rules->instances[i];
        if (in->rule == NULL || (rule.len > 0 && !gm_str_eq(in->rule->name, rule))) continue;
        gm_rule_status status = { in->rule->name, gm_state_id(gm_rules_state(rules), (gm_twin){ in->twin }), phases[in->phase], in->since, in->firings, in->suppressed };
        each(context, &status);
    }
}

void gm_rules_count(const gm_rules *rules, gm_rule_tally *out)
{
    if (rules->book == NULL) return;
    memset(out, 0, rules->book->count * sizeof *out);
    for (size_t i = 0; i < rules->instance_count; i++) {
        const gm_instance *in = &rules->instances[i];
        if (in->rule == NULL) continue;
        gm_rule_tally *t = &out[in->statement];
        t->twins++;
        t->on += in->phase == GM_PHASE_ON || in->phase == GM_PHASE_FALLING;
        t->suppressed += in->suppressed;
        t->firings += in->firings;
    }
}
