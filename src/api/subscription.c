#include "api/subscription.h"

static size_t slot_of(const gm_subscriptions *table, gm_twin twin)
{
    return (twin.v * UINT32_C(2654435761)) & table->mask;  // Knuth's multiplicative hash: numbers are dense
}

static size_t words(const gm_type *type) { return type->column_count / 64 + 1; }

static bool grow(gm_subscriptions *table)
{
    if (table->slots != NULL && table->count <= table->mask) return true;
    size_t            size  = table->slots != NULL ? 2 * (table->mask + 1) : 64;
    gm_subscription **slots = gm_alloc_zeroed(table->alloc, size * sizeof *slots);
    if (slots == NULL) return table->slots != NULL;  // longer chains will do
    gm_subscription **old      = table->slots;
    size_t            old_size = old != NULL ? table->mask + 1 : 0;
    table->slots               = slots;
    table->mask                = size - 1;
    for (size_t i = 0; i < old_size; i++) {
        for (gm_subscription *sub = old[i], *next; sub != NULL; sub = next) {
            next           = sub->next_here;
            size_t slot    = slot_of(table, sub->twin);
            sub->next_here = slots[slot];
            slots[slot]    = sub;
        }
    }
    gm_free(table->alloc, old);
    return true;
}

void gm_subscriptions_finish(gm_subscriptions *table)
{
    gm_free(table->alloc, table->slots);
    *table = (gm_subscriptions){ .alloc = table->alloc };
}

gm_subscription *gm_subscribe(gm_subscriptions *table, gm_stream *stream, const gm_state *state, gm_twin twin)
{
    const gm_type   *type = gm_state_type(state, twin);
    gm_str           id   = gm_state_id(state, twin);
    gm_subscription *sub  = grow(table) ? gm_alloc_zeroed(table->alloc, sizeof *sub + id.len + 1) : NULL;
    if (sub == NULL) return NULL;
    sub->dirty = gm_alloc_zeroed(table->alloc, words(type) * sizeof *sub->dirty);
    if (sub->dirty == NULL) {
        gm_free(table->alloc, sub);
        return NULL;
    }
    memcpy(sub + 1, id.ptr, id.len);
    sub->id            = (gm_str){ (const char *)(sub + 1), id.len };
    sub->stream        = stream;
    sub->twin          = twin;
    sub->type          = type;
    size_t slot        = slot_of(table, twin);
    sub->next_here     = table->slots[slot];
    table->slots[slot] = sub;
    table->count++;
    return sub;
}

void gm_unsubscribe(gm_subscriptions *table, gm_subscription *sub)
{
    gm_subscription **at = &table->slots[slot_of(table, sub->twin)];
    while (*at != sub) at = &(*at)->next_here;
    *at = sub->next_here;
    table->count--;
    gm_free(table->alloc, sub->dirty);
    gm_free(table->alloc, sub);
}

gm_subscription *gm_subscription_first(const gm_subscriptions *table, gm_twin twin)
{
    if (table->slots == NULL) return NULL;
    gm_subscription *sub = table->slots[slot_of(table, twin)];
    while (sub != NULL && sub->twin.v != twin.v) sub = sub->next_here;
    return sub;
}

gm_subscription *gm_subscription_next(const gm_subscription *sub)
{
    gm_subscription *next = sub->next_here;
    while (next != NULL && next->twin.v != sub->twin.v) next = next->next_here;
    return next;
}

bool gm_subscription_retype(gm_subscriptions *table, gm_subscription *sub, const gm_type *type)
{
    uint64_t *dirty = gm_alloc_zeroed(table->alloc, words(type) * sizeof *dirty);
    if (dirty == NULL) return false;
    gm_free(table->alloc, sub->dirty);
    sub->dirty = dirty;
    sub->type  = type;
    return true;
}
