// A package: origin, environment, files, and what leads from one to the next.
#include "aas/package.h"
#include "state/document.h"

#include <stdio.h>
#include <zip.h>

static const char WHERE[] = "aas.package";
#define XML "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
static const char *const environments[] = { "aasx/environment.aas.json", "aasx/environment.aas.xml" };  // by their form

static void xml_text(gm_buf *out, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '<') gm_buf_text(out, "&lt;");
        else if (c == '&') gm_buf_text(out, "&amp;");
        else if (c == '"') gm_buf_text(out, "&quot;");
        else gm_buf_byte(out, (uint8_t)c);
    }
}

// The archive keeps a view: text must live until it is closed.
static gm_status put(zip_t *zip, const char *name, const gm_buf *bytes, gm_error *err)
{
    zip_source_t *source = bytes->failed ? NULL : zip_source_buffer(zip, bytes->len > 0 ? (const void *)bytes->ptr : (const void *)"", bytes->len, 0);
    zip_int64_t   index  = source != NULL ? zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source);
        return gm_fail(err, bytes->failed ? GM_NOMEM : GM_INVALID, WHERE, "packing '%.80s': %s", name, zip_strerror(zip));
    }
    // The same contents make the same bytes: no time of packing.
    (void)!zip_file_set_dostime(zip, (zip_uint64_t)index, 0, 0x21, 0);  // 1980-01-01
    (void)!zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_DEFLATE, 6);
    return GM_OK;
}

static void relationships_open(gm_buf *out)
{
    gm_buf_clear(out);
    gm_buf_text(out, XML "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
}

static void relationship(gm_buf *out, const char *type, gm_str target, size_t number)
{
    gm_buf_printf(out, "<Relationship Id=\"R%zu\" Type=\"" GM_AASX_RELATIONSHIPS "%s\" Target=\"", number, type);
    xml_text(out, target);
    gm_buf_text(out, "\"/>");
}

static void content_types(const gm_aasx_package *p, gm_buf *out)
{
    gm_buf_text(out, XML "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
                         "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
                         "<Default Extension=\"json\" ContentType=\"application/json\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>"
                         "<Override PartName=\"/aasx/aasx-origin\" ContentType=\"text/plain\"/>");
    for (size_t i = 0; i < p->count; i++) {
        gm_buf_text(out, "<Override PartName=\"");
        xml_text(out, gm_buf_view(&p->files[i].path));
        gm_buf_text(out, "\" ContentType=\"");
        xml_text(out, p->files[i].media.len > 0 ? gm_buf_view(&p->files[i].media) : GM_STR("application/octet-stream"));
        gm_buf_text(out, "\"/>");
    }
    gm_buf_text(out, "</Types>");
}

enum { TYPES, RELS, ORIGIN, ORIGIN_RELS, ENV, ENV_RELS, PARTS };

static gm_status put_all(zip_t *zip, const gm_aasx_package *p, const json_t *environment, gm_aasx_form form, gm_buf parts[PARTS], gm_error *err)
{
    const char *names[PARTS] = { "[Content_Types].xml", "_rels/.rels", "aasx/aasx-origin", "aasx/_rels/aasx-origin.rels", environments[form],
                                 form == GM_AASX_XML ? "aasx/_rels/environment.aas.xml.rels" : "aasx/_rels/environment.aas.json.rels" };
    char        target[64];
    gm_status   st = GM_OK;
    int         length = snprintf(target, sizeof target, "/%s", environments[form]);
    content_types(p, &parts[TYPES]);
    relationships_open(&parts[RELS]);
    relationship(&parts[RELS], "aasx-origin", GM_STR("/aasx/aasx-origin"), 1);
    gm_buf_text(&parts[RELS], "</Relationships>");
    gm_buf_text(&parts[ORIGIN], "Intentionally empty.");
    relationships_open(&parts[ORIGIN_RELS]);
    relationship(&parts[ORIGIN_RELS], "aas-spec", (gm_str){ target, (size_t)length }, 1);
    gm_buf_text(&parts[ORIGIN_RELS], "</Relationships>");
    if (form == GM_AASX_XML) st = gm_aas_write_xml(environment, &parts[ENV], err);
    else gm_document_compact(environment, &parts[ENV]);
    relationships_open(&parts[ENV_RELS]);
    for (size_t i = 0; i < p->count; i++) relationship(&parts[ENV_RELS], "aas-suppl", gm_buf_view(&p->files[i].path), i + 1);
    gm_buf_text(&parts[ENV_RELS], "</Relationships>");
    for (int i = 0; st == GM_OK && i < PARTS; i++) st = put(zip, names[i], &parts[i], err);
    for (size_t i = 0; st == GM_OK && i < p->count; i++) {
        char name[1100];
        int  n = snprintf(name, sizeof name, GM_STR_FMT, GM_STR_ARG(gm_buf_view(&p->files[i].path)));
        if (n < 2 || (size_t)n >= sizeof name || name[0] != '/') return gm_fail(err, GM_INVALID, WHERE, "'%.80s' is no name of a part", name);
        st = put(zip, name + 1, &p->files[i].bytes, err);
    }
    return st;
}

static gm_status take_bytes(zip_source_t *source, gm_buf *out, gm_error *err)
{
    zip_stat_t  stat;
    zip_stat_init(&stat);
    if (zip_source_stat(source, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0 || zip_source_open(source) != 0) return gm_fail(err, GM_NOMEM, WHERE, "packing");
    uint8_t    *to = gm_buf_reserve(out, (size_t)stat.size + 1);
    zip_int64_t n  = to != NULL ? zip_source_read(source, to, stat.size) : -1;
    zip_source_close(source);
    if (n < 0 || (zip_uint64_t)n != stat.size) return gm_fail(err, GM_NOMEM, WHERE, "packing");
    out->len += (size_t)n;
    return GM_OK;
}

gm_status gm_aasx_write(const gm_aasx_package *p, const json_t *environment, gm_aasx_form form, gm_buf *out, gm_error *err)
{
    gm_buf      parts[PARTS];
    zip_error_t why;
    zip_error_init(&why);
    for (int i = 0; i < PARTS; i++) parts[i] = gm_buf_init(p->alloc);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &why);
    zip_t        *zip    = source != NULL ? zip_open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
    gm_status     st     = zip != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "packing");
    if (zip == NULL) zip_source_free(source);
    else zip_source_keep(source);  // it is read after the archive is closed
    if (st == GM_OK) st = put_all(zip, p, environment, form, parts, err);
    if (st == GM_OK && zip_close(zip) != 0) st = gm_fail(err, GM_NOMEM, WHERE, "packing: %s", zip_strerror(zip));
    if (st != GM_OK && zip != NULL) zip_discard(zip);
    if (st == GM_OK) st = take_bytes(source, out, err);
    if (zip != NULL) zip_source_free(source);
    for (int i = 0; i < PARTS; i++) gm_buf_finish(&parts[i]);
    zip_error_fini(&why);
    return st;
}
