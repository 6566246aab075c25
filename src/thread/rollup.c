// What a bill of materials adds up to. Every part is added up once and remembered, so that a bolt in ten thousand places costs one.
#include "base/units.h"
#include "thread/bom.h"
#include "thread/internal.h"

#include <stdio.h>

static const char WHERE[] = "thread.rollup";

typedef struct part_sum { double sum; bool done; } part_sum;

typedef struct adding {
    const gm_thread      *thread;
    const gm_bom_options *options;
    gm_str                key;
    char                  added[GM_FACT_KEY_MAX + 8];
    part_sum             *sums;    // by name
    gm_bom_sum           *out;
    bool                  has_unit;
    gm_unit               unit;
    bool                  physical;  // the unit is one of measurement; else its text must agree (EUR)
    gm_error             *err;
} adding;

// The value of a part's fact, in the unit of the sum (the first that was met). *out_there: it says something.
static gm_status value_of(adding *a, gm_str part, gm_str key, double *out, bool *out_there)
{
    const gm_bom_options *o = a->options;
    gm_fact               f;
    gm_unit               unit;
    *out_there = gm_thread_read(a->thread, part, GM_PHASE_BUILT, key, o->valid, o->known, &f) ||
                 gm_thread_read(a->thread, part, GM_PHASE_DESIGNED, key, o->valid, o->known, &f);
    if (*out_there && f.value.kind != GM_FACT_NUMBER) *out_there = false;
    if (!*out_there) return GM_OK;
    bool physical = gm_unit_parse(f.value.unit, &unit, NULL) == GM_OK;
    *out          = f.value.number;
    if (!a->has_unit) {
        snprintf(a->out->unit, sizeof a->out->unit, GM_STR_FMT, GM_STR_ARG(f.value.unit));
        a->unit     = unit;
        a->physical = physical;
        a->has_unit = true;
        return GM_OK;
    }
    if (gm_str_is(f.value.unit, a->out->unit)) return GM_OK;
    if (!physical || !a->physical || !gm_unit_comparable(&unit, &a->unit))
        return gm_fail(a->err, GM_INVALID, WHERE, "'" GM_STR_FMT "' of '" GM_STR_FMT "' is in '" GM_STR_FMT "', which can not be added to '%.30s'",
                       GM_STR_ARG(gm_str_slice(key, 0, 30)), GM_STR_ARG(gm_str_slice(part, 0, 40)), GM_STR_ARG(gm_str_slice(f.value.unit, 0, 30)), a->out->unit);
    *out = gm_unit_from_si(&a->unit, gm_unit_to_si(&unit, *out));
    return GM_OK;
}

typedef struct child { gm_str part; double quantity; } child;
typedef struct children { const gm_thread *thread; child *list; size_t count, capacity; bool failed; } children;

static bool note_child(void *context, const gm_bom_row *row)
{
    children *c = context;
    c->failed   = !gm_alloc_reserve(c->thread->alloc, &c->list, &c->capacity, c->count + 1, sizeof *c->list);
    if (!c->failed) c->list[c->count++] = (child){ row->part, row->quantity };
    return !c->failed;
}

static gm_status add_part(adding *a, gm_str part, bool top, uint32_t depth, double *out);

static gm_status add_children(adding *a, const children *c, gm_str part, uint32_t depth, double *out)
{
    double    one = 0.0;
    bool      there;
    gm_status st = value_of(a, part, gm_str_of(a->added), out, &there);
    if (!there) *out = 0.0;
    for (size_t i = 0; st == GM_OK && i < c->count; i++) {
        st = add_part(a, c->list[i].part, false, depth + 1, &one);
        *out += c->list[i].quantity * one;
    }
    return st;
}

static gm_status add_part(adding *a, gm_str part, bool top, uint32_t depth, double *out)
{
    uint32_t       id    = gm_index_find(&a->thread->name_index, part);
    children       c     = { .thread = a->thread };
    gm_bom_options one   = *a->options;
    bool           there = false;
    if (id != GM_INDEX_NONE && a->sums[id].done) {
        *out = a->sums[id].sum;
        return GM_OK;
    }
    one.levels = 1;
    if (!top) one.serial = (gm_str){ 0 };
    one.alternates = false;
    if (depth > GM_CONTAINMENT_DEPTH_MAX + 1) return gm_fail(a->err, GM_LIMIT, WHERE, "a bill of materials is too deep");
    gm_status st = gm_bom_show(a->thread, part, &one, note_child, &c, a->err);
    if (st == GM_OK && c.failed) st = gm_fail(a->err, GM_NOMEM, WHERE, "adding up");
    *out = 0.0;
    if (st == GM_OK && c.count > 0) st = add_children(a, &c, part, depth, out);
    else if (st == GM_OK) st = value_of(a, part, a->key, out, &there);
    if (st == GM_OK && c.count == 0 && !there) {
        if (a->out->missing_count < GM_BOM_MISSING_MAX) a->out->missing[a->out->missing_count] = id != GM_INDEX_NONE ? a->thread->names[id].text : part;
        a->out->missing_count++;
    }
    a->out->parts += there;
    gm_free(a->thread->alloc, c.list);
    if (id != GM_INDEX_NONE) a->sums[id] = (part_sum){ *out, true };
    return st;
}

gm_status gm_bom_rollup(const gm_thread *t, gm_str top, gm_str key, const gm_bom_options *options, gm_bom_sum *out, gm_error *err)
{
    adding a = { .thread = t, .options = options, .key = key, .out = out, .err = err };
    bool   there;
    *out     = (gm_bom_sum){ 0 };
    if (key.len == 0 || key.len > GM_FACT_KEY_MAX) return gm_fail(err, GM_INVALID, WHERE, "what is to be added up? mass, cost, carbon ...");
    snprintf(a.added, sizeof a.added, GM_STR_FMT " added", GM_STR_ARG(key));
    a.sums = gm_alloc_zeroed(t->alloc, (t->name_count + 1) * sizeof *a.sums);
    if (a.sums == NULL) return gm_fail(err, GM_NOMEM, WHERE, "adding up");
    gm_status st = add_part(&a, top, true, 1, &out->total);
    if (st == GM_OK) st = value_of(&a, top, key, &out->declared, &there);
    out->has_declared = st == GM_OK && there;
    gm_free(t->alloc, a.sums);
    return st;
}
