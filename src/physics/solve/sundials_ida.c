// IDA: the residual y' - f(t, y) = 0, by the same formulas as CVODE but with y' as an unknown of its own.
#include "physics/solve/sundials_parts.h"

#include <ida/ida.h>
#include <math.h>

static int residual(realtype time, N_Vector y, N_Vector rate, N_Vector out, void *data)
{
    gm_sundials *s = data;
    if (!gm_sundials_slopes(s, time, y, out)) return 1;
    N_VLinearSum(1, rate, -1, out, out);
    return 0;
}

static int indicators(realtype time, N_Vector y, N_Vector rate, realtype *out, void *data)
{
    gm_sundials *s = data;
    (void)rate;
    gm_machine_indicators(s->machine, time, N_VGetArrayPointer(y), out);
    return 0;
}

static int jacobian(realtype time, realtype cj, N_Vector y, N_Vector rate, N_Vector at, SUNMatrix matrix, void *data, N_Vector w1,
                    N_Vector w2, N_Vector w3)
{
    (void)rate, (void)at, (void)w1, (void)w2, (void)w3;
    return gm_sundials_matrix(data, time, y, NULL, cj, -1, matrix) ? 0 : 1;
}

static gm_status refused(gm_sundials *s, gm_error *err)
{
    return gm_fail(err, GM_NOMEM, "physics.ida", "%s", s->complaint[0] != '\0' ? s->complaint : "could not be set up");
}

static gm_status start(gm_sundials *s, double time, gm_error *err)
{
    uint32_t                roots = gm_machine_indicator_count(s->machine);
    s->memory = IDACreate(s->context);
    if (s->memory == NULL) return refused(s, err);
    bool ok = gm_sundials_slopes(s, time, s->y, s->slopes);
    ok = ok && IDASetErrHandlerFn(s->memory, gm_sundials_listen, s) == IDA_SUCCESS;
    ok = ok && IDAInit(s->memory, residual, time, s->y, s->slopes) == IDA_SUCCESS;
    ok = ok && IDASetUserData(s->memory, s) == IDA_SUCCESS;
    ok = ok && IDASVtolerances(s->memory, gm_sundials_step_tolerance(s->run), s->tolerance) == IDA_SUCCESS;
    double longest = gm_sundials_longest_step(s);
    ok = ok && (!isfinite(longest) || IDASetMaxStep(s->memory, longest) == IDA_SUCCESS);
    ok = ok && IDASetLinearSolver(s->memory, s->linear, s->matrix) == IDA_SUCCESS;
    ok = ok && IDASetJacFn(s->memory, jacobian) == IDA_SUCCESS;
    ok = ok && (roots == 0 || IDARootInit(s->memory, (int)roots, indicators) == IDA_SUCCESS);
    ok = ok && IDASetNoInactiveRootWarn(s->memory) == IDA_SUCCESS;
    return ok ? GM_OK : refused(s, err);
}

static gm_status restart(gm_sundials *s, double time, gm_error *err)
{
    if (!gm_sundials_slopes(s, time, s->y, s->slopes)) {
        return gm_fail(err, GM_DIVERGED, "physics.ida", "at %.9g s an algebraic loop has no solution", time);
    }
    return IDAReInit(s->memory, time, s->y, s->slopes) == IDA_SUCCESS ? GM_OK : refused(s, err);
}

static gm_status step(gm_sundials *s, double stop, double *out_time, gm_landing *out_landing, gm_error *err)
{
    IDASetStopTime(s->memory, stop);
    switch (IDASolve(s->memory, stop, out_time, s->y, s->slopes, IDA_ONE_STEP)) {
    case IDA_SUCCESS: *out_landing = GM_LANDED; return GM_OK;
    case IDA_TSTOP_RETURN:
        *out_landing = GM_LANDED_AT_STOP;
        *out_time    = stop;
        return GM_OK;
    case IDA_ROOT_RETURN:
        *out_landing = GM_LANDED_AT_ROOT;
        IDAGetRootInfo(s->memory, s->crossed);
        return GM_OK;
    default:
        IDAGetCurrentTime(s->memory, out_time);
        return gm_fail(err, GM_DIVERGED, "physics.ida", "at %.9g s: %s", *out_time, s->complaint);
    }
}

static bool between(gm_sundials *s, double time, N_Vector out) { return IDAGetDky(s->memory, time, 0, out) == IDA_SUCCESS; }

static uint64_t steps(const gm_sundials *s)
{
    long n = 0;
    IDAGetNumSteps(s->memory, &n);
    return (uint64_t)n;
}

static void destroy(gm_sundials *s) { IDAFree(&s->memory); }

const gm_integrator gm_sundials_ida = { start, restart, step, between, steps, destroy };
