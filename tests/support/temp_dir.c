#include "support/temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base(void)
{
    const char *given = getenv("TMPDIR");
    return given != NULL && given[0] == '/' ? given : "/tmp";
}

void gm_test_make_dir(char *out_path, size_t size)
{
    int len = snprintf(out_path, size, "%s/gemel-test-XXXXXX", base());
    if (len < 0 || (size_t)len >= size || mkdtemp(out_path) == NULL) {
        perror("a temporary folder");
        exit(1);
    }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void gm_test_remove_dir(const char *path)
{
    if (strncmp(path, base(), strlen(base())) != 0) return;
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
