// Reading rules/*.modes.
#include "failure/modes.h"

#include "base/number.h"
#include "model/json_tree.h"
#include "thread/fact.h"

#include <math.h>
#include <stdio.h>

#define WHERE "failure.modes"

const char *gm_failure_effect_name(gm_failure_effect effect) { return effect == GM_EFFECT_STOPS ? "stops" : "degrades"; }

static const char *const severities[GM_LOSS_SEVERITY_COUNT] = { "low", "medium", "high", "critical" };
const char *gm_loss_severity_name(gm_loss_severity severity) { return severities[severity]; }

static const struct { const char *name; double beyond; } quantiles[GM_LIFE_QUANTILES] = {
    [GM_LIFE_LOW] = { "low", 0.95 }, [GM_LIFE_MEDIAN] = { "median", 0.5 }, [GM_LIFE_SURE] = { "sure", 0.1 }, [GM_LIFE_HIGH] = { "high", 0.05 },
};
double      gm_life_quantile_beyond(gm_life_quantile quantile) { return quantiles[quantile].beyond; }
const char *gm_life_quantile_name(gm_life_quantile quantile) { return quantiles[quantile].name; }

// ---- one declaration at hand ---------------------------------------------------------------------------------------------------

typedef struct reader {
    gm_failure_modes      *to;
    gm_str         file;
    gm_json_lines  lines;
    const gm_json *object;  // at hand
    const char    *what;    // "mode", "need" ...
    gm_str         name;    // its name; empty: not known yet
    gm_status      st;
    gm_error      *err;
} reader;

static GM_PRINTF(3, 4) void wrong(reader *r, const gm_json *at, const char *fmt, ...)
{
    char     text[160];
    uint32_t line = 1, column = 1;
    va_list  list;
    if (r->st != GM_OK) return;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    if (at != NULL) gm_json_position(&r->lines, at->key_start, &line, &column);
    gm_str name = gm_str_slice(r->name, 0, 40);
    r->st       = name.len > 0 ? gm_fail_at(r->err, GM_INVALID, WHERE, line, column, "%s '" GM_STR_FMT "': %s", r->what, GM_STR_ARG(name), text)
                               : gm_fail_at(r->err, GM_INVALID, WHERE, line, column, "%s: %s", r->what, text);
}

// A member that is misspelt must not be passed over. known: names, separated by blanks.
static void check_keys(reader *r, const gm_json *object, const char *known)
{
    for (const gm_json *m = object->first; m != NULL && r->st == GM_OK; m = m->next) {
        gm_str rest = gm_str_of(known), word;
        bool   found = false;
        while (!found && gm_str_next(&rest, ' ', &word)) found = gm_str_eq(word, m->key);
        if (m->repeated || !found) wrong(r, m, "\"" GM_STR_FMT "\" %s", GM_STR_ARG(gm_str_slice(m->key, 0, 40)), m->repeated ? "stands twice" : "means nothing here");
    }
}

static gm_str text_of(reader *r, const gm_json *object, const char *key)
{
    const gm_json *m = gm_json_get(object, gm_str_of(key));
    if (m == NULL) return (gm_str){ "", 0 };
    if (m->kind != GM_JSON_STRING || m->text.len == 0) wrong(r, m, "\"%s\" is a text", key);
    return m->text;
}

static double number_of(reader *r, const gm_json *object, const char *key, double low, double high, double otherwise)
{
    const gm_json *m     = gm_json_get(object, gm_str_of(key));
    double         value = NAN;
    if (m == NULL) return otherwise;
    if (m->kind == GM_JSON_NUMBER) (void)gm_number_read(m->text, &value);
    if (value >= low && value <= high) return value;
    if (isinf(high)) wrong(r, m, "\"%s\" is a number %s", key, low > 0 ? "above 0" : "of at least 0");
    else wrong(r, m, "\"%s\" is a number from %g to %g", key, low, high);
    return otherwise;
}

enum { TINY_EXPONENT = -300 };
static double positive(reader *r, const gm_json *object, const char *key, double otherwise)
{
    return number_of(r, object, key, ldexp(1, TINY_EXPONENT), HUGE_VAL, otherwise);
}

static gm_dur_ns duration_of(reader *r, const gm_json *object, const char *key)
{
    const gm_json *m  = gm_json_get(object, gm_str_of(key));
    gm_dur_ns      ns = 0;
    if (m != NULL && (m->kind != GM_JSON_STRING || gm_dur_parse(m->text, &ns, NULL) != GM_OK)) wrong(r, m, "\"%s\" is a time such as \"10min\" or \"8h\"", key);
    return ns;
}

// One of `count` words; which one, or `otherwise` when the member is not there.
static unsigned word_of(reader *r, const gm_json *object, const char *key, const char *const *words, unsigned count, unsigned otherwise)
{
    const gm_json *m = gm_json_get(object, gm_str_of(key));
    char           list[100] = "";
    if (m == NULL) return otherwise;
    for (unsigned i = 0; i < count; i++) {
        if (m->kind == GM_JSON_STRING && gm_str_is(m->text, words[i])) return i;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    wrong(r, m, "\"%s\" is one of %s", key, list);
    return otherwise;
}

static gm_failure_effect effect_of(reader *r)
{
    static const char *const words[] = { "stops", "degrades" };
    return (gm_failure_effect)word_of(r, r->object, "effect", words, 2, GM_EFFECT_STOPS);
}

static gm_failure_scope scope_of(reader *r)
{
    uint32_t         column;
    gm_failure_scope s = { .on = text_of(r, r->object, "on"), .members = text_of(r, r->object, "members"), .file = r->file };
    gm_json_position(&r->lines, r->object->start, &s.line, &column);
    if (s.on.len == 0) wrong(r, r->object, "\"on\", the DTMI of an interface, is missing");
    else if (!gm_dtmi_valid(s.on)) wrong(r, gm_json_get(r->object, GM_STR("on")), "\"on\" is the DTMI of an interface");
    return s;
}

static void begin(reader *r, const gm_json *object, const char *what)
{
    r->object = object;
    r->what   = what;
    r->name   = (gm_str){ "", 0 };
    if (object->kind != GM_JSON_OBJECT) wrong(r, object, "an object is expected");
}

static void read_name(reader *r, gm_str *out)
{
    *out = text_of(r, r->object, "name");
    if (out->len == 0) wrong(r, r->object, "a \"name\" is missing");
    r->name = *out;
}

// "feeds" or "<feeds"
static gm_failure_path path_of(reader *r, const gm_json *at)
{
    gm_failure_path p = { 0 };
    if (at->kind == GM_JSON_STRING) {
        p.incoming     = at->text.len > 0 && at->text.ptr[0] == '<';
        p.relationship = gm_str_slice(at->text, p.incoming ? 1 : 0, at->text.len);
    }
    if (p.relationship.len == 0) wrong(r, at, "a relationship is a text such as \"feeds\", or \"<feeds\" for those that it comes from");
    return p;
}

// ---- modes ---------------------------------------------------------------------------------------------------------------------

static void read_sign(reader *r, const gm_json *o, gm_failure_sign *s)
{
    static const struct { const char *key; gm_sign_kind kind; } compares[] = { { "above", GM_SIGN_ABOVE }, { "below", GM_SIGN_BELOW }, { "is", GM_SIGN_IS } };
    if (o->kind != GM_JSON_OBJECT) { wrong(r, o, "a sign is an object with \"alarm\" or \"property\""); return; }
    check_keys(r, o, "alarm property on above below is probability otherwise proves");
    gm_str         alarm = text_of(r, o, "alarm"), property = text_of(r, o, "property");
    const gm_json *value = NULL, *proves = gm_json_get(o, GM_STR("proves")), *on = gm_json_get(o, GM_STR("on"));
    int            count = 0;
    *s = (gm_failure_sign){ .kind = GM_SIGN_ALARM, .name = alarm.len > 0 ? alarm : property, .value = GM_KIND_DOUBLE };
    for (size_t i = 0; i < sizeof compares / sizeof compares[0]; i++) {
        const gm_json *m = gm_json_get(o, gm_str_of(compares[i].key));
        if (m == NULL) continue;
        s->kind = compares[i].kind;
        value   = m;
        count++;
    }
    if ((alarm.len > 0) == (property.len > 0)) wrong(r, o, "a sign is either an \"alarm\" or a \"property\"");
    else if (count != (alarm.len > 0 ? 0 : 1)) wrong(r, o, "a sign by a property has one of \"above\", \"below\", \"is\", and one by an alarm none");
    if (value != NULL && value->kind == GM_JSON_NUMBER) (void)gm_number_read(value->text, &s->number);
    else if (value != NULL && s->kind != GM_SIGN_IS) wrong(r, value, "\"above\" and \"below\" are numbers");
    else if (value != NULL && value->kind == GM_JSON_STRING) { s->value = GM_KIND_STRING; s->text = value->text; }
    else if (value != NULL && value->kind == GM_JSON_BOOL) { s->value = GM_KIND_BOOL; s->number = value->truth; }
    else if (value != NULL) wrong(r, value, "\"is\" is a text, a number, true or false");
    if (on != NULL) s->on = path_of(r, on);
    if (proves != NULL && proves->kind != GM_JSON_BOOL) wrong(r, proves, "\"proves\" is true or false");
    s->proves      = proves != NULL && proves->truth;
    s->probability = number_of(r, o, "probability", 0, 1, 1);
    s->otherwise   = number_of(r, o, "otherwise", 0, 1, s->proves ? 0 : 0.01);
}

static void read_signs(reader *r, gm_failure_mode *m)
{
    const gm_json *list = gm_json_get(r->object, GM_STR("shownBy"));
    if (list == NULL || r->st != GM_OK) return;
    if (list->kind != GM_JSON_ARRAY || list->count > GM_MODE_SIGNS_MAX) { wrong(r, list, "\"shownBy\" is a list of at most %d signs", GM_MODE_SIGNS_MAX); return; }
    gm_failure_sign *signs = GM_ARENA_NEW(r->to->arena, gm_failure_sign, list->count + 1);
    if (signs == NULL) { r->st = gm_fail(r->err, GM_NOMEM, WHERE, "reading failure modes"); return; }
    for (const gm_json *o = list->first; o != NULL && r->st == GM_OK; o = o->next) read_sign(r, o, &signs[m->sign_count++]);
    m->signs = signs;
}

static void read_age(reader *r, const gm_json *weibull, gm_failure_mode *m)
{
    const gm_json *age = gm_json_get(weibull, GM_STR("age"));
    if (age == NULL) return;
    if (age->kind == GM_JSON_STRING) { m->age = age->text; return; }
    if (age->kind != GM_JSON_OBJECT) { wrong(r, age, "\"age\" is the path of a property, or {\"phase\", \"fact\"} of the thread"); return; }
    check_keys(r, age, "phase fact");
    m->age_phase = text_of(r, age, "phase");
    m->age_fact  = text_of(r, age, "fact");
    gm_phase phase;
    if (m->age_phase.len == 0 || m->age_fact.len == 0) wrong(r, age, "\"age\" of the thread has a \"phase\" and a \"fact\"");
    else if (!gm_phase_of(m->age_phase, &phase)) wrong(r, age, "there is no phase '" GM_STR_FMT "'; as-operated is one", GM_STR_ARG(gm_str_slice(m->age_phase, 0, 40)));
}

static void read_law(reader *r, gm_failure_mode *m)
{
    static const char *const laws[] = { "rate", "weibull", "life", "probability" };
    const gm_json *at = NULL;
    int            count = 0;
    for (unsigned i = 0; i < 4; i++) {
        const gm_json *x = gm_json_get(r->object, gm_str_of(laws[i]));
        if (x == NULL) continue;
        at     = x;
        m->law = (gm_mode_law)i;
        count++;
    }
    if (count != 1) { wrong(r, r->object, "how often it comes is said by one of \"rate\", \"weibull\", \"life\", \"probability\""); return; }
    if (m->law == GM_MODE_RATE) m->rate = number_of(r, r->object, "rate", 0, HUGE_VAL, 0);
    if (m->law == GM_MODE_PROBABILITY) m->probability = number_of(r, r->object, "probability", 0, 1, 0);
    if (m->law != GM_MODE_WEIBULL && m->law != GM_MODE_LIFE) return;
    if (at->kind != GM_JSON_OBJECT) { wrong(r, at, "\"%s\" is an object", laws[m->law]); return; }
    m->unit_h = positive(r, at, "unitHours", 0);
    if (m->law == GM_MODE_WEIBULL) {
        check_keys(r, at, "shape scale age unitHours");
        m->shape = positive(r, at, "shape", 0);
        m->scale = positive(r, at, "scale", 0);
        if (m->shape == 0 || m->scale == 0) wrong(r, at, "\"weibull\" has a \"shape\" and a \"scale\" (in hours)");
        read_age(r, at, m);
        return;
    }
    unsigned given = 0;
    check_keys(r, at, "low median sure high unitHours");
    for (unsigned q = 0; q < GM_LIFE_QUANTILES; q++) {
        m->life[q] = text_of(r, at, quantiles[q].name);
        given += m->life[q].len > 0;
    }
    if (given < 2) wrong(r, at, "\"life\" names two properties at least, of \"low\", \"median\", \"sure\", \"high\"");
}

static void read_mode(reader *r, const gm_json *o, gm_failure_mode *m)
{
    begin(r, o, "mode");
    if (r->st != GM_OK) return;
    *m = (gm_failure_mode){ 0 };
    read_name(r, &m->name);
    check_keys(r, o, "name on members rate weibull life probability shownBy effect text delay repair cost injects");
    m->scope    = scope_of(r);
    m->text     = text_of(r, o, "text");
    m->injects  = text_of(r, o, "injects");
    m->effect   = effect_of(r);
    m->delay    = duration_of(r, o, "delay");
    m->repair_h = (double)duration_of(r, o, "repair") / (double)GM_HOUR;
    m->cost     = number_of(r, o, "cost", 0, HUGE_VAL, 0);
    read_law(r, m);
    read_signs(r, m);
    for (uint32_t i = 0; i < r->to->mode_count; i++)
        if (gm_str_eq(r->to->modes[i].name, m->name) && gm_str_eq(r->to->modes[i].scope.on, m->scope.on)) wrong(r, o, "there is another one of this name on the same interface");
}

// ---- the others ----------------------------------------------------------------------------------------------------------------

static void read_from(reader *r, gm_failure_need *n)
{
    const gm_json *from = gm_json_get(r->object, GM_STR("from"));
    if (from == NULL) { wrong(r, r->object, "\"from\", the relationship that leads to what is needed, is missing"); return; }
    if (from->kind != GM_JSON_ARRAY) { n->from[n->from_count++] = path_of(r, from); return; }
    if (from->count == 0 || from->count > GM_NEED_FROM_MAX) { wrong(r, from, "\"from\" is a relationship or a list of at most %d", GM_NEED_FROM_MAX); return; }
    for (const gm_json *f = from->first; f != NULL && r->st == GM_OK; f = f->next) n->from[n->from_count++] = path_of(r, f);
}

static void read_working(reader *r, gm_failure_need *n)
{
    const gm_json *w    = gm_json_get(r->object, GM_STR("working"));
    int64_t        many = 0;
    n->working          = GM_WORKING_ALL;
    if (w == NULL || (w->kind == GM_JSON_STRING && gm_str_is(w->text, "all"))) return;
    if (w->kind == GM_JSON_STRING && gm_str_is(w->text, "any")) many = 1;
    else if (!gm_json_int(w, &many) || many < 1 || many > 1000000) wrong(r, w, "\"working\" is \"all\", \"any\", or how many must work, from 1");
    n->working = (uint32_t)many;
}

static void read_standby(reader *r, gm_failure_need *n)
{
    static const char *const words[] = { "hot", "warm", "cold" };
    const gm_json           *o       = r->object;
    n->standby   = (gm_standby)word_of(r, o, "standby", words, 3, GM_STANDBY_HOT);
    n->waiting   = number_of(r, o, "waiting", 0, 1, n->standby == GM_STANDBY_COLD ? 0 : 1);
    n->switching = number_of(r, o, "switching", 0, 1, 0);
    n->order     = text_of(r, o, "order");
    if (n->standby != GM_STANDBY_WARM && gm_json_get(o, GM_STR("waiting")) != NULL) wrong(r, o, "\"waiting\", the share of the rate while waiting, goes with \"standby\": \"warm\"");
    if (n->standby == GM_STANDBY_WARM && gm_json_get(o, GM_STR("waiting")) == NULL) wrong(r, o, "\"standby\": \"warm\" needs \"waiting\", the share of the rate while waiting");
    if (n->standby != GM_STANDBY_HOT && n->working == GM_WORKING_ALL) wrong(r, o, "\"standby\" needs \"working\": how many work while the others wait");
    if (n->standby == GM_STANDBY_HOT && (n->switching > 0 || n->order.len > 0)) wrong(r, o, "\"switching\" and \"order\" go with \"standby\": \"warm\" or \"cold\"");
}

static void read_need(reader *r, const gm_json *o, gm_failure_need *n)
{
    begin(r, o, "need");
    if (r->st != GM_OK) return;
    *n = (gm_failure_need){ 0 };
    read_name(r, &n->name);
    check_keys(r, o, "name on members from of working effect delay text standby waiting switching order");
    n->scope  = scope_of(r);
    n->text   = text_of(r, o, "text");
    n->of     = text_of(r, o, "of");
    n->effect = effect_of(r);
    n->delay  = duration_of(r, o, "delay");
    if (n->of.len > 0 && !gm_dtmi_valid(n->of)) wrong(r, o, "\"of\" is the DTMI of an interface");
    read_from(r, n);
    read_working(r, n);
    read_standby(r, n);
}

static void read_loss(reader *r, const gm_json *o, gm_failure_loss *l)
{
    begin(r, o, "loss");
    if (r->st != GM_OK) return;
    check_keys(r, o, "on members severity text cost costPerHour");
    *l            = (gm_failure_loss){ .scope = scope_of(r), .text = text_of(r, o, "text") };
    l->severity   = (gm_loss_severity)word_of(r, o, "severity", severities, GM_LOSS_SEVERITY_COUNT, GM_LOSS_SEVERITY_MEDIUM);
    l->cost       = number_of(r, o, "cost", 0, HUGE_VAL, 0);
    l->cost_per_h = number_of(r, o, "costPerHour", 0, HUGE_VAL, 0);
}

static void read_common(reader *r, const gm_json *o, gm_common_cause *c)
{
    begin(r, o, "common cause");
    if (r->st != GM_OK) return;
    *c = (gm_common_cause){ 0 };
    read_name(r, &c->name);
    check_keys(r, o, "name on members mode within beta");
    const gm_json *within = gm_json_get(o, GM_STR("within"));
    c->scope = scope_of(r);
    c->mode  = text_of(r, o, "mode");
    c->beta  = number_of(r, o, "beta", 0, 1, -1);
    if (within != NULL) c->within = path_of(r, within);
    if (c->mode.len == 0) wrong(r, o, "\"mode\", the name of a mode, is missing");
    if (c->beta < 0) wrong(r, o, "\"beta\", the share that is common, is a number from 0 to 1");
}

// ---- a file --------------------------------------------------------------------------------------------------------------------

static void read_list(reader *r, const gm_json *root, const char *key, uint32_t most, uint32_t *count, void (*read)(reader *r, const gm_json *o, uint32_t at))
{
    const gm_json *list = gm_json_get(root, gm_str_of(key));
    r->what             = key;
    r->name             = (gm_str){ "", 0 };
    if (list == NULL || r->st != GM_OK) return;
    if (list->kind != GM_JSON_ARRAY) wrong(r, list, "a list is expected");
    for (const gm_json *o = list->first; o != NULL && r->st == GM_OK; o = o->next) {
        if (*count == most) { r->st = gm_fail(r->err, GM_LIMIT, WHERE, "more than %u %s", most, key); return; }
        read(r, o, *count);
        if (r->st == GM_OK) (*count)++;
    }
}

static void mode_at(reader *r, const gm_json *o, uint32_t at)   { read_mode(r, o, &r->to->modes[at]); }
static void need_at(reader *r, const gm_json *o, uint32_t at)   { read_need(r, o, &r->to->needs[at]); }
static void loss_at(reader *r, const gm_json *o, uint32_t at)   { read_loss(r, o, &r->to->losses[at]); }
static void common_at(reader *r, const gm_json *o, uint32_t at) { read_common(r, o, &r->to->common[at]); }

gm_status gm_failure_modes_create(const gm_alloc *alloc, gm_failure_modes **out, gm_error *err)
{
    gm_failure_modes *m = gm_alloc_zeroed(alloc, sizeof *m);
    *out        = m;
    if (m != NULL) {
        m->alloc  = alloc;
        m->arena  = gm_arena_create(alloc, 0);
        m->modes  = gm_alloc_array(alloc, GM_MODES_MAX, sizeof *m->modes);
        m->needs  = gm_alloc_array(alloc, GM_NEEDS_MAX, sizeof *m->needs);
        m->losses = gm_alloc_array(alloc, GM_LOSSES_MAX, sizeof *m->losses);
        m->common = gm_alloc_array(alloc, GM_COMMON_MAX, sizeof *m->common);
    }
    if (m != NULL && m->arena != NULL && m->modes != NULL && m->needs != NULL && m->losses != NULL && m->common != NULL) return GM_OK;
    gm_failure_modes_destroy(m);
    *out = NULL;
    return gm_fail(err, GM_NOMEM, WHERE, "reading failure modes");
}

void gm_failure_modes_destroy(gm_failure_modes *m)
{
    if (m == NULL) return;
    gm_arena_destroy(m->arena);
    gm_free(m->alloc, m->modes);
    gm_free(m->alloc, m->needs);
    gm_free(m->alloc, m->losses);
    gm_free(m->alloc, m->common);
    gm_free(m->alloc, m);
}

gm_status gm_failure_modes_add(gm_failure_modes *m, gm_str file, gm_str text, gm_error *err)
{
    const gm_json *root = NULL;
    reader         r    = { .to = m, .file = gm_arena_str(m->arena, file), .err = err };
    gm_str         kept = gm_arena_str(m->arena, text);
    if (kept.ptr == NULL || r.file.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading failure modes");
    r.st = gm_json_parse(m->arena, kept, &root, err);
    if (r.st == GM_OK) r.st = gm_json_lines_build(m->arena, kept, &r.lines, err);
    if (r.st != GM_OK) return r.st;
    r.what = "failure modes";
    if (root->kind != GM_JSON_OBJECT) wrong(&r, root, "an object with lists \"modes\", \"needs\", \"losses\", \"common\" is expected");
    else check_keys(&r, root, "modes needs losses common");
    read_list(&r, root, "modes", GM_MODES_MAX, &m->mode_count, mode_at);
    read_list(&r, root, "needs", GM_NEEDS_MAX, &m->need_count, need_at);
    read_list(&r, root, "losses", GM_LOSSES_MAX, &m->loss_count, loss_at);
    read_list(&r, root, "common", GM_COMMON_MAX, &m->common_count, common_at);
    return r.st;
}
