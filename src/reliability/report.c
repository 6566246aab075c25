#include "reliability/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_birnbaum(const void *a, const void *b)
{
    const gm_ranked_event *p = a, *q = b;
    double x = fabs(p->i.birnbaum * p->i.probability), y = fabs(q->i.birnbaum * q->i.probability);
    if (x != y) return x > y ? -1 : 1;
    return p->node.v < q->node.v ? -1 : p->node.v > q->node.v;
}

gm_ranked_event *gm_reliability_rank(const gm_alloc *alloc, const gm_fault_tree *tree, const gm_reliability *r, size_t *out_count)
{
    uint32_t         n    = gm_fault_tree_count(tree);
    gm_ranked_event *list = gm_alloc_array(alloc, n + (size_t)1, sizeof *list);
    *out_count            = 0;
    for (uint32_t i = 0; list != NULL && i < n; i++) {
        if (gm_fault_tree_view(tree, (gm_tree_node){ i }).kind != GM_GATE_EVENT) continue;
        gm_event_importance x = gm_reliability_event(r, (gm_tree_node){ i });
        if (x.birnbaum != 0) list[(*out_count)++] = (gm_ranked_event){ { i }, x };
    }
    if (list != NULL) qsort(list, *out_count, sizeof *list, by_birnbaum);
    return list;
}

typedef struct cut_writer { const gm_fault_tree *tree; gm_buf *out; size_t count; } cut_writer;

static void write_cut(void *context, const uint32_t *events, size_t count, double probability)
{
    cut_writer *w = context;
    gm_buf_text(w->out, w->count++ > 0 ? ",{\"events\":[" : "{\"events\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) gm_buf_byte(w->out, ',');
        gm_buf_json_str(w->out, gm_fault_tree_view(w->tree, (gm_tree_node){ events[i] }).name);
    }
    gm_buf_text(w->out, "],\"probability\":");
    gm_buf_json_number(w->out, probability);
    gm_buf_byte(w->out, '}');
}

static void write_orders(const gm_reliability *r, const gm_reliability_summary *s, gm_buf *out)
{
    char text[48];
    bool first = true;
    gm_buf_text(out, ",\"cut_sets\":");
    gm_buf_text(out, s->cut_sets_known ? "{" : "null");
    for (size_t k = 0; s->cut_sets_known && k < s->order_count; k++) {
        gm_reliability_cut_sets(r, k, text);
        if (strcmp(text, "0") == 0) continue;
        gm_buf_printf(out, "%s\"%zu\":%s", first ? "" : ",", k, text);
        first = false;
    }
    if (!s->cut_sets_known) return;
    gm_reliability_cut_sets_total(r, text);
    gm_buf_printf(out, "},\"cut_sets_total\":%s", text);
}

static void write_importance(const gm_fault_tree *tree, const gm_ranked_event *list, size_t count, gm_buf *out)
{
    gm_buf_text(out, ",\"importance\":[");
    for (size_t i = 0; i < count; i++) {
        const gm_event_importance *x = &list[i].i;
        gm_buf_text(out, i > 0 ? ",{\"event\":" : "{\"event\":");
        gm_buf_json_str(out, gm_fault_tree_view(tree, list[i].node).name);
        const struct { const char *name; double value; } fields[] = {
            { "probability", x->probability }, { "birnbaum", x->birnbaum }, { "fussell_vesely", x->fussell_vesely },
            { "risk_achievement_worth", x->achievement }, { "risk_reduction_worth", x->reduction },
        };
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
            gm_buf_printf(out, ",\"%s\":", fields[k].name);
            gm_buf_json_number(out, fields[k].value);
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

gm_status gm_reliability_write_report(const gm_alloc *alloc, gm_reliability *r, const gm_fault_tree *tree, gm_tree_node top,
                                      const gm_reliability_report *report, gm_buf *out, gm_error *err)
{
    gm_reliability_summary s  = gm_reliability_summarise(r);
    gm_status              st = GM_OK;
    gm_buf_text(out, "\"top\":");
    gm_buf_json_str(out, gm_fault_tree_view(tree, top).name);
    gm_buf_text(out, ",\"top_probability\":");
    gm_buf_json_number(out, s.exact ? s.probability : NAN);
    gm_buf_printf(out, ",\"exact\":%s,\"bounds\":[", s.exact ? "true" : "false");
    gm_buf_json_number(out, s.low);
    gm_buf_byte(out, ',');
    gm_buf_json_number(out, s.high);
    gm_buf_byte(out, ']');
    write_orders(r, &s, out);
    gm_buf_printf(out, ",\"coherent\":%s,\"events\":%zu,\"modules\":%zu,\"diagram_nodes\":%zu", s.coherent ? "true" : "false", s.events, s.modules,
                  s.diagram_nodes);
    if (s.cut_sets_known && report->cut_sets > 0) {
        cut_writer w = { tree, out, 0 };
        gm_buf_text(out, ",\"likeliest_cut_sets\":[");
        st = gm_reliability_list(r, report->cut_sets, write_cut, &w, err);
        gm_buf_byte(out, ']');
    }
    size_t           count = 0;
    gm_ranked_event *list  = s.exact ? gm_reliability_rank(alloc, tree, r, &count) : NULL;
    if (s.exact && list == NULL) st = gm_fail(err, GM_NOMEM, "reliability", "ranking events");
    write_importance(tree, list, report->importance < count ? report->importance : count, out);
    gm_free(alloc, list);
    gm_buf_text(out, ",\"why\":");
    if (s.why != NULL) gm_buf_json_str(out, gm_str_of(s.why));
    else gm_buf_text(out, "null");
    gm_buf_text(out, ",\"seconds\":");
    gm_buf_json_number(out, report->seconds);
    return st;
}
