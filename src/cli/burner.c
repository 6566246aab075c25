// Each thread works for its share of each slot, by its own processor time, and sleeps until the slot is over. A core that
// others keep busy gives less than the share: then the slot ends first.
#include "cli/burner.h"

#include "base/time.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

static const gm_dur_ns SLOT = 50 * GM_MILLISECOND;
enum { LOWEST = 19 };

typedef struct burning {
    gm_burner       *burner;
    pthread_t        thread;
    _Atomic uint64_t used_ns;
} burning;

struct gm_burner {
    const gm_alloc  *alloc;
    _Atomic uint32_t share;   // of a slot, in millionths
    _Atomic bool     over;
    size_t           count;   // threads that run
    burning          threads[];
};

static gm_dur_ns read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (gm_dur_ns)t.tv_sec * GM_SECOND + t.tv_nsec;
}

// Some arithmetic that no compiler can leave out.
static uint64_t work(uint64_t x)
{
    for (int i = 0; i < 2000; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x;
}

static void *burn(void *context)
{
    burning   *b    = context;
    gm_burner *all  = b->burner;
    gm_dur_ns  slot = read_clock(CLOCK_MONOTONIC);
    uint64_t   x    = 88172645463325252u;
    setpriority(PRIO_PROCESS, 0, LOWEST);
    while (!atomic_load(&all->over)) {
        gm_dur_ns until = read_clock(CLOCK_THREAD_CPUTIME_ID) + SLOT * atomic_load(&all->share) / 1000000;
        slot += SLOT;
        while (read_clock(CLOCK_THREAD_CPUTIME_ID) < until && read_clock(CLOCK_MONOTONIC) < slot) x = work(x);
        atomic_store(&b->used_ns, (uint64_t)read_clock(CLOCK_THREAD_CPUTIME_ID) | (x == 0));
        gm_dur_ns now = read_clock(CLOCK_MONOTONIC);
        if (now > slot + SLOT) slot = now;  // the machine has slept: nothing is owed
        struct timespec end = { .tv_sec = slot / GM_SECOND, .tv_nsec = slot % GM_SECOND };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
    }
    return NULL;
}

gm_status gm_burner_start(const gm_alloc *alloc, size_t cores, gm_burner **out, gm_error *err)
{
    *out = NULL;
    if (cores == 0 || cores > GM_BURNER_CORES_MAX) return gm_fail(err, GM_LIMIT, "cli.load", "1 to %d cores can be kept busy", GM_BURNER_CORES_MAX);
    gm_burner *burner = gm_alloc_zeroed(alloc, sizeof *burner + cores * sizeof *burner->threads);
    if (burner == NULL) return gm_fail(err, GM_NOMEM, "cli.load", "starting to work");
    burner->alloc = alloc;
    for (; burner->count < cores; burner->count++) {
        burning *b = &burner->threads[burner->count];
        b->burner  = burner;
        int why    = pthread_create(&b->thread, NULL, burn, b);
        if (why == 0) continue;
        gm_burner_stop(burner);
        return gm_fail_os(err, why, "cli.load", "starting a thread");
    }
    *out = burner;
    return GM_OK;
}

void gm_burner_stop(gm_burner *burner)
{
    if (burner == NULL) return;
    atomic_store(&burner->over, true);
    for (size_t i = 0; i < burner->count; i++) pthread_join(burner->threads[i].thread, NULL);
    gm_free(burner->alloc, burner);
}

void gm_burner_set(gm_burner *burner, double percent)
{
    double share = percent >= 0 ? fmin(percent, 100) : 0;  // NaN is none
    atomic_store(&burner->share, (uint32_t)(share * 10000));
}

double gm_burner_used(const gm_burner *burner)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < burner->count; i++) sum += atomic_load(&burner->threads[i].used_ns);
    return (double)sum / 1e9;
}
