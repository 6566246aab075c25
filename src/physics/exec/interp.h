// physics/exec/interp.h: the block interpreter. Every operation runs over the 64 lanes of a block, operands and
// result being rows; the loop over lanes is the vector loop.
#ifndef GM_PHYSICS_INTERP_H
#define GM_PHYSICS_INTERP_H

#include "physics/exec/kernel.h"

// An operand is a row number times 64, plus which memory it is in (rows are 64 doubles, so the low bits are free).
enum { GM_INTERP_ROWS = 0, GM_INTERP_SCRATCH = 1, GM_INTERP_CONSTS = 2, GM_INTERP_MEMORY = 3 };

typedef struct gm_interp_op { uint32_t op, to, a, b, c; } gm_interp_op;

enum { GM_INTERP_COPY = GM_OP_COUNT, GM_INTERP_END };  // beside the operations of a program

typedef void gm_interp_run(const gm_interp_op *ops, double *const base[3]);

void gm_interp_run_one(const gm_interp_op *ops, double *const base[3]);
void gm_interp_run_avx2(const gm_interp_op *ops, double *const base[3]);
void gm_interp_run_avx512(const gm_interp_op *ops, double *const base[3]);

// Constants of all the code of one kernel; each gets a row.
typedef struct gm_interp_consts {
    uint64_t *bits;  // grows with the kernel's allocator
    size_t    count, capacity;
} gm_interp_consts;

// Translates code whose STOREs and LOADs name rows (>= row_count: scratch row - row_count). Temporaries take scratch
// rows from temp_first on; *out_temp_end is one past the last. *out_ops is freed by the caller.
GM_NODISCARD gm_status gm_interp_compile(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, uint32_t temp_first,
                                         gm_interp_consts *consts, gm_interp_op **out_ops, uint32_t *out_temp_end);

#endif
