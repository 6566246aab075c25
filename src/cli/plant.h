// cli/plant.h: a plant folder, read whole: its settings, models, initial twins, mappings and the rest (DESIGN.md section 4).
//
//   gm_plant_read(io, "examples/turbofan", &plant, &err);
//   gm_plant_check(plant, &err);                        // everything that is wrong, at once
//   if (plant->findings.count > 0) ...                  // each with file, line and what to do
//   gm_plant_load(plant, engine, loop, &loaded, &err);  // idempotent: what exists already stays as it is
//   gm_plant_destroy(plant);
//
//   plant/ gemel.conf  models/**.json  twins/*.ndjson|*.json  mappings/*  behaviors/*  rules/*  scene/*  data/
//
// Twins and relationships come in the Azure Digital Twins bulk import format (newline JSON with section lines), as plain
// JSON arrays, or as the graph export of its Explorer. Nothing here keeps parsed documents: a million twins are text
// until each is looked at.
#ifndef GM_CLI_PLANT_H
#define GM_CLI_PLANT_H

#include "base/arena.h"
#include "base/io.h"
#include "cli/config.h"
#include "model/model.h"

#include <jansson.h>

enum { GM_PLANT_FILE_MAX = 1 << 30, GM_PLANT_FILES_MAX = 65536, GM_PLANT_DEPTH_MAX = 8 };

typedef struct gm_plant_file {
    gm_str   name;   // relative to the plant: "twins/fleet.ndjson"
    gm_str   text;   // without a byte-order mark; NULL for files that are only listed
    uint8_t *bytes;
} gm_plant_file;

typedef struct gm_plant_files { gm_plant_file *items; size_t count, capacity; } gm_plant_files;

typedef struct gm_plant_document {  // one twin or relationship
    gm_str   file, text;            // text is one JSON object
    uint32_t line;
} gm_plant_document;

typedef struct gm_plant_documents { gm_plant_document *items; size_t count, capacity; } gm_plant_documents;

typedef struct gm_plant_findings { gm_finding *items; size_t count, capacity; } gm_plant_findings;

typedef struct gm_plant {
    const gm_alloc    *alloc;
    gm_arena          *arena;      // texts of findings, names
    gm_str             folder;
    gm_config          config;
    gm_plant_files     models, twins, mappings, behaviors, rules, scene;
    gm_model_source   *sources;    // [source_count] model texts, also those from the twins' files
    size_t             source_count, source_capacity;
    bool               split;            // the fields below have been filled
    size_t             interface_count;  // found by gm_plant_check
    gm_plant_documents twin_documents, relationship_documents;
    gm_plant_findings  findings;
} gm_plant;

// Reads every file. What is wrong inside a file is a finding, not an error.
// GM_NOTFOUND: there is no such folder. GM_IO, GM_NOMEM.
GM_NODISCARD gm_status gm_plant_read(const gm_io *io, const char *folder, gm_plant **out_plant, gm_error *err);
// Its rules alone.
GM_NODISCARD gm_status gm_plant_read_rules(const gm_io *io, const char *folder, gm_plant **out_plant, gm_error *err);
void                   gm_plant_destroy(gm_plant *plant);

// Finds the models, twins and relationships in the files; what is no JSON is a finding. gm_plant_check does it itself.
GM_NODISCARD gm_status gm_plant_split(gm_plant *plant, gm_error *err);

// Appends a text that changes when models, twins or mappings do: a line "CRC32C SIZE NAME" for each file.
void gm_plant_fingerprint(const gm_plant *plant, gm_buf *out);

// Checks models against the DTDL rules, twins against their models, relationships against both, mappings against
// their format. Adds to findings, in the order of the files. GM_NOMEM only.
GM_NODISCARD gm_status gm_plant_check(gm_plant *plant, gm_error *err);

// The same for the rules alone, against a model that is there already.
GM_NODISCARD gm_status gm_plant_check_rules(gm_plant *plant, const gm_model *model, gm_error *err);
GM_NODISCARD gm_status gm_plant_check_rollups(gm_plant *plant, const gm_model *model, gm_error *err);  // the same for rules/*.rollups
GM_NODISCARD gm_status gm_plant_check_modes(gm_plant *plant, const gm_model *model, gm_error *err);    // the same for rules/*.modes

// Puts the declarations of rules/*.modes in force. GM_INVALID: a file does not read; *out_file is its name, and what stood before stays.
struct gm_failures;
GM_NODISCARD gm_status gm_plant_set_modes(const gm_plant *plant, struct gm_failures *failures, gm_str *out_file, gm_error *err);

// The [history ...] sections of gemel.conf: what they name is in the model. GM_NOMEM only.
GM_NODISCARD gm_status gm_plant_check_history(gm_plant *plant, const gm_model *model);

// The same for geometry (cli/scene_file.h), whose files it reads: do they read, and do the twins, models and files that
// they name exist? After gm_plant_split. A server does not ask: a scene with a mistake must not keep a plant from running.
GM_NODISCARD gm_status gm_plant_check_scene(gm_plant *plant, const gm_io *io, gm_error *err);

// Adds a finding; the texts are copied.
GM_NODISCARD gm_status gm_plant_find(gm_plant *plant, gm_str file, uint32_t line, uint32_t column, const char *rule,
                                     gm_str dtmi, const char *fmt, ...) GM_PRINTF(7, 8);

// The four names of a relationship document; viewed in it, NULL where one is missing or no text.
typedef struct gm_relationship_names { const char *source, *target, *name, *id; } gm_relationship_names;
gm_relationship_names gm_plant_relationship_names(const json_t *body);

// Orders the findings by file, line and column.
void gm_plant_sort_findings(gm_plant *plant);

#endif
