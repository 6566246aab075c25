// base/status.h: how every function of gemel says that it failed.
//
//   gm_error err = {0};
//   if (gm_thing_open(path, &thing, &err) != GM_OK) fprintf(stderr, "%s\n", err.text);
//
// The status tells the program what to do, the detail tells a person what happened. The caller owns the
// detail; passing NULL where a gm_error * is asked for means that nobody will read it.
#ifndef GM_BASE_STATUS_H
#define GM_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GM_NODISCARD __attribute__((warn_unused_result))
#define GM_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

#define GM_STATUS_LIST(X)                                                  \
    X(GM_OK,        "ok")                                                  \
    X(GM_INVALID,   "input breaks a stated rule; do not retry")            \
    X(GM_NOTFOUND,  "the thing that was named does not exist")             \
    X(GM_CONFLICT,  "true now, may not be later; re-read and retry")       \
    X(GM_LIMIT,     "a configured bound was reached; shed load")           \
    X(GM_NOMEM,     "allocation failed; this request is abandoned")        \
    X(GM_IO,        "the operating system refused")                        \
    X(GM_CORRUPT,   "stored bytes fail their checksum or their grammar")   \
    X(GM_DIVERGED,  "a numerical method did not converge")                 \
    X(GM_CANCELLED, "whoever asked no longer wants the answer")

typedef enum gm_status {
#define X(name, text) name,
    GM_STATUS_LIST(X)
#undef X
    GM_STATUS_COUNT
} gm_status;

typedef struct gm_error {
    gm_status   status;
    int         os_errno;      // 0 unless the operating system spoke
    uint32_t    line, column;  // 1-based place in a text being parsed, 0 = none
    const char *where;         // static string such as "log.segment"
    char        text[200];     // one line for an operator: names and numbers, not adjectives
} gm_error;

// Fills *err if err is not NULL, and returns status, so that failing is one line.
gm_status gm_fail(gm_error *err, gm_status status, const char *where, const char *fmt, ...)
    GM_PRINTF(4, 5);

// The same for a refusal by the operating system: GM_IO, with os_errno kept and its meaning appended.
gm_status gm_fail_os(gm_error *err, int os_errno, const char *where, const char *fmt, ...)
    GM_PRINTF(4, 5);

// The same for a place in a text that is being parsed; line and column are 1-based.
gm_status gm_fail_at(gm_error *err, gm_status status, const char *where, uint32_t line, uint32_t column,
                     const char *fmt, ...) GM_PRINTF(6, 7);

// The sentence of GM_STATUS_LIST; a static string.
const char *gm_status_text(gm_status status);

#endif
