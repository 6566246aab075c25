// control/commands_parts.h: commands, for their files.
#ifndef GM_CONTROL_COMMANDS_PARTS_H
#define GM_CONTROL_COMMANDS_PARTS_H

#include "base/index.h"
#include "control/commands.h"
#include "control/rules.h"

typedef struct gm_command_entry {
    char           *memory;     // of the texts
    gm_command_view is;
    bool            safe;
    gm_time_ns      sent;       // GM_ABSENT: not yet
    gm_dur_ns       entered;    // its state, monotonic: a clock that jumps moves no deadline
    bool            submitted;  // its next step has been submitted in this run
    bool            owes;       // it failed and its rollback is not in the log yet
} gm_command_entry;

enum { GM_COMMANDS_TWINS = 4096 };


struct gm_commands {
    gm_commands_options options;
    const gm_alloc     *alloc;
    gm_command_entry   *items;
    size_t              count, capacity;
    gm_index            by_id;      // of items
    size_t              open;       // not over
    uint16_t            open_of[GM_COMMANDS_TWINS];  // of them, by hash of their twin: a change elsewhere costs one look
    gm_arena           *scratch;
    uint64_t            stray;
    bool                started;
};

// How long it has been in its state.
gm_dur_ns gm_command_age(const gm_commands *commands, const gm_command_entry *entry);
// The oldest that is not over; count: there is none.
size_t    gm_commands_first_open(const gm_commands *commands);
static inline bool gm_command_over(gm_command_state state) { return state >= GM_COMMAND_CLOSED; }
static inline const gm_state *gm_commands_state(const gm_commands *c) { return gm_engine_state(c->options.engine); }

// ---- commands_check.c: may it be?
const gm_statement *gm_commands_policy(gm_commands *commands, bool set, gm_str name, gm_twin twin);
gm_status gm_commands_validate(gm_commands *commands, const gm_command_request *request, gm_twin twin, gm_error *err);
// GM_CONFLICT: err says which interlock, rate, mode or lack of arming. `again`: at the moment of sending: rates were counted.
gm_status gm_commands_permit(gm_commands *commands, const gm_command_request *request, gm_twin twin, bool again, gm_error *err);
bool      gm_commands_effect(gm_commands *commands, const gm_command_entry *e);  // has it been measured?

// ---- commands_fold.c
gm_command_entry *gm_commands_entry(const gm_commands *commands, gm_str id);
gm_status         gm_commands_fold(void *context, const gm_decision *decision, gm_error *err);
void              gm_commands_save(void *context, gm_buf *out);
gm_status         gm_commands_load(void *context, const uint8_t *bytes, size_t size, gm_error *err);
void              gm_commands_clear(gm_commands *commands);

#endif
