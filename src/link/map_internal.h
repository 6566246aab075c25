// link/map_internal.h: inside of link/map.h: what its files share.
#ifndef GM_LINK_MAP_INTERNAL_H
#define GM_LINK_MAP_INTERNAL_H

#include "link/map.h"

// The text is a number as a whole: JSON's form, or with a leading '+', as devices write it.
bool gm_map_number(gm_str text, double *out_value);

// A text that a payload without types holds: a number, true or false, else a text.
gm_value gm_map_guess(gm_str text);

// ---- one message being read ---------------------------------------------------------------------------------------
typedef struct gm_map_reading {
    gm_map           *map;
    gm_arena         *arena;
    gm_map_capture    captures[GM_MAP_CAPTURES_MAX];
    size_t            capture_count;
    const gm_json    *json;          // JSON: the update being read
    const gm_str     *names, *fields; // CSV: of the row
    size_t            name_count, field_count;
    gm_mapped        *results;
    size_t            result_count, result_capacity;
    gm_alloc          alloc;         // the arena's
    gm_error         *err;
} gm_map_reading;

// The next result, zeroed, with its twin and body still to be filled; NULL: error set.
gm_mapped *gm_map_next_result(gm_map_reading *r);
// Fills twin and create from the mapping's templates.
gm_status gm_map_name_result(gm_map_reading *r, gm_mapped *result);
gm_status gm_map_time_of(const gm_map_reading *r, gm_str text, gm_time_ns *out_time);

gm_status gm_map_read_json(gm_map_reading *r, gm_str payload);
gm_status gm_map_read_csv(gm_map_reading *r, gm_str payload);
gm_status gm_map_read_sparkplug(gm_map_reading *r, gm_str topic, gm_str payload);

// ---- Sparkplug: which name an alias stands for, per edge node and device ------------------------------------------
gm_map_aliases *gm_map_aliases_create(const gm_alloc *alloc);
void            gm_map_aliases_destroy(gm_map_aliases *aliases);  // NULL is allowed
// False: not known. owner: the topic without its message type.
bool gm_map_aliases_find(const gm_map_aliases *aliases, gm_str owner, uint64_t alias, gm_str *out_name, uint32_t *out_type);
// GM_LIMIT: there are GM_MAP_ALIASES_MAX already.
GM_NODISCARD gm_status gm_map_aliases_set(gm_map_aliases *aliases, gm_str owner, uint64_t alias, gm_str name,
                                          uint32_t type);

#endif
