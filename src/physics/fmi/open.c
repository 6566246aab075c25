// An .fmu file opened: unpacked, its description read.
#include "physics/fmi/archive.h"
#include "physics/fmi/build_description.h"
#include "physics/fmi/run_parts.h"

#include "base/io.h"

#include <stdio.h>

bool gm_fmu_supported(void) { return true; }

const gm_fmu_description *gm_fmu_described(const gm_fmu *fmu) { return fmu->d; }
const char               *gm_fmu_folder(const gm_fmu *fmu) { return fmu->folder; }

// A description of sources that can not be read is told as a broken rule: with a library they are not needed.
static gm_status read_sources(gm_fmu *fmu, gm_error *err)
{
    char     path[GM_FMU_PATH_MAX + 40];
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    gm_error why   = { 0 };
    if (fmu->d->version != 3) return GM_OK;
    snprintf(path, sizeof path, "%s/sources/buildDescription.xml", fmu->folder);
    gm_status st = gm_io_read_file(gm_io_system(), path, GM_FMU_DESCRIPTION_MAX, &bytes, &size, &why);
    if (st == GM_NOTFOUND) return GM_OK;
    if (st == GM_OK) st = gm_fmu_build_description_parse(fmu->arena, (gm_str){ (const char *)bytes, size }, fmu->d, &why);
    gm_free(gm_alloc_system(), bytes);
    if (st == GM_NOMEM) return gm_fail(err, st, "fmi.open", "reading buildDescription.xml");
    if (st != GM_OK) gm_fmu_finding(fmu->d, "%s", why.text);
    return GM_OK;
}

gm_status gm_fmu_open(const gm_fmu_host *host, const char *file, gm_fmu **out_fmu, gm_error *err)
{
    *out_fmu    = NULL;
    gm_fmu *fmu = gm_alloc_zeroed(host->alloc, sizeof *fmu);
    if (fmu == NULL) return gm_fail(err, GM_NOMEM, "fmi.open", "opening %.100s", file);
    fmu->host  = *host;
    fmu->arena = gm_arena_create(host->alloc, 0);

    char     path[GM_FMU_PATH_MAX + 32];
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    const gm_fmu_archive_limits limits = gm_fmu_archive_limits_defaults();
    gm_status st = fmu->arena != NULL ? gm_fmu_archive_unpack(file, host->folder, &limits, fmu->folder, err) : gm_fail(err, GM_NOMEM, "fmi.open", "opening %.100s", file);
    if (st != GM_OK) goto done;
    snprintf(path, sizeof path, "%s/modelDescription.xml", fmu->folder);
    st = gm_io_read_file(gm_io_system(), path, GM_FMU_DESCRIPTION_MAX, &bytes, &size, err);
    if (st == GM_NOTFOUND) st = gm_fail(err, GM_INVALID, "fmi.open", "%.100s has no modelDescription.xml", file);
    if (st == GM_OK) st = gm_fmu_description_parse(fmu->arena, (gm_str){ (const char *)bytes, size }, &fmu->d, err);
    if (st == GM_OK) st = read_sources(fmu, err);
    if (st != GM_OK) goto done;
    *out_fmu = fmu;
    fmu      = NULL;
done:
    gm_free(gm_alloc_system(), bytes);
    gm_fmu_close(fmu);
    return st;
}

void gm_fmu_close(gm_fmu *fmu)
{
    if (fmu == NULL) return;
    if (fmu->folder[0] != '\0') gm_fmu_archive_remove(fmu->folder);
    gm_arena_destroy(fmu->arena);
    gm_free(fmu->host.alloc, fmu);
}
