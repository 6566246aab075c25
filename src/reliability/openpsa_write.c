// A tree as Open-PSA text. What has no name is written where it is used.
#include "reliability/openpsa.h"

#include "base/number.h"

#include <math.h>

typedef struct writer { const gm_fault_tree *tree; gm_buf *out; uint8_t *written; } writer;

static void escaped(gm_buf *out, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&': gm_buf_text(out, "&amp;"); break;
        case '<': gm_buf_text(out, "&lt;"); break;
        case '>': gm_buf_text(out, "&gt;"); break;
        case '"': gm_buf_text(out, "&quot;"); break;
        default: gm_buf_byte(out, (uint8_t)text.ptr[i]);
        }
    }
}

static void indent(writer *w, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) gm_buf_text(w->out, "  ");
}

static void open_named(writer *w, unsigned depth, const char *element, gm_str name, const char *end)
{
    indent(w, depth);
    gm_buf_printf(w->out, "<%s name=\"", element);
    escaped(w->out, name);
    gm_buf_printf(w->out, "\"%s\n", end);
}

static void write_formula(writer *w, const gm_tree_view *v, unsigned depth);

static void write_edge(writer *w, gm_tree_edge edge, unsigned depth)
{
    if (gm_tree_negated(edge)) {
        indent(w, depth);
        gm_buf_text(w->out, "<not>\n");
        write_edge(w, gm_tree_not(edge), depth + 1);
        indent(w, depth);
        gm_buf_text(w->out, "</not>\n");
        return;
    }
    gm_tree_view v = gm_fault_tree_view(w->tree, gm_tree_target(edge));
    if (v.name.len > 0) {
        open_named(w, depth, v.kind == GM_GATE_EVENT ? "basic-event" : v.kind == GM_GATE_CONSTANT ? "house-event" : "gate", v.name, "/>");
    } else write_formula(w, &v, depth);
}

static void write_formula(writer *w, const gm_tree_view *v, unsigned depth)
{
    static const char *const names[] = { [GM_GATE_AND] = "and", [GM_GATE_OR] = "or", [GM_GATE_XOR] = "xor", [GM_GATE_CARDINALITY] = "cardinality" };
    indent(w, depth);
    if (v->kind == GM_GATE_CONSTANT) { gm_buf_printf(w->out, "<constant value=\"%s\"/>\n", v->value ? "true" : "false"); return; }
    // A gate of one input has no element of its own; it is that input.
    if (v->count == 1 && v->kind != GM_GATE_CARDINALITY) {
        w->out->len -= 2 * depth;
        write_edge(w, v->inputs[0], depth);
        return;
    }
    bool least = v->kind == GM_GATE_CARDINALITY && v->max == v->count;
    if (least) gm_buf_printf(w->out, "<atleast min=\"%u\">\n", v->min);
    else if (v->kind == GM_GATE_CARDINALITY) gm_buf_printf(w->out, "<cardinality min=\"%u\" max=\"%u\">\n", v->min, v->max);
    else gm_buf_printf(w->out, "<%s>\n", names[v->kind]);
    for (uint32_t i = 0; i < v->count; i++) write_edge(w, v->inputs[i], depth + 1);
    indent(w, depth);
    gm_buf_printf(w->out, "</%s>\n", least ? "atleast" : names[v->kind]);
}

static void write_label(writer *w, const gm_tree_view *v)
{
    if (v->label.len == 0) return;
    gm_buf_text(w->out, "      <label>");
    escaped(w->out, v->label);
    gm_buf_text(w->out, "</label>\n");
}

static void define(writer *w, const gm_tree_view *v)
{
    char        number[GM_NUMBER_TEXT];
    const char *element = v->kind == GM_GATE_EVENT ? "define-basic-event" : v->kind == GM_GATE_CONSTANT ? "define-house-event" : "define-gate";
    open_named(w, 2, element, v->name, ">");
    write_label(w, v);
    if (v->kind == GM_GATE_EVENT) {
        gm_number_write(v->probability, number);
        if (!isnan(v->probability)) gm_buf_printf(w->out, "      <float value=\"%s\"/>\n", number);
    } else if (v->kind == GM_GATE_CONSTANT) gm_buf_printf(w->out, "      <constant value=\"%s\"/>\n", v->value ? "true" : "false");
    else write_formula(w, v, 3);
    gm_buf_printf(w->out, "    </%s>\n", element);
}

void gm_openpsa_write(const gm_fault_tree *tree, gm_tree_node top, gm_str tree_name, gm_buf *out)
{
    uint32_t  n     = gm_fault_tree_count(tree);
    uint32_t *queue = gm_alloc_array(out->alloc, n, sizeof *queue);
    writer    w     = { tree, out, gm_alloc_zeroed(out->alloc, n) };
    size_t    count = 0;
    if (queue == NULL || w.written == NULL) { out->failed = true; goto done; }
    gm_buf_text(out, "<?xml version=\"1.0\"?>\n<opsa-mef>\n");
    open_named(&w, 1, "define-fault-tree", tree_name, ">");
    queue[count++]   = top.v;
    w.written[top.v] = 1;
    for (size_t i = 0; i < count; i++) {
        gm_tree_view v = gm_fault_tree_view(tree, (gm_tree_node){ queue[i] });
        if (v.name.len > 0) define(&w, &v);
        for (uint32_t k = 0; k < v.count; k++) {
            uint32_t child = gm_tree_target(v.inputs[k]).v;
            if (w.written[child]) continue;
            w.written[child] = 1;
            queue[count++]   = child;
        }
    }
    gm_buf_text(out, "  </define-fault-tree>\n</opsa-mef>\n");
done:
    gm_free(out->alloc, queue);
    gm_free(out->alloc, w.written);
}
