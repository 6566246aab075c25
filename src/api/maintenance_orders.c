// POST /v1/maintenance/{name}/orders: a proposal becomes work orders.
#include "api/held.h"
#include "api/live.h"
#include "api/maintenance.h"
#include "api/routes.h"
#include "control/json.h"

#include <string.h>

static gm_work_orders *orders_of(const gm_request *r) { return gm_control_work_orders(r->api->options.control); }

// ---- what is ordered already -----------------------------------------------------------------------------------------

// Calls each for every work order of the entry that is not over.
static void each_ordered(const gm_request *r, gm_str entry, void (*each)(void *context, const gm_work_order *order), void *context)
{
    if (r->api->options.control == NULL) return;
    const gm_work_orders *all = orders_of(r);
    for (size_t i = 0; i < gm_work_orders_count(all); i++) {
        gm_work_order o = gm_work_orders_at(all, i);
        // Most orders are none of a plan's: these are not read.
        if (o.state >= GM_ORDER_DONE || gm_str_find(o.evidence, GM_STR("\"maintenance\"")) >= o.evidence.len) continue;
        json_t *evidence = json_loadb(o.evidence.ptr, o.evidence.len, 0, NULL);
        if (gm_str_eq(gm_json_text(evidence, "maintenance"), entry)) each(context, &o);
        json_decref(evidence);
    }
}

typedef struct listing { gm_buf *out; size_t count; } listing;

static void list_one(void *context, const gm_work_order *order)
{
    listing *l = context;
    gm_buf_text(l->out, l->count++ > 0 ? ",{\"twin\":" : "{\"twin\":");
    gm_buf_json_str(l->out, order->twin);
    gm_live_member(l->out, "id", order->id);
    gm_live_member(l->out, "state", gm_str_of(gm_order_state_name(order->state)));
    gm_buf_byte(l->out, '}');
}

void gm_maintenance_write_ordered(const gm_request *request, gm_str entry, gm_buf *out)
{
    gm_buf_text(out, ",\"orders\":[");
    each_ordered(request, entry, list_one, &(listing){ .out = out });
    gm_buf_byte(out, ']');
}

// ---- ordering --------------------------------------------------------------------------------------------------------

// Orders are asked for one by one, as the log has room, and the answer waits until the last of them is durable.
typedef struct ordering {
    gm_held    held;
    gm_request *request;
    json_t     *proposal;
    json_t     *wanted;           // twins; NULL: all that have a window
    json_t     *ordered;          // twins that have an order already
    size_t      next;             // of the items
    char        last[GM_WORK_ORDER_ID];
    size_t      opened, there;
    bool        failed;
    gm_buf      list;
} ordering;

static void note_ordered(void *context, const gm_work_order *order)
{
    ordering *o = context;
    o->failed |= json_object_setn_new(o->ordered, order->twin.ptr, order->twin.len, json_true()) != 0;
}

static bool holds(const json_t *set, gm_str twin) { return json_object_getn(set, twin.ptr, twin.len) != NULL; }

static json_t *evidence_of(const ordering *o, const json_t *item)
{
    static const char *const taken[] = { "from", "to", "cost", "failsBefore", "wastes", "prediction" };
    json_t                  *e       = json_object();
    bool ok = json_object_set(e, "maintenance", json_object_get(o->proposal, "name")) == 0 && json_object_set(e, "made", json_object_get(o->proposal, "at")) == 0;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) ok &= json_object_set(e, taken[i], json_object_get(item, taken[i])) == 0;
    if (ok) return e;
    json_decref(e);
    return NULL;
}

// GM_LIMIT: there is no room now.
static gm_status order_next(ordering *o, gm_error *err)
{
    const json_t *item = json_array_get(json_object_get(o->proposal, "items"), o->next);
    gm_str        twin = gm_json_text(item, "twin");
    bool          gone = !gm_twin_ok(gm_state_find(gm_api_state(o->request), twin));
    if (json_object_get(item, "window") == NULL || gone || (o->wanted != NULL && !holds(o->wanted, twin))) {
        o->next++;
        return GM_OK;
    }
    if (holds(o->ordered, twin)) {
        o->there++;
        o->next++;
        return GM_OK;
    }
    char      id[GM_WORK_ORDER_ID];
    json_t   *evidence = evidence_of(o, item);
    gm_status st       = evidence == NULL ? gm_fail(err, GM_NOMEM, "api.maintenance", "ordering work")
                                          : gm_work_orders_ask(orders_of(o->request), twin, gm_json_text(item, "work"), evidence, gm_principal_name(o->request->principal), (gm_ask){ 0 }, id, err);
    json_decref(evidence);
    if (st != GM_OK) return st;
    gm_buf_text(&o->list, o->opened > 0 ? ",{\"twin\":" : "{\"twin\":");
    gm_buf_json_str(&o->list, twin);
    gm_json_member(&o->list, "id", gm_str_of(id));
    gm_json_member(&o->list, "from", gm_json_text(item, "from"));
    gm_buf_byte(&o->list, '}');
    memcpy(o->last, id, sizeof id);
    o->opened++;
    o->next++;
    return GM_OK;
}

static bool order_turn(void *context, gm_dur_ns *pause)
{
    enum { A_TURN = 50 };
    ordering     *o     = context;
    gm_error      err   = { 0 };
    size_t        count = json_array_size(json_object_get(o->proposal, "items"));
    gm_work_order last;
    gm_status     st = GM_OK;
    for (int i = 0; i < A_TURN && st == GM_OK && o->next < count; i++) st = order_next(o, &err);
    if (st != GM_OK && st != GM_LIMIT) {
        gm_reply_failure(o->request, st, &err);
        return false;
    }
    if (o->next < count || (o->opened > 0 && !gm_work_orders_find(orders_of(o->request), gm_str_of(o->last), &last))) {
        *pause = st == GM_LIMIT || o->next == count ? GM_MILLISECOND : 0;
        return true;
    }
    gm_buf_printf(&o->request->out, "{\"opened\":[" GM_STR_FMT "],\"there\":%zu}", GM_STR_ARG(gm_buf_view(&o->list)), o->there);
    gm_reply_json(o->request, 200);
    return false;
}

static void order_end(void *context)
{
    ordering *o = context;
    json_decref(o->proposal);
    json_decref(o->wanted);
    json_decref(o->ordered);
    gm_buf_finish(&o->list);
}

// ---- which are wanted ------------------------------------------------------------------------------------------------

static bool bad_body(gm_request *request)
{
    gm_reply_error(request, 400, "InvalidArgument", "The body, if there is one, is an object with 'twins', an array of ids that have a window.");
    return false;
}

// Twins that have a window; NULL: no memory.
static json_t *with_windows(const json_t *proposal)
{
    const json_t *items = json_object_get(proposal, "items");
    json_t       *set   = json_object();
    bool          ok    = set != NULL;
    for (size_t i = 0; ok && i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        gm_str        twin = gm_json_text(item, "twin");
        if (json_object_get(item, "window") != NULL) ok = json_object_setn_new(set, twin.ptr, twin.len, json_true()) == 0;
    }
    if (ok) return set;
    json_decref(set);
    return NULL;
}

static bool want(gm_request *request, ordering *o, const json_t *possible, const json_t *twin)
{
    gm_str id = { json_string_value(twin), json_string_length(twin) };
    if (!json_is_string(twin)) return bad_body(request);
    if (!holds(possible, id)) {
        gm_reply_error(request, 400, "InvalidArgument", "'" GM_STR_FMT "' has no window in what is proposed.", GM_STR_ARG(gm_str_slice(id, 0, 100)));
        return false;
    }
    o->failed |= json_object_setn_new(o->wanted, id.ptr, id.len, json_true()) != 0;
    return true;
}

// False: replied 400.
static bool read_wanted(gm_request *request, ordering *o)
{
    if (request->body.len == 0) return true;
    const json_t *body = gm_request_json(request), *twins = json_object_get(body, "twins");
    if (body == NULL) return false;
    if (!json_is_object(body) || json_object_size(body) > (twins != NULL)) return bad_body(request);
    if (twins == NULL) return true;
    if (!json_is_array(twins) || json_array_size(twins) == 0 || json_array_size(twins) > json_array_size(json_object_get(o->proposal, "items"))) return bad_body(request);
    json_t *possible = with_windows(o->proposal);
    o->wanted        = json_object();
    o->failed |= possible == NULL;
    bool ok = true;
    for (size_t i = 0; ok && !o->failed && i < json_array_size(twins); i++) ok = want(request, o, possible, json_array_get(twins, i));
    json_decref(possible);
    return ok;
}

void gm_route_maintenance_orders(gm_request *request)
{
    uint32_t i;
    gm_error err = { 0 };
    if (!gm_maintenance_named(request, &i)) return;
    gm_maintenance_view v = gm_maintenance_at(request->api->options.maintenance, i);
    if (request->api->options.control == NULL || !v.made || v.running) {
        gm_reply_error(request, 409, "NothingProposed", "%s", v.running ? "A plan is being made; wait for it." : "There is no plan yet; POST to its 'make' first.");
        return;
    }
    ordering *o    = gm_arena_zeroed(request->arena, 1, sizeof *o);
    gm_buf    text = gm_buf_init(request->alloc);
    gm_maintenance_write(&v, &text);
    if (o != NULL && !text.failed) o->proposal = json_loadb(gm_buf_view(&text).ptr, text.len, 0, NULL);
    gm_buf_finish(&text);
    if (o == NULL || o->proposal == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    o->request = request;
    o->list    = gm_buf_init(request->alloc);
    o->ordered = json_object();
    each_ordered(request, v.request->name, note_ordered, o);
    if (!read_wanted(request, o)) {
        order_end(o);
        return;
    }
    gm_status st = o->failed || o->ordered == NULL ? gm_fail(&err, GM_NOMEM, "api.maintenance", "ordering work") : gm_held_begin(&o->held, request, order_turn, order_end, o, &err);
    if (st == GM_OK) {
        gm_request_audit(request);
        return;
    }
    order_end(o);
    gm_reply_failure(request, st, &err);
}
