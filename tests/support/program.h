// tests/support/program.h: the real program as a child process, for system tests. Everything fails the test by itself
// when it does not go as the name says; everything that waits has a deadline.
//
//   gm_served *server = gm_serve("examples/turbofan", data_dir, NULL, NULL);    // on free ports
//   gm_ran ran = GM_RUN("get", "engine-001", "--http", server->http);
//   assert_int_equal(ran.code, 0);  ...ran.out...
//   gm_ran_finish(&ran);
//   assert_int_equal(gm_served_stop(server), 0);                               // SIGTERM, its exit code
#ifndef GM_TESTS_SUPPORT_PROGRAM_H
#define GM_TESTS_SUPPORT_PROGRAM_H

#include "base/buf.h"

#include <jansson.h>
#include <sys/types.h>

typedef struct gm_child {
    pid_t  pid;
    int    out, err;         // pipes from its stdout and stderr; -1 once at the end
    gm_buf out_text, err_text;
} gm_child;

// words: NULL-terminated, without the program's name. Runs in the project's root.
gm_child *gm_child_start(const char *const *words);
void      gm_child_read(gm_child *child, int wait_ms);   // takes what is there, waits at most so long for something
bool      gm_child_ended(gm_child *child, int *out_code);  // code: exit code, or 128 + signal
int       gm_child_wait(gm_child *child);                // until it ends (at most a minute); its code
void      gm_child_kill(gm_child *child);                // kill -9, if it still runs
void      gm_child_free(gm_child *child);                // kills

typedef struct gm_ran { int code; gm_buf out, err; } gm_ran;  // texts end in NUL (not counted)
gm_ran gm_run(const char *const *words);
#define GM_RUN(...) gm_run((const char *const[]){ __VA_ARGS__, NULL })
void   gm_ran_finish(gm_ran *ran);

// Runs it; fails the test unless it ends with that code and prints that somewhere.
void gm_run_expect(const char *const *words, int code, const char *says);
#define GM_EXPECT(code, says, ...) gm_run_expect((const char *const[]){ __VA_ARGS__, NULL }, (code), (says))
#define GM_TEXT(buf) ((const char *)(buf).ptr)

typedef struct gm_served { gm_child *child; char http[64], mqtt[64]; } gm_served;

// http, mqtt: ADDR:PORT, or NULL for a free port of 127.0.0.1. Returns when the server is ready.
gm_served *gm_serve(const char *plant, const char *data, const char *http, const char *mqtt);
int        gm_served_stop(gm_served *served);  // SIGTERM; frees; its exit code
void       gm_served_kill(gm_served *served);  // kill -9; frees

// Asks it over HTTP on a connection of its own; the body goes as JSON and may be NULL. Returns the answer, NULL when that
// is no JSON; the caller decrefs. Fails unless the status is this one (0: any below 300).
json_t *gm_served_ask(const gm_served *served, const char *method, const char *target, const char *body, unsigned status);

#endif
