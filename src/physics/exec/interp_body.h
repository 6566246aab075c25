// physics/exec/interp_body.h, a template: the interpreter, written once; interp_one.c, interp_avx2.c and interp_avx512.c
// include it after their vec_*.h and name its table with INTERP_TABLE.
//
// Lanes are taken in groups of eight vectors. Every operation is a function that ends by calling the next one; its
// eight vector arguments are the accumulator, so they stay in registers from one operation to the next. The compiler
// turns such calls into jumps (clang is told to, gcc does so from -O2 on, which meson.build sees to).
#include "physics/exec/interp.h"
#include "physics/exec/vecops.h"

enum { GROUP = 8 * VEC < GM_BLOCK_LANES ? 8 * VEC : GM_BLOCK_LANES };

#ifdef __clang__
#define TAIL __attribute__((musttail)) return
#else
#define TAIL return
#endif
#define AT(place) ((place) + ((int)GROUP == (int)GM_BLOCK_LANES ? 0 : first))  // where this group's lanes begin
#define NEXT TAIL ((step *)o[1].run)(o + 1, first, a0, a1, a2, a3, a4, a5, a6, a7)

typedef int step(const gm_interp_linked *o, size_t first, vd a0, vd a1, vd a2, vd a3, vd a4, vd a5, vd a6, vd a7);

#define STEP(name) \
    static int name(const gm_interp_linked *o, size_t first, vd a0, vd a1, vd a2, vd a3, vd a4, vd a5, vd a6, vd a7)

STEP(run_end)
{
    (void)o, (void)first, (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7;
    return 0;  // steps have a value only because ISO C does not let a function without one return a call
}

STEP(run_copy)
{
    memmove(AT(o->to), AT(o->a), GROUP * sizeof(double));
    NEXT;
}

// Operations from rows to rows.
#define X(name, text, signature)                                                                   \
    STEP(run_##name)                                                                               \
    {                                                                                              \
        const double *a = AT(o->a), *b = AT(o->b), *c = AT(o->c);                                  \
        double       *to = AT(o->to);                                                              \
        for (size_t i = 0; i < GROUP; i += VEC) {                                                  \
            v_store(to + i, v_op(name, v_load(a + i), v_load(b + i), v_load(c + i)));              \
        }                                                                                          \
        NEXT;                                                                                      \
    }
GM_OP_LIST(X)
#undef X

// Plain arithmetic, with operands from rows or the accumulator, uniform ones loaded once, and the result to either or
// both. The addresses are read once, before the first store: it could otherwise have changed them, as far as the compiler
// knows.
#define OPERAND(bit, from, uniform, acc, row, same, i) \
    ((from) & (bit) ? (acc) : (uniform) & (bit) ? (same) : v_load((row) + (i) * VEC))
#define ONE(op, from, uniform, place, acc, i)                                                                    \
    do {                                                                                                         \
        vd r = v_op(op, OPERAND(1, from, uniform, acc, a, same_a, i), OPERAND(2, from, uniform, acc, b, same_b, i), \
                    OPERAND(4, from, uniform, acc, c, same_c, i));                                               \
        if ((place) != GM_INTERP_TO_ACC) v_store(to + (i) * VEC, r);                                             \
        if ((place) != GM_INTERP_TO_ROW) acc = r;                                                                \
    } while (0)
#define FORM(op, from, uniform, place)                                                     \
    STEP(run_##op##_##from##_##uniform##_##place)                                          \
    {                                                                                      \
        double       *to = AT(o->to);                                                      \
        const double *a = AT(o->a), *b = AT(o->b), *c = AT(o->c);                          \
        vd            same_a = v_load(a), same_b = v_load(b), same_c = v_load(c);          \
        ONE(op, from, uniform, place, a0, 0); ONE(op, from, uniform, place, a1, 1);        \
        ONE(op, from, uniform, place, a2, 2); ONE(op, from, uniform, place, a3, 3);        \
        ONE(op, from, uniform, place, a4, 4); ONE(op, from, uniform, place, a5, 5);        \
        ONE(op, from, uniform, place, a6, 6); ONE(op, from, uniform, place, a7, 7);        \
        NEXT;                                                                              \
    }
#define X(op, from, uniform) FORM(op, from, uniform, 0) FORM(op, from, uniform, 1) FORM(op, from, uniform, 2)
GM_INTERP_FORMS(X)
#undef X

// Two products of the accumulator and something uniform, each added to a row and stored: what a Runge-Kutta stage does
// with every slope (the next point, the sum). One jump for both.
#define PAIR(acc, i)                                                            \
    do {                                                                        \
        v_store(to + (i) * VEC, v_fma(acc, b, v_load(c + (i) * VEC)));          \
        v_store(to2 + (i) * VEC, v_fma(acc, b2, v_load(c2 + (i) * VEC)));       \
    } while (0)
STEP(run_pair)
{
    double       *to = AT(o->to), *to2 = AT(o[1].to);
    const double *c = AT(o->c), *c2 = AT(o[1].c);
    vd            b = v_load(AT(o->b)), b2 = v_load(AT(o[1].b));
    PAIR(a0, 0); PAIR(a1, 1); PAIR(a2, 2); PAIR(a3, 3);
    PAIR(a4, 4); PAIR(a5, 5); PAIR(a6, 6); PAIR(a7, 7);
    TAIL ((step *)o[2].run)(o + 2, first, a0, a1, a2, a3, a4, a5, a6, a7);
}

static bool makes_pair(const gm_interp_op *o)
{
    return o->op == GM_OP_FMA && o->from == 1 && o->place == GM_INTERP_TO_ROW && (o->b & GM_INTERP_UNIFORM);
}

static unsigned uniform_operands(const gm_interp_op *o)
{
    return (o->a & GM_INTERP_UNIFORM ? 1u : 0) | (o->b & GM_INTERP_UNIFORM ? 2u : 0) | (o->c & GM_INTERP_UNIFORM ? 4u : 0);
}

static void link_ops(const gm_interp_op *ops, double *const base[3], gm_interp_linked *out)
{
#define PLACE(operand) (base[(operand) & GM_INTERP_MEMORY] + ((operand) & ~UINT32_C(63)))
    static step *const rows[GM_INTERP_COUNT] = {
#define X(name, text, signature) [name] = run_##name,
        GM_OP_LIST(X)
#undef X
        [GM_INTERP_COPY] = run_copy, [GM_INTERP_END] = run_end,
    };
    static step *const forms[GM_OP_COUNT][5][8][3] = {
#define X(op, from, uniform) [op][from][uniform] = { run_##op##_##from##_##uniform##_0, run_##op##_##from##_##uniform##_1, \
                                                     run_##op##_##from##_##uniform##_2 },
        GM_INTERP_FORMS(X)
#undef X
    };
    for (const gm_interp_op *o = ops;; o++, out++) {
        step *form = o->op < GM_OP_COUNT ? forms[o->op][o->from][uniform_operands(o) & ~(unsigned)o->from & 7][o->place] : NULL;
        if (form == NULL && o->op < GM_OP_COUNT) form = forms[o->op][o->from][0][o->place];
        *out = (gm_interp_linked){ (void (*)(void))(form != NULL ? form : rows[o->op]), PLACE(o->to), PLACE(o->a), PLACE(o->b), PLACE(o->c) };
        if (o->op == GM_INTERP_END) return;
        if (makes_pair(o) && makes_pair(o + 1)) out->run = (void (*)(void))run_pair;
    }
#undef PLACE
}

static void run_ops(const gm_interp_linked *ops)
{
    vd z = v_set(0);
    for (size_t first = 0; first < GM_BLOCK_LANES; first += GROUP) ((step *)ops->run)(ops, first, z, z, z, z, z, z, z, z);
}

const gm_interp INTERP_TABLE = { link_ops, run_ops };
