// kill -9 of the server at every transition of a command's life, with a device whose MQTT session outlives its connections:
// afterwards the command is in one state and comes to its end, the device has never been told twice but with the same id, and the
// chain of decisions is whole. Then somebody alters a decision on disk, and is found.
#include "base/crc32c.h"
#include "base/le.h"
#include "cli/http_client.h"
#include "cli/mqtt_client.h"
#include "control/journal.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEARD_MAX = 400, HEADER = 64, ID = 20 };
static const gm_dur_ns PATIENCE = 60 * GM_SECOND;

typedef enum obedience { SILENT, ACKNOWLEDGES, OBEYS, REFUSES } obedience;

typedef struct heard { char topic[160], payload[160]; } heard;

typedef struct fixture {
    char            dir[256], plant[300], data[300], anna[80], bert[80];
    gm_served      *server;
    gm_mqtt_client *device;     // NULL: it is away
    obedience       obeys;
    heard           heard[HEARD_MAX];
    size_t          heard_count;
    gm_error        err;
} fixture;

#define VALVES "on twins (SELECT * FROM DIGITALTWINS V WHERE IS_OF_MODEL(V, 'dtmi:t:Valve;1')) "

static void put(fixture *f, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->plant, name);
    gm_test_write_file(path, gm_str_of(text));
}

static void take_token(fixture *f, const char *name, const char *role, char out[80])
{
    gm_ran ran = GM_RUN("user", "add", f->plant, name, "--role", role, "--data", f->data);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    assert_int_equal(sscanf(GM_TEXT(ran.out), "%79s", out), 1);
    gm_ran_finish(&ran);
}

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){ .obeys = SILENT };
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    put(&f, "models/valve.json",
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Valve;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"position\",\"schema\":\"double\"},"
        "{\"@type\":\"Property\",\"name\":\"opening\",\"schema\":\"double\",\"writable\":true},"
        "{\"@type\":\"Property\",\"name\":\"limit\",\"schema\":\"double\",\"writable\":true},"
        "{\"@type\":\"Command\",\"name\":\"turn\",\"request\":{\"name\":\"to\",\"schema\":\"double\"}},"
        "{\"@type\":\"Command\",\"name\":\"purge\"},{\"@type\":\"Command\",\"name\":\"flush\"},{\"@type\":\"Command\",\"name\":\"shut\"},{\"@type\":\"Command\",\"name\":\"drain\"}]}");
    put(&f, "twins/all.json", "[{\"$dtId\":\"valve\",\"$metadata\":{\"$model\":\"dtmi:t:Valve;1\"}}]");
    put(&f, "rules/a.rules",
        "command turn " VALVES "deadline 10 min expect V.position = request within 10 min\n"
        "command purge " VALVES "deadline 3 s rollback shut\n"
        "command flush " VALVES "deadline 10 min rollback shut\n"
        "command drain " VALVES "approve within 10 min deadline 10 min\n");
    take_token(&f, "anna", "operator", f.anna);
    take_token(&f, "bert", "engineer", f.bert);
    setenv("GEMEL_TOKEN", f.bert, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_mqtt_client_close(f->device);
    if (f->server != NULL) gm_served_kill(f->server);
    unsetenv("GEMEL_TOKEN");
    gm_test_remove_dir(f->dir);
    return 0;
}

// ---- the device ---------------------------------------------------------------------------------------------------

static void say(fixture *f, const char *topic, const char *payload)
{
    assert_gm_ok(gm_mqtt_client_publish(f->device, topic, gm_str_of(payload), &f->err), f->err);
}

static void on_message(void *context, gm_str topic, gm_str payload)
{
    fixture *f = context;
    char     text[200];
    if (f->heard_count == HEARD_MAX) fail_msg("the device is told too much");
    heard *h = &f->heard[f->heard_count++];
    snprintf(h->topic, sizeof h->topic, GM_STR_FMT, GM_STR_ARG(topic));
    snprintf(h->payload, sizeof h->payload, GM_STR_FMT, GM_STR_ARG(payload));
    if (f->obeys == SILENT) return;
    if (gm_str_ends(topic, GM_STR("/desired"))) {
        double opening;
        if (f->obeys != OBEYS || sscanf(h->payload, "{\"opening\":%lf", &opening) != 1) return;
        snprintf(text, sizeof text, "{\"opening\":%g}", opening);
        say(f, "gemel/valve/properties", text);
        return;
    }
    char answer[200];
    snprintf(answer, sizeof answer, "%s/response", h->topic);
    say(f, answer, f->obeys == REFUSES ? "{\"status\":500,\"error\":\"jammed\"}" : "{\"status\":200}");
    if (f->obeys != OBEYS || strstr(h->topic, "/turn/") == NULL) return;
    snprintf(text, sizeof text, "{\"position\":%.60s}", h->payload);
    say(f, "gemel/valve/telemetry", text);
}

static void connect_device(fixture *f)
{
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.address = f->server->mqtt;
    o.session = "valve-device";
    assert_gm_ok(gm_mqtt_client_open(&o, &f->device, &f->err), f->err);
    gm_mqtt_client_listen(f->device, on_message, f);
    assert_gm_ok(gm_mqtt_client_subscribe(f->device, "gemel/valve/commands/+/+", &f->err), f->err);
    assert_gm_ok(gm_mqtt_client_subscribe(f->device, "gemel/valve/desired", &f->err), f->err);
    // Its own word comes back when the subscriptions hold: a ping through the server.
    assert_gm_ok(gm_mqtt_client_subscribe(f->device, "ping/device", &f->err), f->err);
    size_t before = f->heard_count;
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; ; ) {
        bool back = false;
        say(f, "ping/device", "x");
        assert_gm_ok(gm_mqtt_client_drain(f->device, PATIENCE, &f->err), f->err);
        assert_gm_ok(gm_mqtt_client_turn(f->device, 20 * GM_MILLISECOND, &f->err), f->err);
        for (size_t i = before; i < f->heard_count; i++) back |= strcmp(f->heard[i].topic, "ping/device") == 0;
        if (back) return;
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the device hears nothing");
    }
}

static void disconnect_device(fixture *f)
{
    if (f->device == NULL) return;
    (void)!gm_mqtt_client_drain(f->device, GM_SECOND, &f->err);
    gm_mqtt_client_close(f->device);
    f->device = NULL;
}

static size_t times_heard(const fixture *f, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < f->heard_count; i++) n += strstr(f->heard[i].topic, text) != NULL;
    return n;
}

// ---- the server ---------------------------------------------------------------------------------------------------

static void serve(fixture *f) { f->server = gm_serve(f->plant, f->data, NULL, NULL); }

static void die(fixture *f)
{
    gm_served_kill(f->server);
    f->server = NULL;
}

// POSTs as somebody; takes the id from the answer. What is there of it.
static void post(fixture *f, const char *who, const char *path, const char *body, char out_id[ID])
{
    gm_http       *http;
    gm_http_answer answer;
    setenv("GEMEL_TOKEN", who, 1);
    assert_gm_ok(gm_http_open(gm_alloc_system(), f->server->http, &http, &f->err), f->err);
    assert_gm_ok(gm_http_request(http, "POST", path, "application/json", body, &answer, &f->err), f->err);
    if (answer.code != 202 && answer.code != 200) fail_msg("%s: %ld " GM_STR_FMT, path, answer.code, GM_STR_ARG(gm_buf_view(&answer.text)));
    const char *id = json_string_value(json_object_get(answer.body, "id"));
    if (out_id != NULL) snprintf(out_id, ID, "%s", id != NULL ? id : "");
    gm_http_answer_finish(&answer);
    gm_http_close(http);
    setenv("GEMEL_TOKEN", f->bert, 1);
}

static bool state_is(fixture *f, const char *id, const char *wanted, char out[40])
{
    gm_http       *http;
    gm_http_answer answer;
    char           path[100];
    snprintf(path, sizeof path, "/v1/commands/%s", id);
    assert_gm_ok(gm_http_open(gm_alloc_system(), f->server->http, &http, &f->err), f->err);
    assert_gm_ok(gm_http_request(http, "GET", path, NULL, NULL, &answer, &f->err), f->err);
    const char *state = json_string_value(json_object_get(answer.body, "state"));
    snprintf(out, 40, "%s", state != NULL ? state : "gone");
    gm_http_answer_finish(&answer);
    gm_http_close(http);
    return strcmp(out, wanted) == 0;
}

static void wait_for_state(fixture *f, const char *id, const char *wanted)
{
    char state[40];
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; !state_is(f, id, wanted, state);) {
        if (f->device != NULL) assert_gm_ok(gm_mqtt_client_turn(f->device, 10 * GM_MILLISECOND, &f->err), f->err);
        gm_child_read(f->server->child, f->device != NULL ? 0 : 10);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("the command is %s, not %s", state, wanted);
    }
}

// ---- the log on disk ----------------------------------------------------------------------------------------------

typedef struct place { char path[400]; size_t at, size; uint32_t salt; } place;  // of a record

static bool find_in_segment(const char *path, const char *id, const char *what, place *out)
{
    bool     there = false;
    gm_error err;
    gm_buf   file = gm_test_read_file(path);
    snprintf(out->path, sizeof out->path, "%s", path);
    out->salt = gm_get_u32(file.ptr + 32);
    for (size_t at = HEADER; !there && at + GM_RECORD_HEADER <= file.len;) {
        uint32_t  length = gm_get_u32(file.ptr + at);
        uint8_t   kind   = file.ptr[at + 24];
        gm_change change;
        if (gm_get_u32(file.ptr + at + 4) == 0 || at + GM_RECORD_HEADER + length > file.len) break;
        out->at   = at;
        out->size = GM_RECORD_HEADER + ((size_t)length + 7) / 8 * 8;
        there = gm_journal_is((gm_change_kind)kind) && gm_change_decode(kind, file.ptr + at + GM_RECORD_HEADER, length, &change, &err) == GM_OK &&
                gm_str_is(change.id, id) && gm_str_is(change.name, what);
        at += out->size;
    }
    gm_buf_finish(&file);
    return there;
}

// The first decision about `id` that says `what`, in whichever segment: a new one may begin at any time. cut: and the log ends there.
static bool look_for_decision(fixture *f, const char *id, const char *what, place *out, bool cut)
{
    char   pattern[400];
    glob_t found;
    bool   there = false;
    snprintf(pattern, sizeof pattern, "%s/log/*.log", f->data);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (there && cut) assert_int_equal(unlink(found.gl_pathv[i]), 0);
        else if (!there) there = find_in_segment(found.gl_pathv[i], id, what, out);
    }
    globfree(&found);
    if (there && cut) assert_int_equal(truncate(out->path, (off_t)(out->at + out->size)), 0);
    return there;
}

static bool find_decision(fixture *f, const char *id, const char *what, place *out) { return look_for_decision(f, id, what, out, false); }

// Says how far it came instead, for whoever looks into it.
static void never_came(fixture *f, const char *id, const char *what)
{
    char   state[40];
    size_t told = times_heard(f, id);
    (void)state_is(f, id, what, state);
    fail_msg("'%s' of %s never came: it is '%s', and the device heard of it %zu times", what, id, state, told);
}

static void wait_for_decision(fixture *f, const char *id, const char *what)
{
    place p;
    for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; !find_decision(f, id, what, &p);) {
        if (f->device != NULL) assert_gm_ok(gm_mqtt_client_turn(f->device, GM_MILLISECOND, &f->err), f->err);
        if (gm_monotonic(gm_clock_system()) > end) never_came(f, id, what);
    }
}

// As if the disk had lost what was not synced: everything behind the decision.
static void cut_behind(fixture *f, const char *id, const char *what)
{
    place p;
    assert_true(look_for_decision(f, id, what, &p, true));
}

// ---- tests --------------------------------------------------------------------------------------------------------

typedef struct transition {
    const char *name;        // command, or "opening" for a desired value
    const char *dies_at;
    bool        approves;    // somebody else approves in the first life
    obedience   first;       // SILENT with `away`: the device is not there in the first life
    bool        away;
    obedience   then;
    const char *end;
    size_t      told_most;   // how often the device may have been told, with the one id
} transition;

// What has arrived and whose receipt the kill has swallowed comes again with the same id, as QoS 1 has it.
// Before anything has left, all steps lie in one batch: what the disk keeps of them is cut by hand. Later ones are met live.
static const transition transitions[] = {
    { "turn", "requested", false, SILENT, true, OBEYS, "closed", 1 },
    { "turn", "validated", false, SILENT, true, OBEYS, "closed", 1 },
    { "turn", "permitted", false, SILENT, true, OBEYS, "closed", 1 },
    { "turn", "sent", false, SILENT, true, OBEYS, "closed", 2 },
    { "turn", "sent", false, SILENT, false, OBEYS, "closed", 2 },
    { "turn", "acknowledged", false, ACKNOWLEDGES, false, OBEYS, "closed", 2 },
    { "turn", "verified", false, OBEYS, false, OBEYS, "closed", 2 },
    { "turn", "closed", false, OBEYS, false, OBEYS, "closed", 2 },
    { "drain", "waiting", false, SILENT, true, ACKNOWLEDGES, "closed", 1 },
    { "drain", "approved", true, SILENT, true, ACKNOWLEDGES, "closed", 1 },
    { "purge", "timed out", false, SILENT, false, SILENT, "rolled back", 2 },
    { "flush", "failed", false, REFUSES, false, ACKNOWLEDGES, "rolled back", 2 },
    { "flush", "rolled back", false, REFUSES, false, ACKNOWLEDGES, "rolled back", 2 },
    { "opening", "requested", false, SILENT, true, OBEYS, "closed", 1 },
    { "opening", "sent", false, SILENT, true, OBEYS, "closed", 1 },
    { "opening", "verified", false, OBEYS, false, OBEYS, "closed", 1 },
};

static void ask_for(fixture *f, const transition *t, int round, char id[ID])
{
    char body[200];
    bool value = strcmp(t->name, "turn") == 0, set = strcmp(t->name, "opening") == 0;
    snprintf(body, sizeof body, "{\"twin\":\"valve\",\"%s\":\"%s\"", set ? "property" : "command", t->name);
    size_t n = strlen(body);
    if (value || set) snprintf(body + n, sizeof body - n, ",\"value\":%d}", round + 1);
    else snprintf(body + n, sizeof body - n, "}");
    post(f, f->anna, set ? "/v1/desired" : "/v1/commands", body, id);
}

static void live_and_die(fixture *f, const transition *t, int round)
{
    char id[ID], approve[100];
    f->obeys = t->first;
    ask_for(f, t, round, id);
    snprintf(approve, sizeof approve, "/v1/commands/%s/approve", id);
    if (t->approves) {
        wait_for_decision(f, id, "waiting");
        post(f, f->bert, approve, NULL, NULL);
    }
    wait_for_decision(f, id, t->dies_at);
    die(f);
    gm_mqtt_client_close(f->device);
    f->device = NULL;
    if (t->away) cut_behind(f, id, t->dies_at);

    serve(f);
    f->obeys = t->then;
    connect_device(f);
    if (strcmp(t->dies_at, "acknowledged") == 0) {  // it was told before, and moves now
        char text[60];
        snprintf(text, sizeof text, "{\"position\":%d}", round + 1);
        say(f, "gemel/valve/telemetry", text);
    }
    bool waits = strcmp(t->name, "drain") == 0 && !t->approves;
    if (waits) {
        wait_for_state(f, id, "waiting");
        assert_int_equal(times_heard(f, id), 0);
        post(f, f->bert, approve, NULL, NULL);
    }
    wait_for_state(f, id, t->end);
    if (strcmp(t->name, "opening") != 0 && (times_heard(f, id) < 1 || times_heard(f, id) > t->told_most))
        fail_msg("%s killed at '%s': the device was told %zu times", t->name, t->dies_at, times_heard(f, id));
}

static void a_command_survives_a_kill_at_each_of_its_transitions(void **state)
{
    fixture *f = *state;
    serve(f);
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
        const transition *t = &transitions[i];
        f->heard_count      = 0;
        // The session exists, whether the device is there or not.
        if (f->device == NULL) connect_device(f);
        if (t->away) disconnect_device(f);
        size_t shut = times_heard(f, "/shut/");
        live_and_die(f, t, (int)i);
        bool rolls_back = strcmp(t->end, "rolled back") == 0;
        // One rollback, whichever life it went out in.
        for (gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE; rolls_back && times_heard(f, "/shut/") == shut;) {
            assert_gm_ok(gm_mqtt_client_turn(f->device, 10 * GM_MILLISECOND, &f->err), f->err);
            if (gm_monotonic(gm_clock_system()) > end) fail_msg("killed at '%s': no rollback", t->dies_at);
        }
    }
    disconnect_device(f);
    assert_int_equal(gm_served_stop(f->server), 0);
    f->server  = NULL;
    gm_ran ran = GM_RUN("audit", "verify", f->data);
    if (ran.code != 0) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

// What was wanted while it was away: three values, one of them overtaken, one reported meanwhile by somebody else.
static void a_device_that_comes_back_gets_what_it_still_has_to_do_once(void **state)
{
    fixture *f = *state;
    char     id[4][ID];
    serve(f);
    connect_device(f);
    disconnect_device(f);
    f->heard_count = 0;
    post(f, f->anna, "/v1/desired", "{\"twin\":\"valve\",\"property\":\"opening\",\"value\":100}", id[0]);
    post(f, f->anna, "/v1/desired", "{\"twin\":\"valve\",\"property\":\"opening\",\"value\":200}", id[1]);
    post(f, f->anna, "/v1/desired", "{\"twin\":\"valve\",\"property\":\"limit\",\"value\":7}", id[2]);
    post(f, f->anna, "/v1/commands", "{\"twin\":\"valve\",\"command\":\"purge\"}", id[3]);
    wait_for_state(f, id[0], "failed");
    wait_for_state(f, id[2], "sent");
    wait_for_state(f, id[3], "rolled back");  // its deadline is over: nobody may do it any more
    die(f);
    serve(f);
    f->obeys = OBEYS;
    connect_device(f);
    wait_for_state(f, id[1], "closed");
    assert_int_equal(times_heard(f, "/purge/"), 0);
    // Values that hold are told with what is left after each report; none but the first message speaks of the opening.
    size_t openings = 0, overtaken = 0;
    for (size_t i = 0; i < f->heard_count; i++) {
        openings += strstr(f->heard[i].payload, "\"opening\":200") != NULL;
        overtaken += strstr(f->heard[i].payload, "100") != NULL;
    }
    assert_int_equal(openings, 1);
    assert_int_equal(overtaken, 0);
    say(f, "gemel/valve/properties", "{\"limit\":7}");
    wait_for_state(f, id[2], "closed");
    // Done: who comes now is told nothing.
    disconnect_device(f);
    f->heard_count = 0;
    connect_device(f);
    for (size_t i = 0; i < f->heard_count; i++) assert_string_equal(f->heard[i].topic, "ping/device");
}

static void an_altered_decision_is_found_and_named(void **state)
{
    fixture *f = *state;
    char     id[ID], head[100], number[40];
    place    p;
    serve(f);
    post(f, f->anna, "/v1/commands", "{\"twin\":\"valve\",\"command\":\"drain\"}", id);
    wait_for_state(f, id, "waiting");
    assert_int_equal(gm_served_stop(f->server), 0);
    f->server  = NULL;
    gm_ran ran = GM_RUN("audit", "verify", f->data);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "none altered"));
    assert_int_equal(sscanf(strstr(GM_TEXT(ran.out), "head "), "head %99s", head), 1);
    gm_ran_finish(&ran);
    ran = GM_RUN("audit", "verify", f->data, "--head", head);
    assert_int_equal(ran.code, 0);
    gm_ran_finish(&ran);
    head[0] = head[0] == 'a' ? 'b' : 'a';
    ran     = GM_RUN("audit", "verify", f->data, "--head", head);
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.out), "no decision has the head"));
    gm_ran_finish(&ran);

    // "anna" becomes "inna", by somebody who knows the format of the log and makes its checksum right.
    assert_true(find_decision(f, id, "requested", &p));
    gm_buf   file   = gm_test_read_file(p.path);
    uint32_t length = gm_get_u32(file.ptr + p.at);
    gm_str   record = { (const char *)file.ptr + p.at, GM_RECORD_HEADER + length };
    size_t   name   = gm_str_find(record, GM_STR("\"anna\""));
    assert_true(name != SIZE_MAX);
    file.ptr[p.at + name + 1] = 'i';
    gm_put_u32(file.ptr + p.at + 4, gm_crc32c(p.salt ^ length, file.ptr + p.at + 8, GM_RECORD_HEADER - 8 + length));
    snprintf(number, sizeof number, "altered: record %llu:", (unsigned long long)gm_get_u64(file.ptr + p.at + 8));
    gm_test_write_file(p.path, gm_buf_view(&file));
    gm_buf_finish(&file);
    ran = GM_RUN("audit", "verify", f->data);
    assert_int_equal(ran.code, 1);
    if (strstr(GM_TEXT(ran.out), number) == NULL) fail_msg("expected '%s', was told '%s%s'", number, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_survives_a_kill_at_each_of_its_transitions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_comes_back_gets_what_it_still_has_to_do_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_altered_decision_is_found_and_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
