// link/telemetry.h: a device's JSON object becomes cells of its twin, in one pass over the bytes, without allocation.
//
//   gm_telemetry_names_create(alloc, type, &names, &err);                 // once per type
//   gm_telemetry_reader_init(&reader, alloc);                             // once per thread
//   st = gm_telemetry_read(&reader, names, GM_TELEMETRY_TWIN, payload, now, latest, &err);
//   if (st == GM_OK) gm_engine_write(engine, twin, reader.flags, reader.cells, reader.count, ask, &err);
//
//   {"$time":"2026-01-01T00:00:00.250Z","temperature":21.37,"motor":{"current":4.2},"tags":{"line":"A"}}
//
// `$time` (optional, at the top, RFC 3339) is when the values were measured; without it they count as measured now.
// Names are those of the model's telemetry and properties; a component or an object schema is a nested object, maps
// and arrays are checked against their schema and kept as compact JSON. The message is taken as a whole or not at all:
// an unknown or repeated name, a value that does not fit its schema (null is none; say nothing to have no value), or
// anything that is not strict RFC 8259 JSON refuses it, and the error's text says where ("byte 14: ...") and why.
#ifndef GM_LINK_TELEMETRY_H
#define GM_LINK_TELEMETRY_H

#include "base/time.h"
#include "log/change.h"
#include "model/model.h"

enum {
    GM_TELEMETRY_DEPTH_MAX = 32,     // nesting inside a map or array; elsewhere the model sets the depth
    GM_TELEMETRY_KEYS_MAX  = 4096,   // keys of maps and of objects in documents that are open at a time
};

// The names of a type, hashed. Immutable but for a memory of which name followed which, used to guess the next one.
typedef struct gm_telemetry_names gm_telemetry_names;
GM_NODISCARD gm_status            gm_telemetry_names_create(const gm_alloc *alloc, const gm_type *type,
                                                            gm_telemetry_names **out_names, gm_error *err);
void                   gm_telemetry_names_destroy(gm_telemetry_names *names);

// Where a message's names begin: at the twin itself, or inside one of its components.
#define GM_TELEMETRY_TWIN UINT32_C(0)
#define GM_TELEMETRY_NOWHERE UINT32_MAX
uint32_t gm_telemetry_scope(const gm_telemetry_names *names, gm_str component);  // NOWHERE: no such component

typedef struct gm_telemetry_reader {
    gm_cell_write  *cells;      // [count] of the last message; texts are viewed in its payload or in this reader
    size_t          count;
    uint8_t         flags;      // GM_WRITE_PROPERTIES when a property is among them
    gm_time_ns      at;         // the source time that all of them have
    // inside
    const gm_alloc *alloc;
    size_t          cell_capacity, seen_capacity, text_capacity, text_used, key_capacity, key_count;
    uint32_t       *seen;       // [names] number of the message in which a name was seen last
    uint32_t        message;
    char           *text;       // decoded strings and compact documents
    gm_str         *keys;       // of documents that are open
} gm_telemetry_reader;
void gm_telemetry_reader_init(gm_telemetry_reader *reader, const gm_alloc *alloc);
void gm_telemetry_reader_finish(gm_telemetry_reader *reader);

// now: the source time when the message names none. latest: the latest source time that is believed.
// GM_INVALID: refused, err tells. GM_NOMEM. Memory grows with the largest message and type seen, then no more.
// Cost: about 25 ns a numeric field.
GM_NODISCARD gm_status gm_telemetry_read(gm_telemetry_reader *reader, gm_telemetry_names *names, uint32_t scope,
                                         gm_str payload, gm_time_ns now, gm_time_ns latest, gm_error *err);

#endif
