// What can be asked of the facts.
#include "thread/internal.h"

static const fact_line *line_of(const gm_thread *t, gm_str twin, gm_phase phase, gm_str key)
{
    bool     place = gm_str_is(key, GM_KEY_INSTALLED);
    uint32_t id    = gm_thread_find_line(t, twin, place ? PLACE : (uint8_t)phase, key);
    return id != NO_LINE ? &t->lines[id] : NULL;
}

// The row that holds at (valid, known), what was taken back left out.
static bool holds(const gm_thread *t, const fact_line *l, gm_time_ns valid, gm_time_ns known, uint32_t *out_row, gm_fact *out)
{
    gm_time_ns to;
    *out_row = gm_line_at(t, l, gm_line_known(t, l, known), valid, &to);
    if (*out_row == NO_ROW) return false;
    gm_thread_fact(t, *out_row, out);
    return out->value.kind != GM_FACT_NONE;
}

bool gm_thread_read(const gm_thread *t, gm_str twin, gm_phase phase, gm_str key, gm_time_ns valid, gm_time_ns known, gm_fact *out)
{
    const fact_line *l = line_of(t, twin, phase, key);
    uint32_t    number;
    return l != NULL && holds(t, l, valid, known, &number, out);
}

bool gm_thread_knows(const gm_thread *t, const gm_fact *fact)
{
    const fact_line *l = line_of(t, fact->twin, fact->phase, fact->key);
    for (gm_time_ns at = fact->from, end; at < fact->to; at = end) {
        gm_fact  held = { .value = { .kind = GM_FACT_NONE } };
        uint32_t row  = NO_ROW;
        end           = INT64_MAX;
        if (l != NULL) row = gm_line_at(t, l, l->count, at, &end);
        if (row != NO_ROW) gm_thread_fact(t, row, &held);
        if (!gm_fact_same(&held.value, &fact->value) || end <= at) return false;
    }
    return true;
}

void gm_thread_show(const gm_thread *t, gm_str twin, gm_phase phase, gm_time_ns valid, gm_time_ns known, gm_thread_each *each, void *context)
{
    uint32_t id = gm_index_find(&t->name_index, twin), number;
    gm_fact  fact;
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE; at != NO_LINE; at = t->lines[at].next) {
        const fact_line *l = &t->lines[at];
        if (phase != GM_PHASE_COUNT && l->phase != PLACE && l->phase != (uint8_t)phase) continue;
        if (!holds(t, l, valid, known, &number, &fact) || (phase != GM_PHASE_COUNT && fact.phase != phase)) continue;
        if (!each(context, &fact)) return;
    }
}

// The stretches of one line; false: each has had enough.
static bool each_stretch(const gm_thread *t, const fact_line *l, gm_phase phase, gm_time_ns known, gm_thread_each *each, void *context)
{
    gm_fact    fact;
    gm_time_ns to;
    uint32_t   n = gm_line_known(t, l, known);
    for (gm_time_ns at = INT64_MIN; n > 0; at = to) {
        gm_time_ns from = at;
        uint32_t   row  = gm_line_at(t, l, n, at, &to);
        // Where others begin within it without a hold of their own, it goes on.
        while (to != INT64_MAX && row != NO_ROW) {
            gm_time_ns further;
            if (gm_line_at(t, l, n, to, &further) != row) break;
            to = further;
        }
        if (row != NO_ROW) {
            gm_thread_fact(t, row, &fact);
            fact.from = from > fact.from ? from : fact.from;
            fact.to   = to < fact.to ? to : fact.to;
            if (fact.value.kind != GM_FACT_NONE && (phase == GM_PHASE_COUNT || fact.phase == phase) && !each(context, &fact)) return false;
        }
        if (to == INT64_MAX) return true;
    }
    return true;
}

void gm_thread_stretches(const gm_thread *t, gm_str twin, gm_phase phase, gm_time_ns known, gm_thread_each *each, void *context)
{
    uint32_t id = gm_index_find(&t->name_index, twin);
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE; at != NO_LINE; at = t->lines[at].next) {
        if (!each_stretch(t, &t->lines[at], phase, known, each, context)) return;
    }
}

void gm_thread_history(const gm_thread *t, gm_str twin, gm_str key, gm_time_ns known, gm_thread_each *each, void *context)
{
    uint32_t id = gm_index_find(&t->name_index, twin);
    gm_fact  fact;
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].lines : NO_LINE; at != NO_LINE; at = t->lines[at].next) {
        const fact_line *l = &t->lines[at];
        if (key.len > 0 && !gm_str_eq(t->names[l->key].text, key)) continue;
        uint32_t n = gm_line_known(t, l, known);
        for (uint32_t i = 0; i < n; i++) {
            gm_thread_fact(t, gm_line_row(l, i), &fact);
            if (!each(context, &fact)) return;
        }
    }
}

void gm_thread_mentions(const gm_thread *t, gm_str part, gm_str key_prefix, gm_mention which, gm_time_ns valid, gm_time_ns known,
                        gm_thread_each *each, void *context)
{
    uint32_t   id = gm_index_find(&t->name_index, part);
    gm_fact    fact;
    gm_time_ns to;
    for (uint32_t at = id != GM_INDEX_NONE ? t->names[id].mentions : NO_ROW; at != NO_ROW; at = t->rows[at].next) {
        const fact_row *r = &t->rows[at];
        const fact_line *l = &t->lines[r->line];
        if (r->known > known || !gm_str_starts(t->names[l->key].text, key_prefix)) continue;
        if (which == GM_MENTION_HOLDS && (valid < r->from || valid >= r->to || gm_line_at(t, l, gm_line_known(t, l, known), valid, &to) != at)) continue;
        gm_thread_fact(t, at, &fact);
        if (!each(context, &fact)) return;
    }
}

static bool has_facts(const gm_thread *t, uint32_t id)
{
    for (uint32_t at = t->names[id].lines; at != NO_LINE; at = t->lines[at].next) {
        if (t->lines[at].count > 0) return true;
    }
    return false;
}

bool gm_thread_next_twin(const gm_thread *t, uint32_t *at, gm_str *out_id)
{
    while (*at < t->name_count) {
        uint32_t id = (*at)++;
        if (!has_facts(t, id)) continue;
        *out_id = t->names[id].text;
        return true;
    }
    return false;
}

bool gm_thread_has(const gm_thread *t, gm_str twin)
{
    uint32_t id = gm_index_find(&t->name_index, twin);
    return id != GM_INDEX_NONE && (t->names[id].mentions != NO_ROW || has_facts(t, id));
}

void gm_thread_documents(const gm_thread *t, bool (*each)(void *context, gm_str hash), void *context)
{
    gm_fact fact;
    for (uint32_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].line == NO_LINE) continue;
        gm_thread_fact(t, i, &fact);
        if (fact.value.kind == GM_FACT_DOCUMENT && !each(context, fact.value.text)) return;
    }
}

typedef struct naming { gm_str hash; bool found; } naming;

static bool is_it(void *context, gm_str hash)
{
    naming *n = context;
    n->found  = gm_str_eq(hash, n->hash);
    return !n->found;
}

bool gm_thread_names_document(const gm_thread *t, gm_str hash)
{
    naming n = { .hash = hash };
    gm_thread_documents(t, is_it, &n);
    return n.found;
}

gm_thread_stats gm_thread_statistics(const gm_thread *t)
{
    gm_thread_stats s = { .facts = t->facts, .lines = t->line_count, .names = t->name_count, .bytes = sizeof *t };
    s.bytes += t->name_capacity * sizeof *t->names + t->row_capacity * sizeof *t->rows + t->line_capacity * sizeof *t->lines + t->block_bytes;
    s.bytes += gm_index_bytes(&t->name_index) + gm_index_bytes(&t->line_index);
    for (size_t i = 0; i < t->line_count; i++) {
        const fact_line *l = &t->lines[i];
        s.bytes += l->capacity * sizeof *l->many + (l->time != NULL ? gm_timeline_bytes(l->time) : 0);
    }
    return s;
}
