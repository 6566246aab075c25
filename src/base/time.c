// Civil calendar arithmetic after the era method (400-year cycles of 146,097 days), which has no tables and no
// branches on leap years.
#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static gm_time_ns system_now(void *context)
{
    (void)context;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (gm_time_ns)t.tv_sec * GM_SECOND + t.tv_nsec;
}

static gm_dur_ns system_monotonic(void *context)
{
    (void)context;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (gm_dur_ns)t.tv_sec * GM_SECOND + t.tv_nsec;
}

const gm_clock *gm_clock_system(void)
{
    static const gm_clock system_clock = { .now = system_now, .monotonic = system_monotonic };
    return &system_clock;
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; the year starts in March inside.
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era         = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era  = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *out_year, int64_t *out_month, int64_t *out_day)
{
    days += 719468;
    int64_t era         = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era  = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month       = (5 * day_of_year + 2) / 153;
    *out_day            = day_of_year - (153 * month + 2) / 5 + 1;
    *out_month          = month + (month < 10 ? 3 : -9);
    *out_year           = year_of_era + era * 400 + (*out_month <= 2);
}

static int days_in_month(int64_t year, int64_t month)
{
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Reads exactly n digits at *at. Returns -1 when there are none.
static int64_t digits(gm_str text, size_t *at, size_t n)
{
    if (text.len - *at < n || *at > text.len) return -1;
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text.ptr[*at + i];
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    *at += n;
    return value;
}

static bool take(gm_str text, size_t *at, char wanted)
{
    if (*at >= text.len || text.ptr[*at] != wanted) return false;
    ++*at;
    return true;
}

static bool read_date(gm_str text, size_t *at, int64_t *out_days)
{
    int64_t year = digits(text, at, 4);
    if (year < 0 || !take(text, at, '-')) return false;
    int64_t month = digits(text, at, 2);
    if (month < 1 || month > 12 || !take(text, at, '-')) return false;
    int64_t day = digits(text, at, 2);
    if (day < 1 || day > days_in_month(year, month)) return false;
    *out_days = days_of_date(year, month, day);
    return true;
}

// "hh:mm:ss[.fraction]" in nanoseconds since midnight.
static bool read_time_of_day(gm_str text, size_t *at, int64_t *out_ns)
{
    int64_t hour = digits(text, at, 2);
    if (hour < 0 || hour > 23 || !take(text, at, ':')) return false;
    int64_t minute = digits(text, at, 2);
    if (minute < 0 || minute > 59 || !take(text, at, ':')) return false;
    int64_t second = digits(text, at, 2);
    if (second < 0 || second > 60) return false;
    int64_t ns = 0;
    if (take(text, at, '.')) {
        int64_t unit  = GM_SECOND / 10;
        size_t  first = *at;
        for (int64_t d; (d = digits(text, at, 1)) >= 0; unit /= 10) ns += d * unit;
        if (*at == first) return false;
    }
    *out_ns = ((hour * 60 + minute) * 60 + second) * GM_SECOND + ns;
    return true;
}

// "Z" or "+hh:mm"; the offset is what to subtract from local time.
static bool read_offset(gm_str text, size_t *at, int64_t *out_ns)
{
    *out_ns = 0;
    if (take(text, at, 'Z') || take(text, at, 'z')) return true;
    bool west = take(text, at, '-');
    if (!west && !take(text, at, '+')) return false;
    int64_t hour = digits(text, at, 2);
    if (hour < 0 || hour > 23 || !take(text, at, ':')) return false;
    int64_t minute = digits(text, at, 2);
    if (minute < 0 || minute > 59) return false;
    *out_ns = (hour * GM_HOUR + minute * GM_MINUTE) * (west ? -1 : 1);
    return true;
}

gm_status gm_time_parse(gm_str text, gm_time_ns *out_time, gm_error *err)
{
    size_t  at = 0;
    int64_t days, time_of_day, offset;
    bool    ok = read_date(text, &at, &days);
    ok         = ok && (take(text, &at, 'T') || take(text, &at, 't') || take(text, &at, ' '));
    ok         = ok && read_time_of_day(text, &at, &time_of_day) && read_offset(text, &at, &offset) && at == text.len;
    if (!ok) {
        return gm_fail(err, GM_INVALID, "base.time", "'" GM_STR_FMT "' is not a time such as 2026-01-01T00:00:00Z",
                       (int)(text.len < 60 ? text.len : 60), text.ptr);
    }
    // Years 0000..9999 do not fit 64-bit nanoseconds: the range is checked in whole seconds first.
    int64_t seconds = days * 86400 + (time_of_day - offset) / GM_SECOND;
    if (seconds < -1 || seconds > GM_TIME_MAX / GM_SECOND + 1) goto out_of_range;
    gm_time_ns time = days * GM_DAY + time_of_day - offset;
    if (time < GM_TIME_MIN || time > GM_TIME_MAX) goto out_of_range;
    *out_time = time;
    return GM_OK;
out_of_range:
    return gm_fail(err, GM_INVALID, "base.time", "time '" GM_STR_FMT "' is outside the years 1970 to 2200",
                   (int)(text.len < 60 ? text.len : 60), text.ptr);
}

// By hand: a twin's document has two times for every property, and printf would be most of the work of writing it.
static char *write_digits(char *to, int64_t number, int digits)
{
    for (int i = digits; i-- > 0; number /= 10) to[i] = (char)('0' + number % 10);
    return to + digits;
}

size_t gm_time_format(gm_time_ns time, char out[GM_TIME_TEXT])
{
    int64_t days = time / GM_DAY, rest = time % GM_DAY;
    if (rest < 0) {
        rest += GM_DAY;
        days--;
    }
    int64_t year, month, day;
    date_of_days(days, &year, &month, &day);
    int64_t second = rest / GM_SECOND, ns = rest % GM_SECOND;
    char   *at = out;
    at = write_digits(at, year, 4);
    *at++ = '-';
    at = write_digits(at, month, 2);
    *at++ = '-';
    at = write_digits(at, day, 2);
    *at++ = 'T';
    at = write_digits(at, second / 3600, 2);
    *at++ = ':';
    at = write_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = write_digits(at, second % 60, 2);
    if (ns != 0) {
        *at++ = '.';
        if (ns % GM_MICROSECOND != 0) at = write_digits(at, ns, 9);
        else if (ns % GM_MILLISECOND != 0) at = write_digits(at, ns / GM_MICROSECOND, 6);
        else at = write_digits(at, ns / GM_MILLISECOND, 3);
    }
    *at++ = 'Z';
    *at   = '\0';
    return (size_t)(at - out);
}

gm_status gm_dur_parse(gm_str text, gm_dur_ns *out_dur, gm_error *err)
{
    static const struct { const char *name; gm_dur_ns ns; } units[] = {
        { "ns", 1 },         { "us", GM_MICROSECOND }, { "ms", GM_MILLISECOND }, { "s", GM_SECOND },   { "m", GM_MINUTE },
        { "min", GM_MINUTE }, { "h", GM_HOUR },         { "d", GM_DAY },          { "w", 7 * GM_DAY },
    };
    // The number is kept as an integer and a decimal scale, so that "0.1s" is exactly 100 ms.
    size_t  at = 0;
    int64_t number = 0, scale = 1;
    bool    any = false, fraction = false, overflow = false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        any = true;
        if (fraction && scale >= GM_SECOND) continue;  // finer than any unit can show
        overflow |= __builtin_mul_overflow(number, (int64_t)10, &number);
        overflow |= __builtin_add_overflow(number, (int64_t)(c - '0'), &number);
        if (fraction) scale *= 10;
    }
    gm_str unit = gm_str_slice(text, at, text.len);
    for (size_t i = 0; any && i < sizeof units / sizeof units[0]; i++) {
        if (!gm_str_is(unit, units[i].name)) continue;
        __extension__ typedef __int128 wide;
        wide ns = (wide)number * units[i].ns / scale;
        if (overflow || ns > INT64_MAX) break;
        *out_dur = (gm_dur_ns)ns;
        return GM_OK;
    }
    return gm_fail(err, GM_INVALID, "base.time", "'" GM_STR_FMT "' is not a length of time such as 250ms, 5m or 24h",
                   (int)(text.len < 60 ? text.len : 60), text.ptr);
}

bool gm_dur_iso_valid(gm_str text)
{
    size_t at = 0;
    if (!take(text, &at, 'P')) return false;
    const char *order     = "YMWD";  // each at most once and in this order; then, after T, HMS
    bool        in_time   = false;
    bool        any       = false;
    while (at < text.len) {
        if (!in_time && take(text, &at, 'T')) {
            in_time = true;
            order   = "HMS";
            any     = false;
            continue;
        }
        size_t first = at;
        while (digits(text, &at, 1) >= 0) {}
        if (at == first) return false;
        bool fraction = take(text, &at, '.') || take(text, &at, ',');
        if (fraction) {
            first = at;
            while (digits(text, &at, 1) >= 0) {}
            if (at == first) return false;
        }
        if (at >= text.len) return false;
        const char *found = strchr(order, text.ptr[at]);
        if (found == NULL || *found == '\0') return false;
        if (fraction && at + 1 != text.len) return false;  // only the smallest part may have one
        order = found + 1;
        at++;
        any = true;
    }
    return any;
}

bool gm_date_valid(gm_str text)
{
    size_t  at = 0;
    int64_t days;
    return read_date(text, &at, &days) && at == text.len;
}

bool gm_time_of_day_valid(gm_str text)
{
    size_t  at = 0;
    int64_t ns, offset;
    if (!read_time_of_day(text, &at, &ns)) return false;
    return at == text.len || (read_offset(text, &at, &offset) && at == text.len);
}
