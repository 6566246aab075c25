// physics/fmi/run_parts.h: what the masters share: one run under way. Start reading in run.c.
#ifndef GM_PHYSICS_FMI_RUN_PARTS_H
#define GM_PHYSICS_FMI_RUN_PARTS_H

#include "physics/fmi/input.h"
#include "physics/fmi/run.h"

typedef struct gm_fmu_recorder gm_fmu_recorder;

struct gm_fmu {
    gm_fmu_host         host;
    gm_arena           *arena;
    char                folder[4096];
    gm_fmu_description *d;
};

typedef struct gm_fmu_running {
    const gm_fmu             *fmu;
    const gm_fmu_description *d;
    const gm_fmu_interface   *interface;
    gm_fmu_run_options        o;       // with every default put in
    gm_arena                 *arena;
    gm_fmu_session           *session;
    gm_fmu_input             *input;
    gm_fmu_recorder          *recorder;
    uint32_t                 *counts;  // [variables] values of each
    gm_error                  inside;  // a failure inside of a callback
    bool                      has_tolerance;
    bool                      ended;   // because the FMU asked for it
} gm_fmu_running;

// Instants nearer than this are one: sums of steps and the FMU's own arithmetic differ in their last bits.
bool gm_fmu_close_to(double a, double b);

// The output point number n, not beyond the stop time.
double gm_fmu_point(const gm_fmu_running *run, uint64_t n);

// Puts the defaults into run->o, and counts every variable's values.
GM_NODISCARD gm_status gm_fmu_prepare(gm_fmu_running *run, gm_error *err);

// How many values a dimension has in this run: as set, or by its structural parameter's start value.
GM_NODISCARD gm_status gm_fmu_dimension_size(gm_fmu_running *run, const gm_fmu_dimension *dimension, uint64_t *out, gm_error *err);

// From Instantiated to initialised: structural parameters, settings, inputs. Ends before the first event iteration.
GM_NODISCARD gm_status gm_fmu_initialise(gm_fmu_running *run, gm_error *err);

// Calls UpdateDiscreteStates until nothing changes. *info: of the last call, with *values_changed and nominals or-ed.
GM_NODISCARD gm_status gm_fmu_iterate_events(gm_fmu_running *run, gm_fmu_event_info *info, gm_error *err);

GM_NODISCARD gm_status gm_fmu_run_cs(gm_fmu_running *run, gm_error *err);
GM_NODISCARD gm_status gm_fmu_run_me(gm_fmu_running *run, gm_error *err);
GM_NODISCARD gm_status gm_fmu_run_se(gm_fmu_running *run, gm_error *err);

// ---- record.c

GM_NODISCARD gm_status gm_fmu_recorder_create(gm_fmu_running *run, gm_fmu_write *write, void *context, gm_error *err);
GM_NODISCARD gm_status gm_fmu_record(gm_fmu_running *run, double time, gm_error *err);  // one row, of now
// The same with what has been read already: record_reads after the step (session.h, gm_fmu_do_steps).
GM_NODISCARD gm_status gm_fmu_record_read(gm_fmu_running *run, double time, gm_fmu_reader answers, gm_error *err);
gm_str                 gm_fmu_record_reads(const gm_fmu_running *run);
GM_NODISCARD gm_status gm_fmu_record_end(gm_fmu_running *run, gm_error *err);           // hands over what is left
// What scheduled execution writes for a clock until the next row.
void gm_fmu_record_tick(gm_fmu_running *run, uint32_t reference);

// References of the recorded variables; viewed.
const uint32_t *gm_fmu_recorded(const gm_fmu_running *run, uint32_t *out_count);

#endif
