#include "aas/ids.h"
#include "support/support.h"

static const gm_alloc *alloc;

static gm_str shell_of(gm_arena *arena, gm_str thing)
{
    gm_buf out = gm_buf_init(alloc);
    gm_aas_shell_id(thing, &out);
    gm_str kept = gm_arena_str(arena, gm_buf_view(&out));
    gm_buf_finish(&out);
    return kept;
}

static void names_are_what_they_are_said_to_be(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(alloc, 0);
    static const struct { const char *thing, *shell; } cases[] = {
        { "pump7", "urn:gemel:aas:pump7" },
        { "room 1/\xc3\xa4", "urn:gemel:aas:room%201%2F%C3%A4" },
        { "https://maker.example/42", "https://maker.example/42" },
        { "urn:x:y", "urn:x:y" },
        { "urn:gemel:aas:pump7", "urn:gemel:aas:urn%3Agemel%3Aaas%3Apump7" },  // else two twins had one shell
        { "dtmi:a:b;1", "urn:gemel:aas:dtmi%3Aa%3Ab%3B1" },
        { "submodel:x", "urn:gemel:aas:submodel%3Ax" },
        { "a:", "urn:gemel:aas:a%3A" },
        { ":a", "urn:gemel:aas:%3Aa" },
        { "1a:b", "urn:gemel:aas:1a%3Ab" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_str shell = shell_of(arena, gm_str_of(cases[i].thing)), back;
        assert_string_equal(shell.ptr, cases[i].shell);
        assert_true(gm_aas_shell_thing(arena, shell, &back));
        assert_true(gm_str_is(back, cases[i].thing));
    }
    static const char *const none[] = { "", "urn:gemel:aas:", "urn:gemel:aas:a b", "urn:gemel:aas:%70ump7", "urn:gemel:aas:https%3A%2F%2Fx", "urn:gemel:aas:%zz", "a\nb" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        gm_str back;
        if (gm_aas_shell_thing(arena, gm_str_of(none[i]), &back)) fail_msg("'%s' is a shell's id", none[i]);
    }
    gm_arena_destroy(arena);
}

// Whatever a twin is called, its shell, asset and submodels lead back to it, and to it alone.
static void every_name_leads_back(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    static const char letters[] = "aZ09-._~:/#%?; \"\\\xc3\xa4";
    for (int round = 0; round < 3000; round++) {
        gm_arena *arena = gm_arena_create(alloc, 0);
        char      text[40];
        size_t    n = 1 + gm_test_random(&seed) % 30;
        for (size_t i = 0; i < n; i++) text[i] = letters[gm_test_random(&seed) % (sizeof letters - 3)];
        static const char *const starts[] = { "", "urn:gemel:aas:", "dtmi:", "https:", "shell:", "submodel:" };
        gm_str thing = gm_arena_printf(arena, "%s%.*s", starts[gm_test_random(&seed) % 6], (int)n, text), back;
        gm_str shell = shell_of(arena, thing);
        if (!gm_aas_shell_thing(arena, shell, &back) || !gm_str_eq(back, thing)) fail_msg("'%s' has the shell '%s', which is '%.*s'", thing.ptr, shell.ptr, GM_STR_ARG(back));
        gm_aas_kind kind = (gm_aas_kind)(gm_test_random(&seed) % GM_AAS_KIND_COUNT), kind_back;
        gm_buf      id   = gm_buf_init(alloc);
        gm_aas_submodel_id(kind, thing, &id);
        assert_true(gm_aas_submodel_thing(arena, gm_buf_view(&id), &kind_back, &back) && kind_back == kind && gm_str_eq(back, thing));
        gm_buf_clear(&id);
        gm_aas_asset_id(thing, &id);
        assert_true(gm_aas_asset_thing(arena, gm_buf_view(&id), &back) && gm_str_eq(back, thing));
        gm_buf_clear(&id);
        gm_aas_fact_id(thing, &id);
        assert_true(gm_aas_fact_key(arena, gm_buf_view(&id), &back) && gm_str_eq(back, thing));
        gm_buf_finish(&id);
        gm_arena_destroy(arena);
    }
}

static void what_is_too_long_goes_by_its_hash(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(alloc, 0);
    char      text[400] = "https://maker.example/";
    memset(text + 22, 'x', 300);
    gm_str thing, again;
    assert_true(gm_aas_shell_thing(arena, gm_str_of(text), &thing));
    assert_true(thing.len == strlen("shell:#") + 64 && gm_aas_is_kept(thing, "shell"));
    text[30] = 'y';
    assert_true(gm_aas_shell_thing(arena, gm_str_of(text), &again) && !gm_str_eq(thing, again));
    gm_arena_destroy(arena);
}

static void id_shorts_follow_the_strictest_rule(void **state)
{
    (void)state;
    static const struct { const char *name, *id_short; } cases[] = {
        { "bore", "bore" }, { "impeller diameter", "impeller_diameter" }, { "1st", "id_1st" }, { "x", "x_" }, { "", "id_" }, { "\xc3\xa4", "id___" }, { "a-b", "a_b" },
    };
    char    out[GM_AAS_ID_SHORT_MAX + 1], longest[300];
    json_t *taken = json_object();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_aas_id_short(gm_str_of(cases[i].name), out);
        assert_string_equal(out, cases[i].id_short);
    }
    memset(longest, 'n', sizeof longest);
    for (int i = 0; i < 3; i++) {
        gm_aas_id_short_among(taken, (gm_str){ longest, sizeof longest }, out);
        assert_true(strlen(out) <= GM_AAS_ID_SHORT_MAX);
    }
    assert_int_equal(json_object_size(taken), 3);
    gm_aas_id_short_among(taken, GM_STR("a/b"), out);
    assert_string_equal(out, "a_b");
    gm_aas_id_short_among(taken, GM_STR("a.b"), out);
    assert_string_equal(out, "a_b_2");
    json_decref(taken);
}

int main(void)
{
    alloc = gm_alloc_system();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_what_they_are_said_to_be),
        cmocka_unit_test(every_name_leads_back),
        cmocka_unit_test(what_is_too_long_goes_by_its_hash),
        cmocka_unit_test(id_shorts_follow_the_strictest_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
