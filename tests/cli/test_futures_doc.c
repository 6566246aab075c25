// docs/futures.md is run as it stands, with fewer lanes and a shorter horizon: its commands answer, its request is
// accepted, and the result has every member that the page shows.
#include "support/doc.h"
#include "support/files.h"
#include "support/http_client.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    char       dir[256], pumphouse[300], plant[300], id[40];
    gm_served *server;
    gm_doc     doc;
} fixture;

static void make_plant(fixture *f)
{
    char path[400];
    snprintf(path, sizeof path, "%s/models/tank.json", f->plant);
    gm_test_write_file(path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:plant:Tank;1\",\"@type\":\"Interface\",\"contents\":["
                                    "{\"@type\":\"Property\",\"name\":\"level\",\"schema\":\"double\",\"writable\":true}]}"));
    snprintf(path, sizeof path, "%s/twins/all.ndjson", f->plant);
    gm_test_write_file(path, GM_STR("{\"Section\":\"Twins\"}\n"
                                    "{\"$dtId\":\"tank1\",\"$metadata\":{\"$model\":\"dtmi:plant:Tank;1\"},\"level\":1}\n"
                                    "{\"$dtId\":\"tank2\",\"$metadata\":{\"$model\":\"dtmi:plant:Tank;1\"},\"level\":2}\n"));
    snprintf(path, sizeof path, "%s/behaviors/tank.mo", f->plant);
    gm_test_write_file(path, GM_STR("model Tank\n  Real level(start=1, fixed=true);\nequation\n  der(level) = -1e-3*level;\n"
                                    "  annotation(__gemel(interface=\"dtmi:plant:Tank;1\"));\nend Tank;\n"));
}

static int set_up(void **state)
{
    static fixture f;
    char           command[1200], data[320];
    const char    *root = getenv("GM_SOURCE_ROOT");
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.pumphouse, sizeof f.pumphouse, "%s/pumphouse", f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(data, sizeof data, "%s/data", f.plant);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s' && rm -rf '%s/data'", root, f.pumphouse, f.pumphouse);
    assert_int_equal(system(command), 0);
    make_plant(&f);
    f.server = gm_serve(f.plant, data, NULL, NULL);
    gm_doc_open(&f.doc, "docs/futures.md");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    gm_doc_close(&f->doc);
    return code;
}

static void its_commands_answer(void **state)
{
    fixture *f = *state;
    gm_str   command, first;
    int      count = 0;
    while (gm_doc_next_command(&f->doc, &command)) {
        char **words = gm_doc_words(command, (const char *const[]){ "examples/pumphouse", f->pumphouse, "4096", "16", "24h", "10min",
                                                                    "f1a20189be34", f->id, "dtmi:plant", "dtmi:plant", "plant",
                                                                    f->plant, NULL });
        // "plant" is served; the waterworks is opened by the verb itself.
        bool served = gm_str_find(command, GM_STR("examples/")) == SIZE_MAX;
        setenv("GEMEL_HTTP", served ? f->server->http : "", 1);
        gm_ran ran = gm_run((const char *const *)words + 1);
        if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(command), GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_str out = gm_buf_view(&ran.out);
        assert_true(gm_str_next(&out, '\n', &first));
        // What was kept says under which name.
        const char *kept = strstr(GM_TEXT(ran.out), "gemel futures verify ");
        if (kept != NULL) assert_int_equal(sscanf(kept, "gemel futures verify %39s", f->id), 1);
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        count++;
    }
    assert_int_equal(count, 4);
    assert_true(f->id[0] != '\0');
}

// Every member of `shown` is in `got`, with a value of the same kind.
static void has_members_of(const json_t *got, json_t *shown, const char *where)
{
    const char *name;
    json_t     *value;
    json_object_foreach(shown, name, value) {
        const json_t *mine = json_object_get(got, name);
        if (mine == NULL) fail_msg("%s has no '%s'", where, name);
        if (json_is_object(value)) has_members_of(mine, value, name);
        if (json_is_array(value) != json_is_array(mine)) fail_msg("%s.%s is of another kind", where, name);
    }
}

static void its_request_has_the_result_it_shows(void **state)
{
    fixture *f = *state;
    char     data[320];
    gm_str   info, body;
    json_t  *documents[2] = { NULL };
    size_t   count        = 0;
    gm_doc_rewind(&f->doc);
    while (gm_doc_next_block(&f->doc, &info, &body) && count < 2) {
        assert_true(gm_str_is(info, "json"));
        documents[count] = json_loadb(body.ptr, body.len, 0, NULL);
        assert_non_null(documents[count++]);
    }
    assert_int_equal(count, 2);
    json_object_set_new(documents[0], "horizon", json_string("2h"));
    json_object_set_new(documents[0], "lanes", json_integer(16));
    snprintf(data, sizeof data, "%s/data", f->pumphouse);
    gm_served       *server = gm_serve(f->pumphouse, data, NULL, NULL);
    test_http_client client;
    char            *request = json_dumps(documents[0], 0);
    test_http_open(&client, (uint16_t)atoi(strchr(server->http, ':') + 1), NULL, NULL);
    test_http_reply *reply = test_http_ask(&client, "POST", "/v1/futures", NULL, request);
    if (reply->status != 200) fail_msg("%u %.*s", reply->status, (int)reply->body.len, (const char *)reply->body.ptr);
    json_t *result = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
    // The names in the example are those of quantiles asked for; the sets of scores and conditions are of this request.
    json_object_del(json_object_get(json_object_get(json_object_get(documents[1], "until"), "tower.level < 2"), "quantiles"), "0.5");
    has_members_of(result, documents[1], "the result");
    test_http_shut(&client);
    assert_int_equal(gm_served_stop(server), 0);
    json_decref(result);
    json_decref(documents[0]);
    json_decref(documents[1]);
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_commands_answer),
        cmocka_unit_test(its_request_has_the_result_it_shows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
