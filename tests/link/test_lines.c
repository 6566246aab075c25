// Line protocol in bulk: the line that is taken in one pass, the one that a reader has read and the one that is looked at with
// care mean the same, and what was written in rows is what was written one by one, before a restart and behind it.
#include "link/ingest_lines.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

static const char model[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Sensor;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"p\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"n\",\"schema\":\"integer\"},{\"@type\":\"Telemetry\",\"name\":\"on\",\"schema\":\"boolean\"},"
    "{\"@type\":\"Property\",\"name\":\"set\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\"}]}";

enum { TWINS = 6, COLUMNS = 6 };
static const char *const keys[TWINS] = { "a", "w,twin=b", "w,host=x,twin=c", "w,twin=d\\ e", "w,twin=f\\=g", "w,twin=h,site=\xc3\xa5" };
static const char *const ids[TWINS]  = { "a", "b", "c", "d e", "f=g", "h" };

typedef struct house {
    gm_fault_io      disk;
    gm_loop         *loop;
    gm_engine       *engine;
    gm_dead_letters *letters;
    gm_ingest       *ingest;
    gm_lines        *lines;
    gm_arena        *arena;
    size_t           batch_limit;  // of the log; 0: the usual one
} house;

static void open_house(house *h)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &h->loop, &err), err);
    gm_engine_options o   = { .alloc = gm_alloc_system(), .io = &h->disk.io, .clock = gm_clock_system(), .loop = h->loop,
                              .data_dir = "data", .log = gm_log_options_defaults() };
    o.log.segment_size    = 1 << 20;
    o.log.realtime_commit = false;
    if (h->batch_limit > 0) o.log.batch_limit = h->batch_limit;
    assert_gm_ok(gm_engine_open(&o, &h->engine, &err), err);
    assert_gm_ok(gm_dead_letters_create(gm_alloc_system(), gm_clock_system(), h->engine, &h->letters, &err), err);
    assert_gm_ok(gm_engine_recover(h->engine, &err), err);
    gm_ingest_options i = { .alloc = gm_alloc_system(), .engine = h->engine, .dead_letters = h->letters, .loop = h->loop, .future = GM_DAY };
    assert_gm_ok(gm_ingest_create(&i, &h->ingest, &err), err);
    assert_gm_ok(gm_lines_create(gm_alloc_system(), h->ingest, &h->lines, &err), err);
    h->arena = gm_arena_create(gm_alloc_system(), 0);
    assert_non_null(h->arena);
}

static void close_house(house *h)
{
    gm_lines_destroy(h->lines);
    gm_ingest_destroy(h->ingest);
    gm_engine_close(h->engine);
    gm_dead_letters_destroy(h->letters);
    gm_arena_destroy(h->arena);
    gm_loop_destroy(h->loop);
}

static void put_twin(house *h, const char *id)
{
    gm_error err;
    assert_gm_ok(gm_engine_twin_put(h->engine, (gm_twin){ GM_NONE }, gm_str_of(id),
                                    gm_model_find(gm_engine_model(h->engine), GM_STR("dtmi:t:Sensor;1")), NULL, 0, (gm_ask){ 0 }, NULL, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
}

static house *make_house_of(size_t batch_limit)
{
    house   *h    = calloc(1, sizeof *h);
    gm_str   none = { 0 };
    gm_error err;
    assert_non_null(h);
    h->batch_limit = batch_limit;
    gm_fault_io_init(&h->disk, 1);
    open_house(h);
    assert_gm_ok(gm_engine_submit(h->engine, GM_CHANGE_MODELS, 0, none, none, gm_str_of(model), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    for (size_t i = 0; i < TWINS; i++) put_twin(h, ids[i]);
    return h;
}

static house *make_house(void) { return make_house_of(0); }

static void free_house(house *h)
{
    close_house(h);
    gm_fault_io_finish(&h->disk);
    free(h);
}

static void count_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token, (void)err;
    assert_int_equal(status, GM_OK);
    ++*(int *)context;
}

static gm_lines_result write_text(house *h, const char *text, size_t slice)
{
    gm_error       err;
    int            answered = 0;
    bool           asked;
    gm_str         rest  = gm_str_of(text);
    gm_line_batch *batch = gm_lines_begin(h->lines, h->arena, 1);
    assert_non_null(batch);
    while (rest.len > 0) assert_gm_ok(gm_lines_take(batch, &rest, slice, &err), err);
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = count_answer, .context = &answered }, &asked, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_int_equal(answered, asked);
    gm_lines_result result = *gm_lines_result_of(batch);
    gm_arena_clear(h->arena);
    return result;
}

// The same with a reader in front: as the API does it. *lines counts what it read.
static gm_lines_result write_read(house *h, gm_line_reader *reader, const char *text, size_t slice, size_t *lines)
{
    gm_error       err;
    int            answered = 0;
    bool           asked;
    gm_str         rest  = gm_str_of(text);
    gm_line_batch *batch = gm_lines_begin(h->lines, h->arena, 1);
    assert_non_null(batch);
    while (rest.len > 0) {
        gm_str part = gm_str_slice(rest, 0, slice);
        while (part.len < rest.len && part.len > 0 && part.ptr[part.len - 1] != '\n') part.len--;
        size_t    before = rest.len, taken = gm_line_reader_read(reader, part, 1);
        gm_status st = taken > 0 ? gm_lines_take_tables(batch, reader, taken, &rest, &err) : GM_CONFLICT;
        if (st != GM_CONFLICT) {
            assert_gm_ok(st, err);
            assert_int_equal(before - rest.len, taken);
            *lines += gm_line_reader_lines(reader);
        }
        size_t left = part.len > 0 ? part.len - (before - rest.len) : 1;
        if (left > 0) assert_gm_ok(gm_lines_take(batch, &rest, left, &err), err);
    }
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = count_answer, .context = &answered }, &asked, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_int_equal(answered, asked);
    gm_lines_result result = *gm_lines_result_of(batch);
    gm_arena_clear(h->arena);
    return result;
}

// ---- what a house holds, as text ----------------------------------------------------------------------------------
static bool note(void *context, const gm_sample *s)
{
    gm_buf *out = context;
    gm_buf_printf(out, " %" PRId64 ":%d:", s->at, (int)s->value.kind);
    if (s->value.kind == GM_KIND_DOUBLE) gm_buf_printf(out, "%a", s->value.d);
    else if (s->value.kind == GM_KIND_STRING) gm_buf_str(out, s->value.s);
    else gm_buf_printf(out, "%" PRId64, s->value.i);
    return true;
}

static void tell(house *h, gm_buf *out)
{
    gm_error        err;
    const gm_state *state = gm_engine_state(h->engine);
    for (size_t t = 0; t < TWINS; t++) {
        gm_twin twin = gm_state_find(state, gm_str_of(ids[t]));
        assert_true(gm_twin_ok(twin));
        for (uint32_t c = 0; c < COLUMNS; c++) {
            gm_cell cell;
            gm_state_get(state, twin, c, &cell);
            gm_buf_printf(out, "\n%s.%u now", ids[t], c);
            note(out, &(gm_sample){ .at = cell.source, .value = cell.value });
            gm_buf_printf(out, " was");
            assert_gm_ok(gm_engine_read_history(h->engine, twin, c, GM_TIME_MIN, GM_TIME_MAX, note, out, &err), err);
        }
    }
    gm_buf_byte(out, 0);
    assert_false(out->failed);
}

static void assert_same_told(house *a, house *b)
{
    gm_buf one = gm_buf_init(gm_alloc_system()), other = gm_buf_init(gm_alloc_system());
    tell(a, &one);
    tell(b, &other);
    assert_string_equal((const char *)one.ptr, (const char *)other.ptr);
    gm_buf_finish(&one);
    gm_buf_finish(&other);
}

// ---- texts --------------------------------------------------------------------------------------------------------
// gap: what stands between key and fields. Two spaces mean the same as one and are not what the fast path knows.
// plain: no oddities.
typedef struct pen { uint64_t random; gm_buf out; const char *gap; int64_t at; bool again, plain; } pen;

static void put_number(pen *w)
{
    static const char *const odd[] = { "0", "-0", "0.0", "-0.00", "007", "00", "1.", ".5", "-.5", "+1", "1e3", "-2E-2", "3i", "t", "FALSE", "\"x y\"", "",
                                       "123456789012345", "1234567890123456", "12345678901234567890", "0.123456789012345", "1.5000000000000000001",
                                       "9007199254740993", "-", "--1", "1..2", "1.2.3", "nan", "1_0", "0x10", "21.37 ", "1e400", "99999999999999.9" };
    uint64_t r = gm_test_random(&w->random);
    if (r % 16 == 0 && !w->plain) {
        gm_buf_text(&w->out, odd[r / 16 % (sizeof odd / sizeof odd[0])]);
        return;
    }
    static const uint64_t tens[] = { 1, 10, 1000, 1000000, 1000000000000 };
    gm_buf_printf(&w->out, "%s%" PRIu64, r & 16 ? "-" : "", (r >> 8) % tens[(r >> 5) % 5]);
    if ((r & 32) == 0) gm_buf_printf(&w->out, ".%0*u", (int)(1 + (r >> 50) % 3), (unsigned)(r >> 40) % 10);
}

static void put_time(pen *w)
{
    static const char *const odd[] = { "", "0", "007", "-5", "1.5", "1e18", "99999999999999999999", "9223372036854775807", "9223372036854775808",
                                       "7258118400000000001", "x", "12345678x", "1767225600000000000 1", "1767225600000000000  " };
    uint64_t r = gm_test_random(&w->random);
    if (!w->again) w->at += (int64_t)(r % 2000000000) - (r % 32 == 0 ? 4000000000 : 0) - (r % 33 == 0 ? (int64_t)(r % 2000000000) : 0);
    if (r % 64 == 7 && !w->plain) gm_buf_text(&w->out, odd[1 + r / 64 % (sizeof odd / sizeof odd[0] - 1)]);
    else gm_buf_printf(&w->out, "%" PRId64, w->at);
}

static void put_line(pen *w, size_t key)
{
    static const char *const fields[] = { "t", "p", "n", "on", "set", "mode", "other" };
    uint64_t r = gm_test_random(&w->random);
    bool     odd = r % 8 == 0 && !w->plain;
    size_t   n = odd ? 1 + r / 8 % 4 : 1 + key % 3;
    gm_buf_text(&w->out, keys[key]);
    gm_buf_text(&w->out, w->gap);
    for (size_t i = 0; i < n; i++) {
        const char *name = odd ? fields[gm_test_random(&w->random) % 7] : i < 2 ? fields[i] : "set";
        gm_buf_printf(&w->out, "%s%s=", i > 0 ? "," : "", name);
        if (strcmp(name, "n") == 0) gm_buf_printf(&w->out, "%di", (int)(r >> 20) % 100);
        else if (strcmp(name, "on") == 0) gm_buf_text(&w->out, r & 1024 ? "true" : "f");
        else if (strcmp(name, "mode") == 0) gm_buf_text(&w->out, r & 1024 ? "\"a,b \\\" c\"" : "\"auto\"");
        else put_number(w);
    }
    gm_buf_byte(&w->out, ' ');
    put_time(w);
    gm_buf_text(&w->out, r % 50 == 3 && !w->plain ? "\r\n" : r % 50 == 4 ? "\n\n" : "\n");
}

static char *write_some(uint64_t seed, const char *gap, size_t rounds, bool plain)
{
    pen w = { .random = seed, .out = gm_buf_init(gm_alloc_system()), .gap = gap, .at = INT64_C(1767225600000000000), .plain = plain };
    for (size_t i = 0; i < rounds * TWINS; i++) {
        size_t key = gm_test_random(&w.random) % 40 == 0 ? gm_test_random(&w.random) % TWINS : i % TWINS;
        put_line(&w, key);
        w.again = true;  // the same time: a correction
        if (gm_test_random(&w.random) % 10 == 0) put_line(&w, key);
        w.again = false;
        if (gm_test_random(&w.random) % 50 == 0 && !plain) gm_buf_text(&w.out, "# a comment\n\n");
    }
    gm_buf_byte(&w.out, 0);
    assert_false(w.out.failed);
    return (char *)w.out.ptr;
}

static char *write_lines(uint64_t seed, const char *gap, size_t rounds) { return write_some(seed, gap, rounds, false); }

// ---- tests --------------------------------------------------------------------------------------------------------
static void the_fast_way_and_the_careful_way_agree(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 4; round++) {
        house   *fast = make_house(), *careful = make_house();
        for (int request = 0; request < 4; request++) {
            uint64_t seed   = gm_test_random(&random);
            size_t   rounds = 20 + seed % 80, slice = request % 2 == 0 ? SIZE_MAX : 1 + seed % 500;
            char    *a = write_lines(seed, " ", rounds), *b = write_lines(seed, "  ", rounds);
            gm_lines_result ra = write_text(fast, a, slice), rb = write_text(careful, b, SIZE_MAX);
            assert_int_equal(ra.lines, rb.lines);
            assert_int_equal(ra.points, rb.points);
            assert_int_equal(ra.rejected, rb.rejected);
            assert_string_equal(ra.first, rb.first);
            assert_true(ra.rejected > 0 && ra.points > 0);
            gm_free(gm_alloc_system(), a);
            gm_free(gm_alloc_system(), b);
            assert_same_told(fast, careful);
        }
        // And from the log it is the same again.
        close_house(fast);
        gm_fault_io_restart(&fast->disk);
        open_house(fast);
        assert_same_told(fast, careful);
        free_house(fast);
        free_house(careful);
    }
}

// Whatever is in a text, and wherever it is cut: what a reader read, and was taken as tables, is what is read with care.
static void what_a_reader_read_is_what_is_read_with_care(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 6; round++) {
        house          *read = make_house(), *careful = make_house();
        gm_line_reader *reader = gm_line_reader_create(gm_alloc_system());
        size_t          lines = 0;
        bool            plain = round % 2 == 0;
        assert_non_null(reader);
        for (int request = 0; request < 4; request++) {
            uint64_t seed   = gm_test_random(&random);
            size_t   rounds = 20 + seed % 80, slice = request % 2 == 0 ? SIZE_MAX : 1 + seed % 900;
            char    *a = write_some(seed, " ", rounds, plain), *b = write_some(seed, "  ", rounds, plain);
            gm_lines_result ra = write_read(read, reader, a, slice, &lines), rb = write_text(careful, b, SIZE_MAX);
            assert_int_equal(ra.lines, rb.lines);
            assert_int_equal(ra.points, rb.points);
            assert_int_equal(ra.rejected, rb.rejected);
            assert_string_equal(ra.first, rb.first);
            assert_true(ra.points > 0);
            if (plain && slice == SIZE_MAX) assert_int_equal(ra.lines, gm_line_reader_lines(reader));
            gm_free(gm_alloc_system(), a);
            gm_free(gm_alloc_system(), b);
            assert_same_told(read, careful);
        }
        assert_true(lines > 0);
        close_house(read);
        gm_fault_io_restart(&read->disk);
        open_house(read);
        assert_same_told(read, careful);
        gm_line_reader_destroy(reader);
        free_house(read);
        free_house(careful);
    }
}

static void keep_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token, (void)err;
    *(gm_status *)context = status;
}

// The log is full in the middle of tables; meanwhile one twin goes and one gets a model that has the same name for a whole number.
static void tables_that_wait_for_the_log_lose_the_twins_that_go_meanwhile(void **state)
{
    (void)state;
    static const char other[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Other;1\",\"@type\":\"Interface\",\"contents\":["
                                "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"integer\"}]}";
    enum { ROWS = 100 };
    house          *h      = make_house_of(4096);
    gm_line_reader *reader = gm_line_reader_create(gm_alloc_system());
    gm_str          none = { 0 };
    gm_error        err;
    gm_status       told = GM_CORRUPT;
    bool            asked;
    gm_buf          text = gm_buf_init(gm_alloc_system());
    assert_non_null(reader);
    assert_gm_ok(gm_engine_submit(h->engine, GM_CHANGE_MODELS, 0, none, none, gm_str_of(other), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    for (int i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < TWINS; k++) gm_buf_printf(&text, "%s t=%d.5 %" PRId64 "\n", keys[k], i, INT64_C(1767225600000000000) + i);
    }
    gm_str         rest  = gm_buf_view(&text);
    size_t         taken = gm_line_reader_read(reader, rest, 1);
    gm_line_batch *batch = gm_lines_begin(h->lines, h->arena, 1);
    assert_int_equal(taken, rest.len);
    assert_int_equal(gm_lines_take_tables(batch, reader, taken, &rest, &err), GM_LIMIT);
    assert_int_equal(rest.len, taken);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    const gm_state *now = gm_engine_state(h->engine);
    assert_gm_ok(gm_engine_twin_delete(h->engine, gm_state_find(now, gm_str_of(ids[4])), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_twin_put(h->engine, gm_state_find(now, gm_str_of(ids[5])), gm_str_of(ids[5]),
                                    gm_model_find(gm_engine_model(h->engine), GM_STR("dtmi:t:Other;1")), NULL, 0, (gm_ask){ 0 }, NULL, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    gm_str again = GM_STR("w,twin=h,site=\xc3\xa5 t=7i\n");  // the key is looked up again by others
    gm_line_batch *others = gm_lines_begin(h->lines, h->arena, 1);
    assert_gm_ok(gm_lines_take(others, &again, SIZE_MAX, &err), err);
    gm_status st;
    while ((st = gm_lines_take_tables(batch, reader, taken, &rest, &err)) == GM_LIMIT) assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_gm_ok(st, err);
    assert_int_equal(rest.len, 0);
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = keep_answer, .context = &told }, &asked, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    if (asked) assert_int_equal(told, GM_OK);
    const gm_lines_result *result = gm_lines_result_of(batch);
    assert_int_equal(result->rejected, 2 * ROWS);
    assert_int_equal(result->points, (TWINS - 2) * ROWS);
    assert_int_equal(result->lines, TWINS * ROWS);
    for (size_t k = 0; k < 4; k++) assert_int_equal(gm_engine_count_history(h->engine, gm_state_find(now, gm_str_of(ids[k])), 0), ROWS);
    assert_int_equal(gm_engine_count_history(h->engine, gm_state_find(now, gm_str_of(ids[5])), 0), 0);
    gm_buf_finish(&text);
    gm_line_reader_destroy(reader);
    free_house(h);
}

// What was written without an ask is waited for also when the end of the text has nothing to write.
static void whoever_waits_hears_when_all_is_durable_not_before(void **state)
{
    (void)state;
    house          *h      = make_house();
    gm_line_reader *reader = gm_line_reader_create(gm_alloc_system());
    gm_error        err;
    gm_status       told = GM_CORRUPT;
    bool            asked;
    gm_str          rest  = GM_STR("a t=1 1767225600000000000\n# the end\n");
    gm_line_batch  *batch = gm_lines_begin(h->lines, h->arena, 1);
    assert_non_null(reader);
    size_t taken = gm_line_reader_read(reader, rest, 1);
    assert_int_equal(taken, 26);
    assert_gm_ok(gm_lines_take_tables(batch, reader, taken, &rest, &err), err);
    assert_gm_ok(gm_lines_take(batch, &rest, SIZE_MAX, &err), err);
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = keep_answer, .context = &told }, &asked, &err), err);
    assert_true(asked);
    assert_int_equal(told, GM_CORRUPT);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_int_equal(told, GM_OK);
    gm_line_reader_destroy(reader);
    free_house(h);
}

// Rows and cells are two forms of one change: the same points one a request, and so one a record, end in the same place.
static void rows_are_what_single_points_are(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    house   *bulk = make_house(), *single = make_house();
    char    *text = write_lines(seed, " ", 1300);
    (void)write_text(bulk, text, SIZE_MAX);
    gm_str rest = gm_str_of(text), line;
    while (gm_str_next(&rest, '\n', &line)) {
        char *one = strndup(line.ptr, line.len);
        assert_non_null(one);
        (void)write_text(single, one, SIZE_MAX);
        free(one);
    }
    assert_same_told(bulk, single);
    gm_free(gm_alloc_system(), text);
    free_house(bulk);
    free_house(single);
}

// Between two slices of a request other things happen. Whoever waits is answered all the same.
static void a_twin_that_goes_in_the_middle_of_a_request_takes_its_lines_along(void **state)
{
    (void)state;
    house         *h = make_house();
    gm_error       err;
    int            answered = 0;
    bool           asked;
    gm_str         rest  = GM_STR("a t=1 1767225600000000000\nw,twin=b t=2 1767225600000000000\nw,twin=b t=3 1767225601000000000\n");
    gm_line_batch *batch = gm_lines_begin(h->lines, h->arena, 1);
    assert_gm_ok(gm_lines_take(batch, &rest, SIZE_MAX, &err), err);
    gm_twin b = gm_state_find(gm_engine_state(h->engine), GM_STR("b"));
    assert_gm_ok(gm_engine_twin_delete(h->engine, b, (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = count_answer, .context = &answered }, &asked, &err), err);
    assert_true(asked);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_int_equal(answered, 1);
    assert_int_equal(gm_lines_result_of(batch)->points, 1);
    assert_int_equal(gm_lines_result_of(batch)->rejected, 2);
    gm_arena_clear(h->arena);

    batch = gm_lines_begin(h->lines, h->arena, 1);
    rest  = GM_STR("a t=1 1767225602000000000\n");
    assert_gm_ok(gm_lines_take(batch, &rest, SIZE_MAX, &err), err);
    assert_gm_ok(gm_engine_twin_delete(h->engine, gm_state_find(gm_engine_state(h->engine), GM_STR("a")), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(h->engine, &err), err);
    assert_gm_ok(gm_lines_finish(batch, (gm_ask){ .call = count_answer, .context = &answered }, &asked, &err), err);
    assert_false(asked);  // nobody will call: the caller answers
    assert_int_equal(gm_lines_result_of(batch)->rejected, 1);
    free_house(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_way_and_the_careful_way_agree),
        cmocka_unit_test(what_a_reader_read_is_what_is_read_with_care),
        cmocka_unit_test(tables_that_wait_for_the_log_lose_the_twins_that_go_meanwhile),
        cmocka_unit_test(whoever_waits_hears_when_all_is_durable_not_before),
        cmocka_unit_test(rows_are_what_single_points_are),
        cmocka_unit_test(a_twin_that_goes_in_the_middle_of_a_request_takes_its_lines_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
