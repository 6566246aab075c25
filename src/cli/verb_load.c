// gemel load: a device that can be told how much work to make: the load generator of examples/machine.
#include "cli/burner.h"
#include "cli/device.h"
#include "cli/verbs.h"

#include <jansson.h>
#include <math.h>
#include <unistd.h>

enum { OPT_MQTT, OPT_TWIN, OPT_SHARE, OPT_CORES, OPT_INTERVAL, OPT_COUNT };
static const gm_option options[] = {
    [OPT_MQTT]     = GM_CLIENT_MQTT,
    [OPT_TWIN]     = { "twin", GM_OPTION_TEXT, "ID", NULL, "the id of the machine's twin; this one's is ID-load (default: the host's name)" },
    [OPT_SHARE]    = { "share", GM_OPTION_NUMBER, "PERCENT", "0", "how much of the cores' time to work at first" },
    [OPT_CORES]    = { "cores", GM_OPTION_COUNT, "N", NULL, "cores to keep busy (default: all)" },
    [OPT_INTERVAL] = { "interval", GM_OPTION_DURATION, "LENGTH", "1s", "from one sample to the next" },
    [OPT_COUNT]    = { "count", GM_OPTION_COUNT, "N", NULL, "end after so many samples (without it: never)" },
};

typedef struct load {
    const gm_cli *cli;
    gm_device     device;
    gm_burner    *burner;
    gm_buf        machine, id, topic, payload;
    size_t        cores;
    double        share;        // percent
    bool          hold;         // somebody wants rules to hold the machine's load
    double        used;         // by the burner, s, at the last sample
    gm_dur_ns     used_at;      // 0: there is none
    uint64_t      connection;   // on which the twin was introduced
} load;

static gm_status send(load *l, const gm_buf *id, const char *kind, gm_error *err)
{
    const char *topic = gm_device_topic(&l->topic, gm_buf_view(id), GM_STR(""), kind);
    if (topic == NULL || l->payload.failed) return gm_fail(err, GM_NOMEM, "cli.load", "publishing a message");
    return gm_device_send(&l->device, topic, gm_buf_view(&l->payload), err);
}

// What it is told to be. The server's clock counts: a value that somebody has just wished for must not be newer.
static gm_status report(load *l, gm_error *err)
{
    gm_buf_clear(&l->payload);
    gm_buf_text(&l->payload, "{\"share\":");
    gm_buf_json_number(&l->payload, l->share);
    gm_buf_printf(&l->payload, ",\"hold\":%s}", l->hold ? "true" : "false");
    return send(l, &l->id, "properties", err);
}

// The machine as well, in case that its agent comes later; a twin that exists stays what it is. Known before anything is measured.
static gm_status introduce(load *l, gm_error *err)
{
    uint64_t connection = gm_mqtt_client_count(l->device.client).connections;
    if (connection == l->connection) return GM_OK;
    gm_buf_clear(&l->payload);
    gm_buf_text(&l->payload, "{\"$metadata\":{\"$model\":\"dtmi:gemel:machine:Machine;1\"}}");
    gm_status st = send(l, &l->machine, "create", err);
    gm_buf_clear(&l->payload);
    gm_buf_text(&l->payload, "{\"$metadata\":{\"$model\":\"dtmi:gemel:machine:LoadGenerator;1\"},\"$relationships\":[{\"$relationshipName\":\"contains\",\"$sourceId\":");
    gm_buf_json_str(&l->payload, gm_buf_view(&l->machine));
    gm_buf_text(&l->payload, "}]}");
    if (st == GM_OK) st = send(l, &l->id, "create", err);
    if (st == GM_OK) st = gm_device_drain(&l->device, 60 * GM_SECOND, err);
    if (st == GM_OK) st = report(l, err);
    if (st == GM_OK) l->connection = connection;
    return st;
}

// gemel/ID-load/desired
static void heard(void *context, gm_str topic, gm_str payload)
{
    load  *l    = context;
    gm_mark mark = gm_arena_mark(l->cli->arena);
    gm_str  levels[GM_DEVICE_LEVELS];
    size_t  count;
    if (l->device.heard == GM_OK && gm_device_levels(l->cli->arena, topic, levels, &count) && count == 3 && gm_str_eq(levels[1], gm_buf_view(&l->id))) {
        json_t       *body = json_loadb(payload.ptr, payload.len, JSON_REJECT_DUPLICATES, NULL);
        const json_t *share = json_object_get(body, "share"), *hold = json_object_get(body, "hold");
        if (json_is_number(share)) l->share = fmin(fmax(json_number_value(share), 0), 100);
        if (json_is_boolean(hold)) l->hold = json_is_true(hold);
        gm_burner_set(l->burner, l->share);
        if (json_is_number(share) || json_is_boolean(hold)) l->device.heard = report(l, &l->device.heard_why);
        json_decref(body);
    }
    gm_arena_rewind(l->cli->arena, mark);
}

static gm_status publish_sample(load *l, gm_error *err)
{
    gm_status st   = introduce(l, err);
    gm_dur_ns now  = gm_monotonic(l->cli->clock), past = now - l->used_at;
    double    used = gm_burner_used(l->burner);
    bool      first = l->used_at == 0;
    double    busy  = past > 0 ? (used - l->used) * 100 / ((double)past / 1e9 * (double)l->cores) : 0;
    char      time[GM_TIME_TEXT];
    l->used    = used;
    l->used_at = now;
    if (st != GM_OK || first) return st;
    gm_time_format(gm_now(l->cli->clock) / GM_MILLISECOND * GM_MILLISECOND, time);
    gm_buf_clear(&l->payload);
    gm_buf_text(&l->payload, "{\"busy\":");
    gm_buf_json_number(&l->payload, round(busy * 100) / 100);
    gm_buf_printf(&l->payload, ",\"$time\":\"%s\"}", time);
    return send(l, &l->id, "telemetry", err);
}

static gm_status sample_for_ever(load *l, gm_dur_ns interval, uint64_t count, gm_error *err)
{
    gm_dur_ns due     = gm_monotonic(l->cli->clock);
    gm_status st      = GM_OK;
    bool      stopped = false;
    for (uint64_t i = 0; st == GM_OK && i <= count; i++) {  // the first measures nothing yet
        if (i > 0) st = gm_device_wait(&l->device, due, &stopped, err);
        if (stopped) break;
        if (st == GM_OK) st = publish_sample(l, err);
        gm_dur_ns now = gm_monotonic(l->cli->clock);
        due           = due + interval > now ? due + interval : now + interval;
    }
    return st == GM_OK ? gm_device_drain(&l->device, 5 * GM_SECOND, err) : st;
}

static gm_status connect_client(load *l, const gm_args *args, gm_error *err)
{
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.name                   = "gemel-load";
    o.patience               = 10 * GM_SECOND;
    l->connection            = 0;
    gm_status st             = gm_device_connect(&l->device, args, OPT_MQTT, o, err);
    if (st != GM_OK) return st;
    gm_mqtt_client_listen(l->device.client, heard, l);
    const char *topic = gm_device_topic(&l->topic, gm_buf_view(&l->id), GM_STR(""), "desired");
    return topic != NULL ? gm_mqtt_client_subscribe(l->device.client, topic, err) : gm_fail(err, GM_NOMEM, "cli.load", "listening");
}

static gm_status serve(load *l, const gm_args *args, bool *out_here, gm_error *err)
{
    uint64_t  count = gm_args_given(args, OPT_COUNT) ? (uint64_t)gm_args_count(args, OPT_COUNT) : UINT64_MAX - 1;
    gm_status st    = gm_device_catch_signals(&l->device, err);
    if (st == GM_OK) st = gm_burner_start(l->cli->alloc, l->cores, &l->burner, err);
    *out_here = st == GM_OK;
    if (st != GM_OK) return st;
    gm_burner_set(l->burner, l->share);
    st = connect_client(l, args, err);
    while (st == GM_OK) {
        st = sample_for_ever(l, gm_args_duration(args, OPT_INTERVAL), count, err);
        if (st != GM_NOTFOUND) break;
        // Nobody can tell it to stop any more.
        gm_burner_set(l->burner, l->share = 0);
        fprintf(l->cli->err, "gemel: %s; works no more, and tries again\n", err->text);
        gm_device_disconnect(&l->device);
        do {
            if (gm_device_stopped(&l->device)) return GM_OK;
            st = connect_client(l, args, err);
        } while (st == GM_NOTFOUND);
    }
    return st;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error    err   = { 0 };
    char        host[128] = "machine";
    const char *twin  = gm_args_text(args, OPT_TWIN);
    long        cores = gm_args_given(args, OPT_CORES) ? (long)gm_args_count(args, OPT_CORES) : sysconf(_SC_NPROCESSORS_ONLN);
    load        l     = { .cli = cli, .device = gm_device_init(cli), .cores = cores > 0 ? (size_t)cores : 1, .share = gm_args_number(args, OPT_SHARE),
                          .machine = gm_buf_init(cli->alloc), .id = gm_buf_init(cli->alloc), .topic = gm_buf_init(cli->alloc), .payload = gm_buf_init(cli->alloc) };
    if (gm_args_duration(args, OPT_INTERVAL) < 10 * GM_MILLISECOND) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--interval is at least 10ms");
    if (!(l.share >= 0 && l.share <= 100)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--share is 0 to 100 (percent)");
    if (twin != NULL && (twin[0] == '\0' || strlen(twin) > 100)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--twin is an id of 1 to 100 bytes");
    if (twin == NULL && gethostname(host, sizeof host - 1) == 0) twin = host;
    gm_buf_text(&l.machine, twin != NULL ? twin : host);
    gm_buf_printf(&l.id, "%s-load", twin != NULL ? twin : host);
    bool      here = true;
    gm_status st   = l.id.failed || l.machine.failed ? gm_fail(&err, GM_NOMEM, "cli.load", "starting") : serve(&l, args, &here, &err);
    gm_device_finish(&l.device);
    gm_burner_stop(l.burner);
    gm_buf_finish(&l.machine);
    gm_buf_finish(&l.id);
    gm_buf_finish(&l.topic);
    gm_buf_finish(&l.payload);
    return st == GM_OK ? GM_EXIT_OK : gm_client_fail(cli, &err, here);
}

const gm_verb gm_verb_load = {
    .name    = "load",
    .summary = "be a load generator: keep this machine busy as much as its twin is told to",
    .text    = "Introduces ID-load (dtmi:gemel:machine:LoadGenerator;1) below the machine's twin, works for the share of the cores' time that "
               "gemel/ID-load/desired asks for, at the lowest priority, and publishes how busy that was. Rules of examples/machine hold the "
               "machine's load with it, once its property 'hold' is true and somebody has armed it. Without a server it works no more after "
               "ten seconds.",
    .examples = "gemel load\ngemel load --twin press-pc --share 25",
    .syntax = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run    = run,
};
