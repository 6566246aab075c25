// Facts in checkpoints: the names that are in use, then the facts in the order of being known (docs/formats/thread.md).
#include "thread/internal.h"

static const char WHERE[] = "thread";
enum { VERSION = 1 };

typedef struct naming { uint32_t *numbers; uint32_t count; const gm_thread *thread; gm_buf *names; } naming;

// The number under which a name is saved; the first use gives it one.
static uint32_t number_of(naming *n, gm_str text)
{
    uint32_t id = gm_index_find(&n->thread->name_index, text);
    if (n->numbers[id] == UINT32_MAX) {
        n->numbers[id] = n->count++;
        gm_buf_text_of(n->names, text);
    }
    return n->numbers[id];
}

static void put_saved(gm_fact_writer *w, gm_str text) { gm_buf_varint(w->out, number_of(w->context, text)); }

static void save_row(const gm_thread *t, uint32_t i, naming *n, gm_buf *out)
{
    gm_fact        f;
    gm_fact_writer w = { .out = out, .text = put_saved, .context = n };
    gm_thread_fact(t, i, &f);
    put_saved(&w, f.twin);
    put_saved(&w, f.key);
    put_saved(&w, f.author);
    put_saved(&w, f.cause);
    gm_buf_byte(out, (uint8_t)f.phase);
    gm_buf_svarint(out, f.from);
    gm_buf_svarint(out, f.to);
    gm_buf_svarint(out, f.known);
    gm_fact_put_value(&w, &f.value);
}

void gm_thread_save(const gm_thread *t, gm_buf *out)
{
    gm_buf names = gm_buf_init(t->alloc), rows = gm_buf_init(t->alloc);
    naming n     = { .numbers = gm_alloc_array(t->alloc, t->name_count, sizeof(uint32_t)), .thread = t, .names = &names };
    if (n.numbers == NULL) out->failed = true;
    else memset(n.numbers, 0xff, t->name_count * sizeof(uint32_t));
    for (uint32_t i = 0; n.numbers != NULL && i < t->row_count; i++) {
        if (t->rows[i].line != NO_LINE) save_row(t, i, &n, &rows);
    }
    if (names.failed || rows.failed) out->failed = true;
    gm_buf_varint(out, VERSION);
    gm_buf_varint(out, n.count);
    gm_buf_str(out, gm_buf_view(&names));
    gm_buf_varint(out, t->facts);
    gm_buf_str(out, gm_buf_view(&rows));
    gm_buf_finish(&names);
    gm_buf_finish(&rows);
    gm_free(t->alloc, n.numbers);
}

typedef struct saved { gm_str *names; uint64_t count; } saved;

static gm_str get_saved(gm_fact_reader *r)
{
    const saved *s  = r->context;
    uint64_t     id = gm_bytes_varint(&r->in);
    if (id >= s->count) r->in.bad = true;
    return id < s->count ? s->names[id] : (gm_str){ 0 };
}

static gm_status load_row(gm_thread *t, gm_fact_reader *r, gm_error *err)
{
    gm_fact f = { 0 };
    f.twin    = get_saved(r);
    f.key     = get_saved(r);
    f.author  = get_saved(r);
    f.cause   = get_saved(r);
    uint8_t phase = gm_bytes_byte(&r->in);
    f.phase   = (gm_phase)(phase < GM_PHASE_COUNT ? phase : 0);
    f.from    = gm_bytes_svarint(&r->in);
    f.to      = gm_bytes_svarint(&r->in);
    f.known   = gm_bytes_svarint(&r->in);
    bool good = gm_fact_get_value(r, &f.value) && phase < GM_PHASE_COUNT && gm_fact_check(&f, NULL) == GM_OK;
    if (good && t->row_count > 0) good = f.known >= t->rows[t->row_count - 1].known;
    return good ? gm_thread_add(t, &f, err) : gm_fail(err, GM_CORRUPT, WHERE, "fact %zu of a checkpoint does not read", t->row_count + 1);
}

gm_status gm_thread_load(gm_thread *t, const uint8_t *bytes, size_t size, gm_error *err)
{
    saved          s = { 0 };
    gm_fact_reader r = { .in = { .at = bytes, .end = bytes + size }, .text = get_saved, .context = &s };
    gm_thread_clear(t);
    if (size == 0) return GM_OK;
    bool good = gm_bytes_varint(&r.in) == VERSION;
    s.count   = gm_bytes_varint(&r.in);
    good      = good && s.count <= gm_bytes_left(&r.in);
    s.names   = good ? gm_alloc_array(t->alloc, s.count, sizeof *s.names) : NULL;
    if (good && s.names == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading facts");
    for (uint64_t i = 0; good && i < s.count; i++) s.names[i] = gm_bytes_text(&r.in);
    uint64_t  rows = good ? gm_bytes_varint(&r.in) : 0;
    gm_status st   = GM_OK;
    for (uint64_t i = 0; st == GM_OK && good && i < rows && !r.in.bad; i++) st = load_row(t, &r, err);
    if (st == GM_OK && (!good || r.in.bad || r.in.at != r.in.end)) st = gm_fail(err, GM_CORRUPT, WHERE, "the facts of a checkpoint do not read");
    gm_free(t->alloc, s.names);
    return st;
}
