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

#define NEED(w, pointer, name) \
    ((pointer) != NULL || (gm_fmu_worker_refuse((w), "the library has no function %s", "fmi2" name), false))

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
    if (NEED(w, w->fmi2.instantiate, "Instantiate")) {
        w->instance = w->fmi2.instantiate(texts[0], w->kind == GM_FMI_CO_SIMULATION ? 1 : 0, texts[1], texts[2], &w->callbacks, 0, logging);
    }
    free(texts);
    return w->instance != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

static int enter_init(gm_fmu_worker *w)
{
    bool   tolerance_defined = gm_fmu_take_u8(&w->in);
    double tolerance         = gm_fmu_take_f64(&w->in);
    double start             = gm_fmu_take_f64(&w->in);
    bool   stop_defined      = gm_fmu_take_u8(&w->in);
    double stop              = gm_fmu_take_f64(&w->in);
    if (!NEED(w, w->fmi2.setup, "SetupExperiment") || !NEED(w, w->fmi2.enter_init, "EnterInitializationMode")) return GM_FMI_ERROR;
    int status = w->fmi2.setup(w->instance, tolerance_defined, tolerance, start, stop_defined, stop);
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
        if (!NEED(w, w->fmi2.get_real, "GetReal")) break;
        status = w->fmi2.get_real(w->instance, refs, n, room);
        gm_buf_add(&w->out, room, n * sizeof(double));
        break;
    case GM_FMI_INT32:
        if (!NEED(w, w->fmi2.get_integer, "GetInteger")) break;
        status = w->fmi2.get_integer(w->instance, refs, n, ints);
        gm_buf_add(&w->out, room, n * sizeof(int));
        break;
    case GM_FMI_ENUMERATION:
        if (!NEED(w, w->fmi2.get_integer, "GetInteger")) break;
        status = w->fmi2.get_integer(w->instance, refs, n, ints);
        for (uint32_t i = 0; i < n; i++) {
            int64_t wide = ints[i];
            gm_buf_add(&w->out, &wide, sizeof wide);
        }
        break;
    case GM_FMI_BOOLEAN:
        if (!NEED(w, w->fmi2.get_boolean, "GetBoolean")) break;
        status = w->fmi2.get_boolean(w->instance, refs, n, ints);
        for (uint32_t i = 0; i < n; i++) gm_fmu_put_u8(&w->out, ints[i] != 0);
        break;
    case GM_FMI_STRING:
        if (!NEED(w, w->fmi2.get_string, "GetString")) break;
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
        if (data != NULL && NEED(w, w->fmi2.set_real, "SetReal")) status = w->fmi2.set_real(w->instance, refs, n, data);
        break;
    case GM_FMI_INT32:
    case GM_FMI_ENUMERATION:
        data = take_ints(w, type, n);
        if (data != NULL && NEED(w, w->fmi2.set_integer, "SetInteger")) status = w->fmi2.set_integer(w->instance, refs, n, data);
        break;
    case GM_FMI_BOOLEAN:
        data = take_ints(w, type, n);
        if (data != NULL && NEED(w, w->fmi2.set_boolean, "SetBoolean")) status = w->fmi2.set_boolean(w->instance, refs, n, data);
        break;
    case GM_FMI_STRING: {
        const char **texts = gm_fmu_worker_texts(w, n, NULL);
        if (texts != NULL && NEED(w, w->fmi2.set_string, "SetString")) status = w->fmi2.set_string(w->instance, refs, n, texts);
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
    if (!NEED(w, w->fmi2.new_discrete_states, "NewDiscreteStates")) return GM_FMI_ERROR;
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
    if (!NEED(w, w->fmi2.do_step, "DoStep")) return GM_FMI_ERROR;
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

static int get_reals(gm_fmu_worker *w, gm_fmu_op op)
{
    uint32_t n = gm_fmu_take_u32(&w->in);
    double  *x = gm_fmu_worker_room(w, n, sizeof *x);
    int status = GM_FMI_ERROR;
    if (x == NULL) return status;
    const gm_fmi2 *f = &w->fmi2;
    if (op == GM_FMU_OP_GET_STATES && NEED(w, f->get_states, "GetContinuousStates")) status = f->get_states(w->instance, x, n);
    if (op == GM_FMU_OP_GET_DERIVATIVES && NEED(w, f->get_derivatives, "GetDerivatives")) status = f->get_derivatives(w->instance, x, n);
    if (op == GM_FMU_OP_GET_INDICATORS && NEED(w, f->get_indicators, "GetEventIndicators")) status = f->get_indicators(w->instance, x, n);
    if (op == GM_FMU_OP_GET_NOMINALS && NEED(w, f->get_nominals, "GetNominalsOfContinuousStates")) status = f->get_nominals(w->instance, x, n);
    gm_buf_add(&w->out, x, n * sizeof *x);
    free(x);
    return status;
}

static int set_states(gm_fmu_worker *w)
{
    uint32_t n      = gm_fmu_take_u32(&w->in);
    double  *x      = gm_fmu_worker_array(w, n, sizeof *x);
    int      status = GM_FMI_ERROR;
    if (x != NULL && NEED(w, w->fmi2.set_states, "SetContinuousStates")) status = w->fmi2.set_states(w->instance, x, n);
    free(x);
    return status;
}

static int completed_step(gm_fmu_worker *w)
{
    int enter = 0, terminate = 0;
    if (!NEED(w, w->fmi2.completed_step, "CompletedIntegratorStep")) return GM_FMI_ERROR;
    int status = w->fmi2.completed_step(w->instance, 1, &enter, &terminate);
    gm_fmu_put_u8(&w->out, enter != 0);
    gm_fmu_put_u8(&w->out, terminate != 0);
    return status;
}

static int state_call(gm_fmu_worker *w, gm_fmu_op op)
{
    const gm_fmi2 *f    = &w->fmi2;
    uint32_t       slot = gm_fmu_take_u32(&w->in);
    if (slot >= GM_FMU_STATES_MAX) return gm_fmu_worker_refuse(w, "more than %d saved states", GM_FMU_STATES_MAX);
    void **state = &w->states[slot];
    switch (op) {
    case GM_FMU_OP_STATE_SAVE: return NEED(w, f->get_state, "GetFMUstate") ? f->get_state(w->instance, state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_RESTORE: return NEED(w, f->set_state, "SetFMUstate") ? f->set_state(w->instance, *state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_FREE: return NEED(w, f->free_state, "FreeFMUstate") ? f->free_state(w->instance, state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_READ: {
        gm_str bytes = gm_fmu_take_text(&w->in);
        if (!NEED(w, f->deserialize, "DeSerializeFMUstate")) return GM_FMI_ERROR;
        return f->deserialize(w->instance, (const unsigned char *)bytes.ptr, bytes.len, state);
    }
    default: break;
    }
    size_t size = 0;
    if (!NEED(w, f->state_size, "SerializedFMUstateSize") || !NEED(w, f->serialize, "SerializeFMUstate")) return GM_FMI_ERROR;
    int status = f->state_size(w->instance, *state, &size);
    if (status > GM_FMI_WARNING) return status;
    if (size >= GM_FMU_FRAME_MAX / 2) return gm_fmu_worker_refuse(w, "a state of %zu bytes", size);
    gm_fmu_put_u32(&w->out, (uint32_t)size);
    uint8_t *to = gm_buf_reserve(&w->out, size);
    if (to == NULL) return GM_FMI_ERROR;
    w->out.len += size;
    return f->serialize(w->instance, *state, to, size);
}

static int simple(gm_fmu_worker *w, int (*call)(gm_fmi_instance), gm_fmu_op op)
{
    if (call == NULL) return gm_fmu_worker_refuse(w, "the library has no function fmi2%s", gm_fmu_op_text(op));
    return call(w->instance);
}

int gm_fmu_worker2_call(gm_fmu_worker *w, gm_fmu_op op)
{
    switch (op) {
    case GM_FMU_OP_INSTANTIATE: return instantiate(w);
    case GM_FMU_OP_ENTER_INIT: return enter_init(w);
    case GM_FMU_OP_EXIT_INIT: return simple(w, w->fmi2.exit_init, op);
    case GM_FMU_OP_ENTER_EVENT: return simple(w, w->fmi2.enter_event, op);
    case GM_FMU_OP_ENTER_CONTINUOUS: return simple(w, w->fmi2.enter_continuous, op);
    case GM_FMU_OP_TERMINATE: return simple(w, w->fmi2.terminate, op);
    case GM_FMU_OP_RESET: return simple(w, w->fmi2.reset, op);
    case GM_FMU_OP_FREE:
        if (w->fmi2.free_instance != NULL) w->fmi2.free_instance(w->instance);
        w->instance = NULL;
        return GM_FMI_OK;
    case GM_FMU_OP_GET: return get(w);
    case GM_FMU_OP_SET: return set(w);
    case GM_FMU_OP_UPDATE_DISCRETE: return new_discrete_states(w);
    case GM_FMU_OP_SET_TIME: {
        double time = gm_fmu_take_f64(&w->in);
        return NEED(w, w->fmi2.set_time, "SetTime") ? w->fmi2.set_time(w->instance, time) : GM_FMI_ERROR;
    }
    case GM_FMU_OP_SET_STATES: return set_states(w);
    case GM_FMU_OP_GET_STATES:
    case GM_FMU_OP_GET_DERIVATIVES:
    case GM_FMU_OP_GET_INDICATORS:
    case GM_FMU_OP_GET_NOMINALS: return get_reals(w, op);
    case GM_FMU_OP_COMPLETED_STEP: return completed_step(w);
    case GM_FMU_OP_DO_STEP: return do_step(w);
    case GM_FMU_OP_STATE_SAVE:
    case GM_FMU_OP_STATE_RESTORE:
    case GM_FMU_OP_STATE_FREE:
    case GM_FMU_OP_STATE_WRITE:
    case GM_FMU_OP_STATE_READ: return state_call(w, op);
    default: return gm_fmu_worker_refuse(w, "FMI 2 has no %s", gm_fmu_op_text(op));
    }
}
