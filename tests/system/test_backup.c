// gemel backup, verify and restore as a person runs them, with enough data that history lies in sealed blocks: what was backed up
// is served again, to the last sample, and damage to a backup is told with its place before anyone relies on it.
#include "cli/http_client.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TWINS = 3, SAMPLES = 2500 };

#define MODEL                                                                                                         \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Device;1\",\"@type\":\"Interface\",\"contents\":["     \
    "{\"@type\":\"Telemetry\",\"name\":\"heat\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
#define TWIN(id) "{\"$dtId\":\"" id "\",\"label\":\"first\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}}"

typedef struct fixture { char dir[256], plant[300], data[300], copy[300], second[300]; } fixture;

static int set_up(void **state)
{
    static fixture f;
    char           path[400];
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    snprintf(f.copy, sizeof f.copy, "%s/copy", f.dir);
    snprintf(f.second, sizeof f.second, "%s/second", f.dir);
    snprintf(path, sizeof path, "%s/models/device.json", f.plant);
    gm_test_write_file(path, GM_STR(MODEL));
    snprintf(path, sizeof path, "%s/twins/all.json", f.plant);
    gm_test_write_file(path, GM_STR("[" TWIN("d0") "," TWIN("d1") "," TWIN("d2") "]"));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    gm_test_remove_dir(((fixture *)*state)->dir);
    return 0;
}

// ---- asking -----------------------------------------------------------------------------------------------------------

static unsigned ask(const gm_served *s, const char *method, const char *path, const char *body, gm_buf *out)
{
    gm_http       *http;
    gm_http_answer answer;
    gm_error       err;
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    assert_gm_ok(gm_http_request(http, method, path, body != NULL ? "application/json" : NULL, body, &answer, &err), err);
    unsigned code = (unsigned)answer.code;
    if (out != NULL) {
        char *text = answer.body != NULL ? json_dumps(answer.body, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        if (text != NULL) gm_buf_text(out, text);
        free(text);
    }
    gm_http_answer_finish(&answer);
    gm_http_close(http);
    return code;
}

static void measure(const gm_served *s, unsigned from, unsigned to)
{
    gm_buf lines = gm_buf_init(gm_alloc_system());
    for (unsigned i = from; i < to; i++) {
        for (unsigned twin = 0; twin < TWINS; twin++) {
            gm_buf_printf(&lines, "{\"$twin\":\"d%u\",\"heat\":%u.%02u,\"$time\":\"2026-01-01T%02u:%02u:%02uZ\"}\n", twin, i % 90,
                          (i * 7919 + twin) % 100, i / 3600, i / 60 % 60, i % 60);
        }
    }
    gm_buf_byte(&lines, '\0');
    assert_false(lines.failed);
    gm_buf answer = gm_buf_init(gm_alloc_system());
    if (ask(s, "POST", "/v1/ingest", (const char *)lines.ptr, &answer) != 200) fail_msg(GM_STR_FMT, GM_STR_ARG(gm_buf_view(&answer)));
    gm_buf_finish(&answer);
    gm_buf_finish(&lines);
}

// Everything that was, in one text.
static void tell_all(const gm_served *s, gm_buf *out)
{
    gm_buf_clear(out);
    for (unsigned twin = 0; twin < TWINS; twin++) {
        char path[200];
        snprintf(path, sizeof path, "/v1/history?twin=d%u&property=heat", twin);
        assert_int_equal(ask(s, "GET", path, NULL, out), 200);
    }
    assert_int_equal(ask(s, "POST", "/query?api-version=2023-10-31",
                         "{\"query\":\"SELECT * FROM DIGITALTWINS AS OF '2026-01-01T00:20:00Z'\"}", out), 200);
    assert_int_equal(ask(s, "POST", "/query?api-version=2023-10-31", "{\"query\":\"SELECT * FROM RELATIONSHIPS\"}", out), 200);
    assert_false(out->failed);
}

static void expect(gm_ran ran, int code, const char *out, const char *err)
{
    if (ran.code != code || strstr(GM_TEXT(ran.out), out) == NULL || strstr(GM_TEXT(ran.err), err) == NULL) {
        fail_msg("exit %d, '%s' '%s'; wanted %d, '%s' '%s'", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err), code, out, err);
    }
    gm_ran_finish(&ran);
}

// ---- the way there and back ---------------------------------------------------------------------------------------------

static void what_is_backed_up_is_served_again_to_the_last_sample(void **state)
{
    fixture   *f      = *state;
    gm_buf     before = gm_buf_init(gm_alloc_system()), after = gm_buf_init(gm_alloc_system());
    gm_served *s      = gm_serve(f->plant, f->data, NULL, NULL);
    measure(s, 0, SAMPLES);
    assert_int_equal(ask(s, "PUT", "/digitaltwins/d0/relationships/r?api-version=2023-10-31",
                         "{\"$targetId\":\"d1\",\"$relationshipName\":\"feeds\"}", NULL), 200);
    tell_all(s, &before);
    expect(GM_RUN("backup", f->copy, "--http", s->http), 0, "backed up everything up to change ", "");
    expect(GM_RUN("backup", f->copy, "--http", s->http), 1, "", "exists already");
    expect(GM_RUN("verify", f->data), 1, "", "a server has");
    measure(s, SAMPLES, SAMPLES + 500);  // is in the log alone, and not in the copy
    assert_int_equal(gm_served_stop(s), 0);

    expect(GM_RUN("verify", f->copy), 0, "nothing is damaged", "");
    expect(GM_RUN("verify", f->data), 0, "nothing is damaged", "");
    expect(GM_RUN("restore", f->copy, f->data), 1, "", "is not empty");
    expect(GM_RUN("restore", f->copy, f->second), 0, "restored ", "");
    for (int again = 0; again < 2; again++) {
        s = gm_serve(f->plant, f->second, NULL, NULL);
        tell_all(s, &after);
        if (!gm_str_eq(gm_buf_view(&before), gm_buf_view(&after))) fail_msg("the restored plant tells something else");
        if (again == 1) measure(s, SAMPLES, SAMPLES + 1500);  // and lives on
        assert_int_equal(gm_served_stop(s), 0);
    }
    s = gm_serve(f->plant, f->data, NULL, NULL);
    tell_all(s, &after);
    assert_true(after.len > before.len);
    assert_int_equal(gm_served_stop(s), 0);
    gm_buf_finish(&before);
    gm_buf_finish(&after);
}

// ---- damage -----------------------------------------------------------------------------------------------------------------

// The first file of a folder whose name ends so.
static void find_file(const char *folder, const char *ending, char *out, size_t size)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    out[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strstr(entry->d_name, ending) != NULL) snprintf(out, size, "%s/%s", folder, entry->d_name);
    }
    closedir(dir);
    assert_true(out[0] != '\0');
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_not_equal(byte, EOF);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 4, file), byte ^ 4);
    assert_int_equal(fclose(file), 0);
}

static long size_of(const char *path)
{
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    return (long)is.st_size;
}

static void damage_is_told_with_its_place_and_never_served(void **state)
{
    fixture   *f = *state;
    char       folder[600], history[1000], checkpoint[1000], segment[1000];
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    measure(s, 0, SAMPLES);
    expect(GM_RUN("backup", f->copy, "--http", s->http), 0, "backed up", "");
    measure(s, SAMPLES, SAMPLES + 10);
    assert_int_equal(gm_served_stop(s), 0);
    snprintf(folder, sizeof folder, "%s/history", f->copy);
    find_file(folder, ".hist", history, sizeof history);
    snprintf(folder, sizeof folder, "%s/checkpoint", f->copy);
    find_file(folder, ".ckpt", checkpoint, sizeof checkpoint);
    snprintf(folder, sizeof folder, "%s/log", f->data);
    find_file(folder, "00000000000000000001.log", segment, sizeof segment);

    flip(history, size_of(history) / 2);
    expect(GM_RUN("verify", f->copy), 1, ".hist is damaged at offset ", "");
    expect(GM_RUN("restore", f->copy, f->second), 1, "", ".hist is damaged at offset ");
    s = gm_serve(f->plant, f->copy, NULL, NULL);  // who serves it all the same gets what is good, and an answer for what is not
    unsigned refused = 0;
    for (unsigned twin = 0; twin < TWINS; twin++) {
        char   path[200];
        gm_buf answer = gm_buf_init(gm_alloc_system());
        snprintf(path, sizeof path, "/v1/history?twin=d%u&property=heat", twin);
        unsigned code = ask(s, "GET", path, NULL, &answer);
        gm_buf_byte(&answer, '\0');
        if (code == 200) assert_non_null(strstr((const char *)answer.ptr, "T00:41:39Z"));  // the last one of all
        else if (code < 500 || strstr((const char *)answer.ptr, "damaged at offset") == NULL) fail_msg("%u %s", code, (const char *)answer.ptr);
        refused += code != 200;
        gm_buf_finish(&answer);
    }
    assert_int_equal(refused, 1);
    assert_int_equal(gm_served_stop(s), 0);
    flip(history, size_of(history) / 2);

    flip(checkpoint, size_of(checkpoint) / 3);
    expect(GM_RUN("verify", f->copy), 1, "offset", "");
    flip(checkpoint, size_of(checkpoint) / 3);
    flip(segment, 5000);
    expect(GM_RUN("verify", f->data), 1, "00000000000000000001.log: record ", "");
    flip(segment, 5000);
    expect(GM_RUN("verify", f->data), 0, "nothing is damaged", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_backed_up_is_served_again_to_the_last_sample, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_told_with_its_place_and_never_served, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
