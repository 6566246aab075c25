#include "support/api_plant.h"

#include "base/pool.h"
#include "control/control.h"
#include "engine/checkpoint.h"
#include "support/temp_dir.h"

#include <stdio.h>

void api_plant_turn(void *context)
{
    api_plant *plant = context;
    gm_error   err   = { 0 };
    assert_gm_ok(gm_loop_turn(plant->loop, &err), err);
}

static const uint8_t page[] = "<!doctype html><title>console</title>", script[] = "export {}", zipped[] = "\x1f\x8b not really";
static const gm_asset assets[] = {
    { "index.html", "text/html; charset=utf-8", page, sizeof page - 1, NULL, 0, "\"p1\"" },
    { "assets/app-1.js", "text/javascript; charset=utf-8", script, sizeof script - 1, zipped, sizeof zipped - 1, "\"s1\"" },
};

static void extra_metrics(void *context, gm_buf *out)
{
    (void)context;
    gm_buf_text(out, "test_extra 1\n");
}

static gm_status keep_sent(void *context, const gm_sending *m, gm_error *err)
{
    api_plant *p = context;
    (void)err;
    gm_buf_printf(&p->sent, GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(m->topic), GM_STR_ARG(m->payload));
    return GM_OK;
}

static const gm_alloc *all_of(const api_plant *p) { return p->whole ? p->alloc : gm_alloc_system(); }

static void open_control(api_plant *p)
{
    gm_control_options o = { .alloc = all_of(p), .clock = gm_clock_system(), .loop = p->loop, .engine = p->engine,
                             .relationships = GM_STR("contains"), .send = keep_sent, .context = p };
    p->sent = gm_buf_init(all_of(p));
    assert_gm_ok(gm_control_create(&o, &p->control, &p->err), p->err);
}

static void open_plant(api_plant *p)
{
    p->alloc = p->alloc != NULL ? p->alloc : gm_alloc_system();
    assert_gm_ok(gm_loop_create(all_of(p), gm_clock_system(), &p->loop, &p->err), p->err);
    gm_engine_options engine = { .alloc = all_of(p), .io = gm_io_system(), .clock = gm_clock_system(),
                                 .loop = p->loop, .data_dir = p->dir, .log = gm_log_options_defaults() };
    assert_gm_ok(gm_engine_open(&engine, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_dead_letters_create(all_of(p), gm_clock_system(), p->engine, &p->letters, &p->err), p->err);
    gm_api_options options = { .alloc = p->alloc, .clock = gm_clock_system(), .loop = p->loop, .engine = p->engine,
                               .dead_letters = p->letters, .limits = gm_api_limits_defaults(), .plant = GM_STR("test plant"),
                               .version = GM_STR("0"), .features = GM_STR("none"), .assets = assets,
                               .asset_count = sizeof assets / sizeof assets[0], .metrics = extra_metrics };
    options.limits.stream_interval = GM_MILLISECOND;
    options.io       = gm_io_system();
    options.data_dir = p->dir;
    if (p->controls) open_control(p);
    options.control = p->control;
    if (p->change != NULL) p->change(&options);
    assert_gm_ok(gm_api_create(&options, &p->api, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
    if (p->controls) assert_gm_ok(gm_control_start(p->control, &p->err), p->err);
    assert_gm_ok(gm_api_listen(p->api, GM_STR("127.0.0.1:0"), &p->err), p->err);
    assert_int_not_equal(gm_api_port(p->api), 0);
    test_http_open(&p->client, gm_api_port(p->api), api_plant_turn, p);
}

static void close_plant(api_plant *p)
{
    test_http_shut(&p->client);
    gm_api_close(p->api);
    gm_control_stop(p->control);
    gm_pool_destroy(p->pool);
    p->pool = NULL;
    gm_engine_close(p->engine);
    gm_api_destroy(p->api);
    gm_control_destroy(p->control);
    gm_buf_finish(&p->sent);
    p->control = NULL;
    gm_dead_letters_destroy(p->letters);
    gm_loop_destroy(p->loop);
}

void api_plant_start(api_plant *plant, void (*change)(gm_api_options *options))
{
    gm_test_make_dir(plant->dir, sizeof plant->dir);
    plant->change = change;
    open_plant(plant);
}

void api_plant_stop(api_plant *plant)
{
    close_plant(plant);
    gm_test_remove_dir(plant->dir);
}

void api_plant_restart(api_plant *plant)
{
    close_plant(plant);
    open_plant(plant);
}

static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    if (status != GM_OK) fail_msg("checkpoint: %s", err->text);
    *(bool *)context = true;
}

void api_plant_checkpoint(api_plant *plant)
{
    bool done = false;
    assert_gm_ok(gm_engine_checkpoint(plant->engine, NULL, (gm_ask){ on_checkpoint, &done, 0 }, &plant->err), plant->err);
    while (!done) api_plant_turn(plant);
}

static bool holds(const gm_buf *buf, const char *text) { return gm_str_find(gm_buf_view(buf), gm_str_of(text)) != SIZE_MAX; }

void api_plant_talk(api_plant *plant, const api_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const api_step *s     = &steps[i];
        test_http_reply  *reply = test_http_ask(&plant->client, s->method, s->target, s->headers, s->body);
        bool            fits  = reply->status == s->status;
        if (s->expect != NULL) {
            bool        absent = s->expect[0] == '!';
            const char *text   = s->expect + absent;
            fits               = fits && (holds(&reply->head, text) || holds(&reply->body, text)) != absent;
        }
        if (!fits) {
            fail_msg("step %zu: %s %s %s\n  expected %u %s\n  answered %.*s%.*s", i, s->method, s->target, s->body != NULL ? s->body : "",
                     s->status, s->expect != NULL ? s->expect : "", (int)reply->head.len, (char *)reply->head.ptr, (int)reply->body.len,
                     (char *)reply->body.ptr);
        }
    }
}

void api_plant_fill(api_plant *plant)
{
    static const api_step steps[] = {
        { "POST", "/models" V, NULL,
          "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Motor;1\",\"@type\":\"Interface\",\"displayName\":\"Motor\",\"contents\":["
          "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},"
          "{\"@type\":\"Telemetry\",\"name\":\"temperature\",\"schema\":\"double\"}]},"
          "{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\","
          "\"displayName\":{\"en\":\"Pump\",\"de\":\"Pumpe\"},\"contents\":["
          "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"heat\",\"schema\":\"double\",\"unit\":\"degreeCelsius\"},"
          "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
          "{\"@type\":\"Property\",\"name\":\"limit\",\"schema\":\"integer\",\"writable\":true},"
          "{\"@type\":\"Property\",\"name\":\"on\",\"schema\":\"boolean\"},"
          "{\"@type\":\"Property\",\"name\":\"since\",\"schema\":\"date\"},"
          "{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":["
          "{\"name\":\"auto\",\"enumValue\":\"auto\"},{\"name\":\"manual\",\"enumValue\":\"manual\"}]}},"
          "{\"@type\":\"Property\",\"name\":\"address\",\"schema\":{\"@type\":\"Object\",\"fields\":["
          "{\"name\":\"street\",\"schema\":\"string\"},{\"name\":\"number\",\"schema\":\"integer\"}]}},"
          "{\"@type\":\"Property\",\"name\":\"tags\",\"schema\":{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},"
          "\"mapValue\":{\"name\":\"v\",\"schema\":\"string\"}}},"
          "{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"},"
          "{\"@type\":\"Command\",\"name\":\"start\"},"
          "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"properties\":[{\"@type\":\"Property\",\"name\":\"flow\",\"schema\":\"double\"}]},"
          "{\"@type\":\"Relationship\",\"name\":\"near\",\"target\":\"dtmi:t:Pump;1\"}]},"
          "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Room;1\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},{\"@type\":\"Relationship\",\"name\":\"has\"}]}]",
          201, "\"id\":\"dtmi:t:Pump;1\"" },
        { "PUT", "/digitaltwins/room%201%2F%C3%A4" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"},\"name\":\"Cellar\"}", 200,
          "\"$dtId\":\"room 1/\xc3\xa4\"" },
        { "PUT", "/digitaltwins/p1" V, NULL,
          "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"limit\":5,\"name\":\"Main pump\",\"motor\":{\"$metadata\":{},\"speed\":10}}", 200, "\"limit\":5" },
        { "PUT", "/digitaltwins/p2" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}}", 200, "W/" },
        { "PUT", "/digitaltwins/room%201%2F%C3%A4/relationships/r1" V, NULL,
          "{\"$relationshipName\":\"has\",\"$targetId\":\"p1\"}", 200, "\"$relationshipId\":\"r1\"" },
        { "PUT", "/digitaltwins/p1/relationships/f1" V, NULL,
          "{\"$relationshipName\":\"feeds\",\"$targetId\":\"p2\",\"flow\":1.5}", 200, "\"flow\":1.5" },
    };
    API_TALK(plant, steps);
}
