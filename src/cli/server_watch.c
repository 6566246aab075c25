// Looks after the folder of rules: when a file there changes, the rules are read again, as on SIGHUP. Editors write a file in
// several steps (and under another name first), so reading waits until nothing has happened for a moment. The plant's own folder
// is looked after, too: a folder of rules may come later, go, and come again.
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

// Again and again is harmless: the folder has one watch, whose kinds of events are set anew.
static bool watch_folder(gm_server *server)
{
    return inotify_add_watch(server->rules_watched, server->rules_folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) >= 0;
}

// Is there one of the folder of rules, or about it?
static bool concerns(gm_server *server, const char *bytes, size_t n)
{
    bool found = false;
    for (size_t at = 0; at + sizeof(struct inotify_event) <= n;) {
        const struct inotify_event *e = (const struct inotify_event *)(const void *)(bytes + at);
        found |= e->wd != server->plant_watched || (e->len > 0 && gm_str_is(gm_str_of(e->name), "rules"));
        at += sizeof *e + e->len;
    }
    return found;
}

// What happened does not matter: everything is read again.
static void on_change(void *context, uint32_t events)
{
    gm_server *server = context;
    char       bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    gm_error   err;
    ssize_t    n;
    bool       concerned = false;
    (void)events;
    while ((n = read(server->rules_watched, bytes, sizeof bytes)) > 0) concerned |= concerns(server, bytes, (size_t)n);
    if (!concerned) return;
    (void)!watch_folder(server);
    gm_loop_cancel(server->rules_timer);
    server->rules_timer = NULL;
    if (gm_loop_after(server->loop, QUIET, on_quiet, server, &server->rules_timer, &err) != GM_OK) on_quiet(server);
}

void gm_server_watch_rules(gm_server *server)
{
    gm_error err  = { 0 };
    gm_str   folder = gm_arena_str(server->arena, server->plant->folder);
    gm_str   path   = folder.ptr != NULL ? gm_arena_printf(server->arena, GM_STR_FMT "/rules", GM_STR_ARG(folder)) : folder;
    server->rules_folder  = path.ptr;
    server->rules_watched = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    server->plant_watched = -1;
    if (server->rules_watched >= 0 && path.ptr != NULL)
        server->plant_watched = inotify_add_watch(server->rules_watched, folder.ptr, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
    // A plant without rules has no such folder.
    bool good = server->plant_watched >= 0 && (watch_folder(server) || errno == ENOENT || errno == ENOTDIR);
    if (!good) gm_server_note(server, "rules are not watched; SIGHUP reads them again");
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
