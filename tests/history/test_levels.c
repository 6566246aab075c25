#include "history/levels.h"

#include "support/support.h"

enum { BLOCKS = 3 * GM_LEVEL_BLOCKS + 5 };

static void levels_add_up_whole_groups_and_fall_with_a_change(void **state)
{
    (void)state;
    const gm_alloc  *alloc = gm_alloc_system();
    static gm_sealed items[BLOCKS];
    gm_blocks        b     = { .items = items, .count = BLOCKS };
    uint64_t         bytes = 0;
    for (int i = 0; i < BLOCKS; i++) {
        items[i] = (gm_sealed){ .where = GM_IN_MEMORY, .kind = GM_KIND_DOUBLE, .first_at = 10 * i, .last_at = 10 * i + 9, .n = 5,
                                .values = i % 2 ? 4 : 0, .min = -i, .max = i, .sum = 1, .last = i, .min_at = 10 * i + 1,
                                .max_at = 10 * i + 2, .last_value_at = 10 * i + 8 };
    }
    gm_levels_make(alloc, &b, &bytes);
    assert_int_equal(b.level_count, 3);
    assert_true(bytes >= 3 * sizeof(gm_level));
    const gm_level *l = gm_levels_at(&b, GM_LEVEL_BLOCKS);
    assert_non_null(l);
    assert_int_equal(l->values, 4 * GM_LEVEL_BLOCKS / 2);
    assert_int_equal(l->n, 5 * GM_LEVEL_BLOCKS);
    assert_true(l->sum == GM_LEVEL_BLOCKS / 2.0 && l->min == -127 && l->max == 127 && l->last == 127);
    assert_int_equal(l->min_at, 1271);
    assert_int_equal(l->last_value_at, 1278);
    assert_int_equal(l->first_at, 640);
    assert_int_equal(l->last_at, 1279);
    assert_null(gm_levels_at(&b, GM_LEVEL_BLOCKS + 1));
    assert_null(gm_levels_at(&b, 3 * GM_LEVEL_BLOCKS));  // not a whole one

    gm_levels_fall(&b, 2 * GM_LEVEL_BLOCKS - 1);
    assert_int_equal(b.level_count, 1);
    items[100].where = GM_THAWED;                                                           // open: no sums
    items[130].kind  = GM_KIND_STRING, items[130].values = 1;                               // text
    gm_levels_make(alloc, &b, &bytes);
    assert_non_null(gm_levels_at(&b, 0));
    assert_null(gm_levels_at(&b, GM_LEVEL_BLOCKS));
    assert_null(gm_levels_at(&b, 2 * GM_LEVEL_BLOCKS));
    items[100].where = GM_IN_FILE, items[101].min_at = GM_EXTREME_UNKNOWN;
    gm_levels_fall(&b, 101);
    gm_levels_make(alloc, &b, &bytes);
    assert_null(gm_levels_at(&b, GM_LEVEL_BLOCKS));
    gm_levels_finish(alloc, &b, &bytes);
    assert_int_equal(bytes, 0);
}

static void without_memory_there_are_no_levels(void **state)
{
    (void)state;
    static gm_sealed items[BLOCKS];
    gm_blocks        b     = { .items = items, .count = BLOCKS };
    uint64_t         bytes = 0;
    gm_fault_alloc   fault;
    gm_fault_alloc_init(&fault, 0);
    gm_levels_make(&fault.alloc, &b, &bytes);
    assert_int_equal(b.level_count + bytes, 0);
    assert_null(gm_levels_at(&b, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_add_up_whole_groups_and_fall_with_a_change),
        cmocka_unit_test(without_memory_there_are_no_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
