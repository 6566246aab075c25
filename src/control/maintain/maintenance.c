// A job owns all it needs: the request is read again from the files' texts into the job's arena, so that files may change
// meanwhile.
#include "control/maintain/maintenance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char WHERE[] = "control.maintain";

typedef struct entry {
    gm_str     text;             // of the file that it stands in; in the edition's arena
    bool       made;
    gm_time_ns at;
    double     seconds;
    gm_buf     result;
    char       trouble[sizeof((gm_error *)NULL)->text];
} entry;

typedef struct job {
    struct gm_maintenance *all;
    gm_arena              *arena;
    gm_maintain_request    request;
    gm_maintain_case       c;
    gm_buf                 result;
    gm_time_ns             at;
    gm_dur_ns              began;  // monotonic
} job;

struct gm_maintenance {
    gm_maintenance_options options;
    gm_pool               *pool;
    gm_arena              *arena;     // of the files in force
    gm_maintain_request   *requests;  // [count]
    entry                 *entries;
    uint32_t               count;
    job                   *job;       // under way; NULL: none
    bool                   ending;
};

gm_maintenance_how gm_maintenance_how_defaults(void) { return (gm_maintenance_how){ .gap = -1, .lanes = -1 }; }

// ---- files ----------------------------------------------------------------------------------------------------------

static void free_entries(gm_maintenance *m)
{
    for (uint32_t i = 0; i < m->count; i++) gm_buf_finish(&m->entries[i].result);
    gm_free(m->options.alloc, m->entries);
    gm_arena_destroy(m->arena);
    m->entries  = NULL;
    m->arena    = NULL;
    m->requests = NULL;
    m->count    = 0;
}

static gm_status read_files(gm_maintenance *next, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_str *texts  = NULL;
    next->arena    = gm_arena_create(next->options.alloc, 0);
    next->requests = next->arena != NULL ? GM_ARENA_NEW(next->arena, gm_maintain_request, GM_MAINTAIN_MAX) : NULL;
    texts          = next->requests != NULL ? GM_ARENA_NEW(next->arena, gm_str, GM_MAINTAIN_MAX) : NULL;
    if (texts == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading maintenance");
    uint32_t n = 0;
    for (*out_file = 0; *out_file < count; ++*out_file) {
        if (!gm_maintain_is(files[*out_file].name)) continue;
        uint32_t  from = n;
        gm_str    text = gm_arena_str(next->arena, files[*out_file].text);
        gm_status st   = text.ptr != NULL ? gm_maintain_read(next->arena, text, next->requests, &n, err) : gm_fail(err, GM_NOMEM, WHERE, "reading maintenance");
        if (st != GM_OK) return st;
        for (uint32_t i = from; i < n; i++) texts[i] = text;
    }
    next->entries = gm_alloc_zeroed(next->options.alloc, (n + (size_t)1) * sizeof *next->entries);
    if (next->entries == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading maintenance");
    next->count = n;
    for (uint32_t i = 0; i < n; i++) next->entries[i] = (entry){ .text = texts[i], .result = gm_buf_init(next->options.alloc) };
    return GM_OK;
}

// What stands there as before keeps what was proposed.
static void carry_over(gm_maintenance *from, gm_maintenance *to)
{
    for (uint32_t i = 0; i < to->count; i++) {
        uint32_t k = gm_maintenance_find(from, to->requests[i].name);
        if (k == UINT32_MAX || !gm_str_eq(from->entries[k].text, to->entries[i].text)) continue;
        gm_str text           = to->entries[i].text;
        to->entries[i]        = from->entries[k];
        to->entries[i].text   = text;
        from->entries[k].result = gm_buf_init(from->options.alloc);
    }
}

gm_status gm_maintenance_set(gm_maintenance *m, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_maintenance next = { .options = m->options };
    gm_status      st   = read_files(&next, files, count, out_file, err);
    if (st != GM_OK) {
        free_entries(&next);
        return st;
    }
    carry_over(m, &next);
    free_entries(m);
    m->arena    = next.arena;
    m->requests = next.requests;
    m->entries  = next.entries;
    m->count    = next.count;
    return GM_OK;
}

// ---- a job ----------------------------------------------------------------------------------------------------------

static void free_job(job *j)
{
    if (j == NULL) return;
    gm_buf_finish(&j->result);
    gm_arena_destroy(j->arena);
    gm_free(j->all->options.alloc, j);
}

static bool is_cancelled(void *context) { return gm_pool_cancelled(context); }

static gm_status search(void *context, uint32_t part, uint32_t thread, gm_pool_job *pool_job, gm_error *err)
{
    job        *j    = context;
    gm_mip_stop stop = { is_cancelled, pool_job };
    (void)part, (void)thread;
    return gm_maintain_propose(j->all->options.alloc, &j->c, &stop, &j->result, err);
}

static void done(void *context, gm_status status, const gm_error *err)
{
    job            *j = context;
    gm_maintenance *m = j->all;
    m->job            = NULL;
    uint32_t i        = m->ending ? UINT32_MAX : gm_maintenance_find(m, j->request.name);
    if (i != UINT32_MAX && status != GM_CANCELLED) {
        entry *x      = &m->entries[i];
        x->made       = status == GM_OK;
        x->at         = j->at;
        x->seconds    = (double)(gm_monotonic(m->options.clock) - j->began) / 1e9;
        x->trouble[0] = '\0';
        if (status == GM_OK) {
            gm_buf swap = x->result;
            x->result   = j->result;
            j->result   = swap;
        } else snprintf(x->trouble, sizeof x->trouble, "%s", err->text);
    }
    free_job(j);
}

static gm_status read_again(job *j, const entry *x, gm_str name, const gm_maintenance_how *how, gm_error *err)
{
    gm_maintain_request *all   = GM_ARENA_NEW(j->arena, gm_maintain_request, GM_MAINTAIN_MAX);
    uint32_t             count = 0;
    if (all == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_status st = gm_maintain_read(j->arena, x->text, all, &count, err);
    for (uint32_t k = 0; st == GM_OK && k < count; k++)
        if (gm_str_eq(all[k].name, name)) j->request = all[k];
    if (st != GM_OK) return st;
    if (how->seconds > 0) j->request.seconds = fmin(how->seconds, GM_MAINTAIN_SECONDS_MAX);
    if (how->gap >= 0) j->request.gap = how->gap;
    if (how->lanes >= 0) j->request.lanes = (uint32_t)(how->lanes < 100000 ? how->lanes : 100000);
    return GM_OK;
}

static gm_status prepare(gm_maintenance *m, job *j, const entry *x, gm_str name, const gm_maintenance_how *how, gm_error *err)
{
    gm_maintain_world world = { .alloc = m->options.alloc, .state = gm_engine_state(m->options.engine), .insight = m->options.insight, .wears = m->options.wears,
                                .failures = how->failures, .moment = how->moment, .clock = m->options.clock };
    j->arena                = gm_arena_create(m->options.alloc, 0);
    if (j->arena == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_status st = read_again(j, x, name, how, err);
    j->at        = gm_now(m->options.clock);
    j->began     = gm_monotonic(m->options.clock);
    return st == GM_OK ? gm_maintain_gather(&world, &j->request, j->arena, how->now != 0 ? how->now : j->at, &j->c, err) : st;
}

gm_status gm_maintenance_make(gm_maintenance *m, uint32_t i, const gm_maintenance_how *how, gm_error *err)
{
    gm_pool_id id;
    gm_status  st = gm_mip_require(err);
    if (st != GM_OK) return st;
    if (m->job != NULL || m->pool == NULL)
        return gm_fail(err, GM_CONFLICT, WHERE, "maintenance is being planned; wait for it");
    job *j = gm_alloc_zeroed(m->options.alloc, sizeof *j);
    if (j == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    j->all       = m;
    j->result    = gm_buf_init(m->options.alloc);
    st           = prepare(m, j, &m->entries[i], m->requests[i].name, how, err);
    gm_pool_task task = { .parts = 1, .run = search, .done = done, .context = j };
    if (st == GM_OK) st = gm_pool_submit(m->pool, &task, &id, err);
    if (st == GM_OK) m->job = j;
    else free_job(j);
    return st;
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

gm_status gm_maintenance_create(const gm_maintenance_options *options, gm_maintenance **out, gm_error *err)
{
    gm_maintenance *m = gm_alloc_zeroed(options->alloc, sizeof *m);
    *out              = m;
    if (m == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    m->options = *options;
    return GM_OK;
}

void gm_maintenance_start(gm_maintenance *m, gm_pool *pool) { m->pool = pool; }

void gm_maintenance_stop(gm_maintenance *m)
{
    if (m == NULL) return;
    m->ending = true;
    m->pool   = NULL;
}

void gm_maintenance_destroy(gm_maintenance *m)
{
    if (m == NULL) return;
    free_job(m->job);
    free_entries(m);
    gm_free(m->options.alloc, m);
}

uint32_t gm_maintenance_count(const gm_maintenance *m) { return m->count; }

gm_maintenance_view gm_maintenance_at(const gm_maintenance *m, uint32_t i)
{
    const entry *x       = &m->entries[i];
    bool         running = m->job != NULL && gm_str_eq(m->job->request.name, m->requests[i].name);
    double       passed  = running ? (double)(gm_monotonic(m->options.clock) - m->job->began) / 1e9 : 0;
    return (gm_maintenance_view){ .request = &m->requests[i], .trouble = x->trouble, .running = running, .made = x->made,
                                  .share = running ? fmin(1, passed / m->job->request.seconds) : 0, .at = x->at, .seconds = x->seconds,
                                  .result = gm_buf_view(&x->result) };
}

uint32_t gm_maintenance_find(const gm_maintenance *m, gm_str name)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (gm_str_eq(m->requests[i].name, name)) return i;
    return UINT32_MAX;
}
