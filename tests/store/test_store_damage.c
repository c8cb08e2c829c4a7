#define _GNU_SOURCE /* memmem */
/* A damaged entry comes without a body, and takes no other along. */
#include "fixture.h"
#include "forum.h"
#include "store_check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGES 1000
#define VICTIM   500

static int setup(void **state) {
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void name_text(int number, char text[64]) {
    (void)snprintf(text, 64, "this is message <%d> of some", number);
}

static char *read_file(const char *path, size_t *length) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0 && fstat(file, &status) == 0);
    *length = (size_t)status.st_size;
    char *bytes = malloc(*length);
    assert_non_null(bytes);
    assert_int_equal(read(file, bytes, *length), status.st_size);
    assert_int_equal(close(file), 0);
    return bytes;
}

/* Where in the file a text is; it must be there once. */
static off_t find_text(const char *path, const char *text) {
    size_t length;
    char *bytes = read_file(path, &length);
    char *at = memmem(bytes, length, text, strlen(text));
    assert_non_null(at);
    off_t offset = at - bytes;
    free(bytes);
    return offset;
}

static void overwrite(const char *path, off_t offset, const char *with, size_t length) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, with, length, offset), length);
    assert_int_equal(close(file), 0);
}

struct seen {
    int count;
    int damaged;
    int first_damaged;
};

static bool see(void *arg, const struct store_message *message) {
    struct seen *seen = arg;
    char text[64];
    assert_int_equal(message->seq, ++seen->count);
    name_text(seen->count, text);
    if (message->damaged) {
        seen->first_damaged = seen->damaged++ == 0 ? seen->count : seen->first_damaged;
        assert_int_equal(message->text_bytes, 0);
    } else {
        assert_int_equal(message->text_bytes, strlen(text));
        assert_memory_equal(message->text, text, message->text_bytes);
        assert_string_equal(message->from, "han");
    }
    return true;
}

static struct seen read_all(struct fixture *fixture, int64_t account) {
    struct seen seen = {0};
    assert_ok(store_inbox_read(fixture->store, account, 0, SIZE_MAX, see, &seen));
    assert_int_equal(seen.count, MESSAGES);
    return seen;
}

/* In turns of 50, merged, so that a start has not to read them, and in the database. */
static int64_t fill(struct fixture *fixture) {
    struct store_message_stored stored;
    char text[64];
    fixture->options.view_entries = 1;
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    for (int i = 1; i <= MESSAGES; i++) {
        if (i % 50 == 1)
            fixture_begin(fixture);
        name_text(i, text);
        assert_ok(fixture_send(fixture, NULL, han, "leia", text, &stored));
        if (i % 50 == 0)
            fixture_commit(fixture);
    }
    fixture_merge_all(fixture);
    fixture_close(fixture);
    return han;
}

/* Both the one that has the byte alone, wherever it is, and the sender's and the recipient's inbox.
 */
static void a_damaged_text_takes_no_other_along(void **state) {
    struct fixture *fixture = *state;
    char text[64];
    int64_t han = fill(fixture);
    name_text(VICTIM, text);
    overwrite(fixture->path, find_text(fixture->path, text) + 9, "X", 1);
    fixture_open(fixture);
    struct seen seen = read_all(fixture, han);
    assert_int_equal(seen.damaged, 1);
    assert_int_equal(seen.first_damaged, VICTIM);
    fixture_sent(fixture, han, "leia", "the broker goes on");
}

/* A sector's worth of zeros. */
static void a_damaged_sector_takes_its_own_entries_along_only(void **state) {
    struct fixture *fixture = *state;
    static const char zeros[512];
    char text[64];
    int64_t han = fill(fixture);
    name_text(VICTIM, text);
    off_t at = find_text(fixture->path, text);
    overwrite(fixture->path, at - at % 512, zeros, sizeof zeros);
    fixture_open(fixture);
    struct seen seen = read_all(fixture, han);
    assert_in_range(seen.damaged, 1, 60); /* at most a page's, where its middle is gone */
    assert_in_range(seen.first_damaged, VICTIM - 60, VICTIM);
    fixture_sent(fixture, han, "leia", "the broker goes on");
}

/* The last leaf of a table. */
static off_t leaf_of(const struct fixture *fixture, const char *table) {
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "SELECT max(pageno) FROM dbstat WHERE name = '%s' AND pagetype = 'leaf'", table);
    return (off_t)(forum_query(fixture, sql) - 1) * 4096;
}

/* Which inbox has what was in there can't be found, the rest can. */
static void a_damaged_page_of_the_index_of_inboxes_ends_nothing(void **state) {
    struct fixture *fixture = *state;
    static const char zeros[512];
    int64_t han = fill(fixture);
    overwrite(fixture->path, leaf_of(fixture, "entry") + 1024, zeros, sizeof zeros);
    fixture_open(fixture);
    int64_t leia = han - 1;
    struct seen own = read_all(fixture, han), others = read_all(fixture, leia);
    assert_in_range(own.damaged + others.damaged, 1, 5 * 112);
    fixture_sent(fixture, han, "leia", "the broker goes on");
}

/* What a start must read to know who has which number. */
static void a_damaged_end_of_the_log_is_refused_at_start(void **state) {
    struct fixture *fixture = *state;
    static const char zeros[64];
    char text[64];
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    name_text(VICTIM, text);
    fixture_sent(fixture, han, "leia", text);
    fixture_close(fixture);
    overwrite(fixture->path, find_text(fixture->path, text) - 30, zeros, 30);
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "damaged"));
}

/* ---- files ---- */

static void count_missing(void *arg, const char *sentence) {
    unsigned *count = arg;
    *count += strstr(sentence, "is of a file that is missing, and was not deleted") ? 1 : 0;
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg, (void)what, (void)done, (void)all;
}

static unsigned missing_files(const struct fixture *fixture) {
    unsigned count = 0;
    struct store_check check = {
        .path = fixture->path, .damage = count_missing, .progress = ignore_progress, .arg = &count};
    (void)store_check(&check);
    return count;
}

static void upload(struct fixture *fixture, int64_t account, const char *title, const char *name) {
    struct forum_file file = {.title = title, .name = name, .account = account, .size = 100};
    fixture_id(fixture, file.id);
    (void)forum_upload(fixture, &file, 100);
}

static void a_file_that_is_missing_is_not_taken_for_a_deleted_one(void **state) {
    struct fixture *fixture = *state;
    struct store_file_deleted deleted;
    struct store_thread removed;
    fixture_open(fixture);
    int64_t han = fixture_account(fixture, "han");
    forum_thread(fixture, han, "stays");
    forum_thread(fixture, han, "goes");
    upload(fixture, han, "stays", "kept");
    upload(fixture, han, "stays", "deleted");
    upload(fixture, han, "stays", "lost");
    upload(fixture, han, "goes", "removed");
    struct store_file_change change = {.title = "stays", .name = "deleted", .account = han};
    assert_ok(forum_delete_file(fixture, &change, &deleted));
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "goes", han, false, &removed));
    fixture_commit(fixture);
    fixture_close(fixture);
    assert_int_equal(missing_files(fixture), 0);
    fixture_execute(fixture, "DELETE FROM file WHERE name = 'lost'");
    assert_int_equal(missing_files(fixture), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_text_takes_no_other_along, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_sector_takes_its_own_entries_along_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_page_of_the_index_of_inboxes_ends_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_end_of_the_log_is_refused_at_start, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_missing_is_not_taken_for_a_deleted_one,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
