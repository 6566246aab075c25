// A package from outside: every entry is looked at before anything is made of it.
#include "aas/package.h"

#include <sys/stat.h>
#include <zip.h>

static const char WHERE[] = "aas.package";

static gm_status refuse(gm_error *err, gm_status st, const char *name, const char *why)
{
    return gm_fail(err, st, WHERE, "the package's entry '%.80s' %s", name, why);
}

// A relative name of plain parts: nothing leads outside, on any system.
static gm_status check_name(const char *name, gm_error *err)
{
    gm_str rest = gm_str_of(name), part;
    if (rest.len == 0 || rest.len > 1000) return refuse(err, GM_INVALID, name, "has no usable name");
    if (name[0] == '/') return refuse(err, GM_INVALID, name, "has an absolute name");
    for (size_t i = 0; i < rest.len; i++) {
        if (name[i] == '\\' || name[i] == ':' || (unsigned char)name[i] < 32) return refuse(err, GM_INVALID, name, "has a name with forbidden characters");
    }
    if (name[rest.len - 1] == '/') rest.len--;
    while (gm_str_next(&rest, '/', &part)) {
        if (part.len == 0 || gm_str_is(part, ".") || gm_str_is(part, "..")) return refuse(err, GM_INVALID, name, "leads outside of its folder");
    }
    return GM_OK;
}

static gm_status check_entry(zip_t *zip, uint64_t index, const zip_stat_t *e, const gm_aasx_limits *limits, uint64_t *total, gm_error *err)
{
    zip_uint8_t  system;
    zip_uint32_t attributes;
    gm_status    st = check_name(e->name, err);
    if (st != GM_OK) return st;
    if ((e->valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && e->encryption_method != ZIP_EM_NONE) return refuse(err, GM_INVALID, e->name, "is encrypted");
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) == 0 && system == ZIP_OPSYS_UNIX) {
        unsigned kind = (attributes >> 16) & S_IFMT;
        if (kind != 0 && kind != S_IFREG && kind != S_IFDIR) return refuse(err, GM_INVALID, e->name, "is a link or a device");
    }
    if (e->size > limits->entry_max) return refuse(err, GM_LIMIT, e->name, "is larger than a document may be");
    if (e->size > limits->bytes_max - *total) return gm_fail(err, GM_LIMIT, WHERE, "the package has more than %llu bytes when unpacked", (unsigned long long)limits->bytes_max);
    *total += e->size;
    if (e->size > (64 << 10) && e->size / limits->ratio_max > e->comp_size) {
        return gm_fail(err, GM_LIMIT, WHERE, "the package's entry '%.80s' grows more than %llu-fold", e->name, (unsigned long long)limits->ratio_max);
    }
    return GM_OK;
}

static gm_status unpack(zip_t *zip, uint64_t index, const zip_stat_t *e, gm_aasx_package *out, gm_error *err)
{
    gm_aasx_file *f    = gm_aasx_new_file(out);
    zip_file_t   *from = f != NULL ? zip_fopen_index(zip, index, 0) : NULL;
    if (f == NULL) return gm_fail(err, GM_NOMEM, WHERE, "unpacking");
    if (from == NULL) return refuse(err, GM_INVALID, e->name, "can not be unpacked (encrypted, or packed in an unknown way)");
    gm_buf_printf(&f->path, "/%s", e->name);
    uint8_t    *to = gm_buf_reserve(&f->bytes, (size_t)e->size + 1);
    zip_int64_t n  = 0, got = to != NULL ? 0 : -1;
    while (to != NULL && (uint64_t)got <= e->size && (n = zip_fread(from, to + got, (zip_uint64_t)(e->size + 1 - (uint64_t)got))) > 0) got += n;
    zip_fclose(from);
    if (to == NULL || f->path.failed) return gm_fail(err, GM_NOMEM, WHERE, "unpacking");
    if (n < 0) return refuse(err, GM_INVALID, e->name, "can not be unpacked: its bytes are damaged");
    if ((uint64_t)got != e->size) return refuse(err, GM_INVALID, e->name, "is not as long as it says");  // the limits were checked against what it says
    f->bytes.len = (size_t)got;
    return GM_OK;
}

static gm_status unpack_all(zip_t *zip, const gm_aasx_limits *limits, gm_aasx_package *out, gm_error *err)
{
    zip_int64_t n     = zip_get_num_entries(zip, 0);
    uint64_t    total = 0;
    json_t     *names = json_object();
    gm_status   st    = names != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "unpacking");
    if (n < 0 || n > (zip_int64_t)limits->entries_max) st = gm_fail(err, GM_LIMIT, WHERE, "the package has %lld entries; at most %u", (long long)n, limits->entries_max);
    for (uint64_t i = 0; st == GM_OK && i < (uint64_t)n; i++) {
        const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
        zip_stat_t         e;
        if (zip_stat_index(zip, i, 0, &e) != 0 || (e.valid & needed) != needed) {
            st = refuse(err, GM_INVALID, "?", "is damaged");
            break;
        }
        st = check_entry(zip, i, &e, limits, &total, err);
        if (st == GM_OK && json_object_get(names, e.name) != NULL) st = refuse(err, GM_INVALID, e.name, "is there twice");
        if (st == GM_OK && json_object_set_new(names, e.name, json_true()) != 0) st = refuse(err, GM_INVALID, "?", "has a name that is no UTF-8");
        if (st == GM_OK && e.name[strlen(e.name) - 1] != '/') st = unpack(zip, i, &e, out, err);
    }
    json_decref(names);
    return st;
}

// ---- where it begins --------------------------------------------------------------------------------------------------------

// Targets of that kind of the part: its relationships lie beside it, in _rels.
static gm_status targets_of(const gm_aasx_package *p, gm_str part, const char *what, json_t *out, gm_error *err)
{
    size_t slash = part.len;
    char   path[2100], base[1100];
    while (slash > 0 && part.ptr[slash - 1] != '/') slash--;
    if (part.len > 1000) return gm_fail(err, GM_INVALID, WHERE, "a part's name of %zu bytes", part.len);
    snprintf(base, sizeof base, "%.*s", (int)slash, part.ptr);
    snprintf(path, sizeof path, "%s_rels/%.*s.rels", base, (int)(part.len - slash), part.ptr + slash);
    const gm_aasx_file *rels = gm_aasx_find(p, gm_str_of(path));
    return rels != NULL ? gm_aasx_targets(rels, what, gm_str_of(base), out, err) : GM_OK;
}

static gm_str text_at(const json_t *list, size_t i)
{
    const json_t *text = json_array_get(list, i);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

// The part with the environment: JSON before XML, when there are both.
static gm_status find_environment(const gm_aasx_package *p, const gm_aasx_file **out, gm_error *err)
{
    json_t   *origins = json_array(), *specs = json_array();
    gm_status st = targets_of(p, GM_STR("/"), "aasx-origin", origins, err);
    *out         = NULL;
    if (st == GM_OK && (json_array_size(origins) == 0 || gm_aasx_find(p, text_at(origins, 0)) == NULL))
        st = gm_fail(err, GM_INVALID, WHERE, "the package does not say where it begins (no aasx-origin): it is no Asset Administration Shell package");
    if (st == GM_OK) st = targets_of(p, text_at(origins, 0), "aas-spec", specs, err);
    for (size_t i = 0; st == GM_OK && i < json_array_size(specs); i++) {
        const gm_aasx_file *f = gm_aasx_find(p, text_at(specs, i));
        if (f != NULL && (*out == NULL || gm_str_ends(gm_buf_view(&f->path), GM_STR(".json")))) *out = f;
    }
    if (st == GM_OK && *out == NULL) st = gm_fail(err, GM_INVALID, WHERE, "the package holds no environment (no aas-spec)");
    json_decref(origins);
    json_decref(specs);
    return st;
}

static json_t *read_environment(const gm_aasx_file *f, gm_error *err)
{
    const uint8_t *at   = f->bytes.ptr;
    size_t         size = f->bytes.len;
    json_error_t   why;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3;
        size -= 3;
    }
    while (size > 0 && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
        size--;
    }
    if (size > 0 && *at == '<') return gm_aas_read_xml(at, size, err);
    json_t *env = json_loadb((const char *)at, size, JSON_REJECT_DUPLICATES, &why);
    if (env == NULL) (void)!gm_fail(err, GM_INVALID, WHERE, "the package's environment is no JSON: line %d, column %d: %.100s", why.line, why.column, why.text);
    return env;
}

static gm_status name_types(gm_aasx_package *p, gm_error *err)
{
    const gm_aasx_file *types = gm_aasx_find(p, GM_STR("/[Content_Types].xml"));
    p->media = json_object();
    if (p->media == NULL) return gm_fail(err, GM_NOMEM, WHERE, "unpacking");
    if (types == NULL) return gm_fail(err, GM_INVALID, WHERE, "the package has no [Content_Types].xml: it is no Asset Administration Shell package");
    gm_status st = gm_aasx_types(types, p->media, err);
    for (size_t i = 0; st == GM_OK && i < p->count; i++) {
        gm_str path = gm_buf_view(&p->files[i].path);
        size_t dot  = path.len;
        while (dot > 0 && path.ptr[dot - 1] != '.' && path.ptr[dot - 1] != '/') dot--;
        const json_t *type = json_object_getn(p->media, path.ptr, path.len);
        if (type == NULL && dot > 0 && path.ptr[dot - 1] == '.') type = json_object_getn(p->media, path.ptr + dot - 1, path.len - dot + 1);
        gm_buf_add(&p->files[i].media, json_string_value(type) != NULL ? json_string_value(type) : "", json_string_length(type));
    }
    return st;
}

// What is left are files that the environment may name.
static void drop_ours(gm_aasx_package *p, gm_str environment)
{
    for (size_t i = p->count; i-- > 0;) {
        gm_str path = gm_buf_view(&p->files[i].path);
        bool   ours = gm_str_ends(path, GM_STR(".rels")) || gm_str_is(path, "/[Content_Types].xml") || gm_str_ends(path, GM_STR("/aasx-origin")) || gm_str_eq(path, environment);
        if (ours) gm_aasx_drop_file(p, i);
    }
}

gm_status gm_aasx_read(const gm_alloc *alloc, const uint8_t *bytes, size_t size, const gm_aasx_limits *limits, gm_aasx_package *out, json_t **out_environment,
                       gm_error *err)
{
    zip_error_t         why;
    const gm_aasx_file *environment;
    *out_environment = NULL;
    gm_aasx_begin(out, alloc);
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &why);
    zip_t        *zip    = source != NULL ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
    if (zip == NULL) {
        bool memory = zip_error_code_zip(&why) == ZIP_ER_MEMORY;
        zip_source_free(source);
        zip_error_fini(&why);
        return memory ? gm_fail(err, GM_NOMEM, WHERE, "unpacking") : gm_fail(err, GM_INVALID, WHERE, "this is no zip archive, so no Asset Administration Shell package");
    }
    gm_status st = unpack_all(zip, limits, out, err);
    zip_discard(zip);
    zip_error_fini(&why);
    if (st == GM_OK) st = name_types(out, err);
    if (st == GM_OK) st = find_environment(out, &environment, err);
    if (st != GM_OK) return st;
    *out_environment = read_environment(environment, err);
    if (*out_environment == NULL) return GM_INVALID;
    drop_ours(out, gm_buf_view(&environment->path));
    return GM_OK;
}
