// cli/bridges.h: the [bridge NAME] sections of gemel.conf, running.
#ifndef GM_CLI_BRIDGES_H
#define GM_CLI_BRIDGES_H

#include "cli/config.h"
#include "cli/plant.h"
#include "cli/verb.h"
#include "link/bridge.h"

typedef struct gm_bridges { gm_bridge **items; size_t count; } gm_bridges;

// Starts them all; texts and the list lie in the arena. GM_INVALID names the section's line.
GM_NODISCARD gm_status gm_bridges_open(const gm_cli *cli, const gm_plant *plant, gm_loop *loop, gm_mqtt_server *server,
                                       gm_arena *arena, gm_bridges *out, gm_error *err);
void                   gm_bridges_close(gm_bridges *bridges);
void                   gm_bridges_write_metrics(const gm_bridges *bridges, gm_buf *out);  // Prometheus lines

#endif
