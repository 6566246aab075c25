// Formats: proc(5); Documentation/admin-guide/iostats.rst, accounting/psi.rst and hwmon/sysfs-interface.rst of Linux.
#include "cli/machine.h"

#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TEXT_MAX = 256 * 1024, PATH_BYTES = 512, FIELDS_MAX = 32 };

struct gm_machine {
    const gm_alloc *alloc;
    char            root[256];
    gm_part       **parts;
    size_t          count, capacity;
    gm_dur_ns       now;
    char           *text;     // the file that is being read
};

// ---- files ----------------------------------------------------------------------------------------------------------

// The file's text, in the machine's buffer until the next read; empty when there is none. Files of /proc have no size,
// so they are read until they end.
static gm_str read_path(gm_machine *m, const char *fmt, va_list arguments)
{
    char path[PATH_BYTES];
    int  n = snprintf(path, sizeof path, "%s/", m->root);
    vsnprintf(path + n, sizeof path - (size_t)n, fmt, arguments);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return (gm_str){0};
    size_t len = 0;
    for (ssize_t got; len < TEXT_MAX && (got = read(fd, m->text + len, TEXT_MAX - len)) > 0;) len += (size_t)got;
    close(fd);
    return (gm_str){ m->text, len };
}

static gm_str read_text(gm_machine *m, const char *fmt, ...) GM_PRINTF(2, 3);
static gm_str read_text(gm_machine *m, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    gm_str text = read_path(m, fmt, arguments);
    va_end(arguments);
    return text;
}

static gm_str read_line(gm_machine *m, const char *fmt, ...) GM_PRINTF(2, 3);
static gm_str read_line(gm_machine *m, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    gm_str text = read_path(m, fmt, arguments);
    va_end(arguments);
    return gm_str_trim(gm_str_slice(text, 0, gm_str_find_char(text, '\n')));
}

// Words of a line, split at blanks and colons.
static size_t words(gm_str line, gm_str out[FIELDS_MAX])
{
    size_t n = 0;
    for (size_t at = 0; at < line.len && n < FIELDS_MAX;) {
        while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t' || line.ptr[at] == ':')) at++;
        size_t start = at;
        while (at < line.len && line.ptr[at] != ' ' && line.ptr[at] != '\t' && line.ptr[at] != ':') at++;
        if (at > start) out[n++] = gm_str_slice(line, start, at);
    }
    return n;
}

static uint64_t number(gm_str text)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    return value;
}

// ---- parts ----------------------------------------------------------------------------------------------------------

static gm_part *find_part(gm_machine *m, const char *model, const char *suffix)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->parts[i]->suffix, suffix) == 0) {
            m->parts[i]->seen = true;
            return m->parts[i];
        }
    }
    if (m->count >= GM_MACHINE_PARTS_MAX) return NULL;
    if (!gm_alloc_reserve(m->alloc, &m->parts, &m->capacity, m->count + 1, sizeof *m->parts)) return NULL;
    gm_part *part = gm_alloc_zeroed(m->alloc, sizeof *part);
    if (part == NULL) return NULL;
    snprintf(part->suffix, sizeof part->suffix, "%s", suffix);
    part->model          = model;
    part->properties     = gm_buf_init(m->alloc);
    part->values         = gm_buf_init(m->alloc);
    part->seen           = true;
    m->parts[m->count++] = part;
    return part;
}

// The part for this sample; what it is called may hold characters that an id should not.
static gm_part *begin_part(gm_machine *m, const char *model, const char *kind, gm_str name)
{
    char suffix[GM_PART_SUFFIX_MAX];
    int  n = snprintf(suffix, sizeof suffix, "%s%s", kind[0] != '\0' ? "-" : "", kind);
    if (name.len > 0 && n < (int)sizeof suffix - 1) suffix[n++] = '-';
    for (size_t i = 0; i < name.len && n < (int)sizeof suffix - 1; i++) {
        char c      = name.ptr[i];
        bool plain  = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '_' || c == '-';
        suffix[n++] = plain ? c : '-';
    }
    suffix[n] = '\0';
    return find_part(m, model, suffix);
}

static void add_name(gm_buf *out, const char *name)
{
    gm_buf_printf(out, "%s\"%s\":", out->len > 0 ? "," : "", name);
}

// Four significant decimals behind the point are more than any of these readings means.
static void add_number(gm_buf *out, const char *name, double value)
{
    char text[GM_NUMBER_TEXT];
    gm_number_write((double)(long long)(value * 1e4 + (value < 0 ? -0.5 : 0.5)) / 1e4, text);
    add_name(out, name);
    gm_buf_text(out, text);
}

static void add_integer(gm_buf *out, const char *name, uint64_t value)
{
    add_name(out, name);
    gm_buf_printf(out, "%" PRIu64, value);
}

static void add_text(gm_buf *out, const char *name, gm_str value)
{
    if (value.len == 0) return;
    add_name(out, name);
    gm_buf_json_str(out, value);
}

// How fast a counter rose since the last sample, per second, times scale. A counter that fell was reset: no value.
static void add_rate(const gm_machine *m, gm_part *part, const char *name, size_t slot, uint64_t counter, double scale)
{
    if (part->before_at > 0 && m->now > part->before_at && counter >= part->before[slot]) {
        double seconds = (double)(m->now - part->before_at) / 1e9;
        add_number(&part->values, name, (double)(counter - part->before[slot]) / seconds * scale);
    }
    part->before[slot] = counter;
}

// ---- the machine ----------------------------------------------------------------------------------------------------

// "some avg10=1.25 ...": percent of the last ten seconds in which some task waited.
static void add_pressure(gm_machine *m, gm_buf *out, const char *name, const char *resource)
{
    gm_str text = read_line(m, "proc/pressure/%s", resource);
    size_t at   = gm_str_find(text, GM_STR("avg10="));
    double value;
    if (at == SIZE_MAX) return;
    if (gm_number_read(gm_str_slice(text, at + 6, text.len), &value) > 0) add_number(out, name, value);
}

static uint64_t count_processes(const gm_machine *m)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc", m->root);
    uint64_t count = 0;
    DIR     *dir   = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    }
    if (dir != NULL) closedir(dir);
    return count;
}

static void describe_machine(gm_machine *m, gm_part *part)
{
    if (part->properties.len > 0) return;
    add_text(&part->properties, "hostName", read_line(m, "proc/sys/kernel/hostname"));
    add_text(&part->properties, "kernel", read_line(m, "proc/sys/kernel/osrelease"));
    gm_str rest = read_text(m, "proc/cpuinfo"), line;
    while (gm_str_next(&rest, '\n', &line)) {
        size_t colon = gm_str_find_char(line, ':');
        if (colon == SIZE_MAX || !gm_str_starts(line, GM_STR("model name"))) continue;
        add_text(&part->properties, "processor", gm_str_trim(gm_str_slice(line, colon + 1, line.len)));
        break;
    }
}

static void sample_machine(gm_machine *m)
{
    gm_part *part = begin_part(m, "dtmi:gemel:machine:Machine;1", "", (gm_str){0});
    if (part == NULL) return;
    describe_machine(m, part);
    gm_buf *out = &part->values;
    gm_str  w[FIELDS_MAX];
    double  value;
    static const char *const loads[] = { "load1", "load5", "load15" };
    size_t  n = words(read_line(m, "proc/loadavg"), w);
    for (size_t i = 0; i < 3 && i < n; i++) {
        if (gm_number_read(w[i], &value) > 0) add_number(out, loads[i], value);
    }
    if (n >= 4) {
        size_t slash = gm_str_find_char(w[3], '/');
        if (slash != SIZE_MAX) add_integer(out, "threads", number(gm_str_slice(w[3], slash + 1, w[3].len)));
    }
    add_integer(out, "processes", count_processes(m));
    if (gm_number_read(read_line(m, "proc/uptime"), &value) > 0) add_number(out, "uptime", value);
    add_pressure(m, out, "cpuPressure", "cpu");
    add_pressure(m, out, "memoryPressure", "memory");
    add_pressure(m, out, "ioPressure", "io");
}

// user nice system idle iowait irq softirq steal: percent of the time since the last sample that was not idle.
static void add_busy(gm_part *part, const char *name, const gm_str *w, size_t n)
{
    uint64_t total = 0, idle = 0;
    for (size_t i = 1; i < n && i <= 8; i++) total += number(w[i]);
    for (size_t i = 4; i < n && i <= 5; i++) idle += number(w[i]);
    if (part->before_at > 0 && total > part->before[0]) {
        double share = (double)(idle - part->before[1]) / (double)(total - part->before[0]);
        add_number(&part->values, name, share >= 0 && share <= 1 ? 100.0 * (1.0 - share) : 0.0);
    }
    part->before[0] = total;
    part->before[1] = idle;
}

// /proc/stat: the first line is the machine, the others are its cores.
static void sample_cores(gm_machine *m)
{
    gm_str text = read_text(m, "proc/stat");
    gm_buf copy = gm_buf_init(m->alloc);  // frequencies are read from other files meanwhile
    gm_buf_str(&copy, text);
    gm_str rest = gm_buf_view(&copy), line, w[FIELDS_MAX];
    while (gm_str_next(&rest, '\n', &line) && gm_str_starts(line, GM_STR("cpu"))) {
        size_t   n     = words(line, w);
        gm_str   index = gm_str_slice(w[0], 3, w[0].len);
        gm_part *part  = index.len > 0 ? begin_part(m, "dtmi:gemel:machine:Core;1", "core", index)
                                       : begin_part(m, "dtmi:gemel:machine:Machine;1", "", (gm_str){0});
        if (part == NULL) continue;
        add_busy(part, index.len > 0 ? "load" : "cpuLoad", w, n);
        if (index.len == 0) continue;
        if (part->properties.len == 0) add_integer(&part->properties, "index", number(index));
        gm_str kHz = read_line(m, "sys/devices/system/cpu/cpu%u/cpufreq/scaling_cur_freq", (unsigned)number(index));
        if (kHz.len > 0) add_number(&part->values, "frequency", (double)number(kHz) / 1e3);
    }
    gm_buf_finish(&copy);
}

// Virtual machines have no cpufreq; /proc/cpuinfo knows a frequency even there.
static void sample_frequencies(gm_machine *m)
{
    gm_str rest = read_text(m, "proc/cpuinfo"), line, index = {0};
    while (gm_str_next(&rest, '\n', &line)) {
        size_t colon = gm_str_find_char(line, ':');
        if (colon == SIZE_MAX) continue;
        gm_str value = gm_str_trim(gm_str_slice(line, colon + 1, line.len));
        double MHz;
        if (gm_str_starts(line, GM_STR("processor"))) index = value;
        if (!gm_str_starts(line, GM_STR("cpu MHz")) || index.len == 0 || gm_number_read(value, &MHz) == 0) continue;
        gm_part *part = begin_part(m, "dtmi:gemel:machine:Core;1", "core", index);
        if (part != NULL && gm_str_find(gm_buf_view(&part->values), GM_STR("\"frequency\"")) == SIZE_MAX) {
            add_number(&part->values, "frequency", MHz);
        }
    }
}

static void sample_memory(gm_machine *m)
{
    static const char *const names[] = { "MemTotal", "MemAvailable", "Cached", "SwapTotal", "SwapFree" };
    double MiB[5] = {0};
    gm_str rest   = read_text(m, "proc/meminfo"), line, w[FIELDS_MAX];
    if (rest.len == 0) return;
    while (gm_str_next(&rest, '\n', &line)) {
        if (words(line, w) < 2) continue;
        for (size_t i = 0; i < 5; i++) {
            if (gm_str_is(w[0], names[i])) MiB[i] = (double)number(w[1]) / 1024.0;
        }
    }
    gm_part *part = begin_part(m, "dtmi:gemel:machine:Memory;1", "memory", (gm_str){0});
    if (part == NULL || MiB[0] <= 0) return;
    if (part->properties.len == 0) add_number(&part->properties, "size", MiB[0]);
    add_number(&part->values, "used", MiB[0] - MiB[1]);
    add_number(&part->values, "available", MiB[1]);
    add_number(&part->values, "cached", MiB[2]);
    add_number(&part->values, "usage", 100.0 * (1.0 - MiB[1] / MiB[0]));
    add_number(&part->values, "swapSize", MiB[3]);
    add_number(&part->values, "swapUsed", MiB[3] - MiB[4]);
}

// ---- disks ----------------------------------------------------------------------------------------------------------

static bool is_disk(gm_str name)
{
    static const char *const others[] = { "loop", "ram", "zram", "sr", "fd", "dm-" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (gm_str_starts(name, gm_str_of(others[i]))) return false;
    }
    return true;
}

static void sample_disk(gm_machine *m, const gm_str *w)
{
    char name[64], path[PATH_BYTES];
    snprintf(name, sizeof name, GM_STR_FMT, GM_STR_ARG(w[2]));
    snprintf(path, sizeof path, "%s/sys/block/%s", m->root, name);
    struct stat st;
    if (stat(path, &st) != 0) return;  // a partition
    gm_part *part = begin_part(m, "dtmi:gemel:machine:Disk;1", "disk", w[2]);
    if (part == NULL) return;
    if (part->properties.len == 0) {
        add_text(&part->properties, "device", w[2]);
        add_number(&part->properties, "size", (double)number(read_line(m, "sys/block/%s/size", name)) / 2097152.0);
    }
    add_rate(m, part, "readOperations", 0, number(w[3]), 1);
    add_rate(m, part, "readRate", 1, number(w[5]), 512.0);
    add_rate(m, part, "writeOperations", 2, number(w[7]), 1);
    add_rate(m, part, "writeRate", 3, number(w[9]), 512.0);
    add_rate(m, part, "busy", 4, number(w[12]), 0.1);  // milliseconds per second to percent
}

static void sample_disks(gm_machine *m)
{
    gm_buf copy = gm_buf_init(m->alloc);
    gm_buf_str(&copy, read_text(m, "proc/diskstats"));
    gm_str rest = gm_buf_view(&copy), line, w[FIELDS_MAX];
    while (gm_str_next(&rest, '\n', &line)) {
        if (words(line, w) >= 14 && is_disk(w[2]) && number(w[3]) + number(w[7]) > 0) sample_disk(m, w);
    }
    gm_buf_finish(&copy);
}

static void sample_file_system(gm_machine *m, gm_str device, gm_str mount)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s" GM_STR_FMT, strcmp(m->root, "/") == 0 ? "" : m->root, GM_STR_ARG(mount));
    struct stat    st;
    struct statvfs size;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || statvfs(path, &size) != 0 || size.f_blocks == 0) return;
    gm_str   name = mount.len > 1 ? gm_str_slice(mount, 1, mount.len) : GM_STR("root");
    gm_part *part = begin_part(m, "dtmi:gemel:machine:FileSystem;1", "filesystem", name);
    if (part == NULL || part->values.len > 0) return;
    double GiB = (double)size.f_frsize / 1073741824.0;
    if (part->properties.len == 0) {
        add_text(&part->properties, "mountPoint", mount);
        add_text(&part->properties, "device", device);
    }
    add_number(&part->values, "size", (double)size.f_blocks * GiB);
    add_number(&part->values, "used", (double)(size.f_blocks - size.f_bfree) * GiB);
    // As df counts: of what users can have, so that reserved blocks are neither used nor free.
    double used = (double)(size.f_blocks - size.f_bfree), users = used + (double)size.f_bavail;
    if (users > 0) add_number(&part->values, "usage", 100.0 * used / users);
}

// Real file systems: those on a device, and the root whatever it is (an overlay in a container). One per device.
static void sample_file_systems(gm_machine *m)
{
    enum { DEVICES = 32 };
    gm_buf copy = gm_buf_init(m->alloc);
    gm_buf_str(&copy, read_text(m, "proc/self/mounts"));
    gm_str rest = gm_buf_view(&copy), line, w[FIELDS_MAX], devices[DEVICES];
    size_t count = 0;
    while (gm_str_next(&rest, '\n', &line) && count < DEVICES) {
        if (words(line, w) < 3) continue;
        bool known = false;
        for (size_t i = 0; i < count; i++) known = known || gm_str_eq(devices[i], w[0]);
        if (known || (!gm_str_starts(w[0], GM_STR("/dev/")) && !gm_str_is(w[1], "/"))) continue;
        devices[count++] = w[0];
        sample_file_system(m, w[0], w[1]);
    }
    gm_buf_finish(&copy);
}

// ---- network, temperatures ------------------------------------------------------------------------------------------

static void sample_network(gm_machine *m)
{
    gm_str rest = read_text(m, "proc/net/dev"), line, w[FIELDS_MAX];
    while (gm_str_next(&rest, '\n', &line)) {
        if (words(line, w) < 17 || gm_str_find_char(line, '|') != SIZE_MAX || gm_str_is(w[0], "lo")) continue;
        if (number(w[1]) + number(w[9]) == 0) continue;  // never carried anything: not connected, or virtual
        gm_part *part = begin_part(m, "dtmi:gemel:machine:NetworkInterface;1", "network", w[0]);
        if (part == NULL) continue;
        if (part->properties.len == 0) add_text(&part->properties, "device", w[0]);
        add_rate(m, part, "receiveRate", 0, number(w[1]), 1);
        add_rate(m, part, "receivePackets", 1, number(w[2]), 1);
        add_rate(m, part, "transmitRate", 2, number(w[9]), 1);
        add_rate(m, part, "transmitPackets", 3, number(w[10]), 1);
        add_integer(&part->values, "errors", number(w[3]) + number(w[11]));
        add_integer(&part->values, "drops", number(w[4]) + number(w[12]));
    }
}

static bool sample_temperature(gm_machine *m, const char *folder, int index, const char *chip)
{
    char   name[160], milli_text[32];
    gm_str milli = read_line(m, "%s/temp%d_input", folder, index);
    if (milli.len == 0 || milli.len >= sizeof milli_text) return false;
    memcpy(milli_text, milli.ptr, milli.len);
    milli_text[milli.len] = '\0';
    double degC           = strtod(milli_text, NULL) / 1e3;
    snprintf(name, sizeof name, "%s-%d", chip, index);
    gm_part *part = begin_part(m, "dtmi:gemel:machine:TemperatureSensor;1", "sensor", gm_str_of(name));
    if (part == NULL) return true;
    if (part->properties.len == 0) {
        gm_str text = read_line(m, "%s/temp%d_label", folder, index);
        add_text(&part->properties, "label", text.len > 0 ? text : gm_str_of(name));
    }
    add_number(&part->values, "temperature", degC);
    return true;
}

static void sample_temperatures(gm_machine *m)
{
    enum { CHIPS = 32, INPUTS = 32 };
    for (int chip = 0; chip < CHIPS; chip++) {
        char   folder[PATH_BYTES / 2], name[128];
        snprintf(folder, sizeof folder, "sys/class/hwmon/hwmon%d", chip);
        gm_str text = read_line(m, "%s/name", folder);
        if (text.len == 0) continue;
        snprintf(name, sizeof name, "hwmon%d-" GM_STR_FMT, chip, (int)(text.len < 60 ? text.len : 60), text.ptr);
        for (int i = 1; i <= INPUTS; i++) sample_temperature(m, folder, i, name);
    }
    for (int zone = 0; zone < CHIPS; zone++) {
        gm_str milli = read_line(m, "sys/class/thermal/thermal_zone%d/temp", zone);
        if (milli.len == 0) return;
        double degC = (double)number(milli) / 1e3;
        char   name[64];
        snprintf(name, sizeof name, "zone%d", zone);
        gm_part *part = begin_part(m, "dtmi:gemel:machine:TemperatureSensor;1", "sensor", gm_str_of(name));
        if (part == NULL) return;
        if (part->properties.len == 0)
            add_text(&part->properties, "label", read_line(m, "sys/class/thermal/thermal_zone%d/type", zone));
        add_number(&part->values, "temperature", degC);
    }
}

// ---- all of it ------------------------------------------------------------------------------------------------------

void gm_machine_sample(gm_machine *m, gm_dur_ns now, gm_part *const **out_parts, size_t *out_count)
{
    m->now = now;
    for (size_t i = 0; i < m->count; i++) {
        m->parts[i]->seen = false;
        gm_buf_clear(&m->parts[i]->values);
    }
    sample_machine(m);
    sample_cores(m);
    sample_frequencies(m);
    sample_memory(m);
    sample_disks(m);
    sample_file_systems(m);
    sample_network(m);
    sample_temperatures(m);
    for (size_t i = 0; i < m->count; i++) m->parts[i]->before_at = m->parts[i]->seen ? now : 0;
    *out_parts = m->parts;
    *out_count = m->count;
}

gm_status gm_machine_open(const gm_alloc *alloc, const char *root, gm_machine **out_machine, gm_error *err)
{
    *out_machine  = NULL;
    gm_machine *m = gm_alloc_zeroed(alloc, sizeof *m);
    char       *text = gm_alloc_bytes(alloc, TEXT_MAX);
    if (m == NULL || text == NULL) {
        gm_free(alloc, m);
        gm_free(alloc, text);
        return gm_fail(err, GM_NOMEM, "cli.machine", "reading the machine");
    }
    *m = (gm_machine){ .alloc = alloc, .text = text };
    snprintf(m->root, sizeof m->root, "%s", root);
    if (read_text(m, "proc/stat").len == 0) {
        gm_machine_close(m);
        return gm_fail(err, GM_NOTFOUND, "cli.machine",
                       "there is no %s/proc/stat; the agent reads Linux's /proc and /sys", root);
    }
    *out_machine = m;
    return GM_OK;
}

void gm_machine_close(gm_machine *m)
{
    if (m == NULL) return;
    for (size_t i = 0; i < m->count; i++) {
        gm_buf_finish(&m->parts[i]->properties);
        gm_buf_finish(&m->parts[i]->values);
        gm_free(m->alloc, m->parts[i]);
    }
    gm_free(m->alloc, m->parts);
    gm_free(m->alloc, m->text);
    gm_free(m->alloc, m);
}
