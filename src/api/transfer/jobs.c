// The jobs that are remembered, and the one that runs. The work itself: import.h, deletion.h.
#include "api/transfer/jobs.h"

#include "api/transfer/deletion.h"
#include "api/transfer/import.h"
#include "api/transfer/job_log.h"
#include "base/bytes.h"
#include "base/percent.h"
#include "state/document.h"

#include <stdio.h>

#define SLICE    GM_MILLISECOND  // of the engine thread, then others have their turn
#define KEPT_FOR (30 * GM_DAY)   // after its end a job is purged

enum { NEW = 1 };  // flag of a JOB record

typedef struct job { gm_job_kind kind; gm_str id; json_t *document; } job;  // id is viewed in the document

typedef struct work {  // the job that runs
    bool         on;
    gm_job_kind  kind;
    char         id[520];
    gm_file     *input;
    uint64_t     offset;
    gm_job_log  *log;
    gm_import   *import;
    gm_deletion *deletion;
} work;

struct gm_jobs {
    gm_jobs_options options;
    char           *dir;
    job            *jobs;
    size_t          count, capacity;
    work            now;
    json_t         *ending;     // how `now` ended, until the log has taken it
    bool            begun, told;  // told: the log has it, and the fold comes
    gm_timer       *timer;
};

static const char *const kind_names[] = { "imports", "deletions" };

// ---- documents ------------------------------------------------------------------------------------------------------

static gm_str text_of(const json_t *document, const char *name)
{
    const json_t *text = json_object_get(document, name);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

static bool status_is(const json_t *document, const char *status)
{
    return gm_str_is(text_of(document, "status"), status);
}

bool gm_jobs_over(const json_t *document)
{
    return status_is(document, "succeeded") || status_is(document, "failed") || status_is(document, "cancelled");
}

static void set_time(json_t *document, const char *name, gm_time_ns time)
{
    char text[GM_TIME_TEXT];
    gm_time_format(time, text);
    json_object_set_new(document, name, json_string(text));
}

static void set_text(json_t *document, const char *name, gm_str text)
{
    json_object_set_new(document, name, json_stringn(text.ptr, text.len));
}

void gm_jobs_write(const json_t *document, gm_buf *out) { gm_document_compact(document, out); }

// ---- the list -------------------------------------------------------------------------------------------------------

static job *find(const gm_jobs *jobs, gm_job_kind kind, gm_str id)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->jobs[i].kind == kind && gm_str_eq(jobs->jobs[i].id, id)) return &jobs->jobs[i];
    }
    return NULL;
}

size_t gm_jobs_count(const gm_jobs *jobs, gm_job_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < jobs->count; i++) count += jobs->jobs[i].kind == kind;
    return count;
}

const json_t *gm_jobs_at(const gm_jobs *jobs, gm_job_kind kind, size_t wanted)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->jobs[i].kind == kind && wanted-- == 0) return jobs->jobs[i].document;
    }
    return NULL;
}

const json_t *gm_jobs_find(const gm_jobs *jobs, gm_job_kind kind, gm_str id)
{
    const job *it = find(jobs, kind, id);
    return it != NULL ? it->document : NULL;
}

static void schedule(gm_jobs *jobs);
static void schedule_after(gm_jobs *jobs, gm_dur_ns after);

static gm_status put(gm_jobs *jobs, gm_job_kind kind, gm_str text, gm_error *err)
{
    json_t *document = json_loadb(text.ptr, text.len, 0, NULL);
    gm_str  id       = text_of(document, "id");
    job    *it       = id.ptr != NULL ? find(jobs, kind, id) : NULL;
    if (id.ptr == NULL) {
        json_decref(document);
        return gm_fail(err, GM_CORRUPT, "api.jobs", "a job without an id");
    }
    if (it == NULL) {
        if (!gm_alloc_reserve(jobs->options.alloc, &jobs->jobs, &jobs->capacity, jobs->count + 1, sizeof *jobs->jobs)) {
            json_decref(document);
            return gm_fail(err, GM_NOMEM, "api.jobs", "keeping a job");
        }
        it  = &jobs->jobs[jobs->count++];
        *it = (job){ .kind = kind };
    }
    json_decref(it->document);
    it->document = document;
    it->id       = id;
    return GM_OK;
}

static void drop(gm_jobs *jobs, job *it)
{
    size_t at = (size_t)(it - jobs->jobs);
    json_decref(it->document);
    memmove(it, it + 1, (--jobs->count - at) * sizeof *it);
}

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record;
    gm_jobs    *jobs = context;
    gm_job_kind kind = gm_str_is(change->name, kind_names[GM_JOB_IMPORT]) ? GM_JOB_IMPORT : GM_JOB_DELETION;
    job        *it   = find(jobs, kind, change->id);
    bool        made = (change->flags & NEW) != 0;
    if (made == (it != NULL))
        return gm_fail(err, GM_CONFLICT, "api.jobs",
                       made ? "there is a job with this id" : "there is no job with this id");
    if (change->text.len == 0) {
        drop(jobs, it);
        return GM_OK;
    }
    gm_status st = put(jobs, kind, change->text, err);
    if (st == GM_OK) schedule(jobs);
    return st;
}

static void save(void *context, gm_buf *out)
{
    const gm_jobs *jobs = context;
    gm_buf         text = gm_buf_init(out->alloc);
    for (size_t i = 0; i < jobs->count; i++) {
        gm_buf_clear(&text);
        gm_document_compact(jobs->jobs[i].document, &text);
        gm_buf_varint(out, jobs->jobs[i].kind);
        gm_buf_text_of(out, gm_buf_view(&text));
        out->failed |= text.failed;
    }
    gm_buf_finish(&text);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_jobs *jobs = context;
    gm_bytes in   = { .at = bytes, .end = bytes + size };
    while (jobs->count > 0) drop(jobs, &jobs->jobs[jobs->count - 1]);
    while (!in.bad && gm_bytes_left(&in) > 0) {
        uint64_t kind = gm_bytes_varint(&in);
        gm_str   text = gm_bytes_text(&in);
        if (in.bad || kind > GM_JOB_DELETION) break;
        gm_status st = put(jobs, (gm_job_kind)kind, text, err);
        if (st != GM_OK) return st;
    }
    return in.bad || gm_bytes_left(&in) > 0 ? gm_fail(err, GM_CORRUPT, "api.jobs", "the jobs do not parse") : GM_OK;
}

// ---- submitting -----------------------------------------------------------------------------------------------------

static gm_status submit(gm_jobs *jobs, gm_job_kind kind, uint8_t flags, const json_t *document, gm_ask ask,
                        gm_error *err)
{
    gm_buf text = gm_buf_init(jobs->options.alloc);
    gm_document_compact(document, &text);
    gm_status st = text.failed ? gm_fail(err, GM_NOMEM, "api.jobs", "changing a job")
                               : gm_engine_submit(jobs->options.engine, GM_CHANGE_JOB, flags, text_of(document, "id"),
                                                  gm_str_of(kind_names[kind]), gm_buf_view(&text), ask, err);
    gm_buf_finish(&text);
    return st;
}

gm_status gm_jobs_submit_new(gm_jobs *jobs, gm_job_kind kind, gm_str id, gm_str input, gm_str output, gm_ask ask,
                             gm_error *err)
{
    json_t    *document = json_object();
    gm_time_ns now      = gm_now(jobs->options.clock);
    set_text(document, "id", id);
    if (kind == GM_JOB_IMPORT) {
        set_text(document, "inputBlobUri", input);
        set_text(document, "outputBlobUri", output);
    }
    set_text(document, "status", GM_STR("notstarted"));
    set_time(document, "createdDateTime", now);
    set_time(document, "lastActionDateTime", now);
    set_time(document, "purgeDateTime", now + KEPT_FOR);
    gm_status st = submit(jobs, kind, NEW, document, ask, err);
    json_decref(document);
    return st;
}

// The document as it will be after a change of its status.
static json_t *changed(const gm_jobs *jobs, const json_t *document, const char *status)
{
    json_t    *next = json_copy((json_t *)(uintptr_t)document);
    gm_time_ns now  = gm_now(jobs->options.clock);
    set_text(next, "status", gm_str_of(status));
    set_time(next, "lastActionDateTime", now);
    if (gm_jobs_over(next)) {
        set_time(next, "finishedDateTime", now);
        set_time(next, "purgeDateTime", now + KEPT_FOR);
    }
    return next;
}

gm_status gm_jobs_submit_cancel(gm_jobs *jobs, gm_str id, gm_ask ask, gm_error *err)
{
    const json_t *document = gm_jobs_find(jobs, GM_JOB_IMPORT, id);
    bool          runs     = jobs->now.on && jobs->now.kind == GM_JOB_IMPORT && gm_str_is(id, jobs->now.id);
    json_t       *next     = changed(jobs, document, runs ? "cancelling" : "cancelled");
    gm_status     st       = submit(jobs, GM_JOB_IMPORT, 0, next, ask, err);
    json_decref(next);
    return st;
}

gm_status gm_jobs_submit_remove(gm_jobs *jobs, gm_job_kind kind, gm_str id, gm_ask ask, gm_error *err)
{
    gm_str none = { 0 };
    return gm_engine_submit(jobs->options.engine, GM_CHANGE_JOB, 0, id, gm_str_of(kind_names[kind]), none, ask, err);
}

// ---- files ----------------------------------------------------------------------------------------------------------

static gm_status bad_url(gm_error *err, gm_str url, const char *why)
{
    return gm_fail(err, GM_INVALID, "api.jobs", "'" GM_STR_FMT "' %s", GM_STR_ARG(gm_str_slice(url, 0, 80)), why);
}

gm_status gm_jobs_path(const gm_jobs *jobs, gm_str url, gm_buf *out_path, gm_error *err)
{
    if (jobs->dir == NULL)
        return gm_fail(err, GM_INVALID, "api.jobs", "this server has no folder for the files of jobs");
    size_t scheme = gm_str_find(url, GM_STR("://"));
    if (scheme == SIZE_MAX || url.len > 2048)
        return bad_url(err, url, "is no URL of a blob (https://...) or file (file:///...)");
    gm_str rest = gm_str_slice(url, scheme + 3, url.len);
    size_t path = gm_str_find_char(rest, '/');
    rest        = path == SIZE_MAX ? (gm_str){ 0 } : gm_str_slice(rest, path + 1, rest.len);
    rest        = gm_str_slice(rest, 0, gm_str_find_char(rest, '?'));  // a signature that the service would check
    gm_arena *arena = gm_arena_create(jobs->options.alloc, 0);
    gm_str    plain = { 0 }, part;
    gm_status st =
        arena == NULL ? gm_fail(err, GM_NOMEM, "api.jobs", "a path") : gm_percent_decode(arena, rest, &plain, err);
    size_t    parts = 0;
    // A file: URL may give the folder's own path; what it names then lies within it.
    gm_str    own = gm_str_of(jobs->dir);
    gm_str    below = own.len > 0 && own.ptr[0] == '/' ? gm_str_slice(own, 1, own.len) : own;
    if (st == GM_OK && gm_str_starts(plain, below) && plain.len > below.len && plain.ptr[below.len] == '/') {
        plain = gm_str_slice(plain, below.len + 1, plain.len);
    }
    gm_buf_str(out_path, own);
    while (st == GM_OK && plain.ptr != NULL && gm_str_next(&plain, '/', &part)) {
        if (part.len == 0 || part.ptr[0] == '.' || gm_str_find_char(part, '\\') != SIZE_MAX) {
            st = bad_url(err, url, "has an empty part, or one that begins with a dot");
            break;
        }
        gm_buf_byte(out_path, '/');
        gm_buf_str(out_path, part);
        parts++;
    }
    if (st == GM_OK && parts == 0) st = bad_url(err, url, "names no file");
    gm_buf_byte(out_path, '\0');
    if (st == GM_OK && out_path->failed) st = gm_fail(err, GM_NOMEM, "api.jobs", "a path");
    gm_arena_destroy(arena);
    return st;
}

static gm_status read_input(void *context, char *to, size_t max, size_t *out_n, gm_error *err)
{
    gm_jobs  *jobs = context;
    gm_status st   = jobs->options.io->read(jobs->now.input, jobs->now.offset, to, max, out_n, err);
    jobs->now.offset += *out_n;
    return st;
}

// ---- the one that runs ----------------------------------------------------------------------------------------------

static void on_section(void *context, const char *name, bool begins)
{
    gm_jobs *jobs = context;
    gm_job_log_section(jobs->now.log, name, begins);
}

static void on_refused(void *context, const char *section, uint64_t number, gm_str id, const char *code,
                       const char *why)
{
    gm_jobs *jobs = context;
    gm_job_log_refused(jobs->now.log, section, number, id, code, why);
}

static gm_status open_import(gm_jobs *jobs, const json_t *document, gm_error *err)
{
    const gm_io *io   = jobs->options.io;
    gm_buf       path = gm_buf_init(jobs->options.alloc), log = gm_buf_init(jobs->options.alloc);
    gm_status    st   = gm_jobs_path(jobs, text_of(document, "inputBlobUri"), &path, err);
    if (st == GM_OK) st = gm_jobs_path(jobs, text_of(document, "outputBlobUri"), &log, err);
    if (st == GM_OK)
        st = gm_job_log_open(jobs->options.alloc, io, jobs->options.clock, (const char *)log.ptr,
                             gm_str_of(jobs->now.id), &jobs->now.log, err);
    if (st == GM_OK) st = io->open(io, (const char *)path.ptr, GM_OPEN_READ, &jobs->now.input, err);
    gm_import_options options = { .alloc   = jobs->options.alloc,
                                  .clock   = jobs->options.clock,
                                  .engine  = jobs->options.engine,
                                  .source  = { read_input, jobs },
                                  .section = on_section,
                                  .refused = on_refused,
                                  .context = jobs };
    if (st == GM_OK) st = gm_import_open(&options, &jobs->now.import, err);
    gm_buf_finish(&path);
    gm_buf_finish(&log);
    return st;
}

// The last word about the job at hand. Its files are closed; its record follows, again and again until the log takes
// it.
static void end_work(gm_jobs *jobs, const char *status, const char *code, const char *why)
{
    work       *w  = &jobs->now;
    const job  *it = find(jobs, w->kind, gm_str_of(w->id));
    if (w->log != NULL) gm_job_log_close(w->log, status, code, why);
    w->log = NULL;
    gm_import_close(w->import);
    w->import = NULL;
    gm_deletion_close(w->deletion);
    w->deletion = NULL;
    jobs->options.io->close(w->input);
    w->input = NULL;
    if (it != NULL) {
        json_t *next = changed(jobs, it->document, status);
        if (code != NULL) {
            json_t *error = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", why);
            if (error != NULL) json_object_update(next, error);
            json_decref(error);
        }
        json_decref(jobs->ending);
        jobs->ending = next;
    }
    w->on      = false;
    jobs->told = false;
}

// False: the log is full at the moment.
static bool submit_ending(gm_jobs *jobs)
{
    gm_error err;
    gm_ask   nobody = { 0 };
    if (submit(jobs, jobs->now.kind, 0, jobs->ending, nobody, &err) == GM_LIMIT) return false;
    json_decref(jobs->ending);  // a log that takes nothing more has said so elsewhere
    jobs->ending = NULL;
    jobs->told   = true;
    return true;
}

static gm_dur_ns step_import(gm_jobs *jobs, const json_t *document)
{
    work *w = &jobs->now;
    if (status_is(document, "cancelling")) {
        end_work(jobs, "cancelled", NULL, NULL);
        return 0;
    }
    gm_import_flow   flow  = gm_import_step(w->import, SLICE);
    gm_import_counts count = gm_import_count(w->import);
    gm_job_log_flush(w->log);
    if (flow == GM_IMPORT_DONE && count.refused == 0) {
        end_work(jobs, "succeeded", NULL, NULL);
    } else if (flow == GM_IMPORT_DONE) {
        char why[160];
        snprintf(why, sizeof why, "%llu items were refused; the output log names them",
                 (unsigned long long)count.refused);
        end_work(jobs, "failed", "ImportJobFailed", why);
    } else if (flow == GM_IMPORT_FAILED) {
        gm_error err = *gm_import_error(w->import);
        end_work(jobs, "failed", "ImportJobFailed", err.text);
    }
    return flow == GM_IMPORT_WAITS ? GM_MILLISECOND : 0;
}

static gm_dur_ns step_deletion(gm_jobs *jobs)
{
    gm_error         err  = { 0 };
    gm_deletion_flow flow = gm_deletion_step(jobs->now.deletion, SLICE, &err);
    if (flow == GM_DELETION_DONE) end_work(jobs, "succeeded", NULL, NULL);
    if (flow == GM_DELETION_FAILED) end_work(jobs, "failed", "DeletionJobFailed", err.text);
    return flow == GM_DELETION_WAITS ? GM_MILLISECOND : 0;
}

// False: the log is full at the moment.
static bool start(gm_jobs *jobs, const job *it)
{
    work    *w      = &jobs->now;
    gm_error err    = { 0 };
    gm_ask   nobody = { 0 };
    json_t  *next   = changed(jobs, it->document, "running");
    gm_status st    = submit(jobs, it->kind, 0, next, nobody, &err);
    json_decref(next);
    if (st == GM_LIMIT) return false;
    *w         = (work){ .on = true, .kind = it->kind };
    jobs->told = false;
    snprintf(w->id, sizeof w->id, GM_STR_FMT, GM_STR_ARG(it->id));
    if (st == GM_OK && it->kind == GM_JOB_IMPORT) st = open_import(jobs, it->document, &err);
    if (st == GM_OK && it->kind == GM_JOB_DELETION) {
        st = gm_deletion_open(jobs->options.alloc, jobs->options.clock, jobs->options.engine, &w->deletion, &err);
    }
    if (st != GM_OK) end_work(jobs, "failed", st == GM_NOTFOUND ? "BlobNotFound" : "JobFailed", err.text);
    return true;
}

static void purge(gm_jobs *jobs)
{
    gm_time_ns now    = gm_now(jobs->options.clock), at;
    gm_ask     nobody = { 0 };
    gm_error   ignored;
    for (size_t i = 0; i < jobs->count; i++) {
        const job *it = &jobs->jobs[i];
        if (!gm_jobs_over(it->document) || gm_time_parse(text_of(it->document, "purgeDateTime"), &at, NULL) != GM_OK ||
            at > now)
            continue;
        (void)!gm_jobs_submit_remove(jobs, it->kind, it->id, nobody, &ignored);
    }
}

static const job *first_waiting(const gm_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (!gm_jobs_over(jobs->jobs[i].document)) return &jobs->jobs[i];
    }
    return NULL;
}

// One turn of the machine; the pause before the next one, or -1: nothing to do until a record says otherwise.
static gm_dur_ns work_on(gm_jobs *jobs)
{
    if (jobs->ending != NULL) return submit_ending(jobs) ? -1 : GM_MILLISECOND;
    if (jobs->now.on) {
        const json_t *document = gm_jobs_find(jobs, jobs->now.kind, gm_str_of(jobs->now.id));
        if (document != NULL)
            return jobs->now.kind == GM_JOB_IMPORT ? step_import(jobs, document) : step_deletion(jobs);
        end_work(jobs, "cancelled", NULL, NULL);
        return -1;
    }
    const job *next = first_waiting(jobs);
    if (next == NULL) return -1;
    bool ended = jobs->told && next->kind == jobs->now.kind && gm_str_is(next->id, jobs->now.id);
    if (ended) return -1;  // its end is on the way; the fold calls again
    return start(jobs, next) ? 0 : GM_MILLISECOND;
}

static void turn(void *context)
{
    gm_jobs *jobs   = context;
    jobs->timer     = NULL;
    gm_dur_ns pause = work_on(jobs);
    if (pause >= 0) schedule_after(jobs, pause);
}

static void schedule_after(gm_jobs *jobs, gm_dur_ns after)
{
    gm_error ignored;
    if (!jobs->begun || jobs->timer != NULL) return;
    if (gm_loop_after(jobs->options.loop, after, turn, jobs, &jobs->timer, &ignored) != GM_OK) jobs->timer = NULL;
}

static void schedule(gm_jobs *jobs) { schedule_after(jobs, 0); }

// ---- life cycle -----------------------------------------------------------------------------------------------------

gm_status gm_jobs_create(const gm_jobs_options *options, gm_jobs **out_jobs, gm_error *err)
{
    *out_jobs     = NULL;
    gm_jobs *jobs = gm_alloc_zeroed(options->alloc, sizeof *jobs);
    if (jobs == NULL) return gm_fail(err, GM_NOMEM, "api.jobs", "starting the jobs");
    jobs->options = *options;
    if (options->dir != NULL) {
        size_t size = strlen(options->dir) + 1;
        jobs->dir   = gm_alloc_bytes(options->alloc, size);
        if (jobs->dir == NULL) {
            gm_free(options->alloc, jobs);
            return gm_fail(err, GM_NOMEM, "api.jobs", "starting the jobs");
        }
        memcpy(jobs->dir, options->dir, size);
    }
    gm_engine_fold(options->engine, GM_CHANGE_JOB, fold, jobs);
    gm_engine_keep(options->engine, &(gm_keeper){ "jobs", jobs, save, load });
    *out_jobs = jobs;
    return GM_OK;
}

void gm_jobs_begin(gm_jobs *jobs)
{
    if (jobs->begun) return;
    jobs->begun = true;
    purge(jobs);
    schedule(jobs);
}

void gm_jobs_destroy(gm_jobs *jobs)
{
    if (jobs == NULL) return;
    gm_loop_cancel(jobs->timer);
    if (jobs->now.log != NULL) gm_job_log_close(jobs->now.log, NULL, NULL, NULL);
    gm_import_close(jobs->now.import);
    gm_deletion_close(jobs->now.deletion);
    if (jobs->options.io != NULL) jobs->options.io->close(jobs->now.input);
    json_decref(jobs->ending);
    while (jobs->count > 0) drop(jobs, &jobs->jobs[jobs->count - 1]);
    gm_free(jobs->options.alloc, jobs->jobs);
    gm_free(jobs->options.alloc, jobs->dir);
    gm_free(jobs->options.alloc, jobs);
}
