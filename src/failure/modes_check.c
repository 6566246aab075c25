// What reads well and yet can never be: names that no model has.
#include "failure/modes.h"

#include <stdio.h>

typedef struct checker { const gm_failure_modes *modes; const gm_model *model; gm_failure_modes_found *found; void *context; } checker;

bool gm_failure_scope_fits(const gm_failure_scope *scope, const gm_type *type)
{
    if (gm_str_eq(type->id, scope->on)) return true;
    for (size_t i = 0; i < type->base_count; i++)
        if (gm_str_eq(type->bases[i]->id, scope->on)) return true;
    return false;
}

static GM_PRINTF(3, 4) void tell(const checker *c, const gm_failure_scope *scope, const char *fmt, ...)
{
    char    text[200];
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    c->found(c->context, scope, text);
}

// A name inside quotes, and what it belongs to before it.
#define NAMED(name) GM_STR_ARG(gm_str_slice((name), 0, 50))

static bool check_interface(const checker *c, const gm_failure_scope *scope, const char *what, gm_str name, gm_str dtmi)
{
    if (dtmi.len == 0 || gm_model_find(c->model, dtmi) != NULL) return true;
    tell(c, scope, "%s '" GM_STR_FMT "': there is no interface " GM_STR_FMT, what, NAMED(name), GM_STR_ARG(gm_str_slice(dtmi, 0, 80)));
    return false;
}

// The property, in any type that the scope is about.
static const gm_column *column_of(const checker *c, const gm_failure_scope *scope, gm_str path)
{
    for (size_t t = 0; t < gm_model_count(c->model); t++) {
        const gm_type *type = gm_model_at(c->model, t);
        if (!gm_failure_scope_fits(scope, type)) continue;
        const gm_column *column = gm_type_column(type, path);
        if (column != NULL) return column;
    }
    return NULL;
}

static bool is_number(const gm_column *column) { return column->kind == GM_KIND_DOUBLE || column->kind == GM_KIND_INT; }

static void check_number(const checker *c, const gm_failure_scope *scope, const char *what, gm_str name, gm_str path)
{
    if (path.len == 0) return;
    const gm_column *column = column_of(c, scope, path);
    if (column == NULL) tell(c, scope, "%s '" GM_STR_FMT "': " GM_STR_FMT " has no property '" GM_STR_FMT "'", what, NAMED(name), NAMED(scope->on), NAMED(path));
    else if (!is_number(column)) tell(c, scope, "%s '" GM_STR_FMT "': '" GM_STR_FMT "' is no number", what, NAMED(name), NAMED(path));
}

static void check_path(const checker *c, const gm_failure_scope *scope, const char *what, gm_str name, gm_failure_path path)
{
    bool there = path.relationship.len == 0;
    for (size_t t = 0; !there && t < gm_model_count(c->model); t++) {
        const gm_type *type = gm_model_at(c->model, t);
        there = (path.incoming || gm_failure_scope_fits(scope, type)) && gm_type_relationship(type, path.relationship) != NULL;
    }
    if (there) return;
    if (path.incoming) tell(c, scope, "%s '" GM_STR_FMT "': no interface has a relationship '" GM_STR_FMT "'", what, NAMED(name), NAMED(path.relationship));
    else tell(c, scope, "%s '" GM_STR_FMT "': " GM_STR_FMT " has no relationship '" GM_STR_FMT "'", what, NAMED(name), NAMED(scope->on), NAMED(path.relationship));
}

// Of who stands at the other end of a path, any interface may have the property.
static const gm_column *column_of_sign(const checker *c, const gm_failure_mode *m, const gm_failure_sign *s)
{
    if (s->on.relationship.len == 0) return column_of(c, &m->scope, s->name);
    const gm_column *column = NULL;
    for (size_t t = 0; column == NULL && t < gm_model_count(c->model); t++) column = gm_type_column(gm_model_at(c->model, t), s->name);
    return column;
}

static void check_sign(const checker *c, const gm_failure_mode *m, const gm_failure_sign *s)
{
    check_path(c, &m->scope, "mode", m->name, s->on);
    if (s->kind == GM_SIGN_ALARM) return;  // rules are another file's: who reads both compares them
    const gm_column *column = column_of_sign(c, m, s);
    if (column == NULL) {
        gm_str who = s->on.relationship.len == 0 ? m->scope.on : GM_STR("what is related so");
        tell(c, &m->scope, "mode '" GM_STR_FMT "': " GM_STR_FMT " has no property '" GM_STR_FMT "'", NAMED(m->name), NAMED(who), NAMED(s->name));
        return;
    }
    bool fits = s->value == GM_KIND_DOUBLE ? is_number(column) : s->value == column->kind;
    if (!fits) tell(c, &m->scope, "mode '" GM_STR_FMT "': the sign by '" GM_STR_FMT "' compares with another kind of value", NAMED(m->name), NAMED(s->name));
}

static void check_mode(const checker *c, const gm_failure_mode *m)
{
    if (!check_interface(c, &m->scope, "mode", m->name, m->scope.on)) return;
    check_number(c, &m->scope, "mode", m->name, m->age);
    for (unsigned q = 0; q < GM_LIFE_QUANTILES; q++) check_number(c, &m->scope, "mode", m->name, m->life[q]);
    for (uint32_t i = 0; i < m->sign_count; i++) check_sign(c, m, &m->signs[i]);
}

static void check_need(const checker *c, const gm_failure_need *n)
{
    if (!check_interface(c, &n->scope, "need", n->name, n->scope.on) || !check_interface(c, &n->scope, "need", n->name, n->of)) return;
    for (uint32_t i = 0; i < n->from_count; i++) check_path(c, &n->scope, "need", n->name, n->from[i]);
    gm_failure_scope of = { .on = n->of };
    if (n->order.len > 0 && n->of.len > 0 && column_of(c, &of, n->order) == NULL)
        tell(c, &n->scope, "need '" GM_STR_FMT "': " GM_STR_FMT " has no property '" GM_STR_FMT "'", NAMED(n->name), NAMED(n->of), NAMED(n->order));
}

static void check_common(const checker *c, const gm_common_cause *cause)
{
    bool there = false;
    if (!check_interface(c, &cause->scope, "common cause", cause->name, cause->scope.on)) return;
    check_path(c, &cause->scope, "common cause", cause->name, cause->within);
    const gm_type *type = gm_model_find(c->model, cause->scope.on);
    for (uint32_t i = 0; !there && i < c->modes->mode_count; i++)
        there = gm_str_eq(c->modes->modes[i].name, cause->mode) && gm_failure_scope_fits(&c->modes->modes[i].scope, type);
    if (!there)
        tell(c, &cause->scope, "common cause '" GM_STR_FMT "': " GM_STR_FMT " has no mode '" GM_STR_FMT "'", NAMED(cause->name), NAMED(cause->scope.on), NAMED(cause->mode));
}

void gm_failure_modes_check(const gm_failure_modes *modes, const gm_model *model, gm_failure_modes_found *found, void *context)
{
    const checker c = { modes, model, found, context };
    for (uint32_t i = 0; i < modes->mode_count; i++) check_mode(&c, &modes->modes[i]);
    for (uint32_t i = 0; i < modes->need_count; i++) check_need(&c, &modes->needs[i]);
    for (uint32_t i = 0; i < modes->loss_count; i++) (void)check_interface(&c, &modes->losses[i].scope, "loss", modes->losses[i].text, modes->losses[i].scope.on);
    for (uint32_t i = 0; i < modes->common_count; i++) check_common(&c, &modes->common[i]);
}
