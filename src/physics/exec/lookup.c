#include "physics/exec/lookup.h"

#include <math.h>

#include "physics/exec/lookup_body.h"

double gm_grid_lookup(const gm_grid_spec *grid, gm_lookup what, double x, double y) { return grid_lookup(grid, what, x, y); }
