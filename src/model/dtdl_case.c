#include "model/dtdl_case.h"

#include "model/dtmi.h"
#include "model/element.h"

#include "base/number.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

// One case while it runs.
typedef struct trial {
    const gm_alloc *alloc;
    gm_arena       *arena;   // for this case
    gm_str          text;    // of the file
    const gm_json  *node;    // the case
    gm_buf         *out;
    bool            agrees;
    gm_error       *err;
} trial;

#define DIFFERS(t, ...) ((t)->agrees ? gm_buf_printf((t)->out, __VA_ARGS__) : (void)0, (t)->agrees = false)

static bool lists(const gm_json *array, const char *word)
{
    for (const gm_json *v = gm_json_is(array, GM_JSON_ARRAY) ? array->first : NULL; v != NULL; v = v->next) {
        if (v->kind == GM_JSON_STRING && gm_str_is(v->text, word)) return true;
    }
    return false;
}

static bool says_true(const gm_json *node) { return gm_json_is(node, GM_JSON_BOOL) && node->truth; }

// ---- identifiers ----

static void expect_number(trial *t, const gm_json *expect, const char *name, double value)
{
    const gm_json *wanted = gm_json_get(expect, gm_str_of(name));
    double         number;
    if (!gm_json_is(wanted, GM_JSON_NUMBER) || gm_number_read(wanted->text, &number) == 0) return;
    if (fabs(number - value) > 1e-9) DIFFERS(t, "%s is %.6f, expected %.6f", name, value, number);
}

static void expect_string(trial *t, const gm_json *expect, const char *name, gm_str value)
{
    const gm_json *wanted = gm_json_get(expect, gm_str_of(name));
    if (!gm_json_is(wanted, GM_JSON_STRING) || gm_str_eq(wanted->text, value)) return;
    DIFFERS(t, "%s is \"" GM_STR_FMT "\", expected \"" GM_STR_FMT "\"", name, GM_STR_ARG(value),
            GM_STR_ARG(wanted->text));
}

static void run_dtmi(trial *t, gm_str id)
{
    gm_dtmi        dtmi;
    bool           valid  = gm_dtmi_parse(id, &dtmi);
    const gm_json *expect = gm_json_get(t->node, GM_STR("expect"));
    if (valid != says_true(gm_json_get(t->node, GM_STR("valid")))) {
        DIFFERS(t, "the identifier is %s here", valid ? "valid" : "invalid");
        return;
    }
    if (!valid || expect == NULL) return;
    gm_str versionless =
        gm_arena_printf(t->arena, "dtmi:" GM_STR_FMT GM_STR_FMT, GM_STR_ARG(dtmi.path), GM_STR_ARG(dtmi.fragment));
    expect_number(t, expect, "MajorVersion", dtmi.major);
    expect_number(t, expect, "MinorVersion", dtmi.minor);
    expect_number(t, expect, "CompleteVersion", dtmi.major + dtmi.minor / 1e6);
    expect_string(t, expect, "Versionless", versionless.ptr != NULL ? versionless : GM_STR(""));
    expect_string(t, expect, "Fragment", dtmi.fragment);
    if (says_true(gm_json_get(expect, GM_STR("IsReserved"))) != dtmi.reserved) {
        DIFFERS(t, "the identifier is %sreserved here", dtmi.reserved ? "" : "not ");
    }
    const gm_json *labels = gm_json_get(expect, GM_STR("Labels"));
    gm_str         rest   = dtmi.path, label;
    const gm_json *wanted = gm_json_is(labels, GM_JSON_ARRAY) ? labels->first : NULL;
    for (; labels != NULL && gm_str_next(&rest, ':', &label); wanted = wanted != NULL ? wanted->next : NULL) {
        if (!gm_json_is(wanted, GM_JSON_STRING) || !gm_str_eq(wanted->text, label)) {
            DIFFERS(t, "label \"" GM_STR_FMT "\" was not expected", GM_STR_ARG(label));
        }
    }
    if (labels != NULL && wanted != NULL) DIFFERS(t, "more labels were expected");
}

// ---- documents ----

typedef struct inputs { gm_model_source *items; size_t count, resolved_from; } inputs;

static size_t count_documents(const gm_json *list)
{
    return gm_json_is(list, GM_JSON_ARRAY) ? list->count : list != NULL ? 1 : 0;
}

static void add_documents(trial *t, inputs *to, const gm_json *list)
{
    bool array = gm_json_is(list, GM_JSON_ARRAY);
    for (const gm_json *d = array ? list->first : list; d != NULL; d = array ? d->next : NULL) {
        // A document that is not JSON can only be given as the text of a string.
        gm_str text = d->kind == GM_JSON_STRING ? d->text : gm_str_slice(t->text, d->start, d->end);
        to->items[to->count++] = (gm_model_source){ .text = text };
    }
}

static bool collect_inputs(trial *t, inputs *to)
{
    const gm_json *input      = gm_json_get(t->node, GM_STR("input")),
                  *resolution = gm_json_get(t->node, GM_STR("resolution"));
    const gm_json *first = gm_json_is(resolution, GM_JSON_ARRAY) ? resolution->first : NULL;
    size_t         count = count_documents(input);
    for (const gm_json *r = first; r != NULL; r = r->next) count += count_documents(gm_json_get(r, GM_STR("response")));
    *to = (inputs){ .items = gm_arena_zeroed(t->arena, count + 1, sizeof *to->items) };
    if (to->items == NULL) return false;
    add_documents(t, to, input);
    to->resolved_from = to->count;
    for (const gm_json *r = first; r != NULL; r = r->next) add_documents(t, to, gm_json_get(r, GM_STR("response")));
    return true;
}

static void compare_errors(trial *t, const gm_findings *found)
{
    const gm_json *expect = gm_json_get(t->node, GM_STR("expect"));
    const gm_json *errors = gm_json_get(expect, GM_STR("parsingErrors"));
    for (const gm_json *e = gm_json_is(errors, GM_JSON_ARRAY) ? errors->first : NULL; e != NULL; e = e->next) {
        const gm_json *rule = gm_json_get(e, GM_STR("ValidationID"));
        bool           met  = false;
        for (size_t i = 0; i < found->count; i++)
            met = met || (gm_json_is(rule, GM_JSON_STRING) && gm_str_eq(rule->text, found->items[i].rule));
        if (met || !gm_json_is(rule, GM_JSON_STRING)) continue;
        DIFFERS(t, "expected " GM_STR_FMT ", found " GM_STR_FMT ": " GM_STR_FMT, GM_STR_ARG(rule->text),
                GM_STR_ARG(found->items[0].rule), GM_STR_ARG(found->items[0].text));
    }
}

// The identifier that a value of an element's member has, written as the cases write it.
static gm_str ref_id(trial *t, const gm_ref *ref)
{
    if (ref->element != NULL) return gm_element_id(ref->element, t->arena);
    if (ref->standard != NULL && ref->id.len == 0) {
        return gm_arena_printf(t->arena, "%s%s;%u", ref->standard->prefix, ref->standard->name, ref->version);
    }
    return ref->id;
}

static bool literal_agrees(const gm_member *member, const gm_json *wanted)
{
    int64_t i;
    switch ((gm_json_kind)wanted->kind) {
    case GM_JSON_STRING: return member->literal == GM_KIND_STRING && gm_str_eq(member->value.s, wanted->text);
    case GM_JSON_BOOL: return member->literal == GM_KIND_BOOL && (member->value.i != 0) == wanted->truth;
    case GM_JSON_NUMBER: return !gm_json_int(wanted, &i) || (member->literal == GM_KIND_INT && member->value.i == i);
    default: return true;
    }
}

static bool has_ref(trial *t, const gm_member *member, gm_str id)
{
    for (uint32_t r = 0; r < member->ref_count; r++) {
        if (gm_str_eq(ref_id(t, &member->refs[r]), id)) return true;
    }
    return false;
}

static void compare_contents(trial *t, const gm_element *element, const gm_json *wanted)
{
    for (const gm_json *w = wanted->first; w != NULL; w = w->next) {
        bool met = false;
        for (uint32_t c = 0; c < element->content_count; c++) {
            met = met || (w->kind == GM_JSON_STRING &&
                          gm_str_eq(gm_element_id(element->contents[c].element, t->arena), w->text));
        }
        if (!met) DIFFERS(t, GM_STR_FMT " lacks the content " GM_STR_FMT, GM_STR_ARG(element->id), GM_STR_ARG(w->text));
    }
}

static void compare_member(trial *t, const gm_element *element, const gm_json *wanted)
{
    const gm_member *member = element->members;
    while (member != NULL && !gm_str_is(wanted->key, member->meta->name)) member = member->next;
    if (gm_str_is(wanted->key, "contents") && wanted->kind >= GM_JSON_ARRAY) {
        compare_contents(t, element, wanted);
        return;
    }
    if (member == NULL) {  // a boolean that is not there is false; nothing may be expected otherwise
        bool absent = wanted->kind == GM_JSON_NULL || (wanted->kind == GM_JSON_BOOL && !wanted->truth) ||
                      (wanted->kind >= GM_JSON_ARRAY && wanted->count == 0) ||
                      gm_str_is(wanted->key, "languageMajorVersion");
        if (!absent) DIFFERS(t, "member \"" GM_STR_FMT "\" is missing", GM_STR_ARG(wanted->key));
        return;
    }
    if (member->meta->type != GM_VALUE_OBJECT) {
        if (!literal_agrees(member, wanted)) DIFFERS(t, "member \"" GM_STR_FMT "\" differs", GM_STR_ARG(wanted->key));
        return;
    }
    for (const gm_json *w = wanted->kind >= GM_JSON_ARRAY ? wanted->first : wanted; w != NULL;
         w = wanted->kind >= GM_JSON_ARRAY ? w->next : NULL) {
        if (w->kind == GM_JSON_STRING && !has_ref(t, member, w->text)) {
            DIFFERS(t, "member \"" GM_STR_FMT "\" does not refer to " GM_STR_FMT, GM_STR_ARG(wanted->key),
                    GM_STR_ARG(w->text));
        }
    }
}

static const gm_element *find_element(trial *t, const gm_set *set, gm_str id)
{
    const gm_element *element = gm_set_find(set, id);
    for (size_t i = 0; element == NULL && i < set->all_count; i++) {
        if (set->all[i]->id.len == 0 && gm_str_eq(gm_element_id(set->all[i], t->arena), id)) element = set->all[i];
    }
    return element;
}

static void compare_elements(trial *t, const gm_set *set)
{
    const gm_json *elements = gm_json_get(gm_json_get(t->node, GM_STR("expect")), GM_STR("elements"));
    for (const gm_json *e = gm_json_is(elements, GM_JSON_ARRAY) ? elements->first : NULL; e != NULL; e = e->next) {
        const gm_json *id = gm_json_get(e, GM_STR("id")), *type = gm_json_get(e, GM_STR("type"));
        if (!gm_json_is(id, GM_JSON_STRING)) continue;
        const gm_element *element = find_element(t, set, id->text);
        if (element == NULL) {
            DIFFERS(t, "there is no element " GM_STR_FMT, GM_STR_ARG(id->text));
            return;
        }
        if (gm_json_is(type, GM_JSON_STRING) && !gm_str_is(type->text, gm_class_name(element->cls))) {
            DIFFERS(t, GM_STR_FMT " is of type %s", GM_STR_ARG(id->text), gm_class_name(element->cls));
        }
        const gm_json *properties = gm_json_get(e, GM_STR("properties"));
        const gm_json *first      = gm_json_is(properties, GM_JSON_OBJECT) ? properties->first : NULL;
        for (const gm_json *p = first; p != NULL; p = p->next) compare_member(t, element, p);
    }
}

static gm_status compare(trial *t, const gm_set *set, gm_collector *found)
{
    gm_findings findings;
    bool        valid = says_true(gm_json_get(t->node, GM_STR("valid")));
    gm_status   st    = gm_collector_take(found, &findings, t->err);
    if (st != GM_OK) return st;
    if (valid && findings.count > 0) {
        DIFFERS(t, "expected valid, found " GM_STR_FMT ": " GM_STR_FMT, GM_STR_ARG(findings.items[0].rule),
                GM_STR_ARG(findings.items[0].text));
    } else if (!valid && findings.count == 0) {
        const gm_json *errors = gm_json_get(gm_json_get(t->node, GM_STR("expect")), GM_STR("parsingErrors"));
        const gm_json *rule =
            gm_json_is(errors, GM_JSON_ARRAY) ? gm_json_get(errors->first, GM_STR("ValidationID")) : NULL;
        gm_str         wanted = gm_json_is(rule, GM_JSON_STRING) ? rule->text : GM_STR("invalid");
        DIFFERS(t, "expected " GM_STR_FMT ", found nothing wrong", GM_STR_ARG(wanted));
    } else if (valid) {
        compare_elements(t, set);
    } else {
        compare_errors(t, &findings);
    }
    gm_findings_finish(&findings);
    return GM_OK;
}

static gm_status run_documents(trial *t)
{
    inputs given;
    if (!collect_inputs(t, &given)) return gm_fail(t->err, GM_NOMEM, "model.case", "a case");
    const gm_json *options = gm_json_get(t->node, GM_STR("options")), *quirks = gm_json_get(t->node, GM_STR("quirks"));
    const gm_json *limits  = gm_json_get(t->node, GM_STR("acceptableLimits"));
    const gm_json *max     = gm_json_get(t->node, GM_STR("maxDtdlVersion"));
    int64_t        version = 0;
    gm_model_rules rules   = {
          .unknown_extensions =
            lists(options, "AllowUndefinedExtensions") || lists(options, "AlwaysAllowUndefinedExtensions")
                  ? GM_UNKNOWN_ALLOWED
              : lists(options, "DisallowUndefinedExtensions") ? GM_UNKNOWN_REFUSED
                                                              : GM_UNKNOWN_PER_VERSION,
          .tolerate          = lists(quirks, "TolerateSolecismsInParse"),
          .tolerate_resolved = lists(quirks, "TolerateSolecismsInResolve"),
          .resolved_from     = given.resolved_from,
          .version_max       = gm_json_int(max, &version) && version > 0 && version < 100 ? (unsigned)version : 0,
    };
    gm_str *accepted =
        gm_arena_zeroed(t->arena, gm_json_is(limits, GM_JSON_ARRAY) ? limits->count + 1 : 1, sizeof *accepted);
    if (accepted == NULL) return gm_fail(t->err, GM_NOMEM, "model.case", "a case");
    for (const gm_json *l = gm_json_is(limits, GM_JSON_ARRAY) ? limits->first : NULL; l != NULL; l = l->next) {
        if (l->kind == GM_JSON_STRING) accepted[rules.limit_context_count++] = l->text;
    }
    rules.limit_contexts = accepted;

    gm_collector found;
    gm_status    st = gm_collector_init(&found, t->alloc, t->err);
    if (st != GM_OK) return st;
    gm_set set = { .alloc = t->alloc, .arena = t->arena, .found = &found, .rules = &rules };
    st = gm_set_read(&set, given.items, given.count, t->err);
    if (st == GM_OK) st = gm_set_check(&set, t->err);
    if (st == GM_OK) st = compare(t, &set, &found);
    gm_set_finish(&set);
    gm_collector_finish(&found);
    return st;
}

static gm_status run_case(trial *t)
{
    const gm_json *id = gm_json_get(t->node, GM_STR("idText"));
    if (t->node->kind != GM_JSON_OBJECT || (id == NULL && gm_json_get(t->node, GM_STR("input")) == NULL)) {
        return gm_fail(t->err, GM_INVALID, "model.case", "a case needs \"input\" or \"idText\"");
    }
    if (gm_json_is(id, GM_JSON_STRING)) run_dtmi(t, id->text);
    else return run_documents(t);
    return GM_OK;
}

gm_status gm_dtdl_case_run(const gm_alloc *alloc, gm_str file_text, gm_buf *out_line, bool *out_ok, gm_error *err)
{
    assert(alloc != NULL && out_line != NULL && out_ok != NULL);
    *out_ok = false;
    gm_arena *arena = gm_arena_create(alloc, 0);
    if (arena == NULL) return gm_fail(err, GM_NOMEM, "model.case", "a case file");
    const gm_json *root = NULL;
    gm_status      st   = gm_json_parse(arena, file_text, &root, err);
    bool           all  = st == GM_OK, array = gm_json_is(root, GM_JSON_ARRAY);
    size_t         n    = 0;
    for (const gm_json *c = array ? root->first : root; c != NULL && st == GM_OK; c = array ? c->next : NULL) {
        gm_mark mark = gm_arena_mark(arena);
        trial   t    = { .alloc = alloc, .arena = arena, .text = file_text, .node = c, .out = out_line, .err = err };
        t.agrees     = true;
        gm_buf_printf(out_line, "%s%zu ", n > 0 ? "\n" : "", n);
        n++;
        st = run_case(&t);
        if (st == GM_OK && t.agrees) gm_buf_text(out_line, "ok");
        all = all && t.agrees;
        gm_arena_rewind(arena, mark);
    }
    gm_arena_destroy(arena);
    if (st == GM_OK && out_line->failed) st = gm_fail(err, GM_NOMEM, "model.case", "a case file");
    *out_ok = st == GM_OK && all;
    return st;
}
