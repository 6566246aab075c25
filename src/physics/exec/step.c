// The explicit fixed-step methods, and the code around every step: events, checks, lanes that are out.
#include "physics/exec/history.h"
#include "physics/exec/step_parts.h"

gm_layout gm_layout_of(const gm_program *program)
{
    uint32_t  states, checks, relations, delays;
    gm_layout l = { .step = gm_program_slot_count(program) };
    gm_program_slots_of(program, GM_SLOT_STATE, &states);
    gm_program_checks(program, &checks);
    gm_program_relations(program, &relations);
    gm_program_delays(program, &delays);
    l.end    = l.step + 1;
    l.active = l.step + 2;
    l.flag   = l.step + 3;
    l.alarm  = l.step + 4;
    l.error  = l.step + 5;
    l.checks = l.step + 6;
    l.heard  = l.checks + checks;
    l.slope  = l.heard + checks;
    l.indicators = l.slope + states;
    l.history    = l.indicators + relations;
    l.count      = l.history + delays * GM_HISTORY_ROWS;
    return l;
}

bool gm_program_guarded(const gm_program *program)
{
    return gm_program_has_events(program) || gm_program_section(program, GM_SECTION_CHECK).result_count > 0;
}

uint32_t gm_stepper_number(gm_stepper *s, double value) { return gm_code_const(s->code, value); }
uint32_t gm_stepper_row(gm_stepper *s, uint32_t row) { return gm_code_emit(s->code, GM_OP_LOAD, row, 0, 0); }

uint32_t gm_stepper_op(gm_stepper *s, gm_op op, uint32_t a, uint32_t b, uint32_t c)
{
    return gm_code_emit(s->code, op, a, b, c);
}

gm_status gm_stepper_begin(gm_stepper *s, const gm_program *program, const gm_layout *layout, gm_code *code)
{
    *s = (gm_stepper){ .program = program, .layout = layout, .code = code };
    s->states        = gm_program_slots_of(program, GM_SLOT_STATE, &s->state_count);
    uint32_t longest = 0;
    for (int i = 0; i < GM_SECTION_COUNT; i++) {
        uint32_t n = gm_program_section(program, i).ins_count;
        if (n > longest) longest = n;
    }
    s->slots = gm_alloc_array(code->alloc, gm_program_slot_count(program) + (size_t)longest + 1, sizeof *s->slots);
    if (s->slots == NULL) return code->status = GM_NOMEM;
    s->map = s->slots + gm_program_slot_count(program);
    gm_stepper_forget(s);
    return GM_OK;
}

void gm_stepper_finish(gm_stepper *s)
{
    gm_free(s->code->alloc, s->slots);
    s->slots = NULL;
}

void gm_stepper_forget(gm_stepper *s)
{
    memset(s->slots, 0xff, gm_program_slot_count(s->program) * sizeof *s->slots);
}

gm_region gm_stepper_section(gm_stepper *s, gm_section section)
{
    gm_region region = gm_program_section(s->program, section);
    gm_code_inline(s->code, &region, s->slots, s->map);
    return region;
}

void gm_stepper_slopes(gm_stepper *s, uint32_t time, const uint32_t *x, uint32_t *out_k)
{
    gm_stepper_forget(s);
    s->slots[GM_TIME_SLOT.v] = time;
    for (uint32_t i = 0; i < s->state_count; i++) s->slots[s->states[i].v] = x[i];
    gm_region region = gm_stepper_section(s, GM_SECTION_DERIVATIVE);
    if (s->code->status != GM_OK) return;

    // The results name slots; the states' own numbering follows their order, which is rising.
    for (uint32_t i = 0; i < s->state_count; i++) s->slots[s->states[i].v] = i;
    for (uint32_t i = 0; i < region.result_count; i++) {
        out_k[s->slots[region.results[i].target]] = s->map[region.results[i].value];
    }
}

void gm_stepper_store(gm_stepper *s, uint32_t row, uint32_t value)
{
    gm_code_result_add(s->code, GM_RESULT_STORE, row, value);
}

// A body at rest has a speed of some rounding errors, now above and now below zero. Those are no events.
static const double CROSSING_NOISE = 1e-13;

uint32_t gm_stepper_crossed(gm_stepper *s, uint32_t relation, uint32_t indicator, uint32_t *out_edge)
{
    uint32_t was   = gm_stepper_op(s, GM_OP_MASK, gm_stepper_row(s, relation), 0, 0);
    *out_edge      = gm_stepper_op(s, GM_OP_SELECT, was, gm_stepper_number(s, -CROSSING_NOISE), gm_stepper_number(s, CROSSING_NOISE));
    uint32_t above = gm_stepper_op(s, GM_OP_LT, *out_edge, indicator, 0);
    return gm_stepper_op(s, GM_OP_XOR, was, above, 0);
}

// Stores the mask of a check, and the one it had at the last look, which is returned.
static uint32_t look(gm_stepper *s, const gm_code_result *check)
{
    uint32_t was = gm_stepper_row(s, s->layout->checks + check->target);
    gm_stepper_store(s, s->layout->heard + check->target, was);
    gm_stepper_store(s, s->layout->checks + check->target, gm_stepper_op(s, GM_OP_NUMBER, s->map[check->value], 0, 0));
    return gm_stepper_op(s, GM_OP_MASK, was, 0, 0);
}

// After a step: do events want to run, has a check something to say?
static void watch(gm_stepper *s)
{
    gm_op    or   = GM_OP_OR;
    uint32_t flag = gm_stepper_op(s, GM_OP_BOOL, 0, 0, 0), alarm = flag, count;

    gm_region region = gm_stepper_section(s, GM_SECTION_INDICATOR);
    for (uint32_t i = 0; i < region.result_count && s->code->status == GM_OK; i++) {
        uint32_t edge;
        flag = gm_stepper_op(s, or, flag, gm_stepper_crossed(s, region.results[i].target, s->map[region.results[i].value], &edge), 0);
    }
    const gm_slot *next = gm_program_time_events(s->program, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t due = gm_stepper_op(s, GM_OP_LE, gm_stepper_row(s, next[i].v), s->slots[GM_TIME_SLOT.v], 0);
        flag         = gm_stepper_op(s, or, flag, due, 0);
    }
    gm_stepper_store(s, s->layout->flag, gm_stepper_op(s, GM_OP_NUMBER, flag, 0, 0));

    const gm_check_info *checks = gm_program_checks(s->program, &count);
    region                      = gm_stepper_section(s, GM_SECTION_CHECK);
    for (uint32_t i = 0; i < region.result_count && s->code->status == GM_OK; i++) {
        uint32_t mask = s->map[region.results[i].value];
        uint32_t was  = look(s, &region.results[i]);
        gm_check_kind kind = checks[region.results[i].target].kind;
        if (kind == GM_CHECK_NOTE) mask = gm_stepper_op(s, GM_OP_XOR, mask, was, 0);
        else if (kind != GM_CHECK_TERMINATE) mask = gm_stepper_op(s, GM_OP_NOT, mask, 0, 0);
        alarm = gm_stepper_op(s, or, alarm, mask, 0);
    }
    gm_stepper_store(s, s->layout->alarm, gm_stepper_op(s, GM_OP_NUMBER, alarm, 0, 0));
}

// Does the model look at the clock? If not, nobody has to turn its hands at every one of many fixed steps.
static bool uses_time(const gm_program *program)
{
    gm_region region = gm_program_section(program, GM_SECTION_DERIVATIVE);
    uint32_t  delays;
    gm_program_delays(program, &delays);
    if (delays > 0) return true;
    for (uint32_t i = 0; i < region.ins_count; i++) {
        if (region.ins[i].op == GM_OP_LOAD && region.ins[i].a == GM_TIME_SLOT.v) return true;
    }
    return false;
}

void gm_stepper_accept(gm_stepper *s, uint32_t accepted, uint32_t time, const uint32_t *x)
{
    bool     guarded = gm_program_guarded(s->program);
    uint32_t keep    = accepted;
    if (guarded) {
        uint32_t active = gm_stepper_op(s, GM_OP_MASK, gm_stepper_row(s, s->layout->active), 0, 0);
        keep            = accepted == GM_CODE_NONE ? active : gm_stepper_op(s, GM_OP_AND, accepted, active, 0);
    }
    gm_stepper_forget(s);
    for (uint32_t i = 0; i <= s->state_count; i++) {
        uint32_t row = i < s->state_count ? s->states[i].v : GM_TIME_SLOT.v, value = i < s->state_count ? x[i] : time;
        // gm_lanes_steps sets the time when it is through.
        if (i == s->state_count && keep == GM_CODE_NONE && !uses_time(s->program)) continue;
        if (keep != GM_CODE_NONE) value = gm_stepper_op(s, GM_OP_SELECT, keep, value, gm_stepper_row(s, row));
        gm_stepper_store(s, row, value);
        s->slots[row] = value;
    }
    if (guarded) watch(s);
}

// x + k h in one rounding.
static uint32_t along(gm_stepper *s, uint32_t x, uint32_t k, uint32_t h)
{
    return gm_stepper_op(s, GM_OP_FMA, h, k, x);
}

// The end of a step from t; where an instant of a time event is meant, that instant to the last bit: sums of steps and
// multiples of intervals round differently, and EVENT compares them.
static uint32_t step_end(gm_stepper *s, uint32_t t, uint32_t h)
{
    uint32_t       count, end = gm_stepper_op(s, GM_OP_ADD, t, h, 0);
    const gm_slot *next  = gm_program_time_events(s->program, &count);
    uint32_t       close = count > 0 ? gm_stepper_op(s, GM_OP_MUL, h, gm_stepper_number(s, 1e-6), 0) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at   = gm_stepper_row(s, next[i].v);
        uint32_t away = gm_stepper_op(s, GM_OP_ABS, gm_stepper_op(s, GM_OP_SUB, end, at, 0), 0, 0);
        end           = gm_stepper_op(s, GM_OP_SELECT, gm_stepper_op(s, GM_OP_LT, away, close, 0), at, end);
    }
    return end;
}

// The classical method of Kutta (1901): slopes at the start, twice in the middle, and at the end.
static void rk4(gm_stepper *s, uint32_t *work)
{
    uint32_t  n = s->state_count, *x0 = work, *x = work + n, *k = work + 2 * n, *sum = work + 3 * n;
    uint32_t  h = gm_stepper_row(s, s->layout->step), t = gm_stepper_row(s, GM_TIME_SLOT.v);
    uint32_t  half = gm_stepper_op(s, GM_OP_MUL, h, gm_stepper_number(s, 0.5), 0), two = gm_stepper_number(s, 2);
    uint32_t  sixth = gm_stepper_op(s, GM_OP_DIV, h, gm_stepper_number(s, 6), 0);
    uint32_t  middle = gm_stepper_op(s, GM_OP_ADD, t, half, 0), end = step_end(s, t, h);

    for (uint32_t i = 0; i < n; i++) x0[i] = gm_stepper_row(s, s->states[i].v);
    gm_stepper_slopes(s, t, x0, k);
    for (uint32_t i = 0; i < n; i++) {
        sum[i] = k[i];
        x[i]   = along(s, x0[i], k[i], half);
    }
    for (int stage = 1; stage <= 2; stage++) {
        gm_stepper_slopes(s, middle, x, k);
        for (uint32_t i = 0; i < n; i++) {
            sum[i] = along(s, sum[i], k[i], two);
            x[i]   = along(s, x0[i], k[i], stage == 1 ? half : h);
        }
    }
    gm_stepper_slopes(s, end, x, k);
    for (uint32_t i = 0; i < n; i++) x[i] = along(s, x0[i], gm_stepper_op(s, GM_OP_ADD, sum[i], k[i], 0), sixth);
    gm_stepper_accept(s, GM_CODE_NONE, end, x);
}

static void euler(gm_stepper *s, uint32_t *work)
{
    uint32_t n = s->state_count, *x = work, *k = work + n;
    uint32_t h = gm_stepper_row(s, s->layout->step), t = gm_stepper_row(s, GM_TIME_SLOT.v);
    for (uint32_t i = 0; i < n; i++) x[i] = gm_stepper_row(s, s->states[i].v);
    gm_stepper_slopes(s, t, x, k);
    for (uint32_t i = 0; i < n; i++) x[i] = along(s, x[i], k[i], h);
    gm_stepper_accept(s, GM_CODE_NONE, step_end(s, t, h), x);
}

gm_status gm_step_code(const gm_program *program, const gm_layout *layout, gm_method method, double tolerance, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    uint32_t *work = gm_alloc_zeroed(code->alloc, (s.state_count + (size_t)1) * GM_STEP_WORK * sizeof *work);
    if (work == NULL) {
        st = GM_NOMEM;
    } else {
        switch (method) {
        case GM_METHOD_EULER: euler(&s, work); break;
        case GM_METHOD_RK4: rk4(&s, work); break;
        case GM_METHOD_DOPRI: gm_step_dopri(&s, tolerance, work); break;
        default: st = gm_step_implicit(&s, tolerance, 0, NULL); break;
        }
    }
    gm_free(code->alloc, work);
    gm_stepper_finish(&s);
    return st == GM_OK ? gm_code_compact(code, false) : st;
}

gm_status gm_implicit_code(const gm_program *program, const gm_layout *layout, double tolerance, int phase, gm_implicit_rows *rows, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st == GM_OK) st = gm_step_implicit(&s, tolerance, phase, rows);
    gm_stepper_finish(&s);
    return st == GM_OK ? gm_code_compact(code, false) : st;
}

gm_status gm_section_code(const gm_program *program, const gm_layout *layout, gm_section section, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    gm_region region = gm_stepper_section(&s, section);
    for (uint32_t i = 0; i < region.result_count && code->status == GM_OK; i++) {
        gm_stepper_store(&s, region.results[i].target, s.map[region.results[i].value]);
    }
    gm_stepper_finish(&s);
    return gm_code_compact(code, false);
}

// One round at an event, for lanes whose flag is set: relations from their indicators, then EVENT. The flag stays set
// where a slot changed.
gm_status gm_event_code(const gm_program *program, const gm_layout *layout, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    uint32_t flag = gm_stepper_op(&s, GM_OP_MASK, gm_stepper_row(&s, layout->flag), 0, 0), zero = gm_stepper_number(&s, 0);
    uint32_t changed = gm_stepper_op(&s, GM_OP_BOOL, 0, 0, 0);

    for (int phase = 0; phase < 2; phase++) {
        gm_region region = gm_stepper_section(&s, phase == 0 ? GM_SECTION_INDICATOR : GM_SECTION_EVENT);
        for (uint32_t i = 0; i < region.result_count && code->status == GM_OK; i++) {
            uint32_t slot = region.results[i].target, value = s.map[region.results[i].value];
            if (phase == 0) value = gm_stepper_op(&s, GM_OP_NUMBER, gm_stepper_op(&s, GM_OP_LT, zero, value, 0), 0, 0);
            uint32_t old = gm_stepper_row(&s, slot);
            changed      = gm_stepper_op(&s, GM_OP_OR, changed, gm_stepper_op(&s, GM_OP_NE, value, old, 0), 0);
            gm_stepper_store(&s, slot, gm_stepper_op(&s, GM_OP_SELECT, flag, value, old));
            if (phase == 0) s.slots[slot] = value;  // EVENT sees the relations as they are now
        }
    }
    uint32_t again = gm_stepper_op(&s, GM_OP_AND, flag, changed, 0);
    gm_stepper_store(&s, layout->flag, gm_stepper_op(&s, GM_OP_NUMBER, again, 0, 0));
    gm_stepper_finish(&s);
    return gm_code_compact(code, false);
}

gm_status gm_slopes_code(const gm_program *program, const gm_layout *layout, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    gm_region region = gm_stepper_section(&s, GM_SECTION_DERIVATIVE);
    for (uint32_t i = 0; i < s.state_count; i++) s.slots[s.states[i].v] = i;
    for (uint32_t i = 0; i < region.result_count && code->status == GM_OK; i++) {
        gm_stepper_store(&s, layout->slope + s.slots[region.results[i].target], s.map[region.results[i].value]);
    }
    gm_stepper_finish(&s);
    return gm_code_compact(code, false);
}

gm_status gm_indicators_code(const gm_program *program, const gm_layout *layout, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    gm_region region = gm_stepper_section(&s, GM_SECTION_INDICATOR);
    for (uint32_t i = 0; i < region.result_count && code->status == GM_OK; i++) {
        gm_stepper_store(&s, layout->indicators + i, s.map[region.results[i].value]);
    }
    gm_stepper_finish(&s);
    return gm_code_compact(code, false);
}

gm_status gm_checks_code(const gm_program *program, const gm_layout *layout, gm_code *code)
{
    gm_stepper s;
    gm_status  st = gm_stepper_begin(&s, program, layout, code);
    if (st != GM_OK) return st;
    gm_region region = gm_stepper_section(&s, GM_SECTION_CHECK);
    for (uint32_t i = 0; i < region.result_count && code->status == GM_OK; i++) {
        look(&s, &region.results[i]);
    }
    gm_stepper_finish(&s);
    return gm_code_compact(code, false);
}
