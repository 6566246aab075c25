// Which executors an x86-64 processor can run. The builtins also ask the operating system whether it saves the wide
// registers.
#include "physics/exec/backend.h"

#include <assert.h>

bool gm_executor_available(gm_executor executor)
{
    switch (executor) {
    case GM_EXECUTOR_AUTO:
    case GM_EXECUTOR_PLAIN:
    case GM_EXECUTOR_INTERPRETER: return true;
    case GM_EXECUTOR_INTERPRETER_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case GM_EXECUTOR_INTERPRETER_AVX512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    default: return false;
    }
}

const gm_backend *gm_backend_of(gm_executor executor)
{
    static const gm_backend plain = { .interpret = gm_interp_run_one }, avx2 = { .interpret = gm_interp_run_avx2 },
                            avx512 = { .interpret = gm_interp_run_avx512 };
    switch (executor) {
    case GM_EXECUTOR_INTERPRETER_AVX2: return &avx2;
    case GM_EXECUTOR_INTERPRETER_AVX512: return &avx512;
    default: return &plain;
    }
}
