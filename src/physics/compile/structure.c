// What is wrong when equations and unknowns do not pair up. Dulmage and Mendelsohn: from an unknown that no equation
// decides, alternating paths reach everything that is short of equations; from an equation that decides nothing,
// everything that has one too many. What is named is only that part, not the whole model.
#include "physics/compile/system.h"

enum { SHOWN_MAX = 6 };

static void print_name(const void *context, uint32_t id, gm_buf *out)
{
    gm_buf_str(out, ((const compiler *)context)->vars[id].name);
}

void print_ex(compiler *C, gm_ex e, gm_buf *out)
{
    gm_ex_print(&C->ex, e, print_name, C, out);
}

void print_equation(compiler *C, const equation *q, gm_buf *out)
{
    print_ex(C, q->left, out);
    gm_buf_text(out, " = ");
    print_ex(C, q->right, out);
}

gm_str take_text(compiler *C, gm_buf *text, size_t most)
{
    bool   failed = text->failed;
    gm_str copy   = failed ? (gm_str){ 0 } : gm_arena_str(C->w.arena, gm_str_slice(gm_buf_view(text), 0, most));
    gm_buf_finish(text);
    if (failed || copy.ptr == NULL) gm_work_stop(&C->w, GM_NOMEM, "physics.compile", "writing a message");
    return copy;
}

typedef struct part { gm_ids rows, columns; } part;

// Rows and columns reached from a free column: to its rows, to their matched columns, and on.
static part from_column(compiler *C, const graph *back, const matcher *m, uint32_t column, uint8_t *row_seen,
                        uint8_t *column_seen)
{
    part p = { 0 };
    gm_ids_add(&C->w, &p.columns, column);
    column_seen[column] = 1;
    for (uint32_t i = 0; i < p.columns.count; i++) {
        uint32_t c = p.columns.at[i];
        for (uint32_t k = back->start[c]; k < back->start[c + 1]; k++) {
            uint32_t r = back->entries[k];
            if (row_seen[r]) continue;
            row_seen[r] = 1;
            gm_ids_add(&C->w, &p.rows, r);
            uint32_t next = m->column_of_row[r];
            if (next == NONE || column_seen[next]) continue;
            column_seen[next] = 1;
            gm_ids_add(&C->w, &p.columns, next);
        }
    }
    return p;
}

static part from_row(compiler *C, const graph *g, const matcher *m, uint32_t row, uint8_t *row_seen,
                     uint8_t *column_seen)
{
    part p = { 0 };
    gm_ids_add(&C->w, &p.rows, row);
    row_seen[row] = 1;
    for (uint32_t i = 0; i < p.rows.count; i++) {
        uint32_t r = p.rows.at[i];
        for (uint32_t k = g->start[r]; k < g->start[r + 1]; k++) {
            uint32_t c = g->entries[k];
            if (column_seen[c]) continue;
            column_seen[c] = 1;
            gm_ids_add(&C->w, &p.columns, c);
            uint32_t next = m->row_of_column[c];
            if (next == NONE || row_seen[next]) continue;
            row_seen[next] = 1;
            gm_ids_add(&C->w, &p.rows, next);
        }
    }
    return p;
}

static gm_str name_list(compiler *C, const system_ *s, const gm_ids *columns)
{
    gm_buf text = gm_buf_init(C->alloc), *out = &text;
    for (uint32_t i = 0; i < columns->count && i < SHOWN_MAX; i++) {
        gm_buf_printf(out, "%s`" GM_STR_FMT "`", i > 0 ? ", " : "",
                      GM_STR_ARG(C->vars[s->unknowns.at[columns->at[i]]].name));
    }
    if (columns->count > SHOWN_MAX) gm_buf_printf(out, " and %u more", columns->count - SHOWN_MAX);
    return take_text(C, out, 400);
}

static void show_equations(compiler *C, const system_ *s, const gm_ids *rows, const char *what)
{
    for (uint32_t i = 0; i < rows->count && i < SHOWN_MAX; i++) {
        const equation *q    = &C->eqs[s->equations.at[rows->at[i]]];
        equation        form = *q;
        gm_buf          text = gm_buf_init(C->alloc);
        if (s->initial) {
            form.left  = q->init_left;
            form.right = q->init_right;
        }
        print_equation(C, &form, &text);
        gm_str shown = take_text(C, &text, 300);
        gm_complain(C, GM_SEVERITY_NOTE, q->at, q->length, "%s: " GM_STR_FMT, what, GM_STR_ARG(shown));
    }
}

static gm_place place_of(const compiler *C, uint32_t v)
{
    return C->vars[v].at != 0 ? C->vars[v].at : C->flat->at;
}

// The variable that is mentioned least comes first: it is the likeliest to have been forgotten.
static void sort_by_mentions(const graph *back, gm_ids *columns)
{
    for (uint32_t i = 1; i < columns->count && i < 2000; i++) {
        uint32_t c = columns->at[i], mentions = back->start[c + 1] - back->start[c], k = i;
        for (; k > 0; k--) {
            uint32_t other = columns->at[k - 1];
            if (back->start[other + 1] - back->start[other] <= mentions) break;
            columns->at[k] = other;
        }
        columns->at[k] = c;
    }
}

static void report_missing(compiler *C, const system_ *s, const graph *back, part *p)
{
    sort_by_mentions(back, &p->columns);
    uint32_t       v     = s->unknowns.at[p->columns.at[0]];
    gm_str         names = name_list(C, s, &p->columns);
    const variable *x    = &C->vars[v];
    uint32_t       length = (uint32_t)x->name.len;
    if (p->rows.count == 0) {
        gm_complain(C, GM_SEVERITY_ERROR, place_of(C, v), x->hidden ? 1 : length,
                    s->initial ? "%u equations for %u unknowns at the beginning: nothing decides `" GM_STR_FMT
                              "`, it appears in none of them"
                            : "%u equations for %u unknowns: `" GM_STR_FMT "` appears in none of them",
                    s->equations.count, s->unknowns.count, GM_STR_ARG(x->name));
    } else {
        gm_complain(C, GM_SEVERITY_ERROR, place_of(C, v), x->hidden ? 1 : length,
                    "%u equations for %u unknowns%s: " GM_STR_FMT
                    " appear only in %u equation%s, which can not decide them all",
                    s->equations.count, s->unknowns.count, s->initial ? " at the beginning" : "", GM_STR_ARG(names),
                    p->rows.count, p->rows.count == 1 ? "" : "s");
        show_equations(C, s, &p->rows, "one of these");
    }
}

static void report_surplus(compiler *C, const system_ *s, const part *p, uint32_t row)
{
    gm_str          names = name_list(C, s, &p->columns);
    const equation *q     = &C->eqs[s->equations.at[row]];
    if (p->columns.count == 0) {
        gm_buf text = gm_buf_init(C->alloc);
        print_equation(C, q, &text);
        gm_str shown = take_text(C, &text, 300);
        gm_complain(C, GM_SEVERITY_ERROR, q->at != 0 ? q->at : C->flat->at, q->length,
                    "this equation decides nothing, all in it is known: " GM_STR_FMT, GM_STR_ARG(shown));
    } else {
        gm_complain(C, GM_SEVERITY_ERROR, q->at != 0 ? q->at : C->flat->at, q->length,
                    "%u equations for %u unknowns%s: " GM_STR_FMT " are decided by %u equations; one is too many",
                    s->equations.count, s->unknowns.count, s->initial ? " at the beginning" : "", GM_STR_ARG(names),
                    p->rows.count);
        show_equations(C, s, &p->rows, "one of these");
    }
}

void report_structure(compiler *C, const system_ *s, const graph *g, const matcher *m)
{
    graph    back        = gm_transpose(C, g);
    uint8_t *row_seen    = GM_WORK_NEW(&C->w, uint8_t, g->rows + 1);
    uint8_t *column_seen = GM_WORK_NEW(&C->w, uint8_t, g->columns + 1);
    for (uint32_t c = 0; c < g->columns; c++) {
        if (m->row_of_column[c] != NONE || column_seen[c]) continue;
        part p = from_column(C, &back, m, c, row_seen, column_seen);
        report_missing(C, s, &back, &p);
    }
    memset(row_seen, 0, g->rows);
    memset(column_seen, 0, g->columns);
    for (uint32_t r = 0; r < g->rows; r++) {
        if (m->column_of_row[r] != NONE || row_seen[r]) continue;
        part p = from_row(C, g, m, r, row_seen, column_seen);
        report_surplus(C, s, &p, r);
    }
}
