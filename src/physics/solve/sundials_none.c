// Built without SUNDIALS.
#include "physics/solve/solve_parts.h"

bool gm_solver_available(gm_solver solver) { return solver != GM_SOLVER_CVODE && solver != GM_SOLVER_IDA; }

gm_status gm_solve_with_sundials(gm_run *run, gm_error *err)
{
    return gm_fail(err, GM_INVALID, "physics.solve", "built without %s", gm_solver_text(run->options.solver));
}
