// When a checkpoint is taken, and what may go when it is there.
//
// Invariant: nothing that one of the two newest checkpoints needs is removed: neither the log behind the older one, nor a
// history file that either refers to.
#include "engine/checkpoint_parts.h"

#include "history/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_MOST = 4096, NICE = 10 };

gm_status gm_checkpointer_open(gm_engine *engine, const char *data_dir, gm_error *err)
{
    size_t           len = strlen(data_dir);
    gm_checkpointer *c   = engine->checkpoints = gm_alloc_zeroed(engine->alloc, sizeof *c);
    if (c == NULL) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "opening %s", data_dir);
    c->alloc  = engine->alloc;
    c->pid    = -1;
    c->fd     = -1;
    c->begun  = gm_monotonic(engine->clock);
    c->damage = gm_buf_init(engine->alloc);
    c->path   = gm_alloc_bytes(engine->alloc, len + 16);
    if (c->path == NULL) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "opening %s", data_dir);
    snprintf(c->path, len + 16, "%s/checkpoint", data_dir);
    return engine->io->make_dir(engine->io, c->path, err);
}

gm_checkpoint_report gm_engine_checkpoint_report(const gm_engine *engine)
{
    gm_checkpoint_report report = engine->checkpoints->report;
    report.running              = engine->checkpoints->pid >= 0;
    report.failure              = gm_str_of(engine->checkpoints->failure);
    report.damage               = gm_buf_view(&engine->checkpoints->damage);
    return report;
}

// ---- the end of one -------------------------------------------------------------------------------------------------

static void remove_old(gm_engine *engine, uint64_t keep_a, uint64_t keep_b)
{
    const gm_io *io = engine->io;
    uint64_t    *all;
    size_t       count;
    if (gm_checkpoint_list(io, engine->alloc, engine->checkpoints->path, &all, &count, NULL) != GM_OK) return;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MOST], name[GM_CHECKPOINT_NAME];
        if (all[i] == keep_a || all[i] == keep_b) continue;
        gm_checkpoint_name(all[i], name);
        snprintf(path, sizeof path, "%s/%s", engine->checkpoints->path, name);
        io->remove(io, path, NULL);  // one that stays is removed the next time
    }
    gm_free(engine->alloc, all);
}

static void succeeded(gm_engine *engine, const gm_checkpoint_answer *answer)
{
    gm_checkpointer *c = engine->checkpoints;
    c->failure[0]      = '\0';
    gm_files_synced(gm_history_files(engine->history), c->file_before);
    if (c->sequence == c->newest) return;  // a copy of the one that was there
    uint64_t before = c->newest;
    c->newest       = c->sequence;
    remove_old(engine, c->newest, before);
    if (before > 0) gm_log_release_before(engine->log, before + 1);
    gm_files_remove_unused(gm_history_files(engine->history), c->file_before, c->refers.numbers, c->refers.count,
                           c->of_newest.numbers, c->of_newest.count);
    engine->tidy = true;
    gm_free(c->alloc, c->of_newest.numbers);
    c->of_newest       = c->refers;
    c->refers          = (gm_file_list){ 0 };
    c->report.sequence = c->newest;
    c->report.bytes    = answer->bytes;
    c->report.took     = gm_monotonic(engine->clock) - c->begun;
    c->report.written++;
}

static void finish(gm_engine *engine, const gm_checkpoint_answer *answer)
{
    gm_checkpointer *c   = engine->checkpoints;
    gm_ask           ask = c->ask;
    c->ask = (gm_ask){ 0 };
    c->pid = -1;
    if (answer->status == GM_OK) {
        succeeded(engine, answer);
    } else {
        c->report.failed++;
        snprintf(c->failure, sizeof c->failure, "%s", answer->err.text);
        if (answer->history_unsynced) c->broken = answer->err;
    }
    gm_free(c->alloc, c->refers.numbers);
    c->refers = (gm_file_list){ 0 };
    if (ask.call != NULL) ask.call(ask.context, ask.token, answer->status, answer->status != GM_OK ? &answer->err : NULL);
}

static void on_answer(void *context, uint32_t events)
{
    (void)events;
    gm_engine           *engine = context;
    gm_checkpointer     *c      = engine->checkpoints;
    gm_checkpoint_answer answer;
    ssize_t              got = read(c->fd, &answer, sizeof answer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    int how = 0;
    while (waitpid((pid_t)c->pid, &how, 0) < 0 && errno == EINTR) {}
    gm_loop_remove(c->watch);
    close(c->fd);
    c->watch = NULL;
    c->fd    = -1;
    if (got != (ssize_t)sizeof answer) {
        answer        = (gm_checkpoint_answer){ 0 };
        answer.status = gm_fail(&answer.err, GM_IO, "engine.checkpoint", "the process that wrote the checkpoint ended early (%s %d)",
                                WIFSIGNALED(how) ? "signal" : "code", WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    }
    finish(engine, &answer);
}

void gm_checkpointer_close(gm_engine *engine)
{
    gm_checkpointer *c = engine->checkpoints;
    if (c == NULL) return;
    if (c->pid >= 0) {  // half a checkpoint is no loss: the log has everything
        kill((pid_t)c->pid, SIGKILL);
        while (waitpid((pid_t)c->pid, NULL, 0) < 0 && errno == EINTR) {}
        gm_loop_remove(c->watch);
        close(c->fd);
        gm_checkpoint_answer answer = { 0 };
        answer.status = gm_fail(&answer.err, GM_CANCELLED, "engine.checkpoint", "the server stops");
        finish(engine, &answer);
    }
    gm_free(c->alloc, c->of_newest.numbers);
    gm_free(c->alloc, c->path);
    gm_buf_finish(&c->damage);
    gm_free(c->alloc, c);
    engine->checkpoints = NULL;
}

// ---- the beginning --------------------------------------------------------------------------------------------------

// The forked copy: nothing of the original but memory. No descriptor may stay, or connections that the engine closes
// would stay open, and the lock of the data directory would outlive it.
static void run_copy(gm_engine *engine, const char *copy_to, int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    if (fd > 3) close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, UINT32_MAX, 0);
    setpriority(PRIO_PROCESS, 0, NICE);
    gm_checkpoint_answer answer;
    memset(&answer, 0, sizeof answer);
    gm_checkpoint_write(engine, copy_to, &answer);
    ssize_t put = write(fd, &answer, sizeof answer);
    _exit(put == (ssize_t)sizeof answer ? 0 : 1);
}

static gm_status begin_fork(gm_engine *engine, const char *copy_to, gm_error *err)
{
    gm_checkpointer *c = engine->checkpoints;
    int              ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return gm_fail_os(err, errno, "engine.checkpoint", "making a pipe");
    gm_status st = gm_loop_add(engine->loop, ends[0], GM_LOOP_READ, on_answer, engine, &c->watch, err);
    if (st != GM_OK) goto refused;
    gm_dur_ns start  = gm_monotonic(engine->clock);
    pid_t     parent = getpid(), pid = fork();
    if (pid == 0) run_copy(engine, copy_to, ends[1], parent);
    if (pid < 0) {
        st = gm_fail_os(err, errno, "engine.checkpoint", "making a copy of the process");
        gm_loop_remove(c->watch);
        c->watch = NULL;
        goto refused;
    }
    c->report.stalled = gm_monotonic(engine->clock) - start;
    close(ends[1]);
    c->fd  = ends[0];
    c->pid = pid;
    return GM_OK;
refused:
    close(ends[0]);
    close(ends[1]);
    return st;
}

// Every fold has its keeper: else a checkpoint would lose what the fold knows.
static gm_status check_keepers(const gm_engine *engine, gm_error *err)
{
    for (size_t kind = 0; kind < GM_CHANGE_KIND_COUNT; kind++) {
        if (engine->folds[kind].call == NULL) continue;
        bool kept = false;
        for (size_t i = 0; i < engine->keeper_count; i++) kept = kept || engine->keepers[i].context == engine->folds[kind].context;
        if (!kept) return gm_fail(err, GM_CONFLICT, "engine.checkpoint", "records of kind %zu are folded, but not kept", kind);
    }
    return GM_OK;
}

gm_status gm_engine_checkpoint(gm_engine *engine, const char *copy_to, gm_ask done, gm_error *err)
{
    gm_checkpointer *c = engine->checkpoints;
    if (c->pid >= 0) return gm_fail(err, GM_CONFLICT, "engine.checkpoint", "a checkpoint is being written; try again when it is done");
    if (c->broken.status != GM_OK || engine->broken.status != GM_OK) {
        if (err != NULL) *err = c->broken.status != GM_OK ? c->broken : engine->broken;
        return GM_IO;
    }
    if (engine->partial) return gm_fail(err, GM_INVALID, "engine.checkpoint", "a tool that folds a part writes no checkpoint");
    if (engine->settled == 0) return gm_fail(err, GM_CONFLICT, "engine.checkpoint", "nothing was recorded yet");
    gm_status st = check_keepers(engine, err);
    if (st == GM_OK) st = gm_history_flush(engine->history, err);
    if (st != GM_OK) return st;
    size_t room        = gm_files_count(gm_history_files(engine->history));
    c->refers.numbers  = gm_alloc_array(c->alloc, room + 1, sizeof(uint32_t));
    if (c->refers.numbers == NULL) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "beginning a checkpoint");
    c->refers.count  = gm_files_used(gm_history_files(engine->history), c->refers.numbers);
    c->file_before   = gm_files_current(gm_history_files(engine->history));
    c->sequence      = engine->settled;
    c->ask           = done;
    c->begun         = gm_monotonic(engine->clock);
    c->log_bytes_at  = gm_log_statistics(engine->log).bytes;
    c->report.at     = gm_now(engine->clock);
    if (c->sequence != c->newest) gm_log_roll(engine->log);
    if (engine->checkpoint.in_process || engine->loop == NULL) {
        gm_checkpoint_answer answer;
        gm_checkpoint_write(engine, copy_to, &answer);
        finish(engine, &answer);
        return GM_OK;
    }
    st = begin_fork(engine, copy_to, err);
    if (st == GM_OK) return GM_OK;
    gm_free(c->alloc, c->refers.numbers);
    c->refers = (gm_file_list){ 0 };
    c->ask    = (gm_ask){ 0 };
    return st;
}

void gm_checkpoint_turn(gm_engine *engine)
{
    gm_checkpointer             *c = engine->checkpoints;
    const gm_checkpoint_options *o = &engine->checkpoint;
    if (c->pid >= 0 || c->broken.status != GM_OK || engine->settled == c->newest) return;
    bool much = o->log_bytes > 0 && gm_log_statistics(engine->log).bytes - c->log_bytes_at >= o->log_bytes;
    bool late = o->every > 0 && gm_monotonic(engine->clock) - c->begun >= o->every;
    if (!much && !late) return;
    gm_error  err = { 0 };
    gm_status st  = gm_engine_checkpoint(engine, NULL, (gm_ask){ 0 }, &err);
    if (st == GM_OK) return;
    c->report.failed++;
    snprintf(c->failure, sizeof c->failure, "%s", err.text);
    c->log_bytes_at = gm_log_statistics(engine->log).bytes;  // not at every turn again
    c->begun        = gm_monotonic(engine->clock);
}
