// cli/csv.h: comma-separated values (RFC 4180), read record by record.
//
//   gm_str rest = text;
//   gm_buf cells[4];                                   // initialised by the caller, reused from record to record
//   while ((n = gm_csv_next(&rest, cells, 4)) > 0) ...
#ifndef GM_CLI_CSV_H
#define GM_CLI_CSV_H

#include "base/buf.h"

// The next record's cells, unquoted; lines end with LF or CRLF, empty ones are passed over. Returns how many cells the
// record has (those beyond `most` are counted, not kept); 0: the end, or memory was refused (a cell has failed).
// *lines (may be NULL) counts the line ends that were passed.
size_t gm_csv_next(gm_str *rest, gm_buf *cells, size_t most, size_t *lines);

#endif
