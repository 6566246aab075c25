// A sealing waits in the list, is handed over, and comes back to the owner's thread: then its block takes the bytes, or it waits
// again (memory was refused, the pool has ended), or nobody wants it any more.
#include "history/sealing.h"

#include <assert.h>

typedef struct batch {
    gm_sealer  *sealer;
    size_t      count;
    gm_sealing *items[GM_SEALING_TOGETHER];
} batch;

struct gm_sealer {
    gm_history *history;
    gm_pool    *pool;
    size_t      under_way, waiting;  // under way: the waiting ones among them
    gm_sealing *first, **last;       // that wait
    uint32_t    threads;             // of the pool, which may have ended when this does
    gm_codec  **codecs;              // [threads], each of one thread, made by it when it first needs one
};

gm_sealer *gm_sealer_create(gm_history *history, gm_pool *pool)
{
    gm_sealer *s = gm_alloc_zeroed(history->alloc, sizeof *s);
    if (s == NULL) return NULL;
    s->history = history;
    s->pool    = pool;
    s->last    = &s->first;
    s->threads = gm_pool_threads(pool);
    s->codecs  = gm_alloc_zeroed(history->alloc, s->threads * sizeof *s->codecs);
    if (s->codecs != NULL) return s;
    gm_free(history->alloc, s);
    return NULL;
}

void gm_sealer_destroy(gm_sealer *s)
{
    if (s == NULL) return;
    for (gm_sealing *each = s->first; each != NULL; each = each->next) each->sealer = NULL;  // their blocks stay plain
    for (uint32_t i = 0; i < s->threads; i++) gm_codec_destroy(s->codecs[i]);
    gm_free(s->history->alloc, s->codecs);
    gm_free(s->history->alloc, s);
}

static void wait_again(gm_sealer *s, gm_sealing *one)
{
    one->handed_over = false;
    one->next        = NULL;
    *s->last         = one;
    s->last          = &one->next;
    s->waiting++;
}

static void end(const gm_alloc *alloc, gm_sealing *one)
{
    if (one->sealer != NULL) one->sealer->under_way--;
    gm_run_destroy(alloc, one->run);
    gm_buf_finish(&one->bytes);
    gm_free(alloc, one);
}

// ---- in the pool ----------------------------------------------------------------------------------------------------
static gm_status run_part(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    batch      *b   = context;
    gm_sealing *one = b->items[part];
    gm_codec  **codec = &b->sealer->codecs[thread];
    gm_samples  samples = gm_run_samples(one->run, 0, one->n);
    gm_error    ignored;
    (void)job, (void)err;
    if (*codec == NULL) *codec = gm_codec_create(b->sealer->history->alloc);
    if (*codec == NULL) return GM_OK;  // it comes back as it went
    gm_block_encode(*codec, &samples, &one->bytes);
    if (!one->bytes.failed && gm_history_describe(&samples, &one->bytes, &one->sealed, &ignored) != GM_OK) one->bytes.failed = true;
    return GM_OK;
}

static void done(void *context, gm_status status, const gm_error *err)
{
    batch     *b = context;
    gm_sealer *s = b->sealer;
    (void)status, (void)err;  // cancelled: some were not reached
    for (size_t i = 0; i < b->count; i++) {
        gm_sealing *one = b->items[i];
        bool        sealed = one->bytes.len > 0 && !one->bytes.failed;
        if (one->unwanted || (sealed && gm_history_sealed(s->history, one))) {
            end(s->history->alloc, one);
        } else {
            gm_buf_clear(&one->bytes);
            wait_again(s, one);
        }
    }
    gm_free(s->history->alloc, b);
}

// ---- the owner's side -----------------------------------------------------------------------------------------------
static bool hand_over(gm_sealer *s)
{
    batch *b = gm_alloc_zeroed(s->history->alloc, sizeof *b);
    if (b == NULL) return false;
    b->sealer = s;
    for (gm_sealing *each = s->first; each != NULL && b->count < GM_SEALING_TOGETHER; each = each->next) b->items[b->count++] = each;
    gm_pool_task task = { .parts = (uint32_t)b->count, .run = run_part, .done = done, .context = b };
    gm_pool_id   id;
    gm_error     ignored;
    for (size_t i = 0; i < b->count; i++) b->items[i]->handed_over = true;
    if (gm_pool_submit(s->pool, &task, &id, &ignored) != GM_OK) {
        for (size_t i = 0; i < b->count; i++) b->items[i]->handed_over = false;
        gm_free(s->history->alloc, b);
        return false;
    }
    s->first = b->items[b->count - 1]->next;
    if (s->first == NULL) s->last = &s->first;
    s->waiting -= b->count;
    return true;
}

void gm_sealer_turn(gm_sealer *s)
{
    while (s->waiting > 0 && hand_over(s)) {}
}

gm_sealing *gm_sealer_take(gm_sealer *s, uint32_t series, gm_run *run, size_t n)
{
    gm_sealing *one = s->under_way < GM_SEALING_MOST ? gm_alloc_zeroed(s->history->alloc, sizeof *one) : NULL;
    if (one == NULL) return NULL;
    *one = (gm_sealing){ .run = run, .n = n, .bytes = gm_buf_init(s->history->alloc), .sealer = s, .series = series };
    s->under_way++;
    wait_again(s, one);
    if (s->waiting >= GM_SEALING_TOGETHER) (void)hand_over(s);
    return one;
}

void gm_sealing_let_go(gm_sealing *one)
{
    if (one->handed_over) {
        one->unwanted = true;
        return;
    }
    gm_sealer *s = one->sealer;
    if (s != NULL) {
        gm_sealing **at = &s->first;
        while (*at != one) at = &(*at)->next;
        *at = one->next;
        if (*at == NULL) s->last = at;
        s->waiting--;
    }
    end(one->bytes.alloc, one);
}
