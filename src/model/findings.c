#include "model/findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

gm_status gm_collector_init(gm_collector *to, const gm_alloc *alloc, gm_error *err)
{
    *to = (gm_collector){ .alloc = alloc, .arena = gm_arena_create(alloc, 0) };
    return to->arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "model", "no room for findings");
}

void gm_collector_finish(gm_collector *to)
{
    gm_arena_destroy(to->arena);
    gm_free(to->alloc, to->items);
    *to = (gm_collector){ .alloc = to->alloc };
}

static gm_str rule_id(gm_arena *arena, const char *rule)
{
    const char *prefix = rule[0] == ':' ? "dtmi:gemel:parsingError" : "dtmi:dtdl:parsingError:";
    return gm_arena_printf(arena, "%s%s", prefix, rule);
}

bool gm_collector_wants(gm_collector *to)
{
    if (to->failed) return false;
    if (to->count < GM_FINDINGS_MAX) return true;
    to->dropped++;
    return false;
}

static gm_finding *next_item(gm_collector *to, const gm_document *document)
{
    if (!gm_collector_wants(to)) return NULL;
    if (!gm_alloc_reserve(to->alloc, &to->items, &to->capacity, to->count + 1, sizeof *to->items)) {
        to->failed = true;
        return NULL;
    }
    to->items[to->count] = (gm_collected){ .document = document, .order = to->count };
    return &to->items[to->count].finding;
}

static void keep(gm_collector *to, const gm_finding *item)
{
    if (item->rule.ptr == NULL || item->pointer.ptr == NULL || item->text.ptr == NULL || item->file.ptr == NULL ||
        item->dtmi.ptr == NULL) {
        to->failed = true;
        return;
    }
    to->count++;
}

void gm_collect(gm_collector *to, const char *rule, gm_document *document, const gm_json *node, gm_str dtmi,
                const char *fmt, ...)
{
    gm_finding *item = next_item(to, document);
    if (item == NULL) return;
    char    text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);

    *item = (gm_finding){
        .rule = rule_id(to->arena, rule),
        .dtmi = gm_arena_str(to->arena, dtmi),
        .file = gm_arena_str(to->arena, document->file),
        .text = gm_arena_str(to->arena, gm_str_of(text)),
    };
    gm_buf pointer = gm_buf_init(to->alloc);
    gm_json_pointer(node, NULL, &pointer);
    item->pointer = gm_arena_str(to->arena, gm_buf_view(&pointer));
    if (pointer.failed) item->pointer.ptr = NULL;
    gm_buf_finish(&pointer);

    if (document->lines.places == NULL &&
        gm_json_lines_build(to->arena, document->text, &document->lines, NULL) != GM_OK) {
        to->failed = true;
        return;
    }
    gm_json_position(&document->lines, node != NULL ? node->key_start : 0, &item->line, &item->column);
    keep(to, item);
}

void gm_collect_error(gm_collector *to, const char *rule, const gm_document *document, const gm_error *err)
{
    gm_finding *item = next_item(to, document);
    if (item == NULL) return;
    *item = (gm_finding){
        .rule    = rule_id(to->arena, rule),
        .dtmi    = gm_arena_str(to->arena, GM_STR("")),
        .pointer = gm_arena_str(to->arena, GM_STR("")),
        .file    = gm_arena_str(to->arena, document->file),
        .line    = err->line,
        .column  = err->column,
        .text    = gm_arena_str(to->arena, gm_str_of(err->text)),
    };
    keep(to, item);
}

// Documents lie in one array, in the order in which they were given.
static int by_place(const void *a, const void *b)
{
    const gm_collected *x = a, *y = b;
    if (x->document != y->document) return x->document < y->document ? -1 : 1;
    if (x->finding.line != y->finding.line) return x->finding.line < y->finding.line ? -1 : 1;
    if (x->finding.column != y->finding.column) return x->finding.column < y->finding.column ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

gm_status gm_collector_take(gm_collector *from, gm_findings *out_findings, gm_error *err)
{
    *out_findings = (gm_findings){0};
    if (from->failed) return gm_fail(err, GM_NOMEM, "model", "no room for findings");
    if (from->count == 0) return GM_OK;
    gm_finding *items = gm_arena_zeroed(from->arena, from->count, sizeof *items);
    if (items == NULL) return gm_fail(err, GM_NOMEM, "model", "no room for findings");
    qsort(from->items, from->count, sizeof *from->items, by_place);
    for (size_t i = 0; i < from->count; i++) items[i] = from->items[i].finding;
    *out_findings = (gm_findings){ .items = items, .count = from->count, .memory = from->arena };
    from->arena   = NULL;
    gm_collector_finish(from);
    return GM_OK;
}

void gm_findings_finish(gm_findings *findings)
{
    if (findings == NULL) return;
    gm_arena_destroy(findings->memory);
    *findings = (gm_findings){0};
}
