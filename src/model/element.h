// model/element.h: a document set as the graph that DTDL describes: elements, their members, and what refers to what.
// Internal to src/model. Built by element.c, connected and checked by check.c, made into types by types.c.
#ifndef GM_MODEL_ELEMENT_H
#define GM_MODEL_ELEMENT_H

#include "model/extension.h"
#include "model/findings.h"
#include "model/metamodel.h"
#include "model/quantity.h"

#include "base/index.h"

// What the "@context" members in force say.
typedef struct gm_context {
    unsigned version;       // 2, 3 or 4
    unsigned extensions;    // bits: see extension.h
    bool     complete;      // every extension named is known here
    const gm_limits *limits;  // the language's, or those of an extension of limits
} gm_context;

typedef struct gm_element gm_element;

// One value of an OBJECT member.
typedef struct gm_ref {
    const gm_json     *node;
    gm_element        *element;   // in place, or what the reference was resolved to; NULL: neither (yet)
    gm_str             id;        // the DTMI of a reference; empty: in place
    const gm_standard *standard;  // "boolean" and its like
    unsigned           version;   // of the standard element
    const gm_named_unit *unit;    // "degreeCelsius"
    const gm_unit_type  *unit_enum;  // "TemperatureUnit" as a schema
} gm_ref;

// One member of an element.
typedef struct gm_member {
    struct gm_member   *next;
    const gm_meta_prop *meta;
    const gm_json      *node;
    gm_ref             *refs;      // OBJECT
    uint32_t            ref_count;
    uint8_t             literal;   // gm_kind of value; NONE when it was not valid
    gm_value            value;     // STRING, INTEGER, BOOLEAN, NUMERIC, LITERAL, DTMI
} gm_member;

// A co-type: what an extension (or v2's semantic types) adds to an element.
typedef struct gm_cotype_ref {
    struct gm_cotype_ref *next;
    const gm_quantity    *quantity;      // a quantity, of which vocabulary
    unsigned              vocabularies;
    const gm_cotype      *cotype;        // or a type of an extension, of which
    const gm_extension   *extension;
    gm_str                term;
    const gm_json        *node;
} gm_cotype_ref;

// How far a walk over the graph has come with an element.
typedef enum gm_walk { GM_WALK_NEW, GM_WALK_OPEN, GM_WALK_DONE } gm_walk;

struct gm_element {
    gm_element         *parent;     // structural; NULL at the top level
    const gm_meta_prop *via;        // the parent's member that holds it
    gm_element         *partition;  // the Interface or top-level element that holds it; itself for those
    gm_document        *document;
    const gm_json      *node;
    const gm_context   *context;
    gm_str              id;         // as written; empty when it has none
    gm_str              name;       // the value of its "name"
    gm_member          *members, **last_member;
    gm_cotype_ref      *cotypes;
    gm_class            cls;
    unsigned            version;
    bool                informal;   // co-typed with something that nobody here knows
    // Results of check.c; of elements that were added before, they stay as they are.
    gm_walk             walk;
    uint32_t            extends_depth, extends_count, contents_count, schema_depth;
    size_t              text_bytes;     // Interface: without the Interfaces inside
    bool                reaches_array;  // an Array is below
    bool                recursive;      // it is part of itself, by other ways than "extends"
    bool                loops;          // something that is recursive is among what counts as its contents
    struct gm_content  *contents;       // Interface: own and inherited ones, bases first
    uint32_t            content_count;
    // Results of types.c.
    gm_type            *type;           // Interface
    gm_schema          *schema;         // complex schemas
    struct gm_column   *columns;        // Property, Telemetry, Component: as they appear in a type that has it
    uint32_t            column_count;
};

// One entry of an Interface's contents, inherited ones included.
typedef struct gm_content { gm_element *element; gm_element *owner; } gm_content;

enum { GM_SOLECISMS_IN_PARSE = 1, GM_SOLECISMS_IN_RESOLVE = 2 };

// How extensions that nobody here knows are taken.
typedef enum gm_unknown { GM_UNKNOWN_PER_VERSION, GM_UNKNOWN_ALLOWED, GM_UNKNOWN_REFUSED } gm_unknown;

typedef struct gm_model_rules {
    gm_unknown    unknown_extensions;
    bool          tolerate;          // minor mistakes in v2 that old parsers let pass
    bool          tolerate_resolved; // the same, in the documents from resolved_from on
    size_t        resolved_from;     // 0: there are none
    const gm_str *limit_contexts;    // extensions of limits that are acceptable
    size_t        limit_context_count;
    unsigned      version_max;       // 0: the newest
} gm_model_rules;

// A document set while it is read.
enum { GM_LANGUAGES_MAX = 256 };  // texts of one localizable string; more are refused

typedef struct gm_set {
    const gm_alloc       *alloc;
    gm_arena             *arena;     // becomes the batch's memory when the set is added
    gm_collector         *found;
    const gm_model       *known;     // may be NULL
    const gm_model_rules *rules;
    gm_document          *documents;
    size_t                document_count;
    gm_element          **tops;      // top-level elements, in order
    size_t                top_count, top_capacity;
    gm_element          **all;       // every element, parents before children
    size_t                all_count, all_capacity;
    gm_index              ids;       // id -> place in all
    gm_element          **order;     // made by gm_set_check: every element, children before parents
    bool                  failed;    // memory was refused
} gm_set;

// Reads the documents into elements. Findings go to set->found; GM_NOMEM is the only failure.
GM_NODISCARD gm_status gm_set_read(gm_set *set, const gm_model_source *sources, size_t n, gm_error *err);
void                   gm_set_finish(gm_set *set);

// The element with that id: of this set, else of the model. NULL when there is none.
gm_element *gm_set_find(const gm_set *set, gm_str id);

// Connects references and checks every rule that needs more than one element. The same failures.
GM_NODISCARD gm_status gm_set_check(gm_set *set, gm_error *err);

// Makes a gm_type for each Interface of the set, numbered from first_number in the order of the texts (types.c). Only
// after both found nothing. GM_LIMIT: a type would have more columns or components than can be numbered; a finding
// says which.
GM_NODISCARD gm_status gm_set_build_types(gm_set *set, uint32_t first_number, gm_error *err);

// The member of that kind, NULL when the element has none.
const gm_member *gm_element_member(const gm_element *element, gm_prop_kind kind);

// The element's id: as written, or derived from its parent's ("dtmi:a:_contents:__temperature;1"). Lives in the arena;
// ptr is NULL when memory is refused.
gm_str gm_element_id(const gm_element *element, gm_arena *arena);

// Adds a finding about an element, at a node of it; the id is made only when the finding is kept.
#define GM_COMPLAIN(set, element, node, rule, ...)                                                                  \
    do {                                                                                                            \
        if (gm_collector_wants((set)->found)) {                                                                     \
            gm_collect((set)->found, (rule), (element)->document, (node),                                           \
                       gm_element_id((element), (set)->found->arena), __VA_ARGS__);                                 \
        }                                                                                                           \
    } while (0)

// Finds in the model; internal to src/model (model.c).
gm_element *gm_model_element(const gm_model *model, gm_str id);

// gm_model_add (into == model) and gm_model_check (into == NULL) under other rules than the usual ones.
GM_NODISCARD gm_status gm_model_examine(const gm_model *model, const gm_model_rules *rules,
                                        const gm_model_source *sources, size_t n, gm_model *into,
                                        gm_findings *out_findings, gm_error *err);

#endif
