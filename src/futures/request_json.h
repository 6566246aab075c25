// futures/request_json.h: requests and results as JSON. docs/futures.md describes the fields.
//
//   {"horizon":"24h","step":"1s","lanes":4096,"seed":7,"vary":["tank1.leak=uniform(0,0.02)"],"outputs":["tank1.level"],
//    "quantiles":[0.05,0.5,0.95],"until":["tank1.level > 3"],"score":["integral(pump1.power)"]}
#ifndef GM_FUTURES_REQUEST_JSON_H
#define GM_FUTURES_REQUEST_JSON_H

#include "base/buf.h"
#include "futures/wording.h"

#include <jansson.h>

// Reads the fields into *r, which holds defaults (program, base). Fields that are not given keep them. Memory from the
// arena; texts are copied there. Fields named in `others` (NULL-terminated) are the caller's; any further one is refused.
// Errors: GM_INVALID, GM_NOTFOUND  err names the field and says what to write. GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_futures_request_read(const json_t *body, const char *const *others, const gm_futures_world *world,
                                               gm_arena *arena, gm_futures_request *r, gm_error *err);

// One variation: a text, or {"name":"tank1.leak","uniform":[0,0.02],"op":"add","at":"1h","for":"30min"}; "value" for a
// constant; "series":{"time":[...],"values":[...],"hold":true}; "fault":"motor1.bearing".
GM_NODISCARD gm_status gm_wording_read_json(const json_t *value, gm_arena *arena, gm_wording *out, gm_error *err);

// Appends the members of the result's object, without braces: "time":[...],"outputs":{...},...  Any thread.
// job: for the trajectories of best and worst lanes; NULL: without them.
void gm_futures_result_write(const gm_futures_request *r, const gm_futures_result *f, const gm_futures *job, gm_buf *out);

// Partial quantiles, likewise: "counted":128,"time":[...],"outputs":{...}
void gm_partial_write(const gm_futures_request *r, const gm_partial *p, gm_buf *out);

#endif
