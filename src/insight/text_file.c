// Text files, plain or gzip, and their cells.
#include "insight/text_file.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

gm_status gm_gunzip(gm_str packed, size_t limit, gm_buf *out, gm_error *err)
{
    enum { CHUNK = 1 << 16 };
    z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.ptr, .avail_in = 0 };
    if (packed.len > UINT32_MAX) return gm_fail(err, GM_LIMIT, "insight.gunzip", "%zu bytes of gzip", packed.len);
    if (inflateInit2(&z, 15 + 16) != Z_OK) return gm_fail(err, GM_NOMEM, "insight.gunzip", "unpacking");
    z.avail_in   = (uInt)packed.len;
    size_t begin = out->len;
    int    code  = Z_OK;
    while (true) {
        uint8_t *room = gm_buf_reserve(out, CHUNK);
        if (room == NULL) break;
        z.next_out  = room;
        z.avail_out = CHUNK;
        code        = inflate(&z, Z_NO_FLUSH);
        out->len += CHUNK - z.avail_out;
        if (out->len - begin > limit) break;
        // One file may hold several members, one after the other.
        if (code == Z_STREAM_END && z.avail_in > 0) code = inflateReset(&z);
        if (code != Z_OK) break;
    }
    inflateEnd(&z);
    if (out->failed) return gm_fail(err, GM_NOMEM, "insight.gunzip", "unpacking %zu bytes", packed.len);
    if (out->len - begin > limit)
        return gm_fail(err, GM_LIMIT, "insight.gunzip", "unpacks to more than %zu bytes", limit);
    if (code != Z_STREAM_END) return gm_fail(err, GM_CORRUPT, "insight.gunzip", "not a whole gzip file");
    return GM_OK;
}

gm_status gm_text_file_read(const gm_io *io, const char *path, size_t limit, gm_buf *text, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    n     = 0;
    gm_status st    = gm_io_read_file(io, path, limit, &bytes, &n, err);
    if (st == GM_NOTFOUND) {
        char packed[4096];
        if (snprintf(packed, sizeof packed, "%s.gz", path) < (int)sizeof packed &&
            gm_io_read_file(io, packed, limit, &bytes, &n, NULL) == GM_OK)
            st = GM_OK;
    }
    if (st != GM_OK) return st;
    if (n >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
        st = gm_gunzip((gm_str) { (const char *)bytes, n }, limit, text, err);
    } else {
        gm_buf_add(text, bytes, n);
        if (text->failed) st = gm_fail(err, GM_NOMEM, "insight.text_file", "reading %.150s", path);
    }
    gm_free(io->alloc, bytes);
    return st;
}

size_t gm_cells_split(gm_str line, char separator, gm_str *cells, size_t max)
{
    size_t n = 0;
    gm_str part;
    line = gm_str_trim(line);
    if (line.len == 0) return 0;
    while (gm_str_next(&line, separator, &part)) {
        part = gm_str_trim(part);
        if (separator == ' ' && part.len == 0) continue;
        if (n < max) cells[n] = part;
        n++;
    }
    return n;
}

bool gm_cell_number(gm_str cell, double *out_value)
{
    *out_value = NAN;
    if (cell.len == 0 || gm_str_is(cell, "nan") || gm_str_is(cell, "NaN") || gm_str_is(cell, "NA") ||
        gm_str_is(cell, "null"))
        return true;
    if (gm_number_read(cell, out_value) == cell.len && isfinite(*out_value)) return true;
    // Tables are written by many hands: "+5", ".5" and "5." are numbers too. strtod needs an end.
    char text[64];
    if (cell.len >= sizeof text) return false;
    memcpy(text, cell.ptr, cell.len);
    text[cell.len] = '\0';
    if (strspn(text, "+-.0123456789eE") != cell.len) return false;
    char *end;
    *out_value = strtod(text, &end);
    return end == text + cell.len && isfinite(*out_value);
}
