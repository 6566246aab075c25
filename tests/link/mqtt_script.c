#include "link/mqtt_script.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 26, LINE_MAX = 4096 };

typedef struct stage { rig *r; rig_client clients[CLIENTS]; bool there[CLIENTS]; } stage;

// Writes the bytes that a text stands for, up to its end or a '}'; returns how many. *at moves on behind them.
static size_t bytes_of(const char **at, uint8_t *out)
{
    size_t n = 0;
    while (**at != '\0' && **at != '}') {
        char c = **at;
        if (c == ' ') {
            ++*at;
        } else if (c == '\'' || c == '`') {
            const char *text = *at + 1, *end = strchr(text, c);
            size_t      len = (size_t)(end - text), head = c == '`' ? 2 : 0;
            if (head > 0) out[n] = 0, out[n + 1] = (uint8_t)len;
            memcpy(out + n + head, text, len);
            n += head + len;
            *at = end + 1;
        } else if (c == '{') {
            ++*at;
            size_t len = bytes_of(at, out + n + 1);
            assert_true(len < 128);
            out[n] = (uint8_t)len;
            n += 1 + len;
            ++*at;
        } else {
            char pair[3] = { c, (*at)[1], '\0' };
            out[n++]     = (uint8_t)strtoul(pair, NULL, 16);
            *at += 2;
        }
    }
    return n;
}

static rig_client *client_of(stage *s, char name, bool dials)
{
    size_t i = (size_t)(name - 'a');
    if (i >= CLIENTS) fail_msg("'%c' is not a client", name);
    if (!s->there[i]) {
        if (!dials) fail_msg("client %c has no connection", name);
        s->clients[i] = rig_dial(s->r);
        s->there[i]   = true;
    }
    return &s->clients[i];
}

static void hang_up(stage *s, char name)
{
    size_t i = (size_t)(name - 'a');
    if (s->there[i]) rig_hang_up(&s->clients[i]);
    s->there[i] = false;
}

// "4 id", "5+ id", "4* id"
static void greet(stage *s, char name, const char *words)
{
    enum { EXPIRY_S = 3600 };
    uint8_t         version = (uint8_t)(words[0] - '0');
    bool            kept    = words[1] != ' ';
    gm_mqtt_connect connect = { .level = version, .clean = !kept, .client_id = gm_str_of(words + (kept ? 3 : 2)),
                                .properties.block = { "", 0 }, .will_properties.block = { "", 0 } };
    if (kept && version == 5) gm_mqtt_set_number(&connect.properties, GM_MQTT_SESSION_EXPIRY, EXPIRY_S);
    hang_up(s, name);
    s->clients[name - 'a'] = rig_connect_with(s->r, &connect, words[1] == '*');
    s->there[name - 'a']   = true;
}

static void expect_reason(rig_client *c, uint8_t type, const char *hex)
{
    gm_mqtt_frame frame  = rig_next(c);
    uint8_t       reason = (uint8_t)strtoul(hex, NULL, 16);
    size_t        at     = type == GM_MQTT_CONNACK;  // behind its flags
    if (frame.type != type || frame.body.len <= at || (uint8_t)frame.body.ptr[at] != reason)
        fail_msg("packet type %u with 0x%02x instead of type %u with 0x%02x", frame.type,
                 frame.body.len > at ? (uint8_t)frame.body.ptr[at] : 0, type, reason);
    rig_expect_closed(c);
}

// The power fails now: what was not synced is gone or torn.
static void kill_server(stage *s)
{
    gm_fault_io_cut(&s->r->disk);
    rig_stop(s->r);
    for (char name = 'a'; name < 'a' + CLIENTS; name++) hang_up(s, name);
    gm_fault_io_power_on(&s->r->disk);
    rig_start(s->r);
}

static void step(stage *s, const char *line)
{
    char        name = line[0], what = line[1];
    uint8_t     bytes[LINE_MAX];
    const char *rest = name != '\0' && what != '\0' ? line + 2 : "";
    while (*rest == ' ') rest++;
    if (strcmp(line, "kill") == 0) kill_server(s);
    else if (name == '+') rig_pass(s->r, strtoll(line + 1, NULL, 10) * GM_MILLISECOND);
    else if (what == ' ') greet(s, name, rest);
    else if (what == '>') rig_send(client_of(s, name, true), bytes, bytes_of(&rest, bytes));
    else if (what == '<') rig_expect(client_of(s, name, false), bytes, bytes_of(&rest, bytes));
    else if (what == '.') rig_expect_nothing(client_of(s, name, false));
    else if (what == '^') expect_reason(client_of(s, name, false), GM_MQTT_CONNACK, rest);
    else if (what == '!' && *rest != '\0') expect_reason(client_of(s, name, false), GM_MQTT_DISCONNECT, rest);
    else if (what == '!') rig_expect_closed(client_of(s, name, false));
    else if (what == '-') hang_up(s, name);
    else fail_msg("'%s' is not a step", line);
}

static void play(const mqtt_case *one)
{
    stage       s  = { .r = rig_make() };
    const char *at = one->script;
    while (*at != '\0') {
        char   line[LINE_MAX];
        size_t n = strcspn(at, "\n");
        assert_true(n < sizeof line);
        memcpy(line, at, n);
        line[n] = '\0';
        print_message("  [%s] %s\n", one->statements, line);
        step(&s, line);
        at += n + (at[n] != '\0');
    }
    for (char name = 'a'; name < 'a' + CLIENTS; name++) hang_up(&s, name);
    rig_free(s.r);
}

void mqtt_play(const mqtt_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) play(&cases[i]);
}
