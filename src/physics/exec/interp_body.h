// physics/exec/interp_body.h, a template: the interpreter, written once; interp_one.c, interp_avx2.c and interp_avx512.c include it
// after their vec_*.h and name its function with INTERP_RUN. One function per operation, so that the compiler keeps
// each one's constants in registers and unrolls its loop.
#include "physics/exec/interp.h"
#include "physics/exec/vecops.h"

#define PLACE(operand) (base[(operand) & GM_INTERP_MEMORY] + ((operand) & ~UINT32_C(63)))

static void run_copy(const gm_interp_op *o, double *const base[3])
{
    memmove(PLACE(o->to), PLACE(o->a), GM_BLOCK_LANES * sizeof(double));
}

#define X(name, text, signature)                                                    \
    static void run_##name(const gm_interp_op *o, double *const base[3])            \
    {                                                                               \
        double       *to = PLACE(o->to);                                            \
        const double *a = PLACE(o->a), *b = PLACE(o->b), *c = PLACE(o->c);          \
        _Pragma("GCC unroll 8")                                                     \
        for (size_t i = 0; i < GM_BLOCK_LANES; i += VEC) {                          \
            v_store(to + i, v_op(name, v_load(a + i), v_load(b + i), v_load(c + i))); \
        }                                                                           \
    }
GM_OP_LIST(X)
#undef X

typedef void run_op(const gm_interp_op *o, double *const base[3]);

void INTERP_RUN(const gm_interp_op *ops, double *const base[3])
{
    static run_op *const run[GM_INTERP_END] = {
#define X(name, text, signature) [name] = run_##name,
        GM_OP_LIST(X)
#undef X
        [GM_INTERP_COPY] = run_copy,
    };
    for (const gm_interp_op *o = ops; o->op != GM_INTERP_END; o++) run[o->op](o, base);
}
