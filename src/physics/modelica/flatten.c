// One flattening from beginning to end. Read this first, then instance.c and equation.c.
#include "physics/modelica/flatten.h"

static const char WHERE[] = "physics.modelica";

void gm_flatten_error(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(F->diags, &F->m->sources, GM_SEVERITY_ERROR, at, length, fmt, args);
    va_end(args);
}

void gm_flatten_warning(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(F->diags, &F->m->sources, GM_SEVERITY_WARNING, at, length, fmt, args);
    va_end(args);
}

value gm_fail_value(gm_flatten *F, gm_place at, uint32_t length, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(F->diags, &F->m->sources, GM_SEVERITY_ERROR, at, length, fmt, args);
    va_end(args);
    return (value){ 0 };
}

void gm_flatten_step(gm_flatten *F)
{
    if (++F->steps <= F->limits.steps_max) return;
    gm_work_stop(&F->w, GM_LIMIT, WHERE, "`" GM_STR_FMT "`: the model takes more than %llu steps to unfold",
                 GM_STR_ARG(F->flat->name), (unsigned long long)F->limits.steps_max);
}

gm_str gm_name_of(const gm_flatten *F, gm_sym name)
{
    return F->m->names.texts[name];
}

gm_str gm_ref_text(gm_flatten *F, const gm_ast_ref *ref)
{
    gm_str text = { 0 };
    for (uint32_t i = 0; i < ref->count; i++) {
        gm_str part = gm_name_of(F, ref->parts[i].name);
        const char *subs = ref->parts[i].subscript_count > 0 ? "[...]" : "";
        text             = gm_work_printf(&F->w, GM_STR_FMT "%s" GM_STR_FMT "%s", GM_STR_ARG(text), i > 0 ? "." : "",
                                          GM_STR_ARG(part), subs);
    }
    return text;
}

gm_str gm_class_path(gm_flatten *F, const gm_ast_class *cls)
{
    gm_str name = gm_name_of(F, cls->name);
    if (cls->parent == NULL) return name;
    gm_str outer = gm_class_path(F, cls->parent);
    return gm_work_printf(&F->w, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(outer), GM_STR_ARG(name));
}

static void flatten_class(gm_flatten *F, const gm_ast_class *cls)
{
    gm_flat *flat      = F->flat;
    flat->name         = gm_work_str(&F->rw, gm_class_path(F, cls));
    flat->description  = gm_work_str(&F->rw, cls->comment);
    flat->interface_id = gm_work_str(&F->rw, gm_modelica_interface(F->m, cls));
    flat->sources      = &F->m->sources;
    flat->at           = cls->at;
    if (cls->is_partial)
        gm_flatten_error(F, cls->at, cls->length, "`" GM_STR_FMT "` is partial; it can not be simulated",
                      GM_STR_ARG(flat->name));

    layout *lay = gm_class_layout(F, cls);
    if (lay->is_prim || cls->kind == GM_AST_CLASS_FUNCTION || cls->kind == GM_AST_CLASS_PACKAGE) {
        gm_flatten_error(F, cls->at, cls->length, "`" GM_STR_FMT "` is no model", GM_STR_ARG(flat->name));
        return;
    }
    F->root = (inst){ .lay = lay, .state = INST_READY, .count = 1, .owner = GM_FLAT_NO_OWNER };
    F->root.kids = GM_WORK_NEW(&F->w, inst, lay->slot_count > 0 ? lay->slot_count : 1);
    for (uint32_t i = 0; i < lay->slot_count; i++)
        F->root.kids[i] = (inst) { .parent = &F->root, .slot = &lay->slots[i], .depth = 1 };
    gm_instantiate_all(F, &F->root);
    gm_connect_begin(F);
    gm_equations_of(F, &F->root);
    gm_connect_end(F);
    // Constants of packages were made on the way.
    for (uint32_t i = 0; i < flat->var_count; i++) gm_inst_bind(F, F->var_inst[i]);
}

static gm_modelica_limits with_defaults(const gm_flatten_options *options)
{
    gm_modelica_limits limits = options != NULL ? options->limits : (gm_modelica_limits){ 0 };
    if (limits.vars_max == 0) limits.vars_max = 200000;
    if (limits.depth_max == 0) limits.depth_max = 100;
    if (limits.steps_max == 0) limits.steps_max = 10000000;
    if (limits.bytes_max == 0) limits.bytes_max = (size_t)512 << 20;
    return limits;
}

static gm_status run(gm_flatten *F, const gm_ast_class *cls, bool strict, gm_error *err)
{
    uint32_t before = F->diags->errors;
    if (setjmp(F->leave.jump) != 0) return F->leave.status;
    F->flat        = GM_WORK_NEW(&F->rw, gm_flat, 1);
    F->flat->arena = F->rw.arena;
    F->ex          = &F->flat->ex;
    gm_exprs_init(F->ex, &F->rw);
    F->infos = GM_WORK_NEW(&F->w, class_info, F->m->class_count);
    flatten_class(F, cls);
    if (F->diags->errors == before) gm_flat_check_units(F->flat, &F->w, strict, F->diags);
    F->flat->ex.w = NULL;  // whoever adds to the expressions next brings memory of its own
    return F->diags->errors > before || F->diags->failed ? gm_diags_fail(F->diags, err) : GM_OK;
}

gm_status gm_modelica_flatten(gm_modelica *m, gm_str class_name, const gm_flatten_options *options, gm_diags *diags,
                              gm_flat **out_flat, gm_error *err)
{
    *out_flat               = NULL;
    const gm_ast_class *cls = gm_modelica_class(m, class_name);
    if (cls == NULL)
        return gm_fail(err, GM_NOTFOUND, WHERE, "there is no class `" GM_STR_FMT "`", GM_STR_ARG(class_name));
    gm_modelica_limits limits = with_defaults(options);
    gm_arena   *way    = gm_arena_create(m->alloc, limits.bytes_max);
    gm_arena   *result = gm_arena_create(m->alloc, limits.bytes_max);
    gm_flatten *F      = way != NULL ? gm_arena_zeroed(way, 1, sizeof *F) : NULL;
    gm_status   st     = GM_OK;
    if (F == NULL || result == NULL) {
        st = gm_fail(err, GM_NOMEM, WHERE, "flattening `" GM_STR_FMT "`", GM_STR_ARG(class_name));
        goto done;
    }
    F->m         = m;
    F->diags     = diags;
    F->leave.err = err;
    F->w         = (gm_work){ way, &F->leave, limits.bytes_max };
    F->rw        = (gm_work){ result, &F->leave, limits.bytes_max };
    F->guard     = GM_EX_NONE;
    F->limits    = limits;
    F->open_inputs = options != NULL && options->open_inputs;
    st           = run(F, cls, options != NULL && options->strict_units, err);
    if (st == GM_OK) {
        *out_flat = F->flat;
        result    = NULL;
    }
done:
    gm_arena_destroy(result);
    gm_arena_destroy(way);
    return st;
}
