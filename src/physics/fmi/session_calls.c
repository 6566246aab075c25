// What the functions of the standard are called with, and what they give back (protocol.h).
#include "physics/fmi/session_parts.h"

gm_status gm_fmu_enter_init(gm_fmu_session *s, const gm_fmu_experiment *e, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = gm_fmu_session_begin(s, GM_FMU_OP_ENTER_INIT);
    gm_fmu_put_u8(request, e->has_tolerance);
    gm_fmu_put_f64(request, e->tolerance);
    gm_fmu_put_f64(request, e->start);
    gm_fmu_put_u8(request, e->has_stop);
    gm_fmu_put_f64(request, e->stop);
    return gm_fmu_session_call(s, &out, err);
}

gm_status gm_fmu_do(gm_fmu_session *s, gm_fmu_op op, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_session_begin(s, op);
    return gm_fmu_session_call(s, &out, err);
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
    gm_buf       *request = inside ? &s->side : &s->request;
    gm_buf_clear(request);
    gm_fmu_put_u8(request, GM_FMU_OP_SET);
    put_references(request, type, references, n, value_count);
    gm_buf_str(request, bytes);
    return inside ? gm_fmu_session_exchange(s, request, &out, NULL, NULL, err) : gm_fmu_session_tell(s, err);
}

gm_status gm_fmu_get(gm_fmu_session *s, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count, gm_buf *out_bytes,
                     gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = &s->side;
    gm_buf_clear(request);
    gm_fmu_put_get(request, type, references, n, value_count);
    gm_buf_clear(out_bytes);
    gm_status st = gm_fmu_read(s, gm_buf_view(request), &out, err);
    if (st != GM_OK) return st;
    gm_fmu_reader values = gm_fmu_take_values(&out, type, value_count);
    if (values.bad) return gm_fmu_session_nonsense(s, GM_FMU_OP_GET, err);
    gm_buf_add(out_bytes, values.at, values.left);
    return out_bytes->failed ? gm_fail(err, GM_NOMEM, "fmi.session", "%u values", value_count) : GM_OK;
}

void gm_fmu_put_get(gm_buf *reads, gm_fmi_type type, const uint32_t *references, uint32_t n, uint32_t value_count)
{
    // A text within the buffer: its length, then the request as gm_fmu_set has it.
    gm_fmu_put_u32(reads, 10 + n * (uint32_t)sizeof *references);
    gm_fmu_put_u8(reads, GM_FMU_OP_GET);
    put_references(reads, type, references, n, value_count);
}

gm_fmu_reader gm_fmu_take_values(gm_fmu_reader *answers, gm_fmi_type type, uint32_t value_count)
{
    gm_fmu_take_u8(answers);  // the status has been judged
    gm_str        bytes  = gm_fmu_take_text(answers);
    gm_fmu_reader values = { (const uint8_t *)bytes.ptr, bytes.len, answers->bad }, walk = values;
    size_t        width  = gm_fmi_type_width(type);
    if (width > 0 && bytes.len != width * value_count) values.bad = true;
    for (uint32_t i = 0; width == 0 && i < value_count; i++) gm_fmu_take_text(&walk);
    values.bad |= walk.bad;
    return values;
}

void gm_fmu_put_reals(gm_buf *reads, gm_fmu_op op, uint32_t n)
{
    gm_fmu_put_u32(reads, 5);
    gm_fmu_put_u8(reads, (uint8_t)op);
    gm_fmu_put_u32(reads, n);
}

bool gm_fmu_take_reals(gm_fmu_reader *answers, double *out, uint32_t n)
{
    gm_fmu_reader values = gm_fmu_take_values(answers, GM_FMI_FLOAT64, n);
    if (!values.bad && n > 0) memcpy(out, values.at, n * sizeof *out);
    return !values.bad;
}

void gm_fmu_put_completed_step(gm_buf *reads)
{
    gm_fmu_put_u32(reads, 1);
    gm_fmu_put_u8(reads, GM_FMU_OP_COMPLETED_STEP);
}

bool gm_fmu_take_completed_step(gm_fmu_reader *answers, bool *out_enter_event, bool *out_terminate)
{
    gm_fmu_reader values = gm_fmu_take_values(answers, GM_FMI_BOOLEAN, 2);
    *out_enter_event     = gm_fmu_take_u8(&values) != 0;
    *out_terminate       = gm_fmu_take_u8(&values) != 0;
    return !values.bad;
}

// Judges the answers to what is read; *answers stays where it is.
static gm_status judge_reads(gm_fmu_session *s, gm_str reads, gm_fmu_reader answers, gm_error *err)
{
    gm_status     st = GM_OK;
    gm_fmu_reader out;
    for (gm_fmu_reader r = { (const uint8_t *)reads.ptr, reads.len, false }; st == GM_OK && r.left > 0;) {
        st = gm_fmu_session_take(s, gm_fmu_take_text(&r), &answers, &out, err);
    }
    return st;
}

gm_status gm_fmu_read(gm_fmu_session *s, gm_str reads, gm_fmu_reader *out_answers, gm_error *err)
{
    gm_status st = s->inside ? GM_OK : gm_fmu_session_flush(s, err);
    gm_buf_clear(&s->batch);
    gm_fmu_put_u8(&s->batch, GM_FMU_OP_ROWS);
    gm_fmu_put_text(&s->batch, reads);
    gm_fmu_put_u32(&s->batch, 1);
    gm_fmu_put_text(&s->batch, GM_STR(""));
    if (st == GM_OK) st = gm_fmu_session_exchange(s, &s->batch, out_answers, NULL, NULL, err);
    return st == GM_OK ? judge_reads(s, reads, *out_answers, err) : st;
}

// ---- several steps in one request

void gm_fmu_plan_step(gm_fmu_session *s, double time, double size)
{
    gm_buf *request = gm_fmu_session_begin(s, GM_FMU_OP_DO_STEP);
    gm_fmu_put_f64(request, time);
    gm_fmu_put_f64(request, size);
    gm_fmu_put_u8(request, !s->goes_back);
    gm_fmu_put_text(&s->waiting, gm_buf_view(request));
    gm_fmu_put_text(&s->rows, gm_buf_view(&s->waiting));
    s->rows.failed |= s->waiting.failed || request->failed;
    gm_buf_clear(&s->waiting);
    s->row_count++;
}

typedef struct plan { gm_fmu_reader rows; gm_str reads; gm_fmu_on_step *on_step; void *context; } plan;

static bool take_step(gm_fmu_reader *out, gm_fmu_step *step)
{
    step->event     = gm_fmu_take_u8(out);
    step->terminate = gm_fmu_take_u8(out);
    step->early     = gm_fmu_take_u8(out);
    step->reached   = gm_fmu_take_f64(out);
    return !out->bad;
}

static gm_status on_row(void *context, gm_fmu_session *s, uint32_t row, gm_fmu_reader answers, gm_error *err)
{
    plan         *p     = context;
    gm_str        calls = gm_fmu_take_text(&p->rows);
    gm_status     st    = GM_OK;
    gm_fmu_step   step  = { 0 };
    gm_fmu_reader out;
    for (gm_fmu_reader r = { (const uint8_t *)calls.ptr, calls.len, false }; st == GM_OK && r.left > 0;) {
        gm_str request = gm_fmu_take_text(&r);
        st             = gm_fmu_session_take(s, request, &answers, &out, err);
        if (st == GM_OK && request.ptr[0] == GM_FMU_OP_DO_STEP && !take_step(&out, &step)) st = gm_fmu_session_nonsense(s, GM_FMU_OP_DO_STEP, err);
    }
    if (st == GM_OK) st = judge_reads(s, p->reads, answers, err);
    return st == GM_OK ? p->on_step(p->context, row, &step, answers, err) : st;
}

gm_status gm_fmu_do_steps(gm_fmu_session *s, gm_str reads, gm_fmu_on_step *on_step, void *context, gm_error *err)
{
    plan          p = { .rows = { s->rows.ptr, s->rows.len, false }, .reads = reads, .on_step = on_step, .context = context };
    gm_fmu_reader answers;
    gm_buf_clear(&s->batch);
    gm_fmu_put_u8(&s->batch, GM_FMU_OP_ROWS);
    gm_fmu_put_text(&s->batch, reads);
    gm_fmu_put_u32(&s->batch, s->row_count);
    gm_buf_add(&s->batch, s->rows.ptr, s->rows.len);
    s->batch.failed |= s->rows.failed;
    gm_status st = s->row_count > 0 ? gm_fmu_session_exchange(s, &s->batch, &answers, on_row, &p, err) : GM_OK;
    gm_buf_clear(&s->rows);
    s->row_count = 0;
    return st;
}

gm_status gm_fmu_update_discrete(gm_fmu_session *s, gm_fmu_event_info *info, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_session_begin(s, GM_FMU_OP_UPDATE_DISCRETE);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    info->need_update      = gm_fmu_take_u8(&out);
    info->terminate        = gm_fmu_take_u8(&out);
    info->nominals_changed = gm_fmu_take_u8(&out);
    info->values_changed   = gm_fmu_take_u8(&out);
    info->has_next         = gm_fmu_take_u8(&out);
    info->next             = gm_fmu_take_f64(&out);
    return out.bad ? gm_fmu_session_nonsense(s, GM_FMU_OP_UPDATE_DISCRETE, err) : GM_OK;
}

gm_status gm_fmu_do_step(gm_fmu_session *s, double time, double size, gm_fmu_step *out_step, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = gm_fmu_session_begin(s, GM_FMU_OP_DO_STEP);
    gm_fmu_put_f64(request, time);
    gm_fmu_put_f64(request, size);
    gm_fmu_put_u8(request, !s->goes_back);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    return take_step(&out, out_step) ? GM_OK : gm_fmu_session_nonsense(s, GM_FMU_OP_DO_STEP, err);
}

gm_status gm_fmu_counts(gm_fmu_session *s, uint32_t *out_states, uint32_t *out_indicators, gm_error *err)
{
    *out_states     = s->d->derivative_count;
    *out_indicators = s->d->indicator_count;
    if (s->d->version == 2) return GM_OK;
    gm_fmu_reader out;
    gm_fmu_session_begin(s, GM_FMU_OP_COUNTS);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    *out_states     = gm_fmu_take_u32(&out);
    *out_indicators = gm_fmu_take_u32(&out);
    return out.bad || *out_states > GM_FMU_COUNT_MAX || *out_indicators > GM_FMU_COUNT_MAX ? gm_fmu_session_nonsense(s, GM_FMU_OP_COUNTS, err) : GM_OK;
}

gm_status gm_fmu_set_time(gm_fmu_session *s, double time, gm_error *err)
{
    gm_fmu_put_f64(gm_fmu_session_begin(s, GM_FMU_OP_SET_TIME), time);
    return gm_fmu_session_tell(s, err);
}

gm_status gm_fmu_set_states(gm_fmu_session *s, const double *x, uint32_t n, gm_error *err)
{
    gm_buf *request = gm_fmu_session_begin(s, GM_FMU_OP_SET_STATES);
    gm_fmu_put_u32(request, n);
    gm_buf_add(request, x, n * sizeof *x);
    return gm_fmu_session_tell(s, err);
}

gm_status gm_fmu_get_reals(gm_fmu_session *s, gm_fmu_op op, double *values, uint32_t n, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_put_u32(gm_fmu_session_begin(s, op), n);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    if (out.left != n * sizeof *values) return gm_fmu_session_nonsense(s, op, err);
    if (n > 0) memcpy(values, out.at, out.left);
    return GM_OK;
}

gm_status gm_fmu_activate(gm_fmu_session *s, uint32_t clock, double time, const uint32_t *countdown, uint32_t countdown_count,
                          const uint32_t *outputs, uint32_t output_count, gm_fmu_clock_call *each, void *context, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = gm_fmu_session_begin(s, GM_FMU_OP_ACTIVATE);
    gm_fmu_put_u32(request, clock);
    gm_fmu_put_f64(request, time);
    gm_fmu_put_u32(request, countdown_count);
    gm_buf_add(request, countdown, countdown_count * sizeof *countdown);
    gm_fmu_put_u32(request, output_count);
    gm_buf_add(request, outputs, output_count * sizeof *outputs);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    for (uint8_t kind; (kind = gm_fmu_take_u8(&out)) != 0 && !out.bad;) {
        uint32_t reference = gm_fmu_take_u32(&out);
        double   interval  = gm_fmu_take_f64(&out);
        if (!out.bad) each(context, reference, kind == 1 && interval >= 0 ? interval : -1);
    }
    return out.bad ? gm_fmu_session_nonsense(s, GM_FMU_OP_ACTIVATE, err) : GM_OK;
}

gm_status gm_fmu_interval_of(gm_fmu_session *s, uint32_t clock, double *out_interval, unsigned *out_qualifier, gm_error *err)
{
    gm_fmu_reader out;
    gm_buf       *request = gm_fmu_session_begin(s, GM_FMU_OP_INTERVALS);
    gm_fmu_put_u32(request, 1);
    gm_fmu_put_u32(request, clock);
    gm_status st = gm_fmu_session_call(s, &out, err);
    if (st != GM_OK) return st;
    *out_qualifier = gm_fmu_take_u8(&out);
    *out_interval  = gm_fmu_take_f64(&out);
    return out.bad ? gm_fmu_session_nonsense(s, GM_FMU_OP_INTERVALS, err) : GM_OK;
}

