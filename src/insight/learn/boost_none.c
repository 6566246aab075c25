// Built without XGBoost: models that were trained elsewhere can be used, none can be trained.
#include "insight/learn/boost.h"

gm_status gm_boost_train(const gm_alloc *alloc, const gm_boost_data *data, const gm_boost_options *options,
                         gm_trees **out_trees, gm_error *err)
{
    (void)alloc, (void)data, (void)options;
    *out_trees = NULL;
    return gm_fail(err, GM_INVALID, "insight.boost",
                   "this gemel was built without XGBoost; it can not train boosted trees");
}

bool gm_boost_available(void)
{
    return false;
}
