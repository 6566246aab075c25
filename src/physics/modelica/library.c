// The set of texts. Adding is a transaction per text in the sense that a text's classes are entered only after it was
// read to its end; memory of a refused text stays in the arena until the set is destroyed.
#include "physics/modelica/library.h"

#include <stdio.h>
#include <stdlib.h>

static const char WHERE[] = "physics.modelica";

enum { FILES_MAX = 4000, FOLDER_DEPTH_MAX = 20, FILE_BYTES_MAX = 16 << 20 };

static const char *const words[GM_WORD_COUNT] = {
#define X(name) #name,
    GM_WORD_LIST(X)
#undef X
};

// ---------------------------------------------------------------------------------------------------- adding classes

static void add_member(gm_modelica *m, gm_work *w, gm_ast_class *to, gm_ast_class *class_, gm_diags *diags)
{
    uint32_t known = gm_map_find(&to->members, class_->name);
    if (known != GM_MAP_NONE && to->elements[known].kind == GM_AST_IMPORT) {  // its name was given free
        class_->parent      = to == &m->root ? NULL : to;
        to->elements[known] = (gm_ast_element){ .kind = GM_AST_CLASS, .class_ = class_ };
        return;
    }
    if (known != GM_MAP_NONE) {
        const gm_ast_class *first = to->elements[known].kind == GM_AST_CLASS ? to->elements[known].class_ : NULL;
        uint32_t            line = 0, column;
        const gm_source    *source = gm_source_at(&m->sources, first != NULL ? first->at : 0, &line, &column);
        gm_str              name   = m->names.texts[class_->name];
        gm_diags_add(diags, &m->sources, GM_SEVERITY_ERROR, class_->at, class_->length,
                     "`" GM_STR_FMT "` exists already, in " GM_STR_FMT " line %u", GM_STR_ARG(name),
                     GM_STR_ARG(source != NULL ? source->file : GM_STR("the built-in library")), line);
        return;
    }
    // Elements are one array; it grows by doubling, which its count alone tells.
    uint32_t count = to->element_count;
    if ((count & (count - 1)) == 0) {
        gm_ast_element *grown = GM_WORK_NEW(w, gm_ast_element, count > 0 ? (size_t)count * 2 : 4);
        if (count > 0) memcpy(grown, to->elements, count * sizeof *grown);
        to->elements = grown;
    }
    class_->parent       = to == &m->root ? NULL : to;
    to->elements[count]  = (gm_ast_element){ .kind = GM_AST_CLASS, .class_ = class_ };
    to->element_count    = count + 1;
    gm_map_put(w, &to->members, class_->name, count);
}

static gm_ast_class *member_class(gm_ast_class *in, gm_sym name)
{
    uint32_t at = gm_map_find(&in->members, name);
    return at != GM_MAP_NONE && in->elements[at].kind == GM_AST_CLASS ? in->elements[at].class_ : NULL;
}

static gm_ast_class *within_class(gm_modelica *m, const gm_parsed *parsed, gm_diags *diags)
{
    gm_ast_class *in = &m->root;
    for (uint32_t i = 0; parsed->within != NULL && i < parsed->within->count; i++) {
        const gm_ast_part *part  = &parsed->within->parts[i];
        gm_ast_class      *inner = member_class(in, part->name);
        if (inner == NULL) {
            gm_diags_add(diags, &m->sources, GM_SEVERITY_ERROR, part->at, part->length,
                         "the package `" GM_STR_FMT "` is not loaded; read its package.mo first",
                         GM_STR_ARG(m->names.texts[part->name]));
            return NULL;
        }
        in = inner;
    }
    return in;
}

// A class's element array must be one that add_member may double.
static void make_growable(gm_work *w, gm_ast_class *class_)
{
    uint32_t capacity = 4;
    while (capacity < class_->element_count) capacity *= 2;
    gm_ast_element *grown = GM_WORK_NEW(w, gm_ast_element, capacity);
    if (class_->element_count > 0) memcpy(grown, class_->elements, class_->element_count * sizeof *grown);
    class_->elements = grown;
    for (uint32_t i = 0; i < class_->element_count; i++) {
        if (grown[i].kind == GM_AST_CLASS && grown[i].class_->kind == GM_AST_CLASS_PACKAGE)
            make_growable(w, grown[i].class_);
    }
}

static bool can_run(const gm_ast_class *class_)
{
    return !class_->is_partial && !class_->is_enumeration &&
           (class_->kind == GM_AST_CLASS_MODEL || class_->kind == GM_AST_CLASS_BLOCK ||
            class_->kind == GM_AST_CLASS_CLASS);
}

static gm_ast_class *last_runnable(gm_ast_class *class_)
{
    if (can_run(class_)) return class_;
    if (class_->kind != GM_AST_CLASS_PACKAGE) return NULL;
    for (uint32_t i = class_->element_count; i-- > 0;) {
        gm_ast_class *found =
            class_->elements[i].kind == GM_AST_CLASS ? last_runnable(class_->elements[i].class_) : NULL;
        if (found != NULL) return found;
    }
    return NULL;
}

static gm_str full_name(const gm_modelica *m, gm_work *w, const gm_ast_class *class_)
{
    gm_str name = m->names.texts[class_->name];
    if (class_->parent == NULL) return name;
    gm_str outer = full_name(m, w, class_->parent);
    return gm_work_printf(w, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(outer), GM_STR_ARG(name));
}

static void add_text(gm_modelica *m, gm_work *w, gm_str file, gm_str text, gm_diags *diags)
{
    if (text.len >= GM_SOURCE_BYTES_MAX || m->next_place + text.len >= GM_SOURCE_BYTES_MAX) {
        gm_work_stop(w, GM_LIMIT, WHERE, GM_STR_FMT ": the texts are larger than %d bytes together", GM_STR_ARG(file),
                     GM_SOURCE_BYTES_MAX);
    }
    GM_WORK_RESERVE(w, m->sources.items, m->sources.capacity, m->sources.count + 1);
    gm_source source = { .file = gm_work_str(w, file), .text = gm_work_str(w, text), .first = m->next_place };
    m->sources.items[m->sources.count++] = source;
    m->next_place += (gm_place)text.len + 1;

    gm_parsed parsed;
    gm_parse(w, &m->names, &m->sources, &source, diags, &m->class_count, &parsed);
    gm_ast_class *to = within_class(m, &parsed, diags);
    for (uint32_t i = 0; to != NULL && i < parsed.count; i++) {
        if (parsed.classes[i]->kind == GM_AST_CLASS_PACKAGE) make_growable(w, parsed.classes[i]);
        add_member(m, w, to, parsed.classes[i], diags);
        gm_ast_class *last = last_runnable(parsed.classes[i]);
        if (last != NULL) m->last_class = full_name(m, w, last);
    }
}

gm_status gm_modelica_add(gm_modelica *m, gm_str file, gm_str text, gm_diags *diags, gm_error *err)
{
    gm_work_exit leave  = { .err = err };
    gm_work      w      = { .arena = m->arena, .leave = &leave };
    uint32_t     before = diags->errors;
    if (setjmp(leave.jump) != 0) return leave.status;
    add_text(m, &w, file, text, diags);
    return diags->errors > before || diags->failed ? gm_diags_fail(diags, err) : GM_OK;
}

void gm_modelica_remove(gm_modelica *m, gm_str class_name)
{
    uint32_t at = gm_map_find(&m->root.members, gm_names_find(&m->names, class_name));
    if (at == GM_MAP_NONE || m->root.elements[at].kind != GM_AST_CLASS) return;
    m->root.elements[at] = (gm_ast_element){ .kind = GM_AST_IMPORT };  // a gap: nobody looks for imports at the top
}

// ---------------------------------------------------------------------------------------------------- life

static void add_primitive(gm_modelica *m, gm_work *w, int index, gm_word word)
{
    gm_ast_class *class_ = &m->prims[index];
    *class_ = (gm_ast_class) { .name = m->words[word], .kind = GM_AST_CLASS_TYPE, .number = m->class_count++ };
    gm_diags none        = { .failed = true };
    add_member(m, w, &m->root, class_, &none);
}

static gm_status fill(gm_modelica *m, gm_error *err)
{
    gm_work_exit leave = { .err = err };
    gm_work      w     = { .arena = m->arena, .leave = &leave };
    gm_diags     diags;
    gm_diags_init(&diags, m->alloc);
    if (setjmp(leave.jump) != 0) {
        gm_diags_finish(&diags);
        return leave.status;
    }
    gm_names_init(&w, &m->names);
    for (int i = 0; i < GM_WORD_COUNT; i++) m->words[i] = gm_names_add(&w, &m->names, gm_str_of(words[i]));
    m->next_place  = 1;
    m->root.name   = gm_names_add(&w, &m->names, GM_STR("the top"));
    m->root.kind   = GM_AST_CLASS_PACKAGE;
    m->root.number = m->class_count++;
    static const gm_word prims[] = { GM_WORD_Real, GM_WORD_Integer, GM_WORD_Boolean, GM_WORD_String };
    for (int i = 0; i < 4; i++) add_primitive(m, &w, i, prims[i]);
    gm_builtins_register(m, &w);
    add_text(m, &w, GM_STR("(built in)"), gm_str_of(gm_modelica_builtin_text), &diags);
    m->own_sources = m->sources.count;
    m->last_class  = (gm_str){ 0 };
    gm_status st   = diags.errors > 0 || diags.failed ? gm_diags_fail(&diags, err) : GM_OK;
    gm_diags_finish(&diags);
    return st;
}

gm_modelica *gm_modelica_create(const gm_alloc *alloc, gm_error *err)
{
    gm_modelica *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m != NULL) {
        m->alloc = alloc;
        m->arena = gm_arena_create(alloc, 0);
    }
    if (m == NULL || m->arena == NULL) {
        gm_fail(err, GM_NOMEM, WHERE, "a set of models");
    } else if (fill(m, err) == GM_OK) {
        return m;
    }
    gm_modelica_destroy(m);
    return NULL;
}

void gm_modelica_destroy(gm_modelica *m)
{
    if (m == NULL) return;
    gm_arena_destroy(m->arena);
    gm_free(m->alloc, m);
}

// ---------------------------------------------------------------------------------------------------- files

typedef struct listing { gm_work *w; gm_str *items; uint32_t count, capacity; } listing;

static gm_status list_one(void *context, gm_str name, gm_error *err)
{
    listing *l = context;
    if (l->count >= FILES_MAX) return gm_fail(err, GM_LIMIT, WHERE, "a folder of more than %d files", FILES_MAX);
    if (l->count == l->capacity) {
        // Called from inside gm_io, which a jump must not cross: so this is the arena by hand.
        uint32_t capacity = l->capacity > 0 ? l->capacity * 2 : 32;
        gm_str  *grown    = GM_ARENA_NEW(l->w->arena, gm_str, capacity);
        if (grown == NULL) return gm_fail(err, GM_NOMEM, WHERE, "listing a folder");
        if (l->count > 0) memcpy(grown, l->items, l->count * sizeof *grown);
        l->items    = grown;
        l->capacity = capacity;
    }
    gm_str copy = gm_arena_str(l->w->arena, name);
    if (copy.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "listing a folder");
    l->items[l->count++] = copy;
    return GM_OK;
}

static gm_status add_file(gm_modelica *m, const gm_io *io, const char *path, gm_diags *diags, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_status st    = gm_io_read_file(io, path, FILE_BYTES_MAX, &bytes, &size, err);
    if (st == GM_OK) st = gm_modelica_add(m, gm_str_of(path), (gm_str){ (const char *)bytes, size }, diags, err);
    gm_free(io->alloc, bytes);
    return st;
}

static gm_status add_folder(gm_modelica *m, const gm_io *io, const char *path, int depth, gm_diags *diags,
                            gm_error *err);

// One entry of a folder, by its name: a .mo file or a folder that may be a package.
static gm_status add_entry(gm_modelica *m, const gm_io *io, const char *folder, gm_str name, bool folders, int depth,
                           gm_diags *diags, gm_error *err)
{
    bool is_text = gm_str_ends(name, GM_STR(".mo")) || gm_str_ends(name, GM_STR(".bmo"));
    bool plain   = gm_str_find_char(name, '.') == SIZE_MAX;
    if (gm_str_is(name, "package.mo") || (folders ? !plain : !is_text)) return GM_OK;
    char path[4096];
    int  len = snprintf(path, sizeof path, "%s/" GM_STR_FMT, folder, GM_STR_ARG(name));
    if (len < 0 || (size_t)len >= sizeof path) return gm_fail(err, GM_LIMIT, WHERE, "%s: the path is too long", folder);
    if (!folders) return add_file(m, io, path, diags, err);
    char package[4200];
    snprintf(package, sizeof package, "%s/package.mo", path);
    gm_file  *probe = NULL;
    if (io->open(io, package, GM_OPEN_READ, &probe, NULL) != GM_OK) return GM_OK;  // not a package: not ours
    io->close(probe);
    return add_folder(m, io, path, depth + 1, diags, err);
}

static gm_status add_folder(gm_modelica *m, const gm_io *io, const char *path, int depth, gm_diags *diags,
                            gm_error *err)
{
    if (depth > FOLDER_DEPTH_MAX) return gm_fail(err, GM_LIMIT, WHERE, "%s: folders are nested too deep", path);
    gm_work_exit leave = { .err = err };
    gm_work      w     = { .arena = m->arena, .leave = &leave };
    listing      names = { .w = &w };
    gm_status    worst = io->list(io, path, list_one, &names, err);
    char         package[4200];
    int          len = snprintf(package, sizeof package, "%s/package.mo", path);
    if (worst != GM_OK) return worst;
    if (len < 0 || (size_t)len >= sizeof package)
        return gm_fail(err, GM_LIMIT, WHERE, "%s: the path is too long", path);
    for (uint32_t i = 0; i < names.count; i++) {
        if (gm_str_is(names.items[i], "package.mo")) worst = add_file(m, io, package, diags, err);
    }
    // Errors in one file do not hide those in the next one.
    for (int folders = 0; folders < 2; folders++) {
        for (uint32_t i = 0; i < names.count; i++) {
            gm_error  later = { 0 };
            gm_status st    = add_entry(m, io, path, names.items[i], folders == 1, depth, diags, &later);
            if (st == GM_OK) continue;
            if (worst == GM_OK) {
                worst = st;
                if (err != NULL) *err = later;
            }
            if (st != GM_INVALID) return worst;
        }
    }
    return worst;
}

gm_status gm_modelica_add_path(gm_modelica *m, const gm_io *io, const char *path, gm_diags *diags, gm_error *err)
{
    if (gm_str_ends(gm_str_of(path), GM_STR("mo"))) return add_file(m, io, path, diags, err);
    return add_folder(m, io, path, 0, diags, err);
}

// ---------------------------------------------------------------------------------------------------- asking

gm_str gm_modelica_last_class(const gm_modelica *m)
{
    return m->last_class;
}

static const gm_ast_class *class_below(const gm_modelica *m, const gm_ast_class *in, gm_str name, int depth)
{
    // A quoted name may itself hold dots: every way to divide the text is tried, the whole first.
    for (size_t end = name.len; end > 0 && depth < 20; end--) {
        if (end < name.len && name.ptr[end] != '.') continue;
        uint32_t at = gm_map_find(&in->members, gm_names_find(&m->names, gm_str_slice(name, 0, end)));
        if (at == GM_MAP_NONE || in->elements[at].kind != GM_AST_CLASS) continue;
        const gm_ast_class *found = in->elements[at].class_;
        if (end < name.len) found = class_below(m, found, gm_str_slice(name, end + 1, name.len), depth + 1);
        if (found != NULL) return found;
    }
    return NULL;
}

const gm_ast_class *gm_modelica_class(const gm_modelica *m, gm_str name)
{
    return class_below(m, &m->root, name, 0);
}

static gm_str text_of(const gm_ast_mod *mod)
{
    return mod != NULL && mod->value != NULL && mod->value->kind == GM_AST_STRING ? mod->value->text : (gm_str){ 0 };
}

gm_str gm_modelica_interface(const gm_modelica *m, const gm_ast_class *class_)
{
    const gm_ast_mod *ours = gm_ast_mod_find(class_->annotation, m->words[GM_WORD___gemel]);
    return text_of(gm_ast_mod_find(ours, m->words[GM_WORD_interface]));
}

typedef struct walk {
    gm_modelica *m;
    gm_work     *w;
    void (*each)(void *context, gm_str name, gm_str interface_id);
    void *context;
} walk;

static void walk_class(walk *k, gm_ast_class *class_)
{
    if (can_run(class_)) k->each(k->context, full_name(k->m, k->w, class_), gm_modelica_interface(k->m, class_));
    for (uint32_t i = 0; i < class_->element_count; i++) {
        if (class_->elements[i].kind == GM_AST_CLASS) walk_class(k, class_->elements[i].class_);
    }
}

void gm_modelica_each_class(gm_modelica *m, void (*each)(void *context, gm_str name, gm_str interface_id),
                            void        *context)
{
    gm_work_exit leave = { 0 };
    gm_work      w     = { .arena = m->arena, .leave = &leave };
    if (setjmp(leave.jump) != 0) return;
    walk    k    = { m, &w, each, context };
    gm_mark mark = gm_arena_mark(m->arena);
    for (uint32_t i = 0; i < m->root.element_count; i++) {
        if (m->root.elements[i].kind != GM_AST_CLASS) continue;
        gm_ast_class *class_ = m->root.elements[i].class_;
        uint32_t      line, column;
        const gm_source *source = gm_source_at(&m->sources, class_->at, &line, &column);
        if (source == NULL || source < m->sources.items + m->own_sources) continue;
        walk_class(&k, class_);
    }
    gm_arena_rewind(m->arena, mark);
}

gm_str gm_modelica_annotation(gm_modelica *m, gm_str class_name)
{
    const gm_ast_class *class_ = gm_modelica_class(m, class_name);
    return class_ != NULL ? class_->annotation_text : (gm_str){ 0 };
}

gm_str gm_modelica_connect_rule(gm_modelica *m, gm_str class_name, gm_str relationship)
{
    const gm_ast_class *class_ = gm_modelica_class(m, class_name);
    if (class_ == NULL) return (gm_str){ 0 };
    const gm_ast_mod *ours  = gm_ast_mod_find(class_->annotation, m->words[GM_WORD___gemel]);
    const gm_ast_mod *rules = gm_ast_mod_find(ours, m->words[GM_WORD_connect]);
    return text_of(gm_ast_mod_find(rules, gm_names_find(&m->names, relationship)));
}

void gm_modelica_each_note(gm_modelica *m, gm_str class_name, gm_str group,
                           void (*each)(void *context, gm_str name, gm_str text), void *context)
{
    const gm_ast_class *class_ = gm_modelica_class(m, class_name);
    if (class_ == NULL) return;
    const gm_ast_mod *ours  = gm_ast_mod_find(class_->annotation, m->words[GM_WORD___gemel]);
    const gm_ast_mod *notes = gm_ast_mod_find(ours, gm_names_find(&m->names, group));
    for (uint32_t i = 0; notes != NULL && i < notes->count; i++) {
        each(context, m->names.texts[notes->items[i].name], text_of(&notes->items[i]));
    }
}

void gm_modelica_complain(gm_modelica *m, gm_str class_name, gm_diags *diags, gm_severity severity, const char *fmt, ...)
{
    const gm_ast_class *class_ = gm_modelica_class(m, class_name);
    va_list             args;
    va_start(args, fmt);
    gm_diags_add_list(diags, &m->sources, severity, class_ != NULL ? class_->at : 0,
                      class_ != NULL ? class_->length : 0, fmt, args);
    va_end(args);
}
