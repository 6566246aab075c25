// What was forecast against what then happened. A twin that never checks its forecasts is an opinion.
#include "api/futures/forecasts.h"

#include "base/number.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS_MAX = 200000, QUANTILES_MAX = 100 };

typedef struct check {
    const json_t         *quantiles;   // of the output: {"0.05":[...], ...}
    gm_group_world       *world;
    gm_twin               twin;
    uint32_t              column;
    gm_time_ns            from, now;
} check;

static void put_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

static double at(const json_t *list, size_t i)
{
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

// The curve whose quantile is nearest to q; NULL when there is none.
static const json_t *curve_near(const json_t *quantiles, double q)
{
    const json_t *best = NULL, *curve;
    double        away = INFINITY;
    const char   *key;
    json_object_foreach((json_t *)(uintptr_t)quantiles, key, curve) {
        double miss = fabs(strtod(key, NULL) - q);
        if (miss < away) away = miss, best = curve;
    }
    return best;
}

// Error of the median (or the nearest quantile that there is), and for each quantile how much fell below its curve.
static void write_output(const check *c, const json_t *time, gm_buf *out)
{
    const json_t *middle = curve_near(c->quantiles, 0.5), *curve;
    const char   *key;
    size_t        below[QUANTILES_MAX] = { 0 }, k, n = 0;
    double        absolute = 0, square = 0, sum = 0, pinball = 0;
    for (size_t p = 1; p < json_array_size(time); p++) {  // the first point is the fork itself
        gm_time_ns then = c->from + (gm_time_ns)(at(time, p) * 1e9);
        double     real, miss = 0;
        if (then > c->now || !gm_group_world_value(c->world, c->twin, c->column, then, &real)) continue;
        miss = real - at(middle, p);
        if (isnan(miss)) continue;
        n++;
        sum += miss;
        absolute += fabs(miss);
        square += miss * miss;
        k = 0;
        json_object_foreach((json_t *)(uintptr_t)c->quantiles, key, curve) {
            double q = strtod(key, NULL), over = real - at(curve, p);
            if (k == QUANTILES_MAX) break;
            below[k++] += over <= 0;
            pinball += over > 0 ? q * over : (q - 1) * over;
        }
    }
    size_t count = json_object_size(c->quantiles) < QUANTILES_MAX ? json_object_size(c->quantiles) : QUANTILES_MAX;
    gm_buf_printf(out, "{\"points\":%zu,\"below\":{", n);
    k = 0;
    json_object_foreach((json_t *)(uintptr_t)c->quantiles, key, curve) {
        char text[GM_NUMBER_TEXT];
        if (k == count) break;
        if (k > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, gm_str_of(key));
        gm_buf_byte(out, ':');
        gm_buf_add(out, text, gm_number_write(n > 0 ? (double)below[k] / (double)n : NAN, text));
        k++;
    }
    gm_buf_byte(out, '}');
    put_number(out, "bias", n > 0 ? sum / (double)n : NAN);
    put_number(out, "meanAbsoluteError", n > 0 ? absolute / (double)n : NAN);
    put_number(out, "rmse", n > 0 ? sqrt(square / (double)n) : NAN);
    put_number(out, "pinball", n > 0 && count > 0 ? pinball / (double)(n * count) : NAN);
    gm_buf_byte(out, '}');
}

// Names speak of the group `named`; the twin is the one in the same place of `own`.
static bool find_column(const gm_group *named, const gm_group *own, const char *name, check *c)
{
    gm_group_variable v;
    if (c->world->fmu != NULL) return gm_group_world_column(c->world, gm_str_of(name), &c->twin, &c->column);
    if (!gm_group_same_shape(named, own)) return false;  // rebuilt since
    if (!gm_group_find(named, gm_str_of(name), &v) || v.binding == NULL) return false;
    c->twin   = gm_group_twin(own, v.member);
    c->column = v.binding->column;
    return true;
}

static void write_outputs(check *c, const gm_group *named, const json_t *outputs, const json_t *time, gm_buf *out)
{
    const json_t *output;
    const char   *name;
    bool          first = true;
    gm_buf_text(out, "\"outputs\":{");
    json_object_foreach((json_t *)(uintptr_t)outputs, name, output) {
        c->quantiles = json_object_get(output, "quantiles");
        if (!first) gm_buf_byte(out, ',');
        first = false;
        gm_buf_json_str(out, gm_str_of(name));
        gm_buf_byte(out, ':');
        if (find_column(named, c->world->group, name, c)) write_output(c, time, out);
        else gm_buf_text(out, "null");
    }
    gm_buf_byte(out, '}');
}

static bool open_world(gm_forecasts *forecasts, gm_request *request, gm_twin root, gm_group_world *out)
{
    const gm_api_options *o = gm_forecasts_options(forecasts);
    gm_error              err = { 0 };
    if (o->behaviors == NULL) {
        gm_reply_error(request, 400, "NoBehavior", "This plant has no behaviors any more.");
        return false;
    }
    gm_status st = GM_NOTFOUND;
    out->root    = root;
    if (gm_twin_ok(root)) {
        st = gm_group_world_open(o->alloc, o->behaviors, gm_api_state(request), root, &out->group, &err);
        if (st == GM_NOTFOUND)
            st = gm_group_world_open_fmu(o->alloc, o->fmu_notes, o->fmu_note_count, o->fmu_host, o->plant_dir,
                                         gm_api_state(request), root, &out->fmu, &err);
    }
    if (st != GM_OK) gm_reply_error(request, 400, "BehaviorInvalid", "%s.", err.text);
    return st == GM_OK;
}

// Every member by itself; null: its twins or classes are no longer what they were.
static void write_members(gm_forecasts *forecasts, gm_request *request, check *c, const json_t *members,
                          const json_t *time, gm_buf *out)
{
    gm_group_world *world = c->world;
    gm_group       *named = world->group;
    const json_t   *member;
    const char     *root;
    bool            first = true;
    const gm_api_options *o = gm_forecasts_options(forecasts);
    gm_buf_text(out, "\"members\":{");
    json_object_foreach((json_t *)(uintptr_t)members, root, member) {
        gm_twin twin = gm_api_find(request, gm_str_of(root));
        world->group = NULL;
        gm_status st = gm_twin_ok(twin) ? gm_group_world_open(o->alloc, o->behaviors, gm_api_state(request), twin,
                                                              &world->group, NULL)
                                        : GM_NOTFOUND;
        if (!first) gm_buf_byte(out, ',');
        first = false;
        gm_buf_json_str(out, gm_str_of(root));
        gm_buf_text(out, st == GM_OK ? ":{" : ":null");
        if (st != GM_OK) continue;
        write_outputs(c, named, json_object_get(member, "outputs"), time, out);
        gm_buf_byte(out, '}');
        gm_group_close(world->group);
    }
    world->group = named;
    gm_buf_byte(out, '}');
}

bool gm_forecast_verify(gm_forecasts *forecasts, gm_request *request, const json_t *document, gm_buf *out)
{
    const char *root    = json_string_value(json_object_get(document, "root")),
               *as_of   = json_string_value(json_object_get(document, "asOf"));
    const json_t *time = json_object_get(document, "time"), *outputs = json_object_get(document, "outputs"),
                 *members = json_object_get(document, "members");
    gm_group_world world = { .engine = request->engine, .live = false };
    check          c     = { .world = &world, .now = gm_api_now(request) };
    size_t         groups = json_object_size(members) > 0 ? json_object_size(members) : 1;
    if (root == NULL || as_of == NULL || !json_is_array(time) || !json_is_object(outputs) ||
        gm_time_parse(gm_str_of(as_of), &c.from, NULL) != GM_OK) {
        gm_reply_error(request, 500, "FuturesDamaged", "The saved futures can not be read.");
        return false;
    }
    if (json_array_size(time) * json_object_size(outputs) * groups > POINTS_MAX) {
        gm_reply_error(request, 400, "LimitExceeded", "More than %d points of all outputs together.", POINTS_MAX);
        return false;
    }
    if (!open_world(forecasts, request, gm_api_find(request, gm_str_of(root)), &world)) return false;
    double horizon = at(time, json_array_size(time) - 1), passed = (double)(c.now - c.from) / 1e9;
    gm_buf_text(out, "{\"asOf\":");
    gm_buf_json_str(out, gm_str_of(as_of));
    put_number(out, "horizon", horizon);
    put_number(out, "passed", passed < horizon ? passed : horizon);
    gm_buf_byte(out, ',');
    if (members != NULL) write_members(forecasts, request, &c, members, time, out);
    else write_outputs(&c, world.group, outputs, time, out);
    gm_buf_byte(out, '}');
    gm_group_close(world.group);
    gm_fmu_model_close(world.fmu);
    return true;
}
