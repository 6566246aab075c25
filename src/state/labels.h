// state/labels.h: short texts by a number of 4 bytes, for rows that exist by the million: ids and properties of relationships.
// Inside state/ only.
//
// Ids of relationships are often the same few ("feeds", "r0") from many sources, so an equal text that was added shortly
// before is shared: it costs nothing then. A text takes its length and 4 bytes, rounded up to 8; one that is longer than
// 248 comes from the allocator, with 16 bytes that lead there. One thread.
#ifndef GM_STATE_LABELS_H
#define GM_STATE_LABELS_H

#include "base/alloc.h"
#include "base/str.h"

typedef uint32_t gm_label;  // 0: none

enum { GM_LABEL_CLASSES = 32, GM_LABEL_RECENT = 1024 };  // sizes 8, 16 ... 256 bytes

typedef struct gm_labels {
    const gm_alloc *alloc;
    uint8_t       **chunks;       // [chunk_count]; a label is its chunk's number and its place there, in steps of 8 bytes
    size_t          chunk_count, chunk_capacity;
    uint32_t        used;         // bytes of the last chunk
    gm_label        free[GM_LABEL_CLASSES];
    gm_label        recent[GM_LABEL_RECENT];  // by hash: the last one that was added; 0: none
    size_t          bytes;        // taken from the allocator
} gm_labels;

void gm_labels_finish(gm_labels *labels);  // whatever was not dropped goes as well, but for long ones

// Copies, or shares. 0 when memory is refused (also beyond 32 GB); an empty text is a label like any other.
gm_label gm_labels_add(gm_labels *labels, gm_str text);
void     gm_labels_drop(gm_labels *labels, gm_label label);  // 0 is allowed

gm_str gm_labels_view(const gm_labels *labels, gm_label label);  // viewed until it is dropped; 0: empty

#endif
