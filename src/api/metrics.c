// GET /metrics: Prometheus text format 0.0.4.
#include "api/rollup_metrics.h"
#include "api/routes.h"
#include "api/stream.h"
#include "engine/checkpoint.h"
#include "engine/past_states.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

static void one(gm_buf *out, const char *name, const char *type, const char *help, double value)
{
    gm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}

static void counter(gm_buf *out, const char *name, const char *help, uint64_t value)
{
    one(out, name, "counter", help, (double)value);
}

static void gauge(gm_buf *out, const char *name, const char *help, double value)
{
    one(out, name, "gauge", help, value);
}

// commit_us[i] counts commits of less than 2^i microseconds; Prometheus wants cumulative counts, in seconds. The first
// buckets are joined, since no disk is that fast.
static void commits(gm_buf *out, const gm_engine_stats *engine, const gm_log_stats *log)
{
    static const char name[]     = "gemel_commit_seconds";
    uint64_t          cumulative = 0;
    gm_buf_printf(out, "# HELP %s Time from handing a batch to the disk until it is durable.\n# TYPE %s histogram\n",
                  name, name);
    for (unsigned i = 0; i < 24; i++) {
        cumulative += engine->commit_us[i];
        if (i >= 4 && i < 23) {
            gm_buf_printf(out, "%s_bucket{le=\"%.9g\"} %llu\n", name, (double)(UINT64_C(1) << i) * 1e-6,
                          (unsigned long long)cumulative);
        }
    }
    gm_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
                  (unsigned long long)cumulative, name, (double)log->commit_total / 1e9, name,
                  (unsigned long long)cumulative);
}

// Resident pages: the second number of /proc/self/statm.
static void process_memory(gm_buf *out)
{
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return;
    unsigned long long total, resident;
    if (fscanf(file, "%llu %llu", &total, &resident) == 2) {
        gauge(out, "process_resident_memory_bytes", "Memory of the process in RAM.",
              (double)resident * (double)sysconf(_SC_PAGESIZE));
        gauge(out, "process_virtual_memory_bytes", "Address space of the process.",
              (double)total * (double)sysconf(_SC_PAGESIZE));
    }
    fclose(file);
}

// Writes what the state's parts take; returns their sum.
static uint64_t state_memory(const gm_state *state, gm_buf *out)
{
    gm_state_bytes b = gm_state_memory(state);
    const struct { const char *name; uint64_t bytes; } parts[] = {
        { "twins", b.twins }, { "values", b.values }, { "times", b.times }, { "texts", b.texts },
        { "relationships", b.relationships }, { "indexes", b.indexes }, { "past", b.past },
    };
    uint64_t sum = 0;
    gm_buf_text(out, "# HELP gemel_state_memory_bytes Memory of the live state by part, room to grow included.\n"
                     "# TYPE gemel_state_memory_bytes gauge\n");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        gm_buf_printf(out, "gemel_state_memory_bytes{part=\"%s\"} %llu\n", parts[i].name, (unsigned long long)parts[i].bytes);
        sum += parts[i].bytes;
    }
    return sum;
}

// What the allocator holds: what the parts' sum lacks to the resident memory is in "free", or is the program itself.
static void heap(gm_buf *out)
{
    struct mallinfo2 info = mallinfo2();
    gm_buf_printf(out, "# HELP gemel_heap_bytes Memory of the allocator: in use in its heap, free there, and in mappings of its own.\n"
                       "# TYPE gemel_heap_bytes gauge\ngemel_heap_bytes{part=\"used\"} %zu\ngemel_heap_bytes{part=\"free\"} %zu\n"
                       "gemel_heap_bytes{part=\"mapped\"} %zu\n", info.uordblks, info.fordblks, info.hblkhd);
}

void gm_route_metrics(gm_request *request)
{
    const gm_api    *api     = request->api;
    const gm_state  *state   = gm_api_state(request);
    gm_buf          *out     = &request->out;
    gm_engine_stats  engine  = gm_engine_statistics(request->engine);
    gm_log_stats     log     = gm_log_statistics(gm_engine_log(request->engine));
    gm_history_stats history = gm_history_statistics(gm_engine_history(request->engine));
    gauge(out, "gemel_twins", "Twins that exist.", (double)gm_state_twin_count(state));
    gauge(out, "gemel_relationships", "Relationships that exist.", (double)gm_state_relationship_count(state));
    gauge(out, "gemel_models", "Models that are known.", (double)gm_model_count(gm_api_model(request)));
    counter(out, "gemel_changes_total", "Changes that were committed and applied.", engine.applied);
    counter(out, "gemel_changes_without_effect_total",
            "Changes whose twin had gone or changed its model before they were applied.", engine.dropped);
    counter(out, "gemel_samples_total", "Values of properties and telemetry that were committed.", engine.samples);
    counter(out, "gemel_batches_total", "Batches that were committed.", engine.batches);
    counter(out, "gemel_log_bytes_total", "Bytes written to the log.", log.bytes);
    gauge(out, "gemel_log_segments", "Files of the log.", (double)log.segments);
    commits(out, &engine, &log);
    gauge(out, "gemel_recovery_seconds", "How long the last start took to read the log.",
          (double)engine.recovery / 1e9);
    gm_checkpoint_report checkpoint = gm_engine_checkpoint_report(request->engine);
    counter(out, "gemel_checkpoints_total", "Checkpoints that were written since the start.", checkpoint.written);
    counter(out, "gemel_checkpoint_failures_total", "Checkpoints that could not be written.", checkpoint.failed);
    gauge(out, "gemel_checkpoint_sequence", "The last change that the newest checkpoint covers.", (double)checkpoint.sequence);
    gauge(out, "gemel_checkpoint_bytes", "Size of the newest checkpoint.", (double)checkpoint.bytes);
    gauge(out, "gemel_checkpoint_seconds", "How long the last checkpoint took.", (double)checkpoint.took / 1e9);
    gauge(out, "gemel_checkpoint_stall_seconds", "How long changes stood still for it.", (double)checkpoint.stalled / 1e9);
    gauge(out, "gemel_history_file_bytes", "Bytes of history's files.", (double)history.file_bytes);
    gauge(out, "gemel_history_files", "History's files.", (double)history.files);
    gauge(out, "gemel_history_series", "Series kept in history.", (double)history.series);
    gauge(out, "gemel_history_samples", "Samples kept in history.", (double)history.samples);
    gm_buf_printf(out, "# HELP gemel_history_bytes Bytes that history takes.\n# TYPE gemel_history_bytes gauge\n"
                       "gemel_history_bytes{block=\"sealed\"} %llu\ngemel_history_bytes{block=\"open\"} %llu\n",
                  (unsigned long long)history.sealed_bytes, (unsigned long long)history.open_bytes);
    uint64_t taken = history.sealed_bytes + history.open_bytes;
    gauge(out, "gemel_history_compression_ratio", "Samples at 16 bytes each, over what they take.",
          taken > 0 ? 16.0 * (double)history.samples / (double)taken : 1);
    gauge(out, "gemel_changes_waiting", "Changes that are on their way to the disk.", (double)engine.waiting);
    uint64_t in_state = state_memory(state, out);
    gm_buf_printf(out, "# HELP gemel_memory_bytes Memory by part, room to grow included.\n# TYPE gemel_memory_bytes gauge\n"
                       "gemel_memory_bytes{part=\"state\"} %llu\ngemel_memory_bytes{part=\"history index\"} %llu\n"
                       "gemel_memory_bytes{part=\"history open\"} %llu\ngemel_memory_bytes{part=\"states of the past\"} %llu\n",
                  (unsigned long long)in_state, (unsigned long long)history.index_bytes,
                  (unsigned long long)history.open_bytes,
                  (unsigned long long)gm_past_states_statistics(gm_engine_past_states(request->engine)).bytes);
    heap(out);
    if (api->options.dead_letters != NULL) {
        counter(out, "gemel_dead_letters_total", "Messages that could not be applied.",
                gm_dead_letters_total(api->options.dead_letters));
    }
    gm_http_stats http  = api->http != NULL ? gm_http_statistics(api->http) : (gm_http_stats){ 0 };
    gm_http_stats https = api->https != NULL ? gm_http_statistics(api->https) : (gm_http_stats){ 0 };
    counter(out, "gemel_http_requests_total", "HTTP requests received.", http.requests + https.requests);
    gauge(out, "gemel_http_connections", "HTTP connections that are open.", (double)(http.connections + https.connections));
    gauge(out, "gemel_http_streams", "Event streams that are open.", (double)gm_streams_count(api->streams));
    if (api->options.pool != NULL) gauge(out, "gemel_pool_jobs", "Long work that waits for the worker threads or is with them.", gm_pool_jobs(api->options.pool));
    gauge(out, "gemel_origin_hunts", "Origins that are being looked for.", api->hunts);
    gauge(out, "gemel_uptime_seconds", "Time since the start.",
          (double)(gm_monotonic(api->options.clock) - api->started) / 1e9);
    process_memory(out);
    gm_rollup_metrics(request);
    if (api->options.metrics != NULL) api->options.metrics(api->options.metrics_context, out);
    gm_reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8");
}
