#include "cli/server.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OPT_HTTP, OPT_MQTT, OPT_HTTPS, OPT_MQTTS, OPT_TLS_CERT, OPT_TLS_KEY, OPT_DATA, OPT_QUIET };
static const gm_option options[] = {
    [OPT_HTTP]  = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                    "where the console and the HTTP API listen; port 0 takes a free one (gemel.conf: http, else "
                     "127.0.0.1:8080)" },
    [OPT_MQTT]  = { "mqtt", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                    "where MQTT clients connect; port 0 takes a free one (gemel.conf: mqtt, else 127.0.0.1:1883)" },
    [OPT_HTTPS] = { "https", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                    "where the same is served over TLS (gemel.conf: https)" },
    [OPT_MQTTS] = { "mqtts", GM_OPTION_ADDRESS, "ADDR:PORT", NULL,
                    "where MQTT clients connect over TLS (gemel.conf: mqtts)" },
    [OPT_TLS_CERT] = { "tls-cert", GM_OPTION_TEXT, "FILE", NULL,
                       "the certificate with its chain, PEM (gemel.conf: tls.cert)" },
    [OPT_TLS_KEY]  = { "tls-key", GM_OPTION_TEXT, "FILE", NULL, "its key, PEM (gemel.conf: tls.key)" },
    [OPT_DATA]  = { "data", GM_OPTION_TEXT, "DIR", NULL, "gemel's own files (gemel.conf: data, else PLANT/data)" },
    [OPT_QUIET] = { "quiet", GM_OPTION_FLAG, NULL, NULL, "no notes on stderr; errors are still told" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder" },
};

// Tells systemd that the service is ready (sd_notify's protocol: one datagram to $NOTIFY_SOCKET).
static void notify_ready(void)
{
    const char        *path    = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path == NULL || strlen(path) >= sizeof address.sun_path || path[0] == '\0') return;
    memcpy(address.sun_path, path, strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    (void)!sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    close(fd);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error          err    = {0};
    gm_server        *server = NULL;
    gm_server_options o      = {
             .cli   = cli,
             .plant = gm_args_operand(args, 0),
             .http  = gm_args_text(args, OPT_HTTP),
             .mqtt  = gm_args_text(args, OPT_MQTT),
             .https = gm_args_text(args, OPT_HTTPS),
             .mqtts = gm_args_text(args, OPT_MQTTS),
             .tls_cert = gm_args_text(args, OPT_TLS_CERT),
             .tls_key  = gm_args_text(args, OPT_TLS_KEY),
             .data  = gm_args_text(args, OPT_DATA),
             .quiet = gm_args_given(args, OPT_QUIET),
    };
    gm_status st = gm_server_open(&o, &server, &err);
    if (st == GM_OK) {
        gm_str ready = gm_server_ready_line(server);
        fprintf(cli->out, GM_STR_FMT "\n", GM_STR_ARG(ready));
        fflush(cli->out);
        notify_ready();
    }
    while (st == GM_OK && !gm_server_stopped(server)) st = gm_server_turn(server, &err);
    gm_server_close(server);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

const gm_verb gm_verb_serve = {
    .name    = "serve",
    .summary = "run a plant: its twins, the HTTP API with the console, and the MQTT endpoint",
    .text = "Prints one line when clients are served: ready http=ADDR:PORT mqtt=ADDR:PORT, then https= and mqtts= where "
            "they are served. Ctrl-C (or SIGTERM) ends it cleanly: what was accepted is committed and answered first. "
            "SIGHUP reads certificates and keys again; connections that are open stay.\n"
            "\n"
            "Models, twins and relationships of the plant's files that exist already stay as they are; what is new is "
            "added, when the "
            "files have changed since they were last loaded. A model whose text has changed under the same id is "
            "refused: give it "
            "the next version.\n"
            "\n"
            "Without access configured only this machine may connect, so other than loopback addresses are refused.",
    .examples = "gemel serve examples/machine\ngemel serve plant --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --data "
                "/var/lib/gemel/plant\n"
                "gemel serve plant --https :8443 --mqtts :8883 --tls-cert server.pem --tls-key server-key.pem",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
