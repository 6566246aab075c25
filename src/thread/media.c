#include "thread/media.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

static const char WHERE[] = "thread.media";

typedef struct beginning { const char *type; size_t at; const char *bytes; size_t size; } beginning;
#define BEGIN(type, at, bytes) { type, at, bytes, sizeof(bytes) - 1 }
static const beginning beginnings[] = {
    BEGIN("application/pdf", 0, "%PDF-"),          BEGIN("image/png", 0, "\x89PNG\r\n\x1a\n"), BEGIN("image/jpeg", 0, "\xff\xd8\xff"),
    BEGIN("image/gif", 0, "GIF8"),                 BEGIN("image/tiff", 0, "II*\0"),            BEGIN("image/tiff", 0, "MM\0*"),
    BEGIN("image/webp", 8, "WEBP"),                BEGIN("application/zip", 0, "PK\x03\x04"),  BEGIN("application/zip", 0, "PK\x05\x06"),
    BEGIN("application/gzip", 0, "\x1f\x8b"),      BEGIN("model/gltf-binary", 0, "glTF"),      BEGIN("model/step", 0, "ISO-10303-21;"),
    BEGIN("application/x-executable", 0, "\x7f" "ELF"), BEGIN("application/x-executable", 0, "MZ"), BEGIN("application/x-executable", 0, "#!"),
};

// Types with the beginning of another: what an archive or a text may hold.
static const struct { const char *type, *is; } built_on[] = {
    { "application/asset-administration-shell-package", "application/zip" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip" },
    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip" },
    { "application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/zip" },
    { "application/vnd.oasis.opendocument.text", "application/zip" },
    { "application/vnd.oasis.opendocument.spreadsheet", "application/zip" },
    { "application/x-fmu-sharedlibrary", "application/zip" },
    { "application/x-zip-compressed", "application/zip" },
    { "model/3mf", "application/zip" },
    { "application/step", "model/step" },
    { "application/x-step", "model/step" },
    { "application/p21", "model/step" },
};

const char *gm_media_sniff(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        const beginning *b = &beginnings[i];
        if (size >= b->at + b->size && memcmp(bytes + b->at, b->bytes, b->size) == 0) return b->type;
    }
    return NULL;
}

static bool type_is(gm_str type, const char *name) { return type.len == strlen(name) && strncasecmp(type.ptr, name, type.len) == 0; }
static bool type_starts(gm_str type, const char *name) { return type.len >= strlen(name) && strncasecmp(type.ptr, name, strlen(name)) == 0; }
static bool type_ends(gm_str type, const char *name)
{
    size_t n = strlen(name);
    return type.len >= n && strncasecmp(type.ptr + type.len - n, name, n) == 0;
}

// UTF-8 without control characters but those that texts have.
static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint8_t  c = bytes[i++];
        unsigned more = c < 0x80 ? 0 : c >= 0xc2 && c <= 0xdf ? 1 : c >= 0xe0 && c <= 0xef ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 9;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') return false;
        if (more == 9 || c == 0x7f || size - i < more) return false;
        for (; more > 0; more--) {
            if ((bytes[i++] & 0xc0) != 0x80) return false;
        }
    }
    return true;
}

static const uint8_t *first_of(const uint8_t *bytes, size_t size)
{
    static const uint8_t none;
    size_t               i = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < size && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r')) i++;
    return i < size ? bytes + i : &none;
}

static bool is_json(const uint8_t *bytes, size_t size)
{
    json_t *json = json_loadb((const char *)bytes, size, JSON_DECODE_ANY, NULL);
    bool    is   = json != NULL;
    json_decref(json);
    return is;
}

static gm_status lies(gm_str type, const char *looks, gm_error *err)
{
    return gm_fail(err, GM_INVALID, WHERE, "the document says that it is " GM_STR_FMT ", and looks like %s", GM_STR_ARG(gm_str_slice(type, 0, 80)), looks);
}

// Texts: what is claimed has to be so.
static gm_status check_text(gm_str type, const uint8_t *bytes, size_t size, gm_error *err)
{
    bool text = is_text(bytes, size), json = type_is(type, "application/json") || type_ends(type, "+json");
    bool xml = type_is(type, "application/xml") || type_is(type, "text/xml") || type_ends(type, "+xml");
    bool other = type_starts(type, "text/") || type_is(type, "image/vnd.dxf") || type_is(type, "application/dxf") || type_is(type, "model/obj");
    if (!json && !xml && !other) return GM_OK;
    if (!text) return lies(type, "bytes that are no text", err);
    if (json && !is_json(bytes, size)) return lies(type, "no JSON", err);
    if (xml && *first_of(bytes, size) != '<') return lies(type, "no XML", err);
    return GM_OK;
}

gm_status gm_media_check(gm_str type, const uint8_t *bytes, size_t size, gm_error *err)
{
    type = gm_str_trim(gm_str_slice(type, 0, gm_str_find_char(type, ';')));  // "; charset=..." says nothing here
    size_t      slash = gm_str_find_char(type, '/');
    const char *looks = gm_media_sniff(bytes, size), *asks = NULL;
    if (slash == SIZE_MAX || slash == 0 || slash + 1 == type.len) return gm_fail(err, GM_INVALID, WHERE, "a media type is needed, such as application/pdf");
    if (type_is(type, "application/octet-stream")) return GM_OK;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) asks = type_is(type, beginnings[i].type) ? beginnings[i].type : asks;
    for (size_t i = 0; i < sizeof built_on / sizeof built_on[0]; i++) asks = type_is(type, built_on[i].type) ? built_on[i].is : asks;
    if (asks != NULL && (looks == NULL || strcmp(asks, looks) != 0)) return lies(type, looks != NULL ? looks : "something else", err);
    // STEP and scripts are texts, too: who claims no more than a text tells no lie.
    bool plain = looks != NULL && (strcmp(looks, "model/step") == 0 || bytes[0] == '#' || bytes[0] == 'M') && type_starts(type, "text/");
    if (asks == NULL && looks != NULL && !plain) return lies(type, looks, err);
    return check_text(type, bytes, size, err);
}
