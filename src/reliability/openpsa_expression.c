// Expressions: arithmetic and the probability distributions of the Open-PSA format, evaluated at one mission time.
// Deviates stand for their mean. Source: Open-PSA Model Exchange Format 2.0d, chapter 3 (stochastic layer).
#include "reliability/openpsa_parts.h"

#include <libxml/tree.h>
#include <math.h>
#include <stdlib.h>

enum { ARGS_MAX = 64, CYCLES_MAX = 100000 };

static double number_of(gm_openpsa_reader *r, const xmlNode *node)
{
    gm_str text = gm_str_trim(gm_openpsa_attribute(r, node, "value"));
    char  *end  = NULL;
    if (gm_str_is(text, "true") || gm_str_is(text, "false")) return gm_str_is(text, "true");
    double value = text.len > 0 ? strtod(text.ptr, &end) : 0;  // attributes end in NUL
    if (text.len > 0 && end == text.ptr + text.len && isfinite(value)) return value;
    gm_openpsa_fail(r, node, "<%s> needs a number as its value, not '" GM_STR_FMT "'", (const char *)node->name, GM_STR_ARG(text));
    return NAN;
}

// A parameter is looked for in the component that asks, then in those around it, then among the public ones.
static gm_openpsa_named *find_parameter(gm_openpsa_reader *r, gm_str name)
{
    for (gm_str path = r->path; path.len > 0;) {
        uint32_t id = gm_index_find(&r->parameter_index, gm_openpsa_joined(r, path, name));
        if (id != GM_INDEX_NONE) return &r->parameters[id];
        while (path.len > 0 && path.ptr[path.len - 1] != '.') path.len--;
        if (path.len > 0) path.len--;
    }
    uint32_t id = gm_index_find(&r->parameter_index, name);
    return id != GM_INDEX_NONE ? &r->parameters[id] : NULL;
}

static double parameter_value(gm_openpsa_reader *r, const xmlNode *node)
{
    gm_str            name = gm_openpsa_attribute(r, node, "name");
    gm_openpsa_named *p    = find_parameter(r, name);
    if (p == NULL) { gm_openpsa_fail(r, node, "parameter '" GM_STR_FMT "' is not defined", GM_STR_ARG(name)); return NAN; }
    if (p->known) return p->value;
    if (p->under_way) { gm_openpsa_fail(r, node, "parameter '" GM_STR_FMT "' depends on itself", GM_STR_ARG(name)); return NAN; }
    p->under_way = true;
    gm_str file = r->file, path = r->path;
    r->file = p->file;
    r->path = p->path;
    const xmlNode *e = gm_openpsa_first(p->element);
    while (e != NULL && (gm_openpsa_is(e, "label") || gm_openpsa_is(e, "attributes"))) e = gm_openpsa_next(e);
    if (e == NULL) gm_openpsa_fail(r, p->element, "parameter '" GM_STR_FMT "' has no value", GM_STR_ARG(name));
    else p->value = gm_openpsa_value(r, e);
    r->file      = file;
    r->path      = path;
    p->under_way = false;
    p->known     = true;
    return p->value;
}

// ---- distributions ---------------------------------------------------------------------------------------------------------

static double exponential(const double *a) { return -expm1(-a[0] * a[1]); }

// gamma: failed at the start; lambda, mu: failure and repair rates.
static double glm(const double *a)
{
    double gamma = a[0], lambda = a[1], mu = a[2], t = a[3], sum = lambda + mu;
    if (sum == 0) return gamma;
    return lambda / sum * -expm1(-sum * t) + gamma * exp(-sum * t);
}

static double weibull(const double *a)
{
    double scale = a[0], shape = a[1], start = a[2], t = a[3];
    return t <= start ? 0 : -expm1(-pow((t - start) / scale, shape));
}

// Time since the last test at theta, theta + tau, ...; at a test, just before it.
static double since_test(double t, double tau, double theta)
{
    double delta = t - theta, s = delta - floor(delta / tau) * tau;
    return s > 0 ? s : tau;
}

// Tests find a failure at once and repair it at once.
static double periodic_instant(const double *a)
{
    double lambda = a[0], tau = a[1], theta = a[2], t = a[3];
    return t <= theta ? -expm1(-lambda * t) : -expm1(-lambda * since_test(t, tau, theta));
}

// Tests find a failure at once; repair takes its time at rate mu. Between tests: W' = -lambda W + mu R, R' = -mu R.
static double periodic_repair(const double *a)
{
    double lambda = a[0], mu = a[1], tau = a[2], theta = a[3], t = a[4];
    if (t <= theta) return -expm1(-lambda * t);
    double working = exp(-lambda * theta), repair = 1 - working, left = t - theta;
    if (!(tau > 0)) return NAN;
    if (left / tau > CYCLES_MAX) left = fmod(left, tau) + CYCLES_MAX * tau;  // long settled
    for (;;) {
        double s = left <= tau ? left : tau, back;
        if (fabs(lambda - mu) < 1e-12 * (lambda + mu)) back = repair * mu * s * exp(-mu * s);
        else back = repair * mu / (mu - lambda) * (exp(-lambda * s) - exp(-mu * s));
        working = working * exp(-lambda * s) + back;
        if (left <= tau) return 1 - working;
        left -= tau;
        repair = 1 - working;  // what is failed and not yet found is found now; what is under repair stays so
    }
}

static double lognormal_mean(const double *a, int count)
{
    if (count == 2) return exp(a[0] + a[1] * a[1] / 2);
    return a[0];  // mean, error factor, confidence level
}

// ---- operators -------------------------------------------------------------------------------------------------------------

typedef enum shape { NUMBER, PARAMETER, MISSION, MANY, FIXED, HISTOGRAM } shape;

typedef struct operator_rule { const char *name; shape shape; int min, max; } operator_rule;

static const operator_rule rules[] = {
    { "float", NUMBER, 0, 0 }, { "int", NUMBER, 0, 0 }, { "bool", NUMBER, 0, 0 }, { "constant", NUMBER, 0, 0 },
    { "parameter", PARAMETER, 0, 0 }, { "system-mission-time", MISSION, 0, 0 }, { "pi", FIXED, 0, 0 },
    { "add", MANY, 2, ARGS_MAX }, { "sub", MANY, 2, ARGS_MAX }, { "mul", MANY, 2, ARGS_MAX }, { "div", MANY, 2, ARGS_MAX },
    { "min", MANY, 1, ARGS_MAX }, { "max", MANY, 1, ARGS_MAX }, { "mean", MANY, 1, ARGS_MAX },
    { "and", MANY, 1, ARGS_MAX }, { "or", MANY, 1, ARGS_MAX },
    { "neg", FIXED, 1, 1 }, { "abs", FIXED, 1, 1 }, { "not", FIXED, 1, 1 }, { "exp", FIXED, 1, 1 }, { "log", FIXED, 1, 1 },
    { "log10", FIXED, 1, 1 }, { "sqrt", FIXED, 1, 1 }, { "floor", FIXED, 1, 1 }, { "ceil", FIXED, 1, 1 },
    { "sin", FIXED, 1, 1 }, { "cos", FIXED, 1, 1 }, { "tan", FIXED, 1, 1 }, { "asin", FIXED, 1, 1 }, { "acos", FIXED, 1, 1 },
    { "atan", FIXED, 1, 1 }, { "sinh", FIXED, 1, 1 }, { "cosh", FIXED, 1, 1 }, { "tanh", FIXED, 1, 1 },
    { "pow", FIXED, 2, 2 }, { "mod", FIXED, 2, 2 }, { "eq", FIXED, 2, 2 }, { "df", FIXED, 2, 2 }, { "lt", FIXED, 2, 2 },
    { "gt", FIXED, 2, 2 }, { "leq", FIXED, 2, 2 }, { "geq", FIXED, 2, 2 }, { "ite", FIXED, 3, 3 },
    { "exponential", FIXED, 2, 2 }, { "GLM", FIXED, 4, 4 }, { "Weibull", FIXED, 4, 4 }, { "periodic-test", FIXED, 4, 5 },
    { "uniform-deviate", FIXED, 2, 2 }, { "normal-deviate", FIXED, 2, 2 }, { "lognormal-deviate", FIXED, 2, 3 },
    { "gamma-deviate", FIXED, 2, 2 }, { "beta-deviate", FIXED, 2, 2 }, { "histogram", HISTOGRAM, 2, ARGS_MAX },
};

static double many(const char *name, const double *a, int n)
{
    double x = a[0];
    for (int i = 1; i < n; i++) {
        if (strcmp(name, "add") == 0 || strcmp(name, "mean") == 0) x += a[i];
        else if (strcmp(name, "sub") == 0) x -= a[i];
        else if (strcmp(name, "mul") == 0) x *= a[i];
        else if (strcmp(name, "div") == 0) x /= a[i];
        else if (strcmp(name, "min") == 0) x = fmin(x, a[i]);
        else if (strcmp(name, "max") == 0) x = fmax(x, a[i]);
        else if (strcmp(name, "and") == 0) x = x != 0 && a[i] != 0;
        else x = x != 0 || a[i] != 0;
    }
    return strcmp(name, "mean") == 0 ? x / n : x;
}

static double one(const char *name, double x)
{
    static const struct { const char *name; double (*f)(double); } functions[] = {
        { "abs", fabs }, { "exp", exp }, { "log", log }, { "log10", log10 }, { "sqrt", sqrt }, { "floor", floor }, { "ceil", ceil },
        { "sin", sin }, { "cos", cos }, { "tan", tan }, { "asin", asin }, { "acos", acos }, { "atan", atan }, { "sinh", sinh },
        { "cosh", cosh }, { "tanh", tanh },
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(name, functions[i].name) == 0) return functions[i].f(x);
    }
    return strcmp(name, "neg") == 0 ? -x : x == 0;
}

static double fixed(const char *name, const double *a, int n)
{
    const struct { const char *name; double value; } table[] = {
        { "pow", pow(a[0], a[1]) }, { "mod", fmod(a[0], a[1]) }, { "eq", a[0] == a[1] }, { "df", a[0] != a[1] },
        { "lt", a[0] < a[1] }, { "gt", a[0] > a[1] }, { "leq", a[0] <= a[1] }, { "geq", a[0] >= a[1] },
        { "ite", a[0] != 0 ? a[1] : a[2] }, { "exponential", exponential(a) }, { "GLM", glm(a) }, { "Weibull", weibull(a) },
        { "uniform-deviate", (a[0] + a[1]) / 2 }, { "normal-deviate", a[0] }, { "lognormal-deviate", lognormal_mean(a, n) },
        { "gamma-deviate", a[0] * a[1] }, { "beta-deviate", a[0] / (a[0] + a[1]) }, { "pi", 3.14159265358979323846 },
    };
    if (strcmp(name, "periodic-test") == 0) return n == 4 ? periodic_instant(a) : periodic_repair(a);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i].name) == 0) return table[i].value;
    }
    return one(name, a[0]);
}

// <histogram> lower (bin upper, weight)...: the mean of its bins' middles.
static double histogram(gm_openpsa_reader *r, const xmlNode *node)
{
    const xmlNode *e = gm_openpsa_first(node);
    double         lower = e != NULL ? gm_openpsa_value(r, e) : NAN, sum = 0, weights = 0;
    for (e = e != NULL ? gm_openpsa_next(e) : NULL; e != NULL && r->st == GM_OK; e = gm_openpsa_next(e)) {
        const xmlNode *upper = gm_openpsa_first(e), *weight = upper != NULL ? gm_openpsa_next(upper) : NULL;
        if (weight == NULL) { gm_openpsa_fail(r, e, "a bin of a histogram needs an upper bound and a weight"); return NAN; }
        double u = gm_openpsa_value(r, upper), w = gm_openpsa_value(r, weight);
        sum += w * (lower + u) / 2;
        weights += w;
        lower = u;
    }
    return sum / weights;
}

static double apply(gm_openpsa_reader *r, const xmlNode *node, const operator_rule *rule)
{
    if (rule->shape == NUMBER) return number_of(r, node);
    if (rule->shape == PARAMETER) return parameter_value(r, node);
    if (rule->shape == MISSION) return r->options->mission_time;
    if (rule->shape == HISTOGRAM) return histogram(r, node);
    double a[ARGS_MAX] = { 0 };
    int    n = 0;
    for (const xmlNode *e = gm_openpsa_first(node); e != NULL && r->st == GM_OK; e = gm_openpsa_next(e)) {
        if (n == rule->max) { gm_openpsa_fail(r, node, "<%s> takes at most %d arguments", rule->name, rule->max); return NAN; }
        a[n++] = gm_openpsa_value(r, e);
    }
    if (n < rule->min) { gm_openpsa_fail(r, node, "<%s> needs %d arguments and has %d", rule->name, rule->min, n); return NAN; }
    return rule->shape == MANY ? many(rule->name, a, n) : fixed(rule->name, a, n);
}

double gm_openpsa_value(gm_openpsa_reader *r, const xmlNode *node)
{
    if (r->st != GM_OK) return NAN;
    if (r->depth >= GM_OPENPSA_DEPTH_MAX) { gm_openpsa_fail(r, node, "expressions are nested more than %d deep", GM_OPENPSA_DEPTH_MAX); return NAN; }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!gm_openpsa_is(node, rules[i].name)) continue;
        r->depth++;
        double value = apply(r, node, &rules[i]);
        r->depth--;
        return value;
    }
    gm_openpsa_fail(r, node, "the expression <%s> is not understood", (const char *)node->name);
    return NAN;
}
