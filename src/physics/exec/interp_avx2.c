#include "physics/exec/vec_avx2.h"

#define INTERP_RUN gm_interp_run_avx2
#include "physics/exec/interp_body.h"
