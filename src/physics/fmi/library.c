#include "physics/fmi/library.h"

#include <stdio.h>
#include <unistd.h>

#if defined(__aarch64__)
static const char *const machines[] = { "linux-aarch64", "aarch64-linux" };  // in FMI 2, in FMI 3
#elif defined(__i386__)
static const char *const machines[] = { "linux32", "x86-linux" };
#else
static const char *const machines[] = { "linux64", "x86_64-linux" };
#endif

// FMI 2 and FMI 3 name the same machine differently; some archives have the other's name. False: there is none, and *out
// names where it should be.
static bool find(const char *folder, const gm_fmu_description *d, gm_fmi_kind kind, char out[GM_FMU_LIBRARY_PATH_MAX])
{
    const char *identifier = d->interfaces[kind].identifier.ptr;
    int         own        = d->version == 2 ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "%s/binaries/%s/%s.so", folder, machines[i == 0 ? own : 1 - own], identifier);
        if (access(out, R_OK) == 0) return true;
    }
    snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "binaries/%s/%s.so", machines[own], identifier);
    return false;
}

gm_status gm_fmu_library_find(const char *folder, const gm_fmu_description *d, gm_fmi_kind kind, char out_path[GM_FMU_LIBRARY_PATH_MAX],
                              gm_error *err)
{
    char sources[GM_FMU_LIBRARY_PATH_MAX];
    if (find(folder, d, kind, out_path)) return GM_OK;
    snprintf(sources, sizeof sources, "%.4500s/sources", folder);
    const char *more = access(sources, R_OK) == 0 ? "; it has sources, which have to be compiled first" : "";
    return gm_fail(err, GM_INVALID, "fmi.library", "the FMU has no library for this machine: there is no %.100s%s", out_path, more);
}
