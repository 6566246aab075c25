// api/subscription.h: which streams follow which twins, and what has changed for them since they last read.
#ifndef GM_API_SUBSCRIPTION_H
#define GM_API_SUBSCRIPTION_H

#include "state/state.h"

typedef struct gm_stream gm_stream;

typedef enum gm_news { GM_NEWS_NONE, GM_NEWS_VALUES, GM_NEWS_VIEW, GM_NEWS_GONE } gm_news;

// One stream follows one twin.
typedef struct gm_subscription {
    gm_stream              *stream;
    gm_twin                 twin;
    const gm_type          *type;
    gm_news                 news;       // what the reader is to be told
    bool                    rollups;    // some of what it amounts to was recorded
    bool                    deleted;    // GONE because the twin was deleted (else it left the query)
    uint64_t                sequence;   // of its newest change
    gm_time_ns              time;
    uint64_t               *dirty;      // a bit per column
    struct gm_subscription *next_here;  // same slot of the table
    struct gm_subscription *next_news;  // of the stream's list of those with news
    struct gm_subscription *previous, *next;  // of the stream
    gm_str                  id;         // lies behind this struct: a deleted twin has no other name
} gm_subscription;

// From twins to subscriptions: chains by twin number.
typedef struct gm_subscriptions {
    const gm_alloc   *alloc;
    gm_subscription **slots;
    size_t            mask, count;
} gm_subscriptions;

void gm_subscriptions_finish(gm_subscriptions *table);

// NULL: memory refused.
GM_NODISCARD gm_subscription *gm_subscribe(gm_subscriptions *table, gm_stream *stream, const gm_state *state,
                                           gm_twin twin);
void                          gm_unsubscribe(gm_subscriptions *table, gm_subscription *sub);

// The first, and the next, subscription of a twin.
gm_subscription *gm_subscription_first(const gm_subscriptions *table, gm_twin twin);
gm_subscription *gm_subscription_next(const gm_subscription *sub);

// The twin has another type now. False: memory refused.
GM_NODISCARD bool gm_subscription_retype(gm_subscriptions *table, gm_subscription *sub, const gm_type *type);

static inline void gm_subscription_mark(gm_subscription *sub, uint32_t column)
{
    if (column < sub->type->column_count) sub->dirty[column / 64] |= UINT64_C(1) << column % 64;
}

#endif
