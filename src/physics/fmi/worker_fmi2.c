// How FMI 2.0 is spoken (2.0.4): the operations of the protocol as calls of its functions.
#include "physics/fmi/worker_parts.h"

#include <stdio.h>
#include <stdlib.h>

static void on_log(void *environment, const char *instance, int status, const char *category, const char *message, ...)
{
    char text[4096];
    (void)instance;
    va_list arguments;
    va_start(arguments, message);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text, message != NULL ? message : "", arguments);  // the FMU's own format, in its own process
#pragma GCC diagnostic pop
    va_end(arguments);
    if (environment != NULL) gm_fmu_worker_log(environment, status, category, text);
}

static int instantiate(gm_fmu_worker *w)
{
    size_t       sizes[3];
    const char **texts = gm_fmu_worker_texts(w, 3, sizes);  // name, token, resources
    bool         logging = gm_fmu_take_u8(&w->in) != 0;
    if (texts == NULL || w->in.bad) {
        free(texts);
        return gm_fmu_worker_refuse(w, "the request is cut short");
    }
    w->callbacks = (gm_fmi2_callbacks){ on_log, calloc, free, NULL, w };
    if (GM_FMU_NEED(w, fmi2.instantiate)) {
        w->instance = w->fmi2.instantiate(texts[0], w->kind == GM_FMI_CO_SIMULATION ? 1 : 0, texts[1], texts[2], &w->callbacks, 0, logging);
    }
    free(texts);
    return w->instance != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

static int enter_init(gm_fmu_worker *w)
{
    gm_fmu_experiment x = gm_fmu_worker_take_experiment(w);
    if (!GM_FMU_NEED(w, fmi2.setup) || !GM_FMU_NEED(w, fmi2.enter_init)) return GM_FMI_ERROR;
    int status = w->fmi2.setup(w->instance, x.tolerance_defined, x.tolerance, x.start, x.stop_defined, x.stop);
    int second = status <= GM_FMI_WARNING ? w->fmi2.enter_init(w->instance) : status;
    return second > status ? second : status;
}

static int get(gm_fmu_worker *w)
{
    gm_fmi_type type   = (gm_fmi_type)gm_fmu_take_u8(&w->in);
    uint32_t    n      = gm_fmu_take_u32(&w->in);
    uint32_t    values = gm_fmu_take_u32(&w->in);
    unsigned   *refs   = gm_fmu_worker_array(w, n, sizeof *refs);
    void       *room   = refs != NULL && n == values ? gm_fmu_worker_room(w, n, 8) : NULL;
    int         status = GM_FMI_ERROR;
    if (room == NULL) {
        free(refs);
        return gm_fmu_worker_refuse(w, "a wrong number of values");
    }
    int         *ints  = room;
    const char **texts = room;
    switch (type) {
    case GM_FMI_FLOAT64:
        if (!GM_FMU_NEED(w, fmi2.get_real)) break;
        status = w->fmi2.get_real(w->instance, refs, n, room);
        gm_buf_add(&w->out, room, n * sizeof(double));
        break;
    case GM_FMI_INT32:
        if (!GM_FMU_NEED(w, fmi2.get_integer)) break;
        status = w->fmi2.get_integer(w->instance, refs, n, ints);
        gm_buf_add(&w->out, room, n * sizeof(int));
        break;
    case GM_FMI_ENUMERATION:
        if (!GM_FMU_NEED(w, fmi2.get_integer)) break;
        status = w->fmi2.get_integer(w->instance, refs, n, ints);
        for (uint32_t i = 0; i < n; i++) {
            int64_t wide = ints[i];
            gm_buf_add(&w->out, &wide, sizeof wide);
        }
        break;
    case GM_FMI_BOOLEAN:
        if (!GM_FMU_NEED(w, fmi2.get_boolean)) break;
        status = w->fmi2.get_boolean(w->instance, refs, n, ints);
        for (uint32_t i = 0; i < n; i++) gm_fmu_put_u8(&w->out, ints[i] != 0);
        break;
    case GM_FMI_STRING:
        if (!GM_FMU_NEED(w, fmi2.get_string)) break;
        status = w->fmi2.get_string(w->instance, refs, n, texts);
        for (uint32_t i = 0; i < n; i++) gm_fmu_put_text(&w->out, gm_str_of(texts[i] != NULL && status <= GM_FMI_WARNING ? texts[i] : ""));
        break;
    default: gm_fmu_worker_refuse(w, "FMI 2 has no type %d", (int)type);
    }
    free(refs);
    free(room);
    return status;
}

// Reads n values of the type as int: booleans come as bytes, enumerations as 64 bits.
static int *take_ints(gm_fmu_worker *w, gm_fmi_type type, uint32_t n)
{
    size_t   width = gm_fmi_type_width(type);
    uint8_t *raw   = gm_fmu_worker_array(w, n, width);
    int     *ints  = raw != NULL ? gm_fmu_worker_room(w, n, sizeof *ints) : NULL;
    for (uint32_t i = 0; ints != NULL && i < n; i++) {
        const uint8_t *at = raw + i * width;
        ints[i] = width == 1 ? *at : width == 4 ? (int)gm_get_u32(at) : (int)gm_get_i64(at);
    }
    free(raw);
    return ints;
}

static int set(gm_fmu_worker *w)
{
    gm_fmi_type type   = (gm_fmi_type)gm_fmu_take_u8(&w->in);
    uint32_t    n      = gm_fmu_take_u32(&w->in);
    uint32_t    values = gm_fmu_take_u32(&w->in);
    unsigned   *refs   = n == values ? gm_fmu_worker_array(w, n, sizeof *refs) : NULL;
    int         status = GM_FMI_ERROR;
    void       *data   = NULL;
    if (refs == NULL) return gm_fmu_worker_refuse(w, "a wrong number of values");
    switch (type) {
    case GM_FMI_FLOAT64:
        data = gm_fmu_worker_array(w, n, sizeof(double));
        if (data != NULL && GM_FMU_NEED(w, fmi2.set_real)) status = w->fmi2.set_real(w->instance, refs, n, data);
        break;
    case GM_FMI_INT32:
    case GM_FMI_ENUMERATION:
        data = take_ints(w, type, n);
        if (data != NULL && GM_FMU_NEED(w, fmi2.set_integer)) status = w->fmi2.set_integer(w->instance, refs, n, data);
        break;
    case GM_FMI_BOOLEAN:
        data = take_ints(w, type, n);
        if (data != NULL && GM_FMU_NEED(w, fmi2.set_boolean)) status = w->fmi2.set_boolean(w->instance, refs, n, data);
        break;
    case GM_FMI_STRING: {
        const char **texts = gm_fmu_worker_texts(w, n, NULL);
        if (texts != NULL && GM_FMU_NEED(w, fmi2.set_string)) status = w->fmi2.set_string(w->instance, refs, n, texts);
        data = texts;
        break;
    }
    default: gm_fmu_worker_refuse(w, "FMI 2 has no type %d", (int)type);
    }
    if (data == NULL) gm_fmu_worker_refuse(w, "the request is cut short");
    free(refs);
    free(data);
    return status;
}

static int new_discrete_states(gm_fmu_worker *w)
{
    gm_fmi2_event_info info = { 0 };
    if (!GM_FMU_NEED(w, fmi2.new_discrete_states)) return GM_FMI_ERROR;
    int status = w->fmi2.new_discrete_states(w->instance, &info);
    gm_fmu_put_u8(&w->out, info.new_discrete_states_needed != 0);
    gm_fmu_put_u8(&w->out, info.terminate != 0);
    gm_fmu_put_u8(&w->out, info.nominals_changed != 0);
    gm_fmu_put_u8(&w->out, info.values_changed != 0);
    gm_fmu_put_u8(&w->out, info.next_time_defined != 0);
    gm_fmu_put_f64(&w->out, info.next_time);
    return status;
}

static int do_step(gm_fmu_worker *w)
{
    double time = gm_fmu_take_f64(&w->in), size = gm_fmu_take_f64(&w->in);
    bool   no_set_prior = gm_fmu_take_u8(&w->in);
    if (!GM_FMU_NEED(w, fmi2.do_step)) return GM_FMI_ERROR;
    int    status = w->fmi2.do_step(w->instance, time, size, no_set_prior);
    double last   = time + size;
    int    ended  = 0;
    if (status == GM_FMI_DISCARD) {
        // What was reached of the step, and whether the FMU wants to end (2.0.4, 4.2.1).
        last = time;
        if (w->fmi2.get_real_status != NULL) w->fmi2.get_real_status(w->instance, GM_FMI2_LAST_SUCCESSFUL_TIME, &last);
        if (w->fmi2.get_boolean_status != NULL) w->fmi2.get_boolean_status(w->instance, GM_FMI2_TERMINATED, &ended);
    }
    gm_fmu_put_u8(&w->out, 0);  // no event mode in FMI 2 co-simulation
    gm_fmu_put_u8(&w->out, ended != 0);
    gm_fmu_put_u8(&w->out, status == GM_FMI_DISCARD);
    gm_fmu_put_f64(&w->out, last);
    return status;
}

static int completed_step(gm_fmu_worker *w)
{
    int enter = 0, terminate = 0;
    if (!GM_FMU_NEED(w, fmi2.completed_step)) return GM_FMI_ERROR;
    int status = w->fmi2.completed_step(w->instance, 1, &enter, &terminate);
    gm_fmu_put_u8(&w->out, enter != 0);
    gm_fmu_put_u8(&w->out, terminate != 0);
    return status;
}

int gm_fmu_worker2_call(gm_fmu_worker *w, gm_fmu_op op)
{
    switch (op) {
    case GM_FMU_OP_INSTANTIATE: return instantiate(w);
    case GM_FMU_OP_ENTER_INIT: return enter_init(w);
    case GM_FMU_OP_GET: return get(w);
    case GM_FMU_OP_SET: return set(w);
    case GM_FMU_OP_UPDATE_DISCRETE: return new_discrete_states(w);
    case GM_FMU_OP_COMPLETED_STEP: return completed_step(w);
    case GM_FMU_OP_DO_STEP: return do_step(w);
    default: return gm_fmu_worker_both_call(w, op);
    }
}
