// GET /v1/tree: the graph as a tree for people. Roots are twins that nothing points at; the children of a twin are the
// targets of its relationships. Search finds twins by their id or name and tells the way down to them.
#include "api/live.h"
#include "api/paging.h"
#include "api/routes.h"

enum { PAGE_MAX = 1000, PAGE = 100, COUNT_MAX = 100000, DEPTH_MAX = 32, SEARCH_TEXT_MAX = 200 };

static uint32_t count_children(const gm_state *state, const gm_fence *fence, gm_twin twin)
{
    uint32_t n = 0;
    for (gm_edge e = gm_state_first_out(state, twin); gm_edge_ok(e) && n < COUNT_MAX; e = gm_state_next_out(state, e))
        n += gm_fence_shows(fence, gm_state_edge_target(state, e));
    return n;
}

// A twin that nothing points at: nothing that may be seen.
static bool is_root(const gm_state *state, const gm_fence *fence, gm_twin twin)
{
    for (gm_edge e = gm_state_first_in(state, twin); gm_edge_ok(e); e = gm_state_next_in(state, e)) {
        if (gm_fence_shows(fence, gm_state_edge_source(state, e))) return false;
    }
    return true;
}

static void open_item(const gm_request *request, gm_twin twin, gm_buf *out, uint32_t written)
{
    const gm_state *state = gm_api_state(request);
    const gm_type  *type  = gm_state_type(state, twin);
    gm_buf_text(out, written > 0 ? ",{\"id\":" : "{\"id\":");
    gm_buf_json_str(out, gm_state_id(state, twin));
    gm_live_member(out, "name", gm_live_name(state, twin));
    gm_live_member(out, "model", type->id);
    gm_live_member(out, "modelName", type->display_name);
    gm_buf_printf(out, ",\"children\":%u", count_children(state, gm_api_fence(request), twin));
}

// ---- roots and children --------------------------------------------------------------------------------------------

// Positions are twin numbers: they are never reused, so a page neither skips nor repeats.
static void list_roots(gm_request *request, uint32_t size, uint64_t position)
{
    const gm_state *state   = gm_api_state(request);
    const gm_fence *fence   = gm_api_fence(request);
    uint32_t        limit   = gm_state_next_twin(state), written = 0;
    uint64_t        next    = position;
    for (; next < limit; next++) {
        gm_twin twin = { (uint32_t)next };
        if (!gm_state_exists(state, twin) || !gm_fence_shows(fence, twin) || !is_root(state, fence, twin)) continue;
        if (written == size) break;
        open_item(request, twin, &request->out, written++);
        gm_buf_byte(&request->out, '}');
    }
    gm_buf_byte(&request->out, ']');
    if (next < limit) gm_page_next(request, GM_STR("roots"), next);
}

// offset: of those that he sees, so many are left out before the page; for who jumps into a long list. The token's position counts all.
static void list_children(gm_request *request, gm_twin parent, uint32_t size, uint64_t position, uint64_t offset)
{
    const gm_state *state   = gm_api_state(request);
    gm_str          list    = gm_arena_printf(request->arena, "children %u", parent.v);
    gm_edge         edge    = gm_state_first_out(state, parent);
    uint32_t        written = 0;
    uint64_t        at      = 0;
    for (; gm_edge_ok(edge); edge = gm_state_next_out(state, edge), at++) {
        if (at < position || !gm_api_sees(request, gm_state_edge_target(state, edge))) continue;
        if (offset > 0) {
            offset--;
            continue;
        }
        if (written == size) break;
        gm_relationship r = gm_state_relationship(state, edge);
        open_item(request, r.target, &request->out, written++);
        gm_live_member(&request->out, "relationship", r.name);
        gm_buf_byte(&request->out, '}');
    }
    gm_buf_printf(&request->out, "],\"total\":%u", count_children(state, gm_api_fence(request), parent));
    if (gm_edge_ok(edge)) gm_page_next(request, list, at);
}

// ---- search --------------------------------------------------------------------------------------------------------

// Ids from a root down to the parent, along the first relationship that comes in at each step.
static void write_path(const gm_state *state, const gm_fence *fence, gm_twin twin, gm_buf *out)
{
    gm_twin above[DEPTH_MAX];
    size_t  depth = 0;
    for (gm_twin at = twin; depth < DEPTH_MAX;) {
        gm_edge edge = gm_state_first_in(state, at);
        while (gm_edge_ok(edge) && !gm_fence_shows(fence, gm_state_edge_source(state, edge))) edge = gm_state_next_in(state, edge);
        if (!gm_edge_ok(edge)) break;
        at        = gm_state_edge_source(state, edge);
        bool loop = at.v == twin.v;
        for (size_t i = 0; i < depth; i++) loop = loop || above[i].v == at.v;
        if (loop) break;
        above[depth++] = at;
    }
    gm_buf_text(out, ",\"path\":[");
    for (size_t i = depth; i-- > 0;) {
        gm_buf_json_str(out, gm_state_id(state, above[i]));
        if (i > 0) gm_buf_byte(out, ',');
    }
    gm_buf_byte(out, ']');
}

static void search(gm_request *request, gm_str text, uint32_t size, uint64_t position)
{
    const gm_state *state  = gm_api_state(request);
    gm_str          needle = gm_arena_lower(request->arena, text);
    if (needle.ptr == NULL) {
        request->out.failed = true;
        return;
    }
    uint32_t limit  = gm_state_next_twin(state), written = 0;
    uint64_t next   = position;
    for (; next < limit; next++) {
        gm_twin twin = { (uint32_t)next };
        if (!gm_state_exists(state, twin) || !gm_api_sees(request, twin)) continue;
        if (!gm_str_has_lower(gm_state_id(state, twin), needle) && !gm_str_has_lower(gm_live_name(state, twin), needle)) continue;
        if (written == size) break;
        open_item(request, twin, &request->out, written++);
        write_path(state, gm_api_fence(request), twin, &request->out);
        gm_buf_byte(&request->out, '}');
    }
    gm_buf_byte(&request->out, ']');
    if (next < limit)
        gm_page_next(request, gm_arena_printf(request->arena, "search " GM_STR_FMT, GM_STR_ARG(needle)), next);
}

// ---- the route -----------------------------------------------------------------------------------------------------

static gm_str list_name(gm_request *request, gm_str text, gm_twin parent)
{
    if (text.len > 0) return gm_arena_printf(request->arena, "search " GM_STR_FMT, GM_STR_ARG(gm_arena_lower(request->arena, text)));
    return gm_twin_ok(parent) ? gm_arena_printf(request->arena, "children %u", parent.v) : GM_STR("roots");
}

void gm_route_tree(gm_request *request)
{
    gm_str   parent_id, text;
    uint64_t size, position, offset;
    if (!gm_request_parameter(request, "parent", &parent_id) || !gm_request_parameter(request, "search", &text) ||
        !gm_request_number(request, "limit", 1, PAGE_MAX, PAGE, &size) || !gm_request_number(request, "offset", 0, UINT32_MAX, 0, &offset)) return;
    if (text.len > SEARCH_TEXT_MAX) {
        gm_reply_error(request, 400, "InvalidArgument", "A search has at most %d bytes.", SEARCH_TEXT_MAX);
        return;
    }
    gm_twin parent = { GM_NONE };
    if (parent_id.len > 0) {
        parent = gm_api_find(request, parent_id);
        if (!gm_twin_ok(parent)) {
            gm_api_no_twin(request, parent_id);
            return;
        }
    }
    if (offset > 0 && (!gm_twin_ok(parent) || text.len > 0)) {
        gm_reply_error(request, 400, "InvalidArgument", "'offset' is for the children of a 'parent'.");
        return;
    }
    if (!gm_page_position(request, list_name(request, text, parent), &position)) return;
    gm_buf_text(&request->out, "{\"items\":[");
    if (text.len > 0) search(request, text, (uint32_t)size, position);
    else if (gm_twin_ok(parent)) list_children(request, parent, (uint32_t)size, position, position > 0 ? 0 : offset);
    else list_roots(request, (uint32_t)size, position);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}
