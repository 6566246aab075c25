// What a program declares, and which region of it is being written.
#include "physics/builder_parts.h"

#include <assert.h>
#include <math.h>

void gm_builder_nomem(gm_builder *b)
{
    GM_BUILDER_FAIL(b, GM_NOMEM, "building a program of %u slots", b->program->slot_count);
}

gm_str gm_builder_copy(gm_builder *b, gm_str text)
{
    gm_str copy = gm_arena_str(b->program->arena, text);
    if (copy.ptr == NULL) gm_builder_nomem(b);
    return copy;
}

gm_builder *gm_builder_create(const gm_alloc *alloc, const gm_program_limits *limits)
{
    gm_builder *b = gm_alloc_zeroed(alloc, sizeof *b);
    if (b == NULL) return NULL;
    b->alloc = alloc;
    if (limits != NULL) b->limits = *limits;
    if (b->limits.slots_max == 0) b->limits.slots_max = 100000;
    if (b->limits.instructions_max == 0) b->limits.instructions_max = 4000000;
    if (b->limits.grid_values_max == 0) b->limits.grid_values_max = 4000000;
    for (int s = 0; s < GM_SECTION_COUNT; s++) b->sections[s] = gm_code_init(alloc, b->limits.instructions_max);

    b->program = gm_alloc_zeroed(alloc, sizeof *b->program);
    if (b->program == NULL) goto refused;
    b->program->alloc = alloc;
    b->program->names = gm_index_init(alloc, gm_program_same_name, b->program);
    b->program->arena = gm_arena_create(alloc, 0);
    if (b->program->arena == NULL) goto refused;
    gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_TIME, .name = GM_STR("time"), .unit = GM_STR("s") });
    if (gm_builder_failed(b)) goto refused;
    return b;
refused:
    gm_builder_destroy(b);
    return NULL;
}

void gm_builder_destroy(gm_builder *b)
{
    if (b == NULL) return;
    for (int s = 0; s < GM_SECTION_COUNT; s++) gm_code_finish(&b->sections[s]);
    for (uint32_t i = 0; b->program != NULL && i < b->program->loop_count; i++) {
        gm_code_finish(&b->loops[i].code);
        gm_free(b->alloc, b->loops[i].jacobian);
    }
    gm_free(b->alloc, b->slots);
    gm_free(b->alloc, b->aliases);
    gm_free(b->alloc, b->checks);
    gm_free(b->alloc, b->delays);
    gm_free(b->alloc, b->grids);
    gm_free(b->alloc, b->time_events);
    gm_free(b->alloc, b->relations);
    gm_free(b->alloc, b->loops);
    if (b->program != NULL) b->program->slots = NULL;
    gm_program_destroy(b->program);
    gm_free(b->alloc, b);
}

gm_status gm_builder_status(const gm_builder *b) { return b->error.status; }

// -------------------------------------------------------------------------------------------- declarations

static void enter_name(gm_builder *b, gm_str name, uint32_t id)
{
    if (name.len == 0 || gm_builder_failed(b)) return;
    if (gm_index_find(&b->program->names, name) != GM_INDEX_NONE) {
        GM_BUILDER_FAIL(b, GM_INVALID, "two variables are named " GM_STR_FMT, GM_STR_ARG(name));
    } else if (gm_index_add(&b->program->names, name, id) != GM_OK) gm_builder_nomem(b);
}

gm_slot gm_build_slot(gm_builder *b, const gm_slot_spec *spec)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b)) return GM_TIME_SLOT;
    if (p->slot_count >= b->limits.slots_max) {
        GM_BUILDER_FAIL(b, GM_LIMIT, "more than %u variables", b->limits.slots_max);
        return GM_TIME_SLOT;
    }
    bool first = p->slot_count == 0;
    if (spec->kind >= GM_SLOT_KIND_COUNT || (spec->kind == GM_SLOT_TIME) != first) {
        GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " is of no kind that can be declared", GM_STR_ARG(spec->name));
        return GM_TIME_SLOT;
    }
    if ((spec->flags & GM_SLOT_BOUNDED) && !(spec->min <= spec->max)) {
        GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " has min %g above max %g", GM_STR_ARG(spec->name), spec->min, spec->max);
        return GM_TIME_SLOT;
    }
    if (!gm_alloc_reserve(b->alloc, &b->slots, &b->slot_capacity, p->slot_count + 1u, sizeof *b->slots)) {
        gm_builder_nomem(b);
        return GM_TIME_SLOT;
    }
    gm_slot_spec *slot = &b->slots[p->slot_count];
    *slot              = *spec;
    slot->name         = gm_builder_copy(b, spec->name);
    slot->unit         = gm_builder_copy(b, spec->unit);
    slot->display_unit = gm_builder_copy(b, spec->display_unit);
    slot->description  = gm_builder_copy(b, spec->description);
    if (!(fabs(slot->nominal) > 0) || isinf(slot->nominal)) slot->nominal = 1;
    if (!(slot->flags & GM_SLOT_BOUNDED)) {
        slot->min = -INFINITY;
        slot->max = INFINITY;
    }
    p->slots = b->slots;
    enter_name(b, slot->name, p->slot_count * 2);
    if (gm_builder_failed(b)) return GM_TIME_SLOT;
    p->kind_count[spec->kind]++;
    return (gm_slot){ p->slot_count++ };
}

bool gm_builder_knows(gm_builder *b, gm_slot slot)
{
    if (slot.v < b->program->slot_count) return true;
    GM_BUILDER_FAIL(b, GM_INVALID, "there is no slot %u", slot.v);
    return false;
}

bool gm_builder_slot_is(gm_builder *b, gm_slot slot, gm_slot_kind kind, const char *role)
{
    if (!gm_builder_knows(b, slot)) return false;
    if (b->slots[slot.v].kind == kind) return true;
    GM_BUILDER_FAIL(b, GM_INVALID, GM_STR_FMT " can not be %s", GM_STR_ARG(b->slots[slot.v].name), role);
    return false;
}

void gm_build_alias(gm_builder *b, const gm_slot_alias *alias)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b) || !gm_builder_knows(b, alias->slot)) return;
    if (p->alias_count >= b->limits.slots_max) {
        GM_BUILDER_FAIL(b, GM_LIMIT, "more than %u aliases", b->limits.slots_max);
        return;
    }
    if (!gm_alloc_reserve(b->alloc, &b->aliases, &b->alias_capacity, p->alias_count + 1u, sizeof *b->aliases)) {
        gm_builder_nomem(b);
        return;
    }
    gm_slot_alias *copy = &b->aliases[p->alias_count];
    *copy               = *alias;
    copy->name          = gm_builder_copy(b, alias->name);
    copy->unit          = gm_builder_copy(b, alias->unit);
    copy->display_unit  = gm_builder_copy(b, alias->display_unit);
    copy->description   = gm_builder_copy(b, alias->description);
    p->aliases          = b->aliases;
    enter_name(b, copy->name, p->alias_count * 2 + 1);
    if (!gm_builder_failed(b)) p->alias_count++;
}

void gm_build_text(gm_builder *b, gm_str name, gm_str description)
{
    if (gm_builder_failed(b)) return;
    b->program->name        = gm_builder_copy(b, name);
    b->program->description = gm_builder_copy(b, description);
}

void gm_build_time_event(gm_builder *b, gm_slot next)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b) || !gm_builder_slot_is(b, next, GM_SLOT_DISCRETE, "the instant of a time event")) return;
    if (!gm_alloc_reserve(b->alloc, &b->time_events, &b->time_event_capacity, p->time_event_count + 1u, sizeof next)) {
        gm_builder_nomem(b);
        return;
    }
    b->time_events[p->time_event_count++] = next;
}

static const double *copied_numbers(gm_builder *b, const double *from, size_t n)
{
    double *copy = gm_arena_bytes(b->program->arena, n * sizeof *copy);
    if (copy == NULL) gm_builder_nomem(b);
    else if (n > 0) memcpy(copy, from, n * sizeof *copy);
    return copy;
}

static void check_axis(gm_builder *b, const gm_grid_spec *spec, const double *at, uint32_t n, const char *axis)
{
    bool jumps = spec->smooth == GM_GRID_LINEAR && spec->ny == 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(at[i])) GM_BUILDER_FAIL(b, GM_INVALID, "table " GM_STR_FMT ": %s[%u] is no number", GM_STR_ARG(spec->name), axis, i + 1);
        bool jump = jumps && i > 0 && at[i] == at[i - 1] && (i < 2 || at[i - 1] > at[i - 2]);
        if (i > 0 && !(at[i] > at[i - 1]) && !jump) {
            GM_BUILDER_FAIL(b, GM_INVALID, "table " GM_STR_FMT ": %s[%u] = %g does not rise above %g", GM_STR_ARG(spec->name), axis, i + 1,
                 at[i], at[i - 1]);
        }
    }
}

gm_grid gm_build_grid(gm_builder *b, const gm_grid_spec *spec)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b)) return (gm_grid){ 0 };
    uint64_t values = (uint64_t)spec->nx * (spec->ny > 0 ? spec->ny : 1);
    b->grid_values += values;
    if (spec->nx == 0) GM_BUILDER_FAIL(b, GM_INVALID, "table " GM_STR_FMT " is empty", GM_STR_ARG(spec->name));
    if (b->grid_values > b->limits.grid_values_max || p->grid_count > UINT32_MAX / 8) {
        GM_BUILDER_FAIL(b, GM_LIMIT, "tables hold more than %u values", b->limits.grid_values_max);
    }
    if (spec->ny > 0 && (spec->smooth == GM_GRID_AKIMA || spec->beyond == GM_GRID_BEYOND_PERIODIC)) {
        GM_BUILDER_FAIL(b, GM_INVALID, "table " GM_STR_FMT ": two dimensions are interpolated linearly and not periodic", GM_STR_ARG(spec->name));
    }
    if (!gm_builder_failed(b)) check_axis(b, spec, spec->x, spec->nx, "x");
    if (!gm_builder_failed(b)) check_axis(b, spec, spec->y, spec->ny, "y");
    if (gm_builder_failed(b)) return (gm_grid){ 0 };
    if (!gm_alloc_reserve(b->alloc, &b->grids, &b->grid_capacity, p->grid_count + 1u, sizeof *b->grids)) {
        gm_builder_nomem(b);
        return (gm_grid){ 0 };
    }
    gm_grid_spec *copy = &b->grids[p->grid_count];
    *copy              = *spec;
    copy->name         = gm_builder_copy(b, spec->name);
    copy->x            = copied_numbers(b, spec->x, spec->nx);
    copy->y            = copied_numbers(b, spec->y, spec->ny);
    copy->z            = copied_numbers(b, spec->z, (size_t)values);
    return (gm_grid){ p->grid_count++ };
}

gm_delay gm_build_delay(gm_builder *b, gm_slot source, double lag_max)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b) || !gm_builder_knows(b, source)) return (gm_delay){ 0 };
    if (!(lag_max >= 0) || isinf(lag_max)) {
        GM_BUILDER_FAIL(b, GM_INVALID, "the delay of " GM_STR_FMT " is bounded by %g s", GM_STR_ARG(b->slots[source.v].name), lag_max);
        return (gm_delay){ 0 };
    }
    if (!gm_alloc_reserve(b->alloc, &b->delays, &b->delay_capacity, p->delay_count + 1u, sizeof *b->delays)) {
        gm_builder_nomem(b);
        return (gm_delay){ 0 };
    }
    b->delays[p->delay_count] = (gm_delay_info){ source, lag_max };
    return (gm_delay){ p->delay_count++ };
}

// -------------------------------------------------------------------------------------------- regions

static gm_code *code_of(gm_builder *b, uint32_t region)
{
    return region < LOOP_REGION ? &b->sections[region - SECTION_REGION] : &b->loops[region - LOOP_REGION].code;
}

// The code being written, or NULL (and failed).
gm_code *gm_builder_writing(gm_builder *b)
{
    if (gm_builder_failed(b)) return NULL;
    if (b->depth == 0) {
        GM_BUILDER_FAIL(b, GM_INVALID, "code was emitted outside of any section");
        return NULL;
    }
    return code_of(b, gm_builder_region(b));
}

bool gm_builder_in_section(gm_builder *b, gm_section section, const char *what)
{
    if (gm_builder_failed(b)) return false;
    if (gm_builder_region(b) == SECTION_REGION + (uint32_t)section) return true;
    GM_BUILDER_FAIL(b, GM_INVALID, "%s belongs to section %s", what, gm_section_text(section));
    return false;
}

bool gm_builder_in_loop(gm_builder *b, const char *what)
{
    if (gm_builder_failed(b)) return false;
    if (gm_builder_region(b) >= LOOP_REGION) return true;
    GM_BUILDER_FAIL(b, GM_INVALID, "%s belongs to the body of a loop", what);
    return false;
}

// Passes a failure of the code being written on to the builder, and wraps the value.
gm_val gm_builder_emitted(gm_builder *b, gm_code *code, uint32_t at)
{
    if (code->status == GM_OK) return (gm_val){ at, gm_builder_region(b) };
    if (code->status == GM_LIMIT) GM_BUILDER_FAIL(b, GM_LIMIT, "more than %u operations", b->limits.instructions_max);
    else gm_builder_nomem(b);
    return GM_VAL_NONE;
}

void gm_builder_push(gm_builder *b, uint32_t region)
{
    if (b->depth == OPEN_MAX) GM_BUILDER_FAIL(b, GM_INVALID, "sections and loops are nested more than %d deep", (int)OPEN_MAX);
    else b->open[b->depth++] = region;
}

void gm_build_section(gm_builder *b, gm_section section)
{
    assert(section < GM_SECTION_COUNT);
    if (gm_builder_failed(b)) return;
    if (b->depth > 0 || b->opened[section]) {
        GM_BUILDER_FAIL(b, GM_INVALID, "section %s %s", gm_section_text(section),
             b->opened[section] ? "was written already" : "opened inside another");
        return;
    }
    b->opened[section] = true;
    gm_builder_push(b, SECTION_REGION + (uint32_t)section);
}

gm_loop gm_build_loop(gm_builder *b, const gm_loop_spec *spec)
{
    gm_program *p = b->program;
    if (gm_builder_failed(b)) return (gm_loop){ 0 };
    if (spec->unknowns == 0 || spec->unknowns > b->limits.slots_max) {
        GM_BUILDER_FAIL(b, GM_INVALID, "loop " GM_STR_FMT " has %u unknowns", GM_STR_ARG(spec->name), spec->unknowns);
        return (gm_loop){ 0 };
    }
    for (uint32_t i = 0; i < spec->unknowns; i++) {
        if (!gm_builder_slot_is(b, spec->guess[i], GM_SLOT_ALGEBRAIC, "the guess of an unknown")) return (gm_loop){ 0 };
    }
    if (!gm_alloc_reserve(b->alloc, &b->loops, &b->loop_capacity, p->loop_count + 1u, sizeof *b->loops)) {
        gm_builder_nomem(b);
        return (gm_loop){ 0 };
    }
    gm_slot  *guess     = gm_arena_bytes(p->arena, spec->unknowns * sizeof *guess);
    uint32_t *residuals = gm_arena_bytes(p->arena, spec->unknowns * sizeof *residuals);
    if (guess == NULL || residuals == NULL) {
        gm_builder_nomem(b);
        return (gm_loop){ 0 };
    }
    memcpy(guess, spec->guess, spec->unknowns * sizeof *guess);
    memset(residuals, 0xff, spec->unknowns * sizeof *residuals);
    b->loops[p->loop_count] = (loop_part){
        .info = { .name = gm_builder_copy(b, spec->name), .unknowns = spec->unknowns, .arguments = spec->arguments, .guess = guess,
                  .linear = spec->linear },
        .code      = gm_code_init(b->alloc, b->limits.instructions_max),
        .residuals = residuals,
    };
    gm_builder_push(b, LOOP_REGION + p->loop_count);
    return (gm_loop){ p->loop_count++ };
}

void gm_build_end(gm_builder *b)
{
    if (gm_builder_failed(b)) return;
    if (b->depth == 0) {
        GM_BUILDER_FAIL(b, GM_INVALID, "nothing is open to be ended");
        return;
    }
    if (gm_builder_region(b) >= LOOP_REGION) gm_builder_close_loop(b, &b->loops[gm_builder_region(b) - LOOP_REGION]);
    if (!gm_builder_failed(b)) b->depth--;
}
