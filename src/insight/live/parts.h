// insight/live/parts.h: the fields of a plant's insight; for the files of insight/live only.
#ifndef GM_INSIGHT_LIVE_PARTS_H
#define GM_INSIGHT_LIVE_PARTS_H

#include "insight/anomaly/healthy.h"
#include "insight/anomaly/stream.h"
#include "insight/live/gather.h"
#include "insight/live/insight.h"
#include "insight/live/lookout.h"

#define GM_INSIGHT_NOWHERE UINT32_MAX

// How a lookout's properties lie in one type.
typedef struct gm_placement {
    bool     known, fits;
    uint32_t columns[GM_LOOKOUT_PROPERTIES_MAX], age, failed, into[GM_LOOKOUT_INTO];
} gm_placement;

// One twin under one lookout.
typedef struct gm_slot {
    gm_twin      twin;
    bool         queued;          // LIFE: waits for a prediction
    gm_healthy  *healthy;         // TOGETHER, once it has learned
    double      *learning;        // TOGETHER before: [learn][count]
    gm_stream  **streams;         // EACH: [count]
    uint32_t     learned, quiet;  // rows; rows since the score was last above the threshold
    bool         open;            // an anomaly is under way
    gm_time_ns   begin;
    double       most;            // its highest score, and who had what part in it then
    double       shares[GM_LOOKOUT_PROPERTIES_MAX];
} gm_slot;

typedef struct gm_lookout_state {
    gm_lookout    asked;
    gm_placement *placements;     // [placement_count] by type number
    size_t        placement_count, placement_room;
    uint32_t     *slot_of;        // [twin_room] by twin number; GM_INSIGHT_NOWHERE
    size_t        twin_room;
    gm_slot      *slots;
    size_t        slot_count, slot_room;
    gm_rul_model *model;          // LIFE
    uint32_t      version;
    bool          look;           // LIFE: a twin has failed since retraining was last thought about
    gm_time_ns    looked;         // LIFE: when that was, or when the newest version was trained; 0: never
    char          verdict[200];   // LIFE: of the last time; "": none yet
} gm_lookout_state;

typedef struct gm_life_job    gm_life_job;
typedef struct gm_retrain_job gm_retrain_job;

struct gm_insight {
    gm_insight_options options;
    gm_pool           *pool;      // NULL: no predictions
    gm_arena          *arena;
    gm_anomalies      *anomalies;
    gm_lookout_state   lookouts[GM_LOOKOUTS_MAX];
    uint32_t           lookout_count;
    gm_insight_life   *lives;
    size_t             life_count, life_room;
    gm_life_job       *job;       // under way; NULL: none
    gm_retrain_job    *retrain;   // likewise: lives are gathered, or a challenger is trained
    gm_timer          *timer;     // looks whether retraining is due; NULL: none
    bool               observing, scheduled, retrain_scheduled, ending;
    uint64_t           predictions, unwatched, waiting;
    gm_buf             scratch;   // texts of anomalies
    char               trouble[200];
};

const gm_placement *gm_insight_place(gm_insight *insight, gm_lookout_state *l, const gm_type *type);

// The slot of a twin, made when it is new. NULL: no memory or too many.
gm_slot *gm_insight_slot(gm_insight *insight, gm_lookout_state *l, gm_twin twin);

// anomalies.c: one record was applied.
void gm_insight_detect(gm_insight *insight, gm_lookout_state *l, const gm_placement *place, const gm_change *change);
void gm_insight_forget_detector(gm_insight *insight, gm_lookout_state *l, gm_slot *slot);

// lives.c
gm_status gm_insight_load_models(gm_insight *insight, gm_error *err);
void      gm_insight_queue(gm_insight *insight, gm_lookout_state *l, gm_slot *slot);
void      gm_insight_predict_some(void *insight);  // a loop call

// retrain.c
void gm_insight_retrain_soon(gm_insight *insight);   // a twin failed, or a time may have come
void gm_insight_retrain_some(void *insight);         // a loop call
void gm_insight_retrain_watch(gm_insight *insight);  // begins to look at the clock
void gm_insight_retrain_stop(gm_insight *insight);

#endif
