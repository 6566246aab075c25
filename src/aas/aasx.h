// aas/aasx.h: packages (.aasx): an environment and its files in one zip archive, as the Open Packaging Conventions have it.
//
//   gm_aasx_begin(&package, alloc);
//   gm_aasx_add(&package, GM_STR("/aasx/documents/.../manual.pdf"), GM_STR("application/pdf"), bytes, size, &err);
//   gm_aasx_write(&package, environment, &out, &err);
//   gm_aasx_finish(&package);
//
//   gm_aasx_read(alloc, bytes, size, &limits, &package, &environment, &err);
//
// Nothing of a package is trusted: names that lead outside, names that are there twice, encrypted entries, entries that grow too much,
// too many of them, too many bytes, and a package that does not say where it begins (no aasx-origin) are refused.
// Format: IEC 63278, Part 5 (AASX); ECMA-376, Part 2 (Open Packaging Conventions).
#ifndef GM_AAS_AASX_H
#define GM_AAS_AASX_H

#include "base/buf.h"

#include <jansson.h>

typedef struct gm_aasx_file { gm_buf path, media, bytes; } gm_aasx_file;  // path: "/aasx/..."; media empty: it does not say

typedef struct gm_aasx_package {
    const gm_alloc *alloc;
    gm_aasx_file   *files;
    size_t          count, capacity;
    json_t         *media;  // of extensions and parts, as [Content_Types].xml has them; inside aas/ only
} gm_aasx_package;

typedef struct gm_aasx_limits {
    uint32_t entries_max;  // [10 000]
    uint64_t bytes_max;    // [256 MiB] unpacked, in all
    uint64_t entry_max;    // [64 MiB] of one file, as of documents
    uint64_t ratio_max;    // [200] unpacked bytes per packed byte, of one entry above 64 KiB
} gm_aasx_limits;
gm_aasx_limits gm_aasx_limits_defaults(void);

void gm_aasx_begin(gm_aasx_package *package, const gm_alloc *alloc);
void gm_aasx_finish(gm_aasx_package *package);

// Copied. GM_NOMEM.
GM_NODISCARD gm_status gm_aasx_add(gm_aasx_package *package, gm_str path, gm_str media, const uint8_t *bytes, size_t size, gm_error *err);
const gm_aasx_file *gm_aasx_find(const gm_aasx_package *package, gm_str path);  // NULL: there is none

// The archive's bytes, appended: the same for the same contents. form: of the environment in it. GM_NOMEM; GM_INVALID: built without zip
// archives, or it can not be said in XML.
typedef enum gm_aasx_form { GM_AASX_JSON, GM_AASX_XML } gm_aasx_form;
GM_NODISCARD gm_status gm_aasx_write(const gm_aasx_package *package, const json_t *environment, gm_aasx_form form, gm_buf *out, gm_error *err);

// *out: its files, to be finished in any case. *out_environment: the caller's. GM_INVALID: it is no package, or breaks a rule; err has
// the sentence. GM_LIMIT: a limit. GM_NOMEM.
GM_NODISCARD gm_status gm_aasx_read(const gm_alloc *alloc, const uint8_t *bytes, size_t size, const gm_aasx_limits *limits, gm_aasx_package *out,
                                    json_t **out_environment, gm_error *err);

// An environment as the XML of the metamodel (V3.0), appended. What is read back is the same. GM_INVALID: it is no environment, or has a text
// that XML can not say; GM_NOMEM.
GM_NODISCARD gm_status gm_aas_write_xml(const json_t *environment, gm_buf *out, gm_error *err);
// An environment in the XML of the metamodel, as JSON; NULL: err says why.
json_t *gm_aas_read_xml(const uint8_t *bytes, size_t size, gm_error *err);

#endif
