#include "futures/wording.h"

#include "base/number.h"
#include "base/time.h"
#include "base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char where[] = "futures.wording";

#define CUT(s) GM_STR_ARG(gm_str_slice((s), 0, 80))

// What the functions take: v a value, w a width or amount in the same unit (no offset), n a plain number, t a time, r a
// rate; '*' repeats the last one. The alternatives are separated by '|'.
typedef struct function { const char *name; gm_vary_kind kind; gm_law_kind law; const char *takes, *says; } function;
static const function functions[] = {
    { "uniform", GM_VARY_LAW, GM_LAW_UNIFORM, "vv", "uniform(low, high)" },
    { "normal", GM_VARY_LAW, GM_LAW_NORMAL, "vw|vwvv", "normal(mean, sd) or normal(mean, sd, low, high)" },
    { "lognormal", GM_VARY_LAW, GM_LAW_LOGNORMAL, "nn", "lognormal(mean of ln, sd of ln)" },
    { "triangular", GM_VARY_LAW, GM_LAW_TRIANGULAR, "vvv", "triangular(low, mode, high)" },
    { "exponential", GM_VARY_LAW, GM_LAW_EXPONENTIAL, "w", "exponential(mean)" },
    { "weibull", GM_VARY_LAW, GM_LAW_WEIBULL, "nw", "weibull(shape, scale)" },
    { "gamma", GM_VARY_LAW, GM_LAW_GAMMA, "nw", "gamma(shape, scale)" },
    { "beta", GM_VARY_LAW, GM_LAW_BETA, "nn|nnvv", "beta(a, b) or beta(a, b, low, high)" },
    { "empirical", GM_VARY_LAW, GM_LAW_EMPIRICAL, "v*", "empirical(value, ...)" },
    { "choice", GM_VARY_LAW, GM_LAW_CHOICE, "v*", "choice(value, ...)" },
    { "list", GM_VARY_LIST, GM_LAW_POINT, "v*", "list(value, ...)" },
    { "grid", GM_VARY_GRID, GM_LAW_POINT, "vvn", "grid(from, to, count)" },
    { "ou", GM_VARY_OU, GM_LAW_POINT, "vwt", "ou(mean, sd, time constant)" },
    { "poisson", GM_VARY_POISSON, GM_LAW_POINT, "rwt", "poisson(rate, height, decay time)" },
    { "history", GM_VARY_SERIES, GM_LAW_POINT, "t", "history(how far back)" },
    { "resample", GM_VARY_LAW, GM_LAW_EMPIRICAL, "t", "resample(how far back)" },
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static const function *function_of(gm_str name)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (gm_str_is(name, functions[i].name)) return &functions[i];
    }
    return NULL;
}

// ---- taking apart ---------------------------------------------------------------------------------------------------

gm_status gm_word_read(gm_str text, gm_word *out, gm_error *err)
{
    text = gm_str_trim(text);
    if (gm_str_is(text, "true") || gm_str_is(text, "false")) {
        *out = (gm_word){ .number = text.len == 4 };
        return GM_OK;
    }
    size_t n = gm_number_read(text, &out->number);
    if (n == 0 || !isfinite(out->number))
        return gm_fail(err, GM_INVALID, where, "expected a number, found '" GM_STR_FMT "'", CUT(text));
    out->unit = gm_str_trim(gm_str_slice(text, n, text.len));
    return GM_OK;
}

gm_status gm_seconds_read(gm_str text, double *out_s, gm_error *err)
{
    gm_dur_ns ns;
    text     = gm_str_trim(text);
    size_t n = gm_number_read(text, out_s);
    if (n == text.len && n > 0) {
        return isfinite(*out_s) && *out_s >= 0
                   ? GM_OK
                   : gm_fail(err, GM_INVALID, where, "a time of '" GM_STR_FMT "'; it must not be negative", CUT(text));
    }
    if (gm_dur_parse(text, &ns, NULL) != GM_OK)
        return gm_fail(err, GM_INVALID, where, "expected a time such as 90s, 15min or 24h, found '" GM_STR_FMT "'",
                       CUT(text));
    *out_s = (double)ns / 1e9;
    return GM_OK;
}

static gm_status words_of(gm_str text, gm_arena *arena, gm_word **out, uint32_t *out_count, gm_error *err)
{
    uint32_t commas = 0;
    gm_str   rest   = text, part;
    gm_status st    = GM_OK;
    for (size_t i = 0; i < text.len; i++) commas += text.ptr[i] == ',';
    *out_count = 0;
    if (commas >= GM_WORDING_ARGS_MAX)
        return gm_fail(err, GM_LIMIT, where, "more than %d values in a list", GM_WORDING_ARGS_MAX);
    *out = GM_ARENA_NEW(arena, gm_word, commas + 1);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, where, "reading a list");
    while (st == GM_OK && gm_str_next(&rest, ',', &part)) st = gm_word_read(part, &(*out)[(*out_count)++], err);
    return st;
}

// "uniform(0, 2)" or "2 m". A word before a parenthesis is a function.
static gm_status call_of(gm_str text, gm_arena *arena, gm_str *name, gm_word **args, uint32_t *count, gm_error *err)
{
    text        = gm_str_trim(text);
    size_t open = gm_str_find_char(text, '(');
    *name       = (gm_str){ 0 };
    bool letter = text.len > 0 && ((text.ptr[0] | 32) >= 'a' && (text.ptr[0] | 32) <= 'z');
    if (letter && open != SIZE_MAX) {
        if (text.ptr[text.len - 1] != ')')
            return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' lacks its closing parenthesis", CUT(text));
        *name = gm_str_trim(gm_str_slice(text, 0, open));
        return words_of(gm_str_slice(text, open + 1, text.len - 1), arena, args, count, err);
    }
    return words_of(text, arena, args, count, err);
}

// "1h", "1h..2h", "uniform(0, 24h)"
static gm_status when_of(gm_str text, gm_arena *arena, gm_wording *out, gm_error *err)
{
    size_t dots = gm_str_find(text, GM_STR(".."));
    double from, to;
    out->scheduled = true;
    if (dots == SIZE_MAX) return call_of(text, arena, &out->when_function, &out->when_args, &out->when_count, err);
    gm_status st = gm_seconds_read(gm_str_slice(text, 0, dots), &from, err);
    if (st == GM_OK) st = gm_seconds_read(gm_str_slice(text, dots + 2, text.len), &to, err);
    if (st == GM_OK && !(to > from))
        st = gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' ends before it begins", CUT(text));
    out->when_args = GM_ARENA_NEW(arena, gm_word, 1);
    if (st == GM_OK && out->when_args == NULL) st = gm_fail(err, GM_NOMEM, where, "reading a time");
    if (st != GM_OK) return st;
    out->when_args[0] = (gm_word){ .number = from };
    out->when_count   = 1;
    out->lasts_s      = to - from;
    return GM_OK;
}

gm_status gm_wording_parse(gm_str text, gm_arena *arena, gm_wording *out, gm_error *err)
{
    *out = (gm_wording){ 0 };
    if (text.len > GM_WORDING_TEXT_MAX)
        return gm_fail(err, GM_LIMIT, where, "a variation of more than %d bytes", GM_WORDING_TEXT_MAX);
    size_t at = gm_str_find_char(text, '='), when = SIZE_MAX;
    size_t from = at == SIZE_MAX ? 0 : at;
    for (size_t i = from; i < text.len; i++) {
        if (text.ptr[i] == '@') when = i;
    }
    gm_str value = gm_str_slice(text, at == SIZE_MAX ? text.len : at + 1, when == SIZE_MAX ? text.len : when);
    gm_str left  = gm_str_slice(text, 0, at != SIZE_MAX ? at : when != SIZE_MAX ? when : text.len);
    if (at != SIZE_MAX && left.len > 0 && (left.ptr[left.len - 1] == '+' || left.ptr[left.len - 1] == '*')) {
        out->how = left.ptr[left.len - 1] == '+' ? GM_VARY_ADD : GM_VARY_SCALE;
        left.len--;
    }
    out->target = gm_str_trim(left);
    if (out->target.len == 0)
        return gm_fail(err, GM_INVALID, where,
                       "'" GM_STR_FMT "': expected NAME=VALUE, such as tank1.leak=uniform(0,0.02)", CUT(text));
    gm_status st = GM_OK;
    if (at == SIZE_MAX) out->function = GM_STR("fault");
    else st = call_of(value, arena, &out->function, &out->args, &out->arg_count, err);
    if (st == GM_OK && when != SIZE_MAX) st = when_of(gm_str_slice(text, when + 1, text.len), arena, out, err);
    return st;
}

// ---- giving meaning -------------------------------------------------------------------------------------------------

typedef struct target {
    gm_str      name;
    gm_slot     slot;
    double      scale, offset;
    gm_vary_how how;
    bool        has_unit;
    gm_unit     unit;
} target;

static gm_status no_such(const gm_futures_world *world, gm_str name, gm_error *err)
{
    gm_buf hint = gm_buf_init(gm_alloc_system());
    if (world->suggest != NULL) world->suggest(world->context, name, &hint);
    if (hint.len == 0) gm_buf_text(&hint, "names are TWIN.PROPERTY of the root's group");
    gm_status st = gm_fail(err, GM_NOTFOUND, where, "there is no variable '" GM_STR_FMT "' here; " GM_STR_FMT, CUT(name),
                           GM_STR_ARG(gm_buf_view(&hint)));
    gm_buf_finish(&hint);
    return st;
}

static target target_of(const gm_futures_world *world, gm_str name, gm_slot slot, double scale, double offset)
{
    target t   = { .name = name, .slot = slot, .scale = scale, .offset = offset };
    gm_str unit = gm_program_slot(world->program, slot)->unit;
    t.has_unit  = unit.len > 0 && gm_unit_parse(unit, &t.unit, NULL) == GM_OK;
    return t;
}

// A number with a unit of its own becomes what people see without one.
static gm_status shown(const target *t, const gm_word *word, char kind, double *out, gm_error *err)
{
    gm_unit unit;
    *out = word->number;
    if (word->unit.len == 0) return GM_OK;
    if (t->how == GM_VARY_SCALE)
        return gm_fail(err, GM_INVALID, where, GM_STR_FMT "*= takes plain factors, not '" GM_STR_FMT "'", CUT(t->name),
                       CUT(word->unit));
    if (!t->has_unit)
        return gm_fail(err, GM_INVALID, where, GM_STR_FMT " has no unit that is known; leave '" GM_STR_FMT "' out",
                       CUT(t->name), CUT(word->unit));
    if (gm_unit_parse(word->unit, &unit, NULL) != GM_OK)
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' is no unit that is known", CUT(word->unit));
    if (!gm_unit_comparable(&unit, &t->unit)) {
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' does not measure what " GM_STR_FMT " is measured in",
                       CUT(word->unit), CUT(t->name));
    }
    if (kind == 'w' || t->how == GM_VARY_ADD) *out = word->number * unit.factor / t->unit.factor / fabs(t->scale);
    else *out = (gm_unit_from_si(&t->unit, gm_unit_to_si(&unit, word->number)) - t->offset) / t->scale;
    return GM_OK;
}

static gm_status as_time(const gm_word *word, double *out, gm_error *err)
{
    char      text[64];
    gm_dur_ns ns;
    *out = word->number;
    if (word->number < 0) return gm_fail(err, GM_INVALID, where, "a time of %g; it must not be negative", word->number);
    if (word->unit.len == 0) return GM_OK;
    // The duration's own parser knows the units; one of them, times the number.
    int n = snprintf(text, sizeof text, "1" GM_STR_FMT, GM_STR_ARG(gm_str_slice(word->unit, 0, 40)));
    if (gm_dur_parse((gm_str){ text, (size_t)n }, &ns, NULL) != GM_OK)
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' is no unit of time; s, min, h and d are",
                       CUT(word->unit));
    *out = word->number * ((double)ns / 1e9);
    return GM_OK;
}

static gm_status as_rate(const gm_word *word, double *out, gm_error *err)
{
    double per = 1;
    *out       = word->number;
    if (word->unit.len == 0) return GM_OK;
    if (word->unit.ptr[0] != '/')
        return gm_fail(err, GM_INVALID, where, "a rate is a number per time, such as 3/h, not '%g" GM_STR_FMT "'",
                       word->number, CUT(word->unit));
    gm_word one = { 1, gm_str_trim(gm_str_slice(word->unit, 1, word->unit.len)) };
    gm_status st = as_time(&one, &per, err);
    if (st == GM_OK) *out = word->number / per;
    return st;
}

static gm_status number_of(const target *t, const gm_word *word, char kind, double *out, gm_error *err)
{
    if (kind == 't') return as_time(word, out, err);
    if (kind == 'r') return as_rate(word, out, err);
    if (kind != 'n') return shown(t, word, kind, out, err);
    *out = word->number;
    if (word->unit.len > 0)
        return gm_fail(err, GM_INVALID, where, "a plain number is wanted, without '" GM_STR_FMT "'", CUT(word->unit));
    return GM_OK;
}

// The alternative of `takes` that fits so many arguments; NULL: none does.
static const char *signature_for(const char *takes, uint32_t count)
{
    for (const char *at = takes; at != NULL; at = strchr(at, '|') != NULL ? strchr(at, '|') + 1 : NULL) {
        size_t n = strcspn(at, "|");
        if (at[n - 1] == '*' ? count >= n - 1 : count == n) return at;
    }
    return NULL;
}

static gm_status arguments(const function *f, const target *t, const gm_word *args, uint32_t count, gm_arena *arena,
                           double **out, gm_error *err)
{
    const char *signature = signature_for(f->takes, count);
    if (signature == NULL)
        return gm_fail(err, GM_INVALID, where, "%u argument%s; write %s", count, count == 1 ? "" : "s", f->says);
    *out = GM_ARENA_NEW(arena, double, count + 1);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, where, "reading a variation");
    gm_status st = GM_OK;
    char      kind = 'n';
    for (uint32_t i = 0; st == GM_OK && i < count; i++) {
        if (*signature != '*' && *signature != '|' && *signature != '\0') kind = *signature++;
        st = number_of(t, &args[i], kind, &(*out)[i], err);
    }
    return st;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void fill_law(gm_law *law, gm_law_kind kind, double *numbers, uint32_t count)
{
    *law = (gm_law){ .kind = kind };
    if (kind == GM_LAW_EMPIRICAL || kind == GM_LAW_CHOICE) {
        if (kind == GM_LAW_EMPIRICAL) qsort(numbers, count, sizeof *numbers, rising);
        law->values = numbers;
        law->count  = count;
        return;
    }
    for (uint32_t i = 0; i < count && i < 4; i++) law->p[i] = numbers[i];
    if (kind == GM_LAW_NORMAL && count == 2) law->p[2] = -INFINITY, law->p[3] = INFINITY;
    if (kind == GM_LAW_BETA && count == 2) law->p[3] = 1;
}

static gm_status fill_grid(gm_vary *v, const double *numbers, gm_arena *arena, gm_error *err)
{
    double n = numbers[2];
    if (!(n >= 1 && n <= GM_WORDING_ARGS_MAX) || n != floor(n))
        return gm_fail(err, GM_INVALID, where, "grid(from, to, count): a count of 1 to %d", GM_WORDING_ARGS_MAX);
    double *values = GM_ARENA_NEW(arena, double, (size_t)n);
    if (values == NULL) return gm_fail(err, GM_NOMEM, where, "a grid");
    for (uint32_t i = 0; i < (uint32_t)n; i++)
        values[i] = n == 1 ? numbers[0] : numbers[0] + (numbers[1] - numbers[0]) * i / (n - 1);
    v->values = values;
    v->count  = (uint32_t)n;
    return GM_OK;
}

static gm_status fill_history(gm_vary *v, const function *f, const gm_futures_world *world, double span,
                              gm_arena *arena, gm_error *err)
{
    const double *times, *values;
    uint32_t      count;
    if (world->history == NULL) return gm_fail(err, GM_INVALID, where, "%s: there is no history here", f->says);
    gm_status st = world->history(world->context, v->name, span, arena, &times, &values, &count, err);
    if (st != GM_OK) return st;
    if (count == 0)
        return gm_fail(err, GM_NOTFOUND, where, GM_STR_FMT " has no samples in the last %g s; look further back",
                       CUT(v->name), span);
    if (f->kind == GM_VARY_SERIES) {
        v->times  = times;
        v->values = values;
        v->count  = count;
        return GM_OK;
    }
    double *sorted = gm_arena_zeroed(arena, count, sizeof *sorted);
    if (sorted == NULL) return gm_fail(err, GM_NOMEM, where, "reading history");
    memcpy(sorted, values, count * sizeof *sorted);
    fill_law(&v->law, GM_LAW_EMPIRICAL, sorted, count);
    return GM_OK;
}

static gm_status fill_value(const gm_wording *w, const target *t, const gm_futures_world *world, gm_arena *arena,
                            gm_vary *v, gm_error *err)
{
    double   *numbers = NULL;
    gm_status st;
    if (gm_str_is(w->function, "series")) {
        v->kind   = GM_VARY_SERIES;
        v->times  = w->times;
        v->values = w->values;
        v->count  = w->count;
        v->linear = w->linear;
        return GM_OK;
    }
    if (w->function.len == 0) {
        if (w->arg_count != 1)
            return gm_fail(err, GM_INVALID, where, GM_STR_FMT ": expected one value or a function such as uniform(0,1)",
                           CUT(w->target));
        double value = 0;
        st     = shown(t, &w->args[0], 'v', &value, err);
        v->law = gm_law_point(value);
        return st;
    }
    const function *f = function_of(w->function);
    if (f == NULL) {
        return gm_fail(err, GM_INVALID, where,
                       "there is no function '" GM_STR_FMT
                       "'; uniform, normal, lognormal, triangular, exponential, weibull, "
                       "gamma, beta, empirical, choice, list, grid, ou, poisson, history and resample are",
                       CUT(w->function));
    }
    st = arguments(f, t, w->args, w->arg_count, arena, &numbers, err);
    if (st != GM_OK) return st;
    v->kind = f->kind;
    if (f->takes[0] == 't') return fill_history(v, f, world, numbers[0], arena, err);
    if (f->kind == GM_VARY_GRID) return fill_grid(v, numbers, arena, err);
    if (f->kind == GM_VARY_LAW) {
        fill_law(&v->law, f->law, numbers, w->arg_count);
        return GM_OK;
    }
    v->values = numbers;
    v->count  = f->kind == GM_VARY_LIST ? w->arg_count : 0;
    for (uint32_t i = 0; f->kind != GM_VARY_LIST && i < 3; i++) v->p[i] = numbers[i];
    return GM_OK;
}

// A time is a value whose unit is the second, so the functions of values serve here too.
static gm_status fill_when(const gm_wording *w, gm_arena *arena, gm_vary *v, gm_error *err)
{
    double *numbers;
    v->scheduled = w->scheduled;
    v->lasts_s   = w->lasts_s;
    if (!w->scheduled) return GM_OK;
    if (w->when_function.len == 0) {
        double t = 0;
        if (w->when_count != 1)
            return gm_fail(err, GM_INVALID, where, GM_STR_FMT ": expected one time behind '@'", CUT(w->target));
        gm_status st = as_time(&w->when_args[0], &t, err);
        v->from      = gm_law_point(t);
        return st;
    }
    const function *f = function_of(w->when_function);
    if (f == NULL || f->kind != GM_VARY_LAW || f->takes[0] == 't')
        return gm_fail(err, GM_INVALID, where,
                       "'" GM_STR_FMT "' is no distribution of times; uniform, weibull and the like are",
                       CUT(w->when_function));
    const char *signature = signature_for(f->takes, w->when_count);
    if (signature == NULL)
        return gm_fail(err, GM_INVALID, where, "%u arguments behind '@'; write %s", w->when_count, f->says);
    numbers = GM_ARENA_NEW(arena, double, w->when_count + 1);
    if (numbers == NULL) return gm_fail(err, GM_NOMEM, where, "reading a time");
    char kind = 'n';
    for (uint32_t i = 0; i < w->when_count; i++) {
        if (*signature != '*' && *signature != '|' && *signature != '\0') kind = *signature++;
        gm_status st = kind == 'n' ? number_of(NULL, &w->when_args[i], 'n', &numbers[i], err)
                                   : as_time(&w->when_args[i], &numbers[i], err);
        if (st != GM_OK) return st;
    }
    fill_law(&v->from, f->law, numbers, w->when_count);
    return GM_OK;
}

static gm_status bind_fault(const gm_wording *w, const gm_futures_world *world, gm_arena *arena, gm_vary *out,
                            uint32_t *out_count, gm_error *err)
{
    gm_futures_setting set[GM_WORDING_ROOM];
    size_t             n = 0;
    if (world->fault == NULL)
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "': expected NAME=VALUE", CUT(w->target));
    gm_status st = world->fault(world->context, w->target, set, GM_WORDING_ROOM, &n, err);
    for (size_t i = 0; st == GM_OK && i < n; i++) {
        out[i] = (gm_vary){ .name = w->target, .slot = set[i].slot, .scale = 1, .law = gm_law_point(set[i].value) };
        st     = fill_when(w, arena, &out[i], err);
    }
    *out_count = (uint32_t)n;
    return st;
}

gm_status gm_wording_bind(const gm_wording *w, const gm_futures_world *world, gm_arena *arena, gm_vary *out,
                          uint32_t *out_count, gm_error *err)
{
    gm_futures_name name;
    *out_count = 0;
    if (gm_str_is(w->function, "fault")) return bind_fault(w, world, arena, out, out_count, err);
    if (!world->find(world->context, w->target, &name)) return no_such(world, w->target, err);
    if (name.set.v == GM_SLOT_NONE.v) {
        return gm_fail(err, GM_INVALID, where,
                       "'" GM_STR_FMT "' is computed by the model; only states, inputs and parameters can be changed",
                       CUT(w->target));
    }
    target t = target_of(world, w->target, name.set, name.set_scale, name.set_offset);
    t.how    = w->how;
    *out     = (gm_vary){ .name = w->target, .slot = t.slot, .scale = t.scale, .offset = t.offset, .how = w->how };
    gm_status st = fill_value(w, &t, world, arena, out, err);
    if (st == GM_OK) st = fill_when(w, arena, out, err);
    if (st == GM_OK) *out_count = 1;
    return st;
}

gm_status gm_vary_read(gm_str text, const gm_futures_world *world, gm_arena *arena, gm_vary *out, uint32_t *out_count,
                       gm_error *err)
{
    gm_wording w;
    *out_count   = 0;
    gm_status st = gm_wording_parse(text, arena, &w, err);
    return st == GM_OK ? gm_wording_bind(&w, world, arena, out, out_count, err) : st;
}

// ---- looking --------------------------------------------------------------------------------------------------------

gm_status gm_watched_read(gm_str text, const gm_futures_world *world, gm_watched *out, gm_error *err)
{
    gm_futures_name name;
    text = gm_str_trim(text);
    if (text.len == 0 || !world->find(world->context, text, &name)) return no_such(world, text, err);
    *out = (gm_watched){ .name = text, .slot = name.slot, .scale = name.scale, .offset = name.offset };
    return GM_OK;
}

static gm_status threshold_of(const gm_watched *of, const gm_futures_world *world, gm_str text, double *out,
                              gm_error *err)
{
    gm_word   word = { 0 };
    target    t    = target_of(world, of->name, of->slot, of->scale, of->offset);
    gm_status st   = gm_word_read(text, &word, err);
    return st == GM_OK ? shown(&t, &word, 'v', out, err) : st;
}

gm_status gm_condition_read(gm_str text, const gm_futures_world *world, gm_condition *out, gm_error *err)
{
    size_t above = gm_str_find_char(text, '>'), below = gm_str_find_char(text, '<'), at = above < below ? above : below;
    if (at == SIZE_MAX)
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "': expected NAME > NUMBER or NAME < NUMBER", CUT(text));
    *out         = (gm_condition){ .text = gm_str_trim(text), .below = at == below };
    gm_status st = gm_watched_read(gm_str_slice(text, 0, at), world, &out->of, err);
    return st == GM_OK ? threshold_of(&out->of, world, gm_str_slice(text, at + 1, text.len), &out->threshold, err) : st;
}

gm_status gm_score_read(gm_str text, const gm_futures_world *world, gm_score *out, gm_error *err)
{
    text           = gm_str_trim(text);
    size_t open    = gm_str_find_char(text, '('), comma = SIZE_MAX;
    gm_str name    = gm_str_trim(gm_str_slice(text, 0, open));
    int    kind    = 0;
    while (kind < GM_SCORE_COUNT && !gm_str_is(name, gm_score_text((gm_score_kind)kind))) kind++;
    if (open == SIZE_MAX || kind == GM_SCORE_COUNT || text.ptr[text.len - 1] != ')') {
        return gm_fail(err, GM_INVALID, where,
                       "'" GM_STR_FMT
                       "': expected integral(NAME), mean, min, max, final, above(NAME, NUMBER) or below(NAME, NUMBER)",
                       CUT(text));
    }
    gm_str inside = gm_str_slice(text, open + 1, text.len - 1);
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.ptr[i] == ',') comma = i;
    }
    bool needs = kind == GM_SCORE_ABOVE || kind == GM_SCORE_BELOW;
    if (needs != (comma != SIZE_MAX))
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "': %s", CUT(text),
                       needs ? "expected a threshold behind a comma" : "one name and nothing else");
    *out         = (gm_score){ .text = text, .kind = (gm_score_kind)kind };
    gm_status st = gm_watched_read(gm_str_slice(inside, 0, comma), world, &out->of, err);
    return st == GM_OK && needs
               ? threshold_of(&out->of, world, gm_str_slice(inside, comma + 1, inside.len), &out->threshold, err)
               : st;
}
