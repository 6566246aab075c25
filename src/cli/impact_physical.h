// cli/impact_physical.h: a failure that was run, for people: what becomes of outputs with it and without.
#ifndef GM_CLI_IMPACT_PHYSICAL_H
#define GM_CLI_IMPACT_PHYSICAL_H

#include "cli/verb.h"

#include <jansson.h>

// The scenarios that the request has.
#define GM_IMPACT_AS_IT_IS "as it is"
#define GM_IMPACT_FAILED   "failed"

// result: what POST /v1/futures answers, with quantiles 0.05, 0.5 and 0.95.
gm_exit gm_impact_print_physical(const gm_cli *cli, const json_t *result, const char *injects);

#endif
