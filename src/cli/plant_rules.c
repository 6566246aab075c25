// The rules of a plant folder: whether they read, and whether they can ever apply.
#include "cli/plant.h"
#include "control/maintain/request.h"
#include "control/optimise/plan_file.h"
#include "control/rulebook.h"

typedef struct told { gm_plant *plant; gm_status status; } told;

static void tell(void *context, const gm_statement *s, const char *text)
{
    told *t = context;
    if (t->status != GM_OK) return;
    t->status = gm_plant_find(t->plant, s->file, s->line, 1, "rules", (gm_str){ 0 }, "'" GM_STR_FMT "': %s", GM_STR_ARG(gm_str_slice(s->name, 0, 80)), text);
}

// Plans: what can be said without their groups. Whether names are there is told when a plan is first made.
static gm_status check_plans(gm_plant *plant, gm_error *err)
{
    gm_arena      *scratch = gm_arena_create(plant->alloc, 0);
    gm_plan_setup *setups  = scratch != NULL ? GM_ARENA_NEW(scratch, gm_plan_setup, GM_PLANS_MAX) : NULL;
    gm_status      st      = setups != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.plant", "checking plans");
    uint32_t       count   = 0;
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f   = &plant->rules.items[i];
        gm_error             why = { 0 };
        if (!gm_plan_file_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_plan_file_read(scratch, f->text, setups, &count, &why);
        if (st == GM_NOMEM) st = gm_fail(err, GM_NOMEM, "cli.plant", "checking plans");
        else if (st != GM_OK)
            st = gm_plant_find(plant, f->name, why.line > 0 ? why.line : 1, why.column > 0 ? why.column : 1, "plans", (gm_str){ 0 }, "%s", why.text);
    }
    gm_arena_destroy(scratch);
    return st;
}

// Maintenance: likewise; its queries, too, so that a mistake is found before the first plan.
static gm_status check_maintenance(gm_plant *plant, gm_error *err)
{
    gm_arena            *scratch  = gm_arena_create(plant->alloc, 0);
    gm_maintain_request *requests = scratch != NULL ? GM_ARENA_NEW(scratch, gm_maintain_request, GM_MAINTAIN_MAX) : NULL;
    gm_status            st       = requests != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.plant", "checking maintenance");
    uint32_t             count    = 0;
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f    = &plant->rules.items[i];
        gm_error             why  = { 0 };
        uint32_t             from = count;
        if (!gm_maintain_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_maintain_read(scratch, f->text, requests, &count, &why);
        for (uint32_t k = from; st == GM_OK && k < count; k++) st = gm_maintain_check(plant->alloc, &requests[k], &why);
        if (st == GM_NOMEM) st = gm_fail(err, GM_NOMEM, "cli.plant", "checking maintenance");
        else if (st != GM_OK)
            st = gm_plant_find(plant, f->name, why.line > 0 ? why.line : 1, why.column > 0 ? why.column : 1, "maintenance", (gm_str){ 0 }, "%s", why.text);
    }
    gm_arena_destroy(scratch);
    return st;
}

gm_status gm_plant_check_rules(gm_plant *plant, const gm_model *model, gm_error *err)
{
    gm_rulebook *book;
    gm_error     why = { 0 };
    told         t   = { plant, GM_OK };
    gm_status    st  = gm_rulebook_create(plant->alloc, &book, err);
    bool         all = true;
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (!gm_rulebook_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_rulebook_add(book, f->name, f->text, &why);
        if (st == GM_OK || st == GM_NOMEM) continue;
        all = false;
        st  = gm_plant_find(plant, f->name, why.line, why.column, "rules", (gm_str){ 0 }, "%s", why.text);
    }
    if (st == GM_OK && all) st = gm_rulebook_check(book, model, tell, &t, err);
    gm_rulebook_destroy(book);
    if (st == GM_OK) st = check_plans(plant, err);
    if (st == GM_OK) st = check_maintenance(plant, err);
    return st != GM_OK ? st : t.status;
}
