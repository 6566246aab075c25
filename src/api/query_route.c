// POST /query: a question in the query language, answered a page at a time. AS OF: from a state built as it was, which is kept for
// the pages that follow.
// LIMIT: the first page of such an answer builds it on the engine thread; hence the bound on twins.
#include "api/held.h"
#include "api/rollup_sight.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "engine/past_states.h"
#include "query/query.h"

// A long question is asked in slices, so that others have their turn on the engine thread in between: about so many
// rows and relationships at a time, and slices until the time is up. (ORDER BY and GROUP BY run to their end in one.)
enum { PAGE = 100, SLICE_WORK = 50000, PAST_TWINS = 200000 };
#define SLICE GM_MILLISECOND

static gm_str text_member(const json_t *body, const char *key)
{
    const json_t *text = json_object_get(body, key);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

static bool read_body(gm_request *request, gm_str *out_query, gm_str *out_token)
{
    const json_t *body = gm_request_json(request);
    if (body == NULL) return false;
    const json_t *token = json_object_get(body, "continuationToken");
    *out_query          = text_member(body, "query");
    *out_token          = text_member(body, "continuationToken");
    if (!json_is_object(body) || !json_is_string(json_object_get(body, "query"))) {
        gm_reply_error(
            request, 400, "InvalidArgument",
            "The body is an object with a text 'query', such as {\"query\":\"SELECT * FROM DIGITALTWINS\"}.");
        return false;
    }
    if (token != NULL && !json_is_null(token) && !json_is_string(token)) {
        gm_reply_error(request, 400, "BadRequest", "The continuation token is invalid.");
        return false;
    }
    return true;
}

static void reply_query_error(gm_request *request, gm_status st, const gm_error *err)
{
    if (st != GM_INVALID && st != GM_LIMIT) {
        gm_reply_failure(request, st, err);
    } else if (err->line > 0) {
        gm_reply_error(request, 400, "SqlQueryError", "SQL query parse failed: Line=%u, Position=%u, Message=%s",
                       err->line, err->column, err->text);
    } else {
        gm_reply_error(request, 400, "SqlQueryError", "SQL query failed: %s", err->text);
    }
}

typedef struct asking {
    gm_held     held;
    gm_request *request;
    gm_query   *query;
    char        token[GM_QUERY_TOKEN_MAX];  // where the next slice goes on; at first, what the client gave
    bool        given;                      // the client's own token is still to be read
    uint32_t    left, items;                // rows that the page still has room for; rows in it
    double      charge;
} asking;

static void reply_page(asking *a)
{
    gm_request *request = a->request;
    gm_buf_byte(&request->out, ']');
    if (a->token[0] != '\0') {
        gm_buf_text(&request->out, ",\"continuationToken\":");
        gm_buf_json_str(&request->out, gm_str_of(a->token));
    }
    gm_buf_byte(&request->out, '}');
    gm_reply_header(request, "query-charge", "%.2f", a->charge < 1 ? 1 : a->charge);  // the asking itself
    gm_reply_json(request, 200);
}

// The present, or with AS OF a state as it was: made anew for the first page, so that it has all that is known by now.
static gm_status run(asking *a, gm_query_page *page, gm_error *err)
{
    gm_request *request = a->request;
    gm_time_ns  time;
    if (!gm_query_as_of(a->query, &time))
        return gm_query_run(a->query, gm_api_state(request), page, &request->out, err);
    const gm_state *past;
    gm_fence        fence;
    bool            kept;
    gm_past_how     how = a->token[0] == '\0' ? GM_PAST_FRESH : GM_PAST_KEPT;
    page->past          = true;
    if (page->fence != NULL) {  // who is kept to some twins sees those that he sees today
        fence       = *page->fence;
        fence.shows = NULL;
        page->fence = &fence;
    }
    gm_status st = gm_past_states_take(gm_engine_past_states(request->engine), time, how, PAST_TWINS, &past, &kept, err);
    if (st != GM_OK) return st;
    if (!kept) page->work_max = 0;  // it does not outlive this slice
    return gm_query_run(a->query, past, page, &request->out, err);
}

// One slice. True: the page is whole, or refused; it is answered.
static bool ask_slice(asking *a)
{
    gm_request   *request = a->request;
    gm_query_page page    = {
           .fence = gm_api_fence(request), .items_max = a->left, .token = gm_str_of(a->token), .work_max = SLICE_WORK
    };
    gm_query_facts facts  = { .read = gm_life_read_value, .context = request, .now = gm_api_now(request) };
    gm_rollup_sight sight;
    gm_rollup_sight_open(&sight, request);
    facts.rollup          = gm_rollup_sight_read;
    facts.rollups         = &sight;
    page.facts            = &facts;
    gm_error      err     = { 0 };
    size_t        before  = request->out.len;
    if (a->items > 0) gm_buf_byte(&request->out, ',');
    gm_status st = run(a, &page, &err);
    gm_rollup_sight_close(&sight);
    if (st != GM_OK) {
        bool token = st == GM_INVALID && a->given;
        gm_buf_clear(&request->out);
        if (token) gm_reply_error(request, 400, "BadRequest", "The continuation token is invalid: %s.", err.text);
        else reply_query_error(request, st, &err);
        return true;
    }
    if (page.items == 0) request->out.len = before;
    a->given = false;
    a->items += page.items;
    a->left -= page.items;
    a->charge += page.charge;
    memcpy(a->token, page.next, sizeof a->token);
    if (page.next[0] != '\0' && a->left > 0 && request->out.len < GM_QUERY_PAGE_BYTES) return false;
    reply_page(a);
    return true;
}

static bool ask_on(asking *a)
{
    const gm_clock *clock = a->request->api->options.clock;
    gm_dur_ns       until = gm_monotonic(clock) + SLICE;
    do {
        if (ask_slice(a)) return true;
    } while (gm_monotonic(clock) < until);
    return false;
}

static bool on_turn(void *context, gm_dur_ns *pause)
{
    (void)pause;
    return !ask_on(context);
}

static void end_asking(void *context) { gm_query_destroy(((asking *)context)->query); }

void gm_route_query(gm_request *request)
{
    gm_str   text, token;
    uint32_t size;
    if (!read_body(request, &text, &token) || !gm_request_page_size(request, GM_QUERY_PAGE_MAX, PAGE, &size)) return;
    asking   *a   = GM_ARENA_NEW(request->arena, asking, 1);
    gm_error  err = { 0 };
    if (a == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *a = (asking){ .request = request, .left = size, .given = token.len > 0 };
    if (token.len >= sizeof a->token) {
        gm_reply_error(request, 400, "BadRequest", "The continuation token is invalid: it is too long.");
        return;
    }
    if (token.len > 0) memcpy(a->token, token.ptr, token.len);
    gm_status st = gm_query_prepare(request->alloc, text, &a->query, &err);
    if (st != GM_OK) {
        reply_query_error(request, st, &err);
        return;
    }
    gm_buf_text(&request->out, "{\"value\":[");
    if (!ask_on(a)) {
        st = gm_held_begin(&a->held, request, on_turn, end_asking, a, &err);
        if (st == GM_OK) return;
        gm_reply_failure(request, st, &err);
    }
    gm_query_destroy(a->query);
}
