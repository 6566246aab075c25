// futures/design.h: which point of the unit cube a lane stands for. Pure functions of (seed, lane, dimension), so that
// any lane is found again alone.
//
//   gm_design d = { .kind = GM_DESIGN_SOBOL, .seed = 7, .lanes = 4096, .dimensions = 3 };
//   if (gm_design_check(&d, &err) == GM_OK) u = gm_design_at(&d, lane, 2);     // 0 < u < 1
//
// RANDOM     independent uniform numbers
// LATIN      Latin hypercube (McKay, Beckman, Conover 1979): in every dimension each of the `lanes` equal intervals holds
//            exactly one lane, in an order drawn by the seed, at a random place inside
// SOBOL      Sobol's sequence with the direction numbers of Joe and Kuo (2008), shifted by random bits (the shift keeps
//            the net's property); 32 dimensions, further ones are random
// SALTELLI   for Sobol indices: lanes = rows * (dimensions + 2); matrix A, matrix B, then A with its i-th column from B
//            (Saltelli et al. 2010). A and B are the two halves of a Sobol sequence of twice the dimensions
// MORRIS     for elementary effects: lanes = paths * (dimensions + 1); each path starts at a random grid point and moves
//            one dimension at a time by two of the four levels, in random order (Morris 1991, with the levels in the middle
//            of equal intervals: u = 1/8, 3/8, 5/8, 7/8, delta = 1/2)
#ifndef GM_FUTURES_DESIGN_H
#define GM_FUTURES_DESIGN_H

#include "base/status.h"

typedef enum gm_design_kind {
    GM_DESIGN_RANDOM,
    GM_DESIGN_LATIN,
    GM_DESIGN_SOBOL,
    GM_DESIGN_SALTELLI,
    GM_DESIGN_MORRIS,
    GM_DESIGN_COUNT
} gm_design_kind;

enum { GM_SOBOL_DIMENSIONS = 32, GM_MORRIS_LEVELS = 4 };

typedef struct gm_design {
    gm_design_kind kind;
    uint64_t       seed;
    uint32_t       lanes, dimensions;
} gm_design;

const char *gm_design_text(gm_design_kind kind);  // "random", "latin", "sobol", "saltelli", "morris"

// GM_INVALID: a number of lanes that the design can not have; the text says which it can.
GM_NODISCARD gm_status gm_design_check(const gm_design *d, gm_error *err);

// Cost: 20 to 200 ns.
double gm_design_at(const gm_design *d, uint32_t lane, uint32_t dimension);

// MORRIS: the dimension in which lane differs from the lane before it; lane % (dimensions + 1) > 0.
uint32_t gm_morris_moved(const gm_design *d, uint32_t lane);

// The index-th point of the plain sequence (index 0 is the origin), as a fraction of 2^32.
uint32_t gm_sobol_bits(uint32_t index, uint32_t dimension);

#endif
