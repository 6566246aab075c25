// The audit trail: a ring of the newest records, and those that wait for room in the log.
#include "access/internal.h"
#include "base/bytes.h"

enum { WAITING_MAX = 10000 };

static gm_status fill(gm_access *access, gm_audit_entry *entry, gm_str who, gm_str what, gm_str detail, gm_error *err)
{
    char *texts = gm_alloc_bytes(access->alloc, who.len + what.len + detail.len);
    if (texts == NULL) return gm_fail(err, GM_NOMEM, "access.audit", "keeping an audit record");
    if (who.len > 0) memcpy(texts, who.ptr, who.len);
    if (what.len > 0) memcpy(texts + who.len, what.ptr, what.len);
    if (detail.len > 0) memcpy(texts + who.len + what.len, detail.ptr, detail.len);
    *entry = (gm_audit_entry){ .texts = texts, .who_len = (uint32_t)who.len, .what_len = (uint32_t)what.len,
                               .detail_len = (uint32_t)detail.len };
    return GM_OK;
}

static gm_audit view(const gm_audit_entry *e)
{
    return (gm_audit){ .sequence = e->sequence, .at = e->at, .who = { e->texts, e->who_len },
                       .what = { e->texts + e->who_len, e->what_len },
                       .detail = { e->texts + e->who_len + e->what_len, e->detail_len } };
}

// ---- the fold -----------------------------------------------------------------------------------------------------

static gm_status keep(gm_access *access, uint64_t sequence, gm_time_ns at, gm_str who, gm_str what, gm_str detail, gm_error *err)
{
    gm_audit_entry entry;
    gm_status      st = fill(access, &entry, who, what, detail, err);
    if (st != GM_OK) return st;
    entry.sequence       = sequence;
    entry.at             = at;
    access->audit_newest = (access->audit_newest + 1) % GM_AUDIT_KEPT;
    gm_free(access->alloc, access->audit[access->audit_newest].texts);
    access->audit[access->audit_newest] = entry;
    if (access->audit_count < GM_AUDIT_KEPT) access->audit_count++;
    return GM_OK;
}

gm_status gm_audit_fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    return keep(context, record->sequence, record->ingest, change->id, change->name, change->text, err);
}

void gm_audit_save(const gm_access *access, gm_buf *out)
{
    gm_buf_varint(out, access->audit_count);
    for (size_t i = access->audit_count; i-- > 0;) {
        gm_audit a = gm_access_audit_at(access, i);
        gm_buf_varint(out, a.sequence);
        gm_buf_svarint(out, a.at);
        gm_buf_text_of(out, a.who);
        gm_buf_text_of(out, a.what);
        gm_buf_text_of(out, a.detail);
    }
}

gm_status gm_audit_load(gm_access *access, gm_bytes *in, gm_error *err)
{
    access->audit_count = 0;
    for (uint64_t n = gm_bytes_varint(in); n > 0 && !in->bad; n--) {
        uint64_t   sequence = gm_bytes_varint(in);
        gm_time_ns at       = gm_bytes_svarint(in);
        gm_str     who = gm_bytes_text(in), what = gm_bytes_text(in), detail = gm_bytes_text(in);
        gm_status  st = in->bad ? GM_OK : keep(access, sequence, at, who, what, detail, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

void gm_audit_finish(gm_access *access)
{
    for (size_t i = 0; i < GM_AUDIT_KEPT; i++) gm_free(access->alloc, access->audit[i].texts);
    for (size_t i = 0; i < access->waiting_count; i++) gm_free(access->alloc, access->waiting[i].texts);
    gm_free(access->alloc, access->waiting);
}

// ---- writing ------------------------------------------------------------------------------------------------------

static gm_status submit(gm_access *access, gm_str who, gm_str what, gm_str detail)
{
    gm_error err;
    return gm_engine_submit(access->engine, GM_CHANGE_AUDIT, 0, who, what, detail, (gm_ask){ 0 }, &err);
}

static void write_waiting(void *context)
{
    gm_access *access = context;
    size_t     n      = 0;
    for (; n < access->waiting_count; n++) {
        gm_audit  a  = view(&access->waiting[n]);
        gm_status st = submit(access, a.who, a.what, a.detail);
        if (st == GM_LIMIT) break;
        if (st != GM_OK) access->lost++;
        gm_free(access->alloc, access->waiting[n].texts);
    }
    memmove(access->waiting, access->waiting + n, (access->waiting_count - n) * sizeof *access->waiting);
    access->waiting_count -= n;
    gm_error err;
    if (access->waiting_count > 0) (void)!gm_engine_later(access->engine, write_waiting, access, &err);
}

void gm_access_audit(gm_access *access, const gm_principal *who, gm_str what, gm_str detail)
{
    gm_error err;
    if (!gm_access_required(access)) return;
    gm_str name = gm_principal_name(who);
    what        = gm_str_slice(what, 0, GM_AUDIT_DETAIL_MAX);
    detail      = gm_str_slice(detail, 0, GM_AUDIT_DETAIL_MAX);
    gm_status st = access->waiting_count > 0 ? GM_LIMIT : submit(access, name, what, detail);
    if (st == GM_OK) return;
    // The batch is full: the record follows with the next one, in order.
    if (st != GM_LIMIT || access->waiting_count == WAITING_MAX ||
        !gm_alloc_reserve(access->alloc, &access->waiting, &access->waiting_capacity, access->waiting_count + 1,
                          sizeof *access->waiting) ||
        fill(access, &access->waiting[access->waiting_count], name, what, detail, &err) != GM_OK) {
        access->lost++;
        return;
    }
    if (access->waiting_count++ == 0) (void)!gm_engine_later(access->engine, write_waiting, access, &err);
}

size_t   gm_access_audit_count(const gm_access *access) { return access->audit_count; }
uint64_t gm_access_audit_lost(const gm_access *access) { return access->lost; }

gm_audit gm_access_audit_at(const gm_access *access, size_t i)
{
    return view(&access->audit[(access->audit_newest + GM_AUDIT_KEPT - i) % GM_AUDIT_KEPT]);
}
