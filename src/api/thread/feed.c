#include "api/thread/feed.h"

#include "control/control.h"
#include "control/json.h"

#include <stdio.h>

enum { KEY_TEXT = 64 };

static void write_value(const gm_work_order *order, gm_buf *out)
{
    gm_buf_text(out, "{\"text\":");
    gm_buf_json_str(out, order->text);
    gm_json_member(out, "openedBy", order->who);
    gm_json_time_member(out, "opened", order->opened);
    if (order->feedback.len > 0) gm_buf_printf(out, ",\"feedback\":" GM_STR_FMT, GM_STR_ARG(order->feedback));
    gm_buf_byte(out, '}');
}

// What is told already is not told again; a later step that brought more corrects.
static gm_status tell(gm_life *life, const gm_work_order *order, gm_error *err)
{
    char      key[KEY_TEXT];
    gm_fact   there;
    gm_buf    value = gm_buf_init(life->alloc);
    gm_status st    = GM_OK;
    if (order->state != GM_ORDER_DONE && order->state != GM_ORDER_CLOSED) return GM_OK;
    snprintf(key, sizeof key, "work order " GM_STR_FMT, GM_STR_ARG(gm_str_slice(order->id, 0, 40)));
    write_value(order, &value);
    bool known = gm_thread_read(life->thread, order->twin, GM_PHASE_MAINTAINED, gm_str_of(key), INT64_MAX - 1, INT64_MAX, &there) &&
                 gm_str_eq(there.value.text, gm_buf_view(&value));
    gm_fact fact = { .twin = order->twin, .key = gm_str_of(key), .phase = GM_PHASE_MAINTAINED, .from = order->changed, .to = INT64_MAX,
                     .author = order->who, .cause = gm_str_of(key), .value = { .kind = GM_FACT_JSON, .text = gm_buf_view(&value) } };
    if (value.failed) st = gm_fail(err, GM_NOMEM, "api.feed", "telling of a work order");
    else if (!known) st = gm_life_add(life, &fact, 1, (gm_ask){ 0 }, err);
    gm_buf_finish(&value);
    return st;
}

static void tell_all(void *context)
{
    gm_api               *api    = context;
    const gm_work_orders *orders = gm_control_work_orders(api->options.control);
    gm_error              err;
    for (size_t i = gm_work_orders_count(orders); i-- > 0;) {
        gm_work_order order = gm_work_orders_at(orders, i);
        if (tell(api->life, &order, &err) != GM_LIMIT) continue;
        (void)!gm_engine_later(api->options.engine, tell_all, api, &err);  // the batch is full: what is told by then is passed over
        return;
    }
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_api       *api = context;
    gm_work_order order;
    gm_error      err;
    (void)record;
    if (change->kind != GM_CHANGE_WORK_ORDER || !gm_work_orders_find(gm_control_work_orders(api->options.control), change->id, &order)) return;
    if (tell(api->life, &order, &err) == GM_LIMIT) (void)!gm_engine_later(api->options.engine, tell_all, api, &err);
}

gm_status gm_feed_begin(gm_api *api, gm_error *err)
{
    if (api->options.control == NULL || api->life->fed) return GM_OK;
    api->life->fed = true;
    gm_status st   = gm_engine_observe(api->options.engine, observe, api, err);
    if (st == GM_OK) tell_all(api);
    return st;
}

void gm_feed_end(gm_api *api)
{
    if (api->life == NULL || !api->life->fed) return;
    gm_engine_unobserve(api->options.engine, observe, api);
    gm_engine_never(api->options.engine, tell_all, api);
    api->life->fed = false;
}
