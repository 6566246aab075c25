// Users and entering. Invariants: (1) by_name knows every user, also revoked ones, by_token only those who may enter;
// (2) what a record says has passed check_user before it was submitted, and is checked again when it is folded, since
// the log may be of another version.
#include "access/internal.h"

#include "base/base64url.h"
#include "base/bytes.h"
#include "base/utf8.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

enum { TOKEN_BYTES = 32, VERSION = 1, ARENA_MAX = 1 << 20 };
#define PREFIX "gemel_"

bool gm_hash_of(gm_str text, gm_hash *out_hash)
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, text.ptr, text.len, out_hash->bytes) >= 0;
}

// ---- the list -----------------------------------------------------------------------------------------------------

static bool same_name(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(gm_str_of(((const gm_access *)owner)->users[id]->name), key);
}

// The index compares hashes of hashes; the tokens' hashes themselves are compared in constant time.
static bool same_token(const void *owner, uint32_t id, gm_str key)
{
    return key.len == GM_HASH_BYTES &&
           gnutls_memcmp(((const gm_access *)owner)->users[id]->token.bytes, key.ptr, GM_HASH_BYTES) == 0;
}

static gm_str key_of(const gm_hash *hash) { return (gm_str){ (const char *)hash->bytes, GM_HASH_BYTES }; }

static gm_principal *find_user(const gm_access *access, gm_str name)
{
    uint32_t i = gm_index_find(&access->by_name, name);
    return i != GM_INDEX_NONE ? access->users[i] : NULL;
}

// ---- records ------------------------------------------------------------------------------------------------------

static gm_str text_of(const json_t *text) { return (gm_str){ json_string_value(text), json_string_length(text) }; }

// {"token":"<sha-256>","twins":[...],"query":"...","rate":N} becomes what the principal is kept to.
static gm_status read_details(gm_access *access, gm_principal *p, gm_str text, gm_error *err)
{
    json_error_t why;
    json_t      *details = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    const json_t *twins  = json_object_get(details, "twins");
    gm_str        hash = text_of(json_object_get(details, "token")), query = text_of(json_object_get(details, "query"));
    gm_str        ids[GM_USER_SCOPES_MAX];
    size_t        n = 0, count = json_array_size(twins);
    gm_status     st = GM_OK;
    if (hash.len != GM_BASE64URL_LEN(GM_HASH_BYTES) || !gm_base64url_decode(hash, p->token.bytes, &n) || n != GM_HASH_BYTES ||
        count > GM_USER_SCOPES_MAX) {
        st = gm_fail(err, GM_CORRUPT, "access", "a user's record does not parse");
    }
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        ids[i] = text_of(json_array_get(twins, i));
        if (ids[i].ptr == NULL) st = gm_fail(err, GM_CORRUPT, "access", "a user's record does not parse");
    }
    if (st == GM_OK && (count > 0 || query.len > 0)) st = gm_principal_set_scope(p, ids, count, query, err);
    json_int_t rate = json_integer_value(json_object_get(details, "rate"));
    p->rate         = rate > 0 && rate <= UINT32_MAX ? (uint32_t)rate : access->rate;
    json_decref(details);
    return st;
}

static gm_status make_user(gm_access *access, gm_time_ns since, gm_str name, gm_str role, gm_str details,
                           gm_principal **out_user, gm_error *err)
{
    gm_right      right = gm_right_of_role(role);
    gm_principal *p     = gm_principal_make(access, name, right);
    *out_user           = p;
    if (p == NULL) return gm_fail(err, GM_NOMEM, "access", "keeping a user");
    p->since      = since;
    p->text       = gm_alloc_bytes(access->alloc, details.len + 1);
    gm_status st  = p->text != NULL ? read_details(access, p, details, err) : gm_fail(err, GM_NOMEM, "access", "keeping a user");
    if (right == GM_RIGHT_NONE) st = gm_fail(err, GM_CORRUPT, "access", "a user's record names an unknown role");
    if (st == GM_OK) {
        memcpy(p->text, details.ptr, details.len);
        p->text[details.len] = '\0';
        return GM_OK;
    }
    gm_principal_release(p);
    *out_user = NULL;
    return st;
}

static gm_status put_user(gm_access *access, gm_principal *user, gm_error *err)
{
    gm_str   name = gm_str_of(user->name);
    uint32_t at   = gm_index_find(&access->by_name, name);
    if (!gm_alloc_reserve(access->alloc, &access->users, &access->user_capacity, access->user_count + 1, sizeof *access->users) ||
        gm_index_reserve(&access->by_name, 1) != GM_OK || gm_index_reserve(&access->by_token, 1) != GM_OK) {
        return gm_fail(err, GM_NOMEM, "access", "keeping a user");
    }
    if (at != GM_INDEX_NONE) {  // one who was revoked comes back with another token
        gm_principal_release(access->users[at]);
    } else {
        at = (uint32_t)access->user_count++;
    }
    access->users[at] = user;
    if (gm_index_find(&access->by_name, name) == GM_INDEX_NONE) (void)!gm_index_add(&access->by_name, name, at);
    if (!user->revoked) (void)!gm_index_add(&access->by_token, key_of(&user->token), at);
    return GM_OK;
}

static gm_status fold_user(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_access    *access = context;
    gm_principal *before = find_user(access, change->id), *user;
    if (before != NULL && !before->revoked) return gm_fail(err, GM_CONFLICT, "access", "there is a user of that name already");
    gm_status st = make_user(access, record->ingest, change->id, change->name, change->text, &user, err);
    if (st != GM_OK) return st;
    st = put_user(access, user, err);
    if (st != GM_OK) gm_principal_release(user);
    return st;
}

static gm_status fold_revoke(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record;
    gm_access    *access = context;
    gm_principal *user   = find_user(access, change->id);
    if (user == NULL || user->revoked) return gm_fail(err, GM_CONFLICT, "access", "there is no such user any more");
    gm_index_remove(&access->by_token, key_of(&user->token));
    user->revoked = true;  // whoever holds it sees that
    // His name is not to come in with a token of the identity provider either.
    for (size_t i = 0; i < GM_JWT_CACHE; i++) {
        gm_principal *p = access->seen[i].principal;
        if (p != NULL && strcmp(p->name, user->name) == 0) p->revoked = true;
    }
    return GM_OK;
}

static void save(void *context, gm_buf *out)
{
    const gm_access *access = context;
    gm_buf_byte(out, VERSION);
    gm_buf_varint(out, access->user_count);
    for (size_t i = 0; i < access->user_count; i++) {
        const gm_principal *p = access->users[i];
        gm_buf_text_of(out, gm_str_of(p->name));
        gm_buf_text_of(out, gm_str_of(gm_right_role(p->right)));
        gm_buf_text_of(out, gm_str_of(p->text));
        gm_buf_svarint(out, p->since);
        gm_buf_byte(out, p->revoked);
    }
    gm_audit_save(access, out);
}

static void forget_users(gm_access *access)
{
    for (size_t i = 0; i < access->user_count; i++) {
        access->users[i]->revoked = true;
        gm_principal_release(access->users[i]);
    }
    access->user_count = 0;
    gm_index_finish(&access->by_name);
    gm_index_finish(&access->by_token);
    access->by_name  = gm_index_init(access->alloc, same_name, access);
    access->by_token = gm_index_init(access->alloc, same_token, access);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_access *access = context;
    gm_bytes   in     = { .at = bytes, .end = bytes + size };
    forget_users(access);
    access->audit_count = 0;
    if (size == 0) return GM_OK;
    if (gm_bytes_byte(&in) != VERSION) return gm_fail(err, GM_CORRUPT, "access", "users in a format of another version");
    for (uint64_t n = gm_bytes_varint(&in); n > 0 && !in.bad; n--) {
        gm_str        name = gm_bytes_text(&in), role = gm_bytes_text(&in), text = gm_bytes_text(&in);
        gm_time_ns    since   = gm_bytes_svarint(&in);
        bool          revoked = gm_bytes_byte(&in) != 0;
        gm_principal *user;
        if (in.bad || find_user(access, name) != NULL) break;
        gm_status st = make_user(access, since, name, role, text, &user, err);
        if (st == GM_OK) {
            user->revoked = revoked;
            st            = put_user(access, user, err);
            if (st != GM_OK) gm_principal_release(user);
        }
        if (st != GM_OK) return st;
    }
    gm_status st = gm_audit_load(access, &in, err);
    if (st != GM_OK) return st;
    return in.bad || gm_bytes_left(&in) > 0 ? gm_fail(err, GM_CORRUPT, "access", "the users do not parse") : GM_OK;
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    (void)record;
    gm_access *access = context;
    switch (change->kind) {
    case GM_CHANGE_TWIN_PUT:
    case GM_CHANGE_TWIN_DELETE:
    case GM_CHANGE_RELATIONSHIP_PUT:
    case GM_CHANGE_RELATIONSHIP_DELETE: access->structure++; break;
    default: break;
    }
}

gm_status gm_access_create(const gm_access_options *options, gm_access **out_access, gm_error *err)
{
    *out_access       = NULL;
    gm_access *access = gm_alloc_zeroed(options->alloc, sizeof *access);
    if (access == NULL) {
        gm_jwt_keys_destroy(options->jwt);
        return gm_fail(err, GM_NOMEM, "access", "starting");
    }
    *access = (gm_access){ .alloc = options->alloc, .clock = options->clock, .engine = options->engine,
                           .required = options->required, .rate = options->rate, .jwt = options->jwt, .structure = 1,
                           .by_name  = gm_index_init(options->alloc, same_name, access),
                           .by_token = gm_index_init(options->alloc, same_token, access) };
    access->relationships = gm_alloc_bytes(options->alloc, options->relationships.len + 1);
    gm_status st          = access->relationships != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "access", "starting");
    if (st == GM_OK) {
        memcpy(access->relationships, options->relationships.ptr, options->relationships.len);
        access->relationships[options->relationships.len] = '\0';
        st = gm_engine_observe(options->engine, observe, access, err);
    }
    if (st != GM_OK) {
        gm_access_destroy(access);
        return st;
    }
    gm_engine_fold(options->engine, GM_CHANGE_USER, fold_user, access);
    gm_engine_fold(options->engine, GM_CHANGE_USER_REVOKE, fold_revoke, access);
    gm_engine_fold(options->engine, GM_CHANGE_AUDIT, gm_audit_fold, access);
    gm_engine_keep(options->engine, &(gm_keeper){ "access", access, save, load });
    *out_access = access;
    return GM_OK;
}

static void forget_seen(gm_access *access)
{
    for (size_t i = 0; i < GM_JWT_CACHE; i++) {
        if (access->seen[i].principal == NULL) continue;
        access->seen[i].principal->revoked = true;
        gm_principal_release(access->seen[i].principal);
        access->seen[i] = (gm_jwt_entry){ .principal = NULL };
    }
}

void gm_access_destroy(gm_access *access)
{
    if (access == NULL) return;
    forget_seen(access);
    forget_users(access);
    gm_audit_finish(access);
    gm_jwt_keys_destroy(access->jwt);
    gm_free(access->alloc, access->users);
    gm_free(access->alloc, access->relationships);
    gm_free(access->alloc, access);
}

bool gm_access_required(const gm_access *access)
{
    return access != NULL && (access->required || access->user_count > 0 || access->jwt != NULL);
}

void gm_access_set_jwt(gm_access *access, gm_jwt_keys *keys)
{
    forget_seen(access);
    gm_jwt_keys_destroy(access->jwt);
    access->jwt = keys;
}

// ---- entering -----------------------------------------------------------------------------------------------------

static gm_status unknown(gm_error *err)
{
    return gm_fail(err, GM_INVALID, "access", "the token is none that is known here, or has been revoked");
}

static gm_status principal_of(gm_access *access, const gm_jwt_claims *claims, gm_principal **out_principal, gm_error *err)
{
    gm_right right = GM_RIGHT_NONE;
    for (size_t i = 0; i < claims->role_count; i++) {
        gm_right one = gm_right_of_role(claims->roles[i]);
        if (one > right) right = one;
    }
    if (right == GM_RIGHT_NONE) return gm_fail(err, GM_INVALID, "access", "the token names no role that is known here");
    gm_principal *user = find_user(access, claims->subject);
    if (user != NULL && user->revoked) return unknown(err);
    gm_principal *p = gm_principal_make(access, claims->subject, right);
    if (p == NULL) return gm_fail(err, GM_NOMEM, "access", "checking a token");
    p->ends      = claims->ends;
    gm_status st = GM_OK;
    if (claims->scoped) st = gm_principal_set_scope(p, claims->scopes, claims->scope_count, (gm_str){ 0 }, err);
    if (st != GM_OK) {
        gm_principal_release(p);
        return st;
    }
    *out_principal = p;
    return GM_OK;
}

// A signature costs up to a tenth of a millisecond to check, so a token is checked once.
// LIMIT: two tokens in one slot of the cache take turns, and with it their rate starts anew.
static gm_status enter_signed(gm_access *access, const gm_hash *hash, gm_str token, gm_principal **out_principal, gm_error *err)
{
    gm_jwt_entry *slot = &access->seen[hash->bytes[0] % GM_JWT_CACHE];
    if (slot->principal != NULL && gnutls_memcmp(slot->token.bytes, hash->bytes, GM_HASH_BYTES) == 0) {
        if (!gm_principal_valid(slot->principal)) return gm_fail(err, GM_INVALID, "access", "the token has expired or was revoked");
        *out_principal = gm_principal_hold(slot->principal);
        return GM_OK;
    }
    gm_jwt_claims claims;
    gm_arena     *arena = gm_arena_create(access->alloc, ARENA_MAX);
    gm_status     st    = arena == NULL ? gm_fail(err, GM_NOMEM, "access", "checking a token")
                                        : gm_jwt_verify(access->jwt, token, gm_now(access->clock), arena, &claims, err);
    if (st == GM_OK) st = principal_of(access, &claims, out_principal, err);
    gm_arena_destroy(arena);
    if (st != GM_OK) return st;
    gm_principal_release(slot->principal);
    *slot = (gm_jwt_entry){ .token = *hash, .principal = gm_principal_hold(*out_principal) };
    return GM_OK;
}

gm_status gm_access_enter(gm_access *access, gm_str token, gm_principal **out_principal, gm_error *err)
{
    gm_hash hash;
    *out_principal = NULL;
    if (token.len == 0 || token.len > GM_JWT_TOKEN_MAX) return unknown(err);
    if (!gm_hash_of(token, &hash)) return gm_fail(err, GM_NOMEM, "access", "checking a token");
    if (access->jwt != NULL && gm_jwt_looks_like(token)) return enter_signed(access, &hash, token, out_principal, err);
    uint32_t i = gm_index_find(&access->by_token, key_of(&hash));
    if (i == GM_INDEX_NONE) return unknown(err);
    *out_principal = gm_principal_hold(access->users[i]);
    return GM_OK;
}

gm_status gm_access_enter_named(gm_access *access, gm_str name, gm_principal **out_principal, gm_error *err)
{
    gm_principal *user = find_user(access, name);
    *out_principal     = NULL;
    if (user == NULL || user->revoked) {
        return gm_fail(err, GM_INVALID, "access", "the certificate's name '" GM_STR_FMT "' is no user here",
                       GM_STR_ARG(gm_str_slice(name, 0, 100)));
    }
    *out_principal = gm_principal_hold(user);
    return GM_OK;
}

// ---- users --------------------------------------------------------------------------------------------------------

static gm_status check_user(const gm_access *access, const gm_user *user, gm_error *err)
{
    bool printable = user->name.len > 0 && user->name.len <= GM_USER_NAME_MAX && gm_utf8_valid(user->name);
    for (size_t i = 0; i < user->name.len; i++) printable = printable && (uint8_t)user->name.ptr[i] >= 0x20 && user->name.ptr[i] != 0x7f;
    if (!printable) return gm_fail(err, GM_INVALID, "access", "a user's name has 1 to %d printable bytes", GM_USER_NAME_MAX);
    if (user->right == GM_RIGHT_NONE) return gm_fail(err, GM_INVALID, "access", "the role is reader, operator, engineer or admin");
    if (user->right == GM_RIGHT_ADMIN && (user->scope_count > 0 || user->query.len > 0)) {
        return gm_fail(err, GM_INVALID, "access", "an admin has no scope: he can add users without one");
    }
    if (user->scope_count > GM_USER_SCOPES_MAX) {
        return gm_fail(err, GM_INVALID, "access", "a scope has at most %d twins", GM_USER_SCOPES_MAX);
    }
    if (access->user_count >= GM_USERS_MAX) return gm_fail(err, GM_INVALID, "access", "there are %d users already", GM_USERS_MAX);
    gm_principal *there = find_user(access, user->name);
    if (there != NULL && !there->revoked) {
        return gm_fail(err, GM_CONFLICT, "access", "there is a user '" GM_STR_FMT "' already; revoke it first to give it another token",
                       GM_STR_ARG(user->name));
    }
    return GM_OK;
}

static char *write_details(const gm_user *user, const gm_hash *hash)
{
    char    text[GM_BASE64URL_LEN(GM_HASH_BYTES)];
    json_t *details = json_object(), *twins = json_array();
    gm_base64url_encode(hash->bytes, GM_HASH_BYTES, text);
    json_object_set_new(details, "token", json_stringn(text, sizeof text));
    for (size_t i = 0; i < user->scope_count; i++) json_array_append_new(twins, json_stringn(user->scopes[i].ptr, user->scopes[i].len));
    if (user->scope_count > 0) json_object_set(details, "twins", twins);
    if (user->query.len > 0) json_object_set_new(details, "query", json_stringn(user->query.ptr, user->query.len));
    if (user->rate > 0) json_object_set_new(details, "rate", json_integer(user->rate));
    char *dumped = json_dumps(details, JSON_COMPACT);
    json_decref(twins);
    json_decref(details);
    return dumped;
}

gm_status gm_access_add_user(gm_access *access, const gm_user *user, char out_token[GM_TOKEN_TEXT + 1], gm_ask ask, gm_error *err)
{
    uint8_t   secret[TOKEN_BYTES];
    gm_hash   hash;
    gm_status st = check_user(access, user, err);
    if (st != GM_OK) return st;
    if (gnutls_rnd(GNUTLS_RND_KEY, secret, sizeof secret) < 0) return gm_fail(err, GM_IO, "access", "the system gives no random bytes");
    memcpy(out_token, PREFIX, sizeof PREFIX - 1);
    gm_base64url_encode(secret, sizeof secret, out_token + sizeof PREFIX - 1);
    out_token[GM_TOKEN_TEXT] = '\0';
    gnutls_memset(secret, 0, sizeof secret);
    if (!gm_hash_of(gm_str_of(out_token), &hash)) return gm_fail(err, GM_NOMEM, "access", "adding a user");

    // Made once beforehand: what can not be folded must not get into the log.
    char         *details = write_details(user, &hash);
    gm_principal *trial   = NULL;
    gm_str        role    = gm_str_of(gm_right_role(user->right));
    st = details != NULL ? make_user(access, 0, user->name, role, gm_str_of(details), &trial, err)
                         : gm_fail(err, GM_INVALID, "access", "a scope is valid UTF-8");
    gm_principal_release(trial);
    if (st == GM_OK) st = gm_engine_submit(access->engine, GM_CHANGE_USER, 0, user->name, role, gm_str_of(details), ask, err);
    free(details);
    return st;
}

gm_status gm_access_revoke(gm_access *access, gm_str name, gm_ask ask, gm_error *err)
{
    gm_principal *user = find_user(access, name);
    if (user == NULL || user->revoked) {
        return gm_fail(err, GM_NOTFOUND, "access", "there is no user '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 100)));
    }
    return gm_engine_submit(access->engine, GM_CHANGE_USER_REVOKE, 0, name, (gm_str){ 0 }, (gm_str){ 0 }, ask, err);
}

size_t gm_access_user_count(const gm_access *access) { return access->user_count; }

gm_user gm_access_user(const gm_access *access, size_t i)
{
    const gm_principal *p = access->users[i];
    gm_user             u = { .name = gm_str_of(p->name), .right = p->right, .scope_count = p->scope.twin_count, .rate = p->rate,
                              .since = p->since, .revoked = p->revoked };
    for (size_t k = 0; k < p->scope.twin_count; k++) u.scopes[k] = gm_str_of(p->scope.twins[k]);
    if (p->scope.query != NULL) u.query = gm_query_text(p->scope.query);
    return u;
}
