// What was written goes to the filters, what they make of it comes back.
#include "insight/live/estimates_parts.h"

#include "insight/text_file.h"

#include <math.h>
#include <stdio.h>

enum { FILE_LIMIT = 1 << 20, INBOX_MAX = 60000 };

static void work(void *context);

static void schedule(gm_estimates *e)
{
    if (!e->news || e->scheduled || e->running || e->ending || e->pool == NULL) return;
    e->scheduled = gm_engine_later(e->options.engine, work, e, NULL) == GM_OK;
}

// ---- what is written --------------------------------------------------------------------------------------------------

static void take_note(gm_estimates *e, gm_estimates_entry *x, uint32_t signal, const gm_cell_write *cell)
{
    double value = cell->value.kind == GM_KIND_DOUBLE ? cell->value.d : cell->value.kind == GM_KIND_INT || cell->value.kind == GM_KIND_BOOL ? (double)cell->value.i : NAN;
    if (x->inbox_count >= INBOX_MAX || !gm_alloc_reserve(e->options.alloc, &x->inbox, &x->inbox_room, x->inbox_count + 1, sizeof *x->inbox)) {
        x->lost++;
        return;
    }
    x->inbox[x->inbox_count++] = (gm_estimate_note){ cell->at, signal, value };
    e->news                    = true;
    if (cell->at > x->newest) x->newest = cell->at;
}

// What has waited for a twin or a relationship to come is tried again; a group that runs changes only with its members.
static void take_shape(gm_estimates *e, const gm_change *change)
{
    bool edge = change->kind == GM_CHANGE_RELATIONSHIP_PUT || change->kind == GM_CHANGE_RELATIONSHIP_DELETE;
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->entries[i].vigil != NULL) continue;
        e->entries[i].stale = e->news = true;
    }
    for (int end = 0; end < (edge ? 2 : 1); end++)
        for (uint32_t k = gm_estimates_first(e, (gm_twin){ end == 0 ? change->twin : change->target }); k > 0; k = e->shares[k - 1].next)
            e->entries[e->shares[k - 1].entry].stale = e->news = true;
}

static void take_write(gm_estimates *e, const gm_change *change)
{
    gm_twin twin = { change->twin };
    for (uint32_t k = gm_estimates_first(e, twin); k > 0; k = e->shares[k - 1].next) {
        gm_estimates_entry *x  = &e->entries[e->shares[k - 1].entry];
        const uint8_t      *at = change->cells;
        gm_cell_write       cell;
        // The model does not change while a job runs: entries are opened on this thread, between jobs.
        if (x->vigil == NULL) {
            // Where only outputs are measured nothing that a fork reads ever gets a time.
            while (x->unmeasured && gm_change_next_cell(change, &at, &cell))
                if (cell.at > x->newest) x->newest = cell.at;
            x->stale |= x->unmeasured;
            e->news |= x->unmeasured;
            continue;
        }
        while (gm_change_next_cell(change, &at, &cell)) {
            uint32_t signal = gm_estimate_signal_find(gm_vigil_model(x->vigil), twin, cell.column);
            if (signal != UINT32_MAX) take_note(e, x, signal, &cell);
        }
    }
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_estimates *e = context;
    (void)record;
    switch (change->kind) {
    case GM_CHANGE_TWIN_PUT:
    case GM_CHANGE_TWIN_DELETE:
    case GM_CHANGE_RELATIONSHIP_PUT:
    case GM_CHANGE_RELATIONSHIP_DELETE: take_shape(e, change); break;
    case GM_CHANGE_WRITE: take_write(e, change); break;
    default: return;
    }
    schedule(e);
}

// ---- in the pool ------------------------------------------------------------------------------------------------------

static gm_status run_part(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    gm_estimates *e = context;
    gm_estimates_entry *x = &e->entries[e->parts[part]];
    gm_time_ns    newest = 0;
    (void)thread, (void)job, (void)err;
    for (size_t i = 0; i < x->taken_count; i++) {
        if (gm_vigil_feed(x->vigil, x->taken[i].signal, x->taken[i].at, x->taken[i].value, NULL) != GM_OK) break;
        if (x->taken[i].at > newest) newest = x->taken[i].at;
    }
    // One estimate that can not go on must not keep the others from theirs.
    x->diverged = gm_vigil_advance(x->vigil, newest, NULL) == GM_DIVERGED;
    return GM_OK;
}

static void done(void *context, gm_status status, const gm_error *err)
{
    gm_estimates *e = context;
    (void)err;
    e->running = false;
    for (uint32_t i = 0; i < e->count; i++) {
        gm_estimates_entry *x = &e->entries[i];
        if (x->taken_count == 0) continue;
        x->taken_count = 0;
        gm_free(e->options.alloc, x->taken);
        x->taken = NULL;
        if (status == GM_OK && x->vigil != NULL && !e->ending) gm_estimates_show(e, x);
    }
    schedule(e);
}

static void work(void *context)
{
    gm_estimates *e     = context;
    uint32_t      parts = 0;
    e->scheduled = false;
    if (e->running || e->ending) return;
    e->news = false;
    for (uint32_t i = 0; i < e->count; i++) {
        gm_estimates_entry *x = &e->entries[i];
        if (x->stale) gm_estimates_open_entry(e, x);
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
            gm_estimates_entry *x = &e->entries[e->parts[p]];
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
        for (uint32_t i = 0; st == GM_OK && i < e->count; i++) e->entries[i] = (gm_estimates_entry){ .setup = &e->setups[i], .stale = true };
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
    for (uint32_t i = 0; i < e->count; i++) gm_estimates_open_entry(e, &e->entries[i]);
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
        gm_estimates_close_entry(e, &e->entries[i]);
        gm_free(e->options.alloc, e->entries[i].inbox);
        gm_free(e->options.alloc, e->entries[i].taken);
    }
    gm_free(e->options.alloc, e->entries);
    gm_free(e->options.alloc, e->parts);
    gm_free(e->options.alloc, e->first_share);
    gm_free(e->options.alloc, e->shares);
    gm_buf_finish(&e->text);
    gm_arena_destroy(e->arena);
    gm_free(e->options.alloc, e);
}

uint32_t gm_estimates_count(const gm_estimates *e) { return e->count; }

gm_estimates_view gm_estimates_at(const gm_estimates *e, uint32_t i)
{
    const gm_estimates_entry *x = &e->entries[i];
    return (gm_estimates_view){ .name = x->setup->name, .root = x->setup->root, .trouble = x->trouble, .stats = x->stats, .variables = x->variables,
                                .signals = x->signals, .variable_count = x->variable_count, .signal_count = x->signal_count, .faults = x->faults,
                                .fault_twins = x->fault_twins, .fault_count = x->stats.moments > 0 ? x->fault_count : 0, .alarm = x->alarm,
                                .cases = x->cases, .case_count = x->case_count, .told = x->told, .lost = x->lost };
}

const gm_estimate_setup *gm_estimates_setup(const gm_estimates *e, gm_str name)
{
    for (uint32_t i = 0; i < e->count; i++)
        if (gm_str_eq(e->setups[i].name, name)) return &e->setups[i];
    return NULL;
}

bool gm_estimates_reading(const gm_estimates *e, gm_twin twin, uint32_t column, gm_estimator_reading *out)
{
    uint32_t first = UINT32_MAX;  // of the entries that have it: the first of the plant's files
    for (uint32_t k = gm_estimates_first(e, twin); k > 0; k = e->shares[k - 1].next) {
        uint32_t                  i = e->shares[k - 1].entry;
        const gm_estimates_entry *x = &e->entries[i];
        for (uint32_t s = 0; i < first && x->stats.moments > 0 && s < x->signal_count; s++) {
            if (x->signals[s].twin.v != twin.v || x->signals[s].column != column) continue;
            *out  = x->signals[s].reading;
            first = i;
        }
    }
    return first != UINT32_MAX;
}

const gm_estimates_spread *gm_estimates_spread_of(const gm_estimates *e, gm_twin twin)
{
    const gm_estimates_entry *best = NULL;
    for (uint32_t k = gm_estimates_first(e, twin); k > 0; k = e->shares[k - 1].next) {
        const gm_estimates_entry *x = &e->entries[e->shares[k - 1].entry];
        if (x->vigil == NULL || x->stale || x->spread.count == 0) continue;
        if (best == NULL || x->spread.count > best->spread.count || (x->spread.count == best->spread.count && x < best)) best = x;
    }
    return best != NULL ? &best->spread : NULL;
}
