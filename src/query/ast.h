// query/ast.h: a query as it was understood: collections, the steps that connect them, and expressions over their
// paths.
//
//   SELECT B.$dtId, COUNT() AS n FROM DIGITALTWINS A JOIN B RELATED A.feeds R WHERE R.size > 3 GROUP BY B.$dtId
//
// has three collections (A and B of twins, R of relationships), one step (A -feeds-> B as R), a condition, two items.
// Everything lies in one arena and never changes after gm_query_parse: a prepared query may be run any number of times.
#ifndef GM_QUERY_AST_H
#define GM_QUERY_AST_H

#include "base/arena.h"
#include "base/time.h"

// ---- values -----------------------------------------------------------------------------------------------------

// The order of the kinds is the order in which ORDER BY puts values of different kinds (INT and DOUBLE are one).
typedef enum gm_qkind {
    GM_Q_UNDEFINED,  // no such property, or it has no value
    GM_Q_NULL,
    GM_Q_BOOL,       // i is 0 or 1
    GM_Q_INT,        // i
    GM_Q_DOUBLE,     // d; always finite
    GM_Q_TIME,       // i: when a property was written or measured; compares with RFC 3339 texts
    GM_Q_STRING,     // s
    GM_Q_JSON        // s: an object or array as JSON text
} gm_qkind;

typedef struct gm_qvalue {
    gm_qkind kind;
    union {
        int64_t i;
        double  d;
        gm_str  s;
    };
} gm_qvalue;

// The literals of an IN list: sorted by gm_qvalue_order without duplicates, so that membership is a binary search.
typedef struct gm_qset {
    const gm_qvalue *values;
    size_t           count;
} gm_qset;

// ---- expressions ------------------------------------------------------------------------------------------------

typedef enum gm_node_kind {
    GM_NODE_LITERAL,
    GM_NODE_PATH,            // path
    GM_NODE_AND,             // first, chained by next
    GM_NODE_OR,
    GM_NODE_NOT,             // a
    GM_NODE_COMPARE,         // a op b (gm_compare); a literal stands right
    GM_NODE_IN,              // a, set
    GM_NODE_IS,              // a (a path), op (gm_is)
    GM_NODE_OF_MODEL,        // collection, text, op: 1 = exact; fact
    GM_NODE_TEXT,            // a op b (gm_text_op)
    GM_NODE_ARRAY_CONTAINS,  // a, b
    GM_NODE_ARITH,           // a op b (gm_arith)
    GM_NODE_AGGREGATE        // op (gm_aggregate) of a; a NULL: of rows; slot
} gm_node_kind;

typedef enum gm_compare { GM_EQ, GM_NE, GM_LT, GM_LE, GM_GT, GM_GE } gm_compare;
typedef enum gm_is {
    GM_IS_DEFINED,
    GM_IS_NULL,
    GM_IS_NUMBER,
    GM_IS_STRING,
    GM_IS_BOOL,
    GM_IS_OBJECT,
    GM_IS_PRIMITIVE
} gm_is;
typedef enum gm_text_op { GM_STARTSWITH, GM_ENDSWITH, GM_CONTAINS } gm_text_op;
typedef enum gm_arith { GM_ADD, GM_SUB, GM_MUL, GM_DIV, GM_MOD } gm_arith;
typedef enum gm_aggregate { GM_COUNT, GM_SUM, GM_AVG, GM_MIN, GM_MAX } gm_aggregate;

typedef struct gm_node gm_node;
struct gm_node {
    uint8_t   kind, op;
    uint16_t  depth;        // of the tree below; bounded by the parser, so recursion over it is safe
    uint32_t  at;           // offset in the text, for messages
    uint32_t  collections;  // bit i: depends on collection i
    gm_node  *next;         // sibling in an AND, an OR or a list
    union {
        gm_qvalue literal;
        uint32_t  path;     // index into gm_ast.paths
        struct { gm_node *a, *b; gm_qset set; };
        struct { gm_node *first; uint32_t count; };
        struct { gm_str text; uint32_t collection, fact; };
        struct { gm_node *of; uint32_t slot; };
    };
};

// ---- statement --------------------------------------------------------------------------------------------------

enum {
    GM_COLLECTIONS_MAX = 24,    // five joins with relationships, or a MATCH of ten conditions
    GM_STEPS_MAX       = 11,
    GM_JOINS_MAX       = 5,
    GM_HOPS_MAX        = 10,
    GM_STEP_NAMES_MAX  = 64,
    GM_SEGMENTS_MAX    = 32,
    GM_PATHS_MAX       = 1000,
    GM_CONDITIONS_MAX  = 2000,  // after equalities on one path were gathered into IN
    GM_NODES_MAX       = 200000,
    GM_ITEMS_MAX       = 200,
    GM_DEPTH_MAX       = 200,
    GM_NO_COLLECTION   = 0xff
};

typedef struct gm_collection {
    gm_str name;              // empty: not named, as () in MATCH or FROM DIGITALTWINS without a name
    bool   is_relationship;
} gm_collection;

// A path into a collection's documents; no segments: the document itself.
typedef struct gm_path {
    uint32_t      collection;
    const gm_str *segments;
    size_t        count;
    size_t        plain;      // leading segments without '/': only those can be parts of a column's path
    gm_str        text;       // segments joined with '/'
} gm_path;

typedef enum gm_direction { GM_OUT, GM_IN, GM_ANY } gm_direction;

typedef struct gm_step {
    uint8_t       from, to;      // collections of twins
    uint8_t       relationship;  // its collection, or GM_NO_COLLECTION
    gm_direction  direction;     // seen from `from`
    const gm_str *names;         // of relationships; none: any
    size_t        name_count;
    uint32_t      hops_min, hops_max;
} gm_step;

typedef struct gm_item { gm_str name; gm_node *value; } gm_item;
typedef struct gm_order { gm_node *value; bool descending; } gm_order;

typedef struct gm_ast {
    gm_arena     *arena;
    gm_str        text;
    bool          explain, from_relationships, is_match, star, grouped;  // grouped: GROUP BY or aggregates
    gm_collection collections[GM_COLLECTIONS_MAX];
    size_t        collection_count;
    gm_step       steps[GM_STEPS_MAX];
    size_t        step_count;
    gm_path       paths[GM_PATHS_MAX];
    size_t        path_count;
    gm_item       items[GM_ITEMS_MAX];
    size_t        item_count;
    gm_node      *where;                 // NULL: everything
    gm_node      *group_keys;            // chained by next
    gm_order      orders[GM_ITEMS_MAX];
    size_t        order_count;
    gm_node     **aggregates;            // by slot
    size_t        aggregate_count;
    size_t        fact_count;            // IS_OF_MODEL nodes
    uint64_t      limit, offset;         // limit UINT64_MAX: none
    bool          has_as_of, has_valid, has_known;
    gm_time_ns    as_of, valid, known;   // VALID AT and KNOWN AT: of facts
} gm_ast;

// Reads the text (copied into the arena). GM_INVALID: line, column and what was expected. GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_query_parse(gm_arena *arena, gm_str text, gm_ast **out_ast, gm_error *err);

// Which of a node's operands are there (AND and OR have a list instead).
static inline bool gm_node_has_a(const gm_node *node)
{
    return node->kind == GM_NODE_NOT || node->kind == GM_NODE_IN || node->kind == GM_NODE_IS ||
           node->kind == GM_NODE_COMPARE || node->kind == GM_NODE_TEXT || node->kind == GM_NODE_ARRAY_CONTAINS ||
           node->kind == GM_NODE_ARITH;
}

static inline bool gm_node_has_b(const gm_node *node)
{
    return gm_node_has_a(node) && node->kind != GM_NODE_NOT && node->kind != GM_NODE_IN && node->kind != GM_NODE_IS;
}

// The collection's own document, "T", as against a path into it.
static inline bool gm_path_is_collection(const gm_ast *ast, const gm_node *node)
{
    return node->kind == GM_NODE_PATH && ast->paths[node->path].count == 0;
}

static inline gm_compare gm_compare_negated(gm_compare op)
{
    static const gm_compare negated[] = { GM_NE, GM_EQ, GM_GE, GM_GT, GM_LE, GM_LT };
    return negated[op];
}

static inline gm_compare gm_compare_swapped(gm_compare op)  // a op b is b swapped(op) a
{
    static const gm_compare swapped[] = { GM_EQ, GM_NE, GM_GT, GM_GE, GM_LT, GM_LE };
    return swapped[op];
}

#endif
