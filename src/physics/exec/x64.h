// physics/exec/x64.h: an assembler for the x86-64 instructions that the code generator uses.
//
// Vector instructions come in two encodings of the same operations: VEX with 256-bit registers (AVX2, FMA) and EVEX
// with 512-bit ones (AVX-512 F and DQ). Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
// 2.3 (VEX), 2.7 (EVEX) and the pages of the instructions.
#ifndef GM_PHYSICS_X64_H
#define GM_PHYSICS_X64_H

#include "base/buf.h"

// map << 16 | pp << 12 | (W in VEX) << 11 | opcode. In EVEX all of them have W = 1.
enum {
    GM_X64_MOV_LOAD = 0x11028, GM_X64_MOV_STORE = 0x11029,  // vmovapd
    GM_X64_ADD = 0x11058, GM_X64_MUL = 0x11059, GM_X64_SUB = 0x1105c, GM_X64_MIN = 0x1105d, GM_X64_DIV = 0x1105e,
    GM_X64_MAX = 0x1105f, GM_X64_SQRT = 0x11051,
    GM_X64_AND = 0x11054, GM_X64_OR = 0x11056, GM_X64_XOR = 0x11057,
    GM_X64_CMP = 0x110c2,
    GM_X64_ADD_INT = 0x110d4, GM_X64_SUB_INT = 0x110fb,
    GM_X64_SHIFT = 0x11073,                                 // the register field says which way
    GM_X64_ROUND = 0x31009,                                 // vroundpd, vrndscalepd
    GM_X64_FMADD = 0x21898, GM_X64_FMSUB = 0x2189a, GM_X64_FNMADD = 0x2189c,  // 132; + 0x10 = 213, + 0x20 = 231
    GM_X64_BROADCAST = 0x21019,
    GM_X64_SCALE = 0x2102c,                                 // EVEX only
    GM_X64_TERNARY = 0x31025,                               // EVEX only
    GM_X64_MASK_TO_VECTOR = 0x22038,                        // EVEX only: vpmovm2q
    GM_X64_BLEND = 0x3104b                                  // VEX only: vblendvpd
};

enum { GM_RAX, GM_RCX, GM_RDX, GM_RBX, GM_RSP, GM_RBP, GM_RSI, GM_RDI, GM_R12 = 12, GM_R13, GM_R14, GM_R15 };

typedef enum gm_x64_place { GM_X64_REGISTER, GM_X64_MEMORY, GM_X64_CONSTANT } gm_x64_place;

typedef struct gm_x64_operand {
    gm_x64_place place;
    uint8_t      reg;   // REGISTER: vector register; MEMORY: base register
    int32_t      disp;  // MEMORY; CONSTANT: index into the pool
} gm_x64_operand;

typedef struct gm_x64_fixup { uint32_t at, constant; } gm_x64_fixup;  // a 32-bit displacement, relative to at + 4 + after

typedef struct gm_x64 {
    gm_buf         code;
    bool           wide;        // EVEX and 512 bits
    uint64_t      *pool;        // the constants' bits
    size_t         pool_count, pool_capacity;
    struct gm_x64_patch { uint32_t at, after, constant; } *patches;  // displacements still to be filled in
    size_t         patch_count, patch_capacity;
    const gm_alloc *alloc;
    bool           failed;
} gm_x64;

static inline gm_x64_operand gm_x64_reg(uint8_t reg) { return (gm_x64_operand){ GM_X64_REGISTER, reg, 0 }; }
static inline gm_x64_operand gm_x64_mem(uint8_t base, int32_t disp) { return (gm_x64_operand){ GM_X64_MEMORY, base, disp }; }

uint32_t gm_x64_constant(gm_x64 *x, uint64_t bits);  // its place in the pool; equal ones are shared

// op reg, v, rm (, imm): the three fields of a vector instruction. imm < 0: none. A constant as rm is broadcast
// (EVEX) or stands in the pool once per lane (VEX).
void gm_x64_vector(gm_x64 *x, uint32_t op, uint8_t reg, uint8_t v, gm_x64_operand rm, int imm);
void gm_x64_load(gm_x64 *x, uint8_t reg, gm_x64_operand from);
void gm_x64_store(gm_x64 *x, gm_x64_operand to, uint8_t reg);

void gm_x64_bytes(gm_x64 *x, const char *bytes, size_t n);
#define GM_X64_BYTES(x, literal) gm_x64_bytes((x), "" literal, sizeof(literal) - 1)
void gm_x64_word(gm_x64 *x, uint32_t word);  // 32 bits, little-endian

void   gm_x64_call(gm_x64 *x, void (*function)(double *, const double *, const double *));
size_t gm_x64_pool_stride(const gm_x64 *x);  // bytes of one constant

// Appends the pool and fills in the displacements.
void gm_x64_close(gm_x64 *x);

#endif
