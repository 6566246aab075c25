// cli/simulate_fmu.h: one run of a twin whose behavior is an FMU, beginning with the twin's values.
#ifndef GM_CLI_SIMULATE_FMU_H
#define GM_CLI_SIMULATE_FMU_H

#include "cli/plant_group.h"

typedef struct gm_simulate_fmu {
    double             start, stop, step;  // s; of the output grid, which is also that of the communication points
    const char *const *settings;           // [setting_count] "twin.variable=value", in the FMU's units
    size_t             setting_count;
    FILE              *csv;
} gm_simulate_fmu;

// Writes `time` and the FMU's outputs, named twin.variable, as CSV. What goes wrong is printed.
gm_exit gm_simulate_fmu_run(const gm_cli *cli, const gm_plant_group *pg, const gm_simulate_fmu *options);

#endif
