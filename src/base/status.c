// Filling in errors. No allocation and no state, so that failing never fails.
#include "base/status.h"

#include <stdio.h>
#include <string.h>

static void fill(gm_error *err, gm_status status, int os_errno, const char *where, const char *fmt, va_list args)
{
    *err = (gm_error){ .status = status, .os_errno = os_errno, .where = where };
    vsnprintf(err->text, sizeof err->text, fmt, args);
}

gm_status gm_fail(gm_error *err, gm_status status, const char *where, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        fill(err, status, 0, where, fmt, args);
        va_end(args);
    }
    return status;
}

gm_status gm_fail_os(gm_error *err, int os_errno, const char *where, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        fill(err, GM_IO, os_errno, where, fmt, args);
        va_end(args);
        // strerrordesc_np is thread-safe, unlike strerror, and does not depend on the locale.
        const char *meaning = strerrordesc_np(os_errno);
        size_t      used    = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", meaning != NULL ? meaning : "unknown error");
    }
    return GM_IO;
}

gm_status gm_fail_at(gm_error *err, gm_status status, const char *where, uint32_t line, uint32_t column,
                     const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        fill(err, status, 0, where, fmt, args);
        va_end(args);
        err->line   = line;
        err->column = column;
    }
    return status;
}

const char *gm_status_text(gm_status status)
{
    static const char *const text[] = {
#define X(name, sentence) [name] = sentence,
        GM_STATUS_LIST(X)
#undef X
    };
    return (unsigned)status < GM_STATUS_COUNT ? text[status] : "unknown status";
}
