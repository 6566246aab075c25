// tests/physics/modelica_support.h: from a Modelica text to a value at a time.
#ifndef GM_TESTS_MODELICA_SUPPORT_H
#define GM_TESTS_MODELICA_SUPPORT_H

#include "physics/compile/compile.h"
#include "physics/exec/lanes.h"
#include "physics/modelica/modelica.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct gm_test_model {
    gm_modelica *m;
    gm_diags     diags;
    gm_flat     *flat;
    gm_program  *program;
    gm_status    status;
    gm_error     err;
    gm_buf       text;     // the messages as a person sees them
    gm_plan     *plan;
    gm_worker   *worker;
    gm_lanes    *lanes;
} gm_test_model;

// Reads, flattens and compiles the last class of the text (or the one named).
static inline void gm_test_model_open(gm_test_model *t, const gm_alloc *alloc, const char *text, const char *class_name)
{
    *t = (gm_test_model){ 0 };
    t->text = gm_buf_init(gm_alloc_system());
    gm_diags_init(&t->diags, alloc);
    t->m      = gm_modelica_create(alloc, &t->err);
    t->status = t->m == NULL ? GM_NOMEM : gm_modelica_add(t->m, GM_STR("m.mo"), gm_str_of(text), &t->diags, &t->err);
    if (t->status == GM_OK) {
        gm_str name = class_name != NULL ? gm_str_of(class_name) : gm_modelica_last_class(t->m);
        t->status   = gm_modelica_flatten(t->m, name, NULL, &t->diags, &t->flat, &t->err);
    }
    if (t->status == GM_OK) t->status = gm_compile(t->flat, alloc, NULL, &t->diags, &t->program, &t->err);
    gm_diags_write(&t->diags, &t->text);
    gm_buf_byte(&t->text, 0);
}

static inline void gm_test_model_close(gm_test_model *t)
{
    gm_lanes_destroy(t->lanes);
    gm_worker_destroy(t->worker);
    gm_plan_destroy(t->plan);
    gm_program_destroy(t->program);
    gm_flat_destroy(t->flat);
    gm_modelica_destroy(t->m);
    gm_diags_finish(&t->diags);
    gm_buf_finish(&t->text);
}

// Starts one lane at t = 0.
static inline void gm_test_model_begin(gm_test_model *t, gm_method method, double tolerance)
{
    gm_plan_options options = gm_plan_options_defaults();
    options.executor  = GM_EXECUTOR_PLAIN;
    options.method    = method;
    options.tolerance = tolerance;
    assert_gm_ok(gm_plan_create(gm_alloc_system(), t->program, &options, &t->plan, &t->err), t->err);
    assert_gm_ok(gm_worker_create(gm_alloc_system(), t->plan, &t->worker, &t->err), t->err);
    assert_gm_ok(gm_lanes_create(gm_alloc_system(), t->plan, 1, &t->lanes, &t->err), t->err);
}

static inline gm_slot gm_test_slot(gm_test_model *t, const char *name, bool *out_negated)
{
    gm_slot slot = { 0 };
    if (!gm_program_find(t->program, gm_str_of(name), &slot, out_negated)) fail_msg("there is no variable %s", name);
    return slot;
}

static inline void gm_test_set(gm_test_model *t, const char *name, double value)
{
    bool    negated;
    gm_slot slot = gm_test_slot(t, name, &negated);
    gm_lanes_fill(t->lanes, slot, negated ? -value : value);
}

static inline void gm_test_run_to(gm_test_model *t, double end)
{
    if (end == 0) gm_lanes_start(t->lanes, 0, t->worker, GM_START_FRESH);
    else gm_lanes_until(t->lanes, 0, t->worker, end);
    gm_lanes_observe(t->lanes, 0, t->worker);
    gm_lane_report report = gm_lanes_report(t->lanes, 0);
    if (report.status != GM_LANE_ACTIVE && report.status != GM_LANE_TERMINATED) {
        fail_msg("the lane stopped with status %d at %g s", (int)report.status, report.time);
    }
}

static inline double gm_test_value(gm_test_model *t, const char *name)
{
    bool    negated;
    gm_slot slot  = gm_test_slot(t, name, &negated);
    double  value = gm_lanes_get(t->lanes, slot, 0);
    return negated ? -value : value;
}

#endif
