#include "api/multipart.h"

#include <string.h>
#include <strings.h>

static bool begins(gm_str text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text.len >= n && strncasecmp(text.ptr, prefix, n) == 0;
}

// The value of `name` in "form-data; name=\"file\"; filename=\"a.pdf\"". Without escapes: browsers encode quotes otherwise.
static gm_str parameter(gm_str header, const char *name)
{
    gm_str rest = header;
    for (size_t semicolon; (semicolon = gm_str_find_char(rest, ';')) != SIZE_MAX;) {
        rest          = gm_str_slice(rest, semicolon + 1, rest.len);
        size_t equals = gm_str_find_char(rest, '=');
        if (equals == SIZE_MAX) break;
        gm_str key    = gm_str_trim(gm_str_slice(rest, 0, equals)), value = gm_str_slice(rest, equals + 1, rest.len);
        bool   quoted = value.len > 0 && value.ptr[0] == '"';
        if (quoted) value = gm_str_slice(value, 1, value.len);
        size_t end = gm_str_find_char(value, quoted ? '"' : ';');
        if (quoted && end == SIZE_MAX) break;
        if (key.len == strlen(name) && begins(key, name)) return gm_str_trim(gm_str_slice(value, 0, end));
        rest = gm_str_slice(value, end, value.len);
    }
    return (gm_str){ 0 };
}

bool gm_multipart_open(gm_multipart *form, gm_str content_type, gm_str body)
{
    gm_str boundary = begins(content_type, "multipart/form-data") ? parameter(content_type, "boundary") : (gm_str){ 0 };
    *form           = (gm_multipart){ .rest = body };
    if (boundary.len == 0 || boundary.len > GM_BOUNDARY_MAX) return false;
    memcpy(form->mark, "--", 2);
    memcpy(form->mark + 2, boundary.ptr, boundary.len);
    form->mark[boundary.len + 2] = '\0';
    if (!gm_str_starts(body, gm_str_of(form->mark))) return false;
    form->rest = gm_str_slice(body, strlen(form->mark), body.len);
    return true;
}

// The headers of a part, up to the empty line. False: there is none.
static bool read_headers(gm_multipart *form, gm_multipart_part *out)
{
    while (form->rest.len > 0) {
        size_t end = gm_str_find(form->rest, GM_STR("\r\n"));
        if (end == SIZE_MAX) return false;
        gm_str line = gm_str_slice(form->rest, 0, end);
        form->rest  = gm_str_slice(form->rest, end + 2, form->rest.len);
        if (line.len == 0) return true;
        if (begins(line, "content-disposition:")) {
            out->name      = parameter(line, "name");
            out->file_name = parameter(line, "filename");
        } else if (begins(line, "content-type:")) {
            out->media = gm_str_trim(gm_str_slice(line, strlen("content-type:"), line.len));
        }
    }
    return false;
}

// Where "\r\n--boundary" begins; SIZE_MAX: nowhere.
static size_t find_mark(const gm_multipart *form)
{
    gm_str mark = gm_str_of(form->mark);
    for (size_t at = 0; at < form->rest.len;) {
        gm_str rest = gm_str_slice(form->rest, at, form->rest.len);
        size_t i    = gm_str_find(rest, mark);
        if (i == SIZE_MAX) return SIZE_MAX;
        if (at + i >= 2 && memcmp(form->rest.ptr + at + i - 2, "\r\n", 2) == 0) return at + i - 2;
        at += i + mark.len;
    }
    return SIZE_MAX;
}

bool gm_multipart_next(gm_multipart *form, gm_multipart_part *out)
{
    *out = (gm_multipart_part){ 0 };
    if (form->broken || gm_str_starts(form->rest, GM_STR("--"))) return false;  // the last one is behind
    form->broken = true;
    if (form->count++ == GM_PARTS_MAX || !gm_str_starts(form->rest, GM_STR("\r\n"))) return false;
    form->rest = gm_str_slice(form->rest, 2, form->rest.len);
    if (!read_headers(form, out)) return false;
    // An empty part has its mark at once.
    bool   empty = gm_str_starts(form->rest, gm_str_of(form->mark));
    size_t end   = empty ? 0 : find_mark(form);
    if (end == SIZE_MAX) return false;
    out->bytes   = gm_str_slice(form->rest, 0, end);
    form->rest   = gm_str_slice(form->rest, end + (empty ? 0 : 2) + strlen(form->mark), form->rest.len);
    form->broken = false;
    return true;
}
