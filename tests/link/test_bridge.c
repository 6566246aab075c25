// A bridge to Debian's mosquitto, started on a free port. Skipped where it is not installed.
#include "link/bridge.h"
#include "link/mqtt_rig.h"
#include "support/temp_dir.h"

#include <arpa/inet.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct broker { char dir[256], config[300]; uint16_t port; pid_t pid; } broker;

static const char *program(void)
{
    static const char *const places[] = { "/usr/sbin/mosquitto", "/usr/bin/mosquitto" };
    for (size_t i = 0; i < 2; i++) {
        if (access(places[i], X_OK) == 0) return places[i];
    }
    return NULL;
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          n = sizeof a;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static void run_broker(broker *b)
{
    char *argv[] = { (char *)(uintptr_t)program(), (char *)(uintptr_t) "-c", b->config, NULL };
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
    assert_int_equal(posix_spawn(&b->pid, argv[0], &quiet, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
}

static void stop_broker(broker *b)
{
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
}

static void make_broker(broker *b)
{
    gm_test_make_dir(b->dir, sizeof b->dir);
    b->port = free_port();
    snprintf(b->config, sizeof b->config, "%s/m.conf", b->dir);
    FILE *f = fopen(b->config, "w");
    assert_non_null(f);
    fprintf(f, "listener %u 127.0.0.1\nallow_anonymous true\n", b->port);
    fclose(f);
    run_broker(b);
}

// Publishes on the other broker with its own tool.
static void publish_there(const broker *b, const char *topic, const char *payload)
{
    char command[400];
    snprintf(command, sizeof command, "mosquitto_pub -h 127.0.0.1 -p %u -q 1 -t '%s' -m '%s'", b->port, topic, payload);
    assert_int_equal(system(command), 0);
}

static void tick(void *context) { *(bool *)context = true; }

static void wait_connected(rig *r, gm_bridge *b, uint64_t connections)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 20 * GM_SECOND;
    while (gm_bridge_statistics(b).connections < connections && gm_monotonic(gm_clock_system()) < deadline) {
        bool      fired = false;
        gm_timer *timer;
        gm_error  err;
        assert_gm_ok(gm_loop_after(r->loop, 10 * GM_MILLISECOND, tick, &fired, &timer, &err), err);
        while (!fired) rig_turn(r);
    }
    assert_true(gm_bridge_statistics(b).connections >= connections);
}

static void messages_cross_the_bridge_in_both_directions_and_not_back(void **state)
{
    (void)state;
    if (program() == NULL || system("command -v mosquitto_pub > /dev/null") != 0) {
        print_message("mosquitto is not installed\n");
        skip();
    }
    broker   there;
    gm_error err;
    make_broker(&there);
    rig *r = rig_make();
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", there.port);
    gm_bridge_options o = { .alloc = gm_alloc_system(), .loop = r->loop, .server = r->server, .name = GM_STR("north"),
                            .address = gm_str_of(address), .subscribe = GM_STR("gemel/+/telemetry line/#"), .publish = GM_STR("line/# out/+"),
                            .in = GM_STR(""), .out = GM_STR("site/"), .qos = 1 };
    gm_bridge *b;
    assert_gm_ok(gm_bridge_create(&o, &b, &err), err);
    wait_connected(r, b, 1);
    rig_client c = rig_connect(r, "c", 4);
    rig_subscribe(&c, "#", 1);
    // In: to subscribers, and into a twin. The subscription there may not have been granted yet, so one is tried until it
    // comes.
    for (int i = 0; i < 100 && gm_bridge_statistics(b).received == 0; i++) {
        publish_there(&there, "line/first", "hello");
        bool      fired = false;
        gm_timer *timer;
        assert_gm_ok(gm_loop_after(r->loop, 50 * GM_MILLISECOND, tick, &fired, &timer, &err), err);
        while (!fired) rig_turn(r);
    }
    (void)rig_expect_publish(&c, "line/first", "hello", 1, false);
    publish_there(&there, "gemel/pump1/telemetry", "{\"flow\":4.5}");
    gm_mqtt_publish m = rig_expect_publish(&c, "gemel/pump1/telemetry", "{\"flow\":4.5}", 1, false);
    (void)m;
    assert_gm_ok(gm_engine_settle(r->engine, &err), err);
    assert_true(rig_value(r, "pump1", "flow") == 4.5);
    // Out, with its prefix; and what came in does not go out again.
    assert_int_equal(gm_bridge_statistics(b).sent, 0);
    rig_client p = rig_connect(r, "p", 4);
    rig_publish(&p, "out/x", "bye", 1, 1, false);
    rig_expect_ack(&p, GM_MQTT_PUBACK, 1);
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 10 * GM_SECOND;
    while (gm_bridge_statistics(b).sent == 0 && gm_monotonic(gm_clock_system()) < deadline) usleep(1000);
    assert_int_equal(gm_bridge_statistics(b).sent, 1);
    // The other broker is killed and comes back: so does the bridge.
    stop_broker(&there);
    run_broker(&there);
    wait_connected(r, b, 2);
    gm_bridge_destroy(b);
    rig_hang_up(&c);
    rig_hang_up(&p);
    rig_free(r);
    stop_broker(&there);
    gm_test_remove_dir(there.dir);
}

static void what_is_no_address_or_filter_is_refused(void **state)
{
    (void)state;
    rig       *r = rig_make();
    gm_bridge *b;
    gm_error   err;
    gm_bridge_options o = { .alloc = gm_alloc_system(), .loop = r->loop, .server = r->server, .name = GM_STR("x"),
                            .address = GM_STR("nowhere"), .subscribe = GM_STR("a/#"), .publish = GM_STR(""), .in = GM_STR(""),
                            .out = GM_STR("") };
    assert_int_equal(gm_bridge_create(&o, &b, &err), GM_INVALID);
    o.address   = GM_STR("127.0.0.1:1");
    o.subscribe = GM_STR("a/#/b");
    assert_int_equal(gm_bridge_create(&o, &b, &err), GM_INVALID);
    // Nobody is there: that is no error, it is tried again.
    o.subscribe = GM_STR("a/#");
    assert_gm_ok(gm_bridge_create(&o, &b, &err), err);
    assert_false(gm_bridge_statistics(b).connected);
    gm_bridge_destroy(b);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_cross_the_bridge_in_both_directions_and_not_back),
        cmocka_unit_test(what_is_no_address_or_filter_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
