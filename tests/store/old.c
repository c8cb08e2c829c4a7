/* See old.h. The old database is made beside the new one, by a plain SQLite. */
#include "old.h"

#include "log_row.h"
#include "title.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const char schema_0001[];
extern const char schema_0002[];
extern const char schema_0003[];
extern const char schema_0004[];
extern const char schema_0005[];
extern const char schema_0006[];

static void execute(sqlite3 *db, const char *sql) {
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static void make_tables(sqlite3 *db) {
    static const char *const schemas[] = {schema_0001, schema_0002, schema_0003,
                                          schema_0004, schema_0005, schema_0006};
    assert_true(title_functions(db));
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        execute(db, schemas[i]);
    }
    execute(db, "PRAGMA application_id = 2053335156; PRAGMA user_version = 6");
}

static void copy_tables(sqlite3 *db) {
    sqlite3_stmt *names = prepare(
        db, "SELECT printf('DELETE FROM main.%s; INSERT INTO main.%s (%s) SELECT %s FROM now.%s',"
            " name, name, columns, columns, name) FROM (SELECT name, (SELECT group_concat(name, "
            "', ') FROM pragma_table_info(t.name, 'main')) AS columns FROM main.sqlite_schema t"
            " WHERE type = 'table' AND name <> 'log')");
    char copies[32][1024];
    size_t count = 0;
    while (sqlite3_step(names) == SQLITE_ROW) {
        assert_true(count < 32);
        (void)snprintf(copies[count++], sizeof copies[0], "%s", sqlite3_column_text(names, 0));
    }
    assert_int_equal(sqlite3_finalize(names), SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        execute(db, copies[i]);
    }
    execute(db, "DELETE FROM meta WHERE name IN ('ids', 'posted')");
}

static void add_entry(sqlite3_stmt *add, int64_t position, const struct log_entry *entry) {
    int64_t numbers[] = {position, entry->kind, entry->time_us, entry->author, entry->stream};
    for (int i = 0; i < 5; i++) {
        (void)sqlite3_bind_int64(add, 1 + i, numbers[i]);
    }
    (void)sqlite3_bind_int64(add, 6, (int64_t)entry->seq);
    (void)sqlite3_bind_int64(add, 7, entry->author);
    (void)sqlite3_bind_int64(add, 8, (int64_t)entry->second);
    if (entry->kind != LOG_MESSAGE) {
        (void)sqlite3_bind_null(add, 7);
    }
    if (entry->kind == LOG_POSTED) {
        (void)sqlite3_bind_null(add, 8);
    }
    (void)sqlite3_bind_int(add, 9, entry->delivered);
    (void)sqlite3_bind_blob(add, 10, entry->id, ID_BYTES, SQLITE_STATIC);
    (void)sqlite3_bind_text(add, 11, entry->text, (int)entry->text_bytes, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(add), SQLITE_DONE);
    (void)sqlite3_reset(add);
}

static void copy_row(sqlite3_stmt *row, sqlite3_stmt *add) {
    int64_t count = sqlite3_column_int64(row, 1);
    struct log_row packed = {.first = sqlite3_column_int64(row, 0) - count + 1,
                             .count = (size_t)count,
                             .bytes = sqlite3_column_blob(row, 2),
                             .length = (size_t)sqlite3_column_bytes(row, 2)};
    for (int64_t i = 0; i < count; i++) {
        struct log_entry entry;
        log_row_read(&packed, packed.first + i, &entry);
        assert_int_not_equal(entry.kind, LOG_LOST);
        if (entry.id != NULL) {
            add_entry(add, packed.first + i, &entry);
        }
    }
}

static void copy_log(sqlite3 *db) {
    sqlite3_stmt *rows = prepare(db, "SELECT last, count, entries FROM now.log ORDER BY last");
    sqlite3_stmt *add = prepare(db, "INSERT INTO main.log (pos, kind, time_us, author, stream_a,"
                                    " seq_a, stream_b, seq_b, delivered, id, body)"
                                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    while (sqlite3_step(rows) == SQLITE_ROW) {
        copy_row(rows, add);
    }
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    assert_int_equal(sqlite3_finalize(add), SQLITE_OK);
}

void old_make(struct fixture *fixture) {
    char path[FIXTURE_PATH_BYTES + 8];
    char attach[2 * FIXTURE_PATH_BYTES];
    sqlite3 *db = NULL;
    fixture_open(fixture);
    forum_write_rows(fixture);
    fixture_close(fixture);
    (void)snprintf(path, sizeof path, "%s-old", fixture->path);
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS now; BEGIN", fixture->path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    make_tables(db);
    execute(db, attach);
    copy_tables(db);
    copy_log(db);
    execute(db, "COMMIT");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(rename(path, fixture->path), 0);
    (void)snprintf(path, sizeof path, "%s-head", fixture->path);
    assert_int_equal(unlink(path), 0); /* there was none */
}
