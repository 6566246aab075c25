// Line protocol: whatever comes, each line ends, every view lies inside the text, and what was read can be said again.
#include "link/line.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(gm_str part, const uint8_t *data, size_t size)
{
    if (part.len == 0) return;
    if ((const uint8_t *)part.ptr < data || (const uint8_t *)part.ptr + part.len > data + size) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_str  rest = { (const char *)data, size };
    gm_line line = { .number = 0 };
    gm_buf  out  = gm_buf_init(gm_alloc_system());
    size_t  lines = 0;
    while (gm_line_next(&rest, &line)) {
        if (++lines > size + 1) abort();
        inside(line.text, data, size);
        if (line.fault != NULL) continue;
        gm_str      key = line.key, fields = line.fields, name, value;
        const char *fault = NULL;
        gm_value    v;
        inside(key, data, size);
        gm_buf_clear(&out);
        gm_line_unescape(gm_line_measurement(&key), &out);
        while (gm_line_tag(&key, &name, &value, &fault)) {
            inside(name, data, size);
            inside(value, data, size);
            gm_line_unescape(value, &out);
        }
        if (out.len > line.key.len) abort();
        fault = NULL;
        while (gm_line_field(&fields, &name, &v, &fault)) {
            inside(name, data, size);
            if (v.kind == GM_KIND_STRING) inside(v.s, data, size);
            if (v.kind == GM_KIND_DOUBLE && !(v.d >= -1.7976931348623157e308 && v.d <= 1.7976931348623157e308)) abort();
        }
    }
    gm_buf_finish(&out);
    return 0;
}
