#include "api/transfer/deletion.h"

enum { PASSES_MAX = 1000, STEPS_BETWEEN_LOOKS = 16 };

typedef enum phase { PHASE_RELATIONSHIPS, PHASE_TWINS, PHASE_MODELS, PHASE_DONE } phase;

struct gm_deletion {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    phase           phase;
    uint32_t        next;      // of this pass: position, twin, or models from the newest on
    uint32_t        passes;
    uint64_t        pending;
    bool            closed;
    gm_status       failed;
    gm_error        err;
};

gm_status gm_deletion_open(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_deletion **out,
                           gm_error *err)
{
    *out = gm_alloc_zeroed(alloc, sizeof **out);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, "api.jobs", "starting a deletion");
    (*out)->alloc  = alloc;
    (*out)->clock  = clock;
    (*out)->engine = engine;
    return GM_OK;
}

void gm_deletion_close(gm_deletion *d)
{
    if (d == NULL) return;
    d->closed = true;
    if (d->pending == 0) gm_free(d->alloc, d);
}

static void on_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    gm_deletion *d = context;
    d->pending--;
    // What could not go yet (something new holds it) goes in a later pass.
    if (status != GM_OK && status != GM_CONFLICT && status != GM_NOTFOUND && d->failed == GM_OK) {
        d->failed = status;
        d->err    = *err;
    }
    if (d->closed && d->pending == 0) gm_free(d->alloc, d);
}

// Submits the deletion of the next thing of this pass. *out_end: the pass has come to its end.
static gm_status next_one(gm_deletion *d, bool *out_end, gm_error *err)
{
    const gm_state *state = gm_engine_state(d->engine);
    gm_model       *model = gm_engine_model(d->engine);
    gm_ask          ask   = { on_answer, d, 0 };
    gm_status       st    = GM_OK;
    gm_edge         edge;
    gm_twin         twin  = { d->next };
    gm_str          none  = { 0 };
    *out_end              = false;
    switch (d->phase) {
    case PHASE_RELATIONSHIPS:
        *out_end = d->next >= gm_state_edge_limit(state);
        if (*out_end || !gm_state_edge_at(state, d->next, &edge)) break;
        gm_relationship relationship = gm_state_relationship(state, edge);
        if (gm_engine_relationship_in_flight(d->engine, gm_state_id(state, relationship.source), relationship.id))
            return GM_LIMIT;
        d->pending++;
        st = gm_engine_relationship_delete(d->engine, relationship.source, relationship.id, ask, err);
        d->pending -= st != GM_OK;
        break;
    case PHASE_TWINS:
        *out_end = d->next >= gm_state_next_twin(state);
        if (*out_end || !gm_state_exists(state, twin)) break;
        if (gm_engine_busy(d->engine, gm_state_id(state, twin))) return GM_LIMIT;
        d->pending++;
        st = gm_engine_twin_delete(d->engine, twin, ask, err);
        d->pending -= st != GM_OK;
        break;
    case PHASE_MODELS:
        *out_end = d->next >= gm_model_count(model);
        if (*out_end) break;
        d->pending++;
        st = gm_engine_submit(d->engine, GM_CHANGE_MODEL_DELETE, 0, none, none,
                              gm_model_at(model, gm_model_count(model) - 1 - d->next)->id, ask, err);
        d->pending -= st != GM_OK;
        break;
    case PHASE_DONE: *out_end = true; break;
    }
    if (st == GM_OK) d->next++;
    return st;
}

static bool is_empty(const gm_deletion *d)
{
    const gm_state *state = gm_engine_state(d->engine);
    if (d->phase == PHASE_RELATIONSHIPS) return gm_state_relationship_count(state) == 0;
    if (d->phase == PHASE_TWINS) return gm_state_twin_count(state) == 0;
    return gm_model_count(gm_engine_model(d->engine)) == 0;
}

// A pass is over and committed: on to the next phase, or through what came meanwhile once more.
static void end_pass(gm_deletion *d)
{
    d->next = 0;
    if (is_empty(d)) d->phase++;
    else if (d->phase == PHASE_TWINS && gm_state_relationship_count(gm_engine_state(d->engine)) > 0)
        d->phase = PHASE_RELATIONSHIPS;
    else if (d->phase == PHASE_MODELS && gm_state_twin_count(gm_engine_state(d->engine)) > 0)
        d->phase = PHASE_RELATIONSHIPS;
    if (++d->passes < PASSES_MAX || d->phase == PHASE_DONE) return;
    d->failed = gm_fail(&d->err, GM_CONFLICT, "api.jobs", "things are created as fast as they are deleted");
}

gm_deletion_flow gm_deletion_step(gm_deletion *d, gm_dur_ns budget, gm_error *err)
{
    gm_dur_ns until = gm_monotonic(d->clock) + budget;
    for (int n = 1; d->failed == GM_OK; n++) {
        if (d->phase == PHASE_DONE) return GM_DELETION_DONE;
        bool      end;
        gm_status st = next_one(d, &end, &d->err);
        if (end && d->pending > 0) return GM_DELETION_WAITS;
        if (end) end_pass(d);
        if (st == GM_LIMIT) return GM_DELETION_WAITS;
        if (st != GM_OK) d->failed = st;
        if (n % STEPS_BETWEEN_LOOKS == 0 && gm_monotonic(d->clock) >= until) return GM_DELETION_GOES_ON;
    }
    if (d->pending > 0) return GM_DELETION_WAITS;
    *err = d->err;
    return GM_DELETION_FAILED;
}
