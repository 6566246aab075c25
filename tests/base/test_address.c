#include "base/address.h"
#include "support/support.h"

#include <stdio.h>
#include <unistd.h>

static void an_address_is_opened_or_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; } cases[] = {
        { "127.0.0.1:0", GM_OK },
        { "localhost:0", GM_OK },
        { ":0", GM_OK },
        { "127.0.0.1", GM_INVALID },
        { "127.0.0.1:", GM_INVALID },
        { "127.0.0.1:65536", GM_INVALID },
        { "127.0.0.1:http", GM_INVALID },
        { "127.0.0.1:-1", GM_INVALID },
        { "256.0.0.1:0", GM_INVALID },
        { "", GM_INVALID },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int       fd   = -1;
        uint16_t  port = 0;
        gm_error  err  = { 0 };
        gm_status st   = gm_listen(gm_str_of(cases[i].text), 4, &fd, &port, &err);
        if (st != cases[i].st) fail_msg("'%s': status %d (%s)", cases[i].text, (int)st, err.text);
        if (st == GM_OK) {
            assert_int_not_equal(port, 0);
            close(fd);
        } else {
            assert_true(err.text[0] != '\0');
        }
    }
}

static void a_taken_port_is_refused_by_the_system(void **state)
{
    (void)state;
    int      first, second;
    uint16_t port, same;
    gm_error err = { 0 };
    assert_gm_ok(gm_listen(GM_STR("127.0.0.1:0"), 4, &first, &port, &err), err);
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    assert_int_equal(gm_listen(gm_str_of(text), 4, &second, &same, &err), GM_IO);
    close(first);
}

static void only_loopback_addresses_are_loopback(void **state)
{
    (void)state;
    assert_true(gm_address_is_loopback(GM_STR("127.0.0.1:80")));
    assert_true(gm_address_is_loopback(GM_STR("127.8.9.1:80")));
    assert_true(gm_address_is_loopback(GM_STR("[::1]:80")));
    assert_false(gm_address_is_loopback(GM_STR("0.0.0.0:80")));
    assert_false(gm_address_is_loopback(GM_STR(":80")));
    assert_false(gm_address_is_loopback(GM_STR("10.0.0.1:80")));
    assert_false(gm_address_is_loopback(GM_STR("nonsense")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_opened_or_refused_with_a_reason),
        cmocka_unit_test(a_taken_port_is_refused_by_the_system),
        cmocka_unit_test(only_loopback_addresses_are_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
