#include "support/golden.h"

#include "support/files.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

const char *gm_test_root(void)
{
    const char *root = getenv("GM_SOURCE_ROOT");
    return root != NULL ? root : ".";
}

void gm_test_golden(const char *path, gm_str text)
{
    char        full[4096];
    const char *mode = getenv("GM_GOLDEN");
    snprintf(full, sizeof full, "%s/%s", gm_test_root(), path);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        gm_test_write_file(full, text);
        return;
    }
    gm_buf wanted = gm_test_read_file(full);
    gm_str a = gm_buf_view(&wanted), b = text, x, y;
    int    line = gm_str_eq(a, b) ? 0 : 1;
    for (; line > 0; line++) {
        bool more_a = gm_str_next(&a, '\n', &x), more_b = gm_str_next(&b, '\n', &y);
        if (more_a && more_b && gm_str_eq(x, y)) continue;
        fail_msg("%s, line %d:\n  the file says '" GM_STR_FMT "'\n  now it is    '" GM_STR_FMT "'\n`make golden` rewrites it", path, line,
                 more_a ? (int)x.len : 0, more_a ? x.ptr : "", more_b ? (int)y.len : 0, more_b ? y.ptr : "");
    }
    gm_buf_finish(&wanted);
}
