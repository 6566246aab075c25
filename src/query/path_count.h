// query/path_count.h: how many paths of a pattern leave given twins, when nobody asks where they lead. Internal to
// query/.
//
//   gm_path_count *paths;
//   if (gm_path_count_fits(run) && gm_path_count_create(run, &paths) == GM_OK) {
//       gm_path_count_from(paths, pump7);        // as often as there are starts
//       gm_path_count_finish(paths);             // run->counted has them all
//   }
//
// A walk that goes deep path by path waits for memory at every relationship. Here the paths grow together, a
// relationship at a time, some hundreds at once: while one's relationship is on its way from memory, the next ones are
// asked for. The paths counted are the very ones that the walk in run.c would find: none takes a relationship twice
// (MATCH), none leads outside the fence.
#ifndef GM_QUERY_PATH_COUNT_H
#define GM_QUERY_PATH_COUNT_H

#include "query/run.h"

typedef struct gm_path_count gm_path_count;

// Whether the rows of the plan can be counted so: steps that go on where the one before arrived, to twins not bound
// before, and no condition on anything but the start.
bool gm_path_count_fits(const gm_run *run);

// The memory is the run's scratch. GM_NOMEM.
GM_NODISCARD gm_status gm_path_count_create(gm_run *run, gm_path_count **out);

// Takes a start; counts those that wait when there are enough of them. Adds to run->counted and run->work.
void gm_path_count_from(gm_path_count *paths, gm_twin start);

// Counts all that still wait.
void gm_path_count_finish(gm_path_count *paths);

#endif
