// Groups and filters of the estimates: opened when the plant begins and whenever its graph has changed.
#include "insight/live/estimates_parts.h"

#include "physics/modelica/diag.h"

#include <math.h>
#include <stdio.h>

void gm_estimates_close_entry(const gm_estimates *e, gm_estimates_entry *x)
{
    gm_vigil_destroy(x->vigil);
    if (x->group != NULL) gm_group_close(x->group);
    void *const all[] = { x->variables, x->signals, x->faults, x->fault_twins, x->spread_means, x->spread_numbers };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(e->options.alloc, all[i]);
    x->vigil          = NULL;
    x->group          = NULL;
    x->variables      = NULL;
    x->signals        = NULL;
    x->faults         = NULL;
    x->fault_twins    = NULL;
    x->spread_means   = NULL;
    x->spread_numbers = NULL;
    x->spread         = (gm_estimates_spread){ 0 };
    x->variable_count = x->signal_count = x->fault_count = 0;
    x->inbox_count    = 0;
    x->alarm          = false;
    x->wrong_since    = 0;
    x->case_count     = 0;
}

// Where a parameter was: the last estimate, else the property that kept it.
static bool known_before(const gm_estimates *e, const gm_estimates_entry *x, const gm_estimates_variable *old, uint32_t old_count, const gm_estimate_ask *ask,
                         uint32_t member, double *out)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    gm_cell         cell;
    for (uint32_t i = 0; i < old_count; i++)
        if (gm_str_eq(old[i].name, ask->name)) return *out = old[i].value.mean, true;
    if (ask->into[0].len == 0) return false;
    gm_twin  twin   = gm_group_twin(x->group, member);
    uint32_t column = gm_type_column_index(gm_state_type(state, twin), ask->into[0]);
    if (column == GM_NO_COLUMN) return false;
    gm_state_get(state, twin, column, &cell);
    *out = cell.value.d;
    return cell.value.kind == GM_KIND_DOUBLE && isfinite(*out);
}

static void seed_parameters(const gm_estimates *e, const gm_estimates_entry *x, const gm_estimates_variable *old, uint32_t old_count, double *slots)
{
    for (uint32_t i = 0; i < x->setup->parameters.count; i++) {
        const gm_estimate_ask *ask = &x->setup->parameters.items[i];
        gm_group_variable      v;
        double                 value;
        if (!gm_group_find(x->group, ask->name, &v) || v.set.v == GM_SLOT_NONE.v) continue;
        if (!known_before(e, x, old, old_count, ask, v.member, &value)) continue;
        double slot = value * v.set_factor + v.set_offset;
        if (!ask->log || slot > 0) slots[v.set.v] = slot;
    }
}

static gm_status make_tables(const gm_estimates *e, gm_estimates_entry *x, gm_error *err)
{
    const gm_estimate_model  *model = gm_vigil_model(x->vigil);
    const gm_estimate_part   *parts = gm_estimate_model_parts(model, &x->variable_count);
    const gm_estimate_signal *signals = gm_estimate_model_signals(model, &x->signal_count);
    const gm_alloc           *a = e->options.alloc;
    x->fault_count = x->setup->faults.count;
    x->variables   = gm_alloc_zeroed(a, (x->variable_count + (size_t)1) * sizeof *x->variables);
    x->signals     = gm_alloc_zeroed(a, (x->signal_count + (size_t)1) * sizeof *x->signals);
    x->faults      = gm_alloc_zeroed(a, (x->fault_count + (size_t)1) * sizeof *x->faults);
    x->fault_twins = gm_alloc_zeroed(a, (x->fault_count + (size_t)1) * sizeof *x->fault_twins);
    if (x->variables == NULL || x->signals == NULL || x->faults == NULL || x->fault_twins == NULL)
        return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
    for (uint32_t i = 0; i < x->variable_count; i++) {
        uint32_t member = parts[i].member != UINT32_MAX ? parts[i].member : gm_group_member(x->group, gm_str_slice(parts[i].name, 0, gm_str_find_char(parts[i].name, '.')));
        x->variables[i] = (gm_estimates_variable){ .name = parts[i].name, .unit = parts[i].unit, .into = parts[i].into, .kind = parts[i].kind,
                                                   .twin = gm_group_twin(x->group, member != UINT32_MAX ? member : 0) };
    }
    for (uint32_t i = 0; i < x->signal_count; i++)
        x->signals[i] = (gm_estimates_signal){ .name = signals[i].name, .unit = signals[i].unit, .into = signals[i].into, .twin = signals[i].twin, .column = signals[i].column };
    return GM_OK;
}

// Room for the joint distribution of the parts, as the filter keeps it.
static gm_status make_spread(const gm_estimates *e, gm_estimates_entry *x, gm_error *err)
{
    const gm_estimator *f = gm_vigil_estimator(x->vigil);
    uint32_t            n = gm_estimator_count(f), members;
    (void)gm_estimator_members(f, &members);
    x->spread_means   = gm_alloc_array(e->options.alloc, n + (size_t)1, sizeof *x->spread_means);
    x->spread_numbers = gm_alloc_array(e->options.alloc, (size_t)n * (members > 0 ? members : n) + 1, sizeof *x->spread_numbers);
    if (x->spread_means == NULL || x->spread_numbers == NULL) return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
    x->spread = (gm_estimates_spread){ .name = x->setup->name,
                                       .spread = { .parts = gm_estimate_model_parts(gm_vigil_model(x->vigil), &n), .count = n, .means = x->spread_means,
                                                   .factor = members > 0 ? NULL : x->spread_numbers, .members = members > 0 ? x->spread_numbers : NULL,
                                                   .member_count = members } };
    return GM_OK;
}

static bool has_share(const gm_estimates *e, gm_twin twin, uint32_t entry)
{
    for (uint32_t k = gm_estimates_first(e, twin); k > 0; k = e->shares[k - 1].next)
        if (e->shares[k - 1].entry == entry) return true;
    return false;
}

// From now on what happens to the group's twins concerns the entry.
static gm_status add_shares(gm_estimates *e, const gm_estimates_entry *x, gm_error *err)
{
    const gm_alloc *a = e->options.alloc;
    for (uint32_t m = 0; m < gm_group_twin_count(x->group); m++) {
        gm_twin twin   = gm_group_twin(x->group, m);
        size_t  before = e->twin_room;
        if (has_share(e, twin, (uint32_t)(x - e->entries))) continue;
        if (!gm_alloc_reserve(a, &e->first_share, &e->twin_room, twin.v + (size_t)1, sizeof *e->first_share) ||
            !gm_alloc_reserve(a, &e->shares, &e->share_room, e->share_count + 1, sizeof *e->shares))
            return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
        for (size_t i = before; i < e->twin_room; i++) e->first_share[i] = 0;
        e->shares[e->share_count++] = (gm_estimates_share){ (uint32_t)(x - e->entries), e->first_share[twin.v] };
        e->first_share[twin.v]      = (uint32_t)e->share_count;
    }
    return GM_OK;
}

// A twin in the middle of a state that is still to be told: the first measurements decide, so it begins when one comes.
static gm_status open_vigil(gm_estimates *e, gm_estimates_entry *x, const gm_estimates_variable *old, uint32_t old_count, gm_error *err)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    gm_twin         root  = gm_state_find(state, x->setup->root);
    gm_diags        diags;
    gm_fork_report  report;
    if (!gm_twin_ok(root)) return gm_fail(err, GM_NOTFOUND, "insight.estimates", "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(x->setup->root, 0, 80)));
    if (e->options.behaviors == NULL) return gm_fail(err, GM_NOTFOUND, "insight.estimates", "the plant has no behaviors");
    gm_diags_init(&diags, e->options.alloc);
    gm_status st = gm_group_open(e->options.behaviors, state, root, &diags, &x->group, err);
    if (st == GM_INVALID && diags.errors > 0) (void)gm_diags_fail(&diags, err);
    gm_diags_finish(&diags);
    if (st != GM_OK) return st;
    gm_group_reader reader = gm_group_live_reader(state);
    double         *slots  = gm_alloc_array(e->options.alloc, gm_program_slot_count(gm_group_program(x->group)), sizeof *slots);
    gm_time_ns      at     = x->newest;
    if (slots == NULL) return gm_fail(err, GM_NOMEM, "insight.estimates", "beginning an estimate");
    st = gm_group_fork(x->group, &reader, gm_group_time(at), slots, &report, err);
    // The state is as of its newest value; what is older is history.
    if (st == GM_OK && report.newest > at) {
        at                    = report.newest;
        slots[GM_TIME_SLOT.v] = gm_group_time(at);
    }
    // A filter that began in 1970 would have to run through all the years since.
    x->unmeasured = st == GM_OK && at == 0;
    if (x->unmeasured) st = add_shares(e, x, err);
    if (x->unmeasured && st == GM_OK) st = gm_fail(err, GM_NOTFOUND, "insight.estimates", "nothing has been measured yet");
    if (st == GM_OK) seed_parameters(e, x, old, old_count, slots);
    if (st == GM_OK) st = gm_vigil_create(e->options.alloc, x->setup, x->group, slots, at, &x->vigil, err);
    gm_free(e->options.alloc, slots);
    if (st == GM_OK) st = make_tables(e, x, err);
    if (st == GM_OK) st = make_spread(e, x, err);
    return st == GM_OK ? add_shares(e, x, err) : st;
}

void gm_estimates_open_entry(gm_estimates *e, gm_estimates_entry *x)
{
    gm_error               why   = { 0 };
    gm_estimates_end_told(e, x);
    gm_estimates_variable *old   = x->variables;
    uint32_t               count = x->variable_count;
    x->variables  = NULL;  // kept until their values have been taken over; names are the old model's
    gm_vigil *before = x->vigil;
    gm_group *group  = x->group;
    x->vigil = NULL;
    x->group = NULL;
    gm_estimates_close_entry(e, x);
    x->stale      = false;
    x->trouble[0] = '\0';
    if (open_vigil(e, x, old, count, &why) != GM_OK) {
        gm_estimates_close_entry(e, x);
        snprintf(x->trouble, sizeof x->trouble, "%s", why.text);
    } else gm_estimates_show(e, x);
    gm_vigil_destroy(before);
    if (group != NULL) gm_group_close(group);
    gm_free(e->options.alloc, old);
}
