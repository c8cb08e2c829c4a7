#define _GNU_SOURCE /* memmem */
/* See fixture.h. */
#include "fixture.h"

#include "sqlite/inside.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fixture *fixture_new(void) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->now_us = 1700000000000000;
    return fixture;
}

struct fixture *fixture_in_folder(void) {
    struct fixture *fixture = fixture_new();
    const char *parent = getenv("TMPDIR");
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/zchat-store-XXXXXX",
                   !parent ? "/tmp" : parent);
    assert_non_null(mkdtemp(fixture->folder));
    assert_true(snprintf(fixture->path, sizeof fixture->path, "%s/store", fixture->folder) <
                (int)sizeof fixture->path);
    fixture->options.path = fixture->path;
    return fixture;
}

struct fixture *fixture_in_memory(uint64_t seed) {
    struct fixture *fixture = fixture_new();
    (void)snprintf(fixture->path, sizeof fixture->path, "store");
    (void)snprintf(fixture->vfs, sizeof fixture->vfs, "crash-%p", (void *)fixture);
    fixture->disk = crashvfs_new(fixture->vfs, seed);
    assert_non_null(fixture->disk);
    fixture->options =
        (struct store_options){.path = fixture->path, .vfs = fixture->vfs, .exclusive = true};
    return fixture;
}

static void remove_folder(const char *folder) {
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    struct dirent *entry;
    while ((entry = readdir(entries))) {
        char path[2 * FIXTURE_PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(closedir(entries), 0);
    assert_int_equal(rmdir(folder), 0);
}

void fixture_free(struct fixture *fixture) {
    fixture_close(fixture);
    crashvfs_free(fixture->disk);
    if (fixture->folder[0] != '\0')
        remove_folder(fixture->folder);
    free(fixture);
}

void fixture_open(struct fixture *fixture) {
    enum store_status status = store_open(&fixture->store, &fixture->options);
    if (status != STORE_OK)
        fail_msg("%s", store_error(fixture->store));
}

void fixture_close(struct fixture *fixture) {
    store_close(fixture->store);
    fixture->store = NULL;
}

void fixture_reopen(struct fixture *fixture) {
    fixture_close(fixture);
    fixture_open(fixture);
}

void fixture_crash(struct fixture *fixture, enum crashvfs_keep keep) {
    crashvfs_crash(fixture->disk, keep);
    crashvfs_mend(fixture->disk);
    fixture_close(fixture);
}

void fixture_begin(struct fixture *fixture) {
    assert_ok(store_begin(fixture->store));
}

void fixture_commit(struct fixture *fixture) {
    assert_ok(store_commit(fixture->store));
}

void fixture_merge_all(struct fixture *fixture) {
    bool more = true;
    while (more) {
        fixture_begin(fixture);
        assert_ok(store_maintain(fixture->store, &more));
        fixture_commit(fixture);
    }
}

int64_t fixture_steps(struct fixture *fixture) {
    int64_t steps = 0;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        steps += sqlite3_stmt_status(fixture->store->statements[i], SQLITE_STMTSTATUS_VM_STEP, 1);
    return steps;
}

struct sqlite3 *fixture_connect(const struct fixture *fixture, struct page_check **pages) {
    sqlite3 *db = NULL;
    *pages = page_check_new(NULL);
    assert_non_null(*pages);
    assert_int_equal(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     page_check_name(*pages)),
                     SQLITE_OK);
    return db;
}

void fixture_disconnect(struct sqlite3 *db, struct page_check *pages) {
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    page_check_free(pages);
}

void fixture_execute(const struct fixture *fixture, const char *sql) {
    struct page_check *pages;
    sqlite3 *db = fixture_connect(fixture, &pages);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    fixture_disconnect(db, pages);
}

void fixture_flip(const struct fixture *fixture, const void *bytes, size_t length) {
    enum { ALL = 8 * 1024 * 1024 };
    char *all = malloc(ALL);
    FILE *file = fopen(fixture->path, "r+");
    assert_non_null(all);
    assert_non_null(file);
    size_t count = fread(all, 1, ALL, file);
    char *at = memmem(all, count, bytes, length);
    assert_non_null(at);
    assert_int_equal(fseek(file, at - all, SEEK_SET), 0);
    assert_int_equal(fputc(*at ^ 1, file), (unsigned char)(*at ^ 1));
    assert_int_equal(fclose(file), 0);
    free(all);
}

int64_t fixture_account(struct fixture *fixture, const char *name) {
    int64_t account = 0;
    fixture_begin(fixture);
    assert_ok(
        store_account_add(fixture->store, name, "", false, NULL, NULL, fixture->now_us, &account));
    fixture_commit(fixture);
    assert_true(account > 0);
    return account;
}

void fixture_id(struct fixture *fixture, unsigned char id[ID_BYTES]) {
    unsigned char random[10] = {0};
    fixture->ids++;
    memcpy(random, &fixture->ids, sizeof fixture->ids);
    id_make(id, 1700000000000 + fixture->ids / 8, random);
}

enum store_status fixture_send(struct fixture *fixture, const unsigned char *id, int64_t author,
                               const char *to, const char *text, struct store_message_stored *out) {
    unsigned char made[ID_BYTES];
    if (!id) {
        fixture_id(fixture, made);
        id = made;
    }
    struct store_message_new message = {.id = id,
                                        .author = author,
                                        .to = to,
                                        .text = text,
                                        .text_bytes = strlen(text),
                                        .time_us = ++fixture->now_us};
    return store_message_append(fixture->store, &message, out);
}

void fixture_sent(struct fixture *fixture, int64_t author, const char *to, const char *text) {
    struct store_message_stored stored;
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, NULL, author, to, text, &stored));
    fixture_commit(fixture);
}

void fixture_expect_state(struct fixture *fixture, int64_t account, uint64_t head,
                          uint64_t cursor) {
    uint64_t is_head = 0;
    uint64_t is_cursor = 0;
    assert_ok(store_inbox_state(fixture->store, account, &is_head, &is_cursor));
    assert_int_equal(is_head, head);
    assert_int_equal(is_cursor, cursor);
}
