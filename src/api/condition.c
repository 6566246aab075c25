#include "api/condition.h"

#include "state/document.h"

typedef enum match { MATCHES, DIFFERS, MALFORMED } match;

// Does the list ("*", or W/"a", "b") name the tag? Tags are compared weakly: W/"a" and "a" are the same version.
static match compare(gm_str list, gm_str tag)
{
    list = gm_str_trim(list);
    if (gm_str_is(list, "*")) return MATCHES;
    tag             = gm_str_slice(tag, 2, tag.len);  // without W/
    match found = DIFFERS;
    gm_str  item;
    while (gm_str_next(&list, ',', &item)) {
        item = gm_str_trim(item);
        if (gm_str_starts(item, GM_STR("W/"))) item = gm_str_slice(item, 2, item.len);
        if (item.len < 2 || item.ptr[0] != '"' || item.ptr[item.len - 1] != '"') return MALFORMED;
        if (gm_str_eq(item, tag)) found = MATCHES;
    }
    return found;
}

bool gm_condition_holds(gm_request *request, uint64_t version, const char *what, gm_str id)
{
    char   text[GM_ETAG_TEXT] = "W/\"\"";
    gm_str if_match = gm_request_header(request, "if-match"), none = gm_request_header(request, "if-none-match");
    gm_str tag = { text, 4 };
    bool   there = version != GM_NO_VERSION;
    if (there) tag.len = gm_document_etag(version, text);
    if (if_match.ptr != NULL && if_match.len > 0) {
        match found = compare(if_match, tag);
        if (found == MALFORMED) {
            gm_reply_error(request, 400, "InvalidArgument",
                           "Invalid If-Match header value. Allowed value(s): If-Match: {etag} or If-Match: *");
            return false;
        }
        if (found == DIFFERS || !there) {
            gm_reply_error(request, 412, "PreconditionFailed",
                           "The %s '" GM_STR_FMT "' has changed: its ETag is not the one in the If-Match header.", what,
                           GM_STR_ARG(id));
            return false;
        }
    }
    if (none.ptr != NULL && none.len > 0) {
        match found = compare(none, tag);
        if (found == MALFORMED) {
            gm_reply_error(request, 400, "InvalidArgument",
                           "Invalid If-None-Match header value. Allowed value(s): If-None-Match: *");
            return false;
        }
        if (found == MATCHES && there) {
            gm_reply_error(request, 412, "PreconditionFailed",
                           "If-None-Match: %s header was specified but a %s with the id " GM_STR_FMT
                           " was found. Please specify a different %s id.",
                           gm_str_is(gm_str_trim(none), "*") ? "*" : "{etag}", what, GM_STR_ARG(id), what);
            return false;
        }
    }
    return true;
}

void gm_reply_etag(gm_request *request, uint64_t version)
{
    char text[GM_ETAG_TEXT];
    gm_document_etag(version, text);
    gm_reply_header(request, "ETag", "%s", text);
}

bool gm_etag_listed(gm_str list, const char *tag)
{
    gm_str item;
    while (list.ptr != NULL && gm_str_next(&list, ',', &item)) {
        item = gm_str_trim(item);
        if (gm_str_starts(item, GM_STR("W/"))) item = gm_str_slice(item, 2, item.len);
        if (gm_str_is(item, tag) || gm_str_is(item, "*")) return true;
    }
    return false;
}
