// The device of the machine plant: any device would do the same: introduce itself, then publish what it measures.
#include "cli/device.h"
#include "cli/machine.h"
#include "cli/verbs.h"

#include <unistd.h>

enum { OPT_MQTT, OPT_TWIN, OPT_INTERVAL, OPT_COUNT, OPT_PRINT, OPT_ROOT };
static const gm_option options[] = {
    [OPT_MQTT]     = GM_CLIENT_MQTT,
    [OPT_TWIN]     = { "twin", GM_OPTION_TEXT, "ID", NULL,
                       "the id of the machine's twin; its parts' begin with it (default: the host's name)" },
    [OPT_INTERVAL] = { "interval", GM_OPTION_DURATION, "LENGTH", "1s", "from one sample to the next" },
    [OPT_COUNT]    = { "count", GM_OPTION_COUNT, "N", NULL, "end after so many samples (without it: never)" },
    [OPT_PRINT]    = { "print", GM_OPTION_FLAG, NULL, NULL,
                       "print the messages, topic and payload, instead of publishing them" },
    [OPT_ROOT]     = { "root", GM_OPTION_TEXT, "DIR", "/", "where proc/ and sys/ are" },
};

typedef struct agent {
    const gm_cli *cli;
    gm_machine   *machine;
    gm_device     device;
    char          twin[128];
    uint64_t      connection;   // on which the parts below were introduced
    size_t        introduced;   // parts [0..introduced) have been
    uint64_t      refused;      // messages that had become dead letters when that was last told
    gm_buf        topic, payload;
} agent;

static gm_status send(agent *a, const char *suffix, const char *kind, gm_error *err)
{
    gm_buf id = gm_buf_init(a->cli->alloc);
    gm_buf_printf(&id, "%s%s", a->twin, suffix);
    const char *topic  = gm_device_topic(&a->topic, gm_buf_view(&id), GM_STR(""), kind);
    bool        failed = id.failed || topic == NULL || a->payload.failed;
    gm_buf_finish(&id);
    return failed ? gm_fail(err, GM_NOMEM, "cli.agent", "publishing a sample") : gm_device_send(&a->device, topic, gm_buf_view(&a->payload), err);
}

// gemel/{id}/create: the twin's model and fixed properties; parts hang below the machine.
static gm_status introduce(agent *a, const gm_part *part, gm_error *err)
{
    gm_buf *out = &a->payload;
    gm_buf_clear(out);
    gm_buf_printf(out, "{\"$metadata\":{\"$model\":\"%s\"}", part->model);
    if (part->properties.len > 0) gm_buf_printf(out, "," GM_STR_FMT, GM_STR_ARG(gm_buf_view(&part->properties)));
    if (part->suffix[0] != '\0') {
        gm_buf_text(out, ",\"$relationships\":[{\"$relationshipName\":\"contains\",\"$sourceId\":");
        gm_buf_json_str(out, gm_str_of(a->twin));
        gm_buf_text(out, "}]");
    }
    gm_buf_byte(out, '}');
    return send(a, part->suffix, "create", err);
}

// What is new since the last sample, or everything after a new connection: the server may be another one, or have been
// started afresh. Waits for the answers, since a measurement for a twin that is not there yet would be refused.
static gm_status introduce_new(agent *a, gm_part *const *parts, size_t count, gm_error *err)
{
    uint64_t connection = a->device.client != NULL ? gm_mqtt_client_count(a->device.client).connections : 0;
    if (connection != a->connection) a->introduced = 0;
    if (a->introduced == count) return GM_OK;
    gm_status st = GM_OK;
    for (size_t i = a->introduced; st == GM_OK && i < count; i++) st = introduce(a, parts[i], err);
    if (st == GM_OK) st = gm_device_drain(&a->device, 60 * GM_SECOND, err);
    if (st != GM_OK) return st;
    a->connection = connection;
    a->introduced = count;
    return GM_OK;
}

// A server that does not know the models refuses everything: that must not go unseen, but need not be said each second.
static void tell_refusals(agent *a)
{
    if (a->device.client == NULL) return;
    uint64_t refused = gm_mqtt_client_count(a->device.client).refused;
    if (refused > 0 && a->refused == 0) {
        fprintf(a->cli->err, "gemel: the server could not apply messages of this agent; 'gemel dead-letters' says why "
                             "(its plant needs the models of examples/machine)\n");
    }
    a->refused = refused;
}

static gm_status publish_sample(agent *a, gm_error *err)
{
    gm_part *const *parts;
    size_t          count;
    gm_machine_sample(a->machine, gm_monotonic(a->cli->clock), &parts, &count);
    gm_status st = introduce_new(a, parts, count, err);
    char      time[GM_TIME_TEXT];
    gm_time_format(gm_now(a->cli->clock) / GM_MILLISECOND * GM_MILLISECOND, time);
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        if (!parts[i]->seen || parts[i]->values.len == 0) continue;
        gm_buf_clear(&a->payload);
        gm_buf_printf(&a->payload, "{" GM_STR_FMT ",\"$time\":\"%s\"}", GM_STR_ARG(gm_buf_view(&parts[i]->values)),
                      time);
        st = send(a, parts[i]->suffix, "telemetry", err);
    }
    if (a->device.client == NULL) fflush(a->cli->out);
    return st;
}

static gm_status sample_for_ever(agent *a, gm_dur_ns interval, uint64_t count, gm_error *err)
{
    gm_dur_ns due     = gm_monotonic(a->cli->clock);
    gm_status st      = GM_OK;
    bool      stopped = false;
    for (uint64_t i = 0; st == GM_OK && i < count; i++) {
        if (i > 0) st = gm_device_wait(&a->device, due, &stopped, err);
        if (stopped) break;
        if (st == GM_OK) st = publish_sample(a, err);
        tell_refusals(a);
        // A machine that slept does not owe the samples of that time.
        gm_dur_ns now = gm_monotonic(a->cli->clock);
        due           = due + interval > now ? due + interval : now + interval;
    }
    if (st == GM_OK) st = gm_device_drain(&a->device, 5 * GM_SECOND, err);
    tell_refusals(a);
    return st;
}

static gm_status connect_client(agent *a, const gm_args *args, gm_error *err)
{
    if (gm_args_given(args, OPT_PRINT)) return GM_OK;
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.name                   = "gemel-agent";
    o.patience               = 10 * GM_SECOND;
    return gm_device_connect(&a->device, args, OPT_MQTT, o, err);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error    err      = {0};
    agent       a        = { .cli     = cli,
                             .device  = gm_device_init(cli),
                             .topic   = gm_buf_init(cli->alloc),
                             .payload = gm_buf_init(cli->alloc) };
    gm_dur_ns   interval = gm_args_duration(args, OPT_INTERVAL);
    uint64_t    count    = gm_args_given(args, OPT_COUNT) ? (uint64_t)gm_args_count(args, OPT_COUNT) : UINT64_MAX;
    const char *twin     = gm_args_text(args, OPT_TWIN);
    if (interval < 10 * GM_MILLISECOND) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--interval is at least 10ms");
    if (twin != NULL && (twin[0] == '\0' || strlen(twin) > 100))
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--twin is an id of 1 to 100 bytes");
    if (twin == NULL && gethostname(a.twin, sizeof a.twin - 1) != 0) twin = "machine";
    if (twin != NULL) snprintf(a.twin, sizeof a.twin, "%s", twin);

    gm_status st = gm_device_catch_signals(&a.device, &err);
    if (st == GM_OK) st = gm_machine_open(cli->alloc, gm_args_text(args, OPT_ROOT), &a.machine, &err);
    bool here = st == GM_OK;
    // A server that is restarted takes a while: the agent is patient for ever, once it has been connected.
    if (st == GM_OK) st = connect_client(&a, args, &err);
    while (st == GM_OK) {
        st = sample_for_ever(&a, interval, count, &err);
        if (st != GM_NOTFOUND) break;
        fprintf(cli->err, "gemel: %s; trying again\n", err.text);
        gm_device_disconnect(&a.device);
        a.introduced = 0;
        do {
            if (gm_device_stopped(&a.device)) goto done;
            st = connect_client(&a, args, &err);
        } while (st == GM_NOTFOUND);
        if (st == GM_OK) fprintf(cli->err, "gemel: connected again\n");
    }
done:
    gm_device_finish(&a.device);
    gm_machine_close(a.machine);
    gm_buf_finish(&a.topic);
    gm_buf_finish(&a.payload);
    if (st != GM_OK) return gm_client_fail(cli, &err, here);
    return a.refused > 0 ? GM_EXIT_NO : GM_EXIT_OK;
}

const gm_verb gm_verb_agent = {
    .name    = "agent",
    .summary = "be the device of this machine: sample /proc and /sys and publish over MQTT",
    .text    = "Introduces the machine and its cores, memory, disks, file systems, network interfaces and temperature "
               "sensors as twins "
               "(gemel/ID/create), then publishes what it reads with QoS 1. Twins that exist already keep what they are. "
               "A lost server "
               "is waited for. The models are in examples/machine.",
    .examples =
        "gemel agent\ngemel agent --twin press-pc --mqtt 10.0.0.5:1883 --interval 5s\ngemel agent --print --count 2",
    .syntax = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run    = run,
};
