#include "aas/edit.h"

#include "aas/tree.h"

#include <string.h>

static const char WHERE[] = "aas.edit";

gm_str gm_aas_above(gm_str path)
{
    size_t n = path.len;
    while (n > 0 && path.ptr[n - 1] != '.' && path.ptr[n - 1] != '[') n--;
    return gm_str_slice(path, 0, n > 0 ? n - 1 : 0);
}

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "changing a submodel"); }

static gm_status nothing_there(gm_str path, gm_error *err)
{
    return gm_fail(err, GM_NOTFOUND, WHERE, "The submodel has nothing at '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(path, 0, 120)));
}

// The list that the children of a container lie in, made when there is none; NULL: it is no container, or no memory.
static json_t *children_of(json_t *container)
{
    const char *member = gm_aas_children(container);
    json_t     *list   = member != NULL ? json_object_get(container, member) : NULL;
    if (member != NULL && list == NULL && json_object_set_new(container, member, json_array()) == 0) list = json_object_get(container, member);
    return json_is_array(list) ? list : NULL;
}

static bool is_among(const json_t *list, gm_str id_short)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(gm_aas_string(json_array_get(list, i), "idShort"), id_short)) return true;
    }
    return false;
}

gm_status gm_aas_insert(json_t *container, const json_t *element, gm_error *err)
{
    gm_str name = gm_aas_string(element, "idShort");
    if (gm_aas_children(container) == NULL) return gm_fail(err, GM_INVALID, WHERE, "nothing can lie in an element of this kind");
    json_t *list = children_of(container);
    if (list == NULL) return no_memory(err);
    if (name.len > 0 && is_among(list, name)) return gm_fail(err, GM_CONFLICT, WHERE, "there is an element '" GM_STR_FMT "' already", GM_STR_ARG(gm_str_slice(name, 0, 120)));
    return json_array_append_new(list, json_deep_copy(element)) == 0 ? GM_OK : no_memory(err);
}

// Where the element of the path lies: the list, and its place there.
static gm_status place_of(json_t *submodel, gm_str path, json_t **out_list, size_t *out_at, gm_error *err)
{
    gm_str        above   = gm_aas_above(path);
    const json_t *element = gm_aas_find(submodel, path);
    json_t       *parent  = above.len > 0 ? gm_aas_find(submodel, above) : submodel;
    *out_list             = parent != NULL ? children_of(parent) : NULL;
    for (size_t i = 0; element != NULL && i < json_array_size(*out_list); i++) {
        *out_at = i;
        if (json_array_get(*out_list, i) == element) return GM_OK;
    }
    return nothing_there(path, err);
}

gm_status gm_aas_replace(json_t *submodel, gm_str path, const json_t *element, gm_error *err)
{
    json_t   *list;
    size_t    at;
    gm_status st = place_of(submodel, path, &list, &at, err);
    if (st != GM_OK) return st;
    gm_str before = gm_aas_string(json_array_get(list, at), "idShort"), now = gm_aas_string(element, "idShort");
    if (!gm_str_eq(before, now)) return gm_fail(err, GM_INVALID, WHERE, "the element of this path is called '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(before, 0, 120)));
    return json_array_set_new(list, at, json_deep_copy(element)) == 0 ? GM_OK : no_memory(err);
}

gm_status gm_aas_remove(json_t *submodel, gm_str path, gm_error *err)
{
    json_t   *list;
    size_t    at;
    gm_status st = place_of(submodel, path, &list, &at, err);
    if (st != GM_OK) return st;
    (void)json_array_remove(list, at);
    if (json_array_size(list) > 0) return GM_OK;
    gm_str  above  = gm_aas_above(path);  // the metamodel has no empty lists
    json_t *parent = above.len > 0 ? gm_aas_find(submodel, above) : submodel;
    (void)json_object_del(parent, gm_aas_children(parent));
    return GM_OK;
}

// ---- merging ------------------------------------------------------------------------------------------------------------

// Members that $metadata leaves out: they are values.
static bool is_value(const json_t *element, const char *member)
{
    json_t *without = gm_aas_metadata_only(element);
    bool    is      = without != NULL && json_object_get(element, member) != NULL && json_object_get(without, member) == NULL;
    json_decref(without);
    return is;
}

static gm_status merge_at(json_t *element, const json_t *patch, gm_aas_extent extent, unsigned depth, gm_error *err);

static gm_status merge_children(json_t *element, const json_t *theirs, unsigned depth, gm_error *err)
{
    json_t *list = children_of(element);
    if (list == NULL) return no_memory(err);
    if (!json_is_array(theirs)) return gm_fail(err, GM_INVALID, WHERE, "what lies in an element is a list");
    if (gm_aas_is(element, "SubmodelElementList")) {  // places have no names by which to tell what is meant: the list as a whole
        (void)json_array_clear(list);
        return json_array_extend(list, (json_t *)(uintptr_t)theirs) == 0 ? GM_OK : no_memory(err);
    }
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < json_array_size(theirs); i++) {
        const json_t *one  = json_array_get(theirs, i);
        gm_str        name = gm_aas_string(one, "idShort");
        json_t       *mine = NULL;
        for (size_t k = 0; name.len > 0 && k < json_array_size(list); k++) {
            if (gm_str_eq(gm_aas_string(json_array_get(list, k), "idShort"), name)) mine = json_array_get(list, k);
        }
        st = mine != NULL ? merge_at(mine, one, GM_AAS_WHOLE, depth + 1, err) : gm_aas_insert(element, one, err);
    }
    return st;
}

static gm_status merge_at(json_t *element, const json_t *patch, gm_aas_extent extent, unsigned depth, gm_error *err)
{
    const char *name;
    json_t     *value;
    if (!json_is_object(patch)) return gm_fail(err, GM_INVALID, WHERE, "the body is an object with what is to change");
    if (depth > GM_AAS_DEPTH_MAX) return gm_fail(err, GM_INVALID, WHERE, "elements are nested more than %d deep", GM_AAS_DEPTH_MAX);
    gm_str kind = gm_aas_string(patch, "modelType"), id_short = gm_aas_string(patch, "idShort");
    if (kind.len > 0 && !gm_str_eq(kind, gm_aas_string(element, "modelType"))) return gm_fail(err, GM_INVALID, WHERE, "the element is no " GM_STR_FMT, GM_STR_ARG(gm_str_slice(kind, 0, 60)));
    if (id_short.len > 0 && depth > 0 && !gm_str_eq(id_short, gm_aas_string(element, "idShort"))) return gm_fail(err, GM_INVALID, WHERE, "an element keeps its idShort");
    const char *inside = gm_aas_children(element);
    gm_status   st     = GM_OK;
    json_object_foreach((json_t *)(uintptr_t)patch, name, value) {
        if (st != GM_OK) break;
        if (extent == GM_AAS_METADATA && is_value(patch, name)) st = gm_fail(err, GM_INVALID, WHERE, "'%.60s' is no metadata", name);
        else if (inside != NULL && strcmp(name, inside) == 0) st = merge_children(element, value, depth, err);
        else if (json_object_set_new(element, name, json_deep_copy(value)) != 0) st = no_memory(err);
    }
    return st;
}

gm_status gm_aas_merge(json_t *element, const json_t *patch, gm_aas_extent extent, gm_error *err) { return merge_at(element, patch, extent, 0, err); }

// ---- values alone -------------------------------------------------------------------------------------------------------

static gm_status set_at(json_t *e, const json_t *value, unsigned depth, gm_error *err);

static gm_status set_members(json_t *e, const json_t *value, const char *const *names, size_t count, gm_error *err)
{
    if (!json_is_object(value)) return gm_fail(err, GM_INVALID, WHERE, "the value of an element of this kind is an object");
    for (size_t i = 0; i < count; i++) {
        const json_t *member = json_object_get(value, names[i]);
        if (member != NULL && json_object_set_new(e, names[i], json_deep_copy(member)) != 0) return no_memory(err);
    }
    return GM_OK;
}
#define SET(e, value, ...) set_members((e), (value), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), err)

static gm_status set_inside(json_t *e, const json_t *values, unsigned depth, gm_error *err)
{
    json_t     *list = json_object_get(e, gm_aas_children(e));
    gm_status   st   = GM_OK;
    const char *name;
    json_t     *value;
    if (gm_aas_is(e, "SubmodelElementList")) {
        if (!json_is_array(values) || json_array_size(values) != json_array_size(list)) return gm_fail(err, GM_INVALID, WHERE, "the value of a list is a list of as many values");
        for (size_t i = 0; st == GM_OK && i < json_array_size(list); i++) st = set_at(json_array_get(list, i), json_array_get(values, i), depth + 1, err);
        return st;
    }
    if (!json_is_object(values)) return gm_fail(err, GM_INVALID, WHERE, "the value of a collection is an object with the values of what lies in it");
    json_object_foreach((json_t *)(uintptr_t)values, name, value) {
        json_t *child = NULL;
        for (size_t i = 0; i < json_array_size(list); i++) {
            if (gm_str_is(gm_aas_string(json_array_get(list, i), "idShort"), name)) child = json_array_get(list, i);
        }
        if (st == GM_OK) st = child != NULL ? set_at(child, value, depth + 1, err) : nothing_there(gm_str_of(name), err);
    }
    return st;
}

static gm_status set_at(json_t *e, const json_t *value, unsigned depth, gm_error *err)
{
    if (depth > GM_AAS_DEPTH_MAX) return gm_fail(err, GM_INVALID, WHERE, "elements are nested more than %d deep", GM_AAS_DEPTH_MAX);
    if (json_is_null(value)) return json_object_get(e, "value") == NULL ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "a value can not be null; delete the element, or PUT it without a value");
    if (gm_aas_is(e, "Submodel") || gm_aas_is(e, "SubmodelElementCollection") || gm_aas_is(e, "SubmodelElementList")) return set_inside(e, value, depth, err);
    if (gm_aas_is(e, "File") || gm_aas_is(e, "Blob")) return SET(e, value, "contentType", "value");
    if (gm_aas_is(e, "RelationshipElement")) return SET(e, value, "first", "second");
    if (gm_aas_is(e, "BasicEventElement")) return SET(e, value, "observed");
    if (gm_aas_is(e, "ReferenceElement")) return json_object_set_new(e, "value", json_deep_copy(value)) == 0 ? GM_OK : no_memory(err);
    bool entity = gm_aas_is(e, "Entity");
    if (!entity && !gm_aas_is(e, "AnnotatedRelationshipElement")) return gm_aas_set_value(e, value, err);
    const json_t *inside = json_object_get(value, gm_aas_children(e));
    gm_status     st     = entity ? SET(e, value, "entityType", "globalAssetId", "specificAssetIds") : SET(e, value, "first", "second");
    return st == GM_OK && inside != NULL ? set_inside(e, inside, depth, err) : st;
}

gm_status gm_aas_set_values(json_t *e, const json_t *value, gm_error *err) { return set_at(e, value, 0, err); }
