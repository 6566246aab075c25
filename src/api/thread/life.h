// api/thread/life.h: the thread of this plant, as the API keeps it: folded from the log, in its checkpoints, documents beside it.
#ifndef GM_API_THREAD_LIFE_H
#define GM_API_THREAD_LIFE_H

#include "api/context.h"
#include "thread/documents.h"
#include "thread/facts.h"

typedef struct gm_life {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_thread      *thread;
    gm_documents    documents;   // io NULL: there are none
    char           *folder;
    uint64_t        uploads;     // begun so far
    bool            fed;         // by work orders (api/thread/feed.h)
    gm_buf          bytes;       // of the record at hand
    gm_buf          texts;       // of the fact at hand
} gm_life;

// Registers folds: before gm_engine_recover. data_dir NULL: no documents.
GM_NODISCARD gm_status gm_life_create(const gm_alloc *alloc, const gm_io *io, const char *data_dir, gm_engine *engine, gm_life **out, gm_error *err);
void                   gm_life_destroy(gm_life *life);  // NULL is allowed

// Adds facts, all in one record. GM_INVALID: one of them is none (err says which); a single one is checked against the others, too.
GM_NODISCARD gm_status gm_life_add(gm_life *life, const gm_fact *facts, size_t count, gm_ask ask, gm_error *err);

// Is there a document of the fact's hash, and is it what the fact says? GM_INVALID: no. Cost: reads it.
GM_NODISCARD gm_status gm_life_check_document(gm_life *life, const gm_api_limits *limits, const gm_fact *fact, gm_error *err);

// For queries (query/facts.h); context: the request.
bool gm_life_read_value(void *context, gm_str twin, gm_str phase, gm_str key, gm_time_ns valid, gm_time_ns known, gm_value *out);

// ---- what the routes share
static inline gm_thread *gm_life_thread(const gm_request *r) { return r->api->life->thread; }

// May he see what is said of that id? Who is kept to some twins sees those alone; an id that is no twin belongs to the whole plant.
bool gm_life_sees(const gm_request *request, gm_str id);
// The same of a fact: its twin, and the part that it names.
bool gm_life_shows(const gm_request *request, const gm_fact *fact);
// The id in the path's first parameter; false: replied 404.
GM_NODISCARD bool gm_life_id(gm_request *request, gm_str *out_id);

// {"twin":..,"inGraph":..,"items":[ : the beginning of an answer about it.
void gm_life_write_head(gm_request *request, gm_str id);

// The parameters `valid` (default: now) and `known` (default: everything). False: replied 400.
typedef struct gm_life_times { gm_time_ns valid, known; } gm_life_times;
GM_NODISCARD bool gm_life_read_times(gm_request *request, gm_life_times *out);
// The parameter's phase; *out is left alone when it is absent. False: replied 400.
GM_NODISCARD bool gm_life_read_phase(gm_request *request, const char *parameter, gm_phase *out);

#endif
