// physics/code.h: straight-line code while it grows: folding, sharing, differentiation. Inside physics only; compilers
// use program.h, which adds names, sections and checks of what comes from outside.
//
// A value is the index of the instruction that computes it. The first failure (memory, limit) is remembered in
// `status`; emitting then gives value 0, which may be passed on.
#ifndef GM_PHYSICS_CODE_H
#define GM_PHYSICS_CODE_H

#include "physics/program.h"

#define GM_CODE_NONE UINT32_MAX

typedef struct gm_code {
    const gm_alloc *alloc;
    gm_status       status;
    gm_ins         *ins;
    size_t          count, capacity, limit;
    uint32_t       *shared;        // open addressing: where an equal instruction may already stand
    size_t          shared_mask;
    uint32_t       *arguments;     // of the SOLVEs
    size_t          argument_count, argument_capacity;
    gm_code_result *results;
    size_t          result_count, result_capacity;
} gm_code;

gm_code gm_code_init(const gm_alloc *alloc, size_t limit);
void    gm_code_finish(gm_code *code);

// Operands must be of the types the signature asks for.
uint32_t gm_code_emit(gm_code *code, gm_op op, uint32_t a, uint32_t b, uint32_t c);
uint32_t gm_code_const(gm_code *code, double value);
uint32_t gm_code_solve(gm_code *code, uint32_t loop, const uint32_t *arguments, uint32_t count);
void     gm_code_result_add(gm_code *code, gm_code_result_kind kind, uint32_t target, uint32_t value);

bool gm_code_is_mask(const gm_code *code, uint32_t value);
bool gm_code_is_const(const gm_code *code, uint32_t value, double *out_value);  // also masks, as 0 and 1

// out[i] = d of[i] / d wrt, or GM_CODE_NONE where of[i] does not depend on wrt.
// GM_INVALID: through a SOLVE or DELAY.
gm_status gm_code_diff(gm_code *code, uint32_t wrt, uint32_t n, const uint32_t *of, uint32_t *out);

// Drops what no result needs; with contract, turns products that have one use into multiply-adds.
gm_status gm_code_compact(gm_code *code, bool contract);

// Reorders compacted code so that consumers follow closely on producers. The values stay the same, bit for bit.
gm_status gm_code_schedule(gm_code *code);

// A delay at a time (GM_CODE_NONE: of the row of time). In code for executors the operand of DELAY is the instant asked for.
uint32_t gm_code_delay(gm_code *code, uint32_t time, uint32_t lag, uint32_t delay);

// Appends the code of a region. slot_value[slot] stands in for LOADs of that slot, GM_CODE_NONE = load it.
//   map  [from->ins_count]  out: the new place of every value
void gm_code_inline(gm_code *code, const gm_region *from, const uint32_t *slot_value, uint32_t *map);

// The operands that are values: how many of a, b, c (0..3).
unsigned gm_op_arity(gm_op op);
bool     gm_op_gives_mask(gm_op op);

gm_region gm_code_region(const gm_code *code);

#endif
