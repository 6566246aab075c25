#include "support/support.h"
#include "support/temp_dir.h"
#include "thread/documents.h"
#include "thread/media.h"

#include <stdio.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void the_hash_is_sha_256(void **state)  // FIPS 180-2, appendix B
{
    (void)state;
    char text[GM_HASH_TEXT + 1];
    gm_documents_hash((const uint8_t *)"", 0, text);
    assert_string_equal(text, EMPTY);
    gm_documents_hash((const uint8_t *)"abc", 3, text);
    assert_string_equal(text, ABC);
}

static void what_is_read_is_what_was_written_or_an_error(void **state)
{
    (void)state;
    char     dir[256], other_dir[300], path[512];
    gm_error err = { 0 };
    uint8_t *bytes;
    size_t   size;
    gm_test_make_dir(dir, sizeof dir);
    snprintf(other_dir, sizeof other_dir, "%s/copy", dir);
    gm_documents d = { gm_io_system(), dir }, copy = { gm_io_system(), other_dir };
    assert_int_equal(gm_documents_read(&d, GM_STR(ABC), 100, &bytes, &size, &err), GM_NOTFOUND);
    assert_int_equal(gm_documents_read(&d, GM_STR("../../etc/passwd"), 100, &bytes, &size, &err), GM_INVALID);
    assert_gm_ok(gm_documents_write(&d, 1, (const uint8_t *)"abc", 3, ABC, &err), err);
    assert_gm_ok(gm_documents_write(&d, 2, (const uint8_t *)"abc", 3, ABC, &err), err);  // there already
    assert_gm_ok(gm_documents_read(&d, GM_STR(ABC), 100, &bytes, &size, &err), err);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "abc", 3);
    gm_free(gm_alloc_system(), bytes);
    assert_int_equal(gm_documents_read(&d, GM_STR(ABC), 2, &bytes, &size, &err), GM_LIMIT);
    assert_gm_ok(gm_documents_copy(&d, &copy, GM_STR(ABC), &err), err);
    assert_gm_ok(gm_documents_copy(&d, &copy, GM_STR(ABC), &err), err);
    // Damage is noticed, and mended by the next upload of the same.
    snprintf(path, sizeof path, "%s/ba/" ABC, dir);
    FILE *f = fopen(path, "w");
    fputs("abd", f);
    fclose(f);
    assert_int_equal(gm_documents_read(&d, GM_STR(ABC), 100, &bytes, &size, &err), GM_CORRUPT);
    assert_gm_ok(gm_documents_write(&d, 3, (const uint8_t *)"abc", 3, ABC, &err), err);
    assert_gm_ok(gm_documents_read(&d, GM_STR(ABC), 100, &bytes, &size, &err), err);
    gm_free(gm_alloc_system(), bytes);
    assert_gm_ok(gm_documents_remove(&d, GM_STR(ABC), &err), err);
    assert_gm_ok(gm_documents_remove(&d, GM_STR(ABC), &err), err);
    assert_int_equal(gm_documents_read(&d, GM_STR(ABC), 100, &bytes, &size, &err), GM_NOTFOUND);
    assert_gm_ok(gm_documents_read(&copy, GM_STR(ABC), 100, &bytes, &size, &err), err);
    gm_free(gm_alloc_system(), bytes);
    gm_test_remove_dir(dir);
}

static void a_document_that_lies_about_its_type_is_refused(void **state)
{
    (void)state;
#define BYTES(s) s, sizeof(s) - 1
    static const struct { const char *type, *bytes; size_t size; bool fits; } cases[] = {
        { "application/pdf", BYTES("%PDF-1.7\n..."), true },
        { "application/pdf", BYTES("MZ\x90\0"), false },
        { "application/pdf", BYTES("hello"), false },
        { "image/png", BYTES("\x89PNG\r\n\x1a\n..."), true },
        { "image/png", BYTES("\xff\xd8\xff\xe0"), false },
        { "text/plain", BYTES("a note, with \xc3\xa4\n"), true },
        { "text/plain; charset=utf-8", BYTES("a note"), true },
        { "text/plain", BYTES("\x89PNG\r\n\x1a\n"), false },
        { "text/plain", BYTES("a\0b"), false },
        { "text/csv", BYTES("a,b\n1,\xff\n"), false },
        { "text/plain", BYTES("#!/bin/sh\n"), true },
        { "text/plain", BYTES("My notes"), true },
        { "application/x-step", BYTES("ISO-10303-21;\nHEADER;"), true },
        { "application/x-step", BYTES("solid cube"), false },
        { "application/json", BYTES("{\"a\":1}"), true },
        { "application/json", BYTES("{\"a\":"), false },
        { "model/gltf+json", BYTES("not json"), false },
        { "application/xml", BYTES("  <a/>"), true },
        { "application/xml", BYTES("a"), false },
        { "application/asset-administration-shell-package", BYTES("PK\x03\x04..."), true },
        { "application/asset-administration-shell-package", BYTES("%PDF-1"), false },
        { "application/zip", BYTES(""), false },
        { "application/octet-stream", BYTES("MZ anything"), true },
        { "application/vnd.maker.drawing", BYTES("bytes of their own"), true },
        { "application/vnd.maker.drawing", BYTES("\x7f" "ELF"), false },
        { "drawing", BYTES("x"), false },
        { "/", BYTES("x"), false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error  err = { 0 };
        gm_status st  = gm_media_check(gm_str_of(cases[i].type), (const uint8_t *)cases[i].bytes, cases[i].size, &err);
        if ((st == GM_OK) != cases[i].fits) fail_msg("case %zu, %s: %s", i, cases[i].type, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_sha_256),
        cmocka_unit_test(what_is_read_is_what_was_written_or_an_error),
        cmocka_unit_test(a_document_that_lies_about_its_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
