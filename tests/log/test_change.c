#include "log/change.h"

#include "base/le.h"
#include "support/support.h"

#include <stdlib.h>

enum { CELLS = 40 };

static gm_value random_value(uint64_t *random, char *text)
{
    gm_value value = { .kind = (gm_kind)(gm_test_random(random) % GM_KIND_COUNT) };
    switch (value.kind) {
    case GM_KIND_NONE: break;
    case GM_KIND_BOOL: value.i = (int64_t)(gm_test_random(random) & 1); break;
    case GM_KIND_INT: value.i = (int64_t)gm_test_random(random); break;
    case GM_KIND_DOUBLE: value.d = (double)(int64_t)gm_test_random(random) / 1024; break;
    default:
        value.s = (gm_str){ text, gm_test_random(random) % 20 };
        for (size_t i = 0; i < value.s.len; i++) text[i] = (char)gm_test_random(random);
    }
    return value;
}

static void assert_same_value(gm_value a, gm_value b)
{
    assert_int_equal(a.kind, b.kind);
    switch (a.kind) {
    case GM_KIND_NONE: break;
    case GM_KIND_DOUBLE: assert_memory_equal(&a.d, &b.d, sizeof a.d); break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: assert_true(gm_str_eq(a.s, b.s)); break;
    default: assert_true(a.i == b.i);
    }
}

static void assert_same_cells(const gm_change *change, const gm_cell_write *cells, size_t n)
{
    assert_int_equal(change->cell_count, n);
    const uint8_t *at = change->cells;
    gm_cell_write  cell;
    for (size_t i = 0; i < n; i++) {
        assert_true(gm_change_next_cell(change, &at, &cell));
        assert_int_equal(cell.column, cells[i].column);
        assert_true(cell.at == cells[i].at);
        assert_same_value(cell.value, cells[i].value);
    }
    assert_false(gm_change_next_cell(change, &at, &cell));
}

static void what_was_encoded_is_decoded(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 2000; round++) {
        char          text[CELLS][20];
        gm_cell_write cells[CELLS];
        size_t        n    = gm_test_random(&random) % CELLS;
        gm_time_ns    base = (gm_time_ns)(gm_test_random(&random) % (uint64_t)GM_TIME_MAX);
        for (size_t i = 0; i < n; i++) {
            bool own = gm_test_random(&random) % 4 == 0;
            cells[i] = (gm_cell_write){ .column = (uint16_t)gm_test_random(&random), .at = own ? base / 2 + (gm_time_ns)i : base,
                                        .value = random_value(&random, text[i]) };
        }
        gm_error  err = { 0 };
        gm_change change;
        size_t    size  = gm_change_size_write(cells, n);
        uint8_t  *bytes = malloc(size);
        gm_change_encode_write(bytes, 7, 9, GM_WRITE_ALWAYS, cells, n);
        assert_gm_ok(gm_change_decode(GM_CHANGE_WRITE, bytes, size, &change, &err), err);
        assert_int_equal(change.twin, 7);
        assert_int_equal(change.type, 9);
        assert_int_equal(change.flags, GM_WRITE_ALWAYS);
        assert_same_cells(&change, cells, n);
        // Any shorter record is refused, never read past its end (the sanitizer watches).
        size_t   cut     = gm_test_random(&random) % size;
        uint8_t *shorter = malloc(cut > 0 ? cut : 1);
        memcpy(shorter, bytes, cut);
        assert_int_equal(gm_change_decode(GM_CHANGE_WRITE, shorter, cut, &change, NULL), GM_CORRUPT);
        free(shorter);
        free(bytes);

        size  = gm_change_size_twin_put(GM_STR("pump 7"), GM_STR("dtmi:a:B;1"), cells, n);
        bytes = malloc(size);
        gm_change_encode_twin_put(bytes, 3, GM_STR("pump 7"), GM_STR("dtmi:a:B;1"), cells, n);
        assert_gm_ok(gm_change_decode(GM_CHANGE_TWIN_PUT, bytes, size, &change, &err), err);
        assert_true(gm_str_is(change.id, "pump 7") && gm_str_is(change.name, "dtmi:a:B;1"));
        assert_same_cells(&change, cells, n);
        free(bytes);
    }
}

static void texts_are_decoded_and_foreign_bytes_refused(void **state)
{
    (void)state;
    uint8_t   bytes[128];
    gm_str    id = GM_STR("r1"), name = GM_STR("feeds"), text = GM_STR("{\"a\":1}");
    size_t    size = gm_change_size_texts(id, name, text);
    gm_change change;
    gm_change_encode_texts(bytes, 1, 2, 0, id, name, text);
    assert_int_equal(gm_change_decode(GM_CHANGE_RELATIONSHIP_PUT, bytes, size, &change, NULL), GM_OK);
    assert_int_equal(change.twin, 1);
    assert_int_equal(change.target, 2);
    assert_true(gm_str_eq(change.id, id) && gm_str_eq(change.name, name) && gm_str_eq(change.text, text));
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(gm_change_decode(GM_CHANGE_RELATIONSHIP_PUT, bytes, cut, &change, NULL), GM_CORRUPT);
    }
    assert_int_equal(gm_change_decode(GM_CHANGE_RELATIONSHIP_PUT, bytes, size + 1, &change, NULL), GM_CORRUPT);
    assert_int_equal(gm_change_decode(0, bytes, size, &change, NULL), GM_CORRUPT);
    assert_int_equal(gm_change_decode(200, bytes, size, &change, NULL), GM_CORRUPT);
}

static void rows_are_cells_of_a_table(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 500; round++) {
        enum { MOST = 6 };
        size_t        n = 1 + gm_test_random(&random) % MOST, rows = 1 + gm_test_random(&random) % MOST;
        gm_row_column columns[MOST];
        gm_cell_write cells[MOST * MOST];
        gm_row_table  table;
        gm_change     change;
        gm_error      err   = { 0 };
        size_t        size  = gm_change_size_rows(n, rows);
        uint8_t      *bytes = malloc(size);
        for (size_t c = 0; c < n; c++)
            columns[c] = (gm_row_column){ (uint16_t)gm_test_random(&random), gm_test_random(&random) & 1 ? GM_KIND_INT : GM_KIND_DOUBLE };
        gm_change_begin_rows(bytes, 7, 9, GM_WRITE_SERIES, columns, n, rows, &table);
        for (size_t r = 0; r < rows; r++) gm_put_i64(table.times + r * 8, (gm_time_ns)(gm_test_random(&random) >> 2));
        for (size_t i = 0; i < n * rows; i++) {
            const gm_row_column *c = &columns[i / rows];
            cells[i] = (gm_cell_write){ .column = c->column, .at = gm_get_i64(table.times + i % rows * 8), .value.kind = (gm_kind)c->kind };
            cells[i].value.i = (int64_t)gm_test_random(&random);
            if (c->kind == GM_KIND_DOUBLE) cells[i].value.d = (double)(int64_t)gm_test_random(&random);
            gm_put_i64(table.values + i * 8, cells[i].value.i);
        }
        assert_gm_ok(gm_change_decode(GM_CHANGE_WRITE, bytes, size, &change, &err), err);
        assert_int_equal(change.twin, 7);
        assert_int_equal(change.type, 9);
        assert_int_equal(change.flags, GM_WRITE_SERIES | GM_WRITE_ROWS);
        assert_same_cells(&change, cells, n * rows);
        // Neither shorter nor longer, and no kind of value that has no eight bytes.
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *shorter = malloc(cut > 0 ? cut : 1);
            memcpy(shorter, bytes, cut);
            assert_int_equal(gm_change_decode(GM_CHANGE_WRITE, shorter, cut, &change, NULL), GM_CORRUPT);
            free(shorter);
        }
        bytes[9 + 4 + 2] = GM_KIND_STRING;
        assert_int_equal(gm_change_decode(GM_CHANGE_WRITE, bytes, size, &change, NULL), GM_CORRUPT);
        bytes[9 + 4 + 2] = GM_KIND_INT;
        bytes[9]++;  // a column more than there is room for
        assert_int_equal(gm_change_decode(GM_CHANGE_WRITE, bytes, size, &change, NULL), GM_CORRUPT);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_is_decoded),
        cmocka_unit_test(texts_are_decoded_and_foreign_bytes_refused),
        cmocka_unit_test(rows_are_cells_of_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
