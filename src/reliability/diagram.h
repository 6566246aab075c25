// reliability/diagram.h: a formula as binary decision diagrams, one for each module. Where a module is asked for by
// another, it stands there as one variable.
//
//   gm_diagram d;
//   st = gm_diagram_build(&d, f, &limits, &err);
//   d.modules[d.module_count - 1].edge                 // the top
//   gm_diagram_finish(&d);
#ifndef GM_RELIABILITY_DIAGRAM_H
#define GM_RELIABILITY_DIAGRAM_H

#include "reliability/dd.h"
#include "reliability/formula.h"

typedef struct gm_diagram_module {
    uint32_t node;         // of the formula
    uint32_t edge;         // its diagram; GM_DD_NONE: too large, see `why`
    uint32_t first_level, leaf_count;
    gm_status why;         // GM_LIMIT, GM_CANCELLED
} gm_diagram_module;

typedef struct gm_diagram {
    const gm_formula  *formula;
    gm_dd              dd;
    gm_diagram_module *modules;         // inputs first; the last is the top
    uint32_t          *module_of_node;  // [formula nodes]; UINT32_MAX: none
    uint32_t          *leaf_of_level;   // [level_count] formula nodes: variables, or roots of modules
    size_t             module_count, module_capacity, level_count, level_capacity;
    bool               whole;           // every module has its diagram
} gm_diagram;

// A formula whose root is constant has no modules. A module that meets a limit is left out (whole = false); the others
// are built all the same. GM_NOMEM.
GM_NODISCARD gm_status gm_diagram_build(gm_diagram *d, const gm_formula *f, const gm_dd_limits *limits, gm_error *err);
void                   gm_diagram_finish(gm_diagram *d);

#endif
