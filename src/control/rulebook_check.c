// What is wrong with rules that read well. Checked against the models alone, so that it holds for every twin to come.
#include "control/rulebook.h"

#include <stdio.h>

typedef struct check {
    const gm_rulebook *book;
    const gm_model    *model;
    gm_rulebook_found *found;
    void              *context;
} check;

static void tell(const check *c, const gm_statement *s, const char *fmt, ...) GM_PRINTF(3, 4);
static void tell(const check *c, const gm_statement *s, const char *fmt, ...)
{
    char    text[400];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    c->found(c->context, s, text);
}

// ---- types --------------------------------------------------------------------------------------------------------

static bool named(const gm_type *type, gm_str dtmi, bool exact)
{
    bool is = gm_str_eq(type->id, dtmi);
    for (size_t i = 0; !is && !exact && i < type->base_count; i++) is = gm_str_eq(type->bases[i]->id, dtmi);
    return is;
}

// What must hold of the type: IS_OF_MODEL that every answer satisfies.
static bool admits(const gm_node *node, const gm_type *type)
{
    if (node == NULL) return true;
    if (node->kind == GM_NODE_OF_MODEL) return named(type, node->text, node->op != 0);
    if (node->kind == GM_NODE_AND) {
        for (const gm_node *n = node->first; n != NULL; n = n->next) {
            if (!admits(n, type)) return false;
        }
    }
    if (node->kind == GM_NODE_OR) {
        for (const gm_node *n = node->first; n != NULL; n = n->next) {
            if (admits(n, type)) return true;
        }
        return false;
    }
    return true;
}

bool gm_statement_is_about(const gm_statement *s, const gm_type *type)
{
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_ast   *ast   = NULL;
    bool      about = arena != NULL && gm_query_parse(arena, s->query_text, &ast, NULL) == GM_OK && admits(ast->where, type);
    gm_arena_destroy(arena);
    return about;
}

static bool says_model(const gm_statement *s) { return gm_str_find(s->query_text, GM_STR("IS_OF_MODEL")) != SIZE_MAX; }

static void check_condition(const check *c, const gm_statement *s, const gm_proviso *condition, const char *what)
{
    size_t about = 0, lacking = 0;
    gm_str path = { 0 }, missing = { 0 };
    if (condition == NULL) return;
    for (size_t i = 0; i < gm_model_count(c->model); i++) {
        const gm_type *type = gm_model_at(c->model, i);
        if (!gm_statement_is_about(s, type)) continue;
        about++;
        if (!gm_proviso_misses(condition, type, &path)) continue;
        lacking++;
        missing = path;
    }
    bool lock = s->kind == GM_STATEMENT_INTERLOCK && says_model(s);
    if (about > 0 && lacking > 0 && (lacking == about || lock))
        tell(c, s, "%s names '" GM_STR_FMT "', which the twins that it is about do not have", what, GM_STR_ARG(gm_str_slice(missing, 0, 100)));
    if (gm_proviso_contradicts(condition)) tell(c, s, "%s can never hold: it contradicts itself", what);
    for (size_t i = 0; i < condition->special_count; i++) {
        const gm_special *special = &condition->specials[i];
        bool there = special->relationship.len == 0;
        for (size_t t = 0; !there && t < gm_model_count(c->model); t++)
            there = gm_type_relationship(gm_model_at(c->model, t), special->relationship) != NULL;
        if (!there) tell(c, s, "%s follows a relationship '" GM_STR_FMT "', which no model has", what, GM_STR_ARG(gm_str_slice(special->relationship, 0, 100)));
        bool known = special->relationship.len == 0 || special->path.len == 0;
        for (size_t t = 0; !known && t < gm_model_count(c->model); t++) known = gm_type_column(gm_model_at(c->model, t), special->path) != NULL;
        if (!known) tell(c, s, "%s names '" GM_STR_FMT "', which no twin has", what, GM_STR_ARG(gm_str_slice(special->path, 0, 100)));
    }
}

static const gm_command *command_of(const gm_type *type, gm_str name)
{
    for (size_t i = 0; i < type->command_count; i++) {
        if (gm_str_eq(type->commands[i].name, name)) return &type->commands[i];
    }
    return NULL;
}

// Is the property a number wherever it can be set?
static bool is_number(const check *c, gm_str name)
{
    for (size_t i = 0; i < gm_model_count(c->model); i++) {
        const gm_column *column = gm_type_column(gm_model_at(c->model, i), name);
        if (column != NULL && column->writable && column->kind != GM_KIND_DOUBLE && column->kind != GM_KIND_INT) return false;
    }
    return true;
}

static bool somebody_has(const check *c, const gm_statement *s, bool own, bool command, gm_str name)
{
    for (size_t i = 0; i < gm_model_count(c->model); i++) {
        const gm_type   *type   = gm_model_at(c->model, i);
        const gm_column *column = gm_type_column(type, name);
        if (own && !gm_statement_is_about(s, type)) continue;
        if (command ? command_of(type, name) != NULL : column != NULL && column->writable) return true;
    }
    return false;
}

static void check_actions(const check *c, const gm_statement *s)
{
    for (size_t i = 0; i < s->action_count; i++) {
        const gm_action *a = &s->actions[i];
        if (a->kind != GM_DO_COMMAND && a->kind != GM_DO_SET) continue;
        bool own = a->twin.len == 0 && a->relationship.len == 0;
        if (somebody_has(c, s, own, a->kind == GM_DO_COMMAND, a->name)) {
            if (a->step != 0 && !is_number(c, a->name)) tell(c, s, "'" GM_STR_FMT "' is no number that could be raised or lowered", GM_STR_ARG(gm_str_slice(a->name, 0, 100)));
            continue;
        }
        tell(c, s, "there is no %s '" GM_STR_FMT "' on the twins that it is meant for", a->kind == GM_DO_COMMAND ? "command" : "writable property",
             GM_STR_ARG(gm_str_slice(a->name, 0, 100)));
    }
}

static void check_subject(const check *c, const gm_statement *s)
{
    bool any = false;
    for (size_t i = 0; !any && i < gm_model_count(c->model); i++) any = gm_statement_is_about(s, gm_model_at(c->model, i));
    if (!any) tell(c, s, "it can never apply: there is no model that its query asks for");
    bool policy = s->kind == GM_STATEMENT_COMMAND || s->kind == GM_STATEMENT_DESIRED;
    if (any && policy && !somebody_has(c, s, true, s->kind == GM_STATEMENT_COMMAND, s->name))
        tell(c, s, "there is no %s '" GM_STR_FMT "' on the twins that it is meant for", s->kind == GM_STATEMENT_COMMAND ? "command" : "writable property",
             GM_STR_ARG(gm_str_slice(s->name, 0, 100)));
    for (size_t i = 0; any && i < s->locked_count; i++) {
        if (!somebody_has(c, s, true, true, s->locked[i]) && !somebody_has(c, s, true, false, s->locked[i]))
            tell(c, s, "there is neither a command nor a writable property '" GM_STR_FMT "' on the twins that it is about", GM_STR_ARG(gm_str_slice(s->locked[i], 0, 100)));
    }
}

// ---- cycles -------------------------------------------------------------------------------------------------------

static bool reads(const gm_proviso *condition, gm_str path)
{
    for (size_t i = 0; condition != NULL && i < condition->ast[0]->path_count; i++) {
        if (gm_str_eq(condition->ast[0]->paths[i].text, path)) return true;
    }
    for (size_t i = 0; condition != NULL && i < condition->special_count; i++) {
        if (gm_str_eq(condition->specials[i].path, path)) return true;
    }
    return false;
}

// Does an action of `from` change what `to` reads? A command changes what its effect is expected in.
static bool sets_off(const check *c, const gm_statement *from, const gm_statement *to)
{
    for (size_t i = 0; i < from->action_count; i++) {
        const gm_action *a = &from->actions[i];
        if (a->kind == GM_DO_SET && reads(to->when, a->name)) return true;
        for (size_t p = 0; a->kind == GM_DO_COMMAND && p < c->book->count; p++) {
            const gm_statement *policy = c->book->items[p];
            if (policy->kind != GM_STATEMENT_COMMAND || !gm_str_eq(policy->name, a->name) || policy->expect == NULL) continue;
            for (size_t k = 0; k < policy->expect->ast[0]->path_count; k++) {
                if (reads(to->when, policy->expect->ast[0]->paths[k].text)) return true;
            }
        }
    }
    return false;
}

// Depth-first; a rule met again on the way closes a cycle. A rule that only sets what it reads itself is none: it acts
// once, when its condition begins to hold.
static bool walk(const check *c, size_t at, uint8_t *seen, size_t depth)
{
    const gm_statement *s = c->book->items[at];
    seen[at] = 1;
    for (size_t i = 0; i < c->book->count && depth < GM_STATEMENTS_MAX; i++) {
        const gm_statement *next = c->book->items[i];
        if (i == at || next->kind != GM_STATEMENT_RULE || seen[i] == 2 || !sets_off(c, s, next)) continue;
        if (seen[i] == 1) {
            tell(c, s, "rules set one another off without end: '" GM_STR_FMT "' sets off '" GM_STR_FMT "' again", GM_STR_ARG(gm_str_slice(s->name, 0, 80)),
                 GM_STR_ARG(gm_str_slice(next->name, 0, 80)));
            return true;
        }
        if (walk(c, i, seen, depth + 1)) return true;
    }
    seen[at] = 2;
    return false;
}

gm_status gm_rulebook_check(const gm_rulebook *book, const gm_model *model, gm_rulebook_found *found, void *context, gm_error *err)
{
    check    c    = { book, model, found, context };
    uint8_t *seen = gm_alloc_zeroed(book->alloc, book->count + 1);
    if (seen == NULL) return gm_fail(err, GM_NOMEM, "control.rules", "checking rules");
    for (size_t i = 0; i < book->count; i++) {
        const gm_statement *s = book->items[i];
        check_subject(&c, s);
        check_condition(&c, s, s->when, s->kind == GM_STATEMENT_INTERLOCK ? "what it permits" : "its condition");
        check_condition(&c, s, s->unless, s->kind == GM_STATEMENT_RULE ? "what suppresses it" : "what it requires");
        check_condition(&c, s, s->expect, "what it expects");
        check_actions(&c, s);
    }
    bool cycle = false;
    for (size_t i = 0; i < book->count && !cycle; i++) {
        if (book->items[i]->kind == GM_STATEMENT_RULE && seen[i] == 0) cycle = walk(&c, i, seen, 0);
    }
    gm_free(book->alloc, seen);
    return GM_OK;
}
