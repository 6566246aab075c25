// thread/fact.h: one statement about a twin: what, from when to when it is so, who says it and why. Its bytes and its JSON.
//
//   {"twin":"pump7","phase":"as-built","key":"impeller diameter","value":250.2,"unit":"mm","min":249.5,"max":250.5,
//    "from":"2026-01-05T00:00:00Z","known":"2026-01-06T09:12:44Z","author":"anna","cause":"acceptance test 12"}
//   {..., "part":"pump7","position":"P-101"}            {..., "document":{"hash":"9f86...","mediaType":"application/pdf"}}
//
// A fact without a value (null) says that nothing is known to hold in that time: it takes back what was said before.
#ifndef GM_THREAD_FACT_H
#define GM_THREAD_FACT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/time.h"

#include <jansson.h>

#define GM_PHASE_LIST(X)                       \
    X(GM_PHASE_DESIGNED,       "as-designed")    \
    X(GM_PHASE_BUILT,          "as-built")       \
    X(GM_PHASE_OPERATED,       "as-operated")    \
    X(GM_PHASE_MAINTAINED,     "maintained")     \
    X(GM_PHASE_DECOMMISSIONED, "decommissioned")
typedef enum gm_phase {
#define X(name, text) name,
    GM_PHASE_LIST(X)
#undef X
    GM_PHASE_COUNT
} gm_phase;
const char *gm_phase_name(gm_phase phase);
bool        gm_phase_of(gm_str name, gm_phase *out);

typedef enum gm_fact_kind {
    GM_FACT_NONE,      // taken back
    GM_FACT_NUMBER,    // number, unit; low and high where there are limits
    GM_FACT_TEXT,      // text
    GM_FACT_JSON,      // text: compact JSON
    GM_FACT_DOCUMENT,  // text: SHA-256 as 64 hexadecimal digits; media, name; number: bytes
    GM_FACT_PART,      // text: the twin or part meant; position; number: quantity, in unit; more: a JSON object or empty
    GM_FACT_KIND_COUNT
} gm_fact_kind;

enum { GM_FACT_LOW = 1, GM_FACT_HIGH = 2 };  // limits

typedef struct gm_fact_value {  // texts are viewed
    gm_fact_kind kind;
    uint8_t      limits;        // which of low and high are there
    double       number, low, high;
    gm_str       text, unit, media, name, position, more;
} gm_fact_value;

typedef struct gm_fact {        // texts are viewed
    gm_str        twin, key;
    gm_phase      phase;
    gm_fact_value value;
    gm_time_ns    from, to;     // valid in [from, to); to INT64_MAX: until further notice
    gm_time_ns    known;        // when it was committed
    gm_str        author, cause;
    bool          replace;      // of a part that is installed: it is taken out of where it was
} gm_fact;

enum {
    GM_FACT_ID_MAX     = 128,        // bytes of a twin's or part's id, as of twins
    GM_FACT_KEY_MAX    = 256,
    GM_FACT_SHORT_MAX  = 256,        // unit, media type, name, position, author
    GM_FACT_CAUSE_MAX  = 1024,
    GM_FACT_TEXT_MAX   = 64 * 1024,  // text, JSON, more
    GM_HASH_TEXT       = 64
};

// Keys with a meaning of their own.
#define GM_KEY_INSTALLED "installedIn"  // a part: where this twin is installed
#define GM_KEY_BOM       "bom/"         // a part: a row of this twin's bill of materials; the position follows

// Is it a fact that may be kept? Lengths, numbers that are finite, low <= high, from < to, JSON that reads, a hash that is one,
// and a part where a key asks for one. GM_INVALID: why not.
GM_NODISCARD gm_status gm_fact_check(const gm_fact *fact, gm_error *err);

bool gm_fact_same(const gm_fact_value *a, const gm_fact_value *b);  // the same to the last member; a document: the same bytes, name and type

// ---- JSON
// Reads a fact; its texts are viewed in json, and compact JSON in `texts`, which is emptied first: *out holds until the next use
// of either. What is missing: twin and author empty, from `now`, to for ever. GM_INVALID, GM_NOMEM.
GM_NODISCARD gm_status gm_fact_read(const json_t *json, gm_time_ns now, gm_buf *texts, gm_fact *out, gm_error *err);
void gm_fact_write(const gm_fact *fact, gm_buf *out);              // a JSON object
void gm_fact_write_value(const gm_fact_value *value, gm_buf *out); // "value":250.2,"unit":"mm"...: its members, no braces

// ---- bytes of a record: everything but twin and key (docs/formats/thread.md)
void gm_fact_encode(const gm_fact *fact, gm_buf *out);
// out->twin, key and known are left alone. GM_CORRUPT.
GM_NODISCARD gm_status gm_fact_decode(const uint8_t *bytes, size_t size, gm_fact *out, gm_error *err);

// The parts of both codecs: how a text is written, and read, is the caller's (inline, or as a number).
typedef struct gm_fact_writer { gm_buf *out; void (*text)(struct gm_fact_writer *w, gm_str text); void *context; } gm_fact_writer;
typedef struct gm_fact_reader { gm_bytes in; gm_str (*text)(struct gm_fact_reader *r); const void *context; } gm_fact_reader;
void gm_fact_put_value(gm_fact_writer *w, const gm_fact_value *value);
bool gm_fact_get_value(gm_fact_reader *r, gm_fact_value *out);  // false: no such bytes
bool gm_fact_is_hash(gm_str text);

#endif
