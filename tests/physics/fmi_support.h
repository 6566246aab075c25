// tests/physics/fmi_support.h: FMUs of our own (fmu/) packed into archives, and runs of them read back as numbers.
#ifndef GM_TESTS_PHYSICS_FMI_SUPPORT_H
#define GM_TESTS_PHYSICS_FMI_SUPPORT_H

#include "physics/fmi/run.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

static char folder[512];  // of the test program: made in main

// ---- archives -----------------------------------------------------------------------------------------------------------

static inline void add_file(zip_t *zip, const char *name, const char *path)
{
    zip_source_t *source = zip_source_file(zip, path, 0, -1);
    assert_true(source != NULL && zip_file_add(zip, name, source, 0) >= 0);
}

static inline zip_int64_t add_text(zip_t *zip, const char *name, const char *text, size_t size)
{
    zip_source_t *source = zip_source_buffer(zip, text, size, 0);
    zip_int64_t   index  = source != NULL ? zip_file_add(zip, name, source, 0) : -1;
    assert_true(index >= 0);
    return index;
}

// Writes folder/<library>.fmu out of fmu/<xml>.xml and the built library.
static inline const char *pack(const char *library, const char *xml, const char *identifier, bool two)
{
    static char path[1024];
    char        from[4096], name[200];
    snprintf(path, sizeof path, "%s/%s.fmu", folder, library);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    snprintf(from, sizeof from, "%s/tests/physics/fmu/%s.xml", gm_test_root(), xml);
    gm_buf text = gm_test_read_file(from);
    char  *copy = malloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    gm_buf_finish(&text);
    // The stateless library is described as one: the same text with the capability turned off.
    for (char *at; strcmp(library, "toy2_stateless") == 0 && (at = strstr(copy, "FMUstate=\"true\"")) != NULL;) memcpy(at + 9, "\"0\"   ", 6);
    add_text(zip, "modelDescription.xml", copy, strlen(copy));
    const char *gemel = getenv("GEMEL");
    assert_non_null(gemel);
    snprintf(from, sizeof from, "%.*s/tests/physics/%s.so", (int)(strrchr(gemel, '/') - gemel), gemel, library);
    snprintf(name, sizeof name, "binaries/%s/%s.so", two ? "linux64" : "x86_64-linux", identifier);
    add_file(zip, name, from);
    add_text(zip, "resources/note.txt", "from the resources\n", 19);
    assert_int_equal(zip_close(zip), 0);
    free(copy);
    return path;
}

static inline gm_fmu *open_toy(const char *library, const char *xml, const char *identifier, bool two, gm_dur_ns limit)
{
    gm_fmu_host host = { .alloc = gm_alloc_system(), .clock = gm_clock_system(), .program = getenv("GEMEL"), .call_limit = limit };
    gm_error    err  = { 0 };
    gm_fmu     *fmu  = NULL;
    assert_gm_ok(gm_fmu_open(&host, pack(library, xml, identifier, two), &fmu, &err), err);
    return fmu;
}

static inline gm_fmu *toy(int version) { return open_toy(version == 2 ? "toy2" : "toy3", version == 2 ? "toy2" : "toy3", "toy", version == 2, 60 * GM_SECOND); }

// ---- runs ---------------------------------------------------------------------------------------------------------------

enum { TABLE_ROWS = 2000, TABLE_COLUMNS = 8 };
typedef struct table { gm_buf text; double rows[TABLE_ROWS][TABLE_COLUMNS]; size_t count; } table;  // the first columns, as numbers

static inline gm_status keep(void *context, gm_str text, gm_error *err)
{
    (void)err;
    gm_buf_str(context, text);
    return GM_OK;
}

static inline gm_status run(const gm_fmu *fmu, const gm_fmu_run_options *o, table *t, gm_buf *log, gm_error *err)
{
    *err         = (gm_error){ 0 };
    t->text      = gm_buf_init(gm_alloc_system());
    t->count     = 0;
    gm_status st = gm_fmu_run(fmu, o, keep, &t->text, log, err);
    gm_buf_byte(&t->text, '\0');
    const char *line = strchr((const char *)t->text.ptr, '\n');
    while (line != NULL && line[1] != '\0' && t->count < TABLE_ROWS) {
        char *end = (char *)(uintptr_t)line;
        for (int k = 0; k < TABLE_COLUMNS; k++) t->rows[t->count][k] = k > 0 && *end != ',' ? NAN : strtod(end + 1, &end);
        t->count++;
        line = strchr(line + 1, '\n');
    }
    return st;
}

static inline void done(table *t) { gm_buf_finish(&t->text); }

static inline gm_fmu_setting setting(const char *name, const char *value) { return (gm_fmu_setting){ gm_str_of(name), gm_str_of(value) }; }

#endif
