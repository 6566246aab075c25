// cli/futures_ask.h: a request for futures, and its result, with a progress bar where it takes long.
#ifndef GM_CLI_FUTURES_ASK_H
#define GM_CLI_FUTURES_ASK_H

#include "cli/http_client.h"
#include "cli/verb.h"

#include <jansson.h>

// request: what POST /v1/futures takes. what: of the bar. GM_EXIT_OK: *out is the result and ended with gm_http_answer_finish;
// otherwise it was said what is wrong.
gm_exit gm_futures_ask(const gm_cli *cli, gm_http *http, const json_t *request, const char *what, gm_http_answer *out);

#endif
