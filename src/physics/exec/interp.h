// physics/exec/interp.h: the block interpreter. Every operation runs over the 64 lanes of a block, operands and
// result being rows; the loop over lanes is the vector loop.
#ifndef GM_PHYSICS_INTERP_H
#define GM_PHYSICS_INTERP_H

#include "physics/exec/kernel.h"

// An operand is a row number times 64, plus which memory it is in (rows are 64 doubles, so the low bits are free), plus
// whether all its lanes hold the same value, so that one load serves all.
enum { GM_INTERP_ROWS = 0, GM_INTERP_SCRATCH = 1, GM_INTERP_CONSTS = 2, GM_INTERP_MEMORY = 3, GM_INTERP_UNIFORM = 4 };

// Plain arithmetic can take operands from, and leave its result in, the accumulator: vectors that stay in registers from
// one operation to the next. `from` has bit k set where operand k is the accumulator.
enum { GM_INTERP_TO_ACC, GM_INTERP_TO_ROW, GM_INTERP_TO_BOTH };
enum { GM_INTERP_COPY = GM_OP_COUNT, GM_INTERP_END, GM_INTERP_COUNT };  // beside the operations of a program

typedef struct gm_interp_op { uint8_t op, from, place; uint32_t to, a, b, c; } gm_interp_op;

// The combinations there are: X(op, from, uniform), the last with bit k set where operand k is uniform. All of them exist
// for the three places of the result.
#define GM_INTERP_FORMS(X)                                                                                             \
    X(GM_OP_ADD, 0, 0) X(GM_OP_ADD, 1, 0) X(GM_OP_ADD, 3, 0) X(GM_OP_ADD, 0, 2) X(GM_OP_ADD, 1, 2)                      \
    X(GM_OP_MUL, 0, 0) X(GM_OP_MUL, 1, 0) X(GM_OP_MUL, 3, 0) X(GM_OP_MUL, 0, 2) X(GM_OP_MUL, 1, 2)                      \
    X(GM_OP_SUB, 0, 0) X(GM_OP_SUB, 1, 0) X(GM_OP_SUB, 2, 0) X(GM_OP_SUB, 0, 1) X(GM_OP_SUB, 2, 1) X(GM_OP_SUB, 1, 2)   \
    X(GM_OP_DIV, 0, 0) X(GM_OP_DIV, 1, 0) X(GM_OP_DIV, 2, 0) X(GM_OP_DIV, 0, 1) X(GM_OP_DIV, 2, 1)                      \
    X(GM_OP_FMA, 0, 0) X(GM_OP_FMA, 1, 0) X(GM_OP_FMA, 3, 0) X(GM_OP_FMA, 4, 0)                                         \
    X(GM_OP_FMA, 0, 2) X(GM_OP_FMA, 1, 2) X(GM_OP_FMA, 4, 2) X(GM_OP_FMA, 1, 4) X(GM_OP_FMA, 1, 6)                      \
    X(GM_OP_FMS, 0, 0) X(GM_OP_FMS, 1, 0) X(GM_OP_FMS, 3, 0) X(GM_OP_FMS, 4, 0) X(GM_OP_FMS, 0, 2) X(GM_OP_FMS, 1, 2)   \
    X(GM_OP_FNMA, 0, 0) X(GM_OP_FNMA, 1, 0) X(GM_OP_FNMA, 3, 0) X(GM_OP_FNMA, 4, 0)                                     \
    X(GM_OP_FNMA, 0, 2) X(GM_OP_FNMA, 1, 2) X(GM_OP_FNMA, 4, 2) X(GM_OP_FNMA, 0, 4) X(GM_OP_FNMA, 1, 4) X(GM_OP_FNMA, 3, 4)

// Operations with addresses instead of rows; valid while those memories stay where they are.
typedef struct gm_interp_linked {
    void (*run)(void);
    double       *to;
    const double *a, *b, *c;
} gm_interp_linked;

// One per vector width.
typedef struct gm_interp {
    void (*link)(const gm_interp_op *ops, double *const base[3], gm_interp_linked *out);  // as many as ops, END included
    void (*run)(const gm_interp_linked *ops);
} gm_interp;

extern const gm_interp gm_interp_one, gm_interp_avx2, gm_interp_avx512;

// Constants of all the code of one kernel; each gets a row.
typedef struct gm_interp_consts {
    uint64_t *bits;  // grows with the kernel's allocator
    size_t    count, capacity;
} gm_interp_consts;

// Translates code whose STOREs and LOADs name rows (>= row_count: scratch row - row_count). Temporaries take scratch
// rows from temp_first on; *out_temp_end is one past the last. *out_ops is freed by the caller.
//   uniform  [row_count + temp_first]  not 0: all lanes of that row hold the same value
GM_NODISCARD gm_status gm_interp_compile(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, uint32_t temp_first,
                                         const uint8_t *uniform,
                                         gm_interp_consts *consts, gm_interp_op **out_ops, uint32_t *out_count,
                                         uint32_t *out_temp_end);

#endif
