// Conditions over columns. A negated condition is evaluated by asking for the rows on which it is *false*: in
// three-valued logic that is the same as NOT being true, and it needs no second mask. Invariant: `narrow(node, want)`
// leaves exactly the rows, among those it was given, on which the row-by-row evaluator says `want`.
#include "query/filter.h"

#include <assert.h>
#include <math.h>

enum { CAN_FALSE = 1 << GM_FALSE, CAN_TRUE = 1 << GM_TRUE, CAN_UNKNOWN = 1 << GM_UNKNOWN, CAN_ANY = 7 };

// ---- what needs no look at rows ---------------------------------------------------------------------------------

static gm_ref ref_of(const gm_filter *f, const gm_node *path)
{
    return f->binding.refs[path->path];
}

// A column that was never written is absent in every row.
static bool never_written(const gm_filter *f, uint32_t column)
{
    return f->table.columns[column].source == NULL;
}

// The kinds of values that the path can have in this table, as 1 << gm_qkind.
static unsigned kinds_of(const gm_filter *f, const gm_node *node)
{
    enum { UNDEFINED = 1 << GM_Q_UNDEFINED, ALL = 0xff };
    if (node->kind == GM_NODE_LITERAL) return 1u << node->literal.kind;
    if (node->kind == GM_NODE_ARITH) return UNDEFINED | 1u << GM_Q_DOUBLE;
    if (node->kind != GM_NODE_PATH) return ALL;
    gm_ref ref = ref_of(f, node);
    switch ((gm_ref_kind)ref.kind) {
    case GM_REF_NONE: return UNDEFINED;
    case GM_REF_ID:
    case GM_REF_MODEL: return 1u << GM_Q_STRING;
    case GM_REF_CHANGED: return 1u << GM_Q_TIME;
    case GM_REF_FACT:
    case GM_REF_ROLLUP:
    case GM_REF_DOCUMENT: return ALL;
    case GM_REF_INGEST:
    case GM_REF_SOURCE: return never_written(f, ref.column) ? UNDEFINED : UNDEFINED | 1u << GM_Q_TIME;
    case GM_REF_JSON: return never_written(f, ref.column) ? UNDEFINED : ALL;
    case GM_REF_COLUMN: break;
    }
    if (never_written(f, ref.column)) return UNDEFINED;
    static const gm_qkind kinds[GM_KIND_COUNT] = { GM_Q_UNDEFINED, GM_Q_BOOL,   GM_Q_INT,
                                                   GM_Q_DOUBLE,    GM_Q_STRING, GM_Q_JSON };
    return UNDEFINED | 1u << kinds[f->binding.type->columns[ref.column].kind];
}

static bool may_compare(unsigned a, unsigned b)
{
    enum { NUMBERS = 1 << GM_Q_INT | 1 << GM_Q_DOUBLE, TEXTS = 1 << GM_Q_STRING | 1 << GM_Q_TIME };
    unsigned other = 1u << GM_Q_NULL | 1u << GM_Q_BOOL;
    return (a & b & other) || (a & NUMBERS && b & NUMBERS) || (a & TEXTS && b & TEXTS);
}

static unsigned possible_is(unsigned kinds, gm_is what)
{
    unsigned possible = 0;
    for (int kind = 0; kind <= GM_Q_JSON; kind++) {
        if (!(kinds & 1u << kind)) continue;
        if (kind == GM_Q_JSON && what == GM_IS_OBJECT) possible |= CAN_TRUE | CAN_FALSE;
        else possible |= gm_eval_is(what, (gm_qvalue){ .kind = (gm_qkind)kind }) ? CAN_TRUE : CAN_FALSE;
    }
    return possible;
}

static unsigned possible_and(unsigned a, unsigned b)
{
    unsigned out = (a | b) & CAN_FALSE;
    if (a & b & CAN_TRUE) out |= CAN_TRUE;
    if ((a & CAN_UNKNOWN && b & (CAN_TRUE | CAN_UNKNOWN)) || (b & CAN_UNKNOWN && a & (CAN_TRUE | CAN_UNKNOWN)))
        out |= CAN_UNKNOWN;
    return out;
}

static unsigned possible_not(unsigned a)
{
    return (a & CAN_UNKNOWN) | (a & CAN_TRUE ? CAN_FALSE : 0) | (a & CAN_FALSE ? CAN_TRUE : 0);
}

unsigned gm_filter_possible(const gm_filter *f, const gm_node *node)
{
    unsigned possible;
    switch ((gm_node_kind)node->kind) {
    case GM_NODE_AND:
    case GM_NODE_OR:
        // a OR b is NOT (NOT a AND NOT b), here as in the masks.
        possible = CAN_TRUE;
        for (const gm_node *child = node->first; child != NULL; child = child->next) {
            unsigned one = gm_filter_possible(f, child);
            possible     = possible_and(possible, node->kind == GM_NODE_OR ? possible_not(one) : one);
        }
        return node->kind == GM_NODE_OR ? possible_not(possible) : possible;
    case GM_NODE_NOT: return possible_not(gm_filter_possible(f, node->a));
    case GM_NODE_OF_MODEL: return f->binding.facts[node->fact] ? CAN_TRUE : CAN_FALSE;
    case GM_NODE_IS: return possible_is(kinds_of(f, node->a), (gm_is)node->op);
    case GM_NODE_COMPARE: return may_compare(kinds_of(f, node->a), kinds_of(f, node->b)) ? CAN_ANY : CAN_UNKNOWN;
    case GM_NODE_IN: return kinds_of(f, node->a) & ~(1u << GM_Q_UNDEFINED | 1u << GM_Q_JSON) ? CAN_ANY : CAN_UNKNOWN;
    case GM_NODE_TEXT: return kinds_of(f, node->a) & (1u << GM_Q_STRING | 1u << GM_Q_TIME) ? CAN_ANY : CAN_UNKNOWN;
    case GM_NODE_ARRAY_CONTAINS: return kinds_of(f, node->a) & 1u << GM_Q_JSON ? CAN_ANY : CAN_UNKNOWN;
    default: return kinds_of(f, node) & 1u << GM_Q_BOOL ? CAN_ANY : CAN_UNKNOWN;
    }
}

// ---- numbers ----------------------------------------------------------------------------------------------------

static double *scratch_numbers(gm_filter *f, size_t n)
{
    double *out = gm_arena_bytes(f->eval->scratch, n * sizeof *out);
    if (out == NULL) f->eval->failed = true;
    return out;
}

static const double *constant_numbers(gm_filter *f, double value, size_t n)
{
    double *out = scratch_numbers(f, n);
    for (size_t i = 0; out != NULL && i < n; i++) out[i] = value;
    return out;
}

static const double *column_numbers(gm_filter *f, uint32_t column, uint32_t first, size_t n)
{
    const gm_cells *cells = &f->table.columns[column];
    gm_kind         kind  = f->binding.type->columns[column].kind;
    if (cells->source == NULL || (kind != GM_KIND_DOUBLE && kind != GM_KIND_INT)) return constant_numbers(f, NAN, n);
    if (kind == GM_KIND_DOUBLE) return cells->d + first;
    double *out = scratch_numbers(f, n);
    if (out != NULL) gm_f64_of_i64(n, cells->i + first, cells->source + first, out);
    return out;
}

bool gm_filter_has_numbers(const gm_filter *f, const gm_node *node)
{
    if (node->kind == GM_NODE_LITERAL) return true;
    if (node->kind == GM_NODE_PATH) return ref_of(f, node).kind == GM_REF_COLUMN || ref_of(f, node).kind == GM_REF_NONE;
    return node->kind == GM_NODE_ARITH && gm_filter_has_numbers(f, node->a) && gm_filter_has_numbers(f, node->b);
}

const double *gm_filter_numbers(gm_filter *f, const gm_node *node, uint32_t first, size_t n)
{
    if (!gm_filter_has_numbers(f, node)) return NULL;
    if (node->kind == GM_NODE_LITERAL) {
        if (node->literal.kind == GM_Q_INT) return constant_numbers(f, (double)node->literal.i, n);
        return constant_numbers(f, node->literal.kind == GM_Q_DOUBLE ? node->literal.d : NAN, n);
    }
    if (node->kind == GM_NODE_PATH) {
        gm_ref ref = ref_of(f, node);
        return ref.kind == GM_REF_COLUMN ? column_numbers(f, ref.column, first, n) : constant_numbers(f, NAN, n);
    }
    const double *a   = gm_filter_numbers(f, node->a, first, n),
                 *b   = a != NULL ? gm_filter_numbers(f, node->b, first, n) : NULL;
    double       *out = b != NULL ? scratch_numbers(f, n) : NULL;
    if (out != NULL) gm_f64_arith(n, (gm_arith)node->op, a, b, out);
    return out;
}

// As a side of a comparison, integers must not be rounded: they go the exact way.
static bool exact_as_double(const gm_filter *f, const gm_node *node)
{
    if (node->kind == GM_NODE_ARITH) return true;
    if (node->kind == GM_NODE_LITERAL) {
        return node->literal.kind == GM_Q_DOUBLE ||
               (node->literal.kind == GM_Q_INT && node->literal.i > -(INT64_C(1) << 53) &&
                node->literal.i < INT64_C(1) << 53);
    }
    if (node->kind != GM_NODE_PATH || ref_of(f, node).kind != GM_REF_COLUMN) return false;
    return f->binding.type->columns[ref_of(f, node).column].kind == GM_KIND_DOUBLE;
}

// ---- conditions -------------------------------------------------------------------------------------------------

static void narrow(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask);

static void clear(size_t n, uint8_t *mask)
{
    memset(mask, 0, n);
}

// Row by row, for what has no loop of its own.
static void narrow_rows(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    gm_eval *e    = f->eval;
    gm_mark  mark = gm_arena_mark(e->scratch);
    for (size_t i = 0; i < n && !e->failed; i++) {
        if (!mask[i]) continue;
        gm_eval_bind_twin(e, f->collection, (gm_twin){ f->table.twins[first + i] });
        mask[i] = gm_eval_truth(e, node) == want;
        gm_arena_rewind(e->scratch, mark);
    }
}

static void narrow_texts(const gm_text *const *texts, size_t n, gm_compare op, gm_str wanted, uint8_t *mask)
{
    gm_qvalue right = { GM_Q_STRING, { .s = wanted } };
    bool      equal = op == GM_EQ;
    for (size_t i = 0; i < n; i++) {
        if (!mask[i]) continue;
        const gm_text *text = texts[i];
        if (text == NULL) mask[i] = 0;
        else if (op == GM_EQ || op == GM_NE) {
            mask[i] = (text->len == wanted.len && memcmp(text->bytes, wanted.ptr, wanted.len) == 0) == equal;
        } else {
            mask[i] = gm_qvalue_compare(op, (gm_qvalue) { GM_Q_STRING, { .s = { text->bytes, text->len } } }, right) ==
                      GM_TRUE;
        }
    }
}

// A column against a literal. False: not a case for arrays.
static bool narrow_column(gm_filter *f, gm_ref ref, gm_compare op, gm_qvalue literal, uint32_t first, size_t n,
                          uint8_t *mask)
{
    const gm_cells *cells   = &f->table.columns[ref.column];
    gm_kind         kind    = f->binding.type->columns[ref.column].kind;
    bool            number  = literal.kind == GM_Q_INT || literal.kind == GM_Q_DOUBLE;
    if (cells->source == NULL) {
        clear(n, mask);
        return true;
    }
    if (ref.kind == GM_REF_INGEST || ref.kind == GM_REF_SOURCE) {
        gm_time_ns time;
        if (literal.kind != GM_Q_STRING || gm_time_parse(literal.s, &time, NULL) != GM_OK) return false;
        gm_time_ns        ingest[GM_MASK_BLOCK];
        const gm_time_ns *times = ref.kind == GM_REF_INGEST ? ingest : cells->source + first;
        assert(n <= GM_MASK_BLOCK);
        if (ref.kind == GM_REF_INGEST) gm_times_read(cells->ingest, first, n, ingest);
        gm_mask_i64(n, times, cells->source + first,
                    gm_i64_range_of(op, (gm_qvalue) { GM_Q_INT, { .i = time } }), mask);
        return true;
    }
    if (kind == GM_KIND_DOUBLE && number) gm_mask_f64(n, cells->d + first, gm_f64_range_of(op, literal), mask);
    else if (kind == GM_KIND_INT && number)
        gm_mask_i64(n, cells->i + first, cells->source + first, gm_i64_range_of(op, literal), mask);
    else if (kind == GM_KIND_BOOL && literal.kind == GM_Q_BOOL) {
        literal.kind = GM_Q_INT;
        gm_mask_i64(n, cells->i + first, cells->source + first, gm_i64_range_of(op, literal), mask);
    } else if (kind == GM_KIND_STRING && literal.kind == GM_Q_STRING)
        narrow_texts(cells->s + first, n, op, literal.s, mask);
    else clear(n, mask);  // kinds that can not be compared: unknown, neither true nor false
    return true;
}

static void narrow_compare(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    gm_compare op = want == GM_FALSE ? gm_compare_negated((gm_compare)node->op) : (gm_compare)node->op;
    if (node->a->kind == GM_NODE_PATH && node->b->kind == GM_NODE_LITERAL) {
        gm_ref ref    = ref_of(f, node->a);
        bool   column = ref.kind == GM_REF_COLUMN || ref.kind == GM_REF_INGEST || ref.kind == GM_REF_SOURCE;
        if (column && narrow_column(f, ref, op, node->b->literal, first, n, mask)) return;
    } else if (exact_as_double(f, node->a) && exact_as_double(f, node->b)) {
        gm_mark       mark = gm_arena_mark(f->eval->scratch);
        const double *a    = gm_filter_numbers(f, node->a, first, n),
                     *b    = a != NULL ? gm_filter_numbers(f, node->b, first, n) : NULL;
        if (b != NULL) gm_mask_compare(n, op, a, b, mask);
        gm_arena_rewind(f->eval->scratch, mark);
        if (b != NULL) return;
    }
    narrow_rows(f, node, want, first, n, mask);
}

static bool all_numbers(gm_qset set)
{
    for (size_t i = 0; i < set.count; i++) {
        if (set.values[i].kind != GM_Q_INT && set.values[i].kind != GM_Q_DOUBLE) return false;
    }
    return true;
}

// A few numbers: one pass over the column for each costs less than a search per row. NIN: each clears what it finds.
enum { FEW = 16 };
static bool narrow_few(gm_filter *f, uint32_t column, gm_qset set, gm_truth want, uint32_t first, size_t n,
                       uint8_t *mask)
{
    gm_kind kind = f->binding.type->columns[column].kind;
    if (set.count > FEW || !all_numbers(set) || (kind != GM_KIND_INT && kind != GM_KIND_DOUBLE)) return false;
    gm_ref   ref  = { .kind = GM_REF_COLUMN, .column = column };
    gm_mark  mark = gm_arena_mark(f->eval->scratch);
    uint8_t *out = gm_arena_zeroed(f->eval->scratch, n, 1), *rest = gm_arena_bytes(f->eval->scratch, n),
            *one = gm_arena_bytes(f->eval->scratch, n);
    bool     ok = out != NULL && rest != NULL && one != NULL;
    if (!ok) f->eval->failed = true;
    else memcpy(rest, mask, n);
    for (size_t i = 0; ok && i < set.count; i++) {
        if (want == GM_FALSE) {
            narrow_column(f, ref, GM_NE, set.values[i], first, n, mask);
        } else {
            memcpy(one, rest, n);
            narrow_column(f, ref, GM_EQ, set.values[i], first, n, one);
            gm_mask_or(n, one, out, rest);
        }
    }
    if (ok && want == GM_TRUE) memcpy(mask, out, n);
    gm_arena_rewind(f->eval->scratch, mark);
    return true;
}

// IN over a column: a binary search a row, without going through twin numbers.
static bool narrow_in(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    if (node->a->kind != GM_NODE_PATH || ref_of(f, node->a).kind != GM_REF_COLUMN) return false;
    uint32_t        column = ref_of(f, node->a).column;
    const gm_cells *cells  = &f->table.columns[column];
    gm_kind         kind   = f->binding.type->columns[column].kind;
    if (narrow_few(f, column, node->set, want, first, n, mask)) return true;
    for (size_t i = 0; i < n; i++) {
        if (!mask[i]) continue;
        size_t    row   = first + i;
        gm_qvalue value = { 0 };
        if (cells->source != NULL && cells->source[row] != GM_ABSENT) {
            if (kind == GM_KIND_DOUBLE) value = (gm_qvalue){ GM_Q_DOUBLE, { .d = cells->d[row] } };
            else if (kind == GM_KIND_INT) value = (gm_qvalue){ GM_Q_INT, { .i = cells->i[row] } };
            else if (kind == GM_KIND_BOOL) value = (gm_qvalue){ GM_Q_BOOL, { .i = cells->i[row] } };
            else
                value = (gm_qvalue) { kind == GM_KIND_STRING ? GM_Q_STRING : GM_Q_JSON,
                                      { .s = { cells->s[row]->bytes, cells->s[row]->len } } };
        }
        mask[i] = gm_eval_in(node->set, value) == want;
    }
    return true;
}

// IS_... over a column: its kind decides, and whether the cell is there. Documents are looked at row by row.
static bool narrow_is(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    if (ref_of(f, node->a).kind != GM_REF_COLUMN) return false;
    uint32_t column = ref_of(f, node->a).column;
    if (f->binding.type->columns[column].kind == GM_KIND_JSON && node->op == GM_IS_OBJECT) return false;
    // Possibly true of a present cell means always true of one, since a column has one kind.
    bool if_present = gm_filter_possible(f, node) & CAN_TRUE;
    if (!if_present) {
        if (want == GM_TRUE) clear(n, mask);
        return true;
    }
    gm_mask_present(n, f->table.columns[column].source + first, want == GM_TRUE, mask);
    return true;
}

// STARTSWITH, ENDSWITH, CONTAINS of a text column or $dtId with a literal.
static bool narrow_text_test(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    if (node->a->kind != GM_NODE_PATH || node->b->kind != GM_NODE_LITERAL || node->b->literal.kind != GM_Q_STRING)
        return false;
    gm_ref            ref    = ref_of(f, node->a);
    const gm_text_op  op     = (gm_text_op)node->op;
    gm_str            part   = node->b->literal.s;
    bool              is_id  = ref.kind == GM_REF_ID;
    const gm_cells   *cells  = ref.kind == GM_REF_COLUMN ? &f->table.columns[ref.column] : NULL;
    if (!is_id &&
        (cells == NULL || cells->source == NULL || f->binding.type->columns[ref.column].kind != GM_KIND_STRING))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!mask[i]) continue;
        const gm_text *text = is_id ? NULL : cells->s[first + i];
        if (!is_id && text == NULL) {
            mask[i] = 0;
            continue;
        }
        gm_str value = is_id ? gm_state_id(f->eval->state, (gm_twin) { f->table.twins[first + i] })
                             : (gm_str) { text->bytes, text->len };
        mask[i]      = gm_eval_text(op, value, part) == want;
    }
    return true;
}

static void narrow_all(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    for (const gm_node *child = node->first; child != NULL; child = child->next) {
        narrow(f, child, want, first, n, mask);
        if (memchr(mask, 1, n) == NULL) return;
    }
}

static void narrow_any(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    gm_eval *e    = f->eval;
    gm_mark  mark = gm_arena_mark(e->scratch);
    uint8_t *out = gm_arena_zeroed(e->scratch, n, 1), *rest = gm_arena_bytes(e->scratch, n),
            *one = gm_arena_bytes(e->scratch, n);
    if (out == NULL || rest == NULL || one == NULL) {
        e->failed = true;
    } else {
        memcpy(rest, mask, n);
        for (const gm_node *child = node->first; child != NULL; child = child->next) {
            memcpy(one, rest, n);
            narrow(f, child, want, first, n, one);
            gm_mask_or(n, one, out, rest);
            if (memchr(rest, 1, n) == NULL) break;
        }
        memcpy(mask, out, n);
    }
    gm_arena_rewind(e->scratch, mark);
}

static void narrow(gm_filter *f, const gm_node *node, gm_truth want, uint32_t first, size_t n, uint8_t *mask)
{
    if (f->eval->failed) return;
    switch ((gm_node_kind)node->kind) {
    case GM_NODE_AND:
    case GM_NODE_OR:
        // "a AND b is false" is "a is false or b is false", and the other way round.
        if ((node->kind == GM_NODE_AND) == (want == GM_TRUE)) narrow_all(f, node, want, first, n, mask);
        else narrow_any(f, node, want, first, n, mask);
        return;
    case GM_NODE_NOT: narrow(f, node->a, want == GM_TRUE ? GM_FALSE : GM_TRUE, first, n, mask); return;
    case GM_NODE_OF_MODEL:
        if (f->binding.facts[node->fact] != (want == GM_TRUE)) clear(n, mask);
        return;
    case GM_NODE_COMPARE: narrow_compare(f, node, want, first, n, mask); return;
    case GM_NODE_IN:
        if (narrow_in(f, node, want, first, n, mask)) return;
        break;
    case GM_NODE_IS:
        if (narrow_is(f, node, want, first, n, mask)) return;
        break;
    case GM_NODE_TEXT:
        if (narrow_text_test(f, node, want, first, n, mask)) return;
        break;
    default: break;
    }
    if (!(gm_filter_possible(f, node) & 1u << want)) clear(n, mask);
    else narrow_rows(f, node, want, first, n, mask);
}

void gm_filter_rows(gm_filter *f, const gm_node *node, uint32_t first, size_t n, uint8_t *mask)
{
    narrow(f, node, GM_TRUE, first, n, mask);
}
