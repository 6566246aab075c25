// Environments of the Asset Administration Shell: whatever JSON comes, it is checked, looked at in every view, changed, written as XML
// and planned, and all of that ends.
#include "aas/added.h"
#include "aas/check.h"
#include "aas/edit.h"
#include "aas/plan.h"
#include "aas/tree.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_sound(const json_t *submodel)
{
    json_t *env = json_pack("{s[O]}", "submodels", submodel);
    size_t  n   = gm_aas_check(env, NULL, NULL);
    json_decref(env);
    return n == 0;
}

static void look(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < 20; i++) {
        const json_t *e = json_array_get(list, i);
        json_t       *paths = json_array();
        json_decref(gm_aas_value_only(e));
        json_decref(gm_aas_metadata_only(e));
        gm_aas_paths(e, (gm_str){ 0 }, paths);
        // Every path of an element finds one, unless siblings share a name or a name has a dot in it.
        for (size_t k = 0; k < json_array_size(paths) && k < 50; k++) (void)gm_aas_find((json_t *)(uintptr_t)e, gm_str_of(json_string_value(json_array_get(paths, k))));
        json_decref(paths);
        json_t *copy = json_deep_copy(e);
        gm_aas_trim_blobs(copy, 0);
        gm_aas_trim_core(copy);
        json_decref(copy);
    }
}

// A submodel is changed as clients do, with whatever another one has.
static void edit(const json_t *one, const json_t *other)
{
    gm_error err;
    json_t  *paths = json_array(), *copy = json_deep_copy(one), *value = gm_aas_value_only(one), *added;
    (void)!gm_aas_merge(copy, other, GM_AAS_WHOLE, &err);
    (void)!gm_aas_insert(copy, json_array_get(json_object_get(other, "submodelElements"), 0), &err);
    json_decref(copy);
    copy = json_deep_copy(one);
    if (value != NULL && gm_aas_set_values(copy, value, &err) == GM_NOMEM) abort();
    gm_aas_paths(one, (gm_str){ 0 }, paths);
    for (size_t i = 0; i < json_array_size(paths) && i < 20; i++) {
        gm_str path = gm_str_of(json_string_value(json_array_get(paths, i)));
        (void)!gm_aas_remove(copy, path, &err);
        (void)!gm_aas_replace(copy, gm_aas_above(path), other, &err);
    }
    json_decref(copy);
    // What was added to one to make it the other makes it that again.
    copy = json_deep_copy(other);
    if (gm_aas_added_make(one, NULL, other, &added, &err) == GM_OK) {
        gm_aas_added_put(copy, added);
        json_t *more = NULL, *first = added;
        if (is_sound(one) && is_sound(other) && (gm_aas_added_make(one, NULL, copy, &more, &err) != GM_OK || more != NULL)) abort();
        json_decref(more);
        json_decref(first);
    }
    json_decref(copy);
    json_decref(value);
    json_decref(paths);
}

// What keeps the constraints and can be said in XML is read back, and says the same again.
static void write_xml(const json_t *env)
{
    gm_buf   first = gm_buf_init(gm_alloc_system()), second = gm_buf_init(gm_alloc_system());
    gm_error err;
    json_t  *again = gm_aas_write_xml(env, &first, &err) == GM_OK ? gm_aas_read_xml(first.ptr, first.len, &err) : NULL;
    bool     sound = gm_aas_check(env, NULL, NULL) == 0;
    if (sound && again != NULL && (gm_aas_write_xml(again, &second, &err) != GM_OK || !gm_str_eq(gm_buf_view(&first), gm_buf_view(&second)))) abort();
    json_decref(again);
    gm_buf_finish(&first);
    gm_buf_finish(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *env = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (env == NULL) return 0;
    gm_arena   *arena = gm_arena_create(gm_alloc_system(), 64 << 20);
    gm_aas_plan plan;
    gm_error    err;
    if (arena == NULL) abort();
    (void)gm_aas_check(env, NULL, NULL);
    const json_t *submodels = json_object_get(env, "submodels");
    look(submodels);
    if (json_is_object(json_array_get(submodels, 0)) && json_is_object(json_array_get(submodels, 1))) edit(json_array_get(submodels, 0), json_array_get(submodels, 1));
    write_xml(env);
    (void)!gm_aas_plan_make(env, NULL, NULL, arena, &plan, &err);
    gm_aas_plan_finish(&plan);
    gm_arena_destroy(arena);
    json_decref(env);
    return 0;
}
