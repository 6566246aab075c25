// Lines go one by one into `cells`, chained by key; at the end the rows of each key are laid out as columns.
#include "link/lines_read.h"

#include "base/index.h"
#include "link/line_number.h"

#include <assert.h>

#define NOBODY UINT32_MAX
enum { ROW_HEAD = 2, PADDING = 8 };  // a row: time, place of the key's next one, values

typedef struct known_key {
    char    *text;    // the key, a space, the name of its first field, '='; PADDING readable bytes behind
    uint32_t len;     // of the key
    uint32_t head;    // of all of it
    uint32_t after;   // the key of the line that followed one of this key, last time
    uint32_t number;  // gm_line_table.number
    uint64_t round;   // the reading in which it came up last
    uint32_t table;   // of that reading
} known_key;

typedef struct chain { uint32_t key, first, last, names; } chain;  // of a table: places in cells, of its names in `names`

struct gm_line_reader {
    const gm_alloc *alloc;
    gm_index        index;
    known_key      *keys;
    size_t          count, capacity, text_bytes;
    bool            full;       // a key found no room
    uint64_t        round;
    uint32_t        before;     // key of the last line; NOBODY
    uint64_t       *cells;
    size_t          used, cell_capacity;
    gm_str         *names;
    size_t          name_count, name_capacity;
    chain          *chains;
    gm_line_table  *tables;
    size_t          table_count, chain_capacity, table_capacity;
    uint64_t       *columns;    // what tables view
    size_t          column_capacity;
    size_t          lines, ends;
};

static bool same_key(const void *owner, uint32_t id, gm_str text)
{
    const known_key *k = &((const gm_line_reader *)owner)->keys[id];
    return k->len == text.len && memcmp(k->text, text.ptr, text.len) == 0;
}

gm_line_reader *gm_line_reader_create(const gm_alloc *alloc)
{
    gm_line_reader *r = gm_alloc_zeroed(alloc, sizeof *r);
    if (r == NULL) return NULL;
    *r = (gm_line_reader){ .alloc = alloc, .index = gm_index_init(alloc, same_key, r) };
    return r;
}

static void forget_keys(gm_line_reader *r)
{
    for (size_t i = 0; i < r->count; i++) gm_free(r->alloc, r->keys[i].text);
    gm_index_finish(&r->index);
    r->count = r->text_bytes = 0;
    r->full  = false;
}

void gm_line_reader_destroy(gm_line_reader *r)
{
    if (r == NULL) return;
    forget_keys(r);
    gm_free(r->alloc, r->keys);
    gm_free(r->alloc, r->cells);
    gm_free(r->alloc, r->names);
    gm_free(r->alloc, r->chains);
    gm_free(r->alloc, r->tables);
    gm_free(r->alloc, r->columns);
    gm_free(r->alloc, r);
}

// ---- keys ---------------------------------------------------------------------------------------------------------
// Whether text begins with the n bytes of `head`, which has PADDING behind it: word by word, since n is some twenty.
static inline bool begins_with(const char *p, const char *end, const char *head, size_t n)
{
    if ((size_t)(end - p) < n + PADDING) return (size_t)(end - p) >= n && memcmp(p, head, n) == 0;
    uint64_t differ = 0, a, b;
    size_t   i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&a, p + i, 8);
        memcpy(&b, head + i, 8);
        differ |= a ^ b;
    }
    if (i == n) return differ == 0;
    memcpy(&a, p + i, 8);
    memcpy(&b, head + i, 8);
    return (differ | (a ^ b) << (64 - 8 * (n - i))) == 0;
}

// Where the name before '=' ends; NULL: that is no plain name.
static const char *end_of_name(const char *p, const char *end)
{
    const char *first = p;
    for (; p < end && *p != '='; p++) {
        if (*p == ' ' || *p == ',' || *p == '\\' || *p == '"' || *p == '\n') return NULL;
    }
    return p < end && p > first ? p : NULL;
}

// Where the key ends: before the first space that no backslash stands before (link/line.c).
static const char *end_of_key(const char *p, const char *end)
{
    if (p >= end || *p == ',' || *p == '#' || *p == ' ' || *p == '\t' || *p == '\r') return NULL;
    for (; p < end && *p != ' '; p++) {
        if (*p == '\\') p++;
        if (p >= end || *p == '\n' || *p == '"') return NULL;
    }
    return p < end ? p : NULL;
}

static bool set_head(gm_line_reader *r, known_key *k, gm_str head)
{
    char *text = gm_realloc_array(r->alloc, k->text, head.len + PADDING, 1);
    if (text == NULL) return false;
    memcpy(text, head.ptr, head.len);
    memset(text + head.len, 0, PADDING);
    r->text_bytes += head.len - k->head;
    k->text = text;
    k->head = (uint32_t)head.len;
    return true;
}

// A key that was not foreseen. head: as known_key.text has it. NOBODY: no room, or no memory.
static uint32_t find_key(gm_line_reader *r, gm_str key, gm_str head)
{
    uint32_t id = gm_index_find(&r->index, key);
    if (id != GM_INDEX_NONE) {
        known_key *k = &r->keys[id];
        bool       other = k->head != head.len || memcmp(k->text, head.ptr, head.len) != 0;
        if (!other) return id;
        // Of a table that has begun the first name stays.
        return k->round != r->round && set_head(r, k, head) ? id : NOBODY;
    }
    r->full = r->count >= GM_LINE_READER_KEYS_MAX || r->text_bytes + head.len > GM_LINE_READER_TEXT_MAX;
    if (r->full || !gm_alloc_reserve(r->alloc, &r->keys, &r->capacity, r->count + 1, sizeof *r->keys)) return NOBODY;
    known_key *k = &r->keys[r->count];
    *k           = (known_key){ .len = (uint32_t)key.len, .after = NOBODY, .number = GM_LINE_NO_NUMBER, .round = r->round - 1 };
    if (!set_head(r, k, head)) return NOBODY;
    if (gm_index_add(&r->index, key, (uint32_t)r->count) != GM_OK) {
        gm_free(r->alloc, k->text);
        return NOBODY;
    }
    return (uint32_t)r->count++;
}

// The key of the line at p, and where its first value begins. NULL: not one for this reader.
static const char *take_key(gm_line_reader *r, const char *p, const char *end, uint32_t *out_id)
{
    uint32_t guess = r->before != NOBODY ? r->keys[r->before].after : NOBODY;
    if (guess != NOBODY && begins_with(p, end, r->keys[guess].text, r->keys[guess].head)) {
        *out_id = guess;
        return p + r->keys[guess].head;
    }
    const char *key = end_of_key(p, end), *name = key != NULL ? end_of_name(key + 1, end) : NULL;
    if (name == NULL || name - p >= INT32_MAX / 2) return NULL;
    *out_id = find_key(r, (gm_str){ p, (size_t)(key - p) }, (gm_str){ p, (size_t)(name + 1 - p) });
    return *out_id != NOBODY ? name + 1 : NULL;
}

// ---- lines --------------------------------------------------------------------------------------------------------
// The n-th name of a line, n > 0: as in the line before, or, of the first one, a new one. NULL: another.
static const char *take_name(gm_line_reader *r, const chain *c, bool fresh, size_t n, const char *p, const char *end)
{
    if (fresh) {
        const char *stop = end_of_name(p, end);
        if (stop != NULL) r->names[c->names + n] = (gm_str){ p, (size_t)(stop - p) };
        return stop != NULL ? stop + 1 : NULL;
    }
    gm_str name = r->names[c->names + n];
    if ((size_t)(end - p) <= name.len || p[name.len] != '=' || memcmp(p, name.ptr, name.len) != 0) return NULL;
    return p + name.len + 1;
}

// Room for a line of any width.
static bool grow(gm_line_reader *r)
{
    return gm_alloc_reserve(r->alloc, &r->cells, &r->cell_capacity, r->used + ROW_HEAD + GM_LINE_FIELDS_MAX, sizeof *r->cells) &&
           gm_alloc_reserve(r->alloc, &r->names, &r->name_capacity, r->name_count + GM_LINE_FIELDS_MAX, sizeof *r->names) &&
           gm_alloc_reserve(r->alloc, &r->chains, &r->chain_capacity, r->table_count + 1, sizeof *r->chains) &&
           gm_alloc_reserve(r->alloc, &r->tables, &r->table_capacity, r->table_count + 1, sizeof *r->tables);
}

static inline bool reserve(gm_line_reader *r)
{
    bool room = r->used + ROW_HEAD + GM_LINE_FIELDS_MAX <= r->cell_capacity && r->name_count + GM_LINE_FIELDS_MAX <= r->name_capacity &&
                r->table_count < r->chain_capacity && r->table_count < r->table_capacity;
    return room || grow(r);
}

static void add_row(gm_line_reader *r, uint32_t id, bool fresh, uint16_t width, gm_time_ns at)
{
    known_key     *k = &r->keys[id];
    gm_line_table *t = &r->tables[k->table];
    chain         *c = &r->chains[k->table];
    uint32_t       place = (uint32_t)r->used;
    r->cells[place]     = (uint64_t)at;
    r->cells[place + 1] = NOBODY;
    if (fresh) {
        t->width = width;
        c->first = place;
        r->name_count += width;
        r->table_count++;
        k->round = r->round;
    } else {
        r->cells[c->last + 1] = place;
    }
    c->last = place;
    t->rows++;
    if (at > t->latest) t->latest = at;
    r->used += ROW_HEAD + (size_t)width;
}

// A line of the usual kind. Returns what is behind it; NULL: it is none, and nothing was taken.
static const char *take_line(gm_line_reader *r, const char *p, const char *end, gm_dur_ns unit)
{
    uint32_t    id;
    const char *line = p;
    if (!reserve(r) || (p = take_key(r, p, end, &id)) == NULL) return NULL;
    known_key *k     = &r->keys[id];
    bool       fresh = k->round != r->round;
    if (fresh) {
        k->table              = (uint32_t)r->table_count;
        r->tables[k->table]   = (gm_line_table){ .latest = GM_TIME_MIN };
        r->chains[k->table]   = (chain){ .key = id, .names = (uint32_t)r->name_count };
        r->names[r->name_count] = (gm_str){ line + k->len + 1, k->head - k->len - 2 };
    }
    const chain *c      = &r->chains[k->table];
    size_t       width  = fresh ? GM_LINE_FIELDS_MAX : r->tables[k->table].width, n = 0;
    uint64_t    *values = &r->cells[r->used + ROW_HEAD];
    for (;;) {
        double value;
        p = gm_line_number(p, end, &value);
        if (p == NULL || p >= end) return NULL;
        memcpy(&values[n++], &value, sizeof value);
        if (*p != ',') break;
        if (n == width || (p = take_name(r, c, fresh, n, p + 1, end)) == NULL) return NULL;
    }
    int64_t    time;
    gm_time_ns at;
    if ((!fresh && n != width) || *p != ' ' || (p = gm_line_time(p + 1, end, &time)) == NULL || (p < end && *p != '\n')) return NULL;
    if (__builtin_mul_overflow(time, unit, &at) || at < GM_TIME_MIN || at > GM_TIME_MAX) return NULL;
    add_row(r, id, fresh, (uint16_t)n, at);
    if (r->before != NOBODY) r->keys[r->before].after = id;
    r->before = id;
    return p < end ? p + 1 : end;
}

// ---- tables -------------------------------------------------------------------------------------------------------
static void lay_out(gm_line_reader *r)
{
    uint64_t *to = r->columns;
    for (size_t i = 0; i < r->table_count; i++) {
        gm_line_table *t    = &r->tables[i];
        const chain   *c    = &r->chains[i];
        known_key     *k    = &r->keys[c->key];
        size_t         rows = t->rows, row = 0;
        t->key    = (gm_str){ k->text, k->len };
        t->number = &k->number;
        t->names  = &r->names[c->names];
        t->times  = (int64_t *)to;
        t->values = to + rows;
        for (uint64_t at = c->first; at != NOBODY; at = r->cells[at + 1], row++) {
            t->times[row] = (int64_t)r->cells[at];
            for (size_t f = 0; f < t->width; f++) t->values[f * rows + row] = r->cells[at + ROW_HEAD + f];
        }
        assert(row == rows);
        to += rows * (1 + (size_t)t->width);
    }
}

static void clear(gm_line_reader *r)
{
    if (r->full) forget_keys(r);
    r->round++;
    r->before = NOBODY;
    r->used = r->name_count = r->table_count = r->lines = r->ends = 0;
}

size_t gm_line_reader_read(gm_line_reader *r, gm_str text, gm_dur_ns unit)
{
    clear(r);
    const char *p = text.ptr, *end = p + text.len;
    while (p < end && r->used < UINT32_MAX / 2) {
        if (*p == '\n') {
            p++;
        } else {
            const char *next = take_line(r, p, end, unit);
            if (next == NULL) break;
            p = next;
            r->lines++;
        }
        r->ends++;
    }
    if (!gm_alloc_reserve(r->alloc, &r->columns, &r->column_capacity, r->used, sizeof *r->columns)) {
        clear(r);
        return 0;
    }
    lay_out(r);
    return (size_t)(p - text.ptr);
}

size_t         gm_line_reader_count(const gm_line_reader *r) { return r->table_count; }
gm_line_table *gm_line_reader_table(gm_line_reader *r, size_t i) { return &r->tables[i]; }
size_t         gm_line_reader_lines(const gm_line_reader *r) { return r->lines; }
size_t         gm_line_reader_ends(const gm_line_reader *r) { return r->ends; }
