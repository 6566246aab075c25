// One timer looks every second which plan is due. A plan is begun on the engine thread (its group, a fork, the estimate's
// draws), searched for in the pool, and done back on the engine thread.
//
// (1) While an entry runs, nothing that its job reads is touched: group, planner and beginnings change between jobs only.
#include "control/optimise/plans.h"

#include "control/json.h"
#include "control/optimise/beginnings.h"
#include "physics/modelica/diag.h"

#include <math.h>
#include <stdio.h>

static const char WHERE[] = "control.plans";

typedef struct entry {
    struct gm_plans *plans;
    gm_plan_setup    setup;
    gm_group        *group;
    gm_planner      *planner;
    double          *base, *draws;    // [slots], [GM_PLANNER_DRAWS][slots]
    uint32_t         draw_count;
    bool             running, solved, estimated, stale;
    gm_time_ns       newest;          // source time of the newest value that was forked
    gm_time_ns       at, next;
    gm_dur_ns        began;           // monotonic
    double           seconds;
    gm_advice        found;           // the search's; (1)
    gm_advice        advice;          // of the last solution
    gm_buf           result;          // the last solution as members of a JSON object
    char             trouble[sizeof((gm_error *)NULL)->text];
} entry;

// A set of files in force. An older one lives on until none of its plans is being searched for.
typedef struct edition { gm_arena *arena; entry *entries; uint32_t count; } edition;

struct gm_plans {
    gm_plans_options options;
    gm_pool         *pool;
    gm_timer        *timer;
    edition         *now;
    edition        **old;
    size_t           old_count, old_room;
    gm_buf           text;            // of the files in force
    bool             observing, ending;
};

// ---- editions -----------------------------------------------------------------------------------------------------

static void close_entry(const gm_plans *p, entry *x)
{
    gm_planner_destroy(x->planner);
    if (x->group != NULL) gm_group_close(x->group);
    gm_free(p->options.alloc, x->base);
    gm_free(p->options.alloc, x->draws);
    gm_buf_finish(&x->result);
    x->planner = NULL;
    x->group   = NULL;
    x->base = x->draws = NULL;
    x->solved  = false;
}

static void destroy_edition(const gm_plans *p, edition *e)
{
    if (e == NULL) return;
    for (uint32_t i = 0; i < e->count; i++) close_entry(p, &e->entries[i]);
    gm_arena_destroy(e->arena);
    gm_free(p->options.alloc, e);
}

static void drop_old(gm_plans *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->old_count; i++) {
        bool busy = false;
        for (uint32_t k = 0; k < p->old[i]->count; k++) busy |= p->old[i]->entries[k].running;
        if (busy && !p->ending) p->old[kept++] = p->old[i];
        else destroy_edition(p, p->old[i]);
    }
    p->old_count = kept;
}

static edition *create_edition(gm_plans *p, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err)
{
    edition       *e      = gm_alloc_zeroed(p->options.alloc, sizeof *e);
    gm_plan_setup *setups = NULL;
    gm_status      st     = GM_OK;
    if (e != NULL) e->arena = gm_arena_create(p->options.alloc, 0);
    if (e != NULL && e->arena != NULL) setups = GM_ARENA_NEW(e->arena, gm_plan_setup, GM_PLANS_MAX);
    if (setups == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "reading plans");
    for (*out_file = 0; st == GM_OK && *out_file < count; ++*out_file) {
        if (!gm_plan_file_is(files[*out_file].name)) continue;
        st = gm_plan_file_read(e->arena, files[*out_file].text, setups, &e->count, err);
        if (st != GM_OK) break;
    }
    if (st == GM_OK) e->entries = gm_arena_zeroed(e->arena, e->count + (size_t)1, sizeof *e->entries);
    if (st == GM_OK && e->entries == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "reading plans");
    for (uint32_t i = 0; st == GM_OK && i < e->count; i++) 
        e->entries[i] = (entry){ .plans = p, .setup = setups[i], .stale = true, .result = gm_buf_init(p->options.alloc) };
    if (st == GM_OK) return e;
    if (e != NULL) e->count = 0;
    destroy_edition(p, e);
    return NULL;
}

gm_status gm_plans_set(gm_plans *p, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_buf text = gm_buf_init(p->options.alloc);
    for (size_t i = 0; i < count; i++) {
        if (!gm_plan_file_is(files[i].name)) continue;
        gm_buf_str(&text, files[i].name);
        gm_buf_byte(&text, '\n');
        gm_buf_str(&text, files[i].text);
    }
    bool      same = !text.failed && p->now != NULL && gm_str_eq(gm_buf_view(&text), gm_buf_view(&p->text));
    gm_status st   = GM_OK;
    if (!same) {
        edition *e = create_edition(p, files, count, out_file, err);
        st         = e == NULL ? (err != NULL && err->status != GM_OK ? err->status : GM_INVALID) : GM_OK;
        if (e != NULL && p->now != NULL && !gm_alloc_reserve(p->options.alloc, &p->old, &p->old_room, p->old_count + 1, sizeof(edition *))) {
            destroy_edition(p, e);
            st = gm_fail(err, GM_NOMEM, WHERE, "changing plans");
        }
        if (st == GM_OK) {
            if (p->now != NULL) p->old[p->old_count++] = p->now;
            p->now = e;
            gm_buf swap = p->text;
            p->text     = text;
            text        = swap;
            drop_old(p);
        }
    }
    gm_buf_finish(&text);
    return st;
}

// ---- a group and where it is --------------------------------------------------------------------------------------

static gm_status open_entry(gm_plans *p, entry *x, gm_error *err)
{
    const gm_state *state = gm_engine_state(p->options.engine);
    gm_twin         root  = gm_state_find(state, x->setup.root);
    gm_diags        diags;
    close_entry(p, x);
    if (!gm_twin_ok(root)) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(x->setup.root, 0, 80)));
    if (p->options.behaviors == NULL) return gm_fail(err, GM_NOTFOUND, WHERE, "the plant has no behaviors");
    gm_diags_init(&diags, p->options.alloc);
    gm_status st = gm_group_open(p->options.behaviors, state, root, &diags, &x->group, err);
    if (st == GM_INVALID && diags.errors > 0) (void)gm_diags_fail(&diags, err);
    gm_diags_finish(&diags);
    if (st == GM_OK) st = gm_planner_create(p->options.alloc, &x->setup, x->group, &x->planner, err);
    if (st != GM_OK) return st;
    uint32_t slots = gm_program_slot_count(gm_group_program(x->group));
    x->base  = gm_alloc_array(p->options.alloc, slots, sizeof *x->base);
    x->draws = gm_alloc_array(p->options.alloc, slots * (size_t)GM_PLANNER_DRAWS, sizeof *x->draws);
    return x->base != NULL && x->draws != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "binding a plan");
}

static gm_status fork_entry(gm_plans *p, entry *x, gm_error *err)
{
    gm_group_reader reader = gm_group_live_reader(gm_engine_state(p->options.engine));
    gm_fork_report  report;
    uint32_t        slots = gm_program_slot_count(gm_group_program(x->group));
    x->draw_count = 0;
    gm_status st  = gm_group_fork(x->group, &reader, gm_group_time(x->at), x->base, &report, err);
    if (st != GM_OK) return st;
    x->newest = report.newest;
    const gm_estimates_spread *e = p->options.estimates != NULL ? gm_estimates_spread_of(p->options.estimates, gm_group_twin(x->group, 0)) : NULL;
    x->estimated = e != NULL && e->count > 0;
    for (uint32_t i = 0; i < GM_PLANNER_DRAWS; i++) {
        double *draw = x->draws + (size_t)i * slots;
        memcpy(draw, x->base, slots * sizeof *draw);
        if (x->estimated) gm_beginnings_draw(x->group, &e->spread, x->setup.mpc.seed, i, draw);
        if (gm_planner_unknown(x->planner, i, draw) || x->estimated) x->draw_count++;
    }
    if (x->estimated) gm_beginnings_mean(x->group, &e->spread, x->base);
    return GM_OK;
}

// ---- doing it -----------------------------------------------------------------------------------------------------

// The same words in the journal and behind a command's cause.
static void write_advice(const entry *x, bool armed, gm_buf *out)
{
    gm_buf_text(out, "\"plan\":");
    gm_buf_json_str(out, x->setup.name);
    const struct { const char *name; double value; } all[] = { { "cost", x->advice.cost }, { "held", x->advice.held }, { "gain", x->advice.gain },
                                                               { "gainDeviation", x->advice.gain_deviation }, { "broken", x->advice.broken } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        gm_buf_printf(out, ",\"%s\":", all[i].name);
        gm_buf_json_number(out, all[i].value);
    }
    gm_buf_printf(out, ",\"estimated\":%s,\"armed\":%s", x->estimated ? "true" : "false", armed ? "true" : "false");
}

static void write_ranking(const entry *x, gm_buf *out)
{
    gm_setting_name names[GM_PLAN_NAMES_MAX];
    uint32_t        count = gm_planner_move_count(x->planner);
    for (uint32_t i = 0; i < count; i++) {
        gm_planner_move m = gm_planner_move_at(x->planner, i);
        names[i] = (gm_setting_name){ m.name, m.of.set_factor, m.of.set_offset };
    }
    gm_buf_byte(out, ',');
    gm_settings_write(gm_planner_ranking(x->planner), names, count, out);
}

// Times and values of every input's plan, beside what it is worth: its cost without it, less the cost with it.
static void write_result(entry *x)
{
    gm_buf  *out   = &x->result;
    uint32_t knots = x->setup.mpc.knots;
    gm_buf_clear(out);
    gm_buf_printf(out, "\"every\":");
    gm_buf_json_number(out, x->setup.mpc.knot_s);
    gm_buf_text(out, ",\"inputs\":{");
    for (uint32_t i = 0; i < gm_planner_move_count(x->planner); i++) {
        gm_planner_move m = gm_planner_move_at(x->planner, i);
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, m.name);
        gm_buf_text(out, ":{\"unit\":");
        gm_buf_json_str(out, m.of.unit);
        const struct { const char *name; double value; } all[] = { { "before", m.before }, { "now", m.now }, { "worth", m.without - x->advice.cost } };
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            gm_buf_printf(out, ",\"%s\":", all[k].name);
            gm_buf_json_number(out, all[k].value);
        }
        gm_buf_text(out, ",\"plan\":[");
        for (uint32_t k = 0; k < knots; k++) {
            if (k > 0) gm_buf_byte(out, ',');
            gm_buf_json_number(out, (m.plan[k] - m.of.set_offset) / m.of.set_factor);
        }
        gm_buf_text(out, "]}");
    }
    gm_buf_byte(out, '}');
    if (x->setup.settings) write_ranking(x, out);
}

static void record(gm_plans *p, const entry *x, bool armed)
{
    gm_buf json = gm_buf_init(p->options.alloc);
    gm_buf_byte(&json, '{');
    write_advice(x, armed, &json);
    gm_buf_text(&json, ",\"inputs\":{");
    for (uint32_t i = 0; i < gm_planner_move_count(x->planner); i++) {
        gm_planner_move m = gm_planner_move_at(x->planner, i);
        if (i > 0) gm_buf_byte(&json, ',');
        gm_buf_json_str(&json, m.name);
        gm_buf_byte(&json, ':');
        gm_buf_json_number(&json, m.now);
    }
    gm_buf_text(&json, "}}");
    if (!json.failed) gm_journal_post(gm_control_journal(p->options.control), GM_CHANGE_RULE_DONE, x->setup.name, GM_STR("plan"), gm_buf_view(&json));
    gm_buf_finish(&json);
}

static void send_move(gm_plans *p, entry *x, const gm_planner_move *m, gm_str cause)
{
    const gm_state *state = gm_engine_state(p->options.engine);
    char            id[GM_COMMAND_ID], who[100];
    gm_error        err = { 0 };
    snprintf(who, sizeof who, "plan " GM_STR_FMT, GM_STR_ARG(gm_str_slice(x->setup.name, 0, 80)));
    json_t *value = m->column->kind == GM_KIND_INT ? json_integer((json_int_t)llround(m->now))
                  : m->column->kind == GM_KIND_BOOL ? json_boolean(m->now > 0.5) : json_real(m->now);
    gm_command_request r = { .twin = gm_state_id(state, m->twin), .name = m->column->path, .set = true, .value = value, .who = gm_str_of(who),
                             .automatic = true, .cause = cause };
    if (gm_commands_request(gm_control_commands(p->options.control), &r, (gm_ask){ 0 }, id, &err) != GM_OK)
        snprintf(x->trouble, sizeof x->trouble, "%.*s: %.150s", (int)gm_str_slice(m->name, 0, 40).len, m->name.ptr, err.text);
    json_decref(value);
}

// Has a person armed all of its twins? Asked also while its job runs: which twins these are does not change.
static bool is_armed(const gm_plans *p, const entry *x)
{
    uint32_t count = x->planner != NULL ? gm_planner_move_count(x->planner) : 0;
    bool     armed = count > 0;
    gm_str   why;
    for (uint32_t i = 0; i < count && armed; i++)
        armed = gm_arming_admits(gm_control_arming(p->options.control), gm_planner_move_twin(x->planner, i), &why);
    return armed;
}

static bool is_stale(const gm_plans *p, entry *x)
{
    gm_dur_ns age = gm_now(p->options.clock) - x->newest, most = (gm_dur_ns)(fmax(x->setup.again_s, 60) * 1e9);
    if (age <= most) return false;
    snprintf(x->trouble, sizeof x->trouble, "not done: the newest value of its twins is %.0f s old", (double)age / 1e9);
    return true;
}

static void act(gm_plans *p, entry *x)
{
    bool armed = is_armed(p, x);
    record(p, x, armed);
    if (!armed || is_stale(p, x)) return;
    gm_buf cause = gm_buf_init(p->options.alloc);
    write_advice(x, armed, &cause);
    for (uint32_t i = 0; i < gm_planner_move_count(x->planner) && !cause.failed; i++) {
        gm_planner_move m = gm_planner_move_at(x->planner, i);
        if (m.column == NULL || m.column->is_telemetry) {
            snprintf(x->trouble, sizeof x->trouble, GM_STR_FMT " is no property: nobody can be told to set it", GM_STR_ARG(gm_str_slice(m.name, 0, 60)));
            continue;
        }
        // What holds already is not asked for again.
        if (fabs(m.now - m.before) <= 1e-9 * (1 + fabs(m.now))) continue;
        send_move(p, x, &m, gm_buf_view(&cause));
    }
    gm_buf_finish(&cause);
}

// ---- searching ----------------------------------------------------------------------------------------------------

static gm_status search(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    entry        *x     = context;
    const double *draws[GM_PLANNER_DRAWS];
    uint32_t      slots = gm_program_slot_count(gm_group_program(x->group));
    (void)part, (void)thread, (void)job;
    for (uint32_t i = 0; i < x->draw_count; i++) draws[i] = x->draws + (size_t)i * slots;
    return gm_planner_solve(x->planner, x->base, draws, x->draw_count, &x->found, err);
}

static void found(void *context, gm_status status, const gm_error *err)
{
    entry    *x = context;
    gm_plans *p = x->plans;
    x->running  = false;
    x->seconds  = (double)(gm_monotonic(p->options.clock) - x->began) / 1e9;
    if (p->ending || status == GM_CANCELLED) return;
    bool in_force = p->now != NULL && x >= p->now->entries && x < p->now->entries + p->now->count;
    if (status != GM_OK) snprintf(x->trouble, sizeof x->trouble, "%s", err->text);
    else if (in_force) {
        x->solved     = true;
        x->advice     = x->found;
        x->trouble[0] = '\0';
        write_result(x);
        act(p, x);
    }
    drop_old(p);
}

static void begin(gm_plans *p, entry *x)
{
    gm_error   err = { 0 };
    gm_pool_id id;
    gm_status  st = GM_OK;
    x->at         = gm_now(p->options.clock);
    x->next       = x->at + (gm_time_ns)(x->setup.again_s * 1e9);
    x->began      = gm_monotonic(p->options.clock);
    if (x->stale) {
        st       = open_entry(p, x, &err);
        x->stale = st != GM_OK;
    }
    if (st == GM_OK) st = fork_entry(p, x, &err);
    gm_pool_task task = { .parts = 1, .run = search, .done = found, .context = x };
    if (st == GM_OK) st = gm_pool_submit(p->pool, &task, &id, &err);
    x->running = st == GM_OK;
    if (st != GM_OK) snprintf(x->trouble, sizeof x->trouble, "%s", err.text);
}

static void look(void *context)
{
    gm_plans  *p = context;
    gm_error   err;
    gm_time_ns now = gm_now(p->options.clock);
    p->timer       = NULL;
    for (uint32_t i = 0; p->now != NULL && i < p->now->count; i++) {
        entry *x = &p->now->entries[i];
        // A clock that was set back must not put a plan off for longer than its interval.
        bool due = x->next <= now || x->next - now > (gm_dur_ns)(x->setup.again_s * 1e9);
        if (!x->running && due) begin(p, x);
    }
    (void)!gm_loop_after(p->options.loop, GM_SECOND, look, p, &p->timer, &err);
}

// ---- the graph ----------------------------------------------------------------------------------------------------

static bool has_member(const entry *x, uint32_t twin)
{
    for (uint32_t m = 0; m < gm_group_twin_count(x->group); m++)
        if (gm_group_twin(x->group, m).v == twin) return true;
    return false;
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_plans *p    = context;
    bool      edge = change->kind == GM_CHANGE_RELATIONSHIP_PUT || change->kind == GM_CHANGE_RELATIONSHIP_DELETE;
    (void)record;
    if (!edge && change->kind != GM_CHANGE_TWIN_PUT && change->kind != GM_CHANGE_TWIN_DELETE) return;
    for (uint32_t i = 0; p->now != NULL && i < p->now->count; i++) {
        entry *x = &p->now->entries[i];
        // What runs keeps its group (1); a member is looked for there all the same, since groups do not change.
        if (x->group == NULL || has_member(x, change->twin) || (edge && has_member(x, change->target))) x->stale = true;
    }
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_plans_create(const gm_plans_options *options, gm_plans **out, gm_error *err)
{
    gm_plans *p = gm_alloc_zeroed(options->alloc, sizeof *p);
    *out        = p;
    if (p == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    p->options = *options;
    p->text    = gm_buf_init(options->alloc);
    return GM_OK;
}

void gm_plans_start(gm_plans *p, gm_pool *pool)
{
    p->pool      = pool;
    p->observing = gm_engine_observe(p->options.engine, observe, p, NULL) == GM_OK;
    (void)!gm_loop_after(p->options.loop, GM_SECOND, look, p, &p->timer, NULL);
}

void gm_plans_stop(gm_plans *p)
{
    if (p == NULL) return;
    p->ending = true;
    gm_loop_cancel(p->timer);
    p->timer = NULL;
    if (p->observing) gm_engine_unobserve(p->options.engine, observe, p);
    p->observing = false;
}

void gm_plans_destroy(gm_plans *p)
{
    if (p == NULL) return;
    p->ending = true;
    drop_old(p);
    destroy_edition(p, p->now);
    gm_free(p->options.alloc, p->old);
    gm_buf_finish(&p->text);
    gm_free(p->options.alloc, p);
}

uint32_t gm_plans_count(const gm_plans *p) { return p->now != NULL ? p->now->count : 0; }

gm_plans_view gm_plans_at(const gm_plans *p, uint32_t i)
{
    const entry *x = &p->now->entries[i];
    return (gm_plans_view){ .setup = &x->setup, .trouble = x->trouble, .running = x->running, .solved = x->solved,
                            .armed = is_armed(p, x), .at = x->at, .next = x->next, .seconds = x->seconds, .advice = x->advice, .estimated = x->estimated,
                            .result = gm_buf_view(&x->result) };
}

uint32_t gm_plans_find(const gm_plans *p, gm_str name)
{
    for (uint32_t i = 0; i < gm_plans_count(p); i++)
        if (gm_str_eq(p->now->entries[i].setup.name, name)) return i;
    return UINT32_MAX;
}

gm_status gm_plans_make(gm_plans *p, uint32_t i, gm_error *err)
{
    entry *x = &p->now->entries[i];
    if (x->running) return gm_fail(err, GM_CONFLICT, WHERE, "this plan is being made; wait for it");
    begin(p, x);
    return GM_OK;
}
