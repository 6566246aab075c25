// bench/physics_hand.h: the four models of physics_lanes.c written by hand as vector C, the yardstick of the executors.
#ifndef GM_BENCH_PHYSICS_HAND_H
#define GM_BENCH_PHYSICS_HAND_H

#include <stddef.h>

enum { HAND_NODES = 20 };

// Arrays are [variable][lanes], lanes a multiple of 64; x is advanced in place by RK4 steps of h.
typedef void hand_model(double *x, const double *p, size_t lanes, double h, int steps);

// x and p of each: Lorenz 3 states; sigma, rho, beta. Van der Pol 2; mu. Network 20 temperatures; 21 conductances,
// 20 capacities, 2 end temperatures. Reactor: concentration, temperature; q/V, cf, Tf, Tc, k0, E/R, heat, UA.
// _native: for this machine; _avx2: for machines that have no more than AVX2.
hand_model hand_lorenz_native, hand_vanderpol_native, hand_network_native, hand_reactor_native;
hand_model hand_lorenz_avx2, hand_vanderpol_avx2, hand_network_avx2, hand_reactor_avx2;

#endif
