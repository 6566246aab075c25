// tests/support/temp_dir.h: a folder of the test's own, gone afterwards.
#ifndef GM_TESTS_TEMP_DIR_H
#define GM_TESTS_TEMP_DIR_H

#include <stddef.h>

// Makes an empty folder below TMPDIR (or /tmp) and writes its path. Ends the program when that is refused.
void gm_test_make_dir(char *out_path, size_t size);
void gm_test_remove_dir(const char *path);  // with everything in it; only below TMPDIR or /tmp

#endif
