#include "physics/exec/vec_avx512.h"

#include "physics/exec/native_parts.h"

#define INTERP_TABLE gm_interp_avx512
#include "physics/exec/interp_body.h"

#define INTERP_CALLS gm_lane_calls_avx512
#include "physics/exec/calls_body.h"
