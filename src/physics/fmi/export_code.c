// A program as C: model.c of an exported FMU (its contract is inside/gm_model.h).
//
// A section becomes functions of at most CHUNK operations, because compilers take more than proportionally long for
// long ones. A value that a later function needs lies in the instance's work array (FAR), others are locals.
#include "physics/fmi/export_parts.h"

#include "base/number.h"
#include "physics/code.h"

#include <math.h>
#include <stdio.h>

enum { CHUNK = 1000 };
#define NEAR UINT32_MAX

typedef struct writer {
    const gm_export *x;
    gm_buf          *out;
    gm_region        region;
    uint32_t        *place;  // [values] where in the work array, or NEAR
    uint32_t         work, work_max;
    bool             body;   // of a loop: one function
} writer;

static uint32_t chunk_of(const writer *w, uint32_t value) { return w->body ? 0 : value / CHUNK; }

static void number(gm_buf *out, double value)
{
    char text[GM_NUMBER_TEXT];
    if (isnan(value)) gm_buf_text(out, "NAN");
    else if (isinf(value)) gm_buf_text(out, value > 0 ? "INFINITY" : "(-INFINITY)");
    else {
        size_t n = gm_number_write(fabs(value), text);
        if (signbit(value)) gm_buf_text(out, "(-");
        gm_buf_add(out, text, n);
        if (gm_str_find_char((gm_str){ text, n }, '.') == SIZE_MAX && gm_str_find_char((gm_str){ text, n }, 'e') == SIZE_MAX) gm_buf_text(out, ".0");
        if (signbit(value)) gm_buf_byte(out, ')');
    }
}

// A text as a C string literal. Anything unusual becomes an octal escape.
static void literal(gm_buf *out, gm_str text)
{
    gm_buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 32 || c > 126 || c == '"' || c == '\\' || c == '?') gm_buf_printf(out, "\\%03o", c);
        else gm_buf_byte(out, c);
    }
    gm_buf_byte(out, '"');
}

// The same behind "//", where a line end or a backslash at it would lead out of the comment.
static void comment(gm_buf *out, gm_str text)
{
    gm_buf_text(out, "  // ");
    for (size_t i = 0; i < text.len && i < 100; i++) gm_buf_byte(out, text.ptr[i] < 32 || text.ptr[i] == '\\' || text.ptr[i] == 127 ? '.' : (uint8_t)text.ptr[i]);
    gm_buf_byte(out, '\n');
}

// ---- values -----------------------------------------------------------------------------------------------------------

static void operand(const writer *w, uint32_t value, uint32_t chunk)
{
    const gm_ins *ins = &w->region.ins[value];
    if (ins->op == GM_OP_CONST) number(w->out, gm_ins_const(ins));
    else if (ins->op == GM_OP_BOOL) gm_buf_text(w->out, ins->a ? "true" : "false");
    else if (ins->op == GM_OP_SOLVED) gm_buf_printf(w->out, "w[%u]", w->place[ins->a] + ins->b);
    else if (ins->op == GM_OP_SOLVE) gm_buf_printf(w->out, "w[%u]", w->place[value]);
    else if (w->place[value] == NEAR || chunk_of(w, value) == chunk) gm_buf_printf(w->out, "v%u", value);
    else gm_buf_printf(w->out, gm_op_gives_mask(ins->op) ? "(w[%u] != 0)" : "w[%u]", w->place[value]);
}

// How an operation is said in C: the operands stand where A, B and C are.
static const char *pattern(gm_op op)
{
    static const char *const patterns[GM_OP_COUNT] = {
        [GM_OP_ADD] = "A + B", [GM_OP_SUB] = "A - B", [GM_OP_MUL] = "A * B", [GM_OP_DIV] = "A / B",
        [GM_OP_FMA] = "fma(A, B, C)", [GM_OP_FMS] = "fma(A, B, -C)", [GM_OP_FNMA] = "fma(-A, B, C)",
        [GM_OP_NEG] = "-A", [GM_OP_ABS] = "fabs(A)", [GM_OP_SIGN] = "gm_sign(A)",
        [GM_OP_MIN] = "A < B ? A : B", [GM_OP_MAX] = "A > B ? A : B", [GM_OP_SQRT] = "sqrt(A)",
        [GM_OP_FLOOR] = "floor(A)", [GM_OP_CEIL] = "ceil(A)", [GM_OP_TRUNC] = "trunc(A)",
        [GM_OP_QUOT] = "trunc(A / B)", [GM_OP_REM] = "fma(-trunc(A / B), B, A)", [GM_OP_MOD] = "fma(-floor(A / B), B, A)",
        [GM_OP_EXP] = "exp(A)", [GM_OP_LOG] = "log(A)", [GM_OP_LOG10] = "log10(A)", [GM_OP_SIN] = "sin(A)", [GM_OP_COS] = "cos(A)",
        [GM_OP_TAN] = "tan(A)", [GM_OP_ASIN] = "asin(A)", [GM_OP_ACOS] = "acos(A)", [GM_OP_ATAN] = "atan(A)", [GM_OP_ATAN2] = "atan2(A, B)",
        [GM_OP_SINH] = "sinh(A)", [GM_OP_COSH] = "cosh(A)", [GM_OP_TANH] = "tanh(A)", [GM_OP_POW] = "pow(A, B)",
        [GM_OP_LT] = "A < B", [GM_OP_LE] = "A <= B", [GM_OP_EQ] = "A == B", [GM_OP_NE] = "A != B",
        [GM_OP_AND] = "A && B", [GM_OP_OR] = "A || B", [GM_OP_XOR] = "A != B", [GM_OP_NOT] = "!A",
        [GM_OP_SELECT] = "A ? B : C", [GM_OP_NUMBER] = "A ? 1.0 : 0.0", [GM_OP_MASK] = "A != 0",
    };
    return patterns[op];
}

static void expression(const writer *w, uint32_t value)
{
    static const char *const what[] = { "GM_LOOKUP_VALUE", "GM_LOOKUP_DX", "GM_LOOKUP_DY" };
    const gm_ins *ins   = &w->region.ins[value];
    uint32_t      chunk = chunk_of(w, value), operands[3] = { ins->a, ins->b, ins->c };
    switch (ins->op) {
    case GM_OP_LOAD: gm_buf_printf(w->out, "s[%u]", ins->a); return;
    case GM_OP_ARG: gm_buf_printf(w->out, "a[%u]", ins->a); return;
    case GM_OP_UNKNOWN: gm_buf_printf(w->out, "z[%u]", ins->a); return;
    case GM_OP_LOOKUP:
        gm_buf_printf(w->out, "gm_table(&tables[%u], %s, ", ins->c >> 2, what[ins->c & 3]);
        operand(w, ins->a, chunk);
        gm_buf_text(w->out, ", ");
        operand(w, ins->b, chunk);
        gm_buf_byte(w->out, ')');
        return;
    default: break;
    }
    for (const char *c = pattern(ins->op); *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'C') operand(w, operands[*c - 'A'], chunk);
        else gm_buf_byte(w->out, (uint8_t)*c);
    }
}

static void solve(const writer *w, uint32_t value)
{
    const gm_ins *ins = &w->region.ins[value];
    gm_buf_text(w->out, "    {\n        const double a[] = { ");
    for (uint32_t k = 0; k < ins->c; k++) {
        operand(w, w->region.arguments[ins->b + k], chunk_of(w, value));
        gm_buf_text(w->out, ", ");
    }
    gm_buf_printf(w->out, "0 };\n        good = gm_solve_loop(m, &loops[%u], a, w + %u) && good;\n    }\n", ins->a, w->place[value]);
}

static void statement(const writer *w, uint32_t value)
{
    const gm_ins *ins = &w->region.ins[value];
    if (ins->op == GM_OP_CONST || ins->op == GM_OP_BOOL || ins->op == GM_OP_SOLVED) return;
    if (ins->op == GM_OP_SOLVE) {
        solve(w, value);
        return;
    }
    gm_buf_printf(w->out, "    const %s v%u = ", gm_op_gives_mask(ins->op) ? "bool" : "double", value);
    expression(w, value);
    gm_buf_text(w->out, ";\n");
    if (w->place[value] != NEAR) gm_buf_printf(w->out, "    w[%u] = v%u;\n", w->place[value], value);
}

// ---- sections ---------------------------------------------------------------------------------------------------------

// Gives a place in the work array to every value that is used in a function after its own, and to solutions.
static void place_values(writer *w)
{
    const gm_region *r    = &w->region;
    uint32_t         last = r->ins_count > 0 ? chunk_of(w, r->ins_count - 1) : 0;
    w->work               = 0;
    for (uint32_t i = 0; i < r->ins_count; i++) w->place[i] = NEAR;
    for (uint32_t i = 0; i < r->ins_count; i++) {
        const gm_ins *ins = &r->ins[i];
        if (ins->op == GM_OP_SOLVE) {
            w->place[i] = w->work;
            w->work += gm_program_loop(w->x->program, ins->a)->unknowns;
        }
        uint32_t operands[3] = { ins->a, ins->b, ins->c };
        unsigned arity       = gm_op_arity(ins->op);
        for (unsigned k = 0; k < arity; k++) {
            uint32_t v = operands[k];
            if (w->place[v] == NEAR && chunk_of(w, v) != chunk_of(w, i)) w->place[v] = w->work++;
        }
        for (uint32_t k = 0; ins->op == GM_OP_SOLVE && k < ins->c; k++) {
            uint32_t v = r->arguments[ins->b + k];
            if (w->place[v] == NEAR && chunk_of(w, v) != chunk_of(w, i)) w->place[v] = w->work++;
        }
    }
    for (uint32_t i = 0; i < r->result_count; i++) {
        uint32_t v = r->results[i].value;
        if (w->place[v] == NEAR && chunk_of(w, v) != last) w->place[v] = w->work++;
    }
    if (w->work > w->work_max) w->work_max = w->work;
}

static void result(const writer *w, uint32_t index, uint32_t chunk)
{
    static const char *const arrays[] = { [GM_RESULT_STORE] = "m->slot", [GM_RESULT_DERIVATIVE] = "m->slope", [GM_RESULT_INDICATOR] = "m->indicator",
                                          [GM_RESULT_CHECK] = "m->check", [GM_RESULT_RESIDUAL] = "r", [GM_RESULT_JACOBIAN] = "e" };
    const gm_code_result *r  = &w->region.results[index];
    uint32_t              to = r->target, count;
    const gm_slot *list = r->kind == GM_RESULT_DERIVATIVE ? gm_program_slots_of(w->x->program, GM_SLOT_STATE, &count)
                        : r->kind == GM_RESULT_INDICATOR  ? gm_program_relations(w->x->program, &count) : NULL;
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        if (list[i].v == r->target) to = i;
    }
    gm_buf_printf(w->out, "    %s[%u] = ", arrays[r->kind], to);
    operand(w, r->value, chunk);
    gm_buf_text(w->out, ";");
    if (r->kind == GM_RESULT_STORE || r->kind == GM_RESULT_DERIVATIVE) comment(w->out, gm_program_slot(w->x->program, (gm_slot){ r->target })->name);
    else gm_buf_byte(w->out, '\n');
}

static void section(writer *w, gm_section which, const char *name)
{
    w->region = gm_program_section(w->x->program, which);
    if (w->region.result_count == 0) return;
    place_values(w);
    uint32_t chunks = chunk_of(w, w->region.ins_count - 1) + 1;
    for (uint32_t c = 0; c < chunks; c++) {
        gm_buf_printf(w->out, "static bool %s_%u(gm_model *m, const double *s, double *w)\n{\n    bool good = true;\n    (void)m, (void)s, (void)w;\n", name, c);
        for (uint32_t i = c * CHUNK; i < w->region.ins_count && i < (c + 1) * CHUNK; i++) statement(w, i);
        for (uint32_t i = 0; c == chunks - 1 && i < w->region.result_count; i++) result(w, i, c);
        gm_buf_text(w->out, "    return good;\n}\n\n");
    }
    gm_buf_printf(w->out, "static bool %s(gm_model *m)\n{\n    bool good = true;\n", name);
    for (uint32_t c = 0; c < chunks; c++) gm_buf_printf(w->out, "    good = %s_%u(m, m->slot, m->work) && good;\n", name, c);
    gm_buf_text(w->out, "    return good;\n}\n\n");
}

static void numbers(gm_buf *out, const char *type, const char *name, const uint32_t *values, uint32_t n)
{
    gm_buf_printf(out, "static const %s %s[] = { ", type, name);
    for (uint32_t i = 0; i < n; i++) gm_buf_printf(out, i % 20 == 19 ? "%u,\n    " : "%u, ", values[i]);
    gm_buf_text(out, "0 };\n");
}

static void loops(writer *w)
{
    uint32_t count = gm_program_loop_count(w->x->program);
    char     name[40];
    for (uint32_t l = 0; l < count; l++) {
        const gm_loop_info *loop = gm_program_loop(w->x->program, l);
        w->region                = loop->body;
        w->body                  = true;
        place_values(w);
        gm_buf_printf(w->out, "static void loop_%u(const double *a, const double *z, double *r, double *e)\n{\n    (void)a, (void)z, (void)r, (void)e;\n", l);
        for (uint32_t i = 0; i < w->region.ins_count; i++) statement(w, i);
        for (uint32_t i = 0; i < w->region.result_count; i++) result(w, i, 0);
        gm_buf_text(w->out, "}\n\n");
        snprintf(name, sizeof name, "loop_%u_guess", l);
        numbers(w->out, "uint32_t", name, &loop->guess[0].v, loop->unknowns);
        snprintf(name, sizeof name, "loop_%u_rows", l);
        numbers(w->out, "uint32_t", name, loop->rows, loop->entries);
        snprintf(name, sizeof name, "loop_%u_columns", l);
        numbers(w->out, "uint32_t", name, loop->columns, loop->entries);
    }
    w->body = false;
    gm_buf_text(w->out, "static const gm_loop loops[] = {\n");
    for (uint32_t l = 0; l < count; l++) {
        const gm_loop_info *loop = gm_program_loop(w->x->program, l);
        gm_buf_printf(w->out, "    { %u, %u, %s, loop_%u_guess, loop_%u_rows, loop_%u_columns, loop_%u },", loop->unknowns, loop->entries,
                      loop->linear ? "true" : "false", l, l, l, l);
        comment(w->out, loop->name);
    }
    gm_buf_text(w->out, "    { 0 }\n};\n\n");
}

// ---- tables -----------------------------------------------------------------------------------------------------------

static void reals(gm_buf *out, const char *name, uint32_t index, const double *values, size_t n)
{
    gm_buf_printf(out, "static const double %s_%u[] = { ", name, index);
    for (size_t i = 0; i < n; i++) {
        number(out, values[i]);
        gm_buf_text(out, i % 8 == 7 ? ",\n    " : ", ");
    }
    gm_buf_text(out, "0 };\n");
}

static void tables(const writer *w)
{
    static const char *const smooth[] = { "GM_GRID_LINEAR", "GM_GRID_HOLD", "GM_GRID_AKIMA" };
    static const char *const beyond[] = { "GM_GRID_BEYOND_HOLD", "GM_GRID_BEYOND_LINEAR", "GM_GRID_BEYOND_PERIODIC" };
    uint32_t                 count;
    const gm_grid_spec      *grids = gm_program_grids(w->x->program, &count);
    for (uint32_t i = 0; i < count; i++) {
        reals(w->out, "table_x", i, grids[i].x, grids[i].nx);
        reals(w->out, "table_y", i, grids[i].y, grids[i].ny);
        reals(w->out, "table_z", i, grids[i].z, (size_t)grids[i].nx * (grids[i].ny > 0 ? grids[i].ny : 1));
    }
    gm_buf_text(w->out, "static const gm_grid_spec tables[] = {\n");
    for (uint32_t i = 0; i < count; i++) {
        gm_buf_printf(w->out, "    { %u, %u, table_x_%u, table_y_%u, table_z_%u, %s, %s },", grids[i].nx, grids[i].ny, i, i, i,
                      smooth[grids[i].smooth], beyond[grids[i].beyond]);
        comment(w->out, grids[i].name);
    }
    gm_buf_text(w->out, "    { 0 }\n};\n\n");
}

// ---- the description --------------------------------------------------------------------------------------------------

static void slots(const writer *w)
{
    gm_buf_text(w->out, "static const gm_slot slots[] = {  // start, min, max, nominal\n");
    for (uint32_t s = 0; s < gm_program_slot_count(w->x->program); s++) {
        const gm_slot_spec *slot     = gm_program_slot(w->x->program, (gm_slot){ s });
        const double        values[] = { slot->start, slot->min, slot->max, slot->nominal };
        gm_buf_text(w->out, "    { ");
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            if (i > 0) gm_buf_text(w->out, ", ");
            number(w->out, values[i]);
        }
        gm_buf_text(w->out, " },");
        comment(w->out, slot->name);
    }
    gm_buf_text(w->out, "};\n\n");
}

static void variables(const writer *w)
{
    static const char *const roles[] = {
#define X(name) "GM_IS_" #name,
        GM_EXPORT_ROLE_LIST(X)
#undef X
    };
    static const char *const types[] = { "GM_REAL", "GM_INTEGER", "GM_BOOLEAN", "GM_INTEGER" };
    gm_buf_text(w->out, "static const gm_variable variables[] = {\n");
    for (uint32_t i = 0; i < w->x->variable_count; i++) {
        const gm_export_variable *v = &w->x->variables[i];
        gm_buf_printf(w->out, "    { %u, %s, %s, %d, %d },", v->index, roles[v->role], types[v->type], v->negated, v->exact);
        comment(w->out, v->name);
    }
    gm_buf_text(w->out, "};\n\n");
}

static void checks(const writer *w)
{
    static const char *const kinds[] = { "GM_CHECK_ASSERT", "GM_CHECK_WARN", "GM_CHECK_NOTE", "GM_CHECK_TERMINATE" };
    uint32_t                 count;
    const gm_check_info     *list = gm_program_checks(w->x->program, &count);
    gm_buf_text(w->out, "static const gm_check checks[] = {\n");
    for (uint32_t i = 0; i < count; i++) {
        gm_buf_printf(w->out, "    { %s, ", kinds[list[i].kind]);
        literal(w->out, list[i].message);
        gm_buf_text(w->out, " },\n");
    }
    gm_buf_text(w->out, "    { 0 }\n};\n\n");
}

static uint32_t largest_loop(const gm_program *p)
{
    uint32_t most = 0;
    for (uint32_t l = 0; l < gm_program_loop_count(p); l++) {
        if (gm_program_loop(p, l)->unknowns > most) most = gm_program_loop(p, l)->unknowns;
    }
    return most;
}

static const struct { gm_section section; const char *name; } sections[] = {
    { GM_SECTION_BIND, "bind" }, { GM_SECTION_INITIAL, "initial" }, { GM_SECTION_DERIVATIVE, "slope" }, { GM_SECTION_OUTPUT, "output" },
    { GM_SECTION_INDICATOR, "indicator" }, { GM_SECTION_EVENT, "event" }, { GM_SECTION_CHECK, "check" },
};

static void describe(const writer *w)
{
    const gm_program *p = w->x->program;
    uint32_t          states, relations, times, check_count;
    const gm_slot    *lists[] = { gm_program_slots_of(p, GM_SLOT_STATE, &states), gm_program_relations(p, &relations), gm_program_time_events(p, &times) };
    gm_region         event = gm_program_section(p, GM_SECTION_EVENT);
    (void)gm_program_checks(p, &check_count);
    numbers(w->out, "uint32_t", "states", states > 0 ? &lists[0]->v : NULL, states);
    numbers(w->out, "uint32_t", "relations", relations > 0 ? &lists[1]->v : NULL, relations);
    numbers(w->out, "uint32_t", "time_events", times > 0 ? &lists[2]->v : NULL, times);
    gm_buf_text(w->out, "static const uint32_t event_slots[] = { ");
    for (uint32_t i = 0; i < event.result_count; i++) gm_buf_printf(w->out, "%u, ", event.results[i].target);
    gm_buf_text(w->out, "0 };\n\nconst gm_description gm_the_model = {\n");
    gm_buf_printf(w->out, "    .token = \"%s\",\n", w->x->token);
    gm_buf_printf(w->out, "    .slot_count = %u, .state_count = %u, .indicator_count = %u, .check_count = %u, .time_event_count = %u,\n",
                  gm_program_slot_count(p), states, relations, check_count, times);
    gm_buf_printf(w->out, "    .variable_count = %u, .event_count = %u, .work = %u, .loop_unknowns = %u,\n", w->x->variable_count, event.result_count,
                  w->work_max + event.result_count, largest_loop(p));
    gm_buf_text(w->out, "    .slots = slots, .states = states, .relations = relations, .time_events = time_events, .event_slots = event_slots,\n"
                        "    .checks = checks, .variables = variables,\n");
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (gm_program_section(p, sections[i].section).result_count > 0) gm_buf_printf(w->out, "    .%s = %s,\n", sections[i].name, sections[i].name);
    }
    gm_buf_text(w->out, "};\n");
}

void gm_export_code(const gm_export *x, gm_buf *out)
{
    const gm_program *p    = x->program;
    uint32_t          most = 1;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        uint32_t n = gm_program_section(p, sections[i].section).ins_count;
        if (n > most) most = n;
    }
    for (uint32_t l = 0; l < gm_program_loop_count(p); l++) {
        if (gm_program_loop(p, l)->body.ins_count > most) most = gm_program_loop(p, l)->body.ins_count;
    }
    writer w = { .x = x, .out = out, .place = GM_ARENA_NEW(x->arena, uint32_t, most) };
    if (w.place == NULL) {
        out->failed = true;
        return;
    }
    gm_buf_text(out, "// The model's equations, written by gemel.\n#include \"gm_model.h\"\n\n#include <math.h>\n\n");
    slots(&w);
    tables(&w);
    loops(&w);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) section(&w, sections[i].section, sections[i].name);
    checks(&w);
    variables(&w);
    describe(&w);
}
