// tests/insight/decay_world.h: x' = feed - rate x as a twin with a filter: for tests whose truth is a closed form.
#ifndef GM_TESTS_INSIGHT_DECAY_WORLD_H
#define GM_TESTS_INSIGHT_DECAY_WORLD_H

#include "insight/estimate/vigil.h"
#include "physics/modelica/diag.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Decay;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"twice\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"feed\",\"schema\":\"double\",\"writable\":true},"
    "{\"@type\":\"Property\",\"name\":\"rate\",\"schema\":\"double\",\"writable\":true}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Still;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"y\",\"schema\":\"double\"}]}]";

static const char behaviors[] =
    "model Decay\n"
    "  parameter Real rate(min=0, max=1) = 0.1;\n"
    "  parameter Real idle = 1;\n"
    "  input Real feed(start=0);\n"
    "  Real x(start=5, fixed=true);\n"
    "  Real twice = 2*x;\n"
    "equation\n"
    "  der(x) = feed - rate*x + 0*idle;\n"
    "  annotation(__gemel(interface=\"dtmi:t:Decay;1\", fault(clogged=\"rate=0.01\")));\n"
    "end Decay;\n"
    "model Still\n"
    "  parameter Real level = 3;\n"
    "  Real y = level + 1e-12*sin(time);\n"
    "  annotation(__gemel(interface=\"dtmi:t:Still;1\"));\n"
    "end Still;\n";

enum { S = 1000000000 };

typedef struct world {
    gm_small_plant    plant;
    gm_behaviors     *behaviors;
    gm_diags          diags;
    gm_group         *group;
    gm_arena         *arena;
    gm_estimate_setup setups[4];
    gm_vigil         *vigil;
    uint32_t          x, twice, feed;  // signals
    gm_error          err;
} world;

static inline void open_group(world *w, const char *twin, const char *document, const char *classes)
{
    gm_behavior_text text = { GM_STR("behaviors/d.mo"), gm_str_of(classes) };
    *w       = (world){ .arena = gm_arena_create(gm_alloc_system(), 0) };
    gm_small_plant_open(&w->plant, gm_alloc_system(), models);
    gm_small_plant_twin(&w->plant, twin, document);
    gm_diags_init(&w->diags, gm_alloc_system());
    assert_gm_ok(gm_behaviors_create(gm_alloc_system(), NULL, 0, &text, 1, &w->diags, &w->behaviors, &w->err), w->err);
    assert_gm_ok(gm_group_open(w->behaviors, w->plant.state, gm_state_find(w->plant.state, gm_str_of(twin)), &w->diags, &w->group, &w->err), w->err);
}

// text: the members of the estimate behind name and root.
static inline gm_status begin_with(world *w, const char *members)
{
    char            text[2000];
    uint32_t        count = 0;
    gm_fork_report  report;
    gm_group_reader reader = gm_group_live_reader(w->plant.state);
    double         *slots  = calloc(gm_program_slot_count(gm_group_program(w->group)), sizeof *slots);
    const char     *lag    = strstr(members, "\"lag\"") != NULL ? "" : ",\"lag\":\"0s\"";
    snprintf(text, sizeof text, "{\"estimates\":[{\"name\":\"e\",\"root\":\"d\"%s%s}]}", lag, members);
    gm_status st = gm_estimate_setups_parse(w->arena, gm_str_of(text), w->setups, &count, &w->err);
    if (st == GM_OK) st = gm_group_fork(w->group, &reader, 0, slots, &report, &w->err);
    if (st == GM_OK) st = gm_vigil_create(gm_alloc_system(), &w->setups[0], w->group, slots, 0, &w->vigil, &w->err);
    free(slots);
    if (st != GM_OK) return st;
    uint32_t                  n;
    const gm_estimate_signal *s = gm_estimate_model_signals(gm_vigil_model(w->vigil), &n);
    for (uint32_t i = 0; i < n; i++) {
        if (gm_str_is(s[i].name, "d.x")) w->x = i;
        if (gm_str_is(s[i].name, "d.twice")) w->twice = i;
        if (gm_str_is(s[i].name, "d.feed")) w->feed = i;
    }
    return GM_OK;
}

static inline void open_decay(world *w, const char *members)
{
    open_group(w, "d", "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"feed\":0.0,\"x\":5.0}", behaviors);
    assert_gm_ok(begin_with(w, members), w->err);
}

static inline void close_world(world *w)
{
    gm_vigil_destroy(w->vigil);
    gm_group_close(w->group);
    gm_behaviors_destroy(w->behaviors);
    gm_diags_finish(&w->diags);
    gm_small_plant_close(&w->plant);
    gm_arena_destroy(w->arena);
}

static inline void feed(world *w, uint32_t signal, double seconds, double value)
{
    assert_gm_ok(gm_vigil_feed(w->vigil, signal, (gm_time_ns)llround(seconds * S), value, &w->err), w->err);
}

static inline void advance(world *w, double seconds)
{
    assert_gm_ok(gm_vigil_advance(w->vigil, (gm_time_ns)llround(seconds * S), &w->err), w->err);
}

static inline gm_estimator_value part(const world *w, uint32_t i) { return gm_estimator_part(gm_vigil_estimator(w->vigil), i); }

#define LINEAR ",\"measured\":{\"d.x\":{\"noise\":0.3}},\"states\":{\"d.x\":{\"deviation\":2,\"walk\":6}},\"tolerance\":1e-9,\"gate\":50"

#endif
