// Handover Documentation (IDTA 02004-2-0): documents of a thing, each one version: its bytes as they are.
#include "aas/internal.h"
#include "aas/files.h"

#include <stdio.h>
#include <strings.h>

#define DOCUMENTS "0173-1#02-ABI500#003"

typedef struct document_class { const char *id, *name; const char *words[6]; } document_class;
// VDI 2770 Blatt 1:2020. By the words in a document's key; what says nothing is a technical specification.
static const document_class classes[] = {
    { "02-02", "Drawings, plans", { "drawing", "plan", "cad", "geometry", "layout" } },
    { "02-03", "Assemblies", { "assembly", "model", "cae", "step" } },
    { "02-04", "Certificates, declarations", { "certificate", "declaration", "conformity", "test", "report" } },
    { "03-01", "Commissioning, de-commissioning", { "commissioning", "mounting", "installation", "recycling" } },
    { "03-02", "Operation", { "manual", "operation", "instruction" } },
    { "03-03", "General safety", { "safety" } },
    { "03-04", "Inspection, maintenance, testing", { "maintenance", "inspection" } },
    { "03-05", "Repair", { "repair" } },
    { "03-06", "Spare parts", { "spare" } },
    { "04-01", "Contract documents", { "contract", "order", "invoice" } },
    { "02-01", "Technical specification", { NULL } },
};

static bool has_word(gm_str key, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= key.len; i++) {
        if (strncasecmp(key.ptr + i, word, n) == 0) return true;
    }
    return false;
}

static const document_class *class_of(gm_str key)
{
    size_t last = sizeof classes / sizeof classes[0] - 1;
    for (size_t i = 0; i < last; i++) {
        for (size_t w = 0; w < 6 && classes[i].words[w] != NULL; w++) {
            if (has_word(key, classes[i].words[w])) return &classes[i];
        }
    }
    return &classes[last];
}

static void collection(gm_aas_page *p, const char *semantics)
{
    gm_aas_begin(&p->pen, "SubmodelElementCollection", (gm_str){ 0 }, gm_str_of(semantics));
    gm_aas_open(&p->pen, "value", '[');
}

static void list(gm_aas_page *p, const char *name, const char *semantics, const char *of)
{
    gm_aas_begin_list(&p->pen, gm_str_of(name), gm_str_of(semantics), of, (gm_str){ 0 });
}

static void property(gm_aas_page *p, const char *name, const char *semantics, gm_str value)
{
    gm_aas_property(&p->pen, gm_str_of(name), gm_str_of(semantics), "xs:string", value);
}

static void ids(gm_aas_page *p, const gm_fact *f)
{
    gm_buf asset = gm_buf_init(p->pen.out->alloc);
    gm_aas_asset_id(p->thing->id, &asset);
    list(p, "DocumentIds", "0173-1#02-ABI501#003", "SubmodelElementCollection");
    collection(p, "0173-1#02-ABI501#003/0173-1#01-AHF580#003");
    property(p, "DocumentDomainId", "0173-1#02-ABH994#003", gm_buf_view(&asset));
    property(p, "DocumentIdentifier", "0173-1#02-AAO099#004", f->key);
    gm_aas_end_list(&p->pen);
    gm_aas_end_list(&p->pen);
    if (asset.failed) p->pen.out->failed = true;
    gm_buf_finish(&asset);
}

static void classification(gm_aas_page *p, const gm_fact *f)
{
    const document_class *c = class_of(f->key);
    list(p, "DocumentClassifications", "0173-1#02-ABI502#003", "SubmodelElementCollection");
    collection(p, "0173-1#02-ABI502#003/0173-1#01-AHF581#003");
    property(p, "ClassId", "0173-1#02-ABH996#003", gm_str_of(c->id));
    gm_aas_words(&p->pen, GM_STR("ClassName"), GM_STR("0173-1#02-ABJ219#002"), gm_str_of(c->name));
    property(p, "ClassificationSystem", "0173-1#02-ABH997#003", GM_STR("VDI 2770 Blatt 1:2020"));
    gm_aas_end_list(&p->pen);
    gm_aas_end_list(&p->pen);
}

static void version(gm_aas_page *p, const gm_fact *f)
{
    gm_buf   path = gm_buf_init(p->pen.out->alloc);
    char     date[GM_TIME_TEXT];
    gm_str   from = gm_aas_time_text(f->from, date);
    gm_aas_file_path(f->value.text, f->value.name, &path);
    list(p, "DocumentVersions", "0173-1#02-ABI503#003", "SubmodelElementCollection");
    collection(p, "0173-1#02-ABI503#003/0173-1#01-AHF582#003");
    property(p, "Version", "0173-1#02-AAP003#005", gm_str_slice(f->value.text, 0, 12));
    gm_aas_words(&p->pen, GM_STR("Title"), GM_STR("0173-1#02-ABG940#003"), f->value.name.len > 0 ? f->value.name : f->key);
    if (from.len >= 10) gm_aas_property(&p->pen, GM_STR("StatusSetDate"), GM_STR("0173-1#02-ABI000#003"), "xs:date", gm_str_slice(from, 0, 10));
    property(p, "StatusValue", "0173-1#02-ABI001#003", GM_STR("Released"));
    list(p, "DigitalFiles", "0173-1#02-ABK126#002", "File");
    gm_aas_begin(&p->pen, "File", (gm_str){ 0 }, GM_STR("0173-1#02-ABK126#002"));
    gm_aas_text(&p->pen, "contentType", f->value.media);
    gm_aas_text(&p->pen, "value", gm_buf_view(&path));
    gm_aas_close(&p->pen, '}');
    gm_aas_end_list(&p->pen);
    gm_aas_end_list(&p->pen);
    gm_aas_end_list(&p->pen);
    if (path.failed) p->pen.out->failed = true;
    gm_buf_finish(&path);
}

void gm_aas_documents(gm_aas_page *p)
{
    list(p, "Documents", DOCUMENTS, "SubmodelElementCollection");
    for (size_t i = 0; i < p->thing->fact_count; i++) {
        const gm_fact *f = &p->thing->facts[i];
        if (f->value.kind != GM_FACT_DOCUMENT) continue;
        collection(p, DOCUMENTS "/0173-1#01-AHF579#003");
        ids(p, f);
        classification(p, f);
        version(p, f);
        gm_aas_end_list(&p->pen);
    }
    gm_aas_end_list(&p->pen);
}
