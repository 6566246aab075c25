#include "physics/exec/vec_avx512.h"

#define INTERP_RUN gm_interp_run_avx512
#include "physics/exec/interp_body.h"
