#include "api/futures/fleet.h"

#include "futures/futures.h"
#include "query/query.h"

enum { PAGE = 500, SLICE_WORK = 100000, SLICES_MAX = 10 };

static bool refuse(gm_request *request, const char *what)
{
    gm_reply_error(request, 400, "BadRequest", "%s", what);
    return false;
}

static bool no_memory(gm_request *request)
{
    gm_reply_failure(request, GM_NOMEM, NULL);
    return false;
}

static bool add_root(gm_request *request, gm_str id, gm_arena *arena, gm_fleet_roots *fleet)
{
    gm_twin twin = gm_api_find(request, id);
    if (!gm_twin_ok(twin)) {
        gm_api_no_twin(request, id);
        return false;
    }
    for (uint32_t i = 0; i < fleet->count; i++) {
        if (fleet->twins[i].v != twin.v) continue;
        gm_reply_error(request, 400, "BadRequest", "'" GM_STR_FMT "' is named twice.",
                       GM_STR_ARG(gm_str_slice(id, 0, 128)));
        return false;
    }
    if (fleet->count == GM_FUTURES_MEMBERS_MAX) {
        gm_reply_error(request, 400, "LimitExceeded", "A fleet has at most %d groups.", GM_FUTURES_MEMBERS_MAX);
        return false;
    }
    fleet->twins[fleet->count] = twin;
    fleet->roots[fleet->count] = gm_arena_str(arena, id);
    return fleet->roots[fleet->count++].ptr != NULL || no_memory(request);
}

static gm_str text_of(const json_t *text) { return (gm_str){ json_string_value(text), json_string_length(text) }; }

static bool add_list(gm_request *request, const json_t *list, gm_arena *arena, gm_fleet_roots *fleet)
{
    if (!json_is_array(list) || json_array_size(list) == 0)
        return refuse(request, "\"roots\": expected a list of ids of twins.");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_string(id)) return refuse(request, "\"roots\": expected a list of ids of twins.");
        if (!add_root(request, text_of(id), arena, fleet)) return false;
    }
    return true;
}

// SELECT * gives the twin, SELECT T gives {"T": twin}, SELECT T.$dtId its id alone.
static const json_t *id_of(const json_t *row)
{
    const json_t *id = json_object_get(row, "$dtId");
    if (id == NULL && json_object_size(row) == 1)
        id = json_object_get(json_object_iter_value(json_object_iter((json_t *)(uintptr_t)row)), "$dtId");
    return json_is_string(id) ? id : NULL;
}

static bool add_rows(gm_request *request, const gm_buf *rows, gm_arena *arena, gm_fleet_roots *fleet)
{
    json_t *list = json_loadb((const char *)rows->ptr, rows->len, 0, NULL);
    bool    good = list != NULL || no_memory(request);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        const json_t *id = id_of(json_array_get(list, i));
        good = id != NULL ? add_root(request, text_of(id), arena, fleet)
                          : refuse(request, "\"fleet\": every row must be a twin, such as SELECT * FROM DIGITALTWINS "
                                            "WHERE IS_OF_MODEL('dtmi:...;1') gives them.");
    }
    json_decref(list);
    return good;
}

static bool ask(gm_request *request, const gm_query *query, gm_arena *arena, gm_fleet_roots *fleet)
{
    char     token[GM_QUERY_TOKEN_MAX] = "";
    gm_buf   rows = gm_buf_init(request->alloc);
    gm_error err  = { 0 };
    bool     good = true;
    for (int slice = 0; good; slice++) {
        gm_query_page page = { .fence = gm_api_fence(request), .items_max = PAGE, .token = gm_str_of(token), .work_max = SLICE_WORK };
        gm_buf_clear(&rows);
        gm_buf_byte(&rows, '[');
        gm_status st = gm_query_run(query, gm_api_state(request), &page, &rows, &err);
        gm_buf_byte(&rows, ']');
        if (st != GM_OK || rows.failed) {
            if (st == GM_OK || st == GM_NOMEM) good = no_memory(request);
            else gm_reply_error(request, 400, "SqlQueryError", "\"fleet\": %s.", err.text), good = false;
            break;
        }
        good = add_rows(request, &rows, arena, fleet);
        if (page.next[0] == '\0') break;
        if (slice == SLICES_MAX) {
            gm_reply_error(request, 400, "LimitExceeded",
                           "\"fleet\": the query looks at too much; narrow it or name the \"roots\".");
            good = false;
        }
        memcpy(token, page.next, sizeof token);
    }
    gm_buf_finish(&rows);
    return good;
}

static bool add_found(gm_request *request, const json_t *text, gm_arena *arena, gm_fleet_roots *fleet)
{
    gm_query *query = NULL;
    gm_error  err   = { 0 };
    if (!json_is_string(text)) return refuse(request, "\"fleet\": expected a query, a text.");
    gm_status st = gm_query_prepare(request->alloc, text_of(text), &query, &err);
    if (st == GM_NOMEM) return no_memory(request);
    if (st != GM_OK) {
        gm_reply_error(request, 400, "SqlQueryError", "\"fleet\": %s.", err.text);
        return false;
    }
    bool good = ask(request, query, arena, fleet);
    gm_query_destroy(query);
    if (good && fleet->count == 0) return refuse(request, "\"fleet\": the query finds no twin.");
    return good;
}

bool gm_fleet_read(gm_request *request, const json_t *body, gm_arena *arena, gm_fleet_roots *out)
{
    const json_t *root = json_object_get(body, "root"), *roots = json_object_get(body, "roots"),
                 *fleet = json_object_get(body, "fleet");
    *out       = (gm_fleet_roots){ .asked = root == NULL };
    out->twins = GM_ARENA_NEW(arena, gm_twin, GM_FUTURES_MEMBERS_MAX);
    out->roots = GM_ARENA_NEW(arena, gm_str, GM_FUTURES_MEMBERS_MAX);
    if (out->twins == NULL || out->roots == NULL) return no_memory(request);
    if ((root != NULL) + (roots != NULL) + (fleet != NULL) != 1)
        return refuse(request, "Expected one of \"root\" (the id of a twin), \"roots\" (several) and \"fleet\" (a query).");
    if (roots != NULL) return add_list(request, roots, arena, out);
    if (fleet != NULL) return add_found(request, fleet, arena, out);
    if (!json_is_string(root)) return refuse(request, "\"root\": expected the id of a twin.");
    return add_root(request, text_of(root), arena, out);
}
