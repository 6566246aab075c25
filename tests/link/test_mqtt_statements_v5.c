// The normative statements of MQTT 5 that concern a server and differ from 3.1.1, as exchanges in bytes (mqtt_script.h).
// docs/protocols/mqtt-statements.md lists them all with where they are tested.
#include "link/mqtt_script.h"

#define CASES(cases) (cases), sizeof(cases) / sizeof((cases)[0])

// CONNECT of the client "x", clean, with properties; the CONNACK of a server with its default settings; the two together.
#define CONNECT(properties) "a> 10 { `MQTT` 05 02 00 00 { " properties " } `x` }\n"
#define CONNACK             "20 { 00 00 { 21 04 00 22 00 40 27 00 10 00 00 } }"
#define WITH(properties)    CONNECT(properties) "a< " CONNACK "\n"
#define SUBSCRIBED(filter, options, code) "a> 82 { 00 01 00 `" filter "` " options " }\na< 90 { 00 01 00 " code " }\n"

static void malformed_texts_and_lengths_are_told_so__MQTT_1_5_4_MQTT_1_5_5_MQTT_4_13_1_1(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-1.5.4-1: a surrogate in the client identifier", "a> 10 { `MQTT` 05 02 00 00 00 00 03 ed a0 80 }\na^ 81" },
        { "MQTT-1.5.4-1: not UTF-8 in a topic", "a 5 x\na> 30 { 00 01 ff 00 }\na! 81" },
        { "MQTT-1.5.4-1, MQTT-1.5.7-1: not UTF-8 in a user property", "a 5 x\na> 30 { `a` { 26 `k` 00 01 ff } }\na! 81" },
        { "MQTT-1.5.4-2: U+0000 in a topic", "a 5 x\na> 30 { 00 01 00 00 }\na! 81" },
        { "MQTT-1.5.4-2: U+0000 in a filter", "a 5 x\na> 82 { 00 01 00 00 01 00 00 }\na! 81" },
        { "MQTT-1.5.4-2, MQTT-3.3.2-19: U+0000 in a content type", "a 5 x\na> 30 { `a` { 03 00 01 00 } }\na! 81" },
        { "MQTT-1.5.4-3: U+FEFF is a character", "a 5 x\n" "a> 82 { 00 01 00 00 04 ef bb bf 'a' 00 }\na< 90 { 00 01 00 00 }\na> 30 { 00 04 ef bb bf 'a' 00 }\na< 30 { 00 04 ef bb bf 'a' 00 }\n"
          "a> 30 { `a` 00 }\na." },
        { "MQTT-1.5.5-1: a padded remaining length", "a 5 x\na> c0 80 00\na! 81" },
        { "MQTT-1.5.5-1: of CONNECT", "a> 10 8e 00 `MQTT` 05 02 00 00 00 `x`\na^ 81" },
        { "MQTT-1.5.5-1: a padded length of properties", "a 5 x\na> 30 { `a` 80 00 }\na! 81" },
        { "MQTT-1.5.5-1: five bytes of remaining length", "a 5 x\na> 30 80 80 80 80 01\na! 81" },
        { "MQTT-2.1.3-1: reserved flags", "a 5 x\na> 41 { 00 01 }\na! 81" },
        { "MQTT-3.6.1-1: PUBREL", "a 5 x\na> 60 { 00 01 }\na! 81" },
        { "MQTT-3.8.1-1: SUBSCRIBE", "a 5 x\na> 80 { 00 01 00 `a` 00 }\na! 81" },
        { "MQTT-3.10.1-1: UNSUBSCRIBE", "a 5 x\na> a0 { 00 01 00 `a` }\na! 81" },
        { "MQTT-3.14.1-1: DISCONNECT", "a 5 x\na> e1 00\na! 81" },
        { "MQTT-3.15.1-1: AUTH", "a 5 x\na> f1 00\na! 81" },
        { "MQTT-4.13.1-1: packet type 0", "a 5 x\na> 00 00\na! 81" },
        { "MQTT-4.13.1-1: a packet of servers", "a 5 x\na> 90 { 00 01 00 00 }\na! 82" },
        { "MQTT-4.13.1-1: a packet that ends within a field", "a 5 x\na> 30 { 00 05 'a' }\na! 81" },
        { "MQTT-2.2.1-3: packet identifier 0 of a PUBLISH", "a 5 x\na> 32 { `a` 00 00 00 }\na! 82" },
        { "MQTT-2.2.1-3: of a SUBSCRIBE", "a 5 x\na> 82 { 00 00 00 `a` 00 }\na! 82" },
        { "MQTT-2.2.1-3: of an UNSUBSCRIBE", "a 5 x\na> a2 { 00 00 00 `a` }\na! 82" },
        { "MQTT-2.2.1-2: QoS 0 has none", "a 5 x\n" SUBSCRIBED("a", "00", "00") "a> 30 { `a` 00 00 07 }\na< 30 { `a` 00 00 07 }" },
    };
    mqtt_play(CASES(cases));
}

static void properties_stand_where_they_may_and_once__MQTT_2_2_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "2.2.2.2: an unknown property", CONNECT("7e 01") "a^ 81" },
        { "2.2.2.2: topic alias in CONNECT", CONNECT("23 00 01") "a^ 81" },
        { "2.2.2.2: assigned identifier in CONNECT", CONNECT("12 `y`") "a^ 81" },
        { "2.2.2.2: session expiry in PUBLISH", "a 5 x\na> 30 { `a` { 11 00 00 00 01 } }\na! 81" },
        { "2.2.2.2: will delay in PUBLISH", "a 5 x\na> 30 { `a` { 18 00 00 00 01 } }\na! 81" },
        { "2.2.2.2: topic alias in a will", "a> 10 { `MQTT` 05 06 00 00 00 `x` { 23 00 01 } `w` `m` }\na^ 81" },
        { "2.2.2.2: reason string in SUBSCRIBE", "a 5 x\na> 82 { 00 01 { 1f `r` } `a` 00 }\na! 81" },
        { "2.2.2.2: subscription identifier in UNSUBSCRIBE", "a 5 x\na> a2 { 00 01 { 0b 01 } `a` }\na! 81" },
        { "2.2.2.2: server reference in PUBACK", "a 5 x\na> 40 { 00 01 00 { 1c `s` } }\na! 81" },
        { "2.2.2.2: receive maximum in DISCONNECT", "a 5 x\na> e0 { 00 { 21 00 01 } }\na! 81" },
        { "2.2.2.1: properties longer than the packet", "a 5 x\na> 30 { `a` 05 01 00 }\na! 81" },
        { "2.2.2.1: a property that ends within its value", "a 5 x\na> 30 { `a` { 02 00 00 } }\na! 81" },
        { "3.1.2.11: session expiry twice", CONNECT("11 00 00 00 01 11 00 00 00 01") "a^ 82" },
        { "3.1.2.11: receive maximum twice", CONNECT("21 00 01 21 00 01") "a^ 82" },
        { "3.1.2.11: receive maximum 0", CONNECT("21 00 00") "a^ 82" },
        { "3.1.2.11: maximum packet size 0", CONNECT("27 00 00 00 00") "a^ 82" },
        { "3.1.2.11: topic alias maximum twice", CONNECT("22 00 01 22 00 01") "a^ 82" },
        { "3.1.2.11: request problem information 2", CONNECT("17 02") "a^ 82" },
        { "3.1.2.11: request response information 2", CONNECT("19 02") "a^ 82" },
        { "3.1.2.11: authentication data without a method", CONNECT("16 `d`") "a^ 82" },
        { "3.1.3.2: will delay twice", "a> 10 { `MQTT` 05 06 00 00 00 `x` { 18 00 00 00 01 18 00 00 00 01 } `w` `m` }\na^ 82" },
        { "3.3.2.3: payload format twice", "a 5 x\na> 30 { `a` { 01 00 01 00 } }\na! 82" },
        { "3.3.2.3: message expiry twice", "a 5 x\na> 30 { `a` { 02 00 00 00 01 02 00 00 00 01 } }\na! 82" },
        { "3.3.2.3: topic alias twice", "a 5 x\na> 30 { `a` { 23 00 01 23 00 01 } }\na! 82" },
        { "3.3.2.3: response topic twice", "a 5 x\na> 30 { `a` { 08 `r` 08 `r` } }\na! 82" },
        { "3.3.2.3: correlation data twice", "a 5 x\na> 30 { `a` { 09 `r` 09 `r` } }\na! 82" },
        { "3.3.2.3: content type twice", "a 5 x\na> 30 { `a` { 03 `r` 03 `r` } }\na! 82" },
        { "3.8.2.1: subscription identifier 0", "a 5 x\na> 82 { 00 01 { 0b 00 } `a` 00 }\na! 82" },
        { "3.8.2.1: subscription identifier twice", "a 5 x\na> 82 { 00 01 { 0b 01 0b 01 } `a` 00 }\na! 82" },
        { "3.14.2.2: session expiry twice", "a 5 x\na> e0 { 00 { 11 00 00 00 00 11 00 00 00 00 } }\na! 82" },
        { "3.1.2.11: user properties as often as one likes", WITH("26 `k` `1` 26 `k` `2`") "a." },
    };
    mqtt_play(CASES(cases));
}

static void connect_is_answered__MQTT_3_1_MQTT_3_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.0-1: AUTH first", "a> f0 { 18 { 15 `PLAIN` } }\na!" },
        { "MQTT-3.1.0-2: CONNECT twice", "a 5 x\n" CONNECT("") "a! 82" },
        { "MQTT-3.1.2-1: another protocol", "a> 10 { `HTTP` 05 02 00 00 00 `x` }\na!" },
        { "MQTT-3.1.2-2: a version to come", "a> 10 { `MQTT` 06 02 00 00 00 `x` }\na^ 84" },
        { "MQTT-3.1.2-3: the reserved flag", "a> 10 { `MQTT` 05 03 00 00 00 `x` }\na^ 81" },
        { "MQTT-3.1.2-11: a will QoS without a will", "a> 10 { `MQTT` 05 0a 00 00 00 `x` }\na^ 81" },
        { "MQTT-3.1.2-12: will QoS 3", "a> 10 { `MQTT` 05 1e 00 00 00 `x` 00 `w` `m` }\na^ 81" },
        { "MQTT-3.1.2-13: will retain without a will", "a> 10 { `MQTT` 05 22 00 00 00 `x` }\na^ 81" },
        { "MQTT-3.1.2-16: a user name without its flag", "a> 10 { `MQTT` 05 02 00 00 00 `x` `u` }\na^ 81" },
        { "MQTT-3.1.2-17: its flag without a user name", "a> 10 { `MQTT` 05 82 00 00 00 `x` }\na^ 81" },
        { "MQTT-3.1.2-18: a password without its flag", "a> 10 { `MQTT` 05 82 00 00 00 `x` `u` `p` }\na^ 81" },
        { "MQTT-3.1.2-19: its flag without a password", "a> 10 { `MQTT` 05 c2 00 00 00 `x` `u` }\na^ 81" },
        { "3.1.2.9: a password without a user name", "a> 10 { `MQTT` 05 42 00 00 00 `x` `p` }\na< " CONNACK },
        { "MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16: without an identifier, not clean",
          "a> 10 { `MQTT` 05 00 00 00 00 00 00 }\na< 20 29 00 00 26 12 00 18 'gemel-'" },
        { "MQTT-3.1.3-12, MQTT-3.1.4-1: a user name that is not UTF-8", "a> 10 { `MQTT` 05 82 00 00 00 `x` 00 01 ff }\na^ 81" },
        { "MQTT-3.1.3-11: a will topic that is not UTF-8", "a> 10 { `MQTT` 05 06 00 00 00 `x` 00 00 01 ff `m` }\na^ 81" },
        { "MQTT-3.3.2-2: a will topic with a wildcard", "a> 10 { `MQTT` 05 06 00 00 00 `x` 00 `#` `m` }\na^ 90" },
        { "MQTT-4.12.0-1: an authentication method nobody knows", CONNECT("15 `SCRAM-SHA-1`") "a^ 8c" },
        { "4.12: AUTH, but no method was agreed on", "a 5 x\na> f0 { 19 { 15 `SCRAM-SHA-1` } }\na! 82" },
        { "MQTT-3.1.4-3: taken over", "a 5 x\nb 5 x\na! 8e\nb." },
        { "MQTT-3.1.4-3: by an older version", "a 5 x\nb 4 x\na! 8e\nb." },
        { "MQTT-3.1.4-4, MQTT-3.2.2-2: clean start", "a 5+ x\na-\na 5 x\na-\na 5+ x" },
        { "MQTT-3.1.2-5, MQTT-3.2.2-3: no clean start", "a 5+ x\na-\na 5* x" },
        { "MQTT-3.1.2-6: no clean start, and no session", "a> 10 { `MQTT` 05 00 00 00 00 `x` }\na< " CONNACK },
        { "MQTT-3.1.2-4: a CONNACK of a clean start is durable", "a 5+ x\na-\na 5 x\nkill\na 5+ x" },
        { "MQTT-3.2.0-1, MQTT-3.1.4-5: CONNACK first", "a> 10 { `MQTT` 05 02 00 00 00 `x` } c0 00\na< " CONNACK " d0 00" },
        { "MQTT-3.1.4-6, MQTT-3.2.2-6, MQTT-3.2.2-7, MQTT-4.13.2-1: nothing after a refusal",
          "b 5 y\nb> 82 { 00 01 00 `a` 00 }\nb< 90 { 00 01 00 00 }\na> 10 { `MQTT` 05 03 00 00 00 `x` } 30 { `a` 00 }\na^ 81\nb." },
        { "MQTT-3.2.2-21: the server's keep-alive", "a> 10 { `MQTT` 05 02 00 78 00 `x` }\na< 20 { 00 00 { 13 00 3c 21 04 00 22 00 40 27 00 10 00 00 } }" },
        { "3.2.2.3.2: a session expiry beyond the server's", "a> 10 { `MQTT` 05 02 00 00 { 11 ff ff ff ff } `x` }\na< 20 { 00 00 { 11 00 09 3a 80 21 04 00 22 00 40 27 00 10 00 00 } }" },
        { "MQTT-3.1.2-28: no response information", WITH("19 01") "a." },
        { "MQTT-3.1.2-29: no reason strings but where they are allowed", WITH("17 00") "a> 32 { `gemel/nobody/telemetry` 00 05 00 '{}' }\na< 40 { 00 05 83 }" },
        { "MQTT-3.1.2-24, MQTT-3.2.2-19: a CONNACK beyond the client's packets", CONNECT("27 00 00 00 05") "a!" },
        { "MQTT-3.1.2-24, MQTT-3.14.2-3: a DISCONNECT beyond the client's packets", WITH("27 00 00 00 20") "a> 00 00\na< e0 { 81 00 }\na!" },
        { "MQTT-3.1.2-24: a SUBACK beyond the client's packets",
          WITH("27 00 00 00 14") "a> 82 { 00 01 00 `1` 00 `2` 00 `3` 00 `4` 00 `5` 00 `6` 00 `7` 00 `8` 00 `9` 00 `a` 00 `b` 00 `c` 00 `d` 00 `e` 00 `f` 00 `g` 00 }\na! 95" },
    };
    mqtt_play(CASES(cases));
}

#define KEEP(expiry) "a> 10 { `MQTT` 05 00 00 00 { 11 " expiry " } `x` }\n"
#define NEW(expiry)  KEEP(expiry) "a< " CONNACK "\n"
#define KEPT(expiry) KEEP(expiry) "a< 20 { 01 00 { 21 04 00 22 00 40 27 00 10 00 00 } }\n"

static void sessions_expire_as_they_were_told__MQTT_3_1_2_23_MQTT_3_14_2_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.2-23: 0 ends with the connection", NEW("00 00 00 00") "a-\n" NEW("00 00 00 00") "a." },
        { "MQTT-3.1.2-23: kept for 5 s", NEW("00 00 00 05") "a-\n+4500\n" KEPT("00 00 00 05") "a-\n+5500\n" NEW("00 00 00 05") "a." },
        { "MQTT-4.1.0-1: not ended while the connection is there", NEW("00 00 00 05") "+60000\na.\na-\n" KEPT("00 00 00 05") "a." },
        { "3.14.2.2.2: longer by DISCONNECT", NEW("00 00 00 01") "a> e0 { 00 { 11 00 00 00 0a } }\na!\na-\n+8000\n" KEPT("00 00 00 00") "a." },
        { "3.14.2.2.2: ended by DISCONNECT", NEW("00 00 00 0a") "a> e0 { 00 { 11 00 00 00 00 } }\na!\na-\n" NEW("00 00 00 00") "a." },
        { "3.14.2.2.2: not kept after all", NEW("00 00 00 00") "a> e0 { 00 { 11 00 00 00 0a } }\na! 82" },
        { "3.1.2.11.2: absent is 0", "a> 10 { `MQTT` 05 00 00 00 00 `x` }\na< " CONNACK "\na-\n" NEW("00 00 00 00") "a." },
        { "MQTT-3.1.2-23: over a restart", NEW("00 00 00 3c") "kill\n+50000\n" KEPT("00 00 00 3c") "kill\n+70000\n" NEW("00 00 00 3c") "a." },
        { "MQTT-3.10.4-2, MQTT-4.1.0-2: unsubscribed for good",
          NEW("00 00 00 3c") SUBSCRIBED("a", "00", "00") "a> a2 { 00 02 00 `a` }\na< b0 { 00 02 00 00 }\nkill\n" KEPT("00 00 00 3c") "a> 30 { `a` 00 }\na." },
    };
    mqtt_play(CASES(cases));
}

#define WATCH     "b 5 y\nb> 82 { 00 01 00 `w` 02 }\nb< 90 { 00 01 00 02 }\n"
#define WILL(flags, expiry, properties) "a> 10 { `MQTT` 05 " flags " 00 00 { 11 " expiry " } `x` { " properties " } `w` `gone` }\na< " CONNACK "\n"

static void wills_wait_for_their_delay__MQTT_3_1_2_8_MQTT_3_1_3_9(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.2-7, MQTT-3.1.2-8: at once", WATCH WILL("06", "00 00 00 00", "") "a-\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-8: DISCONNECT with will", WATCH WILL("06", "00 00 00 00", "") "a> e0 { 04 }\na!\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-8: DISCONNECT with another reason", WATCH WILL("06", "00 00 00 00", "") "a> e0 { 80 00 }\na!\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-10, MQTT-3.14.4-3: DISCONNECT", WATCH WILL("06", "00 00 00 00", "") "a> e0 { 00 }\na!\nb.\n+2000\nb." },
        { "MQTT-3.1.2-8: after its delay", WATCH WILL("06", "00 00 00 3c", "18 00 00 00 03") "a-\n+2500\nb.\n+1000\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-8: when the session ends before", WATCH WILL("06", "00 00 00 02", "18 00 00 00 3c") "a-\n+1500\nb.\n+1000\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-8: a session without expiry ends at once", WATCH WILL("06", "00 00 00 00", "18 00 00 00 3c") "a-\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.3-9: back in time", WATCH WILL("06", "00 00 00 3c", "18 00 00 00 03") "a-\n+1000\na 5* x\n+60000\nb." },
        { "MQTT-3.1.3-9: taken over in time", WATCH WILL("06", "00 00 00 3c", "18 00 00 00 03") "c 5* x\na! 8e\n+60000\nb." },
        { "3.1.3.2.2: a clean start ends the session", WATCH WILL("06", "00 00 00 3c", "18 00 00 00 03") "a-\na 5 x\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.4-3: taken over without a delay", WATCH WILL("06", "00 00 00 3c", "") "c 5* x\na! 8e\nb< 30 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-15: retained", WILL("26", "00 00 00 00", "") "a-\nb 5 y\nb> 82 { 00 01 00 `w` 02 }\nb< 90 { 00 01 00 02 } 31 { `w` 00 'gone' }" },
        { "MQTT-3.1.2-14: not retained", WILL("06", "00 00 00 00", "") "a-\nb 5 y\nb> 82 { 00 01 00 `w` 02 }\nb< 90 { 00 01 00 02 }\nb." },
        { "MQTT-3.1.3-10: with its properties, in their order",
          WATCH WILL("0e", "00 00 00 00", "01 01 03 `t` 08 `r` 09 `c` 26 `k` `2` 26 `k` `1`") "a-\nb< 32 { `w` 00 01 { 01 01 03 `t` 08 `r` 09 `c` 26 `k` `2` 26 `k` `1` } 'gone' }" },
        { "3.1.3.2.4: expiry counts from its publication", WATCH WILL("06", "00 00 00 3c", "18 00 00 00 03 02 00 00 00 07") "a-\n+3500\nb< 30 { `w` { 02 00 00 00 07 } 'gone' }" },
        { "MQTT-3.1.2-8: over a restart", WILL("06", "00 00 00 3c", "18 00 00 00 03") "kill\n" WATCH "+2000\nb.\n+1500\nb< 30 { `w` 00 'gone' }" },
    };
    mqtt_play(CASES(cases));
}

static void publish_carries_its_properties__MQTT_3_3_1_MQTT_3_3_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.3.1-4: QoS 3", "a 5 x\na> 36 { `a` 00 01 00 }\na! 81" },
        { "MQTT-3.3.1-2: DUP with QoS 0", "a 5 x\na> 38 { `a` 00 }\na! 81" },
        { "MQTT-3.3.2-1, MQTT-4.7.3-1: no topic and no alias", "a 5 x\na> 30 { 00 00 00 }\na! 82" },
        { "MQTT-3.3.2-2: a wildcard", "a 5 x\na> 30 { `a/#` 00 }\na! 90" },
        { "MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-20: unchanged and in order",
          "a 5 x\n" SUBSCRIBED("a", "00", "00") "a> 30 { `a` { 26 `k` `2` 03 `t` 26 `k` `1` 08 `r` 09 `c` 01 01 26 `j` `1` } 'm' }\n"
          "a< 30 { `a` { 26 `k` `2` 03 `t` 26 `k` `1` 08 `r` 09 `c` 01 01 26 `j` `1` } 'm' }" },
        { "MQTT-3.3.2-17: also when it was retained, and over a restart",
          "a 5 x\na> 33 { `a` 00 07 { 26 `k` `2` 26 `k` `1` } 'm' }\na< 40 { 00 07 }\nkill\na 5 x\na> 82 { 00 01 00 `a` 00 }\na< 90 { 00 01 00 00 } 31 { `a` { 26 `k` `2` 26 `k` `1` } 'm' }" },
        { "MQTT-3.3.2-6: expiry, passed on at once", "a 5 x\n" SUBSCRIBED("a", "01", "01") "a> 32 { `a` 00 07 { 02 00 00 00 06 } }\na< 32 { `a` 00 01 { 02 00 00 00 06 } } 40 { 00 07 }" },
        { "MQTT-3.3.2-6: the longest", "a 5 x\n" SUBSCRIBED("a", "00", "00") "a> 30 { `a` { 02 ff ff ff ff } }\na< 30 { `a` { 02 ff ff ff ff } }" },
        { "MQTT-3.3.2-5, MQTT-3.3.2-6: for an absent client",
          "a 5+ x\n" SUBSCRIBED("a", "01", "01") "a-\nb 5 y\nb> 32 { `a` 00 07 { 02 00 00 00 01 } 'short' } 32 { `a` 00 08 { 02 00 00 00 06 } 'long' }\nb< 40 { 00 07 } 40 { 00 08 }\n"
          "+2500\na 5* x\na< 32 { `a` 00 02 { 02 00 00 00 04 } 'long' }\na." },
        { "MQTT-3.3.2-5: what was sent once is completed", "a 5+ x\n" SUBSCRIBED("a", "01", "01") "b 5 y\nb> 32 { `a` 00 07 { 02 00 00 00 01 } }\nb< 40 { 00 07 }\n"
          "a< 32 { `a` 00 01 { 02 00 00 00 01 } }\na-\n+5000\na 5* x\na< 3a { `a` 00 01 { 02 00 00 00 00 } }" },
        { "MQTT-3.3.2-13: a response topic that is not UTF-8", "a 5 x\na> 30 { `a` { 08 00 01 ff } }\na! 81" },
        { "MQTT-3.3.2-14: a response topic with a wildcard", "a 5 x\na> 30 { `a` { 08 `r/+` } }\na! 82" },
        { "MQTT-3.3.2-8: topic alias 0", "a 5 x\na> 30 { `a` { 23 00 00 } }\na! 94" },
        { "MQTT-3.3.2-9: topic alias beyond the maximum", "a 5 x\na> 30 { `a` { 23 00 41 } }\na! 94" },
        { "MQTT-3.3.2-12: topic alias at the maximum", "a 5 x\n" SUBSCRIBED("a", "00", "00") "a> 30 { `a` { 23 00 40 } '1' } 30 { 00 00 { 23 00 40 } '2' }\na< 30 { `a` 00 '1' } 30 { `a` 00 '2' }" },
        { "3.3.2.3.4: an alias changes its topic", "a 5 x\n" SUBSCRIBED("+", "00", "00") "a> 30 { `a` { 23 00 01 } } 30 { `b` { 23 00 01 } } 30 { 00 00 { 23 00 01 } }\na< 30 { `a` 00 } 30 { `b` 00 } 30 { `b` 00 }" },
        { "MQTT-3.3.2-7: aliases end with the connection", "a 5+ x\na> 30 { `a` { 23 00 01 } }\na.\na-\na 5* x\na> 30 { 00 00 { 23 00 01 } }\na! 82" },
        { "3.3.2.3.4: an alias nobody has set", "a 5 x\na> 30 { 00 00 { 23 00 01 } }\na! 82" },
        { "MQTT-3.1.2-26, MQTT-3.3.2-10, MQTT-3.3.2-11: aliases of the server", WITH("22 00 01") SUBSCRIBED("+", "00", "00")
          "a> 30 { `a` 00 } 30 { `a` 00 } 30 { `b` 00 }\na< 30 { `a` { 23 00 01 } } 30 { 00 00 { 23 00 01 } } 30 { `b` 00 }" },
        { "MQTT-3.1.2-27: none without being asked", WITH("22 00 00") SUBSCRIBED("a", "00", "00") "a> 30 { `a` 00 } 30 { `a` 00 }\na< 30 { `a` 00 } 30 { `a` 00 }" },
        { "MQTT-3.3.4-6: a subscription identifier from a client", "a 5 x\na> 30 { `a` { 0b 01 } }\na! 82" },
        { "MQTT-3.2.2-15: a packet beyond the server's maximum", "a 5 x\na> 30 81 80 40\na! 95" },
        { "MQTT-3.1.2-25: what is too large for its client counts as sent", WITH("27 00 00 00 20") SUBSCRIBED("a", "01", "01")
          "a> 32 { `a` 00 07 00 '0123456789012345678901234567890' }\na< 40 { 00 07 }\na> 32 { `a` 00 08 00 'm' }\na< 32 { `a` 00 02 00 'm' } 40 { 00 08 }" },
    };
    mqtt_play(CASES(cases));
}

static void flow_is_controlled_both_ways__MQTT_3_3_4_MQTT_4_9(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.3.4-9, MQTT-4.9.0-2: no more than the client's receive maximum",
          WITH("21 00 02") SUBSCRIBED("a", "01", "01") "a> 32 { `a` 00 07 00 } 32 { `a` 00 08 00 } 32 { `a` 00 09 00 }\n"
          "a< 32 { `a` 00 01 00 } 40 { 00 07 } 32 { `a` 00 02 00 } 40 { 00 08 } 40 { 00 09 }\na.\na> 40 { 00 01 }\na< 32 { `a` 00 03 00 }" },
        { "MQTT-4.9.0-2: a QoS 2 message counts until its PUBCOMP", WITH("21 00 01") SUBSCRIBED("a", "02", "02") "a> 34 { `a` 00 07 00 } 34 { `a` 00 08 00 }\n"
          "a< 34 { `a` 00 01 00 } 50 { 00 07 } 50 { 00 08 }\na> 50 { 00 01 }\na< 62 { 00 01 }\na.\na> 70 { 00 01 }\na< 34 { `a` 00 02 00 }" },
        { "MQTT-4.9.0-2: or until it is refused", WITH("21 00 01") SUBSCRIBED("a", "02", "02") "a> 34 { `a` 00 07 00 } 34 { `a` 00 08 00 }\n"
          "a< 34 { `a` 00 01 00 } 50 { 00 07 } 50 { 00 08 }\na> 50 { 00 01 87 }\na< 34 { `a` 00 02 00 }" },
        { "MQTT-3.3.4-10, MQTT-4.9.0-3: nothing else has to wait, QoS 0 neither", WITH("21 00 01") SUBSCRIBED("+", "01", "01") "a> 32 { `a` 00 07 00 } 30 { `b` 00 } c0 00\n"
          "a< 32 { `a` 00 01 00 } 40 { 00 07 } 30 { `b` 00 } d0 00" },
    };
    mqtt_play(CASES(cases));
}

static void acknowledgements_have_their_reasons__MQTT_3_4_to_3_7_MQTT_4_3_MQTT_4_4(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.4.2-1, MQTT-4.3.2-4: PUBACK, nobody has subscribed", "a 5 x\na> 32 { `a` 00 07 00 }\na< 40 { 00 07 10 }" },
        { "MQTT-3.5.2-1, MQTT-4.3.3-8: PUBREC, nobody has subscribed", "a 5 x\na> 34 { `a` 00 07 00 }\na< 50 { 00 07 10 }\na> 62 { 00 07 }\na< 70 { 00 07 }" },
        { "MQTT-3.4.2-1: a PUBACK with a reason it does not have", "a 5 x\na> 40 { 00 01 05 }\na! 82" },
        { "MQTT-3.5.2-1: a PUBREC with a reason it does not have", "a 5 x\na> 50 { 00 01 92 }\na! 82" },
        { "MQTT-3.6.2-1: a PUBREL with a reason it does not have", "a 5 x\na> 62 { 00 01 80 }\na! 82" },
        { "MQTT-3.7.2-1: a PUBCOMP with a reason it does not have", "a 5 x\na> 70 { 00 01 10 }\na! 82" },
        { "MQTT-3.14.2-1: a DISCONNECT with a reason it does not have", "a 5 x\na> e0 { 10 }\na! 82" },
        { "MQTT-3.7.2-1: PUBREL of nothing", "a 5 x\na> 62 { 00 63 }\na< 70 { 00 63 92 }" },
        { "MQTT-3.6.2-1: PUBREC of nothing", "a 5 x\na> 50 { 00 63 }\na< 62 { 00 63 92 }" },
        { "MQTT-4.3.3-10, MQTT-4.3.3-12: taken once, until PUBREL", "a 5 x\nb 5 y\nb> 82 { 00 01 00 `a` 00 }\nb< 90 { 00 01 00 00 }\na> 34 { `a` 00 07 00 } 3c { `a` 00 07 00 }\n"
          "a< 50 { 00 07 } 50 { 00 07 }\nb< 30 { `a` 00 }\nb.\na> 62 { 00 07 }\na< 70 { 00 07 }\na> 34 { `a` 00 07 00 }\na< 50 { 00 07 }\nb< 30 { `a` 00 }" },
        { "MQTT-4.4.0-1: a PUBREL is sent again, with a new connection",
          "a 5+ x\n" SUBSCRIBED("a", "02", "02") "b 5 y\nb> 34 { `a` 00 07 00 }\nb< 50 { 00 07 }\na< 34 { `a` 00 01 00 }\na> 50 { 00 01 }\na< 62 { 00 01 }\na-\na 5* x\na< 62 { 00 01 }\na> 70 { 00 01 }\na." },
        { "MQTT-4.4.0-2: a reason of 0x80 and more is an acknowledgement", "a 5+ x\n" SUBSCRIBED("a", "01", "01") "a> 32 { `a` 00 07 00 }\na< 32 { `a` 00 01 00 } 40 { 00 07 }\n"
          "a> 40 { 00 01 83 }\na.\na-\na 5* x\na." },
        { "MQTT-4.3.3-4: so it is with PUBREC", "a 5 x\n" SUBSCRIBED("a", "02", "02") "a> 34 { `a` 00 07 00 }\na< 34 { `a` 00 01 00 } 50 { 00 07 }\na> 50 { 00 01 97 }\na." },
    };
    mqtt_play(CASES(cases));
}

static void subscriptions_keep_their_options__MQTT_3_8_MQTT_3_10(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.8.3-2: without a filter", "a 5 x\na> 82 { 00 01 00 }\na! 82" },
        { "MQTT-3.10.3-2: UNSUBSCRIBE without a filter", "a 5 x\na> a2 { 00 01 00 }\na! 82" },
        { "3.8.3.1: QoS 3", "a 5 x\na> 82 { 00 01 00 `a` 03 }\na! 81" },
        { "3.8.3.1: retain handling 3", "a 5 x\na> 82 { 00 01 00 `a` 30 }\na! 82" },
        { "MQTT-3.8.3-5: reserved options", "a 5 x\na> 82 { 00 01 00 `a` 40 }\na! 81" },
        { "MQTT-3.8.3-4: a shared subscription with no-local", "a 5 x\na> 82 { 00 01 00 `$share/g/a` 04 }\na! 82" },
        { "MQTT-3.8.3-3: no-local", "a 5 x\nb 5 y\n" SUBSCRIBED("a", "04", "00") "a> 30 { `a` 00 '1' }\na.\nb> 30 { `a` 00 '2' }\na< 30 { `a` 00 '2' }" },
        { "MQTT-3.3.1-12: retain not as published", "a 5 x\n" SUBSCRIBED("a", "00", "00") "a> 31 { `a` 00 'm' }\na< 30 { `a` 00 'm' }" },
        { "MQTT-3.3.1-13: retain as published", "a 5 x\n" SUBSCRIBED("a", "08", "00") "a> 31 { `a` 00 'm' } 30 { `a` 00 'n' }\na< 31 { `a` 00 'm' } 30 { `a` 00 'n' }" },
        { "MQTT-3.3.1-8: a retained one that is sent to a new subscription has its flag in any case", "a 5 x\na> 31 { `a` 00 'm' }\na> 82 { 00 01 00 `a` 00 }\na< 90 { 00 01 00 00 } 31 { `a` 00 'm' }" },
        { "MQTT-3.3.1-9, MQTT-3.8.4-4: retain handling 0", "a 5 x\na> 31 { `a` 00 'm' } 82 { 00 01 00 `a` 00 } 82 { 00 01 00 `a` 00 }\na< 90 { 00 01 00 00 } 31 { `a` 00 'm' } 90 { 00 01 00 00 } 31 { `a` 00 'm' }" },
        { "MQTT-3.3.1-10: retain handling 1", "a 5 x\na> 31 { `a` 00 'm' } 82 { 00 01 00 `a` 10 } 82 { 00 01 00 `a` 10 }\na< 90 { 00 01 00 00 } 31 { `a` 00 'm' } 90 { 00 01 00 00 }\na." },
        { "MQTT-3.3.1-10: and after a reconnection", "a 5+ x\na> 31 { `a` 00 'm' } 82 { 00 01 00 `a` 10 }\na< 90 { 00 01 00 00 } 31 { `a` 00 'm' }\na-\na 5* x\na> 82 { 00 01 00 `a` 10 }\na< 90 { 00 01 00 00 }\na." },
        { "MQTT-3.3.1-11: retain handling 2", "a 5 x\na> 31 { `a` 00 'm' } 82 { 00 01 00 `a` 20 }\na< 90 { 00 01 00 00 }\na." },
        { "MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.8.4-6, MQTT-3.9.3-1: many filters", "a 5 x\na> 82 { ff fe 00 `a` 02 `b` 00 `c` 01 }\na< 90 { ff fe 00 02 00 01 }" },
        { "MQTT-3.8.4-3: replaced", "a 5 x\n" SUBSCRIBED("a", "00", "00") SUBSCRIBED("a", "01", "01") "a> 32 { `a` 00 07 00 }\na< 32 { `a` 00 01 00 } 40 { 00 07 }" },
        { "MQTT-3.8.4-8: the lower QoS", "a 5 x\n" SUBSCRIBED("a", "01", "01") "a> 34 { `a` 00 07 00 }\na< 32 { `a` 00 01 00 } 50 { 00 07 }" },
        { "MQTT-3.10.4-1, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6, MQTT-3.11.3-1, MQTT-3.11.3-2: UNSUBACK",
          "a 5 x\n" SUBSCRIBED("a/b", "00", "00") "a> a2 { 00 09 00 `a/+` `a/b` `c` }\na< b0 { 00 09 00 11 00 11 }\na> 30 { `a/b` 00 }\na." },
        { "MQTT-3.3.4-3: the identifier of a subscription", "a 5 x\na> 82 { 00 01 { 0b ff ff ff 7f } `a` 00 }\na< 90 { 00 01 00 00 }\na> 30 { `a` 00 }\na< 30 { `a` { 0b ff ff ff 7f } }" },
        { "MQTT-3.3.4-4: of all that match", "a 5 x\na> 82 { 00 01 { 0b 01 } `a/#` 00 } 82 { 00 01 { 0b 02 } `a/+` 01 } 82 { 00 01 00 `+/b` 00 }\na< 90 { 00 01 00 00 } 90 { 00 01 00 01 } 90 { 00 01 00 00 }\n"
          "a> 30 { `a/b` 00 }\na< 30 { `a/b` { 0b 01 0b 02 } }" },
        { "3.8.2.1.2: replaced with the subscription", "a 5 x\na> 82 { 00 01 { 0b 01 } `a` 00 } 82 { 00 01 { 0b 02 } `a` 00 } 82 { 00 01 { 0b 03 } `b` 00 }\n"
          "a< 90 { 00 01 00 00 } 90 { 00 01 00 00 } 90 { 00 01 00 00 }\na> 30 { `a` 00 }\na< 30 { `a` { 0b 02 } }" },
        { "3.8.2.1.2: with retained messages", "a 5 x\na> 31 { `a` 00 'm' } 82 { 00 01 { 0b 05 } `a` 00 }\na< 90 { 00 01 00 00 } 31 { `a` { 0b 05 } 'm' }" },
        { "MQTT-4.7.1-1: 'a#'", "a 5 x\na> 82 { 00 01 00 `a#` 00 }\na! 8f" },
        { "MQTT-4.7.1-2: 'a+'", "a 5 x\na> 82 { 00 01 00 `a+` 00 }\na! 8f" },
        { "MQTT-4.7.2-1: '#' and '$SYS'", "a 5 x\n" SUBSCRIBED("#", "00", "00") "a> 30 { `$SYS/a` 00 }\na." },
    };
    mqtt_play(CASES(cases));
}

#define GROUP "a 5 x\na> 82 { 00 01 00 `$share/g/t` 02 }\na< 90 { 00 01 00 02 }\nb 5 y\nb> 82 { 00 01 00 `$share/g/t` 02 }\nb< 90 { 00 01 00 02 }\n"

static void shared_subscriptions_share__MQTT_4_8_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-4.8.2-1: without a group", "a 5 x\na> 82 { 00 01 00 `$share//a` 00 }\na! 8f" },
        { "MQTT-4.8.2-1: without a filter", "a 5 x\na> 82 { 00 01 00 `$share/g` 00 }\na! 8f" },
        { "MQTT-4.8.2-2: a wildcard in the group", "a 5 x\na> 82 { 00 01 00 `$share/g+/a` 00 }\na! 8f" },
        { "4.8.2: each message to one", GROUP "c 5 z\nc> 30 { `t` 00 '1' } 30 { `t` 00 '2' } 30 { `t` 00 '3' } c0 00\nc< d0 00\nb< 30 { `t` 00 '1' } 30 { `t` 00 '3' }\na< 30 { `t` 00 '2' }\na.\nb." },
        { "4.8.2: its own subscription as well", GROUP "b> a2 { 00 01 00 `$share/g/t` }\nb< b0 { 00 01 00 00 }\n" "a> 82 { 00 01 00 `t` 00 }\na< 90 { 00 01 00 00 }\nc 5 z\nc> 30 { `t` 00 }\na< 30 { `t` 00 } 30 { `t` 00 }\na." },
        { "4.8.2: retained messages are not for it", "a 5 x\na> 31 { `t` 00 'm' } 82 { 00 01 00 `$share/g/t` 00 }\na< 90 { 00 01 00 00 }\na." },
        { "MQTT-4.8.2-3: each with the QoS that it was granted", "a 5 x\na> 82 { 00 01 00 `$share/g/t` 01 }\na< 90 { 00 01 00 01 }\nc 5 z\nc> 34 { `t` 00 07 00 }\nc< 50 { 00 07 }\na< 32 { `t` 00 01 00 }" },
        { "MQTT-4.8.2-4: QoS 2 is completed with the same client",
          "a 5+ x\na> 82 { 00 01 00 `$share/g/t` 02 }\na< 90 { 00 01 00 02 }\nc 5 z\nc> 34 { `t` 00 07 00 }\nc< 50 { 00 07 }\na< 34 { `t` 00 01 00 }\na-\n"
          "b 5 y\nb> 82 { 00 01 00 `$share/g/t` 02 }\nb< 90 { 00 01 00 02 }\nb.\na 5* x\na< 3c { `t` 00 01 00 }\nb." },
        { "MQTT-4.8.2-5: and with nobody when its session ends", GROUP "c 5 z\nc> 34 { `t` 00 07 00 }\nc< 50 { 00 07 }\nb< 34 { `t` 00 01 00 }\nb-\na.\n+10000\na." },
        { "MQTT-4.8.2-6: what one refuses goes to no other", GROUP "c 5 z\nc> 32 { `t` 00 07 00 }\nc< 40 { 00 07 }\nb< 32 { `t` 00 01 00 }\nb> 40 { 00 01 87 }\nb.\na." },
        { "4.8.2: with its identifier", "a 5 x\na> 82 { 00 01 { 0b 07 } `$share/g/t` 00 }\na< 90 { 00 01 00 00 }\na> 30 { `t` 00 }\na< 30 { `t` { 0b 07 } }" },
    };
    mqtt_play(CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_texts_and_lengths_are_told_so__MQTT_1_5_4_MQTT_1_5_5_MQTT_4_13_1_1),
        cmocka_unit_test(properties_stand_where_they_may_and_once__MQTT_2_2_2),
        cmocka_unit_test(connect_is_answered__MQTT_3_1_MQTT_3_2),
        cmocka_unit_test(sessions_expire_as_they_were_told__MQTT_3_1_2_23_MQTT_3_14_2_2),
        cmocka_unit_test(wills_wait_for_their_delay__MQTT_3_1_2_8_MQTT_3_1_3_9),
        cmocka_unit_test(publish_carries_its_properties__MQTT_3_3_1_MQTT_3_3_2),
        cmocka_unit_test(flow_is_controlled_both_ways__MQTT_3_3_4_MQTT_4_9),
        cmocka_unit_test(acknowledgements_have_their_reasons__MQTT_3_4_to_3_7_MQTT_4_3_MQTT_4_4),
        cmocka_unit_test(subscriptions_keep_their_options__MQTT_3_8_MQTT_3_10),
        cmocka_unit_test(shared_subscriptions_share__MQTT_4_8_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
