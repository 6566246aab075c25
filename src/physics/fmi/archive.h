// physics/fmi/archive.h: an .fmu file (a zip archive) unpacked into a private folder that is gone afterwards.
//
// Nothing of an archive is trusted: names that lead outside, absolute names, backslashes and symbolic links are refused,
// and so are archives with too many entries, too many bytes, or bytes that grow more than a thousandfold.
#ifndef GM_PHYSICS_FMI_ARCHIVE_H
#define GM_PHYSICS_FMI_ARCHIVE_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct gm_fmu_archive_limits {
    uint64_t entries_max;      // [50 000]
    uint64_t bytes_max;        // [4 GiB] unpacked, in all
    uint64_t ratio_max;        // [1000] unpacked bytes per packed byte, of one entry above 1 MiB
} gm_fmu_archive_limits;

gm_fmu_archive_limits gm_fmu_archive_limits_defaults(void);

enum { GM_FMU_PATH_MAX = 4096 };

// Makes a new folder (mode 0700) in parent (NULL: TMPDIR, else /tmp), and writes its path. GM_IO.
GM_NODISCARD gm_status gm_fmu_archive_folder(const char *parent, char out_folder[GM_FMU_PATH_MAX], gm_error *err);

// Unpacks into such a folder, and writes its path. On failure nothing is left behind.
// GM_NOTFOUND: no such file. GM_INVALID: not an archive, or one that breaks a rule. GM_LIMIT: a limit. GM_IO.
GM_NODISCARD gm_status gm_fmu_archive_unpack(const char *file, const char *parent, const gm_fmu_archive_limits *limits,
                                             char out_folder[GM_FMU_PATH_MAX], gm_error *err);

// Removes the folder with everything in it; follows no links.
void gm_fmu_archive_remove(const char *folder);

#endif
