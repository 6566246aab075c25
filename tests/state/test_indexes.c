// Indexes: blocks of sorted keys against a plain array, keys that rise with values, and an index that follows its cells.
#include "base/rng.h"
#include "state/indexes.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

typedef struct dice { uint64_t draw; } dice;
static uint64_t roll(dice *d, uint64_t n) { return gm_rng_bits(gm_test_seed(), 0, 0, d->draw++) % n; }

static void sorted_rows_are_those_of_a_plain_array(void **state)
{
    (void)state;
    enum { ROWS = 4000, STEPS = 30000 };
    static uint64_t keys[ROWS];
    static bool     there[ROWS];
    gm_sorted      *sorted = gm_sorted_create(gm_alloc_system());
    dice            d      = { 0 };
    memset(there, 0, sizeof there);
    for (int i = 0; i < STEPS; i++) {
        uint32_t row = (uint32_t)roll(&d, ROWS);
        if (there[row]) gm_sorted_remove(sorted, keys[row], row);
        else assert_int_equal(gm_sorted_add(sorted, keys[row] = roll(&d, 500), row), GM_OK);
        there[row] = !there[row];
        if (i % 500 != 0) continue;
        uint64_t low = roll(&d, 500), high = low + roll(&d, 100);
        size_t   wanted = 0, total = 0;
        for (uint32_t r = 0; r < ROWS; r++) {
            total += there[r];
            wanted += there[r] && keys[r] >= low && keys[r] <= high;
        }
        static uint32_t rows[ROWS];
        assert_int_equal(gm_sorted_count(sorted), total);
        assert_int_equal(gm_sorted_count_range(sorted, low, high), wanted);
        assert_int_equal(gm_sorted_count_range(sorted, 0, UINT64_MAX), total);
        assert_int_equal(gm_sorted_rows(sorted, low, high, rows, ROWS), wanted);
        for (size_t n = 0; n < wanted; n++) {
            assert_true(there[rows[n]] && keys[rows[n]] >= low && keys[rows[n]] <= high);
            if (n > 0) assert_true(keys[rows[n - 1]] <= keys[rows[n]]);
        }
    }
    gm_sorted_destroy(sorted);
}

static void keys_rise_with_values(void **state)
{
    (void)state;
    static const double  doubles[] = { -INFINITY, -1e300, -2, -1e-300, 0, 1e-300, 1, 1.5, 1e300, INFINITY };
    static const int64_t ints[]    = { INT64_MIN, -5, -1, 0, 1, 5, INT64_MAX };
    static const char   *texts[]   = { "", "a", "aa", "ab", "b", "\xc3\xa4" };
    for (size_t i = 1; i < sizeof doubles / sizeof doubles[0]; i++) assert_true(gm_index_key_of_double(doubles[i - 1]) < gm_index_key_of_double(doubles[i]));
    for (size_t i = 1; i < sizeof ints / sizeof ints[0]; i++) assert_true(gm_index_key_of_int(ints[i - 1]) < gm_index_key_of_int(ints[i]));
    for (size_t i = 1; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(gm_index_key_of_text(gm_str_of(texts[i - 1]), GM_INDEX_ORDERED) < gm_index_key_of_text(gm_str_of(texts[i]), GM_INDEX_ORDERED));
    }
    assert_true(gm_index_key_of_double(-0.0) == gm_index_key_of_double(0.0));
}

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"integer\"},{\"@type\":\"Property\",\"name\":\"s\",\"schema\":\"string\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:B;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"double\"}]}]";

static size_t entries_of(gm_small_plant *plant, const char *path)
{
    for (size_t i = 0; i < gm_state_index_count(plant->state); i++) {
        gm_index_info info = gm_state_index_at(plant->state, i);
        if (gm_str_is(info.path, path)) return info.entries;
    }
    return SIZE_MAX;
}

static void an_index_follows_its_cells(void **state)
{
    (void)state;
    gm_small_plant plant;
    gm_error       err = { 0 };
    gm_small_plant_open(&plant, gm_alloc_system(), models);
    gm_small_plant_twin(&plant, "a", "{\"$metadata\":{\"$model\":\"dtmi:t:A;1\"},\"n\":1,\"s\":\"x\"}");
    assert_gm_ok(gm_state_index_add(plant.state, GM_STR("n"), GM_INDEX_ORDERED, &err), err);
    assert_gm_ok(gm_state_index_add(plant.state, GM_STR("s"), GM_INDEX_HASHED, &err), err);
    assert_int_equal(entries_of(&plant, "n"), 1);
    gm_small_plant_twin(&plant, "b", "{\"$metadata\":{\"$model\":\"dtmi:t:B;1\"},\"n\":2.5}");
    gm_small_plant_twin(&plant, "c", "{\"$metadata\":{\"$model\":\"dtmi:t:A;1\"},\"s\":\"y\"}");
    assert_int_equal(entries_of(&plant, "n"), 2);
    assert_int_equal(entries_of(&plant, "s"), 2);
    gm_small_plant_twin(&plant, "a", "{\"$metadata\":{\"$model\":\"dtmi:t:A;1\"},\"s\":\"z\"}");  // n is gone
    assert_int_equal(entries_of(&plant, "n"), 1);
    assert_int_equal(entries_of(&plant, "s"), 2);
    gm_small_plant_twin(&plant, "a", "{\"$metadata\":{\"$model\":\"dtmi:t:B;1\"},\"n\":7}");      // another table
    assert_int_equal(entries_of(&plant, "n"), 2);
    assert_int_equal(entries_of(&plant, "s"), 1);
    gm_small_plant_delete(&plant, "c");
    assert_int_equal(entries_of(&plant, "s"), 0);
    assert_true(gm_state_index_drop(plant.state, GM_STR("n")));
    assert_false(gm_state_index_drop(plant.state, GM_STR("n")));
    assert_int_equal(gm_state_index_count(plant.state), 1);
    gm_small_plant_close(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_rows_are_those_of_a_plain_array),
        cmocka_unit_test(keys_rise_with_values),
        cmocka_unit_test(an_index_follows_its_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
