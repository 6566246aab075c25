#include "control/texts.h"
#include "support/support.h"

static void kept_texts_outlive_those_they_replace(void **state)
{
    (void)state;
    const gm_alloc *alloc   = gm_alloc_system();
    char            first[] = "pump1", *memory = NULL;
    gm_str          kept[3] = { { first, 5 }, GM_STR(""), GM_STR("it would run dry") };
    assert_true(gm_texts_keep(alloc, (const gm_str[]){ kept[0], kept[1], kept[2] }, 3, &memory, kept));
    memset(first, 'x', 5);
    assert_true(gm_str_is(kept[0], "pump1"));
    assert_int_equal(kept[1].len, 0);

    // One of them changes; the others are copied from the memory that goes.
    const gm_str again[3] = { kept[0], GM_STR("tower"), kept[2] };
    assert_true(gm_texts_keep(alloc, again, 3, &memory, kept));
    assert_true(gm_str_is(kept[0], "pump1"));
    assert_true(gm_str_is(kept[1], "tower"));
    assert_true(gm_str_is(kept[2], "it would run dry"));
    gm_free(alloc, memory);
}

static void a_refused_allocation_leaves_what_was_kept(void **state)
{
    (void)state;
    gm_fault_alloc fault;
    gm_fault_alloc_init(&fault, 1);
    char  *memory = NULL;
    gm_str kept   = GM_STR("");
    assert_true(gm_texts_keep(&fault.alloc, &(const gm_str){ "before", 6 }, 1, &memory, &kept));
    assert_false(gm_texts_keep(&fault.alloc, &(const gm_str){ "after", 5 }, 1, &memory, &kept));
    assert_true(gm_str_is(kept, "before"));
    gm_free(&fault.alloc, memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_texts_outlive_those_they_replace),
        cmocka_unit_test(a_refused_allocation_leaves_what_was_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
