// cli/reliability_live.h: the halves of `gemel reliability` that have to do with twins.
#ifndef GM_CLI_RELIABILITY_LIVE_H
#define GM_CLI_RELIABILITY_LIVE_H

#include "cli/client.h"
#include "reliability/tree.h"

typedef struct gm_reliability_asked {
    size_t      http_option, json_option;
    const char *twin, *horizon, *cut_sets, *importance;
    bool        openpsa;  // the tree as an Open-PSA file instead of what it amounts to
} gm_reliability_asked;

// Asks the running plant about a twin and prints the answer.
GM_NODISCARD gm_exit gm_reliability_live(const gm_cli *cli, const gm_args *args, const gm_reliability_asked *asked);

// Writes a tree as twins into a plant's folder, which is made when it is not there: models/faulttree.json, twins/faulttree.ndjson.
GM_NODISCARD gm_exit gm_reliability_twins(const gm_cli *cli, const gm_fault_tree *tree, gm_tree_node top, const char *folder);

#endif
