// gemel rig: a plant's behaviors as if they were the plant itself, behind MQTT. It knows the twin's models, not its
// state.
#include "base/number.h"
#include "cli/device.h"
#include "cli/plant_group.h"
#include "cli/rig.h"
#include "cli/verbs.h"

#include <stdlib.h>

enum {
    OPT_MQTT,
    OPT_ROOT,
    OPT_SPEED,
    OPT_OWN_CLOCK,
    OPT_BEGIN,
    OPT_INTERVAL,
    OPT_COUNT,
    OPT_NOISE,
    OPT_FAULT,
    OPT_MISMATCH,
    OPT_SEED,
    OPT_PRINT
};
static const gm_option options[] = {
    [OPT_MQTT]  = GM_CLIENT_MQTT,
    [OPT_ROOT]  = { "root", GM_OPTION_TEXT, "ID", NULL, "a twin of the group to run (default: the only one there is)" },
    [OPT_SPEED] = { "speed", GM_OPTION_NUMBER, "N", "1", "seconds of the plant in a second" },
    [OPT_OWN_CLOCK] = { "own-clock", GM_OPTION_FLAG, NULL, NULL,
                        "samples carry the plant's own time, which begins now and goes at its speed" },
    [OPT_BEGIN]    = { "begin", GM_OPTION_TIME, "TIME", NULL, "with the plant's own time, which begins then, RFC 3339 (default: now, without its own time)" },
    [OPT_INTERVAL] = { "interval", GM_OPTION_DURATION, "LENGTH", "1s", "from one sample to the next" },
    [OPT_COUNT]    = { "count", GM_OPTION_COUNT, "N", NULL, "end after so many samples (without it: never)" },
    [OPT_NOISE] = { "noise", GM_OPTION_FLAG, NULL, NULL, "sensors with noise; some messages are lost, some come late" },
    [OPT_FAULT] = { "fault", GM_OPTION_TEXT, "NAME[*SIZE]@TIME", NULL,
                    "a fault of a twin's class, so long after the start by the plant's clock: pump1.wear@2h, half of it "
                    "pump1.wear*0.5@2h; of a sensor: tower.level.frozen@2h, vessel.pressure.offset*0.3@2h (bar)",
                    .repeats = true },
    [OPT_MISMATCH] = { "mismatch", GM_OPTION_TEXT, "FILE", NULL,
                       "JSON: variables of the plant that differ from the twin's, {\"pump1.wear\": 0.1, "
                       "\"main.pipe.f\": "
                       "{\"factor\": 1.3}}" },
    [OPT_SEED]     = { "seed", GM_OPTION_COUNT, "N", "1", "of noise, losses and delays" },
    [OPT_PRINT]    = { "print", GM_OPTION_FLAG, NULL, NULL,
                       "print the messages, topic and payload, instead of publishing them" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder; its data is not looked at" },
};

enum { LATE_MAX = 1000 };

typedef struct late { uint64_t sample; char *topic; gm_buf payload; } late;

typedef struct run_ {
    const gm_cli   *cli;
    gm_plant_group  plant;
    gm_rig         *rig;
    gm_time_ns      begin;    // of the plant's own clock; 0: samples carry everybody's
    gm_device       device;
    gm_buf          topic, payload, reported;
    late            late[LATE_MAX];
    size_t          late_count;
    uint64_t        sample;
} run_;

// ---- sending ------------------------------------------------------------------------------------------------------

static gm_status keep_for_later(run_ *r, const char *topic, uint32_t samples)
{
    if (r->late_count >= LATE_MAX) return GM_OK;  // lost: that happens to plants
    late *l  = &r->late[r->late_count];
    *l       = (late){ .sample = r->sample + samples, .topic = strdup(topic), .payload = gm_buf_init(r->cli->alloc) };
    gm_buf_str(&l->payload, gm_buf_view(&r->payload));
    if (l->topic == NULL || l->payload.failed) {
        free(l->topic);
        gm_buf_finish(&l->payload);
        return GM_NOMEM;
    }
    r->late_count++;
    return GM_OK;
}

// When it was measured, or done, by the plant's clock.
static void add_message(run_ *r, gm_str values)
{
    char       time[GM_TIME_TEXT];
    gm_time_ns now = r->begin != 0 ? r->begin + (gm_time_ns)(gm_rig_time(r->rig) * 1e9) : gm_now(r->cli->clock);
    gm_time_format(now / GM_MILLISECOND * GM_MILLISECOND, time);
    gm_buf_clear(&r->payload);
    gm_buf_printf(&r->payload, "{" GM_STR_FMT ",\"$time\":\"%s\"}", GM_STR_ARG(values), time);
}

static gm_status publish(void *context, const gm_rig_message *m, gm_error *err)
{
    run_       *r     = context;
    const char *topic = gm_device_topic(&r->topic, m->twin, m->component, "telemetry");
    add_message(r, m->values);
    if (topic == NULL || r->payload.failed || (m->late > 0 && keep_for_later(r, topic, m->late) != GM_OK))
        return gm_fail(err, GM_NOMEM, "cli.rig", "publishing a sample");
    return m->late > 0 ? GM_OK : gm_device_send(&r->device, topic, gm_buf_view(&r->payload), err);
}

static gm_status publish_late(run_ *r, gm_error *err)
{
    gm_status st   = GM_OK;
    size_t    kept = 0;
    for (size_t i = 0; i < r->late_count; i++) {
        late *l = &r->late[i];
        if (l->sample > r->sample) {
            r->late[kept++] = *l;
            continue;
        }
        if (st == GM_OK) st = gm_device_send(&r->device, l->topic, gm_buf_view(&l->payload), err);
        free(l->topic);
        gm_buf_finish(&l->payload);
    }
    r->late_count = kept;
    return st;
}

// ---- hearing ------------------------------------------------------------------------------------------------------

static gm_status on_desired(run_ *r, gm_str twin, gm_str component, const json_t *body, gm_error *err)
{
    gm_error why = { 0 };
    gm_buf_clear(&r->reported);
    gm_status st = gm_rig_desired(r->rig, twin, component, body, &r->reported, &why);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "cli.rig", "%s", why.text);
    if (st != GM_OK || r->reported.len == 0) return GM_OK;  // not for this plant
    const char *topic = gm_device_topic(&r->topic, twin, component, "properties");
    // By the wall's clock it is the server's that counts: a value that somebody wrote a moment ago must not be newer than this one.
    gm_buf_clear(&r->payload);
    if (r->begin != 0) add_message(r, gm_buf_view(&r->reported));
    else gm_buf_printf(&r->payload, "{" GM_STR_FMT "}", GM_STR_ARG(gm_buf_view(&r->reported)));
    return topic != NULL && !r->payload.failed ? gm_device_send(&r->device, topic, gm_buf_view(&r->payload), err)
                                               : gm_fail(err, GM_NOMEM, "cli.rig", "reporting properties");
}

// gemel/{twin}/commands/{name}/{id}
static gm_status on_command(run_ *r, const gm_str levels[GM_DEVICE_LEVELS], gm_str topic, const json_t *body, gm_error *err)
{
    gm_error why = { 0 };
    if (gm_group_member(r->plant.group, levels[1]) == UINT32_MAX) return GM_OK;  // another plant's
    gm_status st = gm_rig_command(r->rig, levels[1], levels[3], body, &why);
    gm_buf_clear(&r->topic);
    gm_buf_str(&r->topic, topic);
    gm_buf_text(&r->topic, "/response");
    gm_buf_byte(&r->topic, 0);
    gm_buf_clear(&r->payload);
    gm_buf_printf(&r->payload, "{\"status\":%d", st == GM_OK ? 200 : st == GM_NOTFOUND ? 404 : 400);
    if (st != GM_OK) gm_buf_text(&r->payload, ",\"error\":");
    if (st != GM_OK) gm_buf_json_str(&r->payload, gm_str_of(why.text));
    gm_buf_byte(&r->payload, '}');
    if (r->topic.failed || r->payload.failed) return gm_fail(err, GM_NOMEM, "cli.rig", "answering a command");
    return gm_device_send(&r->device, (const char *)r->topic.ptr, gm_buf_view(&r->payload), err);
}

static void heard(void *context, gm_str topic, gm_str payload)
{
    run_   *r = context;
    gm_str  levels[GM_DEVICE_LEVELS];
    size_t  count;
    gm_mark mark = gm_arena_mark(r->cli->arena);
    if (r->device.heard == GM_OK && payload.len <= 65536 && gm_device_levels(r->cli->arena, topic, levels, &count)) {
        json_t *body = json_loadb(payload.ptr, payload.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        bool    desired = gm_str_is(levels[count - 1], "desired") && count <= 4;
        if (desired)
            r->device.heard =
                on_desired(r, levels[1], count == 4 ? levels[2] : GM_STR(""), body, &r->device.heard_why);
        else if (count == 5 && gm_str_is(levels[2], "commands"))
            r->device.heard = on_command(r, levels, topic, body, &r->device.heard_why);
        json_decref(body);
    }
    gm_arena_rewind(r->cli->arena, mark);
}

// ---- set-up -------------------------------------------------------------------------------------------------------

static gm_status connect_client(run_ *r, const gm_args *args, gm_error *err)
{
    static const char *const filters[] = { "gemel/+/desired", "gemel/+/+/desired", "gemel/+/commands/+/+" };
    if (gm_args_given(args, OPT_PRINT)) return GM_OK;
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.name                   = "gemel-rig";
    gm_status st             = gm_device_connect(&r->device, args, OPT_MQTT, o, err);
    if (st != GM_OK) return st;
    gm_mqtt_client_listen(r->device.client, heard, r);
    for (size_t i = 0; st == GM_OK && i < GM_COUNT_OF(filters); i++)
        st = gm_mqtt_client_subscribe(r->device.client, filters[i], err);
    return st;
}

static gm_status read_mismatch(run_ *r, const char *path, gm_error *err)
{
    uint8_t     *bytes = NULL;
    size_t       size  = 0;
    json_error_t where;
    gm_status    st = gm_io_read_file(r->cli->io, path, 1 << 20, &bytes, &size, err);
    if (st != GM_OK) return st;
    json_t *document = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &where);
    st               = document != NULL
                           ? gm_rig_mismatch(r->rig, document, err)
                           : gm_fail(err, GM_INVALID, "cli.rig", "%.80s:%d: not JSON: %.80s", path, where.line, where.text);
    json_decref(document);
    gm_free(r->cli->io->alloc, bytes);
    return st;
}

static gm_status plan_fault(run_ *r, const char *text, gm_error *err)
{
    gm_str    all = gm_str_of(text);
    size_t    at  = all.len;
    gm_dur_ns after;
    double    size = 1;
    while (at > 0 && text[at - 1] != '@') at--;
    if (at == 0 || gm_dur_parse(gm_str_slice(all, at, all.len), &after, NULL) != GM_OK)
        return gm_fail(err, GM_INVALID, "cli.rig", "--fault %.80s: expected NAME@TIME, as in pump1.wear@2h", text);
    gm_str name = gm_str_slice(all, 0, at - 1), times;
    size_t star = gm_str_find_char(name, '*');
    if (star < name.len) {
        times = gm_str_slice(name, star + 1, name.len);
        if (gm_number_read(times, &size) != times.len || times.len == 0)
            return gm_fail(err, GM_INVALID, "cli.rig", "--fault %.80s: expected NAME*SIZE@TIME, as in pump1.wear*0.5@2h", text);
        name = gm_str_slice(name, 0, star);
    }
    return gm_rig_fault_at(r->rig, name, size, (double)after / 1e9, err);
}

static gm_status open_rig(run_ *r, const gm_args *args, gm_error *err)
{
    gm_rig_options  o      = gm_rig_options_defaults();
    gm_group_reader reader = gm_group_live_reader(r->plant.state);
    bool            given  = gm_args_given(args, OPT_BEGIN);
    gm_time_ns      begin  = given ? gm_args_time(args, OPT_BEGIN) : gm_now(r->cli->clock);
    o.start                = gm_group_time(begin);
    r->begin               = given || gm_args_given(args, OPT_OWN_CLOCK) ? begin : 0;
    o.seed                 = (uint64_t)gm_args_count(args, OPT_SEED);
    o.noise                = gm_args_given(args, OPT_NOISE);
    gm_status st = gm_rig_create(r->cli->alloc, r->plant.group, &reader, &o, &r->rig, err);
    if (st == GM_OK && gm_args_given(args, OPT_MISMATCH)) st = read_mismatch(r, gm_args_text(args, OPT_MISMATCH), err);
    for (size_t i = 0; st == GM_OK && i < args->value_counts[OPT_FAULT]; i++)
        st = plan_fault(r, args->values[OPT_FAULT][i], err);
    return st;
}

// ---- the run ------------------------------------------------------------------------------------------------------

static gm_status run_plant(run_ *r, const gm_args *args, gm_error *err)
{
    gm_dur_ns interval = gm_args_duration(args, OPT_INTERVAL);
    double    speed    = gm_args_number(args, OPT_SPEED);
    uint64_t  count    = gm_args_given(args, OPT_COUNT) ? (uint64_t)gm_args_count(args, OPT_COUNT) : UINT64_MAX;
    gm_dur_ns due      = gm_monotonic(r->cli->clock);
    gm_status st       = gm_rig_advance(r->rig, 0, err);
    bool      stopped  = false;
    for (r->sample = 0; st == GM_OK && r->sample < count; r->sample++) {
        if (r->sample > 0) st = gm_device_wait(&r->device, due, &stopped, err);
        if (stopped) break;
        if (st == GM_OK && r->sample > 0) st = gm_rig_advance(r->rig, (double)interval / 1e9 * speed, err);
        if (st == GM_OK) st = publish_late(r, err);
        if (st == GM_OK) st = gm_rig_sample(r->rig, publish, r, err);
        if (r->device.client == NULL) fflush(r->cli->out);
        // A machine that slept does not owe the samples of that time.
        gm_dur_ns now = gm_monotonic(r->cli->clock);
        due           = due + interval > now ? due + interval : now;
    }
    return st == GM_OK ? gm_device_drain(&r->device, 5 * GM_SECOND, err) : st;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error err   = { 0 };
    double   speed = gm_args_number(args, OPT_SPEED);
    if (!(speed > 0 && speed <= 1e6)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--speed is above 0 and at most 1e6");
    if (gm_args_duration(args, OPT_INTERVAL) < 10 * GM_MILLISECOND)
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--interval is at least 10ms");
    run_ *r = gm_alloc_zeroed(cli->alloc, sizeof *r);
    if (r == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    r->cli    = cli;
    r->device = gm_device_init(cli);
    r->topic = r->payload = r->reported = gm_buf_init(cli->alloc);
    bool      here = true;
    gm_status st   = gm_device_catch_signals(&r->device, &err);
    gm_exit   code = gm_plant_group_open(cli, gm_args_operand(args, 0), gm_args_text(args, OPT_ROOT), true, &r->plant);
    if (code != GM_EXIT_OK) goto done;
    if (r->plant.group == NULL) {
        code = gm_cli_fail_text(cli, GM_EXIT_NO, "the behavior of this twin is an FMU; a rig runs classes");
        goto done;
    }
    if (st == GM_OK) st = open_rig(r, args, &err);
    here = st == GM_OK;
    if (st == GM_OK) st = connect_client(r, args, &err);
    if (st == GM_OK) st = run_plant(r, args, &err);
    if (st != GM_OK) code = err.status == GM_DIVERGED ? gm_cli_fail(cli, &err) : gm_client_fail(cli, &err, here);
done:
    for (size_t i = 0; i < r->late_count; i++) {
        free(r->late[i].topic);
        gm_buf_finish(&r->late[i].payload);
    }
    gm_device_finish(&r->device);
    gm_rig_destroy(r->rig);
    gm_plant_group_close(&r->plant);
    gm_buf_finish(&r->topic);
    gm_buf_finish(&r->payload);
    gm_buf_finish(&r->reported);
    gm_free(cli->alloc, r);
    return code;
}

const gm_verb gm_verb_rig = {
    .name    = "rig",
    .summary = "be the physical plant: run its behaviors and publish what their sensors say over MQTT",
    .text =
        "Assembles the twins connected with the root, begins with the plant's files and publishes the telemetry of "
        "its twins every interval (gemel/ID/telemetry, QoS 1). It obeys gemel/ID/desired, whose properties it sets "
        "and reports on gemel/ID/properties, and gemel/ID/commands/NAME/ID, answered on .../response with "
        "{\"status\":200}. It shares nothing with the twin but the models: noise, faults and mismatch are its own.\n"
        "\n"
        "With --noise numbers get a normal error of 0.3 % of the largest magnitude that they have had, 1 % of the "
        "messages are lost, and 2 % come up to three samples late.",
    .examples = "gemel rig examples/pumphouse --speed 60 --noise\n"
                "gemel rig examples/pumphouse --root tower --speed 600 --fault pump1.wear@6h --fault main.leak@12h\n"
                "gemel rig examples/pumphouse --print --count 3",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
