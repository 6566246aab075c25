// Bills of materials walked down, up, and along a position's times.
#include "thread/bom.h"

#include "thread/internal.h"

#include <stdlib.h>

static const char WHERE[] = "thread.bom";

typedef struct item { gm_fact fact; gm_bom_line line; gm_str part; } item;

// The rows of one part, or those that name it.
typedef struct items {
    const gm_thread      *thread;
    const gm_bom_options *options;
    bool                  top;        // the serial that was asked for is this one's
    bool                  up;
    item                 *list;
    size_t                count, capacity;
    gm_status             st;
    gm_error             *err;
} items;

static bool effective(const items *in, const gm_bom_line *line)
{
    uint64_t serial;
    if (line->alternate && !in->options->alternates) return false;
    if (!in->top || line->serial_count == 0 || !gm_serial_number(in->options->serial, &serial)) return true;
    for (size_t i = 0; i < line->serial_count; i++) {
        if (line->serials[i].first <= serial && serial <= line->serials[i].last) return true;
    }
    return false;
}

static bool collect(void *context, const gm_fact *fact)
{
    items *in   = context;
    item   next = { .fact = *fact };
    if (in->options->installed) next.line.position = fact->value.position;
    else if (!gm_str_starts(fact->key, GM_STR(GM_KEY_BOM))) return true;
    else in->st = gm_bom_line_read(fact, &next.line, in->err);
    if (in->st != GM_OK || !effective(in, &next.line)) return in->st == GM_OK;
    if (in->up && in->options->phase != GM_PHASE_COUNT && !in->options->installed && fact->phase != in->options->phase) return true;
    next.part = in->options->installed != in->up ? fact->twin : fact->value.text;  // up: what it is used in
    if (!gm_alloc_reserve(in->thread->alloc, &in->list, &in->capacity, in->count + 1, sizeof *in->list)) {
        in->st = gm_fail(in->err, GM_NOMEM, WHERE, "a bill of materials");
        return false;
    }
    in->list[in->count++] = next;
    return true;
}

static int by_position(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int         c = gm_position_compare(x->line.position, y->line.position);
    if (c == 0) c = (int)x->line.alternate - (int)y->line.alternate;
    if (c == 0) c = gm_position_compare(x->line.variant, y->line.variant);
    if (c == 0) c = gm_str_cmp(x->part, y->part);
    return c != 0 ? c : (x->fact.from > y->fact.from) - (x->fact.from < y->fact.from);
}

// items.list is the caller's to free, also after an error.
static gm_status list_items(items *in, gm_str part)
{
    const gm_bom_options *o = in->options;
    if (in->up && o->installed) gm_thread_show(in->thread, part, GM_PHASE_COUNT, o->valid, o->known, collect, in);
    else if (in->up) gm_thread_mentions(in->thread, part, GM_STR(GM_KEY_BOM), GM_MENTION_HOLDS, o->valid, o->known, collect, in);
    else if (o->installed) gm_thread_mentions(in->thread, part, GM_STR(GM_KEY_INSTALLED), GM_MENTION_HOLDS, o->valid, o->known, collect, in);
    else if (o->ever) gm_thread_stretches(in->thread, part, o->phase, o->known, collect, in);
    else gm_thread_show(in->thread, part, o->phase, o->valid, o->known, collect, in);
    if (in->st == GM_OK && in->count > 1) qsort(in->list, in->count, sizeof *in->list, by_position);
    return in->st;
}

typedef struct walk {
    const gm_thread      *thread;
    const gm_bom_options *options;
    gm_bom_each          *each;
    void                 *context;
    bool                  up, stopped;
    uint32_t              rows;
    uint8_t              *been;       // ever: a bit for each name whose rows have been told
    gm_error             *err;
} walk;

// What is used in many places and at many times is told once.
static bool been_there(walk *w, gm_str part)
{
    uint32_t id = w->been != NULL ? gm_index_find(&w->thread->name_index, part) : GM_INDEX_NONE;
    if (id == GM_INDEX_NONE) return false;
    bool before = (w->been[id / 8] & (1U << id % 8)) != 0;
    w->been[id / 8] |= (uint8_t)(1U << id % 8);
    return before;
}

static gm_status walk_part(walk *w, gm_str part, uint32_t level, double total)
{
    if (been_there(w, part)) return GM_OK;
    items     in = { .thread = w->thread, .options = w->options, .top = level == 1 && !w->up, .up = w->up, .err = w->err };
    gm_status st = list_items(&in, part);
    if (st == GM_OK && level > GM_CONTAINMENT_DEPTH_MAX + 1) st = gm_fail(w->err, GM_LIMIT, WHERE, "a bill of materials is too deep");
    for (size_t i = 0; st == GM_OK && !w->stopped && i < in.count; i++) {
        const item *it  = &in.list[i];
        gm_bom_row  row = { .level = level, .part = w->up ? part : it->part, .assembly = w->up ? it->part : part, .position = it->line.position,
                            .variant = it->line.variant, .quantity = it->fact.value.number, .total = total * it->fact.value.number,
                            .alternate = it->line.alternate, .fact = &it->fact };
        if (w->options->installed && w->up && !gm_str_is(it->fact.key, GM_KEY_INSTALLED)) continue;
        if (++w->rows > GM_BOM_ROWS_MAX) st = gm_fail(w->err, GM_LIMIT, WHERE, "a bill of materials has more than %d rows; ask for fewer levels", GM_BOM_ROWS_MAX);
        else if (!w->each(w->context, &row)) w->stopped = true;
        else if (w->options->levels == 0 || level < w->options->levels) st = walk_part(w, it->part, level + 1, row.total);
    }
    gm_free(w->thread->alloc, in.list);
    return st;
}

gm_status gm_bom_show(const gm_thread *t, gm_str top, const gm_bom_options *options, gm_bom_each *each, void *context, gm_error *err)
{
    walk w = { .thread = t, .options = options, .each = each, .context = context, .err = err };
    if (options->ever) w.been = gm_alloc_zeroed(t->alloc, t->name_count / 8 + 1);
    gm_status st = options->ever && w.been == NULL ? gm_fail(err, GM_NOMEM, WHERE, "a bill of materials") : walk_part(&w, top, 1, 1.0);
    gm_free(t->alloc, w.been);
    return st;
}

gm_status gm_bom_where_used(const gm_thread *t, gm_str part, const gm_bom_options *options, gm_bom_each *each, void *context, gm_error *err)
{
    walk w = { .thread = t, .options = options, .each = each, .context = context, .up = true, .err = err };
    return walk_part(&w, part, 1, 1.0);
}

// ---- gaps -----------------------------------------------------------------------------------------------------------

typedef struct gap_walk {
    const gm_thread *thread;
    gm_bom_gap_each *each;
    void            *context;
    gm_time_ns       known;
    const uint32_t  *lines;       // of the position
    size_t           line_count;
    gm_str           position;
    bool             stopped;
    gm_status        st;
    gm_error        *err;
} gap_walk;

// The serials for which something is effective at `at`, and until when nothing changes.
static size_t ranges_at(gap_walk *g, gm_time_ns at, gm_serials *out, size_t most, gm_time_ns *out_end)
{
    size_t n = 0;
    *out_end = INT64_MAX;
    for (size_t i = 0; i < g->line_count; i++) {
        const fact_line *l = &g->thread->lines[g->lines[i]];
        gm_time_ns  end;
        gm_fact     f;
        gm_bom_line row;
        uint32_t    number = gm_line_at(g->thread, l, gm_line_known(g->thread, l, g->known), at, &end);
        if (end < *out_end) *out_end = end;
        if (number == NO_ROW) continue;
        gm_thread_fact(g->thread, number, &f);
        gm_status st = gm_bom_line_read(&f, &row, g->err);
        if (st != GM_OK) g->st = st;
        if (st != GM_OK || f.value.kind != GM_FACT_PART || row.alternate) continue;
        if (row.serial_count == 0 && n < most) out[n++] = (gm_serials){ 0, UINT64_MAX };
        for (size_t k = 0; k < row.serial_count && n < most; k++) out[n++] = row.serials[k];
    }
    return n;
}

static int by_first(const void *a, const void *b)
{
    const gm_serials *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void tell_gap(gap_walk *g, bool overlap, gm_time_ns from, gm_time_ns to, uint64_t first, uint64_t last)
{
    gm_bom_gap gap = { g->position, overlap, from, to, first, last };
    if (!g->stopped && !g->each(g->context, &gap)) g->stopped = true;
}

enum { RANGES_MOST = 1024 };

// One stretch of time: serials between the first and the last of all times that nobody, or more than one, serves.
static void judge(gap_walk *g, gm_serials *r, size_t n, gm_time_ns from, gm_time_ns to, gm_serials whole)
{
    qsort(r, n, sizeof *r, by_first);
    uint64_t next = whole.first;  // the first serial that is not judged yet
    bool     done = false;
    for (size_t i = 0; i < n; i++) {
        if (!done && r[i].first > next) tell_gap(g, false, from, to, next, r[i].first - 1);
        uint64_t end = r[i].last;
        if (i > 0 && (done || r[i].first < next)) tell_gap(g, true, from, to, r[i].first, done || end < next - 1 ? end : next - 1);
        if (end == UINT64_MAX) done = true;
        else if (!done && end + 1 > next) next = end + 1;
    }
    if (!done && next <= whole.last) tell_gap(g, false, from, to, next, whole.last);
}

static void judge_position(gap_walk *g)
{
    gm_serials ranges[RANGES_MOST], whole = { UINT64_MAX, 0 };
    gm_time_ns begin = INT64_MAX, last = INT64_MIN, end;
    for (gm_time_ns at = INT64_MIN; g->st == GM_OK; at = end) {  // when and for which serials the position is there at all
        size_t n = ranges_at(g, at, ranges, RANGES_MOST, &end);
        for (size_t i = 0; i < n; i++) {
            whole.first = ranges[i].first < whole.first ? ranges[i].first : whole.first;
            whole.last  = ranges[i].last > whole.last ? ranges[i].last : whole.last;
        }
        if (n > 0 && begin == INT64_MAX) begin = at;
        if (n > 0) last = end;
        if (end == INT64_MAX) break;
    }
    for (gm_time_ns at = begin; g->st == GM_OK && begin < last && at < last && !g->stopped; at = end) {
        size_t n = ranges_at(g, at, ranges, RANGES_MOST, &end);
        judge(g, ranges, n, at, end, whole);
        if (end == INT64_MAX) break;
    }
}

typedef struct place { gm_bom_line line; uint32_t number; } place;

static int by_place(const void *a, const void *b)
{
    return gm_position_compare(((const place *)a)->line.position, ((const place *)b)->line.position);
}

gm_status gm_bom_gaps(const gm_thread *t, gm_str assembly, const gm_bom_options *options, gm_bom_gap_each *each, void *context, gm_error *err)
{
    gap_walk  g      = { .thread = t, .each = each, .context = context, .known = options->known, .err = err };
    place    *places = NULL;
    size_t    count = 0, capacity = 0;
    uint32_t *numbers = NULL, id = gm_index_find(&t->name_index, assembly);
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE; at != NO_LINE; at = t->lines[at].next) {
        const fact_line *l = &t->lines[at];
        gm_fact     f = { .key = t->names[l->key].text };
        if (!gm_str_starts(f.key, GM_STR(GM_KEY_BOM)) || (options->phase != GM_PHASE_COUNT && l->phase != (uint8_t)options->phase)) continue;
        if (!gm_alloc_reserve(t->alloc, &places, &capacity, count + 1, sizeof *places)) g.st = gm_fail(err, GM_NOMEM, WHERE, "a bill of materials");
        else {
            (void)!gm_bom_line_read(&f, &places[count].line, NULL);  // of the key alone: it can not fail
            places[count++].number = at;
        }
    }
    if (count > 1) qsort(places, count, sizeof *places, by_place);
    numbers = gm_alloc_array(t->alloc, count, sizeof *numbers);
    if (numbers == NULL) g.st = gm_fail(err, GM_NOMEM, WHERE, "a bill of materials");
    g.lines = numbers;
    for (size_t i = 0; g.st == GM_OK && !g.stopped && i < count; i++) {
        if (i == 0 || by_place(&places[i - 1], &places[i]) != 0) g.line_count = 0;
        numbers[g.line_count++] = places[i].number;
        g.position              = places[i].line.position;
        if (i + 1 == count || by_place(&places[i], &places[i + 1]) != 0) judge_position(&g);
    }
    gm_free(t->alloc, places);
    gm_free(t->alloc, numbers);
    return g.st;
}
