// aas/internal.h: the submodels, one file or two; inside aas/ only. Each writes elements into a list that is open.
#ifndef GM_AAS_INTERNAL_H
#define GM_AAS_INTERNAL_H

#include "aas/pen.h"
#include "aas/thing.h"
#include "base/number.h"

typedef struct gm_aas_page {
    const gm_aas_world *world;
    const gm_aas_thing *thing;
    gm_aas_pen          pen;
} gm_aas_page;

void gm_aas_nameplate(gm_aas_page *page);
void gm_aas_technical(gm_aas_page *page);
void gm_aas_structure(gm_aas_page *page);
void gm_aas_documents(gm_aas_page *page);
void gm_aas_series(gm_aas_page *page);
void gm_aas_operational(gm_aas_page *page);
void gm_aas_relationships(gm_aas_page *page);
void gm_aas_facts(gm_aas_page *page);
void gm_aas_interface(gm_aas_page *page);

bool gm_aas_has_series(const gm_type *type);
bool gm_aas_is_technical(const gm_fact *fact);  // does it stand in the technical data?

void gm_aas_sort_facts(gm_fact *facts, size_t count);  // by key, then phase, as they lie in a thing

// A fact's plain value as text for a property, and its xs: type; false: it has none.
typedef struct gm_aas_value { const char *type; gm_str text; char digits[GM_NUMBER_TEXT]; } gm_aas_value;
bool gm_aas_fact_value(const gm_fact *fact, gm_aas_value *out);
const char *gm_aas_value_type(const gm_schema *schema);
gm_str gm_aas_time_text(gm_time_ns time, char text[GM_TIME_TEXT]);  // empty: for ever

// Standard base64 with padding, as the JSON text of a Blob.
void gm_aas_base64(gm_buf *out, gm_str bytes);

#endif
