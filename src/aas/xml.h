// aas/xml.h: XML from outside, without anything that reaches further than its own bytes; inside aas/ only.
#ifndef GM_AAS_XML_H
#define GM_AAS_XML_H

#include "base/str.h"

typedef struct _xmlDoc  xmlDoc;   // of libxml2, which the sources include
typedef struct _xmlNode xmlNode;

// NULL: err says why. The caller frees with xmlFreeDoc. what: for the sentence.
xmlDoc *gm_aas_open_xml(const uint8_t *bytes, size_t size, const char *what, gm_error *err);
bool    gm_aas_xml_is(const xmlNode *node, const char *name);  // an element of that name, whatever its namespace

#endif
