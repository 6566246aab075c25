// One row for each rule of DTDL that is enforced: the smallest document that breaks it, and some that just do not.
#include "model/dtdl_case.h"
#include "model/model.h"

#include "support/support.h"

#include <stdio.h>

#define HEAD(v, id) "{\"@context\":\"dtmi:dtdl:context;" v "\",\"@id\":\"" id "\",\"@type\":\"Interface\""
#define IF(v, rest) HEAD(v, "dtmi:t:A;1") rest "}"
#define WITH(v, contents) IF(v, ",\"contents\":[" contents "]")
#define TEL(rest) "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"double\"" rest "}"
#define SCH(v, schema) WITH(v, "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":" schema "}")
#define REL(v, rest) WITH(v, "{\"@type\":\"Relationship\",\"name\":\"r\"" rest "}")
#define EXT(v, ext, rest) "{\"@context\":[\"dtmi:dtdl:context;" v "\",\"dtmi:dtdl:extension:" ext "\"],\"@id\":\"dtmi:t:A;1\"," rest "}"
#define QT(v, ext, rest) EXT(v, ext, "\"@type\":\"Interface\",\"contents\":[{\"name\":\"t\"," rest "}]")

#define MQTT4(object, field, schema, rest)                                                                          \
    QT("4", "mqtt;4", "\"@type\":\"Telemetry\",\"schema\":{\"@type\":" object ",\"fields\":[{\"@type\":" field        \
       ",\"name\":\"f\",\"schema\":" schema "}" rest "]}")
#define OPS(type, rest)                                                                                             \
    "{\"@context\":[\"dtmi:dtdl:context;4\",\"dtmi:iotoperations:context;4\"],\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"," \
    "\"contents\":{\"@type\":" type ",\"name\":\"t\"," rest "}}"

static const struct { const char *rule, *text; } rows[] = {
    // documents
    { ":json", "{" },
    { ":json", "[]]" },
    { "notJsonObject", "3" },
    { "notJsonObject", "[3]" },
    { NULL, "[]" },
    // contexts
    { "missingContext", "{\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"}" },
    { "emptyContext", "{\"@context\":[],\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"}" },
    { "missingDtdlContext", "{\"@context\":\"dtmi:ex:foo;1\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"}" },
    { "unrecognizedContextVersion", HEAD("7", "dtmi:t:A;1") "}" },
    { "invalidContextSpecifier", HEAD("x", "dtmi:t:A;1") "}" },
    { "invalidContextFragment", HEAD("4#x", "dtmi:t:A;1") "}" },
    { "disallowedContextFragment", HEAD("3#limits", "dtmi:t:A;1") "}" },
    { "misplacedLimitContext", HEAD("4#limits", "dtmi:t:A;1") "}" },
    { "nonDtmiContextSpecifier", EXT("3", "quantitativeTypes;1\",\"http://x", "\"@type\":\"Interface\"") },
    { "missingContextVersion", EXT("3", "mqtt", "\"@type\":\"Interface\"") },
    { "unresolvableContextVersion", EXT("4", "mqtt;99", "\"@type\":\"Interface\"") },
    { "unresolvableContextSpecifier", EXT("4", "nobody;1", "\"@type\":\"Interface\"") },
    { "unresolvableContextSpecifier", EXT("3", "nobody;1", "\"@type\":\"Interface\"") },
    { NULL, EXT("2", "nobody;1", "\"@type\":\"Interface\"") },
    { "invalidContextSpecifierForVersion", EXT("3", "_mqtt;2", "\"@type\":\"Interface\"") },
    { "dtdlContextFollowsAffiliate", EXT("3", "mqtt;2\",\"dtmi:dtdl:context;3", "\"@type\":\"Interface\"") },
    { "misplacedLimitContext", EXT("4", "mqtt;2\",\"dtmi:dtdl:limits:aio;1", "\"@type\":\"Interface\"") },
    { "localContextNotLast", "{\"@context\":[\"dtmi:dtdl:context;3\",{\"a\":\"b:\"},\"dtmi:dtdl:extension:mqtt;2\"],\"@id\":\"dtmi:t:A;1\","
                             "\"@type\":\"Interface\"}" },
    { "disallowedLocalContext", "{\"@context\":[\"dtmi:dtdl:context;3\",{\"a\":\"b:\"}],\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\"}" },
    // identifiers and types
    { "missingTopLevelId", "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\"}" },
    { "typeNotRootable", "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Telemetry\"}" },
    { "idNotString", "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":7,\"@type\":\"Interface\"}" },
    { "invalidId", HEAD("3", "dtmi:t:9;1") "}" },
    { "invalidId", HEAD("2", "dtmi:t:A") "}" },
    { "invalidId", HEAD("3", "dtmi:t:A;1#part") "}" },
    { "invalidId", HEAD("3", "dtmi:t:_A;1") "}" },
    { "invalidId", HEAD("2", "dtmi:t:A;1.2") "}" },
    { NULL, HEAD("3", "dtmi:t:A") "}" },
    { NULL, HEAD("3", "dtmi:t:A;1.2") "}" },
    { "reservedId", HEAD("3", "dtmi:dtdl:A;1") "}" },
    { "duplicateDefinition", "[" IF("3", "") "," IF("3", "") "]" },
    { "badType", WITH("3", "{\"name\":\"x\"}") },
    { "badType", WITH("3", "{\"@type\":\"Object\",\"name\":\"x\"}") },
    { "badType", WITH("3", "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":{\"@type\":\"Boolean\"}}") },
    { "multipleMaterialTypes", WITH("3", "{\"@type\":[\"Telemetry\",\"Property\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { "typeUndefinedTerm", WITH("3", "{\"@type\":[\"Telemetry\",\"Foo\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { NULL, WITH("2", "{\"@type\":[\"Telemetry\",\"Foo\"],\"name\":\"x\",\"schema\":\"double\",\"bar\":1}") },
    { "typeInvalidDtmi", WITH("2", "{\"@type\":[\"Telemetry\",\"dtmi:x\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { "typeNotDtmiNorTerm", WITH("3", "{\"@type\":[\"Telemetry\",\"a:b\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { "typeIrrelevantDtmiOrTerm", WITH("3", "{\"@type\":[\"Telemetry\",\"name\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { "abstractSupplementalType", WITH("3", "{\"@type\":[\"Telemetry\",\"SemanticType\"],\"name\":\"x\",\"schema\":\"double\"}") },
    { "disallowedVersionDefinition", WITH("2", "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Telemetry\",\"name\":\"x\","
                                               "\"schema\":\"double\"}") },
    { NULL, WITH("3", "{\"@context\":\"dtmi:dtdl:context;2\",\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"}") },
    { "keywordDisallowed", WITH("3", TEL(",\"@foo\":1")) },
    { NULL, WITH("2", TEL(",\"@foo\":1")) },
    { "graphDisallowed", WITH("2", TEL(",\"@graph\":[]")) },
    { "topLevelGraphDisallowed", IF("3", ",\"@graph\":[]") },
    { "topLevelKeywordDisallowed", IF("3", ",\"@value\":1") },
    { "repeatedIdProperty", WITH("3", TEL(",\"@id\":\"dtmi:t:a;1\",\"@id\":\"dtmi:t:b;1\"")) },
    // members
    { "missingDtmiSegPropertyValue", WITH("3", "{\"@type\":\"Telemetry\",\"schema\":\"double\"}") },
    { "dtmiSegPropertyNotStringOrNumber", WITH("3", "{\"@type\":\"Telemetry\",\"name\":true,\"schema\":\"double\"}") },
    { "missingLiteralProperty", WITH("3", "{\"@id\":\"dtmi:t:a;1\",\"@type\":\"Telemetry\",\"schema\":\"double\"}") },
    { "missingObjectProperty", WITH("3", "{\"@type\":\"Telemetry\",\"name\":\"x\"}") },
    { "duplicatePropertyName", WITH("3", TEL(",\"dtmi:dtdl:property:name;3\":\"t\"")) },
    { "propertyUndefinedTerm", WITH("3", TEL(",\"foo\":1")) },
    { "propertyIrrelevantDtmiOrTerm", WITH("3", TEL(",\"contents\":[]")) },
    { "propertyInvalidDtmi", WITH("3", TEL(",\"dtmi:9\":1")) },
    { "propertyNotDtmiNorTerm", WITH("3", TEL(",\"a:b\":1")) },
    { "noTypeThatAllows", WITH("2", TEL(",\"foo\":1")) },
    { "inferredTypeDoesNotAllow", SCH("2", "{\"@type\":\"Object\",\"fields\":[{\"name\":\"f\",\"schema\":\"double\",\"foo\":1}]}") },
    { "nonUniquePropertyValue", WITH("3", TEL("") "," TEL("")) },
    { "missingRequiredId", WITH("3", "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":{\"@type\":\"Interface\"}}") },
    { "idReference", WITH("3", "{\"@id\":\"dtmi:t:x;1\"}") },
    { "badDtmiOrTerm", SCH("3", "\"foo\"") },
    { "badDtmiOrTerm", SCH("3", "\"dtmi:t:_A;1\"") },
    { "badDtmiOrTerm", SCH("3", "\"dtmi:t:A;1#part\"") },
    { "refNotStringOrObject", SCH("3", "7") },
    { "refObjectNotAllowed", SCH("3", "{\"@type\":\"Enum\",\"valueSchema\":{\"@type\":\"Integer\"}}") },
    { "objectMultipleValues", SCH("3", "[\"double\",\"float\"]") },
    { "objectCountBelowMin", SCH("3", "[]") },
    { NULL, SCH("3", "[\"double\"]") },
    { "undefinedReservedId", SCH("3", "\"dtmi:dtdl:instance:Schema:foo;3\"") },
    { ":unresolved", SCH("3", "\"dtmi:t:nowhere;1\"") },
    { "badType", SCH("3", "\"dtmi:t:A;1\"") },
    { "badType", SCH("3", "\"synchronous\"") },
    { "disallowedVersionReference", SCH("3", "\"dtmi:dtdl:instance:Schema:double;4\"") },
    { NULL, SCH("4", "\"dtmi:dtdl:instance:Schema:double;3\"") },
    { "crossPartitionReference", "[" HEAD("3", "dtmi:t:B;1") ",\"schemas\":{\"@id\":\"dtmi:t:arr;1\",\"@type\":\"Array\","
                                 "\"elementSchema\":\"double\"}}," SCH("3", "\"dtmi:t:arr;1\"") "]" },
    // literals
    { "stringNotString", IF("3", ",\"comment\":7") },
    { "stringTooLong", WITH("2", "{\"@type\":\"Telemetry\",\"schema\":\"double\",\"name\":"
                                 "\"a2345678901234567890123456789012345678901234567890123456789012345\"}") },
    { NULL, WITH("2", "{\"@type\":\"Telemetry\",\"schema\":\"double\",\"name\":"
                      "\"a234567890123456789012345678901234567890123456789012345678901234\"}") },
    { "stringInvalid", WITH("3", "{\"@type\":\"Telemetry\",\"name\":\"a_\",\"schema\":\"double\"}") },
    { "stringMultipleValues", IF("3", ",\"comment\":[\"a\",\"b\"]") },
    { "stringObjectNoValue", IF("3", ",\"comment\":{}") },
    { "stringValueNotString", IF("3", ",\"comment\":{\"@value\":7}") },
    { "stringTypeNotString", IF("3", ",\"comment\":{\"@value\":\"a\",\"@type\":\"xsd:integer\"}") },
    { NULL, IF("3", ",\"comment\":{\"@value\":\"a\",\"@type\":\"xsd:string\"}") },
    { "literalTypeNotSingular", IF("3", ",\"comment\":{\"@value\":\"a\",\"@type\":[]}") },
    { "valueObjectInvalidProp", IF("3", ",\"comment\":{\"@value\":\"a\",\"x\":1}") },
    { "valueObjectId", IF("2", ",\"comment\":{\"@value\":\"a\",\"@id\":1}") },
    { "valueObjectContext", IF("2", ",\"comment\":{\"@value\":\"a\",\"@context\":1}") },
    { "valueObjectGraph", IF("2", ",\"comment\":{\"@value\":\"a\",\"@graph\":1}") },
    { "valueObjectLanguage", IF("3", ",\"comment\":{\"@value\":\"a\",\"@language\":\"en\"}") },
    { NULL, IF("2", ",\"comment\":{\"@value\":\"a\",\"@language\":\"en\"}") },
    { "valueObjectKeyword", IF("3", ",\"comment\":{\"@value\":\"a\",\"@x\":1}") },
    { "booleanNotBoolean", WITH("3", "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"double\",\"writable\":1}") },
    { "booleanValueNotBoolean", WITH("3", "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"double\",\"writable\":{\"@value\":1}}") },
    { "booleanTypeNotBoolean", REL("3", ",\"writable\":{\"@value\":true,\"@type\":\"xsd:string\"}") },
    { "booleanObjectNoValue", REL("3", ",\"writable\":{}") },
    { "booleanMultipleValues", REL("3", ",\"writable\":[true,true]") },
    { "integerNotInteger", REL("3", ",\"maxMultiplicity\":1.5") },
    { NULL, REL("3", ",\"maxMultiplicity\":2.0") },
    { "integerNotInteger", REL("3", ",\"maxMultiplicity\":2147483648") },
    { "integerValueNotInteger", REL("3", ",\"maxMultiplicity\":{\"@value\":\"1\"}") },
    { "integerTypeNotInteger", REL("3", ",\"maxMultiplicity\":{\"@value\":1,\"@type\":\"xsd:string\"}") },
    { "integerObjectNoValue", REL("3", ",\"maxMultiplicity\":{}") },
    { "integerMultipleValues", REL("3", ",\"maxMultiplicity\":[1,2]") },
    { "valueBelowMin", REL("3", ",\"maxMultiplicity\":0") },
    { "valueBelowRange", REL("2", ",\"maxMultiplicity\":0") },
    { "valueAboveRange", REL("2", ",\"maxMultiplicity\":501") },
    { NULL, REL("2", ",\"maxMultiplicity\":500") },
    { "valueNotExact", REL("2", ",\"minMultiplicity\":1") },
    { "identifierNotString", REL("3", ",\"target\":7") },
    { "identifierNotDtmi", REL("3", ",\"target\":\"foo\"") },
    { "identifierNotDtmi", REL("3", ",\"target\":\"dtmi:t:_x;1\"") },
    { "identifierMultipleValues", REL("3", ",\"target\":[\"dtmi:t:A;1\",\"dtmi:t:A;1\"]") },
    { "langStringElementNotStringOrObject", IF("3", ",\"displayName\":7") },
    { "langStringInvalidCode", IF("3", ",\"displayName\":{\"EN\":\"a\"}") },
    { NULL, IF("3", ",\"displayName\":{\"en\":\"a\",\"zh-Hans-CN\":\"b\",\"es-419\":\"c\"}") },
    { "langStringValueNotString", IF("3", ",\"displayName\":{\"en\":7}") },
    { "langStringCodeNotUnique", IF("3", ",\"displayName\":{\"en\":\"a\",\"en\":\"b\"}") },
    { "langMapObjKeyword", IF("3", ",\"displayName\":{\"@id\":\"a\"}") },
    { "langTagValueInLangMap", IF("3", ",\"displayName\":{\"@value\":\"a\",\"@language\":\"en\"}") },
    { "langStringElementCodeNotString", IF("3", ",\"displayName\":[{\"@value\":\"a\",\"@language\":7}]") },
    { "langStringElementInvalidCode", IF("3", ",\"displayName\":[{\"@value\":\"a\",\"@language\":\"x\"}]") },
    { "langStringElementNoValue", IF("3", ",\"displayName\":[{\"@language\":\"en\"}]") },
    { "langStringElementValueNotString", IF("3", ",\"displayName\":[{\"@value\":7}]") },
    { "langStringElementCodeNotUnique", IF("3", ",\"displayName\":[\"a\",{\"@value\":\"b\"}]") },
    { "langStringElementType", IF("3", ",\"displayName\":[{\"@value\":\"a\",\"@type\":\"x\"}]") },
    { NULL, IF("2", ",\"displayName\":[{\"@value\":\"a\",\"@type\":\"x\"}]") },
    { "langStringElementInvalidProp", IF("2", ",\"displayName\":[{\"@value\":\"a\",\"x\":\"x\"}]") },
    { "langStringElementContext", IF("2", ",\"displayName\":[{\"@value\":\"a\",\"@context\":\"x\"}]") },
    { "langStringElementId", IF("2", ",\"displayName\":[{\"@value\":\"a\",\"@id\":\"x\"}]") },
    { "langStringElementGraph", IF("2", ",\"displayName\":[{\"@value\":\"a\",\"@graph\":\"x\"}]") },
    { "langStringElementKeyword", IF("3", ",\"displayName\":[{\"@value\":\"a\",\"@x\":\"x\"}]") },
    { "literalNotValid", SCH("3", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":{\"name\":\"a\",\"enumValue\":null}}") },
    { "literalMultipleValues", SCH("3", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":{\"name\":\"a\",\"enumValue\":[1,2]}}") },
    { "nonConformantDatatype", SCH("3", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":{\"name\":\"a\",\"enumValue\":\"x\"}}") },
    { "nonUniquePropertyValue", SCH("3", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":1},"
                                         "{\"name\":\"b\",\"enumValue\":1}]}") },
    // shapes
    { "excludedType", WITH("2", "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:A;1\"}") },
    { "recursiveStructureNarrow", WITH("3", "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:A;1\"}") },
    { "excludedType", WITH("4", "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:A;1\"}") },
    { "recursiveStructureNarrow", IF("3", ",\"schemas\":{\"@id\":\"dtmi:t:o;1\",\"@type\":\"Array\",\"elementSchema\":\"dtmi:t:o;1\"},"
        "\"contents\":{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"dtmi:t:o;1\"}") },
    { "recursiveStructureNarrow", IF("3", ",\"extends\":\"dtmi:t:A;1\"") },
    { "recursiveStructureWide", IF("3", ",\"schemas\":{\"@id\":\"dtmi:t:o;1\",\"@type\":\"Array\",\"elementSchema\":\"dtmi:t:o;1\"}") },
    { NULL, IF("4", ",\"schemas\":{\"@id\":\"dtmi:t:o;1\",\"@type\":\"Array\",\"elementSchema\":\"dtmi:t:o;1\"}") },
    { "excludedType", WITH("2", "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":{\"@type\":\"Array\",\"elementSchema\":\"double\"}}") },
    { "excludedType", WITH("2", "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":\"point\"}") },
    { NULL, WITH("3", "{\"@type\":\"Property\",\"name\":\"p\",\"schema\":{\"@type\":\"Array\",\"elementSchema\":\"double\"}}") },
    { "excludedType", "[" WITH("3", "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:B;1\"}") ","
                      HEAD("3", "dtmi:t:B;1") ",\"contents\":{\"@type\":\"Component\",\"name\":\"d\",\"schema\":\"dtmi:t:C;1\"}},"
                      HEAD("3", "dtmi:t:C;1") "}]" },
    { "nonUniqueImportedPropertyValue", "[" IF("3", ",\"extends\":\"dtmi:t:B;1\",\"contents\":" TEL("")) ","
                                        HEAD("3", "dtmi:t:B;1") ",\"contents\":" TEL("") "}]" },
    { "objectCountAboveMax", "[" IF("2", ",\"extends\":[\"dtmi:t:B;1\",\"dtmi:t:C;1\",\"dtmi:t:D;1\"]") "," HEAD("2", "dtmi:t:B;1") "},"
                             HEAD("2", "dtmi:t:C;1") "}," HEAD("2", "dtmi:t:D;1") "}]" },
    { "missingObjectProperty", SCH("2", "{\"@type\":\"Object\"}") },
    { NULL, SCH("3", "{\"@type\":\"Object\"}") },
    // quantities and extensions
    { NULL, WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":\"kelvin\"}") },
    { "missingSupplementalObjectProperty", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\"}") },
    { "notRequiredType", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":\"metre\"}") },
    { "notRequiredType", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"string\",\"unit\":\"kelvin\"}") },
    { "badDtmiOrTerm", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":\"foo\"}") },
    { "badType", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\",\"unit\":\"double\"}") },
    { "conflictingSupplementalTypes", WITH("2", "{\"@type\":[\"Telemetry\",\"Temperature\",\"Length\"],\"name\":\"t\",\"schema\":\"double\","
                                                "\"unit\":\"kelvin\"}") },
    { "invalidCotype", WITH("2", "{\"@type\":[\"Command\",\"Temperature\"],\"name\":\"t\",\"unit\":\"kelvin\"}") },
    { "wrongParent", QT("3", "quantitativeTypes;1", "\"@type\":[\"Telemetry\",\"Temperature\"],\"schema\":\"double\",\"unit\":\"metre\"") },
    { "invalidCotypeVersion", QT("3", "quantitativeTypes;2", "\"@type\":[\"Telemetry\",\"Temperature\"],\"schema\":\"double\","
                                                             "\"unit\":\"kelvin\"") },
    { "typeUndefinedTerm", WITH("3", "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"t\",\"schema\":\"double\"}") },
    { "missingSupplementalLiteralProperty", EXT("3", "mqtt;1", "\"@type\":[\"Interface\",\"Mqtt\"]") },
    { "stringInvalid", EXT("3", "mqtt;1", "\"@type\":[\"Interface\",\"Mqtt\"],\"payloadFormat\":\"x\",\"commandTopic\":\"a/+\"") },
    { NULL, EXT("3", "mqtt;1", "\"@type\":[\"Interface\",\"Mqtt\"],\"payloadFormat\":\"x\",\"commandTopic\":\"a/{ex:name}/b\"") },
    { "stringInvalid", EXT("3", "mqtt;1", "\"@type\":[\"Interface\",\"Mqtt\"],\"payloadFormat\":\"x\",\"commandTopic\":\"$a\"") },
    { NULL, MQTT4("[\"Object\",\"Error\"]", "[\"Field\",\"ErrorCode\"]", "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[]}", "") },
    { NULL, MQTT4("[\"Object\",\"Result\"]", "[\"Field\",\"NormalResult\"]", "\"double\"", "") },
    { "notRequiredType", MQTT4("[\"Object\",\"Error\"]", "[\"Field\",\"ErrorCode\"]", "\"string\"", "") },
    { "notRequiredType", MQTT4("[\"Object\",\"Result\"]", "\"Field\"", "\"double\"", "") },
    { "parentMissingCotype", MQTT4("\"Object\"", "[\"Field\",\"ErrorInfo\"]", "\"double\"", "") },
    { "nonUniqueAdjunctType", MQTT4("[\"Object\",\"Error\"]", "[\"Field\",\"ErrorInfo\"]", "\"double\"",
                                    ",{\"@type\":[\"Field\",\"ErrorInfo\"],\"name\":\"g\",\"schema\":\"double\"}") },
    { "disallowedCocotype", QT("4", "mqtt;3\",\"dtmi:dtdl:extension:requirement;1", "\"@type\":\"Telemetry\",\"schema\":{\"@type\":[\"Object\","
        "\"Result\"],\"fields\":{\"@type\":[\"Field\",\"NormalResult\",\"Required\"],\"name\":\"f\",\"schema\":\"double\"}}") },
    { NULL, QT("4", "mqtt;3\",\"dtmi:dtdl:extension:requirement;2", "\"@type\":\"Telemetry\",\"schema\":{\"@type\":[\"Object\","
        "\"Result\"],\"fields\":{\"@type\":[\"Field\",\"NormalResult\",\"Required\"],\"name\":\"f\",\"schema\":\"double\"}}") },
    { NULL, OPS("[\"Telemetry\",\"Limited\"]", "\"schema\":\"byte\",\"minimum\":-128,\"maximum\":1.27e2") },
    { "nonConformantPropertyValue", OPS("[\"Telemetry\",\"Limited\"]", "\"schema\":\"byte\",\"maximum\":128") },
    { "nonConformantPropertyValue", OPS("[\"Telemetry\",\"ScaledStatically\"]", "\"schema\":\"integer\",\"scaleFactor\":0.5") },
    { NULL, OPS("[\"Telemetry\",\"ScaledStatically\"]", "\"schema\":\"double\",\"scaleFactor\":0.5") },
    { "conflictingSupplementalTypes", "{\"@context\":[\"dtmi:dtdl:context;4\",\"dtmi:iotoperations:context;4\"],\"@id\":\"dtmi:t:A;1\","
        "\"@type\":[\"Interface\",\"Article\",\"Composite\"],\"ontology\":\"o\"}" },
    { NULL, QT("4", "quantitativeTypes;3", "\"@type\":[\"Telemetry\",\"DynamicViscosity\"],\"schema\":\"double\",\"unit\":\"poise\"") },
    { NULL, QT("4", "quantitativeTypes;3", "\"@type\":[\"Telemetry\",\"Efficiency\"],\"schema\":\"double\",\"unit\":\"percent\"") },
    { "wrongParent", QT("4", "quantitativeTypes;3", "\"@type\":[\"Telemetry\",\"KinematicViscosity\"],\"schema\":\"double\","
                                                    "\"unit\":\"poise\"") },
    { "typeUndefinedTerm", QT("4", "quantitativeTypes;2", "\"@type\":[\"Telemetry\",\"Scale\"],\"schema\":\"double\",\"unit\":\"unity\"") },
    { NULL, QT("3", "quantitativeTypes;1", "\"@type\":\"Property\",\"schema\":\"EnergyRateUnit\"") },
    { "missingCocotype", QT("3", "mqtt;2", "\"@type\":[\"Command\",\"Cacheable\"],\"ttl\":\"PT1S\"") },
    { "durationInvalid", QT("3", "mqtt;2", "\"@type\":[\"Command\",\"Idempotent\",\"Cacheable\"],\"ttl\":\"1s\"") },
    { "durationNotString", QT("3", "mqtt;2", "\"@type\":[\"Command\",\"Idempotent\",\"Cacheable\"],\"ttl\":1") },
    { "valueBelowMin", QT("3", "mqtt;2", "\"@type\":[\"Telemetry\",\"Indexed\"],\"schema\":\"double\",\"index\":0") },
    { "disallowedType", EXT("3", "annotation;2", "\"@type\":\"Interface\",\"contents\":[" TEL("") ",{\"@type\":[\"Telemetry\","
        "\"ValueAnnotation\"],\"name\":\"u\",\"schema\":\"double\",\"annotates\":\"v\"},{\"@type\":[\"Telemetry\",\"ValueAnnotation\"],"
        "\"name\":\"v\",\"schema\":\"double\",\"annotates\":\"t\"}]") },
    { "notSiblingRequiredType", EXT("3", "annotation;2", "\"@type\":\"Interface\",\"contents\":[{\"@type\":\"Command\",\"name\":\"c\"},"
        "{\"@type\":[\"Telemetry\",\"ValueAnnotation\"],\"name\":\"v\",\"schema\":\"double\",\"annotates\":\"c\"}]") },
    { "noMatchingSupplementalProperty", EXT("3", "annotation;2\",\"dtmi:dtdl:extension:quantitativeTypes;1\",\"dtmi:dtdl:extension:"
        "overriding;2", "\"@type\":\"Interface\",\"contents\":[" TEL("") ",{\"@type\":[\"Property\",\"ValueAnnotation\",\"Override\"],"
        "\"name\":\"v\",\"schema\":\"TemperatureUnit\",\"annotates\":\"t\",\"overrides\":\"unit\"}]") },
    { "missingSupplementalIdentifierProperty", QT("3", "annotation;2\",\"dtmi:dtdl:extension:overriding;2",
        "\"@type\":[\"Property\",\"ValueAnnotation\",\"Override\"],\"schema\":\"double\",\"annotates\":\"t\"") },
};

static bool has_rule(const gm_findings *found, const char *rule)
{
    char id[128];
    snprintf(id, sizeof id, "%s%s", rule[0] == ':' ? "dtmi:gemel:parsingError" : "dtmi:dtdl:parsingError:", rule);
    for (size_t i = 0; i < found->count; i++) {
        if (gm_str_is(found->items[i].rule, id)) return true;
    }
    return false;
}

static void each_rule_is_enforced_and_no_more(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gm_model       *model = gm_model_create(gm_alloc_system());
        gm_model_source src   = { .text = gm_str_of(rows[i].text) };
        gm_findings     found;
        gm_error        err = {0};
        gm_status       st  = gm_model_add(model, &src, 1, &found, &err);
        bool fits = rows[i].rule == NULL ? st == GM_OK && found.count == 0 : st == GM_INVALID && has_rule(&found, rows[i].rule);
        if (!fits) {
            wrong++;
            print_error("row %zu wants %s, found %s: %s\n", i, rows[i].rule != NULL ? rows[i].rule : "nothing",
                        found.count > 0 ? found.items[0].rule.ptr : "nothing", rows[i].text);
        }
        for (size_t k = 0; k < found.count; k++) {
            assert_true(found.items[k].text.len > 10 && found.items[k].line > 0 && found.items[k].column > 0);
        }
        gm_findings_finish(&found);
        gm_model_destroy(model);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_rule_is_enforced_and_no_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
