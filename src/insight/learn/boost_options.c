// What boosted trees are grown with when nobody says otherwise.
#include "insight/learn/boost.h"

gm_boost_options gm_boost_options_defaults(void)
{
    return (gm_boost_options) { .rounds      = 150,
                                .depth       = 5,
                                .rate        = 0.07,
                                .rows        = 0.5,
                                .columns     = 0.8,
                                .leaf_weight = 10,
                                .ridge       = 1,
                                .threads     = 1,
                                .seed        = 1 };
}
