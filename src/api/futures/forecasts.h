// api/futures/forecasts.h: the futures that people have asked for: running, done, saved.
//
//   RUNNING --done--> DONE | FAILED | CANCELLED --DELETE, or pushed out by newer ones--> gone
//
// Owned by the API, on the engine's thread. A saved forecast is a file DATA/futures/ID.json (docs/formats/data.md) that is
// written by the thread that finishes the job, and is found by its id after a restart.
#ifndef GM_API_FUTURES_FORECASTS_H
#define GM_API_FUTURES_FORECASTS_H

#include "api/context.h"
#include "api/futures/fleet.h"
#include "api/futures/world.h"
#include "futures/request_json.h"

enum {
    GM_FORECASTS_KEPT     = 100,        // ended ones; the oldest go first
    GM_FORECASTS_RUNNING  = 16,
    GM_FORECAST_FILE_MAX  = 256 << 20,  // bytes of a result as JSON
    GM_FORECAST_SMALL     = 20000000,   // lane steps up to which POST answers with the result itself
    GM_FORECAST_ID        = 40
};

typedef enum gm_forecast_state { GM_FORECAST_RUNNING, GM_FORECAST_DONE, GM_FORECAST_FAILED, GM_FORECAST_CANCELLED } gm_forecast_state;

typedef struct gm_forecast_stream gm_forecast_stream;
typedef struct gm_forecast_waiter { gm_ask ask; struct gm_forecast_waiter *next; } gm_forecast_waiter;

typedef struct gm_forecast {
    gm_forecasts       *all;
    struct gm_forecast *previous, *next;   // newest first
    char                id[GM_FORECAST_ID];
    gm_arena           *arena;             // what follows lies there
    gm_fleet_roots            fleet;
    gm_str              twins, request_text;  // twins: who is who in the members, as JSON; empty: not a fleet
    gm_group_world      world;             // its group, the first member's, is ours
    gm_futures_request  request;
    double             *base;              // [members][slots]
    gm_futures         *job;               // NULL when it has ended
    const struct gm_estimates_spread *estimate;  // where the lanes begin, while the request is read; NULL: at the state
    gm_forecast_state   state;
    gm_error            err;
    gm_buf              result;            // the members of the result, once DONE
    bool                save, saved, dropped;
    uint32_t            busy;              // lanes being run again
    gm_forecast_waiter *waiters;           // requests that wait for the end
    gm_forecast_stream *streams;
} gm_forecast;

GM_NODISCARD gm_status gm_forecasts_create(const gm_api_options *options, gm_forecasts **out_forecasts, gm_error *err);
// Cancels what runs. The pool must have ended, so that every job has had its done.
void gm_forecasts_destroy(gm_forecasts *forecasts);  // NULL is allowed

// May the one who asks see all its roots?
bool gm_forecast_seen(const gm_forecast *forecast, const gm_request *request);
// By id, when the one who asks may see it; NULL: there is none in memory.
gm_forecast *gm_forecast_find(gm_forecasts *forecasts, const gm_request *request, gm_str id);
gm_forecast *gm_forecasts_newest(gm_forecasts *forecasts);

// Starts what the body asks for. Replies and returns NULL when it can not be.
gm_forecast *gm_forecast_start(gm_forecasts *forecasts, gm_request *request, const json_t *body);
void         gm_forecast_drop(gm_forecast *forecast);  // cancels, and forgets when nothing uses it any more
void         gm_forecast_release(gm_forecast *forecast);  // `busy` has fallen

// {"id":...,"root":...,"state":...,"progress":...}, or the whole result when it is done and `whole`.
void gm_forecast_write(gm_forecast *forecast, bool whole, gm_buf *out);

// The document of a forecast by its id, from memory or its file; NULL: replied. The caller owns it.
json_t *gm_forecast_document(gm_forecasts *forecasts, gm_request *request, gm_str id);
// A forecast's file is removed. GM_NOTFOUND: there was none.
GM_NODISCARD gm_status gm_forecast_unsave(gm_forecasts *forecasts, gm_str id, gm_error *err);

const gm_api_options *gm_forecasts_options(const gm_forecasts *forecasts);

// stream.c: events of a running job.
void gm_forecast_stream_open(gm_forecast *forecast, gm_request *request);
void gm_forecast_stream_tell(gm_forecast *forecast);       // something is new
void gm_forecast_streams_part(gm_forecast *forecast);      // the forecast goes; streams end

// verify.c: {"outputs":{"tank1.level":{"points":...,"coverage":{...},...}}} of a document against history. False: replied.
bool gm_forecast_verify(gm_forecasts *forecasts, gm_request *request, const json_t *document, gm_buf *out);

#endif
