// What `gemel check` says of the [history ...] sections of a plant.
#include "cli/plant.h"

#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PUMP                                                                                              \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:x:Pump;1\",\"contents\":[" \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}"

static void put_file(const char *folder, const char *name, const char *text)
{
    char     path[300];
    gm_error err = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_gm_ok(gm_io_replace_file(gm_io_system(), path, text, strlen(text), &err), err);
}

static void sections_about_history_are_held_against_the_models(void **state)
{
    (void)state;
    static const struct { const char *conf; const char *model; uint32_t line; const char *says; } cases[] = {
        { "[history dtmi:x:Pump;1 flow]\nkeep = 1d\n", PUMP, 0, NULL },
        { "[history dtmi:x:Pump;1]\nkeep = 1d\nrollup = 1h\n", PUMP, 0, NULL },
        { "[history flow]\nkeep = 1d\n", PUMP, 0, NULL },
        { "\n[history dtmi:x:Pumps;1]\n", PUMP, 2, "no model of the plant is dtmi:x:Pumps;1" },
        { "[history dtmi:x:Pump;1 flux]\n", PUMP, 1, "has no property or telemetry 'flux'" },
        { "[history flux]\n", PUMP, 1, "no interface has a property" },
        { "[history flow]\nkeep = 1h\nrollup = 2h\n", PUMP, 1, "make rollup shorter" },
        { "[history dtmi:x:Pumps;1]\nkeep = 1d\n", NULL, 0, NULL },  // its models come over the API
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char      folder[] = "/tmp/gemel-history-XXXXXX", models[100], command[100];
        gm_plant *plant;
        gm_error  err = { 0 };
        assert_non_null(mkdtemp(folder));
        snprintf(models, sizeof models, "%s/models", folder);
        assert_gm_ok(gm_io_system()->make_dir(gm_io_system(), models, &err), err);
        put_file(folder, "gemel.conf", cases[i].conf);
        if (cases[i].model != NULL) put_file(models, "m.json", cases[i].model);
        assert_gm_ok(gm_plant_read(gm_io_system(), folder, &plant, &err), err);
        assert_gm_ok(gm_plant_check(plant, &err), err);
        bool right = plant->findings.count == (cases[i].says != NULL);
        if (right && cases[i].says != NULL) {
            const gm_finding *f = &plant->findings.items[0];
            right = f->line == cases[i].line && gm_str_eq(f->file, GM_STR("gemel.conf")) && gm_str_find(f->text, gm_str_of(cases[i].says)) != SIZE_MAX;
        }
        if (!right) {
            fail_msg("case %zu: %zu findings, the first one: " GM_STR_FMT, i, plant->findings.count,
                     GM_STR_ARG(plant->findings.count > 0 ? plant->findings.items[0].text : GM_STR("none")));
        }
        gm_plant_destroy(plant);
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sections_about_history_are_held_against_the_models) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
