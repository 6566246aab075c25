#include "api/events/courier.h"

#include "base/buf.h"
#include "base/percent.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WINDOW       = 2048,         // letters from the front that are looked at for something to send
    BLOCKED      = 4096,         // slots of the set of twins that have to wait; a power of two above WINDOW
    DEAD_MAX     = 64 << 20,     // bytes of a file of dead letters; then it is put aside once
    PARALLEL_MAX = 256,
    TICK_MS      = 500
};
#define PAUSE_MAX (60 * GM_SECOND)

typedef struct parcel parcel;
typedef struct post   post;

struct parcel {  // a letter on its way
    parcel   *previous, *next;
    post     *post;
    uint64_t  sequence, twin;
    gm_dur_ns taken, due;     // monotonic: when it was first tried, when it may be tried again
    uint32_t  attempts;
    CURL     *request;        // NULL: not in flight
    struct curl_slist *headers;
    char      why[CURL_ERROR_SIZE];
    gm_str    text;           // the poster's
};

struct post {  // an endpoint
    const gm_endpoint_options *options;
    // ---- guarded by lock
    parcel           *in_first, *in_last;   // posted, not yet taken over
    uint64_t          done;                 // endpoints that others serve
    gm_endpoint_stats stats;
    // ---- worker's own
    parcel  *first, *last;
    uint32_t in_flight;
    uint64_t saved;
    bool     save_failed;
};

struct gm_courier {
    gm_courier_options options;
    post              *posts;
    pthread_mutex_t    lock;
    pthread_t          thread;
    bool               locked, started;
    bool               stop;        // guarded by lock
    uint64_t           seen;        // guarded by lock
    CURLM             *multi;
    char              *dir;         // options.dir
    uint64_t           blocked[BLOCKED];   // worker's own: twins, 0 = empty
    gm_dur_ns          saved_at;
};

// ---- cursors and dead letters ---------------------------------------------------------------------------------------

static void path_of(const gm_courier *c, const post *p, const char *ending, gm_buf *out)
{
    gm_buf_text(out, c->options.dir);
    gm_buf_byte(out, '/');
    gm_percent_encode(out, p->options->name);
    gm_buf_add(out, ending, strlen(ending) + 1);
}

static gm_status read_cursor(gm_courier *c, post *p, gm_error *err)
{
    gm_buf    path  = gm_buf_init(c->options.alloc);
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_error  why   = { 0 };
    gm_status st    = GM_NOMEM;
    path_of(c, p, ".cursor", &path);
    if (!path.failed) st = gm_io_read_file(c->options.io, (const char *)path.ptr, 64, &bytes, &size, &why);
    if (st == GM_OK) p->saved = p->done = p->stats.cursor = strtoull((const char *)bytes, NULL, 10);
    if (st == GM_NOTFOUND) st = GM_OK;
    else if (st != GM_OK && err != NULL) *err = why;
    gm_free(c->options.io->alloc, bytes);
    gm_buf_finish(&path);
    return st;
}

static void save_cursor(gm_courier *c, post *p, uint64_t cursor)
{
    if (c->options.dir == NULL || cursor == p->saved) return;
    gm_buf   path = gm_buf_init(c->options.alloc);
    char     text[32];
    gm_error err = { 0 };
    path_of(c, p, ".cursor", &path);
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)cursor);
    bool failed = path.failed ||
                  gm_io_replace_file(c->options.io, (const char *)path.ptr, text, (size_t)n, &err) != GM_OK;
    if (!failed) p->saved = cursor;
    gm_buf_finish(&path);
    if (failed == p->save_failed) return;
    p->save_failed = failed;
    pthread_mutex_lock(&c->lock);
    snprintf(p->stats.last_error, sizeof p->stats.last_error, "%s", failed ? err.text : "");
    pthread_mutex_unlock(&c->lock);
}

// Appends one line to the endpoint's file of dead letters, and syncs it: then the cursor may pass the event.
static bool bury_in_file(gm_courier *c, post *p, gm_str line)
{
    const gm_io *io   = c->options.io;
    gm_buf       path = gm_buf_init(c->options.alloc), aside = gm_buf_init(c->options.alloc);
    gm_file     *file = NULL;
    uint64_t     size = 0;
    gm_error     err  = { 0 };
    path_of(c, p, ".dead.ndjson", &path);
    path_of(c, p, ".dead.1.ndjson", &aside);
    gm_status st =
        path.failed || aside.failed ? GM_NOMEM : io->open(io, (const char *)path.ptr, GM_OPEN_WRITE, &file, &err);
    if (st == GM_NOTFOUND) st = io->open(io, (const char *)path.ptr, GM_OPEN_CREATE, &file, &err);
    if (st == GM_OK) st = io->size(file, &size, &err);
    if (st == GM_OK) st = io->write(file, size, line.ptr, line.len, &err);
    if (st == GM_OK) st = io->sync(file, &err);
    io->close(file);
    if (st == GM_OK && size + line.len > DEAD_MAX)
        st = io->rename(io, (const char *)path.ptr, (const char *)aside.ptr, &err);
    gm_buf_finish(&path);
    gm_buf_finish(&aside);
    return st == GM_OK;
}

static void unlink_parcel(post *p, parcel *it)
{
    if (it->previous != NULL) it->previous->next = it->next;
    else p->first = it->next;
    if (it->next != NULL) it->next->previous = it->previous;
    else p->last = it->previous;
}

static void count(gm_courier *c, post *p, uint64_t delivered, uint64_t failed, uint64_t dead, const char *why)
{
    pthread_mutex_lock(&c->lock);
    p->stats.delivered += delivered;
    p->stats.attempts_failed += failed;
    p->stats.dead += dead;
    p->stats.waiting -= delivered + dead;
    if (why != NULL) snprintf(p->stats.last_error, sizeof p->stats.last_error, "%s", why);
    pthread_mutex_unlock(&c->lock);
}

static void write_dead(gm_courier *c, const post *p, const parcel *it, const char *why, gm_buf *out)
{
    char time[GM_TIME_TEXT];
    gm_time_format(gm_now(c->options.clock), time);
    gm_buf_printf(out, "{\"time\":\"%s\",\"endpoint\":", time);
    gm_buf_json_str(out, p->options->name);
    gm_buf_text(out, ",\"reason\":");
    gm_buf_json_str(out, gm_str_of(why));
    gm_buf_printf(out, ",\"attempts\":%u,\"event\":", it->attempts);
    gm_buf_str(out, it->text);
    gm_buf_text(out, "}\n");
}

static void bury(gm_courier *c, post *p, parcel *it, const char *why)
{
    gm_buf line = gm_buf_init(c->options.alloc);
    write_dead(c, p, it, why, &line);
    bool buried = c->options.dir == NULL || (!line.failed && bury_in_file(c, p, gm_buf_view(&line)));
    gm_buf_finish(&line);
    if (!buried) {  // keeps (2): it stays, and is tried again
        it->due = gm_monotonic(c->options.clock) + PAUSE_MAX;
        return;
    }
    unlink_parcel(p, it);
    free(it);
    count(c, p, 0, 0, 1, why);
}

// ---- sending --------------------------------------------------------------------------------------------------------

// The set of twins that have to wait, made anew for every look at a queue. True: it was there already.
static bool block(gm_courier *c, uint64_t twin)
{
    uint64_t key = twin | 1;
    size_t   at  = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (BLOCKED - 1);
    while (c->blocked[at] != 0 && c->blocked[at] != key) at = (at + 1) & (BLOCKED - 1);
    bool there     = c->blocked[at] == key;
    c->blocked[at] = key;
    return there;
}

static size_t drop_answer(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes, (void)context;
    return size * n;
}

static bool send_parcel(gm_courier *c, post *p, parcel *it)
{
    char  header[1200];
    CURL *request = curl_easy_init();
    if (request == NULL) return false;
    it->headers = curl_slist_append(NULL, "Content-Type: application/cloudevents+json; charset=utf-8");
    if (p->options->authorization.len > 0 && it->headers != NULL) {
        snprintf(header, sizeof header, "Authorization: " GM_STR_FMT, GM_STR_ARG(p->options->authorization));
        struct curl_slist *more = curl_slist_append(it->headers, header);
        if (more != NULL) it->headers = more;
    }
    char url[2048];
    snprintf(url, sizeof url, GM_STR_FMT, GM_STR_ARG(p->options->url));
    it->why[0] = '\0';
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(request, CURLOPT_POST, 1L);
    curl_easy_setopt(request, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)it->text.len);
    curl_easy_setopt(request, CURLOPT_POSTFIELDS, it->text.ptr);
    curl_easy_setopt(request, CURLOPT_HTTPHEADER, it->headers);
    curl_easy_setopt(request, CURLOPT_USERAGENT, "gemel");
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_NOPROXY, "127.0.0.1,localhost");
    curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, (long)(p->options->timeout / GM_MILLISECOND));
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, drop_answer);
    curl_easy_setopt(request, CURLOPT_ERRORBUFFER, it->why);
    curl_easy_setopt(request, CURLOPT_PRIVATE, it);
    if (curl_multi_add_handle(c->multi, request) != CURLM_OK) {
        curl_easy_cleanup(request);
        curl_slist_free_all(it->headers);
        it->headers = NULL;
        return false;
    }
    if (it->attempts++ == 0) it->taken = gm_monotonic(c->options.clock);
    it->request = request;
    p->in_flight++;
    return true;
}

// Sends what may be sent. Keeps (1): a twin with a letter ahead in the queue waits, whether that one flies or pauses.
static void send_some(gm_courier *c, post *p, gm_dur_ns now, gm_dur_ns *next_due)
{
    if (p->first == NULL) return;
    memset(c->blocked, 0, sizeof c->blocked);
    size_t looked = 0;
    for (parcel *it = p->first; it != NULL && looked < WINDOW && p->in_flight < p->options->parallel;
         it         = it->next, looked++) {
        if (block(c, it->twin) || it->request != NULL) continue;
        if (it->due > now) {
            if (it->due < *next_due) *next_due = it->due;
        } else if (!send_parcel(c, p, it)) {
            return;
        }
    }
}

static void end_request(gm_courier *c, parcel *it)
{
    if (it->request == NULL) return;
    curl_multi_remove_handle(c->multi, it->request);
    curl_easy_cleanup(it->request);
    curl_slist_free_all(it->headers);
    it->request = NULL;
    it->headers = NULL;
    it->post->in_flight--;
}

static void answered(gm_courier *c, parcel *it, CURLcode result)
{
    post *p    = it->post;
    long  code = 0;
    char  why[CURL_ERROR_SIZE + 64];
    curl_easy_getinfo(it->request, CURLINFO_RESPONSE_CODE, &code);
    if (result != CURLE_OK) snprintf(why, sizeof why, "%s", it->why[0] != '\0' ? it->why : curl_easy_strerror(result));
    else snprintf(why, sizeof why, "answered %ld", code);
    end_request(c, it);
    if (result == CURLE_OK && code >= 200 && code < 300) {
        unlink_parcel(p, it);
        free(it);
        count(c, p, 1, 0, 0, NULL);
        return;
    }
    count(c, p, 0, 1, 0, why);
    gm_dur_ns now = gm_monotonic(c->options.clock);
    // Whoever says that the event itself is wrong will say so for ever.
    if (result == CURLE_OK && (code == 400 || code == 413)) {
        bury(c, p, it, why);
    } else if (now - it->taken >= p->options->retry_for) {
        bury(c, p, it, why);
    } else {
        uint32_t  doubled = it->attempts < 20 ? it->attempts - 1 : 20;
        gm_dur_ns pause   = p->options->retry_first << doubled;
        it->due           = now + (pause < PAUSE_MAX && pause > 0 ? pause : PAUSE_MAX);
    }
}

// True: something was answered, so something else may be sent.
static bool hear_answers(gm_courier *c)
{
    int  running, left;
    bool any = false;
    curl_multi_perform(c->multi, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(c->multi, &left)) != NULL;) {
        parcel *it = NULL;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &it);
        answered(c, it, message->data.result);
        any = true;
    }
    return any;
}

// ---- the thread -----------------------------------------------------------------------------------------------------

// Takes over what was posted. The cursor follows: it stands before the first letter that is left.
static bool take_posted(gm_courier *c)
{
    pthread_mutex_lock(&c->lock);
    bool stop = c->stop;
    for (size_t i = 0; i < c->options.endpoint_count; i++) {
        post *p = &c->posts[i];
        if (p->in_first != NULL) {
            p->in_first->previous = p->last;
            if (p->last != NULL) p->last->next = p->in_first;
            else p->first = p->in_first;
            p->last     = p->in_last;
            p->in_first = p->in_last = NULL;
        }
        if (p->options->kind != GM_ENDPOINT_WEBHOOK) p->stats.cursor = p->done;
        else if (p->first != NULL) p->stats.cursor = p->first->sequence - 1;
        else if (c->seen > p->stats.cursor) p->stats.cursor = c->seen;
    }
    pthread_mutex_unlock(&c->lock);
    return !stop;
}

// More than the queue may hold: the newest go, so that order is kept among those that stay. One write for all of them.
static void bury_overflow(gm_courier *c, post *p)
{
    static const char why[] = "too many events wait for this endpoint";
    pthread_mutex_lock(&c->lock);
    uint64_t waiting = p->stats.waiting, dead = 0;
    pthread_mutex_unlock(&c->lock);
    if (waiting <= p->options->queue) return;
    gm_buf  lines = gm_buf_init(c->options.alloc);
    parcel *keep  = p->last;
    for (; dead < waiting - p->options->queue && keep != NULL && keep->request == NULL && lines.len < DEAD_MAX / 16;
         dead++) {
        write_dead(c, p, keep, why, &lines);
        keep = keep->previous;
    }
    bool buried = c->options.dir == NULL || (!lines.failed && bury_in_file(c, p, gm_buf_view(&lines)));
    while (buried && p->last != keep) {
        parcel *it = p->last;
        unlink_parcel(p, it);
        free(it);
    }
    gm_buf_finish(&lines);
    if (buried) count(c, p, 0, 0, dead, why);
}

static void save_cursors(gm_courier *c)
{
    for (size_t i = 0; i < c->options.endpoint_count; i++) {
        pthread_mutex_lock(&c->lock);
        uint64_t cursor = c->posts[i].stats.cursor;
        pthread_mutex_unlock(&c->lock);
        save_cursor(c, &c->posts[i], cursor);
    }
}

static void *run(void *context)
{
    gm_courier *c = context;
    while (take_posted(c)) {
        gm_dur_ns now = gm_monotonic(c->options.clock), next = now + TICK_MS * GM_MILLISECOND;
        for (size_t i = 0; i < c->options.endpoint_count; i++) {
            if (c->posts[i].options->kind != GM_ENDPOINT_WEBHOOK) continue;
            bury_overflow(c, &c->posts[i]);
            send_some(c, &c->posts[i], now, &next);
        }
        bool again = hear_answers(c);
        if (now - c->saved_at > GM_SECOND) {
            save_cursors(c);
            c->saved_at = now;
        }
        int wait_ms = (int)((next - now) / GM_MILLISECOND) + 1;
        if (!again) curl_multi_poll(c->multi, NULL, 0, wait_ms, NULL);
    }
    for (size_t i = 0; i < c->options.endpoint_count; i++) {
        for (parcel *it = c->posts[i].first; it != NULL; it = it->next) end_request(c, it);
    }
    save_cursors(c);
    return NULL;
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

gm_status gm_courier_create(const gm_courier_options *options, gm_courier **out_courier, gm_error *err)
{
    *out_courier  = NULL;
    gm_courier *c = gm_alloc_zeroed(options->alloc, sizeof *c);
    if (c == NULL) return gm_fail(err, GM_NOMEM, "api.events", "starting the courier of events");
    gm_status st = GM_OK;
    c->options   = *options;
    c->posts     = gm_alloc_zeroed(options->alloc, (options->endpoint_count + 1) * sizeof *c->posts);
    c->locked    = pthread_mutex_init(&c->lock, NULL) == 0;
    if (c->posts == NULL || !c->locked) st = gm_fail(err, GM_NOMEM, "api.events", "starting the courier of events");
    if (st == GM_OK && options->dir != NULL) {
        size_t size = strlen(options->dir) + 1;
        c->dir = gm_alloc_bytes(options->alloc, size);
        if (c->dir != NULL) memcpy(c->dir, options->dir, size);
        c->options.dir = c->dir;
        st = c->dir != NULL ? options->io->make_dir(options->io, c->dir, err)
                            : gm_fail(err, GM_NOMEM, "api.events", "starting the courier of events");
    }
    for (size_t i = 0; st == GM_OK && i < options->endpoint_count; i++) {
        c->posts[i].options = &options->endpoints[i];
        if (options->dir != NULL) st = read_cursor(c, &c->posts[i], err);
    }
    if (st == GM_OK) *out_courier = c;
    else gm_courier_destroy(c);
    return st;
}

gm_status gm_courier_start(gm_courier *c, gm_error *err)
{
    if (c->options.endpoint_count == 0) return GM_OK;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (c->multi = curl_multi_init()) == NULL) {
        return gm_fail(err, GM_NOMEM, "api.events", "starting the courier of events");
    }
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        return gm_fail(err, GM_IO, "api.events", "no thread for the courier of events");
    }
    c->started = true;
    return GM_OK;
}

static void free_parcels(parcel *it)
{
    while (it != NULL) {
        parcel *next = it->next;
        free(it);
        it = next;
    }
}

void gm_courier_destroy(gm_courier *c)
{
    if (c == NULL) return;
    if (c->started) {
        pthread_mutex_lock(&c->lock);
        c->stop = true;
        pthread_mutex_unlock(&c->lock);
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
    }
    for (size_t i = 0; c->posts != NULL && i < c->options.endpoint_count; i++) {
        free_parcels(c->posts[i].first);
        free_parcels(c->posts[i].in_first);
    }
    if (c->multi != NULL) curl_multi_cleanup(c->multi);
    if (c->locked) pthread_mutex_destroy(&c->lock);
    gm_free(c->options.alloc, c->posts);
    gm_free(c->options.alloc, c->dir);
    gm_free(c->options.alloc, c);
}

// ---- engine thread --------------------------------------------------------------------------------------------------

uint64_t gm_courier_cursor(const gm_courier *c, size_t endpoint) { return c->posts[endpoint].saved; }

gm_status gm_courier_post(gm_courier *c, size_t endpoint, const gm_letter *letter)
{
    assert(endpoint < c->options.endpoint_count);
    // malloc itself: letters are made on one thread and freed on another, by the million.
    parcel *it = calloc(1, sizeof *it);
    if (it == NULL) return GM_NOMEM;
    post *p      = &c->posts[endpoint];
    it->post     = p;
    it->sequence = letter->sequence;
    it->twin     = letter->twin;
    it->text     = letter->text;
    pthread_mutex_lock(&c->lock);
    // Twice the queue wait, so not even the file of dead letters keeps up: memory comes first, and it is counted.
    if (p->stats.waiting >= 2 * (uint64_t)p->options->queue + 1000) {
        p->stats.dead++;
        snprintf(p->stats.last_error, sizeof p->stats.last_error,
                 "events come faster than dead letters can be written");
        pthread_mutex_unlock(&c->lock);
        free(it);
        return GM_LIMIT;
    }
    it->previous = p->in_last;
    if (p->in_last != NULL) p->in_last->next = it;
    else p->in_first = it;
    p->in_last = it;
    p->stats.accepted++;
    p->stats.waiting++;
    pthread_mutex_unlock(&c->lock);
    return GM_OK;
}

void gm_courier_seen(gm_courier *c, uint64_t sequence)
{
    pthread_mutex_lock(&c->lock);
    c->seen     = sequence;
    bool posted = false;
    for (size_t i = 0; i < c->options.endpoint_count; i++) posted |= c->posts[i].in_first != NULL;
    pthread_mutex_unlock(&c->lock);
    if (posted && c->started) curl_multi_wakeup(c->multi);
}

void gm_courier_done(gm_courier *c, size_t endpoint, uint64_t sequence)
{
    pthread_mutex_lock(&c->lock);
    c->posts[endpoint].done = sequence;
    pthread_mutex_unlock(&c->lock);
}

gm_endpoint_stats gm_courier_statistics(gm_courier *c, size_t endpoint)
{
    pthread_mutex_lock(&c->lock);
    gm_endpoint_stats stats = c->posts[endpoint].stats;
    pthread_mutex_unlock(&c->lock);
    return stats;
}
