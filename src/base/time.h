// base/time.h: instants, lengths of time, and who tells the time.
//
// An instant is int64 nanoseconds UTC since 1970 (leap seconds not counted). Outside it is RFC 3339 text.
#ifndef GM_BASE_TIME_H
#define GM_BASE_TIME_H

#include "base/str.h"

typedef int64_t gm_time_ns;  // an instant, UTC
typedef int64_t gm_dur_ns;   // a length of time

#define GM_MICROSECOND INT64_C(1000)
#define GM_MILLISECOND INT64_C(1000000)
#define GM_SECOND      INT64_C(1000000000)
#define GM_MINUTE      (60 * GM_SECOND)
#define GM_HOUR        (60 * GM_MINUTE)
#define GM_DAY         (24 * GM_HOUR)

// The instants that are admitted from outside: years 1970 up to and including 2200. The difference of any two
// fits a gm_dur_ns.
#define GM_TIME_MIN INT64_C(0)
#define GM_TIME_MAX INT64_C(7289654399999999999)  // 2200-12-31T23:59:59.999999999Z

typedef struct gm_clock {
    gm_time_ns (*now)(void *context);        // UTC; may jump when someone sets the clock
    gm_dur_ns (*monotonic)(void *context);   // never goes back; only differences mean anything
    void *context;
} gm_clock;

const gm_clock *gm_clock_system(void);

static inline gm_time_ns gm_now(const gm_clock *clock) { return clock->now(clock->context); }
static inline gm_dur_ns  gm_monotonic(const gm_clock *clock) { return clock->monotonic(clock->context); }

// RFC 3339: "2026-01-01T00:00:00Z", fraction of any length (beyond nanoseconds cut), offset "+01:00",
// 't', 'z' and a space for 'T' accepted; second 60 is read as the next minute's 00.
// GM_INVALID: not such a text, or outside GM_TIME_MIN..GM_TIME_MAX; *out_time unchanged.
GM_NODISCARD gm_status gm_time_parse(gm_str text, gm_time_ns *out_time, gm_error *err);

// Writes RFC 3339 UTC with as many digits of the fraction (0, 3, 6 or 9) as the instant needs, e.g.
// "2026-01-01T00:00:00.250Z". Returns the length, at most 30; out has room for GM_TIME_TEXT.
enum { GM_TIME_TEXT = 32 };
size_t gm_time_format(gm_time_ns time, char out[GM_TIME_TEXT]);

// "250ms", "1.5s", "5m", "24h", "7d"; units ns us ms s m min h d w. A bare number has no unit: GM_INVALID, as is a
// negative or overflowing one.
GM_NODISCARD gm_status gm_dur_parse(gm_str text, gm_dur_ns *out_dur, gm_error *err);

// ISO 8601 as DTDL's "duration" schema has it ("P1DT2H", "PT0.5S", years and months by name only).
bool gm_dur_iso_valid(gm_str text);

// DTDL's "date" ("2026-11-22") and "time" ("13:45:00.5", optional offset) are well-formed and exist.
bool gm_date_valid(gm_str text);
bool gm_time_of_day_valid(gm_str text);

#endif
