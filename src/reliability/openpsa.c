// Three passes over the elements: the first finds out which names there are and in which component, the second builds
// gates and events, the third turns the members of common-cause groups into gates.
#include "reliability/openpsa_parts.h"

#include <libxml/parser.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct gm_openpsa {
    const gm_alloc *alloc;
    gm_fault_tree  *tree;
    gm_tree_node   *tops;
    size_t          top_count, top_capacity, undefined;
};

typedef struct gm_openpsa_reader reader;

// ---- elements --------------------------------------------------------------------------------------------------------------

void gm_openpsa_fail(reader *r, const xmlNode *at, const char *fmt, ...)
{
    if (r->st != GM_OK) return;
    char    text[160];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    long line = at != NULL ? xmlGetLineNo(at) : 0;
    r->st = gm_fail_at(r->err, GM_INVALID, "reliability.openpsa", (uint32_t)line, 0, GM_STR_FMT ":%ld: %s", GM_STR_ARG(r->file), line, text);
}

static void no_memory(reader *r)
{
    if (r->st == GM_OK) r->st = gm_fail(r->err, GM_NOMEM, "reliability.openpsa", "reading fault trees");
}

bool gm_openpsa_is(const xmlNode *node, const char *name) { return strcmp((const char *)node->name, name) == 0; }

static const xmlNode *element_from(const xmlNode *n)
{
    while (n != NULL && n->type != XML_ELEMENT_NODE) n = n->next;
    return n;
}

const xmlNode *gm_openpsa_first(const xmlNode *parent) { return element_from(parent->children); }
const xmlNode *gm_openpsa_next(const xmlNode *element) { return element_from(element->next); }

const xmlNode *gm_openpsa_child(const xmlNode *parent, const char *name)
{
    const xmlNode *e = gm_openpsa_first(parent);
    while (e != NULL && !gm_openpsa_is(e, name)) e = gm_openpsa_next(e);
    return e;
}

gm_str gm_openpsa_attribute(reader *r, const xmlNode *node, const char *name)
{
    xmlChar *raw  = xmlGetNoNsProp(node, (const xmlChar *)name);
    gm_str   text = gm_arena_str(r->arena, gm_str_trim(gm_str_of(raw != NULL ? (const char *)raw : "")));
    xmlFree(raw);
    if (text.ptr == NULL) no_memory(r);
    return text;
}

gm_str gm_openpsa_joined(reader *r, gm_str path, gm_str name)
{
    if (path.len == 0) return name;
    gm_str joined = gm_arena_printf(r->arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(path), GM_STR_ARG(name));
    if (joined.ptr == NULL) { no_memory(r); return name; }
    return joined;
}

// What is declared private is known by its path; everything else by its name alone. private_ is what the container says.
static gm_str key_of(reader *r, const xmlNode *node, bool private_)
{
    gm_str name = gm_openpsa_attribute(r, node, "name"), role = gm_openpsa_attribute(r, node, "role");
    if (name.len == 0) gm_openpsa_fail(r, node, "<%s> needs a name", (const char *)node->name);
    if (role.len > 0) private_ = gm_str_is(role, "private");
    return private_ ? gm_openpsa_joined(r, r->path, name) : name;
}

static bool holds_definitions(const xmlNode *e)
{
    return gm_openpsa_is(e, "define-fault-tree") || gm_openpsa_is(e, "define-component") || gm_openpsa_is(e, "model-data");
}

typedef void visit(reader *r, const xmlNode *element, bool private_, void *context);

// Calls each for every definition below parent, with r->path set to where it is.
static void walk(reader *r, const xmlNode *parent, bool private_, visit *each, void *context)
{
    if (r->depth >= GM_OPENPSA_DEPTH_MAX) { gm_openpsa_fail(r, parent, "components are nested more than %d deep", GM_OPENPSA_DEPTH_MAX); return; }
    r->depth++;
    for (const xmlNode *e = gm_openpsa_first(parent); e != NULL && r->st == GM_OK; e = gm_openpsa_next(e)) {
        if (!holds_definitions(e)) { each(r, e, private_, context); continue; }
        gm_str outside = r->path, role = gm_openpsa_attribute(r, e, "role");
        bool   inside  = gm_openpsa_is(e, "define-component") && role.len > 0 ? gm_str_is(role, "private") : private_;
        if (!gm_openpsa_is(e, "model-data")) r->path = gm_openpsa_joined(r, r->path, gm_openpsa_attribute(r, e, "name"));
        walk(r, e, inside, each, context);
        r->path = outside;
    }
    r->depth--;
}

// ---- first pass: names -----------------------------------------------------------------------------------------------------

static bool same_parameter(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const reader *)owner)->parameters[id].key, key);
}

static void declare(reader *r, const xmlNode *e, bool private_, void *context)
{
    (void)context;
    if (gm_openpsa_is(e, "define-gate") || gm_openpsa_is(e, "define-basic-event") || gm_openpsa_is(e, "define-house-event")) {
        gm_fault_tree_name(r->tree, key_of(r, e, private_));
    } else if (gm_openpsa_is(e, "define-parameter")) {
        gm_str key = key_of(r, e, private_);
        if (gm_index_find(&r->parameter_index, key) != GM_INDEX_NONE) {
            gm_openpsa_fail(r, e, "parameter '" GM_STR_FMT "' is defined twice", GM_STR_ARG(key));
            return;
        }
        if (!gm_alloc_reserve(r->alloc, &r->parameters, &r->parameter_capacity, r->parameter_count + 1, sizeof *r->parameters)) { no_memory(r); return; }
        r->parameters[r->parameter_count] = (gm_openpsa_named){ .key = key, .path = r->path, .file = r->file, .element = e, .value = NAN };
        if (gm_index_add(&r->parameter_index, key, (uint32_t)r->parameter_count) != GM_OK) no_memory(r);
        else r->parameter_count++;
    }
}

// ---- second pass: gates and events -----------------------------------------------------------------------------------------

// The node that a reference means: in the component that asks, then in those around it, then among the public ones.
static gm_tree_node refer(reader *r, gm_str name)
{
    gm_tree_node n;
    for (gm_str path = r->path; path.len > 0;) {
        if (gm_fault_tree_find(r->tree, gm_openpsa_joined(r, path, name), &n)) return n;
        while (path.len > 0 && path.ptr[path.len - 1] != '.') path.len--;
        if (path.len > 0) path.len--;
    }
    return gm_fault_tree_name(r->tree, name);
}

static gm_tree_edge read_formula(reader *r, const xmlNode *e);

typedef struct inputs { gm_tree_edge *items; size_t count, capacity; } inputs;

static void read_inputs(reader *r, const xmlNode *parent, inputs *list)
{
    for (const xmlNode *e = gm_openpsa_first(parent); e != NULL && r->st == GM_OK; e = gm_openpsa_next(e)) {
        gm_tree_edge edge = read_formula(r, e);
        if (!gm_alloc_reserve(r->alloc, &list->items, &list->capacity, list->count + 1, sizeof *list->items)) { no_memory(r); return; }
        list->items[list->count++] = edge;
    }
}

static uint32_t count_of(reader *r, const xmlNode *e, const char *name, bool *out_given)
{
    gm_str text  = gm_openpsa_attribute(r, e, name);
    char  *end   = NULL;
    long   value = text.len > 0 ? strtol(text.ptr, &end, 10) : 0;
    *out_given   = text.len > 0;
    if (text.len > 0 && (end != text.ptr + text.len || value < 0 || value > GM_TREE_NODES_MAX)) {
        gm_openpsa_fail(r, e, "%s='" GM_STR_FMT "' is no count", name, GM_STR_ARG(text));
        return 0;
    }
    return (uint32_t)value;
}

typedef struct gate_rule { const char *name; gm_gate kind; bool negated; uint32_t min, max; } gate_rule;

static const gate_rule gates[] = {
    { "and", GM_GATE_AND, false, 1, UINT32_MAX }, { "or", GM_GATE_OR, false, 1, UINT32_MAX }, { "not", GM_GATE_AND, true, 1, 1 },
    { "xor", GM_GATE_XOR, false, 2, UINT32_MAX }, { "nand", GM_GATE_AND, true, 1, UINT32_MAX }, { "nor", GM_GATE_OR, true, 1, UINT32_MAX },
    { "iff", GM_GATE_XOR, true, 2, 2 }, { "imply", GM_GATE_OR, false, 2, 2 },
    { "atleast", GM_GATE_CARDINALITY, false, 1, UINT32_MAX }, { "cardinality", GM_GATE_CARDINALITY, false, 1, UINT32_MAX },
};

// Defines `node` as the gate that e spells; a gate that spells a negation gets a nameless gate below it.
static void read_gate(reader *r, const xmlNode *e, const gate_rule *rule, gm_tree_node node)
{
    inputs   list = { 0 };
    bool     given;
    uint32_t min = 0, max = 0;
    gm_error why;
    read_inputs(r, e, &list);
    if (r->st == GM_OK && (list.count < rule->min || list.count > rule->max)) {
        gm_openpsa_fail(r, e, "<%s> has %zu inputs, which can not be", rule->name, list.count);
    }
    if (r->st == GM_OK && rule->kind == GM_GATE_CARDINALITY) {
        min = count_of(r, e, "min", &given);
        if (!given && strcmp(rule->name, "atleast") == 0) gm_openpsa_fail(r, e, "<atleast> needs min=\"...\"");
        max = count_of(r, e, "max", &given);
        if (!given) max = (uint32_t)list.count;
    }
    if (r->st == GM_OK && strcmp(rule->name, "imply") == 0) list.items[0] = gm_tree_not(list.items[0]);
    if (r->st == GM_OK && rule->negated) {
        gm_tree_node inner = gm_fault_tree_anonymous(r->tree);
        gm_tree_edge not_inner = gm_tree_not(gm_tree_is(inner));
        if (gm_fault_tree_gate(r->tree, inner, rule->kind, min, max, list.items, (uint32_t)list.count, &why) != GM_OK ||
            gm_fault_tree_gate(r->tree, node, GM_GATE_AND, 0, 0, &not_inner, 1, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
    } else if (r->st == GM_OK && gm_fault_tree_gate(r->tree, node, rule->kind, min, max, list.items, (uint32_t)list.count, &why) != GM_OK) {
        gm_openpsa_fail(r, e, "%s", why.text);
    }
    gm_free(r->alloc, list.items);
}

static bool is_reference(const xmlNode *e)
{
    return gm_openpsa_is(e, "gate") || gm_openpsa_is(e, "basic-event") || gm_openpsa_is(e, "house-event") || gm_openpsa_is(e, "event");
}

static void read_definition(reader *r, const xmlNode *e, gm_tree_node node);

static gm_tree_edge read_formula(reader *r, const xmlNode *e)
{
    if (is_reference(e)) {
        gm_str name = gm_openpsa_attribute(r, e, "name");
        if (name.len == 0) gm_openpsa_fail(r, e, "<%s> needs a name", (const char *)e->name);
        return gm_tree_is(r->st == GM_OK ? refer(r, name) : (gm_tree_node){ 0 });
    }
    if (gm_openpsa_is(e, "not") && gm_openpsa_first(e) != NULL && gm_openpsa_next(gm_openpsa_first(e)) == NULL && r->depth < GM_OPENPSA_DEPTH_MAX) {
        r->depth++;
        gm_tree_edge edge = gm_tree_not(read_formula(r, gm_openpsa_first(e)));
        r->depth--;
        return edge;
    }
    gm_tree_node node = gm_fault_tree_anonymous(r->tree);
    read_definition(r, e, node);
    return gm_tree_is(node);
}

// e is the formula; node becomes what it says.
static void read_definition(reader *r, const xmlNode *e, gm_tree_node node)
{
    if (r->st != GM_OK) return;
    if (r->depth >= GM_OPENPSA_DEPTH_MAX) { gm_openpsa_fail(r, e, "formulas are nested more than %d deep", GM_OPENPSA_DEPTH_MAX); return; }
    gm_error why;
    r->depth++;
    const gate_rule *rule = NULL;
    for (size_t i = 0; i < sizeof gates / sizeof gates[0] && rule == NULL; i++) {
        if (gm_openpsa_is(e, gates[i].name)) rule = &gates[i];
    }
    if (rule != NULL) read_gate(r, e, rule, node);
    else if (gm_openpsa_is(e, "constant")) {
        bool value = gm_str_is(gm_openpsa_attribute(r, e, "value"), "true");
        if (gm_fault_tree_constant(r->tree, node, value, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
    } else if (is_reference(e)) {
        gm_tree_edge edge = read_formula(r, e);
        if (r->st == GM_OK && gm_fault_tree_gate(r->tree, node, GM_GATE_AND, 0, 0, &edge, 1, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
    } else gm_openpsa_fail(r, e, "<%s> is no formula", (const char *)e->name);
    r->depth--;
}

static const xmlNode *content_of(reader *r, const xmlNode *e, gm_tree_node node)
{
    const xmlNode *label = gm_openpsa_child(e, "label");
    if (label != NULL) {
        xmlChar *text = xmlNodeGetContent(label);
        gm_fault_tree_label(r->tree, node, gm_str_trim(gm_str_of(text != NULL ? (const char *)text : "")));
        xmlFree(text);
    }
    const xmlNode *c = gm_openpsa_first(e);
    while (c != NULL && (gm_openpsa_is(c, "label") || gm_openpsa_is(c, "attributes"))) c = gm_openpsa_next(c);
    return c;
}

static void define_event(reader *r, const xmlNode *e, gm_tree_node node, const xmlNode *content)
{
    gm_error why;
    double   p = NAN;
    if (content != NULL) {
        p = gm_openpsa_value(r, content);
        if (isnan(p)) gm_openpsa_fail(r, content, "the expression has no value (a division by zero?)");
    }
    if (r->st == GM_OK && gm_fault_tree_event(r->tree, node, p, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
}

static void define(reader *r, const xmlNode *e, bool private_, void *context)
{
    (void)context;
    bool gate = gm_openpsa_is(e, "define-gate"), event = gm_openpsa_is(e, "define-basic-event"), house = gm_openpsa_is(e, "define-house-event");
    if (!gate && !event && !house) return;
    gm_tree_node   node = gm_fault_tree_name(r->tree, key_of(r, e, private_));
    const xmlNode *c    = content_of(r, e, node);
    gm_error       why;
    if (r->st != GM_OK) return;
    if (event) { define_event(r, e, node, c); return; }
    if (house) {
        bool value = c != NULL && gm_str_is(gm_openpsa_attribute(r, c, "value"), "true");
        if (gm_fault_tree_constant(r->tree, node, value, &why) != GM_OK) gm_openpsa_fail(r, e, "%s", why.text);
        return;
    }
    if (c == NULL) { gm_openpsa_fail(r, e, "the gate has no formula"); return; }
    if (gm_fault_tree_view(r->tree, node).kind != GM_GATE_NONE) { gm_openpsa_fail(r, e, "'" GM_STR_FMT "' is defined twice", GM_STR_ARG(gm_fault_tree_view(r->tree, node).name)); return; }
    read_definition(r, c, node);
}

// ---- what was named and not defined ------------------------------------------------------------------------------------------

// Names that only <gate> elements use stay undefined, which the tree's check reports.
static void note_gate_references(reader *r, const xmlNode *e, uint8_t *is_gate, unsigned depth)
{
    for (const xmlNode *c = gm_openpsa_first(e); c != NULL && depth < GM_OPENPSA_DEPTH_MAX; c = gm_openpsa_next(c)) {
        gm_str path = r->path;
        if (holds_definitions(c) && !gm_openpsa_is(c, "model-data")) r->path = gm_openpsa_joined(r, r->path, gm_openpsa_attribute(r, c, "name"));
        if (gm_openpsa_is(c, "gate")) {
            gm_tree_node n;
            if (gm_fault_tree_find(r->tree, gm_openpsa_attribute(r, c, "name"), &n)) is_gate[n.v] = 1;
        }
        note_gate_references(r, c, is_gate, depth + 1);
        r->path = path;
    }
}

static void settle(reader *r, gm_openpsa *model, xmlDoc *const *documents, size_t count)
{
    uint32_t n = gm_fault_tree_count(r->tree);
    uint8_t *is_gate = gm_alloc_zeroed(r->alloc, n + 1);
    if (is_gate == NULL) { no_memory(r); return; }
    for (size_t i = 0; i < count; i++) note_gate_references(r, xmlDocGetRootElement(documents[i]), is_gate, 0);
    for (uint32_t i = 0; i < n && r->st == GM_OK; i++) {
        gm_tree_node node = { i };
        gm_tree_view v    = gm_fault_tree_view(r->tree, node);
        if (v.kind == GM_GATE_NONE && !is_gate[i] && v.name.len > 0) {
            r->st = gm_fault_tree_event(r->tree, node, NAN, r->err);
            model->undefined++;
        }
        if (v.kind < GM_GATE_AND || v.parents > 0 || v.name.len == 0) continue;
        if (!gm_alloc_reserve(r->alloc, &model->tops, &model->top_capacity, model->top_count + 1, sizeof *model->tops)) { no_memory(r); break; }
        model->tops[model->top_count++] = node;
    }
    gm_free(r->alloc, is_gate);
}

// ---- common causes -----------------------------------------------------------------------------------------------------------

static void read_common_cause(reader *r, const xmlNode *e, bool private_, void *context)
{
    (void)private_, (void)context;
    if (gm_openpsa_is(e, "define-CCF-group")) gm_openpsa_common_cause(r, e);
}

// ---- reading -------------------------------------------------------------------------------------------------------------------

static xmlDoc *parse(reader *r, const gm_openpsa_file *file)
{
    r->file = file->name;
    if (file->text.len > GM_OPENPSA_BYTES_MAX) {
        r->st = gm_fail(r->err, GM_LIMIT, "reliability.openpsa", GM_STR_FMT ": larger than %d MB", GM_STR_ARG(file->name), GM_OPENPSA_BYTES_MAX >> 20);
        return NULL;
    }
    xmlDoc *doc = xmlReadMemory(file->text.ptr, (int)file->text.len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    if (root == NULL) {
        const xmlError *e = xmlGetLastError();
        gm_str why = gm_str_trim(gm_str_of(e != NULL && e->message != NULL ? e->message : "not XML"));
        r->st = gm_fail_at(r->err, GM_INVALID, "reliability.openpsa", e != NULL && e->line > 0 ? (uint32_t)e->line : 0, 0, GM_STR_FMT ":%d: " GM_STR_FMT,
                           GM_STR_ARG(file->name), e != NULL ? e->line : 0, GM_STR_ARG(why));
    } else if (!gm_openpsa_is(root, "opsa-mef")) {
        gm_openpsa_fail(r, root, "the file begins with <%s>; an Open-PSA model begins with <opsa-mef>", (const char *)root->name);
    }
    return doc;
}

gm_status gm_openpsa_read(const gm_alloc *alloc, const gm_openpsa_options *options, const gm_openpsa_file *files, size_t count,
                          gm_openpsa **out_model, gm_error *err)
{
    *out_model = NULL;
    reader r = { .alloc = alloc, .options = options, .err = err, .arena = gm_arena_create(alloc, 0), .tree = gm_fault_tree_create(alloc) };
    r.parameter_index    = gm_index_init(alloc, same_parameter, &r);
    gm_openpsa *model    = gm_alloc_zeroed(alloc, sizeof *model);
    xmlDoc    **documents = gm_alloc_zeroed(alloc, (count + 1) * sizeof *documents);
    if (r.arena == NULL || r.tree == NULL || model == NULL || documents == NULL) { no_memory(&r); goto done; }
    for (size_t i = 0; i < count && r.st == GM_OK; i++) documents[i] = parse(&r, &files[i]);
    visit *const passes[] = { declare, define, read_common_cause };
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < count && r.st == GM_OK; i++) {
            r.file = files[i].name;
            walk(&r, xmlDocGetRootElement(documents[i]), false, passes[p], NULL);
        }
    }
    if (r.st == GM_OK) settle(&r, model, documents, count);
    if (r.st != GM_OK) goto done;
    model->alloc = alloc;
    model->tree  = r.tree;
    r.tree       = NULL;
    *out_model   = model;
    model        = NULL;
done:
    for (size_t i = 0; documents != NULL && i < count; i++) xmlFreeDoc(documents[i]);
    gm_free(alloc, documents);
    if (model != NULL) gm_free(alloc, model->tops);
    gm_free(alloc, model);
    gm_free(alloc, r.parameters);
    gm_index_finish(&r.parameter_index);
    gm_fault_tree_destroy(r.tree);
    gm_arena_destroy(r.arena);
    return r.st;
}

void gm_openpsa_destroy(gm_openpsa *model)
{
    if (model == NULL) return;
    gm_fault_tree_destroy(model->tree);
    gm_free(model->alloc, model->tops);
    gm_free(model->alloc, model);
}

gm_fault_tree *gm_openpsa_tree(gm_openpsa *model) { return model->tree; }
size_t         gm_openpsa_top_count(const gm_openpsa *model) { return model->top_count; }
gm_tree_node   gm_openpsa_top(const gm_openpsa *model, size_t i) { return model->tops[i]; }
size_t         gm_openpsa_undefined(const gm_openpsa *model) { return model->undefined; }
bool           gm_openpsa_supported(void) { return true; }
