// aas/xml_names.h: how the XML of the metamodel calls what its JSON has: items of lists, and the order of members; inside aas/ only.
// Source: AAS.xsd of IDTA-01001-3.
#ifndef GM_AAS_XML_NAMES_H
#define GM_AAS_XML_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define GM_AAS_XML_SPACE "https://admin-shell.io/aas/3/"  // and the minor version

// Lists whose items are all of a kind: what an item is called. NULL: it is no such list.
const char *gm_aas_xml_item(const char *list);
// Lists whose items say what they are: "submodelElements" ...
bool gm_aas_xml_is_mixed(const char *list);
bool gm_aas_xml_is_variables(const char *list);  // of operations

// Where a member stands among its siblings: a smaller number before a larger one; what is not known comes last.
size_t gm_aas_xml_rank(const char *member, bool in_qualifier);

#endif
