#include "control/json.h"

#include "base/number.h"
#include "state/document.h"

gm_str gm_json_text(const json_t *object, const char *member)
{
    const json_t *text = json_object_get(object, member);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

gm_str gm_json_compact(const json_t *object, const char *member, gm_buf *own)
{
    const json_t *value = json_object_get(object, member);
    gm_buf_clear(own);
    if (value != NULL) gm_document_compact(value, own);
    return value != NULL && !own->failed ? gm_buf_view(own) : (gm_str){ 0 };
}

gm_time_ns gm_json_time(const json_t *object, const char *member)
{
    gm_time_ns time;
    return gm_time_parse(gm_json_text(object, member), &time, NULL) == GM_OK ? time : INT64_MIN;
}

void gm_json_member(gm_buf *out, const char *member, gm_str text)
{
    if (text.len == 0) return;
    gm_buf_printf(out, ",\"%s\":", member);
    gm_buf_json_str(out, text);
}

void gm_json_time_member(gm_buf *out, const char *member, gm_time_ns time)
{
    char text[GM_TIME_TEXT];
    if (time == INT64_MIN) return;
    gm_buf_printf(out, ",\"%s\":\"%.*s\"", member, (int)gm_time_format(time, text), text);
}

void gm_json_seconds_member(gm_buf *out, const char *member, gm_dur_ns span)
{
    char text[GM_NUMBER_TEXT];
    gm_number_write((double)span / 1e9, text);
    gm_buf_printf(out, ",\"%s\":%s", member, text);
}
