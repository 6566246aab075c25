// physics/exec/scalar.h: one operation on one lane; what constant folding computes, and the reference in tests.
#ifndef GM_PHYSICS_SCALAR_H
#define GM_PHYSICS_SCALAR_H

#include "physics/program.h"

// Masks are 0 and not 0 on the way in, 0 and 1 on the way out. Same bits as every executor gives.
double gm_scalar_op(gm_op op, double a, double b, double c);

#endif
