// state/text_pool.h: short strings by the million (ids, string cells), without malloc's overhead.
//
// Sizes are rounded up to 8 bytes; freed ones go to a list per size and are used again; long ones come from the
// allocator directly. One thread.
#ifndef GM_STATE_TEXT_POOL_H
#define GM_STATE_TEXT_POOL_H

#include "base/alloc.h"
#include "state/state.h"

enum { GM_TEXT_CLASSES = 32 };  // 8, 16 ... 256 bytes

typedef struct gm_text_pool {
    const gm_alloc *alloc;
    void           *chunks;        // every chunk, newest first
    uint8_t        *at;            // rest of the newest chunk
    size_t          left;
    void           *free[GM_TEXT_CLASSES];
    size_t          bytes;         // taken from the allocator
} gm_text_pool;

static inline gm_str gm_text_view(const gm_text *text)
{
    return text != NULL ? (gm_str){ text->bytes, text->len } : (gm_str){ NULL, 0 };
}

// Copies; NULL when memory is refused (an empty string is a text of length 0, not NULL).
gm_text *gm_text_add(gm_text_pool *pool, gm_str content);
gm_text *gm_text_room(gm_text_pool *pool, size_t len);  // of that length, its bytes to be filled in
void     gm_text_drop(gm_text_pool *pool, gm_text *text);  // NULL is allowed

// Frees the chunks. Long texts must have been dropped before.
void gm_text_pool_finish(gm_text_pool *pool);

#endif
