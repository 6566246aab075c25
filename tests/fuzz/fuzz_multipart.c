// A Content-Type, a line end, and a form with files: whatever it says, its parts lie in it, one behind the other.
#include "api/multipart.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_str            rest = { (const char *)data, size }, type;
    gm_multipart      form;
    gm_multipart_part part;
    if (rest.ptr == NULL || !gm_str_next(&rest, '\n', &type) || rest.ptr == NULL || !gm_multipart_open(&form, type, rest)) return 0;
    const char *behind = rest.ptr;
    while (gm_multipart_next(&form, &part)) {
        if (part.bytes.len > 0 && (part.bytes.ptr < behind || part.bytes.ptr + part.bytes.len > rest.ptr + rest.len)) abort();
        if (part.bytes.len > 0) behind = part.bytes.ptr + part.bytes.len;
        gm_str texts[] = { part.name, part.file_name, part.media };
        for (int i = 0; i < 3; i++) {
            if (texts[i].len > 0 && (texts[i].ptr < rest.ptr || texts[i].ptr + texts[i].len > rest.ptr + rest.len)) abort();
        }
    }
    return 0;
}
