// CVODE: y' = f(t, y) by backward differentiation formulas (Hindmarsh et al., SUNDIALS, ACM TOMS 31 (2005) 363).
#include "physics/solve/sundials_parts.h"

#include <cvode/cvode.h>
#include <math.h>

static int slopes(realtype time, N_Vector y, N_Vector out, void *data)
{
    gm_sundials *s = data;
    return gm_sundials_slopes(s, time, y, out) ? 0 : 1;  // 1: try a shorter step
}

static int indicators(realtype time, N_Vector y, realtype *out, void *data)
{
    gm_sundials *s = data;
    gm_machine_indicators(s->machine, time, N_VGetArrayPointer(y), out);
    return 0;
}

static int jacobian(realtype time, N_Vector y, N_Vector fy, SUNMatrix matrix, void *data, N_Vector w1, N_Vector w2, N_Vector w3)
{
    (void)w1, (void)w2, (void)w3;
    return gm_sundials_matrix(data, time, y, fy, 0, 1, matrix) ? 0 : 1;
}

static gm_status refused(gm_sundials *s, gm_error *err)
{
    return gm_fail(err, GM_NOMEM, "physics.cvode", "%s", s->complaint[0] != '\0' ? s->complaint : "could not be set up");
}

static gm_status start(gm_sundials *s, double time, gm_error *err)
{
    uint32_t                roots = gm_machine_indicator_count(s->machine);
    s->memory = CVodeCreate(CV_BDF, s->context);
    if (s->memory == NULL) return refused(s, err);
    bool ok = CVodeSetErrHandlerFn(s->memory, gm_sundials_listen, s) == CV_SUCCESS;
    ok = ok && CVodeInit(s->memory, slopes, time, s->y) == CV_SUCCESS;
    ok = ok && CVodeSetUserData(s->memory, s) == CV_SUCCESS;
    ok = ok && CVodeSVtolerances(s->memory, gm_sundials_step_tolerance(s->run), s->tolerance) == CV_SUCCESS;
    ok = ok && CVodeSetLinearSolver(s->memory, s->linear, s->matrix) == CV_SUCCESS;
    ok = ok && CVodeSetJacFn(s->memory, jacobian) == CV_SUCCESS;
    double longest = gm_sundials_longest_step(s);
    ok = ok && (!isfinite(longest) || CVodeSetMaxStep(s->memory, longest) == CV_SUCCESS);
    ok = ok && CVodeSetMaxErrTestFails(s->memory, 20) == CV_SUCCESS;
    ok = ok && CVodeSetMaxConvFails(s->memory, 30) == CV_SUCCESS;
    ok = ok && (roots == 0 || CVodeRootInit(s->memory, (int)roots, indicators) == CV_SUCCESS);
    ok = ok && CVodeSetNoInactiveRootWarn(s->memory) == CV_SUCCESS;
    return ok ? GM_OK : refused(s, err);
}

static gm_status restart(gm_sundials *s, double time, gm_error *err)
{
    return CVodeReInit(s->memory, time, s->y) == CV_SUCCESS ? GM_OK : refused(s, err);
}

static gm_status step(gm_sundials *s, double stop, double *out_time, gm_landing *out_landing, gm_error *err)
{
    CVodeSetStopTime(s->memory, stop);
    switch (CVode(s->memory, stop, s->y, out_time, CV_ONE_STEP)) {
    case CV_SUCCESS: *out_landing = GM_LANDED; return GM_OK;
    case CV_TSTOP_RETURN:
        *out_landing = GM_LANDED_AT_STOP;
        *out_time    = stop;
        return GM_OK;
    case CV_ROOT_RETURN:
        *out_landing = GM_LANDED_AT_ROOT;
        CVodeGetRootInfo(s->memory, s->crossed);
        return GM_OK;
    default:
        CVodeGetCurrentTime(s->memory, out_time);
        return gm_fail(err, GM_DIVERGED, "physics.cvode", "at %.9g s: %s", *out_time, s->complaint);
    }
}

static bool between(gm_sundials *s, double time, N_Vector out) { return CVodeGetDky(s->memory, time, 0, out) == CV_SUCCESS; }

static uint64_t steps(const gm_sundials *s)
{
    long n = 0;
    CVodeGetNumSteps(s->memory, &n);
    return (uint64_t)n;
}

static void destroy(gm_sundials *s) { CVodeFree(&s->memory); }

const gm_integrator gm_sundials_cvode = { start, restart, step, between, steps, destroy };
