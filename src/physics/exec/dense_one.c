#include "physics/exec/vec_one.h"

#define DENSE_SOLVE gm_dense_solve_one
#include "physics/exec/dense_body.h"
