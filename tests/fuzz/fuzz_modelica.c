// Any bytes as a Modelica text: read, flattened, compiled, explained. Small limits keep one input short.
#include "physics/compile/compile.h"
#include "physics/modelica/modelica.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_error     err  = { 0 };
    gm_flat     *flat = NULL;
    gm_program  *program = NULL;
    gm_buf       text = gm_buf_init(gm_alloc_system());
    gm_diags     diags;
    gm_modelica *m = gm_modelica_create(gm_alloc_system(), &err);
    if (m == NULL) abort();
    gm_diags_init(&diags, gm_alloc_system());
    // Classes without errors count, also when the text has some.
    gm_status st = gm_modelica_add(m, GM_STR("fuzz.mo"), (gm_str){ (const char *)data, size }, &diags, &err);
    if ((st == GM_OK) != (diags.errors == 0)) abort();
    gm_flatten_options options = { .limits = {
                                       .vars_max = 2000, .depth_max = 30, .steps_max = 30000, .bytes_max = 64 << 20 } };
    gm_str             name    = gm_modelica_last_class(m);
    st = name.len > 0 ? gm_modelica_flatten(m, name, &options, &diags, &flat, &err) : GM_NOTFOUND;
    if ((st == GM_OK) != (flat != NULL)) abort();
    if (flat != NULL) {
        gm_flat_dump(flat, &text);
        gm_compile_options compile = {
            .explain = &text, .limits = { .slots_max = 5000, .instructions_max = 200000, .grid_values_max = 10000 }
        };
        st = gm_compile(flat, gm_alloc_system(), &compile, &diags, &program, &err);
        if ((st == GM_OK) != (program != NULL)) abort();
    }
    gm_diags_write(&diags, &text);
    gm_program_destroy(program);
    gm_flat_destroy(flat);
    gm_diags_finish(&diags);
    gm_buf_finish(&text);
    gm_modelica_destroy(m);
    return 0;
}
