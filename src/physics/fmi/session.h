// physics/fmi/session.h: one FMU instance in a process of its own, as seen from the parent.
//
//   gm_fmu_session_open(&host, folder, description, GM_FMI_CO_SIMULATION, &options, &session, &err);
//   gm_fmu_enter_init(session, ...); gm_fmu_exit_init(session, &err);
//   gm_fmu_do_step(session, t, h, &result, &err);
//   gm_fmu_session_close(session);
//
// Every call has a time limit. An FMU that crashes, hangs or answers nonsense ends its process and the call; the parent
// lives, and every later call fails with the same words. What it logged is kept.
//
// Errors of all calls: GM_INVALID  the FMU returned Error or Fatal, crashed, or lacks a function the call needs
//                      GM_DIVERGED the FMU returned Discard (its state is as the standard says; DoStep reports it apart)
//                      GM_LIMIT    no answer in time, or too many bytes; the process is gone
//                      GM_IO, GM_NOMEM
// One thread uses a session at a time; it must outlive it (the worker dies with the thread that started it).
#ifndef GM_PHYSICS_FMI_SESSION_H
#define GM_PHYSICS_FMI_SESSION_H

#include "physics/fmi/description.h"
#include "physics/fmi/protocol.h"

typedef struct gm_fmu_session gm_fmu_session;

// Where workers come from; copied by open.
typedef struct gm_fmu_host {
    const gm_alloc *alloc;
    const gm_clock *clock;
    const char     *program;     // gemel's binary, which is started as `gemel fmu-worker`; "/proc/self/exe" in gemel itself
    gm_dur_ns       call_limit;  // for each call of an FMU function
    const char     *folder;      // where archives are unpacked, each into a folder of its own; NULL: TMPDIR, else /tmp
    const char     *compiler;    // makes a library of an FMU that has only sources; NULL: cc
    uint64_t        memory_max;  // bytes of address space of the worker; 0: no bound
} gm_fmu_host;

// May the FMU set and get now (gm_fmu_get/set from inside are allowed then)? Returns whether it should return early,
// and then at which time.
typedef bool gm_fmu_intermediate(void *context, gm_fmu_session *session, double time, unsigned flags, double *out_return_time);

typedef struct gm_fmu_session_options {
    bool                 logging, event_mode, early_return;
    bool                 replay;        // go back by replaying, whatever the FMU says it can (its states have failed a test)
    gm_fmu_intermediate *intermediate;  // NULL: none; FMI 3 co-simulation only
    void                *intermediate_context;
    const uint32_t      *required;      // variables that the intermediate update reads
    uint32_t             required_count;
} gm_fmu_session_options;

// Starts the worker, loads the library and instantiates. folder: the unpacked archive (viewed, as is d).
GM_NODISCARD gm_status gm_fmu_session_open(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind,
                                           const gm_fmu_session_options *options, gm_fmu_session **out_session, gm_error *err);
// Frees the instance and ends the process (at once when it does not end by itself). NULL is allowed.
void gm_fmu_session_close(gm_fmu_session *session);

// The log: messages of the FMU's logger and what it printed, a line each. Viewed until the next call.
gm_str gm_fmu_session_log(gm_fmu_session *session);

// ---- life cycle (names as in the standard)

typedef struct gm_fmu_experiment { bool has_tolerance, has_stop; double tolerance, start, stop; } gm_fmu_experiment;
GM_NODISCARD gm_status gm_fmu_enter_init(gm_fmu_session *s, const gm_fmu_experiment *experiment, gm_error *err);

// An operation without arguments and results: EXIT_INIT, ENTER_EVENT, ENTER_STEP, ENTER_CONTINUOUS, TERMINATE, RESET ...
GM_NODISCARD gm_status gm_fmu_do(gm_fmu_session *s, gm_fmu_op op, gm_error *err);

// ---- values: bytes in the protocol's form (values.h)
//
// What gives nothing back (gm_fmu_set, gm_fmu_set_time, gm_fmu_set_states) waits and goes with the next call that does, in
// one message; when the FMU refuses it, that call fails and says so.

GM_NODISCARD gm_status gm_fmu_set(gm_fmu_session *s, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count,
                                  gm_str bytes, gm_error *err);
// Replaces the content of *out.
GM_NODISCARD gm_status gm_fmu_get(gm_fmu_session *s, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count,
                                  gm_buf *out, gm_error *err);

// Several values in one message. `reads` is filled with put_get, and read: *out_answers then gives, in the same order,
// with take_values, the values of each. Viewed until the next call. A reader that comes back bad: the process lies.
void gm_fmu_put_get(gm_buf *reads, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count);
GM_NODISCARD gm_status gm_fmu_read(gm_fmu_session *s, gm_str reads, gm_fmu_reader *out_answers, gm_error *err);
gm_fmu_reader gm_fmu_take_values(gm_fmu_reader *answers, gm_fmi_type type, uint32_t value_count);

// The same for n numbers that model exchange reads (gm_fmu_get_reals), and for a completed step. False: the process lies.
void gm_fmu_put_reals(gm_buf *reads, gm_fmu_op op, uint32_t n);
bool gm_fmu_take_reals(gm_fmu_reader *answers, double *out, uint32_t n);
void gm_fmu_put_completed_step(gm_buf *reads);
bool gm_fmu_take_completed_step(gm_fmu_reader *answers, bool *out_enter_event, bool *out_terminate);

// ---- stepping

typedef struct gm_fmu_event_info {
    bool   need_update, terminate, nominals_changed, values_changed, has_next;
    double next;
} gm_fmu_event_info;
GM_NODISCARD gm_status gm_fmu_update_discrete(gm_fmu_session *s, gm_fmu_event_info *out_info, gm_error *err);

typedef struct gm_fmu_step {
    bool   event, terminate, early;  // early: also FMI 2's Discard
    double reached;                  // lastSuccessfulTime
} gm_fmu_step;
GM_NODISCARD gm_status gm_fmu_do_step(gm_fmu_session *s, double time, double size, gm_fmu_step *out_step, gm_error *err);

// Many steps in one message: plan_step adds one, before which everything that waits is set; do_steps takes them one after
// the other, reads `reads` after each, and hands over each step and what was read while the FMU goes on. It stops early
// behind a step with an event, a wish to end, or an early return: only the steps handed over have been done. A failure of
// on_step is returned; the steps that were planned are done all the same.
typedef gm_status gm_fmu_on_step(void *context, uint32_t n, const gm_fmu_step *step, gm_fmu_reader answers, gm_error *err);
void                   gm_fmu_plan_step(gm_fmu_session *s, double time, double size);
GM_NODISCARD gm_status gm_fmu_do_steps(gm_fmu_session *s, gm_str reads, gm_fmu_on_step *on_step, void *context, gm_error *err);

// Model exchange. GET_STATES, GET_DERIVATIVES, GET_INDICATORS, GET_NOMINALS fill n numbers.
GM_NODISCARD gm_status gm_fmu_counts(gm_fmu_session *s, uint32_t *out_states, uint32_t *out_indicators, gm_error *err);
GM_NODISCARD gm_status gm_fmu_set_time(gm_fmu_session *s, double time, gm_error *err);
GM_NODISCARD gm_status gm_fmu_set_states(gm_fmu_session *s, const double *x, uint32_t n, gm_error *err);
GM_NODISCARD gm_status gm_fmu_get_reals(gm_fmu_session *s, gm_fmu_op op, double *out, uint32_t n, gm_error *err);

// Scheduled execution. each is called for every countdown clock that is due (in `interval` seconds) and every output
// clock that ticked (interval < 0).
typedef void gm_fmu_clock_call(void *context, uint32_t reference, double interval);
GM_NODISCARD gm_status gm_fmu_activate(gm_fmu_session *s, uint32_t clock, double time, const uint32_t *countdown, uint32_t countdown_count,
                                       const uint32_t *outputs, uint32_t output_count, gm_fmu_clock_call *each, void *context, gm_error *err);
// Of one clock. qualifier: 0 not yet known, 1 unchanged, 2 changed.
GM_NODISCARD gm_status gm_fmu_interval_of(gm_fmu_session *s, uint32_t clock, double *out_interval, unsigned *out_qualifier, gm_error *err);

// ---- states

// A point to come back to. With the FMU's own states when it can save them; otherwise the log of everything that it was
// told since it was instantiated, which restoring tells to a fresh process again.
typedef struct gm_fmu_snapshot { bool replayed; uint32_t slot; size_t journal; } gm_fmu_snapshot;
GM_NODISCARD gm_status gm_fmu_save(gm_fmu_session *s, gm_fmu_snapshot *out_snapshot, gm_error *err);
GM_NODISCARD gm_status gm_fmu_restore(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_error *err);
void                   gm_fmu_forget(gm_fmu_session *s, const gm_fmu_snapshot *snapshot);

// A saved state as bytes, and back as a snapshot. GM_INVALID: a replayed snapshot has no bytes.
GM_NODISCARD gm_status gm_fmu_write_state(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_buf *out, gm_error *err);
GM_NODISCARD gm_status gm_fmu_read_state(gm_fmu_session *s, gm_str bytes, gm_fmu_snapshot *out_snapshot, gm_error *err);

#endif
