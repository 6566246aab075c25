// control/rulebook_name.h: which files of a plant are rules.
#ifndef GM_CONTROL_RULEBOOK_NAME_H
#define GM_CONTROL_RULEBOOK_NAME_H

#include "base/str.h"

static inline bool gm_rulebook_is(gm_str file) { return gm_str_ends(file, GM_STR(".rules")) || gm_str_ends(file, GM_STR(".interlocks")); }

#endif
