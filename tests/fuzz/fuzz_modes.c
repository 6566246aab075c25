// Files of failure modes, from anybody: read, or refused with a place. What is read keeps its promises.
#include "failure/modes.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *context, const gm_failure_scope *scope, const char *text)
{
    if (scope->line == 0 || text[0] == '\0') abort();
    ++*(size_t *)context;
}

static void check_mode(const gm_failure_mode *m)
{
    bool fits = m->law == GM_MODE_RATE ? m->rate >= 0 : m->law == GM_MODE_WEIBULL ? m->shape > 0 && m->scale > 0 : m->law == GM_MODE_PROBABILITY ? m->probability >= 0 && m->probability <= 1 : true;
    if (!fits || m->name.len == 0 || !(m->cost >= 0) || m->delay < 0 || !(m->repair_h >= 0) || m->sign_count > GM_MODE_SIGNS_MAX) abort();
    for (uint32_t i = 0; i < m->sign_count; i++)
        if (!(m->signs[i].probability >= 0 && m->signs[i].probability <= 1 && m->signs[i].otherwise >= 0 && m->signs[i].otherwise <= 1)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_failure_modes *modes = NULL;
    gm_model *model = gm_model_create(gm_alloc_system());
    size_t    found = 0;
    gm_error  err   = { 0 };
    if (model == NULL || gm_failure_modes_create(gm_alloc_system(), &modes, &err) != GM_OK) abort();
    gm_status st = gm_failure_modes_add(modes, GM_STR("x.modes"), (gm_str){ (const char *)data, size }, &err);
    if (st != GM_OK && err.text[0] == '\0') abort();
    for (uint32_t i = 0; i < modes->mode_count; i++) check_mode(&modes->modes[i]);
    for (uint32_t i = 0; i < modes->need_count; i++) {
        const gm_failure_need *n = &modes->needs[i];
        if (n->from_count == 0 || n->from_count > GM_NEED_FROM_MAX || !(n->waiting >= 0 && n->waiting <= 1) || !(n->switching >= 0 && n->switching <= 1)) abort();
    }
    gm_failure_modes_check(modes, model, count, &found);  // an empty model has no interface
    if (found < modes->mode_count + modes->need_count + modes->loss_count + modes->common_count) abort();
    gm_failure_modes_destroy(modes);
    gm_model_destroy(model);
    return 0;
}
