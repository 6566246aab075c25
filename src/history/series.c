#include "history/series.h"

typedef struct key { uint32_t twin, column; } key;

static gm_str key_bytes(const key *k)
{
    return (gm_str){ (const char *)k, sizeof *k };
}

static bool same_key(const void *owner, uint32_t id, gm_str bytes)
{
    const gm_series *s = gm_series_at(owner, id);
    key              k;
    memcpy(&k, bytes.ptr, sizeof k);
    return s->twin == k.twin && s->column == k.column;
}

static bool same_twin(const void *owner, uint32_t id, gm_str bytes)
{
    uint32_t twin;
    memcpy(&twin, bytes.ptr, sizeof twin);
    return gm_series_at(owner, id)->twin == twin;
}

static gm_str twin_bytes(const uint32_t *twin)
{
    return (gm_str){ (const char *)twin, sizeof *twin };
}

void gm_series_table_init(gm_series_table *table, const gm_alloc *alloc)
{
    *table         = (gm_series_table){ .alloc = alloc, .free = GM_INDEX_NONE };
    table->by_key  = gm_index_init(alloc, same_key, table);
    table->by_twin = gm_index_init(alloc, same_twin, table);
}

void gm_series_table_finish(gm_series_table *table)
{
    gm_index_finish(&table->by_key);
    gm_index_finish(&table->by_twin);
    for (size_t i = 0; i < table->chunk_count; i++) gm_free(table->alloc, table->chunks[i]);
    gm_free(table->alloc, table->chunks);
}

uint32_t gm_series_find(const gm_series_table *table, uint32_t twin, uint32_t column)
{
    key k = { twin, column };
    return gm_index_find(&table->by_key, key_bytes(&k));
}

uint32_t gm_series_first(const gm_series_table *table, uint32_t twin)
{
    return gm_index_find(&table->by_twin, twin_bytes(&twin));
}

// A record nobody uses: from the free list, or a new one.
static uint32_t take_record(gm_series_table *table)
{
    if (table->free != GM_INDEX_NONE) {
        uint32_t id = table->free;
        table->free = gm_series_at(table, id)->next;
        return id;
    }
    if (table->used == GM_INDEX_NONE) return GM_INDEX_NONE;
    if (table->used == table->chunk_count * GM_SERIES_CHUNK) {
        if (!gm_alloc_reserve(table->alloc, &table->chunks, &table->chunk_capacity, table->chunk_count + 1,
                              sizeof *table->chunks)) {
            return GM_INDEX_NONE;
        }
        gm_series *chunk = gm_alloc_zeroed(table->alloc, GM_SERIES_CHUNK * sizeof *chunk);
        if (chunk == NULL) return GM_INDEX_NONE;
        table->chunks[table->chunk_count++] = chunk;
    }
    return table->used++;
}

uint32_t gm_series_add(gm_series_table *table, uint32_t twin, uint32_t column)
{
    // Room first, so that nothing below can fail once a record is taken.
    if (gm_index_reserve(&table->by_key, 1) != GM_OK || gm_index_reserve(&table->by_twin, 1) != GM_OK) {
        return GM_INDEX_NONE;
    }
    uint32_t id = take_record(table);
    if (id == GM_INDEX_NONE) return GM_INDEX_NONE;
    gm_series *s     = gm_series_at(table, id);
    key        k     = { twin, column };
    uint32_t   first = gm_series_first(table, twin);
    *s               = (gm_series){ .twin = twin, .column = column, .next = GM_INDEX_NONE, .in_use = 1 };
    gm_status st     = gm_index_add(&table->by_key, key_bytes(&k), id);
    if (first == GM_INDEX_NONE) {
        if (st == GM_OK) st = gm_index_add(&table->by_twin, twin_bytes(&twin), id);
    } else {
        s->next                            = gm_series_at(table, first)->next;
        gm_series_at(table, first)->next = id;
    }
    (void)st;  // there was room
    table->live++;
    return id;
}

static void give_back(gm_series_table *table, uint32_t id)
{
    gm_series *s = gm_series_at(table, id);
    key        k = { s->twin, s->column };
    gm_index_remove(&table->by_key, key_bytes(&k));
    *s          = (gm_series){ .next = table->free };
    table->free = id;
    table->live--;
}

void gm_series_remove(gm_series_table *table, uint32_t id)
{
    uint32_t twin = gm_series_at(table, id)->twin, next = gm_series_at(table, id)->next, first = gm_series_first(table, twin);
    if (first == id) {
        gm_index_remove(&table->by_twin, twin_bytes(&twin));
        gm_status st = next != GM_INDEX_NONE ? gm_index_add(&table->by_twin, twin_bytes(&twin), next) : GM_OK;
        (void)st;  // there is the room that was just left
    } else {
        uint32_t before = first;
        while (gm_series_at(table, before)->next != id) before = gm_series_at(table, before)->next;
        gm_series_at(table, before)->next = next;
    }
    give_back(table, id);
}

void gm_series_remove_twin(gm_series_table *table, uint32_t twin)
{
    uint32_t id = gm_index_remove(&table->by_twin, twin_bytes(&twin));
    while (id != GM_INDEX_NONE) {
        uint32_t next = gm_series_at(table, id)->next;
        give_back(table, id);
        id = next;
    }
}
