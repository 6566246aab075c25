// physics/modelica/parse.h: tokens into trees (Modelica 3.6, appendix A; Base Modelica's `parameter equation` too).
// Every syntax error is reported once; reading goes on at the next `;`.
#ifndef GM_PHYSICS_MODELICA_PARSE_H
#define GM_PHYSICS_MODELICA_PARSE_H

#include "physics/modelica/ast.h"

enum { GM_PARSE_DEPTH_MAX = 200 };

typedef struct gm_parsed {
    gm_ast_class    **classes;  // those at the top of the text, in order
    uint32_t          count, capacity;
    const gm_ast_ref *within;   // NULL: not given, or empty
    bool              has_within;
} gm_parsed;

// Reads one source (which must be in sources). *class_number counts the classes of the whole library.
void gm_parse(gm_work *w, gm_names *names, const gm_sources *sources, const gm_source *source, gm_diags *diags,
              uint32_t *class_number, gm_parsed *out_parsed);

#endif
