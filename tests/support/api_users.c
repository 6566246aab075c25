#include "support/api_users.h"

#include <stdio.h>

gm_access *api_users_open(gm_api_options *options, const char *relationship)
{
    gm_error          err;
    gm_access_options o = { .alloc = gm_alloc_system(), .clock = options->clock, .engine = options->engine, .relationships = gm_str_of(relationship) };
    assert_gm_ok(gm_access_create(&o, &options->access, &err), err);
    return options->access;
}

void api_users_enter(api_plant *plant, gm_access *access, gm_user user, const char *scope, char *header)
{
    char     token[GM_TOKEN_TEXT + 1];
    gm_error err;
    if (scope != NULL) user.scopes[user.scope_count++] = gm_str_of(scope);
    assert_gm_ok(gm_access_add_user(access, &user, token, (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(plant->engine, &err), err);
    assert_in_range(snprintf(header, API_USER_HEADER, "Authorization: Bearer %s\r\n", token), 1, API_USER_HEADER - 1);
}
