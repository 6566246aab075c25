#include "cli/data_dir.h"

#include <time.h>

// Whoever was killed while it wrote a checkpoint leaves a copy of itself that holds the lock until the kernel has ended it too.
enum { LOCK_TRIES = 100, LOCK_WAIT_NS = 10 * 1000 * 1000 };

gm_status gm_plant_path(const gm_plant *plant, const char *given, gm_config_key key, gm_arena *arena, gm_str *out_path,
                        gm_error *err)
{
    gm_str path   = given != NULL ? gm_str_of(given) : gm_config_text(&plant->config, key);
    bool   inside = given == NULL && !gm_str_starts(path, GM_STR("/"));
    *out_path     = path;
    if (path.ptr == NULL) return GM_OK;
    *out_path = gm_arena_printf(arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(inside ? plant->folder : (gm_str){ 0 }),
                                inside ? "/" : "", GM_STR_ARG(path));
    return out_path->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.data", "starting");
}

gm_status gm_data_lock(const gm_io *io, gm_str directory, gm_arena *arena, gm_file **out_lock, gm_error *err)
{
    gm_error  why = { 0 };
    gm_status st  = io->make_dir(io, directory.ptr, err);
    *out_lock     = NULL;
    if (st != GM_OK) return st;
    gm_str path = gm_arena_printf(arena, GM_STR_FMT "/lock", GM_STR_ARG(directory));
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.data", "starting");
    st = io->open(io, path.ptr, GM_OPEN_CREATE, out_lock, &why);
    if (st != GM_OK) st = io->open(io, path.ptr, GM_OPEN_WRITE, out_lock, err);
    if (st != GM_OK) return st;
    st = io->lock(*out_lock, &why);
    for (int tries = 0; st == GM_CONFLICT && tries < LOCK_TRIES; tries++) {
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_WAIT_NS }, NULL);
        st = io->lock(*out_lock, &why);
    }
    if (st == GM_OK) return GM_OK;
    io->close(*out_lock);
    *out_lock = NULL;
    if (st != GM_CONFLICT) return gm_fail(err, st, "cli.data", "%s", why.text);
    return gm_fail(err, GM_CONFLICT, "cli.data",
                   "another gemel serves from " GM_STR_FMT "; stop it, or give --data another directory", GM_STR_ARG(directory));
}
