// Executable memory. A page is never writable and executable at once: it is filled while writable, then made
// executable for good.
#include "physics/exec/native.h"

#include "physics/exec/native_parts.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CODE_MAX = 256 << 20 };

struct gm_native {
    const gm_alloc *alloc;
    void           *memory;
    size_t          size;
};

void gm_native_release(gm_native *native)
{
    if (native == NULL) return;
    if (native->memory != NULL) munmap(native->memory, native->size);
    gm_free(native->alloc, native);
}

static gm_status make_executable(gm_native *native, const gm_buf *code, gm_error *err)
{
    size_t page  = (size_t)sysconf(_SC_PAGESIZE);
    native->size = (code->len + page - 1) / page * page;
    void *memory = mmap(NULL, native->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return gm_fail_os(err, errno, "physics.native", "%zu bytes for machine code", native->size);
    native->memory = memory;
    memcpy(memory, code->ptr, code->len);
    if (mprotect(memory, native->size, PROT_READ | PROT_EXEC) != 0) {
        return gm_fail_os(err, errno, "physics.native", "making machine code executable");
    }
    return GM_OK;
}

// Codes first .. end - 1 as one function; *out_entry is SIZE_MAX when none of them has results.
static void compile_function(const gm_alloc *alloc, const gm_code *const *codes, uint32_t first, uint32_t end, uint32_t row_count,
                             gm_x64 *x, size_t *out_entry)
{
    uint32_t  count = 0;
    gm_mcode *m     = gm_alloc_zeroed(alloc, (end - first + (size_t)1) * sizeof *m);
    *out_entry      = SIZE_MAX;
    x->failed       = x->failed || m == NULL;
    for (uint32_t i = first; i < end && !x->failed; i++) {
        if (codes[i]->result_count == 0) continue;
        gm_native_select(alloc, codes[i], row_count, x, &m[count]);
        gm_native_widen(&m[count], x->wide ? 32 : 16);
        x->failed = x->failed || m[count].failed;
        count++;
    }
    if (count > 0 && !x->failed) {
        while (x->code.len % 64 != 0 && !x->code.failed) gm_buf_byte(&x->code, 0xcc);
        *out_entry = x->code.len;
        gm_native_emit(m, count, row_count, x->wide ? gm_lane_calls_avx512 : gm_lane_calls_avx2, x);
    }
    for (uint32_t i = 0; i < count; i++) gm_free(alloc, m[i].ops);
    gm_free(alloc, m);
}

gm_status gm_native_compile(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, bool fused, uint32_t row_count,
                            bool wide, gm_native **out_native, gm_native_run **out_run, gm_error *err)
{
    *out_native       = NULL;
    gm_status  st     = GM_OK;
    gm_x64     x      = { .code = gm_buf_init(alloc), .wide = wide, .alloc = alloc };
    gm_native *native = gm_alloc_zeroed(alloc, sizeof *native);
    size_t    *entry  = gm_alloc_array(alloc, count, sizeof *entry);
    x.code.limit      = CODE_MAX;
    if (native != NULL) native->alloc = alloc;
    if (native == NULL || entry == NULL) {
        st = gm_fail(err, GM_NOMEM, "physics.native", "compiling");
        goto done;
    }
    for (uint32_t i = 0; i < count; i++) {
        entry[i] = SIZE_MAX;
        if (fused && i > 1) continue;
        compile_function(alloc, codes, i, fused && i == 1 ? count : i + 1, row_count, &x, &entry[i]);
    }
    gm_x64_close(&x);
    if (x.failed || x.code.failed) {
        st = gm_fail(err, x.code.len >= CODE_MAX / 2 ? GM_LIMIT : GM_NOMEM, "physics.native", "%zu bytes of machine code", x.code.len);
        goto done;
    }
    if (x.code.len == 0) goto done;  // nothing to run
    st = make_executable(native, &x.code, err);
    if (st != GM_OK) goto done;
    for (uint32_t i = 0; i < count; i++) {
        out_run[i] = NULL;
        if (entry[i] == SIZE_MAX) continue;
        uint8_t *at = (uint8_t *)native->memory + entry[i];
        memcpy(&out_run[i], &at, sizeof at);  // data to function pointer, as POSIX has it
    }
    *out_native = native;
    native      = NULL;
done:
    gm_native_release(native);
    gm_free(alloc, entry);
    gm_free(alloc, x.pool);
    gm_free(alloc, x.patches);
    gm_buf_finish(&x.code);
    return st;
}
