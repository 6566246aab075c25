// FMU archives that are not what they seem.
#include "physics/fmi/archive.h"
#include "physics/fmi_support.h"

#include <dirent.h>
#include <sys/stat.h>

static size_t entries(const char *path)
{
    size_t n   = 0;
    DIR   *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL) n++;
    if (dir != NULL) closedir(dir);
    return n;
}

static void hostile_archives_are_refused_and_leave_nothing_behind(void **state)
{
    (void)state;
    static const struct { const char *name; const char *says; bool link; } cases[] = {
        { "../outside.txt", "leads outside", false }, { "/etc/x", "absolute", false }, { "a/../../b", "leads outside", false }, { "a\\..\\b", "forbidden", false },
        { "a//b", "leads outside", false },           { "./a", "leads outside", false }, { "link", "link or a device", true },
    };
    char path[1024], out[GM_FMU_PATH_MAX], work[600];
    snprintf(work, sizeof work, "%s/work", folder);
    assert_int_equal(mkdir(work, 0700), 0);
    setenv("TMPDIR", work, 1);
    gm_fmu_archive_limits limits = gm_fmu_archive_limits_defaults();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(path, sizeof path, "%s/bad%zu.fmu", folder, i);
        zip_t      *zip   = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
        zip_int64_t index = add_text(zip, cases[i].name, "text", 4);
        if (cases[i].link) zip_file_set_external_attributes(zip, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX, (zip_uint32_t)(S_IFLNK | 0777) << 16);
        assert_int_equal(zip_close(zip), 0);
        gm_error err = { 0 };
        if (gm_fmu_archive_unpack(path, NULL, &limits, out, &err) != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: '%s'", cases[i].name, err.text);
        assert_int_equal(entries(work), 2);
    }
    unsetenv("TMPDIR");
}

static void archives_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    char path[1024], out[GM_FMU_PATH_MAX];
    snprintf(path, sizeof path, "%s/bomb.fmu", folder);
    size_t size  = 16 << 20;
    char  *zeros = calloc(1, size);
    zip_t *zip   = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    add_text(zip, "zeros", zeros, size);
    add_text(zip, "more", "x", 1);
    assert_int_equal(zip_close(zip), 0);
    free(zeros);
    const struct { gm_fmu_archive_limits limits; const char *says; } cases[] = {
        { { 1, 1 << 30, 1000000 }, "2 entries" }, { { 10, 1 << 20, 1000000 }, "bytes when unpacked" }, { { 10, 1 << 30, 100 }, "grows more than" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error err = { 0 };
        if (gm_fmu_archive_unpack(path, NULL, &cases[i].limits, out, &err) != GM_LIMIT || strstr(err.text, cases[i].says) == NULL) fail_msg("'%s'", err.text);
    }
    gm_error err = { 0 };
    snprintf(path, sizeof path, "%s/none.fmu", folder);
    gm_fmu_archive_limits limits = gm_fmu_archive_limits_defaults();
    assert_int_equal(gm_fmu_archive_unpack(path, NULL, &limits, out, &err), GM_NOTFOUND);
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_archives_are_refused_and_leave_nothing_behind),
        cmocka_unit_test(archives_beyond_the_limits_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
