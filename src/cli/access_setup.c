#include "cli/access_setup.h"

enum { KEY_FILE_MAX = 1 << 20 };

static gm_status add_key(gm_jwt_keys *keys, gm_config_key kind, gm_str text, gm_error *err)
{
    if (kind == GM_CONFIG_JWT_PEM) return gm_jwt_add_pem(keys, text, err);
    if (kind == GM_CONFIG_JWT_JWKS) return gm_jwt_add_jwks(keys, text, err);
    // A line end behind a secret is the editor's.
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r')) text.len--;
    return gm_jwt_add_secret(keys, text, err);
}

static gm_status read_key(const gm_io *io, const gm_plant *plant, gm_config_key kind, gm_arena *arena, gm_jwt_keys *keys,
                          gm_error *err)
{
    gm_str    path;
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_error  why   = { 0 };
    gm_status st    = gm_plant_path(plant, NULL, kind, arena, &path, err);
    if (st != GM_OK || path.ptr == NULL) return st;
    st = gm_io_read_file(io, path.ptr, KEY_FILE_MAX, &bytes, &size, &why);
    if (st == GM_OK) st = add_key(keys, kind, (gm_str){ (const char *)bytes, size }, &why);
    gm_free(io->alloc, bytes);
    return st == GM_OK ? GM_OK : gm_fail(err, st, "cli.access", "%.80s: %.110s", path.ptr, why.text);
}

static const char *text_setting(const gm_plant *plant, gm_config_key key, gm_arena *arena)
{
    gm_str text = gm_config_text(&plant->config, key);
    return text.ptr != NULL ? gm_arena_str(arena, text).ptr : NULL;
}

gm_status gm_access_setup_jwt(const gm_alloc *alloc, const gm_io *io, const gm_plant *plant, gm_arena *arena,
                              gm_jwt_keys **out_keys, gm_error *err)
{
    static const gm_config_key files[] = { GM_CONFIG_JWT_SECRET, GM_CONFIG_JWT_PEM, GM_CONFIG_JWT_JWKS };
    gm_jwt_rules rules = { .audience    = text_setting(plant, GM_CONFIG_JWT_AUDIENCE, arena),
                           .issuer      = text_setting(plant, GM_CONFIG_JWT_ISSUER, arena),
                           .role_claim  = text_setting(plant, GM_CONFIG_JWT_ROLE_CLAIM, arena),
                           .scope_claim = text_setting(plant, GM_CONFIG_JWT_SCOPE_CLAIM, arena) };
    bool any  = false;
    *out_keys = NULL;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) any = any || gm_config_text(&plant->config, files[i]).ptr != NULL;
    if (!any) return GM_OK;
    if (rules.audience == NULL) {
        return gm_fail(err, GM_INVALID, "cli.access", "gemel.conf names keys for tokens, so it has to say jwt.audience too: whom they are for");
    }
    gm_status st = gm_jwt_keys_create(alloc, &rules, out_keys, err);
    for (size_t i = 0; st == GM_OK && i < sizeof files / sizeof files[0]; i++) st = read_key(io, plant, files[i], arena, *out_keys, err);
    if (st == GM_OK) return GM_OK;
    gm_jwt_keys_destroy(*out_keys);
    *out_keys = NULL;
    return st;
}

gm_status gm_access_setup(const gm_alloc *alloc, const gm_io *io, const gm_clock *clock, gm_engine *engine, const gm_plant *plant,
                          gm_arena *arena, gm_access **out_access, gm_error *err)
{
    gm_access_options o = { .alloc = alloc, .clock = clock, .engine = engine,
                            .required      = gm_option_yes(gm_config_text(&plant->config, GM_CONFIG_ACCESS_REQUIRED)),
                            .relationships = gm_config_text(&plant->config, GM_CONFIG_ACCESS_RELATIONSHIPS),
                            .rate          = (uint32_t)gm_option_count(gm_config_text(&plant->config, GM_CONFIG_ACCESS_RATE)) };
    gm_status st = gm_access_setup_jwt(alloc, io, plant, arena, &o.jwt, err);
    return st == GM_OK ? gm_access_create(&o, out_access, err) : st;
}
