#include "support/files.h"

#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

void gm_test_write_file(const char *path, gm_str text)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0755) != 0 && errno != EEXIST) fail_msg("%s: %s", folder, strerror(errno));
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) fail_msg("%s: %s", path, strerror(errno));
    bool good = text.len == 0 || fwrite(text.ptr, 1, text.len, file) == text.len;
    good      = fclose(file) == 0 && good;
    if (!good) fail_msg("%s: %s", path, strerror(errno));
}

gm_buf gm_test_read_file(const char *path)
{
    gm_buf bytes = gm_buf_init(gm_alloc_system());
    FILE  *file  = fopen(path, "rb");
    if (file == NULL) fail_msg("%s: %s", path, strerror(errno));
    char   piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) gm_buf_add(&bytes, piece, n);
    fclose(file);
    assert_false(bytes.failed);
    return bytes;
}
