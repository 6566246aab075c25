// physics/fmi/protocol.h: what the two processes of an FMU say to each other, over a socket pair of one machine.
//
// A frame is a 32-bit length (of what follows), one byte that says what it is, and its content. The parent sends one
// REQUEST (an operation and its arguments) and reads frames until the ANSWER to it (an FMI status and its results);
// LOG frames may come before it, and an INTERMEDIATE frame, to which the parent answers with INTERMEDIATE.
//
// ROWS holds many requests: one text of those that are done after each row (reads), a count u32, and a text of requests
// for each row; each request is a text of its own. Each row is answered as soon as it is done (ROW, the last with
// ANSWER) by an fmi status u8 and a text for each request; so what was computed before a crash is there, and a time
// limit holds for a row. It ends behind a request that fails, and behind a row with an unusual step (worker.c).
// Both ends are the same binary, so the protocol has no versions; the parent still believes nothing that it reads,
// because the worker runs foreign code.
#ifndef GM_PHYSICS_FMI_PROTOCOL_H
#define GM_PHYSICS_FMI_PROTOCOL_H

#include "base/buf.h"
#include "base/le.h"
#include "base/time.h"

// X(operation, what it is called in messages)
#define GM_FMU_OP_LIST(X)                                    \
    X(GM_FMU_OP_LOAD,             "loading the library")     \
    X(GM_FMU_OP_INSTANTIATE,      "Instantiate")             \
    X(GM_FMU_OP_ENTER_INIT,       "EnterInitializationMode") \
    X(GM_FMU_OP_EXIT_INIT,        "ExitInitializationMode")  \
    X(GM_FMU_OP_ENTER_CONFIG,     "EnterConfigurationMode")  \
    X(GM_FMU_OP_EXIT_CONFIG,      "ExitConfigurationMode")   \
    X(GM_FMU_OP_ENTER_EVENT,      "EnterEventMode")          \
    X(GM_FMU_OP_ENTER_CONTINUOUS, "EnterContinuousTimeMode") \
    X(GM_FMU_OP_ENTER_STEP,       "EnterStepMode")           \
    X(GM_FMU_OP_TERMINATE,        "Terminate")               \
    X(GM_FMU_OP_RESET,            "Reset")                   \
    X(GM_FMU_OP_FREE,             "FreeInstance")            \
    X(GM_FMU_OP_GET,              "Get")                     \
    X(GM_FMU_OP_SET,              "Set")                     \
    X(GM_FMU_OP_UPDATE_DISCRETE,  "UpdateDiscreteStates")    \
    X(GM_FMU_OP_SET_TIME,         "SetTime")                 \
    X(GM_FMU_OP_SET_STATES,       "SetContinuousStates")     \
    X(GM_FMU_OP_GET_STATES,       "GetContinuousStates")     \
    X(GM_FMU_OP_GET_DERIVATIVES,  "GetDerivatives")          \
    X(GM_FMU_OP_GET_INDICATORS,   "GetEventIndicators")      \
    X(GM_FMU_OP_GET_NOMINALS,     "GetNominalsOfContinuousStates") \
    X(GM_FMU_OP_COUNTS,           "GetNumberOfContinuousStates") \
    X(GM_FMU_OP_COMPLETED_STEP,   "CompletedIntegratorStep") \
    X(GM_FMU_OP_DO_STEP,          "DoStep")                  \
    X(GM_FMU_OP_STATE_SAVE,       "GetFMUState")             \
    X(GM_FMU_OP_STATE_RESTORE,    "SetFMUState")             \
    X(GM_FMU_OP_STATE_FREE,       "FreeFMUState")            \
    X(GM_FMU_OP_STATE_WRITE,      "SerializeFMUState")       \
    X(GM_FMU_OP_STATE_READ,       "DeserializeFMUState")     \
    X(GM_FMU_OP_INTERVALS,        "GetIntervalDecimal")      \
    X(GM_FMU_OP_ACTIVATE,         "ActivateModelPartition") \
    X(GM_FMU_OP_ROWS,             "several calls")

typedef enum gm_fmu_op {
#define X(name, text) name,
    GM_FMU_OP_LIST(X)
#undef X
    GM_FMU_OP_COUNT
} gm_fmu_op;

const char *gm_fmu_op_text(gm_fmu_op op);

typedef enum gm_fmu_frame {
    GM_FMU_FRAME_REQUEST,       // op u8, arguments
    GM_FMU_FRAME_ANSWER,        // fmi status u8, results
    GM_FMU_FRAME_LOG,           // fmi status u8, category text, message text
    GM_FMU_FRAME_INTERMEDIATE,  // to the parent: time f64, flags u8; to the worker: return early u8, time f64
    GM_FMU_FRAME_ROW,           // fmi status u8 (OK), answers: a row of ROWS that is not the last
    GM_FMU_FRAME_BROKEN         // the worker could not do it at all (no such function): text
} gm_fmu_frame;

// Bits of an INTERMEDIATE frame's flags.
enum { GM_FMU_MAY_SET = 1, GM_FMU_MAY_GET = 2, GM_FMU_STEP_FINISHED = 4, GM_FMU_MAY_RETURN = 8 };

enum { GM_FMU_BROKEN = 255 };  // in the place of a status, among several: the worker could not do it; the text says why

enum { GM_FMU_FRAME_MAX = 64 << 20, GM_FMU_COUNT_MAX = 4 << 20 };  // bytes of a frame; values or references in one call

// ---- writing: into a gm_buf

void gm_fmu_put_u8(gm_buf *out, uint8_t value);
void gm_fmu_put_u32(gm_buf *out, uint32_t value);
void gm_fmu_put_f64(gm_buf *out, double value);
void gm_fmu_put_text(gm_buf *out, gm_str text);  // length u32, bytes

// Sends a frame. GM_IO: the other side is gone.
GM_NODISCARD gm_status gm_fmu_send(int fd, gm_fmu_frame frame, const void *bytes, size_t n, gm_error *err);

// ---- reading

// Reads one frame into *bytes (cleared first). limit < 0: waits for ever; otherwise at most that long, by the clock.
// GM_LIMIT: the time has run out, or the frame is too long. GM_IO: the other side is gone. GM_CORRUPT: no such frame.
GM_NODISCARD gm_status gm_fmu_receive(int fd, const gm_clock *clock, gm_dur_ns limit, gm_fmu_frame *out_frame, gm_buf *bytes,
                                      gm_error *err);

// A walk over a frame's content. Reading past the end gives zeros and sets bad.
typedef struct gm_fmu_reader {
    const uint8_t *at;
    size_t         left;
    bool           bad;
} gm_fmu_reader;

const uint8_t *gm_fmu_take(gm_fmu_reader *r, size_t n);  // NULL (and bad) when there are fewer
uint8_t        gm_fmu_take_u8(gm_fmu_reader *r);
uint32_t       gm_fmu_take_u32(gm_fmu_reader *r);
double         gm_fmu_take_f64(gm_fmu_reader *r);
gm_str         gm_fmu_take_text(gm_fmu_reader *r);  // viewed

#endif
