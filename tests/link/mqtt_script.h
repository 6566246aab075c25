// tests/link/mqtt_script.h: exchanges with the endpoint as text, a line for each step, so that a statement of the standard and
// its test stand side by side. Clients are single letters. Bytes are hex, 'text', `text` with its length of two bytes in front, and
// { bytes } with their length of one byte in front.
//
//   a 4 id       CONNECT of version 4 (3.1.1) or 5, clean, accepted without a session
//   a 4+ id      clean session 0 (version 5: session expiry 3600 s), accepted without a session
//   a 4* id      the same, accepted with the session that was kept
//   a> 30 ...    sends (and dials when there is no connection yet)
//   a< 40 ...    receives exactly that
//   a.           receives nothing: a PINGREQ is answered first
//   a!           the server closes without a word
//   a! 8e        the server sends DISCONNECT with that reason and closes
//   a^ 84        the server answers CONNACK with that reason (or return code) and closes
//   a-           the client is gone
//   +1500        milliseconds pass
//   kill         the process ends without notice and starts again on what the disk kept; all clients are gone
#ifndef GM_TESTS_MQTT_SCRIPT_H
#define GM_TESTS_MQTT_SCRIPT_H

#include "link/mqtt_rig.h"

typedef struct mqtt_case { const char *statements, *script; } mqtt_case;

// Plays each case on an endpoint of its own; a failure names the case's statements and its line.
void mqtt_play(const mqtt_case *cases, size_t n);

#endif
