// Somebody with a scope, and everything he might see across his fence. Two sites with a pump each; site2 and pump2 hold
// a word, "hidden", that must never reach him, in whatever answer.
#include "support/api_users.h"


static gm_access *access_now;  // of the plant under test

static void with_access(gm_api_options *options) { access_now = api_users_open(options, "contains"); }

typedef struct added { char header[API_USER_HEADER]; } added;

static added add_user(api_plant *p, const char *name, gm_right right, const char *scope, const char *query, uint32_t rate)
{
    added a;
    api_users_enter(p, access_now, (gm_user){ .name = gm_str_of(name), .right = right, .query = gm_str_of(query), .rate = rate }, scope, a.header);
    return a;
}

#define REL(id, from, name, to) { "PUT", "/digitaltwins/" from "/relationships/" id V, NULL, "{\"$relationshipName\":\"" name "\",\"$targetId\":\"" to "\"}", 200, NULL }

static void fill(api_plant *p)
{
    static const api_step steps[] = {
        { "POST", "/models" V, NULL,
          "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:Thing;1\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\",\"writable\":true},"
          "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"
          "{\"@type\":\"Relationship\",\"name\":\"contains\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}]", 201, NULL },
        { "PUT", "/digitaltwins/site1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"open\"}", 200, NULL },
        { "PUT", "/digitaltwins/pump1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"open\"}", 200, NULL },
        { "PUT", "/digitaltwins/valve1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"open\"}", 200, NULL },
        { "PUT", "/digitaltwins/hidden-site" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"hidden\"}", 200, NULL },
        { "PUT", "/digitaltwins/hidden-pump" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"hidden\"}", 200, NULL },
        REL("c1", "site1", "contains", "pump1"), REL("c2", "pump1", "contains", "valve1"), REL("c3", "hidden-site", "contains", "hidden-pump"),
        REL("hidden-out", "pump1", "feeds", "hidden-pump"), REL("hidden-in", "hidden-site", "feeds", "pump1"),
        REL("back", "hidden-pump", "feeds", "valve1"),
        { "POST", "/digitaltwins/hidden-pump/telemetry" V, "Message-Id: 1\r\n", "{\"flow\":31415926535}", 204, NULL },
        { "POST", "/digitaltwins/pump1/telemetry" V, "Message-Id: 1\r\n", "{\"flow\":1}", 204, NULL },
    };
    API_TALK(p, steps);
}

static void start(api_plant *p)
{
    *p = (api_plant){ 0 };
    api_plant_start(p, with_access);
    fill(p);
}

static void stop(api_plant *p)
{
    gm_access *access = access_now;
    api_plant_stop(p);
    gm_access_destroy(access);
}

// An answer as somebody gets it: nothing of it may hold the word, unless he has said it himself, nor the number, which has more
// digits than the fraction of a second.
static void ask(api_plant *p, const added *who, const char *method, const char *target, const char *body, unsigned status)
{
    test_http_reply *reply = test_http_ask(&p->client, method, target, who->header, body);
    bool             said  = strstr(target, "hidden") != NULL || (body != NULL && strstr(body, "hidden") != NULL);
    bool             seen  = gm_str_find(gm_buf_view(&reply->body), GM_STR("hidden")) != SIZE_MAX || gm_str_find(gm_buf_view(&reply->body), GM_STR("31415926535")) != SIZE_MAX;
    if (reply->status != status || (seen && !said)) {
        fail_msg("%s %s %s: %u " GM_STR_FMT, method, target, body != NULL ? body : "", reply->status, (int)reply->body.len, (char *)reply->body.ptr);
    }
}

static void nothing_of_the_other_side_is_seen_by_any_reading(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added a = add_user(&p, "ron", GM_RIGHT_ENGINEER, "site1", NULL, 0);
    const struct { const char *method, *target, *body; unsigned status; } cases[] = {
        { "GET", "/digitaltwins/pump1" V, NULL, 200 },
        { "GET", "/digitaltwins/valve1" V, NULL, 200 },
        { "GET", "/digitaltwins/hidden-pump" V, NULL, 404 },
        { "GET", "/digitaltwins/pump1/relationships" V, NULL, 200 },
        { "GET", "/digitaltwins/pump1/relationships/hidden-out" V, NULL, 404 },
        { "GET", "/digitaltwins/pump1/incomingrelationships" V, NULL, 200 },
        { "GET", "/digitaltwins/hidden-site/relationships" V, NULL, 404 },
        { "PUT", "/digitaltwins/pump1/relationships/hidden-out" V, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"valve1\"}", 403 },
        { "PUT", "/digitaltwins/pump1/relationships/n" V, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"hidden-pump\"}", 404 },
        { "DELETE", "/digitaltwins/pump1/relationships/hidden-out" V, NULL, 404 },
        { "PATCH", "/digitaltwins/hidden-pump" V, "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"x\"}]", 404 },
        { "PUT", "/digitaltwins/hidden-pump" V, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"}}", 403 },
        { "PUT", "/digitaltwins/new" V, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"}}", 403 },
        { "DELETE", "/digitaltwins/hidden-pump" V, NULL, 404 },
        { "POST", "/digitaltwins/hidden-pump/telemetry" V, "{\"flow\":1}", 404 },
        { "GET", "/v1/twins/pump1", NULL, 200 },
        { "GET", "/v1/twins/valve1", NULL, 200 },
        { "GET", "/v1/twins/hidden-pump", NULL, 404 },
        { "GET", "/v1/tree", NULL, 200 },
        { "GET", "/v1/tree?parent=pump1", NULL, 200 },
        { "GET", "/v1/tree?parent=hidden-site", NULL, 404 },
        { "GET", "/v1/tree?search=h", NULL, 200 },
        { "GET", "/v1/tree?search=e", NULL, 200 },
        { "GET", "/v1/history?twin=pump1&property=flow", NULL, 200 },
        { "GET", "/v1/history?twin=hidden-pump&property=flow", NULL, 404 },
        { "GET", "/v1/history?twin=hidden-pump&property=nothing", NULL, 404 },
        { "GET", "/v1/dead-letters", NULL, 200 },
        { "GET", "/v1/plant", NULL, 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT * FROM DIGITALTWINS\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT * FROM RELATIONSHIPS\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT name, COUNT() FROM DIGITALTWINS GROUP BY name\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT MAX(flow) FROM DIGITALTWINS\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT * FROM DIGITALTWINS T ORDER BY T.name DESC\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT S, T FROM DIGITALTWINS S JOIN T RELATED S.feeds WHERE S.$dtId = 'pump1'\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT S, T, R FROM DIGITALTWINS MATCH (S)-[R:feeds]-(T) WHERE S.$dtId = 'pump1'\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"SELECT T FROM DIGITALTWINS MATCH (S)-[*1..3]-(T) WHERE S.$dtId = 'pump1'\"}", 200 },
        { "POST", "/query" V, "{\"query\":\"EXPLAIN SELECT * FROM DIGITALTWINS\"}", 400 },
        { "GET", "/shells", NULL, 200 },
        { "GET", "/submodels", NULL, 200 },
        { "GET", "/lookup/shells", NULL, 200 },
        { "GET", "/shells/dXJuOmdlbWVsOmFhczpoaWRkZW4tcHVtcA?of=hidden-pump", NULL, 404 },  // urn:gemel:aas:hidden-pump
        { "GET", "/shells/dXJuOmdlbWVsOmFhczpwdW1wMQ", NULL, 200 },  // urn:gemel:aas:pump1
        { "GET", "/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOk9wZXJhdGlvbmFsRGF0YTpoaWRkZW4tcHVtcA?of=hidden-pump", NULL, 404 },       // urn:gemel:submodel:OperationalData:hidden-pump
        { "GET", "/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOlJlbGF0aW9uc2hpcHM6cHVtcDE", NULL, 200 },           // urn:gemel:submodel:Relationships:pump1
        { "PATCH", "/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOk9wZXJhdGlvbmFsRGF0YTpoaWRkZW4tcHVtcA/submodel-elements/name/$value?of=hidden-pump", "\"x\"", 404 },
        { "DELETE", "/shells/dXJuOmdlbWVsOmFhczpoaWRkZW4tcHVtcA?of=hidden-pump", NULL, 403 },  // urn:gemel:aas:hidden-pump
        { "DELETE", "/shells/dXJuOmdlbWVsOmFhczpub2JvZHk?of=hidden-pump", NULL, 403 },  // urn:gemel:aas:nobody: the same
        { "PUT", "/shells/dXJuOmdlbWVsOmFhczpoaWRkZW4tcHVtcA", "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:hidden-pump\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}}", 403 },
        { "POST", "/shells", "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:new:1\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}}", 403 },
        { "POST", "/submodels", "{\"modelType\":\"Submodel\",\"id\":\"urn:new:submodel\"}", 403 },
        { "POST", "/submodels", "{\"modelType\":\"Submodel\",\"id\":\"urn:gemel:submodel:Nameplate:hidden-pump\"}", 403 },
        { "DELETE", "/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOlJlbGF0aW9uc2hpcHM6aGlkZGVuLXB1bXA?of=hidden-pump", NULL, 404 },  // urn:gemel:submodel:Relationships:hidden-pump
        { "GET", "/shells/dXJuOmdlbWVsOmFhczpwdW1wMQ/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOk9wZXJhdGlvbmFsRGF0YTpoaWRkZW4tcHVtcA?of=hidden-pump", NULL, 404 },  // hidden-pump's, below pump1's shell
        { "GET", "/serialization?aasIds=dXJuOmdlbWVsOmFhczpoaWRkZW4tcHVtcA&of=hidden-pump", NULL, 404 },
        { "GET", "/serialization?aasIds=dXJuOmdlbWVsOmFhczpwdW1wMQ", NULL, 200 },
        { "GET", "/concept-descriptions", NULL, 200 },
        { "GET", "/eventroutes" V, NULL, 403 },
        { "DELETE", "/models/dtmi:f:Thing;1" V, NULL, 403 },
        { "GET", "/v1/users", NULL, 403 },
        { "GET", "/v1/audit", NULL, 403 },
        { "GET", "/metrics", NULL, 403 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) ask(&p, &a, cases[i].method, cases[i].target, cases[i].body, cases[i].status);

    // What is refused because it lies outside looks exactly like what is not there.
    static const char *const pairs[][2] = { { "/digitaltwins/hidden-pump" V, "/digitaltwins/nobody-pump" V },
                                            { "/v1/twins/hidden-pump", "/v1/twins/nobody-pump" },
                                            { "/v1/history?twin=hidden-pump&property=flow", "/v1/history?twin=nobody-pump&property=flow" } };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        gm_buf first = gm_buf_init(gm_alloc_system());
        for (int k = 0; k < 2; k++) {
            test_http_reply *reply = test_http_ask(&p.client, "GET", pairs[i][k], a.header, NULL);
            gm_str           text  = gm_buf_view(&reply->body);
            size_t           at    = gm_str_find(text, k == 0 ? GM_STR("hidden-pump") : GM_STR("nobody-pump"));
            gm_str           tail  = gm_str_slice(text, at + 11, text.len);
            if (k == 0) gm_buf_str(&first, tail);
            else assert_true(gm_str_eq(gm_buf_view(&first), tail));
        }
        gm_buf_finish(&first);
    }
    stop(&p);
}

static void counts_are_counts_of_what_may_be_seen(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added          a       = add_user(&p, "ron", GM_RIGHT_READ, "site1", NULL, 0);
    added          q       = add_user(&p, "quinn", GM_RIGHT_READ, NULL, "SELECT * FROM DIGITALTWINS T WHERE T.name = 'open'", 0);
    added          all     = add_user(&p, "anna", GM_RIGHT_ADMIN, NULL, NULL, 0);
    added          nothing = add_user(&p, "nemo", GM_RIGHT_READ, "no-such-twin", NULL, 0);
    const struct { const added *who; const char *query, *expect; } cases[] = {
        { &a, "SELECT COUNT() FROM DIGITALTWINS", "{\"COUNT\":3}" },
        { &a, "SELECT COUNT() FROM RELATIONSHIPS", "{\"COUNT\":2}" },
        { &a, "SELECT COUNT() FROM DIGITALTWINS S JOIN T RELATED S.feeds WHERE S.$dtId = 'pump1'", "{\"COUNT\":0}" },
        { &a, "SELECT COUNT() FROM DIGITALTWINS MATCH (S)-[]-(T) WHERE S.$dtId = 'pump1'", "{\"COUNT\":2}" },
        { &a, "SELECT COUNT() FROM DIGITALTWINS WHERE $dtId = 'hidden-pump'", "{\"COUNT\":0}" },
        { &a, "SELECT COUNT() FROM RELATIONSHIPS WHERE $sourceId = 'pump1'", "{\"COUNT\":1}" },
        { &a, "SELECT COUNT() FROM RELATIONSHIPS WHERE $targetId = 'valve1'", "{\"COUNT\":1}" },
        { &q, "SELECT COUNT() FROM DIGITALTWINS", "{\"COUNT\":3}" },
        { &q, "SELECT COUNT() FROM RELATIONSHIPS", "{\"COUNT\":2}" },
        { &all, "SELECT COUNT() FROM DIGITALTWINS", "{\"COUNT\":5}" },
        { &all, "SELECT COUNT() FROM DIGITALTWINS MATCH (S)-[]-(T) WHERE S.$dtId = 'pump1'", "{\"COUNT\":4}" },
        { &nothing, "SELECT COUNT() FROM DIGITALTWINS", "{\"COUNT\":0}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"query\":\"%s\"}", cases[i].query);
        test_http_reply *reply = test_http_ask(&p.client, "POST", "/query" V, cases[i].who->header, body);
        if (reply->status != 200 || gm_str_find(gm_buf_view(&reply->body), gm_str_of(cases[i].expect)) == SIZE_MAX) {
            fail_msg("%zu %s: " GM_STR_FMT, i, cases[i].query, (int)reply->body.len, (char *)reply->body.ptr);
        }
    }
    stop(&p);
}

static void the_fence_moves_with_the_plant(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added          a       = add_user(&p, "ron", GM_RIGHT_READ, "site1", NULL, 0), all = add_user(&p, "anna", GM_RIGHT_ADMIN, NULL, NULL, 0);
    const api_step steps[] = {
        { "GET", "/digitaltwins/valve1" V, a.header, NULL, 200, NULL },
        { "DELETE", "/digitaltwins/pump1/relationships/c2" V, all.header, NULL, 204, NULL },
        { "GET", "/digitaltwins/valve1" V, a.header, NULL, 404, NULL },
        { "PUT", "/digitaltwins/site1/relationships/c9" V, all.header, "{\"$relationshipName\":\"contains\",\"$targetId\":\"hidden-pump\"}", 200, NULL },
        { "GET", "/digitaltwins/hidden-pump" V, a.header, NULL, 200, "hidden" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void a_stream_shows_his_twins_only_and_ends_with_his_access(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added            a = add_user(&p, "ron", GM_RIGHT_READ, "site1", NULL, 0), all = add_user(&p, "anna", GM_RIGHT_ADMIN, NULL, NULL, 0);
    test_http_client s;
    gm_buf           name = gm_buf_init(gm_alloc_system()), data = gm_buf_init(gm_alloc_system());
    gm_error         err;
    test_http_open(&s, gm_api_port(p.api), api_plant_turn, &p);
    test_http_send_request(&s, "GET", "/v1/stream?twin=pump1&twin=hidden-pump&twin=later", a.header, NULL);
    assert_int_equal(test_http_receive(&s, true)->status, 200);
    assert_true(test_http_event(&s, &name, &data));
    assert_true(gm_str_find(gm_buf_view(&data), GM_STR("pump1")) != SIZE_MAX && gm_str_find(gm_buf_view(&data), GM_STR("hidden")) == SIZE_MAX);
    const api_step changes[] = {
        { "PATCH", "/digitaltwins/hidden-pump" V, all.header, "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"hidden2\"}]", 204, NULL },
        { "PUT", "/digitaltwins/later" V, all.header, "{\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"},\"name\":\"hidden\"}", 200, NULL },
        { "PUT", "/digitaltwins/later/relationships/x" V, all.header, "{\"$relationshipName\":\"contains\",\"$targetId\":\"hidden-pump\"}", 200, NULL },
        { "PATCH", "/digitaltwins/pump1" V, all.header, "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"the end\"}]", 204, NULL },
    };
    API_TALK(&p, changes);
    for (bool ended = false; !ended;) {
        assert_true(test_http_event(&s, &name, &data));
        if (gm_str_find(gm_buf_view(&data), GM_STR("hidden")) != SIZE_MAX || gm_str_find(gm_buf_view(&data), GM_STR("later")) != SIZE_MAX)
            fail_msg("the stream tells: " GM_STR_FMT, (int)data.len, (char *)data.ptr);
        ended = gm_str_find(gm_buf_view(&data), GM_STR("the end")) != SIZE_MAX;
    }
    assert_gm_ok(gm_access_revoke(access_now, GM_STR("ron"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(p.engine, &err), err);
    while (test_http_event(&s, &name, &data)) {}  // an "alive" may come first; then the stream ends
    const api_step after[] = { { "GET", "/v1/stream?twin=pump1", a.header, NULL, 401, "AuthenticationFailed" } };
    API_TALK(&p, after);
    test_http_shut(&s);
    gm_buf_finish(&name);
    gm_buf_finish(&data);
    stop(&p);
}

static void roles_and_headers_are_asked_for(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added          reader = add_user(&p, "r", GM_RIGHT_READ, NULL, NULL, 0), op = add_user(&p, "o", GM_RIGHT_OPERATE, NULL, NULL, 0);
    added          slow = add_user(&p, "s", GM_RIGHT_READ, NULL, NULL, 2), all = add_user(&p, "a", GM_RIGHT_ADMIN, NULL, NULL, 0);
    const char    *patch   = "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"x\"}]";
    char           influx[96];
    snprintf(influx, sizeof influx, "Authorization: token %s", reader.header + strlen("Authorization: Bearer "));
    const api_step steps[] = {
        { "GET", "/healthz", NULL, NULL, 200, NULL },
        { "GET", "/", NULL, NULL, 200, "console" },
        { "GET", "/v1/openapi.json", NULL, NULL, 200, "securitySchemes" },
        { "GET", "/v1/plant", NULL, NULL, 401, "WWW-Authenticate: Bearer" },
        { "GET", "/metrics", NULL, NULL, 401, NULL },
        { "GET", "/v1/plant", "Authorization: Basic cjpy\r\n", NULL, 401, "bearer" },
        { "GET", "/v1/plant", "Authorization: Bearer\r\n", NULL, 401, NULL },
        { "GET", "/v1/plant", "Authorization: Bearer gemel_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n", NULL, 401, NULL },
        { "GET", "/v1/plant", reader.header, NULL, 200, NULL },
        { "GET", "/v1/plant", influx, NULL, 200, NULL },
        { "GET", "/metrics", reader.header, NULL, 200, NULL },
        { "PATCH", "/digitaltwins/pump1" V, reader.header, patch, 403, "takes the role operator" },
        { "PATCH", "/digitaltwins/pump1" V, op.header, patch, 204, NULL },
        { "DELETE", "/digitaltwins/pump1" V, op.header, NULL, 403, "engineer" },
        { "POST", "/v1/users", op.header, "{\"name\":\"x\",\"role\":\"admin\"}", 403, "admin" },
        { "POST", "/v1/users", all.header, "{\"name\":\"x\",\"role\":\"root\"}", 400, NULL },
        { "POST", "/v1/users", all.header, "{\"name\":\"x\",\"role\":\"reader\",\"scope\":[1]}", 400, NULL },
        { "POST", "/v1/users", all.header, "{\"name\":\"x\",\"role\":\"reader\",\"scope\":[\"site1\"]}", 201, "gemel_" },
        { "POST", "/v1/users", all.header, "{\"name\":\"x\",\"role\":\"reader\"}", 409, NULL },
        { "GET", "/v1/users", all.header, NULL, 200, "!gemel_" },
        { "DELETE", "/v1/users/x", all.header, NULL, 204, NULL },
        { "DELETE", "/v1/users/x", all.header, NULL, 404, NULL },
        { "GET", "/v1/audit", all.header, NULL, 200, "\"who\":\"o\",\"what\":\"PATCH /digitaltwins/pump1\",\"from\":\"127.0.0.1\"" },
        { "GET", "/v1/whoami", op.header, NULL, 200, "\"role\":\"operator\",\"scoped\":false" },
        { "GET", "/v1/plant", slow.header, NULL, 200, NULL },
        { "GET", "/v1/plant", slow.header, NULL, 200, NULL },
        { "GET", "/v1/plant", slow.header, NULL, 429, "Retry-After: 1" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

// Changes that are many commits, or none of the request's own, are in the trail too: once, and only what was begun.
static void imports_jobs_and_migrations_are_in_the_audit_trail(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added all = add_user(&p, "alice", GM_RIGHT_ADMIN, NULL, NULL, 0), ron = add_user(&p, "ron", GM_RIGHT_ENGINEER, "site1", NULL, 0);
    char  lines[200];
    snprintf(lines, sizeof lines, "Content-Type: application/x-ndjson\r\n%s", all.header);
    static const char twins[] = "{\"Section\":\"Twins\"}\n{\"$dtId\":\"in1\",\"$metadata\":{\"$model\":\"dtmi:f:Thing;1\"}}\n";
    const api_step steps[] = {
        { "POST", "/models" V, all.header, "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:Thing;2\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Relationship\",\"name\":\"contains\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}]", 201, NULL },
        { "POST", "/v1/import", ron.header, "{}", 403, NULL },
        { "POST", "/v1/migrate", ron.header, "{\"from\":\"dtmi:f:Thing;1\",\"to\":\"dtmi:f:Thing;2\"}", 403, NULL },
        { "GET", "/v1/audit", all.header, NULL, 200, "!/v1/" },
        { "POST", "/v1/migrate", all.header, "{\"from\":\"dtmi:f:Thing;1\",\"to\":\"dtmi:f:Thing;2\",\"dryRun\":true}", 200, NULL },
        { "GET", "/v1/audit", all.header, NULL, 200, "!/v1/migrate" },
        { "POST", "/v1/import", lines, twins, 200, "\"twins\":1" },
        { "GET", "/v1/audit", all.header, NULL, 200, "\"who\":\"alice\",\"what\":\"POST /v1/import\"" },
        { "POST", "/v1/migrate", all.header, "{\"from\":\"dtmi:f:Thing;1\",\"to\":\"dtmi:f:Thing;2\",\"skipFailing\":true}", 200, NULL },
        { "GET", "/v1/audit", all.header, NULL, 200, "\"who\":\"alice\",\"what\":\"POST /v1/migrate\"" },
        { "POST", "/jobs/deletions" V, all.header, NULL, 202, NULL },
        { "GET", "/v1/audit", all.header, NULL, 200, "\"who\":\"alice\",\"what\":\"POST /jobs/deletions\"" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void facts_do_not_tell_of_hidden_twins(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    added inside = add_user(&p, "inside", GM_RIGHT_OPERATE, "site1", NULL, 0), all = add_user(&p, "all", GM_RIGHT_ADMIN, NULL, NULL, 0);
#define PLACE(part, holder) "{\"twin\":\"" part "\",\"phase\":\"maintained\",\"key\":\"installedIn\",\"part\":\"" holder "\",\"from\":\"2024-01-01T00:00:00Z\"}"
#define PART(assembly, position, part) "{\"twin\":\"" assembly "\",\"phase\":\"as-designed\",\"key\":\"bom/" position "\",\"part\":\"" part "\",\"from\":\"2024-01-01T00:00:00Z\"}"
#define MASS(part, kg) "{\"twin\":\"" part "\",\"phase\":\"as-designed\",\"key\":\"mass\",\"value\":" kg ",\"unit\":\"kg\",\"from\":\"2024-01-01T00:00:00Z\"}"
    const struct { const added *who; const char *method, *target, *body; unsigned status; const char *expect; } cases[] = {
        { &all, "POST", "/v1/thread", "[" PLACE("valve1", "hidden-site") "," PLACE("hidden-pump", "pump1") "," PART("pump1", "1", "hidden-pump") "," PART("pump1", "2", "valve1") "," MASS("valve1", "1") "," MASS("hidden-pump", "31415926535") "]", 204, NULL },
        { &inside, "GET", "/v1/thread", NULL, 200, "valve1" },
        { &inside, "GET", "/v1/thread/pump1", NULL, 200, "bom/2" },
        { &inside, "GET", "/v1/thread/valve1?history=true", NULL, 200, "mass" },
        { &inside, "GET", "/v1/thread/pump1/parts?ever=true", NULL, 200, "\"items\":[]" },
        { &inside, "GET", "/v1/thread/valve1/parts", NULL, 200, "valve1" },
        { &inside, "GET", "/v1/thread/pump1/diff", NULL, 200, "bom/2" },
        { &inside, "GET", "/v1/thread/pump1/diff?parts=true", NULL, 200, "bom/2" },
        { &inside, "POST", "/v1/thread/explain", "{\"roots\":[\"pump1\"],\"property\":\"x\"}", 400, NULL },
        { &inside, "POST", "/v1/thread/explain", "{\"roots\":[\"hidden-pump\"],\"property\":\"x\"}", 404, NULL },
        { &inside, "GET", "/v1/thread/hidden-pump", NULL, 404, NULL },
        { &inside, "GET", "/v1/bom/pump1", NULL, 200, "valve1" },
        { &inside, "GET", "/v1/bom/valve1?installed=true", NULL, 200, NULL },
        { &inside, "GET", "/v1/bom/valve1/where-used?installed=true", NULL, 200, "\"items\":[]" },
        { &inside, "GET", "/v1/bom/pump1/rollup?key=mass", NULL, 403, "not yours" },
        { &inside, "GET", "/v1/bom/valve1/rollup?key=mass", NULL, 200, "\"total\":1" },
        { &inside, "POST", "/v1/thread", PLACE("valve1", "site1"), 409, "elsewhere" },
        { &inside, "POST", "/v1/thread", MASS("hidden-pump", "1"), 404, NULL },
        { &inside, "POST", "/v1/thread", PLACE("pump1", "hidden-site"), 404, NULL },
        { &inside, "POST", "/v1/thread", "[" PLACE("valve1", "site1") "," MASS("pump1", "1") "]", 400, "one at a time" },
        { &inside, "POST", "/query" V, "{\"query\":\"SELECT T.$thread.maintained.installedIn FROM DIGITALTWINS T\"}", 200, NULL },
        { &inside, "DELETE", "/v1/thread/valve1", NULL, 403, NULL },
        { &all, "GET", "/v1/thread/pump1/parts", NULL, 200, "hidden-pump" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_http_reply *r = test_http_ask(&p.client, cases[i].method, cases[i].target, cases[i].who->header, cases[i].body);
        gm_str           body = gm_buf_view(&r->body);
        // What he wrote himself may come back in a refusal; nothing else may.
        bool leak = cases[i].who == &inside && strstr(cases[i].target, "hidden") == NULL && (cases[i].body == NULL || strstr(cases[i].body, "hidden") == NULL) &&
                    (gm_str_find(body, GM_STR("hidden")) != SIZE_MAX || gm_str_find(body, GM_STR("31415926535")) != SIZE_MAX);
        if (r->status != cases[i].status || leak || (cases[i].expect != NULL && gm_str_find(body, gm_str_of(cases[i].expect)) == SIZE_MAX))
            fail_msg("%s %s: %u " GM_STR_FMT, cases[i].method, cases[i].target, r->status, GM_STR_ARG(body));
    }
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_do_not_tell_of_hidden_twins),
        cmocka_unit_test(nothing_of_the_other_side_is_seen_by_any_reading),
        cmocka_unit_test(imports_jobs_and_migrations_are_in_the_audit_trail),
        cmocka_unit_test(counts_are_counts_of_what_may_be_seen),
        cmocka_unit_test(the_fence_moves_with_the_plant),
        cmocka_unit_test(a_stream_shows_his_twins_only_and_ends_with_his_access),
        cmocka_unit_test(roles_and_headers_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
