// From live values to a lane's slots.
#include "futures/group_parts.h"

#include <assert.h>

static const char WHERE[] = "futures.fork";

static bool read_live(void *context, gm_twin twin, uint32_t column, gm_value *out_value, gm_time_ns *out_source)
{
    gm_cell cell;
    gm_state_get(context, twin, column, &cell);
    *out_value  = cell.value;
    *out_source = cell.source;
    return cell.value.kind != GM_KIND_NONE;
}

gm_group_reader gm_group_live_reader(const gm_state *state)
{
    return (gm_group_reader){ read_live, (void *)(uintptr_t)state };
}

double gm_group_time(gm_time_ns at)
{
    const int64_t week = 7 * GM_DAY, monday = 4 * GM_DAY;  // 1970-01-05 was the first Monday
    int64_t       in   = ((at - monday) % week + week) % week;
    return (double)in / 1e9;
}

static gm_status prepare(const gm_alloc *alloc, gm_shape *s, gm_error *err)
{
    if (s->worker != NULL) return GM_OK;
    uint32_t        slots   = gm_program_slot_count(s->program);
    gm_plan_options options = gm_plan_options_defaults();
    options.method          = GM_METHOD_EULER;  // nothing is stepped
    gm_status st = GM_OK;
    if (s->starts == NULL) s->starts = gm_alloc_array(alloc, slots, sizeof *s->starts);
    if (s->starts == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "forking a group of twins");
    for (uint32_t i = 0; st == GM_OK && i < slots; i++)
        s->starts[i] = gm_program_slot(s->program, (gm_slot) { i })->start;
    if (st == GM_OK && s->plan == NULL) st = gm_plan_create(alloc, s->program, &options, &s->plan, err);
    if (st == GM_OK && s->lanes == NULL) st = gm_lanes_create(alloc, s->plan, 1, &s->lanes, err);
    if (st == GM_OK) st = gm_worker_create(alloc, s->plan, &s->worker, err);
    return st;
}

static bool number_of(const gm_value *value, double *out)
{
    switch (value->kind) {
    case GM_KIND_DOUBLE: *out = value->d; return true;
    case GM_KIND_INT: case GM_KIND_BOOL: *out = (double)value->i; return true;
    default: return false;
    }
}

static void take_time(gm_fork_report *report, gm_time_ns source)
{
    if (report->values == 0 || source < report->oldest) report->oldest = source;
    if (report->values == 0 || source > report->newest) report->newest = source;
    report->values++;
}

static gm_status begin(gm_group *g, gm_error *err)
{
    gm_shape *s = g->shape;
    gm_lanes_start(s->lanes, 0, s->worker, GM_START_FRESH);
    gm_lane_report lane = gm_lanes_report(s->lanes, 0);
    if (lane.status == GM_LANE_ACTIVE || lane.status == GM_LANE_TERMINATED) return GM_OK;
    uint32_t             count;
    const gm_check_info *checks = gm_program_checks(s->program, &count);
    gm_str               id     = gm_str_slice(g->ids[0], 0, 60);
    if (lane.status == GM_LANE_ASSERTED && lane.check < count)
        return gm_fail(err, GM_DIVERGED, WHERE, "the group of '" GM_STR_FMT "' can not begin: " GM_STR_FMT,
                       GM_STR_ARG(id), GM_STR_ARG(gm_str_slice(checks[lane.check].message, 0, 100)));
    return gm_fail(err, GM_DIVERGED, WHERE, "the group of '" GM_STR_FMT "' can not begin: %s", GM_STR_ARG(id),
                   lane.status == GM_LANE_UNSOLVED ? "its equations have no solution with these values"
                   : lane.status == GM_LANE_ZENO   ? "its events do not come to rest"
                                                   : "a value is no number");
}

gm_status gm_group_fork(gm_group *g, const gm_group_reader *reader, double time, double *out_slots,
                        gm_fork_report *out_report, gm_error *err)
{
    assert(g != NULL && reader != NULL && out_slots != NULL && out_report != NULL);
    gm_shape *s     = g->shape;
    uint32_t  slots = gm_program_slot_count(s->program);
    *out_report     = (gm_fork_report){ .first_missing = UINT32_MAX };
    gm_status st    = prepare(g->behaviors->alloc, s, err);
    if (st != GM_OK) return st;
    memcpy(out_slots, s->starts, slots * sizeof *out_slots);
    out_slots[GM_TIME_SLOT.v] = time;

    // What is known goes where the beginning reads it.
    for (uint32_t i = 0; i < s->binding_count; i++) {
        const gm_binding *b = &s->bindings[i];
        gm_value          value;
        gm_time_ns        source;
        double            x;
        if (b->given.v == GM_SLOT_NONE.v) continue;
        bool known = reader->read(reader->context, g->twins[b->member], b->column, &value, &source) &&
                     number_of(&value, &x);
        if (!known) {
            if (out_report->missing++ == 0) out_report->first_missing = i;
            continue;
        }
        take_time(out_report, source);
        out_slots[b->given.v] = x * b->given_factor + b->given_offset;
    }
    for (uint32_t i = 0; i < slots; i++) gm_lanes_fill(s->lanes, (gm_slot){ i }, out_slots[i]);
    st = begin(g, err);

    // An initial equation may have had another opinion about a state that is known: the live value wins.
    bool moved = false;
    for (uint32_t i = 0; i < s->binding_count; i++) {
        const gm_binding *b = &s->bindings[i];
        if (b->role != GM_ROLE_STATE || b->given.v == GM_SLOT_NONE.v) continue;
        if (gm_program_slot(s->program, b->slot)->kind == GM_SLOT_ALGEBRAIC) continue;
        double given = out_slots[b->given.v];
        double live =
            b->given.v == b->slot.v ? given : (given - b->given_offset) / b->given_factor * b->factor + b->offset;
        if (!(given < 1e300) || gm_lanes_get(s->lanes, b->slot, 0) == live) continue;
        gm_lanes_fill(s->lanes, b->slot, live);
        moved = true;
    }
    if (moved) gm_lanes_touch(s->lanes, 0, s->worker);
    gm_lanes_observe(s->lanes, 0, s->worker);
    for (uint32_t i = 0; i < slots; i++) out_slots[i] = gm_lanes_get(s->lanes, (gm_slot){ i }, 0);
    return st;
}
