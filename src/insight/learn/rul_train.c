// Training a model of remaining life: folds of assets, one member each, and the errors on what each had not seen.
#include "base/pool.h"
#include "insight/learn/ridge.h"
#include "insight/learn/rul_model.h"

#include <math.h>
#include <stdlib.h>

gm_rul_options gm_rul_options_defaults(void)
{
    gm_boost_options boost = gm_boost_options_defaults();
    return (gm_rul_options) { .cap = 125, .folds = 8, .stride = 3, .age = true, .boost = boost };
}

struct gm_rul_training {
    const gm_alloc *alloc;
    const gm_fleet *fleet;
    gm_rul_options  options;
    gm_rul_model   *model;
    uint32_t        folds, columns;
    uint8_t        *fold;     // [runs]; folds: not learned from
    double         *z;        // [rows][channels]
    float          *features; // [rows][channels * GM_FEATURES]
    float          *target;   // [rows]; NaN: the run did not fail
};

typedef struct gm_rul_training training;

// Row i of the whole design: the shared features, the fold's own of the health index, the age.
static void fill_row(const training *t, size_t row, const float *index_features, double age, float *out)
{
    uint32_t shared = t->model->channels.count * GM_FEATURES;
    memcpy(out, t->features + row * shared, shared * sizeof *out);
    memcpy(out + shared, index_features, GM_FEATURES * sizeof *out);
    if (t->options.age) out[shared + GM_FEATURES] = (float)age;
}

static gm_status fit_index(const training *t, uint32_t fold, double *out, gm_error *err)
{
    uint32_t  n     = t->model->channels.count;
    gm_ridge *ridge = gm_ridge_create(t->alloc, n);
    if (ridge == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "health index");
    double row[GM_CHANNELS_MAX];
    for (size_t r = 0; r < t->fleet->run_count; r++) {
        const gm_run *run = &t->fleet->runs[r];
        if (t->fold[r] == fold || t->fold[r] >= t->folds) continue;
        for (uint32_t i = 0; i < run->count; i++) {
            size_t at = run->first + i;
            for (uint32_t c = 0; c < n; c++) row[c] = isnan(t->z[at * n + c]) ? 0 : t->z[at * n + c];
            gm_ridge_add(ridge, row, t->target[at], 1);
        }
    }
    gm_status st = gm_ridge_solve(ridge, 1e-3, out, err);
    gm_ridge_destroy(ridge);
    return st;
}

// The health index of every row under the fold's coefficients, and its features.
static void index_features(const training *t, const double *c, double *index, float *out)
{
    uint32_t n = t->model->channels.count;
    for (size_t i = 0; i < t->fleet->rows; i++) {
        double   sum     = c[n];
        uint32_t present = 0;
        for (uint32_t k = 0; k < n; k++) {
            if (isnan(t->z[i * n + k])) continue;
            sum += c[k] * t->z[i * n + k];
            present++;
        }
        index[i] = present > 0 ? sum : NAN;
    }
    for (size_t r = 0; r < t->fleet->run_count; r++) {
        const gm_run *run = &t->fleet->runs[r];
        gm_features_of(index + run->first, run->count, 1, out + (size_t)run->first * GM_FEATURES, GM_FEATURES);
    }
}

static bool learned_from(const training *t, uint32_t fold, size_t run, uint32_t i)
{
    // Different offsets, so that the folds together see every row.
    return t->fold[run] < t->folds && (t->fold[run] != fold || t->folds == 1) &&
           (i + run + fold) % t->options.stride == 0;
}

gm_status gm_rul_training_fold(gm_rul_training *t, uint32_t fold, gm_error *err)
{
    gm_rul_member *member = &t->model->members[fold];
    size_t         rows = t->fleet->rows, count = 0;
    double        *index = gm_alloc_array(t->alloc, rows, sizeof *index);
    float         *own = gm_alloc_array(t->alloc, rows * GM_FEATURES, sizeof *own), *x = NULL, *y = NULL;
    gm_status      st = index != NULL && own != NULL ? fit_index(t, fold, member->index, err)
                                                     : gm_fail(err, GM_NOMEM, "insight.rul", "%zu rows", rows);
    if (st != GM_OK) goto done;
    index_features(t, member->index, index, own);

    for (size_t r = 0; r < t->fleet->run_count; r++)
        for (uint32_t i = 0; i < t->fleet->runs[r].count; i++) count += learned_from(t, fold, r, i);
    x = gm_alloc_array(t->alloc, count * t->columns, sizeof *x);
    y = gm_alloc_array(t->alloc, count, sizeof *y);
    if (x == NULL || y == NULL) {
        st = gm_fail(err, GM_NOMEM, "insight.rul", "%zu rows of %u features", count, t->columns);
        goto done;
    }
    size_t k = 0;
    for (size_t r = 0; r < t->fleet->run_count; r++) {
        for (uint32_t i = 0; i < t->fleet->runs[r].count; i++) {
            if (!learned_from(t, fold, r, i)) continue;
            size_t at = t->fleet->runs[r].first + i;
            fill_row(t, at, own + at * GM_FEATURES, i + 1, x + k * t->columns);
            y[k++] = t->target[at];
        }
    }
    gm_boost_options boost = t->options.boost;
    boost.seed += fold;
    st = gm_boost_train(t->alloc, &(gm_boost_data) { x, count, t->columns, y, NULL }, &boost, &member->trees, err);
    if (st != GM_OK) goto done;

    // What it says about the assets it has not seen.
    for (size_t r = 0; r < t->fleet->run_count; r++) {
        if (t->fold[r] != fold) continue;
        for (uint32_t i = 0; i < t->fleet->runs[r].count; i++) {
            size_t at = t->fleet->runs[r].first + i;
            fill_row(t, at, own + at * GM_FEATURES, i + 1, x);
            t->model->held_back[at] = fmin(fmax(gm_trees_predict(member->trees, x), 0), t->options.cap);
        }
    }
done:
    gm_free(t->alloc, index);
    gm_free(t->alloc, own);
    gm_free(t->alloc, x);
    gm_free(t->alloc, y);
    return st;
}

// ---- calibration
// ------------------------------------------------------------------------------------------------------

typedef struct outcome {
    float predicted, error;
} outcome;

static int by_prediction(const void *a, const void *b)
{
    const outcome *x = a, *y = b;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

static gm_status calibrate(training *t, gm_error *err)
{
    gm_rul_model *m    = t->model;
    size_t        rows = t->fleet->rows, n = 0;
    outcome      *all = gm_alloc_array(t->alloc, rows, sizeof *all);
    if (all == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "calibration");
    double square = 0, absolute = 0, bias = 0;
    for (size_t i = 0; i < rows; i++) {
        if (isnan(t->target[i]) || isnan(m->held_back[i])) continue;
        double e = m->held_back[i] - t->target[i];
        square += e * e;
        absolute += fabs(e);
        bias += e;
        all[n++] = (outcome) { (float)m->held_back[i], (float)-e };
    }
    m->facts.rmse = sqrt(square / (double)n);
    m->facts.mae  = absolute / (double)n;
    m->facts.bias = bias / (double)n;
    // Evenly thinned in the order of the prediction.
    qsort(all, n, sizeof *all, by_prediction);
    size_t keep  = n < GM_RUL_CALIBRATION_MAX ? n : GM_RUL_CALIBRATION_MAX;
    m->predicted = gm_alloc_array(t->alloc, keep, sizeof *m->predicted);
    m->error     = gm_alloc_array(t->alloc, keep, sizeof *m->error);
    gm_status st =
        m->predicted != NULL && m->error != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.rul", "calibration");
    for (size_t i = 0; st == GM_OK && i < keep; i++) {
        outcome o       = all[i * n / keep];
        m->predicted[i] = o.predicted;
        m->error[i]     = o.error;
    }
    m->calibration_count = keep;
    gm_free(t->alloc, all);
    return st;
}

// ---- putting it together
// ------------------------------------------------------------------------------------------------

static gm_status deal_folds(training *t, gm_error *err)
{
    uint32_t failed = 0;
    for (size_t r = 0; r < t->fleet->run_count; r++) failed += t->fleet->runs[r].left == 0;
    if (failed < GM_RUL_MIN_FAILED)
        return gm_fail(err, GM_INVALID, "insight.rul",
                       "%u of %zu assets failed; remaining life needs at least %d. What can be had without: anomalies "
                       "against the healthy stretch, and a threshold on a forecast",
                       failed, t->fleet->run_count, GM_RUL_MIN_FAILED);
    t->folds = t->options.folds < failed ? t->options.folds : failed;
    if (t->folds > GM_RUL_FOLDS_MAX) t->folds = GM_RUL_FOLDS_MAX;
    uint32_t dealt = 0;
    for (size_t r = 0; r < t->fleet->run_count; r++)
        t->fold[r] = t->fleet->runs[r].left == 0 ? (uint8_t)(dealt++ % t->folds) : (uint8_t)t->folds;
    t->model->facts.failed = failed;
    return GM_OK;
}

static void prepare_rows(training *t)
{
    const gm_channels *ch     = &t->model->channels;
    uint32_t           shared = ch->count * GM_FEATURES;
    for (size_t r = 0; r < t->fleet->run_count; r++) {
        const gm_run *run = &t->fleet->runs[r];
        for (uint32_t i = 0; i < run->count; i++) {
            size_t at = run->first + i;
            gm_channels_apply(ch, gm_fleet_row(t->fleet, at), t->z + at * ch->count);
            t->target[at]           = run->left == 0 ? (float)fmin(t->options.cap, run->count - 1 - i) : NAN;
            t->model->held_back[at] = NAN;
        }
        for (uint32_t c = 0; c < ch->count; c++)
            gm_features_of(t->z + (size_t)run->first * ch->count + c, run->count, ch->count,
                           t->features + (size_t)run->first * shared + c * GM_FEATURES, shared);
    }
}

void gm_rul_training_destroy(gm_rul_training *t)
{
    if (t == NULL) return;
    gm_free(t->alloc, t->z);
    gm_free(t->alloc, t->features);
    gm_free(t->alloc, t->target);
    gm_free(t->alloc, t->fold);
    gm_rul_destroy(t->model);
    gm_free(t->alloc, t);
}

static void state_facts(const training *t)
{
    const gm_channels *ch = &t->model->channels;
    gm_rul_facts      *f  = &t->model->facts;
    f->settings           = t->fleet->settings;
    f->sensors            = t->fleet->sensors;
    f->channels           = ch->count;
    f->conditions         = ch->conditions;
    f->members            = t->folds;
    f->features           = t->columns;
    f->runs               = (uint32_t)t->fleet->run_count;
    f->rows               = t->fleet->rows;
    f->cap                = t->options.cap;
    f->age                = t->options.age;
}

gm_status gm_rul_training_create(const gm_alloc *alloc, const gm_fleet *fleet, const gm_rul_options *options,
                                 gm_rul_training **out, gm_error *err)
{
    training *t = gm_alloc_zeroed(alloc, sizeof *t);
    *out        = NULL;
    if (t == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "training");
    *t           = (training) { .alloc = alloc, .fleet = fleet, .options = *options };
    t->model     = gm_alloc_zeroed(alloc, sizeof *t->model);
    t->fold      = gm_alloc_zeroed(alloc, fleet->run_count + 1);
    gm_status st = t->model != NULL && t->fold != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.rul", "training");
    if (st == GM_OK) t->model->alloc = alloc;
    if (st == GM_OK) st = deal_folds(t, err);
    if (st == GM_OK) st = gm_channels_fit(alloc, fleet, &t->model->channels, err);
    if (st != GM_OK) goto done;

    size_t channels     = t->model->channels.count;
    t->columns          = gm_rul_columns(&t->model->channels, options->age);
    t->z                = gm_alloc_array(alloc, fleet->rows * channels, sizeof *t->z);
    t->features         = gm_alloc_array(alloc, fleet->rows * channels, GM_FEATURES * sizeof *t->features);
    t->target           = gm_alloc_array(alloc, fleet->rows, sizeof *t->target);
    t->model->held_back = gm_alloc_array(alloc, fleet->rows, sizeof *t->model->held_back);
    if (t->z == NULL || t->features == NULL || t->target == NULL || t->model->held_back == NULL) {
        st = gm_fail(err, GM_NOMEM, "insight.rul", "%zu rows", fleet->rows);
        goto done;
    }
    prepare_rows(t);
    t->model->member_count = t->folds;
    state_facts(t);
done:
    if (st != GM_OK)
        gm_rul_training_destroy(t);
    else
        *out = t;
    return st;
}

uint32_t gm_rul_training_folds(const gm_rul_training *t)
{
    return t->folds;
}

gm_status gm_rul_training_finish(gm_rul_training *t, gm_rul_model **out_model, gm_error *err)
{
    gm_status st = calibrate(t, err);
    if (st == GM_OK) st = gm_rul_library_build(t->model, t->fleet, err);
    *out_model = NULL;
    if (st != GM_OK) return st;
    for (uint32_t i = 0; i < t->folds; i++) t->model->facts.trees += gm_trees_count(t->model->members[i].trees);
    *out_model = t->model;
    t->model   = NULL;
    return GM_OK;
}

// ---- all at once
// --------------------------------------------------------------------------------------------------------

typedef struct one_run {
    training *training;
    gm_status status;
    gm_error *err;
} one_run;

static gm_status run_fold(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)thread, (void)job;
    return gm_rul_training_fold(((one_run *)context)->training, part, err);
}

static void run_over(void *context, gm_status status, const gm_error *err)
{
    one_run *run = context;
    run->status  = status;
    if (status != GM_OK && run->err != NULL && err != NULL) *run->err = *err;
}

gm_status gm_rul_train(const gm_alloc *alloc, const gm_fleet *fleet, const gm_rul_options *options, uint32_t threads,
                       gm_rul_model **out_model, gm_error *err)
{
    training       *t    = NULL;
    gm_pool        *pool = NULL;
    gm_pool_id      id;
    gm_pool_options with = gm_pool_options_defaults();
    with.threads         = threads;
    *out_model           = NULL;
    gm_status st         = gm_rul_training_create(alloc, fleet, options, &t, err);
    if (st == GM_OK) st = gm_pool_create(alloc, NULL, &with, &pool, err);
    if (st == GM_OK) {
        one_run      run  = { .training = t, .err = err };
        gm_pool_task task = { .parts = t->folds, .run = run_fold, .done = run_over, .context = &run };
        st                = gm_pool_submit(pool, &task, &id, err);
        while (st == GM_OK && gm_pool_turn(pool, GM_SECOND)) {
        }
        if (st == GM_OK) st = run.status;
    }
    if (st == GM_OK) st = gm_rul_training_finish(t, out_model, err);
    gm_pool_destroy(pool);
    gm_rul_training_destroy(t);
    return st;
}
