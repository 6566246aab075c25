// physics/exec/interp_body.h: the interpreter's loop, written once; interp_one.c, interp_avx2.c and interp_avx512.c
// include it after their vec_*.h and name the function with INTERP_RUN.
#include "physics/exec/interp.h"
#include "physics/exec/vecops.h"

#define LANES(value)                                      \
    for (size_t i = 0; i < GM_BLOCK_LANES; i += VEC) {    \
        v_store(to + i, (value));                         \
    }                                                     \
    break

void INTERP_RUN(const gm_interp_op *ops, double *const base[3])
{
    const uint32_t in_row = ~UINT32_C(63);
    for (const gm_interp_op *o = ops;; o++) {
        double       *to = base[o->to & GM_INTERP_MEMORY] + (o->to & in_row);
        const double *a  = base[o->a & GM_INTERP_MEMORY] + (o->a & in_row);
        const double *b  = base[o->b & GM_INTERP_MEMORY] + (o->b & in_row);
        const double *c  = base[o->c & GM_INTERP_MEMORY] + (o->c & in_row);
        switch (o->op) {
        case GM_INTERP_COPY: LANES(v_load(a + i));
#define X(name, text, signature) case name: LANES(v_op(name, v_load(a + i), v_load(b + i), v_load(c + i)));
            GM_OP_LIST(X)
#undef X
        default: return;  // GM_INTERP_END
        }
    }
}
