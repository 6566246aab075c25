// model/findings.h: collecting what is wrong while a document set is read, so that all of it is reported together.
//
// A rule is the validation id of the DTDL parser's catalogue without its prefix ("idReference"), or one of gemel's own,
// which begin with a colon (":json"). Texts say what is wrong, and after that what to do.
#ifndef GM_MODEL_FINDINGS_H
#define GM_MODEL_FINDINGS_H

#include "model/json_tree.h"
#include "model/model.h"

// More findings than these are counted, not kept: nobody reads them, and a hostile document must not fill the memory.
enum { GM_FINDINGS_MAX = 1000 };

// One source as it is being read.
typedef struct gm_document {
    gm_str         file, text;
    const gm_json *root;
    gm_json_lines  lines;     // built when the first finding asks for a position
    bool           tolerate;  // minor mistakes in DTDL v2 that old parsers let pass
} gm_document;

typedef struct gm_collected { gm_finding finding; const gm_document *document; size_t order; } gm_collected;

typedef struct gm_collector {
    const gm_alloc *alloc;
    gm_arena       *arena;   // owns the findings' texts
    gm_collected   *items;
    size_t          count, capacity;
    size_t          dropped;
    bool            failed;  // memory was refused
} gm_collector;

gm_status gm_collector_init(gm_collector *to, const gm_alloc *alloc, gm_error *err);
void      gm_collector_finish(gm_collector *to);

// Whether another finding would be kept; counts it as dropped when not. Asked before texts are made for it.
bool gm_collector_wants(gm_collector *to);

// Adds a finding about `node` (NULL: about the whole document). dtmi is copied.
void gm_collect(gm_collector *to, const char *rule, gm_document *document, const gm_json *node, gm_str dtmi,
                const char *fmt, ...) GM_PRINTF(6, 7);

// Adds the finding that err describes, at its line and column.
void gm_collect_error(gm_collector *to, const char *rule, const gm_document *document, const gm_error *err);

// Hands the findings over, in the order of file and place; the collector is empty afterwards.
gm_status gm_collector_take(gm_collector *from, gm_findings *out_findings, gm_error *err);

#endif
