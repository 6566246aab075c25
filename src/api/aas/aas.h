// api/aas/aas.h: what the routes of the Asset Administration Shell API (IEC 63278, Part 2 API V3) share.
#ifndef GM_API_AAS_AAS_H
#define GM_API_AAS_AAS_H

#include "aas/thing.h"
#include "aas/tree.h"
#include "api/context.h"

// {"messages":[{"code","messageType":"Error","text","timestamp"}]}
void gm_aas_write_error(gm_request *request, const char *code, gm_str message);

// What is known now, to this request.
gm_aas_world gm_aas_world_of(gm_request *request);

// ---- places: what shells there are, one after the other: interfaces, twins, parts that are known by their facts alone.
// A place is a position in these lists; so a page costs what it shows, wherever it is. Twins that come and go between two pages
// neither shift nor repeat the others.
typedef enum gm_aas_phase { GM_AAS_PHASE_TYPES, GM_AAS_PHASE_TWINS, GM_AAS_PHASE_PARTS, GM_AAS_PHASE_END } gm_aas_phase;
typedef struct gm_aas_place { gm_aas_phase phase; uint32_t at, sub; } gm_aas_place;  // sub: how many of its submodels are behind
enum { GM_AAS_PAGE = 100, GM_AAS_PAGE_MAX = 1000, GM_AAS_STEPS_MAX = 20000 };          // steps: places looked at for one answer

typedef struct gm_aas_listing {
    gm_request  *request;
    gm_aas_world world;
    gm_aas_place place;    // where the next page begins
    uint32_t     limit, shown, steps;
} gm_aas_listing;

// Reads limit and cursor, opens {"result":[ . False: replied 400.
GM_NODISCARD bool gm_aas_list_begin(gm_aas_listing *listing);
// The next place with something in it: an interface (*out_type), or a twin or part or a kept submodel's thread (*out_id).
// listing->place is the one behind it. False: there is no more, or enough was looked at for one answer.
bool gm_aas_list_next(gm_aas_listing *listing, gm_str *out_id, const gm_type **out_type);
// False when the page is full; the comma before the next item, and counting it.
bool gm_aas_list_has_room(const gm_aas_listing *listing);
void gm_aas_list_item(gm_aas_listing *listing);
// ],"paging_metadata":{"cursor":...}} ; more: there may be something behind.
void gm_aas_list_end(gm_aas_listing *listing, bool more);

// ---- one of each
// The shell's thing by the id in the path (base64url). False: replied 400 or 404.
GM_NODISCARD bool gm_aas_shell_of(gm_request *request, const gm_aas_world *world, gm_str coded, gm_aas_thing *out);
// An identifier of the path or a parameter; *out lies in the request's arena. False: replied 400.
GM_NODISCARD bool gm_aas_decode_id(gm_request *request, gm_str coded, gm_str *out);

// A parameter that is base64url of a reference: its last key, in the request's arena; empty when it is absent. False: replied 400.
GM_NODISCARD bool gm_aas_reference_parameter(gm_request *request, const char *name, gm_str *out_key);

typedef enum gm_aas_origin { GM_AAS_MADE, GM_AAS_KEPT } gm_aas_origin;
typedef struct gm_aas_found {
    gm_aas_origin origin;
    gm_aas_kind   kind;    // MADE
    gm_aas_thing  thing;   // MADE: whose it is
    gm_str        thread;  // KEPT
    bool          making;  // MADE: it is being made by a client: what holds already must not be contradicted
} gm_aas_found;
// A submodel's JSON text by its id, appended. GM_NOTFOUND.
GM_NODISCARD gm_status gm_aas_submodel_text(gm_request *request, const gm_aas_world *world, gm_str id, gm_aas_found *out, gm_buf *text, gm_error *err);
GM_NODISCARD gm_status gm_aas_kept_text(gm_request *request, gm_str thread, gm_str key, gm_buf *out, gm_error *err);

bool gm_aas_has_kept(gm_request *request, gm_str thread);   // is it a submodel that is kept, and his to see?
bool gm_aas_sees_kept(gm_request *request, gm_str thread);  // whether it is there or not: does something that he sees have it?

// The parameters of a submodel's route from its id on, whether it stands below a shell ("/shells/{shell}/submodels/{id}") or not.
gm_str gm_aas_parameter(const gm_request *request, unsigned i);
bool   gm_aas_is_below_shell(const gm_request *request);
// The submodel of the path as a tree; NULL: replied. The caller decrefs.
json_t *gm_aas_submodel_tree(gm_request *request, gm_aas_found *out_found);
// The element of the path in it (borrowed); NULL: replied, or tree is NULL.
json_t *gm_aas_element_of(gm_request *request, json_t *tree);

// ---- views of a tree
typedef enum gm_aas_view { GM_AAS_VIEW_PLAIN, GM_AAS_VIEW_VALUE, GM_AAS_VIEW_METADATA, GM_AAS_VIEW_REFERENCE, GM_AAS_VIEW_PATH, GM_AAS_VIEW_COUNT } gm_aas_view;
// "$value" ...; false: replied 404.
GM_NODISCARD bool gm_aas_view_of(gm_request *request, gm_str name, gm_aas_view *out);
// Appends the element as the view has it, after level and extent. submodel_id, path: where it is, path empty: it is the submodel. False: replied.
GM_NODISCARD bool gm_aas_write_view(gm_request *request, json_t *submodel, json_t *element, gm_aas_view view, gm_str submodel_id, gm_str path);

// ---- shells
GM_NODISCARD gm_status gm_aas_open_shell(gm_request *request, const gm_aas_world *world, gm_str id, gm_aas_thing *out, gm_error *err);

#endif
