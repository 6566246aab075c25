// api/transfer/import.h: brings a file of models, twins and relationships into the engine, a bounded piece at a time.
//
//   gm_import_open(&options, &import, &err);
//   while (gm_import_step(import, GM_MILLISECOND) == GM_IMPORT_GOES_ON) ...  // WAITS: come back after the next commit
//   gm_import_counts(import)...
//   gm_import_close(import);
//
//   models --all known--> twins --all committed--> relationships --all committed--> end
//
// Models that are there already with the same text are passed over; twins and relationships that are there are
// replaced. What is refused is told (options.tell) and passed over, except models: without them the rest would only
// repeat itself. Engine thread.
#ifndef GM_API_TRANSFER_IMPORT_H
#define GM_API_TRANSFER_IMPORT_H

#include "api/transfer/items.h"
#include "engine/engine.h"

typedef struct gm_import gm_import;

typedef struct gm_import_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    gm_items_source source;
    // A section begins or ends ("Models", "Twins", "Relationships"), or an item is refused. May be NULL.
    void (*section)(void *context, const char *name, bool begins);
    void (*refused)(void *context, const char *section, uint64_t number, gm_str id, const char *code, const char *why);
    void *context;
} gm_import_options;

typedef enum gm_import_flow {
    GM_IMPORT_GOES_ON,  // the time is up; there is more
    GM_IMPORT_WAITS,    // for commits that are under way
    GM_IMPORT_DONE,     // everything is committed, or was refused
    GM_IMPORT_FAILED    // the file can not be read on, or the log takes no more: gm_import_error
} gm_import_flow;

typedef struct gm_import_counts { uint64_t models, twins, relationships, refused; } gm_import_counts;

GM_NODISCARD gm_status gm_import_open(const gm_import_options *options, gm_import **out_import, gm_error *err);
// Changes of this import that are under way still answer afterwards; nothing of it is needed then. NULL is allowed.
void                   gm_import_close(gm_import *import);

gm_import_flow   gm_import_step(gm_import *import, gm_dur_ns budget);
gm_import_counts gm_import_count(const gm_import *import);
const gm_error  *gm_import_error(const gm_import *import);

#endif
