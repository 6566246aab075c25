// futures/wording.h: what to vary and what to look at, as people write it.
//
//   tank1.leak=uniform(0,0.02)            one draw a lane          pump1.speed=0@1h             at +1 h
//   tank1.inflow*=normal(1,0.1)           times the forked value   pump1.speed=0@1h..2h         and back at +2 h
//   town.demand+=ou(0,2 l/s,30min)        plus a process           valve3.open=0@uniform(0,24h) at a random time
//   tank1.level=grid(1,3,5)               5 values, all combined   motor1.bearing@6h            a fault of its class
//
//   gm_futures_world world = { .find = find, .context = group, .program = program };
//   gm_vary v[GM_WORDING_ROOM]; uint32_t n;
//   gm_vary_read(GM_STR("tank1.leak=uniform(0,0.02)"), &world, arena, v, &n, &err);
//
// The grammar, and the functions with their arguments: docs/futures.md. Numbers are in the unit that the property
// declares; another unit may stand behind them, and is converted when it measures the same.
// Errors: GM_INVALID, GM_NOTFOUND  err says what was expected. GM_LIMIT, GM_NOMEM.
#ifndef GM_FUTURES_WORDING_H
#define GM_FUTURES_WORDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "futures/futures.h"

enum { GM_WORDING_ROOM = 64, GM_WORDING_TEXT_MAX = 65536, GM_WORDING_ARGS_MAX = 4096 };

// A name of the world: where its value is seen, and where it is set.
typedef struct gm_futures_name {
    gm_slot slot, set;                       // shown = (slot - offset) / scale
    double  scale, offset, set_scale, set_offset;
} gm_futures_name;

typedef struct gm_futures_setting { gm_slot slot; double value; } gm_futures_setting;

typedef struct gm_futures_world {
    const gm_program *program;
    // False: there is no such variable.
    bool (*find)(void *context, gm_str name, gm_futures_name *out);
    // Appends what there is instead of a name that is not: "pump1 has speed, wear"; NULL: nobody knows.
    void (*suggest)(void *context, gm_str name, gm_buf *out);
    // The changes of a fault; NULL: there are none. Errors as its own.
    gm_status (*fault)(void *context, gm_str name, gm_futures_setting *out, size_t room, size_t *out_count, gm_error *err);
    // Samples of a variable over the last span_s before the fork, as times since the first and shown values, in the arena;
    // NULL: there is no history.
    gm_status (*history)(void *context, gm_str name, double span_s, gm_arena *arena, const double **out_times,
                         const double **out_values, uint32_t *out_count, gm_error *err);
    void *context;
} gm_futures_world;

// One argument of a function.
typedef struct gm_word { double number; gm_str unit; } gm_word;  // unit: behind the number; may be empty

// A variation in parts, from a text or from JSON.
typedef struct gm_wording {
    gm_str        target;
    gm_vary_how   how;
    gm_str        function;      // "uniform"; empty: the only argument is the value; "fault": none
    gm_word      *args;
    uint32_t      arg_count;
    bool          scheduled;
    gm_str        when_function; // of the time; empty: the only argument is the time
    gm_word      *when_args;
    uint32_t      when_count;
    double        lasts_s;
    const double *times, *values; // function "series"
    uint32_t      count;
    bool          linear;
} gm_wording;

// Takes a text apart. Views the text; lists lie in the arena.
GM_NODISCARD gm_status gm_wording_parse(gm_str text, gm_arena *arena, gm_wording *out, gm_error *err);
// Gives it meaning: one variation, or the several of a fault. out has GM_WORDING_ROOM.
GM_NODISCARD gm_status gm_wording_bind(const gm_wording *w, const gm_futures_world *world, gm_arena *arena, gm_vary *out,
                                       uint32_t *out_count, gm_error *err);
GM_NODISCARD gm_status gm_vary_read(gm_str text, const gm_futures_world *world, gm_arena *arena, gm_vary *out,
                                    uint32_t *out_count, gm_error *err);

// "tank1.level"
GM_NODISCARD gm_status gm_watched_read(gm_str name, const gm_futures_world *world, gm_watched *out, gm_error *err);
// "tank1.level > 3", "tank1.level < 20 cm"
GM_NODISCARD gm_status gm_condition_read(gm_str text, const gm_futures_world *world, gm_condition *out, gm_error *err);
// "integral(pump1.power)", "above(tank1.level, 3)"
GM_NODISCARD gm_status gm_score_read(gm_str text, const gm_futures_world *world, gm_score *out, gm_error *err);
// "90s", "24h", "1.5": seconds where no unit stands
GM_NODISCARD gm_status gm_seconds_read(gm_str text, double *out_s, gm_error *err);
// A number and its unit: "-1.5e3 l/s".
GM_NODISCARD gm_status gm_word_read(gm_str text, gm_word *out, gm_error *err);

#endif
