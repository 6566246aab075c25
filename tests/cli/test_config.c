#include "cli/config.h"

#include "api/api.h"
#include "link/mqtt_server.h"
#include "log/log.h"
#include "support/support.h"

#include <stdio.h>

typedef struct told { int count; uint32_t line, column; char text[256]; } told;

static void on_wrong(void *context, uint32_t line, uint32_t column, const char *text)
{
    told *t = context;
    if (t->count++ > 0) return;
    t->line   = line;
    t->column = column;
    snprintf(t->text, sizeof t->text, "%s", text);
}

static void settings_are_read_or_refused_with_their_line(void **state)
{
    (void)state;
    static const struct { const char *text; int wrong; uint32_t line; const char *says; } cases[] = {
        { "", 0, 0, "" },
        { "# nothing\n\n   # set\n", 0, 0, "" },
        { "http = 127.0.0.1:0\nmqtt=127.0.0.1:0  # a comment\n", 0, 0, "" },
        { "data = a#b\n", 0, 0, "" },
        { "\nhtpp = 127.0.0.1:0", 1, 2, "did you mean 'http'" },
        { "colour = blue", 1, 1, "there is no key 'colour'" },
        { "http", 1, 1, "has no '='" },
        { "http =", 1, 1, "has no value" },
        { "http = 127.0.0.1:0\nhttp = 127.0.0.1:1", 1, 2, "set twice" },
        { "log.segment_size = big", 1, 1, "not a size" },
        { "log.realtime_commit = true", 1, 1, "neither yes nor no" },
        { "a=1\nb=2\nhttp=x", 3, 1, "no key 'a'" },
        { "[endpoint a]\nkind = sse\n[endpoint b]\nkind=webhook\nurl = http://h/\n", 0, 0, "" },
        { "[endpoint a]\nkind = sse\n[endpoint a]\nkind=sse\n", 1, 3, "is there twice" },
        { "[endpoint a]\nkind = pigeon\n", 2, 2, "'kind' is one of webhook|mqtt|sse" },
        { "[index a]\nkind = tree\n", 1, 2, "'kind' is one of ordered|hash" },
        { "[endpoint a]\n", 1, 1, "[endpoint a] needs 'kind'" },
        { "[endpoint]\nkind = sse\n", 1, 1, "needs a name" },
        { "[colour blue]\nkind = sse\n", 1, 1, "no section 'colour'" },
        { "[endpoint a\nkind = sse\n", 1, 1, "[KIND NAME]" },
        { "[endpoint a]\nkind = sse\ntopics = x\n", 1, 3, "did you mean 'topic'" },
        { "[endpoint a]\nkind = sse\nhttp = 127.0.0.1:0\n", 1, 3, "no key 'http'" },
        { "[index temperature]\n", 0, 0, "" },
        { "history.keep = 30d\nhistory.rollup = 1h\n[history dtmi:x:Pump;1 motor/speed]\nkeep = 0s\n[history flow]\n", 0, 0, "" },
        { "[history flow]\nkeep = long\n", 1, 2, "keep" },
        { "[history flow]\nrolup = 1h\n", 1, 2, "did you mean 'rollup'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_config config;
        told      t = {0};
        assert_int_equal(gm_config_read(gm_str_of(cases[i].text), arena, &config, on_wrong, &t, NULL), GM_OK);
        if (t.count != cases[i].wrong || t.line != cases[i].line || strstr(t.text, cases[i].says) == NULL) {
            fail_msg("'%s': %d wrong, line %u, '%s'", cases[i].text, t.count, t.line, t.text);
        }
        gm_arena_destroy(arena);
    }
}

static void what_is_not_set_has_its_default(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_config config;
    told      t = {0};
    assert_int_equal(gm_config_read(GM_STR("data = elsewhere\n"), arena, &config, on_wrong, &t, NULL), GM_OK);
    assert_true(gm_str_is(gm_config_text(&config, GM_CONFIG_DATA), "elsewhere"));
    assert_true(gm_str_is(gm_config_text(&config, GM_CONFIG_HTTP), "127.0.0.1:8080"));
    gm_arena_destroy(arena);
}

static void the_example_is_a_file_that_sets_nothing_and_its_lines_are_valid(void **state)
{
    (void)state;
    gm_arena *arena   = gm_arena_create(gm_alloc_system(), 0);
    gm_buf    example = gm_buf_init(gm_alloc_system());
    gm_config_example(&example);
    gm_config config;
    told      t = {0};
    assert_int_equal(gm_config_read(gm_buf_view(&example), arena, &config, on_wrong, &t, NULL), GM_OK);
    assert_int_equal(t.count, 0);
    for (size_t i = 0; i < GM_CONFIG_KEY_COUNT; i++) assert_null(config.texts[i].ptr);

    // With the '#' of the settings taken away every line must be accepted.
    gm_buf set  = gm_buf_init(gm_alloc_system());
    gm_str rest = gm_buf_view(&example), line;
    while (gm_str_next(&rest, '\n', &line)) {
        gm_buf_str(&set, gm_str_starts(line, GM_STR("#")) && !gm_str_starts(line, GM_STR("# "))
                             ? gm_str_slice(line, 1, line.len)
                             : line);
        gm_buf_byte(&set, '\n');
    }
    assert_int_equal(gm_config_read(gm_buf_view(&set), arena, &config, on_wrong, &t, NULL), GM_OK);
    if (t.count != 0) fail_msg("line %u: %s", t.line, t.text);
    for (size_t i = 0; i < GM_CONFIG_KEY_COUNT; i++) assert_non_null(config.texts[i].ptr);
    gm_buf_finish(&set);
    gm_buf_finish(&example);
    gm_arena_destroy(arena);
}

// The defaults stand twice, here and where they are used: they must say the same.
static void the_defaults_are_those_of_the_parts(void **state)
{
    (void)state;
    gm_config      c    = { 0 };
    gm_api_limits  api  = gm_api_limits_defaults();
    gm_mqtt_limits mqtt = gm_mqtt_server_options_defaults().limits;
    gm_log_options log  = gm_log_options_defaults();
    gm_dur_ns      expiry;
    assert_int_equal(gm_option_count(gm_config_text(&c, GM_CONFIG_HTTP_CONNECTIONS)), api.connections_max);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_HTTP_BODY)), api.body_max);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_HTTP_MODELS)), api.models_max);
    assert_int_equal(gm_option_count(gm_config_text(&c, GM_CONFIG_HTTP_STREAMS)), api.streams_max);
    assert_int_equal(gm_option_count(gm_config_text(&c, GM_CONFIG_MQTT_CONNECTIONS)), mqtt.connections);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_MQTT_PACKET)), mqtt.packet);
    assert_int_equal(gm_option_count(gm_config_text(&c, GM_CONFIG_MQTT_QUEUED_MESSAGES)), mqtt.queued_messages);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_MQTT_QUEUED_BYTES)), mqtt.queued_bytes);
    assert_int_equal(gm_option_count(gm_config_text(&c, GM_CONFIG_MQTT_SESSIONS)), mqtt.sessions);
    assert_int_equal(gm_dur_parse(gm_config_text(&c, GM_CONFIG_MQTT_SESSION_EXPIRY), &expiry, NULL), GM_OK);
    assert_int_equal(expiry / GM_SECOND, mqtt.session_expiry_s);
    assert_int_equal(gm_dur_parse(gm_config_text(&c, GM_CONFIG_MQTT_KEEP_ALIVE), &expiry, NULL), GM_OK);
    assert_int_equal(expiry / GM_SECOND, mqtt.keep_alive_s);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_LOG_SEGMENT_SIZE)), log.segment_size);
    assert_int_equal(gm_option_size(gm_config_text(&c, GM_CONFIG_LOG_BATCH_LIMIT)), log.batch_limit);
    assert_int_equal(gm_option_yes(gm_config_text(&c, GM_CONFIG_LOG_REALTIME_COMMIT)), log.realtime_commit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read_or_refused_with_their_line),
        cmocka_unit_test(what_is_not_set_has_its_default),
        cmocka_unit_test(the_defaults_are_those_of_the_parts),
        cmocka_unit_test(the_example_is_a_file_that_sets_nothing_and_its_lines_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
