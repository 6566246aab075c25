// A whole building ontology: 3,700 interfaces as one array, when the shared data folder stands beside the project.
#include "model/model.h"

#include "base/buf.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void an_ontology_of_thousands_of_interfaces_loads_at_once(void **state)
{
    (void)state;
    const char *root = getenv("GM_SOURCE_ROOT");
    char        path[2048], command[2100];
    snprintf(path, sizeof path, "%s/../shared/data/ontologies/willow-building.v3.json.gz", root != NULL ? root : ".");
    if (access(path, R_OK) != 0) {
        print_message("SKIPPED: %s is not here\n", path);
        skip();
    }
    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    gm_buf text = gm_buf_init(gm_alloc_system());
    for (size_t n = 1; n > 0;) {
        uint8_t *to = gm_buf_reserve(&text, 1 << 16);
        assert_non_null(to);
        n = fread(to, 1, 1 << 16, pipe);
        text.len += n;
    }
    assert_int_equal(pclose(pipe), 0);

    gm_model       *model = gm_model_create(gm_alloc_system());
    gm_model_source src   = { .file = GM_STR("willow"), .text = gm_buf_view(&text) };
    gm_findings     found;
    gm_error        err   = {0};
    gm_dur_ns       start = gm_monotonic(gm_clock_system());
    assert_gm_ok(gm_model_add(model, &src, 1, &found, &err), err);
    gm_dur_ns spent   = gm_monotonic(gm_clock_system()) - start;
    size_t    columns = 0;
    for (size_t i = 0; i < gm_model_count(model); i++) columns += gm_model_at(model, i)->column_count;
    print_message("%zu interfaces, %zu columns in %.1f ms\n", gm_model_count(model), columns, (double)spent / 1e6);
    assert_int_equal(gm_model_count(model), 3700);

    // An asset's barrier is a kind of asset, with what it inherits first and its units known.
    const gm_type *barrier = gm_model_find(model, GM_STR("dtmi:com:willowinc:BarrierAsset;1"));
    const gm_type *asset   = gm_model_find(model, GM_STR("dtmi:com:willowinc:Asset;1"));
    assert_true(gm_type_is(barrier, asset));
    assert_true(barrier->column_count > asset->column_count);
    gm_model_destroy(model);
    gm_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_ontology_of_thousands_of_interfaces_loads_at_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
