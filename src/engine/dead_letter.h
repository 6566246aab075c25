// engine/dead_letter.h: messages that could not be applied, kept so that set-up mistakes are never silent.
//
// A fold of the log's DEAD_LETTER records: the newest ones with topic, reason, and the start of the payload, and how
// often each (topic, reason) occurred. Bounded: GM_DEAD_LETTERS_MAX kept, the oldest go first.
#ifndef GM_ENGINE_DEAD_LETTER_H
#define GM_ENGINE_DEAD_LETTER_H

#include "engine/engine.h"

enum { GM_DEAD_LETTERS_MAX = 1000, GM_DEAD_LETTER_PAYLOAD_MAX = 512 };

typedef struct gm_dead_letters gm_dead_letters;

typedef struct gm_dead_letter {
    uint64_t   sequence;
    gm_time_ns at;
    gm_str     topic, reason, payload;  // viewed until the next change
} gm_dead_letter;

// Registers its fold with the engine; before gm_engine_recover.
GM_NODISCARD gm_status gm_dead_letters_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine,
                                              gm_dead_letters **out, gm_error *err);
void                   gm_dead_letters_destroy(gm_dead_letters *letters);

// Records one through the log. The same (topic, reason) within a second is only counted, so that a device that is set
// up wrongly can not fill the disk. ask is answered as by gm_engine_submit (at once, when it was only counted).
GM_NODISCARD gm_status gm_dead_letters_add(gm_dead_letters *letters, gm_str topic, gm_str payload, gm_str reason, gm_ask ask,
                                           gm_error *err);

uint64_t gm_dead_letters_total(const gm_dead_letters *letters);  // since start those that were only counted, too
size_t   gm_dead_letters_count(const gm_dead_letters *letters);  // kept
gm_dead_letter gm_dead_letters_at(const gm_dead_letters *letters, size_t i);  // 0 = newest

#endif
