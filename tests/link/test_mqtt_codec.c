#include "link/mqtt_codec.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

// Bytes from hexadecimal digits and 'texts'.
static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') continue;
        if (*hex == '\'') {
            for (hex++; *hex != '\''; hex++) out[n++] = (uint8_t)*hex;
            continue;
        }
        char pair[3] = { hex[0], hex[1], 0 };
        out[n++]     = (uint8_t)strtoul(pair, NULL, 16);
        hex++;
    }
    return n;
}

// Reads one packet with whatever reader it needs. rule NULL: it is well-formed.
static gm_mqtt_fault read_packet(const uint8_t *bytes, size_t n, uint8_t version)
{
    gm_mqtt_frame frame;
    gm_mqtt_fault fault = { 0 };
    // An exact copy on the heap, so that the address sanitizer sees a read past the end.
    uint8_t *copy = malloc(n > 0 ? n : 1);
    memcpy(copy, bytes, n);
    gm_mqtt_sight sight = gm_mqtt_look(copy, n, 1 << 20, &frame, &fault);
    if (sight == GM_MQTT_MORE) fault = (gm_mqtt_fault){ "more", 0 };
    if (sight == GM_MQTT_WHOLE) {
        gm_mqtt_connect   connect;
        gm_mqtt_publish   publish;
        gm_mqtt_ack       ack;
        gm_mqtt_subscribe subscribe;
        gm_mqtt_notice    notice;
        switch (frame.type) {
        case GM_MQTT_CONNECT: fault = gm_mqtt_read_connect(frame.body, &connect); break;
        case GM_MQTT_PUBLISH: fault = gm_mqtt_read_publish(frame.flags, frame.body, version, &publish); break;
        case GM_MQTT_PUBACK:
        case GM_MQTT_PUBREC:
        case GM_MQTT_PUBREL:
        case GM_MQTT_PUBCOMP: fault = gm_mqtt_read_ack(frame.type, frame.body, version, &ack); break;
        case GM_MQTT_SUBSCRIBE:
        case GM_MQTT_UNSUBSCRIBE: fault = gm_mqtt_read_subscribe(frame.type, frame.body, version, &subscribe); break;
        case GM_MQTT_DISCONNECT:
        case GM_MQTT_AUTH: fault = gm_mqtt_read_notice(frame.type, frame.body, version, &notice); break;
        default: break;
        }
    }
    free(copy);
    return fault;
}

static void a_packet_that_breaks_a_rule_is_told_so_by_the_rules_number(void **state)
{
    (void)state;
    static const struct { uint8_t version; const char *hex, *rule; } cases[] = {
        // fixed header
        { 4, "00 00", "[MQTT-2.2.1]" },
        { 4, "11 00", "[MQTT-2.2.2-2]" },
        { 4, "c1 00", "[MQTT-2.2.2-2]" },
        { 4, "e2 00", "[MQTT-2.2.2-2]" },
        { 4, "41 02 00 01", "[MQTT-2.2.2-2]" },
        { 4, "60 02 00 01", "[MQTT-3.6.1-1]" },
        { 4, "80 06 00 01 00 01 'a' 00", "[MQTT-3.8.1-1]" },
        { 4, "a0 05 00 01 00 01 'a'", "[MQTT-3.10.1-1]" },
        { 4, "36 05 00 01 'a' 00 01", "[MQTT-3.3.1-4]" },
        { 4, "38 03 00 01 'a'", "[MQTT-3.3.1-2]" },
        { 4, "30 ff ff ff ff 01", "[MQTT-2.2.3]" },
        { 4, "30 ff ff ff 7f", "the packet is larger" },
        // CONNECT
        { 4, "10 0c 00 04 'MQTX' 04 02 00 3c 00 00", "[MQTT-3.1.2-1]" },
        { 4, "10 0c 00 04 'MQTT' 06 02 00 3c 00 00", "[MQTT-3.1.2-2]" },
        { 4, "10 0e 00 06 'MQIsdp' 03 02 00 3c 00 00", "[MQTT-3.1.2-2]" },
        { 4, "10 0c 00 04 'MQTT' 04 03 00 3c 00 00", "[MQTT-3.1.2-3]" },
        { 4, "10 0c 00 04 'MQTT' 04 0a 00 3c 00 00", "[MQTT-3.1.2-13]" },
        { 4, "10 0c 00 04 'MQTT' 04 22 00 3c 00 00", "[MQTT-3.1.2-15]" },
        { 4, "10 12 00 04 'MQTT' 04 1e 00 3c 00 00 00 01 'w' 00 01 'm'", "[MQTT-3.1.2-14]" },
        { 4, "10 0f 00 04 'MQTT' 04 42 00 3c 00 00 00 01 'p'", "[MQTT-3.1.2-22]" },
        { 4, "10 12 00 04 'MQTT' 04 06 00 3c 00 00 00 01 '#' 00 01 'm'", "[MQTT-3.3.2-2]" },
        { 4, "10 11 00 04 'MQTT' 04 06 00 3c 00 00 00 00 00 01 'm'", "[MQTT-4.7.3-1]" },
        { 4, "10 0d 00 04 'MQTT' 04 02 00 3c 00 00 00", "bytes are left over" },
        { 4, "10 0b 00 04 'MQTT' 04 02 00 3c 00", "the packet ends" },
        { 4, "10 0e 00 04 'MQTT' 04 02 00 3c 00 02 ff fe", "[MQTT-1.5.3-1]" },
        { 4, "10 0f 00 04 'MQTT' 04 02 00 3c 00 03 ed a0 80", "[MQTT-1.5.3-1]" },
        { 4, "10 0e 00 04 'MQTT' 04 02 00 3c 00 02 'a' 00", "[MQTT-1.5.3-2]" },
        { 5, "10 10 00 04 'MQTT' 05 02 00 3c 03 21 00 00 00 00", "a property that must not be 0" },
        { 5, "10 13 00 04 'MQTT' 05 02 00 3c 06 21 00 01 21 00 01 00 00", "a property stands twice" },
        { 5, "10 0f 00 04 'MQTT' 05 02 00 3c 02 17 02 00 00", "a property that is a yes or no" },
        { 5, "10 10 00 04 'MQTT' 05 02 00 3c 03 23 00 01 00 00", "a property stands in a packet" },
        { 5, "10 0f 00 04 'MQTT' 05 02 00 3c 02 7e 01 00 00", "a property has an unknown identifier" },
        { 5, "10 0f 00 04 'MQTT' 05 02 00 3c 09 17 01 00 00", "the properties are longer" },
        { 5, "10 10 00 04 'MQTT' 05 02 00 3c 03 16 00 00 00 00", "[MQTT5-3.1.2.11.10]" },
        // PUBLISH
        { 4, "30 03 00 01 '#'", "[MQTT-3.3.2-2]" },
        { 4, "30 05 00 03 'a/+'", "[MQTT-3.3.2-2]" },
        { 4, "30 02 00 00", "[MQTT-4.7.3-1]" },
        { 4, "30 04 00 02 'a' 00", "[MQTT-1.5.3-2]" },
        { 4, "30 04 00 02 c3 28", "[MQTT-1.5.3-1]" },
        { 4, "30 01 00", "the packet ends" },
        { 4, "30 03 00 05 'a'", "the packet ends" },
        { 4, "32 05 00 01 'a' 00 00", "[MQTT-2.3.1-1]" },
        { 4, "32 04 00 01 'a' 00", "the packet ends" },
        { 5, "30 03 00 00 00", "[MQTT5-3.3.2-8]" },
        { 5, "30 07 00 01 'a' 03 23 00 00", "[MQTT5-3.3.2-8]" },
        { 5, "30 08 00 01 'a' 04 08 00 01 '#'", "[MQTT5-3.3.2-14]" },
        // acknowledgements
        { 4, "40 02 00 00", "[MQTT-2.3.1-1]" },
        { 4, "40 03 00 01 00", "bytes are left over" },
        { 4, "40 01 00", "the packet ends" },
        // SUBSCRIBE, UNSUBSCRIBE
        { 4, "82 02 00 01", "[MQTT-3.8.3-3]" },
        { 4, "82 06 00 00 00 01 'a' 00", "[MQTT-2.3.1-1]" },
        { 4, "82 06 00 01 00 01 'a' 03", "[MQTT-3.8.3-4]" },
        { 4, "82 06 00 01 00 01 'a' 04", "[MQTT-3.8.3-4]" },
        { 4, "82 05 00 01 00 01 'a'", "the packet ends" },
        { 4, "82 05 00 01 00 00 00", "[MQTT-4.7.3-1]" },
        { 4, "82 07 00 01 00 02 'a#' 00", "[MQTT-4.7.1-2]" },
        { 4, "82 08 00 01 00 03 '#/a' 00", "[MQTT-4.7.1-2]" },
        { 4, "82 07 00 01 00 02 'a+' 00", "[MQTT-4.7.1-3]" },
        { 4, "82 08 00 01 00 03 '+a/' 00", "[MQTT-4.7.1-3]" },
        { 4, "a2 02 00 01", "[MQTT-3.10.3-2]" },
        { 5, "82 07 00 01 00 00 01 'a' c0", "[MQTT5-3.8.3-5]" },
        { 5, "82 07 00 01 00 00 01 'a' 30", "[MQTT5-3.8.3.1]" },
        { 5, "82 10 00 01 00 00 0a '$share/g/a' 04", "[MQTT5-3.8.3-4]" },
        { 5, "82 0e 00 01 00 00 08 '$share/g' 00", "[MQTT5-4.8.2-1]" },
        { 5, "82 10 00 01 00 00 0a '$share/+/a' 00", "[MQTT5-4.8.2-2]" },
        { 5, "82 09 00 01 02 0b 00 00 01 'a' 00", "a property that must not be 0" },
        // DISCONNECT
        { 4, "e0 01 00", "bytes are left over" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t       bytes[256];
        size_t        n     = unhex(cases[i].hex, bytes);
        gm_mqtt_fault fault = read_packet(bytes, n, cases[i].version);
        if (fault.rule == NULL || strncmp(fault.rule, cases[i].rule, strlen(cases[i].rule)) != 0) {
            fail_msg("%s: %s, expected %s", cases[i].hex, fault.rule != NULL ? fault.rule : "accepted", cases[i].rule);
        }
    }
}

static void packets_within_the_rules_are_read(void **state)
{
    (void)state;
    static const struct { uint8_t version; const char *hex;
    } cases[] = {
        { 4, "10 0c 00 04 'MQTT' 04 02 00 3c 00 00" },
        { 4, "10 0f 00 04 'MQTT' 04 02 00 3c 00 03 ef bb bf" },     // a byte order mark is a character like others
                                                                    // [MQTT-1.5.3-3]
        { 5, "10 10 00 04 'MQTT' 05 42 00 3c 00 00 00 00 01 'p'" }, // version 5: a password alone is allowed
        { 4, "30 03 00 01 'a'" },
        { 4, "3a 05 00 01 'a' 00 01" },
        { 4, "30 03 00 01 '/'" },
        { 5, "30 06 00 00 03 23 00 01" },
        { 5, "30 0b 00 01 'a' 07 26 00 01 'k' 00 01 'v'" },
        { 4, "82 0a 00 01 00 01 '#' 00 00 01 '+' 02" },
        { 4, "82 0d 00 01 00 08 '$share/g' 00" }, // only version 5 gives "$share" a meaning
        { 5, "82 10 00 01 00 00 0a '$share/g/a' 2a" },
        { 5, "40 03 00 01 10" },
        { 5, "40 04 00 01 10 00" },
        { 5, "e0 00" },
        { 5, "e0 07 04 05 11 00 00 00 05" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t       bytes[256];
        size_t        n     = unhex(cases[i].hex, bytes);
        gm_mqtt_fault fault = read_packet(bytes, n, cases[i].version);
        if (fault.rule != NULL) fail_msg("%s: %s", cases[i].hex, fault.rule);
        // And no shorter piece of it is taken for whole or crashes.
        for (size_t part = 0; part < n; part++) assert_non_null(read_packet(bytes, part, cases[i].version).rule);
    }
}

// ---- properties -----------------------------------------------------------------------------------------------------
static gm_str random_text(uint64_t *random, char *out, size_t most)
{
    size_t len = gm_test_random(random) % most;
    for (size_t i = 0; i < len; i++) out[i] = "abcdefgh/xyz0123"[gm_test_random(random) % 16];
    return (gm_str){ out, len };
}

static void a_publish_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    gm_buf   out    = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < 20000; i++) {
        char     topic[64], payload[400], content[20];
        uint8_t  version = gm_test_random(&random) % 2 == 0 ? 4 : 5;
        uint32_t id      = 1 + (uint32_t)(gm_test_random(&random) % 268435455);
        gm_mqtt_outgoing o       = { .topic   = random_text(&random, topic + 1, 60),
                                     .payload = random_text(&random, payload, 400),
                                     .qos     = (uint8_t)(gm_test_random(&random) % 3),
                                     .retain  = gm_test_random(&random) % 2 };
        topic[0] = 't';
        o.topic  = (gm_str){ topic, o.topic.len + 1 };
        if (o.qos > 0) {
            o.packet_id = (uint16_t)(1 + gm_test_random(&random) % 65535);
            o.dup       = gm_test_random(&random) % 2;
        }
        uint8_t block[64];
        size_t  len = 0;
        if (version == 5 && gm_test_random(&random) % 2) {
            gm_str type  = random_text(&random, content, 20);
            block[len++] = GM_MQTT_CONTENT_TYPE;
            block[len++] = 0;
            block[len++] = (uint8_t)type.len;
            memcpy(block + len, type.ptr, type.len);
            len += type.len;
            o.properties            = (gm_str){ (char *)block, len };
            o.has_expiry            = true;
            o.expiry_s              = (uint32_t)gm_test_random(&random);
            o.subscription_ids      = &id;
            o.subscription_id_count = 1;
        }
        gm_buf_clear(&out);
        gm_mqtt_write_publish(&out, version, &o);
        assert_int_equal(out.len, gm_mqtt_publish_size(version, &o));
        gm_mqtt_frame   frame;
        gm_mqtt_fault   fault;
        gm_mqtt_publish p;
        assert_int_equal(gm_mqtt_look(out.ptr, out.len, 1 << 20, &frame, &fault), GM_MQTT_WHOLE);
        assert_int_equal(frame.size, out.len);
        fault = gm_mqtt_read_publish(frame.flags, frame.body, version, &p);
        if (fault.rule != NULL) fail_msg("%s", fault.rule);
        assert_true(gm_str_eq(p.topic, o.topic) && gm_str_eq(p.payload, o.payload));
        assert_true(p.qos == o.qos && p.retain == o.retain && p.dup == o.dup && p.packet_id == o.packet_id);
        assert_int_equal(gm_mqtt_has(&p.properties, GM_MQTT_MESSAGE_EXPIRY), o.has_expiry);
        if (!o.has_expiry) continue;
        assert_int_equal(p.properties.number[GM_MQTT_MESSAGE_EXPIRY], o.expiry_s);
        assert_int_equal(p.properties.number[GM_MQTT_SUBSCRIPTION_ID], id);
        // What goes on to the next subscriber is what was forwarded before.
        uint8_t again[128];
        assert_int_equal(gm_mqtt_forwarded_properties(p.properties.block, again), len);
        assert_memory_equal(again, block, len);
    }
    gm_buf_finish(&out);
}

static void a_connect_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    gm_buf   out    = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < 20000; i++) {
        char            texts[5][40];
        uint64_t        dice = gm_test_random(&random);
        gm_mqtt_connect c    = { .level        = dice & 1 ? 5 : 4,
                                 .clean        = dice & 2,
                                 .has_will     = dice & 4,
                                 .has_username = dice & 8,
                                 .keep_alive_s = (uint16_t)(dice >> 16),
                                 .client_id    = random_text(&random, texts[0], 40) };
        c.has_password = c.has_username && (dice & 16);
        if (c.has_will) {
            c.will_topic   = random_text(&random, texts[1], 39);
            c.will_topic   = c.will_topic.len == 0 ? GM_STR("w") : c.will_topic;
            c.will_payload = random_text(&random, texts[2], 40);
            c.will_qos     = (uint8_t)(dice >> 8 & 1) + (uint8_t)(dice >> 9 & 1);
            c.will_retain  = dice & 32;
        }
        if (c.has_username) c.username = random_text(&random, texts[3], 40);
        if (c.has_password) c.password = random_text(&random, texts[4], 40);
        c.properties.block = c.will_properties.block = (gm_str){ "", 0 };
        if (c.level == 5 && (dice & 64)) {
            gm_mqtt_set_number(&c.properties, GM_MQTT_SESSION_EXPIRY, (uint32_t)(dice >> 32));
            gm_mqtt_set_number(&c.properties, GM_MQTT_RECEIVE_MAXIMUM, 1 + (uint32_t)(dice >> 49));
        }
        if (c.level == 5 && c.has_will) gm_mqtt_set_number(&c.will_properties, GM_MQTT_WILL_DELAY, 77);
        gm_buf_clear(&out);
        gm_mqtt_write_connect(&out, &c);
        gm_mqtt_frame   frame;
        gm_mqtt_connect back;
        gm_mqtt_fault   fault;
        assert_int_equal(gm_mqtt_look(out.ptr, out.len, 1 << 20, &frame, &fault), GM_MQTT_WHOLE);
        fault = gm_mqtt_read_connect(frame.body, &back);
        if (fault.rule != NULL) fail_msg("%s", fault.rule);
        assert_true(back.level == c.level && back.clean == c.clean && back.keep_alive_s == c.keep_alive_s);
        assert_true(gm_str_eq(back.client_id, c.client_id) && gm_str_eq(back.username, c.username) &&
                    gm_str_eq(back.password, c.password));
        assert_true(gm_str_eq(back.will_topic, c.will_topic) && gm_str_eq(back.will_payload, c.will_payload));
        assert_true(back.has_will == c.has_will && back.will_qos == c.will_qos && back.will_retain == c.will_retain);
        assert_int_equal(back.properties.present, c.properties.present);
        assert_int_equal(back.will_properties.present, c.will_properties.present);
        if (c.properties.present != 0)
            assert_int_equal(back.properties.number[GM_MQTT_SESSION_EXPIRY],
                             c.properties.number[GM_MQTT_SESSION_EXPIRY]);
    }
    gm_buf_finish(&out);
}

static void subscribe_and_its_filters_read_back_as_written(void **state)
{
    (void)state;
    gm_buf               out       = gm_buf_init(gm_alloc_system());
    const gm_mqtt_filter filters[] = { { GM_STR("a/+/b"), 2, true, true, 1 }, { GM_STR("#"), 0, false, false, 2 } };
    gm_mqtt_write_subscribe(&out, 5, 77, 1234, filters, 2);
    gm_mqtt_frame     frame;
    gm_mqtt_fault     fault;
    gm_mqtt_subscribe s;
    assert_int_equal(gm_mqtt_look(out.ptr, out.len, 1 << 20, &frame, &fault), GM_MQTT_WHOLE);
    fault = gm_mqtt_read_subscribe(frame.type, frame.body, 5, &s);
    assert_null(fault.rule);
    assert_true(s.packet_id == 77 && s.subscription_id == 1234 && s.count == 2);
    gm_mqtt_filter f;
    for (size_t i = 0; i < 2; i++) {
        assert_true(gm_mqtt_next_filter(GM_MQTT_SUBSCRIBE, &s.filters, &f));
        assert_true(gm_str_eq(f.filter, filters[i].filter) && f.qos == filters[i].qos &&
                    f.no_local == filters[i].no_local);
        assert_true(f.retain_as_published == filters[i].retain_as_published &&
                    f.retain_handling == filters[i].retain_handling);
    }
    assert_false(gm_mqtt_next_filter(GM_MQTT_SUBSCRIBE, &s.filters, &f));
    gm_buf_finish(&out);
}

static void random_bytes_are_never_read_beyond_their_end(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 300000; i++) {
        uint8_t bytes[64];
        size_t  n = 2 + gm_test_random(&random) % 40;
        for (size_t k = 0; k < n; k++) bytes[k] = (uint8_t)gm_test_random(&random);
        if (i % 2) {  // more often something that begins well
            static const uint8_t starts[] = { 0x10, 0x30, 0x32, 0x34, 0x40, 0x62, 0x82, 0xa2, 0xe0, 0xf0 };
            bytes[0] = starts[gm_test_random(&random) % sizeof starts];
            bytes[1] = (uint8_t)(n - 2);
            bytes[2] = 0;
            bytes[3] %= 8;
        }
        (void)read_packet(bytes, n, i % 3 ? 4 : 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_that_breaks_a_rule_is_told_so_by_the_rules_number),
        cmocka_unit_test(packets_within_the_rules_are_read),
        cmocka_unit_test(a_publish_reads_back_as_it_was_written),
        cmocka_unit_test(a_connect_reads_back_as_it_was_written),
        cmocka_unit_test(subscribe_and_its_filters_read_back_as_written),
        cmocka_unit_test(random_bytes_are_never_read_beyond_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
