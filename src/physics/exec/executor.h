// physics/exec/executor.h: who runs a program's code.
#ifndef GM_PHYSICS_EXECUTOR_H
#define GM_PHYSICS_EXECUTOR_H

#include "base/status.h"

typedef enum gm_executor {
    GM_EXECUTOR_AUTO,         // the fastest this machine has
    GM_EXECUTOR_PLAIN,        // the interpreter in portable C, lane by lane: the reference
    GM_EXECUTOR_INTERPRETER,  // the interpreter with the widest vectors this machine has
    GM_EXECUTOR_INTERPRETER_AVX2,
    GM_EXECUTOR_INTERPRETER_AVX512,
    GM_EXECUTOR_CODE_AVX2,    // machine code
    GM_EXECUTOR_CODE_AVX512,
    GM_EXECUTOR_COUNT
} gm_executor;

// All of them give the same bits for the same program.
const char *gm_executor_text(gm_executor executor);
bool        gm_executor_available(gm_executor executor);

// AUTO and INTERPRETER become what they stand for; one that is not available becomes the best interpreter.
gm_executor gm_executor_pick(gm_executor wanted);

#endif
