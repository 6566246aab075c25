// One thread's worker process, which goes through lane after lane. fmu_lanes.h describes it.
#include "futures/fmu_parts.h"

#include "base/le.h"
#include "physics/fmi/values.h"

#include <math.h>
#include <stdio.h>

enum {
    REPLAYED_MAX = 64  // lanes of an instance that keeps a journal, because it can not save its state; then a new one
};

// Looked-at variables of one type, got in one call.
typedef struct batch { gm_fmi_type type; uint32_t count; uint32_t *references; gm_slot *slots; } batch;

struct gm_fmu_runner {
    const gm_alloc     *alloc;
    const gm_fmu_model *model;
    gm_fmu_session     *session;
    gm_arena           *arena;
    batch               batches[GM_FMI_TYPE_COUNT];
    double             *told;        // [slots] what the FMU was told last
    gm_buf              bytes;
    double              tolerance;   // 0: none is asked for
    double              begun, now;  // of the lane, s
    uint32_t            lanes;       // since the instance was made
    gm_lane_report      report;
    char                trouble[400];
};

// ---- life cycle -----------------------------------------------------------------------------------------------------

static gm_status open_session(gm_fmu_runner *r, gm_error *err)
{
    gm_fmu_session_options o = { .logging = true };
    r->lanes                 = 0;
    return gm_fmu_session_open(&r->model->host, gm_fmu_folder(r->model->fmu), gm_fmu_described(r->model->fmu),
                               GM_FMI_CO_SIMULATION, &o, &r->session, err);
}

static bool add_looked(gm_fmu_runner *r, gm_slot slot, uint32_t room)
{
    if (slot.v == GM_TIME_SLOT.v) return true;
    const gm_fmu_variable *v = &gm_fmu_described(r->model->fmu)->variables[r->model->variables[slot.v]];
    batch                 *b = &r->batches[v->type];
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->slots[i].v == slot.v) return true;
    }
    if (b->references == NULL) {
        b->references = GM_ARENA_NEW(r->arena, uint32_t, room);
        b->slots      = GM_ARENA_NEW(r->arena, gm_slot, room);
    }
    if (b->references == NULL || b->slots == NULL) return false;
    b->references[b->count] = v->reference;
    b->slots[b->count++]    = slot;
    return true;
}

gm_status gm_fmu_runner_create(const gm_alloc *alloc, const gm_fmu_model *model, const gm_slot *looked, uint32_t looked_count,
                               double tolerance, gm_fmu_runner **out_runner, gm_error *err)
{
    *out_runner      = NULL;
    gm_fmu_runner *r = gm_alloc_zeroed(alloc, sizeof *r);
    if (r == NULL) return gm_fail(err, GM_NOMEM, "futures.fmu", "running an FMU");
    *r        = (gm_fmu_runner){ .alloc = alloc, .model = model, .tolerance = tolerance, .bytes = gm_buf_init(alloc) };
    r->arena  = gm_arena_create(alloc, 0);
    bool good = r->arena != NULL;
    if (good) r->told = GM_ARENA_NEW(r->arena, double, gm_program_slot_count(model->program));
    good = good && r->told != NULL;
    for (int t = 0; good && t < GM_FMI_TYPE_COUNT; t++) r->batches[t].type = (gm_fmi_type)t;
    for (uint32_t i = 0; good && i < looked_count; i++) good = add_looked(r, looked[i], looked_count);
    gm_status st = good ? open_session(r, err) : gm_fail(err, GM_NOMEM, "futures.fmu", "running an FMU");
    if (st == GM_OK) *out_runner = r;
    else gm_fmu_runner_destroy(r);
    return st;
}

void gm_fmu_runner_destroy(gm_fmu_runner *r)
{
    if (r == NULL) return;
    gm_fmu_session_close(r->session);
    gm_buf_finish(&r->bytes);
    gm_arena_destroy(r->arena);
    gm_free(r->alloc, r);
}

// ---- failing --------------------------------------------------------------------------------------------------------

// The lane ends here, with the last line that the FMU logged. The instance is not trusted again.
static void fail(gm_fmu_runner *r, gm_status st, const gm_error *why)
{
    gm_str log  = r->session != NULL ? gm_str_trim(gm_fmu_session_log(r->session)) : GM_STR(""), line, last = GM_STR("");
    while (gm_str_next(&log, '\n', &line)) {
        line = gm_str_trim(line);
        if (line.len > 0) last = line;
    }
    last              = gm_str_slice(last, 0, 150);
    r->report.status  = st == GM_DIVERGED ? GM_LANE_DIVERGED : (gm_lane_status)GM_LANE_BROKEN;
    r->report.time    = r->now;
    snprintf(r->trouble, sizeof r->trouble, "%s%s" GM_STR_FMT, why->text, last.len > 0 ? "; its log: " : "", GM_STR_ARG(last));
    gm_fmu_session_close(r->session);
    r->session = NULL;
}

static bool going(const gm_fmu_runner *r) { return r->report.status == GM_LANE_ACTIVE && r->session != NULL; }

gm_lane_report gm_fmu_runner_report(const gm_fmu_runner *r) { return r->report; }
const char    *gm_fmu_runner_trouble(const gm_fmu_runner *r) { return r->trouble; }

// ---- a lane ---------------------------------------------------------------------------------------------------------

// True when it is all the same to the FMU: bits, so that NaN is like itself.
static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

// Everything that differs from what the FMU was told last (at first: from its own start).
static gm_status tell(gm_fmu_runner *r, gm_lanes *lanes, gm_error *err)
{
    const gm_fmu_description *d     = gm_fmu_described(r->model->fmu);
    uint32_t                  slots = gm_program_slot_count(r->model->program);
    gm_status                 st    = GM_OK;
    for (uint32_t s = 1; st == GM_OK && s < slots; s++) {
        double value = gm_lanes_get(lanes, (gm_slot){ s }, 0);
        if (gm_program_slot(r->model->program, (gm_slot){ s })->kind == GM_SLOT_ALGEBRAIC) continue;
        if (isnan(value) || same(value, r->told[s])) continue;
        const gm_fmu_variable *v = &d->variables[r->model->variables[s]];
        gm_buf_clear(&r->bytes);
        gm_fmu_value_put(v->type, value, &r->bytes);
        st         = r->bytes.failed ? gm_fail(err, GM_NOMEM, "futures.fmu", "running an FMU")
                                     : gm_fmu_set(r->session, v->type, &v->reference, 1, 1, gm_buf_view(&r->bytes), err);
        r->told[s] = value;
    }
    return st;
}

// A new instance, or the old one as new.
static gm_status renew(gm_fmu_runner *r, gm_error *err)
{
    bool saves = gm_fmu_described(r->model->fmu)->interfaces[GM_FMI_CO_SIMULATION].state;
    if (r->session != NULL && r->lanes > 0 &&
        ((!saves && r->lanes >= REPLAYED_MAX) || gm_fmu_do(r->session, GM_FMU_OP_RESET, NULL) != GM_OK)) {
        gm_fmu_session_close(r->session);
        r->session = NULL;
    }
    return r->session != NULL ? GM_OK : open_session(r, err);
}

void gm_fmu_runner_start(gm_fmu_runner *r, gm_lanes *lanes, double horizon_s)
{
    gm_error err = { 0 };
    r->begun = r->now = gm_lanes_get(lanes, GM_TIME_SLOT, 0);
    r->report     = (gm_lane_report){ .status = GM_LANE_ACTIVE, .time = r->now };
    r->trouble[0] = '\0';
    memcpy(r->told, r->model->defaults, gm_program_slot_count(r->model->program) * sizeof *r->told);
    gm_fmu_experiment e  = { .has_tolerance = r->tolerance > 0, .tolerance = r->tolerance, .has_stop = true,
                             .start = r->begun, .stop = r->begun + horizon_s };
    gm_status         st = renew(r, &err);
    if (st == GM_OK) st = tell(r, lanes, &err);
    if (st == GM_OK) st = gm_fmu_enter_init(r->session, &e, &err);
    if (st == GM_OK) st = gm_fmu_do(r->session, GM_FMU_OP_EXIT_INIT, &err);
    r->lanes++;
    if (st != GM_OK) fail(r, st, &err);
    else gm_fmu_runner_pull(r, lanes);
}

void gm_fmu_runner_push(gm_fmu_runner *r, gm_lanes *lanes)
{
    gm_error err = { 0 };
    if (!going(r)) return;
    gm_status st = tell(r, lanes, &err);
    if (st != GM_OK) fail(r, st, &err);
}

void gm_fmu_runner_step(gm_fmu_runner *r, gm_lanes *lanes, double to_s)
{
    gm_error  err    = { 0 };
    double    target = r->begun + to_s;
    gm_status st     = GM_OK;
    while (st == GM_OK && going(r) && r->now < target) {
        gm_fmu_step done = { 0 };
        st               = gm_fmu_do_step(r->session, r->now, target - r->now, &done, &err);
        if (st != GM_OK) break;
        double reached = done.early ? done.reached : target;
        if (done.terminate) {
            r->report.status = GM_LANE_TERMINATED;
        } else if (!(reached > r->now)) {
            st = gm_fail(&err, GM_DIVERGED, "futures.fmu", "the FMU refuses the step from %.17g to %.17g", r->now, target);
        }
        r->now         = reached > r->now ? reached : r->now;
        r->report.time = r->now;
    }
    if (st != GM_OK) fail(r, st, &err);
    gm_lanes_set(lanes, GM_TIME_SLOT, 0, r->now);
}

static double number_from(gm_fmi_type type, const uint8_t *p)
{
    uint32_t bits;
    float    single;
    switch (type) {
    case GM_FMI_FLOAT64: return gm_get_f64(p);
    case GM_FMI_FLOAT32:
        bits = gm_get_u32(p);
        memcpy(&single, &bits, sizeof single);
        return single;
    case GM_FMI_INT8: return (int8_t)p[0];
    case GM_FMI_UINT8: case GM_FMI_BOOLEAN: return p[0];
    case GM_FMI_INT16: return (int16_t)gm_get_u16(p);
    case GM_FMI_UINT16: return gm_get_u16(p);
    case GM_FMI_INT32: return (int32_t)gm_get_u32(p);
    case GM_FMI_UINT32: return gm_get_u32(p);
    case GM_FMI_UINT64: return (double)gm_get_u64(p);
    default: return (double)(int64_t)gm_get_u64(p);  // INT64, ENUMERATION
    }
}

void gm_fmu_runner_pull(gm_fmu_runner *r, gm_lanes *lanes)
{
    gm_error err = { 0 };
    for (int t = 0; t < GM_FMI_TYPE_COUNT && going(r); t++) {
        const batch *b = &r->batches[t];
        if (b->count == 0) continue;
        gm_status st = gm_fmu_get(r->session, b->type, b->references, b->count, b->count, &r->bytes, &err);
        size_t width = gm_fmi_type_width(b->type);
        if (st == GM_OK && r->bytes.len != width * b->count)
            st = gm_fail(&err, GM_CORRUPT, "futures.fmu", "the FMU's worker answered with %zu bytes", r->bytes.len);
        if (st != GM_OK) {
            fail(r, st, &err);
            return;
        }
        for (uint32_t i = 0; i < b->count; i++) {
            double value = number_from(b->type, r->bytes.ptr + i * width);
            gm_lanes_set(lanes, b->slots[i], 0, value);
            r->told[b->slots[i].v] = value;  // what comes from the FMU is not told to it again
        }
    }
}
