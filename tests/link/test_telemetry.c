#include "link/telemetry.h"
#include "link/telemetry_type.h"
#include "support/support.h"

#include "base/number.h"
#include "base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW (INT64_C(1767225600) * GM_SECOND)

typedef struct fixture {
    gm_telemetry_names *names;
    gm_telemetry_reader reader;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    gm_error err;
    assert_gm_ok(gm_telemetry_names_create(gm_alloc_system(), &gm_test_type, &f->names, &err), err);
    gm_telemetry_reader_init(&f->reader, gm_alloc_system());
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_telemetry_reader_finish(&f->reader);
    gm_telemetry_names_destroy(f->names);
    free(f);
    return 0;
}

static gm_status read_at(fixture *f, uint32_t scope, gm_str payload, gm_error *err)
{
    // An exact copy, so that the address sanitizer sees a read past the end.
    char *copy = malloc(payload.len > 0 ? payload.len : 1);
    memcpy(copy, payload.ptr, payload.len);
    *err         = (gm_error){ 0 };
    gm_status st =
        gm_telemetry_read(&f->reader, f->names, scope, (gm_str) { copy, payload.len }, NOW, NOW + 10 * GM_DAY, err);
    // Texts are viewed in the payload: they move over before the copy goes.
    static char kept[1 << 16];
    size_t      used = 0;
    for (size_t i = 0; st == GM_OK && i < f->reader.count; i++) {
        gm_value *v = &f->reader.cells[i].value;
        if (v->kind != GM_KIND_STRING && v->kind != GM_KIND_JSON) continue;
        assert_true(used + v->s.len <= sizeof kept);
        memcpy(kept + used, v->s.ptr, v->s.len);
        v->s.ptr = kept + used;
        used += v->s.len;
    }
    free(copy);
    return st;
}

static gm_status read_text(fixture *f, const char *payload, gm_error *err)
{
    return read_at(f, GM_TELEMETRY_TWIN, gm_str_of(payload), err);
}

// The cells as "path=value path=value", sorted as they came.
static const char *shown(const fixture *f)
{
    static char out[4096];
    size_t      len = 0;
    out[0]          = '\0';
    for (size_t i = 0; i < f->reader.count; i++) {
        const gm_cell_write *cell = &f->reader.cells[i];
        gm_str               path = gm_test_type.columns[cell->column].path;
        len += (size_t)snprintf(out + len, sizeof out - len, "%s" GM_STR_FMT "=", i > 0 ? " " : "", GM_STR_ARG(path));
        switch (cell->value.kind) {
        case GM_KIND_DOUBLE: len += (size_t)snprintf(out + len, sizeof out - len, "%.17g", cell->value.d); break;
        case GM_KIND_INT:
        case GM_KIND_BOOL: len += (size_t)snprintf(out + len, sizeof out - len, "%" PRId64, cell->value.i); break;
        default: len += (size_t)snprintf(out + len, sizeof out - len, GM_STR_FMT, GM_STR_ARG(cell->value.s));
        }
    }
    return out;
}

static void a_message_becomes_the_cells_of_its_names(void **state)
{
    fixture *f = *state;
    static const struct { const char *payload, *cells;
    } cases[] = {
        { "{\"temp\":21.5}", "temp=21.5" },
        { " \t\r\n{ \"temp\" : 21.5 , \"hum\":-1e3 } \n                                ", "temp=21.5 hum=-1000" },
        { "{\"hum\":0,\"temp\":-0.5e-2}", "hum=0 temp=-0.0050000000000000001" },
        { "{\"count\":-2147483648,\"total\":9223372036854775807,\"small\":-128}",
          "count=-2147483648 total=9223372036854775807 small=-128" },
        { "{\"count\":5.0,\"total\":1e3}", "count=5 total=1000" },
        { "{\"running\":true}", "running=1" },
        { "{\"running\":false,\"level\":3}", "running=0 level=3" },
        { "{\"name\":\"caf\\u00e9 \\ud83d\\ude00 \\\"x\\\"\\n\\/\",\"mode\":\"on\"}",
          "name=caf\xc3\xa9 \xf0\x9f\x98\x80 \"x\"\n/ mode=on" },
        { "{\"name\":\"\",\"day\":\"2026-02-28\"}", "name= day=2026-02-28" },
        { "{\"mo\\u0064e\":\"off\"}", "mode=off" },
        { "{\"m\\u006fde\":\"\\u006fff\"}", "mode=off" },
        { "{\"address\":{\"street\":\"A\",\"number\":7},\"temp\":1}", "address/street=A address/number=7 temp=1" },
        { "{\"address\":{},\"temp\":1}", "temp=1" },
        { "{\"motor\":{\"speed\":3,\"temperature\":61.2}}", "motor/speed=3 motor/temperature=61.200000000000003" },
        { "{\"tags\":{ \"a\" : \"1\" , \"b\\n\":\"\\u0041\" }}", "tags={\"a\":\"1\",\"b\\n\":\"\\u0041\"}" },
        { "{\"tags\":{}}", "tags={}" },
        { "{\"points\":[ ]}", "points=[]" },
        { "{\"points\":[ {\"x\": 1.50 }, { \"label\" : \"l\", \"x\":2 } ],\"p\":3}",
          "points=[{\"x\":1.50},{\"label\":\"l\",\"x\":2}] p=3" },
        { "{\"single\":3.25}", "single=3.25" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error  err;
        gm_status st = read_text(f, cases[i].payload, &err);
        if (st != GM_OK) fail_msg("%s: %s", cases[i].payload, err.text);
        if (strcmp(shown(f), cases[i].cells) != 0) fail_msg("%s: %s", cases[i].payload, shown(f));
        assert_int_equal(f->reader.at, NOW);
    }
}

static void a_message_that_is_wrong_is_refused_with_its_place_and_reason(void **state)
{
    fixture *f = *state;
    static const struct { const char *payload, *reason;
    } cases[] = {
        { "", "byte 0: expected an object, '{', found the end of the message" },
        { "   ", "byte 3: expected an object, '{', found the end of the message" },
        { "21.5", "byte 0: expected an object, '{', found a number" },
        { "[]", "byte 0: expected an object, '{', found an array" },
        { "{}", "byte 2: the message has no values" },
        { "{\"$time\":\"2026-01-01T00:00:00Z\"}", "byte 32: the message has no values" },
        { "{\"temp\":21.5", "byte 12: expected ',' or '}', found the end of the message" },
        { "{\"temp\":", "byte 8: 'temp' must be a number (double), found the end of the message" },
        { "{\"temp\"", "byte 7: expected ':', found the end of the message" },
        { "{\"te", "byte 4: the message ends in the middle of a text" },
        { "{\"name\":\"\\u00", "byte 9: \\u needs four hexadecimal digits" },
        { "{\"temp\":1}x", "byte 10: the message goes on after its object with something that is not JSON" },
        { "{\"temp\":1}{\"temp\":2}", "byte 10: the message goes on after its object with an object" },
        { "{\"temp\":1,}", "byte 10: expected a name in quotes, found a closing bracket" },
        { "{,\"temp\":1}", "byte 1: expected a name in quotes, found a comma" },
        { "{temp:1}", "byte 1: expected a name in quotes, found something that is not JSON" },
        { "{'temp':1}", "byte 1: expected a name in quotes, found a single quote, which is not JSON" },
        { "{\"temp\" 1}", "byte 8: expected ':', found a number" },
        { "{\"temp\":1 \"hum\":2}", "byte 10: expected ',' or '}', found a text" },
        { "{\"temp\":NaN}", "byte 8: 'temp' must be a number (double), found NaN, which is not JSON" },
        { "{\"temp\":-Infinity}", "byte 8: 'temp' must be a number (double), found an infinity, which is not JSON" },
        { "{\"temp\":1e999}", "byte 8: 'temp' must be a number (double), found 1e999" },
        { "{\"temp\":\"21.5\"}", "byte 8: 'temp' must be a number (double), found a text" },
        { "{\"temp\":null}", "byte 8: 'temp' must be a number (double), found null (leave a value out to have none)" },
        { "{\"temp\":+1}", "byte 8: 'temp' must be a number (double), found a plus sign, which is not JSON" },
        { "{\"temp\":01}", "byte 9: expected ',' or '}', found a number" },
        { "{\"temp\":1.}", "byte 9: expected ',' or '}', found something that is not JSON" },
        { "{\"temp\":.5}", "byte 8: 'temp' must be a number (double), found something that is not JSON" },
        { "{\"temp\":0x10}", "byte 9: expected ',' or '}', found something that is not JSON" },
        { "{\"temp\":true}", "byte 8: 'temp' must be a number (double), found a boolean" },
        { "{\"temp\":{\"a\":{\"a\":{}}}}", "byte 8: 'temp' must be a number (double), found an object" },
        { "{\"temp\":1,\"temp\":2}", "byte 10: 'temp' stands twice" },
        { "{\"temp\":1,\"hum\":2,\"te\\u006dp\":2}", "byte 18: 'temp' stands twice" },
        { "{\"address\":{\"street\":\"a\"},\"address\":{\"number\":1}}", "byte 26: 'address' stands twice" },
        { "{\"pressure\":1}", "byte 1: 'pressure' is not part of model dtmi:test:Everything;1" },
        { "{\"\":1}", "byte 1: '' is not part of model dtmi:test:Everything;1" },
        { "{\"motor\":{\"temp\":1}}", "byte 10: 'motor/temp' is not part of model dtmi:test:Everything;1" },
        { "{\"motor\":1}", "byte 9: 'motor' must be an object, found a number" },
        { "{\"$metadata\":{}}", "byte 1: '$metadata' is not part of model dtmi:test:Everything;1" },
        { "{\"count\":2147483648}",
          "byte 9: 'count' must be a whole number from -2147483648 to 2147483647 (integer), found 2147483648" },
        { "{\"count\":1.5}",
          "byte 9: 'count' must be a whole number from -2147483648 to 2147483647 (integer), found 1.5" },
        { "{\"total\":9223372036854775808}",
          "byte 9: 'total' must be a whole number of 64 bits (long), found 9223372036854775808" },
        { "{\"small\":200}", "byte 9: 'small' must be a whole number from -128 to 127 (byte), found 200" },
        { "{\"running\":1}", "byte 11: 'running' must be true or false, found a number" },
        { "{\"running\":truth}", "byte 11: 'running' must be true or false, found something that is not JSON" },
        { "{\"running\":trueX}", "byte 15: expected ',' or '}', found something that is not JSON" },
        { "{\"mode\":\"auto\"}", "byte 8: 'mode' must be one of its enum's values, found \"auto\"" },
        { "{\"level\":2}", "byte 9: 'level' must be one of its enum's values, found 2" },
        { "{\"day\":\"2026-02-30\"}", "byte 7: 'day' must be a date such as 2026-01-31, found \"2026-02-30\"" },
        { "{\"single\":1e39}", "byte 10: 'single' must be a number of at most 3.4e38 (float), found 1e39" },
        { "{\"name\":\"a\nb\"}", "byte 10: a control character in a text must be escaped" },
        { "{\"name\":\"\\x\"}", "byte 9: an unknown escape in a text" },
        { "{\"name\":\"\\ud800\"}", "byte 9: half of a surrogate pair without its second half" },
        { "{\"name\":\"\\ud800\\u0041\"}", "byte 9: half of a surrogate pair without its second half" },
        { "{\"name\":\"\\udc00\"}", "byte 9: half of a surrogate pair without its first half" },
        { "{\"name\":\"\\u0000\"}", "byte 9: the character U+0000 is not accepted in texts" },
        { "{\"name\":\"\xff\"}", "byte 9: a text that is not valid UTF-8" },
        { "{\"name\":\"\xc3\"}", "byte 9: a text that is not valid UTF-8" },
        { "{\"name\":\"\xed\xa0\x80\"}", "byte 9: a text that is not valid UTF-8" },
        { "{\"tags\":{\"a\":1}}", "byte 13: 'tags' must be a text, found a number" },
        { "{\"tags\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", "byte 17: the key 'a' stands twice" },
        { "{\"tags\":[]}", "byte 8: 'tags' must be an object, found an array" },
        { "{\"points\":{}}", "byte 10: 'points' must be an array, found an object" },
        { "{\"points\":[{\"y\":1}]}", "byte 12: 'y' is not a field of its schema" },
        { "{\"points\":[[[[[[[[]]]]]]]]}", "byte 11: 'points' must be an object, found an array" },
        { "{\"points\":[{\"x\":1},]}", "byte 19: 'points' must be an object, found a closing bracket" },
        { "{\"$time\":1767225600,\"temp\":1}", "byte 9: '$time' must be a text such as \"2026-01-01T00:00:00Z\"" },
        { "{\"$time\":\"yesterday\",\"temp\":1}",
          "byte 9: '$time': 'yesterday' is not a time such as 2026-01-01T00:00:00Z" },
        { "{\"$time\":\"1969-12-31T23:59:59Z\",\"temp\":1}",
          "byte 9: '$time': time '1969-12-31T23:59:59Z' is outside the years 1970 to 2200" },
        { "{\"$time\":\"9999-12-31T23:59:59Z\",\"temp\":1}",
          "byte 9: '$time': time '9999-12-31T23:59:59Z' is outside the years 1970 to 2200" },
        { "{\"$time\":\"2026-01-12T00:00:00Z\",\"temp\":1}",
          "byte 9: '$time' lies too far in the future: '2026-01-12T00:00:00Z'" },
        { "{\"$time\":\"2026-01-01T00:00:00Z\",\"temp\":1,\"$time\":\"2026-01-01T00:00:00Z\"}",
          "byte 49: '$time' stands twice" },
        { "{\"motor\":{\"$time\":\"2026-01-01T00:00:00Z\"}}",
          "byte 10: 'motor/$time' is not part of model dtmi:test:Everything;1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error  err;
        gm_status st = read_text(f, cases[i].payload, &err);
        if (st != GM_INVALID || strcmp(err.text, cases[i].reason) != 0)
            fail_msg("%s: status %d, %s", cases[i].payload, (int)st, err.text);
    }
}

static void the_source_time_applies_to_every_value_wherever_it_stands(void **state)
{
    fixture   *f = *state;
    gm_error   err;
    gm_time_ns at;
    (void)!gm_time_parse(GM_STR("2026-01-02T03:04:05.678Z"), &at, NULL);
    static const char *const payloads[] = {
        "{\"$time\":\"2026-01-02T03:04:05.678Z\",\"temp\":1,\"hum\":2}",
        "{\"temp\":1,\"hum\":2,\"$time\":\"2026-01-02T03:04:05.678Z\"}",
        "{\"temp\":1,\"\\u0024time\":\"2026-01-02T04:04:05.678+01:00\",\"hum\":2}",
    };
    for (size_t i = 0; i < 3; i++) {
        assert_gm_ok(read_text(f, payloads[i], &err), err);
        assert_int_equal(f->reader.count, 2);
        for (size_t c = 0; c < 2; c++) assert_int_equal(f->reader.cells[c].at, at);
    }
}

static void properties_are_told_from_telemetry(void **state)
{
    fixture *f = *state;
    gm_error err;
    assert_gm_ok(read_text(f, "{\"temp\":1}", &err), err);
    assert_int_equal(f->reader.flags, 0);
    assert_gm_ok(read_text(f, "{\"temp\":1,\"name\":\"x\"}", &err), err);
    assert_int_equal(f->reader.flags, GM_WRITE_PROPERTIES);
}

static void a_component_is_a_scope_of_its_own(void **state)
{
    fixture *f = *state;
    gm_error err;
    uint32_t motor = gm_telemetry_scope(f->names, GM_STR("motor"));
    assert_int_not_equal(motor, GM_TELEMETRY_NOWHERE);
    assert_gm_ok(read_at(f, motor, GM_STR("{\"temperature\":50}"), &err), err);
    assert_string_equal(shown(f), "motor/temperature=50");
    assert_int_equal(read_at(f, motor, GM_STR("{\"temp\":50}"), &err), GM_INVALID);
    assert_int_equal(gm_telemetry_scope(f->names, GM_STR("address")),
                     GM_TELEMETRY_NOWHERE); // an object, not a component
    assert_int_equal(gm_telemetry_scope(f->names, GM_STR("")), GM_TELEMETRY_NOWHERE);
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    static gm_schema lists[GM_TELEMETRY_DEPTH_MAX + 8];  // a schema deeper than any DTDL allows
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        lists[i] = (gm_schema) { .kind    = GM_SCHEMA_ARRAY,
                                 .element = &lists[i + 1 < sizeof lists / sizeof lists[0] ? i + 1 : i] };
    }
    gm_column columns[1] = { { .path = GM_STR("deep"), .kind = GM_KIND_JSON, .schema = &lists[0] } };
    gm_type   type       = { .id = GM_STR("dtmi:test:Deep;1"), .columns = columns, .column_count = 1 };
    fixture   f          = { 0 };
    gm_error  err;
    assert_gm_ok(gm_telemetry_names_create(gm_alloc_system(), &type, &f.names, &err), err);
    gm_telemetry_reader_init(&f.reader, gm_alloc_system());
    for (int depth = 1; depth < 200000; depth = depth < 64 ? depth + 1 : depth * 9) {
        size_t len  = 8 + 2 * (size_t)depth + 1;
        char  *text = malloc(len);
        memcpy(text, "{\"deep\":", 8);
        memset(text + 8, '[', (size_t)depth);
        memset(text + 8 + depth, ']', (size_t)depth);
        text[len - 1] = '}';
        gm_status st  = gm_telemetry_read(&f.reader, f.names, 0, (gm_str){ text, len }, NOW, NOW, &err);
        assert_int_equal(st, depth <= GM_TELEMETRY_DEPTH_MAX ? GM_OK : GM_INVALID);
        free(text);
    }
    gm_telemetry_reader_finish(&f.reader);
    gm_telemetry_names_destroy(f.names);
}

// ---- against jansson ----------------------------------------------------------------------------------------------
static void add_space(char *out, size_t *len, uint64_t *random)
{
    while (gm_test_random(random) % 4 == 0) out[(*len)++] = " \t\n\r"[gm_test_random(random) % 4];
}

// One member of a random message; now and then with a value that does not fit.
static void add_member(char *out, size_t *len, uint64_t *random)
{
    static const char *const names[]  = { "temp", "hum",    "count", "total",   "running", "name",
                                          "mode", "single", "p",     "address", "tags",    "nope" };
    static const char *const values[] = {
        "1",
        "-0",
        "0.1",
        "1e-7",
        "12345678901234567890",
        "-2147483648",
        "2147483648",
        "1e400",
        "3.0",
        "true",
        "false",
        "null",
        "\"on\"",
        "\"off\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"plain\"",
        "\"\xc3\xa9\"",
        "\"\xc3\"",
        "{}",
        "[]",
        "{\"street\":\"s\",\"number\":4}",
        "{\"a\":\"b\",\"c\":\"\\t\"}",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "01",
        "1.",
        "nul",
        "\"open",
    };
    *len += (size_t)sprintf(out + *len, "\"%s\"", names[gm_test_random(random) % (sizeof names / sizeof names[0])]);
    add_space(out, len, random);
    out[(*len)++] = ':';
    add_space(out, len, random);
    *len += (size_t)sprintf(out + *len, "%s", values[gm_test_random(random) % (sizeof values / sizeof values[0])]);
    add_space(out, len, random);
}

static void whatever_is_accepted_is_what_jansson_reads(void **state)
{
    fixture *f        = *state;
    uint64_t random   = gm_test_seed();
    int      accepted = 0;
    for (int round = 0; round < 60000; round++) {
        char   text[2048];
        size_t len = 0, members = gm_test_random(&random) % 4;
        text[len++] = '{';
        for (size_t i = 0; i <= members; i++) {
            if (i > 0) text[len++] = ',';
            add_space(text, &len, &random);
            add_member(text, &len, &random);
        }
        text[len++] = '}';
        if (gm_test_random(&random) % 8 == 0) text[gm_test_random(&random) % len] = (char)gm_test_random(&random);
        gm_error     err;
        gm_status    st = read_at(f, 0, (gm_str){ text, len }, &err);
        json_error_t why;
        json_t      *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
        if (st == GM_OK && json == NULL) fail_msg("%.*s: accepted, but jansson says %s", (int)len, text, why.text);
        accepted += st == GM_OK;
        for (size_t i = 0; st == GM_OK && i < f->reader.count; i++) {
            const gm_cell_write *cell = &f->reader.cells[i];
            gm_str               rest = gm_test_type.columns[cell->column].path, part;
            const json_t        *at   = json;
            while (gm_str_next(&rest, '/', &part)) at = json_object_getn(at, part.ptr, part.len);
            assert_non_null(at);
            switch (cell->value.kind) {
            case GM_KIND_DOUBLE: assert_true(cell->value.d == json_number_value(at)); break;
            case GM_KIND_INT: assert_true((double)cell->value.i == json_number_value(at)); break;
            case GM_KIND_BOOL: assert_true(cell->value.i == json_is_true(at)); break;
            case GM_KIND_STRING:
                assert_int_equal(cell->value.s.len, json_string_length(at));
                assert_memory_equal(cell->value.s.ptr, json_string_value(at), cell->value.s.len);
                break;
            default: {
                json_t *kept = json_loadb(cell->value.s.ptr, cell->value.s.len, JSON_DECODE_INT_AS_REAL, &why);
                assert_non_null(kept);
                assert_true(json_equal(kept, at));
                json_decref(kept);
            }
            }
        }
        json_decref(json);
    }
    assert_true(accepted > 500);
}

static void every_prefix_of_a_message_is_refused(void **state)
{
    fixture   *f = *state;
    const char whole[] =
        "{\"$time\":\"2026-01-01T00:00:00Z\",\"temp\":-1.5e3,\"name\":\"\\ud83d\\ude00\",\"tags\":{\"a\":\"b\"},"
        "\"points\":[{\"x\":1}],\"running\":true}";
    gm_error   err;
    assert_gm_ok(read_text(f, whole, &err), err);
    for (size_t n = 0; n + 1 < sizeof whole - 1; n++) {
        if (read_at(f, 0, (gm_str){ whole, n }, &err) != GM_INVALID) fail_msg("%.*s was accepted", (int)n, whole);
    }
}

static void reading_survives_every_allocation_failure(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_telemetry_names *names = NULL;
        gm_telemetry_reader reader;
        gm_telemetry_reader_init(&reader, &fault.alloc);
        gm_error  err;
        gm_status st = gm_telemetry_names_create(&fault.alloc, &gm_test_type, &names, &err);
        if (st == GM_OK)
            st = gm_telemetry_read(&reader, names, 0, GM_STR("{\"tags\":{\"a\":\"b\"},\"temp\":1}"), NOW, NOW, &err);
        gm_telemetry_reader_finish(&reader);
        gm_telemetry_names_destroy(names);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_becomes_the_cells_of_its_names),
        cmocka_unit_test(a_message_that_is_wrong_is_refused_with_its_place_and_reason),
        cmocka_unit_test(the_source_time_applies_to_every_value_wherever_it_stands),
        cmocka_unit_test(properties_are_told_from_telemetry),
        cmocka_unit_test(a_component_is_a_scope_of_its_own),
        cmocka_unit_test(nesting_beyond_the_limit_is_refused),
        cmocka_unit_test(whatever_is_accepted_is_what_jansson_reads),
        cmocka_unit_test(every_prefix_of_a_message_is_refused),
        cmocka_unit_test(reading_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
