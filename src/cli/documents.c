#include "cli/documents.h"

gm_documents gm_documents_lines(gm_str text)
{
    return (gm_documents){ .text = text, .line = 1, .kind = GM_DOCUMENTS_LINES };
}

static void skip_space(gm_documents *walk)
{
    for (; walk->at < walk->text.len; walk->at++) {
        char c = walk->text.ptr[walk->at];
        if (c == '\n') walk->line++;
        else if (c != ' ' && c != '\t' && c != '\r') return;
    }
}

static gm_documents inside(gm_str text, uint32_t line, char bracket)
{
    gm_documents walk = { .text = text,
                          .line = line,
                          .kind = bracket == '[' ? GM_DOCUMENTS_ARRAY : GM_DOCUMENTS_OBJECT };
    skip_space(&walk);
    if (walk.at < text.len && text.ptr[walk.at] == bracket) walk.at++;
    else walk.at = text.len;
    return walk;
}

gm_documents gm_documents_elements(gm_str text, uint32_t line) { return inside(text, line, '['); }
gm_documents gm_documents_members(gm_str text, uint32_t line) { return inside(text, line, '{'); }

// Passes one value: up to the comma, colon or bracket that ends it at its own depth.
static gm_str take_value(gm_documents *walk)
{
    size_t start = walk->at, depth = 0;
    bool   in_string = false;
    for (; walk->at < walk->text.len; walk->at++) {
        char c = walk->text.ptr[walk->at];
        if (c == '\n') walk->line++;
        if (in_string) {
            if (c == '\\') walk->at++;
            else if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        else if (c == '[' || c == '{') depth++;
        else if (depth == 0 && (c == ',' || c == ':' || c == ']' || c == '}')) break;
        else if (c == ']' || c == '}') depth--;
    }
    if (walk->at > walk->text.len) walk->at = walk->text.len;
    return gm_str_trim(gm_str_slice(walk->text, start, walk->at));
}

static bool next_line(gm_documents *walk, gm_document *out)
{
    while (walk->at < walk->text.len) {
        gm_str rest = gm_str_slice(walk->text, walk->at, walk->text.len);
        size_t end  = gm_str_find_char(rest, '\n');
        gm_str line = gm_str_slice(rest, 0, end);
        *out        = (gm_document){ .text = gm_str_trim(line), .line = walk->line };
        walk->at += end == SIZE_MAX ? rest.len : end + 1;
        walk->line++;
        if (out->text.len > 0) return true;
    }
    return false;
}

bool gm_documents_next(gm_documents *walk, gm_document *out_document)
{
    if (walk->kind == GM_DOCUMENTS_LINES) return next_line(walk, out_document);
    *out_document = (gm_document){0};
    skip_space(walk);
    if (walk->at < walk->text.len && walk->text.ptr[walk->at] == ',') {
        walk->at++;
        skip_space(walk);
    }
    if (walk->at >= walk->text.len || walk->text.ptr[walk->at] == ']' || walk->text.ptr[walk->at] == '}') return false;
    out_document->line = walk->line;
    gm_str value       = take_value(walk);
    if (walk->kind == GM_DOCUMENTS_OBJECT) {
        if (walk->at >= walk->text.len || walk->text.ptr[walk->at] != ':') return false;
        out_document->key = value;
        walk->at++;
        skip_space(walk);
        out_document->line = walk->line;
        value              = take_value(walk);
    }
    out_document->text = value;
    return value.len > 0;
}
