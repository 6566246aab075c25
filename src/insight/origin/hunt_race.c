// Trails that run against one another: those that fall behind are given up on the way.
#include "insight/origin/hunt_parts.h"

#include <math.h>

static const char WHERE[] = "insight.origin";

enum { LAP = 40 };  // moments between two looks at who falls behind

gm_hunt_trail *gm_hunt_trails_add(gm_hunt_work *w, gm_hunt_trails *all, gm_error *err)
{
    if (!gm_alloc_reserve(w->alloc, &all->items, &all->room, all->count + 1, sizeof *all->items)) {
        gm_fail(err, GM_NOMEM, WHERE, "%zu hypotheses", all->count);
        return NULL;
    }
    return &all->items[all->count];
}

void gm_hunt_trails_finish(gm_hunt_work *w, gm_hunt_trails *all)
{
    for (size_t i = 0; i < all->count; i++) gm_hunt_trail_end(&all->items[i]);
    gm_free(w->alloc, all->items);
    *all = (gm_hunt_trails){ 0 };
}

// All to the end, those that fall behind given up on the way. What is healthy is a competitor too.
gm_status gm_hunt_race(gm_hunt_work *w, gm_hunt_trails *all, gm_error *err)
{
    gm_status st  = GM_OK;
    size_t    end = 0;
    for (size_t i = 0; i < all->count; i++) end = all->items[i].at > end ? all->items[i].at : end;
    for (bool over = false; st == GM_OK && !over;) {
        double best = w->base[end];
        for (size_t i = 0; st == GM_OK && i < all->count; i++) {
            if (all->items[i].filter == NULL) continue;
            st   = gm_hunt_trail_run(w, &all->items[i], end, err);
            best = fmax(best, gm_hunt_trail_score(&all->items[i]));
        }
        for (size_t i = 0; st == GM_OK && i < all->count; i++) {
            gm_hunt_trail *t = &all->items[i];
            if (t->filter == NULL) continue;
            t->behind = best - gm_hunt_trail_score(t);
            if (t->behind > w->options->drop) gm_hunt_trail_end(t);
        }
        if (st == GM_OK && gm_hunt_stopped(w)) st = gm_hunt_give_up(err);
        over = end == w->moment_count;
        end  = end + LAP < w->moment_count ? end + LAP : w->moment_count;
    }
    return st;
}

const gm_hunt_trail *gm_hunt_leader(const gm_hunt_trails *all)
{
    const gm_hunt_trail *best = NULL;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].filter != NULL && (best == NULL || gm_hunt_trail_score(&all->items[i]) > gm_hunt_trail_score(best))) best = &all->items[i];
    return best;
}


int gm_hunt_by_behind(const void *a, const void *b)
{
    double x = ((const gm_hunt_standing *)a)->behind, y = ((const gm_hunt_standing *)b)->behind;
    return x < y ? -1 : x > y;
}
