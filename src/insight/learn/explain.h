// insight/learn/explain.h: how much of what differs between like assets is explained by what was measured of each of them: least
// squares, judged on assets that the coefficients have not seen.
//
//   gm_explain_options o = gm_explain_options_defaults();
//   gm_explain_fit(alloc, &question, &o, &e, &err);      // x [assets][inputs], y [assets]
//   e.r2_left_out, e.inputs[k].effect, e.assets[i].explained, gm_explain_part(&e, i, k)
//   gm_explain_finish(&e);
//
// Everything that is said of one asset comes from coefficients to which it has not contributed. Theory: docs/theory/explain.md.
#ifndef GM_INSIGHT_LEARN_EXPLAIN_H
#define GM_INSIGHT_LEARN_EXPLAIN_H

#include "base/alloc.h"
#include "base/str.h"

enum { GM_EXPLAIN_INPUTS_MAX = 64, GM_EXPLAIN_ASSETS_MAX = 2000 };

typedef struct gm_explain_question {     // borrowed for the call; numbers are finite
    const double *x;                     // [assets][inputs]
    const double *y;                     // [assets]
    const double *noise;                 // [assets] variance of the error with which y is known; NULL: nothing is known of it
    const gm_str *asset_names, *input_names;  // for messages
    size_t        assets, inputs;
} gm_explain_question;

typedef struct gm_explain_options {
    double penalty;  // 0: least squares; above: ridge, relative to each input's variance: draws coefficients towards 0
    double level;    // of intervals
} gm_explain_options;
static inline gm_explain_options gm_explain_options_defaults(void) { return (gm_explain_options){ 0, 0.9 }; }

typedef struct gm_explain_input {
    double mean, spread;       // standard deviation over the assets; 0: the same for all, and of no effect
    double effect, low, high;  // on y of one unit more, and its interval
    double share;              // of the variance of y; the shares of all add up to r2 (least squares)
} gm_explain_input;

typedef struct gm_explain_asset {
    double offset;     // y less the mean of the others
    double explained;  // of the offset, by coefficients that have not seen the asset: the sum of its parts
} gm_explain_asset;

typedef struct gm_explain {
    const gm_alloc   *alloc;
    size_t            asset_count, input_count, used;  // used: inputs that are not the same for all
    gm_explain_input *inputs;
    gm_explain_asset *assets;
    double           *parts;        // [assets][inputs] of `explained`
    double           *halves;       // [assets][inputs] half of a part's interval
    double            mean, spread; // of y
    double            noise;        // share of the variance of y that is error of measurement, 0 .. 1; NaN: not known
    double            r2;           // share of the variance of y that the fit takes up; rises with every input, whatever it is
    double            r2_left_out;  // the same of assets that were left out in turn; negative: the mean alone would say more
    double            chance;       // of an r2 as high with inputs that explain nothing (F test); NaN with a penalty
} gm_explain;

static inline double gm_explain_part(const gm_explain *e, size_t asset, size_t input) { return e->parts[asset * e->input_count + input]; }
static inline double gm_explain_half(const gm_explain *e, size_t asset, size_t input) { return e->halves[asset * e->input_count + input]; }

// Errors: GM_INVALID  y or all inputs are the same for all assets; too few assets for as many inputs; an input follows from others; an
//                     asset alone makes an input differ. The message names them and says what can be done. Nothing is to be finished.
//         GM_LIMIT    more than the bounds above.  GM_NOMEM
// Cost: O(assets inputs^2).
GM_NODISCARD gm_status gm_explain_fit(const gm_alloc *alloc, const gm_explain_question *question, const gm_explain_options *options,
                                      gm_explain *out, gm_error *err);
void                   gm_explain_finish(gm_explain *e);  // a zeroed one is allowed

#endif
