// Documents into cells: every schema's rule, and the sentence that tells who breaks it.
#include "state/document.h"

#include "support/small_plant.h"
#include "support/support.h"

#include <stdlib.h>

#define PROPERTY(name, schema) "{\"@type\":\"Property\",\"name\":\"" name "\",\"schema\":" schema "}"
static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;4\",\"@id\":\"dtmi:t:Motor;1\",\"@type\":\"Interface\",\"contents\":["
    PROPERTY("speed", "\"double\"") "," PROPERTY("label", "\"string\"") ",{\"@type\":\"Telemetry\",\"name\":\"current\",\"schema\":\"double\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;4\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    PROPERTY("flag", "\"boolean\"") "," PROPERTY("tiny", "\"byte\"") "," PROPERTY("small", "\"short\"") "," PROPERTY("number", "\"integer\"") ","
    PROPERTY("big", "\"long\"") "," PROPERTY("ubyte", "\"unsignedByte\"") "," PROPERTY("real", "\"double\"") "," PROPERTY("single", "\"float\"") ","
    PROPERTY("exact", "\"decimal\"") "," PROPERTY("text", "\"string\"") "," PROPERTY("uid", "\"uuid\"") "," PROPERTY("raw", "\"bytes\"") ","
    PROPERTY("day", "\"date\"") "," PROPERTY("moment", "\"dateTime\"") "," PROPERTY("clock", "\"time\"") "," PROPERTY("span", "\"duration\"") ","
    PROPERTY("mode", "{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":[{\"name\":\"auto\",\"enumValue\":\"auto\"},{\"name\":\"hand\",\"enumValue\":\"hand\"}]}") ","
    PROPERTY("level", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[{\"name\":\"low\",\"enumValue\":1},{\"name\":\"high\",\"enumValue\":2}]}") ","
    PROPERTY("address", "{\"@type\":\"Object\",\"fields\":[{\"name\":\"street\",\"schema\":\"string\"},{\"name\":\"place\",\"schema\":{\"@type\":\"Object\",\"fields\":[{\"name\":\"lat\",\"schema\":\"double\"}]}}]}") ","
    PROPERTY("tags", "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"integer\"}}") ","
    PROPERTY("list", "{\"@type\":\"Array\",\"elementSchema\":\"double\"}") ","
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"
    "{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"},"
    "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"properties\":[" PROPERTY("size", "\"integer\"") "]}]}]";

#define META "\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}"
#define MOTOR "\"motor\":{\"$metadata\":{}}"

typedef struct world {
    gm_small_plant plant;
    gm_arena      *arena;
    gm_error       err;
} world;

static void open_world(world *w)
{
    *w = (world){ .arena = gm_arena_create(gm_alloc_system(), 0) };
    gm_small_plant_open(&w->plant, gm_alloc_system(), models);
}

static void close_world(world *w)
{
    gm_arena_destroy(w->arena);
    gm_small_plant_close(&w->plant);
}

static json_t *parse(const char *text)
{
    json_error_t err;
    json_t      *body = json_loads(text, JSON_DECODE_ANY, &err);
    if (body == NULL) fail_msg("%s: %s", text, err.text);
    return body;
}

// The cells as "path=value path=value", in their order; values as JSON.
static char *show(const gm_type *type, const gm_cell_write *cells, size_t n)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < n; i++) {
        gm_buf_printf(&out, "%s" GM_STR_FMT "=", i > 0 ? " " : "", GM_STR_ARG(type->columns[cells[i].column].path));
        gm_document_write_value(cells[i].value, &out);
    }
    gm_buf_byte(&out, '\0');
    return (char *)out.ptr;
}

static void each_schema_takes_its_values_only(void **state)
{
    (void)state;
    static const struct { const char *body, *cells_or_error; } cases[] = {
        { "\"flag\":true", "flag=true" },
        { "\"flag\":1", "'flag' must be true or false, found 1" },
        { "\"tiny\":-128", "tiny=-128" },
        { "\"tiny\":128", "'tiny' must be a whole number from -128 to 127 (byte), found 128" },
        { "\"small\":32768", "'small' must be a whole number from -32768 to 32767 (short), found 32768" },
        { "\"number\":2147483647", "number=2147483647" },
        { "\"number\":2147483648", "'number' must be a whole number from -2147483648 to 2147483647 (integer), found 2147483648" },
        { "\"number\":5.0", "number=5" },
        { "\"number\":5.5", "'number' must be a whole number from -2147483648 to 2147483647 (integer), found 5.5" },
        { "\"number\":\"5\"", "'number' must be a whole number from -2147483648 to 2147483647 (integer), found '5'" },
        { "\"number\":null", "'number' must be a whole number from -2147483648 to 2147483647 (integer), found null (leave a value out to have none)" },
        { "\"big\":9223372036854775807", "big=9223372036854775807" },
        { "\"ubyte\":-1", "'ubyte' must be a whole number from 0 to 255 (unsignedByte), found -1" },
        { "\"real\":0.1", "real=0.1" },
        { "\"real\":7", "real=7" },
        { "\"real\":\"NaN\"", "'real' must be a number (double), found 'NaN'" },
        { "\"single\":1e39", "'single' must be a number of at most 3.4e38 (float), found 1e+39" },
        { "\"exact\":1.25", "exact=\"1.25\"" },
        { "\"exact\":\"1.250\"", "exact=\"1.250\"" },
        { "\"exact\":\"1,25\"", "'exact' must be a decimal number, found '1,25'" },
        { "\"text\":\"\xc3\xa4\\n\"", "text=\"\xc3\xa4\\n\"" },
        { "\"text\":[1]", "'text' must be a text, found an array" },
        { "\"uid\":\"123e4567-e89b-12d3-a456-426614174000\"", "uid=\"123e4567-e89b-12d3-a456-426614174000\"" },
        { "\"uid\":\"123e4567e89b12d3a456426614174000\"", "'uid' must be a UUID such as 123e4567-e89b-12d3-a456-426614174000, found a text" },
        { "\"raw\":\"aGk=\"", "raw=\"aGk=\"" },
        { "\"raw\":\"a?\"", "'raw' must be bytes in base64, found 'a?'" },
        { "\"day\":\"1890-02-28\"", "day=\"1890-02-28\"" },
        { "\"day\":\"2026-02-30\"", "'day' must be a date such as 2026-01-31, found '2026-02-30'" },
        { "\"moment\":\"1890-01-01T00:00:00+01:00\"", "moment=\"1890-01-01T00:00:00+01:00\"" },
        { "\"moment\":\"2026-01-01T00:00:00\"", "'moment' must be a time such as 2026-01-31T12:00:00Z, found '2026-01-01T00:00:00'" },
        { "\"moment\":\"2026-13-01T00:00:00Z\"", "'moment' must be a time such as 2026-01-31T12:00:00Z, found '2026-13-01T00:00:00Z'" },
        { "\"clock\":\"25:00:00\"", "'clock' must be a time of day such as 13:45:00, found '25:00:00'" },
        { "\"span\":\"PT1H\"", "span=\"PT1H\"" },
        { "\"span\":\"1h\"", "'span' must be a duration such as PT1H30M, found '1h'" },
        { "\"mode\":\"hand\"", "mode=\"hand\"" },
        { "\"mode\":\"off\"", "'mode' must be one of 'auto', 'hand', found 'off'" },
        { "\"level\":2", "level=2" },
        { "\"level\":3", "'level' must be one of 1, 2, found 3" },
        { "\"address\":{\"street\":\"a\",\"place\":{\"lat\":1.5}}", "address/street=\"a\" address/place/lat=1.5" },
        { "\"address\":{\"town\":\"a\"}", "'address/town' is not part of model dtmi:t:Pump;1" },
        { "\"address\":{\"place\":{\"lat\":\"x\"}}", "'address/place/lat' must be a number (double), found 'x'" },
        { "\"address\":5", "'address' must be an object, found a number" },
        { "\"tags\":{\"a\":1,\"b\":2}", "tags={\"a\":1,\"b\":2}" },
        { "\"tags\":{\"a\":\"x\"}", "'tags/a' must be a whole number from -2147483648 to 2147483647 (integer), found 'x'" },
        { "\"list\":[1,2.50,3e0]", "list=[1,2.5,3]" },
        { "\"list\":[1,null]", "'list/1' must be a number (double), found null (leave a value out to have none)" },
        { "\"flow\":2.5", "flow=2.5" },  // telemetry too: what was read can be written back
        { "\"speed\":1", "'speed' is not part of model dtmi:t:Pump;1" },
        { "\"Flag\":true", "'Flag' is not part of model dtmi:t:Pump;1" },
        { "\"$dtId\":\"x\",\"$etag\":\"y\"", "" },
        { "\"$other\":1", "'$other' is not part of model dtmi:t:Pump;1" },
        { "\"motor/speed\":1", "'motor/speed' is not part of model dtmi:t:Pump;1" },
    };
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[600];
        snprintf(text, sizeof text, "{" META "," MOTOR ",%s}", cases[i].body);
        json_t          *body = parse(text);
        gm_twin_document doc;
        gm_status        st    = gm_document_read_twin(w.plant.model, body, 0, w.arena, &doc, &w.err);
        char            *cells = st == GM_OK ? show(doc.type, doc.cells, doc.count) : strdup(w.err.text);
        if (strcmp(cells, cases[i].cells_or_error) != 0) fail_msg("%s\n expected %s\n found    %s", cases[i].body, cases[i].cells_or_error, cells);
        free(cells);
        json_decref(body);
    }
    close_world(&w);
}

static void a_twin_is_whole_or_refused(void **state)
{
    (void)state;
    static const struct { const char *body; gm_status st; const char *cells_or_error; } cases[] = {
        { "{" META "," MOTOR "}", GM_OK, "" },
        { "{" META ",\"motor\":{\"speed\":3,\"$metadata\":{}}}", GM_OK, "motor/speed=3" },
        { "{" META "}", GM_INVALID, "component 'motor' is missing; an empty one is {\"$metadata\":{}}" },
        { "{" META ",\"motor\":{}}", GM_INVALID, "'motor/$metadata' must be an object and is missing" },
        { "{" META ",\"motor\":5}", GM_INVALID, "component 'motor' must be an object, found a number" },
        { "{" META ",\"motor\":{\"$metadata\":{},\"flow\":1}}", GM_INVALID, "'motor/flow' is not part of model dtmi:t:Pump;1" },
        { "{" MOTOR "}", GM_INVALID, "'$metadata/$model' must name the twin's model, such as dtmi:example:Pump;1" },
        { "{\"$metadata\":{\"$model\":\"dtmi:t:None;1\"}}", GM_NOTFOUND, "there is no model dtmi:t:None;1" },
        { "[]", GM_INVALID, "a twin must be an object, found an array" },
        { "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\",\"speed\":{}}," MOTOR "}", GM_INVALID, "'speed' is not part of model dtmi:t:Pump;1" },
        { "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\",\"real\":{\"sourceTime\":\"x\"}}," MOTOR ",\"real\":1}", GM_INVALID,
          "'$metadata/real/sourceTime' must be a time such as 2026-01-01T00:00:00Z" },
    };
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t          *body = parse(cases[i].body);
        gm_twin_document doc;
        gm_status        st    = gm_document_read_twin(w.plant.model, body, 0, w.arena, &doc, &w.err);
        char            *cells = st == GM_OK ? show(doc.type, doc.cells, doc.count) : strdup(w.err.text);
        if (st != cases[i].st || strcmp(cells, cases[i].cells_or_error) != 0) fail_msg("%s\n found %d %s", cases[i].body, (int)st, cells);
        free(cells);
        json_decref(body);
    }
    close_world(&w);
}

static void source_times_of_the_metadata_are_kept(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *body = parse("{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\",\"$lastUpdateTime\":\"x\",\"real\":{\"sourceTime\":\"1970-01-01T00:00:09Z\"},"
                         "\"address\":{\"sourceTime\":\"1970-01-01T00:00:08Z\",\"lastUpdateTime\":\"z\"}},"
                         "\"real\":1,\"big\":2,\"address\":{\"street\":\"a\",\"place\":{\"lat\":1}},"
                         "\"motor\":{\"$metadata\":{\"speed\":{\"sourceTime\":\"1970-01-01T00:00:07Z\"}},\"speed\":3,\"label\":\"x\"}}");
    gm_twin_document doc;
    assert_gm_ok(gm_document_read_twin(w.plant.model, body, 5 * GM_SECOND, w.arena, &doc, &w.err), w.err);
    static const gm_time_ns at[] = { 9, 5, 8, 8, 7, 5 };
    assert_int_equal(doc.count, 6);
    for (size_t i = 0; i < 6; i++) assert_int_equal(doc.cells[i].at, at[i] * GM_SECOND);
    json_decref(body);
    close_world(&w);
}

static void a_value_goes_to_its_path(void **state)
{
    (void)state;
    static const struct { const char *path, *value; gm_status st; const char *cells_or_error; } cases[] = {
        { "real", "2.5", GM_OK, "real=2.5" },
        { "real", NULL, GM_OK, "real=null" },
        { "motor/speed", "2", GM_OK, "motor/speed=2" },
        { "address/street", "\"x\"", GM_OK, "address/street=\"x\"" },
        { "address", "{\"street\":\"x\"}", GM_OK, "address/street=\"x\" address/place/lat=null" },  // what is left out goes
        { "address", NULL, GM_OK, "address/street=null address/place/lat=null" },
        { "address/place", "{\"lat\":3}", GM_OK, "address/place/lat=3" },
        { "motor", "{\"$metadata\":{},\"label\":\"x\"}", GM_OK, "motor/label=\"x\" motor/speed=null" },  // telemetry stays
        { "motor", "{}", GM_INVALID, "'motor/$metadata' must be an object and is missing" },
        { "motor", NULL, GM_INVALID, "component 'motor' can not be removed" },
        { "nothing", "1", GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at 'nothing'" },
        { "", "1", GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at ''" },
        { "motor/", "1", GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at 'motor/'" },
        { "addr", "1", GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at 'addr'" },
        { "real", "\"x\"", GM_INVALID, "'real' must be a number (double), found 'x'" },
    };
    world w;
    open_world(&w);
    const gm_type *type = gm_model_find(w.plant.model, GM_STR("dtmi:t:Pump;1"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t        *value = cases[i].value != NULL ? parse(cases[i].value) : NULL;
        gm_cell_write *cells = NULL;
        size_t         n     = 0;
        gm_status      st    = gm_document_read_value(type, gm_str_of(cases[i].path), value, 0, w.arena, &cells, &n, &w.err);
        char          *found = st == GM_OK ? show(type, cells, n) : strdup(w.err.text);
        if (st != cases[i].st || strcmp(found, cases[i].cells_or_error) != 0) fail_msg("%s: %d %s", cases[i].path, (int)st, found);
        free(found);
        json_decref(value);
    }
    close_world(&w);
}

static void patches_reach_into_documents(void **state)
{
    (void)state;
    static const struct { gm_patch_op op; const char *path, *value; gm_status st; const char *error; } cases[] = {
        { GM_PATCH_ADD, "tags/c", "3", GM_OK, NULL },
        { GM_PATCH_REPLACE, "tags/c", "4", GM_OK, NULL },  // sees what the operation before did
        { GM_PATCH_REMOVE, "tags/a", NULL, GM_OK, NULL },
        { GM_PATCH_REMOVE, "tags/a", NULL, GM_CONFLICT, "there is no value at 'tags/a' to replace or remove" },
        { GM_PATCH_ADD, "tags/d", "\"x\"", GM_INVALID, "'tags/d' must be a whole number from -2147483648 to 2147483647 (integer), found 'x'" },
        { GM_PATCH_ADD, "list/-", "9", GM_OK, NULL },
        { GM_PATCH_ADD, "list/0", "7", GM_OK, NULL },
        { GM_PATCH_REPLACE, "list/1", "8", GM_OK, NULL },
        { GM_PATCH_REMOVE, "list/9", NULL, GM_CONFLICT, "there is no value at 'list/9' to replace or remove" },
        { GM_PATCH_ADD, "list/01", "1", GM_CONFLICT, "there is no value at 'list/01' to replace or remove" },
        { GM_PATCH_ADD, "text/x", "1", GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at 'text/x'" },
        { GM_PATCH_REPLACE, "text", "\"b\"", GM_CONFLICT, "there is no value at 'text' to replace or remove" },
        { GM_PATCH_ADD, "text", "\"b\"", GM_OK, NULL },
        { GM_PATCH_REPLACE, "text", "\"c\"", GM_OK, NULL },
        { GM_PATCH_REMOVE, "real", NULL, GM_OK, NULL },
        { GM_PATCH_REMOVE, "real", NULL, GM_CONFLICT, "there is no value at 'real' to replace or remove" },
        { GM_PATCH_REMOVE, "nothing", NULL, GM_NOTFOUND, "model dtmi:t:Pump;1 has nothing at 'nothing'" },
        { GM_PATCH_REPLACE, "motor", "{\"$metadata\":{}}", GM_OK, NULL },
    };
    world w;
    open_world(&w);
    gm_small_plant_twin(&w.plant, "p", "{" META "," MOTOR ",\"tags\":{\"a\":1,\"b\":2},\"list\":[5],\"real\":1}");
    gm_twin        twin  = gm_state_find(w.plant.state, GM_STR("p"));
    gm_cell_write *cells = NULL;
    size_t         n     = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t   *value = cases[i].value != NULL ? parse(cases[i].value) : NULL;
        gm_status st    = gm_document_read_patch(w.plant.state, twin, cases[i].op, gm_str_of(cases[i].path), value, 0, w.arena, &cells, &n, &w.err);
        if (st != cases[i].st) fail_msg("case %zu, %s: status %d, %s", i, cases[i].path, (int)st, w.err.text);
        if (st != GM_OK) assert_string_equal(w.err.text, cases[i].error);
        json_decref(value);
    }
    char *found = show(gm_state_type(w.plant.state, twin), cells, n);
    assert_string_equal(found, "tags={\"a\":1,\"b\":2,\"c\":3} tags={\"a\":1,\"b\":2,\"c\":4} tags={\"b\":2,\"c\":4} list=[5,9] list=[7,5,9] "
                               "list=[7,8,9] text=\"b\" text=\"c\" real=null motor/speed=null motor/label=null");
    free(found);
    close_world(&w);
}

static void a_relationship_is_checked_against_its_type(void **state)
{
    (void)state;
    static const struct { const char *body, *properties_or_error; } cases[] = {
        { "{\"$relationshipName\":\"feeds\",\"$targetId\":\"x\"}", "{}" },
        { "{\"$relationshipId\":\"r\",\"$sourceId\":\"s\",\"$etag\":\"e\",\"$relationshipName\":\"feeds\",\"$targetId\":\"x\",\"size\":3}", "{\"size\":3}" },
        { "{\"$relationshipName\":\"feeds\",\"$targetId\":\"x\",\"size\":\"3\"}",
          "'size' must be a whole number from -2147483648 to 2147483647 (integer), found '3'" },
        { "{\"$relationshipName\":\"feeds\",\"$targetId\":\"x\",\"width\":3}", "relationship 'feeds' has no property 'width'" },
        { "{\"$relationshipName\":\"feeds\"}", "'$targetId' is required and must be a text" },
        { "{\"$relationshipName\":\"likes\",\"$targetId\":\"x\"}", "model dtmi:t:Pump;1 has no relationship 'likes'" },
        { "{\"$relationshipName\":5,\"$targetId\":\"x\"}", "'$relationshipName' is required and must be a text" },
        { "5", "a relationship must be an object, found a number" },
    };
    world w;
    open_world(&w);
    const gm_type *type = gm_model_find(w.plant.model, GM_STR("dtmi:t:Pump;1"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t                  *body = parse(cases[i].body);
        gm_relationship_document doc;
        gm_status                st    = gm_document_read_relationship(type, body, w.arena, &doc, &w.err);
        const char              *found = st == GM_OK ? doc.properties.ptr : w.err.text;
        if (!gm_str_starts(gm_str_of(found), gm_str_of(cases[i].properties_or_error))) fail_msg("%s: %s", cases[i].body, found);
        if (st == GM_OK) assert_true(gm_str_eq(doc.properties, gm_str_of(cases[i].properties_or_error)));
        json_decref(body);
    }
    close_world(&w);
}

static void reading_survives_every_allocation_failure(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *body = parse("{" META ",\"motor\":{\"speed\":1,\"label\":\"x\",\"$metadata\":{}},\"flag\":true,\"tiny\":1,\"small\":2,\"number\":3,\"big\":4,"
                         "\"real\":5,\"text\":\"abc\",\"tags\":{\"a\":1},\"list\":[1,2,3],\"exact\":1.5,\"address\":{\"street\":\"x\"}}");
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_arena        *arena = gm_arena_create(&fault.alloc, 0);
        gm_twin_document doc   = { 0 };
        gm_status        st    = arena != NULL ? gm_document_read_twin(w.plant.model, body, 0, arena, &doc, &w.err) : GM_NOMEM;
        gm_arena_destroy(arena);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
    json_decref(body);
    close_world(&w);
}

// What the writing half shows, the reading half takes, and nothing changes on the way.
static void a_document_that_was_read_can_be_written_back(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gm_small_plant_twin(&w.plant, "p", "{" META ",\"motor\":{\"speed\":0.1,\"$metadata\":{}},\"flow\":1e-7,\"big\":-9007199254740993,\"text\":\"\xc3\xa4\\\"\\\\\","
                                       "\"tags\":{\"a\":1},\"list\":[0.1,1e300],\"mode\":\"auto\",\"address\":{\"place\":{\"lat\":-0.5}},\"exact\":\"1.50\"}");
    gm_buf before = gm_buf_init(gm_alloc_system()), after = gm_buf_init(gm_alloc_system());
    gm_twin twin  = gm_state_find(w.plant.state, GM_STR("p"));
    gm_document_write_twin(w.plant.state, twin, &before);
    gm_buf_byte(&before, '\0');
    w.plant.sequence--;  // the same change at the same time once more
    gm_small_plant_twin(&w.plant, "p", (const char *)before.ptr);
    gm_document_write_twin(w.plant.state, twin, &after);
    gm_buf_byte(&after, '\0');
    assert_string_equal((const char *)after.ptr, (const char *)before.ptr);
    gm_buf_finish(&before);
    gm_buf_finish(&after);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_schema_takes_its_values_only),
        cmocka_unit_test(a_twin_is_whole_or_refused),
        cmocka_unit_test(source_times_of_the_metadata_are_kept),
        cmocka_unit_test(a_value_goes_to_its_path),
        cmocka_unit_test(patches_reach_into_documents),
        cmocka_unit_test(a_relationship_is_checked_against_its_type),
        cmocka_unit_test(reading_survives_every_allocation_failure),
        cmocka_unit_test(a_document_that_was_read_can_be_written_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
