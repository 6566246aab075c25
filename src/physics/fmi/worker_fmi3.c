// How FMI 3.0 is spoken (3.0.1): the operations of the protocol as calls of its functions.
#include "physics/fmi/worker_parts.h"

#include <stdlib.h>
#include <unistd.h>

static void on_log(void *environment, int status, const char *category, const char *message)
{
    if (environment != NULL) gm_fmu_worker_log(environment, status, category, message);
}

// Asks the parent what to do with an intermediate update. While it decides it may get and set variables: requests are
// served from inside the FMU's call, until the parent's INTERMEDIATE frame ends them.
static void on_intermediate(void *environment, double time, bool set_requested, bool get_allowed, bool step_finished,
                            bool can_return_early, bool *return_requested, double *return_time)
{
    gm_fmu_worker *w = environment;
    uint8_t        flags = (uint8_t)((set_requested ? GM_FMU_MAY_SET : 0) | (get_allowed ? GM_FMU_MAY_GET : 0) |
                              (step_finished ? GM_FMU_STEP_FINISHED : 0) | (can_return_early ? GM_FMU_MAY_RETURN : 0));
    *return_requested = false;
    *return_time      = time;
    gm_buf_clear(&w->frame);
    gm_fmu_put_f64(&w->frame, time);
    gm_fmu_put_u8(&w->frame, flags);
    if (gm_fmu_send(w->fd, GM_FMU_FRAME_INTERMEDIATE, w->frame.ptr, w->frame.len, NULL) != GM_OK) _exit(0);

    gm_buf        outer_out = w->out;  // the answer that is being made by the call that we are inside of
    gm_fmu_reader outer_in  = w->in;
    uint8_t       outer_now = *w->now;
    gm_buf        request   = gm_buf_init(gm_alloc_system());
    gm_fmu_frame  frame;
    w->out    = gm_buf_init(gm_alloc_system());
    w->inside = true;
    for (;;) {
        if (gm_fmu_receive(w->fd, gm_clock_system(), -1, &frame, &request, NULL) != GM_OK) _exit(0);
        w->in = (gm_fmu_reader){ request.ptr, request.len, false };
        if (frame == GM_FMU_FRAME_INTERMEDIATE) break;
        gm_fmu_worker_answer(w);
    }
    *return_requested = gm_fmu_take_u8(&w->in) != 0 && can_return_early;
    *return_time      = gm_fmu_take_f64(&w->in);
    gm_buf_finish(&w->out);
    gm_buf_finish(&request);
    w->out    = outer_out;
    w->in     = outer_in;
    w->inside = false;
    *w->now   = outer_now;
}

// A clock has something to tell: it must be asked now, inside the callback (3.0.1, 5.2.2).
static void on_clock_update(void *environment)
{
    gm_fmu_worker *w = environment;
    w->clock_updated = true;
    for (uint32_t i = 0; i < w->countdown_count; i++) {
        uint32_t ref       = gm_get_u32(w->countdown + 4 * (size_t)i);
        double   interval  = 0;
        int      qualifier = 0;
        if (w->fmi3.get_interval == NULL || w->fmi3.get_interval(w->instance, &ref, 1, &interval, &qualifier) > GM_FMI_WARNING) qualifier = 0;
        if (qualifier != 2) continue;
        gm_fmu_put_u8(&w->out, 1);
        gm_fmu_put_u32(&w->out, ref);
        gm_fmu_put_f64(&w->out, interval);
    }
    for (uint32_t i = 0; i < w->output_count; i++) {
        uint32_t ref    = gm_get_u32(w->outputs + 4 * (size_t)i);
        bool     ticked = false;
        if (w->fmi3.get_clock == NULL || w->fmi3.get_clock(w->instance, &ref, 1, &ticked) > GM_FMI_WARNING || !ticked) continue;
        gm_fmu_put_u8(&w->out, 2);
        gm_fmu_put_u32(&w->out, ref);
        gm_fmu_put_f64(&w->out, 0);
    }
}

static void nothing_to_lock(void) {}  // partitions are activated one after the other: nothing preempts

static int instantiate(gm_fmu_worker *w)
{
    size_t       sizes[3];
    const char **texts        = gm_fmu_worker_texts(w, 3, sizes);  // name, token, resources
    bool         logging      = gm_fmu_take_u8(&w->in);
    bool         event_mode   = gm_fmu_take_u8(&w->in);
    bool         early_return = gm_fmu_take_u8(&w->in);
    bool         intermediate = gm_fmu_take_u8(&w->in);
    uint32_t     n            = gm_fmu_take_u32(&w->in);
    uint32_t    *required     = gm_fmu_worker_array(w, n, sizeof *required);
    const gm_fmi3 *f          = &w->fmi3;
    if (texts == NULL || required == NULL || w->in.bad) {
        gm_fmu_worker_refuse(w, "the request is cut short");
    } else if (w->kind == GM_FMI_CO_SIMULATION) {
        if (GM_FMU_NEED(w, fmi3.instantiate_cs)) {
            w->instance = f->instantiate_cs(texts[0], texts[1], texts[2], false, logging, event_mode, early_return, required, n, w, on_log,
                                            intermediate ? on_intermediate : NULL);
        }
    } else if (w->kind == GM_FMI_MODEL_EXCHANGE) {
        if (GM_FMU_NEED(w, fmi3.instantiate_me)) {
            w->instance = f->instantiate_me(texts[0], texts[1], texts[2], false, logging, w, on_log);
        }
    } else if (GM_FMU_NEED(w, fmi3.instantiate_se)) {
        w->instance = f->instantiate_se(texts[0], texts[1], texts[2], false, logging, w, on_log, on_clock_update, nothing_to_lock,
                                        nothing_to_lock);
    }
    free(texts);
    free(required);
    return w->instance != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

static int enter_init(gm_fmu_worker *w)
{
    gm_fmu_experiment x = gm_fmu_worker_take_experiment(w);
    if (!GM_FMU_NEED(w, fmi3.enter_init)) return GM_FMI_ERROR;
    return w->fmi3.enter_init(w->instance, x.tolerance_defined, x.tolerance, x.start, x.stop_defined, x.stop);
}

static int get_binaries(gm_fmu_worker *w, const uint32_t *refs, uint32_t n, const uint8_t **bytes, uint32_t count)
{
    size_t *sizes  = gm_fmu_worker_room(w, count, sizeof *sizes);
    int     status = GM_FMI_ERROR;
    if (sizes != NULL && GM_FMU_NEED(w, fmi3.get_binary)) {
        status = w->fmi3.get_binary(w->instance, refs, n, sizes, bytes, count);
        for (uint32_t i = 0; i < count; i++) {
            size_t size = bytes[i] != NULL && status <= GM_FMI_WARNING ? sizes[i] : 0;
            if (size > GM_FMU_FRAME_MAX - w->out.len) {
                gm_fmu_worker_refuse(w, "a binary of %zu bytes", size);
                break;
            }
            gm_fmu_put_text(&w->out, (gm_str){ (const char *)bytes[i], size });
        }
    }
    free(sizes);
    return status;
}

static int get(gm_fmu_worker *w)
{
    gm_fmi_type type   = (gm_fmi_type)gm_fmu_take_u8(&w->in);
    uint32_t    n      = gm_fmu_take_u32(&w->in);
    uint32_t    count  = gm_fmu_take_u32(&w->in);
    uint32_t   *refs   = gm_fmu_worker_array(w, n, sizeof *refs);
    void       *room   = refs != NULL ? gm_fmu_worker_room(w, count, 8) : NULL;
    int         status = GM_FMI_ERROR;
    if (room == NULL || type >= GM_FMI_TYPE_COUNT) {
        gm_fmu_worker_refuse(w, "the request is cut short");
    } else if (type == GM_FMI_STRING) {
        const char **texts = room;
        if (GM_FMU_NEED(w, fmi3.get_string)) status = w->fmi3.get_string(w->instance, refs, n, texts, count);
        for (uint32_t i = 0; i < count; i++) gm_fmu_put_text(&w->out, gm_str_of(texts[i] != NULL && status <= GM_FMI_WARNING ? texts[i] : ""));
    } else if (type == GM_FMI_BINARY) {
        status = get_binaries(w, refs, n, room, count);
    } else if (type == GM_FMI_CLOCK) {
        if (GM_FMU_NEED(w, fmi3.get_clock)) status = w->fmi3.get_clock(w->instance, refs, n, room);
        gm_buf_add(&w->out, room, count);
    } else if (w->fmi3.get[type] == NULL) {
        gm_fmu_worker_refuse(w, "the library has no function fmi3Get%s", gm_fmi_type_text(type));
    } else {
        status = w->fmi3.get[type](w->instance, refs, n, room, count);
        gm_buf_add(&w->out, room, count * gm_fmi_type_width(type));
    }
    free(refs);
    free(room);
    return status;
}

static int set_texts(gm_fmu_worker *w, gm_fmi_type type, const uint32_t *refs, uint32_t n, uint32_t count)
{
    size_t      *sizes  = gm_fmu_worker_room(w, count, sizeof *sizes);
    const char **texts  = sizes != NULL ? gm_fmu_worker_texts(w, count, sizes) : NULL;
    int          status = GM_FMI_ERROR;
    if (texts == NULL || w->in.bad) {
        gm_fmu_worker_refuse(w, "the request is cut short");
    } else if (type == GM_FMI_STRING) {
        if (GM_FMU_NEED(w, fmi3.set_string)) status = w->fmi3.set_string(w->instance, refs, n, texts, count);
    } else if (GM_FMU_NEED(w, fmi3.set_binary)) {
        status = w->fmi3.set_binary(w->instance, refs, n, sizes, (const uint8_t *const *)texts, count);
    }
    free(sizes);
    free(texts);
    return status;
}

static int set(gm_fmu_worker *w)
{
    gm_fmi_type type   = (gm_fmi_type)gm_fmu_take_u8(&w->in);
    uint32_t    n      = gm_fmu_take_u32(&w->in);
    uint32_t    count  = gm_fmu_take_u32(&w->in);
    uint32_t   *refs   = gm_fmu_worker_array(w, n, sizeof *refs);
    int         status = GM_FMI_ERROR;
    if (refs == NULL || type >= GM_FMI_TYPE_COUNT) {
        gm_fmu_worker_refuse(w, "the request is cut short");
    } else if (type == GM_FMI_STRING || type == GM_FMI_BINARY) {
        status = set_texts(w, type, refs, n, count);
    } else {
        void *values = gm_fmu_worker_array(w, count, gm_fmi_type_width(type));
        if (values == NULL) gm_fmu_worker_refuse(w, "the request is cut short");
        else if (type == GM_FMI_CLOCK) status = GM_FMU_NEED(w, fmi3.set_clock) ? w->fmi3.set_clock(w->instance, refs, n, values) : status;
        else if (w->fmi3.set[type] == NULL) gm_fmu_worker_refuse(w, "the library has no function fmi3Set%s", gm_fmi_type_text(type));
        else status = w->fmi3.set[type](w->instance, refs, n, values, count);
        free(values);
    }
    free(refs);
    return status;
}

static int update_discrete(gm_fmu_worker *w)
{
    bool   flags[5] = { false };
    double next     = 0;
    if (!GM_FMU_NEED(w, fmi3.update_discrete)) return GM_FMI_ERROR;
    int status = w->fmi3.update_discrete(w->instance, &flags[0], &flags[1], &flags[2], &flags[3], &flags[4], &next);
    for (size_t i = 0; i < 5; i++) gm_fmu_put_u8(&w->out, flags[i]);
    gm_fmu_put_f64(&w->out, next);
    return status;
}

static int do_step(gm_fmu_worker *w)
{
    double time = gm_fmu_take_f64(&w->in), size = gm_fmu_take_f64(&w->in);
    bool   no_set_prior = gm_fmu_take_u8(&w->in);
    bool   event = false, terminate = false, early = false;
    double last = time + size;
    if (!GM_FMU_NEED(w, fmi3.do_step)) return GM_FMI_ERROR;
    int status = w->fmi3.do_step(w->instance, time, size, no_set_prior, &event, &terminate, &early, &last);
    gm_fmu_put_u8(&w->out, event);
    gm_fmu_put_u8(&w->out, terminate);
    gm_fmu_put_u8(&w->out, early);
    gm_fmu_put_f64(&w->out, last);
    return status;
}

static int counts(gm_fmu_worker *w)
{
    size_t nx = 0, nz = 0;
    if (!GM_FMU_NEED(w, fmi3.state_count)) return GM_FMI_ERROR;
    if (!GM_FMU_NEED(w, fmi3.indicator_count)) return GM_FMI_ERROR;
    int status = w->fmi3.state_count(w->instance, &nx);
    int second = w->fmi3.indicator_count(w->instance, &nz);
    if (nx > GM_FMU_COUNT_MAX || nz > GM_FMU_COUNT_MAX) return gm_fmu_worker_refuse(w, "%zu states, %zu event indicators", nx, nz);
    gm_fmu_put_u32(&w->out, (uint32_t)nx);
    gm_fmu_put_u32(&w->out, (uint32_t)nz);
    return second > status ? second : status;
}

static int completed_step(gm_fmu_worker *w)
{
    bool enter = false, terminate = false;
    if (!GM_FMU_NEED(w, fmi3.completed_step)) return GM_FMI_ERROR;
    int status = w->fmi3.completed_step(w->instance, true, &enter, &terminate);
    gm_fmu_put_u8(&w->out, enter);
    gm_fmu_put_u8(&w->out, terminate);
    return status;
}

static int intervals(gm_fmu_worker *w)
{
    uint32_t  n          = gm_fmu_take_u32(&w->in);
    uint32_t *refs       = gm_fmu_worker_array(w, n, sizeof *refs);
    double   *values     = gm_fmu_worker_room(w, n, sizeof *values);
    int      *qualifiers = gm_fmu_worker_room(w, n, sizeof *qualifiers);
    int       status     = GM_FMI_ERROR;
    if (refs != NULL && values != NULL && qualifiers != NULL && GM_FMU_NEED(w, fmi3.get_interval)) {
        status = w->fmi3.get_interval(w->instance, refs, n, values, qualifiers);
        for (uint32_t i = 0; i < n; i++) {
            gm_fmu_put_u8(&w->out, (uint8_t)qualifiers[i]);
            gm_fmu_put_f64(&w->out, values[i]);
        }
    }
    free(refs);
    free(values);
    free(qualifiers);
    return status;
}

// Results: a row of (kind u8, reference u32, interval f64): 1 a countdown clock is due in so long, 2 an output clock
// ticked; a 0 byte ends it.
static int activate(gm_fmu_worker *w)
{
    uint32_t clock = gm_fmu_take_u32(&w->in);
    double   time  = gm_fmu_take_f64(&w->in);
    w->countdown_count = gm_fmu_take_u32(&w->in);
    w->countdown       = gm_fmu_take(&w->in, 4 * (size_t)w->countdown_count);
    w->output_count    = gm_fmu_take_u32(&w->in);
    w->outputs         = gm_fmu_take(&w->in, 4 * (size_t)w->output_count);
    if (w->in.bad) return gm_fmu_worker_refuse(w, "the request is cut short");
    if (!GM_FMU_NEED(w, fmi3.activate)) return GM_FMI_ERROR;
    int status = w->fmi3.activate(w->instance, clock, time);
    gm_fmu_put_u8(&w->out, 0);
    w->countdown_count = w->output_count = 0;
    return status;
}

int gm_fmu_worker3_call(gm_fmu_worker *w, gm_fmu_op op)
{
    switch (op) {
    case GM_FMU_OP_INSTANTIATE: return instantiate(w);
    case GM_FMU_OP_ENTER_INIT: return enter_init(w);
    case GM_FMU_OP_ENTER_CONFIG: return gm_fmu_worker_simple(w, w->fmi3.enter_config, op);
    case GM_FMU_OP_EXIT_CONFIG: return gm_fmu_worker_simple(w, w->fmi3.exit_config, op);
    case GM_FMU_OP_ENTER_STEP: return gm_fmu_worker_simple(w, w->fmi3.enter_step, op);
    case GM_FMU_OP_GET: return get(w);
    case GM_FMU_OP_SET: return set(w);
    case GM_FMU_OP_UPDATE_DISCRETE: return update_discrete(w);
    case GM_FMU_OP_COUNTS: return counts(w);
    case GM_FMU_OP_COMPLETED_STEP: return completed_step(w);
    case GM_FMU_OP_DO_STEP: return do_step(w);
    case GM_FMU_OP_INTERVALS: return intervals(w);
    case GM_FMU_OP_ACTIVATE: return activate(w);
    default: return gm_fmu_worker_both_call(w, op);
    }
}
