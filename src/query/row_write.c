// Rows as JSON, in the shapes of the reference: SELECT * is the document itself, SELECT T is {"T": document},
// SELECT T.a is {"a": value}; a property without a value is left out.
#include "query/rows.h"

#include "state/document.h"

static void write_collection(gm_eval *eval, uint32_t collection, gm_buf *out)
{
    uint32_t number = eval->bound[collection];
    if (eval->ast->collections[collection].is_relationship)
        gm_document_write_relationship(eval->state, (gm_edge) { number }, out);
    else gm_document_write_twin(eval->state, (gm_twin){ number }, out);
}

static void write_key(gm_buf *out, bool *first, gm_str name)
{
    gm_buf_byte(out, *first ? '{' : ',');
    *first = false;
    gm_buf_json_str(out, name);
    gm_buf_byte(out, ':');
}

static void write_star(gm_eval *eval, gm_buf *out)
{
    const gm_ast *ast = eval->ast;
    if (!ast->is_match) {
        write_collection(eval, 0, out);
        return;
    }
    bool first = true;
    for (uint32_t i = 0; i < ast->collection_count; i++) {
        if (ast->collections[i].name.len == 0) continue;
        write_key(out, &first, ast->collections[i].name);
        write_collection(eval, i, out);
    }
    gm_buf_text(out, first ? "{}" : "}");
}

void gm_row_write(gm_eval *eval, gm_buf *out)
{
    const gm_ast *ast = eval->ast;
    if (ast->star) {
        write_star(eval, out);
        return;
    }
    bool    first = true;
    gm_mark mark  = gm_arena_mark(eval->scratch);
    for (size_t i = 0; i < ast->item_count; i++) {
        const gm_item *item = &ast->items[i];
        if (gm_path_is_collection(ast, item->value)) {
            write_key(out, &first, item->name);
            write_collection(eval, ast->paths[item->value->path].collection, out);
            continue;
        }
        gm_qvalue value = gm_eval_value(eval, item->value);
        if (value.kind != GM_Q_UNDEFINED) {
            write_key(out, &first, item->name);
            gm_qvalue_write(value, out);
        }
        gm_arena_rewind(eval->scratch, mark);
    }
    gm_buf_text(out, first ? "{}" : "}");
}
