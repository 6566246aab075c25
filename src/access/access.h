// access/access.h: who there is, and who is asking. Users and their tokens are a fold of the log; tokens of an identity
// provider are checked against configured keys (access/jwt.h); devices may show a certificate instead.
//
//   gm_access_create(&options, &access, &err);         // registers its folds: before gm_engine_recover
//   if (gm_access_required(access)) ...                // else anyone on an admitted address may do everything
//   gm_access_enter(access, token, &principal, &err);  // GM_OK: held by the caller
//   gm_access_destroy(access);                         // after whoever holds principals
//
// An opaque token is 32 random bytes; only its SHA-256 is kept, so neither log nor checkpoint gives a token away.
// Access is required from the first user on, and stays so when all are revoked.
#ifndef GM_ACCESS_ACCESS_H
#define GM_ACCESS_ACCESS_H

#include "access/jwt.h"
#include "access/principal.h"
#include "engine/engine.h"

typedef struct gm_access gm_access;

enum {
    GM_TOKEN_TEXT        = 49,    // "gemel_" and 43 characters
    GM_USER_NAME_MAX     = 128,   // bytes
    GM_USERS_MAX         = 100000,
    GM_USER_SCOPES_MAX   = 16,
    GM_AUDIT_KEPT        = 1000,  // records in memory; the log has them all
    GM_AUDIT_DETAIL_MAX  = 1024
};

typedef struct gm_access_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    bool            required;        // also without users
    gm_str          relationships;   // names that lead from a twin to those under it, separated by commas; "*": all. Copied
    uint32_t        rate;            // requests per second of one principal; 0: as many as he likes
    gm_jwt_keys    *jwt;             // NULL: none; taken
} gm_access_options;

GM_NODISCARD gm_status gm_access_create(const gm_access_options *options, gm_access **out_access, gm_error *err);
void                   gm_access_destroy(gm_access *access);  // NULL is allowed

bool gm_access_required(const gm_access *access);  // false for NULL

// Exchanges the keys for JWTs (taken). Those who came with a token of the old ones have to show theirs again.
void gm_access_set_jwt(gm_access *access, gm_jwt_keys *keys);

// ---- who is asking ------------------------------------------------------------------------------------------------
// GM_INVALID: the token is of nobody (unknown, revoked, expired, forged); err says why, as far as that may be told.
GM_NODISCARD gm_status gm_access_enter(gm_access *access, gm_str token, gm_principal **out_principal, gm_error *err);

// The name in a client's certificate that has been checked (gm_tls_peer): a user of that name. GM_INVALID: none.
GM_NODISCARD gm_status gm_access_enter_named(gm_access *access, gm_str name, gm_principal **out_principal, gm_error *err);

// ---- users --------------------------------------------------------------------------------------------------------
typedef struct gm_user {
    gm_str     name;
    gm_right   right;
    gm_str     scopes[GM_USER_SCOPES_MAX];  // ids of twins: he sees them and what is under them
    size_t     scope_count;
    gm_str     query;                       // he sees the twins it selects: SELECT * FROM DIGITALTWINS ...; may be empty
    uint32_t   rate;                        // requests per second; 0: as configured
    gm_time_ns since;                       // out only
    bool       revoked;                     // out only
} gm_user;

// Checks and submits; the token is valid once ask has been answered GM_OK. GM_CONFLICT: there is one of that name.
GM_NODISCARD gm_status gm_access_add_user(gm_access *access, const gm_user *user, char out_token[GM_TOKEN_TEXT + 1], gm_ask ask,
                                          gm_error *err);
// GM_NOTFOUND: there is none, or he is revoked already.
GM_NODISCARD gm_status gm_access_revoke(gm_access *access, gm_str name, gm_ask ask, gm_error *err);
size_t  gm_access_user_count(const gm_access *access);           // revoked ones are counted
gm_user gm_access_user(const gm_access *access, size_t i);       // in the order of adding; viewed until the next change

// ---- who changed what ---------------------------------------------------------------------------------------------
// Goes into the log right behind the change that was submitted last, in the same batch when there is room. Nothing is
// recorded while access is not required. what: "PATCH /digitaltwins/a"; detail: from where.
void gm_access_audit(gm_access *access, const gm_principal *who, gm_str what, gm_str detail);

typedef struct gm_audit { uint64_t sequence; gm_time_ns at; gm_str who, what, detail; } gm_audit;  // viewed
size_t   gm_access_audit_count(const gm_access *access);
gm_audit gm_access_audit_at(const gm_access *access, size_t i);  // 0 = newest
uint64_t gm_access_audit_lost(const gm_access *access);          // that could not be written, the log being full

#endif
