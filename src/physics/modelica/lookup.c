// Classes by name, and what a class holds after inheritance. Modelica 3.6, chapters 5 (scoping) and 7 (inheritance).
#include "physics/modelica/flatten.h"

enum { NEW, MAKING, READY };
enum { INHERITANCE_MAX = 60 };

static class_info *info_of(gm_flatten *F, const gm_ast_class *cls)
{
    return &F->infos[cls->number];
}

// ---------------------------------------------------------------------------------------------------- names

static const gm_ast_class *own_class(const gm_ast_class *cls, gm_sym name)
{
    uint32_t at = gm_map_find(&cls->members, name);
    return at != GM_MAP_NONE && cls->elements[at].kind == GM_AST_CLASS ? cls->elements[at].class_ : NULL;
}

static const gm_ast_class *class_in(gm_flatten *F, const gm_ast_class *cls, gm_sym name);

// A class among those that cls inherits. The bases' own names are searched from outside, so that a class never looks
// into a base in order to find that base.
static const gm_ast_class *inherited_class(gm_flatten *F, const gm_ast_class *cls, gm_sym name)
{
    class_info         *info  = info_of(F, cls);
    const gm_ast_class *found = NULL;
    if (info->looking) return NULL;
    info->looking = true;
    if (cls->base != NULL && cls->base->parts[0].name != cls->name) {
        const gm_ast_class *base = gm_resolve_class(F, cls->parent, cls->base, false);
        if (base != NULL && base != cls) found = class_in(F, base, name);
    }
    for (uint32_t i = 0; found == NULL && i < cls->element_count; i++) {
        if (cls->elements[i].kind != GM_AST_EXTENDS) continue;
        const gm_ast_class *base = gm_resolve_class(F, cls, cls->elements[i].extends->base, false);
        if (base != NULL && base != cls) found = class_in(F, base, name);
    }
    info->looking = false;
    return found;
}

static const gm_ast_class *class_in(gm_flatten *F, const gm_ast_class *cls, gm_sym name)
{
    const gm_ast_class *found = own_class(cls, name);
    return found != NULL ? found : inherited_class(F, cls, name);
}

static const gm_ast_class *follow(gm_flatten *F, const gm_ast_class *cls, const gm_ast_ref *ref, uint32_t from)
{
    for (uint32_t i = from; cls != NULL && i < ref->count; i++) cls = class_in(F, cls, ref->parts[i].name);
    return cls;
}

static const gm_ast_class *imported_class(gm_flatten *F, const gm_ast_class *cls, gm_sym name)
{
    for (uint32_t i = 0; i < cls->element_count; i++) {
        if (cls->elements[i].kind != GM_AST_IMPORT) continue;
        const gm_ast_import *import = cls->elements[i].import;
        if (import->name != GM_SYM_NONE && import->name != name) continue;
        const gm_ast_class *from = own_class(&F->m->root, import->from->parts[0].name);
        from                     = follow(F, from, import->from, 1);
        if (from == NULL) continue;
        if (import->name == name) return from;
        const gm_ast_class *inner = class_in(F, from, name);
        if (inner != NULL) return inner;
    }
    return NULL;
}

const gm_ast_class *gm_find_class(gm_flatten *F, const gm_ast_class *from, gm_sym name)
{
    gm_flatten_step(F);
    for (const gm_ast_class *cls = from; cls != NULL; cls = cls->parent) {
        const gm_ast_class *found = class_in(F, cls, name);
        if (found == NULL) found = imported_class(F, cls, name);
        if (found == NULL && cls->name == name && cls->parent == NULL) found = cls;
        if (found != NULL) return found;
        if (cls->is_encapsulated) break;
    }
    return own_class(&F->m->root, name);
}

const gm_ast_class *gm_resolve_class(gm_flatten *F, const gm_ast_class *from, const gm_ast_ref *ref, bool report)
{
    const gm_ast_class *cls =
        ref->global ? own_class(&F->m->root, ref->parts[0].name) : gm_find_class(F, from, ref->parts[0].name);
    uint32_t            i   = 1;
    for (; cls != NULL && i < ref->count; i++) {
        const gm_ast_class *next = class_in(F, cls, ref->parts[i].name);
        if (next == NULL && report) {
            gm_flatten_error(F, ref->parts[i].at, ref->parts[i].length,
                          "there is no class `" GM_STR_FMT "` in `" GM_STR_FMT "`",
                          GM_STR_ARG(gm_name_of(F, ref->parts[i].name)), GM_STR_ARG(gm_class_path(F, cls)));
            return NULL;
        }
        cls = next;
    }
    if (cls == NULL && report) {
        gm_flatten_error(F, ref->parts[0].at, ref->parts[0].length, "there is no class `" GM_STR_FMT "`",
                      GM_STR_ARG(gm_name_of(F, ref->parts[0].name)));
    }
    return cls;
}

member gm_find_member(gm_flatten *F, const gm_ast_class *cls, gm_sym name)
{
    const gm_ast_class *inner = class_in(F, cls, name);
    if (inner != NULL) return (member){ .cls = inner };
    layout *lay  = gm_class_layout(F, cls);
    slot   *here = gm_layout_find(lay, name);
    if (here != NULL) return (member){ .component = here, .owner = lay };
    const gm_ast_class *imported = imported_class(F, cls, name);
    if (imported != NULL) return (member){ .cls = imported };
    for (uint32_t i = 0; i < cls->element_count; i++) {  // constants brought in by imports
        if (cls->elements[i].kind != GM_AST_IMPORT) continue;
        const gm_ast_import *import = cls->elements[i].import;
        if (import->name != GM_SYM_NONE && import->name != name) continue;
        uint32_t            depth = import->from->count - (import->name != GM_SYM_NONE ? 1 : 0);
        const gm_ast_class *from  = depth > 0 ? own_class(&F->m->root, import->from->parts[0].name) : NULL;
        for (uint32_t k = 1; from != NULL && k < depth; k++) from = class_in(F, from, import->from->parts[k].name);
        if (from == NULL || from == cls) continue;
        gm_sym  wanted = import->name != GM_SYM_NONE ? import->from->parts[import->from->count - 1].name : name;
        layout *other  = gm_class_layout(F, from);
        slot   *there  = gm_layout_find(other, wanted);
        if (there != NULL) return (member){ .component = there, .owner = other };
    }
    return (member){ 0 };
}

// ---------------------------------------------------------------------------------------------------- layouts

slot *gm_layout_find(const layout *lay, gm_sym name)
{
    uint32_t at = gm_map_find(&lay->names, name);
    return at != GM_MAP_NONE ? &lay->slots[at] : NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static uint32_t edit_distance(gm_str a, gm_str b)
{
    enum { LONGEST = 40 };
    uint32_t row[LONGEST + 1];
    if (a.len > LONGEST || b.len > LONGEST) return LONGEST;
    for (uint32_t j = 0; j <= b.len; j++) row[j] = j;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t corner = row[0];
        row[0]          = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t least = corner + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));
            if (row[j] + 1 < least) least = row[j] + 1;
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            corner = row[j];
            row[j] = least;
        }
    }
    return row[b.len];
}

gm_str gm_layout_nearest(gm_flatten *F, const layout *lay, gm_sym wrong)
{
    gm_str   text = gm_name_of(F, wrong), best = { 0 };
    uint32_t least = text.len < 4 ? 2 : 3;
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        gm_str   name     = gm_name_of(F, lay->slots[i].decl->name);
        uint32_t distance = edit_distance(text, name);
        if (distance >= least || distance >= text.len) continue;
        least = distance;
        best  = name;
    }
    return best;
}

static ext_mod *push_mod(gm_flatten *F, const gm_ast_mod *mod, const gm_ast_class *cls, bool outside, ext_mod *next)
{
    ext_mod *fresh = GM_WORK_NEW(&F->w, ext_mod, 1);
    *fresh         = (ext_mod){ mod, cls, outside, next };
    return fresh;
}

static void add_slot(gm_flatten *F, layout *lay, slot fresh)
{
    slot *known = gm_layout_find(lay, fresh.decl->name);
    if (known != NULL) {
        // The same declaration inherited over two ways is one.
        if (known->decl != fresh.decl) {
            gm_flatten_error(F, fresh.decl->at, fresh.decl->length,
                          "`" GM_STR_FMT "` is inherited from `" GM_STR_FMT "` already",
                          GM_STR_ARG(gm_name_of(F, fresh.decl->name)), GM_STR_ARG(gm_class_path(F, known->cls)));
        }
        return;
    }
    GM_WORK_RESERVE(&F->w, lay->slots, lay->slot_capacity, lay->slot_count + 1);
    gm_map_put(&F->w, &lay->names, fresh.decl->name, lay->slot_count);
    lay->slots[lay->slot_count++] = fresh;
}

// Everything of the base becomes the class's own, under the modification that came with it.
static void inherit(gm_flatten *F, layout *lay, const layout *base, const gm_ast_mod *mod, const gm_ast_class *cls,
                    bool outside, bool is_protected)
{
    if (base->is_prim) {
        lay->is_prim     = true;
        lay->prim        = base->prim;
        lay->enumeration = base->enumeration;
        lay->prim_mods   = mod->count > 0 ? push_mod(F, mod, cls, outside, base->prim_mods) : base->prim_mods;
        lay->dims        = base->dims;
    }
    lay->flags |= base->flags;
    lay->is_connector |= base->is_connector;
    for (const ext_mod *e = base->replaced; e != NULL; e = e->next)
        lay->replaced = push_mod(F, e->mod, e->cls, e->outside, lay->replaced);
    for (uint32_t i = 0; i < base->slot_count; i++) {
        slot              fresh = base->slots[i];
        const gm_ast_mod *own   = gm_ast_mod_find(mod, fresh.decl->name);
        if (own != NULL) fresh.mods = push_mod(F, own, cls, outside, fresh.mods);
        fresh.is_protected |= is_protected;
        fresh.type_known = false;
        fresh.type       = NULL;
        add_slot(F, lay, fresh);
    }
    for (uint32_t i = 0; i < base->section_count; i++) {
        GM_WORK_RESERVE(&F->w, lay->sections, lay->section_capacity, lay->section_count + 1);
        lay->sections[lay->section_count++] = base->sections[i];
    }
    for (uint32_t i = 0; !base->is_prim && i < mod->count; i++) {
        const gm_ast_mod *item = &mod->items[i];
        if (gm_layout_find(base, item->name) != NULL) continue;
        if (item->is_class && class_in(F, base->cls, item->name) != NULL) {
            lay->replaced = push_mod(F, item, cls, outside, lay->replaced);
            continue;
        }
        gm_str near = gm_layout_nearest(F, base, item->name);
        gm_flatten_error(F, item->at, item->length, "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                      GM_STR_ARG(gm_name_of(F, item->name)), GM_STR_ARG(gm_class_path(F, base->cls)),
                      near.len > 0 ? "; is `" : "", GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
    }
}

static void fill_short(gm_flatten *F, layout *lay, const gm_ast_class *cls)
{
    const gm_ast_class *base = gm_resolve_class(F, cls->parent, cls->base, true);
    if (base == NULL) return;
    const layout *from = gm_class_layout(F, base);
    inherit(F, lay, from, &cls->base_mod, cls->parent, true, false);
    lay->flags |= cls->base_flags;
    lay->is_record |= from->is_record;
    if (cls->base_dimension_count > 0) {
        dim_list *dims = GM_WORK_NEW(&F->w, dim_list, 1);
        *dims          = (dim_list){ cls->base_dimensions, cls->base_dimension_count, cls->parent, lay->dims };
        lay->dims      = dims;
    }
}

static void fill_long(gm_flatten *F, layout *lay, const gm_ast_class *cls)
{
    for (uint32_t i = 0; i < cls->element_count; i++) {
        const gm_ast_element *e = &cls->elements[i];
        if (e->kind == GM_AST_COMPONENT) {
            add_slot(F, lay, (slot){ .decl = e->component, .cls = cls,
                                     .is_protected = (e->component->flags & GM_AST_PROTECTED) != 0 });
        } else if (e->kind == GM_AST_EXTENDS) {
            const gm_ast_class *base = gm_resolve_class(F, cls, e->extends->base, true);
            if (base != NULL)
                inherit(F, lay, gm_class_layout(F, base), &e->extends->mod, cls, false, e->extends->is_protected);
        }
    }
    for (uint32_t i = 0; i < cls->section_count; i++) {
        GM_WORK_RESERVE(&F->w, lay->sections, lay->section_capacity, lay->section_count + 1);
        lay->sections[lay->section_count++] = (section_ref){ &cls->sections[i], cls };
    }
}

layout *gm_class_layout(gm_flatten *F, const gm_ast_class *cls)
{
    class_info *info = info_of(F, cls);
    if (info->state == READY) return info->layout;
    if (info->layout == NULL) info->layout = GM_WORK_NEW(&F->w, layout, 1);
    layout *lay = info->layout;
    lay->cls    = cls;
    if (info->state == MAKING) {
        gm_flatten_error(F, cls->at, cls->length, "`" GM_STR_FMT "` inherits from itself",
                      GM_STR_ARG(gm_name_of(F, cls->name)));
        return lay;
    }
    if (++F->depth > INHERITANCE_MAX + F->limits.depth_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "classes inherit more than %d levels deep", INHERITANCE_MAX);
    }
    info->state       = MAKING;
    lay->is_connector = cls->kind == GM_AST_CLASS_CONNECTOR;
    lay->is_record    = cls->kind == GM_AST_CLASS_RECORD;
    if (cls >= F->m->prims && cls < F->m->prims + 4) {
        lay->is_prim = true;
        lay->prim    = (value_type)(V_REAL + (cls - F->m->prims));
    } else if (cls->is_enumeration) {
        lay->is_prim     = true;
        lay->prim        = V_ENUM;
        lay->enumeration = cls;
    } else if (cls->base != NULL) {
        fill_short(F, lay, cls);
    } else {
        fill_long(F, lay, cls);
    }
    if (lay->is_connector && cls->is_expandable) {
        gm_flatten_error(F, cls->at, cls->length, "expandable connectors are not supported");
    }
    F->depth--;
    info->state = READY;
    return lay;
}
