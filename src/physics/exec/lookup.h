// physics/exec/lookup.h: the value and slopes of a lookup table at one point.
#ifndef GM_PHYSICS_LOOKUP_H
#define GM_PHYSICS_LOOKUP_H

#include "physics/program.h"

// f(x) or f(x, y) (y unused in 1-D), or its slope. NaN in, NaN out. O(log n).
// At a grid point the slope is that of the interval to the right; at a jump the value is that of the right side.
double gm_grid_lookup(const gm_grid_spec *grid, gm_lookup what, double x, double y);

#endif
