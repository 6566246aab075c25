// control/texts.h: the texts of one thing that a fold keeps (an alarm, a command, an order), in one allocation.
#ifndef GM_CONTROL_TEXTS_H
#define GM_CONTROL_TEXTS_H

#include "base/alloc.h"
#include "base/str.h"

// Copies n texts into one allocation, which replaces *memory; out_kept[i] is the copy of texts[i], viewed until then.
//   texts     [n]  borrowed; may lie in the *memory that is replaced
//   *memory   NULL, or from an earlier call; gm_free it in the end
// False: no memory, and nothing has changed.
GM_NODISCARD bool gm_texts_keep(const gm_alloc *alloc, const gm_str *texts, size_t n, char **memory, gm_str *out_kept);

#endif
