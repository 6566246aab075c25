#include "cli/csv.h"

static void put(gm_buf *cells, size_t most, size_t at, char c)
{
    if (at < most) gm_buf_byte(&cells[at], (uint8_t)c);
}

// A quoted part from behind its first quote; returns where it ends: behind the last one, or at the text's end.
static size_t quoted(gm_str text, size_t i, gm_buf *cells, size_t most, size_t at, size_t *lines)
{
    for (; i < text.len; i++) {
        if (text.ptr[i] == '\n') *lines += 1;
        if (text.ptr[i] == '"' && (i + 1 == text.len || text.ptr[i + 1] != '"')) return i + 1;
        if (text.ptr[i] == '"') i++;
        put(cells, most, at, text.ptr[i]);
    }
    return i;
}

size_t gm_csv_next(gm_str *rest, gm_buf *cells, size_t most, size_t *lines)
{
    gm_str text = *rest;
    size_t i = 0, at = 0, ignored = 0;
    if (lines == NULL) lines = &ignored;
    while (i < text.len && (text.ptr[i] == '\n' || text.ptr[i] == '\r')) *lines += text.ptr[i++] == '\n';
    for (size_t k = 0; k < most; k++) gm_buf_clear(&cells[k]);
    bool any = i < text.len;
    while (i < text.len && text.ptr[i] != '\n') {
        char c = text.ptr[i++];
        if (c == ',') at++;
        else if (c == '"') i = quoted(text, i, cells, most, at, lines);
        else if (c != '\r' || i == text.len || text.ptr[i] != '\n') put(cells, most, at, c);
    }
    if (i < text.len) {
        i++;
        *lines += 1;
    }
    *rest = gm_str_slice(text, i, text.len);
    for (size_t k = 0; k < most; k++) any &= !cells[k].failed;
    return any ? at + 1 : 0;
}
