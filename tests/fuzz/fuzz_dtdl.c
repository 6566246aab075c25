// Any bytes as a DTDL document, and as a case file: no crash, no leak, and a result that says what it is.
#include "model/dtdl_case.h"
#include "model/model.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_str    text  = { (const char *)data, size };
    gm_model *model = gm_model_create(gm_alloc_system());
    if (model == NULL) return 0;
    gm_model_source src = { .file = GM_STR("fuzz"), .text = text };
    gm_findings     found;
    gm_status       st = gm_model_add(model, &src, 1, &found, NULL);
    if ((st == GM_INVALID) != (found.count > 0)) abort();
    if (st != GM_OK && gm_model_count(model) > 0) abort();
    for (size_t i = 0; i < gm_model_count(model); i++) {
        const gm_type *type = gm_model_at(model, i);
        for (size_t c = 0; c < type->column_count; c++) {
            if (gm_type_column_index(type, type->columns[c].path) != c) abort();
        }
    }
    gm_findings_finish(&found);
    gm_model_destroy(model);

    gm_buf out = gm_buf_init(gm_alloc_system());
    bool   ok;
    if (gm_dtdl_case_run(gm_alloc_system(), text, &out, &ok, NULL) != GM_OK && ok) abort();
    gm_buf_finish(&out);
    return 0;
}
