// physics/exec/zeno.h: events that follow one another without end. Sources of exported FMUs carry it too.
//
// A ball that loses a share of its speed at every bounce bounces infinitely often before it rests. No step is small
// enough for that, and where bounces come below the resolution of the clock it would fall through the floor. Two signs
// are taken as the proof: many events at what is one instant for the clock; or distances over two events (there and
// back) that shrink by at least a hundredth each, have done so often or by much, and are short already. A switch that works
// fast and regularly shows neither.
#ifndef GM_PHYSICS_ZENO_H
#define GM_PHYSICS_ZENO_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

// All zero: nothing has happened yet.
typedef struct gm_zeno { double time[2], gap[2], widest; uint32_t events, crowd, shrinking; } gm_zeno;

// An event happens. True: there is no end to it.
static inline bool gm_zeno_event(gm_zeno *z, double now)
{
    enum { CROWD = 100, OFTEN = 10, TWICE = 4 };
    double scale = 1 + fabs(now), gap = now - z->time[1];
    if (z->events >= 1) z->crowd = now - z->time[0] < 1e-9 * scale ? z->crowd + 1 : 0;
    if (z->events >= 4) z->shrinking = gap < 0.99 * z->gap[1] ? z->shrinking + 1 : 0;
    if (z->shrinking == 0) z->widest = gap;
    z->time[1] = z->time[0];
    z->time[0] = now;
    z->gap[1]  = z->gap[0];
    z->gap[0]  = gap;
    z->events += z->events < 4;
    bool often = z->shrinking >= OFTEN && gap < 1e-5 * scale;
    bool much  = z->shrinking >= TWICE && gap < 1e-4 * fmin(scale, z->widest);
    return z->crowd > CROWD || often || much;
}

#endif
