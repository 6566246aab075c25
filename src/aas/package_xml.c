// The XML of packages: relationships and content types; and how XML from outside is read at all.
#include "aas/package.h"
#include "aas/xml.h"

#include <libxml/parser.h>
#include <stdio.h>

static const char WHERE[] = "aas.package";

xmlDoc *gm_aas_open_xml(const uint8_t *bytes, size_t size, const char *what, gm_error *err)
{
    xmlDoc *doc = size < INT32_MAX ? xmlReadMemory((const char *)bytes, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA) : NULL;
    if (doc != NULL && doc->intSubset == NULL && doc->extSubset == NULL) return doc;
    // Entities can make a small text large, and read what lies elsewhere; nothing here needs them.
    (void)!gm_fail(err, GM_INVALID, WHERE, doc == NULL ? "%s is no XML" : "%s declares a document type; that is not taken", what);
    xmlFreeDoc(doc);
    return NULL;
}

bool gm_aas_xml_is(const xmlNode *node, const char *name) { return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0; }

// An attribute's text, which the caller frees with xmlFree; "" never: NULL.
static xmlChar *attribute(const xmlNode *node, const char *name) { return xmlGetNoNsProp(node, (const xmlChar *)name); }

gm_status gm_aasx_types(const gm_aasx_file *types, json_t *out, gm_error *err)
{
    xmlDoc *doc = gm_aas_open_xml(types->bytes.ptr, types->bytes.len, "[Content_Types].xml", err);
    if (doc == NULL) return GM_INVALID;
    for (const xmlNode *n = xmlDocGetRootElement(doc)->children; n != NULL; n = n->next) {
        bool     part = gm_aas_xml_is(n, "Override"), extension = gm_aas_xml_is(n, "Default");
        xmlChar *name = part || extension ? attribute(n, part ? "PartName" : "Extension") : NULL, *type = name != NULL ? attribute(n, "ContentType") : NULL;
        char     key[1100];
        int      len = name != NULL ? snprintf(key, sizeof key, "%s%s", part ? "" : ".", (const char *)name) : 0;
        if (type != NULL && len > 0 && (size_t)len < sizeof key) (void)json_object_set_new(out, key, json_string((const char *)type));
        xmlFree(name);
        xmlFree(type);
    }
    xmlFreeDoc(doc);
    return GM_OK;
}

static bool ends_in(const char *type, const char *prefix, const char *what)
{
    size_t n = strlen(prefix);
    return strncmp(type, prefix, n) == 0 && strcmp(type + n, what) == 0;
}

gm_status gm_aasx_targets(const gm_aasx_file *rels, const char *what, gm_str base, json_t *out, gm_error *err)
{
    xmlDoc *doc = gm_aas_open_xml(rels->bytes.ptr, rels->bytes.len, "a part with relationships", err);
    if (doc == NULL) return GM_INVALID;
    for (const xmlNode *n = xmlDocGetRootElement(doc)->children; n != NULL; n = n->next) {
        if (!gm_aas_xml_is(n, "Relationship")) continue;
        xmlChar *type = attribute(n, "Type"), *target = attribute(n, "Target"), *mode = attribute(n, "TargetMode");
        bool     is = type != NULL && (ends_in((const char *)type, GM_AASX_RELATIONSHIPS, what) || ends_in((const char *)type, GM_AASX_RELATIONSHIPS_BEFORE, what));
        if (is && target != NULL && (mode == NULL || strcmp((const char *)mode, "External") != 0)) {
            gm_str text     = gm_str_of((const char *)target);
            bool   absolute = text.len > 0 && text.ptr[0] == '/';
            (void)json_array_append_new(out, absolute ? json_stringn(text.ptr, text.len) : json_sprintf(GM_STR_FMT GM_STR_FMT, GM_STR_ARG(base), GM_STR_ARG(text)));
        }
        xmlFree(type);
        xmlFree(target);
        xmlFree(mode);
    }
    xmlFreeDoc(doc);
    return GM_OK;
}
