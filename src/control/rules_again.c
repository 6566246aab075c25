// `again every T`: while a rule is on, what it wants of the world and the world has not become is asked for again.
#include "control/rules_parts.h"

// Is the property as the action wants it? A step wants nothing more once it is at its limit.
static bool holds(const gm_state *state, gm_twin twin, const gm_action *action)
{
    if (!gm_twin_ok(twin) || !gm_state_exists(state, twin)) return true;  // nobody is there to ask
    uint32_t column = gm_type_column_index(gm_state_type(state, twin), action->name);
    gm_cell  cell;
    if (column == GM_NO_COLUMN) return false;
    gm_state_get(state, twin, column, &cell);
    double number    = cell.value.kind == GM_KIND_DOUBLE ? cell.value.d : (double)cell.value.i;
    bool   is_number = cell.value.kind == GM_KIND_DOUBLE || cell.value.kind == GM_KIND_INT;
    if (action->step != 0) return is_number && (action->step > 0 ? number >= action->limit : number <= action->limit);
    bool    same  = false;
    json_t *value = json_loadb(action->value.ptr, action->value.len, JSON_DECODE_ANY, NULL);
    if (is_number) same = json_is_number(value) && json_number_value(value) == number;
    else if (cell.value.kind == GM_KIND_BOOL) same = json_is_boolean(value) && json_is_true(value) == (cell.value.i != 0);
    else if (cell.value.kind == GM_KIND_STRING) same = json_is_string(value) && gm_str_is(cell.value.s, json_string_value(value));
    json_decref(value);
    return same;
}

static bool lacks(const gm_rules *rules, gm_twin twin, const gm_action *action)
{
    const gm_state *state = gm_rules_state(rules);
    if (action->kind == GM_DO_COMMAND) return true;
    if (action->kind != GM_DO_SET) return false;
    if (action->relationship.len == 0) return !holds(state, action->twin.len > 0 ? gm_state_find(state, action->twin) : twin, action);
    uint32_t name = gm_state_name_number(state, action->relationship);
    gm_edge  e    = action->incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin);
    for (; gm_edge_ok(e); e = action->incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        gm_twin other = action->incoming ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e);
        if (gm_state_edge_name(state, e) == name && !holds(state, other, action)) return true;
    }
    return false;
}

uint32_t gm_rules_lacking(const gm_rules *rules, const gm_statement *rule, gm_twin twin)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < rule->action_count; i++) {
        if (lacks(rules, twin, &rule->actions[i])) mask |= 1u << i;
    }
    return mask;
}

// Times that were missed, because nobody ran or the condition did not hold, are not made up for: the newest one counts.
void gm_rules_do_again(gm_rules *rules, uint32_t instance, gm_time_ns now)
{
    gm_instance *in = &rules->instances[instance];
    gm_dur_ns    every = in->rule->again;
    if (every == 0 || in->phase != GM_PHASE_ON) return;
    if (now >= in->again) {
        gm_time_ns latest = rules->until > now ? rules->until : now;
        in->again += (latest - in->again) / every * every;
        if (in->again <= now) {
            in->again += every;
            gm_rules_fire(rules, instance, GM_TURN_AGAIN, now);
        }
    }
    if (in->again < in->wake) in->wake = in->again;
}
