#include "cli/local_server.h"

#include "cli/server.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct gm_local_server {
    const gm_cli *cli;
    gm_server    *server;   // its thread's, once that runs
    pthread_t     thread;
    bool          running;
    char          address[64];
};

static void *serve(void *context)
{
    gm_local_server *local = context;
    gm_error         err   = { 0 };
    while (!gm_server_stopped(local->server) && gm_server_turn(local->server, &err) == GM_OK) {}
    return NULL;
}

gm_status gm_local_server_open(const gm_cli *cli, const char *plant, gm_local_server **out_local, gm_error *err)
{
    *out_local             = NULL;
    gm_local_server  *local = gm_alloc_zeroed(cli->alloc, sizeof *local);
    gm_server_options o = { .cli = cli, .plant = plant, .http = "127.0.0.1:0", .mqtt = "127.0.0.1:0", .quiet = true };
    if (local == NULL) return gm_fail(err, GM_NOMEM, "cli.local", "opening the plant");
    local->cli   = cli;
    gm_status st = gm_server_open(&o, &local->server, err);
    if (st == GM_OK) {
        gm_str line = gm_server_ready_line(local->server);
        size_t at   = gm_str_find(line, GM_STR("http="));
        gm_str rest = gm_str_slice(line, at == SIZE_MAX ? line.len : at + 5, line.len), address;
        if (gm_str_next(&rest, ' ', &address) && address.len < sizeof local->address)
            memcpy(local->address, address.ptr, address.len);
        local->running = pthread_create(&local->thread, NULL, serve, local) == 0;
        if (!local->running) st = gm_fail(err, GM_IO, "cli.local", "starting a thread");
    }
    if (st != GM_OK) {
        gm_local_server_close(local);
        return st;
    }
    *out_local = local;
    return GM_OK;
}

const char *gm_local_server_address(const gm_local_server *local) { return local->address; }

void gm_local_server_close(gm_local_server *local)
{
    if (local == NULL) return;
    if (local->running) {
        kill(getpid(), SIGTERM);  // the server took the signal for its own when it was opened: its loop stops
        pthread_join(local->thread, NULL);
    }
    gm_server_close(local->server);
    gm_free(local->cli->alloc, local);
}
