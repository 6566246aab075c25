// control/journal.h: decisions in the log: each with its reason, each chained by its hash to the one before it, so that
// nobody can change one unnoticed.
//
//   gm_journal_create(alloc, engine, &journal, &err);                     // before gm_engine_recover
//   gm_journal_own(journal, GM_CHANGE_ALARM, on_alarm, alarms);           // who folds decisions of a kind
//   gm_journal_post(journal, GM_CHANGE_ALARM, key, GM_STR("raise"), json);
//
// A decision is a record of one of the kinds GM_CHANGE_RULES .. GM_CHANGE_RULE_DONE: what it is about (id), what happens
// (what), and a JSON object with why. In the log 64 bytes stand before the object: the hash of the decision before, and
// SHA-256 over that hash and everything the decision says. Format: docs/formats/log.md. Engine thread.
#ifndef GM_CONTROL_JOURNAL_H
#define GM_CONTROL_JOURNAL_H

#include "engine/engine.h"

#include <jansson.h>

enum { GM_CHAIN_BYTES = 32, GM_CHAIN_PREFIX = 2 * GM_CHAIN_BYTES, GM_JOURNAL_WAITING_MAX = 100000 };

typedef struct gm_chain { uint8_t bytes[GM_CHAIN_BYTES]; } gm_chain;

typedef struct gm_decision {  // viewed
    uint64_t       sequence;
    gm_time_ns     at;
    gm_change_kind kind;
    gm_str         id, what, text;  // text: a JSON object (RULES: the files, control/control.c)
} gm_decision;

// Folds one decision, live and at recovery alike. GM_CONFLICT: it has no effect (and whoever asked for it is told so).
typedef gm_status gm_journal_fold(void *context, const gm_decision *decision, gm_error *err);

typedef struct gm_journal gm_journal;

GM_NODISCARD gm_status gm_journal_create(const gm_alloc *alloc, gm_engine *engine, gm_journal **out, gm_error *err);
void                   gm_journal_destroy(gm_journal *journal);  // NULL is allowed
void gm_journal_own(gm_journal *journal, gm_change_kind kind, gm_journal_fold *fold, void *context);

// Hears of every decision after its owner has folded it (also when it had no effect). One.
void gm_journal_watch(gm_journal *journal, void (*seen)(void *context, const gm_decision *decision), void *context);

// With someone who waits for it. GM_LIMIT: the batch is full (or earlier decisions wait); come back through
// gm_engine_later. GM_IO: the log is read-only.
GM_NODISCARD gm_status gm_journal_write(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text,
                                        gm_ask ask, gm_error *err);

// From the engine's own side: waits for room by itself, in order. What can not be kept (memory, a read-only log) is counted.
void     gm_journal_post(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text);
uint64_t gm_journal_lost(const gm_journal *journal);
void     gm_journal_tick(gm_journal *journal);           // now and then: writes what waits for room or for memory
size_t   gm_journal_waiting(const gm_journal *journal);  // how many do

// The newest decision's hash, and how many there were. *out_broken: the sequence of the first that does not fit, 0: all do.
gm_chain gm_journal_head(const gm_journal *journal, uint64_t *out_count, uint64_t *out_broken);

// ---- for those who read records themselves ------------------------------------------------------------------------
static inline bool gm_journal_is(gm_change_kind kind) { return kind >= GM_CHANGE_RULES && kind <= GM_CHANGE_RULE_DONE; }
// The decision in a record; false: it is none, or too short to be one.
bool gm_journal_read(const gm_record *record, const gm_change *change, gm_decision *out);

// Checks a log, record by record, without an engine.
typedef struct gm_audit_check {
    gm_chain head;       // of the newest decision
    bool     begun;
    uint64_t first, last, count;  // sequences of the first and last decision met
    uint64_t broken;     // sequence of the first that was altered, or behind which one is missing; 0: none
    gm_str   why;        // static
} gm_audit_check;
void gm_audit_check_add(gm_audit_check *check, const gm_record *record, const gm_change *change);

enum { GM_CHAIN_TEXT = 2 * GM_CHAIN_BYTES + 1 };
void gm_chain_text(const gm_chain *chain, char out[GM_CHAIN_TEXT]);  // hexadecimal, a C string

#endif
