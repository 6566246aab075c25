// tests/support/doc.h: pages of docs/ as tests read them: their examples are run as they stand.
//
//   gm_doc doc;
//   gm_doc_open(&doc, "docs/futures.md");
//   while (gm_doc_next_command(&doc, &command)) ...      // "gemel what-if plant ...", from indented lines
//   gm_doc_rewind(&doc);
//   while (gm_doc_next_block(&doc, &info, &body)) ...    // ```json ... ```
//   gm_doc_close(&doc);
#ifndef GM_TESTS_SUPPORT_DOC_H
#define GM_TESTS_SUPPORT_DOC_H

#include "base/buf.h"

typedef struct gm_doc { gm_buf text, command; gm_str rest; } gm_doc;

void gm_doc_open(gm_doc *doc, const char *page);  // from the project's root; fails the test when it is not there
void gm_doc_rewind(gm_doc *doc);
void gm_doc_close(gm_doc *doc);

// The next block between fences. info: what stands behind the opening one. Both are views of the page.
bool gm_doc_next_block(gm_doc *doc, gm_str *out_info, gm_str *out_body);

// The next indented line that begins with "gemel ", with what follows a '\' at its end. A view until the next call.
bool gm_doc_next_command(gm_doc *doc, gm_str *out_command);

// Splits a command at blanks; quoted words ('...' or "...") keep theirs. Each "from" of the pairs that a word contains
// is replaced by its "to": pairs ends in NULL. Returns the words, NULL at their end; the caller frees with
// gm_doc_free_words.
char **gm_doc_words(gm_str command, const char *const *pairs);
void   gm_doc_free_words(char **words);

// Fails the test where a page's block of output is not what came out; blanks at the ends of lines aside, and what came after it.
void gm_doc_expect(gm_str expected, gm_str out);

#endif
