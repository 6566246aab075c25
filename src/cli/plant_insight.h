// cli/plant_insight.h: do insight/*.json and estimate/*.json ask for what the plant has?
#ifndef GM_CLI_PLANT_INSIGHT_H
#define GM_CLI_PLANT_INSIGHT_H

#include "cli/plant.h"

// Adds to the findings of a plant whose other files have been checked: texts that do not read, interfaces, properties, twins,
// variables and faults that are not there, properties to write into that do not hold numbers, names given twice. What an
// estimate is bound to is looked at only where nothing else is wrong. GM_NOMEM only.
GM_NODISCARD gm_status gm_plant_check_insight(gm_plant *plant, const gm_io *io, gm_error *err);

#endif
