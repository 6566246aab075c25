// The parent's side of an FMU's process. Invariants: (1) after a call that ended the process, s->process.pid is 0 and
// s->end keeps why; (2) with a journal, it holds every request that can change the instance, in order, and nothing else.
#include "physics/fmi/session_parts.h"

#include "physics/fmi/library.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_MAX = 256 << 10, OUTPUT_TAIL = 8 << 10, JOURNAL_MAX = 256 << 20, WAITING_MAX = 1 << 20 };

static const char *name_of(const gm_fmu_session *s, gm_fmu_op op, char out[80])
{
    const char *text = gm_fmu_op_text(op);
    if (s->d->version == 2 && op == GM_FMU_OP_UPDATE_DISCRETE) text = "NewDiscreteStates";
    if (op == GM_FMU_OP_LOAD) snprintf(out, 80, "%s", text);
    else snprintf(out, 80, "fmi%d%s", s->d->version, text);
    return out;
}

static void keep_log(gm_fmu_session *s, gm_fmu_reader r)
{
    gm_fmi_status status   = (gm_fmi_status)gm_fmu_take_u8(&r);
    gm_str        category = gm_fmu_take_text(&r), message = gm_str_trim(gm_fmu_take_text(&r));
    if (r.bad || status >= GM_FMI_STATUS_COUNT || s->log.len > LOG_MAX) return;
    gm_buf_printf(&s->log, "%s: " GM_STR_FMT ": " GM_STR_FMT "\n", gm_fmi_status_text(status), GM_STR_ARG(category), GM_STR_ARG(message));
}

gm_str gm_fmu_session_log(gm_fmu_session *s)
{
    gm_buf_clear(&s->shown);
    gm_buf_add(&s->shown, s->log.ptr, s->log.len);
    gm_fmu_process_output(&s->process, OUTPUT_TAIL, &s->shown);
    return gm_buf_view(&s->shown);
}

// The process is of no use any more: keeps why, so that later calls say the same.
static gm_status end_process(gm_fmu_session *s, gm_fmu_op op, gm_status st, gm_error *err)
{
    char name[80], end[GM_FMU_END_TEXT] = "";
    name_of(s, op == GM_FMU_OP_ROWS ? gm_fmu_process_now(&s->process, op) : op, name);
    gm_fmu_process_end(&s->process, st == GM_LIMIT, end);
    if (st == GM_IO) {
        snprintf(s->end, sizeof s->end, "the FMU's process ended in %s: %s", name, end);
        return gm_fail(err, GM_INVALID, "fmi.session", "%s", s->end);
    }
    if (st == GM_LIMIT) {
        snprintf(s->end, sizeof s->end, "%s did not return within %g s; its process was ended", name, (double)s->host.call_limit / GM_SECOND);
        return gm_fail(err, GM_LIMIT, "fmi.session", "%s", s->end);
    }
    snprintf(s->end, sizeof s->end, "the FMU's process answered nonsense to %s", name);
    return gm_fail(err, st == GM_NOMEM ? GM_NOMEM : GM_INVALID, "fmi.session", "%s", s->end);
}

static gm_status on_intermediate(gm_fmu_session *s, gm_fmu_op op, gm_fmu_reader r, gm_error *err)
{
    double   time  = gm_fmu_take_f64(&r), return_time = time;
    unsigned flags = gm_fmu_take_u8(&r);
    bool     early = false;
    if (r.bad) return end_process(s, op, GM_CORRUPT, err);
    if (s->options.intermediate != NULL) {
        s->inside = true;
        early     = s->options.intermediate(s->options.intermediate_context, s, time, flags, &return_time);
        s->inside = false;
    }
    if (s->process.pid == 0) return gm_fail(err, GM_INVALID, "fmi.session", "%s", s->end);
    uint8_t reply[9] = { early && (flags & GM_FMU_MAY_RETURN) };
    gm_put_f64(reply + 1, return_time);
    gm_status st = gm_fmu_send(s->process.socket, GM_FMU_FRAME_INTERMEDIATE, reply, sizeof reply, err);
    return st == GM_OK ? GM_OK : end_process(s, op, st, err);
}

static gm_status judge(gm_fmu_session *s, gm_fmu_op op, gm_fmi_status status, gm_error *err)
{
    char name[80];
    if (status <= GM_FMI_WARNING || (op == GM_FMU_OP_DO_STEP && status == GM_FMI_DISCARD)) return GM_OK;
    gm_status st = status == GM_FMI_DISCARD ? GM_DIVERGED : GM_INVALID;
    if (op == GM_FMU_OP_INSTANTIATE) return gm_fail(err, st, "fmi.session", "the FMU refuses to be instantiated");
    return gm_fail(err, st, "fmi.session", "%s returned %s", name_of(s, op, name), gm_fmi_status_text(status));
}

static gm_status broken(gm_fmu_session *s, gm_fmu_op op, gm_str why, gm_error *err)
{
    char name[80];
    return gm_fail(err, GM_INVALID, "fmi.session", "%s: " GM_STR_FMT, name_of(s, op, name), GM_STR_ARG(gm_str_slice(why, 0, 150)));
}

gm_status gm_fmu_session_nonsense(gm_fmu_session *s, gm_fmu_op op, gm_error *err) { return end_process(s, op, GM_CORRUPT, err); }

// Reads frames until the answer, which *out then walks over.
gm_status gm_fmu_session_exchange(gm_fmu_session *s, const gm_buf *request, gm_fmu_reader *out, gm_fmu_on_row *on_row, void *context,
                                  gm_error *err)
{
    if (s->process.pid == 0) return gm_fail(err, GM_INVALID, "fmi.session", "%s", s->end);
    if (request->failed) return gm_fail(err, GM_NOMEM, "fmi.session", "a call of the FMU");
    gm_fmu_op op     = (gm_fmu_op)request->ptr[0];
    uint32_t  row    = 0;
    gm_status row_st = GM_OK;
    gm_status st     = gm_fmu_send(s->process.socket, GM_FMU_FRAME_REQUEST, request->ptr, request->len, err);
    if (st == GM_LIMIT) return st;  // nothing was sent
    if (st != GM_OK) return end_process(s, op, GM_IO, err);
    for (;;) {
        gm_fmu_frame frame;
        st = gm_fmu_receive(s->process.socket, s->host.clock, s->host.call_limit, &frame, &s->answer, err);
        if (st != GM_OK) return end_process(s, op, st, err);
        *out = (gm_fmu_reader){ s->answer.ptr, s->answer.len, false };
        if (frame == GM_FMU_FRAME_LOG) {
            keep_log(s, *out);
        } else if (frame == GM_FMU_FRAME_INTERMEDIATE && !s->inside) {
            st = on_intermediate(s, op, *out, err);
            if (st != GM_OK) return st;
        } else if (frame == GM_FMU_FRAME_ROW && on_row != NULL && row + 1 < s->row_count) {
            gm_fmu_take_u8(out);
            // What follows a failure is read and left, so that the next answer is that of the next request.
            if (row_st == GM_OK) row_st = on_row(context, s, row, *out, err);
            row++;
        } else if (frame == GM_FMU_FRAME_BROKEN) {
            return broken(s, op, gm_buf_view(&s->answer), err);
        } else if (frame == GM_FMU_FRAME_ANSWER) {
            break;
        } else {
            return end_process(s, op, GM_CORRUPT, err);
        }
        if (s->process.pid == 0) return row_st;  // a row was nonsense
    }
    if (row_st != GM_OK) return row_st;
    gm_fmi_status status = (gm_fmi_status)gm_fmu_take_u8(out);
    if (out->bad || status >= GM_FMI_STATUS_COUNT) return end_process(s, op, GM_CORRUPT, err);
    st = judge(s, op, status, err);
    return st == GM_OK && on_row != NULL ? on_row(context, s, row, *out, err) : st;
}

static bool changes_nothing(gm_fmu_op op)
{
    return op == GM_FMU_OP_GET || op == GM_FMU_OP_GET_STATES || op == GM_FMU_OP_GET_DERIVATIVES || op == GM_FMU_OP_GET_INDICATORS ||
           op == GM_FMU_OP_GET_NOMINALS || op == GM_FMU_OP_COUNTS;
}

static void keep_request(gm_fmu_session *s, gm_str request)
{
    // A journal that is full shows when it is asked for.
    if (s->keeps_journal && !changes_nothing((gm_fmu_op)request.ptr[0])) gm_fmu_put_text(&s->journal, request);
}

gm_status gm_fmu_session_take(gm_fmu_session *s, gm_str request, gm_fmu_reader *answers, gm_fmu_reader *out, gm_error *err)
{
    uint8_t   status = gm_fmu_take_u8(answers);
    gm_str    bytes  = gm_fmu_take_text(answers);
    gm_fmu_op op     = (gm_fmu_op)request.ptr[0];
    if (answers->bad || (status >= GM_FMI_STATUS_COUNT && status != GM_FMU_BROKEN)) return end_process(s, op, GM_CORRUPT, err);
    if (status == GM_FMU_BROKEN) return broken(s, op, bytes, err);
    *out         = (gm_fmu_reader){ (const uint8_t *)bytes.ptr, bytes.len, false };
    gm_status st = judge(s, op, (gm_fmi_status)status, err);
    if (st == GM_OK) keep_request(s, request);
    return st;
}

gm_buf *gm_fmu_session_begin(gm_fmu_session *s, gm_fmu_op op)
{
    gm_buf_clear(&s->request);
    gm_fmu_put_u8(&s->request, (uint8_t)op);
    return &s->request;
}

// Sends what waits as one row, and judges it; *out is left at what follows.
static gm_status send_waiting(gm_fmu_session *s, gm_fmu_reader *out, gm_error *err)
{
    gm_buf_clear(&s->batch);
    gm_fmu_put_u8(&s->batch, GM_FMU_OP_ROWS);
    gm_fmu_put_text(&s->batch, GM_STR(""));
    gm_fmu_put_u32(&s->batch, 1);
    gm_fmu_put_text(&s->batch, gm_buf_view(&s->waiting));
    s->batch.failed |= s->waiting.failed;
    return gm_fmu_session_exchange(s, &s->batch, out, NULL, NULL, err);
}

static gm_status judge_waiting(gm_fmu_session *s, gm_fmu_reader *answers, gm_fmu_reader *out, gm_error *err)
{
    gm_status st = GM_OK;
    for (gm_fmu_reader r = { s->waiting.ptr, s->waiting.len, false }; st == GM_OK && r.left > 0;) {
        st = gm_fmu_session_take(s, gm_fmu_take_text(&r), answers, out, err);
    }
    return st;
}

gm_status gm_fmu_session_flush(gm_fmu_session *s, gm_error *err)
{
    gm_fmu_reader answers, out;
    if (s->waiting.len == 0 && !s->waiting.failed) return GM_OK;
    gm_status st = send_waiting(s, &answers, err);
    if (st == GM_OK) st = judge_waiting(s, &answers, &out, err);
    gm_buf_clear(&s->waiting);
    return st;
}

gm_status gm_fmu_session_call(gm_fmu_session *s, gm_fmu_reader *out, gm_error *err)
{
    if (s->waiting.len == 0 && !s->waiting.failed) {
        gm_status st = gm_fmu_session_exchange(s, &s->request, out, NULL, NULL, err);
        if (st == GM_OK) keep_request(s, gm_buf_view(&s->request));
        return st;
    }
    gm_fmu_reader answers;
    gm_fmu_put_text(&s->waiting, gm_buf_view(&s->request));
    s->waiting.failed |= s->request.failed;
    gm_status st = send_waiting(s, &answers, err);
    if (st == GM_OK) st = judge_waiting(s, &answers, out, err);
    gm_buf_clear(&s->waiting);
    return st;
}

gm_status gm_fmu_session_tell(gm_fmu_session *s, gm_error *err)
{
    if (s->process.pid == 0) return gm_fail(err, GM_INVALID, "fmi.session", "%s", s->end);
    gm_fmu_put_text(&s->waiting, gm_buf_view(&s->request));
    s->waiting.failed |= s->request.failed;
    return s->waiting.len > WAITING_MAX ? gm_fmu_session_flush(s, err) : GM_OK;
}

// ---- opening and closing ------------------------------------------------------------------------------------------------

// FMI 2 takes a URI, FMI 3 an absolute path that ends with a separator (3.0.1, 2.3.1).
static void resources_text(const gm_fmu_session *s, gm_buf *out)
{
    gm_buf text = gm_buf_init(s->host.alloc);
    if (s->d->version == 2) {
        gm_buf_text(&text, "file://");
        for (const char *c = s->folder; *c != '\0'; c++) {
            bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("/-._~", *c) != NULL;
            if (plain) gm_buf_byte(&text, (uint8_t)*c);
            else gm_buf_printf(&text, "%%%02X", (unsigned char)*c);
        }
        gm_buf_text(&text, "/resources");
    } else {
        gm_buf_printf(&text, "%s/resources/", s->folder);
    }
    gm_fmu_put_text(out, gm_buf_view(&text));
    out->failed |= text.failed;
    gm_buf_finish(&text);
}

static gm_status load_and_instantiate(gm_fmu_session *s, gm_error *err)
{
    char          path[GM_FMU_LIBRARY_PATH_MAX];
    gm_fmu_reader out;
    bool          made;
    gm_status     st = gm_fmu_library_find(&s->host, s->folder, s->d, s->kind, path, &made, err);
    if (st == GM_OK && made) gm_buf_printf(&s->log, "gemel: no library for this machine; made one of the FMU's sources\n");
    if (st == GM_OK) st = gm_fmu_process_start(s->host.program, s->host.memory_max, &s->process, err);
    if (st != GM_OK) return st;
    gm_buf *request = gm_fmu_session_begin(s, GM_FMU_OP_LOAD);
    gm_fmu_put_u8(request, (uint8_t)s->d->version);
    gm_fmu_put_u8(request, (uint8_t)s->kind);
    gm_fmu_put_text(request, gm_str_of(path));
    st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    request = gm_fmu_session_begin(s, GM_FMU_OP_INSTANTIATE);
    gm_fmu_put_text(request, GM_STR("gemel"));
    gm_fmu_put_text(request, s->d->token);
    resources_text(s, request);
    gm_fmu_put_u8(request, s->options.logging);
    gm_fmu_put_u8(request, s->options.event_mode);
    gm_fmu_put_u8(request, s->options.early_return);
    gm_fmu_put_u8(request, s->options.intermediate != NULL);
    gm_fmu_put_u32(request, s->options.required_count);
    gm_buf_add(request, s->options.required, s->options.required_count * sizeof *s->options.required);
    st = gm_fmu_session_call(s, &out, err);
    s->instantiated = st == GM_OK;
    return st;
}

gm_status gm_fmu_session_open(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind,
                              const gm_fmu_session_options *options, gm_fmu_session **out_session, gm_error *err)
{
    *out_session = NULL;
    if (kind >= GM_FMI_KIND_COUNT || !d->interfaces[kind].present) {
        return gm_fail(err, GM_INVALID, "fmi.session", "the FMU does not offer %s", kind < GM_FMI_KIND_COUNT ? gm_fmi_kind_text(kind) : "that");
    }
    if (d->interfaces[kind].needs_execution_tool) return gm_fail(err, GM_INVALID, "fmi.session", "the FMU needs the tool that made it to run");
    gm_fmu_session *s = gm_alloc_zeroed(host->alloc, sizeof *s);
    if (s == NULL) return gm_fail(err, GM_NOMEM, "fmi.session", "starting an FMU");
    s->host          = *host;
    s->d             = d;
    s->kind          = kind;
    s->process       = (gm_fmu_process){ .socket = -1, .output = -1, .now = -1 };
    s->keeps_journal = !d->interfaces[kind].state || (options != NULL && options->replay);
    if (options != NULL) s->options = *options;
    gm_buf *bufs[] = { &s->request, &s->answer, &s->side, &s->waiting, &s->rows, &s->batch, &s->log, &s->shown, &s->journal };
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) *bufs[i] = gm_buf_init(host->alloc);
    s->journal.limit = JOURNAL_MAX;
    gm_status st     = GM_OK;
    if (strlen(folder) >= sizeof s->folder) st = gm_fail(err, GM_INVALID, "fmi.session", "the folder's name is too long");
    else strcpy(s->folder, folder);
    if (st == GM_OK) st = load_and_instantiate(s, err);
    // Also when it failed: the caller may want to read the log.
    *out_session = s;
    return st;
}

void gm_fmu_session_close(gm_fmu_session *s)
{
    if (s == NULL) return;
    if (s->process.pid > 0 && s->instantiated) {
        gm_fmu_reader out;
        gm_buf       *request = gm_fmu_session_begin(s, GM_FMU_OP_FREE);
        gm_status     st      = gm_fmu_session_exchange(s, request, &out, NULL, NULL, NULL);
        (void)st;  // what it can not free ends with its process
    }
    gm_fmu_process_end(&s->process, false, NULL);
    gm_fmu_process_finish(&s->process);
    gm_buf *bufs[] = { &s->request, &s->answer, &s->side, &s->waiting, &s->rows, &s->batch, &s->log, &s->shown, &s->journal };
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) gm_buf_finish(bufs[i]);
    gm_free(s->host.alloc, s);
}

