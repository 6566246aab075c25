// The beginning of a twin's life, as the model of an entry sees it.
#include "insight/live/parts.h"

#include <string.h>

static const char WHERE[] = "insight.first";

typedef struct counting { size_t left; gm_time_ns last; } counting;

static bool count_row(void *context, const gm_sample *sample)
{
    counting *c = context;
    c->last     = sample->at;
    return --c->left > 0;
}

static gm_lookout_state *find_entry(gm_insight *insight, gm_str name, gm_error *err)
{
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_lookout_state *l = &insight->lookouts[i];
        if (l->asked.kind != GM_LOOKOUT_LIFE || !gm_str_eq(l->asked.name, name)) continue;
        if (l->model != NULL) return l;
        (void)!gm_fail(err, GM_NOTFOUND, WHERE, "the model of '" GM_STR_FMT "' is not there yet; gemel train makes it", GM_STR_ARG(gm_str_slice(name, 0, 60)));
        return NULL;
    }
    (void)!gm_fail(err, GM_NOTFOUND, WHERE, "no file of insight/ has an entry '" GM_STR_FMT "' under \"remainingLife\"", GM_STR_ARG(gm_str_slice(name, 0, 60)));
    return NULL;
}

gm_status gm_insight_first_health(gm_insight *insight, gm_str name, gm_twin twin, size_t most, double *out, size_t *out_count,
                                  gm_time_ns *out_from, gm_error *err)
{
    const gm_engine  *engine = insight->options.engine;
    gm_lookout_state *l      = find_entry(insight, name, err);
    *out_count               = 0;
    if (l == NULL) return GM_NOTFOUND;
    const gm_placement *place = gm_insight_place(insight, l, gm_state_type(gm_engine_state(engine), twin));
    if (place == NULL) return gm_fail(err, GM_INVALID, WHERE, "it is not of the interface of '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 60)));
    counting  c    = { .left = most };
    gm_rows   rows = { 0 };
    gm_status st   = gm_engine_read_history(engine, twin, place->columns[0], GM_TIME_MIN, GM_TIME_MAX, count_row, &c, err);
    if (st != GM_OK || c.left == most) return st;
    st = gm_rows_gather(engine, insight->options.alloc, twin, place->columns, l->asked.count, c.last + 1, most, &rows, err);
    if (st != GM_OK) return st;
    st = gm_rul_health(l->model, insight->options.alloc, rows.values, rows.count, out, err);
    if (st == GM_OK && rows.count > 0) {
        *out_count = rows.count;
        *out_from  = rows.times[0];
    }
    gm_rows_finish(&rows);
    return st;
}
