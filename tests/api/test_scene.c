#include "base/pool.h"
#include "support/api_plant.h"
#include "support/files.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <string.h>

static char       folder[256];
static bool       with_pool;
static api_plant  plant;

static void write_scene(const char *name, gm_str text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gm_test_write_file(path, text);
}

static void with_scene(gm_api_options *o)
{
    o->plant_dir = folder;
    if (!with_pool) return;
    gm_pool_options pool = { .threads = 1, .jobs_max = 4 };
    gm_error        err  = { 0 };
    assert_gm_ok(gm_pool_create(gm_alloc_system(), plant.loop, &pool, &o->pool, &err), err);
    plant.pool = o->pool;
}

static void start(bool pool)
{
    gm_test_make_dir(folder, sizeof folder);
    write_scene("gemel.conf", GM_STR("secret\n"));
    write_scene("scene/plant.gltf", GM_STR("{\"asset\":{\"version\":\"2.0\"}}"));
    write_scene("scene/empty.bin", GM_STR(""));
    write_scene("scene/.hidden.gltf", GM_STR("{}"));
    write_scene("scene/README", GM_STR("nothing for a browser"));
    write_scene("scene/notes.txt", GM_STR("neither"));
    write_scene("scene/textures/wood grain.png", GM_STR("\x89PNG"));
    with_pool = pool;
    plant     = (api_plant){ 0 };
    api_plant_start(&plant, with_scene);
}

static void stop(void)
{
    api_plant_stop(&plant);
    gm_test_remove_dir(folder);
}

static void the_folder_is_listed_and_its_files_are_served(bool pool)
{
    start(pool);
    static const api_step steps[] = {
        { "GET", "/v1/scene", NULL, NULL, 200,
          "{\"files\":[{\"name\":\"empty.bin\",\"type\":\"application/octet-stream\",\"bytes\":0},{\"name\":\"plant.gltf\",\"type\":\"model/gltf+json\",\"bytes\":27},"
          "{\"name\":\"textures/wood grain.png\",\"type\":\"image/png\",\"bytes\":4}]," },
        { "GET", "/v1/scene/plant.gltf", NULL, NULL, 200, "{\"asset\":{\"version\":\"2.0\"}}" },
        { "GET", "/v1/scene/plant.gltf", NULL, NULL, 200, "Content-Type: model/gltf+json" },
        { "GET", "/v1/scene/plant.gltf", NULL, NULL, 200, "nosniff" },
        { "GET", "/v1/scene/textures%2Fwood%20grain.png", NULL, NULL, 200, "image/png" },
        { "GET", "/v1/scene/empty.bin", NULL, NULL, 200, "octet-stream" },
        { "GET", "/v1/scene/absent.gltf", NULL, NULL, 404, "FileNotFound" },
        { "GET", "/v1/scene/textures.png", NULL, NULL, 404, "FileNotFound" },
        { "POST", "/v1/scene/plant.gltf", NULL, "{}", 405, "GET" },
    };
    API_TALK(&plant, steps);
    stop();
}

static void files_are_served_without_threads(void **state)
{
    (void)state;
    the_folder_is_listed_and_its_files_are_served(false);
}

static void files_are_read_on_the_pool(void **state)
{
    (void)state;
    the_folder_is_listed_and_its_files_are_served(true);
}

static void no_name_leads_out_of_the_folder(void **state)
{
    (void)state;
    start(false);
    static const char *const names[] = {
        "..%2Fgemel.conf", "%2e%2e%2fgemel.conf", "textures%2F..%2F..%2Fgemel.conf", "%2Fetc%2Fpasswd", "..", "..%5Cgemel.conf", ".hidden.gltf", "README", "notes.txt",
        "textures", "textures%2F", "textures%2F%2Fwood%20grain.png", "plant.gltf%00.png", "plant.gltf%0A.png", "..%2Fscene%2Fplant.gltf", "x%2F.gltf",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char target[128];
        snprintf(target, sizeof target, "/v1/scene/%s", names[i]);
        test_http_reply *reply = test_http_ask(&plant.client, "GET", target, NULL, NULL);
        if (reply->status != 404 && reply->status != 400) fail_msg("%s is answered %u", target, reply->status);
        if (gm_str_find(gm_buf_view(&reply->body), GM_STR("secret")) != SIZE_MAX) fail_msg("%s gives the file away", target);
    }
    char   name[300] = "/v1/scene/";
    size_t n         = strlen(name);
    memset(name + n, 'a', 250);
    strcpy(name + n + 250, ".glb");
    assert_int_equal(test_http_ask(&plant.client, "GET", name, NULL, NULL)->status, 404);
    stop();
}

static void an_unchanged_file_is_not_sent_again_and_a_changed_one_is(void **state)
{
    (void)state;
    start(true);
    char tag[80], header[160];
    assert_int_equal(test_http_ask(&plant.client, "GET", "/v1/scene/plant.gltf", NULL, NULL)->status, 200);
    snprintf(tag, sizeof tag, "%s", test_http_header(&plant.client, "etag"));
    assert_true(tag[0] == '"');
    snprintf(header, sizeof header, "If-None-Match: \"other\", W/%s\r\n", tag);
    test_http_reply *same = test_http_ask(&plant.client, "GET", "/v1/scene/plant.gltf", header, NULL);
    assert_int_equal(same->status, 304);
    assert_int_equal(same->body.len, 0);
    write_scene("scene/plant.gltf", GM_STR("{\"asset\":{\"version\":\"2.1\"}}"));  // of the same size
    test_http_reply *other = test_http_ask(&plant.client, "GET", "/v1/scene/plant.gltf", header, NULL);
    assert_int_equal(other->status, 200);
    assert_string_not_equal(test_http_header(&plant.client, "etag"), tag);
    stop();
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    start(true);
    char path[512];
    snprintf(path, sizeof path, "%s/scene/large.glb", folder);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 64 << 20, SEEK_SET), 0);  // a hole: it takes no room on the disk
    assert_int_equal(fputc(0, f), 0);
    assert_int_equal(fclose(f), 0);
    static const api_step steps[] = { { "GET", "/v1/scene/large.glb", NULL, NULL, 413, "64 MiB" } };
    API_TALK(&plant, steps);
    stop();
}

static void a_plant_without_geometry_has_an_empty_list(void **state)
{
    (void)state;
    plant = (api_plant){ 0 };
    api_plant_start(&plant, NULL);
    static const api_step steps[] = {
        { "GET", "/v1/scene", NULL, NULL, 200, "{\"files\":[]," },
        { "GET", "/v1/scene/plant.gltf", NULL, NULL, 404, "FileNotFound" },
    };
    API_TALK(&plant, steps);
    api_plant_stop(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_served_without_threads),
        cmocka_unit_test(files_are_read_on_the_pool),
        cmocka_unit_test(no_name_leads_out_of_the_folder),
        cmocka_unit_test(an_unchanged_file_is_not_sent_again_and_a_changed_one_is),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused),
        cmocka_unit_test(a_plant_without_geometry_has_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
