#include "query_peer.h"

#include <stddef.h>

gm_query_peer *gm_query_peer_open(int properties)
{
    (void)properties;
    return NULL;
}

void gm_query_peer_close(gm_query_peer *peer) { (void)peer; }
void gm_query_peer_ready(gm_query_peer *peer) { (void)peer; }

const char *gm_query_peer_name(void)
{
    return "none";
}

void gm_query_peer_twin(gm_query_peer *peer, const char *id, const char *name, int64_t starts, const double *properties,
                        int n)
{
    (void)peer, (void)id, (void)name, (void)starts, (void)properties, (void)n;
}

void gm_query_peer_relate(gm_query_peer *peer, uint32_t source, uint32_t target)
{
    (void)peer, (void)source, (void)target;
}

double gm_query_peer_measure(gm_query_peer *peer, const char *sql)
{
    (void)peer, (void)sql;
    return -1;
}
