// bench/query_peer.h: the same twins in another database, asked the same. query_sqlite.c when SQLite is there to build
// with, else query_no_peer.c.
#ifndef GM_BENCH_QUERY_PEER_H
#define GM_BENCH_QUERY_PEER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct gm_query_peer gm_query_peer;

gm_query_peer *gm_query_peer_open(int properties);  // NULL: there is none
void           gm_query_peer_close(gm_query_peer *peer);
const char    *gm_query_peer_name(void);
void gm_query_peer_twin(gm_query_peer *peer, const char *id, const char *name, int64_t starts, const double *properties,
                        int n);
void           gm_query_peer_relate(gm_query_peer *peer, uint32_t source, uint32_t target);
void           gm_query_peer_ready(gm_query_peer *peer);  // all rows are in
// Best time of a few runs in milliseconds; negative when it failed.
double gm_query_peer_measure(gm_query_peer *peer, const char *sql);

#endif
