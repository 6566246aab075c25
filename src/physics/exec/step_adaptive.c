// Steps of their own size for every lane: step control, events inside a step, and the method of Dormand and Prince.
//
// One pass of the code tries one step in every lane. A lane that has arrived, or whose step is refused, keeps its
// state; the refused one has a smaller step in its `step` row. The caller repeats until all lanes have arrived.
//
// An accepted step never jumps over an event: when a relation changes within the step, the step is refused and the
// next one is aimed at the crossing (regula falsi on the indicator), until the crossing lies in a window at the end of
// the step that is small against the tolerance. Instants of time events are stepped onto exactly.
#include "physics/exec/step_parts.h"

#include <math.h>

gm_pace gm_pace_begin(gm_stepper *s)
{
    gm_pace  p = { .time = gm_stepper_row(s, GM_TIME_SLOT.v), .wanted = gm_stepper_row(s, s->layout->step) };
    uint32_t count;
    // A step longer than a delay would ask for what it is about to compute; the past is straight between steps.
    const gm_delay_info *delays = gm_program_delays(s->program, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (delays[i].lag_max > 0) p.wanted = gm_stepper_op(s, GM_OP_MIN, p.wanted, gm_stepper_number(s, delays[i].lag_max / 20), 0);
    }
    p.target = gm_stepper_row(s, s->layout->end);
    const gm_slot *next = gm_program_time_events(s->program, &count);
    for (uint32_t i = 0; i < count; i++) {
        // An instant that is over is one that its EVENT has seen and left; it does not hold the lane up.
        uint32_t at    = gm_stepper_row(s, next[i].v);
        uint32_t ahead = gm_stepper_op(s, GM_OP_LT, p.time, at, 0), sooner = gm_stepper_op(s, GM_OP_LT, at, p.target, 0);
        p.target = gm_stepper_op(s, GM_OP_SELECT, gm_stepper_op(s, GM_OP_AND, ahead, sooner, 0), at, p.target);
    }
    uint32_t rest = gm_stepper_op(s, GM_OP_SUB, p.target, p.time, 0), zero = gm_stepper_number(s, 0);
    uint32_t half = gm_stepper_op(s, GM_OP_MUL, rest, gm_stepper_number(s, 0.5), 0);
    // The last but one step is made as long as the last, so that no step is tiny.
    uint32_t twice   = gm_stepper_op(s, GM_OP_ADD, p.wanted, p.wanted, 0);
    uint32_t shorter = gm_stepper_op(s, GM_OP_SELECT, gm_stepper_op(s, GM_OP_LT, rest, twice, 0), half, p.wanted);
    p.running = gm_stepper_op(s, GM_OP_LT, zero, rest, 0);
    p.arrives = gm_stepper_op(s, GM_OP_LE, rest, gm_stepper_op(s, GM_OP_MUL, p.wanted, gm_stepper_number(s, 1 + 1e-9), 0), 0);
    p.h       = gm_stepper_op(s, GM_OP_SELECT, p.arrives, rest, shorter);
    p.h       = gm_stepper_op(s, GM_OP_SELECT, p.running, p.h, p.wanted);  // arrived: any h, nothing is kept
    p.until   = gm_stepper_op(s, GM_OP_SELECT, p.arrives, p.target, gm_stepper_op(s, GM_OP_ADD, p.time, p.h, 0));
    return p;
}

uint32_t gm_error_norm(gm_stepper *s, double tolerance, const uint32_t *before, const uint32_t *after, const uint32_t *error)
{
    uint32_t sum = gm_stepper_number(s, 0);
    for (uint32_t i = 0; i < s->state_count; i++) {
        double   nominal = fabs(gm_program_slot(s->program, s->states[i])->nominal);
        uint32_t size    = gm_stepper_op(s, GM_OP_MAX, gm_stepper_op(s, GM_OP_ABS, before[i], 0, 0), gm_stepper_op(s, GM_OP_ABS, after[i], 0, 0), 0);
        uint32_t scale   = gm_stepper_op(s, GM_OP_FMA, size, gm_stepper_number(s, tolerance), gm_stepper_number(s, tolerance * nominal));
        uint32_t share   = gm_stepper_op(s, GM_OP_DIV, error[i], scale, 0);
        sum              = gm_stepper_op(s, GM_OP_FMA, share, share, sum);
    }
    double count = s->state_count > 0 ? s->state_count : 1;
    return gm_stepper_op(s, GM_OP_SQRT, gm_stepper_op(s, GM_OP_MUL, sum, gm_stepper_number(s, 1 / count), 0), 0, 0);
}

// Does a relation change within the step, and after which share of it? *out_share is 1 where none does.
static uint32_t crossing(gm_stepper *s, uint32_t until, const uint32_t *x, uint32_t *out_share)
{
    gm_region region  = gm_program_section(s->program, GM_SECTION_INDICATOR);
    uint32_t  any     = gm_stepper_op(s, GM_OP_BOOL, 0, 0, 0), one = gm_stepper_number(s, 1);
    uint32_t *before  = gm_alloc_array(s->code->alloc, region.result_count + 1u, sizeof *before);
    *out_share        = one;
    if (before == NULL) {
        s->code->status = GM_NOMEM;
        return any;
    }
    gm_stepper_forget(s);
    gm_stepper_section(s, GM_SECTION_INDICATOR);
    for (uint32_t i = 0; i < region.result_count && s->code->status == GM_OK; i++) before[i] = s->map[region.results[i].value];
    for (uint32_t i = 0; i < s->state_count; i++) s->slots[s->states[i].v] = x[i];
    s->slots[GM_TIME_SLOT.v] = until;
    gm_stepper_section(s, GM_SECTION_INDICATOR);
    for (uint32_t i = 0; i < region.result_count && s->code->status == GM_OK; i++) {
        uint32_t after   = s->map[region.results[i].value];
        uint32_t edge, crossed = gm_stepper_crossed(s, region.results[i].target, after, &edge);
        uint32_t way     = gm_stepper_op(s, GM_OP_SUB, before[i], edge, 0);
        uint32_t share   = gm_stepper_op(s, GM_OP_DIV, way, gm_stepper_op(s, GM_OP_SUB, before[i], after, 0), 0);
        *out_share       = gm_stepper_op(s, GM_OP_SELECT, crossed, gm_stepper_op(s, GM_OP_MIN, share, *out_share, 0), *out_share);
        any              = gm_stepper_op(s, GM_OP_OR, any, crossed, 0);
    }
    gm_free(s->code->alloc, before);
    gm_stepper_forget(s);
    return any;
}

uint32_t gm_pace_end(gm_stepper *s, const gm_pace *p, double tolerance, double exponent, uint32_t error, const uint32_t *x)
{
    uint32_t one    = gm_stepper_number(s, 1);
    uint32_t good   = gm_stepper_op(s, GM_OP_LE, error, one, 0);  // false for NaN
    // h (0.9 / error^exponent), within a fifth and five times. The exponent is 1/4 or 1/2: square roots are cheap.
    uint32_t root   = gm_stepper_op(s, GM_OP_SQRT, error, 0, 0);
    if (exponent < 0.3) root = gm_stepper_op(s, GM_OP_SQRT, root, 0, 0);
    uint32_t factor = gm_stepper_op(s, GM_OP_DIV, gm_stepper_number(s, 0.9), root, 0);
    factor          = gm_stepper_op(s, GM_OP_MAX, factor, gm_stepper_number(s, 0.2), 0);
    factor          = gm_stepper_op(s, GM_OP_MIN, factor, gm_stepper_number(s, 5), 0);
    uint32_t next   = gm_stepper_op(s, GM_OP_MUL, p->h, factor, 0);
    // A step cut short to arrive says nothing against the longer one that was wanted.
    uint32_t longer = gm_stepper_op(s, GM_OP_MAX, next, p->wanted, 0);
    uint32_t tried  = gm_stepper_op(s, GM_OP_SELECT, gm_stepper_op(s, GM_OP_LT, p->h, p->wanted, 0), longer, next);
    next            = gm_stepper_op(s, GM_OP_SELECT, good, tried, next);

    if (gm_program_section(s->program, GM_SECTION_INDICATOR).result_count > 0) {
        uint32_t share, crossed = crossing(s, p->until, x, &share);
        // Aim a little behind the crossing, so that the next step contains it in its last part.
        uint32_t aim    = gm_stepper_op(s, GM_OP_FMA, share, gm_stepper_number(s, 1 + 1e-3), gm_stepper_number(s, 1e-4));
        aim             = gm_stepper_op(s, GM_OP_MIN, aim, gm_stepper_number(s, 0.9), 0);
        aim             = gm_stepper_op(s, GM_OP_MAX, aim, gm_stepper_number(s, 0.01), 0);
        uint32_t beyond = gm_stepper_op(s, GM_OP_FNMA, share, p->h, p->h);
        uint32_t size   = gm_stepper_op(s, GM_OP_MAX, gm_stepper_op(s, GM_OP_ABS, p->until, 0, 0), one, 0);
        uint32_t window = gm_stepper_op(s, GM_OP_MUL, size, gm_stepper_number(s, tolerance * 0.01), 0);
        uint32_t far    = gm_stepper_op(s, GM_OP_AND, crossed, gm_stepper_op(s, GM_OP_LT, window, beyond, 0), 0);
        uint32_t refuse = gm_stepper_op(s, GM_OP_AND, good, far, 0);
        next            = gm_stepper_op(s, GM_OP_SELECT, refuse, gm_stepper_op(s, GM_OP_MUL, p->h, aim, 0), next);
        good            = gm_stepper_op(s, GM_OP_AND, good, gm_stepper_op(s, GM_OP_NOT, far, 0, 0), 0);
    }
    uint32_t accepted = gm_stepper_op(s, GM_OP_AND, good, p->running, 0);
    gm_stepper_store(s, s->layout->step, gm_stepper_op(s, GM_OP_SELECT, p->running, next, p->wanted));
    gm_stepper_store(s, s->layout->error, error);
    return accepted;
}

// J. R. Dormand, P. J. Prince, A family of embedded Runge-Kutta formulae, J. Comp. Appl. Math. 6 (1980) 19-26:
// RK5(4)7M. The last slope is the first of the next step.
void gm_step_dopri(gm_stepper *s, double tolerance, uint32_t *work)
{
    static const double c[7] = { 0, 0.2, 0.3, 0.8, 8.0 / 9, 1, 1 };
    static const double a[7][6] = {
        { 0 },
        { 1.0 / 5 },
        { 3.0 / 40, 9.0 / 40 },
        { 44.0 / 45, -56.0 / 15, 32.0 / 9 },
        { 19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729 },
        { 9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656 },
        { 35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84 },
    };
    static const double e[7] = { 71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40 };
    uint32_t n = s->state_count, *x0 = work, *x = work + n, *error = work + 2 * n, *k[7];
    gm_pace  p = gm_pace_begin(s);
    for (int stage = 0; stage < 7; stage++) k[stage] = work + (3 + (uint32_t)stage) * n;
    for (uint32_t i = 0; i < n; i++) {
        x0[i]   = gm_stepper_row(s, s->states[i].v);
        k[0][i] = gm_stepper_row(s, s->layout->slope + i);
    }
    for (int stage = 1; stage < 7; stage++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t sum = GM_CODE_NONE;
            for (int j = 0; j < stage; j++) {
                if (a[stage][j] == 0) continue;
                uint32_t weight = gm_stepper_number(s, a[stage][j]);
                sum = sum == GM_CODE_NONE ? gm_stepper_op(s, GM_OP_MUL, k[j][i], weight, 0) : gm_stepper_op(s, GM_OP_FMA, k[j][i], weight, sum);
            }
            x[i] = gm_stepper_op(s, GM_OP_FMA, sum, p.h, x0[i]);
        }
        uint32_t at = stage < 5 ? gm_stepper_op(s, GM_OP_FMA, p.h, gm_stepper_number(s, c[stage]), p.time) : p.until;
        gm_stepper_slopes(s, at, x, k[stage]);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t sum = gm_stepper_op(s, GM_OP_MUL, k[0][i], gm_stepper_number(s, e[0]), 0);
        for (int j = 2; j < 7; j++) sum = gm_stepper_op(s, GM_OP_FMA, k[j][i], gm_stepper_number(s, e[j]), sum);
        error[i] = gm_stepper_op(s, GM_OP_MUL, sum, p.h, 0);
    }
    uint32_t norm     = gm_error_norm(s, tolerance, x0, x, error);
    uint32_t accepted = gm_pace_end(s, &p, tolerance, 0.25, norm, x);
    for (uint32_t i = 0; i < n; i++) {
        gm_stepper_store(s, s->layout->slope + i, gm_stepper_op(s, GM_OP_SELECT, accepted, k[6][i], k[0][i]));
    }
    gm_stepper_accept(s, accepted, p.until, x);
}
