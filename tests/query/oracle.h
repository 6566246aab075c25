// tests/query/oracle.h: the query language a second time, plainly: random conditions as text and as trees, evaluated on
// JSON documents one twin at a time; and a plant of random twins with every kind of value, absent cells and holes.
#ifndef GM_TESTS_QUERY_ORACLE_H
#define GM_TESTS_QUERY_ORACLE_H

#include "query/fixture.h"

#include <jansson.h>

enum { ORACLE_TWINS = 5000 };  // more rows than one block of masks

typedef struct oracle_expr oracle_expr;

void oracle_seed(uint64_t seed);
int  oracle_pick(int n);  // 0..n-1

oracle_expr *oracle_condition(int depth);
void         oracle_free(oracle_expr *condition);
void         oracle_write(const oracle_expr *condition, gm_buf *out);  // as query text
bool         oracle_holds(const oracle_expr *condition, json_t *document);

json_t *oracle_find(json_t *document, const char *path);  // borrowed; NULL: undefined

// As ORDER BY has it; NULL is undefined.
int oracle_order(const json_t *a, const json_t *b);

typedef struct oracle_world {
    gm_small_plant plant;
    gm_twin        twins[ORACLE_TWINS];      // in the order in which queries give them
    json_t        *documents[ORACLE_TWINS];
    int            count;
} oracle_world;

void        oracle_open(oracle_world *world);
void        oracle_close(oracle_world *world);
const char *oracle_id(const oracle_world *world, int i);

#endif
