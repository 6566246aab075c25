// A standby group in a tree of independent events. Which units are down at the horizon has the joint law of the group's chain
// (markov.h). Unit i is down, given that F of those before it are, with a probability p(F); it is made of events "after S" for the sets S:
//
//   unit i = or over S of (all of S and event(i, S)),     1 - p(F) = product over S in F of (1 - e(i, S))
//
// which gives each e from those of smaller sets. That all of them lie in 0..1 is so where every failure makes others likelier; where it is
// not, the unit is made of one event for each F and the units outside of F being up, which is exact for any law.
#include "failure/markov.h"
#include "failure/tree_parts.h"

#include <math.h>
#include <stdio.h>

_Static_assert((int)GM_STANDBY_MAX <= (int)GM_STANDBY_UNITS_MAX, "its chain can be solved");
enum { CONTEXTS = 1 << (GM_STANDBY_MAX - 1) };

typedef struct unit_law { double p[CONTEXTS]; double weight[CONTEXTS]; } unit_law;  // by the set F of those before it that are down

typedef struct joint { uint32_t count; unit_law units[GM_STANDBY_MAX]; } joint;

static void find_joint(const gm_standby_group *g, double horizon_h, joint *out)
{
    double states[GM_STANDBY_STATES_MAX];
    gm_standby_at(g, horizon_h, states);
    *out = (joint){ .count = g->count };
    for (uint32_t s = 0; s < 1u << g->count; s++)
        for (uint32_t i = 0; i < g->count; i++) {
            unit_law *u = &out->units[i];
            uint32_t  f = s & ((1u << i) - 1);
            u->weight[f] += states[s];
            if ((s >> i & 1) != 0) u->p[f] += states[s];
        }
    for (uint32_t i = 0; i < g->count; i++)
        for (uint32_t f = 0; f < 1u << i; f++) out->units[i].p[f] = out->units[i].weight[f] > 0 ? fmin(out->units[i].p[f] / out->units[i].weight[f], 1) : 0;
}

// p(F) to e(S). False: one of them would be negative.
static bool to_events(const unit_law *u, uint32_t i, double *e)
{
    for (uint32_t f = 0; f < 1u << i; f++) {  // subsets have smaller numbers
        double rest = 1;
        e[f]        = 0;
        for (uint32_t s = 0; s < f; s++)
            if ((s & ~f) == 0) rest *= 1 - e[s];
        if (u->weight[f] <= 0 || rest <= 0) continue;  // never met, or sure already
        e[f] = 1 - (1 - u->p[f]) / rest;
        if (f > 0 && rest == 1) e[f] = u->p[f];        // the same without losing digits
        if (e[f] < -1e-9) return false;
        e[f] = fmin(fmax(e[f], 0), 1);
    }
    e[0] = u->p[0];
    return true;
}

static gm_str name_event(const gm_tree_maker *m, const gm_twin *units, uint32_t i, uint32_t set, char *out, size_t room)
{
    gm_str id   = gm_str_slice(gm_state_id(m->at->state, units[i]), 0, 128);
    int    used = snprintf(out, room, GM_STR_FMT ": %s", GM_STR_ARG(id), set == 0 ? "by itself" : "after");
    for (uint32_t k = 0; k < i; k++) {
        if ((set >> k & 1) == 0) continue;
        id = gm_str_slice(gm_state_id(m->at->state, units[k]), 0, 128);
        used += snprintf(out + used, room - (size_t)used, " " GM_STR_FMT, GM_STR_ARG(id));
    }
    return (gm_str){ out, (size_t)used };
}

// What unit i is made of. laws[0]: nothing repaired; laws[1]: with repair.
static gm_tree_edge make_unit(gm_tree_maker *m, const gm_twin *units, uint32_t i, const joint laws[2], bool stands)
{
    double        e[2][CONTEXTS];
    bool          rising = to_events(&laws[0].units[i], i, e[0]) && to_events(&laws[1].units[i], i, e[1]);
    gm_tree_edges ways   = { 0 };
    for (uint32_t f = 0; f < 1u << i && m->st == GM_OK; f++) {
        char         name[(GM_STANDBY_MAX + 1) * 140];
        gm_tree_edge all[GM_STANDBY_MAX];
        size_t       count = 0;
        double       p = rising ? e[0][f] : laws[0].units[i].p[f], q = rising ? e[1][f] : laws[1].units[i].p[f];
        if (p == 0 && q == 0) continue;
        gm_failure_event event = { .twin = units[i], .mode = GM_NONE, .probability = p, .unavailability = q, .stands = stands && f == 0, .known = true };
        all[count++]           = gm_tree_event(m, &event, name_event(m, units, i, f, name, sizeof name), (gm_str){ 0 });
        for (uint32_t k = 0; k < i; k++) {
            gm_tree_edge other = m->members[m->place[units[k].v] - 1].own;
            if ((f >> k & 1) != 0) all[count++] = other;
            else if (!rising) all[count++] = gm_tree_not(other);
        }
        gm_tree_put(m, &ways, count == 1 ? all[0] : gm_tree_gate(m, GM_GATE_AND, 0, all, count));
    }
    gm_tree_edge unit = m->st != GM_OK || ways.count == 0 ? gm_tree_constant(m, false) : ways.count == 1 ? ways.items[0] : gm_tree_gate(m, GM_GATE_OR, 0, ways.items, ways.count);
    gm_free(m->out->alloc, ways.items);
    return unit;
}

// The rates of what can be in a chain: constant ones, and those that a horizon makes constant.
static gm_standby_unit unit_of(gm_tree_maker *m, gm_twin twin)
{
    const gm_failure_modes *all  = gm_failures_modes(m->failures);
    const gm_failure_kind  *kind = gm_failures_kind(m->failures, gm_state_type(m->at->state, twin));
    gm_standby_unit                 u    = { 0 };
    double                  hours = 0;  // of repair, weighted by rates
    bool                    endless = false;
    for (uint32_t i = 0; kind != NULL && i < kind->mode_count; i++) {
        const gm_failure_mode *mode = &all->modes[kind->modes[i]];
        if (mode->effect != GM_EFFECT_STOPS || mode->law == GM_MODE_PROBABILITY || !gm_failures_mode_is_about(m->failures, m->at->state, kind->modes[i], twin)) continue;
        gm_tree_own own  = gm_tree_own_mode(m, twin, kind->modes[i]);
        double      rate = own.chance.rate * (1 - own.beta);
        u.down           = u.down || own.chance.stands;
        u.rate += rate;
        hours += rate * mode->repair_h;
        endless = endless || (mode->repair_h <= 0 && rate > 0);
    }
    if (!endless && hours > 0) u.repair = u.rate / hours;
    return u;
}

static double order_of(const gm_tree_maker *m, gm_twin twin, gm_str path)
{
    uint32_t column = gm_type_column_index(gm_state_type(m->at->state, twin), path);
    gm_cell  cell;
    if (path.len == 0 || column == GM_NO_COLUMN) return 0;
    gm_state_get(m->at->state, twin, column, &cell);
    return cell.value.kind == GM_KIND_DOUBLE ? cell.value.d : cell.value.kind == GM_KIND_INT ? (double)cell.value.i : HUGE_VAL;
}

bool gm_tree_standby(gm_tree_maker *m, uint32_t need, const gm_twin *neighbours, uint32_t count)
{
    const gm_failure_need *n = &gm_failures_modes(m->failures)->needs[need];
    gm_twin                twins[GM_STANDBY_MAX];
    gm_standby_unit                units[GM_STANDBY_MAX], lasting[GM_STANDBY_MAX];
    joint                  laws[2];
    if (count > GM_STANDBY_MAX) return false;
    // Sorted by insertion, so that equals keep the order of their relationships.
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && order_of(m, twins[at - 1], n->order) > order_of(m, neighbours[i], n->order); at--) twins[at] = twins[at - 1];
        twins[at] = neighbours[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        gm_tree_member *x = gm_tree_member_of(m, twins[i]);
        if (x == NULL || x->grouped || x->expanded) return false;
        for (uint32_t k = 0; k < i; k++)
            if (twins[k].v == twins[i].v) return false;
    }
    gm_standby_group group = { .count = count, .working = n->working, .waiting = n->waiting, .switching = n->switching, .fails_now = GM_STANDBY_NOBODY };
    for (uint32_t i = 0; i < count; i++) {
        units[i]   = unit_of(m, twins[i]);
        if (twins[i].v == m->options->given.v) {
            group.fails_now = i;
            units[i].repair = 0;
        }
        lasting[i]        = units[i];
        lasting[i].repair = 0;
    }
    group.units = lasting;
    find_joint(&group, m->options->horizon_h, &laws[0]);
    group.units = units;
    find_joint(&group, m->options->horizon_h, &laws[1]);
    for (uint32_t i = 0; i < count && m->st == GM_OK; i++) {
        gm_tree_edge    own = make_unit(m, twins, i, laws, units[i].down);
        gm_tree_member *x   = &m->members[m->place[twins[i].v] - 1];
        x->grouped = true;
        x->own     = own;
    }
    return m->st == GM_OK;
}
