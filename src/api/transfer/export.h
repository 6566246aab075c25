// api/transfer/export.h: a whole plant as text, a bounded piece at a time: what gm_import reads.
//
//   gm_export *export = gm_export_open(alloc, engine, GM_EXPORT_LINES);
//   while (gm_export_next(export, &out)) ...send or write what out holds, clear it...
//   gm_export_close(export);
//
// Without ETags and without the times at which this server learned of things, so that a file that was exported,
// imported elsewhere and exported again is the same byte for byte. What changes while an export is under way is in it
// as it was when its turn came; a relationship whose twin came too late for it is left out. Engine thread.
#ifndef GM_API_TRANSFER_EXPORT_H
#define GM_API_TRANSFER_EXPORT_H

#include "base/buf.h"
#include "engine/engine.h"

typedef enum gm_export_format {
    GM_EXPORT_LINES,  // newline JSON with section lines
    GM_EXPORT_GRAPH   // the graph export of the Azure Digital Twins Explorer
} gm_export_format;

typedef struct gm_export gm_export;

GM_NODISCARD gm_export *gm_export_open(const gm_alloc *alloc, gm_engine *engine,
                                       gm_export_format format);  // NULL: no memory
void                    gm_export_close(gm_export *export);

// Appends about 64 KiB. False: everything was written before.
bool gm_export_next(gm_export *export, gm_buf *out);

#endif
