#include "model/model.h"

#include "support/support.h"

static const char pump[] =
    "[{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:t:Motor;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"temperature\",\"unit\":\"degreeCelsius\",\"schema\":"
    "\"double\"},"
    "{\"@type\":\"Command\",\"name\":\"stop\",\"request\":{\"name\":\"delay\",\"schema\":\"integer\"}}]},"
    "{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:t:Asset;1\",\"@type\":\"Interface\",\"displayName\":{\"de\":"
    "\"Anlage\","
    "\"en\":\"Asset\"},\"contents\":[{\"@type\":\"Property\",\"name\":\"address\",\"writable\":true,\"schema\":{\"@"
    "type\":"
    "\"Object\",\"fields\":[{\"name\":\"street\",\"schema\":\"string\"},{\"name\":\"number\",\"schema\":\"integer\"}]}}"
    "]},"
    "{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:"
    "Asset;1\","
    "\"contents\":[{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"},"
    "{\"@type\":\"Property\",\"name\":\"tags\",\"schema\":{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":"
    "\"string\"},"
    "\"mapValue\":{\"name\":\"v\",\"schema\":\"boolean\"}}},"
    "{\"@type\":\"Telemetry\",\"name\":\"state\",\"schema\":{\"@type\":\"Enum\",\"valueSchema\":\"integer\","
    "\"enumValues\":["
    "{\"name\":\"off\",\"enumValue\":0},{\"name\":\"on\",\"enumValue\":1}]}},"
    "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"target\":\"dtmi:t:Pump;1\",\"maxMultiplicity\":3}]}]";

static gm_model *with(const char *text)
{
    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source src   = { .file = GM_STR("m.json"), .text = gm_str_of(text) };
    gm_findings     found;
    gm_error        err = {0};
    assert_non_null(model);
    if (gm_model_add(model, &src, 1, &found, &err) != GM_OK) {
        for (size_t i = 0; i < found.count; i++) {
            print_error(GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(found.items[i].rule),
                        GM_STR_ARG(found.items[i].text));
        }
        fail_msg("%s", err.text);
    }
    gm_findings_finish(&found);
    return model;
}

static void an_interface_becomes_columns_in_the_order_of_its_bases_and_texts(void **state)
{
    (void)state;
    gm_model      *model = with(pump);
    const gm_type *type  = gm_model_find(model, GM_STR("dtmi:t:Pump;1"));
    assert_non_null(type);
    static const struct { const char *path; gm_kind kind; bool telemetry, writable; } expected[] = {
        { "address/street", GM_KIND_STRING, false, true },   { "address/number", GM_KIND_INT, false, true },
        { "motor/temperature", GM_KIND_DOUBLE, true, false }, { "tags", GM_KIND_JSON, false, false },
        { "state", GM_KIND_INT, true, false },
    };
    assert_int_equal(type->column_count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < type->column_count; i++) {
        const gm_column *column = &type->columns[i];
        if (!gm_str_is(column->path, expected[i].path))
            fail_msg("column %zu is " GM_STR_FMT, i, GM_STR_ARG(column->path));
        assert_int_equal(column->kind, expected[i].kind);
        assert_int_equal(column->is_telemetry, expected[i].telemetry);
        assert_int_equal(column->writable, expected[i].writable);
        assert_int_equal(gm_type_column_index(type, column->path), i);
    }
    assert_int_equal(gm_type_column_index(type, GM_STR("address")), GM_NO_COLUMN);
    gm_model_destroy(model);
}

static void components_commands_relationships_and_bases_are_closed_over(void **state)
{
    (void)state;
    gm_model      *model = with(pump);
    const gm_type *type  = gm_model_find(model, GM_STR("dtmi:t:Pump;1")),
                  *asset = gm_model_find(model, GM_STR("dtmi:t:Asset;1"));
    assert_int_equal(type->component_count, 1);
    assert_ptr_equal(type->components[0].type, gm_model_find(model, GM_STR("dtmi:t:Motor;1")));
    assert_int_equal(type->columns[2].component, 0);
    assert_true(gm_str_is(type->columns[2].unit_symbol, "°C"));
    assert_true(gm_unit_to_si(&type->columns[2].unit_si, 20.0) > 293.149 &&
                gm_unit_to_si(&type->columns[2].unit_si, 20.0) < 293.151);
    assert_int_equal(type->command_count, 1);
    assert_int_equal(type->commands[0].component, 0);
    assert_true(gm_str_is(type->commands[0].request_name, "delay"));
    assert_int_equal(type->commands[0].request->kind, GM_SCHEMA_INTEGER);
    assert_int_equal(gm_type_relationship(type, GM_STR("feeds"))->max, 3);
    assert_true(gm_type_is(type, asset));
    assert_false(gm_type_is(asset, type));
    assert_true(gm_str_is(asset->display_name, "Asset"));
    assert_true(gm_str_is(type->display_name, "Pump"));
    gm_model_destroy(model);
}

static void all_findings_of_a_set_come_together_with_their_places(void **state)
{
    (void)state;
    static const char bad[] =
        "{\"@context\":\"dtmi:dtdl:context;3\",\n\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":[\n"
        "  {\"@type\":\"Property\",\"name\":\"9lives\",\"schema\":\"double\"},\n"
        "  {\"@type\":\"Telemetry\",\"name\":\"x\"},\n"
        "  {\"@type\":\"Telemetry\",\"name\":\"y\",\"schema\":\"dtmi:t:nowhere;1\"}]}";
    static const struct { const char *rule, *pointer, *dtmi; uint32_t line, column; } expected[] = {
        { "dtmi:dtdl:parsingError:stringInvalid", "/contents/0/name", "dtmi:t:A:_contents:__9lives;1", 3, 23 },
        { "dtmi:dtdl:parsingError:missingObjectProperty", "/contents/1", "dtmi:t:A:_contents:__x;1", 4, 3 },
        { "dtmi:gemel:parsingError:unresolved", "/contents/2/schema", "dtmi:t:A:_contents:__y;1", 5, 35 },
    };
    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source src   = { .file = GM_STR("a.json"), .text = gm_str_of(bad) };
    gm_findings     found;
    assert_int_equal(gm_model_add(model, &src, 1, &found, NULL), GM_INVALID);
    assert_int_equal(found.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < found.count; i++) {
        const gm_finding *f = &found.items[i];
        if (!gm_str_is(f->rule, expected[i].rule) || !gm_str_is(f->pointer, expected[i].pointer) ||
            !gm_str_is(f->dtmi, expected[i].dtmi) || f->line != expected[i].line || f->column != expected[i].column) {
            fail_msg("%zu: " GM_STR_FMT " " GM_STR_FMT " " GM_STR_FMT " %" PRIu32 ":%" PRIu32, i, GM_STR_ARG(f->rule),
                     GM_STR_ARG(f->pointer), GM_STR_ARG(f->dtmi), f->line, f->column);
        }
    }
    assert_int_equal(gm_model_count(model), 0);
    gm_findings_finish(&found);
    gm_model_destroy(model);
}

static void an_interface_in_use_can_not_be_removed_and_an_unused_one_can_come_back(void **state)
{
    (void)state;
    gm_model   *model = with(pump);
    gm_findings found;
    gm_error    err = {0};
    assert_int_equal(gm_model_remove(model, GM_STR("dtmi:t:Motor;1"), &err), GM_CONFLICT);
    assert_int_equal(gm_model_remove(model, GM_STR("dtmi:t:Nobody;1"), &err), GM_NOTFOUND);
    assert_gm_ok(gm_model_remove(model, GM_STR("dtmi:t:Pump;1"), &err), err);
    assert_gm_ok(gm_model_remove(model, GM_STR("dtmi:t:Motor;1"), &err), err);
    assert_int_equal(gm_model_count(model), 1);

    gm_model_source src = {
        .text = GM_STR("{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:t:Motor;1\",\"@type\":\"Interface\"}")
    };
    assert_gm_ok(gm_model_add(model, &src, 1, &found, &err), err);
    assert_int_equal(gm_model_find(model, GM_STR("dtmi:t:Motor;1"))->number, 3);
    assert_int_equal(gm_model_add(model, &src, 1, &found, &err), GM_CONFLICT);
    gm_findings_finish(&found);
    gm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_becomes_columns_in_the_order_of_its_bases_and_texts),
        cmocka_unit_test(components_commands_relationships_and_bases_are_closed_over),
        cmocka_unit_test(all_findings_of_a_set_come_together_with_their_places),
        cmocka_unit_test(an_interface_in_use_can_not_be_removed_and_an_unused_one_can_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
