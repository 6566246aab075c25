// cli/machine.h: this computer as parts with values, read from /proc and /sys: what `gemel agent` publishes.
//
//   gm_machine *m;
//   gm_machine_open(alloc, "/", &m, &err);
//   gm_machine_sample(m, gm_monotonic(clock), &parts, &n);       // rates need two samples; the first has none
//   for (size_t i = 0; i < n; i++) ... parts[i].suffix, parts[i].values ...
//   gm_machine_close(m);
//
// Parts: the machine itself (suffix ""), its cores, memory, disks, file systems, network interfaces and temperature
// sensors. What a machine does not have is left out. The models are in examples/machine/models.
#ifndef GM_CLI_MACHINE_H
#define GM_CLI_MACHINE_H

#include "base/buf.h"
#include "base/time.h"

typedef struct gm_machine gm_machine;

enum { GM_MACHINE_PARTS_MAX = 2048, GM_PART_SUFFIX_MAX = 100 };

typedef struct gm_part {
    char        suffix[GM_PART_SUFFIX_MAX];  // of the twin's id: "", "-core-0", "-disk-nvme0n1"
    const char *model;                       // DTMI; static
    gm_buf      properties;                  // what does not change: JSON members "a":1,"b":"x"; may be empty
    gm_buf      values;                      // what was measured: the same; may be empty
    uint64_t    before[8];                   // counters of the last sample
    gm_dur_ns   before_at;                   // 0: never
    bool        seen;                        // in this sample
} gm_part;

// root: "/", or a folder with proc/ and sys/ below it (tests). GM_NOTFOUND: there is no proc/stat below it.
GM_NODISCARD gm_status gm_machine_open(const gm_alloc *alloc, const char *root, gm_machine **out_machine,
                                       gm_error *err);
void                   gm_machine_close(gm_machine *machine);

// Reads everything once. The parts are viewed until the next sample and keep their places; one that has gone is not
// `seen`. now is monotonic.
void gm_machine_sample(gm_machine *machine, gm_dur_ns now, gm_part *const **out_parts, size_t *out_count);

#endif
