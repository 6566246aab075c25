// Sparkplug B through a mapping: births tell names and their aliases, data messages may use the aliases alone.
// The aliases live in memory: after a start the data of an edge node is refused until its next birth, which a primary host
// or an operator asks for with the "Node Control/Rebirth" command.
#include "link/map_internal.h"

#include "base/index.h"
#include "base/utf8.h"
#include "link/sparkplug.h"

#define WHERE "link.sparkplug"

// ---- aliases ------------------------------------------------------------------------------------------------------
typedef struct known { char *key; uint32_t key_len, name_len, type; } known;  // key: owner, 0, alias; then the name

struct gm_map_aliases {
    const gm_alloc *alloc;
    gm_index        index;
    known          *items;
    size_t          count, capacity;
    gm_buf          key;
};

static bool same_key(const void *owner, uint32_t id, gm_str key)
{
    const known *one = &((const gm_map_aliases *)owner)->items[id];
    return gm_str_eq((gm_str){ one->key, one->key_len }, key);
}

gm_map_aliases *gm_map_aliases_create(const gm_alloc *alloc)
{
    gm_map_aliases *aliases = gm_alloc_zeroed(alloc, sizeof *aliases);
    if (aliases == NULL) return NULL;
    aliases->alloc = alloc;
    aliases->index = gm_index_init(alloc, same_key, aliases);
    aliases->key   = gm_buf_init(alloc);
    return aliases;
}

void gm_map_aliases_destroy(gm_map_aliases *aliases)
{
    if (aliases == NULL) return;
    for (size_t i = 0; i < aliases->count; i++) gm_free(aliases->alloc, aliases->items[i].key);
    gm_index_finish(&aliases->index);
    gm_buf_finish(&aliases->key);
    gm_free(aliases->alloc, aliases->items);
    gm_free(aliases->alloc, aliases);
}

static size_t put_key(char *out, size_t size, gm_str owner, uint64_t alias)
{
    if (owner.len + 9 > size) return 0;
    memcpy(out, owner.ptr, owner.len);
    out[owner.len] = '\0';
    for (int i = 0; i < 8; i++) out[owner.len + 1 + (size_t)i] = (char)(alias >> (8 * i));
    return owner.len + 9;
}

enum { OWNER_MAX = 1024 };

bool gm_map_aliases_find(const gm_map_aliases *aliases, gm_str owner, uint64_t alias, gm_str *out_name, uint32_t *out_type)
{
    char     key[OWNER_MAX + 16];
    size_t   len = put_key(key, sizeof key, owner, alias);
    uint32_t id  = len > 0 ? gm_index_find(&aliases->index, (gm_str){ key, len }) : GM_INDEX_NONE;
    if (id == GM_INDEX_NONE) return false;
    const known *one = &aliases->items[id];
    *out_name        = (gm_str){ one->key + one->key_len, one->name_len };
    *out_type        = one->type;
    return true;
}

gm_status gm_map_aliases_set(gm_map_aliases *aliases, gm_str owner, uint64_t alias, gm_str name, uint32_t type)
{
    char     key[OWNER_MAX + 16];
    size_t   len = put_key(key, sizeof key, owner, alias);
    uint32_t id  = len > 0 ? gm_index_find(&aliases->index, (gm_str){ key, len }) : GM_INDEX_NONE;
    bool     full = id == GM_INDEX_NONE && aliases->count >= GM_MAP_ALIASES_MAX;
    if (len == 0 || full) return GM_LIMIT;
    char *text = gm_alloc_bytes(aliases->alloc, len + name.len + 1);
    if (text == NULL || !gm_alloc_reserve(aliases->alloc, &aliases->items, &aliases->capacity, aliases->count + 1, sizeof *aliases->items)) {
        gm_free(aliases->alloc, text);
        return GM_NOMEM;
    }
    memcpy(text, key, len);
    memcpy(text + len, name.ptr, name.len);
    known one = { text, (uint32_t)len, (uint32_t)name.len, type };
    if (id != GM_INDEX_NONE) {  // a new birth gives the number another name
        gm_free(aliases->alloc, aliases->items[id].key);
        aliases->items[id] = one;
        return GM_OK;
    }
    aliases->items[aliases->count] = one;
    if (gm_index_add(&aliases->index, (gm_str){ text, len }, (uint32_t)aliases->count) != GM_OK) {
        gm_free(aliases->alloc, text);
        return GM_NOMEM;
    }
    aliases->count++;
    return GM_OK;
}

// ---- messages -----------------------------------------------------------------------------------------------------
typedef enum message { MESSAGE_BIRTH, MESSAGE_DATA, MESSAGE_OTHER } message;

// namespace/group/TYPE/node[/device] (section 4.1). The owner of aliases is the same without the type.
static message kind_of(gm_str topic, gm_arena *arena, gm_str *out_owner)
{
    gm_str rest = topic, space, group, type;
    if (!gm_str_next(&rest, '/', &space) || !gm_str_next(&rest, '/', &group) || !gm_str_next(&rest, '/', &type) || rest.ptr == NULL)
        return MESSAGE_OTHER;
    *out_owner = gm_arena_printf(arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(group), GM_STR_ARG(rest));
    if (gm_str_is(type, "NBIRTH") || gm_str_is(type, "DBIRTH")) return MESSAGE_BIRTH;
    if (gm_str_is(type, "NDATA") || gm_str_is(type, "DDATA")) return MESSAGE_DATA;
    return MESSAGE_OTHER;
}

static bool in_years(uint64_t ms, gm_time_ns *out)
{
    if (ms > (uint64_t)(GM_TIME_MAX / GM_MILLISECOND)) return false;
    *out = (gm_time_ns)ms * GM_MILLISECOND;
    return true;
}

static const gm_map_rule *rule_of(const gm_map *map, gm_str name)
{
    for (size_t i = 0; i < map->rule_count; i++) {
        if (gm_str_eq(map->rules[i].from, name)) return &map->rules[i];
    }
    return NULL;
}

static gm_status broken(gm_map_reading *r, const char *what)
{
    return gm_fail(r->err, GM_INVALID, WHERE, "the payload is no Sparkplug B: %s", what);
}

// Finds the metric's name and type; a birth teaches them.
static gm_status name_metric(gm_map_reading *r, message kind, gm_str owner, gm_sparkplug_metric *m)
{
    uint32_t type;
    if (m->name.len > 0 && !gm_utf8_valid(m->name)) return broken(r, "a metric's name is no UTF-8");
    if (m->name.len > 0) {
        bool learn = kind == MESSAGE_BIRTH && m->has_alias;
        gm_status st = learn ? gm_map_aliases_set(r->map->aliases, owner, m->alias, m->name, m->type) : GM_OK;
        if (st == GM_LIMIT) return gm_fail(r->err, GM_INVALID, WHERE, "more than %d aliases, or a topic of more than %d bytes",
                                           GM_MAP_ALIASES_MAX, OWNER_MAX);
        return st == GM_OK ? GM_OK : gm_fail(r->err, st, WHERE, "learning an alias");
    }
    if (!m->has_alias) return broken(r, "a metric has neither name nor alias");
    if (!gm_map_aliases_find(r->map->aliases, owner, m->alias, &m->name, &type)) {
        return gm_fail(r->err, GM_INVALID, WHERE,
                       "alias %llu is not known: ask the edge node for a birth ('Node Control/Rebirth')", (unsigned long long)m->alias);
    }
    if (m->type == 0) m->type = type;
    return GM_OK;
}

static size_t count_metrics(gm_sparkplug_payload p)
{
    size_t              n = 0;
    gm_sparkplug_metric m;
    while (gm_sparkplug_next(&p, &m) == GM_SPARKPLUG_METRIC) n++;
    return n;
}

gm_status gm_map_read_sparkplug(gm_map_reading *r, gm_str topic, gm_str payload)
{
    gm_str               owner = { "", 0 };
    message              kind  = kind_of(topic, r->arena, &owner);
    gm_sparkplug_payload p;
    gm_sparkplug_metric  m;
    gm_sparkplug_sight   sight;
    if (kind == MESSAGE_OTHER) return GM_OK;  // deaths, commands, states say nothing of a twin's values
    if (owner.ptr == NULL) return gm_fail(r->err, GM_NOMEM, WHERE, "reading a message");
    if (!gm_sparkplug_open(payload, &p)) return broken(r, "its fields do not parse");
    gm_map_value *values = GM_ARENA_NEW(r->arena, gm_map_value, count_metrics(p) + 1);
    gm_mapped    *result = gm_map_next_result(r);
    if (values == NULL) return gm_fail(r->err, GM_NOMEM, WHERE, "reading a message");
    if (result == NULL) return r->err->status;
    gm_status st = gm_map_name_result(r, result);
    if (st != GM_OK) return st;
    if (p.has_timestamp && !in_years(p.timestamp_ms, &result->at)) return broken(r, "its time lies beyond the year 2200");
    result->values = values;
    while ((sight = gm_sparkplug_next(&p, &m)) == GM_SPARKPLUG_METRIC) {
        st = name_metric(r, kind, owner, &m);
        if (st != GM_OK) return st;
        const gm_map_rule *rule = rule_of(r->map, m.name);
        if (m.is_null || m.value.kind == GM_KIND_NONE || (rule == NULL && !r->map->all)) continue;
        gm_map_value *v = &values[result->count];
        *v              = (gm_map_value){ .path = rule != NULL ? rule->to : m.name, .rule = rule,
                                          .value = gm_sparkplug_as(&m, m.type), .at = GM_MAP_NO_TIME };
        if (m.has_timestamp && !in_years(m.timestamp_ms, &v->at)) return broken(r, "a metric's time lies beyond the year 2200");
        result->count++;
    }
    if (sight == GM_SPARKPLUG_BROKEN) return broken(r, "a metric does not parse");
    if (result->count == 0) r->result_count--;  // a birth of names only
    return GM_OK;
}
