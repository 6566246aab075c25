#include "cli/term_plot.h"

#include "cli/http_client.h"
#include "cli/progress.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

static void expect(const gm_term_plot *plot, const gm_term_series *series, size_t n, const char *wanted)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_term_plot_draw(plot, series, n, &out);
    gm_buf_byte(&out, 0);
    assert_false(out.failed);
    if (strcmp((char *)out.ptr, wanted) != 0) fail_msg("drawn:\n%s\nwanted:\n%s", (char *)out.ptr, wanted);
    gm_buf_finish(&out);
}

static void a_rising_line_goes_from_lower_left_to_upper_right(void **state)
{
    (void)state;
    double         t[] = { 0, 10 }, v[] = { 1, 2 };
    gm_term_series s[] = { { .x = t, .y = v, .count = 2 } };
    expect(&(gm_term_plot){ .width = 24, .height = 5 }, s, 1,
           "2 |                ⣀⡠⠔⠒⠉\n"
           "  |          ⢀⣀⠤⠒⠊⠉\n"
           "  |     ⣀⡠⠤⠒⠉⠁\n"
           "1 |⣀⠤⠔⠊⠉\n"
           "   0                  10\n");
}

static void a_gap_stays_a_gap(void **state)
{
    (void)state;
    double         t[] = { 0, 1, 2, 3, 4 }, v[] = { 1, 1, NAN, 1, 1 };
    gm_term_series s[] = { { .x = t, .y = v, .count = 5 } };
    gm_buf         out = gm_buf_init(gm_alloc_system());
    gm_term_plot_draw(&(gm_term_plot){ .width = 24, .height = 5 }, s, 1, &out);
    gm_str rest = gm_buf_view(&out), line;
    bool   gap  = false;
    while (gm_str_next(&rest, '\n', &line)) gap = gap || gm_str_find(line, GM_STR("     ")) != SIZE_MAX;
    assert_true(gap);
    gm_buf_finish(&out);
}

static void without_values_the_chart_says_so(void **state)
{
    (void)state;
    double         v[] = { NAN };
    gm_term_series s[] = { { .x = v, .y = v, .count = 1 } };
    expect(&(gm_term_plot){ 0 }, s, 1, "(no values to plot)\n");
    expect(&(gm_term_plot){ 0 }, NULL, 0, "(no values to plot)\n");
}

static void any_numbers_are_drawn_without_harm(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 200; round++) {
        double x[50], y[50], high[50];
        for (int i = 0; i < 50; i++) {
            uint64_t bits[3] = { gm_test_random(&random), gm_test_random(&random), gm_test_random(&random) };
            memcpy(&x[i], &bits[0], 8);
            memcpy(&y[i], &bits[1], 8);
            memcpy(&high[i], &bits[2], 8);
        }
        gm_term_series s[] = { { .x = x, .y = y, .count = 50 }, { .x = x, .y = y, .y_high = high, .count = 50 } };
        gm_term_plot   plot = { .width  = (uint32_t)(gm_test_random(&random) % 200),
                                .height = (uint32_t)(gm_test_random(&random) % 60),
                                .x_kind = GM_TERM_X_TIME,
                                .unit   = "degC",
                                .colour = true };
        gm_buf out = gm_buf_init(gm_alloc_system());
        gm_term_plot_draw(&plot, s, 2, &out);
        assert_false(out.failed);
        gm_buf_finish(&out);
    }
}

static void progress_says_how_far_and_how_long(void **state)
{
    (void)state;
    gm_progress p = { .what = "replay", .unit = "rows", .total = 13096 };
    char        line[GM_PROGRESS_TEXT];
    gm_progress_format(&p, 6548, 2 * GM_SECOND, line);
    assert_string_equal(line, "replay [############............]  50 %  6,548 rows  3,274/s  0:02 left");
    gm_progress_format(&p, 13096, GM_SECOND, line);
    assert_string_equal(line, "replay [########################] 100 %  13,096 rows  13,096/s");
    p.total = 0;
    gm_progress_format(&p, 1234567, 0, line);
    assert_string_equal(line, "replay 1,234,567 rows  0/s");
}

typedef struct seen { int count; char text[256]; } seen;

static bool note(void *context, gm_str event, gm_str data)
{
    seen *s = context;
    s->count++;
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, "[" GM_STR_FMT "|" GM_STR_FMT "]", GM_STR_ARG(event),
             GM_STR_ARG(data));
    return s->count < 100;
}

static void events_are_found_however_the_bytes_are_cut(void **state)
{
    (void)state;
    static const char stream[] = ": hello\n\nevent: snapshot\ndata: {\"a\":1}\n\nid: 7\r\ndata: x\r\ndata: "
                                 "y\r\n\r\nevent:change\ndata:z\n\ndata: half";
    for (size_t piece = 1; piece < sizeof stream; piece++) {
        gm_event_parser parser;
        gm_event_parser_init(&parser, gm_alloc_system());
        seen s = { 0 };
        for (size_t at = 0; at < sizeof stream - 1; at += piece) {
            gm_str part = gm_str_slice((gm_str){ stream, sizeof stream - 1 }, at, at + piece);
            assert_true(gm_event_parser_feed(&parser, part, note, &s));
        }
        assert_string_equal(s.text, "[snapshot|{\"a\":1}][message|x\ny][change|z]");
        gm_event_parser_finish(&parser);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rising_line_goes_from_lower_left_to_upper_right),
        cmocka_unit_test(a_gap_stays_a_gap),
        cmocka_unit_test(without_values_the_chart_says_so),
        cmocka_unit_test(any_numbers_are_drawn_without_harm),
        cmocka_unit_test(progress_says_how_far_and_how_long),
        cmocka_unit_test(events_are_found_however_the_bytes_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
