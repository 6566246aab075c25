// Who sends in bulk sends the same keys in the same order again and again, numbers with few digits, and a time. Such a line is
// taken in one pass here. Everything that is not exactly that is left to the careful path, which decides what it means: so
// nothing here refuses a line, and both agree (tests/link/test_lines.c compares them).
#include "link/line_number.h"
#include "link/lines_internal.h"

bool gm_lines_take_fast(gm_line_batch *batch, gm_str *rest)
{
    gm_lines *lines = batch->lines;
    if (batch->before == GM_LINES_NOBODY) return false;
    uint32_t id = lines->keys[batch->before].after;
    if (id == GM_LINES_NOBODY || id >= batch->chain_capacity) return false;
    gm_line_key *k = &lines->keys[id];
    const char  *p = rest->ptr, *end = p + rest->len;
    // The key was found by the same rule in the same bytes, so the space behind it is the one that ends it.
    if (rest->len <= k->len || memcmp(p, k->text, k->len) != 0 || p[k->len] != ' ' || !gm_lines_key_holds(lines, k)) return false;
    p += k->len + 1;
    uint32_t n = 0;
    for (;; n++) {
        if (n >= k->field_count) return false;
        const gm_line_meaning *f     = &k->fields[n];
        gm_line_point         *point = &batch->points[batch->count + n];
        if (!f->plain || (size_t)(end - p) <= f->name.len || p[f->name.len] != '=' || memcmp(p, f->name.ptr, f->name.len) != 0) return false;
        p = gm_line_number(p + f->name.len + 1, end, &point->d);
        if (p == NULL || p >= end) return false;
        point->column = (uint16_t)f->column;
        point->kind   = GM_KIND_DOUBLE;
        if (*p != ',') break;
        p++;
    }
    int64_t    time;
    gm_time_ns at;
    if (*p != ' ' || (p = gm_line_time(p + 1, end, &time)) == NULL || (p < end && *p != '\n')) return false;
    if (__builtin_mul_overflow(time, batch->unit, &at) || at < GM_TIME_MIN || at > GM_TIME_MAX || at > batch->latest) return false;
    for (uint32_t i = 0; i <= n; i++) batch->points[batch->count + i].at = at;
    gm_lines_add(batch, id, n + 1);
    if (k->map != NULL) k->map->stats.messages++;
    batch->before = id;
    batch->line.number++;
    batch->result.lines++;
    *rest = p < end ? (gm_str){ p + 1, (size_t)(end - p - 1) } : (gm_str){ end, 0 };
    return true;
}
