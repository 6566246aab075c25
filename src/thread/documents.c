#include "thread/documents.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <stdio.h>

static const char WHERE[] = "thread.documents";
enum { PATH_MOST = 4096, HASH_BYTES = 32 };

void gm_documents_hash(const uint8_t *bytes, size_t size, char out[GM_HASH_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t           hash[HASH_BYTES];
    int               done = gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, size, hash);
    assert(done == 0);  // SHA-256 of memory: there is nothing that could fail
    (void)done;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i]     = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[GM_HASH_TEXT] = '\0';
}

static gm_status path_of(const gm_documents *d, gm_str hash, char dir[PATH_MOST], char path[PATH_MOST], gm_error *err)
{
    if (!gm_fact_is_hash(hash)) return gm_fail(err, GM_INVALID, WHERE, "a document's hash is 64 digits of 0-9 a-f");
    int n = snprintf(dir, PATH_MOST, "%s/%.2s", d->folder, hash.ptr);
    int m = snprintf(path, PATH_MOST, "%s/%.2s/%.64s", d->folder, hash.ptr, hash.ptr);
    return n < 0 || m < 0 || m >= PATH_MOST ? gm_fail(err, GM_IO, WHERE, "the path of the documents is too long") : GM_OK;
}

// A file of its own first: whoever finds the name finds the whole document.
static gm_status write_aside(const gm_documents *d, const char *aside, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_file  *file = NULL;
    gm_error  none;
    (void)!d->io->remove(d->io, aside, &none);  // of a writer that was interrupted
    gm_status st = d->io->open(d->io, aside, GM_OPEN_CREATE, &file, err);
    if (st == GM_OK) st = d->io->write(file, 0, bytes, size, err);
    if (st == GM_OK) st = d->io->sync(file, err);
    d->io->close(file);
    return st;
}

gm_status gm_documents_write(const gm_documents *d, uint64_t number, const uint8_t *bytes, size_t size, const char *hash, gm_error *err)
{
    char      dir[PATH_MOST], path[PATH_MOST], aside[PATH_MOST + 32];
    uint8_t  *there      = NULL;
    size_t    there_size = 0;
    gm_status st         = path_of(d, gm_str_of(hash), dir, path, err);
    if (st != GM_OK) return st;
    if (gm_documents_read(d, gm_str_of(hash), size, &there, &there_size, NULL) == GM_OK) {
        gm_free(d->io->alloc, there);
        return GM_OK;
    }
    snprintf(aside, sizeof aside, "%s.%llu.tmp", path, (unsigned long long)number);
    st = d->io->make_dir(d->io, dir, err);
    if (st == GM_OK) st = write_aside(d, aside, bytes, size, err);
    if (st == GM_OK) st = d->io->rename(d->io, aside, path, err);
    return st == GM_OK ? d->io->sync_dir(d->io, dir, err) : st;
}

gm_status gm_documents_read(const gm_documents *d, gm_str hash, size_t limit, uint8_t **out_bytes, size_t *out_size, gm_error *err)
{
    char      dir[PATH_MOST], path[PATH_MOST], is[GM_HASH_TEXT + 1];
    gm_status st = path_of(d, hash, dir, path, err);
    if (st == GM_OK) st = gm_io_read_file(d->io, path, limit, out_bytes, out_size, err);
    if (st != GM_OK) return st;
    gm_documents_hash(*out_bytes, *out_size, is);
    if (gm_str_is(hash, is)) return GM_OK;
    gm_free(d->io->alloc, *out_bytes);
    *out_bytes = NULL;
    return gm_fail(err, GM_CORRUPT, WHERE, "the document %.64s is not what was stored", hash.ptr);
}

gm_status gm_documents_remove(const gm_documents *d, gm_str hash, gm_error *err)
{
    char      dir[PATH_MOST], path[PATH_MOST];
    gm_status st = path_of(d, hash, dir, path, err);
    if (st == GM_OK) st = d->io->remove(d->io, path, err);
    return st == GM_OK ? d->io->sync_dir(d->io, dir, err) : st == GM_NOTFOUND ? GM_OK : st;
}

gm_status gm_documents_copy(const gm_documents *from, const gm_documents *to, gm_str hash, gm_error *err)
{
    char      from_dir[PATH_MOST], from_path[PATH_MOST], dir[PATH_MOST], path[PATH_MOST];
    gm_status st = path_of(from, hash, from_dir, from_path, err);
    if (st == GM_OK) st = path_of(to, hash, dir, path, err);
    if (st == GM_OK) st = to->io->make_dir(to->io, dir, err);
    if (st == GM_OK) st = gm_io_copy_file(from->io, from_path, path, UINT64_MAX, err);
    if (st == GM_CONFLICT) return GM_OK;
    return st == GM_OK ? to->io->sync_dir(to->io, dir, err) : st;
}
