// Work of a request in the pool: it is cancelled when nobody waits for the answer any more, and not before.
#include "api/request.h"
#include "support/support.h"

#include <unistd.h>

typedef struct work { gm_request *request; gm_pool *pool; bool open, done, gone; gm_status status; } work;

// Would go on for ever, were it not cancelled or let through.
static gm_status run(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    work *w = context;
    (void)part, (void)thread;
    while (!w->open && !gm_pool_cancelled(job)) usleep(100);
    return gm_pool_cancelled(job) ? gm_fail(err, GM_CANCELLED, "test", "cancelled") : GM_OK;
}

static void done(void *context, gm_status status, const gm_error *err)
{
    work *w = context;
    (void)err;
    w->done   = true;
    w->status = status;
    w->gone   = w->request->gone;
    gm_request_release(w->request);
}

static void begin(work *w, bool open)
{
    gm_error        err;
    gm_pool_options o = gm_pool_options_defaults();
    o.threads         = 1;
    o.jobs_max        = 1;
    *w = (work){ .request = gm_request_create(gm_alloc_system(), GM_STR("/v1/long")), .open = open };
    assert_non_null(w->request);
    assert_gm_ok(gm_pool_create(gm_alloc_system(), NULL, &o, &w->pool, &err), err);
    gm_pool_task task = { .parts = 1, .run = run, .done = done, .context = w };
    assert_gm_ok(gm_request_submit(w->request, w->pool, &task, &err), err);
    assert_int_equal(gm_pool_jobs(w->pool), 1);
    assert_int_equal(w->request->state, GM_REQUEST_WAITING);
}

static void end(work *w)
{
    while (!w->done) gm_pool_turn(w->pool, 10 * GM_MILLISECOND);
    assert_int_equal(gm_pool_jobs(w->pool), 0);
    gm_pool_destroy(w->pool);
}

static void work_for_nobody_is_cancelled(void **state)
{
    (void)state;
    for (int destroyed = 0; destroyed < 2; destroyed++) {
        work w;
        begin(&w, false);
        if (destroyed) gm_request_destroy(w.request);  // the connection's memory goes
        else gm_request_end(w.request);                // the connection goes on to its next request
        end(&w);
        assert_int_equal(w.status, GM_CANCELLED);
        assert_true(w.gone);
    }
}

static void work_that_is_waited_for_ends_by_itself(void **state)
{
    (void)state;
    work w;
    begin(&w, true);
    end(&w);
    assert_int_equal(w.status, GM_OK);
    assert_false(w.gone);
    gm_request_destroy(w.request);
}

// The pool is full: nothing is held, the request can be answered.
static void a_full_pool_holds_nothing(void **state)
{
    (void)state;
    work     w, second;
    gm_error err;
    begin(&w, false);
    second = (work){ .request = gm_request_create(gm_alloc_system(), GM_STR("/v1/long")) };
    gm_pool_task task = { .parts = 1, .run = run, .done = done, .context = &second };
    assert_int_equal(gm_request_submit(second.request, w.pool, &task, &err), GM_LIMIT);
    assert_int_equal(second.request->pending, 0);
    gm_request_destroy(second.request);
    gm_request_destroy(w.request);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_for_nobody_is_cancelled),
        cmocka_unit_test(work_that_is_waited_for_ends_by_itself),
        cmocka_unit_test(a_full_pool_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
