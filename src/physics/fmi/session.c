// The parent's side of an FMU's process. Invariants: (1) after a call that ended the process, s->process.pid is 0 and
// s->end keeps why; (2) with a journal, it holds every request that can change the instance, in order, and nothing else.
#include "physics/fmi/session.h"

#include "physics/fmi/process.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_MAX = 256 << 10, OUTPUT_TAIL = 8 << 10, JOURNAL_MAX = 256 << 20 };

struct gm_fmu_session {
    gm_fmu_host               host;
    char                      folder[4096];
    const gm_fmu_description *d;
    gm_fmi_kind               kind;
    gm_fmu_session_options    options;
    gm_fmu_process            process;
    gm_buf                    request, answer, side;  // side: what an intermediate update asks while a call is under way
    gm_buf                    log, shown;
    gm_buf                    journal;                // see gm_fmu_save
    bool                      keeps_journal, instantiated, inside, goes_back;  // goes_back: a state was saved, so it may be restored
    uint32_t                  next_slot;
    uint8_t                   slots[1024];            // in use
    char                      end[GM_FMU_END_TEXT + 120];
};

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
    name_of(s, op, name);
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
    if (status <= GM_FMI_WARNING) return GM_OK;
    gm_status st = status == GM_FMI_DISCARD ? GM_DIVERGED : GM_INVALID;
    if (op == GM_FMU_OP_INSTANTIATE) return gm_fail(err, st, "fmi.session", "the FMU refuses to be instantiated");
    return gm_fail(err, st, "fmi.session", "%s returned %s", name_of(s, op, name), gm_fmi_status_text(status));
}

// Sends a request and waits for its answer; *out walks over the results. A Discard of DoStep is no failure here.
static gm_status exchange(gm_fmu_session *s, const gm_buf *request, gm_buf *answer, gm_fmu_reader *out, gm_error *err)
{
    if (s->process.pid == 0) return gm_fail(err, GM_INVALID, "fmi.session", "%s", s->end);
    if (request->failed) return gm_fail(err, GM_NOMEM, "fmi.session", "a call of the FMU");
    gm_fmu_op op = (gm_fmu_op)request->ptr[0];
    char      name[80];
    gm_status st = gm_fmu_send(s->process.socket, GM_FMU_FRAME_REQUEST, request->ptr, request->len, err);
    if (st == GM_LIMIT) return st;  // nothing was sent
    if (st != GM_OK) return end_process(s, op, GM_IO, err);
    for (;;) {
        gm_fmu_frame frame;
        st = gm_fmu_receive(s->process.socket, s->host.clock, s->host.call_limit, &frame, answer, err);
        if (st != GM_OK) return end_process(s, op, st, err);
        *out = (gm_fmu_reader){ answer->ptr, answer->len, false };
        if (frame == GM_FMU_FRAME_LOG) {
            keep_log(s, *out);
        } else if (frame == GM_FMU_FRAME_INTERMEDIATE && !s->inside) {
            st = on_intermediate(s, op, *out, err);
            if (st != GM_OK) return st;
        } else if (frame == GM_FMU_FRAME_BROKEN) {
            return gm_fail(err, GM_INVALID, "fmi.session", "%s: " GM_STR_FMT, name_of(s, op, name), (int)(answer->len < 150 ? answer->len : 150),
                           (const char *)answer->ptr);
        } else if (frame == GM_FMU_FRAME_ANSWER) {
            break;
        } else {
            return end_process(s, op, GM_CORRUPT, err);
        }
    }
    gm_fmi_status status = (gm_fmi_status)gm_fmu_take_u8(out);
    if (out->bad || status >= GM_FMI_STATUS_COUNT) return end_process(s, op, GM_CORRUPT, err);
    if (op == GM_FMU_OP_DO_STEP && status == GM_FMI_DISCARD) return GM_OK;
    return judge(s, op, status, err);
}

static bool changes_nothing(gm_fmu_op op)
{
    return op == GM_FMU_OP_GET || op == GM_FMU_OP_GET_STATES || op == GM_FMU_OP_GET_DERIVATIVES || op == GM_FMU_OP_GET_INDICATORS ||
           op == GM_FMU_OP_GET_NOMINALS || op == GM_FMU_OP_COUNTS;
}

static gm_status call(gm_fmu_session *s, gm_fmu_reader *out, gm_error *err)
{
    gm_status st = exchange(s, &s->request, &s->answer, out, err);
    if (st != GM_OK || !s->keeps_journal || changes_nothing((gm_fmu_op)s->request.ptr[0])) return st;
    gm_fmu_put_text(&s->journal, gm_buf_view(&s->request));
    return GM_OK;  // a journal that is full shows when it is asked for
}

static gm_buf *begin(gm_fmu_session *s, gm_fmu_op op)
{
    gm_buf_clear(&s->request);
    gm_fmu_put_u8(&s->request, (uint8_t)op);
    return &s->request;
}

// The results were not what the operation gives.
static gm_status nonsense(gm_fmu_session *s, gm_fmu_op op, gm_error *err) { return end_process(s, op, GM_CORRUPT, err); }

// ---- opening and closing ------------------------------------------------------------------------------------------------

// FMI 2 and FMI 3 name the same machine differently; some archives have the other's name. False: there is none.
static bool find_library(const gm_fmu_session *s, char *out, size_t size)
{
#if defined(__aarch64__)
    static const char *const names[] = { "linux-aarch64", "aarch64-linux" };
#elif defined(__i386__)
    static const char *const names[] = { "linux32", "x86-linux" };
#else
    static const char *const names[] = { "linux64", "x86_64-linux" };
#endif
    for (int i = 1; i >= 0; i--) {
        const char *folder = names[s->d->version == 2 ? 1 - i : i];
        snprintf(out, size, "%s/binaries/%s/%s.so", s->folder, folder, s->d->interfaces[s->kind].identifier.ptr);
        if (access(out, R_OK) == 0) return true;
    }
    snprintf(out, size, "binaries/%s/%s.so", names[s->d->version == 2 ? 0 : 1], s->d->interfaces[s->kind].identifier.ptr);
    return false;
}

static gm_status no_library(const gm_fmu_session *s, const char *wanted, gm_error *err)
{
    char sources[4600];
    snprintf(sources, sizeof sources, "%s/sources", s->folder);
    const char *more = access(sources, R_OK) == 0 ? "; it has sources, which have to be compiled first" : "";
    return gm_fail(err, GM_INVALID, "fmi.session", "the FMU has no library for this machine: there is no %.100s%s", wanted, more);
}

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
    char          path[4600];
    gm_fmu_reader out;
    if (!find_library(s, path, sizeof path)) return no_library(s, path, err);
    gm_status st = gm_fmu_process_start(s->host.program, s->host.memory_max, &s->process, err);
    if (st != GM_OK) return st;
    gm_buf *request = begin(s, GM_FMU_OP_LOAD);
    gm_fmu_put_u8(request, (uint8_t)s->d->version);
    gm_fmu_put_u8(request, (uint8_t)s->kind);
    gm_fmu_put_text(request, gm_str_of(path));
    st = call(s, &out, err);
    if (st != GM_OK) return st;
    request = begin(s, GM_FMU_OP_INSTANTIATE);
    gm_fmu_put_text(request, GM_STR("gemel"));
    gm_fmu_put_text(request, s->d->token);
    resources_text(s, request);
    gm_fmu_put_u8(request, s->options.logging);
    gm_fmu_put_u8(request, s->options.event_mode);
    gm_fmu_put_u8(request, s->options.early_return);
    gm_fmu_put_u8(request, s->options.intermediate != NULL);
    gm_fmu_put_u32(request, s->options.required_count);
    gm_buf_add(request, s->options.required, s->options.required_count * sizeof *s->options.required);
    st = call(s, &out, err);
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
    s->process       = (gm_fmu_process){ .socket = -1, .output = -1 };
    s->keeps_journal = !d->interfaces[kind].state || (options != NULL && options->replay);
    if (options != NULL) s->options = *options;
    gm_buf *bufs[] = { &s->request, &s->answer, &s->side, &s->log, &s->shown, &s->journal };
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
        gm_status     st = (begin(s, GM_FMU_OP_FREE), exchange(s, &s->request, &s->answer, &out, NULL));
        (void)st;  // what it can not free ends with its process
    }
    gm_fmu_process_end(&s->process, false, NULL);
    gm_fmu_process_finish(&s->process);
    gm_buf *bufs[] = { &s->request, &s->answer, &s->side, &s->log, &s->shown, &s->journal };
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) gm_buf_finish(bufs[i]);
    gm_free(s->host.alloc, s);
}

// ---- calls --------------------------------------------------------------------------------------------------------------

gm_status gm_fmu_enter_init(gm_fmu_session *s, const gm_fmu_experiment *e, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = begin(s, GM_FMU_OP_ENTER_INIT);
    gm_fmu_put_u8(request, e->has_tolerance);
    gm_fmu_put_f64(request, e->tolerance);
    gm_fmu_put_f64(request, e->start);
    gm_fmu_put_u8(request, e->has_stop);
    gm_fmu_put_f64(request, e->stop);
    return call(s, &out, err);
}

gm_status gm_fmu_do(gm_fmu_session *s, gm_fmu_op op, gm_error *err)
{
    gm_fmu_reader out;
    begin(s, op);
    return call(s, &out, err);
}

static void put_references(gm_buf *request, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count)
{
    gm_fmu_put_u8(request, (uint8_t)type);
    gm_fmu_put_u32(request, n);
    gm_fmu_put_u32(request, value_count);
    gm_buf_add(request, references, n * sizeof *references);
}

gm_status gm_fmu_set(gm_fmu_session *s, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count, gm_str bytes,
                     gm_error *err)
{
    gm_fmu_reader out;
    bool          inside  = s->inside;  // the outer call's request is still needed for the journal
    gm_buf       *request = inside ? &s->side : begin(s, GM_FMU_OP_SET);
    if (inside) {
        gm_buf_clear(request);
        gm_fmu_put_u8(request, GM_FMU_OP_SET);
    }
    put_references(request, type, references, n, value_count);
    gm_buf_str(request, bytes);
    if (!inside) return call(s, &out, err);
    return exchange(s, request, &s->answer, &out, err);
}

gm_status gm_fmu_get(gm_fmu_session *s, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count, gm_buf *out_bytes,
                     gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = &s->side;
    gm_buf_clear(request);
    gm_buf_clear(out_bytes);
    gm_fmu_put_u8(request, GM_FMU_OP_GET);
    put_references(request, type, references, n, value_count);
    gm_status st = exchange(s, request, &s->answer, &out, err);
    if (st != GM_OK) return st;
    size_t width = gm_fmi_type_width(type);
    if (width > 0 && out.left != width * value_count) return nonsense(s, GM_FMU_OP_GET, err);
    gm_fmu_reader walk = out;
    for (uint32_t i = 0; width == 0 && i < value_count; i++) gm_fmu_take_text(&walk);
    if (walk.bad) return nonsense(s, GM_FMU_OP_GET, err);
    gm_buf_add(out_bytes, out.at, out.left);
    return out_bytes->failed ? gm_fail(err, GM_NOMEM, "fmi.session", "%u values", value_count) : GM_OK;
}

gm_status gm_fmu_update_discrete(gm_fmu_session *s, gm_fmu_event_info *info, gm_error *err)
{
    gm_fmu_reader out;
    begin(s, GM_FMU_OP_UPDATE_DISCRETE);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    info->need_update      = gm_fmu_take_u8(&out);
    info->terminate        = gm_fmu_take_u8(&out);
    info->nominals_changed = gm_fmu_take_u8(&out);
    info->values_changed   = gm_fmu_take_u8(&out);
    info->has_next         = gm_fmu_take_u8(&out);
    info->next             = gm_fmu_take_f64(&out);
    return out.bad ? nonsense(s, GM_FMU_OP_UPDATE_DISCRETE, err) : GM_OK;
}

gm_status gm_fmu_do_step(gm_fmu_session *s, double time, double size, gm_fmu_step *out_step, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = begin(s, GM_FMU_OP_DO_STEP);
    gm_fmu_put_f64(request, time);
    gm_fmu_put_f64(request, size);
    gm_fmu_put_u8(request, !s->goes_back);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    out_step->event     = gm_fmu_take_u8(&out);
    out_step->terminate = gm_fmu_take_u8(&out);
    out_step->early     = gm_fmu_take_u8(&out);
    out_step->reached   = gm_fmu_take_f64(&out);
    return out.bad ? nonsense(s, GM_FMU_OP_DO_STEP, err) : GM_OK;
}

gm_status gm_fmu_counts(gm_fmu_session *s, uint32_t *out_states, uint32_t *out_indicators, gm_error *err)
{
    *out_states     = s->d->derivative_count;
    *out_indicators = s->d->indicator_count;
    if (s->d->version == 2) return GM_OK;
    gm_fmu_reader out;
    begin(s, GM_FMU_OP_COUNTS);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    *out_states     = gm_fmu_take_u32(&out);
    *out_indicators = gm_fmu_take_u32(&out);
    return out.bad || *out_states > GM_FMU_COUNT_MAX || *out_indicators > GM_FMU_COUNT_MAX ? nonsense(s, GM_FMU_OP_COUNTS, err) : GM_OK;
}

gm_status gm_fmu_set_time(gm_fmu_session *s, double time, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_put_f64(begin(s, GM_FMU_OP_SET_TIME), time);
    return call(s, &out, err);
}

gm_status gm_fmu_set_states(gm_fmu_session *s, const double *x, uint32_t n, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = begin(s, GM_FMU_OP_SET_STATES);
    gm_fmu_put_u32(request, n);
    gm_buf_add(request, x, n * sizeof *x);
    return call(s, &out, err);
}

gm_status gm_fmu_get_reals(gm_fmu_session *s, gm_fmu_op op, double *values, uint32_t n, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_put_u32(begin(s, op), n);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    if (out.left != n * sizeof *values) return nonsense(s, op, err);
    if (n > 0) memcpy(values, out.at, out.left);
    return GM_OK;
}

gm_status gm_fmu_completed_step(gm_fmu_session *s, bool *out_enter_event, bool *out_terminate, gm_error *err)
{
    gm_fmu_reader out;
    begin(s, GM_FMU_OP_COMPLETED_STEP);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    *out_enter_event = gm_fmu_take_u8(&out);
    *out_terminate   = gm_fmu_take_u8(&out);
    return out.bad ? nonsense(s, GM_FMU_OP_COMPLETED_STEP, err) : GM_OK;
}

gm_status gm_fmu_activate(gm_fmu_session *s, uint32_t clock, double time, const uint32_t *countdown, uint32_t countdown_count,
                          const uint32_t *outputs, uint32_t output_count, gm_fmu_clock_call *each, void *context, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = begin(s, GM_FMU_OP_ACTIVATE);
    gm_fmu_put_u32(request, clock);
    gm_fmu_put_f64(request, time);
    gm_fmu_put_u32(request, countdown_count);
    gm_buf_add(request, countdown, countdown_count * sizeof *countdown);
    gm_fmu_put_u32(request, output_count);
    gm_buf_add(request, outputs, output_count * sizeof *outputs);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    for (uint8_t kind; (kind = gm_fmu_take_u8(&out)) != 0 && !out.bad;) {
        uint32_t reference = gm_fmu_take_u32(&out);
        double   interval  = gm_fmu_take_f64(&out);
        if (!out.bad) each(context, reference, kind == 1 && interval >= 0 ? interval : -1);
    }
    return out.bad ? nonsense(s, GM_FMU_OP_ACTIVATE, err) : GM_OK;
}

gm_status gm_fmu_interval_of(gm_fmu_session *s, uint32_t clock, double *out_interval, unsigned *out_qualifier, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = begin(s, GM_FMU_OP_INTERVALS);
    gm_fmu_put_u32(request, 1);
    gm_fmu_put_u32(request, clock);
    gm_status st = call(s, &out, err);
    if (st != GM_OK) return st;
    *out_qualifier = gm_fmu_take_u8(&out);
    *out_interval  = gm_fmu_take_f64(&out);
    return out.bad ? nonsense(s, GM_FMU_OP_INTERVALS, err) : GM_OK;
}

// ---- states -------------------------------------------------------------------------------------------------------------

static gm_status take_slot(gm_fmu_session *s, gm_fmu_snapshot *out, gm_error *err)
{
    for (uint32_t i = 0; i < sizeof s->slots; i++) {
        if (s->slots[i]) continue;
        s->slots[i] = 1;
        *out        = (gm_fmu_snapshot){ .slot = i };
        return GM_OK;
    }
    return gm_fail(err, GM_LIMIT, "fmi.session", "%zu saved states", sizeof s->slots);
}

static gm_status state_call(gm_fmu_session *s, gm_fmu_op op, uint32_t slot, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_put_u32(begin(s, op), slot);
    return exchange(s, &s->request, &s->answer, &out, err);
}

gm_status gm_fmu_save(gm_fmu_session *s, gm_fmu_snapshot *out_snapshot, gm_error *err)
{
    *out_snapshot = (gm_fmu_snapshot){ .replayed = true, .journal = s->journal.len };
    if (s->keeps_journal) {
        return s->journal.failed ? gm_fail(err, GM_LIMIT, "fmi.session", "the FMU can not save its state, and its input log is full") : GM_OK;
    }
    s->goes_back = true;
    gm_status st = take_slot(s, out_snapshot, err);
    if (st != GM_OK) return st;
    st = state_call(s, GM_FMU_OP_STATE_SAVE, out_snapshot->slot, err);
    if (st != GM_OK) s->slots[out_snapshot->slot] = 0;
    return st;
}

static gm_status replay(gm_fmu_session *s, size_t length, gm_error *err)
{
    gm_fmu_process_end(&s->process, true, NULL);
    gm_fmu_process_finish(&s->process);
    s->instantiated = false;
    gm_status st    = gm_fmu_process_start(s->host.program, s->host.memory_max, &s->process, err);
    for (gm_fmu_reader r = { s->journal.ptr, length, false }; st == GM_OK && r.left > 0 && !r.bad;) {
        gm_fmu_reader out;
        gm_str        request = gm_fmu_take_text(&r);
        gm_buf_clear(&s->request);
        gm_buf_str(&s->request, request);
        if (!s->request.failed && request.len == 0) break;
        st = exchange(s, &s->request, &s->answer, &out, err);
        if (st == GM_OK && request.ptr[0] == GM_FMU_OP_INSTANTIATE) s->instantiated = true;
    }
    s->journal.len = length;
    return st;
}

gm_status gm_fmu_restore(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_error *err)
{
    if (!snapshot->replayed) return state_call(s, GM_FMU_OP_STATE_RESTORE, snapshot->slot, err);
    if (snapshot->journal > s->journal.len) return gm_fail(err, GM_CONFLICT, "fmi.session", "the instance was set back before this point");
    return replay(s, snapshot->journal, err);
}

void gm_fmu_forget(gm_fmu_session *s, const gm_fmu_snapshot *snapshot)
{
    if (snapshot->replayed || snapshot->slot >= sizeof s->slots || !s->slots[snapshot->slot]) return;
    gm_status st = s->process.pid > 0 ? state_call(s, GM_FMU_OP_STATE_FREE, snapshot->slot, NULL) : GM_OK;
    if (st == GM_OK) s->slots[snapshot->slot] = 0;
}

gm_status gm_fmu_write_state(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_buf *bytes, gm_error *err)
{
    gm_fmu_reader out;
    if (snapshot->replayed) return gm_fail(err, GM_INVALID, "fmi.session", "this FMU's states have no bytes");
    gm_fmu_put_u32(begin(s, GM_FMU_OP_STATE_WRITE), snapshot->slot);
    gm_status st = exchange(s, &s->request, &s->answer, &out, err);
    if (st != GM_OK) return st;
    gm_buf_str(bytes, gm_fmu_take_text(&out));
    if (out.bad) return nonsense(s, GM_FMU_OP_STATE_WRITE, err);
    return bytes->failed ? gm_fail(err, GM_NOMEM, "fmi.session", "an FMU's state") : GM_OK;
}

gm_status gm_fmu_read_state(gm_fmu_session *s, gm_str bytes, gm_fmu_snapshot *out_snapshot, gm_error *err)
{
    gm_fmu_reader out;
    gm_status     st = take_slot(s, out_snapshot, err);
    if (st != GM_OK) return st;
    gm_buf *request = begin(s, GM_FMU_OP_STATE_READ);
    gm_fmu_put_u32(request, out_snapshot->slot);
    gm_fmu_put_text(request, bytes);
    st = exchange(s, request, &s->answer, &out, err);
    if (st != GM_OK) s->slots[out_snapshot->slot] = 0;
    return st;
}
