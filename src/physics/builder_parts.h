// physics/builder_parts.h: the insides of a builder, shared by builder.c (declarations, regions), builder_emit.c
// (values) and builder_finish.c (results, the finished program).
//
// Regions: one per section, then one per loop, each with its own gm_code. `open` is the stack of regions being
// written: a section, and on top of it the bodies that were opened meanwhile.
#ifndef GM_PHYSICS_BUILDER_PARTS_H
#define GM_PHYSICS_BUILDER_PARTS_H

#include "physics/code.h"
#include "physics/program_parts.h"

enum { OPEN_MAX = 4, SECTION_REGION = 1, LOOP_REGION = SECTION_REGION + GM_SECTION_COUNT };

typedef struct loop_entry { uint32_t row, column, value; } loop_entry;

typedef struct loop_part {
    gm_loop_info   info;
    gm_code        code;
    uint32_t      *residuals;  // [unknowns] values, GM_CODE_NONE = missing
    loop_entry    *jacobian;
    size_t         entry_count, entry_capacity;
} loop_part;

struct gm_builder {
    const gm_alloc   *alloc;
    gm_program       *program;
    gm_program_limits limits;
    gm_error          error;   // the first failure
    size_t            slot_capacity, alias_capacity, check_capacity, delay_capacity, grid_capacity, time_event_capacity;
    size_t            relation_capacity, loop_capacity;
    gm_slot_spec     *slots;   // growing arrays; copied into the program's arena at the end
    gm_slot_alias    *aliases;
    gm_check_info    *checks;
    gm_delay_info    *delays;
    gm_grid_spec     *grids;
    gm_slot          *time_events, *relations;
    loop_part        *loops;
    uint64_t          grid_values;
    gm_code           sections[GM_SECTION_COUNT];
    bool              opened[GM_SECTION_COUNT];
    uint32_t          open[OPEN_MAX];
    uint32_t          depth;
};

// The first failure wins; everything after it is a consequence.
#define GM_BUILDER_FAIL(b, code, ...) \
    do { if ((b)->error.status == GM_OK) gm_fail(&(b)->error, (code), "physics.program", __VA_ARGS__); } while (0)

#define GM_VAL_NONE ((gm_val){ 0, 0 })

static inline bool     gm_builder_failed(const gm_builder *b) { return b->error.status != GM_OK; }
static inline uint32_t gm_builder_region(const gm_builder *b) { return b->depth > 0 ? b->open[b->depth - 1] : 0; }

void     gm_builder_nomem(gm_builder *b);
gm_str   gm_builder_copy(gm_builder *b, gm_str text);  // into the program's arena
bool     gm_builder_knows(gm_builder *b, gm_slot slot);
bool     gm_builder_slot_is(gm_builder *b, gm_slot slot, gm_slot_kind kind, const char *role);
void     gm_builder_push(gm_builder *b, uint32_t region);
gm_code *gm_builder_writing(gm_builder *b);  // the code being written, or NULL (and failed)
bool     gm_builder_in_section(gm_builder *b, gm_section section, const char *what);
bool     gm_builder_in_loop(gm_builder *b, const char *what);
// Passes a failure of the code on to the builder, and wraps the value.
gm_val   gm_builder_emitted(gm_builder *b, gm_code *code, uint32_t at);
bool     gm_builder_usable(gm_builder *b, gm_val x, bool mask, const char *where);
void     gm_builder_close_loop(gm_builder *b, loop_part *loop);

#endif
