#include "support/support.h"
#include "thread/bom.h"

#include <math.h>
#include <stdio.h>

typedef struct bill { gm_thread *thread; gm_time_ns known; gm_error err; } bill;

static void open_bill(bill *b)
{
    *b = (bill){ .known = 1 };
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &b->thread, &b->err), b->err);
}

static gm_status row(bill *b, const char *assembly, const char *position, const char *part, double quantity, gm_time_ns from, gm_time_ns to, const char *more)
{
    char key[64];
    snprintf(key, sizeof key, "bom/%s", position);
    gm_fact f = { .twin = gm_str_of(assembly), .key = gm_str_of(key), .phase = GM_PHASE_DESIGNED, .from = from, .to = to, .known = b->known++,
                  .value = { .kind = GM_FACT_PART, .text = gm_str_of(part), .number = quantity, .more = gm_str_of(more) } };
    return gm_thread_take(b->thread, &f, &b->err);
}

static void value(bill *b, const char *part, const char *key, double number, const char *unit)
{
    gm_fact f = { .twin = gm_str_of(part), .key = gm_str_of(key), .phase = GM_PHASE_DESIGNED, .from = 0, .to = INT64_MAX, .known = b->known++,
                  .value = { .kind = GM_FACT_NUMBER, .number = number, .unit = gm_str_of(unit) } };
    assert_gm_ok(gm_thread_take(b->thread, &f, &b->err), b->err);
}

#define EVER 0, INT64_MAX
#define ROW(...) assert_gm_ok(row(__VA_ARGS__), b.err)

static gm_bom_options at(gm_time_ns valid) { return (gm_bom_options){ .valid = valid, .known = INT64_MAX, .phase = GM_PHASE_DESIGNED }; }

typedef struct text { char bytes[2000]; size_t len; } text;
static bool write_row(void *context, const gm_bom_row *r)
{
    text *t = context;
    int   n = snprintf(t->bytes + t->len, sizeof t->bytes - t->len, "%u " GM_STR_FMT " " GM_STR_FMT "<" GM_STR_FMT " x%g=%g\n", r->level, GM_STR_ARG(r->position),
                       GM_STR_ARG(r->part), GM_STR_ARG(r->assembly), r->quantity, r->total);
    t->len += (size_t)n;
    return true;
}

static void show(bill *b, const char *top, gm_bom_options o, const char *expected)
{
    text t = { 0 };
    assert_gm_ok(gm_bom_show(b->thread, gm_str_of(top), &o, write_row, &t, &b->err), b->err);
    assert_string_equal(t.bytes, expected);
}

static void make_pump(bill *b_)
{
    bill b = *b_;
    ROW(&b, "pump", "10", "motor", 1, EVER, NULL);
    ROW(&b, "pump", "2", "housing", 1, EVER, NULL);
    ROW(&b, "pump", "20", "bolt", 8, EVER, NULL);
    ROW(&b, "pump", "20~b", "bolt A2", 8, EVER, "{\"alternate\":true}");
    ROW(&b, "motor", "1", "bolt", 4, 0, 100, NULL);
    ROW(&b, "motor", "1", "bolt", 6, 100, INT64_MAX, NULL);
    ROW(&b, "motor", "2~old", "bearing 1", 2, EVER, "{\"serials\":\"1-99\"}");
    ROW(&b, "motor", "2~new", "bearing 2", 2, EVER, "{\"serials\":\"100-\"}");
    *b_ = b;
}

static void a_bill_is_shown_level_by_level_with_quantities_alternates_and_effectivity(void **state)
{
    (void)state;
    bill b;
    open_bill(&b);
    make_pump(&b);
    gm_bom_options o = at(50);
    o.levels = 1;
    show(&b, "pump", o, "1 2 housing<pump x1=1\n1 10 motor<pump x1=1\n1 20 bolt<pump x8=8\n");
    o.alternates = true;
    show(&b, "pump", o, "1 2 housing<pump x1=1\n1 10 motor<pump x1=1\n1 20 bolt<pump x8=8\n1 20 bolt A2<pump x8=8\n");
    o        = at(50);
    o.serial = GM_STR("M-0042");
    show(&b, "motor", o, "1 1 bolt<motor x4=4\n1 2 bearing 1<motor x2=2\n");
    o.serial = GM_STR("M-0100");
    o.valid  = 100;
    show(&b, "motor", o, "1 1 bolt<motor x6=6\n1 2 bearing 2<motor x2=2\n");
    o.known = 5;  // the change of the bolts, and the bearings, were not known then
    show(&b, "motor", o, "");
    show(&b, "pump", at(200), "1 2 housing<pump x1=1\n1 10 motor<pump x1=1\n2 1 bolt<motor x6=6\n2 2 bearing 2<motor x2=2\n2 2 bearing 1<motor x2=2\n1 20 bolt<pump x8=8\n");
    text t = { 0 };
    o      = at(50);
    assert_gm_ok(gm_bom_where_used(b.thread, GM_STR("bolt"), &o, write_row, &t, &b.err), b.err);
    assert_string_equal(t.bytes, "1 1 bolt<motor x4=4\n2 10 motor<pump x1=4\n1 20 bolt<pump x8=8\n");
    gm_thread_destroy(b.thread);
}

static bool pass(void *context, const gm_bom_row *r)
{
    (void)context, (void)r;
    return true;
}

static void a_bill_that_would_contain_itself_is_refused(void **state)
{
    (void)state;
    bill b;
    open_bill(&b);
    ROW(&b, "a", "1", "b", 1, EVER, NULL);
    ROW(&b, "b", "1", "c", 1, EVER, NULL);
    assert_int_equal(row(&b, "c", "1", "a", 1, EVER, NULL), GM_CONFLICT);
    assert_int_equal(row(&b, "c", "1", "c", 1, EVER, NULL), GM_INVALID);
    ROW(&b, "c", "1", "d", 1, EVER, NULL);
    char from[16], to[16];
    for (int i = 0; i < 40; i++) {  // each level uses the next one twice: 2^40 ways down, and each part is looked at once
        snprintf(from, sizeof from, "n%d", i + 1), snprintf(to, sizeof to, "n%d", i);
        ROW(&b, from, "1", to, 1, EVER, NULL);
        ROW(&b, from, "2", to, 1, EVER, NULL);
    }
    assert_int_equal(row(&b, "n0", "1", "n40", 1, EVER, NULL), GM_CONFLICT);
    value(&b, "n0", "mass", 2, "kg");
    gm_bom_sum     sum;
    gm_bom_options o = at(5);
    assert_gm_ok(gm_bom_rollup(b.thread, GM_STR("n40"), GM_STR("mass"), &o, &sum, &b.err), b.err);
    assert_true(sum.total == ldexp(2.0, 40));
    assert_int_equal(gm_bom_show(b.thread, GM_STR("n40"), &o, pass, NULL, &b.err), GM_LIMIT);  // and too much to list
    gm_thread_destroy(b.thread);
}

static void mass_cost_and_carbon_add_up_and_what_is_missing_is_named(void **state)
{
    (void)state;
    bill b;
    open_bill(&b);
    make_pump(&b);
    value(&b, "bolt", "mass", 50, "g");
    value(&b, "housing", "mass", 12, "kg");
    value(&b, "bearing 1", "mass", 0.5, "kg");
    value(&b, "motor", "mass added", 0.25, "kg");
    value(&b, "pump", "mass", 14, "kg");
    value(&b, "bolt", "cost", 1, "EUR");
    value(&b, "housing", "cost", 100, "USD");
    gm_bom_sum     sum;
    gm_bom_options o = at(50);
    assert_gm_ok(gm_bom_rollup(b.thread, GM_STR("pump"), GM_STR("mass"), &o, &sum, &b.err), b.err);
    // bolts 8 + 4, in the unit that was met first; the bearing for later serials says nothing
    double kg = strcmp(sum.unit, "g") == 0 ? sum.total / 1000 : sum.total;
    assert_true(fabs(kg - (12 + 0.25 + 12 * 0.05 + 2 * 0.5)) < 1e-12);
    assert_true(sum.has_declared);
    assert_int_equal(sum.missing_count, 1);
    assert_true(gm_str_is(sum.missing[0], "bearing 2"));
    assert_int_equal(gm_bom_rollup(b.thread, GM_STR("pump"), GM_STR("cost"), &o, &sum, &b.err), GM_INVALID);
    assert_non_null(strstr(b.err.text, "can not be added"));
    gm_thread_destroy(b.thread);
}

typedef struct gaps { int n; gm_bom_gap list[20]; } gaps;
static bool note_gap(void *context, const gm_bom_gap *gap)
{
    gaps *g = context;
    g->list[g->n++] = *gap;
    return true;
}

static void gaps_and_overlaps_of_effectivity_are_reported(void **state)
{
    (void)state;
    bill b;
    gaps g = { 0 };
    open_bill(&b);
    ROW(&b, "m", "1", "x", 1, 10, 100, NULL);
    ROW(&b, "m", "1~2", "y", 1, 120, INT64_MAX, NULL);            // nothing from 100 to 120
    ROW(&b, "m", "2~a", "x", 1, EVER, "{\"serials\":\"1-99\"}");
    ROW(&b, "m", "2~b", "y", 1, EVER, "{\"serials\":\"101-\"}");  // nothing for 100
    ROW(&b, "m", "3~a", "x", 1, EVER, "{\"serials\":\"1-50\"}");
    ROW(&b, "m", "3~b", "y", 1, EVER, "{\"serials\":\"40-\"}");   // two for 40 to 50
    ROW(&b, "m", "4", "x", 1, EVER, NULL);
    ROW(&b, "m", "4~alt", "y", 1, EVER, "{\"alternate\":true}");  // as it should be
    gm_bom_options o = at(0);
    assert_gm_ok(gm_bom_gaps(b.thread, GM_STR("m"), &o, note_gap, &g, &b.err), b.err);
    assert_int_equal(g.n, 3);
    assert_true(gm_str_is(g.list[0].position, "1") && !g.list[0].overlap && g.list[0].from == 100 && g.list[0].to == 120);
    assert_true(gm_str_is(g.list[1].position, "2") && !g.list[1].overlap && g.list[1].first == 100 && g.list[1].last == 100);
    assert_true(gm_str_is(g.list[2].position, "3") && g.list[2].overlap && g.list[2].first == 40 && g.list[2].last == 50);
    gm_thread_destroy(b.thread);
}

// Random ranges against asking for each serial.
static void gaps_agree_with_asking_for_each_serial(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 200; round++) {
        bill     b;
        gaps     g = { 0 };
        int      served[64] = { 0 }, said[64] = { 0 };
        unsigned low = 64, high = 0;
        open_bill(&b);
        for (int i = 0; i < 4; i++) {
            char     position[16], more[64];
            unsigned a = (unsigned)(gm_test_random(&random) % 60), c = a + (unsigned)(gm_test_random(&random) % (64 - a));
            snprintf(position, sizeof position, "7~%d", i);
            snprintf(more, sizeof more, "{\"serials\":\"%u-%u\"}", a, c);
            ROW(&b, "m", position, "x", 1, EVER, more);
            for (unsigned s = a; s <= c; s++) served[s]++;
            low = a < low ? a : low, high = c > high ? c : high;
        }
        gm_bom_options o = at(0);
        assert_gm_ok(gm_bom_gaps(b.thread, GM_STR("m"), &o, note_gap, &g, &b.err), b.err);
        for (int i = 0; i < g.n; i++) {
            for (uint64_t s = g.list[i].first; s <= g.list[i].last; s++) said[s] |= g.list[i].overlap ? 2 : 1;
        }
        for (unsigned s = low; s <= high; s++) {
            int expected = served[s] == 0 ? 1 : served[s] > 1 ? 2 : 0;
            if (said[s] != expected) fail_msg("round %d serial %u: served by %d, said %d", round, s, served[s], said[s]);
        }
        gm_thread_destroy(b.thread);
    }
}

static void serials_and_positions_are_read(void **state)
{
    (void)state;
    static const struct { const char *text; size_t count; } cases[] = { { "1-99,120-,-5, 7", 4 }, { "", 0 }, { "x", SIZE_MAX }, { "5-1", SIZE_MAX },
        { "1-2-3", SIZE_MAX }, { "1,,2", SIZE_MAX }, { "99999999999999999999999", SIZE_MAX } };
    gm_serials ranges[GM_SERIALS_MAX];
    size_t     n;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_status st = gm_serials_read(gm_str_of(cases[i].text), ranges, &n, NULL);
        if ((st == GM_OK) != (cases[i].count != SIZE_MAX) || (st == GM_OK && n != cases[i].count)) fail_msg("%s: %d", cases[i].text, (int)st);
    }
    uint64_t serial;
    assert_true(gm_serial_number(GM_STR("SN-0042"), &serial) && serial == 42);
    assert_false(gm_serial_number(GM_STR("SN-"), &serial));
    assert_true(gm_position_compare(GM_STR("2"), GM_STR("10")) < 0 && gm_position_compare(GM_STR("10"), GM_STR("10a")) < 0);
    assert_true(gm_position_compare(GM_STR("a10b2"), GM_STR("a10b10")) < 0 && gm_position_compare(GM_STR("7"), GM_STR("7")) == 0);
}

// ---- all times ------------------------------------------------------------------------------------------------------

typedef struct stretches { gm_time_ns at; int holding; double quantity; const char *key; } stretches;

static bool find_at(void *context, const gm_fact *f)
{
    stretches *s = context;
    if (!gm_str_is(f->key, s->key) || f->from > s->at || s->at >= f->to) return true;
    s->holding++;
    s->quantity = f->value.number;
    return true;
}

// Whatever was said, corrected and taken back: at each moment exactly the stretch of what holds then is there.
static void stretches_are_what_is_read_at_every_moment(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 40; round++) {
        bill b;
        open_bill(&b);
        int said = 1 + (int)(gm_test_random(&random) % 30);  // short lines and long ones
        for (int i = 0; i < said; i++) {
            uint64_t   r    = gm_test_random(&random);
            gm_time_ns from = (gm_time_ns)(r % 50), to = r / 64 % 3 == 0 ? INT64_MAX : from + 1 + (gm_time_ns)(r / 256 % 30);
            gm_fact    f    = { .twin = GM_STR("pump"), .key = r / 16384 % 4 == 0 ? GM_STR("bom/2") : GM_STR("bom/1"), .phase = GM_PHASE_DESIGNED, .from = from, .to = to, .known = b.known++ };
            if (r / 65536 % 6 != 0) f.value = (gm_fact_value){ .kind = GM_FACT_PART, .text = GM_STR("bolt"), .number = i + 1 };
            assert_gm_ok(gm_thread_take(b.thread, &f, &b.err), b.err);
        }
        gm_time_ns known = round % 3 == 0 ? 1 + said / 2 : INT64_MAX;
        for (gm_time_ns at = -2; at < 90; at++) {
            for (int k = 0; k < 2; k++) {
                stretches s = { .at = at, .key = k == 0 ? "bom/1" : "bom/2" };
                gm_fact   f;
                bool      is = gm_thread_read(b.thread, GM_STR("pump"), GM_PHASE_DESIGNED, gm_str_of(s.key), at, known, &f);
                gm_thread_stretches(b.thread, GM_STR("pump"), GM_PHASE_COUNT, known, find_at, &s);
                if (s.holding != is || (is && s.quantity != f.value.number)) fail_msg("round %d, %s at %d: %d stretches", round, s.key, (int)at, s.holding);
            }
        }
        gm_thread_destroy(b.thread);
    }
}

static void a_bill_of_all_times_tells_each_assembly_once(void **state)
{
    (void)state;
    bill b;
    open_bill(&b);
    make_pump(&b);
    ROW(&b, "pump", "30", "motor", 1, 500, INT64_MAX, NULL);  // a second one, later
    ROW(&b, "motor", "9", "kit", 1, 600, 700, NULL);
    ROW(&b, "kit", "1", "seal", 3, 600, 700, NULL);
    gm_bom_options o = at(50);
    o.ever = o.alternates = true;
    show(&b, "pump", o,
         "1 2 housing<pump x1=1\n1 10 motor<pump x1=1\n2 1 bolt<motor x4=4\n2 1 bolt<motor x6=6\n2 2 bearing 2<motor x2=2\n2 2 bearing 1<motor x2=2\n2 9 kit<motor x1=1\n"
         "3 1 seal<kit x3=3\n1 20 bolt<pump x8=8\n1 20 bolt A2<pump x8=8\n1 30 motor<pump x1=1\n");
    gm_thread_destroy(b.thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stretches_are_what_is_read_at_every_moment),
        cmocka_unit_test(a_bill_of_all_times_tells_each_assembly_once),
        cmocka_unit_test(a_bill_is_shown_level_by_level_with_quantities_alternates_and_effectivity),
        cmocka_unit_test(a_bill_that_would_contain_itself_is_refused),
        cmocka_unit_test(mass_cost_and_carbon_add_up_and_what_is_missing_is_named),
        cmocka_unit_test(gaps_and_overlaps_of_effectivity_are_reported),
        cmocka_unit_test(gaps_agree_with_asking_for_each_serial),
        cmocka_unit_test(serials_and_positions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
