// POST /query: every form that the reference of the query language documents, long questions in slices, hostile ones.
#include "engine/past_states.h"
#include "support/api_plant.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static test_http_reply *ask(api_plant *plant, const char *query)
{
    json_t *body = json_pack("{s:s}", "query", query);
    char   *text = json_dumps(body, JSON_COMPACT);
    test_http_reply *reply = test_http_ask(&plant->client, "POST", "/query" V, NULL, text);
    free(text);
    json_decref(body);
    return reply;
}

// The forms of "Azure Digital Twins query language reference": SELECT, FROM, MATCH, JOIN, WHERE, functions, operators, and
// of "Query the twin graph". rows: how many the answer must have.
static void every_documented_form_is_understood(void **state)
{
    (void)state;
    static const struct { const char *text; int rows; } forms[] = {
        // SELECT
        { "SELECT * FROM DIGITALTWINS", 3 },
        { "SELECT T FROM DIGITALTWINS T", 3 },
        { "SELECT T.name FROM DIGITALTWINS T", 3 },
        { "SELECT T.name, T.limit FROM DIGITALTWINS T WHERE T.limit = 5", 1 },
        { "SELECT T.name AS title, T.$dtId AS id FROM DIGITALTWINS T", 3 },
        { "SELECT COUNT() FROM DIGITALTWINS", 1 },
        { "SELECT COUNT() FROM DIGITALTWINS T WHERE T.limit > 1", 1 },
        { "SELECT COUNT() FROM RELATIONSHIPS", 1 },
        { "SELECT TOP(2) FROM DIGITALTWINS", 2 },
        { "SELECT TOP(1) FROM DIGITALTWINS T WHERE T.limit > 1", 1 },
        { "SELECT TOP(1) T.name FROM DIGITALTWINS T", 1 },
        // FROM
        { "SELECT * FROM RELATIONSHIPS", 2 },
        { "SELECT R FROM RELATIONSHIPS R WHERE R.$sourceId = 'p1'", 1 },
        { "SELECT * FROM RELATIONSHIPS WHERE $targetId = 'p1'", 1 },
        { "SELECT * FROM RELATIONSHIPS WHERE $relationshipName = 'feeds'", 1 },
        { "SELECT * FROM RELATIONSHIPS WHERE flow = 1.5", 1 },
        { "SELECT * FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Pump;1')", 2 },
        // JOIN
        { "SELECT T, CT FROM DIGITALTWINS T JOIN CT RELATED T.feeds WHERE T.$dtId = 'p1'", 1 },
        { "SELECT T, CT, R FROM DIGITALTWINS T JOIN CT RELATED T.feeds R WHERE T.$dtId = 'p1' AND R.flow = 1.5", 1 },
        { "SELECT B FROM DIGITALTWINS A JOIN B RELATED A.has JOIN C RELATED B.feeds WHERE A.$dtId = 'room 1/\u00e4' AND C.$dtId = 'p2'", 1 },
        { "SELECT COUNT() FROM DIGITALTWINS A JOIN B RELATED A.has WHERE A.$dtId = 'room 1/\u00e4'", 1 },
        { "SELECT TOP(1) CT FROM DIGITALTWINS T JOIN CT RELATED T.has WHERE T.$dtId = 'room 1/\u00e4'", 1 },
        // MATCH
        { "SELECT A, B FROM DIGITALTWINS MATCH (A)-[]->(B) WHERE A.$dtId = 'p1'", 1 },
        { "SELECT A, B FROM DIGITALTWINS MATCH (A)<-[]-(B) WHERE A.$dtId = 'p1'", 1 },
        { "SELECT A, B FROM DIGITALTWINS MATCH (A)-[]-(B) WHERE A.$dtId = 'p1'", 2 },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[:feeds]->(B) WHERE A.$dtId = 'p1'", 1 },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[:feeds|has]->(B) WHERE A.$dtId = 'p1'", 1 },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[:feeds|has*..3]->(B) WHERE A.$dtId = 'room 1/\u00e4'", 2 },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[*2]->(B) WHERE A.$dtId = 'room 1/\u00e4'", 1 },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[*1..3]->(B) WHERE A.$dtId = 'room 1/\u00e4'", 1 },
        { "SELECT R FROM DIGITALTWINS MATCH (A)-[R:feeds]->(B) WHERE A.$dtId = 'p1' AND R.flow > 1", 1 },
        { "SELECT C FROM DIGITALTWINS MATCH (A)-[]->(B)-[]->(C) WHERE A.$dtId = 'room 1/\u00e4'", 1 },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[:has]->()-[:feeds]->(C) WHERE C.$dtId = 'p2'", 1 },
        // WHERE, operators
        { "SELECT * FROM DIGITALTWINS T WHERE T.$dtId = 'p1'", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.$dtId IN ['p1', 'p2', 'nobody']", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.$dtId NIN ['p1', 'p2']", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.limit >= 5 AND T.limit <= 5", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.limit != 5", 0 },
        { "SELECT * FROM DIGITALTWINS T WHERE NOT T.limit = 6 AND IS_DEFINED(T.limit)", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE (T.limit < 3 OR T.limit > 4) AND T.name = 'Main pump'", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.motor.speed > 9", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.$metadata.$model = 'dtmi:t:Room;1'", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.[[name]] = 'Cellar'", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.unknown = 1", 0 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.Name = 'Cellar'", 0 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.$metadata.limit.lastUpdateTime > '2020-01-01T00:00:00Z'", 1 },
        // functions
        { "SELECT * FROM DIGITALTWINS T WHERE STARTSWITH(T.name, 'Main')", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE ENDSWITH(T.name, 'pump')", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE CONTAINS(T.name, 'ella')", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1', exact)", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_BOOL(T.limit)", 0 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_NUMBER(T.limit)", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_STRING(T.name)", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_OBJECT(T.motor)", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_PRIMITIVE(T.limit)", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_NULL(T.limit)", 0 },
        { "SELECT * FROM DIGITALTWINS T WHERE IS_DEFINED(T.name)", 2 },
        { "SELECT * FROM DIGITALTWINS T WHERE ARRAY_CONTAINS(T.list, 1)", 0 },
        // past the reference
        { "SELECT T.$dtId FROM DIGITALTWINS T ORDER BY T.$dtId DESC LIMIT 2 OFFSET 1", 2 },
        { "SELECT T.$metadata.$model AS m, COUNT() AS n, AVG(T.limit) AS a FROM DIGITALTWINS T GROUP BY T.$metadata.$model", 2 },
        { "SELECT SUM(T.limit) AS s, MIN(T.limit) AS l, MAX(T.limit) AS h FROM DIGITALTWINS T", 1 },
        { "SELECT * FROM DIGITALTWINS T WHERE T.limit * 2 + 1 = 11", 1 },
        { "EXPLAIN SELECT * FROM DIGITALTWINS T WHERE T.limit = 5", 1 },
    };
    static api_plant plant;
    api_plant_start(&plant, NULL);
    api_plant_fill(&plant);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        test_http_reply *reply = ask(&plant, forms[i].text);
        json_t *page = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
        int     rows = (int)json_array_size(json_object_get(page, "value"));
        if (reply->status != 200 || rows != forms[i].rows) {
            fail_msg("%s: %u, %d rows, not %d\n%.*s", forms[i].text, reply->status, rows, forms[i].rows, (int)reply->body.len, (const char *)reply->body.ptr);
        }
        json_decref(page);
    }
    api_plant_stop(&plant);
}

static void hostile_queries_are_refused_with_a_reason(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    gm_buf many = gm_buf_init(gm_alloc_system()), long_one = gm_buf_init(gm_alloc_system()), deep = gm_buf_init(gm_alloc_system());
    gm_buf_text(&many, "SELECT * FROM DIGITALTWINS T WHERE T.a > 0");
    gm_buf_text(&long_one, "SELECT * FROM DIGITALTWINS T WHERE T.a > 0");
    for (int i = 0; i < 15000; i++) gm_buf_printf(&many, " OR T.a>%d", i);
    for (int i = 0; i < 100000; i++) gm_buf_printf(&long_one, " OR T.a>%d", i);
    gm_buf_text(&deep, "SELECT * FROM DIGITALTWINS T WHERE ");
    for (int i = 0; i < 5000; i++) gm_buf_byte(&deep, '(');
    gm_buf_byte(&many, '\0'), gm_buf_byte(&long_one, '\0'), gm_buf_byte(&deep, '\0');
    const struct { const char *text, *says; } cases[] = {
        { (const char *)many.ptr, "SqlQueryError" },
        { (const char *)long_one.ptr, "longer than 262144 bytes" },
        { (const char *)deep.ptr, "SqlQueryError" },
        { "", "SqlQueryError" },
        { "SELECT", "Line=1" },
        { "SELECT * FROM NOTHING", "SqlQueryError" },
        { "SELECT * FROM DIGITALTWINS T WHERE", "SqlQueryError" },
        { "SELECT * FROM DIGITALTWINS T WHERE T.a = 'x", "SqlQueryError" },
        { "SELECT * FROM DIGITALTWINS A JOIN B RELATED A.r JOIN C RELATED B.r JOIN D RELATED C.r JOIN E RELATED D.r JOIN F RELATED E.r JOIN G RELATED F.r WHERE A.$dtId = 'x'",
          "SqlQueryError" },
        { "SELECT B FROM DIGITALTWINS MATCH (A)-[*1..99]->(B) WHERE A.$dtId = 'x'", "SqlQueryError" },
        { "DROP TABLE DIGITALTWINS", "SqlQueryError" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_http_reply *reply = ask(&plant, cases[i].text);
        bool says = gm_str_find(gm_buf_view(&reply->body), gm_str_of(cases[i].says)) != SIZE_MAX;
        if (reply->status != 400 || !says) {
            fail_msg("%.80s: %u, %.*s", cases[i].text, reply->status, (int)(reply->body.len < 500 ? reply->body.len : 500), (const char *)reply->body.ptr);
        }
    }
    gm_buf_finish(&many), gm_buf_finish(&long_one), gm_buf_finish(&deep);
    api_plant_stop(&plant);
}

enum { TWINS = 40, OUT = 39 };
static int target_of(int twin, int i) { return (twin + 1 + i) % TWINS; }

// Paths of three different relationships from any twin. With so few hops a relationship can only come again through a
// circle of two, which the targets (any other twin) admit.
static long count_paths(void)
{
    long count = 0;
    for (int a = 0; a < TWINS; a++) {
        for (int i = 0; i < OUT; i++) {
            int b = target_of(a, i);
            for (int j = 0; j < OUT; j++) {
                int c = target_of(b, j);
                for (int k = 0; k < OUT; k++) count += !(c == a && k == i);
            }
        }
    }
    return count;
}

static void a_long_question_leaves_others_their_turn(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "{\"Section\":\"Models\"}\n{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":["
                       "{\"@type\":\"Relationship\",\"name\":\"r\"}]}\n{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < TWINS; i++) gm_buf_printf(&text, "{\"$dtId\":\"t%d\",\"$metadata\":{\"$model\":\"dtmi:t:A;1\"}}\n", i);
    gm_buf_text(&text, "{\"Section\":\"Relationships\"}\n");
    for (int i = 0; i < TWINS; i++) {
        for (int j = 0; j < OUT; j++) {
            gm_buf_printf(&text, "{\"$sourceId\":\"t%d\",\"$targetId\":\"t%d\",\"$relationshipId\":\"%d\",\"$relationshipName\":\"r\"}\n", i, target_of(i, j), j);
        }
    }
    gm_buf_byte(&text, '\0');
    api_step fill = { "POST", "/v1/import", "Content-Type: application/x-ndjson\r\n", (const char *)text.ptr, 200, "\"refused\":0" };
    api_plant_talk(&plant, &fill, 1);
    gm_buf_finish(&text);

    // Asked second, answered first.
    test_http_client other;
    test_http_open(&other, gm_api_port(plant.api), api_plant_turn, &plant);
    assert_int_equal(test_http_ask(&other, "GET", "/healthz", NULL, NULL)->status, 200);
    test_http_send_request(&plant.client, "POST", "/query" V, NULL,
                           "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[]->(B)-[]->(C)-[]->(D) WHERE D.$dtId != 'x'\"}");
    test_http_send_request(&other, "GET", "/healthz", NULL, NULL);
    char byte;
    bool quick = false, slow = false;
    for (int i = 0; i < 100000 && !quick; i++) {
        api_plant_turn(&plant);
        quick = recv(other.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
        slow  = recv(plant.client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }
    assert_true(quick);
    assert_false(slow);  // the long one is still under way
    assert_int_equal(test_http_receive(&other, false)->status, 200);
    test_http_reply *reply = test_http_receive(&plant.client, false);
    char             expected[64];
    snprintf(expected, sizeof expected, "{\"value\":[{\"COUNT\":%ld}]}", count_paths());
    assert_int_equal(reply->body.len, strlen(expected));
    assert_memory_equal(reply->body.ptr, expected, reply->body.len);
    test_http_shut(&other);
    api_plant_stop(&plant);
}

static void an_index_is_made_used_kept_and_dropped(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    api_plant_fill(&plant);
#define EXPLAIN "{\"query\":\"EXPLAIN SELECT * FROM DIGITALTWINS T WHERE T.motor.speed > 90\"}"
#define FIND "{\"query\":\"SELECT T.$dtId FROM DIGITALTWINS T WHERE T.motor.speed > 90\"}"
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < 100; i++) {
        gm_buf_printf(&text, "{\"$dtId\":\"n%d\",\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{},\"speed\":%d}}\n", i, i == 50 ? 95 : i % 50);
    }
    gm_buf_byte(&text, '\0');
    api_step fill = { "POST", "/v1/import", "Content-Type: application/x-ndjson\r\n", (const char *)text.ptr, 200, "\"refused\":0" };
    api_plant_talk(&plant, &fill, 1);
    gm_buf_finish(&text);
    static const api_step steps[] = {
        { "GET", "/v1/indexes", NULL, NULL, 200, "{\"value\":[]}" },
        { "PUT", "/v1/indexes/none", NULL, "{}", 400, "InvalidArgument" },
        { "PUT", "/v1/indexes/tags", NULL, "{}", 400, "InvalidArgument" },  // a map
        { "PUT", "/v1/indexes/limit", NULL, "{\"kind\":\"b-tree\"}", 400, "InvalidArgument" },
        { "DELETE", "/v1/indexes/limit", NULL, NULL, 404, "IndexNotFound" },
        { "POST", "/query" V, NULL, EXPLAIN, 200, "!index" },
        { "PUT", "/v1/indexes/motor%2Fspeed", NULL, "{}", 204, NULL },
        { "PUT", "/v1/indexes/name", NULL, "{\"kind\":\"hash\"}", 204, NULL },
        { "GET", "/v1/indexes", NULL, NULL, 200, "{\"property\":\"motor/speed\",\"kind\":\"ordered\",\"entries\":101,\"from\":\"api\"}" },
        { "POST", "/query" V, NULL, EXPLAIN, 200, "look up dtmi:t:Pump;1 by the index of motor/speed: at most 1 of 102 rows" },
        { "POST", "/query" V, NULL, FIND, 200, "{\"value\":[{\"$dtId\":\"n50\"}]}" },
        { "PATCH", "/digitaltwins/n7" V, NULL, "[{\"op\":\"replace\",\"path\":\"/motor/speed\",\"value\":91}]", 204, NULL },
        { "POST", "/query" V, NULL, FIND, 200, "{\"value\":[{\"$dtId\":\"n7\"},{\"$dtId\":\"n50\"}]}" },
    };
    API_TALK(&plant, steps);
    api_plant_checkpoint(&plant);
    api_plant_restart(&plant);
    static const api_step after[] = {
        { "POST", "/query" V, NULL, EXPLAIN, 200, "at most 2 of 102 rows" },
        { "POST", "/query" V, NULL, FIND, 200, "{\"value\":[{\"$dtId\":\"n7\"},{\"$dtId\":\"n50\"}]}" },
        { "DELETE", "/v1/indexes/motor%2Fspeed", NULL, NULL, 204, NULL },
        { "POST", "/query" V, NULL, EXPLAIN, 200, "!index" },
        { "POST", "/query" V, NULL, FIND, 200, "{\"value\":[{\"$dtId\":\"n7\"},{\"$dtId\":\"n50\"}]}" },
    };
    API_TALK(&plant, after);
    api_plant_stop(&plant);
}

// Each page goes on in the state of the first one, also when a sample for that time comes in between.
static void pages_of_the_past_agree_with_each_other_and_are_made_once(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    api_plant_fill(&plant);
    gm_past_states *past = gm_engine_past_states(plant.engine);
    char            soon[GM_TIME_TEXT], body[700], token[300] = "";
    gm_time_format(gm_now(gm_clock_system()) + GM_HOUR, soon);
    int rows = 0, pages = 0;
    do {
        if (token[0] == '\0') snprintf(body, sizeof body, "{\"query\":\"SELECT T.$dtId FROM DIGITALTWINS T AS OF '%s'\"}", soon);
        else snprintf(body, sizeof body, "{\"query\":\"SELECT T.$dtId FROM DIGITALTWINS T AS OF '%s'\",\"continuationToken\":\"%s\"}", soon, token);
        test_http_reply *reply = test_http_ask(&plant.client, "POST", "/query" V, "max-items-per-page: 1\r\n", body);
        assert_int_equal(reply->status, 200);
        json_t *page = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
        assert_non_null(page);
        rows += (int)json_array_size(json_object_get(page, "value"));
        const char *next = json_string_value(json_object_get(page, "continuationToken"));
        snprintf(token, sizeof token, "%s", next != NULL ? next : "");
        json_decref(page);
        if (pages++ == 0) {  // one more twin: not of the answer that has begun
            api_step more = { "PUT", "/digitaltwins/latecomer" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 200, NULL };
            api_plant_talk(&plant, &more, 1);
        }
    } while (token[0] != '\0' && pages < 20);
    assert_int_equal(rows, 3);
    assert_true(pages >= 3);
    assert_int_equal(gm_past_states_statistics(past).built, 1);
    api_plant_stop(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_form_is_understood),
        cmocka_unit_test(hostile_queries_are_refused_with_a_reason),
        cmocka_unit_test(a_long_question_leaves_others_their_turn),
        cmocka_unit_test(an_index_is_made_used_kept_and_dropped),
        cmocka_unit_test(pages_of_the_past_agree_with_each_other_and_are_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
