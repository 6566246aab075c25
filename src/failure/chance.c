// What is known of a mode now: whether it stands, and how likely it is to come.
//
// With t the horizon in hours, F the mode's distribution and a the age, the mode not being there now:
//   rate l           F(t) = 1 - exp(-l t)
//   Weibull (b, n)   P(T <= a + t | T > a) = 1 - exp((a/n)^b - ((a+t)/n)^b)
//   life             the Weibull law of the remaining life through the two outermost quantiles that have a value
// Unavailability at t with repair rate m: l/(l+m) (1 - exp(-(l+m) t)) when it is not there now, 1 - m/(l+m) (1 - exp(-(l+m) t)) when
// it stands; l is the constant rate with the same F(t). Exact for a constant rate (A. Birolini, Reliability Engineering, table 6.4).
#include "failure/failures.h"

#include <math.h>

// A property as a number; NaN: it has no value.
static double number_at(const gm_state *state, gm_twin twin, gm_str path, const gm_column **out_column)
{
    const gm_type *type  = gm_state_type(state, twin);
    uint32_t       index = gm_type_column_index(type, path);
    gm_cell        cell;
    if (index == GM_NO_COLUMN) return NAN;
    if (out_column != NULL) *out_column = &type->columns[index];
    gm_state_get(state, twin, index, &cell);
    if (cell.value.kind == GM_KIND_DOUBLE) return cell.value.d;
    return cell.value.kind == GM_KIND_INT || cell.value.kind == GM_KIND_BOOL ? (double)cell.value.i : NAN;
}

// The same in hours: by unit_h, by the model's unit when it is one of time, else taken for hours.
static double hours_at(const gm_state *state, gm_twin twin, gm_str path, double unit_h)
{
    const gm_column *column = NULL;
    double           value  = number_at(state, twin, path, &column);
    if (unit_h > 0) return value * unit_h;
    bool time = column != NULL && column->unit.len > 0 && column->unit_si.dim[GM_DIM_S] == 1;
    for (int d = 0; time && d < GM_DIM_COUNT; d++) time = d == GM_DIM_S || column->unit_si.dim[d] == 0;
    return time ? gm_unit_to_si(&column->unit_si, value) / 3600 : value;
}

enum { SIGN_RELATED_MAX = 10000 };  // twins that one sign is looked for on

// NaN compares false.
static bool says(const gm_failure_sign *s, double value)
{
    return s->kind == GM_SIGN_ABOVE ? value > s->number : s->kind == GM_SIGN_BELOW ? value < s->number : value == s->number;
}

static bool shows_on(const gm_failure_moment *at, gm_twin twin, const gm_failure_sign *s)
{
    if (s->kind == GM_SIGN_ALARM) return at->senses.alarm != NULL && at->senses.alarm(at->senses.context, s->name, gm_state_id(at->state, twin));
    if (s->value == GM_KIND_STRING) {
        gm_cell  cell;
        uint32_t column = gm_type_column_index(gm_state_type(at->state, twin), s->name);
        if (column == GM_NO_COLUMN) return false;
        gm_state_get(at->state, twin, column, &cell);
        return cell.value.kind == GM_KIND_STRING && gm_str_eq(cell.value.s, s->text);
    }
    return says(s, number_at(at->state, twin, s->name, NULL));
}

bool gm_failure_sign_shows(const gm_failure_moment *at, gm_twin twin, const gm_failure_sign *s)
{
    if (s->on.relationship.len == 0) return shows_on(at, twin, s);
    const gm_state *state = at->state;
    bool            in    = s->on.incoming;
    uint32_t        name  = gm_state_name_number(state, s->on.relationship), met = 0;
    for (gm_edge e = in ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin); gm_edge_ok(e) && met < SIGN_RELATED_MAX;
         e         = in ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        met++;
        if (shows_on(at, in ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e), s)) return true;
    }
    return false;
}

bool gm_failure_stands(const gm_failures *f, const gm_failure_moment *at, gm_twin twin, uint32_t mode)
{
    const gm_failure_mode *m = &gm_failures_modes(f)->modes[mode];
    for (uint32_t i = 0; i < m->sign_count; i++)
        if (m->signs[i].proves && gm_failure_sign_shows(at, twin, &m->signs[i])) return true;
    return false;
}

static double weibull(const gm_failure_moment *at, gm_twin twin, const gm_failure_mode *m, double horizon_h, bool *known)
{
    double age = 0;
    if (m->age.len > 0) age = hours_at(at->state, twin, m->age, m->unit_h);
    else if (m->age_fact.len > 0) {
        bool found = at->senses.fact != NULL && at->senses.fact(at->senses.context, gm_state_id(at->state, twin), m->age_phase, m->age_fact, &age);
        age        = found ? age * (m->unit_h > 0 ? m->unit_h : 1) : NAN;
    }
    *known = isfinite(age);
    if (!*known || age < 0) age = 0;
    return -expm1(pow(age / m->scale, m->shape) - pow((age + horizon_h) / m->scale, m->shape));
}

static double life(const gm_failure_moment *at, gm_twin twin, const gm_failure_mode *m, double horizon_h, bool *known)
{
    // In the order of falling probability of living longer.
    static const gm_life_quantile order[GM_LIFE_QUANTILES] = { GM_LIFE_LOW, GM_LIFE_MEDIAN, GM_LIFE_SURE, GM_LIFE_HIGH };
    double t[GM_LIFE_QUANTILES], beyond[GM_LIFE_QUANTILES];
    int    n = 0;
    for (int i = 0; i < GM_LIFE_QUANTILES; i++) {
        if (m->life[order[i]].len == 0) continue;
        double h = hours_at(at->state, twin, m->life[order[i]], m->unit_h);
        if (!isfinite(h)) continue;
        t[n]        = h;
        beyond[n++] = gm_life_quantile_beyond(order[i]);
    }
    *known = n >= 2;
    if (n < 2) return 0;
    double long_h = t[n - 1], short_h = t[0];
    if (long_h <= 0) return 1;  // the life is over, says the prediction
    // A prediction without spread, or one whose near end has passed: as little spread as numbers allow.
    short_h      = fmin(fmax(short_h, 1e-3 * long_h), 0.999999 * long_h);
    double shape = (log(-log(beyond[n - 1])) - log(-log(beyond[0]))) / (log(long_h) - log(short_h));
    double scale = long_h / pow(-log(beyond[n - 1]), 1 / shape);
    return -expm1(-pow(horizon_h / scale, shape));
}

gm_failure_chance gm_failure_chance_of(const gm_failures *f, const gm_failure_moment *at, gm_twin twin, uint32_t mode, double horizon_h)
{
    const gm_failure_mode *m = &gm_failures_modes(f)->modes[mode];
    gm_failure_chance      c = { .known = true };
    c.stands                 = gm_failure_stands(f, at, twin, mode);
    switch (m->law) {
    case GM_MODE_RATE:        c.probability = -expm1(-m->rate * horizon_h); break;
    case GM_MODE_WEIBULL:     c.probability = weibull(at, twin, m, horizon_h, &c.known); break;
    case GM_MODE_LIFE:        c.probability = life(at, twin, m, horizon_h, &c.known); break;
    case GM_MODE_PROBABILITY: c.probability = m->probability; break;
    }
    c.rate = m->law == GM_MODE_RATE ? m->rate : horizon_h > 0 ? -log1p(-fmin(c.probability, 1 - 1e-16)) / horizon_h : 0;
    if (m->repair_h > 0 && m->law != GM_MODE_PROBABILITY) {
        double mu = 1 / m->repair_h, both = c.rate + mu, gone = -expm1(-both * horizon_h);
        c.unavailability = c.stands ? (c.rate + mu * (1 - gone)) / both : c.rate / both * gone;
    } else c.unavailability = c.stands ? 1 : c.probability;
    if (c.stands) c.probability = 1;
    return c;
}

// ---- what stands ---------------------------------------------------------------------------------------------------------------

typedef struct looker { gm_failures *failures; const gm_failure_moment *at; gm_failure_standing *each; void *context; } looker;

static bool proves(const gm_failure_sign *s, bool alarm) { return s->proves && (s->kind == GM_SIGN_ALARM) == alarm; }

static void stop_by(const looker *l, gm_twin twin, uint32_t mode)
{
    if (gm_failures_mode_is_about(l->failures, l->at->state, mode, twin)) l->each(l->context, twin, mode);
}

// Twins that would see the sign on this one: itself, or those at the other end of the sign's path, gone backwards.
static void stop_around(const looker *l, gm_twin twin, const gm_failure_sign *s, uint32_t mode)
{
    const gm_state         *state = l->at->state;
    const gm_failure_scope *scope = &gm_failures_modes(l->failures)->modes[mode].scope;
    if (s->on.relationship.len == 0) {
        if (gm_failure_scope_fits(scope, gm_state_type(state, twin))) stop_by(l, twin, mode);
        return;
    }
    uint32_t name = gm_state_name_number(state, s->on.relationship);
    bool     in   = !s->on.incoming;
    for (gm_edge e = in ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin); gm_edge_ok(e); e = in ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        gm_twin other = in ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e);
        if (gm_state_edge_name(state, e) == name && gm_failure_scope_fits(scope, gm_state_type(state, other))) stop_by(l, other, mode);
    }
}

static void on_alarm(void *to, gm_str rule, gm_str id)
{
    const looker           *l    = to;
    const gm_failure_modes *m    = gm_failures_modes(l->failures);
    gm_twin                 twin = gm_state_find(l->at->state, id);
    for (uint32_t mode = 0; gm_twin_ok(twin) && mode < m->mode_count; mode++) {
        for (uint32_t i = 0; m->modes[mode].effect == GM_EFFECT_STOPS && i < m->modes[mode].sign_count; i++) {
            const gm_failure_sign *s = &m->modes[mode].signs[i];
            if (proves(s, true) && gm_str_eq(s->name, rule)) stop_around(l, twin, s, mode);
        }
    }
}

// One sign over a table. What is a number is compared as it lies in its column: absent is NaN, which compares false.
static void look_at_rows(const looker *l, gm_table table, const gm_failure_sign *s, uint32_t mode)
{
    uint32_t        column = s->on.relationship.len == 0 ? gm_type_column_index(table.type, s->name) : GM_NO_COLUMN;
    const gm_cells *cells  = column != GM_NO_COLUMN ? &table.columns[column] : NULL;
    bool            plain  = cells != NULL && cells->source != NULL && cells->kind == GM_KIND_DOUBLE && s->value != GM_KIND_STRING;
    if (s->on.relationship.len == 0 && (cells == NULL || cells->source == NULL)) return;  // nobody has a value
    for (uint32_t row = 0; row < table.rows; row++) {
        gm_twin twin = { table.twins[row] };
        if (!gm_twin_ok(twin)) continue;
        if (plain ? says(s, cells->d[row]) : gm_failure_sign_shows(l->at, twin, s)) stop_by(l, twin, mode);
    }
}

static void look_through(const looker *l, gm_table table)
{
    const gm_failure_modes *m    = gm_failures_modes(l->failures);
    const gm_failure_kind  *kind = table.live > 0 ? gm_failures_kind(l->failures, table.type) : NULL;
    for (uint32_t i = 0; kind != NULL && i < kind->mode_count; i++) {
        const gm_failure_mode *mode = &m->modes[kind->modes[i]];
        for (uint32_t k = 0; mode->effect == GM_EFFECT_STOPS && k < mode->sign_count; k++)
            if (proves(&mode->signs[k], false)) look_at_rows(l, table, &mode->signs[k], kind->modes[i]);
    }
}

void gm_failures_standing(gm_failures *f, const gm_failure_moment *at, gm_failure_standing *each, void *context)
{
    looker l = { f, at, each, context };
    if (at->senses.alarms != NULL) at->senses.alarms(at->senses.context, on_alarm, &l);
    for (size_t t = 0; t < gm_state_table_count(at->state); t++) look_through(&l, gm_state_table(at->state, t));
}
