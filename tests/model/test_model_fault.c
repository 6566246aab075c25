// No allocation may be refused without a clean end: nothing added, nothing leaked, and the model still works.
#include "model/dtdl_case.h"
#include "model/model.h"

#include "support/support.h"

static const char good[] =
    "[{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:annotation;2\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],"
    "\"@id\":\"dtmi:t:B;1\",\"@type\":\"Interface\",\"displayName\":{\"en\":\"b\"},\"contents\":["
    "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":\"kelvin\"},"
    "{\"@type\":[\"Property\",\"ValueAnnotation\"],\"name\":\"q\",\"schema\":\"double\",\"annotates\":\"t\"},"
    "{\"@type\":\"Command\",\"name\":\"c\",\"request\":{\"name\":\"r\",\"schema\":{\"@type\":\"Enum\",\"valueSchema\":\"string\","
    "\"enumValues\":[{\"name\":\"a\",\"enumValue\":\"1\"},{\"name\":\"b\",\"enumValue\":\"2\"}]}}}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:B;1\",\"schemas\":"
    "{\"@id\":\"dtmi:t:o;1\",\"@type\":\"Object\",\"fields\":[{\"name\":\"x\",\"schema\":\"long\"},{\"name\":\"y\",\"schema\":"
    "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"date\"}}}]},"
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"dtmi:t:o;1\"},{\"@type\":\"Component\",\"name\":\"m\","
    "\"schema\":{\"@id\":\"dtmi:t:C;1\",\"@type\":\"Interface\",\"contents\":{\"@type\":\"Telemetry\",\"name\":\"z\\u0061\",\"schema\":"
    "\"float\"}}},{\"@type\":\"Relationship\",\"name\":\"r\",\"properties\":{\"@type\":\"Property\",\"name\":\"w\",\"schema\":"
    "\"string\"}}]}]";
static const char bad[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:D;1\",\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Telemetry\","
    "\"name\":\"a\",\"schema\":\"nothing\"},{\"@type\":\"Nobody\",\"name\":\"b\"},{\"@type\":\"Telemetry\",\"name\":\"a\"}]}";

static gm_status job(const gm_alloc *alloc)
{
    gm_findings found = {0};
    gm_model   *model = gm_model_create(alloc);
    if (model == NULL) return GM_NOMEM;
    gm_model_source src = { .file = GM_STR("a.json"), .text = gm_str_of(good) };
    gm_status       st  = gm_model_add(model, &src, 1, &found, NULL);
    assert_true(st == GM_OK || st == GM_NOMEM);
    assert_int_equal(gm_model_count(model), st == GM_OK ? 3 : 0);
    gm_findings_finish(&found);
    if (st == GM_OK) {
        src.text = gm_str_of(bad);
        st = gm_model_add(model, &src, 1, &found, NULL);
        assert_true(st == GM_INVALID || st == GM_NOMEM);
        assert_int_equal(gm_model_count(model), 3);
        gm_findings_finish(&found);
        if (st == GM_INVALID) st = gm_model_remove(model, GM_STR("dtmi:t:A;1"), NULL);
    }
    gm_model_destroy(model);
    return st;
}

static gm_status case_job(const gm_alloc *alloc)
{
    gm_buf    out = gm_buf_init(alloc);
    bool      ok;
    gm_status st = gm_dtdl_case_run(alloc, GM_STR("{\"valid\":true,\"input\":[{\"@context\":\"dtmi:dtdl:context;2\",\"@id\":"
                                                  "\"dtmi:t:A;1\",\"@type\":\"Interface\"}],\"expect\":{\"elements\":[{\"id\":"
                                                  "\"dtmi:t:A;1\"}]}}"), &out, &ok, NULL);
    assert_true(ok == (st == GM_OK));
    gm_buf_finish(&out);
    return st;
}

static void survives(gm_status (*work)(const gm_alloc *alloc))
{
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_status st = work(&fault.alloc);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            assert_true(k > 5);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

static void adding_and_refusing_survive_every_allocation_failure(void **state) { (void)state; survives(job); }
static void running_a_case_survives_every_allocation_failure(void **state) { (void)state; survives(case_job); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_and_refusing_survive_every_allocation_failure),
        cmocka_unit_test(running_a_case_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
