#include "physics/exec/vec_avx2.h"

#define DENSE_SOLVE gm_dense_solve_avx2
#include "physics/exec/dense_body.h"
