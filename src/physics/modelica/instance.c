// Classes become instances, instances of Real, Integer, Boolean, enumerations and String become variables.
#include "physics/modelica/flatten.h"

#include <stdio.h>

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
    gm_str text = gm_name_of(F, name);
    if (in->path.len == 0) return text;
    return gm_work_printf(&F->w, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(in->path), GM_STR_ARG(text));
}

// ---------------------------------------------------------------------------------------------------- making

static layout *type_of_slot(gm_flatten *F, inst *in, slot *s, const mod_source *mods)
{
    for (const mod_source *m = mods; m != NULL; m = m->next) {
        if (!m->mod->redeclare || m->mod->new_type == NULL) continue;
        const gm_ast_class *cls = gm_resolve_class_in(F, m->home, m->cls, m->mod->new_type, true);
        return cls != NULL ? gm_class_layout(F, cls) : NULL;
    }
    // What the instance's own modifications put in the place of the class holds for it alone and is not kept.
    bool replaced = !s->decl->type->global && gm_modified_class(F, in, s->decl->type->parts[0].name) != NULL;
    if (replaced || !s->type_known) {
        const gm_ast_class *cls = gm_resolve_class_in(F, in, s->cls, s->decl->type, true);
        s->type_known           = !replaced;
        if (cls == NULL) return NULL;
        if (cls->kind == GM_AST_CLASS_PACKAGE || cls->kind == GM_AST_CLASS_FUNCTION) {
            gm_flatten_error(F, s->decl->type->at, s->decl->type->length,
                          "`" GM_STR_FMT "` is a %s; a component needs a class or a type",
                          GM_STR_ARG(gm_class_path(F, cls)), cls->kind == GM_AST_CLASS_PACKAGE ? "package" : "function");
            return NULL;
        }
        if (cls->is_partial && !in->is_package) {
            gm_flatten_error(F, s->decl->type->at, s->decl->type->length,
                          "`" GM_STR_FMT "` is partial: extend it, and use the result", GM_STR_ARG(gm_class_path(F, cls)));
        }
        if (replaced) return gm_class_layout(F, cls);
        s->type = gm_class_layout(F, cls);
    }
    return s->type;
}

// `Real x[Colour]`, `Real x[Boolean]`: one element for each value. False: something else, nothing is reported.
static bool type_size(gm_flatten *F, const scope *s, const gm_ast_expr *e, int64_t *out)
{
    if (e->kind != GM_AST_REF || (s->in != NULL && gm_inst_kid(F, s->in, e->ref->parts[0].name) != NULL)) return false;
    const gm_ast_class *cls = gm_resolve_class(F, s->cls, e->ref, false);
    const layout       *lay = cls != NULL ? gm_class_layout(F, cls) : NULL;
    if (lay == NULL || !lay->is_prim || (lay->enumeration == NULL && lay->prim != V_BOOLEAN)) return false;
    *out = lay->enumeration != NULL ? lay->enumeration->literal_count : 2;
    return true;
}

// One list of dimensions; `:` takes its size from the binding.
static bool add_dims(gm_flatten *F, inst *in, const scope *s, gm_ast_expr *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (in->ndims >= GM_DIMS_MAX) {
            gm_flatten_error(F, items[i]->at, items[i]->length, "an array of more than %d dimensions", GM_DIMS_MAX);
            return false;
        }
        int64_t size = 0;
        if (items[i]->kind == GM_AST_COLON) {
            const mod_source *m = gm_binding_source(in);
            if (m == NULL) {
                gm_flatten_error(F, items[i]->at, items[i]->length,
                              "the size `:` needs a value that it can be taken from");
                return false;
            }
            value v = gm_source_value(F, m, m->mod->value, in->ndims + count - i);
            if (v.type == V_ERROR) return false;
            if (v.ndims <= in->ndims) {
                gm_flatten_error(F, m->mod->value->at, m->mod->value->length, "an array of %u dimensions is expected",
                              in->ndims + count - i);
                return false;
            }
            size = v.dims[in->ndims];
        } else {
            if (!type_size(F, s, items[i], &size) && !gm_eval_integer(F, s, items[i], "an array's size", &size)) return false;
            if (size < 0 || size > GM_ARRAY_MAX) {
                gm_flatten_error(F, items[i]->at, items[i]->length, "an array's size is between 0 and %d, this is %lld",
                              GM_ARRAY_MAX, (long long)size);
                return false;
            }
        }
        in->dims[in->ndims++] = (uint32_t)size;
        if ((uint64_t)in->count * (uint64_t)size > GM_ARRAY_MAX) {
            gm_flatten_error(F, items[i]->at, items[i]->length, "an array of more than %d elements", GM_ARRAY_MAX);
            return false;
        }
        in->count *= (uint32_t)size;
    }
    return true;
}

uint32_t gm_add_variable(gm_flatten *F, const gm_flat_var *var, inst *in)
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
        gm_flatten_error(F, var.at, in->slot->decl->length, "a String can only be a parameter or a constant");
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
            literals[i] = gm_work_str(&F->rw, gm_name_of(F, cls->literals[i].name));
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
        gm_add_variable(F, &var, in);
        gm_flatten_step(F);
    }
}

static void make_kids(gm_flatten *F, inst *in)
{
    if (in->depth >= F->limits.depth_max) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica",
                     "components are nested more than %u levels deep: `" GM_STR_FMT "...`", F->limits.depth_max,
                     GM_STR_ARG(gm_str_slice(in->path, 0, 60)));
    }
    gm_check_names(F, in);
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
        e->mods       = gm_sources_of_element(F, in, i);
        make_kids(F, e);
        gm_flatten_step(F);
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
        .class_name   = gm_work_str(&F->rw, gm_class_path(F, in->lay->cls)),
        .interface_id = gm_work_str(&F->rw, gm_modelica_interface(F->m, in->lay->cls)),
    };
}

static bool is_disabled(gm_flatten *F, inst *in, const slot *s)
{
    if (s->decl->condition == NULL) return false;
    scope  sc = { .in = in->parent, .cls = s->cls };
    double on = 1;
    if (!gm_eval_number(F, &sc, s->decl->condition, V_BOOLEAN, "the condition of a component", &on)) return false;
    return on == 0;
}

// `outer T x` is the `inner T x` of the nearest component around.
static void find_inner(gm_flatten *F, inst *in)
{
    gm_sym name  = in->slot->decl->name;
    in->disabled = true;
    for (inst *around = in->parent->parent; around != NULL && in->outer_of == NULL; around = around->parent) {
        if (around->kids == NULL || around->lay == NULL) continue;
        slot *s = gm_layout_find(around->lay, name);
        if (s != NULL && (s->decl->flags & GM_AST_INNER)) in->outer_of = gm_inst_kid(F, around, name);
    }
    if (in->outer_of == NULL) {
        gm_flatten_error(F, in->slot->decl->at, in->slot->decl->length,
                      "`outer " GM_STR_FMT "` has no `inner " GM_STR_FMT "` in the components around it",
                      GM_STR_ARG(gm_name_of(F, name)), GM_STR_ARG(gm_name_of(F, name)));
    }
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
    if (s->decl->flags & GM_AST_STREAM) gm_flatten_error(F, s->decl->at, s->decl->length, "`stream` is not supported");
    if ((s->decl->flags & GM_AST_OUTER) && !(s->decl->flags & GM_AST_INNER)) {
        find_inner(F, in);
        return;
    }
    in->mods = gm_sources_of(F, parent, s);
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

void gm_inst_ready(gm_flatten *F, inst *in)
{
    if (in->state == INST_READY) return;
    if (in->state == INST_BUSY) {
        gm_flatten_error(F, in->slot->decl->at, in->slot->decl->length, "`" GM_STR_FMT "` depends on itself",
                      GM_STR_ARG(in->path));
        in->disabled = true;
        return;
    }
    in->state = INST_BUSY;
    in->path  = kid_path(F, in->parent, in->slot->decl->name);
    gm_flatten_step(F);
    make(F, in);
    in->state = INST_READY;
}

inst *gm_inst_kid(gm_flatten *F, inst *in, gm_sym name)
{
    if (in->kids == NULL || in->lay == NULL) return NULL;
    uint32_t at = gm_map_find(&in->lay->names, name);
    if (at == GM_MAP_NONE) return NULL;
    gm_inst_ready(F, &in->kids[at]);
    return in->kids[at].outer_of != NULL ? in->kids[at].outer_of : &in->kids[at];
}

inst *gm_package_of(gm_flatten *F, const gm_ast_class *cls)
{
    class_info *info = &F->infos[cls->number];
    if (info->package != NULL) return info->package;
    inst *in      = GM_WORK_NEW(&F->w, inst, 1);
    info->package = in;
    *in           = (inst) {
                  .lay = gm_class_layout(F, cls), .state = INST_READY, .count = 1, .is_package = true,
                  .owner = GM_FLAT_NO_OWNER
    };
    in->path      = gm_class_path(F, cls);
    in->parent    = NULL;
    make_kids(F, in);
    return in;
}

void gm_instantiate_all(gm_flatten *F, inst *in)
{
    for (uint32_t i = 0; in->elements != NULL && i < in->count; i++) gm_instantiate_all(F, &in->elements[i]);
    if (in->kids == NULL) return;
    for (uint32_t i = 0; i < in->lay->slot_count; i++) {
        gm_inst_ready(F, &in->kids[i]);
        if (!in->kids[i].disabled) gm_instantiate_all(F, &in->kids[i]);
    }
}
