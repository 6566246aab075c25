#include "support/support.h"
#include "thread/thread.h"

#include <stdio.h>
#include <stdlib.h>

// ---- a plain model: everything that was said, in order ----------------------------------------------------------------

enum { TWINS = 6, KEYS = 3, SAID_MOST = 4000 };
typedef struct said { int twin, key; gm_phase phase; gm_time_ns from, to, known; double value; bool taken_back; } said;

static const char *const twins[TWINS] = { "a", "b", "c", "d", "e", "f" };
static const char *const keys[KEYS]   = { "bore", "mass", "length" };

static gm_fact fact_of(const said *s)
{
    gm_fact f = { .twin = gm_str_of(twins[s->twin]), .key = gm_str_of(keys[s->key]), .phase = s->phase, .from = s->from, .to = s->to,
                  .known = s->known, .author = GM_STR("test"), .cause = GM_STR("why") };
    f.value = s->taken_back ? (gm_fact_value){ 0 } : (gm_fact_value){ .kind = GM_FACT_NUMBER, .number = s->value, .unit = GM_STR("mm") };
    return f;
}

static said make(uint64_t *random, int i)
{
    uint64_t   r = gm_test_random(random);
    gm_time_ns a = (gm_time_ns)(gm_test_random(random) % 300), b = (gm_time_ns)(gm_test_random(random) % 300);
    said       s = { .twin = (int)(r % TWINS), .key = (int)(r / 8 % KEYS), .phase = (gm_phase)(r / 64 % 2), .from = a, .known = 10 * (i + 1), .value = i };
    if (s.twin > 3) s.twin = 0;  // one has a long line
    s.to         = r / 256 % 3 == 0 ? INT64_MAX : a + 1 + b;
    s.taken_back = r / 1024 % 10 == 0;
    return s;
}

static const said *plain(const said *all, int n, int twin, int key, gm_phase phase, gm_time_ns valid, gm_time_ns known)
{
    for (int i = n; i-- > 0;) {
        const said *s = &all[i];
        if (s->twin == twin && s->key == key && s->phase == phase && s->known <= known && s->from <= valid && valid < s->to) return s->taken_back ? NULL : s;
    }
    return NULL;
}

// Does it hold at every moment of its time, by looking at each?
static bool plain_knows(const said *all, int n, const said *one)
{
    gm_time_ns end = one->to < 700 ? one->to : 700;  // no time begins or ends behind that
    for (gm_time_ns at = one->from; at < end; at++) {
        const said *is = plain(all, n, one->twin, one->key, one->phase, at, INT64_MAX);
        if (one->taken_back ? is != NULL : is == NULL || is->value != one->value) return false;
    }
    return true;
}

static void compare(const gm_thread *t, const said *all, int n, uint64_t *random, int reads)
{
    for (int k = 0; k < reads; k++) {
        uint64_t    r     = gm_test_random(random);
        int         twin  = (int)(r % TWINS), key = (int)(r / 8 % KEYS);
        gm_phase    phase = (gm_phase)(r / 64 % 3);
        gm_time_ns  valid = (gm_time_ns)(gm_test_random(random) % 650), known = (gm_time_ns)(gm_test_random(random) % (uint64_t)(10 * n + 20));
        const said *is    = plain(all, n, twin, key, phase, valid, known);
        gm_fact     f;
        bool        found = gm_thread_read(t, gm_str_of(twins[twin]), phase, gm_str_of(keys[key]), valid, known, &f);
        const said *one   = &all[gm_test_random(random) % (uint64_t)n];  // of which most were said over since
        f                 = found ? f : (gm_fact){ 0 };
        gm_fact again     = fact_of(one);
        assert_int_equal(gm_thread_knows(t, &again), plain_knows(all, n, one));
        assert_int_equal(found, is != NULL);
        if (!found) continue;
        assert_true(f.value.number == is->value && f.from == is->from && f.to == is->to && f.known == is->known);
        assert_true(gm_str_is(f.value.unit, "mm") && gm_str_is(f.author, "test") && gm_str_is(f.cause, "why"));
    }
}

static void reads_agree_with_a_look_at_everything_before_and_after_a_checkpoint(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_error   err    = { 0 };
    gm_thread *t;
    said      *all = malloc(SAID_MOST * sizeof *all);
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    for (int i = 0; i < SAID_MOST; i++) {
        all[i]    = make(&random, i);
        gm_fact f = fact_of(&all[i]);
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
    }
    compare(t, all, SAID_MOST, &random, 10000);
    gm_buf bytes = gm_buf_init(gm_alloc_system());
    gm_thread_save(t, &bytes);
    assert_false(bytes.failed);
    assert_gm_ok(gm_thread_load(t, bytes.ptr, bytes.len, &err), err);
    compare(t, all, SAID_MOST, &random, 10000);
    assert_int_equal(gm_thread_statistics(t).facts, SAID_MOST);
    gm_buf_finish(&bytes);
    gm_thread_destroy(t);
    free(all);
}

// Whatever is said later: what was known by some time reads the same ever after.
static void a_correction_never_changes_what_was_known_before_it(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_error   err    = { 0 };
    gm_thread *t;
    enum { PROBES = 400 };
    struct { int twin, key; gm_phase phase; gm_time_ns valid, known; bool found; double value; } probes[PROBES];
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    for (int i = 0; i < 2000; i++) {
        said    s = make(&random, i);
        gm_fact f = fact_of(&s), seen;
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
        if (i % 5 != 0) continue;
        int p           = i / 5;
        probes[p].twin  = (int)(gm_test_random(&random) % 4), probes[p].key = (int)(gm_test_random(&random) % KEYS);
        probes[p].phase = (gm_phase)(gm_test_random(&random) % 2);
        probes[p].valid = (gm_time_ns)(gm_test_random(&random) % 300), probes[p].known = s.known;
        probes[p].found = gm_thread_read(t, gm_str_of(twins[probes[p].twin]), probes[p].phase, gm_str_of(keys[probes[p].key]), probes[p].valid, probes[p].known, &seen);
        probes[p].value = probes[p].found ? seen.value.number : 0;
    }
    for (int p = 0; p < PROBES; p++) {
        gm_fact seen;
        bool    found = gm_thread_read(t, gm_str_of(twins[probes[p].twin]), probes[p].phase, gm_str_of(keys[probes[p].key]), probes[p].valid, probes[p].known, &seen);
        assert_int_equal(found, probes[p].found);
        if (found) assert_true(seen.value.number == probes[p].value);
    }
    gm_thread_destroy(t);
}

// ---- placement ------------------------------------------------------------------------------------------------------

static gm_status install(gm_thread *t, const char *part, const char *holder, gm_time_ns from, gm_time_ns to, gm_time_ns known, bool move, gm_error *err)
{
    gm_fact f = { .twin = gm_str_of(part), .key = GM_STR(GM_KEY_INSTALLED), .phase = GM_PHASE_MAINTAINED, .from = from, .to = to, .known = known, .replace = move };
    if (holder != NULL) f.value = (gm_fact_value){ .kind = GM_FACT_PART, .text = gm_str_of(holder), .number = 1 };
    return gm_thread_take(t, &f, err);
}

typedef struct counted { int n; char names[200]; } counted;
static bool count_twin(void *context, const gm_fact *fact)
{
    counted *c = context;
    c->n++;
    snprintf(c->names + strlen(c->names), sizeof c->names - strlen(c->names), GM_STR_FMT " ", GM_STR_ARG(fact->twin));
    return true;
}
static bool count_holder(void *context, const gm_fact *fact)
{
    counted *c = context;
    c->n++;
    snprintf(c->names + strlen(c->names), sizeof c->names - strlen(c->names), GM_STR_FMT "@%d ", GM_STR_ARG(fact->value.text), (int)fact->from);
    return true;
}

static counted held(const gm_thread *t, const char *holder, gm_time_ns valid, gm_time_ns known)
{
    counted c = { 0 };
    gm_thread_mentions(t, gm_str_of(holder), GM_STR(GM_KEY_INSTALLED), GM_MENTION_HOLDS, valid, known, count_twin, &c);
    return c;
}

static void a_part_that_moves_takes_its_history_along_and_its_holders_remember(void **state)
{
    (void)state;
    gm_thread *t;
    gm_error   err = { 0 };
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    assert_gm_ok(install(t, "blade7", "engine1", 100, INT64_MAX, 1, false, &err), err);
    assert_gm_ok(install(t, "blade8", "engine1", 100, INT64_MAX, 2, false, &err), err);
    gm_fact hours = { .twin = GM_STR("blade7"), .key = GM_STR("hours"), .phase = GM_PHASE_OPERATED, .from = 200, .to = INT64_MAX, .known = 3,
                      .value = { .kind = GM_FACT_NUMBER, .number = 900, .unit = GM_STR("h") } };
    assert_gm_ok(gm_thread_take(t, &hours, &err), err);
    // A part in two places at once is refused; after it was taken out, or as a move, it may.
    assert_int_equal(install(t, "blade7", "engine2", 300, INT64_MAX, 4, false, &err), GM_CONFLICT);
    assert_non_null(strstr(err.text, "is installed in 'engine1'"));
    assert_int_equal(install(t, "blade7", "engine2", 50, 101, 4, false, &err), GM_CONFLICT);
    assert_gm_ok(install(t, "blade7", "engine2", 300, INT64_MAX, 4, true, &err), err);
    assert_gm_ok(install(t, "blade8", NULL, 400, INT64_MAX, 5, false, &err), err);
    assert_gm_ok(install(t, "blade8", "engine2", 450, INT64_MAX, 6, false, &err), err);

    assert_string_equal(held(t, "engine1", 250, 10).names, "blade8 blade7 ");
    assert_string_equal(held(t, "engine1", 350, 10).names, "blade8 ");
    assert_string_equal(held(t, "engine1", 350, 3).names, "blade8 blade7 ");  // the move was not known then
    assert_string_equal(held(t, "engine1", 420, 10).names, "");
    assert_string_equal(held(t, "engine2", 420, 10).names, "blade7 ");
    assert_string_equal(held(t, "engine2", 460, 10).names, "blade8 blade7 ");
    gm_fact f;
    assert_true(gm_thread_read(t, GM_STR("blade7"), GM_PHASE_OPERATED, GM_STR("hours"), 500, 10, &f));  // its history came along
    counted all = { 0 };
    gm_thread_history(t, GM_STR("blade7"), GM_STR(GM_KEY_INSTALLED), 10, count_holder, &all);
    assert_string_equal(all.names, "engine1@100 engine2@300 ");
    gm_thread_destroy(t);
}

static void cycles_of_containment_are_refused(void **state)
{
    (void)state;
    gm_thread *t;
    gm_error   err = { 0 };
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    assert_gm_ok(install(t, "b", "a", 0, 100, 1, false, &err), err);
    assert_gm_ok(install(t, "c", "b", 0, INT64_MAX, 2, false, &err), err);
    assert_int_equal(install(t, "a", "c", 50, INT64_MAX, 3, false, &err), GM_CONFLICT);
    assert_non_null(strstr(err.text, "'a' would contain itself"));
    assert_gm_ok(install(t, "a", "c", 100, INT64_MAX, 3, false, &err), err);  // b had left a by then
    gm_time_ns known = 4;
    char       name[16], above[16];
    for (int i = 0; i < GM_CONTAINMENT_DEPTH_MAX + 10; i++) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(above, sizeof above, "n%d", i + 1);
        assert_gm_ok(install(t, name, above, 0, INT64_MAX, known++, false, &err), err);
    }
    assert_int_equal(install(t, "leaf", "n0", 0, INT64_MAX, known, false, &err), GM_LIMIT);
    gm_thread_destroy(t);
}

// Random moves: at every moment every part is in one place, the two views agree, and what a part has been through stays.
static void placement_is_a_forest_at_every_moment_whatever_is_asked(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_thread *t;
    gm_error   err = { 0 };
    char       names[12][8];
    int        histories[12] = { 0 };
    gm_time_ns known         = 1;
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    for (int i = 0; i < 12; i++) snprintf(names[i], sizeof names[i], "t%d", i);
    for (int i = 0; i < 3000; i++) {
        int        part = (int)(gm_test_random(&random) % 12), holder = (int)(gm_test_random(&random) % 13);
        gm_time_ns from = (gm_time_ns)(gm_test_random(&random) % 100), to = gm_test_random(&random) % 2 != 0 ? INT64_MAX : from + 1 + (gm_time_ns)(gm_test_random(&random) % 50);
        if (part == holder) continue;
        gm_status st = install(t, names[part], holder < 12 ? names[holder] : NULL, from, to, known, gm_test_random(&random) % 2 != 0, &err);
        assert_true(st == GM_OK || st == GM_CONFLICT);
        histories[part] += st == GM_OK;
        known += st == GM_OK;
    }
    for (gm_time_ns when = 0; when < 160; when++) {
        int held_total = 0, placed = 0;
        for (int i = 0; i < 12; i++) {
            gm_fact f;
            gm_str  at = gm_str_of(names[i]);
            held_total += held(t, names[i], when, known).n;
            placed += gm_thread_read(t, at, GM_PHASE_MAINTAINED, GM_STR(GM_KEY_INSTALLED), when, known, &f);
            int depth = 0;
            while (gm_thread_read(t, at, GM_PHASE_MAINTAINED, GM_STR(GM_KEY_INSTALLED), when, known, &f)) {
                at = f.value.text;
                assert_true(++depth < 12);
            }
        }
        assert_int_equal(held_total, placed);
    }
    for (int i = 0; i < 12; i++) {
        counted all = { 0 };
        gm_thread_history(t, gm_str_of(names[i]), GM_STR(GM_KEY_INSTALLED), known, count_twin, &all);
        assert_int_equal(all.n, histories[i]);
    }
    gm_thread_destroy(t);
}

// ---- deletion, checkpoints --------------------------------------------------------------------------------------------

static void what_is_deleted_for_good_is_in_no_checkpoint(void **state)
{
    (void)state;
    gm_thread *t;
    gm_error   err = { 0 };
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    gm_time_ns known = 1;
    for (int i = 0; i < 40; i++) {
        gm_fact f = { .twin = i % 2 != 0 ? GM_STR("keep") : GM_STR("gone"), .key = GM_STR("note"), .phase = GM_PHASE_BUILT, .from = i, .to = INT64_MAX, .known = known++,
                      .author = i % 2 != 0 ? GM_STR("berta") : GM_STR("secretauthor"), .value = { .kind = GM_FACT_TEXT, .text = i % 2 != 0 ? GM_STR("plain") : GM_STR("secrettext") } };
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
    }
    assert_gm_ok(install(t, "gone", "keep", 0, INT64_MAX, known++, false, &err), err);
    assert_int_equal(gm_thread_forget(t, GM_STR("nobody"), GM_STR("")), 0);
    assert_int_equal(gm_thread_forget(t, GM_STR("gone"), GM_STR("other")), 0);
    assert_int_equal(gm_thread_forget(t, GM_STR("gone"), GM_STR("")), 21);
    assert_int_equal(gm_thread_forget(t, GM_STR("gone"), GM_STR("")), 0);
    assert_int_equal(held(t, "keep", 10, 1000).n, 0);
    assert_false(gm_thread_has(t, GM_STR("gone")));
    gm_buf bytes = gm_buf_init(gm_alloc_system());
    gm_thread_save(t, &bytes);
    assert_int_equal(gm_str_find(gm_buf_view(&bytes), GM_STR("secret")), SIZE_MAX);
    assert_int_equal(gm_str_find(gm_buf_view(&bytes), GM_STR("gone")), SIZE_MAX);
    assert_gm_ok(gm_thread_load(t, bytes.ptr, bytes.len, &err), err);
    assert_int_equal(gm_thread_statistics(t).facts, 20);
    gm_buf_finish(&bytes);
    gm_thread_destroy(t);
}

static void a_checkpoint_that_is_cut_or_altered_is_refused_or_read(void **state)
{
    (void)state;
    uint64_t   random = gm_test_seed();
    gm_thread *t, *other;
    gm_error   err   = { 0 };
    gm_buf     bytes = gm_buf_init(gm_alloc_system());
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &other, &err), err);
    for (int i = 0; i < 60; i++) {
        said    s = make(&random, i);
        gm_fact f = fact_of(&s);
        assert_gm_ok(gm_thread_take(t, &f, &err), err);
    }
    assert_gm_ok(install(t, "a", "b", 0, INT64_MAX, 10000, false, &err), err);
    gm_thread_save(t, &bytes);
    for (size_t n = 1; n < bytes.len; n++) {
        uint8_t *cut = malloc(n);
        memcpy(cut, bytes.ptr, n);
        assert_int_equal(gm_thread_load(other, cut, n, &err), GM_CORRUPT);
        free(cut);
    }
    for (int k = 0; k < 2000; k++) {  // whatever it says: no crash
        size_t  at  = gm_test_random(&random) % bytes.len;
        uint8_t was = bytes.ptr[at];
        bytes.ptr[at] ^= (uint8_t)(1 + gm_test_random(&random) % 255);
        (void)!gm_thread_load(other, bytes.ptr, bytes.len, &err);
        bytes.ptr[at] = was;
    }
    gm_buf_finish(&bytes);
    gm_thread_destroy(t);
    gm_thread_destroy(other);
}

static void a_refused_allocation_leaves_the_facts_as_they_were(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_thread     *t;
        gm_error       err = { 0 };
        gm_fault_alloc_init(&fault, k);
        gm_status st    = gm_thread_create(&fault.alloc, &t, &err);
        int       taken = 0;
        for (int i = 0; st == GM_OK && i < 60; i++) {
            st = install(t, i % 3 != 0 ? "x" : "y", i % 2 != 0 ? "h1" : "h2", i, INT64_MAX, i + 1, true, &err);
            taken += st == GM_OK;
        }
        if (t != NULL) {
            assert_int_equal(gm_thread_statistics(t).facts, taken);
            assert_true(held(t, "h1", 100, 100).n <= 2);
        }
        gm_thread_destroy(t);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) return;
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_agree_with_a_look_at_everything_before_and_after_a_checkpoint),
        cmocka_unit_test(a_correction_never_changes_what_was_known_before_it),
        cmocka_unit_test(a_part_that_moves_takes_its_history_along_and_its_holders_remember),
        cmocka_unit_test(cycles_of_containment_are_refused),
        cmocka_unit_test(placement_is_a_forest_at_every_moment_whatever_is_asked),
        cmocka_unit_test(what_is_deleted_for_good_is_in_no_checkpoint),
        cmocka_unit_test(a_checkpoint_that_is_cut_or_altered_is_refused_or_read),
        cmocka_unit_test(a_refused_allocation_leaves_the_facts_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
