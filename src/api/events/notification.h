// api/events/notification.h: from a committed change to the CloudEvents 1.0 notifications that tell of it.
//
//   gm_notifier_before(notifier, record, change, types);                    // takes note of what will be overwritten
//   ... the change is applied ...
//   gm_notifier_after(notifier, record, change, types, each, context);      // each(context, notification)
//
// Types, subjects and bodies are those of the Azure Digital Twins reference ("Event notifications"): a created or
// deleted twin or relationship as the document that GET gives, an update as {"modelId", "patch"} in the form of JSON
// Patch, telemetry as it was reported. One change may give several: a message that sets properties and reports
// telemetry of two components gives three. Engine thread.
#ifndef GM_API_EVENTS_NOTIFICATION_H
#define GM_API_EVENTS_NOTIFICATION_H

#include "api/events/filter.h"
#include "base/buf.h"
#include "control/control.h"
#include "engine/engine.h"

typedef struct gm_notifier gm_notifier;

typedef struct gm_notification {  // viewed during the call of each
    gm_event_type type;
    uint64_t      sequence;       // of the change
    uint32_t      index;          // among the events of the change; sequence and index are its id
    gm_time_ns    time;           // when it was committed
    gm_str        twin;           // whose event it is: those of one twin are delivered in order
    gm_notifier  *notifier;
} gm_notification;

typedef void gm_notification_each(void *context, const gm_notification *event);

// source: the name of this installation, as events carry it; viewed. control: whose decisions are events; NULL: nobody's.
GM_NODISCARD gm_notifier *gm_notifier_create(const gm_alloc *alloc, const gm_engine *engine, gm_control *control,
                                             gm_str source);  // NULL: no memory
void                      gm_notifier_destroy(gm_notifier *notifier);

// types: which events anybody waits for (bit 1 << gm_event_type); others cost nothing. The same for both calls.
void gm_notifier_before(gm_notifier *notifier, const gm_record *record, const gm_change *change, unsigned types);
void gm_notifier_after(gm_notifier *notifier, const gm_record *record, const gm_change *change, unsigned types,
                       gm_notification_each *each, void *context);

// What a filter asks; valid during the call of each.
gm_event_subject gm_notification_subject(const gm_notification *event);

// Appends the event as CloudEvents JSON (structured mode).
void gm_notification_write(const gm_notification *event, gm_buf *out);

#endif
