#include "api/json_patch.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

// Applies the patch text to the document text; "" stands for refused.
static char *applied(const char *document, const char *patch)
{
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    json_t   *doc = parse(document), *steps = parse(patch);
    gm_patch  read;
    gm_error  err  = { 0 };
    char     *text = NULL;
    if (gm_patch_read(arena, steps, &read, &err) == GM_OK && gm_patch_apply(doc, &read, &err) == GM_OK) {
        text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
    } else {
        assert_true(err.text[0] != '\0');
    }
    json_decref(doc);
    json_decref(steps);
    gm_arena_destroy(arena);
    return text;
}

static void operations_do_what_rfc_6902_says(void **state)
{
    (void)state;
    static const struct { const char *document, *patch, *result; } cases[] = {
        { "{\"a\":1}", "[]", "{\"a\":1}" },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}" },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}" },
        { "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{\"c\":[1]}}]", "{\"a\":{\"c\":[1]}}" },
        { "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":2}]", NULL },
        { "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}" },
        { "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL },
        { "{\"a\":{\"b\":1}}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":2}]", "{\"a\":{\"b\":1,\"c\":2}}" },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":2}]", NULL },
        { "{}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":2}]", NULL },
        { "{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2,3]}" },
        { "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", "{\"a\":[1,2]}" },
        { "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":2}]", NULL },
        { "{\"a\":[1]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":2}]", NULL },
        { "{\"a\":[1]}", "[{\"op\":\"replace\",\"path\":\"/a/-\",\"value\":2}]", NULL },
        { "{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", "{\"a\":[2]}" },
        { "{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/00\"}]", NULL },
        { "{\"a/b\":1}", "[{\"op\":\"replace\",\"path\":\"/a~1b\",\"value\":2}]", "{\"a/b\":2}" },
        { "{\"m~n\":1}", "[{\"op\":\"replace\",\"path\":\"/m~0n\",\"value\":2}]", "{\"m~n\":2}" },
        { "{\"\":1}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2}]", "{\"\":2}" },
        { "{}", "[{\"op\":\"add\",\"path\":\"\",\"value\":2}]", NULL },
        { "{}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL },
        { "{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL },
        { "{}", "[{\"path\":\"/a\",\"value\":1}]", NULL },
        { "{}", "[{\"op\":\"add\",\"value\":1}]", NULL },
        { "{}", "{\"op\":\"add\"}", NULL },
        { "{}", "[[]]", NULL },
        { "{}", "[{\"op\":\"add\",\"path\":\"/~\",\"value\":1}]", NULL },
        // a value is used twice: changing one copy must not change the other
        { "{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{}},{\"op\":\"add\",\"path\":\"/a/x\",\"value\":1}]", "{\"a\":{\"x\":1}}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = applied(cases[i].document, cases[i].patch);
        bool  same = text == NULL ? cases[i].result == NULL : cases[i].result != NULL && strcmp(text, cases[i].result) == 0;
        if (!same) fail_msg("%s with %s gave %s", cases[i].document, cases[i].patch, text != NULL ? text : "a refusal");
        free(text);
    }
}

// ---- from any document to any other --------------------------------------------------------------------------------

static const char *const names[] = { "a", "b/c", "d~e", "", "\xc3\xa4", "0", "-", "$metadata" };

static json_t *random_document(uint64_t *seed, int depth)
{
    switch (gm_test_random(seed) % (depth > 0 ? 6 : 4)) {
    case 0: return json_integer((json_int_t)(gm_test_random(seed) % 100));
    case 1: return json_string(names[gm_test_random(seed) % 8]);
    case 2: return json_true();
    case 3: return json_null();
    case 4: {
        json_t *array = json_array();
        for (uint64_t n = gm_test_random(seed) % 4; n > 0; n--) json_array_append_new(array, random_document(seed, depth - 1));
        return array;
    }
    default: {
        json_t *object = json_object();
        for (uint64_t n = gm_test_random(seed) % 5; n > 0; n--) {
            json_object_set_new(object, names[gm_test_random(seed) % 8], random_document(seed, depth - 1));
        }
        return object;
    }
    }
}

static void escape(gm_buf *out, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '~') gm_buf_text(out, "~0");
        else if (*name == '/') gm_buf_text(out, "~1");
        else gm_buf_byte(out, (uint8_t)*name);
    }
}

static void add_step(json_t *patch, const char *op, gm_str path, const char *name, json_t *value)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_str(&text, path);
    gm_buf_byte(&text, '/');
    escape(&text, name);
    json_t *step = json_object();
    json_object_set_new(step, "op", json_string(op));
    json_object_set_new(step, "path", json_stringn((char *)text.ptr, text.len));
    if (value != NULL) json_object_set(step, "value", value);
    json_array_append_new(patch, step);
    gm_buf_finish(&text);
}

// The steps that make `from` into `to`, written without looking at the code under test.
static void difference(json_t *patch, gm_str path, json_t *from, json_t *to)
{
    const char *key;
    json_t     *value;
    void       *safe;
    json_object_foreach_safe(from, safe, key, value)
    {
        if (json_object_get(to, key) == NULL) add_step(patch, "remove", path, key, NULL);
    }
    json_object_foreach(to, key, value)
    {
        json_t *before = json_object_get(from, key);
        if (before == NULL) {
            add_step(patch, "add", path, key, value);
        } else if (json_is_object(before) && json_is_object(value)) {
            gm_buf text = gm_buf_init(gm_alloc_system());
            gm_buf_str(&text, path);
            gm_buf_byte(&text, '/');
            escape(&text, key);
            difference(patch, gm_buf_view(&text), before, value);
            gm_buf_finish(&text);
        } else if (!json_equal(before, value)) {
            add_step(patch, "replace", path, key, value);
        }
    }
}

static void the_difference_of_two_documents_makes_one_into_the_other(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 3000; round++) {
        json_t *from = json_object(), *to = json_object(), *patch = json_array();
        for (int i = 0; i < 3; i++) {
            json_object_set_new(from, names[gm_test_random(&seed) % 8], random_document(&seed, 3));
            json_object_set_new(to, names[gm_test_random(&seed) % 8], random_document(&seed, 3));
        }
        difference(patch, GM_STR(""), from, to);
        gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_patch  read;
        gm_error  err = { 0 };
        assert_gm_ok(gm_patch_read(arena, patch, &read, &err), err);
        assert_gm_ok(gm_patch_apply(from, &read, &err), err);
        if (!json_equal(from, to)) {
            fail_msg("round %d: patch %s gave %s, not %s", round, json_dumps(patch, 0), json_dumps(from, 0), json_dumps(to, 0));
        }
        gm_arena_destroy(arena);
        json_decref(from);
        json_decref(to);
        json_decref(patch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_do_what_rfc_6902_says),
        cmocka_unit_test(the_difference_of_two_documents_makes_one_into_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
