// A reading belongs to the pool from ask to its call, and to whoever asked from then until he gives it back.
#include "link/line_readers.h"

#include <assert.h>

struct gm_line_reading {
    bool            in_use;
    gm_line_reader *reader;  // NULL: not made yet
    gm_str          text;
    gm_dur_ns       unit;
    size_t          taken;
    void          (*call)(void *context);
    void           *context;
};

struct gm_line_readers {
    const gm_alloc *alloc;
    gm_pool        *pool;
    size_t          count;
    gm_line_reading items[GM_LINE_READERS_MAX];
};

gm_line_readers *gm_line_readers_create(const gm_alloc *alloc, gm_pool *pool)
{
    gm_line_readers *readers = gm_alloc_zeroed(alloc, sizeof *readers);
    if (readers == NULL) return NULL;
    size_t wanted  = gm_pool_threads(pool) + (size_t)1;
    readers->alloc = alloc;
    readers->pool  = pool;
    readers->count = wanted < GM_LINE_READERS_MAX ? wanted : GM_LINE_READERS_MAX;
    return readers;
}

void gm_line_readers_destroy(gm_line_readers *readers)
{
    if (readers == NULL) return;
    for (size_t i = 0; i < readers->count; i++) {
        assert(!readers->items[i].in_use);
        gm_line_reader_destroy(readers->items[i].reader);
    }
    gm_free(readers->alloc, readers);
}

static gm_status run(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    gm_line_reading *reading = context;
    (void)part, (void)thread, (void)job, (void)err;
    reading->taken = gm_line_reader_read(reading->reader, reading->text, reading->unit);
    return GM_OK;
}

static void done(void *context, gm_status status, const gm_error *err)
{
    gm_line_reading *reading = context;
    (void)err;
    if (status != GM_OK) reading->taken = 0;
    reading->call(reading->context);
}

bool gm_line_readers_ask(gm_line_readers *readers, gm_str text, gm_dur_ns unit, void (*call)(void *context), void *context,
                         gm_line_reading **out_reading)
{
    gm_line_reading *reading = NULL;
    assert(text.len <= GM_LINE_READ_MAX);
    for (size_t i = 0; i < readers->count && reading == NULL; i++) {
        if (!readers->items[i].in_use) reading = &readers->items[i];
    }
    *out_reading = NULL;
    if (reading == NULL) return false;
    if (reading->reader == NULL) reading->reader = gm_line_reader_create(readers->alloc);
    if (reading->reader == NULL) return false;
    *reading = (gm_line_reading){ .in_use = true, .reader = reading->reader, .text = text, .unit = unit, .call = call, .context = context };
    gm_pool_task task = { .parts = 1, .run = run, .done = done, .context = reading };
    gm_pool_id   id;
    gm_error     ignored;
    reading->in_use = gm_pool_submit(readers->pool, &task, &id, &ignored) == GM_OK;
    *out_reading    = reading->in_use ? reading : NULL;
    return reading->in_use;
}

gm_line_reader *gm_line_reading_of(const gm_line_reading *reading, size_t *out_taken)
{
    *out_taken = reading->taken;
    return reading->reader;
}

void gm_line_readers_give_back(gm_line_reading *reading)
{
    if (reading != NULL) reading->in_use = false;
}
