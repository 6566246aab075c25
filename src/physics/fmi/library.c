#include "physics/fmi/library.h"

#include "physics/fmi/compiler.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPILE_MIN (120 * GM_SECOND)  // a large model takes a compiler longer than a call of it may take

#if defined(__aarch64__)
static const char *const machines[] = { "linux-aarch64", "aarch64-linux" };  // in FMI 2, in FMI 3
#elif defined(__i386__)
static const char *const machines[] = { "linux32", "x86-linux" };
#else
static const char *const machines[] = { "linux64", "x86_64-linux" };
#endif

// FMI 2 and FMI 3 name the same machine differently; some archives have the other's name. False: there is none, and *out
// names where it should be.
static bool find(const char *folder, const gm_fmu_description *d, gm_fmi_kind kind, char out[GM_FMU_LIBRARY_PATH_MAX])
{
    const char *identifier = d->interfaces[kind].identifier.ptr;
    int         own        = d->version == 2 ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "%s/binaries/%s/%s.so", folder, machines[i == 0 ? own : 1 - own], identifier);
        if (access(out, R_OK) == 0) return true;
    }
    snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "binaries/%s/%s.so", machines[own], identifier);
    return false;
}

// ---- making one out of its sources

// A name within sources/: no way out of it. The archive has been unpacked without links.
static bool is_inside(gm_str name)
{
    gm_str rest = name, part;
    if (name.len == 0 || name.ptr[0] == '/') return false;
    while (gm_str_next(&rest, '/', &part)) {
        if (gm_str_is(part, "..")) return false;
    }
    return true;
}

static bool is_word(gm_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (i > 0 && (c == '.' || c == '+' || c == '-')))) return false;
    }
    return name.len > 0;
}

typedef struct command { gm_arena *arena; const char **words; size_t count; bool good; } command;

static void add(command *c, gm_str word)
{
    c->good = c->good && word.ptr != NULL;
    if (c->good) c->words[c->count++] = word.ptr;
}

static void add_all(command *c, const char *before, const char *folder, const gm_str *names, uint32_t n, bool is_path)
{
    for (uint32_t i = 0; i < n; i++) {
        c->good = c->good && (is_path ? is_inside(names[i]) : names[i].len > 0);
        if (!c->good) return;
        add(c, gm_arena_printf(c->arena, "%s%s%s" GM_STR_FMT, before, folder, is_path ? "/sources/" : "", GM_STR_ARG(names[i])));
    }
}

// The names come from the archive: each becomes one word that can not be taken for an option.
static gm_status build(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind, const char *library, gm_error *err)
{
    const gm_fmu_sources *s    = &d->interfaces[kind].sources;
    gm_status             st   = GM_OK;
    command               c    = { .arena = gm_arena_create(host->alloc, 0), .good = true };
    size_t                most = (size_t)s->file_count + s->folder_count + s->definition_count + s->library_count + 32;
    c.words = c.arena != NULL ? GM_ARENA_NEW(c.arena, const char *, most) : NULL;
    if (c.words == NULL) {
        gm_arena_destroy(c.arena);
        return gm_fail(err, GM_NOMEM, "fmi.library", "compiling");
    }
    add(&c, gm_str_of(host->compiler != NULL ? host->compiler : "cc"));
    for (size_t i = 0; gm_fmu_compiler_flags[i] != NULL; i++) add(&c, gm_str_of(gm_fmu_compiler_flags[i]));
    add(&c, GM_STR("-O2"));
    add(&c, GM_STR("-w"));  // what it warns of is not for us to mend
    // The standard's headers put a prefix before the functions, unless they are told that this is a shared library.
    add(&c, d->version == 2 ? GM_STR("-DFMI2_OVERRIDE_FUNCTION_PREFIX=") : GM_STR("-DFMI3_OVERRIDE_FUNCTION_PREFIX="));
    add_all(&c, "-D", "", s->definitions, s->definition_count, false);
    add(&c, gm_arena_printf(c.arena, "-I%s/sources", folder));
    add_all(&c, "-I", folder, s->folders, s->folder_count, true);
    add(&c, GM_STR("-o"));
    add(&c, gm_str_of(library));
    add_all(&c, "", folder, s->files, s->file_count, true);
    for (uint32_t i = 0; i < s->library_count; i++) c.good = c.good && is_word(s->libraries[i]);
    add_all(&c, "-l", "", s->libraries, s->library_count, false);
    add(&c, GM_STR("-lm"));
    if (!c.good) st = gm_fail(err, GM_INVALID, "fmi.library", "the FMU has no library for this machine, and its build description names what leads outside of its sources");
    if (st == GM_OK) st = gm_fmu_compiler_run(c.words, folder, host->call_limit > COMPILE_MIN ? host->call_limit : COMPILE_MIN, err);
    gm_arena_destroy(c.arena);
    return st;
}

// Made in binaries/, where the next one that looks for it finds it.
static gm_status make(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind, char out[GM_FMU_LIBRARY_PATH_MAX],
                      gm_error *err)
{
    const char *machine = machines[d->version == 2 ? 0 : 1];
    gm_error    why     = { 0 };
    snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "%.4000s/binaries", folder);
    if (mkdir(out, 0700) != 0 && errno != EEXIST) return gm_fail_os(err, errno, "fmi.library", "making a folder for the FMU's library");
    snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "%.4000s/binaries/%s", folder, machine);
    if (mkdir(out, 0700) != 0 && errno != EEXIST) return gm_fail_os(err, errno, "fmi.library", "making a folder for the FMU's library");
    snprintf(out, GM_FMU_LIBRARY_PATH_MAX, "%.4000s/binaries/%s/%s.so", folder, machine, d->interfaces[kind].identifier.ptr);
    gm_status st = build(host, folder, d, kind, out, &why);
    if (st == GM_OK) return GM_OK;
    if (st == GM_NOMEM || st == GM_IO) return gm_fail(err, st, "fmi.library", "%s", why.text);
    const char *hint = st == GM_NOTFOUND ? "; install gcc or clang" : "";
    return gm_fail(err, st == GM_NOTFOUND ? GM_INVALID : st, "fmi.library", "the FMU has only sources for this machine, and %s%s", why.text, hint);
}

gm_status gm_fmu_library_find(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind,
                              char out_path[GM_FMU_LIBRARY_PATH_MAX], bool *out_made, gm_error *err)
{
    const gm_fmu_sources *s = &d->interfaces[kind].sources;
    *out_made               = false;
    if (find(folder, d, kind, out_path)) return GM_OK;
    if (s->file_count == 0) return gm_fail(err, GM_INVALID, "fmi.library", "the FMU has no library for this machine: there is no %.100s, and no sources to make it of", out_path);
    if (s->language.ptr != NULL) {
        return gm_fail(err, GM_INVALID, "fmi.library", "the FMU has no library for this machine, and its sources are written in " GM_STR_FMT, GM_STR_ARG(gm_str_slice(s->language, 0, 40)));
    }
    *out_made = true;
    return make(host, folder, d, kind, out_path, err);
}
