#include "insight/estimate/vigil.h"

#include <math.h>

enum { WATCHERS = 2 };

typedef struct watcher {
    gm_estimator *estimator;          // NULL: not begun
    gm_time_ns    begin, suspect_since;
    uint32_t      suspect;            // part; UINT32_MAX: none
    bool          told;
} watcher;

struct gm_vigil {
    const gm_alloc          *alloc;
    const gm_estimate_setup *setup;
    gm_estimate_model       *plain, *faulty;  // faulty: NULL when no faults are named
    gm_estimator            *main;
    gm_cases                *cases;           // NULL: no modes are named
    watcher                  watchers[WATCHERS];
    gm_time_ns               begin;
    uint32_t                 first_fault, fault_count;
};

gm_status gm_vigil_create(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, const double *slots, gm_time_ns at,
                          gm_vigil **out, gm_error *err)
{
    *out        = NULL;
    gm_vigil *w = gm_alloc_zeroed(alloc, sizeof *w);
    if (w == NULL) return gm_fail(err, GM_NOMEM, "estimate.vigil", "beginning");
    *w           = (gm_vigil){ .alloc = alloc, .setup = setup, .begin = at, .fault_count = setup->faults.count };
    gm_status st = gm_estimate_bind(alloc, setup, group, false, &w->plain, err);
    if (st == GM_OK && w->fault_count > 0) st = gm_estimate_bind(alloc, setup, group, true, &w->faulty, err);
    if (st == GM_OK) st = gm_estimator_create(alloc, w->plain, slots, at, &w->main, err);
    if (st == GM_OK && setup->case_count > 0) st = gm_cases_create(alloc, w->plain, group, slots, at, &w->cases, err);
    if (st == GM_OK) {
        gm_estimate_model_parts(w->plain, &w->first_fault);
        *out = w;
    } else gm_vigil_destroy(w);
    return st;
}

void gm_vigil_destroy(gm_vigil *w)
{
    if (w == NULL) return;
    for (int i = 0; i < WATCHERS; i++) gm_estimator_destroy(w->watchers[i].estimator);
    gm_estimator_destroy(w->main);
    gm_cases_destroy(w->cases);
    gm_estimate_model_destroy(w->faulty);
    gm_estimate_model_destroy(w->plain);
    gm_free(w->alloc, w);
}

const gm_cases          *gm_vigil_cases(const gm_vigil *w) { return w->cases; }
const gm_estimator      *gm_vigil_estimator(const gm_vigil *w) { return w->main; }
const gm_estimate_model *gm_vigil_model(const gm_vigil *w) { return w->plain; }

gm_status gm_vigil_feed(gm_vigil *w, uint32_t signal, gm_time_ns at, double value, gm_error *err)
{
    gm_status st = gm_estimator_feed(w->main, signal, at, value, err);
    for (int i = 0; st == GM_OK && i < WATCHERS; i++)
        if (w->watchers[i].estimator != NULL) st = gm_estimator_feed(w->watchers[i].estimator, signal, at, value, err);
    if (st == GM_OK && w->cases != NULL) st = gm_cases_feed(w->cases, signal, at, value, err);
    return st;
}

// Parts of half windows that have passed; the plain filter finds its feet for one window first.
static bool is_due(const gm_vigil *w, int i, gm_time_ns at)
{
    const watcher *o      = &w->watchers[i];
    double         age    = (double)(at - w->begin) / 1e9, own = (double)(at - o->begin) / 1e9;
    if (o->estimator == NULL) return age >= w->setup->window_s * (1 + 0.5 * i);
    return !o->told && o->suspect == UINT32_MAX && own >= w->setup->window_s;
}

static gm_status begin_watching(gm_vigil *w, int i, gm_error *err)
{
    gm_estimator *fresh = NULL;
    gm_status     st    = gm_estimator_go_on(w->main, w->faulty, &fresh, err);
    if (st != GM_OK) return st;
    gm_estimator_destroy(w->watchers[i].estimator);
    w->watchers[i] = (watcher){ .estimator = fresh, .begin = gm_estimator_statistics(w->main).at, .suspect = UINT32_MAX };
    return GM_OK;
}

// The fault that explains best, if any does so well enough.
static void judge(const gm_vigil *w, watcher *o)
{
    gm_time_ns at   = gm_estimator_statistics(o->estimator).at;
    uint32_t   best = UINT32_MAX;
    double     most = o->told ? 0.5 * w->setup->alarm : w->setup->alarm;
    for (uint32_t i = w->first_fault; i < w->first_fault + w->fault_count; i++) {
        gm_estimator_fault f = gm_estimator_fault_of(o->estimator, i);
        if (!(f.significance > most)) continue;
        most = f.significance;
        best = i;
    }
    if ((best == UINT32_MAX) != (o->suspect == UINT32_MAX)) o->suspect_since = at;
    o->suspect = best;
    if ((double)(at - o->suspect_since) / 1e9 >= w->setup->hold_s) o->told = best != UINT32_MAX;
}

gm_status gm_vigil_advance(gm_vigil *w, gm_time_ns now, gm_error *err)
{
    gm_status st = gm_estimator_advance(w->main, now, err);
    if (w->cases != NULL) gm_cases_advance(w->cases, now);
    for (int i = 0; st == GM_OK && i < WATCHERS && w->faulty != NULL; i++) {
        watcher *o = &w->watchers[i];
        if (o->estimator != NULL) {
            st = gm_estimator_advance(o->estimator, now, err);
            judge(w, o);
        }
        if (st == GM_OK && is_due(w, i, gm_estimator_statistics(w->main).at)) st = begin_watching(w, i, err);
    }
    return st;
}

static gm_vigil_fault describe(const gm_vigil *w, const watcher *o, uint32_t part)
{
    uint32_t                count;
    const gm_estimate_part *p = &gm_estimate_model_parts(w->faulty, &count)[part];
    gm_estimator_fault      f = gm_estimator_fault_of(o->estimator, part);
    return (gm_vigil_fault){ .name = p->name, .member = p->member, .severity = f.severity, .significance = f.significance,
                             .deviation = f.significance != 0 ? fabs(f.severity / f.significance) : 0, .since = o->suspect_since };
}

bool gm_vigil_alarm(const gm_vigil *w, gm_vigil_fault *out)
{
    bool any = false;
    for (int i = 0; i < WATCHERS; i++) {
        const watcher *o = &w->watchers[i];
        if (!o->told || o->suspect == UINT32_MAX) continue;
        // Who began shortly before the fault is the surest of it.
        gm_vigil_fault f = describe(w, o, o->suspect);
        if (!any || f.significance > out->significance) *out = f;
        any = true;
    }
    return any;
}

bool gm_vigil_fault_at(const gm_vigil *w, uint32_t i, gm_vigil_fault *out)
{
    const watcher *old = NULL;
    for (int k = 0; k < WATCHERS; k++) {
        const watcher *o = &w->watchers[k];
        if (o->estimator != NULL && (old == NULL || o->begin < old->begin)) old = o;
    }
    if (old == NULL || i >= w->fault_count) return false;
    *out = describe(w, old, w->first_fault + i);
    return true;
}

bool gm_vigil_explained(const gm_vigil *w)
{
    for (int i = 0; i < WATCHERS; i++) {
        const gm_estimator *f = w->watchers[i].estimator;
        if (f == NULL) continue;
        gm_health_state health = gm_estimator_statistics(f).health.state;
        if (health != GM_HEALTH_UNKNOWN && health != GM_HEALTH_TOO_SURE) return true;
    }
    return false;
}
