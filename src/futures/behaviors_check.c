// Holding classes against interfaces, so that a mistake is told where it stands instead of where it shows.
#include "futures/group_parts.h"

typedef struct checking {
    gm_behaviors   *b;
    const gm_model *model;
    gm_diags       *diags;
    gm_arena       *scratch;
    gm_flat       **flats;   // [class_count] each class unfolded alone; NULL where it can not be
    const gm_behavior_class *class_;
    const gm_flat           *flat;
    const gm_type           *type;
} checking;

#define COMPLAIN(k, severity, fmt, ...)                                                                               \
    gm_modelica_complain((k)->b->texts, (k)->class_->name, (k)->diags, (severity), (fmt), __VA_ARGS__)

static bool has_prefix(gm_str name, gm_str whole)
{
    return gm_str_starts(name, whole) &&
           (name.len == whole.len || name.ptr[whole.len] == '.' || name.ptr[whole.len] == '[');
}

// A variable, or a component such as a port.
static bool has_part(const gm_flat *flat, gm_str name)
{
    for (uint32_t i = 0; i < flat->var_count; i++) {
        if (has_prefix(flat->vars[i].name, name)) return true;
    }
    return false;
}

// ---- columns ------------------------------------------------------------------------------------------------------

static bool kinds_fit(gm_kind kind, gm_flat_type type)
{
    bool number = kind == GM_KIND_DOUBLE || kind == GM_KIND_INT;
    if (type == GM_FLAT_BOOLEAN) return kind == GM_KIND_BOOL;
    if (type == GM_FLAT_STRING) return false;
    return number || (type == GM_FLAT_REAL && kind == GM_KIND_BOOL);  // 0.0 and 1.0
}

static void check_column(checking *k, const gm_column *column, const gm_flat_var *var)
{
    static const char *const types[] = { "a Real", "an Integer", "a Boolean", "an enumeration", "a String" };
    static const char *const kinds[] = { "nothing", "a boolean", "an integer", "a number", "a text", "a document" };
    double factor, offset;
    if (!kinds_fit(column->kind, var->type)) {
        COMPLAIN(k, GM_SEVERITY_ERROR, "`" GM_STR_FMT "` is %s in the class and %s in " GM_STR_FMT,
                 GM_STR_ARG(var->name), types[var->type], kinds[column->kind], GM_STR_ARG(k->type->id));
    } else if (!gm_unit_way(column, var->unit, &factor, &offset)) {
        COMPLAIN(k, GM_SEVERITY_ERROR,
                 "`" GM_STR_FMT "` is in \"" GM_STR_FMT "\" in the class, which " GM_STR_FMT " of " GM_STR_FMT
                 " can not be converted to",
                 GM_STR_ARG(var->name), GM_STR_ARG(var->unit), GM_STR_ARG(column->unit), GM_STR_ARG(k->type->id));
    } else if (var->flags & (GM_FLAT_STRUCTURAL | GM_FLAT_FINAL) && var->variability == GM_FLAT_PARAMETER) {
        COMPLAIN(k, GM_SEVERITY_WARNING,
                 "`" GM_STR_FMT "` is %s and does not follow the property of " GM_STR_FMT, GM_STR_ARG(var->name),
                 var->flags & GM_FLAT_FINAL ? "final" : "settled when the equations are unfolded",
                 GM_STR_ARG(k->type->id));
    }
}

static gm_status check_columns(checking *k, gm_error *err)
{
    for (size_t i = 0; i < k->type->column_count; i++) {
        gm_arena_clear(k->scratch);
        const gm_column *column = &k->type->columns[i];
        gm_str           name   = gm_column_variable(k->scratch, column->path);
        if (name.ptr == NULL) return gm_fail(err, GM_NOMEM, "futures.check", "checking behaviors");
        uint32_t var = gm_flat_find(k->flat, name);
        if (var != UINT32_MAX) check_column(k, column, &k->flat->vars[var]);
    }
    return GM_OK;
}

// ---- rules and faults ---------------------------------------------------------------------------------------------

static const gm_flat *flat_of(const checking *k, const gm_behavior_class *class_)
{
    return class_ != NULL ? k->flats[class_ - k->b->classes] : NULL;
}

static void check_rule(checking *k, const gm_behavior_rule *rule)
{
    const gm_relationship_type *relationship = gm_type_relationship(k->type, rule->relationship);
    if (relationship == NULL) {
        COMPLAIN(k, GM_SEVERITY_ERROR,
                 "the connect rule of `" GM_STR_FMT "` names `" GM_STR_FMT "`, but " GM_STR_FMT
                 " has no such relationship",
                 GM_STR_ARG(k->class_->name), GM_STR_ARG(rule->relationship), GM_STR_ARG(k->type->id));
        return;
    }
    if (!has_part(k->flat, rule->own)) {
        COMPLAIN(k, GM_SEVERITY_ERROR, "the connect rule `" GM_STR_FMT "` names `" GM_STR_FMT "`, which is nothing in `"
                 GM_STR_FMT "`", GM_STR_ARG(rule->relationship), GM_STR_ARG(rule->own), GM_STR_ARG(k->class_->name));
    }
    const gm_type *target = relationship->target.len > 0 ? gm_model_find(k->model, relationship->target) : NULL;
    const gm_behavior_class *class_ = target != NULL ? gm_behaviors_of(k->b, target) : NULL;
    const gm_flat           *flat   = flat_of(k, class_);
    if (flat != NULL && !has_part(flat, rule->other)) {
        COMPLAIN(k, GM_SEVERITY_ERROR, "the connect rule `" GM_STR_FMT "` names `" GM_STR_FMT "`, which is nothing in `"
                 GM_STR_FMT "`", GM_STR_ARG(rule->relationship), GM_STR_ARG(rule->other), GM_STR_ARG(class_->name));
    }
}

static void check_change(checking *k, const char *what, const gm_behavior_fault *fault)
{
    for (size_t i = 0; i < fault->change_count; i++) {
        gm_str             name = fault->changes[i].variable;
        uint32_t           at   = gm_flat_find(k->flat, name);
        const gm_flat_var *var  = at != UINT32_MAX ? &k->flat->vars[at] : NULL;
        bool               good = var != NULL && !(var->flags & (GM_FLAT_STRUCTURAL | GM_FLAT_FINAL)) &&
                    (var->variability == GM_FLAT_PARAMETER || var->flags & GM_FLAT_INPUT);
        if (good) continue;
        COMPLAIN(k, GM_SEVERITY_ERROR,
                 "the %s `" GM_STR_FMT "` changes `" GM_STR_FMT "`, which is no parameter or input of `" GM_STR_FMT
                 "` that can be set",
                 what, GM_STR_ARG(fault->name), GM_STR_ARG(name), GM_STR_ARG(k->class_->name));
    }
}

// ---- one class ----------------------------------------------------------------------------------------------------

static gm_status check_class(checking *k, const gm_behavior_class *class_, gm_error *err)
{
    k->class_ = class_;
    k->flat   = flat_of(k, class_);
    k->type   = gm_model_find(k->model, class_->interface_id);
    if (k->type == NULL) {
        COMPLAIN(k, GM_SEVERITY_ERROR,
                 "`" GM_STR_FMT "` names the interface " GM_STR_FMT ", which no model has; put it into models/ or "
                 "correct the name",
                 GM_STR_ARG(class_->name), GM_STR_ARG(class_->interface_id));
        return GM_OK;
    }
    if (k->flat == NULL) return GM_OK;
    for (size_t i = 0; i < class_->rule_count; i++) check_rule(k, &class_->rules[i]);
    for (size_t i = 0; i < class_->fault_count; i++) check_change(k, "fault", &class_->faults[i]);
    for (size_t i = 0; i < class_->command_count; i++) check_change(k, "command", &class_->commands[i]);
    return check_columns(k, err);
}

static gm_status unfold_all(checking *k, gm_error *err)
{
    for (size_t i = 0; i < k->b->class_count; i++) {
        gm_status st = gm_modelica_flatten(k->b->texts, k->b->classes[i].name, NULL, k->diags, &k->flats[i], err);
        if (st == GM_NOMEM) return st;
        k->class_ = &k->b->classes[i];
        if (st == GM_LIMIT) COMPLAIN(k, GM_SEVERITY_ERROR, "%s", err != NULL ? err->text : "the class is too large");
    }
    return GM_OK;
}

gm_status gm_behaviors_check(gm_behaviors *b, const gm_model *model, gm_diags *diags, gm_error *err)
{
    gm_error  why = { 0 };
    checking  k   = { .b = b, .model = model, .diags = diags, .scratch = gm_arena_create(b->alloc, 0) };
    gm_status st  = GM_OK;
    k.flats       = gm_alloc_zeroed(b->alloc, (b->class_count + 1) * sizeof *k.flats);
    if (k.scratch == NULL || k.flats == NULL) st = gm_fail(&why, GM_NOMEM, "futures.check", "checking behaviors");
    if (st == GM_OK) st = unfold_all(&k, &why);
    for (size_t i = 0; st == GM_OK && i < b->class_count; i++) st = check_class(&k, &b->classes[i], &why);
    for (size_t i = 0; k.flats != NULL && i < b->class_count; i++) gm_flat_destroy(k.flats[i]);
    gm_free(b->alloc, k.flats);
    gm_arena_destroy(k.scratch);
    if (st == GM_OK && diags->failed) st = gm_fail(&why, GM_NOMEM, "futures.check", "checking behaviors");
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}
