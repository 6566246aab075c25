// The archive: texts made, compiled in a folder of their own, packed.
#include "physics/fmi/archive.h"
#include "physics/fmi/compiler.h"
#include "physics/fmi/export_parts.h"

#include "base/io.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

#define COMPILE_LIMIT (600 * GM_SECOND)

enum { FILES_MAX = 24, PATH_ROOM = GM_FMU_PATH_MAX + 200 };

gm_fmu_export_options gm_fmu_export_options_defaults(void)
{
    return (gm_fmu_export_options){ .version = 3, .compiler = "cc", .optimize = "-O2", .start = 0, .stop = 1, .step = NAN, .tolerance = 1e-6 };
}

bool gm_carried_is_source(const gm_carried_text *text) { return gm_str_ends(text->file, GM_STR(".c")); }

bool gm_carried_in(const gm_carried_text *text, int version)
{
    bool two = gm_str_is(text->file, "gm_fmi2.c"), three = gm_str_is(text->file, "gm_fmi3.c");
    return version == 2 ? !three : !two;
}

// FNV-1a over everything that makes this FMU another one; twice, for 128 bits.
static void make_token(gm_export *x, gm_str code, gm_str description)
{
    uint64_t half[2] = { UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4) };
    gm_str   texts[] = { code, description };
    for (int h = 0; h < 2; h++) {
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            for (size_t i = 0; i < texts[t].len; i++) half[h] = (half[h] ^ (unsigned char)texts[t].ptr[i]) * UINT64_C(0x100000001b3);
        }
    }
    snprintf(x->token, sizeof x->token, "{%08x-%04x-%04x-%04x-%012llx}", (unsigned)(half[0] >> 32), (unsigned)(half[0] >> 16 & 0xffff),
             (unsigned)(half[0] & 0xffff), (unsigned)(half[1] >> 48), (unsigned long long)(half[1] & UINT64_C(0xffffffffffff)));
}

// ---- compiling --------------------------------------------------------------------------------------------------------

typedef struct work_folder {
    const gm_alloc *alloc;
    char            folder[GM_FMU_PATH_MAX];
    char            library[PATH_ROOM];
    char            sources[FILES_MAX][PATH_ROOM];
    size_t          source_count;
} work_folder;

static gm_status write_source(work_folder *w, gm_str name, gm_str text, bool source, gm_error *err)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/" GM_STR_FMT, w->folder, GM_STR_ARG(name));
    FILE *file = fopen(path, "we");
    bool  good = file != NULL && fwrite(text.ptr, 1, text.len, file) == text.len;
    if (file != NULL && fclose(file) != 0) good = false;
    if (!good) return gm_fail_os(err, errno, "fmi.export", "writing %.120s", path);
    if (source && w->source_count < FILES_MAX) snprintf(w->sources[w->source_count++], PATH_ROOM, "%s", path);
    return GM_OK;
}

static gm_status write_sources(work_folder *w, const gm_export *x, gm_str code, gm_error *err)
{
    size_t                 count;
    const gm_carried_text *texts = gm_carried_texts(&count);
    gm_status              st    = write_source(w, GM_STR("model.c"), code, true, err);
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        if (gm_carried_in(&texts[i], x->options.version)) st = write_source(w, texts[i].file, texts[i].text, gm_carried_is_source(&texts[i]), err);
    }
    return st;
}

static gm_status compile(work_folder *w, const char *compiler, const char *optimize, gm_error *err)
{
    const char *words[FILES_MAX + 24];
    size_t      n = 0;
    gm_error    why = { 0 };
    snprintf(w->library, sizeof w->library, "%s/library.so", w->folder);
    words[n++] = compiler;
    for (size_t i = 0; gm_fmu_compiler_flags[i] != NULL; i++) words[n++] = gm_fmu_compiler_flags[i];
    words[n++] = optimize;
    words[n++] = "-std=c11";  // what we write needs no more, also in other tools
    words[n++] = "-fvisibility=hidden";
    words[n++] = "-o";
    words[n++] = w->library;
    for (size_t i = 0; i < w->source_count; i++) words[n++] = w->sources[i];
    words[n++] = "-lm";
    words[n]   = NULL;
    gm_status st = gm_fmu_compiler_run(words, w->folder, COMPILE_LIMIT, &why);
    if (st == GM_NOTFOUND) return gm_fail(err, GM_INVALID, "fmi.export", "%s; name another, or write sources only", why.text);
    return st == GM_OK ? GM_OK : gm_fail(err, st, "fmi.export", "%s", why.text);
}

// ---- packing ----------------------------------------------------------------------------------------------------------

// All entries carry one date, so that the same model gives the same bytes.
static bool add(zip_t *zip, const char *name, gm_str text)
{
    enum { DATE = 1577836800 };  // 2020-01-01
    zip_source_t *source = zip_source_buffer(zip, text.ptr, text.len, 0);
    zip_int64_t   index  = source != NULL ? zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) zip_source_free(source);
    return index >= 0 && zip_file_set_mtime(zip, (zip_uint64_t)index, DATE, 0) == 0;
}

static const char *platform(int version)
{
#if defined(__aarch64__)
    return version == 2 ? "linux-aarch64" : "aarch64-linux";
#elif defined(__i386__)
    return version == 2 ? "linux32" : "x86-linux";
#else
    return version == 2 ? "linux64" : "x86_64-linux";
#endif
}

static gm_status pack(const gm_export *x, gm_str code, gm_str description, gm_str build, gm_str library, const char *path, gm_error *err)
{
    char                   name[300];
    size_t                 count;
    int                    why   = 0;
    const gm_carried_text *texts = gm_carried_texts(&count);
    zip_t                 *zip   = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &why);
    if (zip == NULL) return gm_fail_os(err, errno, "fmi.export", "writing %.120s", path);
    bool good = add(zip, "modelDescription.xml", description) && add(zip, "sources/model.c", code);
    if (x->options.version == 3) good = good && add(zip, "sources/buildDescription.xml", build);
    for (size_t i = 0; good && i < count; i++) {
        if (!gm_carried_in(&texts[i], x->options.version)) continue;
        snprintf(name, sizeof name, "sources/" GM_STR_FMT, GM_STR_ARG(texts[i].file));
        good = add(zip, name, texts[i].text);
    }
    snprintf(name, sizeof name, "binaries/%s/" GM_STR_FMT ".so", platform(x->options.version), GM_STR_ARG(x->identifier));
    if (good && library.len > 0) good = add(zip, name, library);
    if (good && zip_close(zip) == 0) return GM_OK;
    gm_status st = gm_fail(err, GM_IO, "fmi.export", "writing %.100s: %.80s", path, zip_strerror(zip));
    zip_discard(zip);
    return st;
}

static gm_status build_library(const gm_export *x, gm_str code, gm_str *out_library, uint8_t **bytes, gm_error *err)
{
    work_folder *w = gm_alloc_zeroed(gm_alloc_system(), sizeof *w);
    if (w == NULL) return gm_fail(err, GM_NOMEM, "fmi.export", "compiling");
    gm_status st = gm_fmu_archive_folder(NULL, w->folder, err);
    if (st == GM_OK) st = write_sources(w, x, code, err);
    if (st == GM_OK) st = compile(w, x->options.compiler, x->options.optimize, err);
    if (st == GM_OK) st = gm_io_read_file(gm_io_system(), w->library, (size_t)1 << 30, bytes, &out_library->len, err);
    out_library->ptr = (const char *)*bytes;
    if (w->folder[0] != '\0') gm_fmu_archive_remove(w->folder);
    gm_free(gm_alloc_system(), w);
    return st;
}

gm_status gm_fmu_export(const gm_alloc *alloc, const gm_program *program, const gm_fmu_export_options *options, const char *path, gm_error *err)
{
    gm_export x       = { .program = program, .options = *options, .arena = gm_arena_create(alloc, 0) };
    gm_buf    code    = gm_buf_init(alloc), description = gm_buf_init(alloc), build = gm_buf_init(alloc);
    uint8_t  *bytes   = NULL;
    gm_str    library = { NULL, 0 };
    uint32_t  delays;
    gm_status st = x.arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "fmi.export", "an FMU");
    gm_program_delays(program, &delays);
    if (st == GM_OK && delays > 0) st = gm_fail(err, GM_INVALID, "fmi.export", "the model uses delay(), which an exported FMU can not keep");
    if (st == GM_OK) st = gm_export_variables(&x, err);
    // Twice: the token is made of the texts it is then written into.
    for (int pass = 0; st == GM_OK && pass < 2; pass++) {
        if (pass == 1) make_token(&x, gm_buf_view(&code), gm_buf_view(&description));
        gm_buf *all[] = { &code, &description, &build };
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_buf_clear(all[i]);
        gm_export_code(&x, &code);
        gm_export_description(&x, &description);
        gm_export_build_description(&x, &build);
        if (code.failed || description.failed || build.failed) st = gm_fail(err, GM_NOMEM, "fmi.export", "an FMU");
    }
    if (st == GM_OK && options->compiler != NULL) st = build_library(&x, gm_buf_view(&code), &library, &bytes, err);
    if (st == GM_OK) st = pack(&x, gm_buf_view(&code), gm_buf_view(&description), gm_buf_view(&build), library, path, err);
    gm_free(gm_io_system()->alloc, bytes);
    gm_buf_finish(&code);
    gm_buf_finish(&description);
    gm_buf_finish(&build);
    gm_arena_destroy(x.arena);
    return st;
}
