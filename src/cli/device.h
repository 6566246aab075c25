// cli/device.h: what verbs share that send messages as a device would: over MQTT, or, with --print, to the output.
//
//   gm_device d = gm_device_init(cli);
//   gm_device_catch_signals(&d, &err);                        // for those that go on until somebody stops them
//   if (!print) gm_device_connect(&d, args, OPT_MQTT, &options, &err);
//   gm_device_send(&d, topic, payload, &err);
//   gm_device_wait(&d, due, &stopped, &err);
//   gm_device_drain(&d, 5 * GM_SECOND, &err);
//   gm_device_finish(&d);
#ifndef GM_CLI_DEVICE_H
#define GM_CLI_DEVICE_H

#include "cli/client.h"
#include "cli/mqtt_client.h"

typedef struct gm_device {
    const gm_cli   *cli;
    gm_mqtt_client *client;    // NULL: messages are printed
    int             signals;   // readable once somebody asks to stop; -1: signals are not caught
    gm_status       heard;     // set by a handler of messages: what went wrong in it; gm_device_wait returns it
    gm_error        heard_why;
} gm_device;

gm_device gm_device_init(const gm_cli *cli);
void      gm_device_finish(gm_device *device);

// SIGINT and SIGTERM become readable from here on, so that a message is never cut in half. GM_IO.
GM_NODISCARD gm_status gm_device_catch_signals(gm_device *device, gm_error *err);
bool                   gm_device_stopped(const gm_device *device);  // has one come?

// Connects to where the option, else $GEMEL_MQTT, else the usual place says: options without alloc, clock and address.
// Errors as gm_mqtt_client_open. To connect again, gm_device_disconnect first.
GM_NODISCARD gm_status gm_device_connect(gm_device *device, const gm_args *args, size_t mqtt_option,
                                         gm_mqtt_client_options options, gm_error *err);
void                   gm_device_disconnect(gm_device *device);

// The topic gemel/{twin}[/{component}]/{kind} as a C string in `out`, which is cleared first. NULL: no memory.
const char *gm_device_topic(gm_buf *out, gm_str twin, gm_str component, const char *kind);

// The levels of a topic below "gemel", decoded, in the arena: levels[0] is "gemel". False: it is no such topic.
enum { GM_DEVICE_LEVELS = 5 };
bool gm_device_levels(gm_arena *arena, gm_str topic, gm_str levels[GM_DEVICE_LEVELS], size_t *out_count);

// Publishes a message, or prints "topic payload" as a line. Errors as gm_mqtt_client_publish.
GM_NODISCARD gm_status gm_device_send(gm_device *device, const char *topic, gm_str payload, gm_error *err);

// Until `due` of the monotonic clock; keeps the connection alive and hears messages meanwhile. *out_stopped: a signal came
// before. Errors as gm_mqtt_client_turn, or that of a handler.
GM_NODISCARD gm_status gm_device_wait(gm_device *device, gm_dur_ns due, bool *out_stopped, gm_error *err);

// Until all that was published is acknowledged. Errors as gm_mqtt_client_drain; what is printed never waits.
GM_NODISCARD gm_status gm_device_drain(gm_device *device, gm_dur_ns most, gm_error *err);

#endif
