// Paths of one length are one level. A level that is full is carried on to the next before it takes more, so memory is
// bounded by levels times GROUP; a level that is not waits for more. Both leave the sum as it is.
#include "query/path_count.h"

enum { GROUP = 512, LEVELS = GM_STEPS_MAX * GM_HOPS_MAX + 1, STARTS_FIRST = 8, STARTS_MAX = GROUP };

typedef struct path {
    uint32_t twin;    // where it has come to
    uint8_t  step;    // and how much of that step's hops it has
    uint8_t  hops;
} path;

// The paths of one length, and where each one's list of relationships has been read to.
typedef struct level {
    size_t    count;
    path      paths[GROUP];
    gm_edge   next[GROUP];
    uint16_t  open[GROUP];
    uint32_t *trails;  // [GROUP][its length]
} level;

struct gm_path_count {
    gm_run   *run;
    bool      once;        // no relationship twice
    size_t    length_max;
    level    *levels[LEVELS];
    size_t    group;       // starts that are taken together
    uint64_t  work_before;
    size_t    starts;      // since then
};

bool gm_path_count_fits(const gm_run *run)
{
    const gm_query_plan *plan = &run->plan;
    if (!run->counting || plan->step_count == 0) return false;
    if (plan->stages[1] != plan->stages[plan->step_count + 1]) return false;
    uint64_t bound = UINT64_C(1) << plan->collection;
    uint8_t  at    = plan->collection;
    for (size_t s = 0; s < plan->step_count; s++) {
        const gm_step *step = &plan->steps[s];
        if (step->from != at || (bound >> step->to & 1) != 0) return false;
        at = step->to;
        bound |= UINT64_C(1) << at;
    }
    return true;
}

gm_status gm_path_count_create(gm_run *run, gm_path_count **out)
{
    gm_arena      *arena = run->eval.scratch;
    gm_path_count *paths = gm_arena_zeroed(arena, 1, sizeof *paths);
    *out = paths;
    if (paths == NULL) return GM_NOMEM;
    paths->run   = run;
    paths->once  = run->eval.ast->is_match;
    paths->group = STARTS_FIRST;
    for (size_t s = 0; s < run->plan.step_count; s++) paths->length_max += run->plan.steps[s].hops_max;
    for (size_t length = 0; length < paths->length_max; length++) {
        level *l = gm_arena_bytes(arena, sizeof *l);
        if (l == NULL) return GM_NOMEM;
        l->count  = 0;
        l->trails = gm_arena_zeroed(arena, (length > 0 ? length : 1) * GROUP, sizeof *l->trails);
        if (l->trails == NULL) return GM_NOMEM;
        paths->levels[length] = l;
    }
    return GM_OK;
}

static void grow(gm_path_count *paths, size_t length);

// Puts a path where it belongs: it may be a row of the answer, the beginning of the next step, and go on in this one.
// before: the trail up to its last relationship, which is edge.
static void arrive(gm_path_count *paths, size_t length, path p, const uint32_t *before, uint32_t edge)
{
    gm_run        *run  = paths->run;
    const gm_step *step = &run->plan.steps[p.step];
    if (p.hops < step->hops_max) {
        if (paths->levels[length]->count == GROUP) grow(paths, length);
        level    *l     = paths->levels[length];
        uint32_t *trail = l->trails + l->count * length;
        if (length > 1) memcpy(trail, before, (length - 1) * sizeof *trail);
        if (length > 0) trail[length - 1] = edge;
        l->paths[l->count++] = p;
        gm_state_prefetch_ends(run->eval.state, (gm_twin){ p.twin });
    }
    if (p.hops < step->hops_min) return;
    if ((size_t)p.step + 1 == run->plan.step_count) run->counted++;
    else arrive(paths, length, (path){ .twin = p.twin, .step = (uint8_t)(p.step + 1) }, before, edge);
}

static bool may_cross(const gm_path_count *paths, const path *p, const uint32_t *trail, size_t length, gm_edge edge)
{
    for (size_t i = 0; paths->once && i < length; i++) {
        if (trail[i] == edge.v) return false;
    }
    return gm_run_name_fits(paths->run, p->step, edge);
}

// Carries the paths of a level on over all relationships that lead out of, or into, where they are.
static void grow_along(gm_path_count *paths, size_t length, bool in)
{
    gm_run         *run   = paths->run;
    const gm_state *state = run->eval.state;
    level          *l     = paths->levels[length];
    size_t          open  = 0;
    for (size_t i = 0; i < l->count; i++) {
        gm_direction direction = run->plan.steps[l->paths[i].step].direction;
        if (direction == (in ? GM_OUT : GM_IN)) continue;
        gm_twin at = { l->paths[i].twin };
        l->next[i] = in ? gm_state_first_in(state, at) : gm_state_first_out(state, at);
        if (!gm_edge_ok(l->next[i])) continue;
        gm_state_prefetch_edge(state, l->next[i]);
        l->open[open++] = (uint16_t)i;
    }
    // Each round takes one relationship of every path that has more, and asks for its next.
    for (size_t left; open > 0; open = left) {
        left = 0;
        for (size_t k = 0; k < open; k++) {
            size_t         i     = l->open[k];
            const path    *p     = &l->paths[i];
            gm_edge        edge  = l->next[i];
            gm_twin        far   = in ? gm_state_edge_source(state, edge) : gm_state_edge_target(state, edge);
            const uint32_t *trail = l->trails + i * length;
            l->next[i] = in ? gm_state_next_in(state, edge) : gm_state_next_out(state, edge);
            if (gm_edge_ok(l->next[i])) {
                gm_state_prefetch_edge(state, l->next[i]);
                l->open[left++] = (uint16_t)i;
            }
            if (!gm_fence_shows(run->fence, far)) continue;
            run->work++;
            // A relationship of a twin with itself was crossed on the way out already.
            if (in && far.v == p->twin && run->plan.steps[p->step].direction == GM_ANY) continue;
            if (!may_cross(paths, p, trail, length, edge)) continue;
            arrive(paths, length + 1, (path){ far.v, p->step, (uint8_t)(p->hops + 1) }, trail, edge.v);
        }
    }
}

static void grow(gm_path_count *paths, size_t length)
{
    grow_along(paths, length, false);
    grow_along(paths, length, true);
    paths->levels[length]->count = 0;
}

void gm_path_count_finish(gm_path_count *paths)
{
    for (size_t length = 0; length < paths->length_max; length++) grow(paths, length);
}

void gm_path_count_from(gm_path_count *paths, gm_twin start)
{
    gm_run *run = paths->run;
    arrive(paths, 0, (path){ .twin = start.v }, NULL, GM_NONE);
    if (++paths->starts < paths->group) return;
    gm_path_count_finish(paths);
    // As many starts together as are about a quarter of what may be done in one go.
    uint64_t work = run->work - paths->work_before, each = work / paths->starts + 1;
    uint64_t more = run->work_max > 0 ? run->work_max / 4 / each : STARTS_MAX;
    paths->group       = more < 1 ? 1 : more > STARTS_MAX ? STARTS_MAX : (size_t)more;
    paths->work_before = run->work;
    paths->starts      = 0;
}
