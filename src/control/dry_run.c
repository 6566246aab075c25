// A past that is played back. Invariant: `ring` holds the samples of [cursor - span, cursor) in the order of their times; what is
// before `next` has been played.
#include "control/dry_run.h"

#include "control/rules_parts.h"
#include "engine/as_of.h"

#include <stdlib.h>

static const char WHERE[] = "control.dry";

typedef struct series { uint32_t twin, column; gm_str rollup; } series;  // rollup: its name, when the column is one (GM_OWN_SERIES)

typedef struct played {
    gm_time_ns at;
    uint32_t   series;
    gm_value   value;     // texts lie in `texts`
} played;

struct gm_dry_run {
    gm_dry_run_options options;
    const gm_alloc    *alloc;
    gm_state          *state;
    gm_rules          *rules;
    series            *series;
    size_t             series_count, series_capacity;
    gm_arena          *texts;
    played            *ring;
    size_t             next, count, capacity;
    uint32_t           reading;     // series
    bool               full, lost;  // the chunk is; memory was refused
    gm_time_ns         cursor;
    gm_dur_ns          span;
    size_t             models;
    uint64_t           sequence, samples;
    gm_buf             record;
};

// ---- what is played -----------------------------------------------------------------------------------------------

static bool add_series(gm_dry_run *run, uint32_t twin, uint32_t column)
{
    if (!gm_alloc_reserve(run->alloc, &run->series, &run->series_capacity, run->series_count + 1, sizeof *run->series)) return false;
    run->series[run->series_count++] = (series){ .twin = twin, .column = column };
    return true;
}

// What was recorded of the roll-ups that a condition asks for, of the twin and of the whole plant.
static bool add_rollups(gm_dry_run *run, uint32_t twin, const gm_proviso *condition)
{
    const gm_query_facts *facts = run->options.facts;
    uint32_t              number;
    for (size_t i = 0; condition != NULL && facts != NULL && facts->rollup_series != NULL && i < condition->ast[0]->path_count; i++) {
        const gm_path *path = &condition->ast[0]->paths[i];
        if (path->count < 2 || !gm_str_is(path->segments[0], "$rollup") || !facts->rollup_series(facts->rollups, path->segments[1], &number)) continue;
        if (!add_series(run, twin, GM_OWN_SERIES + number)) return false;
        run->series[run->series_count - 1].rollup = path->segments[1];
        if (!add_series(run, GM_NONE, GM_OWN_SERIES + number)) return false;
        run->series[run->series_count - 1].rollup = path->segments[1];
    }
    return true;
}

static bool add_columns(gm_dry_run *run, uint32_t twin)
{
    const gm_type *type = gm_state_type(run->state, (gm_twin){ twin });
    bool           ok   = true;
    for (uint32_t c = 0; ok && c < type->column_count; c++) ok = add_series(run, twin, c);
    return ok;
}

// A rule whose query looks at properties may come to be about a twin: then everything of it may matter.
static bool add_candidates(gm_dry_run *run)
{
    const gm_rules *rules = run->rules;
    bool            ok    = true;
    for (size_t s = 0; s < rules->book->count; s++) {
        if (!rules->by_property[s]) continue;
        for (size_t t = 0; t < gm_state_table_count(run->state); t++) {
            gm_table table = gm_state_table(run->state, t);
            if (table.live == 0 || !gm_statement_is_about(rules->book->items[s], table.type)) continue;
            for (uint32_t row = 0; ok && row < table.rows; row++) {
                if (table.twins[row] != GM_NONE) ok = add_columns(run, table.twins[row]);
            }
        }
    }
    return ok;
}

static int by_place(const void *a, const void *b)
{
    const series *x = a, *y = b;
    if (x->twin != y->twin) return x->twin < y->twin ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static gm_status collect_series(gm_dry_run *run, gm_error *err)
{
    const gm_rules *rules = run->rules;
    bool            ok    = add_candidates(run);
    for (uint32_t i = 0; ok && i < rules->instance_count; i++) {
        if (rules->instances[i].rule == NULL) continue;
        for (uint32_t w = rules->instances[i].watches; ok && w != GM_NONE; w = rules->watches[w].same_next) {
            const gm_rule_watch *watch = &rules->watches[w];
            ok = watch->column == GM_ANY_COLUMN ? add_columns(run, watch->twin) : add_series(run, watch->twin, watch->column);
        }
        ok = ok && add_rollups(run, rules->instances[i].twin, rules->instances[i].rule->when) && add_rollups(run, rules->instances[i].twin, rules->instances[i].rule->unless);
    }
    if (!ok) return gm_fail(err, GM_NOMEM, WHERE, "playing back the past");
    if (run->series_count > 1) qsort(run->series, run->series_count, sizeof *run->series, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < run->series_count; i++) {
        if (kept == 0 || by_place(&run->series[kept - 1], &run->series[i]) != 0) run->series[kept++] = run->series[i];
    }
    run->series_count = kept;
    return GM_OK;
}

// ---- chunks -------------------------------------------------------------------------------------------------------

static bool take_sample(void *context, const gm_sample *sample)
{
    gm_dry_run *run = context;
    gm_value    v   = sample->value;
    run->full       = run->count == GM_DRY_CHUNK;
    if (run->full) return false;
    if (v.kind == GM_KIND_STRING || v.kind == GM_KIND_JSON) v.s = gm_arena_str(run->texts, v.s);
    run->lost = !gm_alloc_reserve(run->alloc, &run->ring, &run->capacity, run->count + 1, sizeof *run->ring);
    if (run->lost) return false;
    run->ring[run->count++] = (played){ sample->at, run->reading, v };
    return true;
}

static int by_time(const void *a, const void *b)
{
    const played *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->series < y->series ? -1 : x->series > y->series;
}

// The samples of the next span. The span adapts itself, so that a chunk is neither large nor nearly empty.
static gm_status read_chunk(gm_dry_run *run, gm_error *err)
{
    gm_status  st  = GM_OK;
    gm_time_ns end = run->options.to - run->cursor > run->span ? run->cursor + run->span : run->options.to;
    for (run->full = true; st == GM_OK && run->full;) {
        gm_arena_clear(run->texts);
        run->next = run->count = 0;
        run->full = run->lost = false;
        for (run->reading = 0; st == GM_OK && !run->full && !run->lost && run->reading < run->series_count; run->reading++) {
            const series *s = &run->series[run->reading];
            st = s->column < GM_OWN_SERIES ? gm_engine_read_history(run->options.engine, (gm_twin){ s->twin }, s->column, run->cursor, end, take_sample, run, err)
                                           : gm_engine_own_read(run->options.engine, (gm_twin){ s->twin }, s->column - GM_OWN_SERIES, run->cursor, end, take_sample, run, err);
        }
        if (run->lost) return gm_fail(err, GM_NOMEM, WHERE, "playing back the past");
        // So many at one moment are played as far as they fit.
        if (!run->full || end - run->cursor <= 1) break;
        run->span = (end - run->cursor) / 4 + 1;
        end       = run->cursor + run->span;
    }
    if (st != GM_OK) return st;
    if (run->count > 1) qsort(run->ring, run->count, sizeof *run->ring, by_time);
    if (run->count < GM_DRY_CHUNK / 8 && run->span < INT64_MAX / 4) run->span *= 2;
    run->cursor = end;
    return GM_OK;
}

// ---- playing ------------------------------------------------------------------------------------------------------

// The rules read the value themselves, as of the record's time.
static gm_status play_rollup(gm_dry_run *run, const series *s, gm_time_ns at)
{
    gm_twin   twin   = { s->twin };
    gm_record record = { .sequence = ++run->sequence, .ingest = at, .kind = GM_CHANGE_ROLLUP };
    gm_change change = { .kind = GM_CHANGE_ROLLUP, .twin = GM_NONE, .target = GM_NONE, .name = s->rollup };
    if (gm_twin_ok(twin) && !gm_state_exists(run->state, twin)) return GM_OK;
    if (gm_twin_ok(twin)) change.id = gm_state_id(run->state, twin);
    gm_rules_precede(run->rules, &record, &change);
    gm_rules_follow(run->rules, &record, &change);
    run->samples++;
    return GM_OK;
}

// A sample goes the way that a record of it would have gone.
static gm_status play(gm_dry_run *run, const played *p, gm_error *err)
{
    const series  *s    = &run->series[p->series];
    gm_twin        twin = { s->twin };
    gm_change      change;
    gm_cell_write  cell = { .column = (uint16_t)s->column, .at = p->at, .value = p->value };
    if (s->column >= GM_OWN_SERIES) return play_rollup(run, s, p->at);
    if (!gm_state_exists(run->state, twin)) return GM_OK;
    const gm_type *type = gm_state_type(run->state, twin);
    if (s->column >= type->column_count || (cell.value.kind != GM_KIND_NONE && cell.value.kind != type->columns[s->column].kind)) return GM_OK;
    size_t size = gm_change_size_write(&cell, 1);
    gm_buf_clear(&run->record);
    uint8_t *to = gm_buf_reserve(&run->record, size);
    if (to == NULL) return gm_fail(err, GM_NOMEM, WHERE, "playing back the past");
    gm_change_encode_write(to, twin.v, type->number, type->columns[s->column].is_telemetry ? 0 : GM_WRITE_PROPERTIES, &cell, 1);
    gm_record record = { .sequence = ++run->sequence, .ingest = p->at, .kind = GM_CHANGE_WRITE, .payload = to, .size = size };
    gm_status st     = gm_change_decode(record.kind, record.payload, record.size, &change, err);
    if (st == GM_OK) gm_rules_precede(run->rules, &record, &change);
    if (st == GM_OK) st = gm_state_apply(run->state, record.sequence, record.ingest, &change, err);
    if (st == GM_OK) gm_rules_follow(run->rules, &record, &change);
    run->samples++;
    return st;
}

gm_status gm_dry_run_step(gm_dry_run *run, size_t samples, bool *out_done, gm_error *err)
{
    gm_status st = GM_OK;
    *out_done    = false;
    if (gm_model_count(gm_engine_model(run->options.engine)) != run->models) return gm_fail(err, GM_CONFLICT, WHERE, "models were changed meanwhile; try again");
    while (st == GM_OK && samples > 0 && run->next < run->count) {
        st = play(run, &run->ring[run->next++], err);
        samples--;
    }
    if (st != GM_OK || run->next < run->count) return st;
    if (run->cursor < run->options.to) return read_chunk(run, err);
    gm_rules_run_due(run->rules, run->options.to - 1);
    *out_done = true;
    return GM_OK;
}

gm_dry_run_counts gm_dry_run_count(const gm_dry_run *run)
{
    gm_rules_stats stats = gm_rules_statistics(run->rules);
    return (gm_dry_run_counts){ stats.instances, run->series_count, run->samples, stats.evaluations };
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_dry_run_create(const gm_dry_run_options *o, gm_dry_run **out, gm_error *err)
{
    gm_rulebook *book = o->book;
    gm_dry_run  *run  = gm_alloc_zeroed(o->alloc, sizeof *run);
    gm_status    st   = run != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "playing back the past");
    *out              = NULL;
    if (st != GM_OK) goto done;
    run->options = *o;
    run->alloc   = o->alloc;
    run->record  = gm_buf_init(o->alloc);
    if (o->from >= o->to) st = gm_fail(err, GM_INVALID, WHERE, "the time to look at ends before it begins");
    if (st != GM_OK) goto done;
    run->cursor  = o->from;
    run->span    = (o->to - o->from) / 64 + 1;
    run->models  = gm_model_count(gm_engine_model(o->engine));
    run->texts   = gm_arena_create(o->alloc, 0);
    if (run->texts == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "playing back the past");
    if (st == GM_OK) st = gm_as_of_replay(o->engine, o->to, o->from, GM_DRY_TWINS_MAX, &run->state, err);
    gm_rules_options rules = { .alloc = o->alloc, .state = run->state, .history = o->engine, .facts = o->facts, .fired = o->fired, .context = o->context };
    if (st == GM_OK) st = gm_rules_create(&rules, &run->rules, err);
    if (st != GM_OK) goto done;
    st   = gm_rules_install(run->rules, book, o->from, 0, err);
    book = NULL;
    if (st == GM_OK) st = collect_series(run, err);
done:
    gm_rulebook_destroy(book);
    if (st == GM_OK) *out = run;
    else gm_dry_run_destroy(run);
    return st;
}

void gm_dry_run_destroy(gm_dry_run *run)
{
    if (run == NULL) return;
    gm_rules_destroy(run->rules);
    gm_state_destroy(run->state);
    gm_arena_destroy(run->texts);
    gm_buf_finish(&run->record);
    gm_free(run->alloc, run->series);
    gm_free(run->alloc, run->ring);
    gm_free(run->alloc, run);
}
