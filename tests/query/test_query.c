// The language, by examples: what is asked of the fixture plant and what comes back.
#include "query/fixture.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct example { const char *query, *rows; } example;

// Runs the examples; rows are compared as text, joined by newlines.
static void check(const example *examples, size_t n)
{
    gm_small_plant plant;
    fixture_open(&plant, gm_alloc_system());
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        char *rows = fixture_ask(&plant, examples[i].query);
        if (strcmp(rows, examples[i].rows) != 0) {
            print_error("%s\n  expected: %s\n  found:    %s\n", examples[i].query, examples[i].rows, rows);
            wrong++;
        }
        free(rows);
    }
    gm_small_plant_close(&plant);
    assert_int_equal(wrong, 0);
}
#define CHECK(examples) check(examples, sizeof examples / sizeof examples[0])

#define ID(id) "{\"$dtId\":\"" id "\"}\n"
#define ROOM2 "room 2/\xc3\xa4"
#define T "SELECT T.$dtId FROM DIGITALTWINS T WHERE "

static void comparisons_find_rows(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "T.temperature > 60", ID("p1") },
        { T "T.temperature >= 59.9", ID("p1") ID("p2") },
        { T "T.temperature < 0", ID("m2") },
        { T "0 > T.temperature", ID("m2") },
        { T "T.temperature <= 20.5", ID("m1") ID("m2") },
        { T "T.temperature = 61", ID("p1") },
        { T "T.temperature != 61", ID("m1") ID("m2") ID("p2") },
        { T "T.temperature <> 61", ID("m1") ID("m2") ID("p2") },
        { T "T.temperature = 'warm'", ID("r1") },
        { T "NOT T.temperature > 60", ID("m1") ID("m2") ID("p2") },
        { T "T.starts = 10", ID("p1") },
        { T "T.starts > 2.5", ID("m1") ID("p1") },
        { T "T.starts = 2.5", "" },
        { T "T.starts < -0.5", ID("p2") },
        { T "T.total = 9007199254740993", ID("m2") },
        { T "T.total = 9007199254740992", "" },  // the nearest double must not do
        { T "T.total > 9007199254740992.0", ID("m2") },
        { T "T.on = true", ID("m1") },
        { T "T.on", ID("m1") },
        { T "NOT T.on", ID("m2") },
        { T "T.on != TRUE", ID("m2") },
        { T "T.mode = 'hand'", ID("p2") },
        { T "T.name = 'mill'", ID("m1") },
        { T "T.name > 'pump one'", ID("p2") ID(ROOM2) },
        { T "T.name = 'Stra\xc3\x9f" "e \"9\"'", ID("m2") },
        { T "T.name = 'Stra\\u00dfe \\\"9\\\"'", ID("m2") },
        { T "T.name = \"hall\"", ID("r1") },
        { T "T.temperature = T.starts", "" },
        { T "T.temperature > T.starts", ID("m1") ID("p1") ID("p2") },
        { T "T.temperature > T.motor.temperature", "" },
        { T "T.motor.temperature > T.temperature", ID("p1") },
        { "SELECT $dtId FROM DIGITALTWINS WHERE temperature > 60", ID("p1") },
        { "select T.$dtId from digitaltwins T where T.temperature > 60 and T.starts = 10", ID("p1") },
        { "SELECT T.$dtId FROM DIGITALTWINS AS T WHERE T.flow = 3.5", ID("p1") },
    };
    CHECK(examples);
}

static void unknown_is_neither_true_nor_false(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "T.nothing = 1", "" },
        { T "NOT T.nothing = 1", "" },
        { T "T.nothing != 1", "" },
        { T "T.Temperature > 60", "" },  // names are case-sensitive
        { T "T.nothing = 1 OR T.temperature > 60", ID("p1") },
        { T "NOT (T.nothing = 1 AND T.temperature > 60)", ID("m1") ID("m2") ID("p2") },
        { T "NOT (T.nothing = 1 OR T.temperature > 60)", "" },
        { T "T.temperature = null", "" },
        { T "T.temperature > 'a'", ID("r1") },  // a text among texts; numbers can not be compared with it
        { T "T.on > 0", "" },
        { T "T.address.street.deeper = 1", "" },
        { T "T = 1", "" },
        { T "1 = 1 AND T.starts = 3", ID("m1") },
        { T "1 = 2", "" },
        { T "null = null AND T.starts = 3", ID("m1") },
    };
    CHECK(examples);
}

static void conditions_combine_by_precedence(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "T.starts = 3 OR T.starts = 10 AND T.temperature < 0", ID("m1") },
        { T "(T.starts = 3 OR T.starts = 10) AND T.temperature > 60", ID("p1") },
        { T "NOT T.starts = 3 AND T.starts = 10", ID("p1") },
        { T "NOT NOT T.starts = 3", ID("m1") },
        { T "((((T.starts = 3))))", ID("m1") },
        { T "T.starts = 3 OR T.starts = 10 OR T.starts = -1", ID("m1") ID("p1") ID("p2") },
        { T "T.starts + 1 = 4", ID("m1") },
        { T "T.starts * 2 - 1 > 2 + 3", ID("p1") },
        { T "-T.starts = 1", ID("p2") },
        { T "T.starts / 0 = 1 OR T.starts % 3 = 1", ID("p1") },
        { T "T.temperature - T.starts > 40", ID("p1") ID("p2") },
        { T "T.name + 1 = 2", "" },
    };
    CHECK(examples);
}

static void sets_are_searched(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "T.starts IN [3, 10]", ID("m1") ID("p1") },
        { T "T.starts in [10.0, 'x', true]", ID("p1") },
        { T "T.starts NIN [3, 10]", ID("p2") },
        { T "T.starts NOT IN [3, 10]", ID("p2") },
        { T "NOT T.starts IN [3, 10]", ID("p2") },
        { T "T.name IN ['hall', 'mill', 'no']", ID("m1") ID("r1") },
        { T "T.temperature IN [61, 'warm']", ID("p1") ID("r1") },
        { T "T.nothing NIN [1]", "" },
        { T "T.$dtId IN ['p2', 'nobody', 'm1', 'p2']", ID("m1") ID("p2") },
        { T "T.$dtId = 'p1' OR T.$dtId = 'r1'", ID("p1") ID("r1") },
        { T "T.$dtId NIN ['p2', 'm1', 'm2', 'm3']", ID("p1") ID("r1") ID(ROOM2) },
        { T "T.on IN [false]", ID("m2") },
    };
    CHECK(examples);
}

static void functions_look_at_kinds_and_texts(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "IS_DEFINED(T.starts)", ID("m1") ID("p1") ID("p2") },
        { T "NOT IS_DEFINED(T.name)", ID("m3") },
        { T "IS_DEFINED(T.tags.red)", ID("m3") },
        { T "is_defined(tags.red) AND NOT is_defined(tags.blue)", ID("m3") },
        { T "IS_DEFINED(T.address)", ID("m3") },
        { T "IS_DEFINED(T.motor)", ID("p1") ID("p2") },
        { T "IS_DEFINED(T.motor.on)", ID("p1") },
        { T "IS_OBJECT(T.address)", ID("m3") },
        { T "IS_OBJECT(T.tags)", ID("m3") },
        { T "IS_OBJECT(T.floors)", "" },
        { T "IS_DEFINED(T.floors) AND NOT IS_OBJECT(T.floors)", ID("m2") },
        { T "IS_NUMBER(T.temperature)", ID("m1") ID("m2") ID("p1") ID("p2") },
        { T "IS_STRING(T.temperature)", ID("r1") },
        { T "IS_BOOL(T.on)", ID("m1") ID("m2") },
        { T "IS_NULL(T.on)", "" },
        { T "NOT IS_NULL(T.on) AND T.$dtId = 'm3'", ID("m3") },
        { T "IS_PRIMITIVE(T.temperature)", ID("m1") ID("m2") ID("p1") ID("p2") ID("r1") },
        { T "IS_PRIMITIVE(T.tags)", "" },
        { T "STARTSWITH(T.name, 'pump')", ID("p1") ID("p2") },
        { T "ENDSWITH(T.$dtId, '1')", ID("m1") ID("p1") ID("r1") },
        { T "ENDS_WITH(T.$dtId, '1') AND STARTS_WITH(T.$dtId, 'p')", ID("p1") },
        { T "CONTAINS(T.name, 'a\xc3\x9f')", ID("m2") },
        { T "NOT CONTAINS(T.name, 'l')", ID("m2") ID("p1") ID("p2") ID(ROOM2) },
        { T "CONTAINS(T.starts, '1')", "" },
        { T "CONTAINS(T.name, '')", ID("m1") ID("m2") ID("p1") ID("p2") ID("r1") ID(ROOM2) },
        { T "ARRAY_CONTAINS(T.floors, 2)", ID("m2") },
        { T "ARRAY_CONTAINS(T.floors, 2.0)", ID("m2") },
        { T "ARRAY_CONTAINS(T.nested, 3)", "" },  // not inside nested ones
        { T "NOT ARRAY_CONTAINS(T.floors, 9)", ID("m2") },
        { T "IS_OF_MODEL('dtmi:t:Machine;1')", ID("m1") ID("m2") ID("m3") ID("p1") ID("p2") },
        { T "IS_OF_MODEL('dtmi:t:Machine;1', exact)", ID("m1") ID("m2") ID("m3") },
        { T "IS_OF_MODEL(T, 'dtmi:t:Pump;1') AND T.starts > 0", ID("p1") },
        { T "NOT IS_OF_MODEL(T, 'dtmi:t:Machine;1', EXACT)", ID("p1") ID("p2") ID("r1") ID(ROOM2) },
        { T "IS_OF_MODEL('dtmi:t:Nobody;1')", "" },
        { T "(IS_OF_MODEL('dtmi:t:Pump;1')) = true", ID("p1") ID("p2") },
    };
    CHECK(examples);
}

static void paths_lead_into_documents(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "T.tags.size = 'small'", ID("m3") },
        { T "T.tags.[[a\"b]] = 'q'", ID("m3") },
        { T "T.address.number = 7", ID("m3") },
        { T "T.motor.temperature = 70", ID("p1") },
        { T "T.[[motor]].[[temperature]] = 70", ID("p1") },
        { T "T.[[motor/temperature]] = 70", "" },  // a name, not a path
        { T "T.tags.[[a/b]] = 'c'", ID("m3") },
        { T "[[GROUP]] = 'a'", ID("m1") ID("p1") },
        { T "T.group = 'a'", "" },
        { T "T.GROUP = 'a'", ID("m1") ID("p1") },  // behind a dot a reserved word is a name
        { T "T.$dtId = '" ROOM2 "'", ID(ROOM2) },
        { T "T.$metadata.$model = 'dtmi:t:Room;1'", ID("r1") ID(ROOM2) },
        // The fixture applies one change a second; twins are changes 2 to 8.
        { T "T.$metadata.temperature.lastUpdateTime > '1970-01-01T00:00:03Z'", ID("p1") ID("p2") ID("r1") },
        { T "T.$metadata.temperature.lastUpdateTime = '1970-01-01T00:00:03.000Z'", ID("m2") },
        { T "T.$metadata.temperature.sourceTime <= '1970-01-01T01:00:02+01:00'", ID("m1") },
        { T "T.motor.$metadata.temperature.lastUpdateTime = '1970-01-01T00:00:05Z'", ID("p1") },
        { T "T.$metadata.$lastUpdateTime >= '1970-01-01T00:00:08Z'", ID(ROOM2) },
        { T "IS_STRING(T.$metadata.temperature.lastUpdateTime)", ID("m1") ID("m2") ID("p1") ID("p2") ID("r1") },
        { T "T.$etag = 'W/\"2\"'", ID("m1") },
        { "SELECT T.$metadata.temperature.lastUpdateTime FROM DIGITALTWINS T WHERE T.$dtId = 'm1'",
          "{\"lastUpdateTime\":\"1970-01-01T00:00:02Z\"}\n" },
        { "SELECT T.$metadata.$model FROM DIGITALTWINS T WHERE T.$dtId = 'm1'", "{\"$model\":\"dtmi:t:Machine;1\"}\n" },
        { "SELECT T.motor FROM DIGITALTWINS T WHERE T.$dtId = 'p2'",
          "{\"motor\":{\"$metadata\":{\"$lastUpdateTime\":\"1970-01-01T00:00:06Z\"}}}\n" },
    };
    CHECK(examples);
}

static void selections_have_the_shapes_of_the_reference(void **state)
{
    (void)state;
#define R1_DOC "{\"$dtId\":\"r1\",\"$etag\":\"W/\\\"7\\\"\",\"name\":\"hall\",\"temperature\":\"warm\",\"$metadata\":{\"$model\":\"dtmi:t:Room;1\","  \
    "\"$lastUpdateTime\":\"1970-01-01T00:00:07Z\",\"name\":{\"lastUpdateTime\":\"1970-01-01T00:00:07Z\",\"sourceTime\":\"1970-01-01T00:00:07Z\"}," \
    "\"temperature\":{\"lastUpdateTime\":\"1970-01-01T00:00:07Z\",\"sourceTime\":\"1970-01-01T00:00:07Z\"}}}"
    static const example examples[] = {
        { "SELECT * FROM DIGITALTWINS WHERE $dtId = 'r1'", R1_DOC "\n" },
        { "SELECT T FROM DIGITALTWINS T WHERE T.$dtId = 'r1'", "{\"T\":" R1_DOC "}\n" },
        { "SELECT T AS room FROM DIGITALTWINS T WHERE T.$dtId = 'r1'", "{\"room\":" R1_DOC "}\n" },
        { "SELECT TOP(1) FROM DIGITALTWINS T WHERE T.$dtId = 'r1'", R1_DOC "\n" },
        { "SELECT T.name, T.starts FROM DIGITALTWINS T WHERE T.starts > 0", "{\"name\":\"mill\",\"starts\":3}\n{\"name\":\"pump one\",\"starts\":10}\n" },
        { "SELECT name, starts FROM DIGITALTWINS WHERE name = 'hall'", "{\"name\":\"hall\"}\n" },
        { "SELECT nothing FROM DIGITALTWINS WHERE name = 'hall'", "{}\n" },
        { "SELECT T.name AS n, T.starts + 1 AS s FROM DIGITALTWINS T WHERE T.starts = 3", "{\"n\":\"mill\",\"s\":4}\n" },
        { "SELECT T.starts > 5 AS busy FROM DIGITALTWINS T WHERE IS_DEFINED(T.starts)", "{\"busy\":false}\n{\"busy\":true}\n{\"busy\":false}\n" },
        { "SELECT T.tags, T.address FROM DIGITALTWINS T WHERE T.$dtId = 'm3'",
          "{\"tags\":{\"red\":\"yes\",\"size\":\"small\",\"a\\\"b\":\"q\",\"a/b\":\"c\"},\"address\":{\"street\":\"Main\",\"number\":7}}\n" },
        { "SELECT T.address.street FROM DIGITALTWINS T WHERE T.$dtId = 'm3'", "{\"street\":\"Main\"}\n" },
        { "SELECT T.temperature, T.on, T.total FROM DIGITALTWINS T WHERE T.$dtId = 'm2'", "{\"temperature\":-3,\"on\":false,\"total\":9007199254740993}\n" },
        { "SELECT COUNT() FROM DIGITALTWINS", "{\"COUNT\":7}\n" },
        { "SELECT COUNT(*) AS n FROM DIGITALTWINS T WHERE IS_OF_MODEL('dtmi:t:Pump;1')", "{\"n\":2}\n" },
        { "SELECT COUNT() FROM DIGITALTWINS WHERE nothing = 1", "{\"COUNT\":0}\n" },
        { "SELECT COUNT() FROM RELATIONSHIPS", "{\"COUNT\":8}\n" },
        { "SELECT TOP(2) T.$dtId FROM DIGITALTWINS T", ID("m1") ID("m2") },
        { "SELECT TOP(0) * FROM DIGITALTWINS", "" },
        { "SELECT T.$dtId FROM DIGITALTWINS T LIMIT 2 OFFSET 3", ID("p1") ID("p2") },
        { "SELECT T.$dtId FROM DIGITALTWINS T OFFSET 5 LIMIT 1;", ID("r1") },
        { "SELECT T.$dtId FROM DIGITALTWINS T OFFSET 100", "" },
        { "EXPLAIN SELECT * FROM DIGITALTWINS T WHERE T.$dtId = 'x'", "{\"plan\":[\"look up twins T by $dtId: 1 id, checking 1 condition\"]}\n" },
    };
    CHECK(examples);
}

static void relationships_are_a_collection(void **state)
{
    (void)state;
#define REL(id) "{\"$relationshipId\":\"" id "\"}\n"
    static const example examples[] = {
        { "SELECT * FROM RELATIONSHIPS WHERE $relationshipId = 'f2'",
          "{\"$relationshipId\":\"f2\",\"$etag\":\"W/\\\"d\\\"\",\"$sourceId\":\"p2\",\"$targetId\":\"m1\",\"$relationshipName\":\"feeds\",\"size\":4}\n" },
        { "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.$relationshipName = 'feeds'", REL("f1") REL("f2") REL("f3") },
        { "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.size > 3", REL("f2") },
        { "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE $sourceId IN ['p1', 'm1', 'nobody']", REL("f3") REL("n1") REL("n2") REL("f1") },
        { "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.$sourceId = 'm1' AND R.$targetId = 'm1'", REL("n1") },
        { "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.$targetId = 'p2'", REL("c2") REL("f1") },
        { "SELECT COUNT() FROM RELATIONSHIPS R WHERE IS_DEFINED(R.size)", "{\"COUNT\":2}\n" },
        { "SELECT R.$sourceId AS s, R.label FROM RELATIONSHIPS R WHERE R.label = 'x'", "{\"s\":\"p1\",\"label\":\"x\"}\n" },
    };
    CHECK(examples);
}

static void joins_follow_relationships(void **state)
{
    (void)state;
#define PAIR(a, b) "{\"a\":\"" a "\",\"b\":\"" b "\"}\n"
#define AB "SELECT A.$dtId AS a, B.$dtId AS b FROM DIGITALTWINS "
    static const example examples[] = {
        { AB "A JOIN B RELATED A.contains WHERE A.$dtId = 'r1'", PAIR("r1", "p1") PAIR("r1", "p2") },
        { AB "A JOIN B RELATED A.contains WHERE B.$dtId = 'p2'", PAIR("r1", "p2") },
        { AB "A JOIN B RELATED A.contains", PAIR("r1", "p1") PAIR("r1", "p2") PAIR(ROOM2, "m1") },
        { AB "A JOIN B RELATED A.contains WHERE B.temperature > 60", PAIR("r1", "p1") },
        { AB "A JOIN B RELATED A.feeds R WHERE R.size > 3", PAIR("p2", "m1") },
        { AB "A JOIN B RELATED A.nothing", "" },
        { "SELECT C.$dtId FROM DIGITALTWINS A JOIN B RELATED A.contains JOIN C RELATED B.feeds WHERE A.$dtId IN ['r1'] AND IS_OF_MODEL(B, 'dtmi:t:Pump;1')", ID("p2") ID("m1") },
        { "SELECT COUNT() FROM DIGITALTWINS A JOIN B RELATED A.contains JOIN C RELATED B.feeds", "{\"COUNT\":3}\n" },
        { "SELECT R.size, B.name FROM DIGITALTWINS A JOIN B RELATED A.feeds R WHERE A.$dtId = 'p1'", "{\"size\":2.5,\"name\":\"pump two\"}\n" },
        { "SELECT R FROM DIGITALTWINS A JOIN B RELATED A.feeds R WHERE A.$dtId = 'm1'",
          "{\"R\":{\"$relationshipId\":\"f3\",\"$etag\":\"W/\\\"e\\\"\",\"$sourceId\":\"m1\",\"$targetId\":\"p1\",\"$relationshipName\":\"feeds\"}}\n" },
        { "SELECT B.$dtId FROM DIGITALTWINS A JOIN B RELATED A.feeds JOIN C RELATED A.near WHERE A.$dtId = 'm1'", ID("p1") ID("p1") },
    };
    CHECK(examples);
}

static void patterns_match_paths(void **state)
{
    (void)state;
    static const example examples[] = {
        { AB "MATCH (A)-[:feeds]->(B) WHERE A.$dtId = 'p1'", PAIR("p1", "p2") },
        { AB "MATCH (A)<-[:feeds]-(B) WHERE A.$dtId = 'p1'", PAIR("p1", "m1") },
        { AB "MATCH (A)-[:feeds]-(B) WHERE A.$dtId = 'p1'", PAIR("p1", "p2") PAIR("p1", "m1") },
        { AB "MATCH (A)-[]->(B) WHERE A.$dtId = 'm1'", PAIR("m1", "p1") PAIR("m1", "m1") PAIR("m1", "m2") },
        { AB "MATCH (A)-[:contains|near]->(B) WHERE A.$dtId = 'm1' OR A.$dtId = 'r1'", PAIR("m1", "m1") PAIR("m1", "m2") PAIR("r1", "p1") PAIR("r1", "p2") },
        { AB "MATCH (A)-[:feeds*2]->(B) WHERE A.$dtId = 'p1'", PAIR("p1", "m1") },
        { AB "MATCH (A)-[:feeds*1..3]->(B) WHERE A.$dtId = 'p1'", PAIR("p1", "m1") PAIR("p1", "p1") },  // the lower bound is left out
        { AB "MATCH (A)-[:feeds*..2]->(B) WHERE A.$dtId = 'p1'", PAIR("p1", "p2") PAIR("p1", "m1") },
        { AB "MATCH (A)-[:feeds*..10]->(B) WHERE A.$dtId = 'p1'", PAIR("p1", "p2") PAIR("p1", "m1") PAIR("p1", "p1") },  // each relationship once
        { AB "MATCH (A)-[feeds|near*..2]->(B) WHERE A.$dtId = 'm2'", "" },
        { AB "MATCH (A)-[r:feeds]->(B) WHERE A.$dtId = 'p1' AND r.size = 2.5", PAIR("p1", "p2") },
        { AB "MATCH (A)-[r]->(B) WHERE A.$dtId = 'p2' AND r.size = 4", PAIR("p2", "m1") },
        { AB "MATCH (A)-[:contains]->(X)-[:feeds]->(B) WHERE A.$dtId = 'r1'", PAIR("r1", "p2") PAIR("r1", "m1") },
        { AB "MATCH (A)-[:contains]->()-[:feeds]->(B) WHERE A.$dtId = 'r1'", PAIR("r1", "p2") PAIR("r1", "m1") },
        { AB "MATCH (A)-[:contains]->(X)<-[:contains]-(B) WHERE A.$dtId = 'r1'", "" },  // not back over the same one
        { AB "MATCH (A)-[:feeds]->(B)-[:feeds]->(C)-[:feeds]->(A) WHERE A.$dtId = 'p1'", PAIR("p1", "p2") },
        { "SELECT A.$dtId FROM DIGITALTWINS MATCH (A) WHERE A.$dtId = 'p1'", ID("p1") },
        { "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[]-(B)", "{\"COUNT\":15}\n" },
        { "SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[]->(B) WHERE A.$dtId = 'p2' AND B.temperature < 60", ID("m1") },
        { "SELECT * FROM DIGITALTWINS MATCH (A)-[R:feeds]->() WHERE A.$dtId = 'r1'", "" },
        { AB "MATCH (A)-[:feeds*3]->(B) WHERE B.$dtId = 'p2'", PAIR("p2", "p2") },
    };
    CHECK(examples);
}

static void rows_are_ordered_and_grouped(void **state)
{
    (void)state;
    static const example examples[] = {
        { T "IS_NUMBER(T.temperature) ORDER BY T.temperature", ID("m2") ID("m1") ID("p2") ID("p1") },
        { T "IS_NUMBER(T.temperature) ORDER BY temperature DESC", ID("p1") ID("p2") ID("m1") ID("m2") },
        { T "IS_NUMBER(T.temperature) ORDER BY T.temperature DESC LIMIT 2", ID("p1") ID("p2") },
        { T "IS_NUMBER(T.temperature) ORDER BY T.temperature OFFSET 1 LIMIT 1", ID("m1") },
        { "SELECT TOP(1) T.$dtId FROM DIGITALTWINS T ORDER BY T.$dtId DESC", ID(ROOM2) },
        { "SELECT T.$dtId FROM DIGITALTWINS T ORDER BY T.temperature", ID("m3") ID(ROOM2) ID("m2") ID("m1") ID("p2") ID("p1") ID("r1") },
        { "SELECT T.$dtId FROM DIGITALTWINS T WHERE IS_DEFINED(T.[[GROUP]]) ORDER BY T.[[GROUP]] DESC, T.starts DESC", ID("m2") ID("p1") ID("m1") },
        { "SELECT T.starts AS s FROM DIGITALTWINS T WHERE IS_DEFINED(T.starts) ORDER BY s", "{\"s\":-1}\n{\"s\":3}\n{\"s\":10}\n" },
        { "SELECT AVG(T.starts) FROM DIGITALTWINS T", "{\"AVG\":4}\n" },
        { "SELECT SUM(T.starts) AS s, MIN(T.starts), MAX(T.name) AS m, COUNT(T.starts) AS c FROM DIGITALTWINS T",
          "{\"s\":12,\"MIN\":-1,\"m\":\"yard\",\"c\":3}\n" },
        { "SELECT MAX(T.starts) - MIN(T.starts) AS span FROM DIGITALTWINS T", "{\"span\":11}\n" },
        { "SELECT AVG(T.nothing), COUNT() FROM DIGITALTWINS T WHERE T.starts = 99", "{\"COUNT\":0}\n" },
        { "SELECT T.[[GROUP]] AS g, COUNT() AS n, AVG(T.temperature) AS t FROM DIGITALTWINS T WHERE IS_OF_MODEL('dtmi:t:Machine;1') GROUP BY T.[[GROUP]]",
          "{\"g\":\"a\",\"n\":2,\"t\":40.75}\n{\"g\":\"b\",\"n\":1,\"t\":-3}\n{\"n\":2,\"t\":59.9}\n" },
        { "SELECT T.$metadata.$model AS m, COUNT() AS n FROM DIGITALTWINS T GROUP BY T.$metadata.$model ORDER BY n DESC, m",
          "{\"m\":\"dtmi:t:Machine;1\",\"n\":3}\n{\"m\":\"dtmi:t:Pump;1\",\"n\":2}\n{\"m\":\"dtmi:t:Room;1\",\"n\":2}\n" },
        { "SELECT A.$dtId AS a, COUNT() AS n FROM DIGITALTWINS A JOIN B RELATED A.contains GROUP BY A.$dtId ORDER BY COUNT() LIMIT 1",
          "{\"a\":\"" ROOM2 "\",\"n\":1}\n" },
        { "SELECT T.name FROM DIGITALTWINS T WHERE T.starts = 99 GROUP BY T.name", "" },
    };
    CHECK(examples);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const example examples[] = {
        { "", "line 1, column 1: expected SELECT, but the query ends here" },
        { "SELEC * FROM DIGITALTWINS", "line 1, column 1: expected SELECT, found 'SELEC'" },
        { "SELECT * FORM DIGITALTWINS", "line 1, column 10: expected ',' or FROM, found 'FORM'" },
        { "SELECT * FROM TWINS", "line 1, column 15: expected DIGITALTWINS or RELATIONSHIPS, found 'TWINS'" },
        { "SELECT *\nFROM DIGITALTWINS\nWHERE T.a = ", "line 3, column 13: expected a property, a value or '(', but the query ends here" },
        { T "T.a > 5 6", "line 1, column 50: expected AND, OR, GROUP BY, ORDER BY, LIMIT or the end of the query, found '6'" },
        { T "T.name = '\xc3\xa4\xc3\xb6" , "line 1, column 51: expected a closing ', but the query ends inside this text" },
        { T "'\xc3\xa4\xc3\xb6' = T.a )", "line 1, column 53: expected AND, OR, GROUP BY, ORDER BY, LIMIT or the end of the query, found ')'" },
        { T "group = 'a'", "line 1, column 42: expected a value, found the reserved word 'group'; a property of that name is written [[group]]" },
        { T "T.a = 1 AND", "line 1, column 53: expected a property, a value or '(', but the query ends here" },
        { T "T.a = #", "line 1, column 48: '#' has no meaning here" },
        { T "T.a = 1e999", "line 1, column 48: expected a number of at most 1.8e308" },
        { T "T.a = 12abc", "line 1, column 48: expected a number such as 12, -3.5 or 1e6" },
        { T "T.a IN 5", "line 1, column 49: expected '[' and a list of values, found '5'" },
        { T "T.a IN [1, T.b]", "line 1, column 53: expected a plain value in the list" },
        { T "T.a IN []", "line 1, column 50: expected a property, a value or '(', found ']'" },
        { T "LENGTH(T.a) = 5", "line 1, column 42: expected a function of the query language, found 'LENGTH'" },
        { T "IS_DEFINED(5)", "line 1, column 53: expected a property name in IS_DEFINED" },
        { T "IS_OF_MODEL(X, 'dtmi:a;1')", "line 1, column 54: expected the name of a collection in FROM, or a model id in quotes, found 'X'" },
        { T "COUNT() > 5", "line 1, column 42: expected a condition on single rows, found an aggregate (they stand in SELECT and ORDER BY)" },
        { T "T.[[]] = 5", "line 1, column 44: expected a name closed by ]] behind [[" },
        { "SELECT TOP(x) FROM DIGITALTWINS", "line 1, column 12: expected a whole number in TOP(), found 'x'" },
        { "SELECT T.a + 1 FROM DIGITALTWINS T", "line 1, column 12: expected AS and a name for what is computed here" },
        { "SELECT A.name, B.name FROM DIGITALTWINS A JOIN B RELATED A.x", "line 1, column 16: two columns are called 'name'; rename one with AS" },
        { "SELECT * FROM DIGITALTWINS A JOIN B RELATED A.x", "line 1, column 1: SELECT * can not be combined with JOIN; name the collections to return" },
        { "SELECT a FROM DIGITALTWINS A JOIN B RELATED A.x", "line 1, column 8: expected a collection named in FROM, found 'a' (FROM has several: write Name.property)" },
        { "SELECT A FROM DIGITALTWINS A JOIN A RELATED A.x", "line 1, column 35: the name 'A' is used twice in FROM" },
        { "SELECT A FROM DIGITALTWINS A JOIN B RELATED X.x", "line 1, column 45: expected a collection of twins that was named before, found 'X'" },
        { "SELECT R FROM RELATIONSHIPS R JOIN B RELATED R.x", "line 1, column 31: FROM RELATIONSHIPS can not be combined with JOIN" },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[*0..2]->(B)", "line 1, column 40: expected a number of hops from 1 to 10, found '0'" },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[*11]->(B)", "line 1, column 40: expected a number of hops from 1 to 10, found '11'" },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[*3..2]->(B)", "line 1, column 40: expected a range of hops that rises, such as *1..3 (which means 2 or 3)" },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[r:x*2]->(B)", "line 1, column 39: a relationship of several hops can not be given a name" },
        { "SELECT A FROM DIGITALTWINS MATCH (A)<-[]->(B)", "line 1, column 37: a relationship points one way: write <-[..]- or -[..]->" },
        { "SELECT T.a, COUNT() FROM DIGITALTWINS T", "line 1, column 8: 'a' must stand in GROUP BY or inside an aggregate" },
        { "SELECT * FROM DIGITALTWINS T GROUP BY T.a", "line 1, column 1: SELECT * can not be combined with GROUP BY or aggregates" },
        { "SELECT * FROM DIGITALTWINS AS OF 'yesterday'", "line 1, column 34: expected a time such as '2026-01-01T00:00:00Z', found 'yesterday'" },
        { "SELECT * FROM DIGITALTWINS AS OF '2026-01-01T00:00:00Z'", "AS OF can not be answered from the present state" },
        { "SELECT * FROM DIGITALTWINS WHERE a = '\\q'", "line 1, column 40: expected one of ' \" \\ / n r t b f u behind the backslash" },
        { "SELECT * FROM DIGITALTWINS -- all of them\nWHERE", "line 2, column 6: expected a property, a value or '(', but the query ends here" },
        { "SELECT \xff", "the query is not valid UTF-8 text" },
    };
    CHECK(examples);
}

// ---- bounds -----------------------------------------------------------------------------------------------------

static gm_status prepare_status(const gm_buf *text, gm_error *err)
{
    gm_query *query;
    gm_status st = gm_query_prepare(gm_alloc_system(), gm_buf_view(text), &query, err);
    gm_query_destroy(query);
    return st;
}

static void repeat(gm_buf *text, const char *part, size_t n)
{
    for (size_t i = 0; i < n; i++) gm_buf_text(text, part);
}

static void bounds_are_told_not_crossed(void **state)
{
    (void)state;
    static const struct { const char *head, *part; size_t n; const char *tail; gm_status st; } cases[] = {
        { "SELECT * FROM DIGITALTWINS WHERE a IN [1", ",1", 99999, "]", GM_OK },                  // 100,000 terms
        { "SELECT * FROM DIGITALTWINS WHERE a=1", " OR a=1", 30000, "", GM_OK },                   // become one IN
        { "SELECT * FROM DIGITALTWINS WHERE a=1", " OR a<1", 30000, "", GM_LIMIT },
        { "SELECT * FROM DIGITALTWINS WHERE a=1", " OR a=1", 100000, "", GM_LIMIT },               // too long a text
        { "SELECT * FROM DIGITALTWINS WHERE a=1", " AND a<1", 1999, "", GM_OK },
        { "SELECT * FROM DIGITALTWINS WHERE ", "(", 100000, "", GM_LIMIT },
        { "SELECT * FROM DIGITALTWINS WHERE ", "NOT ", 50000, "a", GM_OK },
        { "SELECT * FROM DIGITALTWINS WHERE ", "- ", 50000, "a = 1", GM_OK },
        { "SELECT * FROM DIGITALTWINS WHERE a = 1", "+1", 199, "", GM_LIMIT },
        { "SELECT * FROM DIGITALTWINS WHERE a = 1", "+1", 150, "", GM_OK },
        { "SELECT * FROM DIGITALTWINS WHERE ", "IS_NULL(", 300, "", GM_LIMIT },
        { "SELECT * FROM DIGITALTWINS WHERE a", ".b", 31, " = 1", GM_OK },
        { "SELECT * FROM DIGITALTWINS WHERE a", ".b", 32, " = 1", GM_LIMIT },
        { "SELECT A FROM DIGITALTWINS A ", "JOIN B RELATED A.x ", 6, "", GM_INVALID },
        { "SELECT A FROM DIGITALTWINS MATCH (A)", "-[]->()", 10, "", GM_OK },
        { "SELECT A FROM DIGITALTWINS MATCH (A)", "-[]->()", 11, "", GM_LIMIT },
        { "SELECT A FROM DIGITALTWINS MATCH (A)-[:a", "|b", 100, "]->(B)", GM_LIMIT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf   text = gm_buf_init(gm_alloc_system());
        gm_error err  = { 0 };
        gm_buf_text(&text, cases[i].head);
        repeat(&text, cases[i].part, cases[i].n);
        gm_buf_text(&text, cases[i].tail);
        gm_status st = prepare_status(&text, &err);
        if (st != cases[i].st) fail_msg("%s%s...: status %d, %s", cases[i].head, cases[i].part, (int)st, err.text);
        gm_buf_finish(&text);
    }
}

static void more_than_five_joins_are_refused(void **state)
{
    (void)state;
    gm_buf   text = gm_buf_init(gm_alloc_system());
    gm_error err;
    gm_buf_text(&text, "SELECT T0 FROM DIGITALTWINS T0");
    for (int i = 1; i <= 6; i++) {
        assert_int_equal(prepare_status(&text, &err), GM_OK);
        gm_buf_printf(&text, " JOIN T%d RELATED T%d.x R%d", i, i - 1, i);
    }
    assert_int_equal(prepare_status(&text, &err), GM_LIMIT);
    gm_buf_finish(&text);
}

// ---- subscriptions ----------------------------------------------------------------------------------------------

static void a_subscription_asks_twin_by_twin(void **state)
{
    (void)state;
    gm_small_plant plant;
    gm_error       err = { 0 };
    gm_query      *query;
    bool           matches;
    fixture_open(&plant, gm_alloc_system());
    assert_gm_ok(gm_query_prepare(gm_alloc_system(), GM_STR("SELECT * FROM DIGITALTWINS T WHERE T.temperature > 60"), &query, &err), err);
    assert_int_equal(gm_query_matches(query, plant.state, gm_state_find(plant.state, GM_STR("p1")), &matches, &err), GM_OK);
    assert_true(matches);
    assert_int_equal(gm_query_matches(query, plant.state, gm_state_find(plant.state, GM_STR("p2")), &matches, &err), GM_OK);
    assert_false(matches);
    assert_int_equal(gm_query_matches(query, plant.state, (gm_twin){ 12345 }, &matches, &err), GM_OK);
    assert_false(matches);
    gm_query_destroy(query);
    assert_gm_ok(gm_query_prepare(gm_alloc_system(), GM_STR("SELECT A FROM DIGITALTWINS A JOIN B RELATED A.feeds"), &query, &err), err);
    assert_int_equal(gm_query_matches(query, plant.state, (gm_twin){ 0 }, &matches, &err), GM_INVALID);
    gm_query_destroy(query);
    gm_small_plant_close(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_find_rows),
        cmocka_unit_test(unknown_is_neither_true_nor_false),
        cmocka_unit_test(conditions_combine_by_precedence),
        cmocka_unit_test(sets_are_searched),
        cmocka_unit_test(functions_look_at_kinds_and_texts),
        cmocka_unit_test(paths_lead_into_documents),
        cmocka_unit_test(selections_have_the_shapes_of_the_reference),
        cmocka_unit_test(relationships_are_a_collection),
        cmocka_unit_test(joins_follow_relationships),
        cmocka_unit_test(patterns_match_paths),
        cmocka_unit_test(rows_are_ordered_and_grouped),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(bounds_are_told_not_crossed),
        cmocka_unit_test(more_than_five_joins_are_refused),
        cmocka_unit_test(a_subscription_asks_twin_by_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
