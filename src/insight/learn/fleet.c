// Lives of assets, read from tables.
#include "insight/learn/fleet.h"

#include "insight/text_file.h"

#include <math.h>
#include <stdio.h>

enum { TEXT_LIMIT = 512 << 20, TURBOFAN_SETTINGS = 3, TURBOFAN_SENSORS = 21, TURBOFAN_CELLS = 26 };

gm_fleet gm_fleet_init(const gm_alloc *alloc, uint32_t settings, uint32_t sensors)
{
    return (gm_fleet) { .alloc = alloc, .settings = settings, .sensors = sensors };
}

void gm_fleet_finish(gm_fleet *fleet)
{
    if (fleet->alloc == NULL) return;
    gm_free(fleet->alloc, fleet->values);
    gm_free(fleet->alloc, fleet->runs);
    *fleet = (gm_fleet) { 0 };
}

gm_status gm_fleet_begin(gm_fleet *fleet, uint32_t unit, double left, gm_error *err)
{
    if (!gm_alloc_reserve(fleet->alloc, &fleet->runs, &fleet->run_capacity, fleet->run_count + 1, sizeof *fleet->runs))
        return gm_fail(err, GM_NOMEM, "insight.fleet", "run %zu", fleet->run_count);
    fleet->runs[fleet->run_count++] = (gm_run) { .unit = unit, .first = (uint32_t)fleet->rows, .left = left };
    return GM_OK;
}

gm_status gm_fleet_add(gm_fleet *fleet, const double *row, gm_error *err)
{
    uint32_t columns = gm_fleet_columns(fleet);
    if (fleet->rows >= GM_FLEET_ROWS_MAX)
        return gm_fail(err, GM_LIMIT, "insight.fleet", "more than %d rows", GM_FLEET_ROWS_MAX);
    if (!gm_alloc_reserve(fleet->alloc, &fleet->values, &fleet->row_capacity, fleet->rows + 1,
                          columns * sizeof(double)))
        return gm_fail(err, GM_NOMEM, "insight.fleet", "row %zu", fleet->rows);
    memcpy(fleet->values + fleet->rows * columns, row, columns * sizeof(double));
    fleet->rows++;
    fleet->runs[fleet->run_count - 1].count++;
    return GM_OK;
}

static bool unit_is_known(const gm_fleet *fleet, uint32_t unit)
{
    for (size_t i = 0; i < fleet->run_count; i++)
        if (fleet->runs[i].unit == unit) return true;
    return false;
}

gm_status gm_fleet_parse_turbofan(gm_str text, const char *name, gm_fleet *fleet, gm_error *err)
{
    gm_str   rest   = text, line;
    uint32_t number = 0;
    double   cycle  = 0;
    while (gm_str_next(&rest, '\n', &line)) {
        gm_str cells[TURBOFAN_CELLS];
        double v[TURBOFAN_CELLS];
        number++;
        size_t n = gm_cells_split(line, ' ', cells, TURBOFAN_CELLS);
        if (n == 0) continue;
        if (n != TURBOFAN_CELLS)
            return gm_fail_at(err, GM_INVALID, "insight.fleet", number, 1, "%.80s:%u: %zu columns, %d are expected",
                              name, number, n, TURBOFAN_CELLS);
        for (size_t i = 0; i < n; i++)
            if (!gm_cell_number(cells[i], &v[i]))
                return gm_fail_at(err, GM_INVALID, "insight.fleet", number, 1, "%.80s:%u: column %zu is not a number",
                                  name, number, i + 1);
        if (!(v[0] >= 0 && v[0] <= 4e9) || !isfinite(v[1]))
            return gm_fail_at(err, GM_INVALID, "insight.fleet", number, 1, "%.80s:%u: unit and cycle must be numbers",
                              name, number);
        uint32_t unit = (uint32_t)v[0];
        bool     same = fleet->run_count > 0 && fleet->runs[fleet->run_count - 1].unit == unit;
        if (!same) {
            if (unit_is_known(fleet, unit))
                return gm_fail_at(err, GM_INVALID, "insight.fleet", number, 1,
                                  "%.80s:%u: unit %u comes again; rows of a unit must stand together", name, number,
                                  unit);
            gm_status st = gm_fleet_begin(fleet, unit, NAN, err);
            if (st != GM_OK) return st;
        } else if (v[1] <= cycle) {
            if (v[1] == cycle) continue; // sent twice: the first one counts
            return gm_fail_at(err, GM_INVALID, "insight.fleet", number, 1, "%.80s:%u: cycle %g after %g", name, number,
                              v[1], cycle);
        }
        cycle        = v[1];
        gm_status st = gm_fleet_add(fleet, v + 2, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// One number a line, for the runs in order.
static gm_status parse_left(gm_str text, const char *name, gm_fleet *fleet, gm_error *err)
{
    gm_str rest = text, line;
    size_t n    = 0;
    while (gm_str_next(&rest, '\n', &line)) {
        double left;
        line = gm_str_trim(line);
        if (line.len == 0) continue;
        if (!gm_cell_number(line, &left) || !(left >= 0))
            return gm_fail(err, GM_INVALID, "insight.fleet", "%.80s: entry %zu is not a number of cycles", name, n + 1);
        if (n < fleet->run_count) fleet->runs[n].left = left;
        n++;
    }
    if (n != fleet->run_count)
        return gm_fail(err, GM_INVALID, "insight.fleet", "%.80s has %zu entries for %zu units", name, n,
                       fleet->run_count);
    return GM_OK;
}

static gm_status read_text(const gm_io *io, const char *dir, const char *part, const char *set, gm_buf *text,
                           char *name, size_t name_size, gm_error *err)
{
    if (snprintf(name, name_size, "%s/%s_%s.txt", dir, part, set) >= (int)name_size)
        return gm_fail(err, GM_INVALID, "insight.fleet", "the folder's name is too long");
    return gm_text_file_read(io, name, TEXT_LIMIT, text, err);
}

gm_status gm_fleet_read_turbofan(const gm_io *io, const char *dir, const char *part, const char *set,
                                 gm_fleet *out_fleet, gm_error *err)
{
    char   name[4096];
    bool   test = strcmp(part, "test") == 0;
    gm_buf text = gm_buf_init(io->alloc), left = gm_buf_init(io->alloc);
    *out_fleet   = gm_fleet_init(io->alloc, TURBOFAN_SETTINGS, TURBOFAN_SENSORS);
    gm_status st = read_text(io, dir, part, set, &text, name, sizeof name, err);
    if (st == GM_OK) st = gm_fleet_parse_turbofan(gm_buf_view(&text), name, out_fleet, err);
    if (st == GM_OK && out_fleet->run_count == 0)
        st = gm_fail(err, GM_INVALID, "insight.fleet", "%.150s has no rows", name);
    for (size_t i = 0; st == GM_OK && !test && i < out_fleet->run_count; i++) out_fleet->runs[i].left = 0;
    if (st == GM_OK && test) {
        gm_status found = read_text(io, dir, "RUL", set, &left, name, sizeof name, err);
        if (found == GM_OK)
            st = parse_left(gm_buf_view(&left), name, out_fleet, err);
        else if (found != GM_NOTFOUND)
            st = found;
    }
    gm_buf_finish(&text);
    gm_buf_finish(&left);
    if (st != GM_OK) gm_fleet_finish(out_fleet);
    return st;
}
