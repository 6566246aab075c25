// cli/futures_print.h: the result of futures for people: tables and fan charts.
#ifndef GM_CLI_FUTURES_PRINT_H
#define GM_CLI_FUTURES_PRINT_H

#include "cli/verb.h"

#include <jansson.h>

// result: what POST /v1/futures answers. Prints to cli->out.
gm_exit gm_futures_print_tables(const gm_cli *cli, const json_t *result);
gm_exit gm_futures_print_fans(const gm_cli *cli, const json_t *result);

// "90 s", "1.5 h", "2 d": out has room for 32.
const char *gm_futures_time_text(double seconds, char out[32]);

#endif
