#include "thread/facts.h"

static const char WHERE[] = "thread.facts";
enum { VERSION = 1 };

void gm_facts_begin(gm_buf *out)
{
    gm_buf_clear(out);
    gm_buf_byte(out, VERSION);
}

void gm_facts_add(gm_buf *out, const gm_fact *fact)
{
    gm_buf one = gm_buf_init(out->alloc);
    gm_fact_encode(fact, &one);
    if (one.failed) out->failed = true;
    gm_buf_text_of(out, fact->twin);
    gm_buf_text_of(out, fact->key);
    gm_buf_text_of(out, gm_buf_view(&one));
    gm_buf_finish(&one);
}

static gm_status take(gm_thread *thread, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    const uint8_t *from = (const uint8_t *)change->text.ptr;
    gm_bytes       in   = { .at = from, .end = from + change->text.len };
    gm_error       why  = { 0 };
    if (gm_bytes_byte(&in) != VERSION) in.bad = true;
    for (uint64_t i = 0; !in.bad && in.at < in.end; i++) {
        gm_fact f  = { .known = ingest };
        f.twin     = gm_bytes_text(&in);
        f.key      = gm_bytes_text(&in);
        gm_str one = gm_bytes_text(&in);
        if (in.bad || gm_fact_decode((const uint8_t *)one.ptr, one.len, &f, NULL) != GM_OK) {
            in.bad = true;
            break;
        }
        gm_status st = gm_thread_take(thread, &f, &why);
        if (st == GM_NOMEM) return gm_fail(err, st, WHERE, "%s", why.text);
        if (st != GM_OK) return gm_fail(err, GM_CONFLICT, WHERE, "fact %llu: %.180s", (unsigned long long)i + 1, why.text);
    }
    return in.bad ? gm_fail(err, GM_CORRUPT, WHERE, "a record of %zu bytes holds no facts", change->text.len) : GM_OK;
}

gm_status gm_facts_fold(gm_thread *thread, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    if (change->kind == GM_CHANGE_FACT) return take(thread, ingest, change, err);
    (void)gm_thread_forget(thread, change->id, change->name);
    return GM_OK;
}
