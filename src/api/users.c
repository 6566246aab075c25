// Who there is and who changed what: /v1/whoami, /v1/users, /v1/audit.
#include "api/live.h"
#include "api/routes.h"

static void write_scope(const gm_user *user, gm_buf *out)
{
    gm_buf_text(out, ",\"scope\":");
    if (user->scope_count == 0 && user->query.len == 0) {
        gm_buf_text(out, "null");
        return;
    }
    gm_buf_text(out, "{\"twins\":[");
    for (size_t i = 0; i < user->scope_count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, user->scopes[i]);
    }
    gm_buf_byte(out, ']');
    gm_live_member(out, "query", user->query);
    gm_buf_byte(out, '}');
}

static void write_user(const gm_user *user, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, user->name);
    gm_buf_printf(out, ",\"role\":\"%s\"", gm_right_role(user->right));
    write_scope(user, out);
    gm_buf_printf(out, ",\"rate\":%u,\"revoked\":%s", user->rate, user->revoked ? "true" : "false");
    gm_live_time(out, "since", user->since);
    gm_buf_byte(out, '}');
}

void gm_route_whoami(gm_request *request)
{
    const gm_principal *p = request->principal;
    gm_buf_text(&request->out, "{\"name\":");
    gm_buf_json_str(&request->out, gm_principal_name(p));
    gm_buf_printf(&request->out, ",\"role\":\"%s\",\"scoped\":%s,\"required\":%s}", gm_right_role(gm_principal_right(p)),
                  gm_principal_scoped(p) ? "true" : "false",
                  gm_access_required(request->api->options.access) ? "true" : "false");
    gm_reply_json(request, 200);
}

static gm_access *access_of(gm_request *request)
{
    gm_access *access = request->api->options.access;
    if (access == NULL) gm_reply_error(request, 404, "NotFound", "This server keeps no users.");
    return access;
}

void gm_route_users_list(gm_request *request)
{
    const gm_access *access = access_of(request);
    if (access == NULL) return;
    gm_buf_text(&request->out, "{\"items\":[");
    for (size_t i = 0; i < gm_access_user_count(access); i++) {
        gm_user user = gm_access_user(access, i);
        if (i > 0) gm_buf_byte(&request->out, ',');
        write_user(&user, &request->out);
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

// ---- adding -------------------------------------------------------------------------------------------------------

static gm_str text_of(const json_t *text) { return (gm_str){ json_string_value(text), json_string_length(text) }; }

// {"name","role","scope":["twin"],"query","rate"}. False: replied 400.
static bool read_user(gm_request *request, gm_user *out_user)
{
    const json_t *body = gm_request_json(request), *scope, *rate;
    if (body == NULL) return false;
    scope     = json_object_get(body, "scope");
    rate      = json_object_get(body, "rate");
    *out_user = (gm_user){ .name = text_of(json_object_get(body, "name")), .query = text_of(json_object_get(body, "query")),
                           .right = gm_right_of_role(text_of(json_object_get(body, "role"))),
                           .scope_count = json_array_size(scope) };
    bool fits = (scope == NULL || json_is_array(scope)) && out_user->scope_count <= GM_USER_SCOPES_MAX &&
                (rate == NULL || (json_is_integer(rate) && json_integer_value(rate) >= 0 && json_integer_value(rate) <= 1000000));
    for (size_t i = 0; fits && i < out_user->scope_count; i++) {
        out_user->scopes[i] = text_of(json_array_get(scope, i));
        fits                = out_user->scopes[i].len > 0;
    }
    if (fits) out_user->rate = (uint32_t)json_integer_value(rate);
    else {
        gm_reply_error(request, 400, "InvalidArgument",
                       "A user is an object with 'name', 'role', and perhaps 'scope' (up to %d ids of twins), 'query' and 'rate'.",
                       GM_USER_SCOPES_MAX);
    }
    return fits;
}

static void after_add(gm_request *request)
{
    gm_str token = { request->note, GM_TOKEN_TEXT };
    gm_buf_text(&request->out, "{\"name\":");
    gm_buf_json_str(&request->out, text_of(json_object_get(request->json, "name")));
    gm_live_member(&request->out, "token", token);
    gm_buf_byte(&request->out, '}');
    gm_reply_header(request, "Cache-Control", "no-store");
    gm_reply_json(request, 201);
}

void gm_route_user_add(gm_request *request)
{
    gm_access *access = access_of(request);
    gm_error   err    = { 0 };
    gm_user    user;
    if (access == NULL || !read_user(request, &user)) return;
    char *token = gm_arena_bytes(request->arena, GM_TOKEN_TEXT + 1);
    if (token == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    request->note = token;
    gm_ask    ask = gm_request_ask(request, after_add);
    gm_status st  = gm_access_add_user(access, &user, token, ask, &err);
    gm_request_submitted(request, st, &err);
}

static void after_revoke(gm_request *request) { gm_reply_empty(request, 204); }

void gm_route_user_revoke(gm_request *request)
{
    gm_access *access = access_of(request);
    gm_error   err    = { 0 };
    if (access == NULL) return;
    gm_ask    ask = gm_request_ask(request, after_revoke);
    gm_status st  = gm_access_revoke(access, request->parameters[0], ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- the audit trail ------------------------------------------------------------------------------------------------

void gm_route_audit(gm_request *request)
{
    const gm_access *access = access_of(request);
    gm_buf          *out    = &request->out;
    uint64_t         limit, before;
    if (access == NULL || !gm_request_number(request, "limit", 1, GM_AUDIT_KEPT, 100, &limit) ||
        !gm_request_number(request, "before", 0, UINT64_MAX, UINT64_MAX, &before)) return;
    size_t written = 0;
    gm_buf_printf(out, "{\"lost\":%llu,\"items\":[", (unsigned long long)gm_access_audit_lost(access));
    for (size_t i = 0; i < gm_access_audit_count(access) && written < limit; i++) {
        gm_audit a = gm_access_audit_at(access, i);
        if (a.sequence >= before) continue;
        gm_buf_printf(out, "%s{\"sequence\":%llu", written++ > 0 ? "," : "", (unsigned long long)a.sequence);
        gm_live_time(out, "time", a.at);
        gm_live_member(out, "who", a.who);
        gm_live_member(out, "what", a.what);
        gm_live_member(out, "from", a.detail);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}
