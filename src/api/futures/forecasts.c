#include "api/futures/forecasts.h"

#include "base/number.h"
#include "insight/live/estimates.h"

#include <inttypes.h>
#include <stdio.h>

struct gm_forecasts {
    gm_api_options options;
    gm_forecast   *newest;
    uint32_t       running, ended;
    int64_t        last_id;    // milliseconds; rises, so that ids never repeat
};

static const char *const state_names[] = { "running", "done", "failed", "cancelled" };

gm_status gm_forecasts_create(const gm_api_options *options, gm_forecasts **out, gm_error *err)
{
    *out = gm_alloc_zeroed(options->alloc, sizeof **out);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, "api.futures", "starting the API");
    (*out)->options = *options;
    return GM_OK;
}

const gm_api_options *gm_forecasts_options(const gm_forecasts *forecasts) { return &forecasts->options; }
gm_forecast          *gm_forecasts_newest(gm_forecasts *forecasts) { return forecasts->newest; }

static void forget(gm_forecast *f)
{
    gm_forecasts *all = f->all;
    gm_forecast_streams_part(f);
    if (f->previous != NULL) f->previous->next = f->next;
    else all->newest = f->next;
    if (f->next != NULL) f->next->previous = f->previous;
    if (f->state == GM_FORECAST_RUNNING) all->running--;
    else all->ended--;
    gm_futures_destroy(f->job);
    gm_group_close(f->world.group);
    gm_fmu_model_close(f->world.fmu);
    gm_buf_finish(&f->result);
    gm_arena_destroy(f->arena);
    gm_free(all->options.alloc, f);
}

void gm_forecasts_destroy(gm_forecasts *forecasts)
{
    if (forecasts == NULL) return;
    while (forecasts->newest != NULL) forget(forecasts->newest);
    gm_free(forecasts->options.alloc, forecasts);
}

gm_forecast *gm_forecast_find(gm_forecasts *forecasts, const gm_request *request, gm_str id)
{
    gm_forecast *f = forecasts->newest;
    while (f != NULL && (f->dropped || !gm_str_is(id, f->id))) f = f->next;
    return f != NULL && gm_forecast_seen(f, request) ? f : NULL;
}

bool gm_forecast_seen(const gm_forecast *f, const gm_request *request)
{
    for (uint32_t i = 0; i < f->fleet.count; i++) {
        if (!gm_twin_ok(gm_api_find(request, f->fleet.roots[i]))) return false;
    }
    return true;
}

static void drop_if_unused(gm_forecast *f)
{
    if (f->dropped && f->state != GM_FORECAST_RUNNING && f->busy == 0) forget(f);
}

void gm_forecast_drop(gm_forecast *f)
{
    f->dropped = true;
    if (f->state == GM_FORECAST_RUNNING) gm_futures_cancel(f->job);
    drop_if_unused(f);
}

void gm_forecast_release(gm_forecast *f)
{
    f->busy--;
    drop_if_unused(f);
}

// ---- the end of a job -----------------------------------------------------------------------------------------------

static void write_head(const gm_forecast *f, gm_buf *out)
{
    char at[GM_TIME_TEXT];
    gm_buf_printf(out, "\"id\":\"%s\",\"root\":", f->id);
    gm_buf_json_str(out, f->fleet.roots[0]);
    for (uint32_t i = 0; f->fleet.asked && i < f->fleet.count; i++) {
        gm_buf_text(out, i == 0 ? ",\"roots\":[" : ",");
        gm_buf_json_str(out, f->fleet.roots[i]);
        if (i + 1 == f->fleet.count) gm_buf_byte(out, ']');
    }
    gm_buf_printf(out, ",\"asOf\":\"%.*s\"", (int)gm_time_format(f->world.at, at), at);
}

// Pool thread. Nobody else looks at the result before done.
static void on_finish(void *context, const gm_futures *job, const gm_futures_result *result)
{
    gm_forecast          *f = context;
    const gm_api_options *o = &f->all->options;
    f->result.limit         = GM_FORECAST_FILE_MAX;
    gm_futures_result_write(&f->request, result, job, &f->result);
    gm_buf_str(&f->result, f->twins);
    if (!f->save || o->io == NULL || o->data_dir == NULL || f->result.failed) return;
    gm_buf    text = gm_buf_init(o->alloc), path = gm_buf_init(o->alloc);
    gm_buf_printf(&path, "%s/futures", o->data_dir);
    gm_buf_byte(&path, '\0');
    gm_status st = path.failed ? GM_NOMEM : o->io->make_dir(o->io, (const char *)path.ptr, NULL);
    gm_buf_clear(&path);
    gm_buf_printf(&path, "%s/futures/%s.json", o->data_dir, f->id);
    gm_buf_byte(&path, '\0');
    gm_buf_byte(&text, '{');
    write_head(f, &text);
    gm_buf_text(&text, ",\"state\":\"done\",\"request\":");
    gm_buf_str(&text, f->request_text);
    gm_buf_byte(&text, ',');
    gm_buf_str(&text, gm_buf_view(&f->result));
    gm_buf_text(&text, "}\n");
    if (st == GM_OK && !text.failed && !path.failed)
        f->saved = gm_io_replace_file(o->io, (const char *)path.ptr, text.ptr, text.len, NULL) == GM_OK;
    gm_buf_finish(&text);
    gm_buf_finish(&path);
}

static void push_out_oldest(gm_forecasts *all)
{
    gm_forecast *oldest = NULL;
    for (gm_forecast *f = all->newest; f != NULL; f = f->next) {
        if (f->state != GM_FORECAST_RUNNING && f->busy == 0) oldest = f;
    }
    if (all->ended > GM_FORECASTS_KEPT && oldest != NULL) forget(oldest);
}

static void on_done(void *context, gm_status status, const gm_error *err)
{
    gm_forecast *f = context;
    f->state = status == GM_OK ? GM_FORECAST_DONE : status == GM_CANCELLED ? GM_FORECAST_CANCELLED : GM_FORECAST_FAILED;
    if (err != NULL) f->err = *err;
    if (status == GM_OK && f->result.failed) {
        f->state = GM_FORECAST_FAILED;
        gm_fail(&f->err, GM_LIMIT, "api.futures", "the result is larger than %d MB; ask for fewer points or outputs",
                GM_FORECAST_FILE_MAX >> 20);
    }
    f->all->running--;
    f->all->ended++;
    gm_futures_destroy(f->job);
    f->job = NULL;
    gm_forecast_stream_tell(f);
    f->busy++;  // those who wait still need it
    while (f->waiters != NULL) {
        gm_forecast_waiter *w = f->waiters;
        f->waiters            = w->next;
        w->ask.call(w->ask.context, w->ask.token, GM_OK, NULL);
    }
    push_out_oldest(f->all);
    gm_forecast_release(f);
}

static void on_news(void *context) { gm_forecast_stream_tell(context); }

// ---- starting -------------------------------------------------------------------------------------------------------

static bool open_group(gm_forecast *f, gm_request *request, uint32_t member, gm_group **out)
{
    const gm_api_options *o    = &f->all->options;
    gm_error              err  = { 0 };
    gm_str                root = gm_str_slice(f->fleet.roots[member], 0, 128);
    gm_status             st =
        gm_group_world_open(o->alloc, o->behaviors, gm_api_state(request), f->fleet.twins[member], out, &err);
    if (st == GM_NOTFOUND)
        gm_reply_error(request, 400, "NoBehavior",
                       "'" GM_STR_FMT "' has no behavior: no class in behaviors/ names its interface.",
                       GM_STR_ARG(root));
    else if (st == GM_INVALID)
        gm_reply_error(request, 400, "BehaviorInvalid",
                       "The group does not compile: %s; 'gemel check' lists everything.", err.text);
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    if (st != GM_OK) return false;
    for (uint32_t i = 0; i < gm_group_twin_count(*out); i++) {
        if (gm_api_sees(request, gm_group_twin(*out, i))) continue;
        gm_reply_error(request, 403, "Forbidden", "The group has twins that you may not see.");
        return false;
    }
    if (member == 0 || gm_group_same_shape(f->world.group, *out)) return true;
    gm_reply_error(request, 400, "NotAlike",
                   "The group of '" GM_STR_FMT "' is not built like that of '" GM_STR_FMT
                   "' (types, classes or connections differ); members of a fleet are alike.",
                   GM_STR_ARG(root), GM_STR_ARG(gm_str_slice(f->fleet.roots[0], 0, 128)));
    return false;
}

static bool fork_group(gm_forecast *f, gm_request *request, uint32_t member, gm_group *group)
{
    gm_error        err    = { 0 };
    gm_fork_report  report;
    gm_group_reader reader = gm_group_world_reader(&f->world);
    double         *slots  = f->base + (size_t)member * gm_program_slot_count(gm_group_program(group));
    gm_status       st     = gm_group_fork(group, &reader, gm_group_time(f->world.at), slots, &report, &err);
    if (st == GM_DIVERGED)
        gm_reply_error(request, 400, "NoBeginning", "The state that is forked has no solution: %s.", err.text);
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    return st == GM_OK;
}

// "tank2":["tank2","pump2"]: the twins of a member, each in the place where the first member has its own.
static void tell_twins(const gm_fleet_roots *fleet, uint32_t member, const gm_group *group, gm_buf *out)
{
    if (!fleet->asked) return;
    gm_buf_text(out, member == 0 ? ",\"twins\":{" : ",");
    gm_buf_json_str(out, fleet->roots[member]);
    for (uint32_t i = 0; i < gm_group_twin_count(group); i++) {
        gm_buf_text(out, i == 0 ? ":[" : ",");
        gm_buf_json_str(out, gm_group_twin_id(group, i));
    }
    gm_buf_byte(out, ']');
    if (member + 1 == fleet->count) gm_buf_byte(out, '}');
}

// A root by itself may be an FMU. False: it is none, or could not be opened, which was replied.
static bool open_fmu(gm_forecast *f, gm_request *request, bool *out_replied)
{
    const gm_api_options *o   = &f->all->options;
    gm_error              err = { 0 };
    gm_group_world       *w   = &f->world;
    const gm_state       *state = gm_api_state(request);
    w->root      = f->fleet.twins[0];
    *out_replied = false;
    if (f->fleet.count > 1 || (o->behaviors != NULL && gm_behaviors_of(o->behaviors, gm_state_type(state, w->root)) != NULL))
        return false;
    gm_status st = gm_group_world_open_fmu(o->alloc, o->fmu_notes, o->fmu_note_count, o->fmu_host, o->plant_dir, state,
                                           w->root, &w->fmu, &err);
    if (st == GM_OK || st == GM_NOTFOUND) return st == GM_OK;
    if (st == GM_NOMEM) gm_reply_failure(request, st, &err);
    else gm_reply_error(request, 400, "BehaviorInvalid", "The FMU can not be run: %s.", err.text);
    *out_replied = true;
    return false;
}

static bool fork_fmu(gm_forecast *f, gm_request *request)
{
    gm_group_reader reader = gm_group_world_reader(&f->world);
    f->base = GM_ARENA_NEW(f->arena, double, gm_program_slot_count(gm_group_world_program(&f->world)));
    if (f->base == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return false;
    }
    gm_fmu_model_fork(f->world.fmu, &reader, f->world.root, gm_group_time(f->world.at), f->base);
    return true;
}

// The first member's group stays open: its program and its names are the job's.
static bool fork_all(gm_forecast *f, gm_request *request)
{
    bool replied;
    if (open_fmu(f, request, &replied)) return fork_fmu(f, request);
    if (replied) return false;
    gm_buf twins = gm_buf_init(f->all->options.alloc);
    bool   good  = open_group(f, request, 0, &f->world.group);
    if (good) {
        f->base = GM_ARENA_NEW(f->arena, double,
                               (size_t)f->fleet.count * gm_program_slot_count(gm_group_program(f->world.group)));
        good    = f->base != NULL;
        if (!good) gm_reply_failure(request, GM_NOMEM, NULL);
    }
    for (uint32_t m = 0; good && m < f->fleet.count; m++) {
        gm_group *group = f->world.group, *other = NULL;
        if (m > 0) {
            good  = open_group(f, request, m, &other);
            group = other;
        }
        good = good && fork_group(f, request, m, group);
        if (good) tell_twins(&f->fleet, m, group, &twins);
        gm_group_close(other);
    }
    if (good) {
        f->twins = gm_arena_str(f->arena, gm_buf_view(&twins));
        good     = !twins.failed && f->twins.ptr != NULL;
        if (!good) gm_reply_failure(request, GM_NOMEM, NULL);
    }
    gm_buf_finish(&twins);
    return good;
}

// "from":"estimate": the moment and the distribution are the estimate's. False: replied.
static bool read_from(gm_forecast *f, gm_request *request, const json_t *body)
{
    const json_t *from = json_object_get(body, "from");
    if (from == NULL || json_is_null(from) || (json_is_string(from) && strcmp(json_string_value(from), "state") == 0)) return true;
    if (!json_is_string(from) || strcmp(json_string_value(from), "estimate") != 0)
        gm_reply_error(request, 400, "BadRequest", "\"from\": \"state\" or \"estimate\" is expected.");
    else if (!f->world.live || f->fleet.asked)
        gm_reply_error(request, 400, "BadRequest", "\"from\":\"estimate\" begins now and at one root; leave \"asOf\", \"roots\" and \"fleet\" out.");
    else {
        const gm_estimates *all = f->all->options.estimates;
        f->estimate             = all != NULL ? gm_estimates_spread_of(all, f->fleet.twins[0]) : NULL;
        if (f->estimate != NULL) {
            f->world.at = f->estimate->at;
            return true;
        }
        gm_reply_error(request, 400, "NoEstimate",
                       "There is no estimate of '" GM_STR_FMT "' yet: an entry of estimate/*.json for its group must have had a measurement.",
                       GM_STR_ARG(gm_str_slice(f->fleet.roots[0], 0, 128)));
    }
    return false;
}

static bool read_time(gm_forecast *f, gm_request *request, const json_t *body)
{
    const json_t *as_of = json_object_get(body, "asOf");
    gm_error      err   = { 0 };
    f->world.live = as_of == NULL || json_is_null(as_of);
    f->world.at   = gm_api_now(request);
    if (f->world.live) return true;
    if (json_is_string(as_of) && gm_time_parse(gm_str_of(json_string_value(as_of)), &f->world.at, &err) == GM_OK)
        return true;
    gm_reply_error(request, 400, "BadRequest", "\"asOf\": expected a time such as \"2026-01-01T00:00:00Z\".");
    return false;
}

static bool read_request(gm_forecast *f, gm_request *request, const json_t *body)
{
    static const char *const own[] = { "root", "roots", "fleet", "asOf", "from", "save", "wait", NULL };
    static const double      usual[] = { 0.05, 0.5, 0.95 };
    gm_error                 err   = { 0 };
    gm_futures_world         world = gm_group_world_of(&f->world);
    f->request                = gm_futures_defaults(world.program, f->base);
    f->request.fmu            = f->world.fmu;
    f->request.members        = f->fleet.count;
    f->request.member_names   = f->fleet.asked ? f->fleet.roots : NULL;
    f->request.quantiles      = usual;
    f->request.quantile_count = 3;
    gm_status st = gm_futures_request_read(body, own, &world, f->arena, &f->request, &err);
    if (st == GM_OK && f->estimate != NULL) st = gm_seeding_put(f->arena, &f->estimate->spread, &world, &f->request, &err);
    f->estimate = NULL;  // viewed for this turn only; a started job has copied what it needs
    if (st == GM_OK) st = gm_futures_check(&f->request, &err);
    if (st == GM_OK) return true;
    if (st == GM_NOMEM) gm_reply_failure(request, st, &err);
    else gm_reply_error(request, 400, st == GM_LIMIT ? "LimitExceeded" : "FuturesInvalid", "%s.", err.text);
    return false;
}

static bool prepare(gm_forecast *f, gm_request *request, const json_t *body)
{
    f->request_text = gm_arena_str(f->arena, gm_buf_view(&request->body));
    f->save         = json_is_true(json_object_get(body, "save"));
    if (f->request_text.ptr == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return false;
    }
    if (!gm_fleet_read(request, body, f->arena, &f->fleet)) return false;
    f->world.engine = request->engine;
    f->world.fleet  = f->fleet.count > 1;
    return read_time(f, request, body) && read_from(f, request, body) && fork_all(f, request) && read_request(f, request, body);
}

static void name_it(gm_forecast *f, gm_time_ns now)
{
    int64_t ms      = now / GM_MILLISECOND;
    f->all->last_id = ms > f->all->last_id ? ms : f->all->last_id + 1;
    snprintf(f->id, sizeof f->id, "f%" PRIx64, (uint64_t)f->all->last_id);
}

gm_forecast *gm_forecast_start(gm_forecasts *all, gm_request *request, const json_t *body)
{
    const gm_api_options *o = &all->options;
    gm_error              err = { 0 };
    if (o->behaviors == NULL || o->pool == NULL) {  // without texts there are no FMUs either: one loader has both
        gm_reply_error(request, 400, "NoBehavior",
                       "This plant has no behaviors: put Modelica classes into behaviors/.");
        return NULL;
    }
    if (all->running >= GM_FORECASTS_RUNNING) {
        gm_reply_header(request, "Retry-After", "1");
        gm_reply_error(request, 503, "LimitExceeded", "%u futures are running; cancel one or wait.", all->running);
        return NULL;
    }
    gm_forecast *f = gm_alloc_zeroed(o->alloc, sizeof *f);
    if (f != NULL) f->arena = gm_arena_create(o->alloc, 0);
    if (f == NULL || f->arena == NULL) {
        gm_free(o->alloc, f);
        gm_reply_failure(request, GM_NOMEM, NULL);
        return NULL;
    }
    f->all    = all;
    f->result = gm_buf_init(o->alloc);
    f->next   = all->newest;
    if (all->newest != NULL) all->newest->previous = f;
    all->newest = f;
    all->running++;
    name_it(f, gm_api_now(request));
    if (!prepare(f, request, body)) {
        forget(f);
        return NULL;
    }
    gm_futures_calls calls = { .news = on_news, .done = on_done, .finish = on_finish, .context = f };
    gm_status        st    = gm_futures_start(o->alloc, o->pool, &f->request, calls, &f->job, &err);
    if (st == GM_OK) return f;
    if (st == GM_INVALID || st == GM_LIMIT)
        gm_reply_error(request, st == GM_LIMIT ? 503 : 400, st == GM_LIMIT ? "LimitExceeded" : "FuturesInvalid", "%s.",
                       err.text);
    else gm_reply_failure(request, st, &err);
    forget(f);
    return NULL;
}

// ---- telling --------------------------------------------------------------------------------------------------------

void gm_forecast_write(gm_forecast *f, bool whole, gm_buf *out)
{
    char number[GM_NUMBER_TEXT];
    gm_buf_byte(out, '{');
    write_head(f, out);
    // While it runs the pool may be just about to save it.
    bool saved = f->state != GM_FORECAST_RUNNING && f->saved;
    gm_buf_printf(out, ",\"state\":\"%s\",\"saved\":%s", state_names[f->state], saved ? "true" : "false");
    if (f->state == GM_FORECAST_RUNNING) {
        double progress = gm_futures_progress(f->job);
        gm_buf_text(out, ",\"progress\":");
        gm_buf_add(out, number, gm_number_write(progress, number));
    }
    if (f->state == GM_FORECAST_FAILED) {
        gm_buf_text(out, ",\"error\":");
        gm_buf_json_str(out, gm_str_of(f->err.text));
    }
    if (f->state == GM_FORECAST_DONE && whole) {
        gm_buf_byte(out, ',');
        gm_buf_str(out, gm_buf_view(&f->result));
    }
    gm_buf_byte(out, '}');
}

// ---- saved ones -----------------------------------------------------------------------------------------------------

// Ids name files, so nothing but what name_it makes is one.
static bool is_id(gm_str id)
{
    if (id.len < 2 || id.len >= GM_FORECAST_ID - 1 || id.ptr[0] != 'f') return false;
    for (size_t i = 1; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

static void path_of(const gm_forecasts *all, gm_str id, gm_buf *out)
{
    gm_buf_printf(out, "%s/futures/" GM_STR_FMT ".json", all->options.data_dir, GM_STR_ARG(id));
    gm_buf_byte(out, '\0');
}

static json_t *read_saved(gm_forecasts *all, gm_str id)
{
    const gm_io *io    = all->options.io;
    uint8_t     *bytes = NULL;
    size_t       size  = 0;
    json_t      *found = NULL;
    gm_buf       path  = gm_buf_init(all->options.alloc);
    if (io == NULL || all->options.data_dir == NULL || !is_id(id)) return NULL;
    path_of(all, id, &path);
    if (!path.failed &&
        gm_io_read_file(io, (const char *)path.ptr, 2 * (size_t)GM_FORECAST_FILE_MAX, &bytes, &size, NULL) == GM_OK) {
        found = json_loadb((const char *)bytes, size, 0, NULL);
        gm_free(io->alloc, bytes);
    }
    gm_buf_finish(&path);
    return found;
}

gm_status gm_forecast_unsave(gm_forecasts *all, gm_str id, gm_error *err)
{
    gm_buf    path = gm_buf_init(all->options.alloc);
    gm_status st   = GM_NOTFOUND;
    if (all->options.io == NULL || all->options.data_dir == NULL || !is_id(id)) return GM_NOTFOUND;
    path_of(all, id, &path);
    if (!path.failed) st = all->options.io->remove(all->options.io, (const char *)path.ptr, err);
    gm_buf_finish(&path);
    return st;
}

// As gm_forecast_seen.
static bool document_seen(const json_t *document, const gm_request *request)
{
    const json_t *root = json_object_get(document, "root"), *roots = json_object_get(document, "roots");
    if (!json_is_string(root) || !gm_twin_ok(gm_api_find(request, gm_str_of(json_string_value(root))))) return false;
    for (size_t i = 0; i < json_array_size(roots); i++) {
        const char *id = json_string_value(json_array_get(roots, i));
        if (id == NULL || !gm_twin_ok(gm_api_find(request, gm_str_of(id)))) return false;
    }
    return true;
}

json_t *gm_forecast_document(gm_forecasts *all, gm_request *request, gm_str id)
{
    gm_forecast *f = gm_forecast_find(all, request, id);
    if (f != NULL && f->state != GM_FORECAST_DONE) {
        gm_reply_error(request, 409, "FuturesNotDone", "'%s' is %s.", f->id, state_names[f->state]);
        return NULL;
    }
    json_t *document = NULL;
    if (f != NULL) {
        gm_buf text = gm_buf_init(all->options.alloc);
        gm_forecast_write(f, true, &text);
        if (!text.failed) document = json_loadb((const char *)text.ptr, text.len, 0, NULL);
        gm_buf_finish(&text);
    } else {
        document = read_saved(all, id);
        if (document != NULL && !document_seen(document, request)) {
            json_decref(document);
            document = NULL;
        }
    }
    if (document == NULL)
        gm_reply_error(request, 404, "FuturesNotFound", "There are no futures '" GM_STR_FMT "'.",
                       GM_STR_ARG(gm_str_slice(id, 0, 64)));
    return document;
}
