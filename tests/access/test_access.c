// Users, tokens and rates, on an engine of their own.
#include "access/access.h"
#include "access/jwt_maker.h"
#include "support/fault_io.h"
#include "support/support.h"

#include <stdio.h>

#define SECRET "0123456789abcdef0123456789abcdef"

typedef struct place {
    gm_fault_io disk;
    gm_clock    clock;
    gm_time_ns  now;
    gm_engine  *engine;
    gm_access  *access;
    gm_status   answer;
} place;

static gm_time_ns place_now(void *context) { return ((place *)context)->now; }

static void open_place(place *p)
{
    gm_error          err;
    gm_engine_options eo = { .alloc = gm_alloc_system(), .io = &p->disk.io, .clock = &p->clock, .data_dir = "data",
                             .log = gm_log_options_defaults() };
    eo.log.realtime_commit = false;
    eo.log.segment_size    = 1 << 20;
    assert_gm_ok(gm_engine_open(&eo, &p->engine, &err), err);
    gm_jwt_rules      rules = { .audience = "plant", .role_claim = "role", .scope_claim = "scope_twins" };
    gm_access_options ao    = { .alloc = eo.alloc, .clock = &p->clock, .engine = p->engine, .relationships = GM_STR("contains, feeds") };
    assert_gm_ok(gm_jwt_keys_create(eo.alloc, &rules, &ao.jwt, &err), err);
    assert_gm_ok(gm_jwt_add_secret(ao.jwt, GM_STR(SECRET), &err), err);
    assert_gm_ok(gm_access_create(&ao, &p->access, &err), err);
    assert_gm_ok(gm_engine_recover(p->engine, &err), err);
}

static void close_place(place *p)
{
    gm_engine_close(p->engine);
    gm_access_destroy(p->access);
}

static place *make_place(void)
{
    place *p = test_calloc(1, sizeof *p);
    p->now   = INT64_C(1700000000) * GM_SECOND;
    p->clock = (gm_clock){ .now = place_now, .monotonic = place_now, .context = p };
    gm_fault_io_init(&p->disk, 1);
    open_place(p);
    return p;
}

static void free_place(place *p)
{
    close_place(p);
    gm_fault_io_finish(&p->disk);
    test_free(p);
}

static void on_answer(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token, (void)err;
    ((place *)context)->answer = status;
}

static gm_status add(place *p, const gm_user *user, char token[GM_TOKEN_TEXT + 1])
{
    gm_error  err;
    gm_status st = gm_access_add_user(p->access, user, token, (gm_ask){ on_answer, p, 0 }, &err);
    if (st == GM_OK) assert_gm_ok(gm_engine_settle(p->engine, &err), err);
    return st == GM_OK ? p->answer : st;
}

static gm_status enter(place *p, const char *token, gm_principal **out)
{
    gm_error err = { 0 };
    gm_status st = gm_access_enter(p->access, gm_str_of(token), out, &err);
    if (st != GM_OK) assert_true(err.text[0] != '\0' && *out == NULL);
    return st;
}

static void a_token_lets_in_until_it_is_revoked_also_after_a_restart(void **state)
{
    (void)state;
    place        *p = make_place();
    char          token[GM_TOKEN_TEXT + 1], second[GM_TOKEN_TEXT + 1];
    gm_principal *who;
    gm_error      err;
    gm_user       anna = { .name = GM_STR("anna"), .right = GM_RIGHT_ENGINEER };
    assert_int_equal(add(p, &anna, token), GM_OK);
    assert_int_equal(add(p, &anna, second), GM_CONFLICT);
    assert_int_equal(strlen(token), GM_TOKEN_TEXT);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(enter(p, token, &who), GM_OK);
        assert_true(gm_str_is(gm_principal_name(who), "anna") && gm_principal_right(who) == GM_RIGHT_ENGINEER);
        assert_true(gm_principal_fence(who) == NULL);
        gm_principal_release(who);
        assert_int_equal(enter(p, second, &who), GM_INVALID);
        assert_int_equal(enter(p, "", &who), GM_INVALID);
        assert_int_equal(enter(p, "anna", &who), GM_INVALID);
        close_place(p);
        open_place(p);
    }
    assert_int_equal(enter(p, token, &who), GM_OK);
    assert_gm_ok(gm_access_revoke(p->access, GM_STR("anna"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(p->engine, &err), err);
    assert_false(gm_principal_valid(who));  // whoever is inside sees it
    gm_principal_release(who);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(enter(p, token, &who), GM_INVALID);
        assert_true(gm_access_required(p->access));  // nobody left, and yet not open
        close_place(p);
        open_place(p);
    }
    assert_int_equal(gm_access_revoke(p->access, GM_STR("anna"), (gm_ask){ 0 }, &err), GM_NOTFOUND);
    assert_int_equal(add(p, &anna, second), GM_OK);  // back with another token
    assert_int_equal(enter(p, second, &who), GM_OK);
    gm_principal_release(who);
    assert_int_equal(enter(p, token, &who), GM_INVALID);
    assert_int_equal(gm_access_user_count(p->access), 1);
    free_place(p);
}

static void neither_log_nor_disk_hold_a_token(void **state)
{
    (void)state;
    place   *p = make_place();
    char     token[GM_TOKEN_TEXT + 1];
    gm_user  anna = { .name = GM_STR("anna"), .right = GM_RIGHT_ADMIN };
    uint8_t *bytes;
    size_t   size;
    gm_error err;
    assert_int_equal(add(p, &anna, token), GM_OK);
    assert_gm_ok(gm_io_read_file(&p->disk.io, "data/log/00000000000000000001.log", 1 << 24, &bytes, &size, &err), err);
    gm_str text = { (const char *)bytes, size };
    assert_true(gm_str_find(text, GM_STR("anna")) != SIZE_MAX);
    assert_true(gm_str_find(text, gm_str_of(token)) == SIZE_MAX);
    assert_true(gm_str_find(text, gm_str_of(token + 6)) == SIZE_MAX);
    gm_free(p->disk.io.alloc, bytes);
    free_place(p);
}

static void what_is_no_user_is_refused_with_a_reason(void **state)
{
    (void)state;
    place *p = make_place();
    char   token[GM_TOKEN_TEXT + 1], longest[GM_USER_NAME_MAX + 2];
    memset(longest, 'x', sizeof longest);
    const gm_user cases[] = {
        { .name = GM_STR(""), .right = GM_RIGHT_READ },
        { .name = GM_STR("a\nb"), .right = GM_RIGHT_READ },
        { .name = GM_STR("\xff"), .right = GM_RIGHT_READ },
        { .name = { longest, GM_USER_NAME_MAX + 1 }, .right = GM_RIGHT_READ },
        { .name = GM_STR("a"), .right = GM_RIGHT_NONE },
        { .name = GM_STR("a"), .right = GM_RIGHT_ADMIN, .scopes = { GM_STR("p1") }, .scope_count = 1 },
        { .name = GM_STR("a"), .right = GM_RIGHT_READ, .query = GM_STR("SELECT nonsense") },
        { .name = GM_STR("a"), .right = GM_RIGHT_READ, .query = GM_STR("SELECT * FROM DIGITALTWINS AS OF '2026-01-01T00:00:00Z'") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (add(p, &cases[i], token) != GM_INVALID) fail_msg("case %zu was taken", i);
    }
    assert_int_equal(gm_access_user_count(p->access), 0);
    free_place(p);
}

static gm_buf jwt(const char *claims) { return jwt_signed_with_secret("{\"alg\":\"HS256\"}", claims, GM_STR(SECRET)); }

static void a_signed_token_ends_when_it_says_and_with_its_subject(void **state)
{
    (void)state;
    place        *p     = make_place();
    gm_buf        token = jwt("{\"sub\":\"anna\",\"aud\":\"plant\",\"exp\":1700000100,\"role\":[\"x\",\"operator\",\"reader\"]}");
    gm_buf        none  = jwt("{\"sub\":\"anna\",\"aud\":\"plant\",\"exp\":1700000100,\"role\":\"root\"}");
    gm_principal *who, *again;
    gm_error      err;
    char          opaque[GM_TOKEN_TEXT + 1];
    assert_int_equal(enter(p, (char *)none.ptr, &who), GM_INVALID);
    assert_int_equal(enter(p, (char *)token.ptr, &who), GM_OK);
    assert_int_equal(gm_principal_right(who), GM_RIGHT_OPERATE);  // the highest that is known
    assert_int_equal(enter(p, (char *)token.ptr, &again), GM_OK);
    assert_ptr_equal(who, again);  // checked once
    gm_principal_release(again);
    p->now += 101 * GM_SECOND;
    assert_false(gm_principal_valid(who));
    assert_int_equal(enter(p, (char *)token.ptr, &again), GM_INVALID);
    gm_principal_release(who);
    p->now -= 101 * GM_SECOND;

    gm_user anna = { .name = GM_STR("anna"), .right = GM_RIGHT_READ };
    assert_int_equal(add(p, &anna, opaque), GM_OK);
    assert_int_equal(enter(p, (char *)token.ptr, &who), GM_OK);
    assert_gm_ok(gm_access_revoke(p->access, GM_STR("anna"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(p->engine, &err), err);
    assert_false(gm_principal_valid(who));
    gm_principal_release(who);
    assert_int_equal(enter(p, (char *)token.ptr, &who), GM_INVALID);
    gm_buf_finish(&token);
    gm_buf_finish(&none);
    free_place(p);
}

static void exchanged_keys_end_what_came_with_the_old_ones(void **state)
{
    (void)state;
    place        *p     = make_place();
    gm_buf        token = jwt("{\"sub\":\"a\",\"aud\":\"plant\",\"exp\":1700000100,\"role\":\"reader\"}");
    gm_jwt_rules  rules = { .audience = "plant", .role_claim = "role", .scope_claim = "s" };
    gm_jwt_keys  *keys;
    gm_principal *who;
    gm_error      err;
    assert_int_equal(enter(p, (char *)token.ptr, &who), GM_OK);
    assert_gm_ok(gm_jwt_keys_create(gm_alloc_system(), &rules, &keys, &err), err);
    assert_gm_ok(gm_jwt_add_secret(keys, GM_STR("another secret of at least 32 bytes"), &err), err);
    gm_access_set_jwt(p->access, keys);
    assert_false(gm_principal_valid(who));
    gm_principal_release(who);
    assert_int_equal(enter(p, (char *)token.ptr, &who), GM_INVALID);
    gm_buf_finish(&token);
    free_place(p);
}

static void a_rate_admits_a_second_s_worth_and_says_how_long_to_wait(void **state)
{
    (void)state;
    place        *p    = make_place();
    gm_user       slow = { .name = GM_STR("slow"), .right = GM_RIGHT_READ, .rate = 5 };
    char          token[GM_TOKEN_TEXT + 1];
    gm_principal *who;
    assert_int_equal(add(p, &slow, token), GM_OK);
    assert_int_equal(enter(p, token, &who), GM_OK);
    for (int i = 0; i < 5; i++) assert_true(gm_principal_take(who) == 0);
    gm_dur_ns wait = gm_principal_take(who);
    assert_true(wait > 190 * GM_MILLISECOND && wait <= 201 * GM_MILLISECOND);
    p->now += wait;
    assert_true(gm_principal_take(who) == 0);
    assert_true(gm_principal_take(who) > 0);
    p->now += 3600 * GM_SECOND;  // an hour of silence saves no more than a second's worth
    for (int i = 0; i < 5; i++) assert_true(gm_principal_take(who) == 0);
    assert_true(gm_principal_take(who) > 0);
    gm_principal_release(who);
    free_place(p);
}

static void the_audit_trail_survives_a_restart_the_newest_first(void **state)
{
    (void)state;
    place        *p = make_place();
    gm_error      err;
    for (int i = 0; i < GM_AUDIT_KEPT + 5; i++) {
        char what[32];
        snprintf(what, sizeof what, "PATCH /%d", i);
        gm_access_audit(p->access, NULL, gm_str_of(what), GM_STR("127.0.0.1"));
    }
    assert_gm_ok(gm_engine_settle(p->engine, &err), err);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(gm_access_audit_count(p->access), GM_AUDIT_KEPT);
        assert_true(gm_str_is(gm_access_audit_at(p->access, 0).what, "PATCH /1004"));
        assert_true(gm_str_is(gm_access_audit_at(p->access, GM_AUDIT_KEPT - 1).what, "PATCH /5"));
        assert_true(gm_access_audit_at(p->access, 0).sequence > gm_access_audit_at(p->access, 1).sequence);
        close_place(p);
        open_place(p);
    }
    assert_int_equal(gm_access_audit_lost(p->access), 0);
    free_place(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_lets_in_until_it_is_revoked_also_after_a_restart),
        cmocka_unit_test(neither_log_nor_disk_hold_a_token),
        cmocka_unit_test(what_is_no_user_is_refused_with_a_reason),
        cmocka_unit_test(a_signed_token_ends_when_it_says_and_with_its_subject),
        cmocka_unit_test(exchanged_keys_end_what_came_with_the_old_ones),
        cmocka_unit_test(a_rate_admits_a_second_s_worth_and_says_how_long_to_wait),
        cmocka_unit_test(the_audit_trail_survives_a_restart_the_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
