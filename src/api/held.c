#include "api/held.h"

#include "api/context.h"

static void finish(gm_held *held)
{
    gm_request *request = held->request;
    if (held->previous != NULL) held->previous->next = held->next;
    else held->api->held = held->next;
    if (held->next != NULL) held->next->previous = held->previous;
    held->end(held->context);
    gm_request_release(request);  // perhaps the last one: held lies in it
}

static void on_turn(void *context)
{
    gm_held    *held    = context;
    gm_request *request = held->request;
    gm_dur_ns   pause   = 0;
    gm_error    err     = { 0 };
    held->timer         = NULL;
    bool more           = !request->gone && held->turn(held->context, &pause);
    if (more) {
        gm_status st = gm_loop_after(held->api->options.loop, pause, on_turn, held, &held->timer, &err);
        if (st == GM_OK) return;
        gm_reply_failure(request, st, &err);
    }
    finish(held);
}

gm_status gm_held_begin(gm_held *held, gm_request *request, gm_held_turn *turn, gm_held_end *end, void *context,
                        gm_error *err)
{
    gm_api *api  = request->api;
    *held =
        (gm_held){ .request = request, .api = api, .turn = turn, .end = end, .context = context, .next = api->held };
    gm_status st = gm_loop_after(api->options.loop, 0, on_turn, held, &held->timer, err);
    if (st != GM_OK) return st;
    if (held->next != NULL) held->next->previous = held;
    api->held = held;
    gm_request_hold(request);
    return GM_OK;
}

void gm_held_end_all(gm_api *api)
{
    while (api->held != NULL) {
        gm_held *held = api->held;
        gm_loop_cancel(held->timer);
        held->timer = NULL;
        finish(held);
    }
}
