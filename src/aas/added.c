#include "aas/added.h"

#include "aas/edit.h"
#include "aas/tree.h"
#include "base/buf.h"
#include "base/number.h"

#include <string.h>

static const char WHERE[] = "aas.added";

typedef struct adding { json_t *list; gm_error *err; gm_status st; } adding;

static void stop(adding *a, gm_str path, const char *why)
{
    if (a->st == GM_OK) a->st = gm_fail(a->err, GM_CONFLICT, WHERE, "'" GM_STR_FMT "' %s", GM_STR_ARG(gm_str_slice(path, 0, 100)), why);
}

static void note(adding *a, json_t *item)
{
    if (item == NULL || json_array_append_new(a->list, item) != 0) {
        if (a->st == GM_OK) a->st = gm_fail(a->err, GM_NOMEM, WHERE, "keeping what was added");
    }
}

// "Motor" + "Speed" -> "Motor.Speed"
static void path_to(gm_buf *out, gm_str above, const json_t *child, size_t index)
{
    gm_str name = gm_aas_string(child, "idShort");
    gm_buf_str(out, above);
    if (name.len > 0) gm_buf_printf(out, "%s" GM_STR_FMT, above.len > 0 ? "." : "", GM_STR_ARG(name));
    else gm_buf_printf(out, "[%zu]", index);
}

static json_t *named(const json_t *list, gm_str name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_eq(gm_aas_string(json_array_get(list, i), "idShort"), name)) return json_array_get(list, i);
    }
    return NULL;
}

// ---- values -------------------------------------------------------------------------------------------------------------

static gm_str first_words(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (gm_str_is(gm_aas_string(json_array_get(list, i), "language"), "en")) return gm_aas_string(json_array_get(list, i), "text");
    }
    return gm_aas_string(json_array_get(list, 0), "text");
}

// Do two values of a property say the same: "50" and "50.0", or the same words with others beside them?
static bool say_the_same(const json_t *wanted, const json_t *made)
{
    double a, b;
    if (json_is_array(wanted)) return gm_str_eq(first_words(wanted), first_words(made));
    gm_str x = { json_string_value(wanted), json_string_length(wanted) }, y = { json_string_value(made), json_string_length(made) };
    return x.len > 0 && gm_number_read(x, &a) == x.len && gm_number_read(y, &b) == y.len && a == b;
}

static bool is_plain(const json_t *e) { return gm_aas_is(e, "Property") || gm_aas_is(e, "MultiLanguageProperty"); }

// ---- what is added ------------------------------------------------------------------------------------------------------

static void compare(adding *a, const json_t *wanted, const json_t *before, const json_t *made, gm_str path, unsigned depth);

// Lists have places, not names: gemel's own lists hold what they hold.
static void compare_list(adding *a, const json_t *wanted, const json_t *made, gm_str path, unsigned depth)
{
    if (json_array_size(wanted) != json_array_size(made)) {
        stop(a, path, "is a list of what gemel knows: it can not be made longer or shorter here");
        return;
    }
    for (size_t i = 0; a->st == GM_OK && i < json_array_size(wanted); i++) {
        gm_buf here = gm_buf_init(gm_alloc_system());
        path_to(&here, path, NULL, i);
        compare(a, json_array_get(wanted, i), NULL, json_array_get(made, i), gm_buf_view(&here), depth + 1);
        gm_buf_finish(&here);
    }
}

static void compare_children(adding *a, const json_t *wanted, const json_t *before, const json_t *made, gm_str path, unsigned depth)
{
    for (size_t i = 0; a->st == GM_OK && i < json_array_size(wanted); i++) {
        json_t       *child = json_array_get(wanted, i);
        gm_str        name  = gm_aas_string(child, "idShort");
        const json_t *was = named(before, name), *is = named(made, name);
        gm_buf        here = gm_buf_init(gm_alloc_system());
        path_to(&here, path, child, i);
        if (is != NULL) compare(a, child, was, is, gm_buf_view(&here), depth + 1);
        else if (was == NULL || !json_equal(was, child)) note(a, json_pack("{ss% sO}", "in", path.ptr != NULL ? path.ptr : "", path.len, "element", child));
        gm_buf_finish(&here);
    }
    for (size_t i = 0; a->st == GM_OK && i < json_array_size(made); i++) {
        gm_str name = gm_aas_string(json_array_get(made, i), "idShort");
        if (named(before, name) != NULL && named(wanted, name) == NULL) stop(a, name, "is made of what gemel knows; it can not be left out");
    }
}

static void compare(adding *a, const json_t *wanted, const json_t *before, const json_t *made, gm_str path, unsigned depth)
{
    const char *inside = gm_aas_children(made), *name;
    json_t     *value, *members = json_object(), *since = NULL;
    if (depth > GM_AAS_DEPTH_MAX || !gm_str_eq(gm_aas_string(wanted, "modelType"), gm_aas_string(made, "modelType"))) stop(a, path, "is an element of another kind, which gemel makes");
    json_object_foreach((json_t *)(uintptr_t)wanted, name, value) {
        json_t *own = json_object_get(made, name);
        bool    is_value = strcmp(name, "value") == 0 && is_plain(made);
        if (a->st != GM_OK) break;
        if (inside != NULL && strcmp(name, inside) == 0) continue;
        if (!json_equal(value, own)) {
            bool identity = strcmp(name, "id") == 0 || strcmp(name, "entityType") == 0 || strcmp(name, "globalAssetId") == 0 || strcmp(name, "first") == 0 || strcmp(name, "second") == 0;
            if ((is_value && !say_the_same(value, own)) || (strcmp(name, "value") == 0 && !is_value) || identity) stop(a, path, "says what gemel makes of what it knows; it can not be set to this");
            else if (json_object_set(members, name, value) != 0) stop(a, path, "can not be kept");
            if (is_value || strcmp(name, "valueType") == 0) since = json_object_get(made, "value");
        }
    }
    if (a->st == GM_OK && inside != NULL) {
        json_t *theirs = json_object_get(wanted, inside), *ours = json_object_get(made, inside);
        if (gm_aas_is(made, "SubmodelElementList")) compare_list(a, theirs, ours, path, depth);
        else compare_children(a, theirs, json_object_get(before, inside), ours, path, depth);
    }
    if (a->st == GM_OK && json_object_size(members) > 0) {
        json_t *item = json_pack("{ss% sO}", "at", path.ptr != NULL ? path.ptr : "", path.len, "members", members);
        if (since != NULL) (void)json_object_set(item, "while", since);
        note(a, item);
    }
    json_decref(members);
}

gm_status gm_aas_added_make(const json_t *wanted, const json_t *before, const json_t *made, json_t **out, gm_error *err)
{
    adding a = { .list = json_array(), .err = err, .st = GM_OK };
    *out     = NULL;
    if (a.list == NULL) return gm_fail(err, GM_NOMEM, WHERE, "keeping what was added");
    compare(&a, wanted, before, made, (gm_str){ 0 }, 0);
    if (a.st == GM_OK && json_array_size(a.list) > 0) *out = json_deep_copy(a.list);
    if (a.st == GM_OK && json_array_size(a.list) > 0 && *out == NULL) a.st = gm_fail(err, GM_NOMEM, WHERE, "keeping what was added");
    json_decref(a.list);
    return a.st;
}

// ---- and put back ---------------------------------------------------------------------------------------------------------

void gm_aas_added_put(json_t *made, const json_t *added)
{
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *item = json_array_get(added, i), *element = json_object_get(item, "element");
        gm_str        path = gm_aas_string(item, element != NULL ? "in" : "at");
        json_t       *at   = path.len > 0 ? gm_aas_find(made, path) : made;
        const json_t *since = json_object_get(item, "while");
        gm_error      err;
        if (at == NULL) continue;
        if (element != NULL) (void)!gm_aas_insert(at, element, &err);
        else if (since == NULL || json_equal(since, json_object_get(at, "value"))) (void)json_object_update(at, json_object_get(item, "members"));
    }
}
