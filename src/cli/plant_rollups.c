// The roll-ups of a plant folder: whether they read, and whether they can ever show anything.
#include "cli/plant.h"
#include "query/query.h"
#include "rollup/definition.h"

static gm_status tell(gm_plant *plant, gm_str file, uint32_t line, const gm_error *why)
{
    return gm_plant_find(plant, file, line > 0 ? line : 1, why->column > 0 ? why->column : 1, "rollups", (gm_str){ 0 }, "%s", why->text);
}

static gm_status check_one(gm_plant *plant, gm_str file, const gm_rollup_definition *d, const gm_model *model, gm_error *err)
{
    gm_error  why   = { 0 };
    gm_query *query = NULL;
    gm_status st    = d->members.len > 0 ? gm_query_prepare(plant->alloc, d->members, &query, &why) : GM_OK;
    gm_query_destroy(query);
    why.column = 0;  // of the query, not of the file
    if (st == GM_OK) st = gm_rollup_check(d, model, &why);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "cli.check", "checking roll-ups");
    return st == GM_OK ? GM_OK : tell(plant, file, d->line, &why);
}

gm_status gm_plant_check_rollups(gm_plant *plant, const gm_model *model, gm_error *err)
{
    gm_arena             *arena = gm_arena_create(plant->alloc, 0);
    gm_rollup_definition *list  = arena != NULL ? GM_ARENA_NEW(arena, gm_rollup_definition, GM_ROLLUPS_MAX + 1) : NULL;
    gm_status             st    = list != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.check", "checking roll-ups");
    uint32_t              count = 0, done = 0;
    for (size_t i = 0; st == GM_OK && i < plant->rules.count; i++) {
        const gm_plant_file *f   = &plant->rules.items[i];
        gm_error             why = { 0 };
        if (!gm_rollups_is(f->name) || f->text.ptr == NULL) continue;
        st = gm_rollups_parse(arena, f->text, list, &count, &why);
        if (st == GM_NOMEM) st = gm_fail(err, GM_NOMEM, "cli.check", "checking roll-ups");
        else if (st != GM_OK) st = tell(plant, f->name, why.line, &why);
        for (; st == GM_OK && done < count; done++) st = check_one(plant, f->name, &list[done], model, err);
    }
    gm_arena_destroy(arena);
    return st;
}
