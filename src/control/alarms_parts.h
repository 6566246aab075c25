// control/alarms_parts.h: the list of alarms, for its two files.
#ifndef GM_CONTROL_ALARMS_PARTS_H
#define GM_CONTROL_ALARMS_PARTS_H

#include "base/bytes.h"
#include "base/index.h"
#include "control/alarms.h"

enum {
    GM_POINT_KEY, GM_POINT_NAME, GM_POINT_TWIN, GM_POINT_TEXT, GM_POINT_CONSEQUENCE, GM_POINT_RESPONSE, GM_POINT_WHO, GM_POINT_REASON,
    GM_POINT_CAUSE, GM_POINT_TEXTS
};
enum {
    GM_CHATTER_COUNT = 3,                 // raised so often within a minute: it chatters
    GM_BUCKETS       = 24 * 60 + 1        // minutes of a day, and the one under way
};

typedef struct gm_point {
    char             *memory;             // of text
    gm_str            text[GM_POINT_TEXTS];
    gm_alarm_priority priority;
    bool              active, acknowledged, held, latching, suppressed, out_of_service;
    bool              expiring;           // the end of its shelving has been submitted
    gm_time_ns        raised, changed, shelved_until;
    gm_time_ns        raises[GM_CHATTER_COUNT];  // ring, by count
    uint64_t          sequence, count;
} gm_point;

struct gm_alarms {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_journal     *journal;
    gm_point       *points;
    size_t          count, capacity;
    gm_index        by_key;
    uint64_t        raised_total;
    int64_t         first_minute, last_minute;  // since 1970; of the oldest that counts, and the newest; -1: none yet
    uint32_t        per_minute[GM_BUCKETS];     // raised in minute m at m % GM_BUCKETS
    bool            flooded[GM_BUCKETS];        // was there a flood in that minute?
    bool            flood;
};

// One more was raised.
void gm_alarms_note(gm_alarms *alarms, gm_time_ns at);
void gm_alarms_save_counts(const gm_alarms *alarms, gm_buf *out);
void gm_alarms_load_counts(gm_alarms *alarms, gm_bytes *in);  // NULL: none

#endif
