// Hostile bytes as facts: of a record, of a checkpoint, as JSON of a client, as a document. What is taken can be read, and saves to bytes
// that load again.
#include "thread/bom.h"
#include "thread/facts.h"
#include "thread/media.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool each(void *context, const gm_fact *fact)
{
    gm_buf *out = context;
    gm_bom_line row;
    gm_fact_write(fact, out);
    if (gm_str_starts(fact->key, GM_STR(GM_KEY_BOM))) (void)!gm_bom_line_read(fact, &row, NULL);
    return out->len < 1 << 20;
}

static bool each_row(void *context, const gm_bom_row *row)
{
    (void)row;
    return ++*(int *)context < 1000;
}

static void read_all(gm_thread *t, gm_buf *out)
{
    gm_str         id;
    gm_bom_options o = { .valid = 5, .known = INT64_MAX, .phase = GM_PHASE_COUNT };
    for (uint32_t at = 0; gm_thread_next_twin(t, &at, &id);) {
        int rows = 0;
        gm_thread_history(t, id, (gm_str){ 0 }, INT64_MAX, each, out);
        gm_thread_show(t, id, GM_PHASE_COUNT, 5, INT64_MAX, each, out);
        (void)!gm_bom_show(t, id, &o, each_row, &rows, NULL);
    }
    gm_buf bytes = gm_buf_init(gm_alloc_system());
    gm_thread_stats before = gm_thread_statistics(t);
    gm_thread_save(t, &bytes);
    gm_error err = { 0 };
    if (bytes.failed || gm_thread_load(t, bytes.ptr, bytes.len, &err) != GM_OK || gm_thread_statistics(t).facts != before.facts) abort();
    gm_buf_finish(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_thread *t;
    gm_buf     out = gm_buf_init(gm_alloc_system()), texts = gm_buf_init(gm_alloc_system());
    gm_fact    fact;
    if (size > 20000 || gm_thread_create(gm_alloc_system(), &t, NULL) != GM_OK) return 0;
    gm_change change = { .kind = GM_CHANGE_FACT, .text = { (const char *)data, size } };
    (void)!gm_facts_fold(t, 100, &change, NULL);
    read_all(t, &out);
    if (gm_thread_load(t, data, size, NULL) == GM_OK) read_all(t, &out);
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    if (json != NULL && gm_fact_read(json, 100, &texts, &fact, NULL) == GM_OK && gm_fact_check(&fact, NULL) == GM_OK) {
        gm_buf_clear(&out);
        gm_fact_encode(&fact, &out);
        gm_fact back = { .twin = fact.twin, .key = fact.key };
        if (out.failed || gm_fact_decode(out.ptr, out.len, &back, NULL) != GM_OK) abort();  // what a client may say can be kept
    }
    json_decref(json);
    (void)!gm_media_check(GM_STR("application/json"), data, size, NULL);
    (void)!gm_media_check(GM_STR("text/plain"), data, size, NULL);
    gm_thread_destroy(t);
    gm_buf_finish(&out);
    gm_buf_finish(&texts);
    return 0;
}
