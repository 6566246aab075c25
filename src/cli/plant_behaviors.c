#include "cli/plant_behaviors.h"

#include "cli/behavior.h"
#include "cli/plant_state.h"
#include "futures/group.h"

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, "cli.behaviors", "reading behaviors"); }

static bool is_package(gm_str name) { return gm_str_ends(name, GM_STR("/package.mo")); }

static size_t depth_of(gm_str name)
{
    size_t depth = 0;
    for (size_t i = 0; i < name.len; i++) depth += name.ptr[i] == '/';
    return depth;
}

// Packages from the outermost in, then everything else in the order of the files.
static size_t order_texts(const gm_plant_files *files, gm_behavior_text *out)
{
    size_t count = 0;
    for (size_t depth = 0; depth <= GM_PLANT_DEPTH_MAX + 1; depth++) {
        for (size_t i = 0; i < files->count; i++) {
            const gm_plant_file *f = &files->items[i];
            if (f->text.ptr == NULL || !is_package(f->name) || depth_of(f->name) != depth) continue;
            out[count++] = (gm_behavior_text){ f->name, f->text };
        }
    }
    for (size_t i = 0; i < files->count; i++) {
        const gm_plant_file *f = &files->items[i];
        if (f->text.ptr != NULL && !is_package(f->name)) out[count++] = (gm_behavior_text){ f->name, f->text };
    }
    return count;
}

gm_status gm_plant_behaviors(const gm_plant *plant, gm_diags *diags, gm_behaviors **out_behaviors, gm_error *err)
{
    size_t                 library_count;
    const gm_library_text *library = gm_library_texts(&library_count);
    size_t                 room    = library_count + plant->behaviors.count + 1;
    gm_behavior_text      *texts   = gm_alloc_array(plant->alloc, room, sizeof *texts);
    *out_behaviors                 = NULL;
    if (texts == NULL) return no_memory(err);
    for (size_t i = 0; i < library_count; i++) texts[i] = (gm_behavior_text){ library[i].file, library[i].text };
    gm_behavior_text *own   = texts + library_count;
    size_t            count = order_texts(&plant->behaviors, own);
    gm_status st = gm_behaviors_create(plant->alloc, texts, library_count, own, count, diags, out_behaviors, err);
    gm_free(plant->alloc, texts);
    return st;
}

// ---- checking -----------------------------------------------------------------------------------------------------

static gm_status keep_findings(gm_plant *plant, const gm_diags *diags, const char *rule, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < diags->count; i++) {
        const gm_diag *d = &diags->items[i];
        if (d->severity == GM_SEVERITY_NOTE) continue;
        st = gm_plant_find(plant, d->file.len > 0 ? d->file : GM_STR("behaviors"), d->line, d->column, rule,
                           (gm_str){ 0 }, GM_STR_FMT, GM_STR_ARG(d->text));
    }
    return st == GM_OK ? GM_OK : no_memory(err);
}

// Opens the group of every twin that has a behavior and is not in a group seen before.
static gm_status check_groups(const gm_plant_state *s, gm_behaviors *behaviors, gm_diags *diags, gm_error *err)
{
    gm_status st   = GM_OK;
    uint32_t  many = gm_state_next_twin(s->state);
    bool     *seen = gm_alloc_zeroed(s->alloc, many + (size_t)1);
    if (seen == NULL) return no_memory(err);
    for (uint32_t i = 0; st == GM_OK && i < many && diags->errors == 0; i++) {
        gm_twin   twin  = { i };
        gm_group *group = NULL;
        if (seen[i] || !gm_state_exists(s->state, twin)) continue;
        if (gm_behaviors_of(behaviors, gm_state_type(s->state, twin)) == NULL) continue;
        gm_error why = { 0 };
        st           = gm_group_open(behaviors, s->state, twin, diags, &group, &why);
        if (st == GM_LIMIT) gm_diags_add(diags, NULL, GM_SEVERITY_ERROR, 0, 0, "%s", why.text);
        if (st == GM_INVALID || st == GM_LIMIT) st = GM_OK;
        for (uint32_t m = 0; group != NULL && m < gm_group_twin_count(group); m++) seen[gm_group_twin(group, m).v] = true;
        gm_group_close(group);
    }
    gm_free(s->alloc, seen);
    return st == GM_OK ? GM_OK : no_memory(err);
}

gm_status gm_plant_check_behaviors(gm_plant *plant, gm_error *err)
{
    gm_diags       diags;
    gm_behaviors  *behaviors = NULL;
    gm_plant_state s         = { 0 };
    bool           sound     = plant->findings.count == 0;
    gm_error       why       = { 0 };
    if (plant->behaviors.count == 0) return GM_OK;
    gm_diags_init(&diags, plant->alloc);
    gm_status st = gm_plant_behaviors(plant, &diags, &behaviors, &why);
    if (st == GM_OK) st = gm_plant_state_open(plant, sound, &s, &why);
    if (st == GM_OK) st = gm_behaviors_check(behaviors, s.model, &diags, &why);
    if (st == GM_OK) st = keep_findings(plant, &diags, "behaviors", &why);
    if (st == GM_OK && sound && diags.errors == 0) {
        gm_diags_finish(&diags);  // what the classes alone are warned of is said already
        gm_diags_init(&diags, plant->alloc);
        st = check_groups(&s, behaviors, &diags, &why);
        if (st == GM_OK && diags.errors > 0) st = keep_findings(plant, &diags, "behaviors.group", &why);
    }
    if (st == GM_LIMIT) st = gm_plant_find(plant, GM_STR("behaviors"), 0, 0, "behaviors", (gm_str) { 0 }, "%s", why.text);
    gm_plant_sort_findings(plant);
    gm_behaviors_destroy(behaviors);
    gm_plant_state_close(&s);
    gm_diags_finish(&diags);
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}
