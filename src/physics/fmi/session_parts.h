// physics/fmi/session_parts.h: what the session's files share: session.c talks to the process, session_calls.c says what
// the standard's functions are called with, session_states.c goes back.
#ifndef GM_PHYSICS_FMI_SESSION_PARTS_H
#define GM_PHYSICS_FMI_SESSION_PARTS_H

#include "physics/fmi/process.h"
#include "physics/fmi/session.h"

// A row of several calls that came back: the answers of its calls have been judged; rows run in the order of time.
typedef gm_status gm_fmu_on_row(void *context, gm_fmu_session *s, uint32_t row, gm_fmu_reader answers, gm_error *err);

struct gm_fmu_session {
    gm_fmu_host               host;
    char                      folder[4096];
    const gm_fmu_description *d;
    gm_fmi_kind               kind;
    gm_fmu_session_options    options;
    gm_fmu_process            process;
    gm_buf                    request, answer, side;  // side: what an intermediate update asks while a call is under way
    gm_buf                    waiting;                // calls that give nothing back; they go with the next one that does
    gm_buf                    rows, batch;            // rows: steps that are planned; batch: a request of several calls
    uint32_t                  row_count;
    gm_buf                    log, shown;
    gm_buf                    journal;                // see gm_fmu_save
    bool                      keeps_journal, instantiated, inside, goes_back;  // goes_back: a state was saved, so it may be restored
    uint32_t                  next_slot;
    uint8_t                   slots[1024];            // in use
    char                      end[GM_FMU_END_TEXT + 120];
};

// Begins s->request with the operation; its arguments follow.
gm_buf *gm_fmu_session_begin(gm_fmu_session *s, gm_fmu_op op);

// Sends s->request, with what waits before it, and waits for the answer: *out walks over the results. Keeps the journal.
GM_NODISCARD gm_status gm_fmu_session_call(gm_fmu_session *s, gm_fmu_reader *out, gm_error *err);

// The same for a call without results, which may wait for the next that has some.
GM_NODISCARD gm_status gm_fmu_session_tell(gm_fmu_session *s, gm_error *err);

// Sends what waits.
GM_NODISCARD gm_status gm_fmu_session_flush(gm_fmu_session *s, gm_error *err);

// Sends one request as it is, without what waits and without the journal.
GM_NODISCARD gm_status gm_fmu_session_exchange(gm_fmu_session *s, const gm_buf *request, gm_fmu_reader *out, gm_fmu_on_row *on_row,
                                               void *context, gm_error *err);

// Takes the answer of a call from those of several, and says whether it went well. NULL: it belongs to no call of the journal.
GM_NODISCARD gm_status gm_fmu_session_take(gm_fmu_session *s, gm_str request, gm_fmu_reader *answers, gm_fmu_reader *out, gm_error *err);

// The results were not what the operation gives: ends the process.
GM_NODISCARD gm_status gm_fmu_session_nonsense(gm_fmu_session *s, gm_fmu_op op, gm_error *err);

// Starts the process, loads the library and instantiates; also again, for replay.
GM_NODISCARD gm_status gm_fmu_session_start(gm_fmu_session *s, gm_error *err);

#endif
