#include "physics/exec/vec_one.h"

#define INTERP_RUN gm_interp_run_one
#include "physics/exec/interp_body.h"
