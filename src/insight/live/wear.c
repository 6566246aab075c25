// From an estimate to the first passage of a threshold: fork, seed, run, show.
//
//   waiting --the estimate has moved on--> running (a job of the pool) --done--> waiting
//
// Invariant: an entry has a group exactly while its job runs; the job views the group's program.
#include "insight/live/wear.h"

#include "futures/group_names.h"
#include "insight/text_file.h"
#include "physics/modelica/diag.h"

#include <math.h>
#include <stdio.h>

enum { FILE_LIMIT = 1 << 20, POINTS = 1000, QUANTILES = 10 };

static const double quantiles[QUANTILES] = { 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 1 };

#define LOOK_EVERY GM_SECOND
static const double HOUR = 3600;

typedef struct wear {
    gm_wears    *all;
    gm_lookout   asked;
    gm_twin      twin;
    gm_arena    *arena;  // of the job
    gm_group    *group;
    gm_futures  *job;
    gm_time_ns   from;   // of the job
    gm_wear_view view;
    char         trouble[200];
} wear;

struct gm_wears {
    gm_wears_options options;
    gm_pool         *pool;
    gm_arena        *arena;
    wear            *entries;  // [GM_LOOKOUTS_MAX]
    uint32_t         count;
    gm_timer        *timer;
};

// ---- words ----------------------------------------------------------------------------------------------------------

static gm_status read_words(const gm_lookout *asked, const gm_futures_world *world, gm_arena *arena, gm_condition *condition, gm_vary *vary,
                            uint32_t *count, gm_error *err)
{
    gm_status st = gm_condition_read(asked->until, world, condition, err);
    *count       = 0;
    for (uint32_t i = 0; st == GM_OK && i < asked->count; i++) {
        uint32_t more = 0;
        if (*count + GM_WORDING_ROOM > 2 * GM_WORDING_ROOM) return gm_fail(err, GM_LIMIT, "insight.wear", "\"vary\" has more than %d changes", GM_WORDING_ROOM);
        st = gm_vary_read(asked->properties[i], world, arena, vary + *count, &more, err);
        *count += more;
    }
    return st;
}

gm_status gm_wear_check(const gm_alloc *alloc, const gm_lookout *asked, const gm_group *group, gm_error *err)
{
    gm_arena        *arena = gm_arena_create(alloc, 0);
    gm_futures_world world = gm_group_names(group);
    gm_condition     condition;
    uint32_t         count;
    gm_vary         *vary = arena != NULL ? GM_ARENA_NEW(arena, gm_vary, 2 * GM_WORDING_ROOM) : NULL;
    gm_status        st   = vary != NULL ? read_words(asked, &world, arena, &condition, vary, &count, err) : gm_fail(err, GM_NOMEM, "insight.wear", "checking");
    gm_arena_destroy(arena);
    return st;
}

// ---- results --------------------------------------------------------------------------------------------------------

static void close_job(wear *x)
{
    gm_futures_destroy(x->job);
    if (x->group != NULL) gm_group_close(x->group);
    gm_arena_destroy(x->arena);
    x->job   = NULL;
    x->group = NULL;
    x->arena = NULL;
}

// A time beyond the horizon is written as the horizon: it is at least that.
static void write_back(const wear *x)
{
    const gm_wears     *w     = x->all;
    const gm_state     *state = gm_engine_state(w->options.engine);
    const gm_wear_view *v     = &x->view;
    const double        values[GM_LOOKOUT_INTO] = { v->rul, v->low[GM_RUL_90], v->high[GM_RUL_90], NAN, v->sure, NAN };
    gm_cell_write       cells[GM_LOOKOUT_INTO];
    size_t              n = 0;
    if (!gm_state_exists(state, x->twin)) return;
    const gm_type *type = gm_state_type(state, x->twin);
    for (int i = 0; i < GM_LOOKOUT_INTO; i++) {
        uint32_t column = x->asked.into[i].len > 0 ? gm_type_column_index(type, x->asked.into[i]) : GM_NO_COLUMN;
        if (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_DOUBLE) continue;
        cells[n++] = (gm_cell_write) { .column = (uint16_t)column, .at = x->from,
                                       .value = { .kind = GM_KIND_DOUBLE, .d = isfinite(values[i]) ? values[i] : v->horizon } };
    }
    if (n > 0) (void)!gm_engine_write(w->options.engine, x->twin, 0, cells, n, (gm_ask) { 0 }, NULL);
}

static void show(wear *x, const gm_futures_result *result)
{
    static const uint8_t low[GM_RUL_LEVELS] = { 3, 2, 1, 0 }, high[GM_RUL_LEVELS] = { 5, 6, 7, 8 };
    const gm_passage    *p = &result->passages[0];
    gm_wear_view         v = { .name = x->asked.name, .until = x->asked.until, .twin = x->twin, .trouble = x->trouble, .at = x->from,
                               .horizon = x->asked.horizon_s / HOUR, .probability = p->probability, .lanes = result->lanes, .failed = p->failed };
    v.rul                  = p->quantiles[4] / HOUR;
    v.sure                 = p->quantiles[6] / HOUR;
    for (int l = 0; l < GM_RUL_LEVELS; l++) {
        v.low[l]  = p->quantiles[low[l]] / HOUR;
        v.high[l] = p->quantiles[high[l]] / HOUR;
    }
    x->view       = v;
    x->trouble[0] = '\0';
    write_back(x);
}

static void done(void *context, gm_status status, const gm_error *err)
{
    wear                    *x      = context;
    const gm_futures_result *result = status == GM_OK ? gm_futures_result_of(x->job) : NULL;
    if (result != NULL) show(x, result);
    else if (status != GM_CANCELLED) snprintf(x->trouble, sizeof x->trouble, "%s", err != NULL ? err->text : "the futures failed");
    close_job(x);
}

// ---- a job ----------------------------------------------------------------------------------------------------------

static gm_status prepare(wear *x, const gm_estimates_spread *spread, gm_futures_request *r, gm_error *err)
{
    const gm_wears *w     = x->all;
    const gm_state *state = gm_engine_state(w->options.engine);
    gm_diags        diags;
    gm_diags_init(&diags, w->options.alloc);
    gm_status st = gm_group_open(w->options.behaviors, state, x->twin, &diags, &x->group, err);
    if (st == GM_INVALID && diags.errors > 0) (void)gm_diags_fail(&diags, err);
    gm_diags_finish(&diags);
    if (st != GM_OK) return st;
    gm_futures_world world     = gm_group_names(x->group);
    gm_group_reader  reader    = gm_group_live_reader(state);
    double          *slots     = GM_ARENA_NEW(x->arena, double, gm_program_slot_count(world.program));
    gm_condition    *condition = GM_ARENA_NEW(x->arena, gm_condition, 1);
    gm_vary         *vary      = GM_ARENA_NEW(x->arena, gm_vary, 2 * GM_WORDING_ROOM);
    gm_fork_report   report;
    uint32_t         count;
    if (slots == NULL || condition == NULL || vary == NULL) return gm_fail(err, GM_NOMEM, "insight.wear", "a prediction");
    st = gm_group_fork(x->group, &reader, gm_group_time(spread->at), slots, &report, err);
    if (st == GM_OK) st = read_words(&x->asked, &world, x->arena, condition, vary, &count, err);
    if (st != GM_OK) return st;
    *r                 = gm_futures_defaults(world.program, slots);
    r->horizon_s       = x->asked.horizon_s;
    r->method          = x->asked.step_s > 0 ? GM_FUTURES_FIXED : GM_FUTURES_ADAPTIVE;
    r->tolerance       = 1e-5;
    if (x->asked.step_s > 0) r->step_s = x->asked.step_s;
    r->points          = POINTS;
    r->lanes           = x->asked.learn;
    r->seed            = 1;  // the same estimate gives the same answer
    r->vary            = vary;
    r->vary_count      = count;
    r->conditions      = condition;
    r->condition_count = 1;
    r->quantiles       = quantiles;
    r->quantile_count  = QUANTILES;
    return gm_seeding_put(x->arena, &spread->spread, &world, r, err);
}

static void begin(wear *x, const gm_estimates_spread *spread)
{
    const gm_wears    *w   = x->all;
    gm_error           why = { 0 };
    gm_futures_request r;
    x->from      = spread->at;
    x->arena     = gm_arena_create(w->options.alloc, 0);
    gm_status st = x->arena != NULL ? prepare(x, spread, &r, &why) : GM_NOMEM;
    if (st == GM_OK) st = gm_futures_start(w->options.alloc, w->pool, &r, (gm_futures_calls) { .done = done, .context = x }, &x->job, &why);
    if (st == GM_OK) return;
    snprintf(x->trouble, sizeof x->trouble, "%s", why.text);
    x->job = NULL;
    close_job(x);
}

static void look(void *context)
{
    gm_wears       *w     = context;
    const gm_state *state = gm_engine_state(w->options.engine);
    w->timer              = NULL;
    for (uint32_t i = 0; i < w->count; i++) {
        wear *x = &w->entries[i];
        if (x->job != NULL) continue;
        x->twin = gm_state_find(state, x->asked.twin);
        const gm_estimates_spread *spread = gm_twin_ok(x->twin) && w->options.estimates != NULL ? gm_estimates_spread_of(w->options.estimates, x->twin) : NULL;
        if (spread == NULL || spread->count == 0)
            snprintf(x->trouble, sizeof x->trouble, "'" GM_STR_FMT "' is not estimated yet; an entry of estimate/*.json for its group must have had a measurement",
                     GM_STR_ARG(gm_str_slice(x->asked.twin, 0, 60)));
        else if (x->from == 0 || spread->at - x->from >= x->asked.every || spread->at < x->from) begin(x, spread);
    }
    (void)!gm_loop_after(w->options.loop, LOOK_EVERY, look, w, &w->timer, NULL);
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

static gm_status read_file(void *context, gm_str name, gm_error *err)
{
    gm_wears *w = context;
    if (!gm_str_ends(name, GM_STR(".json"))) return GM_OK;
    gm_str path = gm_arena_printf(w->arena, GM_STR_FMT "/insight/" GM_STR_FMT, GM_STR_ARG(w->options.plant), GM_STR_ARG(name));
    gm_lookout *all   = GM_ARENA_NEW(w->arena, gm_lookout, GM_LOOKOUTS_MAX);
    uint32_t    count = 0;
    gm_error    why   = { 0 };
    gm_buf      text  = gm_buf_init(w->options.alloc);
    if (path.ptr == NULL || all == NULL) return gm_fail(err, GM_NOMEM, "insight.wear", "reading insight/");
    gm_status st = gm_text_file_read(w->options.io, path.ptr, FILE_LIMIT, &text, &why);
    if (st == GM_OK) st = gm_lookouts_parse(w->arena, gm_buf_view(&text), all, &count, &why);
    gm_buf_finish(&text);
    if (st != GM_OK) return gm_fail(err, st, "insight.wear", "insight/" GM_STR_FMT ": %.150s", GM_STR_ARG(gm_str_slice(name, 0, 40)), why.text);
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].kind != GM_LOOKOUT_WEAR) continue;
        if (w->count == GM_LOOKOUTS_MAX) return gm_fail(err, GM_LIMIT, "insight.wear", "more than %d entries", GM_LOOKOUTS_MAX);
        w->entries[w->count++] = (wear) { .all = w, .asked = all[i], .twin = { GM_NONE } };
    }
    return GM_OK;
}

gm_status gm_wears_create(const gm_wears_options *options, gm_wears **out, gm_error *err)
{
    gm_wears *w  = gm_alloc_zeroed(options->alloc, sizeof *w);
    gm_error why = { 0 };
    *out         = NULL;
    if (w == NULL) return gm_fail(err, GM_NOMEM, "insight.wear", "starting");
    w->options    = *options;
    w->arena      = gm_arena_create(options->alloc, 0);
    w->entries    = gm_alloc_array(options->alloc, GM_LOOKOUTS_MAX, sizeof *w->entries);
    gm_str folder = w->arena != NULL ? gm_arena_printf(w->arena, GM_STR_FMT "/insight", GM_STR_ARG(options->plant)) : (gm_str) { 0 };
    gm_status st  = folder.ptr != NULL && w->entries != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.wear", "starting");
    // A plant without the folder asks for nothing.
    if (st == GM_OK) {
        gm_status listed = options->io->list(options->io, folder.ptr, read_file, w, &why);
        if (listed == GM_NOMEM || listed == GM_INVALID || listed == GM_LIMIT) st = listed;
        if (st != GM_OK && err != NULL) *err = why;
    }
    if (st == GM_OK) *out = w;
    else gm_wears_destroy(w);
    return st;
}

gm_status gm_wears_start(gm_wears *w, gm_pool *pool, gm_error *err)
{
    w->pool = pool;
    if (w->count == 0 || pool == NULL) return GM_OK;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->options.behaviors == NULL) snprintf(w->entries[i].trouble, sizeof w->entries[i].trouble, "the plant has no behaviors");
    if (w->options.behaviors == NULL) return GM_OK;
    return gm_loop_after(w->options.loop, LOOK_EVERY, look, w, &w->timer, err);
}

void gm_wears_stop(gm_wears *w)
{
    if (w == NULL) return;
    gm_loop_cancel(w->timer);
    w->timer = NULL;
    for (uint32_t i = 0; i < w->count; i++) close_job(&w->entries[i]);
}

void gm_wears_destroy(gm_wears *w)
{
    if (w == NULL) return;
    gm_free(w->options.alloc, w->entries);
    gm_arena_destroy(w->arena);
    gm_free(w->options.alloc, w);
}

uint32_t gm_wears_count(const gm_wears *w) { return w->count; }

gm_wear_view gm_wears_at(const gm_wears *w, uint32_t i)
{
    const wear  *x = &w->entries[i];
    gm_wear_view v = x->view;
    v.name    = x->asked.name;
    v.until   = x->asked.until;
    v.twin    = x->twin;
    v.trouble = x->trouble;
    return v;
}
