#include "link/topic.h"

#include "base/utf8.h"

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

// A byte of word is zero, or (harmlessly, since the careful check follows) the one above such a byte is 1.
static uint64_t zero_bytes(uint64_t word)
{
    return (word - EVERY(0x01)) & ~word & EVERY(0x80);
}

bool gm_topic_is_plain(gm_str topic)
{
    if (topic.len == 0 || topic.len >= GM_TOPIC_LEVELS_MAX) return false;
    uint64_t odd = 0;
    size_t   i   = 0;
    for (; i + 8 <= topic.len; i += 8) {
        uint64_t word;
        memcpy(&word, topic.ptr + i, 8);
        odd |= (word & EVERY(0x80)) | zero_bytes(word) | zero_bytes(word ^ EVERY('+')) | zero_bytes(word ^ EVERY('#'));
    }
    for (; i < topic.len; i++) {
        unsigned char c = (unsigned char)topic.ptr[i];
        odd |= (uint64_t)(c == 0 || c >= 0x80 || c == '+' || c == '#');
    }
    return odd == 0;
}

static bool too_many_levels(gm_str text)
{
    size_t levels = 1;
    for (size_t i = 0; i < text.len; i++) levels += text.ptr[i] == '/';
    return levels > GM_TOPIC_LEVELS_MAX;
}

const char *gm_topic_name_rule(gm_str topic)
{
    if (topic.len == 0) return "[MQTT-4.7.3-1] a topic name is empty";
    if (!gm_utf8_valid(topic)) return "[MQTT-1.5.3-1] a topic name is not valid UTF-8";
    if (memchr(topic.ptr, 0, topic.len) != NULL) return "[MQTT-1.5.3-2] a topic name contains the character U+0000";
    if (memchr(topic.ptr, '+', topic.len) != NULL || memchr(topic.ptr, '#', topic.len) != NULL) {
        return "[MQTT-3.3.2-2] a topic name contains a wildcard";
    }
    if (too_many_levels(topic)) return "a topic name has more than 200 levels";
    return NULL;
}

static const char *wildcard_rule(gm_str filter)
{
    if (filter.len == 0) return "[MQTT-4.7.3-1] a topic filter is empty";
    if (too_many_levels(filter)) return "a topic filter has more than 200 levels";
    for (size_t i = 0; i < filter.len; i++) {
        char c = filter.ptr[i];
        if (c != '+' && c != '#') continue;
        bool starts = i == 0 || filter.ptr[i - 1] == '/', ends = i + 1 == filter.len || filter.ptr[i + 1] == '/';
        if (c == '+' && !(starts && ends)) return "[MQTT-4.7.1-3] '+' does not stand alone in its level";
        if (c == '#' && !(starts && i + 1 == filter.len))
            return "[MQTT-4.7.1-2] '#' does not stand alone in the last level";
    }
    return NULL;
}

enum { SHARE = 7 };  // length of "$share/"

static bool has_wildcard(gm_str text)
{
    return text.len > 0 && (memchr(text.ptr, '+', text.len) != NULL || memchr(text.ptr, '#', text.len) != NULL);
}

const char *gm_topic_filter_rule(gm_str filter, bool shared)
{
    gm_str group, inner;
    if (!shared || !gm_topic_is_shared(filter)) return wildcard_rule(filter);
    if (gm_topic_split_shared(filter, &group, &inner)) return wildcard_rule(inner);
    gm_str rest = gm_str_slice(filter, SHARE, filter.len);
    if (gm_str_next(&rest, '/', &group) && has_wildcard(group))
        return "[MQTT5-4.8.2-2] the group of a shared subscription contains a wildcard";
    return "[MQTT5-4.8.2-1] a shared subscription lacks its group or its filter";
}

bool gm_topic_is_shared(gm_str filter)
{
    return gm_str_starts(filter, GM_STR("$share/"));
}

bool gm_topic_split_shared(gm_str filter, gm_str *out_group, gm_str *out_filter)
{
    if (!gm_topic_is_shared(filter)) return false;
    gm_str rest = gm_str_slice(filter, SHARE, filter.len);
    size_t end  = gm_str_find_char(rest, '/');
    if (end == SIZE_MAX || end == 0 || end + 1 == rest.len || has_wildcard(gm_str_slice(rest, 0, end))) return false;
    *out_group  = gm_str_slice(rest, 0, end);
    *out_filter = gm_str_slice(rest, end + 1, rest.len);
    return true;
}

bool gm_topic_matches(gm_str filter, gm_str topic)
{
    if (topic.ptr[0] == '$' && (filter.ptr[0] == '+' || filter.ptr[0] == '#')) return false;
    gm_str wanted, level;
    while (gm_str_next(&filter, '/', &wanted)) {
        if (gm_str_is(wanted, "#")) return true;  // also the parent level itself [MQTT-4.7.1-2]
        if (!gm_str_next(&topic, '/', &level)) return false;
        if (!gm_str_is(wanted, "+") && !gm_str_eq(wanted, level)) return false;
    }
    return topic.ptr == NULL;
}

// ---- gemel's own --------------------------------------------------------------------------------------------------
static gm_native_kind kind_of(gm_str word)
{
    if (gm_str_eq(word, GM_STR("telemetry"))) return GM_NATIVE_TELEMETRY;
    if (gm_str_eq(word, GM_STR("properties"))) return GM_NATIVE_PROPERTIES;
    return GM_NATIVE_UNKNOWN;
}

static bool is_outward(gm_str word)
{
    return gm_str_is(word, "changes") || gm_str_is(word, "desired") || gm_str_is(word, "commands");
}

gm_native_topic gm_topic_native(gm_str topic)
{
    gm_native_topic native = { .kind = GM_NATIVE_NONE, .component = { "", 0 } };
    if (topic.len < 6 || memcmp(topic.ptr, "gemel/", 6) != 0) return native;
    const char *at = topic.ptr + 6, *end = topic.ptr + topic.len;
    const char *slash = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
    native.kind       = GM_NATIVE_UNKNOWN;
    if (slash == NULL || slash == at) return native;
    native.twin = (gm_str){ at, (size_t)(slash - at) };

    gm_str rest   = { slash + 1, (size_t)(end - slash - 1) };
    size_t second = gm_str_find_char(rest, '/');
    if (second == SIZE_MAX) {
        native.kind = kind_of(rest);
        if (native.kind != GM_NATIVE_UNKNOWN) return native;
        if (gm_str_is(rest, "create")) native.kind = GM_NATIVE_CREATE;
        else if (is_outward(rest)) native.kind = GM_NATIVE_NONE;
        return native;
    }
    native.component = gm_str_slice(rest, 0, second);
    if (is_outward(native.component)) {
        native.kind = GM_NATIVE_NONE;
        return native;
    }
    if (native.component.len > 0) native.kind = kind_of(gm_str_slice(rest, second + 1, rest.len));
    return native;
}
