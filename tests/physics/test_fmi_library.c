// FMUs without a library for this machine: made of their sources, or refused with what is missing.
#include "physics/fmi/compiler.h"
#include "physics/fmi_support.h"

typedef struct packed { const char *description, *build; bool two; } packed;  // build: buildDescription.xml, or NULL

// The ladder's sources in an archive, nothing in binaries/.
static const char *pack_sources(const packed *p)
{
    static char path[1024];
    char        from[4096];
    snprintf(path, sizeof path, "%s/sources.fmu", folder);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    const char *const files[][2] = { { p->description, "modelDescription.xml" }, { "ladder.c", "sources/ladder.c" }, { "toy.h", "sources/below/toy.h" } };
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(files[i][0], "<?xml", 5) == 0) {
            add_text(zip, files[i][1], files[i][0], strlen(files[i][0]));
            continue;
        }
        snprintf(from, sizeof from, "%s/tests/physics/fmu/%s", gm_test_root(), files[i][0]);
        add_file(zip, files[i][1], from);
    }
    if (p->two) {  // FMI 2 knows one folder
        snprintf(from, sizeof from, "%s/tests/physics/fmu/toy.h", gm_test_root());
        add_file(zip, "sources/toy.h", from);
    }
    if (p->build != NULL) add_text(zip, "sources/buildDescription.xml", p->build, strlen(p->build));
    add_text(zip, "resources/note.txt", "from the resources\n", 19);
    assert_int_equal(zip_close(zip), 0);
    return path;
}

static gm_fmu *open_sources(const packed *p, const char *compiler)
{
    gm_fmu_host host = { .alloc = gm_alloc_system(), .clock = gm_clock_system(), .program = getenv("GEMEL"), .call_limit = 60 * GM_SECOND, .compiler = compiler };
    gm_error    err  = { 0 };
    gm_fmu     *fmu  = NULL;
    assert_gm_ok(gm_fmu_open(&host, pack_sources(p), &fmu, &err), err);
    return fmu;
}

#define BUILD(inside) "<?xml version=\"1.0\"?><fmiBuildDescription fmiVersion=\"3.0\">" inside "</fmiBuildDescription>"
#define SET(file, more) BUILD("<BuildConfiguration modelIdentifier=\"ladder\"><SourceFileSet language=\"C99\"><SourceFile name=\"" file "\"/>" \
                              more "</SourceFileSet></BuildConfiguration>")

static const char whole[] = SET("ladder.c", "<PreprocessorDefinition name=\"TOP_BY_100\" value=\"50\"/><IncludeDirectory name=\"below\"/>");

static void sources_are_compiled_once_and_run(void **state)
{
    (void)state;
    const packed packs[] = { { "ladder2.xml", NULL, true }, { "ladder3.xml", whole, false } };
    for (size_t i = 0; i < 2; i++) {
        gm_fmu            *fmu = open_sources(&packs[i], NULL);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        for (int again = 0; again < 2; again++) {
            gm_buf       log = gm_buf_init(gm_alloc_system());
            static table t;
            gm_error     err;
            assert_gm_ok(run(fmu, &o, &t, &log, &err), err);
            assert_int_equal(gm_str_find(gm_buf_view(&log), GM_STR("made one of the FMU's sources")) != SIZE_MAX, again == 0);
            assert_true(t.rows[t.count - 1][0] == 9 && t.rows[t.count - 1][2] == 10);
            assert_true(t.rows[t.count - 1][3] == (i == 0 ? 14 : 18));  // falls: at 0.64, or where the definition says
            gm_buf_finish(&log);
            done(&t);
        }
        gm_fmu_close(fmu);
    }
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    static const struct { packed p; const char *compiler, *says; } cases[] = {
        { { "ladder3.xml", NULL, false }, NULL, "no sources to make it of" },
        { { "ladder3.xml", "<nonsense/>", false }, NULL, "no sources to make it of" },
        { { "ladder3.xml", whole, false }, "no-such-compiler", "there is no compiler no-such-compiler; install gcc or clang" },
        { { "ladder3.xml", whole, false }, "false", "the compiler false fails" },
        { { "ladder3.xml", SET("ladder.c", ""), false }, NULL, "toy.h" },  // a header that the compiler does not find
        { { "ladder3.xml", SET("../../../etc/passwd", ""), false }, NULL, "leads outside" },
        { { "ladder3.xml", SET("/etc/passwd", ""), false }, NULL, "leads outside" },
        { { "ladder3.xml", SET("ladder.c", "<IncludeDirectory name=\"../..\"/>"), false }, NULL, "leads outside" },
        { { "ladder3.xml", BUILD("<BuildConfiguration modelIdentifier=\"ladder\"><SourceFileSet language=\"C++11\"><SourceFile name=\"ladder.c\"/>"
                                 "</SourceFileSet></BuildConfiguration>"), false }, NULL, "written in C++11" },
        { { "ladder3.xml", BUILD("<BuildConfiguration modelIdentifier=\"ladder\"><SourceFileSet><SourceFile name=\"ladder.c\"/></SourceFileSet>"
                                 "<Library name=\"-fplugin=x\"/></BuildConfiguration>"), false }, NULL, "leads outside" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fmu            *fmu = open_sources(&cases[i].p, cases[i].compiler);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        if (run(fmu, &o, &t, NULL, &err) != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("case %zu: '%s'", i, err.text);
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void a_compiler_that_hangs_is_ended_with_what_it_started(void **state)
{
    (void)state;
    const char *const words[] = { "sh", "-c", "sleep 1000 & wait", NULL };
    gm_error          err     = { 0 };
    assert_int_equal(gm_fmu_compiler_run(words, folder, 200 * GM_MILLISECOND, &err), GM_LIMIT);
    assert_non_null(strstr(err.text, "took longer than 0.2 s"));
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_compiled_once_and_run),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(a_compiler_that_hangs_is_ended_with_what_it_started),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
