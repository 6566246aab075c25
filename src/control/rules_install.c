// Another set of rules, and what is kept in checkpoints. An instance goes on under new rules when its rule says word for word
// the same.
#include "control/rules_parts.h"

#include "base/bytes.h"

static const char WHERE[] = "control.rules";
enum { VERSION = 2 };  // 1 knew nothing of `again`

typedef struct kept {
    uint64_t   hash, firings;
    uint32_t   twin;
    gm_phase   phase;
    bool       suppressed;
    gm_time_ns since, begun, again;
    gm_str     name;
} kept;

static bool looks_at_properties(const gm_statement *s)
{
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_ast   *ast   = NULL;
    bool      looks = arena == NULL || gm_query_parse(arena, s->query_text, &ast, NULL) != GM_OK || ast->path_count > 0;
    gm_arena_destroy(arena);
    return looks;
}

static bool find(const gm_rules *rules, const kept *k, uint32_t *out)
{
    for (uint32_t i = k->twin < rules->twins ? rules->twin_instances[k->twin] : GM_NONE; i != GM_NONE; i = rules->instances[i].next_of_twin) {
        const gm_statement *rule = rules->instances[i].rule;
        if (rule->hash != k->hash || !gm_str_eq(rule->name, k->name)) continue;
        *out = i;
        return true;
    }
    return false;
}

static void restore(gm_rules *rules, const kept *k)
{
    uint32_t i;
    if (!find(rules, k, &i)) return;
    gm_instance *in = &rules->instances[i];
    in->firings     = k->firings;
    in->phase       = k->phase;
    in->suppressed  = k->suppressed;
    in->since       = k->since;
    in->begun       = k->begun;
    in->again       = k->again;
    in->when->since = k->begun;
    if (in->unless != NULL) in->unless->since = k->begun;
}

static void evaluate_all(gm_rules *rules, gm_time_ns now)
{
    for (uint32_t i = 0; i < rules->instance_count; i++) {
        if (rules->instances[i].rule != NULL) gm_rules_evaluate(rules, i, now);
    }
}

gm_status gm_rules_install(gm_rules *rules, gm_rulebook *book, gm_time_ns at, uint64_t sequence, gm_error *err)
{
    if (at > rules->now) rules->now = at;
    rules->sequence = sequence;
    size_t n    = 0;
    kept  *keep = gm_alloc_array(rules->alloc, rules->live + 1, sizeof *keep);
    bool  *by   = gm_alloc_zeroed(rules->alloc, book->count + 1);
    if (keep == NULL || by == NULL) {
        gm_free(rules->alloc, keep);
        gm_free(rules->alloc, by);
        gm_rulebook_destroy(book);
        return gm_fail(err, GM_NOMEM, WHERE, "changing rules");
    }
    for (size_t i = 0; i < rules->instance_count; i++) {
        const gm_instance *in = &rules->instances[i];
        if (in->rule != NULL) keep[n++] = (kept){ in->rule->hash, in->firings, in->twin, in->phase, in->suppressed, in->since, in->begun, in->again, in->rule->name };
    }
    gm_rulebook *old = rules->book;
    gm_rules_drop_all(rules);
    gm_free(rules->alloc, rules->about);
    gm_free(rules->alloc, rules->by_property);
    rules->about       = NULL;
    rules->about_types = 0;
    rules->by_property = by;
    rules->book        = book;
    for (size_t s = 0; s < book->count; s++) by[s] = looks_at_properties(book->items[s]);
    gm_status st = gm_rules_scan(rules, err);
    for (size_t i = 0; st == GM_OK && i < n; i++) restore(rules, &keep[i]);
    if (st == GM_OK) evaluate_all(rules, rules->now);
    gm_free(rules->alloc, keep);
    gm_rulebook_destroy(old);
    return st;
}

// ---- checkpoints --------------------------------------------------------------------------------------------------

void gm_rules_save(const gm_rules *rules, gm_buf *out)
{
    gm_buf_varint(out, VERSION);
    gm_buf_svarint(out, rules->now);
    gm_buf_varint(out, rules->live);
    for (size_t i = 0; i < rules->instance_count; i++) {
        const gm_instance *in = &rules->instances[i];
        if (in->rule == NULL) continue;
        gm_buf_varint(out, in->rule->hash);
        gm_buf_text_of(out, in->rule->name);
        gm_buf_varint(out, in->twin);
        gm_buf_varint(out, (uint64_t)in->phase << 1 | in->suppressed);
        gm_buf_varint(out, in->firings);
        gm_buf_svarint(out, in->since);
        gm_buf_svarint(out, in->begun);
        gm_buf_svarint(out, in->again);
    }
    gm_buf_varint(out, rules->firing_count);
    for (size_t i = 0; i < rules->firing_count; i++) {
        const gm_firing *f = &rules->firings[i];
        gm_buf_text_of(out, f->rule);
        gm_buf_text_of(out, f->twin);
        gm_buf_varint(out, f->number);
        gm_buf_varint(out, f->sequence);
        gm_buf_svarint(out, f->at);
        gm_buf_varint(out, f->turn);
        gm_buf_varint(out, f->todo);
    }
}

static gm_status load_firing(gm_rules *rules, gm_bytes *in, gm_error *err)
{
    gm_firing f = { .instance = GM_NONE, .rule = gm_bytes_text(in) };
    f.twin      = gm_bytes_text(in);
    f.number    = gm_bytes_varint(in);
    f.sequence  = gm_bytes_varint(in);
    f.at        = gm_bytes_svarint(in);
    uint64_t turn = gm_bytes_varint(in);
    f.todo      = (uint32_t)gm_bytes_varint(in) & ((1u << GM_ACTIONS_MAX) - 1);
    f.turn      = (gm_turn)turn;
    if (in->bad || f.todo == 0 || turn > GM_TURN_AGAIN) return gm_fail(err, GM_CORRUPT, WHERE, "the firings of rules end in the middle");
    f.memory = gm_alloc_bytes(rules->alloc, f.rule.len + f.twin.len);
    if (f.memory == NULL || !gm_alloc_reserve(rules->alloc, &rules->firings, &rules->firing_capacity, rules->firing_count + 1, sizeof *rules->firings)) {
        gm_free(rules->alloc, f.memory);
        return gm_fail(err, GM_NOMEM, WHERE, "loading rules");
    }
    if (f.rule.len > 0) memcpy(f.memory, f.rule.ptr, f.rule.len);
    if (f.twin.len > 0) memcpy(f.memory + f.rule.len, f.twin.ptr, f.twin.len);
    f.rule = (gm_str){ f.memory, f.rule.len };
    f.twin = (gm_str){ f.memory + f.rule.len, f.twin.len };
    rules->firings[rules->firing_count++] = f;
    return GM_OK;
}

gm_status gm_rules_load(gm_rules *rules, const uint8_t *bytes, size_t size, gm_error *err)
{
    while (rules->firing_count > 0) gm_free(rules->alloc, rules->firings[--rules->firing_count].memory);
    if (size == 0) return GM_OK;
    gm_bytes in      = { .at = bytes, .end = bytes + size };
    uint64_t version = gm_bytes_varint(&in);
    if (version < 1 || version > VERSION) return gm_fail(err, GM_CORRUPT, WHERE, "rules of a version that is not known");
    rules->now = gm_bytes_svarint(&in);
    for (uint64_t n = gm_bytes_varint(&in); n > 0 && !in.bad; n--) {
        // One statement each: the order of calls inside an initialiser is the compiler's to choose.
        kept k          = { .hash = gm_bytes_varint(&in) };
        k.name          = gm_bytes_text(&in);
        k.twin          = (uint32_t)gm_bytes_varint(&in);
        uint64_t packed = gm_bytes_varint(&in);
        k.phase         = (gm_phase)(packed >> 1 & 3);
        k.suppressed    = packed & 1;
        k.firings       = gm_bytes_varint(&in);
        k.since         = gm_bytes_svarint(&in);
        k.begun         = gm_bytes_svarint(&in);
        k.again         = version >= 2 ? gm_bytes_svarint(&in) : k.since;
        if (!in.bad) restore(rules, &k);
    }
    gm_status st = GM_OK;
    for (uint64_t n = in.bad ? 0 : gm_bytes_varint(&in); st == GM_OK && n > 0 && !in.bad; n--) st = load_firing(rules, &in, err);
    if (st == GM_OK && in.bad) return gm_fail(err, GM_CORRUPT, WHERE, "rules end in the middle");
    // Waking times are not kept: they follow from the state. Nothing fires by it that had not fired.
    for (uint32_t i = 0; i < rules->instance_count; i++) {
        if (rules->instances[i].rule == NULL) continue;
        rules->instances[i].wake = rules->now;
        gm_rules_queue(rules, i);
    }
    return st;
}
