// Built without CBC: nothing is solved, and whoever asks is told why.
#include "control/maintain/mip.h"

bool gm_mip_available(void) { return false; }

gm_status gm_mip_require(gm_error *err)
{
    return gm_fail(err, GM_NOTFOUND, "control.mip", "this gemel was built without COIN-OR CBC; it can not plan maintenance");
}

gm_status gm_mip_solve_here(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err)
{
    (void)m, (void)limits, (void)values;
    *out = (gm_mip_report){ .end = GM_MIP_NOTHING };
    return gm_mip_require(err);
}
