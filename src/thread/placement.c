// Which part is where: the rules that keep containment a forest at every moment. Judged by what is known now; a fact is refused, or
// with `replace` overrules what was said of that time.
#include "thread/internal.h"

static const char WHERE[] = "thread.placement";
enum { STEPS_MOST = 200000 };  // rows looked at for one fact

static gm_status refuse_elsewhere(const gm_fact *fact, const gm_fact *there, gm_time_ns at, gm_error *err)
{
    char text[GM_TIME_TEXT];
    gm_time_format(at > GM_TIME_MIN ? at : GM_TIME_MIN, text);
    return gm_fail(err, GM_CONFLICT, WHERE, "'" GM_STR_FMT "' is installed in '" GM_STR_FMT "' at %s: take it out first, or move it",
                   GM_STR_ARG(gm_str_slice(fact->twin, 0, 50)), GM_STR_ARG(gm_str_slice(there->value.text, 0, 50)), text);
}

// Nobody else may hold the part anywhere in [from, to).
static gm_status check_elsewhere(const gm_thread *t, const gm_fact *fact, gm_error *err)
{
    uint32_t   id = gm_thread_find_line(t, fact->twin, PLACE, fact->key);
    gm_time_ns end;
    gm_fact    there;
    if (id == NO_LINE || fact->replace) return GM_OK;
    const fact_line *l = &t->lines[id];
    for (gm_time_ns at = fact->from; at < fact->to; at = end) {
        uint32_t number = gm_line_at(t, l, l->count, at, &end);
        if (number != NO_ROW) {
            gm_thread_fact(t, number, &there);
            if (there.value.kind == GM_FACT_PART && !gm_str_eq(there.value.text, fact->value.text)) return refuse_elsewhere(fact, &there, at, err);
        }
        if (end == INT64_MAX) break;
    }
    return GM_OK;
}

// Up from a holder, through the times at which it was held itself: does the way lead back to the part?
static gm_status check_above(const gm_thread *t, gm_str part, gm_str holder, gm_time_ns from, gm_time_ns to, int depth, int *steps, gm_error *err)
{
    gm_time_ns end;
    gm_fact    there;
    if (gm_str_eq(part, holder))
        return gm_fail(err, GM_CONFLICT, WHERE, "'" GM_STR_FMT "' would contain itself", GM_STR_ARG(gm_str_slice(part, 0, 100)));
    if (depth == GM_CONTAINMENT_DEPTH_MAX || ++*steps > STEPS_MOST)
        return gm_fail(err, GM_LIMIT, WHERE, "assemblies are nested more than %d deep", GM_CONTAINMENT_DEPTH_MAX);
    uint32_t id = gm_thread_find_line(t, holder, PLACE, GM_STR(GM_KEY_INSTALLED));
    if (id == NO_LINE) return GM_OK;
    const fact_line *l  = &t->lines[id];
    gm_status   st = GM_OK;
    for (gm_time_ns at = from; st == GM_OK && at < to; at = end) {
        uint32_t number = gm_line_at(t, l, l->count, at, &end);
        if (number != NO_ROW) {
            gm_thread_fact(t, number, &there);
            if (there.value.kind == GM_FACT_PART) st = check_above(t, part, there.value.text, at, end < to ? end : to, depth + 1, steps, err);
        }
        if (end == INT64_MAX) break;
    }
    return st;
}

gm_status gm_placement_check(const gm_thread *t, const gm_fact *fact, gm_error *err)
{
    int steps = 0;
    if (fact->value.kind != GM_FACT_PART) return GM_OK;
    gm_status st = check_elsewhere(t, fact, err);
    return st == GM_OK ? check_above(t, fact->twin, fact->value.text, fact->from, fact->to, 0, &steps, err) : st;
}

// ---- bills of materials ---------------------------------------------------------------------------------------------

typedef struct descent {
    const gm_thread *thread;
    gm_str           top;
    int              depth, steps;
    uint8_t         *seen;   // a bit for each name; made when it begins to pay
    gm_status        st;
    gm_error        *err;
} descent;

enum { MARK_FROM = 256 };

// Was the part looked below already? Parts that are used in many places would else be walked for each.
static bool seen(descent *d, uint32_t id)
{
    if (d->seen == NULL && d->steps > MARK_FROM) d->seen = gm_alloc_zeroed(d->thread->alloc, d->thread->name_count / 8 + 1);
    if (d->seen == NULL || id == GM_INDEX_NONE) return false;
    bool before = (d->seen[id / 8] >> id % 8 & 1) != 0;
    d->seen[id / 8] |= (uint8_t)(1u << id % 8);
    return before;
}


// Down from a part through all rows that were ever valid and are not overruled: the same part may not come back at any time.
// Judged without times: a bill that would contain itself only on some days is refused, too.
static void look_below(descent *d, gm_str part)
{
    const gm_thread *t  = d->thread;
    uint32_t         id = gm_index_find(&t->name_index, part);
    gm_fact          fact;
    if (gm_str_eq(part, d->top)) {
        d->st = gm_fail(d->err, GM_CONFLICT, WHERE, "the bill of materials of '" GM_STR_FMT "' would contain itself", GM_STR_ARG(gm_str_slice(part, 0, 100)));
        return;
    }
    if (d->depth == GM_CONTAINMENT_DEPTH_MAX) {
        d->st = gm_fail(d->err, GM_LIMIT, WHERE, "bills of materials are nested more than %d deep", GM_CONTAINMENT_DEPTH_MAX);
        return;
    }
    if (seen(d, id)) return;
    d->depth++;
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE; d->st == GM_OK && at != NO_LINE; at = t->lines[at].next) {
        const fact_line *l = &t->lines[at];
        if (!gm_str_starts(t->names[l->key].text, GM_STR(GM_KEY_BOM))) continue;
        for (gm_time_ns when = INT64_MIN, end; d->st == GM_OK; when = end) {
            uint32_t number = gm_line_at(t, l, l->count, when, &end);
            if (number != NO_ROW) gm_thread_fact(t, number, &fact);
            if (number != NO_ROW && fact.value.kind == GM_FACT_PART) look_below(d, fact.value.text);
            if (d->st == GM_OK && ++d->steps > STEPS_MOST)
                d->st = gm_fail(d->err, GM_LIMIT, WHERE, "there is too much below '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(d->top, 0, 100)));
            if (end == INT64_MAX) break;
        }
    }
    d->depth--;
}

gm_status gm_bom_row_check(const gm_thread *t, const gm_fact *fact, gm_error *err)
{
    descent d = { .thread = t, .top = fact->twin, .err = err };
    if (fact->value.kind != GM_FACT_PART) return GM_OK;
    look_below(&d, fact->value.text);
    gm_free(t->alloc, d.seen);
    return d.st;
}
