// cli/server.h: the whole engine of one plant, put together: what `gemel serve` runs.
//
//   gm_server_options o = { .cli = cli, .plant = "examples/machine", .http = ..., .mqtt = ..., .data = ... };
//   gm_server_open(&o, &server, &err);           // returns when clients are served
//   while (!gm_server_stopped(server)) gm_server_turn(server, &err);
//   gm_server_close(server);                     // what is in flight is committed and answered, then the log is closed
//
// Start: settings, lock on the data directory, log, recovery, plant, MQTT, HTTP. Stop: the reverse. One thread, the one
// that the loop runs on; the log has its own for syncing.
#ifndef GM_CLI_SERVER_H
#define GM_CLI_SERVER_H

#include "base/loop.h"
#include "cli/verb.h"

typedef struct gm_server gm_server;

typedef struct gm_server_options {
    const gm_cli *cli;
    const char   *plant;              // folder
    const char   *http, *mqtt, *data; // NULL: as gemel.conf says, or its defaults
    const char   *https, *mqtts;      // the same; without either nothing is served over TLS
    const char   *tls_cert, *tls_key; // PEM files
    bool          quiet;              // no notes on cli->err; errors are still told
} gm_server_options;

// GM_INVALID: the plant has findings (they have been printed to cli->err), or an address that is not allowed.
// GM_CONFLICT: another server runs on this data directory. GM_IO, GM_CORRUPT, GM_NOMEM.
GM_NODISCARD gm_status gm_server_open(const gm_server_options *options, gm_server **out_server, gm_error *err);
void                   gm_server_close(gm_server *server);  // NULL is allowed

GM_NODISCARD gm_status gm_server_turn(gm_server *server, gm_error *err);
bool                   gm_server_stopped(const gm_server *server);
void                   gm_server_stop(gm_server *server);    // the turn in progress is the last one

// "ready http=127.0.0.1:8080 mqtt=127.0.0.1:1883": with the ports that were really taken; then https= and mqtts=, where
// they are served.
gm_str gm_server_ready_line(const gm_server *server);

// For tools that work on a plant which nobody serves.
struct gm_engine *gm_server_engine(gm_server *server);
struct gm_loop   *gm_server_loop(gm_server *server);

#endif
