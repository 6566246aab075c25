#include "insight/origin/candidates.h"

static const char   WHERE[] = "insight.origin";
static const double YEARS_5 = 5 * 365.25 * 86400;

gm_estimate_setup gm_origin_setup(const gm_estimate_setup *entry)
{
    gm_estimate_setup s = *entry;
    if (s.origins.measured.count > 0) s.measured = s.origins.measured;
    if (s.origins.follow_count > 0) {
        s.follow       = s.origins.follow;
        s.follow_count = s.origins.follow_count;
    }
    s.faults     = (gm_estimate_list){ 0 };
    s.case_count = 0;
    s.lag_s      = 0;
    return s;
}

static double rate_of(const gm_estimate_setup *s, const gm_origin_candidate *c, gm_str name)
{
    double every_s = YEARS_5;
    for (int exact = 0; exact < 2; exact++) {
        for (uint32_t i = 0; i < s->origins.rate_count; i++) {
            const gm_estimate_rate *r = &s->origins.rates[i];
            if (exact ? gm_str_eq(r->name, name) : gm_str_eq(r->name, c->mode) || (c->kind != GM_ORIGIN_FAULT && gm_str_is(r->name, "sensors"))) every_s = r->every_s;
        }
    }
    return 1 / every_s;
}

gm_status gm_origin_add(gm_arena *arena, const gm_estimate_setup *setup, gm_origin_candidate c, gm_origin_list *list, gm_error *err)
{
    if (list->count == GM_HUNT_CANDIDATES_MAX) return gm_fail(err, GM_LIMIT, WHERE, "more than %d faults to choose from", GM_HUNT_CANDIDATES_MAX);
    if (list->count == list->room) {
        uint32_t             room = list->room > 0 ? 2 * list->room : 64;
        gm_origin_candidate *more = GM_ARENA_NEW(arena, gm_origin_candidate, room);
        if (more == NULL) return gm_fail(err, GM_NOMEM, WHERE, "%u faults", room);
        if (list->count > 0) memcpy(more, list->items, list->count * sizeof *more);
        list->items = more;
        list->room  = room;
    }
    gm_str name = gm_arena_printf(arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(c.twin), GM_STR_ARG(c.mode));
    if (name.ptr == NULL || c.mode.ptr == NULL || c.inject.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "%u faults", list->count);
    if (!(c.rate > 0)) c.rate = rate_of(setup, &c, name);
    list->items[list->count++] = c;
    return GM_OK;
}

static gm_status add_faults(gm_arena *arena, const gm_estimate_setup *setup, const gm_group *group, gm_origin_list *out, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t m = 0; m < gm_group_twin_count(group); m++) {
        const gm_behavior_class *class = gm_group_class(group, m);
        gm_str                   id    = gm_group_twin_id(group, m);
        for (size_t i = 0; st == GM_OK && i < class->fault_count; i++) {
            gm_str mode = class->faults[i].name;
            st = gm_origin_add(arena, setup, (gm_origin_candidate){ .twin = id, .mode = mode, .kind = GM_ORIGIN_FAULT,
                               .inject = gm_arena_printf(arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(id), GM_STR_ARG(mode)) }, out, err);
        }
    }
    return st;
}

static gm_status add_sensors(gm_arena *arena, const gm_estimate_setup *setup, const gm_group *group, gm_origin_list *out, gm_error *err)
{
    uint32_t          count;
    const gm_binding *bindings = gm_group_bindings(group, &count);
    gm_status         st       = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < count; i++) {
        const gm_column *c    = &gm_group_type(group, bindings[i].member)->columns[bindings[i].column];
        gm_str           id   = gm_group_twin_id(group, bindings[i].member), name = gm_arena_printf(arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(id), GM_STR_ARG(c->path));
        bool             told = setup->measured.count == 0 && c->is_telemetry && c->kind == GM_KIND_DOUBLE && (bindings[i].role == GM_ROLE_STATE || bindings[i].role == GM_ROLE_OUTPUT);
        for (uint32_t k = 0; k < setup->measured.count; k++) told |= gm_str_eq(setup->measured.items[k].name, name);
        if (!told) continue;
        st = gm_origin_add(arena, setup, (gm_origin_candidate){ .twin = id, .kind = GM_ORIGIN_OFFSET, .mode = gm_arena_printf(arena, GM_STR_FMT ".offset", GM_STR_ARG(c->path)),
                           .inject = gm_arena_printf(arena, GM_STR_FMT "#offset", GM_STR_ARG(name)) }, out, err);
        if (st == GM_OK) st = gm_origin_add(arena, setup, (gm_origin_candidate){ .twin = id, .kind = GM_ORIGIN_FROZEN, .mode = gm_arena_printf(arena, GM_STR_FMT ".frozen", GM_STR_ARG(c->path)),
                           .inject = name }, out, err);
    }
    return st;
}

gm_status gm_origin_candidates(gm_arena *arena, const gm_estimate_setup *setup, const gm_group *group, gm_origin_list *out, gm_error *err)
{
    *out         = (gm_origin_list){ 0 };
    gm_status st = add_faults(arena, setup, group, out, err);
    return st == GM_OK ? add_sensors(arena, setup, group, out, err) : st;
}
