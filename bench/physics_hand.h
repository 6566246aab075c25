// bench/physics_hand.h: the four models of physics_lanes.c written by hand as vector C, the yardstick of the executors.
#ifndef GM_BENCH_PHYSICS_HAND_H
#define GM_BENCH_PHYSICS_HAND_H

#include <stddef.h>

enum { HAND_NODES = 20 };

// Arrays are [variable][lanes], lanes a multiple of 64; x is advanced in place by RK4 steps of h.
typedef void hand_model(double *x, const double *p, size_t lanes, double h, int steps);

hand_model hand_lorenz;    // x: 3; p: sigma, rho, beta
hand_model hand_vanderpol; // x: 2; p: mu
hand_model hand_network;   // x: 20 temperatures; p: 21 conductances, 20 capacities, 2 end temperatures
hand_model hand_reactor;   // x: concentration, temperature; p: q/V, cf, Tf, Tc, k0, E/R, heat, UA

#endif
