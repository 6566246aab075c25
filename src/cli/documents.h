// cli/documents.h: walks the JSON documents inside a file without losing their line numbers: the lines of newline JSON,
// the elements of an array, the members of an object.
//
//   gm_documents walk = gm_documents_lines(text);
//   while (gm_documents_next(&walk, &document)) ...document.text, document.line...
//
// Arrays and objects must be well-formed (ask the JSON parser first); a malformed one ends the walk early.
#ifndef GM_CLI_DOCUMENTS_H
#define GM_CLI_DOCUMENTS_H

#include "base/str.h"

typedef struct gm_document {
    gm_str   key, text;
    uint32_t line;
} gm_document; // key: of an object's member, with its quotes

typedef struct gm_documents {
    gm_str   text;
    size_t   at;
    uint32_t line;
    enum { GM_DOCUMENTS_LINES, GM_DOCUMENTS_ARRAY, GM_DOCUMENTS_OBJECT } kind;
} gm_documents;

gm_documents gm_documents_lines(gm_str text);                       // empty lines are left out
gm_documents gm_documents_elements(gm_str text, uint32_t line);     // text begins with '[' (space before it is allowed)
gm_documents gm_documents_members(gm_str text, uint32_t line);      // text begins with '{'

bool gm_documents_next(gm_documents *walk, gm_document *out_document);

#endif
