// Classes become instances, instances of Real, Integer, Boolean, enumerations and String become variables.
#include "physics/modelica/flatten.h"

#include <stdio.h>

// ---------------------------------------------------------------------------------------------------- modifications

mod_source *scope_source(gm_flatten *F, const gm_ast_mod *mod, inst *home, const gm_ast_class *cls, mod_source *next)
{
    mod_source *fresh = GM_WORK_NEW(&F->w, mod_source, 1);
    *fresh            = (mod_source){ .mod = mod, .home = home, .cls = cls, .next = next };
    return fresh;
}

// The places that may modify the component: those that modify `in` and speak of it, the classes between, and its own
// declaration.
static mod_source *sources_of(gm_flatten *F, inst *in, const slot *s)
{
    mod_source *first = NULL, **end = &first;
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        const gm_ast_mod *own = gm_ast_mod_find(m->mod, s->decl->name);
        if (own == NULL) continue;
        *end = scope_source(F, own, m->home, m->cls, NULL);
        if (!own->each) {
            (*end)->index       = m->index;
            (*end)->index_count = m->index_count;
        }
        end = &(*end)->next;
    }
    for (const ext_mod *e = s->mods; e != NULL; e = e->next) {
        *end = scope_source(F, e->mod, e->outside ? NULL : in, e->cls, NULL);
        end  = &(*end)->next;
    }
    if (s->decl->mod.count > 0 || s->decl->mod.value != NULL) {
        *end = scope_source(F, &s->decl->mod, in, s->cls, NULL);
        end  = &(*end)->next;
    }
    return first;
}

// The sources of element i of an array: the same, each with one more index.
static mod_source *sources_of_element(gm_flatten *F, const inst *array, uint32_t i)
{
    mod_source *first = NULL, **end = &first;
    uint32_t    at[GM_DIMS_MAX], rest = i;
    for (uint32_t d = array->ndims; d-- > 0;) {
        at[d] = rest % array->dims[d];
        rest /= array->dims[d];
    }
    for (const mod_source *m = array->mods; m != NULL; m = m->next) {
        *end            = scope_source(F, m->mod, m->home, m->cls, NULL);
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
static void check_names(gm_flatten *F, const inst *in)
{
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        for (uint32_t i = 0; i < m->mod->count; i++) {
            const gm_ast_mod *item = &m->mod->items[i];
            if (layout_find(in->lay, item->name) != NULL) continue;
            if (item->redeclare) {
                flatten_error(F, item->at, 1, "redeclaring classes is not supported");
                continue;
            }
            gm_str near = nearest_name(F, in->lay, item->name);
            flatten_error(F, item->at, item->length,
                          "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                          GM_STR_ARG(name_of(F, item->name)), GM_STR_ARG(class_path(F, in->lay->cls)),
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
static value source_value(gm_flatten *F, const mod_source *m, const gm_ast_expr *e, uint32_t ndims)
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
            return fail_value(F, e->at, e->length, "this array has %u elements, but element %u is asked for", v.dims[0],
                              m->index[i] + 1);
        }
        v = value_element(F, &v, m->index[i]);
    }
    return v;
}

// ---------------------------------------------------------------------------------------------------- names

static gm_str element_suffix(gm_flatten *F, uint32_t ndims, const uint32_t *dims, uint32_t i)
{
    uint32_t at[GM_DIMS_MAX];
    for (uint32_t d = ndims; d-- > 0;) {
        at[d] = i % dims[d] + 1;
        i /= dims[d];
    }
    char   text[GM_DIMS_MAX * 12 + 4];
    size_t len = 0;
    for (uint32_t d = 0; d < ndims; d++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", d == 0 ? "[" : ",", at[d]);
    text[len++] = ']';
    return gm_work_str(&F->w, (gm_str){ text, len });
}

static gm_str kid_path(gm_flatten *F, const inst *in, gm_sym name)
{
    gm_str text = name_of(F, name);
    if (in->path.len == 0) return text;
    return gm_work_printf(&F->w, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(in->path), GM_STR_ARG(text));
}

// ---------------------------------------------------------------------------------------------------- making

static layout *type_of_slot(gm_flatten *F, inst *in, slot *s, const mod_source *mods)
{
    for (const mod_source *m = mods; m != NULL; m = m->next) {
        if (!m->mod->redeclare || m->mod->new_type == NULL) continue;
        const gm_ast_class *cls = resolve_class(F, m->cls, m->mod->new_type, true);
        return cls != NULL ? layout_of(F, cls) : NULL;
    }
    if (!s->type_known) {
        const gm_ast_class *cls = resolve_class(F, s->cls, s->decl->type, true);
        s->type_known           = true;
        if (cls == NULL) return NULL;
        if (cls->kind == GM_AST_CLASS_PACKAGE || cls->kind == GM_AST_CLASS_FUNCTION) {
            flatten_error(F, s->decl->type->at, s->decl->type->length,
                          "`" GM_STR_FMT "` is a %s; a component needs a class or a type",
                          GM_STR_ARG(class_path(F, cls)), cls->kind == GM_AST_CLASS_PACKAGE ? "package" : "function");
            return NULL;
        }
        if (cls->is_partial && !in->is_package) {
            flatten_error(F, s->decl->type->at, s->decl->type->length,
                          "`" GM_STR_FMT "` is partial: extend it, and use the result", GM_STR_ARG(class_path(F, cls)));
        }
        s->type = layout_of(F, cls);
    }
    return s->type;
}

static const mod_source *binding_source(const inst *in)
{
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        if (m->mod->value != NULL) return m;
    }
    return NULL;
}

// One list of dimensions; `:` takes its size from the binding.
static bool add_dims(gm_flatten *F, inst *in, const scope *s, gm_ast_expr *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (in->ndims >= GM_DIMS_MAX) {
            flatten_error(F, items[i]->at, items[i]->length, "an array of more than %d dimensions", GM_DIMS_MAX);
            return false;
        }
        int64_t size = 0;
        if (items[i]->kind == GM_AST_COLON) {
            const mod_source *m = binding_source(in);
            if (m == NULL) {
                flatten_error(F, items[i]->at, items[i]->length,
                              "the size `:` needs a value that it can be taken from");
                return false;
            }
            value v = source_value(F, m, m->mod->value, in->ndims + count - i);
            if (v.type == V_ERROR) return false;
            if (v.ndims <= in->ndims) {
                flatten_error(F, m->mod->value->at, m->mod->value->length, "an array of %u dimensions is expected",
                              in->ndims + count - i);
                return false;
            }
            size = v.dims[in->ndims];
        } else {
            // A size can be an enumeration or Boolean in Modelica; these are rare and not supported.
            if (!eval_integer(F, s, items[i], "an array's size", &size)) return false;
            if (size < 0 || size > GM_ARRAY_MAX) {
                flatten_error(F, items[i]->at, items[i]->length, "an array's size is between 0 and %d, this is %lld",
                              GM_ARRAY_MAX, (long long)size);
                return false;
            }
        }
        in->dims[in->ndims++] = (uint32_t)size;
        if ((uint64_t)in->count * (uint64_t)size > GM_ARRAY_MAX) {
            flatten_error(F, items[i]->at, items[i]->length, "an array of more than %d elements", GM_ARRAY_MAX);
            return false;
        }
        in->count *= (uint32_t)size;
    }
    return true;
}

uint32_t add_variable(gm_flatten *F, const gm_flat_var *var, inst *in)
{
    gm_flat *flat = F->flat;
    if (flat->var_count >= F->limits.vars_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica", "the model has more than %u variables", F->limits.vars_max);
    }
    GM_WORK_RESERVE(&F->rw, flat->vars, flat->var_capacity, flat->var_count + 1);
    GM_WORK_RESERVE(&F->w, F->var_inst, F->var_inst_capacity, flat->var_count + 1);
    flat->vars[flat->var_count]      = *var;
    flat->vars[flat->var_count].name = gm_work_str(&F->rw, var->name);
    F->var_inst[flat->var_count]     = in;
    return flat->var_count++;
}

static void make_variables(gm_flatten *F, inst *in)
{
    static const gm_flat_type types[] = { [V_REAL]    = GM_FLAT_REAL,
                                          [V_INTEGER] = GM_FLAT_INTEGER,
                                          [V_BOOLEAN] = GM_FLAT_BOOLEAN,
                                          [V_STRING]  = GM_FLAT_STRING,
                                          [V_ENUM]    = GM_FLAT_ENUM };
    gm_flat_var var = { .type = types[in->lay->prim], .owner = in->owner };
    var.binding = var.start = var.min = var.max = var.nominal = GM_EX_NONE;
    var.select  = GM_FLAT_SELECT_DEFAULT;
    if (in->slot != NULL) {
        var.at          = in->slot->decl->at;
        var.description =
            in->slot->decl->comment.len > 0 ? gm_work_str(&F->rw, in->slot->decl->comment) : (gm_str) { 0 };
    }
    switch (in->variability) {
    case GM_AST_PARAMETER: var.variability = GM_FLAT_PARAMETER; break;
    case GM_AST_CONSTANT: var.variability = GM_FLAT_CONSTANT; break;
    case GM_AST_DISCRETE: var.variability = GM_FLAT_DISCRETE; break;
    default: var.variability = in->lay->prim == V_REAL ? GM_FLAT_CONTINUOUS : GM_FLAT_DISCRETE;
    }
    if (in->lay->prim == V_STRING && var.variability < GM_FLAT_PARAMETER) {
        flatten_error(F, var.at, in->slot->decl->length, "a String can only be a parameter or a constant");
    }
    // input and output mean the outside only at the top, unless the components there are to keep their inputs open.
    bool top  = in->parent == &F->root;
    bool open = top || (F->open_inputs && in->parent != NULL && in->parent->parent == &F->root);
    if ((in->flags & GM_AST_INPUT) && open) var.flags |= GM_FLAT_INPUT;
    if ((in->flags & GM_AST_OUTPUT) && top) var.flags |= GM_FLAT_OUTPUT;
    if (in->flags & GM_AST_FLOW) var.flags |= GM_FLAT_FLOW;
    if (in->flags & GM_AST_PROTECTED) var.flags |= GM_FLAT_PROTECTED;
    if (in->flags & GM_AST_FINAL) var.flags |= GM_FLAT_FINAL;
    if (in->parent != NULL && in->parent->lay->is_connector) var.flags |= GM_FLAT_CONNECTOR;
    if (in->lay->enumeration != NULL) {
        const gm_ast_class *cls      = in->lay->enumeration;
        gm_str             *literals = GM_WORK_NEW(&F->rw, gm_str, cls->literal_count > 0 ? cls->literal_count : 1);
        for (uint32_t i = 0; i < cls->literal_count; i++)
            literals[i] = gm_work_str(&F->rw, name_of(F, cls->literals[i].name));
        var.literals      = literals;
        var.literal_count = cls->literal_count;
    }
    in->var = F->flat->var_count;
    for (uint32_t i = 0; i < in->count; i++) {
        var.name = in->path;
        if (in->ndims > 0) {
            gm_str suffix = element_suffix(F, in->ndims, in->dims, i);
            var.name      = gm_work_printf(&F->w, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(in->path), GM_STR_ARG(suffix));
        }
        add_variable(F, &var, in);
        flatten_step(F);
    }
}

static void make_kids(gm_flatten *F, inst *in)
{
    if (in->depth >= F->limits.depth_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica",
                     "components are nested more than %u levels deep: `" GM_STR_FMT "...`", F->limits.depth_max,
                     GM_STR_ARG(gm_str_slice(in->path, 0, 60)));
    }
    check_names(F, in);
    in->kids = GM_WORK_NEW(&F->w, inst, in->lay->slot_count > 0 ? in->lay->slot_count : 1);
    for (uint32_t i = 0; i < in->lay->slot_count; i++) {
        inst *kid   = &in->kids[i];
        kid->parent = in;
        kid->slot   = &in->lay->slots[i];
        kid->depth  = in->depth + 1;
    }
}

static void make_elements(gm_flatten *F, inst *in)
{
    in->elements = GM_WORK_NEW(&F->w, inst, in->count > 0 ? in->count : 1);
    for (uint32_t i = 0; i < in->count; i++) {
        inst *e       = &in->elements[i];
        gm_str suffix = element_suffix(F, in->ndims, in->dims, i);
        *e             = (inst) { .parent      = in->parent,
                                  .slot        = in->slot,
                                  .lay         = in->lay,
                                  .state       = INST_READY,
                                  .count       = 1,
                                  .index       = i,
                                  .is_element  = true,
                                  .variability = in->variability,
                                  .flags       = in->flags,
                                  .owner       = in->owner,
                                  .depth       = in->depth };
        e->path       = gm_work_printf(&F->w, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(in->path), GM_STR_ARG(suffix));
        e->mods       = sources_of_element(F, in, i);
        make_kids(F, e);
        flatten_step(F);
    }
}

static void note_component(gm_flatten *F, inst *in)
{
    gm_flat *flat = F->flat;
    if (in->parent != &F->root) {
        in->owner = in->parent->owner;
        return;
    }
    in->owner = GM_FLAT_NO_OWNER;
    if (in->lay->is_prim) return;
    GM_WORK_RESERVE(&F->rw, flat->components, flat->component_capacity, flat->component_count + 1);
    in->owner = flat->component_count;
    flat->components[flat->component_count++] = (gm_flat_component){
        .name         = gm_work_str(&F->rw, in->path),
        .class_name   = gm_work_str(&F->rw, class_path(F, in->lay->cls)),
        .interface_id = gm_work_str(&F->rw, gm_modelica_interface(F->m, in->lay->cls)),
    };
}

static bool is_disabled(gm_flatten *F, inst *in, const slot *s)
{
    if (s->decl->condition == NULL) return false;
    scope  sc = { .in = in->parent, .cls = s->cls };
    double on = 1;
    if (!eval_number(F, &sc, s->decl->condition, V_BOOLEAN, "the condition of a component", &on)) return false;
    return on == 0;
}

static void make(gm_flatten *F, inst *in)
{
    slot *s         = in->slot;
    inst *parent    = in->parent;
    in->path        = kid_path(F, parent, s->decl->name);
    in->count       = 1;
    in->flags =
        s->decl->flags | (s->is_protected ? GM_AST_PROTECTED : 0) | (parent->flags & (GM_AST_PROTECTED | GM_AST_FINAL));
    in->variability = s->decl->variability > parent->variability ? s->decl->variability : parent->variability;
    in->owner       = GM_FLAT_NO_OWNER;
    if (is_disabled(F, in, s)) {
        in->disabled = true;
        return;
    }
    if (s->decl->flags & (GM_AST_INNER | GM_AST_OUTER | GM_AST_STREAM)) {
        flatten_error(F, s->decl->at, s->decl->length, "`%s` is not supported",
                      (s->decl->flags & GM_AST_STREAM)  ? "stream"
                      : (s->decl->flags & GM_AST_INNER) ? "inner"
                                                        : "outer");
    }
    in->mods = sources_of(F, parent, s);
    in->lay  = type_of_slot(F, parent, s, in->mods);
    if (in->lay == NULL) {
        in->disabled = true;
        return;
    }
    note_component(F, in);
    in->flags |= in->lay->flags | (parent->lay->is_connector || in->lay->is_record || parent->lay->is_record ?
                                       parent->flags & (GM_AST_INPUT | GM_AST_OUTPUT | GM_AST_FLOW) : 0);
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        if (m->mod->final) in->flags |= GM_AST_FINAL;
    }
    scope own = { .in = parent, .cls = s->cls };
    bool  good = add_dims(F, in, &own, s->decl->dimensions, s->decl->dimension_count);
    for (const dim_list *d = in->lay->dims; good && d != NULL; d = d->next) {
        scope there = { .cls = d->cls };
        good        = add_dims(F, in, &there, d->items, d->count);
    }
    if (!good) {
        in->disabled = true;
        return;
    }
    if (in->lay->is_prim) make_variables(F, in);
    else if (in->ndims > 0) make_elements(F, in);
    else make_kids(F, in);
}

void inst_ready(gm_flatten *F, inst *in)
{
    if (in->state == INST_READY) return;
    if (in->state == INST_BUSY) {
        flatten_error(F, in->slot->decl->at, in->slot->decl->length, "`" GM_STR_FMT "` depends on itself",
                      GM_STR_ARG(in->path));
        in->disabled = true;
        return;
    }
    in->state = INST_BUSY;
    in->path  = kid_path(F, in->parent, in->slot->decl->name);
    flatten_step(F);
    make(F, in);
    in->state = INST_READY;
}

inst *inst_kid(gm_flatten *F, inst *in, gm_sym name)
{
    if (in->kids == NULL || in->lay == NULL) return NULL;
    uint32_t at = gm_map_find(&in->lay->names, name);
    if (at == GM_MAP_NONE) return NULL;
    inst_ready(F, &in->kids[at]);
    return &in->kids[at];
}

inst *package_of(gm_flatten *F, const gm_ast_class *cls)
{
    class_info *info = &F->infos[cls->number];
    if (info->package != NULL) return info->package;
    inst *in      = GM_WORK_NEW(&F->w, inst, 1);
    info->package = in;
    *in           = (inst) {
                  .lay = layout_of(F, cls), .state = INST_READY, .count = 1, .is_package = true,
                  .owner = GM_FLAT_NO_OWNER
    };
    in->path      = class_path(F, cls);
    in->parent    = NULL;
    make_kids(F, in);
    return in;
}

void instantiate_all(gm_flatten *F, inst *in)
{
    for (uint32_t i = 0; in->elements != NULL && i < in->count; i++) instantiate_all(F, &in->elements[i]);
    if (in->kids == NULL) return;
    for (uint32_t i = 0; i < in->lay->slot_count; i++) {
        inst_ready(F, &in->kids[i]);
        if (!in->kids[i].disabled) instantiate_all(F, &in->kids[i]);
    }
}

// ---------------------------------------------------------------------------------------------------- attributes

// The first source that says something about an attribute: of the component's places, then of its type's.
static bool find_attribute(gm_flatten *F, const inst *in, gm_sym name, mod_source *out, const gm_ast_mod **out_mod)
{
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        const gm_ast_mod *own = gm_ast_mod_find(m->mod, name);
        if (own == NULL || own->value == NULL) continue;
        *out = *m;
        if (own->each) out->index_count = 0;
        *out_mod = own;
        return true;
    }
    for (const ext_mod *e = in->lay->prim_mods; e != NULL; e = e->next) {
        const gm_ast_mod *own = gm_ast_mod_find(e->mod, name);
        if (own == NULL || own->value == NULL) continue;
        *out     = (mod_source){ .mod = e->mod, .cls = e->cls };
        *out_mod = own;
        return true;
    }
    (void)F;
    return false;
}

static gm_str attribute_text(gm_flatten *F, const inst *in, gm_word word)
{
    mod_source        m;
    const gm_ast_mod *mod;
    gm_str            text = { 0 };
    if (!find_attribute(F, in, F->m->words[word], &m, &mod)) return text;
    value v = source_value(F, &m, mod->value, 0);
    if (v.type == V_ERROR) return text;
    if (v.ndims > 0 && v.count > 0 && v.type == V_STRING) v = value_scalar(V_STRING, v.many[0]);
    if (!value_constant_text(F, &v, &text)) {
        gm_str found = value_text(F, &v);
        flatten_error(F, mod->value->at, mod->value->length,
                      "`" GM_STR_FMT "` must be a constant text, this is " GM_STR_FMT,
                      GM_STR_ARG(name_of(F, mod->name)), GM_STR_ARG(found));
    }
    return gm_work_str(&F->rw, text);
}

// A numeric attribute for every element. False: not given, or wrong (reported).
static bool attribute_value(gm_flatten *F, const inst *in, gm_word word, value_type type, value *out)
{
    mod_source        m;
    const gm_ast_mod *mod;
    if (!find_attribute(F, in, F->m->words[word], &m, &mod)) return false;
    value v = source_value(F, &m, mod->value, in->ndims);
    if (v.type == V_ERROR) return false;
    bool fits = value_convert(F, &v, type, in->lay->enumeration);
    if (fits && v.ndims > 0) fits = v.ndims == in->ndims && memcmp(v.dims, in->dims, v.ndims * sizeof *v.dims) == 0;
    if (!fits) {
        gm_str found = value_text(F, &v);
        static const char *const names[] = { "?", "Real", "Integer", "Boolean", "String", "enumeration", "record" };
        flatten_error(F, mod->value->at, mod->value->length,
                      "`" GM_STR_FMT "` of `" GM_STR_FMT "` is " GM_STR_FMT ", %s%s is expected",
                      GM_STR_ARG(name_of(F, mod->name)), GM_STR_ARG(in->path), GM_STR_ARG(found), names[type],
                      in->ndims > 0 ? " for each element" : "");
        return false;
    }
    *out = v;
    return true;
}

static gm_ex of_element(const value *v, uint32_t i)
{
    return v->ndims == 0 ? v->one : v->many[i];
}

static void check_attribute_names(gm_flatten *F, const inst *in)
{
    static const gm_word known[] = { GM_WORD_start,       GM_WORD_fixed,     GM_WORD_unit,        GM_WORD_min,
                                     GM_WORD_max,         GM_WORD_nominal,   GM_WORD_displayUnit, GM_WORD_quantity,
                                     GM_WORD_stateSelect, GM_WORD_unbounded, GM_WORD_absolutePath };
    for (const mod_source *m = in->mods; m != NULL; m = m->next) {
        for (uint32_t i = 0; i < m->mod->count; i++) {
            bool good = false;
            for (size_t k = 0; k < sizeof known / sizeof known[0] && !good; k++)
                good = m->mod->items[i].name == F->m->words[known[k]];
            if (!good) {
                flatten_error(F, m->mod->items[i].at, m->mod->items[i].length, "there is no attribute `" GM_STR_FMT
                              "`; start, fixed, unit, displayUnit, quantity, min, max, nominal, stateSelect are",
                              GM_STR_ARG(name_of(F, m->mod->items[i].name)));
            }
        }
    }
}

static void bind_attributes(gm_flatten *F, inst *in)
{
    static const struct { gm_word word; size_t field; } numbers[] = {
        { GM_WORD_start, offsetof(gm_flat_var, start) }, { GM_WORD_min, offsetof(gm_flat_var, min) },
        { GM_WORD_max, offsetof(gm_flat_var, max) },     { GM_WORD_nominal, offsetof(gm_flat_var, nominal) },
    };
    if (in->mods == NULL && in->lay->prim_mods == NULL) return;
    check_attribute_names(F, in);
    gm_str unit = attribute_text(F, in, GM_WORD_unit), display = attribute_text(F, in, GM_WORD_displayUnit);
    gm_str quantity = attribute_text(F, in, GM_WORD_quantity);
    value  fixed, select;
    bool   has_fixed  = attribute_value(F, in, GM_WORD_fixed, V_BOOLEAN, &fixed);
    bool   has_select = attribute_value(F, in, GM_WORD_stateSelect, V_ENUM, &select);
    for (uint32_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        value v;
        if (in->lay->prim == V_STRING || !attribute_value(F, in, numbers[k].word, in->lay->prim, &v)) continue;
        for (uint32_t i = 0; i < in->count; i++) {
            gm_ex e = of_element(&v, i);
            memcpy((char *)&F->flat->vars[in->var + i] + numbers[k].field, &e, sizeof e);
        }
    }
    for (uint32_t i = 0; i < in->count; i++) {
        gm_flat_var *var  = &F->flat->vars[in->var + i];
        var->unit         = unit;
        var->display_unit = display;
        var->quantity     = quantity;
        double number;
        if (has_fixed && gm_fold(F, of_element(&fixed, i), true, &number)) {
            F->flat->vars[in->var + i].flags |= number != 0 ? GM_FLAT_FIXED : GM_FLAT_UNFIXED;
        }
        if (has_select && gm_fold(F, of_element(&select, i), true, &number) && number >= 1 && number <= 5) {
            F->flat->vars[in->var + i].select = (gm_flat_select)((int)number - 1);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- bindings

// The record that a composite instance is bound to (`r = other`), as far as this part of it is concerned; NULL: none.
static const value *record_binding(gm_flatten *F, inst *in)
{
    if (in == NULL || in == &F->root || in->is_package || in->lay == NULL || in->lay->is_prim) return NULL;
    if (in->binding_known) return in->binding;
    in->binding_known = true;
    const mod_source *m     = binding_source(in);
    const value      *outer = m == NULL ? record_binding(F, in->parent) : NULL;
    value             v     = { 0 };
    if (m != NULL) {
        v = source_value(F, m, m->mod->value, in->ndims);
    } else if (outer != NULL && in->slot != NULL) {
        gm_ast_part at = { .name = in->slot->decl->name, .at = in->slot->decl->at, .length = in->slot->decl->length };
        v              = value_field(F, *outer, in->slot->decl->name, &at);
        if (v.type == V_RECORD && in->is_element && v.ndims > 0 && in->index < v.count) v = v.elements[in->index];
    }
    if (v.type == V_ERROR) return NULL;
    if (v.type != V_RECORD) {
        gm_str found = value_text(F, &v);
        if (m != NULL) {
            flatten_error(F, m->mod->value->at, m->mod->value->length,
                          "`" GM_STR_FMT "` is " GM_STR_FMT ", but its value is " GM_STR_FMT, GM_STR_ARG(in->path),
                          GM_STR_ARG(class_path(F, in->lay->cls)), GM_STR_ARG(found));
        }
        return NULL;
    }
    in->binding  = GM_WORK_NEW(&F->w, value, 1);
    *in->binding = v;
    return in->binding;
}

// The value that a prim is bound to. False: none.
static bool find_binding(gm_flatten *F, inst *in, value *out, gm_place *out_at, uint32_t *out_length,
                         const mod_source **out_source)
{
    const mod_source *m = binding_source(in);
    *out_source         = m;
    const value *record = in->parent != NULL ? record_binding(F, in->parent) : NULL;
    if (record != NULL && record->ndims == 0) {
        gm_ast_part at = { .name = in->slot->decl->name, .at = in->slot->decl->at, .length = in->slot->decl->length };
        *out           = value_field(F, *record, in->slot->decl->name, &at);
        *out_at        = at.at;
        *out_length    = at.length;
        return out->type != V_ERROR;
    }
    if (m == NULL) return false;
    *out_at     = m->mod->value->at;
    *out_length = m->mod->value->length;
    *out        = source_value(F, m, m->mod->value, in->ndims);
    return true;
}

static void missing_value(gm_flatten *F, const inst *in)
{
    gm_flat_var *var = &F->flat->vars[in->var];
    if (in->count == 0 || var->type == GM_FLAT_STRING || (var->flags & GM_FLAT_UNFIXED)) return;
    if (var->variability == GM_FLAT_CONSTANT) {
        flatten_error(F, in->slot->decl->at, in->slot->decl->length, "the constant `" GM_STR_FMT "` has no value",
                      GM_STR_ARG(in->path));
        return;
    }
    if (var->start == GM_EX_NONE) {
        flatten_warning(F, in->slot->decl->at, in->slot->decl->length, "the parameter `" GM_STR_FMT
                        "` has no value; it is 0 until one is set", GM_STR_ARG(in->path));
    }
    for (uint32_t i = 0; i < in->count; i++) {
        var          = &F->flat->vars[in->var + i];
        var->binding = var->start != GM_EX_NONE ? var->start : gm_ex_const(F->ex, var->type == GM_FLAT_ENUM ? 1 : 0);
    }
}

static void bind_values(gm_flatten *F, inst *in)
{
    value             v = { 0 };
    gm_place          at = 0;
    uint32_t          length = 0;
    const mod_source *m;
    bool              fixed_value = in->variability == GM_AST_PARAMETER || in->variability == GM_AST_CONSTANT;
    if (!find_binding(F, in, &v, &at, &length, &m)) {
        if (fixed_value) missing_value(F, in);
        return;
    }
    if (v.type == V_ERROR) return;
    value whole = { .type  = (uint8_t)in->lay->prim,
                    .ndims = in->ndims,
                    .count = in->count,
                    .dims  = in->dims,
                    .cls   = in->lay->enumeration };
    bool  fits  = value_convert(F, &v, in->lay->prim, in->lay->enumeration);
    // A scalar for an array is what `each` would say; only a modification from outside may leave it out.
    bool  spread = v.ndims == 0 && in->ndims > 0 && m != NULL && (m->mod->each || m->home != in->parent);
    if (!fits || (!spread && !value_same_shape(&v, &whole))) {
        gm_str found = value_text(F, &v), wanted = value_text(F, &whole);
        flatten_error(F, at, length, "`" GM_STR_FMT "` is " GM_STR_FMT ", but its value is " GM_STR_FMT,
                      GM_STR_ARG(in->path), GM_STR_ARG(wanted), GM_STR_ARG(found));
        return;
    }
    for (uint32_t i = 0; i < in->count; i++) {
        gm_ex e = of_element(&v, i);
        if (fixed_value && !is_parametric(F, e)) {
            flatten_error(F, at, length, "the %s `" GM_STR_FMT "` can not depend on something that varies",
                          in->variability == GM_AST_CONSTANT ? "constant" : "parameter", GM_STR_ARG(in->path));
            return;
        }
        if (fixed_value) F->flat->vars[in->var + i].binding = e;
        else add_to_model(F, gm_ex_var(F->ex, in->var + i), e, at, length, in->owner);
    }
}

void inst_bind(gm_flatten *F, inst *in)
{
    if (in->bind_state == INST_READY || in->disabled || in->lay == NULL || !in->lay->is_prim) return;
    if (in->bind_state == INST_BUSY) {
        flatten_error(F, in->slot->decl->at, in->slot->decl->length, "the value of `" GM_STR_FMT "` depends on itself",
                      GM_STR_ARG(in->path));
        return;
    }
    in->bind_state = INST_BUSY;
    gm_ex guard    = F->guard;  // whoever asks first may stand in a branch; the binding does not
    F->guard       = GM_EX_NONE;
    bind_attributes(F, in);
    bind_values(F, in);
    F->guard       = guard;
    in->bind_state = INST_READY;
}
