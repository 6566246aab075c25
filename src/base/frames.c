// A frame: checksum, length, number, kind, payload. The checksum starts from the frame's number, so that frames of the
// same content in another order do not pass.
#include "base/frames.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/le.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

enum { FILE_HEADER = 16, VERSION = 1, SYNC_EVERY = 8 << 20 };
enum { KIND_SECTION = 1, KIND_DATA = 2, KIND_END = 3 };
static const char magic[8] = { 'g', 'e', 'm', 'e', 'l', 'f', 'r', 'm' };

struct gm_frames_out {
    const gm_io    *io;
    const gm_alloc *alloc;
    gm_file        *file;
    uint64_t        offset, synced, sync_every;
    gm_dur_ns       rest;   // after each sync
    uint32_t        number;
    size_t          used;   // bytes of payload waiting
    gm_status       status;
    gm_error        err;
    uint8_t         frame[GM_FRAME_HEADER + GM_FRAME_MOST];
};

// ---- writing --------------------------------------------------------------------------------------------------------

static void write_frame(gm_frames_out *out, uint32_t kind)
{
    if (out->status != GM_OK) return;
    uint8_t *f = out->frame;
    gm_put_u32(f + 4, (uint32_t)out->used);
    gm_put_u32(f + 8, out->number);
    gm_put_u32(f + 12, kind);
    gm_put_u32(f, gm_crc32c(0, f + 4, GM_FRAME_HEADER - 4 + out->used));
    size_t size = GM_FRAME_HEADER + out->used;
    out->status = out->io->write(out->file, out->offset, f, size, &out->err);
    out->offset += size;
    out->number++;
    out->used = 0;
    // In steps: one sync of hundreds of megabytes would keep the device from the log's commits.
    if (out->status == GM_OK && out->offset - out->synced >= out->sync_every) {
        out->status = out->io->sync(out->file, &out->err);
        out->synced = out->offset;
        if (out->rest > 0) nanosleep(&(struct timespec){ out->rest / GM_SECOND, out->rest % GM_SECOND }, NULL);
    }
}

gm_status gm_frames_create(const gm_io *io, const gm_alloc *alloc, const char *path, gm_frames_out **out_out, gm_error *err)
{
    *out_out           = NULL;
    gm_frames_out *out = gm_alloc_bytes(alloc, sizeof *out);
    if (out == NULL) return gm_fail(err, GM_NOMEM, "base.frames", "writing %s", path);
    memset(out, 0, offsetof(gm_frames_out, frame));
    out->io      = io;
    out->alloc   = alloc;
    out->sync_every = SYNC_EVERY;
    gm_status st = io->open(io, path, GM_OPEN_CREATE, &out->file, err);
    uint8_t   header[FILE_HEADER];
    memcpy(header, magic, sizeof magic);
    gm_put_u32(header + 8, VERSION);
    gm_put_u32(header + 12, gm_crc32c(0, header, 12));
    if (st == GM_OK) st = io->write(out->file, 0, header, sizeof header, err);
    if (st != GM_OK) {
        gm_frames_abandon(out);
        return st;
    }
    out->offset = FILE_HEADER;
    *out_out    = out;
    return GM_OK;
}

void gm_frames_abandon(gm_frames_out *out)
{
    if (out == NULL) return;
    out->io->close(out->file);
    gm_free(out->alloc, out);
}

void gm_frames_gently(gm_frames_out *out, gm_dur_ns rest)
{
    out->sync_every = GM_FRAME_MOST;
    out->rest       = rest;
}

void gm_frames_section(gm_frames_out *out, gm_str name)
{
    assert(name.len > 0 && name.len <= GM_FRAMES_NAME_MOST);
    if (out->used > 0) write_frame(out, KIND_DATA);
    memcpy(out->frame + GM_FRAME_HEADER, name.ptr, name.len);
    out->used = name.len;
    write_frame(out, KIND_SECTION);
}

void gm_frames_put(gm_frames_out *out, const void *bytes, size_t n)
{
    while (n > 0 && out->status == GM_OK) {
        size_t room = GM_FRAME_MOST - out->used, part = n < room ? n : room;
        memcpy(out->frame + GM_FRAME_HEADER + out->used, bytes, part);
        out->used += part;
        bytes = (const uint8_t *)bytes + part;
        n -= part;
        if (out->used == GM_FRAME_MOST) write_frame(out, KIND_DATA);
    }
}

void gm_frames_put_varint(gm_frames_out *out, uint64_t value)
{
    uint8_t bytes[GM_VARINT_MOST];
    gm_frames_put(out, bytes, (size_t)(gm_varint_put(bytes, value) - bytes));
}

void gm_frames_put_svarint(gm_frames_out *out, int64_t value) { gm_frames_put_varint(out, gm_zigzag(value)); }

void gm_frames_put_text(gm_frames_out *out, gm_str text)
{
    gm_frames_put_varint(out, text.len);
    gm_frames_put(out, text.ptr, text.len);
}

void gm_frames_fail(gm_frames_out *out, gm_status status, const char *what)
{
    if (out->status == GM_OK) out->status = gm_fail(&out->err, status, "base.frames", "%s", what);
}

gm_status gm_frames_finish(gm_frames_out *out, uint64_t *out_size, gm_error *err)
{
    if (out->used > 0) write_frame(out, KIND_DATA);
    write_frame(out, KIND_END);
    if (out->status == GM_OK) out->status = out->io->sync(out->file, &out->err);
    gm_status st = out->status;
    if (st != GM_OK && err != NULL) *err = out->err;
    if (out_size != NULL) *out_size = out->offset;
    gm_frames_abandon(out);
    return st;
}

// ---- reading --------------------------------------------------------------------------------------------------------

struct gm_frames_in {
    const gm_io    *io;
    const gm_alloc *alloc;
    gm_file        *file;
    uint64_t        size, offset, frame_at;  // of the file; behind the frame in memory; of that frame
    uint32_t        number, kind;            // of the next frame; of the one in memory
    size_t          at, len;                 // in the payload
    bool            pending;                 // the frame in memory begins a section or ends the file, and was not told yet
    gm_buf          text;
    gm_status       status;
    gm_error        err;
    char            path[512];
    uint8_t         payload[GM_FRAME_MOST];
    char            name[GM_FRAMES_NAME_MOST + 1];
};

void gm_frames_reject(gm_frames_in *in, const char *what)
{
    if (in->status != GM_OK) return;
    in->status = gm_fail(&in->err, GM_CORRUPT, "base.frames", "%s: %s (offset %" PRIu64 ")", in->path, what, in->frame_at);
}

// The next frame into memory.
static void read_frame(gm_frames_in *in)
{
    uint8_t header[GM_FRAME_HEADER];
    size_t  got;
    in->at = in->len = 0;
    in->frame_at     = in->offset;
    if (in->status != GM_OK) return;
    in->status = in->io->read(in->file, in->offset, header, sizeof header, &got, &in->err);
    if (in->status != GM_OK) return;
    uint32_t length = got == sizeof header ? gm_get_u32(header + 4) : UINT32_MAX;
    if (length > GM_FRAME_MOST) {
        gm_frames_reject(in, got == sizeof header ? "a frame is damaged" : "the file ends before its end mark");
        return;
    }
    in->status = in->io->read(in->file, in->offset + GM_FRAME_HEADER, in->payload, length, &got, &in->err);
    if (in->status != GM_OK) return;
    uint32_t crc = gm_crc32c(gm_crc32c(0, header + 4, GM_FRAME_HEADER - 4), in->payload, got);
    if (got < length || crc != gm_get_u32(header) || gm_get_u32(header + 8) != in->number) {
        gm_frames_reject(in, "a frame is damaged");
        return;
    }
    in->offset += GM_FRAME_HEADER + length;
    in->number++;
    in->kind = gm_get_u32(header + 12);
    in->len  = length;
    in->pending = in->kind != KIND_DATA;
    bool named  = in->kind == KIND_SECTION && length > 0 && length <= GM_FRAMES_NAME_MOST;
    if (in->kind != KIND_DATA && in->kind != KIND_END && !named) gm_frames_reject(in, "a frame of an unknown kind");
}

gm_status gm_frames_open(const gm_io *io, const gm_alloc *alloc, const char *path, gm_frames_in **out_in, gm_error *err)
{
    *out_in          = NULL;
    gm_frames_in *in = gm_alloc_bytes(alloc, sizeof *in);
    if (in == NULL) return gm_fail(err, GM_NOMEM, "base.frames", "reading %s", path);
    memset(in, 0, offsetof(gm_frames_in, path));
    in->io    = io;
    in->alloc = alloc;
    in->text  = gm_buf_init(alloc);
    size_t len = strlen(path) < sizeof in->path ? strlen(path) : sizeof in->path - 1;
    memcpy(in->path, path, len);
    in->path[len] = '\0';

    uint8_t   header[FILE_HEADER];
    size_t    got;
    gm_status st = io->open(io, path, GM_OPEN_READ, &in->file, err);
    if (st == GM_OK) st = io->size(in->file, &in->size, err);
    if (st == GM_OK) st = io->read(in->file, 0, header, sizeof header, &got, err);
    if (st == GM_OK && (got < FILE_HEADER || memcmp(header, magic, sizeof magic) != 0 ||
                        gm_get_u32(header + 12) != gm_crc32c(0, header, 12))) {
        st = gm_fail(err, GM_CORRUPT, "base.frames", "%s: its header is damaged or foreign (offset 0)", path);
    } else if (st == GM_OK && gm_get_u32(header + 8) != VERSION) {
        st = gm_fail(err, GM_CORRUPT, "base.frames", "%s has format version %u; this program knows %d", path,
                     gm_get_u32(header + 8), VERSION);
    }
    if (st != GM_OK) {
        gm_frames_close(in);
        return st;
    }
    in->offset = FILE_HEADER;
    in->kind   = KIND_DATA;
    *out_in    = in;
    return GM_OK;
}

void gm_frames_close(gm_frames_in *in)
{
    if (in == NULL) return;
    in->io->close(in->file);
    gm_buf_finish(&in->text);
    gm_free(in->alloc, in);
}

gm_status gm_frames_next(gm_frames_in *in, gm_str *out_name, gm_error *err)
{
    while (in->status == GM_OK && !in->pending) read_frame(in);
    if (in->status == GM_OK && in->kind == KIND_END) return gm_fail(err, GM_NOTFOUND, "base.frames", "no more sections");
    if (in->status != GM_OK) return gm_frames_status(in, err);
    memcpy(in->name, in->payload, in->len);
    *out_name   = (gm_str){ in->name, in->len };
    in->pending = false;
    in->at      = in->len;
    return GM_OK;
}

bool gm_frames_more(gm_frames_in *in)
{
    while (in->status == GM_OK && !in->pending && in->at == in->len) read_frame(in);
    return in->status == GM_OK && !in->pending;
}

void gm_frames_get(gm_frames_in *in, void *to, size_t n)
{
    uint8_t *put = to;
    while (n > 0) {
        if (in->at == in->len && !gm_frames_more(in)) {
            gm_frames_reject(in, "a section ends in the middle");
            memset(put, 0, n);
            return;
        }
        size_t left = in->len - in->at, part = n < left ? n : left;
        memcpy(put, in->payload + in->at, part);
        in->at += part;
        put += part;
        n -= part;
    }
}

uint64_t gm_frames_get_varint(gm_frames_in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        gm_frames_get(in, &byte, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    gm_frames_reject(in, "a number is too long");
    return 0;
}

int64_t gm_frames_get_svarint(gm_frames_in *in) { return gm_unzigzag(gm_frames_get_varint(in)); }

gm_str gm_frames_get_text(gm_frames_in *in, size_t most)
{
    uint64_t len = gm_frames_get_varint(in);
    if (len > most) gm_frames_reject(in, "a text is too long");
    return gm_frames_get_bytes(in, (size_t)len);
}

gm_str gm_frames_get_bytes(gm_frames_in *in, size_t len)
{
    if (in->status != GM_OK) return (gm_str){ 0 };
    if (in->len - in->at >= len) {  // wholly in this frame
        gm_str text = { (const char *)in->payload + in->at, len };
        in->at += len;
        return text;
    }
    gm_buf_clear(&in->text);
    uint8_t *to = gm_buf_reserve(&in->text, len);
    if (to == NULL) {
        in->status = gm_fail(&in->err, GM_NOMEM, "base.frames", "reading %s", in->path);
        return (gm_str){ 0 };
    }
    gm_frames_get(in, to, len);
    return (gm_str){ (const char *)to, len };
}

void gm_frames_rest(gm_frames_in *in, gm_buf *out)
{
    while (gm_frames_more(in)) {
        gm_buf_add(out, in->payload + in->at, in->len - in->at);
        in->at = in->len;
    }
}

gm_status gm_frames_status(const gm_frames_in *in, gm_error *err)
{
    if (in->status != GM_OK && err != NULL) *err = in->err;
    return in->status;
}

uint64_t gm_frames_size(const gm_frames_in *in) { return in->size; }
