// control/proviso.h: the conditions of rules, interlocks and expectations: the query language's expressions over one twin,
// and what only makes sense while time passes.
//
//   gm_proviso_read(arena, alias, text, &condition, &end, &err);         // text up to the word that ends it
//   gm_memory *m = gm_proviso_memory(condition, alloc);                  // of one twin
//   truth = gm_proviso_truth(condition, &at, m, &wake);
//
// Beyond the query language: `path rises by X within T`, `path falls by X within T`, `no data [of path] for T`,
// any(relationship.path) < X, all(...), min max sum avg(relationship.path), count(relationship), each with '<' before the
// relationship for those that come in, and `request` for a command's value. Language: docs/rules.md.
#ifndef GM_CONTROL_CONDITION_H
#define GM_CONTROL_CONDITION_H

#include "query/eval.h"
#include "query/lex.h"

enum { GM_SPECIALS_MAX = 16, GM_WINDOW_SLOTS = 64, GM_PROVISO_RELATED_MAX = 10000 };

typedef enum gm_special_kind {
    GM_SPECIAL_ANY, GM_SPECIAL_ALL, GM_SPECIAL_MIN, GM_SPECIAL_MAX, GM_SPECIAL_SUM, GM_SPECIAL_AVG, GM_SPECIAL_COUNT,
    GM_SPECIAL_RISES, GM_SPECIAL_FALLS, GM_SPECIAL_SILENT, GM_SPECIAL_REQUEST
} gm_special_kind;

typedef struct gm_special {
    gm_special_kind kind;
    bool            incoming;
    gm_str          relationship, path;  // path: of a column, "motor/temperature"; empty in SILENT: any telemetry
    gm_compare      op;                  // ANY, ALL
    gm_qvalue       literal;
    double          by;                  // RISES, FALLS
    gm_dur_ns       span;                // RISES, FALLS, SILENT
    uint32_t        at;                  // offset in the text
} gm_special;

// The samples of one column within the span of one RISES or FALLS: least and greatest for each 64th of it, so the span's
// edge is that exact.
typedef struct gm_window {
    int64_t slot[GM_WINDOW_SLOTS];  // number of the 64th since 1970; INT64_MIN: empty
    double  low[GM_WINDOW_SLOTS], high[GM_WINDOW_SLOTS];
} gm_window;

typedef struct gm_memory {
    gm_time_ns since;    // when looking began: what never came is silent since then
    size_t     count;
    gm_window  windows[];
} gm_memory;

typedef struct gm_proviso {
    gm_ast    *ast[2];      // as written; and with comparisons moved by the deadband, for while it holds
    gm_special specials[GM_SPECIALS_MAX];
    size_t     special_count, window_count;
    gm_node   *slots[2][GM_SPECIALS_MAX * 2];  // literals that stand for specials, by ast
    uint8_t    slot_special[2][GM_SPECIALS_MAX * 2];
    size_t     slot_count[2];
    gm_arena  *scratch, *memory;  // of evaluating
    gm_eval    eval[2];
    bool       ready[2];
    gm_str     text;                            // rewritten as a query
    gm_str     written;                         // as it stands in the file
} gm_proviso;

// Reads from text[from] on, until a word of `ends` (NULL-terminated, lower case) outside of parentheses, a line that begins
// a new statement, or the end. *out_end: where that is. alias: of the twin; may be empty.
// GM_INVALID, GM_LIMIT: err has the offset in `column` (0-based) with line 0. The condition ends with gm_proviso_finish.
GM_NODISCARD gm_status gm_proviso_read(const gm_alloc *alloc, gm_arena *arena, gm_str alias, gm_str text, size_t from,
                                         const char *const *ends, double deadband, gm_proviso **out, size_t *out_end, gm_error *err);
void gm_proviso_finish(gm_proviso *condition);  // NULL is allowed

// Applies a deadband after reading: comparisons of a number hold until the value is back by that much.
GM_NODISCARD gm_status gm_proviso_deadband(gm_proviso *condition, gm_arena *arena, double deadband, gm_error *err);

typedef struct gm_moment {
    const gm_state *state;
    gm_twin         twin;
    gm_time_ns      now;
    bool            held;        // it holds already: the deadband counts
    gm_qvalue       request;     // what `request` stands for
    const gm_query_facts *facts; // what $rollup reads, as it was recorded until now; NULL: nothing
} gm_moment;

// *out_wake: when it may change though nothing comes in; INT64_MAX: never. memory may be NULL when window_count is 0.
gm_truth gm_proviso_truth(gm_proviso *condition, const gm_moment *at, const gm_memory *memory, gm_time_ns *out_wake);

GM_NODISCARD gm_memory *gm_proviso_memory(const gm_proviso *condition, const gm_alloc *alloc, gm_time_ns since);  // NULL: no memory
// A sample of the column with that path came in.
void gm_proviso_note(const gm_proviso *condition, gm_memory *memory, gm_str path, gm_time_ns at, double value);

// What it reads. own: columns of the twin itself; returns false when it reads more of it than columns (so any change counts).
bool gm_proviso_reads(const gm_proviso *condition, const gm_type *type, void (*own)(void *context, uint32_t column), void *context);

// Does it ask for the roll-up of that name? Empty: for any.
bool gm_proviso_asks_rollup(const gm_proviso *condition, gm_str name);

// The first path that the type has not; false: it has all. (Specials about relationships are not looked at.)
bool gm_proviso_misses(const gm_proviso *condition, const gm_type *type, gm_str *out_path);

// The oldest source time among the columns that it reads of the twin and of related ones; GM_ABSENT: one has no value.
gm_time_ns gm_proviso_oldest(const gm_proviso *condition, const gm_moment *at);

// Can the comparisons that must all hold not hold together? (x > 5 AND x < 3, or the literal false)
bool gm_proviso_contradicts(const gm_proviso *condition);

// "5 min", "30 s" at the lexer's token: takes them. GM_INVALID.
GM_NODISCARD gm_status gm_proviso_duration(gm_lexer *lexer, gm_token *token, gm_dur_ns *out, gm_error *err);

#endif
