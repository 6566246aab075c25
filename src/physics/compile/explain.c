// What was made of the equations, for an engineer.
#include "physics/compile/system.h"

static uint32_t count_kind(const compiler *C, var_kind kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < C->var_count; i++)
        n += C->vars[i].kind == kind && C->vars[i].alias == NONE && !C->vars[i].is_constant && !C->vars[i].hidden;
    return n;
}

static void list_variables(compiler *C, gm_buf *out)
{
    uint32_t states = 0;
    for (uint32_t i = 0; i < C->var_count; i++) states += C->vars[i].state;
    gm_buf_printf(
        out, "variables: %u states, %u others, %u discrete, %u parameters, %u inputs; %u other names, %u constant\n",
        states, count_kind(C, VAR_REAL) - states, count_kind(C, VAR_DISCRETE),
        count_kind(C, VAR_PARAMETER) + count_kind(C, VAR_FREE), count_kind(C, VAR_INPUT), C->alias_count,
        C->constant_count);
    gm_buf_text(out, "states:\n");
    for (uint32_t i = 0; i < C->var_count; i++) {
        const variable *v = &C->vars[i];
        if (!v->state) continue;
        gm_buf_printf(out, "  " GM_STR_FMT, GM_STR_ARG(v->name));
        if (v->flat != NONE && C->flat->vars[v->flat].unit.len > 0)
            gm_buf_printf(out, " [" GM_STR_FMT "]", GM_STR_ARG(C->flat->vars[v->flat].unit));
        gm_buf_printf(out, "  start %g%s\n", v->value, v->fixed ? " (fixed)" : "");
    }
    bool any = false;
    for (uint32_t i = 0; i < C->var_count; i++) {
        const variable *v = &C->vars[i];
        if (!v->dummy) continue;
        if (!any) gm_buf_text(out, "no longer derivatives (index reduction):\n");
        any = true;
        gm_buf_printf(out, "  " GM_STR_FMT "\n", GM_STR_ARG(v->name));
    }
    if (C->reduced > 0) gm_buf_printf(out, "equations differentiated: %u\n", C->reduced);
    if (C->stabilised > 0) gm_buf_printf(out, "constraints kept by stabilisation: %u\n", C->stabilised);
}

static void list_aliases(compiler *C, gm_buf *out)
{
    if (C->alias_count > 0) gm_buf_text(out, "other names:\n");
    for (uint32_t i = 0; i < C->flat->var_count; i++) {
        if (C->vars[i].alias == NONE) continue;
        gm_ex root = root_of(C, i);
        gm_buf_printf(out, "  " GM_STR_FMT " = ", GM_STR_ARG(C->vars[i].name));
        print_ex(C, root, out);
        gm_buf_byte(out, '\n');
    }
}

static void list_block(compiler *C, const system_ *s, const block *b, gm_buf *out)
{
    uint32_t assigned = b->count - b->tears;
    if (b->tears == 0 && b->count > 1)
        gm_buf_printf(out, "  loop of %u equations, linear, solved for one:\n", b->count);
    if (b->tears > 0) {
        gm_buf_printf(out, "  loop of %u equations, %s, torn to %u:", b->count, b->linear ? "linear" : "nonlinear",
                      b->tears);
        for (uint32_t i = assigned; i < b->count && i < assigned + 20; i++)
            gm_buf_printf(out, " " GM_STR_FMT, GM_STR_ARG(C->vars[s->steps[b->first + i].variable].name));
        gm_buf_text(out, b->tears > 20 ? " ...\n" : "\n");
    }
    for (uint32_t i = 0; i < b->count; i++) {
        const step *one = &s->steps[b->first + i];
        gm_buf_text(out, b->count > 1 || b->tears > 0 ? "    " : "  ");
        if (one->solved != GM_EX_NONE) {
            gm_buf_printf(out, GM_STR_FMT " := ", GM_STR_ARG(C->vars[one->variable].name));
            print_ex(C, one->solved, out);
        } else {
            gm_buf_text(out, "0 = ");
            print_ex(C, eq_left(C, s, one->equation), out);
            gm_buf_text(out, " - (");
            print_ex(C, eq_right(C, s, one->equation), out);
            gm_buf_byte(out, ')');
        }
        gm_buf_byte(out, '\n');
    }
}

static void list_system(compiler *C, const system_ *s, const char *title, gm_buf *out)
{
    uint32_t loops = 0, largest = 0;
    for (uint32_t i = 0; i < s->block_count; i++) {
        bool is_loop = s->blocks[i].tears > 0 || s->blocks[i].count > 1;
        loops += is_loop;
        if (is_loop && s->blocks[i].count > largest) largest = s->blocks[i].count;
    }
    gm_buf_printf(out, "%s: %u equations in %u blocks, %u loops", title, s->equations.count, s->block_count, loops);
    if (loops > 0) gm_buf_printf(out, " (the largest has %u equations)", largest);
    gm_buf_text(out, "\n");
    for (uint32_t i = 0; i < s->block_count && out->len < (1u << 20); i++) list_block(C, s, &s->blocks[i], out);
}

static void list_events(compiler *C, gm_buf *out)
{
    if (C->relation_count == 0 && C->time_events.count == 0) {
        gm_buf_text(out, "events: none\n");
        return;
    }
    gm_buf_text(out, "events:\n");
    for (uint32_t i = 0; i < C->relation_count; i++) {
        gm_buf_printf(out, "  %s ", C->relations[i].by_time ? "at an instant:" : "by crossing:");
        print_ex(C, C->relations[i].low, out);
        gm_buf_text(out, " < ");
        print_ex(C, C->relations[i].high, out);
        gm_buf_byte(out, '\n');
    }
    for (uint32_t i = 0; i < C->time_events.count; i++)
        gm_buf_printf(out, "  " GM_STR_FMT "\n", GM_STR_ARG(C->vars[C->time_events.at[i]].name));
}

void gm_explain(compiler *C, gm_buf *out)
{
    gm_buf_printf(out, "model " GM_STR_FMT "\n", GM_STR_ARG(C->flat->name));
    list_variables(C, out);
    list_aliases(C, out);
    list_system(C, &C->run, "while it runs", out);
    list_events(C, out);
    list_system(C, &C->init, "at the beginning", out);
    gm_buf_printf(out, "start values taken because nothing else decides: %u\n", C->free_initials);
}
