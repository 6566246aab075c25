// api/multipart.h: bodies of forms with files (multipart/form-data, RFC 7578), one part after the other.
//
//   gm_multipart form;
//   if (!gm_multipart_open(&form, gm_request_header(r, "content-type"), gm_buf_view(&r->body))) ...
//   while (gm_multipart_next(&form, &part)) ...       // part.name "file", part.bytes ...
//   if (form.broken) ...                              // it ended before it said so
#ifndef GM_API_MULTIPART_H
#define GM_API_MULTIPART_H

#include "base/str.h"

enum { GM_BOUNDARY_MAX = 70, GM_PARTS_MAX = 16 };  // characters, as RFC 2046 has it; parts that are read

typedef struct gm_multipart {
    gm_str   rest;
    char     mark[GM_BOUNDARY_MAX + 3];  // "--" and the boundary
    unsigned count;
    bool     broken;
} gm_multipart;

typedef struct gm_multipart_part { gm_str name, file_name, media, bytes; } gm_multipart_part;  // views of the body; empty: not said

// False: the header does not say multipart/form-data with a boundary, or the body does not begin with it.
GM_NODISCARD bool gm_multipart_open(gm_multipart *form, gm_str content_type, gm_str body);
// False: there is no further part, or form->broken.
GM_NODISCARD bool gm_multipart_next(gm_multipart *form, gm_multipart_part *out);

#endif
