// insight/estimate/health.h: does a filter still know what it is talking about? Two questions about its innovations, over a
// sliding window: are they as large as it said (normalised innovation squared), and does one tell nothing about the next
// (whiteness)? Source: Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, Wiley 2001,
// section 5.4.
//
//   gm_health h;
//   gm_health_init(&h);
//   gm_health_add(&h, nis, m, innovation / deviation);
//   gm_health_judge(&h).state  -> GM_HEALTH_GOOD, or what is wrong
#ifndef GM_INSIGHT_HEALTH_H
#define GM_INSIGHT_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum { GM_HEALTH_WINDOW = 100 };  // updates

typedef enum gm_health_state {
    GM_HEALTH_UNKNOWN,   // too few updates yet
    GM_HEALTH_GOOD,
    GM_HEALTH_TOO_SURE,  // innovations are larger than the filter says: the model no longer fits
    GM_HEALTH_TOO_SHY,   // they are smaller: the noise is set too large
    GM_HEALTH_COLOURED   // right in size, but one predicts the next: something is missing from the model
} gm_health_state;

typedef struct gm_health {
    double   nis[GM_HEALTH_WINDOW], degrees[GM_HEALTH_WINDOW], shift[GM_HEALTH_WINDOW];
    uint32_t count, next;
} gm_health;

void gm_health_init(gm_health *h);

// nis with its degrees of freedom; shift: a normalised innovation whose sign means something (or the mean of several).
void gm_health_add(gm_health *h, double nis, double degrees, double shift);

typedef struct gm_health_verdict {
    gm_health_state state;
    double          nis_mean;     // per degree of freedom: 1 is right
    double          nis_low, nis_high;  // where it lies in 99.9 % of windows when all is well
    double          correlation;  // of neighbours; |.| < correlation_limit when white
    double          correlation_limit;
} gm_health_verdict;
gm_health_verdict gm_health_judge(const gm_health *h);

const char *gm_health_text(gm_health_state state);

// The value that a chi-square variable with that many degrees of freedom stays below with probability p.
// Wilson and Hilferty, Proc. Nat. Acad. Sci. 17 (1931) 684: within 1 % for 3 degrees and more.
double gm_chi_square_quantile(double degrees, double p);

#endif
