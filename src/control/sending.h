// control/sending.h: how control speaks to the outside: a message that somebody else carries (MQTT, a test).
#ifndef GM_CONTROL_SENDING_H
#define GM_CONTROL_SENDING_H

#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

typedef struct gm_sending {  // texts are viewed during the call
    gm_str    topic, payload;
    bool      retain;    // kept for whoever comes later; an empty payload clears it
    gm_dur_ns lifetime;  // after which nobody may get it any more: an old command must not be obeyed; 0: no end
} gm_sending;

typedef gm_status gm_send(void *context, const gm_sending *message, gm_error *err);

#endif
