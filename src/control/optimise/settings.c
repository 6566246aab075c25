#include "control/optimise/settings.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char WHERE[] = "control.settings";

enum { LOOK_SCENARIOS = 4 };                   // that all candidates of a round go through
static const double NARROWER = 0.4, ALIKE = 0.02;  // of a round's spread; of an input's range: nearer ones are the same

typedef struct candidate { double cost; uint32_t number; } candidate;

typedef struct search {
    gm_mpc             *mpc;
    const gm_mpc_input *inputs;
    uint32_t            input_count;
    const double *const *scenarios;
    uint32_t            count, choosing;       // of them, choose: the first so many; the others judge
    gm_settings_options o;
    double             *points;                // [candidates][inputs]; 0: as it is
    double             *costs;                 // [candidates][scenarios] of the last runs
    double             *broken;
    candidate          *order;                 // [candidates]
    double             *kept;                  // [GM_SETTINGS_KEPT][inputs]
    uint32_t            kept_count;
} search;

gm_settings_options gm_settings_options_defaults(void) { return (gm_settings_options){ .candidates = 256, .rounds = 3, .seed = 1 }; }

// ---- points ---------------------------------------------------------------------------------------------------------

static double within(const gm_mpc_input *in, double v)
{
    if (in->whole) return fmin(fmax(floor(v + 0.5), ceil(in->low)), floor(in->high));
    return fmin(fmax(v, in->low), in->high);
}

static double radical_inverse(uint32_t i, uint32_t base)
{
    double f = 1, sum = 0;
    for (; i > 0; i /= base) sum += (f /= base) * (i % base);
    return sum;
}

// The first round: Halton's sequence, shifted by the seed; beyond its good dimensions random.
static double spread_out(const search *s, uint32_t point, uint32_t input)
{
    static const uint32_t primes[] = { 2, 3, 5, 7, 11, 13 };
    double shift = gm_rng_uniform(s->o.seed, 0, input, 0);
    double u     = input < sizeof primes / sizeof primes[0] ? radical_inverse(point, primes[input]) + shift : gm_rng_uniform(s->o.seed, point, input, 0);
    return u - floor(u);
}

static void make_points(search *s, uint32_t round)
{
    double spread = 0.25 * pow(NARROWER, round - 1.0);
    for (uint32_t c = 1; c < s->o.candidates; c++) {
        double *point = s->points + (size_t)c * s->input_count;
        for (uint32_t i = 0; i < s->input_count; i++) {
            const gm_mpc_input *in = &s->inputs[i];
            double range = in->high - in->low;
            if (round == 0) point[i] = within(in, in->low + range * spread_out(s, c, i));
            else if (c <= s->kept_count) point[i] = s->kept[(size_t)(c - 1) * s->input_count + i];
            else point[i] = within(in, s->kept[(size_t)(c % s->kept_count) * s->input_count + i] + spread * range * gm_rng_normal(s->o.seed, c, i, round));
        }
    }
}

// ---- running --------------------------------------------------------------------------------------------------------

// Candidates order[0 .. n) through scenarios [from, to).
static void run(search *s, uint32_t n, uint32_t from, uint32_t to)
{
    const double *bases[GM_MPC_COMPARE], *plans[GM_MPC_COMPARE];
    double        cost[GM_MPC_COMPARE], broken[GM_MPC_COMPARE];
    size_t        where[GM_MPC_COMPARE];
    uint32_t      filled = 0, across = to - from;
    for (uint64_t k = 0; k < (uint64_t)n * across; k++) {
        uint32_t number = s->order[k / across].number, scenario = from + (uint32_t)(k % across);
        bases[filled]   = s->scenarios[scenario];
        plans[filled]   = s->points + (size_t)number * s->input_count;
        where[filled++] = (size_t)number * s->count + scenario;
        if (filled < GM_MPC_COMPARE && k + 1 < (uint64_t)n * across) continue;
        gm_mpc_compare(s->mpc, bases, plans, filled, cost, broken);
        for (uint32_t i = 0; i < filled; i++) {
            s->costs[where[i]]  = cost[i];
            s->broken[where[i]] = broken[i];
        }
        filled = 0;
    }
}

static int by_cost(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

// By the mean over scenarios [0, to); one that can not be followed comes last.
static void sort(search *s, uint32_t n, uint32_t to)
{
    for (uint32_t k = 0; k < n; k++) {
        double sum = 0;
        for (uint32_t i = 0; i < to; i++) sum += s->costs[(size_t)s->order[k].number * s->count + i];
        s->order[k].cost = isnan(sum) ? INFINITY : sum / to;
    }
    qsort(s->order, n, sizeof *s->order, by_cost);
}

static bool is_new(const search *s, const double *point)
{
    for (uint32_t k = 0; k < s->kept_count; k++) {
        bool alike = true;
        for (uint32_t i = 0; i < s->input_count && alike; i++)
            alike = fabs(point[i] - s->kept[(size_t)k * s->input_count + i]) <= ALIKE * (s->inputs[i].high - s->inputs[i].low);
        if (alike) return false;
    }
    return true;
}

// What holds now need not be within the bounds.
static bool is_possible(const search *s, const double *point)
{
    bool possible = true;
    for (uint32_t i = 0; i < s->input_count; i++) possible = possible && point[i] == within(&s->inputs[i], point[i]);
    return possible;
}

static void keep_best(search *s, uint32_t n)
{
    s->kept_count = 0;
    for (uint32_t k = 0; k < n && s->kept_count < GM_SETTINGS_KEPT && isfinite(s->order[k].cost); k++) {
        const double *point = s->points + (size_t)s->order[k].number * s->input_count;
        if (is_new(s, point) && is_possible(s, point)) memcpy(s->kept + (size_t)s->kept_count++ * s->input_count, point, s->input_count * sizeof *point);
    }
}

static void go_through_round(search *s, uint32_t round)
{
    uint32_t look = s->choosing < LOOK_SCENARIOS ? s->choosing : LOOK_SCENARIOS, n = s->o.candidates, better = n / 4 > 0 ? n / 4 : 1;
    make_points(s, round);
    for (uint32_t c = 0; c < n; c++) s->order[c].number = c;
    run(s, n, 0, look);
    sort(s, n, look);
    // Those kept before go all the way again: what is merely good and elsewhere is an alternative.
    for (uint32_t k = better; round > 0 && k < n; k++) {
        if (s->order[k].number == 0 || s->order[k].number > s->kept_count) continue;
        candidate kept     = s->order[k];
        s->order[k]        = s->order[better];
        s->order[better++] = kept;
    }
    if (s->choosing > look) {
        run(s, better, look, s->choosing);
        sort(s, better, s->choosing);
    }
    keep_best(s, s->choosing > look ? better : n);
}

// ---- judging --------------------------------------------------------------------------------------------------------

// Those kept and "as it is" (candidate 0) through the scenarios that have not chosen, or all where they are too few to be split.
static void judge(search *s, gm_settings *out)
{
    uint32_t from = s->choosing < s->count ? s->choosing : 0, n = s->kept_count + 1;
    for (uint32_t k = 0; k < n; k++) s->order[k].number = k;
    memcpy(s->points + s->input_count, s->kept, (size_t)s->kept_count * s->input_count * sizeof *s->kept);
    run(s, n, from, s->count);
    out->judged = s->count - from;
    for (uint32_t k = 1; k < n; k++) {
        gm_setting *x = &out->items[out->count];
        double      square = 0, count = out->judged;
        *x = (gm_setting){ .values = out->values + (size_t)out->count * s->input_count };
        for (uint32_t i = from; i < s->count; i++) {
            double with = s->costs[(size_t)k * s->count + i], held = s->costs[i], gain = held - with;
            x->cost += with / count;
            x->held += held / count;
            x->gain += gain / count;
            square += gain * gain / count;
            x->better += (gain > 0) / count;
            x->broken += (s->broken[(size_t)k * s->count + i] > 0) / count;
        }
        if (!isfinite(x->cost)) continue;
        x->gain_deviation = out->judged > 1 && isfinite(x->gain) ? sqrt(fmax(0, square - x->gain * x->gain) * count / (count - 1)) : NAN;
        memcpy(out->values + (size_t)out->count * s->input_count, s->kept + (size_t)(k - 1) * s->input_count, s->input_count * sizeof *s->kept);
        out->count++;
    }
}

static int by_mean(const void *a, const void *b)
{
    const gm_setting *x = a, *y = b;
    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

gm_status gm_settings_rank(const gm_alloc *alloc, gm_mpc *mpc, const gm_mpc_input *inputs, uint32_t input_count, const double *const *scenarios,
                           uint32_t count, const gm_settings_options *options, gm_settings *out, gm_error *err)
{
    *out = (gm_settings){ .alloc = alloc };
    if (count == 0 || count > GM_SETTINGS_SCENARIOS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "1 to %d scenarios can be ranked over", GM_SETTINGS_SCENARIOS_MAX);
    if (options->candidates < 2 * GM_SETTINGS_KEPT || options->rounds == 0) return gm_fail(err, GM_INVALID, WHERE, "at least %d candidates and a round are needed", 2 * GM_SETTINGS_KEPT);
    search s = { .mpc = mpc, .inputs = inputs, .input_count = input_count, .scenarios = scenarios, .count = count, .o = *options };
    s.choosing  = count >= 2 * LOOK_SCENARIOS ? count / 2 : count;
    s.points    = gm_alloc_array(alloc, options->candidates, input_count * sizeof *s.points);
    s.costs     = gm_alloc_array(alloc, options->candidates, count * sizeof *s.costs);
    s.broken    = gm_alloc_array(alloc, options->candidates, count * sizeof *s.broken);
    s.order     = gm_alloc_array(alloc, options->candidates, sizeof *s.order);
    s.kept      = gm_alloc_array(alloc, GM_SETTINGS_KEPT, input_count * sizeof *s.kept);
    out->values = gm_alloc_array(alloc, GM_SETTINGS_KEPT, input_count * sizeof *out->values);
    gm_status st = s.points != NULL && s.costs != NULL && s.broken != NULL && s.order != NULL && s.kept != NULL && out->values != NULL
                       ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "ranking settings");
    if (st == GM_OK) {
        gm_mpc_hold(mpc, scenarios[0]);
        for (uint32_t i = 0; i < input_count; i++) s.points[i] = scenarios[0][inputs[i].slot.v];
        for (uint32_t round = 0; round < options->rounds && (round == 0 || s.kept_count > 0); round++) go_through_round(&s, round);
        if (s.kept_count > 0) judge(&s, out);
        qsort(out->items, out->count, sizeof *out->items, by_mean);
        if (out->count == 0) st = gm_fail(err, GM_DIVERGED, WHERE, "none of %u settings could be followed to the end", options->candidates);
    }
    void *const all[] = { s.points, s.costs, s.broken, s.order, s.kept };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(alloc, all[i]);
    if (st != GM_OK) gm_settings_finish(out);
    return st;
}

void gm_settings_finish(gm_settings *settings)
{
    if (settings->values != NULL) gm_free(settings->alloc, settings->values);
    *settings = (gm_settings){ .alloc = NULL };
}

void gm_settings_write(const gm_settings *settings, const gm_setting_name *names, uint32_t input_count, gm_buf *out)
{
    gm_buf_printf(out, "\"scenarios\":%u,\"ranking\":[", settings->judged);
    for (uint32_t i = 0; i < settings->count; i++) {
        const gm_setting *s = &settings->items[i];
        const struct { const char *name; double value; } all[] = { { "cost", s->cost }, { "held", s->held }, { "gain", s->gain }, { "gainDeviation", s->gain_deviation },
                                                                   { "better", s->better }, { "broken", s->broken } };
        gm_buf_text(out, i > 0 ? ",{\"inputs\":{" : "{\"inputs\":{");
        for (uint32_t k = 0; k < input_count; k++) {
            if (k > 0) gm_buf_byte(out, ',');
            gm_buf_json_str(out, names[k].name);
            gm_buf_byte(out, ':');
            gm_buf_json_number(out, (s->values[k] - names[k].offset) / names[k].factor);
        }
        gm_buf_byte(out, '}');
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            gm_buf_printf(out, ",\"%s\":", all[k].name);
            gm_buf_json_number(out, all[k].value);
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}
