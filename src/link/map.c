// Reading mapping files: JSON in, checked mappings out. Every key is looked at here, so that what is misspelled is said
// and not ignored.
#include "link/map_internal.h"

#include "link/template.h"
#include "link/topic_tree.h"

#include <stdio.h>

#define WHERE "link.map"

struct gm_maps {
    const gm_alloc *alloc;
    gm_arena       *arena;     // mappings, their texts
    gm_map        **items;
    size_t          count, capacity, lines;
    gm_topic_tree   topics;    // by filter; values are chains of `entry`
};

typedef struct entry { gm_map *map; struct entry *next; } entry;

// ---- life ---------------------------------------------------------------------------------------------------------
gm_status gm_maps_create(const gm_alloc *alloc, gm_maps **out_maps, gm_error *err)
{
    *out_maps     = NULL;
    gm_maps *maps = gm_alloc_zeroed(alloc, sizeof *maps);
    if (maps == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading mappings");
    maps->alloc = alloc;
    maps->arena = gm_arena_create(alloc, 0);
    if (maps->arena == NULL || gm_topic_tree_init(&maps->topics, alloc) != GM_OK) {
        gm_arena_destroy(maps->arena);
        gm_free(alloc, maps);
        return gm_fail(err, GM_NOMEM, WHERE, "reading mappings");
    }
    *out_maps = maps;
    return GM_OK;
}

void gm_maps_destroy(gm_maps *maps)
{
    if (maps == NULL) return;
    for (size_t i = 0; i < maps->count; i++) gm_map_aliases_destroy(maps->items[i]->aliases);
    gm_topic_tree_finish(&maps->topics);
    gm_free(maps->alloc, maps->items);
    gm_arena_destroy(maps->arena);
    gm_free(maps->alloc, maps);
}

size_t  gm_maps_count(const gm_maps *maps) { return maps->count; }
gm_map *gm_maps_at(const gm_maps *maps, size_t i) { return maps->items[i]; }
bool    gm_maps_have_lines(const gm_maps *maps) { return maps->lines > 0; }

// ---- errors with their place --------------------------------------------------------------------------------------
typedef struct reader {
    gm_maps      *maps;
    gm_arena     *arena;
    gm_json_lines lines;
    gm_str        file;
    gm_error     *err;
} reader;

static gm_status wrong(const reader *r, const gm_json *at, const char *fmt, ...) GM_PRINTF(3, 4);
static gm_status wrong(const reader *r, const gm_json *at, const char *fmt, ...)
{
    char    text[180];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    gm_status st = gm_fail(r->err, GM_INVALID, WHERE, "%s", text);
    if (r->err != NULL && at != NULL) gm_json_position(&r->lines, at->start, &r->err->line, &r->err->column);
    return st;
}

static gm_status no_memory(const reader *r)
{
    return gm_fail(r->err, GM_NOMEM, WHERE, "reading mappings");
}

static gm_status check_keys(const reader *r, const gm_json *object, const char *const *known, size_t n, const char *what)
{
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        bool found = m->repeated;
        if (found) return wrong(r, m, "the key \"" GM_STR_FMT "\" stands twice", GM_STR_ARG(gm_str_slice(m->key, 0, 60)));
        for (size_t i = 0; i < n && !found; i++) found = gm_str_is(m->key, known[i]);
        if (!found) return wrong(r, m, "there is no key \"" GM_STR_FMT "\" in %s; docs/formats/mappings.md lists them",
                                 GM_STR_ARG(gm_str_slice(m->key, 0, 60)), what);
    }
    return GM_OK;
}

// A text; empty when the key is absent. It views the file's text, which the mappings keep.
static gm_status read_text(const reader *r, const gm_json *object, const char *key, gm_str *out)
{
    const gm_json *value = gm_json_get(object, gm_str_of(key));
    *out                 = (gm_str){ "", 0 };
    if (value == NULL) return GM_OK;
    if (value->kind != GM_JSON_STRING) return wrong(r, value, "\"%s\" must be a text", key);
    *out = value->text;
    return GM_OK;
}

static gm_status read_flag(const reader *r, const gm_json *object, const char *key, bool *out)
{
    const gm_json *value = gm_json_get(object, gm_str_of(key));
    if (value != NULL && value->kind != GM_JSON_BOOL) return wrong(r, value, "\"%s\" must be true or false", key);
    *out = value != NULL && value->truth;
    return GM_OK;
}

static gm_status read_number(const reader *r, const gm_json *object, const char *key, double otherwise, double *out)
{
    const gm_json *value = gm_json_get(object, gm_str_of(key));
    *out                 = otherwise;
    if (value == NULL) return GM_OK;
    if (value->kind != GM_JSON_NUMBER || !gm_map_number(value->text, out))
        return wrong(r, value, "\"%s\" must be a number", key);
    return GM_OK;
}

// ---- parts --------------------------------------------------------------------------------------------------------
static const char *const format_names[GM_MAP_FORMAT_COUNT] = { "json", "csv", "scalar", "sparkplug", "line" };

static gm_status read_format(const reader *r, const gm_json *body, gm_map *map)
{
    gm_str    name;
    gm_status st = read_text(r, body, "format", &name);
    if (st != GM_OK) return st;
    for (size_t i = 0; i < GM_MAP_FORMAT_COUNT; i++) {
        if (name.len > 0 && !gm_str_is(name, format_names[i])) continue;
        map->format = (gm_map_format)i;
        return GM_OK;
    }
    return wrong(r, gm_json_get(body, GM_STR("format")), "\"format\" is json, csv, scalar, sparkplug or line");
}

static gm_status read_source(const reader *r, const gm_json *body, gm_map *map)
{
    gm_status st = read_text(r, body, "topic", &map->topic);
    if (st == GM_OK) st = read_text(r, body, "measurement", &map->measurement);
    if (st != GM_OK) return st;
    bool           line    = map->format == GM_MAP_LINE;
    const gm_json *topic   = gm_json_get(body, GM_STR("topic"));
    gm_str         pattern = line ? map->measurement : map->topic;
    if (line && topic != NULL) return wrong(r, topic, "lines have no topic; write \"measurement\"");
    if (!line && map->measurement.len > 0) return wrong(r, body, "\"measurement\" belongs to the format line");
    if (!line && topic == NULL) return wrong(r, body, "a mapping needs a \"topic\" such as \"plant/{unit}/data\"");
    const char *rule = line && pattern.len == 0 ? NULL : gm_map_pattern_rule(pattern);
    if (rule != NULL) return wrong(r, topic != NULL ? topic : gm_json_get(body, GM_STR("measurement")), "%s", rule);
    if (!line && gm_str_starts(pattern, GM_STR("gemel/")))
        return wrong(r, topic, "topics below gemel/ belong to gemel itself");
    return GM_OK;
}

static gm_status read_template(const reader *r, const gm_json *body, gm_map *map)
{
    gm_error  why = { 0 };
    gm_status st  = read_text(r, body, "twin", &map->twin);
    if (st != GM_OK) return st;
    const gm_json *twin = gm_json_get(body, GM_STR("twin"));
    if (map->twin.len == 0)
        return wrong(r, twin != NULL ? twin : body, "\"twin\" must say how the twin's id is made, such as \"boiler-{unit}\"");
    if (gm_template_check(map->twin, &why) != GM_OK) return wrong(r, twin, "%s", why.text);
    map->create = gm_json_get(body, GM_STR("create"));
    if (map->create == NULL) return GM_OK;
    const gm_json *model = gm_json_get(gm_json_get(map->create, GM_STR("$metadata")), GM_STR("$model"));
    if (!gm_json_is(model, GM_JSON_STRING))
        return wrong(r, map->create, "\"create\" needs \"$metadata\":{\"$model\":\"dtmi:...\"}");
    return GM_OK;
}

static gm_status read_time(const reader *r, const gm_json *body, gm_map *map)
{
    static const char *const keys[]  = { "from", "unit" };
    static const struct { const char *name; gm_dur_ns unit; } units[] = {
        { "rfc3339", 0 }, { "ns", 1 }, { "us", GM_MICROSECOND }, { "ms", GM_MILLISECOND }, { "s", GM_SECOND },
    };
    const gm_json *time = gm_json_get(body, GM_STR("time"));
    if (time == NULL) return GM_OK;
    if (time->kind != GM_JSON_OBJECT) return wrong(r, time, "\"time\" must be an object such as {\"from\":\"/ts\",\"unit\":\"ms\"}");
    if (map->format == GM_MAP_LINE || map->format == GM_MAP_SPARKPLUG || map->format == GM_MAP_SCALAR)
        return wrong(r, time, "\"time\" belongs to the formats json and csv");
    gm_str    unit;
    gm_status st = check_keys(r, time, keys, 2, "\"time\"");
    if (st == GM_OK) st = read_text(r, time, "from", &map->time_from);
    if (st == GM_OK) st = read_text(r, time, "unit", &unit);
    if (st != GM_OK) return st;
    if (map->time_from.len == 0) return wrong(r, time, "\"time\" needs a \"from\"");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (unit.len > 0 && !gm_str_is(unit, units[i].name)) continue;
        map->time_unit = units[i].unit;
        return GM_OK;
    }
    return wrong(r, time, "the unit of a time is rfc3339, s, ms, us or ns");
}

static gm_status read_rule(const reader *r, const gm_map *map, const gm_json *item, gm_map_rule *rule)
{
    static const char *const keys[] = { "from", "to", "unit", "scale", "offset", "optional" };
    if (item->kind != GM_JSON_OBJECT)
        return wrong(r, item, "\"values\" holds objects such as {\"from\":\"/temp\",\"to\":\"temperature\"}");
    gm_str    unit;
    gm_error  why = { 0 };
    gm_status st  = check_keys(r, item, keys, 6, "a value");
    if (st == GM_OK) st = read_text(r, item, "from", &rule->from);
    if (st == GM_OK) st = read_text(r, item, "to", &rule->to);
    if (st == GM_OK) st = read_text(r, item, "unit", &unit);
    if (st == GM_OK) st = read_number(r, item, "scale", 1.0, &rule->scale);
    if (st == GM_OK) st = read_number(r, item, "offset", 0.0, &rule->offset);
    if (st == GM_OK) st = read_flag(r, item, "optional", &rule->optional);
    if (st != GM_OK) return st;
    bool scalar = map->format == GM_MAP_SCALAR;
    if (scalar && rule->from.len > 0) return wrong(r, item, "a scalar has no parts: leave out \"from\"");
    if (!scalar && gm_json_get(item, GM_STR("from")) == NULL) return wrong(r, item, "a value needs a \"from\"");
    if (map->format == GM_MAP_JSON && rule->from.len > 0 && rule->from.ptr[0] != '/')
        return wrong(r, item, "\"from\" is a JSON pointer such as \"/data/0/temp\" (RFC 6901)");
    if (rule->to.len == 0 && map->format == GM_MAP_JSON) return wrong(r, item, "a value needs a \"to\", the property's name");
    if (rule->to.len == 0) rule->to = rule->from;
    if (rule->to.len == 0) return wrong(r, item, "a value needs a \"to\", the property's name");
    rule->has_scale = rule->scale != 1.0 || rule->offset != 0.0;
    rule->has_unit  = unit.len > 0;
    if (rule->has_unit && gm_unit_parse(unit, &rule->unit, &why) != GM_OK)
        return wrong(r, gm_json_get(item, GM_STR("unit")), "%s", why.text);
    return GM_OK;
}

static gm_status read_values(const reader *r, const gm_json *body, gm_map *map)
{
    const gm_json *values = gm_json_get(body, GM_STR("values"));
    gm_status      st     = read_flag(r, body, "strict", &map->strict);
    if (st != GM_OK) return st;
    bool everything = values == NULL || (values->kind == GM_JSON_STRING && gm_str_is(values->text, "*"));
    if (everything) {
        map->all = true;
        if (map->format == GM_MAP_SCALAR) return wrong(r, body, "a scalar needs \"values\":[{\"to\":\"...\"}]");
        return GM_OK;
    }
    if (values->kind != GM_JSON_ARRAY || values->count == 0 || values->count > GM_MAP_RULES_MAX)
        return wrong(r, values, "\"values\" is \"*\" or an array of 1 to %d objects", GM_MAP_RULES_MAX);
    if (map->format == GM_MAP_SCALAR && values->count != 1) return wrong(r, values, "a scalar has one value");
    gm_map_rule *rules = GM_ARENA_NEW(r->maps->arena, gm_map_rule, values->count);
    if (rules == NULL) return no_memory(r);
    for (const gm_json *item = values->first; st == GM_OK && item != NULL; item = item->next)
        st = read_rule(r, map, item, &rules[map->rule_count++]);
    map->rules = rules;
    return st;
}

static gm_status read_table(const reader *r, const gm_json *body, gm_map *map)
{
    static const struct { const char *name; char byte; } separators[] = {
        { "comma", ',' }, { "semicolon", ';' }, { "tab", '\t' }, { "space", ' ' },
    };
    gm_str         separator;
    const gm_json *columns = gm_json_get(body, GM_STR("columns"));
    gm_status      st      = read_flag(r, body, "header", &map->header);
    if (st == GM_OK) st = read_text(r, body, "separator", &separator);
    if (st != GM_OK) return st;
    if (map->format != GM_MAP_CSV) {
        if (columns != NULL || map->header || separator.len > 0)
            return wrong(r, body, "\"columns\", \"header\" and \"separator\" belong to the format csv");
        return GM_OK;
    }
    for (size_t i = 0; map->separator == '\0' && i < 4; i++) {
        if (separator.len == 0 || gm_str_is(separator, separators[i].name)) map->separator = separators[i].byte;
    }
    if (map->separator == '\0') return wrong(r, body, "\"separator\" is comma, semicolon, tab or space");
    if (columns == NULL) return map->header ? GM_OK : wrong(r, body, "a csv needs \"columns\", or \"header\":true");
    if (columns->kind != GM_JSON_ARRAY || columns->count == 0 || columns->count > GM_MAP_COLUMNS_MAX)
        return wrong(r, columns, "\"columns\" must be an array of 1 to %d names", GM_MAP_COLUMNS_MAX);
    gm_str *names = GM_ARENA_NEW(r->maps->arena, gm_str, columns->count);
    if (names == NULL) return no_memory(r);
    for (const gm_json *c = columns->first; c != NULL; c = c->next) {
        if (c->kind != GM_JSON_STRING) return wrong(r, c, "\"columns\" must be an array of names");
        names[map->column_count++] = c->text;
    }
    map->columns = names;
    return GM_OK;
}

static gm_status read_map(const reader *r, const gm_json *body, gm_map *map)
{
    static const char *const keys[] = { "name",   "description", "topic",  "measurement", "format",  "each",   "twin",
                                        "time",   "values",      "strict", "create",      "columns", "header", "separator" };
    if (body->kind != GM_JSON_OBJECT) return wrong(r, body, "a mapping is a JSON object");
    gm_str    each, description;
    gm_status st = check_keys(r, body, keys, sizeof keys / sizeof keys[0], "a mapping");
    if (st == GM_OK) st = read_text(r, body, "name", &map->name);
    if (st == GM_OK) st = read_text(r, body, "description", &description);
    if (st == GM_OK) st = read_format(r, body, map);
    if (st == GM_OK) st = read_source(r, body, map);
    if (st == GM_OK) st = read_template(r, body, map);
    if (st == GM_OK) st = read_time(r, body, map);
    if (st == GM_OK) st = read_table(r, body, map);
    if (st == GM_OK) st = read_values(r, body, map);
    if (st == GM_OK) st = read_text(r, body, "each", &each);
    if (st != GM_OK) return st;
    if (map->name.len == 0) map->name = map->topic.len > 0 ? map->topic : map->measurement;
    const gm_json *has_each = gm_json_get(body, GM_STR("each"));
    if (has_each != NULL && map->format != GM_MAP_JSON) return wrong(r, has_each, "\"each\" belongs to the format json");
    if (each.len > 0 && each.ptr[0] != '/') return wrong(r, has_each, "\"each\" is a JSON pointer such as \"/readings\"");
    map->each = has_each != NULL ? each : (gm_str){ NULL, 0 };
    if (map->format != GM_MAP_SPARKPLUG) return GM_OK;
    map->aliases = gm_map_aliases_create(r->maps->alloc);
    return map->aliases != NULL ? GM_OK : no_memory(r);
}

// ---- finding ------------------------------------------------------------------------------------------------------
// The MQTT filter that lets through at least what the pattern does.
static gm_str filter_of(gm_arena *arena, gm_str pattern)
{
    char  *out = gm_arena_bytes(arena, pattern.len + 1);
    size_t len = 0;
    gm_str level;
    if (out == NULL) return (gm_str){ NULL, 0 };
    while (gm_str_next(&pattern, '/', &level)) {
        bool   place = gm_str_find_char(level, '{') != SIZE_MAX;
        bool   rest  = place && level.len > 2 && level.ptr[level.len - 2] == '#';
        gm_str text  = rest ? GM_STR("#") : place ? GM_STR("+") : level;
        if (text.len > 0) memcpy(out + len, text.ptr, text.len);
        len += text.len;
        if (pattern.ptr != NULL) out[len++] = '/';
    }
    return (gm_str){ out, len };
}

static gm_status index_map(gm_maps *maps, gm_map *map)
{
    uint32_t node;
    gm_str   filter = filter_of(maps->arena, map->topic);
    entry   *one    = GM_ARENA_NEW(maps->arena, entry, 1);
    if (filter.ptr == NULL || one == NULL || gm_topic_tree_add(&maps->topics, filter, &node) != GM_OK) return GM_NOMEM;
    *one                           = (entry){ map, maps->topics.nodes[node].value };
    maps->topics.nodes[node].value = one;
    return GM_OK;
}

static gm_status add_map(reader *r, const gm_json *body)
{
    gm_maps *maps = r->maps;
    if (maps->count >= GM_MAPS_MAX) return wrong(r, body, "more than %d mappings", GM_MAPS_MAX);
    gm_map *map = GM_ARENA_NEW(maps->arena, gm_map, 1);
    if (map == NULL || !gm_alloc_reserve(maps->alloc, &maps->items, &maps->capacity, maps->count + 1, sizeof *maps->items))
        return no_memory(r);
    map->file    = r->file;
    map->number  = (uint32_t)maps->count;
    gm_status st = read_map(r, body, map);
    if (st == GM_OK && map->format != GM_MAP_LINE && index_map(maps, map) != GM_OK) st = no_memory(r);
    if (st != GM_OK) {
        gm_map_aliases_destroy(map->aliases);
        return st;
    }
    maps->items[maps->count++] = map;
    maps->lines += map->format == GM_MAP_LINE;
    return GM_OK;
}

gm_status gm_maps_add(gm_maps *maps, gm_str file, gm_str text, gm_error *err)
{
    static const char *const keys[] = { "description", "mappings" };
    const gm_json *root;
    reader         r = { .maps = maps, .arena = maps->arena, .err = err };
    r.file           = gm_arena_str(maps->arena, file);
    text             = gm_arena_str(maps->arena, text);  // the mappings view it
    if (r.file.ptr == NULL || text.ptr == NULL) return no_memory(&r);
    gm_status st = gm_json_parse(maps->arena, text, &root, err);
    if (st != GM_OK) return st == GM_LIMIT ? GM_INVALID : st;
    if (gm_json_lines_build(maps->arena, text, &r.lines, err) != GM_OK) return GM_NOMEM;
    const gm_json *list = gm_json_get(root, GM_STR("mappings"));
    if (list == NULL) return wrong(&r, root, "the file must be {\"mappings\":[...]}; docs/formats/mappings.md says what goes in");
    st = check_keys(&r, root, keys, 2, "the file");
    if (st != GM_OK) return st;
    if (list->kind != GM_JSON_ARRAY) return wrong(&r, list, "\"mappings\" must be an array");
    for (const gm_json *body = list->first; st == GM_OK && body != NULL; body = body->next) st = add_map(&r, body);
    return st;
}

typedef struct finding { gm_str topic; gm_map *best; } finding;

static void on_node(void *context, uint32_t node, void *value)
{
    finding *f = context;
    (void)node;
    for (const entry *one = value; one != NULL; one = one->next) {
        bool earlier = f->best == NULL || one->map->number < f->best->number;
        if (earlier && gm_map_pattern_fits(one->map->topic, f->topic, NULL, NULL)) f->best = one->map;
    }
}

gm_map *gm_maps_of_topic(const gm_maps *maps, gm_str topic)
{
    finding f = { topic, NULL };
    if (maps->count > maps->lines) gm_topic_tree_filters_of(&maps->topics, topic, on_node, &f);
    return f.best;
}

gm_map *gm_maps_of_measurement(const gm_maps *maps, gm_str measurement)
{
    for (size_t i = 0; i < maps->count; i++) {
        gm_map *map = maps->items[i];
        if (map->format != GM_MAP_LINE) continue;
        if (map->measurement.len == 0 || gm_map_pattern_fits(map->measurement, measurement, NULL, NULL)) return map;
    }
    return NULL;
}
