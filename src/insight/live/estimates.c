// What was written goes to the filters, what they make of it comes back.
#include "insight/live/estimates.h"

#include "base/number.h"
#include "insight/text_file.h"
#include "physics/modelica/diag.h"

#include <math.h>
#include <stdio.h>

enum { FILE_LIMIT = 1 << 20, INBOX_MAX = 60000 };

typedef struct note { gm_time_ns at; uint32_t signal; double value; } note;

typedef struct entry {
    const gm_estimate_setup *setup;
    gm_group                *group;
    gm_vigil                *vigil;       // NULL: trouble says why
    bool                     stale, told_fault, told_model;
    char                     trouble[200];
    note                    *inbox, *taken;
    size_t                   inbox_count, inbox_room, taken_count;
    gm_time_ns               newest;
    uint64_t                 lost;
    gm_estimates_variable   *variables;
    gm_estimates_signal     *signals;
    gm_vigil_fault          *faults;
    gm_twin                 *fault_twins;
    uint32_t                 variable_count, signal_count, fault_count;
    gm_estimator_stats       stats;
    bool                     alarm;
    gm_vigil_fault           told;
    gm_str                   told_twin;
} entry;

struct gm_estimates {
    gm_estimates_options options;
    gm_pool             *pool;
    gm_arena            *arena;
    gm_estimate_setup   *setups;
    entry               *entries;
    uint32_t             count;
    uint32_t            *parts;        // [count] entries of the job
    bool                 running, scheduled, observing, ending;
    gm_buf               text;
};

static void work(void *context);
static void show(gm_estimates *e, entry *x);

static void schedule(gm_estimates *e)
{
    bool any = false;
    if (e->scheduled || e->running || e->ending || e->pool == NULL) return;
    for (uint32_t i = 0; i < e->count; i++) any |= e->entries[i].stale || e->entries[i].inbox_count > 0;
    if (any) e->scheduled = gm_engine_later(e->options.engine, work, e, NULL) == GM_OK;
}

// ---- opening --------------------------------------------------------------------------------------------------------

static void close_entry(const gm_estimates *e, entry *x)
{
    gm_vigil_destroy(x->vigil);
    if (x->group != NULL) gm_group_close(x->group);
    void *const all[] = { x->variables, x->signals, x->faults, x->fault_twins };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(e->options.alloc, all[i]);
    x->vigil          = NULL;
    x->group          = NULL;
    x->variables      = NULL;
    x->signals        = NULL;
    x->faults         = NULL;
    x->fault_twins    = NULL;
    x->variable_count = x->signal_count = x->fault_count = 0;
    x->inbox_count    = 0;
    x->alarm          = false;
}

// Where a parameter was: the last estimate, else the property that kept it.
static bool known_before(const gm_estimates *e, const entry *x, const gm_estimates_variable *old, uint32_t old_count, const gm_estimate_ask *ask,
                         uint32_t member, double *out)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    gm_cell         cell;
    for (uint32_t i = 0; i < old_count; i++)
        if (gm_str_eq(old[i].name, ask->name)) return *out = old[i].value.mean, true;
    if (ask->into[0].len == 0) return false;
    gm_twin  twin   = gm_group_twin(x->group, member);
    uint32_t column = gm_type_column_index(gm_state_type(state, twin), ask->into[0]);
    if (column == GM_NO_COLUMN) return false;
    gm_state_get(state, twin, column, &cell);
    *out = cell.value.d;
    return cell.value.kind == GM_KIND_DOUBLE && isfinite(*out);
}

static void seed_parameters(const gm_estimates *e, const entry *x, const gm_estimates_variable *old, uint32_t old_count, double *slots)
{
    for (uint32_t i = 0; i < x->setup->parameters.count; i++) {
        const gm_estimate_ask *ask = &x->setup->parameters.items[i];
        gm_group_variable      v;
        double                 value;
        if (!gm_group_find(x->group, ask->name, &v) || v.set.v == GM_SLOT_NONE.v) continue;
        if (!known_before(e, x, old, old_count, ask, v.member, &value)) continue;
        double slot = value * v.set_factor + v.set_offset;
        if (!ask->log || slot > 0) slots[v.set.v] = slot;
    }
}

static gm_status make_tables(const gm_estimates *e, entry *x, gm_error *err)
{
    const gm_estimate_model  *model = gm_vigil_model(x->vigil);
    const gm_estimate_part   *parts = gm_estimate_model_parts(model, &x->variable_count);
    const gm_estimate_signal *signals = gm_estimate_model_signals(model, &x->signal_count);
    const gm_alloc           *a = e->options.alloc;
    x->fault_count = x->setup->faults.count;
    x->variables   = gm_alloc_zeroed(a, (x->variable_count + (size_t)1) * sizeof *x->variables);
    x->signals     = gm_alloc_zeroed(a, (x->signal_count + (size_t)1) * sizeof *x->signals);
    x->faults      = gm_alloc_zeroed(a, (x->fault_count + (size_t)1) * sizeof *x->faults);
    x->fault_twins = gm_alloc_zeroed(a, (x->fault_count + (size_t)1) * sizeof *x->fault_twins);
    if (x->variables == NULL || x->signals == NULL || x->faults == NULL || x->fault_twins == NULL)
        return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
    for (uint32_t i = 0; i < x->variable_count; i++) {
        uint32_t member = parts[i].member != UINT32_MAX ? parts[i].member : gm_group_member(x->group, gm_str_slice(parts[i].name, 0, gm_str_find_char(parts[i].name, '.')));
        x->variables[i] = (gm_estimates_variable){ .name = parts[i].name, .unit = parts[i].unit, .kind = parts[i].kind,
                                                   .twin = gm_group_twin(x->group, member != UINT32_MAX ? member : 0) };
    }
    for (uint32_t i = 0; i < x->signal_count; i++)
        x->signals[i] = (gm_estimates_signal){ .name = signals[i].name, .unit = signals[i].unit, .twin = signals[i].twin, .column = signals[i].column };
    return GM_OK;
}

// A twin in the middle of a state that is still to be told: the first measurements decide, so it begins when one comes.
static gm_status open_vigil(gm_estimates *e, entry *x, const gm_estimates_variable *old, uint32_t old_count, gm_error *err)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    gm_twin         root  = gm_state_find(state, x->setup->root);
    gm_diags        diags;
    gm_fork_report  report;
    if (!gm_twin_ok(root)) return gm_fail(err, GM_NOTFOUND, "insight.estimates", "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(x->setup->root, 0, 80)));
    if (e->options.behaviors == NULL) return gm_fail(err, GM_NOTFOUND, "insight.estimates", "the plant has no behaviors");
    gm_diags_init(&diags, e->options.alloc);
    gm_status st = gm_group_open(e->options.behaviors, state, root, &diags, &x->group, err);
    if (st == GM_INVALID && diags.errors > 0) (void)gm_diags_fail(&diags, err);
    gm_diags_finish(&diags);
    if (st != GM_OK) return st;
    gm_group_reader reader = gm_group_live_reader(state);
    double         *slots  = gm_alloc_array(e->options.alloc, gm_program_slot_count(gm_group_program(x->group)), sizeof *slots);
    gm_time_ns      at     = x->newest;
    if (slots == NULL) return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
    st = gm_group_fork(x->group, &reader, gm_group_time(at), slots, &report, err);
    // The state is as of its newest value; what is older is history.
    if (st == GM_OK && report.newest > at) {
        at                    = report.newest;
        slots[GM_TIME_SLOT.v] = gm_group_time(at);
    }
    if (st == GM_OK) seed_parameters(e, x, old, old_count, slots);
    if (st == GM_OK) st = gm_vigil_create(e->options.alloc, x->setup, x->group, slots, at, &x->vigil, err);
    gm_free(e->options.alloc, slots);
    return st == GM_OK ? make_tables(e, x, err) : st;
}

static void open_entry(gm_estimates *e, entry *x)
{
    gm_error               why   = { 0 };
    gm_estimates_variable *old   = x->variables;
    uint32_t               count = x->variable_count;
    x->variables  = NULL;  // kept until their values have been taken over; names are the old model's
    gm_vigil *before = x->vigil;
    gm_group *group  = x->group;
    x->vigil = NULL;
    x->group = NULL;
    close_entry(e, x);
    x->stale      = false;
    x->trouble[0] = '\0';
    if (open_vigil(e, x, old, count, &why) != GM_OK) {
        close_entry(e, x);
        snprintf(x->trouble, sizeof x->trouble, "%s", why.text);
    } else show(e, x);
    gm_vigil_destroy(before);
    if (group != NULL) gm_group_close(group);
    gm_free(e->options.alloc, old);
}

// ---- what is written --------------------------------------------------------------------------------------------------

static void take_note(gm_estimates *e, entry *x, uint32_t signal, const gm_cell_write *cell)
{
    double value = cell->value.kind == GM_KIND_DOUBLE ? cell->value.d : cell->value.kind == GM_KIND_INT || cell->value.kind == GM_KIND_BOOL ? (double)cell->value.i : NAN;
    if (x->inbox_count >= INBOX_MAX || !gm_alloc_reserve(e->options.alloc, &x->inbox, &x->inbox_room, x->inbox_count + 1, sizeof *x->inbox)) {
        x->lost++;
        return;
    }
    x->inbox[x->inbox_count++] = (note){ cell->at, signal, value };
    if (cell->at > x->newest) x->newest = cell->at;
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_estimates *e    = context;
    gm_twin       twin = { change->twin };
    (void)record;
    bool shape = change->kind == GM_CHANGE_TWIN_PUT || change->kind == GM_CHANGE_TWIN_DELETE || change->kind == GM_CHANGE_RELATIONSHIP_PUT ||
                 change->kind == GM_CHANGE_RELATIONSHIP_DELETE;
    for (uint32_t i = 0; i < e->count && (shape || change->kind == GM_CHANGE_WRITE); i++) {
        entry         *x  = &e->entries[i];
        const uint8_t *at = change->cells;
        gm_cell_write  cell;
        if (shape) x->stale = true;
        // The model does not change while a job runs: entries are opened on this thread, between jobs.
        if (shape || x->vigil == NULL) continue;
        while (gm_change_next_cell(change, &at, &cell)) {
            uint32_t signal = gm_estimate_signal_find(gm_vigil_model(x->vigil), twin, cell.column);
            if (signal != UINT32_MAX) take_note(e, x, signal, &cell);
        }
    }
    schedule(e);
}

// ---- in the pool ------------------------------------------------------------------------------------------------------

static gm_status run_part(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    gm_estimates *e = context;
    entry        *x = &e->entries[e->parts[part]];
    gm_time_ns    newest = 0;
    (void)thread, (void)job, (void)err;
    for (size_t i = 0; i < x->taken_count; i++) {
        if (gm_vigil_feed(x->vigil, x->taken[i].signal, x->taken[i].at, x->taken[i].value, NULL) != GM_OK) break;
        if (x->taken[i].at > newest) newest = x->taken[i].at;
    }
    // One estimate that can not go on must not keep the others from theirs.
    (void)!gm_vigil_advance(x->vigil, newest, NULL);
    return GM_OK;
}

// ---- results ----------------------------------------------------------------------------------------------------------

static void tell(gm_estimates *e, entry *x, gm_str twin, const char *what, gm_str name, double score, gm_time_ns start, gm_time_ns end)
{
    char    digits[GM_NUMBER_TEXT], from[GM_TIME_TEXT], to[GM_TIME_TEXT], detector[200];
    gm_buf *out = &e->text;
    if (e->options.anomalies == NULL) return;
    snprintf(detector, sizeof detector, GM_STR_FMT ": %s" GM_STR_FMT, GM_STR_ARG(gm_str_slice(x->setup->name, 0, 80)), what, GM_STR_ARG(gm_str_slice(name, 0, 80)));
    gm_number_write(round(100 * score) / 100, digits);
    gm_time_format(start, from);
    gm_time_format(end, to);
    gm_buf_clear(out);
    gm_buf_printf(out, "{\"start\":\"%s\"", from);
    if (end != 0) gm_buf_printf(out, ",\"end\":\"%s\"", to);
    gm_buf_printf(out, ",\"score\":%s,\"signals\":[]}", digits);
    if (!out->failed) (void)!gm_anomalies_tell(e->options.anomalies, twin, gm_str_of(detector), gm_buf_view(out), end != 0, NULL);
}

static void tell_changes(gm_estimates *e, entry *x)
{
    gm_vigil_fault f     = { 0 };
    bool           now   = gm_vigil_alarm(x->vigil, &f);
    bool           other = now && x->alarm && !gm_str_eq(f.name, x->told.name);
    if (x->alarm && (!now || other)) tell(e, x, x->told_twin, "", x->told.name, x->told.significance, x->told.since, x->stats.at);
    if (now && (!x->alarm || other)) {
        x->told_twin = gm_group_twin_id(x->group, f.member < gm_group_twin_count(x->group) ? f.member : 0);
        tell(e, x, x->told_twin, "", f.name, f.significance, f.since, 0);
    }
    x->alarm = now;
    x->told  = f;
    gm_health_state health = x->stats.health.state;
    bool            wrong  = health == GM_HEALTH_TOO_SURE;
    // Between good and bad it stays as it was told.
    if (wrong == x->told_model || (!wrong && health == GM_HEALTH_UNKNOWN)) return;
    tell(e, x, x->setup->root, "the model no longer fits", GM_STR(""), x->stats.health.nis_mean, x->stats.at, wrong ? 0 : x->stats.at);
    x->told_model = wrong;
}

static void write_into(gm_estimates *e, const gm_str into[2], gm_twin twin, gm_estimator_value value, gm_time_ns at)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    double          values[2] = { value.mean, value.deviation };
    gm_cell_write   cells[2];
    size_t          n = 0;
    if (at == 0 || into[0].len == 0 || !gm_state_exists(state, twin)) return;
    const gm_type *type = gm_state_type(state, twin);
    for (int k = 0; k < 2; k++) {
        uint32_t column = into[k].len > 0 ? gm_type_column_index(type, into[k]) : GM_NO_COLUMN;
        if (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_DOUBLE || !isfinite(values[k])) continue;
        cells[n++] = (gm_cell_write){ .column = (uint16_t)column, .at = at, .value = { .kind = GM_KIND_DOUBLE, .d = values[k] } };
    }
    if (n > 0) (void)!gm_engine_write(e->options.engine, twin, 0, cells, n, (gm_ask){ 0 }, NULL);
}

// Before the first measurement there is something to see, nothing to write.
static void show(gm_estimates *e, entry *x)
{
    const gm_estimator       *f = gm_vigil_estimator(x->vigil);
    uint32_t                  n;
    const gm_estimate_part   *parts   = gm_estimate_model_parts(gm_vigil_model(x->vigil), &n);
    const gm_estimate_signal *signals = gm_estimate_model_signals(gm_vigil_model(x->vigil), &n);
    x->stats = gm_estimator_statistics(f);
    for (uint32_t i = 0; i < x->variable_count; i++) {
        x->variables[i].value = gm_estimator_part(f, i);
        write_into(e, parts[i].into, x->variables[i].twin, x->variables[i].value, x->stats.moments > 0 ? x->stats.at : 0);
    }
    for (uint32_t i = 0; i < x->signal_count; i++) {
        x->signals[i].reading = gm_estimator_signal(f, i);
        write_into(e, signals[i].into, x->signals[i].twin, x->signals[i].reading.estimate, x->stats.moments > 0 ? x->stats.at : 0);
    }
    for (uint32_t i = 0; i < x->fault_count; i++) {
        if (!gm_vigil_fault_at(x->vigil, i, &x->faults[i])) x->faults[i] = (gm_vigil_fault){ .name = x->setup->faults.items[i].name, .member = UINT32_MAX };
        x->fault_twins[i] = gm_group_twin(x->group, x->faults[i].member < gm_group_twin_count(x->group) ? x->faults[i].member : 0);
    }
    tell_changes(e, x);
}

static void done(void *context, gm_status status, const gm_error *err)
{
    gm_estimates *e = context;
    (void)err;
    e->running = false;
    for (uint32_t i = 0; i < e->count; i++) {
        entry *x = &e->entries[i];
        if (x->taken_count == 0) continue;
        x->taken_count = 0;
        gm_free(e->options.alloc, x->taken);
        x->taken = NULL;
        if (status == GM_OK && x->vigil != NULL && !e->ending) show(e, x);
    }
    schedule(e);
}

static void work(void *context)
{
    gm_estimates *e     = context;
    uint32_t      parts = 0;
    e->scheduled = false;
    if (e->running || e->ending) return;
    for (uint32_t i = 0; i < e->count; i++) {
        entry *x = &e->entries[i];
        if (x->stale) open_entry(e, x);
        if (x->vigil == NULL || x->inbox_count == 0) continue;
        x->taken        = x->inbox;
        x->taken_count  = x->inbox_count;
        x->inbox        = NULL;
        x->inbox_count  = x->inbox_room = 0;
        e->parts[parts++] = i;
    }
    if (parts == 0) return;
    gm_pool_id   id;
    gm_pool_task task = { .parts = parts, .run = run_part, .done = done, .context = e };
    e->running = gm_pool_submit(e->pool, &task, &id, NULL) == GM_OK;
    if (!e->running)
        for (uint32_t p = 0; p < parts; p++) {  // the pool is full: these measurements are lost, which the filter bears
            entry *x = &e->entries[e->parts[p]];
            x->lost += x->taken_count;
            x->taken_count = 0;
            gm_free(e->options.alloc, x->taken);
            x->taken = NULL;
        }
}

// ---- life cycle -------------------------------------------------------------------------------------------------------

static gm_status read_file(void *context, gm_str name, gm_error *err)
{
    gm_estimates *e = context;
    if (!gm_str_ends(name, GM_STR(".json"))) return GM_OK;
    gm_str   path = gm_arena_printf(e->arena, GM_STR_FMT "/estimate/" GM_STR_FMT, GM_STR_ARG(e->options.plant), GM_STR_ARG(name));
    gm_buf   text = gm_buf_init(e->options.alloc);
    gm_error why  = { 0 };
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.estimates", "reading estimate/");
    gm_status st = gm_text_file_read(e->options.io, path.ptr, FILE_LIMIT, &text, &why);
    if (st == GM_OK) st = gm_estimate_setups_parse(e->arena, gm_buf_view(&text), e->setups, &e->count, &why);
    gm_buf_finish(&text);
    if (st == GM_OK) return GM_OK;
    return gm_fail(err, st, "insight.estimates", "estimate/" GM_STR_FMT ": %.150s", GM_STR_ARG(gm_str_slice(name, 0, 40)), why.text);
}

gm_status gm_estimates_create(const gm_estimates_options *options, gm_estimates **out, gm_error *err)
{
    gm_estimates *e = gm_alloc_zeroed(options->alloc, sizeof *e);
    gm_error      why = { 0 };
    *out = NULL;
    if (e == NULL) return gm_fail(err, GM_NOMEM, "insight.estimates", "starting");
    e->options = *options;
    e->text    = gm_buf_init(options->alloc);
    e->arena   = gm_arena_create(options->alloc, 0);
    gm_str    folder = e->arena != NULL ? gm_arena_printf(e->arena, GM_STR_FMT "/estimate", GM_STR_ARG(options->plant)) : (gm_str){ 0 };
    gm_status st     = GM_OK;
    if (folder.ptr != NULL) e->setups = GM_ARENA_NEW(e->arena, gm_estimate_setup, GM_ESTIMATE_SETUPS_MAX);
    if (e->setups == NULL) st = gm_fail(err, GM_NOMEM, "insight.estimates", "starting");
    if (st == GM_OK) {
        // A plant without the folder asks for nothing.
        gm_status listed = options->io->list(options->io, folder.ptr, read_file, e, &why);
        if (listed != GM_OK && listed != GM_NOTFOUND && !(listed == GM_IO && e->count == 0)) {
            st = listed;
            if (err != NULL) *err = why;
        }
    }
    if (st == GM_OK) {
        e->entries = gm_alloc_zeroed(options->alloc, (e->count + (size_t)1) * sizeof *e->entries);
        e->parts   = gm_alloc_array(options->alloc, e->count + (size_t)1, sizeof *e->parts);
        if (e->entries == NULL || e->parts == NULL) st = gm_fail(err, GM_NOMEM, "insight.estimates", "starting");
        for (uint32_t i = 0; st == GM_OK && i < e->count; i++) e->entries[i] = (entry){ .setup = &e->setups[i], .stale = true };
    }
    if (st == GM_OK) *out = e;
    else gm_estimates_destroy(e);
    return st;
}

// What was open when the last process ended is told anew if it is still so.
static void end_open_ones(gm_estimates *e)
{
    gm_anomalies *all = e->options.anomalies;
    for (size_t i = 0; all != NULL && i < gm_anomalies_count(all); i++) {
        gm_anomaly a = gm_anomalies_at(all, i);
        for (uint32_t k = 0; a.open && k < e->count; k++) {
            gm_str name = e->setups[k].name;
            if (!gm_str_starts(a.detector, name) || !gm_str_starts(gm_str_slice(a.detector, name.len, a.detector.len), GM_STR(": "))) continue;
            (void)!gm_anomalies_tell(all, a.twin, a.detector, a.text, true, NULL);
            break;
        }
    }
}

gm_status gm_estimates_start(gm_estimates *e, gm_pool *pool, gm_error *err)
{
    e->pool = pool;
    if (e->count == 0 || pool == NULL) return GM_OK;
    gm_status st = gm_engine_observe(e->options.engine, observe, e, err);
    e->observing = st == GM_OK;
    if (st != GM_OK) return st;
    end_open_ones(e);
    for (uint32_t i = 0; i < e->count; i++) open_entry(e, &e->entries[i]);
    return GM_OK;
}

void gm_estimates_stop(gm_estimates *e)
{
    if (e == NULL) return;
    e->ending = true;
    if (e->observing) gm_engine_unobserve(e->options.engine, observe, e);
    if (e->scheduled) gm_engine_never(e->options.engine, work, e);
    e->observing = e->scheduled = false;
}

void gm_estimates_destroy(gm_estimates *e)
{
    if (e == NULL) return;
    for (uint32_t i = 0; e->entries != NULL && i < e->count; i++) {
        close_entry(e, &e->entries[i]);
        gm_free(e->options.alloc, e->entries[i].inbox);
        gm_free(e->options.alloc, e->entries[i].taken);
    }
    gm_free(e->options.alloc, e->entries);
    gm_free(e->options.alloc, e->parts);
    gm_buf_finish(&e->text);
    gm_arena_destroy(e->arena);
    gm_free(e->options.alloc, e);
}

uint32_t gm_estimates_count(const gm_estimates *e) { return e->count; }

gm_estimates_view gm_estimates_at(const gm_estimates *e, uint32_t i)
{
    const entry *x = &e->entries[i];
    return (gm_estimates_view){ .name = x->setup->name, .root = x->setup->root, .trouble = x->trouble, .stats = x->stats, .variables = x->variables,
                                .signals = x->signals, .variable_count = x->variable_count, .signal_count = x->signal_count, .faults = x->faults,
                                .fault_twins = x->fault_twins, .fault_count = x->stats.moments > 0 ? x->fault_count : 0, .alarm = x->alarm,
                                .told = x->told, .lost = x->lost };
}
