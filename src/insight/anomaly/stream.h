// insight/anomaly/stream.h: does a single signal do what it has never done? Online, bounded memory, no look-ahead,
// one set
// of parameters for everything.
//
//   gm_stream *s = gm_stream_create(alloc, 500);
//   gm_stream_score score = gm_stream_step(s, value);        // each value as it comes
//   if (score.total >= GM_STREAM_ALARM) ...
//
// Three views, each as -log10 of how rarely the past looked like this: the shape of the last 19 values (lagged.h),
// a value
// beyond all that was seen, and a burst of forecast errors (anomaly likelihood: S. Ahmad, A. Lavin, S. Purdy, Z. Agha,
// "Unsupervised real-time anomaly detection for streaming data", Neurocomputing 262, 2017, section 3.2). The strongest
// counts whole and the others by a fifth. A view that has spoken is quiet for a fifth of the learning stretch: an
// event is
// told when it begins. Formulas: docs/theory/anomaly.md.
#ifndef GM_INSIGHT_ANOMALY_STREAM_H
#define GM_INSIGHT_ANOMALY_STREAM_H

#include "base/alloc.h"

typedef struct gm_stream gm_stream;

// Told about from here on, when nobody chose otherwise: a burst that the past shows about once in four hundred values.
#define GM_STREAM_ALARM 2.6

typedef struct gm_stream_score { double total, shape, beyond, burst; } gm_stream_score;

// learn: values until the first score, and the length of the remembered past (cut to 80 .. 4096). NULL without memory.
gm_stream *gm_stream_create(const gm_alloc *alloc, uint32_t learn);
void       gm_stream_destroy(gm_stream *stream);

// A value that is not finite is left out and scores 0. Cost: learn * 19 operations.
gm_stream_score gm_stream_step(gm_stream *stream, double value);

#endif
