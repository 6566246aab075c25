#include "control/texts.h"

#include <string.h>

bool gm_texts_keep(const gm_alloc *alloc, const gm_str *texts, size_t n, char **memory, gm_str *out_kept)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += texts[i].len;
    char *fresh = gm_alloc_bytes(alloc, size), *to = fresh;
    if (fresh == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        gm_str text = texts[i];
        if (text.len > 0) memcpy(to, text.ptr, text.len);
        out_kept[i] = (gm_str){ to, text.len };
        to += text.len;
    }
    gm_free(alloc, *memory);
    *memory = fresh;
    return true;
}
