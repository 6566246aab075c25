// Times of cells in few bytes against a plain array; labels against the texts themselves; a source with many relationships.
#include "state/graph.h"
#include "state/times.h"
#include "support/support.h"

#include <stdio.h>

// ---- times ----------------------------------------------------------------------------------------------------------

enum { ROWS = 2500 };

typedef struct plain { gm_time_ns source[ROWS], ingest[ROWS]; } plain;

static void put(gm_times *times, plain *p, uint32_t row, gm_time_ns value)
{
    assert_int_equal(gm_times_room(times, gm_alloc_system(), p->source, ROWS, row, value), GM_OK);
    gm_times_set(times, row, value);
    p->source[row] = 1;
    p->ingest[row] = value;
}

static void check(const gm_times *times, const plain *p)
{
    for (uint32_t r = 0; r < ROWS; r++) {
        if (p->source[r] != GM_ABSENT) assert_true(gm_times_get(times, r) == p->ingest[r]);
    }
}

static void times_are_given_back_to_the_nanosecond_whatever_their_distance(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_times   times  = { 0 };
    plain      p;
    gm_time_ns now = INT64_C(1700000000) * GM_SECOND;
    assert_int_equal(gm_times_reserve(&times, gm_alloc_system(), ROWS), GM_OK);
    for (uint32_t r = 0; r < ROWS; r++) p.source[r] = GM_ABSENT;
    for (int i = 0; i < 60000; i++) {
        uint64_t pick = gm_test_random(&random) % 100;
        // Mostly a clock that goes on; sometimes a jump, far and back, and to both ends of what there is.
        now += (gm_time_ns)(gm_test_random(&random) % (uint64_t)(pick < 90 ? 1000 : pick < 98 ? GM_SECOND : GM_HOUR));
        gm_time_ns value = now;
        if (i > 30000 && gm_test_random(&random) % 5000 == 0) value = (gm_time_ns)(gm_test_random(&random) >> 1);
        if (i > 50000 && gm_test_random(&random) % 2000 == 0) value = gm_test_random(&random) % 2 ? INT64_MAX : INT64_MIN + 1;
        put(&times, &p, (uint32_t)(gm_test_random(&random) % ROWS), value);
        if (gm_test_random(&random) % 10 == 0) p.source[gm_test_random(&random) % ROWS] = GM_ABSENT;
        if (i % 2000 == 0) check(&times, &p);
    }
    check(&times, &p);
    static gm_time_ns read[ROWS];
    gm_times_read(&times, 0, ROWS, read);
    for (uint32_t r = 0; r < ROWS; r++) {
        if (p.source[r] != GM_ABSENT) assert_true(read[r] == p.ingest[r]);
    }
    gm_times_finish(&times, gm_alloc_system());
}

static void one_commit_takes_no_bytes_a_row_and_a_reporting_fleet_six(void **state)
{
    (void)state;
    gm_times   times = { 0 };
    plain      p;
    gm_time_ns begin = INT64_C(1700000000) * GM_SECOND;
    assert_int_equal(gm_times_reserve(&times, gm_alloc_system(), ROWS), GM_OK);
    for (uint32_t r = 0; r < ROWS; r++) p.source[r] = GM_ABSENT;
    uint64_t empty = times.bytes;
    for (uint32_t r = 0; r < ROWS; r++) put(&times, &p, r, begin);
    assert_int_equal(times.bytes, empty);
    for (uint32_t n = 0; n < 20 * ROWS; n++) put(&times, &p, n % ROWS, begin + n * 20 * GM_MILLISECOND);
    assert_in_range(times.bytes - empty, 1, (ROWS / GM_TIMES_ROWS + 1) * (6 * GM_TIMES_ROWS + 8));
    check(&times, &p);
    gm_times_finish(&times, gm_alloc_system());
}

static void refused_memory_leaves_all_times_as_they_were(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_times   times = { 0 };
        gm_time_ns source[3] = { 1, 1, 1 }, values[3] = { 10, 1000000, 5 }, more = INT64_C(1) << 50;
        gm_status  st = gm_times_reserve(&times, &fault.alloc, 3);
        if (st == GM_OK) st = gm_times_fill(&times, &fault.alloc, source, 0, 3, values);
        bool filled = st == GM_OK;
        if (st == GM_OK) st = gm_times_room(&times, &fault.alloc, source, 3, 1, more);
        for (uint32_t r = 0; filled && r < 3; r++) assert_true(gm_times_get(&times, r) == values[r]);
        gm_times_finish(&times, &fault.alloc);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

// ---- labels ---------------------------------------------------------------------------------------------------------

enum { TEXTS = 400, LONGEST = 700 };

static gm_str text_of(uint64_t n, char out[LONGEST + 1])
{
    size_t len = n % 7 == 0 ? n * 3 % LONGEST : n % 30;
    for (size_t i = 0; i < len; i++) out[i] = (char)('a' + (n * 31 + i * (n % 5 + 1)) % 26);
    return (gm_str){ out, len };
}

static void labels_are_the_texts_that_were_added(void **state)
{
    (void)state;
    uint64_t       random = gm_test_seed();
    gm_fault_alloc fault;
    gm_fault_alloc_init(&fault, UINT64_MAX);
    gm_labels      labels = { .alloc = &fault.alloc };
    static struct { gm_label label; uint64_t n; } held[3000];
    memset(held, 0, sizeof held);
    char text[LONGEST + 1];
    for (int i = 0; i < 100000; i++) {
        size_t at = gm_test_random(&random) % 3000;
        if (held[at].label != 0) {
            assert_true(gm_str_eq(gm_labels_view(&labels, held[at].label), text_of(held[at].n, text)));
            gm_labels_drop(&labels, held[at].label);
            held[at].label = 0;
        } else {
            held[at].n     = gm_test_random(&random) % TEXTS;
            held[at].label = gm_labels_add(&labels, text_of(held[at].n, text));
            assert_true(held[at].label != 0);
        }
    }
    for (size_t at = 0; at < 3000; at++) {
        if (held[at].label == 0) continue;
        assert_true(gm_str_eq(gm_labels_view(&labels, held[at].label), text_of(held[at].n, text)));
        gm_labels_drop(&labels, held[at].label);
    }
    gm_labels_finish(&labels);
    assert_int_equal(fault.live_blocks, 0);
}

static void equal_labels_are_shared_and_end_with_the_last_of_them(void **state)
{
    (void)state;
    enum { MANY = 200000 };  // more than one record can count
    gm_labels labels = { .alloc = gm_alloc_system() };
    gm_label *all    = gm_alloc_array(gm_alloc_system(), MANY, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < MANY; i++) all[i] = gm_labels_add(&labels, GM_STR("feeds"));
    assert_int_equal(labels.chunk_count, 1);
    assert_true(all[0] == all[1] && all[0] != all[MANY - 1]);
    for (size_t i = 0; i < MANY; i++) gm_labels_drop(&labels, all[i]);
    gm_label other = gm_labels_add(&labels, GM_STR("other"));  // in the place of one that ended
    assert_true(gm_str_is(gm_labels_view(&labels, other), "other"));
    assert_true(gm_labels_view(&labels, 0).len == 0);
    gm_labels_drop(&labels, other);
    gm_labels_finish(&labels);
    gm_free(gm_alloc_system(), all);
}

// ---- few and many ---------------------------------------------------------------------------------------------------

static void one_of_many_relationships_is_found_as_one_of_few_is(void **state)
{
    (void)state;
    enum { SOURCES = 3, EDGES = 40 };
    uint64_t     random = gm_test_seed();
    gm_text_pool texts  = { .alloc = gm_alloc_system() };
    gm_graph     graph;
    gm_ends      out[SOURCES + 1], in[SOURCES + 1], *ends[2] = { out, in };
    bool         there[SOURCES][EDGES] = { { false } };
    for (int i = 0; i <= SOURCES; i++) out[i] = in[i] = (gm_ends){ GM_NONE, GM_NONE };
    gm_graph_init(&graph, gm_alloc_system(), &texts);
    for (int i = 0; i < 20000; i++) {
        uint32_t source = (uint32_t)(gm_test_random(&random) % SOURCES), e = (uint32_t)(gm_test_random(&random) % EDGES);
        char     id[16];
        gm_str   name = { id, (size_t)snprintf(id, sizeof id, "e%u", e) };
        // Grows over and shrinks below the border again and again.
        bool     wanted = (i / 500) % 2 == 0 ? gm_test_random(&random) % 4 != 0 : gm_test_random(&random) % 4 == 0;
        uint32_t edge   = gm_graph_find(&graph, out, source, name);
        assert_true((edge != GM_NONE) == there[source][e]);
        if (wanted) assert_int_equal(gm_graph_put(&graph, ends, source, SOURCES, name, GM_STR("r"), GM_STR(""), (uint64_t)i, i), GM_OK);
        else if (edge != GM_NONE) gm_graph_remove(&graph, ends, edge);
        there[source][e] = wanted;
        size_t many = 0;
        for (int s = 0; s < SOURCES; s++) {
            size_t n = 0;
            for (int k = 0; k < EDGES; k++) n += there[s][k];
            many += n > GM_GRAPH_FEW ? n : 0;
        }
        assert_int_equal(graph.by_id.count, many);  // these are in the index, and only these
    }
    gm_graph_finish(&graph);
    gm_text_pool_finish(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_given_back_to_the_nanosecond_whatever_their_distance),
        cmocka_unit_test(one_commit_takes_no_bytes_a_row_and_a_reporting_fleet_six),
        cmocka_unit_test(refused_memory_leaves_all_times_as_they_were),
        cmocka_unit_test(labels_are_the_texts_that_were_added),
        cmocka_unit_test(equal_labels_are_shared_and_end_with_the_last_of_them),
        cmocka_unit_test(one_of_many_relationships_is_found_as_one_of_few_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
