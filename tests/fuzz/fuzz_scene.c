// Bytes as a glTF file: refused with a reason, or its mentions are texts within reason.
#include "cli/scene_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gm_status on_mention(void *context, const gm_scene_mention *m, gm_error *err)
{
    size_t *sum = context;
    (void)err;
    if (m->text.len > 0 && m->text.ptr == NULL) abort();
    for (size_t i = 0; i < m->text.len; i++) *sum += (unsigned char)m->text.ptr[i];
    if (m->kind != GM_SCENE_FILE && m->text.len == 0) abort();
    return GM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 16 << 20);
    gm_error  err   = { 0 };
    size_t    sum   = 0;
    if (arena == NULL) return 0;
    gm_status st = gm_scene_read((gm_str){ (const char *)data, size }, arena, on_mention, &sum, &err);
    if (st != GM_OK && st != GM_NOMEM && (st != GM_INVALID || err.text[0] == '\0')) abort();
    gm_arena_destroy(arena);
    return 0;
}
