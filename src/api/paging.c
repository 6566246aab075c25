#include "api/paging.h"

#include "base/crc32c.h"
#include "base/percent.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t check_of(gm_str list, uint64_t position)
{
    char text[24];
    int  len = snprintf(text, sizeof text, "%llx", (unsigned long long)position);
    return gm_crc32c(gm_crc32c(0, list.ptr, list.len), text, (size_t)len);
}

bool gm_page_position(gm_request *request, gm_str list, uint64_t *out_position)
{
    gm_str token;
    *out_position = 0;
    if (!gm_request_parameter(request, "continuationToken", &token)) return false;
    if (token.ptr == NULL) return true;
    char     text[40], again[40];
    uint64_t position = 0;
    if (token.len < sizeof text) {
        memcpy(text, token.ptr, token.len);
        text[token.len] = '\0';
        position        = strtoull(text, NULL, 16);
        snprintf(again, sizeof again, "%llx-%08x", (unsigned long long)position, check_of(list, position));
    }
    if (token.len >= sizeof text || strcmp(text, again) != 0) {
        gm_reply_error(request, 400, "BadRequest", "The continuation token is invalid.");
        return false;
    }
    *out_position = position;
    return true;
}

void gm_page_next_with(gm_request *request, const char *parameter, gm_str value)
{
    gm_buf link = gm_buf_init(request->alloc);
    gm_buf_str(&link, request->path);
    gm_buf_byte(&link, '?');
    gm_str rest = request->query, pair;
    while (rest.len > 0 && gm_str_next(&rest, '&', &pair)) {
        gm_str key = gm_str_slice(pair, 0, gm_str_find_char(pair, '='));
        if (pair.len == 0 || gm_str_is(key, parameter)) continue;
        gm_buf_str(&link, pair);
        gm_buf_byte(&link, '&');
    }
    gm_buf_text(&link, parameter);
    gm_buf_byte(&link, '=');
    gm_percent_encode(&link, value);
    gm_buf_text(&request->out, ",\"nextLink\":");
    gm_buf_json_str(&request->out, gm_buf_view(&link));
    if (link.failed) request->out.failed = true;
    gm_buf_finish(&link);
}

void gm_page_next(gm_request *request, gm_str list, uint64_t position)
{
    char text[40];
    int  len = snprintf(text, sizeof text, "%llx-%08x", (unsigned long long)position, check_of(list, position));
    gm_page_next_with(request, "continuationToken", (gm_str){ text, (size_t)len });
}
