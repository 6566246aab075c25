// Stands in for the generated file in builds without node and npm.
#include "cli/console.h"

const gm_asset *gm_console_assets(size_t *out_count)
{
    *out_count = 0;
    return NULL;
}
