// access/internal.h: inside of access/: what a principal is, and which file does what.
#ifndef GM_ACCESS_INTERNAL_H
#define GM_ACCESS_INTERNAL_H

#include "access/access.h"
#include "base/index.h"
#include "query/query.h"

enum { GM_HASH_BYTES = 32, GM_JWT_CACHE = 256, GM_RELATIONSHIPS_MAX = 16 };

typedef struct gm_hash { uint8_t bytes[GM_HASH_BYTES]; } gm_hash;  // SHA-256
bool gm_hash_of(gm_str text, gm_hash *out_hash);                   // false: the library refused

// What one is kept to. Everything is owned.
typedef struct gm_scope {
    bool      scoped;
    char     *twins[GM_USER_SCOPES_MAX];
    size_t    twin_count;
    gm_query *query;          // NULL: none
    uint64_t  made_for;       // the plant's structure that bits stand for; 0: none yet
    uint64_t *bits;
    gm_fence  fence;
} gm_scope;

struct gm_principal {
    gm_access *access;
    uint32_t   references;
    char      *name;
    gm_right   right;
    bool       revoked;
    gm_time_ns ends;          // 0: never
    gm_time_ns since;
    gm_hash    token;         // of users
    char      *text;          // of users: the record's JSON
    gm_scope   scope;
    uint32_t   rate;          // a second; 0: unbounded
    double     saved;         // requests he may still make at once
    gm_dur_ns  counted;       // monotonic: when saved was right
};

typedef struct gm_audit_entry {
    uint64_t   sequence;
    gm_time_ns at;
    char      *texts;         // who, what, detail, one after the other
    uint32_t   who_len, what_len, detail_len;
} gm_audit_entry;

typedef struct gm_jwt_entry { gm_hash token; gm_principal *principal; } gm_jwt_entry;

struct gm_access {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    bool            required;
    uint32_t        rate;
    char           *relationships;
    gm_jwt_keys    *jwt;
    gm_jwt_entry    seen[GM_JWT_CACHE];  // verified tokens, by their hash; the newest of a slot stays

    gm_principal  **users;               // in the order of adding; a name appears once
    size_t          user_count, user_capacity;
    gm_index        by_name, by_token;
    uint64_t        structure;           // rises with every change that may move somebody's fence

    gm_audit_entry  audit[GM_AUDIT_KEPT];
    size_t          audit_newest, audit_count;
    gm_audit_entry *waiting;             // for room in the log, the oldest first
    size_t          waiting_count, waiting_capacity;
    uint64_t        lost;
};

// principal.c
gm_principal *gm_principal_make(gm_access *access, gm_str name, gm_right right);  // one reference; NULL: refused
GM_NODISCARD gm_status gm_principal_set_scope(gm_principal *principal, const gm_str *twins, size_t count, gm_str query,
                                              gm_error *err);

// audit.c
gm_status gm_audit_fold(void *context, const gm_record *record, const gm_change *change, gm_error *err);
void      gm_audit_save(const gm_access *access, gm_buf *out);
struct gm_bytes;
gm_status gm_audit_load(gm_access *access, struct gm_bytes *in, gm_error *err);
void      gm_audit_finish(gm_access *access);

#endif
