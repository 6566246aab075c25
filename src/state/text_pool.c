#include "state/text_pool.h"

enum { STEP = 8, CHUNK = 64 * 1024, POOLED_MAX = STEP * GM_TEXT_CLASSES };

static size_t rounded(size_t len)
{
    return (sizeof(gm_text) + len + STEP - 1) / STEP * STEP;
}

gm_text *gm_text_room(gm_text_pool *pool, size_t len)
{
    if (len > UINT32_MAX / 2) return NULL;
    size_t   size = rounded(len);
    gm_text *text;
    if (size > POOLED_MAX) {
        text = gm_alloc_bytes(pool->alloc, size);
        if (text == NULL) return NULL;
        pool->bytes += size;
    } else if (pool->free[size / STEP - 1] != NULL) {
        void **link                  = pool->free[size / STEP - 1];
        pool->free[size / STEP - 1] = *link;
        text                         = (gm_text *)(void *)link;
    } else {
        if (pool->left < size) {
            // What is left of the old chunk is at most one text: less than half a percent.
            uint8_t *chunk = gm_alloc_bytes(pool->alloc, CHUNK);
            if (chunk == NULL) return NULL;
            memcpy(chunk, &pool->chunks, sizeof pool->chunks);
            pool->chunks = chunk;
            pool->at     = chunk + sizeof(void *);
            pool->left   = CHUNK - sizeof(void *);
            pool->bytes += CHUNK;
        }
        text = (gm_text *)(void *)pool->at;
        pool->at += size;
        pool->left -= size;
    }
    text->len = (uint32_t)len;
    return text;
}

gm_text *gm_text_add(gm_text_pool *pool, gm_str content)
{
    gm_text *text = gm_text_room(pool, content.len);
    if (text != NULL && content.len > 0) memcpy(text->bytes, content.ptr, content.len);
    return text;
}

void gm_text_drop(gm_text_pool *pool, gm_text *text)
{
    if (text == NULL) return;
    size_t size = rounded(text->len);
    if (size > POOLED_MAX) {
        pool->bytes -= size;
        gm_free(pool->alloc, text);
        return;
    }
    void *next                   = pool->free[size / STEP - 1];
    pool->free[size / STEP - 1] = text;
    memcpy(text, &next, sizeof next);
}

void gm_text_pool_finish(gm_text_pool *pool)
{
    while (pool->chunks != NULL) {
        void *chunk = pool->chunks;
        memcpy(&pool->chunks, chunk, sizeof pool->chunks);
        gm_free(pool->alloc, chunk);
    }
    *pool = (gm_text_pool){ .alloc = pool->alloc };
}
