#include "cli/scene_file.h"

#include "base/le.h"
#include "cli/plant.h"
#include "support/files.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

typedef struct heard { char text[1000]; size_t len; } heard;

static gm_status on_mention(void *context, const gm_scene_mention *m, gm_error *err)
{
    static const char kinds[] = "tmf!";
    heard *h = context;
    (void)err;
    h->len += (size_t)snprintf(h->text + h->len, sizeof h->text - h->len, "%c%zu:" GM_STR_FMT ";", kinds[m->kind], m->node, GM_STR_ARG(m->text));
    return GM_OK;
}

static gm_status read(gm_str bytes, heard *h, gm_error *err)
{
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    *h              = (heard){ 0 };
    gm_status st    = gm_scene_read(bytes, arena, on_mention, h, err);
    gm_arena_destroy(arena);
    return st;
}

#define GLTF(rest) "{\"asset\":{\"version\":\"2.0\"}" rest "}"

static void what_a_scene_speaks_of_is_heard(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; const char *says; } cases[] = {
        { GLTF(""), GM_OK, "" },
        { GLTF(",\"nodes\":[{},{\"extras\":{\"twinId\":\"pump 1\"}}]"), GM_OK, "t1:pump 1;" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinModel\":\"dtmi:a;1\",\"twinIndex\":3}}]"), GM_OK, "m0:dtmi:a;1;" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinModel\":\"dtmi:a;1\"}}]"), GM_OK, "m0:dtmi:a;1;" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinId\":\"\"}}]"), GM_OK, "!0:\"twinId\" is no text;" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinId\":5}}]"), GM_OK, "!0:\"twinId\" is no text;" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinId\":\"a\",\"twinModel\":\"b\"}}]"), GM_OK, "!0:extras has both" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinIndex\":1}}]"), GM_OK, "!0:extras has \"twinIndex\" without" },
        { GLTF(",\"nodes\":[{\"extras\":{\"twinModel\":\"b\",\"twinIndex\":-1}}]"), GM_OK, "!0:\"twinIndex\" is no" },
        { GLTF(",\"nodes\":[{\"extras\":\"twinId\"}]"), GM_OK, "" },
        { GLTF(",\"buffers\":[{\"uri\":\"data:,x\"},{\"uri\":\"a%20b.bin\"}],\"images\":[{\"uri\":\"t/c.png\"},{\"bufferView\":1}]"), GM_OK, "f0:a b.bin;f0:t/c.png;" },
        { GLTF(",\"buffers\":[{\"uri\":\"%zz\"}]"), GM_OK, "f0:%zz;" },
        { "{\"asset\":{\"version\":\"1.0\"}}", GM_INVALID, "not glTF of version 2" },
        { "[]", GM_INVALID, "not glTF of version 2" },
        { "{\n \"asset\": }", GM_INVALID, "not JSON" },
        { "glTF", GM_INVALID, "ends within its header" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        heard     h;
        gm_error  err = { 0 };
        gm_status st  = read(gm_str_of(cases[i].text), &h, &err);
        const char *said = st == GM_OK ? h.text : err.text;
        bool      fits = cases[i].says[0] == '\0' ? said[0] == '\0' : strstr(said, cases[i].says) != NULL;
        if (st != cases[i].st || !fits) fail_msg("%s: status %d, '%s'", cases[i].text, (int)st, said);
    }
    gm_error err = { 0 };
    heard    h;
    assert_int_equal(read(GM_STR("{\n \"asset\": }"), &h, &err), GM_INVALID);
    assert_int_equal(err.line, 2);
}

// A binary file says the same as its text, and every wrong length is refused.
static void a_binary_scene_is_read_like_its_text(void **state)
{
    (void)state;
    static const char text[] = GLTF(",\"nodes\":[{\"extras\":{\"twinId\":\"p\"}}]");
    uint8_t           bytes[200];
    uint32_t          json = sizeof text - 1, whole = 20 + json;
    memcpy(bytes, "glTF", 4);
    gm_put_u32(bytes + 4, 2);
    gm_put_u32(bytes + 8, whole);
    gm_put_u32(bytes + 12, json);
    memcpy(bytes + 16, "JSON", 4);
    memcpy(bytes + 20, text, json);
    heard    h;
    gm_error err = { 0 };
    assert_gm_ok(read((gm_str){ (const char *)bytes, whole }, &h, &err), err);
    assert_string_equal(h.text, "t0:p;");
    for (uint32_t n = 4; n < whole; n++) assert_int_equal(read((gm_str){ (const char *)bytes, n }, &h, &err), GM_INVALID);
    static const uint32_t wrong[] = { 0, 1000, UINT32_MAX, UINT32_MAX - 19 };
    for (size_t i = 0; i < 4; i++) {
        gm_put_u32(bytes + 12, wrong[i]);
        assert_int_equal(read((gm_str){ (const char *)bytes, whole }, &h, &err), GM_INVALID);
    }
    gm_put_u32(bytes + 12, json);
    gm_put_u32(bytes + 4, 1);
    assert_int_equal(read((gm_str){ (const char *)bytes, whole }, &h, &err), GM_INVALID);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gm_test_write_file(path, gm_str_of(text));
}

static void a_plant_s_scene_is_checked_against_its_twins_models_and_files(void **state)
{
    (void)state;
    char folder[256];
    gm_test_make_dir(folder, sizeof folder);
    put(folder, "models/a.json", "{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"}");
    put(folder, "twins/a.ndjson", "{\"Section\":\"Twins\"}\n{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"dtmi:t:A;1\"}}\n");
    put(folder, "scene/ok.gltf", GLTF(",\"nodes\":[{\"extras\":{\"twinId\":\"a\"}},{\"extras\":{\"twinModel\":\"dtmi:t:A;1\"}}],\"images\":[{\"uri\":\"sub/x.png\"}]"));
    put(folder, "scene/sub/x.png", "");
    put(folder, "scene/sub/y.gltf", GLTF(",\"images\":[{\"uri\":\"x.png\"}]"));
    put(folder, "scene/wrong.gltf", GLTF(",\"nodes\":[{\"extras\":{\"twinId\":\"b\"}},{\"extras\":{\"twinModel\":\"dtmi:t:B;1\"}},{\"extras\":{\"twinId\":1}}],\"images\":[{\"uri\":\"x.png\"}]"));
    put(folder, "scene/broken.glb", "no");
    gm_plant *plant;
    gm_error  err = { 0 };
    assert_gm_ok(gm_plant_read(gm_io_system(), folder, &plant, &err), err);
    assert_gm_ok(gm_plant_check(plant, &err), err);
    assert_int_equal(plant->findings.count, 0);
    assert_gm_ok(gm_plant_check_scene(plant, gm_io_system(), &err), err);
    static const char *const rules[] = { "scene", "scene.twin", "scene.model", "scene.extras", "scene.file" };
    assert_int_equal(plant->findings.count, sizeof rules / sizeof rules[0]);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t n = 0;
        for (size_t j = 0; j < plant->findings.count; j++) n += gm_str_is(plant->findings.items[j].rule, rules[i]);
        if (n != 1) fail_msg("%s was found %zu times", rules[i], n);
    }
    gm_plant_destroy(plant);
    gm_test_remove_dir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_scene_speaks_of_is_heard),
        cmocka_unit_test(a_binary_scene_is_read_like_its_text),
        cmocka_unit_test(a_plant_s_scene_is_checked_against_its_twins_models_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
