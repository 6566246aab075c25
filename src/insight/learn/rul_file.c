// A model of remaining life as bytes. Format: docs/formats/rul.md.
#include "base/crc32c.h"
#include "base/le.h"
#include "insight/learn/rul_model.h"

#include <math.h>

enum { VERSION = 1, HEADER_BYTES = 16 };
static const char MAGIC[8] = "gemelRUL";

// ---- writing
// ----------------------------------------------------------------------------------------------------------

static void add_u32(gm_buf *out, uint32_t v)
{
    uint8_t b[4];
    gm_put_u32(b, v);
    gm_buf_add(out, b, sizeof b);
}

static void add_f64(gm_buf *out, double v)
{
    uint8_t b[8];
    gm_put_f64(b, v);
    gm_buf_add(out, b, sizeof b);
}

static void add_f32(gm_buf *out, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    add_u32(out, bits);
}

static void add_f64s(gm_buf *out, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) add_f64(out, v[i]);
}

static void add_channels(gm_buf *out, const gm_channels *ch)
{
    add_u32(out, ch->settings);
    add_u32(out, ch->sensors);
    add_u32(out, ch->conditions);
    add_u32(out, ch->count);
    add_f64s(out, ch->setting_scale, ch->settings);
    for (uint32_t c = 0; c < ch->conditions; c++) add_f64s(out, ch->centre[c], ch->settings);
    for (uint32_t i = 0; i < ch->count; i++) add_u32(out, ch->sensor[i]);
    for (uint32_t c = 0; c < ch->conditions; c++) {
        add_f64s(out, ch->mean[c], ch->count);
        add_f64s(out, ch->scale[c], ch->count);
    }
}

gm_status gm_rul_encode(const gm_rul_model *m, gm_buf *out, gm_error *err)
{
    size_t begin = out->len;
    gm_buf_add(out, MAGIC, sizeof MAGIC);
    add_u32(out, VERSION);
    add_u32(out, 0); // the checksum's place
    const gm_rul_facts *f = &m->facts;
    add_u32(out, f->runs);
    add_u32(out, f->failed);
    add_u32(out, (uint32_t)f->rows);
    add_u32(out, f->age);
    add_f64s(out, (const double[]) { f->cap, f->rmse, f->mae, f->bias }, 4);
    add_channels(out, &m->channels);
    add_u32(out, m->member_count);
    for (uint32_t i = 0; i < m->member_count; i++) {
        add_f64s(out, m->members[i].index, m->channels.count + (size_t)1);
        gm_trees_encode(m->members[i].trees, out);
    }
    add_u32(out, (uint32_t)m->calibration_count);
    for (size_t i = 0; i < m->calibration_count; i++) {
        add_f64(out, m->predicted[i]);
        add_f64(out, m->error[i]);
    }
    add_u32(out, m->past_count);
    for (uint32_t i = 0; i < m->past_count; i++) {
        add_u32(out, m->past[i].unit);
        add_u32(out, m->past[i].print);
        add_u32(out, m->past[i].count);
        for (uint32_t k = 0; k < m->past[i].count; k++) add_f32(out, m->past_index[m->past[i].first + k]);
    }
    if (out->failed) return gm_fail(err, GM_NOMEM, "insight.rul", "encoding the model");
    gm_put_u32(out->ptr + begin + 12, gm_crc32c(0, out->ptr + begin + HEADER_BYTES, out->len - begin - HEADER_BYTES));
    return GM_OK;
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------

// Past the end everything is 0 and `cut` is set; whoever reads checks once at the end of each part.
typedef struct reader {
    const uint8_t *ptr;
    size_t         left;
    bool           cut;
} reader;

static uint32_t get_u32(reader *r)
{
    if (r->left < 4) return r->cut = true, 0;
    uint32_t v = gm_get_u32(r->ptr);
    r->ptr += 4;
    r->left -= 4;
    return v;
}

static double get_f64(reader *r)
{
    if (r->left < 8) return r->cut = true, 0;
    double v = gm_get_f64(r->ptr);
    r->ptr += 8;
    r->left -= 8;
    // No number in a model may be anything but finite.
    if (!isfinite(v)) r->cut = true;
    return v;
}

static void get_f64s(reader *r, double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) v[i] = get_f64(r);
}

static bool get_channels(reader *r, gm_channels *ch)
{
    ch->settings   = get_u32(r);
    ch->sensors    = get_u32(r);
    ch->conditions = get_u32(r);
    ch->count      = get_u32(r);
    if (r->cut || ch->settings > GM_SETTINGS_MAX || ch->sensors > GM_FLEET_COLUMNS_MAX || ch->conditions < 1 ||
        ch->conditions > GM_CONDITIONS_MAX || ch->count < 1 || ch->count > GM_CHANNELS_MAX)
        return false;
    get_f64s(r, ch->setting_scale, ch->settings);
    for (uint32_t c = 0; c < ch->conditions; c++) get_f64s(r, ch->centre[c], ch->settings);
    for (uint32_t i = 0; i < ch->count; i++) {
        uint32_t sensor = get_u32(r);
        if (sensor >= ch->sensors) return false;
        ch->sensor[i] = (uint16_t)sensor;
    }
    for (uint32_t c = 0; c < ch->conditions; c++) {
        get_f64s(r, ch->mean[c], ch->count);
        get_f64s(r, ch->scale[c], ch->count);
    }
    return !r->cut;
}

static gm_status damaged(gm_error *err)
{
    return gm_fail(err, GM_CORRUPT, "insight.rul", "the model file is damaged");
}

static gm_status get_members(reader *r, gm_rul_model *m, gm_error *err)
{
    uint32_t count = get_u32(r), columns = gm_rul_columns(&m->channels, m->facts.age);
    if (count < 1 || count > GM_RUL_FOLDS_MAX) return damaged(err);
    for (uint32_t i = 0; i < count; i++) {
        size_t used = 0;
        get_f64s(r, m->members[i].index, m->channels.count + (size_t)1);
        if (r->cut) return damaged(err);
        gm_status st = gm_trees_decode(m->alloc, r->ptr, r->left, &m->members[i].trees, &used, err);
        if (st != GM_OK) return st;
        m->member_count = i + 1;
        if (gm_trees_features(m->members[i].trees) != columns) return damaged(err);
        m->facts.trees += gm_trees_count(m->members[i].trees);
        r->ptr += used;
        r->left -= used;
    }
    return GM_OK;
}

static gm_status get_calibration(reader *r, gm_rul_model *m, gm_error *err)
{
    uint32_t n = get_u32(r);
    if (r->cut || n < 1 || n > GM_RUL_CALIBRATION_MAX || r->left < (size_t)n * 16) return damaged(err);
    m->predicted = gm_alloc_array(m->alloc, n, sizeof *m->predicted);
    m->error     = gm_alloc_array(m->alloc, n, sizeof *m->error);
    if (m->predicted == NULL || m->error == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "reading a model");
    m->calibration_count = n;
    for (uint32_t i = 0; i < n; i++) {
        m->predicted[i] = (float)get_f64(r);
        m->error[i]     = (float)get_f64(r);
        if (i > 0 && m->predicted[i] < m->predicted[i - 1]) return damaged(err);
    }
    return r->cut ? damaged(err) : GM_OK;
}

static gm_status get_past(reader *r, gm_rul_model *m, gm_error *err)
{
    uint32_t count = get_u32(r), at = 0;
    size_t   values = r->left / 4; // no more floats than this can follow
    if (r->cut || count > values / 3) return damaged(err);
    m->past       = gm_alloc_array(m->alloc, count, sizeof *m->past);
    m->past_index = gm_alloc_array(m->alloc, values, sizeof *m->past_index);
    if (m->past == NULL || m->past_index == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "reading a model");
    for (uint32_t i = 0; i < count; i++) {
        gm_past_run run = { .unit = get_u32(r), .first = at };
        run.print       = get_u32(r);
        run.count       = get_u32(r);
        if (r->cut || run.count > r->left / 4) return damaged(err);
        memcpy(m->past_index + at, r->ptr, (size_t)run.count * 4);
        r->ptr += (size_t)run.count * 4;
        r->left -= (size_t)run.count * 4;
        at += run.count;
        m->past[m->past_count++] = run;
    }
    return r->left == 0 ? GM_OK : damaged(err);
}

static gm_status get_model(reader *r, gm_rul_model *m, gm_error *err)
{
    gm_rul_facts *f = &m->facts;
    f->runs         = get_u32(r);
    f->failed       = get_u32(r);
    f->rows         = get_u32(r);
    f->age          = get_u32(r) != 0;
    f->cap          = get_f64(r);
    f->rmse         = get_f64(r);
    f->mae          = get_f64(r);
    f->bias         = get_f64(r);
    if (r->cut || !(f->cap > 0) || !get_channels(r, &m->channels)) return damaged(err);
    f->settings   = m->channels.settings;
    f->sensors    = m->channels.sensors;
    f->channels   = m->channels.count;
    f->conditions = m->channels.conditions;
    f->features   = gm_rul_columns(&m->channels, f->age);
    gm_status st  = get_members(r, m, err);
    f->members    = m->member_count;
    if (st == GM_OK) st = get_calibration(r, m, err);
    return st == GM_OK ? get_past(r, m, err) : st;
}

gm_status gm_rul_decode(const gm_alloc *alloc, gm_str bytes, gm_rul_model **out_model, gm_error *err)
{
    const uint8_t *b = (const uint8_t *)bytes.ptr;
    *out_model       = NULL;
    if (bytes.len < HEADER_BYTES || memcmp(b, MAGIC, sizeof MAGIC) != 0)
        return gm_fail(err, GM_CORRUPT, "insight.rul", "not a model of remaining life");
    if (gm_get_u32(b + 8) != VERSION)
        return gm_fail(err, GM_INVALID, "insight.rul",
                       "the model is of version %u, this gemel reads version %d; train it anew", gm_get_u32(b + 8),
                       VERSION);
    if (gm_crc32c(0, b + HEADER_BYTES, bytes.len - HEADER_BYTES) != gm_get_u32(b + 12)) return damaged(err);
    gm_rul_model *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "reading a model");
    m->alloc     = alloc;
    reader    r  = { .ptr = b + HEADER_BYTES, .left = bytes.len - HEADER_BYTES };
    gm_status st = get_model(&r, m, err);
    if (st == GM_OK)
        *out_model = m;
    else
        gm_rul_destroy(m);
    return st;
}
