// Reading a finished program.
#include "physics/program_parts.h"

#include "base/number.h"
#include "physics/code.h"

#include <assert.h>
#include <math.h>

static const char *const section_text[GM_SECTION_COUNT] = { "bind",      "initial", "derivative", "output",
                                                            "indicator", "event",   "check" };
static const char *const kind_text[GM_SLOT_KIND_COUNT]  = { "time",  "state",    "parameter",
                                                            "input", "discrete", "algebraic" };

const char *gm_section_text(gm_section section)
{
    assert(section < GM_SECTION_COUNT);
    return section_text[section];
}

void gm_program_destroy(gm_program *program)
{
    if (program == NULL) return;
    gm_index_finish(&program->names);
    gm_arena_destroy(program->arena);
    gm_free(program->alloc, program);
}

gm_str   gm_program_name(const gm_program *p) { return p->name; }
gm_str   gm_program_description(const gm_program *p) { return p->description; }
uint32_t gm_program_slot_count(const gm_program *p) { return p->slot_count; }
uint32_t gm_program_loop_count(const gm_program *p) { return p->loop_count; }

const gm_slot_spec *gm_program_slot(const gm_program *p, gm_slot slot)
{
    assert(slot.v < p->slot_count);
    return &p->slots[slot.v];
}

const gm_slot *gm_program_slots_of(const gm_program *p, gm_slot_kind kind, uint32_t *out_count)
{
    assert(kind < GM_SLOT_KIND_COUNT);
    *out_count = p->kind_count[kind];
    return p->of_kind[kind];
}

const gm_slot_alias *gm_program_aliases(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->alias_count;
    return p->aliases;
}

gm_region gm_program_section(const gm_program *p, gm_section section)
{
    assert(section < GM_SECTION_COUNT);
    return p->sections[section];
}

const gm_loop_info *gm_program_loop(const gm_program *p, uint32_t index)
{
    assert(index < p->loop_count);
    return &p->loops[index];
}

const gm_check_info *gm_program_checks(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->check_count;
    return p->checks;
}

const gm_delay_info *gm_program_delays(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->delay_count;
    return p->delays;
}

const gm_grid_spec *gm_program_grids(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->grid_count;
    return p->grids;
}

const gm_slot *gm_program_time_events(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->time_event_count;
    return p->time_events;
}

const gm_slot *gm_program_relations(const gm_program *p, uint32_t *out_count)
{
    *out_count = p->relation_count;
    return p->relations;
}

bool gm_program_has_events(const gm_program *p)
{
    return p->relation_count > 0 || p->time_event_count > 0 || p->sections[GM_SECTION_EVENT].result_count > 0;
}

bool gm_program_same_name(const void *program, uint32_t id, gm_str name)
{
    const gm_program *p = program;
    return gm_str_eq(name, id % 2 == 0 ? p->slots[id / 2].name : p->aliases[id / 2].name);
}

bool gm_program_find(const gm_program *p, gm_str name, gm_slot *out_slot, bool *out_negated)
{
    uint32_t id = gm_index_find(&p->names, name);
    if (id == GM_INDEX_NONE) return false;
    *out_slot    = id % 2 == 0 ? (gm_slot){ id / 2 } : p->aliases[id / 2].slot;
    *out_negated = id % 2 == 1 && p->aliases[id / 2].negated;
    return true;
}

// -------------------------------------------------------------------------------------------- text

static void put_number(gm_buf *out, double value)
{
    if (isnan(value)) gm_buf_text(out, "nan");
    else if (isinf(value)) gm_buf_text(out, value > 0 ? "inf" : "-inf");
    else gm_buf_printf(out, "%.17g", value);
}

static void put_slot(const gm_program *p, gm_buf *out, uint32_t slot)
{
    gm_str name = p->slots[slot].name;
    if (name.len > 0) gm_buf_str(out, name);
    else gm_buf_printf(out, "$%u", slot);
}

static void put_operands(const gm_program *p, gm_buf *out, const gm_region *region, const gm_ins *ins)
{
    uint32_t operand[3] = { ins->a, ins->b, ins->c };
    switch ((gm_op)ins->op) {
    case GM_OP_CONST:
        gm_buf_byte(out, ' ');
        put_number(out, gm_ins_const(ins));
        break;
    case GM_OP_LOAD:
        gm_buf_byte(out, ' ');
        put_slot(p, out, ins->a);
        break;
    case GM_OP_BOOL: gm_buf_text(out, ins->a ? " true" : " false"); break;
    case GM_OP_ARG:
    case GM_OP_UNKNOWN: gm_buf_printf(out, " %u", ins->a); break;
    case GM_OP_SOLVED: gm_buf_printf(out, " %%%u, %u", ins->a, ins->b); break;
    case GM_OP_SOLVE:
        gm_buf_printf(out, " loop %u(", ins->a);
        for (uint32_t i = 0; i < ins->c; i++) gm_buf_printf(out, "%s%%%u", i > 0 ? ", " : "", region->arguments[ins->b + i]);
        gm_buf_byte(out, ')');
        break;
    case GM_OP_LOOKUP: {
        static const char *const what[] = { "", " d/dx", " d/dy" };
        const gm_grid_spec      *grid   = &p->grids[ins->c >> 2];
        gm_buf_printf(out, " " GM_STR_FMT "%s(%%%u", GM_STR_ARG(grid->name), what[ins->c & 3], ins->a);
        if (grid->ny > 0) gm_buf_printf(out, ", %%%u", ins->b);
        gm_buf_byte(out, ')');
        break;
    }
    case GM_OP_DELAY: gm_buf_printf(out, " line %u, %%%u", ins->b, ins->a); break;
    default:
        for (unsigned i = 0; i < gm_op_arity(ins->op); i++) gm_buf_printf(out, "%s%%%u", i > 0 ? ", " : " ", operand[i]);
        break;
    }
}

static void put_result(const gm_program *p, gm_buf *out, const gm_code_result *result, const gm_loop_info *loop)
{
    uint32_t target = result->target;
    switch (result->kind) {
    case GM_RESULT_STORE: put_slot(p, out, target); break;
    case GM_RESULT_DERIVATIVE:
        gm_buf_text(out, "der(");
        put_slot(p, out, target);
        gm_buf_byte(out, ')');
        break;
    case GM_RESULT_INDICATOR:
        put_slot(p, out, target);
        gm_buf_printf(out, " = %%%u > 0\n", result->value);
        return;
    case GM_RESULT_CHECK: {
        static const char *const what[] = { "assert", "warn", "terminate" };
        const gm_check_info     *check  = &p->checks[target];
        gm_buf_printf(out, "%s %%%u ", what[check->kind], result->value);
        gm_buf_json_str(out, check->message);
        gm_buf_byte(out, '\n');
        return;
    }
    case GM_RESULT_RESIDUAL: gm_buf_printf(out, "residual %u", target); break;
    case GM_RESULT_JACOBIAN: gm_buf_printf(out, "d residual %u / d unknown %u", loop->rows[target], loop->columns[target]); break;
    }
    gm_buf_printf(out, " = %%%u\n", result->value);
}

static void put_region(const gm_program *p, gm_buf *out, const gm_region *region, const gm_loop_info *loop)
{
    for (uint32_t i = 0; i < region->ins_count; i++) {
        gm_buf_printf(out, "  %%%u = %s", i, gm_op_text(region->ins[i].op));
        put_operands(p, out, region, &region->ins[i]);
        gm_buf_byte(out, '\n');
    }
    for (uint32_t i = 0; i < region->result_count; i++) {
        gm_buf_text(out, "  ");
        put_result(p, out, &region->results[i], loop);
    }
}

static void put_declaration(const gm_program *p, gm_buf *out, uint32_t slot)
{
    const gm_slot_spec *spec = &p->slots[slot];
    gm_buf_printf(out, "%s ", kind_text[spec->kind]);
    put_slot(p, out, slot);
    if (spec->unit.len > 0) gm_buf_printf(out, " \"" GM_STR_FMT "\"", GM_STR_ARG(spec->unit));
    gm_buf_text(out, " start ");
    put_number(out, spec->start);
    if (spec->flags & GM_SLOT_BOUNDED) {
        gm_buf_text(out, " in ");
        put_number(out, spec->min);
        gm_buf_text(out, " .. ");
        put_number(out, spec->max);
    }
    if (spec->nominal != 1) {
        gm_buf_text(out, " nominal ");
        put_number(out, spec->nominal);
    }
    gm_buf_byte(out, '\n');
}

void gm_program_dump(const gm_program *p, gm_buf *out)
{
    if (p->name.len > 0) gm_buf_printf(out, "program " GM_STR_FMT "\n", GM_STR_ARG(p->name));
    for (uint32_t i = 1; i < p->slot_count; i++) put_declaration(p, out, i);
    for (uint32_t i = 0; i < p->alias_count; i++) {
        gm_buf_printf(out, "alias " GM_STR_FMT " = %s", GM_STR_ARG(p->aliases[i].name), p->aliases[i].negated ? "-" : "");
        put_slot(p, out, p->aliases[i].slot.v);
        gm_buf_byte(out, '\n');
    }
    for (uint32_t i = 0; i < p->time_event_count; i++) {
        gm_buf_text(out, "event at ");
        put_slot(p, out, p->time_events[i].v);
        gm_buf_byte(out, '\n');
    }
    for (uint32_t i = 0; i < p->loop_count; i++) {
        const gm_loop_info *loop = &p->loops[i];
        gm_buf_printf(out, "%sloop %u " GM_STR_FMT ":", loop->linear ? "linear " : "", i, GM_STR_ARG(loop->name));
        for (uint32_t k = 0; k < loop->unknowns; k++) {
            gm_buf_byte(out, ' ');
            put_slot(p, out, loop->guess[k].v);
        }
        gm_buf_byte(out, '\n');
        put_region(p, out, &loop->body, loop);
    }
    for (int s = 0; s < GM_SECTION_COUNT; s++) {
        if (p->sections[s].ins_count == 0 && p->sections[s].result_count == 0) continue;
        gm_buf_printf(out, "section %s\n", section_text[s]);
        put_region(p, out, &p->sections[s], NULL);
    }
}
