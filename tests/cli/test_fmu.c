// gemel fmu export | info | check | run as a user types them, and what is left behind when they are interrupted.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[512], model[600], fmu[600], csv[600], work[600];

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int entries(const char *path)
{
    int  n   = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void expect(gm_ran ran, int code, const char *out, const char *err)
{
    if (ran.code != code || (out != NULL && strstr(GM_TEXT(ran.out), out) == NULL) || (err != NULL && strstr(GM_TEXT(ran.err), err) == NULL)) {
        fail_msg("exit %d\n%s\n%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    }
    gm_ran_finish(&ran);
}

static void a_model_is_exported_told_checked_and_run(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        expect(GM_RUN("fmu", "export", model, "--fmi", version == 2 ? "2" : "3", "--stop", "2", "--step", "0.5", "--out", fmu), 0, NULL, NULL);
        expect(GM_RUN("fmu", "info", fmu), 0, version == 2 ? "FMI           2.0" : "FMI           3.0", NULL);
        expect(GM_RUN("fmu", "info", fmu), 0, "stop 2 s step 0.5 s", NULL);
        expect(GM_RUN("fmu", "check", fmu), 0, "model exchange: terminated", NULL);
        expect(GM_RUN("fmu", "run", fmu, "--set", "k=2", "--out", csv), 0, NULL, NULL);
        gm_buf rows = gm_test_read_file(csv);
        gm_buf_byte(&rows, '\0');
        assert_true(strncmp((const char *)rows.ptr, "time,y\n0,2\n0.5,", 15) == 0);
        double last = strtod(strstr((const char *)rows.ptr, "\n2,") + 3, NULL);
        assert_true(last > 1 + 0.0183 - 1e-4 && last < 1 + 0.0183 + 1e-4);  // 1 + exp(-2 k)
        gm_buf_finish(&rows);
        expect(GM_RUN("fmu", "run", fmu, "--me", "--method", "accurate", "--all"), 0, "time,k,x,y,der(x)\n0,1,1,2,-1\n", NULL);
    }
    assert_int_equal(entries(work), 0);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    expect(GM_RUN("fmu", "run", fmu, "--set", "nothing=1"), 1, NULL, "no variable 'nothing'");
    expect(GM_RUN("fmu", "run", fmu, "--se"), 1, NULL, "does not offer scheduled execution");
    expect(GM_RUN("fmu", "run", fmu, "--me", "--cs"), 2, NULL, "one of --cs, --me and --se");
    expect(GM_RUN("fmu", "run", fmu, "--method", "guess"), 2, NULL, "euler or accurate");
    expect(GM_RUN("fmu", "run", "/nowhere.fmu"), 1, NULL, "there is no file /nowhere.fmu");
    expect(GM_RUN("fmu", "check", model), 1, NULL, "not a zip archive");
    expect(GM_RUN("fmu", "export", model, "--fmi", "1"), 2, NULL, "--fmi is 2 or 3");
    expect(GM_RUN("fmu", "export", model, "--class", "Nothing", "--out", csv), 1, NULL, "Nothing");
    expect(GM_RUN("fmu", "export", model, "--compiler", "no-such-cc", "--out", csv), 1, NULL, "no-such-cc");
    expect(GM_RUN("fmu", "export", model, "--sources-only", "--out", fmu), 0, NULL, NULL);
    // Without a compiler in PATH its sources are of no use.
    char *path = strdup(getenv("PATH") != NULL ? getenv("PATH") : "");
    setenv("PATH", "/nowhere", 1);
    expect(GM_RUN("fmu", "run", fmu), 1, NULL, "only sources for this machine, and there is no compiler cc; install gcc or clang");
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(entries(work), 0);
}

static void an_fmu_of_sources_is_compiled_and_run(void **state)
{
    (void)state;
    expect(GM_RUN("fmu", "export", model, "--sources-only", "--out", fmu), 0, NULL, NULL);
    expect(GM_RUN("fmu", "run", fmu, "--log", "--stop", "1"), 0, "\n1,1.367", "made one of the FMU's sources");
    assert_int_equal(entries(work), 0);
}

// A run long enough to be met in the middle: its folder is there, and gone after the signal.
static void an_interrupted_run_leaves_no_folder_behind(void **state)
{
    (void)state;
    static const int signals[] = { SIGINT, SIGTERM };
    expect(GM_RUN("fmu", "export", model, "--out", fmu), 0, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        const char *words[] = { "fmu", "run", fmu, "--stop", "1e9", "--step", "0.01", "--out", "/dev/null", NULL };
        gm_child   *child   = gm_child_start(words);
        for (int tries = 0; entries(work) == 0 && tries < 1000; tries++) gm_child_read(child, 10);
        assert_int_equal(entries(work), 1);
        kill(child->pid, signals[i]);
        int code = gm_child_wait(child);
        if (code != 128 + signals[i]) fail_msg("ends with %d", code);
        assert_int_equal(entries(work), 0);
        gm_child_free(child);
    }
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    snprintf(model, sizeof model, "%s/decay.mo", folder);
    snprintf(fmu, sizeof fmu, "%s/decay.fmu", folder);
    snprintf(csv, sizeof csv, "%s/decay.csv", folder);
    snprintf(work, sizeof work, "%s/work", folder);
    write_text(model, "model Decay parameter Real k = 1; Real x(start = 1, fixed = true); output Real y = 1 + x; equation der(x) = -k * x; end Decay;\n");
    if (mkdir(work, 0700) != 0) return 1;
    setenv("TMPDIR", work, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_exported_told_checked_and_run),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(an_fmu_of_sources_is_compiled_and_run),
        cmocka_unit_test(an_interrupted_run_leaves_no_folder_behind),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
