// Built without libzip or libxml2: FMUs are not opened, and it is said why.
#include "physics/fmi/archive.h"
#include "physics/fmi/export.h"
#include "physics/fmi/run_parts.h"

#include <math.h>

bool gm_fmu_supported(void) { return false; }

const gm_fmu_description *gm_fmu_described(const gm_fmu *fmu) { return fmu->d; }
const char               *gm_fmu_folder(const gm_fmu *fmu) { return fmu->folder; }
void                      gm_fmu_close(gm_fmu *fmu) { (void)fmu; }

gm_status gm_fmu_archive_folder(const char *parent, char out_folder[GM_FMU_PATH_MAX], gm_error *err)
{
    (void)parent;
    out_folder[0] = '\0';
    return gm_fail(err, GM_INVALID, "fmi.archive", "this gemel was built without libzip or libxml2, which FMUs need");
}

void gm_fmu_archive_remove(const char *folder) { (void)folder; }

gm_status gm_fmu_open(const gm_fmu_host *host, const char *file, gm_fmu **out_fmu, gm_error *err)
{
    (void)host;
    *out_fmu = NULL;
    return gm_fail(err, GM_INVALID, "fmi.open", "%.100s: this gemel was built without libzip or libxml2, which FMUs need", file);
}

gm_fmu_export_options gm_fmu_export_options_defaults(void) { return (gm_fmu_export_options){ .version = 3, .step = NAN }; }

gm_status gm_fmu_export(const gm_alloc *alloc, const gm_program *program, const gm_fmu_export_options *options, const char *path, gm_error *err)
{
    (void)alloc, (void)program, (void)options;
    return gm_fail(err, GM_INVALID, "fmi.export", "%.100s: this gemel was built without libzip or libxml2, which FMUs need", path);
}
