// Random valid ontologies: columns are complete and numbered the same however and whenever they are loaded.
#include "model/model.h"

#include "support/support.h"

#include <stdio.h>

enum { INTERFACES = 12, ROUNDS = 150 };

typedef struct world {
    uint64_t seed;
    gm_buf   texts[INTERFACES];
    size_t   leaves[INTERFACES];  // columns that the interface should have, own and inherited and of components
    uint32_t bases[INTERFACES];   // bits of those it extends, closed over
    bool     composed[INTERFACES];  // has a component somewhere
} world;

static uint64_t below(world *w, uint64_t n) { return gm_test_random(&w->seed) % n; }

// Writes a random schema; returns the columns it makes.
static size_t write_schema(world *w, gm_buf *text, int depth)
{
    static const char *const primitives[] = { "\"double\"", "\"integer\"", "\"string\"", "\"boolean\"", "\"date\"", "\"point\"" };
    size_t leaves = 0;
    switch (depth > 2 ? 0 : below(w, 6)) {
    case 1:
        gm_buf_text(text, "{\"@type\":\"Array\",\"elementSchema\":");
        (void)write_schema(w, text, depth + 3);
        gm_buf_text(text, "}");
        return 1;
    case 2:
        gm_buf_text(text, "{\"@type\":\"Enum\",\"valueSchema\":\"integer\",\"enumValues\":[{\"name\":\"a\",\"enumValue\":1}]}");
        return 1;
    case 3: {
        uint64_t fields = below(w, 4);
        gm_buf_text(text, "{\"@type\":\"Object\",\"fields\":[");
        for (uint64_t f = 0; f < fields; f++) {
            gm_buf_printf(text, "%s{\"name\":\"f%d\",\"schema\":", f > 0 ? "," : "", (int)f);
            leaves += write_schema(w, text, depth + 1);
            gm_buf_text(text, "}");
        }
        gm_buf_text(text, "]}");
        return leaves > 0 ? leaves : 1;  // an Object without fields is a document
    }
    default: gm_buf_text(text, primitives[below(w, 6)]); return 1;
    }
}

static size_t write_content(world *w, gm_buf *text, int self, int number)
{
    int other = self > 0 ? (int)below(w, (uint64_t)self) : 0;
    switch (below(w, 5)) {
    case 0: gm_buf_printf(text, "{\"@type\":\"Command\",\"name\":\"c%d_%d\"}", self, number); return 0;
    case 1: gm_buf_printf(text, "{\"@type\":\"Relationship\",\"name\":\"c%d_%d\"}", self, number); return 0;
    case 2:
        if (self == 0 || w->composed[other]) break;
        w->composed[self] = true;
        gm_buf_printf(text, "{\"@type\":\"Component\",\"name\":\"c%d_%d\",\"schema\":\"dtmi:t:I%d;1\"}", self, number, other);
        return w->leaves[other];
    default: break;
    }
    gm_buf_printf(text, "{\"@type\":\"%s\",\"name\":\"c%d_%d\",\"schema\":", below(w, 2) ? "Property" : "Telemetry", self, number);
    size_t leaves = write_schema(w, text, 0);
    gm_buf_text(text, "}");
    return leaves;
}

static void write_interface(world *w, int self)
{
    gm_buf  *text = &w->texts[self];
    uint32_t closed = 0;
    *text = gm_buf_init(gm_alloc_system());
    gm_buf_printf(text, "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:I%d;1\",\"@type\":\"Interface\",\"extends\":[", self);
    bool first = true;
    for (int b = 0; b < self; b++) {
        if (below(w, 4) != 0) continue;
        gm_buf_printf(text, "%s\"dtmi:t:I%d;1\"", first ? "" : ",", b);
        first = false;
        closed |= 1u << b | w->bases[b];
    }
    gm_buf_text(text, "],\"contents\":[");
    size_t own = 0;
    for (int c = 0, n = (int)below(w, 5); c < n; c++) {
        gm_buf_text(text, c > 0 ? "," : "");
        own += write_content(w, text, self, c);
    }
    gm_buf_text(text, "]}");
    w->bases[self] = closed;
    // What is inherited counts once however often it is reached; remember own leaves beside, by subtracting later.
    w->leaves[self] = own;
    for (int b = 0; b < self; b++) w->composed[self] = w->composed[self] || ((closed >> b & 1) != 0 && w->composed[b]);
}

static void make_world(world *w)
{
    size_t own[INTERFACES];
    for (int i = 0; i < INTERFACES; i++) {
        write_interface(w, i);
        own[i] = w->leaves[i];
        for (int b = 0; b < i; b++) w->leaves[i] += (w->bases[i] >> b & 1) != 0 ? own[b] : 0;
    }
}

static void load(gm_model *model, world *w, const int *order, size_t n)
{
    gm_model_source src[INTERFACES];
    gm_findings     found;
    gm_error        err = {0};
    for (size_t i = 0; i < n; i++) src[i] = (gm_model_source){ .text = gm_buf_view(&w->texts[order[i]]) };
    assert_gm_ok(gm_model_add(model, src, n, &found, &err), err);
}

static const gm_type *type_of(const gm_model *model, int i)
{
    char id[32];
    return gm_model_find(model, (gm_str){ id, (size_t)snprintf(id, sizeof id, "dtmi:t:I%d;1", i) });
}

static void compare(const gm_type *a, const gm_type *b)
{
    assert_int_equal(a->column_count, b->column_count);
    assert_true(gm_str_eq(a->text, b->text));
    for (size_t c = 0; c < a->column_count; c++) {
        if (!gm_str_eq(a->columns[c].path, b->columns[c].path)) {
            fail_msg("column %zu: " GM_STR_FMT ", " GM_STR_FMT, c, GM_STR_ARG(a->columns[c].path), GM_STR_ARG(b->columns[c].path));
        }
        assert_int_equal(a->columns[c].kind, b->columns[c].kind);
        assert_int_equal(a->columns[c].component, b->columns[c].component);
        assert_int_equal(gm_type_column_index(a, a->columns[c].path), c);
        if (a->columns[c].component != GM_NO_COMPONENT) {
            assert_true(gm_str_starts(a->columns[c].path, a->components[a->columns[c].component].name));
        }
    }
}

static void columns_are_complete_and_keep_their_numbers(void **state)
{
    (void)state;
    world w = { .seed = gm_test_seed() };
    for (int round = 0; round < ROUNDS; round++) {
        memset(w.bases, 0, sizeof w.bases);
        memset(w.composed, 0, sizeof w.composed);
        make_world(&w);
        int order[INTERFACES], shuffled[INTERFACES];
        for (int i = 0; i < INTERFACES; i++) order[i] = shuffled[i] = i;
        for (int i = INTERFACES - 1; i > 0; i--) {
            int k = (int)below(&w, (uint64_t)i + 1), t = shuffled[i];
            shuffled[i] = shuffled[k];
            shuffled[k] = t;
        }
        gm_model *together = gm_model_create(gm_alloc_system()), *apart = gm_model_create(gm_alloc_system());
        load(together, &w, shuffled, INTERFACES);
        for (int i = 0; i < INTERFACES; i++) load(apart, &w, &order[i], 1);
        for (int i = 0; i < INTERFACES; i++) {
            const gm_type *type = type_of(together, i);
            assert_int_equal(type->column_count, w.leaves[i]);
            compare(type, type_of(apart, i));
            for (int b = 0; b < INTERFACES; b++) {
                assert_int_equal(gm_type_is(type, type_of(together, b)), b == i || (w.bases[i] >> b & 1) != 0);
            }
        }
        gm_model_destroy(together);
        gm_model_destroy(apart);
        for (int i = 0; i < INTERFACES; i++) gm_buf_finish(&w.texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(columns_are_complete_and_keep_their_numbers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
