// Invariants: (1) what gm_notifier_before leaves behind belongs to the very change that gm_notifier_after sees next, or
// is cleared by the next before; (2) documents of a filter are made at most once an event and dropped with it.
#include "api/events/notification.h"

#include "api/events/decision.h"
#include "base/percent.h"
#include "state/document.h"

#include <stdio.h>

struct gm_notifier {
    const gm_alloc  *alloc;
    const gm_engine *engine;
    gm_control      *control;
    gm_str           source;

    // ---- before the change
    bool    existed;      // the twin or relationship that is put
    json_t *old;          // values by column path (or name, of a relationship's properties) that were there
    gm_buf  gone;         // the document of what is deleted
    gm_buf  old_model;    // of a twin that is put again

    // ---- the event at hand
    gm_buf  data, subject, event_source, schema;
    gm_str  twin_id;
    gm_twin twin;
    json_t *now;          // values that the change sets, by column path
    json_t *documents[GM_EVENT_PART_COUNT];  // parsed or nested for filters
    char    id[48], time[GM_TIME_TEXT];
};

gm_notifier *gm_notifier_create(const gm_alloc *alloc, const gm_engine *engine, gm_control *control, gm_str source)
{
    gm_notifier *n = gm_alloc_zeroed(alloc, sizeof *n);
    if (n == NULL) return NULL;
    n->alloc  = alloc;
    n->engine = engine;
    n->control = control;
    n->source = source;
    n->gone = n->old_model = n->data = n->subject = n->event_source = n->schema = gm_buf_init(alloc);
    return n;
}

static void drop_documents(gm_notifier *n)
{
    for (size_t i = 0; i < GM_EVENT_PART_COUNT; i++) {
        json_decref(n->documents[i]);
        n->documents[i] = NULL;
    }
}

static void clear(gm_notifier *n)
{
    drop_documents(n);
    json_decref(n->old);
    json_decref(n->now);
    n->old = n->now = NULL;
    n->existed      = false;
    gm_buf_clear(&n->gone);
    gm_buf_clear(&n->old_model);
}

void gm_notifier_destroy(gm_notifier *n)
{
    if (n == NULL) return;
    clear(n);
    gm_buf_finish(&n->gone);
    gm_buf_finish(&n->old_model);
    gm_buf_finish(&n->data);
    gm_buf_finish(&n->subject);
    gm_buf_finish(&n->event_source);
    gm_buf_finish(&n->schema);
    gm_free(n->alloc, n);
}

static const gm_state *state_of(const gm_notifier *n) { return gm_engine_state(n->engine); }

// ---- values ---------------------------------------------------------------------------------------------------------

static json_t *json_of(gm_value value)
{
    switch (value.kind) {
    case GM_KIND_NONE: return json_null();
    case GM_KIND_BOOL: return json_boolean(value.i);
    case GM_KIND_INT: return json_integer(value.i);
    case GM_KIND_DOUBLE: return json_real(value.d);
    case GM_KIND_JSON: return json_loadb(value.s.ptr, value.s.len, JSON_DECODE_ANY, NULL);
    default: return json_stringn_nocheck(value.s.ptr, value.s.len);
    }
}

static void set_flat(json_t **values, gm_str path, gm_value value)
{
    if (*values == NULL) *values = json_object();
    json_object_setn_new_nocheck(*values, path.ptr, path.len, json_of(value));
}

// {"a/b": 1} as {"a": {"b": 1}}.
static json_t *nested(const json_t *flat)
{
    json_t     *root = json_object(), *value;
    const char *path;
    size_t      len;
    json_object_keylen_foreach((json_t *)(uintptr_t)flat, path, len, value)
    {
        gm_str  rest = { path, len }, part;
        json_t *at = root;
        while (gm_str_next(&rest, '/', &part)) {
            if (rest.ptr == NULL || rest.len == 0) {
                json_object_setn_nocheck(at, part.ptr, part.len, value);
                break;
            }
            json_t *below = json_object_getn(at, part.ptr, part.len);
            if (below == NULL) {
                below = json_object();
                json_object_setn_new_nocheck(at, part.ptr, part.len, below);
            }
            at = below;
        }
    }
    return root;
}

static void add_json(gm_buf *out, const json_t *value)
{
    if (value == NULL) gm_buf_text(out, "null");
    else gm_document_compact(value, out);
}

// ---- before ---------------------------------------------------------------------------------------------------------

static void note_cells(gm_notifier *n, const gm_change *change)
{
    gm_twin twin = { change->twin };
    if (!gm_state_exists(state_of(n), twin)) return;
    const gm_type *type = gm_state_type(state_of(n), twin);
    gm_cell_write  cell;
    if (type->number != change->type) return;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        gm_cell now;
        if (cell.column >= type->column_count) return;
        gm_state_get(state_of(n), twin, cell.column, &now);
        if (now.value.kind != GM_KIND_NONE) set_flat(&n->old, type->columns[cell.column].path, now.value);
    }
}

static void note_values(gm_notifier *n, gm_twin twin, json_t **values)
{
    const gm_type *type = gm_state_type(state_of(n), twin);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(state_of(n), twin, c, &cell);
        if (cell.value.kind != GM_KIND_NONE && !type->columns[c].is_telemetry)
            set_flat(values, type->columns[c].path, cell.value);
    }
}

static json_t *properties_of(gm_relationship relationship)
{
    return json_loadb(relationship.properties.ptr, relationship.properties.len, 0, NULL);
}

static void note_relationship(gm_notifier *n, const gm_change *change)
{
    gm_twin source = { change->twin };
    if (!gm_state_exists(state_of(n), source)) return;
    gm_edge edge = gm_state_find_relationship(state_of(n), source, change->id);
    if (!gm_edge_ok(edge)) return;
    gm_relationship before = gm_state_relationship(state_of(n), edge);
    n->existed             = true;
    n->old                 = properties_of(before);
    gm_str target          = gm_state_id(state_of(n), before.target);
    json_object_set_new(n->old, "$relationshipName", json_stringn(before.name.ptr, before.name.len));
    json_object_set_new(n->old, "$targetId", json_stringn(target.ptr, target.len));
    if (change->kind == GM_CHANGE_RELATIONSHIP_DELETE) gm_document_write_relationship(state_of(n), edge, &n->gone);
}

void gm_notifier_before(gm_notifier *n, const gm_record *record, const gm_change *change, unsigned types)
{
    (void)record;
    clear(n);  // keeps (1)
    if (types == 0) return;
    gm_twin twin = { change->twin };
    switch (change->kind) {
    case GM_CHANGE_WRITE: note_cells(n, change); break;
    case GM_CHANGE_TWIN_PUT:
        n->existed = gm_state_exists(state_of(n), twin);
        if (!n->existed) break;
        note_values(n, twin, &n->old);
        gm_buf_str(&n->old_model, gm_state_type(state_of(n), twin)->id);
        break;
    case GM_CHANGE_TWIN_DELETE:
        n->existed = gm_state_exists(state_of(n), twin);
        if (n->existed) gm_document_write_twin(state_of(n), twin, &n->gone);
        break;
    case GM_CHANGE_RELATIONSHIP_PUT:
    case GM_CHANGE_RELATIONSHIP_DELETE: note_relationship(n, change); break;
    default: break;
    }
}

// ---- the event at hand ----------------------------------------------------------------------------------------------

static void begin_event(gm_notifier *n, gm_twin twin, gm_str twin_id)
{
    drop_documents(n);
    n->twin    = twin;
    n->twin_id = twin_id;
    gm_buf_clear(&n->data);
    gm_buf_clear(&n->subject);
    gm_buf_clear(&n->event_source);
    gm_buf_clear(&n->schema);
    gm_buf_str(&n->event_source, n->source);
}

typedef struct telling {
    gm_notifier          *notifier;
    const gm_record      *record;
    const gm_change      *change;
    unsigned              types;
    uint32_t              index;
    gm_notification_each *each;
    void                 *context;
} telling;

// An event that could not be written for want of memory is left out; the change itself is safe.
static void tell(telling *t, gm_event_type type)
{
    gm_notifier    *n     = t->notifier;
    gm_notification event = { type, t->record->sequence, t->index++, t->record->ingest, n->twin_id, n };
    if (!(t->types & 1u << type) || n->data.failed || n->subject.failed || n->event_source.failed || n->schema.failed)
        return;
    snprintf(n->id, sizeof n->id, "%llu-%u", (unsigned long long)event.sequence, event.index);
    gm_time_format(event.time, n->time);
    t->each(t->context, &event);
    drop_documents(n);  // keeps (2)
}

static const json_t *document_of(void *context, gm_event_part part)
{
    gm_notifier *n = context;
    if (n->documents[part] != NULL) return n->documents[part];
    json_t *made = NULL;
    if (part == GM_EVENT_PART_BODY) {
        made = json_loadb((const char *)n->data.ptr, n->data.len, 0, NULL);
    } else if (part == GM_EVENT_PART_NEW || part == GM_EVENT_PART_OLD) {
        const json_t *flat = part == GM_EVENT_PART_NEW ? n->now : n->old;
        made               = flat != NULL ? nested(flat) : NULL;
    } else if (n->gone.len > 0 && !gm_state_exists(state_of(n), n->twin)) {
        made = json_loadb((const char *)n->gone.ptr, n->gone.len, 0, NULL);
    } else if (gm_state_exists(state_of(n), n->twin)) {
        gm_buf text = gm_buf_init(n->alloc);
        gm_document_write_twin(state_of(n), n->twin, &text);
        made = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
        gm_buf_finish(&text);
    }
    n->documents[part] = made;
    return made;
}

gm_event_subject gm_notification_subject(const gm_notification *event)
{
    gm_notifier *n = event->notifier;
    gm_str       none = { 0 };
    return (gm_event_subject){
        .attributes = { [GM_EVENT_PART_TYPE]         = gm_str_of(gm_event_type_name(event->type)),
                        [GM_EVENT_PART_SOURCE]       = gm_buf_view(&n->event_source),
                        [GM_EVENT_PART_SUBJECT]      = n->subject.len > 0 ? gm_buf_view(&n->subject) : none,
                        [GM_EVENT_PART_ID]           = gm_str_of(n->id),
                        [GM_EVENT_PART_TIME]         = gm_str_of(n->time),
                        [GM_EVENT_PART_SCHEMA]       = n->schema.len > 0 ? gm_buf_view(&n->schema) : none,
                        [GM_EVENT_PART_CONTENT_TYPE] = GM_STR("application/json"),
                        [GM_EVENT_PART_VERSION]      = GM_STR("1.0") },
        .document = document_of,
        .context  = n,
    };
}

static void add_member(gm_buf *out, const char *name, gm_str text)
{
    gm_buf_printf(out, ",\"%s\":", name);
    gm_buf_json_str(out, text);
}

void gm_notification_write(const gm_notification *event, gm_buf *out)
{
    const gm_notifier *n = event->notifier;
    gm_buf_printf(out, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"type\":\"%s\"", n->id,
                  gm_event_type_name(event->type));
    add_member(out, "source", gm_buf_view(&n->event_source));
    if (n->subject.len > 0) add_member(out, "subject", gm_buf_view(&n->subject));
    gm_buf_printf(out, ",\"time\":\"%s\",\"datacontenttype\":\"application/json\"", n->time);
    if (n->schema.len > 0) add_member(out, "dataschema", gm_buf_view(&n->schema));
    // The extension "sequence" of CloudEvents: texts of one length, so that they sort as numbers.
    gm_buf_printf(out, ",\"sequence\":\"%020llu\"", (unsigned long long)event->sequence);
    gm_buf_printf(out, ",\"traceparent\":\"00-%016llx%016llx-%016llx-00\",\"data\":",
                  (unsigned long long)gm_str_hash(n->source) | 1, (unsigned long long)event->sequence,
                  (unsigned long long)(event->sequence << 16 | (event->index + 1)));
    gm_buf_str(out, gm_buf_view(&n->data));
    gm_buf_byte(out, '}');
}

// ---- after ----------------------------------------------------------------------------------------------------------

typedef struct patch { gm_buf *out; bool any; } patch;

static void begin_patch(patch *p, gm_notifier *n, gm_str model)
{
    *p = (patch){ .out = &n->data };
    gm_buf_text(p->out, "{\"modelId\":");
    gm_buf_json_str(p->out, model);
    gm_buf_text(p->out, ",\"patch\":[");
}

static gm_buf *patch_step(patch *p, const char *op, gm_str path)
{
    gm_buf_printf(p->out, "%s{\"op\":\"%s\",\"path\":", p->any ? "," : "", op);
    p->any       = true;
    gm_buf whole = gm_buf_init(p->out->alloc);
    gm_buf_byte(&whole, '/');
    gm_buf_str(&whole, path);
    gm_buf_json_str(p->out, gm_buf_view(&whole));
    p->out->failed |= whole.failed;
    gm_buf_finish(&whole);
    return p->out;
}

static void patch_value(patch *p, bool existed, gm_str path, const json_t *value)
{
    gm_buf *out = patch_step(p, existed ? "replace" : "add", path);
    gm_buf_text(out, ",\"value\":");
    add_json(out, value);
    gm_buf_byte(out, '}');
}

static void end_patch(patch *p) { gm_buf_text(p->out, "]}"); }

// Cells that the state took: a late sample of a property went to history only and changed nothing.
static bool took_effect(const gm_notifier *n, gm_twin twin, const gm_cell_write *cell)
{
    gm_cell now;
    gm_state_get(state_of(n), twin, cell->column, &now);
    return cell->value.kind == GM_KIND_NONE ? now.value.kind == GM_KIND_NONE : now.source == cell->at;
}

static void tell_update(telling *t, gm_twin twin, const gm_type *type)
{
    gm_notifier  *n = t->notifier;
    gm_cell_write cell;
    patch         p;
    begin_event(n, twin, gm_state_id(state_of(n), twin));
    gm_buf_str(&n->subject, n->twin_id);
    begin_patch(&p, n, type->id);
    for (const uint8_t *at = t->change->cells; gm_change_next_cell(t->change, &at, &cell);) {
        const gm_column *column = &type->columns[cell.column];
        if (column->is_telemetry || !took_effect(n, twin, &cell)) continue;
        set_flat(&n->now, column->path, cell.value);
        bool existed = json_object_getn(n->old, column->path.ptr, column->path.len) != NULL;
        if (cell.value.kind != GM_KIND_NONE) {
            gm_buf *out = patch_step(&p, existed ? "replace" : "add", column->path);
            gm_buf_text(out, ",\"value\":");
            gm_document_write_value(cell.value, out);
            gm_buf_byte(out, '}');
        } else if (existed) {
            gm_buf_byte(patch_step(&p, "remove", column->path), '}');
        }
    }
    end_patch(&p);
    if (p.any) tell(t, GM_EVENT_TWIN_UPDATE);
}

// The part of a path below its component.
static gm_str inner_path(const gm_type *type, const gm_column *column)
{
    if (column->component == GM_NO_COMPONENT) return column->path;
    return gm_str_slice(column->path, type->components[column->component].name.len + 1, column->path.len);
}

static void tell_telemetry(telling *t, gm_twin twin, const gm_type *type, uint16_t component)
{
    gm_notifier  *n      = t->notifier;
    json_t       *values = NULL;
    gm_cell_write cell;
    begin_event(n, twin, gm_state_id(state_of(n), twin));
    gm_buf_text(&n->event_source, "/digitaltwins/");
    gm_percent_encode(&n->event_source, n->twin_id);
    bool inner = component != GM_NO_COMPONENT;
    if (inner) gm_buf_str(&n->subject, type->components[component].name);
    gm_buf_str(&n->schema, inner ? type->components[component].type->id : type->id);
    json_decref(n->now);
    n->now = NULL;
    for (const uint8_t *at = t->change->cells; gm_change_next_cell(t->change, &at, &cell);) {
        const gm_column *column = &type->columns[cell.column];
        if (!column->is_telemetry || column->component != component || cell.value.kind == GM_KIND_NONE) continue;
        set_flat(&values, inner_path(type, column), cell.value);
        set_flat(&n->now, column->path, cell.value);
    }
    if (values == NULL) return;
    json_t *whole = nested(values);
    add_json(&n->data, whole);
    json_decref(whole);
    json_decref(values);
    tell(t, GM_EVENT_TELEMETRY);
}

static void after_write(telling *t)
{
    const gm_state *state = state_of(t->notifier);
    gm_twin         twin  = { t->change->twin };
    const gm_type  *type  = gm_state_type(state, twin);
    gm_cell_write   cell;
    bool            properties = false;
    uint16_t        components[64];  // with telemetry in this change; a message that has more is told of these
    size_t          count = 0;
    for (const uint8_t *at = t->change->cells; gm_change_next_cell(t->change, &at, &cell);) {
        const gm_column *column = &type->columns[cell.column];
        properties |= !column->is_telemetry;
        if (!column->is_telemetry) continue;
        size_t i = 0;
        while (i < count && components[i] != column->component) i++;
        if (i == count && count < sizeof components / sizeof components[0]) components[count++] = column->component;
    }
    if (properties && t->types & 1u << GM_EVENT_TWIN_UPDATE) tell_update(t, twin, type);
    if (!(t->types & 1u << GM_EVENT_TELEMETRY)) return;
    for (size_t i = 0; i < count; i++) tell_telemetry(t, twin, type, components[i]);
}

// What two sets of values differ in, as steps.
static void patch_difference(patch *p, const json_t *before, const json_t *after)
{
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)after, key, value)
    {
        const json_t *was = json_object_get(before, key);
        if (was == NULL || !json_equal(was, value)) patch_value(p, was != NULL, gm_str_of(key), value);
    }
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
    {
        if (json_object_get(after, key) == NULL) gm_buf_byte(patch_step(p, "remove", gm_str_of(key)), '}');
    }
}

static void after_twin_put(telling *t)
{
    gm_notifier *n    = t->notifier;
    gm_twin      twin = { t->change->twin };
    begin_event(n, twin, gm_state_id(state_of(n), twin));
    gm_buf_str(&n->subject, n->twin_id);
    note_values(n, twin, &n->now);
    if (!n->existed) {
        gm_document_write_twin(state_of(n), twin, &n->data);
        tell(t, GM_EVENT_TWIN_CREATE);
        return;
    }
    gm_str model = gm_state_type(state_of(n), twin)->id;
    patch  p;
    begin_patch(&p, n, model);
    if (!gm_str_eq(model, gm_buf_view(&n->old_model))) {
        json_t *value = json_stringn(model.ptr, model.len);
        patch_value(&p, true, GM_STR("$metadata/$model"), value);
        json_decref(value);
    }
    patch_difference(&p, n->old, n->now);
    end_patch(&p);
    if (p.any) tell(t, GM_EVENT_TWIN_UPDATE);
}

static void begin_relationship(telling *t)
{
    gm_notifier *n      = t->notifier;
    gm_twin      source = { t->change->twin };
    begin_event(n, source, gm_state_id(state_of(n), source));
    gm_buf_str(&n->subject, n->twin_id);
    gm_buf_text(&n->subject, "/relationships/");
    gm_buf_str(&n->subject, t->change->id);
}

static void after_relationship_put(telling *t)
{
    gm_notifier *n = t->notifier;
    begin_relationship(t);
    gm_edge         edge   = gm_state_find_relationship(state_of(n), n->twin, t->change->id);
    gm_relationship now    = gm_state_relationship(state_of(n), edge);
    gm_str          target = gm_state_id(state_of(n), now.target);
    n->now                 = properties_of(now);
    if (!n->existed) {
        gm_document_write_relationship(state_of(n), edge, &n->data);
        tell(t, GM_EVENT_RELATIONSHIP_CREATE);
        return;
    }
    patch p;
    json_object_set_new(n->now, "$relationshipName", json_stringn(now.name.ptr, now.name.len));
    json_object_set_new(n->now, "$targetId", json_stringn(target.ptr, target.len));
    begin_patch(&p, n, gm_state_type(state_of(n), n->twin)->id);
    patch_difference(&p, n->old, n->now);
    end_patch(&p);
    if (p.any) tell(t, GM_EVENT_RELATIONSHIP_UPDATE);
}

static void after_deleted(telling *t, gm_event_type type)
{
    gm_notifier *n = t->notifier;
    if (type == GM_EVENT_RELATIONSHIP_DELETE) {
        begin_relationship(t);
    } else {
        begin_event(n, (gm_twin){ t->change->twin }, t->change->id);
        gm_buf_str(&n->subject, t->change->id);
    }
    gm_buf_str(&n->data, gm_buf_view(&n->gone));
    if (n->existed) tell(t, type);
}

static void after_decision(telling *t)
{
    gm_notifier      *n = t->notifier;
    gm_decision_event e;
    if (!gm_decision_event_find(n->control, state_of(n), t->record, t->change, &e) || !(t->types & 1u << e.type)) return;
    begin_event(n, gm_state_find(state_of(n), e.twin), e.twin);
    gm_buf_str(&n->subject, e.id);
    gm_decision_event_write(&e, &n->data);
    tell(t, e.type);
}

void gm_notifier_after(gm_notifier *n, const gm_record *record, const gm_change *change, unsigned types,
                       gm_notification_each *each, void *context)
{
    telling t = { n, record, change, types, 0, each, context };
    if (types == 0) return;
    switch (change->kind) {
    case GM_CHANGE_WRITE: after_write(&t); break;
    case GM_CHANGE_TWIN_PUT: after_twin_put(&t); break;
    case GM_CHANGE_TWIN_DELETE: after_deleted(&t, GM_EVENT_TWIN_DELETE); break;
    case GM_CHANGE_RELATIONSHIP_PUT: after_relationship_put(&t); break;
    case GM_CHANGE_RELATIONSHIP_DELETE: after_deleted(&t, GM_EVENT_RELATIONSHIP_DELETE); break;
    default: after_decision(&t); break;
    }
}
