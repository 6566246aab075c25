// The Skoltech anomaly benchmark.
#include "insight/anomaly/skab.h"

#include "base/arena.h"
#include "base/time.h"
#include "insight/text_file.h"

#include <math.h>

enum { TEXT_LIMIT = 256 << 20, CELLS_MAX = 80, ROWS_MAX = 2000000, DEPTH_MAX = 16 };

typedef struct table {
    uint32_t    sensors, cells;
    int         sensor_cell[GM_HEALTHY_SENSORS_MAX], time_cell, label_cell;
    size_t      rows, value_room, label_room, time_room;
    double     *values; // [rows][sensors]
    bool       *labels; // [rows]
    gm_time_ns *times;  // [rows]
} table;

static void finish(const gm_alloc *alloc, table *t)
{
    gm_free(alloc, t->values);
    gm_free(alloc, t->labels);
    gm_free(alloc, t->times);
}

static gm_status read_header(gm_str line, const char *name, table *t, gm_error *err)
{
    gm_str cells[CELLS_MAX];
    size_t n      = gm_cells_split(line, ';', cells, CELLS_MAX);
    t->time_cell  = -1;
    t->label_cell = -1;
    t->cells      = (uint32_t)n;
    if (n > CELLS_MAX)
        return gm_fail(err, GM_LIMIT, "insight.skab", "%.100s: %zu columns, at most %d", name, n, CELLS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (gm_str_is(cells[i], "datetime"))
            t->time_cell = (int)i;
        else if (gm_str_is(cells[i], "anomaly"))
            t->label_cell = (int)i;
        else if (!gm_str_is(cells[i], "changepoint") && t->sensors < GM_HEALTHY_SENSORS_MAX)
            t->sensor_cell[t->sensors++] = (int)i;
    }
    return GM_OK;
}

static bool read_time(gm_str text, gm_time_ns *out)
{
    char zoned[64];
    if (text.len == 0 || text.len > 40) return false;
    memcpy(zoned, text.ptr, text.len);
    zoned[text.len] = 'Z';
    return gm_time_parse((gm_str) { zoned, text.len + 1 }, out, NULL) == GM_OK;
}

static gm_status read_row(const gm_alloc *alloc, gm_str line, const char *name, uint32_t number, table *t,
                          gm_error *err)
{
    gm_str cells[CELLS_MAX];
    double label;
    if (t->rows >= ROWS_MAX) return gm_fail(err, GM_LIMIT, "insight.skab", "%.100s: more than %d rows", name, ROWS_MAX);
    if (gm_cells_split(line, ';', cells, CELLS_MAX) != t->cells)
        return gm_fail_at(err, GM_INVALID, "insight.skab", number, 1, "%.100s:%u: not %u columns", name, number,
                          t->cells);
    if (!gm_alloc_reserve(alloc, &t->values, &t->value_room, t->rows + 1, t->sensors * sizeof(double)) ||
        !gm_alloc_reserve(alloc, &t->labels, &t->label_room, t->rows + 1, sizeof *t->labels) ||
        !gm_alloc_reserve(alloc, &t->times, &t->time_room, t->rows + 1, sizeof *t->times))
        return gm_fail(err, GM_NOMEM, "insight.skab", "%.100s", name);
    for (uint32_t s = 0; s < t->sensors; s++)
        if (!gm_cell_number(cells[t->sensor_cell[s]], &t->values[t->rows * t->sensors + s]))
            return gm_fail_at(err, GM_INVALID, "insight.skab", number, 1, "%.100s:%u: column %d is not a number", name,
                              number, t->sensor_cell[s] + 1);
    if (!gm_cell_number(cells[t->label_cell], &label) || !read_time(cells[t->time_cell], &t->times[t->rows]))
        return gm_fail_at(err, GM_INVALID, "insight.skab", number, 1, "%.100s:%u: no time or no label", name, number);
    // The same instant twice: the first row counts.
    if (t->rows > 0 && t->times[t->rows] == t->times[t->rows - 1]) return GM_OK;
    t->labels[t->rows++] = label > 0.5;
    return GM_OK;
}

static gm_status score_rows(const gm_alloc *alloc, const table *t, const gm_healthy_options *options, gm_skab_report *r,
                            gm_error *err)
{
    gm_healthy *h  = NULL;
    gm_status   st = gm_healthy_fit(alloc, t->values, GM_SKAB_LEARN, t->sensors, options, &h, err);
    if (st != GM_OK) return st;
    size_t begin   = SIZE_MAX; // of the stretch that the row lies in
    bool   flagged = false;
    for (size_t i = 0; i <= t->rows; i++) {
        bool label = i < t->rows && i >= GM_SKAB_LEARN && t->labels[i];
        if (!label && begin != SIZE_MAX) {
            if (!flagged) r->mean_delay_s += (double)(t->times[i - 1] - t->times[begin]) / 1e9;
            begin = SIZE_MAX;
        }
        if (i == t->rows) break;
        bool alarm = gm_healthy_step(h, t->values + i * t->sensors, NULL).total >= 1;
        if (i < GM_SKAB_LEARN) continue;
        if (label && begin == SIZE_MAX) {
            begin   = i;
            flagged = false;
            r->events++;
        }
        if (label && alarm && !flagged) {
            flagged = true;
            r->found++;
            r->mean_delay_s += (double)(t->times[i] - t->times[begin]) / 1e9;
        }
        if (label)
            *(alarm ? &r->tp : &r->fn) += 1;
        else
            *(alarm ? &r->fp : &r->tn) += 1;
    }
    gm_healthy_destroy(h);
    return GM_OK;
}

gm_status gm_skab_table(const gm_alloc *alloc, gm_str text, const char *name, const gm_healthy_options *options,
                        gm_skab_report *report, gm_error *err)
{
    table    t = { 0 };
    gm_str   line;
    uint32_t number = 1;
    if (!gm_str_next(&text, '\n', &line)) line = GM_STR("");
    gm_status st = read_header(line, name, &t, err);
    if (st == GM_OK && (t.label_cell < 0 || t.time_cell < 0 || t.sensors == 0)) {
        report->skipped++;
        return GM_OK;
    }
    while (st == GM_OK && gm_str_next(&text, '\n', &line)) {
        number++;
        if (gm_str_trim(line).len > 0) st = read_row(alloc, line, name, number, &t, err);
    }
    if (st == GM_OK && t.rows <= GM_SKAB_LEARN)
        st = gm_fail(err, GM_INVALID, "insight.skab", "%.100s: %zu rows; the first %d are to learn from", name, t.rows,
                     GM_SKAB_LEARN);
    if (st == GM_OK) st = score_rows(alloc, &t, options, report, err);
    if (st == GM_OK) report->files++;
    finish(alloc, &t);
    return st;
}

void gm_skab_finish(gm_skab_report *r)
{
    double found = (double)r->tp, flagged = (double)(r->tp + r->fp), labelled = (double)(r->tp + r->fn);
    r->f1  = flagged + labelled > 0 ? 2 * found / (flagged + labelled) : NAN;
    r->far = (double)r->fp / (double)(r->fp + r->tn);
    r->mar = (double)r->fn / labelled;
    r->mean_delay_s /= r->events;
}

typedef struct walk {
    const gm_io              *io;
    gm_arena                 *arena;
    const char               *dir;
    uint32_t                  depth;
    const gm_healthy_options *options;
    gm_skab_report           *report;
} walk;

static gm_status visit(void *context, gm_str name, gm_error *err)
{
    walk     *w    = context;
    gm_str    path = gm_arena_printf(w->arena, "%s/" GM_STR_FMT, w->dir, GM_STR_ARG(name));
    gm_status st   = GM_OK;
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.skab", "names");
    if (gm_str_ends(name, GM_STR(".csv")) || gm_str_ends(name, GM_STR(".csv.gz"))) {
        gm_buf text = gm_buf_init(w->io->alloc);
        if (w->report->files + w->report->skipped >= GM_SKAB_FILES_MAX)
            return gm_fail(err, GM_LIMIT, "insight.skab", "more than %d tables", GM_SKAB_FILES_MAX);
        st = gm_text_file_read(w->io, path.ptr, TEXT_LIMIT, &text, err);
        if (st == GM_OK) st = gm_skab_table(w->io->alloc, gm_buf_view(&text), path.ptr, w->options, w->report, err);
        gm_buf_finish(&text);
        return st;
    }
    // Other files are not folders: listing them fails, and that is all.
    walk below = *w;
    below.dir  = path.ptr;
    below.depth++;
    if (below.depth > DEPTH_MAX || gm_str_starts(name, GM_STR("."))) return GM_OK;
    gm_error failed = { 0 };
    st              = w->io->list(w->io, path.ptr, visit, &below, &failed);
    if (st == GM_OK ||
        ((st == GM_IO || st == GM_NOTFOUND) && failed.where != NULL && strncmp(failed.where, "insight", 7) != 0))
        return GM_OK;
    if (err != NULL) *err = failed;
    return st;
}

gm_status gm_skab_run(const gm_io *io, const char *dir, const gm_healthy_options *options, gm_skab_report *out,
                      gm_error *err)
{
    *out   = (gm_skab_report) { 0 };
    walk w = { .io = io, .dir = dir, .options = options, .report = out, .arena = gm_arena_create(io->alloc, 0) };
    if (w.arena == NULL) return gm_fail(err, GM_NOMEM, "insight.skab", "names");
    gm_status st = io->list(io, dir, visit, &w, err);
    gm_arena_destroy(w.arena);
    if (st == GM_OK && out->files == 0)
        st = gm_fail(err, GM_INVALID, "insight.skab", "%.150s has no table with the column \"anomaly\"", dir);
    if (st == GM_OK) gm_skab_finish(out);
    return st;
}
