// Everything that is wrong with a plant, at once: models against DTDL's rules, twins against their models, relationships
// against both, mappings against their format.
#include "cli/plant.h"

#include "base/index.h"
#include "base/utf8.h"
#include "cli/replay_map.h"
#include "link/map.h"
#include "state/document.h"

#include <jansson.h>

typedef struct known_twin {
    gm_str         id, file;
    uint32_t       line;
    const gm_type *type;   // NULL when its model is not known
} known_twin;

typedef struct known_edge { gm_str source, id; uint32_t line; gm_str file; } known_edge;

typedef struct check {
    gm_maps      *maps;
    gm_plant   *plant;
    gm_arena   *names;       // ids of twins and relationships
    gm_arena   *scratch;     // one document at a time
    gm_model   *model;       // what could be understood of the models
    bool        model_whole; // nothing had to be left out of it
    known_twin *twins;
    known_edge *edges;
    size_t      twin_count, twin_capacity, edge_count, edge_capacity;
    gm_index    twin_index, edge_index;
    gm_buf      key;
} check;

static bool same_twin(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const check *)owner)->twins[id].id, key);
}

// Relationships are unique per source: the key is source, NUL, id.
static bool same_edge(const void *owner, uint32_t id, gm_str key)
{
    const known_edge *edge = &((const check *)owner)->edges[id];
    return key.len == edge->source.len + 1 + edge->id.len &&
           gm_str_eq(gm_str_slice(key, 0, edge->source.len), edge->source) &&
           gm_str_eq(gm_str_slice(key, edge->source.len + 1, key.len), edge->id);
}

// ---- models ---------------------------------------------------------------------------------------------------------

static gm_status keep_findings(gm_plant *plant, const gm_findings *found)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < found->count; i++) {
        const gm_finding *f = &found->items[i];
        st = gm_plant_find(plant, f->file, f->line, f->column, "", f->dtmi, GM_STR_FMT, GM_STR_ARG(f->text));
        if (st != GM_OK) break;
        gm_finding *kept = &plant->findings.items[plant->findings.count - 1];
        kept->rule       = gm_arena_str(plant->arena, f->rule);
        kept->pointer    = gm_arena_str(plant->arena, f->pointer);
        if (kept->rule.ptr == NULL || kept->pointer.ptr == NULL) st = GM_NOMEM;
    }
    return st;
}

// Leaves out the sources that have a finding; returns how many are left.
static size_t drop_wrong_sources(gm_model_source *sources, size_t n, const gm_findings *found)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool wrong = false;
        for (size_t j = 0; j < found->count && !wrong; j++) wrong = gm_str_eq(found->items[j].file, sources[i].file);
        if (!wrong) sources[kept++] = sources[i];
    }
    return kept;
}

// Adds all models. When some are wrong their findings are kept, and the others are added alone, so that the twins of
// the sound ones can still be checked.
static gm_status check_models(check *c, gm_error *err)
{
    gm_plant        *plant   = c->plant;
    gm_model_source *sources = gm_alloc_array(plant->alloc, plant->source_count, sizeof *sources);
    if (sources == NULL) return gm_fail(err, GM_NOMEM, "cli.check", "%zu model files", plant->source_count);
    if (plant->source_count > 0) memcpy(sources, plant->sources, plant->source_count * sizeof *sources);
    size_t    n     = plant->source_count;
    gm_status st    = GM_OK;
    c->model_whole  = true;
    while (n > 0) {
        gm_findings found = {0};
        gm_error    why   = {0};
        st                = gm_model_add(c->model, sources, n, &found, &why);
        bool done         = st == GM_OK || st == GM_NOMEM;
        if (st == GM_NOMEM) gm_fail(err, GM_NOMEM, "cli.check", "%s", why.text);
        if (!done) {
            st = c->model_whole ? keep_findings(plant, &found) : GM_OK;
            if (st == GM_OK && found.count == 0)
                st = gm_plant_find(plant, GM_STR("models"), 0, 0, "model", (gm_str) { 0 }, "%s", why.text);
            c->model_whole = false;
            size_t left    = drop_wrong_sources(sources, n, &found);
            done           = st != GM_OK || left == n;
            n              = left;
        }
        gm_findings_finish(&found);
        if (done) break;
    }
    plant->interface_count = gm_model_count(c->model);
    gm_free(plant->alloc, sources);
    return st;
}

// ---- twins ----------------------------------------------------------------------------------------------------------

enum { ID_MAX = 128 };

static bool is_id(const char *id)
{
    gm_str text = gm_str_of(id);
    return text.len > 0 && text.len <= ID_MAX && gm_utf8_valid(text);
}

static gm_status wrong_json(check *c, const gm_plant_document *doc, const json_error_t *where)
{
    return gm_plant_find(c->plant, doc->file, doc->line + (uint32_t)(where->line > 1 ? where->line - 1 : 0),
                         (uint32_t)(where->column > 0 ? where->column : 1), "json", (gm_str) { 0 }, "not JSON: %s",
                         where->text);
}

static gm_status remember_twin(check *c, const gm_plant_document *doc, const char *id, const gm_type *type)
{
    uint32_t before = gm_index_find(&c->twin_index, gm_str_of(id));
    if (before != GM_INDEX_NONE) {
        return gm_plant_find(c->plant, doc->file, doc->line, 1, "twins.duplicate", (gm_str){0},
                             "twin '%.128s' stands already at " GM_STR_FMT ":%u; remove one of the two", id,
                             GM_STR_ARG(c->twins[before].file), c->twins[before].line);
    }
    if (!gm_alloc_reserve(c->plant->alloc, &c->twins, &c->twin_capacity, c->twin_count + 1, sizeof *c->twins))
        return GM_NOMEM;
    gm_str kept = gm_arena_str(c->names, gm_str_of(id));
    if (kept.ptr == NULL) return GM_NOMEM;
    c->twins[c->twin_count] = (known_twin){ .id = kept, .file = doc->file, .line = doc->line, .type = type };
    return gm_index_add(&c->twin_index, kept, (uint32_t)c->twin_count++);
}

static gm_status check_twin(check *c, const gm_plant_document *doc)
{
    json_error_t where;
    json_t      *body = json_loadb(doc->text.ptr, doc->text.len, JSON_REJECT_DUPLICATES, &where);
    if (body == NULL) return wrong_json(c, doc, &where);
    gm_status   st    = GM_OK;
    const char *id    = json_string_value(json_object_get(body, "$dtId"));
    const char *dtmi  = json_string_value(json_object_get(json_object_get(body, "$metadata"), "$model"));
    if (id == NULL || !is_id(id)) {
        st = gm_plant_find(c->plant, doc->file, doc->line, 1, "twins.id", (gm_str){0},
                           "the twin has no usable \"$dtId\"; give it a text of 1 to %d characters", ID_MAX);
        goto done;
    }
    if (dtmi == NULL) {
        st = gm_plant_find(c->plant, doc->file, doc->line, 1, "twins.model", (gm_str){0},
                           "twin '%s' names no model; add \"$metadata\":{\"$model\":\"dtmi:...;1\"}", id);
        if (st == GM_OK) st = remember_twin(c, doc, id, NULL);
        goto done;
    }
    const gm_type *type = gm_model_find(c->model, gm_str_of(dtmi));
    st                  = remember_twin(c, doc, id, type);
    if (st != GM_OK) goto done;
    if (type == NULL) {
        // A model that was left out for its own faults has been reported there.
        if (c->model_whole) {
            st = gm_plant_find(c->plant, doc->file, doc->line, 1, "twins.model", gm_str_of(dtmi),
                               "twin '%s': there is no model %s; put its interface into models/", id, dtmi);
        }
        goto done;
    }
    gm_error         why = {0};
    gm_twin_document document;
    gm_arena_clear(c->scratch);
    gm_status fits = gm_document_read_twin(c->model, body, 0, c->scratch, &document, &why);
    if (fits == GM_NOMEM) st = GM_NOMEM;
    else if (fits != GM_OK) {
        st = gm_plant_find(c->plant, doc->file, doc->line, 1, "twins.value", gm_str_of(dtmi), "twin '%s': %s", id,
                           why.text);
    }
done:
    json_decref(body);
    return st;
}

// ---- relationships --------------------------------------------------------------------------------------------------

static const known_twin *find_twin(const check *c, const char *id)
{
    uint32_t at = id != NULL ? gm_index_find(&c->twin_index, gm_str_of(id)) : GM_INDEX_NONE;
    return at != GM_INDEX_NONE ? &c->twins[at] : NULL;
}

static gm_status remember_edge(check *c, const gm_plant_document *doc, const char *source, const char *id)
{
    gm_buf_clear(&c->key);
    gm_buf_text(&c->key, source);
    gm_buf_byte(&c->key, 0);
    gm_buf_text(&c->key, id);
    if (c->key.failed) return GM_NOMEM;
    uint32_t before = gm_index_find(&c->edge_index, gm_buf_view(&c->key));
    if (before != GM_INDEX_NONE) {
        return gm_plant_find(c->plant, doc->file, doc->line, 1, "relationships.duplicate", (gm_str) { 0 },
                             "relationship '%.128s' of '%.128s' stands already at " GM_STR_FMT
                             ":%u; remove one of the two",
                             id, source, GM_STR_ARG(c->edges[before].file), c->edges[before].line);
    }
    if (!gm_alloc_reserve(c->plant->alloc, &c->edges, &c->edge_capacity, c->edge_count + 1, sizeof *c->edges))
        return GM_NOMEM;
    known_edge edge = { .source = gm_arena_str(c->names, gm_str_of(source)),
                        .id     = gm_arena_str(c->names, gm_str_of(id)),
                        .line   = doc->line,
                        .file   = doc->file };
    if (edge.source.ptr == NULL || edge.id.ptr == NULL) return GM_NOMEM;
    c->edges[c->edge_count] = edge;
    return gm_index_add(&c->edge_index, gm_buf_view(&c->key), (uint32_t)c->edge_count++);
}

// Does the source's model have such a relationship, and does its target fit?
static gm_status check_edge_types(check *c, const gm_plant_document *doc, const known_twin *source,
                                  const known_twin *target, const char *name)
{
    if (source->type == NULL) return GM_OK;
    const gm_relationship_type *type = gm_type_relationship(source->type, gm_str_of(name));
    if (type == NULL) {
        return gm_plant_find(c->plant, doc->file, doc->line, 1, "relationships.name", source->type->id,
                             "the model of '" GM_STR_FMT "' has no relationship '%.128s'; " GM_STR_FMT
                             " must declare it",
                             GM_STR_ARG(source->id), name, GM_STR_ARG(source->type->id));
    }
    const gm_type *wanted = type->target.len > 0 ? gm_model_find(c->model, type->target) : NULL;
    if (wanted != NULL && target->type != NULL && !gm_type_is(target->type, wanted)) {
        return gm_plant_find(c->plant, doc->file, doc->line, 1, "relationships.target", source->type->id,
                             "'%.128s' leads to '" GM_STR_FMT "', which is no " GM_STR_FMT, name,
                             GM_STR_ARG(target->id), GM_STR_ARG(type->target));
    }
    return GM_OK;
}

static gm_status check_relationship(check *c, const gm_plant_document *doc)
{
    json_error_t where;
    json_t      *body = json_loadb(doc->text.ptr, doc->text.len, JSON_REJECT_DUPLICATES, &where);
    if (body == NULL) return wrong_json(c, doc, &where);
    gm_relationship_names names = gm_plant_relationship_names(body);
    gm_status             st    = GM_OK;
    static const char *const missing[] = { "$sourceId", "$targetId", "$relationshipName", "$relationshipId" };
    const char *const        given[]   = { names.source, names.target, names.name, names.id };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (given[i] != NULL && is_id(given[i])) continue;
        st = gm_plant_find(c->plant, doc->file, doc->line, 1, "relationships.field", (gm_str) { 0 },
                           "the relationship has no usable \"%s\"; give it a text of 1 to %d characters", missing[i],
                           ID_MAX);
        goto done;
    }
    st = remember_edge(c, doc, names.source, names.id);
    const known_twin *source = find_twin(c, names.source), *target = find_twin(c, names.target);
    const char       *lost = source == NULL ? names.source : target == NULL ? names.target : NULL;
    if (st == GM_OK && lost != NULL) {
        st = gm_plant_find(c->plant, doc->file, doc->line, 1, "relationships.twin", (gm_str){0},
                           "relationship '%s': there is no twin '%.128s' in twins/", names.id, lost);
    }
    if (st == GM_OK && lost == NULL) st = check_edge_types(c, doc, source, target, names.name);
done:
    json_decref(body);
    return st;
}

gm_relationship_names gm_plant_relationship_names(const json_t *body)
{
    gm_relationship_names names = {
        .source = json_string_value(json_object_get(body, "$sourceId")),
        .target = json_string_value(json_object_get(body, "$targetId")),
        .name   = json_string_value(json_object_get(body, "$relationshipName")),
        .id     = json_string_value(json_object_get(body, "$relationshipId")),
    };
    // The import format calls the source $dtId, the API $sourceId.
    if (names.source == NULL) names.source = json_string_value(json_object_get(body, "$dtId"));
    return names;
}

// ---- mappings -------------------------------------------------------------------------------------------------------

// Mappings for messages: their own format, and what they say about a model that they name themselves.
static gm_status check_message_mapping(check *c, const gm_plant_file *file)
{
    gm_error  why  = { 0 };
    size_t    from = gm_maps_count(c->maps);
    gm_status st   = gm_maps_add(c->maps, file->name, file->text, &why);
    if (st == GM_NOMEM) return st;
    if (st != GM_OK) return gm_plant_find(c->plant, file->name, why.line, why.column, "mappings", (gm_str) { 0 }, "%s", why.text);
    for (size_t i = from; st == GM_OK && i < gm_maps_count(c->maps); i++) {
        const gm_map  *map   = gm_maps_at(c->maps, i);
        gm_str         dtmi  = gm_map_model(map);
        const gm_type *type  = dtmi.len > 0 ? gm_model_find(c->model, dtmi) : NULL;
        bool           known = type != NULL || dtmi.len == 0 || !c->model_whole;
        if (!known) gm_fail(&why, GM_INVALID, "cli.check", "there is no model " GM_STR_FMT "; put its interface into models/", GM_STR_ARG(dtmi));
        else if (type == NULL || gm_map_check(map, type, &why) == GM_OK) continue;
        st = gm_plant_find(c->plant, file->name, 1, 1, "mappings", dtmi, "mapping '" GM_STR_FMT "': %s",
                           GM_STR_ARG(gm_str_slice(map->name, 0, 60)), why.text);
    }
    return st;
}

static gm_status check_mapping(check *c, const gm_plant_file *file)
{
    json_error_t where;
    if (!gm_replay_map_is(file->name)) return check_message_mapping(c, file);
    json_t      *body = json_loadb(file->text.ptr, file->text.len, JSON_REJECT_DUPLICATES, &where);
    if (body == NULL) {
        return gm_plant_find(c->plant, file->name, (uint32_t)(where.line > 0 ? where.line : 1),
                             (uint32_t)(where.column > 0 ? where.column : 1), "json", (gm_str) { 0 }, "not JSON: %s",
                             where.text);
    }
    gm_error       why = {0};
    gm_replay_map *map = NULL;
    gm_arena_clear(c->scratch);
    gm_status st = gm_replay_map_read(body, c->scratch, &map, &why);
    if (st != GM_OK && st != GM_NOMEM)
        st = gm_plant_find(c->plant, file->name, 1, 1, "mappings.replay", (gm_str) { 0 }, "%s", why.text);
    json_decref(body);
    return st;
}

gm_status gm_plant_check(gm_plant *plant, gm_error *err)
{
    gm_status st = gm_plant_split(plant, err);
    if (st != GM_OK) return st;
    check c = { .plant = plant, .key = gm_buf_init(plant->alloc) };
    c.twin_index = gm_index_init(plant->alloc, same_twin, &c);
    c.edge_index = gm_index_init(plant->alloc, same_edge, &c);
    c.names      = gm_arena_create(plant->alloc, 0);
    c.scratch    = gm_arena_create(plant->alloc, 0);
    c.model      = gm_model_create(plant->alloc);
    if (c.names == NULL || c.scratch == NULL || c.model == NULL) st = GM_NOMEM;
    if (st == GM_OK) st = gm_maps_create(plant->alloc, &c.maps, err);
    if (st == GM_OK) st = check_models(&c, err);
    for (size_t i = 0; st == GM_OK && i < plant->twin_documents.count; i++)
        st = check_twin(&c, &plant->twin_documents.items[i]);
    for (size_t i = 0; st == GM_OK && i < plant->relationship_documents.count; i++) {
        st = check_relationship(&c, &plant->relationship_documents.items[i]);
    }
    for (size_t i = 0; st == GM_OK && i < plant->mappings.count; i++) {
        if (gm_str_ends(plant->mappings.items[i].name, GM_STR(".json")))
            st = check_mapping(&c, &plant->mappings.items[i]);
    }
    if (st == GM_OK && c.model_whole) st = gm_plant_check_rules(plant, c.model, err);
    if (st == GM_OK && c.model_whole) st = gm_plant_check_rollups(plant, c.model, err);
    if (st == GM_OK && c.model_whole) st = gm_plant_check_modes(plant, c.model, err);
    if (st == GM_OK && c.model_whole && gm_plant_check_history(plant, c.model) != GM_OK) {
        st = gm_fail(err, GM_NOMEM, "cli.check", "checking gemel.conf");
    }
    gm_plant_sort_findings(plant);
    gm_buf_finish(&c.key);
    gm_index_finish(&c.twin_index);
    gm_index_finish(&c.edge_index);
    gm_free(plant->alloc, c.twins);
    gm_free(plant->alloc, c.edges);
    gm_maps_destroy(c.maps);
    gm_model_destroy(c.model);
    gm_arena_destroy(c.scratch);
    gm_arena_destroy(c.names);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "cli.check", "checking " GM_STR_FMT, GM_STR_ARG(plant->folder));
    return st;
}
