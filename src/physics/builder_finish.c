// Results of regions, and the finished program.
#include "physics/builder_parts.h"

#include <stdlib.h>

static bool may_store(gm_section section, gm_slot_kind kind)
{
    switch (section) {
    case GM_SECTION_BIND: return kind == GM_SLOT_PARAMETER;
    case GM_SECTION_INITIAL: return kind == GM_SLOT_STATE || kind == GM_SLOT_DISCRETE || kind == GM_SLOT_ALGEBRAIC;
    case GM_SECTION_OUTPUT: return kind == GM_SLOT_ALGEBRAIC;
    case GM_SECTION_EVENT: return kind == GM_SLOT_STATE || kind == GM_SLOT_DISCRETE;
    default: return false;
    }
}

static void add_result(gm_builder *b, gm_code_result_kind kind, uint32_t target, uint32_t value)
{
    gm_code *code = gm_builder_writing(b);
    if (code == NULL) return;
    gm_code_result_add(code, kind, target, value);
    gm_builder_emitted(b, code, value);
}

void gm_build_store(gm_builder *b, gm_slot slot, gm_val value)
{
    gm_code *code = gm_builder_writing(b);
    if (code == NULL || !gm_builder_knows(b, slot)) return;
    bool mask = value.region == gm_builder_region(b) && gm_code_is_mask(code, value.at);
    if (!gm_builder_usable(b, value, mask, "store")) return;
    uint32_t region = gm_builder_region(b);
    if (region >= LOOP_REGION || !may_store(region - SECTION_REGION, b->slots[slot.v].kind)) {
        GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " can not be stored here", GM_STR_ARG(b->slots[slot.v].name));
        return;
    }
    uint32_t at = mask ? gm_code_emit(code, GM_OP_NUMBER, value.at, 0, 0) : value.at;
    add_result(b, GM_RESULT_STORE, slot.v, at);
}

void gm_build_derivative(gm_builder *b, gm_slot state, gm_val value)
{
    if (!gm_builder_in_section(b, GM_SECTION_DERIVATIVE, "a derivative")) return;
    if (!gm_builder_slot_is(b, state, GM_SLOT_STATE, "differentiated") || !gm_builder_usable(b, value, false, "derivative")) return;
    add_result(b, GM_RESULT_DERIVATIVE, state.v, value.at);
}

void gm_build_indicator(gm_builder *b, gm_val g, gm_slot relation)
{
    gm_program *p = b->program;
    if (!gm_builder_in_section(b, GM_SECTION_INDICATOR, "an indicator")) return;
    if (!gm_builder_slot_is(b, relation, GM_SLOT_DISCRETE, "the relation of an indicator") || !gm_builder_usable(b, g, false, "indicator")) return;
    if (!gm_alloc_reserve(b->alloc, &b->relations, &b->relation_capacity, p->relation_count + 1u, sizeof relation)) {
        gm_builder_nomem(b);
        return;
    }
    b->relations[p->relation_count++] = relation;
    add_result(b, GM_RESULT_INDICATOR, relation.v, g.at);
}

void gm_build_check(gm_builder *b, gm_check_kind kind, gm_val mask, gm_str message)
{
    gm_program *p = b->program;
    if (!gm_builder_in_section(b, GM_SECTION_CHECK, "a check") || !gm_builder_usable(b, mask, true, "check")) return;
    if (!gm_alloc_reserve(b->alloc, &b->checks, &b->check_capacity, p->check_count + 1u, sizeof *b->checks)) {
        gm_builder_nomem(b);
        return;
    }
    b->checks[p->check_count] = (gm_check_info){ kind, gm_builder_copy(b, message) };
    add_result(b, GM_RESULT_CHECK, p->check_count++, mask.at);
}

void gm_build_residual(gm_builder *b, uint32_t row, gm_val value)
{
    if (!gm_builder_in_loop(b, "a residual") || !gm_builder_usable(b, value, false, "residual")) return;
    loop_part *loop = &b->loops[gm_builder_region(b) - LOOP_REGION];
    if (row >= loop->info.unknowns || loop->residuals[row] != GM_CODE_NONE) {
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT ": residual %u is given twice or not asked for", GM_STR_ARG(loop->info.name), row);
        return;
    }
    loop->residuals[row] = value.at;
}

static void add_entry(gm_builder *b, loop_part *loop, uint32_t row, uint32_t column, uint32_t value)
{
    if (!gm_alloc_reserve(b->alloc, &loop->jacobian, &loop->entry_capacity, loop->entry_count + 1, sizeof *loop->jacobian)) {
        gm_builder_nomem(b);
        return;
    }
    loop->jacobian[loop->entry_count++] = (loop_entry){ row, column, value };
}

void gm_build_jacobian(gm_builder *b, uint32_t row, uint32_t column, gm_val value)
{
    if (!gm_builder_in_loop(b, "a Jacobian entry") || !gm_builder_usable(b, value, false, "jacobian")) return;
    loop_part *loop = &b->loops[gm_builder_region(b) - LOOP_REGION];
    if (row >= loop->info.unknowns || column >= loop->info.unknowns) {
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT " has no entry (%u, %u)", GM_STR_ARG(loop->info.name), row, column);
        return;
    }
    add_entry(b, loop, row, column, value.at);
}

static void derive_jacobian(gm_builder *b, loop_part *loop)
{
    gm_code  *code    = &loop->code;
    uint32_t  n       = loop->info.unknowns;
    uint32_t *tangent = gm_alloc_array(b->alloc, n, sizeof *tangent);
    if (tangent == NULL) {
        gm_builder_nomem(b);
        return;
    }
    for (uint32_t column = 0; column < n && !gm_builder_failed(b); column++) {
        uint32_t unknown = gm_code_emit(code, GM_OP_UNKNOWN, column, 0, 0);
        // An unknown that was first named just now occurs in no residual.
        gm_builder_emitted(b, code, unknown);
        if (gm_builder_failed(b) || gm_code_diff(code, unknown, n, loop->residuals, tangent) != GM_OK) {
            gm_builder_emitted(b, code, 0);
            break;
        }
        for (uint32_t row = 0; row < n; row++) {
            if (tangent[row] != GM_CODE_NONE) add_entry(b, loop, row, column, tangent[row]);
        }
    }
    gm_free(b->alloc, tangent);
}

static int by_place(const void *x, const void *y)
{
    const loop_entry *a = x, *c = y;
    if (a->row != c->row) return a->row < c->row ? -1 : 1;
    return a->column < c->column ? -1 : a->column > c->column;
}

void gm_builder_close_loop(gm_builder *b, loop_part *loop)
{
    gm_program *p = b->program;
    for (uint32_t row = 0; row < loop->info.unknowns; row++) {
        if (loop->residuals[row] != GM_CODE_NONE) continue;
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT " lacks residual %u", GM_STR_ARG(loop->info.name), row);
        return;
    }
    if (loop->entry_count == 0) derive_jacobian(b, loop);
    if (gm_builder_failed(b)) return;

    uint32_t  n    = (uint32_t)loop->entry_count;
    uint32_t *rows = gm_arena_bytes(p->arena, n * sizeof *rows), *columns = gm_arena_bytes(p->arena, n * sizeof *columns);
    if (rows == NULL || columns == NULL) {
        gm_builder_nomem(b);
        return;
    }
    if (n > 0) qsort(loop->jacobian, n, sizeof *loop->jacobian, by_place);
    for (uint32_t row = 0; row < loop->info.unknowns; row++) add_result(b, GM_RESULT_RESIDUAL, row, loop->residuals[row]);
    for (uint32_t i = 0; i < n; i++) {
        const loop_entry *entry = &loop->jacobian[i];
        rows[i]                 = entry->row;
        columns[i]              = entry->column;
        if (i > 0 && rows[i] == rows[i - 1] && columns[i] == columns[i - 1]) {
            GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT ": entry (%u, %u) is given twice", GM_STR_ARG(loop->info.name), rows[i], columns[i]);
        }
        add_result(b, GM_RESULT_JACOBIAN, i, entry->value);
    }
    loop->info.rows    = rows;
    loop->info.columns = columns;
    loop->info.entries = n;
}

// -------------------------------------------------------------------------------------------- finishing

// Copies an array that grew beside the program into its arena.
static void *settled(gm_builder *b, const void *array, size_t count, size_t size)
{
    void *copy = gm_arena_bytes(b->program->arena, count * size);
    if (copy == NULL) gm_builder_nomem(b);
    else if (count > 0) memcpy(copy, array, count * size);
    return copy;
}

static gm_region settled_code(gm_builder *b, gm_code *code)
{
    gm_builder_emitted(b, code, 0);  // a failure of the code becomes the builder's
    if (gm_builder_failed(b)) return (gm_region){ 0 };
    if (gm_code_compact(code, !b->limits.exact) != GM_OK) {
        gm_builder_nomem(b);
        return (gm_region){ 0 };
    }
    gm_region region = gm_code_region(code);
    region.ins       = settled(b, region.ins, region.ins_count, sizeof *region.ins);
    region.results   = settled(b, region.results, region.result_count, sizeof *region.results);
    region.arguments = settled(b, region.arguments, region.argument_count, sizeof *region.arguments);
    return region;
}

// Every target of a section at most once, and every state exactly once in DERIVATIVE.
static void check_section(gm_builder *b, gm_section section, uint8_t *seen)
{
    const gm_program *p = b->program;
    memset(seen, 0, p->slot_count);
    for (size_t i = 0; i < b->sections[section].result_count; i++) {
        const gm_code_result *result = &b->sections[section].results[i];
        if (result->kind == GM_RESULT_CHECK || !seen[result->target]++) continue;
        GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " is given twice in section %s",
                        GM_STR_ARG(b->slots[result->target].name), gm_section_text(section));
    }
    for (uint32_t i = 0; section == GM_SECTION_DERIVATIVE && i < p->slot_count; i++) {
        if (b->slots[i].kind != GM_SLOT_STATE || seen[i]) continue;
        GM_BUILDER_FAIL(b, GM_INVALID, "state " GM_STR_FMT " has no derivative", GM_STR_ARG(b->slots[i].name));
    }
}

static void check_guesses(gm_builder *b, uint8_t *seen)
{
    memset(seen, 0, b->program->slot_count);
    for (uint32_t i = 0; i < b->program->loop_count; i++) {
        for (uint32_t k = 0; k < b->loops[i].info.unknowns; k++) {
            uint32_t guess = b->loops[i].info.guess[k].v;
            if (!seen[guess]++) continue;
            GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " is the guess of two unknowns", GM_STR_ARG(b->slots[guess].name));
        }
    }
}

static void settle_kinds(gm_builder *b)
{
    gm_program *p = b->program;
    for (int kind = 0; kind < GM_SLOT_KIND_COUNT; kind++) {
        gm_slot *list = gm_arena_bytes(p->arena, p->kind_count[kind] * sizeof *list);
        if (list == NULL) {
            gm_builder_nomem(b);
            return;
        }
        uint32_t n = 0;
        for (uint32_t i = 0; i < p->slot_count; i++) {
            if (p->slots[i].kind == (gm_slot_kind)kind) list[n++] = (gm_slot){ i };
        }
        p->of_kind[kind] = list;
    }
}

static void settle(gm_builder *b)
{
    gm_program *p  = b->program;
    p->slots       = settled(b, b->slots, p->slot_count, sizeof *p->slots);
    p->aliases     = settled(b, b->aliases, p->alias_count, sizeof *p->aliases);
    p->checks      = settled(b, b->checks, p->check_count, sizeof *p->checks);
    p->delays      = settled(b, b->delays, p->delay_count, sizeof *p->delays);
    p->grids       = settled(b, b->grids, p->grid_count, sizeof *p->grids);
    p->time_events = settled(b, b->time_events, p->time_event_count, sizeof *p->time_events);
    p->relations   = settled(b, b->relations, p->relation_count, sizeof *p->relations);
    p->loops       = gm_arena_bytes(p->arena, p->loop_count * sizeof *p->loops);
    if (p->loops == NULL) gm_builder_nomem(b);
    for (uint32_t i = 0; i < p->loop_count && !gm_builder_failed(b); i++) {
        p->loops[i]      = b->loops[i].info;
        p->loops[i].body = settled_code(b, &b->loops[i].code);
    }
    for (int s = 0; s < GM_SECTION_COUNT && !gm_builder_failed(b); s++) p->sections[s] = settled_code(b, &b->sections[s]);
    if (!gm_builder_failed(b)) settle_kinds(b);
}

gm_status gm_builder_finish(gm_builder *b, gm_program **out_program, gm_error *err)
{
    *out_program  = NULL;
    uint8_t *seen = NULL;
    if (b->depth > 0) GM_BUILDER_FAIL(b, GM_INVALID, "a section or loop was not ended");
    if (gm_builder_failed(b)) goto done;

    seen = gm_alloc_bytes(b->alloc, b->program->slot_count);
    if (seen == NULL) {
        gm_builder_nomem(b);
        goto done;
    }
    for (int s = 0; s < GM_SECTION_COUNT; s++) check_section(b, s, seen);
    check_guesses(b, seen);
    if (gm_builder_failed(b)) goto done;
    settle(b);
    if (gm_builder_failed(b)) goto done;

    // The builder keeps nothing but its growing arrays, and says so when it is used again.
    for (uint32_t i = 0; i < b->program->loop_count; i++) {
        gm_code_finish(&b->loops[i].code);
        gm_free(b->alloc, b->loops[i].jacobian);
    }
    *out_program = b->program;
    b->program   = NULL;
    gm_fail(&b->error, GM_INVALID, "physics.program", "the builder is spent");
    gm_free(b->alloc, seen);
    return GM_OK;
done:
    gm_free(b->alloc, seen);
    if (err != NULL) *err = b->error;
    return b->error.status;
}
