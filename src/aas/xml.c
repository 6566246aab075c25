// The XML of the metamodel (Part 1, V3) as its JSON: elements are members. What is a list is known by its name, and a list's items say
// in XML what they are by their own name, in JSON by "modelType".
#include "aas/xml.h"
#include "aas/tree.h"
#include "aas/xml_names.h"

#include "aas/aasx.h"

#include <libxml/parser.h>

static const char WHERE[] = "aas.xml";

static const xmlNode *element_from(const xmlNode *n)
{
    while (n != NULL && n->type != XML_ELEMENT_NODE) n = n->next;
    return n;
}

static const char *name_of(const xmlNode *n) { return (const char *)n->name; }

static json_t *read_object(const xmlNode *node, const char *model_type, unsigned depth);

static json_t *read_text(const xmlNode *node)
{
    xmlChar *text = xmlNodeGetContent(node);
    json_t  *json = text != NULL ? json_string((const char *)text) : json_string("");
    xmlFree(text);
    return json;
}

// "property" -> "Property".
static json_t *read_typed(const xmlNode *node, unsigned depth)
{
    char   type[64];
    size_t n = strlen(name_of(node));
    if (n == 0 || n >= sizeof type) return NULL;
    memcpy(type, name_of(node), n + 1);
    if (type[0] >= 'a' && type[0] <= 'z') type[0] = (char)(type[0] - 'a' + 'A');
    return read_object(node, type, depth);
}

static json_t *read_list(const xmlNode *node, bool typed, unsigned depth)
{
    json_t *list = json_array();
    for (const xmlNode *n = element_from(node->children); list != NULL && n != NULL; n = element_from(n->next)) {
        json_t *item = typed ? read_typed(n, depth + 1) : read_object(n, NULL, depth + 1);
        if (item == NULL || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static bool is_plural(const xmlNode *node)
{
    const xmlNode *first = element_from(node->children);
    const char    *item  = gm_aas_xml_item(name_of(node));
    return first != NULL && item != NULL && strcmp(item, name_of(first)) == 0;
}

// <operationVariable><value><property>...</property></value></operationVariable>
static json_t *read_variables(const xmlNode *node, unsigned depth)
{
    json_t *list = json_array();
    for (const xmlNode *n = element_from(node->children); list != NULL && n != NULL; n = element_from(n->next)) {
        const xmlNode *value = element_from(n->children), *inside = value != NULL ? element_from(value->children) : NULL;
        json_t        *read = inside != NULL ? read_typed(inside, depth + 2) : NULL;
        if (read == NULL || json_array_append_new(list, json_pack("{so}", "value", read)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

// What "value" means depends on whose it is.
static json_t *read_value(const xmlNode *node, const char *owner, unsigned depth)
{
    bool elements = owner != NULL && (strcmp(owner, "SubmodelElementCollection") == 0 || strcmp(owner, "SubmodelElementList") == 0);
    bool words    = owner != NULL && strcmp(owner, "MultiLanguageProperty") == 0;
    if (elements) return read_list(node, true, depth);
    if (words) return read_list(node, false, depth);
    return element_from(node->children) != NULL ? read_object(node, NULL, depth + 1) : read_text(node);
}

// <dataSpecificationContent><dataSpecificationIec61360>...: the one inside says what it is.
static json_t *read_member(const xmlNode *node, const char *owner, unsigned depth)
{
    const char    *name  = name_of(node);
    const xmlNode *first = element_from(node->children);
    if (gm_aas_xml_is_mixed(name)) return read_list(node, true, depth);
    if (gm_aas_xml_is_variables(name)) return read_variables(node, depth);
    if (is_plural(node)) return read_list(node, false, depth);
    if (strcmp(name, "submodels") == 0 && first != NULL && strcmp(name_of(first), "submodel") == 0) return read_list(node, true, depth);
    if (strcmp(name, "value") == 0) return read_value(node, owner, depth);
    if (strcmp(name, "dataSpecificationContent") == 0 && first != NULL) return read_typed(first, depth + 1);
    if (strcmp(name, "orderRelevant") == 0 || (strcmp(name, "levelType") != 0 && owner != NULL && strcmp(owner, "LevelType") == 0)) {
        json_t *text = read_text(node);
        json_t *is   = json_boolean(strcmp(json_string_value(text) != NULL ? json_string_value(text) : "", "true") == 0);
        json_decref(text);
        return is;
    }
    return first != NULL ? read_object(node, strcmp(name, "levelType") == 0 ? "LevelType" : NULL, depth + 1) : read_text(node);
}

static json_t *read_object(const xmlNode *node, const char *model_type, unsigned depth)
{
    json_t *out = json_object();
    if (out == NULL || depth > 4 * GM_AAS_DEPTH_MAX) goto failed;
    if (model_type != NULL && strcmp(model_type, "LevelType") != 0 && json_object_set_new(out, "modelType", json_string(model_type)) != 0) goto failed;
    for (const xmlNode *n = element_from(node->children); n != NULL; n = element_from(n->next)) {
        json_t *value = json_object_get(out, name_of(n)) == NULL ? read_member(n, model_type, depth) : NULL;
        if (value == NULL || json_object_set_new(out, name_of(n), value) != 0) goto failed;
    }
    return out;
failed:
    json_decref(out);
    return NULL;
}

json_t *gm_aas_read_xml(const uint8_t *bytes, size_t size, gm_error *err)
{
    xmlDoc  *doc  = gm_aas_open_xml(bytes, size, "the environment", err);
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    json_t  *out  = NULL;
    if (doc == NULL) return NULL;
    const char *space = root->ns != NULL ? (const char *)root->ns->href : "";
    if (strcmp(name_of(root), "environment") != 0 || strncmp(space, GM_AAS_XML_SPACE, strlen(GM_AAS_XML_SPACE)) != 0)
        (void)!gm_fail(err, GM_INVALID, WHERE, "the environment is not of the metamodel V3 (namespace '%.60s')", space);
    else if ((out = read_object(root, NULL, 0)) == NULL)
        (void)!gm_fail(err, GM_INVALID, WHERE, "the environment's XML is nested too deeply, or says something twice");
    xmlFreeDoc(doc);
    return out;
}
