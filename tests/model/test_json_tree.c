#include "model/json_tree.h"

#include "support/support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void places_are_lines_and_characters(void **state)
{
    (void)state;
    static const char text[] = "{\n  \"é\": [1,\n   \"ab\", {\"k\" : true}]}";
    gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
    const gm_json *root;
    gm_json_lines  lines;
    gm_error       err = {0};
    assert_gm_ok(gm_json_parse(arena, gm_str_of(text), &root, &err), err);
    assert_gm_ok(gm_json_lines_build(arena, gm_str_of(text), &lines, &err), err);
    const gm_json *list = gm_json_get(root, GM_STR("é")), *deep = gm_json_get(list->first->next->next, GM_STR("k"));
    static const struct { uint32_t line, column; } expected[] = { { 2, 8 }, { 3, 4 }, { 3, 11 }, { 3, 17 } };
    const uint32_t offsets[] = { list->start, list->first->next->start, deep->key_start, deep->start };
    for (size_t i = 0; i < 4; i++) {
        uint32_t line, column;
        gm_json_position(&lines, offsets[i], &line, &column);
        if (line != expected[i].line || column != expected[i].column) fail_msg("%zu: %u:%u", i, line, column);
    }
    gm_buf pointer = gm_buf_init(gm_alloc_system());
    gm_json_pointer(deep, NULL, &pointer);
    assert_true(gm_str_is(gm_buf_view(&pointer), "/é/2/k"));
    gm_buf_finish(&pointer);
    gm_arena_destroy(arena);
}

static void positions_of_long_texts_agree_with_counting(void **state)
{
    (void)state;
    enum { SIZE = 20000 };
    char    *text = malloc(SIZE);
    uint64_t seed = gm_test_seed();
    for (size_t i = 0; i < SIZE; i++) text[i] = gm_test_random(&seed) % 50 == 0 ? '\n' : (char)('a' + gm_test_random(&seed) % 26);
    gm_arena     *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_json_lines lines;
    gm_error      err = {0};
    assert_gm_ok(gm_json_lines_build(arena, (gm_str){ text, SIZE }, &lines, &err), err);
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < SIZE; i++) {
        uint32_t l, c;
        gm_json_position(&lines, i, &l, &c);
        assert_true(l == line && c == column);
        if (text[i] == '\n') { line++; column = 1; }
        else column++;
    }
    gm_arena_destroy(arena);
    free(text);
}

static void keys_that_come_again_are_marked(void **state)
{
    (void)state;
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "{\"a\":1,\"b\":2,\"\\u0061\":3");
    for (int i = 0; i < 60; i++) gm_buf_printf(&text, ",\"k%d\":0", i % 50);  // past the pairwise comparison
    gm_buf_text(&text, "}");
    gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
    const gm_json *root;
    gm_error       err = {0};
    assert_gm_ok(gm_json_parse(arena, gm_buf_view(&text), &root, &err), err);
    size_t repeated = 0;
    for (const gm_json *m = root->first; m != NULL; m = m->next) repeated += m->repeated;
    assert_int_equal(repeated, 11);
    assert_true(root->first->next->next->repeated);
    gm_arena_destroy(arena);
    gm_buf_finish(&text);
}

static bool same(const gm_json *ours, const json_t *theirs)
{
    int64_t i;
    switch ((gm_json_kind)ours->kind) {
    case GM_JSON_NULL: return json_is_null(theirs);
    case GM_JSON_BOOL: return json_is_boolean(theirs) && json_boolean_value(theirs) == ours->truth;
    case GM_JSON_NUMBER:
        if (json_is_integer(theirs)) return gm_json_int(ours, &i) && i == json_integer_value(theirs);
        return json_is_real(theirs);
    case GM_JSON_STRING:
        return json_is_string(theirs) && gm_str_eq(ours->text, (gm_str){ json_string_value(theirs), json_string_length(theirs) });
    case GM_JSON_ARRAY:
        if (!json_is_array(theirs) || json_array_size(theirs) != ours->count) return false;
        for (const gm_json *v = ours->first; v != NULL; v = v->next) {
            if (!same(v, json_array_get(theirs, v->index))) return false;
        }
        return true;
    case GM_JSON_OBJECT:
        if (!json_is_object(theirs) || json_object_size(theirs) != ours->count) return false;
        for (const gm_json *m = ours->first; m != NULL; m = m->next) {
            char key[64];
            snprintf(key, sizeof key, GM_STR_FMT, GM_STR_ARG(m->key));
            if (json_object_get(theirs, key) == NULL || !same(m, json_object_get(theirs, key))) return false;
        }
        return true;
    }
    return false;
}

// Whole, cut, and with single bytes changed: both readers must agree on what is JSON and on what it says.
static void random_texts_read_as_jansson_reads_them(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "{\"a\":[1,-2.5e3,true,null,{\"b\":\"x\\u00e9\\ud83d\\ude00\\n\"}],\"c\":\"\",\"d\":{}}", "[[],[[]],{},0,-0,1e5,\"\\\\\\\"/\"]",
        " [ 1 , 2 ] ", "\"text\"", "12", "[0.5,10,9007199254740993,\"\xC3\xA9\"]",
    };
    static const char bytes[] = "{}[]:,\"\\ue0123456789.-+ tfnalsrx\x01\xC3\xFF";
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 20000; round++) {
        char   text[128];
        size_t length = (size_t)snprintf(text, sizeof text, "%s", seeds[gm_test_random(&seed) % 6]);
        for (uint64_t k = gm_test_random(&seed) % 3; k > 0; k--) {
            text[gm_test_random(&seed) % length] = bytes[gm_test_random(&seed) % (sizeof bytes - 1)];
        }
        if (gm_test_random(&seed) % 4 == 0) length = 1 + gm_test_random(&seed) % length;
        gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
        const gm_json *ours  = NULL;
        json_error_t   bad;
        gm_status      st    = gm_json_parse(arena, (gm_str){ text, length }, &ours, NULL);
        json_t        *theirs = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &bad);
        bool           repeats = false;
        for (const gm_json *m = gm_json_is(ours, GM_JSON_OBJECT) ? ours->first : NULL; m != NULL; m = m->next) repeats |= m->repeated;
        bool range = theirs == NULL && (strstr(bad.text, "too big") != NULL || strstr(bad.text, "overflow") != NULL ||
                                        strstr(bad.text, "duplicate") != NULL || strstr(bad.text, "NUL") != NULL);
        if (!repeats && !range && ((st == GM_OK) != (theirs != NULL) || (st == GM_OK && !same(ours, theirs)))) {
            fail_msg("differs on %.*s: %d, %s", (int)length, text, (int)st, theirs == NULL ? bad.text : "ok");
        }
        json_decref(theirs);
        gm_arena_destroy(arena);
    }
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,-2.50,true,null,{\"b\":\"x\\u0001\\\"\"}],\"\":[]}";
    gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
    const gm_json *root;
    gm_error       err = {0};
    assert_gm_ok(gm_json_parse(arena, gm_str_of(text), &root, &err), err);
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_json_write(root, &out);
    assert_true(gm_str_is(gm_buf_view(&out), text));
    gm_buf_clear(&out);
    gm_json_write(root->first->first->next, &out);  // a part of it
    assert_true(gm_str_is(gm_buf_view(&out), "-2.50"));
    gm_buf_finish(&out);
    gm_arena_destroy(arena);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t line, column; } cases[] = {
        { "", 1, 1 }, { "[1,]", 1, 4 }, { "{\"a\"1}", 1, 5 }, { "[1]\n x", 2, 2 }, { "\"a", 1, 1 }, { "[\"a\tb\"]", 1, 4 },
        { "[01]", 1, 2 }, { "[1.]", 1, 2 }, { "nul", 1, 1 }, { "{a:1}", 1, 2 }, { "[\"\\ud800\"]", 1, 3 }, { "\xFF", 1, 1 },
        { "// x\n1", 1, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena      *arena = gm_arena_create(gm_alloc_system(), 0);
        const gm_json *root;
        gm_error       err = {0};
        gm_status      st  = gm_json_parse(arena, gm_str_of(cases[i].text), &root, &err);
        if (st != GM_INVALID || err.line != cases[i].line || err.column != cases[i].column) {
            fail_msg("'%s': status %d at %u:%u", cases[i].text, (int)st, err.line, err.column);
        }
        gm_arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_lines_and_characters),
        cmocka_unit_test(positions_of_long_texts_agree_with_counting),
        cmocka_unit_test(keys_that_come_again_are_marked),
        cmocka_unit_test(random_texts_read_as_jansson_reads_them),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
