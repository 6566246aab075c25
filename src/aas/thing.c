#include "aas/added.h"
#include "aas/internal.h"
#include "aas/plate.h"
#include "state/document.h"

#include <stdlib.h>

static const char WHERE[] = "aas.thing";

bool gm_aas_sees(const gm_aas_world *world, gm_str id) { return world->sees == NULL || world->sees(world->context, id); }

// ---- facts ----------------------------------------------------------------------------------------------------------

typedef struct gathering { gm_fact *items; size_t count, capacity; const gm_aas_world *world; bool any; } gathering;

static bool count_one(void *context, const gm_fact *fact)
{
    (void)fact;
    ((gathering *)context)->capacity++;
    return true;
}

static bool take_one(void *context, const gm_fact *fact)
{
    gathering *g = context;
    if (g->count < g->capacity) g->items[g->count++] = *fact;
    return true;
}

static bool found_one(void *context, const gm_fact *fact)
{
    (void)fact;
    ((gathering *)context)->any = true;
    return false;
}

bool gm_aas_has_facts(const gm_aas_world *w, gm_str id)
{
    gathering g = { 0 };
    gm_thread_show(w->thread, id, GM_PHASE_COUNT, w->valid, w->known, found_one, &g);
    return g.any;
}

static int by_key(const void *a, const void *b)
{
    const gm_fact *x = a, *y = b;
    int            o = gm_str_cmp(x->key, y->key);
    return o != 0 ? o : (int)x->phase - (int)y->phase;
}

static int by_thing(const void *a, const void *b) { return gm_str_cmp(((const gm_fact *)a)->twin, ((const gm_fact *)b)->twin); }

static void note_added(gm_aas_thing *t, const gm_fact *f)
{
    gm_str name = gm_str_slice(f->key, strlen(GM_AAS_KEY_ADDED), f->key.len);
    for (int k = 0; k < GM_AAS_KIND_COUNT; k++) {
        if (gm_str_starts(f->key, GM_STR(GM_AAS_KEY_ADDED)) && gm_str_is(name, gm_aas_kind_name((gm_aas_kind)k))) t->added[k] = f->value.text;
    }
}

void gm_aas_sort_facts(gm_fact *facts, size_t count)
{
    if (count > 1) qsort(facts, count, sizeof *facts, by_key);
}

// Apart: what was kept for the Asset Administration Shell alone.
static void sort_out(gm_aas_thing *t, gm_fact *facts, size_t count)
{
    size_t ours = 0, first_kept = count;
    gm_aas_sort_facts(facts, count);
    for (size_t i = 0; i < count; i++) {  // those of "aas/" stand together
        if (gm_str_is(facts[i].key, GM_AAS_KEY_SHELL) && facts[i].value.kind == GM_FACT_JSON) t->shell = facts[i].value.text;
        if (facts[i].value.kind == GM_FACT_JSON) note_added(t, &facts[i]);
        if (gm_str_is(facts[i].key, GM_AAS_KEY_GONE)) t->gone = !gm_twin_ok(t->twin);
        if (!gm_str_starts(facts[i].key, GM_STR(GM_AAS_KEYS))) continue;
        if (gm_str_starts(facts[i].key, GM_STR(GM_AAS_KEY_SUBMODELS)) && facts[i].value.kind == GM_FACT_PART) {
            if (first_kept == count) first_kept = i;
            t->kept_count++;
        }
    }
    gm_fact *behind = facts + count;  // room for a copy: what is kept goes there, what is left moves together
    if (t->kept_count > 0) memcpy(behind, facts + first_kept, t->kept_count * sizeof *facts);
    t->kept = behind;
    for (size_t i = 0; i < count; i++) {
        if (!gm_str_starts(facts[i].key, GM_STR(GM_AAS_KEYS))) facts[ours++] = facts[i];
    }
    t->facts      = facts;
    t->fact_count = ours;
}

static gm_status gather(const gm_aas_world *w, gm_arena *arena, gm_aas_thing *t, gm_error *err)
{
    gathering g = { 0 }, in = { 0 };
    gm_thread_show(w->thread, t->id, GM_PHASE_COUNT, w->valid, w->known, count_one, &g);
    gm_thread_mentions(w->thread, t->id, GM_STR(GM_KEY_INSTALLED), GM_MENTION_HOLDS, w->valid, w->known, count_one, &in);
    g.items  = GM_ARENA_NEW(arena, gm_fact, 2 * g.capacity + 1);
    in.items = GM_ARENA_NEW(arena, gm_fact, in.capacity + 1);
    if (g.items == NULL || in.items == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading facts");
    gm_thread_show(w->thread, t->id, GM_PHASE_COUNT, w->valid, w->known, take_one, &g);
    gm_thread_mentions(w->thread, t->id, GM_STR(GM_KEY_INSTALLED), GM_MENTION_HOLDS, w->valid, w->known, take_one, &in);
    if (in.count > 1) qsort(in.items, in.count, sizeof *in.items, by_thing);
    t->inside       = in.items;
    t->inside_count = in.count;
    sort_out(t, g.items, g.count);
    return GM_OK;
}

const gm_fact *gm_aas_fact(const gm_aas_thing *t, gm_str key)
{
    static const gm_phase order[] = { GM_PHASE_BUILT, GM_PHASE_DESIGNED, GM_PHASE_MAINTAINED, GM_PHASE_OPERATED, GM_PHASE_DECOMMISSIONED };
    size_t low = 0, high = t->fact_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gm_str_cmp(t->facts[middle].key, key) < 0) low = middle + 1;
        else high = middle;
    }
    for (size_t p = 0; p < sizeof order / sizeof order[0]; p++) {
        for (size_t i = low; i < t->fact_count && gm_str_eq(t->facts[i].key, key); i++) {
            if (t->facts[i].phase == order[p]) return &t->facts[i];
        }
    }
    return NULL;
}

// ---- which submodels ------------------------------------------------------------------------------------------------

static bool is_kept_kind(const gm_aas_thing *t, gm_aas_kind kind)
{
    for (size_t i = 0; i < t->kept_count; i++) {
        if (gm_str_is(t->kept[i].value.position, gm_aas_kind_name(kind))) return true;
    }
    return false;
}

static unsigned kinds_of(const gm_aas_world *w, const gm_aas_thing *t)
{
    static const char *const plate[] = { "manufacturerName", "serialNumber", "manufacturerProductDesignation", "orderCodeOfManufacturer",
                                         "productArticleNumberOfManufacturer", "manufacturerProductType", "yearOfConstruction", "dateOfManufacture" };
    unsigned kinds = t->fact_count > 0 ? 1u << GM_AAS_THREAD : 0;
    for (size_t i = 0; i < sizeof plate / sizeof plate[0]; i++) {
        if (gm_aas_fact(t, gm_str_of(plate[i])) != NULL) kinds |= 1u << GM_AAS_NAMEPLATE;
    }
    for (size_t i = 0; i < t->fact_count; i++) {
        const gm_fact *f = &t->facts[i];
        if (f->value.kind == GM_FACT_DOCUMENT) kinds |= 1u << GM_AAS_DOCUMENTS;
        if (f->value.kind == GM_FACT_PART && gm_str_starts(f->key, GM_STR(GM_KEY_BOM)) && gm_aas_sees(w, f->value.text)) kinds |= 1u << GM_AAS_STRUCTURE;
        if (gm_aas_is_technical(f)) kinds |= 1u << GM_AAS_TECHNICAL;
    }
    for (size_t i = 0; i < t->inside_count; i++) {
        if (gm_aas_sees(w, t->inside[i].twin)) kinds |= 1u << GM_AAS_STRUCTURE;
    }
    if (gm_twin_ok(t->twin)) {
        if (t->type->column_count > 0) kinds |= 1u << GM_AAS_OPERATIONAL;
        if (gm_aas_has_series(t->type)) kinds |= 1u << GM_AAS_SERIES;
        for (gm_edge e = gm_state_first_out(w->state, t->twin); gm_edge_ok(e); e = gm_state_next_out(w->state, e)) {
            if (!gm_aas_sees(w, gm_state_id(w->state, gm_state_edge_target(w->state, e)))) continue;
            kinds |= 1u << GM_AAS_RELATIONSHIPS;
            break;
        }
    }
    for (int k = 0; k < GM_AAS_KIND_COUNT; k++) {
        if (t->added[k].len > 0) kinds |= 1u << k;
        if (is_kept_kind(t, (gm_aas_kind)k)) kinds &= ~(1u << k);
    }
    if (!gm_twin_ok(t->twin)) kinds &= ~(1u << GM_AAS_OPERATIONAL | 1u << GM_AAS_SERIES | 1u << GM_AAS_RELATIONSHIPS);
    return kinds;
}

void gm_aas_open_type(const gm_type *type, gm_aas_thing *out)
{
    *out = (gm_aas_thing){ .id = type->id, .twin = { GM_NONE }, .type = type, .is_type = true, .kinds = 1u << GM_AAS_INTERFACE };
}

gm_status gm_aas_open_thing(const gm_aas_world *w, gm_arena *arena, gm_str id, gm_aas_thing *out, gm_error *err)
{
    *out           = (gm_aas_thing){ .id = id, .twin = { GM_NONE } };
    bool reserved  = gm_aas_is_kept(id, "submodel") || gm_aas_is_kept(id, "concept");
    bool may       = !reserved && gm_aas_sees(w, id);
    if (may) out->twin = gm_state_find(w->state, id);
    if (gm_twin_ok(out->twin)) out->type = gm_state_type(w->state, out->twin);
    if (!gm_twin_ok(out->twin) && (!may || !gm_aas_has_facts(w, id))) {
        return gm_fail(err, GM_NOTFOUND, WHERE, "there is no shell of '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(id, 0, 120)));
    }
    gm_status st = gather(w, arena, out, err);
    if (st == GM_OK) out->kinds = kinds_of(w, out);
    return st;
}

// ---- the shell ------------------------------------------------------------------------------------------------------

static json_t *load(gm_str text) { return text.len > 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL; }

void gm_aas_write_shell_id(const gm_aas_thing *t, gm_buf *out)
{
    json_t       *kept = load(t->shell);
    const json_t *id   = json_object_get(kept, "id");
    if (t->is_type) gm_buf_str(out, t->id);
    else if (json_is_string(id)) gm_buf_str(out, (gm_str){ json_string_value(id), json_string_length(id) });
    else gm_aas_shell_id(t->id, out);
    json_decref(kept);
}

gm_str gm_aas_shell_id_short(const gm_aas_thing *t, char text[GM_AAS_ID_SHORT_MAX + 1])
{
    json_t       *kept = load(t->shell);
    const json_t *name = json_object_get(kept, "idShort");
    if (json_is_string(name) && json_string_length(name) <= GM_AAS_ID_SHORT_MAX) memcpy(text, json_string_value(name), json_string_length(name) + 1);
    else gm_aas_id_short(t->id, text);
    json_decref(kept);
    return gm_str_of(text);
}

static gm_str plain_text(const gm_fact *f) { return f != NULL && f->value.kind == GM_FACT_TEXT ? f->value.text : (gm_str){ 0 }; }

static void specific_ids(const gm_aas_thing *t, gm_aas_pen *pen)
{
    bool open = false;
    for (size_t i = 0; i < gm_aas_specific_count; i++) {
        gm_str value = plain_text(gm_aas_fact(t, gm_str_of(gm_aas_specifics[i])));
        if (value.len == 0) continue;
        if (!open) gm_aas_open(pen, "specificAssetIds", '[');
        open = true;
        gm_aas_open(pen, NULL, '{');
        gm_aas_text(pen, "name", gm_str_of(gm_aas_specifics[i]));
        gm_aas_text(pen, "value", value);
        gm_aas_close(pen, '}');
    }
    if (open) gm_aas_close(pen, ']');
}

static void write_asset(const gm_aas_thing *t, gm_aas_pen *pen, const char *name)
{
    gm_buf id = gm_buf_init(pen->out->alloc);
    gm_aas_asset_id(t->id, &id);
    gm_aas_open(pen, name, '{');
    gm_aas_text(pen, "assetKind", gm_twin_ok(t->twin) ? GM_STR("Instance") : GM_STR("Type"));
    if (id.failed) pen->out->failed = true;
    gm_aas_text(pen, "globalAssetId", gm_buf_view(&id));
    if (gm_twin_ok(t->twin)) gm_aas_text(pen, "assetType", t->type->id);
    specific_ids(t, pen);
    gm_aas_close(pen, '}');
    gm_buf_finish(&id);
}

void gm_aas_write_asset(const gm_aas_thing *t, gm_buf *out)
{
    gm_aas_pen    pen  = { .out = out };
    json_t       *kept = load(t->shell);
    const json_t *info = json_object_get(kept, "assetInformation");
    if (info != NULL) gm_document_compact(info, out);
    else write_asset(t, &pen, NULL);
    json_decref(kept);
}

// The id under which a submodel was kept: its own text may be longer than its thread's name.
static void kept_reference(const gm_aas_thing *t, gm_aas_pen *pen, const gm_fact *f)
{
    gm_str thread = f->value.text, more = f->value.more;
    (void)t;
    json_t       *note = load(more);
    const json_t *id   = json_object_get(note, "id");
    if (json_is_string(id)) gm_aas_model_reference(pen, NULL, "Submodel", (gm_str){ json_string_value(id), json_string_length(id) });
    else gm_aas_model_reference(pen, NULL, "Submodel", gm_str_slice(thread, strlen("submodel:"), thread.len));
    json_decref(note);
}

static bool has_submodels(const gm_aas_thing *t) { return t->kept_count > 0 || t->kinds != 0; }

static void write_refs(const gm_aas_thing *t, gm_aas_pen *pen, const char *name)
{
    gm_buf id = gm_buf_init(pen->out->alloc);
    gm_aas_open(pen, name, '[');
    for (size_t i = 0; i < t->kept_count; i++) kept_reference(t, pen, &t->kept[i]);
    for (int k = 0; k < GM_AAS_KIND_COUNT; k++) {
        if ((t->kinds >> k & 1) == 0) continue;
        gm_buf_clear(&id);
        gm_aas_submodel_id((gm_aas_kind)k, t->id, &id);
        if (id.failed) pen->out->failed = true;
        gm_aas_model_reference(pen, NULL, "Submodel", gm_buf_view(&id));
    }
    gm_aas_close(pen, ']');
    gm_buf_finish(&id);
}

void gm_aas_write_submodel_refs(const gm_aas_thing *t, gm_buf *out)
{
    gm_aas_pen pen = { .out = out };
    write_refs(t, &pen, NULL);
}

static void write_kept_members(gm_aas_pen *pen, json_t *kept)
{
    const char *name;
    json_t     *value;
    json_object_foreach(kept, name, value) {
        if (strcmp(name, "submodels") == 0) continue;
        if (pen->comma) gm_buf_byte(pen->out, ',');
        gm_buf_json_str(pen->out, gm_str_of(name));
        gm_buf_byte(pen->out, ':');
        gm_document_compact(value, pen->out);
        pen->comma = true;
    }
}

void gm_aas_write_shell(const gm_aas_world *w, const gm_aas_thing *t, gm_buf *out)
{
    gm_aas_pen pen  = { .out = out };
    gm_buf     id   = gm_buf_init(out->alloc);
    json_t    *kept = load(t->shell);
    char       name[GM_AAS_ID_SHORT_MAX + 1];
    (void)w;
    gm_aas_open(&pen, NULL, '{');
    if (json_is_object(kept)) {
        write_kept_members(&pen, kept);
    } else {
        gm_aas_text(&pen, "modelType", GM_STR("AssetAdministrationShell"));
        gm_aas_write_shell_id(t, &id);
        gm_aas_id_short(t->id, name);
        if (id.failed) out->failed = true;
        gm_aas_text(&pen, "id", gm_buf_view(&id));
        gm_aas_text(&pen, "idShort", gm_str_of(name));
        if (gm_twin_ok(t->twin)) gm_aas_model_reference(&pen, "derivedFrom", "AssetAdministrationShell", t->type->id);
        write_asset(t, &pen, "assetInformation");
    }
    if (has_submodels(t)) write_refs(t, &pen, "submodels");
    gm_aas_close(&pen, '}');
    json_decref(kept);
    gm_buf_finish(&id);
}

// ---- a submodel -----------------------------------------------------------------------------------------------------

void gm_aas_write_submodel(const gm_aas_world *w, const gm_aas_thing *t, gm_aas_kind kind, gm_buf *out)
{
    json_t *added = load(t->added[kind]);
    if (added == NULL) {
        gm_aas_write_made(w, t, kind, out);
        return;
    }
    gm_buf text = gm_buf_init(out->alloc);
    gm_aas_write_made(w, t, kind, &text);
    json_t *made = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    if (made != NULL) gm_aas_added_put(made, added);
    if (made != NULL) gm_document_compact(made, out);
    else out->failed = true;
    json_decref(made);
    json_decref(added);
    gm_buf_finish(&text);
}

void gm_aas_write_made(const gm_aas_world *w, const gm_aas_thing *t, gm_aas_kind kind, gm_buf *out)
{
    static void (*const writers[])(gm_aas_page *) = {
        [GM_AAS_NAMEPLATE] = gm_aas_nameplate, [GM_AAS_TECHNICAL] = gm_aas_technical,     [GM_AAS_STRUCTURE] = gm_aas_structure,
        [GM_AAS_DOCUMENTS] = gm_aas_documents, [GM_AAS_SERIES] = gm_aas_series,           [GM_AAS_OPERATIONAL] = gm_aas_operational,
        [GM_AAS_RELATIONSHIPS] = gm_aas_relationships, [GM_AAS_THREAD] = gm_aas_facts, [GM_AAS_INTERFACE] = gm_aas_interface,
    };
    gm_aas_page page = { .world = w, .thing = t, .pen = { .out = out } };
    gm_buf      id   = gm_buf_init(out->alloc);
    gm_aas_submodel_id(kind, t->id, &id);
    if (id.failed) out->failed = true;
    gm_aas_begin(&page.pen, "Submodel", gm_str_of(gm_aas_kind_name(kind)), gm_str_of(gm_aas_kind_semantics(kind)));
    gm_aas_text(&page.pen, "id", gm_buf_view(&id));
    gm_aas_text(&page.pen, "kind", GM_STR("Instance"));
    gm_aas_open(&page.pen, "submodelElements", '[');
    writers[kind](&page);
    gm_aas_close(&page.pen, ']');
    gm_aas_close(&page.pen, '}');
    gm_buf_finish(&id);
}
