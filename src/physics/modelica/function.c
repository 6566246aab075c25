// Calls: arguments meet inputs, the function's own variables are made, its algorithms run (algorithm.c), outputs
// returned.
#include "physics/modelica/flatten.h"

static layout *slot_type(gm_flatten *F, slot *s)
{
    if (!s->type_known) {
        const gm_ast_class *cls = gm_resolve_class(F, s->cls, s->decl->type, true);
        s->type                 = cls != NULL ? gm_class_layout(F, cls) : NULL;
        s->type_known           = true;
    }
    return s->type;
}

static uint32_t declared_dims(const slot *s, const layout *type)
{
    uint32_t n = s->decl->dimension_count;
    for (const dim_list *d = type != NULL ? type->dims : NULL; d != NULL; d = d->next) n += d->count;
    return n;
}

// What a variable of a function is before anything is assigned to it, in its declared size.
static value empty_local(gm_flatten *F, const scope *s, const slot *decl, layout *type)
{
    uint32_t dims[GM_DIMS_MAX], n = 0;
    for (uint32_t i = 0; i < decl->decl->dimension_count && n < GM_DIMS_MAX; i++) {
        const gm_ast_expr *e    = decl->decl->dimensions[i];
        int64_t            size = 0;
        if (e->kind != GM_AST_COLON && !gm_eval_integer(F, s, e, "an array's size", &size)) return (value){ 0 };
        if (size < 0 || size > GM_ARRAY_MAX)
            return gm_fail_value(F, e->at, e->length, "an array's size is between 0 and %d", GM_ARRAY_MAX);
        dims[n++] = (uint32_t)size;
    }
    for (const dim_list *d = type->dims; d != NULL; d = d->next) {
        scope there = { .cls = d->cls };
        for (uint32_t i = 0; i < d->count && n < GM_DIMS_MAX; i++) {
            int64_t size = 0;
            if (!gm_eval_integer(F, &there, d->items[i], "an array's size", &size) || size < 0) return (value){ 0 };
            dims[n++] = (uint32_t)size;
        }
    }
    if (n == 0) return gm_default_value(F, type);
    value v = gm_value_array(F, type->is_prim ? type->prim : V_RECORD, n, dims);
    v.cls   = type->is_prim ? type->enumeration : type->cls;
    value one = gm_default_value(F, type);
    for (uint32_t i = 0; i < v.count; i++) {
        if (v.type == V_RECORD) v.elements[i] = gm_copy_of(F, &one);
        else v.many[i] = one.one;
    }
    return v;
}

// Runs the function on its inputs, one value per input in order; V_ERROR of count 1 (`missing`) takes the default.
static void execute(gm_flatten *F, const gm_ast_class *cls, layout *lay, const value *inputs, const bool *given,
                    const gm_ast_expr *call, value *out, uint32_t want)
{
    local   *locals = NULL;
    local   *own    = GM_WORK_NEW(&F->w, local, lay->slot_count > 0 ? lay->slot_count : 1);
    value   *ready  = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    uint32_t input  = 0;
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        slot   *sl   = &lay->slots[i];
        layout *type = slot_type(F, sl);
        bool    is_input = (sl->decl->flags & GM_AST_INPUT) != 0;
        scope   s    = { .cls = sl->cls, .locals = locals, .quiet = true, .in_function = true };
        value   v    = { 0 };
        if (type == NULL) return;
        if (is_input && given[input]) v = inputs[input];
        else if (sl->decl->mod.value != NULL) v = gm_eval(F, &s, sl->decl->mod.value);
        else if (!is_input) v = empty_local(F, &s, sl, type);
        else
            gm_fail_value(F, call->at, call->length, "`" GM_STR_FMT "` needs a value for `" GM_STR_FMT "`",
                       GM_STR_ARG(gm_class_path(F, cls)), GM_STR_ARG(gm_name_of(F, sl->decl->name)));
        if (v.type != V_ERROR && !gm_value_convert(F, &v, type->is_prim ? type->prim : V_RECORD, type->enumeration)) {
            gm_str found = gm_value_text(F, &v);
            v = gm_fail_value(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                           GM_STR_ARG(gm_name_of(F, sl->decl->name)), GM_STR_ARG(gm_class_path(F, cls)), GM_STR_ARG(found));
        }
        if (v.type == V_ERROR) return;
        if (is_input) ready[input++] = v;
        own[i] = (local) {
            .name = sl->decl->name, .v = is_input ? v : gm_copy_of(F, &v), .is_input = is_input, .next = locals
        };
        locals = &own[i];
    }
    if (cls->is_external || lay->section_count == 0) {
        out[0] = gm_external_builtin(F, cls, ready, input, call);
        return;
    }
    if (!gm_run_body(F, lay, locals)) return;
    for (uint32_t i = 0, n = 0; i < lay->slot_count && n < want; i++) {
        if (lay->slots[i].decl->flags & GM_AST_OUTPUT) out[n++] = own[i].v;
    }
}

// The inputs of a call by position and name. False after an error.
static bool collect_inputs(gm_flatten *F, const scope *s, const gm_ast_class *cls, const layout *lay,
                           const gm_ast_expr *call, bool all_are_inputs, value *inputs, bool *given)
{
    for (uint32_t a = 0; a < call->count; a++) {
        uint32_t input = 0, found = GM_MAP_NONE;
        bool     named = call->names != NULL && call->names[a] != GM_SYM_NONE;
        for (uint32_t i = 0; i < lay->slot_count && found == GM_MAP_NONE; i++) {
            if (!all_are_inputs && !(lay->slots[i].decl->flags & GM_AST_INPUT)) continue;
            if (named ? lay->slots[i].decl->name == call->names[a] : input == a) found = input;
            input++;
        }
        const gm_ast_expr *arg = call->items[a];
        if (found == GM_MAP_NONE) {
            if (named)
                gm_flatten_error(F, arg->at, arg->length, "`" GM_STR_FMT "` has no argument `" GM_STR_FMT "`",
                              GM_STR_ARG(gm_class_path(F, cls)), GM_STR_ARG(gm_name_of(F, call->names[a])));
            else
                gm_flatten_error(F, arg->at, arg->length, "`" GM_STR_FMT "` takes %u arguments, here are %u",
                              GM_STR_ARG(gm_class_path(F, cls)), input, call->count);
            return false;
        }
        if (given[found]) {
            gm_flatten_error(F, arg->at, arg->length, "this argument is given twice");
            return false;
        }
        inputs[found] = gm_eval(F, s, arg);
        given[found]  = true;
        if (inputs[found].type == V_ERROR) return false;
    }
    return true;
}

// f(vector), where f is about one number: the function of each element (Modelica 3.6, 12.4.6).
static void call_each(gm_flatten *F, const gm_ast_class *cls, layout *lay, value *inputs, const bool *given,
                      const bool *spread, const value *shape, uint32_t ndims, uint32_t input_count,
                      const gm_ast_expr *call, value *out)
{
    uint32_t dims[GM_DIMS_MAX], count = 1;
    memcpy(dims, shape->dims, ndims * sizeof *dims);
    for (uint32_t d = 0; d < ndims; d++) count *= dims[d];
    value *results = GM_WORK_NEW(&F->w, value, count > 0 ? count : 1);
    value *one     = GM_WORK_NEW(&F->w, value, input_count);
    for (uint32_t e = 0; e < count; e++) {
        for (uint32_t i = 0; i < input_count; i++) {
            one[i] = inputs[i];
            if (!spread[i]) continue;
            uint32_t rest = e, stride = count;
            for (uint32_t d = 0; d < ndims; d++) {
                stride /= dims[d];
                one[i] = gm_value_element(F, &one[i], rest / stride);
                rest %= stride;
            }
        }
        execute(F, cls, lay, one, given, call, &results[e], 1);
        if (results[e].type == V_ERROR) return;
    }
    value flat = gm_value_stack(F, results, count, call);
    if (flat.type == V_ERROR) return;
    uint32_t n = ndims;
    for (uint32_t d = 1; d < flat.ndims && n < GM_DIMS_MAX; d++) dims[n++] = flat.dims[d];
    *out      = gm_value_array(F, (value_type)flat.type, n, dims);
    out->cls  = flat.cls;
    out->many = flat.many;
}

void gm_call_function(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call, value *out,
                   uint32_t want)
{
    layout *lay    = gm_class_layout(F, cls);
    value  *inputs = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *given  = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *spread = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    if (++F->call_depth > F->limits.depth_max / 2) {
        gm_work_stop(&F->w, GM_LIMIT, "physics.modelica",
                     "`" GM_STR_FMT "`: functions call one another more than %u levels deep",
                     GM_STR_ARG(gm_class_path(F, cls)), F->limits.depth_max / 2);
    }
    for (uint32_t i = 0; i < want; i++) out[i] = (value){ 0 };
    if (cls->is_partial) {
        gm_flatten_error(F, call->ref->at, call->ref->length, "`" GM_STR_FMT "` is partial, it can not be called",
                      GM_STR_ARG(gm_class_path(F, cls)));
    } else if (collect_inputs(F, s, cls, lay, call, false, inputs, given)) {
        // Are all given values of the declared rank? Those with more dimensions must agree in the ones they have more.
        const value *shape = NULL;
        uint32_t     extra = 0, input = 0;
        bool         fits  = true;
        for (uint32_t i = 0; i < lay->slot_count; i++) {
            if (!(lay->slots[i].decl->flags & GM_AST_INPUT)) continue;
            uint32_t rank = declared_dims(&lay->slots[i], slot_type(F, &lay->slots[i]));
            if (given[input] && inputs[input].ndims > rank) {
                uint32_t more = inputs[input].ndims - rank;
                if (shape == NULL) {
                    shape = &inputs[input];
                    extra = more;
                }
                fits &= more == extra && memcmp(shape->dims, inputs[input].dims, extra * sizeof *shape->dims) == 0;
                spread[input] = true;
            } else if (given[input] && inputs[input].ndims < rank) {
                fits = false;
            }
            if (!fits) {
                gm_str found = gm_value_text(F, &inputs[input]);
                gm_flatten_error(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                              GM_STR_ARG(gm_name_of(F, lay->slots[i].decl->name)), GM_STR_ARG(gm_class_path(F, cls)),
                              GM_STR_ARG(found));
                break;
            }
            input++;
        }
        if (fits && shape == NULL) execute(F, cls, lay, inputs, given, call, out, want);
        else if (fits) call_each(F, cls, lay, inputs, given, spread, shape, extra, input, call, out);
    }
    F->call_depth--;
}

value gm_record_of(gm_flatten *F, const scope *s, const gm_ast_class *cls, const gm_ast_expr *call)
{
    layout *lay    = gm_class_layout(F, cls);
    value  *inputs = GM_WORK_NEW(&F->w, value, lay->slot_count > 0 ? lay->slot_count : 1);
    bool   *given  = GM_WORK_NEW(&F->w, bool, lay->slot_count > 0 ? lay->slot_count : 1);
    local  *own    = GM_WORK_NEW(&F->w, local, lay->slot_count > 0 ? lay->slot_count : 1);
    local  *locals = NULL;
    value   record = { .type = V_RECORD, .count = 1, .cls = lay->cls, .fields = inputs };
    if (!collect_inputs(F, s, cls, lay, call, true, inputs, given)) return (value){ 0 };
    for (uint32_t i = 0; i < lay->slot_count; i++) {
        slot   *sl   = &lay->slots[i];
        layout *type = slot_type(F, sl);
        if (type == NULL) return (value){ 0 };
        if (!given[i]) {
            scope inner = { .cls = sl->cls, .locals = locals };
            const gm_ast_mod *last = sl->mods != NULL && sl->mods->mod->value != NULL ? sl->mods->mod : &sl->decl->mod;
            if (last->value == NULL) {
                return gm_fail_value(F, call->at, call->length, "`" GM_STR_FMT "` needs a value for `" GM_STR_FMT "`",
                                  GM_STR_ARG(gm_class_path(F, cls)), GM_STR_ARG(gm_name_of(F, sl->decl->name)));
            }
            inputs[i] = gm_eval(F, &inner, last->value);
        }
        if (inputs[i].type == V_ERROR) return (value){ 0 };
        if (!gm_value_convert(F, &inputs[i], type->is_prim ? type->prim : V_RECORD, type->enumeration)) {
            gm_str found = gm_value_text(F, &inputs[i]);
            return gm_fail_value(F, call->at, call->length, "`" GM_STR_FMT "` of `" GM_STR_FMT "` can not be " GM_STR_FMT,
                              GM_STR_ARG(gm_name_of(F, sl->decl->name)), GM_STR_ARG(gm_class_path(F, cls)),
                              GM_STR_ARG(found));
        }
        own[i] = (local){ .name = sl->decl->name, .v = inputs[i], .next = locals };
        locals = &own[i];
    }
    return record;
}

const gm_ast_class *gm_called_class(gm_flatten *F, const scope *s, const gm_ast_ref *ref)
{
    return gm_resolve_class_in(F, s->in, s->cls, ref, false);
}
