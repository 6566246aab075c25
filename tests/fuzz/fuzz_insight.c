// Tables and models from outside: the first byte says which reader gets the rest. A model's checksum is made to fit, so that
// what lies behind it is met.
#include "base/crc32c.h"
#include "base/le.h"
#include "insight/anomaly/nab.h"
#include "insight/anomaly/skab.h"
#include "insight/learn/rul.h"
#include "insight/live/lookout.h"
#include "insight/text_file.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_model(gm_str bytes)
{
    gm_buf        copy = gm_buf_init(gm_alloc_system());
    gm_rul_model *m    = NULL;
    gm_buf_add(&copy, bytes.ptr, bytes.len);
    if (copy.len >= 16) gm_put_u32(copy.ptr + 12, gm_crc32c(0, copy.ptr + 16, copy.len - 16));
    if (gm_rul_decode(gm_alloc_system(), gm_buf_view(&copy), &m, NULL) == GM_OK) {
        gm_rul_facts      f    = gm_rul_model_facts(m);
        double           *rows = calloc((size_t)(f.settings + f.sensors) * 8 + 1, sizeof *rows);
        gm_rul_prediction p;
        if (gm_rul_predict(m, gm_alloc_system(), rows, 8, NAN, &p, NULL) == GM_OK && !(p.rul >= 0 && p.rul <= f.cap)) abort();
        free(rows);
        gm_rul_destroy(m);
    }
    gm_buf_finish(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const gm_alloc *alloc = gm_alloc_system();
    gm_str          rest  = { (const char *)data + 1, size - 1 };
    if (data[0] % 6 == 0) {
        gm_fleet f = gm_fleet_init(alloc, 3, 21);
        (void)!gm_fleet_parse_turbofan(rest, "t", &f, NULL);
        gm_fleet_finish(&f);
    } else if (data[0] % 6 == 1) {
        int64_t *times;
        double  *values;
        uint32_t n;
        if (gm_nab_parse(alloc, rest, "t", &times, &values, &n, NULL) == GM_OK && n == 0) abort();
        gm_free(alloc, times);
        gm_free(alloc, values);
    } else if (data[0] % 6 == 2) {
        gm_skab_report     r = { 0 };
        gm_healthy_options o = gm_healthy_options_defaults();
        (void)!gm_skab_table(alloc, rest, "t", &o, &r, NULL);
    } else if (data[0] % 6 == 3) {
        read_model(rest);
    } else if (data[0] % 6 == 5) {
        static gm_lookout all[GM_LOOKOUTS_MAX];
        uint32_t          n     = 0;
        gm_arena         *arena = gm_arena_create(alloc, 0);
        (void)!gm_lookouts_parse(arena, rest, all, &n, NULL);
        gm_arena_destroy(arena);
    } else {
        gm_buf out = gm_buf_init(alloc);
        (void)!gm_gunzip(rest, 1 << 20, &out, NULL);
        gm_buf_finish(&out);
    }
    return 0;
}
