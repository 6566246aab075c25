// The beginning is a system of its own: every variable is unknown, states too; initial equations and fixed starts stand
// beside the model's. Where they are too few, start values of states (and of what pre() remembers) fill in; where a
// fixed start follows from others already, it is only a first guess.
#include "physics/compile/system.h"

typedef struct beginning {
    compiler *C;
    gm_map    pre;
} beginning; // pre: variable -> what pre(variable) is at the beginning

static uint32_t pre_of(beginning *s, uint32_t v)
{
    compiler *C     = s->C;
    uint32_t  known = gm_map_find(&s->pre, v);
    if (known != GM_MAP_NONE) return known;
    variable p  = { .kind       = VAR_PRE,
                    .flat       = NONE,
                    .derivative = NONE,
                    .integral   = NONE,
                    .alias      = NONE,
                    .hidden     = true,
                    .start      = C->vars[v].start,
                    .value      = C->vars[v].value,
                    .select     = GM_FLAT_SELECT_DEFAULT,
                    .at         = C->vars[v].at };
    p.name      = gm_work_printf(&C->w, "pre(" GM_STR_FMT ")", GM_STR_ARG(C->vars[v].name));
    uint32_t id = add_var(C, &p);
    gm_map_put(&C->w, &s->pre, v, id);
    return id;
}

static gm_ex start_of(compiler *C, uint32_t v)
{
    return C->vars[v].start != GM_EX_NONE ? C->vars[v].start : gm_ex_const(&C->ex, C->vars[v].value);
}

static gm_ex node_at_beginning(beginning *s, gm_ex e, gm_map *memo)
{
    compiler  *C  = s->C;
    gm_exprs  *ex = &C->ex;
    gm_ex_node n  = *gm_ex_at(ex, e);
    gm_ex      a[3] = { 0 };
    bool       same = true;
    for (int k = 0; k < gm_ex_operands((gm_ex_op)n.op); k++) {
        a[k] = gm_map_find(memo, n.a[k]);
        same &= a[k] == n.a[k];
    }
    switch (n.op) {
    case GM_EX_INITIAL: return gm_ex_const(ex, 1);
    case GM_EX_TERMINAL: case GM_EX_SAMPLE: return gm_ex_const(ex, 0);
    case GM_EX_EDGE:
        return gm_ex_op_of(ex, n.a[0]) == GM_EX_INITIAL ? gm_ex_const(ex, 1) : gm_ex_const(ex, 0); // nothing was before
    case GM_EX_DELAY: return a[0];  // so far there is no other past
    case GM_EX_LT: case GM_EX_LE: return gm_ex_compare(ex, (gm_ex_op)n.op, a[0], a[1], true);
    case GM_EX_PRE:
        if (C->vars[n.id].kind == VAR_REAL) return gm_ex_var(ex, n.id);
        if (C->vars[n.id].kind != VAR_DISCRETE) return e;
        return C->vars[n.id].fixed ? start_of(C, n.id) : gm_ex_var(ex, pre_of(s, n.id));
    default: return same ? e : gm_ex_rebuild(ex, e, a);
    }
}

static gm_ex as_begun(beginning *s, gm_ex e, gm_map *memo)
{
    uint32_t known = gm_map_find(memo, e);
    if (known != GM_MAP_NONE) return known;
    gm_ids order = { 0 };
    gm_ex_order_begin(&s->C->ex);
    gm_ex_order(&s->C->ex, &s->C->w, e, &order);
    for (uint32_t i = 0; i < order.count; i++) {
        if (gm_map_find(memo, order.at[i]) != GM_MAP_NONE) continue;
        gm_map_put(&s->C->w, memo, order.at[i], node_at_beginning(s, order.at[i], memo));
    }
    return gm_map_find(memo, e);
}

static void add_start(compiler *C, system_ *all, uint32_t v, equation_origin origin)
{
    uint32_t q = add_eq(C, gm_ex_var(&C->ex, v), start_of(C, v), C->vars[v].at, (uint32_t)C->vars[v].name.len, origin);
    C->eqs[q].variable  = v;
    gm_ids_add(&C->w, &all->equations, q);
}

// Start values that may be used where nothing else decides: the likelier ones first.
static void add_defaults(compiler *C, system_ *all)
{
    for (int round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < all->unknowns.count; i++) {
            uint32_t        v = all->unknowns.at[i];
            const variable *x = &C->vars[v];
            if (x->fixed && x->kind == VAR_REAL) continue;
            bool moves = x->kind == VAR_REAL && x->derivative != NONE;
            bool use   = round == 0   ? x->kind == VAR_PRE
                         : round == 1 ? x->state && x->has_start
                         : round == 2 ? moves && !x->state && x->has_start
                         : round == 3 ? x->state && !x->has_start
                                      : (moves && !x->state && !x->has_start) || x->kind == VAR_FREE ||
                                          (x->kind == VAR_DISCRETE && x->flat != NONE);
            if (use) add_start(C, all, v, FROM_DEFAULT);
        }
    }
}

static void collect_unknowns(compiler *C, system_ *all)
{
    all->column_of = no_columns(C);
    for (uint32_t i = 0; i < C->var_count; i++) {
        const variable *v = &C->vars[i];
        bool is = ((v->kind == VAR_REAL || v->kind == VAR_DISCRETE) && is_live(C, v)) || v->kind == VAR_FREE ||
                  v->kind == VAR_PRE;
        if (!is) continue;
        all->column_of[i] = all->unknowns.count;
        gm_ids_add(&C->w, &all->unknowns, i);
    }
}

// Rows are matched in order of how much they are meant. Those of the model must all find a place; a fixed start that
// finds none is one too many, unless index reduction has made it follow from others.
static uint32_t match_in_order(compiler *C, const system_ *all, matcher *m, bool *out_good)
{
    uint32_t size = 0;
    *out_good     = true;
    for (uint32_t i = 0; i < all->equations.count; i++) {
        const equation *q = &C->eqs[all->equations.at[i]];
        if (q->origin == FROM_DEFAULT && size == all->unknowns.count) break;
        bool placed = m->column_of_row[i] != NONE || match_row(m, i);
        size += placed;
        if (placed || q->origin == FROM_DEFAULT) continue;
        if (q->origin == FROM_FIXED && !C->vars[q->variable].state) {
            gm_complain(C, GM_SEVERITY_WARNING, q->at, q->length,
                        "`" GM_STR_FMT "` is fixed at the beginning, but follows from the other equations; "
                        "its start is used as a first guess",
                        GM_STR_ARG(C->vars[q->variable].name));
            C->eqs[all->equations.at[i]].gone = true;
            continue;
        }
        *out_good = false;
    }
    return size;
}

static void note_defaults(compiler *C, const system_ *s)
{
    gm_buf   names = gm_buf_init(C->alloc);
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->equations.count; i++) {
        const equation *q = &C->eqs[s->equations.at[i]];
        if (q->origin != FROM_DEFAULT || C->vars[q->variable].kind != VAR_REAL) continue;
        if (count++ < 6)
            gm_buf_printf(&names, "%s`" GM_STR_FMT "` = %g", count > 1 ? ", " : "",
                          GM_STR_ARG(C->vars[q->variable].name), C->vars[q->variable].value);
    }
    C->free_initials = count;
    gm_str shown     = take_text(C, &names, 400);
    if (count > 0) {
        gm_complain(C, GM_SEVERITY_NOTE, C->flat->at, 1,
                    "the beginning is not decided by the equations; %u start value%s taken: " GM_STR_FMT "%s", count,
                    count == 1 ? " is" : "s are", GM_STR_ARG(shown), count > 6 ? " ..." : "");
    }
}

void build_initial_system(compiler *C)
{
    beginning b    = { .C = C };
    gm_map    memo = { 0 };
    system_   all  = { .initial = true };
    uint32_t  model_equations = C->eq_count;
    for (int initial = 0; initial < 2; initial++) {
        for (uint32_t i = 0; i < model_equations; i++) {
            if (C->eqs[i].gone || (C->eqs[i].origin == FROM_INITIAL) != (initial == 1)) continue;
            gm_ex left = as_begun(&b, C->eqs[i].init_left, &memo), right = as_begun(&b, C->eqs[i].init_right, &memo);
            C->eqs[i].init_left  = left;
            C->eqs[i].init_right = right;
            gm_ids_add(&C->w, &all.equations, i);
        }
    }
    collect_unknowns(C, &all);
    for (uint32_t i = 0; i < all.unknowns.count; i++) {
        const variable *v = &C->vars[all.unknowns.at[i]];
        if (v->kind == VAR_REAL && v->fixed) add_start(C, &all, all.unknowns.at[i], FROM_FIXED);
    }
    add_defaults(C, &all);

    graph g;
    build_incidence(C, &all, &g);
    matcher  m = matcher_new(C, &g);
    bool     good;
    uint32_t size = match_in_order(C, &all, &m, &good);
    system_ *s    = &C->init;
    s->initial    = true;
    s->unknowns   = all.unknowns;
    s->column_of  = all.column_of;
    for (uint32_t i = 0; i < all.equations.count; i++) {
        const equation *q = &C->eqs[all.equations.at[i]];
        bool            keep =
            good ? m.column_of_row[i] != NONE : m.column_of_row[i] != NONE || (q->origin != FROM_DEFAULT && !q->gone);
        if (keep) gm_ids_add(&C->w, &s->equations, all.equations.at[i]);
    }
    (void)size;
    match_system(C, s);  // says what is wrong when it is not square
    note_defaults(C, s);
}
