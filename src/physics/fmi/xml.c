#include "physics/fmi/xml.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>

xmlDocPtr gm_xml_parse(gm_xml_reader *r, gm_str text, const char *root_name)
{
    // What libxml2 thinks of the text is kept for the message.
    xmlParserCtxtPtr context = xmlNewParserCtxt();
    if (context == NULL) {
        gm_xml_no_memory(r);
        return NULL;
    }
    xmlDocPtr doc = xmlCtxtReadMemory(context, text.ptr != NULL ? text.ptr : "", (int)text.len, r->file, NULL,
                                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES);
    const xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    if (doc == NULL) {
        gm_str why = gm_str_trim(gm_str_of(context->lastError.message));
        r->st = gm_fail_at(r->err, GM_INVALID, "fmi.description", (uint32_t)context->lastError.line, 0, "%s:%d: " GM_STR_FMT, r->file,
                           context->lastError.line, (int)(why.len < 120 ? why.len : 120), why.ptr != NULL ? why.ptr : "");
    } else if (doc->intSubset != NULL || doc->extSubset != NULL) {
        r->st = gm_fail(r->err, GM_INVALID, "fmi.description", "%s has a document type definition; FMI knows none", r->file);
    } else if (root == NULL || !gm_xml_is(root, root_name)) {
        gm_xml_broken(r, root, "the root element is not %s%s", root_name, "");
    }
    xmlFreeParserCtxt(context);
    if (r->st == GM_OK) return doc;
    xmlFreeDoc(doc);
    return NULL;
}

void gm_xml_broken(gm_xml_reader *r, const xmlNode *node, const char *fmt, const char *a, const char *b)
{
    if (r->st != GM_OK) return;
    char text[160];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, fmt, a, b);
#pragma GCC diagnostic pop
    r->st = gm_fail_at(r->err, GM_INVALID, "fmi.description", (uint32_t)(node != NULL ? xmlGetLineNo(node) : 0), 0, "%s:%ld: %s", r->file,
                       node != NULL ? xmlGetLineNo(node) : 0L, text);
}

void gm_xml_no_memory(gm_xml_reader *r)
{
    if (r->st == GM_OK) r->st = gm_fail(r->err, GM_NOMEM, "fmi.description", "reading %s", r->file);
}

bool gm_xml_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *gm_xml_child(const xmlNode *node, const char *name)
{
    for (const xmlNode *c = node != NULL ? node->children : NULL; c != NULL; c = c->next) {
        if (gm_xml_is(c, name)) return c;
    }
    return NULL;
}

// The attribute's text in the arena; ptr NULL when there is none.
gm_str gm_xml_text_of(gm_xml_reader *r, const xmlNode *node, const char *name)
{
    gm_str   text = { NULL, 0 };
    xmlChar *raw  = node != NULL ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    if (raw == NULL) return text;
    text = gm_arena_str(r->arena, gm_str_of((const char *)raw));
    if (text.ptr == NULL) gm_xml_no_memory(r);
    xmlFree(raw);
    return text;
}

bool gm_xml_flag_of(gm_xml_reader *r, const xmlNode *node, const char *name)
{
    gm_str text = gm_xml_text_of(r, node, name);
    if (text.ptr == NULL || gm_str_is(text, "false") || gm_str_is(text, "0")) return false;
    if (gm_str_is(text, "true") || gm_str_is(text, "1")) return true;
    gm_xml_broken(r, node, "%s=\"%.60s\" is neither true nor false", name, text.ptr);
    return false;
}

// xs:double: also INF, -INF and NaN, which strtod reads.
bool gm_xml_number_of(gm_xml_reader *r, const xmlNode *node, const char *name, double *out)
{
    gm_str text = gm_xml_text_of(r, node, name);
    if (text.ptr == NULL) return false;
    gm_str trimmed = gm_str_trim(text);
    char  *end     = NULL;
    double value   = trimmed.len > 0 ? strtod(trimmed.ptr, &end) : 0;
    if (end == NULL || end != trimmed.ptr + trimmed.len) {
        gm_xml_broken(r, node, "%s=\"%.60s\" is not a number", name, text.ptr);
        return false;
    }
    *out = value;
    return true;
}

bool gm_xml_count_of(gm_xml_reader *r, const xmlNode *node, const char *name, uint64_t max, uint64_t *out)
{
    gm_str text = gm_str_trim(gm_xml_text_of(r, node, name));
    if (text.ptr == NULL) return false;
    char              *end   = NULL;
    unsigned long long value = text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9' ? strtoull(text.ptr, &end, 10) : 0;
    if (end == NULL || end != text.ptr + text.len || value > max) {
        gm_xml_broken(r, node, "%s=\"%.60s\" is not such a whole number", name, text.ptr);
        return false;
    }
    *out = value;
    return true;
}

uint32_t gm_xml_reference_of(gm_xml_reader *r, const xmlNode *node, const char *name)
{
    uint64_t value = GM_FMU_NONE;
    return gm_xml_count_of(r, node, name, UINT32_MAX - 1, &value) ? (uint32_t)value : GM_FMU_NONE;
}

size_t gm_xml_count_children(const xmlNode *node)
{
    size_t n = 0;
    for (const xmlNode *c = node != NULL ? node->children : NULL; c != NULL; c = c->next) n += c->type == XML_ELEMENT_NODE;
    return n;
}

void *gm_xml_array(gm_xml_reader *r, size_t n, size_t size)
{
    void *at = n <= GM_FMU_VARIABLES_MAX ? gm_arena_zeroed(r->arena, n + 1, size) : NULL;
    if (at == NULL && r->st == GM_OK) {
        if (n > GM_FMU_VARIABLES_MAX) r->st = gm_fail(r->err, GM_LIMIT, "fmi.description", "%zu elements; at most %d", n, GM_FMU_VARIABLES_MAX);
        else gm_xml_no_memory(r);
    }
    return at;
}

// "1 2 3" -> references.
const uint32_t *gm_xml_list_of(gm_xml_reader *r, const xmlNode *node, const char *name, uint32_t *out_count)
{
    gm_str text = gm_xml_text_of(r, node, name), rest = text, part;
    size_t n = 0;
    *out_count = 0;
    if (text.ptr == NULL) return NULL;
    while (gm_str_next(&rest, ' ', &part)) n += part.len > 0;
    uint32_t *items = gm_xml_array(r, n, sizeof *items);
    if (items == NULL) return NULL;
    rest = text;
    n    = 0;
    while (gm_str_next(&rest, ' ', &part)) {
        if (part.len > 0) items[n++] = (uint32_t)strtoul(part.ptr, NULL, 10);
    }
    *out_count = (uint32_t)n;
    return items;
}

