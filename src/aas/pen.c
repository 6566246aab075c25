#include "aas/pen.h"

void gm_aas_name(gm_aas_pen *pen, const char *name)
{
    if (pen->comma) gm_buf_byte(pen->out, ',');
    pen->comma = true;
    if (name != NULL) gm_buf_printf(pen->out, "\"%s\":", name);
}

void gm_aas_open(gm_aas_pen *pen, const char *name, char bracket)
{
    gm_aas_name(pen, name);
    gm_buf_byte(pen->out, (uint8_t)bracket);
    pen->comma = false;
}

void gm_aas_close(gm_aas_pen *pen, char bracket)
{
    gm_buf_byte(pen->out, (uint8_t)bracket);
    pen->comma = true;
}

void gm_aas_text(gm_aas_pen *pen, const char *name, gm_str text)
{
    gm_aas_name(pen, name);
    gm_buf_json_str(pen->out, text);
}

void gm_aas_json(gm_aas_pen *pen, const char *name, gm_str json)
{
    gm_aas_name(pen, name);
    gm_buf_str(pen->out, json);
}

static void reference(gm_aas_pen *pen, const char *name, const char *type, const char *key_type, gm_str id)
{
    gm_aas_name(pen, name);
    gm_buf_printf(pen->out, "{\"type\":\"%s\",\"keys\":[{\"type\":\"%s\",\"value\":", type, key_type);
    gm_buf_json_str(pen->out, id);
    gm_buf_text(pen->out, "}]}");
}

void gm_aas_external(gm_aas_pen *pen, const char *name, gm_str id) { reference(pen, name, "ExternalReference", "GlobalReference", id); }
void gm_aas_model_reference(gm_aas_pen *pen, const char *name, const char *key_type, gm_str id) { reference(pen, name, "ModelReference", key_type, id); }

void gm_aas_begin(gm_aas_pen *pen, const char *model_type, gm_str id_short, gm_str semantics)
{
    gm_aas_open(pen, NULL, '{');
    gm_aas_text(pen, "modelType", gm_str_of(model_type));
    if (id_short.len > 0) gm_aas_text(pen, "idShort", id_short);
    if (semantics.len > 0) gm_aas_external(pen, "semanticId", semantics);
}

void gm_aas_supplemental(gm_aas_pen *pen, gm_str id)
{
    if (id.len == 0) return;
    gm_aas_open(pen, "supplementalSemanticIds", '[');
    gm_aas_external(pen, NULL, id);
    gm_aas_close(pen, ']');
}

void gm_aas_property(gm_aas_pen *pen, gm_str id_short, gm_str semantics, const char *value_type, gm_str value)
{
    gm_aas_begin(pen, "Property", id_short, semantics);
    gm_aas_text(pen, "valueType", gm_str_of(value_type));
    if (value.ptr != NULL) gm_aas_text(pen, "value", value);
    gm_aas_close(pen, '}');
}

void gm_aas_words(gm_aas_pen *pen, gm_str id_short, gm_str semantics, gm_str english)
{
    gm_aas_begin(pen, "MultiLanguageProperty", id_short, semantics);
    gm_aas_open(pen, "value", '[');
    gm_aas_open(pen, NULL, '{');
    gm_aas_text(pen, "language", GM_STR("en"));
    gm_aas_text(pen, "text", english);
    gm_aas_close(pen, '}');
    gm_aas_close(pen, ']');
    gm_aas_close(pen, '}');
}

void gm_aas_begin_list(gm_aas_pen *pen, gm_str id_short, gm_str semantics, const char *of, gm_str element_semantics)
{
    gm_aas_begin(pen, "SubmodelElementList", id_short, semantics);
    gm_aas_text(pen, "typeValueListElement", gm_str_of(of));
    if (strcmp(of, "Property") == 0) gm_aas_text(pen, "valueTypeListElement", GM_STR("xs:string"));
    if (element_semantics.len > 0) gm_aas_external(pen, "semanticIdListElement", element_semantics);
    gm_aas_open(pen, "value", '[');
}

void gm_aas_end_list(gm_aas_pen *pen)
{
    gm_aas_close(pen, ']');
    gm_aas_close(pen, '}');
}

void gm_aas_qualifier(gm_aas_pen *pen, const char *type, const char *value_type, gm_str value)
{
    if (value.len == 0) return;
    gm_aas_open(pen, NULL, '{');
    gm_aas_text(pen, "type", gm_str_of(type));
    gm_aas_text(pen, "valueType", gm_str_of(value_type));
    gm_aas_text(pen, "value", value);
    gm_aas_close(pen, '}');
}
