// GET /v1/origins: what broke. History is read here, the hunt (insight/origin/hunt.h) runs in the worker pool, and what it finds is
// held against the alarms that stand when it is done.
#include "api/failure_now.h"
#include "api/futures/world.h"
#include "api/live.h"
#include "api/routes.h"
#include "base/pool.h"
#include "control/control.h"
#include "failure/impact.h"
#include "insight/estimate/past.h"
#include "insight/live/estimates.h"
#include "insight/origin/candidates.h"

#include <math.h>

enum {
    SAMPLES_MAX = 2000000,  // of one request
    RUNNING_MAX = 2,        // hunts at a time: each takes a thread for seconds
    SHOWN_MAX   = 10
};

static const char   WHERE[]   = "api.origins";
static const double LIKELY    = 0.05;   // an origin that may explain an alarm
static const double SIGN_MOST = 3;      // ln of what one sign may count: the measurements behind most alarms have been counted already
static const gm_dur_ns EARLY  = 60 * GM_SECOND;  // an alarm may come so long before the earliest onset

// What rules/*.modes says of a candidate, in the request's arena: other files may be in force when the hunt is over.
typedef struct declared {
    gm_str           name, text;  // empty: nothing is declared
    gm_failure_sign *alarms;      // [alarm_count] of its signs
    uint32_t         alarm_count;
} declared;

typedef struct work {
    gm_request        *request;
    const gm_pool_job *job;      // while it is hunted
    gm_group          *group;
    gm_past            past;
    gm_origin_list     list;     // in the request's arena, as `modes`
    declared          *modes;    // [list.count]
    gm_hunt_options    options;
    gm_hunted          found;
    gm_str          name;
    gm_dur_ns       begun;
    bool            ahead;       // the plant's clock is not everybody's: when alarms were raised can not be compared
} work;

static void finish_work(work *w)
{
    const gm_alloc *alloc = w->request->api->options.alloc;
    gm_past_close(&w->past);
    if (w->group != NULL) gm_group_close(w->group);
    w->request->api->hunts--;
    gm_free(alloc, w);
}

static bool nobody_waits(void *context)
{
    const work *w = context;
    return gm_pool_cancelled(w->job);
}

static gm_status on_thread(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    work *w = context;
    (void)part, (void)thread;
    w->job = job;
    return gm_hunt(w->request->api->options.alloc, &w->past.setup, w->group, w->past.slots, &w->past.stretch, w->list.items, w->list.count, &w->options,
                   &w->found, err);
}

static void refuse(gm_request *request, gm_status st, const gm_error *err)
{
    if (st == GM_INVALID || st == GM_LIMIT || st == GM_DIVERGED || st == GM_NOTFOUND)
        gm_reply_error(request, st == GM_NOTFOUND ? 404 : 400, st == GM_NOTFOUND ? "OriginsNotFound" : "InvalidArgument", "%s.", err->text);
    else gm_reply_failure(request, st, err);
}

// ---- declared modes ---------------------------------------------------------------------------------------------------

static gm_status keep_mode(gm_arena *arena, const gm_failure_mode *m, declared *out, gm_error *err)
{
    *out = (declared){ .name = gm_arena_str(arena, m->name), .text = gm_arena_str(arena, m->text), .alarms = GM_ARENA_NEW(arena, gm_failure_sign, m->sign_count + 1) };
    bool kept = out->name.ptr != NULL && (m->text.len == 0 || out->text.ptr != NULL) && out->alarms != NULL;
    for (uint32_t i = 0; kept && i < m->sign_count; i++) {
        if (m->signs[i].kind != GM_SIGN_ALARM) continue;
        gm_failure_sign *sign = &out->alarms[out->alarm_count++];
        *sign      = m->signs[i];
        sign->name = gm_arena_str(arena, sign->name);
        kept       = sign->name.ptr != NULL;
        if (sign->on.relationship.len == 0) continue;
        sign->on.relationship = gm_arena_str(arena, sign->on.relationship);
        kept                  = kept && sign->on.relationship.ptr != NULL;
    }
    return kept ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "failure modes");
}

// A mode that says what it injects is the fault of that name in the twin's class, with a rate of its own; or one more.
static gm_status take_mode(work *w, const gm_failure_moment *at, uint32_t member, uint32_t mode, gm_error *err)
{
    const gm_api_options  *o    = &w->request->api->options;
    const gm_failure_mode *m    = &gm_failures_modes(o->failures)->modes[mode];
    gm_twin                twin = gm_group_twin(w->group, member);
    gm_str                 id   = gm_group_twin_id(w->group, member), inject = gm_arena_printf(w->request->arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(id), GM_STR_ARG(m->injects));
    if (m->injects.len == 0 || !gm_failures_mode_is_about(o->failures, gm_api_state(w->request), mode, twin)) return GM_OK;
    if (inject.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "failure modes");
    double   rate = gm_failure_chance_of(o->failures, at, twin, mode, 24).rate / 3600;
    uint32_t i    = 0;
    while (i < w->list.count && !(w->list.items[i].kind == GM_ORIGIN_FAULT && gm_str_eq(w->list.items[i].inject, inject))) i++;
    if (i == w->list.count) {
        gm_origin_candidate c  = { .twin = id, .mode = gm_arena_str(w->request->arena, m->name), .inject = inject, .kind = GM_ORIGIN_FAULT, .rate = rate };
        gm_status           st = gm_origin_add(w->request->arena, &w->past.setup, c, &w->list, err);
        if (st != GM_OK) return st;
    } else if (rate > 0 && isfinite(rate)) w->list.items[i].rate = rate;
    return keep_mode(w->request->arena, m, &w->modes[i], err);
}

static gm_status take_modes(work *w, gm_error *err)
{
    gm_failures       *failures = w->request->api->options.failures;
    gm_failure_moment  at       = gm_api_failure_moment(w->request);
    w->modes                    = GM_ARENA_NEW(w->request->arena, declared, GM_HUNT_CANDIDATES_MAX);
    if (w->modes == NULL) return gm_fail(err, GM_NOMEM, WHERE, "failure modes");
    gm_status st = failures != NULL ? gm_failures_begin(failures, at.state, err) : GM_OK;
    for (uint32_t m = 0; st == GM_OK && failures != NULL && m < gm_group_twin_count(w->group); m++) {
        const gm_failure_kind *kind = gm_failures_kind(failures, gm_group_type(w->group, m));
        if (kind == NULL) return gm_fail(err, GM_NOMEM, WHERE, "failure modes");
        for (uint32_t i = 0; st == GM_OK && i < kind->mode_count; i++) st = take_mode(w, &at, m, kind->modes[i], err);
    }
    return st;
}

// ---- alarms -----------------------------------------------------------------------------------------------------------

// Does the sign of a candidate's mode show? On the twins that it names; where it names none on any of the group: a valve that is shut
// shows in the town's pressure.
static bool stands(const work *w, uint32_t candidate, const gm_alarms *alarms, const gm_failure_sign *s)
{
    gm_failure_moment at   = gm_api_failure_moment(w->request);
    gm_twin           twin = gm_state_find(at.state, w->list.items[candidate].twin);
    if (s->on.relationship.len > 0) return gm_twin_ok(twin) && gm_failure_sign_shows(&at, twin, s);
    for (size_t i = 0; alarms != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm a = gm_alarms_at(alarms, i);
        if (a.active && gm_str_eq(a.is.name, s->name) && gm_group_member(w->group, a.is.twin) != UINT32_MAX) return true;
    }
    return false;
}

// What the alarms that are declared as signs of a mode say for or against it, ln.
static double signs_say(const work *w, uint32_t candidate, const gm_alarms *alarms)
{
    const declared *m   = &w->modes[candidate];
    double          all = 0;
    for (uint32_t i = 0; i < m->alarm_count; i++) {
        const gm_failure_sign *s = &m->alarms[i];
        bool   shows = stands(w, candidate, alarms, s);
        double ratio = shows ? log(s->probability / s->otherwise) : log((1 - s->probability) / (1 - s->otherwise));
        all += fmin(SIGN_MOST, fmax(-SIGN_MOST, isnan(ratio) ? 0 : ratio));
    }
    return all;
}

static void weigh_signs(work *w, const gm_alarms *alarms)
{
    double sum = w->found.none;
    for (uint32_t i = 0; i < w->found.count; i++) {
        gm_origin *x = &w->found.ranked[i];
        x->probability *= exp(signs_say(w, x->candidate, alarms) + (x->second != UINT32_MAX ? signs_say(w, x->second, alarms) : 0));
        sum += x->probability;
    }
    if (!(sum > 0)) return;
    w->found.none /= sum;
    for (uint32_t i = 0; i < w->found.count; i++) w->found.ranked[i].probability /= sum;
    for (uint32_t i = 1; i < w->found.count; i++) {
        for (uint32_t k = i; k > 0 && w->found.ranked[k].probability > w->found.ranked[k - 1].probability; k--) {
            gm_origin other        = w->found.ranked[k];
            w->found.ranked[k]     = w->found.ranked[k - 1];
            w->found.ranked[k - 1] = other;
        }
    }
}

// How an alarm on a twin follows from something that broke on another one; NULL: it does not. *out_delay: NaN when nothing is declared.
static const char *reaches(const work *w, gm_str origin, const gm_impact *impact, gm_str twin, double *out_delay)
{
    gm_twin t  = gm_state_find(gm_api_state(w->request), twin);
    *out_delay = NAN;
    if (gm_str_eq(origin, twin)) return "itself";
    for (size_t i = 0; impact != NULL && i < impact->count; i++) {
        if (impact->items[i].twin.v != t.v) continue;
        *out_delay = impact->items[i].delay_s;
        return "needs";
    }
    return gm_group_member(w->group, twin) != UINT32_MAX ? "physics" : NULL;
}

static bool seen(const work *w, gm_str twin) { return gm_twin_ok(gm_api_find(w->request, twin)); }

// The alarms that this origin explains; explained: [alarms], set for those. Returns when the first of them was raised.
static gm_time_ns write_explains(const work *w, const gm_origin *x, const gm_alarms *alarms, const gm_impact *impact, bool *explained)
{
    gm_buf    *out   = &w->request->out;
    gm_time_ns first = GM_ABSENT;
    bool       any   = false;
    gm_buf_text(out, ",\"explains\":[");
    for (size_t i = 0; alarms != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm    a = gm_alarms_at(alarms, i);
        double      delay;
        const char *by = a.active && seen(w, a.is.twin) ? reaches(w, w->list.items[x->candidate].twin, impact, a.is.twin, &delay) : NULL;
        if (by == NULL || (!w->ahead && a.raised < x->since_low - EARLY)) continue;
        if (x->probability >= LIKELY) explained[i] = true;
        if (first == GM_ABSENT || a.raised < first) first = a.raised;
        gm_buf_text(out, any ? ",{\"alarm\":" : "{\"alarm\":");
        gm_buf_json_str(out, a.key);
        gm_live_member(out, "by", gm_str_of(by));
        gm_live_time(out, "raised", a.raised);
        if (!w->ahead) gm_live_number(out, "after", (double)(a.raised - x->since) / 1e9);
        gm_live_number(out, "expectedAfter", delay);
        gm_buf_byte(out, '}');
        any = true;
    }
    gm_buf_byte(out, ']');
    return first;
}

static void write_missing(const work *w, const gm_origin *x, const gm_alarms *alarms)
{
    const declared *m   = &w->modes[x->candidate];
    gm_buf         *out = &w->request->out;
    bool            any = false;
    gm_buf_text(out, ",\"missing\":[");
    for (uint32_t i = 0; i < m->alarm_count; i++) {
        const gm_failure_sign *s = &m->alarms[i];
        if (s->probability < 0.5 || stands(w, x->candidate, alarms, s)) continue;
        gm_buf_text(out, any ? ",{\"alarm\":" : "{\"alarm\":");
        gm_buf_json_str(out, s->name);
        gm_live_member(out, "twin", w->list.items[x->candidate].twin);
        gm_live_number(out, "probability", s->probability);
        gm_buf_byte(out, '}');
        any = true;
    }
    gm_buf_byte(out, ']');
}

static void write_unexplained(const work *w, const gm_alarms *alarms, const bool *explained)
{
    gm_buf *out = &w->request->out;
    bool    any = false;
    gm_buf_text(out, ",\"unexplained\":[");
    for (size_t i = 0; alarms != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm a = gm_alarms_at(alarms, i);
        if (!a.active || explained[i] || !seen(w, a.is.twin)) continue;
        gm_buf_text(out, any ? "," : "");
        gm_buf_json_str(out, a.key);
        any = true;
    }
    gm_buf_byte(out, ']');
}

// ---- the answer -------------------------------------------------------------------------------------------------------

static void write_thing(const work *w, uint32_t candidate, gm_time_ns since, double size, double deviation)
{
    static const char *const   kinds[] = { "fault", "offset", "frozen" };
    const gm_origin_candidate *c       = &w->list.items[candidate];
    const declared            *m       = &w->modes[candidate];
    gm_buf                    *out     = &w->request->out;
    gm_buf_text(out, "\"twin\":");
    gm_buf_json_str(out, c->twin);
    gm_live_member(out, "mode", c->mode);
    gm_live_member(out, "kind", gm_str_of(kinds[c->kind]));
    if (m->name.len > 0) gm_live_member(out, "failure", m->name);
    if (m->name.len > 0) gm_live_member(out, "text", m->text);
    gm_live_time(out, "since", since);
    gm_live_number(out, "size", size);
    gm_live_number(out, "deviation", deviation);
}

static void write_origin(const work *w, const gm_origin *x, const gm_alarms *alarms, bool *explained)
{
    const gm_api_options *o      = &w->request->api->options;
    gm_buf               *out    = &w->request->out;
    gm_impact_options     asked  = gm_impact_options_defaults(o->clock);
    gm_impact             impact = { 0 };
    gm_failure_moment     at     = gm_api_failure_moment(w->request);
    gm_twin               twin   = gm_state_find(gm_api_state(w->request), w->list.items[x->candidate].twin);
    // Where nothing is declared, or it can not be followed, the model's connections are what is known.
    bool known = o->failures != NULL && w->list.items[x->candidate].kind == GM_ORIGIN_FAULT && gm_twin_ok(twin) && gm_impact_find(o->failures, &at, twin, &asked, &impact, NULL) == GM_OK;
    gm_buf_byte(out, '{');
    write_thing(w, x->candidate, x->since, x->size, x->deviation);
    gm_live_time(out, "sinceLow", x->since_low);
    gm_live_time(out, "sinceHigh", x->since_high);
    gm_live_number(out, "probability", x->probability);
    gm_live_number(out, "evidence", x->evidence);
    gm_live_number(out, "strain", x->strain);
    if (x->second != UINT32_MAX) {
        gm_buf_text(out, ",\"with\":{");
        write_thing(w, x->second, x->second_since, x->second_size, x->second_deviation);
        gm_buf_byte(out, '}');
    }
    gm_time_ns first = write_explains(w, x, alarms, known ? &impact : NULL, explained);
    if (w->ahead) first = GM_ABSENT;
    if (w->found.noticed != 0 && (first == GM_ABSENT || w->found.noticed < first)) first = w->found.noticed;
    write_missing(w, x, alarms);
    gm_live_time(out, "first_seen", first);
    gm_buf_byte(out, '}');
    if (known) gm_impact_finish(&impact);
}

static bool shows(const work *w, const gm_origin *x)
{
    return seen(w, w->list.items[x->candidate].twin) && (x->second == UINT32_MAX || seen(w, w->list.items[x->second].twin));
}

static void write_answer(work *w)
{
    gm_request      *request = w->request;
    gm_buf          *out     = &request->out;
    gm_control      *control = request->api->options.control;
    const gm_alarms *alarms  = control != NULL ? gm_control_alarms(control) : NULL;
    bool            *explained = gm_arena_zeroed(request->arena, (alarms != NULL ? gm_alarms_count(alarms) : 0) + 1, sizeof *explained);
    uint32_t         shown = 0;
    if (explained == NULL) { gm_reply_failure(request, GM_NOMEM, NULL); return; }
    w->ahead = w->past.stretch.samples[w->past.stretch.count - 1].at > gm_api_now(request) + EARLY;
    weigh_signs(w, alarms);
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, w->name);
    gm_live_time(out, "at", w->past.stretch.samples[w->past.stretch.count - 1].at);
    if (w->found.noticed != 0) gm_live_time(out, "noticed", w->found.noticed);
    gm_live_number(out, "strain", w->found.strain);
    gm_live_number(out, "none", w->found.none);
    gm_buf_printf(out, ",\"explained\":%s,\"pairs\":%s,\"items\":[", w->found.explained ? "true" : "false", w->found.paired ? "true" : "false");
    for (uint32_t i = 0; i < w->found.count && shown < SHOWN_MAX; i++) {
        if (!shows(w, &w->found.ranked[i])) continue;
        if (shown++ > 0) gm_buf_byte(out, ',');
        write_origin(w, &w->found.ranked[i], alarms, explained);
    }
    gm_buf_byte(out, ']');
    write_unexplained(w, alarms, explained);
    gm_buf_printf(out, ",\"candidates\":%u,\"learned\":%u,\"searched\":%u", w->list.count, w->found.learned, w->found.moments);
    gm_live_number(out, "seconds", (double)(gm_monotonic(request->api->options.clock) - w->begun) / 1e9);
    gm_buf_byte(out, '}');
    if (out->failed) gm_reply_failure(request, GM_NOMEM, NULL);
    else gm_reply_json(request, 200);
}

static void on_done(void *context, gm_status st, const gm_error *err)
{
    work       *w       = context;
    gm_request *request = w->request;
    if (!request->gone && st == GM_OK) write_answer(w);
    else if (!request->gone) refuse(request, st, err);
    finish_work(w);
    gm_request_release(request);
}

// ---- what is asked for ------------------------------------------------------------------------------------------------

// A plant's clock may run ahead: what it says last counts, too.
static gm_time_ns newest_of(const work *w, gm_time_ns now)
{
    uint32_t          count;
    const gm_binding *bindings = gm_group_bindings(w->group, &count);
    gm_time_ns        newest   = now;
    for (uint32_t i = 0; i < count; i++) {
        gm_cell cell;
        gm_state_get(gm_api_state(w->request), gm_group_twin(w->group, bindings[i].member), bindings[i].column, &cell);
        if (cell.source > newest) newest = cell.source;
    }
    return newest + 1;
}

// until: GM_ABSENT: all there is.
static gm_status prepare(work *w, const gm_estimate_setup *entry, gm_time_ns until, gm_error *err)
{
    const gm_api_options *o     = &w->request->api->options;
    gm_estimate_setup     setup = gm_origin_setup(entry);
    gm_twin               root  = gm_state_find(gm_api_state(w->request), setup.root);
    if (!gm_twin_ok(root)) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(setup.root, 0, 80)));
    gm_status st = gm_group_world_open(o->alloc, o->behaviors, gm_api_state(w->request), root, &w->group, err);
    if (st == GM_OK && until == GM_ABSENT) until = newest_of(w, gm_api_now(w->request));
    gm_time_ns from = until - (gm_time_ns)((w->options.search_s + setup.origins.learn_s) * 1e9);
    if (st == GM_OK) st = gm_past_open(o->alloc, w->request->engine, w->group, &setup, from, until, &w->past, err);
    if (st == GM_OK && w->past.stretch.count > SAMPLES_MAX)
        st = gm_fail(err, GM_LIMIT, WHERE, "%zu measurements, at most %d are looked at; make \"learn\" or \"search\" shorter", w->past.stretch.count, SAMPLES_MAX);
    if (st == GM_OK) st = gm_origin_candidates(w->request->arena, &w->past.setup, w->group, &w->list, err);
    return st == GM_OK ? take_modes(w, err) : st;
}

static bool read_search(gm_request *request, const gm_estimate_setup *entry, double *out_s)
{
    gm_str    text;
    gm_dur_ns length;
    *out_s = entry->origins.search_s;
    if (!gm_request_parameter(request, "search", &text)) return false;
    if (text.ptr == NULL) return true;
    if (gm_dur_parse(text, &length, NULL) == GM_OK && length > 0 && length <= 31 * GM_DAY) {
        *out_s = (double)length / 1e9;
        return true;
    }
    gm_reply_error(request, 400, "InvalidArgument", "'search' is a length of time such as 8h, at most 31d.");
    return false;
}

// The entry of estimate/*.json that is asked for, or the first one. NULL: replied.
static const gm_estimate_setup *entry_of(gm_request *request)
{
    const gm_api_options *o = &request->api->options;
    gm_str                name;
    if (!gm_request_parameter(request, "name", &name)) return NULL;
    if (name.ptr == NULL && o->estimates != NULL && gm_estimates_count(o->estimates) > 0) name = gm_estimates_at(o->estimates, 0).name;
    const gm_estimate_setup *entry = o->estimates != NULL && o->behaviors != NULL && name.ptr != NULL ? gm_estimates_setup(o->estimates, name) : NULL;
    if (entry != NULL && gm_twin_ok(gm_api_find(request, entry->root))) return entry;
    if (name.ptr == NULL) gm_reply_error(request, 404, "OriginsNotFound", "Origins are found by the model of an estimate; this plant has none (estimate/*.json).");
    else gm_reply_error(request, 404, "OriginsNotFound", "No entry of estimate/*.json is called '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(name, 0, 80)));
    return NULL;
}

void gm_route_origins(gm_request *request)
{
    const gm_api_options    *o     = &request->api->options;
    const gm_estimate_setup *entry = entry_of(request);
    gm_time_ns               until;
    gm_error                 err = { 0 };
    double                   search_s;
    if (entry == NULL || !gm_request_time(request, "until", GM_ABSENT, &until) || !read_search(request, entry, &search_s)) return;
    if (request->api->hunts >= RUNNING_MAX) {
        gm_reply_error(request, 503, "TooManyRequests", "%d origins are being looked for already; try again.", RUNNING_MAX);
        return;
    }
    work *w = gm_alloc_zeroed(o->alloc, sizeof *w);
    if (w == NULL) { gm_reply_failure(request, GM_NOMEM, NULL); return; }
    request->api->hunts++;
    w->request          = request;
    w->name             = entry->name;
    w->options          = gm_hunt_options_defaults();
    w->options.search_s = search_s;
    w->options.stop     = nobody_waits;
    w->options.context  = w;
    w->begun            = gm_monotonic(o->clock);
    gm_status st        = o->pool != NULL ? prepare(w, entry, until, &err) : gm_fail(&err, GM_INVALID, WHERE, "there are no worker threads");
    if (st == GM_OK) {
        gm_pool_task task = { .parts = 1, .run = on_thread, .done = on_done, .context = w };
        st = gm_request_submit(request, o->pool, &task, &err);
        if (st == GM_OK) return;
    }
    finish_work(w);
    refuse(request, st, &err);
}
