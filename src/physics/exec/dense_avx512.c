#include "physics/exec/vec_avx512.h"

#define DENSE_SOLVE gm_dense_solve_avx512
#include "physics/exec/dense_body.h"
