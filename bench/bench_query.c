// Property filters and traversals over a plant of a million twins, in memory.
//
//   build/bench/bench-query [TWINS] [--only PART_OF_NAME] [--json]
//
// Twins of one model with ten double properties, two relationships each; the same data in SQLite where that can be
// built with. Every query is run until half a second has gone by; the best time of one run is shown, since a shared
// machine only ever adds to it. The recursive query there does not look out for cycles, ours does.
#include "query_peer.h"

#include "log/change.h"
#include "query/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROPERTIES = 10 };

static uint64_t next_random(uint64_t *state)
{
    // splitmix64 (Steele, Lea, Flood 2014)
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z          = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z          = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void must(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static uint64_t sequence;

static void apply(gm_state *state, gm_change_kind kind, const uint8_t *bytes, size_t size)
{
    gm_change change;
    gm_error  err = { 0 };
    must(gm_change_decode((uint8_t)kind, bytes, size, &change, &err), &err);
    sequence++;
    must(gm_state_apply(state, sequence, (gm_time_ns)sequence * GM_MICROSECOND, &change, &err), &err);
}

static void apply_texts(gm_state *state, gm_change_kind kind, uint32_t a, uint32_t b, gm_str id, gm_str name,
                        gm_str text)
{
    uint8_t bytes[4096];
    gm_change_encode_texts(bytes, a, b, 0, id, name, text);
    apply(state, kind, bytes, gm_change_size_texts(id, name, text));
}

static void add_model(gm_state *state)
{
    char text[4096];
    int  len = snprintf(
         text, sizeof text,
         "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:b:Machine;1\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Property\",\"name\":\"name\",\"schema\":"
          "\"string\"},"
          "{\"@type\":\"Property\",\"name\":\"starts\",\"schema\":\"long\"}");
    for (int i = 0; i < PROPERTIES; i++) {
        len += snprintf(text + len, sizeof text - (size_t)len,
                        ",{\"@type\":\"Property\",\"name\":\"%s%d\",\"schema\":\"double\"}", "p", i);
    }
    snprintf(text + len, sizeof text - (size_t)len, "]}");
    apply_texts(state, GM_CHANGE_MODELS, 0, 0, GM_STR(""), GM_STR(""), gm_str_of(text));
}

static void fill(gm_state *state, gm_query_peer *peer, uint32_t twins)
{
    uint64_t random = 1;
    uint8_t  bytes[1024];
    for (uint32_t i = 0; i < twins; i++) {
        char          id[32], name[32];
        gm_cell_write cells[PROPERTIES + 2];
        snprintf(id, sizeof id, "twin-%07u", i);
        snprintf(name, sizeof name, "machine %u", i % 1000);
        cells[0] = (gm_cell_write){ 0, 1, { GM_KIND_STRING, { .s = gm_str_of(name) } } };
        double values[PROPERTIES];
        cells[1] = (gm_cell_write){ 1, 1, { GM_KIND_INT, { .i = (int64_t)(next_random(&random) % 1000) } } };
        for (int p = 0; p < PROPERTIES; p++) {
            values[p]    = (double)(next_random(&random) % 10000) / 100;
            cells[p + 2] = (gm_cell_write){ (uint16_t)(p + 2), 1, { GM_KIND_DOUBLE, { .d = values[p] } } };
        }
        if (peer != NULL) gm_query_peer_twin(peer, id, name, cells[1].value.i, values, PROPERTIES);
        gm_change_encode_twin_put(bytes, i, gm_str_of(id), GM_STR("dtmi:b:Machine;1"), cells, PROPERTIES + 2);
        apply(state, GM_CHANGE_TWIN_PUT, bytes,
              gm_change_size_twin_put(gm_str_of(id), GM_STR("dtmi:b:Machine;1"), cells, PROPERTIES + 2));
    }
    for (uint32_t i = 0; i < 2 * twins; i++) {
        char id[32];
        uint32_t target = (uint32_t)(next_random(&random) % twins);
        snprintf(id, sizeof id, "r%u", i & 1);
        apply_texts(state, GM_CHANGE_RELATIONSHIP_PUT, i / 2, target, gm_str_of(id), GM_STR("feeds"), GM_STR("{}"));
        if (peer != NULL) gm_query_peer_relate(peer, i / 2, target);
    }
    if (peer != NULL) gm_query_peer_ready(peer);
}

// The best time of a run in milliseconds; *out_answer is the first item.
static double measure(const gm_state *state, const char *text, char *out_answer, size_t size)
{
    gm_error  err = { 0 };
    gm_query *query;
    must(gm_query_prepare(gm_alloc_system(), gm_str_of(text), &query, &err), &err);
    gm_buf          out   = gm_buf_init(gm_alloc_system());
    const gm_clock *clock = gm_clock_system();
    gm_dur_ns       best = INT64_MAX, began = gm_monotonic(clock);
    for (int run = 0; run < 3 || gm_monotonic(clock) - began < GM_SECOND / 2; run++) {
        gm_query_page page = { .items_max = 100 };
        gm_buf_clear(&out);
        gm_dur_ns from = gm_monotonic(clock);
        must(gm_query_run(query, state, &page, &out, &err), &err);
        gm_dur_ns took = gm_monotonic(clock) - from;
        if (took < best) best = took;
    }
    size_t len = out.len < size - 1 ? out.len : size - 1;
    if (len > 0) memcpy(out_answer, out.ptr, len);
    out_answer[len] = '\0';
    gm_buf_finish(&out);
    gm_query_destroy(query);
    return (double)best / 1e6;
}

int main(int argc, char **argv)
{
    static const struct { const char *name, *text, *sql;
    } queries[] = {
        { "count, p3 > 60", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.p3 > 60",
          "SELECT COUNT(*) FROM t WHERE p3 > 60" },
        { "count, three columns",
          "SELECT COUNT() FROM DIGITALTWINS T WHERE T.p3 > 60 AND (T.p4 < 10 OR NOT T.p5 <= 90)",
          "SELECT COUNT(*) FROM t WHERE p3 > 60 AND (p4 < 10 OR NOT p5 <= 90)" },
        { "count, integer column", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.starts >= 500",
          "SELECT COUNT(*) FROM t WHERE starts >= 500" },
        { "count, arithmetic", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.p1 - T.p2 > 2 * T.p3",
          "SELECT COUNT(*) FROM t WHERE p1 - p2 > 2 * p3" },
        { "count, text equality", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.name = 'machine 7'",
          "SELECT COUNT(*) FROM t WHERE name = 'machine 7'" },
        { "count, text contains", "SELECT COUNT() FROM DIGITALTWINS T WHERE CONTAINS(T.name, '77')",
          "SELECT COUNT(*) FROM t WHERE instr(name, '77') > 0" },
        { "count, IN 10 of an integer", "SELECT COUNT() FROM DIGITALTWINS T WHERE T.starts IN [1,2,3,4,5,6,7,8,9,10]",
          "SELECT COUNT(*) FROM t WHERE starts IN (1,2,3,4,5,6,7,8,9,10)" },
        { "first page of 100", "SELECT * FROM DIGITALTWINS T WHERE T.p3 > 60",
          "SELECT * FROM t WHERE p3 > 60 LIMIT 100" },
        { "lookup by id", "SELECT * FROM DIGITALTWINS T WHERE T.$dtId = 'twin-0000777'",
          "SELECT * FROM t WHERE id = 'twin-0000777'" },
        { "average of a column", "SELECT AVG(T.p3) AS a, MAX(T.p4) AS m FROM DIGITALTWINS T",
          "SELECT AVG(p3), MAX(p4) FROM t" },
        { "group by a text", "SELECT T.name AS n, AVG(T.p3) AS a FROM DIGITALTWINS T GROUP BY T.name",
          "SELECT name, AVG(p3) FROM t GROUP BY name" },
        { "order by, first 100", "SELECT T.$dtId FROM DIGITALTWINS T ORDER BY T.p3 DESC",
          "SELECT id FROM t ORDER BY p3 DESC LIMIT 100" },
        { "3 hops from one twin",
          "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[:feeds]->(B)-[:feeds]->(C)-[:feeds]->(D) WHERE A.$dtId = "
          "'twin-0000777'",
          "SELECT COUNT(*) FROM t a JOIN r x ON x.source = a.n JOIN r y ON y.source = x.target JOIN r z ON z.source = "
          "y.target WHERE a.id = 'twin-0000777'" },
        { "up to 5 hops from 10,000",
          "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[:feeds*..5]->(B) WHERE STARTSWITH(A.$dtId, 'twin-000')",
          "WITH RECURSIVE w(n, hops) AS (SELECT n, 0 FROM t WHERE id GLOB 'twin-000*' UNION ALL SELECT r.target, hops "
          "+ 1 FROM w JOIN r ON r.source = w.n WHERE hops < 5) SELECT COUNT(*) FROM w WHERE hops > 0" },
    };
    bool        json  = false, first = true;
    uint32_t    twins = 1000000;
    const char *only  = "";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) json = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
        else if (atoi(argv[i]) > 0) twins = (uint32_t)atoi(argv[i]);
    }
    gm_model *model = gm_model_create(gm_alloc_system());
    gm_state *state = gm_state_create(gm_alloc_system(), model);
    if (model == NULL || state == NULL) return 1;
    gm_query_peer *peer = gm_query_peer_open(PROPERTIES);
    add_model(state);
    fill(state, peer, twins);
    if (json) printf("{\"twins\":%u,\"ms\":{", twins);
    else
        printf("%u twins, %u relationships; beside it %s\n%-28s %10s %10s %8s  answer\n", twins, 2 * twins,
               gm_query_peer_name(), "query", "ms", "its ms", "ratio");
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char answer[60];
        if (strstr(queries[i].name, only) == NULL) continue;
        double ms = measure(state, queries[i].text, answer, sizeof answer);
        double its_ms = peer != NULL ? gm_query_peer_measure(peer, queries[i].sql) : -1;
        if (json) printf("%s\"%s\":[%.3f,%.3f]", first ? "" : ",", queries[i].name, ms, its_ms);
        else printf("%-28s %10.3f %10.3f %8.1f  %s\n", queries[i].name, ms, its_ms, its_ms / ms, answer);
        first = false;
    }
    if (json) printf("}}\n");
    gm_query_peer_close(peer);
    gm_state_destroy(state);
    gm_model_destroy(model);
    return 0;
}
