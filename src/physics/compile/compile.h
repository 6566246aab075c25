// physics/compile/compile.h: flat equations in, a program out.
//
//   gm_program *program;
//   gm_status st = gm_compile(flat, alloc, NULL, &diags, &program, &err);     // diags: what is wrong, where
//
// The way: constants and aliases away (alias.c), relations and edges become memory (events.c), which equation decides
// which variable (match.c; structure.c says what is wrong when there is none), index reduction (index.c), order of
// computation (blt.c), loops torn (tear.c), the same for the beginning (init.c), code (emit.c).
// Sources: Pantelides, SIAM J. Sci. Stat. Comput. 9 (1988) 213; Mattsson and Soederlind, SIAM J. Sci. Comput. 14 (1993)
// 677 (dummy derivatives); Tarjan, SIAM J. Comput. 1 (1972) 146; Duff, ACM TOMS 7 (1981) 315 (matching); Dulmage and
// Mendelsohn, Canad. J. Math. 10 (1958) 517.
#ifndef GM_PHYSICS_COMPILE_COMPILE_H
#define GM_PHYSICS_COMPILE_COMPILE_H

#include "physics/compile/flat.h"
#include "physics/program.h"

typedef struct gm_compile_options {
    gm_program_limits limits;
    bool              exact;     // never contract a*b+c (see gm_program_limits)
    gm_buf           *explain;   // what was made of the equations, for an engineer, is appended here; NULL: not wanted
} gm_compile_options;

// Errors: GM_INVALID  the equations do not decide their variables, or contradict one another: diags has the names and
// places
//         GM_LIMIT    too large
// Warnings and notes (start values that were chosen, states that were selected) are added to diags as well.
GM_NODISCARD gm_status gm_compile(const gm_flat *flat, const gm_alloc *alloc, const gm_compile_options *options,
                                  gm_diags *diags, gm_program **out_program, gm_error *err);

// The same without keeping the program: variables, states, aliases, blocks with their sizes, loops with their tearing,
// events, the beginning. For `gemel model explain FILE`.
GM_NODISCARD gm_status gm_model_explain(const gm_flat *flat, const gm_alloc *alloc, gm_diags *diags, gm_buf *out,
                                        gm_error *err);

#endif
