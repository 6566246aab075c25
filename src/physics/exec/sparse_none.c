// Sparse systems where KLU was not built in.
#include "physics/exec/sparse.h"

bool gm_sparse_available(void) { return false; }

gm_status gm_sparse_create(const gm_alloc *alloc, uint32_t n, uint32_t entries, const uint32_t *rows, const uint32_t *columns,
                           gm_sparse **out_sparse, gm_error *err)
{
    (void)alloc, (void)rows, (void)columns;
    *out_sparse = NULL;
    return gm_fail(err, GM_LIMIT, "physics.sparse", "%u unknowns, %u entries: built without KLU", n, entries);
}

void gm_sparse_destroy(gm_sparse *sparse) { (void)sparse; }
void gm_sparse_forget(const gm_sparse *sparse, gm_sparse_factors *factors) { (void)sparse, (void)factors; }

bool gm_sparse_solve(const gm_sparse *sparse, gm_sparse_factors *factors, const double *values, size_t stride, double *work,
                     double *b)
{
    (void)sparse, (void)factors, (void)values, (void)stride, (void)work, (void)b;
    return false;
}

bool gm_sparse_factor(const gm_sparse *sparse, gm_sparse_factors *factors, const double *values, size_t stride, double *work)
{
    (void)sparse, (void)factors, (void)values, (void)stride, (void)work;
    return false;
}

bool gm_sparse_back(const gm_sparse *sparse, const gm_sparse_factors *factors, double *b)
{
    (void)sparse, (void)factors, (void)b;
    return false;
}
