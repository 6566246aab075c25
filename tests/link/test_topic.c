#include "link/topic.h"
#include "link/topic_tree.h"
#include "support/support.h"

#include <stdio.h>

static void filters_match_as_the_standard_says__MQTT_4_7(void **state)
{
    (void)state;
    static const struct { const char *filter, *topic; bool match; } cases[] = {
        { "sport/tennis/player1/#", "sport/tennis/player1", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
        { "sport/#", "sport", true },
        { "#", "sport/tennis", true },
        { "#", "/", true },
        { "sport/tennis/+", "sport/tennis/player1", true },
        { "sport/tennis/+", "sport/tennis/player1/ranking", false },
        { "sport/+", "sport", false },
        { "sport/+", "sport/", true },
        { "+", "sport", true },
        { "+", "sport/tennis", false },
        { "+/tennis/#", "sport/tennis", true },
        { "+/+", "/finance", true },
        { "/+", "/finance", true },
        { "+", "/finance", false },
        { "#", "$SYS/a", false },            // [MQTT-4.7.2-1]
        { "+/monitor/Clients", "$SYS/monitor/Clients", false },
        { "$SYS/#", "$SYS/a/b", true },
        { "$SYS/monitor/+", "$SYS/monitor/Clients", true },
        { "ACCOUNTS", "Accounts", false },   // case counts
        { "/finance", "finance", false },
        { "a//b", "a//b", true },
        { "a/+/b", "a//b", true },
        { "a/#", "ab", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (gm_topic_matches(gm_str_of(cases[i].filter), gm_str_of(cases[i].topic)) != cases[i].match) {
            fail_msg("'%s' and '%s'", cases[i].filter, cases[i].topic);
        }
    }
}

static void native_topics_are_taken_apart(void **state)
{
    (void)state;
    static const struct { const char *topic; gm_native_kind kind; const char *twin, *component; } cases[] = {
        { "gemel/pump7/telemetry", GM_NATIVE_TELEMETRY, "pump7", "" },
        { "gemel/pump7/properties", GM_NATIVE_PROPERTIES, "pump7", "" },
        { "gemel/pump7/motor/telemetry", GM_NATIVE_TELEMETRY, "pump7", "motor" },
        { "gemel/pump7/create", GM_NATIVE_CREATE, "pump7", "" },
        { "gemel/a%2Fb/telemetry", GM_NATIVE_TELEMETRY, "a%2Fb", "" },
        { "gemel/pump7/changes", GM_NATIVE_NONE, "", "" },
        { "gemel/pump7/desired", GM_NATIVE_NONE, "", "" },
        { "gemel/pump7/commands/start/17/response", GM_NATIVE_NONE, "", "" },
        { "gemel/pump7/temperature", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel/pump7", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel/", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel//telemetry", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel/pump7//telemetry", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel/pump7/a/b/telemetry", GM_NATIVE_UNKNOWN, "", "" },
        { "gemel", GM_NATIVE_NONE, "", "" },
        { "gemels/pump7/telemetry", GM_NATIVE_NONE, "", "" },
        { "Gemel/pump7/telemetry", GM_NATIVE_NONE, "", "" },
        { "factory/line1", GM_NATIVE_NONE, "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_native_topic native = gm_topic_native(gm_str_of(cases[i].topic));
        bool            means  = native.kind == GM_NATIVE_TELEMETRY || native.kind == GM_NATIVE_PROPERTIES ||
                     native.kind == GM_NATIVE_CREATE;
        if (native.kind != cases[i].kind ||
            (means && (!gm_str_is(native.twin, cases[i].twin) || !gm_str_is(native.component, cases[i].component)))) {
            fail_msg("'%s': kind %d", cases[i].topic, (int)native.kind);
        }
    }
}

static void the_cheap_check_agrees_with_the_careful_one(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int i = 0; i < 300000; i++) {
        char   text[40];
        size_t len = gm_test_random(&random) % sizeof text;
        for (size_t k = 0; k < len; k++)
            text[k] = gm_test_random(&random) % 200 == 0 ? (char)gm_test_random(&random)
                                                         : "ab/$z,"[gm_test_random(&random) % 6];
        if (gm_topic_is_plain((gm_str){ text, len })) assert_null(gm_topic_name_rule((gm_str){ text, len }));
    }
    assert_true(gm_topic_is_plain(GM_STR("gemel/pump7/telemetry")));
}

// ---- the tree against one-by-one matching --------------------------------------------------------------------------
enum { TEXTS = 300 };

typedef struct pool { char texts[TEXTS][48]; bool in_tree[TEXTS], met[TEXTS]; uint32_t nodes[TEXTS]; } pool;

static void random_text(uint64_t *random, char *out, bool wildcards)
{
    size_t levels = 1 + gm_test_random(random) % 4, len = 0;
    for (size_t i = 0; i < levels; i++) {
        static const char *const words[] = { "a", "b", "", "cc", "$s", "+", "#" };
        const char *word = words[gm_test_random(random) % (wildcards ? 7 : 5)];
        if (*word == '#' && i + 1 < levels) word = "+";
        len += (size_t)sprintf(out + len, "%s%s", i > 0 ? "/" : "", word);
    }
    if (len == 0) strcpy(out, "x");
}

static void on_met(void *context, uint32_t node, void *value)
{
    pool  *p = context;
    size_t i = (size_t)((bool *)value - p->in_tree);
    assert_int_equal(p->nodes[i], node);
    assert_false(p->met[i]);  // none twice
    p->met[i] = true;
}

static void fill(gm_topic_tree *tree, pool *p, uint64_t *random, bool wildcards)
{
    for (size_t i = 0; i < TEXTS; i++) {
        random_text(random, p->texts[i], wildcards);
        uint32_t node;
        assert_int_equal(gm_topic_tree_add(tree, gm_str_of(p->texts[i]), &node), GM_OK);
        if (tree->nodes[node].value != NULL) continue;  // the same text again
        p->in_tree[i]           = true;
        p->nodes[i]             = node;
        tree->nodes[node].value = &p->in_tree[i];
    }
    // Some go again, so that gaps are closed.
    for (size_t i = 0; i < TEXTS; i++) {
        if (!p->in_tree[i] || gm_test_random(random) % 3 != 0) continue;
        tree->nodes[p->nodes[i]].value = NULL;
        gm_topic_tree_prune(tree, p->nodes[i]);
        p->in_tree[i] = false;
    }
}

static void the_tree_finds_exactly_what_matches_one_by_one(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 60; round++) {
        bool          of_filters = round % 2 == 0;
        gm_topic_tree tree;
        static pool   p;
        memset(&p, 0, sizeof p);
        assert_int_equal(gm_topic_tree_init(&tree, gm_alloc_system()), GM_OK);
        fill(&tree, &p, &random, of_filters);
        for (int probe = 0; probe < 100; probe++) {
            char text[48];
            random_text(&random, text, !of_filters);
            memset(p.met, 0, sizeof p.met);
            if (of_filters) gm_topic_tree_filters_of(&tree, gm_str_of(text), on_met, &p);
            else gm_topic_tree_topics_of(&tree, gm_str_of(text), on_met, &p);
            for (size_t i = 0; i < TEXTS; i++) {
                if (!p.in_tree[i]) continue;
                bool match = of_filters ? gm_topic_matches(gm_str_of(p.texts[i]), gm_str_of(text))
                                        : gm_topic_matches(gm_str_of(text), gm_str_of(p.texts[i]));
                if (match != p.met[i]) fail_msg("'%s' in the tree, '%s' asked: %d", p.texts[i], text, p.met[i]);
            }
        }
        for (size_t i = 0; i < TEXTS; i++) {
            if (!p.in_tree[i]) continue;
            tree.nodes[p.nodes[i]].value = NULL;
            gm_topic_tree_prune(&tree, p.nodes[i]);
        }
        assert_int_equal(tree.live, 0);  // nothing is left behind
        gm_topic_tree_finish(&tree);
    }
}

static void adding_survives_every_allocation_failure(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_topic_tree tree;
        uint32_t      node;
        gm_status     st = gm_topic_tree_init(&tree, &fault.alloc);
        if (st == GM_OK) {
            st = gm_topic_tree_add(&tree, GM_STR("a/b/c/d"), &node);
            if (st != GM_OK) assert_int_equal(tree.live, 0);
        }
        gm_topic_tree_finish(&tree);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_match_as_the_standard_says__MQTT_4_7),
        cmocka_unit_test(native_topics_are_taken_apart),
        cmocka_unit_test(the_cheap_check_agrees_with_the_careful_one),
        cmocka_unit_test(the_tree_finds_exactly_what_matches_one_by_one),
        cmocka_unit_test(adding_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
