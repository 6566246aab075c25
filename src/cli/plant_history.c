// The [history ...] sections of gemel.conf against the models.
#include "cli/plant.h"

// What is recorded of roll-ups has no property that it is named by.
static bool is_rollups(gm_str path) { return gm_str_is(path, "$rollup"); }

static bool has_path(const gm_type *type, gm_str path)
{
    return is_rollups(path) || gm_type_column_index(type, path) != GM_NO_COLUMN;
}

static bool anybody_has_path(const gm_model *model, gm_str path)
{
    if (is_rollups(path)) return true;
    for (size_t i = 0; i < gm_model_count(model); i++) {
        if (has_path(gm_model_at(model, i), path)) return true;
    }
    return false;
}

static gm_status check_lengths(gm_plant *plant, const gm_config_section *section)
{
    gm_str    keep = section->texts[GM_HISTORY_KEEP], rollup = section->texts[GM_HISTORY_ROLLUP];
    gm_dur_ns kept = 0, rolled = 0;
    if (keep.len > 0) (void)!gm_dur_parse(keep, &kept, NULL);
    if (rollup.len > 0) (void)!gm_dur_parse(rollup, &rolled, NULL);
    if (rolled > 0 && kept > 0 && rolled > kept) {
        return gm_plant_find(plant, GM_STR("gemel.conf"), section->line, 1, "history.rollup", (gm_str){ 0 },
                             "samples are kept for less than one stretch that is rolled up; make rollup shorter than keep");
    }
    return GM_OK;
}

gm_status gm_plant_check_history(gm_plant *plant, const gm_model *model)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < plant->config.section_count; i++) {
        const gm_config_section *section = &plant->config.sections[i];
        gm_str                   interface, path;
        if (section->kind != &gm_section_history) continue;
        gm_config_history_name(section, &interface, &path);
        st                  = check_lengths(plant, section);
        const gm_type *type = interface.len > 0 ? gm_model_find(model, interface) : NULL;
        // A plant without models of its own gets them over the API later.
        if (st != GM_OK || gm_model_count(model) == 0) continue;
        if (interface.len > 0 && type == NULL) {
            st = gm_plant_find(plant, GM_STR("gemel.conf"), section->line, 1, "history.interface", interface,
                               "no model of the plant is " GM_STR_FMT, GM_STR_ARG(interface));
        } else if (path.len > 0 && (type != NULL ? !has_path(type, path) : !anybody_has_path(model, path))) {
            st = gm_plant_find(plant, GM_STR("gemel.conf"), section->line, 1, "history.property", interface,
                               "%s property or telemetry '" GM_STR_FMT "'; parts of objects and components are written a/b",
                               type != NULL ? "the interface has no" : "no interface has a", GM_STR_ARG(path));
        }
    }
    return st;
}
