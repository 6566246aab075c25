// cli/console.h: the browser console's files inside the program (made by web/embed.py at build time).
#ifndef GM_CLI_CONSOLE_H
#define GM_CLI_CONSOLE_H

#include "api/api.h"

// The files, static; NULL and 0 in a build without the console.
const gm_asset *gm_console_assets(size_t *out_count);

#endif
