#include "physics/exec/vec_avx2.h"

#include "physics/exec/native_parts.h"

#define INTERP_TABLE gm_interp_avx2
#include "physics/exec/interp_body.h"

#define INTERP_CALLS gm_lane_calls_avx2
#include "physics/exec/calls_body.h"
