#include "link/telemetry_names.h"

#include "state/schema_check.h"

static gm_status add_name(gm_telemetry_names *n, uint32_t parent, gm_str text, gm_str path, uint32_t *out_id)
{
    if (!gm_alloc_reserve(n->alloc, &n->names, &n->capacity, n->count + 1, sizeof *n->names)) return GM_NOMEM;
    *out_id = (uint32_t)n->count;
    n->names[n->count++] = (gm_telemetry_name){ .text = text.ptr, .len = (uint32_t)text.len, .parent = parent,
                                                .hash = gm_telemetry_hash(parent, text.ptr, text.len),
                                                .follower = *out_id, .column = GM_NO_COLUMN, .path = path };
    return GM_OK;
}

// While the tree grows there is no table yet.
static uint32_t find_slowly(const gm_telemetry_names *n, uint32_t parent, gm_str text)
{
    for (size_t i = 1; i < n->count; i++) {
        const gm_telemetry_name *name = &n->names[i];
        if (name->parent == parent && gm_str_eq((gm_str){ name->text, name->len }, text)) return (uint32_t)i;
    }
    return GM_TELEMETRY_NOWHERE;
}

static void set_leaf(gm_telemetry_name *name, const gm_column *column, uint32_t number)
{
    name->column      = number;
    name->leaf        = column;
    name->schema      = (uint8_t)column->schema->kind;
    name->kind        = (uint8_t)column->kind;
    name->is_property = !column->is_telemetry;
    (void)gm_schema_int_range(column->schema->kind, &name->min, &name->max);
}

static gm_status add_column(gm_telemetry_names *n, uint32_t number)
{
    const gm_column *column = &n->type->columns[number];
    gm_str           rest = column->path, part;
    uint32_t         at = 0;
    while (gm_str_next(&rest, '/', &part)) {
        uint32_t child = find_slowly(n, at, part);
        gm_str   path  = gm_str_slice(column->path, 0, (size_t)(part.ptr + part.len - column->path.ptr));
        if (child == GM_TELEMETRY_NOWHERE && add_name(n, at, part, path, &child) != GM_OK) return GM_NOMEM;
        at = child;
    }
    set_leaf(&n->names[at], column, number);
    return GM_OK;
}

// Components without telemetry or properties of their own are names too.
static gm_status add_components(gm_telemetry_names *n)
{
    for (size_t i = 0; i < n->type->component_count; i++) {
        gm_str   name = n->type->components[i].name;
        uint32_t id   = find_slowly(n, 0, name);
        if (id == GM_TELEMETRY_NOWHERE && add_name(n, 0, name, name, &id) != GM_OK) return GM_NOMEM;
    }
    return GM_OK;
}

gm_status gm_telemetry_names_create(const gm_alloc *alloc, const gm_type *type, gm_telemetry_names **out_names,
                                    gm_error *err)
{
    uint32_t            root;
    gm_status           st = GM_NOMEM;
    gm_telemetry_names *n  = gm_alloc_zeroed(alloc, sizeof *n);
    *out_names             = NULL;
    if (n == NULL) goto done;
    n->alloc = alloc;
    n->type  = type;
    if (add_name(n, GM_TELEMETRY_NOWHERE, GM_STR(""), GM_STR(""), &root) != GM_OK) goto done;
    for (uint32_t i = 0; i < type->column_count; i++) {
        if (add_column(n, i) != GM_OK) goto done;
    }
    if (add_components(n) != GM_OK) goto done;

    size_t slots = 16;
    while (slots < 4 * n->count) slots *= 2;
    n->slots = gm_alloc_array(alloc, slots, sizeof *n->slots);
    if (n->slots == NULL) goto done;
    memset(n->slots, 0xff, slots * sizeof *n->slots);
    n->mask = slots - 1;
    for (uint32_t id = 1; id < n->count; id++) {
        size_t i = n->names[id].hash & n->mask;
        while (n->slots[i] != GM_TELEMETRY_NOWHERE) i = (i + 1) & n->mask;
        n->slots[i] = id;
    }
    *out_names = n;
    n          = NULL;
    st         = GM_OK;
done:
    gm_telemetry_names_destroy(n);
    return st == GM_OK ? GM_OK
                       : gm_fail(err, st, "link.telemetry", "hashing the names of " GM_STR_FMT, GM_STR_ARG(type->id));
}

void gm_telemetry_names_destroy(gm_telemetry_names *n)
{
    if (n == NULL) return;
    gm_free(n->alloc, n->names);
    gm_free(n->alloc, n->slots);
    gm_free(n->alloc, n);
}

uint32_t gm_telemetry_scope(const gm_telemetry_names *n, gm_str component)
{
    for (size_t i = 0; i < n->type->component_count; i++) {
        if (gm_str_eq(n->type->components[i].name, component))
            return gm_telemetry_find(n, 0, component.ptr, component.len);
    }
    return GM_TELEMETRY_NOWHERE;
}
