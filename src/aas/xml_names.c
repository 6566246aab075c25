#include "aas/xml_names.h"

#include <string.h>

static const struct { const char *list, *item; } plurals[] = {
    { "keys", "key" }, { "qualifiers", "qualifier" }, { "extensions", "extension" }, { "supplementalSemanticIds", "reference" }, { "submodels", "reference" },
    { "specificAssetIds", "specificAssetId" }, { "embeddedDataSpecifications", "embeddedDataSpecification" }, { "isCaseOf", "reference" }, { "refersTo", "reference" },
    { "valueReferencePairs", "valueReferencePair" }, { "dataSpecifications", "reference" },
    { "description", "langStringTextType" }, { "displayName", "langStringNameType" }, { "preferredName", "langStringPreferredNameTypeIec61360" },
    { "shortName", "langStringShortNameTypeIec61360" }, { "definition", "langStringDefinitionTypeIec61360" },
};
static const char *const mixed[] = { "submodelElements", "statements", "annotations", "assetAdministrationShells", "conceptDescriptions" };
static const char *const variables[] = { "inputVariables", "outputVariables", "inoutputVariables" };

// One order for all classes: no two of them have the same members the other way round, but for `kind` of qualifiers.
static const char *const order[] = {
    "assetAdministrationShells", "extensions", "category", "idShort", "displayName", "description", "administration", "id", "kind", "semanticId", "supplementalSemanticIds", "qualifiers",
    "embeddedDataSpecifications", "derivedFrom", "assetInformation", "submodels", "conceptDescriptions", "submodelElements", "isCaseOf", "version", "revision", "creator", "createdAt", "updatedAt",
    "templateId", "name", "type", "referredSemanticId", "keys", "orderRelevant", "semanticIdListElement", "typeValueListElement", "valueTypeListElement", "valueType", "statements", "entityType",
    "assetKind", "globalAssetId", "specificAssetIds", "assetType", "defaultThumbnail", "first", "second", "annotations", "inputVariables", "outputVariables", "inoutputVariables", "observed",
    "direction", "state", "messageTopic", "messageBroker", "lastUpdate", "minInterval", "maxInterval", "dataSpecification", "dataSpecificationContent", "preferredName", "shortName", "unit", "unitId",
    "sourceOfDefinition", "symbol", "dataType", "definition", "valueFormat", "valueList", "min", "nom", "typ", "max", "value", "valueId", "levelType", "path", "contentType", "externalSubjectId",
    "refersTo", "language", "text",
};

static bool in(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, list[i]) == 0) return true;
    }
    return false;
}
#define IN(name, list) in((name), (list), sizeof(list) / sizeof((list)[0]))

const char *gm_aas_xml_item(const char *list)
{
    for (size_t i = 0; i < sizeof plurals / sizeof plurals[0]; i++) {
        if (strcmp(plurals[i].list, list) == 0) return plurals[i].item;
    }
    return NULL;
}

bool gm_aas_xml_is_mixed(const char *list) { return IN(list, mixed); }
bool gm_aas_xml_is_variables(const char *list) { return IN(list, variables); }

size_t gm_aas_xml_rank(const char *member, bool in_qualifier)
{
    size_t n = sizeof order / sizeof order[0];
    if (in_qualifier && strcmp(member, "kind") == 0) return gm_aas_xml_rank("type", false) - 1;  // right before it
    for (size_t i = 0; i < n; i++) {
        if (strcmp(order[i], member) == 0) return 2 * i;
    }
    return 2 * n;
}
