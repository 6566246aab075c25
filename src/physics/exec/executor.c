// What does not depend on the processor; see executor_x86.c and executor_other.c.
#include "physics/exec/executor.h"

#include <assert.h>

const char *gm_executor_text(gm_executor executor)
{
    static const char *const text[GM_EXECUTOR_COUNT] = { "auto",        "plain",     "interpreter", "interpreter avx2",
                                                         "interpreter avx512", "code avx2", "code avx512" };
    assert(executor < GM_EXECUTOR_COUNT);
    return text[executor];
}

gm_executor gm_executor_pick(gm_executor wanted)
{
    if (wanted == GM_EXECUTOR_AUTO) {
        if (gm_executor_available(GM_EXECUTOR_CODE_AVX512)) return GM_EXECUTOR_CODE_AVX512;
        if (gm_executor_available(GM_EXECUTOR_CODE_AVX2)) return GM_EXECUTOR_CODE_AVX2;
    }
    if (wanted != GM_EXECUTOR_AUTO && wanted != GM_EXECUTOR_INTERPRETER && gm_executor_available(wanted)) return wanted;
    if (gm_executor_available(GM_EXECUTOR_INTERPRETER_AVX512)) return GM_EXECUTOR_INTERPRETER_AVX512;
    if (gm_executor_available(GM_EXECUTOR_INTERPRETER_AVX2)) return GM_EXECUTOR_INTERPRETER_AVX2;
    return GM_EXECUTOR_PLAIN;
}
