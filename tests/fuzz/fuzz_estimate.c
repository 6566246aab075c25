// Files estimate/*.json: hostile text is read as what a plant wants to be estimated. What is accepted keeps the limits that its
// header promises; what is refused says why and where.
#include "insight/estimate/setup.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const gm_estimate_list *list, size_t size)
{
    if (list->count > GM_ESTIMATE_ASKS_MAX) abort();
    for (uint32_t i = 0; i < list->count; i++) {
        const gm_estimate_ask *a = &list->items[i];
        // NaN is what was not said.
        if (a->deviation <= 0 || a->noise <= 0 || a->walk < 0 || a->bias < 0 || !(a->min < a->max)) abort();
        if (a->line == 0 || a->line > size + 1) abort();
    }
}

static void check(const gm_estimate_setup *s, size_t size)
{
    if (s->name.len == 0 || s->root.len == 0 || s->line == 0 || s->line > size + 1) abort();
    check_list(&s->measured, size);
    check_list(&s->parameters, size);
    check_list(&s->faults, size);
    check_list(&s->states, size);
    if (s->follow_count > GM_ESTIMATE_ASKS_MAX || s->case_count > GM_ESTIMATE_CASES_MAX) abort();
    for (uint32_t i = 0; i < s->follow_count; i++)
        if (s->follow[i].count == 0 || s->follow[i].count > GM_ESTIMATE_SETS_MAX) abort();
    for (uint32_t i = 0; i < s->case_count; i++) {
        const gm_estimate_case *c = &s->cases[i];
        if (c->count > GM_ESTIMATE_SETS_MAX || !(c->every_s > 0) || !(c->lasts_s > 0) || !(c->severity > 0)) abort();
    }
    if (!(s->lag_s >= 0) || !(s->gate > 0) || !(s->tolerance > 0) || s->members == 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gm_estimate_setup setups[GM_ESTIMATE_SETUPS_MAX];
    uint32_t                 count = 0;
    gm_error                 err   = { 0 };
    gm_arena                *arena = gm_arena_create(gm_alloc_system(), 0);
    if (arena == NULL) return 0;
    gm_status st = gm_estimate_setups_parse(arena, (gm_str){ (const char *)data, size }, setups, &count, &err);
    if (st == GM_OK)
        for (uint32_t i = 0; i < count; i++) check(&setups[i], size);
    else if (err.text[0] == '\0') abort();
    gm_arena_destroy(arena);
    return 0;
}
