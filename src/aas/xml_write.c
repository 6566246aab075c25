// An environment's JSON as the XML of the metamodel (Part 1, V3.0): what xml.c reads, member for member, in the order that the schema asks for.
#include "aas/aasx.h"
#include "aas/tree.h"
#include "aas/xml_names.h"

#include <stdlib.h>
#include <string.h>

static const char WHERE[] = "aas.xml";

typedef struct writing { gm_buf *out; gm_error *err; gm_status st; } writing;

static void stop(writing *w, gm_status st, const char *what, const char *name)
{
    if (w->st == GM_OK) w->st = gm_fail(w->err, st, WHERE, "'%.60s' %s", name, what);
}

static void write_text(writing *w, const char *name, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '<') gm_buf_text(w->out, "&lt;");
        else if (c == '>') gm_buf_text(w->out, "&gt;");
        else if (c == '&') gm_buf_text(w->out, "&amp;");
        else if (c == '\r') gm_buf_text(w->out, "&#13;");  // else a reader would take it for the end of a line
        else if (c < 0x20 && c != '\t' && c != '\n') stop(w, GM_INVALID, "has a control character, which XML can not say", name);
        else gm_buf_byte(w->out, c);
    }
}

static void begin(writing *w, const char *name) { gm_buf_printf(w->out, "<%s>", name); }
static void end(writing *w, const char *name) { gm_buf_printf(w->out, "</%s>", name); }

static void write_object(writing *w, const char *name, const json_t *object, unsigned depth);

// "Property" -> "property": what an object says it is, as the name of its element; false: it says nothing usable.
static bool own_name(const json_t *object, char out[64])
{
    gm_str type = gm_aas_string(object, "modelType");
    if (type.len == 0 || type.len >= 64) return false;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i > 0 && c >= '0' && c <= '9'))) return false;
    }
    memcpy(out, type.ptr, type.len);
    out[type.len] = '\0';
    if (out[0] >= 'A' && out[0] <= 'Z') out[0] = (char)(out[0] - 'A' + 'a');
    return true;
}

static void write_typed(writing *w, const json_t *object, unsigned depth)
{
    char name[64];
    if (own_name(object, name)) write_object(w, name, object, depth);
    else stop(w, GM_INVALID, "does not say what it is", "modelType");
}

static void write_variables(writing *w, const json_t *list, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        begin(w, "operationVariable");
        begin(w, "value");
        write_typed(w, json_object_get(json_array_get(list, i), "value"), depth + 2);
        end(w, "value");
        end(w, "operationVariable");
    }
}

// "value" is a list of elements, or of words, or a reference, or a text.
static void write_list(writing *w, const char *name, const json_t *owner, const json_t *list, unsigned depth)
{
    const char *item  = gm_aas_xml_item(name);
    bool        value = strcmp(name, "value") == 0, words = gm_aas_is(owner, "MultiLanguageProperty");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one   = json_array_get(list, i);
        bool          typed = gm_aas_xml_is_mixed(name) || (value && !words);
        if (typed) write_typed(w, one, depth + 1);
        else if (value || item != NULL) write_object(w, value ? "langStringTextType" : item, one, depth + 1);
        else stop(w, GM_INVALID, "is no list that the metamodel knows", name);
    }
}

static bool is_name(const char *name)
{
    if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'))) return false;
    for (const char *c = name; *c != '\0'; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))) return false;
    }
    return strlen(name) < 64;
}

static void write_member(writing *w, const char *name, const json_t *owner, const json_t *value, unsigned depth)
{
    if (json_is_null(value)) return;
    if (json_is_object(value) && strcmp(name, "dataSpecificationContent") != 0) {
        write_object(w, name, value, depth + 1);
        return;
    }
    begin(w, name);
    if (json_is_object(value)) write_typed(w, value, depth + 1);
    else if (json_is_array(value) && gm_aas_xml_is_variables(name)) write_variables(w, value, depth);
    else if (json_is_array(value)) write_list(w, name, owner, value, depth);
    else if (json_is_string(value)) write_text(w, name, (gm_str){ json_string_value(value), json_string_length(value) });
    else if (json_is_boolean(value)) gm_buf_text(w->out, json_is_true(value) ? "true" : "false");
    else stop(w, GM_INVALID, "is a number, where the metamodel has texts", name);
    end(w, name);
}

typedef struct ranked { const char *name; const json_t *value; size_t rank, at; } ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void write_object(writing *w, const char *name, const json_t *object, unsigned depth)
{
    const char *member;
    json_t     *value;
    size_t      n       = json_object_size(object), count = 0;
    ranked     *members = json_is_object(object) && depth <= 4 * GM_AAS_DEPTH_MAX ? gm_alloc_array(gm_alloc_system(), n + 1, sizeof *members) : NULL;
    if (members == NULL) {
        stop(w, GM_INVALID, json_is_object(object) ? "is nested too deeply" : "must be an object", name);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, member, value) {
        if (strcmp(member, "modelType") == 0) continue;  // it is the element's name
        if (!is_name(member)) stop(w, GM_INVALID, "is no member that the metamodel knows", member);
        members[count] = (ranked){ member, value, gm_aas_xml_rank(member, strcmp(name, "qualifier") == 0), count };
        count++;
    }
    if (count > 1) qsort(members, count, sizeof *members, by_rank);
    begin(w, name);
    for (size_t i = 0; w->st == GM_OK && i < count; i++) write_member(w, members[i].name, object, members[i].value, depth);
    end(w, name);
    gm_free(gm_alloc_system(), members);
}

gm_status gm_aas_write_xml(const json_t *environment, gm_buf *out, gm_error *err)
{
    static const char *const lists[] = { "assetAdministrationShells", "submodels", "conceptDescriptions" };
    writing w = { .out = out, .err = err, .st = GM_OK };
    gm_buf_text(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<environment xmlns=\"" GM_AAS_XML_SPACE "0\">");
    for (size_t l = 0; l < 3; l++) {
        const json_t *list = json_object_get(environment, lists[l]);
        if (json_array_size(list) == 0) continue;
        begin(&w, lists[l]);
        for (size_t i = 0; w.st == GM_OK && i < json_array_size(list); i++) write_typed(&w, json_array_get(list, i), 0);
        end(&w, lists[l]);
    }
    gm_buf_text(out, "</environment>\n");
    return w.st == GM_OK && out->failed ? gm_fail(err, GM_NOMEM, WHERE, "writing an environment") : w.st;
}
