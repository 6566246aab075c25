// How a running server does, for a terminal: what GET /metrics says, as rates between two looks.
#include "cli/client.h"
#include "cli/verbs.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { OPT_HTTP, OPT_ONCE, OPT_EVERY };
static const gm_option options[] = {
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_ONCE]  = { "once", GM_OPTION_FLAG, NULL, NULL, "print it once, rates as means since the server's start" },
    [OPT_EVERY] = { "every", GM_OPTION_DURATION, "LENGTH", "2s", "look again after so long" },
};

enum { COMMIT_STEPS = 32 };

// What a look at /metrics saw; counters as they stand.
typedef struct look {
    double uptime, twins, relationships, samples, changes, batches, log_bytes;
    double commit_le[COMMIT_STEPS], commit_count[COMMIT_STEPS];  // cumulative; the last one is +Inf
    size_t commits;
    double http, mqtt, streams, requests;
    double waiting, queued, dead_letters, alarms;
    double resident, state, index, open;
    double history_samples, history_sealed, history_open, ratio;
} look;

typedef struct row { const char *name; size_t at; } row;
#define ROW(metric, field) { metric, offsetof(look, field) }

static const row rows[] = {
    ROW("gemel_uptime_seconds", uptime),
    ROW("gemel_twins", twins),
    ROW("gemel_relationships", relationships),
    ROW("gemel_samples_total", samples),
    ROW("gemel_changes_total", changes),
    ROW("gemel_batches_total", batches),
    ROW("gemel_log_bytes_total", log_bytes),
    ROW("gemel_http_connections", http),
    ROW("gemel_mqtt_connections", mqtt),
    ROW("gemel_http_streams", streams),
    ROW("gemel_http_requests_total", requests),
    ROW("gemel_changes_waiting", waiting),
    ROW("gemel_mqtt_queued_messages", queued),
    ROW("gemel_dead_letters_total", dead_letters),
    ROW("gemel_alarms", alarms),
    ROW("process_resident_memory_bytes", resident),
    ROW("gemel_memory_bytes{part=\"state\"}", state),
    ROW("gemel_memory_bytes{part=\"history index\"}", index),
    ROW("gemel_memory_bytes{part=\"history open\"}", open),
    ROW("gemel_history_samples", history_samples),
    ROW("gemel_history_bytes{block=\"sealed\"}", history_sealed),
    ROW("gemel_history_bytes{block=\"open\"}", history_open),
    ROW("gemel_history_compression_ratio", ratio),
};

// A line is NAME VALUE; the value has no space in it.
static void read_line(gm_str line, look *out)
{
    static const char bucket[] = "gemel_commit_seconds_bucket{le=\"";
    size_t            gap      = line.len;
    while (gap > 0 && line.ptr[gap - 1] != ' ') gap--;
    if (gap == 0 || line.ptr[0] == '#') return;
    gm_str name  = gm_str_slice(line, 0, gap - 1);
    double value = strtod(line.ptr + gap, NULL);  // what follows is a line's end, or the buffer's NUL
    if (gm_str_starts(name, gm_str_of(bucket)) && out->commits < COMMIT_STEPS) {
        const char *le = name.ptr + sizeof bucket - 1;
        out->commit_le[out->commits]      = *le == '+' ? INFINITY : strtod(le, NULL);
        out->commit_count[out->commits++] = value;
    }
    for (size_t i = 0; i < GM_COUNT_OF(rows); i++) {
        if (gm_str_is(name, rows[i].name)) memcpy((char *)out + rows[i].at, &value, sizeof value);
    }
}

static void read_metrics(gm_str text, look *out)
{
    gm_str line;
    *out = (look){ 0 };
    while (gm_str_next(&text, '\n', &line)) read_line(line, out);
}

// The bound of the step in which the quantile of the commits between two looks lies; NaN: there were none.
static double commit_quantile(const look *before, const look *now, double q)
{
    double total = now->commits > 0 ? now->commit_count[now->commits - 1] - before->commit_count[now->commits - 1] : 0;
    if (total <= 0) return NAN;
    for (size_t i = 0; i < now->commits; i++) {
        if (now->commit_count[i] - before->commit_count[i] >= q * total) return now->commit_le[i];
    }
    return NAN;
}

// 1234567 as "1.23 M".
static const char *scaled(double x, char out[24])
{
    static const char *const units[] = { "", " k", " M", " G", " T" };
    size_t                   u       = 0;
    while (fabs(x) >= 1000 && u + 1 < GM_COUNT_OF(units)) {
        x /= 1000;
        u++;
    }
    snprintf(out, 24, u == 0 ? "%.4g%s" : "%.3g%s", x, units[u]);
    return out;
}

static const char *milliseconds(double s, char out[24])
{
    if (isnan(s)) snprintf(out, 24, "-");
    else if (isinf(s)) snprintf(out, 24, "> 4 s");
    else snprintf(out, 24, "< %.3g ms", s * 1e3);
    return out;
}

static void write_looks(const look *before, const look *now, gm_buf *out)
{
    char   a[24], b[24], c[24], d[24];
    double span = now->uptime - before->uptime, per = span > 0 ? 1 / span : 0, count = now->history_samples;
    gm_buf_printf(out, "up            %.0f s, %s twins, %s relationships\n", now->uptime, scaled(now->twins, a), scaled(now->relationships, b));
    gm_buf_printf(out, "ingest        %s values/s, %s changes/s, %s batches/s, %sB/s to the log\n", scaled((now->samples - before->samples) * per, a),
                  scaled((now->changes - before->changes) * per, b), scaled((now->batches - before->batches) * per, c),
                  scaled((now->log_bytes - before->log_bytes) * per, d));
    gm_buf_printf(out, "commit        p50 %s, p99 %s\n", milliseconds(commit_quantile(before, now, 0.5), a),
                  milliseconds(commit_quantile(before, now, 0.99), b));
    gm_buf_printf(out, "connections   %.0f mqtt, %.0f http (%s requests/s), %.0f streams\n", now->mqtt, now->http,
                  scaled((now->requests - before->requests) * per, a), now->streams);
    gm_buf_printf(out, "queues        %s changes to the disk, %s messages to clients\n", scaled(now->waiting, a), scaled(now->queued, b));
    gm_buf_printf(out, "dead letters  %.0f\nalarms        %.0f\n", now->dead_letters, now->alarms);
    gm_buf_printf(out, "memory        %sB: state %sB, history's index %sB, its open blocks %sB\n", scaled(now->resident, a), scaled(now->state, b),
                  scaled(now->index, c), scaled(now->open, d));
    gm_buf_printf(out, "history       %s samples in %sB, %.3g bytes each, compressed %.1f times\n", scaled(count, a),
                  scaled(now->history_sealed + now->history_open, b), count > 0 ? (now->history_sealed + now->history_open) / count : 0, now->ratio);
}

static gm_exit look_once(const gm_cli *cli, gm_http *http, look *out)
{
    gm_http_answer answer;
    gm_exit        code = gm_client_ask(cli, http, "GET", "/metrics", NULL, NULL, &answer);
    if (code != GM_EXIT_OK) return code;
    gm_buf_byte(&answer.text, 0);
    if (answer.text.failed) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else read_metrics((gm_str){ (const char *)answer.text.ptr, answer.text.len - 1 }, out);
    gm_http_answer_finish(&answer);
    return code;
}

// On a terminal the page is drawn over the one before.
static gm_exit show(const gm_cli *cli, const look *before, const look *now)
{
    gm_buf out = gm_buf_init(cli->alloc);
    if (before->uptime > 0 && isatty(fileno(cli->out))) gm_buf_text(&out, "\033[H\033[J");
    write_looks(before, now, &out);
    gm_exit code = gm_client_print(cli, &out);
    return code == GM_EXIT_OK && fflush(cli->out) != 0 ? GM_EXIT_NO : code;  // nobody reads any more
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_http  *http = NULL;
    look      before = { 0 }, now;
    gm_dur_ns every  = gm_args_duration(args, OPT_EVERY);
    bool      once   = gm_args_given(args, OPT_ONCE);
    if (every < 100 * GM_MILLISECOND) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--every is 100ms at least");
    gm_exit code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    int stop = -1;
    if (!once && (sigprocmask(SIG_BLOCK, &ends, NULL) != 0 || (stop = signalfd(-1, &ends, SFD_CLOEXEC)) < 0)) {
        code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "signals can not be waited for");
    }
    while (code == GM_EXIT_OK) {
        code = look_once(cli, http, &now);
        // A server that was started anew counts from zero.
        if (now.uptime < before.uptime) before = (look){ 0 };
        if (code == GM_EXIT_OK) code = show(cli, &before, &now);
        before = now;
        struct pollfd waiting = { .fd = stop, .events = POLLIN };
        if (once || poll(&waiting, 1, (int)(every / GM_MILLISECOND)) != 0) break;
    }
    if (stop >= 0) close(stop);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_top = {
    .name     = "top",
    .summary  = "show how a running server does: rates, latency, queues, memory, history",
    .text     = "Ingest, the time from handing a batch to the disk until it is durable (in steps of two), connections, queues, dead "
                "letters, alarms that want attention, memory by part and what history takes; drawn again and again until Ctrl-C. "
                "The first page, and the one of --once, gives means since the server's start, later ones what happened since the page "
                "before. All of it comes from GET /metrics.",
    .examples = "gemel top\ngemel top --once --http 127.0.0.1:8080",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
