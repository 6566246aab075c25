// rollup/definition.h: what a plant wants to be added up: the files rules/*.rollups, read.
//
//   { "rollups": [ { "name": "power", "function": "sum", "property": "power", "relationship": "contains" },
//                  { "name": "pumps", "function": "kOfN", "property": "running", "k": 2, "relationship": "contains",
//                    "systems": "dtmi:example:Station;1", "members": "SELECT * FROM DIGITALTWINS T WHERE T.size > 1" } ] }
//
// Documented in docs/rollups.md.
#ifndef GM_ROLLUP_DEFINITION_H
#define GM_ROLLUP_DEFINITION_H

#include "base/arena.h"
#include "base/time.h"
#include "model/model.h"

typedef enum gm_rollup_function {
    GM_ROLLUP_SUM, GM_ROLLUP_MIN, GM_ROLLUP_MAX, GM_ROLLUP_MEAN, GM_ROLLUP_WEIGHTED, GM_ROLLUP_K_OF_N, GM_ROLLUP_WORST,
    GM_ROLLUP_INTENSITY, GM_ROLLUP_OEE, GM_ROLLUP_FUNCTIONS
} gm_rollup_function;

#define GM_ROLLUP_NEVER INT64_MAX

enum { GM_ROLLUPS_MAX = 64, GM_ROLLUP_TERMS = 5, GM_ROLLUP_STATES_MAX = 32 };

typedef struct gm_rollup_definition {
    gm_str             name;
    uint32_t           line;          // of the file
    gm_rollup_function function;
    gm_str             terms[GM_ROLLUP_TERMS];  // property paths, in the order of gm_rollup_term_name
    uint32_t           term_count;
    gm_str             relationship;  // whose ends are system and member; empty: one system, of which all twins are members
    bool               incoming;      // it goes from the member to the system
    gm_str             systems;       // DTMI of the twins that are shown; empty: all that have members
    gm_str             members;       // query: only these contribute values of their own; empty: all
    gm_str             states[GM_ROLLUP_STATES_MAX];  // WORST: from best to worst; K_OF_N: those in which a member works
    uint32_t           state_count;
    uint32_t           k;             // K_OF_N
    bool               disclosed;     // who sees the system is told its value, whether he sees all its parts or not
    gm_dur_ns          record;        // its values are kept as history when they have changed, at most so often; 0: as usual; GM_ROLLUP_NEVER
} gm_rollup_definition;

static inline bool gm_rollups_is(gm_str file) { return gm_str_ends(file, GM_STR(".rollups")); }

const char *gm_rollup_function_name(gm_rollup_function function);
// The member of the file that names term i: "property", then "weight", "per" or what OEE is made of.
const char *gm_rollup_term_name(gm_rollup_function function, uint32_t i);
uint32_t    gm_rollup_term_count(gm_rollup_function function);

// Appends a file's definitions to [*count]; texts are copied into the arena.
// GM_INVALID: err has the line and says what is wrong. GM_LIMIT: more than GM_ROLLUPS_MAX. GM_NOMEM.
GM_NODISCARD gm_status gm_rollups_parse(gm_arena *arena, gm_str text, gm_rollup_definition *definitions, uint32_t *count, gm_error *err);

// Can it ever show anything? GM_INVALID: an interface or a property that no model has, states of what is no text.
GM_NODISCARD gm_status gm_rollup_check(const gm_rollup_definition *d, const gm_model *model, gm_error *err);

// The symbol of a term's unit, as the first interface that has the property declares it; empty: none.
gm_str gm_rollup_symbol(const gm_rollup_definition *d, const gm_model *model, uint32_t term);

#endif
