// Two ways: random patterns over random small graphs, by the engine and by trying every assignment of twins and
// relationships to the pattern.
#include "query/fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { TWINS = 12, EDGES = 20, STEPS = 3, GRAPHS = 15, PATTERNS = 60 };

typedef struct edge { int from, to, name, size; } edge;
typedef struct graph { edge edges[EDGES]; int heat[TWINS]; } graph;
typedef struct step {
    int  direction, names, least, most;
    bool named;
} step; // direction 0 out, 1 in, 2 any; names: a bit set, 0 any
typedef struct pattern {
    step steps[STEPS];
    int  count;
    int  start[STEPS + 1];  // $dtId of the i-th twin, or -1
    int  heat[STEPS + 1];   // heat of the i-th twin must be less, or -1
    int  size[STEPS];       // of the i-th relationship, when it is named, must be less, or -1
    bool circle;            // the last twin is the first
} pattern;

static uint64_t random_state;

static int pick(int n)
{
    return (int)(gm_test_random(&random_state) % (uint64_t)n);
}

static const char models[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"heat\",\"schema\":\"integer\"},{\"@type\":\"Relationship\",\"name\":\"a\"},{\"@"
    "type\":\"Relationship\",\"name\":\"b\"}]}";

static void make_graph(gm_small_plant *plant, graph *g)
{
    char id[16], other[16], text[100];
    gm_small_plant_open(plant, gm_alloc_system(), models);
    for (int i = 0; i < TWINS; i++) {
        g->heat[i] = pick(10);
        snprintf(id, sizeof id, "t%d", i);
        snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"dtmi:t:A;1\"},\"heat\":%d}", g->heat[i]);
        gm_small_plant_twin(plant, id, text);
    }
    for (int e = 0; e < EDGES; e++) {
        g->edges[e] = (edge){ pick(TWINS), pick(TWINS), pick(2), pick(10) };
        snprintf(id, sizeof id, "t%d", g->edges[e].from);
        snprintf(other, sizeof other, "t%d", g->edges[e].to);
        snprintf(text, sizeof text, "{\"size\":%d}", g->edges[e].size);
        char name[8];
        snprintf(name, sizeof name, "e%d", e);
        gm_small_plant_relate(plant, id, name, g->edges[e].name ? "b" : "a", other, text);
    }
}

static void make_pattern(pattern *p)
{
    *p = (pattern){ .count = 1 + pick(STEPS), .circle = pick(5) == 0 };
    for (int i = 0; i <= p->count; i++) {
        p->start[i] = pick(4) == 0 ? pick(TWINS) : -1;
        p->heat[i]  = pick(3) == 0 ? pick(10) : -1;
    }
    for (int i = 0; i < p->count; i++) {
        int most    = 1 + pick(3);
        p->steps[i] = (step){ .direction = pick(3), .names = pick(4), .least = 1 + pick(most), .most = most };
        if (most == 1) p->steps[i].named = pick(2);
        p->size[i] = p->steps[i].named && pick(2) ? pick(10) : -1;
    }
}

// ---- as text ------------------------------------------------------------------------------------------------------

static int name_of_twin(const pattern *p, int i)  // the first twin's name again when the pattern is a circle
{
    return p->circle && i == p->count ? 0 : i;
}

static void write_step(const pattern *p, int i, gm_buf *out)
{
    static const char *const names[] = { "", ":a", ":b", ":b|a" };
    const step              *s       = &p->steps[i];
    gm_buf_text(out, s->direction == 1 ? "<-[" : "-[");
    if (s->named) gm_buf_printf(out, "r%d", i);
    gm_buf_text(out, names[s->names]);
    if (s->least == s->most && s->most > 1) gm_buf_printf(out, "*%d", s->most);
    else if (s->most > 1 && s->least == 1) gm_buf_printf(out, "*..%d", s->most);
    else if (s->most > 1) gm_buf_printf(out, "*%d..%d", s->least - 1, s->most);
    gm_buf_printf(out, "%s(n%d)", s->direction == 0 ? "]->" : "]-", name_of_twin(p, i + 1));
}

static void write_items(const pattern *p, gm_buf *out)
{
    for (int i = 0; i < p->count + (p->circle ? 0 : 1); i++)
        gm_buf_printf(out, "%sn%d.$dtId AS n%d", i > 0 ? ", " : "", i, i);
    for (int i = 0; i < p->count; i++) {
        if (p->steps[i].named) gm_buf_printf(out, ", r%d.$relationshipId AS r%d", i, i);
    }
}

static void write_pattern(const pattern *p, const char *items, gm_buf *out)
{
    gm_buf_printf(out, "SELECT %s", items);
    if (items[0] == '\0') write_items(p, out);
    gm_buf_text(out, " FROM DIGITALTWINS MATCH (n0)");
    for (int i = 0; i < p->count; i++) write_step(p, i, out);
    gm_buf_text(out, " WHERE 1 = 1");
    for (int i = 0; i <= p->count; i++) {
        if (p->start[i] >= 0) gm_buf_printf(out, " AND n%d.$dtId = 't%d'", name_of_twin(p, i), p->start[i]);
        if (p->heat[i] >= 0) gm_buf_printf(out, " AND n%d.heat < %d", name_of_twin(p, i), p->heat[i]);
    }
    for (int i = 0; i < p->count; i++) {
        if (p->size[i] >= 0) gm_buf_printf(out, " AND r%d.size < %d", i, p->size[i]);
    }
    gm_buf_byte(out, '\0');
}

// ---- every assignment -----------------------------------------------------------------------------------------------

typedef struct search {
    const graph   *g;
    const pattern *p;
    int            twins[STEPS + 1], single[STEPS];
    bool           used[EDGES];
    gm_buf         rows;
    int            count;
} search;

static bool twin_fits(const search *s, int i, int twin)
{
    if (s->p->start[i] >= 0 && s->p->start[i] != twin) return false;
    if (s->p->heat[i] >= 0 && s->g->heat[twin] >= s->p->heat[i]) return false;
    return !(s->p->circle && i == s->p->count && s->twins[0] != twin);
}

static void write_row(search *s)
{
    gm_buf_byte(&s->rows, '{');
    for (int i = 0; i < s->p->count + (s->p->circle ? 0 : 1); i++)
        gm_buf_printf(&s->rows, "%s\"n%d\":\"t%d\"", i > 0 ? "," : "", i, s->twins[i]);
    for (int i = 0; i < s->p->count; i++) {
        if (s->p->steps[i].named) gm_buf_printf(&s->rows, ",\"r%d\":\"e%d\"", i, s->single[i]);
    }
    gm_buf_text(&s->rows, "}\n");
    s->count++;
}

static void extend(search *s, int i, int at, int hops)
{
    if (i == s->p->count) {
        write_row(s);
        return;
    }
    const step *t = &s->p->steps[i];
    if (hops >= t->least && twin_fits(s, i + 1, at)) {
        s->twins[i + 1] = at;
        extend(s, i + 1, at, 0);
    }
    if (hops == t->most) return;
    for (int e = 0; e < EDGES; e++) {
        const edge *g = &s->g->edges[e];
        if (s->used[e] || (t->names != 0 && !(t->names & 1 << g->name))) continue;
        if (s->p->size[i] >= 0 && g->size >= s->p->size[i]) continue;
        bool out = g->from == at && t->direction != 1, in = g->to == at && t->direction != 0;
        if (!out && !in) continue;
        s->used[e]   = true;
        s->single[i] = e;
        extend(s, i, out ? g->to : g->from, hops + 1);
        s->used[e] = false;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The lines in byte order: the engine may walk from any end.
static char *sorted_lines(const char *text)
{
    char  *copy = strdup(text), **lines = calloc(strlen(text) + 1, sizeof *lines), *rest = copy;
    size_t n = 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) lines[n++] = line;
    qsort(lines, n, sizeof *lines, by_text);
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < n; i++) gm_buf_printf(&out, "%s\n", lines[i]);
    gm_buf_byte(&out, '\0');
    free(lines);
    free(copy);
    return (char *)out.ptr;
}

static void check_pattern(const gm_small_plant *plant, const graph *g, const pattern *p)
{
    search s     = { .g = g, .p = p, .rows = gm_buf_init(gm_alloc_system()) };
    gm_buf query = gm_buf_init(gm_alloc_system());
    write_pattern(p, "", &query);
    for (int i = 0; i < TWINS; i++) {
        s.twins[0] = i;
        if (twin_fits(&s, 0, i)) extend(&s, 0, i, 0);
    }
    gm_buf_byte(&s.rows, '\0');
    uint32_t items = 1 + (uint32_t)pick(200);
    char    *found = fixture_ask_paged(plant, (const char *)query.ptr, items, pick(2) ? 1 : 0);
    char    *a = sorted_lines((const char *)s.rows.ptr), *b = sorted_lines(found);
    if (strcmp(a, b) != 0) fail_msg("%s\nexpected\n%.400s\nfound\n%.400s", (const char *)query.ptr, a, b);
    free(a);
    free(b);
    free(found);

    char count[40];
    snprintf(count, sizeof count, "{\"COUNT\":%d}\n", s.count);
    gm_buf_clear(&query);
    write_pattern(p, "COUNT()", &query);
    found = fixture_ask_paged(plant, (const char *)query.ptr, 1, pick(2) ? 1 : 0);
    if (strcmp(found, count) != 0) fail_msg("%s\nexpected %s, found %s", (const char *)query.ptr, count, found);
    free(found);
    gm_buf_finish(&s.rows);
    gm_buf_finish(&query);
}

static void patterns_agree_with_every_assignment(void **state)
{
    (void)state;
    random_state = gm_test_seed();
    for (int i = 0; i < GRAPHS; i++) {
        gm_small_plant plant;
        graph          g;
        make_graph(&plant, &g);
        for (int k = 0; k < PATTERNS; k++) {
            pattern p;
            make_pattern(&p);
            check_pattern(&plant, &g, &p);
        }
        gm_small_plant_close(&plant);
    }
}

// So many paths that they are counted in more than one go: as many as there are rows when they are asked for one by one.
static void many_paths_are_counted_as_they_are_walked(void **state)
{
    (void)state;
    enum { CROWD = 9 };
    static const char *const patterns[] = { "MATCH (a)-[*3]->(b)", "MATCH (a)-[*..3]->(b)", "MATCH (a)<-[:a*2..3]-(b)",
                                            "MATCH (a)-[:a]->(b)-[*..2]->(c)", "MATCH (a)-[:a|b]-(b)-[:b]-(c)",
                                            "MATCH (a)-[*2]-(b) WHERE a.heat < 5", "T JOIN B RELATED T.a JOIN C RELATED B.b",
                                            "T JOIN B RELATED T.a JOIN C RELATED T.b", "MATCH (a)-[:a]->(b)-[:b]->(a)" };
    gm_small_plant plant;
    gm_small_plant_open(&plant, gm_alloc_system(), models);
    char from[16], to[16], id[32], text[200];
    for (int i = 0; i < CROWD; i++) {
        snprintf(from, sizeof from, "t%d", i);
        snprintf(text, sizeof text, "{\"$metadata\":{\"$model\":\"dtmi:t:A;1\"},\"heat\":%d}", i);
        gm_small_plant_twin(&plant, from, text);
    }
    for (int e = 0; e < CROWD * CROWD; e++) {  // each to each, itself included
        snprintf(from, sizeof from, "t%d", e / CROWD);
        snprintf(to, sizeof to, "t%d", e % CROWD);
        snprintf(id, sizeof id, "e%d", e);
        gm_small_plant_relate(&plant, from, id, e % 3 == 0 ? "a" : "b", to, "{}");
    }
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *twin = strncmp(patterns[i], "MATCH", 5) == 0 ? "a" : "T";
        snprintf(text, sizeof text, "SELECT %s.$dtId FROM DIGITALTWINS %s", twin, patterns[i]);
        char *rows = fixture_ask_paged(&plant, text, 1000, 0);
        int   n    = 0;
        for (const char *c = rows; *c != '\0'; c++) n += *c == '\n';
        free(rows);
        snprintf(id, sizeof id, "{\"COUNT\":%d}\n", n);
        snprintf(text, sizeof text, "SELECT COUNT() FROM DIGITALTWINS %s", patterns[i]);
        for (int work = 0; work < 2; work++) {
            char *found = fixture_ask_paged(&plant, text, 1, (uint64_t)work);
            if (n == 0 || strcmp(found, id) != 0) fail_msg("%s: %d rows, counted %s", patterns[i], n, found);
            free(found);
        }
    }
    gm_small_plant_close(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_agree_with_every_assignment),
        cmocka_unit_test(many_paths_are_counted_as_they_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
