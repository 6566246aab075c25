#include "api/rollup_metrics.h"

#include "rollup/rollups.h"

#include <math.h>

// A label's value: Prometheus knows three escapes.
static void label(gm_buf *out, const char *name, gm_str value)
{
    gm_buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\n') gm_buf_text(out, "\\n");
        else if (c == '"' || c == '\\') gm_buf_printf(out, "\\%c", c);
        else gm_buf_byte(out, (uint8_t)c);
    }
    gm_buf_byte(out, '"');
}

// One without a value (nothing known, or a loop) has no line.
static void line(gm_request *request, size_t i, gm_twin twin)
{
    gm_rollups                 *rollups = request->api->options.rollups;
    const gm_rollup_definition *d       = gm_rollups_definition(rollups, i);
    gm_buf                     *out     = &request->out;
    gm_rollup_result            r;
    gm_error                    err = { 0 };
    if (gm_rollups_read(rollups, i, twin, &r, &err) != GM_OK || isnan(r.value)) return;
    gm_buf_text(out, "gemel_rollup{");
    label(out, "name", d->name);
    label(out, ",function", gm_str_of(gm_rollup_function_name(d->function)));
    if (gm_twin_ok(twin)) label(out, ",twin", gm_state_id(gm_api_state(request), twin));
    if (d->function == GM_ROLLUP_WORST) label(out, ",state", r.state);
    gm_buf_printf(out, "} %.17g\n", r.value);
}

void gm_rollup_metrics(gm_request *request)
{
    const gm_api_options *o       = &request->api->options;
    gm_rollups           *rollups = o->rollups;
    size_t                count   = rollups != NULL ? gm_rollups_count(rollups) : 0;
    unsigned long long    left_out = 0;
    if (count == 0 || (o->access != NULL && request->principal == NULL)) return;
    gm_buf_text(&request->out, "# HELP gemel_rollup What a system amounts to (rules/*.rollups).\n# TYPE gemel_rollup gauge\n");
    for (size_t i = 0; i < count; i++) {
        gm_twin  at = { 0 };
        gm_error err;
        if (gm_rollups_definition(rollups, i)->relationship.len == 0) line(request, i, (gm_twin){ GM_NONE });
        unsigned n = 0;
        for (uint32_t from = 0; gm_rollups_next(rollups, i, from, &at, &err) == GM_OK && gm_twin_ok(at); from = at.v + 1) {
            if (n++ < GM_ROLLUP_METRICS_MAX) line(request, i, at);
            else left_out++;
        }
    }
    gm_buf_printf(&request->out, "# HELP gemel_rollup_left_out Systems beyond the first %d of a roll-up.\n# TYPE gemel_rollup_left_out gauge\n"
                                 "gemel_rollup_left_out %llu\n", GM_ROLLUP_METRICS_MAX, left_out);
}
