#include "support/page.h"

#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gm_page_open(gm_page *page, const char *doc, const char *example)
{
    char command[1400];
    *page = (gm_page){ .server = NULL };
    gm_test_make_dir(page->dir, sizeof page->dir);
    snprintf(page->plant, sizeof page->plant, "%s/%s", page->dir, example);
    snprintf(command, sizeof command, "cp -r '%s/examples/%s' '%s' && rm -rf '%s/data'", getenv("GM_SOURCE_ROOT"), example, page->plant, page->plant);
    assert_int_equal(system(command), 0);
    gm_doc_open(&page->doc, doc);
}

void gm_page_serve(gm_page *page)
{
    char data[420];
    snprintf(data, sizeof data, "%s/data", page->plant);
    page->server = gm_serve(page->plant, data, NULL, NULL);
    setenv("GEMEL_HTTP", page->server->http, 1);
}

int gm_page_close(gm_page *page)
{
    int code = gm_served_stop(page->server);
    gm_test_remove_dir(page->dir);
    gm_doc_close(&page->doc);
    return code;
}

int gm_page_run(gm_page *page, const char *const *pairs, const char *says)
{
    gm_str command;
    int    count = 0;
    gm_doc_rewind(&page->doc);
    while (gm_doc_next_command(&page->doc, &command)) {
        char **words = gm_doc_words(command, pairs);
        gm_ran ran   = gm_run((const char *const *)words + 1);
        if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(command), GM_TEXT(ran.out), GM_TEXT(ran.err));
        if (says != NULL && strstr(GM_TEXT(ran.out), says) == NULL) fail_msg(GM_STR_FMT ": no '%s' in %s", GM_STR_ARG(command), says, GM_TEXT(ran.out));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        count++;
    }
    return count;
}
