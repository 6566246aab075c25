// Every element of DTDL with every way to break it, in every version: the cases are made from the tables of the language
// specifications (sections "DTDL element", "Representational literal", "Localizable string") as they are written down
// here again, not from those that the parser reads, so a slip in either shows.
#include "model/dtdl_case.h"

#include "support/support.h"

#include <stdio.h>
#include <string.h>

enum { V2 = 1, V3 = 2, V4 = 4, V34 = 6, ALL = 7 };

typedef enum kind { TEXT, LANG, NAME, TRUTH, WHOLE, LITERAL, DTMI, TERM, SCHEMA, ELEMENT, LIST } kind;

typedef struct member {
    const char *name;
    kind        kind;
    unsigned    versions;
    bool        required;
    const char *value;   // one that is right
} member;

typedef struct element {
    const char *name;
    unsigned    versions;
    bool        untyped;   // "@type" may be left out
    bool        keyed;     // one of several, known by its name
    const char *head;      // what stands first inside the braces: an "@id" where one is needed
    const char *before, *after;  // around the braces, inside the Interface
    member      members[8];
} element;

#define SCHEMAS "\"schemas\":{\"@id\":\"dtmi:t:s;1\","
#define DOUBLE "\"double\""
#define FIELD "{\"name\":\"f\",\"schema\":\"double\"}"
#define NAMED { "name", NAME, ALL, true, "\"n\"" }
#define WITH_SCHEMA { "schema", SCHEMA, ALL, true, DOUBLE }
#define WRITABLE { "writable", TRUTH, ALL, false, "true" }
#define NULLABLE { "nullable", TRUTH, V4, false, "true" }

static const element elements[] = {
    { "Interface", ALL, false, false, NULL, NULL, NULL,
      { { "contents", LIST, ALL, false, "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"}" },
        { "extends", LIST, ALL, false, "{\"@id\":\"dtmi:t:B;1\",\"@type\":\"Interface\"}" },
        { "schemas", LIST, ALL, false, "{\"@id\":\"dtmi:t:m;1\",\"@type\":\"Enum\",\"valueSchema\":\"string\","
          "\"enumValues\":{\"name\":\"a\",\"enumValue\":\"a\"}}" } } },
    { "Telemetry", ALL, false, true, "", "\"contents\":[", "]", { NAMED, WITH_SCHEMA } },
    { "Property", ALL, false, true, "", "\"contents\":[", "]", { NAMED, WITH_SCHEMA, WRITABLE } },
    { "Command", ALL, false, true, "", "\"contents\":[", "]",
      { NAMED, { "request", ELEMENT, ALL, false, FIELD }, { "response", ELEMENT, ALL, false, FIELD },
        { "commandType", TERM, ALL, false, "\"synchronous\"" } } },
    { "Relationship", ALL, false, true, "", "\"contents\":[", "]",
      { NAMED, { "maxMultiplicity", WHOLE, ALL, false, "7" }, { "minMultiplicity", WHOLE, ALL, false, "0" },
        { "target", DTMI, ALL, false, "\"dtmi:nowhere:B;1\"" }, WRITABLE,
        { "properties", LIST, ALL, false, "{\"@type\":\"Property\",\"name\":\"x\",\"schema\":\"double\"}" } } },
    { "Component", ALL, false, true, "", "\"contents\":[", "]",
      { NAMED, { "schema", ELEMENT, ALL, true, "{\"@id\":\"dtmi:t:B;1\",\"@type\":\"Interface\"}" } } },
    { "CommandPayload", V2, true, false, "", "\"contents\":{\"@type\":\"Command\",\"name\":\"c\",\"request\":", "}",
      { NAMED, WITH_SCHEMA } },
    { "CommandRequest", V34, true, false, "", "\"contents\":{\"@type\":\"Command\",\"name\":\"c\",\"request\":", "}",
      { NAMED, WITH_SCHEMA, NULLABLE } },
    { "CommandResponse", V34, true, false, "", "\"contents\":{\"@type\":\"Command\",\"name\":\"c\",\"response\":", "}",
      { NAMED, WITH_SCHEMA, NULLABLE } },
    { "Array", ALL, false, false, "\"@id\":\"dtmi:t:s;1\",", "\"schemas\":[", "]",
      { { "elementSchema", SCHEMA, ALL, true, DOUBLE } } },
    { "Enum", ALL, false, false, "\"@id\":\"dtmi:t:s;1\",", "\"schemas\":[", "]",
      { { "valueSchema", TERM, ALL, true, "\"integer\"" },
        { "enumValues", LIST, V2, true, "{\"name\":\"a\",\"enumValue\":1}" },
        { "enumValues", LIST, V34, false, "{\"name\":\"a\",\"enumValue\":1}" } } },
    { "Map", ALL, false, false, "\"@id\":\"dtmi:t:s;1\",", "\"schemas\":[", "]",
      { { "mapKey", ELEMENT, ALL, true, "{\"name\":\"k\",\"schema\":\"string\"}" },
        { "mapValue", ELEMENT, ALL, true, "{\"name\":\"v\",\"schema\":\"double\"}" } } },
    { "Object", ALL, false, false, "\"@id\":\"dtmi:t:s;1\",", "\"schemas\":[", "]",
      { { "fields", LIST, V2, true, FIELD }, { "fields", LIST, V34, false, FIELD } } },
    { "EnumValue", ALL, true, true, "", SCHEMAS "\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[", "]}",
      { NAMED, { "enumValue", LITERAL, ALL, true, "3" } } },
    { "Field", ALL, true, true, "", SCHEMAS "\"@type\":\"Object\",\"fields\":[", "]}", { NAMED, WITH_SCHEMA } },
    { "MapKey", ALL, true, false, "",
      SCHEMAS "\"@type\":\"Map\",\"mapValue\":{\"name\":\"v\",\"schema\":\"double\"},\"mapKey\":", "}",
      { NAMED, { "schema", TERM, ALL, true, "\"string\"" } } },
    { "MapValue", ALL, true, false, "",
      SCHEMAS "\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":", "}",
      { NAMED, WITH_SCHEMA } },
};

static const member common[] = { { "comment", TEXT, ALL, false, "\"why\"" },
                                 { "description", LANG, ALL, false, "\"what\"" },
                                 { "displayName", LANG, ALL, false, "\"how\"" } };

// ---- writing a case ----

typedef struct sheet {
    const element *e;
    unsigned       v;
    gm_buf         text;     // the list of cases
    gm_buf         labels;   // one line for each
    size_t         count;
} sheet;

static unsigned bit_of(unsigned version) { return 1u << (version - 2); }

// "<512>" inside a value stands for that many letters.
static void write_value(gm_buf *to, const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned n;
        int      used = 0;
        if (*value != '<' || sscanf(value, "<%u>%n", &n, &used) != 1 || used == 0) {
            gm_buf_printf(to, "%c", *value);
            continue;
        }
        for (unsigned i = 0; i < n; i++) gm_buf_text(to, "x");
        value += used - 1;
    }
}

// What one case changes: "@type" (NULL: as usual, "": none), one member replaced, left out or put before the others.
typedef struct change { const char *type, *id, *name, *value, *extra, *context, *beside; } change;

static void comma(gm_buf *to)
{
    gm_str text = gm_buf_view(to);
    if (text.ptr[text.len - 1] != '{' && text.ptr[text.len - 1] != ',') gm_buf_text(to, ",");
}

static void write_member(gm_buf *to, const char *name, const char *value)
{
    comma(to);
    gm_buf_printf(to, "\"%s\":", name);
    write_value(to, value);
}

static void write_members(sheet *s, gm_buf *to, const change *c)
{
    for (const member *m = s->e->members; m->name != NULL; m++) {
        bool changed = c->name != NULL && strcmp(c->name, m->name) == 0;
        if ((m->versions & bit_of(s->v)) == 0 || (!m->required && !changed)) continue;
        if (changed && c->value == NULL) continue;
        write_member(to, m->name, changed ? c->value : m->value);
    }
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (c->name != NULL && strcmp(c->name, common[i].name) == 0 && c->value != NULL)
            write_member(to, c->name, c->value);
    }
    if (c->extra == NULL) return;
    comma(to);
    write_value(to, c->extra);
}

static void write_element(sheet *s, gm_buf *to, const change *c)
{
    bool        top  = s->e->before == NULL;
    const char *head = c->id != NULL ? c->id : top ? "\"@id\":\"dtmi:t:A;1\"," : s->e->head;
    gm_buf_text(to, "{");
    if (c->context != NULL) gm_buf_printf(to, "\"@context\":%s,", c->context);
    else if (top) gm_buf_printf(to, "\"@context\":\"dtmi:dtdl:context;%u\",", s->v);
    write_value(to, head);
    if (c->type == NULL) gm_buf_printf(to, "\"@type\":\"%s\"", s->e->name);
    else if (c->type[0] != '\0') gm_buf_printf(to, "\"@type\":%s", c->type);
    write_members(s, to, c);
    if (gm_str_ends(gm_buf_view(to), GM_STR(","))) to->len--;
    gm_buf_text(to, "}");
}

// One case that has to be valid (rule NULL) or broken by that rule ("*": by any).
static void add(sheet *s, const char *rule, const change *c)
{
    gm_buf *to = &s->text;
    gm_buf_text(to, s->count > 0 ? ",\n{\"input\":[" : "{\"input\":[");
    size_t start = gm_buf_view(to).len;
    if (s->e->before == NULL) {
        write_element(s, to, c);
    } else {
        gm_buf_printf(to, "{\"@context\":\"dtmi:dtdl:context;%u\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",%s", s->v,
                      s->e->before);
        write_element(s, to, c);
        gm_buf_printf(to, "%s}", s->e->after);
    }
    if (c->beside != NULL) gm_buf_printf(to, ",%s", c->beside);
    size_t end = gm_buf_view(to).len;
    gm_str doc = gm_str_slice(gm_buf_view(to), start, end);
    gm_buf_printf(&s->labels, "%s: " GM_STR_FMT "\n", rule != NULL ? rule : "valid",
                  GM_STR_ARG(gm_str_slice(doc, 0, doc.len < 600 ? doc.len : 600)));
    gm_buf_printf(to, "],\"valid\":%s", rule == NULL ? "true" : "false");
    if (rule != NULL && rule[0] != '*') {
        gm_buf_printf(to, ",\"expect\":{\"parsingErrors\":[{\"ValidationID\":\"dtmi:dtdl:parsingError:%s\"}]}", rule);
    }
    gm_buf_text(to, "}");
    s->count++;
}

#define ADD(s, rule, ...) add((s), (rule), &(change){ __VA_ARGS__ })

// ---- the families ----

static void types(sheet *s)
{
    const char *name = s->e->name;
    bool        top = s->e->before == NULL;
    const char *bad  = top ? "typeNotRootable" : "badType", *informal = s->v == 2 ? NULL : "typeUndefinedTerm";
    char        type[256];
#define TYPE(rule, ...) (snprintf(type, sizeof type, __VA_ARGS__), ADD(s, rule, .type = type))
    ADD(s, NULL, .type = NULL);
    bool bare = strcmp(name, "Object") == 0 && s->v > 2;  // with its "@id" alone it is taken for a reference
    ADD(s, s->e->untyped ? NULL : bare ? "*" : bad, .type = "");
    TYPE(NULL, "[\"%s\"]", name);
    TYPE(NULL, "[\"%s\",\"%s\"]", name, name);
    TYPE(NULL, "\"dtmi:dtdl:class:%s;%u\"", name, s->v);
    TYPE(NULL, "[\"%s\",\"dtmi:dtdl:class:%s;%u\"]", name, name, s->v);
    TYPE("*", "\"dtmi:dtdl:class:%s;%u\"", name, s->v == 2 ? 3 : s->v - 1);
    TYPE("*", "[\"%s\",7]", name);
    TYPE(bad, "7");
    TYPE(bad, "[]");
    TYPE(bad, "\"Unit\"");
    TYPE(bad, "\"Entity\"");
    bool content = s->e->before != NULL && strstr(s->e->before, "contents\":[") != NULL;
    TYPE(bad, "\"%s\"", content ? "Field" : "Telemetry");
    TYPE(informal, "[\"%s\",\"Whatever\"]", name);
    TYPE("typeInvalidDtmi", "[\"%s\",\"dtmi:9\"]", name);
    TYPE(s->v == 2 ? NULL : "typeNotDtmiNorTerm", "[\"%s\",\"ex:what\"]", name);
    TYPE("typeIrrelevantDtmiOrTerm", "[\"%s\",\"displayName\"]", name);
    TYPE("typeIrrelevantDtmiOrTerm", "[\"%s\",\"dtmi:ex:what;1\"]", name);
#undef TYPE
}

static void identifiers(sheet *s)
{
    bool top = s->e->before == NULL, needed = top || strstr(s->e->head, "@id") != NULL;
    char other[160];
    snprintf(other, sizeof other, "{\"@context\":\"dtmi:dtdl:context;%u\",\"@id\":\"dtmi:t:x;1\",\"@type\":\"Interface\"}", s->v);
    if (needed) ADD(s, top ? "missingTopLevelId" : "missingRequiredId", .id = "");
    ADD(s, NULL, .id = "\"@id\":\"dtmi:t:x;1\",");
    ADD(s, "duplicateDefinition", .id = "\"@id\":\"dtmi:t:x;1\",", .beside = other);
    ADD(s, "idNotString", .id = "\"@id\":7,");
    ADD(s, "idNotString", .id = "\"@id\":[\"dtmi:t:x;1\"],");
    ADD(s, "repeatedIdProperty", .id = "\"@id\":\"dtmi:t:x;1\",\"@id\":\"dtmi:t:y;1\",");
    static const struct { unsigned versions; const char *id; } wrong[] = {
        { ALL, "x" }, { ALL, "dtmi:" }, { ALL, "dtmi:;1" }, { ALL, "dtmi:a:;1" }, { ALL, "dtmi:1a;1" },
        { ALL, "dtmi:a b;1" }, { ALL, "dtmi:a_;1" }, { ALL, "dtmi:_a;1" }, { ALL, "dtmi:a:_b;1" }, { ALL, "dtmi:a;0" },
        { ALL, "dtmi:a;01" }, { ALL, "dtmi:a;1234567890" }, { ALL, "dtmi:a;" }, { ALL, "dtmi:a;x" }, { ALL, "DTMI:a;1" },
        { ALL, "dtmi:a;1#b" }, { ALL, "http://a" }, { ALL, "dtmi:a;1.0" }, { ALL, "dtmi:a;1.1234567" }, { ALL, "dtmi:a;1." },
        { ALL, "dtmi:a;1.01" }, { ALL, "dtmi:\u00e4;1" }, { V2, "dtmi:a" }, { V2, "dtmi:a;1.1" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char id[128];
        if ((wrong[i].versions & bit_of(s->v)) == 0) continue;
        snprintf(id, sizeof id, "\"@id\":\"%s\",", wrong[i].id);
        ADD(s, "invalidId", .id = id);
    }
    ADD(s, NULL, .id = "\"@id\":\"dtmi:a_1:B2;999999999\",");
    if (s->v > 2) ADD(s, NULL, .id = "\"@id\":\"dtmi:a\",");
    if (s->v > 2) ADD(s, NULL, .id = "\"@id\":\"dtmi:a;999999999.999999\",");
    ADD(s, "reservedId", .id = "\"@id\":\"dtmi:dtdl:x;1\",");
    ADD(s, "reservedId", .id = "\"@id\":\"dtmi:standard:x;1\",");
    bool small = strcmp(s->e->name, "Interface") == 0;
    ADD(s, NULL, .id = small ? "\"@id\":\"dtmi:<121>;1\"," : "\"@id\":\"dtmi:<2041>;1\",");
    ADD(s, small ? "idTooLongForType" : "idTooLong", .id = small ? "\"@id\":\"dtmi:<122>;1\"," : "\"@id\":\"dtmi:<2042>;1\",");
}

static void contexts(sheet *s)
{
    bool        top = s->e->before == NULL;
    char        own[64], both[128], later[64];
    snprintf(own, sizeof own, "\"dtmi:dtdl:context;%u\"", s->v);
    snprintf(both, sizeof both, "[\"dtmi:dtdl:context;%u\",\"dtmi:dtdl:context;%u\"]", s->v, s->v);
    snprintf(later, sizeof later, "\"dtmi:dtdl:context;%u\"", s->v + 1);
    ADD(s, NULL, .context = own);
    ADD(s, NULL, .context = both);
    ADD(s, "unrecognizedContextVersion", .context = "\"dtmi:dtdl:context;9\"");
    ADD(s, "unrecognizedContextVersion", .context = "\"dtmi:dtdl:context;2.1\"");
    ADD(s, "invalidContextSpecifier", .context = "\"dtmi:dtdl:context;z\"");
    ADD(s, s->v == 2 ? NULL : "unresolvableContextSpecifier", .context = top ? s->v == 2 ? "[\"dtmi:dtdl:context;2\",\"dtmi:ex:b;1\"]"
        : s->v == 3 ? "[\"dtmi:dtdl:context;3\",\"dtmi:ex:b;1\"]" : "[\"dtmi:dtdl:context;4\",\"dtmi:ex:b;1\"]" : "\"dtmi:ex:b;1\"");
    if (top) {
        ADD(s, "emptyContext", .context = "[]");
        ADD(s, "missingDtdlContext", .context = "\"dtmi:ex:b;1\"");
        ADD(s, "missingDtdlContext", .context = "\"http://ex\"");
        ADD(s, "*", .context = "7");
        ADD(s, "*", .context = "{\"a\":\"b\"}");
    } else {
        ADD(s, NULL, .context = "[]");
        ADD(s, "nonDtmiContextSpecifier", .context = "\"http://ex\"");
        if (s->v < 4) ADD(s, "disallowedVersionDefinition", .context = later);
        ADD(s, "disallowedLocalContext", .context = "{\"a\":\"b\"}");
    }
}

static void strangers(sheet *s)
{
    const char *unknown = s->e->untyped ? "*" : "noTypeThatAllows";
    ADD(s, s->v == 2 ? unknown : "propertyUndefinedTerm", .extra = "\"whatever\":1");
    ADD(s, s->v == 2 ? unknown : "propertyIrrelevantDtmiOrTerm", .extra = "\"dtmi:ex:a;1\":1");
    ADD(s, s->v == 2 ? unknown : "propertyIrrelevantDtmiOrTerm", .extra = "\"languageMajorVersion\":1");
    ADD(s, s->v == 2 ? unknown : "propertyInvalidDtmi", .extra = "\"dtmi:9\":1");
    ADD(s, s->v == 2 ? unknown : "propertyNotDtmiNorTerm", .extra = "\"ex:a\":1");
    ADD(s, s->v == 2 ? NULL : s->e->before == NULL ? "topLevelKeywordDisallowed" : "keywordDisallowed", .extra = "\"@list\":1");
    ADD(s, s->e->before == NULL ? "topLevelGraphDisallowed" : "graphDisallowed", .extra = "\"@graph\":[]");
    char type[128];
    if (s->v == 2) {
        snprintf(type, sizeof type, "[\"%s\",\"Whatever\"]", s->e->name);
        ADD(s, NULL, .type = type, .extra = "\"whatever\":1");
    }
    static const char *const members[] = { "contents", "extends", "schemas", "schema", "writable", "request", "target",
                                           "elementSchema", "fields", "enumValue", "valueSchema", "mapKey", "nullable",
                                           "properties", "minMultiplicity" };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        bool own = false;
        for (const member *m = s->e->members; m->name != NULL; m++) own = own || strcmp(m->name, members[i]) == 0;
        bool undefined = strcmp(members[i], "nullable") == 0 && s->v == 3;
        if (own && strcmp(members[i], "nullable") != 0) continue;
        if (own && s->v == 4) continue;
        char extra[64];
        snprintf(extra, sizeof extra, "\"%s\":1", members[i]);
        ADD(s, s->v == 2 ? unknown : undefined ? "propertyUndefinedTerm" : "propertyIrrelevantDtmiOrTerm", .extra = extra);
    }
}

typedef struct value_case { const char *value, *rule; } value_case;

static void each(sheet *s, const member *m, const value_case *list, size_t n)
{
    for (size_t i = 0; i < n; i++) ADD(s, list[i].rule, .name = m->name, .value = list[i].value);
}
#define EACH(s, m, ...) each((s), (m), (const value_case[]){ __VA_ARGS__ }, \
                             sizeof(value_case[]){ __VA_ARGS__ } / sizeof(value_case))

// "string", "integer", "boolean": value objects of every shape. right and wrong are bare values.
static void representational(sheet *s, const member *m, const char *word, const char *right, const char *wrong)
{
    const struct { const char *shape, *rule; } shapes[] = {
        { "%s", NULL }, { "[%s]", NULL }, { "{\"@value\":%s}", NULL }, { "{\"@value\":%s,\"@type\":\"xsd:%k\"}", NULL },
        { "{\"@value\":%s,\"@type\":\"http://www.w3.org/2001/XMLSchema#%k\"}", NULL }, { "%w", "Not%K" },
        { "[%s,%s]", "MultipleValues" }, { "{}", "ObjectNoValue" }, { "{\"@type\":\"xsd:%k\"}", "ObjectNoValue" },
        { "{\"@value\":%w}", "ValueNot%K" }, { "{\"@value\":%s,\"@type\":\"xsd:date\"}", "TypeNot%K" },
        { "{\"@value\":%s,\"@type\":\"%k\"}", "TypeNot%K" }, { "{\"@value\":%s,\"@type\":7}", ":literalTypeNotSingular" },
        { "{\"@value\":%s,\"x\":1}", ":valueObjectInvalidProp" }, { "{\"@value\":%s,\"@id\":\"x\"}", ":valueObjectId" },
        { "{\"@value\":%s,\"@graph\":1}", ":valueObjectGraph" }, { "{\"@value\":%s,\"@context\":1}", ":valueObjectContext" },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char texts[2][256];
        for (int which = 0; which < 2; which++) {
            const char *from = which == 0 ? shapes[i].shape : shapes[i].rule != NULL ? shapes[i].rule : "";
            size_t      n = 0;
            if (which == 1 && from[0] != '\0' && from[0] != ':') n += (size_t)sprintf(texts[1], "%s", word);
            for (from += from[0] == ':'; *from != '\0'; from++) {
                if (*from != '%') texts[which][n++] = *from;
                else if (*++from == 'K') n += (size_t)sprintf(texts[which] + n, "%c%s", word[0] - 32, word + 1);
                else n += (size_t)sprintf(texts[which] + n, "%s", *from == 's' ? right : *from == 'w' ? wrong : word);
            }
            texts[which][n] = '\0';
        }
        ADD(s, shapes[i].rule != NULL ? texts[1] : NULL, .name = m->name, .value = texts[0]);
    }
}

static void language_maps(sheet *s, const member *m, bool short_one)
{
    static const char *const codes[] = { "en", "de", "sr-Latn", "sr-Latn-RS", "en-US", "es-419", "gsw" };
    static const char *const wrong[] = { "", "e", "EN", "en_US", "en-us", "en-USA", "sr-latn", "abcde", "en-", "en-US-x" };
    char value[128];
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        snprintf(value, sizeof value, "{\"%s\":\"a\"}", codes[i]);
        ADD(s, NULL, .name = m->name, .value = value);
        snprintf(value, sizeof value, "[{\"@value\":\"a\",\"@language\":\"%s\"}]", codes[i]);
        ADD(s, NULL, .name = m->name, .value = value);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(value, sizeof value, "{\"%s\":\"a\"}", wrong[i]);
        ADD(s, "langStringInvalidCode", .name = m->name, .value = value);
        if (wrong[i][0] == '\0') continue;
        snprintf(value, sizeof value, "[{\"@value\":\"a\",\"@language\":\"%s\"}]", wrong[i]);
        ADD(s, "langStringElementInvalidCode", .name = m->name, .value = value);
    }
    EACH(s, m, { "\"a\"", NULL }, { "[\"a\"]", NULL }, { "[{\"@value\":\"a\"}]", NULL }, { "\"\"", NULL }, { "{}", NULL },
         { "[]", NULL }, { "[\"a\",{\"@value\":\"b\",\"@language\":\"de\"}]", NULL }, { "7", "langStringElementNotStringOrObject" },
         { "true", "langStringElementNotStringOrObject" }, { "[7]", "langStringElementNotStringOrObject" },
         { "[\"a\",\"b\"]", "langStringElementCodeNotUnique" }, { "{\"en\":7}", "langStringValueNotString" },
         { "[\"a\",{\"@value\":\"b\",\"@language\":\"en\"}]", "langStringElementCodeNotUnique" },
         { "[{\"@value\":\"a\",\"@language\":\"de\"},{\"@value\":\"b\",\"@language\":\"de\"}]", "langStringElementCodeNotUnique" },
         { "{\"en\":\"a\",\"en\":\"b\"}", "langStringCodeNotUnique" }, { "[{\"@language\":\"en\"}]", "langStringElementNoValue" },
         { "[{\"@value\":7}]", "langStringElementValueNotString" }, { "[{\"en\":\"a\"}]", "langStringElementNoValue" },
         { "[{\"@value\":\"a\",\"@language\":7}]", "langStringElementCodeNotString" },
         { "[{\"@value\":\"a\",\"x\":1}]", "langStringElementInvalidProp" },
         { "{\"@value\":\"a\",\"@language\":\"en\"}", "langTagValueInLangMap" });
    bool old = short_one && s->v == 2;
    ADD(s, NULL, .name = m->name, .value = old ? "\"<64>\"" : "\"<512>\"");
    ADD(s, "langStringValueTooLong", .name = m->name, .value = old ? "\"<65>\"" : "\"<513>\"");
    ADD(s, "langStringValueTooLong", .name = m->name, .value = "{\"de\":\"<513>\"}");
    ADD(s, "langStringValueTooLong", .name = m->name, .value = "[{\"@value\":\"<513>\"}]");
}

static void names(sheet *s, const member *m)
{
    static const char *const right[] = { "a", "A", "a1", "a_b", "a__b", "a1_2" },
                            *const wrong[] = { "", "1a", "_a", "a_", "a-b", "a b", "a.b", "\u00e4", "a\u00e4b", "a:b", "a/b" };
    char value[64];
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", right[i]);
        ADD(s, NULL, .name = m->name, .value = value);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", wrong[i]);
        ADD(s, "stringInvalid", .name = m->name, .value = value);
    }
    ADD(s, NULL, .name = m->name, .value = s->v == 2 ? "\"<64>\"" : "\"<512>\"");
    ADD(s, "stringTooLong", .name = m->name, .value = s->v == 2 ? "\"<65>\"" : "\"<513>\"");
    ADD(s, NULL, .name = m->name, .value = "[\"a\"]");
    ADD(s, NULL, .name = m->name, .value = "{\"@value\":\"a\"}");
    ADD(s, NULL, .name = m->name, .value = "{\"@value\":\"a\",\"@type\":\"xsd:string\"}");
    ADD(s, "stringTypeNotString", .name = m->name, .value = "{\"@value\":\"a\",\"@type\":\"xsd:integer\"}");
    ADD(s, "stringNotString", .name = m->name, .value = "7");
    ADD(s, s->e->keyed ? "dtmiSegPropertyNotStringOrNumber" : "stringNotString", .name = m->name, .value = "true");
    ADD(s, "*", .name = m->name, .value = "[\"a\",\"b\"]");
    ADD(s, "*", .name = m->name, .value = "[]");
    ADD(s, "stringMultipleValues", .id = "\"@id\":\"dtmi:t:x;1\",", .name = m->name, .value = "[\"a\",\"b\"]");
    ADD(s, "stringNotString", .id = "\"@id\":\"dtmi:t:x;1\",", .name = m->name, .value = "true");
    ADD(s, "stringObjectNoValue", .id = "\"@id\":\"dtmi:t:x;1\",", .name = m->name, .value = "{}");
}

static void schemas(sheet *s, const member *m)
{
    static const struct { const char *name; unsigned versions; } known[] = {
        { "boolean", ALL }, { "date", ALL }, { "dateTime", ALL }, { "double", ALL }, { "duration", ALL }, { "float", ALL },
        { "integer", ALL }, { "long", ALL }, { "string", ALL }, { "time", ALL }, { "byte", V4 }, { "bytes", V4 },
        { "decimal", V4 }, { "short", V4 }, { "unsignedByte", V4 }, { "unsignedInteger", V4 }, { "unsignedLong", V4 },
        { "unsignedShort", V4 }, { "uuid", V4 },
    };
    char value[128];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        bool has = (known[i].versions & bit_of(s->v)) != 0;
        snprintf(value, sizeof value, "\"%s\"", known[i].name);
        bool unit = s->v == 2 && strcmp(known[i].name, "byte") == 0;  // one of version 2's own units
        ADD(s, has ? NULL : unit ? "badType" : "badDtmiOrTerm", .name = m->name, .value = value);
        snprintf(value, sizeof value, "\"dtmi:dtdl:instance:Schema:%s;%u\"", known[i].name, s->v);
        ADD(s, has ? NULL : "undefinedReservedId", .name = m->name, .value = value);
        for (unsigned v = 2; v < s->v; v++) {
            snprintf(value, sizeof value, "\"dtmi:dtdl:instance:Schema:%s;%u\"", known[i].name, v);
            ADD(s, (known[i].versions & bit_of(v)) != 0 ? NULL : "undefinedReservedId", .name = m->name, .value = value);
        }
        snprintf(value, sizeof value, "{\"@type\":\"%c%s\"}", known[i].name[0] - 32, known[i].name + 1);
        ADD(s, "badType", .name = m->name, .value = value);
    }
    static const char *const places[] = { "point", "lineString", "polygon", "multiPoint", "multiLineString", "multiPolygon" };
    bool flat = s->v == 2 && strcmp(s->e->name, "Property") == 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", places[i]);
        bool deep = s->v < 4 && strcmp(places[i], "multiPolygon") == 0 && strcmp(m->name, "elementSchema") == 0;
        ADD(s, flat ? "excludedType" : deep || (s->v < 4 && strcmp(s->e->name, "Field") == 0 && i == 5) ||
            (s->v < 4 && strcmp(s->e->name, "MapValue") == 0 && i == 5) ? "excessiveDepthWide" : NULL, .name = m->name, .value = value);
        snprintf(value, sizeof value, "\"dtmi:standard:schema:geospatial:%s;%u\"", places[i], s->v);
        if (i < 5) ADD(s, flat ? "excludedType" : NULL, .name = m->name, .value = value);
    }
    ADD(s, s->v == 4 ? NULL : "badDtmiOrTerm", .name = m->name, .value = "\"scaledDecimal\"");
    EACH(s, m, { "{\"@type\":\"Object\",\"fields\":" FIELD "}", NULL },
         { "{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":{\"name\":\"a\",\"enumValue\":\"a\"}}", NULL },
         { "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"long\"}}", NULL },
         { "{\"@type\":\"Interface\",\"@id\":\"dtmi:t:x;1\"}", "badType" }, { "{\"@type\":\"Telemetry\"}", "badType" },
         { "{\"@type\":\"Unit\"}", "badType" }, { "\"synchronous\"", "badType" }, { "\"whatever\"", "badDtmiOrTerm" },
         { "\"displayName\"", "undefinedReservedId" });
    ADD(s, flat ? "excludedType" : NULL, .name = m->name, .value = "{\"@type\":\"Array\",\"elementSchema\":\"double\"}");
}

static void objects(sheet *s, const member *m)
{
    bool plural = m->kind == LIST;
    char value[1100], again[512];
    snprintf(again, sizeof again, "%s", m->value);
    snprintf(value, sizeof value, "[%s]", m->value);
    ADD(s, NULL, .name = m->name, .value = value);
    EACH(s, m, { "7", "refNotStringOrObject" }, { "true", "refNotStringOrObject" }, { "[7]", "refNotStringOrObject" },
         { "\"\"", "badDtmiOrTerm" }, { "\"whatever\"", "badDtmiOrTerm" }, { "\"dtmi:9\"", "badDtmiOrTerm" },
         { "\"ex:a\"", "badDtmiOrTerm" }, { "\"dtmi:dtdl:nothing;1\"", "undefinedReservedId" }, { "\"dtmi:t:A;1#x\"", "badDtmiOrTerm" },
         { "\"dtmi:t:_x;1\"", "badDtmiOrTerm" });
    if (m->kind != TERM) ADD(s, "idReference", .name = m->name, .value = "{\"@id\":\"dtmi:t:x;1\"}");
    if (m->kind == TERM) ADD(s, "refObjectNotAllowed", .name = m->name, .value = "{\"@type\":\"Integer\"}");
    if (strcmp(m->name, "extends") != 0 && strcmp(s->e->name, "Component") != 0)
        ADD(s, "badType", .name = m->name, .value = "\"dtmi:t:A;1\"");
    ADD(s, m->required ? "objectCountBelowMin" : NULL, .name = m->name, .value = "[]");
    if (plural) return;
    snprintf(value, sizeof value, "[%s,%s]", m->value, again);
    ADD(s, m->value[0] == '"' || strstr(m->value, "@id") == NULL ? "objectMultipleValues" : "*", .name = m->name, .value = value);
}

static void one_member(sheet *s, const member *m)
{
    char extra[512];
    gm_buf value = gm_buf_init(gm_alloc_system());
    write_value(&value, m->value);
    gm_buf_text(&value, "");
    snprintf(extra, sizeof extra, "\"dtmi:dtdl:property:%s;%u\":" GM_STR_FMT, m->name, s->v, GM_STR_ARG(gm_buf_view(&value)));
    gm_buf_finish(&value);
    ADD(s, NULL, .name = m->name, .value = m->value);
    ADD(s, NULL, .name = m->name, .extra = extra);
    ADD(s, strstr(m->value, "\"@id\"") != NULL ? "*" : "duplicatePropertyName", .name = m->name, .value = m->value, .extra = extra);
    if (m->required) {
        bool name = m->kind == NAME;
        ADD(s, name && s->e->keyed ? "missingDtmiSegPropertyValue" : m->kind >= TERM ? "missingObjectProperty" : "missingLiteralProperty",
            .name = m->name);
        if (name) ADD(s, "missingLiteralProperty", .id = "\"@id\":\"dtmi:t:x;1\",", .name = m->name);
    }
    switch (m->kind) {
    case TEXT:
        representational(s, m, "string", "\"a\"", "7");
        ADD(s, NULL, .name = m->name, .value = "\"<512>\"");
        ADD(s, "stringTooLong", .name = m->name, .value = "\"<513>\"");
        ADD(s, "stringTooLong", .name = m->name, .value = "{\"@value\":\"<513>\"}");
        break;
    case LANG: language_maps(s, m, strcmp(m->name, "displayName") == 0); break;
    case NAME: names(s, m); break;
    case TRUTH: representational(s, m, "boolean", "true", "\"true\""); break;
    case WHOLE:
        representational(s, m, "integer", m->value, "\"1\"");
        EACH(s, m, { "1.5", "integerNotInteger" }, { "true", "integerNotInteger" }, { "2147483648", "integerNotInteger" },
             { "-2147483649", "integerNotInteger" }, { "{\"@value\":1.5}", "integerValueNotInteger" });
        if (m->value[0] == '0') {
            ADD(s, "valueNotExact", .name = m->name, .value = "1");
            ADD(s, "valueNotExact", .name = m->name, .value = "-1");
        } else {
            ADD(s, s->v == 2 ? "valueBelowRange" : "valueBelowMin", .name = m->name, .value = "0");
            ADD(s, NULL, .name = m->name, .value = "500");
            ADD(s, s->v == 2 ? "valueAboveRange" : NULL, .name = m->name, .value = "501");
        }
        break;
    case LITERAL:
        EACH(s, m, { "[3]", NULL }, { "{\"@value\":3}", NULL }, { "{\"@value\":3,\"@type\":\"xsd:integer\"}", NULL }, { "-3", NULL },
             { "\"3\"", "nonConformantDatatype" }, { "true", "nonConformantDatatype" }, { "1.5", "nonConformantDatatype" },
             { "[3,4]", "literalMultipleValues" }, { "{}", "literalObjectNoValue" }, { "2147483647", NULL },
             { "2147483648", "nonConformantDatatype" });
        break;
    case DTMI:
        EACH(s, m, { "[\"dtmi:a;1\"]", NULL }, { "7", "identifierNotString" }, { "\"a\"", "identifierNotDtmi" },
             { "\"http://a\"", "identifierNotDtmi" }, { "{\"@id\":\"dtmi:a;1\"}", "identifierNotString" },
             { "\"dtmi:t:_a;1\"", "identifierNotDtmi" }, { "\"dtmi:t:a;0\"", "identifierNotDtmi" },
             { "[\"dtmi:a;1\",\"dtmi:b;1\"]", "identifierMultipleValues" }, { "\"dtmi:<2041>;1\"", NULL },
             { "\"dtmi:t:A;1\"", NULL });
        ADD(s, s->v == 2 ? "identifierNotDtmi" : NULL, .name = m->name, .value = "\"dtmi:a\"");
        break;
    case TERM:
        objects(s, m);
        EACH(s, m, { "\"float\"", "badType" }, { "\"point\"", "badType" });
        break;
    case SCHEMA: schemas(s, m); objects(s, m); break;
    case ELEMENT: case LIST: objects(s, m); break;
    }
}

static int check(sheet *s)
{
    gm_buf_text(&s->text, "]");
    gm_buf   out = gm_buf_init(gm_alloc_system());
    gm_error err = {0};
    bool     ok;
    int      wrong = 0;
    assert_gm_ok(gm_dtdl_case_run(gm_alloc_system(), gm_buf_view(&s->text), &out, &ok, &err), err);
    gm_str lines = gm_buf_view(&out), labels = gm_buf_view(&s->labels), line, label;
    while (gm_str_next(&lines, '\n', &line) && gm_str_next(&labels, '\n', &label)) {
        if (gm_str_ends(line, GM_STR(" ok"))) continue;
        wrong++;
        print_error("v%u %s " GM_STR_FMT "\n   " GM_STR_FMT "\n", s->v, s->e->name, GM_STR_ARG(line), GM_STR_ARG(label));
    }
    assert_int_equal(wrong == 0, ok);
    gm_buf_finish(&out);
    return wrong;
}

static void every_element_and_every_slip(void **state)
{
    (void)state;
    size_t all = 0;
    int    wrong = 0;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        for (unsigned v = 2; v <= 4; v++) {
            if ((elements[i].versions & bit_of(v)) == 0) continue;
            sheet s = { .e = &elements[i], .v = v, .text = gm_buf_init(gm_alloc_system()), .labels = gm_buf_init(gm_alloc_system()) };
            gm_buf_text(&s.text, "[");
            types(&s);
            identifiers(&s);
            contexts(&s);
            strangers(&s);
            for (const member *m = s.e->members; m->name != NULL; m++) {
                if ((m->versions & bit_of(v)) != 0) one_member(&s, m);
            }
            for (size_t k = 0; k < sizeof common / sizeof common[0]; k++) one_member(&s, &common[k]);
            wrong += check(&s);
            all += s.count;
            gm_buf_finish(&s.text);
            gm_buf_finish(&s.labels);
        }
    }
    print_message("%zu cases, %d differ\n", all, wrong);
    assert_true(all > 6000);
    assert_int_equal(wrong, 0);
}

// ---- extensions ----

typedef struct cotype {
    const char *extension;
    unsigned    from[5];   // by the extension's version: in which versions of DTDL, 0: none
    const char *term, *extra;
    const char *classes;   // that it can be added to, each between blanks
} cotype;

static const cotype cotypes[] = {
    { "annotation", { 0, V3, V34 }, "ValueAnnotation", "\"annotates\":\"z\"", " Property Telemetry " },
    { "historization", { 0, V3, V34 }, "Historized", NULL, " Property Telemetry " },
    { "requirement", { 0, V34 }, "Required", NULL, " Field " },
    { "mqtt", { 0, V3, V34, V34 }, "Mqtt", "\"payloadFormat\":\"Json/1\"", " Interface " },
    { "mqtt", { 0, V3, V34, V34 }, "Idempotent", NULL, " Command " },
    { "mqtt", { 0, V3, V34, V34 }, "Indexed", "\"index\":1", " EnumValue Field Telemetry " },
    { "mqtt", { 0, 0, 0, V34 }, "Error", NULL, " Object " },
    { "quantitativeTypes", { 0, V3, V4 }, "Temperature", "\"unit\":\"kelvin\"",
      " CommandRequest CommandResponse Field MapValue Property Telemetry " },
    { "quantitativeTypes", { 0, V3, V4 }, "RelativeHumidity", "\"unit\":\"percent\"",
      " CommandRequest CommandResponse Field MapValue Property Telemetry " },
};

static void one_cotype(sheet *s, const cotype *c, unsigned version)
{
    char context[160], type[128], blanks[64], long_type[256];
    bool top = s->e->before == NULL;
    snprintf(context, sizeof context, top ? "[\"dtmi:dtdl:context;%u\",\"dtmi:dtdl:extension:%s;%u\"]" : "%.0u\"dtmi:dtdl:extension:%s;%u\"",
             top ? s->v : 0, c->extension, version);
    snprintf(type, sizeof type, "[\"%s\",\"%s\"]", s->e->name, c->term);
    snprintf(blanks, sizeof blanks, " %s ", s->e->name);
    bool fits = strstr(c->classes, blanks) != NULL, known = (c->from[version] & bit_of(s->v)) != 0;
    const char *rule = !fits ? "invalidCotype" : known ? NULL : "invalidCotypeVersion";
    ADD(s, rule, .context = context, .type = type, .extra = c->extra);
    if (!fits || !known) return;
    ADD(s, "typeUndefinedTerm", .type = type, .extra = c->extra);
    if (strcmp(c->extension, "quantitativeTypes") == 0) {
        snprintf(long_type, sizeof long_type, "[\"%s\",\"dtmi:dtdl:extension:%s:v%u:class:%s\"]", s->e->name, c->extension, version, c->term);
        ADD(s, "missingSupplementalObjectProperty", .context = context, .type = type);
        ADD(s, "wrongParent", .context = context, .type = type, .extra = "\"unit\":\"metre\"");
        ADD(s, "badDtmiOrTerm", .context = context, .type = type, .extra = "\"unit\":\"what\"");
        ADD(s, "refNotStringOrObject", .context = context, .type = type, .extra = "\"unit\":7");
        ADD(s, "notRequiredType", .context = context, .type = type, .name = "schema", .value = "\"string\"", .extra = c->extra);
        ADD(s, "notRequiredType", .context = context, .type = type, .name = "schema", .value = "\"boolean\"", .extra = c->extra);
        ADD(s, NULL, .context = context, .type = type, .name = "schema", .value = "\"float\"", .extra = c->extra);
        ADD(s, NULL, .context = context, .type = type, .name = "schema", .value = "\"long\"", .extra = c->extra);
    } else {
        snprintf(long_type, sizeof long_type, "[\"%s\",\"dtmi:dtdl:extension:%s:v%u:%s\"]", s->e->name, c->extension, version, c->term);
        if (c->extra != NULL) ADD(s, "missingSupplementalLiteralProperty", .context = context, .type = type);
    }
    ADD(s, NULL, .context = context, .type = long_type, .extra = c->extra);
    ADD(s, "propertyUndefinedTerm", .context = context, .type = type, .extra = "\"whatever\":1");
    if (c->extra != NULL) ADD(s, "propertyIrrelevantDtmiOrTerm", .context = context, .extra = c->extra);
}

static void every_cotype_on_every_class(void **state)
{
    (void)state;
    size_t all = 0;
    int    wrong = 0;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        for (unsigned v = 3; v <= 4; v++) {
            if ((elements[i].versions & bit_of(v)) == 0) continue;
            sheet s = { .e = &elements[i], .v = v, .text = gm_buf_init(gm_alloc_system()), .labels = gm_buf_init(gm_alloc_system()) };
            gm_buf_text(&s.text, "[");
            for (size_t c = 0; c < sizeof cotypes / sizeof cotypes[0]; c++) {
                for (unsigned e = 1; e < 5; e++) {
                    if (cotypes[c].from[e] != 0) one_cotype(&s, &cotypes[c], e);
                }
            }
            wrong += check(&s);
            all += s.count;
            gm_buf_finish(&s.text);
            gm_buf_finish(&s.labels);
        }
    }
    print_message("%zu cases, %d differ\n", all, wrong);
    assert_int_equal(wrong, 0);
}

// The strings of the MQTT extension: topics are labels and {tokens} between slashes, service groups are one label.
static void topics_and_groups(void **state)
{
    (void)state;
    static const struct { const char *name, *value, *rule; } rows[] = {
        { "commandTopic", "a", NULL }, { "commandTopic", "a/b", NULL }, { "commandTopic", "{a}", NULL },
        { "commandTopic", "{a:b}/c", NULL }, { "commandTopic", "a/$b", NULL }, { "commandTopic", "a!%&'()*,-.:;<=>?@[]^_`|~", NULL },
        { "commandTopic", "", "stringInvalid" }, { "commandTopic", "/a", "stringInvalid" }, { "commandTopic", "a/", "stringInvalid" },
        { "commandTopic", "a//b", "stringInvalid" }, { "commandTopic", "$a", "stringInvalid" }, { "commandTopic", "a b", "stringInvalid" },
        { "commandTopic", "a/+", "stringInvalid" }, { "commandTopic", "#", "stringInvalid" }, { "commandTopic", "{}", "stringInvalid" },
        { "commandTopic", "{a1}", "stringInvalid" }, { "commandTopic", "{a:b:c}", "stringInvalid" }, { "commandTopic", "{:a}", "stringInvalid" },
        { "commandTopic", "{a:}", "stringInvalid" }, { "commandTopic", "a{b}", "stringInvalid" }, { "commandTopic", "a\u00e4", "stringInvalid" },
        { "telemetryTopic", "a/{b}", NULL }, { "telemetryTopic", "", "stringInvalid" }, { "telemetryTopic", "a+b", "stringInvalid" },
        { "cmdServiceGroupId", "g$1", NULL }, { "cmdServiceGroupId", "", "stringInvalid" }, { "cmdServiceGroupId", "a/b", "stringInvalid" },
        { "telemServiceGroupId", "g", NULL }, { "telemServiceGroupId", "a b", "stringInvalid" }, { "telemServiceGroupId", "{a}", "stringInvalid" },
    };
    sheet s = { .e = &elements[0], .v = 4, .text = gm_buf_init(gm_alloc_system()), .labels = gm_buf_init(gm_alloc_system()) };
    gm_buf_text(&s.text, "[");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char extra[256];
        snprintf(extra, sizeof extra, "\"payloadFormat\":\"x\",\"%s\":\"%s\"", rows[i].name, rows[i].value);
        ADD(&s, rows[i].rule, .context = "[\"dtmi:dtdl:context;4\",\"dtmi:dtdl:extension:mqtt;3\"]", .type = "[\"Interface\",\"Mqtt\"]",
            .extra = extra);
    }
    assert_int_equal(check(&s), 0);
    gm_buf_finish(&s.text);
    gm_buf_finish(&s.labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_element_and_every_slip),
                                        cmocka_unit_test(every_cotype_on_every_class), cmocka_unit_test(topics_and_groups) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
