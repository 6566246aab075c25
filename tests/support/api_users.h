// tests/support/api_users.h: people of a plant under test (api_plant.h) and what they show to be let in.
//
//   access = api_users_open(options, "contains");          // in the function that api_plant_start is given
//   api_users_enter(&plant, access, (gm_user){ .name = GM_STR("ron"), .right = GM_RIGHT_READ }, "site1", ron);
//   { "GET", "/v1/tree", ron, NULL, 200, NULL }            // a step of his
//   api_plant_stop(&plant); gm_access_destroy(access);
#ifndef GM_TESTS_API_USERS_H
#define GM_TESTS_API_USERS_H

#include "access/access.h"
#include "support/api_plant.h"

enum { API_USER_HEADER = 96 };

// relationship: along which a scope reaches down. The caller destroys it after the plant.
gm_access *api_users_open(gm_api_options *options, const char *relationship);

// Adds him, durably. scope: the twin that he is kept to; NULL: none. header [API_USER_HEADER]: the line with his token.
void api_users_enter(api_plant *plant, gm_access *access, gm_user user, const char *scope, char *header);

#endif
