#include "state/times.h"

#include "state/state.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a row's bytes are the low ones of a word");

enum { WIDTH_MOST = 8 };

static size_t size_of(uint32_t width) { return width > 0 ? (size_t)GM_TIMES_ROWS * width + sizeof(uint64_t) : 0; }

static uint64_t most_of(uint32_t width) { return width < WIDTH_MOST ? (UINT64_C(1) << 8 * width) - 1 : UINT64_MAX; }

// With as much room again behind it, so that time can go on for a while before a stretch is packed anew.
static uint32_t width_for(uint64_t span)
{
    uint32_t width = 0;
    while (width < WIDTH_MOST && span > most_of(width) / 2) width++;
    return width;
}

void gm_times_read(const gm_times *times, uint32_t first, size_t n, gm_time_ns *out)
{
    for (size_t i = 0; i < n; i++) out[i] = gm_times_get(times, first + (uint32_t)i);
}

gm_status gm_times_reserve(gm_times *times, const gm_alloc *alloc, uint32_t rows)
{
    size_t count = ((size_t)rows + GM_TIMES_ROWS - 1) / GM_TIMES_ROWS;
    if (count <= times->count) return GM_OK;
    gm_times_part *parts = gm_realloc_array(alloc, times->parts, count, sizeof *parts);
    if (parts == NULL) return GM_NOMEM;
    memset(parts + times->count, 0, (count - times->count) * sizeof *parts);
    times->bytes += (count - times->count) * sizeof *parts;
    times->parts = parts;
    times->count = count;
    return GM_OK;
}

// The part gets this base and a width that has room for `span`; what it held is `values`, of n rows.
static gm_status pack(gm_times *times, const gm_alloc *alloc, gm_times_part *part, gm_time_ns base, uint64_t span,
                      const gm_time_ns *source, const gm_time_ns *values, size_t n)
{
    uint32_t width = width_for(span);
    if (width > part->width) {
        uint8_t *bytes = gm_alloc_zeroed(alloc, size_of(width));
        if (bytes == NULL) return GM_NOMEM;
        gm_free(alloc, part->bytes);
        times->bytes += size_of(width) - size_of(part->width);
        part->bytes = bytes;
        part->width = width;
        part->most  = most_of(width);
    }
    part->base = base;
    gm_times one = { .parts = part };
    for (size_t i = 0; i < n; i++) {
        if (source[i] != GM_ABSENT) gm_times_set(&one, (uint32_t)i, values[i]);
    }
    return GM_OK;
}

gm_status gm_times_fill(gm_times *times, const gm_alloc *alloc, const gm_time_ns *source, uint32_t first, size_t n,
                        const gm_time_ns *values)
{
    gm_time_ns low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        if (source[first + i] == GM_ABSENT) continue;
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
    }
    if (low > high) return GM_OK;
    return pack(times, alloc, &times->parts[first / GM_TIMES_ROWS], low, (uint64_t)high - (uint64_t)low, source + first, values, n);
}

gm_status gm_times_room(gm_times *times, const gm_alloc *alloc, const gm_time_ns *source, uint32_t rows, uint32_t row, gm_time_ns value)
{
    gm_times_part *part = &times->parts[row / GM_TIMES_ROWS];
    if (value >= part->base && (uint64_t)value - (uint64_t)part->base <= part->most) return GM_OK;
    uint32_t   first = row / GM_TIMES_ROWS * GM_TIMES_ROWS, n = rows - first < GM_TIMES_ROWS ? rows - first : GM_TIMES_ROWS;
    gm_time_ns values[GM_TIMES_ROWS], low = value, high = value;
    for (uint32_t i = 0; i < n; i++) {
        if (source[first + i] == GM_ABSENT) continue;
        values[i] = gm_times_get(times, first + i);  // of the row itself, too: what comes may be refused elsewhere yet
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
    }
    return pack(times, alloc, part, low, (uint64_t)high - (uint64_t)low, source + first, values, n);
}

void gm_times_finish(gm_times *times, const gm_alloc *alloc)
{
    for (size_t i = 0; i < times->count; i++) gm_free(alloc, times->parts[i].bytes);
    gm_free(alloc, times->parts);
    *times = (gm_times){ 0 };
}
