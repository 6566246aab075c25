// Who watches what: types to columns, twins to slots, changes to detectors.
#include "insight/live/insight.h"

#include "insight/live/parts.h"
#include "insight/text_file.h"

#include <stdio.h>

enum { FILE_LIMIT = 1 << 20 };

static bool is_or_extends(const gm_type *type, gm_str interface)
{
    if (gm_str_eq(type->id, interface)) return true;
    for (size_t i = 0; i < type->base_count; i++)
        if (gm_str_eq(type->bases[i]->id, interface)) return true;
    return false;
}

static bool is_number(const gm_type *type, uint32_t column)
{
    gm_kind kind = type->columns[column].kind;
    return kind == GM_KIND_DOUBLE || kind == GM_KIND_INT || kind == GM_KIND_BOOL;
}

static void find_columns(const gm_lookout *asked, const gm_type *type, gm_placement *p)
{
    p->known = true;
    p->fits  = is_or_extends(type, asked->interface);
    for (uint32_t i = 0; p->fits && i < asked->count; i++) {
        p->columns[i] = gm_type_column_index(type, asked->properties[i]);
        p->fits       = p->columns[i] != GM_NO_COLUMN && is_number(type, p->columns[i]);
    }
    p->age = asked->age.len > 0 ? gm_type_column_index(type, asked->age) : GM_NO_COLUMN;
    p->failed = asked->failed.len > 0 ? gm_type_column_index(type, asked->failed) : GM_NO_COLUMN;
    for (int i = 0; i < GM_LOOKOUT_INTO; i++) {
        p->into[i] = asked->into[i].len > 0 ? gm_type_column_index(type, asked->into[i]) : GM_NO_COLUMN;
        if (p->into[i] != GM_NO_COLUMN && type->columns[p->into[i]].kind != GM_KIND_DOUBLE) p->into[i] = GM_NO_COLUMN;
    }
}

const gm_placement *gm_insight_place(gm_insight *insight, gm_lookout_state *l, const gm_type *type)
{
    size_t before = l->placement_count;
    if (type->number >= before) {
        if (!gm_alloc_reserve(insight->options.alloc, &l->placements, &l->placement_room, type->number + (size_t)1,
                              sizeof *l->placements))
            return NULL;
        l->placement_count = type->number + (size_t)1;
        memset(l->placements + before, 0, (l->placement_count - before) * sizeof *l->placements);
    }
    gm_placement *p = &l->placements[type->number];
    if (!p->known) find_columns(&l->asked, type, p);
    return p->fits ? p : NULL;
}

gm_slot *gm_insight_slot(gm_insight *insight, gm_lookout_state *l, gm_twin twin)
{
    if (twin.v < l->twin_room && l->slot_of[twin.v] != GM_INSIGHT_NOWHERE) return &l->slots[l->slot_of[twin.v]];
    size_t all = 0, before = l->twin_room;
    for (uint32_t i = 0; i < insight->lookout_count; i++) all += insight->lookouts[i].slot_count;
    if (all >= GM_INSIGHT_SLOTS_MAX) {
        insight->unwatched++;
        return NULL;
    }
    if (!gm_alloc_reserve(insight->options.alloc, &l->slot_of, &l->twin_room, twin.v + (size_t)1, sizeof *l->slot_of))
        return NULL;
    for (size_t i = before; i < l->twin_room; i++) l->slot_of[i] = GM_INSIGHT_NOWHERE;
    if (!gm_alloc_reserve(insight->options.alloc, &l->slots, &l->slot_room, l->slot_count + 1, sizeof *l->slots))
        return NULL;
    l->slots[l->slot_count] = (gm_slot) { .twin = twin };
    l->slot_of[twin.v]      = (uint32_t)l->slot_count;
    return &l->slots[l->slot_count++];
}

static bool touches(const gm_placement *p, uint32_t count, const gm_change *change)
{
    const uint8_t *at = change->cells;
    gm_cell_write  cell;
    while (gm_change_next_cell(change, &at, &cell))
        for (uint32_t i = 0; i < count; i++)
            if (p->columns[i] == cell.column) return true;
    return false;
}

static bool writes(const gm_change *change, uint32_t column)
{
    const uint8_t *at = change->cells;
    gm_cell_write  cell;
    while (gm_change_next_cell(change, &at, &cell))
        if (cell.column == column) return true;
    return false;
}

static void forget_twin(gm_insight *insight, gm_twin twin)
{
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_lookout_state *l = &insight->lookouts[i];
        if (twin.v >= l->twin_room || l->slot_of[twin.v] == GM_INSIGHT_NOWHERE) continue;
        gm_slot *slot = &l->slots[l->slot_of[twin.v]];
        gm_insight_forget_detector(insight, l, slot);
        if (slot->queued) insight->waiting--;
        // The last one takes its place.
        l->slot_of[twin.v] = GM_INSIGHT_NOWHERE;
        *slot              = l->slots[--l->slot_count];
        if (slot != &l->slots[l->slot_count]) l->slot_of[slot->twin.v] = (uint32_t)(slot - l->slots);
    }
    for (size_t i = 0; i < insight->life_count; i++)
        if (insight->lives[i].twin.v == twin.v) insight->lives[i--] = insight->lives[--insight->life_count];
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_insight     *insight = context;
    const gm_state *state   = gm_engine_state(insight->options.engine);
    gm_twin         twin    = { change->twin };
    (void)record;
    if (change->kind == GM_CHANGE_TWIN_DELETE) forget_twin(insight, twin);
    if (change->kind != GM_CHANGE_WRITE || !gm_state_exists(state, twin)) return;
    const gm_type *type = gm_state_type(state, twin);
    if (type->number != change->type) return;
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_lookout_state   *l     = &insight->lookouts[i];
        const gm_placement *place = gm_insight_place(insight, l, type);
        if (place != NULL && place->failed != GM_NO_COLUMN && writes(change, place->failed)) {
            l->look = true;
            gm_insight_retrain_soon(insight);
        }
        if (place == NULL || !touches(place, l->asked.count, change)) continue;
        if (l->asked.kind != GM_LOOKOUT_LIFE) {
            gm_insight_detect(insight, l, place, change);
            continue;
        }
        gm_slot *slot = gm_insight_slot(insight, l, twin);
        if (slot != NULL) gm_insight_queue(insight, l, slot);
    }
}

// ---- files
// ------------------------------------------------------------------------------------------------------------

static gm_status read_file(void *context, gm_str name, gm_error *err)
{
    gm_insight *insight = context;
    if (!gm_str_ends(name, GM_STR(".json"))) return GM_OK;
    gm_str path = gm_arena_printf(insight->arena, GM_STR_FMT "/insight/" GM_STR_FMT, GM_STR_ARG(insight->options.plant),
                                  GM_STR_ARG(name));
    gm_buf text = gm_buf_init(insight->options.alloc);
    gm_lookout all[GM_LOOKOUTS_MAX];
    uint32_t   count = 0;
    gm_error   why   = { 0 };
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.live", "reading insight/");
    gm_status st = gm_text_file_read(insight->options.io, path.ptr, FILE_LIMIT, &text, &why);
    if (st == GM_OK) st = gm_lookouts_parse(insight->arena, gm_buf_view(&text), all, &count, &why);
    gm_buf_finish(&text);
    if (st != GM_OK)
        return gm_fail(err, st, "insight.live", "insight/" GM_STR_FMT ": %.150s", GM_STR_ARG(gm_str_slice(name, 0, 40)),
                       why.text);
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].kind == GM_LOOKOUT_WEAR) continue;  // live/wear.h
        if (insight->lookout_count == GM_LOOKOUTS_MAX)
            return gm_fail(err, GM_LIMIT, "insight.live", "insight/ asks for more than %d detectors and models",
                           GM_LOOKOUTS_MAX);
        insight->lookouts[insight->lookout_count++].asked = all[i];
    }
    return GM_OK;
}

gm_status gm_insight_create(const gm_insight_options *options, gm_insight **out, gm_error *err)
{
    gm_insight *insight = gm_alloc_zeroed(options->alloc, sizeof *insight);
    *out                = NULL;
    if (insight == NULL) return gm_fail(err, GM_NOMEM, "insight.live", "starting");
    insight->options = *options;
    insight->scratch = gm_buf_init(options->alloc);
    insight->arena   = gm_arena_create(options->alloc, 0);
    gm_str    folder = insight->arena != NULL
                           ? gm_arena_printf(insight->arena, GM_STR_FMT "/insight", GM_STR_ARG(options->plant))
                           : (gm_str) { 0 };
    gm_status st     = folder.ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.live", "starting");
    gm_error  why    = { 0 };
    if (st == GM_OK) st = gm_anomalies_create(options->alloc, options->engine, &insight->anomalies, err);
    if (st == GM_OK) {
        // A plant without the folder asks for nothing.
        gm_status listed = options->io->list(options->io, folder.ptr, read_file, insight, &why);
        if (listed != GM_OK && listed != GM_NOTFOUND && !(listed == GM_IO && insight->lookout_count == 0)) {
            st = listed;
            if (err != NULL) *err = why;
        }
    }
    if (st == GM_OK)
        *out = insight;
    else
        gm_insight_destroy(insight);
    return st;
}

// Twins that were there before: their last state is as good as a change.
static void queue_all(gm_insight *insight)
{
    const gm_state *state = gm_engine_state(insight->options.engine);
    for (uint32_t v = 0; v < gm_state_next_twin(state); v++) {
        if (!gm_state_exists(state, (gm_twin) { v })) continue;
        for (uint32_t i = 0; i < insight->lookout_count; i++) {
            gm_lookout_state *l = &insight->lookouts[i];
            if (l->asked.kind != GM_LOOKOUT_LIFE || l->model == NULL) continue;
            if (gm_insight_place(insight, l, gm_state_type(state, (gm_twin) { v })) == NULL) continue;
            gm_slot *slot = gm_insight_slot(insight, l, (gm_twin) { v });
            if (slot != NULL) gm_insight_queue(insight, l, slot);
        }
    }
}

gm_status gm_insight_start(gm_insight *insight, gm_pool *pool, gm_error *err)
{
    insight->pool = pool;
    if (insight->lookout_count == 0) return GM_OK;
    gm_status st = gm_insight_load_models(insight, err);
    if (st == GM_OK) st = gm_engine_observe(insight->options.engine, observe, insight, err);
    insight->observing = st == GM_OK;
    if (st == GM_OK) {
        queue_all(insight);
        gm_insight_retrain_watch(insight);
    }
    return st;
}

void gm_insight_reload(gm_insight *insight)
{
    gm_error why = { 0 };
    if (gm_insight_load_models(insight, &why) != GM_OK)
        snprintf(insight->trouble, sizeof insight->trouble, "%s", why.text);
    queue_all(insight);
}

void gm_insight_stop(gm_insight *insight)
{
    if (insight == NULL) return;
    insight->ending = true;
    if (insight->observing) gm_engine_unobserve(insight->options.engine, observe, insight);
    if (insight->scheduled) gm_engine_never(insight->options.engine, gm_insight_predict_some, insight);
    gm_insight_retrain_stop(insight);
    insight->observing = insight->scheduled = false;
}

void gm_insight_destroy(gm_insight *insight)
{
    if (insight == NULL) return;
    const gm_alloc *alloc = insight->options.alloc;
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_lookout_state *l = &insight->lookouts[i];
        for (size_t k = 0; k < l->slot_count; k++) gm_insight_forget_detector(insight, l, &l->slots[k]);
        gm_free(alloc, l->slots);
        gm_free(alloc, l->slot_of);
        gm_free(alloc, l->placements);
        gm_rul_destroy(l->model);
    }
    gm_anomalies_destroy(insight->anomalies);
    gm_free(alloc, insight->lives);
    gm_buf_finish(&insight->scratch);
    gm_arena_destroy(insight->arena);
    gm_free(alloc, insight);
}

gm_anomalies *gm_insight_anomalies(const gm_insight *insight)
{
    return insight->anomalies;
}

gm_insight_stats gm_insight_statistics(const gm_insight *insight)
{
    gm_insight_stats s = { .predictions = insight->predictions,
                           .waiting     = insight->waiting,
                           .busy        = insight->job != NULL || insight->scheduled,
                           .unwatched   = insight->unwatched,
                           .trouble     = insight->trouble };
    for (uint32_t i = 0; i < insight->lookout_count; i++) s.slots += insight->lookouts[i].slot_count;
    return s;
}
