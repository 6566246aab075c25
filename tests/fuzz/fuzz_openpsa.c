// Open-PSA files: hostile text is read; what is a small model is analysed within tight limits and written out.
#include "reliability/analyse.h"
#include "reliability/openpsa.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gm_alloc    *alloc = gm_alloc_system();
    gm_openpsa_options o     = { .mission_time = 8760 };
    gm_openpsa_file    file  = { GM_STR("fuzz.xml"), { (const char *)data, size } };
    gm_openpsa        *model = NULL;
    gm_error           err   = { 0 };
    if (gm_openpsa_read(alloc, &o, &file, 1, &model, &err) != GM_OK) return 0;
    for (size_t i = 0; i < gm_openpsa_top_count(model) && i < 3; i++) {
        gm_tree_node           top = gm_openpsa_top(model, i);
        gm_reliability_options ro  = gm_reliability_options_defaults(gm_clock_system());
        gm_reliability        *r   = NULL;
        if (gm_fault_tree_check(gm_openpsa_tree(model), top, &err) != GM_OK) continue;
        ro.memory_max = 1 << 20;
        ro.time_max   = 20 * GM_MILLISECOND;
        if (gm_reliability_analyse(alloc, gm_openpsa_tree(model), top, &ro, &r, &err) == GM_OK) {
            gm_reliability_summary s = gm_reliability_summarise(r);
            if (s.exact && !(s.probability >= -1e-9 && s.probability <= 1 + 1e-9)) abort();
        }
        gm_reliability_destroy(r);
        gm_buf out = gm_buf_init(alloc);
        gm_openpsa_write(gm_openpsa_tree(model), top, GM_STR("t"), &out);
        gm_buf_finish(&out);
    }
    gm_openpsa_destroy(model);
    return 0;
}
