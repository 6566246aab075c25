// Query text: hostile bytes are prepared, and what is a query runs over a small plant to its last page.
// A second use: the bytes as a continuation token of a fixed query.
#include "log/change.h"
#include "query/query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"d\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"i\",\"schema\":\"long\"},"
    "{\"@type\":\"Property\",\"name\":\"s\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"l\",\"schema\":"
    "{\"@type\":\"Array\",\"elementSchema\":\"double\"}},{\"@type\":\"Relationship\",\"name\":\"r\"}]}]";

static void apply(gm_state *state, gm_change_kind kind, const uint8_t *bytes, size_t size, uint64_t sequence)
{
    gm_change change;
    if (gm_change_decode((uint8_t)kind, bytes, size, &change, NULL) != GM_OK) abort();
    if (gm_state_apply(state, sequence, (gm_time_ns)sequence, &change, NULL) != GM_OK) abort();
}

static void apply_texts(gm_state *state, gm_change_kind kind, uint32_t a, uint32_t b, gm_str id, gm_str name, gm_str text)
{
    uint8_t bytes[1024];
    gm_change_encode_texts(bytes, a, b, 0, id, name, text);
    apply(state, kind, bytes, gm_change_size_texts(id, name, text), 1);
}

static gm_state *make_state(void)
{
    gm_state *state = gm_state_create(gm_alloc_system(), gm_model_create(gm_alloc_system()));
    if (state == NULL) abort();
    apply_texts(state, GM_CHANGE_MODELS, 0, 0, GM_STR(""), GM_STR(""), gm_str_of(models));
    static const char *const ids[] = { "a", "b", "c" };
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t       bytes[512];
        gm_cell_write cells[] = { { 0, 1, { GM_KIND_DOUBLE, { .d = i * 2.5 } } },
                                  { 1, 1, { GM_KIND_INT, { .i = i } } },
                                  { 2, 1, { GM_KIND_STRING, { .s = GM_STR("text") } } },
                                  { 3, 1, { GM_KIND_JSON, { .s = GM_STR("[1,{\"a\":\"\\u00e4\"}]") } } } };
        gm_change_encode_twin_put(bytes, i, gm_str_of(ids[i]), GM_STR("dtmi:t:A;1"), cells, 4);
        apply(state, GM_CHANGE_TWIN_PUT, bytes, gm_change_size_twin_put(gm_str_of(ids[i]), GM_STR("dtmi:t:A;1"), cells, 4), i + 2);
    }
    for (uint32_t i = 0; i < 3; i++) {
        apply_texts(state, GM_CHANGE_RELATIONSHIP_PUT, i, (i + 1) % 3, GM_STR("r"), GM_STR("r"), GM_STR("{\"x\":1}"));
    }
    return state;
}

static void run_all(const gm_state *state, gm_str text)
{
    gm_query *query;
    gm_error  err;
    if (gm_query_prepare(gm_alloc_system(), text, &query, &err) != GM_OK) return;
    char token[GM_QUERY_TOKEN_MAX] = "";
    bool matches;
    for (int pages = 0; pages < 50; pages++) {
        gm_buf        items = gm_buf_init(gm_alloc_system());
        gm_query_page page  = { .items_max = 3, .token = gm_str_of(token), .work_max = 2 };
        gm_status     st    = gm_query_run(query, state, &page, &items, &err);
        gm_buf_finish(&items);
        memcpy(token, page.next, sizeof token);
        if (st != GM_OK || token[0] == '\0') break;
    }
    (void)!gm_query_matches(query, state, (gm_twin){ 0 }, &matches, &err);
    gm_query_destroy(query);
}

static void run_token(const gm_state *state, gm_str token)
{
    gm_query *query;
    gm_error  err;
    if (gm_query_prepare(gm_alloc_system(), GM_STR("SELECT * FROM DIGITALTWINS"), &query, &err) != GM_OK) abort();
    gm_buf        items = gm_buf_init(gm_alloc_system());
    gm_query_page page  = { .items_max = 3, .token = token };
    (void)!gm_query_run(query, state, &page, &items, &err);
    gm_buf_finish(&items);
    gm_query_destroy(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gm_state *state;
    if (state == NULL) state = make_state();
    gm_str text = { (const char *)data, size };
    run_all(state, text);
    run_token(state, text);
    return 0;
}
