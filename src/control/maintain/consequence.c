#include "control/maintain/consequence.h"

#include "failure/impact.h"

#include <math.h>

static const char WHERE[] = "control.maintain";

// A need that lost some with at least one asset, and was still met.
typedef struct redundancy {
    gm_twin   twin;
    uint32_t  need, may_go;    // how many more than needed there are
    uint32_t  most_lost;       // by one asset
    uint32_t *members;         // [count] assets
    uint32_t  count;
    size_t    capacity;
} redundancy;

typedef struct looking {
    const gm_maintain_world *world;
    gm_arena                *arena;
    gm_alloc                 alloc;   // the arena's
    gm_maintain_case        *c;
    redundancy              *found;
    size_t                   count, capacity;
} looking;

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "following failures"); }

static gm_status follow(const looking *l, const gm_maintain_asset *a, double hours, gm_impact *out, gm_error *err)
{
    gm_impact_options o = gm_impact_options_defaults(l->world->clock);
    o.horizon           = (gm_dur_ns)(hours * (double)GM_HOUR);
    o.exact_max         = 0;  // what may happen with one failure more is not counted: the plan sees to it that there is none of its own
    return gm_impact_find(l->world->failures, l->world->moment, a->twin, &o, out, err);
}

static gm_status note_spare(looking *l, uint32_t asset, const gm_impact_spare *s, gm_error *err)
{
    size_t i = 0;
    if (s->need == GM_IMPACT_GATE) return GM_OK;  // of a fault tree: its inputs are events, not who stands in for whom
    while (i < l->count && (l->found[i].twin.v != s->twin.v || l->found[i].need != s->need)) i++;
    if (i == l->count) {
        if (!gm_alloc_reserve(&l->alloc, &l->found, &l->capacity, l->count + 1, sizeof *l->found)) return no_memory(err);
        l->found[l->count++] = (redundancy){ .twin = s->twin, .need = s->need, .may_go = s->of - s->needed };
    }
    redundancy *r    = &l->found[i];
    uint32_t    lost = s->of - s->working;
    if (!gm_alloc_reserve(&l->alloc, &r->members, &r->capacity, r->count + 1, sizeof *r->members)) return no_memory(err);
    r->members[r->count++] = asset;
    if (lost > r->most_lost) r->most_lost = lost;
    return GM_OK;
}

// What is lost when it is out for so long, of what stops for sure.
static double lost_within(const gm_impact *impact, double hours)
{
    double sum = 0;
    for (size_t i = 0; i < impact->count; i++) {
        const gm_impact_item *item = &impact->items[i];
        double                left = hours - item->delay_s / 3600;
        if (item->certain && item->effect == GM_EFFECT_STOPS && item->loss != NULL && left >= 0) sum += item->loss->cost + item->loss->cost_per_h * left;
    }
    return sum;
}

// One walk as far as the longer of the two; where that is too much to be listed, a walk for each.
static gm_status lose(const looking *l, const gm_maintain_asset *a, const gm_impact *longest, double hours, double *out, gm_error *err)
{
    gm_impact impact;
    *out = lost_within(longest, hours);
    if (!longest->more) return GM_OK;
    gm_status st = follow(l, a, hours, &impact, err);
    if (st != GM_OK) return st;
    *out = impact.cost;
    gm_impact_finish(&impact);
    return GM_OK;
}

// Money that is lost while it is out, failed and for planned work; and who stands in for it.
static gm_status look_at(looking *l, uint32_t index, gm_error *err)
{
    gm_maintain_asset      *a    = &l->c->assets[index];
    const gm_maintain_kind *k    = a->kind;
    double                  work = 0;
    gm_impact               impact;
    gm_status               st = follow(l, a, fmax(k->failure_lasts_h, k->lasts_h), &impact, err);
    if (st != GM_OK) return st;
    st = lose(l, a, &impact, k->failure_lasts_h, &a->impact, err);
    if (st == GM_OK && l->c->request->outage_count == 0) st = lose(l, a, &impact, k->lasts_h, &work, err);
    for (size_t i = 0; st == GM_OK && i < impact.spare_count; i++) st = note_spare(l, index, &impact.spares[i], err);
    a->stops = (uint32_t)impact.stops;
    a->failure_cost += a->impact;
    a->planned_cost += work;
    gm_impact_finish(&impact);
    return st;
}

// "one pump of vessel"
static gm_str name_of(const looking *l, const redundancy *r)
{
    const gm_failure_need *need = &gm_failures_modes(l->world->failures)->needs[r->need];
    gm_str                 id   = gm_state_id(l->world->state, r->twin);
    return gm_arena_printf(l->arena, GM_STR_FMT " of " GM_STR_FMT, GM_STR_ARG(need->name), GM_STR_ARG(id));
}

// Those that bind: one more asset than may go could go. Where one asset takes several along, it counts as if each did.
static gm_status add_groups(looking *l, gm_error *err)
{
    gm_maintain_case *c   = l->c;
    gm_window_group  *all = GM_ARENA_NEW(l->arena, gm_window_group, c->group_count + l->count + 1);
    if (all == NULL) return no_memory(err);
    for (uint32_t i = 0; i < c->group_count; i++) all[i] = c->groups[i];
    for (size_t i = 0; i < l->count; i++) {
        const redundancy *r   = &l->found[i];
        uint32_t          out = r->may_go / r->most_lost;
        if (out >= r->count) continue;
        if (c->group_count == GM_WINDOWS_JOBS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "more than %d redundant groups; plan fewer assets together", GM_WINDOWS_JOBS_MAX);
        gm_window_group g = { name_of(l, r), r->members, r->count, out };
        if (g.name.ptr == NULL) return no_memory(err);
        all[c->group_count++] = g;
    }
    c->groups = all;
    return GM_OK;
}

gm_status gm_maintain_consequences(const gm_maintain_world *world, gm_arena *arena, gm_maintain_case *io, gm_error *err)
{
    looking   l     = { .world = world, .arena = arena, .alloc = gm_arena_alloc(arena), .c = io };
    bool      known = world->failures != NULL && world->moment != NULL && io->request->modes;
    gm_status st    = GM_OK;
    if (known) known = gm_failures_modes(world->failures)->loss_count + gm_failures_modes(world->failures)->need_count > 0;
    for (uint32_t i = 0; st == GM_OK && known && i < io->asset_count; i++) st = look_at(&l, i, err);
    for (uint32_t i = 0; st == GM_OK && i < io->asset_count; i++) {
        const gm_maintain_asset *a = &io->assets[i];
        if (a->kind->failure_stated || a->failure_cost > 0) continue;
        st = gm_fail(err, GM_INVALID, WHERE, "nothing says what the failure of '" GM_STR_FMT "' costs: no \"cost\" in \"failure\", and no loss of what stops with it (rules/*.modes)",
                     GM_STR_ARG(gm_str_slice(a->id, 0, 60)));
    }
    return st == GM_OK && l.count > 0 ? add_groups(&l, err) : st;
}
