// link/template.h: texts with places to be filled in: "boiler-{unit:03d}" and the bodies of twins that are made of them.
//
//   gm_template_check(GM_STR("{site}-{unit:03d}"), &err);                  // once, when the mapping is read
//   gm_template_fill(pattern, find, context, &out, &err);                  // "north-007"
//   gm_template_fill_json(body, find, context, &out, &err);                // the JSON with its texts filled in
//
// {name} stands for a value as it is, {name:03d} for a whole number padded with zeros to that width. In JSON a text that
// is nothing but "{name:number}" becomes a number. The same syntax as in the mappings of `gemel replay`.
#ifndef GM_LINK_TEMPLATE_H
#define GM_LINK_TEMPLATE_H

#include "base/buf.h"
#include "model/json_tree.h"

enum { GM_TEMPLATE_WIDTH_MAX = 20 };

// What a name stands for; false: there is no such name.
typedef bool gm_template_find(const void *context, gm_str name, gm_str *out_value);

// GM_INVALID: an unclosed '{', an empty name, a format that is none.
GM_NODISCARD gm_status gm_template_check(gm_str pattern, gm_error *err);

// Appends to out. GM_INVALID: a name is unknown, or a value is no number where one is needed.
GM_NODISCARD gm_status gm_template_fill(gm_str pattern, gm_template_find *find, const void *context, gm_buf *out,
                                        gm_error *err);
GM_NODISCARD gm_status gm_template_fill_json(const gm_json *value, gm_template_find *find, const void *context,
                                             gm_buf *out, gm_error *err);

#endif
