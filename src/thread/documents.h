// thread/documents.h: documents by the SHA-256 of their bytes: FOLDER/e3/e3b0c4... The same bytes lie there once, whoever has them; what
// is read is what was written, or an error.
#ifndef GM_THREAD_DOCUMENTS_H
#define GM_THREAD_DOCUMENTS_H

#include "base/buf.h"
#include "base/io.h"
#include "thread/fact.h"

typedef struct gm_documents { const gm_io *io; const char *folder; } gm_documents;  // folder is viewed

void gm_documents_hash(const uint8_t *bytes, size_t size, char out[GM_HASH_TEXT + 1]);

// Durable when it returns GM_OK. `number` differs between writers that are at work at the same time. Any thread.
// GM_IO, GM_NOMEM. What is there already is compared and kept.
GM_NODISCARD gm_status gm_documents_write(const gm_documents *documents, uint64_t number, const uint8_t *bytes, size_t size, const char *hash, gm_error *err);

// *out_bytes: the caller's, gm_free(io->alloc, ...). GM_NOTFOUND; GM_CORRUPT: it is not what it was; GM_LIMIT: larger than limit.
GM_NODISCARD gm_status gm_documents_read(const gm_documents *documents, gm_str hash, size_t limit, uint8_t **out_bytes, size_t *out_size, gm_error *err);

// GM_NOTFOUND is no error here.
GM_NODISCARD gm_status gm_documents_remove(const gm_documents *documents, gm_str hash, gm_error *err);

// Copies one document into another folder (a backup); there already: nothing.
GM_NODISCARD gm_status gm_documents_copy(const gm_documents *from, const gm_documents *to, gm_str hash, gm_error *err);

#endif
