// insight/text_file.h: a whole text file in memory, plain or gzip; and its lines split into cells.
//
//   if (gm_text_file_read(io, "train_FD001.txt", limit, &text, &err) != GM_OK) ...   // tries train_FD001.txt.gz
//   as well
//   gm_str rest = { text.ptr, text.len };
//   while (gm_str_next(&rest, '\n', &line)) { n = gm_cells_split(line, ',', cells, CELLS_MAX); ... }
//   gm_buf_finish(&text);
#ifndef GM_INSIGHT_TEXT_FILE_H
#define GM_INSIGHT_TEXT_FILE_H

#include "base/buf.h"
#include "base/io.h"

// Appends the file's bytes to *text, unpacked when they are gzip. When `path` does not exist, `path`.gz is taken.
//   limit  most bytes of the file, and of what it unpacks to
// Errors: GM_NOTFOUND neither exists; GM_IO; GM_LIMIT larger than limit; GM_CORRUPT not whole gzip; GM_NOMEM.
GM_NODISCARD gm_status gm_text_file_read(const gm_io *io, const char *path, size_t limit, gm_buf *text, gm_error *err);

// Unpacks gzip bytes (one or more members) onto *out. Errors as above.
GM_NODISCARD gm_status gm_gunzip(gm_str packed, size_t limit, gm_buf *out, gm_error *err);

// Splits a line at `separator`, or at runs of spaces and tabs when it is ' ' (leading and trailing ones make no cell).
// Returns the number of cells; only the first `max` are written. Cells view the line, trimmed.
size_t gm_cells_split(gm_str line, char separator, gm_str *cells, size_t max);

// A cell as a number: NaN when it is empty, or written nan, NaN, NA or null. False: it is something else.
bool gm_cell_number(gm_str cell, double *out_value);

#endif
