#include "aas/settle.h"

#include "aas/added.h"
#include "aas/settle_parts.h"
#include "aas/tree.h"

#include <string.h>

static const char WHERE[] = "aas.settle";

bool gm_aas_comes_by_itself(gm_aas_kind kind)
{
    return kind == GM_AAS_SERIES || kind == GM_AAS_OPERATIONAL || kind == GM_AAS_RELATIONSHIPS || kind == GM_AAS_THREAD || kind == GM_AAS_INTERFACE;
}

json_t *gm_aas_made_tree(const gm_aas_settling *s, const gm_aas_thing *thing)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_aas_write_made(s->world, thing, s->kind, &text);
    json_t *tree = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    gm_buf_finish(&text);
    return tree;
}

void gm_aas_settle_passes_over(gm_aas_settling *s, const char *list)
{
    json_t *made = json_deep_copy(s->made), *wanted = gm_aas_find((json_t *)(uintptr_t)s->wanted, gm_str_of(list));
    json_t *ours = gm_aas_find(made, gm_str_of(list)), *theirs = json_object_get(wanted, "value");
    json_decref(s->made);
    s->made = made;
    if (ours == NULL) return;
    if (theirs != NULL) (void)json_object_set(ours, "value", theirs);
    else (void)json_object_del(ours, "value");
}

static gm_status deleted(gm_aas_settling *s)
{
    switch (s->kind) {
    case GM_AAS_SERIES: return gm_fail(s->err, GM_CONFLICT, WHERE, "the time series are the twin's history: they are there as long as the twin is");
    case GM_AAS_OPERATIONAL: return gm_fail(s->err, GM_CONFLICT, WHERE, "the operational data are the twin's properties: they are there as long as the twin is");
    case GM_AAS_INTERFACE: return gm_fail(s->err, GM_CONFLICT, WHERE, "an interface is deleted as a model: DELETE /models/{id}");
    case GM_AAS_THREAD: return gm_fail(s->err, GM_CONFLICT, WHERE, "the digital thread is the record of what was said: take its facts back one by one");
    case GM_AAS_RELATIONSHIPS: return gm_aas_settle_relationships(s);
    default: return gm_aas_settle_facts(s);
    }
}

static gm_status become(gm_aas_settling *s)
{
    switch (s->kind) {
    case GM_AAS_SERIES: return GM_OK;
    case GM_AAS_INTERFACE: return GM_OK;
    case GM_AAS_OPERATIONAL: return gm_aas_settle_cells(s);
    case GM_AAS_RELATIONSHIPS: return gm_aas_settle_relationships(s);
    default: return gm_aas_settle_facts(s);
    }
}

// What is left, beside what gemel will make.
static gm_status keep_rest(gm_aas_settling *s)
{
    gm_status st = gm_aas_added_make(s->wanted, s->before, s->made, &s->out->added, s->err);
    if (st != GM_OK || s->out->added == NULL) return st;
    if (s->kind == GM_AAS_INTERFACE) return gm_fail(s->err, GM_CONFLICT, WHERE, "an interface's submodel says its DTDL and nothing else");
    size_t size = json_dumpb(s->out->added, NULL, 0, JSON_COMPACT);
    return size <= GM_FACT_TEXT_MAX ? GM_OK : gm_fail(s->err, GM_INVALID, WHERE, "what is added to this submodel has %zu bytes; at most %d can be kept", size, GM_FACT_TEXT_MAX);
}

gm_status gm_aas_settle(const gm_aas_world *world, const gm_aas_thing *thing, gm_aas_kind kind, const json_t *wanted, gm_arena *arena, gm_aas_settled *out, gm_error *err)
{
    gm_aas_settling s = { .world = world, .thing = thing, .kind = kind, .wanted = wanted, .arena = arena, .out = out, .err = err };
    bool there = (thing->kinds >> kind & 1) != 0;
    *out       = (gm_aas_settled){ .relationships = json_array(), .gone = json_array() };
    s.before   = there ? gm_aas_made_tree(&s, thing) : json_pack("{ss}", "modelType", "Submodel");
    s.made     = there ? json_incref(s.before) : gm_aas_made_tree(&s, thing);
    gm_status st = s.before != NULL && s.made != NULL && out->relationships != NULL && out->gone != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "changing a submodel");
    if (st == GM_OK) st = wanted == NULL ? deleted(&s) : become(&s);
    if (st == GM_OK && wanted != NULL) st = keep_rest(&s);
    json_decref(s.before);
    json_decref(s.made);
    json_decref(s.own);
    return st;
}

void gm_aas_settled_finish(gm_aas_settled *settled)
{
    json_decref(settled->relationships);
    json_decref(settled->gone);
    json_decref(settled->added);
    *settled = (gm_aas_settled){ 0 };
}
