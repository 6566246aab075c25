#include "thread/diff.h"

#include "base/units.h"

#include <math.h>
#include <stdlib.h>

const char *gm_verdict_name(gm_verdict verdict)
{
    static const char *const names[] = { "out of tolerance", "different", "missing", "added", "within tolerance", "same" };
    return names[verdict];
}

typedef struct finding { const gm_alloc *alloc; gm_difference *list; size_t count, capacity; bool second, failed; } finding;

static bool note(void *context, const gm_fact *fact)
{
    finding *f = context;
    f->failed  = !gm_alloc_reserve(f->alloc, &f->list, &f->capacity, f->count + 1, sizeof *f->list);
    if (f->failed) return false;
    f->list[f->count] = (gm_difference){ .key = fact->key, .has_first = !f->second, .has_second = f->second };
    if (f->second) f->list[f->count].second = *fact;
    else f->list[f->count].first = *fact;
    f->count++;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const gm_difference *x = a, *y = b;
    int                  c = gm_str_cmp(x->key, y->key);
    return c != 0 ? c : (int)y->has_first - (int)x->has_first;
}

static double in_unit(double number, gm_str from, gm_str to)
{
    gm_unit a, b;
    if (gm_str_eq(from, to)) return number;
    if (gm_unit_parse(from, &a, NULL) != GM_OK || gm_unit_parse(to, &b, NULL) != GM_OK || !gm_unit_comparable(&a, &b)) return NAN;
    return gm_unit_from_si(&b, gm_unit_to_si(&a, number));
}

static gm_verdict judge_numbers(gm_difference *d)
{
    const gm_fact_value *a = &d->first.value, *b = &d->second.value;
    d->second_number       = in_unit(b->number, b->unit, a->unit);
    if (isnan(d->second_number)) return GM_VERDICT_DIFFERENT;
    // Limits in the unit of whoever states them.
    const gm_fact_value *limits = a->limits != 0 ? a : b;
    double               x      = limits == a ? d->second_number : b->number;
    if ((limits->limits & GM_FACT_LOW) != 0 && x < limits->low) return GM_VERDICT_OUT;
    if ((limits->limits & GM_FACT_HIGH) != 0 && x > limits->high) return GM_VERDICT_OUT;
    if (d->second_number == a->number) return GM_VERDICT_SAME;
    return limits->limits != 0 ? GM_VERDICT_WITHIN : GM_VERDICT_DIFFERENT;
}

static gm_verdict judge(gm_difference *d)
{
    const gm_fact_value *a = &d->first.value, *b = &d->second.value;
    d->second_number       = NAN;
    if (!d->has_second) return GM_VERDICT_MISSING;
    if (!d->has_first) return GM_VERDICT_ADDED;
    if (a->kind != b->kind) return GM_VERDICT_DIFFERENT;
    if (a->kind == GM_FACT_NUMBER) return judge_numbers(d);
    bool same = gm_str_eq(a->text, b->text);
    if (a->kind == GM_FACT_PART) same = same && a->number == b->number && gm_str_eq(a->unit, b->unit);
    return same ? GM_VERDICT_SAME : GM_VERDICT_DIFFERENT;
}

gm_status gm_thread_diff(const gm_thread *thread, const gm_alloc *alloc, gm_str twin, gm_phase first, gm_phase second, gm_time_ns valid,
                         gm_time_ns known, gm_difference **out, size_t *out_count, gm_error *err)
{
    finding f = { .alloc = alloc };
    *out      = NULL;
    gm_thread_show(thread, twin, first, valid, known, note, &f);
    f.second = true;
    if (!f.failed) gm_thread_show(thread, twin, second, valid, known, note, &f);
    if (f.failed) {
        gm_free(alloc, f.list);
        return gm_fail(err, GM_NOMEM, "thread.diff", "comparing phases");
    }
    if (f.count > 1) qsort(f.list, f.count, sizeof *f.list, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < f.count; i++) {
        gm_difference d = f.list[i];
        if (i + 1 < f.count && d.has_first && f.list[i + 1].has_second && gm_str_eq(d.key, f.list[i + 1].key)) {
            d.has_second = true;
            d.second     = f.list[++i].second;
        }
        d.verdict      = judge(&d);
        f.list[kept++] = d;
    }
    *out       = f.list;
    *out_count = kept;
    return GM_OK;
}
