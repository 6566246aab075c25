#include "physics/exec/vec_avx2.h"

#include "physics/exec/native_parts.h"

#define INTERP_RUN   gm_interp_run_avx2
#define INTERP_CALLS gm_lane_calls_avx2
#include "physics/exec/interp_body.h"
#include "physics/exec/calls_body.h"
