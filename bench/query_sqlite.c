// SQLite in memory, one row a twin and one column a property: the layout that favours it. No index on properties;
// relationships are indexed by source.
#include "query_peer.h"

#include "base/time.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct gm_query_peer {
    sqlite3      *db;
    sqlite3_stmt *twin, *relate;
};

static void run(gm_query_peer *peer, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(peer->db, sql, NULL, NULL, &message) == SQLITE_OK) return;
    fprintf(stderr, "sqlite: %s: %s\n", sql, message);
    exit(1);
}

gm_query_peer *gm_query_peer_open(int properties)
{
    char           create[1024], insert[1024];
    gm_query_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL || sqlite3_open(":memory:", &peer->db) != SQLITE_OK) exit(1);
    int c = snprintf(create, sizeof create, "CREATE TABLE t(n INTEGER PRIMARY KEY, id TEXT, name TEXT, starts INTEGER");
    int i = snprintf(insert, sizeof insert, "INSERT INTO t(id, name, starts");
    for (int p = 0; p < properties; p++) {
        c += snprintf(create + c, sizeof create - (size_t)c, ", p%d REAL", p);
        i += snprintf(insert + i, sizeof insert - (size_t)i, ", p%d", p);
    }
    snprintf(create + c, sizeof create - (size_t)c, "); CREATE TABLE r(source INTEGER, target INTEGER); BEGIN");
    i += snprintf(insert + i, sizeof insert - (size_t)i, ") VALUES (?, ?, ?");
    for (int p = 0; p < properties; p++) i += snprintf(insert + i, sizeof insert - (size_t)i, ", ?");
    snprintf(insert + i, sizeof insert - (size_t)i, ")");
    run(peer, create);
    if (sqlite3_prepare_v2(peer->db, insert, -1, &peer->twin, NULL) != SQLITE_OK) exit(1);
    if (sqlite3_prepare_v2(peer->db, "INSERT INTO r VALUES (?, ?)", -1, &peer->relate, NULL) != SQLITE_OK) exit(1);
    return peer;
}

void gm_query_peer_close(gm_query_peer *peer)
{
    if (peer == NULL) return;
    sqlite3_finalize(peer->twin);
    sqlite3_finalize(peer->relate);
    sqlite3_close(peer->db);
    free(peer);
}

const char *gm_query_peer_name(void)
{
    return "SQLite";
}

static void step(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE) exit(1);
    sqlite3_reset(statement);
}

void gm_query_peer_twin(gm_query_peer *peer, const char *id, const char *name, int64_t starts, const double *properties,
                        int n)
{
    sqlite3_bind_text(peer->twin, 1, id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(peer->twin, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(peer->twin, 3, starts);
    for (int p = 0; p < n; p++) sqlite3_bind_double(peer->twin, 4 + p, properties[p]);
    step(peer->twin);
}

void gm_query_peer_relate(gm_query_peer *peer, uint32_t source, uint32_t target)
{
    sqlite3_bind_int64(peer->relate, 1, source + 1);  // rowids begin with 1
    sqlite3_bind_int64(peer->relate, 2, target + 1);
    step(peer->relate);
}

void gm_query_peer_ready(gm_query_peer *peer)
{
    run(peer, "COMMIT; CREATE INDEX by_source ON r(source, target); CREATE UNIQUE INDEX by_id ON t(id); ANALYZE");
}

double gm_query_peer_measure(gm_query_peer *peer, const char *sql)
{
    const gm_clock *clock = gm_clock_system();
    gm_dur_ns       best  = INT64_MAX, began = gm_monotonic(clock);
    sqlite3_stmt   *statement;
    if (sqlite3_prepare_v2(peer->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s: %s\n", sql, sqlite3_errmsg(peer->db));
        return -1;
    }
    for (int i = 0; i < 2 || gm_monotonic(clock) - began < GM_SECOND / 2; i++) {
        gm_dur_ns from = gm_monotonic(clock);
        while (sqlite3_step(statement) == SQLITE_ROW) {}
        gm_dur_ns took = gm_monotonic(clock) - from;
        sqlite3_reset(statement);
        if (took < best) best = took;
    }
    sqlite3_finalize(statement);
    return (double)best / 1e6;
}
