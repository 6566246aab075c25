#include "cli/device.h"

#include "base/percent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

gm_device gm_device_init(const gm_cli *cli) { return (gm_device){ .cli = cli, .signals = -1 }; }

void gm_device_finish(gm_device *d)
{
    gm_device_disconnect(d);
    if (d->signals >= 0) close(d->signals);
    d->signals = -1;
}

// ---- signals ------------------------------------------------------------------------------------------------------

gm_status gm_device_catch_signals(gm_device *d, gm_error *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    d->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signals >= 0 ? GM_OK : gm_fail_os(err, errno, "cli.device", "listening for signals");
}

static bool stopped_within(const gm_device *d, gm_dur_ns most)
{
    struct pollfd stop = { .fd = d->signals, .events = POLLIN };
    return poll(&stop, 1, (int)(most / GM_MILLISECOND)) > 0;
}

bool gm_device_stopped(const gm_device *d) { return stopped_within(d, 0); }

// ---- messages -----------------------------------------------------------------------------------------------------

gm_status gm_device_connect(gm_device *d, const gm_args *args, size_t mqtt_option, gm_mqtt_client_options o,
                            gm_error *err)
{
    o.alloc      = d->cli->alloc;
    o.clock      = d->cli->clock;
    gm_status st = gm_client_address(args, mqtt_option, "GEMEL_MQTT", "127.0.0.1:1883", &o.address, err);
    return st == GM_OK ? gm_mqtt_client_open(&o, &d->client, err) : st;
}

void gm_device_disconnect(gm_device *d)
{
    gm_mqtt_client_close(d->client);
    d->client = NULL;
}

const char *gm_device_topic(gm_buf *out, gm_str twin, gm_str component, const char *kind)
{
    gm_buf_clear(out);
    gm_buf_text(out, "gemel/");
    gm_percent_encode(out, twin);
    if (component.len > 0) {
        gm_buf_byte(out, '/');
        gm_percent_encode(out, component);
    }
    gm_buf_printf(out, "/%s", kind);
    gm_buf_byte(out, 0);
    return out->failed ? NULL : (const char *)out->ptr;
}

bool gm_device_levels(gm_arena *arena, gm_str topic, gm_str levels[GM_DEVICE_LEVELS], size_t *out_count)
{
    gm_str rest = topic, part;
    *out_count  = 0;
    while (gm_str_next(&rest, '/', &part)) {
        if (*out_count >= GM_DEVICE_LEVELS || gm_percent_decode(arena, part, &levels[*out_count], NULL) != GM_OK) return false;
        (*out_count)++;
    }
    return *out_count >= 3 && gm_str_is(levels[0], "gemel");
}

gm_status gm_device_send(gm_device *d, const char *topic, gm_str payload, gm_error *err)
{
    if (d->client != NULL) return gm_mqtt_client_publish(d->client, topic, payload, err);
    fprintf(d->cli->out, "%s " GM_STR_FMT "\n", topic, GM_STR_ARG(payload));
    return GM_OK;
}

gm_status gm_device_wait(gm_device *d, gm_dur_ns due, bool *out_stopped, gm_error *err)
{
    for (*out_stopped = false;;) {
        gm_dur_ns left = due - gm_monotonic(d->cli->clock);
        // The client waits for the socket, so a signal is looked for five times a second.
        gm_dur_ns slice = left < 200 * GM_MILLISECOND ? left : 200 * GM_MILLISECOND;
        *out_stopped    = stopped_within(d, d->client == NULL && slice > 0 ? slice : 0);
        if (*out_stopped || left <= 0) return GM_OK;
        gm_status st = d->client != NULL ? gm_mqtt_client_turn(d->client, slice, err) : GM_OK;
        if (st == GM_OK && d->heard != GM_OK) {
            st   = d->heard;
            *err = d->heard_why;
        }
        if (st != GM_OK) return st;
    }
}

gm_status gm_device_drain(gm_device *d, gm_dur_ns most, gm_error *err)
{
    return d->client != NULL ? gm_mqtt_client_drain(d->client, most, err) : GM_OK;
}
