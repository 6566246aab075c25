// Which variables an exported FMU shows, and as what.
#include "physics/fmi/export_parts.h"

static bool stored_in(const gm_program *p, gm_section section, uint32_t slot)
{
    gm_region region = gm_program_section(p, section);
    for (uint32_t i = 0; i < region.result_count; i++) {
        if (region.results[i].kind == GM_RESULT_STORE && region.results[i].target == slot) return true;
    }
    return false;
}

static gm_export_role role_of(const gm_slot_spec *slot)
{
    switch (slot->kind) {
    case GM_SLOT_TIME: return GM_EXPORT_TIME;
    case GM_SLOT_STATE: return GM_EXPORT_STATE;
    case GM_SLOT_PARAMETER: return slot->flags & GM_SLOT_DEPENDENT ? GM_EXPORT_DEPENDENT : GM_EXPORT_PARAMETER;
    case GM_SLOT_INPUT: return GM_EXPORT_INPUT;
    case GM_SLOT_DISCRETE: return GM_EXPORT_DISCRETE;
    default: return GM_EXPORT_ALGEBRAIC;
    }
}

static gm_export_variable of_slot(const gm_export *x, uint32_t s, gm_export_role role)
{
    const gm_slot_spec *slot = gm_program_slot(x->program, (gm_slot){ s });
    bool kept = role == GM_EXPORT_STATE || role == GM_EXPORT_DISCRETE;
    return (gm_export_variable){
        .name = slot->name, .unit = slot->unit, .display_unit = slot->display_unit, .description = slot->description, .slot = slot,
        .role = role, .type = slot->type, .index = s, .output = slot->flags & GM_SLOT_IS_OUTPUT,
        .exact  = kept ? !stored_in(x->program, GM_SECTION_INITIAL, s) : role == GM_EXPORT_PARAMETER || role == GM_EXPORT_INPUT,
        .reinit = role == GM_EXPORT_STATE && stored_in(x->program, GM_SECTION_EVENT, s),
    };
}

static void add_slots(gm_export *x, uint32_t *reference_of)
{
    for (uint32_t s = 0; s < gm_program_slot_count(x->program); s++) {
        const gm_slot_spec *slot = gm_program_slot(x->program, (gm_slot){ s });
        if (s > 0 && ((slot->flags & GM_SLOT_HIDDEN && slot->kind != GM_SLOT_STATE) || slot->name.len == 0)) continue;
        reference_of[s]                   = x->variable_count;
        x->variables[x->variable_count++] = of_slot(x, s, role_of(slot));
    }
}

// Other names of slots have references of their own, which can not be set.
static void add_aliases(gm_export *x)
{
    uint32_t             count;
    const gm_slot_alias *aliases = gm_program_aliases(x->program, &count);
    for (uint32_t i = 0; i < count; i++) {
        gm_export_variable v = of_slot(x, aliases[i].slot.v, role_of(gm_program_slot(x->program, aliases[i].slot)));
        if (v.role == GM_EXPORT_PARAMETER) v.role = GM_EXPORT_DEPENDENT;
        else if (v.role != GM_EXPORT_DEPENDENT && v.role != GM_EXPORT_DISCRETE) v.role = GM_EXPORT_ALGEBRAIC;
        v.name         = aliases[i].name;
        v.unit         = aliases[i].unit;
        v.display_unit = aliases[i].display_unit;
        v.description  = aliases[i].description;
        v.negated      = aliases[i].negated;
        v.exact = v.reinit = v.output = false;
        x->variables[x->variable_count++] = v;
    }
}

static gm_status add_slopes(gm_export *x, const uint32_t *reference_of)
{
    uint32_t       count;
    const gm_slot *states = gm_program_slots_of(x->program, GM_SLOT_STATE, &count);
    for (uint32_t i = 0; i < count; i++) {
        const gm_slot_spec *slot = gm_program_slot(x->program, states[i]);
        gm_slot             other;
        bool                negated;
        gm_export_variable  v = { .role = GM_EXPORT_SLOPE, .index = i, .state = reference_of[states[i].v] };
        v.name = slot->name.len > 0 ? gm_arena_printf(x->arena, "der(" GM_STR_FMT ")", GM_STR_ARG(slot->name)) : gm_arena_printf(x->arena, "der(%u)", i);
        // The model may have a variable of that name already (an index-reduced one), which need not be kept current.
        if (v.name.ptr != NULL && gm_program_find(x->program, v.name, &other, &negated)) {
            v.name = gm_arena_printf(x->arena, "gemel." GM_STR_FMT, GM_STR_ARG(v.name));
        }
        if (v.name.ptr == NULL) return GM_NOMEM;
        x->variables[x->variable_count++] = v;
    }
    return GM_OK;
}

static gm_status add_indicators(gm_export *x)
{
    uint32_t count;
    (void)gm_program_relations(x->program, &count);
    for (uint32_t i = 0; x->options.version == 3 && i < count; i++) {
        gm_export_variable v = { .role = GM_EXPORT_INDICATOR, .index = i, .name = gm_arena_printf(x->arena, "gemel.indicator[%u]", i + 1) };
        if (v.name.ptr == NULL) return GM_NOMEM;
        x->variables[x->variable_count++] = v;
    }
    return GM_OK;
}

// A C identifier out of the class's name.
static gm_str identifier_of(const gm_export *x)
{
    gm_str name = gm_program_name(x->program);
    char  *text = gm_arena_bytes(x->arena, name.len + 8);
    size_t n    = 0;
    if (text == NULL) return (gm_str){ NULL, 0 };
    if (name.len == 0 || (name.ptr[0] >= '0' && name.ptr[0] <= '9')) text[n++] = 'm';
    for (size_t i = 0; i < name.len && n < 100; i++) {
        char c    = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        text[n++] = good ? c : '_';
    }
    text[n] = '\0';
    return (gm_str){ text, n };
}

gm_status gm_export_variables(gm_export *x, gm_error *err)
{
    uint32_t slots = gm_program_slot_count(x->program), aliases, states, relations;
    gm_program_aliases(x->program, &aliases);
    gm_program_slots_of(x->program, GM_SLOT_STATE, &states);
    gm_program_relations(x->program, &relations);
    uint32_t *reference_of = GM_ARENA_NEW(x->arena, uint32_t, slots);
    x->variables           = GM_ARENA_NEW(x->arena, gm_export_variable, (size_t)slots + aliases + states + relations);
    x->identifier          = identifier_of(x);
    gm_status st           = reference_of != NULL && x->variables != NULL && x->identifier.ptr != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) add_slots(x, reference_of);
    if (st == GM_OK) add_aliases(x);
    if (st == GM_OK) st = add_slopes(x, reference_of);
    if (st == GM_OK) st = add_indicators(x);
    return st == GM_OK ? GM_OK : gm_fail(err, st, "fmi.export", "%u variables", slots + aliases);
}
