#include "cli/plant_behaviors.h"

#include "cli/behavior.h"
#include "cli/plant_state.h"
#include "futures/group.h"
#include "physics/modelica/modelica.h"

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, "cli.behaviors", "reading behaviors"); }

static bool is_class_text(const gm_plant_file *f) { return f->text.ptr != NULL && gm_str_ends(f->name, GM_STR(".mo")); }

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
            if (!is_class_text(f) || !is_package(f->name) || depth_of(f->name) != depth) continue;
            out[count++] = (gm_behavior_text){ f->name, f->text };
        }
    }
    for (size_t i = 0; i < files->count; i++) {
        const gm_plant_file *f = &files->items[i];
        if (is_class_text(f) && !is_package(f->name)) out[count++] = (gm_behavior_text){ f->name, f->text };
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

// ---- FMUs ---------------------------------------------------------------------------------------------------------

static bool has_file(const gm_plant *plant, gm_str name)
{
    for (size_t i = 0; i < plant->behaviors.count; i++) {
        if (gm_str_eq(plant->behaviors.items[i].name, name)) return true;
    }
    return false;
}

gm_status gm_plant_fmu_notes(const gm_plant *plant, gm_arena *arena, gm_plant_note_wrong *wrong, void *context,
                             gm_fmu_note **out_notes, size_t *out_count, gm_error *err)
{
    *out_count = 0;
    *out_notes = GM_ARENA_NEW(arena, gm_fmu_note, plant->behaviors.count + 1);
    if (*out_notes == NULL) return no_memory(err);
    for (size_t i = 0; i < plant->behaviors.count; i++) {
        const gm_plant_file *f = &plant->behaviors.items[i];
        gm_error             why = { 0 };
        if (f->text.ptr == NULL || !gm_str_ends(f->name, GM_STR(".json"))) continue;
        gm_fmu_note *note = &(*out_notes)[*out_count];
        gm_status    st   = gm_fmu_note_read(arena, f->name, f->text, note, &why);
        if (st == GM_OK && !has_file(plant, note->fmu))
            st = gm_fail_at(&why, GM_INVALID, "cli.behaviors", 1, 1, "there is no " GM_STR_FMT " beside it",
                            GM_STR_ARG(note->fmu));
        if (st == GM_OK) (*out_count)++;
        else if (st == GM_INVALID) st = wrong(context, f->name, &why);
        if (st != GM_OK) return no_memory(err);
    }
    return GM_OK;
}

gm_fmu_host gm_plant_fmu_host(const gm_alloc *alloc)
{
    return (gm_fmu_host) {
        .alloc = alloc, .clock = gm_clock_system(), .program = "/proc/self/exe", .call_limit = 60 * GM_SECOND
    };
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
        for (uint32_t m = 0; group != NULL && m < gm_group_twin_count(group); m++)
            seen[gm_group_twin(group, m).v] = true;
        gm_group_close(group);
    }
    gm_free(s->alloc, seen);
    return st == GM_OK ? GM_OK : no_memory(err);
}

static gm_status add_wrong_note(void *context, gm_str file, const gm_error *why)
{
    return gm_plant_find(context, file, why->line, why->column, "behaviors.fmu", (gm_str){ 0 }, "%s", why->text);
}

static gm_status check_note(gm_plant *plant, const gm_fmu_note *note, const gm_model *model,
                            const gm_behaviors *behaviors, gm_arena *arena)
{
    gm_error       why  = { 0 };
    gm_fmu        *fmu  = NULL;
    gm_fmu_bound   bound;
    gm_fmu_host    host = gm_plant_fmu_host(plant->alloc);
    const gm_type *type = gm_model_find(model, note->interface_id);
    gm_str path = gm_arena_printf(arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(plant->folder), GM_STR_ARG(note->fmu));
    if (path.ptr == NULL) return GM_NOMEM;
    const gm_behavior_class *class_ = type != NULL ? gm_behaviors_of(behaviors, type) : NULL;
    gm_status                st     = GM_OK;
    if (type == NULL)
        st = gm_fail_at(&why, GM_INVALID, "cli.behaviors", 1, 1,
                        "there is no interface " GM_STR_FMT "; put it into models/ or correct the name",
                        GM_STR_ARG(note->interface_id));
    else if (class_ != NULL && gm_str_eq(class_->interface_id, type->id))
        st = gm_fail_at(&why, GM_INVALID, "cli.behaviors", 1, 1,
                        GM_STR_FMT " is served by the class `" GM_STR_FMT "` already", GM_STR_ARG(type->id),
                        GM_STR_ARG(class_->name));
    if (st == GM_OK) st = gm_fmu_open(&host, path.ptr, &fmu, &why);
    if (st == GM_OK) st = gm_fmu_note_bind(arena, note, gm_fmu_described(fmu), type, &bound, &why);
    gm_fmu_close(fmu);
    return st == GM_OK || st == GM_NOMEM ? st : add_wrong_note(plant, note->file, &why);
}

static gm_status check_notes(gm_plant *plant, const gm_model *model, const gm_behaviors *behaviors, gm_error *err)
{
    gm_arena    *arena = gm_arena_create(plant->alloc, 0);
    gm_fmu_note *notes = NULL;
    size_t       count = 0;
    if (arena == NULL) return no_memory(err);
    gm_status st = gm_plant_fmu_notes(plant, arena, add_wrong_note, plant, &notes, &count, err);
    for (size_t i = 0; st == GM_OK && i < count; i++) st = check_note(plant, &notes[i], model, behaviors, arena);
    for (size_t i = 0; st == GM_OK && i < plant->behaviors.count; i++) {
        gm_str name = plant->behaviors.items[i].name, stem = gm_str_slice(name, 0, name.len > 4 ? name.len - 4 : 0);
        if (!gm_str_ends(name, GM_STR(".fmu"))) continue;
        gm_str note = gm_arena_printf(arena, GM_STR_FMT ".json", GM_STR_ARG(stem));
        if (note.ptr == NULL) st = GM_NOMEM;
        else if (!has_file(plant, note))
            st =
                gm_plant_find(plant, name, 0, 0, "behaviors.fmu", (gm_str) { 0 },
                              "nothing says whose behavior this is; put {\"interface\": \"dtmi:...\"} into " GM_STR_FMT,
                              GM_STR_ARG(note));
    }
    gm_arena_destroy(arena);
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
    if (st == GM_OK) st = check_notes(plant, s.model, behaviors, &why);
    if (st == GM_OK && sound && diags.errors == 0) {
        gm_diags_finish(&diags);  // what the classes alone are warned of is said already
        gm_diags_init(&diags, plant->alloc);
        st = check_groups(&s, behaviors, &diags, &why);
        if (st == GM_OK && diags.errors > 0) st = keep_findings(plant, &diags, "behaviors.group", &why);
    }
    if (st == GM_LIMIT)
        st = gm_plant_find(plant, GM_STR("behaviors"), 0, 0, "behaviors", (gm_str) { 0 }, "%s", why.text);
    gm_plant_sort_findings(plant);
    gm_behaviors_destroy(behaviors);
    gm_plant_state_close(&s);
    gm_diags_finish(&diags);
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}
