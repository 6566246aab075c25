// Any bytes as the note beside an FMU, and as the text of a plant's behaviors: read, held against a model, and, where nothing is wrong with it, assembled
// and forked for two connected twins.
#include "futures/fmu_note.h"
#include "futures/group.h"
#include "physics/modelica/diag.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:T;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"k\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"on\",\"schema\":\"boolean\"},{\"@type\":\"Relationship\",\"name\":\"to\"}]}]";

static void apply(gm_state *state, gm_change_kind kind, const uint8_t *bytes, size_t size)
{
    static uint64_t sequence;
    gm_change       change;
    gm_error        err;
    if (gm_change_decode((uint8_t)kind, bytes, size, &change, &err) != GM_OK) abort();
    if (gm_state_apply(state, ++sequence, GM_SECOND, &change, &err) != GM_OK) abort();
}

static void put_texts(gm_state *state, gm_change_kind kind, uint32_t a, uint32_t b, gm_str id, gm_str name, gm_str text)
{
    uint8_t bytes[2000];
    size_t  size = gm_change_size_texts(id, name, text);
    if (size > sizeof bytes) abort();
    gm_change_encode_texts(bytes, a, b, 0, id, name, text);
    apply(state, kind, bytes, size);
}

static void put_twin(gm_state *state, uint32_t number, gm_str id)
{
    uint8_t       bytes[200];
    gm_cell_write cell = { 0, GM_SECOND, { .kind = GM_KIND_DOUBLE, .d = 2 } };
    size_t        size = gm_change_size_twin_put(id, GM_STR("dtmi:f:T;1"), &cell, 1);
    gm_change_encode_twin_put(bytes, number, id, GM_STR("dtmi:f:T;1"), &cell, 1);
    apply(state, GM_CHANGE_TWIN_PUT, bytes, size);
}

static void assemble(gm_behaviors *behaviors, const gm_state *state, gm_diags *diags)
{
    gm_error        err;
    gm_group       *group = NULL;
    gm_fork_report  report;
    gm_group_reader reader = gm_group_live_reader(state);
    gm_status       st     = gm_group_open(behaviors, state, (gm_twin){ 0 }, diags, &group, &err);
    if ((st == GM_OK) != (group != NULL)) abort();
    if (group == NULL) return;
    double *slots = calloc(gm_program_slot_count(gm_group_program(group)), sizeof *slots);
    if (slots == NULL) abort();
    (void)!gm_group_fork(group, &reader, 0, slots, &report, &err);
    free(slots);
    gm_group_close(group);
}

static void read_note(gm_str text)
{
    gm_error    err;
    gm_fmu_note note;
    gm_arena   *arena = gm_arena_create(gm_alloc_system(), 0);
    if (arena == NULL) abort();
    if (gm_fmu_note_read(arena, GM_STR("behaviors/f.json"), text, &note, &err) == GM_OK && note.interface_id.ptr == NULL) abort();
    gm_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '{') read_note((gm_str) { (const char *)data, size });
    gm_error         err       = { 0 };
    gm_diags         diags;
    gm_behaviors    *behaviors = NULL;
    gm_behavior_text text      = { GM_STR("fuzz.mo"), { (const char *)data, size } };
    gm_model        *model     = gm_model_create(gm_alloc_system());
    gm_state        *state     = gm_state_create(gm_alloc_system(), model);
    gm_str           none      = GM_STR("");
    if (state == NULL || size > 4000) goto done;
    put_texts(state, GM_CHANGE_MODELS, 0, 0, none, none, gm_str_of(models));
    put_twin(state, 0, GM_STR("a"));
    put_twin(state, 1, GM_STR("b.c"));
    put_texts(state, GM_CHANGE_RELATIONSHIP_PUT, 0, 1, GM_STR("r"), GM_STR("to"), GM_STR("{}"));
    gm_diags_init(&diags, gm_alloc_system());
    gm_status st = gm_behaviors_create(gm_alloc_system(), NULL, 0, &text, 1, &diags, &behaviors, &err);
    if ((st == GM_OK) != (behaviors != NULL)) abort();
    if (st == GM_OK) st = gm_behaviors_check(behaviors, model, &diags, &err);
    if (st == GM_OK && diags.errors == 0) assemble(behaviors, state, &diags);
    gm_behaviors_destroy(behaviors);
    gm_diags_finish(&diags);
done:
    gm_state_destroy(state);
    gm_model_destroy(model);
    return 0;
}
