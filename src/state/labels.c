// A record: how many share it (u16), length (u16), bytes; or, with length LONG, 4 bytes of length and a pointer. Freed ones are
// chained by the number behind the first 4 bytes.
#include "state/labels.h"

#include <assert.h>
#include <string.h>

enum { STEP = 8, CHUNK = 64 * 1024, CHUNK_STEPS = CHUNK / STEP, CHUNKS_MOST = 1 << 19, HEAD = 4, LONG = UINT16_MAX, LONG_SIZE = 16 };
enum { SHORT_MOST = STEP * GM_LABEL_CLASSES - HEAD };
_Static_assert(sizeof(char *) == 8, "what leads to a long text has room for a pointer");

static uint8_t *record_of(const gm_labels *labels, gm_label label)
{
    return labels->chunks[label / CHUNK_STEPS] + (size_t)(label % CHUNK_STEPS) * STEP;
}

static uint16_t get_16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void put_16(uint8_t *at, size_t value)
{
    uint16_t narrow = (uint16_t)value;
    memcpy(at, &narrow, sizeof narrow);
}

static gm_str view_of(const uint8_t *record)
{
    uint16_t len = get_16(record + 2);
    if (len != LONG) return (gm_str){ (const char *)record + HEAD, len };
    uint32_t    size;
    const char *text;
    memcpy(&size, record + HEAD, sizeof size);
    memcpy(&text, record + 8, sizeof text);
    return (gm_str){ text, size };
}

gm_str gm_labels_view(const gm_labels *labels, gm_label label)
{
    return label != 0 ? view_of(record_of(labels, label)) : (gm_str){ 0 };
}

void gm_labels_finish(gm_labels *labels)
{
    for (size_t i = 0; i < labels->chunk_count; i++) gm_free(labels->alloc, labels->chunks[i]);
    gm_free(labels->alloc, labels->chunks);
    *labels = (gm_labels){ .alloc = labels->alloc };
}

static size_t size_of(size_t len) { return len <= SHORT_MOST ? (HEAD + len + STEP - 1) / STEP * STEP : LONG_SIZE; }

static gm_label take_record(gm_labels *labels, size_t size)
{
    gm_label *free_list = &labels->free[size / STEP - 1], label = *free_list;
    if (label != 0) {
        memcpy(free_list, record_of(labels, label) + HEAD, sizeof *free_list);
        return label;
    }
    if (labels->chunk_count == 0 || labels->used + size > CHUNK) {
        // What is left of the old chunk is less than one text: less than half a percent.
        if (labels->chunk_count == CHUNKS_MOST ||
            !gm_alloc_reserve(labels->alloc, &labels->chunks, &labels->chunk_capacity, labels->chunk_count + 1, sizeof *labels->chunks)) {
            return 0;
        }
        uint8_t *chunk = gm_alloc_bytes(labels->alloc, CHUNK);
        if (chunk == NULL) return 0;
        labels->used = labels->chunk_count == 0 ? STEP : 0;  // 0 is no label
        labels->chunks[labels->chunk_count++] = chunk;
        labels->bytes += CHUNK;
    }
    label = (gm_label)((labels->chunk_count - 1) * CHUNK_STEPS + labels->used / STEP);
    labels->used += (uint32_t)size;
    return label;
}

static gm_label *recent_of(gm_labels *labels, gm_str text) { return &labels->recent[gm_str_hash(text) % GM_LABEL_RECENT]; }

gm_label gm_labels_add(gm_labels *labels, gm_str text)
{
    if (text.len > UINT32_MAX / 2) return 0;
    gm_label *recent = recent_of(labels, text);
    if (*recent != 0) {
        uint8_t *record = record_of(labels, *recent);
        uint16_t uses   = get_16(record);
        if (uses < UINT16_MAX && gm_str_eq(view_of(record), text)) {
            put_16(record, uses + 1u);
            return *recent;
        }
    }
    char *long_text = NULL;
    if (text.len > SHORT_MOST && (long_text = gm_alloc_bytes(labels->alloc, text.len)) == NULL) return 0;
    gm_label label = take_record(labels, size_of(text.len));
    if (label == 0) {
        gm_free(labels->alloc, long_text);
        return 0;
    }
    uint8_t *record = record_of(labels, label);
    put_16(record, 1);
    put_16(record + 2, long_text != NULL ? LONG : text.len);
    if (long_text != NULL) {
        uint32_t len = (uint32_t)text.len;
        memcpy(long_text, text.ptr, text.len);
        memcpy(record + HEAD, &len, sizeof len);
        memcpy(record + 8, &long_text, sizeof long_text);
        labels->bytes += text.len;
    } else if (text.len > 0) {
        memcpy(record + HEAD, text.ptr, text.len);
    }
    *recent = label;
    return label;
}

void gm_labels_drop(gm_labels *labels, gm_label label)
{
    if (label == 0) return;
    uint8_t *record = record_of(labels, label);
    uint16_t uses   = get_16(record);
    assert(uses > 0);
    put_16(record, uses - 1u);
    if (uses > 1) return;
    gm_str    text   = view_of(record);
    gm_label *recent = recent_of(labels, text);
    if (*recent == label) *recent = 0;
    gm_label *free_list = &labels->free[size_of(text.len) / STEP - 1];
    if (get_16(record + 2) == LONG) {
        labels->bytes -= text.len;
        gm_free(labels->alloc, (void *)(uintptr_t)text.ptr);
    }
    memcpy(record + HEAD, free_list, sizeof *free_list);
    *free_list = label;
}
