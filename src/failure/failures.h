// failure/failures.h: the failure modes of a plant bound to its live graph: what a twin's modes are, what it needs, how likely each
// mode is from now on, and what stands already.
//
//   gm_failures_create(alloc, &failures, &err);
//   gm_failures_set(failures, files, count, &file, &err);              // at any time, and again
//   gm_failure_moment at = { .state = state, .now = now, .senses = senses };
//   gm_failures_begin(failures, state, &err);                          // before a reading
//   kind = gm_failures_kind(failures, gm_state_type(state, pump));     // kind->modes[i]: index of a mode
//   chance = gm_failure_chance_of(failures, &at, pump, mode, 24);
//   gm_failures_destroy(failures);
//
// Engine thread.
#ifndef GM_FAILURE_FAILURES_H
#define GM_FAILURE_FAILURES_H

#include "failure/modes.h"
#include "state/state.h"

typedef struct gm_failures gm_failures;

typedef struct gm_failure_file { gm_str name, text; } gm_failure_file;

GM_NODISCARD gm_status gm_failures_create(const gm_alloc *alloc, gm_failures **out, gm_error *err);
void                   gm_failures_destroy(gm_failures *failures);  // NULL is allowed

// Prepares the query of a declaration. GM_INVALID: it does not read, or can not be followed twin by twin. *out begins as NULL.
struct gm_query;
GM_NODISCARD gm_status gm_failure_query_open(const gm_alloc *alloc, gm_str text, struct gm_query **out, gm_error *err);

// Takes the place of what was declared before. GM_INVALID: *out_file does not read, err has its line; those from before stay.
GM_NODISCARD gm_status gm_failures_set(gm_failures *failures, const gm_failure_file *files, size_t count, size_t *out_file, gm_error *err);
const gm_alloc         *gm_failures_alloc(const gm_failures *failures);
const gm_failure_modes *gm_failures_modes(const gm_failures *failures);  // viewed until they are set again; nothing declared: all counts 0

// ---- what else is known of the world ------------------------------------------------------------------------------------------
typedef struct gm_failure_senses {  // any may be NULL: nothing is known of it
    // Is the alarm of that rule active on that twin?
    bool (*alarm)(void *context, gm_str rule, gm_str twin);
    // Calls each for every alarm that is active.
    void (*alarms)(void *context, void (*each)(void *to, gm_str rule, gm_str twin), void *to);
    // A number of the twin's thread, as it is known now.
    bool (*fact)(void *context, gm_str twin, gm_str phase, gm_str key, double *out);
    void *context;
} gm_failure_senses;

typedef struct gm_failure_moment { const gm_state *state; gm_time_ns now; gm_failure_senses senses; } gm_failure_moment;

// ---- what a twin has ----------------------------------------------------------------------------------------------------------
// Indices into gm_failure_modes, of what is declared for twins of one type, queries aside.
typedef struct gm_failure_kind {
    const uint32_t *modes, *needs, *losses, *common;
    uint32_t        mode_count, need_count, loss_count, common_count;
} gm_failure_kind;

// Relationships and types may have come since: to be called before each reading. GM_NOMEM.
GM_NODISCARD gm_status gm_failures_begin(gm_failures *failures, const gm_state *state, gm_error *err);

// NULL: memory was refused. Viewed until they are set again.
const gm_failure_kind *gm_failures_kind(gm_failures *failures, const gm_type *type);

// Is the declaration about the twin, its type aside: does its query select it? Cost: without a query nothing.
bool gm_failures_mode_is_about(const gm_failures *failures, const gm_state *state, uint32_t mode, gm_twin twin);
bool gm_failures_need_is_about(const gm_failures *failures, const gm_state *state, uint32_t need, gm_twin twin);
bool gm_failures_common_is_about(const gm_failures *failures, const gm_state *state, uint32_t common, gm_twin twin);
const gm_failure_loss *gm_failures_loss(gm_failures *failures, const gm_state *state, gm_twin twin);  // NULL: none is declared

// Neighbours that count for a need, one call for each relationship, until it returns false. Cost: the twin's relationships.
typedef bool gm_failure_neighbour(void *context, gm_edge edge, gm_twin other);
void gm_failures_neighbours(const gm_failures *failures, const gm_state *state, uint32_t need, gm_twin twin, gm_failure_neighbour *each, void *context);
// The same along the path that holds a common cause's group together; nothing when it has none.
void gm_failures_common_places(const gm_failures *failures, const gm_state *state, uint32_t common, gm_twin twin, gm_failure_neighbour *each, void *context);

// ---- what is known of it now --------------------------------------------------------------------------------------------------
bool gm_failure_sign_shows(const gm_failure_moment *at, gm_twin twin, const gm_failure_sign *sign);
bool gm_failure_stands(const gm_failures *failures, const gm_failure_moment *at, gm_twin twin, uint32_t mode);  // a sign that proves it shows

typedef struct gm_failure_chance {
    double probability;     // of coming up within the horizon, given that it is not there now; 1 when it stands
    double unavailability;  // of being there at the horizon's end, repairs counted
    double rate;            // 1/h: the constant one that has the same probability
    bool   stands;
    bool   known;           // false: an age or a life has no value now; the twin was taken for new (WEIBULL), or for one that never fails
} gm_failure_chance;

// Cost: constant. The formulas: docs/reliability.md.
gm_failure_chance gm_failure_chance_of(const gm_failures *failures, const gm_failure_moment *at, gm_twin twin, uint32_t mode, double horizon_h);

// Twins on which something stands that stops them: calls each, perhaps more than once for a twin. Cost: the active alarms times the modes,
// and the tables of interfaces with a mode that a property proves.
typedef void gm_failure_standing(void *context, gm_twin twin, uint32_t mode);
void gm_failures_standing(gm_failures *failures, const gm_failure_moment *at, gm_failure_standing *each, void *context);

#endif
