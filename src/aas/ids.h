// aas/ids.h: what twins, parts and interfaces are called in the Asset Administration Shell, and back.
//
//   pump7                     <->  shell    urn:gemel:aas:pump7       asset  urn:gemel:asset:pump7
//   https://maker.example/42  <->  shell    https://maker.example/42  (a URI stands for itself: what came from elsewhere keeps its name)
//   dtmi:example:Pump;1       <->  shell    dtmi:example:Pump;1       (an interface: asset kind Type)
//   pump7's nameplate         <->  submodel urn:gemel:submodel:Nameplate:pump7
//
// No table is needed for it: each direction is a computation, so that a look-up costs the same whatever the size of the plant.
// Submodels, concept descriptions and shells that came from elsewhere and are kept as they are have a thread (thread/thread.h) of
// their own, whose id is gm_aas_kept_id of theirs.
#ifndef GM_AAS_IDS_H
#define GM_AAS_IDS_H

#include "base/arena.h"
#include "base/buf.h"

enum { GM_AAS_ID_MAX = 2000 };  // characters of an identifier (IEC 63278, Part 1 metamodel: Identifier)

// The submodels that gemel makes of a twin, in the order in which they are listed.
#define GM_AAS_SUBMODEL_LIST(X)                                                                                  \
    X(GM_AAS_NAMEPLATE,     "Nameplate",              "https://admin-shell.io/idta/nameplate/3/0/Nameplate")               \
    X(GM_AAS_TECHNICAL,     "TechnicalData",          "https://admin-shell.io/ZVEI/TechnicalData/Submodel/1/2")           \
    X(GM_AAS_STRUCTURE,     "HierarchicalStructures", "https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel")  \
    X(GM_AAS_DOCUMENTS,     "HandoverDocumentation",  "0173-1#01-AHF578#003")                                    \
    X(GM_AAS_SERIES,        "TimeSeries",             "https://admin-shell.io/idta/TimeSeries/1/1")                       \
    X(GM_AAS_OPERATIONAL,   "OperationalData",        "urn:gemel:aas:semantics:OperationalData:1")               \
    X(GM_AAS_RELATIONSHIPS, "Relationships",          "urn:gemel:aas:semantics:Relationships:1")                 \
    X(GM_AAS_THREAD,        "DigitalThread",          "urn:gemel:aas:semantics:DigitalThread:1")                 \
    X(GM_AAS_INTERFACE,     "Interface",              "urn:gemel:aas:semantics:Interface:1")
typedef enum gm_aas_kind {
#define X(name, text, semantics) name,
    GM_AAS_SUBMODEL_LIST(X)
#undef X
    GM_AAS_KIND_COUNT
} gm_aas_kind;
const char *gm_aas_kind_name(gm_aas_kind kind);
const char *gm_aas_kind_semantics(gm_aas_kind kind);  // of the template, or gemel's own
// The kind whose template has this semantic id, of whatever version is understood; GM_AAS_KIND_COUNT: none.
gm_aas_kind gm_aas_kind_of(gm_str semantics);

// ---- out: appended
void gm_aas_shell_id(gm_str thing, gm_buf *out);      // of a twin's or part's id; an interface's is its DTMI
void gm_aas_asset_id(gm_str thing, gm_buf *out);
void gm_aas_submodel_id(gm_aas_kind kind, gm_str thing, gm_buf *out);
// The column of a type, or the key of a fact, as a semantic id: dtmi:example:Pump;1#flow, urn:gemel:fact:bore
void gm_aas_column_id(gm_str dtmi, gm_str path, gm_buf *out);
void gm_aas_fact_id(gm_str key, gm_buf *out);

// ---- back: texts lie in the arena or are views of id. False: it is no such id.
bool gm_aas_is_type(gm_str shell_id);                 // an interface's: then it is its DTMI
GM_NODISCARD bool gm_aas_shell_thing(gm_arena *arena, gm_str shell_id, gm_str *out_thing);
GM_NODISCARD bool gm_aas_asset_thing(gm_arena *arena, gm_str asset_id, gm_str *out_thing);  // of gemel's own alone
GM_NODISCARD bool gm_aas_submodel_thing(gm_arena *arena, gm_str submodel_id, gm_aas_kind *out_kind, gm_str *out_thing);
GM_NODISCARD bool gm_aas_column_of(gm_str id, gm_str *out_dtmi, gm_str *out_path);
GM_NODISCARD bool gm_aas_fact_key(gm_arena *arena, gm_str id, gm_str *out_key);

// The thread of something kept: what is "submodel", "concept" or "shell". An id that is too long for one goes by its hash.
gm_str gm_aas_kept_id(gm_arena *arena, const char *what, gm_str id);  // ptr NULL: no memory
bool   gm_aas_is_kept(gm_str thread_id, const char *what);

// A name as an idShort: letters, digits and underscores, a letter first, two at least (all versions of the metamodel take that).
enum { GM_AAS_ID_SHORT_MAX = 128 };
void gm_aas_id_short(gm_str name, char out[GM_AAS_ID_SHORT_MAX + 1]);
// The same, different from those that were given before: names is the caller's set (a JSON object).
#include <jansson.h>
void gm_aas_id_short_among(json_t *names, gm_str name, char out[GM_AAS_ID_SHORT_MAX + 1]);

#endif
