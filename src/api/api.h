// api/api.h: where people are. The HTTP API: the Azure Digital Twins data plane, gemel's own routes, the console.
//
//   gm_engine_open(...); gm_dead_letters_create(...);
//   gm_api_create(&options, &api, &err);          // registers what it folds and observes: before gm_engine_recover
//   gm_engine_recover(...);
//   gm_api_listen(api, GM_STR("127.0.0.1:0"), &err);
//   printf("http=127.0.0.1:%u\n", gm_api_port(api));
//   ... turns of the loop ...
//   gm_api_close(api);                            // no more requests; connections end
//   gm_engine_close(engine);                      // answers what was in flight
//   gm_api_destroy(api);
//
// Everything runs on the loop's thread. Routes and bodies: docs/api.md and src/api/openapi.json.
#ifndef GM_API_API_H
#define GM_API_API_H

#include "access/access.h"
#include "access/tls.h"
#include "api/events/endpoint.h"
#include "api/indexes.h"
#include "base/loop.h"
#include "engine/dead_letter.h"
#include "engine/engine.h"

typedef struct gm_api gm_api;
struct gm_ingest;
struct gm_estimates;
struct gm_plans;
struct gm_maintenance;
struct gm_insight;
struct gm_wears;
struct gm_control;
struct gm_rollups;
struct gm_failures;

// A file of the console, embedded in the program. All static.
typedef struct gm_asset {
    const char    *name;       // "index.html", "assets/index-3f2a.js"
    const char    *mime;       // "text/html; charset=utf-8"
    const uint8_t *bytes;
    size_t         size;
    const uint8_t *gzip;       // the same compressed; NULL when that does not pay
    size_t         gzip_size;
    const char    *etag;       // with its quotes: "\"3f2a\""
} gm_asset;

typedef struct gm_api_limits {
    size_t   body_max;         // bytes of a request body; default 4 MiB
    size_t   twin_max;         // the same for one that makes or changes a twin or a relationship; default 32 KiB
    size_t   models_max;       // the same for POST /models: ontologies are large; default 64 MiB
    size_t   bulk_max;         // the same for bulk ingest; default 64 MiB
    size_t   bodies_max;       // of all bodies under way together; default 256 MiB
    uint32_t connections_max;  // default 1000
    uint32_t idle_s;           // seconds after which a silent connection is closed; default 120
    uint32_t first_s;          // the same for one that has not asked anything yet; default 15
    uint32_t streams_max;      // server-sent event streams at a time; default 200
    uint32_t stream_twins_max; // twins of one stream; default 10,000
    gm_dur_ns stream_interval; // least time between two changes of the same stream; default 50 ms
} gm_api_limits;
gm_api_limits gm_api_limits_defaults(void);

typedef struct gm_api_options {
    const gm_alloc  *alloc;
    const gm_clock  *clock;
    gm_loop         *loop;
    gm_engine       *engine;
    gm_dead_letters *dead_letters;  // may be NULL
    gm_access       *access;        // NULL: everyone may do everything; outlives the API
    bool             open_metrics;  // /metrics without a token
    struct gm_ingest *ingest;       // for bulk ingest; NULL: there is none
    struct gm_estimates *estimates; // NULL: there are none
    struct gm_plans *plans;         // NULL: there are none
    struct gm_maintenance *maintenance; // what maintenance is planned for; NULL: nothing
    struct gm_insight *insight;     // predictions and anomalies; NULL: there are none
    struct gm_wears *wears;         // remaining life by physics; NULL: there is none
    struct gm_control *control;     // alarms, commands, rules; NULL: there are none
    struct gm_rollups *rollups;     // what systems amount to; NULL: nothing is declared
    struct gm_failures *failures;   // how things fail; NULL: nothing is declared
    gm_api_limits    limits;
    gm_str           plant;         // what /v1/plant calls it; copied
    gm_str           version, features;  // what the program was built with; static
    const gm_asset  *assets;        // may be NULL: no console
    size_t           asset_count;
    // Event routes (docs/events.md): what gemel.conf declares; viewed as long as the API lives.
    const gm_io               *io;            // for files of endpoints and jobs; may be NULL: there are none
    const char                *data_dir;      // endpoints keep how far they have come in data_dir/events
    const char                *jobs_dir;      // files of import jobs lie here; may be NULL: there are none
    const gm_index_wish       *indexes;       // of gemel.conf; viewed
    size_t                     index_count;
    const gm_endpoint_options *endpoints;
    size_t                     endpoint_count;
    gm_status (*publish)(void *context, gm_str topic, gm_str payload, gm_error *err);  // on gemel's MQTT endpoint; may be NULL
    void *publish_context;
    // Futures (docs/futures.md): what the twins do, and threads to try it on; NULL: there are none. Both outlive the API's
    // connections; the pool ends before the API is destroyed.
    struct gm_behaviors *behaviors;
    struct gm_pool      *pool;
    struct gm_pool      *crew;       // prompt threads for short work of requests (reading lines); NULL: it is done here. As the pool
    // FMUs as behaviors (futures/fmu_note.h); viewed. Their archives lie in plant_dir; fmu_host NULL: there are none.
    const struct gm_fmu_note *fmu_notes;
    size_t                    fmu_note_count;
    const struct gm_fmu_host *fmu_host;
    const char               *plant_dir;
    // Takes over connections of MQTT over WebSocket (GET /mqtt), the handshake done; may be NULL: there is none.
    // fd is taken; over(over_context) is called once, before it is closed.
    void (*websocket)(void *context, int fd, void (*over)(void *over_context), void *over_context);
    void *websocket_context;
    // Appends Prometheus lines of others (MQTT and so on) to /metrics; may be NULL.
    void (*metrics)(void *context, gm_buf *out);
    void *metrics_context;
} gm_api_options;

GM_NODISCARD gm_status gm_api_create(const gm_api_options *options, gm_api **out_api, gm_error *err);

// GM_INVALID: no such address. GM_IO: the port is taken or not allowed.
GM_NODISCARD gm_status gm_api_listen(gm_api *api, gm_str address, gm_error *err);
uint16_t               gm_api_port(const gm_api *api);  // 0 before gm_api_listen

// The same over TLS, beside it or alone. tls outlives the API.
GM_NODISCARD gm_status gm_api_listen_tls(gm_api *api, gm_str address, gm_tls *tls, gm_error *err);
uint16_t               gm_api_tls_port(const gm_api *api);

// Starts futures for somebody who is no client (a rule): `request` is the body of POST /v1/futures. GM_INVALID: it can not be; err
// has the sentence that a client would have got. GM_LIMIT: too many run.
enum { GM_API_FUTURES_ID = 40 };
GM_NODISCARD gm_status gm_api_start_futures(gm_api *api, gm_str request, char out_id[GM_API_FUTURES_ID], gm_error *err);

// Ends all connections. Requests whose change is still in flight are not answered any more (the change may well
// commit).
void gm_api_close(gm_api *api);
void gm_api_destroy(gm_api *api);  // NULL is allowed; closes. The engine must be closed already, or never turn again.

#endif
