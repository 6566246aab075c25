// The real disk and the one in memory answer the same calls in the same way.
#include "base/io.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

static gm_status note(void *context, gm_str name, gm_error *err)
{
    (void)err;
    char  *all  = context;
    size_t used = strlen(all);
    snprintf(all + used, 200 - used, GM_STR_FMT " ", GM_STR_ARG(name));
    return GM_OK;
}

static gm_status stop_at_once(void *context, gm_str name, gm_error *err)
{
    (void)name;
    ++*(int *)context;
    return gm_fail(err, GM_CANCELLED, "test", "enough");
}

static void exercise(const gm_io *io, const char *root)
{
    char path[256], folder[200], other[256], names[200] = "";
    gm_error err  = { 0 };
    gm_file *file = NULL, *again = NULL;
    snprintf(folder, sizeof folder, "%s/x/y", root);
    snprintf(path, sizeof path, "%s/b", folder);
    snprintf(other, sizeof other, "%s/a", folder);
    assert_gm_ok(io->make_dir(io, folder, &err), err);
    assert_gm_ok(io->make_dir(io, folder, &err), err);

    assert_int_equal(io->open(io, path, GM_OPEN_READ, &file, &err), GM_NOTFOUND);
    assert_int_equal(io->open(io, path, GM_OPEN_WRITE, &file, &err), GM_NOTFOUND);
    assert_int_equal(io->remove(io, path, &err), GM_NOTFOUND);
    assert_gm_ok(io->open(io, path, GM_OPEN_CREATE, &file, &err), err);
    assert_int_equal(io->open(io, path, GM_OPEN_CREATE, &again, &err), GM_CONFLICT);
    assert_null(again);

    // A hole reads as zeros, reading stops at the end of the file.
    uint8_t  bytes[32];
    size_t   n;
    uint64_t size;
    assert_gm_ok(io->write(file, 10, "hello", 5, &err), err);
    assert_gm_ok(io->sync(file, &err), err);
    assert_gm_ok(io->read(file, 8, bytes, sizeof bytes, &n, &err), err);
    assert_int_equal(n, 7);
    assert_memory_equal(bytes, "\0\0hello", 7);
    assert_gm_ok(io->read(file, 15, bytes, sizeof bytes, &n, &err), err);
    assert_int_equal(n, 0);
    assert_gm_ok(io->truncate(file, 12, &err), err);
    assert_gm_ok(io->size(file, &size, &err), err);
    assert_int_equal(size, 12);
    assert_gm_ok(io->allocate(file, 4096, &err), err);
    assert_gm_ok(io->read(file, 10, bytes, 4, &n, &err), err);
    assert_memory_equal(bytes, "he\0\0", n < 4 ? n : 4);

    // The lock belongs to the open file.
    assert_gm_ok(io->lock(file, &err), err);
    assert_gm_ok(io->open(io, path, GM_OPEN_WRITE, &again, &err), err);
    assert_int_equal(io->lock(again, &err), GM_CONFLICT);
    io->close(file);
    assert_gm_ok(io->lock(again, &err), err);
    io->close(again);
    io->close(NULL);

    // Replacing is whole, and leaves nothing lying about.
    uint8_t *read = NULL;
    assert_gm_ok(gm_io_replace_file(io, path, "one", 3, &err), err);
    assert_gm_ok(gm_io_replace_file(io, path, "three", 5, &err), err);
    assert_gm_ok(gm_io_replace_file(io, other, "", 0, &err), err);
    assert_gm_ok(gm_io_read_file(io, path, 5, &read, &n, &err), err);
    assert_int_equal(n, 5);
    assert_string_equal((char *)read, "three");
    gm_free(io->alloc, read);
    assert_int_equal(gm_io_read_file(io, path, 4, &read, &n, &err), GM_LIMIT);
    assert_null(read);
    assert_gm_ok(gm_io_read_file(io, other, 0, &read, &n, &err), err);
    assert_int_equal(n, 0);
    gm_free(io->alloc, read);
    assert_gm_ok(io->list(io, folder, note, names, &err), err);
    assert_string_equal(names, "a b ");
    int calls = 0;
    assert_int_equal(io->list(io, folder, stop_at_once, &calls, &err), GM_CANCELLED);
    assert_int_equal(calls, 1);

    assert_gm_ok(io->rename(io, path, other, &err), err);
    assert_gm_ok(io->sync_dir(io, folder, &err), err);
    names[0] = '\0';
    assert_gm_ok(io->list(io, folder, note, names, &err), err);
    assert_string_equal(names, "a ");
    assert_gm_ok(io->remove(io, other, &err), err);
}

static void the_real_disk_keeps_the_contract(void **state)
{
    (void)state;
    char root[] = "/tmp/gemel-io-XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    exercise(gm_io_system(), root);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void the_disk_in_memory_keeps_the_contract(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    exercise(&disk.io, "r");
    assert_int_equal(disk.open_files, 0);
    gm_fault_io_finish(&disk);
}

static void a_replaced_file_is_old_or_new_after_any_loss_of_power_and_any_error(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (uint64_t k = 1; k < 200; k++) {
        gm_fault_io disk;
        gm_fault_io_init(&disk, seed + k);
        gm_error err = { 0 };
        uint8_t *read;
        size_t   n;
        assert_gm_ok(gm_io_replace_file(&disk.io, "d/f", "old text", 8, &err), err);
        bool power = k % 2 == 0;
        if (power) disk.power_at_sync = disk.syncs + 1 + k / 2 % 3;
        else disk.fail_at = disk.calls + 1 + k / 2 % 8;
        gm_status st = gm_io_replace_file(&disk.io, "d/f", "new", 3, &err);
        assert_int_equal(disk.open_files, 0);
        if (power) gm_fault_io_power_on(&disk);
        else gm_fault_io_restart(&disk);
        assert_gm_ok(gm_io_read_file(&disk.io, "d/f", 100, &read, &n, &err), err);
        bool is_new = n == 3 && memcmp(read, "new", 3) == 0;
        bool is_old = n == 8 && memcmp(read, "old text", 8) == 0;
        gm_free(disk.io.alloc, read);
        if (!is_new && !is_old) fail_msg("neither old nor new after fault %" PRIu64, k);
        if (st == GM_OK) assert_true(is_new);
        gm_fault_io_finish(&disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_disk_keeps_the_contract),
        cmocka_unit_test(the_disk_in_memory_keeps_the_contract),
        cmocka_unit_test(a_replaced_file_is_old_or_new_after_any_loss_of_power_and_any_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
