// Which equations must be differentiated so that every highest derivative is decided (Pantelides), and which of the
// derivatives stop being derivatives (dummy derivatives, Mattsson and Soederlind): what is left are the states.
//
//   v1 = v2, C1 v1' + C2 v2' = i    -> v1' = v2' is added, v2' becomes an ordinary unknown, v1 is the state
//
// The choice is made once, so it must hold everywhere: a variable is given up only where it follows from the others by
// a coefficient that can not vanish. Where there is no such variable (the pendulum: x follows from y, but not at the
// bottom) all stay states, and the constraint g = 0, which was differentiated k times, is kept by Baumgarte's equation
// (d/dt + a)^k g = 0: errors of the integration die out instead of adding up.
// J. Baumgarte, Comput. Methods Appl. Mech. Eng. 1 (1972) 1.   LIMIT: no change of states while the model runs.
#include "physics/compile/system.h"

#include <math.h>

enum { ORDER_MAX = 10, DENSE_MAX = 400 };

static const double BAUMGARTE_RATE = 5;  // a, in 1/s: fast enough for what drifts in seconds, and not stiff

typedef struct pantelides {
    compiler *C;
    gm_ids   *vars_of;         // by equation: its unknowns
    uint32_t  vars_of_count, vars_of_capacity;
    gm_map    equation_of;     // variable -> equation that decides it
    gm_map    seen_var;        // -> stamp
    uint32_t  stamp;
    gm_ids    coloured_vars, coloured_eqs;
} pantelides;

// ---------------------------------------------------------------------------------------------------- structure

bool is_live(const compiler *C, const variable *v)
{
    if (v->alias != NONE || v->is_constant) return false;
    if (v->integral != NONE) return is_live(C, &C->vars[v->integral]);
    return true;
}

static bool is_unknown(const compiler *C, const variable *v)
{
    return (v->kind == VAR_REAL || v->kind == VAR_DISCRETE) && is_live(C, v);
}

void build_incidence(compiler *C, system_ *s, graph *out)
{
    uint32_t *start   = GM_WORK_NEW(&C->w, uint32_t, s->equations.count + 1);
    uint32_t *stamp   = GM_WORK_NEW(&C->w, uint32_t, s->unknowns.count + 1);
    gm_ids    entries = { 0 };
    for (uint32_t i = 0; i < s->equations.count; i++) {
        uint32_t e = s->equations.at[i];
        start[i]   = entries.count;
        unknowns_in(C, eq_left(C, s, e), eq_right(C, s, e), s->column_of, stamp, i + 1, &entries);
    }
    start[s->equations.count] = entries.count;
    *out = (graph){ .rows = s->equations.count, .columns = s->unknowns.count, .start = start, .entries = entries.at };
}

// Pairs each equation `x = ...` with x first: that is how it was meant, and needs no solving.
void match_meant(compiler *C, const system_ *s, matcher *m)
{
    for (uint32_t i = 0; i < s->equations.count; i++) {
        for (int side = 0; side < 2; side++) {
            gm_ex             e = side == 0 ? eq_left(C, s, s->equations.at[i]) : eq_right(C, s, s->equations.at[i]);
            const gm_ex_node *n = gm_ex_at(&C->ex, e);
            uint32_t          column = n->op == GM_EX_VAR ? s->column_of[n->id] : NONE;
            if (column == NONE || m->row_of_column[column] != NONE) continue;
            // `0 = x` says something about x, `y = x` (y on the left) is about y.
            m->row_of_column[column] = i;
            m->column_of_row[i]      = column;
            break;
        }
    }
}

uint32_t *no_columns(compiler *C)
{
    uint32_t *column_of = GM_WORK_NEW(&C->w, uint32_t, C->var_count + 1);
    for (uint32_t i = 0; i < C->var_count; i++) column_of[i] = NONE;
    return column_of;
}

// The whole system with x and der(x) as one unknown: is there an equation for each? Fills which equations are discrete.
static void check_structure(compiler *C, uint8_t *is_discrete)
{
    system_ s = { .column_of = no_columns(C) };
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (!is_unknown(C, &C->vars[i]) || C->vars[i].integral != NONE) continue;
        for (uint32_t v = i; v != NONE; v = C->vars[v].derivative) s.column_of[v] = s.unknowns.count;
        gm_ids_add(&C->w, &s.unknowns, i);
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone || C->eqs[i].origin == FROM_INITIAL) continue;
        if (C->eqs[i].left == C->eqs[i].right) {
            gm_complain(C, GM_SEVERITY_WARNING, C->eqs[i].at, C->eqs[i].length,
                        "this equation is always true, it decides nothing");
            C->eqs[i].gone = true;
            continue;
        }
        gm_ids_add(&C->w, &s.equations, i);
    }
    graph g;
    build_incidence(C, &s, &g);
    matcher m = matcher_new(C, &g);
    match_meant(C, &s, &m);
    uint32_t size = match_all(&m);
    if (size < g.rows || size < g.columns) {
        report_structure(C, &s, &g, &m);
        gm_give_up(C);
    }
    for (uint32_t i = 0; i < g.rows; i++) {
        is_discrete[s.equations.at[i]] = C->vars[s.unknowns.at[m.column_of_row[i]]].kind == VAR_DISCRETE;
    }
}

// ---------------------------------------------------------------------------------------------------- Pantelides

static gm_ex seed_time(void *context, gm_ex leaf)
{
    compiler  *C = context;
    gm_ex_node n = *gm_ex_at(&C->ex, leaf);
    if (n.op == GM_EX_TIME) return gm_ex_const(&C->ex, 1);
    if (n.op != GM_EX_VAR) return gm_ex_const(&C->ex, 0);
    const variable *v = &C->vars[n.id];
    if (v->kind == VAR_REAL) return gm_ex_var(&C->ex, derivative_of_var(C, n.id));
    if (v->kind == VAR_INPUT) {
        gm_complain(C, GM_SEVERITY_WARNING, v->at, (uint32_t)v->name.len,
                    "the equations need the derivative of the input `" GM_STR_FMT
                    "`; it counts as 0, because inputs are held over a step",
                    GM_STR_ARG(v->name));
    }
    return gm_ex_const(&C->ex, 0);
}

static gm_ex time_derivative(compiler *C, gm_ex e, const equation *q)
{
    if (C->time.ex == NULL)
        C->time =
            (gm_differ) { .ex = &C->ex, .scratch = &C->w, .seed = seed_time, .context = C, .refused = GM_EX_NONE };
    gm_ex d = gm_ex_diff(&C->time, e);
    if (C->time.refused != GM_EX_NONE) {
        gm_complain(C, GM_SEVERITY_ERROR, q->at, q->length,
                    "this equation must be differentiated (the model has a higher index), but `%s` has no derivative",
                    gm_ex_op_text(gm_ex_op_of(&C->ex, C->time.refused)));
        gm_give_up(C);
    }
    return d;
}

static uint32_t differentiate(compiler *C, uint32_t e)
{
    equation q    = C->eqs[e];
    gm_ex    left = time_derivative(C, q.left, &q), right = time_derivative(C, q.right, &q);
    gm_ex    init_left = time_derivative(C, q.init_left, &q), init_right = time_derivative(C, q.init_right, &q);
    uint32_t d = add_eq(C, left, right, q.at, q.length, FROM_MODEL);
    C->eqs[d].init_left  = init_left;
    C->eqs[d].init_right = init_right;
    C->eqs[d].of         = e;
    C->eqs[e].derivative = d;
    C->reduced++;
    return d;
}

static const gm_ids *real_vars_of(pantelides *p, uint32_t e)
{
    compiler *C = p->C;
    while (p->vars_of_count <= e) {
        GM_WORK_RESERVE(&C->w, p->vars_of, p->vars_of_capacity, p->vars_of_count + 1);
        p->vars_of[p->vars_of_count++] = (gm_ids){ 0 };
    }
    gm_ids *vars = &p->vars_of[e];
    if (vars->at != NULL) return vars;
    gm_ids *order = &C->order;
    order->count  = 0;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, C->eqs[e].left, order);
    gm_ex_order(&C->ex, &C->w, C->eqs[e].right, order);
    GM_WORK_RESERVE(&C->w, vars->at, vars->capacity, 4);
    for (uint32_t i = 0; i < order->count; i++) {
        const gm_ex_node *n = gm_ex_at(&C->ex, order->at[i]);
        if (n->op == GM_EX_VAR && C->vars[n->id].kind == VAR_REAL) gm_ids_add(&C->w, vars, n->id);
    }
    return vars;
}

// An augmenting path from equation e over highest derivatives; colours what it visits.
static bool augment(pantelides *p, uint32_t e)
{
    compiler *C = p->C;
    typedef struct frame { uint32_t eq, next, via; } frame;
    frame   *stack = NULL;
    uint32_t depth = 0, capacity = 0;
    p->stamp++;
    p->coloured_vars.count = p->coloured_eqs.count = 0;
    GM_WORK_RESERVE(&C->w, stack, capacity, 64);
    stack[0] = (frame){ e, 0, NONE };
    gm_ids_add(&C->w, &p->coloured_eqs, e);
    for (;;) {
        const gm_ids *vars = real_vars_of(p, stack[depth].eq);
        if (stack[depth].next == 0) {
            for (uint32_t i = 0; i < vars->count; i++) {
                uint32_t v = vars->at[i];
                if (C->vars[v].derivative != NONE || gm_map_find(&p->equation_of, v) != GM_MAP_NONE) continue;
                for (;; depth--) {
                    gm_map_put(&C->w, &p->equation_of, v, stack[depth].eq);
                    if (depth == 0) return true;
                    v = stack[depth].via;
                }
            }
        }
        bool deeper = false;
        while (!deeper && stack[depth].next < vars->count) {
            uint32_t v = vars->at[stack[depth].next++];
            if (C->vars[v].derivative != NONE || gm_map_find(&p->seen_var, v) == p->stamp) continue;
            gm_map_put(&C->w, &p->seen_var, v, p->stamp);
            gm_ids_add(&C->w, &p->coloured_vars, v);
            uint32_t next = gm_map_find(&p->equation_of, v);
            gm_ids_add(&C->w, &p->coloured_eqs, next);
            depth++;
            GM_WORK_RESERVE(&C->w, stack, capacity, depth + 1);
            stack[depth] = (frame){ next, 0, v };
            deeper       = true;
        }
        if (deeper) continue;
        if (depth == 0) return false;
        depth--;
    }
}

static void run_pantelides(compiler *C, const uint8_t *is_discrete, uint32_t count)
{
    pantelides p = { .C = C };
    for (uint32_t i = 0; i < count; i++) {
        if (C->eqs[i].gone || C->eqs[i].origin == FROM_INITIAL || is_discrete[i]) continue;
        uint32_t e = i;
        for (int order = 0; !augment(&p, e); order++) {
            if (order >= ORDER_MAX || C->eq_count > 20 * count + 1000) {
                gm_complain(C, GM_SEVERITY_ERROR, C->eqs[i].at, C->eqs[i].length,
                            "this equation would have to be differentiated more than %d times", ORDER_MAX);
                gm_give_up(C);
            }
            uint32_t vars = p.coloured_vars.count, eqs = p.coloured_eqs.count;
            for (uint32_t k = 0; k < vars; k++) derivative_of_var(C, p.coloured_vars.at[k]);
            for (uint32_t k = 0; k < eqs; k++) {
                if (C->eqs[p.coloured_eqs.at[k]].derivative == NONE) differentiate(C, p.coloured_eqs.at[k]);
            }
            for (uint32_t k = 0; k < vars; k++) {
                uint32_t v = p.coloured_vars.at[k], by = gm_map_find(&p.equation_of, v);
                gm_map_put(&C->w, &p.equation_of, C->vars[v].derivative, C->eqs[by].derivative);
            }
            e = C->eqs[e].derivative;
        }
    }
}

// ---------------------------------------------------------------------------------------------------- dummy
// derivatives

typedef struct component { gm_ids rows, columns; } component;  // equations; variables (highest derivatives)

static gm_ex seed_variable(void *context, gm_ex leaf)
{
    const uint32_t   *pair = ((void **)context)[1];
    compiler         *C    = ((void **)context)[0];
    const gm_ex_node *n    = gm_ex_at(&C->ex, leaf);
    return gm_ex_const(&C->ex, n->op == GM_EX_VAR && n->id == *pair);
}

static gm_ex partial(compiler *C, uint32_t e, uint32_t v)
{
    void     *context[2] = { C, &v };
    gm_differ d = { .ex = &C->ex, .scratch = &C->w, .seed = seed_variable, .context = context, .refused = GM_EX_NONE };
    return gm_ex_diff(&d, gm_ex_2(&C->ex, GM_EX_SUB, C->eqs[e].left, C->eqs[e].right));
}

// How gladly the variable's derivative is made a dummy, that is, the variable itself no state.
static double willingness(const compiler *C, uint32_t highest)
{
    const variable *v = &C->vars[C->vars[highest].integral];
    static const double by_select[] = { 1e6, 1e3, 1, 1e-3, 1e-6 };  // never, avoid, default, prefer, always
    double w = by_select[v->select];
    if (v->fixed) w *= 0.05;
    else if (v->has_start) w *= 0.3;
    if (v->integral != NONE || v->hidden) w *= 0.9;
    return w;
}

// Gaussian elimination with full pivoting on weighted entries: the columns of the pivots become dummies. *out_firm: no
// pivot depends on anything that varies. False: the rows depend on one another at the values of the beginning.
static bool choose(compiler *C, const component *c, gm_ids *chosen, bool *out_firm)
{
    uint32_t rows = c->rows.count, columns = c->columns.count;
    double  *a    = GM_WORK_NEW(&C->w, double, (size_t)rows * columns);
    gm_ex   *e    = GM_WORK_NEW(&C->w, gm_ex, (size_t)rows * columns);
    uint8_t *row_done = GM_WORK_NEW(&C->w, uint8_t, rows), *column_done = GM_WORK_NEW(&C->w, uint8_t, columns);
    *out_firm         = true;
    for (uint32_t i = 0; i < rows; i++) {
        double largest = 0;
        for (uint32_t j = 0; j < columns; j++) {
            double value = 0;
            e[(size_t)i * columns + j] = partial(C, c->rows.at[i], c->columns.at[j]);
            if (!gm_evaluate(C, e[(size_t)i * columns + j], true, &value) || !isfinite(value)) value = 1;
            a[(size_t)i * columns + j] = value;
            if (fabs(value) > largest) largest = fabs(value);
        }
        for (uint32_t j = 0; j < columns && largest > 0; j++) a[(size_t)i * columns + j] /= largest;
    }
    for (uint32_t k = 0; k < rows; k++) {
        double   best = 0;
        uint32_t r = 0, q = 0;
        for (uint32_t i = 0; i < rows; i++) {
            for (uint32_t j = 0; j < columns && !row_done[i]; j++) {
                if (column_done[j] || fabs(a[(size_t)i * columns + j]) < 1e-10) continue;
                // An entry that can not change is worth more than one that happens to be large now.
                double weight = willingness(C, c->columns.at[j]) * fabs(a[(size_t)i * columns + j]) *
                                (is_invariant(C, e[(size_t)i * columns + j], false) ? 1e3 : 1);
                if (weight <= best) continue;
                best = weight;
                r    = i;
                q    = j;
            }
        }
        if (best == 0) return false;
        row_done[r] = column_done[q] = 1;
        gm_ids_add(&C->w, chosen, c->columns.at[q]);
        *out_firm &= is_invariant(C, e[(size_t)r * columns + q], false);
        for (uint32_t i = 0; i < rows; i++) {
            if (row_done[i]) continue;
            double factor = a[(size_t)i * columns + q] / a[(size_t)r * columns + q];
            for (uint32_t j = 0; j < columns; j++) a[(size_t)i * columns + j] -= factor * a[(size_t)r * columns + j];
        }
    }
    return true;
}

static uint32_t find(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

// Splits equations and candidate variables into independent parts.
static component *split(compiler *C, const gm_ids *rows, const gm_ids *columns, uint32_t *out_count)
{
    gm_map    column_index = { 0 };
    uint32_t  n            = rows->count + columns->count;
    uint32_t *parent       = GM_WORK_NEW(&C->w, uint32_t, n > 0 ? n : 1);
    for (uint32_t i = 0; i < n; i++) parent[i] = i;
    for (uint32_t j = 0; j < columns->count; j++) gm_map_put(&C->w, &column_index, columns->at[j], j);
    for (uint32_t i = 0; i < rows->count; i++) {
        gm_ids *order = &C->order;
        order->count  = 0;
        gm_ex_order_begin(&C->ex);
        gm_ex_order(&C->ex, &C->w, C->eqs[rows->at[i]].left, order);
        gm_ex_order(&C->ex, &C->w, C->eqs[rows->at[i]].right, order);
        for (uint32_t k = 0; k < order->count; k++) {
            const gm_ex_node *node = gm_ex_at(&C->ex, order->at[k]);
            uint32_t          j    = node->op == GM_EX_VAR ? gm_map_find(&column_index, node->id) : GM_MAP_NONE;
            if (j != GM_MAP_NONE) parent[find(parent, rows->count + j)] = find(parent, i);
        }
    }
    gm_map     of    = { 0 };
    component *parts = GM_WORK_NEW(&C->w, component, rows->count > 0 ? rows->count : 1);
    *out_count       = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = find(parent, i), part = gm_map_find(&of, root);
        if (part == GM_MAP_NONE) {
            if (i >= rows->count) continue;  // a variable that no equation mentions stays what it is
            part = (*out_count)++;
            gm_map_put(&C->w, &of, root, part);
        }
        if (i < rows->count) gm_ids_add(&C->w, &parts[part].rows, rows->at[i]);
        else gm_ids_add(&C->w, &parts[part].columns, columns->at[i - rows->count]);
    }
    return parts;
}

static void refuse_choice(compiler *C, const component *c)
{
    const equation *q = &C->eqs[c->rows.at[0]];
    gm_complain(C, GM_SEVERITY_ERROR, q->at, q->length,
                c->rows.count > DENSE_MAX
                 ? "more than %u constraints hang together; a choice of states among them is not supported"
                 : "the states that these %u constraints leave can not be chosen at the values of the beginning: they "
                   "depend on one another there",
                c->rows.count);
    gm_give_up(C);
}

// (d/dt + a)^k g = sum over j of binomial(k, j) a^(k-j) g^(j), in place of the highest derivative; the lower ones hold
// at the beginning only. All variables stay states.
static void stabilise(compiler *C, const component *c)
{
    for (uint32_t i = 0; i < c->rows.count; i++) {
        uint32_t top = c->rows.at[i], order = 0;
        for (uint32_t e = top; C->eqs[e].of != NONE; e = C->eqs[e].of) order++;
        gm_ex  sum = gm_ex_const(&C->ex, 0);
        double factor = 1;
        uint32_t j = order;
        for (uint32_t e = top; e != NONE; e = C->eqs[e].of, j--) {
            gm_ex g = gm_ex_2(&C->ex, GM_EX_SUB, C->eqs[e].left, C->eqs[e].right);
            sum     = gm_ex_2(&C->ex, GM_EX_ADD, sum, gm_ex_2(&C->ex, GM_EX_MUL, gm_ex_const(&C->ex, factor), g));
            if (j > 0) factor *= BAUMGARTE_RATE * j / (order - j + 1);
            if (e != top) C->eqs[e].only_initial = true;
        }
        C->eqs[top].left  = sum;
        C->eqs[top].right = gm_ex_const(&C->ex, 0);
        C->stabilised++;
        gm_complain(C, GM_SEVERITY_NOTE, C->eqs[top].at, C->eqs[top].length,
                 "this constraint is differentiated %u times; no choice of states holds everywhere, so all stay states "
                    "and it is kept by stabilisation",
                    order);
    }
}

static void select_dummies(compiler *C)
{
    gm_ids rows = { 0 }, columns = { 0 };
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].of != NONE && C->eqs[i].derivative == NONE) gm_ids_add(&C->w, &rows, i);
    }
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (C->vars[i].kind == VAR_REAL && C->vars[i].integral != NONE && C->vars[i].derivative == NONE &&
            is_live(C, &C->vars[i])) {
            gm_ids_add(&C->w, &columns, i);
        }
    }
    while (rows.count > 0) {
        gm_ids     chosen = { 0 }, lower_rows = { 0 }, lower_columns = { 0 };
        uint32_t   count;
        component *parts = split(C, &rows, &columns, &count);
        for (uint32_t i = 0; i < count; i++) {
            gm_ids here = { 0 };
            bool   firm = true;
            if (parts[i].rows.count > DENSE_MAX || !choose(C, &parts[i], &here, &firm)) refuse_choice(C, &parts[i]);
            if (!firm) stabilise(C, &parts[i]);
            for (uint32_t k = 0; firm && k < here.count; k++) gm_ids_add(&C->w, &chosen, here.at[k]);
            for (uint32_t k = 0; firm && k < parts[i].rows.count; k++) {
                uint32_t below = C->eqs[parts[i].rows.at[k]].of;
                if (C->eqs[below].of != NONE) gm_ids_add(&C->w, &lower_rows, below);
            }
        }
        for (uint32_t i = 0; i < chosen.count; i++) {
            C->vars[chosen.at[i]].dummy = true;
            uint32_t below = C->vars[chosen.at[i]].integral;
            if (C->vars[below].integral != NONE) gm_ids_add(&C->w, &lower_columns, below);
        }
        rows    = lower_rows;
        columns = lower_columns;
    }
}

// ---------------------------------------------------------------------------------------------------- the running
// system

void match_system(compiler *C, system_ *s)
{
    graph g;
    build_incidence(C, s, &g);
    matcher m = matcher_new(C, &g);
    match_meant(C, s, &m);
    uint32_t size = match_all(&m);
    if (size < g.rows || size < g.columns) {
        report_structure(C, s, &g, &m);
        gm_give_up(C);
    }
    s->start          = (uint32_t *)(uintptr_t)g.start;
    s->entries        = (uint32_t *)(uintptr_t)g.entries;
    s->matched_row    = m.row_of_column;
    s->matched_column = m.column_of_row;
}

// Adds the variables whose pre() the expression mentions; are there any?
static bool collect_pre(compiler *C, gm_ex e, gm_map *remembered)
{
    gm_ids *order = &C->order;
    bool    any   = false;
    order->count  = 0;
    if (e == GM_EX_NONE) return false;
    gm_ex_order_begin(&C->ex);
    gm_ex_order(&C->ex, &C->w, e, order);
    for (uint32_t i = 0; i < order->count; i++) {
        gm_ex_node n = *gm_ex_at(&C->ex, order->at[i]);
        if (n.op != GM_EX_PRE) continue;
        any = true;
        gm_map_put(&C->w, remembered, n.id, 1);
    }
    return any;
}

// n = integer(x), b = noEvent(x > 1): an Integer or Boolean that follows a continuous expression, with no memory of its
// own, is computed whenever it is looked at. It would lag behind if it were computed at events only.
static void free_followers(compiler *C)
{
    gm_map   remembered = { 0 };
    uint8_t *has_memory = GM_WORK_NEW(&C->w, uint8_t, C->eq_count + 1);
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (C->eqs[i].gone) continue;
        has_memory[i] = collect_pre(C, C->eqs[i].left, &remembered);
        has_memory[i] |= collect_pre(C, C->eqs[i].right, &remembered);
    }
    for (uint32_t i = 0; i < C->action_count; i++) {
        collect_pre(C, C->actions[i].guard, &remembered);
        collect_pre(C, C->actions[i].value, &remembered);
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        const equation *q = &C->eqs[i];
        if (q->gone || q->origin != FROM_MODEL) continue;
        gm_ex_node n = *gm_ex_at(&C->ex, q->left);
        if (n.op != GM_EX_VAR || C->vars[n.id].kind != VAR_DISCRETE || is_invariant(C, q->right, true)) continue;
        if (has_memory[i] || gm_map_find(&remembered, n.id) != GM_MAP_NONE) continue;
        C->vars[n.id].kind = VAR_REAL;
    }
}

void reduce_index(compiler *C)
{
    free_followers(C);
    uint32_t count       = C->eq_count;
    uint8_t *is_discrete = GM_WORK_NEW(&C->w, uint8_t, count > 0 ? count : 1);
    check_structure(C, is_discrete);
    run_pantelides(C, is_discrete, count);
    select_dummies(C);
    for (uint32_t i = 0; i < C->var_count; i++) {
        variable *v = &C->vars[i];
        v->state    = v->kind == VAR_REAL && is_live(C, v) && v->derivative != NONE && !C->vars[v->derivative].dummy;
    }
    system_ *s   = &C->run;
    s->column_of = no_columns(C);
    for (uint32_t i = 0; i < C->var_count; i++) {
        if (!is_unknown(C, &C->vars[i]) || C->vars[i].state) continue;
        s->column_of[i] = s->unknowns.count;
        gm_ids_add(&C->w, &s->unknowns, i);
    }
    for (uint32_t i = 0; i < C->eq_count; i++) {
        if (!C->eqs[i].gone && C->eqs[i].origin != FROM_INITIAL && !C->eqs[i].only_initial)
            gm_ids_add(&C->w, &s->equations, i);
    }
    match_system(C, s);
}
