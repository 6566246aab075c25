// model/dtmi.h: digital twin model identifiers, "dtmi:example:Pump;1".
//
// Grammar: https://github.com/Azure/opendigitaltwins-dtdl, DTMI specification and DTDL v4 language specification,
// section "Digital Twin Model Identifier". Two forms: a *general* one, which also names what nobody may define
// (segments with a leading underscore, fragments), and the *user* one, which models define.
#ifndef GM_MODEL_DTMI_H
#define GM_MODEL_DTMI_H

#include "base/buf.h"
#include "base/str.h"

// The longest identifiers, in characters, of an Interface and of anything else.
enum { GM_DTMI_INTERFACE_MAX = 128, GM_DTMI_MAX = 2048 };

typedef struct gm_dtmi {
    gm_str   path;          // "example:Pump": the labels, between the scheme and the version
    gm_str   fragment;      // "#part" with its '#', or empty
    uint32_t major, minor;  // 0 when there is none
    bool     reserved;      // a label or the fragment begins with an underscore
    bool     versioned;     // has ";..."
} gm_dtmi;

// Reads the general form. False: not a DTMI; *out_dtmi is then unspecified.
bool gm_dtmi_parse(gm_str text, gm_dtmi *out_dtmi);

// The user form: no underscore at the front of a label, no fragment. With GM_DTMI_VERSION_OPTIONAL the version may be
// missing (DTDL v4), otherwise not; with GM_DTMI_MINOR a minor version is allowed ("1.2", DTDL v3 on).
typedef enum gm_dtmi_rules { GM_DTMI_STRICT = 0, GM_DTMI_VERSION_OPTIONAL = 1, GM_DTMI_MINOR = 2 } gm_dtmi_rules;
bool gm_dtmi_is_user(gm_str text, unsigned rules);

// The part that versions of one thing share: all but ";1" and the fragment.
gm_str gm_dtmi_versionless(gm_str text);

#endif
