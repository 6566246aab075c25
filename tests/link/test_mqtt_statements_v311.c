// The normative statements of MQTT 3.1.1 that concern a server, as exchanges in bytes. docs/protocols/mqtt-statements.md lists them
// all with where they are tested.
#include "link/mqtt_script.h"

#define CASES(cases) (cases), sizeof(cases) / sizeof((cases)[0])

// The shortest CONNECT that is fine: clean, identifier "x".
#define CONNECT_X "a> 10 0d 00 04 'MQTT' 04 02 00 00 00 01 'x'\n"

static void texts_are_utf8__MQTT_1_5_3(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-1.5.3-1: a surrogate in the client identifier", "a> 10 0f 00 04 'MQTT' 04 02 00 00 00 03 ed a0 80\na!" },
        { "MQTT-1.5.3-1: a surrogate in the user name", "a> 10 12 00 04 'MQTT' 04 82 00 00 00 01 'x' 00 03 ed bf bf\na!" },
        { "MQTT-1.5.3-1: an overlong form in a topic", "a 4 x\na> 30 04 00 02 c0 af\na!" },
        { "MQTT-1.5.3-1: beyond U+10FFFF in a topic", "a 4 x\na> 30 06 00 04 f4 90 80 80\na!" },
        { "MQTT-1.5.3-1: a surrogate in a topic filter", "a 4 x\na> 82 08 00 01 00 03 ed a0 80 00\na!" },
        { "MQTT-1.5.3-2: U+0000 in the client identifier", "a> 10 0e 00 04 'MQTT' 04 02 00 00 00 02 'x' 00\na!" },
        { "MQTT-1.5.3-2: U+0000 in a topic", "a 4 x\na> 30 05 00 03 'a' 00 'b'\na!" },
        { "MQTT-1.5.3-2: U+0000 in a topic filter", "a 4 x\na> 82 08 00 01 00 03 'a' 00 'b' 00\na!" },
        { "MQTT-1.5.3-2: U+0000 in the topic of a will", "a> 10 13 00 04 'MQTT' 04 06 00 00 00 01 'x' 00 02 'w' 00 00 00\na!" },
        { "MQTT-1.5.3-3: U+FEFF is a character, not a mark to be dropped",
          "a 4 x\na> 82 0a 00 01 00 05 ef bb bf 'ab' 00\na< 90 03 00 01 00\n"
          "a> 30 08 00 05 ef bb bf 'ab' 'm'\na< 30 08 00 05 ef bb bf 'ab' 'm'\na> 30 05 00 02 'ab' 'm'\na." },
        { "MQTT-1.5.3-1: every plane is allowed",
          "a 4 x\na> 82 0d 00 01 00 08 c3 a9 f0 9f 8c a1 '/a' 00\na< 90 03 00 01 00\n"
          "a> 30 0b 00 08 c3 a9 f0 9f 8c a1 '/a' 'm'\na< 30 0b 00 08 c3 a9 f0 9f 8c a1 '/a' 'm'" },
    };
    mqtt_play(CASES(cases));
}

static void fixed_headers_have_their_flags_and_a_length_of_four_bytes__MQTT_2_2_2_2_MQTT_4_8_0_1(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-2.2.2-2: CONNECT", "a> 11 0d 00 04 'MQTT' 04 02 00 00 00 01 'x'\na!" },
        { "MQTT-2.2.2-2: PUBACK", "a 4 x\na> 41 02 00 01\na!" },
        { "MQTT-2.2.2-2: PUBREC", "a 4 x\na> 52 02 00 01\na!" },
        { "MQTT-3.6.1-1: PUBREL", "a 4 x\na> 60 02 00 01\na!" },
        { "MQTT-2.2.2-2: PUBCOMP", "a 4 x\na> 78 02 00 01\na!" },
        { "MQTT-3.8.1-1: SUBSCRIBE", "a 4 x\na> 80 06 00 01 00 01 'a' 00\na!" },
        { "MQTT-3.10.1-1: UNSUBSCRIBE", "a 4 x\na> a0 05 00 01 00 01 'a'\na!" },
        { "MQTT-2.2.2-2: PINGREQ", "a 4 x\na> c1 00\na!" },
        { "MQTT-3.14.1-1: DISCONNECT", "a 4 x\na> e1 00\na!" },
        { "MQTT-4.8.0-1: packet type 0", "a 4 x\na> 00 00\na!" },
        { "MQTT-4.8.0-1: packet type 15", "a 4 x\na> f0 00\na!" },
        { "MQTT-4.8.0-1: CONNACK from a client", "a 4 x\na> 20 02 00 00\na!" },
        { "MQTT-4.8.0-1: SUBACK from a client", "a 4 x\na> 90 03 00 01 00\na!" },
        { "MQTT-4.8.0-1: UNSUBACK from a client", "a 4 x\na> b0 02 00 01\na!" },
        { "MQTT-4.8.0-1: PINGRESP from a client", "a 4 x\na> d0 00\na!" },
        { "MQTT-4.8.0-1: a fifth byte of length", "a 4 x\na> 30 80 80 80 80 01\na!" },
        { "MQTT-4.8.0-1: a PINGREQ with a body", "a 4 x\na> c0 01 00\na!" },
        { "MQTT-4.8.0-1: a DISCONNECT with a body", "a 4 x\na> e0 01 00\na!" },
        { "MQTT-4.8.0-1: a PUBACK that is too long", "a 4 x\na> 40 03 00 01 00\na!" },
        { "MQTT-4.8.0-1: the fault of one disturbs no other", "b 4 y\na 4 x\na> 00 00\na!\nb." },
        { "2.2.3: a length may take more bytes than it needs", "a 4 x\na> 30 84 00 00 01 'a' 'm'\na> c0 80 00\na< d0 00\na." },
    };
    mqtt_play(CASES(cases));
}

static void packet_identifiers_are_not_0_and_come_back__MQTT_2_3_1(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-2.3.1-1: PUBLISH QoS 1", "a 4 x\na> 32 05 00 01 'a' 00 00\na!" },
        { "MQTT-2.3.1-1: PUBLISH QoS 2", "a 4 x\na> 34 05 00 01 'a' 00 00\na!" },
        { "MQTT-2.3.1-1: SUBSCRIBE", "a 4 x\na> 82 06 00 00 00 01 'a' 00\na!" },
        { "MQTT-2.3.1-1: UNSUBSCRIBE", "a 4 x\na> a2 05 00 00 00 01 'a'\na!" },
        { "MQTT-2.3.1-1: PUBREL", "a 4 x\na> 62 02 00 00\na!" },
        { "MQTT-2.3.1-5: QoS 0 has none", "a 4 x\na> 82 06 00 01 00 01 'a' 00\na< 90 03 00 01 00\na> 30 05 00 01 'a' 00 07\na< 30 05 00 01 'a' 00 07" },
        { "MQTT-2.3.1-6, MQTT-3.3.4-1: PUBACK", "a 4 x\na> 32 05 00 01 'a' ab cd\na< 40 02 ab cd" },
        { "MQTT-2.3.1-6: PUBREC, PUBREL, PUBCOMP", "a 4 x\na> 34 05 00 01 'a' ab cd\na< 50 02 ab cd\na> 62 02 ab cd\na< 70 02 ab cd" },
        { "MQTT-2.3.1-7, MQTT-3.8.4-2, MQTT-3.10.4-4: SUBACK, UNSUBACK",
          "a 4 x\na> 82 06 ff ff 00 01 'a' 00\na< 90 03 ff ff 00\na> a2 05 12 34 00 01 'a'\na< b0 02 12 34" },
        { "MQTT-2.3.1-4: each way has its own identifiers",
          "a 4 x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na> 32 06 00 01 'a' 00 01 'm'\na< 32 06 00 01 'a' 00 01 'm' 40 02 00 01\n"
          "a> 40 02 00 01\na." },
    };
    mqtt_play(CASES(cases));
}

static void connect_is_checked_field_by_field__MQTT_3_1(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.0-1: PUBLISH first", "a> 30 03 00 01 'a'\na!" },
        { "MQTT-3.1.0-1: SUBSCRIBE first", "a> 82 06 00 01 00 01 'a' 00\na!" },
        { "MQTT-3.1.0-1: PINGREQ first", "a> c0 00\na!" },
        { "MQTT-3.1.0-1: DISCONNECT first", "a> e0 00\na!" },
        { "MQTT-3.1.0-2: twice", CONNECT_X "a< 20 02 00 00\n" CONNECT_X "a!" },
        { "MQTT-3.1.2-1: another protocol", "a> 10 0d 00 04 'HTTP' 04 02 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-1: in small letters", "a> 10 0d 00 04 'mqtt' 04 02 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-2: level 0", "a> 10 0d 00 04 'MQTT' 00 02 00 00 00 01 'x'\na< 20 02 00 01\na!" },
        { "MQTT-3.1.2-2: level 3", "a> 10 0d 00 04 'MQTT' 03 02 00 00 00 01 'x'\na< 20 02 00 01\na!" },
        { "MQTT-3.1.2-2: MQTT 3.1", "a> 10 0f 00 06 'MQIsdp' 03 02 00 00 00 01 'x'\na< 20 02 00 01\na!" },
        { "MQTT-3.1.2-3: the reserved flag", "a> 10 0d 00 04 'MQTT' 04 03 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-9, MQTT-3.1.4-1: a will without its message", "a> 10 10 00 04 'MQTT' 04 06 00 00 00 01 'x' 00 01 'w'\na!" },
        { "MQTT-3.1.2-11: no will, but a will topic", "a> 10 12 00 04 'MQTT' 04 02 00 00 00 01 'x' 00 01 'w' 00 00\na!" },
        { "MQTT-3.1.2-13: a will QoS without a will", "a> 10 0d 00 04 'MQTT' 04 0a 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-14: will QoS 3", "a> 10 12 00 04 'MQTT' 04 1e 00 00 00 01 'x' 00 01 'w' 00 00\na!" },
        { "MQTT-3.1.2-15: will retain without a will", "a> 10 0d 00 04 'MQTT' 04 22 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-18: no user name flag, but a user name", "a> 10 10 00 04 'MQTT' 04 02 00 00 00 01 'x' 00 01 'u'\na!" },
        { "MQTT-3.1.2-19: a user name flag, but no user name", "a> 10 0d 00 04 'MQTT' 04 82 00 00 00 01 'x'\na!" },
        { "MQTT-3.1.2-20: no password flag, but a password", "a> 10 13 00 04 'MQTT' 04 82 00 00 00 01 'x' 00 01 'u' 00 01 'p'\na!" },
        { "MQTT-3.1.2-21: a password flag, but no password", "a> 10 10 00 04 'MQTT' 04 c2 00 00 00 01 'x' 00 01 'u'\na!" },
        { "MQTT-3.1.2-22: a password without a user name", "a> 10 10 00 04 'MQTT' 04 42 00 00 00 01 'x' 00 01 'p'\na!" },
        { "MQTT-3.1.3-1: user name and password in their order", "a> 10 13 00 04 'MQTT' 04 c2 00 00 00 01 'x' 00 01 'u' 00 01 'p'\na< 20 02 00 00" },
        { "MQTT-3.1.3-3: no identifier at all", "a> 10 0a 00 04 'MQTT' 04 02 00 00\na!" },
        { "MQTT-3.1.3-4, MQTT-3.1.3-5: letters and digits, 23 bytes",
          "a> 10 23 00 04 'MQTT' 04 02 00 00 00 17 '0123456789ABCDEFGHIJxyz'\na< 20 02 00 00" },
        { "MQTT-3.1.3-5: other characters are fine, too", "a> 10 14 00 04 'MQTT' 04 02 00 00 00 08 'a /#+$' c3 a9\na< 20 02 00 00" },
        { "MQTT-3.1.3-6, MQTT-3.1.3-7: a client without identifier is clean", "a> 10 0c 00 04 'MQTT' 04 02 00 00 00 00\na< 20 02 00 00" },
        { "MQTT-3.1.3-8, MQTT-3.1.3-9: it can not be kept without one", "a> 10 0c 00 04 'MQTT' 04 00 00 00 00 00\na< 20 02 00 02\na!" },
        { "MQTT-3.1.3-10, MQTT-4.7.3-1: a will without topic", "a> 10 11 00 04 'MQTT' 04 06 00 00 00 01 'x' 00 00 00 00\na!" },
        { "MQTT-3.1.3-11: a user name that is not UTF-8", "a> 10 10 00 04 'MQTT' 04 82 00 00 00 01 'x' 00 01 ff\na!" },
        { "MQTT-3.1.4-5, MQTT-3.2.2-4, MQTT-3.2.2-5: what follows a refused CONNECT is not read",
          "b 4 watcher\nb> 82 06 00 01 00 01 'a' 00\nb< 90 03 00 01 00\n"
          "a> 10 0d 00 04 'MQTT' 03 02 00 00 00 01 'x' 30 04 00 01 'a' 'm'\na< 20 02 00 01\na!\nb." },
        { "MQTT-3.2.0-1: what follows CONNECT at once is answered behind CONNACK",
          "a> 10 0d 00 04 'MQTT' 04 02 00 00 00 01 'x' c0 00 32 05 00 01 'a' 00 05\na< 20 02 00 00 d0 00 40 02 00 05" },
        { "MQTT-3.2.0-1: also when the session is kept",
          "a> 10 0d 00 04 'MQTT' 04 00 00 00 00 01 'x' c0 00 32 05 00 01 'a' 00 05\na< 20 02 00 00 d0 00 40 02 00 05" },
    };
    mqtt_play(CASES(cases));
}

static void sessions_are_kept_or_not__MQTT_3_1_2_4_MQTT_3_2_2(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.2.2-1: clean over a kept session", "a 4+ x\na-\na 4 x\na-\na 4+ x" },
        { "MQTT-3.2.2-2, MQTT-3.2.2-3, MQTT-4.1.0-2: kept", "a 4+ x\na-\na 4* x\na> e0 00\na!\na-\na 4* x" },
        { "MQTT-3.1.2-4: subscriptions are kept",
          "a 4+ x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na-\na 4* x\na> 30 04 00 01 'a' 'm'\na< 30 04 00 01 'a' 'm'" },
        { "MQTT-3.1.2-5: QoS 1 and 2 wait in their order",
          "a 4+ x\na> 82 06 00 01 00 01 '#' 02\na< 90 03 00 01 02\na-\nb 4 y\nb> 34 06 00 01 'a' 00 07 '1' 32 06 00 01 'a' 00 08 '2'\n"
          "b< 50 02 00 07 40 02 00 08\na 4* x\na< 34 06 00 01 'a' 00 01 '1' 32 06 00 01 'a' 00 02 '2'" },
        { "MQTT-3.1.2-6: a clean session is not reused", "a 4 x\na-\na 4+ x\na-\na 4 x\na-\na 4 x" },
        { "MQTT-3.1.2-6: nor is any of what was kept before it",
          "a 4+ x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na-\nb 4 y\nb> 32 06 00 01 'a' 00 08 'm'\nb< 40 02 00 08\n"
          "a 4 x\na.\nb> 30 04 00 01 'a' 'm'\na." },
        { "MQTT-3.1.2-6: a CONNACK of a clean session is durable", "a 4+ x\na-\na 4 x\nkill\na 4+ x" },
        { "MQTT-3.1.2-4: a CONNACK of a kept session is durable", "a 4+ x\nkill\na 4* x" },
        { "MQTT-3.1.2-6: the end of a session that was ended otherwise is durable, too",
          "a 5+ x\na> e0 07 00 05 11 00 00 00 00\na!\na-\na 4 x\nkill\na 4+ x" },
        { "MQTT-3.1.4-2: the older connection ends, its session goes on", "a 4+ x\nb 4* x\na!\nb." },
        { "MQTT-3.1.4-2: and a clean one ends with it", "a 4 x\nb 4 x\na!\nb." },
    };
    mqtt_play(CASES(cases));
}

// Topic 'w', message 'gone'; flags from the caller.
#define WILL(flags) "a> 10 16 00 04 'MQTT' 04 " flags " 00 02 00 01 'x' 00 01 'w' 00 04 'gone'\na< 20 02 00 00\n"
#define WATCH_WILL "b 4 y\nb> 82 06 00 01 00 01 'w' 02\nb< 90 03 00 01 02\n"

static void wills_are_published_when_they_should_be__MQTT_3_1_2_8_to_17(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.2-8: the connection breaks", WATCH_WILL WILL("06") "a-\nb< 30 07 00 01 'w' 'gone'\nb." },
        { "MQTT-3.1.2-8: a fault of the client", WATCH_WILL WILL("06") "a> 00 00\na!\nb< 30 07 00 01 'w' 'gone'" },
        { "MQTT-3.1.2-8: silence", WATCH_WILL WILL("06") "+3500\na!\nb< 30 07 00 01 'w' 'gone'" },
        { "MQTT-3.1.2-8: taken over", WATCH_WILL WILL("06") "c 4 x\na!\nb< 30 07 00 01 'w' 'gone'" },
        { "MQTT-3.1.2-12: QoS 1", WATCH_WILL WILL("0e") "a-\nb< 32 09 00 01 'w' 00 01 'gone'" },
        { "MQTT-3.1.2-12: QoS 2", WATCH_WILL WILL("16") "a-\nb< 34 09 00 01 'w' 00 01 'gone'" },
        { "MQTT-3.1.2-16: not retained", WATCH_WILL WILL("06") "a-\nb< 30 07 00 01 'w' 'gone'\nc 4 z\nc> 82 06 00 01 00 01 'w' 02\nc< 90 03 00 01 02\nc." },
        { "MQTT-3.1.2-17: retained", WATCH_WILL WILL("26") "a-\nb< 30 07 00 01 'w' 'gone'\nc 4 z\nc> 82 06 00 01 00 01 'w' 02\n"
          "c< 90 03 00 01 02 31 07 00 01 'w' 'gone'" },
        { "MQTT-3.1.2-10, MQTT-3.14.4-3: not after DISCONNECT", WATCH_WILL WILL("06") "a> e0 00\na!\na-\nb." },
        { "MQTT-3.14.4-1, MQTT-3.14.4-2: nothing behind DISCONNECT is read", WATCH_WILL WILL("06") "a> e0 00 30 04 00 01 'w' 'm'\na!\na-\nb." },
        { "MQTT-3.1.2-8: an empty will", WATCH_WILL "a> 10 12 00 04 'MQTT' 04 06 00 00 00 01 'x' 00 01 'w' 00 00\na< 20 02 00 00\na-\nb< 30 03 00 01 'w'" },
    };
    mqtt_play(CASES(cases));
}

static void keep_alive_is_one_and_a_half_times_itself__MQTT_3_1_2_24_MQTT_3_12_4_1(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.1.2-24: 2 s, 2.9 s of silence", "a> 10 0d 00 04 'MQTT' 04 02 00 02 00 01 'x'\na< 20 02 00 00\n+2900\na." },
        { "MQTT-3.1.2-24: 2 s, 3.3 s of silence", "a> 10 0d 00 04 'MQTT' 04 02 00 02 00 01 'x'\na< 20 02 00 00\n+3300\na!" },
        { "MQTT-3.1.2-24: half a packet is no silence", "a> 10 0d 00 04 'MQTT' 04 02 00 02 00 01 'x'\na< 20 02 00 00\n+2000\na> 30 04 00\n+100\n+2000\na> 01 'a' 'm'\na." },
        { "MQTT-3.1.2-24: 0 is for ever", "a 4 x\n+86400000\na." },
        { "MQTT-3.12.4-1: PINGREQ", "a 4 x\na> c0 00\na< d0 00\na> c0 00 c0 00\na< d0 00 d0 00" },
    };
    mqtt_play(CASES(cases));
}

static void publish_is_passed_on_as_it_should__MQTT_3_3(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.3.1-1, MQTT-3.3.1-3: DUP goes no further", "a 4 x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na> 3a 06 00 01 'a' 00 09 'm'\na< 32 06 00 01 'a' 00 01 'm' 40 02 00 09" },
        { "MQTT-3.3.1-2: DUP with QoS 0", "a 4 x\na> 38 04 00 01 'a' 'm'\na!" },
        { "MQTT-3.3.1-4: both bits of QoS", "a 4 x\na> 36 06 00 01 'a' 00 01 'm'\na!" },
        { "MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8: the last retained message, with its QoS",
          "a 4 x\na> 31 04 00 01 'a' '1' 33 06 00 01 'a' 00 01 '2'\na< 40 02 00 01\na> 82 06 00 02 00 01 'a' 02\na< 90 03 00 02 02 33 06 00 01 'a' 00 01 '2'" },
        { "MQTT-3.3.1-7: a retained message of QoS 0 replaces one of QoS 1",
          "a 4 x\na> 33 06 00 01 'a' 00 01 '1' 31 04 00 01 'a' '2'\na< 40 02 00 01\na> 82 06 00 02 00 01 'a' 02\na< 90 03 00 02 02 31 04 00 01 'a' '2'" },
        { "MQTT-3.3.1-9: for who has subscribed it is an ordinary one", "a 4 x\na> 82 06 00 01 00 01 'a' 00\na< 90 03 00 01 00\na> 31 04 00 01 'a' 'm'\na< 30 04 00 01 'a' 'm'" },
        { "MQTT-3.3.1-10, MQTT-3.3.1-11: an empty one removes it, is passed on and not kept",
          "a 4 x\nb 4 y\nb> 82 06 00 01 00 01 'a' 00\nb< 90 03 00 01 00\na> 31 04 00 01 'a' 'm' 31 03 00 01 'a'\nb< 30 04 00 01 'a' 'm' 30 03 00 01 'a'\n"
          "a> 82 06 00 02 00 01 'a' 00\na< 90 03 00 02 00\na." },
        { "MQTT-3.3.1-12: one that is not retained leaves what is", "a 4 x\na> 31 04 00 01 'a' '1' 30 04 00 01 'a' '2' 30 03 00 01 'a'\na> 82 06 00 02 00 01 'a' 00\na< 90 03 00 02 00 31 04 00 01 'a' '1'" },
        { "MQTT-3.3.2-2: '+' in a topic", "a 4 x\na> 30 05 00 03 'a/+'\na!" },
        { "MQTT-3.3.2-2: '#' in a topic", "a 4 x\na> 30 03 00 01 '#'\na!" },
        { "MQTT-4.7.3-1: an empty topic", "a 4 x\na> 30 02 00 00\na!" },
        { "MQTT-3.3.2-3: the topic is passed on as it is", "a 4 x\na> 82 06 00 01 00 01 '#' 00\na< 90 03 00 01 00\na> 30 08 00 06 '/A//b/'\na< 30 08 00 06 '/A//b/'" },
        { "MQTT-3.3.5-1, MQTT-3.3.5-2: overlapping subscriptions, the highest QoS",
          "a 4 x\na> 82 0c 00 01 00 01 '#' 01 00 03 'a/+' 02\na< 90 04 00 01 01 02\na> 34 08 00 03 'a/b' 00 05 'm'\na< 34 08 00 03 'a/b' 00 01 'm' 50 02 00 05" },
    };
    mqtt_play(CASES(cases));
}

static void subscriptions_are_answered_and_kept_to__MQTT_3_8_MQTT_3_9_MQTT_3_10(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-3.8.3-1: a filter that is not UTF-8", "a 4 x\na> 82 06 00 01 00 01 ff 00\na!" },
        { "MQTT-3.8.3-3: without a filter", "a 4 x\na> 82 02 00 01\na!" },
        { "MQTT-3.8.3-4: QoS 3", "a 4 x\na> 82 06 00 01 00 01 'a' 03\na!" },
        { "MQTT-3.8.3-4: a reserved bit of the QoS", "a 4 x\na> 82 06 00 01 00 01 'a' 80\na!" },
        { "MQTT-3.8.4-1, MQTT-3.8.4-4, MQTT-3.8.4-5, MQTT-3.9.3-1, MQTT-3.9.3-2: many filters, one answer",
          "a 4 x\na> 82 0e 00 0a 00 01 'a' 02 00 01 'b' 00 00 01 'c' 01\na< 90 05 00 0a 02 00 01" },
        { "MQTT-3.8.4-3: the same filter again: the new QoS, and the retained messages once more",
          "a 4 x\na> 31 04 00 01 'a' 'r'\na> 82 06 00 01 00 01 'a' 00\na< 90 03 00 01 00 31 04 00 01 'a' 'r'\n"
          "a> 82 06 00 02 00 01 'a' 01\na< 90 03 00 02 01 31 04 00 01 'a' 'r'\na> 32 06 00 01 'a' 00 07 'm'\na< 32 06 00 01 'a' 00 01 'm' 40 02 00 07" },
        { "MQTT-3.8.4-6: QoS 2 to a subscriber of QoS 1", "a 4 x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na> 34 06 00 01 'a' 00 07 'm'\na< 32 06 00 01 'a' 00 01 'm' 50 02 00 07" },
        { "MQTT-3.8.4-6: QoS 1 to a subscriber of QoS 2", "a 4 x\na> 82 06 00 01 00 01 'a' 02\na< 90 03 00 01 02\na> 32 06 00 01 'a' 00 07 'm'\na< 32 06 00 01 'a' 00 01 'm' 40 02 00 07" },
        { "MQTT-3.10.3-1: an UNSUBSCRIBE that is not UTF-8", "a 4 x\na> a2 05 00 01 00 01 ff\na!" },
        { "MQTT-3.10.3-2: without a filter", "a 4 x\na> a2 02 00 01\na!" },
        { "MQTT-3.10.4-1: only the very same filter", "a 4 x\na> 82 08 00 01 00 03 'a/b' 00\na< 90 03 00 01 00\na> a2 07 00 02 00 03 'a/+'\na< b0 02 00 02\na> 30 06 00 03 'a/b' 'm'\na< 30 06 00 03 'a/b' 'm'" },
        { "MQTT-3.10.4-2: no new messages", "a 4 x\na> 82 06 00 01 00 01 'a' 00\na< 90 03 00 01 00\na> a2 05 00 02 00 01 'a'\na< b0 02 00 02\na> 30 04 00 01 'a' 'm'\na." },
        { "MQTT-3.10.4-3: what has begun is completed",
          "a 4 x\na> 82 06 00 01 00 01 'a' 02\na< 90 03 00 01 02\na> 34 06 00 01 'a' 00 07 'm'\na< 34 06 00 01 'a' 00 01 'm' 50 02 00 07\n"
          "a> a2 05 00 02 00 01 'a'\na< b0 02 00 02\na> 50 02 00 01\na< 62 02 00 01\na> 70 02 00 01\na." },
        { "MQTT-3.10.4-5: answered without a subscription", "a 4 x\na> a2 05 00 02 00 01 'a'\na< b0 02 00 02" },
        { "MQTT-3.10.4-6: many filters, one answer", "a 4 x\na> 82 0a 00 01 00 01 'a' 00 00 01 'b' 00\na< 90 04 00 01 00 00\na> a2 08 00 02 00 01 'a' 00 01 'b'\na< b0 02 00 02\na> 30 03 00 01 'b'\na." },
    };
    mqtt_play(CASES(cases));
}

static void quality_of_service_is_kept__MQTT_4_3_MQTT_4_4_MQTT_4_6(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-4.3.3-2: a repeated QoS 2 message is taken once",
          "a 4 x\nb 4 y\nb> 82 06 00 01 00 01 'a' 00\nb< 90 03 00 01 00\na> 34 06 00 01 'a' 00 07 'm' 3c 06 00 01 'a' 00 07 'm'\na< 50 02 00 07 50 02 00 07\n"
          "b< 30 04 00 01 'a' 'm'\nb.\na> 62 02 00 07\na< 70 02 00 07\na> 34 06 00 01 'a' 00 07 'n'\na< 50 02 00 07\nb< 30 04 00 01 'a' 'n'" },
        { "MQTT-4.3.3-2: into a twin, both before the commit", "a 4 x\na> 34 24 00 15 'gemel/pump1/telemetry' 00 07 '{\"count\":1}' 3c 24 00 15 'gemel/pump1/telemetry' 00 07 '{\"count\":1}' c0 00\na< d0 00 50 02 00 07 50 02 00 07\na." },
        { "MQTT-4.3.3-2: PUBREL of nothing is answered", "a 4 x\na> 62 02 00 63\na< 70 02 00 63" },
        { "MQTT-4.3.3-1: PUBREC of nothing is answered", "a 4 x\na> 50 02 00 63\na< 62 02 00 63" },
        { "MQTT-4.3.3-1: PUBREL again after a new connection",
          "a 4+ x\na> 82 06 00 01 00 01 'a' 02\na< 90 03 00 01 02\nb 4 y\nb> 34 06 00 01 'a' 00 07 'm'\nb< 50 02 00 07\na< 34 06 00 01 'a' 00 01 'm'\n"
          "a> 50 02 00 01\na< 62 02 00 01\na-\na 4* x\na< 62 02 00 01\na> 70 02 00 01\na.\na-\na 4* x\na." },
        { "MQTT-4.4.0-1, MQTT-3.3.1-1: what was not acknowledged is sent again, with DUP",
          "a 4+ x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\nb 4 y\nb> 32 06 00 01 'a' 00 07 'm'\nb< 40 02 00 07\na< 32 06 00 01 'a' 00 01 'm'\na-\n"
          "a 4* x\na< 3a 06 00 01 'a' 00 01 'm'\na> 40 02 00 01\na.\na-\na 4* x\na." },
        { "MQTT-4.4.0-1: not on the same connection", "a 4 x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\na> 32 06 00 01 'a' 00 07 'm'\na< 32 06 00 01 'a' 00 01 'm' 40 02 00 07\n+600000\na." },
        { "MQTT-4.5.0-1, MQTT-4.6.0-1, MQTT-4.6.0-5: in their order",
          "a 4+ x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\nb 4 y\nb> 32 06 00 01 'a' 00 07 '1' 32 06 00 01 'a' 00 08 '2' 32 06 00 01 'a' 00 09 '3'\n"
          "b< 40 02 00 07 40 02 00 08 40 02 00 09\na< 32 06 00 01 'a' 00 01 '1' 32 06 00 01 'a' 00 02 '2' 32 06 00 01 'a' 00 03 '3'\na> 40 02 00 02\na.\na-\n"
          "a 4* x\na< 3a 06 00 01 'a' 00 01 '1' 3a 06 00 01 'a' 00 03 '3'" },
        { "MQTT-4.6.0-2, MQTT-4.6.0-3: answers in the order of the messages",
          "a 4 x\na> 32 24 00 15 'gemel/pump1/telemetry' 00 07 '{\"count\":1}' 32 05 00 01 'a' 00 08 34 05 00 01 'a' 00 09\na< 40 02 00 07 40 02 00 08 50 02 00 09" },
        { "MQTT-4.6.0-4: PUBRELs in the order of the PUBRECs",
          "a 4 x\na> 82 06 00 01 00 01 'a' 02\na< 90 03 00 01 02\nb 4 y\nb> 34 05 00 01 'a' 00 07 34 05 00 01 'a' 00 08\nb< 50 02 00 07 50 02 00 08\n"
          "a< 34 05 00 01 'a' 00 01 34 05 00 01 'a' 00 02\na> 50 02 00 02 50 02 00 01\na< 62 02 00 02 62 02 00 01" },
        { "MQTT-4.3.2-2: acknowledged means kept", "a 4+ x\na> 82 06 00 01 00 01 'a' 01\na< 90 03 00 01 01\nb 4 y\na-\nb> 32 06 00 01 'a' 00 07 'm'\nb< 40 02 00 07\nkill\na 4* x\na< 32 06 00 01 'a' 00 01 'm'" },
    };
    mqtt_play(CASES(cases));
}

#define FILTER(filter, n, m) "a 4 x\na> 82 " m " 00 01 00 " n " '" filter "' 00\na< 90 03 00 01 00\n"

static void topics_match_their_filters__MQTT_4_7(void **state)
{
    (void)state;
    static const mqtt_case cases[] = {
        { "MQTT-4.7.1-1: '#' alone", FILTER("#", "01", "06") "a> 30 05 00 03 'a/b'\na< 30 05 00 03 'a/b'" },
        { "MQTT-4.7.1-2: 'a/#' is also 'a'", FILTER("a/#", "03", "08") "a> 30 03 00 01 'a' 30 06 00 04 'a/b/' 30 04 00 02 'ab'\na< 30 03 00 01 'a' 30 06 00 04 'a/b/'\na." },
        { "MQTT-4.7.1-2: 'a#'", "a 4 x\na> 82 07 00 01 00 02 'a#' 00\na!" },
        { "MQTT-4.7.1-2: '#/a'", "a 4 x\na> 82 08 00 01 00 03 '#/a' 00\na!" },
        { "MQTT-4.7.1-3: '+' is one level", FILTER("+/b", "03", "08") "a> 30 05 00 03 'a/b' 30 04 00 02 '/b' 30 07 00 05 'a/a/b'\na< 30 05 00 03 'a/b' 30 04 00 02 '/b'\na." },
        { "MQTT-4.7.1-3: '/+' and '/finance'", FILTER("/+", "02", "07") "a> 30 0a 00 08 '/finance' 30 09 00 07 'finance'\na< 30 0a 00 08 '/finance'\na." },
        { "MQTT-4.7.1-3: 'a+'", "a 4 x\na> 82 07 00 01 00 02 'a+' 00\na!" },
        { "MQTT-4.7.1-3: '+a'", "a 4 x\na> 82 07 00 01 00 02 '+a' 00\na!" },
        { "MQTT-4.7.2-1: '#' and '$SYS/a'", FILTER("#", "01", "06") "a> 30 08 00 06 '$SYS/a'\na." },
        { "MQTT-4.7.2-1: '+/a' and '$SYS/a'", FILTER("+/a", "03", "08") "a> 30 08 00 06 '$SYS/a'\na." },
        { "MQTT-4.7.2-1: '$SYS/#' and '$SYS/a'", FILTER("$SYS/#", "06", "0b") "a> 30 08 00 06 '$SYS/a'\na< 30 08 00 06 '$SYS/a'" },
        { "MQTT-4.7.2-1: retained ones, too", "a 4 x\na> 31 09 00 06 '$SYS/a' 'm'\na> 82 06 00 01 00 01 '#' 00\na< 90 03 00 01 00\na." },
        { "MQTT-4.7.3-1: an empty filter", "a 4 x\na> 82 05 00 01 00 00 00\na!" },
        { "MQTT-4.7.3-4: 'A' is not 'a'", FILTER("A", "01", "06") "a> 30 03 00 01 'a'\na." },
        { "MQTT-4.7.3-4: spaces count", FILTER("a b", "03", "08") "a> 30 05 00 03 'a b' 30 04 00 02 'ab'\na< 30 05 00 03 'a b'\na." },
        { "4.7: a shared subscription, as brokers give it to 3.1.1", FILTER("$share/g/a", "0a", "0f")
          "b 4 y\nb> 82 0f 00 01 00 0a '$share/g/a' 00\nb< 90 03 00 01 00\na> 30 04 00 01 'a' '1' 30 04 00 01 'a' '2'\na< 30 04 00 01 'a' '2'\nb< 30 04 00 01 'a' '1'\na.\nb." },
    };
    mqtt_play(CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_utf8__MQTT_1_5_3),
        cmocka_unit_test(fixed_headers_have_their_flags_and_a_length_of_four_bytes__MQTT_2_2_2_2_MQTT_4_8_0_1),
        cmocka_unit_test(packet_identifiers_are_not_0_and_come_back__MQTT_2_3_1),
        cmocka_unit_test(connect_is_checked_field_by_field__MQTT_3_1),
        cmocka_unit_test(sessions_are_kept_or_not__MQTT_3_1_2_4_MQTT_3_2_2),
        cmocka_unit_test(wills_are_published_when_they_should_be__MQTT_3_1_2_8_to_17),
        cmocka_unit_test(keep_alive_is_one_and_a_half_times_itself__MQTT_3_1_2_24_MQTT_3_12_4_1),
        cmocka_unit_test(publish_is_passed_on_as_it_should__MQTT_3_3),
        cmocka_unit_test(subscriptions_are_answered_and_kept_to__MQTT_3_8_MQTT_3_9_MQTT_3_10),
        cmocka_unit_test(quality_of_service_is_kept__MQTT_4_3_MQTT_4_4_MQTT_4_6),
        cmocka_unit_test(topics_match_their_filters__MQTT_4_7),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
