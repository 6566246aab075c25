#include "physics/exec/vec_one.h"

#define INTERP_TABLE gm_interp_one
#include "physics/exec/interp_body.h"
