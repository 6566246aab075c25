// Hash consing over one array of nodes; the children of binary diagrams are edges (number * 2 + complement), those of
// families plain numbers, which `shift` tells apart when walking.
#include "reliability/dd.h"

#include <string.h>

enum { FIRST_BUCKETS = 1 << 12, FIRST_MEMOS = 1 << 12, MEMOS_MAX = 1 << 24, TICKS = 1 << 14 };

static uint32_t mix(uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t h = (uint64_t)a * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)b * UINT64_C(0xC2B2AE3D27D4EB4F) ^ (uint64_t)c * UINT64_C(0x165667B19E3779F9);
    h ^= h >> 32;
    h *= UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(h >> 32);
}

bool gm_dd_init(gm_dd *dd, const gm_alloc *alloc, const gm_dd_limits *limits, unsigned edge_shift)
{
    *dd = (gm_dd){ .alloc = alloc, .limits = *limits, .edge_shift = edge_shift, .bucket_mask = FIRST_BUCKETS - 1, .memo_mask = FIRST_MEMOS - 1 };
    dd->buckets = gm_alloc_zeroed(alloc, FIRST_BUCKETS * sizeof *dd->buckets);
    dd->memos   = gm_alloc_zeroed(alloc, FIRST_MEMOS * sizeof *dd->memos);
    if (dd->buckets == NULL || dd->memos == NULL || !gm_alloc_reserve(alloc, &dd->nodes, &dd->capacity, 1024, sizeof *dd->nodes)) {
        gm_dd_finish(dd);
        return false;
    }
    dd->nodes[0] = dd->nodes[1] = (gm_dd_node){ .level = GM_DD_TERMINAL };
    dd->count = dd->live = 2;
    return true;
}

void gm_dd_finish(gm_dd *dd)
{
    if (dd->alloc == NULL) return;
    gm_free(dd->alloc, dd->nodes);
    gm_free(dd->alloc, dd->buckets);
    gm_free(dd->alloc, dd->memos);
    *dd = (gm_dd){ 0 };
}

static void link_node(gm_dd *dd, uint32_t n)
{
    gm_dd_node *x      = &dd->nodes[n];
    uint32_t   *bucket = &dd->buckets[mix(x->level, x->high, x->low) & dd->bucket_mask];
    x->next = *bucket;
    *bucket = n;
}

// A level that no variable has marks nodes on the free list.
#define FREE_LEVEL (UINT32_MAX - 1)

static void relink(gm_dd *dd)
{
    memset(dd->buckets, 0, (dd->bucket_mask + 1) * sizeof *dd->buckets);
    for (uint32_t n = 2; n < dd->count; n++) {
        if (dd->nodes[n].level != FREE_LEVEL) link_node(dd, n);
    }
}

static bool grow_buckets(gm_dd *dd)
{
    size_t    size  = (dd->bucket_mask + 1) * 2;
    uint32_t *fresh = gm_alloc_array(dd->alloc, size, sizeof *fresh);
    if (fresh == NULL) return false;
    gm_free(dd->alloc, dd->buckets);
    dd->buckets     = fresh;
    dd->bucket_mask = size - 1;
    relink(dd);
    return true;
}

static bool grow_memos(gm_dd *dd)
{
    size_t      size  = (dd->memo_mask + 1) * 2;
    gm_dd_memo *fresh = gm_alloc_zeroed(dd->alloc, size * sizeof *fresh);
    if (fresh == NULL) return false;
    gm_free(dd->alloc, dd->memos);
    dd->memos     = fresh;
    dd->memo_mask = size - 1;
    return true;
}

static void look_at_clock(gm_dd *dd)
{
    if (++dd->ticks < TICKS) return;
    dd->ticks = 0;
    if (dd->limits.deadline != 0 && gm_monotonic(dd->limits.clock) > dd->limits.deadline) dd->st = GM_CANCELLED;
}

uint32_t gm_dd_make(gm_dd *dd, uint32_t level, uint32_t high, uint32_t low)
{
    if (dd->st != GM_OK) return GM_DD_NONE;
    for (uint32_t n = dd->buckets[mix(level, high, low) & dd->bucket_mask]; n != 0; n = dd->nodes[n].next) {
        const gm_dd_node *x = &dd->nodes[n];
        if (x->level == level && x->high == high && x->low == low) return n;
    }
    if (dd->live >= dd->limits.nodes_max) { dd->st = GM_LIMIT; return GM_DD_NONE; }
    uint32_t n = dd->free;
    if (n != 0) dd->free = dd->nodes[n].next;
    else {
        if (!gm_alloc_reserve(dd->alloc, &dd->nodes, &dd->capacity, dd->count + 1, sizeof *dd->nodes)) { dd->st = GM_NOMEM; return GM_DD_NONE; }
        n = (uint32_t)dd->count++;
    }
    dd->nodes[n] = (gm_dd_node){ .level = level, .high = high, .low = low };
    dd->live++;
    if (dd->live > dd->bucket_mask) {
        if (!grow_buckets(dd)) { dd->st = GM_NOMEM; return GM_DD_NONE; }
        if (dd->memo_mask < MEMOS_MAX - 1 && !grow_memos(dd)) dd->st = GM_NOMEM;
    } else link_node(dd, n);
    return n;
}

static gm_dd_memo *memo_at(const gm_dd *dd, uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
    return &dd->memos[mix(a, b, c * 8 + op) & dd->memo_mask];
}

uint32_t gm_dd_recall(gm_dd *dd, uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
    look_at_clock(dd);
    const gm_dd_memo *m = memo_at(dd, op, a, b, c);
    return m->op == (op | dd->epoch << 4) && m->a == a && m->b == b && m->c == c ? m->result : GM_DD_NONE;
}

void gm_dd_remember(gm_dd *dd, uint32_t op, uint32_t a, uint32_t b, uint32_t c, uint32_t result)
{
    if (result != GM_DD_NONE) *memo_at(dd, op, a, b, c) = (gm_dd_memo){ op | dd->epoch << 4, a, b, c, result };
}

// ---- what is reachable --------------------------------------------------------------------------------------------------

// Marks with an explicit stack (diagrams may be as deep as they have variables). `found` in the order of discovery.
static size_t mark(const gm_dd *dd, const uint32_t *roots, size_t root_count, uint8_t *seen, uint32_t *found)
{
    size_t count = 0;
    for (size_t i = 0; i < root_count; i++) {
        if (roots[i] < 2 || seen[roots[i]]) continue;
        seen[roots[i]] = 1;
        found[count++] = roots[i];
    }
    for (size_t i = 0; i < count; i++) {  // breadth first: found is also the queue
        const gm_dd_node *x = &dd->nodes[found[i]];
        const uint32_t children[2] = { x->high >> dd->edge_shift, x->low >> dd->edge_shift };
        for (int k = 0; k < 2; k++) {
            if (children[k] < 2 || seen[children[k]]) continue;
            seen[children[k]] = 1;
            found[count++]    = children[k];
        }
    }
    return count;
}

gm_status gm_dd_collect(gm_dd *dd, const uint32_t *roots, size_t count)
{
    uint8_t  *seen  = gm_alloc_zeroed(dd->alloc, dd->count);
    uint32_t *found = gm_alloc_array(dd->alloc, dd->count, sizeof *found);
    gm_status st    = seen != NULL && found != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) {
        dd->live = 2 + mark(dd, roots, count, seen, found);
        dd->free = 0;
        for (uint32_t n = (uint32_t)dd->count; n-- > 2;) {
            if (seen[n]) continue;
            dd->nodes[n] = (gm_dd_node){ .level = FREE_LEVEL, .next = dd->free };
            dd->free     = n;
        }
        dd->epoch++;
        relink(dd);
        dd->st = GM_OK;
    }
    gm_free(dd->alloc, seen);
    gm_free(dd->alloc, found);
    return st;
}

gm_status gm_dd_reach(const gm_dd *dd, const uint32_t *roots, size_t count, uint32_t **out_nodes, size_t *out_count)
{
    // Sorted by counting: how many nodes there are of each level.
    uint32_t  levels = 0;
    uint8_t  *seen   = gm_alloc_zeroed(dd->alloc, dd->count);
    uint32_t *found  = gm_alloc_array(dd->alloc, dd->count, sizeof *found), *sorted = NULL, *starts = NULL;
    size_t    n      = 0;
    gm_status st     = GM_NOMEM;
    if (seen == NULL || found == NULL) goto done;
    n = mark(dd, roots, count, seen, found);
    for (size_t i = 0; i < n; i++) {
        if (dd->nodes[found[i]].level >= levels) levels = dd->nodes[found[i]].level + 1;
    }
    sorted = gm_alloc_array(dd->alloc, n, sizeof *sorted);
    starts = gm_alloc_zeroed(dd->alloc, ((size_t)levels + 1) * sizeof *starts);
    if (sorted == NULL || starts == NULL) goto done;
    for (size_t i = 0; i < n; i++) starts[dd->nodes[found[i]].level + 1]++;
    for (uint32_t l = 0; l < levels; l++) starts[l + 1] += starts[l];
    for (size_t i = 0; i < n; i++) sorted[starts[dd->nodes[found[i]].level]++] = found[i];
    *out_nodes = sorted;
    *out_count = n;
    sorted     = NULL;
    st         = GM_OK;
done:
    gm_free(dd->alloc, seen);
    gm_free(dd->alloc, found);
    gm_free(dd->alloc, sorted);
    gm_free(dd->alloc, starts);
    return st;
}
