// The failure modes of a plant folder: whether they read, and whether they can ever be.
#include "cli/plant.h"
#include "control/rulebook.h"
#include "failure/failures.h"
#include "query/query.h"

#include <stdio.h>

typedef struct told { gm_plant *plant; gm_status status; } told;

static void tell(void *context, const gm_failure_scope *scope, const char *text)
{
    told *t = context;
    if (t->status == GM_OK) t->status = gm_plant_find(t->plant, scope->file, scope->line, 1, "modes", (gm_str){ 0 }, "%s", text);
}

static bool raises(const gm_statement *s)
{
    for (size_t i = 0; i < s->action_count; i++)
        if (s->actions[i].kind == GM_DO_ALARM) return true;
    return false;
}

// A sign by an alarm that no rule raises would never show.
static void check_alarms(const gm_failure_modes *modes, const gm_rulebook *book, told *t)
{
    char text[200];
    for (uint32_t i = 0; i < modes->mode_count; i++) {
        const gm_failure_mode *m = &modes->modes[i];
        for (uint32_t k = 0; k < m->sign_count; k++) {
            bool found = m->signs[k].kind != GM_SIGN_ALARM;
            for (size_t r = 0; !found && r < book->count; r++) found = gm_str_eq(book->items[r]->name, m->signs[k].name) && raises(book->items[r]);
            if (found) continue;
            snprintf(text, sizeof text, "mode '" GM_STR_FMT "': no rule raises an alarm '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(m->name, 0, 50)),
                     GM_STR_ARG(gm_str_slice(m->signs[k].name, 0, 50)));
            tell(t, &m->scope, text);
        }
    }
}

static gm_status check_query(gm_plant *plant, const gm_failure_scope *scope, told *t)
{
    gm_error  why   = { 0 };
    gm_query *query = NULL;
    if (scope->members.len == 0) return GM_OK;
    gm_status st = gm_failure_query_open(plant->alloc, scope->members, &query, &why);
    gm_query_destroy(query);
    if (st == GM_NOMEM) return st;
    if (st != GM_OK) tell(t, scope, why.text);
    return GM_OK;
}

static gm_status check_queries(gm_plant *plant, const gm_failure_modes *m, told *t)
{
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < m->mode_count; i++) st = check_query(plant, &m->modes[i].scope, t);
    for (uint32_t i = 0; st == GM_OK && i < m->need_count; i++) st = check_query(plant, &m->needs[i].scope, t);
    for (uint32_t i = 0; st == GM_OK && i < m->loss_count; i++) st = check_query(plant, &m->losses[i].scope, t);
    for (uint32_t i = 0; st == GM_OK && i < m->common_count; i++) st = check_query(plant, &m->common[i].scope, t);
    return st;
}

// Rules that do not read have been told by who reads them; here they have no names then.
static gm_status read_rules(gm_plant *plant, gm_rulebook *book, bool *whole)
{
    gm_status st = GM_OK;
    *whole       = true;
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f   = &plant->rules.items[i];
        gm_error             why = { 0 };
        if (!gm_rulebook_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_rulebook_add(book, f->name, f->text, &why);
        if (st != GM_OK && st != GM_NOMEM) {
            *whole = false;
            st     = GM_OK;
        }
    }
    return st;
}

gm_status gm_plant_check_modes(gm_plant *plant, const gm_model *model, gm_error *err)
{
    gm_failure_modes    *modes = NULL;
    gm_rulebook *book  = NULL;
    told         t     = { plant, GM_OK };
    bool         all   = true, rules;
    gm_status    st    = gm_failure_modes_create(plant->alloc, &modes, err);
    if (st == GM_OK) st = gm_rulebook_create(plant->alloc, &book, err);
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f   = &plant->rules.items[i];
        gm_error             why = { 0 };
        if (!gm_failure_modes_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_failure_modes_add(modes, f->name, f->text, &why);
        if (st == GM_OK || st == GM_NOMEM) continue;
        all = false;
        st  = gm_plant_find(plant, f->name, why.line > 0 ? why.line : 1, why.column > 0 ? why.column : 1, "modes", (gm_str){ 0 }, "%s", why.text);
    }
    if (st == GM_OK && modes->mode_count > 0) {
        st = read_rules(plant, book, &rules);
        if (st == GM_OK && rules && all) check_alarms(modes, book, &t);
    }
    if (st == GM_OK && all) {
        gm_failure_modes_check(modes, model, tell, &t);
        st = check_queries(plant, modes, &t);
    }
    gm_rulebook_destroy(book);
    gm_failure_modes_destroy(modes);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "cli.check", "checking failure modes");
    return st != GM_OK ? st : t.status;
}

gm_status gm_plant_set_modes(const gm_plant *plant, gm_failures *failures, gm_str *out_file, gm_error *err)
{
    size_t           count = 0, file = 0;
    gm_failure_file *files = gm_alloc_array(plant->alloc, plant->rules.count + 1, sizeof *files);
    *out_file              = (gm_str){ 0 };
    if (files == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "reading failure modes");
    for (size_t i = 0; i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (gm_failure_modes_is(f->name) && f->text.ptr != NULL) files[count++] = (gm_failure_file){ f->name, f->text };
    }
    gm_status st = gm_failures_set(failures, files, count, &file, err);
    if (st != GM_OK && file < count) *out_file = files[file].name;
    gm_free(plant->alloc, files);
    return st;
}
