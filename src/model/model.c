// The set of all types. Each successful gm_model_add is a batch with an arena of its own, which lives as long as the
// model: types point into it, and so do the elements that later documents refer to.
#include "model/types.h"

#include <assert.h>

typedef struct batch {
    struct batch *next;
    gm_arena     *arena;
    gm_element  **all;
    size_t        count;
} batch;

struct gm_model {
    const gm_alloc *alloc;
    batch          *batches;
    gm_type_full  **types;     // in the order of adding, removed ones left out
    size_t          count, capacity;
    gm_element    **elements;  // with an @id; places are never reused
    size_t          element_count, element_capacity;
    gm_index        ids;       // id -> place in elements
    uint32_t        numbers;   // types ever added
};

static bool id_same(const void *owner, uint32_t id, gm_str key)
{
    const gm_model *model = owner;
    return gm_str_eq(model->elements[id]->id, key);
}

gm_model *gm_model_create(const gm_alloc *alloc)
{
    gm_model *model = gm_alloc_zeroed(alloc, sizeof *model);
    if (model == NULL) return NULL;
    model->alloc = alloc;
    model->ids   = gm_index_init(alloc, id_same, model);
    return model;
}

void gm_model_destroy(gm_model *model)
{
    if (model == NULL) return;
    while (model->batches != NULL) {
        batch *gone    = model->batches;
        model->batches = gone->next;
        gm_arena_destroy(gone->arena);
        gm_free(model->alloc, gone->all);
        gm_free(model->alloc, gone);
    }
    gm_index_finish(&model->ids);
    gm_free(model->alloc, model->types);
    gm_free(model->alloc, model->elements);
    gm_free(model->alloc, model);
}

gm_element *gm_model_element(const gm_model *model, gm_str id)
{
    uint32_t at = gm_index_find(&model->ids, id);
    return at != GM_INDEX_NONE ? model->elements[at] : NULL;
}

static gm_status verdict(const gm_findings *findings, gm_error *err)
{
    if (findings->count == 0) return GM_OK;
    bool exists = true;
    for (size_t i = 0; i < findings->count; i++)
        exists = exists && gm_str_ends(findings->items[i].rule, GM_STR(":exists"));
    const gm_finding *first = &findings->items[0];
    return gm_fail_at(err, exists ? GM_CONFLICT : GM_INVALID, "model", first->line, first->column,
                      GM_STR_FMT "%s" GM_STR_FMT " (%zu finding%s)", GM_STR_ARG(first->file),
                      first->file.len > 0 ? ": " : "", GM_STR_ARG(gm_str_slice(first->text, 0, 120)), findings->count,
                      findings->count > 1 ? "s" : "");
}

// Reads and checks; *set then holds the elements and, when nothing was found, their types.
static gm_status examine(const gm_model *model, gm_set *set, const gm_model_source *sources, size_t n, gm_error *err)
{
    gm_status st = gm_set_read(set, sources, n, err);
    if (st == GM_OK) st = gm_set_check(set, err);
    if (st != GM_OK || set->found->count > 0) return st;
    st = gm_set_build_types(set, model->numbers, err);
    return st == GM_LIMIT ? GM_OK : st;  // its finding says so
}

static size_t with_id(const gm_set *set) { return set->ids.count; }

// Takes the set's elements and types over. Nothing can fail any more once room was made.
static gm_status commit(gm_model *model, gm_set *set, gm_error *err)
{
    size_t types = 0;
    for (size_t i = 0; i < set->all_count; i++) types += set->all[i]->type != NULL;
    batch *fresh = gm_alloc_zeroed(model->alloc, sizeof *fresh);
    if (fresh == NULL ||
        !gm_alloc_reserve(model->alloc, &model->types, &model->capacity, model->count + types, sizeof *model->types) ||
        !gm_alloc_reserve(model->alloc, &model->elements, &model->element_capacity, model->element_count + with_id(set),
                          sizeof *model->elements) ||
        gm_index_reserve(&model->ids, with_id(set)) != GM_OK) {
        gm_free(model->alloc, fresh);
        return gm_fail(err, GM_NOMEM, "model", "adding %zu types", types);
    }
    for (size_t i = 0; i < set->all_count; i++) {
        gm_element *element = set->all[i];
        if (element->id.len > 0) {
            model->elements[model->element_count] = element;
            gm_status st = gm_index_add(&model->ids, element->id, (uint32_t)model->element_count++);
            assert(st == GM_OK);
            (void)st;
        }
        if (element->type == NULL) continue;
        gm_type_full *full = (gm_type_full *)element->type;
        full->place        = model->count;
        model->types[model->count++] = full;
        model->numbers++;
    }
    *fresh         = (batch){ .next = model->batches, .arena = set->arena, .all = set->all, .count = set->all_count };
    model->batches = fresh;
    set->arena     = NULL;
    set->all       = NULL;
    return GM_OK;
}

gm_status gm_model_examine(const gm_model *model, const gm_model_rules *rules, const gm_model_source *sources, size_t n,
                           gm_model *into, gm_findings *out_findings, gm_error *err)
{
    assert(model != NULL && out_findings != NULL && (into == NULL || into == model));
    *out_findings = (gm_findings){0};
    gm_collector found;
    gm_status    st = gm_collector_init(&found, model->alloc, err);
    if (st != GM_OK) return st;
    gm_set set = { .alloc = model->alloc, .arena = gm_arena_create(model->alloc, 0), .found = &found, .known = model,
                   .rules = rules };
    if (set.arena == NULL) {
        st = gm_fail(err, GM_NOMEM, "model", "reading %zu documents", n);
        goto done;
    }
    st = examine(model, &set, sources, n, err);
    if (st == GM_OK && found.count == 0 && into != NULL) st = commit(into, &set, err);
    if (st == GM_OK) st = gm_collector_take(&found, out_findings, err);
    if (st == GM_OK) st = verdict(out_findings, err);
done:
    gm_set_finish(&set);
    gm_arena_destroy(set.arena);
    gm_collector_finish(&found);
    return st;
}

static const gm_model_rules usual = { .unknown_extensions = GM_UNKNOWN_PER_VERSION };

gm_status gm_model_add(gm_model *model, const gm_model_source *sources, size_t n, gm_findings *out_findings,
                       gm_error *err)
{
    return gm_model_examine(model, &usual, sources, n, model, out_findings, err);
}

gm_status gm_model_check(const gm_model *model, const gm_model_source *sources, size_t n, gm_findings *out_findings,
                         gm_error *err)
{
    return gm_model_examine(model, &usual, sources, n, NULL, out_findings, err);
}

static gm_type_full *find_full(const gm_model *model, gm_str dtmi)
{
    const gm_element *element = gm_model_element(model, dtmi);
    return element != NULL ? (gm_type_full *)element->type : NULL;
}

static bool uses(const gm_type *type, const gm_type *other)
{
    for (size_t i = 0; i < type->base_count; i++) {
        if (type->bases[i] == other) return true;
    }
    for (size_t i = 0; i < type->component_count; i++) {
        if (type->components[i].type == other) return true;
    }
    return false;
}

// Forgets the identifiers that were defined inside an Interface, so that they may be defined anew.
static void forget_ids(gm_model *model, const gm_element *interface)
{
    for (const batch *b = model->batches; b != NULL; b = b->next) {
        for (size_t i = 0; i < b->count; i++) {
            const gm_element *element = b->all[i];
            if (element->partition == interface && element->id.len > 0) gm_index_remove(&model->ids, element->id);
        }
    }
}

gm_status gm_model_remove(gm_model *model, gm_str dtmi, gm_error *err)
{
    gm_type_full *gone = find_full(model, dtmi);
    if (gone == NULL)
        return gm_fail(err, GM_NOTFOUND, "model", "no interface " GM_STR_FMT, GM_STR_ARG(gm_str_slice(dtmi, 0, 150)));
    for (size_t i = 0; i < model->count; i++) {
        if (!uses(&model->types[i]->seen, &gone->seen)) continue;
        return gm_fail(err, GM_CONFLICT, "model", GM_STR_FMT " is used by " GM_STR_FMT,
                       GM_STR_ARG(gm_str_slice(dtmi, 0, 80)),
                       GM_STR_ARG(gm_str_slice(model->types[i]->seen.id, 0, 80)));
    }
    forget_ids(model, gone->element);
    for (size_t i = gone->place; i + 1 < model->count; i++) {
        model->types[i]        = model->types[i + 1];
        model->types[i]->place = i;
    }
    model->count--;
    return GM_OK;
}

gm_status gm_model_set_decommissioned(gm_model *model, gm_str dtmi, bool decommissioned, gm_error *err)
{
    gm_type_full *full = find_full(model, dtmi);
    if (full == NULL)
        return gm_fail(err, GM_NOTFOUND, "model", "no interface " GM_STR_FMT, GM_STR_ARG(gm_str_slice(dtmi, 0, 150)));
    full->seen.decommissioned = decommissioned;
    return GM_OK;
}

const gm_type *gm_model_find(const gm_model *model, gm_str dtmi)
{
    const gm_type_full *full = find_full(model, dtmi);
    return full != NULL ? &full->seen : NULL;
}

size_t gm_model_count(const gm_model *model) { return model->count; }

const gm_type *gm_model_at(const gm_model *model, size_t i)
{
    assert(i < model->count);
    return &model->types[i]->seen;
}
