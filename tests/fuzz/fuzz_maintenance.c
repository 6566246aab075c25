// Files of maintenance, from anybody: read, or refused with a sentence. What is read keeps its promises, and its lives can be asked
// for what planning needs.
#include "control/maintain/request.h"
#include "control/maintain/windows.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kind(const gm_maintain_request *q, const gm_maintain_kind *k)
{
    if (k->of.len == 0 || k->work.len == 0 || !(k->cycle_h > 0) || !(k->lasts_h > 0) || k->lasts_h > q->horizon_h || !(k->cost > 0)) abort();
    for (uint32_t i = 0; i < k->crew_count; i++) if (k->crews[i].of >= q->crew_count || !(k->crews[i].amount > 0)) abort();
    for (uint32_t i = 0; i < k->part_count; i++) if (k->parts[i].of >= q->stock_count || !(k->parts[i].amount > 0)) abort();
    gm_renewal  r = { .life = k->life, .planned = k->cost, .failed = k->failure_cost, .planned_down = k->lasts_h, .failed_down = k->failure_lasts_h };
    gm_lifetime l = gm_lifetime_of_age(&k->life, k->life.mean / 2);
    double      rate, best = gm_renewal_best(&r, &rate), s = gm_lifetime_survival(&l, k->life.mean), excess = gm_lifetime_excess(&l, k->life.mean);
    if (!(best > 0) || isnan(rate) || !(s >= 0 && s <= 1) || !(excess >= 0)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena            *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_maintain_request *list  = calloc(GM_MAINTAIN_MAX, sizeof *list);
    uint32_t             count = 0;
    gm_error             err   = { 0 };
    if (arena == NULL || list == NULL) abort();
    gm_status st = gm_maintain_read(arena, (gm_str){ (const char *)data, size }, list, &count, &err);
    if (count > GM_MAINTAIN_MAX || (st != GM_OK && err.text[0] == '\0')) abort();
    for (uint32_t i = 0; i < count; i++) {
        const gm_maintain_request *q = &list[i];
        if (q->name.len == 0 || !(q->window_h > 0) || q->horizon_h / q->window_h > GM_WINDOWS_MAX || !(q->seconds > 0) || q->kind_count == 0) abort();
        for (uint32_t k = 0; k < q->kind_count; k++) check_kind(q, &q->kinds[k]);
    }
    free(list);
    gm_arena_destroy(arena);
    return 0;
}
