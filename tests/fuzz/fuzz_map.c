// A message against mappings of every format: the first byte chooses, the rest is the payload. And the first half as the
// text of a mapping file itself.
#include "link/map.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const bodies[] = {
    ("{\"mappings\":[{\"topic\":\"t/{a}\",\"twin\":\"{a}-{/id}\",\"each\":\"/r\",\"time\":{\"from\":\"/t\",\"unit\":\"ms\"},"
     "\"values\":[{\"from\":\"/v/0\",\"to\":\"v\",\"optional\":true}]}]}"),  // one text on two lines
    "{\"mappings\":[{\"topic\":\"t/{a}\",\"twin\":\"{a}\"}]}",
    "{\"mappings\":[{\"topic\":\"t/{a}\",\"twin\":\"{x}\",\"format\":\"csv\",\"header\":true}]}",
    "{\"mappings\":[{\"topic\":\"t/{a}\",\"twin\":\"{a:03d}\",\"format\":\"scalar\",\"values\":[{\"to\":\"v\"}]}]}",
    "{\"mappings\":[{\"topic\":\"t/{g}/{type}/{n}\",\"twin\":\"{n}\",\"format\":\"sparkplug\"}]}",
};
enum { COUNT = sizeof bodies / sizeof bodies[0] };

static gm_status on_update(void *context, const gm_mapped *m, gm_error *err)
{
    size_t *bytes = context;
    (void)err;
    if (m->twin.len == 0 || m->twin.len > 128) abort();
    for (size_t i = 0; i < m->count; i++) {
        if (m->values[i].value.kind == GM_KIND_NONE) abort();
        *bytes += m->values[i].path.len;
    }
    return GM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_maps *maps;
    gm_error err   = { 0 };
    size_t   bytes = 0;
    if (size == 0 || gm_maps_create(gm_alloc_system(), &maps, &err) != GM_OK) return 0;
    gm_str    rest = { (const char *)data + 1, size - 1 };
    unsigned  kind = data[0] % (COUNT + 1);
    gm_str    body = kind == COUNT ? rest : gm_str_of(bodies[kind]);
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 64 << 20);
    gm_status st    = gm_maps_add(maps, GM_STR("m"), body, &err);
    if (st == GM_INVALID && err.text[0] == '\0') abort();
    gm_str  topic = kind == COUNT - 1 ? GM_STR("t/g/NBIRTH/n") : GM_STR("t/7");
    gm_map *map   = st == GM_OK ? gm_maps_of_topic(maps, topic) : NULL;
    if (map != NULL && arena != NULL) {
        st = gm_map_read(map, topic, rest, arena, on_update, &bytes, &err);
        if (st != GM_OK && st != GM_INVALID && st != GM_NOMEM) abort();
    }
    gm_arena_destroy(arena);
    gm_maps_destroy(maps);
    return 0;
}
