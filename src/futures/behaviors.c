// Reading behaviors: texts into one set of classes, annotations into rules and faults.
#include "futures/group_parts.h"

#include "base/number.h"

#include <assert.h>
#include <math.h>

static const char WHERE[] = "futures.behaviors";

typedef struct reading {
    gm_behaviors      *b;
    gm_diags          *diags;
    gm_behavior_class *class_;   // whose notes are read
    gm_behavior_rule  *rules;
    gm_behavior_fault *faults;
    const char        *what;     // whose changes are read: "fault" or "command"
    size_t             rule_count, rule_capacity, fault_count, fault_capacity;
    bool               refused;  // memory
} reading;

static gm_str kept(reading *r, gm_str text)
{
    gm_str copy = gm_arena_str(r->b->arena, text);
    if (copy.ptr == NULL) r->refused = true;
    return copy;
}

// ---- annotations --------------------------------------------------------------------------------------------------

static void complain(reading *r, const char *what, gm_str name, gm_str text, const char *expected)
{
    gm_modelica_complain(r->b->texts, r->class_->name, r->diags, GM_SEVERITY_ERROR,
                         "%s " GM_STR_FMT "=\"" GM_STR_FMT "\" of `" GM_STR_FMT "` is not understood; %s", what,
                         GM_STR_ARG(name), GM_STR_ARG(text), GM_STR_ARG(r->class_->name), expected);
}

// Cuts "own<sign>other" in two. False: the sign is not there.
static bool cut(gm_str text, const char *sign, gm_str *out_own, gm_str *out_other)
{
    size_t at = gm_str_find(text, gm_str_of(sign));
    if (at == SIZE_MAX) return false;
    *out_own   = gm_str_trim(gm_str_slice(text, 0, at));
    *out_other = gm_str_trim(gm_str_slice(text, at + strlen(sign), text.len));
    return out_own->len > 0 && out_other->len > 0;
}

static void on_rule(void *context, gm_str name, gm_str text)
{
    reading *r = context;
    gm_str   rest = text, one;
    while (gm_str_next(&rest, ';', &one)) {
        gm_behavior_rule rule = { .relationship = kept(r, name) };
        if (gm_str_trim(one).len == 0 && text.len > 0) continue;
        if (cut(one, "->", &rule.own, &rule.other)) rule.link = GM_LINK_GIVE;
        else if (cut(one, "<-", &rule.own, &rule.other)) rule.link = GM_LINK_TAKE;
        else if (cut(one, ",", &rule.own, &rule.other)) rule.link = GM_LINK_CONNECT;
        else {
            complain(r, "connect rule", name, text, "write \"port,other\", \"y->u\" or \"u<-y\"");
            return;
        }
        rule.own   = kept(r, rule.own);
        rule.other = kept(r, rule.other);
        if (!gm_alloc_reserve(r->b->alloc, &r->rules, &r->rule_capacity, r->rule_count + 1, sizeof *r->rules))
            r->refused = true;
        if (r->refused) return;
        r->rules[r->rule_count++] = rule;
    }
}

static bool read_change(reading *r, gm_str text, gm_fault_change *out)
{
    gm_str value;
    if (!cut(text, "=", &out->variable, &value)) return false;
    if (gm_str_is(value, "true")) out->value = 1;
    else if (gm_str_is(value, "false")) out->value = 0;
    else if (gm_str_is(value, "request") && gm_str_is(gm_str_of(r->what), "command")) out->value = NAN;
    else if (gm_number_read(value, &out->value) != value.len) return false;
    out->variable = kept(r, out->variable);
    return true;
}

static void on_fault(void *context, gm_str name, gm_str text)
{
    reading         *r       = context;
    gm_fault_change *changes = GM_ARENA_NEW(r->b->arena, gm_fault_change, text.len / 2 + 1);
    size_t           count   = 0;
    gm_str           rest = text, one;
    bool             good = changes != NULL;
    while (good && gm_str_next(&rest, ',', &one)) good = read_change(r, one, &changes[count++]);
    if (changes != NULL && !good) complain(r, r->what, name, text, "write \"variable=value, variable=value\"");
    r->refused |= changes == NULL;
    if (!good) return;
    if (!gm_alloc_reserve(r->b->alloc, &r->faults, &r->fault_capacity, r->fault_count + 1, sizeof *r->faults))
        r->refused = true;
    if (r->refused) return;
    r->faults[r->fault_count++] =
        (gm_behavior_fault) { .name = kept(r, name), .changes = changes, .change_count = count };
}

// ---- classes ------------------------------------------------------------------------------------------------------

static void on_class(void *context, gm_str name, gm_str interface_id)
{
    reading      *r = context;
    gm_behaviors *b = r->b;
    if (interface_id.len == 0) return;
    for (size_t i = 0; i < b->class_count; i++) {
        if (!gm_str_eq(b->classes[i].interface_id, interface_id)) continue;
        gm_modelica_complain(b->texts, name, r->diags, GM_SEVERITY_ERROR,
                             "`" GM_STR_FMT "` names the interface " GM_STR_FMT ", which `" GM_STR_FMT
                             "` serves already; an interface has one class",
                             GM_STR_ARG(name), GM_STR_ARG(interface_id), GM_STR_ARG(b->classes[i].name));
        return;
    }
    if (!gm_alloc_reserve(b->alloc, &b->classes, &b->class_capacity, b->class_count + 1, sizeof *b->classes))
        r->refused = true;
    if (r->refused) return;
    b->classes[b->class_count++] =
        (gm_behavior_class){ .name = kept(r, name), .interface_id = kept(r, interface_id) };
}

static void *keep_array(reading *r, const void *items, size_t count, size_t size)
{
    void *copy = gm_arena_zeroed(r->b->arena, count > 0 ? count : 1, size);
    if (copy == NULL) r->refused = true;
    else if (count > 0) memcpy(copy, items, count * size);
    return copy;
}

static const gm_behavior_fault *read_changes(reading *r, const char *what, size_t *out_count)
{
    r->what        = what;
    r->fault_count = 0;
    gm_modelica_each_note(r->b->texts, r->class_->name, gm_str_of(what), on_fault, r);
    *out_count = r->fault_count;
    return keep_array(r, r->faults, r->fault_count, sizeof *r->faults);
}

static void read_notes(reading *r, gm_behavior_class *class_)
{
    r->class_     = class_;
    r->rule_count = 0;
    gm_modelica_each_note(r->b->texts, class_->name, GM_STR("connect"), on_rule, r);
    class_->rules      = keep_array(r, r->rules, r->rule_count, sizeof *r->rules);
    class_->rule_count = r->rule_count;
    class_->faults     = read_changes(r, "fault", &class_->fault_count);
    class_->commands   = read_changes(r, "command", &class_->command_count);
}

static gm_status add_texts(gm_behaviors *b, const gm_behavior_text *texts, size_t count, gm_diags *diags, gm_error *err)
{
    for (size_t i = 0; i < count; i++) {
        gm_status st = gm_modelica_add(b->texts, texts[i].file, texts[i].text, diags, err);
        if (st != GM_OK && st != GM_INVALID) return st;  // what is invalid is in diags
    }
    return GM_OK;
}

gm_status gm_behaviors_create(const gm_alloc *alloc, const gm_behavior_text *library, size_t library_count,
                              const gm_behavior_text *plant, size_t plant_count, gm_diags *diags,
                              gm_behaviors **out_behaviors, gm_error *err)
{
    assert(alloc != NULL && diags != NULL && out_behaviors != NULL);
    *out_behaviors  = NULL;
    gm_behaviors *b = gm_alloc_zeroed(alloc, sizeof *b);
    if (b == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading behaviors");
    b->alloc     = alloc;
    b->arena     = gm_arena_create(alloc, 0);
    b->texts     = gm_modelica_create(alloc, err);
    reading   r  = { .b = b, .diags = diags };
    gm_status st = b->arena != NULL && b->texts != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "reading behaviors");
    if (st == GM_OK) st = add_texts(b, library, library_count, diags, err);
    if (st == GM_OK) st = add_texts(b, plant, plant_count, diags, err);
    if (st == GM_OK) gm_modelica_each_class(b->texts, on_class, &r);
    for (size_t i = 0; st == GM_OK && !r.refused && i < b->class_count; i++) read_notes(&r, &b->classes[i]);
    if (st == GM_OK && (r.refused || diags->failed)) st = gm_fail(err, GM_NOMEM, WHERE, "reading behaviors");
    gm_free(alloc, r.rules);
    gm_free(alloc, r.faults);
    if (st != GM_OK) gm_behaviors_destroy(b);
    else *out_behaviors = b;
    return st;
}

void gm_behaviors_destroy(gm_behaviors *b)
{
    if (b == NULL) return;
    for (size_t i = 0; i < b->shape_count; i++) gm_shape_destroy(b->alloc, b->shapes[i]);
    gm_free(b->alloc, b->shapes);
    gm_free(b->alloc, b->classes);
    gm_modelica_destroy(b->texts);
    gm_arena_destroy(b->arena);
    gm_free(b->alloc, b);
}

// ---- asking -------------------------------------------------------------------------------------------------------

size_t gm_behaviors_count(const gm_behaviors *b) { return b->class_count; }

const gm_behavior_class *gm_behaviors_at(const gm_behaviors *b, size_t i) { return &b->classes[i]; }

static const gm_behavior_class *named(const gm_behaviors *b, gm_str interface_id)
{
    for (size_t i = 0; i < b->class_count; i++) {
        if (gm_str_eq(b->classes[i].interface_id, interface_id)) return &b->classes[i];
    }
    return NULL;
}

const gm_behavior_class *gm_behaviors_of(const gm_behaviors *b, const gm_type *type)
{
    const gm_behavior_class *best = named(b, type->id);
    const gm_type           *from = NULL;
    for (size_t i = 0; best == NULL && i < type->base_count; i++) {
        const gm_behavior_class *c = named(b, type->bases[i]->id);
        if (c == NULL) continue;
        // The nearest base is one that is derived from the others.
        if (from == NULL || gm_type_is(type->bases[i], from)) from = type->bases[i];
    }
    return best != NULL || from == NULL ? best : named(b, from->id);
}

static const gm_behavior_fault *find_change(const gm_behavior_fault *changes, size_t count, gm_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_eq(changes[i].name, name)) return &changes[i];
    }
    return NULL;
}

const gm_behavior_fault *gm_behavior_fault_find(const gm_behavior_class *c, gm_str name)
{
    return find_change(c->faults, c->fault_count, name);
}

const gm_behavior_fault *gm_behavior_command_find(const gm_behavior_class *c, gm_str name)
{
    return find_change(c->commands, c->command_count, name);
}

// ---- what columns and variables have in common --------------------------------------------------------------------

bool gm_unit_way(const gm_column *column, gm_str variable_unit, double *out_factor, double *out_offset)
{
    *out_factor = 1;
    *out_offset = 0;
    gm_unit unit;
    if (column->unit.len == 0 || variable_unit.len == 0) return true;
    if (gm_unit_parse(variable_unit, &unit, NULL) != GM_OK) return true;  // the unit check of the equations says so
    if (!gm_unit_comparable(&column->unit_si, &unit)) return false;
    *out_factor = column->unit_si.factor / unit.factor;
    *out_offset = (column->unit_si.offset - unit.offset) / unit.factor;
    return true;
}

gm_str gm_column_variable(gm_arena *arena, gm_str path)
{
    gm_str copy = gm_arena_str(arena, path);
    char  *text = (char *)(uintptr_t)copy.ptr;  // made here: ours to change
    for (size_t i = 0; text != NULL && i < copy.len; i++) {
        if (text[i] == '/') text[i] = '.';
    }
    return copy;
}
