#include "aas/aasx.h"

#include "aas/package.h"
#include "aas/tree.h"

gm_aasx_limits gm_aasx_limits_defaults(void)
{
    return (gm_aasx_limits){ .entries_max = 10000, .bytes_max = UINT64_C(256) << 20, .entry_max = UINT64_C(64) << 20, .ratio_max = 200 };
}

void gm_aasx_begin(gm_aasx_package *p, const gm_alloc *alloc) { *p = (gm_aasx_package){ .alloc = alloc }; }

static void file_finish(gm_aasx_file *f)
{
    gm_buf_finish(&f->path);
    gm_buf_finish(&f->media);
    gm_buf_finish(&f->bytes);
}

void gm_aasx_finish(gm_aasx_package *p)
{
    for (size_t i = 0; i < p->count; i++) file_finish(&p->files[i]);
    if (p->alloc != NULL) gm_free(p->alloc, p->files);
    json_decref(p->media);
    *p = (gm_aasx_package){ 0 };
}

gm_aasx_file *gm_aasx_new_file(gm_aasx_package *p)
{
    if (!gm_alloc_reserve(p->alloc, &p->files, &p->capacity, p->count + 1, sizeof *p->files)) return NULL;
    p->files[p->count] = (gm_aasx_file){ gm_buf_init(p->alloc), gm_buf_init(p->alloc), gm_buf_init(p->alloc) };
    return &p->files[p->count++];
}

void gm_aasx_drop_file(gm_aasx_package *p, size_t at)
{
    file_finish(&p->files[at]);
    memmove(&p->files[at], &p->files[at + 1], (--p->count - at) * sizeof *p->files);
}

gm_status gm_aasx_add(gm_aasx_package *p, gm_str path, gm_str media, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_aasx_file *f = gm_aasx_new_file(p);
    if (f == NULL) return gm_fail(err, GM_NOMEM, "aas.package", "packing a file");
    gm_buf_str(&f->path, path);
    gm_buf_str(&f->media, media);
    gm_buf_add(&f->bytes, bytes, size);
    return f->path.failed || f->media.failed || f->bytes.failed ? gm_fail(err, GM_NOMEM, "aas.package", "packing a file") : GM_OK;
}

const gm_aasx_file *gm_aasx_find(const gm_aasx_package *p, gm_str path)
{
    for (size_t i = 0; i < p->count; i++) {
        if (gm_str_eq(gm_buf_view(&p->files[i].path), path)) return &p->files[i];
    }
    return NULL;
}
