// thread/thread.h: all facts, found by what was true when and what was known of it when.
//
//   gm_thread *thread;
//   gm_thread_create(alloc, &thread, &err);
//   gm_thread_take(thread, &fact, &err);                                   // the fold: facts come in the order of fact.known
//   gm_thread_read(thread, GM_STR("pump7"), GM_PHASE_BUILT, GM_STR("bore"), valid, known, &found)
//
// A line is all facts of one (twin, phase, key). What holds at (valid, known) is the one learned last of those that were known by
// `known` and are valid at `valid`. Ids need not be twins of the graph: a part number has facts, too.
//
// Owner: the engine thread. Texts of facts that are read are viewed until the next change.
#ifndef GM_THREAD_THREAD_H
#define GM_THREAD_THREAD_H

#include "thread/fact.h"

typedef struct gm_thread gm_thread;

enum { GM_CONTAINMENT_DEPTH_MAX = 64 };  // assemblies within assemblies
#define GM_FACTS_MAX (UINT32_MAX - 1)

GM_NODISCARD gm_status gm_thread_create(const gm_alloc *alloc, gm_thread **out, gm_error *err);
void                   gm_thread_destroy(gm_thread *thread);  // NULL is allowed

// ---- writing ------------------------------------------------------------------------------------------------------
// May the fact be added, as things are known now? GM_INVALID: gm_fact_check. GM_CONFLICT: the part is somewhere else in that
// time, or would contain itself. GM_LIMIT: assemblies are nested too deeply.
// Cost: a logarithm; for what is installed, the depth of the assembly; for a row of a bill of materials, what is below it.
GM_NODISCARD gm_status gm_thread_check(const gm_thread *thread, const gm_fact *fact, gm_error *err);

// Checks and adds; copied. fact->known never falls. Errors: as above, and GM_NOMEM; nothing was added then.
GM_NODISCARD gm_status gm_thread_take(gm_thread *thread, const gm_fact *fact, gm_error *err);

// Deletes for good: a twin's facts of that key, or with an empty key everything that was said about it (facts of others that name it as a
// part stay: they are about those others). Returns how many. Bytes are overwritten in memory; rows are given back by the next
// checkpoint and start.
uint64_t gm_thread_forget(gm_thread *thread, gm_str twin, gm_str key);

// ---- reading ------------------------------------------------------------------------------------------------------
// Cost: a logarithm of the line's facts. False: nothing holds (or it was taken back).
bool gm_thread_read(const gm_thread *thread, gm_str twin, gm_phase phase, gm_str key, gm_time_ns valid, gm_time_ns known, gm_fact *out);

// Is it known already: does what holds say the same throughout the time of the fact, whoever said it? Cost: the pieces of that time.
bool gm_thread_knows(const gm_thread *thread, const gm_fact *fact);

// Calls each until it returns false. Cost: the lines of the twin, or the facts given.
typedef bool gm_thread_each(void *context, const gm_fact *fact);
// What holds about a twin at (valid, known), in no promised order. phase GM_PHASE_COUNT: of all phases.
void gm_thread_show(const gm_thread *thread, gm_str twin, gm_phase phase, gm_time_ns valid, gm_time_ns known, gm_thread_each *each, void *context);
// What holds when, as known at `known`: every stretch of every key with the fact that holds in it, whose from and to are the stretch's.
// Cost: the facts of the twin.
void gm_thread_stretches(const gm_thread *thread, gm_str twin, gm_phase phase, gm_time_ns known, gm_thread_each *each, void *context);
// Everything that was ever said by `known` (an empty key: whatever the key), in the order of being known within a line.
void gm_thread_history(const gm_thread *thread, gm_str twin, gm_str key, gm_time_ns known, gm_thread_each *each, void *context);

// Facts whose part is `part` and that hold at (valid, known); ever: that were said by `known` at all. What a holder holds (key
// GM_KEY_INSTALLED; fact.twin is what is installed), and where a part is used (keys that begin with GM_KEY_BOM).
// Cost: the facts that ever named it, each a logarithm.
typedef enum gm_mention { GM_MENTION_HOLDS, GM_MENTION_EVER } gm_mention;
void gm_thread_mentions(const gm_thread *thread, gm_str part, gm_str key_prefix, gm_mention which, gm_time_ns valid, gm_time_ns known,
                        gm_thread_each *each, void *context);

// Twins and parts that have facts, in the order in which they first had one: *at starts at 0. False: no more.
bool gm_thread_next_twin(const gm_thread *thread, uint32_t *at, gm_str *out_id);
bool gm_thread_has(const gm_thread *thread, gm_str twin);                     // facts of it, or that name it
// Documents that facts name, one call for each such fact. Cost: all facts.
void gm_thread_documents(const gm_thread *thread, bool (*each)(void *context, gm_str hash), void *context);
bool gm_thread_names_document(const gm_thread *thread, gm_str hash);          // any fact still names it. Cost: all facts

typedef struct gm_thread_stats { uint64_t facts, lines, names, bytes; } gm_thread_stats;
gm_thread_stats gm_thread_statistics(const gm_thread *thread);

// ---- checkpoints (docs/formats/thread.md) ----------------------------------------------------------------------------
void                   gm_thread_save(const gm_thread *thread, gm_buf *out);
// Takes the place of what was there; size 0: nothing was. GM_CORRUPT, GM_NOMEM.
GM_NODISCARD gm_status gm_thread_load(gm_thread *thread, const uint8_t *bytes, size_t size, gm_error *err);

#endif
