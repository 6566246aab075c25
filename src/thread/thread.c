// Invariants: (1) rows of a line lie in the order of `known`; (2) version n of a line's timeline is its first n rows; (3) a refused
// allocation leaves everything as it was: room is made before the first change.
#include "thread/internal.h"

#include <assert.h>

static const char WHERE[] = "thread";
enum { BLOCK = 1 << 20 };

// ---- names and lines ------------------------------------------------------------------------------------------------

static bool same_name(const void *owner, uint32_t id, gm_str key) { return gm_str_eq(((const gm_thread *)owner)->names[id].text, key); }

typedef struct line_key { uint32_t twin, key, phase; } line_key;  // no gaps: it is hashed as bytes
_Static_assert(sizeof(line_key) == 12, "a key of bytes");

static bool same_line(const void *owner, uint32_t id, gm_str key)
{
    const fact_line *l = &((const gm_thread *)owner)->lines[id];
    line_key    k = { l->twin, l->key, l->phase };
    return key.len == sizeof k && memcmp(key.ptr, &k, sizeof k) == 0;
}

gm_status gm_thread_create(const gm_alloc *alloc, gm_thread **out, gm_error *err)
{
    gm_thread *t = gm_alloc_zeroed(alloc, sizeof *t);
    *out         = t;
    if (t == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    t->alloc      = alloc;
    t->name_index = gm_index_init(alloc, same_name, t);
    t->line_index = gm_index_init(alloc, same_line, t);
    t->scratch    = gm_buf_init(alloc);
    return GM_OK;
}

void gm_thread_clear(gm_thread *t)
{
    for (size_t i = 0; i < t->line_count; i++) {
        gm_timeline_destroy(t->lines[i].time);
        if (t->lines[i].capacity > 0) gm_free(t->alloc, t->lines[i].many);
    }
    while (t->blocks != NULL) {
        block *before = t->blocks->before;
        gm_free(t->alloc, t->blocks);
        t->blocks = before;
    }
    gm_index_finish(&t->name_index);
    gm_index_finish(&t->line_index);
    gm_free(t->alloc, t->names);
    gm_free(t->alloc, t->rows);
    gm_free(t->alloc, t->lines);
    gm_buf_finish(&t->scratch);
    const gm_alloc *alloc = t->alloc;
    *t = (gm_thread){ .alloc = alloc, .scratch = gm_buf_init(alloc) };
    t->name_index = gm_index_init(alloc, same_name, t);
    t->line_index = gm_index_init(alloc, same_line, t);
}

void gm_thread_destroy(gm_thread *t)
{
    if (t == NULL) return;
    gm_thread_clear(t);
    gm_free(t->alloc, t);
}

static uint8_t *take_bytes(gm_thread *t, size_t n)
{
    if (t->blocks == NULL || t->blocks->size - t->blocks->used < n) {
        size_t size = n > BLOCK ? n : BLOCK;
        block *b    = gm_alloc_bytes(t->alloc, sizeof *b + size + GM_VARINT_MOST);
        if (b == NULL) return NULL;
        *b        = (block){ .before = t->blocks, .size = size };
        t->blocks = b;
        t->block_bytes += size + sizeof *b;
    }
    uint8_t *at = t->blocks->bytes + t->blocks->used;
    t->blocks->used += n;
    return at;
}

// The number of a name, which is new perhaps. GM_INDEX_NONE: no memory. A name without facts does no harm.
static uint32_t intern(gm_thread *t, gm_str text)
{
    uint32_t id = gm_index_find(&t->name_index, text);
    if (id != GM_INDEX_NONE) return id;
    uint8_t *bytes = take_bytes(t, text.len);
    if (bytes == NULL || !gm_alloc_reserve(t->alloc, &t->names, &t->name_capacity, t->name_count + 1, sizeof *t->names)) return GM_INDEX_NONE;
    if (text.len > 0) memcpy(bytes, text.ptr, text.len);
    id           = (uint32_t)t->name_count;
    t->names[id] = (fact_name){ .text = { (const char *)bytes, text.len }, .lines = NO_LINE, .mentions = NO_ROW };
    if (gm_index_add(&t->name_index, text, id) != GM_OK) return GM_INDEX_NONE;
    t->name_count++;
    return id;
}

static uint8_t slot_of(gm_phase phase, gm_str key) { return gm_str_is(key, GM_KEY_INSTALLED) ? PLACE : (uint8_t)phase; }

uint32_t gm_thread_find_line(const gm_thread *t, gm_str twin, uint8_t phase, gm_str key)
{
    line_key k = { gm_index_find(&t->name_index, twin), gm_index_find(&t->name_index, key), phase };
    if (k.twin == GM_INDEX_NONE || k.key == GM_INDEX_NONE) return NO_LINE;
    return gm_index_find(&t->line_index, (gm_str){ (const char *)&k, sizeof k });
}

static uint32_t make_line(gm_thread *t, gm_str twin, uint8_t phase, gm_str key)
{
    uint32_t id = gm_thread_find_line(t, twin, phase, key);
    if (id != NO_LINE) return id;
    line_key k = { intern(t, twin), intern(t, key), phase };
    if (k.twin == GM_INDEX_NONE || k.key == GM_INDEX_NONE ||
        !gm_alloc_reserve(t->alloc, &t->lines, &t->line_capacity, t->line_count + 1, sizeof *t->lines)) return NO_LINE;
    id           = (uint32_t)t->line_count;
    t->lines[id] = (fact_line){ .twin = k.twin, .key = k.key, .phase = phase, .next = t->names[k.twin].lines };
    if (gm_index_add(&t->line_index, (gm_str){ (const char *)&k, sizeof k }, id) != GM_OK) return NO_LINE;
    t->names[k.twin].lines = id;
    t->line_count++;
    return id;
}

// ---- values ---------------------------------------------------------------------------------------------------------

static void put_number(gm_fact_writer *w, gm_str text)
{
    uint32_t id = intern(w->context, text);
    if (id == GM_INDEX_NONE) w->out->failed = true;
    gm_buf_varint(w->out, id);
}

static gm_str get_number(gm_fact_reader *r)
{
    const gm_thread *t  = r->context;
    uint64_t         id = gm_bytes_varint(&r->in);
    assert(id < t->name_count);  // our own bytes
    return t->names[id].text;
}

static const uint8_t *keep_value(gm_thread *t, const gm_fact *f)
{
    gm_fact_writer w = { .out = &t->scratch, .text = put_number, .context = t };
    gm_buf_clear(&t->scratch);
    put_number(&w, f->author);
    put_number(&w, f->cause);
    gm_buf_byte(&t->scratch, (uint8_t)f->phase);
    gm_fact_put_value(&w, &f->value);
    uint8_t  head[GM_VARINT_MOST];
    size_t   head_len = (size_t)(gm_varint_put(head, t->scratch.len) - head);
    uint8_t *to       = t->scratch.failed ? NULL : take_bytes(t, head_len + t->scratch.len);
    if (to == NULL) return NULL;
    memcpy(to, head, head_len);
    memcpy(to + head_len, t->scratch.ptr, t->scratch.len);
    return to;
}

// The bytes of a row's value, behind their length.
static gm_bytes value_of(const fact_row *r)
{
    gm_bytes head = { .at = r->value, .end = r->value + GM_VARINT_MOST };  // blocks have so much room behind
    uint64_t size = gm_bytes_varint(&head);
    return (gm_bytes){ .at = head.at, .end = head.at + size };
}

void gm_thread_fact(const gm_thread *t, uint32_t number, gm_fact *out)
{
    const fact_row *r  = &t->rows[number];
    const fact_line *l  = &t->lines[r->line];
    gm_fact_reader in = { .in = value_of(r), .text = get_number, .context = t };
    *out              = (gm_fact){ .twin = t->names[l->twin].text, .key = t->names[l->key].text, .from = r->from, .to = r->to, .known = r->known };
    out->author       = get_number(&in);
    out->cause        = get_number(&in);
    out->phase        = (gm_phase)gm_bytes_byte(&in.in);
    bool good         = gm_fact_get_value(&in, &out->value);
    assert(good);
    (void)good;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

uint32_t gm_line_known(const gm_thread *t, const fact_line *l, gm_time_ns known)
{
    uint32_t low = 0, high = l->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->rows[gm_line_row(l, middle)].known <= known) low = middle + 1;
        else high = middle;
    }
    return low;
}

uint32_t gm_line_at(const gm_thread *t, const fact_line *l, uint32_t n, gm_time_ns valid, gm_time_ns *out_to)
{
    gm_time_ns from;
    *out_to = INT64_MAX;
    if (l->time != NULL) return gm_timeline_piece(l->time, n, valid, &from, out_to);
    uint32_t found = NO_ROW;
    for (uint32_t i = n; i-- > 0;) {
        const fact_row *r = &t->rows[gm_line_row(l, i)];
        if (r->from <= valid && valid < r->to && found == NO_ROW) found = gm_line_row(l, i);
        if (r->from > valid && r->from < *out_to) *out_to = r->from;
        if (r->to > valid && r->to < *out_to) *out_to = r->to;
    }
    return found;
}

static gm_status grow_line(gm_thread *t, fact_line *l, gm_error *err)
{
    uint32_t  capacity = l->capacity == 0 ? 4 : l->capacity * 2;
    uint32_t *many     = NULL;
    if (l->count == 0 || l->count < l->capacity) return GM_OK;
    if (l->capacity == 0) many = gm_alloc_array(t->alloc, capacity, sizeof *many);
    else many = gm_realloc_array(t->alloc, l->many, capacity, sizeof *many);
    if (many == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a line of facts");
    if (l->capacity == 0) many[0] = l->one;
    l->many     = many;
    l->capacity = capacity;
    return GM_OK;
}

// The timeline of a line that has become long, and the row that is about to be added to it.
static gm_status note_time(gm_thread *t, fact_line *l, uint32_t number, const gm_fact *f, gm_error *err)
{
    gm_timeline *fresh = NULL;
    gm_status    st    = GM_OK;
    if (l->time == NULL && l->count < LINE_PLAIN) return GM_OK;
    if (l->time == NULL) st = gm_timeline_create(t->alloc, &fresh, err);
    for (uint32_t i = 0; st == GM_OK && fresh != NULL && i < l->count; i++) {
        const fact_row *r = &t->rows[gm_line_row(l, i)];
        st           = gm_timeline_assign(fresh, r->from, r->to, gm_line_row(l, i), err);
    }
    if (st == GM_OK) st = gm_timeline_assign(fresh != NULL ? fresh : l->time, f->from, f->to, number, err);
    if (st == GM_OK && fresh != NULL) l->time = fresh;
    else gm_timeline_destroy(fresh);
    return st;
}

gm_status gm_thread_add(gm_thread *t, const gm_fact *f, gm_error *err)
{
    if (t->row_count == GM_FACTS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "there are %zu facts already", t->row_count);
    uint32_t       id    = make_line(t, f->twin, slot_of(f->phase, f->key), f->key);
    const uint8_t *value = id == NO_LINE ? NULL : keep_value(t, f);
    uint32_t       part  = f->value.kind == GM_FACT_PART ? intern(t, f->value.text) : GM_INDEX_NONE;
    if (value == NULL || (f->value.kind == GM_FACT_PART && part == GM_INDEX_NONE) ||
        !gm_alloc_reserve(t->alloc, &t->rows, &t->row_capacity, t->row_count + 1, sizeof *t->rows)) {
        return gm_fail(err, GM_NOMEM, WHERE, "keeping a fact");
    }
    fact_line *l      = &t->lines[id];
    uint32_t  number = (uint32_t)t->row_count;
    gm_status st     = grow_line(t, l, err);
    if (st == GM_OK) st = note_time(t, l, number, f, err);
    if (st != GM_OK) return st;
    t->rows[number] = (fact_row){ .from = f->from, .to = f->to, .known = f->known, .value = value, .line = id, .next = NO_ROW };
    if (l->capacity > 0) l->many[l->count++] = number;
    else {
        l->one   = number;
        l->count = 1;
    }
    if (part != GM_INDEX_NONE) {
        t->rows[number].next    = t->names[part].mentions;
        t->names[part].mentions = number;
    }
    t->row_count++;
    t->facts++;
    return GM_OK;
}

gm_status gm_thread_check(const gm_thread *t, const gm_fact *fact, gm_error *err)
{
    gm_status st = gm_fact_check(fact, err);
    if (st == GM_OK && gm_str_is(fact->key, GM_KEY_INSTALLED)) st = gm_placement_check(t, fact, err);
    if (st == GM_OK && gm_str_starts(fact->key, GM_STR(GM_KEY_BOM))) st = gm_bom_row_check(t, fact, err);
    return st;
}

gm_status gm_thread_take(gm_thread *t, const gm_fact *fact, gm_error *err)
{
    gm_status st = gm_thread_check(t, fact, err);
    return st == GM_OK ? gm_thread_add(t, fact, err) : st;
}

// ---- forgetting -----------------------------------------------------------------------------------------------------

static void unchain(gm_thread *t, uint32_t number)
{
    gm_fact f;
    gm_thread_fact(t, number, &f);
    if (f.value.kind != GM_FACT_PART) return;
    uint32_t *at = &t->names[gm_index_find(&t->name_index, f.value.text)].mentions;
    while (*at != number) at = &t->rows[*at].next;
    *at = t->rows[number].next;
}

static void scrub(gm_thread *t, uint32_t number)
{
    gm_bytes bytes = value_of(&t->rows[number]);
    memset((uint8_t *)(uintptr_t)t->rows[number].value, 0, (size_t)(bytes.end - t->rows[number].value));
    t->rows[number].line = NO_LINE;
    t->facts--;
}

static void empty_line(gm_thread *t, fact_line *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        unchain(t, gm_line_row(l, i));
        scrub(t, gm_line_row(l, i));
    }
    gm_timeline_destroy(l->time);
    if (l->capacity > 0) gm_free(t->alloc, l->many);
    l->time  = NULL;
    l->count = l->capacity = 0;
}

uint64_t gm_thread_forget(gm_thread *t, gm_str twin, gm_str key)
{
    uint32_t id    = gm_index_find(&t->name_index, twin);
    uint64_t count = 0;
    if (id == GM_INDEX_NONE) return 0;
    for (uint32_t at = t->names[id].lines; at != NO_LINE; at = t->lines[at].next) {
        fact_line *l = &t->lines[at];
        if (key.len > 0 && !gm_str_eq(t->names[l->key].text, key)) continue;
        count += l->count;
        empty_line(t, l);
    }
    return count;
}
