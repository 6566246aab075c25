// The server as a process: starting, ending, refusing; what is loaded; what a full disk does.
#include "cli/http_client.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

typedef struct fixture { char dir[256], plant[300], data[300]; } fixture;

#define MODEL_1                                                                                                        \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\",\"contents\":["        \
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},"                             \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
#define TWINS                                                                                                          \
    "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\"}\n{\"Section\":\"Twins\"}\n"                                 \
    "{\"$dtId\":\"pump1\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"},\"speed\":1}\n"                              \
    "{\"$dtId\":\"pump2\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}\n"                                          \
    "{\"Section\":\"Relationships\"}\n"                                                                                \
    "{\"$dtId\":\"pump1\",\"$relationshipId\":\"r\",\"$targetId\":\"pump2\",\"$relationshipName\":\"feeds\"}\n"

static void put(const char *folder, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    gm_test_write_file(path, gm_str_of(text));
}

static int set_up(void **state)
{
    static fixture f;
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    put(f.plant, "models/pump.json", MODEL_1);
    put(f.plant, "twins/all.ndjson", TWINS);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    gm_test_remove_dir(((fixture *)*state)->dir);
    return 0;
}

static void expect_output(gm_ran ran, int code, const char *out)
{
    if (ran.code != code || strcmp(GM_TEXT(ran.out), out) != 0) {
        fail_msg("exit %d, '%s' '%s'; wanted %d, '%s'", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err), code, out);
    }
    gm_ran_finish(&ran);
}

static void a_server_tells_when_it_is_ready_and_ends_with_0(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_output(GM_RUN("get", "pump1", "speed", "--http", s->http), 0, "1\n");
    expect_output(GM_RUN("query", "SELECT COUNT() FROM RELATIONSHIPS", "--json", "--http", s->http), 0,
                  "[{\"COUNT\":1}]\n");
    assert_int_equal(gm_served_stop(s), 0);
}

static void loading_again_leaves_what_the_twin_became(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_output(GM_RUN("set", "pump1", "speed=7.5", "--http", s->http), 0, "");
    assert_int_equal(gm_served_stop(s), 0);

    // The file goes on saying 1, and a third pump is new.
    put(f->plant, "twins/more.json", "[{\"$dtId\":\"pump3\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}]");
    s = gm_serve(f->plant, f->data, NULL, NULL);
    if (gm_str_find(gm_buf_view(&s->child->err_text), GM_STR("loaded 0 interfaces, 1 twins and 0 relationships")) ==
        SIZE_MAX) {
        fail_msg(GM_STR_FMT, GM_STR_ARG(gm_buf_view(&s->child->err_text)));
    }
    expect_output(GM_RUN("get", "pump1", "speed", "--http", s->http), 0, "7.5\n");
    expect_output(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--json", "--http", s->http), 0,
                  "[{\"COUNT\":3}]\n");
    assert_int_equal(gm_served_stop(s), 0);
}

static void a_twin_that_was_deleted_stays_deleted_while_the_files_stay(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve(f->plant, f->data, NULL, NULL);
    gm_http       *http;
    gm_http_answer answer;
    gm_error       err;
    static const char *const paths[] = { "/digitaltwins/pump1/relationships/r?api-version=2022-05-31",
                                         "/digitaltwins/pump2?api-version=2022-05-31" };
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    for (size_t i = 0; i < 2; i++) {
        assert_gm_ok(gm_http_request(http, "DELETE", paths[i], NULL, NULL, &answer, &err), err);
        assert_int_equal(answer.code, 204);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    assert_int_equal(gm_served_stop(s), 0);
    s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_output(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--json", "--http", s->http), 0,
                  "[{\"COUNT\":1}]\n");
    assert_int_equal(gm_served_stop(s), 0);
}

// A server that must not start: its exit code and sentence.
static void expect_refusal(const char *const *words, int code, const char *says)
{
    gm_ran ran = gm_run(words);
    if (ran.code != code || strstr(GM_TEXT(ran.err), says) == NULL) fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    assert_string_equal(GM_TEXT(ran.out), "");
    gm_ran_finish(&ran);
}

static void a_model_that_changed_under_its_id_is_refused(void **state)
{
    const fixture *f = *state;
    assert_int_equal(gm_served_stop(gm_serve(f->plant, f->data, NULL, NULL)), 0);
    gm_buf model = gm_buf_init(gm_alloc_system());
    gm_buf_text(&model, MODEL_1);
    gm_buf_byte(&model, 0);
    memcpy(strstr((char *)model.ptr, "speed"), "force", 5);
    put(f->plant, "models/pump.json", (char *)model.ptr);
    put(f->plant, "twins/all.ndjson", "{\"Section\":\"Twins\"}\n");
    expect_refusal((const char *const[]) { "serve", f->plant, "--data", f->data, "--http", "127.0.0.1:0", "--mqtt",
                                           "127.0.0.1:0", NULL },
                   1, "give the new text the next version");
    gm_buf_finish(&model);
}

static void a_plant_with_problems_is_not_served(void **state)
{
    const fixture *f = *state;
    put(f->plant, "twins/more.json",
        "[{\"$dtId\":\"pump1\"},{\"$dtId\":\"x\",\"$metadata\":{\"$model\":\"dtmi:test:None;1\"}}]");
    expect_refusal((const char *const[]) { "serve", f->plant, "--data", f->data, "--http", "127.0.0.1:0", "--mqtt",
                                           "127.0.0.1:0", NULL },
                   1, "the plant has 3 problems");
}

static void a_second_server_on_the_same_data_is_refused(void **state)
{
    const fixture *f = *state;
    gm_served     *s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_refusal((const char *const[]) { "serve", f->plant, "--data", f->data, "--http", "127.0.0.1:0", "--mqtt",
                                           "127.0.0.1:0", NULL },
                   1, "another gemel serves from");
    expect_output(GM_RUN("get", "pump1", "speed", "--http", s->http), 0, "1\n");  // the first one is none the worse
    assert_int_equal(gm_served_stop(s), 0);
}

static void a_taken_port_and_an_open_address_are_refused(void **state)
{
    const fixture *f = *state;
    char           other[300];
    snprintf(other, sizeof other, "%s/other", f->dir);
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_refusal(
        (const char *const[]) { "serve", f->plant, "--data", other, "--http", s->http, "--mqtt", "127.0.0.1:0", NULL },
        4, "in use");
    expect_refusal(
        (const char *const[]) { "serve", f->plant, "--data", other, "--mqtt", s->mqtt, "--http", "127.0.0.1:0", NULL },
        4, "in use");
    expect_refusal((const char *const[]) { "serve", f->plant, "--data", other, "--http", "0.0.0.0:0", NULL }, 1,
                   "only this machine may connect");
    expect_refusal(
        (const char *const[]) { "serve", f->plant, "--data", other, "--mqtt", "[::]:0", "--http", "127.0.0.1:0", NULL },
        1, "only this machine may connect");
    assert_int_equal(gm_served_stop(s), 0);
}

static void settings_of_the_plant_hold_and_the_command_line_wins(void **state)
{
    const fixture *f = *state;
    put(f->plant, "gemel.conf", "http = 127.0.0.1:1  # nobody may have it\ndata = own\nlog.segment_size = 1MiB\n");
    gm_child *child = gm_child_start(
        (const char *const[]) { "serve", f->plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", NULL });
    while (gm_str_find_char(gm_buf_view(&child->out_text), '\n') == SIZE_MAX) gm_child_read(child, 100);
    kill(child->pid, SIGINT);
    assert_int_equal(gm_child_wait(child), 0);
    gm_child_free(child);
    char path[600];
    snprintf(path, sizeof path, "%s/own/lock", f->plant);
    gm_buf lock = gm_test_read_file(path);
    gm_buf_finish(&lock);

    // A setting that is wrong is told, also when nothing else has changed since the last start.
    put(f->plant, "gemel.conf", "data = own\nport = 80\n");
    gm_ran ran = GM_RUN("serve", f->plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "gemel.conf:2: there is no key 'port'"));
    gm_ran_finish(&ran);
}

// A small file system of its own, so that "the disk" can be full. Needs the right to mount.
static bool mount_small(const char *path, const char *size)
{
    char options[64];
    snprintf(options, sizeof options, "size=%s", size);
    return mount("none", path, "tmpfs", 0, options) == 0;
}

static gm_status patch(gm_http *http, int value, long *out_code)
{
    char           body[100];
    gm_http_answer answer;
    gm_error       err;
    snprintf(body, sizeof body, "[{\"op\":\"add\",\"path\":\"/speed\",\"value\":%d}]", value);
    gm_status st = gm_http_request(http, "PATCH", "/digitaltwins/pump1?api-version=2022-05-31",
                                   "application/json-patch+json", body, &answer, &err);
    *out_code    = answer.code;
    gm_http_answer_finish(&answer);
    return st;
}

static void a_full_disk_is_told_and_nothing_acknowledged_is_lost(void **state)
{
    const fixture *f = *state;
    put(f->plant, "gemel.conf", "log.segment_size = 1MiB\n");
    put(f->data, "lock", "");
    if (!mount_small(f->data, "2560k")) {
        print_message("no right to mount a small file system (%s): skipped\n", strerror(errno));
        skip();
    }
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    gm_http   *http;
    gm_error   err;
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    int  acknowledged = 0;
    long code         = 204;
    while (code == 204) {
        assert_int_equal(patch(http, acknowledged + 1, &code), GM_OK);
        if (code == 204) acknowledged++;
        if (acknowledged > 200000) fail_msg("the disk never got full");
    }
    if (code < 500) fail_msg("a full disk was answered with %ld", code);

    // Reading goes on, and shows what was acknowledged.
    char text[32];
    snprintf(text, sizeof text, "%d\n", acknowledged);
    expect_output(GM_RUN("get", "pump1", "speed", "--http", s->http), 0, text);
    gm_child_read(s->child, 1000);
    if (gm_str_find(gm_buf_view(&s->child->err_text), GM_STR("takes no more changes")) == SIZE_MAX) {
        fail_msg("the server did not say so: " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&s->child->err_text)));
    }
    gm_http_close(http);
    gm_served_stop(s);

    // With room again it starts and goes on from there.
    assert_int_equal(mount("none", f->data, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    s = gm_serve(f->plant, f->data, NULL, NULL);
    expect_output(GM_RUN("get", "pump1", "speed", "--http", s->http), 0, text);
    expect_output(GM_RUN("set", "pump1", "speed=-1", "--http", s->http), 0, "");
    assert_int_equal(gm_served_stop(s), 0);
    umount(f->data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_tells_when_it_is_ready_and_ends_with_0, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loading_again_leaves_what_the_twin_became, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_twin_that_was_deleted_stays_deleted_while_the_files_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_model_that_changed_under_its_id_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plant_with_problems_is_not_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_server_on_the_same_data_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_taken_port_and_an_open_address_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_of_the_plant_hold_and_the_command_line_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_nothing_acknowledged_is_lost, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
