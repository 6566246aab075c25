// Modifications: the places that may modify an instance, what they say, and which classes they put in the place of
// others (Modelica 3.6, chapter 7).
#include "physics/modelica/flatten.h"

mod_source *gm_scope_source(gm_flatten *F, const gm_ast_mod *mod, inst *home, const gm_ast_class *cls, mod_source *next)
{
    mod_source *fresh = GM_WORK_NEW(&F->w, mod_source, 1);
    *fresh            = (mod_source){ .mod = mod, .home = home, .cls = cls, .next = next };
    return fresh;
}

// The places that may modify the component: those that modify `in` and speak of it, the classes between, and its own
// declaration.
mod_source *gm_sources_of(gm_flatten *F, inst *in, const slot *s)
{
    mod_source *first = NULL, **end = &first;
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        const gm_ast_mod *own = gm_ast_mod_find(m->mod, s->decl->name);
        if (own == NULL) continue;
        *end = gm_scope_source(F, own, m->home, m->cls, NULL);
        if (!own->each) {
            (*end)->index       = m->index;
            (*end)->index_count = m->index_count;
        }
        end = &(*end)->next;
    }
    for (const ext_mod *e = s->mods; e != NULL; e = e->next) {
        *end = gm_scope_source(F, e->mod, e->outside ? NULL : in, e->cls, NULL);
        end  = &(*end)->next;
    }
    if (s->decl->mod.count > 0 || s->decl->mod.value != NULL) {
        *end = gm_scope_source(F, &s->decl->mod, in, s->cls, NULL);
        end  = &(*end)->next;
    }
    return first;
}

// The sources of element i of an array: the same, each with one more index.
mod_source *gm_sources_of_element(gm_flatten *F, const inst *array, uint32_t i)
{
    mod_source *first = NULL, **end = &first;
    uint32_t    at[GM_DIMS_MAX], rest = i;
    for (uint32_t d = array->ndims; d-- > 0;) {
        at[d] = rest % array->dims[d];
        rest /= array->dims[d];
    }
    for (const mod_source *m = array->mods; m != NULL; m = m->next) {
        *end            = gm_scope_source(F, m->mod, m->home, m->cls, NULL);
        uint32_t *index = GM_WORK_NEW(&F->w, uint32_t, m->index_count + array->ndims);
        if (m->index_count > 0) memcpy(index, m->index, m->index_count * sizeof *index);
        memcpy(index + m->index_count, at, array->ndims * sizeof *index);
        (*end)->index       = index;
        (*end)->index_count = m->index_count + array->ndims;
        end                 = &(*end)->next;
    }
    return first;
}

// Every name in a modification of a class must be one of its components; said once per place.
void gm_check_names(gm_flatten *F, const inst *in)
{
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        for (uint32_t i = 0; i < m->mod->count; i++) {
            const gm_ast_mod *item = &m->mod->items[i];
            if (gm_layout_find(in->lay, item->name) != NULL) continue;
            if (item->is_class && gm_find_member(F, in->lay->cls, item->name).cls != NULL) continue;
            gm_str near = gm_layout_nearest(F, in->lay, item->name);
            gm_flatten_error(F, item->at, item->length,
                          "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                          GM_STR_ARG(gm_name_of(F, item->name)), GM_STR_ARG(gm_class_path(F, in->lay->cls)),
                          near.len > 0 ? "; is `" : "", GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
        }
    }
}

static uint32_t serial_of(gm_flatten *F, inst *in)
{
    if (in->serial == 0) in->serial = ++F->serial;
    return in->serial;
}

// The modification's expression as a value, with the array elements picked that belong to this instance. ndims: of what
// is modified; indices that the value has no dimensions for are left away (what holds for one holds for each).
value gm_source_value(gm_flatten *F, const mod_source *m, const gm_ast_expr *e, uint32_t ndims)
{
    scope    s = { .in = m->home, .cls = m->cls };
    value    v;
    uint64_t key = gm_map_pair(m->home != NULL ? serial_of(F, m->home) : 0, e->at);
    uint32_t known = m->index_count > 0 ? gm_map_find(&F->indexed, key) : (uint32_t)GM_MAP_NONE;
    if (known != GM_MAP_NONE) {
        v = *F->indexed_values[known];
    } else {
        v = gm_eval(F, &s, e);
        if (m->index_count > 0) {
            GM_WORK_RESERVE(&F->w, F->indexed_values, F->indexed_capacity, F->indexed_count + 1);
            value *kept = GM_WORK_NEW(&F->w, value, 1);
            *kept       = v;
            F->indexed_values[F->indexed_count] = kept;
            gm_map_put(&F->w, &F->indexed, key, F->indexed_count++);
        }
    }
    if (v.type == V_ERROR || m->index_count == 0 || v.ndims <= ndims) return v;
    uint32_t use = v.ndims - ndims < m->index_count ? v.ndims - ndims : m->index_count;
    for (uint32_t i = m->index_count - use; i < m->index_count; i++) {
        if (m->index[i] >= v.dims[0]) {
            return gm_fail_value(F, e->at, e->length, "this array has %u elements, but element %u is asked for", v.dims[0],
                              m->index[i] + 1);
        }
        v = gm_value_element(F, &v, m->index[i]);
    }
    return v;
}

const mod_source *gm_binding_source(const inst *in)
{
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        if (m->mod->value != NULL) return m;
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------------- redeclarations

static const gm_ast_class *new_class(gm_flatten *F, inst *home, const gm_ast_class *cls, const gm_ast_mod *mod)
{
    // The new class may itself be one that the class around has put in the place of another.
    const gm_ast_ref   *ref = mod->new_type;
    const gm_ast_class *own = ref->count == 1 && !ref->global ? gm_redeclared_class(F, home, cls, ref->parts[0].name) : NULL;
    return own != NULL ? own : gm_resolve_class(F, cls, ref, true);
}

const gm_ast_class *gm_modified_class(gm_flatten *F, inst *in, gm_sym name)
{
    if (in == NULL || in->lay == NULL || in->is_package) return NULL;
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        const gm_ast_mod *own = gm_ast_mod_find(m->mod, name);
        if (own != NULL && own->is_class) return new_class(F, m->home, m->cls, own);
    }
    for (const ext_mod *e = in->lay->replaced; e != NULL; e = e->next) {
        if (e->mod->name == name) return gm_resolve_class(F, e->cls, e->mod->new_type, true);
    }
    return NULL;
}

const gm_ast_class *gm_redeclared_class(gm_flatten *F, inst *in, const gm_ast_class *from, gm_sym name)
{
    const gm_ast_class *modified = gm_modified_class(F, in, name);
    if (modified != NULL || in == NULL || in->lay == NULL || in->is_package) return modified;
    // An element of the class itself takes the place of the inherited one of that name.
    if (in->lay->cls == from || gm_find_member(F, from, name).cls == NULL) return NULL;
    return gm_find_member(F, in->lay->cls, name).cls;
}

const gm_ast_class *gm_resolve_class_in(gm_flatten *F, inst *in, const gm_ast_class *from, const gm_ast_ref *ref, bool report)
{
    const gm_ast_class *cls = ref->global ? NULL : gm_redeclared_class(F, in, from, ref->parts[0].name);
    for (uint32_t i = 1; cls != NULL && i < ref->count; i++) cls = gm_find_member(F, cls, ref->parts[i].name).cls;
    return cls != NULL ? cls : gm_resolve_class(F, from, ref, report);
}
