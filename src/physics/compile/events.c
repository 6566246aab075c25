// What changes only at events becomes memory:
//   a < b            a discrete Boolean r that the executor keeps equal to (b - a > 0); a <= b is not (b < a)
//   time > E         decided at the instant E, which is put into the list of instants
//   edge(c)          c and not pre(m), where m remembers c
//   floor(x), mod .. are computed where they stand, but an event is made where they jump: where sin(pi x) changes sign
//   sample(s, d)     time >= pre(next); next moves on by d
//   delay(x, ...)    of a variable of its own when x is none
// The originals are kept as the initial form of each equation; there everything is computed in place.
#include "physics/compile/system.h"

typedef struct extraction {
    compiler *C;
    gm_map    memo;     // original -> running form
    gm_map    by_time;  // (E) -> index of relation
} extraction;

static gm_ex running(extraction *x, gm_ex e);

static uint32_t hidden(compiler *C, var_kind kind, gm_str name, gm_place at)
{
    variable v = { .kind       = kind,
                   .name       = name,
                   .flat       = NONE,
                   .derivative = NONE,
                   .integral   = NONE,
                   .alias      = NONE,
                   .hidden     = true,
                   .start      = GM_EX_NONE,
                   .select     = GM_FLAT_SELECT_DEFAULT,
                   .at         = at };
    return add_var(C, &v);
}

static gm_str shown(compiler *C, const char *before, gm_ex e, const char *after)
{
    gm_buf text = gm_buf_init(C->alloc);
    gm_buf_text(&text, before);
    print_ex(C, e, &text);
    gm_buf_text(&text, after);
    return take_text(C, &text, 80);
}

// An equation that decides a hidden discrete variable, with a form of its own for the beginning.
static void decide(compiler *C, uint32_t v, gm_ex running_form, gm_ex initial_form)
{
    uint32_t q          = add_eq(C, gm_ex_var(&C->ex, v), running_form, C->vars[v].at, 1, FROM_COMPILER);
    C->eqs[q].init_right = initial_form;
}

// The next instant: E while it lies ahead, never otherwise.
static gm_ex next_instant(compiler *C, gm_ex e)
{
    gm_ex ahead = gm_ex_compare(&C->ex, GM_EX_LT, gm_ex_0(&C->ex, GM_EX_TIME), e, true);
    return gm_ex_3(&C->ex, GM_EX_SELECT, ahead, e, gm_ex_const(&C->ex, __builtin_inf()));
}

// `low < high` as a discrete Boolean.
static gm_ex relation_variable(extraction *x, gm_ex low, gm_ex high, gm_ex original_low, gm_ex original_high)
{
    compiler *C = x->C;
    if (is_invariant(C, low, true) && is_invariant(C, high, true))
        return gm_ex_compare(&C->ex, GM_EX_LT, low, high, true);
    bool low_is_time  = gm_ex_op_of(&C->ex, low) == GM_EX_TIME && is_invariant(C, high, true);
    bool high_is_time = gm_ex_op_of(&C->ex, high) == GM_EX_TIME && is_invariant(C, low, true);
    for (uint32_t i = 0; i < C->relation_count; i++) {
        if (C->relations[i].low == low && C->relations[i].high == high)
            return gm_ex_var(&C->ex, C->relations[i].variable);
    }
    gm_ex    as_text = gm_ex_compare(&C->ex, GM_EX_LT, low, high, true);
    bool     by_time = low_is_time || high_is_time;
    gm_str   name    = shown(C, "", as_text, "");
    uint32_t v       = hidden(C, by_time ? VAR_DISCRETE : VAR_RELATION, name, 0);
    relation r       = { .variable = v, .low = low, .high = high, .by_time = by_time, .next = NONE };
    if (by_time) {
        // At the instant itself the far side holds: time > E from E on, time < E until E.
        gm_ex e = low_is_time ? high : low, time = gm_ex_0(&C->ex, GM_EX_TIME);
        gm_ex original = low_is_time ? original_high : original_low;
        gm_ex now      = low_is_time ? gm_ex_compare(&C->ex, GM_EX_LT, time, e, true)
                                     : gm_ex_compare(&C->ex, GM_EX_LE, e, time, true);
        gm_ex then     = low_is_time ? gm_ex_compare(&C->ex, GM_EX_LT, time, original, true)
                                     : gm_ex_compare(&C->ex, GM_EX_LE, original, time, true);
        decide(C, v, now, then);
        r.next = hidden(C, VAR_DISCRETE, shown(C, "instant of ", as_text, ""), 0);
        decide(C, r.next, next_instant(C, e), next_instant(C, original));
        gm_ids_add(&C->w, &C->time_events, r.next);
    }
    GM_WORK_RESERVE(&C->w, C->relations, C->relation_capacity, C->relation_count + 1);
    C->relations[C->relation_count++] = r;
    return gm_ex_var(&C->ex, v);
}

// An event where x passes a whole number. Nothing reads the relation: it only makes the solver land there.
static void note_jump(extraction *x, gm_ex_op op, gm_ex a, gm_ex b)
{
    compiler *C   = x->C;
    gm_exprs *ex  = &C->ex;
    gm_ex     arg = op == GM_EX_FLOOR || op == GM_EX_CEIL ? a : gm_ex_2(ex, GM_EX_DIV, a, b);
    if (is_invariant(C, arg, true)) return;
    gm_ex wave = gm_ex_1(ex, GM_EX_SIN, gm_ex_2(ex, GM_EX_MUL, gm_ex_const(ex, 3.141592653589793), arg));
    relation_variable(x, gm_ex_const(ex, 0), wave, gm_ex_const(ex, 0), wave);
}

static gm_ex edge_of(extraction *x, gm_ex now, gm_ex original)
{
    compiler *C = x->C;
    if (gm_ex_is_const(&C->ex, now, NULL)) return gm_ex_const(&C->ex, 0);
    gm_ex_node n = *gm_ex_at(&C->ex, now);
    uint32_t   m = NONE;
    if (n.op == GM_EX_VAR && C->vars[n.id].kind == VAR_DISCRETE) {
        m = n.id;
    } else {
        m = hidden(C, VAR_DISCRETE, shown(C, "memory of ", now, ""), 0);
        decide(C, m, now, original);
    }
    return gm_ex_2(&C->ex, GM_EX_AND, now, gm_ex_1(&C->ex, GM_EX_NOT, gm_ex_id(&C->ex, GM_EX_PRE, m)));
}

static gm_ex sample_of(extraction *x, gm_ex start, gm_ex interval)
{
    compiler *C    = x->C;
    gm_exprs *ex   = &C->ex;
    gm_ex     time = gm_ex_0(ex, GM_EX_TIME), one = gm_ex_const(ex, 1), zero = gm_ex_const(ex, 0);
    gm_str    name = shown(C, "sample(", start, ", ...)");
    uint32_t  next = hidden(C, VAR_DISCRETE, gm_work_printf(&C->w, "instant of " GM_STR_FMT, GM_STR_ARG(name)), 0);
    uint32_t  beat = hidden(C, VAR_DISCRETE, gm_work_printf(&C->w, "count of " GM_STR_FMT, GM_STR_ARG(name)), 0);
    gm_ex     due  = gm_ex_compare(ex, GM_EX_LE, gm_ex_id(ex, GM_EX_PRE, next), time, true);
    // The k-th instant is start + k*interval, not the last one plus interval: no drift.
    gm_ex k       = gm_ex_3(ex, GM_EX_SELECT, due, gm_ex_2(ex, GM_EX_ADD, gm_ex_id(ex, GM_EX_PRE, beat), one),
                            gm_ex_id(ex, GM_EX_PRE, beat));
    gm_ex late    = gm_ex_2(ex, GM_EX_DIV, gm_ex_2(ex, GM_EX_SUB, time, start), interval);
    gm_ex k_first = gm_ex_2(ex, GM_EX_MAX, gm_ex_1(ex, GM_EX_CEIL, late), zero);
    decide(C, beat, k, k_first);
    gm_ex at = gm_ex_2(ex, GM_EX_ADD, start, gm_ex_2(ex, GM_EX_MUL, gm_ex_var(ex, beat), interval));
    decide(C, next, at, at);
    gm_ids_add(&C->w, &C->time_events, next);
    return due;
}

// delay needs a variable whose past is kept.
static gm_ex delay_of(extraction *x, const gm_ex now[3], gm_ex original)
{
    compiler  *C  = x->C;
    gm_ex      of = now[0];
    gm_ex_node n  = *gm_ex_at(&C->ex, of);
    if (n.op != GM_EX_VAR || C->vars[n.id].kind == VAR_RELATION || C->vars[n.id].kind == VAR_PARAMETER) {
        uint32_t v = hidden(C, VAR_REAL, shown(C, "delayed ", of, ""), 0);
        uint32_t q = add_eq(C, gm_ex_var(&C->ex, v), of, 0, 1, FROM_COMPILER);
        C->eqs[q].init_right = original;
        of = gm_ex_var(&C->ex, v);
    }
    // The past does not depend on the present: the first operand becomes the number of the delay.
    gm_ex d = gm_ex_3(&C->ex, GM_EX_DELAY, gm_ex_const(&C->ex, C->delays.count), now[1], now[2]);
    gm_ids_add(&C->w, &C->delays, d);
    gm_ids_add(&C->w, &C->delay_sources, gm_ex_at(&C->ex, of)->id);
    return d;
}

static gm_ex running_node(extraction *x, gm_ex e)
{
    compiler  *C  = x->C;
    gm_exprs  *ex = &C->ex;
    gm_ex_node n  = *gm_ex_at(ex, e);
    gm_ex      a[3] = { 0 };
    bool       same = true;
    int        operands = gm_ex_operands((gm_ex_op)n.op);
    for (int k = 0; k < operands; k++) {
        a[k] = gm_map_find(&x->memo, n.a[k]);
        same &= a[k] == n.a[k];
    }
    switch (n.op) {
    case GM_EX_INITIAL: case GM_EX_TERMINAL: return gm_ex_const(ex, 0);
    case GM_EX_LT: return n.quiet ? gm_ex_rebuild(ex, e, a) : relation_variable(x, a[0], a[1], n.a[0], n.a[1]);
    case GM_EX_LE:
        if (n.quiet) return gm_ex_rebuild(ex, e, a);
        return gm_ex_1(ex, GM_EX_NOT, relation_variable(x, a[1], a[0], n.a[1], n.a[0]));
    case GM_EX_FLOOR: case GM_EX_CEIL: case GM_EX_QUOT: case GM_EX_REM: case GM_EX_MOD:
        if (!n.quiet) note_jump(x, (gm_ex_op)n.op, a[0], a[1]);
        return gm_ex_quiet(ex, gm_ex_rebuild(ex, e, a));
    case GM_EX_EDGE: return edge_of(x, a[0], n.a[0]);
    case GM_EX_SAMPLE: return sample_of(x, a[0], a[1]);
    case GM_EX_DELAY: return delay_of(x, a, n.a[0]);
    default: return same ? e : gm_ex_rebuild(ex, e, a);
    }
}

static gm_ex running(extraction *x, gm_ex e)
{
    uint32_t known = gm_map_find(&x->memo, e);
    if (known != GM_MAP_NONE) return known;
    gm_ids order = { 0 };
    gm_ex_order_begin(&x->C->ex);
    gm_ex_order(&x->C->ex, &x->C->w, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        if (gm_map_find(&x->memo, order.at[i]) != GM_MAP_NONE) continue;
        gm_map_put(&x->C->w, &x->memo, order.at[i], running_node(x, order.at[i]));
    }
    return gm_map_find(&x->memo, e);
}

// pre(x) of a continuous x that is no state is x: only events can tell them apart, and no value from before is kept.
static gm_ex without_pre(void *context, gm_ex leaf)
{
    compiler  *C = context;
    gm_ex_node n = *gm_ex_at(&C->ex, leaf);
    if (n.op != GM_EX_PRE || C->vars[n.id].kind != VAR_REAL) return leaf;
    return gm_ex_var(&C->ex, n.id);
}

// A condition of an event must not be looked at between events: an assertion inside a when is remembered, and checked
// after. A warning happens any number of times: each turns its memory over.
static void remember_action(extraction *x, gm_flat_action *a)
{
    compiler *C = x->C;
    if (a->kind == GM_FLAT_REINIT || a->guard == GM_EX_NONE) return;
    gm_ex    happened = a->kind == GM_FLAT_TERMINATE
                            ? a->guard
                            : gm_ex_2(&C->ex, GM_EX_AND, a->guard, gm_ex_1(&C->ex, GM_EX_NOT, a->value));
    uint32_t m        = hidden(
               C, VAR_DISCRETE,
               gm_work_printf(&C->w, "\"" GM_STR_FMT "\" happened", GM_STR_ARG(gm_str_slice(a->message, 0, 60))),
               a->at);
    gm_ex    before   = gm_ex_id(&C->ex, GM_EX_PRE, m), now = gm_ex_2(&C->ex, GM_EX_OR, happened, before);
    if (a->kind == GM_FLAT_WARN) {
        gm_ex both = gm_ex_2(&C->ex, GM_EX_AND, happened, before);
        now        = gm_ex_2(&C->ex, GM_EX_AND, now, gm_ex_1(&C->ex, GM_EX_NOT, both));
    }
    decide(C, m, now, gm_ex_const(&C->ex, 0));
    if (a->kind == GM_FLAT_TERMINATE) {
        a->guard = gm_ex_var(&C->ex, m);
    } else if (a->kind == GM_FLAT_WARN) {
        a->kind  = GM_FLAT_NOTE;
        a->guard = GM_EX_NONE;
        a->value = gm_ex_var(&C->ex, m);
    } else {
        a->guard = GM_EX_NONE;
        a->value = gm_ex_1(&C->ex, GM_EX_NOT, gm_ex_var(&C->ex, m));
    }
}

void extract_events(compiler *C)
{
    extraction x     = { .C = C };
    gm_map     plain = { 0 };
    uint32_t   count = C->eq_count;
    for (uint32_t i = 0; i < count; i++) {
        if (C->eqs[i].gone) continue;
        C->eqs[i].init_left  = C->eqs[i].left;
        C->eqs[i].init_right = C->eqs[i].right;
        if (C->eqs[i].origin == FROM_INITIAL) continue;
        gm_ex left = running(&x, C->eqs[i].left), right = running(&x, C->eqs[i].right);
        C->eqs[i].left  = left;
        C->eqs[i].right = right;
    }
    for (uint32_t i = 0; i < C->action_count; i++) {
        gm_flat_action *a = &C->actions[i];
        if (a->guard != GM_EX_NONE) a->guard = running(&x, a->guard);
        if (a->value != GM_EX_NONE)
            a->value = gm_ex_substitute(&C->ex, &C->w, running(&x, a->value), without_pre, C, &plain);
        remember_action(&x, a);
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone || C->eqs[i].origin == FROM_INITIAL) continue;
        gm_ex left  = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].left, without_pre, C, &plain);
        gm_ex right = gm_ex_substitute(&C->ex, &C->w, C->eqs[i].right, without_pre, C, &plain);
        C->eqs[i].left  = left;
        C->eqs[i].right = right;
    }
}
