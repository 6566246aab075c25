// physics/exec/native.h: the x86-64 code generator, as executors see it.
#ifndef GM_PHYSICS_NATIVE_H
#define GM_PHYSICS_NATIVE_H

#include "physics/exec/backend.h"

// See gm_backend.compile. A code without results has no entry (NULL). wide: AVX-512, else AVX2.
// Errors: GM_NOMEM; GM_LIMIT more than 256 MB; GM_IO the system refuses executable memory.
gm_status gm_native_compile(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, bool fused, uint32_t row_count,
                            bool wide, gm_native **out_native, gm_native_run **out_run, gm_error *err);
void      gm_native_release(gm_native *native);

#endif
