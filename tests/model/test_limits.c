// Every stated limit, from both sides.
#include "model/element.h"
#include "model/json_tree.h"
#include "model/types.h"

#include "support/support.h"

#include <stdio.h>

static void add(gm_buf *text, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++) gm_buf_text(text, what);
}

static void head(gm_buf *text, const char *context, const char *id)
{
    gm_buf_printf(text, "{\"@context\":%s,\"@id\":\"%s\",\"@type\":\"Interface\"", context, id);
}

#define V(n) "\"dtmi:dtdl:context;" #n "\""
#define ONVIF "[\"dtmi:dtdl:context;4#limitless\",\"dtmi:dtdl:limits:onvif;1\"]"
#define AIO "[\"dtmi:dtdl:context;4#limitless\",\"dtmi:dtdl:limits:aio;1\"]"

static const gm_str         limit_contexts[] = { { "dtmi:dtdl:limits:aio", 20 }, { "dtmi:dtdl:limits:onvif;1", 24 } };
static const gm_model_rules limits_accepted  = { .limit_contexts = limit_contexts, .limit_context_count = 2 };

// Runs the text and frees it; the rule that is expected to be among the findings, or NULL for none.
static void expect(gm_buf *text, const gm_model_rules *rules, const char *rule)
{
    static const gm_model_rules usual = { 0 };
    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source src   = { .text = gm_buf_view(text) };
    gm_findings     found;
    gm_error        err = {0};
    gm_status       st  = gm_model_examine(model, rules != NULL ? rules : &usual, &src, 1, model, &found, &err);
    bool            met = rule == NULL ? st == GM_OK : false;
    for (size_t i = 0; rule != NULL && i < found.count; i++) met = met || gm_str_ends(found.items[i].rule, gm_str_of(rule));
    if (!met) {
        fail_msg("wanted %s: %s " GM_STR_FMT, rule != NULL ? rule : "no finding", err.text,
                 GM_STR_ARG(found.count > 0 ? found.items[0].rule : GM_STR("")));
    }
    assert_true(found.count <= GM_FINDINGS_MAX);
    gm_findings_finish(&found);
    gm_model_destroy(model);
    gm_buf_finish(text);
}

static void schemas_nest_to_their_limit(void **state)
{
    (void)state;
    static const struct { const char *context; size_t depth; const char *rule; } cases[] = {
        { V(2), 5, NULL }, { V(2), 6, "excessiveDepthWide" }, { V(3), 5, NULL }, { V(3), 6, "excessiveDepthWide" },
        { V(4), 8, NULL }, { V(4), 9, "excessiveDepthWide" }, { ONVIF, 24, NULL }, { ONVIF, 25, "excessiveDepthWide" },
        { AIO, 12, NULL }, { AIO, 13, "excessiveDepthWide" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, cases[i].context, "dtmi:t:A;1");
        gm_buf_text(&text, ",\"contents\":{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":");
        add(&text, "{\"@type\":\"Array\",\"elementSchema\":", cases[i].depth);
        gm_buf_text(&text, "\"double\"");
        add(&text, "}", cases[i].depth);
        gm_buf_text(&text, "}}");
        expect(&text, &limits_accepted, cases[i].rule);
    }
}

static void extends_reaches_to_its_limit(void **state)
{
    (void)state;
    static const struct { const char *context; int depth; const char *rule; } cases[] = {
        { V(2), 10, NULL }, { V(2), 11, "excessiveDepthNarrow" }, { V(3), 10, NULL }, { V(3), 11, "excessiveDepthNarrow" },
        { V(4), 12, NULL }, { V(4), 13, "excessiveDepthNarrow" }, { V(3), 20000, "excessiveDepthNarrow" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        for (int k = 0; k <= cases[i].depth; k++) {
            char id[40];
            snprintf(id, sizeof id, "dtmi:t:A%d;1", k);
            gm_buf_text(&text, k == 0 ? "[" : ",");
            head(&text, cases[i].context, id);
            if (k < cases[i].depth) gm_buf_printf(&text, ",\"extends\":\"dtmi:t:A%d;1\"", k + 1);
            gm_buf_text(&text, "}");
        }
        gm_buf_text(&text, "]");
        expect(&text, NULL, cases[i].rule);
    }
}

static void extends_counts_to_its_limit(void **state)
{
    (void)state;
    for (int count = 1024; count <= 1025; count++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        gm_buf_text(&text, "[");
        head(&text, V(3), "dtmi:t:A;1");
        for (int k = 0; k < count; k++) gm_buf_printf(&text, "%s\"dtmi:t:B%d;1\"", k == 0 ? ",\"extends\":[" : ",", k);
        gm_buf_text(&text, "]}");
        for (int k = 0; k < count; k++) {
            char id[40];
            snprintf(id, sizeof id, "dtmi:t:B%d;1", k);
            gm_buf_text(&text, ",");
            head(&text, V(3), id);
            gm_buf_text(&text, "}");
        }
        gm_buf_text(&text, "]");
        expect(&text, NULL, count > 1024 ? "excessiveCount" : NULL);
    }
}

static void contents_count_to_their_limit(void **state)
{
    (void)state;
    static const struct { const char *context; int count; const char *rule; } cases[] = {
        { V(2), 300, NULL }, { V(2), 301, "objectCountAboveMax" },
        { V(3), 10000, NULL }, { V(3), 50001, "excessiveCount" },  // each is one value of contents and one of schema
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, cases[i].context, "dtmi:t:A;1");
        for (int k = 0; k < cases[i].count; k++) {
            gm_buf_printf(&text, "%s{\"@type\":\"Telemetry\",\"name\":\"t%d\",\"schema\":\"long\"}", k == 0 ? ",\"contents\":[" : ",", k);
        }
        gm_buf_text(&text, "]}");
        expect(&text, NULL, cases[i].rule);
    }
}

static void texts_are_as_long_as_they_may_be(void **state)
{
    (void)state;
    static const struct { const char *context, *member; size_t length; const char *rule; } cases[] = {
        { V(3), "comment", 512, NULL }, { V(3), "comment", 513, "stringTooLong" },
        { V(2), "displayName", 64, NULL }, { V(2), "displayName", 65, "langStringValueTooLong" },
        { V(3), "displayName", 512, NULL }, { V(3), "displayName", 513, "langStringValueTooLong" },
        { V(2), "description", 512, NULL }, { V(2), "description", 513, "langStringValueTooLong" },
        { ONVIF, "description", 4096, NULL }, { ONVIF, "description", 4097, "langStringValueTooLong" },
        { AIO, "description", 2048, NULL }, { AIO, "description", 2049, "langStringValueTooLong" },
        { ONVIF, "displayName", 513, "langStringValueTooLong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, cases[i].context, "dtmi:t:A;1");
        gm_buf_printf(&text, ",\"%s\":\"", cases[i].member);
        add(&text, "é", cases[i].length);  // characters, not bytes
        gm_buf_text(&text, "\"}");
        expect(&text, &limits_accepted, cases[i].rule);
    }
    for (size_t size = 1 << 20; size <= (1 << 20) + 1; size++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, V(3), "dtmi:t:A;1");
        add(&text, " ", size - text.len - 1);
        gm_buf_text(&text, "}");
        expect(&text, NULL, size > 1 << 20 ? "partitionTooLarge" : NULL);
    }
}

static void identifiers_are_as_long_as_they_may_be(void **state)
{
    (void)state;
    static const struct { const char *context; bool interface; int length; const char *rule; } cases[] = {
        { V(3), true, 128, NULL }, { V(3), true, 129, "idTooLongForType" }, { V(3), false, 2048, NULL },
        { V(3), false, 2049, "idTooLong" }, { AIO, false, 512, NULL }, { AIO, false, 513, "idTooLong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[2100];
        snprintf(id, sizeof id, "dtmi:t:%0*d;1", cases[i].length - 9, 0);
        memset(id + 7, 'a', (size_t)cases[i].length - 9);
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, cases[i].context, cases[i].interface ? id : "dtmi:t:A;1");
        if (!cases[i].interface) {
            gm_buf_printf(&text, ",\"contents\":{\"@type\":\"Command\",\"name\":\"c\",\"@id\":\"%s\"}", id);
        }
        gm_buf_text(&text, "}");
        expect(&text, &limits_accepted, cases[i].rule);
    }
}

static void languages_findings_and_nesting_are_bounded(void **state)
{
    (void)state;
    for (int count = GM_LANGUAGES_MAX; count <= GM_LANGUAGES_MAX + 1; count++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, V(3), "dtmi:t:A;1");
        for (int k = 0; k < count; k++) {
            gm_buf_printf(&text, "%s\"%c%c%c\":\"x\"", k == 0 ? ",\"displayName\":{" : ",", 'a' + k / 26 / 26, 'a' + k / 26 % 26,
                          'a' + k % 26);
        }
        gm_buf_text(&text, "}}");
        expect(&text, NULL, count > GM_LANGUAGES_MAX ? ":limit" : NULL);
    }
    gm_buf many = gm_buf_init(gm_alloc_system());
    gm_buf_text(&many, "[0");
    add(&many, ",0", 3 * GM_FINDINGS_MAX);
    gm_buf_text(&many, "]");
    expect(&many, NULL, "notJsonObject");

    for (size_t depth = GM_JSON_DEPTH_MAX; depth <= GM_JSON_DEPTH_MAX + 1; depth++) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        add(&text, "[", depth);
        add(&text, "]", depth);
        gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
        const gm_json *root;
        assert_int_equal(gm_json_parse(arena, gm_buf_view(&text), &root, NULL), depth > GM_JSON_DEPTH_MAX ? GM_LIMIT : GM_OK);
        gm_arena_destroy(arena);
        gm_buf_finish(&text);
    }
    gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
    const gm_json *root;
    assert_int_equal(gm_json_parse(arena, (gm_str){ "", (size_t)GM_JSON_TEXT_MAX + 1 }, &root, NULL), GM_LIMIT);
    gm_arena_destroy(arena);
}

// In version 2 a few shared schemas are enough for far more columns than can be numbered.
static void a_type_has_as_many_columns_as_can_be_numbered(void **state)
{
    (void)state;
    for (int contents = 70; contents <= 90; contents += 20) {
        gm_buf text = gm_buf_init(gm_alloc_system());
        head(&text, V(2), "dtmi:t:A;1");
        gm_buf_text(&text, ",\"schemas\":[");
        for (int level = 0; level < 2; level++) {
            gm_buf_printf(&text, "%s{\"@id\":\"dtmi:t:o%d;1\",\"@type\":\"Object\",\"fields\":[", level > 0 ? "," : "", level);
            for (int f = 0; f < 30; f++) {
                gm_buf_printf(&text, "%s{\"name\":\"f%d\",\"schema\":\"%s\"}", f > 0 ? "," : "", f, level == 0 ? "long" : "dtmi:t:o0;1");
            }
            gm_buf_text(&text, "]}");
        }
        for (int c = 0; c < contents; c++) {
            gm_buf_printf(&text, "%s{\"@type\":\"Telemetry\",\"name\":\"t%d\",\"schema\":\"dtmi:t:o1;1\"}",
                          c == 0 ? "],\"contents\":[" : ",", c);
        }
        gm_buf_text(&text, "]}");
        expect(&text, NULL, contents * 900 > GM_TYPE_COLUMNS_MAX ? ":limit" : NULL);
    }
}

// Without the language's limits objects may nest deeper than columns follow; the rest stays a document.
static void objects_become_columns_to_a_stated_depth(void **state)
{
    (void)state;
    enum { DEPTH = GM_FLATTEN_DEPTH_MAX + 4 };
    gm_buf text = gm_buf_init(gm_alloc_system());
    head(&text, ONVIF, "dtmi:t:A;1");
    gm_buf_text(&text, ",\"contents\":{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":");
    add(&text, "{\"@type\":\"Object\",\"fields\":{\"name\":\"f\",\"schema\":", DEPTH);
    gm_buf_text(&text, "\"double\"");
    add(&text, "}}", DEPTH);
    gm_buf_text(&text, "}}");

    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source src   = { .text = gm_buf_view(&text) };
    gm_findings     found;
    gm_error        err = {0};
    assert_gm_ok(gm_model_examine(model, &limits_accepted, &src, 1, model, &found, &err), err);
    const gm_column *column = &gm_model_at(model, 0)->columns[0];
    assert_int_equal(gm_model_at(model, 0)->column_count, 1);
    assert_int_equal(column->kind, GM_KIND_JSON);
    assert_int_equal(column->path.len, 1 + 2 * GM_FLATTEN_DEPTH_MAX);
    gm_model_destroy(model);
    gm_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_nest_to_their_limit),
        cmocka_unit_test(extends_reaches_to_its_limit),
        cmocka_unit_test(extends_counts_to_its_limit),
        cmocka_unit_test(contents_count_to_their_limit),
        cmocka_unit_test(texts_are_as_long_as_they_may_be),
        cmocka_unit_test(identifiers_are_as_long_as_they_may_be),
        cmocka_unit_test(languages_findings_and_nesting_are_bounded),
        cmocka_unit_test(a_type_has_as_many_columns_as_can_be_numbered),
        cmocka_unit_test(objects_become_columns_to_a_stated_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
