// link/websocket.h: a wire over WebSocket (RFC 6455), for connections whose handshake is over.
//
//   gm_wire *wire = gm_wire_of_websocket(alloc, fd, over, context);
//   gm_mqtt_server_adopt(server, fd, wire);        // MQTT over WebSocket [MQTT-6.0.0]
//
// What is written leaves in binary frames, what is read is the content of the binary frames that come, wherever they are
// cut. Pings are answered inside. A frame that breaks a rule (not masked, text, reserved bits, a control frame that is
// long or in parts) makes the wire broken; the close frame is its end.
#ifndef GM_LINK_WEBSOCKET_H
#define GM_LINK_WEBSOCKET_H

#include "base/wire.h"

typedef void gm_websocket_over(void *context);

// Reads and writes fd, which stays the caller's. over is called once, when the wire is closed. NULL: memory refused; over
// is not called then.
GM_NODISCARD gm_wire *gm_wire_of_websocket(const gm_alloc *alloc, int fd, gm_websocket_over *over, void *context);

#endif
