// A processor for which there is only the portable interpreter.
#include "physics/exec/backend.h"

bool gm_executor_available(gm_executor executor)
{
    return executor == GM_EXECUTOR_AUTO || executor == GM_EXECUTOR_PLAIN || executor == GM_EXECUTOR_INTERPRETER;
}

const gm_backend *gm_backend_of(gm_executor executor)
{
    static const gm_backend plain = { &gm_interp_one, gm_dense_solve_one, NULL, NULL };
    (void)executor;
    return &plain;
}
