#include "cli/bridges.h"

// The password stands in a file of its own, so that gemel.conf can be shown around.
static gm_status read_password(const gm_cli *cli, const gm_plant *plant, gm_str name, gm_arena *arena, gm_str *out, gm_error *err)
{
    *out = (gm_str){ "", 0 };
    if (name.len == 0) return GM_OK;
    gm_str   folder = name.ptr[0] != '/' ? plant->folder : (gm_str){ "", 0 };
    gm_str   path   = gm_arena_printf(arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(folder), folder.len > 0 ? "/" : "",
                                      GM_STR_ARG(name));
    uint8_t *bytes  = NULL;
    size_t   size   = 0;
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.bridges", "starting a bridge");
    gm_status st = gm_io_read_file(cli->io, path.ptr, 4096, &bytes, &size, err);
    if (st != GM_OK) return st;
    *out = gm_arena_str(arena, gm_str_trim((gm_str){ (const char *)bytes, size }));
    gm_free(cli->io->alloc, bytes);
    return out->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.bridges", "starting a bridge");
}

static gm_status open_one(const gm_cli *cli, const gm_plant *plant, const gm_config_section *s, gm_loop *loop,
                          gm_mqtt_server *server, gm_arena *arena, gm_bridge **out, gm_error *err)
{
    gm_error  why = { 0 };
    gm_str    password;
    uint64_t  qos = gm_option_count(gm_config_section_text(s, GM_BRIDGE_QOS));
    gm_status st  = read_password(cli, plant, gm_config_section_text(s, GM_BRIDGE_PASSWORD_FILE), arena, &password, err);
    if (st != GM_OK) return st;
    gm_bridge_options o = {
        .alloc = cli->alloc, .loop = loop, .server = server, .name = s->name, .password = password,
        .address   = gm_config_section_text(s, GM_BRIDGE_ADDRESS),   .client_id = gm_config_section_text(s, GM_BRIDGE_CLIENT_ID),
        .username  = gm_config_section_text(s, GM_BRIDGE_USERNAME),  .subscribe = gm_config_section_text(s, GM_BRIDGE_SUBSCRIBE),
        .publish   = gm_config_section_text(s, GM_BRIDGE_PUBLISH),   .in        = gm_config_section_text(s, GM_BRIDGE_IN),
        .out       = gm_config_section_text(s, GM_BRIDGE_OUT),       .qos       = (uint8_t)qos,
    };
    st = qos <= 2 ? gm_bridge_create(&o, out, &why) : gm_fail(&why, GM_INVALID, "cli.bridges", "qos is 0, 1 or 2");
    return st == GM_OK ? GM_OK : gm_fail(err, st, "cli.bridges", "gemel.conf:%u: bridge " GM_STR_FMT ": %s", s->line, GM_STR_ARG(s->name), why.text);
}

gm_status gm_bridges_open(const gm_cli *cli, const gm_plant *plant, gm_loop *loop, gm_mqtt_server *server, gm_arena *arena,
                          gm_bridges *out, gm_error *err)
{
    const gm_config *config = &plant->config;
    gm_status        st     = GM_OK;
    *out = (gm_bridges){ .items = GM_ARENA_NEW(arena, gm_bridge *, config->section_count + 1) };
    if (out->items == NULL) return gm_fail(err, GM_NOMEM, "cli.bridges", "starting bridges");
    for (size_t i = 0; st == GM_OK && i < config->section_count; i++) {
        if (config->sections[i].kind != &gm_section_bridge) continue;
        st = open_one(cli, plant, &config->sections[i], loop, server, arena, &out->items[out->count], err);
        out->count += st == GM_OK;
    }
    return st;
}

void gm_bridges_close(gm_bridges *bridges)
{
    for (size_t i = 0; i < bridges->count; i++) gm_bridge_destroy(bridges->items[i]);
    bridges->count = 0;
}

void gm_bridges_write_metrics(const gm_bridges *bridges, gm_buf *out)
{
    static const char *const names[] = { "connected", "connections_total", "received_total", "sent_total", "duplicates_total",
                                         "dropped_total", "waiting" };
    for (size_t k = 0; bridges->count > 0 && k < GM_COUNT_OF(names); k++) {
        gm_buf_printf(out, "# TYPE gemel_bridge_%s %s\n", names[k], k == 0 || k == 6 ? "gauge" : "counter");
        for (size_t i = 0; i < bridges->count; i++) {
            gm_bridge_stats s        = gm_bridge_statistics(bridges->items[i]);
            const uint64_t  values[] = { s.connected, s.connections, s.received, s.sent, s.duplicates, s.dropped, s.waiting };
            gm_buf_printf(out, "gemel_bridge_%s{bridge=", names[k]);
            gm_buf_json_str(out, gm_bridge_name(bridges->items[i]));
            gm_buf_printf(out, "} %llu\n", (unsigned long long)values[k]);
        }
    }
}
