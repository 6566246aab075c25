// Alarms, commands, arming and work orders over HTTP: who may do what, what is refused and why, and that two people are two.
#include "control/control.h"
#include "support/api_users.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct fixture {
    api_plant  p;
    gm_access *access;
    char       anna[API_USER_HEADER], bert[API_USER_HEADER], ron[API_USER_HEADER], sue[API_USER_HEADER];  // headers: an operator, an engineer, a reader, an operator of site2 alone
    char       id[64];                                // of what was made last
} fixture;

static fixture *now_under_test;  // the options' hook has no context

static void with_access(gm_api_options *options) { now_under_test->access = api_users_open(options, "contains"); }

static void add_user(fixture *f, const char *name, gm_right right, const char *scope, char *header)
{
    api_users_enter(&f->p, f->access, (gm_user){ .name = gm_str_of(name), .right = right }, scope, header);
}

#define PUMPS "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')) "
static const char rules[] =
    "command run " PUMPS "range 0 to 10 expect T.rotation >= request within 1 h\ncommand drain " PUMPS "approve within 10 min\n"
    "rule high " PUMPS "when T.pressure > 8 then alarm high 'too much' consequence 'it bursts' response 'open the valve' then command drain "
    "then work order 'look at it'\n"
    "rule stuck " PUMPS "when T.pressure > 20 suppressed when T.rotation > 50 then alarm critical 'stuck' latching\n";
static const char interlocks[] = "interlock wet " PUMPS "of run permits when T.pressure > 1 because 'it would run dry'\n";

static void settle(fixture *f)
{
    // What follows from a change is decided when that is applied: a few rounds, until nothing new is written.
    for (uint64_t before = 0, after = 1; before != after;) {
        before = gm_log_durable(gm_engine_log(f->p.engine));
        assert_gm_ok(gm_engine_settle(f->p.engine, &f->p.err), f->p.err);
        after = gm_log_durable(gm_engine_log(f->p.engine));
    }
}

static int set_up(void **state)
{
    static fixture f;
    static const api_step steps[] = {
        { "POST", "/models" V, NULL,
          "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Telemetry\",\"name\":\"pressure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"rotation\",\"schema\":\"double\"},"
          "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"
          "{\"@type\":\"Command\",\"name\":\"run\",\"request\":{\"name\":\"speed\",\"schema\":\"double\"}},{\"@type\":\"Command\",\"name\":\"drain\"},"
          "{\"@type\":\"Relationship\",\"name\":\"contains\"}]}]", 201, NULL },
        { "PUT", "/digitaltwins/site1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}", 200, NULL },
        { "PUT", "/digitaltwins/site2" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}", 200, NULL },
        { "PUT", "/digitaltwins/p1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}", 200, NULL },
        { "PUT", "/digitaltwins/site1/relationships/c1" V, NULL, "{\"$relationshipName\":\"contains\",\"$targetId\":\"p1\"}", 200, NULL },
        { "POST", "/digitaltwins/p1/telemetry" V, "Message-Id: 1\r\n", "{\"pressure\":3,\"rotation\":0}", 204, NULL },
    };
    f              = (fixture){ .p = { .controls = true } };
    now_under_test = &f;
    api_plant_start(&f.p, with_access);
    API_TALK(&f.p, steps);
    const gm_control_file files[] = { { GM_STR("rules/a.rules"), gm_str_of(rules) }, { GM_STR("rules/a.interlocks"), gm_str_of(interlocks) } };
    size_t                file;
    assert_gm_ok(gm_control_set_rules(f.p.control, files, 2, &file, &f.p.err), f.p.err);
    settle(&f);
    add_user(&f, "anna", GM_RIGHT_OPERATE, NULL, f.anna);
    add_user(&f, "bert", GM_RIGHT_ENGINEER, NULL, f.bert);
    add_user(&f, "ron", GM_RIGHT_READ, NULL, f.ron);
    add_user(&f, "sue", GM_RIGHT_OPERATE, "site2", f.sue);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    api_plant_stop(&f->p);
    gm_access_destroy(f->access);
    return 0;
}

// Asks as somebody; "%s" in the target is the id of what was made last. The answer must hold `expect` ("!text": must not).
static void ask(fixture *f, const char *who, const char *method, const char *target, const char *body, unsigned status, const char *expect)
{
    char        path[400], text[2000];
    const char *hole = strstr(target, "%s");
    snprintf(path, sizeof path, "%.*s%s%s", (int)(hole != NULL ? hole - target : (long)strlen(target)), target, hole != NULL ? f->id : "", hole != NULL ? hole + 2 : "");
    test_http_reply *reply = test_http_ask(&f->p.client, method, path, who, body);
    snprintf(text, sizeof text, "%.*s", (int)reply->body.len, (const char *)reply->body.ptr);
    bool absent = expect != NULL && expect[0] == '!';
    bool fits   = reply->status == status && (expect == NULL || (strstr(text, expect + absent) != NULL) != absent);
    if (!fits) fail_msg("%s %s %s: expected %u %s, answered %u %s", method, path, body != NULL ? body : "", status, expect != NULL ? expect : "", reply->status, text);
    json_t *json = json_loads(text, 0, NULL);
    const char *id = json_string_value(json_object_get(json, "id"));
    if (strcmp(method, "POST") == 0 && id != NULL) snprintf(f->id, sizeof f->id, "%s", id);
    json_decref(json);
    settle(f);
}

static void report(fixture *f, const char *body)
{
    static unsigned message;
    char            headers[200];
    snprintf(headers, sizeof headers, "%sMessage-Id: t%u\r\n", f->bert, message++);
    test_http_reply *reply = test_http_ask(&f->p.client, "POST", "/digitaltwins/p1/telemetry" V, headers, body);
    assert_int_equal(reply->status, 204);
    settle(f);
}

static bool was_sent(const fixture *f, const char *text) { return gm_str_find(gm_buf_view(&f->p.sent), gm_str_of(text)) != SIZE_MAX; }

static void a_command_is_asked_for_refused_and_followed(void **state)
{
    fixture *f = *state;
    ask(f, f->ron, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 403, NULL);      // reads only
    ask(f, f->sue, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 404, "DigitalTwinNotFound");
    ask(f, f->anna, "POST", "/v1/commands", "{\"command\":\"run\"}", 400, "'twin'");
    ask(f, f->anna, "POST", "/v1/commands", "[1]", 400, NULL);
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"fly\"}", 404, "no command 'fly'");
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":\"fast\"}", 400, NULL);  // breaks its schema
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":{\"a\":[]}}", 400, NULL);
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\"}", 400, "needs a value");
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":11}", 400, "between 0 and 10");
    assert_false(was_sent(f, "/commands/"));
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 202, "\"who\":\"anna\"");
    assert_true(was_sent(f, f->id));
    ask(f, f->ron, "GET", "/v1/commands/%s", NULL, 200, "\"state\":\"sent\"");
    ask(f, f->sue, "GET", "/v1/commands/%s", NULL, 404, NULL);
    ask(f, f->sue, "GET", "/v1/commands", NULL, 200, "!anna");
    ask(f, f->ron, "GET", "/v1/commands?twin=p1&state=sent", NULL, 200, f->id);
    ask(f, f->ron, "GET", "/v1/commands?state=closed", NULL, 200, "\"items\":[]");
    ask(f, f->ron, "GET", "/v1/commands?state=refused", NULL, 200, "\"reason\":");
    ask(f, f->ron, "GET", "/v1/commands?limit=0", NULL, 400, "limit");
    ask(f, f->ron, "GET", "/v1/commands/0123456789abcdef", NULL, 404, "CommandNotFound");
    char topic[200];
    snprintf(topic, sizeof topic, "gemel/p1/commands/run/%s/response", f->id);
    gm_control_hear(f->p.control, gm_str_of(topic), GM_STR("{\"status\":200}"));
    settle(f);
    ask(f, f->ron, "GET", "/v1/commands/%s", NULL, 200, "\"state\":\"acknowledged\"");
    report(f, "{\"rotation\":5}");
    ask(f, f->ron, "GET", "/v1/commands/%s", NULL, 200, "\"state\":\"closed\"");
    report(f, "{\"pressure\":0.5}");
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 409, "it would run dry");
}

static void a_command_is_tried_without_a_record(void **state)
{
    fixture *f = *state;
    ask(f, f->ron, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 403, NULL);
    ask(f, f->sue, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 404, NULL);
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"fly\"}", 404, "no command 'fly'");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 200, "\"valid\":true,\"permitted\":true,\"deadline\":10,\"range\":[0,10]");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 200, "\"expect\":\"T.rotation >= request\",\"expectWithin\":3600");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 200, "{\"name\":\"wet\",\"permits\":true,");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":11}", 200, "\"valid\":false,\"permitted\":false,\"reason\":\"the value must lie between 0 and 10");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\"}", 200, "needs a value");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"drain\"}", 200, "\"approveWithin\":600");
    ask(f, f->anna, "POST", "/v1/desired?dryRun=true", "{\"twin\":\"p1\",\"property\":\"speed\",\"value\":3}", 200, "\"permitted\":true,\"interlocks\":[]");
    ask(f, f->anna, "POST", "/v1/desired?dryRun=true", "{\"twin\":\"p1\",\"property\":\"serial\",\"value\":\"x\"}", 200, "not writable");
    report(f, "{\"pressure\":0.5}");
    ask(f, f->anna, "POST", "/v1/commands?dryRun=true", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 200,
        "{\"name\":\"wet\",\"permits\":false,\"why\":\"it does not permit it\",\"because\":\"it would run dry\",\"condition\":\"T.pressure > 1\",\"file\":\"rules/a.interlocks\",\"line\":1}");
    ask(f, f->ron, "GET", "/v1/commands", NULL, 200, "\"items\":[]");
    assert_false(was_sent(f, "/commands/"));
}

static void numbers_go_out_in_the_digits_that_they_came_in(void **state)
{
    fixture *f = *state;
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":0.7}", 202, "\"value\":0.7,");
    assert_true(was_sent(f, " 0.7\n"));
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"speed\",\"value\":0.1}", 202, "\"value\":0.1,");
    assert_true(was_sent(f, "\"speed\":0.1"));
    ask(f, f->anna, "POST", "/v1/workorders", "{\"twin\":\"p1\",\"text\":\"x\",\"evidence\":{\"share\":0.3}}", 201, "\"share\":0.3}");
    assert_false(was_sent(f, "000000"));
    assert_false(was_sent(f, "999999"));
}

static void two_people_approve_and_one_does_not(void **state)
{
    fixture *f = *state;
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"drain\"}", 202, NULL);
    ask(f, f->ron, "GET", "/v1/commands/%s", NULL, 200, "\"state\":\"waiting\"");
    ask(f, f->anna, "POST", "/v1/commands/%s/approve", NULL, 400, "somebody else");
    ask(f, f->ron, "POST", "/v1/commands/%s/approve", NULL, 403, NULL);
    ask(f, f->sue, "POST", "/v1/commands/%s/approve", NULL, 404, NULL);
    assert_false(was_sent(f, "/commands/drain/"));
    ask(f, f->bert, "POST", "/v1/commands/%s/approve", NULL, 200, NULL);
    assert_true(was_sent(f, "/commands/drain/"));
    ask(f, f->bert, "POST", "/v1/commands/%s/approve", NULL, 409, "nothing to approve");
    ask(f, f->bert, "POST", "/v1/commands/0123456789abcdef/approve", NULL, 404, NULL);
}

static void desired_values_have_versions(void **state)
{
    fixture *f = *state;
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"serial\",\"value\":\"x\"}", 400, "not writable");
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"speed\"}", 400, "missing");
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"nothing\",\"value\":1}", 404, NULL);
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"speed\",\"value\":2}", 202, "\"version\":");
    char first[100];
    snprintf(first, sizeof first, "/v1/commands/%s", f->id);
    ask(f, f->anna, "POST", "/v1/desired", "{\"twin\":\"p1\",\"property\":\"speed\",\"value\":3}", 202, NULL);
    ask(f, f->ron, "GET", first, NULL, 200, "\"state\":\"failed\"");  // a newer one holds
    ask(f, f->ron, "GET", "/v1/desired?state=sent", NULL, 200, "\"value\":3");
    ask(f, f->ron, "GET", "/v1/commands", NULL, 200, "\"items\":[]");
    ask(f, f->bert, "PATCH", "/digitaltwins/p1" V, "[{\"op\":\"add\",\"path\":\"/speed\",\"value\":3}]", 204, NULL);
    ask(f, f->ron, "GET", "/v1/desired?state=closed", NULL, 200, "\"value\":3");
}

static void alarms_go_through_every_state_over_http(void **state)
{
    fixture *f = *state;
    ask(f, f->ron, "GET", "/v1/alarms", NULL, 200, "\"items\":[]");
    report(f, "{\"pressure\":9}");
    ask(f, f->ron, "GET", "/v1/alarms", NULL, 200, "\"consequence\":\"it bursts\"");
    ask(f, f->ron, "GET", "/v1/alarms/high@p1", NULL, 200, "\"state\":\"unacknowledged\"");
    ask(f, f->sue, "GET", "/v1/alarms", NULL, 200, "\"items\":[]");
    ask(f, f->sue, "GET", "/v1/alarms/high@p1", NULL, 404, NULL);
    ask(f, f->ron, "POST", "/v1/alarms/high@p1/acknowledge", "{}", 403, NULL);
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/raise", "{}", 400, NULL);       // rules do
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/dance", "{}", 404, "acknowledge");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/reset", "{}", 409, NULL);
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/acknowledge", "{}", 200, "\"state\":\"acknowledged\"");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/shelve", "{\"for\":\"8h\"}", 400, "reason");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/shelve", "{\"reason\":\"x\"}", 400, NULL);
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/shelve", "{\"reason\":\"x\",\"for\":\"9d\"}", 400, "7 days");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/shelve", "{\"reason\":\"new sensor\",\"for\":\"8h\"}", 200, "\"state\":\"shelved\"");
    ask(f, f->ron, "GET", "/v1/alarms", NULL, 200, "\"items\":[]");
    ask(f, f->ron, "GET", "/v1/alarms?all=true", NULL, 200, "new sensor");
    ask(f, f->ron, "GET", "/v1/alarms?all=true&since=2100-01-01T00:00:00Z", NULL, 200, "\"items\":[]");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/unshelve", "{}", 200, "\"state\":\"acknowledged\"");
    ask(f, f->ron, "GET", "/v1/alarms?since=2100-01-01T00:00:00Z", NULL, 200, "high@p1");  // no time hides it
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/remove-from-service", "{\"reason\":\"rebuilt\"}", 200, "\"state\":\"out of service\"");
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/return-to-service", "{\"reason\":\"done\"}", 200, NULL);
    report(f, "{\"pressure\":3}");
    report(f, "{\"pressure\":25}");
    ask(f, f->ron, "GET", "/v1/alarms/stuck@p1", NULL, 200, "\"state\":\"unacknowledged\"");
    report(f, "{\"rotation\":60}");
    ask(f, f->ron, "GET", "/v1/alarms/stuck@p1", NULL, 200, "\"state\":\"suppressed\"");
    report(f, "{\"rotation\":0}");
    report(f, "{\"pressure\":3}");
    ask(f, f->ron, "GET", "/v1/alarms/stuck@p1", NULL, 200, "\"state\":\"returned\"");
    ask(f, f->anna, "POST", "/v1/alarms/stuck@p1/acknowledge", "{}", 200, "\"state\":\"latched\"");
    ask(f, f->anna, "POST", "/v1/alarms/stuck@p1/reset", "{}", 200, "\"state\":\"normal\"");
    ask(f, f->ron, "GET", "/v1/alarms?state=normal", NULL, 200, "stuck@p1");
}

static void alarms_are_counted_up_the_hierarchy(void **state)
{
    fixture *f = *state;
    report(f, "{\"pressure\":25}");
    ask(f, f->ron, "GET", "/v1/alarms/rollup?twin=site1", NULL, 200, "{\"twin\":\"site1\",\"unacknowledged\":2,\"active\":{\"low\":0,\"medium\":0,\"high\":1,\"critical\":1}");
    ask(f, f->ron, "GET", "/v1/alarms/rollup?twin=site1", NULL, 200, "\"below\":[{\"twin\":\"p1\",\"unacknowledged\":2");
    ask(f, f->ron, "GET", "/v1/alarms/rollup?twin=site2", NULL, 200, "\"unacknowledged\":0");
    ask(f, f->ron, "GET", "/v1/alarms/rollup?twin=nobody", NULL, 404, NULL);
    ask(f, f->ron, "GET", "/v1/alarms?under=site1&priority=critical", NULL, 200, "stuck@p1");
    ask(f, f->ron, "GET", "/v1/alarms?under=site1&priority=critical", NULL, 200, "!high@p1");
    ask(f, f->ron, "GET", "/v1/alarms?under=site2", NULL, 200, "\"items\":[]");
    ask(f, f->ron, "GET", "/v1/alarms?priority=urgent", NULL, 400, "priority");
    ask(f, f->ron, "GET", "/v1/alarms?limit=1", NULL, 200, "\"leftOut\":1");
    ask(f, f->ron, "GET", "/v1/alarms/metrics", NULL, 200, "\"raised\":{\"tenMinutes\":2,\"hour\":2,\"day\":2,\"total\":2,\"peakTenMinutes\":2}");
    for (int i = 0; i < 5; i++) {
        report(f, "{\"pressure\":3}");
        report(f, "{\"pressure\":25}");
    }
    ask(f, f->ron, "GET", "/v1/alarms/metrics", NULL, 200, "\"chattering\":2,\"flood\":true");
}

static void control_is_armed_by_engineers_and_stopped_by_anyone_who_operates(void **state)
{
    fixture *f = *state;
    ask(f, f->anna, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\",\"for\":\"1h\"}", 403, "engineer");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"for\":\"1h\"}", 400, "reason");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\"}", 400, "31 days");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\",\"for\":\"40d\"}", 400, "31 days");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"nobody\",\"reason\":\"test\",\"for\":\"1h\"}", 404, NULL);
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\",\"for\":\"soon\"}", 400, "8h");
    report(f, "{\"pressure\":9}");
    ask(f, f->ron, "GET", "/v1/commands?state=advised", NULL, 200, "\"who\":\"rule high\"");
    report(f, "{\"pressure\":3}");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\",\"for\":\"1h\",\"heartbeat\":\"30s\"}", 200, "\"armed\":[{\"twin\":\"site1\",\"who\":\"bert\"");
    ask(f, f->sue, "GET", "/v1/control", NULL, 200, "\"armed\":[]");
    ask(f, f->bert, "POST", "/v1/control/heartbeat", "{\"twin\":\"site1\"}", 204, NULL);
    ask(f, f->bert, "POST", "/v1/control/heartbeat", "{\"twin\":\"site2\"}", 404, "not armed");
    report(f, "{\"pressure\":9}");
    ask(f, f->ron, "GET", "/v1/commands?state=waiting", NULL, 200, "\"who\":\"rule high\"");  // armed, and still needs a second one
    ask(f, f->anna, "POST", "/v1/control/disarm", "{\"twin\":\"site2\"}", 404, NULL);
    ask(f, f->anna, "POST", "/v1/control/disarm", "{\"twin\":\"site1\",\"reason\":\"done\"}", 200, "\"armed\":[]");
    ask(f, f->sue, "POST", "/v1/control/stop", "{\"reason\":\"smoke\"}", 200, "\"stopped\":true");
    ask(f, f->bert, "POST", "/v1/control/arm", "{\"twin\":\"site1\",\"reason\":\"test\",\"for\":\"1h\"}", 409, "emergency stop");
    ask(f, f->sue, "POST", "/v1/control/resume", "{\"reason\":\"no smoke\"}", 403, NULL);
    ask(f, f->anna, "POST", "/v1/control/resume", "{}", 400, "reason");
    ask(f, f->anna, "POST", "/v1/control/resume", "{\"reason\":\"no smoke\"}", 200, "\"stopped\":false");
    ask(f, f->anna, "POST", "/v1/control/resume", "{\"reason\":\"again\"}", 409, NULL);
    ask(f, f->anna, "POST", "/v1/control/explode", "{}", 404, NULL);
    ask(f, f->ron, "GET", "/v1/control", NULL, 200, "\"intact\":true");
}

static void what_happened_is_marked_for_those_who_may_see_it(void **state)
{
    fixture *f = *state;
    ask(f, f->ron, "GET", "/v1/marks", NULL, 200, "\"items\":[]");
    report(f, "{\"pressure\":9}");  // an alarm, its command, its work order
    ask(f, f->ron, "GET", "/v1/marks?kind=alarm", NULL, 200, "\"kind\":\"alarm\",\"time\":");
    ask(f, f->ron, "GET", "/v1/marks?kind=alarm", NULL, 200, "\"twin\":\"p1\",\"name\":\"high\",\"priority\":\"high\"");
    ask(f, f->ron, "GET", "/v1/marks?kind=alarm&priority=critical", NULL, 200, "\"items\":[]");
    ask(f, f->ron, "GET", "/v1/marks?kind=command", NULL, 200, "\"twin\":\"p1\",\"name\":\"drain\"");
    ask(f, f->ron, "GET", "/v1/marks?buckets=1", NULL, 200, "\"total\":2");
    ask(f, f->sue, "GET", "/v1/marks", NULL, 200, "\"items\":[]");             // of site2 alone
    ask(f, f->sue, "GET", "/v1/marks?buckets=10", NULL, 200, "\"total\":0");
    ask(f, f->sue, "GET", "/v1/marks?twin=p1", NULL, 404, NULL);
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/acknowledge", "{}", 200, NULL);  // no happening of its own
    report(f, "{\"pressure\":3}");
    ask(f, f->ron, "GET", "/v1/marks?buckets=1", NULL, 200, "\"total\":2");
    ask(f, f->anna, "POST", "/v1/commands", "{\"twin\":\"p1\",\"command\":\"run\",\"value\":5}", 202, NULL);
    ask(f, f->ron, "GET", "/v1/marks?kind=command&limit=1", NULL, 200, "\"name\":\"run\"");
    // One that is out of service calls nobody.
    ask(f, f->anna, "POST", "/v1/alarms/high@p1/remove-from-service", "{\"reason\":\"rebuilt\"}", 200, NULL);
    report(f, "{\"pressure\":9}");
    ask(f, f->ron, "GET", "/v1/marks?kind=alarm&buckets=1", NULL, 200, "\"total\":1");
    ask(f, NULL, "GET", "/v1/marks", NULL, 401, NULL);
}

static void work_orders_are_opened_moved_on_and_closed(void **state)
{
    fixture *f = *state;
    report(f, "{\"pressure\":9}");
    ask(f, f->ron, "GET", "/v1/workorders?twin=p1&state=open", NULL, 200, "\"evidence\":{\"rule\":\"high\"");
    ask(f, f->ron, "POST", "/v1/workorders", "{\"twin\":\"p1\",\"text\":\"x\"}", 403, NULL);
    ask(f, f->sue, "POST", "/v1/workorders", "{\"twin\":\"p1\",\"text\":\"x\"}", 404, NULL);
    ask(f, f->anna, "POST", "/v1/workorders", "{\"twin\":\"p1\"}", 400, "'text' is missing");
    ask(f, f->anna, "POST", "/v1/workorders", "{\"twin\":\"p1\",\"text\":\"x\",\"evidence\":[1]}", 400, "'evidence'");
    ask(f, f->anna, "POST", "/v1/workorders", "{\"twin\":\"p1\",\"text\":\"change the bearing\",\"evidence\":{\"signal\":\"vibration\"}}", 201, "\"state\":\"open\"");
    assert_true(was_sent(f, f->id));
    ask(f, f->sue, "GET", "/v1/workorders/%s", NULL, 404, NULL);
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"lost\"}", 400, "assigned, started");
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"assigned\"}", 200, "\"state\":\"assigned\"");
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"done\",\"feedback\":{\"found\":\"worn bearing\"}}", 200, "worn bearing");
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"started\"}", 409, NULL);
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"closed\",\"feedback\":7}", 400, "'feedback'");
    ask(f, f->anna, "PATCH", "/v1/workorders/%s", "{\"state\":\"closed\"}", 200, "\"state\":\"closed\"");
    ask(f, f->sue, "PATCH", "/v1/workorders/%s", "{\"state\":\"closed\"}", 404, NULL);
    ask(f, f->anna, "PATCH", "/v1/workorders/0123456789abcdef", "{\"state\":\"closed\"}", 404, "WorkOrderNotFound");
}

static void a_rule_is_tested_over_the_past(void **state)
{
    fixture *f = *state;
    ask(f, f->ron, "GET", "/v1/rules", NULL, 200, "{\"name\":\"high\",\"kind\":\"rule\",\"file\":\"rules/a.rules\",\"line\":3,");
    report(f, "{\"pressure\":9}");
    report(f, "{\"pressure\":3}");
    report(f, "{\"pressure\":9.5}");
    ask(f, f->ron, "GET", "/v1/rules", NULL, 200, "\"twins\":3,\"on\":1,\"suppressed\":0,\"firings\":3");
    ask(f, f->anna, "POST", "/v1/rules/test", "{\"rule\":\"high\"}", 403, NULL);
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"rule\":\"nothing\"}", 404, "RuleNotFound");
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"rule\":\"run\"}", 404, "RuleNotFound");  // no rule: a command
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"text\":\"rule x on twins (SELECT\"}", 400, "Line 1");
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"text\":\"rule x " PUMPS "when T.presure > 1 then event 'x'\"}", 400, "'presure'");
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"rule\":\"high\",\"from\":\"yesterday\"}", 400, "'from'");
    ask(f, f->bert, "POST", "/v1/rules/test", "{\"rule\":\"high\",\"from\":\"2020-01-02T00:00:00Z\",\"to\":\"2020-01-01T00:00:00Z\"}", 400, "before it begins");
    char        body[300], from[GM_TIME_TEXT];
    gm_time_ns  now = gm_now(gm_clock_system());
    gm_time_format(now - GM_MINUTE, from);
    snprintf(body, sizeof body, "{\"text\":\"rule x " PUMPS "when T.pressure > 9.2 then event 'x'\",\"from\":\"%s\"}", from);
    ask(f, f->bert, "POST", "/v1/rules/test", body, 200, "\"firings\":[{\"rule\":\"x\",\"twin\":\"p1\",\"turn\":\"on\",\"at\":");
    snprintf(body, sizeof body, "{\"rule\":\"high\",\"from\":\"%s\",\"limit\":1}", from);
    ask(f, f->bert, "POST", "/v1/rules/test", body, 200, "\"leftOut\":2");
    ask(f, f->ron, "GET", "/v1/commands", NULL, 200, "!rule x");  // nothing acted
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_command_is_asked_for_refused_and_followed),
        T(a_command_is_tried_without_a_record),
        T(numbers_go_out_in_the_digits_that_they_came_in),
        T(two_people_approve_and_one_does_not),
        T(desired_values_have_versions),
        T(alarms_go_through_every_state_over_http),
        T(alarms_are_counted_up_the_hierarchy),
        T(control_is_armed_by_engineers_and_stopped_by_anyone_who_operates),
        T(a_rule_is_tested_over_the_past),
        T(what_happened_is_marked_for_those_who_may_see_it),
        T(work_orders_are_opened_moved_on_and_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
