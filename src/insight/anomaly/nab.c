// The Numenta anomaly benchmark: folder in, scores out.
#include "insight/anomaly/nab.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/time.h"
#include "insight/anomaly/stream.h"
#include "insight/text_file.h"
#include "model/json_tree.h"

#include <stdio.h>

enum { TEXT_LIMIT = 256 << 20, PATH_SIZE = 4096, WINDOWS_MAX = 1000, ROWS_MAX = 10000000 };

// "2014-07-10 12:29:00" or with a fraction: the benchmark's times have no zone.
static bool read_time(gm_str text, gm_time_ns *out)
{
    char zoned[64];
    if (text.len == 0 || text.len > 40) return false;
    memcpy(zoned, text.ptr, text.len);
    zoned[text.len] = 'Z';
    return gm_time_parse((gm_str) { zoned, text.len + 1 }, out, NULL) == GM_OK;
}

gm_status gm_nab_parse(const gm_alloc *alloc, gm_str text, const char *name, int64_t **out_times, double **out_values,
                       uint32_t *out_count, gm_error *err)
{
    gm_str    line;
    size_t    n = 0, time_room = 0, value_room = 0;
    uint32_t  number = 0;
    int64_t  *times  = NULL;
    double   *values = NULL;
    gm_status st     = GM_OK;
    while (st == GM_OK && gm_str_next(&text, '\n', &line)) {
        gm_str cells[2];
        number++;
        if (number == 1 || gm_str_trim(line).len == 0) continue;
        if (n >= ROWS_MAX)
            st = gm_fail(err, GM_LIMIT, "insight.nab", "%.100s: more than %d rows", name, ROWS_MAX);
        else if (!gm_alloc_reserve(alloc, &times, &time_room, n + 1, sizeof *times) ||
                 !gm_alloc_reserve(alloc, &values, &value_room, n + 1, sizeof *values))
            st = gm_fail(err, GM_NOMEM, "insight.nab", "%.100s", name);
        else if (gm_cells_split(line, ',', cells, 2) < 2 || !read_time(cells[0], &times[n]) ||
                 !gm_cell_number(cells[1], &values[n]))
            st = gm_fail_at(err, GM_INVALID, "insight.nab", number, 1, "%.100s:%u: not a time and a number", name,
                            number);
        else
            n++;
    }
    if (st == GM_OK && n == 0) st = gm_fail(err, GM_INVALID, "insight.nab", "%.100s has no rows", name);
    if (st != GM_OK) {
        gm_free(alloc, times);
        gm_free(alloc, values);
        times  = NULL;
        values = NULL;
        n      = 0;
    }
    *out_times  = times;
    *out_values = values;
    *out_count  = (uint32_t)n;
    return st;
}

typedef struct corpus {
    const gm_io   *io;
    gm_arena      *arena;
    gm_nab_report *report;
    const char    *dir;
    gm_nab_point  *points; // of all files, one after the other; worth and window are filled per profile
    size_t         count, room;
    struct table {
        size_t         first;
        uint32_t       rows, first_window, window_count;
        gm_nab_window *windows;
    } * tables;
    uint32_t table_count;
} corpus;

static gm_status read_json(corpus *c, const char *name, const gm_json **out, gm_error *err)
{
    gm_str   path = gm_arena_printf(c->arena, "%s/%s", c->dir, name);
    gm_alloc in   = gm_arena_alloc(c->arena);
    gm_buf   text = gm_buf_init(&in);
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "%.100s", name);
    gm_status st = gm_text_file_read(c->io, path.ptr, TEXT_LIMIT, &text, err);
    if (st != GM_OK) return st;
    gm_str kept = gm_arena_str(c->arena, gm_buf_view(&text));
    if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "%.100s", name);
    return gm_json_parse(c->arena, kept, out, err);
}

static double weight(const gm_json *matrix, gm_str key)
{
    const gm_json *node  = gm_json_get(matrix, key);
    double         value = 0;
    if (gm_json_is(node, GM_JSON_NUMBER)) gm_number_read(node->text, &value);
    return value;
}

static gm_status read_profiles(corpus *c, gm_error *err)
{
    const gm_json *root = NULL;
    gm_status      st   = read_json(c, "profiles.json", &root, err);
    if (st == GM_NOTFOUND) st = read_json(c, "config/profiles.json", &root, err);
    if (st != GM_OK) return st;
    for (const gm_json *p = root->first; p != NULL && c->report->profile_count < GM_NAB_PROFILES_MAX; p = p->next) {
        const gm_json  *matrix  = gm_json_get(p, GM_STR("CostMatrix"));
        gm_nab_profile *profile = &c->report->profiles[c->report->profile_count].profile;
        *profile                = (gm_nab_profile) { .tp = weight(matrix, GM_STR("tpWeight")),
                                                     .fp = weight(matrix, GM_STR("fpWeight")),
                                                     .fn = weight(matrix, GM_STR("fnWeight")) };
        if (!(profile->tp > 0)) return gm_fail(err, GM_INVALID, "insight.nab", "profiles.json: no tpWeight above 0");
        snprintf(profile->name, sizeof profile->name, GM_STR_FMT, GM_STR_ARG(p->key));
        c->report->profile_count++;
    }
    return c->report->profile_count > 0 ? GM_OK
                                        : gm_fail(err, GM_INVALID, "insight.nab", "profiles.json has no profile");
}

// The rows that a labelled stretch covers: the first at or after its start up to the last at or before its end.
static gm_status read_windows(corpus *c, const gm_json *list, const int64_t *times, struct table *t, gm_error *err)
{
    t->windows = GM_ARENA_NEW(c->arena, gm_nab_window, list->count + 1);
    if (t->windows == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "windows");
    for (const gm_json *w = list->first; w != NULL; w = w->next) {
        gm_time_ns from, to;
        if (!gm_json_is(w, GM_JSON_ARRAY) || w->count != 2 || !gm_json_is(w->first, GM_JSON_STRING) ||
            !gm_json_is(w->first->next, GM_JSON_STRING) || !read_time(w->first->text, &from) ||
            !read_time(w->first->next->text, &to))
            return gm_fail(err, GM_INVALID, "insight.nab", "a labelled window is not two times");
        uint32_t first = 0, last = 0;
        while (first < t->rows && times[first] < from) first++;
        for (uint32_t i = first; i < t->rows && times[i] <= to; i++) last = i;
        if (first >= t->rows || last < first) continue;
        t->windows[t->window_count++] = (gm_nab_window) { first, last };
    }
    return GM_OK;
}

static gm_status detect(corpus *c, const double *values, uint32_t n, gm_error *err)
{
    if (!gm_alloc_reserve(c->io->alloc, &c->points, &c->room, c->count + n, sizeof *c->points))
        return gm_fail(err, GM_NOMEM, "insight.nab", "%u rows", n);
    gm_stream *stream = gm_stream_create(c->io->alloc, gm_nab_probation(n));
    if (stream == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "detector");
    for (uint32_t i = 0; i < n; i++)
        c->points[c->count + i] = (gm_nab_point) { .score = gm_stream_step(stream, values[i]).total };
    gm_stream_destroy(stream);
    return GM_OK;
}

// Reads one labelled table, runs the detector over it, keeps scores and windows.
static gm_status run_table(corpus *c, const gm_json *label, gm_error *err)
{
    gm_buf   text   = gm_buf_init(c->io->alloc);
    int64_t *times  = NULL;
    double  *values = NULL;
    uint32_t n      = 0;
    gm_str   path   = gm_arena_printf(c->arena, "%s/data/" GM_STR_FMT, c->dir, GM_STR_ARG(label->key));
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "path");
    if (gm_str_find(label->key, GM_STR("..")) != SIZE_MAX)
        return gm_fail(err, GM_INVALID, "insight.nab", "a labelled file's name leads out of the folder");
    gm_status st = gm_text_file_read(c->io, path.ptr, TEXT_LIMIT, &text, err);
    if (st == GM_NOTFOUND) {
        c->report->missing++;
        return GM_OK;
    }
    if (st == GM_OK) st = gm_nab_parse(c->io->alloc, gm_buf_view(&text), path.ptr, &times, &values, &n, err);
    struct table *t = &c->tables[c->table_count];
    *t              = (struct table) { .first = c->count, .rows = n, .first_window = c->report->windows };
    if (st == GM_OK) st = read_windows(c, label, times, t, err);
    if (st == GM_OK) st = detect(c, values, n, err);
    if (st == GM_OK) {
        c->count += n;
        c->table_count++;
        c->report->windows += t->window_count;
        c->report->rows += n;
        c->report->files++;
    }
    gm_free(c->io->alloc, times);
    gm_free(c->io->alloc, values);
    gm_buf_finish(&text);
    return st;
}

static gm_status score_profile(corpus *c, gm_nab_point *scratch, gm_nab_result *r, gm_error *err)
{
    memcpy(scratch, c->points, c->count * sizeof *scratch);
    for (uint32_t i = 0; i < c->table_count; i++) {
        const struct table *t = &c->tables[i];
        gm_nab_worth(t->windows, t->window_count, t->first_window, &r->profile, scratch + t->first, t->rows);
    }
    gm_status st = gm_nab_sweep(c->io->alloc, scratch, c->count, c->report->windows, &r->profile, &r->best, err);
    if (st == GM_OK)
        r->normalised =
            gm_nab_normalise(r->best.score, c->report->windows, r->best.found + r->best.missed, &r->profile);
    return st;
}

gm_status gm_nab_run(const gm_io *io, const char *dir, gm_nab_report *out, gm_error *err)
{
    corpus         c       = { .io = io, .dir = dir, .report = out, .arena = gm_arena_create(io->alloc, 0) };
    const gm_json *labels  = NULL;
    gm_nab_point  *scratch = NULL;
    *out                   = (gm_nab_report) { 0 };
    if (c.arena == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "reading the benchmark");
    gm_status st = read_profiles(&c, err);
    if (st == GM_OK) st = read_json(&c, "labels/combined_windows.json", &labels, err);
    if (st == GM_OK && (!gm_json_is(labels, GM_JSON_OBJECT) || labels->count > GM_NAB_FILES_MAX))
        st = gm_fail(err, GM_INVALID, "insight.nab", "combined_windows.json is not an object of files");
    if (st == GM_OK) {
        c.tables = gm_arena_zeroed(c.arena, labels->count + 1, sizeof *c.tables);
        if (c.tables == NULL) st = gm_fail(err, GM_NOMEM, "insight.nab", "%u files", labels->count);
    }
    for (const gm_json *l = st == GM_OK ? labels->first : NULL; st == GM_OK && l != NULL; l = l->next)
        st = run_table(&c, l, err);
    if (st == GM_OK && out->files == 0)
        st = gm_fail(err, GM_INVALID, "insight.nab", "none of the labelled files is there");
    if (st == GM_OK) {
        scratch = gm_alloc_array(io->alloc, c.count, sizeof *scratch);
        if (scratch == NULL) st = gm_fail(err, GM_NOMEM, "insight.nab", "%zu rows", c.count);
    }
    for (uint32_t i = 0; st == GM_OK && i < out->profile_count; i++)
        st = score_profile(&c, scratch, &out->profiles[i], err);
    gm_free(io->alloc, scratch);
    gm_free(io->alloc, c.points);
    gm_arena_destroy(c.arena);
    return st;
}
