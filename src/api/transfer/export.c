#include "api/transfer/export.h"

#include "state/document.h"

enum { PIECE = 64 << 10 };

typedef enum part { PART_HEAD, PART_MODELS, PART_TWINS, PART_RELATIONSHIPS, PART_END } part;

struct gm_export {
    const gm_alloc  *alloc;
    gm_engine       *engine;
    gm_export_format format;
    part             order[5];  // the two forms have their parts in different orders
    size_t           at;        // in order
    uint32_t         next;      // model, twin or position of a relationship
    uint32_t         limit;     // twins with this number and above are too new for their relationships to be told
    bool             any;       // of this part
};

gm_export *gm_export_open(const gm_alloc *alloc, gm_engine *engine, gm_export_format format)
{
    static const part orders[][5] = {
        [GM_EXPORT_LINES] = { PART_HEAD, PART_MODELS, PART_TWINS, PART_RELATIONSHIPS, PART_END },
        [GM_EXPORT_GRAPH] = { PART_HEAD, PART_TWINS, PART_RELATIONSHIPS, PART_MODELS, PART_END },
    };
    gm_export *export = gm_alloc_zeroed(alloc, sizeof *export);
    if (export == NULL) return NULL;
    export->alloc  = alloc;
    export->engine = engine;
    export->format = format;
    memcpy(export->order, orders[format], sizeof export->order);
    export->limit  = gm_state_next_twin(gm_engine_state(engine));
    return export;
}

void gm_export_close(gm_export *export)
{
    if (export != NULL) gm_free(export->alloc, export);
}

// Before an item: the line end, or the comma.
static void separate(gm_export *export, gm_buf *out)
{
    if (export->format == GM_EXPORT_LINES) gm_buf_byte(out, '\n');
    else if (export->any) gm_buf_byte(out, ',');
    export->any = true;
}

static void begin_part(const gm_export *export, gm_buf *out)
{
    static const char *const lines[] = { "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\",\"author\":\"gemel\"}",
                                         "\n{\"Section\":\"Models\"}", "\n{\"Section\":\"Twins\"}",
                                         "\n{\"Section\":\"Relationships\"}", "\n" };
    static const char *const graph[] = {
        "{\"digitalTwinsFileInfo\":{\"fileVersion\":\"1.0.0\"},\"digitalTwinsGraph\":{", "},\"digitalTwinsModels\":[",
        "\"digitalTwins\":[", "],\"relationships\":[", "]}\n"
    };
    part now = export->order[export->at];
    if (export->format == GM_EXPORT_GRAPH && now == PART_MODELS) gm_buf_byte(out, ']');
    gm_buf_text(out, export->format == GM_EXPORT_LINES ? lines[now] : graph[now]);
}

static bool write_model(gm_export *export, gm_buf *out)
{
    const gm_model *model = gm_engine_model(export->engine);
    if (export->next >= gm_model_count(model)) return false;
    separate(export, out);
    gm_buf_str(out, gm_model_at(model, export->next++)->text);
    return true;
}

static bool write_twin(gm_export *export, gm_buf *out)
{
    const gm_state *state = gm_engine_state(export->engine);
    while (export->next < export->limit && !gm_state_exists(state, (gm_twin){ export->next })) export->next++;
    if (export->next >= export->limit) return false;
    separate(export, out);
    gm_document_write_twin_bare(state, (gm_twin){ export->next++ }, out);
    return true;
}

// In the order of their sources, then of their making: positions are reused after deletions, twins' numbers are not.
static bool write_relationships(gm_export *export, gm_buf *out)
{
    const gm_state *state = gm_engine_state(export->engine);
    if (export->next >= export->limit) return false;
    gm_twin source = { export->next++ };
    if (!gm_state_exists(state, source)) return true;
    for (gm_edge e = gm_state_first_out(state, source); gm_edge_ok(e); e = gm_state_next_out(state, e)) {
        if (gm_state_edge_target(state, e).v >= export->limit) continue;
        separate(export, out);
        gm_document_write_relationship_bare(state, e, out);
    }
    return true;
}

bool gm_export_next(gm_export *export, gm_buf *out)
{
    size_t start = out->len;
    while (export->at < 5 && out->len - start < PIECE && !out->failed) {
        part now = export->order[export->at];
        if (export->next == 0 && !export->any) begin_part(export, out);
        bool more = now == PART_MODELS ? write_model(export, out) : now == PART_TWINS ? write_twin(export, out)
                  : now == PART_RELATIONSHIPS && write_relationships(export, out);
        if (more) continue;
        export->at++;
        export->next = 0;
        export->any  = false;
    }
    return out->len > start;
}
