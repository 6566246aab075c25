#include "physics/exec/x64.h"

#include "base/le.h"

uint32_t gm_x64_constant(gm_x64 *x, uint64_t bits)
{
    for (size_t i = 0; i < x->pool_count; i++) {
        if (x->pool[i] == bits) return (uint32_t)i;
    }
    if (!gm_alloc_reserve(x->alloc, &x->pool, &x->pool_capacity, x->pool_count + 1, sizeof bits)) {
        x->failed = true;
        return 0;
    }
    x->pool[x->pool_count] = bits;
    return (uint32_t)x->pool_count++;
}

void gm_x64_bytes(gm_x64 *x, const char *bytes, size_t n)
{
    gm_buf_add(&x->code, bytes, n);
}

void gm_x64_word(gm_x64 *x, uint32_t word)
{
    uint8_t bytes[4];
    gm_put_u32(bytes, word);
    gm_buf_add(&x->code, bytes, sizeof bytes);
}

// Where the operand lies: ModRM, SIB and displacement. EVEX divides an 8-bit displacement by the operand's size.
static void put_operand(gm_x64 *x, uint8_t reg, gm_x64_operand rm, bool has_imm)
{
    uint8_t field = (uint8_t)((reg & 7) << 3);
    if (rm.place == GM_X64_REGISTER) {
        gm_buf_byte(&x->code, (uint8_t)(0xc0 | field | (rm.reg & 7)));
        return;
    }
    if (rm.place == GM_X64_CONSTANT) {
        gm_buf_byte(&x->code, 0x05 | field);  // relative to the next instruction
        if (!gm_alloc_reserve(x->alloc, &x->patches, &x->patch_capacity, x->patch_count + 1, sizeof *x->patches)) {
            x->failed = true;
            return;
        }
        x->patches[x->patch_count++] = (struct gm_x64_patch){ (uint32_t)x->code.len, has_imm, (uint32_t)rm.disp };
        gm_x64_word(x, 0);
        return;
    }
    int32_t scale   = x->wide ? 64 : 1;
    bool    is_byte = rm.disp % scale == 0 && rm.disp / scale >= -128 && rm.disp / scale <= 127;
    gm_buf_byte(&x->code, (uint8_t)((is_byte ? 0x40 : 0x80) | field | (rm.reg & 7)));
    if ((rm.reg & 7) == GM_RSP) gm_buf_byte(&x->code, 0x24);
    if (is_byte) gm_buf_byte(&x->code, (uint8_t)(rm.disp / scale));
    else gm_x64_word(x, (uint32_t)rm.disp);
}

void gm_x64_vector(gm_x64 *x, uint32_t op, uint8_t reg, uint8_t v, gm_x64_operand rm, int imm)
{
    unsigned map = op >> 16, pp = op >> 12 & 3, w = op >> 11 & 1;
    unsigned no_r = !(reg & 8), no_b = rm.place == GM_X64_CONSTANT || !(rm.reg & 8);
    unsigned no_x = rm.place != GM_X64_REGISTER || !(rm.reg & 16);  // bit 4 of a register operand
    uint8_t  prefix[4];
    if (x->wide) {
        unsigned no_r4 = !(reg & 16), no_v4 = !(v & 16), broadcast = rm.place == GM_X64_CONSTANT && op != GM_X64_BROADCAST;
        prefix[0] = 0x62;
        prefix[1] = (uint8_t)(no_r << 7 | no_x << 6 | no_b << 5 | no_r4 << 4 | map);
        prefix[2] = (uint8_t)(1u << 7 | (~v & 15u) << 3 | 1u << 2 | pp);
        prefix[3] = (uint8_t)(2u << 5 | broadcast << 4 | no_v4 << 3);
        gm_buf_add(&x->code, prefix, 4);
    } else {
        prefix[0] = 0xc4;
        prefix[1] = (uint8_t)(no_r << 7 | 1u << 6 | no_b << 5 | map);
        prefix[2] = (uint8_t)(w << 7 | (~v & 15u) << 3 | 1u << 2 | pp);
        gm_buf_add(&x->code, prefix, 3);
    }
    gm_buf_byte(&x->code, (uint8_t)op);
    put_operand(x, reg, rm, imm >= 0);
    if (imm >= 0) gm_buf_byte(&x->code, (uint8_t)imm);
}

void gm_x64_load(gm_x64 *x, uint8_t reg, gm_x64_operand from)
{
    bool spread = x->wide && from.place == GM_X64_CONSTANT;
    gm_x64_vector(x, spread ? GM_X64_BROADCAST : GM_X64_MOV_LOAD, reg, 0, from, -1);
}

void gm_x64_store(gm_x64 *x, gm_x64_operand to, uint8_t reg)
{
    gm_x64_vector(x, GM_X64_MOV_STORE, reg, 0, to, -1);
}

void gm_x64_call(gm_x64 *x, void (*function)(double *, const double *, const double *))
{
    uint64_t address;
    uint8_t  bytes[8];
    memcpy(&address, &function, sizeof address);
    gm_put_u64(bytes, address);
    GM_X64_BYTES(x, "\x48\xb8");  // mov rax, address
    gm_buf_add(&x->code, bytes, sizeof bytes);
    GM_X64_BYTES(x, "\xff\xd0");  // call rax
}

size_t gm_x64_pool_stride(const gm_x64 *x) { return x->wide ? 8 : 32; }

void gm_x64_close(gm_x64 *x)
{
    while (x->code.len % 64 != 0 && !x->code.failed) gm_buf_byte(&x->code, 0xcc);
    size_t pool = x->code.len, stride = gm_x64_pool_stride(x);
    for (size_t i = 0; i < x->pool_count; i++) {
        for (size_t copy = 0; copy < stride; copy += 8) {
            uint8_t bytes[8];
            gm_put_u64(bytes, x->pool[i]);
            gm_buf_add(&x->code, bytes, sizeof bytes);
        }
    }
    if (x->code.failed || x->failed) return;
    for (size_t i = 0; i < x->patch_count; i++) {
        const struct gm_x64_patch *p = &x->patches[i];
        gm_put_u32(x->code.ptr + p->at, (uint32_t)(pool + p->constant * stride - (p->at + 4 + p->after)));
    }
}
