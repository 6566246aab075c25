// base/str.h: views of bytes, usually UTF-8 text. A view owns nothing and need not end in NUL.
#ifndef GM_BASE_STR_H
#define GM_BASE_STR_H

#include "base/status.h"

#include <string.h>

typedef struct gm_str { const char *ptr; size_t len; } gm_str;

#define GM_STR(literal) ((gm_str){ "" literal, sizeof(literal) - 1 })  // of a string literal
#define GM_STR_FMT "%.*s"                                              // printf("..." GM_STR_FMT, GM_STR_ARG(s))
#define GM_STR_ARG(s) (int)(s).len, (s).ptr

// A view of a C string; NULL gives the empty view.
static inline gm_str gm_str_of(const char *text)
{
    return (gm_str){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool gm_str_eq(gm_str a, gm_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool gm_str_is(gm_str a, const char *text)
{
    return gm_str_eq(a, gm_str_of(text));
}

// Byte order, shorter first when one is the beginning of the other; as strcmp.
int  gm_str_cmp(gm_str a, gm_str b);
bool gm_str_starts(gm_str text, gm_str prefix);
bool gm_str_ends(gm_str text, gm_str suffix);

// The position of needle in text, or SIZE_MAX.
size_t gm_str_find(gm_str text, gm_str needle);
size_t gm_str_find_char(gm_str text, char needle);

// Is needle, which is in lower case, somewhere in text without regard to the case of ASCII letters? An empty needle is.
bool gm_str_has_lower(gm_str text, gm_str needle);

// From start up to (not including) end; both are cut to the text.
gm_str gm_str_slice(gm_str text, size_t start, size_t end);

// Without spaces, tabs and line ends at both sides.
gm_str gm_str_trim(gm_str text);

// Takes the part before the next separator off the front of *rest. False when nothing is left;
// *rest is then the NULL view.
//   while (gm_str_next(&rest, '/', &part)) ...      "a//b" gives "a", "", "b"; "" gives "" once
bool gm_str_next(gm_str *rest, char separator, gm_str *out_part);

// A 64-bit hash for tables in memory (not stable across versions, not for storing).
uint64_t gm_str_hash(gm_str text);

#endif
