// cli/estimate_setup.h: the entry of a plant's estimate/*.json that a verb works with.
#ifndef GM_CLI_ESTIMATE_SETUP_H
#define GM_CLI_ESTIMATE_SETUP_H

#include "cli/plant_group.h"
#include "insight/estimate/setup.h"

// The entry with that name, or for that root; without either the only one. A plant without any gets the defaults for `root`.
// What is wrong is printed. *out lives in the verb's arena.
gm_exit gm_estimate_setup_pick(const gm_cli *cli, const char *plant, const char *name, const char *root, gm_estimate_setup **out);

#endif
