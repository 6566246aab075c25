// Submodels and elements as $value, $metadata, $reference or $path; less of them (level, extent).
#include "api/aas/aas.h"
#include "state/document.h"

#include <stdlib.h>

bool gm_aas_view_of(gm_request *request, gm_str name, gm_aas_view *out)
{
    static const char *const names[] = { "", "$value", "$metadata", "$reference", "$path" };
    for (int v = 1; v < GM_AAS_VIEW_COUNT; v++) {
        if (!gm_str_is(name, names[v])) continue;
        *out = (gm_aas_view)v;
        return true;
    }
    gm_reply_error(request, 404, "NotFound", "'" GM_STR_FMT "' is no view; there are $value, $metadata, $reference and $path.", GM_STR_ARG(gm_str_slice(name, 0, 100)));
    return false;
}

static bool trim(gm_request *request, json_t *element)
{
    gm_str level, extent;
    if (!gm_request_parameter(request, "level", &level) || !gm_request_parameter(request, "extent", &extent)) return false;
    bool deep = level.len == 0 || gm_str_is(level, "deep"), core = gm_str_is(level, "core");
    bool with = gm_str_is(extent, "withBlobValue"), without = extent.len == 0 || gm_str_is(extent, "withoutBlobValue");
    if ((!deep && !core) || (!with && !without)) {
        gm_reply_error(request, 400, "BadRequest", "'level' is deep or core, 'extent' is withBlobValue or withoutBlobValue.");
        return false;
    }
    if (core) gm_aas_trim_core(element);
    if (without && extent.len > 0) gm_aas_trim_blobs(element, 0);
    return true;
}

// The keys that lead to an element: its submodel, then each on the way with what it is.
static json_t *reference_to(json_t *submodel, gm_str submodel_id, gm_str path)
{
    json_t *keys = json_array();
    (void)json_array_append_new(keys, json_pack("{sss s%}", "type", "Submodel", "value", submodel_id.ptr, submodel_id.len));
    for (size_t end = 1; path.len > 0 && end <= path.len; end++) {
        bool here = end == path.len || path.ptr[end] == '.' || path.ptr[end] == '[';
        if (!here) continue;
        gm_str        part  = gm_str_slice(path, 0, end);
        const json_t *e     = gm_aas_find(submodel, part);
        size_t        from  = end;
        while (from > 0 && part.ptr[from - 1] != '.' && part.ptr[from - 1] != '[') from--;
        gm_str name = gm_str_slice(part, from, end);
        if (name.len > 0 && name.ptr[name.len - 1] == ']') name.len--;
        gm_str type = gm_aas_string(e, "modelType");
        (void)json_array_append_new(keys, json_pack("{ss% ss%}", "type", type.ptr != NULL ? type.ptr : "", type.len, "value", name.ptr, name.len));
    }
    return json_pack("{sss o}", "type", "ModelReference", "keys", keys);
}

static json_t *view_tree(json_t *submodel, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path)
{
    json_t *list;
    switch (view) {
    case GM_AAS_VIEW_VALUE: return gm_aas_value_only(element);
    case GM_AAS_VIEW_METADATA: return gm_aas_metadata_only(element);
    case GM_AAS_VIEW_REFERENCE: return reference_to(submodel, submodel_id, path);
    case GM_AAS_VIEW_PATH:
        list = json_array();
        if (path.len > 0) (void)json_array_append_new(list, json_stringn(path.ptr, path.len));
        gm_aas_paths(element, path, list);
        return list;
    default: return json_incref(element);
    }
}

bool gm_aas_write_view(gm_request *request, json_t *submodel, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path)
{
    if (!trim(request, element)) return false;
    json_t *shown = view_tree(submodel, element, view, submodel_id, path);
    if (shown == NULL) {
        gm_reply_error(request, 400, "BadRequest", "This element has no value.");
        return false;
    }
    gm_document_compact(shown, &request->out);
    json_decref(shown);
    return true;
}
