// How both versions are spoken: the functions that are found in the library, and the operations as calls of those that
// FMI 2.0 and 3.0 have alike.
#include "physics/fmi/worker_parts.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

// ---- the functions of a library

// Where the pointer lies in gm_fmu_worker, and its name in FMI 2 and in FMI 3 (NULL: only the other version has it).
static const struct { size_t at; const char *names[2]; } functions[] = {
#define X(field, name2, name3, result, parameters) { offsetof(gm_fmu_worker, both.field), { "fmi2" name2, "fmi3" name3 } },
    GM_FMI_BOTH_FUNCTION_LIST(X)
#undef X
#define X(field, name, result, parameters) { offsetof(gm_fmu_worker, fmi2.field), { "fmi2" name, NULL } },
    GM_FMI2_FUNCTION_LIST(X)
#undef X
#define X(field, name, result, parameters) { offsetof(gm_fmu_worker, fmi3.field), { NULL, "fmi3" name } },
    GM_FMI3_FUNCTION_LIST(X)
#undef X
};

static const char *name_of(const gm_fmu_worker *w, size_t i) { return functions[i].names[w->version == 2 ? 0 : 1]; }

// A data pointer becomes a function pointer as POSIX has it for dlsym; NULL if there is no such function.
static void find(const gm_fmu_worker *w, const char *name, void *to)
{
    void *at = dlsym(w->library, name);
    memcpy(to, &at, sizeof at);
}

void gm_fmu_worker_find(gm_fmu_worker *w)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (name_of(w, i) != NULL) find(w, name_of(w, i), (char *)w + functions[i].at);
    }
    for (unsigned type = GM_FMI_FLOAT64; w->version != 2 && type <= GM_FMI_BOOLEAN; type++) {
        char name[40];
        snprintf(name, sizeof name, "fmi3Get%s", gm_fmi_type_text((gm_fmi_type)type));
        find(w, name, &w->fmi3.get[type]);
        snprintf(name, sizeof name, "fmi3Set%s", gm_fmi_type_text((gm_fmi_type)type));
        find(w, name, &w->fmi3.set[type]);
    }
    w->fmi3.get[GM_FMI_ENUMERATION] = w->fmi3.get[GM_FMI_INT64];
    w->fmi3.set[GM_FMI_ENUMERATION] = w->fmi3.set[GM_FMI_INT64];
}

bool gm_fmu_worker_lacks(gm_fmu_worker *w, size_t at)
{
    size_t i = 0;
    while (functions[i].at != at) {
        i++;
        assert(i < sizeof functions / sizeof functions[0]);  // every function is in the table
    }
    gm_fmu_worker_refuse(w, "the library has no function %s", name_of(w, i));
    return false;
}

// ---- operations

gm_fmu_experiment gm_fmu_worker_take_experiment(gm_fmu_worker *w)
{
    gm_fmu_experiment x;
    x.tolerance_defined = gm_fmu_take_u8(&w->in);
    x.tolerance         = gm_fmu_take_f64(&w->in);
    x.start             = gm_fmu_take_f64(&w->in);
    x.stop_defined      = gm_fmu_take_u8(&w->in);
    x.stop              = gm_fmu_take_f64(&w->in);
    return x;
}

static int get_reals(gm_fmu_worker *w, gm_fmu_op op)
{
    uint32_t n = gm_fmu_take_u32(&w->in);
    double  *x = gm_fmu_worker_room(w, n, sizeof *x);
    int status = GM_FMI_ERROR;
    if (x == NULL) return status;
    const gm_fmi_both *f = &w->both;
    if (op == GM_FMU_OP_GET_STATES && GM_FMU_NEED(w, both.get_states)) status = f->get_states(w->instance, x, n);
    if (op == GM_FMU_OP_GET_DERIVATIVES && GM_FMU_NEED(w, both.get_derivatives)) status = f->get_derivatives(w->instance, x, n);
    if (op == GM_FMU_OP_GET_INDICATORS && GM_FMU_NEED(w, both.get_indicators)) status = f->get_indicators(w->instance, x, n);
    if (op == GM_FMU_OP_GET_NOMINALS && GM_FMU_NEED(w, both.get_nominals)) status = f->get_nominals(w->instance, x, n);
    gm_buf_add(&w->out, x, n * sizeof *x);
    free(x);
    return status;
}

static int set_states(gm_fmu_worker *w)
{
    uint32_t n      = gm_fmu_take_u32(&w->in);
    double  *x      = gm_fmu_worker_array(w, n, sizeof *x);
    int      status = GM_FMI_ERROR;
    if (x != NULL && GM_FMU_NEED(w, both.set_states)) status = w->both.set_states(w->instance, x, n);
    free(x);
    return status;
}

static int set_time(gm_fmu_worker *w)
{
    double time = gm_fmu_take_f64(&w->in);
    return GM_FMU_NEED(w, both.set_time) ? w->both.set_time(w->instance, time) : GM_FMI_ERROR;
}

static int state_call(gm_fmu_worker *w, gm_fmu_op op)
{
    const gm_fmi_both *f    = &w->both;
    uint32_t           slot = gm_fmu_take_u32(&w->in);
    if (slot >= GM_FMU_STATES_MAX) return gm_fmu_worker_refuse(w, "more than %d saved states", GM_FMU_STATES_MAX);
    void **state = &w->states[slot];
    switch (op) {
    case GM_FMU_OP_STATE_SAVE: return GM_FMU_NEED(w, both.get_state) ? f->get_state(w->instance, state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_RESTORE: return GM_FMU_NEED(w, both.set_state) ? f->set_state(w->instance, *state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_FREE: return GM_FMU_NEED(w, both.free_state) ? f->free_state(w->instance, state) : GM_FMI_ERROR;
    case GM_FMU_OP_STATE_READ: {
        gm_str bytes = gm_fmu_take_text(&w->in);
        if (!GM_FMU_NEED(w, both.deserialize)) return GM_FMI_ERROR;
        return f->deserialize(w->instance, (const uint8_t *)bytes.ptr, bytes.len, state);
    }
    default: break;
    }
    size_t size = 0;
    if (!GM_FMU_NEED(w, both.state_size) || !GM_FMU_NEED(w, both.serialize)) return GM_FMI_ERROR;
    int status = f->state_size(w->instance, *state, &size);
    if (status > GM_FMI_WARNING) return status;
    if (size >= GM_FMU_FRAME_MAX / 2) return gm_fmu_worker_refuse(w, "a state of %zu bytes", size);
    gm_fmu_put_u32(&w->out, (uint32_t)size);
    uint8_t *to = gm_buf_reserve(&w->out, size);
    if (to == NULL) return GM_FMI_ERROR;
    w->out.len += size;
    return f->serialize(w->instance, *state, to, size);
}

int gm_fmu_worker_simple(gm_fmu_worker *w, int (*call)(gm_fmi_instance), gm_fmu_op op)
{
    if (call == NULL) return gm_fmu_worker_refuse(w, "the library has no function fmi%d%s", w->version, gm_fmu_op_text(op));
    return call(w->instance);
}

int gm_fmu_worker_both_call(gm_fmu_worker *w, gm_fmu_op op)
{
    switch (op) {
    case GM_FMU_OP_EXIT_INIT: return gm_fmu_worker_simple(w, w->both.exit_init, op);
    case GM_FMU_OP_ENTER_EVENT: return gm_fmu_worker_simple(w, w->both.enter_event, op);
    case GM_FMU_OP_ENTER_CONTINUOUS: return gm_fmu_worker_simple(w, w->both.enter_continuous, op);
    case GM_FMU_OP_TERMINATE: return gm_fmu_worker_simple(w, w->both.terminate, op);
    case GM_FMU_OP_RESET: return gm_fmu_worker_simple(w, w->both.reset, op);
    case GM_FMU_OP_FREE:
        if (w->both.free_instance != NULL) w->both.free_instance(w->instance);
        w->instance = NULL;
        return GM_FMI_OK;
    case GM_FMU_OP_SET_TIME: return set_time(w);
    case GM_FMU_OP_SET_STATES: return set_states(w);
    case GM_FMU_OP_GET_STATES:
    case GM_FMU_OP_GET_DERIVATIVES:
    case GM_FMU_OP_GET_INDICATORS:
    case GM_FMU_OP_GET_NOMINALS: return get_reals(w, op);
    case GM_FMU_OP_STATE_SAVE:
    case GM_FMU_OP_STATE_RESTORE:
    case GM_FMU_OP_STATE_FREE:
    case GM_FMU_OP_STATE_WRITE:
    case GM_FMU_OP_STATE_READ: return state_call(w, op);
    default: return gm_fmu_worker_refuse(w, "FMI %d has no %s", w->version, gm_fmu_op_text(op));
    }
}
