// control/commands.h: commands to devices and desired values of writable properties: one life, every step a decision.
//
//   requested -> validated -> permitted -> [waiting -> approved] -> sent -> acknowledged -> verified -> closed
//        |                                     |                     |           |
//        +-> refused, advised                  +------ failed -------+-- timed out -> rolled back
//
// validated: schema of the model, range, rate and mode of rules/*.rules. permitted: interlocks (rules/*.interlocks) on the live
// state, and for what no person asked for, arming; asked once more at the moment of sending, where nothing goes around them.
// sent: on gemel/{twin}/commands/{name}/{id}; the id is the key by which a device knows a repetition. verified: the effect that
// the rules expect has been measured. A desired value goes out retained on gemel/{twin}/desired with everything else that the
// twin still has to do, and is verified when the twin reports it; a newer one supersedes it. Engine thread.
#ifndef GM_CONTROL_COMMANDS_H
#define GM_CONTROL_COMMANDS_H

#include "control/arming.h"
#include "control/journal.h"
#include "control/sending.h"

struct gm_rules;

enum { GM_COMMANDS_MAX = 20000, GM_COMMANDS_KEPT = 5000, GM_COMMAND_ID = 17, GM_COMMAND_VALUE_MAX = 65536 };

typedef enum gm_command_state {
    GM_COMMAND_REQUESTED, GM_COMMAND_VALIDATED, GM_COMMAND_PERMITTED, GM_COMMAND_WAITING, GM_COMMAND_APPROVED, GM_COMMAND_SENT,
    GM_COMMAND_ACKNOWLEDGED, GM_COMMAND_VERIFIED, GM_COMMAND_CLOSED, GM_COMMAND_FAILED, GM_COMMAND_TIMED_OUT, GM_COMMAND_ROLLED_BACK,
    GM_COMMAND_REFUSED, GM_COMMAND_ADVISED, GM_COMMAND_STATE_COUNT
} gm_command_state;
const char *gm_command_state_name(gm_command_state state);

typedef struct gm_command_request {
    gm_str        twin, name;
    bool          set;         // name is a writable property: a desired value
    const json_t *value;       // NULL: none
    gm_str        who;
    bool          automatic;   // no person asked: needs arming
    bool          safe;        // drives to a safe value: needs no arming, and interlocks all the same
    gm_str        cause;       // members of a JSON object; may be empty
} gm_command_request;

typedef struct gm_command_view {  // viewed until the next change
    gm_str           id, twin, name, value, who, cause, reason;
    bool             set, automatic;
    gm_command_state state;
    gm_time_ns       requested, changed;
    uint64_t         version;      // sequence of the request: of two desired values the greater holds
} gm_command_view;

typedef struct gm_commands gm_commands;

typedef struct gm_commands_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    gm_journal     *journal;
    struct gm_rules *rules;
    gm_arming      *arming;
    const struct gm_query_facts *facts;  // as gm_control_options
    gm_send *send;  // NULL: nothing leaves
    void *context;
} gm_commands_options;

GM_NODISCARD gm_status gm_commands_create(const gm_commands_options *options, gm_commands **out, gm_error *err);
void                   gm_commands_destroy(gm_commands *commands);  // NULL is allowed
void                   gm_commands_start(gm_commands *commands);    // goes on with what was under way

// out_id: of the command, also of one that is refused; "" when nothing was written.
// GM_NOTFOUND: no such twin, command or property. GM_INVALID: the value breaks its schema or range. GM_CONFLICT: rate, mode,
// interlocks or arming do not permit it (the refusal is recorded). GM_LIMIT, GM_IO: gm_journal_write.
GM_NODISCARD gm_status gm_commands_request(gm_commands *commands, const gm_command_request *request, gm_ask ask,
                                           char out_id[GM_COMMAND_ID], gm_error *err);

// What gm_commands_request would say now, as a JSON object (docs/control.md), with what the rules ask and expect of it; nothing is
// asked for and nothing recorded. GM_NOTFOUND: no such twin, command or property. GM_NOMEM.
GM_NODISCARD gm_status gm_commands_try(gm_commands *commands, const gm_command_request *request, gm_buf *out, gm_error *err);

// GM_NOTFOUND; GM_CONFLICT: it does not wait for approval (any more); GM_INVALID: the one who asked can not approve.
GM_NODISCARD gm_status gm_commands_approve(gm_commands *commands, gm_str id, gm_str who, gm_ask ask, gm_error *err);

// A device has answered on gemel/{twin}/commands/{name}/{id}/response. False: it was not waited for (late, sent again, forged).
bool gm_commands_answer(gm_commands *commands, gm_str topic, gm_str payload);

size_t          gm_commands_count(const gm_commands *commands);  // oldest first
gm_command_view gm_commands_at(const gm_commands *commands, size_t i);
bool            gm_commands_find(const gm_commands *commands, gm_str id, gm_command_view *out);
void            gm_command_write(const gm_command_view *command, gm_buf *out);  // as a JSON object
uint64_t        gm_commands_stray(const gm_commands *commands);  // answers that were not waited for

void gm_commands_tick(gm_commands *commands);                                     // what has run out of time
void gm_commands_after(gm_commands *commands, const gm_decision *decision);       // live, when a decision has been applied
void gm_commands_touch(gm_commands *commands, gm_twin twin);                      // live, when a twin has changed

#endif
