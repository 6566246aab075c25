// control/work_orders.h: what people are to do about it: opened by rules, predictions or people, with the evidence; told to
// maintenance systems on gemel/workorders/{id}; closed with what was found and done.
//
//   open -> assigned -> started -> done -> closed          (steps may be left out)
//     +-------+-----------+---> cancelled
//
// Every step is a decision. An order stays; the newest GM_WORK_ORDERS_MAX are kept. Engine thread.
#ifndef GM_CONTROL_WORK_ORDERS_H
#define GM_CONTROL_WORK_ORDERS_H

#include "control/journal.h"
#include "control/sending.h"

enum { GM_WORK_ORDERS_MAX = 10000, GM_WORK_ORDER_TEXT_MAX = 16384, GM_WORK_ORDER_ID = 17 };

typedef enum gm_order_state { GM_ORDER_OPEN, GM_ORDER_ASSIGNED, GM_ORDER_STARTED, GM_ORDER_DONE, GM_ORDER_CLOSED, GM_ORDER_CANCELLED, GM_ORDER_STATE_COUNT } gm_order_state;
const char *gm_order_state_name(gm_order_state state);
bool        gm_order_state_of(gm_str name, gm_order_state *out);

typedef struct gm_work_order {  // viewed until the next change
    gm_str         id, twin, text, who;   // who opened it
    gm_str         evidence, feedback;    // JSON objects; empty: none. feedback: what the last step brought (found, replaced ...)
    gm_order_state state;
    gm_time_ns     opened, changed;
} gm_work_order;

typedef struct gm_work_orders gm_work_orders;

typedef struct gm_work_orders_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    gm_journal     *journal;
    gm_send *send;  // NULL: to nobody
    void *context;
} gm_work_orders_options;

GM_NODISCARD gm_status gm_work_orders_create(const gm_work_orders_options *options, gm_work_orders **out, gm_error *err);
void                   gm_work_orders_destroy(gm_work_orders *orders);  // NULL is allowed

// By a rule; cause: members of a JSON object, which become the evidence, too.
void gm_work_orders_open(gm_work_orders *orders, gm_str twin, gm_str text, gm_str rule, gm_str cause);
// By a person or a program. evidence: a JSON object or NULL. GM_NOTFOUND: no such twin. GM_INVALID: no text, or too much.
GM_NODISCARD gm_status gm_work_orders_ask(gm_work_orders *orders, gm_str twin, gm_str text, const json_t *evidence, gm_str who, gm_ask ask,
                                          char out_id[GM_WORK_ORDER_ID], gm_error *err);
// feedback: a JSON object or NULL. GM_NOTFOUND, GM_CONFLICT (over, or already there), GM_INVALID.
GM_NODISCARD gm_status gm_work_orders_step(gm_work_orders *orders, gm_str id, gm_order_state state, const json_t *feedback, gm_str who, gm_ask ask, gm_error *err);

size_t        gm_work_orders_count(const gm_work_orders *orders);
gm_work_order gm_work_orders_at(const gm_work_orders *orders, size_t i);  // 0 = newest
bool          gm_work_orders_find(const gm_work_orders *orders, gm_str id, gm_work_order *out);
void          gm_work_order_write(const gm_work_order *order, gm_buf *out);
void          gm_work_orders_after(gm_work_orders *orders, const gm_decision *decision);  // live: tells maintenance systems

#endif
