// A document and a patch for it, one after the other: JSON Pointer and JSON Patch must refuse or apply, never break.
#include "api/json_patch.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t why;
    json_t      *document = json_loadb((const char *)data, size, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &why);
    if (document == NULL) return 0;
    size_t    used  = (size_t)why.position;
    json_t *steps = json_loadb((const char *)data + used, size - used, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 16 << 20);
    gm_patch  patch;
    gm_error  err = { 0 };
    if (steps != NULL && arena != NULL && gm_patch_read(arena, steps, &patch, &err) == GM_OK &&
        gm_patch_apply(document, &patch, &err) == GM_OK) {
        // What came out is still a document: it can be written and read again.
        char   *text  = json_dumps(document, JSON_COMPACT);
        json_t *again = text != NULL ? json_loads(text, 0, &why) : NULL;
        if (text != NULL && (again == NULL || !json_equal(document, again))) abort();
        json_decref(again);
        free(text);
    }
    gm_arena_destroy(arena);
    json_decref(steps);
    json_decref(document);
    return 0;
}
