// kill -9 at random moments while changes become events for a webhook that fails now and then: every change that was
// acknowledged reaches it at least once, and of each twin in order. (Events may come twice: docs/events.md.)
#include "cli/http_client.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"
#include "support/webhook.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TWINS = 3, CHANGES_MAX = 100000 };

typedef struct fixture {
    char          dir[256], plant[300], data[300];
    test_webhook *hook;
    bool         *acknowledged;   // [CHANGES_MAX] by number
    bool         *arrived;
    uint64_t      sent, random;
    size_t        looked_at;      // requests of the webhook
    uint64_t      highest[TWINS]; // number that has arrived of each twin
} fixture;

static void write_plant(fixture *f)
{
    char path[600], settings[300];
    snprintf(path, sizeof path, "%s/models/device.json", f->plant);
    gm_test_write_file(
        path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Device;1\",\"@type\":\"Interface\","
                     "\"contents\":[{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"long\",\"writable\":true}]}"));
    snprintf(path, sizeof path, "%s/twins/all.json", f->plant);
    gm_test_write_file(path, GM_STR("[{\"$dtId\":\"d0\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}},"
                                    "{\"$dtId\":\"d1\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}},"
                                    "{\"$dtId\":\"d2\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}}]"));
    snprintf(path, sizeof path, "%s/gemel.conf", f->plant);
    snprintf(settings, sizeof settings,
             "log.segment_size = 128KiB\ncheckpoint.log_size = 64KiB\n[endpoint hook]\nkind = webhook\n"
             "url = http://127.0.0.1:%u/events\nretry_first = 20ms\n",
             test_webhook_port(f->hook));
    gm_test_write_file(path, gm_str_of(settings));
}

static unsigned ask(gm_http *http, const char *method, const char *path, const char *body)
{
    gm_http_answer answer;
    gm_error       err;
    gm_status      st   = gm_http_request(http, method, path, "application/json", body, &answer, &err);
    unsigned       code = st == GM_OK ? (unsigned)answer.code : 0;
    gm_http_answer_finish(&answer);
    return code;
}

// Changes the twins one after the other, then kills the server: at once, so that events are on their way, or waiting, or
// not even made.
static void change_and_kill(fixture *f, int changes)
{
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    gm_http   *http;
    gm_error   err;
    char       path[100], body[200];
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    if (f->sent == 0) {
        unsigned code = ask(http, "PUT", "/eventroutes/all?api-version=2023-10-31",
                            "{\"endpointName\":\"hook\",\"filter\":\"type = 'Microsoft.DigitalTwins.Twin.Update'\"}");
        assert_true(code == 200 || code == 204);
    }
    for (int i = 0; i < changes; i++) {
        uint64_t number = ++f->sent;
        snprintf(path, sizeof path, "/digitaltwins/d%d?api-version=2023-10-31", (int)(number % TWINS));
        snprintf(body, sizeof body, "[{\"op\":\"add\",\"path\":\"/n\",\"value\":%llu}]", (unsigned long long)number);
        assert_int_equal(ask(http, "PATCH", path, body), 204);
        f->acknowledged[number] = true;
    }
    gm_http_close(http);
    gm_served_kill(s);
}

// The number that an event tells of, and its twin.
static uint64_t read_event(const char *request, int *out_twin)
{
    const char *body  = strstr(request, "\r\n\r\n");
    json_t     *event = body != NULL ? json_loads(body + 4, 0, NULL) : NULL;
    const char *subject = json_string_value(json_object_get(event, "subject"));
    json_t     *patch   = json_object_get(json_object_get(event, "data"), "patch");
    uint64_t    number  = 0;
    for (size_t i = 0; i < json_array_size(patch); i++) {
        const json_t *step = json_array_get(patch, i);
        const char   *path = json_string_value(json_object_get(step, "path"));
        if (path != NULL && strcmp(path, "/n") == 0) number = (uint64_t)json_integer_value(json_object_get(step, "value"));
    }
    if (number == 0 || subject == NULL || sscanf(subject, "d%d", out_twin) != 1) fail_msg("what event is this? %s", request);
    json_decref(event);
    return number;
}

// Looks at what has come since the last time. Of each twin nothing may come before what was changed before it.
static void take_events(fixture *f)
{
    for (size_t count = test_webhook_count(f->hook); f->looked_at < count; f->looked_at++) {
        if (!test_webhook_was_accepted(f->hook, f->looked_at)) continue;
        int      twin;
        uint64_t number = read_event(test_webhook_request(f->hook, f->looked_at), &twin);
        if (number > f->sent || number % TWINS != (uint64_t)twin) fail_msg("change %llu was never made", (unsigned long long)number);
        f->arrived[number] = true;
        if (number > f->highest[twin] && f->highest[twin] != 0 && number != f->highest[twin] + TWINS) {
            fail_msg("d%d: change %llu came before %llu", twin, (unsigned long long)number, (unsigned long long)f->highest[twin] + TWINS);
        }
        if (number > f->highest[twin]) f->highest[twin] = number;
    }
}

static uint64_t missing(const fixture *f)
{
    uint64_t n = 0;
    for (uint64_t i = 1; i <= f->sent; i++) n += f->acknowledged[i] && !f->arrived[i];
    return n;
}

static void every_acknowledged_change_reaches_the_webhook(void **state)
{
    (void)state;
    static fixture f;
    f.random = gm_test_seed();
    f.hook   = test_webhook_start();
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    f.acknowledged = calloc(CHANGES_MAX, sizeof *f.acknowledged);
    f.arrived      = calloc(CHANGES_MAX, sizeof *f.arrived);
    write_plant(&f);
    int rounds = getenv("GM_DEEP") != NULL ? 100 : 8;
    for (int round = 0; round < rounds; round++) {
        test_webhook_misbehave(f.hook, (unsigned)(gm_test_random(&f.random) % 3) * 3);
        change_and_kill(&f, 1 + (int)(gm_test_random(&f.random) % 150));
    }
    test_webhook_misbehave(f.hook, 0);
    gm_served *s = gm_serve(f.plant, f.data, NULL, NULL);
    for (int i = 0; i < 2000 && (take_events(&f), missing(&f)) > 0; i++) usleep(10000);
    print_message("%llu changes, %zu requests, %llu never arrived\n", (unsigned long long)f.sent, test_webhook_count(f.hook),
                  (unsigned long long)missing(&f));
    assert_int_equal(missing(&f), 0);
    assert_int_equal(gm_served_stop(s), 0);
    test_webhook_stop(f.hook);
    gm_test_remove_dir(f.dir);
    free(f.acknowledged);
    free(f.arrived);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_acknowledged_change_reaches_the_webhook) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
