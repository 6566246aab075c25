// How the alarm system does: rates, floods, standing and chattering alarms (ANSI/ISA-18.2-2016, clause 16). A count for each
// minute of the last day is kept; ten minutes are the ten last of them, the one under way included.
#include "control/alarms_parts.h"

#define STANDING GM_DAY

static uint32_t sum(const gm_alarms *alarms, int64_t last, int64_t minutes)
{
    uint32_t total = 0;
    for (int64_t m = last; m > last - minutes; m--) {
        if (m >= alarms->first_minute && m <= alarms->last_minute) total += alarms->per_minute[m % GM_BUCKETS];
    }
    return total;
}

// Moves on to a minute; those between were quiet, and say whether the flood went on.
static void go_to(gm_alarms *alarms, int64_t minute)
{
    if (alarms->last_minute < 0) alarms->first_minute = alarms->last_minute = minute;
    if (minute > alarms->last_minute + GM_BUCKETS) {
        alarms->last_minute = minute - GM_BUCKETS;
        alarms->flood       = false;
        memset(alarms->per_minute, 0, sizeof alarms->per_minute);
        memset(alarms->flooded, 0, sizeof alarms->flooded);
    }
    while (alarms->last_minute < minute) {
        int64_t next = ++alarms->last_minute;
        alarms->per_minute[next % GM_BUCKETS] = 0;
        if (alarms->flood && sum(alarms, next, 10) < GM_ALARM_FLOOD_LESS) alarms->flood = false;
        alarms->flooded[next % GM_BUCKETS] = alarms->flood;
    }
    if (alarms->first_minute < minute - (GM_BUCKETS - 1)) alarms->first_minute = minute - (GM_BUCKETS - 1);
}

void gm_alarms_note(gm_alarms *alarms, gm_time_ns at)
{
    int64_t minute = at / GM_MINUTE;
    alarms->raised_total++;
    go_to(alarms, minute);
    alarms->per_minute[alarms->last_minute % GM_BUCKETS]++;
    if (sum(alarms, alarms->last_minute, 10) >= GM_ALARM_FLOOD_MORE) alarms->flood = true;
    if (alarms->flood) alarms->flooded[alarms->last_minute % GM_BUCKETS] = true;
}

gm_alarm_metrics gm_alarms_measure(gm_alarms *alarms, gm_time_ns now)
{
    gm_alarm_metrics m = { .raised_total = alarms->raised_total };
    for (size_t i = 0; i < alarms->count; i++) {
        gm_alarm a = gm_alarms_at(alarms, i);
        m.states[a.state]++;
        m.active[a.is.priority] += a.active;
        m.standing += a.active && now - a.raised > STANDING;
        m.chattering += a.chattering && now - a.raised <= GM_HOUR;
    }
    if (alarms->last_minute < 0) return m;
    go_to(alarms, now / GM_MINUTE);
    int64_t last   = alarms->last_minute;
    m.raised_10min = sum(alarms, last, 10);
    m.raised_hour  = sum(alarms, last, 60);
    m.raised_day   = sum(alarms, last, 24 * 60);
    m.flood        = alarms->flood;
    m.span         = (last - alarms->first_minute + 1) * GM_MINUTE;
    for (int64_t minute = alarms->first_minute; minute <= last; minute++) {
        uint32_t ten = sum(alarms, minute, 10);
        if (ten > m.peak_10min) m.peak_10min = ten;
        if (alarms->flooded[minute % GM_BUCKETS]) m.flood_time += GM_MINUTE;
    }
    return m;
}

void gm_alarms_save_counts(const gm_alarms *alarms, gm_buf *out)
{
    gm_buf_varint(out, alarms->raised_total);
    gm_buf_varint(out, alarms->flood);
    gm_buf_svarint(out, alarms->first_minute);
    gm_buf_svarint(out, alarms->last_minute);
    for (int64_t m = alarms->first_minute; alarms->last_minute >= 0 && m <= alarms->last_minute; m++) {
        gm_buf_varint(out, (uint64_t)alarms->per_minute[m % GM_BUCKETS] << 1 | alarms->flooded[m % GM_BUCKETS]);
    }
}

void gm_alarms_load_counts(gm_alarms *alarms, gm_bytes *in)
{
    alarms->raised_total = in != NULL ? gm_bytes_varint(in) : 0;
    alarms->flood        = in != NULL && gm_bytes_varint(in) != 0;
    alarms->first_minute = in != NULL ? gm_bytes_svarint(in) : -1;
    alarms->last_minute  = in != NULL ? gm_bytes_svarint(in) : -1;
    memset(alarms->per_minute, 0, sizeof alarms->per_minute);
    memset(alarms->flooded, 0, sizeof alarms->flooded);
    if (in == NULL || alarms->last_minute < 0) return;
    if (alarms->first_minute < 0 || alarms->last_minute - alarms->first_minute >= GM_BUCKETS || alarms->last_minute < alarms->first_minute ||
        alarms->last_minute > GM_TIME_MAX / GM_MINUTE) {
        in->bad             = true;
        alarms->last_minute = -1;
        return;
    }
    for (int64_t m = alarms->first_minute; m <= alarms->last_minute; m++) {
        uint64_t packed                    = gm_bytes_varint(in);
        alarms->per_minute[m % GM_BUCKETS] = (uint32_t)(packed >> 1);
        alarms->flooded[m % GM_BUCKETS]    = packed & 1;
    }
}
