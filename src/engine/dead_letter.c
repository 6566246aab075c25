// A ring of the newest letters and a small table of when each (topic, reason) was last written to the log.
#include "engine/dead_letter.h"

#include "base/bytes.h"

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

static gm_status put(gm_dead_letters *letters, uint64_t sequence, gm_time_ns at, gm_str topic, gm_str reason, gm_str payload,
                     gm_error *err)
{
    char *texts = gm_alloc_bytes(letters->alloc, topic.len + reason.len + payload.len);
    if (texts == NULL) return gm_fail(err, GM_NOMEM, "engine.dead_letter", "keeping a dead letter");
    letters->newest = (letters->newest + 1) % GM_DEAD_LETTERS_MAX;
    letter *slot    = &letters->ring[letters->newest];
    gm_free(letters->alloc, slot->texts);
    *slot = (letter){ sequence, at, texts, (uint32_t)topic.len, (uint32_t)reason.len, (uint32_t)payload.len };
    if (topic.len > 0) memcpy(texts, topic.ptr, topic.len);
    if (reason.len > 0) memcpy(texts + topic.len, reason.ptr, reason.len);
    if (payload.len > 0) memcpy(texts + topic.len + reason.len, payload.ptr, payload.len);
    if (letters->count < GM_DEAD_LETTERS_MAX) letters->count++;
    letters->total++;
    return GM_OK;
}

static gm_status keep(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    return put(context, record->sequence, record->ingest, change->id, change->name, change->text, err);
}

// In a checkpoint: how many there ever were, then those that are kept, the oldest first.
static void save(void *context, gm_buf *out)
{
    const gm_dead_letters *letters = context;
    gm_buf_varint(out, letters->total);
    for (size_t i = letters->count; i-- > 0;) {
        gm_dead_letter at = gm_dead_letters_at(letters, i);
        gm_buf_varint(out, at.sequence);
        gm_buf_svarint(out, at.at);
        gm_buf_text_of(out, at.topic);
        gm_buf_text_of(out, at.reason);
        gm_buf_text_of(out, at.payload);
    }
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_dead_letters *letters = context;
    gm_bytes         in      = { .at = bytes, .end = size > 0 ? bytes + size : bytes };
    letters->count           = 0;
    letters->total           = 0;
    uint64_t total = size > 0 ? gm_bytes_varint(&in) : 0;
    while (!in.bad && gm_bytes_left(&in) > 0) {
        uint64_t   sequence = gm_bytes_varint(&in);
        gm_time_ns at       = gm_bytes_svarint(&in);
        gm_str     topic = gm_bytes_text(&in), reason = gm_bytes_text(&in), payload = gm_bytes_text(&in);
        if (in.bad) break;
        gm_status st = put(letters, sequence, at, topic, reason, payload, err);
        if (st != GM_OK) return st;
    }
    letters->total = total;
    return in.bad ? gm_fail(err, GM_CORRUPT, "engine.dead_letter", "the dead letters end in the middle") : GM_OK;
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
    gm_engine_keep(engine, &(gm_keeper){ "dead-letters", letters, save, load });
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
