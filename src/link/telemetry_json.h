// link/telemetry_json.h: inside of link/telemetry.h: the lexical half of the parser. A cursor over the payload that
// reads white space, strings and words, and remembers the first thing that was wrong.
#ifndef GM_LINK_TELEMETRY_JSON_H
#define GM_LINK_TELEMETRY_JSON_H

#include "link/telemetry.h"

typedef struct gm_json_cursor {
    const char *start, *at, *end;
    char       *text;       // where decoded strings go: room for as many bytes as the payload has
    size_t      text_used;
    gm_error   *err;
} gm_json_cursor;

// Refuses the message: GM_INVALID with "byte N: ..." in front of what is said.
gm_status gm_json_refuse(const gm_json_cursor *c, const char *at, const char *fmt, ...) GM_PRINTF(3, 4);

// What stands at the cursor, for messages: "a text", "a number", "NaN, which is not JSON", "the end of the message".
const char *gm_json_sight(const gm_json_cursor *c);

// "byte 7: expected ',' or '}', found ..."
gm_status gm_json_expected(const gm_json_cursor *c, const char *expected);

static inline void gm_json_skip(gm_json_cursor *c)
{
    while (c->at < c->end && (unsigned char)*c->at <= ' ') {
        // Some devices pad their messages to a fixed size: eight spaces at a time.
        while (c->end - c->at >= 8 && memcmp(c->at, "        ", 8) == 0) c->at += 8;
        if (c->at >= c->end || (*c->at != ' ' && *c->at != '\n' && *c->at != '\t' && *c->at != '\r')) return;
        c->at++;
    }
}

static inline bool gm_json_take(gm_json_cursor *c, char wanted)
{
    if (c->at >= c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

// A string, from its opening quote to behind the closing one. Without escapes the text is viewed in the payload, else
// decoded into c->text. Checked: UTF-8, no control characters, escapes, surrogates in pairs, no U+0000.
gm_status gm_json_string(gm_json_cursor *c, gm_str *out_text);

#endif
