// Import, export and jobs: what goes out comes in again as it was, and jobs do what they say, also across a restart.
#include "base/rng.h"
#include "support/api_plant.h"
#include "support/files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char jobs_dir[300];
static void with_jobs(gm_api_options *options) { options->jobs_dir = jobs_dir; }

static void start(api_plant *plant)
{
    api_plant_start(plant, NULL);
    snprintf(jobs_dir, sizeof jobs_dir, "%s/jobs", plant->dir);
    plant->change = with_jobs;
    api_plant_restart(plant);
}

static char *take_export(api_plant *plant, const char *target)
{
    test_http_reply *reply = test_http_ask(&plant->client, "GET", target, NULL, NULL);
    assert_int_equal(reply->status, 200);
    return strndup((const char *)reply->body.ptr, reply->body.len);
}

static void import(api_plant *plant, const char *text, const char *expect)
{
    api_step step = { "POST", "/v1/import", "Content-Type: application/x-ndjson\r\n", text, 200, expect };
    api_plant_talk(plant, &step, 1);
}

typedef struct dice { uint64_t seed, draw; } dice;
static uint64_t roll(dice *d, uint64_t n) { return gm_rng_bits(d->seed, 0, 0, d->draw++) % n; }

// A plant drawn by chance: values of every kind, some left out, with odd ids, and relationships between its twins.
static void draw(gm_buf *out, uint64_t seed)
{
    enum { TWINS = 60, RELATIONSHIPS = 120 };
    dice rng = { seed, 0 };
    gm_buf_text(out, "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\"}\n{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < TWINS; i++) {
        gm_buf_printf(out, "{\"$dtId\":\"t %d/\u00e4\",\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"", i);
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"limit\":{\"sourceTime\":\"2020-01-%02dT00:00:00.%03dZ\"}", 1 + i % 28, i);
        gm_buf_byte(out, '}');
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"limit\":%d", (int)roll(&rng, 1000) - 500);
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"name\":\"n\\n\\\"%d\\u0001\u20ac\"", i);
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"on\":%s", i % 2 ? "true" : "false");
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"heat\":%.17g", (double)roll(&rng, 1000000) / 7e3 * (i % 3 == 0 ? 1e-20 : 1));
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"address\":{\"street\":\"s%d\"}", i);
        if (roll(&rng, 2)) gm_buf_printf(out, ",\"tags\":{\"a b\":\"%d\",\"c\":\"\"}", i);
        if (roll(&rng, 2)) gm_buf_text(out, ",\"mode\":\"auto\",\"since\":\"2024-02-29\"");
        gm_buf_printf(out, ",\"motor\":{\"$metadata\":{}%s}}\n", roll(&rng, 2) ? ",\"speed\":1.5" : "");
    }
    gm_buf_text(out, "{\"Section\":\"Relationships\"}\n");
    for (int i = 0; i < RELATIONSHIPS; i++) {
        int from = (int)roll(&rng, TWINS), to = (from + 1 + (int)roll(&rng, TWINS - 1)) % TWINS;
        gm_buf_printf(out, "{\"$sourceId\":\"t %d/\u00e4\",\"$targetId\":\"t %d/\u00e4\",\"$relationshipId\":\"r/%d\",\"$relationshipName\":\"%s\"%s}\n",
                      from, to, i, i % 2 ? "feeds" : "near", i % 4 == 1 ? ",\"flow\":0.1" : "");
    }
    gm_buf_byte(out, '\0');
}

static void what_was_exported_comes_in_as_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        static api_plant first, second, third;
        gm_buf text = gm_buf_init(gm_alloc_system());
        draw(&text, seed);
        api_plant_start(&first, NULL);
        api_plant_fill(&first);
        import(&first, (const char *)text.ptr, "\"twins\":60,\"relationships\":120,\"refused\":0");
        char *lines = take_export(&first, "/v1/export"), *graph = take_export(&first, "/v1/export?format=graph");
        api_plant_start(&second, NULL);
        import(&second, lines, "\"refused\":0,\"error\":null");
        char *again = take_export(&second, "/v1/export");
        if (strcmp(lines, again) != 0) fail_msg("seed %d: newline JSON differs:\n%s\n%s", (int)seed, lines, again);
        api_plant_start(&third, NULL);
        import(&third, graph, "\"refused\":0,\"error\":null");
        char *back = take_export(&third, "/v1/export?format=graph"), *lines_of_graph = take_export(&third, "/v1/export");
        if (strcmp(graph, back) != 0) fail_msg("seed %d: the graph differs:\n%s\n%s", (int)seed, graph, back);
        assert_string_equal(lines, lines_of_graph);
        import(&third, lines, "\"models\":0,\"twins\":63");  // everything is there: replaced by itself
        char *same = take_export(&third, "/v1/export");
        assert_string_equal(lines, same);
        json_t *json = json_loads(graph, 0, NULL);
        assert_int_equal(json_array_size(json_object_get(json_object_get(json, "digitalTwinsGraph"), "digitalTwins")), 63);
        json_decref(json);
        free(lines), free(graph), free(again), free(back), free(lines_of_graph), free(same);
        gm_buf_finish(&text);
        api_plant_stop(&first);
        api_plant_stop(&second);
        api_plant_stop(&third);
    }
}

static void what_does_not_fit_is_told_and_passed_over(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    api_plant_fill(&plant);
#define TWINS "{\"Section\":\"Twins\"}\n"
#define FITS "{\"$dtId\":\"fine\",\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}\n"
    static const struct { const char *text, *says; } cases[] = {
        { "", "\"twins\":0" },
        { TWINS FITS "nonsense\n" FITS, "line 3: no JSON object" },
        { TWINS "{\"$dtId\":\"x\",\"$dtId\":\"y\"}\n" FITS, "line 2: no JSON object" },
        { TWINS "{}\n" FITS, "a twin needs a $dtId" },
        { TWINS "{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"dtmi:t:None;1\"}}\n" FITS, "ValidationFailed" },
        { TWINS "{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"},\"name\":5}\n" FITS, "\"id\":\"a\"" },
        { "{\"Section\":\"Twin\"}\n", "no such section" },
        { "{\"Section\":\"Header\"}\n\n" TWINS FITS "{\"Section\":\"Relationships\"}\n{\"$sourceId\":\"fine\",\"$targetId\":\"none\","
          "\"$relationshipId\":\"r\",\"$relationshipName\":\"has\"}\n", "TargetDigitalTwinNotFound" },
        { "{\"Section\":\"Relationships\"}\n{\"$sourceId\":\"none\",\"$targetId\":\"p1\",\"$relationshipId\":\"r\",\"$relationshipName\":\"has\"}\n",
          "DigitalTwinNotFound" },
        { "{\"Section\":\"Relationships\"}\n{\"$sourceId\":\"p1\",\"$targetId\":\"p1\",\"$relationshipId\":\"r\",\"$relationshipName\":\"feeds\"}\n",
          "OperationNotAllowed" },
        { "{\"Section\":\"Relationships\"}\n{\"$sourceId\":\"p1\",\"$targetId\":\"room 1/\u00e4\",\"$relationshipId\":\"r\",\"$relationshipName\":\"near\"}\n",
          "does not fit the relationship" },
        { "{\"Section\":\"Relationships\"}\n{\"$sourceId\":\"p1\",\"$targetId\":\"p2\",\"$relationshipId\":\"r\",\"$relationshipName\":\"none\"}\n",
          "ValidationFailed" },
        { "{\"Section\":\"Models\"}\n{\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"@context\":\"dtmi:dtdl:context;3\"}\n", "ModelIdAlreadyExists" },
        { "{\"Section\":\"Models\"}\n{\"@id\":\"dtmi:t:New;1\",\"@type\":\"Interface\"}\n", "DTDLParserError" },
        { "{\"digitalTwinsGraph\":{\"digitalTwins\":[5]}}", "element 1 is no JSON object" },
        { "{\"digitalTwins\":[]}", "neither newline JSON" },
        { "{\"digitalTwinsGraph\":", "\"error\":\"line 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        import(&plant, cases[i].text, cases[i].says);
        bool     fits = strstr(cases[i].text, "fine\",\"$metadata") != NULL;
        api_step look = { "GET", "/digitaltwins/fine" V, NULL, NULL, fits ? 200 : 404, NULL };
        api_plant_talk(&plant, &look, 1);
        if (!fits) continue;
        api_step away = { "DELETE", "/digitaltwins/fine" V, NULL, NULL, 204, NULL };
        api_plant_talk(&plant, &away, 1);
    }
    static const api_step wrong[] = {
        { "GET", "/v1/export?format=xml", NULL, NULL, 400, "InvalidArgument" },
        { "POST", "/v1/import", "Content-Type: text/plain\r\n", "", 415, NULL },
    };
    API_TALK(&plant, wrong);
    api_plant_stop(&plant);
}

// ---- jobs -----------------------------------------------------------------------------------------------------------

static void wait_for(api_plant *plant, const char *target, const char *status)
{
    for (int i = 0; i < 20000; i++) {
        test_http_reply *reply = test_http_ask(&plant->client, "GET", target, NULL, NULL);
        json_t          *job   = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
        const char      *now   = json_string_value(json_object_get(job, "status"));
        bool             there = now != NULL && strcmp(now, status) == 0;
        bool over = now != NULL && (strcmp(now, "failed") == 0 || strcmp(now, "succeeded") == 0 || strcmp(now, "cancelled") == 0);
        if (over && !there) fail_msg("%.*s, not %s", (int)reply->body.len, (const char *)reply->body.ptr, status);
        json_decref(job);
        if (there) return;
        usleep(500);
    }
    fail_msg("%s did not become %s", target, status);
}

static char *read_text(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", jobs_dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char  *text = calloc(1, 1 << 20);
    size_t n    = fread(text, 1, (1 << 20) - 1, file);
    text[n]     = '\0';
    fclose(file);
    return text;
}

static void write_text(const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", jobs_dir, name);
    gm_test_write_file(path, gm_str_of(text));
}

#define JOB(in, out) "{\"inputBlobUri\":\"https://account.blob.core.windows.net/box/" in "\",\"outputBlobUri\":\"https://account.blob.core.windows.net/box/" out "\"}"

static void an_import_job_reads_its_blob_and_writes_its_log(void **state)
{
    (void)state;
    static api_plant plant;
    gm_buf           text = gm_buf_init(gm_alloc_system());
    start(&plant);
    api_plant_fill(&plant);
    draw(&text, 7);
    write_text("box/in.ndjson", (const char *)text.ptr);
    write_text("box/bad.ndjson", "{\"Section\":\"Twins\"}\n{\"$dtId\":\"bad\",\"$metadata\":{\"$model\":\"dtmi:t:None;1\"}}\n");
    static const api_step steps[] = {
        { "GET", "/jobs/imports" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/jobs/imports/a" V, NULL, NULL, 404, "ImportJobNotFound" },
        { "DELETE", "/jobs/imports/a" V, NULL, NULL, 404, "ImportJobNotFound" },
        { "POST", "/jobs/imports/a/cancel" V, NULL, NULL, 404, "ImportJobNotFound" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"https://h/x\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"nonsense\",\"outputBlobUri\":\"https://h/y\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"https://h/../../etc/passwd\",\"outputBlobUri\":\"https://h/y\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"https://h/a/%2e%2e/b\",\"outputBlobUri\":\"https://h/y\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"file:///\",\"outputBlobUri\":\"https://h/y\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, "{\"inputBlobUri\":\"https://h/y\",\"outputBlobUri\":\"https://h/y\"}", 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/a" V, NULL, JOB("in.ndjson?sig=secret", "out.ndjson"), 201, "\"status\":\"" },
        { "PUT", "/jobs/imports/a" V, NULL, JOB("in.ndjson", "out.ndjson"), 400, "ValidationFailed" },
        { "PUT", "/jobs/imports/b" V, NULL, JOB("bad.ndjson", "bad.out"), 201, NULL },
        { "PUT", "/jobs/imports/c" V, NULL, JOB("none.ndjson", "c.out"), 201, NULL },
    };
    API_TALK(&plant, steps);
    wait_for(&plant, "/jobs/imports/a" V, "succeeded");
    wait_for(&plant, "/jobs/imports/b" V, "failed");
    wait_for(&plant, "/jobs/imports/c" V, "failed");
    static const api_step after[] = {
        { "GET", "/jobs/imports/a" V, NULL, NULL, 200, "finishedDateTime" },
        { "GET", "/jobs/imports/c" V, NULL, NULL, 200, "\"code\":\"BlobNotFound\"" },
        { "GET", "/digitaltwins/t%2059%2F%C3%A4" V, NULL, NULL, 200, NULL },
        { "GET", "/jobs/imports" V, "max-items-per-page: 2\r\n", NULL, 200, "nextLink" },
        { "POST", "/jobs/imports/a/cancel" V, NULL, NULL, 400, "ValidationFailed" },
        { "DELETE", "/jobs/imports/b" V, NULL, NULL, 204, NULL },
        { "GET", "/jobs/imports/b" V, NULL, NULL, 404, "ImportJobNotFound" },
    };
    API_TALK(&plant, after);
    char *log = read_text("box/out.ndjson"), *bad = read_text("box/bad.out");
    assert_non_null(strstr(log, "\"jobId\":\"a\",\"jobType\":\"Import\",\"logType\":\"Info\",\"details\":{\"status\":\"Started\"}}"));
    assert_non_null(strstr(log, "\"details\":{\"section\":\"Twins\",\"status\":\"Succeeded\"}}"));
    assert_non_null(strstr(log, "\"details\":{\"section\":\"Relationships\",\"status\":\"Started\"}}"));
    assert_non_null(strstr(log, "\"logType\":\"Info\",\"details\":{\"status\":\"Succeeded\"}}\n"));
    assert_non_null(strstr(bad, "\"section\":\"Twins\",\"line\":2,\"id\":\"bad\",\"code\":\"ValidationFailed\""));
    assert_non_null(strstr(bad, "\"logType\":\"Error\",\"details\":{\"status\":\"Failed\"}}\n"));
    free(log), free(bad);

    // Jobs that are over stay over; one that is cancelled before its turn never runs; one under way begins anew.
    static const api_step more[] = {
        { "PUT", "/jobs/imports/d" V, NULL, JOB("in.ndjson", "d.out"), 201, NULL },
        { "PUT", "/jobs/imports/e" V, NULL, JOB("in.ndjson", "e.out"), 201, NULL },
        { "POST", "/jobs/imports/e/cancel" V, NULL, NULL, 200, "\"status\":\"cancel" },
    };
    API_TALK(&plant, more);
    api_plant_checkpoint(&plant);
    api_plant_restart(&plant);
    wait_for(&plant, "/jobs/imports/d" V, "succeeded");
    wait_for(&plant, "/jobs/imports/e" V, "cancelled");
    wait_for(&plant, "/jobs/imports/a" V, "succeeded");
    gm_buf_finish(&text);
    api_plant_stop(&plant);
}

static void a_deletion_job_leaves_nothing(void **state)
{
    (void)state;
    static api_plant plant;
    gm_buf           text = gm_buf_init(gm_alloc_system());
    start(&plant);
    api_plant_fill(&plant);
    draw(&text, 3);
    import(&plant, (const char *)text.ptr, "\"refused\":0");
    static const api_step steps[] = {
        { "GET", "/jobs/deletions" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/jobs/deletions/d" V, NULL, NULL, 404, "DeletionJobNotFound" },
        { "POST", "/jobs/deletions" V, "operation-id: a/b\r\n", NULL, 400, "ValidationFailed" },
        { "POST", "/jobs/deletions" V, "operation-id: d\r\n", NULL, 202, "/jobs/deletions/d" },
        { "POST", "/jobs/deletions" V, "operation-id: d\r\n", NULL, 400, "ValidationFailed" },
    };
    API_TALK(&plant, steps);
    wait_for(&plant, "/jobs/deletions/d" V, "succeeded");
    static const api_step after[] = {
        { "GET", "/v1/plant", NULL, NULL, 200, "\"twins\":0,\"relationships\":0,\"models\":0" },
        { "POST", "/jobs/deletions" V, NULL, NULL, 202, "Operation-Location: /jobs/deletions/deletion-" },
        { "GET", "/jobs/deletions" V, NULL, NULL, 200, "\"id\":\"d\"" },
    };
    API_TALK(&plant, after);
    gm_buf_finish(&text);
    api_plant_stop(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_exported_comes_in_as_it_was),
        cmocka_unit_test(what_does_not_fit_is_told_and_passed_over),
        cmocka_unit_test(an_import_job_reads_its_blob_and_writes_its_log),
        cmocka_unit_test(a_deletion_job_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
