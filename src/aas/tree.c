#include "aas/tree.h"

#include <stdlib.h>

gm_str gm_aas_string(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return json_is_string(value) ? (gm_str){ json_string_value(value), json_string_length(value) } : (gm_str){ 0 };
}

bool gm_aas_is(const json_t *element, const char *model_type) { return gm_str_is(gm_aas_string(element, "modelType"), model_type); }

gm_str gm_aas_semantics(const json_t *element)
{
    const json_t *keys = json_object_get(json_object_get(element, "semanticId"), "keys");
    return gm_aas_string(json_array_get(keys, json_array_size(keys) > 0 ? json_array_size(keys) - 1 : 0), "value");
}

const char *gm_aas_children(const json_t *e)
{
    static const struct { const char *type, *member; } places[] = {
        { "Submodel", "submodelElements" },  { "SubmodelElementCollection", "value" },       { "SubmodelElementList", "value" },
        { "Entity", "statements" },          { "AnnotatedRelationshipElement", "annotations" },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (gm_aas_is(e, places[i].type)) return places[i].member;
    }
    return NULL;
}

static json_t *child_by_name(json_t *from, gm_str name)
{
    const char   *member = gm_aas_children(from);
    json_t *list = member != NULL && !gm_aas_is(from, "SubmodelElementList") ? json_object_get(from, member) : NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(gm_aas_string(json_array_get(list, i), "idShort"), name)) return json_array_get(list, i);
    }
    return NULL;
}

// "[12]" off the front of *rest.
static json_t *child_by_index(json_t *from, gm_str *rest)
{
    size_t end = gm_str_find_char(*rest, ']'), index = 0;
    if (end == SIZE_MAX || end < 2 || end > 10 || !gm_aas_is(from, "SubmodelElementList")) return NULL;
    for (size_t i = 1; i < end; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9') return NULL;
        index = index * 10 + (size_t)(rest->ptr[i] - '0');
    }
    *rest = gm_str_slice(*rest, end + 1, rest->len);
    return json_array_get(json_object_get(from, "value"), index);
}

json_t *gm_aas_find(json_t *from, gm_str path)
{
    bool first = true;
    for (unsigned depth = 0; from != NULL && path.len > 0; first = false) {
        if (depth++ > 2 * GM_AAS_DEPTH_MAX) return NULL;
        if (path.ptr[0] == '[') {
            from = first ? NULL : child_by_index(from, &path);
            continue;
        }
        if (!first && path.ptr[0] != '.') return NULL;
        gm_str rest = gm_str_slice(path, first ? 0 : 1, path.len);
        size_t n    = 0;
        while (n < rest.len && rest.ptr[n] != '.' && rest.ptr[n] != '[') n++;
        from = n > 0 ? child_by_name(from, gm_str_slice(rest, 0, n)) : NULL;
        path = gm_str_slice(rest, n, rest.len);
    }
    return first ? NULL : from;
}

// ---- values alone -----------------------------------------------------------------------------------------------------

static bool in_list(gm_str text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(text, list[i])) return true;
    }
    return false;
}
#define IN(text, list) in_list((text), (list), sizeof(list) / sizeof((list)[0]))

static const char *const numbers[] = { "xs:double", "xs:float", "xs:decimal" };
static const char *const integers[] = { "xs:byte", "xs:short", "xs:int", "xs:long", "xs:integer", "xs:unsignedByte", "xs:unsignedShort", "xs:unsignedInt",
                                        "xs:unsignedLong", "xs:positiveInteger", "xs:negativeInteger", "xs:nonNegativeInteger", "xs:nonPositiveInteger" };

static json_t *typed(gm_str type, const json_t *value)
{
    gm_str text = { json_string_value(value), json_string_length(value) };
    if (!json_is_string(value)) return json_null();
    if (gm_str_is(type, "xs:boolean") && (gm_str_is(text, "true") || gm_str_is(text, "1"))) return json_true();
    if (gm_str_is(type, "xs:boolean") && (gm_str_is(text, "false") || gm_str_is(text, "0"))) return json_false();
    if (IN(type, numbers) || IN(type, integers)) {
        json_t *number = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);  // INF, NaN, +5 and too large ones stay texts
        if (json_is_number(number)) return number;
        json_decref(number);
    }
    return json_stringn(text.ptr, text.len);
}

static json_t *value_at(const json_t *e, unsigned depth);

// {idShort: value, ...} of a list of elements.
static json_t *values_by_name(const json_t *list, unsigned depth)
{
    json_t *out = json_object();
    for (size_t i = 0; out != NULL && i < json_array_size(list); i++) {
        const json_t *child = json_array_get(list, i);
        gm_str        name  = gm_aas_string(child, "idShort");
        json_t       *value = name.len > 0 ? value_at(child, depth) : NULL;
        if (value != NULL && json_object_setn_new(out, name.ptr, name.len, value) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *values_in_order(const json_t *list, unsigned depth)
{
    json_t *out = json_array();
    for (size_t i = 0; out != NULL && i < json_array_size(list); i++) {
        json_t *value = value_at(json_array_get(list, i), depth);
        if (value != NULL) (void)json_array_append_new(out, value);
    }
    return out;
}

static json_t *words(const json_t *list)
{
    json_t *out = json_array();
    for (size_t i = 0; out != NULL && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        json_t       *pair = json_object();
        gm_str        language = gm_aas_string(one, "language");
        if (language.len > 0) (void)json_object_setn(pair, language.ptr, language.len, json_object_get(one, "text"));
        (void)json_array_append_new(out, pair);
    }
    return out;
}

static json_t *members(const json_t *e, const char *const *names, size_t count)
{
    json_t *out = json_object();
    for (size_t i = 0; out != NULL && i < count; i++) {
        json_t *value = json_object_get(e, names[i]);
        if (value != NULL) (void)json_object_set(out, names[i], value);
    }
    return out;
}
#define MEMBERS(e, ...) members((e), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static json_t *value_at(const json_t *e, unsigned depth)
{
    const json_t *value = json_object_get(e, "value");
    if (depth > GM_AAS_DEPTH_MAX) return NULL;
    if (gm_aas_is(e, "Property")) return typed(gm_aas_string(e, "valueType"), value);
    if (gm_aas_is(e, "MultiLanguageProperty")) return words(value);
    if (gm_aas_is(e, "Submodel")) return values_by_name(json_object_get(e, "submodelElements"), depth + 1);
    if (gm_aas_is(e, "SubmodelElementCollection")) return values_by_name(value, depth + 1);
    if (gm_aas_is(e, "SubmodelElementList")) return values_in_order(value, depth + 1);
    if (gm_aas_is(e, "File") || gm_aas_is(e, "Blob")) return MEMBERS(e, "contentType", "value");
    if (gm_aas_is(e, "ReferenceElement")) return value != NULL ? json_incref((json_t *)(uintptr_t)value) : json_null();
    if (gm_aas_is(e, "RelationshipElement")) return MEMBERS(e, "first", "second");
    if (gm_aas_is(e, "BasicEventElement")) return MEMBERS(e, "observed");
    json_t *out = NULL;
    if (gm_aas_is(e, "Range")) {
        gm_str type = gm_aas_string(e, "valueType");
        out         = json_object();
        (void)json_object_set_new(out, "min", typed(type, json_object_get(e, "min")));
        (void)json_object_set_new(out, "max", typed(type, json_object_get(e, "max")));
    } else if (gm_aas_is(e, "Entity")) {
        out = MEMBERS(e, "entityType", "globalAssetId", "specificAssetIds");
        (void)json_object_set_new(out, "statements", values_by_name(json_object_get(e, "statements"), depth + 1));
    } else if (gm_aas_is(e, "AnnotatedRelationshipElement")) {
        out = MEMBERS(e, "first", "second");
        (void)json_object_set_new(out, "annotations", values_by_name(json_object_get(e, "annotations"), depth + 1));
    }
    return out;
}

json_t *gm_aas_value_only(const json_t *e) { return value_at(e, 0); }

// ---- metadata, paths, less ----------------------------------------------------------------------------------------------

json_t *gm_aas_metadata_only(const json_t *e)
{
    static const char *const values[] = { "value", "submodelElements", "statements", "annotations", "min", "max", "first", "second", "entityType",
                                          "globalAssetId", "specificAssetIds", "valueId", "contentType", "observed",
                                          "inputVariables", "outputVariables", "inoutputVariables" };
    json_t *out = json_copy((json_t *)(uintptr_t)e);
    for (size_t i = 0; out != NULL && i < sizeof values / sizeof values[0]; i++) (void)json_object_del(out, values[i]);
    return out;
}

static void paths_at(const json_t *e, gm_str above, json_t *out, unsigned depth)
{
    const char *member = gm_aas_children(e);
    bool        list   = gm_aas_is(e, "SubmodelElementList");
    if (member == NULL || depth > GM_AAS_DEPTH_MAX) return;
    const json_t *children = json_object_get(e, member);
    for (size_t i = 0; i < json_array_size(children); i++) {
        const json_t *child = json_array_get(children, i);
        gm_buf        path  = gm_buf_init(gm_alloc_system());
        gm_buf_str(&path, above);
        if (list) gm_buf_printf(&path, "[%zu]", i);
        else gm_buf_printf(&path, "%s" GM_STR_FMT, above.len > 0 ? "." : "", GM_STR_ARG(gm_aas_string(child, "idShort")));
        if (!path.failed) (void)json_array_append_new(out, json_stringn((const char *)path.ptr, path.len));
        paths_at(child, gm_buf_view(&path), out, depth + 1);
        gm_buf_finish(&path);
    }
}

void gm_aas_paths(const json_t *e, gm_str above, json_t *out) { paths_at(e, above, out, 0); }

void gm_aas_trim_core(json_t *e)
{
    const char *member   = gm_aas_children(e);
    json_t     *children = member != NULL ? json_object_get(e, member) : NULL;
    for (size_t i = 0; i < json_array_size(children); i++) {
        json_t     *child  = json_array_get(children, i);
        const char *inside = gm_aas_children(child);
        if (inside != NULL) (void)json_object_del(child, inside);
    }
}

void gm_aas_trim_blobs(json_t *e, unsigned depth)
{
    const char *member = gm_aas_children(e);
    if (gm_aas_is(e, "Blob")) (void)json_object_del(e, "value");
    json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(e, member) : NULL;
    for (size_t i = 0; i < json_array_size(children); i++) gm_aas_trim_blobs(json_array_get(children, i), depth + 1);
}
