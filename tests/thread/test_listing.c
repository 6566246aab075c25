// Pages of a twin's facts against a plain sort of everything that was said.
#include "support/support.h"
#include "thread/listing.h"

#include <stdio.h>
#include <stdlib.h>

enum { SAID = 700, KEYS = 60, TIMES = 40, LIMIT_MOST = 50 };
typedef struct said { char key[12]; gm_phase phase; gm_time_ns from, to, known; double value; bool taken_back; int order; } said;

typedef struct asked { gm_time_ns valid, known; uint32_t phases; const char *key, *find; bool history, odd; } asked;

static void fill(gm_thread *t, said *all, uint64_t *random)
{
    gm_error err = { 0 };
    for (int i = 0; i < SAID; i++) {
        uint64_t r = gm_test_random(random);
        said    *s = &all[i];
        *s = (said){ .phase = (gm_phase)(r % GM_PHASE_COUNT), .from = (gm_time_ns)(r / 8 % TIMES), .known = 10 + i / 3, .value = (double)(r / 512 % 100), .taken_back = r / 65536 % 8 == 0, .order = i };
        s->to = r / (1 << 20) % 2 == 0 ? INT64_MAX : s->from + 1 + (gm_time_ns)(r / (1 << 21) % TIMES);
        snprintf(s->key, sizeof s->key, "Key-%d", (int)(r / (1 << 27) % KEYS));
        gm_fact f = { .twin = GM_STR("t"), .key = gm_str_of(s->key), .phase = s->phase, .from = s->from, .to = s->to, .known = s->known, .author = i % 5 == 0 ? GM_STR("Anna") : GM_STR("bob"), .cause = GM_STR("why") };
        f.value   = s->taken_back ? (gm_fact_value){ 0 } : (gm_fact_value){ .kind = GM_FACT_NUMBER, .number = s->value, .unit = GM_STR("mm") };
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
        f.twin = GM_STR("other");
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
    }
}

static bool line_is(const said *a, const said *b) { return a->phase == b->phase && strcmp(a->key, b->key) == 0; }

static bool holds(const said *all, const said *s, gm_time_ns valid, gm_time_ns known)
{
    const said *last = NULL;
    for (int i = 0; i < SAID; i++)
        if (line_is(&all[i], s) && all[i].known <= known && all[i].from <= valid && valid < all[i].to) last = &all[i];
    return last == s && !s->taken_back;
}

static bool fits(const said *all, const said *s, const asked *a)
{
    char number[20];
    snprintf(number, sizeof number, "%g", s->value);
    bool anna = s->order % 5 == 0, is = a->find == NULL || strcmp(a->find, "why") == 0 || (strcmp(a->find, "anna") == 0 && anna) || (a->find[0] == '7' && ((!s->taken_back && strchr(number, '7') != NULL) || strchr(s->key, '7') != NULL));
    if (!is || s->known > a->known || (a->phases != 0 && (a->phases & (1U << s->phase)) == 0) || (a->key != NULL && strcmp(a->key, s->key) != 0)) return false;
    if (a->odd && !s->taken_back && s->value / 2 != (int)(s->value / 2)) return false;
    return a->history || holds(all, s, a->valid, a->known);
}

static int newest_first(const void *x, const void *y)
{
    const said *a = *(const said *const *)x, *b = *(const said *const *)y;
    if (a->from != b->from) return a->from > b->from ? -1 : 1;
    return a->order > b->order ? -1 : 1;
}

static bool even(const void *context, const gm_fact *fact) { return *(const bool *)context && fact->value.number / 2 == (int)(fact->value.number / 2); }

static void expect_pages(const gm_thread *t, const said *all, const asked *a, uint32_t limit, uint32_t step)
{
    const said *plain[SAID];
    size_t      count = 0, at = 0, ever = 0;
    for (int i = 0; i < SAID; i++) {
        if (fits(all, &all[i], a)) plain[count++] = &all[i];
        ever += all[i].known <= a->known && (!a->odd || all[i].taken_back || all[i].value / 2 == (int)(all[i].value / 2));
    }
    qsort(plain, count, sizeof plain[0], newest_first);
    bool     yes = true;
    uint32_t rows[LIMIT_MOST], after = GM_LISTING_FIRST;
    for (bool more = true; more;) {
        gm_thread_listing l = { .twin = GM_STR("t"), .key = a->key != NULL ? gm_str_of(a->key) : (gm_str){ 0 }, .find = a->find != NULL ? gm_str_of(a->find) : (gm_str){ 0 }, .phases = a->phases,
                                .valid = a->valid, .known = a->known, .history = a->history, .after = after, .limit = limit, .rows = rows, .shows = a->odd ? even : NULL, .context = &yes };
        gm_error err = { 0 };
        assert_gm_ok(gm_thread_list_begin(t, &l, &err), err);
        while (gm_thread_list_some(t, &l, step)) continue;
        gm_thread_list_end(t, &l);
        if (l.fits != count || l.said != ever) fail_msg("%llu of %llu fit, not %zu of %zu", (unsigned long long)l.fits, (unsigned long long)l.said, count, ever);
        for (uint32_t i = 0; i < l.count; i++, at++) {
            gm_fact f;
            bool    is;
            assert_true(at < count);
            assert_true(gm_thread_list_fact(t, &l, i, &f, &is));
            assert_true(f.from == plain[at]->from && f.known == plain[at]->known && gm_str_is(f.key, plain[at]->key) && f.phase == plain[at]->phase);
            assert_int_equal(is, holds(all, plain[at], a->valid, a->known));
        }
        more = l.more;
        if (more) assert_int_equal(l.count, limit);
        if (l.count > 0) after = l.rows[l.count - 1];
    }
    assert_int_equal(at, count);
}

static void pages_are_a_sorted_look_at_everything(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_error   err    = { 0 };
    gm_thread *t;
    static said all[SAID];
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    fill(t, all, &random);
    for (int round = 0; round < 60; round++) {
        uint64_t r = gm_test_random(&random);
        asked    a = { .valid = (gm_time_ns)(r % (TIMES + 10)), .known = r / 64 % 3 == 0 ? (gm_time_ns)(10 + r / 256 % (SAID / 3)) : INT64_MAX, .phases = r / (1 << 18) % 3 == 0 ? 5 : 0,
                       .key = r / (1 << 20) % 5 == 0 ? "Key-7" : NULL, .history = r / (1 << 23) % 2 == 0, .odd = r / (1 << 24) % 4 == 0 };
        static const char *const finds[] = { NULL, NULL, "why", "anna", "7" };
        a.find = finds[r / (1 << 27) % 5];
        expect_pages(t, all, &a, 1 + (uint32_t)(r / (1ULL << 30) % LIMIT_MOST), 1 + (uint32_t)(r / (1ULL << 40) % 200));
    }
    gm_thread_destroy(t);
}

static void what_was_deleted_meanwhile_is_left_out_and_ends_a_page(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_error   err    = { 0 };
    gm_thread *t;
    uint32_t   rows[20];
    static said all[SAID];
    gm_fact    f;
    bool       is;
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    fill(t, all, &random);
    gm_thread_listing l = { .twin = GM_STR("t"), .valid = 0, .known = INT64_MAX, .history = true, .after = GM_LISTING_FIRST, .limit = 20, .rows = rows };
    assert_gm_ok(gm_thread_list_begin(t, &l, &err), err);
    assert_true(gm_thread_list_some(t, &l, 100));
    assert_true(gm_thread_forget(t, GM_STR("t"), (gm_str){ 0 }) > 0);
    while (gm_thread_list_some(t, &l, 100)) continue;
    gm_thread_list_end(t, &l);
    assert_true(l.count > 0);
    for (uint32_t i = 0; i < l.count; i++) assert_false(gm_thread_list_fact(t, &l, i, &f, &is));
    l.after = rows[0];
    assert_int_equal(gm_thread_list_begin(t, &l, &err), GM_INVALID);
    l.after = UINT32_MAX - 7;  // made up
    assert_int_equal(gm_thread_list_begin(t, &l, &err), GM_INVALID);
    // Of a twin that nobody has spoken of there is nothing.
    l = (gm_thread_listing){ .twin = GM_STR("nobody"), .known = INT64_MAX, .after = GM_LISTING_FIRST, .limit = 20, .rows = rows };
    assert_gm_ok(gm_thread_list_begin(t, &l, &err), err);
    assert_false(gm_thread_list_some(t, &l, 1));
    assert_true(l.count == 0 && l.fits == 0 && l.said == 0 && !l.more);
    gm_thread_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pages_are_a_sorted_look_at_everything), cmocka_unit_test(what_was_deleted_meanwhile_is_left_out_and_ends_a_page) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
