#include "cli/machine.h"

#include "support/files.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

typedef struct fixture { char root[256]; gm_machine *machine; } fixture;

static void put(const fixture *f, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", f->root, path);
    gm_test_write_file(full, gm_str_of(text));
}

// A small machine: two cores, one disk with a partition, a network interface, a chip with two sensors.
static int set_up(void **state)
{
    static fixture f;
    gm_test_make_dir(f.root, sizeof f.root);
    put(&f, "proc/stat",
        "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\nintr 1\n");
    put(&f, "proc/loadavg", "0.52 0.58 0.59 3/712 31337\n");
    put(&f, "proc/uptime", "8105.06 31905.80\n");
    put(&f, "proc/sys/kernel/hostname", "press-pc\n");
    put(&f, "proc/sys/kernel/osrelease", "6.1.0\n");
    put(&f, "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Test CPU @ 3\ncpu MHz\t\t: 2400.5\n\nprocessor\t: 1\nmodel name\t: Test CPU @ "
        "3\ncpu MHz\t\t: 800\n");
    put(&f, "proc/meminfo",
        "MemTotal:        2048 kB\nMemFree:  100 kB\nMemAvailable:    1024 kB\nCached:  512 kB\nSwapTotal: 1024 "
        "kB\nSwapFree: 256 kB\n");
    put(&f, "proc/pressure/cpu", "some avg10=1.25 avg60=0.50 avg300=0.10 total=1\n");
    put(&f, "proc/1/stat", "");
    put(&f, "proc/42/stat", "");
    put(&f, "proc/diskstats",
        "   8  0 sda 100 0 2000 10 50 0 1000 20 0 500 30\n   8  1 sda1 90 0 1 1 1 0 1 1 0 1 1\n   7  0 loop0 5 0 1 1 1 "
        "0 1 1 0 1 1\n");
    put(&f, "sys/block/sda/size", "4194304\n");
    put(&f, "proc/net/dev",
        "Inter-|   Receive  | Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes\n"
        "    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n  eth0: 1000 10 1 2 0 0 0 0 500 5 3 4 0 0 0 0\n");
    put(&f, "sys/class/hwmon/hwmon0/name", "coretemp\n");
    put(&f, "sys/class/hwmon/hwmon0/temp1_input", "45500\n");
    put(&f, "sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n");
    put(&f, "sys/class/hwmon/hwmon0/temp2_input", "-3000\n");
    gm_error err = { 0 };
    assert_gm_ok(gm_machine_open(gm_alloc_system(), f.root, &f.machine, &err), err);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_machine_close(f->machine);
    gm_test_remove_dir(f->root);
    return 0;
}

typedef struct parts { gm_part *const *items; size_t count; } parts;

static parts sample(const fixture *f, gm_dur_ns now)
{
    parts p;
    gm_machine_sample(f->machine, now, &p.items, &p.count);
    return p;
}

static void expect(parts p, const char *suffix, const char *properties, const char *values)
{
    for (size_t i = 0; i < p.count; i++) {
        if (strcmp(p.items[i]->suffix, suffix) != 0) continue;
        gm_str a = gm_buf_view(&p.items[i]->properties), b = gm_buf_view(&p.items[i]->values);
        if (properties != NULL && !gm_str_is(a, properties))
            fail_msg("%s: properties are " GM_STR_FMT, suffix, GM_STR_ARG(a));
        if (values != NULL && !gm_str_is(b, values)) fail_msg("%s: values are " GM_STR_FMT, suffix, GM_STR_ARG(b));
        return;
    }
    if (values != NULL) fail_msg("there is no part '%s'", suffix);
}

static void the_first_sample_has_levels_but_no_rates(void **state)
{
    parts p = sample(*state, GM_SECOND);
    expect(p, "", "\"hostName\":\"press-pc\",\"kernel\":\"6.1.0\",\"processor\":\"Test CPU @ 3\"",
           "\"load1\":0.52,\"load5\":0.58,\"load15\":0.59,\"threads\":712,\"processes\":2,\"uptime\":8105.06,"
           "\"cpuPressure\":1.25");
    expect(p, "-core-0", "\"index\":0", "\"frequency\":2400.5");
    expect(p, "-memory", "\"size\":2",
           "\"used\":1,\"available\":1,\"cached\":0.5,\"usage\":50,\"swapSize\":1,\"swapUsed\":0.75");
    expect(p, "-disk-sda", "\"device\":\"sda\",\"size\":2", "");
    expect(p, "-network-eth0", "\"device\":\"eth0\"", "\"errors\":4,\"drops\":6");
    expect(p, "-sensor-hwmon0-coretemp-1", "\"label\":\"Package id 0\"", "\"temperature\":45.5");
    expect(p, "-sensor-hwmon0-coretemp-2", "\"label\":\"hwmon0-coretemp-2\"", "\"temperature\":-3");
    assert_int_equal(p.count, 8);  // neither the partition, the loop device nor lo
}

static void the_second_sample_has_rates_over_the_time_between(void **state)
{
    const fixture *f = *state;
    sample(f, GM_SECOND);
    put(f, "proc/stat",
        "cpu  150 0 150 900 0 0 0 0 0 0\ncpu0 100 0 50 450 0 0 0 0 0 0\ncpu1 50 0 100 450 0 0 0 0 0 0\n");
    put(f, "proc/diskstats", "   8  0 sda 104 0 2002 10 50 0 1004 20 0 1500 30\n");
    put(f, "proc/net/dev", "  eth0: 3000 14 1 2 0 0 0 0 400 5 3 4 0 0 0 0\n");
    parts p = sample(f, 3 * GM_SECOND);
    expect(p, "-core-0", NULL, "\"load\":50,\"frequency\":2400.5");
    // 4 reads in 2 s; 2 sectors of 512 bytes; busy 1000 ms of 2000.
    expect(p, "-disk-sda", NULL,
           "\"readOperations\":2,\"readRate\":512,\"writeOperations\":0,\"writeRate\":1024,\"busy\":50");
    // A counter that fell was reset: no rate rather than a wrong one.
    expect(p, "-network-eth0", NULL,
           "\"receiveRate\":1000,\"receivePackets\":2,\"transmitPackets\":0,\"errors\":4,\"drops\":6");
}

static void a_part_that_has_gone_is_not_seen_and_starts_afresh(void **state)
{
    const fixture *f = *state;
    sample(f, GM_SECOND);
    put(f, "proc/net/dev", "");
    parts  p    = sample(f, 2 * GM_SECOND);
    size_t seen = 0;
    for (size_t i = 0; i < p.count; i++) seen += p.items[i]->seen;
    assert_int_equal(seen, p.count - 1);
    put(f, "proc/net/dev", "  eth0: 9000 14 1 2 0 0 0 0 400 5 3 4 0 0 0 0\n");
    expect(sample(f, 3 * GM_SECOND), "-network-eth0", NULL, "\"errors\":4,\"drops\":6");
}

static void damaged_files_give_no_values_instead_of_wrong_ones(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {
        "", "\n", "cpu", "cpu0", "garbage \x01\xff", "cpu0 x y z\n", "::::::::::::::::::::", "eth0:"
    };
    static const char *const paths[] = {
        "proc/stat",    "proc/loadavg", "proc/uptime",       "proc/meminfo",     "proc/diskstats",
        "proc/net/dev", "proc/cpuinfo", "proc/pressure/cpu", "proc/self/mounts", "sys/class/hwmon/hwmon0/temp1_input"
    };
    gm_dur_ns now = GM_SECOND;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t j = 0; j < sizeof paths / sizeof paths[0]; j++) put(f, paths[j], texts[i]);
        sample(f, now += GM_SECOND);
    }
}

static void without_proc_there_is_no_machine(void **state)
{
    (void)state;
    gm_machine *machine;
    gm_error    err = { 0 };
    assert_int_equal(gm_machine_open(gm_alloc_system(), "/nonexistent", &machine, &err), GM_NOTFOUND);
    assert_non_null(strstr(err.text, "proc/stat"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_sample_has_levels_but_no_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_second_sample_has_rates_over_the_time_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_has_gone_is_not_seen_and_starts_afresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_files_give_no_values_instead_of_wrong_ones, set_up, tear_down),
        cmocka_unit_test(without_proc_there_is_no_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
