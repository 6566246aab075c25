// Messages on foreign topics: read by their mapping, twins created when the mapping says so, values written.
#include "link/ingest_internal.h"

#include <stdio.h>

#define WHERE "link.ingest"
#define REFUSED_FOR (2 * GM_SECOND)

// ---- creation on first sight --------------------------------------------------------------------------------------
// One that is under way. The message waits outside (GM_LIMIT) and comes back; then the twin is there, or refused.
typedef struct gm_map_birth {
    gm_ingest           *ingest;
    struct gm_map_birth *next, *previous;
    uint64_t             hash;
} birth;

static void forget(birth *b)
{
    if (b->previous != NULL) b->previous->next = b->next;
    else b->ingest->births = b->next;
    if (b->next != NULL) b->next->previous = b->previous;
    gm_free(b->ingest->alloc, b);
}

void gm_ingest_forget_mapped(gm_ingest *ingest)
{
    while (ingest->births != NULL) {
        gm_creator_forget(ingest->options.creator, ingest->births);
        forget(ingest->births);
    }
}

static void refuse(gm_ingest *ingest, uint64_t hash, const char *why)
{
    gm_ingest_refusal *r = &ingest->refused[hash % GM_INGEST_REFUSED];
    r->hash              = hash;
    r->until             = gm_loop_monotonic(ingest->options.loop) + REFUSED_FOR;
    snprintf(r->why, sizeof r->why, "%s", why);
}

static void on_born(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    birth *b = context;
    (void)token;
    if (status != GM_OK) refuse(b->ingest, b->hash, err != NULL ? err->text : gm_status_text(status));
    forget(b);
}

gm_status gm_ingest_birth(gm_ingest *ingest, gm_str twin_id, gm_str body, gm_error *err)
{
    uint64_t           hash = gm_str_hash(twin_id);
    gm_ingest_refusal *r    = &ingest->refused[hash % GM_INGEST_REFUSED];
    gm_dur_ns          now  = gm_loop_monotonic(ingest->options.loop);
    if (r->hash == hash && now < r->until) return gm_fail(err, GM_INVALID, WHERE, "%s", r->why);
    for (const birth *b = ingest->births; b != NULL; b = b->next) {
        if (b->hash == hash) return gm_fail(err, GM_LIMIT, WHERE, "twins are being created");
    }
    birth *b = gm_alloc_zeroed(ingest->alloc, sizeof *b);
    if (b == NULL) return gm_fail(err, GM_NOMEM, WHERE, "creating a twin");
    *b = (birth){ .ingest = ingest, .next = ingest->births, .hash = hash };
    if (b->next != NULL) b->next->previous = b;
    ingest->births = b;
    gm_error  why  = { 0 };
    gm_ask    ask  = { .call = on_born, .context = b };
    gm_status st   = gm_creator_submit(ingest->options.creator, twin_id, body, gm_loop_now(ingest->options.loop), ask, &why);
    if (st == GM_OK) return gm_fail(err, GM_LIMIT, WHERE, "twins are being created");
    forget(b);
    if (st == GM_INVALID) refuse(ingest, hash, why.text);
    if (err != NULL) *err = why;
    return st;
}

// ---- the message --------------------------------------------------------------------------------------------------
gm_maps *gm_ingest_maps(const gm_ingest *ingest) { return ingest->options.maps; }

gm_map *gm_ingest_map_of(const gm_ingest *ingest, gm_str topic)
{
    return ingest->options.maps != NULL ? gm_maps_of_topic(ingest->options.maps, topic) : NULL;
}

typedef struct updates { const gm_mapped **items; size_t count, capacity; gm_alloc alloc; } updates;

static gm_status collect(void *context, const gm_mapped *mapped, gm_error *err)
{
    updates *all = context;
    if (!gm_alloc_reserve(&all->alloc, &all->items, &all->capacity, all->count + 1, sizeof *all->items))
        return gm_fail(err, GM_NOMEM, WHERE, "a message");
    all->items[all->count++] = mapped;
    return GM_OK;
}

// Twins that are missing are asked for all at once. GM_LIMIT: some are on their way.
static gm_status make_twins(gm_ingest *ingest, const updates *all, gm_error *err)
{
    const gm_state *state  = gm_engine_state(ingest->engine);
    gm_status       result = GM_OK;
    for (size_t i = 0; i < all->count && ingest->options.creator != NULL; i++) {
        const gm_mapped *m = all->items[i];
        if (m->create.len == 0 || gm_twin_ok(gm_state_find(state, m->twin))) continue;
        gm_error  why;
        gm_status st = gm_ingest_birth(ingest, m->twin, m->create, &why);
        if (st == GM_OK || st == GM_INVALID) continue;  // refused: said when its turn comes
        if (err != NULL) *err = why;
        result = st;
        if (st != GM_LIMIT) return st;
    }
    return result;
}

static void count_refusal(gm_map *map, const char *why)
{
    map->stats.rejected++;
    snprintf(map->stats.last_error, sizeof map->stats.last_error, "%s", why);
}

// One twin's update. GM_INVALID: *why says what is wrong with it.
static gm_status apply(gm_ingest *ingest, const gm_mapped *m, gm_ask ask, gm_error *why)
{
    gm_twin twin = gm_state_find(gm_engine_state(ingest->engine), m->twin);
    if (!gm_twin_ok(twin)) {
        gm_status st = m->create.len > 0 && ingest->options.creator != NULL ? gm_ingest_birth(ingest, m->twin, m->create, why) : GM_OK;
        if (st != GM_OK) return st;
        return gm_fail(why, GM_INVALID, WHERE, "there is no twin '" GM_STR_FMT "', and the mapping creates none", GM_STR_ARG(m->twin));
    }
    gm_time_ns       now, latest = gm_loop_now(ingest->options.loop) + ingest->options.future;
    gm_map_cell_list cells;
    if (gm_ingest_arrival(ingest, twin, &now) != GM_OK) return gm_fail(why, GM_NOMEM, WHERE, "a message");
    const gm_type *type = gm_state_type(gm_engine_state(ingest->engine), twin);
    gm_status      st   = gm_map_cells(m, type, now, latest, ingest->mapped, &cells, why);
    if (st != GM_OK) return st;
    return gm_engine_write(ingest->engine, twin, cells.flags, cells.items, cells.count, ask, why);
}

static gm_status apply_all(gm_ingest *ingest, gm_map *map, const updates *all, gm_str topic, gm_str payload, gm_ask ask,
                           gm_error *err)
{
    uint64_t hash = gm_str_hash(payload) ^ gm_str_hash(topic) * 3;
    size_t   from = ingest->partial.done > 0 && ingest->partial.hash == hash ? ingest->partial.done : 0;
    ingest->partial.done = 0;
    for (size_t i = from; i < all->count; i++) {
        gm_error  why  = { 0 };
        gm_ask    mine = i + 1 == all->count ? ask : (gm_ask){ 0 };
        gm_status st   = apply(ingest, all->items[i], mine, &why);
        if (st == GM_OK) {
            map->stats.applied++;
            ingest->stats.applied++;
            continue;
        }
        if (st == GM_INVALID) {
            count_refusal(map, why.text);
            st = gm_ingest_bury(ingest, topic, payload, mine, why.text, err);
        } else if (err != NULL) {
            *err = why;
        }
        if (st == GM_LIMIT) {  // comes back; what was done is not done again
            ingest->partial.hash = hash;
            ingest->partial.done = i;
        }
        if (st != GM_OK) return st;
    }
    if (all->count == 0 && ask.call != NULL) ask.call(ask.context, ask.token, GM_OK, NULL);
    return GM_OK;
}

gm_status gm_ingest_mapped(gm_ingest *ingest, gm_map *map, gm_str topic, gm_str payload, gm_ask ask, gm_error *err)
{
    gm_error why = { 0 };
    gm_arena_clear(ingest->mapped);
    updates   all = { .alloc = gm_arena_alloc(ingest->mapped) };
    gm_status st  = gm_map_read(map, topic, payload, ingest->mapped, collect, &all, &why);
    if (st == GM_INVALID) {
        st = gm_ingest_bury(ingest, topic, payload, ask, why.text, err);
        if (st == GM_OK) {
            map->stats.messages++;
            count_refusal(map, why.text);
        }
        return st;
    }
    if (st == GM_OK) st = make_twins(ingest, &all, &why);
    if (st != GM_OK) {
        if (err != NULL) *err = why;
        return st;
    }
    st = apply_all(ingest, map, &all, topic, payload, ask, err);
    if (st == GM_OK) map->stats.messages++;
    return st;
}
