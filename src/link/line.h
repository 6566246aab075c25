// link/line.h: the InfluxDB line protocol, as text. Pure; nothing is allocated; everything is viewed in the text.
//
//   boiler,site=north,unit=7 temperature=61.25,running=true,mode="auto" 1767225600000000000
//   \----------- key ------/ \---------------- fields ----------------/ \------ time -----/
//
//   while (gm_line_next(&text, &line)) {
//       if (line.fault != NULL) ... the line is wrong: line.fault says how ...
//       while (gm_line_field(&line.fields, &name, &value, &fault)) ...
//   }
//
// Source: InfluxData, "Line protocol", InfluxDB OSS v2 reference. In measurements, tags and field names a backslash
// before ',', '=' or ' ' takes their meaning away; in texts one before '"' or '\'.
#ifndef GM_LINK_LINE_H
#define GM_LINK_LINE_H

#include "base/buf.h"
#include "base/value.h"

typedef struct gm_line {
    gm_str      text;      // the whole line
    gm_str      key;       // measurement and tags, as written
    gm_str      fields;
    bool        has_time;
    int64_t     time;      // in the request's unit
    const char *fault;     // NULL: the line is well-formed as far as its fields
    size_t      number;    // of the line, from 1; kept by gm_line_next
} gm_line;

// The next line that is neither empty nor a comment. False at the end. *out_line must start zeroed.
bool gm_line_next(gm_str *rest, gm_line *line);

// Takes the measurement, then each tag, off the front of a key. Names and values are still escaped. False at the end, or
// (fault set) when a tag is broken.
gm_str gm_line_measurement(gm_str *key);
bool   gm_line_tag(gm_str *rest, gm_str *out_name, gm_str *out_value, const char **out_fault);

// Takes a field off the front: INT, DOUBLE, BOOL or STRING (still escaped). False at the end, or when fault was set.
bool gm_line_field(gm_str *rest, gm_str *out_name, gm_value *out_value, const char **out_fault);

// Appends the text with its backslashes resolved.
void gm_line_unescape(gm_str text, gm_buf *out);

#endif
