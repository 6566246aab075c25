// thread/diff.h: what differs between two phases of a twin: is what was built what was designed?
//
// Numbers are compared in the unit of the first phase. Limits are those of the first phase's fact, else of the second's: inside them is
// within tolerance, outside is out of it, however small the difference.
#ifndef GM_THREAD_DIFF_H
#define GM_THREAD_DIFF_H

#include "base/arena.h"
#include "thread/thread.h"

typedef enum gm_verdict {
    GM_VERDICT_OUT,        // of tolerance
    GM_VERDICT_DIFFERENT,  // no limits, and not the same; or another kind of value, or a unit that can not be compared
    GM_VERDICT_MISSING,    // the second phase says nothing
    GM_VERDICT_ADDED,      // the first phase says nothing
    GM_VERDICT_WITHIN,     // tolerance
    GM_VERDICT_SAME
} gm_verdict;
const char *gm_verdict_name(gm_verdict verdict);  // "out of tolerance" ...

typedef struct gm_difference {
    gm_str     key;
    gm_verdict verdict;
    bool       has_first, has_second;
    gm_fact    first, second;      // texts are viewed until the thread changes
    double     second_number;      // in the first's unit; NaN: no number, or not comparable
} gm_difference;

// The keys of both phases in byte order. *out is freed by the caller with gm_free(alloc, ...). GM_NOMEM.
GM_NODISCARD gm_status gm_thread_diff(const gm_thread *thread, const gm_alloc *alloc, gm_str twin, gm_phase first, gm_phase second, gm_time_ns valid,
                                      gm_time_ns known, gm_difference **out, size_t *out_count, gm_error *err);

// The same of the twin and of every part that is installed in it at (valid, known), however deep: its own first, then by place.
typedef struct gm_part_difference {
    gm_str        part;        // empty: the twin's own
    gm_str        place;       // the positions on the way to it: "hpc", "core/hpc"; a part without one stands with its id
    gm_difference difference;
} gm_part_difference;

enum { GM_DIFF_PARTS_MAX = 2000 };

// *out lies in the arena. GM_LIMIT: more than GM_DIFF_PARTS_MAX parts. GM_NOMEM. Cost: the lines of the twin and of its parts.
GM_NODISCARD gm_status gm_thread_diff_assembly(const gm_thread *thread, gm_arena *arena, gm_str twin, gm_phase first, gm_phase second,
                                               gm_time_ns valid, gm_time_ns known, gm_part_difference **out, size_t *out_count, gm_error *err);

#endif
