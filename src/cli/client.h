// cli/client.h: what the verbs that ask a running server share: finding it, asking it, telling what it refused.
#ifndef GM_CLI_CLIENT_H
#define GM_CLI_CLIENT_H

#include "cli/http_client.h"
#include "cli/verb.h"

#define GM_API_VERSION "api-version=2022-05-31"

// The row of a verb's option table.
#define GM_CLIENT_HTTP \
    { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL, "where the server is ($GEMEL_HTTP, else 127.0.0.1:8080)" }
#define GM_CLIENT_MQTT \
    { "mqtt", GM_OPTION_ADDRESS, "ADDR:PORT", NULL, "where the MQTT endpoint is ($GEMEL_MQTT, else 127.0.0.1:1883)" }

// The address that holds: the option, else the environment's variable, else the usual one.
// GM_INVALID: the variable's text is no address.
GM_NODISCARD gm_status gm_client_address(const gm_args *args, size_t option, const char *variable, const char *usual,
                                         const char **out_address, gm_error *err);

// Opens the client; on failure says why and returns the exit code, else GM_EXIT_OK.
GM_NODISCARD gm_exit gm_client_open(const gm_cli *cli, const gm_args *args, size_t http_option, gm_http **out_http);

// Asks and expects one of 200..299. On anything else says why and returns the exit code; *out_answer needs no finish then.
GM_NODISCARD gm_exit gm_client_ask(const gm_cli *cli, gm_http *http, const char *method, const char *path,
                                   const char *content_type, const char *body, gm_http_answer *out_answer);

// GETs the path and what its nextLinks lead to, as one document: `list` is the member whose items are joined, and `most` ends it
// when there are so many (0: all). On failure says why; *out_whole is NULL then, else the caller's to release.
GM_NODISCARD gm_exit gm_client_ask_all(const gm_cli *cli, gm_http *http, const char *path, const char *list, size_t most, json_t **out_whole);

// Opens the client, GETs the path and prints the answer: as it came when the verb's option json_option was given, else what
// `print` makes of it. On failure says why. A path of NULL: there was no memory for it. context: for print.
typedef gm_exit gm_client_printer(const gm_cli *cli, const json_t *answer, const void *context);
typedef struct gm_client_view {
    size_t             http_option, json_option;
    gm_client_printer *print;
    const void        *context;
} gm_client_view;
GM_NODISCARD gm_exit gm_client_show(const gm_cli *cli, const gm_args *args, const char *path,
                                    const gm_client_view *view);

// Says what a transport or server error means; the exit code for it.
gm_exit gm_client_fail(const gm_cli *cli, const gm_error *err, bool transport);

// "/digitaltwins/room%201?api-version=...": built in the arena; NULL without memory. parts are joined, those at odd
// places percent-encoded.
const char *gm_client_path(gm_arena *arena, const char *const *parts, size_t n);
#define GM_CLIENT_PATH(arena, ...) \
    gm_client_path((arena), (const char *const[]){ __VA_ARGS__ }, GM_COUNT_OF(((const char *const[]){ __VA_ARGS__ })))

// A text member of an answer, "" when it is not there; viewed. And a number, 0 when it is not.
gm_str gm_client_text(const json_t *object, const char *key);
double gm_client_number(const json_t *object, const char *key);

// A JSON value for people: texts without their quotes, everything else compact. Appended to out.
void gm_client_write_value(const json_t *value, gm_buf *out);

// Prints a buffer; GM_EXIT_SYSTEM when it failed for want of memory. Releases it.
gm_exit gm_client_print(const gm_cli *cli, gm_buf *text);

// How long ago that was: "3 s", "5 min", "2 d"; "in 5 min" for the future.
enum { GM_AGE_TEXT = 32 };
const char *gm_age_text(gm_dur_ns age, char out[GM_AGE_TEXT]);

#endif
