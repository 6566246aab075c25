// physics/modelica/builtin.h: the functions of the language, shared by builtin.c (all but arrays) and builtin_array.c.
#ifndef GM_PHYSICS_MODELICA_BUILTIN_H
#define GM_PHYSICS_MODELICA_BUILTIN_H

#include "physics/modelica/flatten.h"

typedef enum builtin {
    B_DER,
    B_PRE,
    B_EDGE,
    B_CHANGE,
    B_INITIAL,
    B_TERMINAL,
    B_SAMPLE,
    B_NOEVENT,
    B_SMOOTH,
    B_DELAY,
    B_SEMILINEAR,
    B_HOMOTOPY,
    B_ASSERT,
    B_TERMINATE,
    B_REINIT,
    B_MATH1,
    B_MATH2,
    B_ABS,
    B_SIGN,
    B_INTEGER,
    B_MINMAX,
    B_SIZE,
    B_NDIMS,
    B_SUM,
    B_PRODUCT,
    B_ZEROS,
    B_ONES,
    B_FILL,
    B_IDENTITY,
    B_DIAGONAL,
    B_LINSPACE,
    B_TRANSPOSE,
    B_CROSS,
    B_SYMMETRIC,
    B_SKEW,
    B_OUTER,
    B_SCALAR,
    B_VECTOR,
    B_MATRIX,
    B_ARRAY,
    B_CAT,
    B_STRING,
    B_TOINTEGER,
    B_UNSUPPORTED
} builtin;

// "`sin` wants a number, this is Boolean"
value gm_wrong_argument(gm_flatten *F, const char *function, const gm_ast_expr *arg, const value *v, const char *wanted);
bool  gm_is_numeric(const value *v);

value gm_eval_size(gm_flatten *F, const scope *s, const gm_ast_expr **args, uint32_t count);
value gm_eval_fill(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr **args, uint32_t count);
value gm_eval_square(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr *arg);
value gm_eval_linspace(gm_flatten *F, const scope *s, const gm_ast_expr **args);
value gm_eval_transpose(gm_flatten *F, const scope *s, const gm_ast_expr *arg);
value gm_eval_cross(gm_flatten *F, const scope *s, const gm_ast_expr **args);
value gm_eval_symmetric(gm_flatten *F, const scope *s, const gm_ast_expr *arg);
value gm_eval_skew(gm_flatten *F, const scope *s, const gm_ast_expr *arg);
value gm_eval_outer(gm_flatten *F, const scope *s, const gm_ast_expr **args);
value gm_eval_reshape(gm_flatten *F, const scope *s, builtin kind, const gm_ast_expr *arg);
value gm_eval_cat(gm_flatten *F, const scope *s, const gm_ast_expr *call);

#endif
