// The rules that need more than one element: references, cycles, depths, counts, names.
//
// 1. connect: every reference finds its element; its class, version and partition are allowed there.
// 2. order: a depth-first walk without recursion over everything that is included or referred to. It finds the cycles
//    and yields the elements in an order in which children come before parents.
// 3. measure: in that order each element's depths and counts follow from its children's, and its rules are checked.
//
// Source: DTDL v4 language specification, sections "Partitions and referenceability" and "Limits and exclusions", and
// the same sections of versions 2 and 3.
#include "model/element.h"

#include "model/cotype.h"
#include "model/dtmi.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define MEMBERS_OF(element, m) (const gm_member *m = (element)->members; m != NULL; m = m->next)

static bool version_allowed(const gm_element *element, const gm_meta_prop *meta, unsigned version)
{
    return (meta->flags & GM_PROP_OLDER) != 0 ? version <= element->version : version == element->version;
}

static void complain_class(gm_set *set, const gm_element *element, const gm_member *member, const gm_ref *ref,
                           const char *what)
{
    GM_COMPLAIN(set, element, ref->node, "badType", "\"%s\" can not be %s; refer to something else", member->meta->name,
                what);
}

static void complain_version(gm_set *set, const gm_element *element, const gm_member *member, const gm_ref *ref,
                             unsigned v)
{
    GM_COMPLAIN(set, element, ref->node, "disallowedVersionReference",
                "\"%s\" of an element of DTDL version %u can not refer "
                "to one of version %u",
                member->meta->name, element->version, v);
}

static bool reserved(gm_str id)
{
    return gm_str_starts(id, GM_STR("dtmi:dtdl:")) || gm_str_starts(id, GM_STR("dtmi:standard:"));
}

static void connect_ref(gm_set *set, const gm_element *element, const gm_member *member, gm_ref *ref)
{
    const gm_meta_prop *meta = member->meta;
    if (ref->element != NULL) return;
    if (ref->standard != NULL) {
        if ((meta->classes >> ref->standard->cls & 1) == 0)
            complain_class(set, element, member, ref, ref->standard->name);
        else if (!version_allowed(element, meta, ref->version))
            complain_version(set, element, member, ref, ref->version);
        return;
    }
    if (ref->unit != NULL) {
        if ((meta->classes & GM_CLASS_BIT(UNIT)) == 0) complain_class(set, element, member, ref, "a unit");
        return;
    }
    if (ref->unit_enum != NULL) {
        if ((meta->classes & GM_CLASS_BIT(ENUM)) == 0) complain_class(set, element, member, ref, "a unit type");
        return;
    }
    gm_element *target = gm_set_find(set, ref->id);
    if (target == NULL) {
        bool ours = reserved(ref->id) || gm_str_starts(ref->id, GM_STR("dtmi:iotcentral:"));
        GM_COMPLAIN(set, element, ref->node, ours ? "undefinedReservedId" : ":unresolved",
                    "\"%s\": \"" GM_STR_FMT "\" is not defined; define it or correct the reference", meta->name,
                    GM_STR_ARG(gm_str_slice(ref->id, 0, 200)));
        return;
    }
    if (target->partition != target && target->partition != element->partition) {
        GM_COMPLAIN(set, element, ref->node, "crossPartitionReference",
                    "\"%s\": \"" GM_STR_FMT "\" is defined inside another "
                    "Interface; define a copy of it here",
                    meta->name, GM_STR_ARG(ref->id));
        return;
    }
    if ((meta->classes >> target->cls & 1) == 0) complain_class(set, element, member, ref, gm_class_name(target->cls));
    else if (!version_allowed(element, meta, target->version))
        complain_version(set, element, member, ref, target->version);
    else ref->element = target;
}

static void connect(gm_set *set)
{
    for (size_t i = 0; i < set->all_count; i++) {
        for MEMBERS_OF(set->all[i], m) {
            for (uint32_t r = 0; r < m->ref_count; r++) connect_ref(set, set->all[i], m, &m->refs[r]);
        }
    }
}

// ---- the order of elements ----

typedef struct frame { gm_element *element; const gm_member *member; uint32_t ref; } frame;

// A cycle: target is being walked already, and the element on top of the stack includes it again.
static void close_cycle(gm_set *set, const frame *stack, size_t depth, const gm_member *member, gm_element *target)
{
    if (member->meta->kind == GM_PROP_EXTENDS) {
        GM_COMPLAIN(set, target, member->node, "recursiveStructureNarrow",
                    "this Interface extends itself; break the cycle of \"extends\"");
        return;
    }
    for (size_t i = depth; i-- > 0;) {
        stack[i].element->recursive = true;
        if (stack[i].element == target) break;
    }
    if (target->cls == GM_CLASS_INTERFACE) {
        GM_COMPLAIN(set, stack[depth - 1].element, member->node, "excludedType",
                    "a component can not have components, let alone itself; use a Relationship instead");
    } else if (target->version < 4) {
        GM_COMPLAIN(set, target, member->node, "recursiveStructureWide",
                    "this schema is part of itself, by way of \"%s\"; break the cycle, or use DTDL version 4",
                    member->meta->name);
    }
}

// Appends the elements below root that were not walked yet to order, children first.
static bool walk(gm_set *set, gm_element *root, frame **stack, size_t *capacity, gm_element **order, size_t *count)
{
    size_t depth = 0;
    if (root->walk != GM_WALK_NEW) return true;
    root->walk = GM_WALK_OPEN;
    if (!gm_alloc_reserve(set->alloc, stack, capacity, 1, sizeof **stack)) return false;
    (*stack)[depth++] = (frame){ root, root->members, 0 };
    while (depth > 0) {
        frame *top = &(*stack)[depth - 1];
        while (top->member != NULL && top->ref >= top->member->ref_count) {
            top->member = top->member->next;
            top->ref    = 0;
        }
        if (top->member == NULL) {
            top->element->walk = GM_WALK_DONE;
            order[(*count)++]  = top->element;
            depth--;
            continue;
        }
        const gm_member *member = top->member;
        gm_element      *child  = member->refs[top->ref++].element;
        if (child == NULL || child->walk == GM_WALK_DONE) continue;
        if (child->walk == GM_WALK_OPEN) {
            close_cycle(set, *stack, depth, member, child);
            continue;
        }
        child->walk = GM_WALK_OPEN;
        if (!gm_alloc_reserve(set->alloc, stack, capacity, depth + 1, sizeof **stack)) return false;
        (*stack)[depth++] = (frame){ child, child->members, 0 };
    }
    return true;
}

// ---- names ----

// A table of names that forgets everything at once; *slot is 1 + the place of the name that was there first.
typedef struct names {
    const gm_alloc *alloc;
    struct { uint32_t epoch, place; } *slots;
    gm_str         *keys;       // by place
    size_t          slot_count, key_capacity, count;
    uint32_t        epoch;
} names;

static bool names_begin(names *table, size_t count_max)
{
    size_t slots = 16;
    while (slots < count_max * 2) slots *= 2;
    if (slots > table->slot_count) {
        gm_free(table->alloc, table->slots);
        table->slots      = gm_alloc_zeroed(table->alloc, slots * sizeof *table->slots);
        table->slot_count = table->slots != NULL ? slots : 0;
        table->epoch      = 0;
        if (table->slots == NULL) return false;
    }
    table->epoch++;
    table->count = 0;
    return gm_alloc_reserve(table->alloc, &table->keys, &table->key_capacity, count_max, sizeof *table->keys);
}

// The place at which the name was added, or SIZE_MAX.
static size_t names_find(const names *table, gm_str name)
{
    size_t mask = table->slot_count - 1;
    for (size_t at = gm_str_hash(name) & mask; table->slots[at].epoch == table->epoch; at = (at + 1) & mask) {
        if (gm_str_eq(table->keys[table->slots[at].place], name)) return table->slots[at].place;
    }
    return SIZE_MAX;
}

// The place at which the same name was added before, or SIZE_MAX after adding it.
static size_t names_add(names *table, gm_str name)
{
    size_t mask = table->slot_count - 1, at = gm_str_hash(name) & mask;
    while (table->slots[at].epoch == table->epoch) {
        if (gm_str_eq(table->keys[table->slots[at].place], name)) return table->slots[at].place;
        at = (at + 1) & mask;
    }
    table->slots[at].epoch = table->epoch;
    table->slots[at].place = (uint32_t)table->count;
    table->keys[table->count++] = name;
    return SIZE_MAX;
}

static void names_finish(names *table)
{
    gm_free(table->alloc, table->slots);
    gm_free(table->alloc, table->keys);
}

// The values of a member that are known by name must have different ones. Old parsers let two definitions without "@id"
// pass in version 2 and used the first; the tolerant reading drops the later ones.
static bool check_names(gm_set *set, names *table, gm_element *element, gm_member *member)
{
    if ((member->meta->flags & GM_PROP_KEYED) == 0 || member->ref_count < 2) return true;
    if (!names_begin(table, member->ref_count)) return false;
    uint32_t kept = 0;
    for (uint32_t r = 0; r < member->ref_count; r++) {
        gm_ref *ref = &member->refs[r];
        if (ref->element != NULL && ref->element->name.len > 0 && names_add(table, ref->element->name) != SIZE_MAX) {
            bool anonymous = ref->element->parent == element && ref->element->id.len == 0;
            if (element->document->tolerate && element->version == 2 && anonymous) continue;
            GM_COMPLAIN(set, element, ref->node, "nonUniquePropertyValue",
                        "\"%s\" has more than one element named \"" GM_STR_FMT "\"; rename one", member->meta->name,
                        GM_STR_ARG(ref->element->name));
        }
        member->refs[kept++] = *ref;
    }
    member->ref_count = kept;
    return true;
}

// ---- contents, own and inherited ----

static const gm_member *member_of(const gm_element *element, gm_prop_kind kind)
{
    return gm_element_member(element, kind);
}

static void clash(gm_set *set, const gm_element *element, const gm_element *owner, gm_str name)
{
    const gm_member *extends = member_of(element, GM_PROP_EXTENDS);
    GM_COMPLAIN(set, element, extends->node, "nonUniqueImportedPropertyValue",
                "by way of \"extends\" there is more than one "
                "content named \"" GM_STR_FMT "\", one from " GM_STR_FMT "; rename one",
                GM_STR_ARG(name), GM_STR_ARG(owner->id));
}

// Each annotation among an Interface's own contents against what it annotates, while the table of names is at hand;
// then that no two override the same member of the same content.
static bool check_annotations(gm_set *set, names *table, gm_element *element)
{
    gm_str *pairs = NULL;
    size_t  count = 0;
    for (uint32_t c = 0; c < element->content_count; c++) {
        gm_element *content = element->contents[c].element;
        if (element->contents[c].owner != element || content->cotypes == NULL) continue;
        const gm_member *annotates = member_of(content, GM_PROP_ANNOTATES),
                        *overrides = member_of(content, GM_PROP_OVERRIDES);
        if (annotates == NULL || annotates->literal != GM_KIND_STRING) continue;
        size_t target = names_find(table, annotates->value.s);
        if (target == SIZE_MAX || target >= element->content_count) continue;
        gm_cotype_check_annotation(set, content, element->contents[target].element);
        if (overrides == NULL || overrides->literal != GM_KIND_STRING) continue;
        if (pairs == NULL) pairs = gm_alloc_array(set->alloc, element->content_count, sizeof *pairs);
        if (pairs == NULL) return false;
        pairs[count] = gm_arena_printf(set->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(annotates->value.s),
                                       GM_STR_ARG(overrides->value.s));
        if (pairs[count++].ptr == NULL) set->failed = true;
    }
    bool done = count < 2 || set->failed || names_begin(table, count);
    for (size_t i = 0; i < count && count > 1 && done && !set->failed; i++) {
        if (names_add(table, pairs[i]) == SIZE_MAX) continue;
        GM_COMPLAIN(set, element, element->node, "multipleReference",
                    "more than one content overrides \"" GM_STR_FMT "\"; keep one", GM_STR_ARG(pairs[i]));
    }
    gm_free(set->alloc, pairs);
    return done && !set->failed;
}

// Collects the contents of an Interface: those of its bases in the order of "extends", then its own. A base that is
// reached twice counts once.
static bool collect_contents(gm_set *set, names *table, gm_element *element)
{
    const gm_member *extends = member_of(element, GM_PROP_EXTENDS), *own = member_of(element, GM_PROP_CONTENTS);
    size_t           most = own != NULL ? own->ref_count : 0;
    for (uint32_t r = 0; extends != NULL && r < extends->ref_count; r++) {
        if (extends->refs[r].element != NULL) most += extends->refs[r].element->content_count;
    }
    if (most == 0) return true;
    gm_content *list = gm_arena_zeroed(set->arena, most, sizeof *list);
    if (list == NULL || !names_begin(table, most)) return false;
    uint32_t n = 0;
    for (uint32_t r = 0; extends != NULL && r < extends->ref_count; r++) {
        const gm_element *base = extends->refs[r].element;
        for (uint32_t c = 0; base != NULL && c < base->content_count; c++) {
            size_t before = names_add(table, base->contents[c].element->name);
            if (before == SIZE_MAX) list[n++] = base->contents[c];
            else if (list[before].element != base->contents[c].element)
                clash(set, element, base, base->contents[c].element->name);
        }
    }
    for (uint32_t r = 0; own != NULL && r < own->ref_count; r++) {
        gm_element *content = own->refs[r].element;
        if (content == NULL || content->name.len == 0) continue;
        size_t before = names_add(table, content->name);
        if (before == SIZE_MAX) list[n++] = (gm_content){ content, element };
        else if (list[before].owner != element) clash(set, element, list[before].owner, content->name);
    }
    element->contents      = list;
    element->content_count = n;
    return check_annotations(set, table, element);
}

// ---- depths and counts ----

static uint32_t add_up(uint32_t a, uint32_t b) { return a > UINT32_MAX - b ? UINT32_MAX : a + b; }
static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

// GeoJSON coordinates are arrays of arrays; a scaled decimal has two plain fields.
static uint32_t standard_depth(const gm_standard *standard)
{
    static const struct { const char *name; uint32_t depth; } depths[] = {
        { "point", 2 }, { "lineString", 3 }, { "multiPoint", 3 }, { "polygon", 4 }, { "multiLineString", 4 },
        { "multiPolygon", 5 }, { "scaledDecimal", 1 }, { "vector", 1 }, { "geopoint", 1 },
    };
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        if (strcmp(standard->name, depths[i].name) == 0) return depths[i].depth;
    }
    return 0;
}

static bool standard_has_array(const gm_standard *standard) { return standard_depth(standard) > 1; }

// Members whose values count towards an Interface's contents.
static bool counted(gm_prop_kind kind)
{
    switch (kind) {
    case GM_PROP_CONTENTS: case GM_PROP_FIELDS: case GM_PROP_ENUM_VALUES: case GM_PROP_REQUEST: case GM_PROP_RESPONSE:
    case GM_PROP_PROPERTIES: case GM_PROP_SCHEMA: case GM_PROP_ELEMENT_SCHEMA: case GM_PROP_MAP_VALUE: return true;
    default: return false;
    }
}

static void measure_ref(gm_element *element, const gm_member *member, const gm_ref *ref)
{
    gm_prop_kind kind   = (gm_prop_kind)member->meta->kind;
    bool         schema = kind == GM_PROP_SCHEMA || kind == GM_PROP_ELEMENT_SCHEMA;
    const gm_element *child = ref->element;
    if (child != NULL && child->walk != GM_WALK_DONE) return;  // the end of a cycle
    if (kind == GM_PROP_EXTENDS) {
        if (child == NULL) return;
        element->extends_depth = larger(element->extends_depth, child->extends_depth + 1);
        element->extends_count = add_up(element->extends_count, add_up(child->extends_count, 1));
        return;
    }
    if (counted(kind) && !(kind == GM_PROP_CONTENTS)) {
        element->loops = element->loops || (child != NULL && (child->loops || child->recursive));
        element->contents_count = add_up(element->contents_count, add_up(child != NULL ? child->contents_count : 0, 1));
    }
    if (kind == GM_PROP_SCHEMAS || (child != NULL && child->cls == GM_CLASS_INTERFACE)) return;
    uint32_t below = child != NULL ? child->schema_depth : ref->standard != NULL ? standard_depth(ref->standard) : 0;
    if (child != NULL || ref->standard != NULL)
        element->schema_depth = larger(element->schema_depth, below + (schema ? 1 : 0));
    if (child != NULL ? child->reaches_array : ref->standard != NULL && standard_has_array(ref->standard)) {
        element->reaches_array = true;
    }
}

static void measure(gm_element *element)
{
    element->reaches_array = element->cls == GM_CLASS_ARRAY;
    element->loops         = element->recursive;
    for MEMBERS_OF(element, m) {
        for (uint32_t r = 0; r < m->ref_count; r++) measure_ref(element, m, &m->refs[r]);
    }
    for (uint32_t c = 0; c < element->content_count; c++) {
        const gm_element *content = element->contents[c].element;
        element->contents_count   = add_up(element->contents_count, add_up(content->contents_count, 1));
        element->loops            = element->loops || content->loops;
    }
}

// ---- the rules ----

static void check_interface(gm_set *set, const gm_element *element)
{
    const gm_limits *limits = element->context->limits;
    if (limits->extends_depth > 0 && element->extends_depth > limits->extends_depth) {
        GM_COMPLAIN(set, element, element->node, "excessiveDepthNarrow",
                    "\"extends\" is %" PRIu32 " levels deep, %" PRIu32 " are allowed; flatten the hierarchy",
                    element->extends_depth, limits->extends_depth);
    }
    if (limits->extends_count > 0 && element->extends_count > limits->extends_count) {
        GM_COMPLAIN(set, element, element->node, "excessiveCount",
                    "the hierarchy has %" PRIu32 " values of \"extends\", %" PRIu32 " are allowed",
                    element->extends_count, limits->extends_count);
    }
    if (limits->contents_count > 0 && element->contents_count > limits->contents_count) {
        GM_COMPLAIN(set, element, element->node, "excessiveCount",
                    "the hierarchy has %" PRIu32 " contents and their parts, %" PRIu32 " are allowed",
                    element->contents_count, limits->contents_count);
    }
    if (element->loops && element->version == 3) {
        GM_COMPLAIN(set, element, element->node, "recursiveStructureNarrow",
                    "something among its contents is part of itself; break that cycle");
    }
    if (limits->text_bytes > 0 && element->text_bytes > limits->text_bytes) {
        GM_COMPLAIN(set, element, element->node, "partitionTooLarge", "the Interface has %zu bytes of text, %" PRIu32
                    " are allowed; divide it", element->text_bytes, limits->text_bytes);
    }
}

static void check_counts(gm_set *set, const gm_element *element)
{
    for MEMBERS_OF(element, m) {
        if (m->meta->count_max == 0) continue;
        uint32_t count = m->meta->kind == GM_PROP_CONTENTS ? element->content_count : m->ref_count;
        if (count > (uint32_t)m->meta->count_max) {
            GM_COMPLAIN(set, element, m->node, "objectCountAboveMax", "\"%s\" has %" PRIu32 " values, %d are allowed",
                        m->meta->name, count, (int)m->meta->count_max);
        }
    }
}

static void check_component(gm_set *set, const gm_element *element)
{
    const gm_member *schema = member_of(element, GM_PROP_SCHEMA);
    if (schema == NULL || schema->ref_count == 0 || schema->refs[0].element == NULL) return;
    const gm_element *interface = schema->refs[0].element;
    for (uint32_t c = 0; c < interface->content_count; c++) {
        if (interface->contents[c].element->cls != GM_CLASS_COMPONENT) continue;
        GM_COMPLAIN(set, element, schema->node, "excludedType",
                    "a component can not have components: its Interface " GM_STR_FMT " has the component \"" GM_STR_FMT
                    "\"; use a Relationship instead",
                    GM_STR_ARG(interface->id), GM_STR_ARG(interface->contents[c].element->name));
        return;
    }
}

static void check_schema_depth(gm_set *set, const gm_element *element)
{
    const gm_limits *limits = element->context->limits;
    if (limits->schema_depth == 0 || element->schema_depth <= limits->schema_depth) return;
    GM_COMPLAIN(set, element, element->node, "excessiveDepthWide",
                "schemas are nested %" PRIu32 " levels deep here, %" PRIu32 " are allowed; make them flatter",
                element->schema_depth, limits->schema_depth);
}

static int compare_values(const void *a, const void *b)
{
    const gm_member *x = *(const gm_member *const *)a, *y = *(const gm_member *const *)b;
    if (x->literal != y->literal) return x->literal < y->literal ? -1 : 1;
    int order = x->literal == GM_KIND_STRING ? gm_str_cmp(x->value.s, y->value.s)
              : x->literal == GM_KIND_DOUBLE ? (x->value.d > y->value.d) - (x->value.d < y->value.d)
                                             : (x->value.i > y->value.i) - (x->value.i < y->value.i);
    return order != 0 ? order : (x->node->start > y->node->start) - (x->node->start < y->node->start);
}

// The values of an Enum: of the type it declares, and all different.
static bool check_enum(gm_set *set, const gm_element *element)
{
    const gm_member *values = member_of(element, GM_PROP_ENUM_VALUES), *type = member_of(element, GM_PROP_VALUE_SCHEMA);
    if (values == NULL || values->ref_count == 0) return true;
    const gm_standard *wanted = type != NULL && type->ref_count > 0 ? type->refs[0].standard : NULL;
    const gm_member  **sorted = gm_alloc_array(set->alloc, values->ref_count, sizeof *sorted);
    if (sorted == NULL) return false;
    size_t n = 0;
    for (uint32_t r = 0; r < values->ref_count; r++) {
        const gm_element *one   = values->refs[r].element;
        const gm_member  *value = one != NULL ? member_of(one, GM_PROP_ENUM_VALUE) : NULL;
        if (value == NULL || value->literal == GM_KIND_NONE) continue;
        sorted[n++] = value;
        gm_kind kind = wanted != NULL && wanted->cls == GM_CLASS_STRING ? GM_KIND_STRING : GM_KIND_INT;
        if (wanted != NULL && (GM_CLASS_BIT(STRING) | GM_CLASS_BIT(INTEGER)) >> wanted->cls & 1 &&
            value->literal != kind) {
            GM_COMPLAIN(set, one, value->node, "nonConformantDatatype",
                        "the Enum declares values of type %s; write one", wanted->name);
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_values);
    for (size_t i = 1; i < n; i++) {
        gm_value a = sorted[i - 1]->value, b = sorted[i]->value;
        bool same = a.kind == b.kind && (a.kind == GM_KIND_STRING ? gm_str_eq(a.s, b.s)
                                         : a.kind == GM_KIND_DOUBLE ? a.d == b.d : a.i == b.i);
        if (same) {
            GM_COMPLAIN(set, element, sorted[i]->node, "nonUniquePropertyValue",
                        "the Enum has this \"enumValue\" already; "
                        "change one of them");
        }
    }
    gm_free(set->alloc, sorted);
    return true;
}

static bool check_element(gm_set *set, gm_element *element)
{
    check_counts(set, element);
    gm_cotype_check_values(set, element);
    switch (element->cls) {
    case GM_CLASS_INTERFACE: check_interface(set, element); break;
    case GM_CLASS_COMPONENT: check_component(set, element); break;
    case GM_CLASS_ENUM: return check_enum(set, element);
    case GM_CLASS_ARRAY: case GM_CLASS_MAP: case GM_CLASS_OBJECT: check_schema_depth(set, element); break;
    case GM_CLASS_PROPERTY:
        if (element->version == 2 && element->reaches_array) {
            const gm_member *schema = member_of(element, GM_PROP_SCHEMA);
            GM_COMPLAIN(set, element, schema->node, "excludedType",
                        "in DTDL version 2 a Property can not hold an Array; use a Map, "
                        "or DTDL version 3");
        }
        break;
    default: break;
    }
    return true;
}

static void measure_texts(gm_set *set)
{
    for (size_t i = 0; i < set->all_count; i++) {
        gm_element *element = set->all[i];
        if (element->cls != GM_CLASS_INTERFACE) continue;
        size_t bytes = element->node->end - element->node->start;
        element->text_bytes = bytes;
        // Parents come before children, so what is inside is taken off after it was counted.
        if (element->parent != NULL) element->parent->partition->text_bytes -= bytes;
    }
}

gm_status gm_set_check(gm_set *set, gm_error *err)
{
    names        table    = { .alloc = set->alloc };
    frame       *stack    = NULL;
    size_t       capacity = 0, count = 0;
    gm_element **order    = gm_alloc_array(set->alloc, set->all_count, sizeof *order);
    bool         done     = order != NULL;
    set->order            = order;

    connect(set);
    measure_texts(set);
    for (size_t i = 0; i < set->all_count && done; i++) done = walk(set, set->all[i], &stack, &capacity, order, &count);
    for (size_t i = 0; i < count && done; i++) {
        for (gm_member *m = order[i]->members; m != NULL && done; m = m->next) {
            done = check_names(set, &table, order[i], m) && gm_cotype_check_indexes(set, order[i], m);
        }
        if (done && order[i]->cls == GM_CLASS_INTERFACE) done = collect_contents(set, &table, order[i]);
        if (!done) break;
        measure(order[i]);
        done = check_element(set, order[i]);
    }
    names_finish(&table);
    gm_free(set->alloc, stack);
    if (!done || set->failed || set->found->failed)
        return gm_fail(err, GM_NOMEM, "model", "checking %zu elements", set->all_count);
    return GM_OK;
}
