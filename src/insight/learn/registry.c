// Versions of models in a folder, and who of them is in use.
#include "insight/learn/registry.h"

#include "base/number.h"
#include "insight/learn/prognostics.h"
#include "insight/learn/similar.h"
#include "model/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_LIMIT = 4 << 20, MODEL_LIMIT = 256 << 20, PATH_SIZE = 4096 };

const gm_registry_entry *gm_registry_current(const gm_registry *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->entries[i].version == r->current) return &r->entries[i];
    return NULL;
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------

static double number(const gm_json *object, gm_str key)
{
    const gm_json *node  = gm_json_get(object, key);
    double         value = NAN;
    if (gm_json_is(node, GM_JSON_NUMBER)) gm_number_read(node->text, &value);
    return value;
}

static gm_str text(const gm_json *object, gm_str key)
{
    const gm_json *node = gm_json_get(object, key);
    return gm_json_is(node, GM_JSON_STRING) ? node->text : GM_STR("");
}

static uint32_t count_of(const gm_json *object, gm_str key)
{
    int64_t value = 0;
    return gm_json_int(gm_json_get(object, key), &value) && value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static gm_registry_entry read_entry(const gm_json *v)
{
    const gm_json *age = gm_json_get(v, GM_STR("age"));
    return (gm_registry_entry) {
        .version      = count_of(v, GM_STR("version")),
        .set          = text(v, GM_STR("set")),
        .trained      = text(v, GM_STR("trained")),
        .seconds      = number(v, GM_STR("seconds")),
        .rmse         = number(v, GM_STR("rmse")),
        .horizon      = number(v, GM_STR("horizon")),
        .alpha_lambda = number(v, GM_STR("alphaLambda")),
        .mae          = number(v, GM_STR("mae")),
        .bias         = number(v, GM_STR("bias")),
        .runs         = count_of(v, GM_STR("runs")),
        .rows         = count_of(v, GM_STR("rows")),
        .longest      = count_of(v, GM_STR("longest")),
        .features     = count_of(v, GM_STR("features")),
        .conditions   = count_of(v, GM_STR("conditions")),
        .sensors      = count_of(v, GM_STR("sensors")),
        .failed       = count_of(v, GM_STR("failed")),
        .age          = age != NULL && age->truth,
        .verdict      = text(v, GM_STR("verdict")),
    };
}

static gm_status read_registry(const gm_json *root, gm_arena *arena, gm_registry *out, gm_error *err)
{
    const gm_json *list = gm_json_get(root, GM_STR("versions"));
    if (!gm_json_is(list, GM_JSON_ARRAY) || list->count > GM_REGISTRY_VERSIONS_MAX)
        return gm_fail(err, GM_CORRUPT, "insight.registry", "registry.json has no list of versions");
    out->entries = GM_ARENA_NEW(arena, gm_registry_entry, list->count + 1);
    if (out->entries == NULL) return gm_fail(err, GM_NOMEM, "insight.registry", "%u versions", list->count);
    for (const gm_json *v = list->first; v != NULL; v = v->next) {
        out->entries[out->count] = read_entry(v);
        if (out->entries[out->count].version == 0)
            return gm_fail(err, GM_CORRUPT, "insight.registry", "registry.json: entry %zu has no version", out->count);
        out->count++;
    }
    out->current = count_of(root, GM_STR("current"));
    return GM_OK;
}

gm_status gm_registry_load(const gm_io *io, const char *dir, gm_arena *arena, gm_registry *out, gm_error *err)
{
    char     path[PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t   n     = 0;
    *out           = (gm_registry) { 0 };
    if (snprintf(path, sizeof path, "%s/registry.json", dir) >= (int)sizeof path)
        return gm_fail(err, GM_INVALID, "insight.registry", "the folder's name is too long");
    gm_status st = gm_io_read_file(io, path, FILE_LIMIT, &bytes, &n, err);
    if (st == GM_NOTFOUND) {
        out->entries = GM_ARENA_NEW(arena, gm_registry_entry, 1);
        return out->entries != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.registry", "registry");
    }
    if (st != GM_OK) return st;
    gm_str         copy = gm_arena_str(arena, (gm_str) { (const char *)bytes, n });
    const gm_json *root = NULL;
    gm_free(io->alloc, bytes);
    if (copy.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.registry", "reading %.150s", path);
    st = gm_json_parse(arena, copy, &root, err);
    if (st == GM_INVALID) return gm_fail(err, GM_CORRUPT, "insight.registry", "%.150s is not JSON", path);
    return st == GM_OK ? read_registry(root, arena, out, err) : st;
}

static bool model_path(char *path, const char *dir, uint32_t version)
{
    return snprintf(path, PATH_SIZE, "%s/rul-%u.model", dir, version) < PATH_SIZE;
}

gm_status gm_registry_model(const gm_io *io, const char *dir, const gm_registry *registry, gm_rul_model **out_model,
                            gm_error *err)
{
    char     path[PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t   n     = 0;
    *out_model     = NULL;
    if (registry->current == 0)
        return gm_fail(err, GM_NOTFOUND, "insight.registry", "%.150s has no model in use; 'gemel train' makes one",
                       dir);
    if (!model_path(path, dir, registry->current))
        return gm_fail(err, GM_INVALID, "insight.registry", "the folder's name is too long");
    gm_status st = gm_io_read_file(io, path, MODEL_LIMIT, &bytes, &n, err);
    if (st == GM_OK) st = gm_rul_decode(io->alloc, (gm_str) { (const char *)bytes, n }, out_model, err);
    gm_free(io->alloc, bytes);
    return st;
}

// ---- writing
// ----------------------------------------------------------------------------------------------------------

static void add_number(gm_buf *out, const char *key, double value)
{
    char digits[GM_NUMBER_TEXT];
    gm_number_write(value, digits);
    gm_buf_printf(out, ", \"%s\": %s", key, digits);
}

static void add_text(gm_buf *out, const char *key, gm_str value)
{
    gm_buf_printf(out, ", \"%s\": ", key);
    gm_buf_json_str(out, value);
}

static void write_entry(const gm_registry_entry *e, gm_buf *out)
{
    gm_buf_printf(out, "    { \"version\": %u", e->version);
    add_text(out, "set", e->set);
    add_text(out, "trained", e->trained);
    add_number(out, "seconds", e->seconds);
    gm_buf_printf(out, ", \"runs\": %u, \"failed\": %u, \"age\": %s", e->runs, e->failed, e->age ? "true" : "false");
    gm_buf_printf(out, ", \"rows\": %llu, \"longest\": %u, \"features\": %u, \"conditions\": %u, \"sensors\": %u",
                  (unsigned long long)e->rows, e->longest, e->features, e->conditions, e->sensors);
    add_number(out, "rmse", e->rmse);
    if (!isnan(e->mae)) add_number(out, "mae", e->mae);
    if (!isnan(e->bias)) add_number(out, "bias", e->bias);
    add_number(out, "horizon", e->horizon);
    add_number(out, "alphaLambda", e->alpha_lambda);
    add_text(out, "verdict", e->verdict);
    gm_buf_text(out, " }");
}

static gm_status save_registry(const gm_io *io, const char *dir, const gm_registry *r, gm_error *err)
{
    char   path[PATH_SIZE];
    gm_buf out = gm_buf_init(io->alloc);
    gm_buf_printf(&out, "{\n  \"current\": %u,\n  \"versions\": [\n", r->current);
    for (size_t i = 0; i < r->count; i++) {
        write_entry(&r->entries[i], &out);
        gm_buf_text(&out, i + 1 < r->count ? ",\n" : "\n");
    }
    gm_buf_text(&out, "  ]\n}\n");
    snprintf(path, sizeof path, "%s/registry.json", dir);
    gm_status st = out.failed ? gm_fail(err, GM_NOMEM, "insight.registry", "writing the registry")
                              : gm_io_replace_file(io, path, out.ptr, out.len, err);
    gm_buf_finish(&out);
    return st;
}

static gm_status save_model(const gm_io *io, const char *dir, uint32_t version, const gm_rul_model *model,
                            gm_error *err)
{
    char      path[PATH_SIZE];
    gm_buf    bytes = gm_buf_init(io->alloc);
    gm_status st    = model_path(path, dir, version)
                          ? io->make_dir(io, dir, err)
                          : gm_fail(err, GM_INVALID, "insight.registry", "the folder's name is too long");
    if (st == GM_OK) st = gm_rul_encode(model, &bytes, err);
    if (st == GM_OK) st = gm_io_replace_file(io, path, bytes.ptr, bytes.len, err);
    gm_buf_finish(&bytes);
    return st;
}

// ---- who wins
// -----------------------------------------------------------------------------------------------------------

typedef struct contest {
    double mine, theirs;
    size_t assets;
} contest; // root mean square errors, cycles

// On the failed assets that the incumbent has not learned from, every tenth row. Without a challenger only the incumbent is looked at.
static gm_status meet(const gm_alloc *alloc, const gm_rul_model *incumbent, const gm_rul_model *challenger,
                      const gm_fleet *fleet, contest *out, gm_error *err)
{
    enum { EVERY = 10 };
    const double *held = challenger != NULL ? gm_rul_held_back(challenger) : NULL;
    double        n = 0, cap = gm_rul_model_facts(challenger != NULL ? challenger : incumbent).cap;
    *out = (contest) { 0 };
    for (size_t r = 0; r < fleet->run_count; r++) {
        const gm_run *run = &fleet->runs[r];
        if (run->left != 0 || gm_rul_learned_from(incumbent, fleet, run)) continue;
        out->assets++;
        for (uint32_t i = EVERY - 1; i < run->count; i += EVERY) {
            gm_rul_prediction p;
            gm_status         st =
                gm_rul_predict(incumbent, alloc, gm_fleet_row(fleet, run->first), i + (size_t)1, NAN, &p, err);
            if (st == GM_INVALID) continue;  // nothing was measured yet
            if (st != GM_OK) return st;
            double truth = fmin(cap, run->count - 1 - i), theirs = p.rul - truth;
            double mine = held != NULL ? held[run->first + i] - truth : 0;
            out->mine += mine * mine;
            out->theirs += theirs * theirs;
            n++;
        }
    }
    if (n > 0) {
        out->mine   = sqrt(out->mine / n);
        out->theirs = sqrt(out->theirs / n);
    }
    return GM_OK;
}

gm_status gm_registry_error(const gm_alloc *alloc, const gm_rul_model *model, const gm_fleet *fleet, double *out_rmse,
                            size_t *out_assets, gm_error *err)
{
    contest   c  = { 0 };
    gm_status st = meet(alloc, model, NULL, fleet, &c, err);
    *out_rmse    = c.theirs;
    *out_assets  = c.assets;
    return st;
}

static uint32_t longest_of(const gm_fleet *fleet)
{
    uint32_t longest = 0;
    for (size_t r = 0; r < fleet->run_count; r++)
        if (fleet->runs[r].count > longest) longest = fleet->runs[r].count;
    return longest;
}

static gm_status decide(const gm_io *io, const char *dir, gm_arena *arena, const gm_registry *r,
                        const gm_rul_model *challenger, const gm_fleet *fleet, bool *out_wins, gm_str *out_verdict,
                        gm_error *err)
{
    gm_rul_model *incumbent = NULL;
    gm_error      why       = { 0 };
    contest       c         = { 0 };
    gm_status     st        = gm_registry_model(io, dir, r, &incumbent, &why);
    gm_rul_facts  mine      = gm_rul_model_facts(challenger), theirs;
    *out_wins               = true;
    if (st == GM_NOTFOUND && r->current == 0) {
        *out_verdict = gm_arena_printf(arena, "in use: the first one");
        goto done;
    }
    if (st != GM_OK) {
        // One that can not be read can not be used either.
        *out_verdict = gm_arena_printf(arena, "in use: version %u can not be read (%s)", r->current, why.text);
        goto done;
    }
    theirs = gm_rul_model_facts(incumbent);
    if (theirs.settings != mine.settings || theirs.sensors != mine.sensors) {
        *out_verdict = gm_arena_printf(arena, "in use: version %u is for other columns", r->current);
        goto done;
    }
    st = meet(io->alloc, incumbent, challenger, fleet, &c, err);
    if (st != GM_OK) {
        gm_rul_destroy(incumbent);
        return st;
    }
    if (c.assets == 0) c = (contest) { .mine = mine.rmse, .theirs = theirs.rmse };
    *out_wins    = c.mine < c.theirs;
    *out_verdict = gm_arena_printf(arena, "%s: error %.3f against %.3f of version %u on %zu held-back assets%s",
                                   *out_wins ? "in use" : "not in use", c.mine, c.theirs, r->current,
                                   c.assets > 0 ? c.assets : (size_t)mine.failed,
                                   c.assets > 0 ? " that it had not seen either" : "");
done:
    gm_rul_destroy(incumbent);
    return out_verdict->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.registry", "deciding");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Horizon and alpha-lambda over the failed runs, from the predictions made while they were held back.
static gm_status along_runs(const gm_alloc *alloc, const gm_rul_model *model, const gm_fleet *fleet,
                            gm_registry_entry *e, gm_error *err)
{
    const double near = 0.1, alpha = 0.2, lambda = 0.5;
    double       cap      = gm_rul_model_facts(model).cap;
    double      *horizons = gm_alloc_array(alloc, fleet->run_count + 1, sizeof *horizons);
    double      *truth    = gm_alloc_array(alloc, fleet->rows + 1, sizeof *truth);
    size_t       runs = 0, within = 0;
    gm_status    st =
        horizons != NULL && truth != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.registry", "%zu rows", fleet->rows);
    for (size_t r = 0; st == GM_OK && r < fleet->run_count; r++) {
        const gm_run *run  = &fleet->runs[r];
        const double *held = gm_rul_held_back(model) + run->first;
        if (run->left != 0) continue;
        // Where the truth is above the cap nothing is claimed, so nothing is measured.
        uint32_t first = run->count > cap ? run->count - 1 - (uint32_t)cap : 0, n = run->count - first;
        for (uint32_t i = 0; i < n; i++) truth[i] = n - 1 - i;
        horizons[runs++] = gm_prognostic_horizon(held + first, truth, n, near, cap);
        within += gm_alpha_lambda(held + first, truth, n, alpha, lambda);
    }
    if (runs > 0) {
        qsort(horizons, runs, sizeof *horizons, by_value);
        e->horizon      = horizons[runs / 2];
        e->alpha_lambda = (double)within / (double)runs;
    }
    gm_free(alloc, horizons);
    gm_free(alloc, truth);
    return st;
}

gm_status gm_registry_challenge(const gm_io *io, const char *dir, gm_arena *arena, gm_registry *r,
                                const gm_rul_model *challenger, const gm_fleet *fleet, gm_str set, gm_time_ns now,
                                double seconds, const gm_registry_entry **out, gm_error *err)
{
    gm_rul_facts f = gm_rul_model_facts(challenger);
    char         when[GM_TIME_TEXT];
    bool         wins = false;
    if (r->count >= GM_REGISTRY_VERSIONS_MAX)
        return gm_fail(err, GM_LIMIT, "insight.registry", "%d versions are kept at most; begin another folder",
                       GM_REGISTRY_VERSIONS_MAX);
    gm_registry_entry *entries = GM_ARENA_NEW(arena, gm_registry_entry, r->count + 1);
    if (entries == NULL) return gm_fail(err, GM_NOMEM, "insight.registry", "a new version");
    memcpy(entries, r->entries, r->count * sizeof *entries);
    gm_time_format(now, when);
    gm_registry_entry *e = &entries[r->count];
    *e                   = (gm_registry_entry) { .version = r->count > 0 ? entries[r->count - 1].version + 1 : 1,
                                                 .set     = gm_arena_str(arena, set),
                                                 .trained = gm_arena_str(arena, gm_str_of(when)),
                                                 .seconds = seconds,
                                                 .rmse    = f.rmse,
                                                 .mae     = f.mae,
                                                 .bias    = f.bias,
                                                 .rows    = fleet->rows,
                                                 .longest = longest_of(fleet),
                                                 .features   = f.features,
                                                 .conditions = f.conditions,
                                                 .sensors    = f.channels,
                                                 .runs    = f.runs,
                                                 .failed  = f.failed,
                                                 .age     = f.age };
    gm_status st         = along_runs(io->alloc, challenger, fleet, e, err);
    if (st == GM_OK) st = decide(io, dir, arena, r, challenger, fleet, &wins, &e->verdict, err);
    if (st == GM_OK) st = save_model(io, dir, e->version, challenger, err);
    if (st != GM_OK) return st;
    gm_registry next = { .entries = entries, .count = r->count + 1, .current = wins ? e->version : r->current };
    st               = save_registry(io, dir, &next, err);
    if (st != GM_OK) return st;
    *r   = next;
    *out = e;
    return GM_OK;
}
