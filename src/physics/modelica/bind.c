// What the modifications of a variable say: its attributes, its value, its binding equation.
#include "physics/modelica/flatten.h"

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
    value v = gm_source_value(F, &m, mod->value, 0);
    if (v.type == V_ERROR) return text;
    if (v.ndims > 0 && v.count > 0 && v.type == V_STRING) v = gm_value_scalar(V_STRING, v.many[0]);
    if (!gm_value_constant_text(F, &v, &text)) {
        gm_str found = gm_value_text(F, &v);
        gm_flatten_error(F, mod->value->at, mod->value->length,
                      "`" GM_STR_FMT "` must be a constant text, this is " GM_STR_FMT,
                      GM_STR_ARG(gm_name_of(F, mod->name)), GM_STR_ARG(found));
    }
    return gm_work_str(&F->rw, text);
}

// A numeric attribute for every element. False: not given, or wrong (reported).
static bool attribute_value(gm_flatten *F, const inst *in, gm_word word, value_type type, value *out)
{
    mod_source        m;
    const gm_ast_mod *mod;
    if (!find_attribute(F, in, F->m->words[word], &m, &mod)) return false;
    value v = gm_source_value(F, &m, mod->value, in->ndims);
    if (v.type == V_ERROR) return false;
    bool fits = gm_value_convert(F, &v, type, in->lay->enumeration);
    if (fits && v.ndims > 0) fits = v.ndims == in->ndims && memcmp(v.dims, in->dims, v.ndims * sizeof *v.dims) == 0;
    if (!fits) {
        gm_str found = gm_value_text(F, &v);
        static const char *const names[] = { "?", "Real", "Integer", "Boolean", "String", "enumeration", "record" };
        gm_flatten_error(F, mod->value->at, mod->value->length,
                      "`" GM_STR_FMT "` of `" GM_STR_FMT "` is " GM_STR_FMT ", %s%s is expected",
                      GM_STR_ARG(gm_name_of(F, mod->name)), GM_STR_ARG(in->path), GM_STR_ARG(found), names[type],
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
                gm_flatten_error(F, m->mod->items[i].at, m->mod->items[i].length, "there is no attribute `" GM_STR_FMT
                              "`; start, fixed, unit, displayUnit, quantity, min, max, nominal, stateSelect are",
                              GM_STR_ARG(gm_name_of(F, m->mod->items[i].name)));
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
    const mod_source *m     = gm_binding_source(in);
    const value      *outer = m == NULL ? record_binding(F, in->parent) : NULL;
    value             v     = { 0 };
    if (m != NULL) {
        v = gm_source_value(F, m, m->mod->value, in->ndims);
    } else if (outer != NULL && in->slot != NULL) {
        gm_ast_part at = { .name = in->slot->decl->name, .at = in->slot->decl->at, .length = in->slot->decl->length };
        v              = gm_value_field(F, *outer, in->slot->decl->name, &at);
        if (v.type == V_RECORD && in->is_element && v.ndims > 0 && in->index < v.count) v = v.elements[in->index];
    }
    if (v.type == V_ERROR) return NULL;
    if (v.type != V_RECORD) {
        gm_str found = gm_value_text(F, &v);
        if (m != NULL) {
            gm_flatten_error(F, m->mod->value->at, m->mod->value->length,
                          "`" GM_STR_FMT "` is " GM_STR_FMT ", but its value is " GM_STR_FMT, GM_STR_ARG(in->path),
                          GM_STR_ARG(gm_class_path(F, in->lay->cls)), GM_STR_ARG(found));
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
    const mod_source *m = gm_binding_source(in);
    *out_source         = m;
    const value *record = in->parent != NULL ? record_binding(F, in->parent) : NULL;
    if (record != NULL && record->ndims == 0) {
        gm_ast_part at = { .name = in->slot->decl->name, .at = in->slot->decl->at, .length = in->slot->decl->length };
        *out           = gm_value_field(F, *record, in->slot->decl->name, &at);
        *out_at        = at.at;
        *out_length    = at.length;
        return out->type != V_ERROR;
    }
    if (m == NULL) return false;
    *out_at     = m->mod->value->at;
    *out_length = m->mod->value->length;
    *out        = gm_source_value(F, m, m->mod->value, in->ndims);
    return true;
}

static void missing_value(gm_flatten *F, const inst *in)
{
    gm_flat_var *var = &F->flat->vars[in->var];
    if (in->count == 0 || var->type == GM_FLAT_STRING || (var->flags & GM_FLAT_UNFIXED)) return;
    if (var->variability == GM_FLAT_CONSTANT) {
        gm_flatten_error(F, in->slot->decl->at, in->slot->decl->length, "the constant `" GM_STR_FMT "` has no value",
                      GM_STR_ARG(in->path));
        return;
    }
    if (var->start == GM_EX_NONE) {
        gm_flatten_warning(F, in->slot->decl->at, in->slot->decl->length, "the parameter `" GM_STR_FMT
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
    bool  fits  = gm_value_convert(F, &v, in->lay->prim, in->lay->enumeration);
    // A scalar for an array is what `each` would say; only a modification from outside may leave it out.
    bool  spread = v.ndims == 0 && in->ndims > 0 && m != NULL && (m->mod->each || m->home != in->parent);
    if (!fits || (!spread && !gm_value_same_shape(&v, &whole))) {
        gm_str found = gm_value_text(F, &v), wanted = gm_value_text(F, &whole);
        gm_flatten_error(F, at, length, "`" GM_STR_FMT "` is " GM_STR_FMT ", but its value is " GM_STR_FMT,
                      GM_STR_ARG(in->path), GM_STR_ARG(wanted), GM_STR_ARG(found));
        return;
    }
    for (uint32_t i = 0; i < in->count; i++) {
        gm_ex e = of_element(&v, i);
        if (fixed_value && !gm_is_parametric(F, e)) {
            gm_flatten_error(F, at, length, "the %s `" GM_STR_FMT "` can not depend on something that varies",
                          in->variability == GM_AST_CONSTANT ? "constant" : "parameter", GM_STR_ARG(in->path));
            return;
        }
        if (fixed_value) F->flat->vars[in->var + i].binding = e;
        else gm_add_to_model(F, gm_ex_var(F->ex, in->var + i), e, at, length, in->owner);
    }
}

void gm_inst_bind(gm_flatten *F, inst *in)
{
    if (in->bind_state == INST_READY || in->disabled || in->lay == NULL || !in->lay->is_prim) return;
    if (in->bind_state == INST_BUSY) {
        gm_flatten_error(F, in->slot->decl->at, in->slot->decl->length, "the value of `" GM_STR_FMT "` depends on itself",
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
