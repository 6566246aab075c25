// cli/local_server.h: a server for one command: the plant opened by ourselves because none runs, on a thread of its own.
//
//   gm_local_server_open(cli, "examples/pumphouse", &local, &err);
//   gm_http_open(alloc, gm_local_server_address(local), &http, &err);
//   ...
//   gm_http_close(http);
//   gm_local_server_close(local);
#ifndef GM_CLI_LOCAL_SERVER_H
#define GM_CLI_LOCAL_SERVER_H

#include "cli/verb.h"

typedef struct gm_local_server gm_local_server;

// Errors as gm_server_open.
GM_NODISCARD gm_status gm_local_server_open(const gm_cli *cli, const char *plant, gm_local_server **out_local, gm_error *err);
const char            *gm_local_server_address(const gm_local_server *local);  // of its HTTP
void                   gm_local_server_close(gm_local_server *local);          // NULL is allowed

#endif
