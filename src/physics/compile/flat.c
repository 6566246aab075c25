#include "physics/compile/flat.h"

void gm_flat_destroy(gm_flat *flat)
{
    if (flat == NULL) return;
    gm_arena_destroy(flat->arena);  // the flat itself lies in it
}

uint32_t gm_flat_find(const gm_flat *flat, gm_str name)
{
    for (uint32_t i = 0; i < flat->var_count; i++) {
        if (gm_str_eq(flat->vars[i].name, name)) return i;
    }
    return UINT32_MAX;
}

static void print_name(const void *context, uint32_t id, gm_buf *out)
{
    gm_buf_str(out, ((const gm_flat *)context)->vars[id].name);
}

void gm_flat_print(const gm_flat *flat, gm_ex e, gm_buf *out)
{
    gm_ex_print(&flat->ex, e, print_name, flat, out);
}

static void dump_attribute(const gm_flat *flat, const char *name, gm_ex value, bool *first, gm_buf *out)
{
    if (value == GM_EX_NONE) return;
    gm_buf_printf(out, "%s%s=", *first ? "(" : ", ", name);
    gm_flat_print(flat, value, out);
    *first = false;
}

static void dump_var(const gm_flat *flat, const gm_flat_var *v, gm_buf *out)
{
    static const char *const types[]         = { "Real", "Integer", "Boolean", "enumeration", "String" };
    static const char *const variabilities[] = { "", "discrete ", "parameter ", "constant " };
    gm_buf_text(out, "  ");
    if (v->flags & GM_FLAT_STRUCTURAL) gm_buf_text(out, "structural ");
    if (v->flags & GM_FLAT_INPUT) gm_buf_text(out, "input ");
    if (v->flags & GM_FLAT_OUTPUT) gm_buf_text(out, "output ");
    if (v->flags & GM_FLAT_FLOW) gm_buf_text(out, "flow ");
    gm_buf_printf(out, "%s%s " GM_STR_FMT, variabilities[v->variability], types[v->type], GM_STR_ARG(v->name));
    bool first = true;
    if (v->unit.len > 0) {
        gm_buf_printf(out, "(unit=\"" GM_STR_FMT "\"", GM_STR_ARG(v->unit));
        first = false;
    }
    dump_attribute(flat, "start", v->start, &first, out);
    if (v->variability < GM_FLAT_PARAMETER && (v->flags & GM_FLAT_FIXED)) {
        gm_buf_printf(out, "%sfixed=true", first ? "(" : ", ");
        first = false;
    }
    dump_attribute(flat, "min", v->min, &first, out);
    dump_attribute(flat, "max", v->max, &first, out);
    dump_attribute(flat, "nominal", v->nominal, &first, out);
    if (!first) gm_buf_byte(out, ')');
    if (v->binding != GM_EX_NONE) {
        gm_buf_text(out, " = ");
        gm_flat_print(flat, v->binding, out);
    }
    gm_buf_text(out, ";\n");
}

static void dump_equations(const gm_flat *flat, const char *title, const gm_flat_equation *items, uint32_t count,
                           gm_buf *out)
{
    if (count > 0) gm_buf_printf(out, "%s\n", title);
    for (uint32_t i = 0; i < count; i++) {
        gm_buf_text(out, "  ");
        gm_flat_print(flat, items[i].left, out);
        gm_buf_text(out, " = ");
        gm_flat_print(flat, items[i].right, out);
        gm_buf_text(out, ";\n");
    }
}

static void dump_action(const gm_flat *flat, const gm_flat_action *action, gm_buf *out)
{
    static const char *const kinds[] = { "reinit", "assert", "warn", "note", "terminate" };
    gm_buf_text(out, "  ");
    if (action->guard != GM_EX_NONE) {
        gm_buf_text(out, "when ");
        gm_flat_print(flat, action->guard, out);
        gm_buf_text(out, " then ");
    }
    gm_buf_printf(out, "%s(", kinds[action->kind]);
    if (action->kind == GM_FLAT_REINIT) gm_buf_printf(out, GM_STR_FMT ", ", GM_STR_ARG(flat->vars[action->var].name));
    if (action->value != GM_EX_NONE) gm_flat_print(flat, action->value, out);
    if (action->kind != GM_FLAT_REINIT) {
        if (action->value != GM_EX_NONE) gm_buf_text(out, ", ");
        gm_buf_json_str(out, action->message);
    }
    gm_buf_text(out, ");\n");
}

void gm_flat_dump(const gm_flat *flat, gm_buf *out)
{
    gm_buf_printf(out, "model " GM_STR_FMT "\n", GM_STR_ARG(flat->name));
    for (uint32_t i = 0; i < flat->var_count; i++) dump_var(flat, &flat->vars[i], out);
    dump_equations(flat, "initial equation", flat->initials, flat->initial_count, out);
    dump_equations(flat, "equation", flat->equations, flat->equation_count, out);
    for (uint32_t i = 0; i < flat->action_count; i++) dump_action(flat, &flat->actions[i], out);
    gm_buf_text(out, "end\n");
}
