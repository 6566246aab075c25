// The width-one instance of vecops.h.
#include "physics/exec/scalar.h"

#include "physics/code.h"
#include "physics/exec/vec_one.h"
#include "physics/exec/vecops.h"

static double mask_of(double truth)
{
    return v_from_bits(-(int64_t)(truth != 0));
}

double gm_scalar_op(gm_op op, double a, double b, double c)
{
    const char *signature = gm_op_signature(op);
    double      in[3]     = { a, b, c };
    for (int i = 0; signature[i] != '>'; i++) {
        if (signature[i] == 'm') in[i] = mask_of(in[i]);
    }
    double out = v_op(op, in[0], in[1], in[2]);
    return gm_op_gives_mask(op) ? (double)(v_bits(out) != 0) : out;
}
