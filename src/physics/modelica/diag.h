// physics/modelica/diag.h: what is wrong with a model, said so that a person finds it:
//
//   tank.mo:12:9: error: `h0` is a Boolean, a Real is expected
//      12 |   Real h(start=h0);
//         |                ^~
//
// All texts of one run lie behind one another in one range of places, so that a place is one number everywhere.
#ifndef GM_PHYSICS_MODELICA_DIAG_H
#define GM_PHYSICS_MODELICA_DIAG_H

#include "base/arena.h"
#include "base/buf.h"

typedef uint32_t gm_place;  // 0 = nowhere

typedef struct gm_source {
    gm_str   file, text;
    gm_place first;  // the place of text[0]; the text's end has a place as well
} gm_source;

typedef struct gm_sources { gm_source *items; uint32_t count, capacity; } gm_sources;  // rising `first`

// The source that holds the place, or NULL; line and column are 1-based, in bytes.
const gm_source *gm_source_at(const gm_sources *sources, gm_place at, uint32_t *out_line, uint32_t *out_column);

typedef enum gm_severity { GM_SEVERITY_NOTE, GM_SEVERITY_WARNING, GM_SEVERITY_ERROR } gm_severity;

typedef struct gm_diag {
    gm_severity severity;
    gm_str      file;            // empty when it belongs to no place
    uint32_t    line, column;    // 1-based, in bytes; 0 = none
    uint32_t    length;          // bytes under the caret
    gm_str      text, source;    // what is wrong; the line it is in
} gm_diag;

enum { GM_DIAGS_MAX = 50 };  // errors and warnings beyond these are counted only

// A list of findings that outlives the work that made it.
typedef struct gm_diags {
    gm_arena *arena;
    gm_diag  *items;
    uint32_t  count, capacity, errors, warnings, dropped;
    bool      failed;            // memory was refused for one of them
} gm_diags;

void gm_diags_init(gm_diags *diags, const gm_alloc *alloc);
void gm_diags_finish(gm_diags *diags);

// Adds one. The same text at the same place is added once. sources may be NULL when `at` is 0.
void gm_diags_add(gm_diags *diags, const gm_sources *sources, gm_severity severity, gm_place at, uint32_t length,
                  const char *fmt, ...) GM_PRINTF(6, 7);
void gm_diags_add_list(gm_diags *diags, const gm_sources *sources, gm_severity severity, gm_place at, uint32_t length,
                       const char *fmt, va_list args);

// Writes them as shown above, in order.
void gm_diags_write(const gm_diags *diags, gm_buf *out);

// The first error as a gm_error: file:line:column in its text.
gm_status gm_diags_fail(const gm_diags *diags, gm_error *err);

#endif
