// What a key of the line protocol means: its mapping, its twin, its columns. Found once, then remembered.
#include "link/lines_internal.h"

#include "link/template.h"

#define WHERE "link.lines"

enum { TAGS_MAX = 64 };

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

gm_str gm_lines_unescaped(gm_arena *arena, gm_str text)
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
    out->measurement = gm_lines_unescaped(arena, gm_line_measurement(&text));
    out->tag_count   = 0;
    while (gm_line_tag(&text, &name, &value, &fault)) {
        if (out->tag_count == TAGS_MAX) return gm_fail(err, GM_INVALID, WHERE, "more than %d tags", TAGS_MAX);
        out->tags[out->tag_count++] = (gm_map_capture){ gm_lines_unescaped(arena, name), gm_lines_unescaped(arena, value) };
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
static gm_status resolve(gm_lines *lines, gm_str text, gm_line_key *out, gm_error *err)
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

static gm_status remember(gm_lines *lines, gm_str text, const gm_line_key *resolved, uint32_t *out_id, gm_error *err)
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
    lines->keys[lines->count].after = GM_LINES_NOBODY;
    if (gm_index_add(&lines->index, text, (uint32_t)lines->count) != GM_OK) {
        gm_free(lines->alloc, copy);
        return gm_fail(err, GM_NOMEM, WHERE, "a line");
    }
    *out_id = (uint32_t)lines->count++;
    return GM_OK;
}

bool gm_lines_same_key(const void *owner, uint32_t id, gm_str text)
{
    const gm_line_key *k = &((const gm_lines *)owner)->keys[id];
    return k->len == text.len && memcmp(k->text, text.ptr, text.len) == 0;
}

bool gm_lines_key_holds(const gm_lines *lines, gm_line_key *k)
{
    const gm_state *state = gm_engine_state(lines->ingest->engine);
    if (k->checked == lines->turn) return true;
    if (!gm_state_exists(state, k->twin) || gm_state_type(state, k->twin) != k->type) return false;
    k->checked = lines->turn;
    return true;
}

gm_status gm_lines_find_key(gm_lines *lines, gm_str text, uint32_t *out_id, gm_error *err)
{
    *out_id           = gm_index_find(&lines->index, text);
    gm_line_key fresh = { .field_count = 0 };
    if (*out_id == GM_INDEX_NONE) {
        gm_status st = resolve(lines, text, &fresh, err);
        return st == GM_OK ? remember(lines, text, &fresh, out_id, err) : st;
    }
    gm_line_key *k = &lines->keys[*out_id];
    if (gm_lines_key_holds(lines, k)) return GM_OK;
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
static gm_status learn_field(gm_lines *lines, gm_line_key *k, gm_str name, const gm_line_meaning **out, gm_error *err)
{
    gm_arena_clear(lines->scratch);
    gm_str             plain = gm_lines_unescaped(lines->scratch, name);
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
    gm_line_meaning *f = &k->fields[k->field_count++];
    *f   = (gm_line_meaning){ .name = { copy, name.len }, .column = column, .rule = rule };
    *out = f;
    if (column == GM_NO_COLUMN) return GM_OK;
    f->leaf  = &k->type->columns[column];
    f->plain = (rule == NULL || (!rule->has_scale && !rule->has_unit)) && f->leaf->kind == GM_KIND_DOUBLE &&
               f->leaf->schema->kind == GM_SCHEMA_DOUBLE;
    return GM_OK;
}

// Senders repeat themselves: the n-th field is the n-th field of the line before.
gm_status gm_lines_find_field(gm_lines *lines, gm_line_key *k, size_t guess, gm_str name, const gm_line_meaning **out, gm_error *err)
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
