// Built without libxml2: Open-PSA files can not be read.
#include "reliability/openpsa.h"

gm_status gm_openpsa_read(const gm_alloc *alloc, const gm_openpsa_options *options, const gm_openpsa_file *files, size_t count,
                          gm_openpsa **out_model, gm_error *err)
{
    (void)alloc, (void)options, (void)files, (void)count;
    *out_model = NULL;
    return gm_fail(err, GM_INVALID, "reliability.openpsa", "this build reads no Open-PSA files; it was made without libxml2");
}

void           gm_openpsa_destroy(gm_openpsa *model) { (void)model; }
gm_fault_tree *gm_openpsa_tree(gm_openpsa *model) { (void)model; return NULL; }
size_t         gm_openpsa_top_count(const gm_openpsa *model) { (void)model; return 0; }
gm_tree_node   gm_openpsa_top(const gm_openpsa *model, size_t i) { (void)model, (void)i; return (gm_tree_node){ 0 }; }
size_t         gm_openpsa_undefined(const gm_openpsa *model) { (void)model; return 0; }
bool           gm_openpsa_supported(void) { return false; }
