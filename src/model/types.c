// Interfaces into types: contents into columns, relationships and commands.
//
// A Property's columns are made once and copied into every type that has it, so that an ontology with deep inheritance
// costs what it says, not what it repeats.
#include "model/types.h"

#include "model/literal.h"
#include "model/schema.h"

#include <inttypes.h>

static gm_str shown_or(gm_str text, gm_str otherwise) { return text.len > 0 ? text : otherwise; }

// ---- columns ----

typedef struct column_list { gm_column *items; size_t count, capacity; } column_list;

static bool push_column(gm_set *set, column_list *list, const gm_column *column)
{
    if (!gm_alloc_reserve(set->alloc, &list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return false;
    list->items[list->count++] = *column;
    return true;
}

static const gm_named_unit *unit_of(const gm_element *element)
{
    const gm_member *unit = gm_element_member(element, GM_PROP_UNIT);
    return unit != NULL && unit->ref_count > 0 ? unit->refs[0].unit : NULL;
}

static void set_unit(gm_column *column, const gm_element *element)
{
    const gm_named_unit *unit = unit_of(element);
    column->unit = column->unit_symbol = GM_STR("");
    column->unit_si = (gm_unit){ .factor = 1.0 };
    if (unit == NULL) return;
    column->unit        = gm_str_of(unit->name);
    column->unit_symbol = gm_str_of(unit->symbol);
    column->unit_si     = unit->si;
}

// The Object whose fields become columns of their own, or NULL.
static const gm_member *fields_to_flatten(const gm_element *holder, size_t depth)
{
    const gm_member *schema = gm_element_member(holder, GM_PROP_SCHEMA);
    if (schema == NULL || schema->ref_count == 0 || schema->refs[0].element == NULL) return NULL;
    const gm_element *object = schema->refs[0].element;
    if (object->cls != GM_CLASS_OBJECT || object->recursive || depth >= GM_FLATTEN_DEPTH_MAX) return NULL;
    const gm_member *fields = gm_element_member(object, GM_PROP_FIELDS);
    return fields != NULL && fields->ref_count > 0 ? fields : NULL;
}

// The columns below holder (a Property, a Telemetry or a Field). Recursion ends at GM_FLATTEN_DEPTH_MAX.
static bool make_columns(gm_set *set, column_list *list, const gm_element *holder, const gm_column *like, size_t depth)
{
    gm_column        column = *like;
    const gm_member *fields = fields_to_flatten(holder, depth);
    if (fields == NULL) {
        column.schema       = gm_schema_of_member(holder, GM_PROP_SCHEMA);
        column.kind         = gm_schema_storage(column.schema);
        column.display_name = shown_or(gm_element_text(holder, GM_PROP_DISPLAY_NAME), holder->name);
        column.description  = gm_element_text(holder, GM_PROP_DESCRIPTION);
        set_unit(&column, holder);
        return push_column(set, list, &column);
    }
    for (uint32_t i = 0; i < fields->ref_count; i++) {
        const gm_element *field = fields->refs[i].element;
        column.path =
            gm_arena_printf(set->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(like->path), GM_STR_ARG(field->name));
        if (column.path.ptr == NULL || !make_columns(set, list, field, &column, depth + 1)) return false;
    }
    return true;
}

static bool keep_columns(gm_set *set, column_list *list, gm_element *element)
{
    element->column_count = (uint32_t)list->count;
    element->columns      = gm_arena_zeroed(set->arena, list->count > 0 ? list->count : 1, sizeof *element->columns);
    if (element->columns == NULL) return false;
    if (list->count > 0) memcpy(element->columns, list->items, list->count * sizeof *list->items);
    return true;
}

static bool make_content_columns(gm_set *set, column_list *list, gm_element *content)
{
    const gm_member *writable = gm_element_member(content, GM_PROP_WRITABLE);
    gm_column        like = {
        .path = content->name, .name = content->name, .component = GM_NO_COMPONENT,
        .is_telemetry = content->cls == GM_CLASS_TELEMETRY,
        .writable = writable != NULL && writable->literal == GM_KIND_BOOL && writable->value.i != 0,
    };
    list->count = 0;
    return make_columns(set, list, content, &like, 0) && keep_columns(set, list, content);
}

static const gm_type *component_type(const gm_element *component)
{
    return gm_element_member(component, GM_PROP_SCHEMA)->refs[0].element->type;
}

// A component's columns: those of its Interface, with the component's name in front.
static bool make_component_columns(gm_set *set, column_list *list, gm_element *component)
{
    const gm_type *type = component_type(component);
    list->count = 0;
    for (size_t i = 0; i < type->column_count; i++) {
        gm_column column = type->columns[i];
        column.path = gm_arena_printf(set->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(component->name),
                                      GM_STR_ARG(column.path));
        if (column.path.ptr == NULL || !push_column(set, list, &column)) return false;
    }
    return keep_columns(set, list, component);
}

// ---- the parts of a type ----

typedef struct counts { size_t columns, components, relationships, commands, bases; } counts;

static counts count_parts(const gm_element *interface)
{
    counts n = {0};
    for (uint32_t i = 0; i < interface->content_count; i++) {
        const gm_element *content = interface->contents[i].element;
        n.columns += content->column_count;
        n.components += content->cls == GM_CLASS_COMPONENT;
        n.relationships += content->cls == GM_CLASS_RELATIONSHIP;
        n.commands += content->cls == GM_CLASS_COMMAND;
        if (content->cls == GM_CLASS_COMPONENT) n.commands += component_type(content)->command_count;
    }
    const gm_member *extends = gm_element_member(interface, GM_PROP_EXTENDS);
    for (uint32_t r = 0; extends != NULL && r < extends->ref_count; r++) {
        n.bases += 1 + extends->refs[r].element->type->base_count;
    }
    return n;
}

static bool make_relationship(gm_set *set, const gm_element *element, gm_relationship_type *out)
{
    const gm_member *target   = gm_element_member(element, GM_PROP_TARGET),
                    *writable = gm_element_member(element, GM_PROP_WRITABLE);
    const gm_member *min = gm_element_member(element, GM_PROP_MIN_MULTIPLICITY);
    const gm_member *max = gm_element_member(element, GM_PROP_MAX_MULTIPLICITY);
    *out = (gm_relationship_type){
        .name     = element->name,
        .target   = target != NULL && target->literal == GM_KIND_STRING ? target->value.s : GM_STR(""),
        .min      = min != NULL && min->literal == GM_KIND_INT ? (uint32_t)min->value.i : 0,
        .max      = max != NULL && max->literal == GM_KIND_INT ? (uint32_t)max->value.i : UINT32_MAX,
        .writable = writable != NULL && writable->literal == GM_KIND_BOOL && writable->value.i != 0,
    };
    return gm_fields_make(set, gm_element_member(element, GM_PROP_PROPERTIES), &out->properties, &out->property_count);
}

static void make_payload(const gm_element *command, gm_prop_kind kind, gm_str *out_name, const gm_schema **out_schema)
{
    const gm_member *member = gm_element_member(command, kind);
    *out_name = GM_STR("");
    if (member == NULL || member->ref_count == 0) return;
    *out_name   = member->refs[0].element->name;
    *out_schema = gm_schema_of_member(member->refs[0].element, GM_PROP_SCHEMA);
}

static gm_command make_command(const gm_element *element)
{
    gm_command command = {
        .name = element->name, .component = GM_NO_COMPONENT,
        .display_name = shown_or(gm_element_text(element, GM_PROP_DISPLAY_NAME), element->name),
        .description = gm_element_text(element, GM_PROP_DESCRIPTION),
    };
    make_payload(element, GM_PROP_REQUEST, &command.request_name, &command.request);
    make_payload(element, GM_PROP_RESPONSE, &command.response_name, &command.response);
    return command;
}

typedef struct parts {
    gm_column            *columns;
    gm_component         *components;
    gm_relationship_type *relationships;
    gm_command           *commands;
    const gm_type       **bases;
} parts;

static void add_component(gm_type *type, parts *to, const gm_element *content)
{
    uint16_t       place = (uint16_t)type->component_count;
    const gm_type *own   = component_type(content);
    for (size_t c = type->column_count; c < type->column_count + content->column_count; c++)
        to->columns[c].component = place;
    for (size_t c = 0; c < own->command_count; c++) {
        to->commands[type->command_count]           = own->commands[c];
        to->commands[type->command_count].component = place;
        type->command_count++;
    }
    to->components[type->component_count++] = (gm_component){ content->name, own };
}

static bool add_content(gm_set *set, gm_type *type, parts *to, const gm_element *content)
{
    if (content->column_count > 0) {
        memcpy(&to->columns[type->column_count], content->columns, content->column_count * sizeof *to->columns);
    }
    switch (content->cls) {
    case GM_CLASS_COMPONENT: add_component(type, to, content); break;
    case GM_CLASS_RELATIONSHIP:
        if (!make_relationship(set, content, &to->relationships[type->relationship_count++])) return false;
        break;
    case GM_CLASS_COMMAND: to->commands[type->command_count++] = make_command(content); break;
    default: break;
    }
    type->column_count += content->column_count;
    return true;
}

// ---- lookups ----

static size_t table_size(size_t count)
{
    size_t size = 4;
    while (size * 3 < count * 4) size *= 2;
    return size;
}

static bool index_columns(gm_set *set, gm_type_full *type)
{
    size_t size = table_size(type->seen.column_count + 1);
    type->column_slots = GM_ARENA_NEW(set->arena, uint32_t, size);
    type->column_mask  = size - 1;
    if (type->column_slots == NULL) return false;
    for (size_t i = 0; i < type->seen.column_count; i++) {
        size_t at = gm_str_hash(type->seen.columns[i].path) & type->column_mask;
        while (type->column_slots[at] != 0) at = (at + 1) & type->column_mask;
        type->column_slots[at] = (uint32_t)i + 1;
    }
    return true;
}

static bool has_base(const gm_type_full *type, uint32_t number)
{
    for (size_t at = number * 2654435761u & type->base_mask; type->base_slots[at] != 0;
         at        = (at + 1) & type->base_mask) {
        if (type->base_slots[at] == number + 1) return true;
    }
    return false;
}

static void add_base(gm_type_full *type, const gm_type **bases, const gm_type *base)
{
    if (has_base(type, base->number)) return;
    size_t at = base->number * 2654435761u & type->base_mask;
    while (type->base_slots[at] != 0) at = (at + 1) & type->base_mask;
    type->base_slots[at]           = base->number + 1;
    bases[type->seen.base_count++] = base;
}

static bool collect_bases(gm_set *set, gm_type_full *type, const gm_type **bases, size_t count_max)
{
    size_t size = table_size(count_max + 1);
    type->base_slots = GM_ARENA_NEW(set->arena, uint32_t, size);
    type->base_mask  = size - 1;
    if (type->base_slots == NULL) return false;
    const gm_member *extends = gm_element_member(type->element, GM_PROP_EXTENDS);
    for (uint32_t r = 0; extends != NULL && r < extends->ref_count; r++) {
        const gm_type *base = extends->refs[r].element->type;
        for (size_t b = 0; b < base->base_count; b++) add_base(type, bases, base->bases[b]);
        add_base(type, bases, base);
    }
    return true;
}

// ---- types ----

static bool write_text(gm_set *set, gm_buf *scratch, gm_type *type, const gm_element *element)
{
    gm_buf_clear(scratch);
    gm_json_write(element->node, scratch);
    type->text = gm_arena_str(set->arena, gm_buf_view(scratch));
    return !scratch->failed && type->text.ptr != NULL;
}

static gm_str last_segment(gm_str dtmi)
{
    size_t end = gm_str_find_char(dtmi, ';');
    if (end == SIZE_MAX) end = dtmi.len;
    size_t start = end;
    while (start > 0 && dtmi.ptr[start - 1] != ':') start--;
    return gm_str_slice(dtmi, start, end);
}

static bool make_type(gm_set *set, gm_buf *scratch, gm_element *element, gm_type_full *full)
{
    gm_type *type = &full->seen;
    counts   most = count_parts(element);
    parts    to   = {
        .columns       = gm_arena_zeroed(set->arena, most.columns + 1, sizeof *to.columns),
        .components    = gm_arena_zeroed(set->arena, most.components + 1, sizeof *to.components),
        .relationships = gm_arena_zeroed(set->arena, most.relationships + 1, sizeof *to.relationships),
        .commands      = gm_arena_zeroed(set->arena, most.commands + 1, sizeof *to.commands),
        .bases         = gm_arena_zeroed(set->arena, most.bases + 1, sizeof *to.bases),
    };
    if (to.columns == NULL || to.components == NULL || to.relationships == NULL || to.commands == NULL ||
        to.bases == NULL) {
        return false;
    }
    full->element       = element;
    type->id            = element->id;
    type->display_name  = shown_or(gm_element_text(element, GM_PROP_DISPLAY_NAME), last_segment(element->id));
    type->columns       = to.columns;
    type->components    = to.components;
    type->relationships = to.relationships;
    type->commands      = to.commands;
    type->bases         = to.bases;
    if (most.columns > GM_TYPE_COLUMNS_MAX || most.components > GM_TYPE_COMPONENTS_MAX) {
        GM_COMPLAIN(set, element, element->node, ":limit",
                    "the type would have %zu columns and %zu components, %d are allowed; "
                    "divide the Interface",
                    most.columns, most.components, (int)GM_TYPE_COLUMNS_MAX);
        return true;
    }
    for (uint32_t i = 0; i < element->content_count; i++) {
        if (!add_content(set, type, &to, element->contents[i].element)) return false;
    }
    return collect_bases(set, full, to.bases, most.bases) && index_columns(set, full) &&
           write_text(set, scratch, type, element);
}

gm_status gm_set_build_types(gm_set *set, uint32_t first_number, gm_error *err)
{
    column_list list    = {0};
    gm_buf      scratch = gm_buf_init(set->alloc);
    bool        done    = gm_schemas_make(set);
    uint32_t    number  = first_number;

    // Numbers follow the texts; what a type is made of exists before it because children come first in the order.
    for (size_t i = 0; i < set->all_count && done; i++) {
        if (set->all[i]->cls != GM_CLASS_INTERFACE) continue;
        gm_type_full *full = gm_arena_zeroed(set->arena, 1, sizeof *full);
        done = full != NULL;
        if (!done) break;
        full->seen.number  = number++;
        set->all[i]->type  = &full->seen;
    }
    for (size_t i = 0; i < set->all_count && done; i++) {
        gm_element *element = set->order[i];
        switch (element->cls) {
        case GM_CLASS_PROPERTY: case GM_CLASS_TELEMETRY: done = make_content_columns(set, &list, element); break;
        case GM_CLASS_COMPONENT: done = make_component_columns(set, &list, element); break;
        case GM_CLASS_INTERFACE: done = make_type(set, &scratch, element, (gm_type_full *)element->type); break;
        default: break;
        }
    }
    gm_free(set->alloc, list.items);
    gm_buf_finish(&scratch);
    if (!done || set->found->failed) return gm_fail(err, GM_NOMEM, "model", "making types");
    if (set->found->count > 0) return gm_fail(err, GM_LIMIT, "model", "a type is too large");
    return GM_OK;
}

uint32_t gm_type_column_index(const gm_type *type, gm_str path)
{
    const gm_type_full *full = (const gm_type_full *)type;
    for (size_t at = gm_str_hash(path) & full->column_mask; full->column_slots[at] != 0;
         at        = (at + 1) & full->column_mask) {
        uint32_t column = full->column_slots[at] - 1;
        if (gm_str_eq(type->columns[column].path, path)) return column;
    }
    return GM_NO_COLUMN;
}

const gm_column *gm_type_column(const gm_type *type, gm_str path)
{
    uint32_t column = gm_type_column_index(type, path);
    return column != GM_NO_COLUMN ? &type->columns[column] : NULL;
}

const gm_relationship_type *gm_type_relationship(const gm_type *type, gm_str name)
{
    for (size_t i = 0; i < type->relationship_count; i++) {
        if (gm_str_eq(type->relationships[i].name, name)) return &type->relationships[i];
    }
    return NULL;
}

uint32_t gm_type_component_index(const gm_type *type, gm_str name)
{
    for (size_t i = 0; i < type->component_count; i++) {
        if (gm_str_eq(type->components[i].name, name)) return (uint32_t)i;
    }
    return GM_NO_COMPONENT;
}

bool gm_type_is(const gm_type *type, const gm_type *base)
{
    return type == base || has_base((const gm_type_full *)type, base->number);
}
