// A request for futures: JSON whose texts are a grammar of their own. Must be refused or be a request that can be checked
// and made ready; never break. Input: a JSON object as POST /v1/futures takes it, or a bare variation.
#include "futures/request_json.h"
#include "futures/scheme.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// x: a state in m; k: a parameter; u: an input. Made once, immutable afterwards.
static const gm_program *program(void)
{
    static gm_program *made;
    if (made != NULL) return made;
    gm_error    err = { 0 };
    gm_builder *b   = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x   = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .name = GM_STR("x"), .unit = GM_STR("m"), .start = 1 });
    gm_slot     k   = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_PARAMETER, .name = GM_STR("k"), .unit = GM_STR("1/s"), .start = 1 });
    gm_slot     u   = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_INPUT, .name = GM_STR("u"), .unit = GM_STR("m/s") });
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    gm_build_derivative(b, x, gm_emit2(b, GM_OP_SUB, gm_emit_load(b, u), gm_emit2(b, GM_OP_MUL, gm_emit_load(b, k), gm_emit_load(b, x))));
    gm_build_end(b);
    if (gm_builder_finish(b, &made, &err) != GM_OK) abort();
    gm_builder_destroy(b);
    return made;
}

static bool find(void *context, gm_str name, gm_futures_name *out)
{
    bool negated;
    (void)context;
    *out = (gm_futures_name){ .scale = 1, .set_scale = 1 };
    if (!gm_program_find(program(), name, &out->slot, &negated)) return false;
    out->set = out->slot;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena          *arena = gm_arena_create(gm_alloc_system(), 64 << 20);
    double             base[8] = { 0 };
    gm_futures_world   world = { .program = program(), .find = find };
    gm_futures_request r     = gm_futures_defaults(world.program, base);
    gm_scheme         *scheme;
    gm_error           err  = { 0 };
    json_t            *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (arena == NULL) abort();
    if (body == NULL) {
        gm_vary  v[GM_WORDING_ROOM];
        uint32_t n;
        if (gm_vary_read((gm_str){ (const char *)data, size }, &world, arena, v, &n, &err) != GM_OK && err.text[0] == '\0') abort();
    } else if (gm_futures_request_read(body, NULL, &world, arena, &r, &err) == GM_OK) {
        // A scheme of any size must be made or refused within the arena; its draws are numbers in 0..1.
        if (gm_scheme_make(arena, &r, &scheme, &err) == GM_OK) {
            for (uint32_t i = 0; i < scheme->change_counts[0] && i < 8; i++) {
                double u = gm_scheme_uniform(scheme, &scheme->changes[0][i], r.lanes - 1);
                if (!(u > 0 && u < 1)) abort();
            }
        } else if (err.text[0] == '\0') abort();
    } else if (err.text[0] == '\0') abort();
    json_decref(body);
    gm_arena_destroy(arena);
    return 0;
}
