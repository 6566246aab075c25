// Fault trees written as twins, and read back.
#include "failure/tree_twins.h"

#include <math.h>
#include <stdio.h>

enum { ID_MAX = 128 };  // bytes of a twin's id

#define CONTENT(kind, name, schema) "{\"@type\":\"" kind "\",\"name\":\"" name "\",\"schema\":\"" schema "\",\"writable\":true}"

gm_str gm_tree_twins_models(void)
{
    return GM_STR(
        "[\n"
        " {\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:gemel:faulttree:Gate;1\",\"@type\":\"Interface\",\"displayName\":\"Gate of a fault tree\",\"contents\":[\n"
        "  " CONTENT("Property", "name", "string") ",\n  " CONTENT("Property", "label", "string") ",\n"
        "  {\"@type\":\"Property\",\"name\":\"connective\",\"writable\":true,\"schema\":{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":["
        "{\"name\":\"and\",\"enumValue\":\"and\"},{\"name\":\"or\",\"enumValue\":\"or\"},{\"name\":\"xor\",\"enumValue\":\"xor\"},{\"name\":\"cardinality\",\"enumValue\":\"cardinality\"}]}},\n"
        "  " CONTENT("Property", "least", "integer") ",\n  " CONTENT("Property", "most", "integer") ",\n"
        "  {\"@type\":\"Relationship\",\"name\":\"input\",\"properties\":[" CONTENT("Property", "negated", "boolean") "]}]},\n"
        " {\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:gemel:faulttree:BasicEvent;1\",\"@type\":\"Interface\",\"displayName\":\"Basic event of a fault tree\",\"contents\":[\n"
        "  " CONTENT("Property", "name", "string") ",\n  " CONTENT("Property", "label", "string") ",\n  " CONTENT("Property", "probability", "double") "]},\n"
        " {\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:gemel:faulttree:HouseEvent;1\",\"@type\":\"Interface\",\"displayName\":\"House event of a fault tree\",\"contents\":[\n"
        "  " CONTENT("Property", "name", "string") ",\n  " CONTENT("Property", "state", "boolean") "]}\n"
        "]\n");
}

typedef struct writer { const gm_fault_tree *tree; gm_buf *out; } writer;

// What may stand in an id as it is. Others, and what is too long, are told apart by the node's number.
static bool plain(gm_str name)
{
    bool good = name.len > 0 && name.len < ID_MAX - 12;
    for (size_t i = 0; good && i < name.len; i++) {
        char c = name.ptr[i];
        good   = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    }
    return good;
}

static void write_id(writer *w, gm_tree_node node)
{
    gm_str name = gm_fault_tree_view(w->tree, node).name;
    if (plain(name)) gm_buf_json_str(w->out, name);
    else gm_buf_printf(w->out, "\"gate:%u\"", node.v);  // no name has a colon
}

static void member(writer *w, const char *key, gm_str text)
{
    if (text.len == 0) return;
    gm_buf_printf(w->out, ",\"%s\":", key);
    gm_buf_json_str(w->out, text);
}

static void write_twin(writer *w, gm_tree_node node)
{
    static const char *const connectives[] = { [GM_GATE_AND] = "and", [GM_GATE_OR] = "or", [GM_GATE_XOR] = "xor", [GM_GATE_CARDINALITY] = "cardinality" };
    gm_tree_view v     = gm_fault_tree_view(w->tree, node);
    gm_str       model = v.kind == GM_GATE_EVENT ? GM_TREE_TWIN_EVENT : v.kind == GM_GATE_CONSTANT ? GM_TREE_TWIN_HOUSE : GM_TREE_TWIN_GATE;
    gm_buf_text(w->out, "{\"$dtId\":");
    write_id(w, node);
    gm_buf_printf(w->out, ",\"$metadata\":{\"$model\":\"" GM_STR_FMT "\"}", GM_STR_ARG(model));
    member(w, "name", v.name);
    if (v.kind != GM_GATE_CONSTANT) member(w, "label", v.label);
    if (v.kind == GM_GATE_EVENT && !isnan(v.probability)) {
        gm_buf_text(w->out, ",\"probability\":");
        gm_buf_json_number(w->out, v.probability);
    } else if (v.kind == GM_GATE_CONSTANT) gm_buf_printf(w->out, ",\"state\":%s", v.value ? "true" : "false");
    else if (v.kind != GM_GATE_EVENT) gm_buf_printf(w->out, ",\"connective\":\"%s\"", connectives[v.kind]);
    if (v.kind == GM_GATE_CARDINALITY) gm_buf_printf(w->out, ",\"least\":%u,\"most\":%u", v.min, v.max);
    gm_buf_text(w->out, "}\n");
}

static void write_inputs(writer *w, gm_tree_node node)
{
    gm_tree_view v = gm_fault_tree_view(w->tree, node);
    for (uint32_t i = 0; i < v.count; i++) {
        gm_buf_text(w->out, "{\"$dtId\":");
        write_id(w, node);
        gm_buf_printf(w->out, ",\"$relationshipId\":\"input%u\",\"$relationshipName\":\"input\",\"$targetId\":", i);
        write_id(w, gm_tree_target(v.inputs[i]));
        gm_buf_text(w->out, gm_tree_negated(v.inputs[i]) ? ",\"negated\":true}\n" : "}\n");
    }
}

gm_status gm_tree_twins_write(const gm_fault_tree *tree, gm_tree_node top, gm_buf *out, gm_error *err)
{
    uint32_t  n     = gm_fault_tree_count(tree);
    uint32_t *queue = gm_alloc_array(out->alloc, n, sizeof *queue);
    uint8_t  *met   = gm_alloc_zeroed(out->alloc, n);
    writer    w     = { tree, out };
    size_t    count = 0;
    if (queue != NULL && met != NULL) {
        queue[count++] = top.v;
        met[top.v]     = 1;
        for (size_t i = 0; i < count; i++) {
            gm_tree_view v = gm_fault_tree_view(tree, (gm_tree_node){ queue[i] });
            for (uint32_t k = 0; k < v.count; k++) {
                uint32_t child = gm_tree_target(v.inputs[k]).v;
                if (met[child]) continue;
                met[child]     = 1;
                queue[count++] = child;
            }
        }
        gm_buf_text(out, "{\"Section\": \"Header\"}\n{\"fileVersion\": \"1.0.0\", \"author\": \"gemel\", \"organization\": \"gemel\"}\n{\"Section\": \"Twins\"}\n");
        for (size_t i = 0; i < count; i++) write_twin(&w, (gm_tree_node){ queue[i] });
        gm_buf_text(out, "{\"Section\": \"Relationships\"}\n");
        for (size_t i = 0; i < count; i++) write_inputs(&w, (gm_tree_node){ queue[i] });
    }
    bool short_of = queue == NULL || met == NULL || out->failed;
    gm_free(out->alloc, queue);
    gm_free(out->alloc, met);
    return short_of ? gm_fail(err, GM_NOMEM, "failure.twins", "writing a fault tree as twins") : GM_OK;
}

// ---- read back --------------------------------------------------------------------------------------------------------------------

gm_tree_twin_kind gm_tree_twin_kind_of(const gm_type *type)
{
    if (gm_str_eq(type->id, GM_TREE_TWIN_GATE)) return GM_TREE_TWIN_IS_GATE;
    if (gm_str_eq(type->id, GM_TREE_TWIN_EVENT)) return GM_TREE_TWIN_IS_EVENT;
    return gm_str_eq(type->id, GM_TREE_TWIN_HOUSE) ? GM_TREE_TWIN_IS_HOUSE : GM_TREE_TWIN_NONE;
}

static gm_value value_at(const gm_state *state, gm_twin twin, gm_str path)
{
    uint32_t column = gm_type_column_index(gm_state_type(state, twin), path);
    gm_cell  cell   = { 0 };
    if (column != GM_NO_COLUMN) gm_state_get(state, twin, column, &cell);
    return cell.value;
}

gm_str gm_tree_twin_text(const gm_state *state, gm_twin twin, gm_str path)
{
    gm_value value = value_at(state, twin, path);
    return value.kind == GM_KIND_STRING ? value.s : (gm_str){ 0 };
}

double gm_tree_twin_probability(const gm_state *state, gm_twin event)
{
    gm_value value = value_at(state, event, GM_STR("probability"));
    return value.kind == GM_KIND_DOUBLE ? value.d : NAN;
}

bool gm_tree_twin_on(const gm_state *state, gm_twin house)
{
    gm_value value = value_at(state, house, GM_STR("state"));
    return value.kind == GM_KIND_BOOL && value.i != 0;
}

bool gm_tree_twin_negated(const gm_state *state, gm_edge input)
{
    return gm_str_find(gm_state_relationship(state, input).properties, GM_STR("\"negated\":true")) != SIZE_MAX;
}

static uint32_t count_at(const gm_state *state, gm_twin gate, gm_str path, uint32_t otherwise)
{
    gm_value value = value_at(state, gate, path);
    return value.kind == GM_KIND_INT && value.i >= 0 && value.i < UINT32_MAX ? (uint32_t)value.i : otherwise;
}

gm_tree_twin_gate gm_tree_twin_gate_of(const gm_state *state, gm_twin gate, uint32_t inputs)
{
    gm_str name = gm_tree_twin_text(state, gate, GM_STR("connective"));
    if (gm_str_is(name, "and")) return (gm_tree_twin_gate){ .kind = GM_GATE_AND };
    if (gm_str_is(name, "or")) return (gm_tree_twin_gate){ .kind = GM_GATE_OR };
    if (gm_str_is(name, "xor")) return (gm_tree_twin_gate){ .kind = GM_GATE_XOR };
    if (!gm_str_is(name, "cardinality")) return (gm_tree_twin_gate){ .kind = GM_GATE_NONE };
    return (gm_tree_twin_gate){ GM_GATE_CARDINALITY, count_at(state, gate, GM_STR("least"), 0), count_at(state, gate, GM_STR("most"), inputs) };
}
