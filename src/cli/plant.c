// Reads a plant folder into memory. Invariant: every text that a source or document views lies in one of the files, which
// live as long as the plant.
#include "cli/plant.h"
#include "control/maintain/request.h"
#include "control/rulebook_name.h"
#include "failure/modes.h"
#include "rollup/definition.h"

#include "base/crc32c.h"
#include "cli/documents.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

gm_status gm_plant_find(gm_plant *plant, gm_str file, uint32_t line, uint32_t column, const char *rule, gm_str dtmi,
                        const char *fmt, ...)
{
    gm_plant_findings *f = &plant->findings;
    char               text[1024];
    va_list            arguments;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    if (!gm_alloc_reserve(plant->alloc, &f->items, &f->capacity, f->count + 1, sizeof *f->items)) return GM_NOMEM;
    gm_finding finding = {
        .rule = gm_str_of(rule),
        .dtmi = gm_arena_str(plant->arena, dtmi),
        .file = gm_arena_str(plant->arena, file),
        .text = gm_arena_str(plant->arena, gm_str_of(text)),
        .line = line, .column = column,
    };
    if (finding.dtmi.ptr == NULL || finding.file.ptr == NULL || finding.text.ptr == NULL) return GM_NOMEM;
    f->items[f->count++] = finding;
    return GM_OK;
}

static int compare_findings(const void *a, const void *b)
{
    const gm_finding *x = a, *y = b;
    int               files = gm_str_cmp(x->file, y->file);
    if (files != 0) return files;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    return gm_str_cmp(x->text, y->text);
}

void gm_plant_sort_findings(gm_plant *plant)
{
    if (plant->findings.count > 1)
        qsort(plant->findings.items, plant->findings.count, sizeof(gm_finding), compare_findings);
}

// ---- finding the files ----------------------------------------------------------------------------------------------

typedef struct file_walk {
    gm_plant       *plant;
    const gm_io    *io;
    gm_str          under;    // "models"; the names below it are relative to the plant
    gm_plant_files *out;
    int             depth;
    bool            read;     // else only listed
    bool            classes;  // Modelica texts and notes are read, the rest is listed
} file_walk;

static bool is_data_file(gm_str name)
{
    static const char *const endings[] = { ".json", ".ndjson", ".jsonl" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (gm_str_ends(name, gm_str_of(endings[i]))) return true;
    }
    return false;
}

static gm_status add_file(file_walk *w, gm_str name, gm_error *err)
{
    gm_plant_files *files = w->out;
    if (files->count >= GM_PLANT_FILES_MAX) {
        return gm_fail(err, GM_LIMIT, "cli.plant", GM_STR_FMT " has more than %d files", GM_STR_ARG(w->under),
                       GM_PLANT_FILES_MAX);
    }
    if (!gm_alloc_reserve(w->plant->alloc, &files->items, &files->capacity, files->count + 1, sizeof *files->items)) {
        return gm_fail(err, GM_NOMEM, "cli.plant", "listing " GM_STR_FMT, GM_STR_ARG(w->under));
    }
    gm_plant_file *file = &files->items[files->count++];
    *file               = (gm_plant_file){ .name = name };
    bool is_text = gm_str_ends(name, GM_STR(".mo")) || gm_str_ends(name, GM_STR(".json")) || gm_str_ends(name, GM_STR(".plan")) || gm_maintain_is(name) || gm_rulebook_is(name) || gm_rollups_is(name) ||
                   gm_failure_modes_is(name);
    if (!w->read && !(w->classes && is_text)) return GM_OK;

    gm_str path =
        gm_arena_printf(w->plant->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(w->plant->folder), GM_STR_ARG(name));
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "reading " GM_STR_FMT, GM_STR_ARG(name));
    size_t    size = 0;
    gm_status st   = gm_io_read_file(w->io, path.ptr, GM_PLANT_FILE_MAX, &file->bytes, &size, err);
    if (st != GM_OK) return st;
    file->text = (gm_str){ (const char *)file->bytes, size };
    if (gm_str_starts(file->text, GM_STR("\xef\xbb\xbf"))) file->text = gm_str_slice(file->text, 3, size);
    return GM_OK;
}

static gm_status walk_folder(file_walk *w, gm_error *err);

static gm_status on_entry(void *context, gm_str entry, gm_error *err)
{
    file_walk *w = context;
    if (entry.len > 0 && entry.ptr[0] == '.') return GM_OK;  // editors' and git's own
    gm_str name = gm_arena_printf(w->plant->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(w->under), GM_STR_ARG(entry));
    if (name.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "listing " GM_STR_FMT, GM_STR_ARG(w->under));
    if (w->read ? is_data_file(entry) : gm_str_find_char(entry, '.') != SIZE_MAX) return add_file(w, name, err);

    // What has no ending is a folder, or a note such as README that is nobody's business here.
    if (w->depth >= GM_PLANT_DEPTH_MAX || gm_str_find_char(entry, '.') != SIZE_MAX) return GM_OK;
    file_walk below = *w;
    gm_error  why   = {0};
    below.under     = name;
    below.depth     = w->depth + 1;
    gm_status st    = walk_folder(&below, &why);
    if (st == GM_IO && why.os_errno == ENOTDIR) return GM_OK;
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}

static gm_status walk_folder(file_walk *w, gm_error *err)
{
    gm_str path =
        gm_arena_printf(w->plant->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(w->plant->folder), GM_STR_ARG(w->under));
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "listing " GM_STR_FMT, GM_STR_ARG(w->under));
    return w->io->list(w->io, path.ptr, on_entry, w, err);
}

static bool is_absent(gm_status st, const gm_error *err)
{
    return st == GM_NOTFOUND || (st == GM_IO && err->os_errno == ENOENT);
}

typedef enum part_kind { PART_DOCUMENTS, PART_CLASSES, PART_LISTED } part_kind;

// A part of the plant that is not there is an empty part.
static gm_status read_part(gm_plant *plant, const gm_io *io, const char *part, part_kind kind, gm_plant_files *out,
                           gm_error *err)
{
    file_walk w   = { .plant = plant, .io = io, .under = gm_str_of(part), .out = out };
    w.read        = kind == PART_DOCUMENTS;
    w.classes     = kind == PART_CLASSES;
    gm_error  why = {0};
    gm_status st  = walk_folder(&w, &why);
    if (is_absent(st, &why)) return GM_OK;
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}

// ---- what lies in the files -----------------------------------------------------------------------------------------

static gm_status add_source(gm_plant *plant, gm_str file, gm_str text)
{
    if (!gm_alloc_reserve(plant->alloc, &plant->sources, &plant->source_capacity, plant->source_count + 1,
                          sizeof *plant->sources)) {
        return GM_NOMEM;
    }
    plant->sources[plant->source_count++] = (gm_model_source){ .file = file, .text = text };
    return GM_OK;
}

static gm_status add_document(gm_plant *plant, gm_plant_documents *to, gm_str file, gm_str text, uint32_t line)
{
    if (!gm_alloc_reserve(plant->alloc, &to->items, &to->capacity, to->count + 1, sizeof *to->items)) return GM_NOMEM;
    to->items[to->count++] = (gm_plant_document){ .file = file, .text = text, .line = line };
    return GM_OK;
}

// The file's text with everything but its model lines left empty, so that findings keep their line numbers.
typedef struct model_lines { gm_buf text; uint32_t line; bool any; } model_lines;

static void keep_model_line(model_lines *models, const gm_document *line)
{
    while (models->line < line->line) {
        gm_buf_byte(&models->text, '\n');
        models->line++;
    }
    gm_buf_byte(&models->text, models->any ? ',' : '[');
    gm_buf_str(&models->text, line->text);
    models->any = true;
}

static gm_status add_model_lines(gm_plant *plant, gm_str file, model_lines *models)
{
    if (!models->any) return GM_OK;
    gm_buf_byte(&models->text, ']');
    gm_str kept = models->text.failed ? (gm_str){0} : gm_arena_str(plant->arena, gm_buf_view(&models->text));
    return kept.ptr != NULL ? add_source(plant, file, kept) : GM_NOMEM;
}

typedef enum section { SECTION_NONE, SECTION_HEADER, SECTION_MODELS, SECTION_TWINS, SECTION_RELATIONSHIPS } section;

// {"Section":"Twins"}: which one begins; SECTION_NONE when the line is no section line.
static section section_of(gm_str line, bool *out_unknown)
{
    static const char *const names[] = { "", "Header", "Models", "Twins", "Relationships" };
    *out_unknown = false;
    if (line.len > 120 || gm_str_find(line, GM_STR("\"Section\"")) == SIZE_MAX) return SECTION_NONE;
    json_t     *object = json_loadb(line.ptr, line.len, 0, NULL);
    const char *name   = json_string_value(json_object_get(object, "Section"));
    section     found  = SECTION_NONE;
    for (size_t i = 1; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) found = (section)i;
    }
    *out_unknown = name != NULL && found == SECTION_NONE;
    json_decref(object);
    return found;
}

static gm_status read_lines(gm_plant *plant, const gm_plant_file *file)
{
    gm_documents walk   = gm_documents_lines(file->text);
    model_lines  models = { .text = gm_buf_init(plant->alloc), .line = 1 };
    section      now    = SECTION_NONE;
    gm_document  line;
    gm_status    st = GM_OK;
    while (st == GM_OK && gm_documents_next(&walk, &line)) {
        bool    unknown;
        section next = section_of(line.text, &unknown);
        if (unknown) {
            st = gm_plant_find(plant, file->name, line.line, 1, "twins.section", (gm_str){0},
                               "there is no such section; the sections are Header, Models, Twins and Relationships");
        } else if (next != SECTION_NONE) {
            now = next;
        } else if (now == SECTION_NONE) {
            st = gm_plant_find(plant, file->name, line.line, 1, "twins.section", (gm_str){0},
                               "this line belongs to no section; put {\"Section\":\"Twins\"} before the twins");
            if (st == GM_OK) now = SECTION_HEADER;  // once is enough
        } else if (now == SECTION_MODELS) {
            keep_model_line(&models, &line);
        } else if (now == SECTION_TWINS) {
            st = add_document(plant, &plant->twin_documents, file->name, line.text, line.line);
        } else if (now == SECTION_RELATIONSHIPS) {
            st = add_document(plant, &plant->relationship_documents, file->name, line.text, line.line);
        }
    }
    if (st == GM_OK) st = add_model_lines(plant, file->name, &models);
    gm_buf_finish(&models.text);
    return st;
}

// One element of a JSON file: what it is shows in its keys.
static gm_status add_element(gm_plant *plant, gm_str file, const gm_document *element, model_lines *models)
{
    gm_documents members = gm_documents_members(element->text, element->line);
    gm_document  member;
    bool         has_id = false, has_relationship = false, has_model = false;
    while (gm_documents_next(&members, &member)) {
        has_id |= gm_str_is(member.key, "\"$dtId\"");
        has_relationship |=
            gm_str_is(member.key, "\"$relationshipId\"") || gm_str_is(member.key, "\"$relationshipName\"");
        has_model |= gm_str_is(member.key, "\"@id\"");
    }
    if (has_relationship)
        return add_document(plant, &plant->relationship_documents, file, element->text, element->line);
    if (has_id) return add_document(plant, &plant->twin_documents, file, element->text, element->line);
    if (has_model) {
        keep_model_line(models, element);
        return GM_OK;
    }
    return gm_plant_find(plant, file, element->line, 1, "twins.element", (gm_str){0},
                         "neither a twin ($dtId), a relationship ($relationshipId) nor a model (@id)");
}

static gm_status add_elements(gm_plant *plant, gm_str file, gm_str text, uint32_t line, model_lines *models)
{
    gm_documents walk = gm_documents_elements(text, line);
    gm_document  element;
    gm_status    st = GM_OK;
    while (st == GM_OK && gm_documents_next(&walk, &element)) st = add_element(plant, file, &element, models);
    return st;
}

// The Explorer's export: {"digitalTwinsGraph":{"digitalTwins":[...],"relationships":[...]},"digitalTwinsModels":[...]}.
static gm_status add_graph(gm_plant *plant, gm_str file, gm_str text, uint32_t line, model_lines *models)
{
    gm_documents walk = gm_documents_members(text, line);
    gm_document  member;
    gm_status    st = GM_OK;
    while (st == GM_OK && gm_documents_next(&walk, &member)) {
        if (gm_str_is(member.key, "\"digitalTwinsGraph\""))
            st = add_graph(plant, file, member.text, member.line, models);
        else if (member.text.ptr[0] == '[') st = add_elements(plant, file, member.text, member.line, models);
    }
    return st;
}

static gm_status read_json(gm_plant *plant, const gm_plant_file *file)
{
    // The walk below trusts the brackets, so the parser speaks first.
    json_error_t where;
    json_t      *whole = json_loadb(file->text.ptr, file->text.len, JSON_REJECT_DUPLICATES, &where);
    if (whole == NULL) {
        return gm_plant_find(plant, file->name, (uint32_t)(where.line > 0 ? where.line : 1),
                             (uint32_t)(where.column > 0 ? where.column : 1), "json", (gm_str) { 0 }, "not JSON: %s",
                             where.text);
    }
    bool is_array = json_is_array(whole), is_graph = json_object_get(whole, "digitalTwinsGraph") != NULL;
    json_decref(whole);
    model_lines models = { .text = gm_buf_init(plant->alloc), .line = 1 };
    gm_document one    = { .text = gm_str_trim(file->text), .line = 1 };
    gm_status   st;
    if (is_array) st = add_elements(plant, file->name, file->text, 1, &models);
    else if (is_graph) st = add_graph(plant, file->name, file->text, 1, &models);
    else st = add_element(plant, file->name, &one, &models);
    if (st == GM_OK) st = add_model_lines(plant, file->name, &models);
    gm_buf_finish(&models.text);
    return st;
}

gm_status gm_plant_split(gm_plant *plant, gm_error *err)
{
    gm_status st = GM_OK;
    if (plant->split) return GM_OK;
    plant->split = true;
    for (size_t i = 0; st == GM_OK && i < plant->models.count; i++) {
        st = add_source(plant, plant->models.items[i].name, plant->models.items[i].text);
    }
    for (size_t i = 0; st == GM_OK && i < plant->twins.count; i++) {
        const gm_plant_file *file = &plant->twins.items[i];
        st = gm_str_ends(file->name, GM_STR(".json")) ? read_json(plant, file) : read_lines(plant, file);
    }
    return st == GM_OK ? GM_OK : gm_fail(err, st, "cli.plant", "reading " GM_STR_FMT, GM_STR_ARG(plant->folder));
}

// ---- fingerprint ----------------------------------------------------------------------------------------------------

void gm_plant_fingerprint(const gm_plant *plant, gm_buf *out)
{
    const gm_plant_files *const parts[] = { &plant->models, &plant->twins, &plant->mappings };
    gm_buf_text(out, "gemel loaded 1\n");
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        for (size_t i = 0; i < parts[p]->count; i++) {
            const gm_plant_file *file = &parts[p]->items[i];
            gm_buf_printf(out, "%08x %zu " GM_STR_FMT "\n", gm_crc32c(0, file->text.ptr, file->text.len),
                          file->text.len, GM_STR_ARG(file->name));
        }
    }
}

// ---- the folder -----------------------------------------------------------------------------------------------------

static void on_wrong_setting(void *context, uint32_t line, uint32_t column, const char *text)
{
    // Memory that is refused here is refused again, and reported, by the reading that follows.
    (void)!gm_plant_find(context, GM_STR("gemel.conf"), line, column, "conf", (gm_str){0}, "%s", text);
}

static gm_status read_config(gm_plant *plant, const gm_io *io, gm_error *err)
{
    gm_str path = gm_arena_printf(plant->arena, GM_STR_FMT "/gemel.conf", GM_STR_ARG(plant->folder));
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "reading gemel.conf");
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_error  why   = {0};
    gm_status st    = gm_io_read_file(io, path.ptr, GM_CONFIG_FILE_MAX, &bytes, &size, &why);
    if (is_absent(st, &why)) {
        plant->config = (gm_config){0};
        return GM_OK;
    }
    if (st == GM_OK) {
        st = gm_config_read((gm_str) { (const char *)bytes, size }, plant->arena, &plant->config, on_wrong_setting,
                            plant, &why);
    }
    gm_free(io->alloc, bytes);
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}

static gm_status no_entry(void *context, gm_str name, gm_error *err)
{
    (void)context, (void)name, (void)err;
    return GM_OK;
}

// One that has read nothing yet. GM_NOTFOUND: there is no such folder.
static gm_status begin_plant(const gm_io *io, const char *folder, gm_plant **out_plant, gm_error *err)
{
    assert(io != NULL && folder != NULL && out_plant != NULL);
    *out_plant            = NULL;
    const gm_alloc *alloc = io->alloc;
    gm_plant       *plant = gm_alloc_zeroed(alloc, sizeof *plant);
    if (plant == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "reading %s", folder);
    plant->alloc = alloc;
    plant->arena = gm_arena_create(alloc, 0);
    gm_status st = plant->arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.plant", "reading %s", folder);
    if (st != GM_OK) goto done;
    plant->folder = gm_arena_str(plant->arena, gm_str_of(folder));
    if (plant->folder.ptr == NULL) st = gm_fail(err, GM_NOMEM, "cli.plant", "reading %s", folder);
    if (st != GM_OK) goto done;

    gm_error why = {0};
    st           = io->list(io, folder, no_entry, NULL, &why);
    if (st != GM_OK) {
        st = gm_fail(err, GM_NOTFOUND, "cli.plant", "there is no plant folder '%s': %s", folder, why.text);
        goto done;
    }
    *out_plant = plant;
    plant      = NULL;
done:
    gm_plant_destroy(plant);
    return st;
}

gm_status gm_plant_read_rules(const gm_io *io, const char *folder, gm_plant **out_plant, gm_error *err)
{
    gm_status st = begin_plant(io, folder, out_plant, err);
    if (st == GM_OK) st = read_part(*out_plant, io, "rules", PART_CLASSES, &(*out_plant)->rules, err);
    if (st == GM_OK) return GM_OK;
    gm_plant_destroy(*out_plant);
    *out_plant = NULL;
    return st;
}

gm_status gm_plant_read(const gm_io *io, const char *folder, gm_plant **out_plant, gm_error *err)
{
    gm_plant *plant;
    gm_status st = begin_plant(io, folder, &plant, err);
    *out_plant   = NULL;
    if (st == GM_OK) st = read_config(plant, io, err);
    if (st == GM_OK) st = read_part(plant, io, "models", PART_DOCUMENTS, &plant->models, err);
    if (st == GM_OK) st = read_part(plant, io, "twins", PART_DOCUMENTS, &plant->twins, err);
    if (st == GM_OK) st = read_part(plant, io, "mappings", PART_DOCUMENTS, &plant->mappings, err);
    if (st == GM_OK) st = read_part(plant, io, "behaviors", PART_CLASSES, &plant->behaviors, err);
    if (st == GM_OK) st = read_part(plant, io, "rules", PART_CLASSES, &plant->rules, err);
    if (st == GM_OK) st = read_part(plant, io, "scene", PART_LISTED, &plant->scene, err);
    if (st == GM_OK) *out_plant = plant;
    else gm_plant_destroy(plant);
    return st;
}

static void finish_files(const gm_alloc *alloc, gm_plant_files *files)
{
    for (size_t i = 0; i < files->count; i++) gm_free(alloc, files->items[i].bytes);
    gm_free(alloc, files->items);
}

void gm_plant_destroy(gm_plant *plant)
{
    if (plant == NULL) return;
    gm_plant_files *const all[] = { &plant->models,    &plant->twins, &plant->mappings,
                                    &plant->behaviors, &plant->rules, &plant->scene };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) finish_files(plant->alloc, all[i]);
    gm_free(plant->alloc, plant->sources);
    gm_free(plant->alloc, plant->twin_documents.items);
    gm_free(plant->alloc, plant->relationship_documents.items);
    gm_free(plant->alloc, plant->findings.items);
    gm_arena_destroy(plant->arena);
    gm_free(plant->alloc, plant);
}
