// log/change.h: the vocabulary of the log: what each kind of record says, and its bytes.
//
// A change is encoded into a log record before it is durable and applied by decoding it afterwards, live and at
// recovery alike: there is one path, so a restart can not disagree with what was seen. Format: docs/formats/log.md.
//
// Twins and types appear as numbers (given in order of creation, never reused), columns as indexes into the type's
// columns. All decoders check every length; GM_CORRUPT means bytes that no encoder here could have written.
#ifndef GM_LOG_CHANGE_H
#define GM_LOG_CHANGE_H

#include "base/time.h"
#include "base/value.h"

typedef enum gm_change_kind {
    GM_CHANGE_MODELS              = 1,  // text: one interface or a JSON array of them
    GM_CHANGE_MODEL_DECOMMISSION  = 2,  // text: DTMI; flag: decommissioned
    GM_CHANGE_MODEL_DELETE        = 3,  // text: DTMI
    GM_CHANGE_TWIN_PUT            = 4,  // a twin created, or replaced as a whole
    GM_CHANGE_WRITE               = 5,  // some cells of a twin: telemetry, properties, patches
    GM_CHANGE_TWIN_DELETE         = 6,
    GM_CHANGE_RELATIONSHIP_PUT    = 7,  // created or replaced
    GM_CHANGE_RELATIONSHIP_DELETE = 8,
    GM_CHANGE_RETAIN              = 9,  // an MQTT retained message; empty payload clears
    GM_CHANGE_DEAD_LETTER         = 10, // a message that could not be applied, and why
    GM_CHANGE_HISTORY_DELETE      = 11, // id: twin; name: property path, empty: everything that was of twins of this id
    GM_CHANGE_MQTT_SESSION        = 20, // id: client id; text: link/mqtt_durable.h, as with the next three
    GM_CHANGE_MQTT_SUBSCRIBE      = 21,
    GM_CHANGE_MQTT_MESSAGE        = 22, // id: topic
    GM_CHANGE_MQTT_PROGRESS       = 23,
    GM_CHANGE_USER                = 24, // someone who may enter: his role, the hash of his token, his scope
    GM_CHANGE_USER_REVOKE         = 25,
    GM_CHANGE_AUDIT               = 26, // who asked for the change before it
    GM_CHANGE_EVENT_ROUTE_PUT     = 28, // id: the route's; name: endpoint; text: filter
    GM_CHANGE_EVENT_ROUTE_DELETE  = 29, // id
    GM_CHANGE_JOB                 = 30, // id; name: "imports" or "deletions"; text: the job as JSON, empty when deleted
    GM_CHANGE_INDEX               = 31, // id: property path; name: "ordered", "hash", or empty when dropped
    GM_CHANGE_ANOMALY             = 36, // id: twin; name: detector; text: JSON (start, end, score, signals); flag: it is over
    GM_CHANGE_RULES               = 40, // decisions (control/journal.h): the rules in force; text: the files
    GM_CHANGE_ALARM               = 41, // id: "NAME@TWIN"; name: what happens to it, as with the next ones
    GM_CHANGE_COMMAND             = 42, // id: the command's
    GM_CHANGE_DESIRED             = 43, // id: the request's
    GM_CHANGE_ARMING              = 44, // id: twin; automatic control armed and disarmed, emergency stop
    GM_CHANGE_WORK_ORDER          = 45, // id: the order's
    GM_CHANGE_RULE_DONE           = 46, // id: rule; an action that leaves no other record
    GM_CHANGE_ROLLUP              = 48, // id: twin, empty: the plant; name: roll-up; flags: gm_kind; text: its value (rollup/past.c)
    GM_CHANGE_FACT                = 50, // id: twin, empty: several; text: facts (thread/facts.h)
    GM_CHANGE_FACTS_DELETE        = 51, // id: twin; name: key, empty: all; deletion for good
    GM_CHANGE_KIND_COUNT
} gm_change_kind;

static inline bool gm_change_of_models(gm_change_kind kind)
{
    return kind == GM_CHANGE_MODELS || kind == GM_CHANGE_MODEL_DECOMMISSION || kind == GM_CHANGE_MODEL_DELETE;
}

typedef struct gm_cell_write {
    uint16_t   column;
    gm_time_ns at;     // source time
    gm_value   value;  // kind NONE removes the value
} gm_cell_write;

enum { GM_CELLS_MAX = 65535 };

// GM_WRITE_PROPERTIES: the twin's ETag changes (properties were set, not just telemetry reported).
// GM_WRITE_ALWAYS: the live value is replaced even by one with an older source time (a person's patch wins over a
// device whose clock runs ahead); without it a late sample goes to history only.
// GM_WRITE_SERIES: several cells of one column may be among them; each is a sample of its own. Without it a column stands
// in a record once.
// GM_WRITE_ROWS: the cells are a table of numbers: some columns, and so many rows that have a time each. In bulk that is
// smaller than cells one by one, and is read without a look at each. Walking the cells goes through it by columns.
enum { GM_WRITE_PROPERTIES = 1, GM_WRITE_ALWAYS = 2, GM_WRITE_SERIES = 4, GM_WRITE_ROWS = 8 };

typedef struct gm_row_column { uint16_t column; uint8_t kind; } gm_row_column;  // INT or DOUBLE

// Of a record with GM_WRITE_ROWS, viewed; not aligned: base/le.h reads and writes them.
typedef struct gm_row_table {
    uint16_t columns, rows;   // how many; columns * rows <= GM_CELLS_MAX
    uint8_t *heads;           // [columns] u16 column, u8 kind
    uint8_t *times;           // [rows] i64
    uint8_t *values;          // [columns][rows] i64 or f64, a column after the other
} gm_row_table;
enum { GM_ROW_HEAD = 3 };

typedef struct gm_change {  // decoded; texts are viewed in the record's payload
    gm_change_kind kind;
    uint8_t        flags;
    uint32_t       twin;         // TWIN_*, WRITE; RELATIONSHIP_*: the source
    uint32_t       target;       // RELATIONSHIP_*
    uint32_t       type;         // WRITE: number of the type whose columns are meant
    gm_str         id;           // TWIN_*: twin id; RELATIONSHIP_*: relationship id; RETAIN, DEAD_LETTER: topic
    gm_str         name;         // TWIN_PUT: DTMI; RELATIONSHIP_*: name; DEAD_LETTER: reason
    gm_str         text;         // MODEL*: JSON or DTMI; RELATIONSHIP_PUT: properties (JSON object); RETAIN, DEAD_LETTER: payload
    uint16_t       cell_count;   // TWIN_PUT, WRITE
    const uint8_t *cells, *cells_end;  // walked with gm_change_next_cell
    gm_time_ns     cells_at;
    gm_row_table        rows;         // WRITE with GM_WRITE_ROWS
} gm_change;

// Bytes that the encoders below will need.
size_t gm_change_size_write(const gm_cell_write *cells, size_t n);
size_t gm_change_size_twin_put(gm_str id, gm_str dtmi, const gm_cell_write *cells, size_t n);
size_t gm_change_size_texts(gm_str id, gm_str name, gm_str text);

// out has room for exactly the size above. n <= GM_CELLS_MAX.
void gm_change_encode_write(uint8_t *out, uint32_t twin, uint32_t type, uint8_t flags, const gm_cell_write *cells, size_t n);
void gm_change_encode_twin_put(uint8_t *out, uint32_t twin, gm_str id, gm_str dtmi, const gm_cell_write *cells, size_t n);

// A record of rows whose times and values the caller fills in: *out_rows says where. columns, rows >= 1.
size_t gm_change_size_rows(size_t columns, size_t rows);
void   gm_change_begin_rows(uint8_t *out, uint32_t twin, uint32_t type, uint8_t flags, const gm_row_column *columns, size_t n,
                            size_t rows, gm_row_table *out_rows);

// All other kinds: two numbers, a flag byte and three texts.
void gm_change_encode_texts(uint8_t *out, uint32_t twin, uint32_t target, uint8_t flags, gm_str id, gm_str name, gm_str text);

GM_NODISCARD gm_status gm_change_decode(uint8_t kind, const uint8_t *payload, size_t size, gm_change *out_change, gm_error *err);

// Of a record of rows, without a look at the rest: its twin and type, and its first column. False: it is none.
bool gm_change_peek_rows(uint8_t kind, const uint8_t *payload, size_t size, uint32_t *out_twin, uint32_t *out_type, uint32_t *out_column);

// Walks the cells: *at starts at change->cells. False at the end (all lengths were checked by decode).
bool gm_change_next_cell(const gm_change *change, const uint8_t **at, gm_cell_write *out_cell);

#endif
