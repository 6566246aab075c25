// physics/exec/lookup_body.h, a template: table lookup for whoever has said before what a gm_grid_spec is: lookup.c, and the
// sources of exported FMUs, which carry this file with them.
//
// Akima's interpolation: H. Akima, A new method of interpolation and smooth curve fitting based on local procedures,
// J. ACM 17 (1970) 589-602.
// The interval [at[i], at[i + 1]] that x lies in, or the nearest one. n >= 2, x not NaN.
static uint32_t interval(const double *at, uint32_t n, double x)
{
    uint32_t low = 0, high = n - 1;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (at[middle] <= x) low = middle;
        else high = middle;
    }
    return low;
}

// Brings x into the grid as `beyond` has it; *inside is false where the slope is to be 0.
static double bring_in(const gm_grid_spec *grid, const double *at, uint32_t n, double x, bool *inside)
{
    double first = at[0], last = at[n - 1];
    *inside = true;
    if (x >= first && x <= last) return x;
    if (grid->beyond == GM_GRID_BEYOND_PERIODIC && isfinite(x)) {
        double period = last - first, turns = floor((x - first) / period);
        double within = x - turns * period;
        return within < first ? first : within > last ? last : within;
    }
    if (grid->beyond == GM_GRID_BEYOND_LINEAR) return x;
    *inside = false;
    return x < first ? first : last;
}

static double secant(const gm_grid_spec *g, uint32_t i)
{
    return (g->z[i + 1] - g->z[i]) / (g->x[i + 1] - g->x[i]);
}

// Slopes of the secants around i, continued beyond both ends as Akima does.
static double secant_or_beyond(const gm_grid_spec *g, int64_t i)
{
    int64_t last = (int64_t)g->nx - 2;
    if (i >= 0 && i <= last) return secant(g, (uint32_t)i);
    if (last == 0) return secant(g, 0);
    double step = i < 0 ? secant(g, 0) - secant(g, 1) : secant(g, (uint32_t)last) - secant(g, (uint32_t)last - 1);
    double edge = i < 0 ? secant(g, 0) : secant(g, (uint32_t)last);
    return edge + (double)(i < 0 ? -i : i - last) * step;
}

static double akima_slope(const gm_grid_spec *g, uint32_t i)
{
    double m0 = secant_or_beyond(g, (int64_t)i - 2), m1 = secant_or_beyond(g, (int64_t)i - 1);
    double m2 = secant_or_beyond(g, i), m3 = secant_or_beyond(g, (int64_t)i + 1);
    double left = fabs(m3 - m2), right = fabs(m1 - m0);
    return left + right > 0 ? (left * m1 + right * m2) / (left + right) : 0.5 * (m1 + m2);
}

static double akima(const gm_grid_spec *g, uint32_t i, double x, bool slope)
{
    double x0 = g->x[i], h = g->x[i + 1] - x0;
    double s0 = akima_slope(g, i), s1 = akima_slope(g, i + 1), m = secant(g, i);
    if (x < x0) return slope ? s0 : g->z[i] + s0 * (x - x0);  // beyond the ends: straight on
    if (x > g->x[i + 1]) return slope ? s1 : g->z[i + 1] + s1 * (x - g->x[i + 1]);
    double t = x - x0, c = (3 * m - 2 * s0 - s1) / h, d = (s0 + s1 - 2 * m) / (h * h);
    return slope ? s0 + t * (2 * c + 3 * d * t) : g->z[i] + t * (s0 + t * (c + t * d));
}

static double lookup_line(const gm_grid_spec *g, bool slope, double x)
{
    if (g->nx == 1) return slope ? 0 : g->z[0];
    bool     inside;
    double   at = bring_in(g, g->x, g->nx, x, &inside);
    uint32_t i  = interval(g->x, g->nx, at);
    if (slope && !inside) return 0;
    if (g->smooth == GM_GRID_HOLD) return slope ? 0 : g->z[at >= g->x[i + 1] ? i + 1 : i];
    if (g->smooth == GM_GRID_AKIMA) return akima(g, i, at, slope);
    // A jump at the end of the grid is an interval of no width.
    if (g->x[i + 1] == g->x[i]) return slope ? 0 : g->z[i + 1];
    return slope ? secant(g, i) : g->z[i] + secant(g, i) * (at - g->x[i]);
}

static double lookup_plane(const gm_grid_spec *g, gm_lookup what, double x, double y)
{
    bool     x_inside, y_inside;
    double   u = bring_in(g, g->x, g->nx, x, &x_inside), v = bring_in(g, g->y, g->ny, y, &y_inside);
    uint32_t i = g->nx > 1 ? interval(g->x, g->nx, u) : 0, j = g->ny > 1 ? interval(g->y, g->ny, v) : 0;
    uint32_t i1 = g->nx > 1 ? i + 1 : i, j1 = g->ny > 1 ? j + 1 : j;
    double   width = g->x[i1] - g->x[i], height = g->y[j1] - g->y[j];
    const double *z00 = &g->z[(size_t)i * g->ny], *z10 = &g->z[(size_t)i1 * g->ny];
    if (g->smooth == GM_GRID_HOLD) {
        return what != GM_LOOKUP_VALUE ? 0 : (u >= g->x[i1] ? z10 : z00)[v >= g->y[j1] ? j1 : j];
    }
    double s = width > 0 ? (u - g->x[i]) / width : 0, t = height > 0 ? (v - g->y[j]) / height : 0;
    switch (what) {
    case GM_LOOKUP_DX: return x_inside && width > 0 ? ((z10[j] - z00[j]) * (1 - t) + (z10[j1] - z00[j1]) * t) / width : 0;
    case GM_LOOKUP_DY: return y_inside && height > 0 ? ((z00[j1] - z00[j]) * (1 - s) + (z10[j1] - z10[j]) * s) / height : 0;
    default: return (z00[j] * (1 - s) + z10[j] * s) * (1 - t) + (z00[j1] * (1 - s) + z10[j1] * s) * t;
    }
}

static double grid_lookup(const gm_grid_spec *grid, gm_lookup what, double x, double y)
{
    if (isnan(x) || (grid->ny > 0 && isnan(y))) return NAN;
    if (grid->ny > 0) return lookup_plane(grid, what, x, y);
    return what == GM_LOOKUP_DY ? 0 : lookup_line(grid, what == GM_LOOKUP_DX, x);
}
