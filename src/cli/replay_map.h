// cli/replay_map.h: which column of a recorded table goes where: rows of text in, MQTT messages out.
//
// A mapping is a file mappings/replay.json (or *.replay.json) of the plant; its keys are described in
// docs/formats/replay.md, which is the contract of gm_replay_map_read.
//
//   gm_replay_map_read(json, arena, &map, &err);
//   gm_replay_row row;                            // reused from line to line
//   gm_replay_split(map, line, &row, &err)        // the first line binds the names when the table has a header
//   gm_replay_twin(map, &row, &id, &err);         // "engine-007"
//   gm_replay_time(map, &row, start, &at, &err);
//   gm_replay_payload(map, &row, at, &json, &err) // {"T24":642.35,...,"$time":"2026-01-01T00:00:00Z"}
#ifndef GM_CLI_REPLAY_MAP_H
#define GM_CLI_REPLAY_MAP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

#include <jansson.h>

typedef struct gm_replay_map gm_replay_map;

enum { GM_REPLAY_COLUMNS_MAX = 1024, GM_REPLAY_LINE_MAX = 1 << 20, GM_REPLAY_CREATE_MAX = 256 };

typedef struct gm_replay_row {
    size_t count;
    gm_str fields[GM_REPLAY_COLUMNS_MAX];  // viewed in the line
} gm_replay_row;

// Is that file of mappings/ one for replay?
bool gm_replay_map_is(gm_str file_name);

// GM_INVALID: err names the key and what was expected. Memory, texts included, comes from the arena; the JSON document
// is kept alive by the map's caller (templates are viewed in it).
GM_NODISCARD gm_status gm_replay_map_read(const json_t *body, gm_arena *arena, gm_replay_map **out_map, gm_error *err);

bool   gm_replay_has_header(const gm_replay_map *map);
bool   gm_replay_has_clock(const gm_replay_map *map);  // rows carry a date and time of their own
gm_str gm_replay_topic(const gm_replay_map *map);      // "telemetry" or "properties"
void   gm_replay_set_file(gm_replay_map *map, gm_str stem);  // what {file} stands for; viewed

// Splits a line at the mapping's separator; fields in double quotes may hold it. GM_LIMIT: too many columns.
GM_NODISCARD gm_status gm_replay_split(const gm_replay_map *map, gm_str line, gm_replay_row *out_row, gm_error *err);

// Binds the mapping's column names to positions: to a header line's names, or (row NULL) to the names it lists itself.
// GM_INVALID: a column that the mapping names is not there.
GM_NODISCARD gm_status gm_replay_bind(gm_replay_map *map, const gm_replay_row *header, gm_error *err);

// Appends the twin's id. GM_INVALID: a column it is made of is missing or no number where one is needed.
GM_NODISCARD gm_status gm_replay_twin(const gm_replay_map *map, const gm_replay_row *row, gm_buf *out, gm_error *err);

// The row's source time: its own date and time, or start + (value - first) * every.
GM_NODISCARD gm_status gm_replay_time(const gm_replay_map *map, const gm_replay_row *row, gm_time_ns start,
                                      gm_time_ns *out_time, gm_error *err);

// Appends the message. Numbers are copied digit by digit, so that the twin holds what the file says. Empty fields and
// "NaN" are left out. GM_INVALID: a field that does not fit its type.
GM_NODISCARD gm_status gm_replay_payload(const gm_replay_map *map, const gm_replay_row *row, gm_time_ns at, gm_buf *out,
                                         gm_error *err);

// The twins to be created before the first row of a twin: the i-th one's id, and its body as gemel/{id}/create takes it.
size_t gm_replay_create_count(const gm_replay_map *map);
GM_NODISCARD gm_status gm_replay_create(const gm_replay_map *map, const gm_replay_row *row, size_t i, gm_buf *out_id,
                                        gm_buf *out_body, gm_error *err);

#endif
