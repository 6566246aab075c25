// A recursive descent in one loop: the nesting is the chain of parents of the node being filled, so the depth limit is
// a counter and not the machine's stack.
#include "model/json_tree.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

typedef struct reader {
    gm_arena   *arena;
    const char *begin, *at, *end;
    gm_error   *err;
} reader;

enum { PLACE_BYTES = 4096 };

static gm_json_place walk_text(gm_json_place at, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') at = (gm_json_place){ at.line + 1, 1 };
        else at.column += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    }
    return at;
}

static gm_status fail(const reader *r, gm_status status, const char *where_ptr, const char *what)
{
    gm_json_place at = walk_text((gm_json_place){ 1, 1 }, (gm_str){ r->begin, (size_t)(where_ptr - r->begin) });
    return gm_fail_at(r->err, status, "model.json", at.line, at.column, "%s", what);
}

static void skip_space(reader *r)
{
    const char *p = r->at;
    while (p < r->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    r->at = p;
}

static int hex4(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int  digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// Decodes the escape at p (which points at the backslash) to out; returns the bytes consumed, 0 when it is no escape.
static size_t read_escape(const char *p, const char *end, char *out, size_t *out_len)
{
    *out_len = 1;
    if (end - p < 2) return 0;
    switch (p[1]) {
    case '"': case '\\': case '/': out[0] = p[1]; return 2;
    case 'b': out[0] = '\b'; return 2;
    case 'f': out[0] = '\f'; return 2;
    case 'n': out[0] = '\n'; return 2;
    case 'r': out[0] = '\r'; return 2;
    case 't': out[0] = '\t'; return 2;
    case 'u': break;
    default: return 0;
    }
    int high = end - p >= 6 ? hex4(p + 2) : -1;
    if (high < 0) return 0;
    uint32_t code = (uint32_t)high;
    size_t   used = 6;
    if (high >= 0xD800 && high < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        int low = hex4(p + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + (((uint32_t)high - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            used = 12;
        }
    }
    *out_len = gm_utf8_encode(code, out);  // 0 for half a surrogate pair
    return *out_len > 0 ? used : 0;
}

// The string whose opening quote is at r->at; *out_text is a view when nothing is escaped.
static gm_status read_string(reader *r, gm_str *out_text)
{
    const char *start = r->at + 1, *p = start;
    while (p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
    if (p < r->end && *p == '"') {
        *out_text = (gm_str){ start, (size_t)(p - start) };
        r->at     = p + 1;
        return GM_OK;
    }
    const char *stop = p;
    while (stop < r->end && *stop != '"') stop += *stop == '\\' ? 2 : 1;
    if (stop >= r->end) return fail(r, GM_INVALID, r->at, "the string has no closing quote");
    char *copy = gm_arena_bytes(r->arena, (size_t)(stop - start) + 1);
    if (copy == NULL) return gm_fail(r->err, GM_NOMEM, "model.json", "a string of %zu bytes", (size_t)(stop - start));
    size_t len = (size_t)(p - start);
    memcpy(copy, start, len);
    while (p < stop) {
        if ((unsigned char)*p < 0x20) return fail(r, GM_INVALID, p, "a control character must be escaped");
        if (*p != '\\') { copy[len++] = *p++; continue; }
        size_t wrote, used = read_escape(p, stop, copy + len, &wrote);
        if (used == 0) return fail(r, GM_INVALID, p, "this is no JSON escape");
        p   += used;
        len += wrote;
    }
    *out_text = (gm_str){ copy, len };
    r->at     = stop + 1;
    return GM_OK;
}

static size_t digits(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && *q >= '0' && *q <= '9') q++;
    return (size_t)(q - p);
}

// The length of the JSON number at the front of p..end, 0 when there is none.
static size_t number_length(const char *p, const char *end)
{
    const char *q = p;
    if (q < end && *q == '-') q++;
    size_t n = digits(q, end);
    if (n == 0 || (n > 1 && *q == '0')) return 0;
    q += n;
    if (q < end && *q == '.') {
        n = digits(q + 1, end);
        if (n == 0) return 0;
        q += 1 + n;
    }
    if (q < end && (*q == 'e' || *q == 'E')) {
        q++;
        if (q < end && (*q == '+' || *q == '-')) q++;
        n = digits(q, end);
        if (n == 0) return 0;
        q += n;
    }
    return (size_t)(q - p);
}

static bool take_word(reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return false;
    r->at += len;
    return true;
}

// Reads the beginning of a value into node: all of a scalar, the opening bracket of a container.
static gm_status read_value(reader *r, gm_json *node)
{
    node->start = (uint32_t)(r->at - r->begin);
    if (node->key.ptr == NULL) node->key_start = node->start;
    gm_status st = GM_OK;
    if (r->at >= r->end) return fail(r, GM_INVALID, r->at, "the text ends where a value should be");
    switch (*r->at) {
    case '{': node->kind = GM_JSON_OBJECT; r->at++; return GM_OK;
    case '[': node->kind = GM_JSON_ARRAY; r->at++; return GM_OK;
    case '"':
        node->kind = GM_JSON_STRING;
        st = read_string(r, &node->text);
        break;
    case 't': case 'f': case 'n':
        node->kind  = *r->at == 'n' ? GM_JSON_NULL : GM_JSON_BOOL;
        node->truth = *r->at == 't';
        if (!take_word(r, "true") && !take_word(r, "false") && !take_word(r, "null")) {
            st = fail(r, GM_INVALID, r->at, "expected a JSON value");
        }
        break;
    default: {
        size_t n = number_length(r->at, r->end);
        if (n == 0) return fail(r, GM_INVALID, r->at, "expected a JSON value");
        node->kind = GM_JSON_NUMBER;
        node->text = (gm_str){ r->at, n };
        r->at += n;
        break;
    }
    }
    node->end = (uint32_t)(r->at - r->begin);
    return st;
}

typedef struct keyed { gm_str key; gm_json *node; } keyed;

static int keyed_cmp(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    int order = gm_str_cmp(x->key, y->key);
    return order != 0 ? order : (x->node->index > y->node->index) - (x->node->index < y->node->index);
}

// Marks the members whose key was there before. Small objects by comparing pairs, large ones by sorting, so that a
// hostile object costs n log n.
static gm_status mark_repeated(reader *r, gm_json *object)
{
    if (object->count <= 24) {
        for (const gm_json *m = object->first; m != NULL; m = m->next) {
            for (gm_json *later = (gm_json *)(uintptr_t)m->next; later != NULL;
                 later          = (gm_json *)(uintptr_t)later->next) {
                if (gm_str_eq(m->key, later->key)) later->repeated = true;
            }
        }
        return GM_OK;
    }
    gm_mark mark  = gm_arena_mark(r->arena);
    keyed  *sorted = gm_arena_zeroed(r->arena, object->count, sizeof *sorted);
    if (sorted == NULL)
        return gm_fail(r->err, GM_NOMEM, "model.json", "an object of %" PRIu32 " members", object->count);
    size_t n = 0;
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        sorted[n++] = (keyed){ m->key, (gm_json *)(uintptr_t)m };
    }
    qsort(sorted, n, sizeof *sorted, keyed_cmp);
    for (size_t i = 1; i < n; i++) {
        if (gm_str_eq(sorted[i - 1].key, sorted[i].key)) sorted[i].node->repeated = true;
    }
    gm_arena_rewind(r->arena, mark);
    return GM_OK;
}

static gm_json *new_node(reader *r, const gm_json *parent)
{
    gm_json *node = gm_arena_bytes(r->arena, sizeof *node);
    if (node == NULL) {
        (void)gm_fail(r->err, GM_NOMEM, "model.json", "a node of the tree");
        return NULL;
    }
    *node = (gm_json){ .parent = parent };
    return node;
}

// Reads the member's key and colon, if the container is an object.
static gm_status read_key(reader *r, const gm_json *container, gm_json *node)
{
    if (container == NULL || container->kind != GM_JSON_OBJECT) return GM_OK;
    if (r->at >= r->end || *r->at != '"') return fail(r, GM_INVALID, r->at, "expected a member name in quotes");
    node->key_start = (uint32_t)(r->at - r->begin);
    gm_status st = read_string(r, &node->key);
    if (st != GM_OK) return st;
    skip_space(r);
    if (r->at >= r->end || *r->at != ':') return fail(r, GM_INVALID, r->at, "expected ':' after the member name");
    r->at++;
    skip_space(r);
    return GM_OK;
}

// One frame per open container: the container and the end of its list of children.
typedef struct frame { gm_json *container, *last; } frame;

static gm_status read_tree(reader *r, frame *stack, gm_json **out_root)
{
    size_t depth = 0;
    *out_root = NULL;
    for (;;) {
        frame   *open = depth > 0 ? &stack[depth - 1] : NULL;
        gm_json *node = new_node(r, open != NULL ? open->container : NULL);
        if (node == NULL) return GM_NOMEM;
        skip_space(r);
        gm_status st = read_key(r, node->parent, node);
        if (st == GM_OK) st = read_value(r, node);
        if (st != GM_OK) return st;
        if (open == NULL) {
            *out_root = node;
        } else {
            node->index = open->container->count++;
            if (open->last == NULL) open->container->first = node;
            else open->last->next = node;
            open->last = node;
        }
        skip_space(r);
        if (node->kind >= GM_JSON_ARRAY) {
            if (depth == GM_JSON_DEPTH_MAX) {
                return fail(r, GM_LIMIT, r->begin + node->start, "arrays and objects are nested too deeply");
            }
            stack[depth++] = (frame){ node, NULL };
            open = &stack[depth - 1];
            if (r->at < r->end && *r->at != (node->kind == GM_JSON_ARRAY ? ']' : '}')) continue;
        }
        // Close whatever ends here; a comma asks for the next value of what is still open.
        for (;;) {
            if (depth == 0) return GM_OK;
            open = &stack[depth - 1];
            skip_space(r);
            char c = r->at < r->end ? *r->at : '\0';
            if (c == ',' && open->container->count > 0) { r->at++; break; }
            bool array = open->container->kind == GM_JSON_ARRAY;
            if (c != (array ? ']' : '}')) {
                return fail(r, GM_INVALID, r->at, array ? "expected ',' or ']'" : "expected ',' or '}'");
            }
            r->at++;
            open->container->end = (uint32_t)(r->at - r->begin);
            if (!array) {
                st = mark_repeated(r, open->container);
                if (st != GM_OK) return st;
            }
            depth--;
        }
    }
}

gm_status gm_json_parse(gm_arena *arena, gm_str text, const gm_json **out_root, gm_error *err)
{
    assert(arena != NULL && out_root != NULL);
    *out_root = NULL;
    reader r = { .arena = arena, .begin = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .err = err };
    if (text.len > GM_JSON_TEXT_MAX) {
        return gm_fail(err, GM_LIMIT, "model.json", "the text has %zu bytes, %d are allowed", text.len,
                       (int)GM_JSON_TEXT_MAX);
    }
    if (!gm_utf8_valid(text)) {
        gm_str rest = text;
        for (size_t n; rest.len > 0 && (n = gm_utf8_step(rest)) > 0;) rest = gm_str_slice(rest, n, rest.len);
        return fail(&r, GM_INVALID, rest.ptr, "the text is not valid UTF-8 here");
    }
    if (gm_str_starts(text, GM_STR("\xEF\xBB\xBF"))) r.at += 3;

    frame *stack = GM_ARENA_NEW(arena, frame, GM_JSON_DEPTH_MAX);
    if (stack == NULL) return gm_fail(err, GM_NOMEM, "model.json", "reading %zu bytes", text.len);
    gm_json  *root = NULL;
    gm_status st   = read_tree(&r, stack, &root);
    if (st != GM_OK) return st;
    skip_space(&r);
    if (r.at != r.end) return fail(&r, GM_INVALID, r.at, "there is something after the end of the document");
    *out_root = root;
    return GM_OK;
}

const gm_json *gm_json_get(const gm_json *object, gm_str key)
{
    if (object == NULL || object->kind != GM_JSON_OBJECT) return NULL;
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        if (gm_str_eq(m->key, key)) return m;
    }
    return NULL;
}

bool gm_json_int(const gm_json *node, int64_t *out_value)
{
    if (!gm_json_is(node, GM_JSON_NUMBER) || node->text.len > 20) return false;
    const char *p = node->text.ptr, *end = p + node->text.len;
    bool     negative = *p == '-';
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    for (p += negative; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static void pointer_token(const gm_json *node, gm_buf *out)
{
    gm_buf_byte(out, '/');
    if (node->key.ptr == NULL) {
        gm_buf_printf(out, "%" PRIu32, node->index);
        return;
    }
    for (size_t i = 0; i < node->key.len; i++) {
        char c = node->key.ptr[i];
        if (c == '~') gm_buf_text(out, "~0");
        else if (c == '/') gm_buf_text(out, "~1");
        else gm_buf_byte(out, (uint8_t)c);
    }
}

void gm_json_pointer(const gm_json *node, const gm_json *root, gm_buf *out)
{
    const gm_json *path[GM_JSON_DEPTH_MAX + 1];
    size_t         n = 0;
    for (; node != NULL && node != root && node->parent != NULL; node = node->parent) path[n++] = node;
    while (n > 0) pointer_token(path[--n], out);
}

static void write_scalar(const gm_json *node, gm_buf *out)
{
    switch ((gm_json_kind)node->kind) {
    case GM_JSON_NULL: gm_buf_text(out, "null"); break;
    case GM_JSON_BOOL: gm_buf_text(out, node->truth ? "true" : "false"); break;
    case GM_JSON_NUMBER: gm_buf_str(out, node->text); break;
    case GM_JSON_STRING: gm_buf_json_str(out, node->text); break;
    case GM_JSON_ARRAY:
    case GM_JSON_OBJECT: break;
    }
}

void gm_json_write(const gm_json *node, gm_buf *out)
{
    const gm_json *at = node;
    for (;;) {
        if (at != node && at->key.ptr != NULL) {
            gm_buf_json_str(out, at->key);
            gm_buf_byte(out, ':');
        }
        if (at->kind >= GM_JSON_ARRAY) {
            gm_buf_byte(out, at->kind == GM_JSON_ARRAY ? '[' : '{');
            if (at->first != NULL) { at = at->first; continue; }
            gm_buf_byte(out, at->kind == GM_JSON_ARRAY ? ']' : '}');
        } else {
            write_scalar(at, out);
        }
        while (at != node && at->next == NULL) {
            at = at->parent;
            gm_buf_byte(out, at->kind == GM_JSON_ARRAY ? ']' : '}');
        }
        if (at == node) return;
        gm_buf_byte(out, ',');
        at = at->next;
    }
}

gm_status gm_json_lines_build(gm_arena *arena, gm_str text, gm_json_lines *out_lines, gm_error *err)
{
    size_t         count  = text.len / PLACE_BYTES + 1;
    gm_json_place *places = GM_ARENA_NEW(arena, gm_json_place, count);
    if (places == NULL) return gm_fail(err, GM_NOMEM, "model.json", "the lines of %zu bytes", text.len);
    places[0] = (gm_json_place){ 1, 1 };
    for (size_t i = 1; i < count; i++) {
        places[i] = walk_text(places[i - 1], gm_str_slice(text, (i - 1) * PLACE_BYTES, i * PLACE_BYTES));
    }
    *out_lines = (gm_json_lines){ text, places };
    return GM_OK;
}

void gm_json_position(const gm_json_lines *lines, uint32_t offset, uint32_t *out_line, uint32_t *out_column)
{
    if (offset > lines->text.len) offset = (uint32_t)lines->text.len;
    size_t        chunk = offset / PLACE_BYTES;
    gm_json_place at    = walk_text(lines->places[chunk], gm_str_slice(lines->text, chunk * PLACE_BYTES, offset));
    *out_line   = at.line;
    *out_column = at.column;
}
