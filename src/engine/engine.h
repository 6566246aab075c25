// engine/engine.h: the one writer. Takes changes, makes them durable, applies them, and only then tells those who asked.
//
//   gm_engine_open(&options, &engine, &err);
//   gm_engine_fold(engine, GM_CHANGE_RETAIN, on_retained, broker);   // others who fold records of their own
//   gm_engine_recover(engine, &err);                                 // replay; now reading is allowed
//   gm_engine_write(engine, twin, flags, cells, n, (gm_ask){ on_done, connection, packet_id }, &err);
//   ... turns of the loop ...                                        // on_done(connection, packet_id, GM_OK, NULL)
//
//   submit --encode--> log batch --commit thread: write, fdatasync--> apply to state and history --> observers --> asks
//
// Invariants: (1) an ask is answered GM_OK only after the sync that covers its record, and after its change is applied;
// (2) asks are answered in the order of submission; (3) observers see every applied change once, in log order, before
// its ask is answered; (4) after a refused sync nothing is applied or accepted any more, every ask gets the reason.
//
// Two structural changes whose outcome depends on one another (create/delete/patch of the same twin) may not lie in one
// batch, since each was checked against the state before the other. The one who checks asks gm_engine_busy first and,
// if so, comes back through gm_engine_later. Telemetry needs no such care.
#ifndef GM_ENGINE_ENGINE_H
#define GM_ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/io.h"
#include "base/loop.h"
#include "engine/retention.h"
#include "history/history.h"
#include "log/change.h"
#include "log/log.h"
#include "state/indexes.h"
#include "state/state.h"

typedef struct gm_engine gm_engine;

typedef struct gm_checkpoint_options {  // engine/checkpoint.h; all zero: only when asked for
    uint64_t  log_bytes;   // one is begun when the log has grown by so much since the last
    gm_dur_ns every;       // and when so much time has passed and anything was recorded
    bool      in_process;  // written by the engine thread, which waits for it: tools and tests
} gm_checkpoint_options;

typedef struct gm_engine_options {
    const gm_alloc *alloc;
    const gm_io    *io;
    const gm_clock *clock;
    gm_loop        *loop;       // may be NULL for tools that only recover and read
    const char     *data_dir;   // log, checkpoint and history lie in it
    gm_log_options  log;
    gm_checkpoint_options checkpoint;
    gm_retentions   retention;  // how long history is kept, in whole sealed blocks
    bool            partial;    // a tool that folds some kinds only: what others keep in a checkpoint is passed over, and
                                // no checkpoint is written
} gm_engine_options;

// Who waits for a change. call may be NULL: nobody waits. err is NULL when status is GM_OK.
typedef struct gm_ask {
    void (*call)(void *context, uint64_t token, gm_status status, const gm_error *err);
    void    *context;
    uint64_t token;
} gm_ask;

GM_NODISCARD gm_status gm_engine_open(const gm_engine_options *options, gm_engine **out_engine, gm_error *err);

// Others fold the kinds they own (at most one per kind), at recovery and live alike. Before gm_engine_recover.
typedef gm_status gm_engine_fold_fn(void *context, const gm_record *record, const gm_change *change, gm_error *err);
void gm_engine_fold(gm_engine *engine, gm_change_kind kind, gm_engine_fold_fn *fold, void *context);

// What folds add up to is kept in checkpoints, so that old records may go. Whoever calls gm_engine_fold calls this too,
// with the same context, before gm_engine_recover; while one does not, no checkpoint is written and the whole log stays.
//
//   static void save(void *context, gm_buf *out) { gm_buf_varint(out, ...); }             // base/bytes.h: varints
//   static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err) { gm_bytes in = { bytes, bytes + size }; ... }
//   gm_engine_keep(engine, &(gm_keeper){ "mqtt.sessions", sessions, save, load });
//
// save  appends everything that the records up to now have added up to. It runs between two batches, in a forked copy of
//       the process (the engine goes on meanwhile): it reads, it may allocate, it starts and waits for nothing. What it
//       sees may be ahead of the log (shown at once, not durable yet); that must then be harmless to fold once more.
//       out->failed and out->limit are the engine's to look at. At most 2 GiB.
// load  takes the place of everything that was there, also of what an earlier load that failed left behind; size 0: as
//       if there had been no record. Runs in gm_engine_recover, after state, model and history were loaded, in the order of
//       keeping; the records behind the checkpoint are folded afterwards. The bytes passed a checksum and are nevertheless not to be
//       trusted: GM_CORRUPT makes recovery take an older checkpoint, or the log from its beginning.
// copy  NULL, or puts the files that belong to what was saved (and are not in its bytes) below the folder of a backup. Where save runs.
// A format that changes begins with a version number.
typedef struct gm_keeper {
    const char *name;  // of its section, for good: "dead-letters"; at most 63 bytes
    void       *context;
    void      (*save)(void *context, gm_buf *out);
    gm_status (*load)(void *context, const uint8_t *bytes, size_t size, gm_error *err);
    gm_status (*copy)(void *context, const char *to, gm_error *err);
} gm_keeper;
enum { GM_KEEPERS_MAX = 32 };
void gm_engine_keep(gm_engine *engine, const gm_keeper *keeper);

// Others follow every change with the state just before it and just after it, at recovery and live alike: who derives
// from the log what needs both (what was there before, what is there now). `after` is not called for a change that had
// no effect. Either call may be NULL. Before gm_engine_recover; at most GM_FOLLOWERS_MAX.
enum { GM_FOLLOWERS_MAX = 8 };
typedef struct gm_follower {
    void (*before)(void *context, const gm_record *record, const gm_change *change);
    void (*after)(void *context, const gm_record *record, const gm_change *change);
    void *context;
} gm_follower;
void gm_engine_follow(gm_engine *engine, gm_follower follower);

// The newest good checkpoint, then the log behind it. What is damaged is told (gm_engine_checkpoint_report) and not used.
// GM_CORRUPT: neither the checkpoints nor the log say what was; err names file and offset.
GM_NODISCARD gm_status gm_engine_recover(gm_engine *engine, gm_error *err);

// Blocks of history are sealed in the pool from here on. After gm_engine_recover; NULL when the pool has ended, before the engine
// is closed. GM_NOMEM: they go on being sealed here.
struct gm_pool;
GM_NODISCARD gm_status gm_engine_use_pool(gm_engine *engine, struct gm_pool *pool);

// Indexes of properties (state/indexes.h). They are no part of the log: whoever wants one asks for it after each start.
GM_NODISCARD gm_status gm_engine_index_add(gm_engine *engine, gm_str path, gm_index_order order, gm_error *err);
bool                   gm_engine_index_drop(gm_engine *engine, gm_str path);

// Ends what is in flight (asks are answered) and closes the log.
void gm_engine_close(gm_engine *engine);

// ---- reading (engine thread) --------------------------------------------------------------------------------------
gm_model         *gm_engine_model(gm_engine *engine);
const gm_state   *gm_engine_state(const gm_engine *engine);
const gm_history *gm_engine_history(const gm_engine *engine);
gm_log           *gm_engine_log(gm_engine *engine);

// The number under which history keeps a column: one number per path, whatever the type.
uint32_t gm_engine_series(const gm_engine *engine, const gm_type *type, uint32_t column);

// Series of what is no column, kept beside those that are: a module that derives values (rollup/past.c) numbers them itself, below
// GM_OWN_SERIES. Retention of them is that of the path `$rollup`. twin GM_NONE: of the whole plant.
#define GM_OWN_SERIES UINT32_C(0x80000000)
GM_NODISCARD gm_status gm_engine_own_append(gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns at, gm_value value, gm_error *err);  // in a fold
GM_NODISCARD gm_status gm_engine_own_as_of(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns at, gm_sample *out, gm_error *err);
GM_NODISCARD gm_status gm_engine_own_read(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, gm_history_each *each,
                                          void *context, gm_error *err);
GM_NODISCARD gm_status gm_engine_own_outline(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, size_t n,
                                             gm_bucket *out_buckets, gm_error *err);
GM_NODISCARD gm_status gm_engine_own_extent(const gm_engine *engine, gm_twin twin, uint32_t number, gm_time_ns from, gm_time_ns to, uint64_t *out_count,
                                            gm_time_ns *out_first, gm_time_ns *out_last, gm_error *err);

// The samples of one column in rising source time within [from, to): the series, or the live cell alone when it was
// written only once (a series begins with the second value, so that a million quiet twins cost nothing).
GM_NODISCARD gm_status gm_engine_read_history(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from,
                                              gm_time_ns to, gm_history_each *each, void *context, gm_error *err);

// n equal buckets over [from, to), as gm_history_buckets.
GM_NODISCARD gm_status gm_engine_read_buckets(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from,
                                              gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err);

// The same with edges that make way for sealed blocks: for plots, as gm_history_outline.
GM_NODISCARD gm_status gm_engine_read_outline(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from,
                                              gm_time_ns to, size_t n, gm_bucket *out_buckets, gm_error *err);

// How many samples gm_engine_read_history would give, and the times of the first and the last; as gm_history_extent.
GM_NODISCARD gm_status gm_engine_history_extent(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from,
                                                gm_time_ns to, uint64_t *out_count, gm_time_ns *out_first,
                                                gm_time_ns *out_last, gm_error *err);

// How many samples gm_engine_read_history would give for all time.
uint64_t gm_engine_count_history(const gm_engine *engine, gm_twin twin, uint32_t column);

// ---- submitting (engine thread) -----------------------------------------------------------------------------------
// All copy what they are given. GM_LIMIT: the batch is full; stop reading from whoever sends, and come back with
// gm_engine_later. GM_IO: the log is read-only. Nothing was submitted in either case and the ask is not called.

// Cells of an existing twin, checked by the caller (kinds and columns of its present type; no NaN).
GM_NODISCARD gm_status gm_engine_write(gm_engine *engine, gm_twin twin, uint8_t flags, const gm_cell_write *cells,
                                       size_t n, gm_ask ask, gm_error *err);

// Creates (twin = gm_twin{GM_NONE}; *out_twin gets the number it will have) or replaces a twin.
// The same as a table of numbers (log/change.h). Times and values are the caller's to fill in through *out_rows before he
// returns to the loop: every one of them. columns * rows <= GM_CELLS_MAX.
GM_NODISCARD gm_status gm_engine_write_rows(gm_engine *engine, gm_twin twin, uint8_t flags, const gm_row_column *columns,
                                            size_t n, size_t rows, gm_ask ask, gm_row_table *out_rows, gm_error *err);

GM_NODISCARD gm_status gm_engine_twin_put(gm_engine *engine, gm_twin twin, gm_str id, const gm_type *type,
                                          const gm_cell_write *cells, size_t n, gm_ask ask, gm_twin *out_twin, gm_error *err);
GM_NODISCARD gm_status gm_engine_twin_delete(gm_engine *engine, gm_twin twin, gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_engine_relationship_put(gm_engine *engine, gm_twin source, gm_twin target, gm_str id, gm_str name,
                                                  gm_str properties, gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_engine_relationship_delete(gm_engine *engine, gm_twin source, gm_str id, gm_ask ask, gm_error *err);

// MODELS, MODEL_DECOMMISSION, MODEL_DELETE, RETAIN, DEAD_LETTER: the texts as in log/change.h.
GM_NODISCARD gm_status gm_engine_submit(gm_engine *engine, gm_change_kind kind, uint8_t flags, gm_str id, gm_str name,
                                        gm_str text, gm_ask ask, gm_error *err);

// Deletes for good what was: the history of one property (path) of the twin, or with an empty path all history of every twin
// that has or had this id, when it existed, and its past relationships. Present values and relationships stay. Gone from
// memory when it is answered; from the disk when the files that held it are tidied and two or three checkpoints are written
// (docs/formats/history.md). Nobody of that id: no effect, no refusal.
GM_NODISCARD gm_status gm_engine_history_delete(gm_engine *engine, gm_str id, gm_str path, gm_ask ask, gm_error *err);

// Waits for all that was submitted so far: answered with the last of it, whoever submitted that. *out_asked false: nothing is
// under way. GM_IO: the log is read-only, so something may have been refused.
GM_NODISCARD gm_status gm_engine_ask(gm_engine *engine, gm_ask ask, bool *out_asked, gm_error *err);

// Is a change of this twin submitted but not applied yet? By what it changes: the twin itself (created, replaced,
// deleted), its properties (and so its ETag), its relationships in either direction. An empty id with TWIN asks for
// changes of any model, a DTMI with TWIN for new twins of that model. FACTS: facts of that id; an empty one: records with facts of
// several.
typedef enum gm_in_flight { GM_IN_FLIGHT_TWIN = 1, GM_IN_FLIGHT_PROPERTIES = 2, GM_IN_FLIGHT_RELATIONSHIPS = 4, GM_IN_FLIGHT_FACTS = 8 } gm_in_flight;
bool gm_engine_in_flight(const gm_engine *engine, unsigned kinds, gm_str twin_id);
bool gm_engine_relationship_in_flight(const gm_engine *engine, gm_str source_id, gm_str relationship_id);
bool gm_engine_busy(const gm_engine *engine, gm_str twin_id);  // any of them, but for facts

// Calls once after the next batch has been applied (or refused), or at the end of this turn when none is under way.
GM_NODISCARD gm_status gm_engine_later(gm_engine *engine, gm_loop_call *call, void *context, gm_error *err);
void                   gm_engine_never(gm_engine *engine, gm_loop_call *call, void *context);  // takes it back

// The sequence of the last record submitted, and of the last one applied or refused.
uint64_t gm_engine_submitted(const gm_engine *engine);
uint64_t gm_engine_settled(const gm_engine *engine);

// Waits until everything submitted is durable and applied, or refused; asks are answered on the way. For start-up, tools
// and the end; a server in service lets its loop do this. Returns the state of the log.
GM_NODISCARD gm_status gm_engine_settle(gm_engine *engine, gm_error *err);

// ---- observing ----------------------------------------------------------------------------------------------------
// Called for every change as it is applied (not at recovery). change views the record.
typedef void gm_observer(void *context, const gm_record *record, const gm_change *change);
GM_NODISCARD gm_status gm_engine_observe(gm_engine *engine, gm_observer *observer, void *context, gm_error *err);
void                   gm_engine_unobserve(gm_engine *engine, gm_observer *observer, void *context);  // not there: nothing

typedef struct gm_engine_stats {
    uint64_t  applied, dropped;           // changes; dropped: the twin had gone or changed its model meanwhile
    uint64_t  samples;                    // cells written
    uint64_t  batches;
    uint64_t  commit_us[24];              // histogram: commits that took < 2^i microseconds from flush to durable
    gm_dur_ns recovery;                   // how long recovery took
    uint64_t  waiting;                    // changes that were submitted and are not durable yet
} gm_engine_stats;
gm_engine_stats gm_engine_statistics(const gm_engine *engine);

#endif
