#include "api/transfer/job_log.h"

#include <ctype.h>
#include <stdio.h>

struct gm_job_log {
    const gm_alloc *alloc;
    const gm_io    *io;
    const gm_clock *clock;
    gm_file        *file;
    uint64_t        size;
    gm_buf          out;
    gm_str          job_id;
    uint64_t        refused;
    bool            section_refused;
};

static void begin_line(gm_job_log *log, const char *type)
{
    char time[GM_TIME_TEXT];
    gm_time_format(gm_now(log->clock), time);
    gm_buf_printf(&log->out, "{\"timestamp\":\"%s\",\"jobId\":", time);
    gm_buf_json_str(&log->out, log->job_id);
    gm_buf_printf(&log->out, ",\"jobType\":\"Import\",\"logType\":\"%s\",\"details\":{", type);
}

static void end_line(gm_job_log *log) { gm_buf_text(&log->out, "}}\n"); }

static void tell_status(gm_job_log *log, const char *type, const char *section, const char *status)
{
    begin_line(log, type);
    if (section != NULL) gm_buf_printf(&log->out, "\"section\":\"%s\",", section);
    gm_buf_printf(&log->out, "\"status\":\"%c%s\"", toupper((unsigned char)status[0]), status + 1);
    end_line(log);
}

gm_status gm_job_log_open(const gm_alloc *alloc, const gm_io *io, const gm_clock *clock, const char *path,
                          gm_str job_id, gm_job_log **out_log, gm_error *err)
{
    *out_log        = NULL;
    gm_job_log *log = gm_alloc_zeroed(alloc, sizeof *log);
    if (log == NULL) return gm_fail(err, GM_NOMEM, "api.jobs", "opening a log");
    *log = (gm_job_log){ .alloc = alloc, .io = io, .clock = clock, .out = gm_buf_init(alloc), .job_id = job_id };

    gm_buf      folder = gm_buf_init(alloc);
    const char *slash  = strrchr(path, '/');
    gm_buf_add(&folder, path, slash != NULL ? (size_t)(slash - path) : 0);
    gm_buf_byte(&folder, '\0');
    gm_status st = folder.failed ? gm_fail(err, GM_NOMEM, "api.jobs", "opening a log") : GM_OK;
    if (st == GM_OK && slash != NULL) st = io->make_dir(io, (const char *)folder.ptr, err);
    gm_buf_finish(&folder);
    gm_error why = { 0 };
    if (st == GM_OK) st = io->open(io, path, GM_OPEN_CREATE, &log->file, &why);
    if (st == GM_CONFLICT) {
        st = io->open(io, path, GM_OPEN_WRITE, &log->file, err);
        if (st == GM_OK) st = io->truncate(log->file, 0, err);
    } else if (st != GM_OK && why.status != GM_OK && err != NULL) {
        *err = why;
    }
    if (st != GM_OK) {
        io->close(log->file);
        gm_free(alloc, log);
        return st;
    }
    tell_status(log, "Info", NULL, "started");
    *out_log = log;
    return GM_OK;
}

void gm_job_log_section(gm_job_log *log, const char *name, bool begins)
{
    tell_status(log, !begins && log->section_refused ? "Error" : "Info", name,
                begins                 ? "started"
                : log->section_refused ? "failed"
                                       : "succeeded");
    log->section_refused = false;
}

void gm_job_log_refused(gm_job_log *log, const char *section, uint64_t line, gm_str id, const char *code,
                        const char *why)
{
    log->section_refused = true;
    if (log->refused++ >= GM_JOB_LOG_REFUSALS) return;
    begin_line(log, "Error");
    gm_buf_printf(&log->out, "\"section\":\"%s\",\"line\":%llu,\"id\":", section, (unsigned long long)line);
    gm_buf_json_str(&log->out, id);
    gm_buf_printf(&log->out, ",\"code\":\"%s\",\"message\":", code);
    gm_buf_json_str(&log->out, gm_str_of(why));
    end_line(log);
}

// A log that can not be written is no reason to stop the job: its record tells how it ended.
void gm_job_log_flush(gm_job_log *log)
{
    gm_error ignored;
    if (log->out.failed || log->out.len == 0) {
        gm_buf_clear(&log->out);
        return;
    }
    if (log->io->write(log->file, log->size, log->out.ptr, log->out.len, &ignored) == GM_OK) log->size += log->out.len;
    gm_buf_clear(&log->out);
}

void gm_job_log_close(gm_job_log *log, const char *status, const char *code, const char *why)
{
    gm_error ignored;
    if (log->refused > GM_JOB_LOG_REFUSALS) {
        begin_line(log, "Warning");
        gm_buf_printf(&log->out, "\"message\":\"%llu more items were refused\"",
                      (unsigned long long)log->refused - GM_JOB_LOG_REFUSALS);
        end_line(log);
    }
    if (code != NULL) {
        begin_line(log, "Error");
        gm_buf_printf(&log->out, "\"code\":\"%s\",\"message\":", code);
        gm_buf_json_str(&log->out, gm_str_of(why));
        end_line(log);
    }
    if (status != NULL) tell_status(log, code != NULL ? "Error" : "Info", NULL, status);
    gm_job_log_flush(log);
    (void)!log->io->sync(log->file, &ignored);
    log->io->close(log->file);
    gm_buf_finish(&log->out);
    gm_free(log->alloc, log);
}
