// api/events/routing.h: event routes: durable, asked for every change, leading to the endpoints of gemel.conf.
//
//   gm_routing_create(&options, &routing, &err);   // before gm_engine_recover: folds its records, follows every change
//   gm_engine_recover(...)                         // events that were not delivered before are made again from the log
//   gm_routing_begin(routing, &err);               // from here on they leave
//   gm_routing_destroy(routing);                   // after the engine is closed
//
// A route is a record of the log (kinds EVENT_ROUTE_*). How far an endpoint has come lies in a file of its own
// (courier.h), so that delivering writes no log. Engine thread.
#ifndef GM_API_EVENTS_ROUTING_H
#define GM_API_EVENTS_ROUTING_H

#include "api/events/courier.h"
#include "api/events/event_stream.h"
#include "api/events/filter.h"
#include "control/control.h"
#include "engine/engine.h"

enum { GM_EVENT_ROUTES_MAX = 1000 };

typedef struct gm_routing gm_routing;

typedef struct gm_routing_options {
    const gm_alloc            *alloc;
    const gm_clock            *clock;
    const gm_io               *io;
    gm_loop                   *loop;
    gm_engine                 *engine;
    gm_control                *control;      // whose decisions are events; NULL: nobody's
    gm_str                     source;       // the CloudEvents source (percent-encoded here); copied
    const char                *data_dir;     // endpoints' files lie in data_dir/events; NULL: nothing is kept
    const gm_endpoint_options *endpoints;    // viewed
    size_t                     endpoint_count;
    // Publishes on gemel's MQTT endpoint; NULL: endpoints of kind MQTT lead nowhere.
    gm_status (*publish)(void *context, gm_str topic, gm_str payload, gm_error *err);
    void *publish_context;
} gm_routing_options;

GM_NODISCARD gm_status gm_routing_create(const gm_routing_options *options, gm_routing **out_routing, gm_error *err);
GM_NODISCARD gm_status gm_routing_begin(gm_routing *routing, gm_error *err);
void                   gm_routing_destroy(gm_routing *routing);  // NULL is allowed

typedef struct gm_event_route { gm_str id, endpoint, filter; } gm_event_route;  // viewed until the next change
size_t         gm_routing_count(const gm_routing *routing);
gm_event_route gm_routing_at(const gm_routing *routing, size_t i);               // in the order of their ids
bool           gm_routing_find(const gm_routing *routing, gm_str id, gm_event_route *out_route);

size_t                     gm_routing_endpoint_count(const gm_routing *routing);
const gm_endpoint_options *gm_routing_endpoint_at(const gm_routing *routing, size_t i);
size_t                     gm_routing_endpoint(const gm_routing *routing, gm_str name);  // SIZE_MAX: there is none
gm_endpoint_stats          gm_routing_statistics(const gm_routing *routing, size_t endpoint);
gm_event_stream           *gm_routing_stream(const gm_routing *routing, size_t endpoint);  // NULL: not of kind SSE

#endif
