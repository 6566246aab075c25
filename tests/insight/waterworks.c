#include "insight/waterworks.h"

#include "insight/text_file.h"
#include "support/golden.h"

#include <math.h>
#include <stdlib.h>

static const gm_time_ns MONDAY = INT64_C(1767571200) * GM_SECOND;  // 2026-01-05T00:00Z

int waterworks_open(waterworks *w)
{
    char    *path = NULL, *file = NULL;
    gm_buf   text = gm_buf_init(gm_alloc_system());
    uint32_t count = 0;
    *w     = (waterworks){ 0 };
    w->cli = (gm_cli){ .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(),
                       .arena = gm_arena_create(gm_alloc_system(), 0), .out = stdout, .err = stderr };
    if (asprintf(&path, "%s/examples/pumphouse", gm_test_root()) < 0 || asprintf(&file, "%s/estimate/waterworks.json", path) < 0) return -1;
    w->setups    = GM_ARENA_NEW(w->cli.arena, gm_estimate_setup, GM_ESTIMATE_SETUPS_MAX);
    gm_exit   code = gm_plant_group_open(&w->cli, path, "tower", true, &w->plant);
    gm_status st   = code == GM_EXIT_OK ? gm_text_file_read(w->cli.io, file, 1 << 20, &text, &w->err) : GM_INVALID;
    if (st == GM_OK) st = gm_estimate_setups_parse(w->cli.arena, gm_buf_view(&text), w->setups, &count, &w->err);
    gm_buf_finish(&text);
    free(path);
    free(file);
    if (st != GM_OK) fprintf(stderr, "%s\n", w->err.text);
    return st == GM_OK ? 0 : -1;
}

void waterworks_close(waterworks *w)
{
    gm_plant_group_close(&w->plant);
    gm_arena_destroy(w->cli.arena);
}

bool trial_begin(trial *t, waterworks *w, uint64_t seed, double every_s, const char *mismatch)
{
    gm_rig_options  o      = gm_rig_options_defaults();
    gm_group_reader reader = gm_group_live_reader(w->plant.state);
    uint32_t        slots  = gm_program_slot_count(gm_group_program(w->plant.group));
    double         *base   = gm_alloc_array(gm_alloc_system(), slots, sizeof *base);
    gm_fork_report  report;
    json_t         *differs = json_loads(mismatch, 0, NULL);
    *t      = (trial){ .works = w, .begin = MONDAY, .every_s = every_s, .seed = seed };
    o.noise = true;
    o.seed  = seed;
    gm_status st = base != NULL && differs != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) st = gm_rig_create(gm_alloc_system(), w->plant.group, &reader, &o, &t->rig, &w->err);
    if (st == GM_OK) st = gm_rig_mismatch(t->rig, differs, &w->err);
    if (st == GM_OK) st = gm_group_fork(w->plant.group, &reader, 0, base, &report, &w->err);
    if (st == GM_OK) st = gm_vigil_create(gm_alloc_system(), &w->setups[0], w->plant.group, base, MONDAY, &t->vigil, &w->err);
    json_decref(differs);
    gm_free(gm_alloc_system(), base);
    if (st != GM_OK) fprintf(stderr, "%s\n", w->err.text);
    return st == GM_OK;
}

void trial_end(trial *t)
{
    gm_vigil_destroy(t->vigil);
    gm_rig_destroy(t->rig);
}

// A message reaches the estimator with the time of its making; how late it comes does not matter within the lag.
static gm_status hear(void *context, const gm_rig_message *m, gm_error *err)
{
    trial                    *t = context;
    char                      text[1000];
    uint32_t                  count;
    const gm_estimate_signal *signals = gm_estimate_model_signals(gm_vigil_model(t->vigil), &count);
    const char               *name;
    json_t                   *value;
    snprintf(text, sizeof text, "{" GM_STR_FMT "}", GM_STR_ARG(m->values));
    json_t   *values = json_loads(text, 0, NULL);
    gm_status st     = GM_OK;
    gm_time_ns at    = t->begin + (gm_time_ns)(gm_rig_time(t->rig) * 1e9);
    json_object_foreach(values, name, value)
    {
        char column[200];
        snprintf(column, sizeof column, GM_STR_FMT "." GM_STR_FMT "%s%s", GM_STR_ARG(m->twin), GM_STR_ARG(m->component), m->component.len > 0 ? "/" : "", name);
        for (uint32_t k = 0; st == GM_OK && k < count; k++)
            if (signals[k].measured && gm_str_is(signals[k].name, column)) st = gm_vigil_feed(t->vigil, k, at, json_number_value(value), err);
    }
    json_decref(values);
    return st;
}

bool trial_run(trial *t, double until_s)
{
    gm_error *err = &t->works->err;
    gm_status st  = GM_OK;
    while (st == GM_OK && gm_rig_time(t->rig) + t->every_s <= until_s + 1e-6) {
        st = gm_rig_advance(t->rig, t->every_s, err);
        if (st == GM_OK) st = gm_rig_sample(t->rig, hear, t, err);
        gm_time_ns now = t->begin + (gm_time_ns)(gm_rig_time(t->rig) * 1e9);
        if (st == GM_OK) st = gm_vigil_advance(t->vigil, now, err);
    }
    if (st != GM_OK) fprintf(stderr, "%s\n", err->text);
    return st == GM_OK;
}

uint32_t trial_part(const trial *t, const char *name)
{
    uint32_t                count;
    const gm_estimate_part *parts = gm_estimate_model_parts(gm_vigil_model(t->vigil), &count);
    for (uint32_t i = 0; i < count; i++)
        if (gm_str_is(parts[i].name, name)) return i;
    return UINT32_MAX;
}

gm_estimator_value trial_value(const trial *t, const char *name) { return gm_estimator_part(gm_vigil_estimator(t->vigil), trial_part(t, name)); }
