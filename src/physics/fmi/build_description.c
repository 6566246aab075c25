// sources/buildDescription.xml of FMI 3.0 (3.0.1, 2.5.1.4) -> which files make the library of an interface.
#include "physics/fmi/build_description.h"

#include "physics/fmi/xml.h"

#include <libxml/parser.h>

// The attribute of every element of that name below `list`'s sets, as an array in the arena.
static void add(gm_xml_reader *r, const xmlNode *node, const char *element, const char *attribute, const gm_str **items, uint32_t *count)
{
    gm_str *all = gm_xml_array(r, *count + gm_xml_count_children(node), sizeof *all);
    if (all == NULL) return;
    for (uint32_t i = 0; i < *count; i++) all[i] = (*items)[i];
    *items = all;
    for (const xmlNode *c = node->children; r->st == GM_OK && c != NULL; c = c->next) {
        if (gm_xml_is(c, element)) all[(*count)++] = gm_xml_text_of(r, c, attribute);
    }
}

// NAME, or NAME=VALUE: one word for the compiler.
static void add_definitions(gm_xml_reader *r, const xmlNode *set, gm_fmu_sources *s)
{
    uint32_t first = s->definition_count;
    add(r, set, "PreprocessorDefinition", "name", &s->definitions, &s->definition_count);
    gm_str  *all = (gm_str *)(uintptr_t)s->definitions;
    for (const xmlNode *c = set->children; r->st == GM_OK && c != NULL; c = c->next) {
        if (!gm_xml_is(c, "PreprocessorDefinition")) continue;
        gm_str value = gm_xml_text_of(r, c, "value");
        if (value.ptr != NULL) all[first] = gm_arena_printf(r->arena, GM_STR_FMT "=" GM_STR_FMT, GM_STR_ARG(all[first]), GM_STR_ARG(value));
        first++;
    }
}

static void read_configuration(gm_xml_reader *r, const xmlNode *node, gm_fmu_sources *s)
{
    for (const xmlNode *c = node->children; r->st == GM_OK && c != NULL; c = c->next) {
        if (gm_xml_is(c, "SourceFileSet")) {
            gm_str language = gm_xml_text_of(r, c, "language");
            if (language.ptr != NULL && !gm_str_starts(language, GM_STR("C9")) && !gm_str_starts(language, GM_STR("C1")) && !gm_str_is(language, "C")) {
                s->language = language;
            }
            add(r, c, "SourceFile", "name", &s->files, &s->file_count);
            add(r, c, "IncludeDirectory", "name", &s->folders, &s->folder_count);
            add_definitions(r, c, s);
        }
    }
    add(r, node, "Library", "name", &s->libraries, &s->library_count);
}

gm_status gm_fmu_build_description_parse(gm_arena *arena, gm_str text, gm_fmu_description *d, gm_error *err)
{
    gm_xml_reader r   = { .arena = arena, .d = d, .err = err, .file = "buildDescription.xml" };
    xmlDocPtr     doc = text.len <= GM_FMU_DESCRIPTION_MAX ? gm_xml_parse(&r, text, "fmiBuildDescription") : NULL;
    if (doc == NULL && r.st == GM_OK) return gm_fail(err, GM_LIMIT, "fmi.description", "%zu bytes of buildDescription.xml", text.len);
    for (unsigned k = 0; r.st == GM_OK && k < GM_FMI_KIND_COUNT; k++) {
        gm_fmu_interface *i = &d->interfaces[k];
        for (const xmlNode *c = xmlDocGetRootElement(doc)->children; i->present && r.st == GM_OK && c != NULL; c = c->next) {
            if (!gm_xml_is(c, "BuildConfiguration") || !gm_str_eq(gm_xml_text_of(&r, c, "modelIdentifier"), i->identifier)) continue;
            read_configuration(&r, c, &i->sources);
            break;  // the first that is for this library
        }
    }
    xmlFreeDoc(doc);
    return r.st;
}
