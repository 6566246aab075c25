// Which executors an x86-64 processor can run. The builtins also ask the operating system whether it saves the wide
// registers.
#include "physics/exec/native.h"

#include <assert.h>

bool gm_executor_available(gm_executor executor)
{
    switch (executor) {
    case GM_EXECUTOR_AUTO:
    case GM_EXECUTOR_PLAIN:
    case GM_EXECUTOR_INTERPRETER: return true;
    case GM_EXECUTOR_INTERPRETER_AVX2:
    case GM_EXECUTOR_CODE_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case GM_EXECUTOR_INTERPRETER_AVX512:
    case GM_EXECUTOR_CODE_AVX512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    default: return false;
    }
}

static gm_status compile_avx2(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, bool fused, uint32_t row_count,
                              gm_native **out_native, gm_native_run **out_run, gm_error *err)
{
    return gm_native_compile(alloc, codes, count, fused, row_count, false, out_native, out_run, err);
}

static gm_status compile_avx512(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, bool fused, uint32_t row_count,
                                gm_native **out_native, gm_native_run **out_run, gm_error *err)
{
    return gm_native_compile(alloc, codes, count, fused, row_count, true, out_native, out_run, err);
}

const gm_backend *gm_backend_of(gm_executor executor)
{
    static const gm_backend plain       = { &gm_interp_one, gm_dense_solve_one, NULL, NULL };
    static const gm_backend avx2        = { &gm_interp_avx2, gm_dense_solve_avx2, NULL, NULL };
    static const gm_backend avx512      = { &gm_interp_avx512, gm_dense_solve_avx512, NULL, NULL };
    static const gm_backend code_avx2   = { &gm_interp_avx2, gm_dense_solve_avx2, compile_avx2, gm_native_release };
    static const gm_backend code_avx512 = { &gm_interp_avx512, gm_dense_solve_avx512, compile_avx512, gm_native_release };
    switch (executor) {
    case GM_EXECUTOR_INTERPRETER_AVX2: return &avx2;
    case GM_EXECUTOR_INTERPRETER_AVX512: return &avx512;
    case GM_EXECUTOR_CODE_AVX2: return &code_avx2;
    case GM_EXECUTOR_CODE_AVX512: return &code_avx512;
    default: return &plain;
    }
}
