#include "physics/work.h"

#include <stdio.h>

void gm_work_stop(gm_work *w, gm_status status, const char *where, const char *fmt, ...)
{
    gm_error *err    = w->leave->err;
    w->leave->status = status;
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        *err = (gm_error){ .status = status, .where = where };
        vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
    }
    longjmp(w->leave->jump, 1);
}

static _Noreturn void no_memory(gm_work *w, size_t bytes)
{
    if (w->bytes_max > 0 && gm_arena_used(w->arena) + bytes + 16 > w->bytes_max) {
        gm_work_stop(w, GM_LIMIT, "physics.work", "the model takes more than %zu MB to unfold", w->bytes_max >> 20);
    }
    gm_work_stop(w, GM_NOMEM, "physics.work", "%zu bytes were refused", bytes);
}

void *gm_work_zeroed(gm_work *w, size_t count, size_t size)
{
    void *memory = gm_arena_zeroed(w->arena, count, size);
    if (memory == NULL) no_memory(w, count * size);
    return memory;
}

gm_str gm_work_str(gm_work *w, gm_str text)
{
    gm_str copy = gm_arena_str(w->arena, text);
    if (copy.ptr == NULL) no_memory(w, text.len);
    return copy;
}

gm_str gm_work_printf(gm_work *w, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int   len  = vsnprintf(NULL, 0, fmt, args);
    char *text = len < 0 ? NULL : gm_arena_bytes(w->arena, (size_t)len + 1);
    if (text != NULL) vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(args);
    if (text == NULL) no_memory(w, len < 0 ? 0 : (size_t)len);
    return (gm_str){ text, (size_t)len };
}

void *gm_work_grown(gm_work *w, const void *items, uint32_t *capacity, size_t need, size_t size)
{
    size_t grown = *capacity > 0 ? (size_t)*capacity * 2 : 8;
    if (grown < need) grown = need;
    if (grown > UINT32_MAX / 2) gm_work_stop(w, GM_LIMIT, "physics.work", "a list of %zu elements is too long", need);
    void *fresh = gm_arena_bytes(w->arena, grown * size);
    if (fresh == NULL) no_memory(w, grown * size);
    if (*capacity > 0) memcpy(fresh, items, *capacity * size);
    *capacity = (uint32_t)grown;
    return fresh;
}

static uint32_t slot_of(const gm_map *map, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t mask = map->slots - 1, i = (uint32_t)(hash >> 32) & mask;
    while (map->values[i] != GM_MAP_NONE && map->keys[i] != key) i = (i + 1) & mask;
    return i;
}

uint32_t gm_map_find(const gm_map *map, uint64_t key)
{
    return map->slots > 0 ? map->values[slot_of(map, key)] : (uint32_t)GM_MAP_NONE;
}

void gm_map_put(gm_work *w, gm_map *map, uint64_t key, uint32_t value)
{
    if ((uint64_t)map->count * 4 >= (uint64_t)map->slots * 3) {
        gm_map grown = { .slots = map->slots > 0 ? map->slots * 2 : 16 };
        grown.keys   = gm_arena_bytes(w->arena, (size_t)grown.slots * sizeof *grown.keys);
        grown.values = grown.keys == NULL ? NULL : gm_arena_bytes(w->arena, (size_t)grown.slots * sizeof *grown.values);
        if (grown.values == NULL) no_memory(w, (size_t)grown.slots * 12);
        memset(grown.values, 0xff, (size_t)grown.slots * sizeof *grown.values);
        for (uint32_t i = 0; i < map->slots; i++) {
            if (map->values[i] == GM_MAP_NONE) continue;
            uint32_t to      = slot_of(&grown, map->keys[i]);
            grown.keys[to]   = map->keys[i];
            grown.values[to] = map->values[i];
        }
        grown.count = map->count;
        *map        = grown;
    }
    uint32_t at = slot_of(map, key);
    if (map->values[at] == GM_MAP_NONE) map->count++;
    map->keys[at]   = key;
    map->values[at] = value;
}
