// Random expressions and random systems: derivatives against differences, results against another order of writing.
#include "physics/compile/diff.h"
#include "physics/modelica_support.h"

enum { VARS = 4 };

typedef struct workbench {
    gm_arena    *arena;
    gm_work_exit leave;
    gm_work      w;
    gm_exprs     ex;
    double       at[VARS], largest;  // largest: value met on the way
    double       margin;             // smallest distance of a decision met on the way from its tipping over
} workbench;

static double evaluate(workbench *b, gm_ex e)
{
    const gm_ex_node *n = gm_ex_at(&b->ex, e);
    if (n->op == GM_EX_CONST) return n->value;
    if (n->op == GM_EX_VAR) return b->at[n->id];
    double a[3] = { 0 };
    for (int i = 0; i < gm_ex_operands((gm_ex_op)n->op); i++) a[i] = evaluate(b, n->a[i]);
    double value = gm_ex_apply((gm_ex_op)n->op, a[0], a[1], a[2]);
    switch (n->op) {
    case GM_EX_MIN:
    case GM_EX_MAX:
    case GM_EX_LT: b->margin = fmin(b->margin, fabs(a[0] - a[1])); break;
    case GM_EX_ABS: b->margin = fmin(b->margin, fabs(a[0])); break;
    default: break;
    }
    if (!(fabs(value) <= b->largest)) b->largest = fabs(value);
    return value;
}

static gm_ex random_ex(workbench *b, uint64_t *random, int depth)
{
    static const gm_ex_op one[] = { GM_EX_NEG,  GM_EX_SIN, GM_EX_COS,  GM_EX_EXP, GM_EX_TANH,
                                    GM_EX_ATAN, GM_EX_ABS, GM_EX_SINH, GM_EX_COSH };
    static const gm_ex_op two[] = { GM_EX_ADD, GM_EX_SUB, GM_EX_MUL, GM_EX_DIV, GM_EX_MIN, GM_EX_MAX, GM_EX_ATAN2 };
    uint64_t r = gm_test_random(random), pick = r % 10;
    if (depth == 0 || pick < 2) {
        return r & 1024 ? gm_ex_var(&b->ex, (uint32_t)(r >> 32) % VARS)
                        : gm_ex_const(&b->ex, (double)((r >> 20) % 7) - 3);
    }
    gm_ex x = random_ex(b, random, depth - 1);
    if (pick < 5) return gm_ex_1(&b->ex, one[(r >> 8) % (sizeof one / sizeof one[0])], x);
    if (pick == 5) return gm_ex_2(&b->ex, GM_EX_POW, x, gm_ex_const(&b->ex, (double)((r >> 20) % 4)));
    gm_ex y = random_ex(b, random, depth - 1);
    if (pick == 6)
        return gm_ex_3(&b->ex, GM_EX_SELECT, gm_ex_compare(&b->ex, GM_EX_LT, x, y, true), y,
                       random_ex(b, random, depth - 1));
    return gm_ex_2(&b->ex, two[(r >> 8) % (sizeof two / sizeof two[0])], x, y);
}

static gm_ex seed_first(void *context, gm_ex leaf)
{
    workbench        *b = context;
    const gm_ex_node *n = gm_ex_at(&b->ex, leaf);
    return gm_ex_const(&b->ex, n->op == GM_EX_VAR && n->id == 0);
}

static void print_name(const void *context, uint32_t id, gm_buf *out)
{
    (void)context;
    gm_buf_printf(out, "x%u", id);
}

static void derivatives_agree_with_differences(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    int      compared = 0;
    for (int round = 0; round < 3000; round++) {
        workbench b = { .arena = gm_arena_create(gm_alloc_system(), 0), .margin = 1 };
        b.w         = (gm_work){ .arena = b.arena, .leave = &b.leave };
        if (setjmp(b.leave.jump) != 0) fail_msg("memory");
        gm_exprs_init(&b.ex, &b.w);
        for (int i = 0; i < VARS; i++) b.at[i] = ((double)(gm_test_random(&random) % 4000) - 2000) / 1000;
        gm_ex     e = random_ex(&b, &random, 5);
        gm_differ d = { .ex = &b.ex, .scratch = &b.w, .seed = seed_first, .context = &b, .refused = GM_EX_NONE };
        gm_ex     slope = gm_ex_diff(&d, e);
        double    exact = evaluate(&b, slope), x = b.at[0], h = 1e-5, f[4];
        for (int i = 0; i < 4; i++) {
            b.at[0] = x + (i < 2 ? i - 2 : i - 1) * h;
            f[i]    = evaluate(&b, e);
        }
        b.at[0] = x;
        // Large values on the way leave no digits for a difference, and `x < 1 + (-1 + x)` is decided by rounding.
        // Two differences of different order: where they disagree there is a kink or a pole near by, and nothing to
        // compare.
        double narrow = (f[2] - f[1]) / (2 * h), wide = (f[3] - f[0]) / (4 * h);
        double size = fabs(narrow) + fabs(exact) + 1e-3 * fabs(f[1]) + 1e-3;
        if (b.largest < 1e4 && b.margin > 1e-9 && isfinite(exact) && isfinite(narrow) && fabs(narrow - wide) < 1e-6 * size &&
            fabs(narrow) < 1e6) {
            compared++;
            if (fabs(exact - narrow) > 1e-4 * size) {
                gm_buf text = gm_buf_init(gm_alloc_system());
                gm_ex_print(&b.ex, e, print_name, NULL, &text);
                fail_msg("round %d: %.*s at %g %g %g %g: derivative %.9g, difference %.9g", round, (int)text.len,
                         (const char *)text.ptr, b.at[0], b.at[1], b.at[2], b.at[3], exact, narrow);
            }
        }
        gm_arena_destroy(b.arena);
    }
    assert_true(compared > 1000);
}

// n equations a_i x_i + sum of others + 0.2 sin(x_k) = c_i, diagonally dominant, so that there is one solution.
static void write_system(gm_buf *out, uint64_t *random, uint32_t n, uint64_t content)
{
    uint32_t order[64], names[64];
    for (uint32_t i = 0; i < n; i++) order[i] = names[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        uint32_t k = (uint32_t)(gm_test_random(random) % (i + 1)), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
        k        = (uint32_t)(gm_test_random(random) % (i + 1));
        swap     = names[i];
        names[i] = names[k];
        names[k] = swap;
    }
    gm_buf_text(out, "model M Real s(start=1, fixed=true);\n");
    for (uint32_t i = 0; i < n; i++) gm_buf_printf(out, "Real x%u;\n", names[i]);
    gm_buf_text(out, "equation der(s) = -s + x0;\n");
    for (uint32_t i = 0; i < n; i++) {
        uint64_t r =
            content + order[i] * UINT64_C(0x9e3779b97f4a7c15); // the equation's content depends on its number only
        uint64_t a = gm_test_random(&r);
        bool     flip = gm_test_random(random) & 1;
        uint32_t j = (uint32_t)(a >> 8) % n, k = (uint32_t)(a >> 16) % n;
        if (flip) gm_buf_printf(out, "s + %u = 4*x%u + x%u", (unsigned)(a >> 40) % 5, order[i], j);
        else gm_buf_printf(out, "4*x%u + x%u", order[i], j);
        if (a & 1) gm_buf_printf(out, " + 0.2*sin(x%u)", k);
        if (flip) gm_buf_text(out, ";\n");
        else gm_buf_printf(out, " = s + %u;\n", (unsigned)(a >> 40) % 5);
    }
    gm_buf_text(out, "end M;");
    gm_buf_byte(out, 0);
}

static void the_order_of_writing_does_not_matter(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 25; round++) {
        uint32_t      n = 2 + (uint32_t)(gm_test_random(&random) % 30);
        uint64_t      content = gm_test_random(&random);
        gm_test_model t[2];
        for (int k = 0; k < 2; k++) {
            gm_buf text = gm_buf_init(gm_alloc_system());
            write_system(&text, &random, n, content);
            gm_test_model_open(&t[k], gm_alloc_system(), (const char *)text.ptr, NULL);
            if (t[k].status != GM_OK) fail_msg("%s\n%s", (const char *)text.ptr, (const char *)t[k].text.ptr);
            gm_test_model_begin(&t[k], GM_METHOD_RK4, 1e-12);
            gm_lanes_start(t[k].lanes, 0, t[k].worker, GM_START_FRESH);
            gm_lanes_steps(t[k].lanes, 0, t[k].worker, 0.01, 20);
            gm_lanes_observe(t[k].lanes, 0, t[k].worker);
            assert_int_equal(gm_lanes_report(t[k].lanes, 0).status, GM_LANE_ACTIVE);
            gm_buf_finish(&text);
        }
        for (uint32_t i = 0; i < n; i++) {
            char name[16];
            snprintf(name, sizeof name, "x%u", i);
            double a = gm_test_value(&t[0], name), b = gm_test_value(&t[1], name);
            if (!(fabs(a - b) < 1e-8)) fail_msg("round %d: %s is %.12g and %.12g", round, name, a, b);
        }
        gm_test_model_close(&t[0]);
        gm_test_model_close(&t[1]);
    }
}

// A network of tanks is mass that moves about: its sum stays, however the compiler has torn the pipes' equations.
static void mass_in_a_network_stays(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 6; round++) {
        uint32_t n    = 3 + (uint32_t)(gm_test_random(&random) % 10);
        gm_buf   text = gm_buf_init(gm_alloc_system());
        gm_buf_text(&text, "connector P Real p; flow Real m; end P; model T P c; parameter Real A=1; parameter Real "
                           "h0=1; Real h(start=h0,fixed=true);"
                           " equation c.p = 9810*h; 1000*A*der(h) = c.m; end T; model Q P a, b; Real dp; equation a.m "
                           "+ b.m = 0; dp = a.p - b.p;"
                           " dp = 1e3*a.m*(abs(a.m) + 0.1); end Q; model J P a, b, c; equation a.p = b.p; b.p = c.p; "
                           "a.m + b.m + c.m = 0; end J;\nmodel N\n");
        for (uint32_t i = 0; i < n; i++)
            gm_buf_printf(&text, "T t%u(A=%u, h0=%u); Q q%u, r%u; J j%u;\n", i, 1 + i % 3,
                          1 + (unsigned)(gm_test_random(&random) % 5), i, i, i);
        gm_buf_text(&text, "Real mass = 0");
        for (uint32_t i = 0; i < n; i++) gm_buf_printf(&text, " + t%u.A*t%u.h", i, i);
        gm_buf_text(&text, ";\nequation\n");
        for (uint32_t i = 0; i < n; i++) {
            gm_buf_printf(
                &text, "connect(t%u.c, q%u.a); connect(q%u.b, j%u.a); connect(j%u.b, r%u.a); connect(r%u.b, j%u.c);\n",
                i, i, i, i, i, i, i, (i + 1) % n);
        }
        gm_buf_text(&text, "end N;");
        gm_buf_byte(&text, 0);
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), (const char *)text.ptr, NULL);
        if (t.status != GM_OK) fail_msg("%s", (const char *)t.text.ptr);
        gm_test_model_begin(&t, GM_METHOD_RK4, 1e-9);
        gm_lanes_start(t.lanes, 0, t.worker, GM_START_FRESH);
        gm_lanes_observe(t.lanes, 0, t.worker);
        double before = gm_test_value(&t, "mass");
        gm_lanes_steps(t.lanes, 0, t.worker, 0.5, 200);
        gm_lanes_observe(t.lanes, 0, t.worker);
        assert_int_equal(gm_lanes_report(t.lanes, 0).status, GM_LANE_ACTIVE);
        double after = gm_test_value(&t, "mass");
        if (!(fabs(after - before) < 1e-6 * before))
            fail_msg("round %d, %u tanks: %.12g m3 became %.12g", round, n, before, after);
        gm_test_model_close(&t);
        gm_buf_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_agree_with_differences),
        cmocka_unit_test(the_order_of_writing_does_not_matter),
        cmocka_unit_test(mass_in_a_network_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
