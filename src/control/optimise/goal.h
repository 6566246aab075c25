// control/optimise/goal.h: what people write for plans: goals, limits, inputs and tariffs, as terms and inputs of mpc.h.
//
//   integral(pump1.power)   2*square(tower.level, 4)   final(tower.level, 4)      what to make small
//   tower.level in 1..5     town.pressure >= 2.5e5                                what to keep
//   pump1.speed=0..1.1      pump1.speed=0..1 whole      valve.opening=0..1 rate 0.01   what may be moved
//   00:00=0.08,06:00=0.31,22:00=0.08                                              factors of a day, held
//
// A limit's weight is for being outside by the whole range (or by the limit itself, where there is only one).
// Names are TWIN.VARIABLE, numbers in the unit that the twin shows; seconds for time.
#ifndef GM_CONTROL_GOAL_H
#define GM_CONTROL_GOAL_H

#include "control/optimise/mpc.h"
#include "futures/group.h"

typedef struct gm_goal { gm_mpc_term term; gm_group_variable of; bool priced; } gm_goal;

// Errors: GM_INVALID with what was expected, GM_NOTFOUND: the group has no such variable.
GM_NODISCARD gm_status gm_goal_parse(const gm_group *group, gm_str text, gm_goal *out, gm_error *err);
GM_NODISCARD gm_status gm_goal_parse_limit(const gm_group *group, gm_str text, double weight, gm_goal *out, gm_error *err);
GM_NODISCARD gm_status gm_goal_parse_input(const gm_group *group, gm_str text, gm_mpc_input *out, gm_group_variable *out_of, gm_error *err);

enum { GM_TARIFF_MAX = 96 };
typedef struct gm_tariff { uint32_t count; double from_s[GM_TARIFF_MAX], factor[GM_TARIFF_MAX]; } gm_tariff;  // s of the day
GM_NODISCARD gm_status gm_goal_parse_tariff(gm_str text, gm_tariff *out, gm_error *err);
double                 gm_tariff_at(const gm_tariff *tariff, double day_s);  // any number of seconds since midnight

#endif
