#include "cli/replay_map.h"

#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 32, WIDTH_MAX = 20 };

typedef enum separator {
    SEPARATOR_SPACE,
    SEPARATOR_COMMA,
    SEPARATOR_SEMICOLON,
    SEPARATOR_TAB,
    SEPARATOR_COUNT
} separator;
static const char *const separator_names[] = { "space", "comma", "semicolon", "tab" };
static const char        separator_chars[] = { ' ', ',', ';', '\t' };

typedef enum field_type { TYPE_NUMBER, TYPE_INTEGER, TYPE_BOOLEAN, TYPE_STRING, TYPE_COUNT } field_type;
static const char *const type_names[] = { "number", "integer", "boolean", "string" };

typedef struct sent {
    gm_str     column, property;
    field_type type;
    bool       optional;
    size_t     at;  // position in a row; SIZE_MAX: not in this table
} sent;

typedef struct template { gm_str id; const json_t *body; } template;

struct gm_replay_map {
    separator  separator;
    bool       header;
    gm_str    *columns;          // [column_count] names in the order of the table
    size_t     column_count;
    gm_str     twin;             // a pattern
    gm_str     time_column, zone;
    size_t     time_at;
    bool       clock;            // the time column holds a date and time
    gm_dur_ns  every;            // else so much per unit of it
    double     first;
    gm_str     topic, file;
    sent      *sends;
    size_t     send_count;
    template  *creates;
    size_t     create_count;
    gm_arena  *arena;
};

bool gm_replay_map_is(gm_str file_name)
{
    return gm_str_ends(file_name, GM_STR("/replay.json")) || gm_str_ends(file_name, GM_STR(".replay.json"));
}

bool   gm_replay_has_header(const gm_replay_map *map) { return map->header; }
bool   gm_replay_has_clock(const gm_replay_map *map) { return map->clock; }
gm_str gm_replay_topic(const gm_replay_map *map) { return map->topic; }
size_t gm_replay_create_count(const gm_replay_map *map) { return map->create_count; }
void   gm_replay_set_file(gm_replay_map *map, gm_str stem) { map->file = stem; }

// ---- reading the mapping --------------------------------------------------------------------------------------------

static gm_status wrong(gm_error *err, const char *text)
{
    return gm_fail(err, GM_INVALID, "cli.replay", "%s", text);
}

static gm_status no_memory(gm_error *err)
{
    return gm_fail(err, GM_NOMEM, "cli.replay", "reading the mapping");
}

// The text of a key, copied; empty when it is absent.
static gm_status read_text(const json_t *object, const char *key, gm_arena *arena, gm_str *out, gm_error *err)
{
    const json_t *value = json_object_get(object, key);
    *out                = (gm_str){0};
    if (value == NULL) return GM_OK;
    if (!json_is_string(value)) return gm_fail(err, GM_INVALID, "cli.replay", "\"%s\" must be a text", key);
    *out = gm_arena_str(arena, (gm_str){ json_string_value(value), json_string_length(value) });
    return out->ptr != NULL ? GM_OK : no_memory(err);
}

static size_t name_index(gm_str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(name, names[i])) return i;
    }
    return SIZE_MAX;
}

static gm_status check_keys(const json_t *object, const char *const *known, size_t count, const char *what,
                            gm_error *err)
{
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (name_index(gm_str_of(key), known, count) == SIZE_MAX) {
            return gm_fail(err, GM_INVALID, "cli.replay",
                           "there is no key \"%.60s\" %s; docs/formats/replay.md lists them", key, what);
        }
    }
    return GM_OK;
}

static gm_status read_columns(gm_replay_map *map, const json_t *body, gm_error *err)
{
    const json_t *columns = json_object_get(body, "columns");
    const json_t *header  = json_object_get(body, "header");
    if (header != NULL && !json_is_boolean(header)) return wrong(err, "\"header\" must be true or false");
    map->header = json_is_true(header);
    if (columns == NULL)
        return map->header ? GM_OK
                           : wrong(err, "the table has no header, so \"columns\" must name its columns in order");
    if (!json_is_array(columns) || json_array_size(columns) > GM_REPLAY_COLUMNS_MAX)
        return wrong(err, "\"columns\" must be an array of texts");
    map->column_count = json_array_size(columns);
    map->columns      = GM_ARENA_NEW(map->arena, gm_str, map->column_count);
    if (map->columns == NULL) return no_memory(err);
    for (size_t i = 0; i < map->column_count; i++) {
        const char *name = json_string_value(json_array_get(columns, i));
        if (name == NULL) return wrong(err, "\"columns\" must be an array of texts");
        map->columns[i] = gm_arena_str(map->arena, gm_str_of(name));
        if (map->columns[i].ptr == NULL) return no_memory(err);
    }
    return GM_OK;
}

static gm_status read_time(gm_replay_map *map, const json_t *body, gm_error *err)
{
    static const char *const keys[] = { "column", "every", "first", "zone" };
    const json_t *time = json_object_get(body, "time");
    if (!json_is_object(time)) return wrong(err, "\"time\" must be an object with a \"column\"");
    gm_str    every;
    gm_status st = check_keys(time, keys, 4, "in \"time\"", err);
    if (st == GM_OK) st = read_text(time, "column", map->arena, &map->time_column, err);
    if (st == GM_OK) st = read_text(time, "zone", map->arena, &map->zone, err);
    if (st == GM_OK) st = read_text(time, "every", map->arena, &every, err);
    if (st != GM_OK) return st;
    if (map->time_column.len == 0) return wrong(err, "\"time\" needs a \"column\"");
    map->clock = every.len == 0;
    if (!map->clock) st = gm_dur_parse(every, &map->every, err);
    const json_t *first = json_object_get(time, "first");
    map->first          = json_number_value(first);
    if (st == GM_OK && first != NULL && !json_is_number(first)) st = wrong(err, "\"first\" must be a number");
    if (map->zone.len == 0) map->zone = GM_STR("Z");
    return st;
}

static gm_status read_sent(gm_replay_map *map, const json_t *item, sent *out, gm_error *err)
{
    static const char *const keys[] = { "column", "property", "type", "optional" };
    *out = (sent){ .at = SIZE_MAX };
    if (json_is_string(item)) {
        out->column = out->property = gm_arena_str(map->arena, gm_str_of(json_string_value(item)));
        return out->column.ptr != NULL ? GM_OK : no_memory(err);
    }
    if (!json_is_object(item))
        return wrong(err, "\"send\" must hold column names, or objects with \"column\" and \"property\"");
    gm_str    type;
    gm_status st = check_keys(item, keys, 4, "in \"send\"", err);
    if (st == GM_OK) st = read_text(item, "column", map->arena, &out->column, err);
    if (st == GM_OK) st = read_text(item, "property", map->arena, &out->property, err);
    if (st == GM_OK) st = read_text(item, "type", map->arena, &type, err);
    if (st != GM_OK) return st;
    if (out->column.len == 0) return wrong(err, "an object in \"send\" needs a \"column\"");
    if (out->property.len == 0) out->property = out->column;
    out->optional = json_is_true(json_object_get(item, "optional"));
    size_t at = type.len > 0 ? name_index(type, type_names, TYPE_COUNT) : TYPE_NUMBER;
    if (at == SIZE_MAX) return wrong(err, "\"type\" is number, integer, boolean or string");
    out->type = (field_type)at;
    return GM_OK;
}

static gm_status read_sends(gm_replay_map *map, const json_t *body, gm_error *err)
{
    const json_t *sends = json_object_get(body, "send");
    size_t        n     = json_array_size(sends);
    if (n == 0 || n > GM_REPLAY_COLUMNS_MAX) return wrong(err, "\"send\" must list the columns that are sent");
    map->sends = GM_ARENA_NEW(map->arena, sent, n);
    if (map->sends == NULL) return no_memory(err);
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < n; i++) st = read_sent(map, json_array_get(sends, i), &map->sends[i], err);
    map->send_count = n;
    return st;
}

static gm_status read_creates(gm_replay_map *map, const json_t *body, gm_error *err)
{
    static const char *const keys[] = { "twin", "body" };
    const json_t *creates = json_object_get(body, "create");
    if (creates == NULL) return GM_OK;
    if (!json_is_array(creates) || json_array_size(creates) > GM_REPLAY_CREATE_MAX) {
        return wrong(err, "\"create\" must be an array of objects with \"twin\" and \"body\"");
    }
    map->creates = GM_ARENA_NEW(map->arena, template, json_array_size(creates));
    if (map->creates == NULL) return no_memory(err);
    for (size_t i = 0; i < json_array_size(creates); i++) {
        const json_t *item = json_array_get(creates, i);
        const json_t *twin = json_object_get(item, "body");
        gm_status     st   = check_keys(item, keys, 2, "in \"create\"", err);
        if (st == GM_OK) st = read_text(item, "twin", map->arena, &map->creates[i].id, err);
        if (st != GM_OK) return st;
        if (map->creates[i].id.len == 0 || !json_is_object(twin))
            return wrong(err, "an object in \"create\" needs a \"twin\" and a \"body\"");
        if (json_string_value(json_object_get(json_object_get(twin, "$metadata"), "$model")) == NULL) {
            return wrong(err, "a \"body\" in \"create\" needs \"$metadata\":{\"$model\":\"dtmi:...\"}");
        }
        map->creates[i].body = twin;
        map->create_count    = i + 1;
    }
    return GM_OK;
}

gm_status gm_replay_map_read(const json_t *body, gm_arena *arena, gm_replay_map **out_map, gm_error *err)
{
    static const char *const keys[] = { "description", "separator", "header", "columns", "twin",
                                        "time",        "topic",     "send",   "create" };
    *out_map           = NULL;
    gm_replay_map *map = GM_ARENA_NEW(arena, gm_replay_map, 1);
    if (map == NULL) return no_memory(err);
    map->arena = arena;
    if (!json_is_object(body)) return wrong(err, "a mapping is a JSON object");
    gm_str    separator_name = {0};
    gm_status st             = check_keys(body, keys, sizeof keys / sizeof keys[0], "in the mapping", err);
    if (st == GM_OK) st = read_text(body, "separator", arena, &separator_name, err);
    if (st == GM_OK) st = read_text(body, "twin", arena, &map->twin, err);
    if (st == GM_OK) st = read_text(body, "topic", arena, &map->topic, err);
    if (st != GM_OK) return st;
    size_t at = separator_name.len > 0 ? name_index(separator_name, separator_names, SEPARATOR_COUNT) : SEPARATOR_COMMA;
    if (at == SIZE_MAX) return wrong(err, "\"separator\" is space, comma, semicolon or tab");
    map->separator = (separator)at;
    if (map->twin.len == 0)
        return wrong(err, "\"twin\" must say how the twin's id is made, such as \"engine-{unit:03d}\"");
    if (map->topic.len == 0) map->topic = GM_STR("telemetry");
    if (!gm_str_is(map->topic, "telemetry") && !gm_str_is(map->topic, "properties"))
        return wrong(err, "\"topic\" is telemetry or properties");
    st = read_columns(map, body, err);
    if (st == GM_OK) st = read_time(map, body, err);
    if (st == GM_OK) st = read_sends(map, body, err);
    if (st == GM_OK) st = read_creates(map, body, err);
    if (st == GM_OK && map->columns != NULL) st = gm_replay_bind(map, NULL, err);
    if (st == GM_OK) *out_map = map;
    return st;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

gm_status gm_replay_split(const gm_replay_map *map, gm_str line, gm_replay_row *out_row, gm_error *err)
{
    char   mark    = separator_chars[map->separator];
    bool   blanks  = map->separator == SEPARATOR_SPACE;  // a run of blanks is one separator
    size_t at      = 0;
    out_row->count = 0;
    line           = blanks ? gm_str_trim(line) : line;
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n')) line.len--;
    if (line.len == 0) return GM_OK;
    for (;;) {
        while (blanks && at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t')) at++;
        if (out_row->count == GM_REPLAY_COLUMNS_MAX) {
            return gm_fail(err, GM_LIMIT, "cli.replay", "a row has more than %d columns", GM_REPLAY_COLUMNS_MAX);
        }
        size_t start = at;
        bool   quoted = at < line.len && line.ptr[at] == '"';
        if (quoted) {
            size_t end = at + 1;
            while (end < line.len && line.ptr[end] != '"') end++;
            out_row->fields[out_row->count++] = gm_str_slice(line, at + 1, end);
            at = end < line.len ? end + 1 : end;
        }
        while (at < line.len && line.ptr[at] != mark && !(blanks && line.ptr[at] == '\t')) at++;
        if (!quoted) out_row->fields[out_row->count++] = gm_str_trim(gm_str_slice(line, start, at));
        if (at >= line.len) return GM_OK;
        at++;
    }
}

static size_t find_column(const gm_str *names, size_t count, gm_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_eq(names[i], name)) return i;
    }
    return SIZE_MAX;
}

static gm_status no_column(gm_str name, gm_error *err)
{
    return gm_fail(err, GM_INVALID, "cli.replay", "the table has no column '" GM_STR_FMT "'",
                   (int)(name.len < 80 ? name.len : 80), name.ptr);
}

gm_status gm_replay_bind(gm_replay_map *map, const gm_replay_row *header, gm_error *err)
{
    if (header != NULL) {
        map->columns = GM_ARENA_NEW(map->arena, gm_str, header->count);
        if (map->columns == NULL) return no_memory(err);
        map->column_count = header->count;
        for (size_t i = 0; i < header->count; i++) {
            map->columns[i] = gm_arena_str(map->arena, header->fields[i]);
            if (map->columns[i].ptr == NULL) return no_memory(err);
        }
    }
    map->time_at = find_column(map->columns, map->column_count, map->time_column);
    if (map->time_at == SIZE_MAX) return no_column(map->time_column, err);
    for (size_t i = 0; i < map->send_count; i++) {
        map->sends[i].at = find_column(map->columns, map->column_count, map->sends[i].column);
        if (map->sends[i].at == SIZE_MAX && !map->sends[i].optional) return no_column(map->sends[i].column, err);
    }
    return GM_OK;
}

// ---- patterns -------------------------------------------------------------------------------------------------------

// A whole number as "03d" asks for it.
static gm_status add_padded(gm_str value, gm_str format, gm_buf *out, gm_error *err)
{
    char   text[64];
    double number;
    size_t width = 0;
    for (size_t i = 0; i + 1 < format.len; i++) width = width * 10 + (size_t)(format.ptr[i] - '0');
    size_t read = gm_number_read(value, &number);
    if (read == 0 || read != value.len || number != floor(number) || fabs(number) > 1e15) {
        return gm_fail(err, GM_INVALID, "cli.replay",
                       "'" GM_STR_FMT "' is not the whole number that the twin's id needs",
                       (int)(value.len < 60 ? value.len : 60), value.ptr);
    }
    snprintf(text, sizeof text, "%0*lld", (int)(width < WIDTH_MAX ? width : WIDTH_MAX), (long long)number);
    gm_buf_text(out, text);
    return GM_OK;
}

static bool is_padding(gm_str format)
{
    if (format.len < 2 || format.len > 3 || format.ptr[format.len - 1] != 'd') return false;
    for (size_t i = 0; i + 1 < format.len; i++) {
        if (format.ptr[i] < '0' || format.ptr[i] > '9') return false;
    }
    return true;
}

// One "{column}", "{column:03d}", "{file}" or "{twin}".
static gm_status add_place(const gm_replay_map *map, const gm_replay_row *row, gm_str twin, gm_str place, gm_buf *out,
                           gm_error *err)
{
    size_t colon  = gm_str_find_char(place, ':');
    gm_str name   = gm_str_slice(place, 0, colon);
    gm_str format = colon == SIZE_MAX ? (gm_str){0} : gm_str_slice(place, colon + 1, place.len);
    gm_str value;
    size_t at = find_column(map->columns, map->column_count, name);
    if (at != SIZE_MAX && at < row->count) value = row->fields[at];
    else if (gm_str_is(name, "file")) value = map->file;
    else if (gm_str_is(name, "twin") && twin.ptr != NULL) value = twin;
    else return no_column(name, err);
    if (format.len == 0) {
        gm_buf_str(out, value);
        return GM_OK;
    }
    if (!is_padding(format))
        return gm_fail(err, GM_INVALID, "cli.replay",
                       "{" GM_STR_FMT "}: write {NAME} or {NAME:03d}; {NAME:number} alone in a text becomes a number",
                       GM_STR_ARG(place));
    return add_padded(value, format, out, err);
}

static gm_status fill(const gm_replay_map *map, const gm_replay_row *row, gm_str twin, gm_str pattern, gm_buf *out,
                      gm_error *err)
{
    for (size_t at = 0; at < pattern.len; at++) {
        char c = pattern.ptr[at];
        if (c != '{') {
            gm_buf_byte(out, (uint8_t)c);
            continue;
        }
        gm_str rest = gm_str_slice(pattern, at + 1, pattern.len);
        size_t end  = gm_str_find_char(rest, '}');
        if (end == SIZE_MAX)
            return gm_fail(err, GM_INVALID, "cli.replay", "'" GM_STR_FMT "' has a '{' without its '}'",
                           GM_STR_ARG(pattern));
        gm_status st = add_place(map, row, twin, gm_str_slice(rest, 0, end), out, err);
        if (st != GM_OK) return st;
        at += end + 1;
    }
    return GM_OK;
}

gm_status gm_replay_twin(const gm_replay_map *map, const gm_replay_row *row, gm_buf *out, gm_error *err)
{
    return fill(map, row, (gm_str){0}, map->twin, out, err);
}

// ---- messages -------------------------------------------------------------------------------------------------------

gm_status gm_replay_time(const gm_replay_map *map, const gm_replay_row *row, gm_time_ns start, gm_time_ns *out_time,
                         gm_error *err)
{
    if (map->time_at >= row->count) return no_column(map->time_column, err);
    gm_str field = row->fields[map->time_at];
    if (map->clock) {
        if (gm_time_parse(field, out_time, NULL) == GM_OK) return GM_OK;
        char   text[64];
        size_t len = (size_t)snprintf(text, sizeof text, GM_STR_FMT GM_STR_FMT, (int)(field.len < 40 ? field.len : 40),
                                      field.ptr, (int)(map->zone.len < 8 ? map->zone.len : 8), map->zone.ptr);
        return gm_time_parse((gm_str){ text, len }, out_time, err);
    }
    double value;
    if (field.len == 0 || gm_number_read(field, &value) != field.len) {
        return gm_fail(err, GM_INVALID, "cli.replay", "'" GM_STR_FMT "' in the time column is not a number",
                       (int)(field.len < 60 ? field.len : 60), field.ptr);
    }
    double steps = (value - map->first) * (double)map->every, at = (double)start + steps;
    if (!(at >= (double)GM_TIME_MIN && at < (double)GM_TIME_MAX)) {
        return gm_fail(err, GM_INVALID, "cli.replay", "'" GM_STR_FMT "' leads outside the years 1970 to 2200",
                       GM_STR_ARG(field));
    }
    // Whole steps are exact: a double of nanoseconds would not be.
    double whole = floor(value - map->first);
    *out_time = start + (gm_dur_ns)whole * map->every + (gm_dur_ns)((value - map->first - whole) * (double)map->every);
    return GM_OK;
}

static bool is_no_value(gm_str field)
{
    static const char *const words[] = { "", "NaN", "nan", "NA", "null", "NULL" };
    return name_index(field, words, sizeof words / sizeof words[0]) != SIZE_MAX;
}

static bool add_number(gm_str field, bool integer, gm_buf *out)
{
    double value;
    if (!integer && gm_number_read(field, &value) == field.len && isfinite(value)) {
        gm_buf_str(out, field);
        return true;
    }
    // "+1.5", ".5" and "7.0" for an integer are numbers, but not JSON's way of writing them.
    char text[GM_NUMBER_TEXT], copy[64], *end;
    if (field.len >= sizeof copy) return false;
    memcpy(copy, field.ptr, field.len);
    copy[field.len] = '\0';
    value           = strtod(copy, &end);
    if (*end != '\0' || !isfinite(value)) return false;
    if (integer) {
        if (value != floor(value) || fabs(value) > 9007199254740992.0) return false;
        gm_buf_printf(out, "%lld", (long long)value);
        return true;
    }
    gm_number_write(value, text);
    gm_buf_text(out, text);
    return true;
}

static bool add_boolean(gm_str field, gm_buf *out)
{
    static const char *const words[] = { "0", "0.0", "false", "False", "FALSE", "1", "1.0", "true", "True", "TRUE" };
    size_t at = name_index(field, words, sizeof words / sizeof words[0]);
    if (at == SIZE_MAX) return false;
    gm_buf_text(out, at >= 5 ? "true" : "false");
    return true;
}

static gm_status add_field(const sent *s, gm_str field, gm_buf *out, gm_error *err)
{
    bool good = true;
    switch (s->type) {
    case TYPE_NUMBER: good = add_number(field, false, out); break;
    case TYPE_INTEGER: good = add_number(field, true, out); break;
    case TYPE_BOOLEAN: good = add_boolean(field, out); break;
    case TYPE_STRING: gm_buf_json_str(out, field); break;
    case TYPE_COUNT: break;
    }
    if (good) return GM_OK;
    return gm_fail(err, GM_INVALID, "cli.replay", "column " GM_STR_FMT ": '" GM_STR_FMT "' is no %s",
                   GM_STR_ARG(s->column), (int)(field.len < 60 ? field.len : 60), field.ptr, type_names[s->type]);
}

gm_status gm_replay_payload(const gm_replay_map *map, const gm_replay_row *row, gm_time_ns at, gm_buf *out,
                            gm_error *err)
{
    gm_buf_byte(out, '{');
    for (size_t i = 0; i < map->send_count; i++) {
        const sent *s = &map->sends[i];
        if (s->optional && s->at >= row->count) continue;
        if (s->at >= row->count) {
            return gm_fail(err, GM_INVALID, "cli.replay",
                           "the row has %zu columns; '" GM_STR_FMT "' would be number %zu", row->count,
                           GM_STR_ARG(s->column), s->at + 1);
        }
        gm_str field = row->fields[s->at];
        if (s->type != TYPE_STRING && is_no_value(field)) continue;
        gm_buf_json_str(out, s->property);
        gm_buf_byte(out, ':');
        gm_status st = add_field(s, field, out, err);
        if (st != GM_OK) return st;
        gm_buf_byte(out, ',');
    }
    char time[GM_TIME_TEXT];
    gm_time_format(at, time);
    gm_buf_printf(out, "\"$time\":\"%s\"}", time);
    return out->failed ? no_memory(err) : GM_OK;
}

// ---- templates ------------------------------------------------------------------------------------------------------

typedef struct filling {
    const gm_replay_map *map;
    const gm_replay_row *row;
    gm_str               twin;
    gm_buf              *text;
    gm_error            *err;
} filling;

// "{NAME:number}" and nothing else: the value becomes a JSON number.
static bool is_number_place(gm_str text)
{
    return gm_str_starts(text, GM_STR("{")) && gm_str_ends(text, GM_STR(":number}")) &&
           gm_str_find_char(text, '}') == text.len - 1;
}

static gm_status add_number_place(const filling *f, gm_str text, gm_buf *out)
{
    enum { ENDING = sizeof ":number}" - 1 };
    gm_buf_clear(f->text);
    gm_status st = add_place(f->map, f->row, f->twin, gm_str_slice(text, 1, text.len - ENDING), f->text, f->err);
    if (st != GM_OK || add_number(gm_buf_view(f->text), false, out)) return st;
    return gm_fail(f->err, GM_INVALID, "cli.replay", "'" GM_STR_FMT "' is no number", GM_STR_ARG(gm_buf_view(f->text)));
}

// Appends a JSON value with the places in its texts filled in.
static gm_status add_filled(const filling *f, const json_t *value, gm_buf *out, int depth)
{
    if (depth > DEPTH_MAX)
        return gm_fail(f->err, GM_LIMIT, "cli.replay", "a \"body\" is nested more than %d deep", DEPTH_MAX);
    gm_status st = GM_OK;
    gm_str text = gm_str_of(json_string_value(value));
    if (is_number_place(text)) {
        st = add_number_place(f, text, out);
    } else if (json_is_string(value)) {
        gm_buf_clear(f->text);
        st = fill(f->map, f->row, f->twin, text, f->text, f->err);
        if (st == GM_OK) gm_buf_json_str(out, gm_buf_view(f->text));
    } else if (json_is_object(value)) {
        const char *key;
        json_t     *member;
        bool        first = true;
        gm_buf_byte(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            if (!first) gm_buf_byte(out, ',');
            first = false;
            gm_buf_json_str(out, gm_str_of(key));
            gm_buf_byte(out, ':');
            st = add_filled(f, member, out, depth + 1);
            if (st != GM_OK) return st;
        }
        gm_buf_byte(out, '}');
    } else if (json_is_array(value)) {
        gm_buf_byte(out, '[');
        for (size_t i = 0; st == GM_OK && i < json_array_size(value); i++) {
            if (i > 0) gm_buf_byte(out, ',');
            st = add_filled(f, json_array_get(value, i), out, depth + 1);
        }
        gm_buf_byte(out, ']');
    } else {
        char *plain = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (plain == NULL) return no_memory(f->err);
        gm_buf_text(out, plain);
        free(plain);
    }
    return st;
}

gm_status gm_replay_create(const gm_replay_map *map, const gm_replay_row *row, size_t i, gm_buf *out_id,
                           gm_buf *out_body, gm_error *err)
{
    assert(i < map->create_count);
    gm_buf    twin = gm_buf_init(out_id->alloc), text = gm_buf_init(out_id->alloc);
    gm_status st   = gm_replay_twin(map, row, &twin, err);
    if (st == GM_OK) st = fill(map, row, gm_buf_view(&twin), map->creates[i].id, out_id, err);
    filling f = { .map = map, .row = row, .twin = gm_buf_view(&twin), .text = &text, .err = err };
    if (st == GM_OK) st = add_filled(&f, map->creates[i].body, out_body, 0);
    if (st == GM_OK && (twin.failed || text.failed || out_id->failed || out_body->failed)) st = no_memory(err);
    gm_buf_finish(&twin);
    gm_buf_finish(&text);
    return st;
}
