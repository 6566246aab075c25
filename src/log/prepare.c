// Invariants
//   (1) `file` is touched by the thread inside while state is ORDERED, by the caller in every other state; the state
//       changes under the lock only.
//   (2) a file that is handed over is zero from end to end and synced.
//
//     IDLE --order--> ORDERED --thread--> READY --take--> IDLE
//                        |                              ^
//                        +--- thread, disk refuses -> IDLE (take then tries by itself and reports)
#include "log/prepare.h"

#include <assert.h>
#include <pthread.h>

enum { CHUNK = 256 << 10, SYNC_EVERY = 32 };  // chunks; keeps the queue of the disk short for the commit beside it

typedef enum state { IDLE, ORDERED, READY } state;

struct gm_prepare {
    const gm_io    *io;
    const gm_alloc *alloc;
    char           *path;
    uint8_t        *zeros;  // [CHUNK], immutable
    bool            has_thread;
    pthread_t       thread;

    pthread_mutex_t lock;
    pthread_cond_t  changed;
    state           state;  // guarded by lock, with the two below
    uint64_t        size;
    bool            stop;
    gm_file        *file;  // see (1)
};

static gm_status make_file(gm_prepare *p, uint64_t size, gm_file **out_file, gm_error *err)
{
    gm_file *file = NULL;
    *out_file     = NULL;
    gm_status st  = p->io->remove(p->io, p->path, err);  // of an earlier attempt, or of an earlier process
    if (st != GM_OK && st != GM_NOTFOUND) return st;
    st = p->io->open(p->io, p->path, GM_OPEN_CREATE, &file, err);
    if (st != GM_OK) return st;
    st = p->io->allocate(file, size, err);
    for (uint64_t at = 0, chunk = 0; st == GM_OK && at < size; at += CHUNK, chunk++) {
        uint64_t left = size - at;
        st            = p->io->write(file, at, p->zeros, left < CHUNK ? (size_t)left : CHUNK, err);
        if (st == GM_OK && chunk % SYNC_EVERY == SYNC_EVERY - 1) st = p->io->sync(file, err);
    }
    if (st == GM_OK) st = p->io->sync(file, err);
    if (st == GM_OK) {
        *out_file = file;
        return GM_OK;
    }
    p->io->close(file);
    gm_status ignored = p->io->remove(p->io, p->path, NULL);
    (void)ignored;  // the next attempt removes it
    return st;
}

static void *run(void *context)
{
    gm_prepare *p = context;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->state != ORDERED) pthread_cond_wait(&p->changed, &p->lock);
        if (p->stop) break;
        uint64_t size = p->size;
        pthread_mutex_unlock(&p->lock);
        gm_file  *file = NULL;
        gm_status st   = make_file(p, size, &file, NULL);
        pthread_mutex_lock(&p->lock);
        p->file  = file;
        p->state = st == GM_OK ? READY : IDLE;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

gm_status gm_prepare_create(const gm_io *io, const gm_alloc *alloc, const char *path, bool ahead,
                            gm_prepare **out_prepare, gm_error *err)
{
    size_t      len = strlen(path) + 1;
    gm_prepare *p   = gm_alloc_zeroed(alloc, sizeof *p);
    *out_prepare    = NULL;
    if (p == NULL) return gm_fail(err, GM_NOMEM, "log.prepare", "opening the log");
    p->io    = io;
    p->alloc = alloc;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->path  = gm_alloc_bytes(alloc, len);
    p->zeros = gm_alloc_zeroed(alloc, CHUNK);
    if (p->path == NULL || p->zeros == NULL) {
        gm_prepare_destroy(p);
        return gm_fail(err, GM_NOMEM, "log.prepare", "opening the log");
    }
    memcpy(p->path, path, len);
    // Without a thread every file is made in take: slower at a roll-over, otherwise the same.
    p->has_thread = ahead && pthread_create(&p->thread, NULL, run, p) == 0;
    *out_prepare  = p;
    return GM_OK;
}

void gm_prepare_destroy(gm_prepare *p)
{
    if (p == NULL) return;
    if (p->has_thread) {
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->thread, NULL);
    }
    if (p->file != NULL) {
        p->io->close(p->file);
        gm_status ignored = p->io->remove(p->io, p->path, NULL);
        (void)ignored;  // the next opening removes it
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    gm_free(p->alloc, p->zeros);
    gm_free(p->alloc, p->path);
    gm_free(p->alloc, p);
}

void gm_prepare_order(gm_prepare *p, uint64_t size)
{
    if (!p->has_thread) return;
    pthread_mutex_lock(&p->lock);
    if (p->state == IDLE) {
        p->state = ORDERED;
        p->size  = size;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
}

gm_status gm_prepare_take(gm_prepare *p, uint64_t size, gm_file **out_file, uint64_t *out_size, bool *out_waited,
                          gm_error *err)
{
    pthread_mutex_lock(&p->lock);
    *out_waited = p->state != READY;
    while (p->state == ORDERED) pthread_cond_wait(&p->changed, &p->lock);
    gm_file *file = p->file;
    p->file       = NULL;
    p->state      = IDLE;  // the thread sleeps until the next order, so what follows is alone with the path
    *out_size     = p->size;
    pthread_mutex_unlock(&p->lock);

    if (file != NULL && *out_size < size) {
        p->io->close(file);
        file = NULL;
    }
    gm_status st = GM_OK;
    if (file == NULL) {
        *out_waited = true;
        *out_size   = size;
        st          = make_file(p, size, &file, err);
    }
    *out_file = file;
    return st;
}
