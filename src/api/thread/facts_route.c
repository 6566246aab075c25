// GET /v1/thread/{id}: what is said of a twin, at any (valid, known), filtered, the newest first, a page at a time.
#include "api/held.h"
#include "api/paging.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "thread/listing.h"

enum { PAGE = 1000, PAGE_MOST = 10000, FIND_MOST = 200, A_TURN = 5000 };

typedef struct reading {
    gm_held           held;
    gm_request       *request;
    gm_thread_listing l;
    gm_str            list;  // what is listed, for tokens
} reading;

static bool shows(const void *context, const gm_fact *fact) { return gm_life_shows(context, fact); }

// ---- what is asked --------------------------------------------------------------------------------------------------

static bool read_phases(gm_request *request, uint32_t *out)
{
    gm_str   name;
    gm_phase phase;
    size_t   at = 0;
    for (;;) {
        if (!gm_request_next_parameter(request, "phase", &at, &name)) return false;
        if (name.ptr == NULL) return true;
        if (name.len == 0) continue;
        if (!gm_phase_of(name, &phase)) {
            gm_reply_error(request, 400, "InvalidArgument", "'phase' is one of as-designed, as-built, as-operated, maintained, decommissioned.");
            return false;
        }
        *out |= 1U << phase;
    }
}

static bool read_find(gm_request *request, gm_str *out)
{
    gm_str text;
    if (!gm_request_parameter(request, "find", &text)) return false;
    if (text.len > FIND_MOST) {
        gm_reply_error(request, 400, "InvalidArgument", "'find' has at most %d bytes.", FIND_MOST);
        return false;
    }
    *out = gm_arena_lower(request->arena, text);
    if (text.len == 0 || out->ptr != NULL) return true;
    gm_reply_failure(request, GM_NOMEM, NULL);
    return false;
}

static bool read_asked(gm_request *request, reading *r)
{
    gm_life_times times;
    gm_str        all;
    uint64_t      limit, position;
    if (!gm_life_id(request, &r->l.twin) || !gm_life_read_times(request, &times) || !read_phases(request, &r->l.phases) || !gm_request_parameter(request, "key", &r->l.key) ||
        !read_find(request, &r->l.find) || !gm_request_parameter(request, "history", &all) || !gm_request_number(request, "limit", 1, PAGE_MOST, PAGE, &limit)) return false;
    r->l.valid   = times.valid;
    r->l.known   = times.known;
    r->l.history = gm_str_is(all, "true");
    r->l.limit   = (uint32_t)limit;
    r->list      = gm_arena_printf(request->arena, "facts of " GM_STR_FMT " %d %u " GM_STR_FMT " " GM_STR_FMT, GM_STR_ARG(r->l.twin), r->l.history, r->l.phases, GM_STR_ARG(r->l.key), GM_STR_ARG(r->l.find));
    if (!gm_page_position(request, r->list, &position)) return false;
    r->l.after = position > 0 && position <= UINT32_MAX ? (uint32_t)(position - 1) : GM_LISTING_FIRST;
    return true;
}

// ---- the answer -----------------------------------------------------------------------------------------------------

static void write_facts(reading *r)
{
    gm_buf  *out     = &r->request->out;
    uint32_t written = 0;
    gm_life_write_head(r->request, r->l.twin);
    for (uint32_t i = 0; i < r->l.count; i++) {
        gm_fact fact;
        bool    holds;
        if (!gm_thread_list_fact(gm_life_thread(r->request), &r->l, i, &fact, &holds)) continue;
        if (written++ > 0) gm_buf_byte(out, ',');
        gm_fact_write(&fact, out);
        if (!r->l.history || out->len == 0) continue;
        out->len--;  // one member more
        gm_buf_printf(out, ",\"holds\":%s}", holds ? "true" : "false");
    }
    gm_buf_printf(out, "],\"count\":%llu,\"said\":%llu", (unsigned long long)r->l.fits, (unsigned long long)r->l.said);
    if (r->l.more && r->l.count > 0) gm_page_next(r->request, r->list, (uint64_t)r->l.rows[r->l.count - 1] + 1);
    gm_buf_byte(out, '}');
    gm_reply_json(r->request, 200);
}

static bool read_on(void *context, gm_dur_ns *pause)
{
    reading         *r      = context;
    const gm_thread *thread = gm_life_thread(r->request);
    *pause = 0;
    if (gm_thread_list_some(thread, &r->l, A_TURN)) return true;
    gm_thread_list_end(thread, &r->l);
    write_facts(r);
    return false;
}

static void nothing_to_free(void *context) { (void)context; }

void gm_route_thread_get(gm_request *request)
{
    gm_dur_ns pause;
    gm_error  err = { 0 };
    reading  *r   = gm_arena_zeroed(request->arena, 1, sizeof *r);
    if (r == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    r->request = request;
    if (!read_asked(request, r)) return;
    r->l.shows    = gm_principal_scoped(request->principal) ? shows : NULL;
    r->l.context  = request;
    r->l.rows     = GM_ARENA_NEW(request->arena, uint32_t, r->l.limit);
    gm_status st  = r->l.rows != NULL ? gm_thread_list_begin(gm_life_thread(request), &r->l, &err) : gm_fail(&err, GM_NOMEM, "api.thread", "reading facts");
    // Most twins have few facts: these are answered at once.
    if (st == GM_OK && read_on(r, &pause)) st = gm_held_begin(&r->held, request, read_on, nothing_to_free, r, &err);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
}
