// tests/engine/workload.h: an engine under a random but repeatable life, and all that it knows as text.
#ifndef GM_TESTS_ENGINE_WORKLOAD_H
#define GM_TESTS_ENGINE_WORKLOAD_H

#include "engine/checkpoint.h"
#include "engine/dead_letter.h"

typedef struct gm_plant_rig {
    const gm_io     *io;
    const gm_alloc  *alloc;
    const char      *dir;
    gm_engine_options options;   // filled in by start; loop stays
    gm_loop         *loop;       // NULL: none is made
    bool             forks;      // checkpoints are written by a copy of the process
    gm_engine       *engine;
    gm_dead_letters *letters;
    gm_error         err;
    uint64_t         step, acknowledged;  // the last counter written; the last one acknowledged
} gm_plant_rig;

// Opens and recovers. False: refused, err tells why, everything is closed.
bool gm_rig_start(gm_plant_rig *rig);
void gm_rig_stop(gm_plant_rig *rig);

// Models, twins, writes in and out of order, text, removals, relationships, deletions, changes of model, dead letters; and
// one counter ("c", property "n") that goes up by one with each step. False: something was refused.
bool gm_rig_live(gm_plant_rig *rig, uint64_t *random, unsigned steps);

// Takes a checkpoint and waits for it. The status of the answer.
gm_status gm_rig_checkpoint(gm_plant_rig *rig, const char *copy_to);

// Everything that can be asked, as text.
void gm_rig_dump(gm_plant_rig *rig, gm_buf *out);

// The counter shows every acknowledged step, and its history every step once.
void gm_rig_check_counter(gm_plant_rig *rig, const char *after);

#endif
