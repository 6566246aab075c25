// tests/link/mqtt_rig.h: a whole MQTT endpoint in one thread: loop, engine on a disk in memory, server, and clients
// that speak raw bytes over loopback. Nothing sleeps: a client that waits for bytes turns the loop, until a deadline.
//
//   rig *r = rig_make();                       // twins pump1, pump2 of dtmi:test:Pump;1; "a/b" of the same
//   rig_client c = rig_connect(r, "dev1", 4);  // CONNECT sent and accepted
//   rig_send_hex(&c, "c0 00");
//   rig_expect_hex(&c, "d0 00");
#ifndef GM_TESTS_MQTT_RIG_H
#define GM_TESTS_MQTT_RIG_H

#include "link/mqtt_codec.h"
#include "link/mqtt_server.h"
#include "support/fault_io.h"
#include "support/support.h"

typedef struct rig {
    gm_fault_io            disk;
    gm_clock               clock;
    _Atomic gm_dur_ns ahead;     // the clock shows this much more than the real one
    _Atomic gm_dur_ns jumped;    // and the time of day this much more than that: somebody has set it
    const gm_alloc        *server_alloc; // of the server, from the next rig_start on; NULL = the system's
    const gm_alloc        *alloc;        // of all parts, from the next rig_start on; NULL = the system's
    size_t                 batch_limit;  // of the log, from the next rig_start on; 0 = default
    const char            *folder;       // a real one instead of the disk, from the next rig_start on; NULL = the disk
    gm_loop               *loop;
    gm_engine             *engine;
    gm_dead_letters       *letters;
    gm_retained           *retained;
    gm_creator            *creator;
    gm_mqtt_server        *server, *prepared;
    bool                   guarded;      // with access; from the next rig_start on
    gm_access             *access;       // NULL: everyone may do everything
    gm_mqtt_server_options options;
} rig;

typedef struct rig_client {
    rig      *r;
    int       fd;
    uint8_t   version;
    gm_watch *watch;
    gm_buf    in;        // received, not looked at yet
    bool      closed;
} rig_client;

rig *rig_make(void);
rig *rig_make_of(const gm_alloc *alloc);
rig *rig_make_with(void (*adjust)(gm_mqtt_server_options *options));
void rig_restart(rig *r);       // the process is killed and started again on what the disk kept
void rig_stop(rig *r);          // server and engine end, the disk stays
void rig_start(rig *r);         // r->server stays NULL when memory for it is refused
void rig_free(rig *r);
void rig_turn(rig *r);          // one turn of the loop
void rig_ignore(void *context, uint32_t events);  // a gm_loop_ready that is only there to end the loop's wait
void rig_pass(rig *r, gm_dur_ns time);  // the clock goes on, and the loop gets to see it

rig_client rig_dial(rig *r);    // a TCP connection, nothing sent
rig_client rig_connect(rig *r, const char *client_id, uint8_t version);  // clean
rig_client rig_connect_with(rig *r, const gm_mqtt_connect *connect, bool expect_present);
void       rig_hang_up(rig_client *c);

void rig_send(rig_client *c, const void *bytes, size_t n);
void rig_send_hex(rig_client *c, const char *hex);
void rig_send_buf(rig_client *c, gm_buf *packet);  // and clears it
void rig_publish(rig_client *c, const char *topic, const char *payload, uint8_t qos, uint16_t packet_id, bool retain);
void rig_subscribe(rig_client *c, const char *filter, uint8_t qos);  // and waits for the SUBACK

// The next bytes from the server are these.
void rig_expect(rig_client *c, const void *bytes, size_t n);
void rig_expect_hex(rig_client *c, const char *hex);
void rig_expect_ack(rig_client *c, uint8_t type, uint16_t packet_id);
// The next packet is a PUBLISH with that; returns it (viewed until the next call).
gm_mqtt_publish rig_expect_publish(rig_client *c, const char *topic, const char *payload, uint8_t qos, bool retain);
gm_mqtt_frame   rig_next(rig_client *c);          // the next packet, whatever it is; viewed until the next call
void            rig_expect_nothing(rig_client *c);  // proved with a PINGREQ that is answered first
void            rig_expect_closed(rig_client *c);
bool            rig_pump(rig_client *c);          // takes what has come, else a turn; false: closed
size_t          rig_drain(rig_client *c);         // bytes that come within some turns; thrown away
size_t          rig_drain_until(rig_client *c, size_t n); // the same until there were n, the end, or ten silent seconds

// The newest dead letter has this reason (or begins with it) and topic.
void rig_expect_dead_letter(rig *r, const char *topic, const char *reason);
// The value of a column of a twin, as a number; NaN when it has none.
double rig_value(rig *r, const char *twin, const char *path);

#endif
