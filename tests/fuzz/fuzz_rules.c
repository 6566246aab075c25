// Files of rules: hostile text is read as rules and as interlocks; what reads is checked against a model and asked of twins that
// have none of it.
#include "control/rulebook.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found(void *context, const gm_statement *statement, const char *text)
{
    (void)context;
    if (statement == NULL || text == NULL || text[0] == '\0') abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "a.rules", "a.interlocks" };
    gm_model *model = gm_model_create(gm_alloc_system());
    if (model == NULL || size > 20000) {
        gm_model_destroy(model);
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        gm_rulebook *book;
        gm_error     err;
        if (gm_rulebook_create(gm_alloc_system(), &book, &err) != GM_OK) continue;
        if (gm_rulebook_add(book, gm_str_of(names[i]), (gm_str){ (const char *)data, size }, &err) == GM_OK) {
            (void)!gm_rulebook_check(book, model, found, NULL, &err);
        }
        gm_rulebook_destroy(book);
    }
    gm_model_destroy(model);
    return 0;
}
