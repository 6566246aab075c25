// aas/check.h: is it an environment of the metamodel V3 (3.0 or 3.1)? What its constraints ask of every object, as far as they can be
// told from the environment alone: members that are required, lists that are not empty, names of types, idShorts, references, values
// that fit their type. Written from IEC 63278-1 / IDTA-01001-3; the number of a constraint stands in its sentence (AASd-...).
#ifndef GM_AAS_CHECK_H
#define GM_AAS_CHECK_H

#include "base/status.h"
#include "base/str.h"

#include <jansson.h>

// pointer: where, as a JSON pointer; text: a sentence. Viewed for the call.
typedef void gm_aas_fault(void *context, gm_str pointer, const char *text);

enum { GM_AAS_FAULTS_MAX = 1000 };  // told; what is wrong beyond that is counted

// Returns how many faults there are. Cost: the size of the environment; siblings are compared by a table.
size_t gm_aas_check(const json_t *environment, gm_aas_fault *fault, void *context);

#endif
