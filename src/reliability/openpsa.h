// reliability/openpsa.h: fault trees in the Open-PSA Model Exchange Format (version 2.0d and 3), read and written.
//
//   gm_openpsa_options o = { .mission_time = 8760 };
//   gm_openpsa_read(alloc, &o, files, 2, &model, &err);        // several files make one model
//   gm_reliability_analyse(alloc, gm_openpsa_tree(model), gm_openpsa_top(model, i), ...);
//   gm_openpsa_destroy(model);
//
// Read: fault trees with components (private names are seen from inside theirs), gates of every kind, house events, basic
// events with expressions (arithmetic, parameters, exponential, GLM, Weibull, periodic tests, deviates at their mean),
// common-cause groups (beta-factor, MGL, alpha-factor, phi-factor). Event trees and rules are passed over. An event that is
// named and nowhere defined has no probability; a gate that is not defined is an error.
#ifndef GM_RELIABILITY_OPENPSA_H
#define GM_RELIABILITY_OPENPSA_H

#include "base/buf.h"
#include "reliability/tree.h"

typedef struct gm_openpsa gm_openpsa;

enum { GM_OPENPSA_BYTES_MAX = 256 << 20 };

typedef struct gm_openpsa_options {
    double mission_time;  // what <system-mission-time/> is, in the unit that the file's rates are in (hours, as a rule)
} gm_openpsa_options;

typedef struct gm_openpsa_file { gm_str name, text; } gm_openpsa_file;  // borrowed

// Errors: GM_INVALID  not XML, or against the format: err has file and line.  GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_openpsa_read(const gm_alloc *alloc, const gm_openpsa_options *options, const gm_openpsa_file *files,
                                       size_t count, gm_openpsa **out_model, gm_error *err);
void                   gm_openpsa_destroy(gm_openpsa *model);
gm_fault_tree         *gm_openpsa_tree(gm_openpsa *model);

// The gates that no other gate names, in the order of the files.
size_t       gm_openpsa_top_count(const gm_openpsa *model);
gm_tree_node gm_openpsa_top(const gm_openpsa *model, size_t i);
size_t       gm_openpsa_undefined(const gm_openpsa *model);  // events that are named and not defined

bool gm_openpsa_supported(void);  // false: built without libxml2; reading then says so

// Appends the part of a tree below top as a model: gates, events with their probabilities, house events.
void gm_openpsa_write(const gm_fault_tree *tree, gm_tree_node top, gm_str tree_name, gm_buf *out);

#endif
