// link/telemetry_names.h: inside of link/telemetry.h: the tree of a type's names and its hash table.
#ifndef GM_LINK_TELEMETRY_NAMES_H
#define GM_LINK_TELEMETRY_NAMES_H

#include "link/telemetry.h"

// One name: a leaf column, or an object (component, object schema) whose members are names below it.
typedef struct gm_telemetry_name {
    const char      *text;       // viewed in the column's path
    uint32_t         len, parent, hash;
    uint32_t         follower;   // the name that came next the last time; a guess
    uint32_t         column;     // GM_NO_COLUMN: an object
    uint8_t          schema;     // gm_schema_kind of the leaf
    uint8_t          kind;       // gm_kind of the column
    bool             is_property;
    int64_t          min, max;   // whole numbers
    gm_str           path;       // "motor/temperature"
    const gm_column *leaf;
} gm_telemetry_name;

struct gm_telemetry_names {
    const gm_alloc    *alloc;
    const gm_type     *type;
    gm_telemetry_name *names;    // [count]; names[0] is the twin itself
    size_t             count, capacity;
    uint32_t          *slots;    // open addressing; GM_TELEMETRY_NOWHERE = empty
    size_t             mask;
};

static inline uint64_t gm_telemetry_word(const char *from, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, from, n);
    return word;
}

// The first and the last eight bytes and the length tell names apart well enough; names of models are short.
static inline uint32_t gm_telemetry_hash(uint32_t parent, const char *text, size_t len)
{
    uint64_t a, b = 0;
    if (len >= 8) {
        a = gm_telemetry_word(text, 8);
        b = gm_telemetry_word(text + len - 8, 8);
    } else if (len >= 4) {
        a = gm_telemetry_word(text, 4);
        b = gm_telemetry_word(text + len - 4, 4);
    } else {
        a = len > 0 ? (uint64_t)(uint8_t)text[0] | (uint64_t)(uint8_t)text[len / 2] << 8 |
                          (uint64_t)(uint8_t)text[len - 1] << 16
                    : 0;
    }
    uint64_t hash = a ^ (b << 23 | b >> 41) ^ (uint64_t)len << 56 ^ (uint64_t)parent << 32;
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static inline uint32_t gm_telemetry_find(const gm_telemetry_names *n, uint32_t parent, const char *text, size_t len)
{
    uint32_t hash = gm_telemetry_hash(parent, text, len);
    for (size_t i = hash & n->mask;; i = (i + 1) & n->mask) {
        uint32_t id = n->slots[i];
        if (id == GM_TELEMETRY_NOWHERE) return id;
        const gm_telemetry_name *name = &n->names[id];
        if (name->hash == hash && name->parent == parent && name->len == len && memcmp(name->text, text, len) == 0)
            return id;
    }
}

#endif
