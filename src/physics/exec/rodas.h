// physics/exec/rodas.h: coefficients of the Rosenbrock method RODAS, order 4(3), six stages, L-stable, stiffly accurate, in
// the form that solves for u instead of k: E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed.,
// section IV.7 (the form), section IV.10 and their program RODAS (the numbers). Sources of exported FMUs carry it too.
//
//   (I/(h gamma) - J) u_i = f(t + c_i h, x + sum a_ij u_j) + sum b_ij u_j / h + d_i h df/dt
//   x_new = x + sum a_6j u_j + u_6 (a_6j is row 5 here), and u_6 is the error
#ifndef GM_PHYSICS_RODAS_H
#define GM_PHYSICS_RODAS_H

enum { RODAS_STAGES = 6 };
static const double rodas_gamma = 0.25, rodas_c[RODAS_STAGES] = { 0, 0.386, 0.21, 0.63, 1, 1 };
static const double rodas_d[RODAS_STAGES] = { 0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0 };
static const double rodas_a[RODAS_STAGES][RODAS_STAGES] = {
    { 0 },
    { 1.544000000000000 },
    { 0.9466785280815826, 0.2557011698983284 },
    { 3.314825187068521, 2.896124015972201, 0.9986419139977817 },
    { 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950 },
    { 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1 },
};
static const double rodas_b[RODAS_STAGES][RODAS_STAGES] = {
    { 0 },
    { -5.668800000000000 },
    { -2.430093356833875, -0.2063599157091915 },
    { -0.1073529058151375, -9.594562251023355, -20.47028614809616 },
    { 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160 },
    { 8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054 },
};

#endif
