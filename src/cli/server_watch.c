// Looks after the folder of rules: when a file there changes, the rules are read again, as on SIGHUP. Editors write a file in
// several steps (and under another name first), so reading waits until nothing has happened for a moment.
#include "cli/server_parts.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET (200 * GM_MILLISECOND)

static void on_quiet(void *context)
{
    gm_server *server   = context;
    server->rules_timer = NULL;
    if (gm_server_reload_rules(server)) gm_server_note(server, "rules have changed, and are in force");
}

// What happened does not matter: everything is read again.
static void on_change(void *context, uint32_t events)
{
    gm_server *server = context;
    char       bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    gm_error   err;
    ssize_t    n;
    (void)events;
    while ((n = read(server->rules_watched, bytes, sizeof bytes)) > 0) {}
    gm_loop_cancel(server->rules_timer);
    server->rules_timer = NULL;
    if (gm_loop_after(server->loop, QUIET, on_quiet, server, &server->rules_timer, &err) != GM_OK) on_quiet(server);
}

void gm_server_watch_rules(gm_server *server)
{
    gm_error err  = { 0 };
    gm_str   path = gm_arena_printf(server->arena, GM_STR_FMT "/rules", GM_STR_ARG(server->plant->folder));
    server->rules_watched = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    bool good = server->rules_watched >= 0 && path.ptr != NULL &&
                inotify_add_watch(server->rules_watched, path.ptr, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) >= 0;
    // A plant without rules has no such folder: one that is made later is read on SIGHUP.
    if (!good && server->rules_watched >= 0 && errno != ENOENT && errno != ENOTDIR) gm_server_note(server, "rules are not watched; SIGHUP reads them again");
    if (good && gm_loop_add(server->loop, server->rules_watched, GM_LOOP_READ, on_change, server, &server->rules_watch, &err) != GM_OK)
        gm_server_note(server, "rules are not watched: %s", err.text);
}

void gm_server_unwatch_rules(gm_server *server)
{
    if (server->rules_timer != NULL) gm_loop_cancel(server->rules_timer);
    if (server->rules_watch != NULL) gm_loop_remove(server->rules_watch);
    if (server->rules_watched >= 0) close(server->rules_watched);
    server->rules_timer   = NULL;
    server->rules_watch   = NULL;
    server->rules_watched = -1;
}
