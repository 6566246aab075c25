#include "model/dtmi.h"

#include "model/model.h"

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A label: letters, digits and underscores, not beginning with a digit and not ending with an underscore.
static bool label_valid(gm_str label, bool *out_reserved)
{
    if (label.len == 0 || is_digit(label.ptr[0])) return false;
    if (label.ptr[label.len - 1] == '_') return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_letter(label.ptr[i]) && !is_digit(label.ptr[i]) && label.ptr[i] != '_') return false;
    }
    *out_reserved |= label.ptr[0] == '_';
    return true;
}

// A number of at most max_digits digits without a leading zero.
static bool number_valid(gm_str text, size_t max_digits, uint32_t *out_value)
{
    if (text.len == 0 || text.len > max_digits || text.ptr[0] == '0') return false;
    uint32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) return false;
        value = value * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out_value = value;
    return true;
}

static bool version_valid(gm_str text, gm_dtmi *out)
{
    size_t dot = gm_str_find_char(text, '.');
    if (dot == SIZE_MAX) return number_valid(text, 9, &out->major);
    return number_valid(gm_str_slice(text, 0, dot), 9, &out->major) &&
           number_valid(gm_str_slice(text, dot + 1, text.len), 6, &out->minor);
}

bool gm_dtmi_parse(gm_str text, gm_dtmi *out_dtmi)
{
    *out_dtmi = (gm_dtmi){ .fragment = GM_STR("") };
    if (!gm_str_starts(text, GM_STR("dtmi:"))) return false;
    size_t hash = gm_str_find_char(text, '#');
    if (hash != SIZE_MAX) {
        out_dtmi->fragment = gm_str_slice(text, hash, text.len);
        gm_str name = gm_str_slice(text, hash + 1, text.len);
        if (name.len > 0 && !label_valid(name, &out_dtmi->reserved)) return false;
        text = gm_str_slice(text, 0, hash);
    }
    size_t semicolon = gm_str_find_char(text, ';');
    if (semicolon != SIZE_MAX) {
        out_dtmi->versioned = true;
        if (!version_valid(gm_str_slice(text, semicolon + 1, text.len), out_dtmi)) return false;
        text = gm_str_slice(text, 0, semicolon);
    }
    out_dtmi->path = gm_str_slice(text, 5, text.len);
    gm_str rest = out_dtmi->path, label;
    while (gm_str_next(&rest, ':', &label)) {
        if (!label_valid(label, &out_dtmi->reserved)) return false;
    }
    return out_dtmi->path.len > 0;
}

bool gm_dtmi_is_user(gm_str text, unsigned rules)
{
    gm_dtmi dtmi;
    if (text.len > GM_DTMI_MAX || !gm_dtmi_parse(text, &dtmi)) return false;
    if (dtmi.reserved || dtmi.fragment.len > 0) return false;
    if (!dtmi.versioned && (rules & GM_DTMI_VERSION_OPTIONAL) == 0) return false;
    return dtmi.minor == 0 || (rules & GM_DTMI_MINOR) != 0;
}

gm_str gm_dtmi_versionless(gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ';' || text.ptr[i] == '#') return gm_str_slice(text, 0, i);
    }
    return text;
}

bool gm_dtmi_valid(gm_str text)
{
    return gm_dtmi_is_user(text, GM_DTMI_VERSION_OPTIONAL | GM_DTMI_MINOR);
}
