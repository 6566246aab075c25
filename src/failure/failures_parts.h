// failure/failures_parts.h: declarations bound to a graph, for their files; inside failure/ only.
#ifndef GM_FAILURE_FAILURES_PARTS_H
#define GM_FAILURE_FAILURES_PARTS_H

#include "failure/failures.h"
#include "failure/web.h"

typedef struct gm_path_number { uint32_t name; bool incoming; } gm_path_number;  // name GM_NONE: nobody has used it yet

struct gm_failures {
    const gm_alloc   *alloc;
    gm_failure_modes *modes;
    struct gm_query **queries;       // by declaration: modes, then needs, losses, common; NULL: all
    gm_failure_kind **kinds;         // by type number; NULL: not made yet
    size_t            kind_capacity;
    gm_path_number   *paths;         // [needs][GM_NEED_FROM_MAX], then one for each common cause
    gm_failure_web   *web;           // of the edition that was asked about last; NULL: none yet
};

static inline gm_path_number *gm_failures_need_paths(const gm_failures *f, uint32_t need) { return &f->paths[(size_t)need * GM_NEED_FROM_MAX]; }

#endif
