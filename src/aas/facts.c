// The digital thread as it is, without loss (DigitalThread), and interfaces (Interface, concept descriptions).
#include "aas/internal.h"

#include "base/base64url.h"

static void text(gm_aas_page *p, const char *name, gm_str value)
{
    if (value.len > 0) gm_aas_property(&p->pen, gm_str_of(name), (gm_str){ 0 }, "xs:string", value);
}

static void number(gm_aas_page *p, const char *name, double value)
{
    char digits[GM_NUMBER_TEXT];
    gm_aas_property(&p->pen, gm_str_of(name), (gm_str){ 0 }, "xs:double", (gm_str){ digits, gm_number_write(value, digits) });
}

static void time_of(gm_aas_page *p, const char *name, gm_time_ns time)
{
    char text_of[GM_TIME_TEXT];
    gm_str value = gm_aas_time_text(time, text_of);
    if (value.len > 0) gm_aas_property(&p->pen, gm_str_of(name), (gm_str){ 0 }, "xs:dateTime", value);
}

// Members as a fact's JSON has them (thread/fact.h), with a capital letter.
static void write_fact(gm_aas_page *p, const gm_fact *f)
{
    const gm_fact_value *v  = &f->value;
    gm_buf               id = gm_buf_init(p->pen.out->alloc);
    gm_aas_fact_id(f->key, &id);
    gm_aas_begin(&p->pen, "SubmodelElementCollection", (gm_str){ 0 }, GM_STR(GM_AAS_OWN "Fact:1"));
    gm_aas_supplemental(&p->pen, gm_buf_view(&id));
    gm_aas_open(&p->pen, "value", '[');
    text(p, "Phase", gm_str_of(gm_phase_name(f->phase)));
    text(p, "Key", f->key);
    if (v->kind == GM_FACT_NUMBER) number(p, "Value", v->number);
    if (v->kind == GM_FACT_TEXT) gm_aas_property(&p->pen, GM_STR("Value"), (gm_str){ 0 }, "xs:string", v->text);
    if (v->kind == GM_FACT_JSON) text(p, "Json", v->text);
    if (v->kind == GM_FACT_PART) text(p, "Part", v->text);
    if (v->kind == GM_FACT_PART) number(p, "Quantity", v->number);
    if (v->kind == GM_FACT_DOCUMENT) {
        text(p, "Hash", v->text);
        text(p, "MediaType", v->media);
        text(p, "Name", v->name);
        number(p, "Size", v->number);
    }
    text(p, "Position", v->position);
    text(p, "Unit", v->unit);
    if ((v->limits & GM_FACT_LOW) != 0) number(p, "Min", v->low);
    if ((v->limits & GM_FACT_HIGH) != 0) number(p, "Max", v->high);
    text(p, "More", v->more);
    time_of(p, "From", f->from);
    time_of(p, "To", f->to);
    text(p, "Author", f->author);
    text(p, "Cause", f->cause);
    gm_aas_end_list(&p->pen);
    if (id.failed) p->pen.out->failed = true;
    gm_buf_finish(&id);
}

void gm_aas_facts(gm_aas_page *p)
{
    gm_aas_begin_list(&p->pen, GM_STR("Facts"), (gm_str){ 0 }, "SubmodelElementCollection", (gm_str){ 0 });
    for (size_t i = 0; i < p->thing->fact_count; i++) {
        const gm_fact *f = &p->thing->facts[i];
        if (f->value.kind != GM_FACT_PART || gm_aas_sees(p->world, f->value.text)) write_fact(p, f);
    }
    gm_aas_end_list(&p->pen);
}

// ---- interfaces -------------------------------------------------------------------------------------------------------

void gm_aas_base64(gm_buf *out, gm_str bytes)
{
    size_t n  = GM_BASE64URL_LEN(bytes.len), start = out->len;
    char  *to = (char *)gm_buf_reserve(out, n + 2);
    if (to == NULL) return;
    gm_base64url_encode((const uint8_t *)bytes.ptr, bytes.len, to);
    for (size_t i = 0; i < n; i++) to[i] = (char)(to[i] == '-' ? '+' : to[i] == '_' ? '/' : to[i]);
    out->len = start + n;
    while ((out->len - start) % 4 != 0) gm_buf_byte(out, '=');
}

void gm_aas_interface(gm_aas_page *p)
{
    gm_aas_begin(&p->pen, "Blob", GM_STR("DTDL"), GM_STR("dtmi:dtdl:class:Interface;3"));
    gm_aas_text(&p->pen, "contentType", GM_STR("application/json"));
    gm_aas_name(&p->pen, "value");
    gm_buf_byte(p->pen.out, '"');
    gm_aas_base64(p->pen.out, p->thing->type->text);
    gm_buf_byte(p->pen.out, '"');
    gm_aas_close(&p->pen, '}');
}

static const char *data_type(const gm_column *c)
{
    bool unit = c->unit.len > 0;
    switch (c->schema->kind) {
    case GM_SCHEMA_DATE: return "DATE";
    case GM_SCHEMA_TIME: return "TIME";
    case GM_SCHEMA_DATETIME: return "TIMESTAMP";
    case GM_SCHEMA_BYTES: return "BLOB";
    default: break;
    }
    switch (c->kind) {
    case GM_KIND_BOOL: return "BOOLEAN";
    case GM_KIND_INT: return unit ? "INTEGER_MEASURE" : "INTEGER_COUNT";
    case GM_KIND_DOUBLE: return unit ? "REAL_MEASURE" : "REAL_COUNT";
    default: return "STRING";
    }
}

static void english(gm_aas_pen *pen, const char *name, gm_str value)
{
    gm_aas_open(pen, name, '[');
    gm_aas_open(pen, NULL, '{');
    gm_aas_text(pen, "language", GM_STR("en"));
    gm_aas_text(pen, "text", value);
    gm_aas_close(pen, '}');
    gm_aas_close(pen, ']');
}

// As IEC 61360 describes a property (data specification V3).
void gm_aas_write_concept(const gm_type *type, uint32_t number_of, gm_buf *out)
{
    const gm_column *c   = &type->columns[number_of];
    gm_aas_pen       pen = { .out = out };
    gm_buf           id  = gm_buf_init(out->alloc);
    char             name[GM_AAS_ID_SHORT_MAX + 1];
    gm_aas_column_id(type->id, c->path, &id);
    gm_aas_id_short(c->path, name);
    gm_aas_open(&pen, NULL, '{');
    gm_aas_text(&pen, "modelType", GM_STR("ConceptDescription"));
    gm_aas_text(&pen, "id", gm_buf_view(&id));
    gm_aas_text(&pen, "idShort", gm_str_of(name));
    gm_aas_open(&pen, "embeddedDataSpecifications", '[');
    gm_aas_open(&pen, NULL, '{');
    gm_aas_external(&pen, "dataSpecification", GM_STR("https://admin-shell.io/DataSpecificationTemplates/DataSpecificationIec61360/3/0"));
    gm_aas_open(&pen, "dataSpecificationContent", '{');
    gm_aas_text(&pen, "modelType", GM_STR("DataSpecificationIec61360"));
    english(&pen, "preferredName", c->display_name.len > 0 ? c->display_name : c->path);
    if (c->unit.len > 0) gm_aas_text(&pen, "unit", c->unit_symbol.len > 0 ? c->unit_symbol : c->unit);
    gm_aas_text(&pen, "dataType", gm_str_of(data_type(c)));
    english(&pen, "definition", c->description.len > 0 ? c->description : c->display_name.len > 0 ? c->display_name : c->path);  // there must be one (AASc-3a-008)
    gm_aas_close(&pen, '}');
    gm_aas_close(&pen, '}');
    gm_aas_close(&pen, ']');
    gm_aas_close(&pen, '}');
    if (id.failed) out->failed = true;
    gm_buf_finish(&id);
}
