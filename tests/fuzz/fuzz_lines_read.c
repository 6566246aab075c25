// A reader of lines: whatever comes, it stays inside the text, takes whole lines, and what it says of them is what link/line.h
// says, line by line.
#include "link/line.h"
#include "link/lines_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise) abort();
}

// The table of a key, and how many of its rows were met.
typedef struct met { gm_line_table *table; uint32_t rows; } met;

static met *find(met *tables, size_t count, gm_str key)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_eq(tables[i].table->key, key)) return &tables[i];
    }
    abort();
}

static void compare(gm_str text, gm_line_reader *reader)
{
    size_t  count = gm_line_reader_count(reader), lines = 0;
    met    *tables = calloc(count + 1, sizeof *tables);
    gm_line line   = { .number = 0 };
    check(tables != NULL);
    for (size_t i = 0; i < count; i++) tables[i].table = gm_line_reader_table(reader, i);
    while (gm_line_next(&text, &line)) {
        check(line.fault == NULL && line.has_time);
        met        *m = find(tables, count, line.key);
        size_t      field = 0;
        gm_str      name;
        gm_value    value;
        const char *fault = NULL;
        check(m->rows < m->table->rows && m->table->times[m->rows] == line.time && line.time <= m->table->latest);
        while (gm_line_field(&line.fields, &name, &value, &fault)) {
            check(field < m->table->width && gm_str_eq(name, m->table->names[field]) && value.kind == GM_KIND_DOUBLE);
            check(memcmp(&value.d, &m->table->values[field++ * m->table->rows + m->rows], sizeof value.d) == 0);
        }
        check(fault == NULL && field == m->table->width);
        m->rows++;
        lines++;
    }
    check(lines == gm_line_reader_lines(reader) && line.number == gm_line_reader_ends(reader));
    for (size_t i = 0; i < count; i++) check(tables[i].rows == tables[i].table->rows);
    free(tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_line_reader *reader = gm_line_reader_create(gm_alloc_system());
    check(reader != NULL);
    // Twice: the second time the keys are known.
    for (int again = 0; again < 2; again++) {
        char *text = malloc(size + 1);  // of its own, so that a sanitizer sees a step beyond it
        check(text != NULL);
        if (size > 0) memcpy(text, data, size);
        size_t taken = gm_line_reader_read(reader, (gm_str){ text, size }, 1);
        check(taken <= size && (taken == 0 || taken == size || text[taken - 1] == '\n'));
        compare((gm_str){ text, taken }, reader);
        free(text);
    }
    gm_line_reader_destroy(reader);
    return 0;
}
