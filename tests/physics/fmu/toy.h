// A model for tests of the FMI import, written for them: a bouncing ball, a stair that rises every second, values that
// pass through, and ways to misbehave. toy2.c and toy3.c show it as FMI 2.0 and 3.0.
#ifndef GM_TESTS_FMU_TOY_H
#define GM_TESTS_FMU_TOY_H

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOY_EXPORT __attribute__((visibility("default")))

enum { TIME, H, DER_H, V, DER_V, G, E, COUNTER = 10, MISBEHAVE, TEXT_IN, TEXT_OUT, FLAG_IN, FLAG_OUT, U, Y, K, K_OUT, N, A, B, BIN_IN, BIN_OUT,
       F32_IN, F32_OUT, I64_IN, I64_OUT, ENUM_IN, ENUM_OUT };
enum { CRASH = 1, HANG, EXIT, ERROR, NO_INSTANCE, LIE, DISCARD, FLOOD };  // values of MISBEHAVE
enum { ARRAY_MAX = 8 };

typedef struct toy {
    double   time, h, v, g, e, next, u;
    int      counter, misbehave, k, enumeration;
    bool     flag;
    char     text[64];
    uint64_t n;
    double   a[ARRAY_MAX];
    uint8_t  bin[16];
    size_t   bin_size;
    float    f32;
    int64_t  i64;
    bool     event_mode, early_return, fallen;  // fallen: below the floor since the last event
} toy;

static inline void toy_reset(toy *t)
{
    *t = (toy){ .h = 1, .g = -9.81, .e = 0.7, .next = 1, .text = "hello", .n = 2, .a = { 1, 2 }, .bin = { 0xca, 0xfe }, .bin_size = 2,
                .enumeration = 1, .k = 0 };
}

// An event: what is due at t->time. Returns true when the states have changed.
static inline bool toy_event(toy *t)
{
    bool changed = false;
    while (t->time >= t->next - 1e-9) {
        t->counter++;
        t->next += 1;
    }
    if (t->h <= 0 && t->v < 0) {
        t->h    = 0;
        t->v    = -t->e * t->v;
        changed = true;
        if (t->v < 0.1) t->v = t->g = 0;  // at rest
    }
    return changed;
}

// The worst a library can do; called where an FMU computes.
static inline bool toy_misbehave(toy *t)
{
    if (t->misbehave == CRASH) {
        fprintf(stderr, "toy: about to crash\n");
        signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
        raise(SIGSEGV);
    }
    if (t->misbehave == HANG) {
        for (;;) pause();
    }
    if (t->misbehave == EXIT) _exit(3);
    return t->misbehave == ERROR;
}

// Steps of 1 ms, explicit Euler, until the target. Returns early at an event in event mode.
static inline bool toy_step(toy *t, double target)
{
    while (t->time < target - 1e-9) {
        t->h += 1e-3 * t->v;
        t->v += 1e-3 * t->g;
        t->time += 1e-3;
        bool due = t->time >= t->next - 1e-9 || (t->h <= 0 && t->v < 0);
        if (due && t->event_mode) return true;
        if (due) toy_event(t);
    }
    return false;
}

#endif
