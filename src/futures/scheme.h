// futures/scheme.h: a request made ready to run: copied, checked, with its stops in time and the places of its random
// numbers worked out. Immutable; shared by the threads that run its blocks.
#ifndef GM_FUTURES_SCHEME_H
#define GM_FUTURES_SCHEME_H

#include "base/arena.h"
#include "futures/futures.h"

// Something happens at this time for all lanes: an output point, a change, or both.
typedef struct gm_stop {
    double   t;      // s after the fork
    uint32_t step;   // fixed steps: how many have been taken then
    uint32_t point;  // GM_STOP_NO_POINT: none
} gm_stop;
#define GM_STOP_NO_POINT UINT32_MAX

#define GM_NO_DIMENSION UINT32_MAX

enum { GM_SCHEME_BLOCK = 64 };

typedef struct gm_variation {          // one variation of one scenario
    const gm_vary *vary;
    uint32_t       stream;          // of its random numbers
    uint32_t       dimension;       // of the design; GM_NO_DIMENSION: draws by itself
    uint32_t       grid_stride;     // GRID: lanes per value of this axis
    bool           moves;           // SERIES, OU, POISSON: changes at every tick
} gm_variation;

typedef struct gm_scheme {
    gm_futures_request request;     // with every pointer into the arena, but program
    gm_design          design;
    double             step_s;      // as taken
    uint32_t           steps;       // fixed steps in all; 0: adaptive
    bool               ticking;     // something is to be done every tick, not only at stops
    uint32_t           tick_steps;  // fixed
    double             tick_s;
    gm_stop           *stops;       // [stop_count] rising; the first is 0, the last the horizon
    uint32_t           stop_count, point_count;
    double            *time_s;      // [point_count]
    uint32_t           lanes;           // of one scenario: those of all members, one member behind the other
    uint32_t           block_lanes;     // that run side by side: 64; 1 of an FMU
    uint32_t           scenario_count, blocks;  // blocks of one scenario
    gm_variation        **changes;     // [scenario][change_counts]
    uint32_t          *change_counts;
    gm_str            *varied;      // [design.dimensions]
    double           **factors;     // [correlation] Cholesky factors, row by row
    bool               observe_points, observe_ticks;  // some output / condition or score is algebraic
} gm_scheme;

// Copies the request into the arena and works out the rest. Errors as gm_futures_check; GM_NOMEM.
GM_NODISCARD gm_status gm_scheme_make(gm_arena *arena, const gm_futures_request *request, gm_scheme **out_scheme, gm_error *err);

// The draw of a change for a lane of a member: 0 < u < 1, correlated where asked for.
double gm_scheme_uniform(const gm_scheme *s, const gm_variation *change, uint32_t lane);

bool gm_scheme_fixed(const gm_scheme *s);

#endif
