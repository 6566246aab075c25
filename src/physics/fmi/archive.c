#include "physics/fmi/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

gm_fmu_archive_limits gm_fmu_archive_limits_defaults(void)
{
    return (gm_fmu_archive_limits){ .entries_max = 50000, .bytes_max = UINT64_C(4) << 30, .ratio_max = 1000 };
}

static gm_status refuse(gm_error *err, const char *name, const char *why)
{
    return gm_fail(err, GM_INVALID, "fmi.archive", "the archive's entry '%.100s' %s", name, why);
}

// A relative name of plain parts. Parts of dots alone are refused, and so is everything that only Windows would see.
static gm_status check_name(const char *name, gm_error *err)
{
    gm_str rest = gm_str_of(name), part;
    if (rest.len == 0 || rest.len > 1000) return refuse(err, name, "has no usable name");
    if (name[0] == '/') return refuse(err, name, "has an absolute name");
    for (size_t i = 0; i < rest.len; i++) {
        if (name[i] == '\\' || name[i] == ':' || (unsigned char)name[i] < 32) return refuse(err, name, "has a name with forbidden characters");
    }
    if (name[rest.len - 1] == '/') rest.len--;
    while (gm_str_next(&rest, '/', &part)) {
        if (part.len == 0 || gm_str_is(part, ".") || gm_str_is(part, "..")) return refuse(err, name, "leads outside of its folder");
    }
    return GM_OK;
}

// The Unix mode says what kind of file it is; anything but a file or folder is refused.
static gm_status check_kind(zip_t *zip, uint64_t index, const char *name, gm_error *err)
{
    zip_uint8_t  system;
    zip_uint32_t attributes;
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) != 0 || system != ZIP_OPSYS_UNIX) return GM_OK;
    unsigned kind = (attributes >> 16) & S_IFMT;
    if (kind != 0 && kind != S_IFREG && kind != S_IFDIR) return refuse(err, name, "is a link or a device");
    return GM_OK;
}

// Makes the folders of the name, below the folder that at_fd is.
static gm_status make_folders(int at_fd, const char *name, gm_error *err)
{
    char part[1024];
    for (size_t i = 0; name[i] != '\0' && i < sizeof part; i++) {
        if (name[i] == '/') {
            part[i] = '\0';
            if (mkdirat(at_fd, part, 0700) != 0 && errno != EEXIST) return gm_fail_os(err, errno, "fmi.archive", "making the folder %.100s", part);
        }
        part[i] = name[i];
    }
    return GM_OK;
}

static gm_status copy_bytes(zip_file_t *from, int to, uint64_t size, const char *name, gm_error *err)
{
    uint8_t  bytes[1 << 16];
    uint64_t done = 0;
    for (;;) {
        zip_int64_t n = zip_fread(from, bytes, sizeof bytes);
        if (n < 0) return refuse(err, name, "can not be unpacked: its bytes are damaged");
        if (n == 0) break;
        done += (uint64_t)n;
        if (done > size) return refuse(err, name, "is longer than it says");  // the limits were checked against what it says
        for (zip_int64_t at = 0; at < n;) {
            ssize_t written = write(to, bytes + at, (size_t)(n - at));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return gm_fail_os(err, errno, "fmi.archive", "writing %.100s", name);
            at += written;
        }
    }
    return done == size ? GM_OK : refuse(err, name, "is shorter than it says");
}

static gm_status unpack_entry(zip_t *zip, uint64_t index, const zip_stat_t *entry, int folder, gm_error *err)
{
    zip_file_t *from = NULL;
    int         to   = -1;
    gm_status   st   = make_folders(folder, entry->name, err);
    if (st != GM_OK || entry->name[strlen(entry->name) - 1] == '/') return st;
    from = zip_fopen_index(zip, index, 0);
    if (from == NULL) {
        st = refuse(err, entry->name, "can not be unpacked (encrypted, or packed in an unknown way)");
        goto done;
    }
    to = openat(folder, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
    if (to < 0) {
        st = errno == EEXIST || errno == EISDIR ? refuse(err, entry->name, "is in the archive twice")
                                                : gm_fail_os(err, errno, "fmi.archive", "writing %.100s", entry->name);
        goto done;
    }
    st = copy_bytes(from, to, entry->size, entry->name, err);
done:
    if (from != NULL) zip_fclose(from);
    if (to >= 0 && close(to) != 0 && st == GM_OK) st = gm_fail_os(err, errno, "fmi.archive", "writing %.100s", entry->name);
    return st;
}

static gm_status unpack_all(zip_t *zip, const gm_fmu_archive_limits *limits, int folder, gm_error *err)
{
    zip_int64_t n     = zip_get_num_entries(zip, 0);
    uint64_t    total = 0;
    if (n < 0 || (uint64_t)n > limits->entries_max) {
        return gm_fail(err, GM_LIMIT, "fmi.archive", "%lld entries; at most %llu", (long long)n, (unsigned long long)limits->entries_max);
    }
    for (uint64_t i = 0; i < (uint64_t)n; i++) {
        zip_stat_t      entry;
        const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
        if (zip_stat_index(zip, i, 0, &entry) != 0 || (entry.valid & needed) != needed) return refuse(err, "?", "is damaged");
        gm_status st = check_name(entry.name, err);
        if (st == GM_OK) st = check_kind(zip, i, entry.name, err);
        if (st != GM_OK) return st;
        if (entry.size > limits->bytes_max - total) {
            return gm_fail(err, GM_LIMIT, "fmi.archive", "more than %llu bytes when unpacked", (unsigned long long)limits->bytes_max);
        }
        total += entry.size;
        if (entry.size > (1 << 20) && entry.size / limits->ratio_max > entry.comp_size) {
            return gm_fail(err, GM_LIMIT, "fmi.archive", "the entry '%.80s' grows more than %llu-fold", entry.name, (unsigned long long)limits->ratio_max);
        }
        st = unpack_entry(zip, i, &entry, folder, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

gm_status gm_fmu_archive_folder(const char *parent, char out_folder[GM_FMU_PATH_MAX], gm_error *err)
{
    const char *given = parent != NULL ? parent : getenv("TMPDIR");
    const char *base  = given != NULL && given[0] == '/' && strlen(given) < GM_FMU_PATH_MAX / 2 ? given : "/tmp";
    snprintf(out_folder, GM_FMU_PATH_MAX, "%s/gemel-fmu-XXXXXX", base);
    if (mkdtemp(out_folder) != NULL) return GM_OK;  // 0700
    int why = errno;
    out_folder[0] = '\0';
    return gm_fail_os(err, why, "fmi.archive", "making a folder in %.100s", base);
}

gm_status gm_fmu_archive_unpack(const char *file, const char *parent, const gm_fmu_archive_limits *limits, char out_folder[GM_FMU_PATH_MAX],
                                gm_error *err)
{
    int    why    = 0;
    int    folder = -1;
    out_folder[0] = '\0';
    zip_t *zip    = zip_open(file, ZIP_RDONLY | ZIP_CHECKCONS, &why);
    if (zip == NULL) {
        if (why == ZIP_ER_NOENT) return gm_fail(err, GM_NOTFOUND, "fmi.archive", "there is no file %.120s", file);
        if (why == ZIP_ER_OPEN || why == ZIP_ER_READ) return gm_fail_os(err, errno, "fmi.archive", "reading %.120s", file);
        return gm_fail(err, GM_INVALID, "fmi.archive", "%.120s is not a zip archive", file);
    }
    gm_status st = gm_fmu_archive_folder(parent, out_folder, err);
    if (st != GM_OK) goto done;
    folder = open(out_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    st     = folder >= 0 ? unpack_all(zip, limits, folder, err) : gm_fail_os(err, errno, "fmi.archive", "opening %.100s", out_folder);
done:
    if (folder >= 0) close(folder);
    zip_discard(zip);
    if (st != GM_OK && out_folder[0] != '\0') {
        gm_fmu_archive_remove(out_folder);
        out_folder[0] = '\0';
    }
    return st;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void gm_fmu_archive_remove(const char *folder)
{
    if (folder != NULL && folder[0] == '/') nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
