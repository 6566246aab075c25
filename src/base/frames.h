// base/frames.h: a file that is written once from front to back in named sections, and read the same way, every byte
// under a checksum. Checkpoints are such files. Format: docs/formats/checkpoint.md.
//
//   gm_frames_out *out;
//   gm_frames_create(io, alloc, "data/checkpoint/next.tmp", &out, &err);
//   gm_frames_section(out, GM_STR("state"));
//   gm_frames_put(out, bytes, n);
//   st = gm_frames_finish(out, &err);            // everything written and synced; or the first thing that went wrong
//
//   gm_frames_in *in;
//   gm_frames_open(io, alloc, path, &in, &err);
//   while ((st = gm_frames_next(in, &name, &err)) == GM_OK) gm_frames_get(in, to, n);   // GM_NOTFOUND: the end
//
// Both are sticky: after a failure they do nothing more and the status is told at the end (gm_frames_finish,
// gm_frames_status), so one check serves many calls. What was read before a failure is zeros, never garbage.
#ifndef GM_BASE_FRAMES_H
#define GM_BASE_FRAMES_H

#include "base/buf.h"
#include "base/io.h"
#include "base/time.h"

typedef struct gm_frames_out gm_frames_out;
typedef struct gm_frames_in  gm_frames_in;

enum { GM_FRAME_MOST = 256 << 10, GM_FRAME_HEADER = 16, GM_FRAMES_NAME_MOST = 63 };

// GM_CONFLICT: the file exists. GM_IO, GM_NOMEM.
GM_NODISCARD gm_status gm_frames_create(const gm_io *io, const gm_alloc *alloc, const char *path, gm_frames_out **out,
                                        gm_error *err);
// From here on each frame is synced, and followed by a rest of so long: a sync of somebody else on the same device waits for one
// frame at most, and mostly for none. Without this call a sync comes every 8 MB.
void gm_frames_gently(gm_frames_out *out, gm_dur_ns rest);
void gm_frames_section(gm_frames_out *out, gm_str name);
void gm_frames_put(gm_frames_out *out, const void *bytes, size_t n);
void gm_frames_put_varint(gm_frames_out *out, uint64_t value);
void gm_frames_put_svarint(gm_frames_out *out, int64_t value);
void gm_frames_put_text(gm_frames_out *out, gm_str text);  // length, then bytes
void gm_frames_fail(gm_frames_out *out, gm_status status, const char *what);  // for whoever can not say what it should

// Writes the end mark, syncs, and closes; out is gone whatever the answer. *out_size (may be NULL): bytes of the file.
GM_NODISCARD gm_status gm_frames_finish(gm_frames_out *out, uint64_t *out_size, gm_error *err);
void                   gm_frames_abandon(gm_frames_out *out);  // closes without an end mark; NULL is allowed

// GM_CORRUPT: not such a file.
GM_NODISCARD gm_status gm_frames_open(const gm_io *io, const gm_alloc *alloc, const char *path, gm_frames_in **out_in,
                                      gm_error *err);
void gm_frames_close(gm_frames_in *in);  // NULL is allowed

// Goes to the next section, over what is left of this one (which is checked). The name is viewed until the next call.
// GM_NOTFOUND: the file ended as it should. GM_CORRUPT: damage, err names the file and the offset.
GM_NODISCARD gm_status gm_frames_next(gm_frames_in *in, gm_str *out_name, gm_error *err);

// Exactly n bytes of the section; zeros when it has fewer, and the status is GM_CORRUPT from then on.
void     gm_frames_get(gm_frames_in *in, void *to, size_t n);
uint64_t gm_frames_get_varint(gm_frames_in *in);
int64_t  gm_frames_get_svarint(gm_frames_in *in);
gm_str   gm_frames_get_text(gm_frames_in *in, size_t most);  // viewed until the next get; longer than most: GM_CORRUPT
gm_str   gm_frames_get_bytes(gm_frames_in *in, size_t n);    // as gm_frames_get, viewed until the next get
void     gm_frames_rest(gm_frames_in *in, gm_buf *out);      // what is left of the section, appended
bool     gm_frames_more(gm_frames_in *in);                   // the section has bytes left

// What a reader found to be wrong with the content: GM_CORRUPT with this text and the place, unless it failed before.
void      gm_frames_reject(gm_frames_in *in, const char *what);
gm_status gm_frames_status(const gm_frames_in *in, gm_error *err);
uint64_t  gm_frames_size(const gm_frames_in *in);  // bytes of the file

#endif
