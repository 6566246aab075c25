// insight/live/events.h: the newest anomalies that were told, folded from the log (record kind ANOMALY).
#ifndef GM_INSIGHT_LIVE_EVENTS_H
#define GM_INSIGHT_LIVE_EVENTS_H

#include "engine/engine.h"

enum { GM_ANOMALIES_MAX = 1000 };

typedef struct gm_anomaly {
    uint64_t sequence;       // of the record that began it
    gm_str   twin, detector; // texts are viewed until the next change
    gm_str   text;           // JSON object: start, end, score, signals
    bool     open;
} gm_anomaly;

typedef struct gm_anomalies gm_anomalies;

// Registers its fold and keeper with the engine: before gm_engine_recover.
GM_NODISCARD gm_status gm_anomalies_create(const gm_alloc *alloc, gm_engine *engine, gm_anomalies **out, gm_error *err);
void                   gm_anomalies_destroy(gm_anomalies *anomalies);

// Submits a record: one that begins, or (ended) takes the place of the newest open one of the same twin and detector.
GM_NODISCARD gm_status gm_anomalies_tell(gm_anomalies *anomalies, gm_str twin, gm_str detector, gm_str text, bool ended, gm_error *err);

uint64_t   gm_anomalies_total(const gm_anomalies *anomalies);  // ever begun
size_t     gm_anomalies_count(const gm_anomalies *anomalies);  // kept
gm_anomaly gm_anomalies_at(const gm_anomalies *anomalies, size_t i);  // 0 is the newest

#endif
