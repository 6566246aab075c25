// A ring of the newest letters and a small table of when each (topic, reason) was last written to the log.
#include "engine/dead_letter.h"


#include <assert.h>

enum { RECENT = 256 };  // (topic, reason) pairs remembered for counting instead of writing

typedef struct letter {
    uint64_t   sequence;
    gm_time_ns at;
    char      *texts;  // topic, reason, payload, one after the other
    uint32_t   topic_len, reason_len, payload_len;
} letter;

struct gm_dead_letters {
    const gm_alloc *alloc;
    gm_engine      *engine;
    letter          ring[GM_DEAD_LETTERS_MAX];
    size_t          newest, count;  // ring[newest] is the newest when count > 0
    uint64_t        total;
    struct { uint64_t hash; gm_dur_ns until; } recent[RECENT];
    const gm_clock *clock;
};

static gm_status keep(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_dead_letters *letters = context;
    char            *texts   = gm_alloc_bytes(letters->alloc, change->id.len + change->name.len + change->text.len);
    if (texts == NULL) return gm_fail(err, GM_NOMEM, "engine.dead_letter", "keeping a dead letter");
    letter *slot;
    letters->newest = (letters->newest + 1) % GM_DEAD_LETTERS_MAX;
    slot            = &letters->ring[letters->newest];
    gm_free(letters->alloc, slot->texts);
    *slot = (letter){ record->sequence, record->ingest, texts, (uint32_t)change->id.len, (uint32_t)change->name.len,
                      (uint32_t)change->text.len };
    if (change->id.len > 0) memcpy(texts, change->id.ptr, change->id.len);
    if (change->name.len > 0) memcpy(texts + change->id.len, change->name.ptr, change->name.len);
    if (change->text.len > 0) memcpy(texts + change->id.len + change->name.len, change->text.ptr, change->text.len);
    if (letters->count < GM_DEAD_LETTERS_MAX) letters->count++;
    letters->total++;
    return GM_OK;
}

gm_status gm_dead_letters_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_dead_letters **out,
                                 gm_error *err)
{
    gm_dead_letters *letters = gm_alloc_zeroed(alloc, sizeof *letters);
    *out                     = letters;
    if (letters == NULL) return gm_fail(err, GM_NOMEM, "engine.dead_letter", "making the list of dead letters");
    letters->alloc  = alloc;
    letters->clock  = clock;
    letters->engine = engine;
    gm_engine_fold(engine, GM_CHANGE_DEAD_LETTER, keep, letters);
    return GM_OK;
}

void gm_dead_letters_destroy(gm_dead_letters *letters)
{
    if (letters == NULL) return;
    for (size_t i = 0; i < GM_DEAD_LETTERS_MAX; i++) gm_free(letters->alloc, letters->ring[i].texts);
    gm_free(letters->alloc, letters);
}

// Was the same topic and reason written within the last second? Different ones may share a slot: then one more is
// written, which is harmless.
static bool said_lately(gm_dead_letters *letters, gm_str topic, gm_str reason)
{
    uint64_t  hash = gm_str_hash(topic) ^ (gm_str_hash(reason) << 1 | 1);
    gm_dur_ns now  = gm_monotonic(letters->clock);
    size_t    slot = hash % RECENT;
    if (letters->recent[slot].hash == hash && now < letters->recent[slot].until) return true;
    letters->recent[slot].hash  = hash;
    letters->recent[slot].until = now + GM_SECOND;
    return false;
}

gm_status gm_dead_letters_add(gm_dead_letters *letters, gm_str topic, gm_str payload, gm_str reason, gm_ask ask, gm_error *err)
{
    if (said_lately(letters, topic, reason)) {
        letters->total++;
        if (ask.call != NULL) ask.call(ask.context, ask.token, GM_OK, NULL);
        return GM_OK;
    }
    return gm_engine_submit(letters->engine, GM_CHANGE_DEAD_LETTER, 0, topic, reason,
                            gm_str_slice(payload, 0, GM_DEAD_LETTER_PAYLOAD_MAX), ask, err);
}

uint64_t gm_dead_letters_total(const gm_dead_letters *letters)
{
    return letters->total;
}

size_t gm_dead_letters_count(const gm_dead_letters *letters)
{
    return letters->count;
}

gm_dead_letter gm_dead_letters_at(const gm_dead_letters *letters, size_t i)
{
    assert(i < letters->count);
    const letter *at = &letters->ring[(letters->newest + GM_DEAD_LETTERS_MAX - i) % GM_DEAD_LETTERS_MAX];
    return (gm_dead_letter){ .sequence = at->sequence,
                             .at       = at->at,
                             .topic    = { at->texts, at->topic_len },
                             .reason   = { at->texts + at->topic_len, at->reason_len },
                             .payload  = { at->texts + at->topic_len + at->reason_len, at->payload_len } };
}
