// aas/plate.h: which element of the templates says which fact, for writing and for reading.
//
// Digital Nameplate: IDTA 02006-3-0; Technical Data: IDTA 02003-1-2, general information. The identifiers of versions 1 and 2 of the
// nameplate's elements differ, their idShorts do not: reading goes by idShort.
#ifndef GM_AAS_PLATE_H
#define GM_AAS_PLATE_H

#include "base/str.h"

typedef struct gm_aas_plate {
    const char *id_short, *key;  // of the fact
    const char *semantics, *supplemental;
    const char *value_type;      // NULL: a MultiLanguageProperty
} gm_aas_plate;

extern const gm_aas_plate gm_aas_plates[];           // of the nameplate, in their order
extern const gm_aas_plate gm_aas_addresses[];        // of its AddressInformation
extern const gm_aas_plate gm_aas_generals[];         // of the technical data's GeneralInformation
extern const size_t gm_aas_plate_count, gm_aas_address_count, gm_aas_general_count;

// The row whose element has that idShort; NULL: none.
const gm_aas_plate *gm_aas_plate_of(const gm_aas_plate *rows, size_t count, gm_str id_short);
bool gm_aas_plate_has_key(gm_str key);               // is it a fact that the nameplate shows?
bool gm_aas_is_specific(gm_str key);                 // is it one of the shell's specificAssetIds?
extern const char *const gm_aas_specifics[];         // those, and how many
extern const size_t      gm_aas_specific_count;

#endif
