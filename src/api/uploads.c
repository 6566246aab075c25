#include "api/uploads.h"

#include "base/bytes.h"

// Types are numbered in the order of adding and a number is never used again, so the new ones are those at the end.
static gm_status fold_models(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)change;
    gm_uploads     *uploads = context;
    const gm_model *model   = gm_engine_model(uploads->engine);
    size_t          limit   = uploads->count;
    for (size_t i = 0; i < gm_model_count(model); i++) {
        size_t number = gm_model_at(model, i)->number;
        if (number >= limit) limit = number + 1;
    }
    if (!gm_alloc_reserve(uploads->alloc, &uploads->at, &uploads->capacity, limit, sizeof *uploads->at)) {
        return gm_fail(err, GM_NOMEM, "api.uploads", "noting when a model was added");
    }
    while (uploads->count < limit) uploads->at[uploads->count++] = record->ingest;
    return GM_OK;
}

static void save(void *context, gm_buf *out)
{
    const gm_uploads *uploads = context;
    for (size_t i = 0; i < uploads->count; i++) gm_buf_svarint(out, uploads->at[i]);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_uploads *uploads = context;
    gm_bytes    in      = { .at = bytes, .end = size > 0 ? bytes + size : bytes };
    uploads->count      = 0;
    while (gm_bytes_left(&in) > 0) {
        if (!gm_alloc_reserve(uploads->alloc, &uploads->at, &uploads->capacity, uploads->count + 1, sizeof *uploads->at)) {
            return gm_fail(err, GM_NOMEM, "api.uploads", "reading when models were added");
        }
        uploads->at[uploads->count++] = gm_bytes_svarint(&in);
    }
    return in.bad ? gm_fail(err, GM_CORRUPT, "api.uploads", "the times of models end in the middle") : GM_OK;
}

void gm_uploads_init(gm_uploads *uploads, const gm_alloc *alloc, gm_engine *engine)
{
    *uploads = (gm_uploads){ .alloc = alloc, .engine = engine };
    gm_engine_fold(engine, GM_CHANGE_MODELS, fold_models, uploads);
    gm_engine_keep(engine, &(gm_keeper){ "models.added", uploads, save, load });
}

void gm_uploads_finish(gm_uploads *uploads)
{
    if (uploads->alloc != NULL) gm_free(uploads->alloc, uploads->at);
}

gm_time_ns gm_uploads_at(const gm_uploads *uploads, const gm_type *type)
{
    return type->number < uploads->count ? uploads->at[type->number] : 0;
}
