// futures/group_parts.h: what groups and shapes are made of. Private to src/futures.
#ifndef GM_FUTURES_GROUP_PARTS_H
#define GM_FUTURES_GROUP_PARTS_H

#include "base/index.h"
#include "futures/group.h"
#include "physics/exec/lanes.h"
#include "physics/modelica/modelica.h"

// A connection between two members by a rule of the first one's class.
typedef struct gm_group_edge { uint32_t from, to, rule; } gm_group_edge;

// The graph around a root, before it is a program.
typedef struct gm_group_graph {
    gm_arena                *arena;
    const gm_twin           *twins;    // [count] member 0 is the root
    const gm_type          **types;    // [count]
    const gm_behavior_class **classes; // [count]
    const gm_str            *ids;      // [count]
    const gm_group_edge     *edges;
    uint32_t                 count, edge_count;
    gm_str                   key;      // what groups of one shape share
} gm_group_graph;

// Everything is allocated in the arena. GM_NOTFOUND, GM_LIMIT, GM_NOMEM as gm_group_open.
gm_status gm_group_walk(gm_behaviors *behaviors, const gm_state *state, gm_twin root, gm_arena *arena,
                        gm_group_graph *out, gm_error *err);

typedef struct gm_shape {
    gm_arena       *arena;
    gm_str          key;
    gm_program     *program;
    gm_str         *names;      // [members] component names of the program: the ids of the first group
    uint32_t        members;
    gm_binding     *bindings;
    uint32_t        binding_count;
    uint32_t       *by_member;  // [members + 1] first binding of each
    uint32_t        users;
    // Scratch of forks, made at the first: one lane of the program.
    gm_plan        *plan;
    gm_lanes       *lanes;
    gm_worker      *worker;
    double         *starts;     // [slots]
} gm_shape;

gm_status gm_shape_create(gm_behaviors *behaviors, const gm_group_graph *graph, gm_diags *diags, gm_shape **out_shape,
                          gm_error *err);
void      gm_shape_destroy(const gm_alloc *alloc, gm_shape *shape);

struct gm_group {
    gm_behaviors             *behaviors;
    gm_shape                 *shape;
    gm_arena                 *arena;
    const gm_twin            *twins;
    const gm_type           **types;
    const gm_behavior_class **classes;
    const gm_str             *ids;
    uint32_t                  count;
    gm_index                  by_id;
};

struct gm_behaviors {
    const gm_alloc     *alloc;
    gm_arena           *arena;
    gm_modelica        *texts;
    gm_behavior_class  *classes;
    size_t              class_count, class_capacity;
    gm_shape          **shapes;
    size_t              shape_count, shape_capacity;
    uint64_t            assembled;   // names of assembled classes given so far
};

// The affine way from a column's outside value to a variable of that unit text. False: the units can not be compared
// (factor 1 then). An empty unit on either side takes the number as it is.
bool gm_unit_way(const gm_column *column, gm_str variable_unit, double *out_factor, double *out_offset);

// "motor/temperature" -> "motor.temperature". NULL ptr: memory.
gm_str gm_column_variable(gm_arena *arena, gm_str path);

#endif
