// docs/aas.md is run as it stands; and what is exported, brought into an empty server and exported again, is the same.
#include "aas/aasx.h"
#include "aas/check.h"
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char model[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:example:Motor;1\",\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Property\",\"name\":\"rating\",\"schema\":\"double\"}]},"
    "{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],\"@id\":\"dtmi:example:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":[\"Property\",\"Distance\"],\"name\":\"level\",\"unit\":\"metre\",\"schema\":\"double\",\"writable\":true},{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:example:Motor;1\"},"
    "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"properties\":[{\"@type\":\"Property\",\"name\":\"flow\",\"schema\":\"double\"}]}]}]";
static const char twins[] =
    "[{\"$dtId\":\"pump7\",\"$metadata\":{\"$model\":\"dtmi:example:Pump;1\"},\"level\":2.5,\"motor\":{\"$metadata\":{},\"rating\":11}},"
    "{\"$dtId\":\"pump8\",\"$metadata\":{\"$model\":\"dtmi:example:Pump;1\"},\"motor\":{\"$metadata\":{}}}]";

static const char *const files[] = { "pump7.json", "pump7.aasx", "pump.csv", "manual.txt", "foreign.json" };
enum { FILES = 5 };

static gm_ran run_line(const char *dir, gm_str line)
{
    char        paths[FILES][400];
    const char *pairs[2 * FILES + 1] = { 0 };
    for (int i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", dir, files[i]);
        pairs[2 * i]     = files[i];
        pairs[2 * i + 1] = paths[i];
    }
    char **words = gm_doc_words(line, pairs);
    assert_string_equal(words[0], "gemel");
    gm_ran ran = gm_run((const char *const *)words + 1);
    gm_doc_free_words(words);
    return ran;
}

static void write_in(const char *dir, const char *name, gm_str text)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    gm_test_write_file(path, text);
}

static gm_served *serve(const char *dir, const char *name, bool filled)
{
    char plant[300], data[300];
    snprintf(plant, sizeof plant, "%s/%s/plant", dir, name);
    snprintf(data, sizeof data, "%s/%s/data", dir, name);
    write_in(plant, filled ? "models/pump.json" : "models/none.json", filled ? gm_str_of(model) : GM_STR("[]"));
    if (filled) write_in(plant, "twins/all.json", gm_str_of(twins));
    gm_served *s = gm_serve(plant, data, NULL, NULL);
    setenv("GEMEL_HTTP", s->http, 1);
    return s;
}

static void must(gm_ran ran, const char *what)
{
    if (ran.code != 0) fail_msg("%s: %d %s%s", what, ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

static void run_page(const char *dir)
{
    gm_doc doc;
    gm_str info, body, line;
    int    commands = 0, compared = 0;
    gm_ran last = { 0 };
    gm_doc_open(&doc, "docs/aas.md");
    write_in(dir, "manual.txt", GM_STR("Turn it on.\n"));
    while (gm_doc_next_block(&doc, &info, &body)) {  // files first: the page shows them behind the commands that read them
        if (gm_str_is(info, "csv")) write_in(dir, "pump.csv", body);
        if (gm_str_is(info, "json")) write_in(dir, "foreign.json", body);
    }
    gm_doc_rewind(&doc);
    while (gm_doc_next_block(&doc, &info, &body)) {
        if (gm_str_is(info, "text")) {
            gm_str out = gm_str_trim(gm_buf_view(&last.out));
            if (!gm_str_eq(out, gm_str_trim(body))) fail_msg("expected " GM_STR_FMT "\n     got " GM_STR_FMT, GM_STR_ARG(gm_str_trim(body)), GM_STR_ARG(out));
            compared++;
        }
        while (gm_str_is(info, "sh") && gm_str_next(&body, '\n', &line)) {
            if (line.len == 0) continue;
            gm_ran_finish(&last);
            last = run_line(dir, line);
            if (last.code != 0) fail_msg(GM_STR_FMT ": %d %s%s", GM_STR_ARG(line), last.code, GM_TEXT(last.out), GM_TEXT(last.err));
            commands++;
        }
    }
    assert_true(commands >= 10 && compared == 3);
    gm_ran_finish(&last);
    gm_doc_close(&doc);
}

static void tell(void *context, gm_str pointer, const char *text)
{
    (void)context;
    print_message(GM_STR_FMT " %s\n", GM_STR_ARG(pointer), text);
}

static json_t *environment_of(const char *dir, const char *name, size_t *out_files)
{
    char            path[400];
    gm_aasx_limits  limits = gm_aasx_limits_defaults();
    gm_aasx_package package;
    json_t         *env;
    gm_error        err = { 0 };
    snprintf(path, sizeof path, "%s/%s", dir, name);
    gm_buf bytes = gm_test_read_file(path);
    assert_gm_ok(gm_aasx_read(gm_alloc_system(), bytes.ptr, bytes.len, &limits, &package, &env, &err), err);
    assert_int_equal(gm_aas_check(env, tell, NULL), 0);  // what gemel writes is what the metamodel asks for
    *out_files = package.count;
    gm_aasx_finish(&package);
    gm_buf_finish(&bytes);
    return env;
}

static void compare(const json_t *a, const json_t *b)
{
    if (json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b)) return;
    char *first = json_dumps(a, JSON_INDENT(1)), *second = json_dumps(b, JSON_INDENT(1));
    size_t at = 0;
    while (first[at] != '\0' && first[at] == second[at]) at++;
    size_t from = at > 200 ? at - 200 : 0;
    fail_msg("the second export differs at %zu:\n%.500s\n---- is not ----\n%.500s", at, first + from, second + from);
}

// Everything that was ever said of a thing: how many facts.
static size_t said(gm_served *server, const char *thread)
{
    char path[200];
    snprintf(path, sizeof path, "/v1/thread/%s?history=true", thread);
    json_t *answer = gm_served_ask(server, "GET", path, NULL, 200);
    size_t  n      = json_array_size(json_object_get(answer, "items"));
    json_decref(answer);
    return n;
}

// The same file again says nothing new.
static void import_again(gm_served *server, const char *file, const char *thread)
{
    size_t before = said(server, thread);
    gm_ran ran    = GM_RUN("aas", "import", file);
    if (ran.code != 0 || strstr(GM_TEXT(ran.out), "0 facts, 0 documents; ") == NULL) fail_msg("%s: %d %s%s", file, ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    assert_int_equal(said(server, thread), before);
}

// Shell, submodels, file: everything of another's package, and of our own, goes through another server unchanged.
static void the_page_runs_and_exports_come_back_the_same(void **state)
{
    (void)state;
    char   dir[256], out[400], again[400];
    size_t files_first, files_second;
    gm_test_make_dir(dir, sizeof dir);
    gm_served *server = serve(dir, "first", true);
    must(GM_RUN("thread", "add", "pump7", "as-operated", "hours", "12.5", "--unit", "h", "--from", "2024-02-01T00:00:00Z", "--to", "2024-03-01T00:00:00Z"), "thread add");
    json_decref(gm_served_ask(server, "PUT", "/digitaltwins/pump7/relationships/f1?api-version=2023-10-31", "{\"$relationshipName\":\"feeds\",\"$targetId\":\"pump8\",\"flow\":1.5}", 200));
    run_page(dir);
    json_decref(gm_served_ask(server, "POST", "/submodels/dXJuOmdlbWVsOnN1Ym1vZGVsOk5hbWVwbGF0ZTpwdW1wNw/submodel-elements",  // urn:gemel:submodel:Nameplate:pump7
                              "{\"modelType\":\"Property\",\"idShort\":\"Colour\",\"valueType\":\"xs:string\",\"value\":\"red\"}", 201));
    must(GM_RUN("thread", "move", "impeller", "pump7", "--position", "2", "--at", "2024-01-05T00:00:00Z"), "thread move");
    snprintf(out, sizeof out, "%s/out.aasx", dir);
    snprintf(again, sizeof again, "%s/again.aasx", dir);
    must(GM_RUN("aas", "export", "pump8", "pump7", "https://maker.example/aas/42", "--parts", "--out", out), "export");
    assert_int_equal(gm_served_stop(server), 0);
    server = serve(dir, "second", false);
    must(GM_RUN("aas", "import", out), "import");
    import_again(server, out, "pump7");
    static const char *const forms[][2] = { { "same.json", NULL }, { "same.xml", NULL }, { "same.aasx", "--xml" } };
    for (int i = 0; i < 3; i++) {  // the same in every form
        snprintf(again, sizeof again, "%s/%s", dir, forms[i][0]);
        const char *words[] = { "aas", "export", "pump8", "pump7", "https://maker.example/aas/42", "--parts", "--out", again, forms[i][1], NULL };
        must(gm_run(words), "export in another form");
        import_again(server, again, "pump7");
    }
    snprintf(again, sizeof again, "%s/again.aasx", dir);
    must(GM_RUN("aas", "export", "pump8", "pump7", "https://maker.example/aas/42", "--parts", "--out", again), "export again");
    json_t *answer = gm_served_ask(server, "GET", "/digitaltwins/pump7?api-version=2023-10-31", NULL, 200);
    assert_true(json_number_value(json_object_get(json_object_get(answer, "motor"), "rating")) == 11.0);
    json_decref(answer);
    answer = gm_served_ask(server, "GET", "/v1/bom/pump7", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(answer, "items")), 2);
    json_decref(answer);
    assert_int_equal(gm_served_stop(server), 0);
    json_t *first = environment_of(dir, "out.aasx", &files_first), *second = environment_of(dir, "again.aasx", &files_second);
    compare(first, second);
    assert_true(files_first == 1 && files_second == 1);
    json_decref(first);
    json_decref(second);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(dir);
}

#define SEM(id) "\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"" id "\"}]}"
#define REF(id) "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"" id "\"}]}"
static const char others[] =
    "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"Fan42\",\"idShort\":\"Fan\",\"displayName\":[{\"language\":\"de\",\"text\":\"L\u00fcfter\"}],"
    "\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"https://m.example/asset/42\"},\"submodels\":[" REF("https://m.example/docs") "," REF("https://m.example/plate") "]}],"
    "\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"https://m.example/docs\",\"idShort\":\"Docs\"," SEM("https://m.example/semantics") ",\"submodelElements\":["
    "{\"modelType\":\"File\",\"idShort\":\"Manual\",\"contentType\":\"application/pdf\",\"value\":\"/aasx/files/manual.pdf\"}]},"
    "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/plate\",\"idShort\":\"Nameplate\"," SEM("https://admin-shell.io/zvei/nameplate/2/0/Nameplate") ",\"submodelElements\":["
    "{\"modelType\":\"Property\",\"idShort\":\"SerialNumber\",\"valueType\":\"xs:string\",\"value\":\"SN-42\"}]}],"
    "\"conceptDescriptions\":[{\"modelType\":\"ConceptDescription\",\"id\":\"https://m.example/semantics\",\"idShort\":\"Docs\"}]}";

static void write_package(const char *dir, const char *name, const char *file_bytes)
{
    gm_aasx_package p;
    gm_error        err = { 0 };
    gm_buf          out = gm_buf_init(gm_alloc_system());
    json_t         *env = json_loads(others, 0, NULL);
    assert_non_null(env);
    gm_aasx_begin(&p, gm_alloc_system());
    assert_gm_ok(gm_aasx_add(&p, GM_STR("/aasx/files/manual.pdf"), GM_STR("application/pdf"), (const uint8_t *)file_bytes, strlen(file_bytes), &err), err);
    assert_gm_ok(gm_aasx_write(&p, env, GM_AASX_JSON, &out, &err), err);
    write_in(dir, name, gm_buf_view(&out));
    gm_aasx_finish(&p);
    gm_buf_finish(&out);
    json_decref(env);
}

static const json_t *item_of(const json_t *env, const char *list, const char *id)
{
    const json_t *items = json_object_get(env, list);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (strcmp(json_string_value(json_object_get(item, "id")), id) == 0) return item;
    }
    fail_msg("no %s in %s", id, list);
    return NULL;
}

// Another's package: what has no place here, its file among it, goes out as it came in. One whose file lies is refused.
static void what_others_made_is_kept_with_its_files(void **state)
{
    (void)state;
    char   dir[256], in[400], out[400];
    size_t files_out;
    gm_test_make_dir(dir, sizeof dir);
    gm_served *server = serve(dir, "kept", false);
    snprintf(in, sizeof in, "%s/in.aasx", dir);
    snprintf(out, sizeof out, "%s/out.aasx", dir);
    write_package(dir, "in.aasx", "this is no PDF");
    gm_ran ran = GM_RUN("aas", "import", in);
    if (ran.code != 1 || strstr(GM_TEXT(ran.err), "says that it is application/pdf") == NULL) fail_msg("%d %s", ran.code, GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    write_package(dir, "in.aasx", "%PDF-1.7 manual");
    must(GM_RUN("aas", "import", in), "import");
    import_again(server, in, "shell%3AFan42");
    must(GM_RUN("aas", "export", "shell:Fan42", "--out", out), "export");
    json_t *env = environment_of(dir, "out.aasx", &files_out), *before = json_loads(others, 0, NULL);
    assert_int_equal(files_out, 1);
    static const char *const kept[][2] = { { "submodels", "https://m.example/docs" }, { "submodels", "https://m.example/plate" }, { "conceptDescriptions", "https://m.example/semantics" } };
    for (int i = 0; i < 3; i++) compare(item_of(before, kept[i][0], kept[i][1]), item_of(env, kept[i][0], kept[i][1]));
    const json_t *shell = item_of(env, "assetAdministrationShells", "Fan42"), *was = item_of(before, "assetAdministrationShells", "Fan42");
    compare(json_object_get(was, "displayName"), json_object_get(shell, "displayName"));
    compare(json_object_get(was, "assetInformation"), json_object_get(shell, "assetInformation"));
    for (int i = 0; i < 2; i++) compare(json_array_get(json_object_get(was, "submodels"), (size_t)i), json_array_get(json_object_get(shell, "submodels"), (size_t)i));
    json_t *answer = gm_served_ask(server, "GET", "/v1/thread/shell%3AFan42?key=serialNumber", NULL, 200);  // and gemel knows what it says
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(answer, "items"), 0), "value")), "SN-42");
    json_decref(answer);
    answer = gm_served_ask(server, "GET", "/shells/RmFuNDI", NULL, 200);  // by its own id
    assert_string_equal(json_string_value(json_object_get(answer, "idShort")), "Fan");
    json_decref(answer);
    json_decref(env);
    json_decref(before);
    assert_int_equal(gm_served_stop(server), 0);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(dir);
}

// What has changed in a file since becomes a correction, and nothing else is said again.
static void a_changed_file_corrects(void **state)
{
    (void)state;
    char dir[256], path[400];
    gm_test_make_dir(dir, sizeof dir);
    gm_served *server = serve(dir, "changed", false);
    json_t    *env    = json_loads(others, 0, NULL);
    json_t    *plate  = json_array_get(json_object_get(json_array_get(json_object_get(env, "submodels"), 1), "submodelElements"), 0);
    snprintf(path, sizeof path, "%s/fan.json", dir);
    assert_int_equal(json_dump_file(env, path, 0), 0);
    must(GM_RUN("aas", "import", path), "import");
    import_again(server, path, "shell%3AFan42");
    size_t before = said(server, "shell%3AFan42");
    (void)json_object_set_new(plate, "value", json_string("SN-43"));
    assert_int_equal(json_dump_file(env, path, 0), 0);
    gm_ran ran = GM_RUN("aas", "import", path);
    if (strstr(GM_TEXT(ran.out), " 2 facts, 0 documents; ") == NULL) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));  // the number, and the submodel that is kept
    gm_ran_finish(&ran);
    assert_int_equal(said(server, "shell%3AFan42"), before + 1);
    import_again(server, path, "shell%3AFan42");
    json_decref(env);
    assert_int_equal(gm_served_stop(server), 0);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(dir);
}

// What lies is refused with a sentence, and nothing is made of it.
static void bad_files_are_refused_by_name(void **state)
{
    (void)state;
    char dir[256], path[400];
    gm_test_make_dir(dir, sizeof dir);
    gm_served *server = serve(dir, "only", false);
    static const struct { const char *text, *expect; } cases[] = {
        { "PK nonsense", "no zip archive" },
        { "<environment/>", "not of the metamodel V3" },
        { "{\"a\":", "no JSON" },
        { "{\"submodels\":[{\"modelType\":\"Submodel\"}]}", "/submodels/0  'id' is missing" },
        // A structure whose part contains it: the bill of materials refuses it.
        { "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"x:a\",\"assetInformation\":{\"assetKind\":\"Type\",\"globalAssetId\":\"x:asset\"},"
          "\"submodels\":[{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"x:s\"}]}]}],\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"x:s\",\"semanticId\":{\"type\":\"ExternalReference\","
          "\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"https://admin-shell.io/idta/HierarchicalStructures/1/1/Submodel\"}]},\"submodelElements\":[{\"modelType\":\"Entity\",\"idShort\":\"top\",\"entityType\":\"SelfManagedEntity\","
          "\"globalAssetId\":\"x:asset\",\"statements\":[{\"modelType\":\"Entity\",\"idShort\":\"mid\",\"entityType\":\"CoManagedEntity\",\"statements\":[{\"modelType\":\"Entity\",\"idShort\":\"top\",\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"x:asset\"}]}]}]}]}",
          "contain" },
    };
    snprintf(path, sizeof path, "%s/bad.aasx", dir);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_write_file(path, gm_str_of(cases[i].text));
        gm_ran ran = GM_RUN("aas", "import", path);
        if (ran.code != 1 || strstr(GM_TEXT(ran.err), cases[i].expect) == NULL) fail_msg("%zu: %d %s%s", i, ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
    assert_int_equal(gm_served_stop(server), 0);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_page_runs_and_exports_come_back_the_same), cmocka_unit_test(what_others_made_is_kept_with_its_files),
                                        cmocka_unit_test(a_changed_file_corrects), cmocka_unit_test(bad_files_are_refused_by_name) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
