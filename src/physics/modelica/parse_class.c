// Classes and their elements; a whole text.
#include "physics/modelica/parser.h"

typedef struct element_list { gm_ast_element *at; uint32_t count, capacity; } element_list;
typedef struct section_list { gm_ast_section *at; uint32_t count, capacity; } section_list;

typedef struct prefixes { uint32_t flags; gm_ast_variability variability; gm_place at; } prefixes;

static gm_ast_class *read_class(gm_parser *p, gm_ast_class *parent);

static gm_str name_text(const gm_parser *p, gm_sym name)
{
    return p->names->texts[name];
}

// ---------------------------------------------------------------------------------------------------- class heads

// What kind of class begins after the prefixes that stand here? -1: none. Moves nothing.
static int class_kind_ahead(const gm_parser *p, uint32_t *out_length)
{
    uint32_t i = 0;
    for (;; i++) {
        uint32_t kind = gm_parser_look(p, i)->kind;
        if (kind != GM_KEY_PARTIAL && kind != GM_KEY_ENCAPSULATED && kind != GM_KEY_EXPANDABLE && kind != GM_KEY_PURE &&
            kind != GM_KEY_IMPURE && kind != GM_KEY_FINAL && kind != GM_KEY_REPLACEABLE && kind != GM_KEY_REDECLARE) {
            break;
        }
    }
    *out_length = i + 1;
    switch (gm_parser_look(p, i)->kind) {
    case GM_KEY_CLASS: return GM_AST_CLASS_CLASS;
    case GM_KEY_MODEL: return GM_AST_CLASS_MODEL;
    case GM_KEY_BLOCK: return GM_AST_CLASS_BLOCK;
    case GM_KEY_CONNECTOR: return GM_AST_CLASS_CONNECTOR;
    case GM_KEY_RECORD: return GM_AST_CLASS_RECORD;
    case GM_KEY_TYPE: return GM_AST_CLASS_TYPE;
    case GM_KEY_FUNCTION: return GM_AST_CLASS_FUNCTION;
    case GM_KEY_PACKAGE: return GM_AST_CLASS_PACKAGE;
    case GM_KEY_OPERATOR:
        if (gm_parser_look(p, i + 1)->kind != GM_KEY_FUNCTION && gm_parser_look(p, i + 1)->kind != GM_KEY_RECORD)
            return GM_AST_CLASS_OPERATOR;
        (*out_length)++;
        return gm_parser_look(p, i + 1)->kind == GM_KEY_RECORD ? GM_AST_CLASS_RECORD : GM_AST_CLASS_FUNCTION;
    default: return -1;
    }
}

static uint32_t read_class_head(gm_parser *p, gm_ast_class *class_)
{
    uint32_t length;
    int      kind = class_kind_ahead(p, &length);
    if (kind < 0) {
        gm_parser_fail(p, "a class is expected (model, block, connector, record, type, function or package)");
        return 0;
    }
    class_->kind = (gm_ast_class_kind)kind;
    for (uint32_t i = 0; i < length; i++) {
        switch (gm_parser_look(p, 0)->kind) {
        case GM_KEY_PARTIAL: class_->is_partial = true; break;
        case GM_KEY_ENCAPSULATED: class_->is_encapsulated = true; break;
        case GM_KEY_REPLACEABLE: class_->is_replaceable = true; break;
        case GM_KEY_EXPANDABLE: class_->is_expandable = true; break;
        default: break;
        }
        gm_parser_take(p, gm_parser_look(p, 0)->kind);
    }
    return length;
}

// ---------------------------------------------------------------------------------------------------- components

static prefixes read_prefixes(gm_parser *p, bool is_protected)
{
    prefixes out = { .flags = is_protected ? GM_AST_PROTECTED : 0, .at = gm_parser_look(p, 0)->at };
    for (;; gm_parser_take(p, gm_parser_look(p, 0)->kind)) {
        switch (gm_parser_look(p, 0)->kind) {
        case GM_KEY_REDECLARE: out.flags |= GM_AST_REDECLARE; break;
        case GM_KEY_FINAL: out.flags |= GM_AST_FINAL; break;
        case GM_KEY_INNER: out.flags |= GM_AST_INNER; break;
        case GM_KEY_OUTER: out.flags |= GM_AST_OUTER; break;
        case GM_KEY_REPLACEABLE: out.flags |= GM_AST_REPLACEABLE; break;
        case GM_KEY_FLOW: out.flags |= GM_AST_FLOW; break;
        case GM_KEY_STREAM: out.flags |= GM_AST_STREAM; break;
        case GM_KEY_INPUT: out.flags |= GM_AST_INPUT; break;
        case GM_KEY_OUTPUT: out.flags |= GM_AST_OUTPUT; break;
        case GM_KEY_DISCRETE: out.variability = GM_AST_DISCRETE; break;
        case GM_KEY_PARAMETER: out.variability = GM_AST_PARAMETER; break;
        case GM_KEY_CONSTANT: out.variability = GM_AST_CONSTANT; break;
        default: return out;
        }
    }
}

static void add_element(gm_parser *p, element_list *list, gm_ast_element element)
{
    GM_WORK_RESERVE(p->w, list->at, list->capacity, list->count + 1);
    list->at[list->count++] = element;
}

static void read_constraint(gm_parser *p)
{
    if (!gm_parser_take(p, GM_KEY_CONSTRAINEDBY)) return;
    gm_ast_mod ignored = { 0 };
    gm_parser_type_name(p);
    if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &ignored);
}

// name[dims](mods) = value if condition "comment" annotation(...)
static gm_ast_component *read_component(gm_parser *p, const prefixes *pre, const gm_ast_ref *type,
                                        gm_ast_expr **type_dims, uint32_t type_dim_count)
{
    gm_ast_component *c = GM_WORK_NEW(p->w, gm_ast_component, 1);
    c->at               = gm_parser_look(p, 0)->at;
    c->length           = gm_parser_look(p, 0)->length;
    c->name             = gm_parser_name(p, "a component");
    c->flags            = pre->flags;
    c->variability      = pre->variability;
    c->type             = type;
    gm_ast_expr **own   = NULL;
    uint32_t      count = 0;
    if (gm_parser_at(p, GM_TOKEN_OPEN_BRACKET)) own = gm_parser_subscripts(p, &count);
    if (count + type_dim_count > 0) {
        gm_ast_expr **dims = GM_WORK_NEW(p->w, gm_ast_expr *, count + type_dim_count);
        if (count > 0) memcpy(dims, own, count * sizeof *dims);
        if (type_dim_count > 0) memcpy(dims + count, type_dims, type_dim_count * sizeof *dims);
        c->dimensions      = dims;
        c->dimension_count = count + type_dim_count;
    }
    c->mod = (gm_ast_mod){ .name = c->name, .at = c->at, .length = c->length };
    if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &c->mod);
    if (gm_parser_take(p, GM_TOKEN_EQUALS) || gm_parser_take(p, GM_TOKEN_ASSIGN)) c->mod.value = gm_parser_expression(p);
    if (gm_parser_take(p, GM_KEY_IF)) c->condition = gm_parser_expression(p);
    read_constraint(p);
    c->comment = gm_parser_comment(p);
    gm_str ignored;
    if (gm_parser_at(p, GM_KEY_ANNOTATION)) c->annotation = gm_parser_annotation(p, &ignored);
    return c;
}

static void read_components(gm_parser *p, bool is_protected, element_list *list)
{
    prefixes pre = read_prefixes(p, is_protected);
    if (!gm_parser_at(p, GM_TOKEN_NAME) && !gm_parser_at(p, GM_TOKEN_DOT)) {
        gm_parser_fail(p, "a declaration, `equation`, `algorithm` or `end` is expected");
        return;
    }
    gm_ast_ref   *type      = gm_parser_type_name(p);
    gm_ast_expr **dims      = NULL;
    uint32_t      dim_count = 0;
    if (gm_parser_at(p, GM_TOKEN_OPEN_BRACKET)) dims = gm_parser_subscripts(p, &dim_count);
    if (gm_parser_at(p, GM_TOKEN_EQUALS) && !p->failed) {
        gm_parser_fail_at(p, type->at, type->length,
                       "a declaration is expected here; is `equation` missing above this line?");
        return;
    }
    do {
        gm_ast_component *component = read_component(p, &pre, type, dims, dim_count);
        if (p->failed) return;
        add_element(p, list, (gm_ast_element){ .kind = GM_AST_COMPONENT, .component = component });
    } while (gm_parser_take(p, GM_TOKEN_COMMA));
}

// ---------------------------------------------------------------------------------------------------- other elements

static gm_ast_import *new_import(gm_parser *p, gm_sym name, const gm_ast_ref *from)
{
    gm_ast_import *import = GM_WORK_NEW(p->w, gm_ast_import, 1);
    *import               = (gm_ast_import){ .name = name, .from = from };
    return import;
}

// import A.B;  import X = A.B;  import A.*;  import A.{B, C};
static void read_import(gm_parser *p, element_list *list)
{
    gm_parser_take(p, GM_KEY_IMPORT);
    gm_ast_element element = { .kind = GM_AST_IMPORT };
    if (gm_parser_at(p, GM_TOKEN_NAME) && gm_parser_look(p, 1)->kind == GM_TOKEN_EQUALS) {
        gm_sym name = gm_parser_name(p, "an import");
        gm_parser_take(p, GM_TOKEN_EQUALS);
        element.import = new_import(p, name, gm_parser_type_name(p));
        add_element(p, list, element);
        return;
    }
    // Read name by name, because what follows a dot may be `*` or a list (".*" is one token).
    gm_ast_ref  *from  = GM_WORK_NEW(p->w, gm_ast_ref, 1);
    gm_ast_part *parts = NULL;
    uint32_t     count = 0, capacity = 0;
    from->at = gm_parser_look(p, 0)->at;
    do {
        if (gm_parser_at(p, GM_TOKEN_OPEN_BRACE)) break;
        GM_WORK_RESERVE(p->w, parts, capacity, count + 1);
        gm_ast_part part = { .at = gm_parser_look(p, 0)->at, .length = gm_parser_look(p, 0)->length };
        part.name        = gm_parser_name(p, "a package");
        parts[count++]   = part;
    } while (gm_parser_take(p, GM_TOKEN_DOT));
    from->parts  = parts;
    from->count  = count;
    from->length = gm_parser_span(p, from->at);
    if (gm_parser_take(p, GM_TOKEN_DOT_TIMES)) {
        element.import = new_import(p, GM_SYM_NONE, from);
        add_element(p, list, element);
    } else if (count > 0 && gm_parser_take(p, GM_TOKEN_OPEN_BRACE)) {
        do {
            gm_ast_ref  *each  = GM_WORK_NEW(p->w, gm_ast_ref, 1);
            gm_ast_part *names = GM_WORK_NEW(p->w, gm_ast_part, count + 1);
            memcpy(names, parts, count * sizeof *names);
            names[count]      = (gm_ast_part){ .at = gm_parser_look(p, 0)->at, .length = gm_parser_look(p, 0)->length };
            names[count].name = gm_parser_name(p, "an import");
            *each = (gm_ast_ref) { .parts = names, .count = count + 1, .at = from->at, .length = from->length };
            element.import    = new_import(p, names[count].name, each);
            add_element(p, list, element);
        } while (gm_parser_take(p, GM_TOKEN_COMMA));
        gm_parser_expect(p, GM_TOKEN_CLOSE_BRACE, "after the imported names");
    } else if (count > 0) {
        element.import = new_import(p, parts[count - 1].name, from);
        add_element(p, list, element);
    }
}

static void read_extends(gm_parser *p, bool is_protected, element_list *list)
{
    gm_ast_extends *extends = GM_WORK_NEW(p->w, gm_ast_extends, 1);
    gm_parser_take(p, GM_KEY_EXTENDS);
    extends->base         = gm_parser_type_name(p);
    extends->is_protected = is_protected;
    extends->mod.at       = extends->base->at;
    if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &extends->mod);
    gm_str ignored;
    if (gm_parser_at(p, GM_KEY_ANNOTATION)) gm_parser_annotation(p, &ignored);
    add_element(p, list, (gm_ast_element){ .kind = GM_AST_EXTENDS, .extends = extends });
}

// One element with its `;`.
static void read_element(gm_parser *p, gm_ast_class *class_, bool is_protected, element_list *list)
{
    uint32_t started = p->at, length;
    if (gm_parser_at(p, GM_KEY_IMPORT)) {
        read_import(p, list);
        gm_parser_comment(p);
    } else if (gm_parser_at(p, GM_KEY_EXTENDS)) {
        read_extends(p, is_protected, list);
    } else if (class_kind_ahead(p, &length) >= 0) {
        gm_ast_class *inner = read_class(p, class_);
        read_constraint(p);
        gm_parser_comment(p);
        add_element(p, list, (gm_ast_element){ .kind = GM_AST_CLASS, .class_ = inner });
    } else {
        read_components(p, is_protected, list);
    }
    gm_parser_expect(p, GM_TOKEN_SEMICOLON, "at the end of the declaration");
    gm_parser_recover(p, started);
}

// ---------------------------------------------------------------------------------------------------- class bodies

// Two elements of one name are an error; the later one is not found by name.
static void index_members(gm_parser *p, gm_ast_class *class_)
{
    for (uint32_t i = 0; i < class_->element_count; i++) {
        const gm_ast_element *e = &class_->elements[i];
        if (e->kind != GM_AST_COMPONENT && e->kind != GM_AST_CLASS) continue;
        gm_sym   name   = e->kind == GM_AST_COMPONENT ? e->component->name : e->class_->name;
        gm_place at     = e->kind == GM_AST_COMPONENT ? e->component->at : e->class_->at;
        uint32_t length = e->kind == GM_AST_COMPONENT ? e->component->length : e->class_->length;
        uint32_t known  = gm_map_find(&class_->members, name);
        if (known == GM_MAP_NONE) {
            gm_map_put(p->w, &class_->members, name, i);
            continue;
        }
        const gm_ast_element *first = &class_->elements[known];
        uint32_t              line, column;
        gm_source_at(p->sources, first->kind == GM_AST_COMPONENT ? first->component->at : first->class_->at, &line,
                     &column);
        gm_diags_add(p->diags, p->sources, GM_SEVERITY_ERROR, at, length,
                     "`" GM_STR_FMT "` is declared already, in line %u", GM_STR_ARG(name_text(p, name)), line);
    }
}

static void add_section(gm_parser *p, section_list *list, bool initial)
{
    gm_ast_section section = { .initial = initial, .at = gm_parser_look(p, 0)->at };
    section.algorithm      = gm_parser_at(p, GM_KEY_ALGORITHM);
    gm_parser_take(p, gm_parser_look(p, 0)->kind);
    gm_parser_section(p, &section);
    GM_WORK_RESERVE(p->w, list->at, list->capacity, list->count + 1);
    list->at[list->count++] = section;
}

// parameter equation a = expr;   (Base Modelica: a parameter's value that is an equation rather than a binding)
static void read_parameter_equation(gm_parser *p, section_list *list)
{
    uint32_t started = p->at;
    gm_parser_take(p, GM_KEY_PARAMETER);
    gm_parser_take(p, GM_KEY_EQUATION);
    gm_ast_equation *equation = GM_WORK_NEW(p->w, gm_ast_equation, 1);
    equation->at              = gm_parser_look(p, 0)->at;
    equation->kind            = GM_AST_EQUAL;
    equation->left            = gm_parser_expression(p);
    gm_parser_expect(p, GM_TOKEN_EQUALS, "in a parameter equation");
    equation->right  = gm_parser_expression(p);
    equation->length = gm_parser_span(p, equation->at);
    gm_parser_comment(p);
    gm_parser_expect(p, GM_TOKEN_SEMICOLON, "at the end of the equation");
    bool good = !p->failed;
    gm_parser_recover(p, started);
    if (!good) return;
    gm_ast_section section = { .initial = true, .items = equation, .count = 1, .at = equation->at };
    GM_WORK_RESERVE(p->w, list->at, list->capacity, list->count + 1);
    list->at[list->count++] = section;
}

// external ["C" [result =] name(args)] [annotation] ;
static void read_external(gm_parser *p, gm_ast_class *class_)
{
    uint32_t started    = p->at;
    class_->is_external = true;
    while (!gm_parser_at(p, GM_TOKEN_SEMICOLON) && !gm_parser_at(p, GM_TOKEN_END)) gm_parser_take(p, gm_parser_look(p, 0)->kind);
    gm_parser_expect(p, GM_TOKEN_SEMICOLON, "after the external function");
    gm_parser_recover(p, started);
}

static void read_annotation(gm_parser *p, gm_ast_class *class_)
{
    uint32_t started   = p->at;
    class_->annotation = gm_parser_annotation(p, &class_->annotation_text);
    gm_parser_expect(p, GM_TOKEN_SEMICOLON, "after the annotation");
    gm_parser_recover(p, started);
}

static void read_class_body(gm_parser *p, gm_ast_class *class_)
{
    element_list elements = { 0 };
    section_list sections = { 0 };
    bool         is_protected = false;
    class_->comment = gm_parser_comment(p);
    for (;;) {
        uint32_t kind = gm_parser_look(p, 0)->kind, next = gm_parser_look(p, 1)->kind;
        if (kind == GM_TOKEN_END || kind == GM_KEY_END) break;
        if (kind == GM_KEY_PUBLIC || kind == GM_KEY_PROTECTED) {
            is_protected = kind == GM_KEY_PROTECTED;
            gm_parser_take(p, kind);
        } else if (kind == GM_KEY_EQUATION || kind == GM_KEY_ALGORITHM) {
            add_section(p, &sections, false);
        } else if (kind == GM_KEY_INITIAL && (next == GM_KEY_EQUATION || next == GM_KEY_ALGORITHM)) {
            gm_parser_take(p, GM_KEY_INITIAL);
            add_section(p, &sections, true);
        } else if (kind == GM_KEY_PARAMETER && next == GM_KEY_EQUATION) {
            read_parameter_equation(p, &sections);
        } else if (kind == GM_KEY_EXTERNAL) {
            read_external(p, class_);
        } else if (kind == GM_KEY_ANNOTATION) {
            read_annotation(p, class_);
        } else if (kind == GM_KEY_ELSE || kind == GM_KEY_ELSEIF || kind == GM_KEY_ELSEWHEN) {
            uint32_t started = p->at;
            gm_parser_fail(p, "an equation or `end` is expected");
            gm_parser_recover(p, started);
        } else {
            read_element(p, class_, is_protected, &elements);
        }
    }
    class_->elements      = elements.at;
    class_->element_count = elements.count;
    class_->sections      = sections.at;
    class_->section_count = sections.count;
    index_members(p, class_);
}

// end NAME, after a body
static void read_class_end(gm_parser *p, gm_ast_class *class_)
{
    uint32_t line, column;
    gm_source_at(p->sources, class_->at, &line, &column);
    gm_str name = name_text(p, class_->name);
    if (!gm_parser_take(p, GM_KEY_END)) {
        gm_parser_fail(p, "`end " GM_STR_FMT ";` is expected (it was opened in line %u)", GM_STR_ARG(name), line);
        return;
    }
    const gm_token *token = gm_parser_look(p, 0);
    if (token->kind == GM_TOKEN_NAME && token->id != class_->name) {
        gm_parser_fail_at(p, token->at, token->length, "`end " GM_STR_FMT "` is expected, for the class opened in line %u",
                       GM_STR_ARG(name), line);
        return;
    }
    if (!gm_parser_take(p, GM_TOKEN_NAME)) gm_parser_fail(p, "`end " GM_STR_FMT "` is expected", GM_STR_ARG(name));
}

static void read_enumeration(gm_parser *p, gm_ast_class *class_)
{
    gm_ast_literal *items = NULL;
    uint32_t        count = 0, capacity = 0;
    class_->is_enumeration = true;
    gm_parser_take(p, GM_KEY_ENUMERATION);
    gm_parser_expect(p, GM_TOKEN_OPEN, "after `enumeration`");
    if (!gm_parser_take(p, GM_TOKEN_COLON)) {
        do {
            GM_WORK_RESERVE(p->w, items, capacity, count + 1);
            gm_ast_literal literal = { .at = gm_parser_look(p, 0)->at };
            literal.name           = gm_parser_name(p, "an enumeration literal");
            literal.comment        = gm_parser_comment(p);
            gm_str ignored;
            if (gm_parser_at(p, GM_KEY_ANNOTATION)) gm_parser_annotation(p, &ignored);
            items[count++] = literal;
        } while (gm_parser_take(p, GM_TOKEN_COMMA));
    }
    gm_parser_expect(p, GM_TOKEN_CLOSE, "after the literals");
    class_->literals      = items;
    class_->literal_count = count;
}

// = [input|output|flow] base[dims](mods) | enumeration(...) | der(...)
static void read_short_class(gm_parser *p, gm_ast_class *class_)
{
    if (gm_parser_at(p, GM_KEY_ENUMERATION)) {
        read_enumeration(p, class_);
    } else {
        prefixes pre       = read_prefixes(p, false);
        class_->base_flags = pre.flags;
        if (gm_parser_at(p, GM_KEY_DER))
            gm_parser_fail(p, "functions made by `der` are not supported; the name of a class is expected");
        class_->base = gm_parser_type_name(p);
        if (gm_parser_at(p, GM_TOKEN_OPEN_BRACKET))
            class_->base_dimensions = gm_parser_subscripts(p, &class_->base_dimension_count);
        class_->base_mod = (gm_ast_mod){ .name = class_->name, .at = class_->at, .length = class_->length };
        if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &class_->base_mod);
    }
    class_->comment = gm_parser_comment(p);
    if (gm_parser_at(p, GM_KEY_ANNOTATION)) class_->annotation = gm_parser_annotation(p, &class_->annotation_text);
}

static gm_ast_class *read_class(gm_parser *p, gm_ast_class *parent)
{
    gm_ast_class *class_ = GM_WORK_NEW(p->w, gm_ast_class, 1);
    class_->parent       = parent;
    class_->number       = (*p->class_number)++;
    if (!gm_parser_descend(p)) return class_;
    read_class_head(p, class_);
    if (gm_parser_at(p, GM_KEY_EXTENDS))
        gm_parser_fail(p, "`class extends` is not supported; the name of the class is expected");
    class_->at     = gm_parser_look(p, 0)->at;
    class_->length = gm_parser_look(p, 0)->length;
    class_->name   = gm_parser_name(p, "the class");
    if (gm_parser_take(p, GM_TOKEN_EQUALS)) {
        read_short_class(p, class_);
    } else if (!p->failed) {
        read_class_body(p, class_);
        read_class_end(p, class_);
    }
    p->depth--;
    return class_;
}

// After a broken class: to the next word that begins one, without a message for each line in between.
static void skip_to_class(gm_parser *p)
{
    uint32_t length;
    while (!gm_parser_at(p, GM_TOKEN_END)) {
        bool after_end = p->at > 0 && p->tokens[p->at - 1].kind == GM_KEY_END;
        if (!after_end && class_kind_ahead(p, &length) >= 0 && gm_parser_look(p, 0)->kind != GM_KEY_FINAL) return;
        gm_parser_take(p, gm_parser_look(p, 0)->kind);
    }
}

void gm_parse(gm_work *w, gm_names *names, const gm_sources *sources, const gm_source *source, gm_diags *diags,
              uint32_t *class_number, gm_parsed *out_parsed)
{
    *out_parsed      = (gm_parsed){ 0 };
    gm_tokens tokens = { 0 };
    gm_lex(w, names, sources, source, diags, &tokens);
    gm_parser  parser = { .w            = w,
                          .names        = names,
                          .sources      = sources,
                          .source       = source,
                          .diags        = diags,
                          .tokens       = tokens.items,
                          .end          = tokens.count - 1,
                          .class_number = class_number };
    gm_parser *p     = &parser;
    if (gm_parser_take(p, GM_KEY_WITHIN)) {
        out_parsed->has_within = true;
        if (gm_parser_at(p, GM_TOKEN_NAME)) out_parsed->within = gm_parser_type_name(p);
        gm_parser_expect(p, GM_TOKEN_SEMICOLON, "after `within`");
        gm_parser_recover(p, 0);
    }
    while (!gm_parser_at(p, GM_TOKEN_END)) {
        uint32_t      started = p->at;
        gm_ast_class *class_  = read_class(p, NULL);
        bool          whole   = !p->failed;
        gm_parser_expect(p, GM_TOKEN_SEMICOLON, "after the class");
        bool good = !p->failed;
        p->depth  = 0;
        gm_parser_recover(p, started);
        if (!good) skip_to_class(p);
        if (!whole && !good && class_->element_count == 0 && class_->base == NULL) continue;
        GM_WORK_RESERVE(w, out_parsed->classes, out_parsed->capacity, out_parsed->count + 1);
        out_parsed->classes[out_parsed->count++] = class_;
    }
}
