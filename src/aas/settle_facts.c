// Submodels that are facts of the thing: what a client wants them to say is planned as an import would be, and held against what holds.
#include "aas/settle_parts.h"

#include "aas/files.h"
#include "aas/internal.h"
#include "aas/plan_parts.h"
#include "aas/plate.h"
#include "aas/tree.h"

#include <string.h>

static const char WHERE[] = "aas.settle";

static gm_status no_memory(const gm_aas_settling *s) { return gm_fail(s->err, GM_NOMEM, WHERE, "changing a submodel"); }

static gm_status say(gm_aas_settling *s, const gm_fact *fact)
{
    gm_aas_settled *o = s->out;
    if (o->fact_count == o->fact_capacity) {
        size_t   more  = o->fact_capacity > 0 ? 2 * o->fact_capacity : 16;
        gm_fact *facts = GM_ARENA_NEW(s->arena, gm_fact, more);
        if (facts == NULL) return no_memory(s);
        if (o->fact_count > 0) memcpy(facts, o->facts, o->fact_count * sizeof *facts);
        o->facts         = facts;
        o->fact_capacity = more;
    }
    o->facts[o->fact_count++] = *fact;
    return GM_OK;
}

static gm_status take_back(gm_aas_settling *s, const gm_fact *fact)
{
    return say(s, &(gm_fact){ .twin = fact->twin, .key = fact->key, .phase = fact->phase, .value = { .kind = GM_FACT_NONE } });
}

// ---- what is wanted, as facts ---------------------------------------------------------------------------------------------

// A client may have said more exactly what an element means; which fact it is goes by what gemel calls it.
static void call_by_our_names(json_t *wanted, const json_t *made, unsigned depth)
{
    const char   *inside = gm_aas_children(made);
    const json_t *list   = inside != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(made, inside) : NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *ours   = json_array_get(list, i);
        gm_str        name   = gm_aas_string(ours, "idShort");
        json_t       *theirs = name.len > 0 ? gm_aas_find(wanted, name) : NULL, *meaning = json_object_get(ours, "semanticId");
        if (theirs == NULL) continue;
        if (meaning != NULL) (void)json_object_set(theirs, "semanticId", meaning);
        call_by_our_names(theirs, ours, depth + 1);
    }
}

static gm_status plan(gm_aas_settling *s, gm_aas_planning *p)
{
    json_t *tree = json_deep_copy(s->wanted);
    if (tree == NULL) return no_memory(s);
    call_by_our_names(tree, s->before, 0);
    if (s->kind == GM_AAS_THREAD) gm_aas_plan_thread(p, s->thing->id, tree);
    else if (s->kind == GM_AAS_DOCUMENTS) gm_aas_plan_handed_over(p, s->thing->id, tree);
    else gm_aas_plan_template(p, s->thing->id, tree, s->kind, false);
    json_decref(tree);
    return p->st;
}

static bool copy(gm_arena *arena, gm_str *text)
{
    if (text->len == 0) return true;
    *text = gm_arena_str(arena, *text);
    return text->ptr != NULL;
}

static gm_status read_fact(gm_aas_settling *s, const json_t *json, gm_fact *out)
{
    gm_buf         texts = gm_buf_init(gm_alloc_system());
    gm_status      st    = gm_fact_read(json, s->world->valid, &texts, out, s->err);
    gm_fact_value *v     = &out->value;
    if (json_object_get(json, "from") == NULL) out->from = 0;  // from when it is written
    bool memory = st != GM_OK || (copy(s->arena, &out->twin) && copy(s->arena, &out->key) && copy(s->arena, &v->text) && copy(s->arena, &v->unit) && copy(s->arena, &v->media) &&
                                  copy(s->arena, &v->name) && copy(s->arena, &v->position) && copy(s->arena, &v->more) && copy(s->arena, &out->cause));
    out->author = (gm_str){ 0 };
    gm_buf_finish(&texts);
    return memory ? st : no_memory(s);
}

// ---- held against what holds ------------------------------------------------------------------------------------------------

static const gm_fact *fact_of(const gm_aas_thing *t, gm_phase phase, gm_str key)
{
    for (size_t i = 0; i < t->fact_count; i++) {
        if (t->facts[i].phase == phase && gm_str_eq(t->facts[i].key, key)) return &t->facts[i];
    }
    return NULL;
}

static bool is_row(const gm_fact *f) { return f->value.kind == GM_FACT_PART && gm_str_starts(f->key, GM_STR(GM_KEY_BOM)); }

// The fact that stands for the same thing now. Rows and documents go by their key, whatever the phase.
static const gm_fact *holds_now(const gm_aas_settling *s, const gm_fact *wanted)
{
    const gm_aas_thing *t = s->thing;
    bool plate = s->kind == GM_AAS_NAMEPLATE || (s->kind == GM_AAS_TECHNICAL && wanted->phase == GM_PHASE_BUILT);
    if (plate) return gm_aas_fact(t, wanted->key);
    if (s->kind == GM_AAS_TECHNICAL || s->kind == GM_AAS_THREAD) return fact_of(t, wanted->phase, wanted->key);
    for (size_t i = 0; i < t->fact_count; i++) {
        bool kind = s->kind == GM_AAS_STRUCTURE ? is_row(&t->facts[i]) : t->facts[i].value.kind == GM_FACT_DOCUMENT;
        if (kind && gm_str_eq(t->facts[i].key, wanted->key)) return &t->facts[i];
    }
    return NULL;
}

static bool is_alternate(const gm_fact *f) { return gm_str_find(f->value.more, GM_STR("\"alternate\":true")) != SIZE_MAX; }

static bool same_limits(const gm_fact_value *a, const gm_fact_value *b)
{
    return a->limits == b->limits && ((a->limits & GM_FACT_LOW) == 0 || a->low == b->low) && ((a->limits & GM_FACT_HIGH) == 0 || a->high == b->high);
}

static bool says_the_same(const gm_aas_settling *s, const gm_fact *now, const gm_fact *wanted)
{
    const gm_fact_value *a = &now->value, *b = &wanted->value;
    gm_aas_value         x, y;
    switch (s->kind) {
    case GM_AAS_STRUCTURE: return gm_str_eq(a->text, b->text) && a->number == b->number && gm_str_eq(a->unit, b->unit) && is_alternate(now) == is_alternate(wanted);
    case GM_AAS_DOCUMENTS: return gm_str_eq(a->text, b->text);
    case GM_AAS_THREAD:
        return a->kind == b->kind && gm_str_eq(a->text, b->text) && a->number == b->number && gm_str_eq(a->unit, b->unit) && same_limits(a, b) &&
               (wanted->from == 0 || now->from == wanted->from) && now->to == wanted->to && gm_str_eq(a->position, b->position);
    default: return gm_aas_fact_value(now, &x) && gm_aas_fact_value(wanted, &y) && gm_str_eq(x.text, y.text) && gm_str_eq(a->unit, b->unit) && same_limits(a, b);
    }
}

// What the submodel does not show of a fact stays as it is.
static void keep_what_is_not_shown(const gm_aas_settling *s, const gm_fact *now, gm_fact *wanted)
{
    gm_fact_value *v = &wanted->value;
    if (s->kind == GM_AAS_THREAD) return;
    wanted->phase = now->phase;
    if (s->kind == GM_AAS_STRUCTURE && is_alternate(now) == is_alternate(wanted)) v->more = now->value.more;
    if (s->kind == GM_AAS_STRUCTURE || s->kind == GM_AAS_DOCUMENTS) return;
    if (now->value.kind == GM_FACT_NUMBER && v->kind == GM_FACT_NUMBER && v->unit.len == 0) v->unit = now->value.unit;
    if (now->value.kind == GM_FACT_NUMBER && v->kind == GM_FACT_NUMBER && v->limits == 0) v->limits = now->value.limits, v->low = now->value.low, v->high = now->value.high;
}

static bool is_plate_key(gm_str key)
{
    for (size_t i = 0; i < gm_aas_general_count; i++) {
        if (gm_str_is(key, gm_aas_generals[i].key)) return true;
    }
    return false;
}

// Does the submodel show this fact, so that it is taken back when it is wanted no more?
static bool shows(const gm_aas_settling *s, const gm_fact *f)
{
    gm_aas_value value;
    switch (s->kind) {
    case GM_AAS_NAMEPLATE: return gm_aas_plate_has_key(f->key) && gm_aas_fact_value(f, &value);
    case GM_AAS_TECHNICAL:  // the nameplate's facts are in its general information, too: without that, they are not meant
        return gm_aas_is_technical(f) || (s->wanted != NULL && is_plate_key(f->key) && gm_aas_find((json_t *)(uintptr_t)s->wanted, GM_STR("GeneralInformation")) != NULL);
    case GM_AAS_STRUCTURE: return is_row(f) && gm_aas_sees(s->world, f->value.text);
    case GM_AAS_DOCUMENTS: return f->value.kind == GM_FACT_DOCUMENT;
    default: return f->value.kind != GM_FACT_PART || gm_aas_sees(s->world, f->value.text);
    }
}

static bool is_wanted(const gm_aas_settling *s, const gm_fact *f, const gm_fact *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool phase = s->kind != GM_AAS_THREAD || wanted[i].phase == f->phase;
        if (phase && gm_str_eq(wanted[i].key, f->key)) return true;
    }
    return false;
}

static gm_status hold(gm_aas_settling *s, gm_fact *wanted, size_t count)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        const gm_fact *now = holds_now(s, &wanted[i]);
        if (now != NULL) keep_what_is_not_shown(s, now, &wanted[i]);
        bool same = now != NULL && says_the_same(s, now, &wanted[i]);
        if (now != NULL && !same) s->out->corrections++;
        if (!same) st = say(s, &wanted[i]);
    }
    for (size_t i = 0; st == GM_OK && i < s->thing->fact_count; i++) {
        const gm_fact *f = &s->thing->facts[i];
        if (!shows(s, f) || is_wanted(s, f, wanted, count)) continue;
        s->out->corrections++;
        st = take_back(s, f);
    }
    return st;
}

// ---- as it will be ------------------------------------------------------------------------------------------------------------

static bool replaces(const gm_fact *a, const gm_fact *b) { return a->phase == b->phase && gm_str_eq(a->key, b->key); }

static gm_status make_it(gm_aas_settling *s)
{
    const gm_aas_thing *t    = s->thing;
    gm_aas_thing        then = *t;
    gm_fact            *all  = GM_ARENA_NEW(s->arena, gm_fact, t->fact_count + s->out->fact_count + 1);
    size_t              n    = 0;
    if (all == NULL) return no_memory(s);
    for (size_t i = 0; i < t->fact_count; i++) {
        bool stays = true;
        for (size_t k = 0; stays && k < s->out->fact_count; k++) stays = !replaces(&t->facts[i], &s->out->facts[k]);
        if (stays) all[n++] = t->facts[i];
    }
    for (size_t k = 0; k < s->out->fact_count; k++) {
        if (s->out->facts[k].value.kind == GM_FACT_NONE) continue;
        all[n] = s->out->facts[k];
        if (all[n].from == 0) all[n].from = s->world->valid;
        n++;
    }
    gm_aas_sort_facts(all, n);
    then.facts      = all;
    then.fact_count = n;
    json_decref(s->made);
    s->made = gm_aas_made_tree(s, &then);
    return s->made != NULL ? GM_OK : no_memory(s);
}

// A fact of the thread is its own words, member for member; there is nothing that could be kept beside.
static gm_status check_thread(const gm_aas_settling *s)
{
    static const char *const known[] = { "Phase", "Key", "Value", "Json", "Part", "Quantity", "Hash", "MediaType", "Name", "Size", "Position", "Unit", "Min", "Max", "More", "From", "To", "Author", "Cause" };
    const json_t *list = json_object_get(gm_aas_find((json_t *)(uintptr_t)s->wanted, GM_STR("Facts")), "value");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *members = json_object_get(json_array_get(list, i), "value");
        for (size_t k = 0; k < json_array_size(members); k++) {
            gm_str name = gm_aas_string(json_array_get(members, k), "idShort");
            bool   is   = false;
            for (size_t j = 0; j < sizeof known / sizeof known[0]; j++) is = is || gm_str_is(name, known[j]);
            if (!is) return gm_fail(s->err, GM_CONFLICT, WHERE, "a fact of the digital thread has no '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 60)));
            gm_str key = gm_aas_string(json_array_get(members, k), "value");
            if (gm_str_is(name, "Key") && gm_str_starts(key, GM_STR(GM_AAS_KEYS))) return gm_fail(s->err, GM_CONFLICT, WHERE, "keys that begin with '" GM_AAS_KEYS "' are gemel's own");
        }
    }
    return GM_OK;
}

static gm_status refuse_installed(const gm_aas_settling *s)
{
    if (s->kind != GM_AAS_STRUCTURE || s->wanted != NULL) return GM_OK;
    for (size_t i = 0; i < s->thing->inside_count; i++) {
        if (gm_aas_sees(s->world, s->thing->inside[i].twin))
            return gm_fail(s->err, GM_CONFLICT, WHERE, "'" GM_STR_FMT "' is installed in it; take it out first", GM_STR_ARG(gm_str_slice(s->thing->inside[i].twin, 0, 100)));
    }
    return GM_OK;
}

gm_status gm_aas_settle_facts(gm_aas_settling *s)
{
    gm_aas_plan     plan_out = { .facts = json_array(), .documents = json_array(), .uncertain = json_array(), .notes = json_array() };
    gm_aas_planning p        = { .env = s->wanted, .arena = s->arena, .plan = &plan_out, .assets = json_object(), .said = json_object(), .flat = true, .err = s->err };
    gm_status       st       = plan_out.facts && plan_out.documents && plan_out.uncertain && plan_out.notes && p.assets && p.said ? GM_OK : no_memory(s);
    if (st == GM_OK && s->kind == GM_AAS_THREAD && s->wanted != NULL) st = check_thread(s);
    if (st == GM_OK) st = refuse_installed(s);
    if (st == GM_OK && s->wanted != NULL) st = plan(s, &p);
    if (st == GM_OK && json_array_extend(plan_out.facts, plan_out.uncertain) != 0) st = no_memory(s);
    size_t   count  = json_array_size(plan_out.facts), n = 0;
    gm_fact *wanted = GM_ARENA_NEW(s->arena, gm_fact, count + 1);
    if (st == GM_OK && wanted == NULL) st = no_memory(s);
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        st = read_fact(s, json_array_get(plan_out.facts, i), &wanted[n]);
        n += st == GM_OK && gm_str_eq(wanted[n].twin, s->thing->id);  // what is said of parts is theirs
    }
    if (st == GM_OK) st = hold(s, wanted, n);
    if (st == GM_OK) st = make_it(s);
    if (st == GM_OK && s->kind == GM_AAS_THREAD && s->wanted != NULL) gm_aas_settle_passes_over(s, "Facts");
    json_decref(p.assets);
    json_decref(p.said);
    gm_aas_plan_finish(&plan_out);
    return st;
}

// ---- submodels that are kept --------------------------------------------------------------------------------------------------

// Does it hold already, as that very fact or as a better one of the same key?
static bool holds(const gm_aas_settling *s, const gm_fact *f)
{
    gm_fact        now;
    const gm_fact *best = gm_str_eq(f->twin, s->thing->id) && gm_aas_plate_has_key(f->key) ? gm_aas_fact(s->thing, f->key) : NULL;
    if (best != NULL && says_the_same(s, best, f)) return true;
    return gm_thread_read(s->world->thread, f->twin, f->phase, f->key, s->world->valid, s->world->known, &now) && says_the_same(s, &now, f);
}

gm_status gm_aas_settle_kept(const gm_aas_world *world, const gm_aas_thing *thing, const json_t *submodel, gm_arena *arena, gm_aas_settled *out, gm_error *err)
{
    gm_aas_kind     kind = gm_aas_kind_of(gm_aas_semantics(submodel));
    gm_aas_settling s    = { .world = world, .thing = thing, .kind = kind, .wanted = submodel, .arena = arena, .out = out, .err = err };
    gm_aas_plan     plan_out = { .facts = json_array(), .notes = json_array() };
    gm_aas_planning p        = { .env = submodel, .arena = arena, .plan = &plan_out, .assets = json_object(), .said = json_object(), .err = err };
    gm_status       st       = plan_out.facts && plan_out.notes && p.assets && p.said ? GM_OK : no_memory(&s);
    if (st == GM_OK && kind != GM_AAS_KIND_COUNT) gm_aas_plan_template(&p, thing->id, submodel, kind, false);
    if (st == GM_OK) st = p.st;
    for (size_t i = 0; st == GM_OK && i < json_array_size(plan_out.facts); i++) {
        gm_fact f;
        st = read_fact(&s, json_array_get(plan_out.facts, i), &f);
        if (st == GM_OK && !holds(&s, &f)) st = say(&s, &f);
    }
    json_decref(p.assets);
    json_decref(p.said);
    gm_aas_plan_finish(&plan_out);
    return st;
}
