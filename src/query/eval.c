#include "query/eval.h"

#include "state/document.h"

#include <math.h>

// ---- binding ----------------------------------------------------------------------------------------------------

// The index of the segment "$metadata", or count.
static size_t metadata_segment(const gm_path *path)
{
    size_t i = 0;
    while (i < path->count && !gm_str_is(path->segments[i], "$metadata")) i++;
    return i;
}

// component/.../$metadata/property/lastUpdateTime: the times of the column component/.../property.
static gm_ref bind_metadata(const gm_path *path, const gm_type *type, size_t metadata)
{
    gm_ref ref  = { .kind = GM_REF_DOCUMENT };
    gm_str last = path->segments[path->count - 1];
    if (metadata == 0 && path->count == 2 && gm_str_is(last, "$model")) return (gm_ref){ .kind = GM_REF_MODEL };
    if (metadata == 0 && path->count == 2 && gm_str_is(last, "$lastUpdateTime"))
        return (gm_ref) { .kind = GM_REF_CHANGED };
    bool ingest = gm_str_is(last, "lastUpdateTime"), source = gm_str_is(last, "sourceTime");
    if (path->count != metadata + 3 || (!ingest && !source) || path->plain < path->count) return ref;

    char   column_path[1024];
    size_t len = 0;
    for (size_t i = 0; i + 1 < path->count; i++) {
        gm_str part = path->segments[i];
        if (i == metadata) continue;
        if (len + part.len + 1 > sizeof column_path) return ref;
        if (len > 0) column_path[len++] = '/';
        memcpy(column_path + len, part.ptr, part.len);
        len += part.len;
    }
    uint32_t column = gm_type_column_index(type, (gm_str){ column_path, len });
    if (column == GM_NO_COLUMN) return ref;  // an object property: its document knows
    return (gm_ref){ .kind = ingest ? GM_REF_INGEST : GM_REF_SOURCE, .column = column };
}

static bool has_columns_below(const gm_type *type, gm_str path)
{
    for (size_t i = 0; i < type->column_count; i++) {
        gm_str column = type->columns[i].path;
        if (column.len > path.len && column.ptr[path.len] == '/' && gm_str_starts(column, path)) return true;
    }
    return false;
}

static gm_ref bind_path(const gm_path *path, const gm_type *type)
{
    if (path->count == 0) return (gm_ref){ .kind = GM_REF_DOCUMENT };
    size_t metadata = metadata_segment(path);
    if (metadata < path->count) return bind_metadata(path, type, metadata);
    if (gm_str_is(path->segments[0], "$rollup")) return (gm_ref){ .kind = path->count == 2 || path->count == 3 ? GM_REF_ROLLUP : GM_REF_NONE };
    if (gm_str_is(path->segments[0], "$thread")) return (gm_ref){ .kind = path->count == 3 ? GM_REF_FACT : GM_REF_NONE };
    if (path->segments[0].len > 0 && path->segments[0].ptr[0] == '$') {
        bool id = path->count == 1 && gm_str_is(path->segments[0], "$dtId");
        return (gm_ref){ .kind = id ? GM_REF_ID : GM_REF_DOCUMENT };
    }
    bool     plain  = path->plain == path->count;
    uint32_t column = plain ? gm_type_column_index(type, path->text) : GM_NO_COLUMN;
    if (column != GM_NO_COLUMN) return (gm_ref){ .kind = GM_REF_COLUMN, .column = column };

    // The longest beginning that is a column holding documents: tags.red, component.map.key.
    size_t end = path->text.len;
    for (size_t rest = path->count - 1; rest > 0; rest--) {
        end -= path->segments[rest].len + 1;
        if (rest > path->plain) continue;
        column = gm_type_column_index(type, gm_str_slice(path->text, 0, end));
        if (column == GM_NO_COLUMN) continue;
        if (type->columns[column].kind != GM_KIND_JSON) return (gm_ref){ .kind = GM_REF_NONE };
        return (gm_ref){ .kind = GM_REF_JSON, .rest = (uint8_t)rest, .column = column };
    }
    bool inner = gm_type_component_index(type, path->segments[0]) != GM_NO_COMPONENT ||
                 (plain && has_columns_below(type, path->text));
    return (gm_ref){ .kind = inner ? GM_REF_DOCUMENT : GM_REF_NONE };
}

static bool type_is_named(const gm_type *type, gm_str dtmi, bool exact)
{
    if (gm_str_eq(type->id, dtmi)) return true;
    for (size_t i = 0; !exact && i < type->base_count; i++) {
        if (gm_str_eq(type->bases[i]->id, dtmi)) return true;
    }
    return false;
}

static void bind_facts(const gm_node *node, const gm_type *type, bool *facts)
{
    if (node->kind == GM_NODE_OF_MODEL) facts[node->fact] = type_is_named(type, node->text, node->op != 0);
    if (node->kind == GM_NODE_AND || node->kind == GM_NODE_OR) {
        for (const gm_node *child = node->first; child != NULL; child = child->next) bind_facts(child, type, facts);
    }
    if (gm_node_has_a(node)) bind_facts(node->a, type, facts);
    if (gm_node_has_b(node)) bind_facts(node->b, type, facts);
}

gm_status gm_bind(const gm_ast *ast, const gm_type *type, gm_arena *arena, gm_binding *out)
{
    gm_ref *refs  = GM_ARENA_NEW(arena, gm_ref, ast->path_count);
    bool   *facts = GM_ARENA_NEW(arena, bool, ast->fact_count);
    if (refs == NULL || facts == NULL) return GM_NOMEM;
    for (size_t i = 0; i < ast->path_count; i++) refs[i] = bind_path(&ast->paths[i], type);
    if (ast->where != NULL) bind_facts(ast->where, type, facts);
    *out = (gm_binding){ type, refs, facts };
    return GM_OK;
}

gm_status gm_eval_init(gm_eval *e, const gm_ast *ast, const gm_state *state, gm_arena *memory, gm_arena *scratch)
{
    *e      = (gm_eval){ .ast = ast, .state = state, .memory = memory, .scratch = scratch, .rollups_at = GM_TIME_MAX };
    e->kept = GM_ARENA_NEW(memory, gm_binding, GM_BINDINGS_KEPT);
    for (size_t i = 0; i < GM_COLLECTIONS_MAX; i++) e->bound[i] = GM_NONE;
    return e->kept != NULL ? GM_OK : GM_NOMEM;
}

const gm_binding *gm_eval_binding(gm_eval *e, const gm_type *type)
{
    gm_binding *slot = &e->kept[type->number % GM_BINDINGS_KEPT];
    if (slot->type == type) return slot;
    // A slot's arrays are as long for every type of this query, so another type takes them over.
    gm_ref *refs  = (gm_ref *)(uintptr_t)slot->refs;
    bool   *facts = (bool *)(uintptr_t)slot->facts;
    if (refs == NULL) {
        refs  = GM_ARENA_NEW(e->memory, gm_ref, e->ast->path_count);
        facts = GM_ARENA_NEW(e->memory, bool, e->ast->fact_count);
        if (refs == NULL || facts == NULL) {
            e->failed = true;
            return NULL;
        }
    }
    for (size_t i = 0; i < e->ast->path_count; i++) refs[i] = bind_path(&e->ast->paths[i], type);
    if (e->ast->where != NULL) bind_facts(e->ast->where, type, facts);
    *slot = (gm_binding){ type, refs, facts };
    return slot;
}

void gm_eval_bind_twin(gm_eval *e, uint32_t collection, gm_twin twin)
{
    e->bound[collection]   = twin.v;
    e->binding[collection] = NULL;  // looked up when a path asks for it
}

void gm_eval_bind_edge(gm_eval *e, uint32_t collection, gm_edge edge)
{
    e->bound[collection] = edge.v;
}

// ---- paths ------------------------------------------------------------------------------------------------------

static gm_qvalue undefined(void)
{
    return (gm_qvalue){ .kind = GM_Q_UNDEFINED };
}

static gm_qvalue text_value(gm_str text)
{
    return (gm_qvalue){ GM_Q_STRING, { .s = text } };
}

// The document that the API would show, written out and looked into. For what has no quicker way.
static gm_qvalue document_value(gm_eval *e, const gm_path *path, bool is_relationship, uint32_t number)
{
    gm_alloc alloc = gm_arena_alloc(e->scratch);
    gm_buf   out   = gm_buf_init(&alloc);
    if (is_relationship) gm_document_write_relationship(e->state, (gm_edge){ number }, &out);
    else gm_document_write_twin(e->state, (gm_twin){ number }, &out);
    if (out.failed) {
        e->failed = true;
        return undefined();
    }
    return gm_json_value(gm_json_find(gm_buf_view(&out), path->segments, path->count), e->scratch);
}

static gm_qvalue edge_value(gm_eval *e, const gm_path *path, gm_edge edge)
{
    if (path->count == 0) return document_value(e, path, true, edge.v);
    gm_relationship r    = gm_state_relationship(e->state, edge);
    gm_str          name = path->segments[0];
    if (name.len == 0 || name.ptr[0] != '$') {
        return gm_json_value(gm_json_find(r.properties, path->segments, path->count), e->scratch);
    }
    if (path->count > 1) return undefined();
    if (gm_str_is(name, "$relationshipId")) return text_value(r.id);
    if (gm_str_is(name, "$relationshipName")) return text_value(r.name);
    if (gm_str_is(name, "$sourceId")) return text_value(gm_state_id(e->state, r.source));
    if (gm_str_is(name, "$targetId")) return text_value(gm_state_id(e->state, r.target));
    return document_value(e, path, true, edge.v);
}

static gm_qvalue value_kept(gm_value value)
{
    switch (value.kind) {
    case GM_KIND_BOOL: return (gm_qvalue){ GM_Q_BOOL, { .i = value.i } };
    case GM_KIND_INT: return (gm_qvalue){ GM_Q_INT, { .i = value.i } };
    case GM_KIND_DOUBLE: return (gm_qvalue){ GM_Q_DOUBLE, { .d = value.d } };
    case GM_KIND_STRING: return text_value(value.s);
    case GM_KIND_JSON: return (gm_qvalue){ GM_Q_JSON, { .s = value.s } };
    case GM_KIND_NONE:
    case GM_KIND_COUNT: break;
    }
    return undefined();
}

// What the thread says. Only twins that are visible get here, and their facts are as visible as they are.
static gm_qvalue fact_value(const gm_eval *e, const gm_path *path, gm_twin twin)
{
    const gm_ast *ast = e->ast;
    gm_value      value;
    if (e->facts == NULL || e->facts->read == NULL) return undefined();
    gm_time_ns valid = ast->has_valid ? ast->valid : ast->has_as_of ? ast->as_of : e->facts->now;
    gm_time_ns known = ast->has_known ? ast->known : INT64_MAX;
    if (!e->facts->read(e->facts->context, gm_state_id(e->state, twin), path->segments[1], path->segments[2], valid, known, &value)) return undefined();
    return value_kept(value);
}

// A text is copied: the next reading may take its place.
static gm_qvalue rollup_value(const gm_eval *e, const gm_path *path, gm_twin twin)
{
    gm_value value;
    gm_str   part = path->count > 2 ? path->segments[2] : (gm_str){ 0 };
    if (e->facts == NULL || e->facts->rollup == NULL) return undefined();
    if (!e->facts->rollup(e->facts->rollups, twin, path->segments[1], part, e->ast->has_as_of ? e->ast->as_of : e->rollups_at, &value)) return undefined();
    if (value.kind == GM_KIND_STRING) value.s = gm_arena_str(e->scratch, value.s);
    return value.kind == GM_KIND_STRING && value.s.ptr == NULL ? undefined() : value_kept(value);
}

static gm_qvalue twin_value(gm_eval *e, const gm_path *path, gm_ref ref, const gm_type *type, gm_twin twin)
{
    gm_cell cell;
    switch ((gm_ref_kind)ref.kind) {
    case GM_REF_NONE: return undefined();
    case GM_REF_ID: return text_value(gm_state_id(e->state, twin));
    case GM_REF_MODEL: return text_value(type->id);
    case GM_REF_CHANGED: return (gm_qvalue){ GM_Q_TIME, { .i = gm_state_changed(e->state, twin) } };
    case GM_REF_FACT: return fact_value(e, path, twin);
    case GM_REF_ROLLUP: return rollup_value(e, path, twin);
    case GM_REF_DOCUMENT: return document_value(e, path, false, twin.v);
    case GM_REF_COLUMN:
        gm_state_get(e->state, twin, ref.column, &cell);
        return gm_qvalue_of(cell.value);
    case GM_REF_JSON:
        gm_state_get(e->state, twin, ref.column, &cell);
        if (cell.value.kind != GM_KIND_JSON) return undefined();
        return gm_json_value(gm_json_find(cell.value.s, path->segments + ref.rest, path->count - ref.rest), e->scratch);
    case GM_REF_INGEST:
    case GM_REF_SOURCE:
        gm_state_get(e->state, twin, ref.column, &cell);
        if (cell.value.kind == GM_KIND_NONE) return undefined();
        return (gm_qvalue){ GM_Q_TIME, { .i = ref.kind == GM_REF_INGEST ? cell.ingest : cell.source } };
    }
    return undefined();
}

static gm_qvalue path_value(gm_eval *e, uint32_t index)
{
    const gm_path *path   = &e->ast->paths[index];
    uint32_t       number = e->bound[path->collection];
    if (e->ast->collections[path->collection].is_relationship) return edge_value(e, path, (gm_edge){ number });
    const gm_type *type = gm_state_type(e->state, (gm_twin){ number });
    // A binding may have been taken over by another type since this twin was bound.
    const gm_binding *binding = e->binding[path->collection];
    if (binding == NULL || binding->type != type) {
        binding = e->binding[path->collection] = gm_eval_binding(e, type);
        if (binding == NULL) return undefined();
    }
    return twin_value(e, path, binding->refs[index], type, (gm_twin){ number });
}

// ---- expressions ------------------------------------------------------------------------------------------------

gm_truth gm_eval_in(gm_qset set, gm_qvalue value)
{
    if (value.kind == GM_Q_UNDEFINED || value.kind == GM_Q_JSON) return GM_UNKNOWN;
    if (value.kind != GM_Q_TIME) return gm_qset_has(set, value) ? GM_TRUE : GM_FALSE;
    for (size_t i = 0; i < set.count; i++) {
        if (gm_qvalue_compare(GM_EQ, value, set.values[i]) == GM_TRUE) return GM_TRUE;
    }
    return GM_FALSE;
}

bool gm_eval_is(gm_is what, gm_qvalue value)
{
    gm_qkind kind = value.kind;
    switch (what) {
    case GM_IS_DEFINED: return kind != GM_Q_UNDEFINED;
    case GM_IS_NULL: return kind == GM_Q_NULL;
    case GM_IS_NUMBER: return kind == GM_Q_INT || kind == GM_Q_DOUBLE;
    case GM_IS_STRING: return kind == GM_Q_STRING || kind == GM_Q_TIME;
    case GM_IS_BOOL: return kind == GM_Q_BOOL;
    case GM_IS_OBJECT: return kind == GM_Q_JSON && value.s.len > 0 && value.s.ptr[0] == '{';
    case GM_IS_PRIMITIVE: return kind != GM_Q_UNDEFINED && kind != GM_Q_JSON;
    }
    return false;
}

gm_truth gm_eval_text(gm_text_op op, gm_str text, gm_str part)
{
    switch (op) {
    case GM_STARTSWITH: return gm_str_starts(text, part);
    case GM_ENDSWITH: return gm_str_ends(text, part);
    case GM_CONTAINS: return gm_str_find(text, part) != SIZE_MAX;
    }
    return GM_UNKNOWN;
}

double gm_eval_arith(gm_arith op, double a, double b)
{
    double result = NAN;
    switch (op) {
    case GM_ADD: result = a + b; break;
    case GM_SUB: result = a - b; break;
    case GM_MUL: result = a * b; break;
    case GM_DIV: result = a / b; break;
    case GM_MOD: result = fmod(a, b); break;
    }
    return isfinite(result) ? result : NAN;
}

static bool as_number(gm_qvalue value, double *out)
{
    if (value.kind == GM_Q_INT) *out = (double)value.i;
    else if (value.kind == GM_Q_DOUBLE) *out = value.d;
    else return false;
    return true;
}

static gm_truth array_contains(gm_eval *e, const gm_node *node)
{
    gm_qvalue array = gm_eval_value(e, node->a), wanted = gm_eval_value(e, node->b);
    if (array.kind != GM_Q_JSON || array.s.len == 0 || array.s.ptr[0] != '[' || wanted.kind == GM_Q_UNDEFINED)
        return GM_UNKNOWN;
    gm_str rest = array.s, element;
    while (gm_json_next_element(&rest, &element)) {
        if (gm_qvalue_compare(GM_EQ, gm_json_value(element, e->scratch), wanted) == GM_TRUE) return GM_TRUE;
    }
    return GM_FALSE;
}

gm_qvalue gm_eval_value(gm_eval *e, const gm_node *node)
{
    double a, b;
    switch ((gm_node_kind)node->kind) {
    case GM_NODE_LITERAL: return node->literal;
    case GM_NODE_PATH: return path_value(e, node->path);
    case GM_NODE_AGGREGATE: return e->aggregates != NULL ? e->aggregates[node->slot] : undefined();
    case GM_NODE_ARITH:
        if (!as_number(gm_eval_value(e, node->a), &a) || !as_number(gm_eval_value(e, node->b), &b)) return undefined();
        a = gm_eval_arith((gm_arith)node->op, a, b);
        return isnan(a) ? undefined() : (gm_qvalue){ GM_Q_DOUBLE, { .d = a } };
    default: break;
    }
    gm_truth truth = gm_eval_truth(e, node);
    return truth == GM_UNKNOWN ? undefined() : (gm_qvalue){ GM_Q_BOOL, { .i = truth == GM_TRUE } };
}

gm_truth gm_eval_truth(gm_eval *e, const gm_node *node)
{
    gm_truth  result;
    gm_qvalue value;
    switch ((gm_node_kind)node->kind) {
    case GM_NODE_AND:
        result = GM_TRUE;
        for (const gm_node *child = node->first; child != NULL && result != GM_FALSE; child = child->next) {
            gm_truth t = gm_eval_truth(e, child);
            if (t != GM_TRUE) result = t;
        }
        return result;
    case GM_NODE_OR:
        result = GM_FALSE;
        for (const gm_node *child = node->first; child != NULL && result != GM_TRUE; child = child->next) {
            gm_truth t = gm_eval_truth(e, child);
            if (t != GM_FALSE) result = t;
        }
        return result;
    case GM_NODE_NOT:
        result = gm_eval_truth(e, node->a);
        return result == GM_UNKNOWN ? GM_UNKNOWN : result == GM_TRUE ? GM_FALSE : GM_TRUE;
    case GM_NODE_COMPARE:
        return gm_qvalue_compare((gm_compare)node->op, gm_eval_value(e, node->a), gm_eval_value(e, node->b));
    case GM_NODE_IN: return gm_eval_in(node->set, gm_eval_value(e, node->a));
    case GM_NODE_IS: return gm_eval_is((gm_is)node->op, gm_eval_value(e, node->a)) ? GM_TRUE : GM_FALSE;
    case GM_NODE_OF_MODEL: {
        const gm_type    *type    = gm_state_type(e->state, (gm_twin){ e->bound[node->collection] });
        const gm_binding *binding = gm_eval_binding(e, type);
        return binding != NULL && binding->facts[node->fact] ? GM_TRUE : GM_FALSE;
    }
    case GM_NODE_TEXT: {
        char   buffers[2][GM_TIME_TEXT];
        gm_str text, part;
        if (!gm_qvalue_text(gm_eval_value(e, node->a), buffers[0], &text)) return GM_UNKNOWN;
        if (!gm_qvalue_text(gm_eval_value(e, node->b), buffers[1], &part)) return GM_UNKNOWN;
        return gm_eval_text((gm_text_op)node->op, text, part);
    }
    case GM_NODE_ARRAY_CONTAINS: return array_contains(e, node);
    default: break;
    }
    value = gm_eval_value(e, node);
    return value.kind != GM_Q_BOOL ? GM_UNKNOWN : value.i ? GM_TRUE : GM_FALSE;
}
