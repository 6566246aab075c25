// gemel import and gemel export as a person runs them: into a folder, into a running server, and out again.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

#define LINES                                                                                                                         \
    "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\",\"author\":\"gemel\"}\n{\"Section\":\"Models\"}\n"                          \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\",\"contents\":["                       \
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}\n"            \
    "{\"Section\":\"Twins\"}\n"                                                                                                       \
    "{\"$dtId\":\"a\",\"speed\":1.5,\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\",\"speed\":{\"sourceTime\":\"2025-01-01T00:00:00Z\"}}}\n" \
    "{\"$dtId\":\"b\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}\n"                                                              \
    "{\"Section\":\"Relationships\"}\n"                                                                                               \
    "{\"$relationshipId\":\"r\",\"$sourceId\":\"a\",\"$targetId\":\"b\",\"$relationshipName\":\"feeds\"}\n"

static void expect(gm_ran ran, int code, const char *out)
{
    if (ran.code != code || strcmp(GM_TEXT(ran.out), out) != 0) {
        fail_msg("exit %d, '%s' '%s'; wanted %d, '%s'", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err), code, out);
    }
    gm_ran_finish(&ran);
}

static void a_plant_goes_out_and_comes_in_by_folder_and_by_server(void **state)
{
    (void)state;
    char dir[256], first[300], second[300], data[300], file[300], graph[300], bad[300];
    gm_test_make_dir(dir, sizeof dir);
    snprintf(first, sizeof first, "%s/first", dir);
    snprintf(second, sizeof second, "%s/second", dir);
    snprintf(data, sizeof data, "%s/second/data", dir);
    snprintf(file, sizeof file, "%s/in.ndjson", dir);
    snprintf(graph, sizeof graph, "%s/out.json", dir);
    snprintf(bad, sizeof bad, "%s/bad.ndjson", dir);
    gm_test_write_file(file, GM_STR(LINES));
    gm_test_write_file(bad, GM_STR("{\"Section\":\"Twins\"}\n{\"$dtId\":\"x\"}\n"));
    char keep[600];
    snprintf(keep, sizeof keep, "%s/README", first);
    gm_test_write_file(keep, GM_STR("a plant\n"));
    snprintf(keep, sizeof keep, "%s/README", second);
    gm_test_write_file(keep, GM_STR("a plant\n"));

    expect(GM_RUN("import", first, file), 0, "1 models, 2 twins and 1 relationships came in\n");
    expect(GM_RUN("export", first, "-"), 0, LINES);
    expect(GM_RUN("export", first, graph, "--graph"), 0, "");
    expect(GM_RUN("import", first, bad), 1, "0 models, 0 twins and 0 relationships came in; 1 items were refused\n");
    expect(GM_RUN("import", first), 2, "");
    expect(GM_RUN("import", first, "/nowhere/at/all"), 4, "");

    gm_served *s = gm_serve(second, data, NULL, NULL);
    expect(GM_RUN("import", "--http", s->http, graph), 0, "1 models, 2 twins and 1 relationships came in\n");
    expect(GM_RUN("export", "--http", s->http, "-"), 0, LINES);
    expect(GM_RUN("import", "--http", s->http, bad), 1, "0 models, 0 twins and 0 relationships came in; 1 items were refused\n");
    expect(GM_RUN("import", second, file), 1, "");  // somebody serves it
    assert_int_equal(gm_served_stop(s), 0);
    gm_test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_plant_goes_out_and_comes_in_by_folder_and_by_server) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
