// The published cases, when the shared data folder stands beside the project, and that the runner notices differences.
#include "model/dtdl_case.h"

#include "base/io.h"
#include "support/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct tally { int files, differ; } tally;

static void run_file(const char *path, tally *to)
{
    uint8_t *bytes;
    size_t   size;
    gm_error err = {0};
    assert_gm_ok(gm_io_read_file(gm_io_system(), path, 1 << 24, &bytes, &size, &err), err);
    gm_buf out = gm_buf_init(gm_alloc_system());
    bool   ok;
    assert_gm_ok(gm_dtdl_case_run(gm_alloc_system(), (gm_str){ (char *)bytes, size }, &out, &ok, &err), err);
    to->files++;
    if (!ok) {
        to->differ++;
        print_message("%s: " GM_STR_FMT "\n", path, GM_STR_ARG(gm_buf_view(&out)));
    }
    gm_buf_finish(&out);
    gm_free(gm_io_system()->alloc, bytes);
}

static void the_published_cases_agree(void **state)
{
    (void)state;
    static const char *const folders[] = { "doc-examples", "solecisms", "dtmis" };
    const char              *root      = getenv("GM_SOURCE_ROOT");
    tally                    all       = {0};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char folder[2048];
        snprintf(folder, sizeof folder, "%s/../shared/data/dtdl-cases/%s", root != NULL ? root : ".", folders[i]);
        DIR *dir = opendir(folder);
        if (dir == NULL) {
            print_message("SKIPPED: %s is not here\n", folder);
            skip();
        }
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            run_file(path, &all);
        }
        closedir(dir);
    }
    print_message("%d case files, %d differ\n", all.files, all.differ);
    assert_int_equal(all.differ, 0);
}

#define PROPERTY(schema)                                                                                               \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":"               \
    "[{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"" schema "\"}]}"

static void the_runner_says_what_differs(void **state)
{
    (void)state;
    static const struct { const char *text, *line; bool ok;
    } cases[] = {
        { "{\"valid\":true,\"input\":[" PROPERTY("double") "]}", "0 ok", true },
        { "{\"valid\":false,\"input\":[" PROPERTY("double") "]}", "0 expected invalid, found nothing wrong", false },
        { "{\"valid\":true,\"input\":[" PROPERTY("byte") "]}",
          "0 expected valid, found dtmi:dtdl:parsingError:badDtmiOrTerm", false },
        { "{\"valid\":false,\"input\":[" PROPERTY("byte") "],\"expect\":{\"parsingErrors\":[{\"ValidationID\":"
                                                          "\"dtmi:dtdl:parsingError:badDtmiOrTerm\"}]}}",
          "0 ok", true },
        { "{\"valid\":false,\"input\":[" PROPERTY("byte") "],\"expect\":{\"parsingErrors\":[{\"ValidationID\":"
                                                          "\"dtmi:dtdl:parsingError:badType\"}]}}",
          "0 expected dtmi:dtdl:parsingError:badType, found", false },
        { "[{\"valid\":true,\"input\":[]},{\"valid\":true,\"idText\":\"dtmi:a;0\"}]",
          "0 ok\n1 the identifier is invalid here", false },
        { "{\"valid\":true,\"input\":[" PROPERTY(
              "double") "],\"expect\":{\"elements\":[{\"id\":\"dtmi:t:A:_contents:__p;1\","
                        "\"type\":\"Property\",\"properties\":{\"name\":\"p\",\"writable\":false,"
                        "\"schema\":\"dtmi:dtdl:instance:Schema:double;3\"}}]}}",
          "0 ok", true },
        { "{\"valid\":true,\"input\":[" PROPERTY(
              "double") "],\"expect\":{\"elements\":[{\"id\":\"dtmi:t:A:_contents:__q;1\"}]}}",
          "0 there is no element dtmi:t:A:_contents:__q;1", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf   out = gm_buf_init(gm_alloc_system());
        bool     ok;
        gm_error err = {0};
        assert_gm_ok(gm_dtdl_case_run(gm_alloc_system(), gm_str_of(cases[i].text), &out, &ok, &err), err);
        if (ok != cases[i].ok || !gm_str_starts(gm_buf_view(&out), gm_str_of(cases[i].line))) {
            fail_msg("case %zu: " GM_STR_FMT, i, GM_STR_ARG(gm_buf_view(&out)));
        }
        gm_buf_finish(&out);
    }
}

static void what_is_no_case_file_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "{", "{}", "[1]", "{\"valid\":true}" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gm_buf out = gm_buf_init(gm_alloc_system());
        bool   ok  = true;
        assert_int_equal(gm_dtdl_case_run(gm_alloc_system(), gm_str_of(texts[i]), &out, &ok, NULL), GM_INVALID);
        assert_false(ok);
        gm_buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_cases_agree),
        cmocka_unit_test(the_runner_says_what_differs),
        cmocka_unit_test(what_is_no_case_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
