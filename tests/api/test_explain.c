// POST /v1/thread/explain: a fleet whose deviations are known to explain what differs, and what is said when they can not.
#include "support/api_plant.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum { MOTORS = 14, ROWS = 6 };

#define FLEET "\"fleet\":\"SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T,'dtmi:t:Motor;1')\""

// Of motor i: the rotor's gap, in micrometres from its design, and the winding's, in tenths of a millimetre.
static double gap_um(int i) { return i * 7 % 13 - 6; }
static double wind(int i) { return (i * 5 % 11 - 5) / 10.0; }
// Rows 2, 4, 6 make the mean 40 + 3 gap + 10 winding, with a scatter that is known; the others are of another world.
static double temperature(int i, int row) { return row % 2 == 0 ? 40 + 3 * gap_um(i) + 10 * wind(i) + (row == 2 ? 1 : row == 4 ? -1 : 0) : 900; }

static void add_facts(gm_buf *out, int i)
{
#define FACT(twin, phase, key, value, unit, rest) "{\"twin\":\"" twin "%d\",\"phase\":\"" phase "\",\"key\":\"" key "\",\"value\":" value ",\"unit\":\"" unit "\",\"from\":\"2024-01-01T00:00:00Z\"" rest "},"
    gm_buf_printf(out, FACT("R-", "as-designed", "gap", "0.5", "mm", ",\"min\":0.496,\"max\":0.504"), i);
    gm_buf_printf(out, FACT("R-", "as-built", "gap", "%.9g", "um", ",\"cause\":\"concession %d\""), i, 500 + gap_um(i), i);
    gm_buf_printf(out, FACT("m", "as-designed", "winding", "80", "mm", ""), i);
    gm_buf_printf(out, FACT("m", "as-built", "winding", "%.9g", "mm", ""), i, 80 + wind(i));
    gm_buf_printf(out, FACT("m", "as-designed", "mass", "12", "kg", "") FACT("m", "as-built", "mass", "12.5", "kg", ""), i, i);
    if (i == 0) gm_buf_printf(out, FACT("m", "as-designed", "colour", "3", "", "") FACT("m", "as-built", "colour", "4", "", ""), i, i);
    gm_buf_printf(out, "{\"twin\":\"R-%d\",\"phase\":\"as-built\",\"key\":\"installedIn\",\"part\":\"m%d\",\"position\":\"rotor\",\"from\":\"2024-01-01T00:00:00Z\"},", i, i);
}

static void expect(api_plant *p, const char *method, const char *target, const char *headers, const char *body, unsigned status)
{
    test_http_reply *r = test_http_ask(&p->client, method, target, headers, body);
    if (r->status != status) fail_msg("%s %s: %u " GM_STR_FMT, method, target, r->status, GM_STR_ARG(gm_buf_view(&r->body)));
}

// Twins m0 .. m13; m20 has no rows, m21 no facts.
static void fill(api_plant *p)
{
    gm_buf facts = gm_buf_init(gm_alloc_system());
    api_plant_fill(p);
    gm_buf_byte(&facts, '[');
    for (int i = 0; i <= 21; i = i == MOTORS - 1 ? 20 : i + 1) {
        char path[80];
        snprintf(path, sizeof path, "/digitaltwins/m%d" V, i);
        expect(p, "PUT", path, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Motor;1\"}}", 200);
        if (i != 21) add_facts(&facts, i);
        snprintf(path, sizeof path, "/digitaltwins/m%d/telemetry" V, i);
        for (int row = 1; row <= ROWS && i != 20; row++) {
            char headers[128], body[64];
            snprintf(headers, sizeof headers, "Message-Id: 1\r\nTelemetry-Source-Time: 2024-02-01T00:0%d:00Z\r\n", row);
            snprintf(body, sizeof body, "{\"temperature\":%.9g}", temperature(i, row));
            expect(p, "POST", path, headers, body, 204);
        }
    }
    facts.ptr[facts.len - 1] = ']';
    gm_buf_byte(&facts, 0);
    expect(p, "POST", "/v1/thread", NULL, (const char *)facts.ptr, 204);
    // A rotor that went elsewhere later was in its motor when the motor began.
    expect(p, "POST", "/v1/thread", NULL, "{\"twin\":\"R-3\",\"phase\":\"maintained\",\"key\":\"installedIn\",\"part\":\"shelf\",\"from\":\"2024-03-01T00:00:00Z\",\"replace\":true}", 204);
    gm_buf_finish(&facts);
}

static json_t *explain(api_plant *p, const char *body)
{
    test_http_reply *r = test_http_ask(&p->client, "POST", "/v1/thread/explain", NULL, body);
    if (r->status != 200) fail_msg("%s: %u " GM_STR_FMT, body, r->status, GM_STR_ARG(gm_buf_view(&r->body)));
    json_t *answer = json_loadb((const char *)r->body.ptr, r->body.len, 0, NULL);
    assert_non_null(answer);
    return answer;
}

static const json_t *named(const json_t *list, const char *member, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), member)), name) == 0) return json_array_get(list, i);
    fail_msg("%s is not told of", name);
    return NULL;
}

static void near(const json_t *object, const char *member, double expected, double tolerance)
{
    double got = json_number_value(json_object_get(object, member));
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%s is %.9g, not %.9g", member, got, expected);
}

static void deviations_of_twins_and_their_parts_explain_how_they_began(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    fill(&p);
    json_t       *answer = explain(&p, "{" FLEET ",\"property\":\"temperature\",\"rows\":6,\"every\":2}");
    const json_t *list = json_object_get(answer, "deviations"), *gap = named(list, "name", "rotor/gap"), *winding = named(list, "name", "winding");
    near(answer, "twins", MOTORS, 0);
    near(answer, "r2LeftOut", 1, 1e-9);
    near(gap, "effect", 3000, 1e-6);  // a millimetre is a thousand micrometres
    near(winding, "effect", 10, 1e-9);
    near(answer, "noise", 1.0 / 3 / pow(json_number_value(json_object_get(answer, "spread")), 2), 1e-9);  // 1, -1, 0: a variance of 1, of their mean a third
    assert_string_equal(json_string_value(json_object_get(named(json_object_get(answer, "dropped"), "name", "mass"), "why")), "it is the same for all");
    assert_string_equal(json_string_value(json_object_get(named(json_object_get(answer, "dropped"), "name", "colour"), "why")), "it is known of 1");
    assert_string_equal(json_string_value(json_object_get(named(json_object_get(answer, "leftOut"), "twin", "m20"), "why")), "it has no rows yet");
    assert_non_null(strstr(json_string_value(json_object_get(named(json_object_get(answer, "leftOut"), "twin", "m21"), "why")), "is not known of it"));
    // Motor 3: its gap is the largest of all but one (+2), whatever became of the rotor since.
    const json_t *three = named(json_object_get(answer, "items"), "twin", "m3"), *because = named(json_object_get(three, "because"), "name", "rotor/gap");
    near(because, "deviation", gap_um(3) / 1000, 1e-12);
    near(three, "value", 40 + 3 * gap_um(3) + 10 * wind(3), 1e-9);
    near(three, "explained", json_number_value(json_object_get(three, "offset")), 1e-6);
    assert_string_equal(json_string_value(json_object_get(because, "part")), "R-3");
    assert_string_equal(json_string_value(json_object_get(because, "verdict")), gap_um(3) > 4 ? "out of tolerance" : "within tolerance");
    assert_string_equal(json_string_value(json_object_get(because, "cause")), "concession 3");
    json_decref(answer);
    // By one deviation alone, named with its place or without; those that differ most come first.
    answer = explain(&p, "{" FLEET ",\"property\":\"temperature\",\"rows\":6,\"every\":2,\"keys\":[\"gap\"],\"level\":0.5}");
    assert_int_equal(json_array_size(json_object_get(answer, "deviations")), 1);
    assert_true(json_number_value(json_object_get(answer, "r2LeftOut")) < 0.99 && json_number_value(json_object_get(answer, "chance")) < 1e-4);
    double before = INFINITY;
    for (size_t i = 0; i < MOTORS; i++) {
        double size = fabs(json_number_value(json_object_get(json_array_get(json_object_get(answer, "items"), i), "offset")));
        assert_true(size <= before);
        before = size;
    }
    json_decref(answer);
    api_plant_stop(&p);
}

static void what_can_not_be_explained_is_refused_in_words(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    fill(&p);
#define ASK(body, status, says) { "POST", "/v1/thread/explain", NULL, body, status, says }
    static const api_step steps[] = {
        ASK("{" FLEET "}", 400, "one of \\\"health\\\""),
        ASK("{" FLEET ",\"property\":\"temperature\",\"health\":\"x\"}", 400, "one of \\\"health\\\""),
        ASK("{\"property\":\"temperature\"}", 400, "fleet"),
        ASK("{\"fleet\":\"SELECT\",\"property\":\"temperature\"}", 400, "fleet"),
        ASK("{\"roots\":[\"m1\",\"m99\"],\"property\":\"temperature\"}", 404, "m99"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"rows\":0}", 400, "1 to 1000"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"rows\":4,\"every\":5}", 400, "every"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"first\":\"x\"}", 400, "phases"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"keys\":[]}", 400, "keys"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"penalty\":-1}", 400, "penalty"),
        ASK("{\"roots\":[\"m1\",\"m2\"],\"property\":\"temperature\",\"level\":1}", 400, "level"),
        ASK("{\"roots\":[\"m1\",\"m2\",\"m3\",\"m4\",\"m5\"],\"property\":\"temperature\"}", 400, "5 assets are too few for 2 deviations: at least 6 are needed"),
        ASK("{\"roots\":[\"m1\",\"m2\",\"m3\",\"m4\",\"m5\"],\"property\":\"temperature\",\"penalty\":0.1}", 200, "\"twins\":5"),
        ASK("{" FLEET ",\"property\":\"temperature\",\"keys\":[\"mass\"]}", 400, "no deviation differs"),
        ASK("{" FLEET ",\"property\":\"temperature\",\"keys\":[\"bore\"]}", 400, "of no deviation is enough known"),
        ASK("{" FLEET ",\"property\":\"bore\"}", 400, "no twin is left: 'm0': it has no number of that name"),
        ASK("{" FLEET ",\"health\":\"turbofan\"}", 404, "no files in insight/"),
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deviations_of_twins_and_their_parts_explain_how_they_began),
        cmocka_unit_test(what_can_not_be_explained_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
