// link/ingest.h: a message on a native topic becomes a change of its twin, or a dead letter with the reason.
//
//   gm_native_topic native = gm_topic_native(topic);
//   st = gm_ingest_message(ingest, &native, topic, payload, ask, &err);
//
// GM_OK: it is on its way; the ask is answered when that is durable: GM_OK when it was applied, GM_INVALID with the
// reason when it was refused for good and is a dead letter now.
// GM_LIMIT: nothing happened; stop reading from the sender and come back through gm_engine_later.
// GM_IO: the log is read-only; nothing is accepted any more. GM_NOMEM: this message is abandoned.
#ifndef GM_LINK_INGEST_H
#define GM_LINK_INGEST_H

#include "engine/dead_letter.h"
#include "link/create.h"
#include "link/map.h"
#include "link/topic.h"

typedef struct gm_ingest gm_ingest;

typedef struct gm_ingest_options {
    const gm_alloc  *alloc;
    gm_engine       *engine;
    gm_dead_letters *dead_letters;
    gm_creator      *creator;   // NULL: messages can not create twins
    gm_loop         *loop;      // tells the time of arrival
    gm_dur_ns        future;    // how far ahead of now a source time may lie
    gm_maps         *maps;      // foreign topics; NULL: none. Outlives the ingest
} gm_ingest_options;

typedef struct gm_ingest_stats { uint64_t applied, rejected; } gm_ingest_stats;

GM_NODISCARD gm_status gm_ingest_create(const gm_ingest_options *options, gm_ingest **out_ingest, gm_error *err);
void                   gm_ingest_destroy(gm_ingest *ingest);

GM_NODISCARD gm_status gm_ingest_message(gm_ingest *ingest, const gm_native_topic *native, gm_str topic, gm_str payload,
                                         gm_ask ask, gm_error *err);

// Foreign topics: the mapping that claims one, or NULL; and a message on it, with the same results as above. A message
// may concern several twins: those that it can not be applied to become dead letters, the others get their values; the
// ask is answered with the last of them.
gm_maps  *gm_ingest_maps(const gm_ingest *ingest);  // NULL: none
gm_map   *gm_ingest_map_of(const gm_ingest *ingest, gm_str topic);
GM_NODISCARD gm_status gm_ingest_mapped(gm_ingest *ingest, gm_map *map, gm_str topic, gm_str payload, gm_ask ask,
                                        gm_error *err);

gm_ingest_stats gm_ingest_statistics(const gm_ingest *ingest);

#endif
