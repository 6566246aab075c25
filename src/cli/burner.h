// cli/burner.h: keeps a share of this machine's processors busy: the load that `gemel load` makes.
//
//   gm_burner_start(alloc, cores, &burner, &err);   // one thread for each core
//   gm_burner_set(burner, 25);                      // percent of those cores' time
//   gm_burner_used(burner);                         // seconds of processor time that it has taken so far
//   gm_burner_stop(burner);
#ifndef GM_CLI_BURNER_H
#define GM_CLI_BURNER_H

#include "base/alloc.h"
#include "base/status.h"

enum { GM_BURNER_CORES_MAX = 1024 };

typedef struct gm_burner gm_burner;

// The threads have the lowest priority, so whoever else has work to do goes before. GM_LIMIT, GM_NOMEM, GM_IO.
GM_NODISCARD gm_status gm_burner_start(const gm_alloc *alloc, size_t cores, gm_burner **out, gm_error *err);
void                   gm_burner_stop(gm_burner *burner);                  // NULL is allowed
void                   gm_burner_set(gm_burner *burner, double percent);   // what is outside of 0 to 100 is cut off
double                 gm_burner_used(const gm_burner *burner);            // any thread

#endif
