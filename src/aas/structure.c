// Hierarchical Structures enabling Bills of Material (IDTA 02011-1-1): what a thing is made of, one level: each part that has a shell
// has a structure of its own.
#include "aas/internal.h"
#include "thread/bom.h"

#include <math.h>
#include <stdlib.h>

#define STRUCTURES "https://admin-shell.io/idta/HierarchicalStructures/"

static void number(gm_aas_page *p, const char *name, const char *semantics, const char *type, double value)
{
    char text[GM_NUMBER_TEXT];
    gm_aas_property(&p->pen, gm_str_of(name), gm_str_of(semantics), type, (gm_str){ text, gm_number_write(value, text) });
}

static void text(gm_aas_page *p, const char *name, gm_str value)
{
    gm_buf id = gm_buf_init(p->pen.out->alloc);
    gm_buf_printf(&id, GM_AAS_OWN "%s:1", name);
    if (value.len > 0) gm_aas_property(&p->pen, gm_str_of(name), gm_buf_view(&id), "xs:string", value);
    if (id.failed) p->pen.out->failed = true;
    gm_buf_finish(&id);
}

static void quantity(gm_aas_page *p, const gm_fact *f)
{
    bool whole = f->value.number >= 0 && f->value.number < 9e15 && floor(f->value.number) == f->value.number && f->value.unit.len == 0;
    char digits[GM_NUMBER_TEXT + 8];
    if (whole) {
        int n = snprintf(digits, sizeof digits, "%.0f", f->value.number);
        gm_aas_property(&p->pen, GM_STR("BulkCount"), GM_STR(STRUCTURES "BulkCount/1/0"), "xs:unsignedLong", (gm_str){ digits, (size_t)n });
    } else {
        number(p, "Quantity", GM_AAS_OWN "Quantity:1", "xs:double", f->value.number);
        text(p, "Unit", f->value.unit);
    }
}

static void begin_entity(gm_aas_page *p, gm_str id_short, const char *semantics, gm_str thing, bool managed)
{
    gm_buf id = gm_buf_init(p->pen.out->alloc);
    gm_aas_begin(&p->pen, "Entity", id_short, gm_str_of(semantics));
    gm_aas_text(&p->pen, "entityType", managed ? GM_STR("SelfManagedEntity") : GM_STR("CoManagedEntity"));
    gm_aas_asset_id(thing, &id);
    if (id.failed) p->pen.out->failed = true;
    if (managed) gm_aas_text(&p->pen, "globalAssetId", gm_buf_view(&id));
    gm_buf_finish(&id);
}

static bool has_shell(const gm_aas_page *p, gm_str id)
{
    return gm_twin_ok(gm_state_find(p->world->state, id)) || gm_aas_has_facts(p->world, id);
}

// A row of the bill, or a part that is installed. Which part it is stands in Part, since a part without a shell has no asset id.
static void node(gm_aas_page *p, gm_str id_short, gm_str part, const gm_fact *f)
{
    gm_bom_line line;
    bool        row = f->value.kind == GM_FACT_PART && gm_bom_line_read(f, &line, NULL) == GM_OK && gm_str_starts(f->key, GM_STR(GM_KEY_BOM));
    begin_entity(p, id_short, STRUCTURES "Node/1/0", part, has_shell(p, part));
    gm_aas_open(&p->pen, "statements", '[');
    text(p, "Part", part);
    if (row) {
        quantity(p, f);
        text(p, "Position", line.position);
        text(p, "Variant", line.variant);
        if (line.alternate) text(p, "Alternate", GM_STR("true"));
    } else {
        text(p, "InstalledAt", f->value.position.len > 0 ? f->value.position : GM_STR("-"));
    }
    gm_aas_end_list(&p->pen);
}

static void has_part(gm_aas_page *p, gm_str submodel, gm_str node_name)
{
    gm_aas_pen *pen = &p->pen;
    gm_buf      name = gm_buf_init(pen->out->alloc);
    gm_buf_printf(&name, "HasPart_%.100s", node_name.ptr);
    gm_aas_begin(pen, "RelationshipElement", gm_buf_view(&name), GM_STR(STRUCTURES "HasPart/1/0"));
    for (int end = 0; end < 2; end++) {
        gm_aas_open(pen, end == 0 ? "first" : "second", '{');
        gm_aas_text(pen, "type", GM_STR("ModelReference"));
        gm_aas_open(pen, "keys", '[');
        const struct { const char *type; gm_str value; } keys[] = { { "Submodel", submodel }, { "Entity", GM_STR("EntryNode") }, { "Entity", node_name } };
        for (int k = 0; k < 2 + end; k++) {
            gm_aas_open(pen, NULL, '{');
            gm_aas_text(pen, "type", gm_str_of(keys[k].type));
            gm_aas_text(pen, "value", keys[k].value);
            gm_aas_close(pen, '}');
        }
        gm_aas_close(pen, ']');
        gm_aas_close(pen, '}');
    }
    gm_aas_close(pen, '}');
    if (name.failed) pen->out->failed = true;
    gm_buf_finish(&name);
}

typedef struct row { const gm_fact *fact; gm_str part; } row;

static int by_position(const void *a, const void *b)
{
    const gm_fact *x = ((const row *)a)->fact, *y = ((const row *)b)->fact;
    bool           bx = gm_str_starts(x->key, GM_STR(GM_KEY_BOM)), by = gm_str_starts(y->key, GM_STR(GM_KEY_BOM));
    if (bx != by) return bx ? -1 : 1;
    int o = bx ? gm_position_compare(x->key, y->key) : gm_position_compare(x->value.position, y->value.position);
    return o != 0 ? o : x->phase != y->phase ? (int)x->phase - (int)y->phase : gm_str_cmp(x->twin, y->twin);
}

static size_t collect(const gm_aas_page *p, row *rows)
{
    const gm_aas_thing *t = p->thing;
    size_t              n = 0;
    for (size_t i = 0; i < t->fact_count; i++) {
        const gm_fact *f = &t->facts[i];
        if (f->value.kind == GM_FACT_PART && gm_str_starts(f->key, GM_STR(GM_KEY_BOM)) && gm_aas_sees(p->world, f->value.text)) rows[n++] = (row){ f, f->value.text };
    }
    for (size_t i = 0; i < t->inside_count; i++) {
        if (gm_aas_sees(p->world, t->inside[i].twin)) rows[n++] = (row){ &t->inside[i], t->inside[i].twin };
    }
    if (n > 1) qsort(rows, n, sizeof *rows, by_position);
    return n;
}

void gm_aas_structure(gm_aas_page *p)
{
    const gm_alloc *alloc    = p->pen.out->alloc;
    json_t         *names    = json_object();
    gm_buf          submodel = gm_buf_init(alloc);
    row            *rows     = gm_alloc_array(alloc, p->thing->fact_count + p->thing->inside_count + 1, sizeof *rows);
    size_t          count    = rows != NULL ? collect(p, rows) : 0;
    char            name[GM_AAS_ID_SHORT_MAX + 1];
    gm_aas_submodel_id(GM_AAS_STRUCTURE, p->thing->id, &submodel);
    gm_aas_property(&p->pen, GM_STR("ArcheType"), GM_STR(STRUCTURES "ArcheType/1/0"), "xs:string", GM_STR("OneDown"));
    begin_entity(p, GM_STR("EntryNode"), STRUCTURES "EntryNode/1/0", p->thing->id, true);
    gm_aas_open(&p->pen, "statements", '[');
    for (size_t i = 0; i < count; i++) {
        gm_aas_id_short_among(names, rows[i].part, name);
        node(p, gm_str_of(name), rows[i].part, rows[i].fact);
        has_part(p, gm_buf_view(&submodel), gm_str_of(name));
    }
    gm_aas_end_list(&p->pen);
    if (rows == NULL || names == NULL || submodel.failed) p->pen.out->failed = true;
    gm_free(alloc, rows);
    json_decref(names);
    gm_buf_finish(&submodel);
}
