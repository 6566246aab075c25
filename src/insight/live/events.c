// A ring of the newest anomalies.
#include "insight/live/events.h"

#include "base/bytes.h"

#include <assert.h>

enum { ENDED = 1 }; // flag of a record

typedef struct entry {
    uint64_t sequence;
    char    *texts;
    uint32_t twin_len, detector_len, text_len;
    bool     open;
} entry;

struct gm_anomalies {
    const gm_alloc *alloc;
    gm_engine      *engine;
    entry           ring[GM_ANOMALIES_MAX];
    size_t          newest, count;
    uint64_t        total;
};

static gm_anomaly view(const entry *e)
{
    return (gm_anomaly) { .sequence = e->sequence,
                          .twin     = { e->texts, e->twin_len },
                          .detector = { e->texts + e->twin_len, e->detector_len },
                          .text     = { e->texts + e->twin_len + e->detector_len, e->text_len },
                          .open     = e->open };
}

static entry *slot_at(gm_anomalies *a, size_t i)
{
    return &a->ring[(a->newest + GM_ANOMALIES_MAX - i) % GM_ANOMALIES_MAX];
}

gm_anomaly gm_anomalies_at(const gm_anomalies *a, size_t i)
{
    assert(i < a->count);
    return view(&a->ring[(a->newest + GM_ANOMALIES_MAX - i) % GM_ANOMALIES_MAX]);
}

uint64_t gm_anomalies_total(const gm_anomalies *a)
{
    return a->total;
}
size_t gm_anomalies_count(const gm_anomalies *a)
{
    return a->count;
}

static gm_status fill(gm_anomalies *a, entry *e, uint64_t sequence, gm_str twin, gm_str detector, gm_str text,
                      bool open, gm_error *err)
{
    char *texts = gm_alloc_bytes(a->alloc, twin.len + detector.len + text.len);
    if (texts == NULL) return gm_fail(err, GM_NOMEM, "insight.events", "keeping an anomaly");
    gm_free(a->alloc, e->texts);
    *e = (entry) { sequence, texts, (uint32_t)twin.len, (uint32_t)detector.len, (uint32_t)text.len, open };
    if (twin.len > 0) memcpy(texts, twin.ptr, twin.len);
    if (detector.len > 0) memcpy(texts + twin.len, detector.ptr, detector.len);
    if (text.len > 0) memcpy(texts + twin.len + detector.len, text.ptr, text.len);
    return GM_OK;
}

static gm_status add(gm_anomalies *a, uint64_t sequence, gm_str twin, gm_str detector, gm_str text, bool open,
                     gm_error *err)
{
    size_t    next = (a->newest + 1) % GM_ANOMALIES_MAX;
    gm_status st   = fill(a, &a->ring[next], sequence, twin, detector, text, open, err);
    if (st != GM_OK) return st;
    a->newest = next;
    a->total++;
    if (a->count < GM_ANOMALIES_MAX) a->count++;
    return GM_OK;
}

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_anomalies *a = context;
    if ((change->flags & ENDED) == 0)
        return add(a, record->sequence, change->id, change->name, change->text, true, err);
    for (size_t i = 0; i < a->count; i++) {
        entry     *e = slot_at(a, i);
        gm_anomaly v = view(e);
        if (v.open && gm_str_eq(v.twin, change->id) && gm_str_eq(v.detector, change->name))
            return fill(a, e, e->sequence, change->id, change->name, change->text, false, err);
    }
    return add(a, record->sequence, change->id, change->name, change->text, false,
               err); // its beginning is no longer kept
}

static void save(void *context, gm_buf *out)
{
    const gm_anomalies *a = context;
    gm_buf_varint(out, a->total);
    for (size_t i = a->count; i-- > 0;) {
        gm_anomaly v = gm_anomalies_at(a, i);
        gm_buf_varint(out, v.sequence);
        gm_buf_varint(out, v.open);
        gm_buf_text_of(out, v.twin);
        gm_buf_text_of(out, v.detector);
        gm_buf_text_of(out, v.text);
    }
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_anomalies *a     = context;
    gm_bytes      in    = { .at = bytes, .end = bytes + size };
    uint64_t      total = size > 0 ? gm_bytes_varint(&in) : 0;
    a->count            = 0;
    while (!in.bad && gm_bytes_left(&in) > 0) {
        uint64_t sequence = gm_bytes_varint(&in);
        bool     open     = gm_bytes_varint(&in) != 0;
        gm_str   twin = gm_bytes_text(&in), detector = gm_bytes_text(&in), text = gm_bytes_text(&in);
        if (in.bad) break;
        gm_status st = add(a, sequence, twin, detector, text, open, err);
        if (st != GM_OK) return st;
    }
    a->total = total;
    return in.bad ? gm_fail(err, GM_CORRUPT, "insight.events", "the anomalies end in the middle") : GM_OK;
}

gm_status gm_anomalies_create(const gm_alloc *alloc, gm_engine *engine, gm_anomalies **out, gm_error *err)
{
    gm_anomalies *a = gm_alloc_zeroed(alloc, sizeof *a);
    *out            = a;
    if (a == NULL) return gm_fail(err, GM_NOMEM, "insight.events", "making the list of anomalies");
    a->alloc  = alloc;
    a->engine = engine;
    gm_engine_fold(engine, GM_CHANGE_ANOMALY, fold, a);
    gm_engine_keep(engine, &(gm_keeper) { "insight.anomalies", a, save, load });
    return GM_OK;
}

void gm_anomalies_destroy(gm_anomalies *a)
{
    if (a == NULL) return;
    for (size_t i = 0; i < GM_ANOMALIES_MAX; i++) gm_free(a->alloc, a->ring[i].texts);
    gm_free(a->alloc, a);
}

gm_status gm_anomalies_tell(gm_anomalies *a, gm_str twin, gm_str detector, gm_str text, bool ended, gm_error *err)
{
    return gm_engine_submit(a->engine, GM_CHANGE_ANOMALY, ended ? ENDED : 0, twin, detector, text, (gm_ask) { 0 }, err);
}
