// api/marks/marks.h: what happened when: the newest alarms raised, anomalies, commands, events of rules and dead letters of the whole
// plant in one ring, for time bars and plots. Folded from the log, kept in checkpoints.
//
//   gm_marks_create(alloc, engine, control, &marks, &err);     // before gm_engine_recover
//   for (size_t i = 0; i < gm_marks_count(marks); i++) gm_marks_at(marks, i);
//
// Each is one happening with its time, and enough to name it; the full records are with those who own them. Engine thread.
#ifndef GM_API_MARKS_MARKS_H
#define GM_API_MARKS_MARKS_H

#include "engine/engine.h"

struct gm_control;

enum {
    GM_MARKS_MAX     = 1 << 17,  // kept; the oldest go first
    GM_MARK_TEXT_MAX = 200       // bytes of an id or a name; what is longer is cut
};

typedef enum gm_mark_kind { GM_MARK_ALARM, GM_MARK_ANOMALY, GM_MARK_COMMAND, GM_MARK_EVENT, GM_MARK_LETTER, GM_MARK_KIND_COUNT } gm_mark_kind;
const char *gm_mark_kind_name(gm_mark_kind kind);  // "alarm", "anomaly", "command", "event", "letter"
bool        gm_mark_kind_of(gm_str name, gm_mark_kind *out_kind);

typedef struct gm_happening {  // texts viewed until the next change
    gm_time_ns   at;        // an anomaly's: when it began, which is before it was found
    uint64_t     sequence;  // of the record: rises from one to the next
    gm_mark_kind kind;
    uint8_t      priority;  // of an alarm: 0 low ... 3 critical (control/alarms.h); else 0
    gm_twin      twin;      // the one that had the id then; GM_NONE: none
    gm_str       id;        // the twin's; empty: of no twin
    gm_str       name;      // of the alarm, detector, command or property, event; the topic of a dead letter
} gm_happening;

typedef struct gm_marks gm_marks;

// Registers with the engine: before gm_engine_recover. control NULL: there are neither alarms nor commands.
GM_NODISCARD gm_status gm_marks_create(const gm_alloc *alloc, gm_engine *engine, struct gm_control *control, gm_marks **out, gm_error *err);
void                   gm_marks_destroy(gm_marks *marks);  // NULL is allowed

size_t   gm_marks_count(const gm_marks *marks);             // kept
uint64_t gm_marks_total(const gm_marks *marks);             // ever
gm_happening  gm_marks_at(const gm_marks *marks, size_t i);      // 0: the oldest that is kept

// One more. Texts are copied. GM_NOMEM: it is not there, all others are.
GM_NODISCARD gm_status gm_marks_add(gm_marks *marks, const gm_happening *mark, gm_error *err);

// As a keeper's (engine/engine.h).
void                   gm_marks_save(void *marks, gm_buf *out);
GM_NODISCARD gm_status gm_marks_load(void *marks, const uint8_t *bytes, size_t size, gm_error *err);

#endif
