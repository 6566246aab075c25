// thread/bom.h: bills of materials, as facts say them: what a thing is made of, to the last level.
//
// A row is a fact of the assembly: key `bom/POSITION`, or `bom/POSITION~VARIANT` when a position has several; a part with its
// quantity; valid while it is effective. `more` may hold "serials" ("1-99,120-": of which assemblies, by the digits at the end
// of their serial numbers), "alternate" (true: may take the place of the position's part) and whatever else a person notes.
// What a part weighs, costs or emits are facts of the part (`mass`, `cost`, `carbon` or any other number).
//
// With `installed` the bill is the one of the thing itself: the parts that are installed in it (GM_KEY_INSTALLED).
#ifndef GM_THREAD_BOM_H
#define GM_THREAD_BOM_H

#include "thread/thread.h"

typedef struct gm_bom_options {
    gm_time_ns valid, known;
    gm_phase   phase;       // of the rows; GM_PHASE_COUNT: any
    gm_str     serial;      // of the assembly at the top; empty: rows of all serials
    bool       installed;   // the parts that are in it, in place of rows
    bool       alternates;  // these, too
    uint32_t   levels;      // at most; 0: all
    bool       ever;        // rows of all times, each with when it is effective, each assembly's once; valid is not looked at. Down only
} gm_bom_options;

enum { GM_BOM_ROWS_MAX = 100000 };

typedef struct gm_bom_row {
    uint32_t      level;      // 1: directly in what was asked about
    gm_str        part, assembly;   // what, in what
    gm_str        position, variant;
    double        quantity;   // in its assembly
    double        total;      // in the top: product along the way
    bool          alternate;
    const gm_fact *fact;      // viewed during the call
} gm_bom_row;

typedef bool gm_bom_each(void *context, const gm_bom_row *row);

// Rows from the top down, each followed by what it is made of; positions in their order (2 before 10). Stops when each returns
// false. GM_LIMIT: more than GM_BOM_ROWS_MAX rows. GM_INVALID: a row's "serials" do not read. GM_NOMEM.
GM_NODISCARD gm_status gm_bom_show(const gm_thread *thread, gm_str top, const gm_bom_options *options, gm_bom_each *each, void *context, gm_error *err);

// Where a part is used, all the way up: rows from the part upwards; total is how many of it are in row->assembly.
GM_NODISCARD gm_status gm_bom_where_used(const gm_thread *thread, gm_str part, const gm_bom_options *options, gm_bom_each *each, void *context, gm_error *err);

// ---- roll-up ------------------------------------------------------------------------------------------------------
// A part without rows counts with its fact `key`; one with rows with what is in it, and `KEY added` (the work of putting it together).
// A fact `key` of an assembly is not counted: it is what was declared, to compare with.
enum { GM_BOM_MISSING_MAX = 20 };
typedef struct gm_bom_sum {
    double   total, declared;   // in `unit`
    bool     has_declared;
    char     unit[GM_FACT_SHORT_MAX + 1];
    uint32_t parts;             // different ones that were counted
    uint32_t missing_count;     // different parts that say nothing; the first ones by name:
    gm_str   missing[GM_BOM_MISSING_MAX];
} gm_bom_sum;
// Values are looked for in the phase as-built, then as-designed. Cost: each different part once, whatever the number of places.
// GM_INVALID: units that can not be added (EUR and USD, kg and m); err names the part.
GM_NODISCARD gm_status gm_bom_rollup(const gm_thread *thread, gm_str top, gm_str key, const gm_bom_options *options, gm_bom_sum *out, gm_error *err);

// ---- effectivity --------------------------------------------------------------------------------------------------
// Gaps and overlaps of one assembly's positions: times and serials for which no part, or more than one, is effective, between the
// first and the last that are. from/to and first/last bound the place.
typedef struct gm_bom_gap {
    gm_str     position;
    bool       overlap;
    gm_time_ns from, to;
    uint64_t   first, last;     // serials; 0 and UINT64_MAX: all
} gm_bom_gap;
typedef bool gm_bom_gap_each(void *context, const gm_bom_gap *gap);
GM_NODISCARD gm_status gm_bom_gaps(const gm_thread *thread, gm_str assembly, const gm_bom_options *options, gm_bom_gap_each *each, void *context, gm_error *err);

// ---- serials ------------------------------------------------------------------------------------------------------
typedef struct gm_serials { uint64_t first, last; } gm_serials;
enum { GM_SERIALS_MAX = 64 };  // ranges of a row
// "1-99,120-,7" -> ranges. GM_INVALID.
GM_NODISCARD gm_status gm_serials_read(gm_str text, gm_serials out[GM_SERIALS_MAX], size_t *out_count, gm_error *err);
bool gm_serial_number(gm_str serial, uint64_t *out);  // the digits at its end; false: there are none

int gm_position_compare(gm_str a, gm_str b);          // numbers within by their value: "2" < "10" < "10a"

// A row's key and more, taken apart.
typedef struct gm_bom_line { gm_str position, variant; gm_serials serials[GM_SERIALS_MAX]; size_t serial_count; bool alternate; } gm_bom_line;
GM_NODISCARD gm_status gm_bom_line_read(const gm_fact *fact, gm_bom_line *out, gm_error *err);

#endif
