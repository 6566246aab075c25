// reliability/openpsa_parts.h: between the reader of Open-PSA files (openpsa.c) and the reader of their expressions
// (openpsa_expression.c).
#ifndef GM_RELIABILITY_OPENPSA_PARTS_H
#define GM_RELIABILITY_OPENPSA_PARTS_H

#include "base/arena.h"
#include "base/index.h"
#include "reliability/openpsa.h"

typedef struct _xmlNode xmlNode;  // libxml2's, so that this header compiles without it

// A parameter or basic event that was met in a first pass; its expression is looked at when somebody asks.
typedef struct gm_openpsa_named {
    gm_str         key;      // path and name, or the name alone where it is public
    gm_str         path;     // of the component that holds it
    gm_str         file;
    const xmlNode *element;  // define-parameter
    double         value;
    bool           known, under_way;
} gm_openpsa_named;

typedef struct gm_openpsa_reader {
    const gm_alloc           *alloc;
    gm_arena                 *arena;
    const gm_openpsa_options *options;
    gm_fault_tree            *tree;
    gm_openpsa_named         *parameters;
    size_t                    parameter_count, parameter_capacity;
    gm_index                  parameter_index;
    gm_str                    file, path;  // where we are
    unsigned                  depth;       // of formulas and expressions
    gm_status                 st;
    gm_error                 *err;
} gm_openpsa_reader;

enum { GM_OPENPSA_DEPTH_MAX = 500 };

// The first failure stays.
void gm_openpsa_fail(gm_openpsa_reader *r, const xmlNode *at, const char *fmt, ...) GM_PRINTF(3, 4);

bool           gm_openpsa_is(const xmlNode *node, const char *name);
const xmlNode *gm_openpsa_first(const xmlNode *parent);            // its first element, or NULL
const xmlNode *gm_openpsa_next(const xmlNode *element);            // the next one beside it
const xmlNode *gm_openpsa_child(const xmlNode *parent, const char *name);
gm_str         gm_openpsa_attribute(gm_openpsa_reader *r, const xmlNode *node, const char *name);  // empty: not there
gm_str         gm_openpsa_joined(gm_openpsa_reader *r, gm_str path, gm_str name);

// Reads a define-CCF-group: every member becomes an `or` of the events that take it along (openpsa_common_cause.c).
void gm_openpsa_common_cause(gm_openpsa_reader *r, const xmlNode *group);

// The value of an expression element. NaN after a failure.
double gm_openpsa_value(gm_openpsa_reader *r, const xmlNode *expression);

#endif
