// Reading insight/*.json.
#include "insight/live/lookout.h"

#include "base/number.h"
#include "insight/anomaly/healthy.h"
#include "insight/anomaly/stream.h"
#include "model/json_tree.h"

#define GM_RETRAIN_LEAST GM_MINUTE

enum { LEARN_LEAST = 50, LEARN_MOST = 4000 };

static gm_status wrong(gm_error *err, const gm_lookout *l, const char *what)
{
    return gm_fail(err, GM_INVALID, "insight.lookout", "'" GM_STR_FMT "': %s", GM_STR_ARG(gm_str_slice(l->name, 0, 60)),
                   what);
}

static bool is_one_of(gm_str key, const char *const *known)
{
    for (; *known != NULL; known++)
        if (gm_str_is(key, *known)) return true;
    return false;
}

static gm_str text(const gm_json *object, gm_str key)
{
    const gm_json *node = gm_json_get(object, key);
    return gm_json_is(node, GM_JSON_STRING) ? node->text : (gm_str) { "", 0 };
}

static gm_status add_names(const gm_json *list, gm_lookout *l, gm_error *err)
{
    if (!gm_json_is(list, GM_JSON_ARRAY)) return wrong(err, l, "a list of property names is missing");
    for (const gm_json *n = list->first; n != NULL; n = n->next) {
        if (!gm_json_is(n, GM_JSON_STRING) || n->text.len == 0) return wrong(err, l, "property names are texts");
        if (l->count == GM_LOOKOUT_PROPERTIES_MAX) return wrong(err, l, "more than 64 properties");
        l->properties[l->count++] = n->text;
    }
    return GM_OK;
}

static gm_status read_number(const gm_json *object, gm_str key, double least, double most, gm_lookout *l, double *value,
                             gm_error *err)
{
    const gm_json *node = gm_json_get(object, key);
    if (node == NULL) return GM_OK;
    if (!gm_json_is(node, GM_JSON_NUMBER) || gm_number_read(node->text, value) == 0 ||
        !(*value >= least && *value <= most))
        return gm_fail(err, GM_INVALID, "insight.lookout",
                       "'" GM_STR_FMT "': \"" GM_STR_FMT "\" is a number from %g to %g",
                       GM_STR_ARG(gm_str_slice(l->name, 0, 60)), GM_STR_ARG(key), least, most);
    return GM_OK;
}

static gm_status read_retraining(const gm_json *o, gm_lookout *l, gm_error *err)
{
    static const char *const keys[] = { "failed", "every", "drift", NULL };
    gm_error                 why    = { 0 };
    if (o == NULL) return GM_OK;
    if (!gm_json_is(o, GM_JSON_OBJECT)) return wrong(err, l, "\"retrain\" is an object with \"failed\" and when: \"every\", \"drift\"");
    for (const gm_json *m = o->first; m != NULL; m = m->next)
        if (!is_one_of(m->key, keys))
            return gm_fail(err, GM_INVALID, "insight.lookout",
                           "'" GM_STR_FMT "': \"retrain\" has no \"" GM_STR_FMT "\"; failed, every and drift are",
                           GM_STR_ARG(gm_str_slice(l->name, 0, 60)), GM_STR_ARG(gm_str_slice(m->key, 0, 60)));
    gm_str every = text(o, GM_STR("every"));
    l->failed    = text(o, GM_STR("failed"));
    if (l->failed.len == 0) return wrong(err, l, "\"retrain\" needs \"failed\", the property that says that a twin's life is over");
    if (every.len > 0 && (gm_dur_parse(every, &l->every, &why) != GM_OK || l->every < GM_RETRAIN_LEAST))
        return wrong(err, l, "\"every\" is a time of at least a minute, such as \"30d\"");
    gm_status st = read_number(o, GM_STR("drift"), 1, 100, l, &l->drift, err);
    if (st == GM_OK && l->every == 0 && l->drift == 0) return wrong(err, l, "\"retrain\" says when: \"every\", \"drift\" or both");
    return st;
}

static gm_status read_life(const gm_json *o, gm_lookout *l, gm_error *err)
{
    static const char *const keys[] = { "rul", "low", "high", "health", "sure", "version", NULL };
    const gm_json           *into   = gm_json_get(o, GM_STR("into"));
    l->model                        = text(o, GM_STR("model"));
    l->age                          = text(o, GM_STR("age"));
    gm_status st =
        gm_json_get(o, GM_STR("settings")) != NULL ? add_names(gm_json_get(o, GM_STR("settings")), l, err) : GM_OK;
    l->settings = l->count;
    if (st == GM_OK) st = add_names(gm_json_get(o, GM_STR("sensors")), l, err);
    if (st != GM_OK) return st;
    if (l->model.len == 0) return wrong(err, l, "\"model\", the folder that 'gemel train' wrote, is missing");
    if (l->model.ptr[0] == '/' || gm_str_find(l->model, GM_STR("..")) != SIZE_MAX)
        return wrong(err, l, "\"model\" lies inside the plant's folder");
    for (const gm_json *m = gm_json_is(into, GM_JSON_OBJECT) ? into->first : NULL; m != NULL; m = m->next)
        if (!is_one_of(m->key, keys))
            return gm_fail(err, GM_INVALID, "insight.lookout",
                           "'" GM_STR_FMT "': \"into\" has no \"" GM_STR_FMT "\"; rul, low, high, health, sure and version are",
                           GM_STR_ARG(gm_str_slice(l->name, 0, 60)), GM_STR_ARG(gm_str_slice(m->key, 0, 60)));
    for (int i = 0; i < GM_LOOKOUT_INTO; i++) l->into[i] = text(into, gm_str_of(keys[i]));
    return read_retraining(gm_json_get(o, GM_STR("retrain")), l, err);
}

static gm_status read_anomaly(const gm_json *o, gm_lookout *l, gm_error *err)
{
    gm_str how   = text(o, GM_STR("how"));
    bool   each  = gm_str_is(how, "each");
    double learn = each ? 500 : 400, window = 10;
    if (!each && !gm_str_is(how, "together")) return wrong(err, l, "\"how\" is \"together\" or \"each\"");
    l->kind      = each ? GM_LOOKOUT_EACH : GM_LOOKOUT_TOGETHER;
    l->threshold = each ? GM_STREAM_ALARM : 1;
    gm_status st = add_names(gm_json_get(o, GM_STR("properties")), l, err);
    if (st == GM_OK) st = read_number(o, GM_STR("learn"), LEARN_LEAST, LEARN_MOST, l, &learn, err);
    if (st == GM_OK) st = read_number(o, GM_STR("window"), 1, 200, l, &window, err);
    if (st == GM_OK) st = read_number(o, GM_STR("threshold"), 0.1, 100, l, &l->threshold, err);
    l->learn  = (uint32_t)learn;
    l->window = (uint32_t)window;
    if (st == GM_OK && learn < 4 * window) return wrong(err, l, "\"learn\" is at least four times \"window\"");
    return st;
}

static bool read_time(const gm_json *o, gm_str key, gm_dur_ns *value)
{
    gm_str written = text(o, key);
    return gm_json_get(o, key) == NULL || (gm_dur_parse(written, value, NULL) == GM_OK && *value >= GM_SECOND);
}

static gm_status read_wear(const gm_json *o, gm_lookout *l, gm_error *err)
{
    static const char *const keys[] = { "rul", "low", "high", NULL, "sure", NULL };
    static const char *const into_keys[] = { "rul", "low", "high", "sure", NULL };
    const gm_json           *into = gm_json_get(o, GM_STR("into")), *vary = gm_json_get(o, GM_STR("vary"));
    gm_dur_ns                horizon = 30 * 24 * GM_HOUR, step = 0;
    double                   lanes = 256;
    l->every                       = GM_HOUR;
    l->until                       = text(o, GM_STR("until"));
    if (l->twin.len == 0) return wrong(err, l, "\"twin\", the id of what wears, is missing");
    if (l->until.len == 0) return wrong(err, l, "\"until\", such as \"filter1.fouling > 0.5\", is missing");
    if (!read_time(o, GM_STR("horizon"), &horizon) || !read_time(o, GM_STR("step"), &step) || !read_time(o, GM_STR("every"), &l->every))
        return wrong(err, l, "\"horizon\", \"step\" and \"every\" are times of at least a second, such as \"90d\"");
    gm_status st = vary != NULL ? add_names(vary, l, err) : GM_OK;
    if (st == GM_OK) st = read_number(o, GM_STR("lanes"), 32, 100000, l, &lanes, err);
    for (const gm_json *m = st == GM_OK && gm_json_is(into, GM_JSON_OBJECT) ? into->first : NULL; m != NULL; m = m->next)
        if (!is_one_of(m->key, into_keys)) return wrong(err, l, "\"into\" has rul, low, high and sure");
    for (int i = 0; i < GM_LOOKOUT_INTO; i++)
        if (keys[i] != NULL) l->into[i] = text(into, gm_str_of(keys[i]));
    l->horizon_s = (double)horizon / 1e9;
    l->step_s    = (double)step / 1e9;
    l->learn     = (uint32_t)lanes;
    return st;
}

static gm_status read_one(const gm_json *o, gm_lookout_kind kind, gm_lookout *l, gm_error *err)
{
    static const char *const life[]    = { "name", "interface", "model", "settings", "sensors", "age", "into", "retrain", NULL };
    static const char *const anomaly[] = { "name",  "interface", "how",       "properties",
                                           "learn", "window",    "threshold", NULL };
    static const char *const wear[]    = { "name", "twin", "until", "horizon", "every", "step", "lanes", "vary", "into", NULL };
    *l = (gm_lookout) { .kind = kind, .name = text(o, GM_STR("name")), .interface = text(o, GM_STR("interface")), .twin = text(o, GM_STR("twin")) };
    if (!gm_json_is(o, GM_JSON_OBJECT) || l->name.len == 0)
        return wrong(err, l, "each entry is an object with a \"name\"");
    if (kind != GM_LOOKOUT_WEAR && l->interface.len == 0) return wrong(err, l, "\"interface\", the DTMI of the twins to watch, is missing");
    for (const gm_json *m = o->first; m != NULL; m = m->next)
        if (!is_one_of(m->key, kind == GM_LOOKOUT_LIFE ? life : kind == GM_LOOKOUT_WEAR ? wear : anomaly))
            return gm_fail(err, GM_INVALID, "insight.lookout", "'" GM_STR_FMT "': there is no \"" GM_STR_FMT "\"",
                           GM_STR_ARG(gm_str_slice(l->name, 0, 60)), GM_STR_ARG(gm_str_slice(m->key, 0, 60)));
    if (kind == GM_LOOKOUT_WEAR) return read_wear(o, l, err);
    gm_status st = kind == GM_LOOKOUT_LIFE ? read_life(o, l, err) : read_anomaly(o, l, err);
    return st == GM_OK && l->count == 0 ? wrong(err, l, "it names no property") : st;
}

gm_status gm_lookouts_parse(gm_arena *arena, gm_str bytes, gm_lookout *lookouts, uint32_t *count, gm_error *err)
{
    const struct {
        gm_str          key;
        gm_lookout_kind kind;
    } parts[] = { { GM_STR("remainingLife"), GM_LOOKOUT_LIFE }, { GM_STR("anomalies"), GM_LOOKOUT_TOGETHER }, { GM_STR("wear"), GM_LOOKOUT_WEAR } };
    const gm_json *root = NULL;
    gm_str         kept = gm_arena_str(arena, bytes);
    if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.lookout", "reading");
    gm_json_lines lines;
    uint32_t      column;
    gm_status     st = gm_json_parse(arena, kept, &root, err);
    if (st == GM_OK) st = gm_json_lines_build(arena, kept, &lines, err);
    if (st != GM_OK) return st;
    if (!gm_json_is(root, GM_JSON_OBJECT)) return gm_fail(err, GM_INVALID, "insight.lookout", "an object is expected");
    for (const gm_json *m = root->first; m != NULL; m = m->next)
        if (!gm_str_eq(m->key, parts[0].key) && !gm_str_eq(m->key, parts[1].key) && !gm_str_eq(m->key, parts[2].key))
            return gm_fail(err, GM_INVALID, "insight.lookout",
                           "there is no \"" GM_STR_FMT "\"; remainingLife, anomalies and wear are",
                           GM_STR_ARG(gm_str_slice(m->key, 0, 60)));
    for (size_t p = 0; p < 3; p++) {
        const gm_json *list = gm_json_get(root, parts[p].key);
        if (list != NULL && !gm_json_is(list, GM_JSON_ARRAY))
            return gm_fail(err, GM_INVALID, "insight.lookout", "\"" GM_STR_FMT "\" is a list",
                           GM_STR_ARG(parts[p].key));
        for (const gm_json *o = list != NULL ? list->first : NULL; o != NULL; o = o->next) {
            if (*count == GM_LOOKOUTS_MAX)
                return gm_fail(err, GM_LIMIT, "insight.lookout", "more than %d entries", GM_LOOKOUTS_MAX);
            st = read_one(o, parts[p].kind, &lookouts[*count], err);
            gm_json_position(&lines, o->start, &lookouts[*count].line, &column);
            if (st != GM_OK && err != NULL) err->line = lookouts[*count].line;
            if (st != GM_OK) return st;
            (*count)++;
        }
    }
    return GM_OK;
}
