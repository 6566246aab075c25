#include "query/fixture.h"

#include "state/document.h"
#include <stdlib.h>

#define INTERFACE(id, rest) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"" id "\",\"@type\":\"Interface\"," rest "}"
#define PROPERTY(name, schema) "{\"@type\":\"Property\",\"name\":\"" name "\",\"schema\":" schema "}"

static const char models[] =
    "["
    INTERFACE("dtmi:t:Motor;1", "\"contents\":[" PROPERTY("temperature", "\"double\"") "," PROPERTY("on", "\"boolean\"") "]") ","
    INTERFACE("dtmi:t:Machine;1", "\"contents\":["
        PROPERTY("temperature", "\"double\"") "," PROPERTY("name", "\"string\"") "," PROPERTY("starts", "\"integer\"") ","
        PROPERTY("total", "\"long\"") "," PROPERTY("on", "\"boolean\"") ","
        PROPERTY("mode", "{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":[{\"name\":\"auto\",\"enumValue\":\"auto\"},{\"name\":\"hand\",\"enumValue\":\"hand\"}]}") ","
        PROPERTY("address", "{\"@type\":\"Object\",\"fields\":[{\"name\":\"street\",\"schema\":\"string\"},{\"name\":\"number\",\"schema\":\"integer\"}]}") ","
        PROPERTY("tags", "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"string\"}}") ","
        PROPERTY("floors", "{\"@type\":\"Array\",\"elementSchema\":\"integer\"}") ","
        PROPERTY("nested", "{\"@type\":\"Array\",\"elementSchema\":{\"@type\":\"Array\",\"elementSchema\":\"integer\"}}") ","
        PROPERTY("GROUP", "\"string\"") ","
        "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"properties\":[" PROPERTY("size", "\"double\"") "," PROPERTY("label", "\"string\"") "]},"
        "{\"@type\":\"Relationship\",\"name\":\"near\"}]") ","
    INTERFACE("dtmi:t:Pump;1", "\"extends\":\"dtmi:t:Machine;1\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"
        "{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"}]") ","
    INTERFACE("dtmi:t:Room;1", "\"contents\":[" PROPERTY("name", "\"string\"") "," PROPERTY("temperature", "\"string\"") ","
        "{\"@type\":\"Relationship\",\"name\":\"contains\"}]")
    "]";

#define PUMP "\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}"
#define MACHINE "\"$metadata\":{\"$model\":\"dtmi:t:Machine;1\"}"
#define ROOM "\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}"

void fixture_open(gm_small_plant *plant, const gm_alloc *alloc)
{
    gm_small_plant_open(plant, alloc, models);
    gm_small_plant_twin(plant, "m1", "{" MACHINE ",\"temperature\":20.5,\"name\":\"mill\",\"starts\":3,\"on\":true,\"mode\":\"auto\",\"GROUP\":\"a\"}");
    gm_small_plant_twin(plant, "m2", "{" MACHINE ",\"temperature\":-3,\"name\":\"Stra\xc3\x9f" "e \\\"9\\\"\",\"total\":9007199254740993,\"on\":false,\"floors\":[1,2],\"nested\":[[3],[4]],\"GROUP\":\"b\"}");
    gm_small_plant_twin(plant, "m3", "{" MACHINE ",\"tags\":{\"red\":\"yes\",\"size\":\"small\",\"a\\\"b\":\"q\",\"a/b\":\"c\"},\"address\":{\"street\":\"Main\",\"number\":7}}");
    gm_small_plant_twin(plant, "p1", "{" PUMP ",\"temperature\":61,\"name\":\"pump one\",\"starts\":10,\"flow\":3.5,\"motor\":{\"temperature\":70,\"on\":true,\"$metadata\":{}},\"GROUP\":\"a\"}");
    gm_small_plant_twin(plant, "p2", "{" PUMP ",\"temperature\":59.9,\"name\":\"pump two\",\"starts\":-1,\"mode\":\"hand\",\"motor\":{\"$metadata\":{}}}");
    gm_small_plant_twin(plant, "r1", "{" ROOM ",\"name\":\"hall\",\"temperature\":\"warm\"}");
    gm_small_plant_twin(plant, "room 2/\xc3\xa4", "{" ROOM ",\"name\":\"yard\"}");
    gm_small_plant_relate(plant, "r1", "c1", "contains", "p1", "{}");
    gm_small_plant_relate(plant, "r1", "c2", "contains", "p2", "{}");
    gm_small_plant_relate(plant, "room 2/\xc3\xa4", "c1", "contains", "m1", "{}");
    gm_small_plant_relate(plant, "p1", "f1", "feeds", "p2", "{\"size\":2.5,\"label\":\"x\"}");
    gm_small_plant_relate(plant, "p2", "f2", "feeds", "m1", "{\"size\":4}");
    gm_small_plant_relate(plant, "m1", "f3", "feeds", "p1", "{}");
    gm_small_plant_relate(plant, "m1", "n1", "near", "m1", "{}");
    gm_small_plant_relate(plant, "m1", "n2", "near", "m2", "{}");
}

static char *failed(const gm_error *err)
{
    char *text = strdup(err->text);
    assert_non_null(text);
    return text;
}

static void add_lines(gm_buf *lines, gm_str items)
{
    // Items are separated by commas: jansson, as an array's reader, tells where each ends.
    gm_buf array = gm_buf_init(gm_alloc_system());
    gm_buf_byte(&array, '[');
    gm_buf_str(&array, items);
    gm_buf_byte(&array, ']');
    json_error_t err;
    json_t      *rows = json_loadb((const char *)array.ptr, array.len, 0, &err);
    if (rows == NULL) fail_msg("not JSON: %.*s", (int)items.len, items.ptr);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        gm_document_compact(json_array_get(rows, i), lines);
        gm_buf_byte(lines, '\n');
    }
    json_decref(rows);
    gm_buf_finish(&array);
}

char *fixture_ask_paged(const gm_small_plant *plant, const char *text, uint32_t items_max, uint64_t work_max)
{
    gm_error  err = { 0 };
    gm_query *query;
    if (gm_query_prepare(gm_alloc_system(), gm_str_of(text), &query, &err) != GM_OK) return failed(&err);
    gm_buf        lines = gm_buf_init(gm_alloc_system());
    gm_query_page page  = { 0 };
    char          token[GM_QUERY_TOKEN_MAX] = "";
    gm_status     st;
    int           pages = 0;
    do {
        gm_buf items = gm_buf_init(gm_alloc_system());
        page         = (gm_query_page){ .items_max = items_max, .work_max = work_max, .token = gm_str_of(token) };
        st           = gm_query_run(query, plant->state, &page, &items, &err);
        if (st == GM_OK) add_lines(&lines, gm_buf_view(&items));
        if (page.items > items_max) fail_msg("%u items on a page of %u", page.items, items_max);
        gm_buf_finish(&items);
        memcpy(token, page.next, sizeof token);
        if (++pages > 100000) fail_msg("pages without end: %s", text);
    } while (st == GM_OK && token[0] != '\0');
    gm_query_destroy(query);
    gm_buf_byte(&lines, '\0');
    if (st == GM_OK) return (char *)lines.ptr;
    gm_buf_finish(&lines);
    return failed(&err);
}

char *fixture_ask(const gm_small_plant *plant, const char *query)
{
    return fixture_ask_paged(plant, query, GM_QUERY_PAGE_MAX, 0);
}
