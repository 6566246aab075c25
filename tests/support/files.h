// tests/support/files.h: whole files, for tests. All of these fail the test when the system refuses.
#ifndef GM_TESTS_SUPPORT_FILES_H
#define GM_TESTS_SUPPORT_FILES_H

#include "base/buf.h"

void   gm_test_write_file(const char *path, gm_str text);  // folders above it are made
gm_buf gm_test_read_file(const char *path);                // the caller finishes it

#endif
