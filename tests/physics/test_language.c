// The language, model by model: the files of language/ hold small texts, each with what its variables must be at the end.
//
//   //--- title                              begins a text
//   //= stop 2                               s; 1 otherwise
//   //= x 0.1353 within 1e-6: exp(-2)        the last value of x, relative above 1; why it is that
//   //= error some words                     the run must fail, saying that
#include "physics/solve/solve.h"
#include "modelica_support.h"

enum { CHECKS_MAX = 16 };

typedef struct check { gm_str name; double value, tolerance; } check;

typedef struct section {
    gm_str title, text, error;
    double stop;
    check  checks[CHECKS_MAX];
    int    check_count;
} section;

static double number_of(gm_str text)
{
    char room[64];
    snprintf(room, sizeof room, GM_STR_FMT, GM_STR_ARG(text));
    char  *end;
    double value = strtod(room, &end);
    if (end == room || *end != '\0') fail_msg("'%s' is no number", room);
    return value;
}

static gm_str word(gm_str *rest)
{
    gm_str part = { 0 };
    while (rest->len > 0 && rest->ptr[0] == ' ') *rest = gm_str_slice(*rest, 1, rest->len);
    (void)gm_str_next(rest, ' ', &part);
    return part;
}

static void read_expectation(section *s, gm_str line)
{
    gm_str rest = line, first = word(&rest);
    if (gm_str_is(first, "stop")) {
        s->stop = number_of(word(&rest));
    } else if (gm_str_is(first, "error")) {
        s->error = rest;
    } else {
        assert_in_range(s->check_count, 0, CHECKS_MAX - 1);
        check *c     = &s->checks[s->check_count++];
        c->name      = first;
        c->value     = number_of(word(&rest));
        gm_str words = word(&rest), within = word(&rest);
        if (!gm_str_is(words, "within")) fail_msg("`within` is missing: " GM_STR_FMT, GM_STR_ARG(line));
        if (within.len > 0 && within.ptr[within.len - 1] == ':') within.len--;
        c->tolerance = number_of(within);
    }
}

// The next text of the file; false: that was all.
static bool next_section(gm_str *rest, section *out)
{
    *out = (section){ .stop = 1 };
    for (gm_str line; out->title.len == 0;) {
        if (!gm_str_next(rest, '\n', &line)) return false;
        if (gm_str_starts(line, GM_STR("//--- "))) out->title = gm_str_slice(line, 6, line.len);
    }
    const char *begin = rest->ptr;
    gm_str      look = *rest, line;
    size_t      length = 0;
    while (gm_str_next(&look, '\n', &line) && !gm_str_starts(line, GM_STR("//--- "))) {
        if (gm_str_starts(line, GM_STR("//= "))) read_expectation(out, gm_str_slice(line, 4, line.len));
        length = (size_t)(line.ptr + line.len - begin);
    }
    out->text = (gm_str){ begin, length };
    *rest     = gm_str_slice(*rest, length, rest->len);
    return true;
}

typedef struct ending { double *values, time; uint32_t count; } ending;

static gm_status keep(void *context, const gm_solve_row *row, gm_error *err)
{
    ending *e = context;
    (void)err;
    e->time = row->time;
    memcpy(e->values, row->values, e->count * sizeof *e->values);
    return GM_OK;
}

static void compare(const char *where, const section *s, const gm_program *program, const ending *e)
{
    for (int i = 0; i < s->check_count; i++) {
        const check *c = &s->checks[i];
        gm_slot      slot = GM_TIME_SLOT;
        bool         negated = false;
        double       value = e->time;
        if (!gm_str_is(c->name, "time")) {
            if (!gm_program_find(program, c->name, &slot, &negated)) {
                fail_msg("%s, " GM_STR_FMT ": there is no " GM_STR_FMT, where, GM_STR_ARG(s->title), GM_STR_ARG(c->name));
            }
            value = negated ? -e->values[slot.v] : e->values[slot.v];
        }
        if (!(fabs(value - c->value) <= c->tolerance * fmax(1, fabs(c->value)))) {
            fail_msg("%s, " GM_STR_FMT ": " GM_STR_FMT " is %.12g, not %.12g", where, GM_STR_ARG(s->title), GM_STR_ARG(c->name), value,
                     c->value);
        }
    }
}

static void run_section(const char *where, const section *s, gm_solver solver)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_add(&text, s->text.ptr, s->text.len);
    gm_buf_byte(&text, 0);
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(), (const char *)text.ptr, NULL);
    gm_error  err = { 0 };
    gm_status st  = m.status;
    if (st == GM_OK) {
        gm_solve_options o = gm_solve_options_defaults();
        gm_solve_report  report;
        o.solver    = solver;
        o.stop      = s->stop;
        o.tolerance = 1e-9;
        ending e    = { .count = gm_program_slot_count(m.program) };
        e.values    = calloc(e.count, sizeof *e.values);
        st          = gm_solve(gm_alloc_system(), m.program, &o, NULL, 0, keep, &e, &report, &err);
        if (st == GM_OK && s->error.len == 0) compare(where, s, m.program, &e);
        free(e.values);
    }
    const char *said = m.status == GM_OK ? err.text : (const char *)m.text.ptr;
    if (s->error.len == 0 && st != GM_OK) fail_msg("%s, " GM_STR_FMT ": %s", where, GM_STR_ARG(s->title), said);
    if (s->error.len > 0 && (st == GM_OK || gm_str_find(gm_str_of(said), s->error) >= strlen(said))) {
        fail_msg("%s, " GM_STR_FMT ": wanted `" GM_STR_FMT "`, got: %s", where, GM_STR_ARG(s->title), GM_STR_ARG(s->error), said);
    }
    gm_test_model_close(&m);
    gm_buf_finish(&text);
}

static void run_file(const char *name, int least)
{
    const char *root = getenv("GM_SOURCE_ROOT");
    char        path[1024];
    uint8_t    *bytes = NULL;
    size_t      size  = 0;
    section     s;
    gm_error    err   = { 0 };
    int         count = 0;
    snprintf(path, sizeof path, "%s/tests/physics/language/%s.mo", root != NULL ? root : ".", name);
    assert_gm_ok(gm_io_read_file(gm_io_system(), path, 1 << 20, &bytes, &size, &err), err);
    for (gm_str rest = { (const char *)bytes, size }; next_section(&rest, &s); count++) {
        run_section(name, &s, GM_SOLVER_AUTO);
        run_section(name, &s, GM_SOLVER_DOPRI);
    }
    gm_free(gm_io_system()->alloc, bytes);
    assert_true(count >= least);  // the file was found and taken apart
}

static void base_modelica_as_compilers_write_it(void **state) { (void)state, run_file("base", 8); }
static void arrays_and_their_operators(void **state) { (void)state, run_file("arrays", 13); }
static void functions_records_and_rounding(void **state) { (void)state, run_file("functions", 14); }
static void classes_are_inherited_modified_and_redeclared(void **state) { (void)state, run_file("classes", 13); }
static void events_of_every_kind(void **state) { (void)state, run_file("events", 21); }
static void small_models_of_many_kinds(void **state) { (void)state, run_file("more", 12); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_modelica_as_compilers_write_it),
        cmocka_unit_test(arrays_and_their_operators),
        cmocka_unit_test(functions_records_and_rounding),
        cmocka_unit_test(classes_are_inherited_modified_and_redeclared),
        cmocka_unit_test(events_of_every_kind),
        cmocka_unit_test(small_models_of_many_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
