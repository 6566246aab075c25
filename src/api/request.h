// api/request.h: one HTTP request and its answer, free of any transport, so that routes can be tested and fuzzed alone.
//
//   RECEIVING --transport has the body--> HANDLING --gm_reply_*--> ANSWERED --transport sends it
//                                            |  ^
//                      gm_request_ask, _retry|  |the engine answers; then() runs
//                                            v  |
//                                          WAITING
//
// A handler either replies, or hands a change to the engine and returns; the reply then follows the commit. A request
// whose client has gone while the engine still owes an answer stays alive (`gone`) until that answer has come.
// All memory of a request lies in its arena and its two buffers; both are emptied when it ends.
#ifndef GM_API_REQUEST_H
#define GM_API_REQUEST_H

#include "access/principal.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/pool.h"
#include "engine/engine.h"

#include <jansson.h>

enum {
    GM_PATH_SEGMENTS_MAX = 12,
    GM_HEADERS_MAX       = 100,
    GM_REPLY_HEADERS_MAX = 12,
    GM_PARAMETERS_MAX    = 4,
    GM_RETRIES_MAX       = 1000,
    GM_REQUEST_KEEP      = 64 << 10,  // bytes of a buffer that an ended request keeps for the next one
    GM_REQUEST_KEEP_BODY = 1 << 20    // the same of the body: who sends in bulk goes on sending
};

typedef enum gm_method {
    GM_METHOD_GET, GM_METHOD_HEAD, GM_METHOD_PUT, GM_METHOD_POST, GM_METHOD_PATCH, GM_METHOD_DELETE, GM_METHOD_OPTIONS,
    GM_METHOD_OTHER
} gm_method;

gm_method   gm_method_of(gm_str name);
const char *gm_method_name(gm_method method);

typedef struct gm_header { gm_str name, value; } gm_header;

typedef enum gm_request_state {
    GM_REQUEST_RECEIVING,
    GM_REQUEST_HANDLING,
    GM_REQUEST_WAITING,
    GM_REQUEST_ANSWERED
} gm_request_state;

// A body that is made while it is sent (server-sent events). read fills up to max bytes and returns how many; 0:
// nothing now, gm_request_wake will be called; -1: the end; GM_SOURCE_BROKEN: there should be more, but it can not be
// made: the connection is closed, so that nobody takes it for the whole. end is called once, when nobody will read any more.
enum { GM_SOURCE_BROKEN = -2 };
typedef struct gm_source {
    int64_t (*read)(void *context, char *to, size_t max);
    void (*end)(void *context);
    void *context;
} gm_source;

// Takes over the connection of a request that was answered with 101: fd is the callee's to close; over(over_context) is to
// be called once, when nobody will use it any more, before it is closed.
typedef void gm_upgraded(void *context, int fd, void (*over)(void *over_context), void *over_context);

typedef struct gm_request gm_request;
typedef void gm_request_call(gm_request *request);
// Writes what a refusal says into request->out, in the words of an API that has its own.
typedef void gm_error_writer(gm_request *request, const char *code, gm_str message);

struct gm_request {
    // ---- what was asked
    const gm_alloc     *alloc;
    gm_arena           *arena;
    gm_method           method;
    gm_str              path, query;                    // as sent: still percent-encoded; query without '?'
    gm_str              segments[GM_PATH_SEGMENTS_MAX];      // of the path: split at '/' first, then decoded; valid UTF-8
    size_t              segment_count;
    gm_header           headers[GM_HEADERS_MAX];
    size_t              header_count;
    gm_buf              body;                           // limit: what the route admits
    bool                body_too_large;
    json_t             *json;                           // the body, once gm_request_json was called
    gm_principal       *principal;                      // held; NULL: anyone, no access being configured
    gm_str              address;                        // where from, for the audit record
    const struct gm_route *route;                       // NULL: none fits
    gm_str              parameters[GM_PARAMETERS_MAX];  // what {..} in the route's pattern stood for
    struct gm_api      *api;                            // NULL once the API has ended

    // ---- how it stands
    gm_request_state state;
    uint32_t         pending;                           // calls the engine still owes
    uint32_t         retries;
    bool             gone;                              // nobody waits for the answer
    bool             audited;                           // the change is in the audit trail
    gm_engine       *engine;
    gm_request_call *then;                              // runs when the change is committed
    gm_request_call *handle;                            // runs again when a conflict has cleared
    gm_error_writer *write_error;                       // NULL: {"error":{"code","message"}}
    void            *note;                              // of the handler, for then; lies in the arena
    gm_pool         *pool;                              // where its work is under way; NULL: nowhere
    gm_pool_id       job;
    gm_request_call *finish;                            // of the handler: lets go of what does not, once, when all is over
    gm_request_call *wake;                              // of the transport: the answer is there
    void            *transport, *connection;
    bool             suspended;
    gm_request      *previous, *next;                   // of the transport's list

    // ---- the answer
    unsigned    status;
    gm_buf      out;                                    // the body under construction
    gm_str      fixed;                                  // sent in place of out when ptr is set; outlives the request
    gm_header   reply_headers[GM_REPLY_HEADERS_MAX];
    size_t      reply_header_count;
    gm_source   source;                                 // sent in place of out when read is set
    gm_upgraded *upgrade;                               // NULL: the connection stays HTTP's
    void        *upgrade_context;
};

// ---- life cycle (transport) ----------------------------------------------------------------------------------------
// target: path and query as on the request line; copied. NULL: memory refused. A path that can not be split (too many
// segments, bad encoding) is answered at once: state is ANSWERED.
GM_NODISCARD gm_request *gm_request_create(const gm_alloc *alloc, gm_str target);
GM_NODISCARD bool        gm_request_reuse(gm_request *request, gm_str target);  // the same on an ended one
void gm_request_end(gm_request *request);      // empties it; may be reused unless pending > 0
void gm_request_destroy(gm_request *request);  // NULL is allowed. pending > 0: happens when the last answer has come

// ---- reading -------------------------------------------------------------------------------------------------------
gm_str gm_request_header(const gm_request *request, const char *name);  // name in lower case; ptr NULL when absent

// A query parameter, decoded. *out_value's ptr is NULL when absent. False: replied 400 (bad encoding).
GM_NODISCARD bool gm_request_parameter(gm_request *request, const char *name, gm_str *out_value);
// The next value of a parameter that may be repeated; *at starts at 0.
GM_NODISCARD bool gm_request_next_parameter(gm_request *request, const char *name, size_t *at, gm_str *out_value);
// A parameter or header that counts, between min and max (else replied 400); `otherwise` when absent.
GM_NODISCARD bool gm_request_number(gm_request *request, const char *name, uint64_t min, uint64_t max,
                                    uint64_t otherwise, uint64_t *out_number);
// A parameter that is a time (RFC 3339; else replied 400); `otherwise` when absent or empty.
GM_NODISCARD bool gm_request_time(gm_request *request, const char *name, gm_time_ns otherwise, gm_time_ns *out_time);
GM_NODISCARD bool gm_request_page_size(gm_request *request, uint32_t max, uint32_t otherwise,
                                       uint32_t *out_size); // max-items-per-page

// The body as JSON (duplicate keys refused); NULL: replied 400 with the place of the mistake.
json_t *gm_request_json(gm_request *request);

// ---- replying: once per request ------------------------------------------------------------------------------------
// A header; value is copied. More than GM_REPLY_HEADERS_MAX: dropped (there is no route with as many).
void gm_reply_header(gm_request *request, const char *name, const char *fmt, ...) GM_PRINTF(3, 4);
void gm_reply_json(gm_request *request, unsigned status);                   // request->out is the JSON text
void gm_reply_text(gm_request *request, unsigned status, const char *mime); // request->out is the text
void gm_reply_empty(gm_request *request, unsigned status);
void gm_reply_fixed(gm_request *request, unsigned status, gm_str mime, gm_str bytes);
void gm_reply_source(gm_request *request, const char *mime, gm_source source);
// 101: from here on the connection is another protocol's; the headers that say which are the caller's to set before.
void gm_reply_upgrade(gm_request *request, gm_upgraded *call, void *context);
// {"error":{"code","message"}} and x-ms-error-code.
void gm_reply_error(gm_request *request, unsigned status, const char *code, const char *fmt, ...) GM_PRINTF(4, 5);
// The same with `details`: a JSON array text.
void gm_reply_error_details(gm_request *request, unsigned status, const char *code, gm_str message, gm_str details);
// A status of the house as HTTP: GM_INVALID 400, GM_NOTFOUND 404, GM_CONFLICT 409, GM_LIMIT, GM_NOMEM and GM_IO 503.
void gm_reply_failure(gm_request *request, gm_status status, const gm_error *err);

// The source has something to read again.
void gm_request_resume(gm_request *request);

// ---- waiting for the engine ----------------------------------------------------------------------------------------
// The ask to give to a gm_engine_* submission; `then` replies when the change is committed.
gm_ask gm_request_ask(gm_request *request, gm_request_call *then);
// To be called with the submission's status: waits when it was taken, tries again when the batch was full, replies
// when it was refused.
void gm_request_submitted(gm_request *request, gm_status status, const gm_error *err);
// Writes into the audit trail that this request changes something, once. For those that change by other ways than an ask
// of their own.
void gm_request_audit(gm_request *request);
// Others than the engine work on the answer: the request waits and stays alive (perhaps `gone`: then nobody is to be
// answered) until it is released.
void gm_request_hold(gm_request *request);
void gm_request_release(gm_request *request);
// The same, and the handler runs again unless nobody waits any more.
void gm_request_go_on(gm_request *request);

// Has a pool work on the answer: the request is held until task->done releases it. Nobody waits for the answer any more:
// the work is cancelled. Errors: as gm_pool_submit; nothing has begun then.
GM_NODISCARD gm_status gm_request_submit(gm_request *request, gm_pool *pool, const gm_pool_task *task, gm_error *err);
// Runs the handler again after the next batch: a change that this one depends on is in flight.
void gm_request_retry(gm_request *request);
// Runs the handler again in the next turn of the loop, which comes at once: a long piece of work lets others have theirs.
void gm_request_soon(gm_request *request);

#endif
