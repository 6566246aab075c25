#include "aas/ids.h"

#include "base/percent.h"
#include "thread/documents.h"

#include <stdio.h>

#define SHELL    "urn:gemel:aas:"
#define ASSET    "urn:gemel:asset:"
#define SUBMODEL "urn:gemel:submodel:"
#define FACT     "urn:gemel:fact:"

static const char *const names[] = {
#define X(name, text, semantics) text,
    GM_AAS_SUBMODEL_LIST(X)
#undef X
};
static const char *const meanings[] = {
#define X(name, text, semantics) semantics,
    GM_AAS_SUBMODEL_LIST(X)
#undef X
};

const char *gm_aas_kind_name(gm_aas_kind kind) { return names[kind]; }
const char *gm_aas_kind_semantics(gm_aas_kind kind) { return meanings[kind]; }

gm_aas_kind gm_aas_kind_of(gm_str semantics)
{
    // Versions before and after the one that is written, where what is read of them means the same.
    static const struct { const char *id; gm_aas_kind kind; } others[] = {
        { "https://admin-shell.io/zvei/nameplate/1/0/Nameplate", GM_AAS_NAMEPLATE },
        { "https://admin-shell.io/zvei/nameplate/2/0/Nameplate", GM_AAS_NAMEPLATE },
        { "https://admin-shell.io/ZVEI/TechnicalData/Submodel/1/1", GM_AAS_TECHNICAL },
        { "0173-1#01-AHX837#002", GM_AAS_TECHNICAL },
        { "https://admin-shell.io/idta/HierarchicalStructures/1/0/Submodel", GM_AAS_STRUCTURE },
        { "0173-1#01-AHF578#001", GM_AAS_DOCUMENTS },
        { "0173-1#01-AHF578#002", GM_AAS_DOCUMENTS },
        { "https://admin-shell.io/ZVEI/HandoverDocumentation/Submodel/1/2", GM_AAS_DOCUMENTS },
    };
    for (int k = 0; k < GM_AAS_KIND_COUNT; k++) {
        if (gm_str_is(semantics, meanings[k])) return (gm_aas_kind)k;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (gm_str_is(semantics, others[i].id)) return others[i].kind;
    }
    return GM_AAS_KIND_COUNT;
}

// Has it a scheme ("https:", "urn:"), so that it can stand for itself? gemel's own names and DTMIs stand for something else.
static bool stands_for_itself(gm_str id)
{
    size_t colon = gm_str_find_char(id, ':');
    if (colon == SIZE_MAX || colon == 0 || colon + 1 == id.len) return false;
    for (size_t i = 0; i < colon; i++) {
        char c      = id.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other  = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && (i == 0 || !other)) return false;
    }
    bool kept = gm_aas_is_kept(id, "shell") || gm_aas_is_kept(id, "submodel") || gm_aas_is_kept(id, "concept");
    return !kept && !gm_str_starts(id, GM_STR("urn:gemel:")) && !gm_aas_is_type(id);
}

void gm_aas_shell_id(gm_str thing, gm_buf *out)
{
    if (stands_for_itself(thing)) {
        gm_buf_str(out, thing);
        return;
    }
    gm_buf_text(out, SHELL);
    gm_percent_encode(out, thing);
}

void gm_aas_asset_id(gm_str thing, gm_buf *out)
{
    gm_buf_text(out, ASSET);
    gm_percent_encode(out, thing);
}

void gm_aas_submodel_id(gm_aas_kind kind, gm_str thing, gm_buf *out)
{
    gm_buf_printf(out, SUBMODEL "%s:", names[kind]);
    gm_percent_encode(out, thing);
}

void gm_aas_column_id(gm_str dtmi, gm_str path, gm_buf *out)
{
    gm_buf_str(out, dtmi);
    gm_buf_byte(out, '#');
    gm_buf_str(out, path);
}

void gm_aas_fact_id(gm_str key, gm_buf *out)
{
    gm_buf_text(out, FACT);
    gm_percent_encode(out, key);
}

// ---- back -----------------------------------------------------------------------------------------------------------

bool gm_aas_is_type(gm_str shell_id) { return gm_str_starts(shell_id, GM_STR("dtmi:")); }

// What lies behind the prefix, decoded; written as gm_percent_encode would, so that nothing has two names.
static bool behind(gm_arena *arena, gm_str id, size_t prefix, gm_str *out)
{
    gm_alloc alloc = gm_arena_alloc(arena);
    gm_buf   again = gm_buf_init(&alloc);
    gm_str   rest  = gm_str_slice(id, prefix, id.len);
    if (rest.len == 0 || gm_percent_decode(arena, rest, out, NULL) != GM_OK || out->len == 0) return false;
    gm_percent_encode(&again, *out);
    return !again.failed && gm_str_eq(gm_buf_view(&again), rest);
}

static bool has_controls(gm_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if ((unsigned char)id.ptr[i] < 0x20 || id.ptr[i] == 0x7f) return true;
    }
    return false;
}

bool gm_aas_shell_thing(gm_arena *arena, gm_str shell_id, gm_str *out_thing)
{
    *out_thing = shell_id;
    if (shell_id.len == 0 || shell_id.len > GM_AAS_ID_MAX * 4 || has_controls(shell_id)) return false;
    if (gm_str_starts(shell_id, GM_STR(SHELL))) return behind(arena, shell_id, strlen(SHELL), out_thing) && !stands_for_itself(*out_thing);
    if (shell_id.len <= GM_FACT_ID_MAX && stands_for_itself(shell_id)) return true;
    *out_thing = gm_aas_kept_id(arena, "shell", shell_id);
    return out_thing->ptr != NULL;
}

bool gm_aas_asset_thing(gm_arena *arena, gm_str asset_id, gm_str *out_thing)
{
    return gm_str_starts(asset_id, GM_STR(ASSET)) && behind(arena, asset_id, strlen(ASSET), out_thing);
}

bool gm_aas_submodel_thing(gm_arena *arena, gm_str id, gm_aas_kind *out_kind, gm_str *out_thing)
{
    if (!gm_str_starts(id, GM_STR(SUBMODEL))) return false;
    gm_str rest  = gm_str_slice(id, strlen(SUBMODEL), id.len);
    size_t colon = gm_str_find_char(rest, ':');
    gm_str name  = gm_str_slice(rest, 0, colon);
    for (int k = 0; k < GM_AAS_KIND_COUNT; k++) {
        if (!gm_str_is(name, names[k])) continue;
        *out_kind = (gm_aas_kind)k;
        return colon != SIZE_MAX && behind(arena, id, strlen(SUBMODEL) + colon + 1, out_thing);
    }
    return false;
}

bool gm_aas_column_of(gm_str id, gm_str *out_dtmi, gm_str *out_path)
{
    size_t hash = gm_str_find_char(id, '#');
    if (!gm_aas_is_type(id) || hash == SIZE_MAX) return false;
    *out_dtmi = gm_str_slice(id, 0, hash);
    *out_path = gm_str_slice(id, hash + 1, id.len);
    return out_path->len > 0;
}

bool gm_aas_fact_key(gm_arena *arena, gm_str id, gm_str *out_key)
{
    return gm_str_starts(id, GM_STR(FACT)) && behind(arena, id, strlen(FACT), out_key);
}

// ---- kept -----------------------------------------------------------------------------------------------------------

gm_str gm_aas_kept_id(gm_arena *arena, const char *what, gm_str id)
{
    char hash[GM_HASH_TEXT + 1];
    if (strlen(what) + 1 + id.len <= GM_FACT_ID_MAX) return gm_arena_printf(arena, "%s:" GM_STR_FMT, what, GM_STR_ARG(id));
    gm_documents_hash((const uint8_t *)id.ptr, id.len, hash);
    return gm_arena_printf(arena, "%s:#%s", what, hash);
}

bool gm_aas_is_kept(gm_str thread_id, const char *what)
{
    size_t n = strlen(what);
    return thread_id.len > n && memcmp(thread_id.ptr, what, n) == 0 && thread_id.ptr[n] == ':';
}

// ---- idShort --------------------------------------------------------------------------------------------------------

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void gm_aas_id_short(gm_str name, char out[GM_AAS_ID_SHORT_MAX + 1])
{
    size_t n = 0;
    if (name.len == 0 || !is_letter(name.ptr[0])) n = (size_t)snprintf(out, GM_AAS_ID_SHORT_MAX, "id_");
    for (size_t i = 0; i < name.len && n < GM_AAS_ID_SHORT_MAX; i++) {
        char c   = name.ptr[i];
        out[n++] = is_letter(c) || (c >= '0' && c <= '9') ? c : '_';
    }
    if (n < 2) out[n++] = '_';
    out[n] = '\0';
}

void gm_aas_id_short_among(json_t *taken, gm_str name, char out[GM_AAS_ID_SHORT_MAX + 1])
{
    enum { ROOM = 12 };
    gm_aas_id_short(name, out);
    size_t n = strlen(out) < GM_AAS_ID_SHORT_MAX - ROOM ? strlen(out) : GM_AAS_ID_SHORT_MAX - ROOM;
    for (unsigned i = 2; json_object_get(taken, out) != NULL; i++) snprintf(out + n, ROOM, "_%u", i);
    (void)!json_object_set_new(taken, out, json_true());  // no memory: two may share a name, and the reader finds the first
}
