// GET /v1/marks: what happened within a stretch of time: one by one, or counted in equal buckets for a time bar, so that a hundred
// thousand cost a page of the size of the screen.
#include "api/marks/marks.h"

#include "api/live.h"
#include "api/paging.h"
#include "api/routes.h"
#include "control/alarms.h"

enum { BUCKETS_MAX = 4000, EXAMPLES_MAX = 3, PAGE_MAX = 1000, PAGE = 100 };

typedef struct wanted {
    gm_time_ns from, to;
    bool       kinds[GM_MARK_KIND_COUNT];
    int        priority;  // of alarms, at least
    bool       one;
    gm_twin    twin;
} wanted;

// "alarm,command": those alone.
static bool read_kinds(gm_request *request, wanted *out)
{
    gm_str text, one;
    if (!gm_request_parameter(request, "kind", &text)) return false;
    for (int k = 0; k < GM_MARK_KIND_COUNT; k++) out->kinds[k] = text.ptr == NULL;
    while (text.ptr != NULL && gm_str_next(&text, ',', &one)) {
        gm_mark_kind kind;
        if (!gm_mark_kind_of(one, &kind)) {
            gm_reply_error(request, 400, "InvalidArgument", "The parameter 'kind' is alarm, anomaly, command, event, letter, or several with commas between.");
            return false;
        }
        out->kinds[kind] = true;
    }
    return true;
}

static bool read_wanted(gm_request *request, wanted *out)
{
    gm_str            id, priority;
    gm_alarm_priority least = GM_PRIORITY_LOW;
    *out = (wanted){ .twin = { GM_NONE } };
    if (!gm_request_time(request, "from", GM_TIME_MIN, &out->from) || !gm_request_time(request, "to", GM_TIME_MAX, &out->to) || !read_kinds(request, out) ||
        !gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "priority", &priority)) return false;
    if (priority.ptr != NULL && !gm_alarm_priority_of(priority, &least)) {
        gm_reply_error(request, 400, "InvalidArgument", "The parameter 'priority' is low, medium, high or critical.");
        return false;
    }
    if (out->from >= out->to) {
        gm_reply_error(request, 400, "InvalidArgument", "The parameter 'from' is before 'to'.");
        return false;
    }
    out->priority = (int)least;
    out->one      = id.ptr != NULL;
    out->twin     = out->one ? gm_api_find(request, id) : out->twin;
    if (out->one && !gm_twin_ok(out->twin)) gm_api_no_twin(request, id);
    return !out->one || gm_twin_ok(out->twin);
}

// What belongs to no twin is the whole plant's.
static bool is_wanted(const gm_request *request, const wanted *w, const gm_happening *m)
{
    if (m->at < w->from || m->at >= w->to || !w->kinds[m->kind]) return false;
    if (w->one && m->twin.v != w->twin.v) return false;
    if (m->kind == GM_MARK_ALARM && m->priority < w->priority) return false;
    return !gm_principal_scoped(request->principal) || (gm_twin_ok(m->twin) && gm_api_sees(request, m->twin));
}

static void write_mark(gm_buf *out, const gm_happening *m, size_t before)
{
    gm_buf_printf(out, "%s{\"kind\":\"%s\"", before > 0 ? "," : "", gm_mark_kind_name(m->kind));
    gm_live_time(out, "time", m->at);
    gm_live_member(out, "twin", m->id);
    gm_live_member(out, "name", m->name);
    if (m->kind == GM_MARK_ALARM) gm_live_member(out, "priority", gm_str_of(gm_alarm_priority_name((gm_alarm_priority)m->priority)));
    gm_buf_printf(out, ",\"sequence\":%llu}", (unsigned long long)m->sequence);
}

// ---- one by one ---------------------------------------------------------------------------------------------------

// The newest first. A page goes on below the sequence of the last: what comes meanwhile moves nothing.
static void list(gm_request *request, const wanted *w)
{
    const gm_marks *marks = request->api->marks;
    uint64_t        size, below, last = 0;
    size_t          written = 0, i = gm_marks_count(marks);
    if (!gm_request_number(request, "limit", 1, PAGE_MAX, PAGE, &size) || !gm_page_position(request, GM_STR("marks"), &below)) return;
    gm_buf_text(&request->out, "{\"items\":[");
    for (; i > 0; i--) {
        gm_happening m = gm_marks_at(marks, i - 1);
        if ((below != 0 && m.sequence >= below) || !is_wanted(request, w, &m)) continue;
        if (written == size) break;
        write_mark(&request->out, &m, written++);
        last = m.sequence;
    }
    gm_buf_byte(&request->out, ']');
    if (i > 0) gm_page_next(request, GM_STR("marks"), last);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

// ---- counted ------------------------------------------------------------------------------------------------------

typedef struct bucket {
    uint32_t count;
    uint8_t  worst, examples;
    uint32_t example[EXAMPLES_MAX];  // numbers of marks: the most urgent first, of equals the newest
} bucket;

static void count_in(bucket *b, const gm_marks *marks, uint32_t i, const gm_happening *m, uint32_t examples)
{
    if (m->priority > b->worst) b->worst = m->priority;
    b->count++;
    uint32_t at = 0;
    while (at < b->examples && gm_marks_at(marks, b->example[at]).priority >= m->priority) at++;
    if (at >= examples) return;
    if (b->examples < examples) b->examples++;
    for (uint32_t k = b->examples - 1; k > at; k--) b->example[k] = b->example[k - 1];
    b->example[at] = i;
}

static void write_bucket(gm_request *request, const wanted *w, const bucket *b, uint64_t number, uint64_t n, gm_mark_kind kind)
{
    gm_buf    *out   = &request->out;
    gm_time_ns begin = w->from + (gm_time_ns)((double)(w->to - w->from) * (double)number / (double)n);
    gm_buf_printf(out, "{\"bucket\":%llu", (unsigned long long)number);
    gm_live_time(out, "begin", begin);
    gm_buf_printf(out, ",\"kind\":\"%s\",\"count\":%u", gm_mark_kind_name(kind), b->count);
    if (kind == GM_MARK_ALARM) gm_live_member(out, "worst", gm_str_of(gm_alarm_priority_name((gm_alarm_priority)b->worst)));
    if (b->examples > 0) gm_buf_text(out, ",\"examples\":[");
    for (uint32_t e = 0; e < b->examples; e++) {
        gm_happening m = gm_marks_at(request->api->marks, b->example[e]);
        write_mark(out, &m, e);
    }
    gm_buf_text(out, b->examples > 0 ? "]}" : "}");
}

// From the oldest that is kept to now, unless it is said otherwise.
static void bound(gm_request *request, wanted *w)
{
    gm_time_ns now = gm_api_now(request), first = now;
    for (size_t i = 0; w->from == GM_TIME_MIN && i < gm_marks_count(request->api->marks); i++) {
        gm_happening m = gm_marks_at(request->api->marks, i);
        if (m.at < first && is_wanted(request, w, &m)) first = m.at;
    }
    if (w->to == GM_TIME_MAX) w->to = now + 1;
    if (w->from == GM_TIME_MIN) w->from = first < w->to ? first : w->to - 1;
}

static void count(gm_request *request, wanted *w, uint64_t n)
{
    const gm_marks *marks = request->api->marks;
    uint64_t        examples, total = 0, written = 0;
    if (!gm_request_number(request, "examples", 0, EXAMPLES_MAX, 0, &examples)) return;
    bucket *buckets = gm_arena_zeroed(request->arena, n * GM_MARK_KIND_COUNT, sizeof *buckets);
    if (buckets == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    bound(request, w);
    double scale = (double)n / (double)(w->to - w->from);
    for (size_t i = gm_marks_count(marks); i-- > 0;) {
        gm_happening m = gm_marks_at(marks, i);
        if (!is_wanted(request, w, &m)) continue;
        uint64_t at = (uint64_t)((double)(m.at - w->from) * scale);
        count_in(&buckets[(at < n ? at : n - 1) * GM_MARK_KIND_COUNT + m.kind], marks, (uint32_t)i, &m, (uint32_t)examples);
        total++;
    }
    gm_buf *out = &request->out;
    gm_buf_printf(out, "{\"buckets\":%llu", (unsigned long long)n);
    gm_live_time(out, "from", w->from);
    gm_live_time(out, "to", w->to);
    gm_buf_printf(out, ",\"total\":%llu,\"items\":[", (unsigned long long)total);
    for (uint64_t b = 0; b < n * GM_MARK_KIND_COUNT; b++) {
        if (buckets[b].count == 0) continue;
        if (written++ > 0) gm_buf_byte(out, ',');
        write_bucket(request, w, &buckets[b], b / GM_MARK_KIND_COUNT, n, (gm_mark_kind)(b % GM_MARK_KIND_COUNT));
    }
    gm_buf_byte(out, ']');
    // Older ones have made way: whoever looks further back knows that he does not see all.
    bool whole = !gm_principal_scoped(request->principal);
    if (whole && gm_marks_total(marks) > gm_marks_count(marks)) gm_live_time(out, "oldest", gm_marks_at(marks, 0).at);
    gm_buf_byte(out, '}');
    gm_reply_json(request, 200);
}

void gm_route_marks(gm_request *request)
{
    uint64_t buckets;
    wanted   w;
    if (!gm_request_number(request, "buckets", 1, BUCKETS_MAX, 0, &buckets) || !read_wanted(request, &w)) return;
    if (buckets > 0) count(request, &w, buckets);
    else list(request, &w);
}
