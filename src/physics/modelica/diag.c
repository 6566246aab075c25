#include "physics/modelica/diag.h"

#include <stdio.h>

const gm_source *gm_source_at(const gm_sources *sources, gm_place at, uint32_t *out_line, uint32_t *out_column)
{
    *out_line = *out_column = 0;
    if (sources == NULL || at == 0) return NULL;
    uint32_t low = 0, high = sources->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sources->items[middle].first <= at) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return NULL;
    const gm_source *source = &sources->items[low - 1];
    size_t           offset = at - source->first;
    if (offset > source->text.len) return NULL;
    uint32_t line = 1;
    size_t   start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (source->text.ptr[i] != '\n') continue;
        line++;
        start = i + 1;
    }
    *out_line   = line;
    *out_column = (uint32_t)(offset - start) + 1;
    return source;
}

void gm_diags_init(gm_diags *diags, const gm_alloc *alloc)
{
    *diags        = (gm_diags){ .arena = gm_arena_create(alloc, 0) };
    diags->failed = diags->arena == NULL;
}

void gm_diags_finish(gm_diags *diags)
{
    gm_arena_destroy(diags->arena);
    *diags = (gm_diags){ 0 };
}

static gm_str line_around(const gm_source *source, size_t offset)
{
    size_t start = offset, end = offset;
    while (start > 0 && source->text.ptr[start - 1] != '\n') start--;
    while (end < source->text.len && source->text.ptr[end] != '\n' && source->text.ptr[end] != '\r') end++;
    return gm_str_slice(source->text, start, end);
}

// Room for one more; false when it is one too many or memory is refused.
static bool make_room(gm_diags *diags, gm_severity severity)
{
    if (severity == GM_SEVERITY_ERROR) diags->errors++;
    if (severity == GM_SEVERITY_WARNING) diags->warnings++;
    if (diags->failed) return false;
    if (diags->count >= GM_DIAGS_MAX) {
        // Notes and warnings must not crowd out the first error: without one nobody learns why the model is refused.
        if (severity != GM_SEVERITY_ERROR || diags->errors > GM_DIAGS_MAX) {
            diags->dropped++;
            return false;
        }
    }
    if (diags->count < diags->capacity) return true;
    uint32_t capacity = diags->capacity > 0 ? diags->capacity * 2 : 8;
    gm_diag *grown    = GM_ARENA_NEW(diags->arena, gm_diag, capacity);
    if (grown == NULL) {
        diags->failed = true;
        return false;
    }
    if (diags->count > 0) memcpy(grown, diags->items, diags->count * sizeof *grown);
    diags->items    = grown;
    diags->capacity = capacity;
    return true;
}

static bool is_known(const gm_diags *diags, const gm_diag *diag)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const gm_diag *other = &diags->items[i];
        if (other->line == diag->line && other->column == diag->column && gm_str_eq(other->file, diag->file) &&
            gm_str_eq(other->text, diag->text)) {
            return true;
        }
    }
    return false;
}

void gm_diags_add_list(gm_diags *diags, const gm_sources *sources, gm_severity severity, gm_place at, uint32_t length,
                       const char *fmt, va_list args)
{
    char text[600];
    int  len = vsnprintf(text, sizeof text, fmt, args);
    if (len < 0) len = 0;
    if ((size_t)len >= sizeof text) len = (int)sizeof text - 1;

    gm_diag          diag   = { .severity = severity, .text = { text, (size_t)len }, .length = length };
    const gm_source *source = gm_source_at(sources, at, &diag.line, &diag.column);
    if (source != NULL) {
        diag.file   = source->file;
        diag.source = line_around(source, at - source->first);
    }
    if (is_known(diags, &diag) || !make_room(diags, severity)) return;
    diag.text   = gm_arena_str(diags->arena, diag.text);
    diag.file   = gm_arena_str(diags->arena, diag.file);
    diag.source = gm_arena_str(diags->arena, gm_str_slice(diag.source, 0, 400));
    if (diag.text.ptr == NULL || diag.file.ptr == NULL || diag.source.ptr == NULL) {
        diags->failed = true;
        return;
    }
    diags->items[diags->count++] = diag;
}

void gm_diags_add(gm_diags *diags, const gm_sources *sources, gm_severity severity, gm_place at, uint32_t length,
                  const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(diags, sources, severity, at, length, fmt, args);
    va_end(args);
}

static const char *severity_text(gm_severity severity)
{
    return severity == GM_SEVERITY_ERROR ? "error" : severity == GM_SEVERITY_WARNING ? "warning" : "note";
}

// The line with its tabs as spaces, and below it the caret.
static void write_source(const gm_diag *diag, gm_buf *out)
{
    gm_buf_printf(out, "%5u | ", diag->line);
    for (size_t i = 0; i < diag->source.len; i++) {
        char c = diag->source.ptr[i];
        gm_buf_byte(out, (uint8_t)((unsigned char)c < ' ' || c == 0x7f ? ' ' : c));
    }
    gm_buf_text(out, "\n      | ");
    size_t column = diag->column - 1, length = diag->length > 0 ? diag->length : 1;
    for (size_t i = 0; i < column && i < diag->source.len; i++) {
        // A character of several bytes is one column on the screen.
        if (((unsigned char)diag->source.ptr[i] & 0xc0) != 0x80) gm_buf_byte(out, ' ');
    }
    gm_buf_byte(out, '^');
    for (size_t i = 1; i < length && column + i < diag->source.len; i++) {
        if (((unsigned char)diag->source.ptr[column + i] & 0xc0) != 0x80) gm_buf_byte(out, '~');
    }
    gm_buf_byte(out, '\n');
}

void gm_diags_write(const gm_diags *diags, gm_buf *out)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const gm_diag *diag = &diags->items[i];
        if (diag->line > 0) {
            gm_buf_printf(out, GM_STR_FMT ":%u:%u: ", GM_STR_ARG(diag->file), diag->line, diag->column);
        }
        gm_buf_printf(out, "%s: " GM_STR_FMT "\n", severity_text(diag->severity), GM_STR_ARG(diag->text));
        if (diag->line > 0) write_source(diag, out);
    }
    if (diags->dropped > 0) gm_buf_printf(out, "and %u more\n", diags->dropped);
}

gm_status gm_diags_fail(const gm_diags *diags, gm_error *err)
{
    if (diags->failed) return gm_fail(err, GM_NOMEM, "physics.modelica", "memory was refused while writing messages");
    for (uint32_t i = 0; i < diags->count; i++) {
        const gm_diag *diag = &diags->items[i];
        if (diag->severity != GM_SEVERITY_ERROR) continue;
        if (diag->line == 0) return gm_fail(err, GM_INVALID, "physics.modelica", GM_STR_FMT, GM_STR_ARG(diag->text));
        return gm_fail_at(err, GM_INVALID, "physics.modelica", diag->line, diag->column,
                          GM_STR_FMT ":%u:%u: " GM_STR_FMT, GM_STR_ARG(diag->file), diag->line, diag->column,
                          GM_STR_ARG(diag->text));
    }
    return gm_fail(err, GM_INVALID, "physics.modelica", "the model has errors");
}
