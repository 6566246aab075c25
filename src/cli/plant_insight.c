#include "cli/plant_insight.h"

#include "cli/plant_behaviors.h"
#include "cli/plant_state.h"
#include "insight/estimate/cases.h"
#include "insight/live/lookout.h"
#include "insight/live/wear.h"
#include "insight/text_file.h"
#include "physics/modelica/diag.h"

enum { FILE_LIMIT = 1 << 20 };

static const char LOOKOUT_RULE[] = "insight", ESTIMATE_RULE[] = "estimate";

typedef struct check {
    gm_plant          *plant;
    const gm_io       *io;
    gm_arena          *arena;
    const char        *folder;        // "insight" or "estimate"
    gm_lookout        *lookouts;      // [GM_LOOKOUTS_MAX]
    gm_estimate_setup *setups;        // [GM_ESTIMATE_SETUPS_MAX]
    gm_str            *setup_files;   // [GM_ESTIMATE_SETUPS_MAX]
    gm_str            *lookout_files; // [GM_LOOKOUTS_MAX]
    uint32_t           lookout_count, setup_count;
    gm_status          status;        // GM_NOMEM
} check;

static void find(check *c, gm_str file, uint32_t line, const char *rule, const char *text)
{
    if (c->status == GM_OK) c->status = gm_plant_find(c->plant, file, line, 1, rule, (gm_str){ 0 }, "%s", text);
}

static void find_name(check *c, gm_str file, uint32_t line, const char *rule, gm_str who, gm_str what, const char *text)
{
    gm_str all = gm_arena_printf(c->arena, "'" GM_STR_FMT "': '" GM_STR_FMT "' %s", GM_STR_ARG(gm_str_slice(who, 0, 60)), GM_STR_ARG(gm_str_slice(what, 0, 100)), text);
    if (all.ptr == NULL) c->status = GM_NOMEM;
    else find(c, file, line, rule, all.ptr);
}

// ---- reading --------------------------------------------------------------------------------------------------------

static gm_status read_file(void *context, gm_str name, gm_error *err)
{
    check   *c    = context;
    bool     mine = c->folder[0] == 'i';
    gm_error why  = { 0 };
    if (!gm_str_ends(name, GM_STR(".json"))) return GM_OK;
    gm_str file = gm_arena_printf(c->arena, "%s/" GM_STR_FMT, c->folder, GM_STR_ARG(name));
    gm_str path = gm_arena_printf(c->arena, GM_STR_FMT "/%s/" GM_STR_FMT, GM_STR_ARG(c->plant->folder), c->folder, GM_STR_ARG(name));
    gm_buf text = gm_buf_init(c->plant->alloc);
    if (file.ptr == NULL || path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.check", "reading %s/", c->folder);
    uint32_t  before = mine ? c->lookout_count : c->setup_count;
    gm_status st     = gm_text_file_read(c->io, path.ptr, FILE_LIMIT, &text, &why);
    if (st == GM_OK && mine) st = gm_lookouts_parse(c->arena, gm_buf_view(&text), c->lookouts, &c->lookout_count, &why);
    if (st == GM_OK && !mine) st = gm_estimate_setups_parse(c->arena, gm_buf_view(&text), c->setups, &c->setup_count, &why);
    gm_buf_finish(&text);
    for (uint32_t i = before; mine && i < c->lookout_count; i++) c->lookout_files[i] = file;
    for (uint32_t i = before; !mine && i < c->setup_count; i++) c->setup_files[i] = file;
    if (st == GM_NOMEM) return gm_fail(err, st, "cli.check", "reading %s", path.ptr);
    if (st != GM_OK) find(c, file, why.line, mine ? LOOKOUT_RULE : ESTIMATE_RULE, why.text);
    return c->status;
}

static gm_status read_folder(check *c, const char *folder, gm_error *err)
{
    gm_error why  = { 0 };
    gm_str   path = gm_arena_printf(c->arena, GM_STR_FMT "/%s", GM_STR_ARG(c->plant->folder), folder);
    c->folder     = folder;
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.check", "reading %s/", folder);
    // A plant without the folder asks for nothing.
    return c->io->list(c->io, path.ptr, read_file, c, &why) == GM_NOMEM ? gm_fail(err, GM_NOMEM, "cli.check", "reading %s/", folder) : GM_OK;
}

// ---- detectors ------------------------------------------------------------------------------------------------------

static bool is_number(gm_kind kind) { return kind == GM_KIND_DOUBLE || kind == GM_KIND_INT || kind == GM_KIND_BOOL; }

static void check_column(check *c, const gm_lookout *l, gm_str file, const gm_type *type, gm_str name, bool written)
{
    uint32_t column = gm_type_column_index(type, name);
    if (column == GM_NO_COLUMN) find_name(c, file, l->line, LOOKOUT_RULE, l->name, name, "is no property of its interface; add it to the model or correct the name");
    else if (written && type->columns[column].kind != GM_KIND_DOUBLE)
        find_name(c, file, l->line, LOOKOUT_RULE, l->name, name, "gets a result and must be a double");
    else if (!is_number(type->columns[column].kind)) find_name(c, file, l->line, LOOKOUT_RULE, l->name, name, "is no number");
}

// What is named is there; whether "until" and "vary" mean something is asked of the group itself, where it compiles.
static void check_wear(check *c, const gm_plant_state *s, gm_behaviors *behaviors, const gm_lookout *l, gm_str file)
{
    gm_group *group = NULL;
    gm_diags  diags;
    gm_error  why  = { 0 };
    gm_twin   twin = gm_state_find(s->state, l->twin);
    if (!gm_twin_ok(twin)) {
        find_name(c, file, l->line, LOOKOUT_RULE, l->name, l->twin, "is no twin of twins/; correct \"twin\"");
        return;
    }
    for (int k = 0; k < GM_LOOKOUT_INTO; k++)
        if (l->into[k].len > 0) check_column(c, l, file, gm_state_type(s->state, twin), l->into[k], true);
    bool estimated = false;
    for (uint32_t i = 0; i < c->setup_count; i++) estimated |= c->setups[i].states.count + c->setups[i].parameters.count + c->setups[i].measured.count > 0;
    if (!estimated) find_name(c, file, l->line, LOOKOUT_RULE, l->name, l->twin, "is not estimated; wear needs an entry of estimate/*.json for its group");
    gm_diags_init(&diags, c->plant->alloc);
    gm_status st = gm_group_open(behaviors, s->state, twin, &diags, &group, &why);
    if (st == GM_NOTFOUND) find_name(c, file, l->line, LOOKOUT_RULE, l->name, l->twin, "has no behavior; a class in behaviors/ must name its interface");
    if (st == GM_OK) {
        st = gm_wear_check(c->plant->alloc, l, group, &why);
        if (st != GM_OK && st != GM_NOMEM) find(c, file, l->line, LOOKOUT_RULE, why.text);
    }
    if (st == GM_NOMEM) c->status = GM_NOMEM;
    if (group != NULL) gm_group_close(group);
    gm_diags_finish(&diags);
}

static void check_lookouts(check *c, const gm_model *model)
{
    for (uint32_t i = 0; i < c->lookout_count; i++) {
        const gm_lookout *l    = &c->lookouts[i];
        gm_str            file = c->lookout_files[i];
        const gm_type    *type = gm_model_find(model, l->interface);
        for (uint32_t k = 0; k < i; k++)
            if (gm_str_eq(c->lookouts[k].name, l->name)) find_name(c, file, l->line, LOOKOUT_RULE, l->name, l->name, "stands already further up; detectors and models have different names");
        if (l->kind == GM_LOOKOUT_WEAR) continue;
        if (type == NULL) {
            find_name(c, file, l->line, LOOKOUT_RULE, l->name, l->interface, "is no interface of models/; correct \"interface\"");
            continue;
        }
        for (uint32_t k = 0; k < l->count; k++) check_column(c, l, file, type, l->properties[k], false);
        if (l->failed.len > 0) check_column(c, l, file, type, l->failed, false);
        if (l->age.len > 0) check_column(c, l, file, type, l->age, false);
        for (int k = 0; k < GM_LOOKOUT_INTO; k++)
            if (l->into[k].len > 0) check_column(c, l, file, type, l->into[k], true);
    }
}

// ---- estimates ------------------------------------------------------------------------------------------------------

static void check_into(check *c, const gm_plant_state *s, const gm_estimate_setup *e, gm_str file, const gm_estimate_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const gm_estimate_ask *ask  = &list->items[i];
        gm_str                 id   = gm_str_slice(ask->name, 0, gm_str_find_char(ask->name, '.'));
        gm_twin                twin = gm_state_find(s->state, id);
        for (int k = 0; gm_twin_ok(twin) && k < GM_ESTIMATE_INTO && ask->into[k].len > 0; k++) {
            const gm_type *type   = gm_state_type(s->state, twin);
            uint32_t       column = gm_type_column_index(type, ask->into[k]);
            if (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_DOUBLE)
                find_name(c, file, ask->line, ESTIMATE_RULE, e->name, ask->into[k], "is no double of its twin; \"into\" names properties that the model has");
        }
    }
}

static void bind(check *c, const gm_plant_state *s, gm_behaviors *behaviors, const gm_estimate_setup *e, gm_str file)
{
    gm_group          *group = NULL;
    gm_estimate_model *model = NULL;
    gm_diags           diags;
    gm_error           why   = { 0 };
    gm_twin            root  = gm_state_find(s->state, e->root);
    if (!gm_twin_ok(root)) {
        find_name(c, file, e->line, ESTIMATE_RULE, e->name, e->root, "is no twin of twins/; correct \"root\"");
        return;
    }
    gm_diags_init(&diags, c->plant->alloc);
    gm_status st = gm_group_open(behaviors, s->state, root, &diags, &group, &why);
    // What does not compile has been told already.
    if (st == GM_NOTFOUND) find_name(c, file, e->line, ESTIMATE_RULE, e->name, e->root, "has no behavior; a class in behaviors/ must name its interface");
    if (st == GM_OK) {
        st = gm_estimate_bind(c->plant->alloc, e, group, true, &model, &why);
        if (st == GM_OK) st = gm_cases_check(model, group, &why);
        if (st != GM_OK && st != GM_NOMEM) find(c, file, why.line > 0 ? why.line : e->line, ESTIMATE_RULE, why.text);
    }
    if (st == GM_NOMEM) c->status = GM_NOMEM;
    gm_estimate_model_destroy(model);
    if (group != NULL) gm_group_close(group);
    gm_diags_finish(&diags);
    gm_estimate_list const *const lists[] = { &e->measured, &e->parameters, &e->faults, &e->states };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) check_into(c, s, e, file, lists[i]);
    for (uint32_t i = 0; i < e->case_count; i++) {
        const gm_type *type   = gm_state_type(s->state, root);
        uint32_t       column = e->cases[i].into.len > 0 ? gm_type_column_index(type, e->cases[i].into) : 0;
        if (e->cases[i].into.len > 0 && (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_DOUBLE))
            find_name(c, file, e->cases[i].line, ESTIMATE_RULE, e->name, e->cases[i].into, "is no double of the root; \"into\" names properties that the model has");
    }
}

static gm_status check_estimates(check *c, const gm_plant_state *s, gm_error *err)
{
    gm_behaviors *behaviors = NULL;
    gm_diags      diags;
    gm_diags_init(&diags, c->plant->alloc);
    gm_status st = gm_plant_behaviors(c->plant, &diags, &behaviors, err);
    for (uint32_t i = 0; st == GM_OK && i < c->setup_count; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (gm_str_eq(c->setups[k].name, c->setups[i].name))
                find_name(c, c->setup_files[i], c->setups[i].line, ESTIMATE_RULE, c->setups[i].name, c->setups[i].name, "stands already further up; estimates have different names");
        bind(c, s, behaviors, &c->setups[i], c->setup_files[i]);
    }
    for (uint32_t i = 0; st == GM_OK && i < c->lookout_count; i++)
        if (c->lookouts[i].kind == GM_LOOKOUT_WEAR) check_wear(c, s, behaviors, &c->lookouts[i], c->lookout_files[i]);
    gm_behaviors_destroy(behaviors);
    gm_diags_finish(&diags);
    return st == GM_NOMEM ? st : GM_OK;
}

gm_status gm_plant_check_insight(gm_plant *plant, const gm_io *io, gm_error *err)
{
    check          c     = { .plant = plant, .io = io, .arena = gm_arena_create(plant->alloc, 0) };
    gm_plant_state s     = { 0 };
    bool           sound = plant->findings.count == 0;
    gm_status      st    = c.arena != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) {
        c.lookouts      = GM_ARENA_NEW(c.arena, gm_lookout, GM_LOOKOUTS_MAX);
        c.lookout_files = GM_ARENA_NEW(c.arena, gm_str, GM_LOOKOUTS_MAX);
        c.setups        = GM_ARENA_NEW(c.arena, gm_estimate_setup, GM_ESTIMATE_SETUPS_MAX);
        c.setup_files   = GM_ARENA_NEW(c.arena, gm_str, GM_ESTIMATE_SETUPS_MAX);
        if (c.lookouts == NULL || c.lookout_files == NULL || c.setups == NULL || c.setup_files == NULL) st = GM_NOMEM;
    }
    if (st == GM_OK) st = read_folder(&c, "insight", err);
    if (st == GM_OK) st = read_folder(&c, "estimate", err);
    if (st == GM_OK && c.lookout_count + c.setup_count > 0) {
        st = gm_plant_state_open(plant, sound, &s, err);
        if (st == GM_OK) check_lookouts(&c, s.model);
        if (st == GM_OK && sound) st = check_estimates(&c, &s, err);
        if (st == GM_INVALID || st == GM_NOTFOUND) st = GM_OK;  // of the plant itself: told
    }
    gm_plant_sort_findings(plant);
    gm_plant_state_close(&s);
    gm_arena_destroy(c.arena);
    if (st == GM_OK) st = c.status;
    return st == GM_OK ? st : gm_fail(err, GM_NOMEM, "cli.check", "checking insight/ and estimate/");
}
