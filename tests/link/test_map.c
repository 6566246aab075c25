#include "link/map.h"
#include "link/sparkplug.h"
#include "state/document.h"
#include "support/support.h"

#include <stdio.h>

static void patterns_take_topics_apart(void **state)
{
    (void)state;
    static const struct { const char *pattern, *topic, *captures; } cases[] = {
        { "plant/{site}/{unit}", "plant/north/7", "site=north unit=7 " },
        { "plant/{site}/boiler-{n}/+", "plant/a/boiler-12/x", "site=a n=12 " },
        { "plant/{site}/boiler-{n}", "plant/a/boiler-", NULL },        // a place takes at least a byte
        { "plant/{site}/boiler-{n}", "plant/a/kettle-1", NULL },
        { "a/{x}-{y}/b", "a/1-2-3/b", "x=1 y=2-3 " },
        { "a/{x}.json", "a/b.json", "x=b " },
        { "a/{x}.json", "a/.json", NULL },
        { "a/{rest#}", "a/b/c", "rest=b/c " },
        { "a/{rest#}", "a", NULL },
        { "a/#", "a/b/c", "" },
        { "a/+", "a/b/c", NULL },
        { "+/{x}", "a/b", "x=b " },
        { "a", "a", "" },
        { "a", "a/b", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_map_capture found[GM_MAP_CAPTURES_MAX];
        size_t         n = 0;
        char           text[200] = "";
        bool fits = gm_map_pattern_fits(gm_str_of(cases[i].pattern), gm_str_of(cases[i].topic), found, &n);
        for (size_t k = 0; fits && k < n; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), GM_STR_FMT "=" GM_STR_FMT " ", GM_STR_ARG(found[k].name), GM_STR_ARG(found[k].value));
        if (fits != (cases[i].captures != NULL) || (fits && strcmp(text, cases[i].captures) != 0))
            fail_msg("'%s' and '%s': %d '%s'", cases[i].pattern, cases[i].topic, fits, text);
    }
}

static void what_is_wrong_with_a_mapping_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text, *why; unsigned line; } cases[] = {
        { "[]", "the file must be", 1 },
        { "{\"mappings\":[{\n\"topic\":\"a\",\"twin\":\"x\",\"vlaues\":1}]}", "there is no key \"vlaues\"", 2 },
        { "{\"mappings\":[{\"twin\":\"x\"}]}", "needs a \"topic\"", 1 },
        { "{\"mappings\":[{\"topic\":\"a/{b\",\"twin\":\"x\"}]}", "a '{' without its '}'", 1 },
        { "{\"mappings\":[{\"topic\":\"a/#/b\",\"twin\":\"x\"}]}", "'#' must be the last", 1 },
        { "{\"mappings\":[{\"topic\":\"gemel/x\",\"twin\":\"x\"}]}", "belong to gemel", 1 },
        { "{\"mappings\":[{\"topic\":\"a\"}]}", "\"twin\" must say", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x{\"}]}", "without its '}'", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"format\":\"xml\"}]}", "json, csv, scalar", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"format\":\"scalar\"}]}", "a scalar needs", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\n\n\"values\":[{\"from\":\"t\",\"to\":\"t\"}]}]}", "JSON pointer", 3 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"values\":[{\"from\":\"/t\",\"to\":\"t\",\"unit\":\"furlong\"}]}]}", "furlong", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"create\":{}}]}", "\"create\" needs", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"time\":{\"from\":\"/t\",\"unit\":\"fortnight\"}}]}", "the unit of a time", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"twin\":\"x\",\"format\":\"csv\"}]}", "a csv needs", 1 },
        { "{\"mappings\":[{\"topic\":\"a\",\"format\":\"line\",\"twin\":\"x\"}]}", "lines have no topic", 1 },
        { "{\"mappings\":[", NULL, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_maps *maps;
        gm_error err = { 0 };
        assert_int_equal(gm_maps_create(gm_alloc_system(), &maps, &err), GM_OK);
        gm_status st = gm_maps_add(maps, GM_STR("m.json"), gm_str_of(cases[i].text), &err);
        bool      said = cases[i].why == NULL || strstr(err.text, cases[i].why) != NULL;
        if (st != GM_INVALID || !said || err.line != cases[i].line) fail_msg("%s: %d, line %u, %s", cases[i].text, (int)st, err.line, err.text);
        gm_maps_destroy(maps);
    }
}

// An update as text: "twin@time create: path=value path=value".
static gm_status write_update(void *context, const gm_mapped *m, gm_error *err)
{
    gm_buf *out = context;
    (void)err;
    gm_buf_str(out, m->twin);
    if (m->at != GM_MAP_NO_TIME) gm_buf_printf(out, "@%lld", (long long)(m->at / GM_MILLISECOND));
    if (m->create.len > 0) {
        gm_buf_byte(out, ' ');
        gm_buf_str(out, m->create);
    }
    gm_buf_byte(out, ':');
    for (size_t i = 0; i < m->count; i++) {
        gm_buf_byte(out, ' ');
        gm_buf_str(out, m->values[i].path);
        gm_buf_byte(out, '=');
        gm_document_write_value(m->values[i].value, out);
        if (m->values[i].at != GM_MAP_NO_TIME) gm_buf_printf(out, "@%lld", (long long)(m->values[i].at / GM_MILLISECOND));
    }
    gm_buf_byte(out, ';');
    return GM_OK;
}

typedef struct world { gm_maps *maps; gm_arena *arena; gm_buf out; gm_error err; } world;

static world start(const char *mapping)
{
    world w = { .out = gm_buf_init(gm_alloc_system()), .arena = gm_arena_create(gm_alloc_system(), 0) };
    assert_gm_ok(gm_maps_create(gm_alloc_system(), &w.maps, &w.err), w.err);
    assert_gm_ok(gm_maps_add(w.maps, GM_STR("m.json"), gm_str_of(mapping), &w.err), w.err);
    return w;
}

static gm_status read_one(world *w, gm_str topic, gm_str payload)
{
    gm_map *map = gm_maps_of_topic(w->maps, topic);
    gm_buf_clear(&w->out);
    gm_arena_clear(w->arena);
    if (map == NULL) return GM_NOTFOUND;
    gm_status st = gm_map_read(map, topic, payload, w->arena, write_update, &w->out, &w->err);
    gm_buf_byte(&w->out, 0);
    return st;
}

static void finish(world *w)
{
    gm_maps_destroy(w->maps);
    gm_arena_destroy(w->arena);
    gm_buf_finish(&w->out);
}

static void payloads_become_values_of_twins(void **state)
{
    (void)state;
    static const struct { const char *mapping, *topic, *payload, *expect; } cases[] = {
        { "\"topic\":\"p/{u}\",\"twin\":\"b-{u:03d}\",\"values\":[{\"from\":\"/t\",\"to\":\"temp\"},{\"from\":\"/d/1\",\"to\":\"x\",\"optional\":true}]",
          "p/7", "{\"t\":21.5,\"d\":[1,2]}", "b-007: temp=21.5 x=2;" },
        { "\"topic\":\"p/{u}\",\"twin\":\"{/id}\",\"time\":{\"from\":\"/ts\",\"unit\":\"ms\"},\"values\":\"*\"", "p/7",
          "{\"id\":\"q\",\"ts\":1500,\"on\":true,\"m\":{\"s\":2}}", "q@1500: id=\"q\" ts=1500 on=true m/s=2 m={\"s\":2};" },
        { "\"topic\":\"p\",\"each\":\"/r\",\"twin\":\"{/n}\",\"time\":{\"from\":\"/t\"},\"values\":[{\"from\":\"/v\",\"to\":\"v\"}]", "p",
          "{\"r\":[{\"n\":\"a\",\"v\":1,\"t\":\"1970-01-01T00:00:01Z\"},{\"n\":\"b\",\"v\":2,\"t\":\"1970-01-01T00:00:02Z\"}]}",
          "a@1000: v=1;b@2000: v=2;" },
        { "\"topic\":\"p/{u}\",\"twin\":\"{u}\",\"values\":[{\"from\":\"/t\",\"to\":\"t\"}]", "p/7", "{}", "!there is no value at '/t'" },
        { "\"topic\":\"p/{u}\",\"twin\":\"{u}\",\"values\":[{\"from\":\"/t\",\"to\":\"t\"}]", "p/7", "{\"t\":}", "!" },
        { "\"topic\":\"p/{u}\",\"twin\":\"{w}\"", "p/7", "{\"t\":1}", "!there is no value for {w}" },
        { "\"topic\":\"s/{u}\",\"twin\":\"{u}\",\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]", "s/a", " +21.50 ", "a: v=21.5;" },
        { "\"topic\":\"s/{u}\",\"twin\":\"{u}\",\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]", "s/a", "ON", "a: v=true;" },
        { "\"topic\":\"s/{u}\",\"twin\":\"{u}\",\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]", "s/a", "idle", "a: v=\"idle\";" },
        { "\"topic\":\"s/{u}\",\"twin\":\"{u}\",\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]", "s/a", "", "!empty" },
        { "\"topic\":\"c\",\"format\":\"csv\",\"columns\":[\"id\",\"ts\",\"v\"],\"twin\":\"{id}\",\"time\":{\"from\":\"ts\",\"unit\":\"s\"},\"values\":[{\"from\":\"v\"}]",
          "c", "a,1.5,3\r\n\"b\",2,4.25\n", "a@1500: v=3;b@2000: v=4.25;" },
        { "\"topic\":\"c\",\"format\":\"csv\",\"header\":true,\"separator\":\"semicolon\",\"twin\":\"{id}\"", "c",
          "id;x;y\na;1;\nb;;nan\n", "a: id=\"a\" x=1;b: id=\"b\";" },
        { "\"topic\":\"k/{u}\",\"twin\":\"{u}\",\"create\":{\"$metadata\":{\"$model\":\"dtmi:a:B;1\"},\"n\":\"{u:number}\",\"s\":\"unit {u}\"},\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]",
          "k/7", "1", "7 {\"$metadata\":{\"$model\":\"dtmi:a:B;1\"},\"n\":7,\"s\":\"unit 7\"}: v=1;" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1000];
        snprintf(text, sizeof text, "{\"mappings\":[{%s}]}", cases[i].mapping);
        world     w       = start(text);
        bool      refused = cases[i].expect[0] == '!';
        gm_status st      = read_one(&w, gm_str_of(cases[i].topic), gm_str_of(cases[i].payload));
        bool right = refused ? st == GM_INVALID && strstr(w.err.text, cases[i].expect + 1) != NULL
                             : st == GM_OK && strcmp((const char *)w.out.ptr, cases[i].expect) == 0;
        if (!right) fail_msg("case %zu: %d '%s' (%s)", i, (int)st, w.out.ptr != NULL ? (const char *)w.out.ptr : "", w.err.text);
        finish(&w);
    }
}

static void the_first_mapping_that_fits_takes_the_topic(void **state)
{
    (void)state;
    world w = start("{\"mappings\":[{\"topic\":\"a/{x}/b\",\"twin\":\"one\"},{\"topic\":\"a/#\",\"twin\":\"two\"},{\"topic\":\"a/q/b\",\"twin\":\"three\"}]}");
    assert_int_equal(gm_maps_of_topic(w.maps, GM_STR("a/q/b"))->number, 0);
    assert_int_equal(gm_maps_of_topic(w.maps, GM_STR("a/q/c"))->number, 1);
    assert_null(gm_maps_of_topic(w.maps, GM_STR("b/q")));
    finish(&w);
}

// ---- Sparkplug ----------------------------------------------------------------------------------------------------
static void put_varint(gm_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) gm_buf_byte(out, (uint8_t)(v | 0x80));
    gm_buf_byte(out, (uint8_t)v);
}

static void put_metric(gm_buf *out, const char *name, int alias, unsigned type, unsigned field, uint64_t bits)
{
    gm_buf m = gm_buf_init(gm_alloc_system());
    if (name != NULL) {
        gm_buf_byte(&m, 0x0a);
        put_varint(&m, strlen(name));
        gm_buf_text(&m, name);
    }
    if (alias >= 0) {
        gm_buf_byte(&m, 0x10);
        put_varint(&m, (uint64_t)alias);
    }
    if (type != 0) {
        gm_buf_byte(&m, 0x20);
        put_varint(&m, type);
    }
    unsigned wire = field == 13 ? 1 : field == 12 ? 5 : 0;
    gm_buf_byte(&m, (uint8_t)(field << 3 | wire));
    if (wire == 0) put_varint(&m, bits);
    for (unsigned i = 0; wire != 0 && i < (wire == 1 ? 8u : 4u); i++) gm_buf_byte(&m, (uint8_t)(bits >> (8 * i)));
    gm_buf_byte(out, 0x12);
    put_varint(out, m.len);
    gm_buf_add(out, m.ptr, m.len);
    gm_buf_finish(&m);
}

static void sparkplug_births_teach_what_data_means(void **state)
{
    (void)state;
    world w = start("{\"mappings\":[{\"topic\":\"spBv1.0/{g}/{type}/{n}/{d}\",\"format\":\"sparkplug\",\"twin\":\"{n}-{d}\",\"values\":\"*\"}]}");
    gm_buf p = gm_buf_init(gm_alloc_system());
    union { double d; uint64_t u; } x = { .d = 21.5 };
    // Data before any birth is refused with what to do.
    put_metric(&p, NULL, 3, 0, 13, x.u);
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DDATA/n/d"), gm_buf_view(&p)), GM_INVALID);
    assert_non_null(strstr(w.err.text, "Rebirth"));
    gm_buf_clear(&p);
    gm_buf_add(&p, "\x08\xe8\x07", 3);  // timestamp 1000
    put_metric(&p, "temp", 3, 10, 13, x.u);
    put_metric(&p, "level", 4, 3, 10, 0xfffffff6);  // Int32 -10
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DBIRTH/n/d"), gm_buf_view(&p)), GM_OK);
    assert_string_equal((const char *)w.out.ptr, "n-d@1000: temp=21.5 level=-10;");
    gm_buf_clear(&p);
    gm_buf_add(&p, "\x08\xd0\x0f", 3);
    put_metric(&p, NULL, 4, 0, 10, 0xffffffff);
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DDATA/n/d"), gm_buf_view(&p)), GM_OK);
    assert_string_equal((const char *)w.out.ptr, "n-d@2000: level=-1;");
    // Another device has aliases of its own.
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DDATA/n/other"), gm_buf_view(&p)), GM_INVALID);
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DDEATH/n/d"), gm_buf_view(&p)), GM_OK);
    assert_string_equal((const char *)w.out.ptr, "");
    assert_int_equal(read_one(&w, GM_STR("spBv1.0/g/DDATA/n/d"), GM_STR("\x12\x05\x08")), GM_INVALID);
    gm_buf_finish(&p);
    finish(&w);
}

// ---- cells --------------------------------------------------------------------------------------------------------
static const gm_schema double_schema = { .kind = GM_SCHEMA_DOUBLE }, int_schema = { .kind = GM_SCHEMA_INTEGER },
                       bool_schema = { .kind = GM_SCHEMA_BOOLEAN }, text_schema = { .kind = GM_SCHEMA_STRING };

static void values_are_scaled_and_converted_into_the_columns_unit(void **state)
{
    (void)state;
    static const struct { const char *from, *to; double scale, offset, value, expect; } cases[] = {
        { "degF", "degC", 1, 0, 212, 100 },
        { "K", "degC", 1, 0, 273.15, 0 },
        { "bar", "Pa", 1, 0, 2.5, 250000 },
        { "degC", "degC", 0.1, 0, 215, 21.5 },
        { "degC", "degC", 1, 0, 21.37, 21.37 },   // the same unit: not a bit changes
        { "kW", "W", 1, -1, 3, 2000 },
        { "rpm", "rad/s", 1, 0, 60, 6.283185307179586 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error    err  = { 0 };
        gm_column   c    = { .path = GM_STR("v"), .kind = GM_KIND_DOUBLE, .schema = &double_schema };
        gm_map_rule rule = { .scale = cases[i].scale, .offset = cases[i].offset, .has_unit = true,
                             .has_scale = cases[i].scale != 1 || cases[i].offset != 0 };
        gm_value    in = { .kind = GM_KIND_DOUBLE, .d = cases[i].value }, out;
        assert_gm_ok(gm_unit_parse(gm_str_of(cases[i].from), &rule.unit, &err), err);
        assert_gm_ok(gm_unit_parse(gm_str_of(cases[i].to), &c.unit_si, &err), err);
        assert_gm_ok(gm_map_fit(&c, &rule, &in, &out, &err), err);
        double off = out.d - cases[i].expect, most = 1e-9 * (1 + (cases[i].expect < 0 ? -cases[i].expect : cases[i].expect));
        if (off > most || off < -most) fail_msg("%zu: %.17g", i, out.d);
    }
}

static void values_fit_their_column_or_the_reason_is_said(void **state)
{
    (void)state;
    gm_column   d = { .path = GM_STR("d"), .kind = GM_KIND_DOUBLE, .schema = &double_schema };
    gm_column   i = { .path = GM_STR("i"), .kind = GM_KIND_INT, .schema = &int_schema };
    gm_column   b = { .path = GM_STR("b"), .kind = GM_KIND_BOOL, .schema = &bool_schema };
    gm_column   t = { .path = GM_STR("t"), .kind = GM_KIND_STRING, .schema = &text_schema };
    gm_value    n = { .kind = GM_KIND_INT, .i = 7 }, x = { .kind = GM_KIND_DOUBLE, .d = 7.5 },
             text = { .kind = GM_KIND_STRING, .s = GM_STR("7") }, yes = { .kind = GM_KIND_BOOL, .i = 1 }, out;
    gm_map_rule tenth = { .scale = 0.1, .has_scale = true };
    gm_value    big = { .kind = GM_KIND_INT, .i = INT64_C(3000000000) }, tens = { .kind = GM_KIND_INT, .i = 2130 };
    gm_error    err;
    gm_unit     metre;
    assert_int_equal(gm_map_fit(&d, NULL, &n, &out, &err), GM_OK);
    assert_int_equal(gm_map_fit(&d, NULL, &text, &out, &err), GM_OK);
    assert_true(out.kind == GM_KIND_DOUBLE && out.d == 7.0);
    assert_int_equal(gm_map_fit(&i, NULL, &x, &out, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "'i' must be a whole number"));
    assert_int_equal(gm_map_fit(&i, NULL, &big, &out, &err), GM_INVALID);
    assert_int_equal(gm_map_fit(&i, &tenth, &tens, &out, &err), GM_OK);
    assert_int_equal(out.i, 213);
    assert_int_equal(gm_map_fit(&b, NULL, &yes, &out, &err), GM_OK);
    assert_int_equal(gm_map_fit(&b, NULL, &n, &out, &err), GM_INVALID);
    assert_int_equal(gm_map_fit(&t, NULL, &text, &out, &err), GM_OK);
    assert_int_equal(gm_map_fit(&t, NULL, &n, &out, &err), GM_INVALID);
    assert_gm_ok(gm_unit_parse(GM_STR("m"), &metre, &err), err);
    gm_map_rule length = { .scale = 1, .unit = metre, .has_unit = true };
    assert_gm_ok(gm_unit_parse(GM_STR("degC"), &d.unit_si, &err), err);
    assert_int_equal(gm_map_fit(&d, &length, &n, &out, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "does not convert"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_take_topics_apart),
        cmocka_unit_test(what_is_wrong_with_a_mapping_is_said_with_its_place),
        cmocka_unit_test(payloads_become_values_of_twins),
        cmocka_unit_test(the_first_mapping_that_fits_takes_the_topic),
        cmocka_unit_test(sparkplug_births_teach_what_data_means),
        cmocka_unit_test(values_are_scaled_and_converted_into_the_columns_unit),
        cmocka_unit_test(values_fit_their_column_or_the_reason_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
