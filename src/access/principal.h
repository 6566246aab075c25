// access/principal.h: somebody who may do something: what he may, to which twins, how often.
//
// Counted: a request, an event stream and a connection each hold one while they last. A principal may end while it is
// held (revoked, its token expired); gm_principal_valid says so. NULL stands for "anyone" where no access is configured:
// everything is allowed. Engine thread.
#ifndef GM_ACCESS_PRINCIPAL_H
#define GM_ACCESS_PRINCIPAL_H

#include "base/time.h"
#include "state/fence.h"

typedef enum gm_right { GM_RIGHT_NONE, GM_RIGHT_READ, GM_RIGHT_OPERATE, GM_RIGHT_ENGINEER, GM_RIGHT_ADMIN } gm_right;

// "reader", "operator", "engineer", "admin". GM_RIGHT_NONE: it is none of these.
gm_right    gm_right_of_role(gm_str role);
const char *gm_right_role(gm_right right);

typedef struct gm_principal gm_principal;

gm_principal *gm_principal_hold(gm_principal *principal);     // NULL is allowed
void          gm_principal_release(gm_principal *principal);  // NULL is allowed

gm_str   gm_principal_name(const gm_principal *principal);   // "anyone" for NULL
gm_right gm_principal_right(const gm_principal *principal);  // GM_RIGHT_ADMIN for NULL
bool     gm_principal_valid(const gm_principal *principal);  // still

// Is he kept to some twins? His fence shows which, as of now; NULL: all. Viewed until the next change of the plant.
// A fence that can not be made for want of memory shows nothing.
bool            gm_principal_scoped(const gm_principal *principal);
const gm_fence *gm_principal_fence(gm_principal *principal);

// One more request. 0: it is within his rate; else how long to wait before the next one is.
gm_dur_ns gm_principal_take(gm_principal *principal);

#endif
