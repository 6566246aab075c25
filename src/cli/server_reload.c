// Signals, and what SIGHUP reads again: certificates, keys, models of insight, rules.
#include "cli/access_setup.h"
#include "cli/server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool gm_server_reload_rules(gm_server *server)
{
    gm_error  err   = {0};
    gm_plant *fresh = NULL;
    bool      set   = false;
    if (gm_plant_read_rules(server->cli->io, server->options.plant, &fresh, &err) == GM_OK)
    {
        set = gm_server_set_rules(server, fresh);
        set = gm_server_set_rollups(server, fresh) && set;
        set = gm_server_set_failures(server, fresh) && set;
    }
    else fprintf(server->cli->err, "gemel: %s; the rules from before stay in force\n", err.text);
    gm_plant_destroy(fresh);
    return set;
}

// A mistake in the new files must not end what runs on the old ones.
static void reload(gm_server *server)
{
    gm_error     err  = {0};
    gm_jwt_keys *keys = NULL;
    gm_status    st   = server->tls != NULL ? gm_tls_reload(server->tls, &err) : GM_OK;
    if (st != GM_OK) fprintf(server->cli->err, "gemel: %s; the certificate from before stays in use\n", err.text);
    gm_status read = gm_access_setup_jwt(server->cli->alloc, server->cli->io, server->plant, server->arena, &keys, &err);
    if (read == GM_OK) gm_access_set_jwt(server->access, keys);
    else fprintf(server->cli->err, "gemel: %s; the keys from before stay in use\n", err.text);
    gm_insight_reload(server->insight);
    bool rules = gm_server_reload_rules(server);
    if (st == GM_OK && read == GM_OK && rules) gm_server_note(server, "certificates, keys and rules are read again");
}

static void on_signal(void *context, uint32_t events)
{
    (void)events;
    gm_server              *server = context;
    struct signalfd_siginfo info;
    if (read(server->signals, &info, sizeof info) != sizeof info) return;
    if (info.ssi_signo == SIGHUP) {
        reload(server);
        return;
    }
    gm_server_note(server, "stopping");
    gm_loop_stop(server->loop);
}

// Before any thread is made, so that all of them leave the signals to the loop.
gm_status gm_server_catch_signals(gm_server *server, gm_error *err)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGHUP);
    sigprocmask(SIG_BLOCK, &wanted, &server->signals_before);
    server->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server->signals < 0) return gm_fail_os(err, errno, "cli.server", "listening for signals");
    return gm_loop_add(server->loop, server->signals, GM_LOOP_READ, on_signal, server, &server->signal_watch, err);
}

void gm_server_release_signals(gm_server *server)
{
    if (server->signal_watch != NULL) gm_loop_remove(server->signal_watch);
    if (server->signals < 0) return;
    close(server->signals);
    sigprocmask(SIG_SETMASK, &server->signals_before, NULL);
}
