#include "rollup/definition.h"
#include "support/support.h"

#include <string.h>

static gm_status parse(const char *text, gm_rollup_definition *list, uint32_t *count, gm_arena *arena, gm_error *err)
{
    *count = 0;
    return gm_rollups_parse(arena, gm_str_of(text), list, count, err);
}

static void declarations_are_read(void **state)
{
    (void)state;
    static const char text[] = "{\"rollups\":[\n{\"name\":\"power\",\"function\":\"sum\",\"property\":\"motor/power\",\"relationship\":\"contains\"},\n"
        "{\"name\":\"spare\",\"function\":\"kOfN\",\"property\":\"mode\",\"states\":[\"on\",\"idle\"],\"k\":2,\"relationship\":\"partOf\",\"direction\":\"in\","
        "\"systems\":\"dtmi:t:Station;1\",\"members\":\"SELECT * FROM DIGITALTWINS T WHERE T.size > 1\"}\n,{\"name\":\"oee\",\"function\":\"oee\",\"planned\":\"a\","
        "\"running\":\"b\",\"idealCycle\":\"c\",\"count\":\"d\",\"good\":\"e\"}]}";
    gm_arena            *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_rollup_definition list[GM_ROLLUPS_MAX + 1];
    gm_error             err = { 0 };
    uint32_t             n;
    assert_gm_ok(parse(text, list, &n, arena, &err), err);
    assert_int_equal(n, 3);
    assert_true(gm_str_is(list[0].terms[0], "motor/power") && !list[0].incoming && list[0].line == 2);
    assert_true(list[1].function == GM_ROLLUP_K_OF_N && list[1].k == 2 && list[1].state_count == 2 && list[1].incoming);
    assert_true(list[2].term_count == 5 && gm_str_is(list[2].terms[4], "e") && list[2].relationship.len == 0);
    gm_arena_destroy(arena);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
#define ONE(rest) "{\"rollups\":[\n{\"name\":\"x\"," rest "}]}"
    static const struct { const char *text, *says; uint32_t line; } cases[] = {
        { "[]", "rollups", 1 },
        { "{\"rollups\":[],\"more\":1}", "nothing else", 1 },
        { "{\"rollups\":[\n7]}", "name", 2 },
        { ONE("\"function\":\"average\",\"property\":\"p\""), "one of sum", 2 },
        { ONE("\"function\":\"sum\""), "missing: property", 2 },
        { ONE("\"function\":\"sum\",\"property\":7"), "is a text", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"weight\":\"w\""), "\"weight\" means nothing", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"property\":\"q\""), "stands twice", 2 },
        { ONE("\"function\":\"weighted\",\"property\":\"p\""), "missing: weight", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"record\":\"soon\""), "\"record\" is", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"record\":\"99ms\""), "\"record\" is", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"record\":\"2d\""), "\"record\" is", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"disclosed\":\"yes\""), "true or false", 2 },
        { ONE("\"function\":\"kOfN\",\"property\":\"p\",\"k\":0"), "whole number", 2 },
        { ONE("\"function\":\"kOfN\",\"property\":\"p\",\"k\":1.5"), "whole number", 2 },
        { ONE("\"function\":\"worst\",\"property\":\"p\""), "best to the worst", 2 },
        { ONE("\"function\":\"worst\",\"property\":\"p\",\"states\":[\"a\",\"a\"]"), "state stands twice", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"relationship\":\"r\",\"direction\":\"up\""), "\"out\"", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"systems\":\"dtmi:t:A;1\""), "one system", 2 },
        { ONE("\"function\":\"sum\",\"property\":\"p\",\"relationship\":\"r\",\"systems\":\"A\""), "DTMI", 2 },
        { "{\"rollups\":[{\"name\":\"x\",\"function\":\"sum\",\"property\":\"p\"},\n{\"name\":\"x\",\"function\":\"sum\",\"property\":\"p\"}]}", "another one", 2 },
        { "{\"rollups\":[", "", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena            *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_rollup_definition list[GM_ROLLUPS_MAX + 1];
        gm_error             err = { 0 };
        uint32_t             n;
        gm_status            st = parse(cases[i].text, list, &n, arena, &err);
        if (st != GM_INVALID || strstr(err.text, cases[i].says) == NULL || err.line != cases[i].line)
            fail_msg("%s: status %d, line %u, '%s'", cases[i].text, (int)st, err.line, err.text);
        gm_arena_destroy(arena);
    }
}

static void more_than_are_kept_are_refused(void **state)
{
    (void)state;
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "{\"rollups\":[");
    for (int i = 0; i <= GM_ROLLUPS_MAX; i++) gm_buf_printf(&text, "%s{\"name\":\"n%d\",\"function\":\"sum\",\"property\":\"p\"}", i > 0 ? "," : "", i);
    gm_buf_text(&text, "]}");
    gm_arena            *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_rollup_definition list[GM_ROLLUPS_MAX + 1];
    gm_error             err = { 0 };
    uint32_t             n   = 0;
    assert_int_equal(gm_rollups_parse(arena, gm_buf_view(&text), list, &n, &err), GM_LIMIT);
    assert_int_equal(n, GM_ROLLUPS_MAX);
    gm_arena_destroy(arena);
    gm_buf_finish(&text);
}

static void what_no_model_has_is_found(void **state)
{
    (void)state;
    static const char models[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Property\",\"name\":\"x\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"up\",\"schema\":\"boolean\"},"
        "{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\"}]}";
    const struct { gm_rollup_definition d; const char *says; } cases[] = {
        { { .function = GM_ROLLUP_SUM, .terms = { GM_STR("x") }, .term_count = 1 }, NULL },
        { { .function = GM_ROLLUP_SUM, .terms = { GM_STR("up") }, .term_count = 1 }, NULL },
        { { .function = GM_ROLLUP_SUM, .terms = { GM_STR("y") }, .term_count = 1 }, "no interface has" },
        { { .function = GM_ROLLUP_SUM, .terms = { GM_STR("mode") }, .term_count = 1 }, "numbers" },
        { { .function = GM_ROLLUP_WORST, .terms = { GM_STR("x") }, .term_count = 1, .state_count = 1 }, "texts" },
        { { .function = GM_ROLLUP_K_OF_N, .terms = { GM_STR("x") }, .term_count = 1 }, "booleans" },
        { { .function = GM_ROLLUP_K_OF_N, .terms = { GM_STR("up") }, .term_count = 1 }, NULL },
        { { .function = GM_ROLLUP_SUM, .terms = { GM_STR("x") }, .term_count = 1, .systems = GM_STR("dtmi:t:B;1") }, "no interface dtmi:t:B;1" },
    };
    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source source = { GM_STR("m.json"), gm_str_of(models) };
    gm_findings     found  = { 0 };
    gm_error        err    = { 0 };
    assert_gm_ok(gm_model_add(model, &source, 1, &found, &err), err);
    gm_findings_finish(&found);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_status st = gm_rollup_check(&cases[i].d, model, &err);
        if (cases[i].says == NULL ? st != GM_OK : st != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("case %zu: status %d '%s'", i, (int)st, err.text);
    }
    gm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_are_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(more_than_are_kept_are_refused),
        cmocka_unit_test(what_no_model_has_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
