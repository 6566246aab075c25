// api/aas/change.h: what a write of the Asset Administration Shell API comes to, and its way into the log.
//
//   gm_aas_change *c = gm_aas_change_begin(request);
//   gm_aas_say_json(c, thread, GM_AAS_KEY_SUBMODEL, submodel);
//   gm_aas_change_commit(c, after);          // replied, or waits: after(request) runs when all of it is durable and visible
//
// Everything of a change lies in one batch of the log, facts before the twins that they are about. What is too large for a fact becomes
// a document, which is durable before the fact that names it: the request is handled again when it is, since others may have changed
// meanwhile what it was checked against. A change that was begun is committed; what went wrong on the way (no memory, too large) is
// answered then.
#ifndef GM_API_AAS_CHANGE_H
#define GM_API_AAS_CHANGE_H

#include "api/context.h"
#include "state/document.h"
#include "thread/fact.h"

enum { GM_AAS_RELATIONSHIPS_MOST = 1000, GM_AAS_FACTS_MOST = 10000 };  // of one change

typedef struct gm_aas_relation { gm_twin target; gm_str id, name, properties; bool goes; } gm_aas_relation;  // goes: it is deleted

typedef struct gm_aas_change {
    gm_request      *request;
    gm_fact         *facts;
    size_t           fact_count, fact_capacity;
    gm_str           document;          // bytes that are to become one, before anything else
    uint64_t         upload;
    char             hash[GM_HASH_TEXT + 1];
    gm_str           thing;             // whose twin the rest is about
    gm_twin          twin;
    gm_twin_document put;               // type not NULL: the twin is made or replaced
    gm_cell_write   *cells;             // of the twin that is there
    size_t           cell_count;
    uint8_t          cell_flags;
    gm_cell_write   *reported;          // the same, of telemetry
    size_t           reported_count;
    gm_aas_relation *relations;
    size_t           relation_count;
    bool             twin_goes;
    gm_request_call *then;
    uint32_t         left;              // answers that the engine owes
    gm_status        st;
    gm_error         err;
} gm_aas_change;

// NULL: replied. It lies in the request's arena.
gm_aas_change *gm_aas_change_begin(gm_request *request);

// A fact that holds from now on, unless from is set; its texts are copied. Author and cause are filled in.
void gm_aas_say(gm_aas_change *change, const gm_fact *fact);
void gm_aas_say_json(gm_aas_change *change, gm_str thread, const char *key, const json_t *value);
// bytes: of the request's body, not empty.
void gm_aas_say_file(gm_aas_change *change, gm_str thread, gm_str key, gm_str media, gm_str name, gm_str bytes);
// The same without a value: nothing of that is known to hold from now on.
void gm_aas_take_back(gm_aas_change *change, gm_str thread, gm_phase phase, gm_str key);
void gm_aas_change_fail(gm_aas_change *change, gm_status status, const gm_error *err);  // the first counts

void gm_aas_change_commit(gm_aas_change *change, gm_request_call *then);

// Is something under way that a change of this thing or kept thread would be checked against? Then it waits and true is returned.
bool gm_aas_must_wait(gm_request *request, gm_str thing);

#endif
