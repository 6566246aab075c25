// api/context.h: what the routes share.
#ifndef GM_API_CONTEXT_H
#define GM_API_CONTEXT_H

#include "api/api.h"
#include "api/http.h"
#include "api/router.h"
#include "api/uploads.h"

typedef struct gm_streams gm_streams;
typedef struct gm_routing gm_routing;
typedef struct gm_forecasts gm_forecasts;
struct gm_lines;
struct gm_life;
struct gm_marks;
typedef struct gm_jobs    gm_jobs;
typedef struct gm_indexes gm_indexes;

struct gm_api {
    gm_api_options options;
    gm_http       *http, *https;  // NULL: does not listen
    gm_streams    *streams;
    gm_routing    *routing;
    gm_forecasts  *forecasts;
    gm_jobs       *jobs;
    gm_indexes    *indexes;
    struct gm_event_stream *alarm_events;  // NULL: no control
    gm_timer      *alarm_tick;    // readers of events hear once a second that all is well
    struct gm_life *life;         // facts (api/thread/life.h)
    struct gm_marks *marks;       // what happened when (api/marks/marks.h)
    uint32_t       hunts;         // for origins, under way (api/origins_route.c)
    struct gm_held *held;         // answers that take many turns
    gm_uploads     uploads;       // when each model was added
    struct gm_lines *lines;       // line protocol; made by its first request
    struct gm_line_readers *readers; // of large bodies of it; NULL: the owner's thread reads them all
    gm_str         plant;
    gm_dur_ns      started;       // monotonic
};

static inline gm_model         *gm_api_model(const gm_request *r) { return gm_engine_model(r->engine); }
static inline const gm_state   *gm_api_state(const gm_request *r) { return gm_engine_state(r->engine); }
static inline gm_time_ns        gm_api_now(const gm_request *r) { return gm_now(r->api->options.clock); }

// What the one who asks may see; NULL: everything.
static inline const gm_fence *gm_api_fence(const gm_request *r) { return gm_principal_fence(r->principal); }

// A twin by its id, and whether he may see the one at hand. Every look-up of a route goes through these: what lies
// outside his fence does not exist.
static inline bool gm_api_sees(const gm_request *r, gm_twin twin) { return gm_fence_shows(gm_api_fence(r), twin); }
static inline gm_twin gm_api_find(const gm_request *r, gm_str id)
{
    gm_twin twin = gm_state_find(gm_api_state(r), id);
    return gm_twin_ok(twin) && gm_api_sees(r, twin) ? twin : (gm_twin){ GM_NONE };
}

// The twin named by the path's first parameter; not ok: replied 404 DigitalTwinNotFound.
gm_twin gm_api_twin(gm_request *request);
void    gm_api_no_twin(gm_request *request, gm_str id);

#endif
