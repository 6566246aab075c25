// The history in a checkpoint, and back: every series, its open run, and where its blocks lie. Format:
// docs/formats/checkpoint.md.
#include "base/frames.h"
#include "base/le.h"
#include "history/decimal.h"
#include "history/sealing.h"

#include <assert.h>

enum { TEXT_MOST = 256 << 20, EXTREMES = 4 };  // EXTREMES: joins the place of a block when it says when they were

gm_files *gm_history_files(const gm_history *h) { return h->files; }

gm_status gm_history_flush(gm_history *h, gm_error *err) { return h->files != NULL ? gm_files_flush(h->files, err) : GM_OK; }

gm_status gm_history_sync(const gm_history *h, gm_error *err) { return h->files != NULL ? gm_files_sync(h->files, err) : GM_OK; }

// ---- saving ---------------------------------------------------------------------------------------------------------

static void save_run(gm_frames_out *out, gm_run *run)
{
    gm_frames_put_varint(out, run != NULL ? run->n : 0);
    if (run == NULL || run->n == 0) return;
    gm_frames_put_varint(out, (uint64_t)run->kind);
    gm_frames_put(out, gm_run_stamp(run), run->n * sizeof(uint64_t));
    gm_frames_put(out, gm_run_bits(run), run->n * sizeof(uint64_t));
    gm_frames_put_varint(out, run->text_len);
    gm_frames_put(out, run->text, run->text_len);
}

static void save_block(gm_frames_out *out, const gm_sealed *b)
{
    bool     extremes = b->where != GM_THAWED && b->values > 0 && !gm_kind_is_text((gm_kind)b->kind) && b->min_at != GM_EXTREME_UNKNOWN;
    uint64_t place    = (uint64_t)b->where | (extremes ? EXTREMES : 0);
    gm_frames_put_varint(out, place << 4 | b->kind);
    gm_frames_put_svarint(out, b->first_at);
    gm_frames_put_varint(out, (uint64_t)(b->last_at - b->first_at));
    gm_frames_put_varint(out, b->n);
    if (b->where == GM_THAWED) return;
    gm_frames_put_varint(out, b->size);
    gm_frames_put_varint(out, b->values);
    gm_frames_put_svarint(out, b->last_value_at);
    gm_frames_put(out, (double[]){ b->min, b->max, b->sum, b->last }, 4 * sizeof(double));
    if (extremes) {
        gm_frames_put_varint(out, (uint64_t)(b->min_at - b->first_at));
        gm_frames_put_varint(out, (uint64_t)(b->max_at - b->first_at));
    }
    if (b->where == GM_IN_FILE) {
        gm_frames_put_varint(out, b->place.file);
        gm_frames_put_varint(out, b->place.offset);
    } else {
        gm_frames_put(out, b->bytes, b->size);
    }
}

// One that others are sealing: this copy of the process has no others.
static void save_sealing(const gm_history *h, gm_frames_out *out, const gm_sealed *b)
{
    gm_samples samples = gm_run_samples(b->sealing->run, 0, b->sealing->n);
    gm_buf     bytes   = gm_buf_init(h->alloc);
    gm_sealed  sealed;
    gm_error   why;
    gm_block_encode(h->codec, &samples, &bytes);
    if (bytes.failed) {
        gm_frames_fail(out, GM_NOMEM, "no memory for a block");
    } else if (gm_history_describe(&samples, &bytes, &sealed, &why) != GM_OK) {
        gm_frames_fail(out, why.status, why.text);
    } else {
        sealed.where = GM_IN_MEMORY;
        sealed.bytes = bytes.ptr;
        save_block(out, &sealed);
    }
    gm_buf_finish(&bytes);
}

static void save_series(const gm_history *h, gm_frames_out *out, const gm_series *s)
{
    gm_frames_put_varint(out, (uint64_t)s->twin + 1);
    gm_frames_put_varint(out, s->column);
    if (!s->is_large) {
        gm_frames_put_varint(out, (uint64_t)s->small_kind << 2 | s->small_n);
        gm_frames_put(out, s->small.stamp, s->small_n * sizeof(uint64_t));
        gm_frames_put(out, s->small.bits, s->small_n * sizeof(uint64_t));
        return;
    }
    const gm_blocks *b = s->large.blocks;
    gm_frames_put_varint(out, GM_SERIES_SMALL + 1);
    save_run(out, s->large.open);
    gm_frames_put_varint(out, b != NULL ? b->count : 0);
    for (size_t i = 0; b != NULL && i < b->count; i++) {
        if (b->items[i].where == GM_SEALING) save_sealing(h, out, &b->items[i]);
        else save_block(out, &b->items[i]);
        if (b->items[i].where == GM_THAWED) save_run(out, b->thawed);
    }
}

// Files that are to be emptied; a file that goes without saying (nobody refers to it) needs no mention.
static void save_condemned(const gm_history *h, gm_frames_out *out)
{
    size_t    count   = h->files != NULL ? gm_files_count(h->files) : 0, condemned = 0;
    uint32_t *numbers = count > 0 ? gm_alloc_array(h->alloc, count, sizeof *numbers) : NULL;
    if (count > 0 && numbers == NULL) gm_frames_fail(out, GM_NOMEM, "no memory for the list of files");
    size_t used = numbers != NULL ? gm_files_used(h->files, numbers) : 0;
    for (size_t i = 0; i < used; i++) {
        if (gm_files_condemned(h->files, numbers[i])) numbers[condemned++] = numbers[i];
    }
    gm_frames_put_varint(out, condemned);
    for (size_t i = 0; i < condemned; i++) gm_frames_put_varint(out, numbers[i]);
    gm_free(h->alloc, numbers);
}

void gm_history_save(const gm_history *h, gm_frames_out *out)
{
    for (uint32_t id = 0; id < h->table.used; id++) {
        const gm_series *s = gm_series_at(&h->table, id);
        if (s->in_use) save_series(h, out, s);
    }
    gm_frames_put_varint(out, 0);
    save_condemned(h, out);
}

// ---- loading --------------------------------------------------------------------------------------------------------

typedef struct loading {
    gm_history   *h;
    gm_frames_in *in;
    bool          no_memory;
    gm_time_ns    after;  // in the series at hand: times that follow are later
} loading;

static bool going(const loading *l) { return !l->no_memory && gm_frames_status(l->in, NULL) == GM_OK; }

static void *need(loading *l, void *memory)
{
    if (memory == NULL) l->no_memory = true;
    return memory;
}

static bool kind_known(uint64_t kind) { return kind <= GM_KIND_JSON; }

static void check_stamps(loading *l, const uint64_t *stamp, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gm_time_ns at = gm_stamp_time(stamp[i]);
        if (at <= l->after || at < GM_TIME_MIN || at > GM_TIME_MAX) gm_frames_reject(l->in, "samples are not in order of time");
        l->after = at;
    }
}

// NULL: empty, or refused.
static gm_run *load_run(loading *l)
{
    uint64_t n = gm_frames_get_varint(l->in);
    if (n == 0 || !going(l)) return NULL;
    uint64_t kind = gm_frames_get_varint(l->in);
    if (n > GM_BLOCK_MOST || !kind_known(kind)) gm_frames_reject(l->in, "an open run that can not be");
    if (!going(l)) return NULL;
    // As large as it was: what comes next would make it so again, and leave a hole in memory.
    uint32_t capacity = GM_RUN_FIRST;
    while (capacity < n) capacity *= 2;
    if (capacity > GM_RUN_MOST) capacity = n > GM_RUN_MOST ? (uint32_t)n : GM_RUN_MOST;
    gm_run *run = need(l, gm_run_create(l->h->alloc, capacity));
    if (run == NULL) return NULL;
    run->kind = (gm_kind)kind;
    run->n    = (uint32_t)n;
    gm_frames_get(l->in, gm_run_stamp(run), n * sizeof(uint64_t));
    gm_frames_get(l->in, gm_run_bits(run), n * sizeof(uint64_t));
    check_stamps(l, gm_run_stamp(run), n);
    gm_str text = gm_frames_get_text(l->in, TEXT_MOST);
    if (text.len > 0) {
        run->text = need(l, gm_alloc_bytes(l->h->alloc, text.len));
        if (run->text != NULL) {
            memcpy(run->text, text.ptr, text.len);
            run->text_len = run->text_capacity = (uint32_t)text.len;
        }
    }
    for (size_t i = 0; gm_kind_is_text(run->kind) && i < n; i++) {
        uint64_t bits = gm_run_bits(run)[i];
        if ((bits >> 32) + (uint32_t)bits > run->text_len) gm_frames_reject(l->in, "a text outside of its run");
    }
    l->h->stats.open_bytes += gm_run_bytes(run);
    return run;
}

static void load_block(loading *l, gm_series *s, gm_sealed *b)
{
    gm_history *h    = l->h;
    uint64_t    head = gm_frames_get_varint(l->in);
    b->first_at      = gm_frames_get_svarint(l->in);
    uint64_t span    = gm_frames_get_varint(l->in);
    uint64_t n       = gm_frames_get_varint(l->in);
    bool     dated   = head >> 4 & EXTREMES;
    gm_where where   = (gm_where)(head >> 4 & 3);
    bool     good    = head >> 4 <= (EXTREMES | GM_IN_FILE) && (head >> 4 & 3) <= GM_IN_FILE && (!dated || where != GM_THAWED) && kind_known(head & 15) &&
                n > 0 && n <= GM_BLOCK_MOST && b->first_at > l->after && b->first_at >= GM_TIME_MIN && span <= (uint64_t)GM_TIME_MAX && b->first_at <= GM_TIME_MAX - (gm_time_ns)span;
    if (!good) gm_frames_reject(l->in, "a block that can not be");
    if (!going(l)) return;
    b->kind    = (uint8_t)(head & 15);
    b->n       = (uint16_t)n;
    b->last_at = b->first_at + (gm_time_ns)span;
    if (where == GM_THAWED) {
        if (s->large.blocks->thawed != NULL || h->thawed_count == GM_HISTORY_THAWED) {
            gm_frames_reject(l->in, "more open blocks than there can be");
            return;
        }
        s->large.blocks->thawed    = load_run(l);
        s->large.blocks->thawed_at = s->large.blocks->count;
        const gm_run *run = s->large.blocks->thawed;
        if (going(l) && (run == NULL || run->n != n || l->after != b->last_at)) gm_frames_reject(l->in, "an open block that differs");
    } else {
        b->size          = (uint32_t)gm_frames_get_varint(l->in);
        b->values        = (uint16_t)gm_frames_get_varint(l->in);
        b->last_value_at = gm_frames_get_svarint(l->in);
        double sums[4];
        gm_frames_get(l->in, sums, sizeof sums);
        b->min  = sums[0];
        b->max  = sums[1];
        b->sum  = sums[2];
        b->last = sums[3];
        b->min_at = b->max_at = GM_EXTREME_UNKNOWN;
        if (dated) {
            uint64_t min_at = gm_frames_get_varint(l->in), max_at = gm_frames_get_varint(l->in);
            if (min_at > span || max_at > span) gm_frames_reject(l->in, "a block whose extremes lie outside of it");
            b->min_at = b->first_at + (gm_time_ns)(min_at <= span ? min_at : 0);
            b->max_at = b->first_at + (gm_time_ns)(max_at <= span ? max_at : 0);
        }
        if (b->values > n || b->size > GM_BLOCK_TEXT_MOST) gm_frames_reject(l->in, "a block that can not be");
    }
    if (where == GM_IN_FILE && going(l)) {
        gm_place place = { (uint32_t)gm_frames_get_varint(l->in), 0 };
        place.offset   = (uint32_t)gm_frames_get_varint(l->in);
        if (going(l) && (h->files == NULL || !gm_files_claim(h->files, place, b->size))) {
            gm_frames_reject(l->in, "a block lies outside of the history files that are there");
        }
        b->place = place;
    } else if (where == GM_IN_MEMORY && going(l)) {
        b->bytes = need(l, gm_alloc_bytes(h->alloc, b->size));
        if (b->bytes != NULL) gm_frames_get(l->in, b->bytes, b->size);
    }
    if (!going(l)) {
        if (where == GM_IN_MEMORY) gm_free(h->alloc, b->bytes);
        gm_run_destroy(h->alloc, where == GM_THAWED ? s->large.blocks->thawed : NULL);
        if (where == GM_THAWED) s->large.blocks->thawed = NULL;
        return;
    }
    b->where = (uint8_t)where;
    l->after = b->last_at;
    h->stats.sealed_bytes += b->size;
    h->stats.blocks++;
    s->large.n += n;
    s->large.blocks->count++;
}

static void load_large(loading *l, gm_series *s, uint32_t id)
{
    gm_history *h = l->h;
    s->is_large   = 1;
    s->large.open   = NULL;
    s->large.blocks = NULL;
    s->large.n      = 0;
    s->large.open   = load_run(l);
    if (s->large.open != NULL && s->large.open->n > GM_HISTORY_BLOCK + GM_HISTORY_SLACK) gm_frames_reject(l->in, "an open run is too long");
    gm_time_ns open_first = s->large.open != NULL ? gm_stamp_time(gm_run_stamp(s->large.open)[0]) : INT64_MAX;
    s->large.n      = s->large.open != NULL ? s->large.open->n : 0;
    uint64_t count  = gm_frames_get_varint(l->in);
    if (count > gm_frames_size(l->in)) gm_frames_reject(l->in, "more blocks than bytes");
    if (count == 0 || !going(l)) return;
    gm_blocks *b = s->large.blocks = need(l, gm_alloc_zeroed(h->alloc, sizeof *b));
    if (b == NULL) return;
    h->stats.index_bytes += sizeof *b;
    b->items = need(l, gm_alloc_array(h->alloc, count, sizeof *b->items));
    if (b->items == NULL) return;
    b->capacity = count;
    h->stats.index_bytes += count * sizeof *b->items;
    l->after = INT64_MIN;
    for (uint64_t i = 0; i < count && going(l); i++) {
        b->items[i] = (gm_sealed){ 0 };
        load_block(l, s, &b->items[i]);
    }
    if (b->thawed != NULL) h->thawed[h->thawed_count++] = id;
    if (going(l) && l->after >= open_first) gm_frames_reject(l->in, "an open run overlaps its blocks");
}

static void load_series(loading *l, uint32_t twin)
{
    gm_history *h      = l->h;
    uint32_t    column = (uint32_t)gm_frames_get_varint(l->in);
    uint64_t    head   = gm_frames_get_varint(l->in);
    if (!going(l)) return;
    if (gm_series_find(&h->table, twin, column) != GM_INDEX_NONE) {
        gm_frames_reject(l->in, "a series comes twice");
        return;
    }
    uint32_t id = gm_series_add(&h->table, twin, column);
    if (id == GM_INDEX_NONE) {
        l->no_memory = true;
        return;
    }
    gm_series *s = gm_series_at(&h->table, id);
    l->after     = INT64_MIN;
    if (head == GM_SERIES_SMALL + 1) {
        load_large(l, s, id);
        h->stats.samples += s->large.n;
        return;
    }
    if ((head & 3) > GM_SERIES_SMALL || !kind_known(head >> 2) || gm_kind_is_text((gm_kind)(head >> 2))) {
        gm_frames_reject(l->in, "a series that can not be");
        return;
    }
    s->small_n    = head & 3;
    s->small_kind = (uint8_t)(head >> 2);
    h->stats.samples += s->small_n;
    gm_frames_get(l->in, s->small.stamp, s->small_n * sizeof(uint64_t));
    gm_frames_get(l->in, s->small.bits, s->small_n * sizeof(uint64_t));
    check_stamps(l, s->small.stamp, s->small_n);
}

gm_status gm_history_load(gm_history *h, gm_frames_in *in, gm_error *err)
{
    assert(h->stats.samples == 0);
    loading l = { .h = h, .in = in };
    for (;;) {
        uint64_t twin = gm_frames_get_varint(in);
        if (!going(&l) || twin == 0) break;
        if (twin > UINT32_MAX) gm_frames_reject(in, "a series of a twin that can not be");
        else load_series(&l, (uint32_t)(twin - 1));
    }
    for (uint64_t n = going(&l) && gm_frames_more(in) ? gm_frames_get_varint(in) : 0; n > 0 && going(&l); n--) {
        uint64_t number = gm_frames_get_varint(in);
        if (number > UINT32_MAX || h->files == NULL) gm_frames_reject(in, "a file to be emptied that can not be");
        else gm_files_condemn_again(h->files, (uint32_t)number);
    }
    if (l.no_memory) return gm_fail(err, GM_NOMEM, "history.save", "loading the history");
    return gm_frames_status(in, err);
}
