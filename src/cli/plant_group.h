// cli/plant_group.h: a group of a plant's twins on the command line: PLANT or PLANT:ROOT becomes a program with values.
//
//   if (gm_plant_group_is(cli, operand)) ...                      // else it is a Modelica file or package
//   gm_exit code = gm_plant_group_open(cli, operand, NULL, false, &pg);
//   gm_group_fork(pg.group, &reader, 0, slots, &report, &err);    // reader of pg.state
//   gm_plant_group_close(&pg);
#ifndef GM_CLI_PLANT_GROUP_H
#define GM_CLI_PLANT_GROUP_H

#include "cli/plant_behaviors.h"
#include "cli/plant_state.h"
#include "cli/verb.h"
#include "engine/engine.h"
#include "futures/group.h"
#include "physics/modelica/modelica.h"

typedef struct gm_plant_group {
    gm_plant       *plant;
    gm_file        *lock;      // of the data folder
    gm_engine      *engine;    // NULL: the plant's files are the state
    gm_plant_state  files;
    gm_behaviors   *behaviors;
    const gm_state *state;
    gm_twin         root;
    gm_group       *group;     // NULL: the root's behavior is an FMU
    gm_arena       *arena;
    gm_fmu_note    *notes;
    size_t          note_count;
    const gm_fmu_note *note;   // of the root
    gm_diags        diags;
} gm_plant_group;

// Is the operand a plant's folder, perhaps with :ROOT behind it?
bool gm_plant_group_is(const gm_cli *cli, const char *operand);

// Reads the plant, takes its data when it has any (unless initial), else its initial twins, and opens the group of the
// root: the one named in the operand or in `root`, or the only group that the plant has. What is wrong is printed. The
// group must be closed in every case. A root whose behavior is an FMU is no member of a group: it stands alone.
gm_exit gm_plant_group_open(const gm_cli *cli, const char *operand, const char *root, bool initial, gm_plant_group *out);
// The same without behaviors and groups: the twins alone.
gm_exit gm_plant_group_open_twins(const gm_cli *cli, const char *folder, bool initial, gm_plant_group *out);
void    gm_plant_group_close(gm_plant_group *pg);

#endif
