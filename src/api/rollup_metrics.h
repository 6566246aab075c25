// api/rollup_metrics.h: what systems amount to, for Prometheus.
//
//   gemel_rollup{name="power",function="sum",twin="waterworks"} 12.5
//
// Of each roll-up the first GM_ROLLUP_METRICS_MAX systems in the order of their numbers; gemel_rollup_left_out counts those that are more.
#ifndef GM_API_ROLLUP_METRICS_H
#define GM_API_ROLLUP_METRICS_H

#include "api/context.h"

enum { GM_ROLLUP_METRICS_MAX = 100 };

// Values of the plant are for who may see it: nothing is appended for one who showed no token where one is asked for (open_metrics).
void gm_rollup_metrics(gm_request *request);

#endif
