// api/paging.h: continuation tokens and nextLinks.
//
// A token is a position as hexadecimal digits with a check over it and what was asked, so that a token of another list,
// or one that was made up, is told from a real one. It is no secret.
#ifndef GM_API_PAGING_H
#define GM_API_PAGING_H

#include "api/request.h"

// The position that the `continuationToken` parameter carries; 0 when absent. False: replied 400.
//   list  what is being listed: the same text must be given when the token is made
GM_NODISCARD bool gm_page_position(gm_request *request, gm_str list, uint64_t *out_position);

// Appends ,"nextLink":"<path>?<query with the token>" : relative, every parameter of this request kept.
void gm_page_next(gm_request *request, gm_str list, uint64_t position);

// The same for another parameter of the position (history pages by time).
void gm_page_next_with(gm_request *request, const char *parameter, gm_str value);

#endif
