// One request: its lines, one by one, and what became of them. The usual path is gm_lines_take_fast; keys and fields it does not
// know yet, and everything unusual, go through take_line. Large requests come read (lines_tables.c).
#include "link/lines_internal.h"

#include <stdio.h>

#define WHERE "link.lines"

enum { LETTERS_PER_BATCH = 10 };

// ---- life ---------------------------------------------------------------------------------------------------------
gm_status gm_lines_create(const gm_alloc *alloc, gm_ingest *ingest, gm_lines **out_lines, gm_error *err)
{
    gm_lines *lines = gm_alloc_zeroed(alloc, sizeof *lines);
    *out_lines      = NULL;
    if (lines == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    *lines         = (gm_lines){ .alloc = alloc, .ingest = ingest, .index = gm_index_init(alloc, gm_lines_same_key, lines) };
    lines->scratch = gm_arena_create(alloc, 0);
    lines->cells   = gm_alloc_array(alloc, GM_LINES_RECORD_CELLS, sizeof *lines->cells);
    if (lines->scratch == NULL || lines->cells == NULL) {
        gm_lines_destroy(lines);
        return gm_fail(err, GM_NOMEM, WHERE, "starting");
    }
    *out_lines = lines;
    return GM_OK;
}

void gm_lines_destroy(gm_lines *lines)
{
    if (lines == NULL) return;
    for (size_t i = 0; i < lines->count; i++) {
        gm_free(lines->alloc, lines->keys[i].text);
        for (size_t f = 0; f < lines->keys[i].field_count; f++) gm_free(lines->alloc, (char *)(uintptr_t)lines->keys[i].fields[f].name.ptr);
        gm_free(lines->alloc, lines->keys[i].fields);
    }
    gm_index_finish(&lines->index);
    gm_arena_destroy(lines->scratch);
    gm_free(lines->alloc, lines->keys);
    gm_free(lines->alloc, lines->cells);
    gm_free(lines->alloc, lines);
}

gm_line_batch *gm_lines_begin(gm_lines *lines, gm_arena *arena, gm_dur_ns unit)
{
    gm_line_batch *batch = GM_ARENA_NEW(arena, gm_line_batch, 1);
    if (batch == NULL) return NULL;
    *batch = (gm_line_batch){ .lines = lines, .unit = unit, .first_key = GM_LINES_NOBODY, .last_key = GM_LINES_NOBODY,
                              .before = GM_LINES_NOBODY, .texts = arena, .alloc = gm_arena_alloc(arena) };
    return batch;
}

const gm_lines_result *gm_lines_result_of(const gm_line_batch *batch) { return &batch->result; }

// ---- refusals -----------------------------------------------------------------------------------------------------
// A line that can not be taken. The first ones of a request become dead letters: a person will want to see one, not all.
static void refuse(gm_line_batch *batch, gm_map *map, const char *why, bool malformed)
{
    gm_lines_result *result = &batch->result;
    gm_error         err;
    if (result->rejected++ == 0) snprintf(result->first, sizeof result->first, "line %zu: %s", batch->line.number, why);
    result->malformed |= malformed;
    if (map != NULL) {
        map->stats.rejected++;
        snprintf(map->stats.last_error, sizeof map->stats.last_error, "%s", why);
    }
    if (batch->letters >= LETTERS_PER_BATCH) return;
    batch->letters++;
    gm_str rest = batch->line.key, topic = gm_line_measurement(&rest);
    (void)!gm_ingest_bury(batch->lines->ingest, topic.len > 0 ? topic : GM_STR("line"), batch->line.text, (gm_ask){ 0 }, why, &err);
}

static gm_status fit(gm_line_batch *batch, const gm_line_meaning *f, gm_value *value, gm_value *out, gm_error *err)
{
    if (f->plain && value->kind == GM_KIND_DOUBLE) {
        *out = *value;
        return GM_OK;
    }
    if (value->kind == GM_KIND_STRING) value->s = gm_lines_unescaped(batch->texts, value->s);
    return gm_map_fit(f->leaf, f->rule, value, out, err);
}

// ---- lines --------------------------------------------------------------------------------------------------------
static gm_status time_of(const gm_line_batch *batch, gm_time_ns *out, gm_error *err)
{
    if (!batch->line.has_time) {
        gm_time_ns now = gm_loop_now(batch->lines->ingest->options.loop);
        *out = now - now % GM_MILLISECOND;
        return GM_OK;
    }
    if (__builtin_mul_overflow(batch->line.time, batch->unit, out) || *out < GM_TIME_MIN || *out > GM_TIME_MAX)
        return gm_fail(err, GM_INVALID, WHERE, "the time lies outside the years 1970 to 2200; is the precision right?");
    if (*out > batch->latest)
        return gm_fail(err, GM_INVALID, WHERE, "the time lies too far in the future; is the precision right?");
    return GM_OK;
}

// A point has the value's bits; a text, which is larger, lies beside it.
static gm_status set_point(gm_line_batch *batch, gm_line_point *point, const gm_value *value, gm_error *err)
{
    point->kind = (uint8_t)value->kind;
    if (value->kind == GM_KIND_DOUBLE) {
        point->d = value->d;
    } else if (value->kind == GM_KIND_STRING || value->kind == GM_KIND_JSON) {
        gm_str *text = gm_arena_bytes(batch->texts, sizeof *text);
        if (text == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a text");
        *text    = value->s;
        point->s = text;
    } else {
        point->i = value->i;
    }
    return GM_OK;
}

static gm_status take_fields(gm_line_batch *batch, gm_line_key *k, gm_time_ns at, uint32_t *out_n, gm_error *err)
{
    gm_str      rest = batch->line.fields, name;
    const char *fault = NULL;
    gm_value    value;
    size_t      guess = 0;
    *out_n            = 0;
    while (gm_line_field(&rest, &name, &value, &fault)) {
        const gm_line_meaning *f  = NULL;
        gm_status              st = gm_lines_find_field(batch->lines, k, guess++, name, &f, err);
        if (st != GM_OK) return st;
        if (f->column == GM_NO_COLUMN) continue;
        if (batch->count + *out_n >= GM_LINES_POINTS) return gm_fail(err, GM_INVALID, WHERE, "more than %d fields", GM_LINES_POINTS);
        gm_line_point *point = &batch->points[batch->count + *out_n];
        gm_value       fitted;
        st = fit(batch, f, &value, &fitted, err);
        if (st == GM_OK) st = set_point(batch, point, &fitted, err);
        if (st != GM_OK) return st;
        point->column = (uint16_t)f->column;
        point->at     = at;
        ++*out_n;
    }
    if (fault != NULL) return gm_fail(err, GM_CONFLICT, WHERE, "%s", fault);
    if (*out_n > 0) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, "no field is part of model " GM_STR_FMT, GM_STR_ARG(k->type->id));
}

// GM_LIMIT: not taken yet.
static gm_status take_line(gm_line_batch *batch, gm_error *err)
{
    gm_lines  *lines = batch->lines;
    gm_error   why   = { 0 };
    uint32_t   id = GM_LINES_NOBODY, n;
    gm_time_ns at;
    if (batch->line.fault != NULL) {
        refuse(batch, NULL, batch->line.fault, true);
        return GM_OK;
    }
    gm_status st = gm_lines_find_key(lines, batch->line.key, &id, &why);
    if (st == GM_OK && id >= batch->chain_capacity) {
        size_t had = batch->chain_capacity;
        if (!gm_alloc_reserve(&batch->alloc, &batch->chains, &batch->chain_capacity, lines->capacity, sizeof *batch->chains))
            return gm_fail(err, GM_NOMEM, WHERE, "lines");
        memset(batch->chains + had, 0, (batch->chain_capacity - had) * sizeof *batch->chains);
    }
    if (st == GM_OK) st = time_of(batch, &at, &why);
    if (st == GM_OK) st = take_fields(batch, &lines->keys[id], at, &n, &why);
    gm_map *map = id != GM_LINES_NOBODY && id != GM_INDEX_NONE ? lines->keys[id].map : NULL;
    if (st == GM_OK) {
        gm_lines_add(batch, id, n);
        if (batch->before != GM_LINES_NOBODY) lines->keys[batch->before].after = id;
        batch->before = id;
    } else if (st == GM_INVALID || st == GM_CONFLICT) {
        refuse(batch, map, why.text, st == GM_CONFLICT);
    } else {
        if (err != NULL) *err = why;
        return st;
    }
    if (map != NULL) map->stats.messages++;
    return GM_OK;
}

// The first line whose twin is being created has come up: the others' twins are asked for now too, not one by one.
static void look_ahead(gm_line_batch *batch, gm_str rest)
{
    gm_line  line = { .number = 0 };
    gm_error ignored;
    uint32_t id;
    size_t   left = GM_LINES_POINTS;
    while (left-- > 0 && gm_line_next(&rest, &line)) {
        if (line.fault != NULL) continue;
        gm_status st = gm_lines_find_key(batch->lines, line.key, &id, &ignored);
        if (st != GM_OK && st != GM_INVALID && st != GM_LIMIT) return;
    }
}

void gm_lines_begin_turn(gm_line_batch *batch)
{
    batch->latest = gm_loop_now(batch->lines->ingest->options.loop) + batch->lines->ingest->options.future;
    batch->lines->turn++;
}

gm_status gm_lines_take(gm_line_batch *batch, gm_str *rest, size_t budget, gm_error *err)
{
    size_t start = rest->len;
    gm_lines_begin_turn(batch);
    if (batch->points == NULL) batch->points = gm_arena_bytes(batch->texts, GM_LINES_POINTS * sizeof *batch->points);
    if (batch->points == NULL) return gm_fail(err, GM_NOMEM, WHERE, "lines");
    while (rest->len > 0 && start - rest->len < budget) {
        // What is collected is written before the next line, not after the last: finish has something to ask with.
        if (batch->count + GM_MAP_RULES_MAX > GM_LINES_POINTS) {
            gm_status st = gm_lines_flush(batch, (gm_ask){ 0 }, NULL, err);
            if (st != GM_OK) return st;
        }
        if (gm_lines_take_fast(batch, rest)) continue;
        gm_str after  = *rest;
        size_t number = batch->line.number;
        if (!gm_line_next(&after, &batch->line)) {
            *rest = after;
            break;
        }
        gm_status st = take_line(batch, err);
        if (st == GM_LIMIT) {
            look_ahead(batch, after);
            batch->line.number = number;
            return GM_LIMIT;
        }
        if (st != GM_OK) return st;
        batch->result.lines++;
        *rest = after;
    }
    return GM_OK;
}

// That a twin has gone meanwhile is no matter of whoever waits for the records before it.
static void on_waited(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_line_batch *batch = context;
    (void)token;
    batch->ask.call(batch->ask.context, batch->ask.token, status == GM_CONFLICT ? GM_OK : status, err);
}

gm_status gm_lines_finish(gm_line_batch *batch, gm_ask ask, bool *out_asked, gm_error *err)
{
    gm_status st = gm_lines_flush(batch, ask, out_asked, err);
    if (st != GM_OK || *out_asked || !batch->wrote) return st;
    batch->ask = ask;
    return gm_engine_ask(batch->lines->ingest->engine, (gm_ask){ .call = on_waited, .context = batch }, out_asked, err);
}
