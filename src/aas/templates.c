// Digital Nameplate (IDTA 02006-3-0) and Technical Data (IDTA 02003-1-2).
#include "aas/internal.h"
#include "aas/plate.h"

#define TECHNICAL "https://admin-shell.io/ZVEI/TechnicalData/"

bool gm_aas_fact_value(const gm_fact *f, gm_aas_value *out)
{
    bool truth = f->value.kind == GM_FACT_JSON && (gm_str_is(f->value.text, "true") || gm_str_is(f->value.text, "false"));
    out->text  = f->value.text;
    out->type  = truth ? "xs:boolean" : "xs:string";
    if (f->value.kind == GM_FACT_NUMBER) {
        out->text = (gm_str){ out->digits, gm_number_write(f->value.number, out->digits) };
        out->type = "xs:double";
    }
    return f->value.kind == GM_FACT_NUMBER || f->value.kind == GM_FACT_TEXT || truth;
}

// Is there a fact behind any of the rows?
static bool any_of(const gm_aas_page *p, const gm_aas_plate *rows, size_t count)
{
    gm_aas_value value;
    for (size_t i = 0; i < count; i++) {
        const gm_fact *f = gm_aas_fact(p->thing, gm_str_of(rows[i].key));
        if (f != NULL && gm_aas_fact_value(f, &value)) return true;
    }
    return false;
}

static void write_row(gm_aas_page *p, const gm_aas_plate *row, gm_str text)
{
    gm_aas_pen *pen = &p->pen;
    gm_aas_begin(pen, row->value_type != NULL ? "Property" : "MultiLanguageProperty", gm_str_of(row->id_short), gm_str_of(row->semantics));
    gm_aas_supplemental(pen, row->supplemental != NULL ? gm_str_of(row->supplemental) : (gm_str){ 0 });
    if (row->value_type != NULL) {
        gm_aas_text(pen, "valueType", gm_str_of(row->value_type));
        gm_aas_text(pen, "value", text);
    } else {
        gm_aas_open(pen, "value", '[');
        gm_aas_open(pen, NULL, '{');
        gm_aas_text(pen, "language", GM_STR("en"));
        gm_aas_text(pen, "text", text);
        gm_aas_close(pen, '}');
        gm_aas_close(pen, ']');
    }
    gm_aas_close(pen, '}');
}

static void write_rows(gm_aas_page *p, const gm_aas_plate *rows, size_t count)
{
    gm_aas_value value;
    for (size_t i = 0; i < count; i++) {
        const gm_fact *f = gm_aas_fact(p->thing, gm_str_of(rows[i].key));
        if (f != NULL && gm_aas_fact_value(f, &value)) write_row(p, &rows[i], value.text);
    }
}

static void write_collection(gm_aas_page *p, const char *id_short, const char *semantics, const gm_aas_plate *rows, size_t count)
{
    if (!any_of(p, rows, count)) return;
    gm_aas_begin(&p->pen, "SubmodelElementCollection", gm_str_of(id_short), gm_str_of(semantics));
    gm_aas_open(&p->pen, "value", '[');
    write_rows(p, rows, count);
    gm_aas_end_list(&p->pen);
}

void gm_aas_nameplate(gm_aas_page *p)
{
    gm_buf uri = gm_buf_init(p->pen.out->alloc);
    gm_aas_asset_id(p->thing->id, &uri);
    gm_aas_property(&p->pen, GM_STR("URIOfTheProduct"), GM_STR("0112/2///61987#ABN590#002"), "xs:anyURI", gm_buf_view(&uri));
    if (uri.failed) p->pen.out->failed = true;
    gm_buf_finish(&uri);
    write_rows(p, gm_aas_plates, gm_aas_plate_count);
    write_collection(p, "AddressInformation", "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation", gm_aas_addresses, gm_aas_address_count);
}

// ---- technical data ---------------------------------------------------------------------------------------------------

bool gm_aas_is_technical(const gm_fact *f)
{
    gm_aas_value value;
    return f->phase == GM_PHASE_DESIGNED && gm_aas_fact_value(f, &value) && !gm_aas_plate_has_key(f->key) && !gm_str_starts(f->key, GM_STR(GM_KEY_BOM));
}

static void limits(gm_aas_page *p, const gm_fact *f)
{
    char low[GM_NUMBER_TEXT], high[GM_NUMBER_TEXT];
    if (f->value.unit.len == 0 && f->value.limits == 0) return;
    gm_aas_open(&p->pen, "qualifiers", '[');
    gm_aas_qualifier(&p->pen, "unit", "xs:string", f->value.unit);
    if ((f->value.limits & GM_FACT_LOW) != 0) gm_aas_qualifier(&p->pen, "min", "xs:double", (gm_str){ low, gm_number_write(f->value.low, low) });
    if ((f->value.limits & GM_FACT_HIGH) != 0) gm_aas_qualifier(&p->pen, "max", "xs:double", (gm_str){ high, gm_number_write(f->value.high, high) });
    gm_aas_close(&p->pen, ']');
}

void gm_aas_technical(gm_aas_page *p)
{
    json_t *names = json_object();
    gm_buf  id    = gm_buf_init(p->pen.out->alloc);
    char    name[GM_AAS_ID_SHORT_MAX + 1];
    write_collection(p, "GeneralInformation", TECHNICAL "GeneralInformation/1/1", gm_aas_generals, gm_aas_general_count);
    gm_aas_begin(&p->pen, "SubmodelElementCollection", GM_STR("TechnicalProperties"), GM_STR(TECHNICAL "TechnicalProperties/1/1"));
    gm_aas_open(&p->pen, "value", '[');
    for (size_t i = 0; i < p->thing->fact_count; i++) {
        const gm_fact *f = &p->thing->facts[i];
        gm_aas_value   value;
        if (!gm_aas_is_technical(f) || !gm_aas_fact_value(f, &value)) continue;
        gm_buf_clear(&id);
        gm_aas_fact_id(f->key, &id);
        gm_aas_id_short_among(names, f->key, name);
        gm_aas_begin(&p->pen, "Property", gm_str_of(name), gm_buf_view(&id));
        limits(p, f);
        gm_aas_text(&p->pen, "valueType", gm_str_of(value.type));
        gm_aas_text(&p->pen, "value", value.text);
        gm_aas_close(&p->pen, '}');
    }
    gm_aas_end_list(&p->pen);
    if (names == NULL || id.failed) p->pen.out->failed = true;
    json_decref(names);
    gm_buf_finish(&id);
}
