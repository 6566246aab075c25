// physics/exec/native_parts.h: between the three stages of the code generator.
//
//   gm_code --native_select.c--> machine operations (SSA) --native_emit.c--> bytes --native.c--> executable memory
#ifndef GM_PHYSICS_NATIVE_PARTS_H
#define GM_PHYSICS_NATIVE_PARTS_H

#include "physics/exec/backend.h"
#include "physics/exec/x64.h"

typedef enum gm_mkind {
    GM_M_ROW,     // the content of a row: used from memory, costs nothing by itself
    GM_M_CONST,   // the same of a constant
    GM_M_KEEP,    // a row read here and now, because it is overwritten before its last use
    GM_M_BINARY,  // op(a, b)
    GM_M_COMMUTE, // op(a, b) = op(b, a)
    GM_M_UNARY,   // op(a), imm
    GM_M_SHIFT,   // a, op: 2 = right, 6 = left; imm
    GM_M_FMA,     // op: which of the three; a, b, c
    GM_M_COMPARE, // a, b, imm
    GM_M_SELECT,  // a ? b : c, bit by bit
    GM_M_CALL,    // op: gm_op; a, b
    GM_M_STORE    // a to row b; no value
} gm_mkind;

typedef struct gm_mop { uint8_t kind, imm; uint32_t op, a, b, c; } gm_mop;

typedef struct gm_mcode {
    const gm_alloc *alloc;
    gm_mop         *ops;
    size_t          count, capacity;
    unsigned        abreast;  // vectors worked on at a time; imm of ROW, KEEP and STORE says which
    bool            failed;
} gm_mcode;

unsigned gm_mkind_operands(gm_mkind kind);  // how many of a, b, c are values

// Translates; x receives the constants. out->ops is freed by the caller.
void gm_native_select(const gm_alloc *alloc, const gm_code *code, uint32_t row_count, gm_x64 *x, gm_mcode *out);

// Doubles the code: two vectors of lanes side by side, operation by operation, so that one fills the gaps that the
// latency of the other leaves. Only where both fit the registers.
void gm_native_widen(gm_mcode *m, unsigned registers);

// One vector at a time, elementwise; result and operands in memory.
typedef void gm_lane_call(double *to, const double *a, const double *b);
extern gm_lane_call *const gm_lane_calls_avx2[GM_OP_COUNT];
extern gm_lane_call *const gm_lane_calls_avx512[GM_OP_COUNT];

// Allocates registers and appends a function gm_native_run to x->code. Each of the codes runs over the whole block
// before the next.
void gm_native_emit(const gm_mcode *codes, uint32_t count, uint32_t row_count, gm_lane_call *const *calls, gm_x64 *x);

#endif
