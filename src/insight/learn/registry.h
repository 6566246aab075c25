// insight/learn/registry.h: the models of one purpose, version by version, in a folder; one of them is in use.
//
//   gm_registry_load(io, dir, arena, &registry, &err);              // an empty one when the folder has none
//   gm_registry_model(io, dir, &registry, &model, &err);            // the one in use
//   gm_registry_challenge(io, dir, &registry, &challenger, ...);    // saves a new one; in use only when it wins
//
// registry.json names versions, what they learned from, how good they were on assets they had not seen, and why
// each was
// put in use or not; rul-<version>.model holds the bytes (docs/formats/rul.md).
#ifndef GM_INSIGHT_LEARN_REGISTRY_H
#define GM_INSIGHT_LEARN_REGISTRY_H

#include "base/arena.h"
#include "base/time.h"
#include "insight/learn/rul.h"

enum { GM_REGISTRY_VERSIONS_MAX = 1000 };

typedef struct gm_registry_entry {
    uint32_t version;
    gm_str   set;              // what it learned from, for people
    gm_str   trained;          // when, RFC 3339
    double   seconds;          // that training took
    double   rmse;             // on held-back assets
    double   horizon;          // median over them of the cycles left when predictions had come within 10 % of the cap for good
    double   alpha_lambda;     // share of them within 20 % of the truth at half of the way
    double   mae, bias;        // likewise; bias > 0: too much promised
    uint32_t runs, failed;
    uint64_t rows;             // that it learned from
    uint32_t longest;          // rows of the longest run
    uint32_t features, conditions, sensors;  // columns of the trees; operating conditions; sensors that move
    bool     age;
    gm_str   verdict;          // why it was put in use, or not
} gm_registry_entry;

typedef struct gm_registry {
    gm_registry_entry *entries;  // [count], oldest first
    size_t             count;
    uint32_t           current;  // version in use; 0: none
} gm_registry;

// GM_CORRUPT: registry.json is not what this program writes; GM_IO, GM_NOMEM. Everything is in the arena.
GM_NODISCARD gm_status gm_registry_load(const gm_io *io, const char *dir, gm_arena *arena, gm_registry *out, gm_error *err);

// The entry in use, or NULL.
const gm_registry_entry *gm_registry_current(const gm_registry *registry);

// The model in use. GM_NOTFOUND: none is; and as gm_rul_decode.
GM_NODISCARD gm_status gm_registry_model(const gm_io *io, const char *dir, const gm_registry *registry,
                                         gm_rul_model **out_model, gm_error *err);

// How much a model errs on the failed assets of the fleet that it has not learned from, every tenth row: root mean square, cycles,
// truths cut at its cap. out_assets 0: there are none, and the error is 0. GM_NOMEM; as gm_rul_predict.
GM_NODISCARD gm_status gm_registry_error(const gm_alloc *alloc, const gm_rul_model *model, const gm_fleet *fleet,
                                         double *out_rmse, size_t *out_assets, gm_error *err);

// Saves a model that was just trained on `fleet` as the next version. It is put in use when there is none in use
// yet, or
// when it wins: on the failed assets that the model in use has not learned from (the challenger's predictions are
// those made
// while each was held back), or, without such assets, by the held-back error of all. *out points into the registry.
GM_NODISCARD gm_status gm_registry_challenge(const gm_io *io, const char *dir, gm_arena *arena, gm_registry *registry,
                                             const gm_rul_model *challenger, const gm_fleet *fleet, gm_str set, gm_time_ns now,
                                             double seconds, const gm_registry_entry **out, gm_error *err);

#endif
