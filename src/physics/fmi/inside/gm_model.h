// gm_model.h: what the generated model.c says about a model, and what can be done with an instance of it.
//
// A model is slots (one double each; slot 0 is time) and sections, which are functions from slots to slots:
//   bind        dependent parameters               initial     states at the start, from parameters and start values
//   slope       derivatives of the states          output      algebraic variables
//   indicator   what crosses zero at events        event       discrete variables and states after an event
//   check       asserts and ends
// An instance remembers the truth of every indicator (> 0) in a slot of its own, which changes at events only.
#ifndef GM_MODEL_H
#define GM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- tables

typedef enum { GM_GRID_LINEAR, GM_GRID_HOLD, GM_GRID_AKIMA } gm_grid_smooth;
typedef enum { GM_GRID_BEYOND_HOLD, GM_GRID_BEYOND_LINEAR, GM_GRID_BEYOND_PERIODIC } gm_grid_beyond;
typedef enum { GM_LOOKUP_VALUE, GM_LOOKUP_DX, GM_LOOKUP_DY } gm_lookup;
typedef struct {
    uint32_t       nx, ny;  // ny = 0: one dimension
    const double  *x, *y, *z;
    gm_grid_smooth smooth;
    gm_grid_beyond beyond;
} gm_grid_spec;

double gm_table(const gm_grid_spec *grid, gm_lookup what, double x, double y);

// ---- the description, in model.c

typedef struct gm_model gm_model;

typedef struct {  // an algebraic loop: residuals of unknowns, and their derivatives where they are not zero
    uint32_t        unknowns, entries;
    bool            linear;
    const uint32_t *guess;          // [unknowns] slots
    const uint32_t *rows, *columns; // [entries]
    void (*body)(const double *argument, const double *unknown, double *residual, double *entry);
} gm_loop;

typedef struct { double start, min, max, nominal; } gm_slot;

typedef enum { GM_CHECK_ASSERT, GM_CHECK_WARN, GM_CHECK_NOTE, GM_CHECK_TERMINATE } gm_check_kind;
typedef struct { gm_check_kind kind; const char *message; } gm_check;

// What a value reference means.
typedef enum { GM_IS_TIME, GM_IS_STATE, GM_IS_PARAMETER, GM_IS_DEPENDENT, GM_IS_INPUT, GM_IS_DISCRETE, GM_IS_ALGEBRAIC, GM_IS_SLOPE, GM_IS_INDICATOR } gm_role;
typedef enum { GM_REAL, GM_INTEGER, GM_BOOLEAN, GM_NOTHING } gm_type;  // NOTHING: the reference is not in use
typedef struct { uint32_t index; uint8_t role, type, negated, start; } gm_variable;  // start: may be set before the run

typedef bool gm_section(gm_model *m);  // false: an algebraic loop has no solution

typedef struct {
    const char        *token;
    uint32_t           slot_count, state_count, indicator_count, check_count, time_event_count, variable_count;
    uint32_t           event_count;     // slots that the event section stores
    uint32_t           work;            // numbers that sections hand on inside
    uint32_t           loop_unknowns;   // of the largest loop
    const gm_slot     *slots;
    const uint32_t    *states, *relations, *time_events, *event_slots;
    const gm_check    *checks;
    const gm_variable *variables;
    gm_section        *bind, *initial, *slope, *output, *indicator, *event, *check;  // NULL: there is none
} gm_description;

extern const gm_description gm_the_model;

// ---- an instance

enum { GM_NEEDS_BIND = 1, GM_NEEDS_INITIAL = 2, GM_NEEDS_SLOPES = 4, GM_NEEDS_OUTPUTS = 8, GM_NEEDS_INDICATORS = 16, GM_NEEDS_ALL = 31 };
typedef enum { GM_INSTANTIATED, GM_INITIALISING, GM_EVENT_MODE, GM_CONTINUOUS, GM_STEPPING, GM_TERMINATED } gm_mode;

struct gm_model {
    double   *slot, *start;                        // [slots] now; as set before the run
    double   *slope, *indicator, *check;           // results
    double   *keeps;                               // the numbers of gm_keep, below
    double   *work, *newton, *solver;              // scratch: no part of the state
    uint32_t *pivots;                              // scratch: [loop_unknowns], then [states]
    size_t    state_size;                          // doubles from slot on that are the state
    uint32_t  stale;                               // GM_NEEDS_*
    gm_mode   mode;
    char      trouble[300];
};

enum { GM_KEEP_STEP, GM_KEEP_TOLERANCE, GM_KEEP_STALE, GM_KEEP_MODE, GM_KEEP_COUNT };

gm_model *gm_model_create(void);  // NULL: no memory
void      gm_model_destroy(gm_model *m);
void      gm_model_reset(gm_model *m);

// The state as numbers, for saving: [gm_model_state_size].
size_t gm_model_state_size(const gm_model *m);
void   gm_model_save(gm_model *m, double *to);
void   gm_model_restore(gm_model *m, const double *from);

// By value reference. False: there is no such variable of that type, it may not be set now, or (get) it can not be
// computed; m->trouble says which.
bool gm_model_get(gm_model *m, uint32_t reference, gm_type type, double *out);
bool gm_model_set(gm_model *m, uint32_t reference, gm_type type, double value);

// False: no solution; m->trouble says where.
bool gm_model_begin(gm_model *m);                 // leaves initialisation
bool gm_model_needs(gm_model *m, uint32_t what);  // brings what is stale up to date
void gm_model_move(gm_model *m, double time, const double *states);  // states may be NULL

// One round of an event; *out_changed: there has to be another.
bool   gm_model_event(gm_model *m, bool *out_changed);
bool   gm_model_rest(gm_model *m);                 // rounds until nothing changes
bool   gm_model_late(gm_model *m);                 // is an indicator on another side than its relation says?
double gm_model_next(const gm_model *m);           // the next time event, or infinity

typedef enum { GM_GOES_ON, GM_ENDS, GM_FAILS } gm_verdict;
gm_verdict gm_model_check(gm_model *m);

// For model.c: solves a loop from its guesses; solutions [unknowns] go to `out` and to the guesses.
bool   gm_solve_loop(gm_model *m, const gm_loop *loop, const double *arguments, double *out);
double gm_sign(double x);
// a [n][n], by rows, becomes its factors, pivots [n] the exchanges of rows (false: singular); then b becomes the solution.
bool   gm_factor(uint32_t n, double *a, uint32_t *pivots);
void   gm_substitute(uint32_t n, const double *a, const uint32_t *pivots, double *b);

// ---- gm_solver.c

size_t gm_solver_scratch(const gm_description *d);  // doubles
// From the present time to `to`, with the events on the way. *out_verdict is GM_ENDS when the model ended itself.
// False: m->trouble says why.
bool gm_advance(gm_model *m, double to, gm_verdict *out_verdict);

#endif
