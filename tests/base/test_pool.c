#include "base/pool.h"

#include "support/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PARTS = 500, THREADS = 3 };

typedef struct sums {
    gm_pool    *pool;
    uint64_t    of_part[PARTS], total;
    atomic_int  running, begun, busy[THREADS];
    atomic_bool gate;        // parts wait until it opens
    int         parts, crowd, fail_at, done, news;
    gm_status   status;
    gm_error    error;
} sums;

static gm_status add(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    sums *s = context;
    assert_true(thread < THREADS && atomic_fetch_add(&s->busy[thread], 1) == 0);
    int now = atomic_fetch_add(&s->running, 1) + 1;
    if (s->crowd > 0) assert_true(now <= s->crowd);
    atomic_fetch_add(&s->begun, 1);
    while (!atomic_load(&s->gate) && !gm_pool_cancelled(job)) usleep(100);
    s->of_part[part] = (uint64_t)part * part;
    gm_pool_announce(job);
    atomic_fetch_sub(&s->running, 1);
    atomic_fetch_sub(&s->busy[thread], 1);
    if (s->fail_at > 0 && part == (uint32_t)s->fail_at) return gm_fail(err, GM_DIVERGED, "test", "part %u", part);
    return GM_OK;
}

static gm_status add_up(void *context, gm_pool_job *job, gm_error *err)
{
    sums *s = context;
    (void)job;
    (void)err;
    for (int i = 0; i < s->parts; i++) s->total += s->of_part[i];
    return GM_OK;
}

static void on_news(void *context) { ((sums *)context)->news++; }

static void on_done(void *context, gm_status status, const gm_error *err)
{
    sums *s   = context;
    s->status = status;
    if (err != NULL) s->error = *err;
    s->done++;
}

static sums sums_of(int parts) { return (sums){ .parts = parts, .gate = true }; }

static gm_pool_task task_of(sums *s)
{
    return (gm_pool_task){ .parts = (uint32_t)s->parts, .run = add, .finish = add_up, .news = on_news, .done = on_done, .context = s };
}

static gm_pool *open_pool(gm_loop *loop, uint32_t threads, uint32_t jobs_max)
{
    gm_pool        *pool;
    gm_error        err = { 0 };
    gm_pool_options o   = { .threads = threads, .jobs_max = jobs_max };
    assert_gm_ok(gm_pool_create(gm_alloc_system(), loop, &o, &pool, &err), err);
    return pool;
}

static gm_pool_id submit(gm_pool *pool, const gm_pool_task *task)
{
    gm_pool_id id;
    gm_error   err = { 0 };
    assert_gm_ok(gm_pool_submit(pool, task, &id, &err), err);
    return id;
}

static void await(gm_pool *pool)
{
    while (gm_pool_turn(pool, GM_SECOND)) {}
}

static void every_part_runs_once_and_finish_sees_all(void **state)
{
    (void)state;
    gm_pool     *pool = open_pool(NULL, THREADS, 8);
    sums         s    = sums_of(PARTS);
    gm_pool_task task = task_of(&s);
    submit(pool, &task);
    await(pool);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.status, GM_OK);
    assert_int_equal(atomic_load(&s.begun), PARTS);
    assert_int_equal(s.total, (uint64_t)(PARTS - 1) * PARTS * (2 * PARTS - 1) / 6);
    assert_true(s.news >= 1);
    gm_pool_destroy(pool);
}

static void a_job_keeps_to_the_threads_it_may_use(void **state)
{
    (void)state;
    gm_pool     *pool = open_pool(NULL, THREADS, 8);
    sums         s    = sums_of(200);
    s.crowd           = 1;
    gm_pool_task task = task_of(&s);
    task.threads_max  = 1;
    submit(pool, &task);
    await(pool);
    assert_int_equal(s.status, GM_OK);
    assert_int_equal(atomic_load(&s.begun), 200);
    gm_pool_destroy(pool);
}

static void the_answer_comes_in_a_turn_of_the_loop(void **state)
{
    (void)state;
    gm_loop *loop;
    gm_error err = { 0 };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &loop, &err), err);
    gm_pool     *pool = open_pool(loop, 2, 8);
    sums         s    = sums_of(10);
    gm_pool_task task = task_of(&s);
    submit(pool, &task);
    while (s.done == 0) assert_gm_ok(gm_loop_turn(loop, &err), err);
    assert_int_equal(s.status, GM_OK);
    gm_pool_destroy(pool);
    gm_loop_destroy(loop);
}

static void a_failed_part_ends_the_job_with_its_reason(void **state)
{
    (void)state;
    gm_pool     *pool = open_pool(NULL, 1, 8);
    sums         s    = sums_of(PARTS);
    s.fail_at         = 7;
    gm_pool_task task = task_of(&s);
    submit(pool, &task);
    await(pool);
    assert_int_equal(s.status, GM_DIVERGED);
    assert_string_equal(s.error.text, "part 7");
    assert_int_equal(atomic_load(&s.begun), 8);  // one thread: none begins after the seventh
    assert_int_equal(s.total, 0);                // finish was not called
    gm_pool_destroy(pool);
}

static void a_cancelled_job_ends_early_and_says_so(void **state)
{
    (void)state;
    gm_pool *pool = open_pool(NULL, 2, 8);
    sums     s    = sums_of(PARTS), waiting = sums_of(PARTS);
    atomic_store(&s.gate, false);
    gm_pool_task task = task_of(&s), other = task_of(&waiting);
    gm_pool_id   id = submit(pool, &task);
    while (atomic_load(&s.begun) < 2) usleep(100);
    gm_pool_id second = submit(pool, &other);  // both threads are busy: not one part of it begins
    gm_pool_progress p;
    assert_true(gm_pool_look(pool, second, &p));
    assert_int_equal(p.jobs_ahead, 1);
    assert_int_equal(p.parts, PARTS);
    gm_pool_cancel(pool, second);
    gm_pool_cancel(pool, id);
    await(pool);
    assert_int_equal(s.status, GM_CANCELLED);
    assert_int_equal(atomic_load(&s.begun), 2);
    assert_int_equal(waiting.status, GM_CANCELLED);
    assert_int_equal(atomic_load(&waiting.begun), 0);
    assert_int_equal(waiting.done, 1);
    assert_false(gm_pool_look(pool, id, &p));
    gm_pool_cancel(pool, id);  // known no longer: nothing happens
    gm_pool_destroy(pool);
}

static void a_small_job_does_not_wait_for_a_large_one(void **state)
{
    (void)state;
    gm_pool *pool  = open_pool(NULL, 1, 8);
    sums     large = sums_of(PARTS), small = sums_of(2);
    atomic_store(&large.gate, false);
    gm_pool_task task = task_of(&large), other = task_of(&small);
    gm_pool_id   id = submit(pool, &task);
    while (atomic_load(&large.begun) < 1) usleep(100);
    submit(pool, &other);
    // The one thread stands in the large job's first part. Parts alternate from here on: small is done after at most
    // three more parts of large, whose gate lets one part through at a time.
    for (int part = 1; small.done == 0 && part < 6; part++) {
        atomic_store(&large.gate, true);
        while (atomic_load(&large.begun) == part && small.done == 0) gm_pool_turn(pool, GM_MILLISECOND);
        atomic_store(&large.gate, false);
    }
    bool early = small.done == 1;
    gm_pool_cancel(pool, id);
    await(pool);
    assert_true(early);
    gm_pool_destroy(pool);
}

static void a_full_queue_refuses_with_a_reason(void **state)
{
    (void)state;
    gm_pool *pool = open_pool(NULL, 1, 3);
    sums     s[4];
    for (int i = 0; i < 4; i++) {
        s[i] = sums_of(1);
        atomic_store(&s[i].gate, false);
        gm_pool_task task = task_of(&s[i]);
        gm_pool_id   id;
        gm_error     err = { 0 };
        assert_int_equal(gm_pool_submit(pool, &task, &id, &err), i < 3 ? GM_OK : GM_LIMIT);
        if (i == 3) assert_non_null(strstr(err.text, "3 jobs"));
    }
    for (int i = 0; i < 4; i++) atomic_store(&s[i].gate, true);
    await(pool);
    assert_int_equal(s[2].done, 1);
    assert_int_equal(s[3].done, 0);
    gm_pool_destroy(pool);
}

typedef struct chain { gm_pool *pool; atomic_int runs; int left; } chain;

static gm_status count_run(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)part;
    (void)thread;
    (void)job;
    (void)err;
    atomic_fetch_add(&((chain *)context)->runs, 1);
    return GM_OK;
}

static void again(void *context, gm_status status, const gm_error *err)
{
    chain *c = context;
    assert_int_equal(status, GM_OK);
    assert_null(err);
    if (--c->left == 0) return;
    gm_pool_task task = { .parts = 2, .run = count_run, .done = again, .context = c };
    submit(c->pool, &task);
}

static void done_may_submit_the_next_job(void **state)
{
    (void)state;
    chain c           = { .pool = open_pool(NULL, 2, 1), .left = 20 };
    gm_pool_task task = { .parts = 2, .run = count_run, .done = again, .context = &c };
    submit(c.pool, &task);
    await(c.pool);
    assert_int_equal(c.left, 0);
    assert_int_equal(atomic_load(&c.runs), 40);
    gm_pool_destroy(c.pool);
}

static void the_end_of_the_pool_answers_everyone(void **state)
{
    (void)state;
    gm_pool *pool = open_pool(NULL, 2, 8);
    sums     s[5];
    for (int i = 0; i < 5; i++) {
        s[i] = sums_of(PARTS);
        atomic_store(&s[i].gate, false);
        gm_pool_task task = task_of(&s[i]);
        submit(pool, &task);
    }
    while (atomic_load(&s[0].begun) + atomic_load(&s[1].begun) < 2) usleep(100);
    gm_pool_destroy(pool);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s[i].done, 1);
        assert_int_equal(s[i].status, GM_CANCELLED);
    }
    gm_pool_destroy(NULL);
}

static void nothing_is_left_when_memory_is_refused(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc  fault;
        gm_pool        *pool;
        gm_error        err = { 0 };
        gm_pool_options o   = { .threads = 1, .jobs_max = 2 };
        sums            s   = sums_of(3);
        gm_fault_alloc_init(&fault, k);
        gm_status st = gm_pool_create(&fault.alloc, NULL, &o, &pool, &err);
        if (st == GM_OK) {
            gm_pool_task task = task_of(&s);
            gm_pool_id   id;
            st = gm_pool_submit(pool, &task, &id, &err);
            await(pool);
            assert_int_equal(s.done, st == GM_OK);
            gm_pool_destroy(pool);
        }
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once_and_finish_sees_all),
        cmocka_unit_test(a_job_keeps_to_the_threads_it_may_use),
        cmocka_unit_test(the_answer_comes_in_a_turn_of_the_loop),
        cmocka_unit_test(a_failed_part_ends_the_job_with_its_reason),
        cmocka_unit_test(a_cancelled_job_ends_early_and_says_so),
        cmocka_unit_test(a_small_job_does_not_wait_for_a_large_one),
        cmocka_unit_test(a_full_queue_refuses_with_a_reason),
        cmocka_unit_test(done_may_submit_the_next_job),
        cmocka_unit_test(the_end_of_the_pool_answers_everyone),
        cmocka_unit_test(nothing_is_left_when_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
