// XGBoost's C interface: a matrix in, its JSON model out, and from that our own trees.
#include "insight/learn/boost.h"

#include "model/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xgboost/c_api.h>

bool gm_boost_available(void)
{
    return true;
}

static gm_status refused(gm_error *err)
{
    // The library's message begins with a time and a source place; the sentence is behind the last colon of that line.
    const char *text = XGBGetLastError();
    return gm_fail(err, GM_DIVERGED, "insight.boost", "XGBoost: %.*s", (int)strcspn(text, "\n"), text);
}

static gm_status set(BoosterHandle b, const char *name, const char *value, gm_error *err)
{
    return XGBoosterSetParam(b, name, value) == 0 ? GM_OK : refused(err);
}

static gm_status set_number(BoosterHandle b, const char *name, double value, gm_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    return set(b, name, text, err);
}

static gm_status configure(BoosterHandle b, const gm_boost_options *o, double base, gm_error *err)
{
    const struct {
        const char *name;
        double      value;
    } numbers[] = {
        { "max_depth", o->depth },
        { "eta", o->rate },
        { "subsample", o->rows },
        { "colsample_bytree", o->columns },
        { "min_child_weight", o->leaf_weight },
        { "lambda", o->ridge },
        { "nthread", o->threads },
        { "seed", o->seed },
        { "base_score", base },
        { "verbosity", 0 },
        { "max_bin", 64 },
    };
    gm_status st = set(b, "tree_method", "hist", err);
    if (st == GM_OK) st = set(b, "objective", "reg:squarederror", err);
    for (size_t i = 0; st == GM_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        st = set_number(b, numbers[i].name, numbers[i].value, err);
    return st;
}

// ---- the JSON model -------------------------------------------------------------------------------------------------

typedef struct columns {
    const gm_json *left, *right, *feature, *split, *missing;
} columns;

static double number_of(const gm_json *node)
{
    if (node->kind == GM_JSON_BOOL) return node->truth;
    char text[40];
    if (node->kind != GM_JSON_NUMBER || node->text.len >= sizeof text) return NAN;
    memcpy(text, node->text.ptr, node->text.len);
    text[node->text.len] = '\0';
    return strtod(text, NULL);
}

static gm_status read_tree(const gm_json *json, gm_tree_node *nodes, gm_trees *trees, gm_error *err)
{
    const gm_json *l = gm_json_get(json, GM_STR("left_children")), *r = gm_json_get(json, GM_STR("right_children"));
    const gm_json *f = gm_json_get(json, GM_STR("split_indices")), *s = gm_json_get(json, GM_STR("split_conditions"));
    const gm_json *m = gm_json_get(json, GM_STR("default_left"));
    uint32_t       n = l != NULL ? l->count : 0;
    if (n == 0 || n > GM_TREE_NODES_MAX || r == NULL || f == NULL || s == NULL || m == NULL || r->count != n ||
        f->count != n || s->count != n || m->count != n)
        return gm_fail(err, GM_DIVERGED, "insight.boost", "XGBoost wrote a tree that is not understood");
    columns at = { l->first, r->first, f->first, s->first, m->first };
    for (uint32_t i = 0; i < n; i++) {
        double left = number_of(at.left);
        bool   leaf = left < 0;
        nodes[i]    = (gm_tree_node) { .left         = leaf ? 0 : (uint32_t)left,
                                       .right        = leaf ? 0 : (uint32_t)number_of(at.right),
                                       .feature      = leaf ? 0 : (uint16_t)number_of(at.feature),
                                       .missing_left = number_of(at.missing) != 0,
                                       .split        = (float)number_of(at.split) };
        at          = (columns) { at.left->next, at.right->next, at.feature->next, at.split->next, at.missing->next };
    }
    return gm_trees_add(trees, nodes, n, err);
}

static const gm_json *member(const gm_json *json, const char *path)
{
    gm_str rest = gm_str_of(path), part;
    while (json != NULL && gm_str_next(&rest, '.', &part)) json = gm_json_get(json, part);
    return json;
}

static gm_status read_model(const gm_alloc *alloc, gm_str text, size_t features, double base, gm_trees **out,
                            gm_error *err)
{
    const gm_json *root    = NULL;
    gm_trees      *trees   = NULL;
    gm_arena      *arena   = gm_arena_create(alloc, 0);
    gm_tree_node  *scratch = gm_alloc_array(alloc, GM_TREE_NODES_MAX, sizeof *scratch);
    gm_status      st =
        arena != NULL && scratch != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.boost", "reading the model");
    if (st == GM_OK) st = gm_json_parse(arena, text, &root, err);
    if (st == GM_OK) st = gm_trees_create(alloc, (uint32_t)features, (float)base, &trees, err);
    const gm_json *list = st == GM_OK ? member(root, "learner.gradient_booster.model.trees") : NULL;
    if (st == GM_OK && list == NULL) st = gm_fail(err, GM_DIVERGED, "insight.boost", "XGBoost's model has no trees");
    for (const gm_json *tree = list != NULL ? list->first : NULL; st == GM_OK && tree != NULL; tree = tree->next)
        st = read_tree(tree, scratch, trees, err);
    gm_free(alloc, scratch);
    gm_arena_destroy(arena);
    if (st != GM_OK) {
        gm_trees_destroy(trees);
        trees = NULL;
    }
    *out = trees;
    return st;
}

// ---- training -------------------------------------------------------------------------------------------------------

static double mean_of(const gm_boost_data *d)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < d->rows; i++) {
        double w = d->weight != NULL ? d->weight[i] : 1;
        sum += w * d->y[i];
        weight += w;
    }
    return weight > 0 ? sum / weight : 0;
}

gm_status gm_boost_train(const gm_alloc *alloc, const gm_boost_data *data, const gm_boost_options *options,
                         gm_trees **out_trees, gm_error *err)
{
    DMatrixHandle matrix  = NULL;
    BoosterHandle booster = NULL;
    gm_status     st      = GM_OK;
    *out_trees            = NULL;
    if (data->rows < 2) return gm_fail(err, GM_INVALID, "insight.boost", "%zu rows, at least 2 are needed", data->rows);
    // A float, as the library keeps it, so that both sums begin alike.
    double base = (float)mean_of(data);

    if (XGDMatrixCreateFromMat(data->x, data->rows, data->columns, NAN, &matrix) != 0 ||
        XGDMatrixSetFloatInfo(matrix, "label", data->y, data->rows) != 0 ||
        (data->weight != NULL && XGDMatrixSetFloatInfo(matrix, "weight", data->weight, data->rows) != 0) ||
        XGBoosterCreate(&matrix, 1, &booster) != 0)
        st = refused(err);
    if (st == GM_OK) st = configure(booster, options, base, err);
    for (uint32_t i = 0; st == GM_OK && i < options->rounds; i++)
        if (XGBoosterUpdateOneIter(booster, (int)i, matrix) != 0) st = refused(err);

    bst_ulong   length = 0;
    const char *bytes  = NULL;
    if (st == GM_OK && XGBoosterSaveModelToBuffer(booster, "{\"format\":\"json\"}", &length, &bytes) != 0)
        st = refused(err);
    if (st == GM_OK) st = read_model(alloc, (gm_str) { bytes, length }, data->columns, base, out_trees, err);
    if (booster != NULL) XGBoosterFree(booster);
    if (matrix != NULL) XGDMatrixFree(matrix);
    return st;
}
