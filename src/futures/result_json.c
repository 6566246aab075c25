// Results as JSON. Numbers that do not exist (NaN) are null.
#include "futures/request_json.h"

#include "base/number.h"

static void put_numbers(gm_buf *out, const double *x, size_t n, size_t stride)
{
    gm_buf_byte(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_number(out, x[i * stride]);
    }
    gm_buf_byte(out, ']');
}

static void put_key(gm_buf *out, const char *key, bool first)
{
    if (!first) gm_buf_byte(out, ',');
    gm_buf_byte(out, '"');
    gm_buf_text(out, key);
    gm_buf_text(out, "\":");
}

static void put_name(gm_buf *out, gm_str name, bool first)
{
    if (!first) gm_buf_byte(out, ',');
    gm_buf_json_str(out, name);
    gm_buf_byte(out, ':');
}

// {"0.05":[...],"0.5":[...]}: n values each, the q-th list at x + q * row.
static void put_quantiles(gm_buf *out, const gm_futures_request *r, const double *x, size_t n, size_t row)
{
    char text[GM_NUMBER_TEXT];
    gm_buf_byte(out, '{');
    for (uint32_t q = 0; q < r->quantile_count; q++) {
        put_name(out, (gm_str){ text, gm_number_write(r->quantiles[q], text) }, q == 0);
        if (n == SIZE_MAX) gm_buf_json_number(out, x[q]);
        else put_numbers(out, x + q * row, n, 1);
    }
    gm_buf_byte(out, '}');
}

static void put_histogram(gm_buf *out, const double *edges, const uint32_t *counts, uint32_t bins)
{
    if (edges == NULL) return;
    gm_buf_text(out, ",\"histogram\":{\"edges\":");
    put_numbers(out, edges, bins + 1, 1);
    gm_buf_text(out, ",\"counts\":[");
    for (uint32_t b = 0; b < bins; b++) gm_buf_printf(out, "%s%u", b > 0 ? "," : "", counts[b]);
    gm_buf_text(out, "]}");
}

static void put_outputs(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t row)
{
    gm_buf_byte(out, '{');
    for (uint32_t o = 0; o < f->output_count; o++) {
        const gm_band *band = &f->bands[row * f->output_count + o];
        put_name(out, r->outputs[o].name, o == 0);
        gm_buf_text(out, "{\"quantiles\":");
        put_quantiles(out, r, band->quantiles, f->point_count, f->point_count);
        put_key(out, "mean", false);
        put_numbers(out, band->mean, f->point_count, 1);
        put_key(out, "sd", false);
        put_numbers(out, band->sd, f->point_count, 1);
        put_histogram(out, band->histogram_edges, band->histogram, f->bins);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

static void put_exceedances(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t row)
{
    gm_buf_byte(out, '{');
    for (uint32_t e = 0; e < f->exceedance_count; e++) {
        put_name(out, r->exceedances[e].text, e == 0);
        put_numbers(out, f->exceeded + (row * f->exceedance_count + e) * f->point_count, f->point_count,
                    1);
    }
    gm_buf_byte(out, '}');
}

static void put_passages(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t row)
{
    gm_buf_byte(out, '{');
    for (uint32_t c = 0; c < f->condition_count; c++) {
        const gm_passage *p = &f->passages[row * f->condition_count + c];
        put_name(out, r->conditions[c].text, c == 0);
        gm_buf_printf(out, "{\"passed\":%u,\"censored\":%u,\"failed\":%u,\"probability\":", p->passed, p->censored,
                      p->failed);
        gm_buf_json_number(out, p->probability);
        gm_buf_text(out, ",\"interval\":[");
        gm_buf_json_number(out, p->low);
        gm_buf_byte(out, ',');
        gm_buf_json_number(out, p->high);
        gm_buf_text(out, "],\"quantiles\":");
        put_quantiles(out, r, p->quantiles, SIZE_MAX, 1);
        put_key(out, "reached", false);
        put_numbers(out, p->reached, f->point_count, 1);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

static void put_tallies(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t row)
{
    gm_buf_byte(out, '{');
    for (uint32_t k = 0; k < f->score_count; k++) {
        const gm_tally *t = &f->tallies[row * f->score_count + k];
        const struct {
            const char *key;
            double      value;
        } numbers[] = { { "mean", t->mean }, { "sd", t->sd }, { "min", t->min }, { "max", t->max } };
        put_name(out, r->scores[k].text, k == 0);
        gm_buf_byte(out, '{');
        for (int i = 0; i < 4; i++) {
            put_key(out, numbers[i].key, i == 0);
            gm_buf_json_number(out, numbers[i].value);
        }
        gm_buf_printf(out, ",\"minLane\":%u,\"maxLane\":%u,\"quantiles\":", t->min_lane, t->max_lane);
        put_quantiles(out, r, t->quantiles, SIZE_MAX, 1);
        put_histogram(out, t->histogram_edges, t->histogram, f->bins);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

static void put_sensitivity(gm_buf *out, const gm_sensitivity *s, bool morris)
{
    const struct {
        const char *key;
        double      value;
    } sobol[]   = { { "first", s->first },
                    { "total", s->total },
                    { "firstError", s->first_error },
                    { "totalError", s->total_error } },
      effects[] = { { "mean", s->effect_mean }, { "meanAbsolute", s->effect_abs }, { "sd", s->effect_sd } };
    gm_buf_byte(out, '{');
    for (int i = 0; i < (morris ? 3 : 4); i++) {
        put_key(out, morris ? effects[i].key : sobol[i].key, i == 0);
        gm_buf_json_number(out, morris ? effects[i].value : sobol[i].value);
    }
    gm_buf_byte(out, '}');
}

static void put_sensitivities(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t block)
{
    uint32_t rows = f->score_count + f->output_count;
    gm_buf_byte(out, '{');
    for (uint32_t row = 0; row < rows; row++) {
        put_name(out, row < f->score_count ? r->scores[row].text : r->outputs[row - f->score_count].name, row == 0);
        gm_buf_byte(out, '{');
        for (uint32_t i = 0; i < f->varied_count; i++) {
            put_name(out, f->varied[i], i == 0);
            put_sensitivity(out, &f->sensitivities[(block * rows + row) * f->varied_count + i],
                            r->design == GM_DESIGN_MORRIS);
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

// The lanes with the smallest and the largest value of each score, point by point.
static void put_trajectories(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f,
                             const gm_futures *job, uint32_t scenario)
{
    uint32_t written[2 * GM_FUTURES_WATCH_MAX], n = 0;
    gm_buf_byte(out, '{');
    for (uint32_t k = 0; k < 2 * f->score_count; k++) {
        const gm_tally *t    = &f->tallies[(size_t)scenario * f->view_count * f->score_count + k / 2];
        uint32_t        lane = k % 2 == 0 ? t->min_lane : t->max_lane, seen = 0;
        while (seen < n && written[seen] != lane) seen++;
        if (seen < n) continue;
        gm_buf_printf(out, "%s\"%u\":{", n > 0 ? "," : "", lane);
        written[n++] = lane;
        for (uint32_t o = 0; o < f->output_count; o++) {
            put_name(out, r->outputs[o].name, o == 0);
            gm_buf_byte(out, '[');
            for (uint32_t p = 0; p < f->point_count; p++) {
                if (p > 0) gm_buf_byte(out, ',');
                gm_buf_json_number(out, gm_futures_value(job, scenario, o, p, lane));
            }
            gm_buf_byte(out, ']');
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

// What is told of one set of lanes.
static void put_view(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, size_t row)
{
    gm_buf_text(out, "\"outputs\":");
    put_outputs(out, r, f, row);
    if (f->exceedance_count > 0) gm_buf_text(out, ",\"exceed\":"), put_exceedances(out, r, f, row);
    if (f->condition_count > 0) gm_buf_text(out, ",\"until\":"), put_passages(out, r, f, row);
    if (f->score_count > 0) gm_buf_text(out, ",\"scores\":"), put_tallies(out, r, f, row);
}

// Sensitivities are a member's: its lanes are the design.
static void put_members(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, uint32_t scenario)
{
    gm_buf_text(out, ",\"members\":{");
    for (uint32_t m = 0; m < f->member_count; m++) {
        size_t view = f->member_count > 1 ? 1 + (size_t)m : 0;
        put_name(out, r->member_names[m], m == 0);
        gm_buf_printf(out, "{\"firstLane\":%u,", m * r->lanes);
        put_view(out, r, f, (size_t)scenario * f->view_count + view);
        if (f->sensitivities != NULL) {
            gm_buf_text(out, ",\"sensitivity\":");
            put_sensitivities(out, r, f, (size_t)scenario * f->member_count + m);
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}

static void put_scenario(gm_buf *out, const gm_futures_request *r, const gm_futures_result *f, const gm_futures *job,
                         uint32_t scenario)
{
    put_view(out, r, f, (size_t)scenario * f->view_count);
    if (f->score_count > 0 && f->output_count > 0 && job != NULL)
        gm_buf_text(out, ",\"trajectories\":"), put_trajectories(out, r, f, job, scenario);
    if (f->sensitivities != NULL && f->member_count == 1)
        gm_buf_text(out, ",\"sensitivity\":"), put_sensitivities(out, r, f, scenario);
    if (r->member_names != NULL) put_members(out, r, f, scenario);
}

static void put_troubles(gm_buf *out, const gm_futures_result *f)
{
    static const char *const words[] = {
        "active",      "terminated",        "assert failed", "diverged", "no step is small enough",
        "no solution", "events without end", "the FMU failed"
    };
    gm_buf_byte(out, '[');
    for (uint32_t i = 0; i < f->trouble_count; i++) {
        const gm_lane_trouble *t = &f->troubles[i];
        gm_buf_printf(out, "%s{\"lane\":%u,\"scenario\":%u,\"time\":", i > 0 ? "," : "", t->lane, t->scenario);
        gm_buf_json_number(out, t->time_s);
        gm_buf_text(out, ",\"reason\":");
        gm_buf_json_str(out, gm_str_of(t->status < sizeof words / sizeof words[0] ? words[t->status] : "failed"));
        gm_buf_text(out, ",\"message\":");
        gm_buf_json_str(out, t->message);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

void gm_futures_result_write(const gm_futures_request *r, const gm_futures_result *f, const gm_futures *job,
                             gm_buf *out)
{
    gm_buf_text(out, "\"time\":");
    put_numbers(out, f->time_s, f->point_count, 1);
    gm_buf_byte(out, ',');
    put_scenario(out, r, f, job, 0);
    if (r->scenario_count > 0) {
        gm_buf_text(out, ",\"scenarios\":{");
        for (uint32_t s = 0; s < r->scenario_count; s++) {
            put_name(out, r->scenarios[s].name, s == 0);
            gm_buf_byte(out, '{');
            put_scenario(out, r, f, job, s);
            gm_buf_byte(out, '}');
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_printf(out, ",\"lanes\":%u,\"diverged\":%u,\"troubles\":", f->lanes, f->diverged);
    put_troubles(out, f);
    gm_buf_printf(out, ",\"seed\":%llu,\"step\":", (unsigned long long)r->seed);
    gm_buf_json_number(out, f->step_s);
    gm_buf_printf(out, ",\"laneSteps\":%llu,\"seconds\":", (unsigned long long)f->lane_steps);
    gm_buf_json_number(out, f->seconds);
}

void gm_partial_write(const gm_futures_request *r, const gm_partial *p, gm_buf *out)
{
    gm_buf_printf(out, "\"counted\":%u,\"time\":", p->counted);
    put_numbers(out, p->time_s, p->points, 1);
    gm_buf_text(out, ",\"outputs\":{");
    for (uint32_t o = 0; o < r->output_count; o++) {
        put_name(out, r->outputs[o].name, o == 0);
        gm_buf_text(out, "{\"quantiles\":");
        put_quantiles(out, r, p->quantiles + (size_t)o * r->quantile_count * p->stride, p->points, p->stride);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
}
