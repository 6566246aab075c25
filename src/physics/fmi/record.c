// Rows of CSV. Values of one type are asked for in one call; columns keep the order of the description.
#include "physics/fmi/run_parts.h"
#include "physics/fmi/values.h"

enum { FLUSH_BYTES = 1 << 16 };

struct gm_fmu_recorder {
    gm_fmu_write *write;
    void         *context;
    const gm_fmu_variable **columns;
    uint32_t     *references;                       // in the order of columns
    uint32_t      column_count;
    uint32_t     *by_type[GM_FMI_TYPE_COUNT];       // references of each type, in the order of columns
    uint32_t      type_counts[GM_FMI_TYPE_COUNT], value_counts[GM_FMI_TYPE_COUNT];
    gm_buf        reads;                            // the requests for them all
    gm_buf        text;
    bool         *ticked;                           // of columns that are clocks
    gm_alloc      alloc;
};

static bool is_column(const gm_fmu_running *run, const gm_fmu_variable *v)
{
    if (v->causality == GM_FMI_INDEPENDENT) return false;
    // A clock is true during an event only; asking for it has effects (3.0.1, 2.2.9). Scheduled execution is told.
    if (v->type == GM_FMI_CLOCK && run->o.kind != GM_FMI_SCHEDULED) return false;
    return run->o.all || v->causality == GM_FMI_OUTPUT;
}

// "[1,2]" of the k-th value: subscripts count from 1, the last one fastest (the standard's order).
static gm_status write_subscripts(gm_fmu_running *run, const gm_fmu_variable *v, uint64_t k, gm_buf *out, gm_error *err)
{
    uint64_t subscripts[GM_FMU_DIMENSIONS_MAX];
    for (uint32_t i = v->dimension_count; i-- > 0;) {
        uint64_t  n;
        gm_status st = gm_fmu_dimension_size(run, &v->dimensions[i], &n, err);
        if (st != GM_OK) return st;
        subscripts[i] = k % n + 1;  // n > 0: there is a k-th value
        k /= n;
    }
    for (uint32_t i = 0; i < v->dimension_count; i++) gm_buf_printf(out, "%c%llu", i == 0 ? '[' : ',', (unsigned long long)subscripts[i]);
    if (v->dimension_count > 0) gm_buf_byte(out, ']');
    return GM_OK;
}

static gm_status write_head(gm_fmu_running *run, gm_error *err)
{
    gm_fmu_recorder *r    = run->recorder;
    gm_buf           name = gm_buf_init(&r->alloc);
    gm_buf_text(&r->text, "time");
    for (uint32_t i = 0; i < r->column_count; i++) {
        const gm_fmu_variable *v     = r->columns[i];
        uint32_t               count = run->counts[v - run->d->variables];
        for (uint32_t k = 0; k < count; k++) {
            gm_buf_clear(&name);
            gm_buf_str(&name, v->name);
            gm_status st = write_subscripts(run, v, k, &name, err);
            if (st != GM_OK) return st;
            gm_buf_byte(&r->text, ',');
            gm_fmu_text_write(gm_buf_view(&name), &r->text);
        }
    }
    gm_buf_byte(&r->text, '\n');
    return GM_OK;
}

gm_status gm_fmu_recorder_create(gm_fmu_running *run, gm_fmu_write *write, void *context, gm_error *err)
{
    const gm_fmu_description *d = run->d;
    gm_fmu_recorder          *r = GM_ARENA_NEW(run->arena, gm_fmu_recorder, 1);
    if (r == NULL) return gm_fail(err, GM_NOMEM, "fmi.record", "the results");
    run->recorder = r;
    r->alloc      = gm_arena_alloc(run->arena);  // everything ends with the run
    r->write      = write;
    r->context    = context;
    r->columns    = GM_ARENA_NEW(run->arena, const gm_fmu_variable *, d->variable_count + 1);
    r->references = GM_ARENA_NEW(run->arena, uint32_t, d->variable_count + 1);
    r->ticked     = GM_ARENA_NEW(run->arena, bool, d->variable_count + 1);
    bool ok       = r->columns != NULL && r->references != NULL && r->ticked != NULL;
    r->text       = gm_buf_init(&r->alloc);
    r->reads      = gm_buf_init(&r->alloc);
    for (unsigned type = 0; ok && type < GM_FMI_TYPE_COUNT; type++) {
        uint32_t n      = 0;
        for (uint32_t i = 0; i < d->variable_count; i++) n += d->variables[i].type == type && is_column(run, &d->variables[i]);
        r->by_type[type] = GM_ARENA_NEW(run->arena, uint32_t, n + 1);
        ok               = r->by_type[type] != NULL;
    }
    if (!ok) return gm_fail(err, GM_NOMEM, "fmi.record", "the results");
    for (uint32_t i = 0; i < d->variable_count; i++) {
        const gm_fmu_variable *v = &d->variables[i];
        if (!is_column(run, v)) continue;
        r->references[r->column_count] = v->reference;
        r->columns[r->column_count++]  = v;
        if (v->type == GM_FMI_CLOCK) continue;
        r->by_type[v->type][r->type_counts[v->type]++] = v->reference;
        r->value_counts[v->type] += run->counts[i];
    }
    for (unsigned type = 0; type < GM_FMI_TYPE_COUNT; type++) {
        if (r->type_counts[type] > 0) gm_fmu_put_get(&r->reads, (gm_fmi_type)type, r->by_type[type], r->type_counts[type], r->value_counts[type]);
    }
    if (r->reads.failed) return gm_fail(err, GM_NOMEM, "fmi.record", "the results");
    return write_head(run, err);
}

const uint32_t *gm_fmu_recorded(const gm_fmu_running *run, uint32_t *out_count)
{
    *out_count = run->recorder->column_count;
    return run->recorder->references;
}

void gm_fmu_record_tick(gm_fmu_running *run, uint32_t reference)
{
    for (uint32_t i = 0; i < run->recorder->column_count; i++) {
        if (run->recorder->references[i] == reference) run->recorder->ticked[i] = true;
    }
}

static gm_status flush(gm_fmu_recorder *r, gm_error *err)
{
    if (r->text.failed) return gm_fail(err, GM_NOMEM, "fmi.record", "the results");
    gm_status st = r->text.len > 0 ? r->write(r->context, gm_buf_view(&r->text), err) : GM_OK;
    gm_buf_clear(&r->text);
    return st;
}

gm_str gm_fmu_record_reads(const gm_fmu_running *run) { return gm_buf_view(&run->recorder->reads); }

gm_status gm_fmu_record(gm_fmu_running *run, double time, gm_error *err)
{
    gm_fmu_reader answers = { NULL, 0, false };
    gm_status     st      = run->recorder->reads.len > 0 ? gm_fmu_read(run->session, gm_fmu_record_reads(run), &answers, err) : GM_OK;
    return st == GM_OK ? gm_fmu_record_read(run, time, answers, err) : st;
}

gm_status gm_fmu_record_read(gm_fmu_running *run, double time, gm_fmu_reader answers, gm_error *err)
{
    gm_fmu_recorder *r = run->recorder;
    gm_fmu_reader    walk[GM_FMI_TYPE_COUNT];
    for (unsigned type = 0; type < GM_FMI_TYPE_COUNT; type++) {
        if (r->type_counts[type] == 0) continue;
        walk[type] = gm_fmu_take_values(&answers, (gm_fmi_type)type, r->value_counts[type]);
        if (walk[type].bad) return gm_fail(err, GM_INVALID, "fmi.record", "the FMU's process answered nonsense when its outputs were read");
    }
    uint8_t       bytes[8];
    gm_fmu_reader now = { bytes, sizeof bytes, false };
    gm_put_f64(bytes, time);
    gm_fmu_value_write(GM_FMI_FLOAT64, &now, &r->text);
    for (uint32_t i = 0; i < r->column_count; i++) {
        const gm_fmu_variable *v = r->columns[i];
        if (v->type == GM_FMI_CLOCK) {
            gm_buf_text(&r->text, r->ticked[i] ? ",1" : ",0");
            r->ticked[i] = false;
            continue;
        }
        for (uint32_t k = run->counts[v - run->d->variables]; k > 0; k--) {
            gm_buf_byte(&r->text, ',');
            gm_fmu_value_write(v->type, &walk[v->type], &r->text);
        }
    }
    gm_buf_byte(&r->text, '\n');
    return r->text.len >= FLUSH_BYTES || r->text.failed ? flush(r, err) : GM_OK;
}

gm_status gm_fmu_record_end(gm_fmu_running *run, gm_error *err) { return flush(run->recorder, err); }
