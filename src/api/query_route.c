// POST /query: a question in the query language, answered a page at a time.
#include "api/routes.h"
#include "query/query.h"

enum { PAGE = 100 };

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

void gm_route_query(gm_request *request)
{
    gm_str   text, token;
    uint32_t size;
    if (!read_body(request, &text, &token) || !gm_request_page_size(request, GM_QUERY_PAGE_MAX, PAGE, &size)) return;
    gm_query *query = NULL;
    gm_error  err   = { 0 };
    gm_status st    = gm_query_prepare(request->alloc, text, &query, &err);
    if (st != GM_OK) {
        reply_query_error(request, st, &err);
        return;
    }
    gm_query_page page = { .fence = gm_api_fence(request), .items_max = size, .token = token };
    gm_buf_text(&request->out, "{\"value\":[");
    st = gm_query_run(query, gm_api_state(request), &page, &request->out, &err);
    gm_query_destroy(query);
    if (st == GM_INVALID && token.len > 0) {
        gm_reply_error(request, 400, "BadRequest", "The continuation token is invalid: %s.", err.text);
        return;
    }
    if (st != GM_OK) {
        reply_query_error(request, st, &err);
        return;
    }
    gm_buf_byte(&request->out, ']');
    if (page.next[0] != '\0') {
        gm_buf_text(&request->out, ",\"continuationToken\":");
        gm_buf_json_str(&request->out, gm_str_of(page.next));
    }
    gm_buf_byte(&request->out, '}');
    gm_reply_header(request, "query-charge", "%.2f", page.charge < 1 ? 1 : page.charge);  // the asking itself
    gm_reply_json(request, 200);
}
