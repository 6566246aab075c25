// Publishes a recorded table as if its assets were reporting now. Two passes over the file: the first finds the assets and
// counts the rows, so that twins exist before their first row and progress can be told; the second publishes.
#include "base/index.h"
#include "base/percent.h"
#include "cli/device.h"
#include "cli/plant.h"
#include "cli/progress.h"
#include "cli/replay_map.h"
#include "cli/verbs.h"

#include <errno.h>
#include <math.h>
#include <time.h>
#include <zlib.h>

enum { OPT_DATA, OPT_MQTT, OPT_RATE, OPT_START, OPT_MAPPING, OPT_PRINT, OPT_JSON };
static const gm_option options[] = {
    [OPT_DATA]    = { "data", GM_OPTION_TEXT, "FILE", NULL, "the table, plain or gzip" },
    [OPT_MQTT]    = GM_CLIENT_MQTT,
    [OPT_RATE]    = { "rate", GM_OPTION_TEXT, "ROWS|max", "max", "rows per second" },
    [OPT_START]   = { "start", GM_OPTION_TIME, "TIME", NULL,
                      "source time of the first step (default: 2026-01-01T00:00:00Z; a table with times of its own keeps "
                        "them)" },
    [OPT_MAPPING] = { "mapping", GM_OPTION_TEXT, "NAME", "replay.json",
                      "which file of the plant's mappings/ says what the columns are" },
    [OPT_PRINT]   = { "print", GM_OPTION_FLAG, NULL, NULL,
                      "print the messages, topic and payload, instead of publishing them" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print the counts as JSON" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder" },
};

typedef struct name_set {  // texts, each once
    gm_index index;
    gm_str  *items;
    size_t   count, capacity;
} name_set;

typedef struct replay {
    const gm_cli   *cli;
    const char     *path;
    gm_replay_map  *map;
    gm_replay_row   row;
    char           *line;
    uint64_t        line_number, rows, published, creates;
    gm_time_ns      start;
    gm_dur_ns       shift;        // added to a table's own times
    bool            shift_known, start_given;
    double          rate;         // rows per second; 0: as fast as they are taken
    gm_device       device;
    name_set        twins, created;
    gm_buf          id, topic, payload;
    gm_progress     progress;
    gm_dur_ns       began;
} replay;

static bool same_name(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const name_set *)owner)->items[id], key);
}

// Adds a text; *out_new tells whether it was not there yet.
static gm_status add_name(const gm_cli *cli, name_set *set, gm_str name, bool *out_new, gm_error *err)
{
    *out_new = gm_index_find(&set->index, name) == GM_INDEX_NONE;
    if (!*out_new) return GM_OK;
    gm_str kept = gm_arena_str(cli->arena, name);
    if (kept.ptr == NULL ||
        !gm_alloc_reserve(cli->alloc, &set->items, &set->capacity, set->count + 1, sizeof *set->items))
        goto refused;
    set->items[set->count] = kept;
    if (gm_index_add(&set->index, kept, (uint32_t)set->count) != GM_OK) goto refused;
    set->count++;
    return GM_OK;
refused:
    return gm_fail(err, GM_NOMEM, "cli.replay", "%zu twins", set->count);
}

// ---- reading --------------------------------------------------------------------------------------------------------

// Names the file and line in front of what is wrong with a row.
static gm_status in_row(const replay *r, gm_status st, gm_error *err)
{
    if (st != GM_INVALID && st != GM_LIMIT) return st;
    gm_error inner = *err;
    return gm_fail(err, st, "cli.replay", "%.90s:%llu: %s", r->path, (unsigned long long)r->line_number, inner.text);
}

typedef gm_status gm_each_row(replay *r, gm_error *err);

// Calls each for every row of the table, its fields in r->row.
static gm_status read_rows(replay *r, gm_each_row *each, gm_error *err)
{
    gzFile file = gzopen(r->path, "rb");
    if (file == NULL) return gm_fail_os(err, errno != 0 ? errno : ENOMEM, "cli.replay", "opening %s", r->path);
    gzbuffer(file, 1 << 17);
    bool      header = gm_replay_has_header(r->map);
    gm_status st     = GM_OK;
    r->line_number   = 0;
    while (st == GM_OK && gzgets(file, r->line, GM_REPLAY_LINE_MAX) != NULL) {
        gm_str line = gm_str_of(r->line);
        r->line_number++;
        if (line.len == GM_REPLAY_LINE_MAX - 1) {
            st = in_row(r, gm_fail(err, GM_LIMIT, "cli.replay", "a line of more than %d bytes", GM_REPLAY_LINE_MAX),
                        err);
            break;
        }
        st = in_row(r, gm_replay_split(r->map, line, &r->row, err), err);
        if (st != GM_OK || r->row.count == 0) continue;
        if (header) {
            st     = in_row(r, gm_replay_bind(r->map, &r->row, err), err);
            header = false;
        } else {
            st = in_row(r, each(r, err), err);
        }
    }
    int code;
    gzerror(file, &code);
    if (st == GM_OK && code != Z_OK && code != Z_STREAM_END)
        st = gm_fail(err, GM_CORRUPT, "cli.replay", "%s is damaged after line %llu", r->path,
                     (unsigned long long)r->line_number);
    gzclose(file);
    return st;
}

// ---- publishing -----------------------------------------------------------------------------------------------------

static gm_status send(replay *r, gm_str twin, gm_str kind, gm_error *err)
{
    gm_buf_clear(&r->topic);
    gm_buf_text(&r->topic, "gemel/");
    gm_percent_encode(&r->topic, twin);
    gm_buf_byte(&r->topic, '/');
    gm_buf_str(&r->topic, kind);
    gm_buf_byte(&r->topic, 0);
    if (r->topic.failed || r->payload.failed) return gm_fail(err, GM_NOMEM, "cli.replay", "publishing a row");
    return gm_device_send(&r->device, (char *)r->topic.ptr, gm_buf_view(&r->payload), err);
}

// The first pass: twins that occur for the first time are created, with all that belongs to them.
static gm_status create_new(replay *r, gm_error *err)
{
    bool is_new;
    r->rows++;
    gm_buf_clear(&r->id);
    gm_status st = gm_replay_twin(r->map, &r->row, &r->id, err);
    if (st == GM_OK) st = add_name(r->cli, &r->twins, gm_buf_view(&r->id), &is_new, err);
    if (st != GM_OK || !is_new) return st;
    for (size_t i = 0; st == GM_OK && i < gm_replay_create_count(r->map); i++) {
        gm_buf_clear(&r->id);
        gm_buf_clear(&r->payload);
        st = gm_replay_create(r->map, &r->row, i, &r->id, &r->payload, err);
        if (st == GM_OK) st = add_name(r->cli, &r->created, gm_buf_view(&r->id), &is_new, err);
        if (st == GM_OK && is_new) st = send(r, gm_buf_view(&r->id), GM_STR("create"), err);
        if (st == GM_OK) r->creates += is_new;
    }
    return st;
}

// Holds the pace; acknowledgements are read meanwhile.
static gm_status keep_pace(replay *r, gm_error *err)
{
    if (r->rate <= 0) return GM_OK;
    gm_dur_ns due = r->began + (gm_dur_ns)((double)r->published / r->rate * 1e9);
    gm_status st  = GM_OK;
    for (gm_dur_ns left; st == GM_OK && (left = due - gm_monotonic(r->cli->clock)) > 0;) {
        gm_dur_ns       slice = left < 50 * GM_MILLISECOND ? left : 50 * GM_MILLISECOND;
        struct timespec rest  = { .tv_nsec = (long)slice };
        if (r->device.client != NULL && slice >= GM_MILLISECOND)
            st = gm_mqtt_client_turn(r->device.client, slice, err);
        else nanosleep(&rest, NULL);
    }
    return st;
}

static gm_status publish_row(replay *r, gm_error *err)
{
    gm_status st = keep_pace(r, err);
    if (st != GM_OK) return st;
    gm_time_ns at;
    gm_buf_clear(&r->id);
    gm_buf_clear(&r->payload);
    st = gm_replay_twin(r->map, &r->row, &r->id, err);
    if (st == GM_OK) st = gm_replay_time(r->map, &r->row, r->start, &at, err);
    if (st != GM_OK) return st;
    if (!r->shift_known) {
        r->shift       = gm_replay_has_clock(r->map) && r->start_given ? r->start - at : 0;
        r->shift_known = true;
    }
    st = gm_replay_payload(r->map, &r->row, at + r->shift, &r->payload, err);
    if (st == GM_OK) st = send(r, gm_buf_view(&r->id), gm_replay_topic(r->map), err);
    if (st == GM_OK) gm_progress_set(&r->progress, ++r->published);
    return st;
}

// ---- the verb -------------------------------------------------------------------------------------------------------

static gm_status read_mapping(replay *r, const gm_args *args, json_t **out_json, gm_error *err)
{
    const char *plant = gm_args_operand(args, 0), *name = gm_args_text(args, OPT_MAPPING);
    gm_str      path  = gm_arena_printf(r->cli->arena, "%s/mappings/%s", plant, name);
    uint8_t    *bytes = NULL;
    size_t      size;
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.replay", "reading the mapping");
    gm_error  why = {0};
    gm_status st  = gm_io_read_file(r->cli->io, path.ptr, 1 << 24, &bytes, &size, &why);
    if (st != GM_OK)
        return gm_fail(err, st, "cli.replay",
                       "%s; the mapping says what the table's columns are (docs/formats/replay.md)", why.text);
    json_error_t where;
    *out_json = json_loadb((char *)bytes, size, JSON_REJECT_DUPLICATES, &where);
    gm_free(r->cli->io->alloc, bytes);
    if (*out_json == NULL)
        return gm_fail(err, GM_INVALID, "cli.replay", "%.100s:%d: not JSON: %.60s", path.ptr, where.line, where.text);
    st = gm_replay_map_read(*out_json, r->cli->arena, &r->map, &why);
    if (st != GM_OK) return gm_fail(err, st, "cli.replay", "%.80s: %s", path.ptr, why.text);

    // {file} is the table's name without folders and endings.
    gm_str file = gm_str_of(r->path), part;
    for (gm_str rest = file; gm_str_next(&rest, '/', &part);) file = part;
    gm_replay_set_file(r->map, gm_str_slice(file, 0, gm_str_find_char(file, '.')));
    return GM_OK;
}

static gm_exit read_rate(replay *r, const char *text)
{
    if (strcmp(text, "max") == 0) return GM_EXIT_OK;
    if (gm_option_check(GM_OPTION_NUMBER, "--rate", gm_str_of(text), NULL) == GM_OK) r->rate = strtod(text, NULL);
    if (r->rate > 0) return GM_EXIT_OK;
    return gm_cli_fail_text(r->cli, GM_EXIT_USAGE, "--rate is a number of rows per second above 0, or max, not '%.40s'",
                            text);
}

static gm_status connect_client(replay *r, const gm_args *args, gm_error *err)
{
    if (gm_args_given(args, OPT_PRINT)) return GM_OK;
    gm_mqtt_client_options o = gm_mqtt_client_options_defaults();
    o.name                   = "gemel-replay";
    return gm_device_connect(&r->device, args, OPT_MQTT, o, err);
}

static gm_status publish_all(replay *r, gm_error *err)
{
    gm_progress_begin(&r->progress, r->cli->err, r->cli->terminal, r->cli->clock, "creating", "twins", 0);
    gm_status st = read_rows(r, create_new, err);
    if (st == GM_OK) st = gm_device_drain(&r->device, 600 * GM_SECOND, err);
    gm_progress_end(&r->progress);
    if (st != GM_OK) return st;

    gm_progress_begin(&r->progress, r->cli->err, r->cli->terminal, r->cli->clock, "replay", "rows", r->rows);
    r->began = gm_monotonic(r->cli->clock);
    st       = read_rows(r, publish_row, err);
    if (st == GM_OK) st = gm_device_drain(&r->device, 600 * GM_SECOND, err);
    gm_progress_end(&r->progress);
    return st;
}

static void print_counts(const replay *r, bool json)
{
    if (r->device.client == NULL) return;
    gm_mqtt_client_counts counts = gm_mqtt_client_count(r->device.client);
    double   seconds = (double)(gm_monotonic(r->cli->clock) - r->began) / 1e9;
    uint64_t acked   = counts.acknowledged >= r->creates ? counts.acknowledged - r->creates : 0;
    if (json) {
        fprintf(
            r->cli->out,
            "{\"twins\":%zu,\"created\":%llu,\"sent\":%llu,\"acknowledged\":%llu,\"refused\":%llu,\"seconds\":%.3f}\n",
            r->twins.count, (unsigned long long)r->creates, (unsigned long long)r->published, (unsigned long long)acked,
            (unsigned long long)counts.refused, seconds);
        return;
    }
    char a[32], b[32], c[32];
    fprintf(r->cli->out, "%s rows sent, %s acknowledged, %zu twins, %.1f s (%s rows/s)\n", gm_grouped(r->published, a),
            gm_grouped(acked, b), r->twins.count, seconds,
            gm_grouped(seconds > 0 ? (uint64_t)((double)r->published / seconds) : 0, c));
    if (counts.refused > 0) {
        fprintf(r->cli->err, "gemel: %s messages could not be applied; 'gemel dead-letters' says why\n",
                gm_grouped(counts.refused, a));
    }
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    if (!gm_args_given(args, OPT_DATA)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "which table? give --data FILE");
    replay  r    = { .cli         = cli,
                     .device      = gm_device_init(cli),
                     .path        = gm_args_text(args, OPT_DATA),
                     .id          = gm_buf_init(cli->alloc),
                     .topic       = gm_buf_init(cli->alloc),
                     .payload     = gm_buf_init(cli->alloc),
                     .start_given = gm_args_given(args, OPT_START) };
    gm_exit code = read_rate(&r, gm_args_text(args, OPT_RATE));
    if (code != GM_EXIT_OK) return code;
    r.start         = r.start_given ? gm_args_time(args, OPT_START) : INT64_C(1767225600) * GM_SECOND;
    r.twins.index   = gm_index_init(cli->alloc, same_name, &r.twins);
    r.created.index = gm_index_init(cli->alloc, same_name, &r.created);
    r.line          = gm_arena_bytes(cli->arena, GM_REPLAY_LINE_MAX);
    gm_error  err   = {0};
    json_t   *json  = NULL;
    gm_status st    = r.line != NULL ? read_mapping(&r, args, &json, &err)
                                     : gm_fail(&err, GM_NOMEM, "cli.replay", "reading the table");
    bool      here  = st == GM_OK;
    if (st == GM_OK) st = connect_client(&r, args, &err);
    if (st == GM_OK) st = publish_all(&r, &err);
    if (here && (st == GM_OK || r.published > 0)) print_counts(&r, gm_args_given(args, OPT_JSON));
    if (st != GM_OK) code = gm_client_fail(cli, &err, here);
    else if (r.device.client != NULL && gm_mqtt_client_count(r.device.client).refused > 0) code = GM_EXIT_NO;
    gm_device_finish(&r.device);
    json_decref(json);
    gm_index_finish(&r.twins.index);
    gm_index_finish(&r.created.index);
    gm_free(cli->alloc, r.twins.items);
    gm_free(cli->alloc, r.created.items);
    gm_buf_finish(&r.id);
    gm_buf_finish(&r.topic);
    gm_buf_finish(&r.payload);
    return code;
}

const gm_verb gm_verb_replay = {
    .name    = "replay",
    .summary = "publish a recorded table over MQTT as if its assets were reporting",
    .text = "Each row becomes one message with QoS 1 and the row's source time. Which column is what says the plant's "
            "mappings/replay.json (docs/formats/replay.md); twins that do not exist yet are created as it tells. Ends "
            "when everything "
            "is acknowledged. Publishing the same table again changes nothing: the samples are the same ones.",
    .examples = "gemel replay examples/turbofan --data test_FD001.txt.gz --rate max\n"
                "gemel replay examples/turbofan --data train_FD001.txt --rate 50 --start 2026-06-01T00:00:00Z\n"
                "gemel replay plant --data valve.csv --mapping rig.replay.json --print | head",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
