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

gm_status gm_native_compile(const gm_alloc *alloc, const gm_code *const *codes, uint32_t count, uint32_t row_count, bool wide,
                            gm_native **out_native, gm_native_run **out_run, gm_error *err)
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
        if (codes[i]->result_count == 0) continue;
        while (x.code.len % 64 != 0 && !x.code.failed) gm_buf_byte(&x.code, 0xcc);
        entry[i] = x.code.len;
        gm_mcode m;
        gm_native_select(alloc, codes[i], row_count, &x, &m);
        gm_native_widen(&m, wide ? 32 : 16);
        if (m.failed) x.failed = true;
        else gm_native_emit(&m, row_count, wide ? gm_lane_calls_avx512 : gm_lane_calls_avx2, &x);
        gm_free(alloc, m.ops);
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
