// Nodes hold entries {at, born, died, value}: a boundary at `at` that was there in the versions [born, died); in an inner node
// `value` is a child, which answers for the moments from `at` to the next living entry. Invariants:
// (1) a node that lives in a version holds a living entry at exactly the moment its own answer begins, so a search never has to
//     look at a neighbour; (2) entries are never changed but for `died`, once, and never in a version that is past; (3) what an
//     assign needs is allocated before it begins.
#include "thread/timeline.h"

#include <assert.h>
#include <string.h>

enum { CAPACITY = 32, KEEP_WHOLE = 24, HEIGHT_MOST = 32, ADDS_MOST = 4 };
#define ALIVE UINT32_MAX

typedef struct node {
    gm_time_ns at[CAPACITY];
    uint32_t   born[CAPACITY], died[CAPACITY], value[CAPACITY];
    uint16_t   count;
    bool       leaf;
} node;

typedef struct root { uint32_t version, node; } root;

struct gm_timeline {
    const gm_alloc *alloc;
    node           *nodes;
    size_t          count, capacity;
    root           *roots;
    size_t          root_count, root_capacity;
    uint32_t        version;
    uint32_t        height;
};

typedef struct addition { gm_time_ns at; uint32_t value; } addition;

// What became of a child: it stands as it was, has a new neighbour at its right, or was replaced by one or two.
typedef struct outcome { bool replaced; uint32_t count; addition by[2]; } outcome;

typedef struct statement { gm_time_ns from, to; uint32_t value, behind; uint32_t version; } statement;

gm_status gm_timeline_create(const gm_alloc *alloc, gm_timeline **out, gm_error *err)
{
    gm_timeline *t = gm_alloc_zeroed(alloc, sizeof *t);
    *out           = NULL;
    if (t == NULL) return gm_fail(err, GM_NOMEM, "thread.timeline", "a line of facts");
    t->alloc = alloc;
    if (!gm_alloc_reserve(alloc, &t->nodes, &t->capacity, 1, sizeof *t->nodes) ||
        !gm_alloc_reserve(alloc, &t->roots, &t->root_capacity, 1, sizeof *t->roots)) {
        gm_timeline_destroy(t);
        return gm_fail(err, GM_NOMEM, "thread.timeline", "a line of facts");
    }
    t->nodes[0] = (node){ .at = { INT64_MIN }, .born = { 0 }, .died = { ALIVE }, .value = { GM_TIMELINE_NONE }, .count = 1, .leaf = true };
    t->roots[0] = (root){ 0, 0 };
    t->count = t->root_count = t->height = 1;
    *out = t;
    return GM_OK;
}

void gm_timeline_destroy(gm_timeline *t)
{
    if (t == NULL) return;
    gm_free(t->alloc, t->nodes);
    gm_free(t->alloc, t->roots);
    gm_free(t->alloc, t);
}

uint32_t gm_timeline_versions(const gm_timeline *t) { return t->version; }
size_t   gm_timeline_bytes(const gm_timeline *t)
{
    return sizeof *t + t->capacity * sizeof *t->nodes + t->root_capacity * sizeof *t->roots;
}

// ---- reading ------------------------------------------------------------------------------------------------------

static bool lives(const node *n, size_t i, uint32_t version) { return n->born[i] <= version && version < n->died[i]; }

static uint32_t root_of(const gm_timeline *t, uint32_t version)
{
    size_t low = 0, high = t->root_count;  // the last root whose version is not later
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->roots[middle].version <= version) low = middle;
        else high = middle;
    }
    return t->roots[low].node;
}

uint32_t gm_timeline_piece(const gm_timeline *t, uint32_t version, gm_time_ns time, gm_time_ns *out_from, gm_time_ns *out_to)
{
    uint32_t at = root_of(t, version);
    *out_to     = INT64_MAX;
    for (;;) {
        const node *n    = &t->nodes[at];
        size_t      best = CAPACITY;
        for (size_t i = 0; i < n->count; i++) {
            if (!lives(n, i, version)) continue;
            if (n->at[i] > time) *out_to = n->at[i] < *out_to ? n->at[i] : *out_to;
            else if (best == CAPACITY || n->at[i] > n->at[best]) best = i;
        }
        assert(best < CAPACITY);  // keeps (1)
        *out_from = n->at[best];
        at        = n->value[best];
        if (n->leaf) return at;
    }
}

uint32_t gm_timeline_at(const gm_timeline *t, uint32_t version, gm_time_ns time)
{
    gm_time_ns from, to;
    return gm_timeline_piece(t, version, time, &from, &to);
}

// ---- writing ------------------------------------------------------------------------------------------------------

static uint32_t make_node(gm_timeline *t, bool leaf, const addition *entries, size_t n, uint32_t version)
{
    uint32_t number = (uint32_t)t->count++;
    node    *made   = &t->nodes[number];
    made->count     = (uint16_t)n;
    made->leaf      = leaf;
    for (size_t i = 0; i < n; i++) {
        made->at[i]    = entries[i].at;
        made->value[i] = entries[i].value;
        made->born[i]  = version;
        made->died[i]  = ALIVE;
    }
    return number;
}

// The living entries and the new ones, in order. Returns how many.
static size_t gather(const node *n, uint32_t version, const addition *adds, size_t add_count, addition out[CAPACITY + ADDS_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < n->count + add_count; i++) {
        if (i < n->count && !lives(n, i, version)) continue;
        addition entry = i < n->count ? (addition){ n->at[i], n->value[i] } : adds[i - n->count];
        size_t   to    = count++;
        for (; to > 0 && out[to - 1].at > entry.at; to--) out[to] = out[to - 1];
        out[to] = entry;
    }
    return count;
}

// Puts the entries into the node, or makes new nodes of what lives in it.
static outcome put(gm_timeline *t, uint32_t number, uint32_t version, const addition *adds, size_t add_count)
{
    node   *n = &t->nodes[number];
    outcome o = { 0 };
    if (n->count + add_count <= CAPACITY) {
        for (size_t i = 0; i < add_count; i++) {
            n->at[n->count]      = adds[i].at;
            n->value[n->count]   = adds[i].value;
            n->born[n->count]    = version;
            n->died[n->count++]  = ALIVE;
        }
        return o;
    }
    addition all[CAPACITY + ADDS_MOST];
    size_t   count = gather(n, version, adds, add_count, all);
    if (count == CAPACITY + 1 && add_count == 1 && adds[0].at == all[CAPACITY].at) {  // time goes on: the full node stays as it is
        o.count = 1;
        o.by[0] = (addition){ adds[0].at, make_node(t, n->leaf, adds, 1, version) };
        return o;
    }
    bool   leaf = n->leaf;
    size_t left = count <= KEEP_WHOLE ? count : count / 2;
    o.replaced  = true;
    o.by[o.count++] = (addition){ all[0].at, make_node(t, leaf, all, left, version) };
    if (left < count) o.by[o.count++] = (addition){ all[left].at, make_node(t, leaf, all + left, count - left, version) };
    return o;
}

static outcome assign_leaf(gm_timeline *t, uint32_t number, gm_time_ns low, gm_time_ns high, const statement *s)
{
    node    *n     = &t->nodes[number];
    bool     ended = s->to == INT64_MAX || s->to >= high || s->to < low;  // by somebody else, or never
    addition adds[2];
    size_t   count = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (!lives(n, i, s->version)) continue;
        if (n->at[i] == s->to) ended = true;
        if (n->at[i] >= s->from && n->at[i] < s->to) n->died[i] = s->version;
    }
    if (s->from >= low && s->from < high) adds[count++] = (addition){ s->from, s->value };
    if (!ended) adds[count++] = (addition){ s->to, s->behind };
    return put(t, number, s->version, adds, count);
}

static outcome assign(gm_timeline *t, uint32_t number, gm_time_ns low, gm_time_ns high, const statement *s);

static outcome assign_inner(gm_timeline *t, uint32_t number, gm_time_ns high, const statement *s)
{
    addition children[CAPACITY], adds[ADDS_MOST];
    uint32_t at[CAPACITY];
    size_t   count = 0, add_count = 0;
    node    *n     = &t->nodes[number];  // nodes are reserved: the pointer holds
    for (uint32_t i = 0; i < n->count; i++) {
        if (!lives(n, i, s->version)) continue;
        size_t to = count++;
        for (; to > 0 && children[to - 1].at > n->at[i]; to--) {
            children[to] = children[to - 1];
            at[to]       = at[to - 1];
        }
        children[to] = (addition){ n->at[i], n->value[i] };
        at[to]       = i;
    }
    for (size_t c = 0; c < count; c++) {
        gm_time_ns from = children[c].at, to = c + 1 < count ? children[c + 1].at : high;
        if (to <= s->from || from >= s->to) continue;
        bool begins = from <= s->from;                               // the statement begins in it
        if (!begins && to <= s->to) {                                // all of it is overruled
            n->died[at[c]] = s->version;
            continue;
        }
        outcome o = assign(t, children[c].value, from, to, s);
        if (!begins || o.replaced) n->died[at[c]] = s->version;
        if (!begins && !o.replaced) adds[add_count++] = (addition){ s->to, children[c].value };  // keeps (1): it begins later now
        for (uint32_t i = 0; i < o.count; i++) adds[add_count++] = o.by[i];
    }
    return put(t, number, s->version, adds, add_count);
}

static outcome assign(gm_timeline *t, uint32_t number, gm_time_ns low, gm_time_ns high, const statement *s)
{
    return t->nodes[number].leaf ? assign_leaf(t, number, low, high, s) : assign_inner(t, number, high, s);
}

gm_status gm_timeline_assign(gm_timeline *t, gm_time_ns from, gm_time_ns to, uint32_t value, gm_error *err)
{
    assert(from < to);
    size_t most = t->count + 4 * (size_t)t->height + 4;  // two paths, each node of which becomes two, and a root
    if (t->version == ALIVE - 1 || t->height == HEIGHT_MOST) return gm_fail(err, GM_LIMIT, "thread.timeline", "a line of facts is full");
    if (!gm_alloc_reserve(t->alloc, &t->nodes, &t->capacity, most, sizeof *t->nodes) ||
        !gm_alloc_reserve(t->alloc, &t->roots, &t->root_capacity, t->root_count + 1, sizeof *t->roots)) {
        return gm_fail(err, GM_NOMEM, "thread.timeline", "a line of facts");
    }
    statement s = { .from = from, .to = to, .value = value, .behind = GM_TIMELINE_NONE, .version = t->version + 1 };
    if (to != INT64_MAX) s.behind = gm_timeline_at(t, t->version, to);
    uint32_t top = t->roots[t->root_count - 1].node;
    outcome  o   = assign(t, top, INT64_MIN, INT64_MAX, &s);
    t->version++;
    if (o.count == 0) return GM_OK;
    uint32_t next = o.by[0].value;
    if (o.count == 2 || !o.replaced) {
        addition two[2] = { { INT64_MIN, o.replaced ? o.by[0].value : top }, o.by[o.count - 1] };
        next            = make_node(t, false, two, 2, t->version);
        t->height++;
    }
    t->roots[t->root_count++] = (root){ t->version, next };
    return GM_OK;
}
