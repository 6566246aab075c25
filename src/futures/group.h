// futures/group.h: a connected group of twins as one program. The graph is the diagram: every twin with a behavior is a
// component named by its id, every relationship with a connect rule is a connection.
//
//   gm_group_open(behaviors, state, gm_state_find(state, root_id), &diags, &group, &err);
//   const gm_program *program = gm_group_program(group);             // shared by all groups of the same shape
//   double slots[gm_program_slot_count(program)];
//   gm_group_reader reader = gm_group_live_reader(state);
//   gm_group_fork(group, &reader, gm_group_time(now), slots, &report, &err);
//   ... gm_lanes_fill(lanes, slot, slots[slot.v]) for every slot, gm_lanes_start(..., GM_START_FORKED) ...
//   gm_group_variable v;
//   if (gm_group_find(group, GM_STR("tank1.level"), &v)) level = (slots[v.slot.v] - v.offset) / v.factor;
//   gm_group_close(group);
//
// SHAPES. The program is compiled once for all groups that have the same types connected in the same way, seen from
// the root: a fleet of a thousand like groups compiles once, and values are data: parameters, inputs and start values
// are slots that are set at the fork. A group is a snapshot of the graph: after twins or relationships have changed it is
// opened anew, which finds the program again or compiles the new shape alone.
//
// LIMIT: the text of a shape stays in the behaviors' memory until they are destroyed (about 100 bytes for each twin).
//
// NAMES. Inside the program the variables have the names of the group that was compiled first; gm_group_find and
// gm_group_write_name speak of this group's twins.
//
// MISSING VALUES. A parameter or input whose property has no value keeps the class's own (its binding or start). A state
// without a value begins where the class says: its start value and the initial equations, computed from what is known.
// States that are no properties (an integral of a controller, a filter) begin likewise. report counts them.
//
// UNITS. Columns are in the unit that their interface declares, slots in the unit of the class (SI as a rule):
// slot = outside * factor + offset, the sign of an alias included.
//
// Time in a program is seconds since Monday 00:00 UTC of the week that is forked (gm_group_time), so that daily and weekly
// patterns are functions of `time`.
//
// Opening, forking and closing happen on the thread of the behaviors; programs and bindings may be read by any thread
// until the group is closed.
#ifndef GM_FUTURES_GROUP_H
#define GM_FUTURES_GROUP_H

#include "futures/behaviors.h"
#include "physics/program.h"
#include "state/state.h"

typedef struct gm_group gm_group;

enum { GM_GROUP_TWINS_MAX = 20000, GM_SHAPES_MAX = 1000 };

typedef enum gm_role {
    GM_ROLE_PARAMETER,  // set at the fork, constant over a run
    GM_ROLE_STATE,      // where the run begins
    GM_ROLE_INPUT,      // set at the fork, may change during the run
    GM_ROLE_OUTPUT      // what the model says a sensor shows; not set
} gm_role;

const char *gm_role_text(gm_role role);  // "parameter"

// One column of one twin.
typedef struct gm_binding {
    uint32_t member;          // gm_group_twin(group, member)
    uint32_t column;          // of the twin's type
    gm_role  role;
    gm_slot  slot;            // where the value is; slot = outside * factor + offset
    gm_slot  given;           // where a fork puts it: the slot itself, or the hidden parameter that INITIAL or BIND read
    double   factor, offset;
    double   given_factor, given_offset;  // the same for `given`, which knows no alias sign
} gm_binding;

// Errors: GM_NOTFOUND  the root has no behavior
//         GM_INVALID   the group does not compile: diags has everything
//         GM_LIMIT     more than GM_GROUP_TWINS_MAX twins, or GM_SHAPES_MAX shapes in use
// Cost: O(twins + relationships); a new shape is compiled (about 5 ms for 20 states).
GM_NODISCARD gm_status gm_group_open(gm_behaviors *behaviors, const gm_state *state, gm_twin root, gm_diags *diags,
                                     gm_group **out_group, gm_error *err);
void                   gm_group_close(gm_group *group);

const gm_program        *gm_group_program(const gm_group *group);
uint32_t                 gm_group_twin_count(const gm_group *group);
gm_twin                  gm_group_twin(const gm_group *group, uint32_t member);     // member 0 is the root
gm_str                   gm_group_twin_id(const gm_group *group, uint32_t member);  // viewed
const gm_behavior_class *gm_group_class(const gm_group *group, uint32_t member);
const gm_type           *gm_group_type(const gm_group *group, uint32_t member);
const gm_binding        *gm_group_bindings(const gm_group *group, uint32_t *out_count);  // by member, then column

// Is it the same program? Then the two are lanes of one another: slots and bindings agree one by one.
bool gm_group_same_shape(const gm_group *a, const gm_group *b);

// A variable of the group by a person's name: TWIN.VARIABLE, for a column also TWIN.component/name.
typedef struct gm_group_variable {
    gm_slot           slot;      // value of the variable: outside = (slot - offset) / factor
    gm_slot           set;       // the slot to write in order to set it before a run: GM_SLOT_NONE when it is computed
    double            factor, offset, set_factor, set_offset;
    gm_role           role;
    gm_str            unit;      // outside: the column's symbol, or the class's unit; may be empty
    uint32_t          member;
    const gm_binding *binding;   // NULL: no column has that name
} gm_group_variable;
bool gm_group_find(const gm_group *group, gm_str name, gm_group_variable *out);

// Appends the name of a slot or any text of the program that begins with one of its component names, in this group's words.
void gm_group_write_name(const gm_group *group, gm_str program_name, gm_buf *out);

// A fault of a member's class by its name "TWIN.FAULT": its changes as slots to set (in mid-run with gm_lanes_touch).
// GM_NOTFOUND: err names the faults there are. out has room for `room` entries; GM_LIMIT when there are more.
typedef struct gm_group_change { gm_slot slot; double value; } gm_group_change;
GM_NODISCARD gm_status gm_group_fault(const gm_group *group, gm_str name, gm_group_change *out, size_t room,
                                      size_t *out_count, gm_error *err);
// The same for a named change that was found otherwise (gm_behavior_command_find); request: the number that came with it.
GM_NODISCARD gm_status gm_group_changes(const gm_group *group, uint32_t member, const gm_behavior_fault *named,
                                        double request, gm_group_change *out, size_t room, size_t *out_count,
                                        gm_error *err);

// The member of that twin id, or UINT32_MAX.
uint32_t gm_group_member(const gm_group *group, gm_str twin_id);

// ---- forking ------------------------------------------------------------------------------------------------------

// Where values come from: live state, history as of a moment, a file. False: there is no value.
typedef struct gm_group_reader {
    bool (*read)(void *context, gm_twin twin, uint32_t column, gm_value *out_value, gm_time_ns *out_source);
    void *context;
} gm_group_reader;
gm_group_reader gm_group_live_reader(const gm_state *state);  // viewed

double gm_group_time(gm_time_ns at);  // seconds since Monday 00:00 UTC

typedef struct gm_fork_report {
    uint32_t   values, missing;      // columns of parameters, states and inputs with and without a value
    uint32_t   first_missing;        // index into the bindings, or UINT32_MAX
    gm_time_ns oldest, newest;       // source times of the values; 0 when there are none
} gm_fork_report;

// Fills the slots [gm_program_slot_count] as a lane needs them for GM_START_FORKED: parameters, inputs, states, discrete
// variables, guesses.
// Errors: GM_DIVERGED  the beginning has no solution; *out_slots holds the values as far as they came. GM_NOMEM.
// Cost: one reading per binding and one run of the program's beginning; no allocation after the first of a shape.
GM_NODISCARD gm_status gm_group_fork(gm_group *group, const gm_group_reader *reader, double time, double *out_slots,
                                     gm_fork_report *out_report, gm_error *err);

#endif
