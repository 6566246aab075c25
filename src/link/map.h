// link/map.h: mappings: how foreign topics and payloads become values of twins. The format of the files is
// docs/formats/mappings.md.
//
//   gm_maps_create(alloc, &maps, &err);
//   gm_maps_add(maps, GM_STR("mappings/plant.json"), text, &err);          // GM_INVALID: err has line and column
//   gm_map *map = gm_maps_of_topic(maps, topic);                           // NULL: nobody's topic
//   gm_map_read(map, topic, payload, arena, each, context, &err);          // each: one twin's values
//   gm_map_cells(mapped, type, now, arena, &cells, &err);                  // those as cells of the twin's type
//
// Reading is pure: a map, a topic and a payload in, twins' names and values out. Only two things change in a map: its
// counters, and the metric names that a Sparkplug birth has given numbers to.
#ifndef GM_LINK_MAP_H
#define GM_LINK_MAP_H

#include "base/arena.h"
#include "log/change.h"
#include "model/json_tree.h"
#include "model/model.h"

enum {
    GM_MAPS_MAX          = 1024,  // mappings of a plant
    GM_MAP_RULES_MAX     = 1024,  // values of a mapping
    GM_MAP_CAPTURES_MAX  = 16,
    GM_MAP_COLUMNS_MAX   = 1024,  // of a CSV row
    GM_MAP_RESULTS_MAX   = 65536, // twins' updates from one message
    GM_MAP_ALIASES_MAX   = 65536  // Sparkplug aliases of one mapping
};

typedef enum gm_map_format {
    GM_MAP_JSON, GM_MAP_CSV, GM_MAP_SCALAR, GM_MAP_SPARKPLUG, GM_MAP_LINE, GM_MAP_FORMAT_COUNT
} gm_map_format;

// One value of the mapping: where it comes from, where it goes, how it changes on the way.
typedef struct gm_map_rule {
    gm_str  from, to;          // from: JSON pointer, CSV column, metric or field name; to: path of a column
    double  scale, offset;     // value * scale + offset, before the unit
    gm_unit unit;              // what the value then is in
    bool    has_unit, has_scale, optional;
} gm_map_rule;

typedef struct gm_map_stats {
    uint64_t messages, applied, rejected;   // messages (or lines) it took; twins' updates made of them; refusals
    char     last_error[200];
} gm_map_stats;

typedef struct gm_map_aliases gm_map_aliases;

typedef struct gm_map {
    gm_str            name, file, topic;      // topic: the pattern as written; empty with GM_MAP_LINE
    gm_str            measurement;            // LINE: the pattern of the measurement; empty: any
    gm_map_format     format;
    gm_str            twin;                   // template
    gm_str            each;                   // JSON: pointer to an array of updates; ptr NULL: the message is one
    bool              header;                 // CSV: the first row names the columns
    char              separator;
    const gm_str     *columns;                // CSV
    size_t            column_count;
    gm_str            time_from;              // empty: time of arrival (SPARKPLUG, LINE: the message's own)
    gm_dur_ns         time_unit;              // of a number; 0: text, RFC 3339
    const gm_map_rule *rules;                 // [rule_count]; none with `all`
    size_t            rule_count;
    bool              all;                    // every value whose name the twin's model has
    bool              strict;                 // with `all`: a name the model does not have refuses the message
    const gm_json    *create;                 // template of the twin's body; NULL: twins must exist
    uint32_t          number;                 // in the order of the files
    gm_map_aliases   *aliases;                // SPARKPLUG
    gm_map_stats      stats;
} gm_map;

typedef struct gm_maps gm_maps;

GM_NODISCARD gm_status gm_maps_create(const gm_alloc *alloc, gm_maps **out_maps, gm_error *err);
void                   gm_maps_destroy(gm_maps *maps);  // NULL is allowed

// Adds the mappings of a file, all or none. GM_INVALID: err says what is wrong, with line and column.
GM_NODISCARD gm_status gm_maps_add(gm_maps *maps, gm_str file, gm_str text, gm_error *err);

size_t  gm_maps_count(const gm_maps *maps);
gm_map *gm_maps_at(const gm_maps *maps, size_t i);

// The first mapping, in the order of the files, whose pattern fits; NULL: none. O(levels) for any number of mappings.
gm_map *gm_maps_of_topic(const gm_maps *maps, gm_str topic);
gm_map *gm_maps_of_measurement(const gm_maps *maps, gm_str measurement);
bool    gm_maps_have_lines(const gm_maps *maps);  // any of format LINE

// ---- topics -------------------------------------------------------------------------------------------------------
typedef struct gm_map_capture { gm_str name, value; } gm_map_capture;

// Does a pattern fit? "plant/{site}/boiler-{n}/+/{rest#}": {name} takes part of a level, at least a byte; {name#} and #
// the rest. The captures are viewed. out may be NULL.
bool gm_map_pattern_fits(gm_str pattern, gm_str text, gm_map_capture out[GM_MAP_CAPTURES_MAX], size_t *out_count);

// What is wrong with a pattern; NULL: nothing. static text.
const char *gm_map_pattern_rule(gm_str pattern);

// ---- reading ------------------------------------------------------------------------------------------------------
typedef struct gm_map_value {
    gm_str             path;    // of the column
    gm_value           value;   // as it came: BOOL, INT, DOUBLE, STRING, or JSON; viewed
    const gm_map_rule *rule;    // NULL: as it is
    gm_time_ns         at;      // GM_MAP_NO_TIME: that of the update
} gm_map_value;
#define GM_MAP_NO_TIME INT64_MIN

typedef struct gm_mapped {
    const gm_map       *map;
    gm_str              twin;
    gm_time_ns          at;      // GM_MAP_NO_TIME: that of arrival
    const gm_map_value *values;
    size_t              count;
    gm_str              create;  // the twin's body as gemel/{id}/create takes it; empty: must exist
} gm_mapped;

// Called for each update of a twin, all of it viewed in the arena or the payload. Another status than GM_OK ends the
// reading with it.
typedef gm_status gm_map_each(void *context, const gm_mapped *mapped, gm_error *err);

// GM_INVALID: the payload does not fit; err says why. Each is called after the whole message was understood.
GM_NODISCARD gm_status gm_map_read(gm_map *map, gm_str topic, gm_str payload, gm_arena *arena, gm_map_each *each,
                                   void *context, gm_error *err);

// ---- into a twin --------------------------------------------------------------------------------------------------
typedef struct gm_map_cell_list { gm_cell_write *items; size_t count; uint8_t flags; } gm_map_cell_list;

// The update as cells of the twin's type, in the units of its columns; now: the time of values that bring none; latest:
// the latest time that is believed. GM_INVALID: a name or value does not fit.
GM_NODISCARD gm_status gm_map_cells(const gm_mapped *mapped, const gm_type *type, gm_time_ns now, gm_time_ns latest,
                                    gm_arena *arena, gm_map_cell_list *out, gm_error *err);

// One value for one column. rule may be NULL. Texts are viewed. JSON documents need arena for checking nothing: they are
// taken when the column is a document and the text fits its schema.
GM_NODISCARD gm_status gm_map_fit(const gm_column *column, const gm_map_rule *rule, const gm_value *value,
                                  gm_value *out_value, gm_error *err);

// The model that the mapping creates twins of; empty: none, or one that depends on the message.
gm_str gm_map_model(const gm_map *map);
// Do the mapping's values fit a model? GM_INVALID: a name is not there, or a unit does not convert.
GM_NODISCARD gm_status gm_map_check(const gm_map *map, const gm_type *type, gm_error *err);

#endif
