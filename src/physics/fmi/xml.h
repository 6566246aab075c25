// physics/fmi/xml.h: reading the XML files of an FMU: elements and attributes over libxml2's tree, the first failure kept.
#ifndef GM_PHYSICS_FMI_XML_H
#define GM_PHYSICS_FMI_XML_H

#include "physics/fmi/description.h"

// libxml2's own, named here so that this header compiles without it; who walks the tree includes <libxml/parser.h>.
typedef struct _xmlNode xmlNode;
typedef struct _xmlDoc *xmlDocPtr;

typedef struct gm_xml_reader {
    gm_arena           *arena;
    gm_fmu_description *d;
    gm_error           *err;
    gm_status           st;    // the first failure; later reads do nothing
    const char         *file;  // for messages
} gm_xml_reader;

// Parses the text: without network, entities put in place, or a document type definition (refused). NULL: r->st says why;
// also where the root element is another one. Freed with xmlFreeDoc.
xmlDocPtr gm_xml_parse(gm_xml_reader *r, gm_str text, const char *root);

// Fails with file and line. fmt takes two strings.
void gm_xml_broken(gm_xml_reader *r, const xmlNode *node, const char *fmt, const char *a, const char *b);
void gm_xml_no_memory(gm_xml_reader *r);

bool           gm_xml_is(const xmlNode *node, const char *name);
const xmlNode *gm_xml_child(const xmlNode *node, const char *name);  // the first; NULL: none
size_t         gm_xml_count_children(const xmlNode *node);

// Attributes. text_of: in the arena; ptr NULL when there is none. number_of and count_of: false when there is none, or
// when it is no number (which fails). list_of: "1 2 3".
gm_str          gm_xml_text_of(gm_xml_reader *r, const xmlNode *node, const char *name);
bool            gm_xml_flag_of(gm_xml_reader *r, const xmlNode *node, const char *name);
bool            gm_xml_number_of(gm_xml_reader *r, const xmlNode *node, const char *name, double *out);
bool            gm_xml_count_of(gm_xml_reader *r, const xmlNode *node, const char *name, uint64_t max, uint64_t *out);
uint32_t        gm_xml_reference_of(gm_xml_reader *r, const xmlNode *node, const char *name);
const uint32_t *gm_xml_list_of(gm_xml_reader *r, const xmlNode *node, const char *name, uint32_t *out_count);

// Room in the arena for n + 1 things, zeroed; NULL: failed.
void *gm_xml_array(gm_xml_reader *r, size_t n, size_t size);

#endif
