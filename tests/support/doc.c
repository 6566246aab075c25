#include "support/doc.h"

#include "support/files.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

void gm_doc_open(gm_doc *doc, const char *page)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", getenv("GM_SOURCE_ROOT"), page);
    *doc = (gm_doc){ .text = gm_test_read_file(path), .command = gm_buf_init(gm_alloc_system()) };
    gm_doc_rewind(doc);
}

void gm_doc_rewind(gm_doc *doc)
{
    doc->rest = gm_buf_view(&doc->text);
}

void gm_doc_close(gm_doc *doc)
{
    gm_buf_finish(&doc->text);
    gm_buf_finish(&doc->command);
}

bool gm_doc_next_block(gm_doc *doc, gm_str *out_info, gm_str *out_body)
{
    gm_str fence = GM_STR("\n```");
    size_t open  = gm_str_find(doc->rest, fence);
    if (open == SIZE_MAX) return false;
    gm_str after = gm_str_slice(doc->rest, open + fence.len, doc->rest.len);
    size_t line  = gm_str_find_char(after, '\n');
    size_t close = gm_str_find(gm_str_slice(after, line, after.len), fence);
    assert_true(line != SIZE_MAX && close != SIZE_MAX);
    *out_info = gm_str_slice(after, 0, line);
    *out_body = gm_str_slice(after, line + 1, line + close + 1);
    doc->rest = gm_str_slice(after, line + close + fence.len, after.len);
    return true;
}

bool gm_doc_next_command(gm_doc *doc, gm_str *out_command)
{
    gm_str line;
    bool   goes_on = false;
    gm_buf_clear(&doc->command);
    while (gm_str_next(&doc->rest, '\n', &line)) {
        if (!goes_on && !gm_str_starts(line, GM_STR("    gemel "))) continue;
        goes_on = gm_str_ends(line, GM_STR("\\"));
        gm_buf_str(&doc->command, gm_str_slice(line, 4, line.len - goes_on));
        if (goes_on) continue;
        *out_command = gm_buf_view(&doc->command);
        return true;
    }
    return false;
}

static char *replaced(gm_str word, const char *const *pairs)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < word.len;) {
        gm_str             rest = gm_str_slice(word, i, word.len);
        const char *const *pair = pairs;
        while (*pair != NULL && !gm_str_starts(rest, gm_str_of(pair[0]))) pair += 2;
        if (*pair == NULL) {
            gm_buf_byte(&out, (uint8_t)rest.ptr[0]);
            i++;
        } else {
            gm_buf_text(&out, pair[1]);
            i += strlen(pair[0]);
        }
    }
    char *copy = strndup(out.ptr != NULL ? (const char *)out.ptr : "", out.len);
    gm_buf_finish(&out);
    return copy;
}

char **gm_doc_words(gm_str command, const char *const *pairs)
{
    char **words = calloc(WORDS_MAX + 1, sizeof *words);
    char   word[1000];
    size_t count = 0, len = 0;
    char   quote = 0;
    bool   begun = false;
    for (size_t i = 0; i <= command.len; i++) {
        char c = i < command.len ? command.ptr[i] : ' ';
        if (quote != 0 ? c == quote : c == '\'' || c == '"') {
            quote = quote != 0 ? 0 : c;
            begun = true;
        } else if (quote == 0 && c == ' ') {
            if (begun) {
                assert_true(count < WORDS_MAX);
                words[count++] = replaced((gm_str){ word, len }, pairs);
            }
            begun = false;
            len   = 0;
        } else {
            assert_true(len < sizeof word);
            word[len++] = c;
            begun       = true;
        }
    }
    assert_int_equal(quote, 0);
    return words;
}

void gm_doc_free_words(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) free(words[i]);
    free(words);
}

void gm_doc_expect(gm_str expected, gm_str out)
{
    gm_str a, b;
    while (gm_str_next(&expected, '\n', &a)) {
        bool there = gm_str_next(&out, '\n', &b);
        while (there && b.len > 0 && b.ptr[b.len - 1] == ' ') b.len--;
        if (a.len > 0 && (!there || !gm_str_eq(a, b))) fail_msg("expected " GM_STR_FMT "\n     got " GM_STR_FMT, GM_STR_ARG(a), GM_STR_ARG(b));
    }
}
