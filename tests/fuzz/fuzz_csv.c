// Comma-separated values: whatever comes, each record ends, and cells are no longer than what they were read from.
#include "cli/csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_buf cells[3] = { gm_buf_init(gm_alloc_system()), gm_buf_init(gm_alloc_system()), gm_buf_init(gm_alloc_system()) };
    gm_str rest     = { (const char *)data, size };
    size_t lines    = 0;
    for (size_t before = rest.len + 1; before > rest.len;) {
        before = rest.len;
        if (gm_csv_next(&rest, cells, 3, &lines) == 0) break;
        if (cells[0].len + cells[1].len + cells[2].len > before - rest.len || lines > size) abort();
    }
    if (rest.len > 0) abort();
    for (size_t i = 0; i < 3; i++) gm_buf_finish(&cells[i]);
    return 0;
}
