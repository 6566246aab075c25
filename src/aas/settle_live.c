// Submodels that are the twin itself: values of its properties and telemetry, its relationships.
#include "aas/settle_parts.h"

#include "aas/plan_parts.h"
#include "aas/tree.h"
#include "state/document.h"

#include <string.h>

static const char WHERE[] = "aas.settle";

static gm_status no_memory(const gm_aas_settling *s) { return gm_fail(s->err, GM_NOMEM, WHERE, "changing a submodel"); }

// ---- values -----------------------------------------------------------------------------------------------------------------

// What is a text in the metamodel's JSON stands for the number, the truth or the document that it spells.
static json_t *meant(const gm_column *column, gm_str text)
{
    json_t *read = column->kind != GM_KIND_STRING ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;
    return read != NULL ? read : json_stringn(text.ptr, text.len);
}

// When it was measured: what the qualifier says, when it says another time than gemel does now.
static gm_time_ns source_time(const gm_aas_settling *s, const json_t *theirs, const json_t *ours)
{
    const json_t *lists[] = { json_object_get(theirs, "qualifiers"), json_object_get(ours, "qualifiers") };
    gm_str        texts[2] = { 0 };
    gm_time_ns    time;
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < json_array_size(lists[l]); i++) {
            const json_t *q = json_array_get(lists[l], i);
            if (gm_str_is(gm_aas_string(q, "type"), "sourceTime")) texts[l] = gm_aas_string(q, "value");
        }
    }
    bool says = texts[0].len > 0 && !gm_str_eq(texts[0], texts[1]) && gm_time_parse(texts[0], &time, NULL) == GM_OK;
    return says ? time : s->world->valid;
}

static gm_status set_column(gm_aas_settling *s, const json_t *theirs, const json_t *ours)
{
    gm_aas_settled *o = s->out;
    gm_str          dtmi, path, text = gm_aas_string(theirs, "value");
    bool            goes   = json_object_get(theirs, "value") == NULL;
    bool            is     = gm_aas_column_of(gm_aas_semantics(ours), &dtmi, &path);
    const gm_column *column = is ? gm_type_column(s->thing->type, path) : NULL;
    if (column == NULL) return GM_OK;
    gm_str     kept  = gm_arena_str(s->arena, path);
    json_t    *value = goes ? NULL : meant(column, text);
    gm_time_ns at    = source_time(s, theirs, ours);
    if (kept.ptr == NULL || (value == NULL && !goes)) return no_memory(s);
    gm_status st = column->is_telemetry
                       ? gm_document_read_value(s->thing->type, kept, value, at, s->arena, &o->reported, &o->reported_count, s->err)
                       : gm_document_read_patch(s->world->state, s->thing->twin, goes ? GM_PATCH_REMOVE : GM_PATCH_ADD, kept, value, at, s->arena, &o->cells, &o->cell_count, s->err);
    json_decref(value);
    return st == GM_LIMIT || st == GM_NOTFOUND ? GM_INVALID : st;
}

static bool same_value(const json_t *a, const json_t *b) { return a == b || (a != NULL && b != NULL && json_equal(a, b)); }

// The time of a value changes with it, and is nothing to be kept.
static void forget_times(json_t *element)
{
    json_t *list = json_object_get(element, "qualifiers");
    for (size_t i = json_array_size(list); i-- > 0;) {
        if (gm_str_is(gm_aas_string(json_array_get(list, i), "type"), "sourceTime")) (void)json_array_remove(list, i);
    }
    if (list != NULL && json_array_size(list) == 0) (void)json_object_del(element, "qualifiers");
}

static gm_status walk(gm_aas_settling *s, json_t *wanted, json_t *made, unsigned depth)
{
    const char *inside = gm_aas_children(made);
    json_t     *list   = inside != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(made, inside) : NULL;
    gm_status   st     = GM_OK;
    for (size_t i = 0; st == GM_OK && i < json_array_size(list); i++) {
        json_t *ours   = json_array_get(list, i);
        gm_str  name   = gm_aas_string(ours, "idShort");
        json_t *theirs = name.len > 0 ? gm_aas_find(wanted, name) : NULL;
        if (theirs == NULL) continue;  // what a client leaves out stays
        if (!gm_aas_is(ours, "Property")) {
            st = walk(s, theirs, ours, depth + 1);
            continue;
        }
        if (!gm_aas_is(theirs, "Property")) continue;
        if (!same_value(json_object_get(theirs, "value"), json_object_get(ours, "value"))) st = set_column(s, theirs, ours);
        if (json_object_get(theirs, "value") != NULL) (void)json_object_set(ours, "value", json_object_get(theirs, "value"));
        forget_times(theirs);
        forget_times(ours);
    }
    return st;
}

gm_status gm_aas_settle_cells(gm_aas_settling *s)
{
    json_t *wanted = json_deep_copy(s->wanted);
    json_decref(s->made);
    s->made = json_deep_copy(s->before);
    if (wanted == NULL || s->made == NULL) {
        json_decref(wanted);
        return no_memory(s);
    }
    gm_status st = walk(s, wanted, s->made, 0);
    s->own       = wanted;  // without times, as s->made is
    s->wanted    = wanted;
    return st;
}

// ---- relationships ------------------------------------------------------------------------------------------------------------

static bool is_wanted(const json_t *list, gm_str id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(gm_aas_string(json_array_get(list, i), "$relationshipId"), id)) return true;
    }
    return false;
}

// The same name, target and properties as now?
static bool is_as_wanted(const gm_aas_settling *s, gm_relationship now, const json_t *wanted)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)wanted), *own = json_loadb(now.properties.ptr, now.properties.len, 0, NULL);
    gm_str  target = gm_state_id(s->world->state, now.target);
    for (size_t i = 0; i < 4; i++) (void)json_object_del(rest, (const char *const[]){ "$sourceId", "$relationshipId", "$targetId", "$relationshipName" }[i]);
    bool same = gm_str_eq(gm_aas_string(wanted, "$relationshipName"), now.name) && gm_str_eq(gm_aas_string(wanted, "$targetId"), target) &&
                (own != NULL ? json_equal(rest, own) : json_object_size(rest) == 0);
    json_decref(rest);
    json_decref(own);
    return same;
}

static gm_status check_list(const gm_aas_settling *s)
{
    const json_t *list = json_object_get(gm_aas_find((json_t *)(uintptr_t)s->wanted, GM_STR("Relationships")), "value");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *notes = json_object_get(json_array_get(list, i), "annotations");
        for (size_t k = 0; k < json_array_size(notes); k++) {
            gm_str name = gm_aas_string(json_array_get(notes, k), "idShort");
            if (!gm_str_is(name, "Id") && !gm_str_is(name, "Name") && !gm_str_is(name, "Properties"))
                return gm_fail(s->err, GM_CONFLICT, WHERE, "a relationship is told by Id, Name and Properties; it has no '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 60)));
        }
    }
    return GM_OK;
}

static gm_status differ(gm_aas_settling *s, json_t *wanted)
{
    const gm_state *state = s->world->state;
    for (gm_edge e = gm_state_first_out(state, s->thing->twin); gm_edge_ok(e); e = gm_state_next_out(state, e)) {
        gm_relationship r = gm_state_relationship(state, e);
        if (!gm_aas_sees(s->world, gm_state_id(state, r.target)) || is_wanted(wanted, r.id)) continue;
        if (json_array_append_new(s->out->gone, json_stringn(r.id.ptr, r.id.len)) != 0) return no_memory(s);
    }
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        json_t *one  = json_array_get(wanted, i);
        gm_edge edge = gm_state_find_relationship(state, s->thing->twin, gm_aas_string(one, "$relationshipId"));
        if (gm_edge_ok(edge) && is_as_wanted(s, gm_state_relationship(state, edge), one)) continue;
        if (json_array_append(s->out->relationships, one) != 0) return no_memory(s);
    }
    return GM_OK;
}

gm_status gm_aas_settle_relationships(gm_aas_settling *s)
{
    gm_aas_plan     plan = { .relationships = json_array(), .notes = json_array() };
    gm_aas_planning p    = { .arena = s->arena, .plan = &plan, .err = s->err };
    gm_status       st   = plan.relationships != NULL && plan.notes != NULL ? GM_OK : no_memory(s);
    if (st == GM_OK && s->wanted != NULL) st = check_list(s);
    if (st == GM_OK && s->wanted != NULL) gm_aas_plan_relationships(&p, s->thing->id, s->wanted);
    if (st == GM_OK) st = p.st;
    if (st == GM_OK && json_array_size(plan.notes) > 0) st = gm_fail(s->err, GM_CONFLICT, WHERE, "%s", json_string_value(json_array_get(plan.notes, 0)));
    if (st == GM_OK) st = differ(s, plan.relationships);
    if (st == GM_OK && s->wanted != NULL) gm_aas_settle_passes_over(s, "Relationships");
    gm_aas_plan_finish(&plan);
    return st;
}
