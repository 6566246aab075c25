#include "aas/files.h"

#include "thread/fact.h"

void gm_aas_file_path(gm_str hash, gm_str name, gm_buf *out)
{
    gm_buf_text(out, GM_AAS_FILES);
    gm_buf_str(out, hash);
    gm_buf_byte(out, '/');
    // Part names of a package are few characters of ASCII; what is not among them is replaced, a name of dots alone is none.
    size_t start = out->len;
    for (size_t i = 0; i < name.len && i < 80; i++) {
        char c   = name.ptr[i];
        bool fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && out->len > start);
        gm_buf_byte(out, (uint8_t)(fit ? c : '_'));
    }
    while (out->len > start && out->ptr[out->len - 1] == '.') out->len--;  // a part name does not end in a dot
    if (out->len == start) gm_buf_text(out, "document");
}

bool gm_aas_file_hash(gm_str path, gm_str *out_hash)
{
    size_t n  = strlen(GM_AAS_FILES);
    *out_hash = gm_str_slice(path, n, n + GM_HASH_TEXT);
    return gm_str_starts(path, GM_STR(GM_AAS_FILES)) && gm_fact_is_hash(*out_hash) && path.len > n + GM_HASH_TEXT && path.ptr[n + GM_HASH_TEXT] == '/';
}
