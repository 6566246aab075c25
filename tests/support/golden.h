// tests/support/golden.h: texts that a person has read once, and whose every change a person reads again.
//
// `make golden` (GM_GOLDEN=write) rewrites the files; the test then passes and git shows the difference.
#ifndef GM_TESTS_SUPPORT_GOLDEN_H
#define GM_TESTS_SUPPORT_GOLDEN_H

#include "base/str.h"

// Fails unless the file at `path`, relative to the project's root, holds exactly this text.
void gm_test_golden(const char *path, gm_str text);

// The project's root (GM_SOURCE_ROOT, else the current directory).
const char *gm_test_root(void);

#endif
