// The chain. Invariants: (1) `tip` is the hash of the decision submitted last, `head` of the one folded last; (2) decisions
// reach the log in the order of their hashes, since one thread submits them; (3) what waits goes before what is new.
#include "control/journal.h"

#include "base/bytes.h"

#include <assert.h>
#include <gnutls/crypto.h>

static const char WHERE[] = "control.journal";

typedef struct waiting { gm_change_kind kind; char *texts; uint32_t id_len, what_len, text_len; } waiting;

enum { KINDS = GM_CHANGE_RULE_DONE - GM_CHANGE_RULES + 1 };

struct gm_journal {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_chain        tip, head;
    bool            begun;     // tip has been set from head
    uint64_t        count, broken, lost;
    struct { gm_journal_fold *fold; void *context; } owners[KINDS];
    void          (*seen)(void *context, const gm_decision *decision);
    void           *seen_context;
    waiting        *waiting;
    size_t          waiting_count, waiting_capacity;
    gm_buf          text;
};

// ---- hashing ------------------------------------------------------------------------------------------------------

static void hash_text(gnutls_hash_hd_t hash, gm_str text)
{
    uint8_t size[8];
    gm_put_u64(size, text.len);
    gnutls_hash(hash, size, sizeof size);
    if (text.len > 0) gnutls_hash(hash, text.ptr, text.len);
}

static bool chain(const gm_chain *previous, gm_change_kind kind, gm_str id, gm_str what, gm_str text, gm_chain *out)
{
    gnutls_hash_hd_t hash;
    uint8_t          byte = (uint8_t)kind;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0) return false;
    gnutls_hash(hash, previous->bytes, GM_CHAIN_BYTES);
    gnutls_hash(hash, &byte, 1);
    hash_text(hash, id);
    hash_text(hash, what);
    hash_text(hash, text);
    gnutls_hash_deinit(hash, out->bytes);
    return true;
}

void gm_chain_text(const gm_chain *c, char out[GM_CHAIN_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < GM_CHAIN_BYTES; i++) {
        out[2 * i]     = digits[c->bytes[i] >> 4];
        out[2 * i + 1] = digits[c->bytes[i] & 15];
    }
    out[2 * GM_CHAIN_BYTES] = '\0';
}

bool gm_journal_read(const gm_record *record, const gm_change *change, gm_decision *out)
{
    if (!gm_journal_is(change->kind) || change->text.len < GM_CHAIN_PREFIX) return false;
    *out = (gm_decision){ .sequence = record->sequence, .at = record->ingest, .kind = change->kind, .id = change->id,
                          .what = change->name, .text = gm_str_slice(change->text, GM_CHAIN_PREFIX, change->text.len) };
    return true;
}

void gm_audit_check_add(gm_audit_check *check, const gm_record *record, const gm_change *change)
{
    gm_decision d;
    gm_chain    previous, said, is;
    if (check->broken != 0 || !gm_journal_is(change->kind)) return;
    if (!gm_journal_read(record, change, &d)) {
        check->broken = record->sequence;
        check->why    = GM_STR("it is too short to be a decision");
        return;
    }
    memcpy(previous.bytes, change->text.ptr, GM_CHAIN_BYTES);
    memcpy(said.bytes, change->text.ptr + GM_CHAIN_BYTES, GM_CHAIN_BYTES);
    bool follows = !check->begun || memcmp(previous.bytes, check->head.bytes, GM_CHAIN_BYTES) == 0;
    bool fits    = chain(&previous, d.kind, d.id, d.what, d.text, &is) && memcmp(is.bytes, said.bytes, GM_CHAIN_BYTES) == 0;
    if (!follows || !fits) {
        check->broken = record->sequence;
        check->why    = !fits ? GM_STR("what it says does not fit its hash") : GM_STR("a decision before it is missing or was altered");
    }
    if (!check->begun) check->first = record->sequence;
    check->begun = true;
    check->head  = said;
    check->last  = record->sequence;
    check->count++;
}

// ---- folding ------------------------------------------------------------------------------------------------------

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_journal    *journal = context;
    gm_decision    decision;
    gm_audit_check check = { .head = journal->head, .begun = journal->count > 0 };
    if (!gm_journal_read(record, change, &decision)) return gm_fail(err, GM_CORRUPT, WHERE, "a decision of %zu bytes", change->text.len);
    gm_audit_check_add(&check, record, change);
    if (check.broken != 0 && journal->broken == 0) journal->broken = check.broken;
    journal->head = check.head;
    journal->count++;
    gm_journal_fold *owner = journal->owners[change->kind - GM_CHANGE_RULES].fold;
    gm_status st = owner != NULL ? owner(journal->owners[change->kind - GM_CHANGE_RULES].context, &decision, err) : GM_OK;
    if (journal->seen != NULL) journal->seen(journal->seen_context, &decision);
    return st;
}

static void save(void *context, gm_buf *out)
{
    const gm_journal *journal = context;
    gm_buf_varint(out, journal->count);
    gm_buf_varint(out, journal->broken);
    gm_buf_add(out, journal->head.bytes, GM_CHAIN_BYTES);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_journal *journal = context;
    gm_bytes    in      = { .at = bytes, .end = bytes + size };
    journal->head       = (gm_chain){ 0 };
    journal->count      = size > 0 ? gm_bytes_varint(&in) : 0;
    journal->broken     = size > 0 ? gm_bytes_varint(&in) : 0;
    const uint8_t *head = size > 0 ? gm_bytes_take(&in, GM_CHAIN_BYTES) : NULL;
    if (head != NULL) memcpy(journal->head.bytes, head, GM_CHAIN_BYTES);
    return in.bad ? gm_fail(err, GM_CORRUPT, WHERE, "the chain of decisions ends in the middle") : GM_OK;
}

gm_status gm_journal_create(const gm_alloc *alloc, gm_engine *engine, gm_journal **out, gm_error *err)
{
    gm_journal *journal = gm_alloc_zeroed(alloc, sizeof *journal);
    *out                = journal;
    if (journal == NULL) return gm_fail(err, GM_NOMEM, WHERE, "making the journal of decisions");
    journal->alloc  = alloc;
    journal->engine = engine;
    journal->text   = gm_buf_init(alloc);
    for (int kind = GM_CHANGE_RULES; kind <= GM_CHANGE_RULE_DONE; kind++) gm_engine_fold(engine, (gm_change_kind)kind, fold, journal);
    gm_engine_keep(engine, &(gm_keeper){ "control.journal", journal, save, load });
    return GM_OK;
}

void gm_journal_destroy(gm_journal *journal)
{
    if (journal == NULL) return;
    for (size_t i = 0; i < journal->waiting_count; i++) gm_free(journal->alloc, journal->waiting[i].texts);
    gm_free(journal->alloc, journal->waiting);
    gm_buf_finish(&journal->text);
    gm_free(journal->alloc, journal);
}

void gm_journal_own(gm_journal *journal, gm_change_kind kind, gm_journal_fold *call, void *context)
{
    assert(gm_journal_is(kind) && journal->owners[kind - GM_CHANGE_RULES].fold == NULL);
    journal->owners[kind - GM_CHANGE_RULES].fold    = call;
    journal->owners[kind - GM_CHANGE_RULES].context = context;
}

void gm_journal_watch(gm_journal *journal, void (*seen)(void *context, const gm_decision *decision), void *context)
{
    journal->seen         = seen;
    journal->seen_context = context;
}

gm_chain gm_journal_head(const gm_journal *journal, uint64_t *out_count, uint64_t *out_broken)
{
    *out_count  = journal->count;
    *out_broken = journal->broken;
    return journal->head;
}

uint64_t gm_journal_lost(const gm_journal *journal) { return journal->lost; }

// ---- writing ------------------------------------------------------------------------------------------------------

static gm_status submit(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text, gm_ask ask, gm_error *err)
{
    gm_chain next;
    if (!journal->begun) journal->tip = journal->head;
    journal->begun = true;
    if (!chain(&journal->tip, kind, id, what, text, &next)) return gm_fail(err, GM_NOMEM, WHERE, "hashing a decision");
    gm_buf_clear(&journal->text);
    gm_buf_add(&journal->text, journal->tip.bytes, GM_CHAIN_BYTES);
    gm_buf_add(&journal->text, next.bytes, GM_CHAIN_BYTES);
    gm_buf_str(&journal->text, text);
    if (journal->text.failed) return gm_fail(err, GM_NOMEM, WHERE, "writing a decision");
    gm_status st = gm_engine_submit(journal->engine, kind, 0, id, what, gm_buf_view(&journal->text), ask, err);
    if (st == GM_OK) journal->tip = next;  // keeps (1)
    return st;
}

gm_status gm_journal_write(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text, gm_ask ask, gm_error *err)
{
    if (journal->waiting_count > 0) return gm_fail(err, GM_LIMIT, WHERE, "earlier decisions wait for the log");  // keeps (3)
    return submit(journal, kind, id, what, text, ask, err);
}

static void write_waiting(void *context)
{
    gm_journal *journal = context;
    gm_error    err;
    size_t      n = 0;
    for (; n < journal->waiting_count; n++) {
        const waiting *w  = &journal->waiting[n];
        gm_str         id = { w->texts, w->id_len }, what = { w->texts + w->id_len, w->what_len };
        gm_str         text = { w->texts + w->id_len + w->what_len, w->text_len };
        gm_status      st   = submit(journal, w->kind, id, what, text, (gm_ask){ 0 }, &err);
        if (st == GM_LIMIT || st == GM_NOMEM) break;
        if (st != GM_OK) journal->lost++;
        gm_free(journal->alloc, w->texts);
    }
    memmove(journal->waiting, journal->waiting + n, (journal->waiting_count - n) * sizeof *journal->waiting);
    journal->waiting_count -= n;
    if (journal->waiting_count > 0) (void)!gm_engine_later(journal->engine, write_waiting, journal, &err);
}

void gm_journal_tick(gm_journal *journal)
{
    if (journal->waiting_count > 0) write_waiting(journal);
}

size_t gm_journal_waiting(const gm_journal *journal) { return journal->waiting_count; }

static bool wait_for_room(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text)
{
    gm_error err;
    char    *texts = gm_alloc_bytes(journal->alloc, id.len + what.len + text.len);
    if (texts == NULL || journal->waiting_count == GM_JOURNAL_WAITING_MAX ||
        !gm_alloc_reserve(journal->alloc, &journal->waiting, &journal->waiting_capacity, journal->waiting_count + 1, sizeof *journal->waiting)) {
        gm_free(journal->alloc, texts);
        return false;
    }
    if (id.len > 0) memcpy(texts, id.ptr, id.len);
    if (what.len > 0) memcpy(texts + id.len, what.ptr, what.len);
    if (text.len > 0) memcpy(texts + id.len + what.len, text.ptr, text.len);
    journal->waiting[journal->waiting_count++] = (waiting){ kind, texts, (uint32_t)id.len, (uint32_t)what.len, (uint32_t)text.len };
    return journal->waiting_count > 1 || gm_engine_later(journal->engine, write_waiting, journal, &err) == GM_OK;
}

void gm_journal_post(gm_journal *journal, gm_change_kind kind, gm_str id, gm_str what, gm_str text)
{
    gm_error  err;
    gm_status st = journal->waiting_count > 0 ? GM_LIMIT : submit(journal, kind, id, what, text, (gm_ask){ 0 }, &err);
    if ((st == GM_LIMIT || st == GM_NOMEM) && wait_for_room(journal, kind, id, what, text)) return;
    if (st != GM_OK) journal->lost++;
}
