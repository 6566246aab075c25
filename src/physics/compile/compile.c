// The compiler from beginning to end. Read this first; system.h has the data that passes through.
#include "physics/compile/system.h"

#include <stdio.h>

void gm_complain(compiler *C, gm_severity severity, gm_place at, uint32_t length, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(C->diags, C->flat->sources, severity, at, length, fmt, args);
    va_end(args);
}

_Noreturn void gm_give_up(compiler *C)
{
    C->leave.status = gm_diags_fail(C->diags, C->leave.err);
    longjmp(C->leave.jump, 1);
}

uint32_t add_var(compiler *C, const variable *v)
{
    if (C->var_count >= 1000000)
        gm_work_stop(&C->w, GM_LIMIT, "physics.compile", "the model has more than 1000000 variables");
    GM_WORK_RESERVE(&C->w, C->vars, C->var_capacity, C->var_count + 1);
    C->vars[C->var_count] = *v;
    return C->var_count++;
}

uint32_t add_eq(compiler *C, gm_ex left, gm_ex right, gm_place at, uint32_t length, equation_origin origin)
{
    GM_WORK_RESERVE(&C->w, C->eqs, C->eq_capacity, C->eq_count + 1);
    C->eqs[C->eq_count] = (equation) { .left       = left,
                                       .right      = right,
                                       .init_left  = left,
                                       .init_right = right,
                                       .at         = at,
                                       .length     = length,
                                       .derivative = NONE,
                                       .of         = NONE,
                                       .origin     = (uint8_t)origin,
                                       .variable   = NONE };
    return C->eq_count++;
}

uint32_t derivative_of_var(compiler *C, uint32_t v)
{
    if (C->vars[v].derivative != NONE) return C->vars[v].derivative;
    variable d            = { .kind       = VAR_REAL,
                              .flat       = NONE,
                              .derivative = NONE,
                              .integral   = v,
                              .alias      = NONE,
                              .hidden     = true,
                              .start      = GM_EX_NONE,
                              .select     = GM_FLAT_SELECT_DEFAULT,
                              .at         = C->vars[v].at };
    d.name     = gm_work_printf(&C->w, "der(" GM_STR_FMT ")", GM_STR_ARG(C->vars[v].name));
    uint32_t id = add_var(C, &d);
    C->vars[v].derivative = id;
    return id;
}

// The flat model's expressions stay as they are: the compiler adds to a copy.
static void copy_expressions(compiler *C)
{
    const gm_exprs *from = &C->flat->ex;
    C->ex                = *from;
    C->ex.w              = &C->w;
    C->ex.nodes          = GM_WORK_NEW(&C->w, gm_ex_node, from->capacity > 0 ? from->capacity : 1);
    C->ex.slots          = GM_WORK_NEW(&C->w, uint32_t, from->slot_count > 0 ? from->slot_count : 1);
    if (from->count > 0) memcpy(C->ex.nodes, from->nodes, from->count * sizeof *from->nodes);
    if (from->slot_count > 0) memcpy(C->ex.slots, from->slots, from->slot_count * sizeof *from->slots);
    C->ex.stamp = NULL;
    C->ex.stamp_capacity = C->ex.stamp_now = 0;
    C->ex.texts         = GM_WORK_NEW(&C->w, gm_str, from->text_capacity > 0 ? from->text_capacity : 1);
    if (from->text_count > 0) memcpy(C->ex.texts, from->texts, from->text_count * sizeof *from->texts);
}

static gm_status compile(compiler *C, gm_program **out_program, gm_error *err)
{
    if (setjmp(C->leave.jump) != 0) return C->leave.status;
    copy_expressions(C);
    gm_prepare(C);
    eliminate_aliases(C);
    extract_events(C);
    reduce_index(C);
    order_system(C, &C->run);
    build_initial_system(C);
    order_system(C, &C->init);
    if (C->options.explain != NULL) gm_explain(C, C->options.explain);
    gm_program_limits limits = C->options.limits;
    limits.exact |= C->options.exact;
    C->b = gm_builder_create(C->alloc, &limits);
    if (C->b == NULL) gm_work_stop(&C->w, GM_NOMEM, "physics.compile", "building the program");
    emit_program(C);
    return gm_builder_finish(C->b, out_program, err);
}

gm_status gm_compile(const gm_flat *flat, const gm_alloc *alloc, const gm_compile_options *options, gm_diags *diags,
                     gm_program **out_program, gm_error *err)
{
    *out_program    = NULL;
    const size_t bytes_max = (size_t)2 << 30;
    gm_arena *arena = gm_arena_create(alloc, bytes_max);
    compiler *C     = arena != NULL ? gm_arena_zeroed(arena, 1, sizeof *C) : NULL;
    gm_status st    = GM_NOMEM;
    if (C == NULL) {
        gm_fail(err, GM_NOMEM, "physics.compile", "compiling " GM_STR_FMT, GM_STR_ARG(flat->name));
    } else {
        C->flat      = flat;
        C->alloc     = alloc;
        C->diags     = diags;
        C->leave.err = err;
        C->w         = (gm_work){ arena, &C->leave, bytes_max };
        if (options != NULL) C->options = *options;
        st = compile(C, out_program, err);
        gm_builder_destroy(C->b);
    }
    gm_arena_destroy(arena);
    return st;
}

gm_status gm_model_explain(const gm_flat *flat, const gm_alloc *alloc, gm_diags *diags, gm_buf *out, gm_error *err)
{
    gm_compile_options options = { .explain = out };
    gm_program        *program = NULL;
    gm_status          st      = gm_compile(flat, alloc, &options, diags, &program, err);
    gm_program_destroy(program);
    return st == GM_OK && out->failed
               ? gm_fail(err, GM_NOMEM, "physics.compile", "explaining " GM_STR_FMT, GM_STR_ARG(flat->name))
               : st;
}
