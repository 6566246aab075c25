#include "physics/modelica/assembly.h"

#include <stdio.h>

static bool is_keyword(gm_str name)
{
    static const char *const words[] = {
        "algorithm",    "and",           "annotation",  "block",     "break",      "class",     "connect",  "connector",
        "constant",     "constrainedby", "der",         "discrete",  "each",       "else",      "elseif",   "elsewhen",
        "encapsulated", "end",           "enumeration", "equation",  "expandable", "extends",   "external", "false",
        "final",        "flow",          "for",         "function",  "if",         "import",    "impure",   "in",
        "initial",      "inner",         "input",       "loop",      "model",      "not",       "operator", "or",
        "outer",        "output",        "package",     "parameter", "partial",    "protected", "public",   "pure",
        "record",       "redeclare",     "replaceable", "return",    "stream",     "then",      "true",     "type",
        "when",         "while",         "within",      "time",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (gm_str_is(name, words[i])) return true;
    }
    return false;
}

static bool is_identifier(gm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c      = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
    }
    return name.len > 0 && !is_keyword(name);
}

static void write_one(gm_buf *out, gm_str name)
{
    if (is_identifier(name)) {
        gm_buf_str(out, name);
        return;
    }
    gm_buf_byte(out, '\'');
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '\n') gm_buf_text(out, "\\n");
        else {
            if (c == '\'' || c == '\\') gm_buf_byte(out, '\\');
            gm_buf_byte(out, (uint8_t)c);
        }
    }
    gm_buf_byte(out, '\'');
}

void gm_modelica_write_name(gm_buf *out, gm_str name, bool dotted)
{
    gm_str rest = name, part;
    if (!dotted) {
        write_one(out, name);
        return;
    }
    for (bool first = true; gm_str_next(&rest, '.', &part); first = false) {
        if (!first) gm_buf_byte(out, '.');
        write_one(out, part);
    }
}

gm_assembly gm_assembly_begin(const gm_alloc *alloc, gm_str class_name)
{
    gm_assembly a = { .declarations = gm_buf_init(alloc), .equations = gm_buf_init(alloc), .name = gm_buf_init(alloc) };
    write_one(&a.name, class_name);
    gm_buf_text(&a.declarations, "model ");
    gm_buf_str(&a.declarations, gm_buf_view(&a.name));
    gm_buf_byte(&a.declarations, '\n');
    return a;
}

void gm_assembly_finish(gm_assembly *a)
{
    gm_buf_finish(&a->declarations);
    gm_buf_finish(&a->equations);
    gm_buf_finish(&a->name);
}

static void close_component(gm_assembly *a)
{
    if (!a->open) return;
    gm_buf_text(&a->declarations, a->first ? ";\n" : ");\n");
    a->open = false;
}

void gm_assembly_component(gm_assembly *a, gm_str name, gm_str class_name)
{
    close_component(a);
    gm_buf_text(&a->declarations, "  .");  // from the top: a component of the same name must not hide the class
    gm_modelica_write_name(&a->declarations, class_name, true);
    gm_buf_byte(&a->declarations, ' ');
    write_one(&a->declarations, name);
    a->open = a->first = true;
}

static void begin_argument(gm_assembly *a, gm_str path)
{
    gm_buf_text(&a->declarations, a->first ? "(" : ", ");
    a->first = false;
    gm_modelica_write_name(&a->declarations, path, true);
}

static void write_number(gm_assembly *a, double value)
{
    char   text[40];
    snprintf(text, sizeof text, "%.17g", value);
    gm_buf_text(&a->declarations, text);
}

void gm_assembly_set(gm_assembly *a, gm_str parameter, double value)
{
    begin_argument(a, parameter);
    gm_buf_byte(&a->declarations, '=');
    write_number(a, value);
}

void gm_assembly_set_bool(gm_assembly *a, gm_str parameter, bool value)
{
    begin_argument(a, parameter);
    gm_buf_text(&a->declarations, value ? "=true" : "=false");
}

void gm_assembly_start(gm_assembly *a, gm_str variable, double value)
{
    begin_argument(a, variable);
    gm_buf_text(&a->declarations, "(start=");
    write_number(a, value);
    gm_buf_text(&a->declarations, ", fixed=true)");
}

static void write_part(gm_assembly *a, gm_str component, gm_str part)
{
    write_one(&a->equations, component);
    gm_buf_byte(&a->equations, '.');
    gm_modelica_write_name(&a->equations, part, true);
}

void gm_assembly_connect(gm_assembly *a, gm_str from, gm_str from_port, gm_str to, gm_str to_port)
{
    gm_buf_text(&a->equations, "  connect(");
    write_part(a, from, from_port);
    gm_buf_text(&a->equations, ", ");
    write_part(a, to, to_port);
    gm_buf_text(&a->equations, ");\n");
}

void gm_assembly_equate(gm_assembly *a, gm_str to, gm_str variable, gm_str from, gm_str from_variable)
{
    gm_buf_text(&a->equations, "  ");
    write_part(a, to, variable);
    gm_buf_text(&a->equations, " = ");
    write_part(a, from, from_variable);
    gm_buf_text(&a->equations, ";\n");
}

gm_str gm_assembly_text(gm_assembly *a)
{
    close_component(a);
    gm_buf_text(&a->declarations, "equation\n");
    gm_buf_str(&a->declarations, gm_buf_view(&a->equations));
    gm_buf_text(&a->declarations, "end ");
    gm_buf_str(&a->declarations, gm_buf_view(&a->name));
    gm_buf_text(&a->declarations, ";\n");
    if (a->declarations.failed || a->equations.failed || a->name.failed) return (gm_str){ 0 };
    return gm_buf_view(&a->declarations);
}
