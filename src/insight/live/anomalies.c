// Detectors in step with the changes of their twins.
#include "base/number.h"
#include "insight/live/parts.h"

#include <math.h>

void gm_insight_forget_detector(gm_insight *insight, gm_lookout_state *l, gm_slot *slot)
{
    const gm_alloc *alloc = insight->options.alloc;
    gm_healthy_destroy(slot->healthy);
    gm_free(alloc, slot->learning);
    for (uint32_t i = 0; slot->streams != NULL && i < l->asked.count; i++) gm_stream_destroy(slot->streams[i]);
    gm_free(alloc, slot->streams);
    slot->healthy  = NULL;
    slot->learning = NULL;
    slot->streams  = NULL;
}

// ---- one row
// ------------------------------------------------------------------------------------------------------------

// Learns, then scores. shares [count] say who it was.
static double step_together(gm_insight *insight, gm_lookout_state *l, gm_slot *slot, const double *row, double *shares)
{
    uint32_t n = l->asked.count;
    if (slot->healthy != NULL) return gm_healthy_step(slot->healthy, row, shares).total;
    if (slot->learning == NULL)
        slot->learning = gm_alloc_array(insight->options.alloc, (size_t)l->asked.learn * n, sizeof(double));
    if (slot->learning == NULL) return 0;
    memcpy(slot->learning + (size_t)slot->learned++ * n, row, n * sizeof *row);
    if (slot->learned < l->asked.learn) return 0;
    gm_healthy_options o = gm_healthy_options_defaults();
    o.window             = l->asked.window;
    // A stretch from which nothing can be learned (all values missing) is followed by the next.
    if (gm_healthy_fit(insight->options.alloc, slot->learning, slot->learned, n, &o, &slot->healthy, NULL) != GM_OK)
        slot->learned = 0;
    else {
        gm_free(insight->options.alloc, slot->learning);
        slot->learning = NULL;
    }
    return 0;
}

static bool make_streams(gm_insight *insight, gm_lookout_state *l, gm_slot *slot)
{
    if (slot->streams != NULL) return true;
    slot->streams = gm_alloc_zeroed(insight->options.alloc, l->asked.count * sizeof *slot->streams);
    for (uint32_t i = 0; slot->streams != NULL && i < l->asked.count; i++) {
        slot->streams[i] = gm_stream_create(insight->options.alloc, l->asked.learn);
        if (slot->streams[i] == NULL) {
            gm_insight_forget_detector(insight, l, slot);
            return false;
        }
    }
    return slot->streams != NULL;
}

static double step_each(gm_insight *insight, gm_lookout_state *l, gm_slot *slot, const double *row, double *shares)
{
    double most = 0, sum = 0;
    if (!make_streams(insight, l, slot)) return 0;
    for (uint32_t i = 0; i < l->asked.count; i++) {
        shares[i] = isnan(row[i]) ? 0 : gm_stream_step(slot->streams[i], row[i]).total;
        most      = fmax(most, shares[i]);
        sum += shares[i];
    }
    for (uint32_t i = 0; sum > 0 && i < l->asked.count; i++) shares[i] /= sum;
    return most;
}

static double step(gm_insight *insight, gm_lookout_state *l, gm_slot *slot, const double *row, double *shares)
{
    return l->asked.kind == GM_LOOKOUT_TOGETHER ? step_together(insight, l, slot, row, shares)
                                                : step_each(insight, l, slot, row, shares);
}

// ---- telling
// ------------------------------------------------------------------------------------------------------------

static void add_number(gm_buf *out, double v)
{
    char digits[GM_NUMBER_TEXT];
    gm_number_write(v, digits);
    gm_buf_text(out, digits);
}

// {"start":..,"end":..,"score":..,"signals":[{"property":..,"share":..}]}: the largest shares, down to a tenth.
static void write_text(const gm_lookout_state *l, const gm_slot *slot, gm_time_ns end, gm_buf *out)
{
    enum { NAMED_MAX = 5 };
    char time[GM_TIME_TEXT];
    bool named[GM_LOOKOUT_PROPERTIES_MAX] = { 0 };
    gm_time_format(slot->begin, time);
    gm_buf_clear(out);
    gm_buf_printf(out, "{\"start\":\"%s\",\"end\":", time);
    gm_time_format(end, time);
    if (end != 0)
        gm_buf_printf(out, "\"%s\"", time);
    else
        gm_buf_text(out, "null");
    gm_buf_text(out, ",\"score\":");
    add_number(out, round(1000 * slot->most) / 1000);
    gm_buf_text(out, ",\"signals\":[");
    for (int k = 0; k < NAMED_MAX; k++) {
        uint32_t most = GM_INSIGHT_NOWHERE;
        for (uint32_t i = 0; i < l->asked.count; i++)
            if (!named[i] && slot->shares[i] >= 0.1 &&
                (most == GM_INSIGHT_NOWHERE || slot->shares[i] > slot->shares[most]))
                most = i;
        if (most == GM_INSIGHT_NOWHERE) break;
        named[most] = true;
        gm_buf_text(out, k > 0 ? ",{\"property\":" : "{\"property\":");
        gm_buf_json_str(out, l->asked.properties[most]);
        gm_buf_text(out, ",\"share\":");
        add_number(out, round(1000 * slot->shares[most]) / 1000);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
}

static void tell(gm_insight *insight, const gm_lookout_state *l, const gm_slot *slot, gm_time_ns end)
{
    gm_str id = gm_state_id(gm_engine_state(insight->options.engine), slot->twin);
    write_text(l, slot, end, &insight->scratch);
    // A full batch loses this one record; the count of the log's refusals says so elsewhere, and an end is told again
    // later.
    if (!insight->scratch.failed)
        (void)!gm_anomalies_tell(insight->anomalies, id, l->asked.name, gm_buf_view(&insight->scratch), end != 0, NULL);
}

// An anomaly begins with a score at the threshold and ends when it has been below for two windows (EACH: for a tenth of
// what it learned from, since a signal is told once).
static void follow(gm_insight *insight, gm_lookout_state *l, gm_slot *slot, gm_time_ns at, double score,
                   const double *shares)
{
    uint32_t hold = l->asked.kind == GM_LOOKOUT_EACH ? l->asked.learn / 10 : 2 * l->asked.window;
    bool     over = score >= l->asked.threshold;
    if (over && (!slot->open || score > slot->most)) {
        slot->most = score;
        memcpy(slot->shares, shares, l->asked.count * sizeof *shares);
    }
    slot->quiet = over ? 0 : slot->quiet + 1;
    if (over && !slot->open) {
        slot->open  = true;
        slot->begin = at;
        tell(insight, l, slot, 0);
    } else if (slot->open && slot->quiet >= hold) {
        tell(insight, l, slot, at);
        slot->open = false;
    }
}

// ---- changes
// --------------------------------------------------------------------------------------------------------------

// A new slot learns from what the twin's history holds from before this change.
static gm_slot *meet(gm_insight *insight, gm_lookout_state *l, const gm_placement *place, gm_twin twin, gm_time_ns at)
{
    size_t   before = l->slot_count;
    gm_slot *slot   = gm_insight_slot(insight, l, twin);
    if (slot == NULL || l->slot_count == before) return slot;
    gm_rows rows;
    double  shares[GM_LOOKOUT_PROPERTIES_MAX];
    if (gm_rows_gather(insight->options.engine, insight->options.alloc, twin, place->columns, l->asked.count, at,
                       GM_INSIGHT_ROWS_MAX, &rows, NULL) != GM_OK)
        return slot;
    for (size_t i = 0; i < rows.count; i++) (void)step(insight, l, slot, rows.values + i * rows.columns, shares);
    gm_rows_finish(&rows);
    return slot;
}

void gm_insight_detect(gm_insight *insight, gm_lookout_state *l, const gm_placement *place, const gm_change *change)
{
    const gm_state *state = gm_engine_state(insight->options.engine);
    gm_twin         twin  = { change->twin };
    const uint8_t  *walk  = change->cells;
    gm_cell_write   cell;
    gm_time_ns      at = GM_ABSENT;
    double          row[GM_LOOKOUT_PROPERTIES_MAX], shares[GM_LOOKOUT_PROPERTIES_MAX] = { 0 };
    while (gm_change_next_cell(change, &walk, &cell))
        for (uint32_t i = 0; i < l->asked.count; i++)
            if (place->columns[i] == cell.column && (at == GM_ABSENT || cell.at > at)) at = cell.at;
    for (uint32_t i = 0; i < l->asked.count; i++) {
        gm_cell now;
        gm_state_get(state, twin, place->columns[i], &now);
        row[i] = now.value.kind == GM_KIND_DOUBLE                                  ? now.value.d
                 : now.value.kind == GM_KIND_INT || now.value.kind == GM_KIND_BOOL ? (double)now.value.i
                                                                                   : NAN;
        // What is late has no place in a stream; a signal by itself steps when it was sent.
        if (now.value.kind != GM_KIND_NONE && now.source > at) return;
        if (l->asked.kind == GM_LOOKOUT_EACH && now.source != at) row[i] = NAN;
    }
    gm_slot *slot = meet(insight, l, place, twin, at);
    if (slot == NULL) return;
    follow(insight, l, slot, at, step(insight, l, slot, row, shares), shares);
}
