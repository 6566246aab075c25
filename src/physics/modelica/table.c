// Gemel.interp1 and Gemel.interp2: tables of numbers that are known before the simulation.
#include "physics/program.h"
#include "physics/modelica/flatten.h"

static const double *constant_numbers(gm_flatten *F, const value *v)
{
    double *out = GM_WORK_NEW(&F->rw, double, v->count > 0 ? v->count : 1);
    for (uint32_t i = 0; i < v->count; i++) {
        if (!gm_fold(F, gm_value_at(v, i), true, &out[i])) return NULL;
    }
    return out;
}

static bool rising(const double *x, uint32_t n, bool jumps)
{
    for (uint32_t i = 1; i < n; i++) {
        bool equal = x[i] == x[i - 1] && jumps && (i < 2 || x[i - 2] != x[i]);
        if (!(x[i] > x[i - 1]) && !equal) return false;
    }
    return true;
}

// Gemel.interp1(x, y, u, smooth, beyond) and Gemel.interp2(x, y, z, u, v, beyond)
value gm_interpolate(gm_flatten *F, bool two, const value *args, const gm_ast_expr *at)
{
    const value *x = &args[0], *y = &args[1], *z = &args[2], *u = &args[two ? 3 : 2], *v = &args[4];
    double       smooth = 1, beyond = 1;
    if (!two) gm_fold(F, args[3].one, true, &smooth);
    gm_fold(F, args[two ? 5 : 4].one, true, &beyond);
    bool fits = x->ndims == 1 && y->ndims == 1 && x->count >= 2 &&
                (two ? y->count >= 2 && z->ndims == 2 && z->dims[0] == x->count && z->dims[1] == y->count
                     : y->count == x->count);
    if (!fits)
        return gm_fail_value(F, at->at, at->length,
                          two ? "z must have a row for each x and a column for each y, at least 2 of each"
                              : "x and y must have as many elements, at least 2");
    gm_flat_table table_ = { .name   = gm_work_str(&F->rw, two ? GM_STR("interp2") : GM_STR("interp1")),
                             .nx     = x->count,
                             .ny     = two ? y->count : 0,
                             .smooth = (uint8_t)(smooth - 1),
                             .beyond = (uint8_t)(beyond - 1) };
    table_.x = constant_numbers(F, x);
    table_.y = two ? constant_numbers(F, y) : NULL;
    table_.z = constant_numbers(F, two ? z : y);
    if (table_.x == NULL || table_.z == NULL || (two && table_.y == NULL)) {
        return gm_fail_value(F, at->at, at->length, "a table's numbers must be known before the simulation");
    }
    if (!rising(table_.x, table_.nx, !two && table_.smooth == GM_GRID_LINEAR) ||
        (two && !rising(table_.y, table_.ny, false))) {
        return gm_fail_value(F, at->at, at->length, "the abscissae of a table must rise");
    }
    gm_flat *flat = F->flat;
    uint32_t id   = 0;
    for (; id < flat->table_count; id++) {  // equal tables are one
        const gm_flat_table *t = &flat->tables[id];
        size_t               n = (size_t)table_.nx * (two ? table_.ny : 1);
        if (t->nx == table_.nx && t->ny == table_.ny && t->smooth == table_.smooth && t->beyond == table_.beyond &&
            memcmp(t->x, table_.x, table_.nx * sizeof *t->x) == 0 && memcmp(t->z, table_.z, n * sizeof *t->z) == 0 &&
            (!two || memcmp(t->y, table_.y, table_.ny * sizeof *t->y) == 0)) break;
    }
    if (id == flat->table_count) {
        GM_WORK_RESERVE(&F->rw, flat->tables, flat->table_capacity, flat->table_count + 1);
        flat->tables[flat->table_count++] = table_;
    }
    return gm_value_scalar(V_REAL, gm_ex_lookup(F->ex, id, 0, u->one, two ? v->one : gm_ex_const(F->ex, 0)));
}
