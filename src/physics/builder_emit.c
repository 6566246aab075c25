// Values: operands are checked here, then handed to code.c.
#include "physics/builder_parts.h"

#include <assert.h>

bool gm_builder_usable(gm_builder *b, gm_val x, bool mask, const char *where)
{
    if (gm_builder_failed(b)) return false;
    gm_code *code = gm_builder_writing(b);
    if (code == NULL) return false;
    if (x.region != gm_builder_region(b) || x.at >= code->count) {
        GM_BUILDER_FAIL(b, GM_INVALID, "%s uses a value of another section", where);
        return false;
    }
    if (gm_code_is_mask(code, x.at) != mask) {
        GM_BUILDER_FAIL(b, GM_INVALID, "%s wants a %s", where, mask ? "mask" : "number");
        return false;
    }
    return true;
}

gm_val gm_emit_const(gm_builder *b, double value)
{
    gm_code *code = gm_builder_writing(b);
    return code != NULL ? gm_builder_emitted(b, code, gm_code_const(code, value)) : GM_VAL_NONE;
}

gm_val gm_emit_bool(gm_builder *b, bool value)
{
    gm_code *code = gm_builder_writing(b);
    return code != NULL ? gm_builder_emitted(b, code, gm_code_emit(code, GM_OP_BOOL, value, 0, 0)) : GM_VAL_NONE;
}

gm_val gm_emit_load(gm_builder *b, gm_slot slot)
{
    gm_code *code = gm_builder_writing(b);
    if (code == NULL || !gm_builder_knows(b, slot)) return GM_VAL_NONE;
    if (gm_builder_region(b) >= LOOP_REGION) {
        GM_BUILDER_FAIL(b, GM_INVALID, "a loop's body loads " GM_STR_FMT "; pass it as an argument", GM_STR_ARG(b->slots[slot.v].name));
        return GM_VAL_NONE;
    }
    return gm_builder_emitted(b, code, gm_code_emit(code, GM_OP_LOAD, slot.v, 0, 0));
}

static gm_val emit(gm_builder *b, gm_op op, const gm_val *x, unsigned n)
{
    if (op == GM_OP_GT || op == GM_OP_GE) {
        assert(n == 2);
        return emit(b, op == GM_OP_GT ? GM_OP_LT : GM_OP_LE, (const gm_val[]){ x[1], x[0] }, 2);
    }
    assert(op < GM_OP_COUNT);
    gm_code *code = gm_builder_writing(b);
    if (code == NULL) return GM_VAL_NONE;
    if (gm_op_arity(op) != n || op == GM_OP_LOOKUP || op == GM_OP_DELAY) {
        GM_BUILDER_FAIL(b, GM_INVALID, "%s was given %u operands", gm_op_text(op), n);
        return GM_VAL_NONE;
    }
    uint32_t operand[3] = { 0 };
    for (unsigned i = 0; i < n; i++) {
        if (!gm_builder_usable(b, x[i], gm_op_signature(op)[i] == 'm', gm_op_text(op))) return GM_VAL_NONE;
        operand[i] = x[i].at;
    }
    return gm_builder_emitted(b, code, gm_code_emit(code, op, operand[0], operand[1], operand[2]));
}

gm_val gm_emit1(gm_builder *b, gm_op op, gm_val x) { return emit(b, op, &x, 1); }
gm_val gm_emit2(gm_builder *b, gm_op op, gm_val x, gm_val y) { return emit(b, op, (const gm_val[]){ x, y }, 2); }
gm_val gm_emit3(gm_builder *b, gm_op op, gm_val x, gm_val y, gm_val z)
{
    return emit(b, op, (const gm_val[]){ x, y, z }, 3);
}

bool gm_val_is_const(const gm_builder *b, gm_val x, double *out_value)
{
    if (gm_builder_failed(b) || x.region == 0 || x.region >= LOOP_REGION + b->program->loop_count) return false;
    const gm_code *code = x.region < LOOP_REGION ? &b->sections[x.region - SECTION_REGION] : &b->loops[x.region - LOOP_REGION].code;
    return gm_code_is_const(code, x.at, out_value);
}

bool gm_val_is_mask(const gm_builder *b, gm_val x)
{
    if (gm_builder_failed(b) || x.region == 0 || x.region >= LOOP_REGION + b->program->loop_count) return false;
    const gm_code *code = x.region < LOOP_REGION ? &b->sections[x.region - SECTION_REGION] : &b->loops[x.region - LOOP_REGION].code;
    return gm_code_is_mask(code, x.at);
}

gm_val gm_emit_diff(gm_builder *b, gm_val of, gm_val wrt)
{
    if (!gm_builder_usable(b, of, false, "diff") || !gm_builder_usable(b, wrt, false, "diff")) return GM_VAL_NONE;
    gm_code *code = gm_builder_writing(b);
    uint32_t op   = code->ins[wrt.at].op, tangent;
    if (op != GM_OP_LOAD && op != GM_OP_ARG && op != GM_OP_UNKNOWN) {
        GM_BUILDER_FAIL(b, GM_INVALID, "a derivative with respect to %s", gm_op_text(op));
        return GM_VAL_NONE;
    }
    if (gm_code_diff(code, wrt.at, 1, &of.at, &tangent) == GM_INVALID) {
        GM_BUILDER_FAIL(b, GM_INVALID, "a derivative through an algebraic loop or a delay");
        return GM_VAL_NONE;
    }
    if (code->status == GM_OK && tangent == GM_CODE_NONE) tangent = gm_code_const(code, 0);
    return gm_builder_emitted(b, code, tangent);
}

gm_val gm_emit_lookup(gm_builder *b, gm_grid grid, gm_lookup what, gm_val x, gm_val y)
{
    if (!gm_builder_usable(b, x, false, "lookup")) return GM_VAL_NONE;
    if (grid.v >= b->program->grid_count) {
        GM_BUILDER_FAIL(b, GM_INVALID, "there is no table %u", grid.v);
        return GM_VAL_NONE;
    }
    bool plane = b->grids[grid.v].ny > 0;
    if (plane && !gm_builder_usable(b, y, false, "lookup")) return GM_VAL_NONE;
    if (!plane && what == GM_LOOKUP_DY) return gm_emit_const(b, 0);
    gm_code *code = gm_builder_writing(b);
    // A 1-D lookup carries its x twice, so that every operand is a value.
    return gm_builder_emitted(b, code, gm_code_emit(code, GM_OP_LOOKUP, x.at, plane ? y.at : x.at, grid.v << 2 | (uint32_t)what));
}

gm_val gm_emit_delay(gm_builder *b, gm_delay delay, gm_val lag)
{
    if (!gm_builder_usable(b, lag, false, "delay")) return GM_VAL_NONE;
    if (delay.v >= b->program->delay_count || gm_builder_region(b) >= LOOP_REGION) {
        GM_BUILDER_FAIL(b, GM_INVALID, delay.v >= b->program->delay_count ? "there is no such delay" : "a delay inside a loop's body");
        return GM_VAL_NONE;
    }
    gm_code *code = gm_builder_writing(b);
    return gm_builder_emitted(b, code, gm_code_emit(code, GM_OP_DELAY, lag.at, delay.v, 0));
}

gm_val gm_emit_argument(gm_builder *b, uint32_t index)
{
    if (!gm_builder_in_loop(b, "an argument")) return GM_VAL_NONE;
    loop_part *loop = &b->loops[gm_builder_region(b) - LOOP_REGION];
    if (index >= loop->info.arguments) {
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT " has no argument %u", GM_STR_ARG(loop->info.name), index);
        return GM_VAL_NONE;
    }
    return gm_builder_emitted(b, &loop->code, gm_code_emit(&loop->code, GM_OP_ARG, index, 0, 0));
}

gm_val gm_emit_unknown(gm_builder *b, uint32_t index)
{
    if (!gm_builder_in_loop(b, "an unknown")) return GM_VAL_NONE;
    loop_part *loop = &b->loops[gm_builder_region(b) - LOOP_REGION];
    if (index >= loop->info.unknowns) {
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT " has no unknown %u", GM_STR_ARG(loop->info.name), index);
        return GM_VAL_NONE;
    }
    return gm_builder_emitted(b, &loop->code, gm_code_emit(&loop->code, GM_OP_UNKNOWN, index, 0, 0));
}

void gm_emit_solve(gm_builder *b, gm_loop loop, const gm_val *arguments, gm_val *out_solutions)
{
    gm_code *code  = gm_builder_writing(b);
    bool     known = b->program != NULL && loop.v < b->program->loop_count;
    if (code != NULL && (!known || gm_builder_region(b) >= LOOP_REGION)) {
        GM_BUILDER_FAIL(b, GM_INVALID, known ? "a loop is solved inside a loop's body" : "there is no such loop");
    }
    if (!known) return;
    const gm_loop_info *info = &b->loops[loop.v].info;
    for (uint32_t i = 0; i < info->unknowns; i++) out_solutions[i] = GM_VAL_NONE;
    uint32_t *at = gm_alloc_array(b->alloc, info->arguments, sizeof *at);
    if (at == NULL) gm_builder_nomem(b);
    for (uint32_t i = 0; i < info->arguments && !gm_builder_failed(b); i++) {
        if (gm_builder_usable(b, arguments[i], false, "solve")) at[i] = arguments[i].at;
    }
    if (!gm_builder_failed(b)) {
        uint32_t solve = gm_code_solve(code, loop.v, at, info->arguments);
        out_solutions[0] = gm_builder_emitted(b, code, solve);
        for (uint32_t i = 1; i < info->unknowns; i++) {
            out_solutions[i] = gm_builder_emitted(b, code, gm_code_emit(code, GM_OP_SOLVED, solve, i, 0));
        }
    }
    gm_free(b->alloc, at);
}

