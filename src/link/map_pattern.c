// Patterns of topics: MQTT filters whose levels may have named parts. Matching goes back and forth within a level only,
// and a level has few places, so it stays cheap for any input.
#include "link/map.h"

static bool is_name(gm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!good) return false;
    }
    return name.len > 0;
}

// The place at the front of a level's rest, "{name}" or "{name#}"; false: literal text stands there.
static bool place_at(gm_str level, gm_str *out_name, bool *out_rest, gm_str *out_behind)
{
    if (level.len == 0 || level.ptr[0] != '{') return false;
    size_t close = gm_str_find_char(level, '}');
    if (close == SIZE_MAX) return false;
    gm_str name = gm_str_slice(level, 1, close);
    *out_rest   = name.len > 0 && name.ptr[name.len - 1] == '#';
    *out_name   = *out_rest ? gm_str_slice(name, 0, name.len - 1) : name;
    *out_behind = gm_str_slice(level, close + 1, level.len);
    return true;
}

static const char *level_rule(gm_str level, bool last, size_t *captures)
{
    gm_str name, behind, whole = level;
    bool   rest, after_place = false;
    if (gm_str_is(level, "+")) return NULL;
    if (gm_str_is(level, "#")) return last ? NULL : "'#' must be the last level of the topic";
    while (level.len > 0) {
        if (place_at(level, &name, &rest, &behind)) {
            if (!is_name(name)) return "a name in {...} consists of letters, digits, '_' and '-'";
            if (after_place) return "two places in {...} need some text between them";
            if (rest && (!last || whole.len != level.len || behind.len > 0)) return "{name#} must be the whole last level";
            if (++*captures > GM_MAP_CAPTURES_MAX) return "more than 16 places in {...}";
            after_place = true;
            level       = behind;
            continue;
        }
        if (level.ptr[0] == '{' || level.ptr[0] == '}') return "a '{' without its '}', or the other way round";
        if (level.ptr[0] == '+' || level.ptr[0] == '#') return "'+' and '#' must be whole levels";
        after_place = false;
        level       = gm_str_slice(level, 1, level.len);
    }
    return NULL;
}

const char *gm_map_pattern_rule(gm_str pattern)
{
    gm_str rest = pattern, level;
    size_t captures = 0;
    if (pattern.len == 0) return "the topic is empty";
    while (gm_str_next(&rest, '/', &level)) {
        const char *rule = level_rule(level, rest.ptr == NULL, &captures);
        if (rule != NULL) return rule;
    }
    return NULL;
}

typedef struct captures { gm_map_capture *items; size_t count; } captures;

static void capture(captures *c, gm_str name, gm_str value)
{
    if (c->items != NULL && c->count < GM_MAP_CAPTURES_MAX) c->items[c->count] = (gm_map_capture){ name, value };
    if (c->count < GM_MAP_CAPTURES_MAX) c->count++;
}

// A place takes as little as lets the literal behind it follow: between two literals there is one way to do that which
// matters, the first one; the last literal must end the level.
static bool level_fits(gm_str pattern, gm_str text, captures *c)
{
    gm_str name, behind;
    bool   rest;
    if (gm_str_is(pattern, "+")) return true;
    while (pattern.len > 0) {
        if (!place_at(pattern, &name, &rest, &behind)) {
            size_t open    = gm_str_find_char(pattern, '{');
            gm_str literal = gm_str_slice(pattern, 0, open);
            if (!gm_str_starts(text, literal)) return false;
            text    = gm_str_slice(text, literal.len, text.len);
            pattern = gm_str_slice(pattern, literal.len, pattern.len);
            continue;
        }
        gm_str literal = gm_str_slice(behind, 0, gm_str_find_char(behind, '{'));
        bool   ending  = literal.len == behind.len;
        size_t end     = text.len;
        if (ending && (text.len < literal.len + 1 || !gm_str_ends(text, literal))) return false;
        if (ending) end = text.len - literal.len;
        else {
            size_t at = text.len > 0 ? gm_str_find(gm_str_slice(text, 1, text.len), literal) : SIZE_MAX;
            if (at == SIZE_MAX) return false;
            end = at + 1;
        }
        capture(c, name, gm_str_slice(text, 0, end));
        text    = gm_str_slice(text, end, text.len);
        pattern = behind;
    }
    return text.len == 0;
}

bool gm_map_pattern_fits(gm_str pattern, gm_str text, gm_map_capture out[GM_MAP_CAPTURES_MAX], size_t *out_count)
{
    captures c = { out, 0 };
    gm_str   rest_p = pattern, rest_t = text, level_p, level_t, name, behind;
    bool     rest, fits = true;
    while (fits && gm_str_next(&rest_p, '/', &level_p)) {
        if (gm_str_is(level_p, "#")) {
            rest_t = (gm_str){ NULL, 0 };
            break;
        }
        bool takes_rest = place_at(level_p, &name, &rest, &behind) && rest;
        if (takes_rest) {
            fits = rest_t.ptr != NULL;
            capture(&c, name, rest_t);
            rest_t = (gm_str){ NULL, 0 };
            break;
        }
        fits = gm_str_next(&rest_t, '/', &level_t) && level_fits(level_p, level_t, &c);
    }
    if (out_count != NULL) *out_count = c.count;
    return fits && rest_t.ptr == NULL;
}
