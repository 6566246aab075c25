// api/openapi.h: the OpenAPI 3.1 description of the API (openapi.json), embedded when the program is built.
#ifndef GM_API_OPENAPI_H
#define GM_API_OPENAPI_H

#include "base/str.h"

gm_str gm_openapi(void);

#endif
