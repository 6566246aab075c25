// What docs/access.md shows, with the real program: users on a stopped plant and through its server, TLS, tokens of an
// identity provider, certificates for devices, and where it refuses to listen.
#include "access/certificates.h"
#include "access/jwt_maker.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECRET "0123456789abcdef0123456789abcdef"

typedef struct place {
    char      dir[256], plant[300], data[300], ca[300];
    authority ours, devices;
} place;

static void write_in(const place *p, const char *name, gm_str text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", p->plant, name);
    gm_test_write_file(path, text);
}

static void write_server_certificate(const place *p, const authority *a)
{
    signed_pair pair = authority_sign(a, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 2);
    write_in(p, "tls/server.pem", gm_buf_view(&pair.certificate));
    write_in(p, "tls/server-key.pem", gm_buf_view(&pair.key));
    signed_pair_free(&pair);
}

static place make_place(const char *config)
{
    place  p = { .ours = authority_make("ours"), .devices = authority_make("devices") };
    gm_buf ca = authority_pem(&p.ours), devices = authority_pem(&p.devices);
    gm_test_make_dir(p.dir, sizeof p.dir);
    snprintf(p.plant, sizeof p.plant, "%s/plant", p.dir);
    snprintf(p.data, sizeof p.data, "%s/plant/data", p.dir);
    snprintf(p.ca, sizeof p.ca, "%s/ca.pem", p.dir);
    gm_test_write_file(p.ca, gm_buf_view(&ca));
    write_in(&p, "models/pump.json", GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\","
                                           "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}"));
    write_in(&p, "twins/all.ndjson", GM_STR("{\"Section\":\"Twins\"}\n{\"$dtId\":\"pump7\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}\n"
                                           "{\"$dtId\":\"pump8\",\"$metadata\":{\"$model\":\"dtmi:test:Pump;1\"}}\n"));
    write_in(&p, "tls/devices-ca.pem", gm_buf_view(&devices));
    write_in(&p, "tls/jwt-secret", GM_STR(SECRET "\n"));
    write_in(&p, "gemel.conf", gm_str_of(config));
    write_server_certificate(&p, &p.ours);
    gm_buf_finish(&ca);
    gm_buf_finish(&devices);
    return p;
}

static void free_place(place *p)
{
    unsetenv("GEMEL_TOKEN");
    unsetenv("GEMEL_CA");
    authority_free(&p->ours);
    authority_free(&p->devices);
    gm_test_remove_dir(p->dir);
}

static void expect(gm_ran ran, int code, const char *out, const char *err)
{
    if (ran.code != code || (out != NULL && strstr(GM_TEXT(ran.out), out) == NULL) || (err != NULL && strstr(GM_TEXT(ran.err), err) == NULL)) {
        fail_msg("exit %d\n%s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    }
    gm_ran_finish(&ran);
}

// Adds a user; his token, without the line's end.
static void add_user(const place *p, char token[80], const char *name, const char *role, const char *scope)
{
    gm_ran ran = scope != NULL ? GM_RUN("user", "add", p->plant, name, "--role", role, "--scope", scope)
                               : GM_RUN("user", "add", p->plant, name, "--role", role);
    if (ran.code != 0) fail_msg("%s", GM_TEXT(ran.err));
    assert_true(strstr(GM_TEXT(ran.err), "this once") != NULL);
    snprintf(token, 80, "%.*s", (int)strcspn(GM_TEXT(ran.out), "\n"), GM_TEXT(ran.out));
    gm_ran_finish(&ran);
}

#define CONFIG "https = 127.0.0.1:0\nmqtts = 127.0.0.1:0\ntls.cert = tls/server.pem\ntls.key = tls/server-key.pem\n"

// The address with the certificate's name in place of the number.
static void tls_address(gm_served *s, const char *name, char out[64])
{
    char        *line = strdup(GM_TEXT(s->child->out_text));
    const char  *at   = strstr(line, name);
    unsigned     port = 0;
    if (at == NULL || sscanf(strchr(at, ':') + 1, "%u", &port) != 1) fail_msg("'%s' names no %s", line, name);
    snprintf(out, 64, "localhost:%u", port);
    free(line);
}

static void users_are_kept_on_a_stopped_plant_and_through_its_server(void **state)
{
    (void)state;
    place p = make_place(CONFIG);
    char  anna[80], pump[80], bob[80], https[64];
    add_user(&p, anna, "anna", "admin", NULL);
    add_user(&p, pump, "pump7", "operator", "pump7");
    expect(GM_RUN("user", "add", p.plant, "anna", "--role", "reader"), 1, NULL, "already");
    expect(GM_RUN("user", "add", p.plant, "eve", "--role", "root"), 1, NULL, "reader, operator, engineer or admin");
    expect(GM_RUN("user", "list", p.plant), 0, "pump7                    operator", NULL);

    gm_served *server = gm_serve(p.plant, p.data, NULL, NULL);
    tls_address(server, "https=", https);
    setenv("GEMEL_CA", p.ca, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 1, NULL, "token");
    setenv("GEMEL_TOKEN", anna, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 0, "2", NULL);
    setenv("GEMEL_TOKEN", pump, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 0, "1", NULL);
    expect(GM_RUN("get", "pump8", "--http", https), 1, NULL, "pump8");
    expect(GM_RUN("user", "add", p.plant, "bob", "--http", https), 1, NULL, "admin");
    setenv("GEMEL_TOKEN", anna, 1);
    gm_ran ran = GM_RUN("user", "add", p.plant, "bob", "--http", https);
    assert_int_equal(ran.code, 0);
    snprintf(bob, sizeof bob, "%.*s", (int)strcspn(GM_TEXT(ran.out), "\n"), GM_TEXT(ran.out));
    gm_ran_finish(&ran);
    expect(GM_RUN("user", "revoke", p.plant, "pump7", "--http", https), 0, NULL, NULL);
    expect(GM_RUN("user", "revoke", p.plant, "pump7", "--http", https), 1, NULL, "no user");
    expect(GM_RUN("user", "list", p.plant, "--http", https), 0, "revoked", NULL);
    setenv("GEMEL_TOKEN", pump, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 1, NULL, "revoked");
    setenv("GEMEL_TOKEN", bob, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 0, "2", NULL);
    assert_int_equal(gm_served_stop(server), 0);
    expect(GM_RUN("user", "list", p.plant), 0, "bob", NULL);
    free_place(&p);
}

static void certificates_are_exchanged_by_sighup(void **state)
{
    (void)state;
    place      p      = make_place(CONFIG);
    gm_served *server = gm_serve(p.plant, p.data, NULL, NULL);
    char       https[64];
    gm_buf     other = authority_pem(&p.devices);
    tls_address(server, "https=", https);
    setenv("GEMEL_CA", p.ca, 1);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 0, "2", NULL);
    write_server_certificate(&p, &p.devices);
    gm_test_write_file(p.ca, gm_buf_view(&other));  // whom the verbs trust from now on
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 3, NULL, "ertificate");
    kill(server->child->pid, SIGHUP);
    for (int i = 0; i < 200 && gm_str_find(gm_buf_view(&server->child->err_text), GM_STR("read again")) == SIZE_MAX; i++)
        gm_child_read(server->child, 50);
    expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", https), 0, "2", NULL);
    assert_int_equal(gm_served_stop(server), 0);
    gm_buf_finish(&other);
    free_place(&p);
}

static void a_token_of_the_identity_provider_is_checked(void **state)
{
    (void)state;
    place      p      = make_place("jwt.secret = tls/jwt-secret\njwt.audience = plant\n");
    gm_served *server = gm_serve(p.plant, p.data, NULL, NULL);
    char       claims[200];
    const struct { long long ends; const char *audience; int code; const char *says; } cases[] = {
        { 60, "plant", 0, "2" }, { -60, "plant", 1, "expired" }, { 60, "elsewhere", 1, "another audience" } };
    for (size_t i = 0; i < 3; i++) {
        snprintf(claims, sizeof claims, "{\"sub\":\"anna\",\"aud\":\"%s\",\"exp\":%lld,\"role\":\"reader\"}", cases[i].audience,
                 (long long)time(NULL) + cases[i].ends);
        gm_buf token = jwt_signed_with_secret("{\"alg\":\"HS256\"}", claims, GM_STR(SECRET));
        setenv("GEMEL_TOKEN", (const char *)token.ptr, 1);
        expect(GM_RUN("query", "SELECT COUNT() FROM DIGITALTWINS", "--http", server->http), cases[i].code,
               cases[i].code == 0 ? cases[i].says : NULL, cases[i].code != 0 ? cases[i].says : NULL);
        gm_buf_finish(&token);
    }
    assert_int_equal(gm_served_stop(server), 0);
    write_in(&p, "gemel.conf", GM_STR("jwt.secret = tls/jwt-secret\n"));
    expect(GM_RUN("serve", p.plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"), 1, NULL, "jwt.audience");
    free_place(&p);
}

static void without_access_only_this_machine_may_connect(void **state)
{
    (void)state;
    place p = make_place("");
    expect(GM_RUN("serve", p.plant, "--http", "0.0.0.0:0", "--mqtt", "127.0.0.1:0"), 1, NULL, "refusing to listen on 0.0.0.0:0");
    expect(GM_RUN("serve", p.plant, "--http", "127.0.0.1:0", "--mqtt", ":0"), 1, NULL, "refusing to listen");
    expect(GM_RUN("serve", p.plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--https", "127.0.0.1:0"), 1, NULL, "--tls-cert");
    char token[80];
    add_user(&p, token, "anna", "admin", NULL);
    gm_served *server = gm_serve(p.plant, p.data, "0.0.0.0:0", NULL);
    assert_int_equal(gm_served_stop(server), 0);
    free_place(&p);
}

static void a_device_enters_with_its_certificate(void **state)
{
    (void)state;
    place       p    = make_place(CONFIG "tls.client_ca = tls/devices-ca.pem\n");
    signed_pair pair = authority_sign(&p.devices, "pump7", GNUTLS_KP_TLS_WWW_CLIENT, 2), stranger = authority_sign(&p.devices, "eve", GNUTLS_KP_TLS_WWW_CLIENT, 2);
    char        token[80], mqtts[64], command[2000];
    write_in(&p, "tls/pump7.pem", gm_buf_view(&pair.certificate));
    write_in(&p, "tls/pump7-key.pem", gm_buf_view(&pair.key));
    write_in(&p, "tls/eve.pem", gm_buf_view(&stranger.certificate));
    write_in(&p, "tls/eve-key.pem", gm_buf_view(&stranger.key));
    add_user(&p, token, "pump7", "operator", "pump7");
    gm_served *server = gm_serve(p.plant, p.data, NULL, NULL);
    tls_address(server, "mqtts=", mqtts);
    const struct { const char *who, *twin; bool fine; } cases[] = { { "pump7", "pump7", true }, { "pump7", "pump8", false }, { "eve", "pump7", false } };
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command,
                 "mosquitto_pub -V 5 --cafile %s --cert %s/tls/%s.pem --key %s/tls/%s-key.pem -h localhost -p %s -q 1 "
                 "-t gemel/%s/telemetry -m '{\"flow\":1.5}' > %s/said.txt 2>&1",
                 p.ca, p.plant, cases[i].who, p.plant, cases[i].who, mqtts + strlen("localhost:"), cases[i].twin, p.dir);
        (void)!system(command);  // its exit code says nothing about a refusal of the message
        char path[300];
        snprintf(path, sizeof path, "%s/said.txt", p.dir);
        gm_buf said = gm_test_read_file(path);
        bool   fine = said.len == 0, told = gm_str_find(gm_buf_view(&said), GM_STR("ot authorized")) != SIZE_MAX ||
                                          gm_str_find(gm_buf_view(&said), GM_STR("Bad User Name or Password")) != SIZE_MAX;
        if (fine != cases[i].fine || fine == told) fail_msg("%s at %s: " GM_STR_FMT, cases[i].who, cases[i].twin, (int)said.len, (char *)said.ptr);
        gm_buf_finish(&said);
    }
    setenv("GEMEL_TOKEN", token, 1);
    expect(GM_RUN("get", "pump7", "flow", "--http", server->http), 0, "1.5", NULL);
    assert_int_equal(gm_served_stop(server), 0);
    signed_pair_free(&pair);
    signed_pair_free(&stranger);
    free_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_kept_on_a_stopped_plant_and_through_its_server),
        cmocka_unit_test(certificates_are_exchanged_by_sighup),
        cmocka_unit_test(a_token_of_the_identity_provider_is_checked),
        cmocka_unit_test(without_access_only_this_machine_may_connect),
        cmocka_unit_test(a_device_enters_with_its_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
