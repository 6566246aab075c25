// A row of a bill of materials, taken apart: position, variant, serials.
#include "thread/bom.h"

static const char WHERE[] = "thread.bom";

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool read_number(gm_str *at, uint64_t *out)
{
    size_t n = 0;
    *out     = 0;
    for (; n < at->len && digit(at->ptr[n]); n++) {
        uint64_t d = (uint64_t)(at->ptr[n] - '0');
        if (*out > (UINT64_MAX - 1 - d) / 10) return false;
        *out = *out * 10 + d;
    }
    *at = gm_str_slice(*at, n, at->len);
    return n > 0;
}

gm_status gm_serials_read(gm_str text, gm_serials out[GM_SERIALS_MAX], size_t *out_count, gm_error *err)
{
    gm_str rest = text, part;
    *out_count  = 0;
    if (text.len == 0) return GM_OK;
    while (gm_str_next(&rest, ',', &part)) {
        gm_serials s = { 0, UINT64_MAX };
        part         = gm_str_trim(part);
        bool good    = *out_count < GM_SERIALS_MAX && part.len > 0 && (part.ptr[0] == '-' || read_number(&part, &s.first));
        bool open    = part.len > 0 && part.ptr[0] == '-';
        if (good && !open) s.last = s.first;
        if (open) part = gm_str_slice(part, 1, part.len);
        if (good && open && part.len > 0) good = read_number(&part, &s.last);
        if (!good || part.len > 0 || s.first > s.last)
            return gm_fail(err, GM_INVALID, WHERE, "serials are ranges such as \"1-99,120-\", not '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(text, 0, 60)));
        out[(*out_count)++] = s;
    }
    return GM_OK;
}

bool gm_serial_number(gm_str serial, uint64_t *out)
{
    size_t at = serial.len;
    while (at > 0 && digit(serial.ptr[at - 1])) at--;
    gm_str number = gm_str_slice(serial, at, serial.len);
    return read_number(&number, out);
}

int gm_position_compare(gm_str a, gm_str b)
{
    while (a.len > 0 && b.len > 0) {
        uint64_t x, y;
        if (digit(a.ptr[0]) && digit(b.ptr[0])) {
            bool p = read_number(&a, &x), q = read_number(&b, &y);
            if (p && q && x != y) return x < y ? -1 : 1;
            if (!p || !q) return gm_str_cmp(a, b);
            continue;
        }
        if (a.ptr[0] != b.ptr[0]) return (unsigned char)a.ptr[0] < (unsigned char)b.ptr[0] ? -1 : 1;
        a = gm_str_slice(a, 1, a.len);
        b = gm_str_slice(b, 1, b.len);
    }
    return a.len > 0 ? 1 : b.len > 0 ? -1 : 0;
}

gm_status gm_bom_line_read(const gm_fact *fact, gm_bom_line *out, gm_error *err)
{
    gm_str key = gm_str_slice(fact->key, sizeof GM_KEY_BOM - 1, fact->key.len);
    size_t at  = gm_str_find_char(key, '~');
    *out       = (gm_bom_line){ .position = gm_str_slice(key, 0, at), .variant = at < key.len ? gm_str_slice(key, at + 1, key.len) : (gm_str){ 0 } };
    if (fact->value.kind != GM_FACT_PART || fact->value.more.len == 0) return GM_OK;
    json_t       *more    = json_loadb(fact->value.more.ptr, fact->value.more.len, 0, NULL);
    const json_t *serials = json_object_get(more, "serials");
    gm_str        text    = { json_string_value(serials), json_string_length(serials) };
    gm_status     st      = text.len > 0 ? gm_serials_read(text, out->serials, &out->serial_count, err) : GM_OK;
    out->alternate        = json_is_true(json_object_get(more, "alternate"));
    json_decref(more);
    return st;
}
