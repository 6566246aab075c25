// Invariant: no state outlives the types that it was made with: whatever changes models lets go of all before it is applied.
#include "engine/past_states.h"

#include "engine/internal.h"

typedef struct kept {
    gm_state  *state;
    gm_time_ns time;
    gm_dur_ns  used;   // monotonic
    uint64_t   bytes;
} kept;

struct gm_past_states {
    gm_engine      *engine;
    gm_timer       *timer;  // NULL: nothing waits for its end
    kept            items[GM_PAST_STATES_MOST];
    size_t          count;
    gm_state       *large;  // the last one that is too large to be kept
    uint64_t        built;
};

static void let_go(gm_past_states *s, size_t i)
{
    gm_state_destroy(s->items[i].state);
    s->items[i] = s->items[--s->count];
}

static void let_all_go(gm_past_states *s)
{
    while (s->count > 0) let_go(s, 0);
    gm_state_destroy(s->large);
    s->large = NULL;
}

void gm_past_states_before(gm_past_states *s, gm_change_kind kind)
{
    if (s != NULL && (gm_change_of_models(kind) || kind == GM_CHANGE_HISTORY_DELETE)) let_all_go(s);
}

gm_past_states *gm_past_states_create(gm_engine *engine)
{
    gm_past_states *s = gm_alloc_zeroed(engine->alloc, sizeof *s);
    if (s != NULL) s->engine = engine;
    return s;
}

gm_past_states *gm_engine_past_states(gm_engine *engine) { return engine->past; }

void gm_past_states_destroy(gm_past_states *s)
{
    if (s == NULL) return;
    let_all_go(s);
    gm_loop_cancel(s->timer);
    gm_free(s->engine->alloc, s);
}

// ---- age ------------------------------------------------------------------------------------------------------------

static void on_time(void *context);

static void wait_for_age(gm_past_states *s)
{
    if (s->engine->loop == NULL || s->timer != NULL || (s->count == 0 && s->large == NULL)) return;
    // Without a timer they stay until others take their places.
    if (gm_loop_after(s->engine->loop, GM_PAST_STATES_IDLE / 4, on_time, s, &s->timer, NULL) != GM_OK) s->timer = NULL;
}

static void on_time(void *context)
{
    gm_past_states *s   = context;
    gm_dur_ns       now = gm_monotonic(s->engine->clock);
    s->timer            = NULL;
    gm_state_destroy(s->large);
    s->large = NULL;
    for (size_t i = s->count; i-- > 0;) {
        if (now - s->items[i].used >= GM_PAST_STATES_IDLE) let_go(s, i);
    }
    wait_for_age(s);
}

// ---- taking ---------------------------------------------------------------------------------------------------------

static uint64_t bytes_of(const gm_state *state)
{
    gm_state_bytes b = gm_state_memory(state);
    return b.twins + b.values + b.times + b.texts + b.relationships + b.indexes + b.past;
}

// Room for one more of so many bytes: the longest unused go.
static void make_room(gm_past_states *s, uint64_t bytes)
{
    for (;;) {
        uint64_t sum = bytes;
        size_t   oldest = 0;
        for (size_t i = 0; i < s->count; i++) {
            sum += s->items[i].bytes;
            if (s->items[i].used < s->items[oldest].used) oldest = i;
        }
        if (s->count < GM_PAST_STATES_MOST && sum <= GM_PAST_STATES_BYTES) return;
        let_go(s, oldest);
    }
}

gm_status gm_past_states_take(gm_past_states *s, gm_time_ns time, gm_past_how how, size_t most, const gm_state **out_state,
                              bool *out_kept, gm_error *err)
{
    *out_kept = true;
    gm_state_destroy(s->large);
    s->large = NULL;
    for (size_t i = s->count; i-- > 0;) {
        if (s->items[i].time != time) continue;
        if (how == GM_PAST_KEPT) {
            s->items[i].used = gm_monotonic(s->engine->clock);
            *out_state       = s->items[i].state;
            return GM_OK;
        }
        let_go(s, i);
    }
    gm_state *state;
    gm_status st = gm_as_of_state(s->engine, time, most, &state, err);
    if (st != GM_OK) return st;
    s->built++;
    *out_state     = state;
    uint64_t bytes = bytes_of(state);
    if (bytes > GM_PAST_STATES_BYTES) {
        *out_kept = false;
        s->large  = state;
    } else {
        make_room(s, bytes);
        s->items[s->count++] = (kept){ .state = state, .time = time, .used = gm_monotonic(s->engine->clock), .bytes = bytes };
    }
    wait_for_age(s);
    return GM_OK;
}

gm_past_states_report gm_past_states_statistics(const gm_past_states *s)
{
    gm_past_states_report report = { .count = s->count, .built = s->built };
    for (size_t i = 0; i < s->count; i++) report.bytes += s->items[i].bytes;
    return report;
}
