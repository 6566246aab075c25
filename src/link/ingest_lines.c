// The hot path is take_line: one hash and one comparison for the key, a guess for each field's name, one number, one
// point into the batch. Everything else happens once per key or once per record.
#include "link/ingest_lines.h"

#include "base/index.h"
#include "link/ingest_internal.h"
#include "link/line.h"
#include "link/template.h"

#include <assert.h>
#include <stdio.h>

#define WHERE "link.lines"

enum { TAGS_MAX = 64, RECORD_CELLS = 4096, LETTERS_PER_BATCH = 10 };
#define NOBODY UINT32_MAX

// What a field of a key means; column GM_NO_COLUMN: nothing, and that is no mistake.
typedef struct field {
    gm_str             name;    // as written
    uint32_t           column;
    const gm_column   *leaf;
    const gm_map_rule *rule;
} field;

typedef struct key {
    char          *text;
    uint32_t       len;
    gm_map        *map;         // NULL: the default
    gm_twin        twin;
    const gm_type *type;
    field         *fields;
    size_t         field_count, field_capacity;
} key;

struct gm_lines {
    const gm_alloc *alloc;
    gm_ingest      *ingest;
    gm_index        index;
    key            *keys;
    size_t          count, capacity;
    gm_arena       *scratch;    // of a key being resolved
    gm_cell_write  *cells;      // [RECORD_CELLS]
};

typedef struct point { gm_cell_write cell; uint32_t next; } point;
typedef struct chain { uint32_t first, last, count, next_key; } chain;

struct gm_line_batch {
    gm_lines       *lines;
    gm_dur_ns       unit;
    gm_arena       *texts;      // strings without their backslashes
    gm_alloc        alloc;      // of the same arena
    point          *points;
    size_t          count;
    chain          *chains;     // by key
    size_t          chain_capacity;
    uint32_t        first_key, last_key;  // keys with points, in the order of their first
    gm_line         line;       // the one under way
    size_t          letters;
    gm_lines_result result;
};

// ---- life ---------------------------------------------------------------------------------------------------------
static bool same_key(const void *owner, uint32_t id, gm_str text)
{
    const key *k = &((const gm_lines *)owner)->keys[id];
    return k->len == text.len && memcmp(k->text, text.ptr, text.len) == 0;
}

gm_status gm_lines_create(const gm_alloc *alloc, gm_ingest *ingest, gm_lines **out_lines, gm_error *err)
{
    gm_lines *lines = gm_alloc_zeroed(alloc, sizeof *lines);
    *out_lines      = NULL;
    if (lines == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    *lines         = (gm_lines){ .alloc = alloc, .ingest = ingest, .index = gm_index_init(alloc, same_key, lines) };
    lines->scratch = gm_arena_create(alloc, 0);
    lines->cells   = gm_alloc_array(alloc, RECORD_CELLS, sizeof *lines->cells);
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
    *batch        = (gm_line_batch){ .lines = lines, .unit = unit, .first_key = NOBODY, .last_key = NOBODY, .texts = arena,
                                     .alloc = gm_arena_alloc(arena) };
    batch->points = GM_ARENA_NEW(arena, point, GM_LINES_POINTS);
    return batch->points != NULL ? batch : NULL;
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

// ---- keys ---------------------------------------------------------------------------------------------------------
typedef struct naming {
    gm_str         measurement;
    gm_map_capture captures[GM_MAP_CAPTURES_MAX];
    size_t         capture_count, tag_count;
    gm_map_capture tags[TAGS_MAX];
} naming;

static bool find_name(const void *context, gm_str name, gm_str *out)
{
    const naming *n = context;
    for (size_t i = 0; i < n->tag_count; i++) {
        if (!gm_str_eq(n->tags[i].name, name)) continue;
        *out = n->tags[i].value;
        return true;
    }
    for (size_t i = 0; i < n->capture_count; i++) {
        if (!gm_str_eq(n->captures[i].name, name)) continue;
        *out = n->captures[i].value;
        return true;
    }
    *out = n->measurement;
    return gm_str_is(name, "measurement");
}

static gm_str unescaped(gm_arena *arena, gm_str text)
{
    if (memchr(text.ptr, '\\', text.len) == NULL) return text;
    gm_alloc alloc = gm_arena_alloc(arena);
    gm_buf   out   = gm_buf_init(&alloc);
    gm_line_unescape(text, &out);
    return out.failed ? text : gm_buf_view(&out);
}

// GM_INVALID: the key is no key.
static gm_status read_key(gm_arena *arena, gm_str text, naming *out, gm_error *err)
{
    const char *fault = NULL;
    gm_str      name, value;
    out->measurement = unescaped(arena, gm_line_measurement(&text));
    out->tag_count   = 0;
    while (gm_line_tag(&text, &name, &value, &fault)) {
        if (out->tag_count == TAGS_MAX) return gm_fail(err, GM_INVALID, WHERE, "more than %d tags", TAGS_MAX);
        out->tags[out->tag_count++] = (gm_map_capture){ unescaped(arena, name), unescaped(arena, value) };
    }
    return fault == NULL ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "%s", fault);
}

static gm_status name_twin(const gm_lines *lines, const naming *n, const gm_map *map, gm_buf *out, gm_error *err)
{
    if (map != NULL) return gm_template_fill(map->twin, find_name, n, out, err);
    gm_str twin = n->measurement;
    (void)find_name(n, GM_STR("twin"), &twin);
    gm_buf_str(out, twin);
    (void)lines;
    return out->failed ? gm_fail(err, GM_NOMEM, WHERE, "a line") : GM_OK;
}

// Which mapping and twin a key means. GM_LIMIT: the twin is being created. GM_INVALID: err says why there is none.
static gm_status resolve(gm_lines *lines, gm_str text, key *out, gm_error *err)
{
    gm_ingest *ingest = lines->ingest;
    gm_maps   *maps   = ingest->options.maps;
    naming     n      = { .capture_count = 0 };
    gm_arena_clear(lines->scratch);
    gm_alloc  alloc = gm_arena_alloc(lines->scratch);
    gm_status st    = read_key(lines->scratch, text, &n, err);
    if (st != GM_OK) return st;
    bool mapped = maps != NULL && gm_maps_have_lines(maps);
    out->map    = mapped ? gm_maps_of_measurement(maps, n.measurement) : NULL;
    if (mapped && out->map == NULL) {
        return gm_fail(err, GM_INVALID, WHERE, "no mapping takes the measurement '" GM_STR_FMT "'",
                       GM_STR_ARG(gm_str_slice(n.measurement, 0, 60)));
    }
    if (mapped && out->map->measurement.len > 0)
        (void)gm_map_pattern_fits(out->map->measurement, n.measurement, n.captures, &n.capture_count);
    gm_buf id = gm_buf_init(&alloc), body = gm_buf_init(&alloc);
    st        = name_twin(lines, &n, out->map, &id, err);
    if (st != GM_OK) return st;
    out->twin = gm_state_find(gm_engine_state(ingest->engine), gm_buf_view(&id));
    if (gm_twin_ok(out->twin)) {
        out->type = gm_state_type(gm_engine_state(ingest->engine), out->twin);
        return GM_OK;
    }
    if (mapped && out->map->create != NULL && ingest->options.creator != NULL) {
        st = gm_template_fill_json(out->map->create, find_name, &n, &body, err);
        return st == GM_OK ? gm_ingest_birth(ingest, gm_buf_view(&id), gm_buf_view(&body), err) : st;
    }
    return gm_fail(err, GM_INVALID, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(gm_buf_view(&id), 0, 128)));
}

static gm_status remember(gm_lines *lines, gm_str text, const key *resolved, uint32_t *out_id, gm_error *err)
{
    if (lines->count >= GM_LINES_KEYS_MAX) return gm_fail(err, GM_INVALID, WHERE, "more than %d different tag sets", GM_LINES_KEYS_MAX);
    char *copy = gm_alloc_bytes(lines->alloc, text.len);
    if (copy == NULL || !gm_alloc_reserve(lines->alloc, &lines->keys, &lines->capacity, lines->count + 1, sizeof *lines->keys)) {
        gm_free(lines->alloc, copy);
        return gm_fail(err, GM_NOMEM, WHERE, "a line");
    }
    memcpy(copy, text.ptr, text.len);
    lines->keys[lines->count]      = *resolved;
    lines->keys[lines->count].text = copy;
    lines->keys[lines->count].len  = (uint32_t)text.len;
    if (gm_index_add(&lines->index, text, (uint32_t)lines->count) != GM_OK) {
        gm_free(lines->alloc, copy);
        return gm_fail(err, GM_NOMEM, WHERE, "a line");
    }
    *out_id = (uint32_t)lines->count++;
    return GM_OK;
}

static gm_status find_key(gm_lines *lines, gm_str text, uint32_t *out_id, gm_error *err)
{
    const gm_state *state = gm_engine_state(lines->ingest->engine);
    *out_id               = gm_index_find(&lines->index, text);
    key fresh             = { .field_count = 0 };
    if (*out_id == GM_INDEX_NONE) {
        gm_status st = resolve(lines, text, &fresh, err);
        return st == GM_OK ? remember(lines, text, &fresh, out_id, err) : st;
    }
    key *k = &lines->keys[*out_id];
    if (gm_state_exists(state, k->twin) && gm_state_type(state, k->twin) == k->type) return GM_OK;
    // The twin has gone or has another model: what was remembered of its fields is worth nothing.
    gm_status st = resolve(lines, text, &fresh, err);
    if (st != GM_OK) return st;
    for (size_t f = 0; f < k->field_count; f++) gm_free(lines->alloc, (char *)(uintptr_t)k->fields[f].name.ptr);
    k->field_count = 0;
    k->map         = fresh.map;
    k->twin        = fresh.twin;
    k->type        = fresh.type;
    return GM_OK;
}

// ---- fields -------------------------------------------------------------------------------------------------------
static const gm_map_rule *rule_of(const gm_map *map, gm_str name)
{
    for (size_t i = 0; i < map->rule_count; i++) {
        if (gm_str_eq(map->rules[i].from, name)) return &map->rules[i];
    }
    return NULL;
}

// GM_INVALID: the model has no such value, and the mapping is strict.
static gm_status learn_field(gm_lines *lines, key *k, gm_str name, const field **out, gm_error *err)
{
    gm_arena_clear(lines->scratch);
    gm_str             plain = unescaped(lines->scratch, name);
    bool               all   = k->map == NULL || k->map->all;
    const gm_map_rule *rule  = all ? NULL : rule_of(k->map, plain);
    gm_str             path  = rule != NULL ? rule->to : plain;
    uint32_t           column = all || rule != NULL ? gm_type_column_index(k->type, path) : GM_NO_COLUMN;
    bool               wanted = rule != NULL || (all && (k->map == NULL || k->map->strict));
    if (column == GM_NO_COLUMN && wanted) {
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is not part of model " GM_STR_FMT,
                       GM_STR_ARG(gm_str_slice(path, 0, 60)), GM_STR_ARG(k->type->id));
    }
    if (k->field_count >= GM_MAP_RULES_MAX) return gm_fail(err, GM_INVALID, WHERE, "more than %d different fields", GM_MAP_RULES_MAX);
    char *copy = gm_alloc_bytes(lines->alloc, name.len);
    if (copy == NULL || !gm_alloc_reserve(lines->alloc, &k->fields, &k->field_capacity, k->field_count + 1, sizeof *k->fields)) {
        gm_free(lines->alloc, copy);
        return gm_fail(err, GM_NOMEM, WHERE, "a line");
    }
    memcpy(copy, name.ptr, name.len);
    field *f = &k->fields[k->field_count++];
    *f       = (field){ .name = { copy, name.len }, .column = column, .rule = rule,
                        .leaf = column != GM_NO_COLUMN ? &k->type->columns[column] : NULL };
    *out     = f;
    return GM_OK;
}

// Senders repeat themselves: the n-th field is the n-th field of the line before.
static gm_status find_field(gm_lines *lines, key *k, size_t guess, gm_str name, const field **out, gm_error *err)
{
    if (guess < k->field_count && gm_str_eq(k->fields[guess].name, name)) {
        *out = &k->fields[guess];
        return GM_OK;
    }
    for (size_t i = 0; i < k->field_count; i++) {
        if (!gm_str_eq(k->fields[i].name, name)) continue;
        *out = &k->fields[i];
        return GM_OK;
    }
    return learn_field(lines, k, name, out, err);
}

static gm_status fit(gm_line_batch *batch, const field *f, gm_value *value, gm_value *out, gm_error *err)
{
    bool plain = f->rule == NULL || (!f->rule->has_scale && !f->rule->has_unit);
    if (plain && value->kind == GM_KIND_DOUBLE && f->leaf->kind == GM_KIND_DOUBLE && f->leaf->schema->kind == GM_SCHEMA_DOUBLE) {
        *out = *value;
        return GM_OK;
    }
    if (value->kind == GM_KIND_STRING) value->s = unescaped(batch->texts, value->s);
    return gm_map_fit(f->leaf, f->rule, value, out, err);
}

// ---- writing ------------------------------------------------------------------------------------------------------
static void add_to_chain(gm_line_batch *batch, uint32_t id, uint32_t first, uint32_t n)
{
    chain *c = &batch->chains[id];
    for (uint32_t i = 0; i < n; i++) batch->points[first + i].next = i + 1 < n ? first + i + 1 : NOBODY;
    if (c->count > 0) {
        batch->points[c->last].next = first;
    } else {
        *c = (chain){ .first = first, .next_key = NOBODY };
        if (batch->first_key == NOBODY) batch->first_key = id;
        else batch->chains[batch->last_key].next_key = id;
        batch->last_key = id;
    }
    c->last = first + n - 1;
    c->count += n;
}

// One record of a chain's front. Keeps what it could not write.
static gm_status write_record(gm_line_batch *batch, uint32_t id, gm_ask ask, gm_error *err)
{
    gm_lines *lines = batch->lines;
    chain    *c     = &batch->chains[id];
    const key *k    = &lines->keys[id];
    size_t    n     = 0;
    uint32_t  at    = c->first;
    uint8_t   flags = GM_WRITE_SERIES;
    for (; n < RECORD_CELLS && at != NOBODY; at = batch->points[at].next) {
        lines->cells[n] = batch->points[at].cell;
        if (!k->type->columns[lines->cells[n].column].is_telemetry) flags |= GM_WRITE_PROPERTIES;
        n++;
    }
    const gm_state *state = gm_engine_state(lines->ingest->engine);
    bool            same  = gm_state_exists(state, k->twin) && gm_state_type(state, k->twin) == k->type;
    gm_status       st    = GM_OK;
    if (same) st = gm_engine_write(lines->ingest->engine, k->twin, flags, lines->cells, n, at == NOBODY ? ask : (gm_ask){ 0 }, err);
    if (st != GM_OK) return st;
    lines->ingest->stats.applied += same;
    if (k->map != NULL) k->map->stats.applied += same;
    c->first = at;
    c->count -= (uint32_t)n;
    return GM_OK;
}

static gm_status flush(gm_line_batch *batch, gm_ask ask, gm_error *err)
{
    while (batch->first_key != NOBODY) {
        uint32_t id   = batch->first_key;
        bool     last = batch->chains[id].next_key == NOBODY;
        while (batch->chains[id].count > 0) {
            gm_status st = write_record(batch, id, last ? ask : (gm_ask){ 0 }, err);
            if (st != GM_OK) return st;
        }
        batch->first_key = batch->chains[id].next_key;
    }
    batch->last_key = NOBODY;
    batch->count    = 0;
    return GM_OK;
}

// ---- lines --------------------------------------------------------------------------------------------------------
static gm_status time_of(const gm_line_batch *batch, gm_time_ns *out, gm_error *err)
{
    gm_time_ns now = gm_loop_now(batch->lines->ingest->options.loop);
    if (!batch->line.has_time) {
        *out = now - now % GM_MILLISECOND;
        return GM_OK;
    }
    if (__builtin_mul_overflow(batch->line.time, batch->unit, out) || *out < GM_TIME_MIN || *out > GM_TIME_MAX)
        return gm_fail(err, GM_INVALID, WHERE, "the time lies outside the years 1970 to 2200; is the precision right?");
    if (*out > now + batch->lines->ingest->options.future)
        return gm_fail(err, GM_INVALID, WHERE, "the time lies too far in the future; is the precision right?");
    return GM_OK;
}

static gm_status take_fields(gm_line_batch *batch, key *k, gm_time_ns at, uint32_t *out_n, gm_error *err)
{
    gm_str      rest = batch->line.fields, name;
    const char *fault = NULL;
    gm_value    value;
    size_t      guess = 0;
    *out_n            = 0;
    while (gm_line_field(&rest, &name, &value, &fault)) {
        const field *f  = NULL;
        gm_status    st = find_field(batch->lines, k, guess++, name, &f, err);
        if (st != GM_OK) return st;
        if (f->column == GM_NO_COLUMN) continue;
        if (batch->count + *out_n >= GM_LINES_POINTS) return gm_fail(err, GM_INVALID, WHERE, "more than %d fields", GM_LINES_POINTS);
        gm_cell_write *cell = &batch->points[batch->count + *out_n].cell;
        st                  = fit(batch, f, &value, &cell->value, err);
        if (st != GM_OK) return st;
        cell->column = (uint16_t)f->column;
        cell->at     = at;
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
    uint32_t   id = NOBODY, n;
    gm_time_ns at;
    if (batch->line.fault != NULL) {
        refuse(batch, NULL, batch->line.fault, true);
        return GM_OK;
    }
    gm_status st = find_key(lines, batch->line.key, &id, &why);
    if (st == GM_OK && id >= batch->chain_capacity) {
        size_t had = batch->chain_capacity;
        if (!gm_alloc_reserve(&batch->alloc, &batch->chains, &batch->chain_capacity, lines->capacity, sizeof *batch->chains))
            return gm_fail(err, GM_NOMEM, WHERE, "lines");
        memset(batch->chains + had, 0, (batch->chain_capacity - had) * sizeof *batch->chains);
    }
    if (st == GM_OK) st = time_of(batch, &at, &why);
    if (st == GM_OK) st = take_fields(batch, &lines->keys[id], at, &n, &why);
    gm_map *map = id != NOBODY && id != GM_INDEX_NONE ? lines->keys[id].map : NULL;
    if (st == GM_OK) {
        add_to_chain(batch, id, (uint32_t)batch->count, n);
        batch->count += n;
        batch->result.points += n;
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
        gm_status st = find_key(batch->lines, line.key, &id, &ignored);
        if (st != GM_OK && st != GM_INVALID && st != GM_LIMIT) return;
    }
}

gm_status gm_lines_take(gm_line_batch *batch, gm_str *rest, size_t budget, gm_error *err)
{
    size_t start = rest->len;
    while (rest->len > 0 && start - rest->len < budget) {
        // What is collected is written before the next line, not after the last: finish has something to ask with.
        if (batch->count + GM_MAP_RULES_MAX > GM_LINES_POINTS) {
            gm_status st = flush(batch, (gm_ask){ 0 }, err);
            if (st != GM_OK) return st;
        }
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

gm_status gm_lines_finish(gm_line_batch *batch, gm_ask ask, bool *out_asked, gm_error *err)
{
    *out_asked = batch->first_key != NOBODY;
    return flush(batch, ask, err);
}
