#include "control/optimise/goal.h"

#include "base/number.h"

#include <math.h>

static bool take_number(gm_str *rest, double *out)
{
    *rest    = gm_str_trim(*rest);
    size_t n = gm_number_read(*rest, out);
    *rest    = gm_str_slice(*rest, n, rest->len);
    return n > 0 && isfinite(*out);
}

static bool take(gm_str *rest, const char *word)
{
    gm_str trimmed = gm_str_trim(*rest);
    if (!gm_str_starts(trimmed, gm_str_of(word))) return false;
    *rest = gm_str_slice(trimmed, strlen(word), trimmed.len);
    return true;
}

static gm_status find(const gm_group *group, gm_str name, gm_group_variable *out, gm_error *err)
{
    if (gm_group_find(group, name, out)) return GM_OK;
    return gm_fail(err, GM_NOTFOUND, "optimise", "nothing here is called '" GM_STR_FMT "'; names are TWIN.VARIABLE", GM_STR_ARG(name));
}

static double inside(const gm_group_variable *v, double outside) { return outside * v->factor + v->offset; }

// Weights are for numbers as shown: a square of slots is factor^2 times the square of what is shown.
static void scale(gm_goal *g)
{
    double f = g->of.factor;
    g->term.slot = g->of.slot;
    if (g->term.kind == GM_MPC_INTEGRAL) g->term.weight /= f;
    else g->term.weight /= f * f;
    g->term.target = inside(&g->of, g->term.target);
}

gm_status gm_goal_parse(const gm_group *group, gm_str text, gm_goal *out, gm_error *err)
{
    static const struct { const char *word; gm_mpc_kind kind; bool target; } kinds[] = {
        { "integral(", GM_MPC_INTEGRAL, false }, { "square(", GM_MPC_SQUARE, true }, { "final(", GM_MPC_FINAL, true }, { "finallow(", GM_MPC_FINAL_LOW, true },
    };
    gm_str rest = text;
    *out        = (gm_goal){ .term.weight = 1 };
    take(&rest, "min ");
    double weight;
    gm_str after = rest;
    if (take_number(&after, &weight) && take(&after, "*")) {
        out->term.weight = weight;
        rest             = after;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!take(&rest, kinds[i].word)) continue;
        size_t    end = gm_str_find_char(rest, kinds[i].target ? ',' : ')');
        gm_status st;
        if (end == SIZE_MAX) break;
        st = find(group, gm_str_trim(gm_str_slice(rest, 0, end)), &out->of, err);
        if (st != GM_OK) return st;
        rest = gm_str_slice(rest, end + 1, rest.len);
        if (kinds[i].target && (!take_number(&rest, &out->term.target) || !take(&rest, ")"))) break;
        if (gm_str_trim(rest).len > 0) break;
        out->term.kind = kinds[i].kind;
        out->priced    = kinds[i].kind == GM_MPC_INTEGRAL;
        scale(out);
        return GM_OK;
    }
    return gm_fail(err, GM_INVALID, "optimise",
                   "'" GM_STR_FMT "' is no goal; expected [NUMBER*]integral(NAME), square(NAME, TARGET), final(NAME, TARGET) or finallow(NAME, TARGET)",
                   GM_STR_ARG(text));
}

static bool take_range(gm_str *rest, double *low, double *high)
{
    // "0..1.1": a number reader would take "0." for a number's beginning
    gm_str t   = gm_str_trim(*rest);
    size_t dot = gm_str_find(t, GM_STR(".."));
    if (dot == SIZE_MAX) return false;
    gm_str first = gm_str_slice(t, 0, dot), second = gm_str_slice(t, dot + 2, t.len);
    if (!take_number(&first, low) || gm_str_trim(first).len > 0 || !take_number(&second, high)) return false;
    *rest = second;
    return true;
}

gm_status gm_goal_parse_limit(const gm_group *group, gm_str text, double weight, gm_goal *out, gm_error *err)
{
    static const char *const words[] = { " in ", ">=", "<=" };
    *out = (gm_goal){ .term = { .kind = GM_MPC_KEEP, .weight = weight, .low = -INFINITY, .high = INFINITY } };
    for (size_t i = 0; i < 3; i++) {
        size_t at = gm_str_find(text, gm_str_of(words[i]));
        if (at == SIZE_MAX) continue;
        gm_status st = find(group, gm_str_trim(gm_str_slice(text, 0, at)), &out->of, err);
        if (st != GM_OK) return st;
        gm_str rest = gm_str_slice(text, at + strlen(words[i]), text.len);
        double low = -INFINITY, high = INFINITY;
        bool   good = i == 0 ? take_range(&rest, &low, &high) : take_number(&rest, i == 1 ? &low : &high);
        if (!good || gm_str_trim(rest).len > 0 || low > high) break;
        // What is shown may run against the slot.
        double a = inside(&out->of, low), b = inside(&out->of, high), f = out->of.factor;
        out->term.low    = fmin(a, b);
        out->term.high   = fmax(a, b);
        out->term.slot   = out->of.slot;
        // How far outside counts as a share of the range, or of the only limit: so one weight serves metres and pascals.
        double span      = isfinite(low) && isfinite(high) ? high - low : fabs(isfinite(low) ? low : high);
        out->term.weight = weight / (f * f) / (span > 0 ? span * span : 1);
        return GM_OK;
    }
    return gm_fail(err, GM_INVALID, "optimise", "'" GM_STR_FMT "' is no limit; expected NAME in LOW..HIGH, NAME >= LOW or NAME <= HIGH", GM_STR_ARG(text));
}

gm_status gm_goal_parse_input(const gm_group *group, gm_str text, gm_mpc_input *out, gm_group_variable *out_of, gm_error *err)
{
    size_t at = gm_str_find_char(text, '=');
    *out      = (gm_mpc_input){ .rate_max = INFINITY };
    if (at != SIZE_MAX) {
        gm_status st = find(group, gm_str_trim(gm_str_slice(text, 0, at)), out_of, err);
        if (st != GM_OK) return st;
        gm_str rest = gm_str_slice(text, at + 1, text.len);
        double low, high, rate;
        bool   good = take_range(&rest, &low, &high) && low < high;
        while (good && gm_str_trim(rest).len > 0) {
            if (take(&rest, "whole")) out->whole = true;
            else if (take(&rest, "rate") && take_number(&rest, &rate) && rate > 0) out->rate_max = rate * fabs(out_of->set_factor);
            else good = false;
        }
        if (good && out_of->set.v == GM_SLOT_NONE.v) {
            return gm_fail(err, GM_INVALID, "optimise", "'" GM_STR_FMT "' is computed; inputs and parameters can be moved", GM_STR_ARG(gm_str_slice(text, 0, at)));
        }
        if (good) {
            double a  = low * out_of->set_factor + out_of->set_offset, b = high * out_of->set_factor + out_of->set_offset;
            out->slot = out_of->set;
            out->low  = fmin(a, b);
            out->high = fmax(a, b);
            return GM_OK;
        }
    }
    return gm_fail(err, GM_INVALID, "optimise", "'" GM_STR_FMT "' is no input; expected NAME=LOW..HIGH [whole] [rate PER_SECOND]", GM_STR_ARG(text));
}

gm_status gm_goal_parse_tariff(gm_str text, gm_tariff *out, gm_error *err)
{
    gm_str rest = text, part;
    *out        = (gm_tariff){ 0 };
    while (gm_str_next(&rest, ',', &part)) {
        double hours, minutes, factor;
        bool   good = out->count < GM_TARIFF_MAX && (part = gm_str_trim(part)).len > 6 && part.ptr[2] == ':' && part.ptr[5] == '=';
        for (int i = 0; good && i < 5; i++) good = i == 2 || (part.ptr[i] >= '0' && part.ptr[i] <= '9');
        if (good) {
            gm_str value = gm_str_slice(part, 6, part.len);
            hours   = (part.ptr[0] - '0') * 10 + part.ptr[1] - '0';
            minutes = (part.ptr[3] - '0') * 10 + part.ptr[4] - '0';
            good    = take_number(&value, &factor) && gm_str_trim(value).len == 0 && hours < 24 && minutes < 60;
            if (good) {
                out->from_s[out->count] = hours * 3600 + minutes * 60;
                out->factor[out->count] = factor;
                good = out->count == 0 || out->from_s[out->count] > out->from_s[out->count - 1];
                out->count++;
            }
        }
        if (!good) {
            return gm_fail(err, GM_INVALID, "optimise", "'" GM_STR_FMT "' is no tariff; expected HH:MM=FACTOR,HH:MM=FACTOR,... with rising times",
                           GM_STR_ARG(text));
        }
    }
    return out->count > 0 ? GM_OK : gm_fail(err, GM_INVALID, "optimise", "the tariff is empty");
}

double gm_tariff_at(const gm_tariff *tariff, double day_s)
{
    double   s  = day_s - floor(day_s / 86400) * 86400;
    uint32_t at = tariff->count - 1;  // before the first time yesterday's last factor holds
    for (uint32_t i = 0; i < tariff->count && tariff->from_s[i] <= s; i++) at = i;
    return tariff->factor[at];
}
