// tests/support/page.h: a page of docs/ beside a served copy of an example, so that its commands mean something.
//
//   gm_page_open(&page, "docs/rollups.md", "pumphouse");      // the copy: page.plant; may be changed now
//   gm_page_serve(&page);                                     // $GEMEL_HTTP names it
//   assert_int_equal(gm_page_run(&page, pairs, "waterworks"), 4);
//   GM_EXPECT(1, "there is no roll-up", "rollup", "nothing");
//   return gm_page_close(&page);
#ifndef GM_TESTS_SUPPORT_PAGE_H
#define GM_TESTS_SUPPORT_PAGE_H

#include "support/doc.h"
#include "support/program.h"

typedef struct gm_page { char dir[256], plant[400]; gm_doc doc; gm_served *server; } gm_page;

void gm_page_open(gm_page *page, const char *doc, const char *example);
void gm_page_serve(gm_page *page);
int  gm_page_close(gm_page *page);  // the server's exit code

// Runs every command of the page, with the pairs of gm_doc_words replaced; each must end with 0 and print `says` (NULL: anything).
// Returns how many there were.
int gm_page_run(gm_page *page, const char *const *pairs, const char *says);

#endif
